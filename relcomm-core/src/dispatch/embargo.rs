//! The embargo: when it is over, and by whom it is lifted.

use super::intake::{given, refuse};
use super::{DispatchError, Dispatcher};
use crate::clock::Moment;
use crate::course::{Embargo, Head, HeadFact, Phase};
use crate::journal::{GateRow, Note};
use crate::plan::RESPONSIBLE;
use crate::prepare::GatePlan;

impl Dispatcher {
    /// When the clock, which has jumped, will have proved stable; `None` while it is believed.
    pub(crate) fn unsteady(&self) -> Option<Moment> {
        self.steadiness.unproved(&*self.clock, self.options.steady)
    }

    /// Whether the plan's embargo is over, or there is none. By a clock that has jumped it is over only if somebody lifted it.
    #[must_use]
    pub fn embargo_is_over(&self, head: &Head) -> bool {
        match self.prepared.embargo(head) {
            None => true,
            Some(Embargo::Until(at)) => head.lifted.is_some() || (at <= self.clock.now() && self.unsteady().is_none()),
            Some(Embargo::Undetermined | Embargo::Lift) => false,
        }
    }

    /// Whether the words of a gate must not be shown yet.
    #[must_use]
    pub fn withholds(&self, gate: &GatePlan, head: &Head) -> bool {
        self.prepared.is_classified(gate) && !self.embargo_is_over(head)
    }

    /// Lifts the embargo: what is due when it ends is due now, and what it held goes on. `false` if it was lifted already, or is over.
    ///
    /// If the release fails, is halted or is rolled back after that, the embargo holds again until it is lifted anew.
    ///
    /// # Errors
    /// Refused: the plan has no embargo; nobody named, or somebody who may not; no cause.
    pub async fn lift(&self, by: &str, cause: &str) -> Result<bool, DispatchError> {
        let plan = self.prepared.plan();
        let Some(embargo) = plan.embargo() else { return refuse("the plan has no embargo to lift") };
        given(by, "the embargo needs a name to be lifted: who lifts it?")?;
        given(cause, "the embargo needs a cause to be lifted: why may it be known now?")?;
        let may = match embargo.lift.as_slice() {
            [] => plan.is_one_of(by, RESPONSIBLE),
            named => named.iter().any(|word| plan.is_one_of(by, word)),
        };
        if !may {
            return refuse("this person may not lift the embargo: the plan names who may");
        }
        loop {
            let record = self.enrol().await?;
            // One that is over by a clock that another process doubts is held there: it is lifted, too.
            let holds = |(plan, row): (&GatePlan, &GateRow)| {
                row.state.phase == Phase::Waiting && self.rule(plan, &record.head, &row.state).embargo.is_some()
            };
            let is_over = self.embargo_is_over(&record.head);
            if record.head.lifted.is_some() || is_over && !record.plans.iter().zip(&record.gates).any(holds) {
                return Ok(false);
            }
            let fact = HeadFact::Lifted { at: self.clock.now() };
            let note = Note { by: Some(by.trim().to_owned()), text: Some(cause.to_owned()), ..Note::default() };
            if self.record_together(&record, vec![fact], Some(note)).await? {
                return Ok(true);
            }
        }
    }
}
