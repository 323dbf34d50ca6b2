//! What went wrong in a channel, how far the fault reaches, and whether the message may have gone out.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// A fault of an attempt: its kind, how far it reaches, whether the message may be out, and when another try makes sense.
///
/// | effect | retry | scope | what the engine does |
/// | --- | --- | --- | --- |
/// | maybe sent | any | any | tries again under the same key, looks it up, or holds and reports, as the channel can and the plan says |
/// | not sent | backoff, after | recipient, message | tries again later, while tries are left |
/// | not sent | never | recipient, message | the next step |
/// | not sent | any | endpoint, channel | the lane goes down and nobody's try is counted; authentication and configuration bar it |
///
/// `Display` is one line without addresses and secrets, at most 300 characters.
#[derive(Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub struct ChannelError {
    /// What it was.
    pub kind: ErrorKind,
    /// How far it reaches.
    pub scope: Scope,
    /// Whether the message may be out.
    pub effect: Effect,
    /// When another try makes sense.
    pub retry: Retry,
    /// The far side's code, such as `550 5.1.1` or `503`.
    pub code: Option<String>,
    message: String,
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// Credentials were refused.
    Authentication,
    /// The attempt was cancelled before anything was sent.
    Cancelled,
    /// The channel is not configured for this.
    Configuration,
    /// No connection came about.
    Connect,
    /// The content was refused.
    ContentRejected,
    /// The endpoint is gone for good.
    EndpointGone,
    /// A fault of the channel itself.
    Internal,
    /// Not allowed by policy: theirs or ours.
    Policy,
    /// The far side broke its protocol.
    Protocol,
    /// A quota is used up.
    Quota,
    /// Too many requests.
    RateLimited,
    /// There is no such recipient.
    RecipientInvalid,
    /// The recipient does not want it.
    RecipientOptedOut,
    /// No answer in time.
    Timeout,
    /// The transport's security could not be set up.
    Tls,
    /// The text is too large.
    TooLarge,
    /// The far side is not available.
    Unavailable,
    /// The far side cannot do this.
    Unsupported,
}

impl ErrorKind {
    /// The word in journals and reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Authentication => "authentication",
            Self::Cancelled => "cancelled",
            Self::Configuration => "configuration",
            Self::Connect => "connect",
            Self::ContentRejected => "content-rejected",
            Self::EndpointGone => "endpoint-gone",
            Self::Internal => "internal",
            Self::Policy => "policy",
            Self::Protocol => "protocol",
            Self::Quota => "quota",
            Self::RateLimited => "rate-limited",
            Self::RecipientInvalid => "recipient-invalid",
            Self::RecipientOptedOut => "recipient-opted-out",
            Self::Timeout => "timeout",
            Self::Tls => "tls",
            Self::TooLarge => "too-large",
            Self::Unavailable => "unavailable",
            Self::Unsupported => "unsupported",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// How far a fault reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Scope {
    /// This recipient only.
    Recipient,
    /// This text, for every recipient.
    Message,
    /// This endpoint, whatever is sent there.
    Endpoint,
    /// The whole channel.
    Channel,
}

/// Whether the message may have gone out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// It certainly did not.
    NotSent,
    /// It may have.
    MaybeSent,
}

/// When another try makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Retry {
    /// Never: the answer is final.
    Never,
    /// Later, at the engine's pace.
    Backoff,
    /// Not before this long from now, as the far side asked.
    After(Duration),
}

/// The longest message that an error carries, in characters.
const LONGEST: usize = 300;

impl ChannelError {
    /// A fault of one recipient that certainly sent nothing and is final. Change what differs with the setters.
    ///
    /// The message must hold no address and no secret; control characters are dropped and it is held to 300 characters.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl AsRef<str>) -> Self {
        Self {
            kind,
            scope: Scope::Recipient,
            effect: Effect::NotSent,
            retry: Retry::Never,
            code: None,
            message: message.as_ref().chars().filter(|c| !c.is_control()).take(LONGEST).collect(),
        }
    }

    /// Reaching this far.
    #[must_use]
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// The message may be out.
    #[must_use]
    pub fn maybe_sent(mut self) -> Self {
        self.effect = Effect::MaybeSent;
        self
    }

    /// Another try makes sense then.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// With the far side's code, held to 64 characters without control characters.
    #[must_use]
    pub fn code(mut self, code: impl AsRef<str>) -> Self {
        self.code = Some(code.as_ref().chars().filter(|c| !c.is_control()).take(64).collect());
        self
    }

    /// The message.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for ChannelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if let Some(code) = &self.code {
            write!(f, " ({code})")?;
        }
        if self.message.is_empty() { Ok(()) } else { write!(f, ": {}", self.message) }
    }
}

impl fmt::Debug for ChannelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelError")
            .field("kind", &self.kind)
            .field("scope", &self.scope)
            .field("effect", &self.effect)
            .field("retry", &self.retry)
            .field("code", &self.code)
            .field("message", &self.message)
            .finish()
    }
}
