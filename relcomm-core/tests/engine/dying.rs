//! A record whose holder dies before or after its n-th write, and a fold of what was written.

use async_trait::async_trait;
use relcomm_core::clock::Moment;
use relcomm_core::course::{Delivery, Facts, Gate, GateFact, Head, Lane, SessionNo};
use relcomm_core::id::{DeliveryId, GateId, GateNo, LaneNo, StakeholderId};
use relcomm_core::journal::{
    Committed, Entry, Fact, GateRow, Journal, JournalError, LaneRow, MemoryJournal, Note, Row, Run, Scope, Subject,
    Tally, Unmatched, Want, Write,
};
use secrecy::SecretBox;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// When a holder dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Death {
    Before(u32),
    After(u32),
    Never,
}

/// A record that its holder does not get an answer from any more once it is dead.
#[derive(Clone, Debug)]
pub(crate) struct Dying {
    inner: MemoryJournal,
    death: Death,
    writes: Arc<AtomicU32>,
    pub(crate) died: Arc<Notify>,
}

impl Dying {
    pub(crate) fn new(inner: MemoryJournal, death: Death) -> Self {
        Self { inner, death, writes: Arc::default(), died: Arc::default() }
    }

    async fn dead<T>(&self) -> T {
        self.died.notify_one();
        std::future::pending().await
    }

    async fn write<T>(&self, write: impl Future<Output = T>) -> T {
        let number = self.writes.fetch_add(1, Ordering::Relaxed) + 1;
        if self.death == Death::Before(number) {
            return self.dead().await;
        }
        let done = write.await;
        if self.death == Death::After(number) { self.dead().await } else { done }
    }
}

type Done<T> = Result<T, JournalError>;

#[async_trait]
impl Journal for Dying {
    fn scope(&self) -> &Scope {
        self.inner.scope()
    }
    async fn token_key(&self) -> Done<SecretBox<[u8; 32]>> {
        self.inner.token_key().await
    }
    async fn begin(&self, ttl: Duration) -> Done<SessionNo> {
        self.write(self.inner.begin(ttl)).await
    }
    async fn beat(&self, session: SessionNo) -> Done<bool> {
        self.inner.beat(session).await
    }
    async fn end(&self, session: SessionNo) -> Done<()> {
        self.write(self.inner.end(session)).await
    }
    async fn register(&self, gates: &[GateId], lanes: &[String]) -> Done<()> {
        self.write(self.inner.register(gates, lanes)).await
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
        self.write(self.inner.commit(writes)).await
    }
    async fn commit_together(&self, writes: Vec<Write>) -> Done<bool> {
        self.write(self.inner.commit_together(writes)).await
    }
    async fn enter(
        &self,
        gate: GateNo,
        expect: u64,
        facts: Facts<GateFact>,
        runs: Vec<Run>,
        who: Vec<Option<StakeholderId>>,
    ) -> Done<bool> {
        self.write(self.inner.enter(gate, expect, facts, runs, who)).await
    }
    async fn lease(&self, session: SessionNo, wants: &[Want], now: Moment) -> Done<Vec<Row>> {
        self.write(self.inner.lease(session, wants, now)).await
    }
    async fn ready(&self, gate: GateNo, lane: LaneNo, now: Moment, max: usize) -> Done<Vec<Row>> {
        self.inner.ready(gate, lane, now, max).await
    }
    async fn timers(&self, now: Moment, max: usize) -> Done<Vec<Row>> {
        self.inner.timers(now, max).await
    }
    async fn lost(&self, max: usize) -> Done<Vec<Row>> {
        self.inner.lost(max).await
    }
    async fn read(&self, ids: &[DeliveryId]) -> Done<Vec<Row>> {
        self.inner.read(ids).await
    }
    async fn ordinal(&self, gate: GateNo, who: &StakeholderId) -> Done<Option<u32>> {
        self.inner.ordinal(gate, who).await
    }
    async fn scan(&self, gate: GateNo, from: u32, max: usize) -> Done<Vec<Row>> {
        self.inner.scan(gate, from, max).await
    }
    async fn next_due(&self, now: Moment) -> Done<Option<Moment>> {
        self.inner.next_due(now).await
    }
    async fn entries(&self, after: u64, max: usize) -> Done<Vec<Entry>> {
        self.inner.entries(after, max).await
    }
    async fn history(&self, of: Subject) -> Done<Vec<(Entry, Option<Note>)>> {
        self.inner.history(of).await
    }
    async fn notes(&self, after: u64, up_to: u64) -> Done<Vec<(u64, Note)>> {
        self.inner.notes(after, up_to).await
    }
    async fn keep_unmatched(&self, receipts: Vec<Unmatched>) -> Done<usize> {
        self.write(self.inner.keep_unmatched(receipts)).await
    }
    async fn unmatched(&self) -> Done<Vec<Unmatched>> {
        self.inner.unmatched().await
    }
    async fn seal(&self) -> Done<String> {
        self.inner.seal().await
    }
}

/// Asserts that what the record says is the fold of its entries as they were written down, and that they hold nothing about people.
pub(crate) async fn is_the_fold(journal: &MemoryJournal, secrets: &[&str]) {
    let stored: Vec<String> =
        journal.entries(0, usize::MAX).await.unwrap().iter().map(|e| serde_json::to_string(e).unwrap()).collect();
    let (mut head, mut gates, mut lanes) = (Head::default(), BTreeMap::new(), BTreeMap::new());
    let mut deliveries: BTreeMap<DeliveryId, Delivery> = BTreeMap::new();
    for (line, seq) in stored.iter().zip(1u64..) {
        assert!(!secrets.iter().any(|secret| line.contains(secret)), "{line}");
        let entry: Entry = serde_json::from_str(line).unwrap();
        assert_eq!(entry.seq, seq);
        match (entry.subject, entry.fact) {
            (Subject::Head, Fact::Head(fact)) => head.apply(&fact),
            (Subject::Gate(no), Fact::Gate(fact)) => gates.entry(no).or_insert_with(Gate::default).apply(&fact),
            (Subject::Lane(no), Fact::Lane(fact)) => lanes.entry(no).or_insert_with(Lane::default).apply(&fact),
            (Subject::Gate(gate), Fact::Entered { from, runs }) => {
                let new = runs.iter().flat_map(|run| (0..run.count).map(|_| run.delivery()));
                for (delivery, ordinal) in new.zip(from..) {
                    let id = DeliveryId { gate, ordinal };
                    assert!(deliveries.insert(id, delivery).is_none(), "entered twice: {id:?}");
                }
            }
            (Subject::Delivery(id), Fact::Delivery(fact)) => deliveries.get_mut(&id).unwrap().apply(&fact),
            (subject, fact) => panic!("{subject:?} {fact:?}"),
        }
    }
    assert_eq!(journal.head().await.unwrap().1, head);
    for lane in journal.lanes().await.unwrap() {
        assert_eq!(lane.state, lanes.remove(&lane.no).unwrap_or_default());
    }
    for gate in journal.gates().await.unwrap() {
        assert_eq!(gate.state, gates.remove(&gate.no).unwrap_or_default(), "{}", gate.id);
        let mut tally = Tally::default();
        for row in journal.scan(gate.no, 0, usize::MAX).await.unwrap() {
            let folded = deliveries.remove(&row.id).unwrap();
            tally.add(&folded);
            assert_eq!(row.state, folded, "{:?}", row.id);
        }
        assert_eq!(gate.tally, tally);
    }
    assert!(gates.is_empty() && lanes.is_empty() && deliveries.is_empty());
}
