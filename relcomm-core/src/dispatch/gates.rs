//! What the gates of a plan are told: by the head, and by each other.

use super::{DispatchError, Dispatcher, Record};
use crate::clock::Moment;
use crate::communique::State;
use crate::course::{Dependence, Facts, Gate, GateFact, GateInput, GateRule, Head, Phase, Verdict};
use crate::id::{DeliveryId, GateNo, Role};
use crate::journal::{GateRow, Row};
use crate::prepare::{GatePlan, PathPlan, PreparedPlan, Requirement, Roll};
use crate::receipt::Assurance;
use crate::release::Outcome;
use smallvec::SmallVec;

/// How many rows are read at a time.
pub(super) const PAGE: usize = 1024;

/// Above so many deliveries a dependency on all of them is judged by the tally alone while some are still running.
pub(super) const MANY: u32 = 20_000;

/// The roles whose approval the gate needs, and does not have or not any more.
pub(crate) fn unapproved<'a>(
    prepared: &'a PreparedPlan,
    gate: &'a GatePlan,
    head: &'a Head,
    is_out: bool,
    now: Moment,
) -> impl Iterator<Item = &'a Role> {
    let approvals = prepared.plan().approvals();
    // An approval holds for so long before what it is for goes out.
    let since = if is_out { Moment::MIN } else { approvals.since(now) };
    let holds = move |role: &Role| head.approved(role, prepared.digests(), approvals.covers_people, since);
    let of = approvals.need.iter().filter(|need| need.retrospective.is_none());
    of.filter(|need| need.only.is_empty() || need.only.contains(&gate.id.communique))
        .map(|need| &need.role)
        .filter(move |role| !holds(role))
}

/// What the head says to a gate, once it knows whether deliveries of its move. Each of these is a fact only where it is news.
pub(crate) fn from_head(
    prepared: &PreparedPlan,
    gate: &GatePlan,
    head: &Head,
    row: &GateRow,
    now: Moment,
) -> SmallVec<[GateInput; 4]> {
    let mut inputs = SmallVec::new();
    if row.tally.running > 0 {
        // What was settled and moves again is held or cancelled as what is open.
        inputs.push(GateInput::Stir);
    }
    let is_out = row.state.is_out();
    inputs.push(GateInput::Approve(unapproved(prepared, gate, head, is_out, now).next().is_none()));
    let begun = || {
        let begins = gate.id.place.is_none() && prepared.communique(gate).outcome == Outcome::Begun;
        head.begun().filter(|_| begins).map(|at| (Outcome::Begun, at))
    };
    if let Some((outcome, at)) = head.declared(gate.id.place.as_ref(), prepared.places()).or_else(begun) {
        inputs.push(GateInput::Declare(outcome, at));
    }
    inputs.push(GateInput::Hold(head.is_held(&gate.id.communique)));
    if head.is_cancelled(&gate.id.communique) {
        inputs.push(GateInput::Cancel);
    }
    inputs
}

/// Decides several inputs in turn, each on what is true after the one before.
pub(crate) fn decide_all(
    state: &Gate,
    inputs: impl IntoIterator<Item = GateInput>,
    rule: impl Fn(&Gate) -> GateRule,
    now: Moment,
) -> (Gate, Facts<GateFact>) {
    let mut state = state.clone();
    let mut all = Facts::new();
    for input in inputs {
        for fact in state.decide(&rule(&state), &input, now) {
            state.apply(&fact);
            all.push(fact);
        }
    }
    (state, all)
}

/// What a gate that has not begun to open means for one that waits for it; `None` while that is open.
fn while_waiting(requirement: &Requirement, verdict: Verdict) -> Option<bool> {
    match (requirement.state, verdict) {
        (State::Drained, Verdict::Standby | Verdict::Blocked(_)) => Some(true),
        (State::Drained, _) => None,
        // Whoever is not due is settled; at the same place nothing else can come of them as things stand.
        (state, Verdict::Standby) => Some(requirement.others || state == State::Settled),
        (_, Verdict::Blocked(_)) => Some(false),
        _ => None,
    }
}

impl Dispatcher {
    pub(crate) fn rule(&self, gate: &GatePlan, head: &Head, state: &Gate) -> GateRule {
        // Whoever is told at the same instant everywhere need not be looked at.
        let zones = if gate.is_zoned() && gate.revised.is_none() { self.prepared.roll(gate).zones() } else { &[] };
        let mut rule = gate.rule(self.prepared.plan(), self.prepared.places(), head, state, zones);
        rule.unsteady = self.unsteady();
        rule.gap = self.open_gaps(head).next().is_some();
        rule
    }

    /// A gate once it has heard all that is said, as the next dispatch tells it.
    pub(super) fn as_said(&self, record: &Record, plan: &GatePlan, row: &GateRow) -> Gate {
        let now = self.clock.now();
        let said = from_head(&self.prepared, plan, &record.head, row, now);
        decide_all(&row.state, said, |state| self.rule(plan, &record.head, state), now).0
    }

    /// How a requirement of a gate stands.
    pub(crate) async fn dependence(
        &self,
        record: &Record,
        for_revision: bool,
        requirement: &Requirement,
        now: Moment,
    ) -> Result<Dependence, DispatchError> {
        let mut impossible = false;
        // What is drained may come to be under way again.
        let mut moot = requirement.state == State::Drained;
        for &on in &requirement.on {
            let (Some(plan), Some(row)) = (record.plans.get(on), record.gates.get(on)) else { continue };
            let is = match self.still_waits(record, plan, row, now) {
                // It tells the new time when it opens.
                Some(_) if requirement.state == State::Drained && for_revision => Some(true),
                Some(verdict) => {
                    moot |= verdict == Verdict::Standby;
                    while_waiting(requirement, verdict)
                }
                None if requirement.state == State::Drained => self.drained(row).await?,
                None => self.one_dependence(record, requirement, plan, row).await?,
            };
            match is {
                Some(true) => {}
                Some(false) => impossible = true,
                None => return Ok(Dependence::Pending),
            }
        }
        Ok(match (impossible, moot) {
            (true, _) => Dependence::Impossible,
            (false, true) => Dependence::Moot { at: now },
            (false, false) => Dependence::Met { at: now },
        })
    }

    /// What the conditions of a gate that has not begun to open come to by all that is said; nothing, once it has or never will.
    fn still_waits(&self, record: &Record, plan: &GatePlan, row: &GateRow, now: Moment) -> Option<Verdict> {
        if row.state.phase != Phase::Waiting {
            return None;
        }
        let state = self.as_said(record, plan, row);
        let rule = self.rule(plan, &record.head, &state);
        (state.phase == Phase::Waiting).then(|| state.verdict(&rule, now))
    }

    /// Whether one gate meets a requirement; `None` while that is open.
    async fn one_dependence(
        &self,
        record: &Record,
        requirement: &Requirement,
        plan: &GatePlan,
        row: &GateRow,
    ) -> Result<Option<bool>, DispatchError> {
        if matches!(row.state.phase, Phase::Opening { .. }) {
            return Ok(None);
        }
        if !row.state.is_out() {
            // Closed before it opened: given up. A revision that nobody has called is nothing to wait for.
            let is_idle = plan.revised.is_some() && !row.state.called;
            return Ok(Some(is_idle || requirement.state == State::Settled));
        }
        let rules = self.rules_of(requirement, plan);
        if !rules.is_empty() {
            return self.counted(record, requirement.state, &rules, plan, row).await;
        }
        let roll = record.roll(self, plan);
        if requirement.group.is_none()
            && let State::Reached(assurance) = requirement.state
            && row.tally.rows > MANY
            && row.tally.running > 0
        {
            let all = row.tally.reached(assurance) >= row.tally.rows;
            return Ok(all.then_some(true));
        }
        let group = requirement.group.as_ref().map(|group| self.numbers_in(roll, group));
        let held = if row.tally.doubt > 0 { self.held_posts(row.no, roll).await? } else { Vec::new() };
        let closed = matches!(row.state.phase, Phase::Closed(_));
        let mut verdict = Some(true);
        let mut from = 0;
        loop {
            let page = self.journal.scan(row.no, from, PAGE).await?;
            let Some(last) = page.last() else { return Ok(verdict) };
            from = last.id.ordinal + 1;
            for delivery in &page {
                let Some((person, path)) = self.seat(roll, delivery) else { continue };
                if group.as_ref().is_some_and(|members| !members.contains(&person)) {
                    continue;
                }
                let Some(path) = roll.path(path) else { continue };
                match self.has_reached((requirement.state, closed), record, (roll, path), delivery, &held) {
                    Some(true) => {}
                    Some(false) => verdict = Some(false),
                    None => return Ok(None),
                }
            }
        }
    }

    /// Whether a delivery has reached a state; `None` while that is open.
    pub(super) fn has_reached(
        &self,
        (state, closed): (State, bool),
        record: &Record,
        (roll, path): (&Roll, &PathPlan),
        delivery: &Row,
        held: &[u32],
    ) -> Option<bool> {
        match self.reached(state, path, delivery) {
            // Held: nothing comes of it but by a person's word.
            None if delivery.state.is_held() || held.iter().any(|p| self.shares(record, roll, delivery, *p)) => {
                Some(false)
            }
            // A gate that is closed keeps what it has and gets no more.
            None if closed => Some(state == State::Settled),
            reached => reached,
        }
    }

    /// The posts of a gate of which nobody knows what became.
    pub(crate) async fn held_posts(&self, gate: GateNo, roll: &Roll) -> Result<Vec<u32>, DispatchError> {
        let posts: Vec<DeliveryId> =
            roll.posts().iter().map(|post| DeliveryId { gate, ordinal: post.ordinal }).collect();
        let rows = self.journal.read(&posts).await?;
        Ok(rows.iter().filter(|r| r.who.is_none() && r.state.is_held()).map(|r| r.id.ordinal).collect())
    }

    fn reached(&self, state: State, path: &PathPlan, delivery: &Row) -> Option<bool> {
        let best = delivery.state.best();
        let ended = delivery.state.end.is_some();
        let wanted: Assurance = match state {
            State::Reached(assurance) => assurance,
            State::Informed => path.informed_when,
            State::Settled | State::Drained => {
                return (ended || best >= Some(path.pursue()) || best >= Some(path.informed_when)).then_some(true);
            }
        };
        if best >= Some(wanted) {
            Some(true)
        } else if ended {
            Some(false)
        } else {
            None
        }
    }
}
