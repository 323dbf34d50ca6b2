//! What the server offers and how it behaves.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use rustls::ServerConfig;

use super::fate::RecipientAnswer;
use super::reply::Reply;
use crate::peer::Now;

/// The ESMTP keywords that EHLO lists.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Extensions {
    /// `8BITMIME` (RFC 6152).
    pub eight_bit: bool,
    /// `SMTPUTF8` (RFC 6531).
    pub smtputf8: bool,
    /// `DSN` (RFC 3461).
    pub dsn: bool,
    /// `PIPELINING` (RFC 2920).
    pub pipelining: bool,
    /// `SIZE n` (RFC 1870), in octets. Without it mails are still limited to 64 MiB.
    pub size: Option<usize>,
}

impl Default for Extensions {
    /// Everything, with `SIZE` of 32 MiB.
    fn default() -> Self {
        Self { eight_bit: true, smtputf8: true, dsn: true, pipelining: true, size: Some(32 << 20) }
    }
}

impl Extensions {
    /// No extension at all, though EHLO is still understood.
    #[must_use]
    pub fn none() -> Self {
        Self { eight_bit: false, smtputf8: false, dsn: false, pipelining: false, size: None }
    }
}

/// A point of the session at which a [`Fault`] can strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Step {
    /// The banner at the start of the connection.
    Greeting,
    /// EHLO or HELO.
    Ehlo,
    /// STARTTLS.
    StartTls,
    /// AUTH, when the credential has been received whole.
    Auth,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Rcpt,
    /// DATA.
    Data,
    /// The final dot.
    Dot,
    /// RSET.
    Rset,
    /// QUIT.
    Quit,
}

/// What a [`Fault`] does instead of, or after, the work of its step.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultAct {
    /// The server reads on but never answers; the step has no effect.
    Stall,
    /// The step takes effect (at [`Step::Dot`]: the mail is stored), and the server never answers.
    StallAccepted,
    /// The connection is cut; the step has no effect.
    Cut,
    /// The step takes effect (at [`Step::Dot`]: the mail is stored), then the connection is cut without a reply.
    CutAccepted,
    /// This reply is given. A code from 400 on keeps the step from taking effect; a lower one only replaces the text
    /// of the server's own positive reply. 421 closes the connection, and 554 as greeting refuses every command.
    Reply(Reply),
    /// The usual reply, each octet in a packet of its own.
    Dribble,
    /// The step takes effect (at [`Step::Dot`]: the mail is stored), half of the usual reply goes out, and the connection is cut.
    Truncate,
}

/// A fault of the session, every time its step is reached unless limited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub(super) step: Step,
    pub(super) act: FaultAct,
    pub(super) spare: u32,
    pub(super) times: Option<u32>,
}

impl Fault {
    /// `act` at `step`.
    #[must_use]
    pub fn at(step: Step, act: FaultAct) -> Self {
        Self { step, act, spare: 0, times: None }
    }

    /// Only the first `times` times (counted over all connections, after those spared).
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Spares the first `count` times that the step is reached.
    #[must_use]
    pub fn after(mut self, count: u32) -> Self {
        self.spare = count;
        self
    }

    /// Whether it strikes when its step is reached for the `nth` time, counted from 0.
    pub(super) fn strikes(&self, nth: u32) -> bool {
        nth >= self.spare && self.times.is_none_or(|times| nth - self.spare < times)
    }
}

/// One `RCPT TO`, as the closure of [`SmtpScript::answer_with`] sees it. Its `Debug` form shows no address.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct RecipientAttempt<'a> {
    /// The address, without angle brackets.
    pub address: &'a str,
    /// How many times this address has been tried on this server, this time included; from 1.
    pub attempt: u32,
    /// The reverse path of the transaction.
    pub envelope_from: &'a str,
}

impl fmt::Debug for RecipientAttempt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecipientAttempt").field("attempt", &self.attempt).finish_non_exhaustive()
    }
}

type AnswerFn = Arc<dyn Fn(&RecipientAttempt<'_>) -> Option<RecipientAnswer> + Send + Sync>;
type DsnFn = Arc<dyn Fn(&[u8]) + Send + Sync>;

#[derive(Clone)]
enum RecipientRule {
    Pattern { pattern: String, attempts: Option<u32>, answer: RecipientAnswer },
    Closure(AnswerFn),
}

#[derive(Clone)]
pub(super) enum Tls {
    None,
    Start(Arc<ServerConfig>),
    Implicit(Arc<ServerConfig>),
}

/// The behaviour of an [`SmtpPeer`](super::SmtpPeer).
///
/// A new script accepts every recipient, offers every extension of [`Extensions`], and has neither TLS nor AUTH.
/// Its `Debug` form shows no credential and no address.
#[derive(Clone)]
pub struct SmtpScript {
    pub(super) hostname: String,
    pub(super) extensions: Extensions,
    pub(super) extensions_after_tls: Option<Extensions>,
    pub(super) tls: Tls,
    pub(super) tls_required: bool,
    pub(super) injected_after_starttls: Vec<u8>,
    pub(super) credential: Option<(String, String)>,
    pub(super) max_recipients: usize,
    pub(super) max_line: usize,
    pub(super) data_without_recipients: bool,
    pub(super) faults: Vec<Fault>,
    pub(super) joint_dsn: bool,
    pub(super) maildir: Option<PathBuf>,
    pub(super) on_dsn: Option<DsnFn>,
    pub(super) now: Now,
    pub(super) closed: bool,
    recipients: Vec<RecipientRule>,
}

impl Default for SmtpScript {
    fn default() -> Self {
        Self {
            hostname: "mx.peer.test".to_owned(),
            extensions: Extensions::default(),
            extensions_after_tls: None,
            tls: Tls::None,
            tls_required: false,
            injected_after_starttls: Vec::new(),
            credential: None,
            max_recipients: 1000,
            max_line: 1024,
            data_without_recipients: false,
            faults: Vec::new(),
            joint_dsn: false,
            maildir: None,
            on_dsn: None,
            now: Arc::new(SystemTime::now),
            closed: false,
            recipients: Vec::new(),
        }
    }
}

impl fmt::Debug for SmtpScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpScript")
            .field("extensions", &self.extensions)
            .field("tls", &!matches!(self.tls, Tls::None))
            .field("auth", &self.credential.is_some())
            .field("recipient_rules", &self.recipients.len())
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

impl SmtpScript {
    /// A server that accepts everything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a port and does not listen at it: every connection is refused.
    #[must_use]
    pub fn refuse_connections(mut self) -> Self {
        self.closed = true;
        self
    }

    /// The name the server gives itself in banner, replies and reports. Default `mx.peer.test`. Anything but letters,
    /// digits, dots and hyphens is left out.
    #[must_use]
    pub fn hostname(mut self, name: &str) -> Self {
        self.hostname = name.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')).collect();
        self
    }

    /// Which keywords EHLO lists; parameters of the others are refused with 555.
    #[must_use]
    pub fn extensions(mut self, extensions: Extensions) -> Self {
        self.extensions = extensions;
        self
    }

    /// Other keywords once TLS is up: what was offered before it counts for nothing (RFC 3207, 4.2).
    #[must_use]
    pub fn extensions_after_tls(mut self, extensions: Extensions) -> Self {
        self.extensions_after_tls = Some(extensions);
        self
    }

    /// Offers STARTTLS (RFC 3207) with this configuration. AUTH is then offered only under TLS.
    #[must_use]
    pub fn start_tls(mut self, config: Arc<ServerConfig>) -> Self {
        self.tls = Tls::Start(config);
        self
    }

    /// Speaks TLS from the first octet (RFC 8314, 3.3).
    #[must_use]
    pub fn implicit_tls(mut self, config: Arc<ServerConfig>) -> Self {
        self.tls = Tls::Implicit(config);
        self
    }

    /// Answers MAIL with 530 until TLS is up.
    #[must_use]
    pub fn require_tls(mut self) -> Self {
        self.tls_required = true;
        self
    }

    /// Sends these bytes in clear right behind the 220 of STARTTLS, in the same packet: a client must not take them
    /// for something said under TLS.
    #[must_use]
    pub fn inject_after_starttls(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.injected_after_starttls = bytes.into();
        self
    }

    /// Offers `AUTH PLAIN LOGIN` (RFC 4954) and demands it before MAIL (530).
    #[must_use]
    pub fn credential(mut self, name: &str, password: &str) -> Self {
        self.credential = Some((name.to_owned(), password.to_owned()));
        self
    }

    /// How many recipients a transaction may have; further ones are answered 452 4.5.3. Default 1000.
    #[must_use]
    pub fn max_recipients(mut self, count: usize) -> Self {
        self.max_recipients = count;
        self
    }

    /// The longest command line in octets, CRLF included; longer ones are answered 500. Default 1024. Lines that
    /// carry a credential may have 12288 (RFC 4954, 4).
    #[must_use]
    pub fn max_line(mut self, octets: usize) -> Self {
        self.max_line = octets;
        self
    }

    /// Answers DATA with 354 though no recipient was accepted, and the dot with 554. Default: DATA is answered 554.
    /// RFC 2920, 3.1 wants clients that pipeline to bear both.
    #[must_use]
    pub fn data_without_recipients(mut self) -> Self {
        self.data_without_recipients = true;
        self
    }

    /// How a recipient is answered: an address (case does not matter), `*@domain`, or `*`. Rules are tried in the order
    /// they were given; the first that fits decides, and without any the recipient is accepted.
    #[must_use]
    pub fn answer(mut self, pattern: &str, answer: RecipientAnswer) -> Self {
        let pattern = pattern.to_lowercase();
        self.recipients.push(RecipientRule::Pattern { pattern, attempts: None, answer });
        self
    }

    /// Like [`Self::answer`], for the first `attempts` tries of each address only.
    #[must_use]
    pub fn answer_first(mut self, attempts: u32, pattern: &str, answer: RecipientAnswer) -> Self {
        let pattern = pattern.to_lowercase();
        self.recipients.push(RecipientRule::Pattern { pattern, attempts: Some(attempts), answer });
        self
    }

    /// Like [`Self::answer`], decided by a closure; `None` leaves the decision to the rules that follow.
    #[must_use]
    pub fn answer_with<F>(mut self, answer: F) -> Self
    where
        F: Fn(&RecipientAttempt<'_>) -> Option<RecipientAnswer> + Send + Sync + 'static,
    {
        self.recipients.push(RecipientRule::Closure(Arc::new(answer)));
        self
    }

    /// Adds a fault of the session. Where two strike at the same step, the one added first does.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// One report for all recipients of a transaction. Default: one report for each recipient.
    #[must_use]
    pub fn joint_dsn(mut self) -> Self {
        self.joint_dsn = true;
        self
    }

    /// Also writes each report into this Maildir (made if missing), beginning with `Return-Path: <>` and
    /// `Delivered-To:` the envelope's reverse path.
    #[must_use]
    pub fn maildir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.maildir = Some(directory.into());
        self
    }

    /// Also passes each report to this closure. It runs on the session's task and must not block.
    #[must_use]
    pub fn on_dsn<F: Fn(&[u8]) + Send + Sync + 'static>(mut self, call: F) -> Self {
        self.on_dsn = Some(Arc::new(call));
        self
    }

    /// Where the dates of reports come from. Default: the system's clock.
    #[must_use]
    pub fn now<F: Fn() -> SystemTime + Send + Sync + 'static>(mut self, now: F) -> Self {
        self.now = Arc::new(now);
        self
    }

    /// The answer to one attempt.
    pub(super) fn decide(&self, attempt: &RecipientAttempt<'_>) -> RecipientAnswer {
        let address = attempt.address.to_lowercase();
        self.recipients
            .iter()
            .find_map(|rule| match rule {
                RecipientRule::Pattern { pattern, attempts, answer } => (fits(pattern, &address)
                    && attempts.is_none_or(|first| attempt.attempt <= first))
                .then(|| answer.clone()),
                RecipientRule::Closure(decide) => decide(attempt),
            })
            .unwrap_or(RecipientAnswer::Accept)
    }
}

/// Both are in lower case.
fn fits(pattern: &str, address: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some("") => true,
        Some(domain) => address.ends_with(domain),
        None => pattern == address,
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, FaultAct, Step, fits};

    #[test]
    fn patterns() {
        assert!(fits("*", "a@b"));
        assert!(fits("*@b.test", "a@b.test"));
        assert!(!fits("*@b.test", "a@sub.b.test"));
        assert!(!fits("*@b.test", "a@xb.test"));
        assert!(fits("a@b.test", "a@b.test"));
        assert!(!fits("a@b.test", "xa@b.test"));
    }

    #[test]
    fn faults_are_limited_from_both_sides() {
        let fault = Fault::at(Step::Dot, FaultAct::Cut).after(1).times(2);
        let struck: Vec<bool> = (0..4).map(|nth| fault.strikes(nth)).collect();
        assert_eq!(struck, [false, true, true, false]);
    }
}
