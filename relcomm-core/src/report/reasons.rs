//! How it stands with those who are not informed, and why.

use super::build::Builder;
use super::{Class, DeliveryReport};
use crate::course::{Closed, Delivery, Phase, Shut, Stage, Verdict as GateVerdict};
use crate::journal::GateRow;
use crate::prepare::GatePlan;
use crate::receipt::Assurance;
use crate::release::Outcome;

pub(super) const HELD: &str = "held: nobody knows whether it went out";

/// Why somebody waits for what is still to come.
pub(super) const PENDING: &str = "pending";

/// Why nothing is due of what is meant for success.
const UNSUCCESSFUL: &str = "not due: release not successful";

/// Nothing due is best; of what was due the worst counts.
pub(super) fn worst_of(deliveries: &[DeliveryReport]) -> (Class, Option<&DeliveryReport>) {
    let worst = deliveries.iter().filter(|d| !d.superseded).max_by_key(|d| d.class);
    (worst.map_or(Class::Exempt, |d| d.class), worst)
}

impl Builder<'_> {
    /// How it stands with everyone of a gate whose deliveries are not entered.
    pub(super) fn whole(&self, plan: &GatePlan, row: &GateRow) -> (Class, Option<String>) {
        let said = |class, reason: &str| (class, Some(reason.to_owned()));
        let blocked = || format!("blocked: {}", plan.blocked_by(&row.state).unwrap_or_default());
        match row.state.phase {
            // What was meant for another outcome is not missed.
            Phase::Closed(Closed::Cancelled | Closed::Expired) if self.on.is_for_another(&self.record, plan, row) => {
                said(Class::Exempt, "not due")
            }
            Phase::Closed(Closed::Expired) => said(Class::NotInformed, "expired"),
            Phase::Closed(Closed::Cancelled | Closed::Blocked) => {
                let by = plan.blocked_by(&row.state).filter(|_| row.state.blocked.is_some());
                let why = by.map_or_else(|| "cancelled".to_owned(), |on| format!("cancelled: blocked by {on}"));
                (Class::NotInformed, Some(why))
            }
            Phase::Closed(_) => said(Class::NotInformed, "superseded"),
            Phase::Waiting => {
                let rule = self.on.rule(plan, &self.record.head, &row.state);
                match row.state.verdict(&rule, self.on.now()) {
                    GateVerdict::Standby if rule.outcome == Outcome::Success => said(Class::Exempt, UNSUCCESSFUL),
                    GateVerdict::Standby => said(Class::Exempt, "not due"),
                    GateVerdict::Blocked(_) => (Class::NotInformed, Some(blocked())),
                    GateVerdict::BlockedUntil(..) | GateVerdict::Asks(_) => (Class::Unconfirmed, Some(blocked())),
                    _ => said(Class::Unconfirmed, PENDING),
                }
            }
            _ if row.state.is_taken_back(&self.on.rule(plan, &self.record.head, &row.state)) => {
                said(Class::Exempt, UNSUCCESSFUL)
            }
            _ => said(Class::Unconfirmed, PENDING),
        }
    }
}

/// How it stands with a delivery, and why it is not informed.
pub(super) fn class(state: &Delivery, informed_when: Assurance, gate: &GateRow) -> (Class, Option<String>) {
    if state.best() >= Some(informed_when) {
        return (Class::Informed, None);
    }
    // What was tried and certainly did not go out is as good as untouched.
    if let Phase::Closed(why) = gate.state.phase
        && state.end.is_none()
        && !state.told_or_perhaps()
    {
        let why = match why {
            Closed::Expired => "expired",
            Closed::Cancelled | Closed::Blocked => "cancelled",
            Closed::Superseded => "superseded",
        };
        return (Class::NotInformed, Some(why.to_owned() + perhaps(state)));
    }
    // It stands by as what is not out does, although somebody may have been asked to do it by hand.
    if gate.state.is_overtaken() && state.end.is_none() && state.flying().is_none() && !state.told_or_perhaps() {
        return (Class::Exempt, Some("not due".into()));
    }
    if state.told_or_perhaps() || state.end.is_none() {
        let held = state.legs.iter().any(|l| matches!(l.stage, Stage::Doubt { .. }));
        let reason = if held { HELD } else { "not confirmed" };
        return (Class::Unconfirmed, Some(reason.into()));
    }
    let reason = state.legs.iter().rev().find_map(|leg| match leg.stage {
        Stage::Shut { why: Shut::Bounced, .. } => Some("bounced".to_owned()),
        Stage::Shut { why: Shut::Refused(kind), .. } => Some(format!("refused: {kind}")),
        Stage::Shut { why: Shut::Spent(kind), .. } => Some(format!("given up: {kind}")),
        Stage::Shut { why: Shut::Expired, .. } => Some("expired".to_owned()),
        Stage::Shut { why: Shut::NotSent, .. } => Some("not sent".to_owned()),
        Stage::Shut { why: Shut::Gone, .. } => Some("left the plan before it was sent".to_owned()),
        _ => None,
    });
    let reason = reason.unwrap_or_else(|| "no step is left".into());
    (Class::NotInformed, Some(reason + perhaps(state)))
}

/// What is added of whoever may have been told all the same.
fn perhaps(state: &Delivery) -> &'static str {
    if state.perhaps_before() { "; a try before may have arrived" } else { "" }
}
