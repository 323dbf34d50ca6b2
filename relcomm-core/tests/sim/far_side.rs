//! The far sides: they do with each message what the dice said, remember every call, and bring receipts later.

use crate::dice::Dice;
use crate::model::{Answer, Case, Mech, Minutes, Repeats, Sure, Word};
use crate::{plans, yaml};
use async_trait::async_trait;
use relcomm_core::channel::{
    About, Accepted, Answered, AttemptContext, Batch, Channel, ChannelError, ChannelSet, Descriptor, ErrorKind, Found,
    Key, Lookup, Outcome, Outcomes, Outgoing, Part, Prepared, ReceiptSource, Received, Retry, Scope, Wording,
};
use relcomm_core::clock::{Clock, Moment};
use relcomm_core::mechanism::{Addressing, Capabilities, Deduplication, Mechanism};
use relcomm_core::plan::Finding;
use relcomm_core::receipt::{Assurance, Evidence, Receipt, ReceiptKind, Token};
use relcomm_core::stakeholder::Address;
use relcomm_testkit::clock::VirtualClock;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a call was about: the gate as the far side can name it, and to whom; nobody for a post.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct To {
    pub(crate) gate: String,
    pub(crate) who: Option<String>,
    pub(crate) mech: Mech,
}

/// A call as a far side saw it.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) to: To,
    pub(crate) by: usize,
    pub(crate) key: String,
    /// When it began and ended, truly and as the machine shows it; it did not end if the dispatcher died.
    pub(crate) began: Moment,
    pub(crate) shown: Moment,
    pub(crate) ended: Option<Moment>,
    /// Whether the far side has it after this call, as a copy of its own.
    pub(crate) arrived: bool,
    /// Whether the answer was final: it was taken over, or refused for good.
    pub(crate) decided: bool,
    /// Before when, truly, it asked not to be called again.
    pub(crate) not_before: Option<Moment>,
}

/// All far sides of a case. Clones share them.
#[derive(Clone)]
pub(crate) struct World(Arc<Inner>);

struct Inner {
    case: Arc<Case>,
    clock: VirtualClock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    tries: BTreeMap<Key, u32>,
    has: BTreeSet<Key>,
    receipts: BTreeMap<(Moment, u64), (Mech, Receipt)>,
    numbered: u64,
    /// How many points of attempts are left before a dispatcher dies, and which.
    fuse: BTreeMap<usize, u32>,
    dead: BTreeSet<usize>,
    forged: usize,
    points: BTreeMap<usize, u32>,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}

impl World {
    pub(crate) fn new(case: Arc<Case>, clock: VirtualClock) -> Self {
        Self(Arc::new(Inner { case, clock, state: Mutex::default() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Dispatcher `who` dies at its so-manieth point of an attempt from now.
    pub(crate) fn light(&self, who: usize, points: u32) {
        self.state().fuse.insert(who, points);
    }

    pub(crate) fn take_death(&self, who: usize) -> bool {
        self.state().dead.remove(&who)
    }

    /// How many points of attempts a dispatcher has passed.
    pub(crate) fn points(&self, who: usize) -> u32 {
        self.state().points.get(&who).copied().unwrap_or(0)
    }

    pub(crate) fn next_receipt_after(&self, now: Moment) -> Option<Moment> {
        self.state().receipts.range((now, u64::MAX)..).next().map(|((at, _), _)| *at)
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// How many receipts came that nobody signed.
    pub(crate) fn forged(&self) -> usize {
        self.state().forged
    }

    /// The channels of a dispatcher.
    pub(crate) fn channels(&self, by: usize) -> ChannelSet {
        Mech::ALL.into_iter().fold(ChannelSet::new(), |set, mech| {
            let word = Mechanism::new(mech.word()).expect("a standard word");
            set.with(word, FarSide::new(self.clone(), mech, by))
        })
    }

    fn is_out(&self, mech: Mech) -> bool {
        let now = self.0.clock.truly().millis();
        let ms = |at: Minutes| at * 60_000;
        self.0.case.trouble.outages.iter().any(|(m, at, lasts)| *m == mech && ms(*at) <= now && now < ms(at + lasts))
    }

    /// Whether the dispatcher dies here.
    async fn pass(&self, by: usize) {
        let dies = {
            let mut state = self.state();
            *state.points.entry(by).or_default() += 1;
            let left = state.fuse.get_mut(&by).map(|left| {
                *left -= 1;
                *left
            });
            let dies = left == Some(0);
            if dies {
                state.fuse.remove(&by);
                state.dead.insert(by);
            }
            dies
        };
        if dies {
            std::future::pending::<()>().await;
        }
    }
}

#[derive(Clone, Debug)]
struct FarSide {
    world: World,
    mech: Mech,
    by: usize,
    descriptor: Descriptor,
    capabilities: Capabilities,
}

pub(crate) fn minutes(n: Minutes) -> Duration {
    Duration::from_secs(n.unsigned_abs() * 60)
}

fn assurance(sure: Sure) -> Assurance {
    match sure {
        Sure::Attempted => Assurance::Attempted,
        Sure::Accepted => Assurance::Accepted,
        Sure::Delivered => Assurance::Delivered,
        Sure::Acknowledged => Assurance::Acknowledged,
    }
}

impl FarSide {
    fn new(world: World, mech: Mech, by: usize) -> Self {
        let addressing = if mech.is_post() { Addressing::Once } else { Addressing::Each };
        let mut can = Capabilities::new(addressing, assurance(mech.proves())).deduplication(match mech.repeats() {
            Repeats::None => Deduplication::None,
            Repeats::Key => Deduplication::ByKey,
            Repeats::Lookup => Deduplication::ByLookup,
        });
        if mech.is_by_hand() {
            can = can.by_hand();
        }
        if mech == Mech::Email {
            can = can.per_call(NonZeroU32::MIN.saturating_add(4));
        }
        Self { world, mech, by, descriptor: Descriptor::new(format!("sim-{}", mech.word())), capabilities: can }
    }

    fn to(&self, item: &Outgoing, gate: &str) -> To {
        let who = item.address.as_ref().and_then(|a| yaml::who_is(a.as_str()));
        To { gate: gate.to_owned(), who, mech: self.mech }
    }

    /// Remembers the call: its place among all, and how many tries there were on this before.
    fn remember(&self, to: &To, key: Key) -> (usize, u32) {
        let (truly, shown) = (self.world.0.clock.truly(), self.world.0.clock.now());
        let mut state = self.world.state();
        let tries = state.tries.entry(key).or_default();
        let before = *tries;
        *tries += 1;
        state.calls.push(Call {
            to: to.clone(),
            by: self.by,
            key: key.to_string(),
            began: truly,
            shown,
            ended: None,
            arrived: false,
            decided: false,
            not_before: None,
        });
        (state.calls.len() - 1, before)
    }

    fn take(&self, call: usize, item: &Outgoing, later: &[(Minutes, Word)]) {
        let now = self.world.0.clock.truly();
        let mut state = self.world.state();
        let is_new = state.has.insert(item.key) || self.mech.repeats() != Repeats::Key;
        if !is_new {
            return;
        }
        state.calls[call].arrived = true;
        for (after, word) in later {
            state.numbered += 1;
            let number = state.numbered;
            let evidence = match word {
                Word::Got(sure) => Evidence::Reached(assurance(*sure)),
                Word::Bounced => Evidence::Failed,
                Word::Forged => Evidence::Reached(Assurance::Acknowledged),
            };
            let receipt = Receipt::new(ReceiptKind::Callback, format!("{number}"), evidence);
            let receipt = if *word == Word::Forged {
                state.forged += 1;
                receipt.token(Token::new("1-1-1-aaaaaaaaaaaaaaaaaaaaaaaa"))
            } else {
                receipt.token(item.token()).verified()
            };
            state.receipts.insert((now + minutes(*after), number), (self.mech, receipt));
        }
    }

    fn ended(&self, calls: &[usize]) {
        let now = self.world.0.clock.truly();
        let mut state = self.world.state();
        calls.iter().for_each(|call| state.calls[*call].ended = Some(now));
    }

    async fn one(
        &self,
        cx: &AttemptContext,
        gate: &str,
        i: usize,
        item: &Outgoing,
        outcomes: &mut Outcomes,
        calls: &mut Vec<usize>,
    ) {
        let to = self.to(item, gate);
        let (call, before) = self.remember(&to, item.key);
        calls.push(call);
        let manner = plans::manner(&self.world.0.case, gate, to.who.as_deref().unwrap_or("all"), self.mech);
        self.world.pass(self.by).await;
        if manner.takes > 0 {
            cx.clock.sleep(Duration::from_secs(manner.takes.unsigned_abs())).await;
        }
        let failed = |kind, retry| ChannelError::new(kind, "no").retry(retry);
        let outcome = match manner.answer {
            Answer::Refuses => Outcome::Failed(failed(ErrorKind::RecipientInvalid, Retry::Never)),
            Answer::Never => Outcome::Failed(failed(ErrorKind::Unavailable, Retry::Backoff)),
            Answer::Takes { after, wait } if before < after => {
                if let Some(wait) = wait {
                    let wait = Duration::from_secs(wait.unsigned_abs());
                    let until = self.world.0.clock.truly() + wait;
                    self.world.state().calls[call].not_before = Some(until);
                    Outcome::Failed(failed(ErrorKind::RateLimited, Retry::After(wait)))
                } else {
                    Outcome::Failed(failed(ErrorKind::Unavailable, Retry::Backoff))
                }
            }
            Answer::Lost { arrived } if before == 0 => {
                outcomes.crossing(i);
                self.world.pass(self.by).await;
                if arrived {
                    self.take(call, item, &manner.later);
                }
                Outcome::Failed(failed(ErrorKind::Timeout, Retry::Backoff).maybe_sent())
            }
            Answer::Hangs { arrived } if before == 0 => {
                outcomes.crossing(i);
                if arrived {
                    self.take(call, item, &manner.later);
                }
                return std::future::pending::<()>().await;
            }
            _ => {
                outcomes.crossing(i);
                self.world.pass(self.by).await;
                self.take(call, item, &manner.later);
                self.world.pass(self.by).await;
                let by_hand = self.capabilities.by_hand;
                Outcome::Accepted(Accepted::new(if by_hand { Assurance::Attempted } else { Assurance::Accepted }))
            }
        };
        let is_final = match &outcome {
            Outcome::Accepted(_) => true,
            Outcome::Failed(error) => error.retry == Retry::Never,
        };
        self.world.state().calls[call].decided = is_final;
        outcomes.set(i, outcome);
    }
}

/// The part of a prepared text that tells the far side which gate it is of.
const GATE: &str = "gate";

/// The gate as both sides name it.
pub(crate) fn gate_name(communique: &str, occurrence: Option<&str>, place: Option<&str>, revision: u32) -> String {
    let revision = if revision > 1 { format!("#{revision}") } else { String::new() };
    format!("{communique}/{}/{}{revision}", occurrence.unwrap_or_default(), place.unwrap_or_default())
}

#[async_trait]
impl Channel for FarSide {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn check_address(&self, _: &Address) -> Result<(), String> {
        Ok(())
    }

    fn prepare(&self, wording: &Wording) -> Result<Prepared, Vec<Finding>> {
        let About { communique, occurrence, place, revision, .. } = &wording.about;
        let occurrence = occurrence.as_ref().map(ToString::to_string);
        let place = place.as_ref().map(ToString::to_string);
        let gate = gate_name(communique.as_str(), occurrence.as_deref(), place.as_deref(), *revision);
        Ok(Prepared::new([
            Part::new("text", "text/plain", wording.document.to_plain()),
            Part::new(GATE, "text/plain", gate),
        ]))
    }

    async fn attempt(&self, cx: &AttemptContext, batch: &Batch<'_>, out: &mut Outcomes) -> Result<(), ChannelError> {
        if self.world.is_out(self.mech) {
            return Err(ChannelError::new(ErrorKind::Connect, "out").scope(Scope::Channel).retry(Retry::Backoff));
        }
        let gate = batch.text.part(GATE).to_owned();
        let mut calls = Vec::new();
        for (i, item) in batch.items.iter().enumerate() {
            self.one(cx, &gate, i, item, out, &mut calls).await;
        }
        // What came of one of them is heard of when all of them are done.
        self.ended(&calls);
        Ok(())
    }

    fn receipts(&self) -> Option<&dyn ReceiptSource> {
        Some(self)
    }

    fn lookup(&self) -> Option<&dyn Lookup> {
        (self.mech.repeats() == Repeats::Lookup).then_some(self)
    }
}

#[async_trait]
impl Lookup for FarSide {
    async fn lookup(&self, cx: &AttemptContext, key: &Key) -> Result<Answered, ChannelError> {
        self.world.pass(self.by).await;
        let takes = Dice::apart(self.world.0.case.seed, &format!("lookup/{key}")).between(0, 5);
        cx.clock.sleep(Duration::from_secs(takes.unsigned_abs())).await;
        self.world.pass(self.by).await;
        let has = self.world.state().has.contains(key);
        Ok(if has { Found::Found(Assurance::Accepted) } else { Found::Absent }.into())
    }
}

#[async_trait]
impl ReceiptSource for FarSide {
    async fn batch(&self, _: &AttemptContext, max: usize) -> Result<Vec<Received>, ChannelError> {
        let now = self.world.0.clock.truly();
        let state = self.world.state();
        let due = state.receipts.range(..=(now, u64::MAX)).filter(|(_, (mech, _))| *mech == self.mech);
        Ok(due
            .take(max)
            .map(|((_, number), (_, receipt))| Received::new(number.to_string(), vec![receipt.clone()], Vec::new()))
            .collect())
    }

    async fn done(&self, _: &AttemptContext, ids: &[String]) -> Result<(), ChannelError> {
        let done: BTreeSet<u64> = ids.iter().filter_map(|id| id.parse().ok()).collect();
        self.world.state().receipts.retain(|(_, number), _| !done.contains(number));
        Ok(())
    }
}
