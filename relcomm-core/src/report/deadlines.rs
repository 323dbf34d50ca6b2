//! Deadlines that are relative to what another communique has reached.

use super::build::{Builder, PAGE};
use crate::clock::Moment;
use crate::communique::{Anchor, State};
use crate::dispatch::DispatchError;
use crate::id::{CommuniqueId, GroupId};
use crate::prepare::GatePlan;
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
}
