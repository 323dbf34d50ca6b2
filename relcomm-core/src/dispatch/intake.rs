//! What people say: declarations, approvals, holds, cancellations, attestations. Each is refused with one clear line, or recorded in one
//! transaction with everything that follows from it.

use super::gates::{decide_all, from_head};
use super::{DispatchError, Dispatcher, Record, slip};
use crate::course::{Approval, Delivery, DeliveryFact, DeliveryInput, Facts, GateInput, Head, HeadFact, Leg, Stage};
use crate::id::{CommuniqueId, DeliveryId, GateId, GroupId, PlaceId, Role, StakeholderId};
use crate::journal::{Change, Committed, GateRow, Mode, Note, Row, Write};
use crate::mechanism::Mechanism;
use crate::plan::draft::Act;
use crate::prepare::{GatePlan, Roll};
use crate::receipt::{Assurance, Evidence};
use crate::release::{Declaration, Outcome};
use std::collections::BTreeSet;
use std::fmt;

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

/// Refuses a word that is blank.
pub(super) fn given(word: &str, otherwise: &str) -> Result<(), DispatchError> {
    if word.trim().is_empty() { refuse(otherwise) } else { Ok(()) }
}

/// A named person's word about what was done by hand.
#[derive(Clone)]
#[non_exhaustive]
pub struct Attestation {
    /// The communique.
    pub communique: CommuniqueId,
    /// To whom.
    pub whom: Whom,
    /// At which place; has to be said where it is out to them at several.
    pub place: Option<PlaceId>,
    /// Whether it was done; otherwise it failed.
    pub done: bool,
    /// What that proves: *acknowledged* unless less is said, and never more than the mechanism can prove.
    pub assurance: Assurance,
    /// Who says so.
    pub by: String,
    /// In which words.
    pub note: Option<String>,
}

impl Attestation {
    /// This person says that it was done.
    #[must_use]
    pub fn done(communique: CommuniqueId, whom: Whom, by: impl Into<String>) -> Self {
        let (by, assurance) = (by.into(), Assurance::Acknowledged);
        Self { communique, whom, place: None, done: true, assurance, by, note: None }
    }

    /// This person says that it failed.
    #[must_use]
    pub fn failed(communique: CommuniqueId, whom: Whom, by: impl Into<String>) -> Self {
        Self { done: false, ..Self::done(communique, whom, by) }
    }

    /// Of this place alone.
    #[must_use]
    pub fn place(mut self, place: PlaceId) -> Self {
        self.place = Some(place);
        self
    }

    /// Proving this.
    #[must_use]
    pub fn assurance(mut self, assurance: Assurance) -> Self {
        self.assurance = assurance;
        self
    }

    /// In these words.
    #[must_use]
    pub fn note(mut self, note: Option<String>) -> Self {
        self.note = note;
        self
    }
}

impl fmt::Debug for Attestation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attestation")
            .field("communique", &self.communique)
            .field("done", &self.done)
            .finish_non_exhaustive()
    }
}

/// To whom something was done.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Whom {
    /// One stakeholder.
    Person(StakeholderId),
    /// Every member of a group.
    Group(GroupId),
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
        let note = Note { by: Some(declaration.by.clone()), proof: declaration.proof.clone(), ..Note::default() };
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
                            "{place} was rolled back: the same version is not declared {outcome} again without a new revision"
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

    fn declared_place(&self, place: Option<&PlaceId>) -> Result<PlaceId, DispatchError> {
        let places = self.prepared.places();
        let names = || places.iter().map(PlaceId::as_str).collect::<Vec<_>>().join(", ");
        match (place, places) {
            (Some(place), all) if all.contains(place) => Ok(place.clone()),
            (Some(place), _) => refuse(format!("`{place}` is no place of this release; there are {}", names())),
            (None, [only]) => Ok(only.clone()),
            (None, _) => refuse(format!("name the place: {}", names())),
        }
    }

    /// Takes an approval of the present digests in a role, or a refusal. `false` if the same stands already.
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
            return refuse(format!("the plan needs no approval by `{role}`"));
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
            if last.is_some_and(|a| a.rejected == rejected) && standing != rejected {
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
            if held && !stands && communique.map_or(record.head.cancelled, |id| record.head.is_cancelled(id)) {
                return refuse("it was cancelled, for good: nothing is left to hold");
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

    fn known(&self, communique: Option<&CommuniqueId>) -> Result<(), DispatchError> {
        match communique {
            Some(id) if self.prepared.plan().communique(id).is_none() => {
                refuse(format!("`{id}` is no communique of this plan"))
            }
            _ => Ok(()),
        }
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
        let plans = self.prepared.gates_after(&head.slips);
        let rows = self.gate_rows(record, &plans).await?;
        let called = if moved { slip::called(&plans, &rows) } else { Vec::new() };
        let mut writes = vec![Write::new(Change::Head(facts), record.head_version).note(note)];
        for (plan, row) in plans.iter().zip(&rows) {
            let mut inputs = from_head(&self.prepared, plan, &head, now);
            inputs.extend(slip::on_slip(plan, &plans, &called));
            if other_people && row.state.is_out() && self.somebody_is_left(record, plan).await? {
                inputs.push(GateInput::Widen { entered: row.tally.rows });
            }
            let (_, facts) = decide_all(&row.state, inputs, |state| self.rule(plan, &head, state), now);
            if !facts.is_empty() {
                writes.push(Write::new(Change::Gate(row.no, facts), row.version));
            }
        }
        Ok(self.journal.commit_together(writes).await?)
    }

    /// Takes a person's word about what was done by hand. Returns for how many deliveries it was news.
    ///
    /// Of what is done once for all, such as a presentation: a word about the group is one about everybody, the occasion included; a word
    /// about one person who was there says that it was held, and nothing of the others.
    ///
    /// # Errors
    /// Refused: an unknown communique, person or group; a place of which it has no gate, or none named where it is out to them at several;
    /// nothing of it is out to them yet; nobody named.
    pub async fn attest(&self, attestation: &Attestation) -> Result<usize, DispatchError> {
        self.known(Some(&attestation.communique))?;
        given(&attestation.by, "an attestation needs a name: who says so?")?;
        let record = self.enrol().await?;
        let is_of = |gate: &GateId| gate.communique == attestation.communique;
        let is_meant = |gate: &GateId| is_of(gate) && (attestation.place.is_none() || gate.place == attestation.place);
        let gates = || record.plans.iter().map(|plan| &plan.id);
        if let Some(place) = &attestation.place
            && gates().any(is_of)
            && !gates().any(is_meant)
        {
            return refuse(format!("`{}` has no gate of its own for `{place}`", attestation.communique));
        }
        let mut meant = Vec::new();
        for (plan, row) in
            record.plans.iter().zip(&record.gates).filter(|(plan, row)| is_meant(&plan.id) && row.state.is_out())
        {
            let ordinals = self.ordinals(&record, plan, row, &attestation.whom).await?;
            meant.extend((!ordinals.is_empty()).then_some((plan, row, ordinals)));
        }
        let places: BTreeSet<&str> =
            meant.iter().filter_map(|(plan, ..)| Some(plan.id.place.as_ref()?.as_str())).collect();
        if places.len() > 1 {
            let places: Vec<&str> = places.into_iter().collect();
            return refuse(format!("it is out to them at {}: say at which place it was done", places.join(", ")));
        }
        let mut found = 0;
        let mut news = 0;
        for (plan, row, ordinals) in meant {
            for ordinal in ordinals {
                let id = DeliveryId { gate: row.no, ordinal };
                let word = self.attest_one(&record, plan, id, attestation).await?;
                found += usize::from(word != Word::TooEarly);
                news += usize::from(word == Word::News);
                if matches!(attestation.whom, Whom::Person(_)) {
                    self.attest_occasion(&record, plan, id, attestation).await?;
                }
            }
        }
        if found == 0 {
            match &attestation.whom {
                Whom::Person(id) if !self.prepared.people().iter().any(|who| who.is(id)) => {
                    return refuse("nobody of this id is among the people of the plan");
                }
                _ => return refuse("nothing of that communique is out to them yet that is done by hand"),
            }
        }
        Ok(news)
    }

    async fn ordinals(
        &self,
        record: &Record,
        plan: &GatePlan,
        row: &GateRow,
        whom: &Whom,
    ) -> Result<Vec<u32>, DispatchError> {
        match whom {
            Whom::Person(person) => Ok(self.journal.ordinal(row.no, person).await?.into_iter().collect()),
            Whom::Group(group) => {
                if self.prepared.plan().group(group).is_none() {
                    return refuse(format!("`{group}` is no group of this plan"));
                }
                let roll = record.roll(self, plan);
                let members = self.numbers_in(roll, group);
                let shared = roll
                    .posts()
                    .iter()
                    .zip(0..)
                    .filter(|(post, _)| roll.path(post.path).is_some_and(|p| &p.group == group));
                let posts: Vec<u32> = shared.map(|(_, ordinal)| ordinal).collect();
                let first = roll.first_member();
                let members = roll.members().zip(first..).filter(|((n, _), _)| members.contains(n)).map(|(_, o)| o);
                Ok(posts.into_iter().chain(members).filter(|o| *o < row.tally.rows).collect())
            }
        }
    }

    async fn attest_one(
        &self,
        record: &Record,
        plan: &GatePlan,
        id: DeliveryId,
        attestation: &Attestation,
    ) -> Result<Word, DispatchError> {
        let roll = record.roll(self, plan);
        loop {
            let Some(row) = self.journal.read(&[id]).await?.pop() else { return Ok(Word::TooEarly) };
            let course = self.course(record, plan, roll, &row);
            let Some(course) = course else { return Ok(Word::TooEarly) };
            let Some(leg) = spoken_of(&row.state) else { return Ok(Word::TooEarly) };
            let mechanism = self.mechanism_of(roll, &row, leg);
            let proves = mechanism
                .and_then(|m| self.prepared.carriers().get(m))
                .map_or(Assurance::Acknowledged, |c| c.capabilities.proves);
            let evidence =
                if attestation.done { Evidence::Reached(attestation.assurance.min(proves)) } else { Evidence::Failed };
            let input = DeliveryInput::Receipt { leg, evidence, verified: true };
            let facts: Facts<DeliveryFact> = row.state.decide(&course, &input, self.clock.now());
            if facts.iter().all(|f| matches!(f, DeliveryFact::Noted { .. })) {
                return Ok(if self.comes_by_hand(roll, &row) { Word::TooEarly } else { Word::KnownBefore });
            }
            let note = Note { by: Some(attestation.by.clone()), text: attestation.note.clone(), ..Note::default() };
            let write = Write::new(Change::Delivery(id, facts), row.version).note(Some(note));
            if let Some(Committed::Done(_)) = self.journal.commit(vec![write]).await?.first() {
                return Ok(Word::News);
            }
        }
    }

    /// Whether somebody will be asked to do it by hand, and is not yet.
    fn comes_by_hand(&self, roll: &Roll, row: &Row) -> bool {
        let by_hand = |m: &Mechanism| self.prepared.carriers().get(m).is_some_and(|c| c.capabilities.by_hand);
        let begun = |step: usize| row.state.legs.iter().any(|leg| usize::from(leg.step) == step);
        let steps = self.path_of(roll, row).map_or(&[][..], |path| &path.steps);
        row.state.end.is_none() && steps.iter().enumerate().any(|(n, step)| !begun(n) && by_hand(&step.mechanism))
    }

    /// Whoever took part in what is done once for all shows that it was done, although others may have been absent.
    async fn attest_occasion(
        &self,
        record: &Record,
        plan: &GatePlan,
        id: DeliveryId,
        attestation: &Attestation,
    ) -> Result<(), DispatchError> {
        let roll = self.prepared.roll(plan);
        let Some(row) = self.journal.read(&[id]).await?.pop().filter(|_| attestation.done) else { return Ok(()) };
        let step = spoken_of(&row.state).and_then(|leg| row.state.legs.get(usize::from(leg))).map(|leg| leg.step);
        let path = self.path_of(roll, &row);
        let post = path.zip(step).and_then(|(path, step)| path.steps.get(usize::from(step))?.post);
        let Some(post) = post.map(|ordinal| DeliveryId { ordinal, ..id }) else { return Ok(()) };
        let is_task = |leg: &Leg| {
            matches!(leg.stage, Stage::Awaiting { .. }) && leg.sure == Some(Assurance::Attempted) && !leg.failed
        };
        let open = |row: Row| row.state.legs.iter().any(is_task);
        if self.journal.read(&[post]).await?.pop().is_some_and(open) {
            // What was said of one person is not said of the others.
            self.attest_one(record, plan, post, &attestation.clone().note(None)).await?;
        }
        Ok(())
    }
}

/// What a person's word was for one delivery.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    News,
    KnownBefore,
    /// Nobody was asked to do it yet.
    TooEarly,
}

/// The leg that a person's word is about: the last that waits for one, else the last that is out.
fn spoken_of(state: &Delivery) -> Option<u8> {
    let waits = |stage: &Stage| matches!(stage, Stage::Awaiting { .. } | Stage::Doubt { .. });
    let handed = state.legs.iter().rposition(Leg::is_task);
    let leg = handed.or_else(|| state.legs.iter().rposition(|leg| waits(&leg.stage)));
    let leg = leg.or(state.legs.len().checked_sub(1));
    leg.and_then(|leg| u8::try_from(leg).ok())
}
