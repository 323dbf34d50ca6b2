//! Times relative to an anchor, as text and as map, and their way into [`Timing`].

use super::span::{date, impossible_date, impossible_time, place, time_of_day};
use super::{BadTime, Instant, Span, Window, ZoneName};
use crate::communique::{Anchor, State, Timing};
use crate::id::CommuniqueId;
use crate::plan::source::shape::{flexible, scalar};
use chrono::{NaiveDateTime, NaiveTime};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Deserialize;
use std::str::FromStr;

/// A time: text such as `planned -14d @09:00`, or a map.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TimeDraft {
    /// As text.
    Text(TimeExpr),
    /// As a map.
    Map(Box<TimeMap>),
}

flexible!(TimeDraft, "a time such as `planned -14d @09:00`, or a map with `from`, `plus`, `between`";
    text(TimeExpr) => TimeDraft::Text;
    map(TimeMap) => |map| TimeDraft::Map(Box::new(map)));

/// A time with what holds it back.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TimeMap {
    /// The time to begin with. By default `declared`.
    #[serde(default)]
    pub from: Option<TimeExpr>,
    /// So much later.
    #[serde(default)]
    pub plus: Option<Span>,
    /// Only in these hours of the day, such as `07:00-20:00`; what falls outside waits for the next.
    #[serde(default)]
    pub between: Option<Window>,
    /// The zone of days and hours: of the IANA database, or `recipient`. By default the plan's.
    #[serde(default)]
    pub zone: Option<ZoneDraft>,
    /// The time after which it is no longer sent.
    #[serde(default)]
    pub not_after: Option<TimeExpr>,
    /// Spread evenly over so long, so that not all are told at once.
    #[serde(default)]
    pub spread: Option<Span>,
}

/// A zone, or each recipient's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZoneDraft {
    /// Each recipient's own; the plan's for who has none.
    Recipient,
    /// This one.
    Named(Tz),
}

impl FromStr for ZoneDraft {
    type Err = BadTime;
    fn from_str(text: &str) -> Result<Self, BadTime> {
        match text {
            "recipient" => Ok(Self::Recipient),
            _ => text.parse::<ZoneName>().map(|z| Self::Named(z.0)),
        }
    }
}

scalar!(ZoneDraft, "a zone such as `Europe/London`, or `recipient`", "pattern": "^[A-Za-z][A-Za-z0-9_+/-]*$");

/// `ANCHOR [± DURATION]… [@HH:MM]`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimeExpr {
    /// What it is relative to.
    pub anchor: AnchorDraft,
    /// Calendar days after the anchor, negative before it.
    pub days: i32,
    /// Business days after that.
    pub business_days: i32,
    /// The time of day to which the day is set.
    pub time_of_day: Option<NaiveTime>,
    /// Elapsed milliseconds after all else.
    pub elapsed_ms: i64,
}

/// What a time is relative to, before the zone is known.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnchorDraft {
    /// An anchor that needs no zone.
    Anchor(Anchor),
    /// A local date and time.
    Local(NaiveDateTime),
}

impl FromStr for TimeExpr {
    type Err = BadTime;
    fn from_str(text: &str) -> Result<Self, BadTime> {
        let mut words = text.split_whitespace().collect::<Vec<_>>();
        let mut time_of_day_ = None;
        if let Some(at) = words.last().and_then(|w| w.strip_prefix('@')) {
            let wrong = || impossible_time(at).unwrap_or_else(|| naming(at, |at| BadTime::TimeOfDay(format!("@{at}"))));
            time_of_day_ = Some(time_of_day(at).ok_or_else(wrong)?);
            words.pop();
        }
        let mut offset = Span::default();
        let first = words.iter().position(|w| w.starts_with(['+', '-'])).unwrap_or(words.len());
        let mut terms = words.split_off(first).into_iter();
        while let Some(term) = terms.next() {
            let sign = match term.chars().next() {
                Some('+') => 1,
                Some('-') => -1,
                _ => return Err(naming(term, BadTime::Offset)),
            };
            // `+ 15m` and `+15m` are the same.
            let amount = match &term[1..] {
                "" => terms.next().ok_or(BadTime::Expression)?,
                amount => amount,
            };
            let duration = amount.parse().map_err(|error| match error {
                BadTime::Span => naming(&format!("{}{amount}", &term[..1]), BadTime::Offset),
                other => other,
            })?;
            offset = offset.plus(duration, sign)?;
        }
        if time_of_day_.is_some() && offset.elapsed_ms != 0 {
            return Err(BadTime::ElapsedBesideTimeOfDay);
        }
        Ok(Self {
            anchor: anchor(&words, time_of_day_)?,
            days: offset.days,
            business_days: offset.business_days,
            time_of_day: time_of_day_,
            elapsed_ms: offset.elapsed_ms,
        })
    }
}

fn anchor(words: &[&str], at: Option<NaiveTime>) -> Result<AnchorDraft, BadTime> {
    let named = |anchor| Ok(AnchorDraft::Anchor(anchor));
    match *words {
        ["planned"] => named(Anchor::Planned),
        ["begun"] => named(Anchor::Begun),
        ["declared"] => named(Anchor::Declared),
        ["embargo"] => named(Anchor::Embargo),
        ["last", "declared"] => named(Anchor::LastDeclared),
        [] => Err(BadTime::Expression),
        [first, ..] if first.starts_with(|c: char| c.is_ascii_digit()) && first.get(4..5) == Some("-") => {
            if let ([day], Some(at)) = (words, at) {
                match date(day) {
                    Some(day) => return Ok(AnchorDraft::Local(day.and_time(at))),
                    None => impossible_date(day).map_or(Ok(()), Err)?,
                }
            }
            match words.join(" ").parse()? {
                Instant::At(moment) => named(Anchor::At(moment)),
                Instant::Local(local) => Ok(AnchorDraft::Local(local)),
                Instant::Open => Err(BadTime::Expression),
            }
        }
        [communique, state] => {
            let unknown = || naming(&words.join(" "), BadTime::Anchor);
            let state: State = state.parse().map_err(|()| unknown())?;
            let communique = CommuniqueId::new(communique).map_err(|_| unknown())?;
            named(Anchor::Reached(communique, state))
        }
        _ => Err(naming(&words.join(" "), BadTime::Anchor)),
    }
}

/// What is wrong with a part of it, naming that part; but a message holds no address.
fn naming(part: &str, wrong: impl FnOnce(String) -> BadTime) -> BadTime {
    if part.contains('@') { BadTime::Expression } else { wrong(part.chars().take(80).collect()) }
}

scalar!(TimeExpr, "a time such as `planned -14d @09:00`, `declared +15m` or `2027-05-12T07:00`", "minLength": 1);

impl TimeExpr {
    /// The time with its days counted in `zone`, the plan's; UTC counts them where a plan has none.
    ///
    /// # Errors
    /// [`BadTime::NoZone`] where a local time or a time of day has no zone; [`BadTime::Skipped`] and [`BadTime::Ambiguous`] for
    /// local times that the zone's clock skips or passes twice.
    pub fn timing(&self, zone: Option<Tz>) -> Result<Timing, BadTime> {
        let anchor = match &self.anchor {
            AnchorDraft::Anchor(anchor) => anchor.clone(),
            AnchorDraft::Local(local) => Anchor::At(place(*local, zone)?),
        };
        if self.time_of_day.is_some() && zone.is_none() {
            return Err(BadTime::NoZone);
        }
        let mut timing = Timing::at(anchor);
        timing.days = self.days;
        timing.business_days = self.business_days;
        timing.elapsed_ms = self.elapsed_ms;
        timing.time_of_day = self.time_of_day;
        timing.zone = zone.unwrap_or(Tz::UTC);
        Ok(timing)
    }
}

impl TimeDraft {
    /// The time with its days counted in its own zone, else in `zone`, the plan's.
    ///
    /// # Errors
    /// As [`TimeExpr::timing`]; [`BadTime::RecipientZone`] for a local date with `zone: recipient`; [`BadTime::TooLong`].
    pub fn timing(&self, zone: Option<Tz>) -> Result<Timing, BadTime> {
        let map = match self {
            Self::Text(expr) => return expr.timing(zone),
            Self::Map(map) => map,
        };
        let (zone, recipient) = match map.zone {
            Some(ZoneDraft::Named(own)) => (Some(own), false),
            Some(ZoneDraft::Recipient) => (zone, true),
            None => (zone, false),
        };
        let is_local = |time: &TimeExpr| matches!(time.anchor, AnchorDraft::Local(_));
        if recipient && map.from.iter().chain(&map.not_after).any(is_local) {
            return Err(BadTime::RecipientZone);
        }
        let mut timing = match &map.from {
            Some(from) => from.timing(zone)?,
            None => Timing { zone: zone.unwrap_or(Tz::UTC), ..Timing::at(Anchor::Declared) },
        };
        if let Some(plus) = map.plus {
            let own = Span { days: timing.days, business_days: timing.business_days, elapsed_ms: timing.elapsed_ms };
            let sum = own.plus(plus, 1)?;
            if timing.time_of_day.is_some() && sum.elapsed_ms != 0 {
                return Err(BadTime::ElapsedBesideTimeOfDay);
            }
            (timing.days, timing.business_days, timing.elapsed_ms) = (sum.days, sum.business_days, sum.elapsed_ms);
        }
        if map.between.is_some() && zone.is_none() && !recipient {
            return Err(BadTime::NoZone);
        }
        timing.between = map.between;
        timing.recipient_zone = recipient;
        timing.spread = map.spread.map(|s| s.as_elapsed().ok_or(BadTime::Span)).transpose()?;
        let not_after = map.not_after.as_ref().map(|t| t.timing(zone)).transpose()?;
        timing.not_after = not_after.map(|end| Box::new(Timing { recipient_zone: recipient, ..end }));
        Ok(timing)
    }
}
