//! What the rates of the lanes still allow. Shared by all runs of a dispatcher and its clones, and known to the next from the record: short
//! calls in a row keep the rate too.

use super::{DispatchError, Dispatcher, Record};
use crate::clock::Moment;
use crate::course::DeliveryFact;
use crate::id::{DeliveryId, LaneNo};
use crate::journal::{Fact, Journal, JournalError, LaneRow, Row, Subject};
use crate::mechanism::{Mechanism, Rate};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// When how many attempts were begun on each lane, as far back as its rate looks.
#[derive(Clone, Debug, Default)]
pub(super) struct Rates {
    begun: Arc<Mutex<Begun>>,
    /// Whether what the record knows is among them.
    recalled: Arc<AtomicBool>,
}

type Begun = BTreeMap<LaneNo, VecDeque<(Moment, u32)>>;

impl Rates {
    fn begun(&self) -> MutexGuard<'_, Begun> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many attempts may be begun now: in no span as long as the rate's are there more than it says.
    pub(super) fn free(&self, lane: LaneNo, rate: Rate, now: Moment) -> u32 {
        let mut all = self.begun();
        let begun = all.entry(lane).or_default();
        while begun.front().is_some_and(|(at, _)| *at + rate.per <= now) {
            begun.pop_front();
        }
        rate.count.get().saturating_sub(begun.iter().map(|(_, n)| n).sum())
    }

    /// So many were begun.
    pub(super) fn spend(&self, lane: LaneNo, n: u32, now: Moment) {
        self.begun().entry(lane).or_default().push_back((now, n));
    }

    /// What others have begun, before all that was begun here.
    fn recall(&self, lately: Begun) {
        let mut all = self.begun();
        if self.recalled.swap(true, Ordering::AcqRel) {
            return;
        }
        for (lane, mut before) in lately {
            let own = all.entry(lane).or_default();
            before.append(own);
            *own = before;
        }
    }

    /// When a lane that has spent its rate may go on.
    pub(super) fn opens(&self, lane: LaneNo, rate: Rate, now: Moment) -> Option<Moment> {
        if self.free(lane, rate, now) > 0 {
            return None;
        }
        self.begun().get(&lane)?.front().map(|(at, _)| *at + rate.per)
    }
}

/// How many entries are read at a time.
const PAGE: usize = 4096;

impl Dispatcher {
    /// Brings to mind, once, which attempts others have begun so lately that the rates still look at them.
    pub(super) async fn recall_rates(&self, record: &Record) -> Result<(), DispatchError> {
        let rates = record.lanes.iter().filter_map(|lane| Some((lane.no, self.rate_of(lane)?)));
        let rates: BTreeMap<LaneNo, Rate> = rates.collect();
        let Some(span) = rates.values().map(|rate| rate.per).max() else { return Ok(()) };
        if self.rates.recalled.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut lately = Begun::new();
        let mut after = self.entries_before(self.clock.now() - span).await?;
        loop {
            let page = self.journal.entries(after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            let started = page.into_iter().filter_map(|entry| match (entry.subject, entry.fact) {
                (Subject::Delivery(id), Fact::Delivery(DeliveryFact::Started { leg, .. })) => Some((id, leg, entry.at)),
                _ => None,
            });
            let started: Vec<(DeliveryId, u8, Moment)> = started.collect();
            let ids: Vec<DeliveryId> = started.iter().map(|(id, ..)| *id).collect();
            let rows: BTreeMap<DeliveryId, Row> =
                self.journal.read(&ids).await?.into_iter().map(|row| (row.id, row)).collect();
            for (id, leg, at) in started {
                let lane = rows.get(&id).and_then(|row| Some(row.state.legs.get(usize::from(leg))?.lane));
                if let Some(lane) = lane.filter(|lane| rates.contains_key(lane)) {
                    lately.entry(lane).or_default().push_back((at, 1));
                }
            }
        }
        self.rates.recall(lately);
        Ok(())
    }

    /// When the rate of a lane lets something through again; `None` if it does now.
    pub(super) fn rate_opens(&self, lane: &LaneRow) -> Option<Moment> {
        self.rates.opens(lane.no, self.rate_of(lane)?, self.clock.now())
    }

    fn rate_of(&self, lane: &LaneRow) -> Option<Rate> {
        let mechanism = Mechanism::new(lane.mechanism()).ok()?;
        self.channels.get(&mechanism)?.channel.capabilities().rate
    }

    /// The number of an entry that is no later than then, nearly as late as can be: few are looked at.
    async fn entries_before(&self, then: Moment) -> Result<u64, JournalError> {
        let is_earlier = async |seq: u64| -> Result<bool, JournalError> {
            Ok(self.journal.entries(seq - 1, 1).await?.first().is_some_and(|entry| entry.at <= then))
        };
        let (mut low, mut step) = (0, 1);
        while is_earlier(low + step).await? {
            low += step;
            step *= 2;
        }
        while step > 1 {
            step /= 2;
            if is_earlier(low + step).await? {
                low += step;
            }
        }
        Ok(low)
    }
}
