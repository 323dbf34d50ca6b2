//! Journals for tests: one that fails, or whose holder dies, at the write of one's choice; and what a record must be at any time.

mod fold;

pub use fold::assert_is_the_fold;

use async_trait::async_trait;
use relcomm_core::clock::Moment;
use relcomm_core::course::{Facts, GateFact, Head, SessionNo};
use relcomm_core::id::{DeliveryId, GateId, GateNo, LaneNo, StakeholderId};
use relcomm_core::journal::{
    Committed, Entrant, Entry, Erasure, GateRow, Journal, JournalError, JournalErrorKind, LaneRow, Note, Row, Run,
    Scope, Subject, Unmatched, Want, Write,
};
use secrecy::SecretBox;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// What happens at which write. Writes are counted from 1; a beat of a session is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Crash {
    /// Nothing happens.
    Never,
    /// The holder dies before this write: nothing of it is stored, and no call is answered any more.
    DieBefore(u32),
    /// The holder dies after this write: it is stored, and neither it nor any later call is answered.
    DieAfter(u32),
    /// This write fails, and nothing of it is stored; others are done.
    FailBefore(u32),
    /// This write is stored and fails all the same, as when the store's answer is lost; others are done.
    FailAfter(u32),
}

/// A journal around another one, with a [`Crash`]. Clones share the count.
///
/// Let a life run against it until it has [died](Self::died), drop that life, and go on with the journal inside: a crash before or after
/// *every* write is a loop over `n`, which ends when no life dies any more.
///
/// ```
/// # use relcomm_core::{id::PlanId, journal::{Journal, MemoryJournal, Mode, Scope}, clock::SystemClock};
/// # use relcomm_testkit::journal::{Crash, CrashJournal};
/// # use std::{sync::Arc, time::Duration};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let scope = Scope::new(PlanId::new("anvil").unwrap(), "2.0.0", Mode::Sandbox);
/// # let record = MemoryJournal::new(scope, Arc::new(SystemClock::new()));
/// async fn life(journal: &dyn Journal) {
///     let session = journal.begin(Duration::from_secs(60)).await.unwrap();
///     journal.end(session).await.unwrap();
/// }
/// for n in 1.. {
///     let journal = CrashJournal::new(record.clone(), Crash::DieAfter(n));
///     let died = tokio::select! {
///         biased;
///         () = journal.died() => true,
///         () = life(&journal) => false,
///     };
///     // … go on with `record`, and look whether anything was lost or doubled …
///     if !died {
///         break;
///     }
/// }
/// # }
/// ```
#[derive(Clone)]
pub struct CrashJournal {
    inner: Arc<dyn Journal>,
    crash: Crash,
    writes: Arc<AtomicU32>,
    dead: Arc<AtomicBool>,
    died: Arc<Notify>,
}

impl CrashJournal {
    /// A journal around this one.
    #[must_use]
    pub fn new(inner: impl Journal, crash: Crash) -> Self {
        Self { inner: Arc::new(inner), crash, writes: Arc::default(), dead: Arc::default(), died: Arc::default() }
    }

    /// How many writes were begun.
    #[must_use]
    pub fn writes(&self) -> u32 {
        self.writes.load(Ordering::Relaxed)
    }

    /// Waits until the holder has died; for ever, if it does not.
    pub async fn died(&self) {
        while !self.dead.load(Ordering::Acquire) {
            self.died.notified().await;
        }
    }

    async fn die<T>(&self) -> T {
        self.dead.store(true, Ordering::Release);
        self.died.notify_waiters();
        self.died.notify_one();
        std::future::pending().await
    }

    /// A dead holder hears nothing.
    async fn heard<T>(&self, read: impl Future<Output = T>) -> T {
        if self.dead.load(Ordering::Acquire) {
            return std::future::pending().await;
        }
        read.await
    }

    async fn write<T>(&self, write: impl Future<Output = Done<T>>) -> Done<T> {
        if self.dead.load(Ordering::Acquire) {
            return std::future::pending().await;
        }
        let number = self.writes.fetch_add(1, Ordering::Relaxed) + 1;
        let failed = || JournalError::new(JournalErrorKind::Unavailable, "the write was to fail");
        match self.crash {
            Crash::DieBefore(n) if n == number => return self.die().await,
            Crash::FailBefore(n) if n == number => return Err(failed()),
            _ => {}
        }
        let done = write.await;
        match self.crash {
            Crash::DieAfter(n) if n == number => self.die().await,
            Crash::FailAfter(n) if n == number => Err(failed()),
            _ => done,
        }
    }
}

impl fmt::Debug for CrashJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CrashJournal").field("inner", &self.inner).field("crash", &self.crash).finish_non_exhaustive()
    }
}

type Done<T> = Result<T, JournalError>;

#[async_trait]
impl Journal for CrashJournal {
    fn scope(&self) -> &Scope {
        self.inner.scope()
    }
    async fn token_key(&self) -> Done<SecretBox<[u8; 32]>> {
        self.heard(self.inner.token_key()).await
    }
    async fn begin(&self, ttl: Duration) -> Done<SessionNo> {
        self.write(self.inner.begin(ttl)).await
    }
    async fn beat(&self, session: SessionNo) -> Done<bool> {
        self.heard(self.inner.beat(session)).await
    }
    async fn end(&self, session: SessionNo) -> Done<()> {
        self.write(self.inner.end(session)).await
    }
    async fn register(&self, gates: &[GateId], lanes: &[String]) -> Done<()> {
        self.write(self.inner.register(gates, lanes)).await
    }
    async fn head(&self) -> Done<(u64, Head)> {
        self.heard(self.inner.head()).await
    }
    async fn gates(&self) -> Done<Vec<GateRow>> {
        self.heard(self.inner.gates()).await
    }
    async fn lanes(&self) -> Done<Vec<LaneRow>> {
        self.heard(self.inner.lanes()).await
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
        who: Vec<Entrant>,
    ) -> Done<bool> {
        self.write(self.inner.enter(gate, expect, facts, runs, who)).await
    }
    async fn lease(&self, session: SessionNo, wants: &[Want], now: Moment) -> Done<Vec<Row>> {
        self.write(self.inner.lease(session, wants, now)).await
    }
    async fn ready(&self, gate: GateNo, lane: LaneNo, now: Moment, max: usize) -> Done<Vec<Row>> {
        self.heard(self.inner.ready(gate, lane, now, max)).await
    }
    async fn timers(&self, now: Moment, max: usize) -> Done<Vec<Row>> {
        self.heard(self.inner.timers(now, max)).await
    }
    async fn lost(&self, max: usize) -> Done<Vec<Row>> {
        self.heard(self.inner.lost(max)).await
    }
    async fn read(&self, ids: &[DeliveryId]) -> Done<Vec<Row>> {
        self.heard(self.inner.read(ids)).await
    }
    async fn ordinal(&self, gate: GateNo, who: &StakeholderId) -> Done<Option<u32>> {
        self.heard(self.inner.ordinal(gate, who)).await
    }
    async fn kept(&self, gate: GateNo, from: u32, max: usize) -> Done<Vec<(u32, Arc<str>)>> {
        self.heard(self.inner.kept(gate, from, max)).await
    }
    async fn keep(&self, gate: GateNo, of: Vec<(u32, Entrant)>) -> Done<()> {
        self.write(self.inner.keep(gate, of)).await
    }
    async fn scan(&self, gate: GateNo, from: u32, max: usize) -> Done<Vec<Row>> {
        self.heard(self.inner.scan(gate, from, max)).await
    }
    async fn next_due(&self, now: Moment) -> Done<Option<Moment>> {
        self.heard(self.inner.next_due(now)).await
    }
    async fn entries(&self, after: u64, max: usize) -> Done<Vec<Entry>> {
        self.heard(self.inner.entries(after, max)).await
    }
    async fn history(&self, of: Subject) -> Done<Vec<(Entry, Option<Note>)>> {
        self.heard(self.inner.history(of)).await
    }
    async fn notes(&self, after: u64, up_to: u64) -> Done<Vec<(u64, Note)>> {
        self.heard(self.inner.notes(after, up_to)).await
    }
    async fn keep_unmatched(&self, receipts: Vec<Unmatched>) -> Done<usize> {
        self.write(self.inner.keep_unmatched(receipts)).await
    }
    async fn unmatched(&self) -> Done<Vec<Unmatched>> {
        self.heard(self.inner.unmatched()).await
    }
    async fn erase(&self, erasure: Erasure, writes: Vec<Write>) -> Done<bool> {
        self.write(self.inner.erase(erasure, writes)).await
    }
    async fn seal(&self) -> Done<String> {
        self.heard(self.inner.seal()).await
    }
}
