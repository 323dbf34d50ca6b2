//! The script of a rehearsal, as people write it.

use super::elapsed::Elapsed;
use super::expectation::Expectation;
use super::value::Value;
use relcomm_core::id::{CommuniqueId, GroupId, PlaceId, Role, StakeholderId};
use relcomm_core::mechanism::Mechanism;
use relcomm_core::plan::source::{OneOrMany, Ordered, WordOr};

use relcomm_core::receipt::Assurance;
use relcomm_core::release::Outcome;
use schemars::JsonSchema;
use serde::Deserialize;
use std::num::NonZeroU32;

/// One document of a script.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Script {
    /// The version of the script language: 1.
    pub(super) rehearsal: u32,
    /// What is rehearsed; the others of the file refer to it by this.
    pub(super) name: String,
    /// The plan, relative to the script. Not looked at where the plan is named on the command line.
    pub(super) plan: Option<String>,
    /// The rehearsal to which this one is alike, but for what stands here.
    pub(super) like: Option<String>,
    /// Values put in the place of the plan's, by path: `release.version`.
    #[serde(default)]
    pub(super) set: Ordered<String, Value>,
    /// Values of the plan's parameters.
    #[serde(default)]
    pub(super) params: Ordered<String, String>,
    /// When it begins: an instant with an offset.
    pub(super) clock: Option<String>,
    /// What dice of the rehearsal begin with. Nothing is thrown yet, so every seed gives the same.
    pub(super) seed: Option<u64>,
    /// How many dispatchers share the record. Default: 1.
    pub(super) dispatchers: Option<NonZeroU32>,
    /// People made up for a group, in the place of its own.
    #[serde(default)]
    pub(super) members: Ordered<GroupId, MadeUp>,
    /// How far sides are, where they are not as usual.
    #[serde(default)]
    pub(super) channels: Ordered<Mechanism, FarSideDraft>,
    /// What far sides and people do; the first match wins, what is not matched is accepted at once.
    pub(super) answers: Option<Vec<AnswerDraft>>,
    /// When far sides cannot be reached.
    pub(super) outages: Option<Vec<Outage>>,
    /// Crashes at a point of an attempt; each happens once.
    pub(super) crashes: Option<Vec<CrashAt>>,
    /// What people do, in the order of time.
    pub(super) timeline: Option<Vec<Event>>,
    /// What must be true at the end.
    pub(super) expect: Option<Vec<Expectation>>,
}

/// People who are made up.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MadeUp {
    /// How many.
    pub(super) count: u32,
    /// Their ids; `{n}` is the number, from 1. Default: GROUP-{n}.
    pub(super) id: Option<String>,
    /// By which mechanisms they have an address. Default: those of the group's and the communiques' steps.
    pub(super) via: Option<OneOrMany<Mechanism>>,
    /// Values dealt in turn, by column: `place`, `language`, `name`, or a variable.
    #[serde(default)]
    pub(super) columns: Ordered<String, Column>,
}

/// What stands in a column.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Column(pub(super) Deal);

/// How values are dealt.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Deal {
    /// These in turn; `{n}` is the person's number.
    Turns(Vec<String>),
    /// So many people have each; `{n}` is the number of the value.
    Each(u32, String),
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EachDraft {
    /// So many people have one value.
    each: NonZeroU32,
    /// The value; `{n}` is its number, from 1.
    value: String,
}

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self(match OneOrMany::<WordOr<String, EachDraft>>::deserialize(from)?.into_vec() {
            mut one if one.len() == 1 => match one.remove(0) {
                WordOr::Word(word) => Deal::Turns(vec![word]),
                WordOr::Map(each) => Deal::Each(each.each.get(), each.value),
            },
            many => Deal::Turns(
                many.into_iter()
                    .map(|value| match value {
                        WordOr::Word(word) => Ok(word),
                        WordOr::Map(_) => Err(serde::de::Error::custom("`each` stands alone, not in a list")),
                    })
                    .collect::<Result<_, _>>()?,
            ),
        }))
    }
}

impl JsonSchema for Column {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Column".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        OneOrMany::<WordOr<String, EachDraft>>::json_schema(generator)
    }
}

/// How a far side is.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FarSideDraft {
    /// Whether a person does the work. Default: for phone, presentation, newsletter and words of the plan's own.
    pub(super) by_hand: Option<bool>,
    /// Whether a repeat is recognised. Default: by key for webhook, pager and chat, otherwise not.
    pub(super) deduplication: Option<Repeats>,
    /// The most that it can prove. Default: acknowledged.
    pub(super) proves: Option<Assurance>,
    /// How many recipients one call carries. Default: 1.
    pub(super) per_call: Option<NonZeroU32>,
    /// How many calls are in flight at once. Default: 8.
    pub(super) concurrency: Option<NonZeroU32>,
    /// How long a call may take. Default: 60 s.
    pub(super) timeout: Option<Elapsed>,
}

/// How a far side recognises a repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Repeats {
    /// Not at all: a repeat is a second copy.
    None,
    /// By the key.
    Key,
    /// It can be asked about the key.
    Lookup,
}

/// What a far side does for some.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerDraft {
    /// A person or a group; `*` stands for any letters.
    pub(super) to: String,
    /// On this mechanism; on all, where none is named.
    pub(super) via: Option<Mechanism>,
    /// For this communique only.
    pub(super) communique: Option<CommuniqueId>,
    /// At this try only, from 1.
    pub(super) attempt: Option<NonZeroU32>,
    /// How it answers. Default: accepted.
    pub(super) answer: Option<WordOr<AnswerWord, AnswerMap>>,
    /// After how long it answers. Default: at once.
    pub(super) after: Option<Elapsed>,
    /// What follows an acceptance.
    pub(super) later: Option<Later>,
}

/// An answer in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum AnswerWord {
    /// Taken over.
    Accepted,
    /// Refused for good.
    Refused,
    /// Not now.
    Failed,
    /// The far side has it, but its answer is lost.
    Indeterminate,
    /// It never answers, and has not got it.
    Hang,
}

/// An answer that says more; one of the keys.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerMap {
    /// Taken over.
    pub(super) accepted: Option<Taken>,
    /// Refused for good.
    pub(super) refused: Option<Status>,
    /// Not now.
    pub(super) failed: Option<NotNow>,
    /// Nobody knows.
    pub(super) indeterminate: Option<Lost>,
}

/// What the far side says when it takes it over.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Taken {
    /// Where it can be seen.
    pub(super) url: Option<String>,
    /// The far side's name for it.
    pub(super) reference: Option<String>,
    /// What that proves. Default: accepted.
    pub(super) assurance: Option<Assurance>,
}

/// A code of the far side's.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Status {
    /// The code, such as 5.1.1.
    pub(super) status: Option<String>,
}

/// A passing refusal.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NotNow {
    /// The code, such as 503.
    pub(super) status: Option<String>,
    /// How long to wait.
    pub(super) retry_after: Option<Elapsed>,
    /// Whether the whole channel fails and not this recipient alone.
    #[serde(default)]
    pub(super) channel: bool,
}

/// An outcome that nobody knows.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Lost {
    /// Whether the far side has it. Default: true.
    pub(super) arrived: Option<bool>,
    /// The far side's name for it, which it tells when it is asked.
    pub(super) reference: Option<String>,
    /// Where it can be seen, which it tells when it is asked.
    pub(super) url: Option<String>,
}

/// What follows an acceptance: receipts and what people do.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Later {
    /// Handed on, so long after.
    pub(super) relayed: Option<Elapsed>,
    /// In the mailbox or on the device, so long after.
    pub(super) delivered: Option<Elapsed>,
    /// Shown, so long after.
    pub(super) displayed: Option<Elapsed>,
    /// Acknowledged by the person, so long after.
    pub(super) acknowledged: Option<Elapsed>,
    /// Back it came.
    pub(super) bounced: Option<WordOr<Elapsed, Bounce>>,
}

/// A bounce, or a person's word that it failed.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Bounce {
    /// How long after the acceptance. Default: at once.
    pub(super) after: Option<Elapsed>,
    /// The code, such as 5.1.1.
    pub(super) status: Option<String>,
}

/// A far side that cannot be reached for a while.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Outage {
    /// The mechanism.
    pub(super) via: Mechanism,
    /// From when.
    pub(super) from: String,
    /// Until when.
    pub(super) until: String,
}

/// A crash at a point of an attempt.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CrashAt {
    /// To a person or a group; `*` stands for any letters.
    pub(super) to: String,
    /// On this mechanism; on all, where none is named.
    pub(super) via: Option<Mechanism>,
    /// At this try, from 1. Default: 1.
    pub(super) attempt: Option<NonZeroU32>,
    /// At which point.
    pub(super) point: Point,
    /// After how long the dispatcher is back.
    pub(super) back: Elapsed,
}

/// A point of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Point {
    /// It was begun, and nothing can have gone out.
    Begun,
    /// It may have gone out, and has not.
    Crossed,
    /// The far side has it; its answer was not heard.
    Taken,
}

/// What happens at a time: at most one act, and what must be true after it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Event {
    /// When: `10:00` of the day on which the event before was, `+6d` after the begin, or an instant. The time is true time, whatever the
    /// machine's clock shows.
    pub(super) at: String,
    /// Somebody declares.
    pub(super) declare: Option<DeclareDraft>,
    /// Somebody approves.
    pub(super) approve: Option<ApproveDraft>,
    /// Somebody says what was done by hand.
    pub(super) attest: Option<AttestDraft>,
    /// Somebody executes from now on.
    pub(super) execute: Option<ExecuteDraft>,
    /// Somebody holds everything, or one communique.
    pub(super) hold: Option<SayDraft>,
    /// Somebody lets it go on.
    pub(super) resume: Option<SayDraft>,
    /// Somebody cancels everything, or one communique.
    pub(super) cancel: Option<SayDraft>,
    /// Somebody has whoever nobody has reached tried once more.
    pub(super) retry: Option<RetryDraft>,
    /// Somebody accepts that a person or a company who must be informed cannot be reached.
    pub(super) accept_gap: Option<AcceptGapDraft>,
    /// The planned time moves, or is open.
    pub(super) slip: Option<SlipDraft>,
    /// The plan is changed and prepared anew: values in the place of its own, by path.
    pub(super) change: Option<Ordered<String, Value>>,
    /// Somebody erases a person from the record.
    pub(super) erase: Option<EraseDraft>,
    /// Somebody lifts the embargo.
    pub(super) lift: Option<LiftDraft>,
    /// People join made-up groups: how many.
    pub(super) join: Option<Ordered<GroupId, u32>>,
    /// People leave groups: who.
    pub(super) leave: Option<Ordered<GroupId, OneOrMany<StakeholderId>>>,
    /// Every dispatcher dies.
    pub(super) crash: Option<CrashDraft>,
    /// The machine's clock jumps.
    pub(super) jump: Option<JumpDraft>,
    /// The rehearsal ends.
    #[serde(default)]
    pub(super) stop: bool,
    /// That what somebody says is refused, in words that hold these.
    pub(super) refused: Option<String>,
    /// What must be true now.
    #[serde(default)]
    pub(super) expect: Vec<Expectation>,
}

/// A declaration.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeclareDraft {
    /// How it went.
    pub(super) outcome: Outcome,
    /// Where; the only place, where none is named.
    pub(super) place: Option<PlaceId>,
    /// Who says so.
    pub(super) by: String,
    /// What shows it.
    pub(super) proof: Option<String>,
    /// As of when, if not now.
    pub(super) as_of: Option<String>,
}

/// An approval.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ApproveDraft {
    /// In which role.
    pub(super) role: Role,
    /// Who approves.
    pub(super) by: String,
    /// Whether it is refused instead.
    #[serde(default)]
    pub(super) reject: bool,
    /// In which words.
    pub(super) note: Option<String>,
}

/// A person's word about what was done by hand.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AttestDraft {
    /// Which communique.
    pub(super) communique: CommuniqueId,
    /// To whom.
    pub(super) person: Option<StakeholderId>,
    /// To which group.
    pub(super) group: Option<GroupId>,
    /// At which place; has to be said where it is out to them at several.
    pub(super) place: Option<PlaceId>,
    /// Who says so.
    pub(super) by: String,
    /// Whether it was done.
    pub(super) outcome: Done,
    /// What that proves. Default: acknowledged.
    pub(super) assurance: Option<Assurance>,
    /// In which words.
    pub(super) note: Option<String>,
}

/// That somebody who must be informed cannot be reached, and may go without.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AcceptGapDraft {
    /// Which person.
    pub(super) person: Option<StakeholderId>,
    /// Which company.
    pub(super) company: Option<String>,
    /// Who accepts it.
    pub(super) by: String,
    /// Why.
    pub(super) why: String,
}

/// That the planned time moves.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SlipDraft {
    /// To when: a time as `at` has it, or `open`.
    pub(super) planned: String,
    /// Who says so.
    pub(super) by: String,
    /// Why.
    pub(super) why: Option<String>,
}

/// That a person is erased from the record.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EraseDraft {
    /// Who is erased.
    pub(super) person: StakeholderId,
    /// Who erases.
    pub(super) by: String,
}

/// That what was under embargo may be known.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LiftDraft {
    /// Who lifts it.
    pub(super) by: String,
    /// Why it may be known now.
    pub(super) cause: String,
}

/// Who executes.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExecuteDraft {
    /// Who.
    pub(super) by: String,
}

/// Whether it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Done {
    /// It was.
    Done,
    /// It was not.
    Failed,
}

/// What somebody says of everything, or of one communique.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SayDraft {
    /// Which communique; everything, where none is named.
    pub(super) communique: Option<CommuniqueId>,
    /// Who says so.
    pub(super) by: String,
    /// Why.
    pub(super) why: Option<String>,
}

/// Whom somebody has tried once more.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RetryDraft {
    /// Of which communique; of all that is out, where none is named.
    pub(super) communique: Option<CommuniqueId>,
    /// Whom; everybody, where none is named.
    pub(super) person: Option<StakeholderId>,
    /// Who says so.
    pub(super) by: String,
    /// Why.
    pub(super) why: Option<String>,
}

/// A crash.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CrashDraft {
    /// After how long the dispatchers are back.
    pub(super) back: Elapsed,
}

/// A jump of the machine's clock.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct JumpDraft {
    /// By how much ahead.
    pub(super) ahead: Option<Elapsed>,
    /// By how much back.
    pub(super) back: Option<Elapsed>,
}
