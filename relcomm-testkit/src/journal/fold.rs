//! The record computed anew from nothing but the stored bytes of its entries.

use relcomm_core::course::{Delivery, Gate, Head, Lane};
use relcomm_core::id::{DeliveryId, GateNo, LaneNo};
use relcomm_core::journal::{Entry, Fact, Journal, JournalError, Subject, Tally};
use std::collections::BTreeMap;

/// Asserts that what the journal says is the fold of its entries as they are stored, numbered without gaps, and that none of these words
/// stands in them.
///
/// # Panics
/// If it is not, or the journal fails.
pub async fn assert_is_the_fold(journal: &dyn Journal, hidden: &[&str]) {
    let entries = read(journal.entries(0, usize::MAX).await);
    for (entry, number) in entries.iter().zip(1..) {
        assert_eq!(entry.seq, number, "entries are numbered without gaps");
        let stored = serde_json::to_string(entry).unwrap_or_default();
        assert!(!hidden.iter().any(|word| stored.contains(word)), "an entry holds what is to be hidden: {stored}");
    }
    let folded = Folded::new(&entries);
    assert_eq!(read(journal.head().await).1, folded.head);
    for row in read(journal.lanes().await) {
        assert_eq!(row.state, folded.lanes.get(&row.no).copied().unwrap_or_default(), "lane {}", row.name);
    }
    let mut count = 0;
    for gate in read(journal.gates().await) {
        assert_eq!(gate.state, folded.gates.get(&gate.no).cloned().unwrap_or_default(), "gate {}", gate.id);
        assert_eq!(gate.tally, folded.tally(gate.no), "the tally of {} is a recount", gate.id);
        for row in read(journal.scan(gate.no, 0, usize::MAX).await) {
            assert_eq!(Some(&row.state), folded.deliveries.get(&row.id), "delivery {}", row.id);
            count += 1;
        }
    }
    assert_eq!(count, folded.deliveries.len(), "every delivery that was entered is there");
}

#[track_caller]
fn read<T>(answer: Result<T, JournalError>) -> T {
    answer.unwrap_or_else(|error| panic!("the journal failed: {error} ({:?})", error.kind))
}

#[derive(Debug, Default)]
struct Folded {
    head: Head,
    gates: BTreeMap<GateNo, Gate>,
    lanes: BTreeMap<LaneNo, Lane>,
    deliveries: BTreeMap<DeliveryId, Delivery>,
}

impl Folded {
    /// Folds entries after they went through bytes and back.
    fn new(entries: &[Entry]) -> Self {
        let bytes = serde_json::to_vec(entries).unwrap_or_else(|error| panic!("entries are JSON: {error}"));
        let entries: Vec<Entry> =
            serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("stored entries are read: {error}"));
        let mut all = Self::default();
        for entry in entries {
            all.take(&entry);
        }
        all
    }

    fn take(&mut self, entry: &Entry) {
        match (entry.subject, &entry.fact) {
            (Subject::Head, Fact::Head(fact)) => self.head.apply(fact),
            (Subject::Gate(no), Fact::Gate(fact)) => self.gates.entry(no).or_default().apply(fact),
            (Subject::Lane(no), Fact::Lane(fact)) => self.lanes.entry(no).or_default().apply(fact),
            (Subject::Delivery(id), Fact::Delivery(fact)) => {
                let state = self.deliveries.get_mut(&id);
                state.unwrap_or_else(|| panic!("delivery {id} was entered before it changed")).apply(fact);
            }
            (Subject::Gate(gate), Fact::Entered { from, runs }) => {
                let each = runs.iter().flat_map(|run| (0..run.count).map(|_| run.delivery()));
                for (delivery, ordinal) in each.zip(*from..) {
                    let before = self.deliveries.insert(DeliveryId { gate, ordinal }, delivery);
                    assert!(before.is_none(), "ordinal {ordinal} is entered once");
                }
            }
            (subject, fact) => panic!("a fact stands with its subject: {subject:?} {fact:?}"),
        }
    }

    /// The tally of a gate, counted one by one.
    fn tally(&self, gate: GateNo) -> Tally {
        let mut tally = Tally::default();
        for (_, state) in self.deliveries.iter().filter(|(id, _)| id.gate == gate) {
            tally.add(state);
        }
        tally
    }
}
