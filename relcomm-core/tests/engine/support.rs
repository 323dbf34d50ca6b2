//! A small world: a plan in YAML, scripted channels, a record in memory, virtual time.

use relcomm_core::channel::{Channel, ChannelSet};
use relcomm_core::clock::{Clock, Moment};
use relcomm_core::dispatch::{Attestation, DispatchOptions, Dispatcher, Standing, Whom};
use relcomm_core::id::{CommuniqueId, PlaceId, StakeholderId};
use relcomm_core::journal::{Entry, Journal, MemoryJournal, Mode, Scope};
use relcomm_core::mechanism::Mechanism;
use relcomm_core::plan::{HeldFiles, PlanDraft};
use relcomm_core::prepare::{PreparedPlan, prepare};
use relcomm_core::release::{Declaration, Outcome};
use relcomm_core::report::{PersonReport, Report};
use relcomm_core::validate::{Deployment, standard_rules, validate};
use relcomm_testkit::channel::{ScriptedChannel, Seen};
use relcomm_testkit::clock::SimClock;
use std::sync::Arc;
use std::time::Duration;

/// What every plan here says besides what it is about.
pub(crate) const RELEASE: &str = "
plan: 1
id: demo
zone: UTC
release:
  product: Demo
  version: 1.0.0
  what: [{ id: one, text: The one thing }]
  why: Because.
  how: Open it.
  where: { eu: {}, us: {} }
  when: { planned: 2027-05-12T07:00Z }
responsible: Ada <ada@demo.example>
";

pub(crate) fn at(text: &str) -> Moment {
    Moment::parse(text).unwrap()
}

pub(crate) struct World {
    pub(crate) prepared: PreparedPlan,
    pub(crate) channels: ChannelSet,
    pub(crate) clock: Arc<SimClock>,
    pub(crate) journal: MemoryJournal,
    pub(crate) options: DispatchOptions,
}

pub(crate) fn plan(body: &str, channels: &ChannelSet) -> PreparedPlan {
    let text = if body.contains("plan: 1") { body.to_owned() } else { format!("{RELEASE}{body}") };
    let (draft, source) = PlanDraft::read("plan.yaml", text.as_bytes()).unwrap_or_else(|f| panic!("{}", show(&f)));
    let validation = validate(&draft, &source, &HeldFiles::new(), &Deployment::unknown(), &standard_rules());
    let (plan, people) = validation.into_plan().unwrap_or_else(|f| panic!("{}", show(&f)));
    let preparation = prepare(plan, people, channels);
    preparation.prepared.unwrap_or_else(|| panic!("{}", show(&preparation.findings)))
}

fn show(findings: &[relcomm_core::plan::Finding]) -> String {
    findings.iter().filter(|f| f.is_error()).map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// These scripted channels, by mechanism.
pub(crate) fn scripted<const N: usize>(channels: [(&str, &ScriptedChannel); N]) -> ChannelSet {
    channels.into_iter().fold(ChannelSet::new(), |set, (mechanism, channel)| {
        set.with(Mechanism::new(mechanism).unwrap(), Box::new(channel.clone()) as Box<dyn Channel>)
    })
}

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// The addresses in the order in which they were tried.
pub(crate) fn addresses(seen: &[Seen]) -> Vec<&str> {
    seen.iter().map(|s| s.address.as_str()).collect()
}

/// Runs until nothing is pending. A year is more than any plan here takes: one that goes on is stuck.
pub(crate) async fn finish(dispatcher: &Dispatcher) -> Standing {
    let run = tokio::time::timeout(DAY * 366, dispatcher.run());
    run.await.expect("the run comes to an end").expect("the record holds")
}

/// A declaration of a place, by Ada.
pub(crate) fn said(place: &str, outcome: Outcome) -> Declaration {
    Declaration::new(outcome, "ada").place(PlaceId::new(place).unwrap())
}

/// Says by hand that a communique has reached a person, or that it failed. Returns for how many deliveries that was news.
pub(crate) async fn attest(dispatcher: &Dispatcher, communique: &str, who: &str, done: bool) -> usize {
    let communique = CommuniqueId::new(communique).unwrap();
    let whom = Whom::Person(StakeholderId::new(who).unwrap());
    let says = if done { Attestation::done } else { Attestation::failed };
    dispatcher.attest(&says(communique, whom, "ada")).await.unwrap().news
}

/// The same of both places.
pub(crate) async fn everywhere(dispatcher: &Dispatcher, outcome: Outcome) {
    for place in ["eu", "us"] {
        dispatcher.declare(&said(place, outcome)).await.unwrap();
    }
}

pub(crate) fn live(place: &str) -> Declaration {
    said(place, Outcome::Success)
}

impl World {
    /// With one channel, for `email`.
    pub(crate) fn by_email(body: &str, email: &ScriptedChannel) -> Self {
        Self::new(body, scripted([("email", email)]))
    }

    pub(crate) async fn entries(&self) -> Vec<Entry> {
        self.journal.entries(0, usize::MAX).await.unwrap()
    }

    pub(crate) async fn clock_until(&self, at: Moment) {
        self.clock.sleep_until(at).await;
    }

    /// A dispatcher whose time, and whose record's, begins at another instant.
    pub(crate) fn dispatcher_from(&self, start: Moment) -> Dispatcher {
        let clock = Arc::new(SimClock::starting_at(start)) as Arc<dyn Clock>;
        Dispatcher::new(self.prepared.clone(), self.channels.clone(), self.journal.with_clock(Arc::clone(&clock)))
            .unwrap()
            .clock(clock)
            .options(self.options.clone())
    }

    pub(crate) fn clock_now(&self) -> Moment {
        self.clock.now()
    }

    pub(crate) async fn pass(&self, span: Duration) {
        self.clock.sleep(span).await;
    }

    pub(crate) fn new(body: &str, channels: ChannelSet) -> Self {
        Self::of(plan(body, &channels), channels)
    }

    /// With an empty record for a bundle that is prepared already.
    pub(crate) fn of(prepared: PreparedPlan, channels: ChannelSet) -> Self {
        let clock = Arc::new(SimClock::starting_at(at("2027-05-12T06:00:00Z")));
        let scope = Scope::new(prepared.plan().id().clone(), &prepared.plan().release().version, Mode::Sandbox);
        let journal = MemoryJournal::new(scope, Arc::clone(&clock) as Arc<dyn Clock>);
        let mut options = DispatchOptions::default();
        options.poll = None;
        Self { prepared, channels, clock, journal, options }
    }

    pub(crate) fn dispatcher(&self) -> Dispatcher {
        Dispatcher::new(self.prepared.clone(), self.channels.clone(), self.journal.clone())
            .unwrap()
            .clock(Arc::clone(&self.clock) as Arc<dyn Clock>)
            .options(self.options.clone())
    }
}

pub(crate) fn person<'a>(report: &'a Report, id: &str) -> &'a PersonReport {
    report.people.iter().find(|p| p.id == id).unwrap_or_else(|| panic!("nobody is called {id}"))
}

/// The same record and channels, with a plan that is prepared again.
pub(crate) fn again(world: World, body: &str) -> World {
    World { prepared: plan(body, &world.channels), ..world }
}

/// Who dispatches it once both places have succeeded.
pub(crate) async fn declared(world: &World) -> Dispatcher {
    let dispatcher = world.dispatcher();
    everywhere(&dispatcher, Outcome::Success).await;
    dispatcher
}
