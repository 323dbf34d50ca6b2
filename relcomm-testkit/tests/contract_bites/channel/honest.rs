//! A channel that keeps the contract, and breaks it in one way if it is told to.

use super::desk::{Desk, Said};
use super::table::Flaw;
use async_trait::async_trait;
use relcomm_core::channel::{
    Accepted, Answered, AttemptContext, Batch, Callbacks, Channel, ChannelError, Descriptor, ErrorKind, Found, Inbound,
    Key, Lookup, Outcome, Outcomes, Outgoing, Part, Prepared, Retry, Scope, Wording,
};
use relcomm_core::mechanism::{Addressing, Capabilities, Deduplication, Limit, Unit};
use relcomm_core::plan::Finding;
use relcomm_core::receipt::{Assurance, Evidence, Receipt, ReceiptKind, Token};
use relcomm_core::stakeholder::Address;
use relcomm_testkit::contract::channel::Arrival;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

const LONGEST_SUBJECT: usize = 90;
const LONGEST_SHORT: usize = 40;
/// What signs calls back.
pub(super) const SECRET: &str = "desk-s3cret";
pub(super) const SIGNATURE: &str = "x-desk-signature";

pub(super) fn signature(body: &[u8]) -> String {
    Key::of([SECRET.as_bytes(), body]).to_string()
}

pub(super) struct Honest {
    flaw: Option<Flaw>,
    desk: Arc<Desk>,
    descriptor: Descriptor,
    capabilities: [Capabilities; 2],
    attempts: AtomicU32,
    numbers: AtomicU32,
    /// A connection to use again, and whether something is still to come on it.
    idle: Mutex<Option<Line>>,
    scratch: Mutex<Option<Arrival>>,
    home: Mutex<Option<Option<tokio::task::Id>>>,
}

struct Line {
    stale: bool,
}

impl fmt::Debug for Honest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Honest").finish_non_exhaustive()
    }
}

fn held<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Honest {
    pub(super) fn new(flaw: Option<Flaw>, desk: Arc<Desk>) -> Self {
        let claims = if flaw == Some(Flaw::Modest) { Deduplication::None } else { Deduplication::ByKey };
        let many = |n: u32| NonZeroU32::new(n).expect("not zero");
        let can = Capabilities::new(Addressing::Each, Assurance::Acknowledged)
            .deduplication(claims)
            .limits([
                Limit::reject("subject", LONGEST_SUBJECT, Unit::Bytes),
                Limit::cut("short", LONGEST_SHORT, Unit::Chars),
            ])
            .per_call(many(3));
        Self {
            flaw,
            desk,
            descriptor: Descriptor::new("desk"),
            capabilities: [can.clone(), can.concurrency(many(3))],
            attempts: AtomicU32::default(),
            numbers: AtomicU32::default(),
            idle: Mutex::default(),
            scratch: Mutex::default(),
            home: Mutex::default(),
        }
    }

    fn is(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn message(&self, batch: &Batch<'_>, item: &Outgoing) -> Arrival {
        let address = item.address.as_ref().map_or("", Address::as_str);
        let mut text = batch.text.part("text").to_owned();
        if self.is(Flaw::Mangling) {
            text = text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect();
        }
        let mut key = item.key.to_string();
        if self.is(Flaw::Rekeying) {
            key += &format!("-{}", item.attempt);
        }
        let subject = batch.text.part("subject");
        let mut raw = format!("{key}\n{subject}\n{text}");
        if self.is(Flaw::Revealing) {
            batch.items.iter().flat_map(|i| &i.address).for_each(|to| raw += to.as_str());
        }
        Arrival::new(text).subject(subject).key(key).to(address).raw(raw)
    }

    /// One recipient; what is not certain is left to the mark.
    async fn one(&self, batch: &Batch<'_>, i: usize, outcomes: &mut Outcomes) -> Result<(), ChannelError> {
        let item = &batch.items[i];
        let address = item.address.as_ref().map_or("", Address::as_str);
        let message = self.message(batch, item);
        let line = held(&self.idle).take().unwrap_or(Line { stale: false });
        if line.stale {
            // The answer to the call before is taken for the answer to this one.
            outcomes.crossing(i);
            outcomes.set(i, Outcome::Accepted(Accepted::new(Assurance::Accepted)));
            *held(&self.idle) = Some(Line { stale: false });
            return Ok(());
        }
        let _again = self.is(Flaw::Reusing).then(|| PutBack(&self.idle));
        let finishing = self.is(Flaw::Detached).then(|| Finishing(Some((Arc::clone(&self.desk), message.clone()))));
        if self.is(Flaw::Eager) {
            outcomes.crossing(i);
        }
        let mut said = self.desk.offer(address).await;
        if self.is(Flaw::Retrying) && matches!(said, Said::Busy(None)) {
            said = self.desk.offer(address).await;
        }
        if said == Said::GoOn {
            if let Some(mut finishing) = finishing {
                finishing.0 = None;
            }
            if !self.is(Flaw::Tardy) {
                outcomes.crossing(i);
            }
            let message = if self.is(Flaw::Sharing) {
                *held(&self.scratch) = Some(message.clone());
                tokio::task::yield_now().await;
                held(&self.scratch).clone().unwrap_or(message)
            } else {
                message
            };
            said = self.desk.give(message).await;
            if self.is(Flaw::Tardy) {
                outcomes.crossing(i);
            }
            if matches!(said, Said::Cut | Said::Half) {
                let error = ChannelError::new(ErrorKind::Connect, "cut").retry(Retry::Backoff);
                let error = if self.is(Flaw::Certain) { error } else { error.maybe_sent() };
                outcomes.set(i, Outcome::Failed(error));
                return Ok(());
            }
        } else if let Some(mut finishing) = finishing {
            finishing.0 = None;
        }
        if said == Said::Taken {
            *held(&self.idle) = Some(line);
        }
        let outcome = self.outcome(said, address);
        outcomes.set(i, outcome);
        Ok(())
    }

    fn outcome(&self, said: Said, address: &str) -> Outcome {
        let error = |kind, words: &str| ChannelError::new(kind, words);
        let later = |wait: Option<_>| wait.map_or(Retry::Backoff, Retry::After);
        Outcome::Failed(match said {
            Said::Taken | Said::GoOn => return Outcome::Accepted(Accepted::new(Assurance::Accepted)),
            Said::NoSuchRecipient if self.is(Flaw::Chatty) => {
                error(ErrorKind::RecipientInvalid, &format!("there is no {address}"))
            }
            Said::NoSuchRecipient => error(ErrorKind::RecipientInvalid, "there is no such recipient"),
            Said::Cut | Said::Half => error(ErrorKind::Connect, "cut").retry(Retry::Backoff),
            Said::Nonsense => error(ErrorKind::Protocol, "nonsense").retry(Retry::Backoff).maybe_sent(),
            Said::Failed => error(ErrorKind::Unavailable, "it failed").retry(Retry::Backoff).maybe_sent(),
            Said::Rejected => error(ErrorKind::ContentRejected, "not this").scope(Scope::Message),
            Said::TooLarge => error(ErrorKind::TooLarge, "too large").scope(Scope::Message),
            Said::WhoAreYou => error(ErrorKind::Authentication, "who are you?").scope(Scope::Channel),
            Said::Busy(None) if self.is(Flaw::GivingUp) => error(ErrorKind::Unavailable, "busy"),
            Said::Busy(wait) => error(ErrorKind::Unavailable, "busy").retry(later(wait)),
            Said::TooMany(wait) => error(ErrorKind::RateLimited, "too many").scope(Scope::Endpoint).retry(later(wait)),
            Said::Elsewhere => error(ErrorKind::Policy, "it points elsewhere"),
            Said::SuccessWithError => error(ErrorKind::ContentRejected, "it failed inside"),
        })
    }

    async fn all(&self, batch: &Batch<'_>, outcomes: &mut Outcomes) -> Result<(), ChannelError> {
        if !self.desk.is_reachable() {
            let error = ChannelError::new(ErrorKind::Connect, "no connection").scope(Scope::Channel);
            return Err(error.retry(Retry::Backoff));
        }
        if batch.text.part("text").len() > self.desk.most() {
            return Err(ChannelError::new(ErrorKind::TooLarge, "more than it takes").scope(Scope::Message));
        }
        let many = batch.items.len() > 1;
        let mut collected = Outcomes::new(batch.items.len());
        for i in 0..batch.items.len() {
            if self.is(Flaw::Collecting) && many {
                self.one(batch, i, &mut collected).await?;
                continue;
            }
            let mut own = Outcomes::new(batch.items.len());
            if self.is(Flaw::Forgetful) && many && batch.items[i].address.as_ref().is_some_and(is_refused) {
                self.one(batch, i, &mut own).await?;
                continue;
            }
            self.one(batch, i, outcomes).await?;
            if self.is(Flaw::Copying) && many {
                let first = &batch.items[0];
                let copy = self.message(batch, first).key(format!("{}-copy-{i}", first.key));
                self.desk.give(copy).await;
            }
        }
        if self.is(Flaw::Collecting) && many {
            let unset = |_| Outcome::Failed(ChannelError::new(ErrorKind::Internal, "unset"));
            collected.settle(unset).enumerate().for_each(|(i, outcome)| outcomes.set(i, outcome));
        }
        Ok(())
    }
}

fn is_refused(address: &Address) -> bool {
    address.as_str() == super::desk::REFUSED
}

/// Puts the line back whatever became of the call.
struct PutBack<'a>(&'a Mutex<Option<Line>>);

impl Drop for PutBack<'_> {
    fn drop(&mut self) {
        let mut idle = held(self.0);
        // A call that went well has put it back already.
        if idle.is_none() {
            *idle = Some(Line { stale: true });
        }
    }
}

/// Finishes in the background what its call did not.
struct Finishing(Option<(Arc<Desk>, Arrival)>);

impl Drop for Finishing {
    fn drop(&mut self) {
        if let Some((desk, message)) = self.0.take() {
            tokio::spawn(async move { desk.give(message).await });
        }
    }
}

#[async_trait]
impl Channel for Honest {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn capabilities(&self) -> &Capabilities {
        let [first, other] = &self.capabilities;
        if self.is(Flaw::Shifty) && self.attempts.load(Ordering::Relaxed) > 0 { other } else { first }
    }

    fn check_address(&self, address: &Address) -> Result<(), String> {
        if address.as_str().ends_with("@desk.test") { Ok(()) } else { Err("it is not of the desk".into()) }
    }

    fn prepare(&self, wording: &Wording) -> Result<Prepared, Vec<Finding>> {
        let slack = usize::from(self.is(Flaw::Overflowing));
        let short: String = wording.short.chars().take(LONGEST_SHORT + slack).collect();
        let mut text = wording.document.to_plain();
        if self.is(Flaw::Counting) {
            text += &format!("\n\nNo. {}", self.numbers.fetch_add(1, Ordering::Relaxed));
        }
        let most = match self.flaw {
            Some(Flaw::Generous) => LONGEST_SUBJECT + 1,
            Some(Flaw::Stingy) => LONGEST_SUBJECT - 1,
            _ => LONGEST_SUBJECT,
        };
        let limit = Limit::reject("subject", most, Unit::Bytes);
        let prepared = Prepared::new([
            Part::new("subject", "text/plain", &wording.subject),
            Part::new("text", "text/plain", text),
            Part::new("short", "text/plain", short),
        ]);
        let over = prepared.over(&[limit]);
        if over.is_empty() { Ok(prepared) } else { Err(over) }
    }

    async fn attempt(
        &self,
        cx: &AttemptContext,
        batch: &Batch<'_>,
        outcomes: &mut Outcomes,
    ) -> Result<(), ChannelError> {
        self.attempts.fetch_add(1, Ordering::Relaxed);
        if self.is(Flaw::Logging) {
            tracing::info!(words = batch.text.part("subject"), "attempt");
        }
        if self.is(Flaw::Homebound) {
            let here = tokio::task::try_id();
            if *held(&self.home).get_or_insert(here) != here {
                return Err(ChannelError::new(ErrorKind::Internal, "another task").scope(Scope::Channel));
            }
        }
        if cx.cancellation.is_cancelled() && !self.is(Flaw::Deaf) {
            return Err(ChannelError::new(ErrorKind::Cancelled, "called off").retry(Retry::Backoff));
        }
        let late = || ChannelError::new(ErrorKind::Timeout, "no answer in time").retry(Retry::Backoff);
        if cx.remaining().is_zero() {
            return Err(late());
        }
        tokio::task::yield_now().await;
        if self.is(Flaw::Patient) {
            return self.all(batch, outcomes).await;
        }
        tokio::select! {
            biased;
            ended = self.all(batch, outcomes) => ended,
            () = cx.clock.sleep_until(cx.deadline) => Err(late()),
        }
    }

    async fn verify(&self, _: &AttemptContext) -> Result<Vec<Finding>, ChannelError> {
        if !self.desk.is_reachable() {
            return Err(ChannelError::new(ErrorKind::Connect, "no connection").scope(Scope::Channel));
        }
        if self.is(Flaw::Probing) {
            self.desk.offer("ana@desk.test").await;
            self.desk.give(Arrival::new("Only a trial.").key("trial")).await;
        }
        let little = self.desk.most() < usize::MAX && !self.is(Flaw::Silent);
        let finding = || Finding::note("RC1112", "", format!("the desk takes {} octets", self.desk.most()));
        Ok(little.then(finding).into_iter().collect())
    }

    fn callbacks(&self) -> Option<&dyn Callbacks> {
        Some(self)
    }

    fn lookup(&self) -> Option<&dyn Lookup> {
        (!self.is(Flaw::Modest)).then_some(self)
    }
}

impl Callbacks for Honest {
    /// `TOKEN NUMBER`, with a signature beside it.
    fn parse(&self, inbound: &Inbound<'_>) -> Result<Vec<Receipt>, ChannelError> {
        let signed = inbound.header(SIGNATURE) == Some(signature(inbound.body).as_str());
        if !signed && !self.is(Flaw::Trusting) {
            return Err(ChannelError::new(ErrorKind::Authentication, "the signature does not fit"));
        }
        let body = String::from_utf8_lossy(inbound.body);
        let (token, number) = body.split_once(' ').unwrap_or((&body, "0"));
        let fresh = if self.is(Flaw::Numbering) { self.numbers.fetch_add(1, Ordering::Relaxed) } else { 0 };
        let evidence = Evidence::Reached(Assurance::Acknowledged);
        let receipt = Receipt::new(ReceiptKind::Callback, format!("{number}/{fresh}"), evidence);
        Ok(vec![receipt.token(Token::new(token)).verified()])
    }
}

#[async_trait]
impl Lookup for Honest {
    async fn lookup(&self, _: &AttemptContext, key: &Key) -> Result<Answered, ChannelError> {
        let there = self.desk.has(key) || self.is(Flaw::Hopeful);
        Ok(if there { Found::Found(Assurance::Accepted) } else { Found::Absent }.into())
    }
}
