//! Clocks for tests: one that follows a paused runtime, one that is set by hand, and one that needs no runtime at all. And when virtual
//! time has to end.

use async_trait::async_trait;
use relcomm_core::clock::{Clock, Moment};
use relcomm_core::course::{DeliveryFact, Lane};
use relcomm_core::journal::{Entry, Fact, Journal, JournalError};
use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
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

    fn elapsed(&self) -> Option<Duration> {
        Some(self.origin.elapsed())
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

/// Virtual time without a runtime: whoever drives the futures asks for the [next](Self::next) instant at which somebody waits, and
/// [moves](Self::move_to) there. It tells true time from what the machine shows, which may [jump](Self::jump). Clones show the same.
#[derive(Clone)]
pub struct VirtualClock {
    time: Arc<Mutex<Time>>,
}

struct Time {
    truly: Moment,
    ahead_ms: i64,
    /// Who waits until when, in what the machine shows.
    waiting: BTreeMap<u64, (Moment, Waker)>,
    last: u64,
}

impl Time {
    fn shown(&self) -> Moment {
        Moment::from_millis(self.truly.millis() + self.ahead_ms)
    }

    fn wake_due(&self) {
        let now = self.shown();
        self.waiting.values().filter(|(at, _)| *at <= now).for_each(|(_, waker)| waker.wake_by_ref());
    }
}

impl VirtualClock {
    /// A clock that shows this, truly.
    #[must_use]
    pub fn starting_at(start: Moment) -> Self {
        Self { time: Arc::new(Mutex::new(Time { truly: start, ahead_ms: 0, waiting: BTreeMap::new(), last: 0 })) }
    }

    fn time(&self) -> MutexGuard<'_, Time> {
        self.time.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What time it truly is.
    #[must_use]
    pub fn truly(&self) -> Moment {
        self.time().truly
    }

    /// Lets time pass until then, and wakes whoever waited for it. It never runs backwards.
    pub fn move_to(&self, truly: Moment) {
        let mut time = self.time();
        time.truly = time.truly.max(truly);
        time.wake_due();
    }

    /// Sets what the machine shows ahead by so many milliseconds, or back. No time passes.
    pub fn jump(&self, millis: i64) {
        let mut time = self.time();
        time.ahead_ms += millis;
        time.wake_due();
    }

    /// When, truly, the machine shows this, if it does not jump.
    #[must_use]
    pub fn truly_at(&self, shown: Moment) -> Moment {
        Moment::from_millis(shown.millis() - self.time().ahead_ms)
    }

    /// When, truly, the next one who waits is due.
    #[must_use]
    pub fn next(&self) -> Option<Moment> {
        let time = self.time();
        let shown = time.waiting.values().map(|(at, _)| *at).min()?;
        Some(Moment::from_millis(shown.millis() - time.ahead_ms))
    }
}

impl fmt::Debug for VirtualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VirtualClock").field(&self.time().shown()).finish()
    }
}

/// Waits no longer when it is dropped.
struct Waiting<'a>(&'a VirtualClock, u64);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.time().waiting.remove(&self.1);
    }
}

#[async_trait]
impl Clock for VirtualClock {
    fn now(&self) -> Moment {
        self.time().shown()
    }

    /// True time: it does not jump.
    fn elapsed(&self) -> Option<Duration> {
        Some(self.truly().since(Moment::MIN))
    }

    async fn sleep_until(&self, at: Moment) {
        let waiting = {
            let mut time = self.time();
            time.last += 1;
            Waiting(self, time.last)
        };
        poll_fn(|cx| {
            let mut time = self.time();
            if time.shown() >= at {
                return Poll::Ready(());
            }
            time.waiting.insert(waiting.1, (at, cx.waker().clone()));
            Poll::Pending
        })
        .await;
    }
}

/// When virtual time has to end: a far side that stays away for ever would keep it going for ever, try after try, since tries at a channel
/// that is down do not count.
#[derive(Clone, Copy, Debug, Default)]
pub struct Patience {
    read: u64,
    since: Option<Moment>,
}

impl Patience {
    /// How long nothing but such tries may happen.
    pub const LONGEST: Duration = Duration::from_secs(31 * 24 * 3600);

    /// The name of the lane that is down, once nothing but tries at one that is down has happened for [`LONGEST`](Self::LONGEST).
    ///
    /// # Errors
    /// The journal fails.
    pub async fn lost(&mut self, journal: &dyn Journal, now: Moment) -> Result<Option<String>, JournalError> {
        loop {
            let page = journal.entries(self.read, 1024).await?;
            let Some(last) = page.last() else { break };
            self.read = last.seq;
            if !page.iter().all(is_vain) {
                self.since = Some(now);
            }
        }
        if now.since(*self.since.get_or_insert(now)) < Self::LONGEST {
            return Ok(None);
        }
        let is_down = |lane: &Lane| matches!(lane, Lane::Down { .. } | Lane::Probing { .. });
        Ok(journal.lanes().await?.into_iter().find(|lane| is_down(&lane.state)).map(|lane| lane.name))
    }
}

/// Whether an entry tells of a try at a channel that is down.
fn is_vain(entry: &Entry) -> bool {
    match &entry.fact {
        Fact::Lane(_) => true,
        // A group with hours puts off each evening what the channel has not taken by then.
        Fact::Delivery(fact) => matches!(
            fact,
            DeliveryFact::Started { .. } | DeliveryFact::Again { counts: false, .. } | DeliveryFact::Postponed { .. }
        ),
        _ => false,
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

    #[test]
    fn a_virtual_clock_says_who_waits_until_when_truly() {
        use futures_util::FutureExt;
        let clock = VirtualClock::starting_at(NOON);
        let mut wait = clock.sleep(DAY);
        assert!((&mut wait).now_or_never().is_none());
        assert_eq!(clock.next(), Some(NOON + DAY));
        clock.jump(3_600_000);
        assert_eq!((clock.now(), clock.truly()), (NOON + Duration::from_secs(3600), NOON));
        assert_eq!(clock.next(), Some(NOON + DAY - Duration::from_secs(3600)), "an hour of it is skipped");
        clock.move_to(NOON + DAY - Duration::from_secs(3600));
        assert!((&mut wait).now_or_never().is_some());
        drop(wait);
        assert_eq!(clock.next(), None);
        drop(clock.sleep(DAY));
        assert_eq!(clock.next(), None, "who gave up waiting waits no longer");
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
