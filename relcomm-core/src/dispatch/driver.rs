//! The driver: it leases, flies, commits and waits. It owns no state that the journal does not have; killing it loses nothing.
//!
//! * No channel is called without a durable begun attempt of a live session.
//! * Every fact is decided on the version that it expects; after a conflict the same input is decided again.
//! * No more is leased than may fly now.
//! * While anything flies, nothing is awaited without it.

use super::courses::Courses;
use super::flight::Landing;
use super::flights::Flights;
use super::gathering::Gathering;
use super::intake::refuse;
use super::standing::Standing;
use super::token::Tokens;
use super::work::{Texts, Work};
use super::{DispatchError, Dispatcher, Record};
use crate::channel::{AttemptContext, Channel};
use crate::clock::Moment;
use crate::course::{Dependence, Lane, LaneFact, LaneInput, Phase, SessionNo};
use crate::id::LaneNo;
use crate::journal::{Change, Committed, JournalError, JournalErrorKind, Tally, Write};
use crate::mechanism::Mechanism;
use crate::prepare::Late;
use futures_util::FutureExt;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// How many timers, lost legs or riders are taken at a time.
pub(super) const BATCH: usize = 512;

impl Dispatcher {
    /// Sends until nothing is pending, or until cancelled. What others say meanwhile — a declaration, an approval, an attestation — is
    /// heard.
    ///
    /// # Errors
    /// The journal fails. Refused as [`continues`](Self::continues) says; or another bundle is dispatched by now.
    pub async fn run(&self) -> Result<Standing, DispatchError> {
        Driver::begin(self).await?.run(true).await
    }

    /// Does what is due now, waits only for what it began, and says when to call again.
    ///
    /// # Errors
    /// The journal fails. Refused as [`continues`](Self::continues) says; or another bundle is dispatched by now.
    pub async fn step(&self) -> Result<Standing, DispatchError> {
        Driver::begin(self).await?.run(false).await
    }
}

pub(super) struct Driver<'a> {
    pub(super) on: &'a Dispatcher,
    pub(super) record: Record,
    pub(super) tokens: Arc<Tokens>,
    pub(super) late: Late,
    pub(super) late_version: Option<u64>,
    pub(super) texts: Texts,
    session: Option<SessionNo>,
    next_beat: Moment,
    next_poll: Moment,
    pub(super) flights: Flights,
    /// What flights are told to stop by: a channel that cancelled it would stop no other dispatcher.
    pub(super) stop: CancellationToken,
    pub(super) courses: Courses,
    /// Empty between leases.
    pub(super) work: Work,
    pub(super) landed: Vec<Landing>,
    /// Empty: the memory of what landed before.
    pub(super) settled: Vec<Landing>,
    pub(super) airborne: BTreeMap<LaneNo, Airborne>,
    /// How the requirements of waiting gates stood, by gate and requirement.
    pub(super) judged: BTreeMap<(usize, usize), Judged>,
    /// How far the people of gates are gathered, by gate: with the gate's version for which that holds.
    pub(super) gatherings: BTreeMap<usize, (u64, Gathering)>,
    /// How many were told, or are in doubt, by the sources of each correction that is out, when that was last looked at.
    pub(super) heard: BTreeMap<usize, Vec<(u32, u32)>>,
    /// How the gates stood when nobody was found there to whom a post is to be credited beside another leg.
    pub(super) hidden: BTreeMap<usize, Tally>,
    /// The gates that were reviewed since the plan was prepared again.
    pub(super) reviewed: BTreeSet<usize>,
    /// How gates stood when no post of theirs was found to be lacking.
    pub(super) lacking: BTreeMap<usize, Tally>,
    /// The same of a post, by gate and ordinal, whose members stood behind those of others.
    pub(super) behind: BTreeMap<(usize, u32), Tally>,
    pub(super) turn: usize,
}

/// How a requirement stood, and on what that was found.
pub(super) type Judged = (Vec<(Phase, Tally)>, Dependence);

/// What flies on a lane.
#[derive(Debug, Default)]
pub(super) struct Airborne {
    pub(super) calls: u32,
    pub(super) recipients: u32,
}

/// Waits for a call of the journal while the flights go on.
pub(super) async fn alongside<T>(flights: &mut Flights, landed: &mut Vec<Landing>, call: impl Future<Output = T>) -> T {
    let mut call = std::pin::pin!(call);
    loop {
        tokio::select! {
            biased;
            done = &mut call => return done,
            () = flights.land(landed) => {}
        }
    }
}

impl<'a> Driver<'a> {
    async fn begin(on: &'a Dispatcher) -> Result<Self, DispatchError> {
        if on.prepared.is_withheld() {
            return Err(DispatchError::Withheld);
        }
        on.executes().await?;
        let record = on.renewed().await?;
        on.recall_rates(&record).await?;
        let tokens = Arc::new(on.tokens().await?);
        Ok(Self {
            on,
            record,
            tokens,
            late: Late::default(),
            late_version: None,
            texts: Texts::default(),
            session: None,
            next_beat: Moment::MAX,
            next_poll: Moment::MIN,
            flights: Flights::new(Arc::clone(&on.clock)),
            stop: on.options.cancellation.child_token(),
            courses: Courses::default(),
            work: Work::default(),
            landed: Vec::new(),
            settled: Vec::new(),
            airborne: BTreeMap::new(),
            judged: BTreeMap::new(),
            gatherings: BTreeMap::new(),
            heard: BTreeMap::new(),
            hidden: BTreeMap::new(),
            reviewed: BTreeSet::new(),
            lacking: BTreeMap::new(),
            behind: BTreeMap::new(),
            turn: 0,
        })
    }

    async fn run(mut self, stay: bool) -> Result<Standing, DispatchError> {
        self.mend_lanes().await?;
        self.keep_what_lacks().await?;
        let mut looked_again = false;
        loop {
            let stopping = self.on.options.cancellation.is_cancelled();
            let mut busy = self.collect().await?;
            self.gather_landings().await;
            busy |= self.settle_landed().await?;
            if self.is_replaced() {
                // Whoever dispatches the other bundle goes on; what flies here is waited for.
                if self.landed.is_empty() && self.flights.is_empty() {
                    self.rest().await?;
                    return refuse(
                        "the plan was prepared again and is dispatched as it is now: nothing more goes out as it was",
                    );
                }
                self.beat().await?;
                if self.landed.is_empty() {
                    self.wait_for_landing().await;
                }
                continue;
            }
            busy |= self.tick_lanes().await?;
            busy |= self.turn_gates().await?;
            if self.is_replaced() {
                continue;
            }
            busy |= self.review().await?;
            busy |= self.credit_posts().await?;
            busy |= self.recover_lost().await?;
            busy |= self.take_timers().await?;
            if !stopping {
                busy |= self.lease().await?;
            }
            self.beat().await?;
            // What landed while the journal was waited for is settled before anything else is waited for.
            if busy || !self.landed.is_empty() {
                looked_again = false;
                continue;
            }
            if !self.flights.is_empty() {
                self.wait_for_landing().await;
                continue;
            }
            self.refresh().await?;
            if !std::mem::replace(&mut looked_again, true) {
                // What was decided above may have been decided on an old record.
                continue;
            }
            if self.credit_hidden().await? || self.enter_what_lacks().await? {
                looked_again = false;
                continue;
            }
            looked_again = false;
            let mut standing = self.on.standing_of(&self.record).await?;
            if !standing.is_done() {
                standing.next_due = [standing.next_due, self.rate_opens()].into_iter().flatten().min();
            }
            let due = standing.next_due.is_some_and(|at| at <= self.on.clock.now());
            if !stay || stopping || standing.is_done() {
                self.rest().await?;
                return Ok(standing);
            }
            if !due {
                self.rest().await?;
                self.idle(standing.next_due).await;
            }
        }
    }

    /// Whether another bundle is dispatched by now.
    pub(super) fn is_replaced(&self) -> bool {
        self.record.head.digests.as_ref().is_some_and(|digests| digests != self.on.prepared.digests())
    }

    pub(super) async fn refresh(&mut self) -> Result<(), DispatchError> {
        let on = self.on;
        self.record = alongside(&mut self.flights, &mut self.landed, Record::read(on)).await?;
        self.courses.forget();
        Ok(())
    }

    /// Late values are read again when the head has changed, and a gate's words that speak of earlier posts when it opens.
    pub(super) async fn refresh_late(&mut self) -> Result<(), DispatchError> {
        if self.late_version == Some(self.record.head_version) {
            return Ok(());
        }
        let on = self.on;
        let mut late = on.late().await?;
        if self.record.plans.iter().any(|g| on.prepared.uses_told(g)) {
            on.told(&self.record, &mut late).await?;
        }
        if late != self.late {
            self.texts.forget();
        }
        self.late = late;
        self.late_version = Some(self.record.head_version);
        Ok(())
    }

    pub(super) async fn commit(&mut self, writes: Vec<Write>) -> Result<Vec<Committed>, DispatchError> {
        let call = self.on.journal.commit(writes);
        Ok(alongside(&mut self.flights, &mut self.landed, call).await?)
    }

    // --- sessions -----------------------------------------------------------------------------------------------------------------

    pub(super) async fn session(&mut self) -> Result<SessionNo, DispatchError> {
        if let Some(session) = self.session {
            return Ok(session);
        }
        let ttl = self.on.options.session;
        let session = alongside(&mut self.flights, &mut self.landed, self.on.journal.begin(ttl)).await?;
        self.session = Some(session);
        self.next_beat = self.on.clock.now() + ttl / 3;
        Ok(session)
    }

    /// The session that was begun, if one was.
    pub(super) fn session_now(&self) -> Option<SessionNo> {
        self.session
    }

    async fn beat(&mut self) -> Result<(), DispatchError> {
        let Some(session) = self.session.filter(|_| self.on.clock.now() >= self.next_beat) else { return Ok(()) };
        if !alongside(&mut self.flights, &mut self.landed, self.on.journal.beat(session)).await? {
            return Err(JournalError::new(JournalErrorKind::Fenced, "the session counts as dead").into());
        }
        self.next_beat = self.on.clock.now() + self.on.options.session / 3;
        Ok(())
    }

    /// An idle dispatcher holds no session: nothing of its could be taken for lost.
    async fn rest(&mut self) -> Result<(), DispatchError> {
        if let Some(session) = self.session.take() {
            self.on.journal.end(session).await?;
        }
        Ok(())
    }

    // --- waiting ------------------------------------------------------------------------------------------------------------------

    /// A commit costs much the same for few and for many, so what is about to land is taken along: until half of what flew has landed, or
    /// nothing more lands without waiting. The other half flies while the first is committed.
    async fn gather_landings(&mut self) {
        while !self.landed.is_empty() && self.landed.len() < self.flights.count() {
            let (before, began) = (self.landed.len(), self.flights.begins());
            // The first lets the runtime see what has come in, the second lets those act on it who wait for it.
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
            let _ = self.flights.land(&mut self.landed).now_or_never();
            if self.landed.len() == before && !began {
                break;
            }
        }
    }

    async fn wait_for_landing(&mut self) {
        let clock = Arc::clone(&self.on.clock);
        let until = [Some(self.next_beat), Some(self.next_poll), self.on.options.poll.map(|p| clock.now() + p)];
        let until = until.into_iter().flatten().filter(|at| *at > clock.now()).min().unwrap_or(Moment::MAX);
        tokio::select! {
            biased;
            () = self.flights.land(&mut self.landed) => {}
            () = clock.sleep_until(until) => {}
        }
    }

    async fn idle(&mut self, next: Option<Moment>) {
        let clock = Arc::clone(&self.on.clock);
        let poll = self.on.options.poll.map(|p| clock.now() + p);
        let until = [next, poll].into_iter().flatten().min().unwrap_or(Moment::MAX);
        self.next_poll = Moment::MIN;
        tokio::select! {
            biased;
            () = self.on.options.cancellation.cancelled() => {}
            () = clock.idle_until(until) => {}
        }
    }

    // --- receipts -----------------------------------------------------------------------------------------------------------------

    async fn collect(&mut self) -> Result<bool, DispatchError> {
        let now = self.on.clock.now();
        if now < self.next_poll {
            return Ok(false);
        }
        self.next_poll = self.on.options.poll.map_or(Moment::MAX, |p| now + p);
        let mut any = false;
        let on = self.on;
        for (_, binding) in on.channels.iter() {
            if let Some(source) = binding.channel.receipts() {
                let taken = alongside(&mut self.flights, &mut self.landed, on.collect(source)).await?;
                any |= taken.recorded > 0;
            }
        }
        self.refresh().await?;
        Ok(any)
    }

    // --- lanes --------------------------------------------------------------------------------------------------------------------

    /// A barred lane is tried at the beginning of a run: whoever started it may have mended what was wrong.
    async fn mend_lanes(&mut self) -> Result<(), DispatchError> {
        for index in 0..self.record.lanes.len() {
            let Some(lane) = self.record.lanes.get(index) else { break };
            let Lane::Barred { .. } = lane.state else { continue };
            let (no, is_endpoint) = (lane.no, lane.name.contains(':'));
            let Some((_, channel)) = self.channel_of(no) else { continue };
            if is_endpoint {
                // Of one endpoint among others a channel cannot be asked: one attempt shows it.
                self.lane_input(no, LaneInput::Try, self.on.clock.now()).await?;
                continue;
            }
            let cx = AttemptContext::new(Arc::clone(&self.on.clock), channel.capabilities().timeout);
            let verified = tokio::select! {
                biased;
                verified = AssertUnwindSafe(channel.verify(&cx)).catch_unwind() => matches!(verified, Ok(Ok(_))),
                () = cx.clock.sleep_until(cx.deadline) => false,
            };
            if verified {
                self.lane_input(no, LaneInput::Mended, self.on.clock.now()).await?;
            }
        }
        Ok(())
    }

    async fn tick_lanes(&mut self) -> Result<bool, DispatchError> {
        let now = self.on.clock.now();
        let due: Vec<LaneNo> =
            self.record.lanes.iter().filter(|l| l.state.timer().is_some_and(|at| at <= now)).map(|l| l.no).collect();
        for no in &due {
            self.lane_input(*no, LaneInput::Tick, now).await?;
        }
        Ok(!due.is_empty())
    }

    pub(super) async fn lane_input(&mut self, no: LaneNo, input: LaneInput, now: Moment) -> Result<(), DispatchError> {
        loop {
            let Some(lane) = self.record.lanes.iter().find(|l| l.no == no) else { return Ok(()) };
            let Some(fact) = lane.state.decide(&self.on.options.retries, &input, now) else {
                return Ok(());
            };
            if let LaneFact::Barred { kind } = fact {
                tracing::warn!(mechanism = lane.mechanism(), %kind, "the channel is barred until it is mended");
            }
            let write = Write::new(Change::Lane(no, fact), lane.version);
            let done = self.commit(vec![write]).await?;
            if let (Some(Committed::Done(version)), Some(lane)) =
                (done.first(), self.record.lanes.iter_mut().find(|l| l.no == no))
            {
                lane.state.apply(&fact);
                lane.version = *version;
                return Ok(());
            }
            self.refresh().await?;
        }
    }

    pub(super) fn channel_of(&self, lane: LaneNo) -> Option<(Mechanism, Arc<dyn Channel>)> {
        let mechanism = Mechanism::new(self.record.lanes.iter().find(|l| l.no == lane)?.mechanism()).ok()?;
        let binding = self.on.channels.get(&mechanism)?;
        Some((mechanism, Arc::clone(&binding.channel)))
    }
}
