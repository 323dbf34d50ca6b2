//! Clocks for tests: one that follows a paused runtime, and one that is set by hand.

use async_trait::async_trait;
use relcomm_core::clock::{Clock, Moment};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// Virtual time: an instant of one's choice, and from there on whatever tokio's clock says. In a runtime whose clock is paused, a day
/// passes as soon as nothing else is left to do.
///
/// It belongs to the runtime in which it was made: read it there.
#[derive(Clone, Copy, Debug)]
pub struct SimClock {
    start: Moment,
    origin: Instant,
}

impl SimClock {
    /// A clock that shows `start` now.
    #[must_use]
    pub fn starting_at(start: Moment) -> Self {
        Self { start, origin: Instant::now() }
    }
}

#[async_trait]
impl Clock for SimClock {
    fn now(&self) -> Moment {
        self.start + self.origin.elapsed()
    }

    async fn sleep_until(&self, at: Moment) {
        loop {
            let left = at.since(self.now());
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left).await;
        }
    }
}

/// A clock that stands still until it is set. Clones show the same time. It can be set back, as a machine's clock can.
#[derive(Clone)]
pub struct ManualClock {
    now: Arc<watch::Sender<Moment>>,
}

impl ManualClock {
    /// A clock that shows this.
    #[must_use]
    pub fn starting_at(start: Moment) -> Self {
        Self { now: Arc::new(watch::Sender::new(start)) }
    }

    /// Sets it, and wakes whoever waited for that.
    pub fn set(&self, now: Moment) {
        self.now.send_replace(now);
    }

    /// Sets it ahead.
    pub fn advance(&self, by: Duration) {
        self.now.send_modify(|now| *now = *now + by);
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ManualClock").field(&*self.now.borrow()).finish()
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Moment {
        *self.now.borrow()
    }

    async fn sleep_until(&self, at: Moment) {
        // The sender lives as long as `self` does, so the wait can end in no other way.
        let _ = self.now.subscribe().wait_for(|now| *now >= at).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Moment = Moment::from_millis(1_800_000_000_000);
    const DAY: Duration = Duration::from_secs(86_400);

    #[tokio::test(start_paused = true)]
    async fn a_day_of_virtual_time_takes_none() {
        let clock = SimClock::starting_at(NOON);
        assert_eq!(clock.now(), NOON);
        clock.sleep(DAY).await;
        assert!(clock.now() >= NOON + DAY && clock.now() < NOON + DAY + Duration::from_millis(5));
        clock.sleep_until(NOON).await;
    }

    #[tokio::test]
    async fn a_clock_set_by_hand_wakes_those_who_are_due_and_no_others() {
        let clock = ManualClock::starting_at(NOON);
        let wait = |span| {
            let clock = clock.clone();
            tokio::spawn(async move { clock.sleep_until(NOON + span).await })
        };
        let (first, second) = (wait(DAY), wait(DAY * 2));
        tokio::task::yield_now().await;
        clock.advance(DAY);
        first.await.expect("the first wait ends");
        assert!(!second.is_finished());
        clock.set(NOON + DAY * 3);
        second.await.expect("the second wait ends");
        clock.set(NOON);
        assert_eq!(clock.now(), NOON);
    }
}
