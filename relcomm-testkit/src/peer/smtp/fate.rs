//! What the script does with a recipient.

use std::fmt;

use super::reply::{Reply, one_line};

/// How the server answers one `RCPT TO`, and what becomes of the mail afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecipientAnswer {
    /// The recipient is accepted, and nothing more is heard.
    Accept,
    /// The recipient is answered with this reply; only a 2xx code accepts.
    Reply(Reply),
    /// The recipient is accepted, and these reports follow one after another, each only if it was asked for.
    AcceptThen(Vec<Fate>),
}

impl RecipientAnswer {
    /// `550 5.1.1`, at once.
    #[must_use]
    pub fn refuse() -> Self {
        Self::Reply(Reply::no_such_mailbox())
    }

    /// `451 4.7.1`; see [`SmtpScript::answer_first`](super::SmtpScript::answer_first) for how many times.
    #[must_use]
    pub fn defer() -> Self {
        Self::Reply(Reply::try_later())
    }

    /// Accepted, and a failure report (5.1.1) follows.
    #[must_use]
    pub fn bounce() -> Self {
        Self::AcceptThen(vec![Fate::failed()])
    }

    /// Accepted, and a report of delivery follows where `NOTIFY=SUCCESS` asked for it.
    #[must_use]
    pub fn deliver() -> Self {
        Self::AcceptThen(vec![Fate::delivered()])
    }
}

/// The `Action` field of a delivery report (RFC 3464, 2.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Placed in the mailbox.
    Delivered,
    /// Handed to a server that reports nothing.
    Relayed,
    /// Delivered to the members of a list or alias.
    Expanded,
    /// Not yet, and still tried.
    Delayed,
    /// Given up.
    Failed,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Delivered => "delivered",
            Self::Relayed => "relayed",
            Self::Expanded => "expanded",
            Self::Delayed => "delayed",
            Self::Failed => "failed",
        })
    }
}

/// One thing that a delivery report says about a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fate {
    action: Action,
    code: String,
    diagnostic: Option<String>,
}

impl Fate {
    /// `Action: delivered`, `Status: 2.0.0`.
    #[must_use]
    pub fn delivered() -> Self {
        Self::new(Action::Delivered, "2.0.0")
    }

    /// `Action: relayed`, `Status: 2.0.0`.
    #[must_use]
    pub fn relayed() -> Self {
        Self::new(Action::Relayed, "2.0.0").diagnostic("smtp; 250 2.0.0 accepted by a host without reports")
    }

    /// `Action: expanded`, `Status: 2.0.0`.
    #[must_use]
    pub fn expanded() -> Self {
        Self::new(Action::Expanded, "2.0.0")
    }

    /// `Action: delayed`, `Status: 4.4.1`.
    #[must_use]
    pub fn delayed() -> Self {
        Self::new(Action::Delayed, "4.4.1").diagnostic("smtp; 421 4.4.1 connection refused")
    }

    /// `Action: failed`, `Status: 5.1.1`.
    #[must_use]
    pub fn failed() -> Self {
        Self::new(Action::Failed, "5.1.1").diagnostic("smtp; 550 5.1.1 no such mailbox here")
    }

    /// A fate with this action and enhanced status code (RFC 3463), for example `5.2.2`.
    #[must_use]
    pub fn new(action: Action, code: &str) -> Self {
        Self { action, code: one_line(code), diagnostic: None }
    }

    /// Replaces the enhanced status code.
    #[must_use]
    pub fn code(mut self, code: &str) -> Self {
        self.code = one_line(code);
        self
    }

    /// Replaces the `Diagnostic-Code` field, type included: `smtp; 552 5.2.2 mailbox full`.
    #[must_use]
    pub fn diagnostic(mut self, diagnostic: &str) -> Self {
        self.diagnostic = Some(one_line(diagnostic));
        self
    }

    /// The action.
    #[must_use]
    pub fn action(&self) -> Action {
        self.action
    }

    pub(super) fn enhanced_code(&self) -> &str {
        &self.code
    }

    pub(super) fn diagnostic_code(&self) -> Option<&str> {
        self.diagnostic.as_deref()
    }
}
