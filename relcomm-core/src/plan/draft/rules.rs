//! The rules of a plan as people write them: mechanisms, approvals, protocol, profiles, embargo, quotas, parameters.

use super::people::{Named, PartyDraft};
use crate::id::{CommuniqueId, GroupId, Role};
use crate::mechanism::Addressing;
use crate::plan::source::shape::{flexible, scalar};
use crate::plan::source::{OneOrMany, Ordered};
use crate::plan::time::{Span, TimeDraft};
use crate::receipt::Assurance;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A mechanism of the plan's own.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MechanismDraft {
    /// The regular expression that its addresses match.
    #[serde(default)]
    pub address: Option<String>,
    /// The most that it can prove.
    pub proves: Assurance,
    /// Whether it reaches people each or once. By default each.
    #[serde(default)]
    pub addressing: Option<Addressing>,
}

/// A parameter of the plan.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ParamDraft {
    /// Its value where `--set` says no other.
    Value(String),
    /// Where its value comes from.
    From(ParamFrom),
}

flexible!(ParamDraft, "a value, or a map with `env` or `value`";
    text(String) => ParamDraft::Value;
    map(ParamFrom) => ParamDraft::From);

/// Where a parameter's value comes from: `--set`, else the environment, else `value`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ParamFrom {
    /// The environment variable.
    #[serde(default)]
    pub env: Option<String>,
    /// The value where neither says one.
    #[serde(default)]
    pub value: Option<String>,
}

/// Who must approve what.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ApprovalsDraft {
    /// Who holds which role.
    #[serde(default)]
    pub roles: Ordered<Role, OneOrMany<PartyDraft>>,
    /// The approvals that are needed.
    #[serde(default)]
    pub need: OneOrMany<NeedDraft>,
    /// The acts that nobody does more than one of.
    #[serde(default)]
    pub distinct: OneOrMany<Act>,
    /// How long an approval holds. By default without end.
    #[serde(default)]
    pub expire: Option<Span>,
    /// What an approval is bound to: the texts alone, or the people too. By default the texts.
    #[serde(default)]
    pub covers: Option<ApprovalCovers>,
}

/// One approval that is needed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum NeedDraft {
    /// By this role, for everything.
    Role(Role),
    /// By a role, for some communiques or in retrospect.
    Only(NeedOnly),
}

flexible!(NeedDraft, "a role, or a map with `role`, `only`, `retrospective`";
    text(Role) => NeedDraft::Role;
    map(NeedOnly) => NeedDraft::Only);

/// An approval that is needed for some communiques, or in retrospect.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct NeedOnly {
    /// By whom.
    pub role: Role,
    /// Only for these communiques. By default for all.
    #[serde(default)]
    pub only: OneOrMany<CommuniqueId>,
    /// Within how long of the first declaration it is given, if it may come after. By default it comes before anything goes out.
    #[serde(default)]
    pub retrospective: Option<Span>,
}

/// An act of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Act {
    /// Preparing the plan.
    Prepare,
    /// Approving it.
    Approve,
    /// Declaring how the release went.
    Declare,
    /// Executing the plan.
    Execute,
}

/// What an approval is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum ApprovalCovers {
    /// The texts.
    #[serde(rename = "texts")]
    Texts,
    /// The texts, and the list of people.
    #[serde(rename = "texts+people")]
    TextsAndPeople,
}

/// Who does what: persons or roles for each act. What is not said is open to everyone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ProtocolDraft {
    /// Who prepares.
    #[serde(default)]
    pub prepare: OneOrMany<Named>,
    /// Who approves.
    #[serde(default)]
    pub approve: OneOrMany<Named>,
    /// Who declares.
    #[serde(default)]
    pub declare: OneOrMany<Named>,
    /// Who executes.
    #[serde(default)]
    pub execute: OneOrMany<Named>,
}

/// Demands on texts, which a communique takes on by the profile's name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ProfileDraft {
    /// Facts that a text must use, as templates name them, such as `release.why`.
    pub must_state: OneOrMany<String>,
}

/// What must not be known before an instant.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbargoDraft(pub FullEmbargoDraft);

flexible!(EmbargoDraft, "a time, or a map with `until`, `cleared`, `classified`, `lift`";
    text(TimeDraft) => |until| EmbargoDraft(FullEmbargoDraft {
        until, cleared: OneOrMany::default(), classified: OneOrMany::default(), lift: OneOrMany::default(),
    });
    map(FullEmbargoDraft) => EmbargoDraft);

/// What must not be known before an instant, in parts.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FullEmbargoDraft {
    /// When it ends.
    pub until: TimeDraft,
    /// The groups that may know before.
    #[serde(default)]
    pub cleared: OneOrMany<GroupId>,
    /// What is classified, as paths of the plan or as templates name it, such as `release.what` or `item.no-std`. Default:
    /// `release.what` and `release.why`.
    #[serde(default)]
    pub classified: OneOrMany<String>,
    /// Who may lift it. Default: whoever answers for the release.
    #[serde(default)]
    pub lift: OneOrMany<Named>,
}

/// How many of a group must be informed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RequireDraft {
    /// All, any, or a share.
    Share(Quantifier),
    /// One of each, such as one of each company.
    OnePer(OnePer),
}

flexible!(RequireDraft, "`all`, a share such as `98%`, or a map with `one_per`";
    text(Quantifier) => RequireDraft::Share;
    map(OnePer) => RequireDraft::OnePer);

/// One member of each value of a variable must be informed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct OnePer {
    /// The variable of members, such as `company`.
    pub one_per: String,
    /// Counting only members whose variables have these values, such as `{ role: technical }`.
    #[serde(default)]
    pub among: Ordered<String, OneOrMany<String>>,
}

/// All, any, or a share of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Quantifier {
    /// Every one.
    #[default]
    All,
    /// At least one.
    Any,
    /// At least so many hundredths of a per cent, from 1 to 10,000.
    Share(u16),
}

impl FromStr for Quantifier {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const BAD: &str = "expected `all`, `any` or a share such as `98%`";
        match text.trim() {
            "all" => Ok(Self::All),
            "any" => Ok(Self::Any),
            other => {
                let (whole, part) =
                    other.strip_suffix('%').map(|n| n.split_once('.').unwrap_or((n, "0"))).ok_or(BAD)?;
                let digits = |s: &str| !s.is_empty() && s.len() <= 3 && s.chars().all(|c| c.is_ascii_digit());
                if !digits(whole) || !digits(part) || part.len() > 2 {
                    return Err(BAD);
                }
                let whole: u32 = whole.parse().map_err(|_| BAD)?;
                let scale = if part.len() == 1 { 10 } else { 1 };
                let part: u32 = part.parse().map_err(|_| BAD)?;
                match u16::try_from(whole * 100 + part * scale) {
                    Ok(share @ 1..=10_000) => Ok(Self::Share(share)),
                    _ => Err("a share is above 0% and at most 100%"),
                }
            }
        }
    }
}

impl fmt::Display for Quantifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Any => f.write_str("any"),
            Self::Share(share) if share % 100 == 0 => write!(f, "{}%", share / 100),
            Self::Share(share) => write!(f, "{}.{:02}%", share / 100, share % 100),
        }
    }
}

scalar!(Quantifier, "`all`, `any` or a share such as `98%`",
    "pattern": "^(all|any|[0-9]{1,3}([.][0-9]{1,2})?%)$");
