//! What people must do by hand.

use super::gates::PAGE;
use super::{DispatchError, Dispatcher, Record};
use crate::id::{CommuniqueId, DeliveryId, GroupId, LaneNo, PlaceId, Role, StakeholderId};
use crate::journal::Row;
use crate::mechanism::Mechanism;
use crate::plan::Reached;
use crate::prepare::Roll;
use crate::stakeholder::Address;
use serde::Serialize;

/// Something that a person must do by hand and then attest.
#[derive(Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Task {
    /// The delivery, in the journal's numbers.
    #[serde(skip)]
    pub id: DeliveryId,
    /// The communique.
    pub communique: CommuniqueId,
    /// The gate.
    pub gate: String,
    /// The place that the gate is of, if it is of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<PlaceId>,
    /// The group.
    pub group: GroupId,
    /// To whom; `None` for something that is done once for all.
    pub person: Option<StakeholderId>,
    /// Who is to be reached in their place, where the step says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<StakeholderId>,
    /// What whoever is reached is called. Not serialized, as a list of tasks may end in a log.
    #[serde(skip)]
    pub name: Option<String>,
    /// Their address for the mechanism, such as a number to call. Not serialized either.
    #[serde(skip)]
    pub address: Option<Address>,
    /// How.
    pub mechanism: Mechanism,
    /// Who is to do it; the responsible party where nobody is named.
    pub performer: Option<Role>,
    /// What is to be said; before an embargo's end what is classified stands by its digest and length.
    pub script: String,
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task").field("gate", &self.gate).field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}

impl Dispatcher {
    /// What people must do by hand now.
    ///
    /// # Errors
    /// The journal fails; the bundle was written without what is classified.
    pub async fn tasks(&self) -> Result<Vec<Task>, DispatchError> {
        if self.prepared.is_withheld() {
            return Err(DispatchError::Withheld);
        }
        let record = Record::read(self).await?;
        let mut late = self.late().await?;
        if record.plans.iter().any(|g| self.prepared.uses_told(g)) {
            self.told(&record, &mut late).await?;
        }
        let mut tasks = Vec::new();
        for (plan, row) in record.plans.iter().zip(&record.gates) {
            if row.tally.running == 0 || !row.state.leasable() {
                continue;
            }
            let roll = record.roll(self, plan);
            let mut from = 0;
            loop {
                let page = self.journal.scan(row.no, from, PAGE).await?;
                let Some(last) = page.last() else { break };
                from = last.id.ordinal + 1;
                for delivery in page.into_iter().filter(|d| d.state.end.is_none()) {
                    for (leg, n) in delivery.state.legs.iter().zip(0u8..).filter(|(leg, _)| leg.is_task()) {
                        let by_hand = self.by_hand(&record, roll, &delivery, leg.step, leg.lane);
                        let Some((path, mechanism, performer)) = by_hand else { continue };
                        let person = self.seat(roll, &delivery).map(|(number, _)| number);
                        let reached = self.in_their_place(roll, &delivery, n);
                        let own = person.and_then(|number| self.people_of(roll).at(number)).map(Reached::Person);
                        let contact = reached.as_ref().or(own.as_ref());
                        tasks.push(Task {
                            id: delivery.id,
                            communique: plan.id.communique.clone(),
                            gate: plan.id.to_string(),
                            place: plan.id.place.clone(),
                            group: path.group.clone(),
                            person: delivery.who.clone(),
                            name: contact.and_then(|who| Some(who.name()?.to_owned())),
                            address: contact.and_then(|who| Address::new(who.address(&mechanism)?).ok()),
                            to: reached.as_ref().and_then(|reached| StakeholderId::new(reached.id()).ok()),
                            script: self.script(plan, path, (roll, person), (&mechanism, &record), &late),
                            mechanism,
                            performer,
                        });
                    }
                }
            }
        }
        Ok(tasks)
    }

    /// The words of the step that a person performs, if one does: members who share a post wait for the post's performer.
    fn by_hand<'a>(
        &self,
        record: &Record,
        roll: &'a Roll,
        row: &Row,
        step: u8,
        lane: LaneNo,
    ) -> Option<(&'a crate::prepare::PathPlan, Mechanism, Option<Role>)> {
        let (path, mechanism, performer) = match roll.posts().get(row.id.ordinal as usize).filter(|_| row.who.is_none())
        {
            Some(post) => {
                let path = roll.path(post.path)?;
                let performer = path.steps.iter().find(|s| s.mechanism == post.mechanism)?.performer.clone();
                (path, post.mechanism.clone(), performer)
            }
            None => {
                let path = self.path_of(roll, row)?;
                let step = path.steps.get(usize::from(step)).filter(|s| s.post.is_none())?;
                (path, step.mechanism.clone(), step.performer.clone())
            }
        };
        let by_hand = self.prepared.carriers().get(&mechanism)?.capabilities.by_hand;
        let known = record.lanes.iter().any(|l| l.no == lane);
        (by_hand && known).then_some((path, mechanism, performer))
    }

    fn script(
        &self,
        plan: &crate::prepare::GatePlan,
        path: &crate::prepare::PathPlan,
        (roll, person): (&Roll, Option<u32>),
        (mechanism, record): (&Mechanism, &Record),
        late: &crate::prepare::Late,
    ) -> String {
        let who = person.and_then(|number| self.people_of(roll).at(number));
        let Ok(rendered) = self.prepared.render_for(plan, path, who, late) else { return String::new() };
        let Some(binding) = self.channels.get(mechanism) else { return String::new() };
        match binding.channel.prepare(&rendered.into_wording(self.prepared.about(plan, path))) {
            Ok(prepared) if self.withholds(plan, &record.head) => prepared.withheld().part("script").to_owned(),
            Ok(prepared) => prepared.part("script").to_owned(),
            Err(_) => String::new(),
        }
    }
}
