//! The journal in memory: the reference for every other one, for tests and rehearsals.

mod state;

use super::{
    Committed, Entrant, Entry, Erasure, GateRow, Journal, JournalError, JournalErrorKind, LaneRow, Note, Row, Run,
    Scope, Subject, Unmatched, Want, Write,
};
use crate::clock::{Clock, Moment};
use crate::course::{Facts, GateFact, Head, SessionNo};
use crate::id::{DeliveryId, GateId, GateNo, LaneNo, StakeholderId};
use async_trait::async_trait;
use secrecy::SecretBox;
use sha2::{Digest, Sha256};
use state::State;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A journal that lives and dies with the process. Clones share one record.
#[derive(Clone)]
pub struct MemoryJournal {
    scope: Scope,
    clock: Arc<dyn Clock>,
    state: Arc<Mutex<State>>,
}

impl MemoryJournal {
    /// An empty record of this scope.
    #[must_use]
    pub fn new(scope: Scope, clock: Arc<dyn Clock>) -> Self {
        Self { scope, clock, state: Arc::default() }
    }

    /// The same record as another process would see it, with its own clock.
    #[must_use]
    pub fn with_clock(&self, clock: Arc<dyn Clock>) -> Self {
        Self { scope: self.scope.clone(), clock, state: Arc::clone(&self.state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is made as a whole under the lock; a panic of another holder leaves nothing half done that matters here.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryJournal").field("scope", &self.scope).finish_non_exhaustive()
    }
}

#[async_trait]
impl Journal for MemoryJournal {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    async fn token_key(&self) -> Result<SecretBox<[u8; 32]>, JournalError> {
        // Nothing outlives the process, so a key made from the scope serves: the same seed gives the same bytes.
        let mut hash = Sha256::new();
        hash.update(self.scope.plan.as_str());
        hash.update([0]);
        hash.update(self.scope.version.as_bytes());
        hash.update([0]);
        hash.update(self.scope.mode.word());
        Ok(SecretBox::new(Box::new(hash.finalize().into())))
    }

    async fn begin(&self, ttl: Duration) -> Result<SessionNo, JournalError> {
        Ok(self.state().begin(ttl, self.clock.now()))
    }

    async fn beat(&self, session: SessionNo) -> Result<bool, JournalError> {
        Ok(self.state().beat(session, self.clock.now()))
    }

    async fn end(&self, session: SessionNo) -> Result<(), JournalError> {
        self.state().end(session);
        Ok(())
    }

    async fn register(&self, gates: &[GateId], lanes: &[String]) -> Result<(), JournalError> {
        self.state().register(gates, lanes);
        Ok(())
    }

    async fn head(&self) -> Result<(u64, Head), JournalError> {
        let state = self.state();
        Ok((state.head_version, state.head.clone()))
    }

    async fn gates(&self) -> Result<Vec<GateRow>, JournalError> {
        Ok(self.state().gates.iter().map(|g| g.row.clone()).collect())
    }

    async fn lanes(&self) -> Result<Vec<LaneRow>, JournalError> {
        Ok(self.state().lanes.clone())
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<Vec<Committed>, JournalError> {
        let now = self.clock.now();
        let mut state = self.state();
        Ok(writes.into_iter().map(|w| state.write(w, now)).collect())
    }

    async fn commit_together(&self, writes: Vec<Write>) -> Result<bool, JournalError> {
        let now = self.clock.now();
        Ok(self.state().write_together(writes, now))
    }

    async fn enter(
        &self,
        gate: GateNo,
        expect: u64,
        facts: Facts<GateFact>,
        runs: Vec<Run>,
        who: Vec<Entrant>,
    ) -> Result<bool, JournalError> {
        Ok(self.state().enter(gate, expect, facts, runs, who, self.clock.now()))
    }

    async fn lease(&self, session: SessionNo, wants: &[Want], now: Moment) -> Result<Vec<Row>, JournalError> {
        let at = self.clock.now();
        let mut state = self.state();
        if !state.is_alive(session, at) {
            return Err(JournalError::new(JournalErrorKind::Fenced, "the session counts as dead"));
        }
        let mut rows = Vec::new();
        for want in wants {
            state.lease(session, *want, now, at, &mut rows);
        }
        Ok(rows)
    }

    async fn ready(&self, gate: GateNo, lane: LaneNo, now: Moment, max: usize) -> Result<Vec<Row>, JournalError> {
        Ok(self.state().ready(gate, lane, now, max))
    }

    async fn timers(&self, now: Moment, max: usize) -> Result<Vec<Row>, JournalError> {
        Ok(self.state().timers(now, max))
    }

    async fn lost(&self, max: usize) -> Result<Vec<Row>, JournalError> {
        let now = self.clock.now();
        Ok(self.state().lost(now, max))
    }

    async fn read(&self, ids: &[DeliveryId]) -> Result<Vec<Row>, JournalError> {
        let state = self.state();
        Ok(ids.iter().filter_map(|id| state.row(*id)).collect())
    }

    async fn ordinal(&self, gate: GateNo, who: &StakeholderId) -> Result<Option<u32>, JournalError> {
        Ok(self.state().ordinal(gate, who))
    }

    async fn scan(&self, gate: GateNo, from: u32, max: usize) -> Result<Vec<Row>, JournalError> {
        let state = self.state();
        Ok((from..).take(max).map_while(|ordinal| state.row(DeliveryId { gate, ordinal })).collect())
    }

    async fn kept(&self, gate: GateNo, from: u32, max: usize) -> Result<Vec<(u32, Arc<str>)>, JournalError> {
        Ok(self.state().kept(gate, from, max))
    }

    async fn keep(&self, gate: GateNo, of: Vec<(u32, Entrant)>) -> Result<(), JournalError> {
        self.state().keep(gate, of);
        Ok(())
    }

    async fn next_due(&self, now: Moment) -> Result<Option<Moment>, JournalError> {
        Ok(self.state().next_due(now))
    }

    async fn entries(&self, after: u64, max: usize) -> Result<Vec<Entry>, JournalError> {
        Ok(self.state().entries(after).take(max).collect())
    }

    async fn history(&self, of: Subject) -> Result<Vec<(Entry, Option<Note>)>, JournalError> {
        let state = self.state();
        let about = state.entries(0).filter(|e| e.subject == of);
        Ok(about
            .map(|e| {
                let note = state.note(e.seq).map(|note| Note::clone(note));
                (e, note)
            })
            .collect())
    }

    async fn notes(&self, after: u64, up_to: u64) -> Result<Vec<(u64, Note)>, JournalError> {
        Ok(self.state().notes(after, up_to).map(|(seq, note)| (*seq, Note::clone(note))).collect())
    }

    async fn keep_unmatched(&self, receipts: Vec<Unmatched>) -> Result<usize, JournalError> {
        Ok(self.state().keep_unmatched(receipts))
    }

    async fn unmatched(&self) -> Result<Vec<Unmatched>, JournalError> {
        Ok(self.state().unmatched.clone())
    }

    async fn erase(&self, erasure: Erasure, writes: Vec<Write>) -> Result<bool, JournalError> {
        let now = self.clock.now();
        Ok(self.state().erase(&erasure, writes, now))
    }

    async fn seal(&self) -> Result<String, JournalError> {
        let mut hash = Sha256::new();
        for entry in self.state().entries(0) {
            hash.update(serde_json::to_vec(&entry).unwrap_or_default());
            hash.update(b"\n");
        }
        Ok(data_encoding::HEXLOWER.encode(&hash.finalize()))
    }
}
