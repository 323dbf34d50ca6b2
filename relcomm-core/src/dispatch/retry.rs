//! Trying once more, by a person's word: a relay is mended, or an address corrected, after every step was refused.

use super::gates::{PAGE, decide_all, from_head};
use super::intake::given;
use super::{DispatchError, Dispatcher, Record};
use crate::course::{DeliveryInput, Gate, GateInput, Phase};
use crate::id::{CommuniqueId, DeliveryId, StakeholderId};
use crate::journal::{Change, Committed, GateRow, Note, Row, Write};
use crate::prepare::GatePlan;
use std::iter::once;
use std::sync::Arc;

impl Dispatcher {
    /// Has tried once more, from the first step on, whoever nobody has reached by all that was tried: of everything that is out or of one
    /// communique, for everybody or for one person. They go to where the plan, as it is prepared now, says that they are reached.
    ///
    /// Left alone is whoever was told, or is in doubt, which somebody has to attest first; what is still being tried; what was cancelled or
    /// taken back; and what may not be told any more, since its time is over. A post that nobody took is made again, too.
    ///
    /// Returns for how many deliveries. They are tried by the next [`run`](Self::run), or by one that is running.
    ///
    /// # Errors
    /// Refused: nobody named, an unknown communique or person, a plan that does not [go on](Self::continues). Or the journal fails.
    pub async fn retry(
        &self,
        communique: Option<&CommuniqueId>,
        person: Option<&StakeholderId>,
        by: &str,
        why: Option<String>,
    ) -> Result<usize, DispatchError> {
        self.known(communique)?;
        given(by, "trying again needs a name: who wants it?")?;
        if let Some(id) = person {
            self.known_person(id)?;
        }
        let record = self.renewed().await?;
        let note = Arc::new(Note { by: Some(by.to_owned()), text: why, ..Note::default() });
        let mut tried = 0;
        for (plan, row) in record.plans.iter().zip(&record.gates) {
            if communique.is_some_and(|id| plan.id.communique != *id) {
                continue;
            }
            let Some(mut said) = self.said_before(&record, plan, row) else { continue };
            if let Some(person) = person {
                let ordinal = self.journal.ordinal(row.no, person).await?;
                let id = ordinal.map(|ordinal| DeliveryId { gate: row.no, ordinal });
                let page = self.journal.read(id.as_slice()).await?;
                tried += self.retry_page(&record, plan, page, &mut said, &note).await?;
                continue;
            }
            let mut from = 0;
            loop {
                let page = self.journal.scan(row.no, from, PAGE).await?;
                let Some(last) = page.last() else { break };
                from = last.id.ordinal + 1;
                tried += self.retry_page(&record, plan, page, &mut said, &note).await?;
            }
        }
        Ok(tried)
    }

    /// What is out moves again: what was said while all of it had ended, such as a hold, as the gate is to be told it. `None` if nothing
    /// more of it may go out.
    fn said_before(&self, record: &Record, plan: &GatePlan, row: &GateRow) -> Option<Option<Write>> {
        let now = self.clock.now();
        let inputs = once(GateInput::Stir).chain(from_head(&self.prepared, plan, &record.head, row, now));
        let rule = |state: &Gate| self.rule(plan, &record.head, state);
        let (gate, facts) = decide_all(&row.state, inputs, rule, now);
        let is_true = gate.outdated.is_none() && !gate.is_overtaken() && !gate.is_taken_back(&rule(&gate));
        if !gate.is_out() || !is_true || matches!(gate.phase, Phase::Closed(_)) {
            return None;
        }
        Some((!facts.is_empty()).then(|| Write::new(Change::Gate(row.no, facts), row.version)))
    }

    async fn retry_page(
        &self,
        record: &Record,
        plan: &GatePlan,
        mut page: Vec<Row>,
        said: &mut Option<Write>,
        note: &Arc<Note>,
    ) -> Result<usize, DispatchError> {
        let roll = record.roll(self, plan);
        let mut tried = 0;
        while !page.is_empty() {
            let mut writes = Vec::new();
            let mut meant = Vec::new();
            for row in page.drain(..).filter(|row| row.state.end.is_some()) {
                let Some(course) = self.course(record, plan, roll, &row) else { continue };
                let facts = row.state.decide(&course, &DeliveryInput::Retry, self.clock.now());
                if !facts.is_empty() {
                    meant.push(row.id);
                    writes.push(Write::new(Change::Delivery(row.id, facts), row.version).note(Some(Arc::clone(note))));
                }
            }
            if writes.is_empty() {
                break;
            }
            // The gate hears it with the first of them; where somebody was faster, they have told it the same.
            writes.extend(said.take());
            let done = self.journal.commit(writes).await?;
            let missed = meant.iter().zip(&done).filter(|(_, done)| **done == Committed::Conflict);
            let missed: Vec<_> = missed.map(|(id, _)| *id).collect();
            tried += meant.len() - missed.len();
            page = self.journal.read(&missed).await?;
        }
        Ok(tried)
    }
}
