//! The release as people write it: product, version and the six answers.

use super::communique::AfterDraft;
use crate::id::{GroupId, ItemId, PlaceId};
use crate::plan::source::shape::flexible;
use crate::plan::source::{OneOrMany, Ordered};
use crate::plan::time::{Instant, Span};
use schemars::JsonSchema;
use serde::Deserialize;

/// What is released, and the answers to what, why, where, how and when. Who answers is `responsible`.
#[derive(Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ReleaseDraft {
    /// The product's name.
    pub product: String,
    /// The version, as text. A SemVer pre-release reaches nobody unless a communique says so.
    pub version: String,
    /// The kind of release in the team's words, such as `hotfix`; a communique's `if` may speak of it.
    #[serde(default)]
    pub kind: Option<String>,
    /// What is in it: a text, or a list of items.
    #[serde(default)]
    #[schemars(required)]
    pub what: Option<WhatDraft>,
    /// Why it was made.
    #[serde(default)]
    #[schemars(required)]
    pub why: Option<String>,
    /// Where it is placed into production: one place, a list, or places by id. By default one place, `production`.
    #[serde(default, rename = "where")]
    pub places: Option<WhereDraft>,
    /// How it is used.
    #[serde(default)]
    #[schemars(required)]
    pub how: Option<HowDraft>,
    /// When it is planned. By default open.
    #[serde(default)]
    pub when: Option<WhenDraft>,
}

/// What is in the release.
#[derive(Clone, Debug, PartialEq)]
pub struct WhatDraft(pub Vec<ItemDraft>);

flexible!(WhatDraft, "a text or a list of items";
    text(String) => |text| WhatDraft(vec![ItemDraft::Text(text)]);
    list(Vec<ItemDraft>) => WhatDraft);

/// One item of *what*.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum ItemDraft {
    /// Its text alone.
    Text(String),
    /// Everything about it.
    Full(FullItemDraft),
}

flexible!(ItemDraft, "a text or an item such as `{ id: msrv, kind: change, text: … }`";
    text(String) => ItemDraft::Text;
    map(FullItemDraft) => ItemDraft::Full);

/// One item of *what* with all that is said about it.
#[derive(Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FullItemDraft {
    /// Its id, by which `covers` and templates (`item.ID`) name it. By default made from its place in the list.
    #[serde(default)]
    pub id: Option<ItemId>,
    /// The kind in the team's words: feature, change, fix, removal.
    #[serde(default)]
    pub kind: Option<String>,
    /// What it is.
    pub text: String,
    /// The groups it concerns. By default all.
    #[serde(default)]
    pub concerns: OneOrMany<GroupId>,
    /// The places it is in. By default all.
    #[serde(default)]
    pub places: OneOrMany<PlaceId>,
}

/// Where the release is placed into production.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum WhereDraft {
    /// One place, by its name.
    One(String),
    /// Places by their ids.
    Ids(Vec<PlaceId>),
    /// Places by id, with what is said about each.
    Places(Ordered<PlaceId, PlaceDraft>),
}

flexible!(WhereDraft, "a place, a list of places, or a map of places";
    text(String) => WhereDraft::One;
    list(Vec<PlaceId>) => WhereDraft::Ids;
    map(Ordered<PlaceId, PlaceDraft>) => WhereDraft::Places);

/// One entry of *where*. Success is declared place by place.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PlaceDraft {
    /// The name in texts. By default the id.
    #[serde(default)]
    pub name: Option<String>,
    /// The platforms it runs on.
    #[serde(default)]
    pub platforms: OneOrMany<String>,
    /// What must have been reached before the release can be declared here, such as `heads-up informed`.
    #[serde(default)]
    pub needs: AfterDraft,
}

/// How the release is used.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum HowDraft {
    /// How one gets at it, alone.
    Access(String),
    /// The whole answer.
    Full(FullHowDraft),
}

flexible!(HowDraft, "a text or a map with `access`, `circumstances`, `support`";
    text(String) => HowDraft::Access;
    map(FullHowDraft) => HowDraft::Full);

/// How the release is used, in parts.
#[derive(Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FullHowDraft {
    /// How one gets at it.
    pub access: String,
    /// Under what circumstances.
    #[serde(default)]
    pub circumstances: Option<String>,
    /// Where help is found.
    #[serde(default)]
    pub support: Option<String>,
}

/// When the release is planned.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum WhenDraft {
    /// An instant, or `open`.
    Planned(Instant),
    /// The whole answer.
    Full(FullWhenDraft),
}

flexible!(WhenDraft, "an instant, `open`, or a map with `planned`, `lasts`";
    text(Instant) => WhenDraft::Planned;
    map(FullWhenDraft) => WhenDraft::Full);

/// When the release is planned, in parts.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FullWhenDraft {
    /// The planned instant, or `open`.
    #[serde(default)]
    pub planned: Option<Instant>,
    /// How long the work takes.
    #[serde(default)]
    pub lasts: Option<Span>,
}
