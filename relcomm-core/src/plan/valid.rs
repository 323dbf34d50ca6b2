//! The plan that is valid by construction.

use super::People;
use super::draft::Act;
use super::embargo::Embargo;
use crate::clock::Moment;
use crate::communique::{Communique, Dependency, Indeterminate};
use crate::id::{CommuniqueId, GroupId, PlaceId, PlanId, Role, StakeholderId};
use crate::mechanism::{Addressing, Mechanism};
use crate::receipt::Assurance;
use crate::release::Release;
use crate::stakeholder::{Group, Party, Responsible};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

/// A plan whose references hold, whose times can be computed and whose texts are loaded. Made only by validation. `Debug` shows no text
/// and no parameter.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub(crate) id: PlanId,
    pub(crate) zone: Tz,
    pub(crate) release: Release,
    pub(crate) responsible: Responsible,
    /// What must have been reached before the release can be declared at a place.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) needs: BTreeMap<PlaceId, Vec<Dependency>>,
    /// Who does what.
    #[serde(default, skip_serializing_if = "Protocol::is_empty")]
    pub(crate) protocol: Protocol,
    pub(crate) approvals: Approvals,
    pub(crate) groups: Vec<Group>,
    pub(crate) communiques: Vec<Communique>,
    pub(crate) mechanisms: BTreeMap<Mechanism, OwnMechanism>,
    pub(crate) indeterminate: Indeterminate,
    pub(crate) exposure: Option<NonZeroU32>,
    pub(crate) settle: Option<Duration>,
    pub(crate) params: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) embargo: Option<Embargo>,
    /// Who holds each role that a step names, with their addresses; and who answers for the release, by their ids.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) holders: BTreeMap<String, Vec<Party>>,
}

/// The word for the responsible party and whoever stands in for them, where a role is named.
pub(crate) const RESPONSIBLE: &str = "responsible";

/// Who does what: for each act the words of persons or roles. What is not said is open to everyone. `Debug` shows nobody.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Protocol {
    /// Who prepares.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prepare: Vec<String>,
    /// Who approves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approve: Vec<String>,
    /// Who declares.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub declare: Vec<String>,
    /// Who executes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub execute: Vec<String>,
}

impl Protocol {
    /// The words of those who may do an act; none where everyone may.
    #[must_use]
    pub fn named(&self, act: Act) -> &[String] {
        match act {
            Act::Prepare => &self.prepare,
            Act::Approve => &self.approve,
            Act::Declare => &self.declare,
            Act::Execute => &self.execute,
        }
    }

    /// Whether it names nobody at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self == &Self::default()
    }
}

impl fmt::Debug for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Protocol").finish_non_exhaustive()
    }
}

/// Who must approve what.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Approvals {
    /// Who holds which role.
    pub roles: BTreeMap<Role, Vec<StakeholderId>>,
    /// The approvals that are needed.
    pub need: Vec<Need>,
    /// Whether a changed list of people voids an approval too.
    pub covers_people: bool,
    /// The acts of which nobody does two; with *approve* among them, nobody approves in two roles either.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub distinct: Vec<Act>,
    /// How long an approval holds; without end, where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expire: Option<Duration>,
}

impl Approvals {
    /// Since when approvals hold that hold now.
    #[must_use]
    pub fn since(&self, now: Moment) -> Moment {
        self.expire.map_or(Moment::MIN, |expire| now - expire)
    }
}

/// One approval that is needed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Need {
    /// By whom.
    pub role: Role,
    /// Only for these communiques; empty means all.
    pub only: Vec<CommuniqueId>,
    /// Within how long of the first declaration it is given, if it may come after: then it keeps nothing from going out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retrospective: Option<Duration>,
}

/// A mechanism of the plan's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OwnMechanism {
    /// The regular expression that its addresses match.
    pub address: Option<String>,
    /// The most that it can prove.
    pub proves: Assurance,
    /// How it reaches people.
    pub addressing: Addressing,
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("id", &self.id)
            .field("release", &self.release)
            .field("groups", &self.groups)
            .field("communiques", &self.communiques)
            .field("embargo", &self.embargo)
            .finish_non_exhaustive()
    }
}

impl Plan {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &PlanId {
        &self.id
    }

    /// Whether a person, by the word that names them, is one of those whom a word names: a role, `responsible`, or a person. For the
    /// responsible party the backup stands in.
    #[must_use]
    pub fn is_one_of(&self, person: &str, word: &str) -> bool {
        let (person, named) = (person.trim(), self.people_of(word));
        let leads = named.contains(&self.responsible.execute.id.as_str());
        let stands_in = self.responsible.backup.as_ref().is_some_and(|backup| backup.id.as_str() == person);
        named.contains(&person) || (leads && stands_in)
    }

    /// The persons whom a word names: the holders of a role, who performs by it, the responsible party, or the one person.
    fn people_of<'a>(&'a self, word: &'a str) -> Vec<&'a str> {
        if let Some((_, holders)) = self.approvals.roles.iter().find(|(role, _)| role.as_str() == word) {
            return holders.iter().map(StakeholderId::as_str).collect();
        }
        let performer = self.responsible.performers.iter().find(|(role, _)| role.as_str() == word);
        let party = performer.map(|(_, party)| party).or((word == RESPONSIBLE).then_some(&self.responsible.execute));
        vec![party.map_or(word, |party| party.id.as_str())]
    }

    /// The zone for every time without an offset.
    #[must_use]
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// The release.
    #[must_use]
    pub fn release(&self) -> &Release {
        &self.release
    }

    /// What must have been reached before it can be declared that the release has begun or succeeded at a place.
    #[must_use]
    pub fn needs(&self, place: &PlaceId) -> &[Dependency] {
        self.needs.get(place).map(Vec::as_slice).unwrap_or_default()
    }

    /// Who answers for the release.
    #[must_use]
    pub fn responsible(&self) -> &Responsible {
        &self.responsible
    }

    /// Who may be reached in another's place, as roles and people who answer for the release are named by steps.
    pub fn holders(&self) -> impl Iterator<Item = &Party> {
        self.holders.values().flatten()
    }

    /// Who must approve what.
    #[must_use]
    pub fn approvals(&self) -> &Approvals {
        &self.approvals
    }

    /// Who does what.
    #[must_use]
    pub fn protocol(&self) -> &Protocol {
        &self.protocol
    }

    /// Whether a person, by the word that names them, may do an act: everyone may where the protocol names nobody for it.
    #[must_use]
    pub fn may(&self, act: Act, person: &str) -> bool {
        let named = self.protocol.named(act);
        named.is_empty() || named.iter().any(|word| self.is_one_of(person, word))
    }

    /// Whether it must be known who does an act: the protocol names somebody for it, or asks that they do no other.
    #[must_use]
    pub fn asks_who(&self, act: Act) -> bool {
        !self.protocol.named(act).is_empty() || self.approvals.distinct.contains(&act)
    }

    /// The persons whom the protocol names for an act, by the words that name them, roles as their holders.
    #[must_use]
    pub fn named_for(&self, act: Act) -> Vec<&str> {
        self.protocol.named(act).iter().flat_map(|word| self.people_of(word)).collect()
    }

    /// The groups, in the plan's order.
    #[must_use]
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The group of that id.
    #[must_use]
    pub fn group(&self, id: &GroupId) -> Option<&Group> {
        self.groups.iter().find(|g| &g.id == id)
    }

    /// The communiques, in the plan's order.
    #[must_use]
    pub fn communiques(&self) -> &[Communique] {
        &self.communiques
    }

    /// The communique of that id.
    #[must_use]
    pub fn communique(&self, id: &CommuniqueId) -> Option<&Communique> {
        self.communiques.iter().find(|c| &c.id == id)
    }

    /// The mechanisms of the plan's own.
    #[must_use]
    pub fn mechanisms(&self) -> &BTreeMap<Mechanism, OwnMechanism> {
        &self.mechanisms
    }

    /// Every mechanism that the plan speaks of, or by which one of its people has an address.
    #[must_use]
    pub fn spoken_of(&self, people: &People) -> BTreeSet<Mechanism> {
        let steps = self.all_steps().map(|step| &step.via);
        let mut all: BTreeSet<Mechanism> = self.mechanisms.keys().chain(steps).cloned().collect();
        for mechanism in people.iter().flat_map(|who| who.mechanisms()) {
            if !all.contains(mechanism) {
                all.insert(mechanism.clone());
            }
        }
        all
    }

    /// What becomes of attempts whose outcome is unknown, where a communique says nothing else.
    #[must_use]
    pub fn indeterminate(&self) -> Indeterminate {
        self.indeterminate
    }

    /// How many attempts may be in flight on a channel that cannot deduplicate.
    #[must_use]
    pub fn exposure(&self) -> Option<NonZeroU32> {
        self.exposure
    }

    /// How long after the last due gate opened an unconfirmed person is final.
    #[must_use]
    pub fn settle(&self) -> Option<Duration> {
        self.settle
    }

    /// What must not be known before an instant.
    #[must_use]
    pub fn embargo(&self) -> Option<&Embargo> {
        self.embargo.as_ref()
    }

    /// The parameters with which the plan was loaded.
    #[must_use]
    pub fn params(&self) -> &BTreeMap<String, String> {
        &self.params
    }

    /// How a mechanism reaches people: as the plan declares it, else as the standard words do, else each.
    #[must_use]
    pub fn addressing(&self, mechanism: &Mechanism) -> Addressing {
        self.mechanisms
            .get(mechanism)
            .map(|m| m.addressing)
            .or_else(|| mechanism.standard_addressing())
            .unwrap_or(Addressing::Each)
    }
}
