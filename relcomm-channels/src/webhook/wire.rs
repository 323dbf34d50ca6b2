//! What goes over the wire: a [CloudEvents 1.0](https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md) event in
//! structured JSON, and the headers of Standard Webhooks beside it. And what comes back with a success.

use super::signature::Signer;
use crate::http::Answer;
use relcomm_core::channel::{Accepted, Outgoing, Wording};
use relcomm_core::clock::Moment;
use relcomm_core::id::{GroupId, Lang, PlaceId};
use relcomm_core::receipt::Assurance;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::io::Write;
use url::Url;

/// The media type of the body.
pub(super) const MEDIA: &str = "application/cloudevents+json";

/// The name of the part.
pub(super) const EVENT: &str = "event";

/// What `id`, `time` and `receipt_token` add to the prepared event at most, in octets.
pub(super) const ADDED: usize = 160;

/// The longest URL that is kept of a success, in octets: one that is cut leads nowhere.
const LONGEST_URL: usize = 500;

pub(super) const ID: &str = "webhook-id";
pub(super) const TIMESTAMP: &str = "webhook-timestamp";
pub(super) const SIGNATURE: &str = "webhook-signature";

/// What the event begins with; `id` and `time` of the attempt follow.
const HEAD: &str = r#"{"specversion":"1.0","#;
/// What the event ends with: the end of `data`, before which the token of the attempt belongs, and its own.
const TAIL: &str = "}}";

/// The event without `id`, `time` and `receipt_token`: the same for every attempt and delivery of a text.
#[derive(Serialize)]
struct Event<'a> {
    specversion: &'static str,
    source: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    subject: &'a str,
    datacontenttype: &'static str,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    product: &'a str,
    version: &'a str,
    communique: &'a str,
    groups: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lang: Option<&'a str>,
    subject: &'a str,
    text: String,
    html: String,
    short: &'a str,
}

/// The part of the event that the words settle, as JSON between [`HEAD`] and [`TAIL`].
pub(super) fn event(wording: &Wording, source: Option<&str>) -> serde_json::Result<String> {
    let about = &wording.about;
    let subject = match &about.place {
        Some(place) => format!("{}/{place}", about.communique),
        None => about.communique.to_string(),
    };
    serde_json::to_string(&Event {
        specversion: "1.0",
        source: &source.map_or_else(|| format!("urn:relcomm:{}", about.plan), str::to_owned),
        kind: "dev.relcomm.communique.v1",
        subject: &subject,
        datacontenttype: "application/json",
        data: Data {
            product: &about.product,
            version: &about.version,
            communique: about.communique.as_str(),
            groups: about.groups.iter().map(GroupId::as_str).collect(),
            place: about.place.as_ref().map(PlaceId::as_str),
            lang: wording.lang.as_ref().map(Lang::as_str),
            subject: &wording.subject,
            text: wording.document.to_plain(),
            html: wording.document.to_html(),
            short: &wording.short,
        },
    })
}

/// The body of one attempt: the prepared event with what is the attempt's own, put where it belongs instead of read and written
/// again. The token goes only to endpoints that can sign what they bring back. `None` if [`event`] did not make it.
pub(super) fn body(event: &str, item: &Outgoing, now: Moment, signed: bool) -> Option<Vec<u8>> {
    let inner = event.strip_prefix(HEAD)?.strip_suffix(TAIL)?;
    let mut body = Vec::with_capacity(event.len() + ADDED);
    // Keys and times hold nothing that JSON escapes.
    write!(body, r#"{HEAD}"id":"{}","time":"{now}",{inner}"#, item.key.as_str()).ok()?;
    if signed {
        body.extend_from_slice(br#","receipt_token":"#);
        serde_json::to_writer(&mut body, item.token().as_str()).ok()?;
    }
    body.extend_from_slice(TAIL.as_bytes());
    Some(body)
}

/// The headers of one attempt: the endpoint's own, the media type, key and time of the attempt, and a signature by each secret.
pub(super) fn headers(own: &HeaderMap, id: &str, now: Moment, body: &[u8], signers: &[Signer]) -> Option<HeaderMap> {
    let timestamp = (now.millis() / 1000).to_string();
    let mut headers = own.clone();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA));
    headers.insert(HeaderName::from_static(ID), HeaderValue::from_str(id).ok()?);
    if let Some((first, rest)) = signers.split_first() {
        let mut list = first.sign(id, &timestamp, body);
        for signer in rest {
            list.push(' ');
            list.push_str(&signer.sign(id, &timestamp, body));
        }
        headers.insert(HeaderName::from_static(SIGNATURE), HeaderValue::try_from(list).ok()?);
    }
    headers.insert(HeaderName::from_static(TIMESTAMP), HeaderValue::try_from(timestamp).ok()?);
    Some(headers)
}

/// What a receiver may say with a success.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    url: Option<String>,
    reference: Option<String>,
    id: Option<serde_json::Value>,
}

/// Reads a success: `url` and `reference` (or `id`) of a JSON body, `Location` where the body names no URL.
///
/// What repeats a secret part of the endpoint's own URL, or one of these secrets, is left out, since it would be printed.
pub(super) fn accepted(answer: &Answer, endpoint: &Url, secrets: &[SecretString]) -> Accepted {
    let tells = |text: &str| repeats(endpoint, text) || secrets.iter().any(|s| text.contains(s.expose_secret()));
    let said: Said = serde_json::from_slice(&answer.body).unwrap_or_default();
    let location = answer.headers.get(LOCATION).and_then(|v| v.to_str().ok()).and_then(|v| absolute(v, endpoint));
    let url = said
        .url
        .and_then(|u| absolute(&u, endpoint))
        .or(location)
        // What a URL holds stands in it percent-encoded.
        .filter(|u| !tells(u.as_str()) && !u.query_pairs().any(|(name, value)| tells(&name) || tells(&value)));
    let reference = said.reference.or_else(|| match said.id {
        Some(serde_json::Value::String(id)) => Some(id),
        Some(serde_json::Value::Number(id)) => Some(id.to_string()),
        _ => None,
    });
    let mut accepted = Accepted::new(Assurance::Accepted);
    if let Some(url) = url {
        accepted = accepted.url(url);
    }
    if let Some(reference) = reference.filter(|r| !r.is_empty() && !tells(r)) {
        accepted = accepted.reference(reference);
    }
    accepted
}

/// An http or https address; one without host is taken at the endpoint's host, never relative to its path.
fn absolute(text: &str, endpoint: &Url) -> Option<Url> {
    let mut url = if text.starts_with('/') { endpoint.join(text).ok()? } else { Url::parse(text).ok()? };
    let plain = matches!(url.scheme(), "http" | "https") && url.host().is_some();
    let kept = plain && url.as_str().len() <= LONGEST_URL;
    (kept && url.set_username("").is_ok() && url.set_password(None).is_ok()).then_some(url)
}

/// Whether the text holds a part of the URL that looks like a credential: user information, a value of the query, or a segment of
/// the path that is long or holds digits.
fn repeats(url: &Url, text: &str) -> bool {
    let query: Vec<_> = url.query_pairs().map(|(_, v)| v.into_owned()).filter(|v| v.len() >= 4).collect();
    let segments = url.path_segments().into_iter().flatten().filter(|s| looks_secret(s));
    let user = [Some(url.username()), url.password()].into_iter().flatten().filter(|s| !s.is_empty());
    let mut parts =
        segments.chain(user).chain(query.iter().map(String::as_str)).chain(url.query().filter(|q| !q.is_empty()));
    parts.any(|part| text.contains(part))
}

fn looks_secret(text: &str) -> bool {
    text.len() >= 20 || (text.len() >= 8 && text.contains(|c: char| c.is_ascii_digit()))
}

/// What of a header's value, or of a signing secret, may come back: the whole, what follows its first word or prefix (`Bearer`,
/// `whsec_`), and what within it looks like a credential. What is shorter than four octets stands in too many innocent words.
pub(super) fn telling(secret: &str) -> Vec<SecretString> {
    let secret = secret.trim();
    let after = secret.strip_prefix("whsec_").or_else(|| Some(secret.split_once(' ')?.1.trim())).unwrap_or_default();
    let pieces = secret.split([' ', ',', ';', ':', '=', '"']).filter(|piece| looks_secret(piece));
    [secret, after].into_iter().filter(|text| text.len() >= 4).chain(pieces).map(SecretString::from).collect()
}
