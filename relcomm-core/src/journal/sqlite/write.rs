//! Writing: facts are applied, stored, and every index column is brought up to date.

use super::codec::{Fault, Res, json, number, to_json, to_sql, unavailable};
use super::rewrite::Columns;
use super::schema::{key, part};
use super::store::Store;
use crate::clock::Moment;
use crate::course::{Delivery, Gate, GateFact, Head, HeadFact, Lane, SessionNo};
use crate::id::{DeliveryId, GateId, GateNo, LaneNo, OccurrenceId, PlaceId, StakeholderId};
use crate::journal::{
    Change, Committed, Entrant, Fact, JournalError, JournalErrorKind, LaneRow, ReceiptRecord, Row, Run, Subject,
    Unmatched, Want, Write,
};
use rusqlite::params;

/// How many leased states are kept in mind: far more than may fly at once.
const FLYING: usize = 8192;

pub(super) fn too_many() -> Fault {
    unavailable("a gate has too many deliveries")
}

impl Store {
    pub(super) fn register(&mut self, gates: &[GateId], lanes: &[String]) -> Res<()> {
        let gate = Gate::default();
        let (state, leasable) = (to_json(&gate)?, gate.leasable());
        for id in gates {
            let made = self
                .connection
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
            if made > 0 {
                let sql = "SELECT no FROM gate WHERE scope = ?1 AND name = ?2";
                let no = self
                    .connection
                    .prepare_cached(sql)?
                    .query_row(params![self.scope, id.to_string()], |row| row.get(0))?;
                part(self.scope, GateNo(no)).ok_or_else(|| unavailable("there are too many gates"))?;
            }
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
                self.enter_facts(at, Subject::Lane(no), &[Fact::Lane(fact)])?
            }
            Change::Delivery(id, facts) => {
                let known = self.flying.remove(&id).filter(|(then, _)| *then == expect && receipt.is_none());
                let state = match known {
                    Some((_, state)) => Some(state),
                    None => {
                        self.write_rewritten()?;
                        self.delivery_at(id, expect)?
                    }
                };
                let Some(mut state) = state else { return Ok(Committed::Conflict) };
                if self.is_duplicate(receipt)? {
                    return Ok(Committed::Duplicate);
                }
                self.rewrite(id, expect, &mut state, &facts)?;
                self.enter_delivery(at, id, &facts)?
            }
        };
        if let (Some(note), Some(seq)) = (note, first) {
            self.lay_note(seq, note)?;
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
        let sql = "SELECT version, alike, state FROM delivery WHERE id = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([key(self.scope, id.gate, id.ordinal)])?;
        match rows.next()? {
            Some(row) if number::<u64>(row, 0)? == version => Ok(Some(self.state_in(row, 1)?)),
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
        let facts: Vec<Fact> = facts.into_iter().map(|fact| Fact::Head(Box::new(fact))).collect();
        self.enter_facts(at, Subject::Head, &facts)
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
        let facts: Vec<Fact> = facts.iter().copied().map(Fact::Gate).collect();
        self.enter_facts(at, Subject::Gate(no), &facts)
    }

    pub(super) fn enter(
        &mut self,
        no: GateNo,
        expect: u64,
        facts: &[GateFact],
        runs: Vec<Run>,
        who: &[Entrant],
        at: Moment,
    ) -> Res<bool> {
        let Some(mut gate) = self.gate_at(no, expect)? else { return Ok(false) };
        let sql = "SELECT deliveries FROM gate WHERE scope = ?1 AND no = ?2";
        let from: u32 = self.connection.prepare_cached(sql)?.query_row(params![self.scope, no.0], |row| row.get(0))?;
        self.write_runs(no, from, &runs)?;
        self.write_roll(no, from, who)?;
        if !runs.is_empty() {
            self.enter_facts(at, Subject::Gate(no), &[Fact::Entered { from, runs: runs.into() }])?;
        }
        self.write_gate(no, &mut gate, facts, expect.saturating_add(1), at)?;
        Ok(true)
    }

    fn write_runs(&mut self, no: GateNo, from: u32, runs: &[Run]) -> Res<()> {
        let mut ordinal = from;
        for (count, state) in Run::deliveries(runs) {
            let (alike, text) = self.store_state(&state, count > 1)?;
            let c = Columns::of(&state);
            self.count_new(no, count, &state);
            let mut statement = self.connection.prepare_cached(
                "INSERT INTO delivery (id, version, running, alike, state, lane, ready_at, until, timer)
                 VALUES (?1, 0, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?;
            for _ in 0..count {
                let id = key(self.scope, no, ordinal).ok_or_else(too_many)?;
                statement.execute(params![id, c.running, alike, text, c.lane, c.ready_at, c.until, c.timer])?;
                ordinal += 1;
            }
        }
        Ok(())
    }

    fn write_roll(&self, no: GateNo, from: u32, who: &[Entrant]) -> Res<()> {
        let mut statement = self.connection.prepare_cached("INSERT INTO roll (id, who, kept) VALUES (?1, ?2, ?3)")?;
        for (Entrant { who, kept }, ordinal) in who.iter().zip(from..) {
            if who.is_some() || kept.is_some() {
                let id = key(self.scope, no, ordinal).ok_or_else(too_many)?;
                statement.execute(params![id, who.as_ref().map(StakeholderId::as_str), kept])?;
            }
        }
        Ok(())
    }

    pub(super) fn keep(&self, no: GateNo, of: &[(u32, Entrant)]) -> Res<()> {
        let sql = "UPDATE roll SET kept = ?3 WHERE id = ?1 AND who = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        for (ordinal, Entrant { who, kept }) in of {
            let id = key(self.scope, no, *ordinal).ok_or_else(too_many)?;
            statement.execute(params![id, who.as_ref().map(StakeholderId::as_str), kept])?;
        }
        Ok(())
    }

    pub(super) fn lease(&mut self, session: SessionNo, wants: &[Want], now: Moment, at: Moment) -> Res<Vec<Row>> {
        if !self.is_alive(session, at)? {
            return Err(JournalError::new(JournalErrorKind::Fenced, "the session counts as dead").into());
        }
        // Those whose outcome never came: another takes them up.
        if self.flying.len() > FLYING {
            self.flying.clear();
        }
        let mut leased = Vec::new();
        for want in wants {
            self.write_rewritten()?;
            for mut row in self.candidates(*want, now)? {
                let Some(fact) = row.state.lease(session, now) else { continue };
                self.rewrite(row.id, row.version, &mut row.state, &[fact])?;
                row.version = row.version.saturating_add(1);
                self.enter_delivery(at, row.id, &[fact])?;
                self.flying.insert(row.id, (row.version, row.state.clone()));
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
            "SELECT d.id, d.version, d.alike, d.state, r.who FROM delivery d INDEXED BY delivery_ready
             LEFT JOIN roll r ON r.id = d.id
             WHERE d.part = ?1 AND d.lane = ?2 AND d.ready_at <= ?3 AND (d.until IS NULL OR d.until >= ?3)
             ORDER BY d.ready_at, d.id LIMIT ?4",
        )?;
        let part = part(self.scope, want.gate);
        let mut rows = statement.query(params![part, want.lane.0, now.millis(), i64::from(want.max)])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(self.delivery_in(row)?);
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
