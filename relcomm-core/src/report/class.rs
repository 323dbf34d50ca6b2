//! How it stands with a delivery and with a person.

use super::{Class, DeliveryReport};
use crate::course::{Closed, Delivery, Phase, Shut, Stage};
use crate::journal::GateRow;
use crate::receipt::Assurance;

pub(super) const HELD: &str = "held: nobody knows whether it went out";

/// Nothing due is best; of what was due the worst counts.
pub(super) fn worst_of(deliveries: &[DeliveryReport]) -> (Class, Option<&DeliveryReport>) {
    let worst = deliveries.iter().filter(|d| !d.superseded).max_by_key(|d| d.class);
    (worst.map_or(Class::Exempt, |d| d.class), worst)
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
            Closed::Cancelled => "cancelled",
            Closed::Superseded => "superseded",
        };
        return (Class::NotInformed, Some(why.into()));
    }
    if state.told_or_perhaps() || state.end.is_none() {
        let held = state.legs.iter().any(|l| matches!(l.stage, Stage::Doubt { .. }));
        let reason = if held { HELD } else { "not confirmed" };
        return (Class::Unconfirmed, Some(reason.into()));
    }
    let reason = state.legs.iter().rev().find_map(|leg| match leg.stage {
        Stage::Shut { why: Shut::Bounced } => Some("bounced".to_owned()),
        Stage::Shut { why: Shut::Refused(kind) } => Some(format!("refused: {kind}")),
        Stage::Shut { why: Shut::Spent(kind) } => Some(format!("given up: {kind}")),
        Stage::Shut { why: Shut::Expired } => Some("expired".to_owned()),
        Stage::Shut { why: Shut::NotSent } => Some("not sent".to_owned()),
        _ => None,
    });
    (Class::NotInformed, Some(reason.unwrap_or_else(|| "no step is left".into())))
}
