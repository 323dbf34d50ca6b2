//! The sandbox's time: the machine's clock, shifted forward whenever nothing is in flight and something is due later.

use async_trait::async_trait;
use relcomm_core::clock::{Clock, Moment, SystemClock};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// The machine's clock, shifted. It never runs backwards.
#[derive(Debug, Default)]
pub struct SandboxClock {
    shift_ms: AtomicI64,
}

impl SandboxClock {
    /// The machine's clock, shifted so that it is at least `at` now.
    #[must_use]
    pub fn no_earlier_than(at: Moment) -> Self {
        let clock = Self::default();
        clock.jump_to(at);
        clock
    }

    /// Shifts the clock forward to an instant; one in the past changes nothing.
    pub fn jump_to(&self, at: Moment) {
        let ahead = at.millis() - self.now().millis();
        if ahead > 0 {
            self.shift_ms.fetch_add(ahead, Ordering::Relaxed);
        }
    }
}

#[async_trait]
impl Clock for SandboxClock {
    fn now(&self) -> Moment {
        Moment::from_millis(SystemClock::new().now().millis() + self.shift_ms.load(Ordering::Relaxed))
    }

    /// While something is in flight, time goes at its own pace.
    async fn sleep_until(&self, at: Moment) {
        loop {
            let left = at.since(self.now());
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(Duration::from_secs(1))).await;
        }
    }

    async fn idle_until(&self, at: Moment) {
        self.jump_to(at);
    }
}
