//! Times as plans write them: durations, instants, and times relative to an anchor.
//!
//! Days, weeks and business days are calendar days in a zone; hours, minutes and seconds are elapsed. The two are kept apart
//! until an anchor is known.

mod expression;
mod hours;
mod resolve;
mod span;

pub use expression::{AnchorDraft, TimeDraft, TimeExpr, TimeMap, ZoneDraft};
pub use span::{Instant, Span, ZoneName};

pub use crate::communique::Window;

/// Why a time cannot be read or placed on the calendar.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadTime {
    /// No duration.
    #[error("not a duration such as `30m`, `2w3d` or `5bd`")]
    Span,
    /// A duration beyond ten years.
    #[error("a duration is at most ten years")]
    TooLong,
    /// No instant.
    #[error("not an instant such as `2027-05-12T07:00` or `2027-05-12T07:00:00Z`")]
    Instant,
    /// A date or time of day that no calendar and no clock shows.
    #[error("{0} does not exist: {1}")]
    Impossible(String, String),
    /// No time.
    #[error("not a time such as `planned -14d @09:00`, `declared +15m` or `2027-05-12T07:00`")]
    Expression,
    /// A word behind the anchor that is no offset.
    #[error("`{0}` is not a duration such as `-7d`, `+15m` or `+5bd`")]
    Offset(String),
    /// No time of day.
    #[error("`{0}` is not a time of day such as `@09:00`")]
    TimeOfDay(String),
    /// An anchor that does not exist.
    #[error("`{0}` is no anchor: planned, begun, declared, last declared, embargo, or COMMUNIQUE STATE")]
    Anchor(String),
    /// Hours, minutes or seconds beside a time of day.
    #[error("`@HH:MM` sets the time of day: beside it stand only `d`, `w` and `bd`")]
    ElapsedBesideTimeOfDay,
    /// A date alone.
    #[error("a date alone has no time of day: add `T07:00` or `@07:00`")]
    DateAlone,
    /// No window of the day.
    #[error("not hours of the day such as `07:00-20:00`")]
    Window,
    /// No zone.
    #[error("not a zone of the IANA database such as `Europe/London`{}", meant(*.0))]
    Zone(Option<&'static str>),
    /// A local time without a zone.
    #[error("a local time needs a zone: set `zone` in the plan, or give the offset")]
    NoZone,
    /// A local time that the clock skips.
    #[error("{0} does not exist in {1}: the clock is put forward over it")]
    Skipped(chrono::NaiveDateTime, chrono_tz::Tz),
    /// A local time that the clock passes twice.
    #[error("{0} happens twice in {1}: give the offset")]
    Ambiguous(chrono::NaiveDateTime, chrono_tz::Tz),
    /// A local date where each recipient has a zone of their own.
    #[error("with `zone: recipient` a time is relative, such as `planned @09:00`, or has its offset: give the offset")]
    RecipientZone,
}

fn meant(near: Option<&'static str>) -> String {
    near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}
