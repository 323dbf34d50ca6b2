//! The head: what is true of the plan as a whole, from which each gate gets its share.

use crate::clock::Moment;
use crate::id::{CommuniqueId, PlaceId, Role};
use crate::release::Outcome;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The two digests of a bundle, each a SHA-256 in hexadecimal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Digests {
    /// What is said: the plan, the templates, the channels' kinds, senders and limits, the renderer's version.
    pub texts: String,
    /// To whom: the people and their addresses.
    pub people: String,
}

impl Digests {
    /// These digests.
    #[must_use]
    pub fn new(texts: impl Into<String>, people: impl Into<String>) -> Self {
        Self { texts: texts.into(), people: people.into() }
    }
}

impl fmt::Debug for Digests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}", self.texts.get(..12).unwrap_or_default(), self.people.get(..12).unwrap_or_default())
    }
}

/// What is true of the plan as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Head {
    /// The digests of the bundle that is dispatched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digests: Option<Digests>,
    /// Whether one with other digests was dispatched before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub prepared_again: bool,
    /// What was declared, place by place.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub places: BTreeMap<PlaceId, PlaceRecord>,
    /// As of when something was declared first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_declared: Option<Moment>,
    /// The approvals given, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
    /// Whether everything is held.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
    /// The communiques that are held.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub held_communiques: BTreeSet<CommuniqueId>,
    /// Whether everything is cancelled.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancelled: bool,
    /// The communiques that are cancelled.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub cancelled_communiques: BTreeSet<CommuniqueId>,
    /// The gaps that were accepted, each by the digest of a person or company: whoever must be informed and cannot be reached.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub accepted_gaps: BTreeSet<String>,
    /// When a person lifted the embargo; not, where the release has failed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifted: Option<Moment>,
    /// The persons who were erased, by number.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub erased: BTreeMap<u32, Erased>,
    /// The planned time before it moved; open without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_plan: Option<Moment>,
    /// How the planned time moved, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slips: Vec<Slip>,
}

/// Who was erased: one of these people, as long as they are the same. Nothing says more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Erased {
    /// The digest of the people among whom they were looked for.
    pub people: String,
    /// Their place among these, from 0; none if they had left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<u32>,
}

impl Erased {
    /// One of the people with this digest: the one at this place, from 0, if they were still among them.
    #[must_use]
    pub fn new(people: impl Into<String>, person: Option<u32>) -> Self {
        Self { people: people.into(), person }
    }
}

/// That the planned time moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Slip {
    /// The planned time from then on; open where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned: Option<Moment>,
    /// When that was said.
    pub at: Moment,
}

impl Slip {
    /// That the planned time moved to `planned`, or is open, as was said at `at`.
    #[must_use]
    pub fn new(planned: Option<Moment>, at: Moment) -> Self {
        Self { planned, at }
    }
}

/// What was declared of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlaceRecord {
    /// The last outcome.
    pub outcome: Outcome,
    /// As of when.
    pub at: Moment,
    /// When the roll-out there began, if that was declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun: Option<Moment>,
}

/// One approval. Who gave it stands in the notes beside the journal's entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Approval {
    /// In which role.
    pub role: Role,
    /// For which bundle.
    pub digests: Digests,
    /// Whether it was a refusal.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rejected: bool,
    /// When.
    pub at: Moment,
}

/// What becomes of the plan as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum HeadFact {
    /// A bundle with other digests is dispatched from now on.
    Prepared(Digests),
    /// An outcome was declared of a place.
    Declared {
        /// The place.
        place: PlaceId,
        /// The outcome.
        outcome: Outcome,
        /// As of when.
        at: Moment,
    },
    /// An approval was given or refused.
    Approved(Approval),
    /// Everything, or one communique, is held or let go on.
    Held {
        /// The communique; everything without one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        communique: Option<CommuniqueId>,
        /// Whether it is held.
        held: bool,
    },
    /// Everything, or one communique, is cancelled.
    Cancelled {
        /// The communique; everything without one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        communique: Option<CommuniqueId>,
    },
    /// Somebody accepts that a person or company who must be informed cannot be reached. Who that is stands as a digest.
    GapAccepted {
        /// The digest.
        of: String,
    },
    /// Somebody executes the plan from now on. Who that is stands in the note beside the entry.
    Executing,
    /// The planned time that the plan has, and which is told until it moves; open without one.
    Planned {
        /// The time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by_plan: Option<Moment>,
    },
    /// The planned time moved.
    Slipped(Slip),
    /// A person was erased from what lies beside the entries. Nothing says who it was.
    Erased {
        /// The number by which they are shown from then on.
        number: u32,
        /// Who it was, as far as that is known while the people stay the same.
        #[serde(flatten)]
        was: Erased,
    },
    /// A person lifted the embargo.
    Lifted {
        /// When.
        at: Moment,
    },
}

impl Head {
    /// Takes a fact; the only mutation.
    pub fn apply(&mut self, fact: &HeadFact) {
        match fact {
            HeadFact::Prepared(digests) => {
                self.prepared_again |= self.digests.as_ref().is_some_and(|before| before != digests);
                self.digests = Some(digests.clone());
            }
            HeadFact::Declared { place, outcome, at } => {
                let begun = match outcome {
                    Outcome::Begun => Some(*at),
                    _ => self.places.get(place).and_then(|p| p.begun),
                };
                self.first_declared.get_or_insert(*at);
                self.places.insert(place.clone(), PlaceRecord { outcome: *outcome, at: *at, begun });
                // Whoever lifted it did not know that.
                if self.has_failed() {
                    self.lifted = None;
                }
            }
            HeadFact::Approved(approval) => self.approvals.push(approval.clone()),
            HeadFact::Held { communique: None, held } => self.held = *held,
            HeadFact::Held { communique: Some(id), held: true } => {
                self.held_communiques.insert(id.clone());
            }
            HeadFact::Held { communique: Some(id), held: false } => {
                self.held_communiques.remove(id);
            }
            HeadFact::Cancelled { communique: None } => self.cancelled = true,
            HeadFact::Cancelled { communique: Some(id) } => {
                self.cancelled_communiques.insert(id.clone());
            }
            HeadFact::GapAccepted { of } => {
                self.accepted_gaps.insert(of.clone());
            }
            HeadFact::Executing => {}
            HeadFact::Planned { by_plan } => self.by_plan = *by_plan,
            HeadFact::Slipped(slip) => self.slips.push(*slip),
            HeadFact::Erased { number, was } => {
                self.erased.insert(*number, was.clone());
            }
            HeadFact::Lifted { at } => self.lifted = Some(*at),
        }
    }

    /// The planned time as it is now: as the plan has it until it moved.
    #[must_use]
    pub fn planned(&self, by_plan: Option<Moment>) -> Option<Moment> {
        self.slips.last().map_or(by_plan, |slip| slip.planned)
    }

    /// The planned time as it was then.
    pub(crate) fn planned_at(&self, by_plan: Option<Moment>, then: Moment) -> Option<Moment> {
        self.slips.iter().rfind(|slip| slip.at <= then).map_or(by_plan, |slip| slip.planned)
    }

    /// What is declared where a gate applies: the place's own outcome; for the release, once every place is declared: success if one
    /// succeeded, else what the last place came to, as of the last declaration.
    #[must_use]
    pub fn declared(&self, place: Option<&PlaceId>, places: &[PlaceId]) -> Option<(Outcome, Moment)> {
        if let Some(place) = place {
            return self.places.get(place).map(|p| (p.outcome, p.at));
        }
        let records: Option<Vec<&PlaceRecord>> = places.iter().map(|p| self.places.get(p)).collect();
        let records = records.filter(|r| r.iter().all(|r| r.outcome != Outcome::Begun))?;
        let last = records.iter().max_by_key(|r| r.at)?;
        let outcome =
            if records.iter().any(|r| r.outcome == Outcome::Success) { Outcome::Success } else { last.outcome };
        Some((outcome, last.at))
    }

    /// Whether the release failed somewhere, was halted or rolled back, and stands as a success nowhere.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        let failed = |p: &PlaceRecord| matches!(p.outcome, Outcome::Failure | Outcome::Halted | Outcome::RolledBack);
        self.places.values().any(failed) && !self.places.values().any(|p| p.outcome == Outcome::Success)
    }

    /// What has changed since a role approved, if that is why its approval does not count: the texts, the people, or both.
    #[must_use]
    pub fn voided(&self, role: &Role, digests: &Digests, covers_people: bool) -> Option<&'static str> {
        let last = self.approvals.iter().rev().find(|a| &a.role == role)?;
        if last.rejected {
            return None;
        }
        let texts = last.digests.texts != digests.texts;
        let people = covers_people && last.digests.people != digests.people;
        match (texts, people) {
            (true, true) => Some("the texts and the people"),
            (true, false) => Some("the texts"),
            (false, true) => Some("the people"),
            (false, false) => None,
        }
    }

    /// As of when something was declared first.
    #[must_use]
    pub fn first_declared(&self) -> Option<Moment> {
        // A record of before this was kept knows the last word on each place.
        self.first_declared.or_else(|| self.places.values().map(|place| place.at).min())
    }

    /// When a role has first approved these digests, if it has not refused them since; whether that has expired does not matter.
    #[must_use]
    pub fn approved_at(&self, role: &Role, digests: &Digests, covers_people: bool) -> Option<Moment> {
        let of = |a: &&Approval| {
            &a.role == role
                && a.digests.texts == digests.texts
                && (!covers_people || a.digests.people == digests.people)
        };
        let all: Vec<&Approval> = self.approvals.iter().filter(of).collect();
        let since = all.iter().rposition(|a| a.rejected).map_or(0, |last| last + 1);
        all.get(since).map(|a| a.at)
    }

    /// When the roll-out of the release began: at the first place of which that was declared.
    #[must_use]
    pub fn begun(&self) -> Option<Moment> {
        self.places.values().filter_map(|p| p.begun).min()
    }

    /// Whether the role has approved these digests at `since` or later, and not refused them after that.
    #[must_use]
    pub fn approved(&self, role: &Role, digests: &Digests, covers_people: bool, since: Moment) -> bool {
        self.approvals
            .iter()
            .rev()
            .find(|a| {
                &a.role == role
                    && a.digests.texts == digests.texts
                    && (!covers_people || a.digests.people == digests.people)
            })
            .is_some_and(|a| !a.rejected && a.at >= since)
    }

    /// Whether the communique is held.
    #[must_use]
    pub fn is_held(&self, communique: &CommuniqueId) -> bool {
        self.held || self.held_communiques.contains(communique)
    }

    /// Whether the communique is cancelled.
    #[must_use]
    pub fn is_cancelled(&self, communique: &CommuniqueId) -> bool {
        self.cancelled || self.cancelled_communiques.contains(communique)
    }
}
