//! Times as the oracle counts them: in minutes, each known to lie between two instants.

use crate::model::{DAY, Minutes, Time, Window};
use chrono::{DateTime, Datelike, Days, NaiveDateTime, TimeZone, Timelike, Weekday};
use chrono_tz::Tz;

/// An instant that lies somewhere between two, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct At {
    pub(super) lo: Minutes,
    pub(super) hi: Minutes,
}

impl At {
    pub(super) fn exact(at: Minutes) -> Self {
        Self { lo: at, hi: at }
    }

    pub(super) fn later(self, by: Minutes) -> Self {
        Self { lo: self.lo + by, hi: self.hi + by }
    }

    /// Later by so much at most.
    pub(super) fn vague(self, by: Minutes) -> Self {
        Self { lo: self.lo, hi: self.hi + by }
    }

    pub(super) fn max(self, other: Self) -> Self {
        Self { lo: self.lo.max(other.lo), hi: self.hi.max(other.hi) }
    }

    pub(super) fn earlier(self, other: Self) -> Self {
        Self { lo: self.lo.min(other.lo), hi: self.hi.min(other.hi) }
    }

    /// Whether it is certainly not after an instant, or certainly after it; `None` if that is unclear.
    pub(super) fn is_by(self, last: Minutes) -> Option<bool> {
        if self.hi <= last {
            Some(true)
        } else if self.lo > last {
            Some(false)
        } else {
            None
        }
    }

    pub(super) fn overlaps(self, other: Self) -> bool {
        self.lo <= other.hi && other.lo <= self.hi
    }
}

pub(super) fn zone(name: &str) -> Tz {
    name.parse().expect("a zone")
}

fn local(at: Minutes, zone: Tz) -> NaiveDateTime {
    DateTime::from_timestamp(at * 60, 0).expect("an instant").with_timezone(&zone).naive_local()
}

/// What a time means when its anchor is there, in a zone.
pub(super) fn resolve(time: &Time, anchor: Minutes, zone: Tz) -> Minutes {
    let mut at = anchor;
    if time.days != 0 || time.business_days != 0 || time.hour.is_some() {
        let then = local(anchor, zone);
        let step = |day: chrono::NaiveDate, by: i64| {
            if by < 0 { day - Days::new(by.unsigned_abs()) } else { day + Days::new(by.unsigned_abs()) }
        };
        let mut day = step(then.date(), time.days);
        for _ in 0..time.business_days.abs() {
            day = step(day, time.business_days.signum());
            while matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
                day = step(day, time.business_days.signum());
            }
        }
        let clock = time.hour.map_or(then.time(), |h| chrono::NaiveTime::from_hms_opt(h, 0, 0).expect("an hour"));
        let there = zone.from_local_datetime(&day.and_time(clock)).earliest();
        at = there.expect("no case speaks of a time that clocks skip").timestamp() / 60;
    }
    at + time.plus
}

/// Hours of the day in zones: all of them must be open.
#[derive(Clone, Debug, Default)]
pub(super) struct Hours(pub(super) Vec<(Window, Tz)>);

impl Hours {
    fn are_open(&self, at: Minutes) -> bool {
        self.0.iter().all(|(Window(from, until), zone)| {
            let hour = local(at, *zone).hour();
            if from < until { *from <= hour && hour < *until } else { hour >= *from || hour < *until }
        })
    }

    /// The first instant from then on at which they are open: looked for quarter by quarter, as zones are apart by quarters of an hour.
    pub(super) fn next(&self, at: Minutes) -> Option<Minutes> {
        if self.0.is_empty() || self.are_open(at) {
            return Some(at);
        }
        let first = (at.div_euclid(15) + 1) * 15;
        (0..3 * DAY / 15).map(|n| first + n * 15).find(|at| self.are_open(*at))
    }

    /// When so much time has passed within them, to a quarter of an hour.
    pub(super) fn pass(&self, at: Minutes, time: Minutes) -> Option<Minutes> {
        let mut at = self.next(at)?;
        let mut left = time;
        while left > 0 {
            let part = left.min(15);
            at = self.next(at + part)?;
            left -= part;
        }
        Some(at)
    }

    /// Whether they are open all the time between two instants.
    pub(super) fn are_open_through(&self, at: At) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let quarters = at.lo.div_euclid(15) + 1..=at.hi.div_euclid(15);
        self.are_open(at.lo) && self.are_open(at.hi) && quarters.map(|q| q * 15).all(|at| self.are_open(at))
    }
}
