//! The record and its indexes. Every change is made as a whole, by facts alone.

use crate::clock::Moment;
use crate::course::{Delivery, DeliveryFact, Facts, GateFact, Head, SessionNo};
use crate::id::{DeliveryId, GateId, GateNo, LaneNo, StakeholderId};
use crate::journal::{
    Change, Committed, Entrant, Entry, Erasure, Fact, GateRow, LaneRow, Note, Row, Run, Subject, Tally, Unmatched,
    Want, Write,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

#[derive(Default)]
pub(super) struct State {
    pub(super) head_version: u64,
    pub(super) head: Head,
    pub(super) gates: Vec<GateCell>,
    pub(super) lanes: Vec<LaneRow>,
    entries: Vec<Kept>,
    /// By the entry that each belongs to, in order.
    notes: Vec<(u64, Arc<Note>)>,
    pub(super) unmatched: Vec<Unmatched>,
    receipts: BTreeSet<String>,
    sessions: BTreeMap<SessionNo, (Moment, Duration)>,
    last_session: u64,
    /// How many fly under each session: which, is only asked when one has died.
    flying: BTreeMap<SessionNo, u32>,
    timers: BTreeSet<(Moment, DeliveryId)>,
}

/// An entry without its number, which is its place.
struct Kept {
    at: Moment,
    subject: Subject,
    fact: Fact,
}

pub(super) struct GateCell {
    pub(super) row: GateRow,
    rows: Vec<Cell>,
    who: Vec<Option<StakeholderId>>,
    kept: BTreeMap<u32, Arc<str>>,
    /// A queue for each instant. An ordinal in it is a hint: whether it is ready then, its state says.
    ready: BTreeMap<LaneNo, BTreeMap<Moment, VecDeque<u32>>>,
}

struct Cell {
    version: u64,
    state: Delivery,
}

/// By what a delivery is found.
struct Marks {
    ready: Option<(LaneNo, Moment)>,
    timer: Option<Moment>,
    flying: Option<SessionNo>,
}

impl Marks {
    fn of(state: &Delivery) -> Self {
        Self {
            ready: state.ready_leg().map(|(_, lane, at, _)| (lane, at)),
            timer: state.timer(),
            flying: state.flying().map(|(_, session)| session),
        }
    }
}

impl GateCell {
    fn is_ready(&self, ordinal: u32, lane: LaneNo, at: Moment) -> bool {
        self.rows
            .get(ordinal as usize)
            .and_then(|c| c.state.ready_leg())
            .is_some_and(|(_, l, a, _)| l == lane && a == at)
    }
}

impl State {
    pub(super) fn begin(&mut self, ttl: Duration, now: Moment) -> SessionNo {
        self.last_session += 1;
        let session = SessionNo(self.last_session);
        self.sessions.insert(session, (now + ttl, ttl));
        session
    }

    pub(super) fn beat(&mut self, session: SessionNo, now: Moment) -> bool {
        match self.sessions.get_mut(&session) {
            Some((until, ttl)) if *until > now => {
                *until = now + *ttl;
                true
            }
            _ => false,
        }
    }

    pub(super) fn end(&mut self, session: SessionNo) {
        self.sessions.remove(&session);
        if self.flying.get(&session) == Some(&0) {
            self.flying.remove(&session);
        }
    }

    pub(super) fn note(&self, seq: u64) -> Option<&Arc<Note>> {
        let at = self.notes.binary_search_by_key(&seq, |(seq, _)| *seq).ok()?;
        self.notes.get(at).map(|(_, note)| note)
    }

    pub(super) fn notes(&self, after: u64, up_to: u64) -> impl Iterator<Item = &(u64, Arc<Note>)> {
        let from = self.notes.partition_point(|(seq, _)| *seq <= after);
        self.notes.iter().skip(from).take_while(move |(seq, _)| *seq <= up_to)
    }

    pub(super) fn is_alive(&self, session: SessionNo, now: Moment) -> bool {
        self.sessions.get(&session).is_some_and(|(until, _)| *until > now)
    }

    pub(super) fn register(&mut self, gates: &[GateId], lanes: &[String]) {
        for id in gates {
            if !self.gates.iter().any(|g| &g.row.id == id) {
                let no = GateNo(u32::try_from(self.gates.len()).unwrap_or(u32::MAX));
                let row =
                    GateRow { no, id: id.clone(), version: 0, state: Default::default(), tally: Tally::default() };
                self.gates.push(GateCell {
                    row,
                    rows: Vec::new(),
                    who: Vec::new(),
                    kept: BTreeMap::new(),
                    ready: BTreeMap::new(),
                });
            }
        }
        for name in lanes {
            if !self.lanes.iter().any(|l| &l.name == name) {
                let no = LaneNo(u16::try_from(self.lanes.len()).unwrap_or(u16::MAX));
                self.lanes.push(LaneRow { no, name: name.clone(), version: 0, state: Default::default() });
            }
        }
    }

    pub(super) fn row(&self, id: DeliveryId) -> Option<Row> {
        let gate = self.gates.get(id.gate.0 as usize)?;
        let cell = gate.rows.get(id.ordinal as usize)?;
        let who = gate.who.get(id.ordinal as usize).cloned().flatten();
        Some(Row { id, version: cell.version, state: cell.state.clone(), who })
    }

    pub(super) fn version_of(&self, change: &Change) -> Option<u64> {
        match change {
            Change::Head(_) => Some(self.head_version),
            Change::Gate(no, _) => self.gates.get(no.0 as usize).map(|g| g.row.version),
            Change::Lane(no, _) => self.lanes.get(usize::from(no.0)).map(|l| l.version),
            Change::Delivery(id, _) => {
                self.gates.get(id.gate.0 as usize)?.rows.get(id.ordinal as usize).map(|c| c.version)
            }
        }
    }

    /// The entries after a number.
    pub(super) fn entries(&self, after: u64) -> impl Iterator<Item = Entry> {
        let from = usize::try_from(after).unwrap_or(usize::MAX).min(self.entries.len());
        let numbered = (from as u64 + 1..).zip(self.entries.iter().skip(from));
        numbered.map(|(seq, Kept { at, subject, fact })| Entry { seq, at: *at, subject: *subject, fact: fact.clone() })
    }

    fn enter_fact(&mut self, at: Moment, subject: Subject, fact: Fact) -> u64 {
        self.entries.push(Kept { at, subject, fact });
        self.entries.len() as u64
    }

    pub(super) fn write(&mut self, write: Write, at: Moment) -> Committed {
        if self.version_of(&write.change) != Some(write.expect) {
            return Committed::Conflict;
        }
        if let Some(receipt) = write.receipt
            && !self.receipts.insert(receipt.identity)
        {
            return Committed::Duplicate;
        }
        let first = self.entries.len() as u64 + 1;
        let version = write.expect + 1;
        match write.change {
            Change::Head(facts) => {
                for fact in facts {
                    self.head.apply(&fact);
                    self.enter_fact(at, Subject::Head, Fact::Head(Box::new(fact)));
                }
                self.head_version = version;
            }
            Change::Gate(no, facts) => {
                if let Some(gate) = self.gates.get_mut(no.0 as usize) {
                    facts.iter().for_each(|fact| gate.row.state.apply(fact));
                    gate.row.version = version;
                }
                for fact in facts {
                    self.enter_fact(at, Subject::Gate(no), Fact::Gate(fact));
                }
            }
            Change::Lane(no, fact) => {
                if let Some(lane) = self.lanes.get_mut(usize::from(no.0)) {
                    lane.state.apply(&fact);
                    lane.version = version;
                }
                self.enter_fact(at, Subject::Lane(no), Fact::Lane(fact));
            }
            Change::Delivery(id, facts) => self.apply(id, &facts, at),
        }
        if let Some(note) = write.note
            && self.entries.len() as u64 >= first
        {
            self.notes.push((first, note));
        }
        Committed::Done(version)
    }

    /// All or none.
    pub(super) fn write_together(&mut self, writes: Vec<Write>, at: Moment) -> bool {
        // What each version will be by then, and the receipts that will be known: nothing is written before all are seen to fit.
        let mut versions: BTreeMap<Subject, u64> = BTreeMap::new();
        let mut receipts = BTreeSet::new();
        for write in &writes {
            let subject = match &write.change {
                Change::Head(_) => Subject::Head,
                Change::Gate(no, _) => Subject::Gate(*no),
                Change::Lane(no, _) => Subject::Lane(*no),
                Change::Delivery(id, _) => Subject::Delivery(*id),
            };
            let version = versions.get(&subject).copied().or_else(|| self.version_of(&write.change));
            let known = write
                .receipt
                .as_ref()
                .is_some_and(|r| self.receipts.contains(&r.identity) || !receipts.insert(&r.identity));
            if version != Some(write.expect) || known {
                return false;
            }
            versions.insert(subject, write.expect + 1);
        }
        for write in writes {
            self.write(write, at);
        }
        true
    }

    /// Applies facts to a delivery and brings every index up to date.
    fn apply(&mut self, id: DeliveryId, facts: &[DeliveryFact], at: Moment) {
        let Some(gate) = self.gates.get_mut(id.gate.0 as usize) else { return };
        let Some(cell) = gate.rows.get_mut(id.ordinal as usize) else { return };
        let before = Marks::of(&cell.state);
        gate.row.tally.remove(&cell.state);
        for fact in facts {
            cell.state.apply(fact);
        }
        cell.version += 1;
        gate.row.tally.add(&cell.state);
        let now = Marks::of(&cell.state);
        if let Some((lane, at)) = now.ready
            && before.ready != now.ready
        {
            gate.ready.entry(lane).or_default().entry(at).or_default().push_back(id.ordinal);
        }
        if before.timer != now.timer {
            if let Some(timer) = before.timer {
                self.timers.remove(&(timer, id));
            }
            if let Some(timer) = now.timer {
                self.timers.insert((timer, id));
            }
        }
        if before.flying != now.flying {
            if let Some(flying) = before.flying.and_then(|session| self.flying.get_mut(&session)) {
                *flying = flying.saturating_sub(1);
            }
            if let Some(session) = now.flying {
                *self.flying.entry(session).or_default() += 1;
            }
        }
        for fact in facts {
            self.enter_fact(at, Subject::Delivery(id), Fact::Delivery(*fact));
        }
    }

    pub(super) fn enter(
        &mut self,
        no: GateNo,
        expect: u64,
        facts: Facts<GateFact>,
        runs: Vec<Run>,
        who: Vec<Entrant>,
        at: Moment,
    ) -> bool {
        let Some(gate) = self.gates.get_mut(no.0 as usize).filter(|g| g.row.version == expect) else { return false };
        let from = u32::try_from(gate.rows.len()).unwrap_or(u32::MAX);
        let mut ordinal = from;
        for (count, delivery) in Run::deliveries(&runs) {
            let ready = delivery.ready_leg();
            for _ in 0..count {
                gate.row.tally.add(&delivery);
                if let Some((_, lane, at, _)) = ready {
                    gate.ready.entry(lane).or_default().entry(at).or_default().push_back(ordinal);
                }
                if let Some(timer) = delivery.timer() {
                    self.timers.insert((timer, DeliveryId { gate: no, ordinal }));
                }
                gate.rows.push(Cell { version: 0, state: delivery.clone() });
                ordinal += 1;
            }
        }
        for (entrant, ordinal) in who.into_iter().zip(from..) {
            gate.who.push(entrant.who);
            gate.kept.extend(entrant.kept.map(|kept| (ordinal, kept)));
        }
        for fact in &facts {
            gate.row.state.apply(fact);
        }
        gate.row.version += 1;
        if !runs.is_empty() {
            self.enter_fact(at, Subject::Gate(no), Fact::Entered { from, runs: runs.into() });
        }
        for fact in facts {
            self.enter_fact(at, Subject::Gate(no), Fact::Gate(fact));
        }
        true
    }

    pub(super) fn lease(&mut self, session: SessionNo, want: Want, now: Moment, at: Moment, rows: &mut Vec<Row>) {
        let mut taken = 0;
        while taken < want.max {
            let Some(gate) = self.gates.get_mut(want.gate.0 as usize).filter(|g| g.row.state.leasable()) else {
                return;
            };
            let Some(queues) = gate.ready.get_mut(&want.lane) else { return };
            let Some(mut queue) = queues.first_entry().filter(|q| *q.key() <= now) else { return };
            let due = *queue.key();
            let Some(ordinal) = queue.get_mut().pop_front() else {
                queue.remove();
                continue;
            };
            if !gate.is_ready(ordinal, want.lane, due) {
                continue;
            }
            let id = DeliveryId { gate: want.gate, ordinal };
            let Some(cell) = gate.rows.get(ordinal as usize) else { continue };
            // Where its time is over, the timer will say so.
            let Some(fact) = cell.state.lease(session, now) else { continue };
            self.apply(id, &[fact], at);
            rows.extend(self.row(id));
            taken += 1;
        }
    }

    pub(super) fn ready(&self, gate: GateNo, lane: LaneNo, now: Moment, max: usize) -> Vec<Row> {
        let Some(cell) = self.gates.get(gate.0 as usize).filter(|g| g.row.state.leasable()) else { return Vec::new() };
        let Some(queues) = cell.ready.get(&lane) else { return Vec::new() };
        let mut seen = BTreeSet::new();
        queues
            .range(..=now)
            .flat_map(|(at, queue)| queue.iter().map(move |ordinal| (*at, *ordinal)))
            .filter(|(at, ordinal)| cell.is_ready(*ordinal, lane, *at) && seen.insert(*ordinal))
            .take(max)
            .filter_map(|(_, ordinal)| self.row(DeliveryId { gate, ordinal }))
            .collect()
    }

    pub(super) fn timers(&self, now: Moment, max: usize) -> Vec<Row> {
        self.timers
            .iter()
            .take_while(|(at, _)| *at <= now)
            .filter(|(_, id)| self.is_leasable(id.gate))
            .take(max)
            .filter_map(|(_, id)| self.row(*id))
            .collect()
    }

    fn is_leasable(&self, gate: GateNo) -> bool {
        self.gates.get(gate.0 as usize).is_some_and(|g| g.row.state.leasable())
    }

    pub(super) fn lost(&self, now: Moment, max: usize) -> Vec<Row> {
        let is_dead = |session: SessionNo| !self.is_alive(session, now);
        if !self.flying.iter().any(|(session, flying)| *flying > 0 && is_dead(*session)) {
            return Vec::new();
        }
        let ids = self.gates.iter().flat_map(|gate| {
            let flying = |(cell, ordinal): (&Cell, u32)| Some((cell.state.flying()?.1, ordinal));
            let lost = gate.rows.iter().zip(0..).filter_map(flying).filter(|(session, _)| is_dead(*session));
            lost.map(|(_, ordinal)| DeliveryId { gate: gate.row.no, ordinal })
        });
        ids.take(max).filter_map(|id| self.row(id)).collect()
    }

    pub(super) fn ordinal(&self, gate: GateNo, who: &StakeholderId) -> Option<u32> {
        let all = &self.gates.get(gate.0 as usize)?.who;
        all.iter().position(|w| w.as_ref() == Some(who)).and_then(|n| u32::try_from(n).ok())
    }

    pub(super) fn kept(&self, gate: GateNo, from: u32, max: usize) -> Vec<(u32, Arc<str>)> {
        let of = self.gates.get(gate.0 as usize).map(|cell| cell.kept.range(from..).take(max));
        of.into_iter().flatten().map(|(ordinal, kept)| (*ordinal, Arc::clone(kept))).collect()
    }

    pub(super) fn keep(&mut self, gate: GateNo, of: Vec<(u32, Entrant)>) {
        let Some(cell) = self.gates.get_mut(gate.0 as usize) else { return };
        for (ordinal, Entrant { who, kept }) in of {
            if who.is_none() || cell.who.get(ordinal as usize) != Some(&who) {
                continue;
            }
            match kept {
                Some(kept) => cell.kept.insert(ordinal, kept),
                None => cell.kept.remove(&ordinal),
            };
        }
    }

    pub(super) fn next_due(&self, now: Moment) -> Option<Moment> {
        let after = Moment::from_millis(now.millis() + 1);
        let ready = self
            .gates
            .iter()
            .filter(|g| g.row.state.leasable())
            .flat_map(|g| g.ready.iter().map(move |(lane, queues)| (g, *lane, queues)))
            .filter_map(|(gate, lane, queues)| {
                queues
                    .range(after..)
                    .find(|(at, queue)| queue.iter().any(|o| gate.is_ready(*o, lane, **at)))
                    .map(|(at, _)| *at)
            })
            .min();
        let from = (after, DeliveryId { gate: GateNo(0), ordinal: 0 });
        let timer = self.timers.range(from..).find(|(_, id)| self.is_leasable(id.gate)).map(|(at, _)| *at);
        [ready, timer].into_iter().flatten().min()
    }

    pub(super) fn erase(&mut self, erasure: &Erasure, writes: Vec<Write>, at: Moment) -> bool {
        if !self.write_together(writes, at) {
            return false;
        }
        let mut theirs = BTreeSet::new();
        for gate in &mut self.gates {
            for (who, ordinal) in gate.who.iter_mut().zip(0..) {
                if who.as_ref() == Some(&erasure.who) {
                    *who = Some(erasure.stand_in.clone());
                    gate.kept.remove(&ordinal);
                    theirs.insert(DeliveryId { gate: gate.row.no, ordinal });
                }
            }
        }
        let entries = &self.entries;
        let subject = |seq: u64| Some(entries.get(usize::try_from(seq.checked_sub(1)?).ok()?)?.subject);
        self.notes.retain(|(seq, _)| !matches!(subject(*seq), Some(Subject::Delivery(id)) if theirs.contains(&id)));
        for receipt in self.unmatched.iter_mut().filter(|receipt| erasure.betrayed_by(&receipt.raw)) {
            receipt.raw.clear();
        }
        true
    }

    pub(super) fn keep_unmatched(&mut self, receipts: Vec<Unmatched>) -> usize {
        let before = self.unmatched.len();
        for receipt in receipts {
            if self.receipts.insert(receipt.identity.clone()) {
                self.unmatched.push(receipt);
            }
        }
        self.unmatched.len() - before
    }
}
