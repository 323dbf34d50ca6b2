//! What a journal stores: facts, by whom they are about, and what lies beside them.

use crate::clock::Moment;
use crate::course::{Delivery, DeliveryFact, Facts, GateFact, HeadFact, LaneFact};
use crate::id::{DeliveryId, GateNo, LaneNo, StakeholderId};
use crate::receipt::{Assurance, Evidence, ReceiptKind};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// One stored fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Entry {
    /// Its number, from 1.
    pub seq: u64,
    /// When it was committed, by the journal's clock. Nothing depends on the order of these.
    pub at: Moment,
    /// What it is about.
    pub subject: Subject,
    /// What became of it.
    pub fact: Fact,
}

impl Entry {
    /// An entry of these parts; for those who write journals.
    #[must_use]
    pub fn new(seq: u64, at: Moment, subject: Subject, fact: Fact) -> Self {
        Self { seq, at, subject, fact }
    }
}

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// The plan as a whole.
    Head,
    /// A gate.
    Gate(GateNo),
    /// A lane.
    Lane(LaneNo),
    /// A delivery.
    Delivery(DeliveryId),
}

/// A fact about anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Fact {
    /// Of the plan as a whole.
    Head(Box<HeadFact>),
    /// Of a gate.
    Gate(GateFact),
    /// Of a lane.
    Lane(LaneFact),
    /// Of a delivery.
    Delivery(DeliveryFact),
    /// Deliveries of a gate were entered from this ordinal on, in these runs.
    Entered {
        /// The ordinal of the first.
        from: u32,
        /// Like ones in a row.
        runs: Box<[Run]>,
    },
}

/// So many deliveries in a row that begin alike; or a further leg with which those of the run before begin at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Run {
    /// How many.
    pub count: u32,
    /// The step with which they begin.
    pub step: u8,
    /// The lane of that step.
    pub lane: LaneNo,
    /// From when they may be tried.
    pub at: Moment,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
    /// Whether it is a further leg of the deliveries of the run before, and not deliveries of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub further: bool,
    /// Whether the leg waits for a post that others share, and lets every other that is ready go before it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rides: bool,
}

impl Run {
    /// So many deliveries that begin with this step on this lane at this time.
    #[must_use]
    pub fn new(count: u32, step: u8, lane: LaneNo, at: Moment, until: Option<Moment>) -> Self {
        Self { count, step, lane, at, until, further: false, rides: false }
    }

    /// As a further leg of the deliveries of the run before.
    #[must_use]
    pub fn further(mut self) -> Self {
        self.further = true;
        self
    }

    /// Waiting for a post that others share.
    #[must_use]
    pub fn riding(mut self, rides: bool) -> Self {
        self.rides = rides;
        self
    }

    /// The deliveries of runs: how many, and how each of them begins.
    pub fn deliveries(runs: &[Self]) -> impl Iterator<Item = (u32, Delivery)> {
        runs.chunk_by(|_, next| next.further).filter_map(|legs| {
            let mut delivery = Delivery::default();
            for Self { step, lane, at, until, rides, .. } in legs {
                let (step, lane, at, until, rides) = (*step, *lane, *at, *until, *rides);
                delivery.apply(&DeliveryFact::Begun { step, lane, at, until, rides, round: 0 });
            }
            Some((legs.first()?.count, delivery))
        })
    }
}

/// Who stands at an ordinal of a gate's roll, and what is kept of them. Not shown by `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entrant {
    /// The stakeholder; `None` for a post.
    pub who: Option<StakeholderId>,
    /// How they are told, for whoever may have to tell them again after they have left. It lies beside the entries.
    pub kept: Option<Arc<str>>,
}

impl Entrant {
    /// This stakeholder, or a post.
    #[must_use]
    pub fn new(who: Option<StakeholderId>) -> Self {
        Self { who, kept: None }
    }

    /// With what is kept of them.
    #[must_use]
    pub fn kept(mut self, kept: Option<Arc<str>>) -> Self {
        self.kept = kept;
        self
    }
}

impl fmt::Debug for Entrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entrant").field("is_post", &self.who.is_none()).finish_non_exhaustive()
    }
}

/// Facts about one thing, to be written if its version is the expected one.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Write {
    /// The facts.
    pub change: Change,
    /// The version on which they were decided.
    pub expect: u64,
    /// What is kept beside the first of them. Many writes may share one.
    pub note: Option<Arc<Note>>,
    /// The receipt from which they follow.
    pub receipt: Option<ReceiptRecord>,
}

/// Facts about one thing.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// Of the plan as a whole.
    Head(Vec<HeadFact>),
    /// Of a gate.
    Gate(GateNo, Facts<GateFact>),
    /// Of a lane.
    Lane(LaneNo, LaneFact),
    /// Of a delivery.
    Delivery(DeliveryId, Facts<DeliveryFact>),
}

impl Write {
    /// These facts, decided on this version.
    #[must_use]
    pub fn new(change: Change, expect: u64) -> Self {
        Self { change, expect, note: None, receipt: None }
    }

    /// With this beside them.
    #[must_use]
    pub fn note(mut self, note: Option<impl Into<Arc<Note>>>) -> Self {
        self.note = note.map(Into::into);
        self
    }

    /// Following from this receipt.
    #[must_use]
    pub fn receipt(mut self, receipt: Option<ReceiptRecord>) -> Self {
        self.receipt = receipt;
        self
    }
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// It is durable; this is the version now.
    Done(u64),
    /// The version was another: read again and decide the same input again.
    Conflict,
    /// The receipt was recorded before.
    Duplicate,
}

/// What lies beside an entry and can be erased: who said it, with which proof, and what the far side said.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Note {
    /// Who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// With which proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
    /// In which words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The far side's name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Where it can be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The far side's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The digest of what was said, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_digest: Option<Arc<str>>,
}

impl fmt::Debug for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Note(..)")
    }
}

/// The receipt from which facts follow.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceiptRecord {
    /// What tells it from every other.
    pub identity: String,
    /// The raw bytes, kept beside the entries.
    pub raw: Vec<u8>,
}

impl ReceiptRecord {
    /// The receipt of that identity, with its raw bytes.
    #[must_use]
    pub fn new(identity: impl Into<String>, raw: Vec<u8>) -> Self {
        Self { identity: identity.into(), raw }
    }
}

impl fmt::Debug for ReceiptRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReceiptRecord(..)")
    }
}

/// A receipt that matches nothing: kept as evidence, never guessed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Unmatched {
    /// What tells it from every other.
    pub identity: String,
    /// How it came.
    pub kind: ReceiptKind,
    /// What it says; `None` if it could not be understood.
    pub evidence: Option<Evidence>,
    /// The raw bytes.
    #[serde(skip)]
    pub raw: Vec<u8>,
}

impl Unmatched {
    /// A receipt that matches nothing.
    #[must_use]
    pub fn new(identity: impl Into<String>, kind: ReceiptKind, evidence: Option<Evidence>, raw: Vec<u8>) -> Self {
        Self { identity: identity.into(), kind, evidence, raw }
    }
}

impl fmt::Debug for Unmatched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unmatched").field("kind", &self.kind).field("evidence", &self.evidence).finish_non_exhaustive()
    }
}

/// What is erased of a person. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Erasure {
    /// The person.
    pub who: StakeholderId,
    /// What stands in their place from then on.
    pub stand_in: StakeholderId,
    /// What a raw receipt about them holds, in whatever case: tokens of their deliveries, addresses.
    pub traces: Vec<String>,
}

impl Erasure {
    /// This person, for whom that stands in, and whom receipts betray by these traces.
    #[must_use]
    pub fn new(who: StakeholderId, stand_in: StakeholderId, traces: Vec<String>) -> Self {
        Self { who, stand_in, traces }
    }

    /// Whether raw bytes hold one of the traces.
    #[must_use]
    pub fn betrayed_by(&self, raw: &[u8]) -> bool {
        let raw = raw.to_ascii_lowercase();
        let mut traces = self.traces.iter().map(|trace| trace.to_ascii_lowercase()).filter(|trace| !trace.is_empty());
        traces.any(|trace| raw.windows(trace.len()).any(|part| part == trace.as_bytes()))
    }
}

impl fmt::Debug for Erasure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Erasure(..)")
    }
}

/// How many attempts are wanted of one gate on one lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Want {
    /// The gate.
    pub gate: GateNo,
    /// The lane.
    pub lane: LaneNo,
    /// At most so many.
    pub max: u32,
}

impl Want {
    /// At most so many attempts of this gate on this lane.
    #[must_use]
    pub fn new(gate: GateNo, lane: LaneNo, max: u32) -> Self {
        Self { gate, lane, max }
    }
}

/// How the deliveries of a gate stand, kept up to date with every write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Tally {
    /// How many there are.
    pub rows: u32,
    /// Of how many something may still come by itself.
    pub running: u32,
    /// How many have an attempt in flight.
    pub flying: u32,
    /// How many of the running ones are held because nobody knows what became of them.
    pub doubt: u32,
    /// How many are proved to have got at least so far, by [`Assurance`].
    pub reached: [u32; 6],
}

impl Tally {
    /// Counts a delivery in.
    pub fn add(&mut self, state: &Delivery) {
        self.change(state, |n| *n = n.saturating_add(1));
    }

    /// Counts a delivery out.
    pub fn remove(&mut self, state: &Delivery) {
        self.change(state, |n| *n = n.saturating_sub(1));
    }

    fn change(&mut self, state: &Delivery, mut by_one: impl FnMut(&mut u32)) {
        by_one(&mut self.rows);
        if state.end.is_none() {
            by_one(&mut self.running);
        }
        if state.flying().is_some() {
            by_one(&mut self.flying);
        }
        if state.is_held() {
            by_one(&mut self.doubt);
        }
        let steps = state.best().map_or(0, |best| best as usize + 1);
        self.reached.iter_mut().take(steps).for_each(by_one);
    }

    /// How many are proved to have got at least this far.
    #[must_use]
    pub fn reached(&self, assurance: Assurance) -> u32 {
        Assurance::ALL.iter().position(|a| *a == assurance).and_then(|i| self.reached.get(i)).copied().unwrap_or(0)
    }
}
