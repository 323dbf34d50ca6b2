//! What is blocked, and the answers of people who are asked what is done.

use super::gates::decide_all;
use super::intake::refuse;
use super::{DispatchError, Dispatcher, Record};
use crate::communique::Then;
use crate::course::{Dependence, Gate, GateInput, Phase, Verdict};
use crate::id::{CommuniqueId, Role};
use crate::journal::{Change, GateRow, Note, Write};
use crate::prepare::GatePlan;
use serde::Serialize;

/// A person is asked what is done with a communique of which what it waits for cannot be reached any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Question {
    /// The communique.
    pub communique: CommuniqueId,
    /// The gate.
    pub gate: String,
    /// Who is asked: the holders of this role; `responsible` is the responsible party.
    pub role: Role,
    /// What cannot be reached.
    pub blocked: String,
}

impl GatePlan {
    /// What cannot be reached of what the gate waits for.
    pub(crate) fn blocked_by(&self, state: &Gate) -> Option<String> {
        let index = state.dependencies.iter().position(|is| *is == Dependence::Impossible)?;
        self.requirements.get(index).map(ToString::to_string)
    }
}

impl Dispatcher {
    /// What people are asked now. Each is answered by [`hold`](Self::hold) with `false`, that it goes out all the same, or by
    /// [`cancel`](Self::cancel).
    ///
    /// # Errors
    /// The journal fails.
    pub async fn questions(&self) -> Result<Vec<Question>, DispatchError> {
        let record = Record::read(self).await?;
        let ask = |(plan, row, role): (&GatePlan, &GateRow, &Role)| Question {
            communique: plan.id.communique.clone(),
            gate: plan.id.to_string(),
            role: role.clone(),
            blocked: plan.blocked_by(&row.state).unwrap_or_default(),
        };
        Ok(self.asking(&record).map(ask).collect())
    }

    /// The gates that ask, and whom.
    fn asking<'a>(&'a self, record: &'a Record) -> impl Iterator<Item = (&'a GatePlan, &'a GateRow, &'a Role)> {
        let now = self.clock.now();
        record.plans.iter().zip(&record.gates).filter_map(move |(plan, row)| {
            let role = self.asked(plan)?;
            let rule = self.rule(plan, &record.head, &row.state);
            let asks = row.state.phase == Phase::Waiting && matches!(row.state.verdict(&rule, now), Verdict::Asks(_));
            asks.then_some((plan, row, role))
        })
    }

    /// Who is asked if the gate is blocked.
    pub(super) fn asked(&self, plan: &GatePlan) -> Option<&Role> {
        match &self.prepared.communique(plan).if_blocked.as_ref()?.then {
            Then::Ask(role) => Some(role),
            Then::Proceed | Then::Cancel => None,
        }
    }

    /// Whether the communique asks; then only those who are asked may answer.
    pub(super) fn may_answer(
        &self,
        record: &Record,
        communique: &CommuniqueId,
        by: &str,
    ) -> Result<bool, DispatchError> {
        let mut asks = false;
        for (.., role) in self.asking(record).filter(|(plan, ..)| &plan.id.communique == communique) {
            asks = true;
            if !self.prepared.plan().is_one_of(by, role.as_str()) {
                return refuse(format!(
                    "`{communique}` is blocked and asks {role}: this person does not answer for that"
                ));
            }
        }
        Ok(asks)
    }

    /// Lets go out all the same what asks. `None` if something changed meanwhile.
    pub(super) async fn proceed(
        &self,
        record: &Record,
        communique: &CommuniqueId,
        note: &Note,
    ) -> Result<Option<bool>, DispatchError> {
        let now = self.clock.now();
        let mut writes = Vec::new();
        for (plan, row, _) in self.asking(record).filter(|(plan, ..)| &plan.id.communique == communique) {
            let rule = |state: &Gate| self.rule(plan, &record.head, state);
            let (_, facts) = decide_all(&row.state, [GateInput::Proceed], rule, now);
            if !facts.is_empty() {
                writes.push(Write::new(Change::Gate(row.no, facts), row.version).note(Some(note.clone())));
            }
        }
        if writes.is_empty() {
            return Ok(Some(false));
        }
        Ok(self.journal.commit_together(writes).await?.then_some(true))
    }
}
