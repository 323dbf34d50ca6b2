//! Stakeholders, their groups, and the people who answer for the release.

use crate::communique::{Share, Step, Window};
use crate::id::{GroupId, Lang, PlaceId, Role, StakeholderId};
use crate::mechanism::Mechanism;
use crate::receipt::Assurance;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

/// An address of a stakeholder on one mechanism, or the name of an endpoint in the deployment's configuration.
///
/// Neither `Debug` nor `Display` shows it; [`as_str`](Self::as_str) does.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Box<str>")]
pub struct Address(Box<str>);

/// Why a text cannot be an address. The text is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an address holds 1 to 512 characters, none of them a control character")]
pub struct BadAddress;

impl TryFrom<Box<str>> for Address {
    type Error = BadAddress;

    fn try_from(text: Box<str>) -> Result<Self, BadAddress> {
        Self::new(text)
    }
}

impl Address {
    /// Checks and takes the text. What is right for one mechanism is for its channel to say.
    ///
    /// # Errors
    /// [`BadAddress`] if it is empty, longer than 512 octets, or holds a control character (CR, LF and NUL among them).
    pub fn new(text: impl AsRef<str>) -> Result<Self, BadAddress> {
        let text = text.as_ref();
        if text.is_empty() || text.len() > 512 || holds_control(text) {
            return Err(BadAddress);
        }
        Ok(Self(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// As `chars().any(char::is_control)`, for texts that are nearly always ASCII and are looked at for each delivery.
fn holds_control(text: &str) -> bool {
    // Without a way out of the loop it takes many octets at a time.
    let ascii = |found: (bool, bool), b: u8| (found.0 | !b.is_ascii(), found.1 | b.is_ascii_control());
    let (beyond, control) = text.bytes().fold((false, false), ascii);
    control || (beyond && text.chars().any(char::is_control))
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(..)")
    }
}

/// One person or one inbox among those who must be told.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Stakeholder {
    /// Their id.
    pub id: StakeholderId,
    /// Their name, for salutations. Never holds a control character.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Their addresses.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub addresses: BTreeMap<Mechanism, Address>,
    /// The places they belong to; empty means every place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<PlaceId>,
    /// Their language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<Lang>,
    /// Their zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Tz>,
    /// Everything else that the member data says of them, for templates: column to value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub vars: BTreeMap<String, String>,
    /// Whether they wish not to be told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub opted_out: bool,
    /// How many people they stand for, who are reached through them; 1 where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands_for: Option<NonZeroU32>,
    /// The member through whom they are reached: they are told by them, and not by relcomm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<StakeholderId>,
}

impl Stakeholder {
    /// A stakeholder without name, address or place.
    #[must_use]
    pub fn new(id: StakeholderId) -> Self {
        Self {
            id,
            name: None,
            addresses: BTreeMap::new(),
            places: Vec::new(),
            lang: None,
            zone: None,
            vars: BTreeMap::new(),
            opted_out: false,
            stands_for: None,
            through: None,
        }
    }

    /// With an address.
    #[must_use]
    pub fn address(mut self, mechanism: Mechanism, address: Address) -> Self {
        self.addresses.insert(mechanism, address);
        self
    }

    /// Whether they belong to the place; always, for the release as a whole.
    #[must_use]
    pub fn is_in(&self, place: Option<&PlaceId>) -> bool {
        self.places.is_empty() || place.is_none_or(|p| self.places.contains(p))
    }
}

impl fmt::Debug for Stakeholder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stakeholder")
            .field("mechanisms", &self.addresses.keys().collect::<Vec<_>>())
            .field("places", &self.places)
            .finish_non_exhaustive()
    }
}

/// People who must be told. `Debug` does not show who answers for them.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// Who answers for it; the responsible party where none is named.
    pub owner: String,
    /// The steps by which it is reached, preferred first; empty means the kinds of address that a member has.
    pub via: Vec<Step>,
    /// What makes a member count as informed.
    pub informed_when: Assurance,
    /// Within how long of the delivery's own due time.
    pub within: Option<Duration>,
    /// The languages in which it is told; empty means the language of each member, as far as the texts have it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<Lang>,
    /// The language for members who have none of these; the first of them where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Lang>,
    /// How many of its members must be informed.
    #[serde(default, skip_serializing_if = "Require::is_all")]
    pub require: Require,
    /// Whether a member whom nobody can reach keeps everything from going out until that is accepted by name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub must_inform: bool,
    /// Whether members who wish not to be told are told all the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub despite_opt_out: bool,
    /// The zone of members who name none; the plan's where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Tz>,
    /// The hours of the day in which its members are told, each by the clocks of their zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between: Option<Window>,
    /// Why it is not told, if it is not.
    pub waived: Option<Waiver>,
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group")
            .field("id", &self.id)
            .field("via", &self.via)
            .field("informed_when", &self.informed_when)
            .field("require", &self.require)
            .finish_non_exhaustive()
    }
}

impl Group {
    /// The languages in which it is told, the fallback counted in.
    pub fn offered(&self) -> impl Iterator<Item = &Lang> + Clone {
        self.languages.iter().chain(self.fallback.iter().filter(|lang| !self.languages.contains(lang)))
    }

    /// The language in which a member is told who wants this one: by the lookup of [RFC 4647](https://www.rfc-editor.org/rfc/rfc4647),
    /// section 3.4, `de-CH` finds `de`. Their own where none is offered.
    #[must_use]
    pub fn language(&self, wanted: Option<&Lang>) -> Option<Lang> {
        let Some(first) = self.offered().next() else { return wanted.cloned() };
        let found = wanted.and_then(|wanted| wanted.lookup(self.offered()));
        Some(found.or(self.fallback.as_ref()).unwrap_or(first).clone())
    }
}

/// How many members of a group must be informed. Whoever is exempt does not count; whoever stands for others counts for them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Require {
    /// Every one.
    #[default]
    All,
    /// At least one.
    Any,
    /// At least so many hundredths of a per cent, from 1 to 10,000.
    Share(u16),
    /// At least one of each value of a variable, such as one of each company. Whoever has no value is a company of their own.
    OnePer {
        /// The variable.
        variable: String,
        /// Counting only members whose variables have one of these values; the others' companies count all the same.
        among: BTreeMap<String, Vec<String>>,
    },
}

impl Require {
    /// Whether a member with these variables counts towards it.
    pub(crate) fn counts<'a>(&self, variable: impl Fn(&str) -> Option<&'a str>) -> bool {
        let Self::OnePer { among, .. } = self else { return true };
        among.iter().all(|(name, values)| variable(name).is_some_and(|value| values.iter().any(|v| v == value)))
    }

    /// Whether every member must be informed.
    #[must_use]
    pub fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }
}

impl From<Share> for Require {
    fn from(share: Share) -> Self {
        match share {
            Share::All => Self::All,
            Share::Any => Self::Any,
            Share::AtLeast(share) => Self::Share(share),
        }
    }
}

impl fmt::Display for Require {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Any => f.write_str("any"),
            Self::Share(share) if share % 100 == 0 => write!(f, "{}%", share / 100),
            Self::Share(share) => write!(f, "{}.{:02}%", share / 100, share % 100),
            Self::OnePer { variable, among } => {
                write!(f, "one per {variable}")?;
                for (n, (name, values)) in among.iter().enumerate() {
                    write!(f, "{} {name} {}", if n == 0 { " among" } else { "," }, values.join(" or "))?;
                }
                Ok(())
            }
        }
    }
}

/// A reasoned, signed decision that a group is not told.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Waiver {
    /// Why.
    pub why: String,
    /// Who decided.
    pub by: String,
}

impl fmt::Debug for Waiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiver").finish_non_exhaustive()
    }
}

/// A person who answers for the release, approves, executes or performs by hand.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Party {
    /// The word by which the plan and commands name them.
    pub id: StakeholderId,
    /// Their name.
    pub name: Option<String>,
    /// Their addresses.
    pub addresses: BTreeMap<Mechanism, Address>,
}

impl fmt::Debug for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Party").field("mechanisms", &self.addresses.keys().collect::<Vec<_>>()).finish_non_exhaustive()
    }
}

/// Who answers for the release.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Responsible {
    /// Who executes the plan.
    pub execute: Party,
    /// Who stands in.
    pub backup: Option<Party>,
    /// Who performs by hand what the plan gives to a performer of that name.
    pub performers: BTreeMap<Role, Party>,
}
