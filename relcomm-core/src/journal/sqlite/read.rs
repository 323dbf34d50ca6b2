//! Reading.

use super::codec::{Res, corrupt, delivery, entry, gate, json, lane, limit, note, number, optional, to_sql};
use super::seal;
use super::store::Store;
use crate::clock::Moment;
use crate::course::{Head, SessionNo};
use crate::id::{DeliveryId, GateNo, LaneNo, StakeholderId};
use crate::journal::{Entry, GateRow, LaneRow, Note, Row, Subject, Unmatched};
use rusqlite::{OptionalExtension, Params, params};

/// A query for deliveries, with who they are for.
macro_rules! deliveries {
    ($index:literal, $rest:literal) => {
        concat!(
            "SELECT d.gate, d.ordinal, d.version, d.state, r.who FROM delivery d ",
            $index,
            " LEFT JOIN roll r ON r.scope = d.scope AND r.gate = d.gate AND r.ordinal = d.ordinal ",
            $rest
        )
    };
}

impl Store {
    fn collect<T>(
        &self,
        sql: &str,
        params: impl Params,
        mut read: impl FnMut(&rusqlite::Row<'_>) -> Res<T>,
    ) -> Res<Vec<T>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(read(row)?);
        }
        Ok(all)
    }

    fn one<T>(&self, sql: &str, params: impl Params, read: impl FnMut(&rusqlite::Row<'_>) -> Res<T>) -> Res<Option<T>> {
        Ok(self.collect(sql, params, read)?.pop())
    }

    pub(super) fn head(&self) -> Res<(u64, Head)> {
        let sql = "SELECT version, state FROM head WHERE scope = ?1";
        self.one(sql, [self.scope], |row| Ok((number(row, 0)?, json(row, 1, "head")?)))?
            .ok_or_else(|| corrupt("the head is missing"))
    }

    pub(super) fn gates(&self) -> Res<Vec<GateRow>> {
        self.collect(
            "SELECT no, communique, occurrence, revision, place, version, state, deliveries, running, flying, doubt, attempted,
             accepted, relayed, delivered, displayed, acknowledged FROM gate WHERE scope = ?1 ORDER BY no",
            [self.scope],
            gate,
        )
    }

    pub(super) fn lanes(&self) -> Res<Vec<LaneRow>> {
        self.collect("SELECT no, name, version, state FROM lane WHERE scope = ?1 ORDER BY no", [self.scope], lane)
    }

    pub(super) fn is_leasable(&self, gate: GateNo) -> Res<bool> {
        let sql = "SELECT leasable FROM gate WHERE scope = ?1 AND no = ?2";
        let found = self.connection.prepare_cached(sql)?.query_row(params![self.scope, gate.0], |row| row.get(0));
        Ok(found.optional()?.unwrap_or(false))
    }

    fn leasable_gates(&self) -> Res<Vec<u32>> {
        let sql = "SELECT no FROM gate WHERE scope = ?1 AND leasable AND deliveries > 0 ORDER BY no";
        self.collect(sql, [self.scope], |row| number(row, 0))
    }

    pub(super) fn ready(&self, gate: GateNo, lane: LaneNo, now: Moment, max: usize) -> Res<Vec<Row>> {
        if !self.is_leasable(gate)? {
            return Ok(Vec::new());
        }
        self.collect(
            deliveries!(
                "INDEXED BY delivery_ready",
                "WHERE d.scope = ?1 AND d.gate = ?2 AND d.lane = ?3 AND d.ready_at <= ?4 ORDER BY d.ready_at, d.ordinal LIMIT ?5"
            ),
            params![self.scope, gate.0, lane.0, now.millis(), limit(max)],
            delivery,
        )
    }

    /// The earliest of each gate that counts, merged: a gate that is held costs nothing, however many timers it has.
    pub(super) fn timers(&self, now: Moment, max: usize) -> Res<Vec<Row>> {
        let mut due: Vec<(i64, u32, u32)> = Vec::new();
        for gate in self.leasable_gates()? {
            due.extend(self.collect(
                "SELECT timer, ordinal FROM delivery INDEXED BY delivery_timer
                 WHERE scope = ?1 AND gate = ?2 AND timer <= ?3 ORDER BY timer, ordinal LIMIT ?4",
                params![self.scope, gate, now.millis(), limit(max)],
                |row| Ok((row.get(0)?, gate, number(row, 1)?)),
            )?);
        }
        due.sort_unstable();
        due.truncate(max);
        let ids: Vec<DeliveryId> =
            due.into_iter().map(|(_, gate, ordinal)| DeliveryId { gate: GateNo(gate), ordinal }).collect();
        self.read(&ids)
    }

    pub(super) fn lost(&self, now: Moment, max: usize) -> Res<Vec<Row>> {
        let mut lost = Vec::new();
        let mut after = None;
        let next = "SELECT min(session) FROM delivery INDEXED BY delivery_session WHERE scope = ?1 AND session > ?2";
        while let Some(session) =
            self.one(next, params![self.scope, after.unwrap_or(-1)], |row| Ok(row.get::<_, Option<i64>>(0)?))?.flatten()
        {
            after = Some(session);
            if lost.len() >= max {
                break;
            }
            if !self.is_alive(SessionNo(u64::try_from(session).unwrap_or_default()), now)? {
                lost.extend(self.collect(
                    deliveries!(
                        "INDEXED BY delivery_session",
                        "WHERE d.scope = ?1 AND d.session = ?2 ORDER BY d.gate, d.ordinal LIMIT ?3"
                    ),
                    params![self.scope, session, limit(max - lost.len())],
                    delivery,
                )?);
            }
        }
        Ok(lost)
    }

    pub(super) fn read(&self, ids: &[DeliveryId]) -> Res<Vec<Row>> {
        let mut statement =
            self.connection.prepare_cached(deliveries!("", "WHERE d.scope = ?1 AND d.gate = ?2 AND d.ordinal = ?3"))?;
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            let mut rows = statement.query(params![self.scope, id.gate.0, id.ordinal])?;
            if let Some(row) = rows.next()? {
                found.push(delivery(row)?);
            }
        }
        Ok(found)
    }

    pub(super) fn ordinal(&self, gate: GateNo, who: &StakeholderId) -> Res<Option<u32>> {
        let sql = "SELECT min(ordinal) FROM roll WHERE scope = ?1 AND gate = ?2 AND who = ?3";
        Ok(self.one(sql, params![self.scope, gate.0, who.as_str()], |row| optional(row, 0))?.flatten())
    }

    pub(super) fn scan(&self, gate: GateNo, from: u32, max: usize) -> Res<Vec<Row>> {
        self.collect(
            deliveries!("", "WHERE d.scope = ?1 AND d.gate = ?2 AND d.ordinal >= ?3 ORDER BY d.ordinal LIMIT ?4"),
            params![self.scope, gate.0, from, limit(max)],
            delivery,
        )
    }

    pub(super) fn next_due(&self, now: Moment) -> Res<Option<Moment>> {
        let lanes: Vec<u16> =
            self.collect("SELECT no FROM lane WHERE scope = ?1", [self.scope], |row| number(row, 0))?;
        let mut next: Option<i64> = None;
        let mut earlier = |at: Option<i64>| next = [next, at].into_iter().flatten().min();
        for gate in self.leasable_gates()? {
            for lane in &lanes {
                let sql = "SELECT min(ready_at) FROM delivery INDEXED BY delivery_ready
                           WHERE scope = ?1 AND gate = ?2 AND lane = ?3 AND ready_at > ?4";
                let at = self.one(sql, params![self.scope, gate, lane, now.millis()], |row| Ok(row.get(0)?))?;
                earlier(at.flatten());
            }
            let sql = "SELECT min(timer) FROM delivery INDEXED BY delivery_timer
                       WHERE scope = ?1 AND gate = ?2 AND timer > ?3";
            earlier(self.one(sql, params![self.scope, gate, now.millis()], |row| Ok(row.get(0)?))?.flatten());
        }
        Ok(next.map(Moment::from_millis))
    }

    pub(super) fn entries(&self, after: u64, max: usize) -> Res<Vec<Entry>> {
        self.collect(
            "SELECT seq, at, kind, gate, ordinal, lane, fact FROM entry WHERE scope = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
            params![self.scope, to_sql(after), limit(max)],
            entry,
        )
    }

    pub(super) fn history(&self, of: Subject) -> Res<Vec<(Entry, Option<Note>)>> {
        let (kind, gate, ordinal, lane) = match of {
            Subject::Head => ("head", None, None, None),
            Subject::Gate(gate) => ("gate", Some(gate.0), None, None),
            Subject::Lane(lane) => ("lane", None, None, Some(lane.0)),
            Subject::Delivery(id) => ("delivery", Some(id.gate.0), Some(id.ordinal), None),
        };
        let entries = self.collect(
            "SELECT seq, at, kind, gate, ordinal, lane, fact FROM entry
             WHERE scope = ?1 AND kind = ?2 AND gate IS ?3 AND ordinal IS ?4 AND lane IS ?5 ORDER BY seq",
            params![self.scope, kind, gate, ordinal, lane],
            entry,
        )?;
        entries
            .into_iter()
            .map(|entry| {
                let beside = self.notes(entry.seq - 1, entry.seq)?.pop().map(|(_, note)| note);
                Ok((entry, beside))
            })
            .collect()
    }

    pub(super) fn notes(&self, after: u64, up_to: u64) -> Res<Vec<(u64, Note)>> {
        self.collect(
            "SELECT seq, \"by\", proof, text, reference, url, code, text_digest FROM note
             WHERE scope = ?1 AND seq > ?2 AND seq <= ?3 ORDER BY seq",
            params![self.scope, to_sql(after), to_sql(up_to)],
            note,
        )
    }

    pub(super) fn unmatched(&self) -> Res<Vec<Unmatched>> {
        self.collect(
            "SELECT u.identity, u.kind, u.evidence, r.raw FROM unmatched u
             LEFT JOIN receipt r ON r.scope = u.scope AND r.identity = u.identity WHERE u.scope = ?1 ORDER BY u.no",
            [self.scope],
            |row| {
                let evidence = match row.get_ref(2)? {
                    rusqlite::types::ValueRef::Null => None,
                    _ => Some(json(row, 2, "receipt")?),
                };
                let raw: Option<Vec<u8>> = row.get(3)?;
                Ok(Unmatched::new(
                    row.get::<_, String>(0)?,
                    json(row, 1, "receipt")?,
                    evidence,
                    raw.unwrap_or_default(),
                ))
            },
        )
    }

    pub(super) fn seal(&self) -> Res<String> {
        Ok(seal::head(&self.connection, self.scope)?.map_or_else(|| self.genesis.clone(), |(_, hash)| hash))
    }
}
