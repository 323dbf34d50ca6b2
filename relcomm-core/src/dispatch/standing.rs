//! Where a dispatch stands: what is pending, on what it waits, and when to call again.

use super::gates::{decide_all, unapproved};
use super::{DispatchError, Dispatcher, OpenApproval, Record};
use crate::clock::{Moment, rfc3339_option};
use crate::course::{Embargo, Gate, GateInput, Lane, Phase, Verdict};
use crate::id::{GateId, Role};
use crate::journal::GateRow;
use crate::prepare::{GatePlan, SHARED};
use serde::Serialize;
use std::sync::Arc;

/// Where a dispatch stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Standing {
    /// The gates of which something may still come, and on what they wait.
    pub pending: Vec<Pending>,
    /// When something is next due by itself.
    #[serde(serialize_with = "rfc3339_option")]
    pub next_due: Option<Moment>,
    /// How many deliveries are held because nobody knows whether they went out.
    pub held: u32,
    /// The approvals that may come after the release and have not come in time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub approvals_open: Vec<OpenApproval>,
}

impl Standing {
    /// Whether nothing is pending.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.pending.is_empty()
    }

    /// Whether something waits for a person's consent: an approval, or that a gap is accepted.
    #[must_use]
    pub fn lacks_consent(&self) -> bool {
        self.pending.iter().any(|pending| pending.approval)
    }
}

/// A gate of which something may still come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Pending {
    /// The gate; or the approval that may come after the release.
    pub gate: String,
    /// On what it waits.
    pub waiting_for: String,
    /// When it is due, if that is known and still to come.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "rfc3339_option")]
    pub due: Option<Moment>,
    /// Whether it is a person's consent that it waits for: an approval, an answer, or that a gap is accepted.
    #[serde(skip)]
    pub approval: bool,
}

/// On what waits whoever is out and not yet informed.
const TRIES: &str = "receipts, acknowledgements or tries";

impl Pending {
    fn new(gate: &GateId, waiting_for: impl Into<String>) -> Self {
        Self { gate: gate.to_string(), waiting_for: waiting_for.into(), due: None, approval: false }
    }
}

impl Dispatcher {
    /// Where the dispatch stands by the record.
    ///
    /// # Errors
    /// The journal fails.
    pub async fn standing(&self) -> Result<Standing, DispatchError> {
        let mut record = Record::read(self).await?;
        self.foresee(&mut record).await?;
        let mut standing = self.standing_of(&record).await?;
        self.recall_rates(&record).await?;
        self.look_at_ready(&record, &mut standing).await?;
        Ok(standing)
    }

    /// What could be tried at once, and is not because nobody dispatches or because its channel has to be mended first. A dispatcher that runs
    /// has tried what it may; only whoever looks at the record needs to be told.
    async fn look_at_ready(&self, record: &Record, standing: &mut Standing) -> Result<(), DispatchError> {
        let now = self.clock.now();
        let timers = if self.unsteady().is_none() { self.journal.timers(now, 1).await? } else { Vec::new() };
        let rows = record.plans.iter().zip(&record.gates);
        for (plan, row) in rows.filter(|(_, row)| row.tally.running > 0 && row.state.leasable()) {
            let gate = plan.id.to_string();
            let Some(pending) = standing.pending.iter_mut().find(|pending| pending.gate == gate) else { continue };
            let mut is_ready = timers.iter().any(|timer| timer.id.gate == row.no);
            for lane in record.lanes.iter().filter(|lane| !lane.name.starts_with(SHARED)) {
                let until = if matches!(lane.state, Lane::Barred { .. }) { Moment::MAX } else { now };
                if self.journal.ready(row.no, lane.no, until, 1).await?.is_empty() {
                    continue;
                }
                let mechanism = lane.mechanism();
                match lane.state {
                    Lane::Barred { kind } => {
                        pending.waiting_for =
                            format!("`{mechanism}` to be mended ({kind}), and the next dispatch after that");
                    }
                    Lane::Down { until, .. } if until > now => {
                        if pending.waiting_for == TRIES {
                            pending.waiting_for = format!("`{mechanism}`, which failed, to be tried again at {until}");
                        }
                    }
                    _ => match self.rate_opens(lane) {
                        Some(at) => {
                            if pending.waiting_for == TRIES {
                                pending.waiting_for = format!("`{mechanism}`, whose rate is spent until {at}");
                            }
                            standing.next_due = Some(standing.next_due.map_or(at, |due| due.min(at)));
                        }
                        None => is_ready = true,
                    },
                }
            }
            if is_ready {
                if pending.waiting_for == TRIES {
                    pending.waiting_for = "the next dispatch".to_owned();
                }
                standing.next_due = Some(standing.next_due.map_or(now, |at| at.min(now)));
            }
        }
        Ok(())
    }

    /// Tells gates what was said, and those that wait how others stand: a gate that the plan did not have then has not heard it, nor any that
    /// its words were changed, and what has come about since the last dispatch is in no gate's state yet.
    async fn foresee(&self, record: &mut Record) -> Result<(), DispatchError> {
        let now = self.clock.now();
        let plans = Arc::clone(&record.plans);
        for (index, plan) in plans.iter().enumerate() {
            let Some(row) = record.gates.get(index) else { continue };
            let rule = |state: &Gate| self.rule(plan, &record.head, state);
            let mut state = self.as_said(record, plan, row);
            let waits = state.phase == Phase::Waiting;
            if waits && matches!(state.verdict(&rule(&state), now), Verdict::Depends(_) | Verdict::Undetermined) {
                let mut inputs = Vec::new();
                for (number, requirement) in plan.requirements.iter().enumerate() {
                    let is = self.dependence(record, plan.revised.is_some(), requirement, now).await?;
                    inputs.push(GateInput::Dependence { index: u8::try_from(number).unwrap_or(u8::MAX), is });
                }
                (state, _) = decide_all(&state, inputs, rule, now);
            }
            if let Some(row) = record.gates.get_mut(index) {
                row.state = state;
            }
        }
        Ok(())
    }

    pub(crate) async fn standing_of(&self, record: &Record) -> Result<Standing, DispatchError> {
        let now = self.clock.now();
        let mut standing = Standing::default();
        let mut next: Vec<Moment> = Vec::new();
        let settles = self.settles(record, now);
        // Whoever is yet to be tried, or waits for a step that is set, is not unconfirmed.
        let settled = settles.is_some_and(|at| at <= now) && self.journal.next_due(now).await?.is_none();
        for (plan, row) in record.plans.iter().zip(&record.gates) {
            match row.state.phase {
                Phase::Waiting => {
                    let rule = self.rule(plan, &record.head, &row.state);
                    let mut pending = Pending::new(&plan.id, "");
                    match row.state.verdict(&rule, now) {
                        Verdict::Standby | Verdict::Blocked(_) => continue,
                        Verdict::AwaitsDeclaration => {
                            let approval = self.approval_wanted(record, plan, row.state.is_out(), now);
                            let approval = approval.map(|approval| format!(", and {approval}")).unwrap_or_default();
                            pending.waiting_for = format!("declaration{approval}");
                        }
                        Verdict::AwaitsApproval => {
                            // It may have been given since the gate was last told.
                            let approval = self.approval_wanted(record, plan, row.state.is_out(), now);
                            pending.waiting_for = approval.unwrap_or_else(|| "approval".to_owned());
                            pending.approval = true;
                        }
                        Verdict::AwaitsAcceptance => {
                            let gaps = self.open_gaps(&record.head).count();
                            let gaps = if gaps == 1 { "a gap".to_owned() } else { format!("{gaps} gaps") };
                            pending.waiting_for =
                                format!("{gaps} to be accepted: who must be informed and cannot be reached");
                            pending.approval = true;
                        }
                        Verdict::Held => pending.waiting_for = "resume".into(),
                        Verdict::Embargoed(until) => {
                            pending.waiting_for = match rule.embargo {
                                Some(Embargo::Lift) => "the embargo to be lifted".into(),
                                _ => "the end of the embargo".into(),
                            };
                            pending.due = until;
                            next.extend(until);
                        }
                        Verdict::Unsteady(stable) => {
                            pending.waiting_for = "the clock, which has jumped, to prove stable".into();
                            next.push(stable);
                        }
                        Verdict::Undetermined => pending.waiting_for = "its time to be known".into(),
                        Verdict::Depends(index) => {
                            let on = plan.requirements.get(usize::from(index));
                            pending.waiting_for = on.map(ToString::to_string).unwrap_or_default();
                        }
                        Verdict::BlockedUntil(index, at) => {
                            let on = plan.requirements.get(usize::from(index)).map(ToString::to_string);
                            pending.waiting_for = format!("blocked: {}", on.unwrap_or_default());
                            pending.due = Some(at);
                            next.push(at.max(now));
                        }
                        Verdict::Asks(index) => {
                            let on = plan.requirements.get(usize::from(index)).map(ToString::to_string);
                            let role = self.asked(plan).map(ToString::to_string).unwrap_or_default();
                            let on = on.unwrap_or_default();
                            pending.waiting_for = format!("{role} is asked: blocked by {on}");
                            pending.approval = true;
                        }
                        Verdict::Due(at) => {
                            pending.waiting_for = "its time".into();
                            pending.due = Some(at);
                            next.push(at);
                        }
                        Verdict::Opens | Verdict::Expires => {
                            pending.waiting_for = "the next dispatch".into();
                            next.push(now);
                        }
                    }
                    next.extend(rule.not_after.filter(|at| *at >= now).map(|at| Moment::from_millis(at.millis() + 1)));
                    standing.pending.push(pending);
                }
                Phase::Opening { .. } => {
                    standing.pending.push(Pending::new(&plan.id, "the next dispatch"));
                    next.push(now);
                }
                Phase::Open | Phase::Settled => {
                    let behind =
                        if row.tally.doubt > 0 { self.behind_held_posts(record, plan, row, now).await? } else { 0 };
                    standing.held += row.tally.doubt + behind;
                    let running = row.tally.running.saturating_sub(row.tally.doubt + behind);
                    let stands_by = row.state.is_overtaken() && row.tally.flying == 0;
                    if running == 0 || stands_by || (settled && row.tally.flying == 0) {
                        continue;
                    }
                    let mut pending = Pending::new(&plan.id, TRIES);
                    if !row.state.leasable() {
                        pending.waiting_for = if row.state.held { "resume" } else { "declaration or approval" }.into();
                        pending.approval = !row.state.approved;
                    }
                    standing.pending.push(pending);
                    next.extend(settles.filter(|at| *at > now));
                    // Another dispatcher's flights end in time, or its session does.
                    next.extend((row.tally.flying > 0).then(|| now + self.options.session));
                }
                Phase::Closed(_) => {}
            }
        }
        for open in self.open_approvals(&record.head, now) {
            if !open.late {
                standing.pending.push(Pending {
                    gate: format!("approval by {}", open.role),
                    waiting_for: format!("it, until {}", open.until),
                    due: None,
                    approval: false,
                });
                next.push(Moment::from_millis(open.until.millis() + 1));
            }
            standing.approvals_open.push(open);
        }
        if !standing.pending.is_empty() {
            let due = self.journal.next_due(now).await?;
            // Timers are not taken by a clock that has jumped.
            let stable = self.unsteady();
            next.extend(due.map(|at| if at <= now { stable.unwrap_or(at) } else { at }));
            next.extend(record.lanes.iter().filter_map(|l| l.state.timer()));
        }
        standing.next_due = next.into_iter().min();
        Ok(standing)
    }

    /// Whether a gate, cancelled or not, is meant for another outcome than that declared.
    pub(crate) fn is_for_another(&self, record: &Record, plan: &GatePlan, row: &GateRow) -> bool {
        let declared = record.head.declared(plan.id.place.as_ref(), self.prepared.places());
        Gate::is_for_another(&self.rule(plan, &record.head, &row.state), declared.map(|(outcome, _)| outcome))
    }

    /// The approval that a gate lacks, and by whom or why; `None` if it has what it needs.
    fn approval_wanted(&self, record: &Record, plan: &GatePlan, is_out: bool, now: Moment) -> Option<String> {
        if let Some(void) = self.voided(plan, &record.head) {
            return Some(format!("approval: {void}"));
        }
        let roles: Vec<&str> = unapproved(&self.prepared, plan, &record.head, is_out, now).map(Role::as_str).collect();
        (!roles.is_empty()).then(|| format!("approval by {}", roles.join(" and ")))
    }

    /// How many members wait for a post of which nobody knows what became: they are held with it.
    async fn behind_held_posts(
        &self,
        record: &Record,
        plan: &GatePlan,
        row: &GateRow,
        now: Moment,
    ) -> Result<u32, DispatchError> {
        let roll = record.roll(self, plan);
        let mut behind = 0;
        for ordinal in self.held_posts(row.no, roll).await? {
            let Some(post) = roll.post(ordinal) else { continue };
            let Some(lane) = record.shared_lane(&post.mechanism) else { continue };
            for rider in self.journal.ready(row.no, lane, now, usize::MAX).await? {
                behind += u32::from(self.shares(record, roll, &rider, ordinal));
            }
        }
        Ok(behind)
    }

    /// When an unconfirmed person becomes final: so long after the last due gate opened, or somebody came to it, if every gate that is due has.
    pub(crate) fn settles(&self, record: &Record, now: Moment) -> Option<Moment> {
        let settle = self.prepared.plan().settle()?;
        let mut last = None;
        for (plan, row) in record.plans.iter().zip(&record.gates) {
            match (row.state.phase, row.state.opened) {
                (Phase::Waiting, _) => {
                    let rule = self.rule(plan, &record.head, &row.state);
                    if !matches!(row.state.verdict(&rule, now), Verdict::Standby | Verdict::Blocked(_)) {
                        return None;
                    }
                }
                // Whoever came later has as long as the others had.
                (_, opened) => last = last.max(opened).max(row.state.widened),
            }
        }
        last.map(|at| at + settle)
    }
}
