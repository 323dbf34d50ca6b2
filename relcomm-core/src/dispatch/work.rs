//! From leased deliveries to flights: the person, the words, the keys.

use super::flight::Flight;
use super::token::Tokens;
use super::{Dispatcher, Record};
use crate::channel::{ChannelError, ErrorKind, Key, Mint, Outcome, Outgoing, Prepared};
use crate::clock::Moment;
use crate::communique::Part;
use crate::id::{GateNo, GroupId, LaneNo, Lang};
use crate::journal::{Note, Row};
use crate::mechanism::Mechanism;
use crate::plan::{Reached, StakeholderRef};
use crate::prepare::{GatePlan, Late, PathPlan, Roll};
use crate::stakeholder::Address;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use smallvec::smallvec;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Texts that several people share, as long as the late values stand.
#[derive(Debug, Default)]
pub(super) struct Texts {
    shared: BTreeMap<TextKey, Text>,
    /// The same, found by where it is said: different paths may lead to one text.
    known: BTreeMap<Where, Vec<(Option<Lang>, Text)>>,
}

/// The index of the gate, the path and the step.
type Where = (usize, u16, usize);

type TextKey = (GateNo, Option<GroupId>, (GroupId, Vec<GroupId>), Mechanism, Option<Lang>, (Part, Option<Moment>));

/// A text, and what is noted of an attempt that said it.
#[derive(Clone, Debug)]
pub(super) struct Text {
    prepared: Arc<Prepared>,
    said: Arc<Note>,
}

impl Texts {
    pub(super) fn forget(&mut self) {
        self.shared.clear();
        self.known.clear();
    }

    fn note(&mut self, at: Option<Where>, lang: Option<&Lang>, text: &Text) {
        if let Some(at) = at {
            self.known.entry(at).or_default().push((lang.cloned(), text.clone()));
        }
    }

    fn get(&self, at: Where, lang: Option<&Lang>) -> Option<&Text> {
        self.known.get(&at)?.iter().find(|(l, _)| l.as_ref() == lang).map(|(_, text)| text)
    }
}

/// What becomes of leased deliveries: they fly, or what they need is not there and they are settled without a call.
#[derive(Default)]
pub(super) struct Work {
    pub(super) flights: Vec<Flight>,
    pub(super) settled: Vec<(Row, u8, LaneNo, Settled)>,
}

/// How it is settled without a call.
pub(super) enum Settled {
    /// As if the channel had said so.
    As(Outcome),
    /// The bundle has no such step, or nobody stands there.
    Gone,
}

struct Recipient<'a> {
    row: Row,
    leg: u8,
    lane: LaneNo,
    path_no: u16,
    path: &'a PathPlan,
    step: usize,
    mechanism: &'a Mechanism,
    who: Option<StakeholderRef<'a>>,
    /// Who is reached in their place.
    reached: Option<Reached<'a>>,
    address: Option<Address>,
}

impl Dispatcher {
    pub(super) fn work(
        &self,
        record: &Record,
        tokens: &Arc<Tokens>,
        late: &Late,
        texts: &mut Texts,
        rows: Vec<Row>,
        work: &mut Work,
    ) {
        for row in rows {
            let Some((leg, _)) = row.state.flying() else { continue };
            let Some(lane) = row.state.legs.get(usize::from(leg)).map(|l| l.lane) else { continue };
            let gate = record.gate_index(row.id.gate).and_then(|index| record.plans.get(index));
            let Some(gate) = gate else {
                work.settled.push((row, leg, lane, Settled::Gone));
                continue;
            };
            let roll = record.roll(self, gate);
            let recipient = match self.recipient(record, roll, row, leg, lane) {
                Ok(recipient) => recipient,
                Err((row, settled)) => {
                    work.settled.push((row, leg, lane, settled));
                    continue;
                }
            };
            match self.text(gate, &recipient, late, texts) {
                Ok(text) => self.join(gate, roll, tokens, recipient, text, &mut work.flights),
                Err(outcome) => work.settled.push((recipient.row, leg, lane, Settled::As(outcome))),
            }
        }
    }

    fn recipient<'a>(
        &'a self,
        record: &Record,
        roll: &'a Roll,
        row: Row,
        leg: u8,
        lane: LaneNo,
    ) -> Result<Recipient<'a>, (Row, Settled)> {
        let ordinal = row.id.ordinal;
        if let Some(post) = roll.post(ordinal)
            && row.who.is_none()
        {
            let Some(path) = roll.path(post.path) else { return Err((row, Settled::Gone)) };
            let step = row.state.legs.get(usize::from(leg)).map_or(0, |l| usize::from(l.step));
            let (path_no, mechanism, address) = (post.path, &post.mechanism, post.address.clone());
            return Ok(Recipient { row, leg, lane, path_no, path, step, mechanism, who: None, reached: None, address });
        }
        let found = self.seat(roll, &row).and_then(|(number, path)| Some((self.people_of(roll).at(number)?, path)));
        let Some((who, path_no)) = found else { return Err((row, Settled::Gone)) };
        let Some(path) = roll.path(path_no) else { return Err((row, Settled::Gone)) };
        let step = row.state.legs.get(usize::from(leg)).and_then(|leg| record.step_of(path, &row.state, leg));
        let Some((step, plan)) = step.and_then(|step| Some((step, path.steps.get(step)?))) else {
            return Err((row, Settled::Gone));
        };
        let mechanism = &plan.mechanism;
        let reached = match &plan.to {
            None => None,
            Some(to) => match self.prepared.reached(to, mechanism, who) {
                None => return Err((row, Settled::As(nobody()))),
                Some(reached) if reached.opted_out() => return Err((row, Settled::As(opted_out()))),
                reached => reached,
            },
        };
        // Checked again, although it was when it was loaded: a bundle comes from a disk.
        let address = match reached {
            Some(reached) => reached.address(mechanism),
            None => who.address(mechanism),
        };
        let address = address.and_then(|text| Address::new(text).ok());
        Ok(Recipient { row, leg, lane, path_no, path, step, mechanism, who: Some(who), reached, address })
    }

    fn text(
        &self,
        gate: &GatePlan,
        recipient: &Recipient<'_>,
        late: &Late,
        texts: &mut Texts,
    ) -> Result<Text, Outcome> {
        let personal = self.prepared.is_personal(gate) && recipient.who.is_some();
        let lang = recipient.path.lang.as_ref();
        // A post has its words by its own mechanism, whatever the step of those who share it.
        let at = recipient.who.is_some().then_some((gate.index, recipient.path_no, recipient.step));
        if let Some(known) = at.filter(|_| !personal).and_then(|at| texts.get(at, lang)) {
            return Ok(known.clone());
        }
        let key = (!personal).then(|| {
            let path = recipient.path;
            (
                recipient.row.id.gate,
                path.variant.clone(),
                (path.group.clone(), path.also.clone()),
                recipient.mechanism.clone(),
                lang.cloned(),
                (path.part, path.before),
            )
        });
        if let Some(known) = key.as_ref().and_then(|key| texts.shared.get(key)) {
            let known = known.clone();
            texts.note(at, lang, &known);
            return Ok(known);
        }
        let binding = self.channels.get(recipient.mechanism).ok_or_else(no_channel)?;
        let rendered = self
            .prepared
            .render_for(gate, recipient.path, recipient.who, late)
            .map_err(|error| unfit(&error.to_string()))?;
        let prepared = binding
            .channel
            .prepare(&rendered.into_wording(self.prepared.about(gate, recipient.path)))
            .map_err(|findings| unfit(&findings.first().map(|f| f.message.clone()).unwrap_or_default()))?;
        let mut hash = Sha256::new();
        for part in &prepared.parts {
            for piece in [&part.name, &part.media, &part.content] {
                hash.update((piece.len() as u64).to_be_bytes());
                hash.update(piece.as_bytes());
            }
        }
        let digest = HEXLOWER.encode(&hash.finalize());
        let said = Note { text_digest: Some(digest.into()), ..Note::default() };
        let text = Text { prepared: Arc::new(prepared), said: Arc::new(said) };
        if let Some(key) = key {
            texts.shared.insert(key, text.clone());
            texts.note(at, lang, &text);
        }
        Ok(text)
    }

    /// Puts a recipient on a flight that goes there with the same text and has a place left, or on a new one.
    fn join(
        &self,
        gate: &GatePlan,
        roll: &Roll,
        tokens: &Arc<Tokens>,
        recipient: Recipient<'_>,
        text: Text,
        flights: &mut Vec<Flight>,
    ) {
        let Some(binding) = self.channels.get(recipient.mechanism) else { return };
        let per_call = binding.channel.capabilities().per_call.get() as usize;
        let personal = self.prepared.is_personal(gate) && recipient.who.is_some();
        let key = match (recipient.who, recipient.reached) {
            (Some(who), Some(reached)) if reached.id() != who.id() => {
                self.escalation_key(gate, who.id(), reached.id(), recipient.mechanism)
            }
            (Some(who), _) => self.delivery_key(gate, who.id(), recipient.mechanism),
            (None, _) => self.post_key(gate, roll, recipient.row.id.ordinal, recipient.mechanism),
        };
        let tries = recipient.row.state.tries(recipient.leg);
        let by = Arc::clone(tokens) as Arc<dyn Mint>;
        let name = match recipient.reached {
            Some(reached) => reached.name(),
            None => recipient.who.and_then(|w| w.name()),
        };
        let item = Outgoing::marked(key, by, recipient.row.id, recipient.leg, recipient.address)
            .attempt(tries)
            .name(name.map(Into::into));
        let row = (recipient.row, recipient.leg);
        let fits = |f: &&mut Flight| {
            f.lane == recipient.lane && Arc::ptr_eq(&f.text, &text.prepared) && f.items.len() < per_call
        };
        if per_call > 1
            && let Some(flight) = flights.iter_mut().rev().find(fits)
        {
            flight.items.push(item);
            flight.rows.push(row);
            return;
        }
        let message_key: Key = if personal || per_call == 1 {
            item.key
        } else {
            let digest = text.said.text_digest.as_deref().unwrap_or_default();
            self.message_key(gate, recipient.mechanism, digest)
        };
        flights.push(Flight {
            channel: Arc::clone(&binding.channel),
            lane: recipient.lane,
            text: text.prepared,
            said: text.said,
            message_key,
            items: smallvec![item],
            rows: smallvec![row],
        });
    }
}

/// Nobody is to be reached in the stakeholder's place.
fn nobody() -> Outcome {
    Outcome::Failed(ChannelError::new(ErrorKind::RecipientInvalid, "nobody to reach in their place"))
}

fn no_channel() -> Outcome {
    Outcome::Failed(ChannelError::new(ErrorKind::Configuration, "the mechanism has no channel"))
}

/// Whoever is reached in another's place wishes not to be told.
fn opted_out() -> Outcome {
    Outcome::Failed(ChannelError::new(ErrorKind::RecipientOptedOut, "opted out"))
}

/// The words cannot be made: no other try of this step will do better.
fn unfit(why: &str) -> Outcome {
    Outcome::Failed(ChannelError::new(ErrorKind::ContentRejected, why))
}
