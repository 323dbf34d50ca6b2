//! Mechanisms: how a communique is delivered, and what the channel that carries one can do, hold and prove.

use crate::receipt::Assurance;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

/// The word for a mechanism: `email`, `text`, `pager`, `phone`, `website`, `bulletin`, `newsletter`, `presentation`, `webhook`,
/// `chat`, or a word of the plan's own. Lower-case letters, digits and `-`, beginning with a letter, at most 32 characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mechanism(Box<str>);

/// A word that cannot name a mechanism.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a mechanism: lower-case letters, digits and `-`, beginning with a letter, at most 32")]
pub struct BadMechanism(String);

impl Mechanism {
    /// The mechanisms that every plan knows without declaring them.
    pub const STANDARD: [&'static str; 10] =
        ["bulletin", "chat", "email", "newsletter", "pager", "phone", "presentation", "text", "webhook", "website"];

    /// Checks and takes the word.
    ///
    /// # Errors
    /// [`BadMechanism`] if the word breaks the rule of this type.
    pub fn new(word: impl AsRef<str>) -> Result<Self, BadMechanism> {
        let word = word.as_ref();
        let fits = (1..=32).contains(&word.len())
            && word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if fits { Ok(Self(word.into())) } else { Err(BadMechanism(word.chars().take(80).collect())) }
    }

    /// The word itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the word is one of [`STANDARD`](Self::STANDARD).
    #[must_use]
    pub fn is_standard(&self) -> bool {
        Self::STANDARD.contains(&self.as_str())
    }

    /// How far behind it stands where several would do and nothing says which: mail first, words of the plan's own last.
    pub(crate) fn rank(&self) -> usize {
        let order =
            ["email", "webhook", "chat", "text", "pager", "phone", "website", "bulletin", "newsletter", "presentation"];
        order.iter().position(|word| *word == self.as_str()).unwrap_or(order.len())
    }

    /// How a standard mechanism reaches people; `None` for a word of the plan's own.
    #[must_use]
    pub fn standard_addressing(&self) -> Option<Addressing> {
        match self.as_str() {
            "website" | "bulletin" | "newsletter" | "presentation" | "chat" => Some(Addressing::Once),
            "email" | "text" | "pager" | "phone" | "webhook" => Some(Addressing::Each),
            _ => None,
        }
    }
}

impl TryFrom<String> for Mechanism {
    type Error = BadMechanism;
    fn try_from(word: String) -> Result<Self, BadMechanism> {
        Self::new(word)
    }
}

impl From<Mechanism> for String {
    fn from(m: Mechanism) -> Self {
        m.0.into()
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for Mechanism {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// How a mechanism reaches people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Addressing {
    /// One attempt for each stakeholder, at an address of theirs.
    Each,
    /// One attempt for a gate and language, at the address of the binding, credited to every member.
    Once,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Unit {
    /// Octets of the UTF-8 form.
    Bytes,
    /// Unicode scalar values.
    Chars,
    /// UTF-16 code units.
    Utf16,
    /// Septets of the GSM 03.38 default alphabet; characters of its extension table count two.
    Gsm7Septets,
    /// Octets of the text as the inside of a JSON string, escapes counted.
    JsonBytes,
    /// Lines, blocks or other items, as the part says.
    Items,
}

/// What a channel does with a text over its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OnExcess {
    /// Preparation refuses the text.
    Reject,
    /// Whole items are dropped from the end and counted in a closing line.
    Cut,
}

/// The most that one part of a prepared text may hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Limit {
    /// The part's name, such as `subject`.
    pub part: String,
    /// The greatest count.
    pub max: usize,
    /// What is counted.
    pub unit: Unit,
    /// What happens above it.
    pub on_excess: OnExcess,
}

impl Limit {
    /// A limit above which preparation refuses the text.
    #[must_use]
    pub fn reject(part: &str, max: usize, unit: Unit) -> Self {
        Self { part: part.into(), max, unit, on_excess: OnExcess::Reject }
    }
    /// A limit to which the text is cut by whole items.
    #[must_use]
    pub fn cut(part: &str, max: usize, unit: Unit) -> Self {
        Self { part: part.into(), max, unit, on_excess: OnExcess::Cut }
    }
}

/// Whether the far side recognises a repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Deduplication {
    /// It does not: a repeat is a second copy.
    None,
    /// It honours the delivery key: a repeat under the same key is the same message.
    ByKey,
    /// It does not, but the channel can look an earlier attempt up by its key.
    ByLookup,
}

/// What a channel can do, hold and prove. Stable for the life of the channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Capabilities {
    /// How it reaches people.
    pub addressing: Addressing,
    /// The most it can ever prove, receipts included.
    pub proves: Assurance,
    /// Whether a repeat is recognised.
    pub deduplication: Deduplication,
    /// The limits of its parts.
    pub limits: Vec<Limit>,
    /// How many recipients one call may carry when the text is the same for all; 1 where each needs its own.
    pub per_call: NonZeroU32,
    /// How many calls may be in flight at once.
    pub concurrency: NonZeroU32,
    /// At most so many attempts in so long a time.
    pub rate: Option<Rate>,
    /// How long one call may take before its outcome counts as unknown.
    pub timeout: Duration,
    /// Whether a person does the work, so that an accepted attempt is only a task.
    pub by_hand: bool,
}

/// At most `count` attempts in each `per`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Rate {
    /// How many.
    pub count: NonZeroU32,
    /// In how long.
    pub per: Duration,
}

impl Rate {
    /// At most `count` attempts in each `per`.
    #[must_use]
    pub fn new(count: NonZeroU32, per: Duration) -> Self {
        Self { count, per }
    }
}

impl Capabilities {
    /// The plainest channel: as said, no deduplication, no limits, one recipient a call, 8 calls at once, no rate, 60 s.
    #[must_use]
    pub fn new(addressing: Addressing, proves: Assurance) -> Self {
        Self {
            addressing,
            proves,
            deduplication: Deduplication::None,
            limits: Vec::new(),
            per_call: NonZeroU32::MIN,
            concurrency: NonZeroU32::MIN.saturating_add(7),
            rate: None,
            timeout: Duration::from_secs(60),
            by_hand: false,
        }
    }

    /// With this deduplication.
    #[must_use]
    pub fn deduplication(mut self, deduplication: Deduplication) -> Self {
        self.deduplication = deduplication;
        self
    }

    /// With these limits.
    #[must_use]
    pub fn limits(mut self, limits: impl IntoIterator<Item = Limit>) -> Self {
        self.limits = limits.into_iter().collect();
        self
    }

    /// With so many recipients in one call.
    #[must_use]
    pub fn per_call(mut self, n: NonZeroU32) -> Self {
        self.per_call = n;
        self
    }

    /// With so many calls at once.
    #[must_use]
    pub fn concurrency(mut self, n: NonZeroU32) -> Self {
        self.concurrency = n;
        self
    }

    /// With this rate.
    #[must_use]
    pub fn rate(mut self, rate: Rate) -> Self {
        self.rate = Some(rate);
        self
    }

    /// With this bound on one call.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// As a channel whose work a person does.
    #[must_use]
    pub fn by_hand(mut self) -> Self {
        self.by_hand = true;
        self
    }
}
