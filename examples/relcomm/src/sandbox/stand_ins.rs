//! Who speaks in the sandbox where nobody real does: for each act whoever the plan names, and for each another where it keeps them apart.

use super::STAND_IN;
use crate::Failure;
use relcomm_core::plan::Plan;
use relcomm_core::plan::draft::Act;
use relcomm_core::prepare::PreparedPlan;

/// The one of those whom the plan names for an act who has done no other that it keeps apart from this.
pub(crate) fn stand_in(plan: &Plan, act: Act) -> String {
    let apart = |one: Act| plan.approvals().distinct.contains(&one) && plan.approvals().distinct.contains(&act);
    let mut taken: Vec<String> = Vec::new();
    for earlier in [Act::Prepare, Act::Approve, Act::Declare, Act::Execute] {
        if earlier == act {
            break;
        }
        if apart(earlier) {
            match earlier {
                Act::Approve => {
                    let roles = plan.approvals().need.iter().filter_map(|need| plan.approvals().roles.get(&need.role));
                    taken.extend(roles.flatten().map(|holder| holder.as_str().to_owned()));
                }
                other => taken.push(stand_in(plan, other)),
            }
        }
    }
    let named = plan.named_for(act);
    let is_free = |who: &&&str| !taken.iter().any(|other| other == **who);
    match named.iter().find(is_free).or(named.first()) {
        Some(who) => (*who).to_owned(),
        None if taken.is_empty() => STAND_IN.to_owned(),
        None => format!("{STAND_IN} {}", taken.len() + 1),
    }
}

/// Prepared by a stand-in, where the plan asks who prepares and nobody has said so.
pub(crate) fn stand_in_to_prepare(prepared: PreparedPlan) -> Result<PreparedPlan, Failure> {
    if prepared.preparer().is_some() || !prepared.plan().asks_who(Act::Prepare) {
        return Ok(prepared);
    }
    let by = stand_in(prepared.plan(), Act::Prepare);
    prepared.prepared_by(by).map_err(Failure::Refused)
}
