//! What follows from an input to a delivery.

use super::{Delivery, DeliveryFact, DeliveryInput, End, Leg, Shut, Stage, Waiting};
use crate::channel::{ErrorKind, Found};
use crate::clock::Moment;
use crate::communique::Indeterminate;
use crate::course::Facts;
use crate::course::policy::{Finish, Path};
use crate::mechanism::Deduplication;
use crate::receipt::{Assurance, Evidence};
use std::ops::Range;
use std::time::Duration;

/// A decision under way: every fact is applied as it is made, so that the next one is decided on what is true by then.
pub(super) struct Course<'a> {
    path: &'a Path,
    state: Delivery,
    facts: Facts<DeliveryFact>,
    now: Moment,
}

impl<'a> Course<'a> {
    pub(super) fn new(path: &'a Path, state: Delivery, now: Moment) -> Self {
        Self { path, state, facts: Facts::new(), now }
    }

    fn emit(&mut self, fact: DeliveryFact) {
        self.state.apply(&fact);
        self.facts.push(fact);
    }

    fn stage(&self, leg: u8) -> Option<Stage> {
        self.state.legs.get(usize::from(leg)).map(|l| l.stage)
    }

    pub(super) fn take(mut self, input: &DeliveryInput) -> Facts<DeliveryFact> {
        match *input {
            DeliveryInput::Lease(session) => self.facts.extend(self.state.lease(session, self.now)),
            DeliveryInput::Finish { leg, session, finish } => match self.stage(leg) {
                Some(Stage::Flying { session: s }) if s == session => self.finish(leg, finish),
                Some(stage) => {
                    if let Finish::Accepted(sure) = finish {
                        self.late(leg, stage, sure);
                    }
                }
                None => {}
            },
            DeliveryInput::Lost { leg, session } => {
                if self.stage(leg) == Some(Stage::Flying { session }) {
                    self.finish(leg, Finish::Maybe(ErrorKind::Internal));
                }
            }
            DeliveryInput::Posted { leg, finish } => {
                if let Some(Stage::Ready { .. }) = self.stage(leg)
                    && self.state.end.is_none()
                {
                    self.finish(leg, finish);
                }
            }
            DeliveryInput::Tick => self.tick(),
            DeliveryInput::Review => self.review(),
            DeliveryInput::Retry => self.retry(),
            DeliveryInput::Stop => self.end(End::Exhausted),
            DeliveryInput::Ask { leg, until } => self.ask(leg, until),
            DeliveryInput::Answer { leg, asked, found } => {
                // What was answered to an earlier question may be true no more.
                let is_last = self.state.legs.get(usize::from(leg)).is_some_and(|leg| leg.asked == asked);
                if let (Some(Stage::Doubt { .. }), true) = (self.stage(leg), is_last) {
                    self.answer(leg, found);
                }
            }
            DeliveryInput::Receipt { leg, evidence, verified } => self.receipt(leg, evidence, verified),
        }
        self.facts
    }

    fn finish(&mut self, leg: u8, finish: Finish) {
        match finish {
            Finish::Accepted(sure) => {
                let waiting = self.waiting(leg);
                self.emit(DeliveryFact::Accepted { leg, sure, waiting });
                if self.failed_short(leg) {
                    self.shut(leg, Shut::Bounced);
                }
                self.goal();
            }
            Finish::Again { after, kind } => {
                if !self.again(leg, after, kind, false) {
                    self.shut(leg, Shut::Spent(kind));
                }
            }
            Finish::Refused(kind) => self.shut(leg, Shut::Refused(kind)),
            Finish::LaneFault { until, kind } => {
                self.ready(leg, until, false, kind, false);
                self.goal_of_several(Some(leg));
            }
            Finish::Returned => self.ready(leg, self.now, false, ErrorKind::Cancelled, false),
            Finish::Gone => self.shut(leg, Shut::Gone),
            Finish::Maybe(kind) => self.maybe(leg, kind),
        }
    }

    /// Takes late truth about an attempt that was given up for lost.
    fn late(&mut self, leg: u8, stage: Stage, sure: Assurance) {
        match stage {
            Stage::Ready { .. } | Stage::Doubt { .. } => self.finish(leg, Finish::Accepted(sure)),
            _ if self.sure(leg) < Some(sure) => self.prove(leg, sure),
            _ => {}
        }
    }

    /// Makes the leg ready again; or stops it, if the delivery ended while it was flying.
    fn ready(&mut self, leg: u8, at: Moment, counts: bool, kind: ErrorKind, maybe: bool) {
        if self.state.end.is_some() {
            self.emit(DeliveryFact::Shut { leg, why: Shut::Stopped });
        } else {
            let (at, until) = self.slot(leg, at);
            self.emit(DeliveryFact::Again { leg, at, until, counts, kind, maybe });
            self.goal_of_several(None);
        }
    }

    /// When the leg falls into its hours.
    fn slot(&self, leg: u8, at: Moment) -> (Moment, Option<Moment>) {
        self.path.slot(self.step(leg).unwrap_or(u8::MAX), at)
    }

    /// The step that carries a leg.
    fn step(&self, leg: u8) -> Option<u8> {
        self.state.step_in(self.state.legs.get(usize::from(leg))?, self.path)
    }

    /// Whether a leg is by one of these steps.
    fn is_by(&self, leg: &Leg, steps: &Range<u8>) -> bool {
        self.state.step_in(leg, self.path).is_some_and(|step| steps.contains(&step))
    }

    /// The steps that were begun at once last.
    fn last(&self) -> Range<u8> {
        let last = self.state.legs.last().and_then(|leg| self.state.step_in(leg, self.path));
        last.map_or(0..0, |step| self.path.together(step))
    }

    /// The first of the steps that were not begun in this round, and with none of those that are begun at once with it.
    fn following(&self) -> u8 {
        let round = self.round();
        let mut step = 0;
        while usize::from(step) < self.path.steps.len() {
            let together = self.path.together(step);
            if !self.state.legs.iter().any(|leg| leg.round == round && self.is_by(leg, &together)) {
                break;
            }
            step = together.end;
        }
        step
    }

    /// How often the steps were begun once more.
    fn round(&self) -> u8 {
        self.state.legs.last().map_or(0, |leg| leg.round)
    }

    fn sure(&self, leg: u8) -> Option<Assurance> {
        self.state.legs.get(usize::from(leg)).and_then(|l| l.sure)
    }

    /// The condition that stands on the step after this leg's, counted from now.
    fn waiting(&self, leg: u8) -> Option<Waiting> {
        let (unless, within) = self.path.steps.get(usize::from(self.following()))?.unless?;
        let last = self.last();
        let open = last.contains(&self.step(leg)?) && self.state.end.is_none();
        // Of several at once the first that is accepted counts, whatever the far side has asked for since.
        let first = self.state.legs.iter().filter(|l| self.is_by(l, &last)).find_map(|l| match l.stage {
            Stage::Awaiting { waiting: Some(waiting) } => Some(waiting.latest),
            _ => None,
        });
        // The far side may ask for at most as long again, or it could hold the next step off for ever.
        let latest = first.unwrap_or(self.now + within + within);
        open.then_some(Waiting { unless, by: latest - within, latest })
    }

    fn failed_short(&self, leg: u8) -> bool {
        self.state.legs.get(usize::from(leg)).is_some_and(|l| l.failed && l.sure < Some(Assurance::Delivered))
    }

    /// Tries the leg again, if tries and time are left.
    fn again(&mut self, leg: u8, after: Option<Duration>, kind: ErrorKind, maybe: bool) -> bool {
        let Some(tries) = self.state.legs.get(usize::from(leg)).map(|l| l.tries) else { return false };
        let at = self.now + self.path.retries.wait(tries).max(after.unwrap_or_default());
        let room = tries < self.path.retries.tries && self.path.is_in_time(self.slot(leg, at).0);
        if room {
            self.ready(leg, at, true, kind, maybe);
        }
        room
    }

    fn maybe(&mut self, leg: u8, kind: ErrorKind) {
        // A receipt that overtook the outcome has already told what became of it.
        if self.failed_short(leg) {
            return self.shut(leg, Shut::Bounced);
        }
        if let Some(sure) = self.sure(leg).filter(|sure| *sure >= Assurance::Accepted) {
            return self.finish(leg, Finish::Accepted(sure));
        }
        let step = self.step(leg).and_then(|step| self.path.steps.get(usize::from(step)));
        let deduplication = step.map_or(Deduplication::None, |s| s.deduplication);
        let repeat = deduplication == Deduplication::ByKey || self.path.indeterminate == Indeterminate::Resend;
        if deduplication == Deduplication::ByLookup {
            self.emit(DeliveryFact::Doubted { leg, query_at: Some(self.now) });
        } else if !(repeat && self.state.end.is_none() && self.again(leg, None, kind, true)) {
            self.emit(DeliveryFact::Doubted { leg, query_at: None });
        }
        self.goal_of_several(None);
    }

    /// That the far side is asked is recorded before it is asked: whoever dies before the answer asks again.
    fn ask(&mut self, leg: u8, until: Moment) {
        let Some(Stage::Doubt { query_at: Some(at) }) = self.stage(leg) else { return };
        let asked = self.state.legs.get(usize::from(leg)).map_or(0, |leg| leg.asked);
        if at > self.now {
            return;
        }
        self.emit(if asked < self.path.retries.tries {
            DeliveryFact::Asked { leg, until }
        } else {
            DeliveryFact::Doubted { leg, query_at: None }
        });
    }

    fn answer(&mut self, leg: u8, found: Found) {
        match found {
            Found::Found(sure) => self.finish(leg, Finish::Accepted(sure)),
            Found::Absent => {
                if !self.again(leg, None, ErrorKind::Unavailable, false) {
                    self.shut(leg, Shut::NotSent);
                }
            }
            Found::Unknown => {
                let tries = self.state.legs.get(usize::from(leg)).map_or(0, |l| l.tries.saturating_add(l.asked));
                let query_at = (tries < self.path.retries.tries).then(|| self.now + self.path.retries.longest);
                self.emit(DeliveryFact::Doubted { leg, query_at });
            }
        }
    }

    fn tick(&mut self) {
        for leg in 0..u8::try_from(self.state.legs.len()).unwrap_or(u8::MAX) {
            let running = self.state.end.is_none();
            match self.stage(leg) {
                Some(Stage::Ready { until: Some(until), .. }) if running && self.now > until => {
                    let (at, until) = self.slot(leg, self.now);
                    if self.path.is_in_time(at) {
                        self.emit(DeliveryFact::Postponed { leg, at, until });
                        continue;
                    }
                    self.emit(DeliveryFact::Shut { leg, why: Shut::Expired });
                    self.goal_of_several(None);
                    if self.state.end.is_none() && !self.alive() {
                        self.emit(DeliveryFact::Ended(End::Expired));
                    }
                }
                Some(Stage::Awaiting { waiting: Some(waiting) }) if running && waiting.by <= self.now => {
                    self.move_on(leg);
                }
                _ => {}
            }
        }
    }

    fn review(&mut self) {
        let running = self.state.end.is_none();
        let mut changed = false;
        for leg in 0..self.count() {
            let is_ready = matches!(self.stage(leg), Some(Stage::Ready { .. }));
            if running && is_ready && self.step(leg).is_none() {
                self.emit(DeliveryFact::Shut { leg, why: Shut::Gone });
                changed = true;
            }
        }
        let back: Facts<_> = (0..self.count()).filter_map(|leg| Some((leg, self.back(leg)?))).collect();
        // What ended although nobody was told goes on if there is a way again.
        if self.state.end == Some(End::Exhausted)
            && !self.state.told_or_perhaps()
            && (!back.is_empty() || self.has_another())
        {
            self.emit(DeliveryFact::Reopened);
            changed = true;
        }
        if self.state.end.is_none() && !self.state.told_or_perhaps() {
            for (leg, (at, until)) in back {
                self.emit(DeliveryFact::Postponed { leg, at, until });
                changed = true;
            }
        }
        if changed {
            self.next();
        } else {
            // The rule may be another now.
            self.goal_of_several(None);
        }
    }

    fn retry(&mut self) {
        let is_over = matches!(self.state.end, Some(End::Exhausted | End::Expired));
        let in_time = !self.path.steps.is_empty() && self.path.is_in_time(self.path.slot(0, self.now).0);
        let has_room = self.state.legs.len() + self.path.steps.len() <= usize::from(u8::MAX);
        if is_over && in_time && has_room && !self.state.told_or_perhaps() {
            let round = self.round().saturating_add(1);
            self.emit(DeliveryFact::Reopened);
            self.begin_in(round, 0);
        }
    }

    /// When a leg that was given up with its step may be tried, if the plan has the step again.
    fn back(&self, leg: u8) -> Option<(Moment, Option<Moment>)> {
        let of = self.state.legs.get(usize::from(leg)).filter(|of| of.round == self.round())?;
        let Stage::Shut { why: Shut::Gone, not_before } = of.stage else { return None };
        let slot = self.path.slot(self.step(leg)?, not_before.map_or(self.now, |at| at.max(self.now)));
        self.path.is_in_time(slot.0).then_some(slot)
    }

    /// Whether a step that was never begun may be.
    fn has_another(&self) -> bool {
        let following = self.following();
        usize::from(following) < self.path.steps.len() && self.path.is_in_time(self.path.slot(following, self.now).0)
    }

    fn receipt(&mut self, leg: u8, evidence: Evidence, verified: bool) {
        let Some(stage) = self.stage(leg) else { return };
        match evidence {
            Evidence::Reached(sure) if verified => self.prove(leg, sure),
            Evidence::Failed if verified => self.fail(leg, stage),
            Evidence::Delayed { until: Some(until) } if verified => self.delay(leg, stage, until),
            _ => self.emit(DeliveryFact::Noted { leg }),
        }
    }

    fn prove(&mut self, leg: u8, sure: Assurance) {
        let doubt = matches!(self.stage(leg), Some(Stage::Doubt { .. }));
        if doubt && sure >= Assurance::Accepted {
            self.finish(leg, Finish::Accepted(sure));
        } else if self.sure(leg) >= Some(sure) {
            self.emit(DeliveryFact::Noted { leg });
        } else {
            self.emit(DeliveryFact::Proved { leg, sure });
            self.goal();
        }
    }

    fn fail(&mut self, leg: u8, stage: Stage) {
        let known = self.state.legs.get(usize::from(leg)).is_some_and(|l| l.failed);
        if known {
            return self.emit(DeliveryFact::Noted { leg });
        }
        self.emit(DeliveryFact::Failed { leg });
        if !self.failed_short(leg) {
            // It was delivered all the same, to an alias or a forward: a conflict that is recorded and changes nothing.
            return;
        }
        let reached = self.state.end == Some(End::Reached);
        if reached && self.state.best() < Some(self.path.pursue()) {
            self.emit(DeliveryFact::Reopened);
        }
        match stage {
            Stage::Awaiting { .. } | Stage::Doubt { .. } => self.shut(leg, Shut::Bounced),
            Stage::Shut { .. } if reached => self.next(),
            // A bounce that overtakes its own acceptance waits for it.
            Stage::Ready { .. } | Stage::Flying { .. } | Stage::Shut { .. } => {}
        }
    }

    fn delay(&mut self, leg: u8, stage: Stage, until: Moment) {
        if let Stage::Awaiting { waiting: Some(waiting) } = stage {
            let by = until.min(waiting.latest);
            if by > waiting.by {
                return self.emit(DeliveryFact::Delayed { leg, by });
            }
        }
        self.emit(DeliveryFact::Noted { leg });
    }

    fn shut(&mut self, leg: u8, why: Shut) {
        self.emit(DeliveryFact::Shut { leg, why });
        self.next();
    }

    /// Whether any leg may still come to something by itself.
    fn alive(&self) -> bool {
        self.state.legs.iter().any(|leg| match leg.stage {
            Stage::Ready { .. } | Stage::Flying { .. } | Stage::Doubt { .. } => true,
            Stage::Awaiting { .. } => !leg.failed,
            Stage::Shut { .. } => false,
        })
    }

    /// Moves on from all steps that were begun at once with this leg's: their time is over.
    fn move_on(&mut self, leg: u8) {
        let together = self.step(leg).map_or(0..0, |step| self.path.together(step));
        let last = self.last();
        for other in 0..self.count() {
            let among = self.state.legs.get(usize::from(other)).is_some_and(|l| self.is_by(l, &together));
            let is_among = other == leg || among;
            if let (true, Some(Stage::Awaiting { .. })) = (is_among, self.stage(other)) {
                self.emit(DeliveryFact::Shut { leg: other, why: Shut::MovedOn });
            }
        }
        // What was delivered and came back does not keep the chain from moving on before its time is over.
        if last == together {
            self.begin(self.following());
        } else {
            self.next();
        }
    }

    fn count(&self) -> u8 {
        u8::try_from(self.state.legs.len()).unwrap_or(u8::MAX)
    }

    /// Takes up again the legs that were stopped because another had reached the goal, which it has not kept; `false` if there are none.
    fn revive(&mut self) -> bool {
        let mut any = false;
        for leg in 0..self.count() {
            let Some(Stage::Shut { why: Shut::Stopped, not_before }) = self.stage(leg) else { continue };
            let failed = self.state.legs.get(usize::from(leg)).is_some_and(|leg| leg.failed);
            let (at, until) = self.slot(leg, not_before.map_or(self.now, |at| at.max(self.now)));
            if !failed && self.step(leg).is_some() && self.path.is_in_time(at) {
                let kind = ErrorKind::Cancelled;
                self.emit(DeliveryFact::Again { leg, at, until, counts: true, kind, maybe: false });
                any = true;
            }
        }
        any
    }

    /// Whether a leg of the last step keeps the chain from moving on: it may be tried yet, or was taken over, and what is waited for
    /// may still come.
    fn holds(&self, leg: &Leg, unless: Option<Assurance>) -> bool {
        match leg.stage {
            Stage::Ready { .. } | Stage::Flying { .. } | Stage::Doubt { .. } => true,
            // One whose timer is gone although nothing came of it waits for nothing.
            Stage::Awaiting { waiting } => {
                !leg.failed && (waiting.is_some() || unless.is_none_or(|unless| self.state.best() >= Some(unless)))
            }
            Stage::Shut { .. } => false,
        }
    }

    /// Begins the next step if nothing of the last one keeps it from that, or ends the delivery if none is left and nothing else can come.
    fn next(&mut self) {
        self.goal_of_several(None);
        if self.state.end.is_some() || self.revive() {
            return;
        }
        let (last, following) = (self.last(), self.following());
        let unless = self.path.steps.get(usize::from(following)).and_then(|s| s.unless).map(|(unless, _)| unless);
        // One whose step is gone keeps the chain as it did, if it was the last; and so does one that came back.
        let newest = self.state.legs.len().saturating_sub(1);
        let counts = |(n, leg): &(usize, &Leg)| {
            *n == newest || self.is_by(leg, &last) || matches!(leg.stage, Stage::Ready { .. } | Stage::Flying { .. })
        };
        if !self.state.legs.iter().enumerate().filter(counts).any(|(_, leg)| self.holds(leg, unless)) {
            self.begin(following);
        }
    }

    /// Begins a step, and those that are begun at once with it; or ends the delivery, if there is none and nothing else can come.
    fn begin(&mut self, step: u8) {
        self.begin_in(self.round(), step);
    }

    fn begin_in(&mut self, round: u8, step: u8) {
        let several = self.path.steps.iter().any(|s| s.is_joined);
        let (mut any, mut there) = (false, false);
        for step in self.path.together(step) {
            let Some(next) = self.path.steps.get(usize::from(step)) else { break };
            let (lane, rides) = (next.lane, several && next.is_shared);
            let (at, until) = self.path.slot(step, self.now);
            there = true;
            if self.path.is_in_time(at) {
                self.emit(DeliveryFact::Begun { step, lane, at, until, rides, round });
                any = true;
            }
        }
        if !any && !self.alive() {
            self.emit(DeliveryFact::Ended(if there { End::Expired } else { End::Exhausted }));
        }
    }

    fn goal(&mut self) {
        self.goal_though(None);
    }

    /// Ends the delivery if what it pursues is reached. Of several steps at once each is tried first, unless the person has answered; a
    /// try that failed with its lane does not count, and is `tried` all the same.
    fn goal_though(&mut self, tried: Option<u8>) {
        let best = self.state.best();
        if self.state.end.is_some() || best < Some(self.path.pursue()) {
            return;
        }
        if best < Some(Assurance::Acknowledged) && self.is_untried(tried) {
            return;
        }
        self.end(End::Reached);
    }

    /// Ends the delivery: nothing is begun any more.
    fn end(&mut self, end: End) {
        if self.state.end.is_some() {
            return;
        }
        for leg in 0..self.count() {
            if let Some(Stage::Ready { .. }) = self.stage(leg) {
                self.emit(DeliveryFact::Shut { leg, why: Shut::Stopped });
            }
        }
        self.emit(DeliveryFact::Ended(end));
    }

    /// Whether one of the steps that were begun at once last was never tried.
    fn is_untried(&self, tried: Option<u8>) -> bool {
        let last = self.last();
        let untried = |l: &Leg| matches!(l.stage, Stage::Ready { .. }) && l.tries == 0;
        let mut legs = self.state.legs.iter().zip(0u8..).filter(|(l, _)| self.is_by(l, &last));
        last.len() > 1 && legs.any(|(l, n)| untried(l) && tried != Some(n))
    }

    /// Whether the goal, which waited for the first try of each of several steps at once, is reached by now.
    fn goal_of_several(&mut self, tried: Option<u8>) {
        // That an attempt was begun ends nothing: it may have been refused by now.
        if self.state.best() > Some(Assurance::Attempted) {
            self.goal_though(tried);
        }
    }
}
