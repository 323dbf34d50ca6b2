//! What goes over the pipe: one JSON object a line, in both directions.

use super::options::ExecOptions;
use relcomm_core::channel::{Accepted, ChannelError, Effect, ErrorKind, Found, Part, Retry, Scope};
use relcomm_core::mechanism::{Addressing, Capabilities, Deduplication, Limit};
use relcomm_core::receipt::Assurance;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use std::io;
use std::num::NonZeroU32;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// The version of the protocol.
pub(super) const VERSION: u32 = 1;
/// The longest line that is read of a program, in octets.
const LONGEST_LINE: u64 = 1 << 20;

/// What a program is asked to do; the first line that it reads.
#[derive(Serialize)]
#[serde(tag = "do", rename_all = "lowercase")]
pub(super) enum Request<'a> {
    Describe { relcomm: u32 },
    Verify { relcomm: u32, within_ms: u64 },
    Attempt { relcomm: u32, within_ms: u64, message_key: &'a str, parts: &'a [Part], items: Vec<Item<'a>> },
    Lookup { relcomm: u32, within_ms: u64, key: &'a str },
}

/// One recipient.
#[derive(Serialize)]
pub(super) struct Item<'a> {
    pub(super) key: &'a str,
    pub(super) attempt: u32,
    pub(super) address: Option<&'a str>,
    pub(super) name: Option<&'a str>,
    pub(super) token: String,
}

/// The leave to cross, said after the mark was set.
#[derive(Serialize)]
pub(super) struct Go {
    pub(super) go: usize,
}

/// What a program says of itself.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Description {
    relcomm: u32,
    pub(super) kind: String,
    #[serde(default)]
    pub(super) sender: Option<String>,
    addressing: Addressing,
    proves: Assurance,
    #[serde(default = "no_deduplication")]
    deduplication: Deduplication,
    #[serde(default)]
    limits: Vec<Limit>,
    #[serde(default = "one")]
    per_call: NonZeroU32,
    #[serde(default = "one")]
    concurrency: NonZeroU32,
    #[serde(default = "a_minute")]
    timeout_ms: u64,
    /// Whether it asks for leave before it crosses. If not, every item counts as crossed from the start.
    #[serde(default)]
    pub(super) crossings: bool,
    #[serde(default)]
    pub(super) lookup: bool,
}

fn no_deduplication() -> Deduplication {
    Deduplication::None
}

fn one() -> NonZeroU32 {
    NonZeroU32::MIN
}

fn a_minute() -> u64 {
    60_000
}

impl Description {
    pub(super) fn is_understood(&self) -> bool {
        self.relcomm == VERSION && !self.kind.is_empty()
    }

    pub(super) fn capabilities(&self) -> Capabilities {
        Capabilities::new(self.addressing, self.proves)
            .deduplication(self.deduplication)
            .limits(self.limits.iter().cloned())
            .per_call(self.per_call)
            .concurrency(self.concurrency)
            .timeout(Duration::from_millis(self.timeout_ms))
    }
}

/// What a program says while it works.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Said {
    /// It asks for leave to cross for this item.
    Crossing(usize),
    /// The item was taken over.
    Accepted(Taken),
    /// The item was not, or nobody knows.
    Failed(Missed),
    /// Something speaks for all that are not set.
    Error(Fault),
    /// A finding of the verification.
    Finding(String),
    /// What was found.
    Found(Option<Assurance>),
    /// Nothing can be said about it.
    Unknown(serde::de::IgnoredAny),
    /// That was all.
    Done(serde::de::IgnoredAny),
}

impl Said {
    /// What a look-up came to: `{"found": "accepted"}`, `{"found": null}` for absent, `{"unknown": true}`.
    pub(super) fn found(&self) -> Option<Found> {
        match self {
            Self::Found(Some(assurance)) => Some(Found::Found(*assurance)),
            Self::Found(None) => Some(Found::Absent),
            Self::Unknown(_) => Some(Found::Unknown),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Taken {
    pub(super) item: usize,
    #[serde(default = "accepted")]
    assurance: Assurance,
    #[serde(default)]
    reference: Option<String>,
    #[serde(default)]
    url: Option<String>,
}

fn accepted() -> Assurance {
    Assurance::Accepted
}

impl Taken {
    /// What of it may be kept.
    pub(super) fn kept(self, may: impl Fn(&str) -> bool) -> Accepted {
        let mut accepted = Accepted::new(self.assurance);
        if let Some(reference) = self.reference.filter(|text| may(text)) {
            accepted = accepted.reference(reference);
        }
        if let Some(url) = self.url.filter(|text| may(text)) {
            accepted = accepted.url(url);
        }
        accepted
    }
}

#[derive(Deserialize)]
pub(super) struct Missed {
    pub(super) item: usize,
    #[serde(flatten)]
    pub(super) fault: Fault,
}

#[derive(Deserialize)]
pub(super) struct Fault {
    kind: ErrorKind,
    #[serde(default = "recipient")]
    scope: Scope,
    #[serde(default = "maybe_sent")]
    effect: Effect,
    #[serde(default)]
    retry: Option<Again>,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    message: String,
}

/// `"never"`, `"backoff"`, or `{"after_ms": n}`.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Again {
    Never,
    Backoff,
    #[serde(untagged)]
    After {
        after_ms: u64,
    },
}

fn recipient() -> Scope {
    Scope::Recipient
}

/// Who does not say that nothing went out may have let it out.
fn maybe_sent() -> Effect {
    Effect::MaybeSent
}

impl Fault {
    /// As the engine is told; words that may not be kept are left out.
    pub(super) fn error(self, may: impl Fn(&str) -> bool) -> ChannelError {
        let words = if may(&self.message) { self.message.as_str() } else { "what the program said is not repeated" };
        let retry = match self.retry {
            Some(Again::Never) => Retry::Never,
            Some(Again::After { after_ms }) => Retry::After(Duration::from_millis(after_ms)),
            Some(Again::Backoff) | None => Retry::Backoff,
        };
        let mut error = ChannelError::new(self.kind, words).scope(self.scope).retry(retry);
        error.effect = self.effect;
        match self.code.filter(|code| may(code)) {
            Some(code) => error.code(code),
            None => error,
        }
    }
}

/// A running program. It is killed when this is dropped.
pub(super) struct Talk {
    _child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Talk {
    pub(super) fn start(options: &ExecOptions) -> io::Result<Self> {
        let mut command = Command::new(&options.program);
        command.args(&options.arguments).env_clear();
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        for (name, value) in &options.environment {
            command.env(name, value.expose_secret());
        }
        // What it complains of may hold anything: it is not ours to show.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let missing = || io::Error::other("a pipe is missing");
        let input = child.stdin.take().ok_or_else(missing)?;
        let output = child.stdout.take().map(BufReader::new).ok_or_else(missing)?;
        Ok(Self { _child: child, input, output })
    }

    /// Says one line. A program that ends without reading it shows that by its silence.
    pub(super) async fn ask(&mut self, what: &impl Serialize) {
        if let Ok(mut line) = serde_json::to_vec(what) {
            line.push(b'\n');
            if self.input.write_all(&line).await.is_ok() {
                let _ = self.input.flush().await;
            }
        }
    }

    /// The next line; `None` at the end, or where it is no line of ours.
    pub(super) async fn hear<T: serde::de::DeserializeOwned>(&mut self) -> Option<T> {
        let mut line = Vec::new();
        (&mut self.output).take(LONGEST_LINE).read_until(b'\n', &mut line).await.ok()?;
        serde_json::from_slice(&line).ok()
    }
}
