//! The late values, gathered from the record.

use super::{DispatchError, Dispatcher, Record};
use crate::course::{DeliveryFact, HeadFact};
use crate::id::{GateNo, GroupId};
use crate::journal::{Fact, Row, Subject};
use crate::prepare::{Late, PlaceLate, Roll, Told};
use crate::receipt::Assurance;

const PAGE: usize = 256;
const FEW: usize = 8;

impl Dispatcher {
    /// What was declared, place by place, with who said so.
    pub(crate) async fn late(&self) -> Result<Late, DispatchError> {
        let mut late = Late::default();
        for (entry, note) in self.journal.history(Subject::Head).await? {
            let Fact::Head(fact) = entry.fact else { continue };
            if let HeadFact::Slipped(slip) = *fact {
                late.planned = Some(slip.planned);
            } else if let HeadFact::Declared { place, outcome, at } = *fact {
                let note = note.unwrap_or_default();
                let record = PlaceLate::new(
                    outcome,
                    at,
                    note.by.as_deref().unwrap_or_default(),
                    note.text.as_deref().unwrap_or_default(),
                );
                late.places.insert(place, record);
            }
        }
        Ok(late)
    }

    /// What became of the communiques that are out, group by group: of each the first post with an address of its own.
    pub(crate) async fn told(&self, record: &Record, late: &mut Late) -> Result<(), DispatchError> {
        for (plan, row) in record.plans.iter().zip(&record.gates).filter(|(_, row)| row.state.is_out()) {
            let roll = record.roll(self, plan);
            for group in &self.prepared.communique(plan).to {
                let Some(told) = self.told_of_group(record, (row.no, roll), group).await? else { continue };
                let key = (plan.id.communique.to_string(), group.to_string());
                if let Some(place) = &plan.id.place {
                    late.told_in.entry(place.clone()).or_default().insert(key.clone(), told.clone());
                }
                let known = late.told.entry(key).or_insert_with(|| told.clone());
                if known.url.is_empty() {
                    *known = told;
                }
            }
        }
        Ok(())
    }

    /// The first post with an address of its own among the group's first deliveries; else the first delivery that was taken over.
    async fn told_of_group(
        &self,
        record: &Record,
        (gate, roll): (GateNo, &Roll),
        group: &GroupId,
    ) -> Result<Option<Told>, DispatchError> {
        let members = self.numbers_in(roll, group);
        let posts = self.posts_of(roll, &members);
        let mut found: Option<Told> = None;
        let (mut from, mut asked) = (0, 0);
        loop {
            let page = self.journal.scan(gate, from, PAGE).await?;
            let Some(last) = page.last() else { return Ok(found) };
            from = last.id.ordinal + 1;
            for delivery in page {
                let post = roll.post(delivery.id.ordinal).filter(|_| delivery.who.is_none());
                let member = self.seat(roll, &delivery).filter(|_| post.is_none());
                let of_group = match post {
                    Some(_) => posts.contains(&delivery.id.ordinal),
                    None => member.is_some_and(|(n, _)| members.contains(&n)),
                };
                if !of_group || delivery.state.best() < Some(Assurance::Accepted) {
                    continue;
                }
                if let Some(told) = self.told_of(record, &delivery).await? {
                    let has_address = !told.url.is_empty();
                    if has_address || found.is_none() {
                        found = Some(told);
                    }
                    asked += 1;
                    // Whoever is told one by one has no common address: the first few tell enough.
                    if has_address || asked == FEW {
                        return Ok(found);
                    }
                }
            }
        }
    }

    async fn told_of(&self, record: &Record, row: &Row) -> Result<Option<Told>, DispatchError> {
        for (entry, note) in self.journal.history(Subject::Delivery(row.id)).await? {
            if let Fact::Delivery(DeliveryFact::Accepted { leg, .. }) = entry.fact {
                let via = record.mechanism_of(row, leg).map(|mechanism| mechanism.to_string()).unwrap_or_default();
                let url = note.and_then(|n| n.url).unwrap_or_default();
                return Ok(Some(Told::new(&url, entry.at, &via)));
            }
        }
        Ok(None)
    }
}
