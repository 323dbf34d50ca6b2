//! Idle sessions, and how many may be open at once.

use super::Bounds;
use super::session::Session;
use crate::email::error::Fault;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// After so many messages a session is closed, so that relays behind one name share the load.
const MOST_SERVED: u32 = 100;
/// Relays close idle sessions after five minutes at the earliest (RFC 5321, 4.5.3.2.7), some far sooner.
const LONGEST_IDLE: Duration = Duration::from_secs(60);

/// The idle sessions of a channel. Only a session on which nothing went wrong comes back here; one whose attempt was dropped does not.
pub(in crate::email) struct Pool {
    idle: Mutex<Vec<(Instant, Session)>>,
    permits: Semaphore,
}

impl Pool {
    pub(in crate::email) fn new(connections: NonZeroU32) -> Self {
        let permits = usize::try_from(connections.get()).unwrap_or(1).min(Semaphore::MAX_PERMITS);
        Self { idle: Mutex::default(), permits: Semaphore::new(permits) }
    }

    /// Waits for the right to have one session open.
    pub(in crate::email) async fn permit(&self, bounds: Bounds<'_>) -> Result<SemaphorePermit<'_>, Fault> {
        let acquired = async { self.permits.acquire().await.map_err(|_| Fault::Cancelled) };
        bounds.within(Duration::MAX, acquired).await
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
