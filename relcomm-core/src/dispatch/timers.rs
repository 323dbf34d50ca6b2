//! What comes with time alone: steps that follow, slots that are over, legs whose session is dead, and questions about what nobody knows.

use super::DispatchError;
use super::driver::{BATCH, Driver, alongside};
use super::flight::ask;
use crate::channel::{AttemptContext, Channel};
use crate::course::{DeliveryFact, DeliveryInput, Leg, Stage};
use crate::journal::{Change, Committed, Row, Write};
use crate::mechanism::Mechanism;
use std::sync::Arc;
use std::time::Duration;

/// After how long it is tried again to ask a far side to which no channel leads.
const UNBOUND: Duration = Duration::from_secs(60);

impl Driver<'_> {
    pub(super) async fn recover_lost(&mut self) -> Result<bool, DispatchError> {
        if !self.turn.is_multiple_of(16) && !self.flights.is_empty() {
            return Ok(false);
        }
        let call = self.on.journal.lost(BATCH);
        let lost = alongside(&mut self.flights, &mut self.landed, call).await?;
        let inputs: Vec<_> = lost
            .into_iter()
            .filter_map(|row| {
                let (leg, session) = row.state.flying()?;
                Some((row, DeliveryInput::Lost { leg, session }, None))
            })
            .collect();
        self.decide_and_commit(inputs).await
    }

    pub(super) async fn take_timers(&mut self) -> Result<bool, DispatchError> {
        if self.on.unsteady().is_some() {
            // By a clock that has jumped everything would be late at once.
            return Ok(false);
        }
        let now = self.on.clock.now();
        let call = self.on.journal.timers(now, BATCH);
        let due = alongside(&mut self.flights, &mut self.landed, call).await?;
        let questions: Vec<(Row, u8)> = due
            .iter()
            .flat_map(|row| {
                let is_due = |l: &Leg| matches!(l.stage, Stage::Doubt { query_at: Some(at) } if at <= now);
                let legs = row.state.legs.iter().zip(0u8..).filter(move |(l, _)| is_due(l));
                legs.map(move |(_, leg)| (row.clone(), leg))
            })
            .collect();
        let inputs = due.into_iter().map(|row| (row, DeliveryInput::Tick, None)).collect();
        let any = self.decide_and_commit(inputs).await?;
        Ok(self.ask(questions).await? || any)
    }

    /// Asks the far sides about legs in doubt, as far as nobody else does.
    async fn ask(&mut self, questions: Vec<(Row, u8)>) -> Result<bool, DispatchError> {
        let now = self.on.clock.now();
        let mut writes = Vec::with_capacity(questions.len());
        let mut asking = Vec::with_capacity(questions.len());
        for (row, leg) in questions {
            let Some(lane) = row.state.legs.get(usize::from(leg)).map(|leg| leg.lane) else { continue };
            let bound = self.channel_of(lane);
            // By then a question without an answer has been given up.
            let until = now + bound.as_ref().map_or(UNBOUND, |(_, channel)| channel.capabilities().timeout * 2);
            let Some(course) = self.courses.of(self.on, &self.record, &row) else { continue };
            let facts = row.state.decide(course, &DeliveryInput::Ask { leg, until }, now);
            if !facts.is_empty() {
                let is_asked = facts.iter().any(|fact| matches!(fact, DeliveryFact::Asked { .. }));
                writes.push(Write::new(Change::Delivery(row.id, facts), row.version));
                asking.push(bound.filter(|_| is_asked).map(|bound| (row, leg, bound)));
            }
        }
        if writes.is_empty() {
            return Ok(false);
        }
        let done = self.commit(writes).await?;
        let committed = asking.into_iter().zip(done).filter(|(_, done)| *done != Committed::Conflict);
        for (row, leg, bound) in committed.filter_map(|(asking, _)| asking) {
            self.begin_question(&row, leg, bound);
        }
        Ok(true)
    }

    fn begin_question(&mut self, row: &Row, leg: u8, (mechanism, channel): (Mechanism, Arc<dyn Channel>)) {
        let on = self.on;
        let Some(asked) = row.state.legs.get(usize::from(leg)).map(|leg| leg.asked.saturating_add(1)) else { return };
        let gate = self.record.gate_index(row.id.gate).and_then(|i| self.record.plans.get(i));
        let Some(gate) = gate else { return };
        let key = on.key_of(&self.record, gate, row, leg, &mechanism);
        let cx = AttemptContext::new(Arc::clone(&on.clock), channel.capabilities().timeout);
        self.flights.begin(cx.deadline, |limit| ask(channel, key, (row.id, leg, asked), cx, limit));
    }
}
