//! Time: the only file that reads the wall clock or sets a timer. Everything else waits through [`Clock`].

use async_trait::async_trait;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, Sub};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// An instant: whole milliseconds since 1970-01-01T00:00:00Z. `Display` is RFC 3339 in UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "i64")]
pub struct Moment(i64);

/// As [`Moment::from_millis`].
impl From<i64> for Moment {
    fn from(millis: i64) -> Self {
        Self::from_millis(millis)
    }
}

impl Moment {
    /// The earliest instant; for "at once".
    pub const MIN: Self = Self(0);
    /// The latest instant that RFC 3339 can write (year 9999); for "never".
    pub const MAX: Self = Self(253_402_300_799_999);

    /// From milliseconds since the epoch, held within [`MIN`](Self::MIN) and [`MAX`](Self::MAX).
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        if millis < Self::MIN.0 {
            Self::MIN
        } else if millis > Self::MAX.0 {
            Self::MAX
        } else {
            Self(millis)
        }
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// As a date and time in UTC.
    #[must_use]
    pub fn datetime(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }

    /// How long after `earlier`; zero if it is not later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Reads an RFC 3339 instant with an offset.
    ///
    /// # Errors
    /// chrono's parse error, if the text is no RFC 3339 instant.
    pub fn parse(text: &str) -> Result<Self, chrono::ParseError> {
        DateTime::parse_from_rfc3339(text).map(|t| t.with_timezone(&Utc).into())
    }
}

impl From<DateTime<Utc>> for Moment {
    fn from(t: DateTime<Utc>) -> Self {
        Self::from_millis(t.timestamp_millis())
    }
}

impl Add<Duration> for Moment {
    type Output = Self;
    fn add(self, d: Duration) -> Self {
        Self::from_millis(self.0.saturating_add(i64::try_from(d.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Moment {
    type Output = Self;
    fn sub(self, d: Duration) -> Self {
        Self::from_millis(self.0.saturating_sub(i64::try_from(d.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.datetime().to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Writes an instant as RFC 3339 text, for what people and their programs read. (The journal keeps milliseconds.)
pub(crate) fn rfc3339<S: serde::Serializer>(at: &Moment, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(at)
}

/// Writes an instant, where there is one, as RFC 3339 text.
#[expect(clippy::ref_option, reason = "serde passes fields by reference")]
pub(crate) fn rfc3339_option<S: serde::Serializer>(at: &Option<Moment>, to: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => to.collect_str(at),
        None => to.serialize_none(),
    }
}

/// Where the engine gets its time from, and through which it waits.
///
/// # Contract
/// * **K1** `now` never panics and needs no I/O.
/// * **K2** `sleep_until` returns no earlier than when `now` has reached the instant; an instant in the past returns at once.
/// * **K3** `idle_until` is called only while nothing is in flight; a clock that jumps (a rehearsal, the sandbox) jumps only there.
///
/// Dropping a wait is always safe.
#[async_trait]
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The present instant.
    fn now(&self) -> Moment;

    /// How much time has passed since some instant of the clock's own, by a reading that nobody can set: it never jumps with `now`, and by
    /// it a jump is noticed. `None`, the default, where there is none: then `now` is trusted.
    fn elapsed(&self) -> Option<Duration> {
        None
    }

    /// Waits until `now` has reached `at`.
    async fn sleep_until(&self, at: Moment);

    /// Waits until `now` has reached `at` while nothing is in flight.
    async fn idle_until(&self, at: Moment) {
        self.sleep_until(at).await;
    }

    /// Waits for a span of this clock's time.
    async fn sleep(&self, span: Duration) {
        self.sleep_until(self.now() + span).await;
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemClock;

impl SystemClock {
    /// The machine's clock.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

/// When the process first asked how much time has passed.
static BEGINNING: OnceLock<Instant> = OnceLock::new();

/// Timers do not see a suspended machine or a corrected clock, so a long wait is cut into pieces of this length.
const LONGEST_NAP: Duration = Duration::from_secs(60);

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Moment {
        Utc::now().into()
    }

    /// Since this was first asked in the process. The time for which a machine sleeps is not counted on every system, so that waking up
    /// may look like a jump.
    fn elapsed(&self) -> Option<Duration> {
        Some(BEGINNING.get_or_init(Instant::now).elapsed())
    }

    async fn sleep_until(&self, at: Moment) {
        loop {
            let left = at.since(self.now());
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(LONGEST_NAP)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_read_and_write_rfc_3339() {
        let t = Moment::parse("2027-05-12T07:00:00+01:00").unwrap();
        assert_eq!(t.to_string(), "2027-05-12T06:00:00Z");
        assert_eq!((t + Duration::from_millis(1500)).to_string(), "2027-05-12T06:00:01.500Z");
        assert_eq!((t - Duration::MAX), Moment::MIN);
        assert_eq!((t + Duration::MAX), Moment::MAX);
        assert_eq!(t.since(t + Duration::from_secs(1)), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_into_the_past_returns_at_once() {
        SystemClock::new().sleep_until(Moment::MIN).await;
    }
}
