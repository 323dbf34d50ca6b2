//! The suite of journals: every clause catches a wrong journal, made around one that is right.

use crate::bite::{Bite, Table, and, bite};
use async_trait::async_trait;
use futures_util::FutureExt;
use relcomm_core::clock::{Clock, Moment};
use relcomm_core::course::{Facts, GateFact, Head, LaneFact, SessionNo};
use relcomm_core::id::{DeliveryId, GateId, GateNo, LaneNo, PlanId, StakeholderId};
use relcomm_core::journal::{
    Change, Committed, Entrant, Entry, Erasure, Fact, GateRow, Journal, JournalError, JournalErrorKind, LaneRow,
    MemoryJournal, Mode, Note, Row, Run, Scope, Subject, Unmatched, Want, Write,
};
use relcomm_testkit::contract::journal::{self, Trial};
use secrecy::SecretBox;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A way in which a journal is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    /// Writes whatever version is there.
    Overwriting,
    /// Stores that a lane is up when it was told that it is down.
    Misremembering,
    /// Does together what can be done, and leaves the rest.
    Piecemeal,
    /// Gives a dead session a new life when it leases.
    Reviving,
    /// Tells the timers of gates that are held.
    Restless,
    /// Takes whatever flies for lost.
    Suspicious,
    /// Does not keep the receipts of deliveries.
    Gullible,
    /// Leaves a number out.
    Gapping,
    /// Begins a page with the last row of the one before.
    Overlapping,
    /// Believes the time that a caller says.
    Believing,
    /// Enters deliveries once more when it is told twice.
    Repeating,
    /// Says that somebody was erased, and erases nothing.
    Retentive,
    /// Makes a key of tokens whenever it is asked for one.
    Fickle,
    /// Keeps of nobody what it is told later.
    Forgetful,
    /// Keeps it of whoever stands there.
    Indiscreet,
}

const BITES: &[Bite<Flaw>] = &[
    and(
        "j01",
        Flaw::Overwriting,
        &[("j02", "the walk tells by a conflict that it was stale"), ("j07", "a receipt of a stale write is kept")],
    ),
    bite("j02", Flaw::Misremembering),
    bite("j03", Flaw::Piecemeal),
    and("j04", Flaw::Reviving, &[("j10", "a session whose time is over leases on")]),
    bite("j05", Flaw::Restless),
    and("j06", Flaw::Suspicious, &[("j10", "what flies under a living session is lost")]),
    and("j07", Flaw::Gullible, &[("j12", "a receipt that was known before an erasure comes again")]),
    and("j08", Flaw::Gapping, &[("j02", "what is folded must be all that there is, by its numbers")]),
    and("j09", Flaw::Overlapping, &[("j02", "a row that comes in two pages is compared twice")]),
    and("j10", Flaw::Believing, &[("j04", "a lease for a later time ends its own session")]),
    bite("j11", Flaw::Repeating),
    bite("j12", Flaw::Retentive),
    bite("j13", Flaw::Fickle),
    bite("j14", Flaw::Forgetful),
    bite("j14", Flaw::Indiscreet),
];

/// A clock that goes ahead when it is told to.
#[derive(Debug)]
struct Credulous {
    base: Arc<dyn Clock>,
    at_least: Mutex<Moment>,
}

#[async_trait]
impl Clock for Credulous {
    fn now(&self) -> Moment {
        self.base.now().max(*self.at_least.lock().unwrap())
    }

    async fn sleep_until(&self, at: Moment) {
        self.base.sleep_until(at).await;
    }
}

#[derive(Debug)]
struct Wrong {
    inner: MemoryJournal,
    clock: Arc<Credulous>,
    flaw: Option<Flaw>,
    /// How many keys it has made.
    keys: Mutex<u8>,
}

type Done<T> = Result<T, JournalError>;

impl Wrong {
    fn new(flaw: Option<Flaw>, clock: Arc<dyn Clock>, record: impl FnOnce(Arc<dyn Clock>) -> MemoryJournal) -> Self {
        let clock = Arc::new(Credulous { base: clock, at_least: Mutex::new(Moment::MIN) });
        Self { inner: record(Arc::clone(&clock) as Arc<dyn Clock>), clock, flaw, keys: Mutex::new(0) }
    }

    fn is(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    /// The version that is there.
    async fn present(&self, change: &Change) -> Done<Option<u64>> {
        Ok(match change {
            Change::Head(_) => Some(self.inner.head().await?.0),
            Change::Gate(no, _) => self.inner.gates().await?.iter().find(|g| g.no == *no).map(|g| g.version),
            Change::Lane(no, _) => self.inner.lanes().await?.iter().find(|l| l.no == *no).map(|l| l.version),
            Change::Delivery(id, _) => self.inner.read(&[*id]).await?.first().map(|r| r.version),
            _ => None,
        })
    }

    async fn everything(&self) -> Done<Vec<Row>> {
        let mut all = Vec::new();
        for gate in self.inner.gates().await? {
            all.extend(self.inner.scan(gate.no, 0, usize::MAX).await?);
        }
        Ok(all)
    }
}

#[async_trait]
impl Journal for Wrong {
    fn scope(&self) -> &Scope {
        self.inner.scope()
    }
    async fn token_key(&self) -> Done<SecretBox<[u8; 32]>> {
        if self.is(Flaw::Fickle) {
            let mut keys = self.keys.lock().unwrap();
            *keys += 1;
            return Ok(SecretBox::new(Box::new([*keys; 32])));
        }
        self.inner.token_key().await
    }
    async fn begin(&self, ttl: Duration) -> Done<SessionNo> {
        self.inner.begin(ttl).await
    }
    async fn beat(&self, session: SessionNo) -> Done<bool> {
        self.inner.beat(session).await
    }
    async fn end(&self, session: SessionNo) -> Done<()> {
        self.inner.end(session).await
    }
    async fn register(&self, gates: &[GateId], lanes: &[String]) -> Done<()> {
        self.inner.register(gates, lanes).await
    }
    async fn head(&self) -> Done<(u64, Head)> {
        self.inner.head().await
    }
    async fn gates(&self) -> Done<Vec<GateRow>> {
        self.inner.gates().await
    }
    async fn lanes(&self) -> Done<Vec<LaneRow>> {
        self.inner.lanes().await
    }
    async fn commit(&self, writes: Vec<Write>) -> Done<Vec<Committed>> {
        let mut all = Vec::new();
        for mut write in writes {
            if self.is(Flaw::Gullible) && matches!(write.change, Change::Delivery(..)) {
                write.receipt = None;
            }
            if self.is(Flaw::Overwriting) {
                write.expect = self.present(&write.change).await?.unwrap_or(write.expect);
            }
            all.extend(self.inner.commit(vec![write]).await?);
        }
        Ok(all)
    }
    async fn commit_together(&self, writes: Vec<Write>) -> Done<bool> {
        if self.is(Flaw::Piecemeal) {
            let all = self.inner.commit(writes).await?;
            return Ok(all.iter().all(|one| matches!(one, Committed::Done(_))));
        }
        self.inner.commit_together(writes).await
    }
    async fn enter(
        &self,
        gate: GateNo,
        mut expect: u64,
        facts: Facts<GateFact>,
        runs: Vec<Run>,
        who: Vec<Entrant>,
    ) -> Done<bool> {
        if self.is(Flaw::Repeating) {
            let present = self.inner.gates().await?.iter().find(|g| g.no == gate).map(|g| g.version);
            expect = present.unwrap_or(expect);
        }
        self.inner.enter(gate, expect, facts, runs, who).await
    }
    async fn kept(&self, gate: GateNo, from: u32, max: usize) -> Done<Vec<(u32, Arc<str>)>> {
        self.inner.kept(gate, from, max).await
    }
    async fn keep(&self, gate: GateNo, of: Vec<(u32, Entrant)>) -> Done<()> {
        if self.is(Flaw::Forgetful) {
            return Ok(());
        }
        if !self.is(Flaw::Indiscreet) {
            return self.inner.keep(gate, of).await;
        }
        for (ordinal, entrant) in of {
            let row = self.inner.read(&[DeliveryId { gate, ordinal }]).await?.pop();
            let there = Entrant::new(row.and_then(|row| row.who)).kept(entrant.kept);
            self.inner.keep(gate, vec![(ordinal, there)]).await?;
        }
        Ok(())
    }
    async fn lease(&self, session: SessionNo, wants: &[Want], now: Moment) -> Done<Vec<Row>> {
        if self.is(Flaw::Believing) {
            *self.clock.at_least.lock().unwrap() = now;
        }
        match self.inner.lease(session, wants, now).await {
            Err(error) if error.kind == JournalErrorKind::Fenced && self.is(Flaw::Reviving) => {
                let session = self.inner.begin(Duration::from_secs(60)).await?;
                self.inner.lease(session, wants, now).await
            }
            leased => leased,
        }
    }
    async fn ready(&self, gate: GateNo, lane: LaneNo, now: Moment, max: usize) -> Done<Vec<Row>> {
        self.inner.ready(gate, lane, now, max).await
    }
    async fn timers(&self, now: Moment, max: usize) -> Done<Vec<Row>> {
        if !self.is(Flaw::Restless) {
            return self.inner.timers(now, max).await;
        }
        let mut due = self.everything().await?;
        due.retain(|row| row.state.timer().is_some_and(|at| at <= now));
        due.sort_by_key(|row| row.state.timer());
        due.truncate(max);
        Ok(due)
    }
    async fn lost(&self, max: usize) -> Done<Vec<Row>> {
        if !self.is(Flaw::Suspicious) {
            return self.inner.lost(max).await;
        }
        Ok(self.everything().await?.into_iter().filter(|row| row.state.flying().is_some()).take(max).collect())
    }
    async fn read(&self, ids: &[DeliveryId]) -> Done<Vec<Row>> {
        self.inner.read(ids).await
    }
    async fn ordinal(&self, gate: GateNo, who: &StakeholderId) -> Done<Option<u32>> {
        self.inner.ordinal(gate, who).await
    }
    async fn scan(&self, gate: GateNo, from: u32, max: usize) -> Done<Vec<Row>> {
        let back = u32::from(self.is(Flaw::Overlapping));
        self.inner.scan(gate, from.saturating_sub(back), max).await
    }
    async fn next_due(&self, now: Moment) -> Done<Option<Moment>> {
        self.inner.next_due(now).await
    }
    async fn entries(&self, after: u64, max: usize) -> Done<Vec<Entry>> {
        let mut entries = self.inner.entries(after, max).await?;
        for entry in &mut entries {
            if self.is(Flaw::Misremembering) && matches!(entry.fact, Fact::Lane(_)) {
                entry.fact = Fact::Lane(LaneFact::Up);
            }
            if self.is(Flaw::Gapping) && entry.seq > 3 {
                entry.seq += 1;
            }
        }
        Ok(entries)
    }
    async fn history(&self, of: Subject) -> Done<Vec<(Entry, Option<Note>)>> {
        self.inner.history(of).await
    }
    async fn notes(&self, after: u64, up_to: u64) -> Done<Vec<(u64, Note)>> {
        self.inner.notes(after, up_to).await
    }
    async fn keep_unmatched(&self, receipts: Vec<Unmatched>) -> Done<usize> {
        self.inner.keep_unmatched(receipts).await
    }
    async fn unmatched(&self) -> Done<Vec<Unmatched>> {
        self.inner.unmatched().await
    }
    async fn erase(&self, erasure: Erasure, writes: Vec<Write>) -> Done<bool> {
        if self.is(Flaw::Retentive) {
            return self.inner.commit_together(writes).await;
        }
        self.inner.erase(erasure, writes).await
    }
    async fn seal(&self) -> Done<String> {
        self.inner.seal().await
    }
}

/// A journal on trial that is wrong in this way, also when it is opened again.
async fn wrong(flaw: Option<Flaw>, clock: Arc<dyn Clock>) -> Trial {
    let scope = Scope::new(PlanId::new("ledger-2.0").unwrap(), "2.0.0", Mode::Sandbox);
    let first = Wrong::new(flaw, clock, |clock| MemoryJournal::new(scope, clock));
    let record = first.inner.clone();
    Trial::new(Arc::new(first)).opener(move |clock| {
        let again: Arc<dyn Journal> = Arc::new(Wrong::new(flaw, clock, |clock| record.with_clock(clock)));
        async move { again }
    })
}

type Judging = Pin<Box<dyn Future<Output = ()>>>;

macro_rules! clauses {
    ($($name:ident)*) => {
        const CLAUSES: &[(&str, fn(Option<Flaw>) -> Judging)] =
            &[$((stringify!($name), |flaw| Box::pin(journal::$name(move |clock| wrong(flaw, clock))))),*];
    };
}

clauses! {
    j01_a_write_expects_a_version
    j02_a_state_is_the_fold_of_its_stored_facts
    j03_together_is_all_or_none
    j04_a_lease_is_durable_and_taken_once
    j05_what_is_not_leasable_is_passed_over
    j06_what_flies_under_a_dead_session_is_lost
    j07_a_receipt_is_recorded_once
    j08_entries_are_gapless_and_name_nobody
    j09_scan_pages_by_ordinal
    j10_the_journals_own_clock_judges_sessions
    j11_what_was_entered_is_not_entered_again
    j12_a_person_is_erased_and_what_happened_stays
    j13_the_key_of_tokens_stays_the_same
    j14_what_is_kept_can_be_replaced
}

async fn broken(flaw: Option<Flaw>) -> Vec<&'static str> {
    let mut broken = Vec::new();
    for (name, judge) in CLAUSES {
        if AssertUnwindSafe(judge(flaw)).catch_unwind().await.is_err() {
            broken.push(&name[..3]);
        }
    }
    broken
}

#[tokio::test]
async fn a_journal_that_only_hands_on_keeps_every_clause() {
    assert!(broken(None).await.is_empty());
}

#[tokio::test]
async fn every_clause_catches_its_wrong_journal() {
    let mut table = Table::default();
    for bite in BITES {
        table.judged(bite, &broken(Some(bite.flaw)).await, "");
    }
    table.demand(CLAUSES.iter().map(|(name, _)| *name));
    let documented = super::read("../relcomm-core/src/journal/mod.rs");
    for n in 1..=CLAUSES.len() {
        assert_eq!(documented.matches(&format!("* **J{n}** ")).count(), 1, "J{n}");
    }
    assert!(!documented.contains(&format!("**J{}**", CLAUSES.len() + 1)), "a clause is documented and not judged");
}
