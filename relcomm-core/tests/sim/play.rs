//! A case as it is played: the public dispatcher, with clock, record and channels replaced. Futures are polled until all wait for time,
//! and then time passes.

use crate::far_side::{Call, World, minutes};
use crate::model::{Case, Crash, Event, Gap, Minutes, Outcome as Says, When};
use relcomm_core::clock::{Clock, Moment};
use relcomm_core::dispatch::{Attestation, DispatchError, DispatchOptions, Dispatcher, GapOf, Standing, Whom};
use relcomm_core::id::{CommuniqueId, GroupId, PlaceId, Role, StakeholderId};
use relcomm_core::journal::{Entry, Journal, JournalErrorKind, MemoryJournal, Mode, Scope};
use relcomm_core::plan::{Condition, HeldFiles, Hosted, PlanDraft, Predicate};
use relcomm_core::prepare::{PreparedPlan, prepare};
use relcomm_core::release::{Declaration, Outcome, Release};
use relcomm_core::report::Report;
use relcomm_core::stakeholder::Stakeholder;
use relcomm_core::validate::{Deployment, standard_rules, validate};
use relcomm_testkit::clock::VirtualClock;
use relcomm_testkit::journal::{Crash as Dies, CrashJournal};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// More turns than any case takes without time passing: one that needs more goes round in a circle.
const MOST_TURNS: u32 = 5_000;

/// What a play came to.
pub(crate) struct Played {
    pub(crate) report: Report,
    pub(crate) entries: Vec<Entry>,
    pub(crate) calls: Vec<Call>,
    pub(crate) forged: usize,
    /// When, truly, which dispatcher died.
    pub(crate) deaths: Vec<(usize, Moment)>,
    /// Which of the events were refused, and why.
    pub(crate) refused: BTreeMap<usize, String>,
    pub(crate) standing: Standing,
    /// Writes of the first dispatcher, and points of attempts that it passed.
    pub(crate) writes: u32,
    pub(crate) points: u32,
}

#[derive(Debug, Default)]
struct Called(AtomicBool);

impl Wake for Called {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

/// Polls until it is done or waits for time.
fn turn<F: Future + ?Sized>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    let called = Arc::new(Called::default());
    let waker = Waker::from(Arc::clone(&called));
    let mut cx = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut cx) {
            return Poll::Ready(done);
        }
        if !called.0.swap(false, Ordering::AcqRel) {
            return Poll::Pending;
        }
    }
}

pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> Result<T, String> {
    match turn(std::pin::pin!(future)) {
        Poll::Ready(done) => Ok(done),
        Poll::Pending => Err("what takes no time waits for some".to_owned()),
    }
}

fn told(error: &DispatchError) -> String {
    let cause = std::error::Error::source(error).map(|c| format!(": {c}")).unwrap_or_default();
    format!("the engine failed: {error}{cause}")
}

type Step = Pin<Box<dyn Future<Output = Result<Standing, DispatchError>> + Send>>;

/// A dispatcher that is called by a scheduler, and may die.
struct OnCall {
    number: usize,
    crashes: VecDeque<Crash>,
    journal: CrashJournal,
    dispatcher: Dispatcher,
    step: Option<Step>,
    next: Option<Moment>,
    poked: bool,
    dead_until: Option<Moment>,
    writes_before: u32,
}

/// Everything that a play needs; dropped at its end.
pub(crate) struct Stage {
    case: Arc<Case>,
    clock: VirtualClock,
    record: MemoryJournal,
    prepared: PreparedPlan,
    world: World,
    on_call: Vec<OnCall>,
    deaths: Vec<(usize, Moment)>,
    refused: BTreeMap<usize, String>,
    /// Who is on no list now.
    absent: BTreeSet<String>,
}

pub(crate) fn moment(at: Minutes) -> Moment {
    Moment::from_millis(at * 60_000)
}

/// What the host says to a condition.
#[derive(Debug)]
struct Holds(bool);

impl Condition for Holds {
    fn holds(&self, _: &CommuniqueId, _: &Release) -> bool {
        self.0
    }
}

/// Whom of its lists the host chooses.
#[derive(Debug)]
struct Chosen(Arc<Case>);

impl Predicate for Chosen {
    fn holds(&self, group: &GroupId, who: &Stakeholder) -> bool {
        self.0.person(who.id.as_str()).groups.contains(group.as_str())
    }
}

/// Parses, validates and prepares: whatever is made up is a valid plan.
fn prepared(case: &Arc<Case>, absent: &BTreeSet<String>, world: &World) -> Result<PreparedPlan, String> {
    let text = case.yaml(absent);
    let show = |findings: &[relcomm_core::plan::Finding]| {
        let errors: Vec<String> = findings.iter().filter(|f| f.is_error()).map(ToString::to_string).collect();
        format!("the plan is not valid: {}", errors.join("\n"))
    };
    let (draft, source) = PlanDraft::read("plan.yaml", text.as_bytes()).map_err(|f| show(&f))?;
    let held = case.files(absent).into_iter();
    let held = held.fold(HeldFiles::new(), |held, (name, text)| held.file(name, text));
    let host = Hosted::new(held)
        .condition("holds", Holds(true))
        .condition("fails", Holds(false))
        .predicate("chosen", Chosen(Arc::clone(case)));
    let validation = validate(&draft, &source, &host, &Deployment::unknown(), &standard_rules());
    let (plan, people) = validation.into_plan().map_err(|f| show(&f))?;
    let preparation = prepare(plan, people, &world.channels(0));
    preparation.prepared.ok_or_else(|| show(&preparation.findings))
}

impl Stage {
    pub(crate) fn new(case: Arc<Case>) -> Result<Self, String> {
        let clock = VirtualClock::starting_at(moment(case.start));
        let world = World::new(Arc::clone(&case), clock.clone());
        let absent = case.absent();
        let prepared = prepared(&case, &absent, &world)?;
        let scope = Scope::new(prepared.plan().id().clone(), &prepared.plan().release().version, Mode::Sandbox);
        let record = MemoryJournal::new(scope, Arc::new(clock.clone()) as Arc<dyn Clock>);
        let mut stage = Self {
            clock,
            record,
            prepared,
            world,
            on_call: Vec::new(),
            deaths: Vec::new(),
            refused: BTreeMap::new(),
            absent,
            case,
        };
        for number in 0..=usize::from(stage.case.trouble.two) {
            let crashes = stage.case.trouble.crashes.iter().filter(|c| c.who == number).copied().collect();
            let (journal, dispatcher) = stage.life(number, None)?;
            let mut on_call = OnCall {
                number,
                crashes,
                journal,
                dispatcher,
                step: None,
                next: None,
                poked: true,
                dead_until: None,
                writes_before: 0,
            };
            stage.begin(&mut on_call)?;
            stage.on_call.push(on_call);
        }
        Ok(stage)
    }

    /// A dispatcher as a process that has just been started.
    fn life(&self, number: usize, crash: Option<Dies>) -> Result<(CrashJournal, Dispatcher), String> {
        let journal = CrashJournal::new(self.record.clone(), crash.unwrap_or(Dies::DieBefore(u32::MAX)));
        let dispatcher = Dispatcher::new(self.prepared.clone(), self.world.channels(number), journal.clone());
        Ok((journal, self.timed(dispatcher.map_err(|e| told(&e))?)))
    }

    fn timed(&self, dispatcher: Dispatcher) -> Dispatcher {
        let mut options = DispatchOptions::default();
        options.retries.tries = 10;
        options.retries.first = Duration::from_secs(1);
        options.retries.longest = Duration::from_secs(60);
        dispatcher.clock(Arc::new(self.clock.clone()) as Arc<dyn Clock>).options(options)
    }

    /// Somebody at a desk, whose process does not die.
    fn desk(&self) -> Result<Dispatcher, String> {
        let dispatcher = Dispatcher::new(self.prepared.clone(), self.world.channels(9), self.record.clone());
        Ok(self.timed(dispatcher.map_err(|e| told(&e))?))
    }

    /// The next life begins, and with it the count to the next crash.
    fn begin(&self, on_call: &mut OnCall) -> Result<(), String> {
        on_call.writes_before += on_call.journal.writes();
        let crash = match on_call.crashes.front().map(|c| c.when) {
            Some(When::Before(n)) => Some(Dies::DieBefore(n)),
            Some(When::After(n)) => Some(Dies::DieAfter(n)),
            Some(When::Point(n)) => {
                self.world.light(on_call.number, n);
                None
            }
            None => None,
        };
        (on_call.journal, on_call.dispatcher) = self.life(on_call.number, crash)?;
        (on_call.step, on_call.poked) = (None, true);
        Ok(())
    }

    pub(crate) fn play(mut self) -> Result<Played, String> {
        let events: Vec<(Minutes, Event)> = self.case.events.clone();
        for (number, (at, event)) in events.into_iter().enumerate() {
            self.run_until(moment(at))?;
            self.happen(number, &event)?;
            self.settle()?;
        }
        self.run_until(Moment::MAX)?;
        let desk = self.desk()?;
        let report = at_once(desk.report())?.map_err(|e| e.to_string())?;
        let standing = at_once(desk.standing())?.map_err(|e| told(&e))?;
        let entries = at_once(self.record.entries(0, usize::MAX))?.map_err(|e| e.to_string())?;
        let first = &self.on_call[0];
        Ok(Played {
            report,
            entries,
            calls: self.world.calls(),
            forged: self.world.forged(),
            standing,
            writes: first.writes_before + first.journal.writes(),
            points: self.world.points(0),
            deaths: self.deaths,
            refused: self.refused,
        })
    }

    fn happen(&mut self, number: usize, event: &Event) -> Result<(), String> {
        let desk = self.desk()?;
        let ids: Vec<CommuniqueId> =
            self.case.communiques.iter().map(|c| CommuniqueId::new(&c.id).expect("an id")).collect();
        let which = |index: &Option<usize>| index.map(|i| ids[i].clone());
        let said = match event {
            Event::Declare(place, outcome, by) => {
                let outcome = match outcome {
                    Says::Begun => Outcome::Begun,
                    Says::Success => Outcome::Success,
                    Says::Failure => Outcome::Failure,
                    Says::Halted => Outcome::Halted,
                    Says::RolledBack => Outcome::RolledBack,
                };
                let declaration = Declaration::new(outcome, *by).place(PlaceId::new(place).expect("an id"));
                at_once(desk.declare(&declaration))?
            }
            Event::Approve(role, by, rejected) => {
                let role = Role::new(role).expect("a role");
                at_once(desk.approve(&role, by, None, *rejected, None))?
            }
            Event::Hold(index) => at_once(desk.hold(which(index).as_ref(), true, "ada", None))?,
            Event::Resume(index) => at_once(desk.hold(which(index).as_ref(), false, "ada", None))?,
            Event::Cancel(index) => at_once(desk.cancel(which(index).as_ref(), "ada", None))?,
            Event::AcceptGap(gap) => {
                let of = match gap {
                    Gap::Person(id) => GapOf::Person(StakeholderId::new(id).expect("an id")),
                    Gap::Company(name) => GapOf::Company((*name).to_owned()),
                };
                at_once(desk.accept_gap(&of, "ada", "It cannot be helped."))?
            }
            Event::Attest { communique, person, done } => {
                let whom = Whom::Person(StakeholderId::new(person).expect("an id"));
                let id = ids[*communique].clone();
                let word =
                    if *done { Attestation::done(id, whom, "ada") } else { Attestation::failed(id, whom, "ada") };
                // What she says she says of every place.
                let of = &self.case.communiques[*communique];
                let places: Vec<_> = self.case.places_of(of).filter(|_| of.per_place).collect();
                let words: Vec<Attestation> = match places.is_empty() {
                    true => vec![word],
                    false => places.iter().map(|p| word.clone().place(PlaceId::new(p).expect("an id"))).collect(),
                };
                let mut said = None;
                for word in &words {
                    let now = at_once(async { desk.attest(word).await.map(|word| word.news > 0) })?;
                    said = match (said, now) {
                        (Some(Ok(before)), now) => Some(Ok(before || now.unwrap_or(false))),
                        (_, now) => Some(now),
                    };
                }
                said.ok_or("there is no place")?
            }
            Event::Slip(planned) => at_once(desk.slip(planned.map(moment), "ada", None))?,
            Event::Erase(who) => at_once(desk.erase(&StakeholderId::new(who).expect("an id"), "ada"))?,
            Event::Join(who) => {
                self.absent.remove(who);
                self.prepare_again()?;
                Ok(true)
            }
            Event::Leave(who) => {
                self.absent.insert(who.clone());
                self.prepare_again()?;
                Ok(true)
            }
            Event::Lift(by) => at_once(desk.lift(by, "It is known already."))?,
            Event::Jump(by) => {
                self.clock.jump(by * 60_000);
                Ok(true)
            }
        };
        match said {
            Ok(_) => {}
            Err(DispatchError::Refused(why)) => {
                self.refused.insert(number, why.to_string());
            }
            Err(error) => return Err(told(&error)),
        }
        self.on_call.iter_mut().for_each(|on_call| on_call.poked = true);
        Ok(())
    }

    /// The people have changed: whoever dispatches is stopped, and started with another bundle.
    fn prepare_again(&mut self) -> Result<(), String> {
        self.prepared = prepared(&self.case, &self.absent, &self.world)?;
        let mut all = std::mem::take(&mut self.on_call);
        for on_call in all.iter_mut().filter(|on_call| on_call.dead_until.is_none()) {
            if on_call.step.is_some() {
                self.deaths.push((on_call.number, self.clock.truly()));
            }
            self.begin(on_call)?;
        }
        self.on_call = all;
        Ok(())
    }

    /// Does what is due now. `true` if one got anywhere, or died.
    fn go(&mut self, index: usize) -> Result<bool, String> {
        let mut on_call = self.on_call.swap_remove(index);
        let any = self.one(&mut on_call);
        self.on_call.push(on_call);
        let last = self.on_call.len() - 1;
        self.on_call.swap(index, last);
        any
    }

    fn one(&mut self, on_call: &mut OnCall) -> Result<bool, String> {
        let truly = self.clock.truly();
        if on_call.dead_until.is_some_and(|at| at > truly) {
            return Ok(false);
        }
        if on_call.dead_until.take().is_some() {
            self.begin(on_call)?;
        }
        let due = on_call.poked || on_call.next.is_some_and(|at| at <= self.clock.now());
        let step = match &mut on_call.step {
            Some(step) => step,
            None if due => {
                on_call.poked = false;
                let dispatcher = on_call.dispatcher.clone();
                on_call.step.insert(Box::pin(async move { dispatcher.step().await }))
            }
            None => return Ok(false),
        };
        let done = turn(step.as_mut());
        let died = self.world.take_death(on_call.number) || at_once(on_call.journal.died()).is_ok();
        if died {
            let back = on_call.crashes.pop_front().map_or(1, |c| c.back);
            self.deaths.push((on_call.number, truly));
            on_call.step = None;
            on_call.dead_until = Some(truly + Duration::from_secs(back.unsigned_abs()));
            return Ok(true);
        }
        match done {
            Poll::Pending => Ok(false),
            // A jump makes one who is alive look dead to the other; whoever is taken for dead stops, and is started again.
            Poll::Ready(Err(DispatchError::Journal(error)))
                if error.kind == JournalErrorKind::Fenced && self.case.jumps() =>
            {
                self.deaths.push((on_call.number, truly));
                on_call.step = None;
                on_call.dead_until = Some(truly + Duration::from_secs(1));
                Ok(true)
            }
            Poll::Ready(standing) => {
                on_call.step = None;
                on_call.next = standing.map_err(|e| told(&e))?.next_due;
                Ok(true)
            }
        }
    }

    fn settle(&mut self) -> Result<(), String> {
        for _ in 0..MOST_TURNS {
            let mut any = false;
            for index in 0..self.on_call.len() {
                any |= self.go(index)?;
            }
            if !any {
                return Ok(());
            }
        }
        Err("it goes round in a circle".to_owned())
    }

    /// When, truly, something happens next by itself.
    fn next(&self) -> Option<Moment> {
        let calls = self.on_call.iter().filter_map(|on_call| match (on_call.dead_until, &on_call.step) {
            (Some(back), _) => Some(back),
            (None, Some(_)) => None,
            (None, None) => on_call.next.map(|at| self.clock.truly_at(at)),
        });
        let receipt = self.world.next_receipt_after(self.clock.truly());
        calls.chain(receipt).chain(self.clock.next()).min()
    }

    fn run_until(&mut self, until: Moment) -> Result<(), String> {
        self.settle()?;
        for _ in 0..MOST_TURNS {
            let Some(next) = self.next().filter(|at| *at < until) else {
                if until < Moment::MAX {
                    self.clock.move_to(until);
                    self.poke_for_receipts(until);
                    self.settle()?;
                }
                return Ok(());
            };
            let next = next.max(self.clock.truly() + Duration::from_millis(1));
            self.poke_for_receipts(next);
            self.clock.move_to(next);
            self.settle()?;
        }
        let asked: Vec<_> = self.on_call.iter().map(|on_call| (on_call.step.is_some(), on_call.next)).collect();
        let entries = at_once(self.record.entries(0, usize::MAX))?.unwrap_or_default();
        let last = entries.iter().rev().take(6).map(|e| format!("{} {:?} {:?}", e.at, e.subject, e.fact));
        let last: Vec<String> = last.collect();
        let now = self.clock.now();
        Err(format!(
            "it never comes to an end: it is {now}, they are called again at {asked:?}; last:\n{}",
            last.join("\n")
        ))
    }

    fn poke_for_receipts(&mut self, at: Moment) {
        if self.world.next_receipt_after(self.clock.truly() + minutes(0)).is_some_and(|due| due <= at) {
            self.on_call.iter_mut().for_each(|on_call| on_call.poked = true);
        }
    }
}
