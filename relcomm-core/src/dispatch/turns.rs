//! The driver's turns: gates are told what is true, riders credited, timers taken, attempts leased, outcomes committed.

use super::DispatchError;
use super::driver::{BATCH, Driver, alongside};
use super::flight::Landing;
use super::gates::{decide_all, from_head};
use super::work::Settled;
use crate::channel::{Accepted, Answered, AttemptContext, ChannelError, ErrorKind, Outcome, Retry};
use crate::clock::Moment;
use crate::course::{Delivery, DeliveryFact, DeliveryInput, Facts, Finish, GateInput, LaneInput, Phase, Stage, judge};
use crate::id::{DeliveryId, GateNo, LaneNo};
use crate::journal::{Change, Committed, LaneRow, Note, Row, Tally, Want, Write};
use crate::mechanism::{Capabilities, Deduplication};
use crate::prepare::SHARED;
use crate::receipt::Assurance;
use smallvec::smallvec;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What happened to a delivery, on the row on which it is decided, and what is noted of it.
type Happened = (Row, DeliveryInput, Option<Arc<Note>>);

/// What is done with decisions.
enum Then {
    Commit,
    CommitAndLease,
}

impl Driver<'_> {
    // --- gates --------------------------------------------------------------------------------------------------------------------

    /// Tells every gate what is true, opens those that may, and enters the next deliveries of those that are opening.
    pub(super) async fn turn_gates(&mut self) -> Result<bool, DispatchError> {
        if self.settled_gates() && !self.turn.is_multiple_of(16) {
            return Ok(false);
        }
        self.refresh().await?;
        if self.is_replaced() {
            // By the other bundle it is judged otherwise what is approved.
            return Ok(false);
        }
        let now = self.on.clock.now();
        let mut any = false;
        for index in 0..self.record.gates.len() {
            any |= self.turn_gate(index, now).await?;
        }
        Ok(any)
    }

    /// Whether no gate is waiting or opening: then a look now and then is enough.
    fn settled_gates(&mut self) -> bool {
        self.turn = self.turn.wrapping_add(1);
        !self.flights.is_empty()
            && self
                .record
                .gates
                .iter()
                .all(|g| matches!(g.state.phase, Phase::Open | Phase::Settled | Phase::Closed(_)))
    }

    async fn turn_gate(&mut self, index: usize, now: Moment) -> Result<bool, DispatchError> {
        let on = self.on;
        let plans = Arc::clone(&self.record.plans);
        let Some(plan) = plans.get(index) else { return Ok(false) };
        let Some(row) = self.record.gates.get(index) else { return Ok(false) };
        let mut inputs = from_head(&on.prepared, plan, &self.record.head, row, now);
        if row.state.phase == Phase::Waiting {
            inputs.extend(self.dependences(index).await?);
            inputs.push(GateInput::Tick);
        }
        let Some(row) = self.record.gates.get(index) else { return Ok(false) };
        let (quiet, entered) = (row.tally.running == 0, row.tally.rows);
        if self.heard_more(plan).await? {
            inputs.push(GateInput::Widen { entered });
        }
        let Some(row) = self.record.gates.get(index) else { return Ok(false) };
        inputs.extend(quiet.then_some(GateInput::Quiet));
        let (_, facts) = decide_all(&row.state, inputs, |s| on.rule(plan, &self.record.head, s), now);
        if !facts.is_empty() {
            let write = Write::new(Change::Gate(row.no, facts), row.version);
            self.commit(vec![write]).await?;
            self.refresh().await?;
            return Ok(true);
        }
        if let Phase::Opening { cursor } = row.state.phase {
            let gathers = on.prepared.is_gathered(plan) || row.state.widened.is_some();
            let mut gathering = None;
            let chunk = if gathers {
                let known = self.gatherings.remove(&index).filter(|(version, _)| *version == row.version);
                let mut so_far = match known {
                    Some((_, so_far)) => so_far,
                    None => {
                        let call = on.gathering(&self.record, plan);
                        alongside(&mut self.flights, &mut self.landed, call).await?
                    }
                };
                let call = on.gather(&self.record, plan, &row.state, &mut so_far, cursor);
                let chunk = alongside(&mut self.flights, &mut self.landed, call).await?;
                gathering = Some((row.version + 1, so_far));
                chunk
            } else {
                on.chunk(&self.record, plan, on.prepared.roll(plan), &row.state, cursor)
            };
            let rolled = GateInput::Rolled { to: chunk.to, last: chunk.last };
            let (_, facts) = decide_all(&row.state, [rolled], |s| on.rule(plan, &self.record.head, s), now);
            let call = on.journal.enter(row.no, row.version, facts, chunk.runs, chunk.who);
            let entered = alongside(&mut self.flights, &mut self.landed, call).await?;
            self.gatherings.extend(gathering.filter(|_| entered).map(|so_far| (index, so_far)));
            // What this gate says may speak of posts that are out by now.
            self.late_version = None;
            self.refresh().await?;
            return Ok(true);
        }
        Ok(false)
    }

    /// How the requirements of a waiting gate stand, judged again only when what they look at has changed.
    async fn dependences(&mut self, index: usize) -> Result<Vec<GateInput>, DispatchError> {
        let on = self.on;
        let plans = Arc::clone(&self.record.plans);
        let Some(plan) = plans.get(index) else { return Ok(Vec::new()) };
        let mut inputs = Vec::new();
        for (number, requirement) in plan.requirements.iter().enumerate() {
            let seen: Vec<(Phase, Tally)> = requirement
                .on
                .iter()
                .filter_map(|i| self.record.gates.get(*i))
                .map(|g| (g.state.phase, g.tally))
                .collect();
            let known = self.judged.get(&(index, number)).filter(|(then, _)| then == &seen).map(|(_, is)| *is);
            // A waiting gate may come to stand by when something is declared; that is not in its tally.
            let waits = seen.iter().any(|(phase, _)| *phase == Phase::Waiting);
            let is = match known {
                Some(is) if !waits => is,
                _ => {
                    let now = on.clock.now();
                    let call = on.dependence(&self.record, plan.revised.is_some(), requirement, now);
                    let is = alongside(&mut self.flights, &mut self.landed, call).await?;
                    self.judged.insert((index, number), (seen, is));
                    is
                }
            };
            inputs.push(GateInput::Dependence { index: u8::try_from(number).unwrap_or(u8::MAX), is });
        }
        Ok(inputs)
    }

    // --- posts --------------------------------------------------------------------------------------------------------------------

    /// Credits the posts that are decided to those who share them.
    pub(super) async fn credit_posts(&mut self) -> Result<bool, DispatchError> {
        let on = self.on;
        let mut any = false;
        let plans = Arc::clone(&self.record.plans);
        for (index, plan) in plans.iter().enumerate() {
            let Some(row) = self.record.gates.get(index) else { continue };
            if row.tally.running == 0 || !row.state.leasable() {
                continue;
            }
            let roll = &Arc::clone(self.record.roll(on, plan));
            let (gate, tally) = (row.no, row.tally);
            for post in roll.posts() {
                let ordinal = post.ordinal;
                let state = on.journal.read(&[DeliveryId { gate, ordinal }]).await?.pop();
                let Some(state) = state.filter(|row| row.who.is_none()) else { continue };
                let Some(finish) = outcome_of(&state.state) else { continue };
                let Some(lane) = self.record.shared_lane(&post.mechanism) else { continue };
                let credit = |rider: Row| {
                    let (leg, ..) =
                        rider.state.ready_leg().filter(|_| on.shares(&self.record, roll, &rider, ordinal))?;
                    Some((rider, DeliveryInput::Posted { leg, finish }, None))
                };
                let now = on.clock.now();
                let first = on.journal.ready(gate, lane, now, BATCH).await?;
                let is_full = first.len() == BATCH;
                let mut inputs: Vec<Happened> = first.into_iter().filter_map(credit).collect();
                if inputs.is_empty() && is_full && self.behind.get(&(index, ordinal)) != Some(&tally) {
                    // Those of another post that is not decided may stand before them all.
                    inputs =
                        on.journal.ready(gate, lane, now, usize::MAX).await?.into_iter().filter_map(credit).collect();
                    if inputs.is_empty() {
                        self.behind.insert((index, ordinal), tally);
                    }
                }
                any |= self.decide_and_commit(inputs).await?;
            }
        }
        Ok(any)
    }

    /// Credits posts to those who have another leg, begun at once, that waits for its time or its lane: by their post they are not found.
    /// A look at each such gate, when nothing else is to be done, and again only when something has changed.
    pub(super) async fn credit_hidden(&mut self) -> Result<bool, DispatchError> {
        let on = self.on;
        let mut any = false;
        let plans = Arc::clone(&self.record.plans);
        for (index, plan) in plans.iter().enumerate() {
            let Some(row) = self.record.gates.get(index) else { continue };
            let (gate, tally) = (row.no, row.tally);
            if tally.running == 0 || !row.state.leasable() || self.hidden.get(&index) == Some(&tally) {
                continue;
            }
            let roll = &Arc::clone(self.record.roll(on, plan));
            if !roll.is_mixed() {
                continue;
            }
            let posts: Vec<DeliveryId> =
                roll.posts().iter().map(|post| DeliveryId { gate, ordinal: post.ordinal }).collect();
            let posts = on.journal.read(&posts).await?;
            let decided: Vec<(u32, Finish)> = posts
                .iter()
                .filter(|post| post.who.is_none())
                .filter_map(|post| Some((post.id.ordinal, outcome_of(&post.state)?)))
                .collect();
            let mut inputs = Vec::new();
            for lane in self.record.lanes.iter().filter(|l| !l.name.starts_with(SHARED) && !decided.is_empty()) {
                for rider in on.journal.ready(gate, lane.no, Moment::MAX, usize::MAX).await? {
                    let credit = |(ordinal, finish): &(u32, Finish)| {
                        Some(DeliveryInput::Posted {
                            leg: on.waits_for(&self.record, roll, &rider, *ordinal)?,
                            finish: *finish,
                        })
                    };
                    if let Some(input) = decided.iter().find_map(credit) {
                        inputs.push((rider, input, None));
                    }
                }
            }
            if !self.decide_and_commit(inputs).await? {
                self.hidden.insert(index, tally);
                continue;
            }
            any = true;
        }
        Ok(any)
    }

    // --- leases -------------------------------------------------------------------------------------------------------------------

    pub(super) async fn lease(&mut self) -> Result<bool, DispatchError> {
        // Gates of which nothing may be tried now must not use up what others could: those are asked once these have had nothing.
        let mut asked = BTreeSet::new();
        loop {
            let (wants, all) = self.wants(&asked);
            if wants.is_empty() {
                return Ok(false);
            }
            self.refresh_late().await?;
            if self.is_replaced() {
                return Ok(false);
            }
            let session = self.session().await?;
            let now = self.on.clock.now();
            let call = self.on.journal.lease(session, &wants, now);
            let rows = alongside(&mut self.flights, &mut self.landed, call).await?;
            self.keep_leased(&rows).await?;
            if self.begin_flights(rows, now) {
                return Ok(true);
            }
            if all {
                return Ok(false);
            }
            asked.extend(wants.iter().map(|want| (want.gate, want.lane)));
        }
    }

    /// Commits outcomes, and leases in the same breath what may fly in their place: a durable journal then waits for its disk once, not
    /// twice. The commit is given first: what has landed is not counted as flying beside what takes its place.
    async fn commit_and_lease(&mut self, writes: Vec<Write>) -> Result<Vec<Committed>, DispatchError> {
        let ready = self.late_version == Some(self.record.head_version) && !self.on.options.cancellation.is_cancelled();
        let Some(session) = self.session_now().filter(|_| ready && !self.is_replaced()) else {
            return self.commit(writes).await;
        };
        let (wants, _) = self.wants(&BTreeSet::new());
        if wants.is_empty() {
            return self.commit(writes).await;
        }
        let now = self.on.clock.now();
        let on = self.on;
        let both = futures_util::future::join(on.journal.commit(writes), on.journal.lease(session, &wants, now));
        let (done, rows) = alongside(&mut self.flights, &mut self.landed, both).await;
        let (done, rows) = (done?, rows?);
        self.keep_leased(&rows).await?;
        self.begin_flights(rows, now);
        Ok(done)
    }

    /// Begins an attempt for each leased row; `false` if there are none.
    fn begin_flights(&mut self, rows: Vec<Row>, now: Moment) -> bool {
        if rows.is_empty() {
            return false;
        }
        // Its memory serves every lease.
        let mut work = std::mem::take(&mut self.work);
        self.on.work(&self.record, &self.tokens, &self.late, &mut self.texts, rows, &mut work);
        // Texts that differ cannot share a call, so there may be more calls than permits: those are given back, not made to wait.
        let mut permits: BTreeMap<LaneNo, u32> = BTreeMap::new();
        work.flights.retain_mut(|flight| {
            let left = permits.entry(flight.lane).or_insert_with(|| self.permits(flight.lane));
            if let Some(less) = left.checked_sub(1) {
                *left = less;
                return true;
            }
            let back = || Outcome::Failed(ChannelError::new(ErrorKind::Cancelled, ""));
            let back = flight.rows.drain(..).map(|(row, leg)| (row, leg, flight.lane, Settled::As(back())));
            work.settled.extend(back);
            false
        });
        for (row, leg, lane, settled) in work.settled.drain(..) {
            let outcome = match settled {
                Settled::As(outcome) => outcome,
                Settled::Gone => {
                    self.landed.push(Landing::Gone { row, leg });
                    continue;
                }
            };
            let (rows, outcomes) = (smallvec![(row, leg)], smallvec![outcome]);
            self.landed.push(Landing::Attempt { lane, rows, outcomes, said: None });
            let air = self.airborne.entry(lane).or_default();
            air.calls += 1;
            air.recipients += 1;
        }
        // What surrounds them is the same for all that begin now on a lane.
        let mut contexts: BTreeMap<LaneNo, Arc<AttemptContext>> = BTreeMap::new();
        for flight in work.flights.drain(..) {
            let air = self.airborne.entry(flight.lane).or_default();
            let recipients = u32::try_from(flight.items.len()).unwrap_or(u32::MAX);
            air.calls += 1;
            air.recipients += recipients;
            let can = flight.channel.capabilities();
            if can.rate.is_some() {
                self.on.rates.spend(flight.lane, recipients, now);
            }
            let cx = contexts.entry(flight.lane).or_insert_with(|| {
                let cx = AttemptContext::new(Arc::clone(&self.on.clock), can.timeout);
                Arc::new(cx.cancellation(self.stop.clone()))
            });
            let cx = Arc::clone(cx);
            self.flights.begin(cx.deadline, |limit| flight.fly(cx, limit));
        }
        self.work = work;
        true
    }

    /// What may be leased now: for each lane its free permits, dealt to the open gates in turn, but for those that were asked already. And
    /// whether they went round: that no gate is left that was neither asked before nor is asked now.
    fn wants(&self, asked: &BTreeSet<(GateNo, LaneNo)>) -> (Vec<Want>, bool) {
        let now = self.on.clock.now();
        let airborne = self.airborne.values().fold(0u32, |n, air| n.saturating_add(air.recipients));
        let whole = self.on.options.window.saturating_sub(airborne);
        let mut window = whole;
        let gates: Vec<(GateNo, bool)> = self
            .record
            .gates
            .iter()
            .zip(self.record.plans.iter())
            .filter(|(g, _)| g.state.leasable() && g.tally.running > g.tally.flying)
            .map(|(g, plan)| (g.no, self.on.prepared.is_personal(plan)))
            .collect();
        let lanes: Vec<LaneNo> =
            self.record.lanes.iter().filter(|l| !l.name.starts_with(SHARED)).map(|l| l.no).collect();
        let mut wants = Vec::new();
        let mut all = true;
        for no in lanes {
            let Some((_, channel)) = self.channel_of(no) else { continue };
            let can = channel.capabilities();
            let mut calls = self.permits(no);
            let free = self.recipients(no, can, now).min(whole);
            if calls == 0 || free == 0 {
                // Nothing more may fly here now, whoever asks.
                continue;
            }
            let mut left = free.min(window);
            for step in 0..gates.len() {
                let Some((gate, personal)) = gates.get((self.turn + step) % gates.len()) else { continue };
                if asked.contains(&(*gate, no)) {
                    continue;
                }
                let waiting = u32::try_from(gates.len() - step).unwrap_or(u32::MAX);
                let share = calls.div_ceil(waiting);
                // A personal text goes alone, whatever the channel offers.
                let per_call = if *personal { 1 } else { can.per_call.get() };
                let max = share.saturating_mul(per_call).min(left);
                all &= max > 0;
                if max > 0 {
                    wants.push(Want::new(*gate, no, max));
                    calls -= max.div_ceil(per_call);
                    left -= max;
                    window -= max;
                }
            }
        }
        (wants, all)
    }

    /// How many calls may be begun on a lane now.
    fn permits(&self, no: LaneNo) -> u32 {
        let state = self.record.lanes.iter().find(|l| l.no == no).map(|l| l.state);
        let most = self.channel_of(no).map(|(_, channel)| channel.capabilities().concurrency.get());
        let calls = self.airborne.get(&no).map_or(0, |air| air.calls);
        state.zip(most).map_or(0, |(state, most)| state.permits(most).saturating_sub(calls))
    }

    /// How many recipients a lane may take on now.
    fn recipients(&self, no: LaneNo, can: &Capabilities, now: Moment) -> u32 {
        let airborne = self.airborne.get(&no).map_or(0, |air| air.recipients);
        let exposure = self.on.prepared.plan().exposure().filter(|_| can.deduplication == Deduplication::None);
        let exposed = exposure.map_or(u32::MAX, |most| most.get().saturating_sub(airborne));
        let rate = can.rate.map_or(u32::MAX, |rate| self.on.rates.free(no, rate, now));
        exposed.min(rate)
    }

    /// When a lane that has spent its rate may go on.
    pub(super) fn rate_opens(&self) -> Option<Moment> {
        self.record.lanes.iter().filter_map(|lane| self.on.rate_opens(lane)).min()
    }

    // --- outcomes -----------------------------------------------------------------------------------------------------------------

    pub(super) async fn settle_landed(&mut self) -> Result<bool, DispatchError> {
        if self.landed.is_empty() {
            return Ok(false);
        }
        let now = self.on.clock.now();
        let mut inputs = Vec::with_capacity(self.landed.len());
        let mut landed = std::mem::replace(&mut self.landed, std::mem::take(&mut self.settled));
        for landing in landed.drain(..) {
            match landing {
                Landing::Attempt { lane, rows, outcomes, said } => {
                    if let Some(air) = self.airborne.get_mut(&lane) {
                        air.calls = air.calls.saturating_sub(1);
                        air.recipients = air.recipients.saturating_sub(u32::try_from(rows.len()).unwrap_or(0));
                    }
                    for ((row, leg), outcome) in rows.into_iter().zip(outcomes) {
                        let (finish, input) = judge(&outcome);
                        let is_fault = matches!(finish, Finish::LaneFault { .. });
                        // Nearly every outcome leaves the lane as it is.
                        let finish = if !is_fault && self.stays(lane, &input, now) {
                            finish
                        } else {
                            self.with_lane(lane, finish, input, now).await?
                        };
                        let Some((_, session)) = row.state.flying() else { continue };
                        let note = note_of(outcome, said.as_ref());
                        inputs.push((row, DeliveryInput::Finish { leg, session, finish }, Some(note)));
                    }
                }
                Landing::Gone { row, leg } => {
                    let Some((_, session)) = row.state.flying() else { continue };
                    inputs.push((row, DeliveryInput::Finish { leg, session, finish: Finish::Gone }, None));
                }
                Landing::Answer { id, leg, asked, answered } => {
                    if let Some(row) = self.on.journal.read(&[id]).await?.pop() {
                        let found = answered.found;
                        inputs.push((row, DeliveryInput::Answer { leg, asked, found }, note_of_answer(answered)));
                    }
                }
            }
        }
        self.settled = landed;
        self.decide_and(inputs, Then::CommitAndLease).await?;
        Ok(true)
    }

    /// Whether the lane stays as it is.
    fn stays(&self, lane: LaneNo, input: &LaneInput, now: Moment) -> bool {
        let row = self.record.lanes.iter().find(|l| l.no == lane);
        row.is_some_and(|row| row.state.decide(&self.on.options.retries, input, now).is_none())
    }

    /// Tells the lane, and fills in when it is tried again.
    async fn with_lane(
        &mut self,
        lane: LaneNo,
        finish: Finish,
        input: LaneInput,
        now: Moment,
    ) -> Result<Finish, DispatchError> {
        let opens = |driver: &Self| driver.record.lanes.iter().find(|l| l.no == lane)?.state.timer();
        let before = opens(self);
        self.lane_input(lane, input, now).await?;
        Ok(match finish {
            Finish::LaneFault { kind, .. } => {
                let until = opens(self).unwrap_or(now);
                if until > now && before != Some(until) {
                    let mechanism = self.record.lanes.iter().find(|l| l.no == lane).map_or("", LaneRow::mechanism);
                    tracing::info!(mechanism, %kind, %until, "the channel failed, and is left alone for a while");
                }
                Finish::LaneFault { until, kind }
            }
            finish => finish,
        })
    }

    pub(super) async fn decide_and_commit(&mut self, inputs: Vec<Happened>) -> Result<bool, DispatchError> {
        self.decide_and(inputs, Then::Commit).await
    }

    /// Decides inputs on the rows that came with them, commits, and decides again on fresh rows what met a conflict. `false` if nothing
    /// followed from any of them: the same again would come to nothing too.
    async fn decide_and(&mut self, mut inputs: Vec<Happened>, mut then: Then) -> Result<bool, DispatchError> {
        let now = self.on.clock.now();
        let mut any = false;
        while !inputs.is_empty() {
            let mut writes = Vec::with_capacity(inputs.len());
            let mut written = Vec::with_capacity(inputs.len());
            for (row, input, note) in inputs {
                let Some(course) = self.courses.of(self.on, &self.record, &row) else { continue };
                let facts: Facts<DeliveryFact> = row.state.decide(course, &input, now);
                if !facts.is_empty() {
                    writes.push(Write::new(Change::Delivery(row.id, facts), row.version).note(note.clone()));
                    written.push((row.id, input, note));
                }
            }
            if writes.is_empty() {
                return Ok(any);
            }
            any = true;
            let done = match std::mem::replace(&mut then, Then::Commit) {
                Then::Commit => self.commit(writes).await?,
                Then::CommitAndLease => self.commit_and_lease(writes).await?,
            };
            let conflicts: Vec<_> =
                written.into_iter().zip(done).filter(|(_, c)| *c == Committed::Conflict).map(|(w, _)| w).collect();
            inputs = Vec::with_capacity(conflicts.len());
            for (id, input, note) in conflicts {
                inputs.extend(self.on.journal.read(&[id]).await?.pop().map(|row| (row, input, note)));
            }
        }
        Ok(any)
    }
}

/// How a post ended for those who share it; `None` while that is open or in doubt.
fn outcome_of(post: &Delivery) -> Option<Finish> {
    let leg = post.legs.last()?;
    match leg.stage {
        Stage::Awaiting { .. } => leg.sure.map(Finish::Accepted),
        Stage::Shut { why, .. } => match (leg.sure, why) {
            (Some(sure), _) if sure >= Assurance::Accepted && !leg.failed => Some(Finish::Accepted(sure)),
            (_, crate::course::Shut::Refused(kind) | crate::course::Shut::Spent(kind)) => Some(Finish::Refused(kind)),
            _ => Some(Finish::Refused(ErrorKind::Unavailable)),
        },
        Stage::Ready { .. } | Stage::Flying { .. } | Stage::Doubt { .. } => None,
    }
}

/// What is noted of an answer: what the far side would have said when it took it over.
fn note_of_answer(answered: Answered) -> Option<Arc<Note>> {
    let Answered { reference, url, .. } = answered;
    let says = reference.is_some() || url.is_some();
    says.then(|| Arc::new(Note { reference, url, ..Note::default() }))
}

/// What is noted of an attempt: what was said, and what the far side adds.
fn note_of(outcome: Outcome, said: Option<&Arc<Note>>) -> Arc<Note> {
    let mut note = match (&outcome, said) {
        (Outcome::Accepted(Accepted { reference: None, url: None, .. }), Some(said)) => return Arc::clone(said),
        (_, said) => said.map(|said| Note::clone(said)).unwrap_or_default(),
    };
    match outcome {
        Outcome::Accepted(accepted) => {
            note.reference = accepted.reference;
            note.url = accepted.url;
        }
        Outcome::Failed(error) => {
            if error.retry == Retry::Never {
                tracing::debug!(kind = %error.kind, "an attempt was refused");
            }
            note.text = Some(error.message().to_owned()).filter(|m| !m.is_empty());
            note.code = error.code;
        }
    }
    Arc::new(note)
}
