//! A mail submission server on loopback: ESMTP (RFC 5321) with STARTTLS, AUTH, PIPELINING, SIZE, 8BITMIME, SMTPUTF8 and
//! DSN, strict about what clients may say, and scripted in what it answers.
//!
//! ```no_run
//! use std::time::Duration;
//! use relcomm_testkit::peer::smtp::{RecipientAnswer, SmtpPeer, SmtpScript};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let script = SmtpScript::new()
//!     .answer("gone@example.test", RecipientAnswer::refuse())
//!     .answer_first(2, "*@slow.test", RecipientAnswer::defer())
//!     .answer("later@example.test", RecipientAnswer::bounce());
//! let peer = SmtpPeer::start(script)?;
//! // … hand mail to peer.addr() …
//! let mails = peer.wait_for(3, Duration::from_secs(5)).await?;
//! assert!(peer.violations().is_empty());
//! # Ok(())
//! # }
//! ```

mod auth;
mod command;
mod data;
mod dsn;
mod fate;
mod mail;
mod maildir;
mod record;
mod reply;
mod script;
mod session;
mod wire;
mod xtext;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub use self::fate::{Action, Fate, RecipientAnswer};
pub use self::mail::{Mail, MailRecipient, OriginalRecipient, ReceiptsAsked, Ret};
pub use self::reply::Reply;
pub use self::script::{Extensions, Fault, FaultAct, RecipientAttempt, SmtpScript, Step};

use self::record::Record;
use self::session::Session;
use crate::peer::listen::{Listening, listen, refuse};
use crate::peer::{TimedOut, held};

/// A running server. Dropping it closes the port and cuts every connection.
pub struct SmtpPeer {
    listening: Listening,
    record: Arc<Record>,
}

impl SmtpPeer {
    /// Listens on a free port of `127.0.0.1` and serves on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// Outside a tokio runtime, or where no port can be bound.
    ///
    /// # Panics
    ///
    /// On a runtime without I/O enabled.
    pub fn start(script: SmtpScript) -> io::Result<Self> {
        let record = Arc::new(Record::new(script));
        if record.script.closed {
            return Ok(Self { listening: refuse()?, record });
        }
        let shared = Arc::clone(&record);
        let listening = listen(move |stream, number| Session::run(Box::new(stream), number, Arc::clone(&shared)))?;
        Ok(Self { listening, record })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.listening.addr
    }

    /// The mails taken over so far, in the order of their final dots; also those whose reply was lost by the script.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        held(&self.record.kept).mails.clone()
    }

    /// Waits until `count` mails are there, and returns all.
    ///
    /// # Errors
    ///
    /// [`TimedOut`] where they do not arrive in `timeout`.
    pub async fn wait_for(&self, count: usize, timeout: Duration) -> Result<Vec<Mail>, TimedOut> {
        self.record.mails.reach(count, timeout).await?;
        Ok(self.mails())
    }

    /// The commands received, in order of arrival over all connections; credentials are blanked.
    #[must_use]
    pub fn transcript(&self) -> Vec<String> {
        held(&self.record.kept).transcript.iter().map(|(_, command)| command.clone()).collect()
    }

    /// The commands received over one connection, counted from 1.
    #[must_use]
    pub fn transcript_of(&self, connection: usize) -> Vec<String> {
        let kept = held(&self.record.kept);
        kept.transcript.iter().filter(|(number, _)| *number == connection).map(|(_, line)| line.clone()).collect()
    }

    /// What clients did against the rules though it could be borne: a bare CR or LF, a leading dot that was not
    /// doubled, a line of more than 998 octets, 8-bit data without `BODY=8BITMIME`, commands sent ahead where that
    /// was not offered. A correct client leaves this empty.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        held(&self.record.kept).violations.clone()
    }

    /// The delivery reports made so far. A report is made before the final dot of its mail is answered.
    #[must_use]
    pub fn dsns(&self) -> Vec<Vec<u8>> {
        held(&self.record.kept).dsns.clone()
    }

    /// Waits until `count` delivery reports are there, and returns all.
    ///
    /// # Errors
    ///
    /// [`TimedOut`] where they do not arrive in `timeout`.
    pub async fn wait_for_dsns(&self, count: usize, timeout: Duration) -> Result<Vec<Vec<u8>>, TimedOut> {
        self.record.dsns.reach(count, timeout).await?;
        Ok(self.dsns())
    }

    /// How many connections were accepted.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.listening.connections.seen()
    }

    /// How many connections were open at once, at most.
    #[must_use]
    pub fn peak_connections(&self) -> usize {
        self.listening.connections.peak()
    }
}

impl fmt::Debug for SmtpPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpPeer").field("addr", &self.listening.addr).finish_non_exhaustive()
    }
}
