//! The lines that go to a program and come from it.

use super::error::Mishap;
use super::hidden::Hidden;
use relcomm_core::channel::{Accepted, Answered, Batch, ChannelError, ErrorKind, Found, Key, Received, Retry, Scope};
use relcomm_core::clock::Moment;
use relcomm_core::receipt::{Assurance, Evidence, Receipt, ReceiptKind, Token};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// The version of the protocol.
const VERSION: u8 = 1;

/// A request: the first line that a process reads.
#[derive(Serialize)]
pub(super) struct Request<'a> {
    relcomm: u8,
    /// How long it may take, in seconds.
    seconds: f64,
    #[serde(flatten)]
    what: What<'a>,
}

impl<'a> Request<'a> {
    pub(super) fn new(what: What<'a>, time: Duration) -> Self {
        Self { relcomm: VERSION, seconds: time.as_secs_f64(), what }
    }
}

/// What is asked.
#[derive(Serialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub(super) enum What<'a> {
    Describe,
    Verify,
    Attempt { message_key: &'a str, text: BTreeMap<&'a str, &'a str>, items: Vec<Item<'a>> },
    Lookup { key: &'a str },
    Receipts { max: usize },
    ReceiptsDone { ids: &'a [String] },
}

/// One recipient.
#[derive(Serialize)]
pub(super) struct Item<'a> {
    item: usize,
    key: &'a str,
    attempt: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    token: Token,
}

impl<'a> What<'a> {
    pub(super) fn attempt(batch: &Batch<'a>) -> Self {
        let items = batch.items.iter().enumerate().map(|(item, out)| Item {
            item,
            key: out.key.as_str(),
            attempt: out.attempt,
            address: out.address.as_ref().map(relcomm_core::stakeholder::Address::as_str),
            name: out.name.as_deref(),
            token: out.token(),
        });
        Self::Attempt {
            message_key: batch.message_key.as_str(),
            text: batch.text.parts.iter().map(|part| (part.name.as_str(), part.content.as_str())).collect(),
            items: items.collect(),
        }
    }

    pub(super) fn lookup(key: &'a Key) -> Self {
        Self::Lookup { key: key.as_str() }
    }
}

/// The answer to a crossing: whether it may go on.
#[derive(Serialize)]
pub(super) struct Go {
    pub(super) item: usize,
    pub(super) go: bool,
}

/// What a line of an answer says.
#[derive(Debug, PartialEq)]
pub(super) enum Said {
    Crossing(usize),
    Accepted(usize, Accepted),
    Failed(usize, ChannelError),
    AllFailed(ChannelError),
    Finding { error: bool, message: String },
    Answered(Answered),
    Receipt(Received),
    Done,
}

/// A line as it stands: every key of every answer.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Line {
    item: Option<usize>,
    crossing: Option<bool>,
    accepted: Option<Assurance>,
    reference: Option<String>,
    url: Option<String>,
    failed: Option<ErrorKind>,
    scope: Option<Scope>,
    effect: Option<Effect>,
    retry: Option<Again>,
    code: Option<String>,
    message: Option<String>,
    finding: Option<Weight>,
    lookup: Option<Known>,
    assurance: Option<Assurance>,
    receipt: Option<String>,
    token: Option<String>,
    says: Option<Says>,
    until: Option<String>,
    reported: Option<String>,
    raw: Option<String>,
    done: Option<bool>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Effect {
    NotSent,
    MaybeSent,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Again {
    Word(AgainWord),
    Seconds(f64),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum AgainWord {
    Never,
    Backoff,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Weight {
    Warning,
    Error,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Known {
    Found,
    Absent,
    Unknown,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Says {
    Accepted,
    Relayed,
    Delivered,
    Displayed,
    Acknowledged,
    Failed,
    Delayed,
}

const LINE: Mishap = Mishap::Breach("a line is no JSON object with the keys that the protocol knows");

/// Reads a line. Whatever is hidden is struck out of what it says. `crossed` says whether an item has crossed.
pub(super) fn read(line: &[u8], hidden: &Hidden, crossed: impl Fn(usize) -> bool) -> Result<Said, Mishap> {
    let line: Line = serde_json::from_slice(line).map_err(|_| LINE)?;
    if line.crossing == Some(false) || line.done == Some(false) {
        return Err(Mishap::Breach("`crossing` and `done` are true, or are not said"));
    }
    let whole = |present: &[bool]| present.iter().filter(|p| **p).count() == 1;
    if !whole(&[
        line.crossing.is_some(),
        line.accepted.is_some(),
        line.failed.is_some(),
        line.finding.is_some(),
        line.lookup.is_some(),
        line.receipt.is_some(),
        line.done.is_some(),
    ]) {
        return Err(Mishap::Breach("a line says one of crossing, accepted, failed, finding, lookup, receipt and done"));
    }
    let item = line.item.ok_or(Mishap::Breach("a line names no item"));
    match line {
        Line { crossing: Some(_), .. } => Ok(Said::Crossing(item?)),
        Line { accepted: Some(assurance), reference, url, .. } => {
            let mut accepted = Accepted::new(assurance);
            if let Some(reference) = reference.filter(|r| hidden.clears(r)) {
                accepted = accepted.reference(reference);
            }
            if let Some(url) = url.filter(|u| hidden.clears(u)) {
                accepted = accepted.url(url);
            }
            Ok(Said::Accepted(item?, accepted))
        }
        Line { failed: Some(kind), item, .. } => {
            let error = fault(kind, &line, hidden, item.is_some_and(crossed));
            Ok(match item {
                Some(item) => Said::Failed(item, error),
                None => Said::AllFailed(error),
            })
        }
        Line { finding: Some(weight), message, .. } => {
            let message = hidden.strike(&message.unwrap_or_default());
            Ok(Said::Finding {
                error: matches!(weight, Weight::Error),
                message: message.chars().filter(|c| !c.is_control()).take(300).collect(),
            })
        }
        Line { lookup: Some(known), assurance, reference, url, .. } => {
            let mut answered = Answered::from(match known {
                Known::Found => Found::Found(assurance.unwrap_or(Assurance::Accepted)),
                Known::Absent => Found::Absent,
                Known::Unknown => Found::Unknown,
            });
            if let Some(reference) = reference.filter(|r| hidden.clears(r)) {
                answered = answered.reference(reference);
            }
            if let Some(url) = url.filter(|u| hidden.clears(u)) {
                answered = answered.url(url);
            }
            Ok(Said::Answered(answered))
        }
        Line { receipt: Some(ref id), .. } => receipt(id.clone(), line).map(Said::Receipt),
        _ => Ok(Said::Done),
    }
}

/// The longest wait that a program can impose.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

fn fault(kind: ErrorKind, line: &Line, hidden: &Hidden, crossed: bool) -> ChannelError {
    let (scope, retry) = usual(kind);
    let error = ChannelError::new(kind, hidden.strike(line.message.as_deref().unwrap_or_default()))
        .scope(line.scope.unwrap_or(scope))
        .retry(match line.retry {
            None => retry,
            Some(Again::Word(AgainWord::Never)) => Retry::Never,
            Some(Again::Word(AgainWord::Backoff)) => Retry::Backoff,
            Some(Again::Seconds(n)) => {
                Retry::After(Duration::from_secs_f64(n.max(0.0).min(LONGEST_WAIT.as_secs_f64())))
            }
        });
    let error = match line.code.as_deref().filter(|code| hidden.clears(code)) {
        Some(code) => error.code(code),
        None => error,
    };
    match line.effect {
        Some(Effect::NotSent) => error,
        Some(Effect::MaybeSent) => error.maybe_sent(),
        // Whoever does not say what it knows does not know.
        None if crossed => error.maybe_sent(),
        None => error,
    }
}

/// How far a fault of this kind reaches and when another try makes sense, where the program does not say.
fn usual(kind: ErrorKind) -> (Scope, Retry) {
    use ErrorKind as K;
    match kind {
        K::Authentication | K::Configuration => (Scope::Channel, Retry::Never),
        K::Connect | K::Quota | K::RateLimited | K::Tls | K::Unavailable => (Scope::Channel, Retry::Backoff),
        K::Cancelled | K::Internal | K::Timeout => (Scope::Message, Retry::Backoff),
        K::ContentRejected | K::Protocol | K::TooLarge => (Scope::Message, Retry::Never),
        _ => (Scope::Recipient, Retry::Never),
    }
}

fn receipt(id: String, line: Line) -> Result<Received, Mishap> {
    let raw = line.raw.unwrap_or_default().into_bytes();
    let moment = |text: Option<String>| {
        text.map(|text| Moment::parse(&text).map_err(|_| Mishap::Breach("a time is not RFC 3339"))).transpose()
    };
    let reached = |assurance| Evidence::Reached(assurance);
    let evidence = match line.says {
        // What the program does not understand either: kept, never dropped.
        None => return Ok(Received::new(id, Vec::new(), raw)),
        Some(Says::Accepted) => reached(Assurance::Accepted),
        Some(Says::Relayed) => reached(Assurance::Relayed),
        Some(Says::Delivered) => reached(Assurance::Delivered),
        Some(Says::Displayed) => reached(Assurance::Displayed),
        Some(Says::Acknowledged) => reached(Assurance::Acknowledged),
        Some(Says::Failed) => Evidence::Failed,
        Some(Says::Delayed) => Evidence::Delayed { until: moment(line.until)? },
    };
    let mut receipt = Receipt::new(ReceiptKind::Poll, &id, evidence);
    if let Some(token) = line.token {
        receipt = receipt.token(Token::new(token));
    }
    if let Some(code) = line.code {
        receipt = receipt.code(&code);
    }
    if let Some(at) = moment(line.reported)? {
        receipt = receipt.reported(at);
    }
    Ok(Received::new(id, vec![receipt], raw))
}

#[cfg(test)]
mod tests {
    use super::{Hidden, Said, read};
    use proptest::prelude::*;

    /// A value that a line may hold at a key, or not.
    fn value() -> impl Strategy<Value = String> {
        let words =
            ["true", "0", "-1", "1.5", "99999999999999999999", "null", "[]", "{}", r#""accepted""#, r#""never""#];
        let text = "[a-z\\u{e9}\\u{1f600} ]{0,12}".prop_map(|text| serde_json::Value::from(text).to_string());
        prop_oneof![proptest::sample::select(words.to_vec()).prop_map(str::to_owned), text]
    }

    proptest! {
        #[test]
        fn a_line_is_read_or_refused(
            keys in proptest::collection::vec((proptest::sample::select(vec![
                "item", "crossing", "accepted", "reference", "failed", "scope", "effect", "retry", "code", "message", "finding",
                "lookup", "assurance", "receipt", "token", "says", "until", "reported", "raw", "done", "other",
            ]), value()), 0..6),
            cut in 0usize..200,
        ) {
            let line = keys.iter().map(|(key, value)| format!("{key:?}:{value}")).collect::<Vec<_>>().join(",");
            let line = format!("{{{line}}}");
            let hidden = Hidden::of(&["true story".into()]);
            let said = read(line.as_bytes(), &hidden, |_| true);
            if keys.iter().any(|(key, _)| *key == "other") {
                prop_assert!(said.is_err(), "{line}");
            }
            if matches!(said, Ok(Said::Crossing(_) | Said::Accepted(..) | Said::Failed(..))) {
                prop_assert!(line.contains("\"item\":0"), "{line}");
            }
            // Whatever breaks off is refused, or was nothing yet.
            let part = line.as_bytes().get(..cut.min(line.len() - 1)).unwrap_or_default();
            prop_assert!(read(part, &hidden, |_| true).is_err());
        }
    }
}
