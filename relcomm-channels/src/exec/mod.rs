//! A program as a channel, for people who do not write Rust: one JSON object a line on its standard input and output.
//!
//! The program is started anew for each call, reads what it is to do from its first line, and is killed when the call is dropped or its
//! time is over. What it writes to standard error is thrown away. Its environment holds what the options give it, and `PATH`.
//!
//! | it reads | it writes, and then ends |
//! | --- | --- |
//! | `{"do": "describe", "relcomm": 1}` | `{"relcomm": 1, "kind": "forum", "addressing": "each", "proves": "accepted", …}` |
//! | `{"do": "verify", "relcomm": 1, "within_ms": …}` | any number of `{"finding": "…"}`, or `{"error": …}`; `{"done": true}` |
//! | `{"do": "attempt", "relcomm": 1, "within_ms": …, "message_key": "…", "parts": [{"name", "media", "content"}], "items": [{"key", "attempt", "address", "name", "token"}]}` | for each item `{"crossing": n}`, `{"accepted": {"item": n}}` or `{"failed": {"item": n, "kind": …}}`, or one `{"error": …}` for the rest; `{"done": true}` |
//! | `{"do": "lookup", "relcomm": 1, "within_ms": …, "key": "…"}` | `{"found": "accepted"}`, `{"found": null}` for absent, `{"unknown": true}` |
//!
//! **Description.** Beside what stands above: `sender`, `deduplication` (`none`, `by-key`, `by-lookup`), `limits`
//! (`[{"part", "max", "unit", "on_excess"}]`), `per_call`, `concurrency`, `timeout_ms`, `lookup`, `crossings`. The parts are `subject`,
//! `text`, `html` and `short`.
//!
//! **Crossing.** A program that describes itself with `"crossings": true` writes `{"crossing": n}` immediately before the act after which
//! the message of item *n* may be out, and goes on when it has read `{"go": n}`: the mark is set by then, so whatever kills it later, the
//! item counts as *maybe sent*, and before that as *not sent*. Without crossings every item counts as crossed from the start: a deadline
//! that kills the program leaves everything in doubt that it had not told.
//!
//! **Faults.** `{"kind": "unavailable", "scope": "recipient", "effect": "not-sent", "retry": "never" | "backoff" | {"after_ms": 7000},
//! "code": "503", "message": "…"}`, in the words of [`ChannelError`]. Who does not say `not-sent` may have let it out. A message, code or
//! reference that holds an address, a token or a value of the environment is not kept.
//!
//! A program that ends without `done`, or writes what is none of these, has failed: what it told is kept, the rest is a fault of the
//! protocol. Like every channel, it must not try again by itself.

mod error;
mod options;
mod wire;

pub use self::error::ExecSetupError;
pub use self::options::ExecOptions;

use self::wire::{Description, Go, Item, Request, Said, Talk, VERSION};
use async_trait::async_trait;
use relcomm_core::channel::{
    AttemptContext, Batch, Channel, ChannelError, Descriptor, ErrorKind, Found, Key, Lookup, Outcome, Outcomes, Part,
    Prepared, Retry, Scope, Wording,
};
use relcomm_core::mechanism::{Capabilities, OnExcess};
use relcomm_core::plan::Finding;
use relcomm_core::stakeholder::Address;
use secrecy::ExposeSecret;
use std::fmt;
use std::io;

/// A shorter value of the environment is no secret: `1` would forbid every word that holds it.
const SHORTEST_SECRET: usize = 4;

/// The channel that is a program.
pub struct ExecChannel {
    options: ExecOptions,
    descriptor: Descriptor,
    capabilities: Capabilities,
    crossings: bool,
    looks_up: bool,
}

impl ExecChannel {
    /// Starts the program once, so that it describes itself.
    ///
    /// # Errors
    /// [`ExecSetupError`], if it cannot be started, says nothing in time, or describes itself in words that are not understood.
    pub async fn describe(options: ExecOptions) -> Result<Self, ExecSetupError> {
        let asked = async {
            let mut talk = Talk::start(&options)?;
            talk.ask(&Request::Describe { relcomm: VERSION }).await;
            Ok::<Option<Description>, io::Error>(talk.hear().await)
        };
        let described = tokio::time::timeout(options.patience, asked).await.map_err(|_| ExecSetupError::Silent)?;
        let described = described.map_err(|error| ExecSetupError::Start(error.kind()))?;
        let description = described.filter(Description::is_understood).ok_or(ExecSetupError::Description)?;
        let capabilities = description.capabilities();
        // Nothing is cut here: what is to be cut would not be.
        if capabilities.limits.iter().any(|limit| limit.on_excess == OnExcess::Cut) {
            return Err(ExecSetupError::Description);
        }
        let mut descriptor = Descriptor::new(&description.kind);
        if let Some(sender) = &description.sender {
            descriptor = descriptor.sender(sender);
        }
        let (crossings, looks_up) = (description.crossings, description.lookup);
        Ok(Self { options, descriptor, capabilities, crossings, looks_up })
    }

    /// Whether a text that the program gave may be kept: it holds nothing that must not be shown.
    fn may_keep(&self, text: &str, batch: Option<&Batch<'_>>) -> bool {
        let text = text.to_lowercase();
        let holds = |secret: &str| secret.len() >= SHORTEST_SECRET && text.contains(&secret.to_lowercase());
        let items = batch.map_or(&[][..], |batch| batch.items);
        !self.options.environment.values().any(|value| holds(value.expose_secret()))
            && !items.iter().any(|item| {
                let named = item.address.as_ref().map(Address::as_str).into_iter().chain(item.name.as_deref());
                named.into_iter().any(holds) || holds(item.token().as_str())
            })
    }

    /// Runs one conversation within the bounds of the context.
    async fn bounded<T>(
        &self,
        cx: &AttemptContext,
        talk: impl Future<Output = Result<T, ChannelError>> + Send,
    ) -> Result<T, ChannelError> {
        if cx.cancellation.is_cancelled() {
            return Err(ChannelError::new(ErrorKind::Cancelled, "called off before it began").retry(Retry::Backoff));
        }
        let late = || ChannelError::new(ErrorKind::Timeout, "the program did not end in time").retry(Retry::Backoff);
        if cx.remaining().is_zero() {
            return Err(late());
        }
        tokio::select! {
            biased;
            ended = talk => ended,
            () = cx.clock.sleep_until(cx.deadline) => Err(late()),
        }
    }

    fn start(&self) -> Result<Talk, ChannelError> {
        let failed = |error: io::Error| {
            let words = format!("the program cannot be started: {}", error.kind());
            ChannelError::new(ErrorKind::Configuration, words).scope(Scope::Channel).retry(Retry::Backoff)
        };
        Talk::start(&self.options).map_err(failed)
    }

    async fn converse(
        &self,
        cx: &AttemptContext,
        batch: &Batch<'_>,
        outcomes: &mut Outcomes,
    ) -> Result<(), ChannelError> {
        let items = batch.items.iter().map(|one| Item {
            key: one.key.as_str(),
            attempt: one.attempt,
            address: one.address.as_ref().map(Address::as_str),
            name: one.name.as_deref(),
            token: one.token().as_str().to_owned(),
        });
        let request = Request::Attempt {
            relcomm: VERSION,
            within_ms: within(cx),
            message_key: batch.message_key.as_str(),
            parts: &batch.text.parts,
            items: items.collect(),
        };
        let mut talk = self.start()?;
        if !self.crossings {
            (0..batch.items.len()).for_each(|i| outcomes.crossing(i));
        }
        talk.ask(&request).await;
        let may = |text: &str| self.may_keep(text, Some(batch));
        loop {
            match talk.hear().await {
                Some(Said::Crossing(i)) => {
                    outcomes.crossing(i);
                    talk.ask(&Go { go: i }).await;
                }
                Some(Said::Accepted(taken)) => outcomes.set(taken.item, Outcome::Accepted(taken.kept(may))),
                Some(Said::Failed(missed)) => outcomes.set(missed.item, Outcome::Failed(missed.fault.error(may))),
                Some(Said::Error(fault)) => return Err(fault.error(may)),
                Some(Said::Done(_)) if (0..outcomes.len()).all(|i| outcomes.is_set(i)) => return Ok(()),
                _ => return Err(broken()),
            }
        }
    }
}

/// How much time is left, in milliseconds.
fn within(cx: &AttemptContext) -> u64 {
    u64::try_from(cx.remaining().as_millis()).unwrap_or(u64::MAX)
}

/// It ended too early, or said what is not understood.
fn broken() -> ChannelError {
    ChannelError::new(ErrorKind::Protocol, "the program ended early, or said what is not understood")
        .retry(Retry::Backoff)
}

#[async_trait]
impl Channel for ExecChannel {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Takes any address: the program refuses what it cannot reach.
    fn check_address(&self, _: &Address) -> Result<(), String> {
        Ok(())
    }

    /// Four parts: `subject`, `text`, `html` and `short`.
    fn prepare(&self, wording: &Wording) -> Result<Prepared, Vec<Finding>> {
        let prepared = Prepared::new([
            Part::new("subject", "text/plain", &wording.subject),
            Part::new("text", "text/plain", wording.document.to_plain()),
            Part::new("html", "text/html", wording.document.to_html()),
            Part::new("short", "text/plain", &wording.short),
        ]);
        let over = prepared.over(&self.capabilities.limits);
        if over.is_empty() { Ok(prepared) } else { Err(over) }
    }

    async fn attempt(
        &self,
        cx: &AttemptContext,
        batch: &Batch<'_>,
        outcomes: &mut Outcomes,
    ) -> Result<(), ChannelError> {
        self.bounded(cx, self.converse(cx, batch, outcomes)).await
    }

    async fn verify(&self, cx: &AttemptContext) -> Result<Vec<Finding>, ChannelError> {
        let talk = async {
            let mut talk = self.start()?;
            talk.ask(&Request::Verify { relcomm: VERSION, within_ms: within(cx) }).await;
            let mut findings = Vec::new();
            loop {
                match talk.hear().await {
                    Some(Said::Finding(text)) if self.may_keep(&text, None) => {
                        findings.push(Finding::note("RC1117", "", text));
                    }
                    Some(Said::Finding(_)) => {}
                    Some(Said::Error(fault)) => return Err(fault.error(|text| self.may_keep(text, None))),
                    Some(Said::Done(_)) => return Ok(findings),
                    _ => return Err(broken().scope(Scope::Channel)),
                }
            }
        };
        self.bounded(cx, talk).await
    }

    fn lookup(&self) -> Option<&dyn Lookup> {
        self.looks_up.then_some(self)
    }
}

#[async_trait]
impl Lookup for ExecChannel {
    async fn lookup(&self, cx: &AttemptContext, key: &Key) -> Result<Found, ChannelError> {
        let talk = async {
            let request = Request::Lookup { relcomm: VERSION, within_ms: within(cx), key: key.as_str() };
            let mut talk = self.start()?;
            talk.ask(&request).await;
            match talk.hear().await {
                Some(Said::Error(fault)) => Err(fault.error(|text| self.may_keep(text, None))),
                Some(said) => said.found().ok_or_else(broken),
                None => Err(broken()),
            }
        };
        self.bounded(cx, talk).await
    }
}

impl fmt::Debug for ExecChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExecChannel")
            .field("options", &self.options)
            .field("kind", &self.descriptor.kind)
            .finish_non_exhaustive()
    }
}
