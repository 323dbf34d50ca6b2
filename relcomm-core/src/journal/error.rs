//! What can go wrong with a journal.

use std::fmt;

/// A fault of the journal. The run stops; nothing that was recorded is lost.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub struct JournalError {
    /// What it was.
    pub kind: JournalErrorKind,
    message: String,
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum JournalErrorKind {
    /// What is stored cannot be read.
    Corrupt,
    /// The session counts as dead: another dispatcher may have taken its work.
    Fenced,
    /// The journal was made in the other mode.
    Mode,
    /// There is no such journal, or not for this plan and version, and none was asked for.
    Missing,
    /// The store cannot be reached or written.
    Unavailable,
}

impl JournalError {
    /// A fault; the message holds no address and no secret.
    #[must_use]
    pub fn new(kind: JournalErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
