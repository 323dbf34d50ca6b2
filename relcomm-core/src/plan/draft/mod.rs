//! The plan as people write it: every key of the language, before any check that needs more than one of them.
//!
//! A draft is only as good as its spelling: references may dangle and times may be impossible. Validation turns it into a
//! [`Plan`](super::Plan) or says why not.

mod release;
mod people;
mod rules;
mod communique;

pub use communique::{
    AfterDraft, AsToldDraft, BlockedThen, CommuniqueDraft, DependencyDraft, FullStepDraft, IfBlockedDraft, IfDraft,
    OnSlip, Perhaps, ReachColumn, ReachDraft, StateDraft, StepDraft, TextDraft, ToDraft, ToldDraft, VariantDraft,
    ViaDraft,
};
pub use people::{
    AddressDraft, Addresses, FullGroupDraft, FullMemberDraft, GroupDraft, GroupShape, MemberDraft, MembersDraft,
    MembersFrom, Named, OptOut, PartyDraft, ResponsibleDraft, SecretRef, WaivedDraft,
};
pub(crate) use people::{GROUP_KEYS, MEMBER_KEYS};
pub use release::{
    FullHowDraft, FullItemDraft, FullWhenDraft, HowDraft, ItemDraft, PlaceDraft, ReleaseDraft, WhatDraft, WhenDraft,
    WhereDraft,
};
pub use rules::{
    Act, ApprovalCovers, ApprovalsDraft, EmbargoDraft, FullEmbargoDraft, MechanismDraft, NeedDraft, NeedOnly, OnePer,
    ParamDraft, ParamFrom, ProfileDraft, ProtocolDraft, Quantifier, RequireDraft,
};

use super::source::{Format, Ordered, Source};
use super::time::{Span, ZoneName};
use super::{Finding, Settings};
use crate::communique::Indeterminate;
use crate::id::{CommuniqueId, GroupId, PlanId};
use crate::mechanism::Mechanism;
use schemars::JsonSchema;
use serde::Deserialize;
use std::fmt;
use std::num::NonZeroU32;

/// `Debug` that shows nothing of what people wrote: texts may be classified, reasons and names are people's own.
macro_rules! unseen {
    ($($name:ident),*) => {
        $(impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        })*
    };
}

unseen!(
    PlanDraft,
    ReleaseDraft,
    ItemDraft,
    FullItemDraft,
    HowDraft,
    FullHowDraft,
    CommuniqueDraft,
    VariantDraft,
    TextDraft,
    WaivedDraft
);

/// A release communications plan, as people write it.
#[derive(Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PlanDraft {
    /// The version of the plan language: 1.
    pub plan: FormatVersion,
    /// The plan's id. By default product-version.
    #[serde(default)]
    pub id: Option<PlanId>,
    /// Values that `{{ params.NAME }}` stands for.
    #[serde(default)]
    pub params: Ordered<String, ParamDraft>,
    /// The zone of every time without an offset, and of days and weeks, such as `Europe/London`.
    #[serde(default)]
    pub zone: Option<ZoneName>,
    /// Mechanisms of the plan's own, by their words.
    #[serde(default)]
    pub mechanisms: Ordered<Mechanism, MechanismDraft>,
    /// How many attempts may be in flight on a channel that cannot deduplicate.
    #[serde(default)]
    pub exposure: Option<NonZeroU32>,
    /// What becomes of attempts whose outcome is unknown. By default they are held.
    #[serde(default)]
    pub indeterminate: Option<Indeterminate>,
    /// How long after the last due gate opened an unconfirmed person is final.
    #[serde(default)]
    pub settle: Option<Span>,
    /// What is released.
    pub release: ReleaseDraft,
    /// Who answers for the release.
    #[serde(default)]
    #[schemars(required)]
    pub responsible: Option<ResponsibleDraft>,
    /// Who does what.
    #[serde(default)]
    pub protocol: Option<ProtocolDraft>,
    /// Who must approve what.
    #[serde(default)]
    pub approvals: Option<ApprovalsDraft>,
    /// Demands on texts, by name.
    #[serde(default)]
    pub profiles: Ordered<String, ProfileDraft>,
    /// What must not be known before an instant.
    #[serde(default)]
    pub embargo: Option<EmbargoDraft>,
    /// The people who must be told, by group.
    #[serde(default)]
    #[schemars(required)]
    pub groups: Ordered<GroupId, GroupDraft>,
    /// What is said.
    #[serde(default)]
    #[schemars(required)]
    pub communiques: Ordered<CommuniqueId, CommuniqueDraft>,
}

/// How many groups, communiques, items, places and the like a plan may have of each. What refers to them is looked up among all.
const MOST_PARTS: usize = 1_000;

/// The version of the plan language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormatVersion;

impl std::str::FromStr for FormatVersion {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "1" { Ok(Self) } else { Err("this version of relcomm reads plans of version 1") }
    }
}

impl<'de> Deserialize<'de> for FormatVersion {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for FormatVersion {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FormatVersion".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "enum": [1, "1"] })
    }
}

impl PlanDraft {
    /// Who answers for the release: who executes, who stands in, and who performs by hand.
    pub(crate) fn parties(&self) -> impl Iterator<Item = &PartyDraft> {
        self.responsible.iter().flat_map(|responsible| {
            let one = std::iter::once(&responsible.execute).chain(&responsible.backup);
            one.chain(responsible.performers.values())
        })
    }

    /// Who holds the role of that word: in approvals, as a performer, or as `responsible` and `backup`.
    pub(crate) fn holders(&self, word: &str) -> Vec<&PartyDraft> {
        let approvals = self.approvals.iter().flat_map(|approvals| &approvals.roles);
        let mut holders: Vec<&PartyDraft> =
            approvals.filter(|(role, _)| role.as_str() == word).flat_map(|(_, holders)| holders).collect();
        if let Some(responsible) = &self.responsible {
            let performers = responsible.performers.iter().filter(|(role, _)| role.as_str() == word);
            holders.extend(performers.map(|(_, party)| party));
            match word {
                "responsible" | "execute" => holders.push(&responsible.execute),
                "backup" => holders.extend(&responsible.backup),
                _ => {}
            }
        }
        holders
    }

    /// Reads a plan without parameters from outside: the format is told by the file's name.
    ///
    /// # Errors
    /// Every finding about its form: syntax, unknown and missing keys, values of the wrong kind.
    pub fn read(file: &str, bytes: &[u8]) -> Result<(Self, Source), Vec<Finding>> {
        Self::read_with(file, bytes, &Settings::default())
    }

    /// Reads a plan and fills its parameters.
    ///
    /// # Errors
    /// As [`read`](Self::read), and a finding for each parameter that has no value.
    pub fn read_with(file: &str, bytes: &[u8], settings: &Settings) -> Result<(Self, Source), Vec<Finding>> {
        let source = Source::parse(file, bytes, Format::of(file)).map_err(|finding| vec![*finding])?;
        Self::of(source, settings)
    }

    /// Reads a plan from its tree, in which some values may have been [set](Source::set), and fills its parameters.
    ///
    /// # Errors
    /// As [`read_with`](Self::read_with).
    pub fn of(mut source: Source, settings: &Settings) -> Result<(Self, Source), Vec<Finding>> {
        super::params::expand(&mut source, settings)?;
        let draft: Self = source.decode()?;
        let too_many = draft.too_many_parts(&source);
        if too_many.is_empty() { Ok((draft, source)) } else { Err(too_many) }
    }

    fn too_many_parts(&self, source: &Source) -> Vec<Finding> {
        let places = match &self.release.places {
            Some(WhereDraft::Ids(ids)) => ids.len(),
            Some(WhereDraft::Places(places)) => places.len(),
            _ => 0,
        };
        let parts = [
            ("params", self.params.len()),
            ("mechanisms", self.mechanisms.len()),
            ("release.what", self.release.what.as_ref().map_or(0, |what| what.0.len())),
            ("release.where", places),
            ("profiles", self.profiles.len()),
            ("groups", self.groups.len()),
            ("communiques", self.communiques.len()),
        ];
        let too_many = parts.into_iter().filter(|(_, count)| *count > MOST_PARTS);
        too_many
            .map(|(path, count)| {
                let message = format!("it holds {count} entries, {MOST_PARTS} at most are read");
                Finding::error("RC0005", path, message).at(source.at(path))
            })
            .collect()
    }
}
