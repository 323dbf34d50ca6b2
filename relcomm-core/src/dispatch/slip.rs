//! Slips: the planned time moves. What is out stays out, what waits for the planned time waits for the new one, and exactly those who
//! heard the old one hear of it, in a revision.

use super::intake::{given, refuse};
use super::{DispatchError, Dispatcher, Record};
use crate::clock::Moment;
use crate::course::{GateInput, HeadFact, Phase, Slip};
use crate::journal::{GateRow, Note};
use crate::prepare::{GatePlan, Late};
use crate::release::Outcome;

impl Dispatcher {
    /// Takes in that the planned time moved, or is open. `false` if it stands so already.
    ///
    /// # Errors
    /// Refused: nobody named, a time that is past, a release of which an outcome is declared everywhere, or a text that goes to those who
    /// heard the old time and cannot say the new one.
    pub async fn slip(&self, planned: Option<Moment>, by: &str, why: Option<String>) -> Result<bool, DispatchError> {
        given(by, "a slip needs a name: who says that the planned time moved?")?;
        loop {
            let now = self.clock.now();
            let record = self.enrol().await?;
            if record.head.planned(self.first_planned(&record.head)) == planned {
                return Ok(false);
            }
            if planned.is_some_and(|planned| planned <= now) {
                return refuse("the planned time cannot move into the past");
            }
            let declared = record.head.declared(None, self.prepared.places());
            if let Some((outcome, _)) = declared.filter(|(outcome, _)| *outcome != Outcome::Begun) {
                return refuse(format!("the release is declared a {outcome} already: there is nothing left to move"));
            }
            let slip = Slip::new(planned, now);
            self.can_be_said(&record, slip)?;
            // Before it is true: whoever sees the slip finds the gates that say so.
            let mut slips = record.head.slips.clone();
            slips.push(slip);
            self.register(&self.prepared.gates_after(&slips)).await?;
            let note = Note { by: Some(by.to_owned()), text: why.clone(), ..Note::default() };
            if self.record_together(&record, vec![HeadFact::Slipped(slip)], Some(note)).await? {
                return Ok(true);
            }
        }
    }

    /// Whether every text that corrects slips can say this one.
    fn can_be_said(&self, record: &Record, slip: Slip) -> Result<(), DispatchError> {
        for gate in self.prepared.gates().iter().filter(|gate| self.prepared.communique(gate).corrects_slips) {
            let mut late = Late::specimen(&self.prepared, gate);
            late.planned = Some(slip.planned);
            let roll = self.prepared.roll(gate);
            let before = record.head.planned(self.first_planned(&record.head));
            for (number, path) in roll.paths().iter().enumerate() {
                let person = roll.members().find(|(_, of)| usize::from(*of) == number).map(|(person, _)| person);
                if let Err(error) = self.prepared.render(gate, &self.prepared.revise(path, before), person, &late) {
                    let id = &gate.id.communique;
                    return refuse(format!(
                        "`{id}` goes to those who heard the old time and cannot say the new one: {error}"
                    ));
                }
            }
        }
        Ok(())
    }

    /// The rows of gates, those of the record first: what has none yet is read.
    pub(super) async fn gate_rows(&self, record: &Record, plans: &[GatePlan]) -> Result<Vec<GateRow>, DispatchError> {
        if plans.len() == record.gates.len() {
            return Ok(record.gates.clone());
        }
        let mut all = self.journal.gates().await?;
        let mut rows = record.gates.clone();
        for plan in plans.get(rows.len()..).unwrap_or_default() {
            rows.extend(all.iter().position(|row| row.id == plan.id).map(|at| all.swap_remove(at)));
        }
        Ok(rows)
    }
}

/// The revisions that the last slip calls: of each communique and place the one of the occurrence that was out last, so that everybody
/// hears of it once.
pub(super) fn called(plans: &[GatePlan], rows: &[GateRow]) -> Vec<usize> {
    let last = plans.iter().map(|plan| plan.id.revision).max().unwrap_or(1);
    let mut latest: Vec<(&GatePlan, &GateRow)> = Vec::new();
    for (plan, row) in plans.iter().zip(rows).filter(|(plan, row)| plan.id.revision < last && is_begun(row)) {
        match latest.iter_mut().find(|(p, _)| p.communique == plan.communique && p.id.place == plan.id.place) {
            Some(known) if known.1.state.opened <= row.state.opened => *known = (plan, row),
            Some(_) => {}
            None => latest.push((plan, row)),
        }
    }
    let next = |of: &GatePlan| plans.iter().find(|plan| plan.base == of.base && plan.id.revision == last);
    latest.iter().filter_map(|(plan, _)| next(plan)).map(|plan| plan.index).collect()
}

/// Whether people may have heard a time through it, or were about to.
fn is_begun(row: &GateRow) -> bool {
    row.state.is_out() || (row.state.called && row.state.phase == Phase::Waiting)
}

/// What the last slip says to a gate: it is called, or another says so in its place.
pub(super) fn on_slip(plan: &GatePlan, plans: &[GatePlan], called: &[usize]) -> Option<GateInput> {
    if called.contains(&plan.index) {
        return Some(GateInput::Call);
    }
    let alike = |other: &GatePlan| other.communique == plan.communique && other.id.place == plan.id.place;
    let replaced = called.iter().filter_map(|index| plans.get(*index)).any(alike);
    let number = called.iter().filter_map(|index| plans.get(*index)).map(|plan| plan.id.revision - 1).max()?;
    replaced.then_some(GateInput::Slip { number })
}
