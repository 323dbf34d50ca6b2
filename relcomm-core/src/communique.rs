//! Communiques: what is said, to which groups, when, after what, and by which steps.

use crate::clock::Moment;
use crate::id::{CommuniqueId, GroupId, ItemId, Lang, OccurrenceId, PlaceId, Role};
use crate::mechanism::Mechanism;
use crate::receipt::Assurance;
use crate::release::{Outcome, Release};
use chrono::NaiveTime;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// One prepared message for one or more groups.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Communique {
    /// Its id.
    pub id: CommuniqueId,
    /// The groups it is for, in the plan's order.
    pub to: Vec<GroupId>,
    /// One gate for each place, or one for the release.
    pub per: Per,
    /// The outcome for which it is meant.
    pub outcome: Outcome,
    /// Whether its gate waits for a declaration: its anchor or condition speaks of one, or its text claims one.
    pub awaits_declaration: bool,
    /// Whether a pre-release reaches its groups.
    pub prerelease: bool,
    /// The kind of release for which alone it is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The places for which alone it is meant; none means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only_at: Vec<PlaceId>,
    /// The condition of the host's that did not hold, so that it is kept back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fails: Option<String>,
    /// When it is due: one unnamed time, or several named ones.
    pub occurrences: Vec<Occurrence>,
    /// What must have happened before.
    pub after: Vec<Dependency>,
    /// What is done when that cannot be reached any more; without it, it waits for a person's word and makes nothing pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_blocked: Option<IfBlocked>,
    /// The time after which it is no longer sent; that of an occurrence or of one group takes its place.
    pub not_after: Option<Timing>,
    /// When its people must be informed; later counts as late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timing>,
    /// Whether one of its texts uses something that the plan's embargo classifies.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub classified: bool,
    /// Whether no hours of the day hold it back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub urgent: bool,
    /// The items that it says it covers.
    pub covers: Vec<ItemId>,
    /// Its own steps, in place of the groups'.
    pub via: Vec<Step>,
    /// Its own rule of being informed, in place of the groups'.
    pub informed_when: Option<Assurance>,
    /// Its own rule for attempts whose outcome is unknown, in place of the plan's.
    pub indeterminate: Option<Indeterminate>,
    /// The words.
    pub wording: WordingSource,
    /// What is different for one group: the first named group of a person holds.
    pub variants: BTreeMap<GroupId, Variant>,
    /// What it corrects, if it is for exactly those whom another communique told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrects: Option<Corrects>,
    /// Whether those whom it told hear of it when the planned time moves: in a revision, by the same words with the new time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub corrects_slips: bool,
}

/// Whom a correction is for, and how they are reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Corrects {
    /// The communique that told them.
    pub of: CommuniqueId,
    /// Whether those who were perhaps told are among them.
    pub perhaps: bool,
    /// Whether each is reached by the mechanism, and at the address, by which they were told.
    pub as_told: bool,
    /// By which steps those of a group are reached after that.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub also: BTreeMap<GroupId, Vec<Step>>,
}

/// What a delivery is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Part {
    /// The communique itself.
    #[default]
    Live,
    /// A correction.
    Correction,
    /// News of a slip.
    Slip,
}

impl Part {
    /// Whether it is the communique itself.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        matches!(self, Self::Live)
    }
}

impl Communique {
    /// Why it is kept back from a release: it is meant for another kind, or a condition of the host's does not hold. `None` if it is not.
    #[must_use]
    pub fn kept_back(&self, release: &Release) -> Option<String> {
        let fails = || self.fails.as_ref().map(|name| format!("not {name}"));
        release.keeps_back(self.prerelease, self.kind.as_deref()).or_else(fails)
    }

    /// The steps by which it reaches somebody: those of the variant for a group, else its own, else `of_group`, those of the group by which
    /// they are told. None means by the kinds of address that they have.
    #[must_use]
    pub fn steps<'a>(&'a self, variant: Option<&GroupId>, of_group: &'a [Step]) -> &'a [Step] {
        let of_variant = variant.and_then(|group| self.variants.get(group)).map_or(&[][..], |variant| &variant.via);
        [of_variant, &self.via].into_iter().find(|steps| !steps.is_empty()).unwrap_or(of_group)
    }

    /// Whether a variant has words or times of its own, so that a post is not the same for its group as for others.
    pub(crate) fn is_told_apart(&self, variant: &GroupId) -> bool {
        self.variants
            .get(variant)
            .is_some_and(|own| own.wording.is_some() || own.at.is_some() || own.not_after.is_some())
    }

    /// The sources of a part of the words: those of the variant for a group, named with them, else its own. `None` means the built-in ones.
    pub(crate) fn sources<'a>(
        &'a self,
        variant: Option<&'a GroupId>,
        part: impl Fn(&'a WordingSource) -> Option<&'a Sources>,
    ) -> Option<(Option<&'a GroupId>, &'a Sources)> {
        let of_variant = variant.and_then(|group| part(self.variants.get(group)?.wording.as_ref()?));
        of_variant.map(|sources| (variant, sources)).or_else(|| Some((None, part(&self.wording)?)))
    }

    /// The language in which somebody is told who wants this one: that of the text, else of what else is by language, so that all words of
    /// a message are in one. `None` if none of them is by language.
    #[must_use]
    pub fn language(&self, variant: Option<&GroupId>, wanted: Option<&Lang>) -> Option<Lang> {
        let parts: [fn(&WordingSource) -> Option<&Sources>; 3] =
            [|words| words.text.as_ref(), |words| words.subject.as_ref(), |words| words.short.as_ref()];
        parts.into_iter().find_map(|part| self.sources(variant, part)?.1.choose(wanted)?.lang.clone())
    }
}

/// What `for` changes for the deliveries of one group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Variant {
    /// Its own due time.
    pub at: Option<Timing>,
    /// Its own deadline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timing>,
    /// Its own time after which it is no longer sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timing>,
    /// Its own steps.
    pub via: Vec<Step>,
    /// Its own words.
    pub wording: Option<WordingSource>,
}

/// Whether a communique has one gate for each place or one for the release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    /// One gate for each place, for that place's members.
    Place,
    /// One gate, open when every place is declared and one succeeded.
    Release,
}

/// One time at which a communique is due.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Occurrence {
    /// Its name, where the communique has several.
    pub id: Option<OccurrenceId>,
    /// When.
    pub at: Timing,
    /// The time after which it is no longer sent, in place of the communique's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timing>,
}

/// A time relative to an anchor: the anchor, then whole calendar days in the zone, then a time of day, then elapsed time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Timing {
    /// What it is relative to.
    pub anchor: Anchor,
    /// Calendar days in `zone`, weeks counted in.
    pub days: i32,
    /// Business days (Monday to Friday) in `zone`, after the calendar days.
    pub business_days: i32,
    /// Elapsed milliseconds, after all else.
    pub elapsed_ms: i64,
    /// The time of day in `zone` to which the day is set.
    pub time_of_day: Option<NaiveTime>,
    /// The zone in which days and times of day are counted.
    pub zone: Tz,
    /// The hours of the day outside which a delivery waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between: Option<Window>,
    /// Whether days, times of day and `between` are those of each recipient's zone, and of `zone` only where all are asked at once.
    #[serde(default)]
    pub recipient_zone: bool,
    /// Over how long the deliveries are spread evenly from the instant on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<Duration>,
    /// The time after which nothing more is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Box<Self>>,
}

/// Hours of the day, from the beginning on and before the end; over midnight if it ends earlier than it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub(crate) from: NaiveTime,
    pub(crate) until: NaiveTime,
}

/// All windows that hold for a recipient, each by the clocks of a zone: they are told only while all are open. None: at any time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hours(pub SmallVec<[(Window, Tz); 2]>);

impl Timing {
    /// The anchor itself.
    #[must_use]
    pub fn at(anchor: Anchor) -> Self {
        Self {
            anchor,
            days: 0,
            business_days: 0,
            elapsed_ms: 0,
            time_of_day: None,
            zone: Tz::UTC,
            between: None,
            recipient_zone: false,
            spread: None,
            not_after: None,
        }
    }
}

/// What a time is relative to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Anchor {
    /// The planned instant of the release.
    Planned,
    /// The roll-out began at the gate's place.
    Begun,
    /// The outcome was declared at the gate's place.
    Declared,
    /// The last place was declared.
    LastDeclared,
    /// The embargo's end.
    Embargo,
    /// Another communique reached a state.
    Reached(CommuniqueId, State),
    /// An instant.
    At(Moment),
}

/// What can be waited for of a communique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Every delivery reached this assurance.
    Reached(Assurance),
    /// Everyone is informed by the rule of the communique.
    Informed,
    /// Everyone is informed or given up.
    Settled,
    /// Nothing of it is under way: what a correction waits for, and no word of the plan language.
    Drained,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reached(a) => a.word(),
            Self::Informed => "informed",
            Self::Settled => "settled",
            Self::Drained => "drained",
        })
    }
}

impl std::str::FromStr for State {
    type Err = ();
    fn from_str(word: &str) -> Result<Self, ()> {
        match word {
            "informed" => Ok(Self::Informed),
            "settled" => Ok(Self::Settled),
            _ => word.parse().map(Self::Reached),
        }
    }
}

/// `after: X STATE [for GROUP]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Dependency {
    /// The communique that is waited for.
    pub on: CommuniqueId,
    /// What it must have reached.
    pub state: State,
    /// Counting only the members of this group.
    pub group: Option<GroupId>,
    /// By how many of those who are counted. Where nothing is said: `informed` by the rule of each group, anything else by all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
}

/// What is done with a communique when what it waits for cannot be reached any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IfBlocked {
    /// After being blocked so long.
    pub after: Duration,
    /// What is done then.
    pub then: Then,
}

impl IfBlocked {
    /// This, after being blocked so long.
    #[must_use]
    pub fn new(after: Duration, then: Then) -> Self {
        Self { after, then }
    }
}

/// What is done with a communique that is blocked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Then {
    /// Whoever holds this role is asked; `responsible` is the responsible party and their backup.
    Ask(Role),
    /// It goes out all the same.
    Proceed,
    /// It is not sent.
    Cancel,
}

/// By how many of its people a communique must have reached a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Share {
    /// By every one.
    All,
    /// By at least one.
    Any,
    /// By at least so many hundredths of a per cent, from 1 to 10,000. Whoever stands for others counts for them.
    AtLeast(u16),
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Any => f.write_str("any"),
            Self::AtLeast(share) if share % 100 == 0 => write!(f, "{}%", share / 100),
            Self::AtLeast(share) => write!(f, "{}.{:02}%", share / 100, share % 100),
        }
    }
}

impl Dependency {
    /// Waits until everyone whom `on` is for has reached `state`.
    #[must_use]
    pub fn new(on: CommuniqueId, state: State) -> Self {
        Self { on, state, group: None, share: None }
    }
}

/// One step of `via`: a mechanism, and the condition that opens the step after the one before it. Several that are begun at once follow
/// one another, and all but the first are [`joined`](Self::joined).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Step {
    /// How.
    pub via: Mechanism,
    /// The step is begun unless this is reached…
    pub unless: Option<Assurance>,
    /// …within this long of the acceptance of the step before. Refusal always moves on.
    pub within: Option<Duration>,
    /// Who acts by hand.
    pub performer: Option<Role>,
    /// The other person whom it reaches; the stakeholder, where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Reach>,
    /// Whether it is begun together with the step before it, as one of several at once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub joined: bool,
}

/// Whom a step reaches in a stakeholder's place: an escalation. `Debug` does not show the name.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Reach {
    /// The person of this id among the plan's people, else the first holder of this role who has an address.
    Named(String),
    /// The person whose id stands in this variable of the stakeholder, such as the next in the rota of a team.
    Column(String),
}

impl fmt::Debug for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Named(_) => "Named(..)",
            Self::Column(_) => "Column(..)",
        })
    }
}

impl Step {
    /// A step by this mechanism, begun when the one before it was refused.
    #[must_use]
    pub fn new(via: Mechanism) -> Self {
        Self { via, unless: None, within: None, performer: None, to: None, joined: false }
    }

    /// A step begun also when the one before it has not reached `unless` within so long of its acceptance.
    #[must_use]
    pub fn unless(mut self, unless: Assurance, within: Duration) -> Self {
        self.unless = Some(unless);
        self.within = Some(within);
        self
    }
}

/// What becomes of an attempt whose outcome is unknown and that can neither be repeated under its key nor looked up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Indeterminate {
    /// It is held and reported.
    #[default]
    Hold,
    /// It is tried again, at the risk of a second copy.
    Resend,
}

/// The words of a communique: templates by language, or the built-in text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WordingSource {
    /// The subject's template; the built-in one where there is none.
    pub subject: Option<Sources>,
    /// The body's template, Markdown; the built-in text of the six answers where there is none.
    pub text: Option<Sources>,
    /// The template for pager and text; made from the subject where there is none.
    pub short: Option<Sources>,
}

/// Template sources by language; the key `None` holds for every language that has none of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sources(pub Vec<Source>);

impl Sources {
    /// The source for the language or the nearest that it is a kind of, else the one for all, else the first.
    #[must_use]
    pub fn choose(&self, lang: Option<&Lang>) -> Option<&Source> {
        let found = lang.and_then(|lang| lang.lookup(self.0.iter().filter_map(|source| source.lang.as_ref())));
        self.0
            .iter()
            .find(|source| found.is_some() && source.lang.as_ref() == found)
            .or_else(|| self.0.iter().find(|source| source.lang.is_none()))
            .or_else(|| self.0.first())
    }
}

/// One template source. `Debug` does not show it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Source {
    /// The language it is in; `None` for all.
    pub lang: Option<Lang>,
    /// The file it came from; `None` where it stands in the plan.
    pub file: Option<String>,
    /// The template.
    pub text: String,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("lang", &self.lang).field("file", &self.file).finish_non_exhaustive()
    }
}

impl Source {
    /// A template that stands in the plan, for every language.
    #[must_use]
    pub fn inline(text: impl Into<String>) -> Self {
        Self { lang: None, file: None, text: text.into() }
    }
}
