//! Where a rehearsal stands: the record, the far sides, who dispatches, and what was said and judged so far.

use super::Check;
use super::expectation::{Expectation, fits};
use super::far_side::World;
use super::happy::SOMEBODY;
use super::judge::{Evidence, no_such, row_id, spelt_out};
use super::play::{Known, Played, Unplayable};
use super::script::Event;
use super::stage::{OnCall, at_once};
use super::timeline::{Line, Names, Said, tell};
use crate::clock::{Patience, VirtualClock};
use relcomm_core::channel::ChannelSet;
use relcomm_core::clock::{Clock, Moment};
use relcomm_core::course::DeliveryFact;
use relcomm_core::dispatch::{Attestation, DispatchError, DispatchOptions, Dispatcher, Whom};
use relcomm_core::id::{DeliveryId, GroupId};
use relcomm_core::journal::{Entry, Fact, Journal, MemoryJournal, Note, Subject};
use relcomm_core::plan::source::Source;
use relcomm_core::plan::{Finding, People};
use relcomm_core::prepare::PreparedPlan;
use relcomm_core::receipt::Assurance;
use relcomm_core::report::Report;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// More turns than any rehearsal takes without time passing: one that needs more goes round in a circle.
const MOST_TURNS: u32 = 10_000;

pub(super) struct Scene {
    pub(super) clock: VirtualClock,
    pub(super) journal: MemoryJournal,
    pub(super) world: World,
    pub(super) on_call: Vec<OnCall>,
    pub(super) prepared: PreparedPlan,
    pub(super) channels: ChannelSet,
    pub(super) findings: Vec<Finding>,
    pub(super) said: Vec<Said>,
    pub(super) checks: Vec<Check>,
    /// The people whom expectations name, and by which check.
    pub(super) named: Vec<(usize, String)>,
    /// The posts that somebody does by hand of which it is known what will be said.
    pub(super) asked: BTreeSet<(DeliveryId, GroupId)>,
    /// What is said of them, by when, of which and in which order.
    pub(super) words: BTreeMap<(Moment, DeliveryId, GroupId, usize), Attestation>,
    /// Who executes, if somebody said so or the plan asks.
    pub(super) executor: Option<String>,
    /// What the plan speaks of, or has spoken of.
    pub(super) known: Known,
}

impl Scene {
    pub(super) fn dispatcher(&self) -> Result<Dispatcher, Unplayable> {
        let clock = Arc::new(self.clock.clone()) as Arc<dyn Clock>;
        let mut options = DispatchOptions::default();
        options.poll = Some(Duration::from_secs(1));
        let dispatcher = Dispatcher::new(self.prepared.clone(), self.channels.clone(), self.journal.clone())?;
        let dispatcher = dispatcher.clock(clock).options(options);
        Ok(match &self.executor {
            Some(by) => dispatcher.execute_as(by),
            None => dispatcher,
        })
    }

    fn now<T>(call: impl Future<Output = Result<T, DispatchError>>) -> Result<T, Unplayable> {
        let waits = || Unplayable::Engine("what takes no time waits for some".to_owned());
        Ok(at_once(call).ok_or_else(waits)??)
    }

    fn entries(&self) -> Result<Vec<Entry>, Unplayable> {
        Self::now(async { Ok(self.journal.entries(0, usize::MAX).await?) })
    }

    pub(super) fn note(&mut self, what: String) {
        let after = self.entries().map_or(0, |all| all.len() as u64);
        self.said.push(Said { after, at: self.clock.now(), what });
    }

    /// Somebody says something, and it is taken or refused as expected.
    pub(super) fn say(
        &mut self,
        source: &Source,
        event: &Event,
        path: &str,
        what: String,
        call: impl Future<Output = Result<bool, DispatchError>>,
    ) -> Result<(), Unplayable> {
        let before = self.entries()?.len();
        let after = before as u64;
        let said = at_once(call).ok_or_else(|| Unplayable::Engine("a person's word waits for time".to_owned()))?;
        let told = match &said {
            Ok(true) => what,
            Ok(false) => format!("{what}: nothing new"),
            Err(DispatchError::Refused(refusal)) => format!("{what}: refused, {refusal}"),
            Err(_) => what,
        };
        self.said.push(Said { after, at: self.clock.now(), what: told });
        let path = format!("{path}.refused");
        match (said, &event.refused) {
            (Ok(_), None) => {}
            (Ok(_), Some(_)) => self.checks.push(Check::new(source, &path, vec!["it was not refused".to_owned()])),
            (Err(DispatchError::Refused(refusal)), Some(words)) => {
                let mut failed = Vec::new();
                if !refusal.to_string().contains(words) {
                    failed.push(format!("it was refused in other words: {refusal}"));
                }
                if self.entries()?.len() != before {
                    failed.push("it was refused, and yet the journal has changed".to_owned());
                }
                self.checks.push(Check::new(source, &path, failed));
            }
            (Err(DispatchError::Refused(refusal)), None) => {
                let failed = vec![format!("it was refused: {refusal}")];
                self.checks.push(Check::new(source, path.trim_end_matches(".refused"), failed));
            }
            (Err(error), _) => return Err(error.into()),
        }
        self.on_call.iter_mut().for_each(OnCall::poke);
        Ok(())
    }

    pub(super) fn die(&mut self, back: Duration) {
        let at = self.clock.truly() + back;
        self.note(format!("crash, back at {at}"));
        self.on_call.iter_mut().for_each(|on_call| on_call.die(at));
    }

    /// Does all that can be done without time passing.
    pub(super) fn settle(&mut self) -> Result<(), Unplayable> {
        for _ in 0..MOST_TURNS {
            let mut any = false;
            for index in 0..self.on_call.len() {
                if let Some(on_call) = self.on_call.get_mut(index) {
                    any |= on_call.go(&self.clock)?;
                }
                if let Some(back) = self.world.take_crash() {
                    self.die(back);
                }
            }
            let now = self.clock.truly();
            let still_due = self.on_call.iter().any(|o| o.next(&self.clock).is_some_and(|at| at <= now));
            if !any && !still_due {
                return self.look_at_posts();
            }
        }
        Err(Unplayable::Engine("the dispatcher goes round in a circle".to_owned()))
    }

    /// Whoever does by hand what is done once for all will say so of the group.
    fn look_at_posts(&mut self) -> Result<(), Unplayable> {
        if !self.world.take_handed() {
            return Ok(());
        }
        let now = self.clock.truly();
        let tasks = Self::now(self.dispatcher()?.tasks())?;
        for task in tasks.into_iter().filter(|task| task.person.is_none()) {
            if !self.asked.insert((task.id, task.group.clone())) {
                continue;
            }
            let by = task.performer.as_ref().map_or_else(|| SOMEBODY.to_owned(), ToString::to_string);
            for (number, (after, reached)) in self.world.words(&task).into_iter().enumerate() {
                let (of, whom) = (task.communique.clone(), Whom::Group(task.group.clone()));
                let word = match reached {
                    Some(sure) => Attestation::done(of, whom, &by).assurance(sure),
                    None => Attestation::failed(of, whom, &by),
                };
                let word = task.place.iter().cloned().fold(word, Attestation::place);
                let at = now + after.max(Duration::from_millis(1));
                self.words.insert((at, task.id, task.group.clone(), number), word);
            }
        }
        Ok(())
    }

    /// Lets be said what is due.
    fn say_of_posts(&mut self) -> Result<(), Unplayable> {
        let now = self.clock.truly();
        while let Some(entry) = self.words.first_entry().filter(|entry| entry.key().0 <= now) {
            let word = entry.remove();
            let how = if word.done { "was done" } else { "failed" };
            let place = word.place.as_ref().map(|place| format!(" at {place}")).unwrap_or_default();
            let whom = match &word.whom {
                Whom::Group(group) => group.to_string(),
                _ => String::new(),
            };
            self.note(format!("{} says that {} for {whom}{place} {how}", word.by, word.communique));
            let dispatcher = self.dispatcher()?;
            match at_once(dispatcher.attest(&word)) {
                // It may have come to something else meanwhile.
                Some(Ok(_) | Err(DispatchError::Refused(_))) => {}
                Some(Err(error)) => return Err(error.into()),
                None => return Err(Unplayable::Engine("a person's word waits for time".to_owned())),
            }
            self.on_call.iter_mut().for_each(OnCall::poke);
        }
        Ok(())
    }

    /// When something next happens by itself. A receipt that came while nobody was there waits until somebody is.
    fn next(&self) -> Option<Moment> {
        let now = self.clock.truly();
        let on_call = self.on_call.iter().filter_map(|o| o.next(&self.clock));
        let words = self.words.keys().next().map(|(at, ..)| *at);
        let others = self.clock.next().into_iter().chain(self.world.next_receipt_after(now)).chain(words);
        on_call.chain(others).filter(|at| *at > now).min()
    }

    fn pass_to(&mut self, at: Moment) -> Result<(), Unplayable> {
        let receipt = self.world.next_receipt_after(self.clock.truly()).is_some_and(|due| due <= at);
        self.clock.move_to(at);
        self.say_of_posts()?;
        if receipt {
            self.on_call.iter_mut().for_each(OnCall::poke);
        }
        self.settle()
    }

    pub(super) fn run_until(&mut self, until: Moment) -> Result<(), Unplayable> {
        self.settle()?;
        while let Some(next) = self.next().filter(|at| *at < until) {
            self.pass_to(next)?;
        }
        self.pass_to(until)
    }

    pub(super) fn run_to_end(&mut self) -> Result<(), Unplayable> {
        self.settle()?;
        let mut patience = Patience::default();
        while let Some(next) = self.next().filter(|at| *at < Moment::MAX) {
            self.pass_to(next)?;
            let now = self.clock.truly();
            let lost = Self::now(async { Ok(patience.lost(&self.journal, now).await?) })?;
            if let Some(lane) = lost {
                self.note(format!("the channel for {lane} does not come back, and nothing else happens: it ends here"));
                break;
            }
        }
        Ok(())
    }

    /// Judges what is expected now.
    pub(super) fn expect(&mut self, expected: &[Expectation], source: &Source, path: &str) -> Result<(), Unplayable> {
        if expected.is_empty() {
            return Ok(());
        }
        let dispatcher = self.dispatcher()?;
        let report = self.report(&dispatcher)?;
        let (entries, names, timeline) = self.story()?;
        let notes = Self::now(async { Ok(self.journal.notes(0, u64::MAX).await?) })?;
        let seen = self.world.seen();
        // To spell out all that many thousands were told takes its time.
        let asks_everywhere = expected.iter().any(|expectation| expectation.everywhere.is_some());
        let evidence = Evidence {
            plan: self.prepared.plan(),
            report: &report,
            exit: report.exit_code(),
            findings: &self.findings,
            seen: &seen,
            mechanisms: self.prepared.carriers().keys().collect(),
            groups: &groups(self.prepared.people()),
            reached: &reached(&entries, &names),
            written: &if asks_everywhere { written(&entries, &notes, &timeline) } else { String::new() },
        };
        for (index, expectation) in expected.iter().enumerate() {
            let named = expectation.rows.iter().chain(&expectation.never).filter_map(|of| of.person.clone());
            self.named.extend(named.map(|who| (self.checks.len(), who)));
            self.checks.push(Check::new(source, &format!("{path}[{index}]"), evidence.against(expectation)));
        }
        Ok(())
    }

    /// Of whoever was never there nothing is ever sent, so that a slip of the pen would hold. Judged at the end: others may join.
    fn nobody_is_misspelt(&mut self, report: &Report) {
        let mut met = self.world.met();
        // What stands for the erased is nobody's id.
        met.extend(report.people.iter().map(|person| person.id.clone()));
        for (check, who) in self.named.drain(..) {
            if let Some(check) = self.checks.get_mut(check)
                && !met.iter().any(|id| fits(&who, id))
            {
                check.failed.push(no_such("person", &who, met.iter().map(String::as_str)));
            }
        }
    }

    fn report(&self, dispatcher: &Dispatcher) -> Result<Report, Unplayable> {
        let report =
            at_once(dispatcher.report()).ok_or_else(|| Unplayable::Engine("a report waits for time".to_owned()))?;
        report.map_err(|e| Unplayable::Engine(e.to_string()))
    }

    fn story(&self) -> Result<(Vec<Entry>, Names, Vec<Line>), Unplayable> {
        let entries = self.entries()?;
        let mut names = Names { in_their_place: self.world.in_their_place(), ..Names::default() };
        let gates = Self::now(async { Ok(self.journal.gates().await?) })?;
        for gate in gates {
            let rows = Self::now(async { Ok(self.journal.scan(gate.no, 0, usize::MAX).await?) })?;
            names.who.extend(rows.into_iter().filter_map(|row| Some((row.id, row.who?.as_str().to_owned()))));
            names.gates.insert(gate.no, gate.id.to_string());
        }
        let lanes = Self::now(async { Ok(self.journal.lanes().await?) })?;
        names.lanes = lanes.into_iter().map(|lane| (lane.no, lane.name)).collect();
        let timeline = tell(&entries, &self.said, &names);
        Ok((entries, names, timeline))
    }

    pub(super) fn end(mut self, expected: &[Expectation], source: &Source) -> Result<Played, Unplayable> {
        self.expect(expected, source, "expect")?;
        let dispatcher = self.dispatcher()?;
        let report = self.report(&dispatcher)?;
        self.nobody_is_misspelt(&report);
        let (_, _, timeline) = self.story()?;
        let exit = report.exit_code();
        Ok(Played { timeline, checks: self.checks, report: Some(report), exit, findings: self.findings })
    }
}

fn groups(people: &People) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (group, members) in people.groups() {
        for who in members.iter().filter_map(|n| people.at(*n)) {
            all.entry(who.id().to_owned()).or_default().push(group.to_string());
        }
    }
    all
}

/// When each delivery reached what.
fn reached(entries: &[Entry], names: &Names) -> BTreeMap<String, BTreeMap<Assurance, (u64, Moment)>> {
    let mut all: BTreeMap<String, BTreeMap<Assurance, (u64, Moment)>> = BTreeMap::new();
    for entry in entries {
        let (Subject::Delivery(id), Fact::Delivery(fact)) = (entry.subject, &entry.fact) else { continue };
        let sure = match fact {
            DeliveryFact::Started { .. } => Assurance::Attempted,
            DeliveryFact::Accepted { sure, .. } | DeliveryFact::Proved { sure, .. } => *sure,
            _ => continue,
        };
        let gate = names.gates.get(&id.gate).map_or("", String::as_str);
        all.entry(row_id(gate, id)).or_default().entry(sure).or_insert((entry.seq, entry.at));
    }
    all
}

fn written(entries: &[Entry], notes: &[(u64, Note)], timeline: &[Line]) -> String {
    let mut all = spelt_out(&entries);
    all.push_str(&spelt_out(&notes));
    timeline.iter().for_each(|line| all.push_str(&line.what));
    all
}
