//! A channel that is a program, in whatever language: requests and answers are JSON lines on its standard input and output.
//!
//! # One process for each request
//! The program is started for each request, reads it from the first line of its standard input, answers, says that it is done, and ends.
//! So a program that hangs or dies harms one call and no other, and what lasts (a spool, a service) is where it belongs: outside. A
//! process that has not ended a second after its answer, whose time is up, or whose call is dropped, is killed with its whole process
//! group (on systems other than Unix: the process alone).
//!
//! In the channels file of the `relcomm` command (a path is relative to where the command runs):
//!
//! ```yaml
//! chat:
//!   kind: exec
//!   program: ./post.py                # or a name in PATH
//!   args: [--room, general]
//!   env: { TOKEN: { env: CHAT_TOKEN } }
//!   directory: /srv/chat              # the rest may be left out
//!   timeout: 30s
//!   concurrency: 4
//! ```
//!
//! # Requests
//! Each is one object with `relcomm` (the version of the protocol, 1), `do`, and `seconds`, the time it has. Keys that a program does not
//! know it passes over.
//!
//! | `do` | with | answered with | asked if |
//! | --- | --- | --- | --- |
//! | `describe` | | one line: a [`Description`] | always, once |
//! | `attempt` | `message_key`, `text` (parts by name), `items`: `item`, `key`, `attempt`, `token`, and `address` and `name` if known | lines for each item, then `done` | always |
//! | `verify` | | a `finding` for each thing worth knowing, then `done` | always |
//! | `lookup` | `key` | a `lookup`, then `done` | described with `lookup` |
//! | `receipts` | `max` | a `receipt` for each, oldest first, then `done` | described with `receipts` |
//! | `receipts-done` | `ids` | `done`: these need not come again | described with `receipts` |
//! | `seen`, `fault` | see below | | tested only, by `relcomm contract` |
//!
//! Addresses are checked and parts prepared here, by what the program describes: a pattern, names of parts and their limits.
//!
//! # Answers
//! Each line is an object that says one thing; unknown keys are a breach.
//!
//! | line | says |
//! | --- | --- |
//! | `{"item": 0, "crossing": true}` | the next act may put the message on its way. **The program waits for a line**: `{"item": 0, "go": true}`, or `false` if it was called off: then it does nothing about this item and says nothing more of it |
//! | `{"item": 0, "accepted": "accepted"}` | the far side took it over, and what that proves; with `reference` and `url` if there are any |
//! | `{"item": 0, "failed": "recipient-invalid"}` | it did not, or nobody knows: see below |
//! | `{"failed": "unavailable"}` | the same for every item that has no answer, or for the request; nothing follows |
//! | `{"finding": "warning", "message": ".."}` | or `error`: what `verify` learned |
//! | `{"lookup": "found", "assurance": "delivered"}` | or `absent`, `unknown`; `accepted` unless said. `reference` and `url` as of an acceptance |
//! | `{"receipt": "ID", "token": "..", "says": "delivered"}` | or another assurance, `failed`, `delayed` (`until`); with `code`, `reported`, `raw` if there are any; without `says`, something that is not understood |
//! | `{"done": true}` | nothing follows |
//!
//! `failed` is one of the words of [`ErrorKind`]. With it go, where the usual is not meant, `scope` (recipient, message, endpoint,
//! channel), `effect` (not-sent, maybe-sent), `retry` (never, backoff, or a number of seconds), `code` and `message`.
//!
//! | kind | usual scope | usual retry |
//! | --- | --- | --- |
//! | authentication, configuration | channel | never |
//! | connect, quota, rate-limited, tls, unavailable | channel | backoff |
//! | cancelled, internal, timeout | message | backoff |
//! | content-rejected, protocol, too-large | message | never |
//! | endpoint-gone, policy, recipient-invalid, recipient-opted-out, unsupported | recipient | never |
//!
//! The usual effect is maybe-sent for an item that has crossed, not-sent for one that has not.
//!
//! ```text
//! host     {"relcomm":1,"seconds":60.0,"do":"attempt","message_key":"aaaa…","text":{"subject":"Live","text":"It is live."},
//!           "items":[{"item":0,"key":"bbbb…","attempt":1,"address":"ops","token":"v1-…"}]}         (in one line)
//! program  {"item":0,"crossing":true}
//! host     {"item":0,"go":true}
//! program  {"item":0,"accepted":"accepted","reference":"4711"}
//! program  {"done":true}
//! ```
//!
//! # What else can happen
//!
//! | the program | an item without answer that has not crossed | one that has | kind, scope, retry |
//! | --- | --- | --- | --- |
//! | cannot be started | not sent | | configuration (missing, not executable: never) or internal (backoff), channel |
//! | ends or closes its output before it is done | not sent | maybe sent | unavailable, message, backoff; the code is `exit N` or `signal N` |
//! | has not answered by the deadline: it is killed | not sent | maybe sent | timeout, message, backoff |
//! | is called off: not before what has crossed is answered | not sent | waited for | cancelled, message, backoff |
//! | says what is no line of the above, more than 1 MiB in a line or 16 MiB in all | not sent | maybe sent | protocol, message, never |
//! | names an item that there is not, lets one cross twice, or answers one twice (the first answer stands) | not sent | maybe sent | protocol, message, never |
//! | accepts an item that had not crossed | | that item: maybe sent | protocol, message, never |
//! | is done with items unanswered | not sent | maybe sent | protocol, message, never |
//! | claims more than it described as `proves` | | accepted, as described | |
//!
//! # What it may see
//! Its environment holds what the options say, and of the host's `PATH`, `HOME`, `LANG`, `LC_ALL`, `TZ`, `TMPDIR` (and `SYSTEMROOT`);
//! nothing else. Secrets belong there, never into arguments. It runs as the host does: it is trusted with all that the host may do.
//!
//! What it writes to standard error is logged at debug, at most 64 KiB. Values of its environment, addresses, names, tokens and lines of
//! the text are struck out of that and of every `message` (values and lines of less than four octets are not); a `reference`, `url` or
//! `code` that holds one is left out.
//!
//! # To be tested
//! `relcomm contract --exec PROGRAM` judges it by the contract of [`Channel`]. For each trial it sets
//! `RELCOMM_TRIAL` to a new empty directory, where the program keeps its far side, and asks what only a test asks. The description says
//! with which addresses: `"trial": {"addresses": ["ops", "press", "staff"], "refused": "nobody"}`.
//!
//! | `do` | with | answered with |
//! | --- | --- | --- |
//! | `seen` | | `{"seen": {"text": .., "subject": .., "key": .., "to": .., "raw": ..}}` for each message there (all but `text` if known), then `{"done": true, "calls": N}`: how often the far side was to take a message over |
//! | `fault` | `fault`: a word such as `lose-answer`; `after`: how many messages go well before the one that fails so | `{"done": true}`, or `{"cannot": "why"}` |

mod attempt;
mod error;
mod hidden;
mod options;
mod process;
mod receipts;
mod wire;

pub use self::error::ExecSetupError;
pub use self::options::{Description, ExecOptions, PartDescription, PartName, RateDescription, TrialDescription};

use self::attempt::{Attempt, closed};
use self::error::Mishap;
use self::hidden::Hidden;
use self::process::Process;
use self::receipts::{ask, describe};
use self::wire::{Request, Said, What};
use async_trait::async_trait;
use regex::Regex;
use relcomm_core::channel::{
    AttemptContext, Batch, Channel, ChannelError, Descriptor, ErrorKind, Lookup, Outcomes, Part, Prepared,
    ReceiptSource, Wording,
};
use relcomm_core::mechanism::{Capabilities, Deduplication, Limit, Rate};
use relcomm_core::plan::Finding;
use relcomm_core::stakeholder::Address;
use std::fmt;
use std::time::Duration;
use tokio::sync::Semaphore;

/// The channel that is a program.
pub struct ExecChannel {
    descriptor: Descriptor,
    capabilities: Capabilities,
    parts: Vec<PartDescription>,
    address: Option<Regex>,
    offers: Offers,
    hidden: Hidden,
    places: Semaphore,
    trial: Option<TrialDescription>,
    options: ExecOptions,
}

struct Offers {
    lookup: bool,
    receipts: bool,
}

impl ExecChannel {
    /// Asks the program what it is, within the context's time, and makes a channel of it.
    ///
    /// # Errors
    /// [`ExecSetupError`], if it cannot be asked or says what is not understood.
    pub async fn open(options: ExecOptions, cx: &AttemptContext) -> Result<Self, ExecSetupError> {
        check(&options)?;
        let hidden = Hidden::of(options.env.values());
        let line = describe(&options, cx, &hidden).await.map_err(ExecSetupError::Describe)?;
        let described: Description = serde_json::from_slice(&line)
            .map_err(|error| ExecSetupError::Description(hidden.strike(&error.to_string())))?;
        Self::described(options, described)
    }

    /// A channel of a program that is known already: it is not asked.
    ///
    /// # Errors
    /// [`ExecSetupError`], if the description contradicts itself.
    pub fn described(options: ExecOptions, described: Description) -> Result<Self, ExecSetupError> {
        check(&options)?;
        let bad = |why: &str| ExecSetupError::Description(why.into());
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !(1..=32).contains(&described.kind.len()) || !described.kind.chars().all(plain) {
            return Err(bad("`kind` holds 1 to 32 lower-case letters, digits and `-`"));
        }
        if described.lookup && described.deduplication == Deduplication::None {
            return Err(bad("`lookup` goes with `deduplication`: by-lookup or by-key"));
        }
        if described.deduplication == Deduplication::ByLookup && !described.lookup {
            return Err(bad("`deduplication`: by-lookup needs `lookup`"));
        }
        let address = described.address.as_deref().map(|pattern| Regex::new(&format!("^(?:{pattern})$"))).transpose();
        let mut descriptor = Descriptor::new(format!("exec:{}", described.kind));
        if let Some(sender) = &described.sender {
            descriptor = descriptor.sender(sender);
        }
        let limits =
            described.parts.iter().filter_map(|part| Some(Limit::reject(part.name.word(), part.max?, part.unit)));
        let seconds = |n: std::num::NonZeroU32| Duration::from_secs(n.get().into());
        let concurrency = options.concurrency.unwrap_or(described.concurrency);
        let mut capabilities = Capabilities::new(described.addressing, described.proves)
            .deduplication(described.deduplication)
            .limits(limits)
            .per_call(described.per_call)
            .concurrency(concurrency)
            .timeout(options.timeout.or(described.timeout.map(seconds)).unwrap_or(Duration::from_secs(60)));
        if let Some(rate) = described.rate {
            capabilities = capabilities.rate(Rate::new(rate.count, seconds(rate.seconds)));
        }
        Ok(Self {
            descriptor,
            capabilities,
            parts: described.parts,
            address: address.map_err(|_| bad("`address` is no regular expression"))?,
            offers: Offers { lookup: described.lookup, receipts: described.receipts },
            hidden: Hidden::of(options.env.values()),
            places: Semaphore::new(usize::try_from(concurrency.get()).unwrap_or(1).min(Semaphore::MAX_PERMITS)),
            trial: described.trial,
            options,
        })
    }

    /// What the program says it can be tested with.
    #[must_use]
    pub fn trial(&self) -> Option<&TrialDescription> {
        self.trial.as_ref()
    }
}

fn check(options: &ExecOptions) -> Result<(), ExecSetupError> {
    let names = options.env.keys().all(|name| !name.is_empty() && !name.contains(['=', '\0']));
    if names { Ok(()) } else { Err(ExecSetupError::Variable) }
}

#[async_trait]
impl Channel for ExecChannel {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn check_address(&self, address: &Address) -> Result<(), String> {
        match &self.address {
            Some(pattern) if !pattern.is_match(address.as_str()) => {
                Err("it is not of the form that the program takes".into())
            }
            _ => Ok(()),
        }
    }

    fn prepare(&self, wording: &Wording) -> Result<Prepared, Vec<Finding>> {
        let parts = self.parts.iter().map(|part| {
            let name = part.name.word();
            match part.name {
                PartName::Subject => Part::new(name, "text/plain", &wording.subject),
                PartName::Text => Part::new(name, "text/plain", wording.document.to_plain()),
                PartName::Html => Part::new(name, "text/html", wording.document.to_html()),
                PartName::Short => Part::new(name, "text/plain", &wording.short),
                PartName::About => Part::new(name, "application/json", about(wording)),
            }
        });
        let prepared = Prepared::new(parts);
        let over = prepared.over(&self.capabilities.limits);
        if over.is_empty() { Ok(prepared) } else { Err(over) }
    }

    async fn attempt(
        &self,
        cx: &AttemptContext,
        batch: &Batch<'_>,
        outcomes: &mut Outcomes,
    ) -> Result<(), ChannelError> {
        let place = async { self.places.acquire().await.map_err(|_| closed()) };
        let _place = tokio::select! {
            biased;
            () = cx.cancellation.cancelled() => return Err(Mishap::CalledOff.into()),
            () = cx.clock.sleep_until(cx.deadline) => return Err(Mishap::Late.into()),
            place = place => place?,
        };
        let hidden = self.hidden.and(batch);
        let request = Request::new(What::attempt(batch), cx.remaining());
        let process = Process::start(&self.options, &request, hidden.clone(), cx)?;
        let attempt = Attempt { cx, hidden: &hidden, proves: self.capabilities.proves };
        attempt.converse(process, outcomes).await
    }

    async fn verify(&self, cx: &AttemptContext) -> Result<Vec<Finding>, ChannelError> {
        let said = ask(&self.options, cx, &self.hidden, What::Verify).await?;
        let findings = said.into_iter().map(|said| match said {
            Said::Finding { error: true, message } => Ok(Finding::error("RC1117", "", message)),
            Said::Finding { error: false, message } => Ok(Finding::warning("RC1117", "", message)),
            _ => Err(ChannelError::new(ErrorKind::Protocol, "the program answers a verification with another line")),
        });
        findings.collect()
    }

    fn receipts(&self) -> Option<&dyn ReceiptSource> {
        self.offers.receipts.then_some(self as _)
    }

    fn lookup(&self) -> Option<&dyn Lookup> {
        self.offers.lookup.then_some(self as _)
    }
}

/// What the text is about, for programs that hand on data rather than prose.
fn about(wording: &Wording) -> String {
    let about = &wording.about;
    let groups: Vec<&str> = about.groups.iter().map(relcomm_core::id::GroupId::as_str).collect();
    serde_json::json!({
        "plan": about.plan.as_str(),
        "product": about.product,
        "version": about.version,
        "communique": about.communique.as_str(),
        "groups": groups,
        "place": about.place.as_ref().map(relcomm_core::id::PlaceId::as_str),
        "lang": wording.lang.as_ref().map(relcomm_core::id::Lang::as_str),
    })
    .to_string()
}

impl fmt::Debug for ExecChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExecChannel").field("kind", &self.descriptor.kind).finish_non_exhaustive()
    }
}
