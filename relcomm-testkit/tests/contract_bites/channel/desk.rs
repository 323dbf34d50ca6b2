//! A far side in memory that can show every fault.

use relcomm_core::channel::Key;
use relcomm_testkit::contract::channel::{Arrival, Fault, Plot, WAIT};
use std::collections::BTreeSet;
use std::future::pending;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub(super) const REFUSED: &str = "gone@desk.test";
/// What it takes when it takes little, in octets.
pub(super) const LITTLE: usize = 8;

pub(super) struct Desk {
    plot: Plot,
    /// Whether it recognises a repeat.
    honours: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    calls: u32,
    /// The fault that strikes between this offer and what is given after it.
    pending: Option<Fault>,
    arrivals: Vec<Arrival>,
    keys: BTreeSet<String>,
}

/// What it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    GoOn,
    Taken,
    NoSuchRecipient,
    Cut,
    Half,
    Nonsense,
    Failed,
    Rejected,
    TooLarge,
    WhoAreYou,
    Busy(Option<Duration>),
    TooMany(Option<Duration>),
    Elsewhere,
    SuccessWithError,
}

impl Desk {
    pub(super) fn new(plot: Plot, honours: bool) -> Self {
        Self { plot, honours, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_reachable(&self) -> bool {
        self.plot.fault() != Some(Fault::Unreachable)
    }

    /// The most octets that it takes, as it says on connecting.
    pub(super) fn most(&self) -> usize {
        if self.plot.fault() == Some(Fault::SmallLimit) { LITTLE } else { usize::MAX }
    }

    /// Whether it would take something for this address.
    pub(super) async fn offer(&self, address: &str) -> Said {
        let fault = {
            let mut state = self.state();
            let strikes = state.calls == self.plot.spared();
            state.calls += 1;
            state.pending = self.plot.fault().filter(|_| strikes);
            state.pending
        };
        tokio::task::yield_now().await;
        let said = match fault {
            Some(Fault::StallEarly) => pending().await,
            Some(Fault::CutEarly) => Said::Cut,
            Some(Fault::TooLarge) => Said::TooLarge,
            Some(Fault::BadCredentials) => Said::WhoAreYou,
            Some(Fault::Busy) => Said::Busy(None),
            Some(Fault::BusyFor) => Said::Busy(Some(WAIT)),
            Some(Fault::RateLimited) => Said::TooMany(None),
            Some(Fault::RateLimitedFor) => Said::TooMany(Some(WAIT)),
            Some(Fault::Redirect) => Said::Elsewhere,
            _ if address == REFUSED => Said::NoSuchRecipient,
            _ => return Said::GoOn,
        };
        self.state().pending = None;
        said
    }

    /// Gives it what was offered.
    pub(super) async fn give(&self, arrival: Arrival) -> Said {
        let fault = self.state().pending.take();
        match fault {
            Some(Fault::Stall) => pending().await,
            Some(Fault::Cut) => return Said::Cut,
            Some(Fault::Crashed) => return Said::Failed,
            Some(Fault::RejectContent) => return Said::Rejected,
            Some(Fault::ErrorInSuccess) => return Said::SuccessWithError,
            Some(Fault::Garbage) => return Said::Nonsense,
            _ => self.keep(arrival),
        }
        match fault {
            Some(Fault::StallAccepted) => pending().await,
            Some(Fault::LoseAnswer) => Said::Cut,
            Some(Fault::TruncatedAnswer) => Said::Half,
            Some(Fault::SlowAnswer) => {
                tokio::time::sleep(Duration::from_millis(50)).await;
                Said::Taken
            }
            _ => {
                tokio::task::yield_now().await;
                Said::Taken
            }
        }
    }

    fn keep(&self, arrival: Arrival) {
        let mut state = self.state();
        let is_new = state.keys.insert(arrival.key.clone().unwrap_or_default());
        if is_new || !self.honours {
            state.arrivals.push(arrival);
        }
    }

    pub(super) fn has(&self, key: &Key) -> bool {
        self.state().keys.contains(key.as_str())
    }

    pub(super) fn arrivals(&self) -> Vec<Arrival> {
        self.state().arrivals.clone()
    }

    pub(super) fn calls(&self) -> usize {
        self.state().calls as usize
    }
}
