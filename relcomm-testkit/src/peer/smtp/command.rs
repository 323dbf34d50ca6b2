//! Command lines. `smtp-proto` holds the grammar of RFC 5321; what it forgives is checked here, because a server that
//! judges its clients must not be lenient.

use std::collections::BTreeSet;

use smtp_proto::{AUTH_LOGIN, AUTH_PLAIN, Error, Request};

use super::mail::{MailRecipient, OriginalRecipient, ReceiptsAsked, Ret};
use super::reply::Reply;
use super::script::Extensions;
use super::xtext::{from_utf8_address, from_xtext};

pub(super) enum Command {
    Hello { esmtp: bool },
    Mail(ReversePath),
    Rcpt(MailRecipient),
    Data,
    Rset,
    Noop,
    Quit,
    Vrfy,
    StartTls,
    Auth { mechanism: Mechanism, initial: Option<String> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mechanism {
    Plain,
    Login,
}

#[derive(Default)]
pub(super) struct ReversePath {
    pub(super) address: String,
    pub(super) envid: Option<String>,
    pub(super) ret: Option<Ret>,
    pub(super) smtputf8: bool,
    pub(super) eight_bit: bool,
    pub(super) size: Option<usize>,
}

/// Reads a command line, without its CRLF. The error is the reply to give.
pub(super) fn parse(line: &[u8], offered: &Extensions) -> Result<Command, Reply> {
    let upper = line.to_ascii_uppercase();
    if upper.starts_with(b"MAIL ") {
        return mail(line, offered).map(Command::Mail);
    }
    if upper.starts_with(b"RCPT ") {
        return rcpt(line, offered).map(Command::Rcpt);
    }
    let terminated = [line, b"\r\n"].concat();
    match Request::parse(&mut terminated.iter()).map_err(|error| refusal(&error))? {
        Request::Ehlo { .. } => Ok(Command::Hello { esmtp: true }),
        Request::Helo { .. } => Ok(Command::Hello { esmtp: false }),
        Request::Data => bare(&upper, b"DATA", Command::Data),
        Request::Rset => bare(&upper, b"RSET", Command::Rset),
        Request::Quit => bare(&upper, b"QUIT", Command::Quit),
        Request::StartTls => bare(&upper, b"STARTTLS", Command::StartTls),
        Request::Noop { .. } => Ok(Command::Noop),
        Request::Vrfy { .. } => Ok(Command::Vrfy),
        Request::Auth { mechanism, initial_response } => {
            let mechanism = match mechanism {
                AUTH_PLAIN => Mechanism::Plain,
                AUTH_LOGIN => Mechanism::Login,
                _ => return Err(Reply::new(504, "5.5.4 mechanism not supported")),
            };
            let initial = (!initial_response.is_empty()).then(|| initial_response.into_owned());
            Ok(Command::Auth { mechanism, initial })
        }
        Request::Mail { .. } | Request::Rcpt { .. } => Err(Reply::new(501, "5.5.4 syntax error")),
        Request::Lhlo { .. } => Err(Reply::new(500, "5.5.1 this is not LMTP")),
        _ => Err(Reply::new(502, "5.5.1 command not implemented")),
    }
}

/// Commands without parameters must have none.
fn bare(line: &[u8], name: &[u8], command: Command) -> Result<Command, Reply> {
    if line.trim_ascii_end() == name { Ok(command) } else { Err(Reply::new(501, "5.5.4 no parameters allowed")) }
}

fn refusal(error: &Error) -> Reply {
    match error {
        Error::UnknownCommand => Reply::new(500, "5.5.1 unknown command"),
        Error::UnsupportedParameter { .. } => Reply::new(555, "5.5.4 parameter not supported"),
        Error::InvalidSenderAddress => Reply::new(501, "5.1.7 bad sender address"),
        Error::InvalidRecipientAddress => Reply::new(501, "5.1.3 bad recipient address"),
        _ => Reply::new(501, "5.5.4 syntax error"),
    }
}

fn mail(line: &[u8], offered: &Extensions) -> Result<ReversePath, Reply> {
    let parts = PathLine::split(line, b"MAIL FROM:<")?;
    let mut reverse = ReversePath { address: parts.path.clone(), ..ReversePath::default() };
    for (key, value) in &parts.parameters {
        match (key.as_str(), value) {
            ("BODY", Some(value)) if offered.eight_bit => {
                reverse.eight_bit = value.eq_ignore_ascii_case("8BITMIME");
                if !reverse.eight_bit && !value.eq_ignore_ascii_case("7BIT") {
                    return Err(Reply::new(501, "5.5.4 bad BODY"));
                }
            }
            ("SIZE", Some(value)) if offered.size.is_some() => {
                let octets = value.parse().map_err(|_| Reply::new(501, "5.5.4 bad SIZE"))?;
                if offered.size.is_some_and(|limit| limit > 0 && octets > limit) {
                    return Err(Reply::new(552, "5.3.4 mail exceeds the size limit"));
                }
                reverse.size = Some(octets);
            }
            ("SMTPUTF8", None) if offered.smtputf8 => reverse.smtputf8 = true,
            ("RET", Some(value)) if offered.dsn => {
                reverse.ret = Some(match value.to_ascii_uppercase().as_str() {
                    "FULL" => Ret::Full,
                    "HDRS" => Ret::Headers,
                    _ => return Err(Reply::new(501, "5.5.4 bad RET")),
                });
            }
            ("ENVID", Some(value)) if offered.dsn => {
                let envid = from_xtext(value).filter(|_| value.len() <= 100);
                reverse.envid = Some(envid.ok_or_else(|| Reply::new(501, "5.5.4 bad ENVID"))?);
            }
            ("BODY" | "SIZE" | "RET" | "ENVID", None) => return Err(Reply::new(501, "5.5.4 parameter without value")),
            _ => return Err(Reply::new(555, "5.5.4 parameter not supported")),
        }
    }
    check_path(&parts.path, b"MAIL FROM:<", reverse.smtputf8)?;
    Ok(reverse)
}

fn rcpt(line: &[u8], offered: &Extensions) -> Result<MailRecipient, Reply> {
    let parts = PathLine::split(line, b"RCPT TO:<")?;
    let mut recipient = MailRecipient { address: parts.path.clone(), notify: None, orcpt: None };
    for (key, value) in &parts.parameters {
        match (key.as_str(), value) {
            ("NOTIFY", Some(value)) if offered.dsn => {
                recipient.notify = Some(receipts(value).ok_or_else(|| Reply::new(501, "5.5.4 bad NOTIFY"))?);
            }
            ("ORCPT", Some(value)) if offered.dsn => {
                recipient.orcpt = Some(original(value).ok_or_else(|| Reply::new(501, "5.5.4 bad ORCPT"))?);
            }
            ("NOTIFY" | "ORCPT", None) => return Err(Reply::new(501, "5.5.4 parameter without value")),
            _ => return Err(Reply::new(555, "5.5.4 parameter not supported")),
        }
    }
    if parts.path.is_empty() {
        return Err(Reply::new(501, "5.1.3 a recipient is needed"));
    }
    // Whether SMTPUTF8 covers the address is known to the transaction alone.
    check_path(&parts.path, b"RCPT TO:<", true)?;
    Ok(recipient)
}

fn check_path(path: &str, verb: &[u8], smtputf8: bool) -> Result<(), Reply> {
    if !path.is_ascii() && !smtputf8 {
        return Err(Reply::new(553, "5.6.7 the address needs SMTPUTF8"));
    }
    let local = path.rsplit_once('@').map_or(path, |(local, _)| local);
    if local.len() > 64 {
        return Err(Reply::new(501, "5.1.3 local part of more than 64 octets"));
    }
    let line = [verb, path.as_bytes(), b">\r\n"].concat();
    Request::parse(&mut line.iter()).map(drop).map_err(|error| refusal(&error))
}

/// `NOTIFY=NEVER`, or a list of the three others without repetition.
fn receipts(value: &str) -> Option<ReceiptsAsked> {
    let mut asked = ReceiptsAsked::default();
    if value.eq_ignore_ascii_case("NEVER") {
        return Some(asked);
    }
    for word in value.split(',') {
        let flag = match word.to_ascii_uppercase().as_str() {
            "SUCCESS" => &mut asked.success,
            "FAILURE" => &mut asked.failure,
            "DELAY" => &mut asked.delay,
            _ => return None,
        };
        if std::mem::replace(flag, true) {
            return None;
        }
    }
    Some(asked)
}

fn original(value: &str) -> Option<OriginalRecipient> {
    if value.len() > 500 {
        return None;
    }
    let (kind, address) = value.split_once(';')?;
    let kind = kind.to_ascii_lowercase();
    let address = match kind.as_str() {
        "rfc822" => from_xtext(address)?,
        "utf-8" => from_utf8_address(address)?,
        _ => return None,
    };
    (!address.is_empty()).then_some(OriginalRecipient { kind, address })
}

/// A MAIL or RCPT line, taken apart.
struct PathLine {
    path: String,
    parameters: Vec<(String, Option<String>)>,
}

impl PathLine {
    fn split(line: &[u8], verb: &[u8]) -> Result<Self, Reply> {
        let bad = || Reply::new(501, "5.5.4 syntax error");
        let line = std::str::from_utf8(line).map_err(|_| bad())?;
        let (head, rest) = line.split_at_checked(verb.len()).ok_or_else(bad)?;
        if !head.as_bytes().eq_ignore_ascii_case(verb) || rest.chars().any(char::is_control) {
            return Err(bad());
        }
        let end = path_end(rest).ok_or_else(bad)?;
        let (path, tail) = rest.split_at(end);
        let tail = tail.get(1..).unwrap_or_default();
        if !tail.is_empty() && !tail.starts_with(' ') {
            return Err(bad());
        }
        let mut seen = BTreeSet::new();
        let mut parameters = Vec::new();
        for token in tail.split(' ').filter(|token| !token.is_empty()) {
            let (key, value) = match token.split_once('=') {
                Some((key, value)) => (key.to_ascii_uppercase(), Some(value.to_owned())),
                None => (token.to_ascii_uppercase(), None),
            };
            if !seen.insert(key.clone()) {
                return Err(Reply::new(501, "5.5.4 parameter given twice"));
            }
            parameters.push((key, value));
        }
        Ok(Self { path: path.to_owned(), parameters })
    }
}

/// The offset of the closing bracket; one inside a quoted local part does not count.
fn path_end(rest: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (offset, c) in rest.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '>' if !quoted => return Some(offset),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Command, parse};
    use crate::peer::smtp::script::Extensions;

    fn code(line: &str) -> u16 {
        match parse(line.as_bytes(), &Extensions::default()) {
            Ok(_) => 250,
            Err(reply) => reply.code(),
        }
    }

    #[test]
    fn what_the_grammar_forbids_is_refused() {
        for (line, expected) in [
            ("MAIL FROM:<a@b.test>", 250),
            ("mail from:<> ret=hdrs envid=x", 250),
            ("MAIL FROM: <a@b.test>", 501),
            ("MAIL FROM:a@b.test", 501),
            ("MAIL FROM:<a@b.test>SIZE=1", 501),
            ("MAIL FROM:<a@b.test> SIZE=1 SIZE=2", 501),
            ("MAIL FROM:<a@b.test> SIZE=99999999999", 552),
            ("MAIL FROM:<a@b.test> ENVID=a+0D+0Ab", 501),
            ("MAIL FROM:<a@b.test> ENVID=a+2b", 501),
            ("MAIL FROM:<a@b.test> ENVID=a b", 555),
            ("MAIL FROM:<ä@b.test>", 553),
            ("MAIL FROM:<ä@b.test> SMTPUTF8", 250),
            ("MAIL FROM:<a@b.test> COLOUR=red", 555),
            ("RCPT TO:<>", 501),
            ("RCPT TO:<a b@c.test>", 501),
            ("RCPT TO:<\"a > b\"@c.test>", 250),
            ("RCPT TO:<a@c.test> NOTIFY=NEVER", 250),
            ("RCPT TO:<a@c.test> NOTIFY=NEVER,DELAY", 501),
            ("RCPT TO:<a@c.test> NOTIFY=SUCCESS,SUCCESS", 501),
            ("RCPT TO:<a@c.test> ORCPT=a@c.test", 501),
            ("RCPT TO:<a@c.test> ORCPT=rfc822;a+40c.test", 250),
            ("RCPT TO:<a@c.test> ORCPT=rfc822;a=c.test", 501),
            ("RCPT TO:<a@c.test> ORCPT=utf-8;\\x{E4}@c.test", 250),
            ("RCPT TO:<postmaster>", 250),
            ("DATA now", 501),
            ("BDAT 1 LAST", 502),
            ("FROB", 500),
            ("", 500),
        ] {
            assert_eq!(code(line), expected, "{line}");
        }
        let local = "x".repeat(65);
        assert_eq!(code(&format!("RCPT TO:<{local}@c.test>")), 501);
    }

    #[test]
    fn parameters_of_what_was_not_offered_are_refused() {
        for line in
            ["MAIL FROM:<a@b.test> RET=HDRS", "MAIL FROM:<a@b.test> SMTPUTF8", "RCPT TO:<a@b.test> NOTIFY=NEVER"]
        {
            let refused = parse(line.as_bytes(), &Extensions::none()).map_err(|reply| reply.code());
            assert!(matches!(refused, Err(555)), "{line}");
        }
    }

    #[test]
    fn an_original_recipient_is_decoded() {
        let line = b"RCPT TO:<a@c.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bx@c.test";
        let Ok(Command::Rcpt(recipient)) = parse(line, &Extensions::default()) else { panic!("not a recipient") };
        assert_eq!(recipient.orcpt.expect("given").address, "a+x@c.test");
        let asked = recipient.notify.expect("given");
        assert!(asked.success && asked.delay && !asked.failure);
    }
}
