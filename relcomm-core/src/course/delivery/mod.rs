//! The delivery: one gate to one stakeholder. Its legs are the mechanisms begun, one after another or several at once; at most one of
//! them flies at a time.

mod decide;

use super::policy::{Finish, Path};
use super::{Facts, SessionNo};
use crate::channel::{ErrorKind, Found};
use crate::clock::Moment;
use crate::id::LaneNo;
use crate::receipt::{Assurance, Evidence};
use decide::Course;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// The state of a delivery.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Delivery {
    /// The legs, in the order in which they were begun.
    pub legs: SmallVec<[Leg; 1]>,
    /// Why nothing more is begun, once that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
}

/// One mechanism that was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Leg {
    /// The step of the path.
    pub step: u8,
    /// The lane that carries it.
    pub lane: LaneNo,
    /// Where it stands.
    pub stage: Stage,
    /// How many tries were begun that count.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tries: u8,
    /// How often the far side was asked about it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub asked: u8,
    /// The most that is proved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sure: Option<Assurance>,
    /// Whether negative evidence came.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
    /// Whether a try before may have gone out, although nothing proves it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub maybe: bool,
    /// Whether it waits for a post that others share, and lets every other leg that is ready go before it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rides: bool,
    /// How often the steps had been begun once more by a person's word.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub round: u8,
}

impl Clone for Delivery {
    fn clone(&self) -> Self {
        // A slice at once: the list would clone its legs one by one, and each delivery is copied on its way.
        Self { legs: SmallVec::from_slice(&self.legs), end: self.end }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
fn is_zero(n: &u8) -> bool {
    *n == 0
}

impl Leg {
    /// Whether it told the stakeholder, as far as is known. One that failed short of *delivered* did not.
    pub(crate) fn has_told(&self) -> bool {
        self.sure >= Some(Assurance::Accepted) && !(self.failed && self.sure < Some(Assurance::Delivered))
    }

    /// Whether it was handed to a person, who has not done it yet.
    pub(crate) fn is_task(&self) -> bool {
        matches!(self.stage, Stage::Awaiting { .. }) && self.sure < Some(Assurance::Accepted) && !self.failed
    }
}

/// Where a leg stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// It may be tried.
    Ready {
        /// From then.
        at: Moment,
        /// Until then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Moment>,
    },
    /// An attempt is under way.
    Flying {
        /// By this session.
        session: SessionNo,
    },
    /// The far side took it over; receipts may come.
    Awaiting {
        /// What moves it on, if anything does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waiting: Option<Waiting>,
    },
    /// It may have been sent; nobody knows.
    Doubt {
        /// When the far side is asked; never, if it is held.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        query_at: Option<Moment>,
    },
    /// It will not be tried again. Evidence may still come.
    Shut {
        /// Why.
        why: Shut,
        /// Before when it is not taken up again, if it was stopped or given up while it was ready from then on: a far side may have asked for
        /// that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        not_before: Option<Moment>,
    },
}

/// What moves an accepted leg on to the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Waiting {
    /// Unless this is reached…
    pub unless: Assurance,
    /// …by then.
    pub by: Moment,
    /// The far side may put it off until then at most.
    pub latest: Moment,
}

/// Why a leg is shut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Shut {
    /// The far side refused it.
    Refused(ErrorKind),
    /// No tries are left.
    Spent(ErrorKind),
    /// It came back.
    Bounced,
    /// The next step was begun.
    MovedOn,
    /// Its time was over.
    Expired,
    /// It was not needed any more.
    Stopped,
    /// The far side says that it never got it.
    NotSent,
    /// The plan had no such step any more when it was prepared again, or whoever it is for was not on the roll.
    Gone,
}

/// Why nothing more is begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum End {
    /// What it was pursuing is reached.
    Reached,
    /// No step is left.
    Exhausted,
    /// Its time was over.
    Expired,
}

/// What happens to a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeliveryInput {
    /// A session takes the ready leg for an attempt.
    Lease(SessionNo),
    /// An attempt ended.
    Finish {
        /// Which leg.
        leg: u8,
        /// The session that flew it.
        session: SessionNo,
        /// How.
        finish: Finish,
    },
    /// The session that flew a leg is dead.
    Lost {
        /// Which leg.
        leg: u8,
        /// The dead session.
        session: SessionNo,
    },
    /// The post that this delivery shares ended so.
    Posted {
        /// Which leg.
        leg: u8,
        /// How.
        finish: Finish,
    },
    /// Time has passed.
    Tick,
    /// The plan was prepared again: what its steps no longer carry is given up, and what was given up for that and what may be tried
    /// besides is begun.
    Review,
    /// A person wants it tried once more: if nobody was told and nothing is under way, its steps are begun again from the first.
    Retry,
    /// Nothing more is to be begun: whoever it is for was erased. What is out stays open to evidence.
    Stop,
    /// The far side is to be asked about a leg in doubt.
    Ask {
        /// Which leg.
        leg: u8,
        /// Until when it has time to answer.
        until: Moment,
    },
    /// The far side answered the question about a leg in doubt.
    Answer {
        /// Which leg.
        leg: u8,
        /// Which question, from 1.
        asked: u8,
        /// What it said.
        found: Found,
    },
    /// A receipt came.
    Receipt {
        /// Which leg.
        leg: u8,
        /// What it says.
        evidence: Evidence,
        /// Whether its origin is proved.
        verified: bool,
    },
}

/// What becomes of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DeliveryFact {
    /// An attempt was begun.
    Started {
        /// Which leg.
        leg: u8,
        /// By this session.
        session: SessionNo,
    },
    /// The far side took it over.
    Accepted {
        /// Which leg.
        leg: u8,
        /// What that proves.
        sure: Assurance,
        /// What moves it on, if anything does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waiting: Option<Waiting>,
    },
    /// It will be tried again, or it is taken up again after it was stopped.
    Again {
        /// Which leg.
        leg: u8,
        /// Not before then.
        at: Moment,
        /// Until when.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Moment>,
        /// Whether the try that ended counts.
        counts: bool,
        /// Why.
        kind: ErrorKind,
        /// Whether the try that ended may have gone out.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        maybe: bool,
    },
    /// It waits until then: its hours were over before it was tried, or it was given up and the plan has its step again.
    Postponed {
        /// Which leg.
        leg: u8,
        /// Not before then.
        at: Moment,
        /// Until when.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Moment>,
    },
    /// Nobody knows whether it went out.
    Doubted {
        /// Which leg.
        leg: u8,
        /// When the far side is asked; never, if it is held.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        query_at: Option<Moment>,
    },
    /// The far side is asked about a leg in doubt.
    Asked {
        /// Which leg.
        leg: u8,
        /// When it is asked again, if it has not answered.
        until: Moment,
    },
    /// A leg is shut.
    Shut {
        /// Which leg.
        leg: u8,
        /// Why.
        why: Shut,
    },
    /// The next step was begun.
    Begun {
        /// The step of the path.
        step: u8,
        /// Its lane.
        lane: LaneNo,
        /// From when it may be tried.
        at: Moment,
        /// Until when.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Moment>,
        /// Whether it waits for a post that others share, and lets every other leg that is ready go before it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        rides: bool,
        /// How often the steps had been begun once more by a person's word.
        #[serde(default, skip_serializing_if = "is_zero")]
        round: u8,
    },
    /// More is proved.
    Proved {
        /// Which leg.
        leg: u8,
        /// What.
        sure: Assurance,
    },
    /// Negative evidence came.
    Failed {
        /// Which leg.
        leg: u8,
    },
    /// The far side is still trying; the next step waits longer.
    Delayed {
        /// Which leg.
        leg: u8,
        /// Until then.
        by: Moment,
    },
    /// Evidence that changes nothing: unverified, or known before.
    Noted {
        /// Which leg.
        leg: u8,
    },
    /// Nothing more is begun.
    Ended(End),
    /// What was reached has been taken back, or it is tried once more.
    Reopened,
}

impl Delivery {
    /// A delivery whose first leg may be tried.
    #[must_use]
    pub fn ready(step: u8, lane: LaneNo, at: Moment, until: Option<Moment>) -> Self {
        let mut new = Self::default();
        new.apply(&DeliveryFact::Begun { step, lane, at, until, rides: false, round: 0 });
        new
    }

    /// The step of one of its legs in a path. That is the one of its number, as long as the plan is the same. If it was prepared again and has
    /// other steps there, the legs of a lane and round are its steps in their order; `None` if the plan has no such step any more.
    #[must_use]
    pub fn step_in(&self, leg: &Leg, path: &Path) -> Option<u8> {
        self.step_among(leg, |step| path.steps.get(step).map(|step| step.lane))
    }

    /// The step of a leg among steps on these lanes.
    pub(crate) fn step_among(&self, leg: &Leg, lane: impl Fn(usize) -> Option<LaneNo>) -> Option<u8> {
        let alike = || self.legs.iter().filter(|other| (other.lane, other.round) == (leg.lane, leg.round));
        if alike().all(|other| lane(usize::from(other.step)) == Some(leg.lane)) {
            return Some(leg.step);
        }
        let before = alike().take_while(|other| other.step != leg.step).count();
        let steps = (0..u8::MAX).map_while(|step| Some((step, lane(usize::from(step))?)));
        steps.filter(|(_, lane)| *lane == leg.lane).nth(before).map(|(step, _)| step)
    }

    /// What follows from an input. No facts means that the input changes nothing and need not be recorded.
    #[must_use]
    pub fn decide(&self, path: &Path, input: &DeliveryInput, now: Moment) -> Facts<DeliveryFact> {
        Course::new(path, self.clone(), now).take(input)
    }

    /// What follows from [`DeliveryInput::Lease`]: it is decided without the path, so that a journal can decide it.
    #[must_use]
    pub fn lease(&self, session: SessionNo, now: Moment) -> Option<DeliveryFact> {
        let (leg, _, at, until) = self.ready_leg()?;
        let in_time = at <= now && until.is_none_or(|until| now <= until);
        in_time.then_some(DeliveryFact::Started { leg, session })
    }

    /// Takes a fact; the only mutation.
    pub fn apply(&mut self, fact: &DeliveryFact) {
        use DeliveryFact as F;
        match *fact {
            F::Begun { step, lane, at, until, rides, round } => self.legs.push(Leg {
                step,
                lane,
                stage: Stage::Ready { at, until },
                tries: 0,
                asked: 0,
                sure: None,
                failed: false,
                maybe: false,
                rides,
                round,
            }),
            F::Ended(end) => {
                self.end = Some(end);
                for leg in &mut self.legs {
                    if let Stage::Awaiting { waiting } = &mut leg.stage {
                        *waiting = None;
                    }
                }
            }
            F::Reopened => self.end = None,
            F::Started { leg, session } => self.with(leg, |leg| {
                leg.stage = Stage::Flying { session };
                leg.tries = leg.tries.saturating_add(1);
                leg.sure = leg.sure.max(Some(Assurance::Attempted));
            }),
            F::Accepted { leg, sure, waiting } => self.with(leg, |leg| {
                leg.stage = Stage::Awaiting { waiting };
                leg.sure = leg.sure.max(Some(sure));
            }),
            F::Again { leg, at, until, counts, maybe, .. } => self.with(leg, |leg| {
                leg.stage = Stage::Ready { at, until };
                leg.maybe |= maybe;
                if !counts {
                    leg.tries = leg.tries.saturating_sub(1);
                }
            }),
            F::Postponed { leg, at, until } => self.with(leg, |leg| leg.stage = Stage::Ready { at, until }),
            F::Doubted { leg, query_at } => self.with(leg, |leg| leg.stage = Stage::Doubt { query_at }),
            F::Asked { leg, until } => self.with(leg, |leg| {
                leg.asked = leg.asked.saturating_add(1);
                leg.stage = Stage::Doubt { query_at: Some(until) };
            }),
            F::Shut { leg, why } => self.with(leg, |leg| {
                let not_before = match leg.stage {
                    Stage::Ready { at, .. } if matches!(why, Shut::Stopped | Shut::Gone) => Some(at),
                    _ => None,
                };
                leg.stage = Stage::Shut { why, not_before };
            }),
            F::Proved { leg, sure } => self.with(leg, |leg| leg.sure = leg.sure.max(Some(sure))),
            F::Failed { leg } => self.with(leg, |leg| leg.failed = true),
            F::Delayed { leg, by } => self.with(leg, |leg| {
                if let Stage::Awaiting { waiting: Some(waiting) } = &mut leg.stage {
                    waiting.by = by;
                }
            }),
            F::Noted { .. } => {}
        }
        // A condition that is met by any mechanism stops every timer that asks for it.
        let waits = |leg: &Leg| matches!(leg.stage, Stage::Awaiting { waiting: Some(_) });
        if !self.legs.iter().any(waits) {
            return;
        }
        let best = self.best();
        for leg in &mut self.legs {
            if let Stage::Awaiting { waiting } = &mut leg.stage
                && waiting.is_some_and(|w| best >= Some(w.unless))
            {
                *waiting = None;
            }
        }
    }

    fn with(&mut self, leg: u8, change: impl FnOnce(&mut Leg)) {
        if let Some(leg) = self.legs.get_mut(usize::from(leg)) {
            change(leg);
        }
    }

    /// The most that is proved over all legs. A leg that failed short of *delivered* proves nothing.
    #[must_use]
    pub fn best(&self) -> Option<Assurance> {
        self.legs.iter().filter(|l| !(l.failed && l.sure < Some(Assurance::Delivered))).filter_map(|l| l.sure).max()
    }

    /// The leg that may be tried next, if there is one: its number, its lane, from when and until when. Of several it is the earliest
    /// that waits for no post, and while one flies it is none of them.
    #[must_use]
    pub fn ready_leg(&self) -> Option<(u8, LaneNo, Moment, Option<Moment>)> {
        if self.end.is_some() {
            return None;
        }
        let mut first = None;
        // Later than anything.
        let mut before = (true, Moment::MAX);
        for (leg, n) in self.legs.iter().zip(0u8..) {
            match leg.stage {
                Stage::Flying { .. } => return None,
                Stage::Ready { at, until } if first.is_none() || (leg.rides, at) < before => {
                    before = (leg.rides, at);
                    first = Some((n, leg.lane, at, until));
                }
                _ => {}
            }
        }
        first
    }

    /// How many tries of a leg's step were begun that count, with those of earlier legs of the same step.
    #[must_use]
    pub fn tries(&self, leg: u8) -> u32 {
        let legs = self.legs.get(..=usize::from(leg)).unwrap_or_default();
        let is_same = |of: &&Leg| legs.last().is_some_and(|leg| (of.step, of.lane) == (leg.step, leg.lane));
        legs.iter().filter(is_same).map(|leg| u32::from(leg.tries)).sum()
    }

    /// The leg that is flying, if there is one, and under which session.
    #[must_use]
    pub fn flying(&self) -> Option<(u8, SessionNo)> {
        self.legs.iter().zip(0u8..).find_map(|(leg, n)| match leg.stage {
            Stage::Flying { session } => Some((n, session)),
            _ => None,
        })
    }

    /// Whether a leg is held in doubt or waits for an answer about it.
    #[must_use]
    pub fn in_doubt(&self) -> bool {
        self.legs.iter().any(|l| matches!(l.stage, Stage::Doubt { .. }))
    }

    /// Whether it stands still because nobody knows what became of a leg: it has not ended, and nothing of it comes by itself.
    #[must_use]
    pub fn is_held(&self) -> bool {
        let moves = |leg: &Leg| match leg.stage {
            Stage::Ready { .. } | Stage::Flying { .. } => true,
            Stage::Awaiting { waiting } => waiting.is_some(),
            Stage::Doubt { query_at } => query_at.is_some(),
            Stage::Shut { .. } => false,
        };
        self.end.is_none() && self.in_doubt() && !self.legs.iter().any(moves)
    }

    /// When a timer is next due.
    #[must_use]
    pub fn timer(&self) -> Option<Moment> {
        let running = self.end.is_none();
        self.legs
            .iter()
            .filter_map(|leg| match leg.stage {
                Stage::Ready { until: Some(until), .. } if running => Some(Moment::from_millis(until.millis() + 1)),
                Stage::Awaiting { waiting: Some(waiting) } if running => Some(waiting.by),
                Stage::Doubt { query_at } => query_at,
                _ => None,
            })
            .min()
    }

    /// Whether a try that was followed by another may have told the stakeholder, whatever came of that.
    #[must_use]
    pub fn perhaps_before(&self) -> bool {
        self.legs.iter().any(|leg| leg.maybe)
    }

    /// Whether the stakeholder was told, or may have been.
    #[must_use]
    pub fn told_or_perhaps(&self) -> bool {
        let perhaps = |leg: &Leg| matches!(leg.stage, Stage::Doubt { .. } | Stage::Flying { .. });
        self.legs.iter().any(|leg| perhaps(leg) || leg.has_told())
    }
}
