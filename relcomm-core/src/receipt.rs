//! Receipts: evidence about a delivery after the attempt, and how much it proves.

use crate::clock::Moment;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What is proved about a delivery, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Assurance {
    /// An attempt was begun.
    Attempted,
    /// The far side took it over.
    Accepted,
    /// It was handed on to a system that gives no further receipts.
    Relayed,
    /// It reached the stakeholder's mailbox, device or page.
    Delivered,
    /// It was shown.
    Displayed,
    /// A person said so.
    Acknowledged,
}

impl Assurance {
    /// All of them, from least to most.
    pub const ALL: [Self; 6] =
        [Self::Attempted, Self::Accepted, Self::Relayed, Self::Delivered, Self::Displayed, Self::Acknowledged];

    /// The word in plans and reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Attempted => "attempted",
            Self::Accepted => "accepted",
            Self::Relayed => "relayed",
            Self::Delivered => "delivered",
            Self::Displayed => "displayed",
            Self::Acknowledged => "acknowledged",
        }
    }
}

impl fmt::Display for Assurance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl std::str::FromStr for Assurance {
    type Err = ();
    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|a| a.word() == word).ok_or(())
    }
}

/// What a receipt says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Evidence {
    /// It got at least this far.
    Reached(Assurance),
    /// It will not arrive.
    Failed,
    /// It is still being tried by the far side, until then at most.
    Delayed {
        /// When the far side gives up, if it said so.
        until: Option<Moment>,
    },
}

/// How the evidence came to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ReceiptKind {
    /// A delivery status notification, RFC 3464.
    Dsn,
    /// A call back from the far side.
    Callback,
    /// An answer to a question that the channel asked.
    Poll,
    /// A named person's word.
    Attestation,
}

/// The signed mark that the engine gives to each delivery and a receipt brings back: `relcomm`'s return paths and callbacks
/// carry it. Lower-case letters, digits and `-`, at most 48 octets.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Box<str>")]
pub struct Token(Box<str>);

impl From<Box<str>> for Token {
    fn from(text: Box<str>) -> Self {
        Self::new(text)
    }
}

impl Token {
    /// Takes what may be a token; whether it is one only the engine can tell. Case is folded, since mail systems fold it.
    #[must_use]
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(text.as_ref().to_ascii_lowercase().into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// Evidence about one delivery.
///
/// Receipts are idempotent: two with the same [`identity`](Self::identity) are one. Those that match nothing are kept as unmatched
/// evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Receipt {
    /// What tells this receipt from every other of its source: for mail the digest of the raw message and the recipient's place in it.
    pub identity: String,
    /// How it came.
    pub kind: ReceiptKind,
    /// The signed mark it brought back. Without one, or with a forged one, it matches nothing.
    pub token: Option<Token>,
    /// What it says.
    pub evidence: Evidence,
    /// Whether its origin is proved beyond the token (a verified signature, a named attestor). A receipt that holds a valid token of a
    /// signed return path counts as verified too.
    pub verified: bool,
    /// The far side's code, such as an enhanced mail status (RFC 3463) `5.1.1`.
    pub code: Option<String>,
    /// When the far side says it happened.
    pub reported: Option<Moment>,
}

impl Receipt {
    /// A receipt that says this, not yet matched or verified.
    #[must_use]
    pub fn new(kind: ReceiptKind, identity: impl Into<String>, evidence: Evidence) -> Self {
        Self { identity: identity.into(), kind, token: None, evidence, verified: false, code: None, reported: None }
    }

    /// With the mark it brought back.
    #[must_use]
    pub fn token(mut self, token: Token) -> Self {
        self.token = Some(token);
        self
    }

    /// With its origin proved.
    #[must_use]
    pub fn verified(mut self) -> Self {
        self.verified = true;
        self
    }

    /// With the far side's code. Control characters are dropped and it is held to 64 characters.
    #[must_use]
    pub fn code(mut self, code: &str) -> Self {
        self.code = Some(code.chars().filter(|c| !c.is_control()).take(64).collect());
        self
    }

    /// With the far side's time.
    #[must_use]
    pub fn reported(mut self, at: Moment) -> Self {
        self.reported = Some(at);
        self
    }
}
