//! What follows from an input to a delivery.

use super::{Delivery, DeliveryFact, DeliveryInput, End, Shut, Stage, Waiting};
use crate::channel::{ErrorKind, Found};
use crate::clock::Moment;
use crate::communique::Indeterminate;
use crate::course::Facts;
use crate::course::policy::{Finish, Path};
use crate::mechanism::Deduplication;
use crate::receipt::{Assurance, Evidence};
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
            DeliveryInput::Stop => self.end(End::Exhausted),
            DeliveryInput::Answer { leg, found } => {
                if let Some(Stage::Doubt { .. }) = self.stage(leg) {
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
                if !self.again(leg, after, kind) {
                    self.shut(leg, Shut::Spent(kind));
                }
            }
            Finish::Refused(kind) => self.shut(leg, Shut::Refused(kind)),
            Finish::LaneFault { until, kind } => self.ready(leg, until, false, kind),
            Finish::Returned => self.ready(leg, self.now, false, ErrorKind::Cancelled),
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
    fn ready(&mut self, leg: u8, at: Moment, counts: bool, kind: ErrorKind) {
        if self.state.end.is_some() {
            self.emit(DeliveryFact::Shut { leg, why: Shut::Stopped });
        } else {
            let (at, until) = self.slot(leg, at);
            self.emit(DeliveryFact::Again { leg, at, until, counts, kind });
        }
    }

    /// When the leg falls into its hours.
    fn slot(&self, leg: u8, at: Moment) -> (Moment, Option<Moment>) {
        let step = self.state.legs.get(usize::from(leg)).map_or(0, |l| l.step);
        self.path.slot(step, at)
    }

    fn sure(&self, leg: u8) -> Option<Assurance> {
        self.state.legs.get(usize::from(leg)).and_then(|l| l.sure)
    }

    /// The condition that stands on the step after this leg's, counted from now.
    fn waiting(&self, leg: u8) -> Option<Waiting> {
        let step = self.state.legs.get(usize::from(leg))?.step;
        let last = self.state.legs.iter().map(|l| l.step).max()?;
        let (unless, within) = self.path.steps.get(usize::from(step) + 1)?.unless?;
        let open = step == last && self.state.end.is_none();
        let by = self.now + within;
        // The far side may ask for at most as long again, or it could hold the next step off for ever.
        open.then_some(Waiting { unless, by, latest: by + within })
    }

    fn failed_short(&self, leg: u8) -> bool {
        self.state.legs.get(usize::from(leg)).is_some_and(|l| l.failed && l.sure < Some(Assurance::Delivered))
    }

    /// Tries the leg again, if tries and time are left.
    fn again(&mut self, leg: u8, after: Option<Duration>, kind: ErrorKind) -> bool {
        let Some(tries) = self.state.legs.get(usize::from(leg)).map(|l| l.tries) else { return false };
        let at = self.now + self.path.retries.wait(tries).max(after.unwrap_or_default());
        let room = tries < self.path.retries.tries && self.path.is_in_time(self.slot(leg, at).0);
        if room {
            self.ready(leg, at, true, kind);
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
        let step = self.state.legs.get(usize::from(leg)).map_or(0, |l| usize::from(l.step));
        let deduplication = self.path.steps.get(step).map_or(Deduplication::None, |s| s.deduplication);
        let repeat = deduplication == Deduplication::ByKey || self.path.indeterminate == Indeterminate::Resend;
        if deduplication == Deduplication::ByLookup {
            self.emit(DeliveryFact::Doubted { leg, query_at: Some(self.now) });
        } else if !(repeat && self.state.end.is_none() && self.again(leg, None, kind)) {
            self.emit(DeliveryFact::Doubted { leg, query_at: None });
        }
    }

    fn answer(&mut self, leg: u8, found: Found) {
        match found {
            Found::Found(sure) => self.finish(leg, Finish::Accepted(sure)),
            Found::Absent => {
                if !self.again(leg, None, ErrorKind::Unavailable) {
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
                    if !self.alive() {
                        self.emit(DeliveryFact::Ended(End::Expired));
                    }
                }
                Some(Stage::Awaiting { waiting: Some(waiting) }) if running && waiting.by <= self.now => {
                    self.shut(leg, Shut::MovedOn);
                }
                // The question is parked before it is asked: asked twice, it could be answered twice.
                Some(Stage::Doubt { query_at: Some(at) }) if at <= self.now => {
                    self.emit(DeliveryFact::Doubted { leg, query_at: None });
                }
                _ => {}
            }
        }
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

    /// The leg that was stopped because another had reached the goal, which it has not kept.
    fn stopped(&self) -> Option<u8> {
        let stopped = Stage::Shut { why: Shut::Stopped };
        self.state.legs.iter().zip(0u8..).find_map(|(l, n)| (l.stage == stopped && !l.failed).then_some(n))
    }

    /// Begins the next step, or ends the delivery if none is left and nothing else can come.
    fn next(&mut self) {
        if self.state.end.is_some() {
            return;
        }
        let waits = self.state.legs.iter().any(|l| matches!(l.stage, Stage::Ready { .. } | Stage::Flying { .. }));
        if waits {
            return;
        }
        let step = self.state.legs.iter().map(|l| l.step).max().map_or(0, |s| s.saturating_add(1));
        if let Some(leg) = self.stopped().filter(|leg| self.path.is_in_time(self.slot(*leg, self.now).0)) {
            return self.ready(leg, self.now, true, ErrorKind::Cancelled);
        }
        let (at, until) = self.path.slot(step, self.now);
        match self.path.steps.get(usize::from(step)) {
            Some(next) if self.path.is_in_time(at) => {
                self.emit(DeliveryFact::Begun { step, lane: next.lane, at, until });
            }
            Some(_) if !self.alive() => self.emit(DeliveryFact::Ended(End::Expired)),
            None if !self.alive() => self.emit(DeliveryFact::Ended(End::Exhausted)),
            _ => {}
        }
    }

    /// Ends the delivery if what it pursues is reached.
    fn goal(&mut self) {
        if self.state.best() >= Some(self.path.pursue()) {
            self.end(End::Reached);
        }
    }

    /// Ends the delivery: nothing is begun any more.
    fn end(&mut self, end: End) {
        if self.state.end.is_some() {
            return;
        }
        for leg in 0..u8::try_from(self.state.legs.len()).unwrap_or(u8::MAX) {
            if let Some(Stage::Ready { .. }) = self.stage(leg) {
                self.emit(DeliveryFact::Shut { leg, why: Shut::Stopped });
            }
        }
        self.emit(DeliveryFact::Ended(end));
    }
}
