//! Channels for tests: what they answer is said by the test, and what they were given can be read back.
//!
//! A [`ScriptedChannel`] is told beforehand what to answer, or asks the test that holds its [`Handle`] at each attempt, or answers by
//! [`Chaos`]. What a test expects to have happened by its end is said in [`Expectations`].

mod chaos;
mod expect;
mod handle;

pub use chaos::{Chaos, SEED};
pub use expect::Expectations;
pub use handle::{Call, Handle};

use async_trait::async_trait;
use relcomm_core::channel::{
    Accepted, Answered, AttemptContext, Batch, Channel, ChannelError, Descriptor, ErrorKind, Found, Key, Lookup,
    Outcome, Outcomes, Part, Prepared, Retry, Scope, Wording,
};
use relcomm_core::clock::Moment;
use relcomm_core::mechanism::{Addressing, Capabilities, Deduplication, Limit};
use relcomm_core::plan::Finding;
use relcomm_core::receipt::{Assurance, Token};
use relcomm_core::stakeholder::Address;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How a scripted channel answers one attempt to one recipient.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Answer {
    /// Takes it over, with this proved.
    Accept(Assurance),
    /// Takes it over and says where it can be seen.
    AcceptAt(String),
    /// Refuses the recipient for good.
    Refuse,
    /// Was not sent; another try makes sense, not before so long.
    Defer(Option<Duration>),
    /// The whole channel failed before anything was sent.
    Fault(Option<Duration>),
    /// The channel's credentials are wrong.
    Bar,
    /// The far side has it, but its answer was lost.
    LoseAnswer,
    /// The connection was lost when it may or may not have gone out; the far side has not got it.
    LoseMessage,
    /// Never answers, before anything was sent.
    Hang,
    /// Never answers, though the far side has it.
    HangAccepted,
    /// Panics before anything was sent.
    Panic,
    /// Says that all is well and leaves the outcome open.
    LeaveOpen,
    /// Waits so long, then answers so.
    After(Duration, Box<Self>),
}

/// One attempt to one recipient, as a scripted channel was given it.
#[derive(Clone)]
#[non_exhaustive]
pub struct Seen {
    /// The delivery's key.
    pub key: Key,
    /// The message's key.
    pub message_key: Key,
    /// The signed mark that a receipt brings back.
    pub token: Token,
    /// The number of the try.
    pub attempt: u32,
    /// The address; empty where there is none.
    pub address: String,
    /// What goes out.
    pub text: Prepared,
    /// When, by the context's clock.
    pub at: Moment,
    /// Whether the far side has it after this attempt.
    pub arrived: bool,
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} #{} at {} arrived={}", self.address, self.attempt, self.at, self.arrived)
    }
}

/// Whether an address cannot be one of the channel.
type Judging = dyn Fn(&str) -> bool + Send + Sync;
type Telling = dyn Fn(&str, u32) -> Answer + Send + Sync;

/// Who says what is answered.
#[derive(Clone)]
enum Script {
    /// A function of the address and the number of the try.
    Told(Arc<Telling>),
    /// The test, when the attempt comes.
    Asked(handle::Asking),
}

/// A channel that answers as it is told and remembers what it was given. Clones share the memory.
#[derive(Clone)]
pub struct ScriptedChannel {
    descriptor: Descriptor,
    capabilities: Capabilities,
    script: Script,
    seen: Arc<Mutex<Vec<Seen>>>,
    healthy: bool,
    refuses: Option<Arc<Judging>>,
}

impl fmt::Debug for ScriptedChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedChannel").field("kind", &self.descriptor.kind).finish_non_exhaustive()
    }
}

impl ScriptedChannel {
    /// A channel that takes everything over, addressed to each, that can prove *acknowledged*.
    #[must_use]
    pub fn new(kind: &str) -> Self {
        Self {
            descriptor: Descriptor::new(kind),
            capabilities: Capabilities::new(Addressing::Each, Assurance::Acknowledged),
            script: Script::Told(Arc::new(|_, _| Answer::Accept(Assurance::Accepted))),
            seen: Arc::default(),
            healthy: true,
            refuses: None,
        }
    }

    /// With these capabilities.
    #[must_use]
    pub fn capabilities(mut self, change: impl FnOnce(Capabilities) -> Capabilities) -> Self {
        self.capabilities = change(self.capabilities);
        self
    }

    /// Addressed once for all, as a website or a chat room is.
    #[must_use]
    pub fn once(self) -> Self {
        self.capabilities(|mut c| {
            c.addressing = Addressing::Once;
            c
        })
    }

    /// Whose far side honours keys.
    #[must_use]
    pub fn by_key(self) -> Self {
        self.capabilities(|c| c.deduplication(Deduplication::ByKey))
    }

    /// Whose far side can be asked about earlier attempts.
    #[must_use]
    pub fn by_lookup(self) -> Self {
        self.capabilities(|c| c.deduplication(Deduplication::ByLookup))
    }

    /// With these limits on its parts `subject` and `text`.
    #[must_use]
    pub fn limits(self, limits: impl IntoIterator<Item = Limit>) -> Self {
        self.capabilities(|c| c.limits(limits))
    }

    /// Of which these addresses cannot be: preparation refuses them.
    #[must_use]
    pub fn refusing_addresses(mut self, is_refused: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.refuses = Some(Arc::new(is_refused));
        self
    }

    /// That answers so: by address (empty where there is none) and number of the try.
    #[must_use]
    pub fn answering(mut self, script: impl Fn(&str, u32) -> Answer + Send + Sync + 'static) -> Self {
        self.script = Script::Told(Arc::new(script));
        self
    }

    /// That answers by chance, as the seed says.
    #[must_use]
    pub fn chaotic(self, chaos: Chaos) -> Self {
        let calls: Mutex<BTreeMap<String, u32>> = Mutex::default();
        self.answering(move |address, _| {
            let mut calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
            let call = calls.entry(address.to_owned()).or_default();
            *call += 1;
            chaos.answer(address, *call)
        })
    }

    /// That lets the test answer each attempt when it comes. Clones share the handle.
    #[must_use]
    pub fn handled(mut self) -> (Self, Handle) {
        let (asking, handle) = handle::pair();
        self.script = Script::Asked(asking);
        (self, handle)
    }

    /// What is to have happened when the value that this returns is dropped.
    pub fn expect(&self) -> Expectations {
        let quiet = Self { script: Script::Told(Arc::new(|_, _| Answer::Hang)), ..self.clone() };
        Expectations::of(quiet)
    }

    /// Whose verification fails.
    #[must_use]
    pub fn failing_verification(mut self) -> Self {
        self.healthy = false;
        self
    }

    /// Every attempt so far, in the order in which they came.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.memory().clone()
    }

    /// What the far side has, in the order in which it came: one for each copy, or for each key where keys are honoured.
    #[must_use]
    pub fn arrived(&self) -> Vec<Seen> {
        let honours = self.capabilities.deduplication == Deduplication::ByKey;
        let mut keys = BTreeSet::new();
        let arrived = self.memory().iter().filter(|s| s.arrived).cloned().collect::<Vec<_>>();
        arrived.into_iter().filter(|s| keys.insert(s.key) || !honours).collect()
    }

    fn memory(&self) -> MutexGuard<'_, Vec<Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn arrive(&self, index: usize) {
        if let Some(seen) = self.memory().get_mut(index) {
            seen.arrived = true;
        }
    }
}

#[async_trait]
impl Channel for ScriptedChannel {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn check_address(&self, address: &Address) -> Result<(), String> {
        match &self.refuses {
            Some(is_refused) if is_refused(address.as_str()) => Err("it cannot be one of this channel".into()),
            _ => Ok(()),
        }
    }

    fn prepare(&self, wording: &Wording) -> Result<Prepared, Vec<Finding>> {
        let prepared = Prepared::new([
            Part::new("subject", "text/plain", &wording.subject),
            Part::new("text", "text/plain", wording.document.to_plain()),
            Part::new("html", "text/html", wording.document.to_html()),
            Part::new("short", "text/plain", &wording.short),
            Part::new("script", "text/plain", wording.document.to_plain()),
        ]);
        let findings = prepared.over(&self.capabilities.limits);
        if findings.is_empty() { Ok(prepared) } else { Err(findings) }
    }

    async fn attempt(
        &self,
        cx: &AttemptContext,
        batch: &Batch<'_>,
        outcomes: &mut Outcomes,
    ) -> Result<(), ChannelError> {
        for (i, item) in batch.items.iter().enumerate() {
            let address = item.address.as_ref().map_or("", |a| a.as_str()).to_owned();
            let seen = Seen {
                key: item.key,
                message_key: *batch.message_key,
                token: item.token(),
                attempt: item.attempt,
                address: address.clone(),
                text: batch.text.clone(),
                at: cx.clock.now(),
                arrived: false,
            };
            let index = {
                let mut memory = self.memory();
                memory.push(seen.clone());
                memory.len() - 1
            };
            let mut answer = match &self.script {
                Script::Told(script) => script(&address, item.attempt),
                Script::Asked(asking) => handle::ask(asking, seen).await,
            };
            // One turn of the runtime, as a real channel would take.
            tokio::task::yield_now().await;
            while let Answer::After(span, then) = answer {
                cx.clock.sleep(span).await;
                answer = *then;
            }
            match answer {
                Answer::Accept(assurance) => {
                    outcomes.crossing(i);
                    self.arrive(index);
                    outcomes.set(i, Outcome::Accepted(Accepted::new(assurance)));
                }
                Answer::AcceptAt(url) => {
                    outcomes.crossing(i);
                    self.arrive(index);
                    outcomes.set(i, Outcome::Accepted(Accepted::new(Assurance::Accepted).url(url)));
                }
                Answer::Refuse => {
                    let error = ChannelError::new(ErrorKind::RecipientInvalid, "no such recipient").code("550 5.1.1");
                    outcomes.set(i, Outcome::Failed(error));
                }
                Answer::Defer(after) => {
                    let retry = after.map_or(Retry::Backoff, Retry::After);
                    let error = ChannelError::new(ErrorKind::Unavailable, "try later").retry(retry).code("451");
                    outcomes.set(i, Outcome::Failed(error));
                }
                Answer::Fault(after) => {
                    let retry = after.map_or(Retry::Backoff, Retry::After);
                    return Err(ChannelError::new(ErrorKind::Connect, "refused").scope(Scope::Channel).retry(retry));
                }
                Answer::Bar => {
                    return Err(ChannelError::new(ErrorKind::Authentication, "refused").scope(Scope::Channel));
                }
                Answer::LoseAnswer => {
                    outcomes.crossing(i);
                    self.arrive(index);
                    return Err(ChannelError::new(ErrorKind::Connect, "cut").retry(Retry::Backoff).maybe_sent());
                }
                Answer::LoseMessage => {
                    outcomes.crossing(i);
                    return Err(ChannelError::new(ErrorKind::Connect, "cut").retry(Retry::Backoff).maybe_sent());
                }
                Answer::Hang => std::future::pending::<()>().await,
                Answer::HangAccepted => {
                    outcomes.crossing(i);
                    self.arrive(index);
                    std::future::pending::<()>().await;
                }
                Answer::Panic => panic!("the script says so"),
                Answer::LeaveOpen | Answer::After(..) => {}
            }
        }
        Ok(())
    }

    async fn verify(&self, _: &AttemptContext) -> Result<Vec<Finding>, ChannelError> {
        if self.healthy {
            Ok(Vec::new())
        } else {
            Err(ChannelError::new(ErrorKind::Authentication, "refused").scope(Scope::Channel))
        }
    }

    fn lookup(&self) -> Option<&dyn Lookup> {
        (self.capabilities.deduplication == Deduplication::ByLookup).then_some(self)
    }
}

#[async_trait]
impl Lookup for ScriptedChannel {
    async fn lookup(&self, _: &AttemptContext, key: &Key) -> Result<Answered, ChannelError> {
        let arrived = self.memory().iter().any(|s| s.arrived && &s.key == key);
        Ok(if arrived { Found::Found(Assurance::Accepted) } else { Found::Absent }.into())
    }
}
