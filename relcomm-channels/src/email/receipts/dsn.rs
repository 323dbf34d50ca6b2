//! Delivery status notifications (RFC 3464, RFC 6533) as receipts.

use super::fields::{Group, groups};
use crate::email::address::ReturnPath;
use data_encoding::HEXLOWER;
use mail_parser::{HeaderName, Message, MessageParser, MessagePart, MimeHeaders, PartType};
use relcomm_core::clock::Moment;
use relcomm_core::receipt::{Assurance, Evidence, Receipt, ReceiptKind, Token};
use sha2::{Digest, Sha256};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The largest mail that is looked into, in octets (10 MiB).
pub(super) const LARGEST: usize = 10 << 20;
/// The most MIME headers: a mail with more parts is no report, and nested parts cost stack.
const MOST_PARTS: usize = 100;
/// The headers in which mail systems leave the address that a report came to, the most reliable first.
const ADDRESSED: [&str; 5] = ["Delivered-To", "X-Original-To", "X-Envelope-To", "Envelope-To", "To"];

/// Reads a mail as a delivery report: one receipt for each recipient that it speaks of, none if it is no report in standard form.
///
/// | `Action` (RFC 3464, 2.3.3) | evidence |
/// | --- | --- |
/// | `delivered` | reached: delivered |
/// | `relayed`, `expanded` | reached: relayed |
/// | `delayed` | delayed, until `Will-Retry-Until` |
/// | `failed`, `expired` | failed, whatever the class of `Status` |
/// | another word | failed, if `Status` is permanent; else nothing |
///
/// The token comes from the address that the report was delivered to, if it is one of a base's. Nothing is verified here: that a token
/// is genuine, the engine finds out. Pure; never panics; mails over 10 MiB or of more than 100 parts are not looked into.
#[must_use]
pub fn classify<'a>(raw: &[u8], bases: impl IntoIterator<Item = &'a ReturnPath>) -> Vec<Receipt> {
    if raw.len() > LARGEST || occurrences(raw, b"content-type:") > MOST_PARTS {
        return Vec::new();
    }
    let bases: Vec<&ReturnPath> = bases.into_iter().collect();
    // What comes in is written by strangers, and the parser is not ours: a defect of it must not end a run.
    catch_unwind(AssertUnwindSafe(|| read(raw, &bases))).unwrap_or_default()
}

fn read(raw: &[u8], bases: &[&ReturnPath]) -> Vec<Receipt> {
    let Some(mail) = MessageParser::default().parse(raw) else { return Vec::new() };
    let mut reports = statuses(&mail);
    if reports.is_empty() && says_it_is_a_report(&mail) {
        // A gateway wrapped the report in a mail that calls itself one.
        let wrapped = mail.parts.iter().filter_map(|part| match &part.body {
            PartType::Message(inner) => Some(inner),
            _ => None,
        });
        reports = wrapped.flat_map(statuses).collect();
    }
    if reports.is_empty() {
        return Vec::new();
    }
    let digest = HEXLOWER.encode(&Sha256::digest(raw));
    let token = token(&mail, bases);
    let date = mail.date().and_then(|date| moment(date.to_timestamp()));
    reports
        .iter()
        .enumerate()
        .filter_map(|(place, group)| {
            let identity = format!("{digest}.{place}");
            let mut receipt = Receipt::new(ReceiptKind::Dsn, identity, evidence(group)?);
            receipt.token.clone_from(&token);
            receipt.code = group.get("status").and_then(enhanced);
            receipt.reported = group.get("last-attempt-date").and_then(when).or(date);
            Some(receipt)
        })
        .collect()
}

/// The recipients that the mail's own status parts speak of.
fn statuses(mail: &Message<'_>) -> Vec<Group> {
    mail.parts
        .iter()
        .filter(|part| is_status(part))
        .flat_map(|part| groups(&String::from_utf8_lossy(part.contents())))
        .filter(|group| group.get("action").is_some())
        .collect()
}

/// RFC 6522, 3.
fn says_it_is_a_report(mail: &Message<'_>) -> bool {
    let kind = mail.parts.first().and_then(MimeHeaders::content_type);
    kind.and_then(|kind| kind.attribute("report-type")).is_some_and(|kind| kind.eq_ignore_ascii_case("delivery-status"))
}

/// A status part of this mail itself: one within a forwarded mail belongs to someone else.
fn is_status(part: &MessagePart<'_>) -> bool {
    !matches!(part.body, PartType::Message(_) | PartType::Multipart(_))
        && part.content_type().is_some_and(|kind| {
            kind.ctype().eq_ignore_ascii_case("message")
                && kind.subtype().is_some_and(|sub| {
                    sub.eq_ignore_ascii_case("delivery-status") || sub.eq_ignore_ascii_case("global-delivery-status")
                })
        })
}

fn evidence(group: &Group) -> Option<Evidence> {
    let action = group.get("action")?.trim_start().to_ascii_lowercase();
    let word = action.split(|c: char| !c.is_ascii_alphabetic()).next()?;
    match word {
        "delivered" => Some(Evidence::Reached(Assurance::Delivered)),
        "relayed" | "expanded" => Some(Evidence::Reached(Assurance::Relayed)),
        "delayed" => Some(Evidence::Delayed { until: group.get("will-retry-until").and_then(when) }),
        "failed" | "failure" | "expired" => Some(Evidence::Failed),
        // Words of some systems' own, such as `error`: a permanent status makes them clear, no other does.
        _ if group.get("status").and_then(enhanced).is_some_and(|code| code.starts_with('5')) => Some(Evidence::Failed),
        _ => None,
    }
}

/// The first enhanced status code (RFC 3463) in a value.
fn enhanced(value: &str) -> Option<String> {
    value
        .split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .find(|word| {
            let numbers: Vec<&str> = word.split('.').collect();
            matches!(numbers.as_slice(), ["2" | "4" | "5", subject, detail]
                if (1..=3).contains(&subject.len()) && (1..=3).contains(&detail.len()))
        })
        .map(str::to_owned)
}

fn when(value: &str) -> Option<Moment> {
    mail_parser::DateTime::parse_rfc822(value)
        .filter(mail_parser::DateTime::is_valid)
        .and_then(|d| moment(d.to_timestamp()))
}

fn moment(seconds: i64) -> Option<Moment> {
    seconds.checked_mul(1000).filter(|millis| *millis > 0).map(Moment::from_millis)
}

fn token(mail: &Message<'_>, bases: &[&ReturnPath]) -> Option<Token> {
    ADDRESSED.iter().find_map(|wanted| {
        let wanted = HeaderName::parse(*wanted)?;
        mail.headers_raw()
            .filter(|(name, _)| HeaderName::parse(*name).is_some_and(|name| name == wanted))
            .flat_map(|(_, value)| value.split([',', ';', ' ', '\t', '\r', '\n', '"']))
            .find_map(|word| bases.iter().find_map(|base| base.token_in(word)))
    })
}

/// How often `word`, in lower case, stands in `bytes`, whatever the case.
fn occurrences(bytes: &[u8], word: &[u8]) -> usize {
    bytes.windows(word.len()).filter(|at| at.eq_ignore_ascii_case(word)).count()
}
