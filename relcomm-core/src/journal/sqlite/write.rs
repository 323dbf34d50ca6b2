//! Writing: facts are applied, stored, and every index column is brought up to date.

use super::codec::{Res, delivery, json, number, to_json, to_sql, unavailable};
use super::store::Store;
use crate::clock::Moment;
use crate::course::{Delivery, DeliveryFact, Gate, GateFact, Head, HeadFact, Lane, SessionNo};
use crate::id::{DeliveryId, GateId, GateNo, LaneNo, OccurrenceId, PlaceId, StakeholderId};
use crate::journal::{
    Change, Committed, Fact, JournalError, JournalErrorKind, LaneRow, Note, ReceiptRecord, Row, Run, Subject,
    Unmatched, Want, Write,
};
use crate::receipt::Assurance;
use rusqlite::params;

/// The index columns of a delivery.
struct Columns {
    running: bool,
    best: Option<&'static str>,
    lane: Option<u16>,
    ready_at: Option<i64>,
    until: Option<i64>,
    timer: Option<i64>,
    session: Option<i64>,
}

impl Columns {
    fn of(state: &Delivery) -> Self {
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

impl Store {
    pub(super) fn register(&mut self, gates: &[GateId], lanes: &[String]) -> Res<()> {
        let gate = Gate::default();
        let (state, leasable) = (to_json(&gate)?, gate.leasable());
        for id in gates {
            self.connection
                .prepare_cached(
                    "INSERT OR IGNORE INTO gate (scope, no, name, communique, occurrence, revision, place, state, leasable)
                     SELECT ?1, coalesce(max(no) + 1, 0), ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM gate WHERE scope = ?1",
                )?
                .execute(params![
                    self.scope,
                    id.to_string(),
                    id.communique.as_str(),
                    id.occurrence.as_ref().map(OccurrenceId::as_str),
                    id.revision,
                    id.place.as_ref().map(PlaceId::as_str),
                    state,
                    leasable,
                ])?;
        }
        let state = to_json(&Lane::default())?;
        for name in lanes {
            self.connection
                .prepare_cached(
                    "INSERT OR IGNORE INTO lane (scope, no, name, state)
                     SELECT ?1, coalesce(max(no) + 1, 0), ?2, ?3 FROM lane WHERE scope = ?1",
                )?
                .execute(params![self.scope, name, state])?;
        }
        Ok(())
    }

    pub(super) fn write_all(&mut self, writes: Vec<Write>, at: Moment) -> Res<Vec<Committed>> {
        writes.into_iter().map(|write| self.write(write, at)).collect()
    }

    /// All or none.
    pub(super) fn write_together(&mut self, writes: Vec<Write>, at: Moment) -> Res<bool> {
        let all = |store: &mut Self| {
            for write in writes {
                if !matches!(store.write(write, at)?, Committed::Done(_)) {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        self.whole(all, |done| *done)
    }

    fn write(&mut self, write: Write, at: Moment) -> Res<Committed> {
        let Write { change, expect, note, receipt } = write;
        let version = expect.saturating_add(1);
        let first = match change {
            Change::Head(facts) => {
                let Some(mut head) = self.head_at(expect)? else { return Ok(Committed::Conflict) };
                if self.is_duplicate(receipt)? {
                    return Ok(Committed::Duplicate);
                }
                self.write_head(&mut head, facts, version, at)?
            }
            Change::Gate(no, facts) => {
                let Some(mut gate) = self.gate_at(no, expect)? else { return Ok(Committed::Conflict) };
                if self.is_duplicate(receipt)? {
                    return Ok(Committed::Duplicate);
                }
                self.write_gate(no, &mut gate, &facts, version, at)?
            }
            Change::Lane(no, fact) => {
                let Some(mut lane) = self.lane_at(no, expect)? else { return Ok(Committed::Conflict) };
                if self.is_duplicate(receipt)? {
                    return Ok(Committed::Duplicate);
                }
                lane.apply(&fact);
                self.connection
                    .prepare_cached("UPDATE lane SET version = ?3, state = ?4 WHERE scope = ?1 AND no = ?2")?
                    .execute(params![self.scope, no.0, to_sql(version), to_json(&lane)?])?;
                Some(self.enter_fact(at, Subject::Lane(no), &Fact::Lane(fact))?)
            }
            Change::Delivery(id, facts) => {
                let Some(mut state) = self.delivery_at(id, expect)? else { return Ok(Committed::Conflict) };
                if self.is_duplicate(receipt)? {
                    return Ok(Committed::Duplicate);
                }
                self.write_delivery(id, &mut state, &facts, version, at)?
            }
        };
        if let (Some(note), Some(seq)) = (note, first) {
            self.write_note(seq, &note)?;
        }
        Ok(Committed::Done(version))
    }

    fn is_duplicate(&self, receipt: Option<ReceiptRecord>) -> Res<bool> {
        receipt.map_or(Ok(false), |receipt| Ok(!self.is_new(&receipt.identity, &receipt.raw)?))
    }

    fn is_new(&self, identity: &str, raw: &[u8]) -> Res<bool> {
        let sql = "INSERT OR IGNORE INTO receipt (scope, identity, raw) VALUES (?1, ?2, ?3)";
        Ok(self.connection.prepare_cached(sql)?.execute(params![self.scope, identity, raw])? > 0)
    }

    fn head_at(&self, version: u64) -> Res<Option<Head>> {
        let (now, head) = self.head()?;
        Ok((now == version).then_some(head))
    }

    fn gate_at(&self, no: GateNo, version: u64) -> Res<Option<Gate>> {
        let sql = "SELECT version, state FROM gate WHERE scope = ?1 AND no = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![self.scope, no.0])?;
        match rows.next()? {
            Some(row) if number::<u64>(row, 0)? == version => Ok(Some(json(row, 1, "gate")?)),
            _ => Ok(None),
        }
    }

    fn lane_at(&self, no: LaneNo, version: u64) -> Res<Option<Lane>> {
        let lanes = self.lanes()?;
        Ok(lanes.into_iter().find(|l: &LaneRow| l.no == no && l.version == version).map(|l| l.state))
    }

    fn delivery_at(&self, id: DeliveryId, version: u64) -> Res<Option<Delivery>> {
        let sql = "SELECT version, state FROM delivery WHERE scope = ?1 AND gate = ?2 AND ordinal = ?3";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![self.scope, id.gate.0, id.ordinal])?;
        match rows.next()? {
            Some(row) if number::<u64>(row, 0)? == version => Ok(Some(json(row, 1, "delivery")?)),
            _ => Ok(None),
        }
    }

    fn write_head(&mut self, head: &mut Head, facts: Vec<HeadFact>, version: u64, at: Moment) -> Res<Option<u64>> {
        for fact in &facts {
            head.apply(fact);
        }
        self.connection
            .prepare_cached("UPDATE head SET version = ?2, state = ?3 WHERE scope = ?1")?
            .execute(params![self.scope, to_sql(version), to_json(head)?])?;
        let mut first = None;
        for fact in facts {
            let seq = self.enter_fact(at, Subject::Head, &Fact::Head(Box::new(fact)))?;
            first.get_or_insert(seq);
        }
        Ok(first)
    }

    fn write_gate(
        &mut self,
        no: GateNo,
        gate: &mut Gate,
        facts: &[GateFact],
        version: u64,
        at: Moment,
    ) -> Res<Option<u64>> {
        for fact in facts {
            gate.apply(fact);
        }
        self.connection
            .prepare_cached("UPDATE gate SET version = ?3, state = ?4, leasable = ?5 WHERE scope = ?1 AND no = ?2")?
            .execute(params![self.scope, no.0, to_sql(version), to_json(gate)?, gate.leasable()])?;
        let mut first = None;
        for fact in facts {
            let seq = self.enter_fact(at, Subject::Gate(no), &Fact::Gate(*fact))?;
            first.get_or_insert(seq);
        }
        Ok(first)
    }

    fn write_delivery(
        &mut self,
        id: DeliveryId,
        state: &mut Delivery,
        facts: &[DeliveryFact],
        version: u64,
        at: Moment,
    ) -> Res<Option<u64>> {
        self.gone(id.gate, state);
        for fact in facts {
            state.apply(fact);
        }
        self.come(id.gate, state);
        let c = Columns::of(state);
        self.connection
            .prepare_cached(
                "UPDATE delivery SET version = ?4, state = ?5, running = ?6, best = ?7, lane = ?8, ready_at = ?9, until = ?10,
                 timer = ?11, session = ?12 WHERE scope = ?1 AND gate = ?2 AND ordinal = ?3",
            )?
            .execute(params![
                self.scope,
                id.gate.0,
                id.ordinal,
                to_sql(version),
                to_json(state)?,
                c.running,
                c.best,
                c.lane,
                c.ready_at,
                c.until,
                c.timer,
                c.session,
            ])?;
        let mut first = None;
        for fact in facts {
            let seq = self.enter_fact(at, Subject::Delivery(id), &Fact::Delivery(*fact))?;
            first.get_or_insert(seq);
        }
        Ok(first)
    }

    fn write_note(&self, seq: u64, note: &Note) -> Res<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO note (scope, seq, \"by\", proof, text, reference, url, code, text_digest)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                self.scope,
                to_sql(seq),
                note.by,
                note.proof,
                note.text,
                note.reference,
                note.url,
                note.code,
                note.text_digest,
            ])?;
        Ok(())
    }

    pub(super) fn enter(
        &mut self,
        no: GateNo,
        expect: u64,
        facts: &[GateFact],
        runs: Vec<Run>,
        who: &[Option<StakeholderId>],
        at: Moment,
    ) -> Res<bool> {
        let Some(mut gate) = self.gate_at(no, expect)? else { return Ok(false) };
        let sql = "SELECT deliveries FROM gate WHERE scope = ?1 AND no = ?2";
        let from: u32 = self.connection.prepare_cached(sql)?.query_row(params![self.scope, no.0], |row| row.get(0))?;
        self.write_runs(no, from, &runs)?;
        self.write_roll(no, from, who)?;
        if !runs.is_empty() {
            self.enter_fact(at, Subject::Gate(no), &Fact::Entered { from, runs: runs.into() })?;
        }
        self.write_gate(no, &mut gate, facts, expect.saturating_add(1), at)?;
        Ok(true)
    }

    fn write_runs(&mut self, no: GateNo, from: u32, runs: &[Run]) -> Res<()> {
        for run in runs {
            let state = run.delivery();
            for _ in 0..run.count {
                self.come(no, &state);
            }
        }
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO delivery (scope, gate, ordinal, version, state, running, lane, ready_at, until, timer)
             VALUES (?1, ?2, ?3, 0, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?;
        let mut ordinal = from;
        for run in runs {
            let state = run.delivery();
            let (text, c) = (to_json(&state)?, Columns::of(&state));
            for _ in 0..run.count {
                statement.execute(params![
                    self.scope, no.0, ordinal, text, c.running, c.lane, c.ready_at, c.until, c.timer
                ])?;
                ordinal = ordinal.checked_add(1).ok_or_else(|| unavailable("a gate has too many deliveries"))?;
            }
        }
        Ok(())
    }

    fn write_roll(&self, no: GateNo, from: u32, who: &[Option<StakeholderId>]) -> Res<()> {
        let mut statement =
            self.connection.prepare_cached("INSERT INTO roll (scope, gate, ordinal, who) VALUES (?1, ?2, ?3, ?4)")?;
        for (who, ordinal) in who.iter().zip(from..) {
            if let Some(who) = who {
                statement.execute(params![self.scope, no.0, ordinal, who.as_str()])?;
            }
        }
        Ok(())
    }

    pub(super) fn lease(&mut self, session: SessionNo, wants: &[Want], now: Moment, at: Moment) -> Res<Vec<Row>> {
        if !self.is_alive(session, at)? {
            return Err(JournalError::new(JournalErrorKind::Fenced, "the session counts as dead").into());
        }
        let mut leased = Vec::new();
        for want in wants {
            for mut row in self.candidates(*want, now)? {
                let Some(fact) = row.state.lease(session, now) else { continue };
                row.version = row.version.saturating_add(1);
                self.write_delivery(row.id, &mut row.state, &[fact], row.version, at)?;
                leased.push(row);
            }
        }
        Ok(leased)
    }

    /// Those whose time has come and is not over; where it is over, a timer says so.
    fn candidates(&self, want: Want, now: Moment) -> Res<Vec<Row>> {
        if !self.is_leasable(want.gate)? {
            return Ok(Vec::new());
        }
        let mut statement = self.connection.prepare_cached(
            "SELECT d.gate, d.ordinal, d.version, d.state, r.who FROM delivery d INDEXED BY delivery_ready
             LEFT JOIN roll r ON r.scope = d.scope AND r.gate = d.gate AND r.ordinal = d.ordinal
             WHERE d.scope = ?1 AND d.gate = ?2 AND d.lane = ?3 AND d.ready_at <= ?4 AND (d.until IS NULL OR d.until >= ?4)
             ORDER BY d.ready_at, d.ordinal LIMIT ?5",
        )?;
        let mut rows =
            statement.query(params![self.scope, want.gate.0, want.lane.0, now.millis(), i64::from(want.max)])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(delivery(row)?);
        }
        Ok(found)
    }

    pub(super) fn keep_unmatched(&mut self, receipts: Vec<Unmatched>) -> Res<usize> {
        let mut kept = 0;
        for receipt in receipts {
            if self.is_new(&receipt.identity, &receipt.raw)? {
                self.connection
                    .prepare_cached(
                        "INSERT INTO unmatched (scope, no, identity, kind, evidence)
                         SELECT ?1, coalesce(max(no) + 1, 1), ?2, ?3, ?4 FROM unmatched WHERE scope = ?1",
                    )?
                    .execute(params![
                        self.scope,
                        receipt.identity,
                        to_json(&receipt.kind)?,
                        receipt.evidence.as_ref().map(to_json).transpose()?,
                    ])?;
                kept += 1;
            }
        }
        Ok(kept)
    }
}
