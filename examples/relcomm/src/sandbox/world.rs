//! What happens in the sandbox by itself: reports that come back after a while, and people who do what they are asked.

use super::clock::SandboxClock;
use super::script::{AnswerWord, Recipient, SandboxScript, ScriptedAnswer, elapsed};
use crate::Failure;
use relcomm_core::clock::{Clock, Moment};
use relcomm_core::dispatch::{Attestation, Dispatcher, Task, Whom};
use relcomm_core::id::{DeliveryId, GroupId};
use relcomm_core::plan::People;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The name under which stand-in people approve, declare and attest.
pub const STAND_IN: &str = "stand-in";

/// How long a stand-in takes to do what is asked.
const DILIGENCE: Duration = Duration::from_secs(120);

/// Who is behind an address.
#[derive(Clone, Debug)]
struct Behind {
    id: String,
    groups: Vec<String>,
}

/// The people and the reports of a sandbox. Clones share them.
#[derive(Clone)]
pub(crate) struct World {
    script: Arc<SandboxScript>,
    /// By mechanism and address, lower-cased.
    behind: Arc<BTreeMap<(String, String), Vec<Behind>>>,
    groups: Arc<BTreeMap<String, Vec<String>>>,
    clock: Arc<SandboxClock>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    maildir: PathBuf,
    /// Reports that have been made and not yet been looked at.
    made: Vec<Vec<u8>>,
    /// What happens when.
    due: BTreeMap<Moment, Vec<Event>>,
    /// Tasks that somebody is at.
    taken: BTreeSet<(DeliveryId, GroupId)>,
    filed: u64,
}

enum Event {
    Report(Vec<u8>),
    Attest(Box<Attestation>),
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("answers", &self.script.answers.len()).finish_non_exhaustive()
    }
}

impl World {
    pub(super) fn new(script: SandboxScript, people: &People, clock: Arc<SandboxClock>) -> Self {
        let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut of: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        for (group, members) in people.groups() {
            for member in members {
                of.entry(*member).or_default().push(group.to_string());
            }
        }
        let mut behind: BTreeMap<(String, String), Vec<Behind>> = BTreeMap::new();
        for number in 0..u32::try_from(people.len()).unwrap_or(u32::MAX) {
            let Some(who) = people.get(number) else { continue };
            let mine = of.get(&number).cloned().unwrap_or_default();
            groups.insert(who.id.as_str().to_owned(), mine.clone());
            for (mechanism, address) in &who.addresses {
                let key = (mechanism.to_string(), address.as_str().to_ascii_lowercase());
                behind.entry(key).or_default().push(Behind { id: who.id.as_str().to_owned(), groups: mine.clone() });
            }
        }
        Self {
            script: Arc::new(script),
            behind: Arc::new(behind),
            groups: Arc::new(groups),
            clock,
            state: Arc::default(),
        }
    }

    pub(super) fn script(&self) -> &SandboxScript {
        &self.script
    }

    pub(super) fn clock(&self) -> Arc<SandboxClock> {
        Arc::clone(&self.clock)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn deliver_reports_to(&self, maildir: &Path) {
        self.state().maildir = maildir.to_owned();
    }

    /// What the script says of an attempt to an address.
    pub(super) fn answer_to_address(&self, by: &str, address: &str, attempt: u32) -> Option<ScriptedAnswer> {
        let itself = || vec![Behind { id: address.to_owned(), groups: Vec::new() }];
        self.carried(by).find_map(|via| {
            let behind = self.behind.get(&(via.to_owned(), address.to_ascii_lowercase())).cloned();
            let behind = behind.unwrap_or_else(itself);
            let mut answers =
                behind.iter().map(|b| self.script.answer(&Recipient { id: &b.id, groups: &b.groups }, via, attempt));
            answers.find_map(Option::<&ScriptedAnswer>::cloned)
        })
    }

    /// The mechanisms that a peer carries: its own, and those of the plan that the script gives it.
    fn carried<'a>(&'a self, by: &'a str) -> impl Iterator<Item = &'a str> {
        let carried = self.script.carried_by.iter().filter(move |(_, carrier)| carrier.as_str() == by);
        std::iter::once(by).chain(carried.map(|(mechanism, _)| mechanism.as_str()))
    }

    /// The addresses of people on the mechanisms that a peer carries.
    pub(super) fn addresses(&self, by: &str) -> Vec<String> {
        let via: Vec<&str> = self.carried(by).collect();
        self.behind.keys().filter(|(m, _)| via.contains(&m.as_str())).map(|(_, address)| address.clone()).collect()
    }

    /// The endpoints of which the script loses an answer, and at which try.
    pub(super) fn lost_answers(&self, via: &str) -> Vec<(String, u32)> {
        let lost = |attempt: u32, endpoint: &str| {
            self.answer_to_address(via, endpoint, attempt).is_some_and(|a| a.answer == Some(AnswerWord::Lost))
        };
        // What is posted has an endpoint of the mechanism's name.
        self.addresses(via)
            .into_iter()
            .chain(self.carried(via).map(str::to_owned))
            .filter_map(|endpoint| (1..=8).find(|n| lost(*n, &endpoint)).map(|n| (endpoint, n)))
            .collect()
    }

    /// Takes a report that the mail server made. When it arrives, the script says.
    pub(super) fn take_report(&self, raw: &[u8]) {
        self.state().made.push(raw.to_vec());
    }

    /// Looks at what is new: reports that were made, and tasks that are open. Everything gets its time.
    pub(crate) async fn look_around(&self, dispatcher: &Dispatcher) -> Result<(), Failure> {
        let now = self.clock.now();
        let made = std::mem::take(&mut self.state().made);
        for raw in made {
            let after = self.report_delay(&raw);
            self.state().due.entry(now + after).or_default().push(Event::Report(raw));
        }
        for task in dispatcher.tasks().await? {
            if self.state().taken.insert((task.id, task.group.clone())) {
                self.take_task(&task, now);
            }
        }
        Ok(())
    }

    fn report_delay(&self, raw: &[u8]) -> Duration {
        let text = String::from_utf8_lossy(raw);
        let address = text
            .lines()
            .find_map(|l| l.strip_prefix("Final-Recipient:"))
            .and_then(|l| l.split(';').nth(1))
            .map(|a| a.trim().to_owned())
            .unwrap_or_default();
        let later = self.answer_to_address("email", &address, 1).and_then(|a| a.later).unwrap_or_default();
        match &later.bounced {
            Some(bounced) => elapsed(bounced.after, Duration::ZERO),
            None => elapsed(later.delivered, Duration::ZERO),
        }
    }

    fn take_task(&self, task: &Task, now: Moment) {
        let groups;
        let to = match &task.person {
            Some(person) => {
                groups = self.groups.get(person.as_str()).cloned().unwrap_or_default();
                Recipient { id: person.as_str(), groups: &groups }
            }
            None => {
                groups = vec![task.group.to_string()];
                Recipient { id: task.group.as_str(), groups: &groups }
            }
        };
        let answer = self.script.answer(&to, task.mechanism.as_str(), 1);
        let word = answer.and_then(|a| a.answer);
        if word == Some(AnswerWord::Silent) {
            return;
        }
        let whom = match &task.person {
            Some(person) => Whom::Person(person.clone()),
            None => Whom::Group(task.group.clone()),
        };
        let attestation = if word == Some(AnswerWord::Failed) {
            Attestation::failed(task.communique.clone(), whom, STAND_IN)
        } else {
            Attestation::done(task.communique.clone(), whom, STAND_IN)
        };
        let attestation = task.place.iter().cloned().fold(attestation, Attestation::place);
        let after = elapsed(answer.and_then(|a| a.later.as_ref()).and_then(|l| l.acknowledged), DILIGENCE);
        self.state().due.entry(now + after).or_default().push(Event::Attest(Box::new(attestation)));
    }

    /// Puts every report that is on its way into the Maildir: whoever goes on later finds it there.
    pub(crate) fn file_reports(&self) -> Result<(), Failure> {
        let due = std::mem::take(&mut self.state().due);
        for event in due.into_values().flatten() {
            if let Event::Report(raw) = event {
                self.file(&raw)?;
            }
        }
        Ok(())
    }

    /// When something next happens by itself.
    pub(crate) fn next(&self) -> Option<Moment> {
        self.state().due.keys().next().copied()
    }

    /// Lets happen what is due.
    pub(crate) async fn happen(&self, dispatcher: &Dispatcher) -> Result<(), Failure> {
        let now = self.clock.now();
        loop {
            let events = {
                let mut state = self.state();
                match state.due.first_entry().filter(|e| *e.key() <= now) {
                    Some(entry) => entry.remove(),
                    None => return Ok(()),
                }
            };
            for event in events {
                match event {
                    Event::Report(raw) => self.file(&raw)?,
                    Event::Attest(attestation) => {
                        dispatcher.attest(&attestation).await?;
                    }
                }
            }
        }
    }

    /// Puts a report into the Maildir: complete under `tmp`, then renamed.
    fn file(&self, raw: &[u8]) -> Result<(), Failure> {
        let (tmp, new) = {
            let mut state = self.state();
            state.filed += 1;
            // Unlike any name that another run has left there.
            let name = format!("{}.{}.sandbox", self.clock.now().millis(), state.filed);
            (state.maildir.join("tmp").join(&name), state.maildir.join("new").join(&name))
        };
        std::fs::write(&tmp, raw)
            .and_then(|()| std::fs::rename(&tmp, &new))
            .map_err(|e| Failure::Tool(format!("the sandbox's mailbox cannot be written: {e}")))
    }
}
