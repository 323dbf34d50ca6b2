//! What a place needs before the release can be declared there.

use super::intake::refuse;
use super::{DispatchError, Dispatcher, Record};
use crate::course::Dependence;
use crate::id::PlaceId;
use crate::prepare::Requirement;
use crate::release::Outcome;

impl Dispatcher {
    /// Refuses a declaration for which the plan asks that somebody be told before. What went wrong can always be said.
    pub(super) async fn is_ready(
        &self,
        record: &Record,
        place: &PlaceId,
        outcome: Outcome,
    ) -> Result<(), DispatchError> {
        if !matches!(outcome, Outcome::Begun | Outcome::Success) {
            return Ok(());
        }
        for need in self.prepared.plan().needs(place) {
            let mut requirement = Requirement::of_place(&record.plans, need, place);
            // What a slip has overtaken is said by a revision.
            requirement.on.retain(|index| record.gates.get(*index).is_none_or(|row| row.state.outdated.is_none()));
            let why = match self.dependence(record, false, &requirement, self.clock.now()).await? {
                Dependence::Met { .. } | Dependence::Moot { .. } => continue,
                Dependence::Pending => "not so yet",
                Dependence::Impossible => "not so, and cannot be as things stand",
            };
            return refuse(format!("{place} needs {requirement} before it can be declared {outcome}: that is {why}"));
        }
        Ok(())
    }
}
