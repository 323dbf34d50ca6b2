//! What receipts say: matched by their tokens, recorded once, kept as evidence where they match nothing.

use super::token::Tokens;
use super::{DispatchError, Dispatcher, Record};
use crate::channel::{AttemptContext, Inbound, ReceiptSource, Received};
use crate::course::{DeliveryFact, DeliveryInput, Path};
use crate::id::DeliveryId;
use crate::journal::{Change, Committed, ReceiptRecord, Unmatched, Write};
use crate::mechanism::Mechanism;
use crate::receipt::{Assurance, Evidence, Receipt, ReceiptKind};
use std::collections::HashSet;
use std::ops::AddAssign;
use std::time::Duration;

/// What an intake of receipts came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Intake {
    /// Receipts that were recorded.
    pub recorded: usize,
    /// Receipts that had been recorded before.
    pub repeated: usize,
    /// Things that match nothing, kept as evidence.
    pub unmatched: usize,
    /// How many of them bear marks that are not of this record, and were left at the source for the one whose they are.
    pub foreign: usize,
}

impl AddAssign for Intake {
    fn add_assign(&mut self, more: Self) {
        self.recorded += more.recorded;
        self.repeated += more.repeated;
        self.unmatched += more.unmatched;
        self.foreign += more.foreign;
    }
}

const BATCH: usize = 256;
const PATIENCE: Duration = Duration::from_secs(60);

impl Dispatcher {
    /// Takes in what a source has now. What was taken in is marked done at the source only after it is recorded. What bears marks that are
    /// not of this record is kept as evidence, and left there all the same: it may be a bounce of the release before.
    ///
    /// # Errors
    /// The journal fails. A source that cannot be read is skipped, and said so in the log.
    pub async fn collect(&self, source: &dyn ReceiptSource) -> Result<Intake, DispatchError> {
        let mut total = Intake::default();
        let tokens = self.tokens().await?;
        let mut left: HashSet<String> = HashSet::new();
        loop {
            let cx = AttemptContext::new(std::sync::Arc::clone(&self.clock), PATIENCE);
            // What was left comes again, before what is new: so many more are asked for that each is read twice at the most.
            let most = BATCH.max(left.len().saturating_mul(2));
            let batch = match source.batch(&cx, most).await {
                Ok(batch) => batch,
                Err(error) => {
                    tracing::warn!(%error, "receipts cannot be read");
                    return Ok(total);
                }
            };
            let more = batch.len() == most;
            let is_foreign = |thing: &Received| {
                let bears = |receipt: &Receipt| receipt.token.as_ref().is_some_and(|mark| tokens.read(mark).is_none());
                !thing.receipts.is_empty() && thing.receipts.iter().all(bears)
            };
            let fresh: Vec<Received> = batch.into_iter().filter(|thing| !left.contains(&thing.id)).collect();
            let (foreign, own): (Vec<Received>, Vec<Received>) = fresh.into_iter().partition(is_foreign);
            if foreign.is_empty() && own.is_empty() {
                return Ok(total);
            }
            let ids: Vec<String> = own.iter().map(|thing| thing.id.clone()).collect();
            if !foreign.is_empty() {
                total.foreign += foreign.len();
                left.extend(foreign.iter().map(|thing| thing.id.clone()));
                total.unmatched += self.receive(foreign).await?.unmatched;
            }
            total += self.receive(own).await?;
            if let Err(error) = source.done(&cx, &ids).await {
                tracing::warn!(%error, "receipts cannot be marked as read; they will come again");
                return Ok(total);
            }
            if !more {
                return Ok(total);
            }
        }
    }

    /// Takes in what came from anywhere.
    ///
    /// # Errors
    /// The journal fails.
    pub async fn receive(&self, received: Vec<Received>) -> Result<Intake, DispatchError> {
        let record = self.enrol().await?;
        let tokens = self.tokens().await?;
        let mut intake = Intake::default();
        let mut unmatched = Vec::new();
        for thing in received {
            if thing.receipts.is_empty() {
                unmatched.push(Unmatched::new(thing.id, ReceiptKind::Dsn, None, thing.raw));
                continue;
            }
            for receipt in thing.receipts {
                match self.take(&record, &tokens, &receipt, &thing.raw).await? {
                    Taken::Recorded => intake.recorded += 1,
                    Taken::Repeated => intake.repeated += 1,
                    Taken::Unmatched => unmatched.push(Unmatched::new(
                        receipt.identity,
                        receipt.kind,
                        Some(receipt.evidence),
                        thing.raw.clone(),
                    )),
                }
            }
        }
        let came = unmatched.len();
        intake.unmatched = self.journal.keep_unmatched(unmatched).await?;
        intake.repeated += came - intake.unmatched;
        Ok(intake)
    }

    /// Takes in a call back that the host received.
    ///
    /// # Errors
    /// Refused: the mechanism's channel has no calls back, or the call is not from the far side; the journal fails.
    pub async fn callback(&self, mechanism: &Mechanism, inbound: &Inbound<'_>) -> Result<Intake, DispatchError> {
        let callbacks = self.channels.get(mechanism).and_then(|b| b.channel.callbacks());
        let Some(callbacks) = callbacks else {
            return Err(super::Refusal::new(format!("the channel for `{mechanism}` takes no calls back")).into());
        };
        let receipts = callbacks.parse(inbound).map_err(|error| super::Refusal::new(error.to_string()))?;
        self.receive(vec![Received::new("callback", receipts, inbound.body.to_vec())]).await
    }

    async fn take(
        &self,
        record: &Record,
        tokens: &Tokens,
        receipt: &Receipt,
        raw: &[u8],
    ) -> Result<Taken, DispatchError> {
        let Some((id, leg)) = receipt.token.as_ref().and_then(|t| tokens.read(t)) else { return Ok(Taken::Unmatched) };
        loop {
            let Some(write) = self.decide_receipt(record, id, leg, receipt, raw).await? else {
                return Ok(Taken::Unmatched);
            };
            match self.journal.commit(vec![write]).await?.first() {
                Some(Committed::Done(_)) => return Ok(Taken::Recorded),
                Some(Committed::Duplicate) => return Ok(Taken::Repeated),
                Some(Committed::Conflict) | None => {}
            }
        }
    }

    async fn decide_receipt(
        &self,
        record: &Record,
        id: DeliveryId,
        leg: u8,
        receipt: &Receipt,
        raw: &[u8],
    ) -> Result<Option<Write>, DispatchError> {
        let Some(row) = self.journal.read(&[id]).await?.pop() else { return Ok(None) };
        if row.state.legs.get(usize::from(leg)).is_none() {
            return Ok(None);
        }
        let course = match record.gate_index(id.gate).and_then(|index| record.plans.get(index)) {
            Some(plan) => self.course(record, plan, record.roll(self, plan), &row),
            // Its communique has left the plan: it goes no further, and what is heard of it counts.
            None => Some(Path::new(Assurance::Acknowledged, Vec::new())),
        };
        let Some(course) = course else { return Ok(None) };
        // No more than the mechanism can prove, whatever the far side says.
        let mechanism = record.mechanism_of(&row, leg);
        let proves = mechanism.as_ref().and_then(|m| self.prepared.carriers().get(m)).map(|c| c.capabilities.proves);
        let evidence = match (receipt.evidence, proves) {
            (Evidence::Reached(sure), Some(proves)) => Evidence::Reached(sure.min(proves)),
            (evidence, _) => evidence,
        };
        // The token is signed: whoever brings it back has had the message, so negatives and positives count alike.
        let input = DeliveryInput::Receipt { leg, evidence, verified: true };
        let mut facts = row.state.decide(&course, &input, self.clock.now());
        if facts.is_empty() {
            facts.push(DeliveryFact::Noted { leg });
        }
        // Of whoever was erased nothing is kept that comes later, either.
        let is_erased = row.who.as_ref().is_some_and(|who| record.is_stand_in(who));
        let raw = if is_erased { Vec::new() } else { raw.to_vec() };
        // Two far sides may number their receipts alike.
        let of = mechanism.map(|mechanism| format!("{mechanism}:")).unwrap_or_default();
        let record = ReceiptRecord::new(format!("{of}{}", receipt.identity), raw);
        let note = receipt
            .code
            .clone()
            .filter(|_| !is_erased)
            .map(|code| crate::journal::Note { code: Some(code), ..Default::default() });
        Ok(Some(Write::new(Change::Delivery(id, facts), row.version).receipt(Some(record)).note(note)))
    }
}

enum Taken {
    Recorded,
    Repeated,
    Unmatched,
}
