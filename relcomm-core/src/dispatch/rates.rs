//! What the rates of the lanes still allow. Shared by all runs of a dispatcher and its clones: short calls in a row keep the rate too.

use crate::clock::Moment;
use crate::id::LaneNo;
use crate::mechanism::Rate;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// When how many attempts were begun on each lane, as far back as its rate looks.
#[derive(Clone, Debug, Default)]
pub(super) struct Rates {
    begun: Arc<Mutex<Begun>>,
}

type Begun = BTreeMap<LaneNo, VecDeque<(Moment, u32)>>;

impl Rates {
    fn begun(&self) -> MutexGuard<'_, Begun> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many attempts may be begun now: in no span as long as the rate's are there more than it says.
    pub(super) fn free(&self, lane: LaneNo, rate: Rate, now: Moment) -> u32 {
        let mut all = self.begun();
        let begun = all.entry(lane).or_default();
        while begun.front().is_some_and(|(at, _)| *at + rate.per <= now) {
            begun.pop_front();
        }
        rate.count.get().saturating_sub(begun.iter().map(|(_, n)| n).sum())
    }

    /// So many were begun.
    pub(super) fn spend(&self, lane: LaneNo, n: u32, now: Moment) {
        self.begun().entry(lane).or_default().push_back((now, n));
    }

    /// When a lane that has spent its rate may go on.
    pub(super) fn opens(&self, lane: LaneNo, rate: Rate, now: Moment) -> Option<Moment> {
        if self.free(lane, rate, now) > 0 {
            return None;
        }
        self.begun().get(&lane)?.front().map(|(at, _)| *at + rate.per)
    }
}
