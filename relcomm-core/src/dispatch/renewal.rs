//! What it means for what is out that the plan was prepared again.

use super::driver::{Driver, alongside};
use super::gates::{PAGE, decide_all};
use super::intake::refuse;
use super::{DispatchError, Dispatcher, Record};
use crate::clock::Moment;
use crate::course::{DeliveryInput, End, Gate, GateInput, Head, HeadFact, Leg, Phase, Shut, Stage};
use crate::id::{DeliveryId, GateNo, LaneNo};
use crate::journal::{Change, Entrant, GateRow, Row, Write};
use crate::prepare::{GatePlan, Kept, Roll};
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

    /// What is kept of whoever stands at a row.
    pub(crate) async fn kept_at(&self, row: DeliveryId) -> Result<Option<Arc<str>>, DispatchError> {
        let next = self.journal.kept(row.gate, row.ordinal, 1).await?.pop();
        Ok(next.filter(|(ordinal, _)| *ordinal == row.ordinal).map(|(_, kept)| kept))
    }

    /// What would be kept of whoever stands at a row, as they are told now.
    fn kept_now(&self, roll: &Roll, row: &Row) -> Option<Kept> {
        let (number, path) = self.seat(roll, row)?;
        self.prepared.keep_member(number, roll.path(path)?)
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
    /// Keeps, at the beginning of a run, where those are told of whom nothing is kept: they were entered by a plan in which nothing corrected
    /// what they hear.
    pub(super) async fn keep_what_lacks(&mut self) -> Result<(), DispatchError> {
        let on = self.on;
        for index in 0..self.record.gates.len() {
            let Some((plan, row)) = self.record.plans.get(index).zip(self.record.gates.get(index)) else { break };
            if !self.keeps_anew(plan) || row.tally.rows == 0 || self.is_replaced() {
                continue;
            }
            let roll = self.record.roll(on, plan);
            // They are kept in their order: whoever was stopped has not come to the last.
            let most = u32::try_from(PAGE).unwrap_or(u32::MAX);
            let end = on.journal.scan(row.no, row.tally.rows.saturating_sub(most), PAGE).await?;
            let last = end.iter().rev().find(|delivery| on.seat(roll, delivery).is_some());
            if let Some(last) = last
                && on.kept_at(last.id).await?.is_some()
            {
                continue;
            }
            let mut from = 0;
            loop {
                let page = on.journal.scan(row.no, from, PAGE).await?;
                let Some(last) = page.last() else { break };
                let kept: BTreeMap<u32, Arc<str>> = on.journal.kept(row.no, from, PAGE).await?.into_iter().collect();
                from = last.id.ordinal + 1;
                let lacks = page.iter().filter(|delivery| !kept.contains_key(&delivery.id.ordinal));
                let lacking: Vec<_> =
                    lacks.filter_map(|row| Some(entrant(row, on.kept_now(roll, row)?.text()?))).collect();
                if !lacking.is_empty() {
                    on.journal.keep(row.no, lacking).await?;
                }
            }
        }
        Ok(())
    }

    /// Keeps where they are told who are about to be tried: if the plan was prepared again since they were entered, that may be elsewhere than it
    /// was then. By what somebody has heard already they are kept as they were.
    pub(super) async fn keep_leased(&mut self, rows: &[Row]) -> Result<(), DispatchError> {
        if !self.record.head.prepared_again {
            return Ok(());
        }
        let on = self.on;
        let mut anew: BTreeMap<GateNo, Vec<(u32, Entrant)>> = BTreeMap::new();
        for row in rows {
            let plan = self.record.gate_index(row.id.gate).and_then(|index| self.record.plans.get(index));
            let Some(plan) = plan.filter(|plan| self.keeps_anew(plan)) else { continue };
            let Some(now) = on.kept_now(self.record.roll(on, plan), row) else { continue };
            let before = alongside(&mut self.flights, &mut self.landed, on.kept_at(row.id)).await?;
            let now = self.kept_for(row, now, before.as_deref()).and_then(|now| now.text());
            if let Some(now) = now.filter(|now| before.as_ref() != Some(now)) {
                anew.entry(row.id.gate).or_default().push(entrant(row, now));
            }
        }
        for (gate, anew) in anew {
            alongside(&mut self.flights, &mut self.landed, on.journal.keep(gate, anew)).await?;
        }
        Ok(())
    }

    /// What is to be kept of somebody who is about to be tried: how they are told now if they have heard nothing, else only where the mechanism
    /// that tries them reaches them, if it has not told them before.
    fn kept_for(&self, row: &Row, now: Kept, before: Option<&str>) -> Option<Kept> {
        let has_heard = |leg: &&Leg| leg.has_told() || matches!(leg.stage, Stage::Doubt { .. });
        let heard: Vec<LaneNo> = row.state.legs.iter().filter(has_heard).map(|leg| leg.lane).collect();
        if heard.is_empty() {
            return Some(now);
        }
        let (leg, _) = row.state.flying()?;
        let mechanism = self.record.mechanism_of(row, leg)?;
        if heard.into_iter().any(|lane| self.record.mechanism_on(lane).as_ref() == Some(&mechanism)) {
            return None;
        }
        match (now, Kept::read(row.id.ordinal, before?)?) {
            (Kept::Member { who: now, .. }, Kept::Member { mut who, path }) => {
                let address = now.addresses.get(&mechanism)?.clone();
                who.addresses.insert(mechanism, address);
                Some(Kept::Member { who, path })
            }
            _ => None,
        }
    }

    /// Whether what is kept of a gate's people may be of an earlier plan. What is gathered goes by what is kept.
    fn keeps_anew(&self, plan: &GatePlan) -> bool {
        let prepared = &self.on.prepared;
        self.record.head.prepared_again && prepared.is_corrected(plan) && !prepared.is_gathered(plan)
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

fn entrant(row: &Row, kept: Arc<str>) -> (u32, Entrant) {
    (row.id.ordinal, Entrant::new(row.who.clone()).kept(Some(kept)))
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
