//! A named person's word about what was done by hand, and which deliveries it is about.

use super::gates::PAGE;
use super::intake::{given, refuse, refuse_unknown};
use super::{DispatchError, Dispatcher, Record};
use crate::course::{DeliveryFact, DeliveryInput, Facts, Leg, Phase, Stage, Verdict};
use crate::id::{CommuniqueId, DeliveryId, GateId, GroupId, PlaceId, StakeholderId};
use crate::journal::{Change, Committed, GateRow, Note, Row, Write};
use crate::mechanism::Mechanism;
use crate::prepare::{GatePlan, Roll};
use crate::receipt::{Assurance, Evidence};
use std::collections::BTreeSet;
use std::fmt;

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

/// What an attestation came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attested {
    /// For how many people it was news; of what is done once for all and is news about nobody, for how many occasions.
    pub news: usize,
    /// For how many of these it is recorded and changes nothing: more was proved before than that it failed.
    pub unheeded: usize,
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
    /// Takes a person's word about what was done by hand.
    ///
    /// A word that something failed which goes by itself and is out counts as a bounce does: the next step begins.
    ///
    /// Of what is done once for all, such as a presentation: a word about the group is one about everybody, the occasion included; a word
    /// about one person who was there says that it was held, and nothing of the others.
    ///
    /// # Errors
    /// Refused: an unknown communique, person or group; a place of which it has no gate, or none named where it is out to them at several;
    /// nothing of it is out to them yet; nobody named.
    pub async fn attest(&self, attestation: &Attestation) -> Result<Attested, DispatchError> {
        self.known(Some(&attestation.communique))?;
        given(&attestation.by, "an attestation needs a name: who says so?")?;
        let record = self.enrol().await?;
        if let Whom::Person(id) = &attestation.whom
            && record.is_stand_in(id)
        {
            return refuse("this stands for somebody who was erased");
        }
        let is_of = |gate: &GateId| gate.communique == attestation.communique;
        let is_meant = |gate: &GateId| is_of(gate) && (attestation.place.is_none() || gate.place == attestation.place);
        let gates = || record.plans.iter().map(|plan| &plan.id);
        if let Some(place) = &attestation.place
            && gates().any(is_of)
            && !gates().any(is_meant)
        {
            self.declared_place(Some(place))?;
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
        let mut early = true;
        let mut last = None;
        let mut attested = Attested::default();
        let mut posts = Attested::default();
        for (plan, row, ordinals) in meant {
            for ordinal in ordinals {
                let id = DeliveryId { gate: row.no, ordinal };
                let word = self.attest_one(&record, plan, id, attestation).await?;
                early &= matches!(word, Word::TooEarly(_));
                let is_post = record.roll(self, plan).post(ordinal).is_some();
                let heard = if is_post { &mut posts } else { &mut attested };
                heard.news += usize::from(matches!(word, Word::News | Word::Unheeded));
                heard.unheeded += usize::from(word == Word::Unheeded);
                if let Word::TooEarly(Some(by)) = word {
                    last = Some(by);
                }
                if matches!(attestation.whom, Whom::Person(_)) {
                    self.attest_occasion(&record, plan, id, attestation).await?;
                }
            }
        }
        if !early {
            // What is done once for all is no further person.
            return Ok(if attested.news > 0 { attested } else { posts });
        }
        if let Whom::Person(id) = &attestation.whom {
            self.known_person(id)?;
        }
        let now = self.clock.now();
        let begins =
            record.plans.iter().zip(&record.gates).filter(|(plan, _)| is_meant(&plan.id)).any(|(plan, row)| {
                let opens = || row.state.verdict(&self.rule(plan, &record.head, &row.state), now) == Verdict::Opens;
                matches!(row.state.phase, Phase::Opening { .. }) || (row.state.phase == Phase::Waiting && opens())
            });
        let why = match last {
            _ if begins => "; the next dispatch begins it".to_owned(),
            Some(by) => format!("; it went by `{by}`, of which a word proves no more"),
            None => String::new(),
        };
        refuse(format!("nothing of that communique is out to them yet that is done by hand{why}"))
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
                    let known = self.prepared.plan().groups().iter().map(|of| of.id.as_str());
                    return refuse_unknown(format!("`{group}` is no group of this plan"), group.as_str(), known);
                }
                let roll = record.roll(self, plan);
                let members = self.numbers_in(roll, group);
                let posts = self.posts_of(roll, &members);
                let mut ordinals = Vec::new();
                let mut from = 0;
                loop {
                    let page = self.journal.scan(row.no, from, PAGE).await?;
                    let Some(last) = page.last() else { return Ok(ordinals) };
                    from = last.id.ordinal + 1;
                    let is_meant = |row: &Row| match self.seat(roll, row) {
                        Some((number, _)) => members.contains(&number),
                        None => row.who.is_none() && posts.contains(&row.id.ordinal),
                    };
                    ordinals.extend(page.iter().filter(|row| is_meant(row)).map(|row| row.id.ordinal));
                }
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
            let Some(row) = self.journal.read(&[id]).await?.pop() else { return Ok(Word::TooEarly(None)) };
            if row.who.as_ref().is_some_and(|who| record.is_stand_in(who)) {
                // Nothing is noted of them any more.
                return Ok(Word::KnownBefore);
            }
            let course = self.course(record, plan, roll, &row);
            let Some(course) = course else { return Ok(Word::TooEarly(None)) };
            let Some(leg) = self.spoken_of(record, &row) else { return Ok(Word::TooEarly(None)) };
            let mechanism = record.mechanism_of(&row, leg);
            let proves = mechanism
                .as_ref()
                .and_then(|m| self.prepared.carriers().get(m))
                .map_or(Assurance::Acknowledged, |c| c.capabilities.proves);
            let evidence =
                if attestation.done { Evidence::Reached(attestation.assurance.min(proves)) } else { Evidence::Failed };
            let input = DeliveryInput::Receipt { leg, evidence, verified: true };
            let facts: Facts<DeliveryFact> = row.state.decide(&course, &input, self.clock.now());
            if facts.iter().all(|f| matches!(f, DeliveryFact::Noted { .. })) {
                let early = self.comes_by_hand(record, roll, &row);
                return Ok(if early { Word::TooEarly(mechanism) } else { Word::KnownBefore });
            }
            let note = Note { by: Some(attestation.by.clone()), text: attestation.note.clone(), ..Note::default() };
            let unheeded = matches!(facts.as_slice(), [DeliveryFact::Failed { .. }]);
            let write = Write::new(Change::Delivery(id, facts), row.version).note(Some(note));
            if let Some(Committed::Done(_)) = self.journal.commit(vec![write]).await?.first() {
                return Ok(if unheeded { Word::Unheeded } else { Word::News });
            }
        }
    }

    /// The leg that a person's word is about: the last that was handed to somebody, also if its next step has begun meanwhile; else the last
    /// that waits for a receipt or is in doubt, else the last.
    fn spoken_of(&self, record: &Record, row: &Row) -> Option<u8> {
        let handed = |(leg, n): &(&Leg, u8)| {
            let by_hand = |mechanism: Mechanism| self.prepared.is_by_hand(&mechanism);
            leg.sure.is_some() && !leg.failed && record.mechanism_of(row, *n).is_some_and(by_hand)
        };
        let waits = |(leg, _): &(&Leg, u8)| matches!(leg.stage, Stage::Awaiting { .. } | Stage::Doubt { .. });
        let legs: Vec<(&Leg, u8)> = row.state.legs.iter().zip(0..).collect();
        let last = |is: &dyn Fn(&(&Leg, u8)) -> bool| legs.iter().rev().find(|leg| is(leg)).map(|(_, n)| *n);
        last(&|leg| leg.0.is_task()).or_else(|| last(&handed)).or_else(|| last(&waits)).or_else(|| last(&|_| true))
    }

    /// Whether somebody will be asked to do it by hand, and is not yet.
    fn comes_by_hand(&self, record: &Record, roll: &Roll, row: &Row) -> bool {
        let Some(path) = self.path_of(roll, row).filter(|_| row.state.end.is_none()) else { return false };
        let begun = |step: usize| row.state.legs.iter().any(|leg| record.step_of(path, &row.state, leg) == Some(step));
        let mut steps = path.steps.iter().enumerate();
        steps.any(|(n, step)| !begun(n) && self.prepared.is_by_hand(&step.mechanism))
    }

    /// Whoever took part in what is done once for all shows that it was done, although others may have been absent.
    async fn attest_occasion(
        &self,
        record: &Record,
        plan: &GatePlan,
        id: DeliveryId,
        attestation: &Attestation,
    ) -> Result<(), DispatchError> {
        let roll = record.roll(self, plan);
        let Some(row) = self.journal.read(&[id]).await?.pop().filter(|_| attestation.done) else { return Ok(()) };
        let leg = self.spoken_of(record, &row).and_then(|leg| row.state.legs.get(usize::from(leg)));
        let path = self.path_of(roll, &row);
        let post = path.zip(leg).and_then(|(path, leg)| path.steps.get(record.step_of(path, &row.state, leg)?)?.post);
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
#[derive(Clone, PartialEq, Eq)]
enum Word {
    News,
    /// News that changes nothing.
    Unheeded,
    KnownBefore,
    /// Nobody was asked to do it yet; by which mechanism it went that is not done by hand.
    TooEarly(Option<Mechanism>),
}
