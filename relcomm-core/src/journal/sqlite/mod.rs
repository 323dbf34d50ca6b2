//! The durable journal: one SQLite file, which `sqlite3` and every other tool can read.
//!
//! One thread owns the connection and gathers what is asked of it while the disk is busy: a transaction is whatever came in during the
//! one before. Every commit is synced (WAL, `synchronous = FULL`) before it is answered. In memory there is only what flies.

mod codec;
mod erase;
mod line;
mod options;
mod read;
mod rewrite;
mod schema;
mod seal;
mod session;
mod state;
mod store;
mod thread;
mod write;

pub use options::{Create, SqliteOptions};
pub use seal::Sealed;

use super::{
    Committed, Entrant, Entry, Erasure, GateRow, Journal, JournalError, JournalErrorKind, LaneRow, Note, Row, Run,
    Scope, Subject, Unmatched, Want, Write,
};
use crate::clock::{Clock, Moment};
use crate::course::{Facts, GateFact, Head, SessionNo};
use crate::id::{DeliveryId, GateId, GateNo, LaneNo, StakeholderId};
use async_trait::async_trait;
use codec::{Fault, Res};
use rusqlite::Connection;
use seal::Progress;
use secrecy::SecretBox;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use store::Store;
use thread::{Job, Kind, MOST, Task};
use tokio::sync::mpsc;

/// How many entries are verified before other commands have their turn.
const STRETCH: u64 = 20_000;

/// A journal in an SQLite file. Clones share one connection; other openers, in this process or in others on the same machine, may use the
/// same file at the same time. Not for network file systems.
///
/// A file holds any number of plans and versions, all of one mode, which is stamped on it when it is made. It is made with mode 0600.
/// Beside it lie SQLite's own `-wal` and `-shm`, and one `-session-N` for each session: a lock that the system lets go when its holder
/// dies. `entry`, `v_gate`, `v_delivery` and `v_entry` are views for reading by hand.
///
/// When the last clone is dropped, what is queued is finished first; its sessions count as dead from then on, as after a kill.
#[derive(Clone)]
pub struct SqliteJournal {
    inner: Arc<Inner>,
}

struct Inner {
    scope: Scope,
    clock: Arc<dyn Clock>,
    genesis: String,
    writable: bool,
    /// `None` only while it is dropped.
    queue: Option<mpsc::Sender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing left to finish.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for SqliteJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteJournal").field("scope", &self.inner.scope).finish_non_exhaustive()
    }
}

impl SqliteJournal {
    /// Opens the record of this plan and version, at a plain path or a `file:` URL. Blocks while the file is opened.
    ///
    /// # Errors
    /// *Missing* if the file, or the plan and version in it, is not there and [`Create::Never`] was said; *mode* if the file was made for
    /// the other one; *corrupt* if it is no journal of relcomm, or one of a later version; *unavailable* if it cannot be reached.
    pub fn open(
        place: impl AsRef<Path>,
        scope: Scope,
        clock: Arc<dyn Clock>,
        options: SqliteOptions,
    ) -> Result<Self, JournalError> {
        let path = options::locate(place.as_ref())?;
        let opened = schema::open(&path, &scope, options.create, options.busy).map_err(Fault::into_error)?;
        Self::start(path, opened, scope, clock, true)
    }

    /// Opens it for reading alone, as reports do: nothing is written, not even a session; what would write is *unavailable*.
    ///
    /// # Errors
    /// As [`open`](Self::open) with [`Create::Never`].
    pub fn open_read_only(place: impl AsRef<Path>, scope: Scope, clock: Arc<dyn Clock>) -> Result<Self, JournalError> {
        let path = options::locate(place.as_ref())?;
        let busy = SqliteOptions::default().busy;
        let opened = schema::open_read_only(&path, &scope, busy).map_err(Fault::into_error)?;
        Self::start(path, opened, scope, clock, false)
    }

    fn start(
        path: PathBuf,
        (connection, number): (Connection, i64),
        scope: Scope,
        clock: Arc<dyn Clock>,
        writable: bool,
    ) -> Result<Self, JournalError> {
        let store = Store::new(connection, number, &scope, path);
        let genesis = store.genesis.clone();
        let (queue, commands) = mpsc::channel(MOST);
        let thread = std::thread::Builder::new()
            .name("relcomm-journal".into())
            .spawn(move || thread::serve(store, commands))
            .map_err(|_| JournalError::new(JournalErrorKind::Unavailable, "the journal's thread cannot be started"))?;
        let inner = Inner { scope, clock, genesis, writable, queue: Some(queue), thread: Some(thread) };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Recomputes the seal over all entries, in stretches between which others have their turn.
    ///
    /// A record whose last blocks were cut off whole is consistent in itself: that shows when the seal is compared with one that was printed
    /// before. The states beside the entries are not sealed; they are the fold of what is.
    ///
    /// # Errors
    /// *Corrupt*, naming the first block that does not fit, if an entry was changed, added or removed since it was sealed.
    pub async fn verify_seal(&self) -> Result<Sealed, JournalError> {
        let mut progress = Progress::new(self.inner.genesis.clone());
        loop {
            progress =
                self.ask(Kind::Read, move |store| progress.go_on(&store.connection, store.scope, STRETCH)).await?;
            if let Some(sealed) = progress.finish() {
                return Ok(sealed);
            }
        }
    }

    fn now(&self) -> Moment {
        // Read by the caller: a virtual clock belongs to the caller's runtime and means nothing to the journal's thread.
        self.inner.clock.now()
    }

    async fn ask<T: Send + 'static>(
        &self,
        kind: Kind,
        work: impl FnOnce(&mut Store) -> Res<T> + Send + 'static,
    ) -> Result<T, JournalError> {
        let unavailable = |message| JournalError::new(JournalErrorKind::Unavailable, message);
        if kind == Kind::Write && !self.inner.writable {
            return Err(unavailable("the journal is open for reading alone"));
        }
        let gone = || unavailable("the journal's thread has ended");
        let (job, answer) = Task::with_answer(kind, work);
        self.inner.queue.as_ref().ok_or_else(gone)?.send(job).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    async fn look<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Res<T> + Send + 'static,
    ) -> Result<T, JournalError> {
        self.ask(Kind::Read, |store| work(store)).await
    }

    async fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Store) -> Res<T> + Send + 'static,
    ) -> Result<T, JournalError> {
        self.ask(Kind::Write, work).await
    }
}

#[async_trait]
impl Journal for SqliteJournal {
    fn scope(&self) -> &Scope {
        &self.inner.scope
    }

    async fn token_key(&self) -> Result<SecretBox<[u8; 32]>, JournalError> {
        self.look(|store| Ok(SecretBox::new(Box::new(schema::token_key(&store.connection, store.scope)?)))).await
    }

    async fn begin(&self, ttl: Duration) -> Result<SessionNo, JournalError> {
        let now = self.now();
        self.change(move |store| store.begin(ttl, now)).await
    }

    async fn beat(&self, session: SessionNo) -> Result<bool, JournalError> {
        let now = self.now();
        self.change(move |store| store.beat(session, now)).await
    }

    async fn end(&self, session: SessionNo) -> Result<(), JournalError> {
        self.change(move |store| store.end(session)).await
    }

    async fn register(&self, gates: &[GateId], lanes: &[String]) -> Result<(), JournalError> {
        let (gates, lanes) = (gates.to_vec(), lanes.to_vec());
        self.change(move |store| store.register(&gates, &lanes)).await
    }

    async fn head(&self) -> Result<(u64, Head), JournalError> {
        self.look(Store::head).await
    }

    async fn gates(&self) -> Result<Vec<GateRow>, JournalError> {
        self.look(Store::gates).await
    }

    async fn lanes(&self) -> Result<Vec<LaneRow>, JournalError> {
        self.look(Store::lanes).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<Vec<Committed>, JournalError> {
        let at = self.now();
        self.change(move |store| store.write_all(writes, at)).await
    }

    async fn commit_together(&self, writes: Vec<Write>) -> Result<bool, JournalError> {
        let at = self.now();
        self.change(move |store| store.write_together(writes, at)).await
    }

    async fn enter(
        &self,
        gate: GateNo,
        expect: u64,
        facts: Facts<GateFact>,
        runs: Vec<Run>,
        who: Vec<Entrant>,
    ) -> Result<bool, JournalError> {
        let at = self.now();
        self.change(move |store| store.enter(gate, expect, &facts, runs, &who, at)).await
    }

    async fn lease(&self, session: SessionNo, wants: &[Want], now: Moment) -> Result<Vec<Row>, JournalError> {
        let (at, wants) = (self.now(), wants.to_vec());
        self.change(move |store| store.lease(session, &wants, now, at)).await
    }

    async fn ready(&self, gate: GateNo, lane: LaneNo, now: Moment, max: usize) -> Result<Vec<Row>, JournalError> {
        self.look(move |store| store.ready(gate, lane, now, max)).await
    }

    async fn timers(&self, now: Moment, max: usize) -> Result<Vec<Row>, JournalError> {
        self.look(move |store| store.timers(now, max)).await
    }

    async fn lost(&self, max: usize) -> Result<Vec<Row>, JournalError> {
        let now = self.now();
        self.look(move |store| store.lost(now, max)).await
    }

    async fn read(&self, ids: &[DeliveryId]) -> Result<Vec<Row>, JournalError> {
        let ids = ids.to_vec();
        self.look(move |store| store.read(&ids)).await
    }

    async fn ordinal(&self, gate: GateNo, who: &StakeholderId) -> Result<Option<u32>, JournalError> {
        let who = who.clone();
        self.look(move |store| store.ordinal(gate, &who)).await
    }

    async fn scan(&self, gate: GateNo, from: u32, max: usize) -> Result<Vec<Row>, JournalError> {
        self.look(move |store| store.scan(gate, from, max)).await
    }

    async fn kept(&self, gate: GateNo, from: u32, max: usize) -> Result<Vec<(u32, Arc<str>)>, JournalError> {
        self.look(move |store| store.kept(gate, from, max)).await
    }

    async fn keep(&self, gate: GateNo, of: Vec<(u32, Entrant)>) -> Result<(), JournalError> {
        self.change(move |store| store.keep(gate, &of)).await
    }

    async fn next_due(&self, now: Moment) -> Result<Option<Moment>, JournalError> {
        self.look(move |store| store.next_due(now)).await
    }

    async fn entries(&self, after: u64, max: usize) -> Result<Vec<Entry>, JournalError> {
        self.look(move |store| store.entries(after, max)).await
    }

    async fn history(&self, of: Subject) -> Result<Vec<(Entry, Option<Note>)>, JournalError> {
        self.look(move |store| store.history(of)).await
    }

    async fn notes(&self, after: u64, up_to: u64) -> Result<Vec<(u64, Note)>, JournalError> {
        self.look(move |store| store.notes(after, up_to)).await
    }

    async fn keep_unmatched(&self, receipts: Vec<Unmatched>) -> Result<usize, JournalError> {
        self.change(move |store| store.keep_unmatched(receipts)).await
    }

    async fn unmatched(&self) -> Result<Vec<Unmatched>, JournalError> {
        self.look(Store::unmatched).await
    }

    async fn erase(&self, erasure: Erasure, writes: Vec<Write>) -> Result<bool, JournalError> {
        let at = self.now();
        let erased = self.change(move |store| store.erase(&erasure, writes, at)).await?;
        if erased {
            // Pages keep what was written over until the file is made anew.
            self.ask(Kind::Whole, |store| store.make_anew()).await?;
        }
        Ok(erased)
    }

    async fn seal(&self) -> Result<String, JournalError> {
        self.look(Store::seal).await
    }
}
