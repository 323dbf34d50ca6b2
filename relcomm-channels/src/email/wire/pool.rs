//! Idle sessions, and how many may be open at once.

use super::Bounds;
use super::session::Session;
use crate::email::error::Fault;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// After so many messages a session is closed, so that relays behind one name share the load.
const MOST_SERVED: u32 = 100;
/// Relays close idle sessions after five minutes at the earliest (RFC 5321, 4.5.3.2.7), some far sooner.
const LONGEST_IDLE: Duration = Duration::from_secs(60);

/// A session carries something.
pub(super) struct AtWork<'a>(&'a AtomicUsize);

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// How long somebody waits for another's session before they try to open one of their own again.
const PATIENCE: Duration = Duration::from_secs(5);

/// The idle sessions of a channel. Only a session on which nothing went wrong comes back here; one whose attempt was dropped does not.
pub(in crate::email) struct Pool {
    idle: Mutex<Vec<(Instant, Session)>>,
    permits: Semaphore,
    /// How many permits there are in all.
    most: AtomicUsize,
    /// How many sessions carry something just now.
    at_work: AtomicUsize,
    /// That a session has come back.
    came_back: Notify,
}

impl Pool {
    pub(in crate::email) fn new(connections: NonZeroU32) -> Self {
        let permits = usize::try_from(connections.get()).unwrap_or(1).min(Semaphore::MAX_PERMITS);
        Self {
            idle: Mutex::default(),
            permits: Semaphore::new(permits),
            most: AtomicUsize::new(permits),
            at_work: AtomicUsize::new(0),
            came_back: Notify::new(),
        }
    }

    /// Waits for the right to have one session open.
    pub(in crate::email) async fn permit(&self, bounds: Bounds<'_>) -> Result<SemaphorePermit<'_>, Fault> {
        let acquired = async { self.permits.acquire().await.map_err(|_| Fault::Cancelled) };
        bounds.within(Duration::MAX, acquired).await
    }

    /// Whether a session carries something, which may be another's then.
    pub(super) fn is_at_work(&self) -> bool {
        self.at_work.load(Ordering::Acquire) > 0
    }

    /// That a session carries something, as long as what comes back is held.
    pub(super) fn work(&self) -> AtWork<'_> {
        self.at_work.fetch_add(1, Ordering::AcqRel);
        AtWork(&self.at_work)
    }

    /// Gives a permit up for good: the relay takes no more sessions at once than there are now. One stays.
    pub(in crate::email) fn give_up(&self, permit: SemaphorePermit<'_>) {
        let less = |most: usize| most.checked_sub(1).filter(|left| *left > 0);
        if self.most.fetch_update(Ordering::AcqRel, Ordering::Acquire, less).is_ok() {
            permit.forget();
        }
    }

    /// Waits a while for a session that somebody else has done with.
    pub(super) async fn another(&self, bounds: Bounds<'_>) -> Result<Option<Session>, Fault> {
        let comes = async {
            loop {
                let told = self.came_back.notified();
                if let Some(session) = self.take() {
                    return session;
                }
                told.await;
            }
        };
        bounds.within(Duration::MAX, async { Ok(tokio::time::timeout(PATIENCE, comes).await.ok()) }).await
    }

    /// The session that was idle for the shortest time.
    pub(super) fn take(&self) -> Option<Session> {
        let mut idle = self.held();
        idle.retain(|(since, _)| since.elapsed() < LONGEST_IDLE);
        let (_, mut session) = idle.pop()?;
        session.reused = true;
        Some(session)
    }

    /// Keeps the session for the next transaction, or says that it has served long enough.
    pub(super) fn keep(&self, session: Session) -> Result<(), Session> {
        if session.served >= MOST_SERVED {
            return Err(session);
        }
        self.held().push((Instant::now(), session));
        self.came_back.notify_one();
        Ok(())
    }

    /// Forgets all idle sessions: where one is dead, the others most likely are.
    pub(super) fn clear(&self) {
        self.held().clear();
    }

    fn held(&self) -> MutexGuard<'_, Vec<(Instant, Session)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
