//! Loopback peers: real servers on `127.0.0.1` that a test or the sandbox talks to instead of the world.
//!
//! [`smtp::SmtpPeer`] is a mail submission server and [`http::HttpPeer`] an HTTP receiver. Both listen on a free port
//! of the loopback interface, do what their script says (accept, refuse, defer, stall, cut the connection before or
//! after they have taken over responsibility), remember everything that reached them, and end when they are dropped.
//!
//! They know nothing of relcomm's own types: what they count is what went over the wire, so that they can judge the
//! code that sent it. They never open a connection of their own and never leave the machine.

pub mod http;
mod listen;
pub mod smtp;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::watch;

/// A source of the present time, for peers that run beside a shifted clock.
pub(crate) type Now = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// What was waited for did not arrive in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("waited {waited:?} for {wanted} arrivals, {got} came")]
pub struct TimedOut {
    /// How many arrivals were waited for.
    pub wanted: usize,
    /// How many had arrived when the time was up.
    pub got: usize,
    /// How long the wait was.
    pub waited: Duration,
}

/// A counter that can be waited on.
pub(crate) struct Tally(watch::Sender<usize>);

impl Tally {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    pub(crate) fn add_one(&self) {
        self.0.send_modify(|count| *count += 1);
    }

    pub(crate) async fn reach(&self, wanted: usize, waited: Duration) -> Result<(), TimedOut> {
        let mut counts = self.0.subscribe();
        let reached = tokio::time::timeout(waited, counts.wait_for(|count| *count >= wanted)).await;
        match reached {
            Ok(Ok(_)) => Ok(()),
            _ => Err(TimedOut { wanted, got: *self.0.borrow(), waited }),
        }
    }
}

/// A test that panics while it holds a guard must not blind the assertions that follow it.
pub(crate) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
