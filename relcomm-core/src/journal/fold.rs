//! What the entries of a record come to, and whether that is what the record says.

use super::{Entry, Fact, Journal, JournalError, Run, Subject, Tally};
use crate::course::{Delivery, Gate, Head, Lane};
use crate::id::{DeliveryId, GateNo, LaneNo};
use std::collections::BTreeMap;

/// How many rows are read at a time.
const PAGE: usize = 4096;

/// The states that entries come to: for audits, and for those who test journals.
///
/// ```
/// # use relcomm_core::journal::{Folded, Journal, JournalError};
/// # async fn audit(journal: &dyn Journal) -> Result<(), JournalError> {
/// let mut folded = Folded::default();
/// journal.entries(0, usize::MAX).await?.iter().for_each(|entry| folded.take(entry));
/// assert_eq!(folded.differs(journal).await?, None);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct Folded {
    entries: u64,
    head: Head,
    gates: BTreeMap<GateNo, Gate>,
    lanes: BTreeMap<LaneNo, Lane>,
    deliveries: BTreeMap<DeliveryId, Delivery>,
    /// The first entry that no record can have.
    odd: Option<String>,
}

impl Folded {
    /// Takes the next entry.
    pub fn take(&mut self, entry: &Entry) {
        self.entries += 1;
        let fits = entry.seq == self.entries && self.apply(entry);
        if !fits && self.odd.is_none() {
            self.odd = Some(format!("entry {}", entry.seq));
        }
    }

    /// `false` if it does not belong behind those before it.
    fn apply(&mut self, entry: &Entry) -> bool {
        match (entry.subject, &entry.fact) {
            (Subject::Head, Fact::Head(fact)) => self.head.apply(fact),
            (Subject::Gate(no), Fact::Gate(fact)) => self.gates.entry(no).or_default().apply(fact),
            (Subject::Lane(no), Fact::Lane(fact)) => self.lanes.entry(no).or_default().apply(fact),
            (Subject::Delivery(id), Fact::Delivery(fact)) => match self.deliveries.get_mut(&id) {
                Some(delivery) => delivery.apply(fact),
                None => return false,
            },
            (Subject::Gate(gate), Fact::Entered { from, runs }) => {
                let each = Run::deliveries(runs).flat_map(|(count, state)| (0..count).map(move |_| state.clone()));
                let mut numbered = (*from..).zip(each).map(|(ordinal, state)| (DeliveryId { gate, ordinal }, state));
                return numbered.all(|(id, state)| self.deliveries.insert(id, state).is_none());
            }
            _ => return false,
        }
        true
    }

    /// The first thing of a journal that is not what the entries come to, in a phrase; `None` if all is.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub async fn differs(mut self, journal: &dyn Journal) -> Result<Option<String>, JournalError> {
        if self.odd.is_some() {
            return Ok(self.odd);
        }
        if journal.head().await?.1 != self.head {
            return Ok(Some("the head".to_owned()));
        }
        for lane in journal.lanes().await? {
            if self.lanes.remove(&lane.no).unwrap_or_default() != lane.state {
                return Ok(Some(format!("the lane {}", lane.name)));
            }
        }
        for gate in journal.gates().await? {
            if self.gates.remove(&gate.no).unwrap_or_default() != gate.state {
                return Ok(Some(format!("the gate {}", gate.id)));
            }
            let (mut tally, mut from) = (Tally::default(), 0);
            loop {
                let page = journal.scan(gate.no, from, PAGE).await?;
                let Some(last) = page.last() else { break };
                from = last.id.ordinal + 1;
                for row in &page {
                    if self.deliveries.remove(&row.id).as_ref() != Some(&row.state) {
                        return Ok(Some(format!("delivery {} of {}", row.id.ordinal, gate.id)));
                    }
                    tally.add(&row.state);
                }
            }
            if tally != gate.tally {
                return Ok(Some(format!("the tally of {}", gate.id)));
            }
        }
        let gone = [
            self.lanes.keys().next().map(|no| format!("lane {}, which is gone,", no.0)),
            self.gates.keys().next().map(|no| format!("gate {}, which is gone,", no.0)),
            self.deliveries.keys().next().map(|id| format!("delivery {id}, which is gone,")),
        ];
        Ok(gone.into_iter().flatten().next())
    }
}
