//! Until when somebody has to be informed, and who was too late.

use super::build::{Builder, PAGE};
use super::{Class, DeliveryReport};
use crate::clock::Moment;
use crate::communique::{Anchor, State};
use crate::dispatch::DispatchError;
use crate::id::{CommuniqueId, DeliveryId, GroupId};
use crate::journal::GateRow;
use crate::prepare::{GatePlan, PathPlan};
use std::collections::BTreeMap;

/// By the place of a gate, and the group for which its deadline differs.
pub(super) type Anchors = BTreeMap<(usize, Option<GroupId>), Moment>;

impl Builder<'_> {
    /// When other communiques reached what the deadlines of each gate are relative to.
    pub(super) async fn deadline_anchors(&self) -> Result<Anchors, DispatchError> {
        let prepared = self.on.prepared();
        let mut anchors = Anchors::new();
        for gate in self.record.plans.iter() {
            let variants = prepared.communique(gate).variants.keys().cloned().map(Some);
            for variant in variants.chain([None]) {
                let timing = gate.deadline_timing(prepared.plan(), variant.as_ref());
                let Some(Anchor::Reached(on, state)) = timing.map(|timing| &timing.anchor) else { continue };
                if let Some(at) = self.reached(gate, on, *state).await? {
                    anchors.insert((gate.index, variant), at);
                }
            }
        }
        Ok(anchors)
    }

    /// When everybody whom a communique told had reached a state, as far as it concerns a gate; `None` while somebody has not.
    async fn reached(&self, gate: &GatePlan, on: &CommuniqueId, state: State) -> Result<Option<Moment>, DispatchError> {
        let (joined, _) = gate.joined(self.on.prepared().gates(), on, true);
        let mut last = None;
        for index in joined {
            let (Some(plan), Some(row)) = (self.record.plans.get(index), self.record.gates.get(index)) else {
                continue;
            };
            let roll = self.record.roll(self.on, plan);
            let mut from = 0;
            loop {
                let page = self.on.journal().scan(row.no, from, PAGE).await?;
                let Some(end) = page.last() else { break };
                from = end.id.ordinal + 1;
                for delivery in page.iter().filter(|delivery| delivery.who.is_some()) {
                    let Some(path) = self.on.path_of(roll, delivery) else { continue };
                    let story = self.stories.get(&delivery.id);
                    let proved = |least| story.and_then(|story| story.proved.range(least..).map(|(_, at)| *at).min());
                    let at = match state {
                        State::Reached(assurance) => proved(assurance),
                        State::Informed => proved(path.informed_when),
                        State::Settled | State::Drained => {
                            proved(path.informed_when).or(story.and_then(|story| story.ended))
                        }
                    };
                    let Some(at) = at else { return Ok(None) };
                    last = last.max(Some(at));
                }
            }
        }
        Ok(last)
    }

    /// Until when it has to be informed, and whether it was later.
    pub(super) fn lateness(
        &self,
        report: &mut DeliveryReport,
        plan: &GatePlan,
        gate: &GateRow,
        path: &PathPlan,
        id: Option<DeliveryId>,
    ) {
        let prepared = self.on.prepared();
        let (of, places, variant) = (prepared.plan(), prepared.places(), path.variant.as_ref());
        let head = &self.record.head;
        let times = plan.times(of, places, head, &gate.state, (path, path.zone));
        // Whoever shares a post waits for no hours of their own.
        let shares = path.steps.first().is_some_and(|step| step.post.is_some());
        let opened = gate.state.opened.max(id.and_then(|id| self.joined_at(id)));
        let due = match id.filter(|_| !shares) {
            Some(id) => times.due(opened, id.ordinal),
            None => times.at.max(opened),
        };
        let within = |id: &str| of.groups().iter().find(|group| group.id.as_str() == id)?.within;
        let reached = self.anchors.get(&(plan.index, variant.cloned())).copied();
        let deadline = plan.deadline(of, places, head, &gate.state, (variant, path.zone), reached);
        let until = |group: &String| {
            let own = due.zip(within(group)).map(|(due, within)| due + within);
            [deadline, own].into_iter().flatten().min()
        };
        report.deadline = report.groups.iter().filter_map(until).chain(deadline).min();
        if report.deadline.is_none() {
            return;
        }
        let story = id.and_then(|id| self.stories.get(&id));
        let informed_at = story.and_then(|s| s.proved.range(path.informed_when..).map(|(_, at)| *at).min());
        let is_late = |until: Moment| match report.class {
            Class::Exempt => false,
            Class::Informed => informed_at.is_some_and(|at| at > until),
            Class::Unconfirmed | Class::NotInformed => self.on.now() > until,
        };
        let late_in = report.groups.iter().filter(|group| until(group).is_some_and(is_late)).cloned().collect();
        report.late = report.deadline.is_some_and(is_late);
        report.late_in = late_in;
    }

    /// When somebody came who was not on the roll when the gate opened: nobody could tell them before.
    fn joined_at(&self, id: DeliveryId) -> Option<Moment> {
        let joined = self.joined.get(&id.gate)?;
        joined.iter().rfind(|(from, _)| *from <= id.ordinal).map(|(_, at)| *at)
    }
}
