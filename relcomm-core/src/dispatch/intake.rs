//! What people say: declarations, approvals, holds, cancellations. Each is refused with one clear line, or recorded in one
//! transaction with everything that follows from it.

use super::gates::{decide_all, from_head};
use super::{DispatchError, Dispatcher, Record, slip};
use crate::course::{Approval, GateInput, Head, HeadFact};
use crate::id::{CommuniqueId, PlaceId, Role, StakeholderId};
use crate::journal::{Change, Mode, Note, Write};
use crate::plan::draft::Act;
use crate::plan::source::did_you_mean;
use crate::prepare::PlaceLate;
use crate::release::{Declaration, Outcome};

/// Why an input was refused: one clear line, without addresses. The journal is unchanged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(String);

impl Refusal {
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

pub(super) fn refuse<T>(why: impl Into<String>) -> Result<T, DispatchError> {
    Err(DispatchError::Refused(Refusal::new(why)))
}

/// Refuses a word that there is not, and asks for the one that was perhaps meant.
pub(super) fn refuse_unknown<'w, T>(
    why: impl Into<String>,
    word: &str,
    known: impl IntoIterator<Item = &'w str>,
) -> Result<T, DispatchError> {
    let meant = did_you_mean(word, known).map(|meant| format!("; {meant}")).unwrap_or_default();
    refuse(why.into() + &meant)
}

/// Refuses a word that is blank, or that would break the line of a report or of a build's log.
pub(super) fn given(word: &str, otherwise: &str) -> Result<(), DispatchError> {
    if word.trim().is_empty() {
        return refuse(otherwise);
    }
    if word.chars().any(char::is_control) {
        refuse("a control character, such as a line's end, stands in what is said")
    } else {
        Ok(())
    }
}

impl Dispatcher {
    /// Takes a declaration. `false` if the same was declared already.
    ///
    /// # Errors
    /// Refused: an unknown place, none named where there are several, no proof in live mode, an instant in the future, success after a
    /// roll-back, or that it has begun or succeeded before what the place needs.
    pub async fn declare(&self, declaration: &Declaration) -> Result<bool, DispatchError> {
        let now = self.clock.now();
        let place = self.declared_place(declaration.place.as_ref())?;
        given(&declaration.by, "a declaration needs a name: who declares?")?;
        let proved = declaration.proof.as_deref().is_some_and(|p| !p.trim().is_empty());
        if self.journal.scope().mode == Mode::Live && !proved {
            return refuse("a declaration needs proof: a link to the pipeline, a change number, a sentence");
        }
        if declaration.at.is_some_and(|at| at > now) {
            return refuse("a declaration cannot lie in the future");
        }
        self.is_named(&declaration.by, Act::Declare)?;
        self.is_another(&declaration.by, Act::Declare, None).await?;
        let longest = PlaceLate::LONGEST_CAUSE;
        if let Some(cause) = &declaration.cause {
            given(cause, "the cause is blank: what did it come of?")?;
            if cause.chars().count() > longest {
                return refuse(format!(
                    "the cause is longer than the {longest} characters for which texts are prepared"
                ));
            }
        }
        let note = Note {
            by: Some(declaration.by.clone()),
            proof: declaration.proof.clone(),
            text: declaration.cause.clone(),
            ..Note::default()
        };
        loop {
            let record = self.enrol().await?;
            if let Some(known) = record.head.places.get(&place) {
                if known.outcome == declaration.outcome && declaration.at.is_none_or(|at| at == known.at) {
                    return Ok(false);
                }
                match (known.outcome, declaration.outcome) {
                    // Any other outcome in between would lead to a success again.
                    (Outcome::RolledBack, outcome) if outcome != Outcome::RolledBack => {
                        return refuse(format!(
                            "{place} was rolled back: what goes out there after that is a release of its own, with another `version`"
                        ));
                    }
                    (_, Outcome::Begun) => return refuse(format!("{place} is already declared {}", known.outcome)),
                    _ => {}
                }
            }
            self.is_ready(&record, &place, declaration.outcome).await?;
            let fact = HeadFact::Declared {
                place: place.clone(),
                outcome: declaration.outcome,
                at: declaration.at.unwrap_or(now),
            };
            if self.record_together(&record, vec![fact], Some(note.clone())).await? {
                return Ok(true);
            }
        }
    }

    pub(super) fn declared_place(&self, place: Option<&PlaceId>) -> Result<PlaceId, DispatchError> {
        let places = self.prepared.places();
        let names = || places.iter().map(PlaceId::as_str).collect::<Vec<_>>().join(", ");
        match (place, places) {
            (Some(place), all) if all.contains(place) => Ok(place.clone()),
            (Some(place), all) => {
                let why = format!("`{place}` is no place of this release; there are {}", names());
                refuse_unknown(why, place.as_str(), all.iter().map(PlaceId::as_str))
            }
            (None, [only]) => Ok(only.clone()),
            (None, _) => refuse(format!("name the place: {}", names())),
        }
    }

    /// Takes an approval of the present digests in a role, or a refusal. `false` if the same stands already, unless approvals expire: then it
    /// is given anew.
    ///
    /// # Errors
    /// Refused: nobody named, a role that the plan does not know, a person who does not hold it, or a digest that is not the present one.
    pub async fn approve(
        &self,
        role: &Role,
        by: &str,
        digest: Option<&str>,
        rejected: bool,
        note: Option<String>,
    ) -> Result<bool, DispatchError> {
        given(by, "an approval needs a name: who approves?")?;
        let approvals = self.prepared.plan().approvals();
        if !approvals.need.iter().any(|n| &n.role == role) {
            let known = approvals.need.iter().map(|need| need.role.as_str());
            return refuse_unknown(format!("the plan needs no approval by `{role}`"), role.as_str(), known);
        }
        if let Some(holders) = approvals.roles.get(role)
            && !holders.iter().any(|h| h.as_str() == by)
        {
            return refuse(format!("this person does not hold the role `{role}`"));
        }
        self.is_named(by, Act::Approve)?;
        self.is_prepared_by_whom_it_should()?;
        let digests = self.prepared.digests();
        if digest.is_some_and(|d| d.len() < 8 || !digests.texts.starts_with(d)) {
            let known = match digest.filter(|d| d.len() >= 8) {
                Some(digest) => self.changed_since(digest).await?,
                None => None,
            };
            return match known {
                Some(what) => refuse(format!("that is not the present digest: {what} changed since it was prepared")),
                None => refuse("that is not the present digest: what you approve has changed, or was never prepared"),
            };
        }
        if !rejected {
            self.is_another(by, Act::Approve, Some(role)).await?;
        }
        loop {
            let record = self.enrol().await?;
            let since = approvals.since(self.clock.now());
            let standing = record.head.approved(role, digests, approvals.covers_people, since);
            let last = record.head.approvals.iter().rev().find(|a| &a.role == role && &a.digests == digests);
            // One that expires is given anew: it holds from now on.
            let renews = !rejected && approvals.expire.is_some();
            if last.is_some_and(|a| a.rejected == rejected) && standing != rejected && !renews {
                return Ok(false);
            }
            let approval = Approval { role: role.clone(), digests: digests.clone(), rejected, at: self.clock.now() };
            let note = Note { by: Some(by.to_owned()), text: note.clone(), ..Note::default() };
            if self.record_together(&record, vec![HeadFact::Approved(approval)], Some(note)).await? {
                return Ok(true);
            }
        }
    }

    /// Holds everything, or one communique, or lets it go on. `false` if that stands already. Letting a communique go on that is not held,
    /// and asks what is done because it is blocked, answers that it goes out all the same.
    ///
    /// # Errors
    /// Refused: nobody named, an unknown communique, one to be held that was cancelled, or an answer by somebody who is not asked.
    pub async fn hold(
        &self,
        communique: Option<&CommuniqueId>,
        held: bool,
        by: &str,
        why: Option<String>,
    ) -> Result<bool, DispatchError> {
        self.known(communique)?;
        given(by, "a hold needs a name: who holds it, or lets it go on?")?;
        loop {
            let record = self.enrol().await?;
            let stands = match communique {
                Some(id) => record.head.held_communiques.contains(id),
                None => record.head.held,
            };
            if !stands && communique.map_or(record.head.cancelled, |id| record.head.is_cancelled(id)) {
                let what = if held { "hold" } else { "let go on" };
                return refuse(format!("it was cancelled, for good: nothing is left to {what}"));
            }
            let note = Note { by: Some(by.to_owned()), text: why.clone(), ..Note::default() };
            if stands == held {
                let Some(id) = communique.filter(|_| !held) else { return Ok(false) };
                if !self.may_answer(&record, id, by)? {
                    return Ok(false);
                }
                match self.proceed(&record, id, &note).await? {
                    Some(news) => return Ok(news),
                    None => continue,
                }
            }
            let fact = HeadFact::Held { communique: communique.cloned(), held };
            if self.record_together(&record, vec![fact], Some(note)).await? {
                return Ok(true);
            }
        }
    }

    /// Cancels everything that is not settled, or one communique. `false` if that stands already.
    ///
    /// # Errors
    /// Refused: nobody named, an unknown communique, or one that asks what is done because it is blocked, by somebody who is not asked.
    pub async fn cancel(
        &self,
        communique: Option<&CommuniqueId>,
        by: &str,
        why: Option<String>,
    ) -> Result<bool, DispatchError> {
        self.known(communique)?;
        given(by, "a cancellation needs a name: who cancels?")?;
        loop {
            let record = self.enrol().await?;
            let stands = match communique {
                Some(id) => record.head.is_cancelled(id),
                None => record.head.cancelled,
            };
            if stands {
                return Ok(false);
            }
            if let Some(id) = communique {
                self.may_answer(&record, id, by)?;
            }
            let fact = HeadFact::Cancelled { communique: communique.cloned() };
            let note = Note { by: Some(by.to_owned()), text: why.clone(), ..Note::default() };
            if self.record_together(&record, vec![fact], Some(note)).await? {
                return Ok(true);
            }
        }
    }

    pub(super) fn known(&self, communique: Option<&CommuniqueId>) -> Result<(), DispatchError> {
        match communique {
            Some(id) if self.prepared.plan().communique(id).is_none() => {
                let known = self.prepared.plan().communiques().iter().map(|of| of.id.as_str());
                refuse_unknown(format!("`{id}` is no communique of this plan"), id.as_str(), known)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn known_person(&self, id: &StakeholderId) -> Result<(), DispatchError> {
        let people = self.prepared.people();
        if people.iter().any(|who| who.is(id)) {
            return Ok(());
        }
        let known = people.iter().map(|who| who.id());
        refuse_unknown("nobody of this id is among the people of the plan", id.as_str(), known)
    }

    /// Writes facts of the head, and what follows from them for every gate, in one transaction; `false` if something changed meanwhile.
    pub(crate) async fn record_together(
        &self,
        record: &Record,
        facts: Vec<HeadFact>,
        note: Option<Note>,
    ) -> Result<bool, DispatchError> {
        let now = self.clock.now();
        let mut head: Head = record.head.clone();
        for fact in &facts {
            head.apply(fact);
        }
        let moved = facts.iter().any(|fact| matches!(fact, HeadFact::Slipped(_)));
        let met = record.head.digests.as_ref().zip(head.digests.as_ref());
        let other_people = met.is_some_and(|(before, now)| before.people != now.people);
        let is_other = met.is_some_and(|(before, now)| before != now);
        let plans = self.prepared.gates_after(&head.slips);
        let rows = self.gate_rows(record, &plans).await?;
        let called = if moved { slip::called(&plans, &rows) } else { Vec::new() };
        let mut writes = vec![Write::new(Change::Head(facts), record.head_version).note(note)];
        for (plan, row) in plans.iter().zip(&rows) {
            let mut inputs = from_head(&self.prepared, plan, &head, row, now);
            inputs.extend(slip::on_slip(plan, &plans, &called));
            if is_other
                && row.state.is_out()
                && (other_people && self.somebody_is_left(record, plan).await?
                    || self.a_post_is_lacking(record, plan, row).await?)
            {
                inputs.push(GateInput::Widen { entered: row.tally.rows });
            }
            let (_, facts) = decide_all(&row.state, inputs, |state| self.rule(plan, &head, state), now);
            if !facts.is_empty() {
                writes.push(Write::new(Change::Gate(row.no, facts), row.version));
            }
        }
        Ok(self.journal.commit_together(writes).await?)
    }
}
