//! What the machines are told by the plan and the channels, and the one table that reads an attempt's outcome.

use super::LaneInput;
use crate::channel::{ChannelError, Effect, ErrorKind, Outcome, Retry, Scope};
use crate::clock::Moment;
use crate::communique::{Hours, Indeterminate};
use crate::id::LaneNo;
use crate::mechanism::Deduplication;
use crate::receipt::Assurance;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::time::Duration;

/// The way a delivery may take: its steps, preferred first, and what makes it end.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Path {
    /// What makes the stakeholder count as informed.
    pub informed_when: Assurance,
    /// The steps that this stakeholder has an address for.
    pub steps: Vec<PathStep>,
    /// No step is begun after it.
    pub not_after: Option<Moment>,
    /// The hours outside which nothing is tried.
    pub hours: Hours,
    /// How often and at what pace an attempt is repeated.
    pub retries: Retries,
    /// What becomes of an attempt whose outcome is unknown.
    pub indeterminate: Indeterminate,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PathStep {
    /// The lane that carries it.
    pub lane: LaneNo,
    /// Whether the far side recognises a repeat.
    pub deduplication: Deduplication,
    /// The step is begun also when this is not reached within so long of the acceptance of the step before.
    pub unless: Option<(Assurance, Duration)>,
    /// Whether it is credited by a post, which keeps the hours itself.
    pub is_shared: bool,
    /// Whether it is begun together with the step before it, as one of several at once.
    pub is_joined: bool,
}

impl PathStep {
    /// A step on this lane, begun when the one before it was refused.
    #[must_use]
    pub fn new(lane: LaneNo, deduplication: Deduplication) -> Self {
        Self { lane, deduplication, unless: None, is_shared: false, is_joined: false }
    }

    /// A step begun also when `assurance` is not reached within so long.
    #[must_use]
    pub fn unless(mut self, assurance: Assurance, within: Duration) -> Self {
        self.unless = Some((assurance, within));
        self
    }

    /// A step begun together with the one before it.
    #[must_use]
    pub fn joined(mut self) -> Self {
        self.is_joined = true;
        self
    }
}

impl Path {
    /// A path of these steps, with the default retries, that holds what is unknown.
    #[must_use]
    pub fn new(informed_when: Assurance, steps: Vec<PathStep>) -> Self {
        Self {
            informed_when,
            steps,
            not_after: None,
            hours: Hours::default(),
            retries: Retries::default(),
            indeterminate: Indeterminate::Hold,
        }
    }

    /// When a step that may be tried from `at` on falls into its hours: from when, and until when. What begins after
    /// [`not_after`](Self::not_after) is never tried.
    #[must_use]
    pub fn slot(&self, step: u8, at: Moment) -> (Moment, Option<Moment>) {
        if self.steps.get(usize::from(step)).is_none_or(|step| step.is_shared) {
            return (at, self.not_after);
        }
        match self.hours.next(at) {
            Some((from, last)) => (from, [last, self.not_after].into_iter().flatten().min()),
            // Hours that never come: its time is over.
            None => (Moment::MAX, Some(self.not_after.unwrap_or(at))),
        }
    }

    /// Whether what may be tried from then on may be tried at all.
    #[must_use]
    pub fn is_in_time(&self, from: Moment) -> bool {
        from < Moment::MAX && self.not_after.is_none_or(|last| from <= last)
    }

    /// The steps that are begun at once with this one, itself among them; alone, where it is on none of them.
    #[must_use]
    pub fn together(&self, step: u8) -> Range<u8> {
        let joined = |n: u8| self.steps.get(usize::from(n)).is_some_and(|step| step.is_joined);
        let first = (0..=step).rev().find(|n| !joined(*n)).unwrap_or(0);
        let end = (step..u8::MAX).map(|n| n + 1).find(|n| !joined(*n)).unwrap_or(u8::MAX);
        first..end
    }

    /// What the delivery goes on for: the strongest of the rule and of every condition that opens a step. Reaching the rule alone must
    /// not stop a timer that asks for more.
    #[must_use]
    pub fn pursue(&self) -> Assurance {
        self.steps.iter().filter_map(|s| s.unless.map(|(a, _)| a)).fold(self.informed_when, Assurance::max)
    }
}

/// How often an attempt is repeated, and at what pace: the wait doubles from `first` up to `longest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Retries {
    /// How many tries a step has, the first included.
    pub tries: u8,
    /// The wait after the first try.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
    /// Sets the waits of different gates apart by up to a tenth, while those of one gate return together and can share a call.
    pub salt: u32,
}

impl Default for Retries {
    /// Eight tries; 5 s, 10 s, 20 s … up to one hour.
    fn default() -> Self {
        Self { tries: 8, first: Duration::from_secs(5), longest: Duration::from_secs(3600), salt: 0 }
    }
}

impl Retries {
    /// The wait after the `n`-th try, from 1.
    #[must_use]
    pub fn wait(&self, n: u8) -> Duration {
        let doubled = self.first.saturating_mul(1u32.checked_shl(u32::from(n.saturating_sub(1))).unwrap_or(u32::MAX));
        let wait = doubled.min(self.longest);
        // A multiplicative hash spreads neighbouring salts; 0..=99 thousandths are added.
        let spread = (self.salt.wrapping_add(u32::from(n)).wrapping_mul(0x9E37_79B1) >> 16) % 100;
        if self.salt == 0 { wait } else { wait + wait.saturating_mul(spread) / 1000 }
    }
}

/// How an attempt ended for one delivery, as the delivery machine sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finish {
    /// The far side took it over, with this proved.
    Accepted(Assurance),
    /// It was not sent; another try makes sense, not before `after` if that is given.
    Again {
        /// How long the far side asked to wait.
        after: Option<Duration>,
        /// What it was.
        kind: ErrorKind,
    },
    /// It was not sent, and the answer is final.
    Refused(ErrorKind),
    /// It was not sent because of the lane; the try does not count.
    LaneFault {
        /// When the lane is tried again.
        until: Moment,
        /// What it was.
        kind: ErrorKind,
    },
    /// It may have been sent.
    Maybe(ErrorKind),
    /// It was called off before it could be sent; the try does not count.
    Returned,
    /// It was not sent: the plan has no such step any more, or whoever it is for is not on the roll.
    Gone,
}

/// Reads an outcome: what it means for the delivery and what for the lane. This is the only place where that is decided.
///
/// The instant of [`Finish::LaneFault`] is filled in from the lane's own decision.
#[must_use]
pub fn judge(outcome: &Outcome) -> (Finish, LaneInput) {
    let error = match outcome {
        Outcome::Accepted(accepted) => return (Finish::Accepted(accepted.assurance), LaneInput::Works),
        Outcome::Failed(error) => error,
    };
    let kind = error.kind;
    let wide = matches!(error.scope, Scope::Endpoint | Scope::Channel);
    let lane = if wide { lane_input(error) } else { LaneInput::Works };
    let finish = match (error.effect, error.retry) {
        (Effect::MaybeSent, _) => Finish::Maybe(kind),
        _ if kind == ErrorKind::Cancelled => return (Finish::Returned, LaneInput::Idle),
        _ if wide => Finish::LaneFault { until: Moment::MAX, kind },
        (Effect::NotSent, Retry::Never) => Finish::Refused(kind),
        (Effect::NotSent, Retry::Backoff) => Finish::Again { after: None, kind },
        (Effect::NotSent, Retry::After(after)) => Finish::Again { after: Some(after), kind },
    };
    (finish, lane)
}

fn lane_input(error: &ChannelError) -> LaneInput {
    match error.retry {
        Retry::Never => LaneInput::Bar(error.kind),
        Retry::Backoff => LaneInput::Fault(None),
        Retry::After(after) => LaneInput::Fault(Some(after)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Accepted;
    use std::collections::BTreeSet;

    #[test]
    fn the_table_of_outcomes() {
        let fault = |kind, scope, retry| ChannelError::new(kind, "").scope(scope).retry(retry);
        let minute = Duration::from_secs(60);
        let cases = [
            (Outcome::Accepted(Accepted::new(Assurance::Accepted)), "Accepted(Accepted) Works"),
            (
                Outcome::Failed(fault(ErrorKind::RecipientInvalid, Scope::Recipient, Retry::Never)),
                "Refused(RecipientInvalid) Works",
            ),
            (Outcome::Failed(fault(ErrorKind::TooLarge, Scope::Message, Retry::Never)), "Refused(TooLarge) Works"),
            (
                Outcome::Failed(fault(ErrorKind::Quota, Scope::Recipient, Retry::Backoff)),
                "Again { after: None, kind: Quota } Works",
            ),
            (
                Outcome::Failed(fault(ErrorKind::Unavailable, Scope::Recipient, Retry::After(minute))),
                "Again { after: Some(60s), kind: Unavailable } Works",
            ),
            (
                Outcome::Failed(fault(ErrorKind::RateLimited, Scope::Endpoint, Retry::After(minute))),
                "LaneFault { until: 9999-12-31T23:59:59.999Z, kind: RateLimited } Fault(Some(60s))",
            ),
            (
                Outcome::Failed(fault(ErrorKind::Authentication, Scope::Channel, Retry::Never)),
                "LaneFault { until: 9999-12-31T23:59:59.999Z, kind: Authentication } Bar(Authentication)",
            ),
            (
                Outcome::Failed(fault(ErrorKind::Timeout, Scope::Recipient, Retry::Backoff).maybe_sent()),
                "Maybe(Timeout) Works",
            ),
            (
                Outcome::Failed(fault(ErrorKind::Timeout, Scope::Channel, Retry::Backoff).maybe_sent()),
                "Maybe(Timeout) Fault(None)",
            ),
            (Outcome::Failed(fault(ErrorKind::Cancelled, Scope::Recipient, Retry::Never)), "Returned Idle"),
        ];
        for (outcome, expected) in cases {
            let (finish, lane) = judge(&outcome);
            assert_eq!(format!("{finish:?} {lane:?}"), expected);
        }
    }

    #[test]
    fn waits_double_up_to_the_longest_and_salts_spread_them_by_a_tenth_at_most() {
        let plain = Retries::default();
        let waits: Vec<u64> = (1..=12).map(|n| plain.wait(n).as_secs()).collect();
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]);
        assert_eq!(plain.wait(u8::MAX), plain.longest);
        for salt in 1..500 {
            let salted = Retries { salt, ..plain };
            for n in 1..10 {
                assert!(salted.wait(n) >= plain.wait(n) && salted.wait(n) < plain.wait(n).mul_f64(1.1));
            }
        }
        let apart: BTreeSet<Duration> = (1..=100).map(|salt| Retries { salt, ..plain }.wait(1)).collect();
        assert!(apart.len() > 60, "a hundred gates share {} waits", apart.len());
    }
}
