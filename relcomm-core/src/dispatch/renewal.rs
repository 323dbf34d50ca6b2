//! What it means for what is out that the plan was prepared again.

use super::driver::Driver;
use super::gates::{PAGE, decide_all};
use super::intake::refuse;
use super::{DispatchError, Dispatcher, Record};
use crate::clock::Moment;
use crate::course::{DeliveryInput, End, Gate, GateInput, Head, HeadFact, Phase, Shut, Stage};
use crate::journal::{Change, Entrant, GateRow, Row, Write};
use crate::prepare::GatePlan;
use crate::receipt::Assurance;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Dispatcher {
    /// Whether this bundle goes on with what the record has begun. [`run`](Self::run) and [`step`](Self::step) look at it themselves.
    ///
    /// # Errors
    /// Refused: a communique is out for the release and would now be told at each place, or the other way round; or once, and would now be
    /// told at several times: everybody would be told again. Or the plan has another planned time than was told by what corrects slips. Or
    /// the journal fails.
    pub async fn continues(&self) -> Result<(), DispatchError> {
        self.goes_on(&Record::read(self).await?).await
    }

    /// The record, once it knows that this bundle is dispatched from now on.
    pub(super) async fn renewed(&self) -> Result<Record, DispatchError> {
        let mut record = self.enrol().await?;
        while record.head.digests.as_ref() != Some(self.prepared.digests()) {
            self.goes_on(&record).await?;
            // Somebody may write meanwhile: then it is looked at again.
            self.record_together(&record, self.renewal(&record.head), None).await?;
            record = Record::read(self).await?;
        }
        Ok(record)
    }

    /// The planned time before it moved: that which was told, whatever the plan says by now.
    pub(crate) fn first_planned(&self, head: &Head) -> Option<Moment> {
        if head.digests.is_some() { head.by_plan } else { self.prepared.planned() }
    }

    /// What the record is to know of this bundle: that it is dispatched from now on, and its planned time.
    pub(super) fn renewal(&self, head: &Head) -> Vec<HeadFact> {
        let mut facts = vec![HeadFact::Prepared(self.prepared.digests().clone())];
        let by_plan = self.prepared.planned();
        if by_plan != head.by_plan && (head.digests.is_none() || head.slips.is_empty()) {
            facts.push(HeadFact::Planned { by_plan });
        }
        facts
    }

    /// Refuses another planned time than that which somebody was told, and who is to hear when it moves.
    fn tells_the_same_time(&self, record: &Record) -> Result<(), DispatchError> {
        let (head, planned) = (&record.head, self.prepared.planned());
        let first = self.first_planned(head);
        if planned == first || planned == head.planned(first) {
            return Ok(());
        }
        let tells =
            |(plan, row): &(&GatePlan, &GateRow)| row.state.is_out() && self.prepared.communique(plan).corrects_slips;
        let Some((plan, _)) = record.plans.iter().zip(&record.gates).find(tells) else { return Ok(()) };
        let word = |at: Option<Moment>| at.map_or_else(|| "open".to_owned(), |at| at.to_string());
        refuse(format!(
            "the planned time is {} in the plan, and `{}` has told {}: leave it as it was there, and say `slip`, so that whoever heard it \
             hears that it moved",
            word(planned),
            plan.id.communique,
            word(head.planned(first)),
        ))
    }

    pub(super) async fn goes_on(&self, record: &Record) -> Result<(), DispatchError> {
        self.tells_the_same_time(record)?;
        let known = self.journal.gates().await?;
        for out in known.iter().filter(|row| row.state.is_out()) {
            if record.plans.iter().any(|plan| plan.id == out.id) {
                continue;
            }
            let id = &out.id.communique;
            let waiting = record.plans.iter().zip(&record.gates).filter(|(_, row)| !row.state.is_out());
            for plan in waiting.map(|(plan, _)| plan).filter(|plan| &plan.id.communique == id) {
                let is_at = (out.id.place.is_some(), plan.id.place.is_some());
                let is_timed = (out.id.occurrence.is_some(), plan.id.occurrence.is_some());
                let times = "leave its times as they were";
                let (how, mend) = match (is_at, is_timed) {
                    ((false, true), _) => {
                        ("is out for the release as a whole, and would now be told at each place", "say `per: release`")
                    }
                    ((true, false), _) => {
                        ("is out at a place, and would now be told for the release as a whole", "say `per: place`")
                    }
                    (_, (false, true)) => ("is out, and would now be told at several times", times),
                    (_, (true, false)) => ("is out at one of several times, and would now be told once", times),
                    _ => continue,
                };
                return refuse(format!(
                    "`{id}` {how}: everybody would be told again. In the plan, {mend}, or say what is new in a communique of its own"
                ));
            }
        }
        Ok(())
    }
}

impl Driver<'_> {
    /// Keeps anew, at the beginning of a run, what those are told by who have heard nothing yet: where a correction will go. Of everybody, if
    /// the plan did not say when they were entered that they might be corrected.
    pub(super) async fn keep_anew(&mut self) -> Result<(), DispatchError> {
        if !self.record.head.prepared_again || self.is_replaced() {
            return Ok(());
        }
        let on = self.on;
        for (plan, row) in self.record.plans.iter().zip(&self.record.gates) {
            if row.tally.rows == 0 || !on.prepared.is_corrected(plan) || on.prepared.is_gathered(plan) {
                continue;
            }
            // They are kept in their order: whoever was stopped has not come to the last.
            let are_kept = !on.journal.kept(row.no, row.tally.rows - 1, 1).await?.is_empty();
            if are_kept && row.tally.reached(Assurance::Accepted) >= row.tally.rows {
                continue;
            }
            let roll = self.record.roll(on, plan);
            let mut from = 0;
            loop {
                let page = on.journal.scan(row.no, from, PAGE).await?;
                let Some(last) = page.last() else { break };
                let kept: BTreeMap<u32, Arc<str>> = on.journal.kept(row.no, from, PAGE).await?.into_iter().collect();
                from = last.id.ordinal + 1;
                let mut anew = Vec::new();
                for delivery in page {
                    let before = kept.get(&delivery.id.ordinal);
                    let has_heard = delivery.state.told_or_perhaps() || delivery.state.perhaps_before();
                    let seat = on.seat(roll, &delivery).filter(|_| before.is_none() || !has_heard);
                    let Some((number, path)) = seat.and_then(|(number, path)| Some((number, roll.path(path)?))) else {
                        continue;
                    };
                    let now = on.prepared.keep_member(number, path).and_then(|now| now.text());
                    if now.as_ref() != before {
                        anew.push((delivery.id.ordinal, Entrant::new(delivery.who).kept(now)));
                    }
                }
                if !anew.is_empty() {
                    on.journal.keep(row.no, anew).await?;
                }
            }
        }
        Ok(())
    }

    /// Looks, once in a run, at all that is out: what the plan no longer has steps or people for is given up, and what was given up for that,
    /// or has a new way to whoever nobody has reached, is begun.
    pub(super) async fn review(&mut self) -> Result<bool, DispatchError> {
        if !self.record.head.prepared_again {
            return Ok(false);
        }
        let mut any = false;
        for index in 0..self.record.gates.len() {
            let Some(row) = self.record.gates.get(index).filter(|row| row.state.leasable()) else { continue };
            let (gate, tally) = (row.no, row.tally);
            let is_over = tally.running == 0 && tally.reached(Assurance::Accepted) >= tally.rows;
            if matches!(row.state.phase, Phase::Opening { .. }) || !self.reviewed.insert(index) || is_over {
                continue;
            }
            let mut from = 0;
            loop {
                let page = self.on.journal.scan(gate, from, PAGE).await?;
                let Some(last) = page.last() else { break };
                from = last.id.ordinal + 1;
                let open = page.into_iter().filter(may_change);
                let inputs = open.map(|row| (row, DeliveryInput::Review, None)).collect();
                any |= self.decide_and_commit(inputs).await?;
            }
        }
        if any {
            self.refresh().await?;
        }
        Ok(any)
    }

    /// Enters the posts for which somebody waits and which were not made when the gate opened. A look at each such gate, when nothing else is to
    /// be done, and again only when something has changed.
    pub(super) async fn enter_what_lacks(&mut self) -> Result<bool, DispatchError> {
        if !self.record.head.prepared_again {
            return Ok(false);
        }
        let on = self.on;
        let plans = Arc::clone(&self.record.plans);
        for (index, plan) in plans.iter().enumerate() {
            let Some(row) = self.record.gates.get(index) else { continue };
            let tally = row.tally;
            if tally.running == 0 || !row.state.leasable() || self.lacking.get(&index) == Some(&tally) {
                continue;
            }
            if !on.a_post_is_lacking(&self.record, plan, row).await? {
                self.lacking.insert(index, tally);
                continue;
            }
            let widen = GateInput::Widen { entered: tally.rows };
            let rule = |state: &Gate| on.rule(plan, &self.record.head, state);
            let (_, facts) = decide_all(&row.state, [widen], rule, on.clock.now());
            if !facts.is_empty() {
                self.commit(vec![Write::new(Change::Gate(row.no, facts), row.version)]).await?;
                self.refresh().await?;
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whether a review may come to something: nearly everybody was told.
fn may_change(row: &Row) -> bool {
    let state = &row.state;
    let is_ready = state.legs.iter().any(|leg| matches!(leg.stage, Stage::Ready { .. }));
    let is_gone = state.legs.iter().any(|leg| matches!(leg.stage, Stage::Shut { why: Shut::Gone, .. }));
    match state.end {
        // What it pursues may be another now.
        None => is_ready || is_gone || state.best() > Some(Assurance::Attempted),
        Some(End::Exhausted) => !state.told_or_perhaps(),
        Some(End::Reached | End::Expired) => false,
    }
}
