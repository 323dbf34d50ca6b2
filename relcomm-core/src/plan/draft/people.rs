//! People as plans write them: the responsible party, groups and their members.

use super::communique::ViaDraft;
use super::rules::RequireDraft;
use crate::id::{Lang, PlaceId, Role, StakeholderId};
use crate::mechanism::Mechanism;
use crate::plan::source::shape::{flexible, scalar};
use crate::plan::source::{OneOrMany, Ordered};
use crate::plan::time::{Span, Window, ZoneName};
use crate::receipt::Assurance;
use crate::stakeholder::{Address, BadAddress};
use schemars::JsonSchema;
use serde::Deserialize;
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

/// A person, role or office by the word or name that people use for it. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Named(String);

impl Named {
    /// The word or name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Named(..)")
    }
}

/// An address on a mechanism, or the name of an endpoint of the deployment's configuration. `Debug` does not show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressDraft(Address);

impl AddressDraft {
    /// The address.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.0
    }
}

impl FromStr for AddressDraft {
    type Err = BadAddress;
    fn from_str(text: &str) -> Result<Self, BadAddress> {
        Address::new(text).map(Self)
    }
}

scalar!(AddressDraft, "an address, or the name of an endpoint", "minLength": 1, "maxLength": 512);

/// Addresses by mechanism. Whether the plan knows the mechanism is for validation to say.
pub type Addresses = Ordered<Mechanism, AddressDraft>;

/// A person: `Ada Osei <ada@b.example>`, `ada@b.example`, a word, or a map. `Debug` does not show the name.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct PartyDraft {
    /// The word by which the plan and commands name them. By default the local part of the address, lower-cased.
    pub id: Option<StakeholderId>,
    /// Their name.
    pub name: Option<String>,
    /// Their addresses.
    pub addresses: Addresses,
}

impl fmt::Debug for PartyDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartyDraft").field("mechanisms", &self.addresses).finish_non_exhaustive()
    }
}

flexible!(PartyDraft, "a person such as `Ada Osei <ada@b.example>`, or a map with `id`, `name` and addresses";
    text(PartyText) => |text: PartyText| text.0;
    map(PartyMap) => |map: PartyMap| PartyDraft { id: map.id, name: map.name, addresses: map.addresses });

/// `Name <address>`, an address, or a word.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PartyText(PartyDraft);

impl FromStr for PartyText {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (name, address) = match text.split_once('<') {
            Some((name, rest)) => {
                let address = rest.strip_suffix('>').ok_or("the `<` has no closing `>` at the end")?;
                (Some(name.trim()).filter(|n| !n.is_empty()), Some(address.trim()))
            }
            None if text.contains('@') => (None, Some(text)),
            None => (Some(text), None),
        };
        if address.is_some_and(|a| !a.contains('@')) {
            return Err("there is no `@` in the address".into());
        }
        if name.is_some_and(|n| n.chars().any(char::is_control)) {
            return Err("a name holds no control character".into());
        }
        if name.is_none() && address.is_none() {
            return Err("nobody is named".into());
        }
        let email = Mechanism::new("email").map_err(|e| e.to_string())?;
        let addresses = address
            .map(|a| a.parse().map(|a| (email, a)))
            .transpose()
            .map_err(|e: BadAddress| e.to_string())?
            .into_iter()
            .collect();
        Ok(Self(PartyDraft { id: None, name: name.map(str::to_owned), addresses }))
    }
}

scalar!(PartyText, "a person such as `Ada Osei <ada@b.example>`", "minLength": 1);

/// A person in parts.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PartyMap {
    /// The word by which the plan and commands name them. By default the local part of the address, lower-cased.
    #[serde(default)]
    id: Option<StakeholderId>,
    /// Their name.
    #[serde(default)]
    name: Option<String>,
    /// An address by the word of its mechanism, such as `email`.
    #[serde(default, rename = "*")]
    addresses: Addresses,
}

/// Who answers for the release.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ResponsibleDraft {
    /// Who executes the plan.
    pub execute: PartyDraft,
    /// Who stands in.
    pub backup: Option<PartyDraft>,
    /// Who performs by hand what steps give to a performer of that name.
    pub performers: Ordered<Role, PartyDraft>,
}

flexible!(ResponsibleDraft, "a person, or a map with `execute`, `backup`, `performers`";
    text(PartyText) => |text: PartyText| ResponsibleDraft::alone(text.0);
    map(ResponsibleForm) => |form: ResponsibleForm| form.0);

impl ResponsibleDraft {
    fn alone(execute: PartyDraft) -> Self {
        Self { execute, backup: None, performers: Ordered::default() }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(try_from = "ResponsibleMap")]
pub(super) struct ResponsibleForm(ResponsibleDraft);

/// Who answers for the release, or one person in parts.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ResponsibleMap {
    /// Who executes the plan.
    #[serde(default)]
    execute: Option<PartyDraft>,
    /// Who stands in.
    #[serde(default)]
    backup: Option<PartyDraft>,
    /// Who performs by hand what steps give to a performer of that name.
    #[serde(default)]
    performers: Ordered<Role, PartyDraft>,
    /// In place of `execute`: the word by which the person is named.
    #[serde(default)]
    id: Option<StakeholderId>,
    /// In place of `execute`: the person's name.
    #[serde(default)]
    name: Option<String>,
    /// In place of `execute`: an address by the word of its mechanism.
    #[serde(default, rename = "*")]
    addresses: Addresses,
}

impl TryFrom<ResponsibleMap> for ResponsibleForm {
    type Error = &'static str;
    fn try_from(map: ResponsibleMap) -> Result<Self, &'static str> {
        let own = map.id.is_some() || map.name.is_some() || !map.addresses.is_empty();
        let execute = match (map.execute, own) {
            (Some(execute), false) => execute,
            (None, true) => PartyDraft { id: map.id, name: map.name, addresses: map.addresses },
            (Some(_), true) => return Err("either `execute` or the person's own `id`, `name` and addresses"),
            (None, false) => return Err("nobody executes: `execute` is missing"),
        };
        Ok(Self(ResponsibleDraft { execute, backup: map.backup, performers: map.performers }))
    }
}

/// People who must be told: a file of members, an address, a list of members, or a map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupDraft {
    /// How the group was written.
    pub shape: GroupShape,
    /// What is said about it; all absent where the group is a file, an address or a list.
    pub full: FullGroupDraft,
}

/// How a group was written, so that findings name the right path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GroupShape {
    /// As a map.
    #[default]
    Map,
    /// As one text: a file or an address.
    Text,
    /// As a list of members.
    List,
}

flexible!(GroupDraft, "a file of members, an address, a list of members, or a map";
    text(MembersOrAddress) => |text: MembersOrAddress| GroupDraft { shape: GroupShape::Text, full: text.0 };
    list(Vec<MemberDraft>) => |list| GroupDraft {
        shape: GroupShape::List,
        full: FullGroupDraft { members: Some(MembersDraft::Inline(list)), ..FullGroupDraft::default() },
    };
    map(FullGroupDraft) => |full| GroupDraft { shape: GroupShape::Map, full });

#[derive(Clone, Debug)]
pub(super) struct MembersOrAddress(FullGroupDraft);

impl FromStr for MembersOrAddress {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let mut group = FullGroupDraft::default();
        let is_file = std::path::Path::new(text).extension().is_some_and(|e| e == "csv" || e == "jsonl");
        if text.contains('@') && !is_file {
            group.addresses = text.parse::<PartyText>()?.0.addresses;
        } else if is_file {
            group.members = Some(MembersDraft::File(text.to_owned()));
        } else {
            return Err("neither an address nor a file of members (.csv, .jsonl)".into());
        }
        Ok(Self(group))
    }
}

scalar!(MembersOrAddress, "an address, or a file of members (.csv, .jsonl)", "minLength": 1);

/// What is said about a group.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FullGroupDraft {
    /// Who answers for it. By default the responsible party.
    #[serde(default)]
    pub owner: Option<Named>,
    /// Who belongs to it: inline, in a file, or in a directory of the host's.
    #[serde(default)]
    pub members: Option<MembersDraft>,
    /// The steps by which it is reached, preferred first. By default the kinds of address that its members have.
    #[serde(default)]
    pub via: Option<ViaDraft>,
    /// What makes a member count as informed. By default accepted.
    #[serde(default)]
    pub informed_when: Option<Assurance>,
    /// Within how long of the delivery's own due time.
    #[serde(default)]
    pub within: Option<Span>,
    /// How many of its members must be informed. By default all.
    #[serde(default)]
    pub require: Option<RequireDraft>,
    /// Whether a member whom nobody can reach blocks dispatch. By default not.
    #[serde(default)]
    pub must_inform: bool,
    /// The name of a predicate of the host's: only members for whom it holds.
    #[serde(default)]
    pub only: Option<String>,
    /// Whether a member's wish not to be told is respected. By default it is.
    #[serde(default)]
    pub opt_out: Option<OptOut>,
    /// The languages in which it is told.
    #[serde(default)]
    pub languages: OneOrMany<Lang>,
    /// The language for members who have none of these.
    #[serde(default)]
    pub fallback: Option<Lang>,
    /// The zone of members who name none.
    #[serde(default)]
    pub zone: Option<ZoneName>,
    /// The hours of the day in which it is told, such as `07:00-20:00`; what is due outside waits.
    #[serde(default)]
    pub between: Option<Window>,
    /// That it is not told, why, and who decided so.
    #[serde(default)]
    pub waived: Option<WaivedDraft>,
    /// A single inbox: its address by the word of its mechanism, such as `email`.
    #[serde(default, rename = "*")]
    pub addresses: Addresses,
}

/// Whether a member's wish not to be told is respected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OptOut {
    /// They are not told, and counted as exempt.
    Respect,
    /// They are told all the same, as for a notice that law or contract demands.
    Ignore,
}

/// A reasoned, signed decision that a group is not told.
#[derive(Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct WaivedDraft {
    /// Why.
    pub why: String,
    /// Who decided.
    pub by: Named,
}

/// Who belongs to a group.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum MembersDraft {
    /// A file (.csv, .jsonl), relative to the plan.
    File(String),
    /// The members themselves.
    Inline(Vec<MemberDraft>),
    /// A file with its columns, or a directory of the host's.
    From(MembersFrom),
}

flexible!(MembersDraft, "a file, a list of members, or a map with `file` or `directory`";
    text(String) => MembersDraft::File;
    list(Vec<MemberDraft>) => MembersDraft::Inline;
    map(MembersFrom) => MembersDraft::From);

/// Where members come from.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MembersFrom {
    /// The file (.csv, .jsonl), relative to the plan.
    #[serde(default)]
    pub file: Option<String>,
    /// The name of a directory of the host's. It names what it gives by itself: `columns` are those of a file.
    #[serde(default)]
    pub directory: Option<String>,
    /// What a column holds: `id`, `name`, `language`, `place`, `zone`, a mechanism or a variable, to the column's name.
    #[serde(default)]
    pub columns: Ordered<String, String>,
    /// The secret, of 16 octets at least, with which the id of a member who has none is derived from their address. A member keeps it as
    /// long as they keep the address.
    #[serde(default)]
    pub id_key: Option<SecretRef>,
}

/// Where a secret is found; a plan never holds one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "SecretMap")]
pub enum SecretRef {
    /// In this environment variable.
    Env(String),
    /// In this file.
    File(String),
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "the environment variable `{name}`"),
            Self::File(path) => write!(f, "the file `{path}`"),
        }
    }
}

/// Where a secret is found: one of the two.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SecretMap {
    /// In this environment variable.
    #[serde(default)]
    env: Option<String>,
    /// In this file, relative to the plan.
    #[serde(default)]
    file: Option<String>,
}

impl TryFrom<SecretMap> for SecretRef {
    type Error = &'static str;
    fn try_from(map: SecretMap) -> Result<Self, &'static str> {
        match (map.env, map.file) {
            (Some(name), None) => Ok(Self::Env(name)),
            (None, Some(path)) => Ok(Self::File(path)),
            _ => Err("one of `env` and `file`"),
        }
    }
}

/// One member of a group: `Ada Osei <ada@b.example>`, an address, or a map.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum MemberDraft {
    /// A name, an address, or both.
    Text(PartyDraft),
    /// Everything about them.
    Full(Box<FullMemberDraft>),
}

impl fmt::Debug for MemberDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text(..)"),
            Self::Full(_) => f.write_str("Full(..)"),
        }
    }
}

flexible!(MemberDraft, "a person such as `Ada Osei <ada@b.example>`, or a map with `id` and addresses";
    text(PartyText) => |text: PartyText| MemberDraft::Text(text.0);
    map(FullMemberDraft) => |map| MemberDraft::Full(Box::new(map)));

/// One member of a group with all that is said about them.
#[derive(Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FullMemberDraft {
    /// Their id. By default the local part of the address, lower-cased.
    #[serde(default)]
    pub id: Option<StakeholderId>,
    /// Their name.
    #[serde(default)]
    pub name: Option<String>,
    /// Their language.
    #[serde(default)]
    pub language: Option<Lang>,
    /// Their zone.
    #[serde(default)]
    pub zone: Option<ZoneName>,
    /// The places they belong to. By default all.
    #[serde(default)]
    pub place: OneOrMany<PlaceId>,
    /// How many people they stand for, who are reached through them.
    #[serde(default)]
    pub stands_for: Option<NonZeroU32>,
    /// The member through whom they are reached.
    #[serde(default)]
    pub through: Option<StakeholderId>,
    /// Whether they wish not to be told.
    #[serde(default)]
    pub opted_out: bool,
    /// More about them, for texts and for `require`, such as `company` and `role`.
    #[serde(default)]
    pub vars: Ordered<String, String>,
    /// An address by the word of its mechanism, such as `email`.
    #[serde(default, rename = "*")]
    pub addresses: Addresses,
}

/// The keys of a member; every other word is taken for a mechanism.
pub(crate) const MEMBER_KEYS: [&str; 9] =
    ["id", "name", "language", "zone", "place", "stands_for", "through", "opted_out", "vars"];

impl fmt::Debug for FullMemberDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FullMemberDraft").field("place", &self.place).finish_non_exhaustive()
    }
}

/// The keys of a group; every other word is taken for a mechanism.
pub(crate) const GROUP_KEYS: [&str; 14] = [
    "owner",
    "members",
    "via",
    "informed_when",
    "within",
    "require",
    "must_inform",
    "only",
    "opt_out",
    "languages",
    "fallback",
    "zone",
    "between",
    "waived",
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_keys_of_a_member_and_of_a_group_are_those_of_the_schema() {
        for (schema, known) in [
            (schemars::schema_for!(FullMemberDraft), &MEMBER_KEYS[..]),
            (schemars::schema_for!(FullGroupDraft), &GROUP_KEYS[..]),
        ] {
            let properties = schema.as_value()["properties"].as_object().unwrap();
            let keys: BTreeSet<&str> = properties.keys().map(String::as_str).filter(|key| *key != "*").collect();
            assert_eq!(keys, known.iter().copied().collect());
        }
    }
}
