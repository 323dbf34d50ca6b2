//! Durations, instants and zones.

use super::BadTime;
use crate::clock::Moment;
use crate::plan::source::shape::scalar;
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use chrono_tz::Tz;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

const DAY_MS: i64 = 86_400_000;
const LONGEST_DAYS: i64 = 3_660;

/// A duration: calendar days and business days in a zone, and elapsed time. `2w3d4h5m6s`, `5bd`, `0s`. At most ten years.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    pub(super) days: i32,
    pub(super) business_days: i32,
    pub(super) elapsed_ms: i64,
}

impl Span {
    /// Calendar days, weeks counted in.
    #[must_use]
    pub fn days(self) -> i32 {
        self.days
    }

    /// Business days, Monday to Friday.
    #[must_use]
    pub fn business_days(self) -> i32 {
        self.business_days
    }

    /// Elapsed time beside the days.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        Duration::from_millis(u64::try_from(self.elapsed_ms).unwrap_or(0))
    }

    /// As elapsed time alone, a day counted as 24 hours; `None` if it holds business days, whose length depends on the date.
    #[must_use]
    pub fn as_elapsed(self) -> Option<Duration> {
        (self.business_days == 0)
            .then(|| self.elapsed() + Duration::from_secs(86_400) * u32::try_from(self.days).unwrap_or(0))
    }

    pub(super) fn plus(self, other: Self, sign: i32) -> Result<Self, BadTime> {
        let sum = Self {
            days: self.days + sign * other.days,
            business_days: self.business_days + sign * other.business_days,
            elapsed_ms: self.elapsed_ms + i64::from(sign) * other.elapsed_ms,
        };
        let days =
            i64::from(sum.days).abs() + i64::from(sum.business_days).abs() * 7 / 5 + sum.elapsed_ms.abs() / DAY_MS;
        if days > LONGEST_DAYS { Err(BadTime::TooLong) } else { Ok(sum) }
    }
}

impl FromStr for Span {
    type Err = BadTime;
    fn from_str(text: &str) -> Result<Self, BadTime> {
        let mut rest = text.trim();
        let mut span = Self::default();
        let mut before = None;
        if rest.is_empty() {
            return Err(BadTime::Span);
        }
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, tail) = rest.split_at_checked(digits).ok_or(BadTime::Span)?;
            let letters = tail.bytes().take_while(u8::is_ascii_lowercase).count();
            let (unit, tail) = tail.split_at_checked(letters).ok_or(BadTime::Span)?;
            if digits == 0 {
                return Err(BadTime::Span);
            }
            let number: i32 = number.parse().map_err(|_| BadTime::TooLong)?;
            let rank = ["w", "d", "bd", "h", "m", "s"].iter().position(|u| *u == unit).ok_or(BadTime::Span)?;
            // Units in descending order, each once: `5m2h` is more likely a slip than meant.
            if before.is_some_and(|b| rank <= b) {
                return Err(BadTime::Span);
            }
            before = Some(rank);
            let seconds = |n: i64| Self { elapsed_ms: i64::from(number).saturating_mul(n * 1000), ..Self::default() };
            let part = match unit {
                "w" => Self { days: number.checked_mul(7).ok_or(BadTime::TooLong)?, ..Self::default() },
                "d" => Self { days: number, ..Self::default() },
                "bd" => Self { business_days: number, ..Self::default() },
                "h" => seconds(3600),
                "m" => seconds(60),
                _ => seconds(1),
            };
            if i64::from(part.days.max(part.business_days)) > LONGEST_DAYS {
                return Err(BadTime::TooLong);
            }
            span = span.plus(part, 1)?;
            rest = tail;
        }
        Ok(span)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.elapsed_ms / 1000;
        let parts = [
            (i64::from(self.days), "d"),
            (i64::from(self.business_days), "bd"),
            (seconds / 3600, "h"),
            (seconds / 60 % 60, "m"),
            (seconds % 60, "s"),
        ];
        if *self == Self::default() {
            return f.write_str("0s");
        }
        parts.iter().filter(|(n, _)| *n != 0).try_for_each(|(n, unit)| write!(f, "{n}{unit}"))
    }
}

scalar!(Span, "a duration such as `30m`", "pattern": "^\\s*(?=\\d)(\\d+w)?(\\d+d)?(\\d+bd)?(\\d+h)?(\\d+m)?(\\d+s)?\\s*$");

/// A zone of the IANA database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZoneName(pub Tz);

impl FromStr for ZoneName {
    type Err = BadTime;
    fn from_str(text: &str) -> Result<Self, BadTime> {
        text.parse().map(Self).map_err(|_| {
            BadTime::Zone(crate::plan::source::suggest(text, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())))
        })
    }
}

scalar!(ZoneName, "a zone of the IANA database such as `Europe/London`", "pattern": "^[A-Za-z][A-Za-z0-9_+/-]*$");

/// An instant as a plan writes it: with an offset, local, or still open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Instant {
    /// Not fixed yet.
    Open,
    /// An RFC 3339 instant.
    At(Moment),
    /// A local date and time, in the plan's zone.
    Local(NaiveDateTime),
}

impl Instant {
    /// The instant, a local time read in `zone`; `None` while it is open.
    ///
    /// # Errors
    /// [`BadTime::NoZone`], [`BadTime::Skipped`], [`BadTime::Ambiguous`] for a local time that is no one instant.
    pub fn moment(self, zone: Option<Tz>) -> Result<Option<Moment>, BadTime> {
        match self {
            Self::Open => Ok(None),
            Self::At(moment) => Ok(Some(moment)),
            Self::Local(local) => place(local, zone).map(Some),
        }
    }
}

/// The one instant at which clocks in the zone show `local`.
pub(super) fn place(local: NaiveDateTime, zone: Option<Tz>) -> Result<Moment, BadTime> {
    use chrono::LocalResult::{Ambiguous, None as Skipped, Single};
    let zone = zone.ok_or(BadTime::NoZone)?;
    match zone.from_local_datetime(&local) {
        Single(at) => Ok(at.to_utc().into()),
        Ambiguous(..) => Err(BadTime::Ambiguous(local, zone)),
        Skipped => Err(BadTime::Skipped(local, zone)),
    }
}

impl FromStr for Instant {
    type Err = BadTime;
    fn from_str(text: &str) -> Result<Self, BadTime> {
        let text = text.trim();
        if text == "open" {
            return Ok(Self::Open);
        }
        let (date, time) = text.split_once(['T', 't', ' ']).ok_or_else(|| match date(text) {
            Some(_) => BadTime::DateAlone,
            None => impossible_date(text).unwrap_or(BadTime::Instant),
        })?;
        let date = date_of(date)?;
        let clock = time.find(['Z', 'z', '+', '-']).unwrap_or(time.len());
        let (clock, offset) = time.split_at_checked(clock).ok_or(BadTime::Instant)?;
        let local = date.and_time(time_of(clock)?);
        if offset.is_empty() {
            return Ok(Self::Local(local));
        }
        let offset = if offset.eq_ignore_ascii_case("z") { "+00:00" } else { offset };
        DateTime::parse_from_rfc3339(&format!("{}{offset}", local.format("%Y-%m-%dT%H:%M:%S%.f")))
            .map(|t| Self::At(t.to_utc().into()))
            .map_err(|_| BadTime::Instant)
    }
}

pub(super) fn date(text: &str) -> Option<NaiveDate> {
    if is_shaped_as_date(text) { NaiveDate::parse_from_str(text, "%Y-%m-%d").ok() } else { None }
}

fn date_of(text: &str) -> Result<NaiveDate, BadTime> {
    // Instants are whole milliseconds from 1970 on.
    match date(text) {
        Some(date) if date.year() >= 1971 => Ok(date),
        Some(_) => Err(BadTime::Instant),
        None => Err(impossible_date(text).unwrap_or(BadTime::Instant)),
    }
}

/// What is wrong with a date that has the form of one.
pub(super) fn impossible_date(text: &str) -> Option<BadTime> {
    if !is_shaped_as_date(text) || date(text).is_some() {
        return None;
    }
    let part = |range| text.get::<std::ops::Range<usize>>(range)?.parse::<u32>().ok();
    let (year, month) = (i32::try_from(part(0..4)?).ok()?, part(5..7)?);
    let why = match NaiveDate::from_ymd_opt(year, month, 1) {
        Some(first) => format!("{} has {} days", first.format("%B %Y"), first.num_days_in_month()),
        None => "a year has the months 01 to 12".to_owned(),
    };
    Some(BadTime::Impossible(text.to_owned(), why))
}

fn is_shaped_as_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() })
}

fn time_of(text: &str) -> Result<NaiveTime, BadTime> {
    time_of_day(text)
        .or_else(|| NaiveTime::parse_from_str(text, "%H:%M:%S%.f").ok())
        .ok_or_else(|| impossible_time(text).unwrap_or(BadTime::Instant))
}

/// What is wrong with a time of day that has the form of one.
pub(super) fn impossible_time(text: &str) -> Option<BadTime> {
    let fits = |(i, b): (usize, u8)| if i % 3 == 2 { b == b':' } else { b.is_ascii_digit() };
    let shaped = matches!(text.len(), 5 | 8) && text.bytes().enumerate().all(fits);
    shaped.then(|| {
        BadTime::Impossible(text.to_owned(), "a day has the hours 00 to 23, an hour the minutes 00 to 59".to_owned())
    })
}

/// `HH:MM`.
pub(crate) fn time_of_day(text: &str) -> Option<NaiveTime> {
    let shaped =
        text.len() == 5 && text.bytes().enumerate().all(|(i, b)| if i == 2 { b == b':' } else { b.is_ascii_digit() });
    if shaped { NaiveTime::parse_from_str(text, "%H:%M").ok() } else { None }
}

scalar!(Instant, "an instant such as `2027-05-12T07:00` or `2027-05-12T07:00:00Z`, or `open`",
    "pattern": "^\\s*(open|\\d{4}-\\d\\d-\\d\\d[Tt ]\\d\\d:\\d\\d(:\\d\\d(\\.\\d+)?)?([Zz]|[+-]\\d\\d:\\d\\d)?)\\s*$");
