//! Communiques as people write them: to whom, when, after what, by which steps, in which words.

use super::people::Named;
use super::rules::Quantifier;
use crate::communique::{Indeterminate, Per, State};
use crate::id::{CommuniqueId, GroupId, ItemId, Lang, OccurrenceId, PlaceId, Role};
use crate::mechanism::Mechanism;
use crate::plan::source::shape::{flexible, scalar};
use crate::plan::source::{OneOrMany, Ordered};
use crate::plan::time::{Span, TimeDraft};
use crate::receipt::Assurance;
use crate::release::Outcome;
use schemars::JsonSchema;
use serde::Deserialize;
use std::str::FromStr;

/// One prepared message for one or more groups.
#[derive(Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CommuniqueDraft {
    /// The groups it is for, or `{ told: X }` for exactly those whom another communique told.
    pub to: ToDraft,
    /// One gate for each place, or one for the release. By default `place` if the text speaks of the place, or if it waits for a
    /// declaration and a group has members tied to places; else `release`.
    #[serde(default)]
    pub per: Option<Per>,
    /// The outcome, kind of release or place for which it is meant. By default success, no pre-release, and every place.
    #[serde(default, rename = "if")]
    pub condition: Option<IfDraft>,
    /// When it is due. By default at the declared success.
    #[serde(default)]
    pub at: Option<TimeDraft>,
    /// When it is due, several times, each with a name; in place of `at`.
    #[serde(default)]
    pub occurrences: Ordered<OccurrenceId, TimeDraft>,
    /// What must have been reached before, such as `brief-support acknowledged`.
    #[serde(default)]
    pub after: AfterDraft,
    /// What is done when what it waits for cannot be reached any more.
    #[serde(default)]
    pub if_blocked: Option<IfBlockedDraft>,
    /// The time after which it is no longer sent.
    #[serde(default)]
    pub not_after: Option<TimeDraft>,
    /// The time by which people must be informed: met, missed, late.
    #[serde(default)]
    pub deadline: Option<TimeDraft>,
    /// What those already told hear when the planned time moves.
    #[serde(default)]
    pub on_slip: Option<OnSlip>,
    /// The items that it covers. By default every item that concerns its groups, if it has no text of its own.
    #[serde(default)]
    pub covers: Option<OneOrMany<ItemId>>,
    /// Its own steps, in place of the groups'.
    #[serde(default)]
    pub via: Option<ViaDraft>,
    /// Its own rule of being informed, in place of the groups'.
    #[serde(default)]
    pub informed_when: Option<Assurance>,
    /// Its own rule for attempts whose outcome is unknown, in place of the plan's.
    #[serde(default)]
    pub indeterminate: Option<Indeterminate>,
    /// Whether it goes out before any declaration although its time speaks of the embargo.
    #[serde(default)]
    pub undeclared: bool,
    /// Whether hours of the day hold it back. By default they do.
    #[serde(default)]
    pub urgent: bool,
    /// The profile whose demands its text meets.
    #[serde(default)]
    pub profile: Option<String>,
    /// The subject's template, for all languages or by language. By default the built-in one.
    #[serde(default)]
    pub subject: Option<TextDraft>,
    /// The body's template, Markdown, for all languages or by language. By default the built-in text of the six answers.
    #[serde(default)]
    pub text: Option<TextDraft>,
    /// The file of the body's template, relative to the plan; `{{ lang }}` in its name stands for the language.
    #[serde(default)]
    pub text_file: Option<TextDraft>,
    /// The template for pager and text. By default made from the subject.
    #[serde(default)]
    pub short: Option<TextDraft>,
    /// What is different for the deliveries of one group; for a person in two of them the first named holds.
    #[serde(default, rename = "for")]
    pub variants: Ordered<GroupId, VariantDraft>,
}

/// What `for` changes for the deliveries of one group.
#[derive(Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct VariantDraft {
    /// Its own due time.
    #[serde(default)]
    pub at: Option<TimeDraft>,
    /// Its own steps.
    #[serde(default)]
    pub via: Option<ViaDraft>,
    /// Its own deadline.
    #[serde(default)]
    pub deadline: Option<TimeDraft>,
    /// Its own subject.
    #[serde(default)]
    pub subject: Option<TextDraft>,
    /// Its own text.
    #[serde(default)]
    pub text: Option<TextDraft>,
    /// Its own file of the text.
    #[serde(default)]
    pub text_file: Option<TextDraft>,
    /// Its own short text.
    #[serde(default)]
    pub short: Option<TextDraft>,
}

/// A template, or the name of a template's file: one for all languages, or by language.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TextDraft {
    /// One for all languages.
    All(String),
    /// By language.
    ByLang(Ordered<Lang, String>),
}

flexible!(TextDraft, "a text, or texts by language such as `{ en: …, de: … }`";
    text(String) => TextDraft::All;
    map(Ordered<Lang, String>) => TextDraft::ByLang);

/// Whom a communique is for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ToDraft {
    /// These groups.
    Groups(OneOrMany<GroupId>),
    /// Those whom another communique told.
    Told(ToldDraft),
}

flexible!(ToDraft, "a group, a list of groups, or `{ told: COMMUNIQUE }`";
    text(GroupId) => |group| ToDraft::Groups(std::iter::once(group).collect());
    list(Vec<GroupId>) => |groups| ToDraft::Groups(groups.into_iter().collect());
    map(ToldDraft) => ToDraft::Told);

/// Those whom another communique told.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ToldDraft {
    /// The other communique.
    pub told: CommuniqueId,
    /// Whether those who were perhaps told are included. By default they are.
    #[serde(default)]
    pub perhaps: Option<Perhaps>,
}

/// Whether those who were perhaps told are included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Perhaps {
    /// They are.
    #[default]
    Include,
    /// They are not.
    Exclude,
}

/// For which release or outcome a communique is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct IfDraft {
    /// The outcome. By default success.
    #[serde(default)]
    pub outcome: Option<Outcome>,
    /// The kind of release: `prerelease`, or the release's own `kind`.
    #[serde(default)]
    pub kind: Option<String>,
    /// Only at these places, of which each has a gate. By default at all.
    #[serde(default)]
    pub place: OneOrMany<PlaceId>,
    /// The name of a condition of the host's: only if it holds.
    #[serde(default)]
    pub host: Option<String>,
}

/// What those already told hear when the planned time moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnSlip {
    /// A correction: the next revision, to exactly those told.
    Correct,
    /// Nothing.
    Nothing,
}

/// What is done when what a communique waits for cannot be reached any more.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct IfBlockedDraft {
    /// After being blocked so long. By default at once.
    #[serde(default)]
    pub after: Option<Span>,
    /// What is done then.
    pub then: BlockedThen,
}

/// What is done with a communique that is blocked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BlockedThen {
    /// A person decides: `responsible`, or a role.
    Ask(Role),
    /// It goes out all the same.
    Proceed,
    /// It is not sent.
    Cancel,
}

impl FromStr for BlockedThen {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_whitespace().collect::<Vec<_>>()[..] {
            ["proceed"] => Ok(Self::Proceed),
            ["cancel"] => Ok(Self::Cancel),
            ["ask", role] => Role::new(role).map(Self::Ask).map_err(|e| e.to_string()),
            _ => Err("expected `ask ROLE`, `proceed` or `cancel`".into()),
        }
    }
}

scalar!(BlockedThen, "`ask responsible`, `ask ROLE`, `proceed` or `cancel`",
    "pattern": "^(ask [A-Za-z0-9][A-Za-z0-9._-]*|proceed|cancel)$");

/// What must have been reached before: all of these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AfterDraft(pub Vec<DependencyDraft>);

flexible!(AfterDraft, "a dependency such as `brief-support acknowledged`, or a list of them";
    text(DependencyText) => |text: DependencyText| AfterDraft(vec![text.0]);
    list(Vec<DependencyEntry>) => |list: Vec<DependencyEntry>| AfterDraft(list.into_iter().map(|d| d.0).collect());
    map(DependencyDraft) => |one| AfterDraft(vec![one]));

/// What must have been reached of one communique: `X [all|any|90%] STATE [for GROUP]`, or a map.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DependencyDraft {
    /// The communique that is waited for.
    pub communique: CommuniqueId,
    /// What it must have reached: an assurance, `informed` or `settled`.
    pub state: StateDraft,
    /// By how many of its stakeholders. By default all; those `informed`, by the rules of their groups.
    #[serde(default)]
    pub share: Option<Quantifier>,
    /// Counting only the members of this group.
    #[serde(default, rename = "for")]
    pub group: Option<GroupId>,
}

/// One entry of a list of dependencies.
#[derive(Clone, Debug)]
pub(super) struct DependencyEntry(DependencyDraft);

flexible!(DependencyEntry, "a dependency such as `brief-support acknowledged`";
    text(DependencyText) => |text: DependencyText| DependencyEntry(text.0);
    map(DependencyDraft) => DependencyEntry);

#[derive(Clone, Debug)]
pub(super) struct DependencyText(DependencyDraft);

impl FromStr for DependencyText {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || "expected `COMMUNIQUE [all|any|90%] STATE [for GROUP]`".to_owned();
        let words: Vec<&str> = text.split_whitespace().collect();
        let (words, group) = match words[..] {
            [ref lead @ .., "for", group] => (lead, Some(GroupId::new(group).map_err(|e| e.to_string())?)),
            _ => (&words[..], None),
        };
        let (communique, share, state) = match *words {
            [communique, state] => (communique, None, state),
            [communique, share, state] => (communique, Some(share.parse()?), state),
            _ => return Err(bad()),
        };
        Ok(Self(DependencyDraft {
            communique: CommuniqueId::new(communique).map_err(|e| e.to_string())?,
            state: state.parse()?,
            share,
            group,
        }))
    }
}

scalar!(DependencyText, "a dependency such as `brief-support acknowledged` or `live 90% informed for customers`",
    "pattern": "^\\s*\\S+(\\s+(all|any|[0-9.]+%))?\\s+(attempted|accepted|relayed|delivered|displayed|acknowledged|informed|settled)(\\s+for\\s+\\S+)?\\s*$");

/// What can be waited for of a communique.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateDraft(pub State);

impl FromStr for StateDraft {
    type Err = String;
    fn from_str(word: &str) -> Result<Self, String> {
        word.parse().map(Self).map_err(|()| {
            let words = Assurance::ALL.into_iter().map(Assurance::word).chain(["informed", "settled"]);
            match crate::plan::source::suggest(word, words.clone()) {
                Some(near) => format!("not a state that can be waited for; did you mean `{near}`?"),
                None => format!("not a state that can be waited for: {}", words.collect::<Vec<_>>().join(", ")),
            }
        })
    }
}

scalar!(StateDraft, "a state such as `acknowledged`, `informed` or `settled`",
    "enum": ["attempted", "accepted", "relayed", "delivered", "displayed", "acknowledged", "informed", "settled"]);

/// By which steps people are reached.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ViaDraft {
    /// These, preferred first.
    Steps(Vec<StepDraft>),
    /// At the address by which each was told.
    AsTold(AsToldDraft),
}

flexible!(ViaDraft, "a mechanism, a list of steps, a step, or `{ as_told: true }`";
    text(Mechanism) => |via| ViaDraft::Steps(vec![StepDraft::Via(via)]);
    list(Vec<StepDraft>) => ViaDraft::Steps;
    map(ViaForm) => |form: ViaForm| form.0);

#[derive(Deserialize, JsonSchema)]
#[serde(try_from = "ViaMap")]
pub(super) struct ViaForm(ViaDraft);

/// One step, or `as_told`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ViaMap {
    /// The mechanism of the step.
    #[serde(default)]
    via: Option<Mechanism>,
    /// Several steps at once, in place of `via`.
    #[serde(default)]
    all: Vec<StepDraft>,
    /// The step is begun unless this is reached…
    #[serde(default)]
    unless: Option<Assurance>,
    /// …within so long of the acceptance of the step before.
    #[serde(default)]
    within: Option<Span>,
    /// Who acts by hand, by the name under `responsible.performers`.
    #[serde(default)]
    performer: Option<Role>,
    /// The other person or role whom this step reaches.
    #[serde(default)]
    to: Option<ReachDraft>,
    /// At the address by which each was told.
    #[serde(default)]
    as_told: bool,
    /// With `as_told`: by which steps also, for each group.
    #[serde(default)]
    also: Ordered<GroupId, ViaDraft>,
}

impl TryFrom<ViaMap> for ViaForm {
    type Error = &'static str;
    fn try_from(map: ViaMap) -> Result<Self, &'static str> {
        let step = FullStepDraft {
            via: map.via,
            all: map.all,
            unless: map.unless,
            within: map.within,
            performer: map.performer,
            to: map.to,
        };
        let says_step = step != FullStepDraft::default();
        if map.as_told {
            if says_step {
                return Err("`as_told` stands alone or with `also`");
            }
            return Ok(Self(ViaDraft::AsTold(AsToldDraft { also: map.also })));
        }
        if !map.also.is_empty() {
            return Err("`also` stands only with `as_told: true`");
        }
        Ok(Self(ViaDraft::Steps(vec![StepDraft::Full(Box::new(step))])))
    }
}

/// Steps at the address by which each was told.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AsToldDraft {
    /// By which steps also, for each group.
    pub also: Ordered<GroupId, ViaDraft>,
}

/// One step: a mechanism, or a map.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum StepDraft {
    /// This mechanism, begun when the step before was refused.
    Via(Mechanism),
    /// Everything about it.
    Full(Box<FullStepDraft>),
}

flexible!(StepDraft, "a mechanism, or a step such as `{ via: pager, unless: acknowledged, within: 10m }`";
    text(Mechanism) => StepDraft::Via;
    map(FullStepDraft) => |step| StepDraft::Full(Box::new(step)));

/// One step with all that is said about it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FullStepDraft {
    /// The mechanism. Absent with `all`, and in a step that reaches `to` by what they have.
    #[serde(default)]
    pub via: Option<Mechanism>,
    /// Several steps at once, in place of `via`.
    #[serde(default)]
    pub all: Vec<StepDraft>,
    /// The step is begun unless this is reached…
    #[serde(default)]
    pub unless: Option<Assurance>,
    /// …within so long of the acceptance of the step before. Refusal always moves on.
    #[serde(default)]
    pub within: Option<Span>,
    /// Who acts by hand, by the name under `responsible.performers`.
    #[serde(default)]
    pub performer: Option<Role>,
    /// The other person or role whom this step reaches: an escalation.
    #[serde(default)]
    pub to: Option<ReachDraft>,
}

/// Whom a step reaches in the stakeholder's place.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ReachDraft {
    /// The person of this id, or who holds this role.
    Named(Named),
    /// The person whose id stands in this variable of the member.
    Column(ReachColumn),
}

flexible!(ReachDraft, "a person's id, a role, or `{ column: NAME }`";
    text(Named) => ReachDraft::Named;
    map(ReachColumn) => ReachDraft::Column);

/// The person whose id stands in a variable of the member, such as the next in the rota of a team.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ReachColumn {
    /// The variable: a column of the member data, or a key of `vars`.
    pub column: String,
}
