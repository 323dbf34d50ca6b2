//! What a reply or a fault of the session means to the engine.
//!
//! | where | reply | kind | scope | retry |
//! | --- | --- | --- | --- | --- |
//! | connecting, TLS, greeting, EHLO | any refusal | connect, tls, unavailable | channel | backoff |
//! | anywhere | 421 | unavailable | channel | backoff |
//! | AUTH | 4yz / 5yz | unavailable / authentication | channel | backoff / never |
//! | MAIL | 4yz / 5yz | unavailable / by the enhanced code | channel / message | backoff / never |
//! | RCPT | 4yz, 452, 552 | unavailable, quota, rate-limited | recipient | backoff |
//! | RCPT | 5yz | recipient-invalid (x.1), quota (x.2.2), policy (x.7) | recipient | never |
//! | DATA, final dot | 4yz / 5yz | unavailable / too-large (x.3.4), policy (x.7), content-rejected | message | backoff / never |
//!
//! Nothing is out in any of these. A connection lost, or silent, after the final dot was written may have sent the message.

use super::wire::reply::Reply;
use relcomm_core::channel::{ChannelError, ErrorKind, Retry, Scope};

/// Where in a session a reply was awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Greeting,
    Hello,
    StartTls,
    Auth,
    Mail,
    Recipient,
    Data,
    Dot,
}

impl Phase {
    fn words(self) -> &'static str {
        match self {
            Self::Greeting => "the relay's greeting",
            Self::Hello => "EHLO",
            Self::StartTls => "STARTTLS",
            Self::Auth => "AUTH",
            Self::Mail => "MAIL FROM",
            Self::Recipient => "RCPT TO",
            Self::Data => "DATA",
            Self::Dot => "the final dot",
        }
    }
}

/// Why a session did not go on.
#[derive(Debug)]
pub(super) enum Fault {
    /// The far side said no.
    Refused(Phase, Reply),
    /// No connection came about.
    Connect(std::io::ErrorKind),
    /// The connection ended.
    Lost,
    /// Nothing came in time.
    Timeout,
    /// The engine called it off.
    Cancelled,
    /// The far side broke the protocol.
    Protocol(&'static str),
    /// TLS did not come about.
    Tls(&'static str),
    /// The relay takes no login that we can give.
    Login(&'static str),
}

impl Fault {
    /// Whether the far side had ended the session before it saw what we said last.
    pub(super) fn is_end_of_session(&self) -> bool {
        match self {
            Self::Lost => true,
            Self::Refused(_, reply) => reply.code == 421,
            _ => false,
        }
    }

    /// As the engine is told. `about` holds the recipients' addresses, which the far side's words must not bring back.
    pub(super) fn error(&self, about: &[&str]) -> ChannelError {
        let channel = |kind, words: &str| ChannelError::new(kind, words).scope(Scope::Channel).retry(Retry::Backoff);
        match self {
            Self::Refused(phase, reply) => refusal(*phase, reply, about),
            Self::Connect(kind) => channel(ErrorKind::Connect, &format!("no connection to the relay: {kind}")),
            Self::Lost => channel(ErrorKind::Unavailable, "the relay closed the connection"),
            Self::Timeout => channel(ErrorKind::Timeout, "the relay did not answer in time"),
            Self::Cancelled => {
                ChannelError::new(ErrorKind::Cancelled, "called off before anything was sent").retry(Retry::Backoff)
            }
            Self::Protocol(words) => channel(ErrorKind::Protocol, words),
            Self::Tls(words) => channel(ErrorKind::Tls, words),
            Self::Login(words) => channel(ErrorKind::Authentication, words).retry(Retry::Never),
        }
    }
}

fn refusal(phase: Phase, reply: &Reply, about: &[&str]) -> ChannelError {
    let (kind, scope, retry) = judge(phase, reply);
    // A refused login may be quoted in any form.
    let said = if phase == Phase::Auth { String::new() } else { redacted(&reply.text, about) };
    let words = if said.is_empty() {
        format!("refused at {}", phase.words())
    } else {
        format!("refused at {}: {said}", phase.words())
    };
    ChannelError::new(kind, words).scope(scope).retry(retry).code(reply.code_text())
}

fn judge(phase: Phase, reply: &Reply) -> (ErrorKind, Scope, Retry) {
    use ErrorKind as K;
    let unavailable = (K::Unavailable, Scope::Channel, Retry::Backoff);
    let permanent = match reply.code {
        421 => return unavailable,
        400..=499 => false,
        500..=599 => true,
        _ => return (K::Protocol, Scope::Channel, Retry::Backoff),
    };
    let (subject, detail) = reply.enhanced.map_or((0, 0), |[_, subject, detail]| (subject, detail));
    if !permanent
        && matches!(phase, Phase::Mail | Phase::Recipient | Phase::Data | Phase::Dot)
        && slows(reply, subject, detail)
    {
        return (K::RateLimited, Scope::Channel, Retry::Backoff);
    }
    match phase {
        Phase::Greeting | Phase::Hello => unavailable,
        Phase::StartTls => (K::Tls, Scope::Channel, Retry::Backoff),
        Phase::Auth if permanent => (K::Authentication, Scope::Channel, Retry::Never),
        Phase::Auth => unavailable,
        _ if matches!(reply.code, 530 | 534 | 535 | 538) => (K::Authentication, Scope::Channel, Retry::Never),
        Phase::Mail if !permanent => unavailable,
        Phase::Recipient => {
            let (kind, retry) = judge_recipient(reply.code, permanent, subject, detail);
            (kind, Scope::Recipient, retry)
        }
        // Only one recipient can be meant, or all: a code about a mailbox says which.
        Phase::Dot if permanent && matches!((subject, detail), (1, _) | (2, _)) => {
            let kind = if (subject, detail) == (2, 2) { K::Quota } else { K::RecipientInvalid };
            (kind, Scope::Recipient, Retry::Never)
        }
        Phase::Mail | Phase::Data | Phase::Dot if permanent => {
            let kind = match (reply.code, subject, detail) {
                (_, 3, 4) | (_, 2, 3) | (552, 0, _) => K::TooLarge,
                (_, 7, _) => K::Policy,
                (_, 5, _) | (500..=504, 0, _) => K::Protocol,
                (555, _, _) => K::Unsupported,
                _ if phase == Phase::Mail => K::Policy,
                _ => K::ContentRejected,
            };
            (kind, Scope::Message, Retry::Never)
        }
        Phase::Mail | Phase::Data | Phase::Dot => (K::Unavailable, Scope::Message, Retry::Backoff),
    }
}

/// Whether a relay asks everybody to slow down: by RFC 3463 the system is not taking messages (4.3.2) or congested (4.4.5), or it is a matter
/// of policy (4.7.x), but for greylisting, which is about a recipient; 454 without more is said where a sender's rate is spent.
fn slows(reply: &Reply, subject: u16, detail: u16) -> bool {
    match (subject, detail) {
        (3, 2) | (4, 5) => true,
        // X.7.1 is "not now" of any kind, and said of each recipient by those who put strangers off for a while. Postfix says the same of
        // a client's rate; only the words differ.
        (7, 0 | 1) => {
            // A word of a host's or person's name says nothing.
            let said = redacted(&reply.text, &[]).to_ascii_lowercase();
            let mut words = said.split(|c: char| !c.is_ascii_alphanumeric());
            said.contains("too many") || words.any(|word| matches!(word, "rate" | "throttled" | "throttling"))
        }
        (7, _) => true,
        (0, _) => reply.code == 454,
        _ => false,
    }
}

fn judge_recipient(code: u16, permanent: bool, subject: u16, detail: u16) -> (ErrorKind, Retry) {
    use ErrorKind as K;
    match (subject, detail) {
        // RFC 5321, 4.5.3.1.10: 552 was said for too many recipients and means 452.
        (5, 3) => (K::RateLimited, Retry::Backoff),
        (0, _) if matches!(code, 452 | 552) => (K::RateLimited, Retry::Backoff),
        (2, 2) if permanent => (K::Quota, Retry::Never),
        (2, 2) => (K::Quota, Retry::Backoff),
        _ if !permanent => (K::Unavailable, Retry::Backoff),
        (7, _) => (K::Policy, Retry::Never),
        (3, 4) | (2, 3) => (K::TooLarge, Retry::Never),
        (6, 7) => (K::Unsupported, Retry::Never),
        (5, _) => (K::Protocol, Retry::Never),
        (0, _) if (500..=504).contains(&code) => (K::Protocol, Retry::Never),
        (0, _) if code == 554 => (K::Policy, Retry::Never),
        _ => (K::RecipientInvalid, Retry::Never),
    }
}

/// The far side's words without what may name a person: anything in angle brackets, anything with an `@`, and the local parts of `about`.
fn redacted(text: &str, about: &[&str]) -> String {
    let locals: Vec<String> =
        about.iter().map(|a| a.rsplit_once('@').map_or(*a, |(local, _)| local).to_lowercase()).collect();
    let mut open = 0_usize;
    let bare: String = text
        .chars()
        .filter_map(|c| match c {
            '<' => {
                open += 1;
                (open == 1).then_some('…')
            }
            '>' => {
                open = open.saturating_sub(1);
                None
            }
            _ => (open == 0).then_some(c),
        })
        .collect();
    let words: Vec<&str> = bare
        .split_whitespace()
        .map(|word| {
            let lower = word.to_lowercase();
            let names_one = lower.contains('@')
                || lower.contains('＠')
                || lower.contains("%40")
                || lower.contains("=40")
                || locals.iter().any(|local| !local.is_empty() && lower.contains(local));
            if names_one { "…" } else { word }
        })
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::{ErrorKind as K, Fault, Phase, Retry, Scope, redacted};
    use crate::email::wire::reply::Reply;
    use relcomm_core::channel::Effect;

    fn reply(text: &str) -> Reply {
        Reply::parse(format!("{text}\r\n").as_bytes()).expect("a reply")
    }

    #[test]
    fn the_table() {
        use Phase as P;
        use Retry::{Backoff, Never};
        for (phase, text, kind, scope, retry) in [
            (P::Greeting, "421 4.3.2 no", K::Unavailable, Scope::Channel, Backoff),
            (P::Greeting, "554 no", K::Unavailable, Scope::Channel, Backoff),
            (P::Hello, "550 5.7.1 who are you", K::Unavailable, Scope::Channel, Backoff),
            (P::StartTls, "454 4.7.0 not now", K::Tls, Scope::Channel, Backoff),
            (P::Auth, "535 5.7.8 wrong", K::Authentication, Scope::Channel, Never),
            (P::Auth, "454 4.7.0 later", K::Unavailable, Scope::Channel, Backoff),
            (P::Mail, "451 4.3.0 later", K::Unavailable, Scope::Channel, Backoff),
            (P::Mail, "452 4.3.1 disk full", K::Unavailable, Scope::Channel, Backoff),
            (P::Mail, "530 5.7.0 log in", K::Authentication, Scope::Channel, Never),
            (P::Mail, "552 5.3.4 too big", K::TooLarge, Scope::Message, Never),
            (P::Mail, "550 5.7.1 not you", K::Policy, Scope::Message, Never),
            (P::Recipient, "550 5.1.1 none", K::RecipientInvalid, Scope::Recipient, Never),
            (P::Recipient, "550 none", K::RecipientInvalid, Scope::Recipient, Never),
            (P::Recipient, "552 5.2.2 full", K::Quota, Scope::Recipient, Never),
            (P::Recipient, "452 4.2.2 full", K::Quota, Scope::Recipient, Backoff),
            (P::Recipient, "554 5.7.1 no", K::Policy, Scope::Recipient, Never),
            (P::Recipient, "451 4.7.1 grey", K::Unavailable, Scope::Recipient, Backoff),
            (P::Recipient, "450 4.7.1 Error: too many recipients from you", K::RateLimited, Scope::Channel, Backoff),
            (
                P::Recipient,
                "450 4.7.1 <joe@corporate.example>: greylisted, karate",
                K::Unavailable,
                Scope::Recipient,
                Backoff,
            ),
            (P::Recipient, "451 4.7.650 slow down", K::RateLimited, Scope::Channel, Backoff),
            (P::Dot, "454 Throttling failure: Maximum sending rate exceeded.", K::RateLimited, Scope::Channel, Backoff),
            (P::Data, "451 4.4.5 congested", K::RateLimited, Scope::Channel, Backoff),
            (P::Recipient, "452 4.5.3 many", K::RateLimited, Scope::Recipient, Backoff),
            (P::Recipient, "552 too many", K::RateLimited, Scope::Recipient, Backoff),
            (P::Recipient, "421 4.3.2 bye", K::Unavailable, Scope::Channel, Backoff),
            (P::Data, "451 4.3.0 later", K::Unavailable, Scope::Message, Backoff),
            (P::Dot, "451 4.3.0 later", K::Unavailable, Scope::Message, Backoff),
            (P::Dot, "552 5.3.4 too big", K::TooLarge, Scope::Message, Never),
            (P::Dot, "550 5.7.1 spam", K::Policy, Scope::Message, Never),
            (P::Dot, "554 5.6.0 bad", K::ContentRejected, Scope::Message, Never),
            (P::Dot, "550 5.1.1 none", K::RecipientInvalid, Scope::Recipient, Never),
            (P::Dot, "421 4.3.2 bye", K::Unavailable, Scope::Channel, Backoff),
            (P::Dot, "354 what", K::Protocol, Scope::Channel, Backoff),
        ] {
            let error = Fault::Refused(phase, reply(text)).error(&[]);
            assert_eq!((error.kind, error.scope, error.retry), (kind, scope, retry), "{phase:?} {text}");
            assert_eq!(error.effect, Effect::NotSent, "{text}");
            let code = error.code.as_deref().expect("a code");
            assert!(text.starts_with(code), "{text}");
        }
    }

    #[test]
    fn what_the_far_side_says_names_nobody() {
        for said in [
            "<jane.roe@example.org>: user unknown",
            "user jane.roe@example.org unknown",
            "jane.roe: unknown; see https://x.test/?who=jane.roe%40example.org",
            "<a <jane.roe@example.org> b> Jane.Roe",
            "mailto:JANE.ROE@EXAMPLE.ORG",
            "< jane.roe",
        ] {
            let shown = redacted(said, &["x@y.test", "jane.roe@example.org"]);
            let lower = shown.to_lowercase();
            assert!(!lower.contains("jane") && !lower.contains('@') && !lower.contains("%40"), "{shown}");
        }
        assert_eq!(redacted("mailbox full", &["a.b@c.test"]), "mailbox full");
        let error = Fault::Refused(Phase::Auth, reply("535 5.7.8 wrong password hunter2")).error(&[]);
        assert!(!error.to_string().contains("hunter2"));
    }
}
