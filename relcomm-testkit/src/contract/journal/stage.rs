//! What the clauses share: a record with opened gates, and short words for what is done with them.

use super::Trial;
use crate::clock::ManualClock;
use relcomm_core::clock::{Clock, Moment};
use relcomm_core::course::{
    Delivery, DeliveryFact, DeliveryInput, Facts, Finish, GateFact, HeadFact, Path, PathStep, SessionNo,
};
use relcomm_core::id::{CommuniqueId, DeliveryId, GateId, GateNo, LaneNo, StakeholderId};
use relcomm_core::journal::{Change, Committed, Entrant, GateRow, Journal, JournalError, Row, Run, Want, Write};
use relcomm_core::mechanism::Deduplication;
use relcomm_core::receipt::Assurance;
use std::sync::Arc;
use std::time::Duration;

pub(super) const NOON: Moment = Moment::from_millis(1_800_000_000_000);
pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const EMAIL: LaneNo = LaneNo(0);
pub(super) const PAGER: LaneNo = LaneNo(1);

/// What a journal that works answers.
#[track_caller]
pub(super) fn good<T>(answer: Result<T, JournalError>) -> T {
    answer.unwrap_or_else(|error| panic!("the journal failed: {error} ({:?})", error.kind))
}

pub(super) fn facts<F>(all: impl IntoIterator<Item = F>) -> Facts<F> {
    all.into_iter().collect()
}

pub(super) fn gate_id(name: &str) -> GateId {
    let communique = CommuniqueId::new(name).unwrap_or_else(|error| panic!("{error}"));
    GateId { communique, occurrence: None, revision: 1, place: None }
}

pub(super) fn person(gate: GateNo, ordinal: u32) -> StakeholderId {
    StakeholderId::new(format!("person-{}-{ordinal}", gate.0)).unwrap_or_else(|error| panic!("{error}"))
}

/// Email first; the pager unless it is acknowledged within ten minutes.
pub(super) fn path() -> Path {
    let pager = PathStep::new(PAGER, Deduplication::ByKey).unless(Assurance::Acknowledged, MINUTE * 10);
    Path::new(Assurance::Accepted, vec![PathStep::new(EMAIL, Deduplication::None), pager])
}

/// The pager first; email unless it is acknowledged within ten minutes.
pub(super) fn paging_first() -> Path {
    let email = PathStep::new(EMAIL, Deduplication::None).unless(Assurance::Acknowledged, MINUTE * 10);
    Path::new(Assurance::Accepted, vec![PathStep::new(PAGER, Deduplication::ByKey), email])
}

pub(super) fn delivery(id: DeliveryId, expect: u64, all: impl IntoIterator<Item = DeliveryFact>) -> Write {
    Write::new(Change::Delivery(id, facts(all)), expect)
}

pub(super) fn noted(row: &Row) -> Write {
    delivery(row.id, row.version, [DeliveryFact::Noted { leg: 0 }])
}

pub(super) fn on_gate(gate: &GateRow, all: impl IntoIterator<Item = GateFact>) -> Write {
    Write::new(Change::Gate(gate.no, facts(all)), gate.version)
}

pub(super) fn hold_all(expect: u64, held: bool) -> Write {
    Write::new(Change::Head(vec![HeadFact::Held { communique: None, held }]), expect)
}

/// A record with two lanes, a clock that is set by hand, and gates as they are asked for.
pub(super) struct Stage {
    pub(super) clock: ManualClock,
    pub(super) trial: Trial,
}

impl Stage {
    pub(super) async fn new<F, T>(make: F) -> Self
    where
        F: Fn(Arc<dyn Clock>) -> T,
        T: Future<Output = Trial>,
    {
        let clock = ManualClock::starting_at(NOON);
        let trial = make(Arc::new(clock.clone())).await;
        good(trial.journal().register(&[], &["email".to_owned(), "pager".to_owned()]).await);
        Self { clock, trial }
    }

    pub(super) fn journal(&self) -> &dyn Journal {
        self.trial.journal()
    }

    /// An opened gate with so many deliveries, ready now on the email lane.
    pub(super) async fn gate(&self, name: &str, count: u32) -> GateNo {
        self.gate_of(name, vec![Run::new(count, 0, EMAIL, self.clock.now(), None)]).await
    }

    /// An opened gate with these deliveries.
    pub(super) async fn gate_of(&self, name: &str, runs: Vec<Run>) -> GateNo {
        let no = self.opening(name).await;
        let count = runs.iter().filter(|r| !r.further).map(|r| r.count).sum();
        let who = (0..count).map(|n| Entrant::new(Some(person(no, n)))).collect();
        let version = self.gate_row(no).await.version;
        let rolled = facts([GateFact::Rolled { to: count, last: true }]);
        assert!(good(self.journal().enter(no, version, rolled, runs, who).await), "deliveries are entered");
        no
    }

    /// A gate that has opened and has no deliveries yet.
    pub(super) async fn opening(&self, name: &str) -> GateNo {
        let id = gate_id(name);
        good(self.journal().register(std::slice::from_ref(&id), &[]).await);
        let row = good(self.journal().gates().await).into_iter().find(|g| g.id == id);
        let row = row.unwrap_or_else(|| panic!("a registered gate is among the gates"));
        let opened = GateFact::Opened { at: self.clock.now(), stands_on: None };
        self.done(vec![on_gate(&row, [GateFact::Approved(true), opened])]).await;
        row.no
    }

    pub(super) async fn gate_row(&self, no: GateNo) -> GateRow {
        let found = good(self.journal().gates().await).into_iter().find(|g| g.no == no);
        found.unwrap_or_else(|| panic!("gate {} is among the gates", no.0))
    }

    pub(super) async fn on_gate(&self, no: GateNo, fact: GateFact) {
        let row = self.gate_row(no).await;
        self.done(vec![on_gate(&row, [fact])]).await;
    }

    pub(super) async fn row(&self, id: DeliveryId) -> Row {
        let found = good(self.journal().read(&[id]).await).pop();
        found.unwrap_or_else(|| panic!("delivery {id} is there"))
    }

    pub(super) async fn rows(&self, no: GateNo) -> Vec<Row> {
        good(self.journal().scan(no, 0, usize::MAX).await)
    }

    /// Commits what must succeed.
    pub(super) async fn done(&self, writes: Vec<Write>) {
        let all = good(self.journal().commit(writes).await);
        assert!(all.iter().all(|c| matches!(c, Committed::Done(_))), "every write is done: {all:?}");
    }

    pub(super) async fn session(&self) -> SessionNo {
        good(self.journal().begin(MINUTE).await)
    }

    pub(super) async fn lease(&self, session: SessionNo, gate: GateNo, max: u32) -> Vec<Row> {
        good(self.journal().lease(session, &[Want::new(gate, EMAIL, max)], self.clock.now()).await)
    }

    /// Takes an input to the delivery as it stands in `row`.
    pub(super) fn decide(&self, row: &Row, input: &DeliveryInput) -> Write {
        delivery(row.id, row.version, row.state.decide(&path(), input, self.clock.now()))
    }

    pub(super) fn finish(&self, row: &Row, finish: Finish) -> Write {
        let (leg, session) = row.state.flying().unwrap_or_else(|| panic!("delivery {} flies", row.id));
        self.decide(row, &DeliveryInput::Finish { leg, session, finish })
    }

    pub(super) async fn entry_count(&self) -> usize {
        good(self.journal().entries(0, usize::MAX).await).len()
    }

    /// Everything that a record shows, for comparing before and after.
    pub(super) async fn picture(&self) -> Picture {
        let journal = self.journal();
        let gates = good(journal.gates().await);
        let mut rows = Vec::new();
        for gate in &gates {
            rows.extend(good(journal.scan(gate.no, 0, usize::MAX).await));
        }
        let entries = good(journal.entries(0, usize::MAX).await);
        Picture {
            head: good(journal.head().await),
            lanes: good(journal.lanes().await)
                .into_iter()
                .map(|l| (l.name, l.version, format!("{:?}", l.state)))
                .collect(),
            gates,
            rows,
            notes: good(journal.notes(0, entries.len() as u64 + 1).await).len(),
            entries: entries.len(),
            unmatched: good(journal.unmatched().await).len(),
            seal: good(journal.seal().await),
        }
    }
}

#[derive(Debug, PartialEq)]
pub(super) struct Picture {
    pub(super) head: (u64, relcomm_core::course::Head),
    lanes: Vec<(String, u64, String)>,
    pub(super) gates: Vec<GateRow>,
    pub(super) rows: Vec<Row>,
    notes: usize,
    entries: usize,
    unmatched: usize,
    seal: String,
}

pub(super) fn ordinals(rows: &[Row]) -> Vec<u32> {
    rows.iter().map(|row| row.id.ordinal).collect()
}

pub(super) fn is_flying(state: &Delivery, session: SessionNo) -> bool {
    state.flying().is_some_and(|(_, by)| by == session)
}
