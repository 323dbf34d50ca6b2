//! What it means for what is out that the plan was prepared again.

use super::DispatchError;
use super::driver::Driver;
use super::gates::PAGE;
use crate::course::{DeliveryInput, End, Phase, Shut, Stage};
use crate::journal::Row;
use std::sync::Arc;

impl Driver<'_> {
    /// Looks at all that is out: what the plan no longer has steps or people for is given up, and what was given up for that, or has a new
    /// way to whoever nobody has reached, is begun.
    pub(super) async fn review(&mut self) -> Result<(), DispatchError> {
        if !self.record.head.prepared_again {
            return Ok(());
        }
        let plans = Arc::clone(&self.record.plans);
        for index in 0..plans.len() {
            let Some(row) = self.record.gates.get(index) else { continue };
            if !matches!(row.state.phase, Phase::Opening { .. } | Phase::Open | Phase::Settled) {
                continue;
            }
            let (gate, mut from) = (row.no, 0);
            loop {
                let page = self.on.journal.scan(gate, from, PAGE).await?;
                let Some(last) = page.last() else { break };
                from = last.id.ordinal + 1;
                let open = page.into_iter().filter(may_change);
                let inputs = open.map(|row| (row, DeliveryInput::Review, None)).collect();
                self.decide_and_commit(inputs).await?;
            }
        }
        self.refresh().await
    }
}

/// Whether a review may come to something: nearly everybody was told.
fn may_change(row: &Row) -> bool {
    let state = &row.state;
    let is_ready = state.legs.iter().any(|leg| matches!(leg.stage, Stage::Ready { .. }));
    let is_gone = state.legs.iter().any(|leg| matches!(leg.stage, Stage::Shut { why: Shut::Gone, .. }));
    match state.end {
        None => is_ready || is_gone,
        Some(End::Exhausted) => !state.told_or_perhaps(),
        Some(End::Reached | End::Expired) => false,
    }
}
