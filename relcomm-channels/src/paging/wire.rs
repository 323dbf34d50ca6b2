//! What goes over the wire: a `trigger` of the PagerDuty
//! [Events API v2](https://developer.pagerduty.com/docs/events-api-v2/trigger-events/), and what comes back.

use super::options::Severity;
use crate::http::Answer;
use relcomm_core::channel::Wording;
use relcomm_core::document::{Block, Inline};
use serde::{Deserialize, Serialize};

/// The name of the part that is shown on the pager.
pub(super) const SUMMARY: &str = "summary";
/// The name of the part that holds the rest of the event.
pub(super) const EVENT: &str = "event";

/// The longest summary, in characters.
pub(super) const LONGEST_SUMMARY: usize = 1024;
/// The largest event that the service takes, in octets.
pub(super) const LARGEST_EVENT: usize = 512 * 1024;
/// What routing key, key, time and summary add to the prepared event at most: a summary of 1,024 characters of four octets, or of
/// two-octet escapes, and the fields around them.
pub(super) const ADDED: usize = 6 * 1024;

/// The most links that an event carries.
const MOST_LINKS: usize = 10;

/// The event. Without `routing_key`, `dedup_key`, `summary` and `timestamp` it is the same for every attempt and delivery of a text.
#[derive(Serialize, Deserialize)]
pub(super) struct Event {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) routing_key: String,
    event_action: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) dedup_key: String,
    pub(super) payload: Payload,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    links: Vec<Link>,
    client: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_url: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Payload {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) summary: String,
    source: String,
    severity: Severity,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) timestamp: String,
    component: String,
    class: String,
    custom_details: Details,
}

#[derive(Serialize, Deserialize)]
struct Details {
    text: String,
    version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    place: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Link {
    href: String,
    text: String,
}

impl Event {
    /// The part of the event that the words settle.
    pub(super) fn prepare(
        wording: &Wording,
        severity: Severity,
        source: Option<&str>,
        client_url: Option<&str>,
    ) -> Self {
        let about = &wording.about;
        let mut links = Vec::new();
        for block in wording.document.blocks() {
            links_of(block, &mut links);
        }
        links.truncate(MOST_LINKS);
        Self {
            routing_key: String::new(),
            event_action: "trigger".into(),
            dedup_key: String::new(),
            payload: Payload {
                summary: String::new(),
                source: source.unwrap_or(&about.product).to_owned(),
                severity,
                timestamp: String::new(),
                component: about.product.clone(),
                class: about.communique.to_string(),
                custom_details: Details {
                    text: wording.document.to_plain(),
                    version: about.version.clone(),
                    place: about.place.as_ref().map(ToString::to_string),
                },
            },
            links,
            client: "relcomm".into(),
            client_url: client_url.map(str::to_owned),
        }
    }
}

/// The summary: the short text, or the subject, or product and version, cut between words. The service takes no empty one.
pub(super) fn summary(wording: &Wording) -> String {
    let named = format!("{} {}", wording.about.product, wording.about.version);
    let whole = [&wording.short, &wording.subject].into_iter().find(|s| !s.trim().is_empty()).unwrap_or(&named);
    let Some((end, _)) = whole.char_indices().nth(LONGEST_SUMMARY) else {
        return whole.clone();
    };
    let mut room = whole.get(..end).unwrap_or_default().to_owned();
    room.pop();
    if let Some(space) = room.rfind(char::is_whitespace).filter(|at| *at > room.len() / 2) {
        room.truncate(space);
    }
    format!("{}…", room.trim_end())
}

fn links_of(block: &Block, links: &mut Vec<Link>) {
    match block {
        Block::Heading { inlines, .. } | Block::Paragraph(inlines) => links_in(inlines, links),
        Block::List { items, .. } => items.iter().flatten().for_each(|b| links_of(b, links)),
        Block::Quote(inner) => inner.iter().for_each(|b| links_of(b, links)),
        Block::Table { header, rows } => {
            header.iter().chain(rows.iter().flatten()).for_each(|cell| links_in(cell, links));
        }
        _ => {}
    }
}

fn links_in(inlines: &[Inline], links: &mut Vec<Link>) {
    for inline in inlines {
        match inline {
            Inline::Strong(inner) | Inline::Emphasis(inner) => links_in(inner, links),
            Inline::Link { to, inlines } if to.as_str().starts_with("http") => {
                let link = Link { href: to.as_str().to_owned(), text: words(inlines) };
                if links.iter().all(|l| l.href != link.href) {
                    links.push(link);
                }
            }
            _ => {}
        }
    }
}

fn words(inlines: &[Inline]) -> String {
    inlines
        .iter()
        .map(|inline| match inline {
            Inline::Text(text) | Inline::Code(text) => text.clone(),
            Inline::Strong(inner) | Inline::Emphasis(inner) | Inline::Link { inlines: inner, .. } => words(inner),
            _ => " ".into(),
        })
        .collect()
}

/// What the service says.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    dedup_key: Option<String>,
    message: String,
    errors: Vec<String>,
}

/// The key under which the service took the event, if it says so.
pub(super) fn dedup_key(answer: &Answer) -> Option<String> {
    serde_json::from_slice::<Said>(&answer.body).ok()?.dedup_key.filter(|key| !key.is_empty())
}

/// Whether the service complains of the routing key: it answers a wrong one with 400, like a wrong event.
pub(super) fn blames_routing_key(answer: &Answer) -> bool {
    let said: Said = serde_json::from_slice(&answer.body).unwrap_or_default();
    said.errors.iter().chain([&said.message]).any(|text| {
        let text = text.to_ascii_lowercase();
        text.contains("routing_key") || text.contains("routing key")
    })
}
