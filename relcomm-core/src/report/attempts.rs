//! Every try of every delivery, read from the entries.

use super::AttemptReport;
use crate::clock::Moment;
use crate::course::{Delivery, DeliveryFact, GateFact, Leg, Shut};
use crate::id::{DeliveryId, GateNo, LaneNo};
use crate::journal::{Fact, Journal, JournalError, Note, Subject};
use crate::mechanism::Mechanism;
use crate::receipt::Assurance;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One try, before its mechanism is known.
#[derive(Clone, Debug)]
pub(super) struct Try {
    pub(super) leg: u8,
    pub(super) at: Moment,
    pub(super) outcome: &'static str,
    pub(super) reason: Option<String>,
    pub(super) code: Option<String>,
    /// Whether it came back after it was taken over, and with which code.
    pub(super) bounced: Option<Option<String>>,
    pub(super) ending: Ending,
    retried: Option<Retried>,
}

/// By whose word the steps were taken once more, and why.
#[derive(Clone, Debug)]
struct Retried {
    by: String,
    why: Option<String>,
}

/// How it became known how a try ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Ending {
    at: Option<Moment>,
    /// The far side's name for it.
    reference: Option<String>,
    /// Who said so, of what is done by hand, and in which words.
    by: Option<String>,
    note: Option<String>,
}

/// What a person said of somebody's share in a post: whether they were reached by it.
#[derive(Clone, Debug)]
struct Word {
    leg: u8,
    outcome: &'static str,
    ending: Ending,
}

/// By what a step is carried, and who performs it, where a person does.
pub(super) type Carried = (Mechanism, Option<String>);

/// What the entries say of one delivery.
#[derive(Clone, Debug, Default)]
pub(super) struct Story {
    pub(super) tries: Vec<Try>,
    /// When the far side last took it over.
    pub(super) accepted: Option<Moment>,
    pub(super) text_digest: Option<Arc<str>>,
    /// When each assurance was first proved.
    pub(super) proved: BTreeMap<Assurance, Moment>,
    /// When nothing more was begun.
    pub(super) ended: Option<Moment>,
    /// That the steps are to be taken once more, until the next try is begun.
    retried: Option<Retried>,
    /// Of whoever shares a post: what was said of them alone.
    words: Vec<Word>,
}

const PAGE: usize = 4096;

/// From which ordinal of a gate on people came after it had opened, and when: in that order.
pub(super) type Joined = BTreeMap<GateNo, Vec<(u32, Moment)>>;

pub(super) async fn stories(journal: &dyn Journal) -> Result<(BTreeMap<DeliveryId, Story>, Joined), JournalError> {
    let mut stories: BTreeMap<DeliveryId, Story> = BTreeMap::new();
    let mut joined = Joined::new();
    let mut after = 0;
    loop {
        let page = journal.entries(after, PAGE).await?;
        let Some(last) = page.last().map(|e| e.seq) else { return Ok((stories, joined)) };
        let mut notes: BTreeMap<u64, Note> = journal.notes(after, last).await?.into_iter().collect();
        for entry in page {
            match (entry.subject, &entry.fact) {
                (Subject::Delivery(id), Fact::Delivery(fact)) => {
                    stories.entry(id).or_default().take(fact, entry.at, notes.remove(&entry.seq));
                }
                (Subject::Gate(no), Fact::Gate(GateFact::Widened { entered, at })) => {
                    joined.entry(no).or_default().push((*entered, *at));
                }
                _ => {}
            }
        }
        after = last;
    }
}

impl Story {
    fn take(&mut self, fact: &DeliveryFact, at: Moment, note: Option<Note>) {
        let mut note = note.unwrap_or_default();
        if note.text_digest.is_some() {
            self.text_digest = note.text_digest.take();
        }
        if let DeliveryFact::Accepted { sure, .. } | DeliveryFact::Proved { sure, .. } = fact {
            self.proved.entry(*sure).or_insert(at);
        }
        match fact {
            DeliveryFact::Ended(_) => self.ended = Some(at),
            DeliveryFact::Reopened => {
                self.ended = None;
                self.retried = note.by.clone().map(|by| Retried { by, why: note.text.clone() });
            }
            _ => {}
        }
        let (leg, outcome, reason) = match fact {
            DeliveryFact::Started { leg, .. } => {
                let (outcome, ending) = ("in flight", Ending::default());
                let retried = self.retried.take();
                self.tries.push(Try {
                    leg: *leg,
                    at,
                    outcome,
                    reason: None,
                    code: None,
                    bounced: None,
                    ending,
                    retried,
                });
                return;
            }
            // A task that was handed to a person has told nobody yet.
            DeliveryFact::Accepted { leg, sure: Assurance::Attempted, .. } => (*leg, "task open", None),
            DeliveryFact::Accepted { leg, .. } => {
                self.accepted = Some(at);
                (*leg, "accepted", None)
            }
            DeliveryFact::Again { leg, kind, maybe: true, .. } => (*leg, "in doubt", Some(kind.word().to_owned())),
            DeliveryFact::Again { leg, kind, counts, .. } => {
                (*leg, if *counts { "failed" } else { "not sent" }, Some(kind.word().to_owned()))
            }
            DeliveryFact::Doubted { leg, .. } | DeliveryFact::Asked { leg, .. } => (*leg, "in doubt", None),
            DeliveryFact::Shut { leg, why: Shut::Refused(kind) } => (*leg, "refused", Some(kind.word().to_owned())),
            DeliveryFact::Shut { leg, why: Shut::Gone } if self.is_in_flight(*leg) => (*leg, "not sent", None),
            DeliveryFact::Shut { leg, why: Shut::Spent(kind) } => (*leg, "failed", Some(kind.word().to_owned())),
            DeliveryFact::Proved { leg, .. } | DeliveryFact::Failed { leg }
                if note.by.is_some() && self.open(*leg).is_none() =>
            {
                let done = matches!(fact, DeliveryFact::Proved { .. });
                self.accepted = self.accepted.max(done.then_some(at));
                let outcome = if done { "done" } else { "failed" };
                self.words.push(Word { leg: *leg, outcome, ending: Ending::of(&mut note, at) });
                return;
            }
            DeliveryFact::Proved { leg, .. } => {
                let outcome = match self.open(*leg).map(|attempt| attempt.outcome) {
                    Some("in doubt") => "accepted",
                    Some("task open") => "done",
                    _ => return,
                };
                self.accepted = Some(at);
                (*leg, outcome, None)
            }
            // The attempt was accepted, or will be found to have been; what came after belongs to it.
            DeliveryFact::Failed { leg } => {
                match self.open(*leg) {
                    Some(attempt) if attempt.outcome == "task open" => {
                        (attempt.outcome, attempt.ending) = ("failed", Ending::of(&mut note, at));
                    }
                    Some(attempt) => attempt.bounced = Some(note.code),
                    None => {}
                }
                return;
            }
            _ => return,
        };
        if let Some(attempt) = self.open(leg) {
            attempt.outcome = outcome;
            attempt.reason = reason;
            attempt.ending = match outcome {
                "task open" | "in doubt" => Ending::default(),
                _ => Ending::of(&mut note, at),
            };
            attempt.code = note.code;
        }
    }

    /// What the report says of its tries, each with its leg. `of` tells of a leg by what it is carried, and
    /// whom it reaches in the person's place.
    pub(super) fn attempts(
        &self,
        state: &Delivery,
        of: impl Fn(u8, &Leg) -> Option<(Carried, Option<String>)>,
    ) -> Vec<(u8, AttemptReport)> {
        // A step that was begun once more goes on counting.
        let mut numbers: BTreeMap<(LaneNo, u8), u32> = BTreeMap::new();
        let report = |attempt: &Try| {
            let leg = state.legs.get(usize::from(attempt.leg))?;
            let number = numbers.entry((leg.lane, leg.step)).or_default();
            *number += 1;
            let ((mechanism, performer), to) = of(attempt.leg, leg)?;
            let (reason, code) = match &attempt.bounced {
                Some(code) => (Some("bounced".to_owned()), code.clone()),
                None => (attempt.reason.clone(), attempt.code.clone()),
            };
            let Ending { at: ended, reference, by, note } = attempt.ending.clone();
            let (retried_by, why) = attempt.retried.clone().map(|Retried { by, why }| (by, why)).unzip();
            let report = AttemptReport {
                mechanism,
                to,
                number: *number,
                at: attempt.at,
                outcome: attempt.outcome.to_owned(),
                reason,
                code,
                ended,
                reference,
                performer,
                by,
                note,
                retried_by,
                why: why.flatten(),
            };
            Some((attempt.leg, report))
        };
        self.tries.iter().filter_map(report).collect()
    }

    /// Says of a try that was made once for all what was said of this person alone.
    pub(super) fn speak_of(&self, leg: u8, attempt: &mut AttemptReport) {
        if let Some(word) = self.words.iter().rev().find(|word| word.leg == leg) {
            let Ending { at: ended, by, note, .. } = word.ending.clone();
            word.outcome.clone_into(&mut attempt.outcome);
            (attempt.ended, attempt.by, attempt.note) = (ended, by, note);
        }
    }

    fn is_in_flight(&mut self, leg: u8) -> bool {
        self.open(leg).is_some_and(|attempt| attempt.outcome == "in flight")
    }

    fn open(&mut self, leg: u8) -> Option<&mut Try> {
        self.tries.iter_mut().rev().find(|t| t.leg == leg)
    }
}

impl Ending {
    fn of(note: &mut Note, at: Moment) -> Self {
        let by = note.by.take();
        // What a channel notes of a fault is for its log.
        let text = by.is_some().then(|| note.text.take()).flatten();
        Self { at: Some(at), reference: note.reference.take(), by, note: text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::course::SessionNo;

    fn told(facts: &[(DeliveryFact, Option<&str>)]) -> Vec<(&'static str, Option<Option<String>>)> {
        let mut story = Story::default();
        for (fact, code) in facts {
            let note = code.map(|code| Note { code: Some(code.to_owned()), ..Note::default() });
            story.take(fact, Moment::MIN, note);
        }
        story.tries.into_iter().map(|t| (t.outcome, t.bounced)).collect()
    }

    #[test]
    fn a_bounce_belongs_to_the_attempt_that_was_accepted_also_if_it_overtakes_the_acceptance() {
        let started = |leg| (DeliveryFact::Started { leg, session: SessionNo(1) }, None);
        let accepted = |leg| {
            let fact = DeliveryFact::Accepted { leg, sure: Assurance::Accepted, waiting: None };
            (fact, None)
        };
        let failed = (DeliveryFact::Failed { leg: 0 }, Some("5.1.1"));
        let shut = (DeliveryFact::Shut { leg: 0, why: Shut::Bounced }, None);
        let back = Some(Some("5.1.1".to_owned()));
        let later = [started(0), accepted(0), failed, shut, started(1), accepted(1)];
        assert_eq!(told(&later), [("accepted", back.clone()), ("accepted", None)]);
        let sooner = [started(0), failed, accepted(0), shut];
        assert_eq!(told(&sooner), [("accepted", back)]);
    }

    #[test]
    fn a_task_is_open_until_a_person_says_that_it_was_done_or_failed() {
        let begun = [
            (DeliveryFact::Started { leg: 0, session: SessionNo(1) }, None),
            (DeliveryFact::Accepted { leg: 0, sure: Assurance::Attempted, waiting: None }, None),
        ];
        assert_eq!(told(&begun), [("task open", None)]);
        let done = (DeliveryFact::Proved { leg: 0, sure: Assurance::Acknowledged }, None);
        assert_eq!(told(&[begun[0], begun[1], done]), [("done", None)]);
        let failed = (DeliveryFact::Failed { leg: 0 }, None);
        assert_eq!(told(&[begun[0], begun[1], failed]), [("failed", None)]);
    }
}
