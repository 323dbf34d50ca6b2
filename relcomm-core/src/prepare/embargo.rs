//! The embargo of a plan by what is known: when it ends, and which gates it holds.

use super::{GatePlan, PreparedPlan};
use crate::clock::Moment;
use crate::communique::{Anchor, Communique, Timing};
use crate::course::{Digests, Embargo, Head};
use crate::id::PlaceId;
use crate::plan::Plan;
use crate::release::Outcome;
use std::sync::Arc;

/// When the plan's embargo ends or ended: when it was lifted, else at its own time. `None` while that is not known, and after the release
/// has failed.
pub(super) fn end(plan: &Plan, places: &[PlaceId], head: &Head) -> Option<Moment> {
    match stands(plan, places, head)? {
        Embargo::Until(at) => Some(at),
        Embargo::Undetermined | Embargo::Lift => None,
    }
}

/// How the plan's embargo stands; `None` if it has none.
pub(crate) fn stands(plan: &Plan, places: &[PlaceId], head: &Head) -> Option<Embargo> {
    let embargo = plan.embargo()?;
    if head.has_failed() {
        return Some(head.lifted.map_or(Embargo::Lift, Embargo::Until));
    }
    let anchor = match embargo.until.anchor {
        Anchor::Planned => head.planned(plan.release().when.planned),
        Anchor::Begun => head.begun(),
        Anchor::Declared | Anchor::LastDeclared => {
            head.declared(None, places).filter(|(outcome, _)| *outcome == Outcome::Success).map(|(_, at)| at)
        }
        Anchor::At(at) => Some(at),
        Anchor::Embargo | Anchor::Reached(..) => None,
    };
    let own = anchor.map(|at| embargo.until.resolve(at));
    // Whoever lifts what is over changes nothing.
    let ends = [own, head.lifted].into_iter().flatten().min();
    Some(ends.map_or(Embargo::Undetermined, Embargo::Until))
}

/// What the embargo says of a gate: of one that tells what is classified to somebody who is not cleared, and of one that is due when the
/// embargo has ended. What was lifted holds nothing.
pub(super) fn holds<'a>(
    plan: &Plan,
    places: &[PlaceId],
    head: &Head,
    communique: &Communique,
    mut dues: impl Iterator<Item = &'a Timing>,
) -> Option<Embargo> {
    let embargo = plan.embargo().filter(|_| head.lifted.is_none())?;
    let follows =
        |due: &Timing| due.anchor == Anchor::Embargo && due.days >= 0 && due.business_days >= 0 && due.elapsed_ms >= 0;
    let held = communique.classified && !embargo.clears(&communique.to) || dues.any(follows);
    held.then(|| stands(plan, places, head)).flatten()
}

impl PreparedPlan {
    /// Whether the words of a gate use something that the plan's embargo classifies. They are shown nowhere before its end.
    #[must_use]
    pub fn is_classified(&self, gate: &GatePlan) -> bool {
        self.communique(gate).classified
    }

    /// Whether any words of the plan are classified.
    #[must_use]
    pub fn has_classified(&self) -> bool {
        self.plan().communiques().iter().any(|communique| communique.classified)
    }

    /// When the embargo ends as far as the plan alone says: nobody has lifted it, and nothing is declared.
    #[must_use]
    pub fn embargo_ends(&self) -> Option<Moment> {
        end(self.plan(), self.places(), &Head::default())
    }

    /// As it was read from a bundle without what is classified. `None` if others hold it already.
    pub(super) fn without_classified(mut self, digests: Digests) -> Option<Self> {
        let inner = Arc::get_mut(&mut self.inner)?;
        (inner.withheld, inner.digests) = (true, digests);
        Some(self)
    }

    /// How the embargo stands by the record; `None` if there is none.
    pub(crate) fn embargo(&self, head: &Head) -> Option<Embargo> {
        stands(self.plan(), self.places(), head)
    }
}
