//! The happy path: what happens where no script says anything else.

use super::elapsed::Elapsed;
use super::script::{AnswerDraft, ApproveDraft, DeclareDraft, Event, Later};
use relcomm_core::clock::Moment;
use relcomm_core::id::StakeholderId;
use relcomm_core::plan::Plan;
use relcomm_core::plan::draft::Act;
use relcomm_core::release::Outcome;
use std::collections::BTreeSet;
use std::time::Duration;

/// Who speaks where the plan names nobody.
pub(super) const SOMEBODY: &str = "somebody";

/// How long before the planned time it begins: plans speak weeks ahead.
const BEFORE: Duration = Duration::from_secs(31 * 86_400);

/// When it begins, for a release that is planned for then.
pub(super) fn start(planned: Moment) -> Moment {
    planned - BEFORE
}

/// Everyone takes everything over, and acknowledges it after two minutes.
pub(super) fn answers() -> Vec<AnswerDraft> {
    let later = Later { acknowledged: Some(Elapsed(Duration::from_secs(120))), ..Later::default() };
    let to = "*".to_owned();
    vec![AnswerDraft { to, via: None, communique: None, attempt: None, answer: None, after: None, later: Some(later) }]
}

/// Who prepares, where the plan asks.
pub(super) fn preparer(plan: &Plan) -> Option<String> {
    plan.asks_who(Act::Prepare).then(|| somebody(plan, Act::Prepare, &[]))
}

/// Who executes until the script says another, where the plan asks: nobody who has another part, if there is one.
pub(super) fn executor(plan: &Plan) -> Option<String> {
    let mut taken: Vec<&str> = plan.named_for(Act::Declare);
    taken.push(plan.responsible().execute.id.as_str());
    taken.extend(plan.approvals().roles.values().flatten().map(StakeholderId::as_str));
    plan.asks_who(Act::Execute).then(|| somebody(plan, Act::Execute, &taken))
}

/// One of those whom the plan names for an act, best one who has no other part.
fn somebody(plan: &Plan, act: Act, taken: &[&str]) -> String {
    let named = plan.named_for(act);
    let one = named.iter().find(|who| !taken.contains(*who)).or(named.first());
    one.map_or_else(|| format!("{SOMEBODY} else"), |who| (*who).to_owned())
}

/// Every approval is given when it begins, and success declared place by place at the planned time.
pub(super) fn timeline(plan: &Plan, start: Moment) -> Vec<Event> {
    let declarers = plan.named_for(Act::Declare);
    let declares = declarers.first().copied().unwrap_or(plan.responsible().execute.id.as_str());
    let mut events = Vec::new();
    let needed: BTreeSet<_> = plan.approvals().need.iter().map(|need| &need.role).collect();
    let mut spoke = BTreeSet::new();
    for role in needed {
        // The plan may ask for another person in each role.
        let holders = plan.approvals().roles.get(role).map(Vec::as_slice).unwrap_or_default();
        let mut may = holders.iter().filter(|holder| plan.may(Act::Approve, holder.as_str()));
        let holder = may.clone().find(|holder| spoke.insert(*holder)).or(may.next()).or(holders.first());
        let by = holder.map_or(SOMEBODY, |holder| holder.as_str()).to_owned();
        let approve = ApproveDraft { role: role.clone(), by, reject: false, note: None };
        events.push(Event { at: start.to_string(), approve: Some(approve), ..Event::default() });
    }
    let at = plan.release().when.planned.map_or(start, |planned| planned.max(start));
    for place in &plan.release().places {
        let declare = DeclareDraft {
            outcome: Outcome::Success,
            place: Some(place.id.clone()),
            by: declares.to_owned(),
            proof: Some("a rehearsal".to_owned()),
            as_of: None,
        };
        events.push(Event { at: at.to_string(), declare: Some(declare), ..Event::default() });
    }
    events
}
