//! The record computed anew from nothing but the stored bytes of its entries.

use relcomm_core::course::{Delivery, Gate, Head, Lane};
use relcomm_core::id::{DeliveryId, GateNo, LaneNo};
use relcomm_core::journal::{Entry, Fact, Subject, Tally};
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(super) struct Folded {
    pub(super) head: Head,
    pub(super) gates: BTreeMap<GateNo, Gate>,
    pub(super) lanes: BTreeMap<LaneNo, Lane>,
    pub(super) deliveries: BTreeMap<DeliveryId, Delivery>,
}

impl Folded {
    /// Folds entries after they went through bytes and back.
    pub(super) fn new(entries: &[Entry]) -> Self {
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
    pub(super) fn tally(&self, gate: GateNo) -> Tally {
        let mut tally = Tally::default();
        for (_, state) in self.deliveries.iter().filter(|(id, _)| id.gate == gate) {
            tally.add(state);
        }
        tally
    }
}
