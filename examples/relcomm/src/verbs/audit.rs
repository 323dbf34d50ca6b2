//! `audit`: whether the record is intact.

use super::answer;
use super::desk::Bench;
use crate::arguments::Common;
use crate::{Exit, Failure};
use relcomm_core::course::{Delivery, Gate, Head, Lane};
use relcomm_core::id::{DeliveryId, GateNo, LaneNo};
use relcomm_core::journal::{Entry, Fact, Journal, SqliteJournal, Subject};
use serde_json::json;
use std::collections::BTreeMap;

const PAGE: usize = 4096;

/// The seal holds over all entries, the states are what the entries come to, and the head is the one that was printed before.
pub(super) async fn audit(common: &Common, head: Option<&str>) -> Result<Exit, Failure> {
    let journal = Bench::open(common).await?.journal(common)?;
    let sealed = journal.verify_seal().await?;
    if let Some(head) = head
        && !sealed.seal.eq_ignore_ascii_case(head)
    {
        // A record that has only grown since then has the old head within it, and that cannot be told from here.
        return Err(Failure::Tool(format!("the head of the journal is {}, another than the one given", sealed.seal)));
    }
    if let Some(differs) = Folded::of(&journal).await?.differs(&journal).await? {
        return Err(Failure::Tool(format!("the record is not intact: {differs} is not what its entries come to")));
    }
    let line = format!("intact: {} entries in {} blocks, head {}", sealed.entries, sealed.blocks, sealed.seal);
    let value = json!({ "intact": true, "entries": sealed.entries, "blocks": sealed.blocks, "head": sealed.seal });
    answer(common.format, &line, &value);
    Ok(Exit::Done)
}

/// The states that the entries come to.
#[derive(Default)]
struct Folded {
    head: Head,
    gates: BTreeMap<GateNo, Gate>,
    lanes: BTreeMap<LaneNo, Lane>,
    deliveries: BTreeMap<DeliveryId, Delivery>,
}

impl Folded {
    async fn of(journal: &SqliteJournal) -> Result<Self, Failure> {
        let (mut folded, mut after) = (Self::default(), 0);
        loop {
            let page = journal.entries(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(folded) };
            after = last.seq;
            page.iter().for_each(|entry| folded.take(entry));
        }
    }

    fn take(&mut self, entry: &Entry) {
        match (entry.subject, &entry.fact) {
            (Subject::Head, Fact::Head(fact)) => self.head.apply(fact),
            (Subject::Gate(no), Fact::Gate(fact)) => self.gates.entry(no).or_default().apply(fact),
            (Subject::Lane(no), Fact::Lane(fact)) => self.lanes.entry(no).or_default().apply(fact),
            (Subject::Delivery(id), Fact::Delivery(fact)) => {
                if let Some(delivery) = self.deliveries.get_mut(&id) {
                    delivery.apply(fact);
                }
            }
            (Subject::Gate(gate), Fact::Entered { from, runs }) => {
                let each = runs.iter().flat_map(|run| (0..run.count).map(|_| run.delivery()));
                let numbered = (*from..).zip(each).map(|(ordinal, state)| (DeliveryId { gate, ordinal }, state));
                self.deliveries.extend(numbered);
            }
            _ => {}
        }
    }

    /// The first thing of the journal that is in another state.
    async fn differs(mut self, journal: &SqliteJournal) -> Result<Option<String>, Failure> {
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
            let mut from = 0;
            loop {
                let page = journal.scan(gate.no, from, PAGE).await?;
                let Some(last) = page.last() else { break };
                from = last.id.ordinal + 1;
                for row in &page {
                    if self.deliveries.remove(&row.id).as_ref() != Some(&row.state) {
                        return Ok(Some(format!("delivery {} of {}", row.id.ordinal, gate.id)));
                    }
                }
            }
        }
        Ok(self.deliveries.keys().next().map(|id| format!("delivery {id}, which is gone,")))
    }
}
