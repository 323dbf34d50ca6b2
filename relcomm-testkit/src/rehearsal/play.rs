//! A rehearsal as it is played: the public dispatcher, with clock, journal and channels replaced.

use super::Check;
use super::channels::channels;
use super::document::Document;
use super::elapsed::{Elapsed, NotElapsed};
use super::expectation::fits;
use super::far_side::World;
use super::happy;
use super::members::Casting;
use super::parts::Parts;
use super::scene::Scene;
use super::script::{AnswerWord, Event, Script};
use super::stage::OnCall;
use super::timeline::Line;
use crate::clock::VirtualClock;
use chrono::NaiveTime;
use relcomm_core::channel::ChannelSet;
use relcomm_core::clock::{Clock, Moment};
use relcomm_core::dispatch::DispatchError;
use relcomm_core::id::{CommuniqueId, GroupId};
use relcomm_core::journal::{MemoryJournal, Mode, Scope};
use relcomm_core::mechanism::Mechanism;
use relcomm_core::plan::source::{Source, WordOr, did_you_mean};
use relcomm_core::plan::time::Instant;
use relcomm_core::plan::{Finding, PlanDraft, Settings, Sources};
use relcomm_core::prepare::{PreparedPlan, prepare};
use relcomm_core::report::Report;
use relcomm_core::validate::{Deployment, standard_rules, validate};
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::Arc;

/// What a play came to.
#[derive(Debug)]
pub(super) struct Played {
    pub(super) timeline: Vec<Line>,
    pub(super) checks: Vec<Check>,
    pub(super) report: Option<Report>,
    pub(super) exit: u8,
    pub(super) findings: Vec<Finding>,
}

/// Why it cannot be played: findings about the script or the plan, or a fault of the engine.
#[derive(Debug)]
pub(super) enum Unplayable {
    Script(Vec<Finding>),
    Plan(Vec<Finding>),
    Engine(String),
}

impl From<DispatchError> for Unplayable {
    fn from(error: DispatchError) -> Self {
        let cause = std::error::Error::source(&error).map(|c| format!(": {c}")).unwrap_or_default();
        Self::Engine(format!("{error}{cause}"))
    }
}

/// What is played, and by what.
pub(super) struct Play<'a> {
    script: &'a Script,
    source: &'a Source,
    pub(super) timeline: &'a Source,
    expect: &'a Source,
    settings: Settings,
    pub(super) plan: Source,
    files: &'a dyn Sources,
    pub(super) casting: Casting,
    start: Moment,
}

/// What the plan speaks of, or spoke of before it was changed.
#[derive(Debug, Default)]
pub(super) struct Known {
    groups: BTreeSet<GroupId>,
    communiques: BTreeSet<CommuniqueId>,
    carriers: BTreeSet<Mechanism>,
}

impl Known {
    fn of(prepared: &PreparedPlan) -> Self {
        let mut known = Self::default();
        known.add(prepared);
        known
    }

    pub(super) fn add(&mut self, prepared: &PreparedPlan) {
        let plan = prepared.plan();
        self.groups.extend(plan.groups().iter().map(|group| group.id.clone()));
        self.communiques.extend(plan.communiques().iter().map(|communique| communique.id.clone()));
        self.carriers.extend(prepared.carriers().keys().cloned());
    }
}

pub(super) fn wrong(source: &Source, path: &str, message: impl Into<String>) -> Unplayable {
    Unplayable::Script(vec![Finding::error("RC1201", path, message).at(source.at(path))])
}

/// What speaks of nothing, with what was perhaps meant.
fn misspelt<'w>(
    source: &Source,
    path: &str,
    message: String,
    word: &str,
    known: impl Iterator<Item = &'w str>,
) -> Unplayable {
    let mut finding = Finding::error("RC1201", path, message).at(source.at(path));
    finding.help = did_you_mean(word, known);
    Unplayable::Script(vec![finding])
}

impl<'a> Play<'a> {
    pub(super) fn new(
        document: &'a Document,
        settings: &Settings,
        mut plan: Source,
        files: &'a dyn Sources,
    ) -> Result<Self, Unplayable> {
        let Document { script, source, timeline, expect } = document;
        for (path, value) in &script.set {
            if !plan.put(path, value.kind()) {
                return Err(wrong(source, "set", format!("the plan has no `{path}` to set")));
            }
        }
        let made_up = script.members.iter().map(|(group, people)| (group, people));
        let casting = Casting::new(made_up, &mut plan).map_err(|why| wrong(source, "members", why))?;
        let mut settings = settings.clone();
        settings.set.extend(script.params.iter().cloned());
        let mut play = Self { script, source, timeline, expect, settings, plan, files, casting, start: DEFAULT_START };
        match script.clock.as_deref().map(str::parse::<Instant>) {
            Some(Ok(Instant::At(at))) => play.start = at,
            Some(_) => {
                let message = "the clock begins at an instant with an offset, such as `2027-03-02T09:59Z`";
                return Err(wrong(source, "clock", message));
            }
            None => {
                let unseen = World::new(VirtualClock::starting_at(DEFAULT_START), Vec::new(), Vec::new(), Vec::new());
                if let Ok((prepared, ..)) = play.prepare(&unseen, DEFAULT_START) {
                    play.start = happy::start(&prepared).unwrap_or(DEFAULT_START);
                }
            }
        }
        Ok(play)
    }

    pub(super) fn play(mut self) -> Result<Played, Unplayable> {
        let script = self.script;
        let clock = VirtualClock::starting_at(self.start);
        let mut outages = Vec::new();
        for (index, outage) in script.outages.iter().flatten().enumerate() {
            let path = format!("outages[{index}]");
            let when = |text: &str| self.instant(text, self.start).map_err(|why| wrong(self.source, &path, why));
            let (from, until) = (when(&outage.from)?, when(&outage.until)?);
            if until <= from {
                return Err(wrong(self.source, &format!("{path}.until"), "it ends before it begins"));
            }
            outages.push((outage.via.clone(), from, until));
        }
        // Whoever says nothing at all wants to see everything go well.
        let usual = if script.timeline.is_none() { happy::answers() } else { Vec::new() };
        let answers = script.answers.clone().unwrap_or(usual);
        let world = World::new(clock.clone(), answers, outages, script.crashes.clone().unwrap_or_default());
        let (prepared, channels, findings) = match self.prepare(&world, self.start) {
            Ok(prepared) => prepared,
            Err(Unplayable::Plan(findings)) => return self.unprepared(findings),
            Err(other) => return Err(other),
        };
        self.answers_are_clear()?;
        let known = Known::of(&prepared);
        // Who joins later is not there yet, nor is what a change brings: then it is judged at the end.
        let grows = script.timeline.iter().flatten().any(|event| event.join.is_some() || event.change.is_some());
        if !grows {
            self.words_are_known(&known, &world)?;
        }
        let scope = Scope::new(prepared.plan().id().clone(), &prepared.plan().release().version, Mode::Sandbox);
        let journal = MemoryJournal::new(scope, Arc::new(clock.clone()) as Arc<dyn Clock>);
        world.look_into(journal.clone());
        let executor = Parts::of(prepared.plan()).executes;
        let events = script.timeline.clone().unwrap_or_else(|| happy::timeline(&prepared, self.start));
        let mut scene = Scene {
            clock,
            journal,
            world,
            on_call: Vec::new(),
            prepared,
            channels,
            findings,
            said: Vec::new(),
            checks: Vec::new(),
            named: Vec::new(),
            asked: BTreeSet::new(),
            words: BTreeMap::new(),
            executor,
            known,
        };
        for _ in 0..script.dispatchers.map_or(1, NonZeroU32::get) {
            scene.on_call.push(OnCall::new(scene.dispatcher()?));
        }
        let stopped = self.happen(&mut scene, &events)?;
        if !stopped {
            scene.run_to_end()?;
        }
        if grows {
            self.words_are_known(&scene.known, &scene.world)?;
        }
        for number in scene.world.crashes_left() {
            let why = vec!["it never came to this crash".to_owned()];
            scene.checks.push(Check::new(self.source, &format!("crashes[{number}]"), why));
        }
        scene.end(script.expect.as_deref().unwrap_or_default(), self.expect)
    }

    /// `true` if the script stops it.
    fn happen(&mut self, scene: &mut Scene, events: &[Event]) -> Result<bool, Unplayable> {
        let mut when = self.start;
        for (index, event) in events.iter().enumerate() {
            let path = format!("timeline[{index}]");
            let place = format!("{path}.at");
            let at = self.instant(&event.at, when).map_err(|why| wrong(self.timeline, &place, why))?;
            if at < when {
                return Err(wrong(self.timeline, &place, "this is before what stands above it"));
            }
            when = at;
            scene.run_until(at)?;
            self.act(scene, event, &path)?;
            scene.settle()?;
            scene.expect(&event.expect, self.timeline, &format!("{path}.expect"))?;
            if event.stop {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A plan that cannot be prepared is what some rehearsals expect.
    fn unprepared(&self, findings: Vec<Finding>) -> Result<Played, Unplayable> {
        let expected = self.script.expect.as_deref().unwrap_or_default();
        if expected.is_empty() || expected.iter().any(|e| e.finding.is_none() && e.exit != Some(UNPREPARED)) {
            return Err(Unplayable::Plan(findings));
        }
        let mut checks = Vec::new();
        // What would be judged on the way is not true of what never begins.
        let never = || vec!["the plan is not valid: it never comes to this".to_owned()];
        for (number, event) in self.script.timeline.iter().flatten().enumerate() {
            let refused = event.refused.iter().map(|_| format!("timeline[{number}].refused"));
            let between = (0..event.expect.len()).map(|index| format!("timeline[{number}].expect[{index}]"));
            checks.extend(refused.chain(between).map(|path| Check::new(self.timeline, &path, never())));
        }
        let crashes = (0..self.script.crashes.iter().flatten().count()).map(|number| format!("crashes[{number}]"));
        checks.extend(crashes.map(|path| Check::new(self.source, &path, never())));
        for (index, expected) in expected.iter().enumerate() {
            let mut failed = Vec::new();
            if let Some(code) = &expected.finding
                && !findings.iter().any(|f| f.code == code)
            {
                failed.push(format!("there is no finding {code}"));
            }
            if let Some(exit) = expected.exit.filter(|exit| *exit != UNPREPARED) {
                failed.push(format!("the exit code is {UNPREPARED}, not {exit}"));
            }
            let others: Vec<_> = expected.says().filter(|key| !matches!(*key, "finding" | "exit")).collect();
            if !others.is_empty() {
                failed.push(format!("the plan is not valid, and nothing shows {}", others.join(", ")));
            }
            checks.push(Check::new(self.expect, &format!("expect[{index}]"), failed));
        }
        Ok(Played { timeline: Vec::new(), checks, report: None, exit: UNPREPARED, findings })
    }

    pub(super) fn prepare(
        &self,
        world: &World,
        now: Moment,
    ) -> Result<(PreparedPlan, ChannelSet, Vec<Finding>), Unplayable> {
        let (draft, source) = PlanDraft::of(self.plan.clone(), &self.settings).map_err(Unplayable::Plan)?;
        let files = self.casting.beside(self.files);
        let validation = validate(&draft, &source, &files, &Deployment::unknown().now(now), &standard_rules());
        let mut findings = validation.findings().to_vec();
        let (plan, people) = validation.into_plan().map_err(Unplayable::Plan)?;
        world.meet(&plan, &people);
        let channels = channels(world, &plan, &people, &self.script.channels);
        let preparation = prepare(plan, people, &channels);
        findings.extend(preparation.findings);
        match preparation.prepared {
            Some(prepared) => {
                let prepared = match Parts::of(prepared.plan()).prepares {
                    Some(by) => prepared.prepared_by(by).map_err(Unplayable::Engine)?,
                    None => prepared,
                };
                Ok((prepared, channels, findings))
            }
            None => Err(Unplayable::Plan(findings)),
        }
    }

    /// An answer is one of the answers, and something follows only where it may have been taken over.
    fn answers_are_clear(&self) -> Result<(), Unplayable> {
        for (n, answer) in self.script.answers.iter().flatten().enumerate() {
            let taken = match &answer.answer {
                None => true,
                Some(WordOr::Word(word)) => matches!(word, AnswerWord::Accepted | AnswerWord::Indeterminate),
                Some(WordOr::Map(map)) => {
                    let said = [
                        map.accepted.is_some(),
                        map.refused.is_some(),
                        map.failed.is_some(),
                        map.indeterminate.is_some(),
                    ];
                    if said.iter().filter(|said| **said).count() != 1 {
                        let message = "one answer: `accepted`, `refused`, `failed` or `indeterminate`";
                        return Err(wrong(self.source, &format!("answers[{n}].answer"), message));
                    }
                    map.accepted.is_some() || map.indeterminate.is_some()
                }
            };
            if answer.later.is_some() && !taken {
                let message = "nothing follows on what the far side does not take over";
                return Err(wrong(self.source, &format!("answers[{n}].later"), message));
            }
        }
        Ok(())
    }

    /// What an answer, a crash, an outage or a channel speaks of is, or was, in the plan.
    fn words_are_known(&self, known: &Known, world: &World) -> Result<(), Unplayable> {
        self.who_is_meant(known, world)?;
        self.what_is_meant(known)
    }

    /// An answer or a crash that is for nobody is a slip.
    fn who_is_meant(&self, known: &Known, world: &World) -> Result<(), Unplayable> {
        // Among them whoever answers for the release, and may be reached in another's place.
        let met = world.met();
        let ids: Vec<&str> = met.iter().map(String::as_str).collect();
        let groups: Vec<&str> = known.groups.iter().map(GroupId::as_str).collect();
        let all = || ids.iter().chain(&groups);
        let answers = self.script.answers.iter().flatten().map(|a| &a.to).enumerate();
        let crashes = self.script.crashes.iter().flatten().map(|c| &c.to).enumerate();
        let named = answers.map(|(n, to)| (format!("answers[{n}].to"), to));
        for (path, to) in named.chain(crashes.map(|(n, to)| (format!("crashes[{n}].to"), to))) {
            if !all().any(|id| fits(to, id)) {
                let message = format!("`{to}` is no person and no group of the plan");
                return Err(misspelt(self.source, &path, message, to, all().copied()));
            }
        }
        Ok(())
    }

    /// What is said of a mechanism or a communique that the plan does not have is a slip, too.
    fn what_is_meant(&self, known: &Known) -> Result<(), Unplayable> {
        let Script { answers, crashes, outages, channels, .. } = self.script;
        let answers = || answers.iter().flatten().enumerate();
        let of_answers = answers().filter_map(|(n, a)| Some((format!("answers[{n}].via"), a.via.as_ref()?)));
        let crashes = crashes.iter().flatten().enumerate();
        let of_crashes = crashes.filter_map(|(n, c)| Some((format!("crashes[{n}].via"), c.via.as_ref()?)));
        let outages = outages.iter().flatten().enumerate().map(|(n, o)| (format!("outages[{n}].via"), &o.via));
        let channels = channels.iter().map(|(mechanism, _)| (format!("channels.{mechanism}"), mechanism));
        for (path, via) in of_answers.chain(of_crashes).chain(outages).chain(channels) {
            if !known.carriers.contains(via) {
                let message = format!("nobody is told by `{via}` in this plan");
                let known = known.carriers.iter().map(Mechanism::as_str);
                return Err(misspelt(self.source, &path, message, via.as_str(), known));
            }
        }
        for (n, of) in answers().filter_map(|(n, answer)| Some((n, answer.communique.as_ref()?))) {
            if !known.communiques.contains(of) {
                let path = format!("answers[{n}].communique");
                let known = known.communiques.iter().map(CommuniqueId::as_str);
                let message = format!("the plan has no communique `{of}`");
                return Err(misspelt(self.source, &path, message, of.as_str(), known));
            }
        }
        Ok(())
    }

    /// An instant of the script.
    pub(super) fn instant(&self, text: &str, before: Moment) -> Result<Moment, String> {
        if let Some(span) = text.strip_prefix('+') {
            let span: Elapsed = span.parse().map_err(|e: NotElapsed| e.to_string())?;
            return Ok(self.start + span.0);
        }
        let time = |form| NaiveTime::parse_from_str(text, form).ok();
        if let Some(time) = time("%H:%M").or_else(|| time("%H:%M:%S")) {
            return Ok(before.datetime().date_naive().and_time(time).and_utc().into());
        }
        match text.parse() {
            Ok(Instant::At(at)) => Ok(at),
            Ok(Instant::Local(local)) => Ok(local.and_utc().into()),
            _ => Err(format!("`{text}` is no time: write `10:00`, `+6d` or `2027-03-02T10:00Z`")),
        }
    }
}

/// The exit code where the plan is not valid.
const UNPREPARED: u8 = 2;

/// Where no clock is given: a Monday at nine.
const DEFAULT_START: Moment = Moment::from_millis(1_805_101_200_000);
