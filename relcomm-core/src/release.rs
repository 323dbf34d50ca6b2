//! The release that is announced: product, version and the six answers, and the declaration that it succeeded.

use crate::clock::Moment;
use crate::id::{GroupId, ItemId, PlaceId};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// What is released, and the answers to what, why, where, how and when. (Who answers is the plan's responsible party.) `Debug` shows neither
/// why nor how.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Release {
    /// The product's name.
    pub product: String,
    /// The version, as text.
    pub version: String,
    /// Whether the version is a pre-release in the sense of SemVer, which reaches nobody by accident.
    pub prerelease: bool,
    /// The kind of release in the team's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What is in it.
    pub what: Vec<Item>,
    /// Why it was made.
    pub why: String,
    /// Where it is placed into production; never empty.
    pub places: Vec<Place>,
    /// How it is used.
    pub how: How,
    /// When it is planned.
    pub when: When,
}

impl fmt::Debug for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Release")
            .field("product", &self.product)
            .field("version", &self.version)
            .field("what", &self.what)
            .field("places", &self.places)
            .field("when", &self.when)
            .finish_non_exhaustive()
    }
}

impl Release {
    /// Why a communique that is meant for releases of a kind is kept back from this one; `None` if it is not.
    #[must_use]
    pub fn keeps_back(&self, prereleases: bool, kind: Option<&str>) -> Option<String> {
        if self.prerelease && !prereleases {
            return Some("prerelease".to_owned());
        }
        let kind = kind.filter(|kind| self.kind.as_deref() != Some(kind))?;
        Some(format!("not a {kind}"))
    }

    /// The place of that id.
    #[must_use]
    pub fn place(&self, id: &PlaceId) -> Option<&Place> {
        self.places.iter().find(|p| &p.id == id)
    }
}

/// One entry of *what*. `Debug` does not show its text.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Item {
    /// Its id.
    pub id: ItemId,
    /// The kind in the team's words: feature, change, fix, removal.
    pub kind: Option<String>,
    /// What it is.
    pub text: String,
    /// The groups it concerns; empty means all.
    pub concerns: Vec<GroupId>,
    /// The places it is in; empty means all.
    pub places: Vec<PlaceId>,
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Item").field("id", &self.id).field("concerns", &self.concerns).finish_non_exhaustive()
    }
}

impl Item {
    /// Whether it concerns the group.
    #[must_use]
    pub fn concerns(&self, group: &GroupId) -> bool {
        self.concerns.is_empty() || self.concerns.contains(group)
    }

    /// Whether it is in the place; always, for the release as a whole.
    #[must_use]
    pub fn is_in(&self, place: Option<&PlaceId>) -> bool {
        self.places.is_empty() || place.is_none_or(|p| self.places.contains(p))
    }
}

/// One entry of *where*. Success is declared place by place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Place {
    /// Its id.
    pub id: PlaceId,
    /// The name in texts; the id where none is given.
    pub name: String,
    /// The platforms it runs on.
    pub platforms: Vec<String>,
}

/// How the release is used.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct How {
    /// How one gets at it.
    pub access: String,
    /// Under what circumstances.
    pub circumstances: Option<String>,
    /// Where help is found.
    pub support: Option<String>,
}

impl fmt::Debug for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("How").finish_non_exhaustive()
    }
}

/// When the release is planned.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct When {
    /// The planned instant; open where none is given.
    pub planned: Option<Moment>,
    /// How long the work takes.
    pub lasts: Option<Duration>,
}

/// How the release went at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The roll-out there has begun.
    Begun,
    /// It is in production.
    Success,
    /// It did not succeed.
    Failure,
    /// It was stopped, and may go on.
    Halted,
    /// It was taken back.
    RolledBack,
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Self; 5] = [Self::Begun, Self::Success, Self::Failure, Self::Halted, Self::RolledBack];

    /// The word in plans and commands.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Halted => "halted",
            Self::RolledBack => "rolled-back",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl std::str::FromStr for Outcome {
    type Err = ();
    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|o| o.word() == word).ok_or(())
    }
}

/// A named person's statement, with proof, of how the release went at a place. Dispatching by the script demands one.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Declaration {
    /// The place; `None` where the release has only one.
    pub place: Option<PlaceId>,
    /// How it went.
    pub outcome: Outcome,
    /// Who says so.
    pub by: String,
    /// What shows it: a link to the pipeline, a change number, a sentence.
    pub proof: Option<String>,
    /// When it happened, where that is not the moment of declaring.
    pub at: Option<Moment>,
    /// What it came of, for texts that say so: `declaration.cause`. At most 200 characters are prepared for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

impl Declaration {
    /// The statement that the release went so, by this person.
    #[must_use]
    pub fn new(outcome: Outcome, by: impl Into<String>) -> Self {
        Self { place: None, outcome, by: by.into(), proof: None, at: None, cause: None }
    }

    /// The statement that the release is in production, by this person.
    #[must_use]
    pub fn success(by: impl Into<String>) -> Self {
        Self::new(Outcome::Success, by)
    }

    /// At this place.
    #[must_use]
    pub fn place(mut self, place: PlaceId) -> Self {
        self.place = Some(place);
        self
    }

    /// With this proof.
    #[must_use]
    pub fn proof(mut self, proof: impl Into<String>) -> Self {
        self.proof = Some(proof.into());
        self
    }

    /// As of this instant.
    #[must_use]
    pub fn at(mut self, at: Moment) -> Self {
        self.at = Some(at);
        self
    }

    /// With what it came of.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }
}

impl fmt::Debug for Declaration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Declaration")
            .field("place", &self.place)
            .field("outcome", &self.outcome)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}
