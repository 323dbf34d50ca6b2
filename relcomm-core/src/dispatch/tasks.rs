//! What people must do by hand.

use super::gates::PAGE;
use super::{DispatchError, Dispatcher, Record};
use crate::course::Leg;
use crate::id::{CommuniqueId, DeliveryId, GroupId, PlaceId, Role, StakeholderId};
use crate::journal::Row;
use crate::mechanism::Mechanism;
use crate::plan::Reached;
use crate::prepare::{GatePlan, Late, PathPlan, Roll, StepPlan};
use crate::receipt::Assurance;
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
    /// The group. What is done once for several is a task for each, until somebody says of one of its members, or of all, that it was done.
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

/// A group's share in what is done by hand once for all.
struct Share<'a> {
    /// The ordinal of the post.
    post: u32,
    step: (&'a PathPlan, &'a StepPlan),
    /// Whether the post itself, or what it is for some of the group, waits for a person's word.
    is_open: bool,
    /// Whether somebody has said of one of the group that it reached them.
    is_told: bool,
}

impl Share<'_> {
    fn is_of(&self, post: u32, group: &GroupId) -> bool {
        self.post == post && &self.step.0.group == group
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
            if row.tally.running == 0 || !self.as_said(&record, plan, row).leasable() {
                continue;
            }
            let roll = record.roll(self, plan);
            let first = tasks.len();
            let mut shared = self.shared(roll);
            let mut from = 0;
            loop {
                let page = self.journal.scan(row.no, from, PAGE).await?;
                let Some(last) = page.last() else { break };
                from = last.id.ordinal + 1;
                for delivery in page {
                    self.share(&record, roll, &delivery, &mut shared);
                    for (leg, n) in delivery.state.legs.iter().zip(0u8..).filter(|(leg, _)| leg.is_task()) {
                        let Some(step) = self.by_hand(&record, roll, &delivery, leg) else { continue };
                        let own = self.seat(roll, &delivery).map(|(number, _)| number);
                        let reached = self.in_their_place(&record, roll, &delivery, n);
                        let mut task = self.task(plan, roll, (delivery.id, own), step, (&record, &late));
                        let person = own.and_then(|number| self.people_of(roll).at(number)).map(Reached::Person);
                        let contact = reached.as_ref().or(person.as_ref());
                        task.person.clone_from(&delivery.who);
                        task.name = contact.and_then(|who| Some(who.name()?.to_owned()));
                        task.address = contact.and_then(|who| Address::new(who.address(&task.mechanism)?).ok());
                        task.to = reached.as_ref().and_then(|reached| StakeholderId::new(reached.id()).ok());
                        tasks.push(task);
                    }
                }
            }
            let posts = shared.into_iter().filter(|share| share.is_open && !share.is_told);
            let posts = posts.map(|Share { post: ordinal, step, .. }| {
                self.task(plan, roll, (DeliveryId { gate: row.no, ordinal }, None), step, (&record, &late))
            });
            let posts: Vec<Task> = posts.collect();
            tasks.splice(first..first, posts);
        }
        Ok(tasks)
    }

    /// The groups that share what is done by hand once for all: post by post, in the order of the communique's groups.
    fn shared<'a>(&self, roll: &'a Roll) -> Vec<Share<'a>> {
        let mut shared: Vec<Share<'a>> = Vec::new();
        for path in roll.paths() {
            for step in path.steps.iter().filter(|step| self.prepared.is_by_hand(&step.mechanism)) {
                let Some(post) = step.post else { continue };
                if !shared.iter().any(|share| share.is_of(post, &path.group)) {
                    shared.push(Share { post, step: (path, step), is_open: false, is_told: false });
                }
            }
        }
        shared.sort_by_key(|share| share.post);
        shared
    }

    /// What a row says of what is done once for all: that of the post that it is open, that of a member how it stands for their group.
    fn share(&self, record: &Record, roll: &Roll, row: &Row, shared: &mut [Share<'_>]) {
        if shared.is_empty() {
            return;
        }
        let is_open = |leg: &Leg| leg.is_task() && row.state.end.is_none();
        match self.path_of(roll, row) {
            None if row.who.is_none() && row.state.legs.iter().any(is_open) => {
                let of_it = shared.iter_mut().filter(|share| share.post == row.id.ordinal);
                of_it.for_each(|share| share.is_open = true);
            }
            None => {}
            Some(path) => {
                for leg in &row.state.legs {
                    let post = record.step_of(path, &row.state, leg).and_then(|step| path.steps.get(step)?.post);
                    let of_it = |share: &&mut Share<'_>| post.is_some_and(|post| share.is_of(post, &path.group));
                    if let Some(share) = shared.iter_mut().find(of_it) {
                        share.is_open |= is_open(leg);
                        share.is_told |= leg.sure >= Some(Assurance::Accepted) && !leg.failed;
                    }
                }
            }
        }
    }

    fn task(
        &self,
        plan: &GatePlan,
        roll: &Roll,
        (id, person): (DeliveryId, Option<u32>),
        (path, step): (&PathPlan, &StepPlan),
        (record, late): (&Record, &Late),
    ) -> Task {
        Task {
            id,
            communique: plan.id.communique.clone(),
            gate: plan.id.to_string(),
            place: plan.id.place.clone(),
            group: path.group.clone(),
            person: None,
            to: None,
            name: None,
            address: None,
            mechanism: step.mechanism.clone(),
            performer: step.performer.clone(),
            script: self.script(plan, path, (roll, person), (&step.mechanism, record), late),
        }
    }

    /// The step that a person performs, if one does; members who share a post wait for the post's performer.
    fn by_hand<'a>(
        &self,
        record: &Record,
        roll: &'a Roll,
        row: &Row,
        leg: &Leg,
    ) -> Option<(&'a PathPlan, &'a StepPlan)> {
        let path = self.path_of(roll, row).filter(|_| row.state.end.is_none())?;
        let step = path.steps.get(record.step_of(path, &row.state, leg)?).filter(|step| step.post.is_none())?;
        let is_known = record.lanes.iter().any(|lane| lane.no == leg.lane);
        (is_known && self.prepared.is_by_hand(&step.mechanism)).then_some((path, step))
    }

    fn script(
        &self,
        plan: &GatePlan,
        path: &PathPlan,
        (roll, person): (&Roll, Option<u32>),
        (mechanism, record): (&Mechanism, &Record),
        late: &Late,
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
