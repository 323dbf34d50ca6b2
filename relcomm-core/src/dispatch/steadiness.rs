//! Whether the clock can be believed: one that jumps opens no embargo and lets nothing expire until it has proved stable.

use crate::clock::{Clock, Moment};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How far the clock may run from the time that has passed within [`SteadyOptions::proof`] before that counts as a jump.
const DEFAULT_BOUND: Duration = Duration::from_secs(300);
/// How long a clock that has jumped must then keep with the time that passes.
const DEFAULT_PROOF: Duration = Duration::from_secs(600);

/// When a clock counts as one that has jumped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SteadyOptions {
    /// By so much more or less than the time that has passed the clock may move. Default: 5 minutes.
    pub bound: Duration,
    /// So long a clock that has jumped must keep with the time that passes before it is believed. Default: 10 minutes.
    pub proof: Duration,
}

impl Default for SteadyOptions {
    fn default() -> Self {
        Self { bound: DEFAULT_BOUND, proof: DEFAULT_PROOF }
    }
}

/// What a dispatcher and its clones have seen of their clock. A new process has seen nothing, and believes what it is shown first.
#[derive(Clone, Debug, Default)]
pub(super) struct Steadiness(Arc<Mutex<Option<Seen>>>);

/// A reading of the clock, and since when it has been doubted.
#[derive(Clone, Copy, Debug)]
struct Seen {
    now: Moment,
    elapsed: Duration,
    doubted: Option<Duration>,
}

impl Steadiness {
    /// Looks at the clock: when it will have proved stable, by what it shows; `None` while it is believed.
    pub(super) fn unproved(&self, clock: &dyn Clock, options: SteadyOptions) -> Option<Moment> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let elapsed = clock.elapsed()?;
        let now = clock.now();
        let seen = seen.get_or_insert(Seen { now, elapsed, doubted: None });
        let passed = elapsed.saturating_sub(seen.elapsed);
        let expected = seen.now + passed;
        if now.since(expected) > options.bound || expected.since(now) > options.bound {
            *seen = Seen { now, elapsed, doubted: Some(elapsed) };
        }
        let passed = elapsed.saturating_sub(seen.elapsed);
        if passed >= options.proof {
            // It has kept with the time for so long. What it runs from now on is measured from here.
            *seen = Seen { now, elapsed, doubted: None };
        }
        seen.doubted.map(|since| now + options.proof.saturating_sub(elapsed.saturating_sub(since)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;

    /// A clock that shows what it is told: the wall's minutes and the minutes that have passed.
    #[derive(Debug)]
    struct Told(u64, u64);

    const START: Moment = Moment::from_millis(1_800_000_000_000);

    fn minutes(n: u64) -> Duration {
        Duration::from_secs(60 * n)
    }

    #[async_trait]
    impl Clock for Told {
        fn now(&self) -> Moment {
            START + minutes(self.0)
        }
        fn elapsed(&self) -> Option<Duration> {
            Some(minutes(self.1))
        }
        async fn sleep_until(&self, _: Moment) {}
    }

    /// After each reading: in how many minutes the clock will have proved stable.
    fn doubts(readings: &[(u64, u64)]) -> Vec<Option<u64>> {
        let steadiness = Steadiness::default();
        let look = |(wall, passed): &(u64, u64)| {
            let clock = Told(*wall, *passed);
            let until = steadiness.unproved(&clock, SteadyOptions::default())?;
            Some(until.since(clock.now()).as_secs() / 60)
        };
        readings.iter().map(look).collect()
    }

    #[test]
    fn a_jump_is_doubted_until_the_clock_has_kept_with_the_time() {
        assert_eq!(doubts(&[(60, 0), (160, 100), (2000, 1940)]), [None, None, None], "a long rest is no jump");
        assert_eq!(
            doubts(&[(0, 0), (121, 1), (125, 5), (130, 10), (131, 11)]),
            [None, Some(10), Some(6), Some(1), None]
        );
        assert_eq!(doubts(&[(100, 0), (41, 1), (50, 10), (51, 11)]), [None, Some(10), Some(1), None], "so is one back");
        // Set right before it had proved stable: it begins anew.
        assert_eq!(doubts(&[(0, 0), (121, 1), (5, 5), (14, 14), (15, 15)]), [None, Some(10), Some(10), Some(1), None]);
        // A little is corrected every day.
        assert_eq!(doubts(&[(0, 0), (9, 5), (18, 10), (27, 15)]), [None, None, Some(10), Some(5)], "but not for ever");
        assert_eq!(doubts(&[(0, 0), (14, 10), (28, 20)]), [None, None, None]);
    }
}
