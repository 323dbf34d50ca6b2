//! The happy path: what happens where no script says anything else.

use super::elapsed::Elapsed;
use super::parts::Parts;
use super::script::{AnswerDraft, ApproveDraft, DeclareDraft, Event, Later};
use relcomm_core::clock::Moment;
use relcomm_core::communique::{Anchor, Timing};
use relcomm_core::prepare::{GatePlan, PreparedPlan};
use relcomm_core::release::Outcome;
use std::time::Duration;

/// Who speaks where the plan names nobody.
pub(super) const SOMEBODY: &str = "somebody";

/// How long before the planned time it begins: plans speak weeks ahead.
const BEFORE: Duration = Duration::from_secs(31 * 86_400);

/// How long before what is due earliest, where that is earlier still: no zone is further away.
const DAY: Duration = Duration::from_secs(86_400);

/// When it begins: so long before the planned time, and before anything is due. Nothing where the plan has no time of its own.
pub(super) fn start(prepared: &PreparedPlan) -> Option<Moment> {
    let planned = prepared.plan().release().when.planned.map(|planned| planned - BEFORE);
    planned.into_iter().chain(dues(prepared, None).map(|due| due - DAY)).min()
}

/// When something is due, as far as that is known before anything is told; of what counts from a declaration only if that is known.
fn dues(prepared: &PreparedPlan, declared: Option<Moment>) -> impl Iterator<Item = Moment> {
    let plan = prepared.plan();
    let planned = plan.release().when.planned;
    let embargo = plan.embargo().and_then(|embargo| fixed(&embargo.until, planned, None, None));
    let of = |gate: &GatePlan| {
        let variants = gate.variants.iter().map(|(_, due)| due);
        std::iter::once(&gate.due).chain(variants).map(|due| due.at.clone()).collect::<Vec<_>>()
    };
    prepared.gates().iter().flat_map(of).filter_map(move |at| fixed(&at, planned, declared, embargo))
}

/// The instant of a time, where it counts from one that is known.
fn fixed(at: &Timing, planned: Option<Moment>, declared: Option<Moment>, embargo: Option<Moment>) -> Option<Moment> {
    let anchor = match &at.anchor {
        Anchor::Planned => planned,
        Anchor::Embargo => embargo,
        Anchor::Declared | Anchor::LastDeclared | Anchor::Begun => declared,
        Anchor::At(fixed) => Some(*fixed),
        _ => None,
    };
    Some(at.resolve(anchor?))
}

/// Everyone takes everything over, and acknowledges it after two minutes.
pub(super) fn answers() -> Vec<AnswerDraft> {
    let later = Later { acknowledged: Some(Elapsed(Duration::from_secs(120))), ..Later::default() };
    let to = "*".to_owned();
    vec![AnswerDraft { to, via: None, communique: None, attempt: None, answer: None, after: None, later: Some(later) }]
}

/// Every approval is given when it begins, and again when something is due of which it does not hold any more; success is declared place by
/// place at the planned time.
pub(super) fn timeline(prepared: &PreparedPlan, start: Moment) -> Vec<Event> {
    let plan = prepared.plan();
    let parts = Parts::of(plan);
    let declared = plan.release().when.planned.map_or(start, |planned| planned.max(start));
    let mut times = vec![start, declared];
    times.extend(dues(prepared, Some(declared)).filter(|due| *due > start));
    times.sort_unstable();
    let mut events = Vec::new();
    let mut last = None;
    for at in times {
        if last.is_some_and(|last| last >= plan.approvals().since(at)) {
            continue;
        }
        last = Some(at);
        for (role, by) in &parts.approves {
            let approve = ApproveDraft { role: role.clone(), by: by.clone(), reject: false, note: None };
            events.push((at, Event { at: at.to_string(), approve: Some(approve), ..Event::default() }));
        }
    }
    for place in &plan.release().places {
        let declare = DeclareDraft {
            outcome: Outcome::Success,
            place: Some(place.id.clone()),
            by: parts.declares.clone(),
            proof: Some("a rehearsal".to_owned()),
            as_of: None,
        };
        events.push((declared, Event { at: declared.to_string(), declare: Some(declare), ..Event::default() }));
    }
    // Approvals stay before declarations of the same instant.
    events.sort_by_key(|(at, _)| *at);
    events.into_iter().map(|(_, event)| event).collect()
}
