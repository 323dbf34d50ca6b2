//! A far side for every mechanism that a plan speaks of.

use super::far_side::{FarSide, World};
use super::script::{FarSideDraft, Repeats};
use relcomm_core::channel::ChannelSet;
use relcomm_core::mechanism::{Addressing, Capabilities, Deduplication, Mechanism};
use relcomm_core::plan::source::Ordered;
use relcomm_core::plan::{People, Plan};
use relcomm_core::receipt::Assurance;

/// A far side for every mechanism of the plan.
pub(super) fn channels(
    world: &World,
    plan: &Plan,
    people: &People,
    drafts: &Ordered<Mechanism, FarSideDraft>,
) -> ChannelSet {
    let usual = FarSideDraft::default();
    plan.spoken_of(people).into_iter().fold(ChannelSet::new(), |set, mechanism| {
        let draft = drafts.get(&mechanism).unwrap_or(&usual);
        let capabilities = capabilities(draft, &mechanism, plan.addressing(&mechanism));
        let far_side = FarSide::new(world.clone(), mechanism.clone(), capabilities);
        set.with(mechanism, far_side)
    })
}

fn capabilities(draft: &FarSideDraft, mechanism: &Mechanism, addressing: Addressing) -> Capabilities {
    let by_machine = ["email", "webhook", "pager", "text", "chat", "website", "bulletin"];
    let by_hand = draft.by_hand.unwrap_or(!by_machine.contains(&mechanism.as_str()));
    let usual = match mechanism.as_str() {
        "webhook" | "pager" | "chat" => Repeats::Key,
        _ => Repeats::None,
    };
    let deduplication = match draft.deduplication.unwrap_or(usual) {
        Repeats::None => Deduplication::None,
        Repeats::Key => Deduplication::ByKey,
        Repeats::Lookup => Deduplication::ByLookup,
    };
    let mut can = Capabilities::new(addressing, draft.proves.unwrap_or(Assurance::Acknowledged));
    can = can.deduplication(deduplication);
    can = if by_hand { can.by_hand() } else { can };
    can = draft.per_call.map_or(can.clone(), |n| can.per_call(n));
    can = draft.concurrency.map_or(can.clone(), |n| can.concurrency(n));
    match draft.timeout {
        Some(timeout) => can.timeout(timeout.0),
        None => can,
    }
}
