//! Dispatch: what people and receipts say is taken in, gates open, deliveries go out, and all of it is journaled.

mod blocked;
mod courses;
mod driver;
mod embargo;
mod entering;
mod erasure;
mod flight;
mod flights;
mod gaps;
mod gates;
mod gathering;
mod intake;
mod attestation;
mod late;
mod needs;
mod protocol;
mod rates;
mod receipts;
mod renewal;
mod retry;
mod seats;
mod shares;
mod slip;
mod standing;
mod steadiness;
mod tasks;
mod timers;
mod token;
mod turns;
mod work;

pub use attestation::{Attestation, Attested, Whom};
pub use blocked::Question;
pub(crate) use erasure::erased_number;
pub use gaps::GapOf;
pub use intake::Refusal;
pub use protocol::OpenApproval;
pub use receipts::Intake;
pub use standing::{Pending, Standing};
pub use steadiness::SteadyOptions;
pub use tasks::Task;

use crate::channel::{Binding, ChannelSet, Key, KeyStem};
use crate::clock::{Clock, Moment, SystemClock};
use crate::course::{Delivery, Gate, Head, Leg, Path, PathStep, Retries};
use crate::id::{GateNo, LaneNo};
use crate::journal::{GateRow, Journal, JournalError, LaneRow, Row, Scope, Tally};
use crate::mechanism::{Addressing, Deduplication, Mechanism};
use crate::prepare::{GatePlan, PathPlan, PreparedPlan, Roll, SHARED, Times};
use crate::receipt::Assurance;
use crate::release::Declaration;
use chrono_tz::Tz;
use rates::Rates;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use steadiness::Steadiness;
use token::Tokens;
use tokio_util::sync::CancellationToken;

/// Sends a prepared plan by its script. Any number of dispatchers may share a journal: each takes other leases.
///
/// Make one with [`Dispatcher::new`], then either [`dispatch`](Self::dispatch) and wait, or call [`step`](Self::step) from a scheduler.
/// Dropping any of its futures is a crash: it loses nothing, and what was in flight counts as unknown.
#[derive(Clone)]
pub struct Dispatcher {
    prepared: PreparedPlan,
    channels: ChannelSet,
    journal: Arc<dyn Journal>,
    clock: Arc<dyn Clock>,
    options: DispatchOptions,
    /// Who executes, if that was said.
    executor: Option<Arc<str>>,
    rates: Rates,
    steadiness: Steadiness,
    /// What the keys of each gate of the bundle begin with.
    stems: Arc<[KeyStem]>,
    /// The rolls that were made of the record, each with how much of the record it was made of.
    gathered: Arc<Mutex<GatheredRolls>>,
}

/// By gate: the head's version, how many deliveries there were, and the roll.
type GatheredRolls = BTreeMap<GateNo, (u64, u32, Arc<Roll>)>;

/// How a dispatcher works.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DispatchOptions {
    /// How long a session outlives its last sign of life: 1 s at least. Default: 30 s.
    pub session: Duration,
    /// How often what others wrote to the journal is looked for, while waiting; never, where nobody else writes. Default: 1 s.
    pub poll: Option<Duration>,
    /// How often, and at what pace, an attempt is repeated.
    pub retries: Retries,
    /// How many attempts may be in flight in all, each recipient counted: 1 at least. Default: 256.
    pub window: u32,
    /// When the clock counts as one that has jumped, and for how long it is not believed then.
    pub steady: SteadyOptions,
    /// Cancelled to stop: nothing new is begun, and what is in flight is waited for.
    pub cancellation: CancellationToken,
}

impl Default for DispatchOptions {
    fn default() -> Self {
        Self {
            session: Duration::from_secs(30),
            poll: Some(Duration::from_secs(1)),
            retries: Retries::default(),
            window: 256,
            steady: SteadyOptions::default(),
            cancellation: CancellationToken::new(),
        }
    }
}

/// Why a dispatch cannot go on. Someone not informed is data in the report, never an error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DispatchError {
    /// The journal failed.
    #[error("the journal failed")]
    Journal(#[from] JournalError),
    /// The journal belongs to another plan or version.
    #[error("the journal belongs to another plan or version")]
    Foreign,
    /// A mechanism of the bundle has no channel, or one of another kind or sender than was prepared, with other limits, that deduplicates
    /// otherwise, or that proves less.
    #[error("the channel for `{0}` is missing or not the one that was prepared: prepare again")]
    Channel(Mechanism),
    /// What is classified was left out of the bundle.
    #[error(
        "nothing can be sent from this bundle, which holds no classified text: name the plan itself, or prepare again after the embargo"
    )]
    Withheld,
    /// A person's input was refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl Dispatcher {
    /// A dispatcher of this bundle through these channels, with this record.
    ///
    /// # Errors
    /// [`DispatchError::Foreign`] if the journal's scope is not the bundle's, [`DispatchError::Channel`] if the channels are not those with
    /// which the bundle was prepared.
    pub fn new(prepared: PreparedPlan, channels: ChannelSet, journal: impl Journal) -> Result<Self, DispatchError> {
        let scope = journal.scope();
        if &scope.plan != prepared.plan().id() || scope.version != prepared.plan().release().version {
            return Err(DispatchError::Foreign);
        }
        for (mechanism, carrier) in prepared.carriers() {
            let fits = |binding: &Binding| {
                let (is, was) = (binding.channel.capabilities(), &carrier.capabilities);
                binding.channel.descriptor() == &carrier.descriptor
                    && is.deduplication == was.deduplication
                    && is.limits == was.limits
                    && is.by_hand == was.by_hand
                    && is.proves >= was.proves
            };
            if !channels.get(mechanism).is_some_and(fits) {
                return Err(DispatchError::Channel(mechanism.clone()));
            }
        }
        let stems = prepared.gates().iter().map(|gate| stem(scope, gate)).collect();
        Ok(Self {
            stems,
            gathered: Arc::default(),
            prepared,
            channels,
            journal: Arc::new(journal),
            clock: Arc::new(SystemClock::new()),
            options: DispatchOptions::default(),
            executor: None,
            rates: Rates::default(),
            steadiness: Steadiness::default(),
        })
    }

    /// By this clock, which has to be the journal's as well: a journal that lives by another time holds sessions for dead that are not, and
    /// never finds what is due. Default: [`SystemClock`].
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// With these options.
    #[must_use]
    pub fn options(mut self, mut options: DispatchOptions) -> Self {
        options.window = options.window.max(1);
        options.session = options.session.max(Duration::from_secs(1));
        self.options = options;
        self
    }

    /// The bundle.
    #[must_use]
    pub fn prepared(&self) -> &PreparedPlan {
        &self.prepared
    }

    /// The record.
    #[must_use]
    pub fn journal(&self) -> &Arc<dyn Journal> {
        &self.journal
    }

    /// The dispatcher's time.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Declares, and sends until nothing is pending. The same again after a crash resumes; it does not send again.
    ///
    /// # Errors
    /// The declaration is refused, or the journal fails.
    pub async fn dispatch(&self, declaration: &Declaration) -> Result<Standing, DispatchError> {
        self.declare(declaration).await?;
        self.run().await
    }

    /// Makes the gates and lanes of the bundle known to the journal and brings them up to what is true.
    pub(crate) async fn enrol(&self) -> Result<Record, DispatchError> {
        self.register(self.prepared.gates()).await?;
        Record::read(self).await
    }

    async fn register(&self, gates: &[GatePlan]) -> Result<(), DispatchError> {
        let gates: Vec<_> = gates.iter().map(|g| g.id.clone()).collect();
        Ok(self.journal.register(&gates, self.prepared.lanes()).await?)
    }

    pub(crate) async fn tokens(&self) -> Result<Tokens, DispatchError> {
        Ok(Tokens::new(&self.journal.token_key().await?, self.journal.scope()))
    }

    /// The key of a delivery: mode, plan, version, gate, stakeholder, mechanism. Nothing that differs between attempts or digests.
    pub(crate) fn delivery_key(&self, gate: &GatePlan, who: &str, mechanism: &Mechanism) -> Key {
        let rest = [who, mechanism.as_str()].map(str::as_bytes);
        match self.stems.get(gate.index) {
            Some(stem) => stem.key(rest),
            None => stem(self.journal.scope(), gate).key(rest),
        }
    }

    /// The key of a step by which somebody else is reached in the stakeholder's place.
    pub(crate) fn escalation_key(&self, gate: &GatePlan, who: &str, reached: &str, mechanism: &Mechanism) -> Key {
        // No person's id holds a `~`.
        self.delivery_key(gate, &format!("{who}~{reached}"), mechanism)
    }

    /// The key of a post: as of a delivery, with its readers and its address in the stakeholder's place.
    pub(crate) fn post_key(&self, gate: &GatePlan, roll: &Roll, ordinal: u32, mechanism: &Mechanism) -> Key {
        let post = roll.post(ordinal);
        let address = post.and_then(|p| p.address.as_ref()).map_or("", |a| a.as_str());
        let readers = post.map(|p| p.readers.clone()).unwrap_or_default();
        let lang = readers.lang.map(String::from).unwrap_or_default();
        // `~` begins no stakeholder's id, and stands with `+` and `@` in no language's tag and no group's.
        let variant = readers.variant.map(|group| format!("+{group}")).unwrap_or_default();
        let group: String = readers.group.iter().chain(&readers.also).map(|group| format!("@{group}")).collect();
        self.delivery_key(gate, &format!("~{lang}{variant}{group}~{address}"), mechanism)
    }

    /// The key of a message: as of a delivery, with the text's digest in the stakeholder's place.
    pub(crate) fn message_key(&self, gate: &GatePlan, mechanism: &Mechanism, digest: &str) -> Key {
        // `~` begins no stakeholder's id.
        self.delivery_key(gate, &format!("~{digest}"), mechanism)
    }
}

impl fmt::Debug for Dispatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dispatcher")
            .field("prepared", &self.prepared)
            .field("journal", &self.journal)
            .finish_non_exhaustive()
    }
}

/// What the journal says, read at one time, and how its numbers join the bundle's.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) head_version: u64,
    pub(crate) head: Head,
    /// The bundle's gates, and their revisions.
    pub(crate) plans: Arc<[GatePlan]>,
    /// As the journal has them, in the same order.
    pub(crate) gates: Vec<GateRow>,
    /// The rolls that are made of the record, by the place of their gate.
    rolls: BTreeMap<usize, Arc<Roll>>,
    /// By the journal's numbers.
    pub(crate) lanes: Vec<LaneRow>,
    /// The journal's number of each lane of the bundle.
    pub(crate) lane_nos: Vec<LaneNo>,
}

impl Record {
    pub(crate) async fn read(dispatcher: &Dispatcher) -> Result<Self, DispatchError> {
        let (head_version, head) = dispatcher.journal.head().await?;
        let plans = dispatcher.prepared.gates_after(&head.slips);
        let mut all = dispatcher.journal.gates().await?;
        let mut gates = Vec::new();
        let mut rolls = BTreeMap::new();
        for plan in plans.iter() {
            let row = match all.iter().position(|row| row.id == plan.id) {
                Some(at) => all.swap_remove(at),
                // Nothing is known of it yet.
                None => GateRow::new(GateNo(u32::MAX), plan.id.clone(), 0, Gate::default(), Tally::default()),
            };
            if dispatcher.prepared.is_gathered(plan) {
                rolls.insert(plan.index, dispatcher.gathered_roll(&row, head_version).await?);
            } else if head.prepared_again && row.state.is_out() {
                rolls.insert(plan.index, dispatcher.entered_roll(plan, &row, head_version).await?);
            }
            gates.push(row);
        }
        let lanes = dispatcher.journal.lanes().await?;
        let number = |name: &String| lanes.iter().find(|l| &l.name == name).map_or(LaneNo(u16::MAX), |l| l.no);
        let lane_nos = dispatcher.prepared.lanes().iter().map(number).collect();
        Ok(Self { head_version, head, plans, gates, rolls, lanes, lane_nos })
    }

    /// Who is on a gate's roll.
    pub(crate) fn roll<'a>(&'a self, on: &'a Dispatcher, gate: &GatePlan) -> &'a Arc<Roll> {
        self.rolls.get(&gate.index).unwrap_or_else(|| on.prepared.shared_roll(gate))
    }

    /// The lane of the members who share posts of a mechanism.
    pub(crate) fn shared_lane(&self, mechanism: &Mechanism) -> Option<LaneNo> {
        let name = format!("{SHARED}{mechanism}");
        self.lanes.iter().find(|l| l.name == name).map(|l| l.no)
    }

    /// The step of a path that carries a leg of a delivery, as [`Delivery::step_in`] finds it.
    pub(crate) fn step_of(&self, path: &PathPlan, state: &Delivery, leg: &Leg) -> Option<usize> {
        let lane = |step: usize| {
            path.steps.get(step).map(|step| self.lane_nos.get(step.lane).copied().unwrap_or(LaneNo(u16::MAX)))
        };
        state.step_among(leg, lane).map(usize::from)
    }

    /// The mechanism of a row's leg, whether the plan still has it or not.
    pub(crate) fn mechanism_of(&self, row: &Row, leg: u8) -> Option<Mechanism> {
        self.mechanism_on(row.state.legs.get(usize::from(leg))?.lane)
    }

    /// The mechanism of a lane.
    pub(crate) fn mechanism_on(&self, lane: LaneNo) -> Option<Mechanism> {
        Mechanism::new(self.lanes.iter().find(|l| l.no == lane)?.mechanism()).ok()
    }

    pub(crate) fn gate_index(&self, no: GateNo) -> Option<usize> {
        self.gates.iter().position(|g| g.no == no)
    }
}

fn stem(scope: &Scope, gate: &GatePlan) -> KeyStem {
    KeyStem::of([scope.mode.word(), scope.plan.as_str(), &scope.version, &gate.id.to_string()].map(str::as_bytes))
}

/// The times of deliveries by a path; those of a post by the zone of its group.
pub(crate) fn times_of(dispatcher: &Dispatcher, record: &Record, gate: &GatePlan, path: &PathPlan, zone: Tz) -> Times {
    let prepared = &dispatcher.prepared;
    let whom = (path, zone);
    let state = record.gates.get(gate.index).map(|row| &row.state);
    let times = state.map(|state| gate.times(prepared.plan(), prepared.places(), &record.head, state, whom));
    times.unwrap_or_default()
}

/// The zone of a post: that of the group for which it was made, whoever shares it.
pub(crate) fn zone_of_post(dispatcher: &Dispatcher, path: &PathPlan) -> Tz {
    let plan = dispatcher.prepared.plan();
    plan.group(&path.group).and_then(|group| group.zone).unwrap_or(plan.zone())
}

/// The course of a member's path, with the journal's lanes.
pub(crate) fn course_of(dispatcher: &Dispatcher, record: &Record, gate: &GatePlan, path: &PathPlan) -> Path {
    let steps = path.steps.iter().map(|step| {
        let lane = record.lane_nos.get(step.lane).copied().unwrap_or(LaneNo(u16::MAX));
        let carrier = dispatcher.prepared.carriers().get(&step.mechanism);
        let mut of = PathStep::new(lane, carrier.map_or(Deduplication::None, |c| c.capabilities.deduplication));
        of.unless = step.unless;
        of.is_shared = step.post.is_some();
        of.is_joined = step.joined;
        of
    });
    let course = Path::new(path.informed_when, steps.collect());
    in_its_time(course, dispatcher, record, gate, path, path.zone)
}

/// The course of a post: one step, on the mechanism's own lane, pursuing no more than its acceptance.
pub(crate) fn course_of_post(
    dispatcher: &Dispatcher,
    record: &Record,
    gate: &GatePlan,
    roll: &Roll,
    ordinal: u32,
) -> Option<Path> {
    let post = roll.post(ordinal)?;
    let path = roll.path(post.path)?;
    let carrier = dispatcher.prepared.carriers().get(&post.mechanism)?;
    debug_assert_eq!(carrier.capabilities.addressing, Addressing::Once);
    let lane = dispatcher.prepared.lanes().iter().position(|l| l == post.mechanism.as_str())?;
    let lane = record.lane_nos.get(lane).copied()?;
    let course = Path::new(Assurance::Accepted, vec![PathStep::new(lane, carrier.capabilities.deduplication)]);
    Some(in_its_time(course, dispatcher, record, gate, path, zone_of_post(dispatcher, path)))
}

fn in_its_time(
    mut course: Path,
    dispatcher: &Dispatcher,
    record: &Record,
    gate: &GatePlan,
    path: &PathPlan,
    zone: Tz,
) -> Path {
    let times = times_of(dispatcher, record, gate, path, zone);
    let communique = dispatcher.prepared.communique(gate);
    course.indeterminate = communique.indeterminate.unwrap_or(dispatcher.prepared.plan().indeterminate());
    (course.not_after, course.hours) = (times.not_after, times.hours);
    course.retries = dispatcher.options.retries;
    course
}
