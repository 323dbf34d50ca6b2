//! Hours of the day: when a window opens and closes again, by the clocks of a zone, on the days too on which these are changed.

use super::BadTime;
use super::span::time_of_day;
use crate::clock::Moment;
use crate::communique::{Hours, Window};
use crate::plan::source::shape::scalar;
use chrono::{DateTime, NaiveTime, Offset, TimeZone, Timelike};
use chrono_tz::Tz;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

const DAY_MS: i64 = 86_400_000;

/// How far ahead a change of the clocks is looked for: more than a day, so that every time of day lies within. No zone has ever changed
/// its clocks there and back again within so short a time.
const AHEAD_MS: i64 = DAY_MS + DAY_MS / 2;

/// Windows that have not met within so long never will: each comes every day, and clocks are changed within the year.
const LONGEST_MS: i64 = 370 * DAY_MS;

impl Window {
    /// The first instant from `from` on at which clocks in the zone show a time of the window.
    ///
    /// Where clocks are put forward over a part of the window, it opens after the gap, and that day not at all if nothing is left of it;
    /// where they are put back into the window, it opens again.
    #[must_use]
    pub fn next(&self, from: Moment, zone: Tz) -> Moment {
        self.change(from, zone, true)
    }

    /// The first instant from `from` on at which clocks in the zone show no time of the window.
    #[must_use]
    pub fn close(&self, from: Moment, zone: Tz) -> Moment {
        self.change(from, zone, false)
    }

    /// Whether the time of day lies in the window: from its beginning on, before its end, over midnight if it ends earlier.
    #[must_use]
    pub fn holds(&self, at: NaiveTime) -> bool {
        if self.from < self.until { self.from <= at && at < self.until } else { at >= self.from || at < self.until }
    }

    fn change(&self, from: Moment, zone: Tz, open: bool) -> Moment {
        let edge = if open { self.from } else { self.until };
        let mut at = from.millis();
        // As long as clocks are not changed, the next edge is within a day.
        loop {
            let shown = at.saturating_add(offset(at, zone)).rem_euclid(DAY_MS);
            if self.holds(time(shown)) == open {
                return Moment::from_millis(at);
            }
            let next = at.saturating_add((millis(edge) - shown).rem_euclid(DAY_MS));
            match changed(at, zone) {
                Some(changed) if changed < next => at = changed,
                _ => return Moment::from_millis(next),
            }
        }
    }
}

impl Hours {
    /// When all windows are open at once, from `from` on: the first such instant, and the last before one of them closes. `None` where
    /// they never are, and no last where there is no window.
    #[must_use]
    pub fn next(&self, from: Moment) -> Option<(Moment, Option<Moment>)> {
        let mut at = from;
        loop {
            let opens = self.0.iter().fold(at, |at, (window, zone)| window.next(at, *zone));
            if opens == at {
                break;
            }
            if opens.millis().saturating_sub(from.millis()) > LONGEST_MS {
                return None;
            }
            at = opens;
        }
        let closes = self.0.iter().map(|(window, zone)| window.close(at, *zone)).min();
        Some((at, closes.map(|closes| Moment::from_millis(closes.millis() - 1))))
    }

    /// The instant at which so much time has passed within the hours, from `from` on; `None` where they never come.
    #[must_use]
    pub fn pass(&self, from: Moment, mut time: Duration) -> Option<Moment> {
        let mut from = from;
        loop {
            let (opens, last) = self.next(from)?;
            let Some(closes) = last.map(|last| last + Duration::from_millis(1)) else { return Some(opens + time) };
            let open = closes.since(opens);
            if time < open {
                return Some(opens + time);
            }
            // At the end of all time nothing passes any more.
            if open.is_zero() {
                return None;
            }
            time -= open;
            from = closes;
        }
    }
}

/// How far clocks in the zone are ahead of UTC at an instant, in milliseconds.
fn offset(at: i64, zone: Tz) -> i64 {
    let at = DateTime::from_timestamp_millis(at).unwrap_or_default();
    i64::from(zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc()) * 1000
}

/// The instant at which clocks are changed next, if that is soon: found by halving. It falls on a whole second.
fn changed(at: i64, zone: Tz) -> Option<i64> {
    let now = offset(at, zone);
    let (mut before, mut after) = (at.div_euclid(1000), at.saturating_add(AHEAD_MS).div_euclid(1000));
    if offset(after * 1000, zone) == now {
        return None;
    }
    while after - before > 1 {
        let half = before + (after - before) / 2;
        if offset(half * 1000, zone) == now {
            before = half;
        } else {
            after = half;
        }
    }
    Some(after * 1000)
}

fn millis(time: NaiveTime) -> i64 {
    i64::from(time.num_seconds_from_midnight()) * 1000 + i64::from(time.nanosecond() / 1_000_000)
}

fn time(millis: i64) -> NaiveTime {
    let seconds = u32::try_from(millis / 1000).unwrap_or_default();
    let nanos = u32::try_from(millis % 1000).unwrap_or_default() * 1_000_000;
    NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanos).unwrap_or_default()
}

impl FromStr for Window {
    type Err = BadTime;
    fn from_str(text: &str) -> Result<Self, BadTime> {
        let (from, until) = text.split_once('-').ok_or(BadTime::Window)?;
        let from = time_of_day(from.trim()).ok_or(BadTime::Window)?;
        let until = match until.trim() {
            "24:00" => NaiveTime::MIN,
            until => time_of_day(until).ok_or(BadTime::Window)?,
        };
        if from == until { Err(BadTime::Window) } else { Ok(Self { from, until }) }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.from.format("%H:%M"), self.until.format("%H:%M"))
    }
}

impl serde::Serialize for Window {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

scalar!(Window, "hours of the day such as `07:00-20:00`", "pattern": "^\\s*\\d\\d:\\d\\d\\s*-\\s*\\d\\d:\\d\\d\\s*$");
