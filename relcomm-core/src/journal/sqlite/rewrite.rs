//! Rewriting deliveries: those that change alike, one after another, are written in as few statements as their ordinals allow.

use super::codec::{Res, to_sql, unavailable};
use super::schema::key;
use super::store::Store;
use super::write::too_many;
use crate::clock::Moment;
use crate::course::{Delivery, DeliveryFact, Facts};
use crate::id::{DeliveryId, GateNo};
use crate::receipt::Assurance;
use rusqlite::params;

/// The index columns of a delivery.
pub(super) struct Columns {
    pub(super) running: bool,
    pub(super) best: Option<&'static str>,
    pub(super) lane: Option<u16>,
    pub(super) ready_at: Option<i64>,
    pub(super) until: Option<i64>,
    pub(super) timer: Option<i64>,
    pub(super) session: Option<i64>,
}

impl Columns {
    pub(super) fn of(state: &Delivery) -> Self {
        let ready = state.ready_leg();
        Self {
            running: state.end.is_none(),
            best: state.best().map(Assurance::word),
            lane: ready.map(|(_, lane, _, _)| lane.0),
            ready_at: ready.map(|(_, _, at, _)| at.millis()),
            until: ready.and_then(|(_, _, _, until)| until).map(Moment::millis),
            timer: state.timer().map(Moment::millis),
            session: state.flying().map(|(_, session)| to_sql(session.0)),
        }
    }
}

/// Deliveries of one gate that stood alike and change alike.
pub(super) struct Rewrite {
    gate: GateNo,
    version: u64,
    before: Delivery,
    facts: Facts<DeliveryFact>,
    after: Delivery,
    /// Their keys.
    rows: Vec<i64>,
}

impl Store {
    /// Applies facts to a delivery that stands in the file at this version. It is in the file once [`write_rewritten`](Self::write_rewritten)
    /// was called, which is before anything is read of it.
    pub(super) fn rewrite(
        &mut self,
        id: DeliveryId,
        version: u64,
        state: &mut Delivery,
        facts: &[DeliveryFact],
    ) -> Res<()> {
        let row = key(self.scope, id.gate, id.ordinal).ok_or_else(too_many)?;
        if let Some(alike) = &mut self.rewriting
            && (alike.gate, alike.version, alike.facts.as_slice()) == (id.gate, version, facts)
            && alike.before == *state
        {
            alike.rows.push(row);
            state.clone_from(&alike.after);
            return Ok(());
        }
        self.write_rewritten()?;
        let before = state.clone();
        for fact in facts {
            state.apply(fact);
        }
        let (after, rows) = (state.clone(), vec![row]);
        self.rewriting = Some(Rewrite { gate: id.gate, version, before, facts: facts.into(), after, rows });
        Ok(())
    }

    /// Writes what was gathered: before a delivery is read, and at the end of each command.
    pub(super) fn write_rewritten(&mut self) -> Res<()> {
        let Some(mut alike) = self.rewriting.take() else { return Ok(()) };
        let (old, new) = (Columns::of(&alike.before), Columns::of(&alike.after));
        let stored = self.store_state(&alike.after, new.ready_at.is_none() && new.timer.is_none())?;
        // An index is only looked at where its columns are named: an outcome leaves most of them as they are.
        let moved = (old.timer, old.ready_at, old.lane, old.until) != (new.timer, new.ready_at, new.lane, new.until);
        let version = (to_sql(alike.version), to_sql(alike.version.saturating_add(1)));
        alike.rows.sort_unstable();
        for run in alike.rows.chunk_by(|one, next| one + 1 == *next) {
            let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
            let (alike, text) = &stored;
            let written = if moved {
                self.connection
                    .prepare_cached(
                        "UPDATE delivery SET version = ?4, running = ?5, best = ?6, session = ?7, alike = ?8, state = ?9,
                         lane = ?10, ready_at = ?11, until = ?12, timer = ?13 WHERE id BETWEEN ?1 AND ?2 AND version = ?3",
                    )?
                    .execute(params![
                        first, last, version.0, version.1, new.running, new.best, new.session, alike, text, new.lane,
                        new.ready_at, new.until, new.timer,
                    ])?
            } else {
                self.connection
                    .prepare_cached(
                        "UPDATE delivery SET version = ?4, running = ?5, best = ?6, session = ?7, alike = ?8, state = ?9
                         WHERE id BETWEEN ?1 AND ?2 AND version = ?3",
                    )?
                    .execute(params![
                        first, last, version.0, version.1, new.running, new.best, new.session, alike, text,
                    ])?
            };
            if written != run.len() {
                return Err(unavailable("a delivery does not stand as it was read"));
            }
        }
        self.count(alike.gate, alike.rows.len(), &alike.before, &alike.after);
        Ok(())
    }
}
