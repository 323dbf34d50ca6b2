//! The journal: the durable record from which everything else is computed.

mod entry;
mod error;
mod fold;
mod memory;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use entry::{
    Change, Committed, Entrant, Entry, Erasure, Fact, Note, ReceiptRecord, Run, Subject, Tally, Unmatched, Want, Write,
};
pub use error::{JournalError, JournalErrorKind};
pub use fold::Folded;
pub use memory::MemoryJournal;
#[cfg(feature = "sqlite")]
pub use sqlite::{Create, Sealed, SqliteJournal, SqliteOptions};

use crate::clock::Moment;
use crate::course::{Delivery, Facts, Gate, GateFact, Head, Lane, SessionNo};
use crate::id::{DeliveryId, GateId, GateNo, LaneNo, PlanId, StakeholderId};
use crate::prepare::SHARED;
use async_trait::async_trait;
use secrecy::SecretBox;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Whether what is recorded went to real people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Nothing left the machine.
    Sandbox,
    /// It did.
    Live,
}

impl Mode {
    /// The word in journals and reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Live => "live",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// What a journal's record belongs to: a plan id and a version, in one mode. It outlives the digests of both.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Scope {
    /// The plan.
    pub plan: PlanId,
    /// The version of the release.
    pub version: String,
    /// Sandbox or live.
    pub mode: Mode,
}

impl Scope {
    /// The record of this plan and version, in this mode.
    #[must_use]
    pub fn new(plan: PlanId, version: impl Into<String>, mode: Mode) -> Self {
        Self { plan, version: version.into(), mode }
    }
}

/// A gate as the journal has it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GateRow {
    /// Its number here.
    pub no: GateNo,
    /// What it stands for.
    pub id: GateId,
    /// The version that a write must expect.
    pub version: u64,
    /// Its state.
    pub state: Gate,
    /// How its deliveries stand.
    pub tally: Tally,
}

/// A lane as the journal has it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LaneRow {
    /// Its number here.
    pub no: LaneNo,
    /// The mechanism, and the endpoint where each has a lane of its own: `webhook` or `webhook:forum`.
    pub name: String,
    /// The version that a write must expect.
    pub version: u64,
    /// Its state.
    pub state: Lane,
}

impl LaneRow {
    /// The mechanism alone: an endpoint's name may be an address, which no log and no word to people shows. That of a lane on which posts are
    /// waited for is the posts'.
    #[must_use]
    pub fn mechanism(&self) -> &str {
        let name = self.name.strip_prefix(SHARED).unwrap_or(&self.name);
        name.split(':').next().unwrap_or_default()
    }
}

/// A delivery as the journal has it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Row {
    /// Which one.
    pub id: DeliveryId,
    /// The version that a write must expect.
    pub version: u64,
    /// Its state.
    pub state: Delivery,
    /// Who stands at this ordinal of the gate's roll; `None` for a post. Once they are erased it is what stands in for them.
    pub who: Option<StakeholderId>,
}

macro_rules! rows {
    ($($name:ident { $($field:ident: $type:ty),* })*) => {$(
        impl $name {
            /// A row of these parts; for those who write journals.
            #[must_use]
            pub fn new($($field: $type),*) -> Self {
                Self { $($field),* }
            }
        }
    )*};
}

rows! {
    GateRow { no: GateNo, id: GateId, version: u64, state: Gate, tally: Tally }
    LaneRow { no: LaneNo, name: String, version: u64, state: Lane }
    Row { id: DeliveryId, version: u64, state: Delivery, who: Option<StakeholderId> }
}

/// The durable record of one plan and version.
///
/// It stores facts and applies them; it decides nothing. Calls are batch-first. Every call either happens as a whole or not at all, and
/// what it returned is durable. One contract suite proves every journal.
///
/// # Contract
/// * **J1** A write whose expected version is not the present one changes nothing and answers *conflict*; every other write of the same
///   call is unaffected. A done write raises the version by one.
/// * **J2** A state is the fold of its stored facts.
/// * **J3** `commit_together` does all or nothing; a receipt that is recorded already, or twice in the call, makes it nothing.
/// * **J4** `lease` writes the begun attempt durably before it returns, takes each ready leg at most once, and refuses, in the same
///   transaction, gates that are not leasable and sessions that are not alive.
/// * **J5** `timers`, `ready` and `next_due` pass over deliveries of gates that are not leasable.
/// * **J6** `lost` returns exactly the deliveries that fly under sessions that are not alive.
/// * **J7** A receipt identity is recorded once: the second write that bears it answers *duplicate* and changes nothing.
/// * **J8** Entries are numbered from 1 without gaps, in the order of commit; they hold no name, address, text or note.
/// * **J9** `scan` returns a gate's deliveries by ordinal; a page does not depend on what is written meanwhile to other rows.
/// * **J10** Expiry of sessions is judged by the journal's clock, never by a caller's.
/// * **J11** `enter` adds rows only from the gate's cursor on: an entry that was made is not made again.
/// * **J12** `erase` does all or nothing. At each of the person's rows the stand-in stands for them; no note lies beside the entries of these
///   deliveries, and no raw receipt holds a trace. Entries, states, versions, tallies and the seal over the earlier entries stay, and a
///   receipt that is known stays known.
/// * **J13** `token_key` is the same at every call, whoever opens the record and whenever, and `Debug` does not show it: what was sent bears
///   marks of it for months.
/// * **J14** `keep` replaces what is kept of whoever stands at an ordinal, and nothing where it is another, as after an erasure. Entries,
///   states, versions, tallies and the seal stay.
#[async_trait]
pub trait Journal: fmt::Debug + Send + Sync + 'static {
    /// What the record belongs to.
    fn scope(&self) -> &Scope;

    /// The key under which tokens are signed: made with the journal, another one for each scope, never printed.
    async fn token_key(&self) -> Result<SecretBox<[u8; 32]>, JournalError>;

    /// Begins a session that lives while it is beaten more often than `ttl`.
    async fn begin(&self, ttl: Duration) -> Result<SessionNo, JournalError>;

    /// Says that the session lives; `false` if it counts as dead already, and then its holder must stop.
    async fn beat(&self, session: SessionNo) -> Result<bool, JournalError>;

    /// Ends a session.
    async fn end(&self, session: SessionNo) -> Result<(), JournalError>;

    /// Makes these gates and lanes known, if they are not.
    async fn register(&self, gates: &[GateId], lanes: &[String]) -> Result<(), JournalError>;

    /// The head and its version.
    async fn head(&self) -> Result<(u64, Head), JournalError>;

    /// All gates, by number.
    async fn gates(&self) -> Result<Vec<GateRow>, JournalError>;

    /// All lanes, by number.
    async fn lanes(&self) -> Result<Vec<LaneRow>, JournalError>;

    /// Writes facts, each write by itself.
    async fn commit(&self, writes: Vec<Write>) -> Result<Vec<Committed>, JournalError>;

    /// Writes facts, all or none; `false` if a version was not the expected one.
    async fn commit_together(&self, writes: Vec<Write>) -> Result<bool, JournalError>;

    /// Enters deliveries of a gate from its cursor on, with who stands at their ordinals, and writes the gate's facts; `false` if the gate's
    /// version was not the expected one.
    async fn enter(
        &self,
        gate: GateNo,
        expect: u64,
        facts: Facts<GateFact>,
        runs: Vec<Run>,
        who: Vec<Entrant>,
    ) -> Result<bool, JournalError>;

    /// Takes ready legs for attempts. The rows returned are as they stand after that.
    async fn lease(&self, session: SessionNo, wants: &[Want], now: Moment) -> Result<Vec<Row>, JournalError>;

    /// Deliveries of a gate whose ready leg is on this lane and due at `now`, at most `max`.
    async fn ready(&self, gate: GateNo, lane: LaneNo, now: Moment, max: usize) -> Result<Vec<Row>, JournalError>;

    /// Deliveries with a timer due at `now`, at most `max`, the earliest first.
    async fn timers(&self, now: Moment, max: usize) -> Result<Vec<Row>, JournalError>;

    /// Deliveries that fly under dead sessions, at most `max`.
    async fn lost(&self, max: usize) -> Result<Vec<Row>, JournalError>;

    /// These deliveries, in the order given, without those that there are not.
    async fn read(&self, ids: &[DeliveryId]) -> Result<Vec<Row>, JournalError>;

    /// The ordinal of a stakeholder on a gate's roll.
    async fn ordinal(&self, gate: GateNo, who: &StakeholderId) -> Result<Option<u32>, JournalError>;

    /// A gate's deliveries from an ordinal on, at most `max`.
    async fn scan(&self, gate: GateNo, from: u32, max: usize) -> Result<Vec<Row>, JournalError>;

    /// What is kept of those at a gate's ordinals from one on, at most `max` of them; without those of whom nothing is.
    async fn kept(&self, gate: GateNo, from: u32, max: usize) -> Result<Vec<(u32, Arc<str>)>, JournalError>;

    /// Keeps this of those at a gate's ordinals instead of what was kept; those who stand for nobody are passed over.
    async fn keep(&self, gate: GateNo, of: Vec<(u32, Entrant)>) -> Result<(), JournalError>;

    /// The earliest instant after `now` at which a leg becomes ready or a timer is due.
    async fn next_due(&self, now: Moment) -> Result<Option<Moment>, JournalError>;

    /// Entries after a number, at most `max`.
    async fn entries(&self, after: u64, max: usize) -> Result<Vec<Entry>, JournalError>;

    /// The entries about one thing, with what lies beside them, in their order.
    async fn history(&self, of: Subject) -> Result<Vec<(Entry, Option<Note>)>, JournalError>;

    /// The notes beside the entries of this range of numbers, by number.
    async fn notes(&self, after: u64, up_to: u64) -> Result<Vec<(u64, Note)>, JournalError>;

    /// Keeps receipts that match nothing; those known before are passed over. Returns how many were new.
    async fn keep_unmatched(&self, receipts: Vec<Unmatched>) -> Result<usize, JournalError>;

    /// The receipts that match nothing, in the order in which they came.
    async fn unmatched(&self) -> Result<Vec<Unmatched>, JournalError>;

    /// Erases a person from what lies beside the entries, and writes facts, all or nothing; `false` if a version was not the expected one.
    async fn erase(&self, erasure: Erasure, writes: Vec<Write>) -> Result<bool, JournalError>;

    /// The seal over all entries so far: the digest of the last block, which names the one before.
    async fn seal(&self) -> Result<String, JournalError>;
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: Journal + ?Sized> Journal for Arc<T> {
    fn scope(&self) -> &Scope {
        (**self).scope()
    }
    async fn token_key(&self) -> Result<SecretBox<[u8; 32]>, JournalError> {
        (**self).token_key().await
    }
    async fn begin(&self, ttl: Duration) -> Result<SessionNo, JournalError> {
        (**self).begin(ttl).await
    }
    async fn beat(&self, session: SessionNo) -> Result<bool, JournalError> {
        (**self).beat(session).await
    }
    async fn end(&self, session: SessionNo) -> Result<(), JournalError> {
        (**self).end(session).await
    }
    async fn register(&self, gates: &[GateId], lanes: &[String]) -> Result<(), JournalError> {
        (**self).register(gates, lanes).await
    }
    async fn head(&self) -> Result<(u64, Head), JournalError> {
        (**self).head().await
    }
    async fn gates(&self) -> Result<Vec<GateRow>, JournalError> {
        (**self).gates().await
    }
    async fn lanes(&self) -> Result<Vec<LaneRow>, JournalError> {
        (**self).lanes().await
    }
    async fn commit(&self, writes: Vec<Write>) -> Result<Vec<Committed>, JournalError> {
        (**self).commit(writes).await
    }
    async fn commit_together(&self, writes: Vec<Write>) -> Result<bool, JournalError> {
        (**self).commit_together(writes).await
    }
    async fn enter(
        &self,
        gate: GateNo,
        expect: u64,
        facts: Facts<GateFact>,
        runs: Vec<Run>,
        who: Vec<Entrant>,
    ) -> Result<bool, JournalError> {
        (**self).enter(gate, expect, facts, runs, who).await
    }
    async fn lease(&self, session: SessionNo, wants: &[Want], now: Moment) -> Result<Vec<Row>, JournalError> {
        (**self).lease(session, wants, now).await
    }
    async fn ready(&self, gate: GateNo, lane: LaneNo, now: Moment, max: usize) -> Result<Vec<Row>, JournalError> {
        (**self).ready(gate, lane, now, max).await
    }
    async fn timers(&self, now: Moment, max: usize) -> Result<Vec<Row>, JournalError> {
        (**self).timers(now, max).await
    }
    async fn lost(&self, max: usize) -> Result<Vec<Row>, JournalError> {
        (**self).lost(max).await
    }
    async fn read(&self, ids: &[DeliveryId]) -> Result<Vec<Row>, JournalError> {
        (**self).read(ids).await
    }
    async fn ordinal(&self, gate: GateNo, who: &StakeholderId) -> Result<Option<u32>, JournalError> {
        (**self).ordinal(gate, who).await
    }
    async fn scan(&self, gate: GateNo, from: u32, max: usize) -> Result<Vec<Row>, JournalError> {
        (**self).scan(gate, from, max).await
    }
    async fn kept(&self, gate: GateNo, from: u32, max: usize) -> Result<Vec<(u32, Arc<str>)>, JournalError> {
        (**self).kept(gate, from, max).await
    }
    async fn keep(&self, gate: GateNo, of: Vec<(u32, Entrant)>) -> Result<(), JournalError> {
        (**self).keep(gate, of).await
    }
    async fn next_due(&self, now: Moment) -> Result<Option<Moment>, JournalError> {
        (**self).next_due(now).await
    }
    async fn entries(&self, after: u64, max: usize) -> Result<Vec<Entry>, JournalError> {
        (**self).entries(after, max).await
    }
    async fn history(&self, of: Subject) -> Result<Vec<(Entry, Option<Note>)>, JournalError> {
        (**self).history(of).await
    }
    async fn notes(&self, after: u64, up_to: u64) -> Result<Vec<(u64, Note)>, JournalError> {
        (**self).notes(after, up_to).await
    }
    async fn keep_unmatched(&self, receipts: Vec<Unmatched>) -> Result<usize, JournalError> {
        (**self).keep_unmatched(receipts).await
    }
    async fn unmatched(&self) -> Result<Vec<Unmatched>, JournalError> {
        (**self).unmatched().await
    }
    async fn erase(&self, erasure: Erasure, writes: Vec<Write>) -> Result<bool, JournalError> {
        (**self).erase(erasure, writes).await
    }
    async fn seal(&self) -> Result<String, JournalError> {
        (**self).seal().await
    }
}
