//! From an anchor's instant to the instant that a time means: pure calendar computation.

use crate::clock::Moment;
use crate::communique::{Anchor, Timing};
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, TimeZone, Utc, Weekday};
use chrono_tz::Tz;
use std::time::Duration;

impl Timing {
    /// The instant that this time means when its anchor is at `anchor`; a fixed anchor is its own. A time in each recipient's zone is
    /// taken in [`zone`](Self::zone).
    ///
    /// Calendar days, business days and the time of day are counted in the time's zone and keep the wall clock's time where none
    /// is given; a local time that the zone's clock skips becomes the first instant after the gap, one that it passes twice the
    /// earlier of the two. Elapsed time is added last. [`between`](Self::between) and [`spread`](Self::spread) are kept for each
    /// delivery and are not part of this.
    #[must_use]
    pub fn resolve(&self, anchor: Moment) -> Moment {
        self.resolve_for(anchor, self.zone)
    }

    /// The instant that this time means for a recipient in that zone: as [`resolve`](Self::resolve), with days and times of day in their
    /// zone where the time says so.
    #[must_use]
    pub fn resolve_for(&self, anchor: Moment, recipient: Tz) -> Moment {
        let zone = if self.recipient_zone { recipient } else { self.zone };
        let anchor = if let Anchor::At(fixed) = self.anchor { fixed } else { anchor };
        let mut at = anchor;
        if self.days != 0 || self.business_days != 0 || self.time_of_day.is_some() {
            let local = anchor.datetime().with_timezone(&zone).naive_local();
            let day = add_business_days(add_days(local.date(), self.days), self.business_days);
            at = earliest(day.and_time(self.time_of_day.unwrap_or(local.time())), zone);
        }
        let elapsed = Duration::from_millis(self.elapsed_ms.unsigned_abs());
        if self.elapsed_ms < 0 { at - elapsed } else { at + elapsed }
    }
}

fn add_days(day: NaiveDate, days: i32) -> NaiveDate {
    let by = Days::new(u64::from(days.unsigned_abs()));
    let moved = if days < 0 { day.checked_sub_days(by) } else { day.checked_add_days(by) };
    moved.unwrap_or(if days < 0 { NaiveDate::MIN } else { NaiveDate::MAX })
}

/// So many steps to the next (or last) Monday to Friday; none for none, also from a weekend.
fn add_business_days(day: NaiveDate, count: i32) -> NaiveDate {
    // Whole weeks hold five business days each; what is left is at most four steps over one weekend.
    let mut day = day;
    let step = count.signum();
    let is_weekend = |d: NaiveDate| matches!(d.weekday(), Weekday::Sat | Weekday::Sun);
    let mut left = count;
    if left != 0 && is_weekend(day) {
        // From a weekend the first step lands on a business day; whole weeks are counted from there.
        while is_weekend(day) {
            day = add_days(day, step);
        }
        left -= step;
    }
    day = add_days(day, (left / 5).saturating_mul(7));
    for _ in 0..(left % 5).abs() {
        day = add_days(day, step);
        while is_weekend(day) {
            day = add_days(day, step);
        }
    }
    day
}

/// The earlier of the instants at which clocks in the zone show `local`, or the first instant after the gap that holds it.
fn earliest(local: NaiveDateTime, zone: Tz) -> Moment {
    match zone.from_local_datetime(&local) {
        chrono::LocalResult::Single(at) | chrono::LocalResult::Ambiguous(at, _) => at.to_utc().into(),
        chrono::LocalResult::None => after_gap(local, zone).into(),
    }
}

/// The instant of the transition that skips `local`: found by halving between instants on both sides of it.
fn after_gap(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    let shown = |seconds: i64| {
        DateTime::from_timestamp(seconds, 0).map(|at| at.with_timezone(&zone).naive_local()).unwrap_or_default()
    };
    // Offsets lie within a day of UTC, so the transition is within two days of the local time read as UTC.
    let middle = local.and_utc().timestamp();
    let (mut before, mut after) = (middle - 172_800, middle + 172_800);
    while after - before > 1 {
        let half = before + (after - before) / 2;
        if shown(half) > local {
            after = half;
        } else {
            before = half;
        }
    }
    DateTime::from_timestamp(after, 0).unwrap_or_else(|| local.and_utc())
}
