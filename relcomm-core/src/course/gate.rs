//! The gate: one communique occurrence and revision, in one place or for the release. A conjunction of conditions, then opening,
//! open, settled, or closed with a reason.

use super::Facts;
use super::rule::{Embargo, GateRule, Remedy};
use crate::clock::Moment;
use crate::release::Outcome;
use serde::{Deserialize, Serialize};
use smallvec::{SmallVec, smallvec};

/// The state of a gate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Gate {
    /// Where it stands.
    pub phase: Phase,
    /// Whether every approval that it needs is given for the present digest.
    pub approved: bool,
    /// What was declared where it applies, and as of when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<(Outcome, Moment)>,
    /// Whether a person holds it.
    pub held: bool,
    /// Which dependencies those below are.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub awaits: u64,
    /// How its dependencies stand, in the plan's order; what is missing is pending.
    #[serde(default, skip_serializing_if = "SmallVec::is_empty")]
    pub dependencies: SmallVec<[Dependence; 2]>,
    /// When it opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened: Option<Moment>,
    /// The outcome on which what goes out stands, if it waited for a declaration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands_on: Option<Outcome>,
    /// As of when that was declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands_since: Option<Moment>,
    /// Whether it was called, if it is a revision: an earlier one was out when the planned time moved.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub called: bool,
    /// The number of the slip, from 1, since which what it told is no longer so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outdated: Option<u32>,
    /// When it was last found that somebody has no delivery yet, who was not on the roll when it opened: they are entered after the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub widened: Option<Moment>,
    /// Since when what it waits for cannot be reached, if the plan says what is done then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<Moment>,
    /// Whether a person is asked what is done then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asks: bool,
    /// Since when it goes out though what it waits for cannot be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forced: Option<Moment>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// Where a gate stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Phase {
    /// A condition is missing.
    #[default]
    Waiting,
    /// Its deliveries are being entered.
    Opening {
        /// So many are.
        cursor: u32,
    },
    /// All its deliveries are entered, and some are not ended.
    Open,
    /// All its deliveries are ended.
    Settled,
    /// Nothing more goes out.
    Closed(Closed),
}

/// Why a gate is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Closed {
    /// Its time was over.
    Expired,
    /// A person cancelled it.
    Cancelled,
    /// The release was rolled back, or the planned time moved and a revision goes out in its place.
    Superseded,
    /// What it waited for could not be reached any more, and the plan says that it is not sent then.
    Blocked,
}

/// How a dependency stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dependence {
    /// It may still be met.
    #[default]
    Pending,
    /// It is met, and stays so.
    Met {
        /// Since then.
        at: Moment,
    },
    /// Nothing of what it waits for is due or under way as things stand: it counts as met until that changes.
    Moot {
        /// Since then.
        at: Moment,
    },
    /// It cannot be met as things stand. A person's word may still change that.
    Impossible,
}

/// What happens to a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GateInput {
    /// The approvals that it needs are given, or are void.
    Approve(bool),
    /// This was declared where it applies.
    Declare(Outcome, Moment),
    /// A person holds it, or lets it go on.
    Hold(bool),
    /// A person cancels it.
    Cancel,
    /// A person who was asked says that it goes out all the same.
    Proceed,
    /// A dependency stands so.
    Dependence {
        /// Which one.
        index: u8,
        /// How.
        is: Dependence,
    },
    /// Time has passed, or something else that the verdict looks at has changed.
    Tick,
    /// Deliveries are entered.
    Rolled {
        /// Up to this ordinal, not included.
        to: u32,
        /// Whether these were the last.
        last: bool,
    },
    /// No delivery is running.
    Quiet,
    /// A delivery is running again.
    Stir,
    /// The planned time moved, and this is the revision that says so.
    Call,
    /// The planned time moved, and a revision says so in the place of this.
    Slip {
        /// For which time, from 1.
        number: u32,
    },
    /// The people have changed: somebody may be on the roll who was not when it opened.
    Widen {
        /// So many deliveries are entered.
        entered: u32,
    },
}

/// What becomes of a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum GateFact {
    /// Whether it is approved.
    Approved(bool),
    /// What was declared.
    Declared(Outcome, Moment),
    /// Whether it is held.
    Held(bool),
    /// Its dependencies are these; how others stood is forgotten.
    Awaits(u64),
    /// How a dependency stands.
    Dependence {
        /// Which one.
        index: u8,
        /// How.
        is: Dependence,
    },
    /// It opened: the durable decision to send.
    Opened {
        /// When.
        at: Moment,
        /// The outcome on which what goes out stands, if it waited for a declaration.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stands_on: Option<Outcome>,
    },
    /// Deliveries are entered.
    Rolled {
        /// Up to this ordinal, not included.
        to: u32,
        /// Whether these were the last.
        last: bool,
    },
    /// All deliveries are ended.
    Settled,
    /// A delivery is running again.
    Stirred,
    /// It goes out in the place of an earlier revision.
    Called,
    /// What it told is no longer so since this slip.
    Outdated {
        /// Its number, from 1.
        by: u32,
    },
    /// Whoever has no delivery yet is entered after those who have.
    Widened {
        /// After so many.
        entered: u32,
        /// When.
        at: Moment,
    },
    /// What it waits for cannot be reached.
    Blocked {
        /// Since then.
        since: Moment,
    },
    /// It may be reached again, or is.
    Unblocked,
    /// A person is asked what is done.
    Asked,
    /// It goes out though what it waits for cannot be reached.
    Forced {
        /// Since then.
        at: Moment,
    },
    /// Nothing more goes out.
    Closed(Closed),
}

/// What the conditions of a waiting gate come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Another outcome was declared, or it is a revision that nobody needs: it stands by and makes nothing pending.
    Standby,
    /// The outcome has yet to be declared.
    AwaitsDeclaration,
    /// An approval is missing.
    AwaitsApproval,
    /// Somebody must be informed whom nobody can reach, and nobody has accepted that.
    AwaitsAcceptance,
    /// A person holds it.
    Held,
    /// What it says must not be known yet: before then, as far as that is known.
    Embargoed(Option<Moment>),
    /// By a clock that has jumped it would open at an embargo's end, or expire: that waits until the clock has proved stable.
    Unsteady(Moment),
    /// What its time is relative to has not happened.
    Undetermined,
    /// A dependency is not met yet.
    Depends(u8),
    /// A dependency cannot be met as things stand.
    Blocked(u8),
    /// So it is, and at that time what the plan says is done.
    BlockedUntil(u8, Moment),
    /// So it is, and a person is asked what is done.
    Asks(u8),
    /// It is due then.
    Due(Moment),
    /// It opens.
    Opens,
    /// Its time is over.
    Expires,
}

/// Whether what is meant for `wanted` may go out now that `declared` is true. A notice that the roll-out has begun is still true when it
/// has succeeded.
pub(crate) fn stands(wanted: Outcome, declared: Outcome) -> bool {
    declared == wanted || (wanted == Outcome::Begun && declared == Outcome::Success)
}

impl Gate {
    /// What the conditions come to at `now`, while it waits. The first that applies.
    #[must_use]
    pub fn verdict(&self, rule: &GateRule, now: Moment) -> Verdict {
        if rule.revision && !self.called {
            return Verdict::Standby;
        }
        // What stands by is not late, whatever its time.
        if Self::is_for_another(rule, self.declared.map(|(outcome, _)| outcome)) {
            return Verdict::Standby;
        }
        if rule.not_after.is_some_and(|last| now > last) {
            return rule.unsteady.map_or(Verdict::Expires, Verdict::Unsteady);
        }
        // A roll-out that has begun will come to some outcome: what waits for that is still to come.
        if rule.awaits_declaration && !self.declared.is_some_and(|(outcome, _)| stands(rule.outcome, outcome)) {
            return Verdict::AwaitsDeclaration;
        }
        if self.held {
            return Verdict::Held;
        }
        if !self.approved {
            return Verdict::AwaitsApproval;
        }
        if rule.gap {
            return Verdict::AwaitsAcceptance;
        }
        // What cannot be met decides, however many others may still be met.
        if let Some(index) = self.impossible(rule).filter(|_| self.forced.is_none()) {
            return match rule.if_blocked {
                None => Verdict::Blocked(index),
                Some(_) if self.asks => Verdict::Asks(index),
                Some((after, _)) => Verdict::BlockedUntil(index, self.blocked.unwrap_or(now) + after),
            };
        }
        match (rule.embargo, rule.unsteady) {
            (Some(Embargo::Until(at)), _) if now < at => return Verdict::Embargoed(Some(at)),
            (Some(Embargo::Until(_)), Some(stable)) => return Verdict::Unsteady(stable),
            (Some(Embargo::Lift | Embargo::Undetermined), _) => return Verdict::Embargoed(None),
            _ => {}
        }
        // Only now: a time that counts from what cannot be met is never known.
        let Some(due) = rule.due else { return Verdict::Undetermined };
        if let Some(index) = (0..rule.dependencies).find(|i| self.is_pending(rule, *i)) {
            return Verdict::Depends(index);
        }
        if now < due { Verdict::Due(due) } else { Verdict::Opens }
    }

    fn stands(&self, index: u8) -> Dependence {
        self.dependencies.get(usize::from(index)).copied().unwrap_or_default()
    }

    /// Whether a dependency may still be met; of what it did not wait for before, nothing is known yet.
    fn is_pending(&self, rule: &GateRule, index: u8) -> bool {
        self.awaits != rule.awaits || self.stands(index) == Dependence::Pending
    }

    /// The first dependency that cannot be met.
    fn impossible(&self, rule: &GateRule) -> Option<u8> {
        if self.awaits != rule.awaits {
            return None;
        }
        (0..rule.dependencies).find(|index| self.stands(*index) == Dependence::Impossible)
    }

    /// What follows from an input. No facts means that it changes nothing.
    #[must_use]
    pub fn decide(&self, rule: &GateRule, input: &GateInput, now: Moment) -> Facts<GateFact> {
        let none = Facts::new();
        let ended = matches!(self.phase, Phase::Closed(_));
        match *input {
            GateInput::Approve(approved) if approved != self.approved && !ended => {
                smallvec![GateFact::Approved(approved)]
            }
            GateInput::Declare(outcome, at) => self.declare(rule, outcome, at),
            GateInput::Hold(held) if held != self.held && !matches!(self.phase, Phase::Settled | Phase::Closed(_)) => {
                smallvec![GateFact::Held(held)]
            }
            GateInput::Cancel if !matches!(self.phase, Phase::Settled | Phase::Closed(_)) => {
                smallvec![GateFact::Closed(Closed::Cancelled)]
            }
            GateInput::Dependence { index, is } if self.phase == Phase::Waiting && index < rule.dependencies => {
                self.depends(rule, index, is)
            }
            GateInput::Tick if self.phase == Phase::Waiting => self.tick(rule, now),
            GateInput::Proceed if self.phase == Phase::Waiting => match self.verdict(rule, now) {
                Verdict::Asks(_) => smallvec![GateFact::Forced { at: now }],
                _ => none,
            },
            GateInput::Rolled { to, last } => match self.phase {
                Phase::Opening { cursor } if to > cursor || last => smallvec![GateFact::Rolled { to, last }],
                _ => none,
            },
            GateInput::Quiet if self.phase == Phase::Open => smallvec![GateFact::Settled],
            GateInput::Stir if self.phase == Phase::Settled => smallvec![GateFact::Stirred],
            GateInput::Call if rule.revision && !self.called && self.phase == Phase::Waiting => {
                smallvec![GateFact::Called]
            }
            GateInput::Slip { number } if !ended && (self.is_out() || self.called) && self.outdated.is_none() => {
                let mut facts: Facts<GateFact> = smallvec![GateFact::Outdated { by: number }];
                if self.phase != Phase::Settled {
                    facts.push(GateFact::Closed(Closed::Superseded));
                }
                facts
            }
            GateInput::Widen { entered } if self.outdated.is_none() && !self.is_taken_back(rule) => match self.phase {
                Phase::Opening { cursor } if self.widened.is_none() => {
                    smallvec![GateFact::Widened { entered: cursor, at: now }]
                }
                Phase::Open | Phase::Settled => smallvec![GateFact::Widened { entered, at: now }],
                _ => none,
            },
            GateInput::Approve(_)
            | GateInput::Hold(_)
            | GateInput::Cancel
            | GateInput::Proceed
            | GateInput::Dependence { .. }
            | GateInput::Tick
            | GateInput::Quiet
            | GateInput::Stir
            | GateInput::Call
            | GateInput::Slip { .. }
            | GateInput::Widen { .. } => none,
        }
    }

    fn depends(&self, rule: &GateRule, index: u8, is: Dependence) -> Facts<GateFact> {
        let mut facts = Facts::new();
        // Where it waited for something else before, nothing is known of this.
        let is_known = self.awaits == rule.awaits;
        let known = if is_known { self.stands(index) } else { Dependence::Pending };
        let is_news = match (known, is) {
            (Dependence::Met { .. }, _) | (Dependence::Moot { .. }, Dependence::Moot { .. }) => false,
            _ => known != is,
        };
        if !is_known && (is_news || !self.dependencies.is_empty()) {
            facts.push(GateFact::Awaits(rule.awaits));
        }
        if is_news {
            facts.push(GateFact::Dependence { index, is });
        }
        facts
    }

    fn tick(&self, rule: &GateRule, now: Moment) -> Facts<GateFact> {
        let mut facts = Facts::new();
        if self.blocked.is_some() && self.forced.is_none() && self.impossible(rule).is_none() {
            facts.push(GateFact::Unblocked);
        }
        match self.verdict(rule, now) {
            Verdict::Opens => {
                let stands_on = rule.awaits_declaration.then_some(rule.outcome);
                facts.push(GateFact::Opened { at: now, stands_on });
            }
            Verdict::Expires => facts.push(GateFact::Closed(Closed::Expired)),
            Verdict::BlockedUntil(_, until) => {
                if self.blocked.is_none() {
                    facts.push(GateFact::Blocked { since: now });
                }
                if let Some((_, remedy)) = rule.if_blocked.filter(|_| now >= until) {
                    facts.push(match remedy {
                        Remedy::Ask => GateFact::Asked,
                        Remedy::Proceed => GateFact::Forced { at: now },
                        Remedy::Close => GateFact::Closed(Closed::Blocked),
                    });
                }
            }
            _ => {}
        }
        facts
    }

    fn declare(&self, rule: &GateRule, outcome: Outcome, at: Moment) -> Facts<GateFact> {
        if self.declared == Some((outcome, at)) || matches!(self.phase, Phase::Closed(_)) {
            return Facts::new();
        }
        let mut facts: Facts<GateFact> = smallvec![GateFact::Declared(outcome, at)];
        let out = matches!(self.phase, Phase::Opening { .. } | Phase::Open);
        if out && Self::takes_back(rule, outcome) {
            facts.push(GateFact::Closed(Closed::Superseded));
        }
        facts
    }

    /// Whether this outcome takes back what goes out on another.
    fn takes_back(rule: &GateRule, outcome: Outcome) -> bool {
        rule.awaits_declaration && outcome == Outcome::RolledBack && rule.outcome != Outcome::RolledBack
    }

    /// Whether what goes out on an outcome was taken back since: nobody else hears of it.
    pub(crate) fn is_taken_back(&self, rule: &GateRule) -> bool {
        self.declared.is_some_and(|(outcome, _)| Self::takes_back(rule, outcome))
    }

    /// Takes a fact; the only mutation.
    pub fn apply(&mut self, fact: &GateFact) {
        match *fact {
            GateFact::Approved(approved) => self.approved = approved,
            GateFact::Declared(outcome, at) => self.declared = Some((outcome, at)),
            GateFact::Held(held) => self.held = held,
            GateFact::Awaits(these) => {
                self.awaits = these;
                self.dependencies.clear();
            }
            GateFact::Dependence { index, is } => {
                let index = usize::from(index);
                while self.dependencies.len() <= index {
                    self.dependencies.push(Dependence::Pending);
                }
                if let Some(slot) = self.dependencies.get_mut(index) {
                    *slot = is;
                }
            }
            GateFact::Opened { at, stands_on } => {
                self.opened = Some(at);
                self.stands_on = stands_on;
                self.stands_since = stands_on.and(self.declared).map(|(_, since)| since);
                self.phase = Phase::Opening { cursor: 0 };
            }
            GateFact::Rolled { to, last } => {
                self.phase = if last { Phase::Open } else { Phase::Opening { cursor: to } };
            }
            GateFact::Settled => self.phase = Phase::Settled,
            GateFact::Stirred => self.phase = Phase::Open,
            GateFact::Called => self.called = true,
            GateFact::Outdated { by } => self.outdated = Some(by),
            GateFact::Widened { entered, at } => {
                self.widened = Some(at);
                self.phase = Phase::Opening { cursor: entered };
            }
            GateFact::Blocked { since } => self.blocked = Some(since),
            GateFact::Unblocked => (self.blocked, self.asks) = (None, false),
            GateFact::Asked => self.asks = true,
            GateFact::Forced { at } => (self.forced, self.asks) = (Some(at), false),
            GateFact::Closed(why) => self.phase = Phase::Closed(why),
        }
    }

    /// Whether attempts of its deliveries may be leased, and their timers taken. What the journal checks in the transaction of a lease.
    #[must_use]
    pub fn leasable(&self) -> bool {
        let out = matches!(self.phase, Phase::Opening { .. } | Phase::Open | Phase::Settled);
        let stands = self.stands_on.is_none_or(|on| self.declared.is_some_and(|(outcome, _)| stands(on, outcome)));
        out && stands && self.approved && !self.held
    }

    /// Whether it is meant for another outcome than this one, which was declared where it applies. Success may still follow a roll-out that
    /// was begun.
    #[must_use]
    pub(crate) fn is_for_another(rule: &GateRule, declared: Option<Outcome>) -> bool {
        let declared = declared.filter(|outcome| *outcome != Outcome::Begun);
        rule.awaits_declaration && declared.is_some_and(|outcome| !stands(rule.outcome, outcome))
    }

    /// Whether it is news of a failure or a halt that another outcome has overtaken since: it stands by. What was meant for success and is
    /// stopped by a halt waits for the word that lets it go on.
    #[must_use]
    pub(crate) fn is_overtaken(&self) -> bool {
        let is_news = |on: &Outcome| matches!(on, Outcome::Failure | Outcome::Halted);
        let on = self.stands_on.filter(is_news);
        on.is_some_and(|on| self.declared.is_some_and(|(outcome, _)| !stands(on, outcome)))
    }

    /// Whether it has opened, now or before.
    #[must_use]
    pub fn is_out(&self) -> bool {
        self.opened.is_some()
    }
}
