//! A channel of one's own, written against the public interface alone: Matrix, by its client-server API (v1.11 and later), and a
//! `relcomm` command that knows it.
//!
//! `cargo run --example custom_channel -- deliver PLAN --channels channels.yaml ..`, with
//! `chat: { kind: matrix, homeserver: "https://matrix.example.org", token: { env: MATRIX_TOKEN }, room: "!8f2a61:example.org" }`
//!
//! The transaction id is the delivery's key, so a server takes a repeat by the same device for what it is and answers with the event that
//! there is. (Synapse remembers that for a day.) With a `room` the mechanism is addressed once; without, each address is a room id.

use async_trait::async_trait;
use relcomm::deployment::{ChannelKind, ChannelKinds, Made, Settings};
use relcomm_core::channel::{
    Accepted, AttemptContext, Batch, Channel, ChannelError, Descriptor, ErrorKind, Outcome, Outcomes, Outgoing, Part,
    Prepared, Retry, Scope, Wording,
};
use relcomm_core::mechanism::{Addressing, Capabilities, Deduplication, Limit, Unit};
use relcomm_core::plan::Finding;
use relcomm_core::receipt::Assurance;
use relcomm_core::stakeholder::Address;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use rustls::{ClientConfig, RootCertStore};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::fmt;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// The one part: the content of the event, JSON.
const CONTENT: &str = "content";
/// A whole event holds 65,536 octets at most (Matrix, "Size limits"); what the server adds takes less than the rest.
const LONGEST: usize = 60_000;
/// The most of an answer that is read, in octets.
const LONGEST_ANSWER: usize = 1 << 16;

#[allow(dead_code, reason = "tests take this file as a module")]
fn main() -> ExitCode {
    relcomm::command(ChannelKinds::standard().with("matrix", kind()))
}

/// The kind for channels files.
pub(crate) fn kind() -> ChannelKind {
    ChannelKind::new(&["kind", "homeserver", "token", "room"], |settings: Settings<'_>| {
        let token = settings.secret("token")?.ok_or("`token` is missing")?;
        let mut channel = MatrixChannel::new(&settings.needed("homeserver")?, token)?;
        match (settings.addressing(), settings.text("room")?) {
            (Addressing::Once, Some(room)) => channel = channel.room(&room)?,
            (Addressing::Each, None) => {}
            (Addressing::Once, None) => return Err("`room` is missing: where to post".into()),
            (Addressing::Each, Some(_)) => return Err("`room` stands beside addresses: which is meant?".into()),
        }
        Ok(Made::channel(channel))
    })
}

/// The channel that posts to rooms of a Matrix server.
pub(crate) struct MatrixChannel {
    descriptor: Descriptor,
    capabilities: Capabilities,
    server: Url,
    token: SecretString,
    room: Option<Address>,
    client: Client,
}

impl MatrixChannel {
    /// A channel to that server, as whom the token is; each address is a room id.
    pub(crate) fn new(server: &str, token: SecretString) -> Result<Self, String> {
        let server = Url::parse(server).map_err(|_| "`homeserver` is no URL")?;
        if !matches!(server.scheme(), "http" | "https") || server.host().is_none() {
            return Err("`homeserver` is no address of a web server".into());
        }
        let roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|e| e.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            // What is for one server is taken nowhere else, and every try is the engine's.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .connect_timeout(Duration::from_secs(10))
            .pool_idle_timeout(Duration::from_secs(4))
            .build()
            .map_err(|_| "the HTTP client cannot be set up")?;
        let capabilities = Capabilities::new(Addressing::Each, Assurance::Accepted)
            .deduplication(Deduplication::ByKey)
            .limits([Limit::reject(CONTENT, LONGEST, Unit::Bytes)])
            .timeout(Duration::from_secs(30));
        let descriptor = Descriptor::new("matrix").sender(server.host_str().unwrap_or_default());
        Ok(Self { descriptor, capabilities, server, token, room: None, client })
    }

    /// Posting once, to this room.
    pub(crate) fn room(mut self, room: &str) -> Result<Self, String> {
        let address = Address::new(room).map_err(|e| e.to_string())?;
        self.check_address(&address)?;
        self.capabilities.addressing = Addressing::Once;
        self.room = Some(address);
        Ok(self)
    }

    fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let mut url = self.server.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["_matrix", "client", "v3"]).extend(path);
        }
        self.client.request(method, url).bearer_auth(self.token.expose_secret())
    }

    /// One request, within the context's time. `crossing` is called when it is about to go out.
    async fn call(
        &self,
        cx: &AttemptContext,
        request: RequestBuilder,
        crossing: impl FnOnce() + Send,
    ) -> Result<(StatusCode, Said), ChannelError> {
        if cx.cancellation.is_cancelled() {
            return Err(ChannelError::new(ErrorKind::Cancelled, "called off before the call").retry(Retry::Backoff));
        }
        let late = |error: ChannelError| error.retry(Retry::Backoff);
        if cx.remaining().is_zero() {
            return Err(late(ChannelError::new(ErrorKind::Timeout, "no time was left for the call")));
        }
        crossing();
        let answer = async {
            let mut response = request.send().await.map_err(transport)?;
            let mut body = Vec::new();
            // The head says whether it was taken; a body that breaks off only says less.
            while let Ok(Some(chunk)) = response.chunk().await {
                body.extend_from_slice(&chunk);
                if body.len() > LONGEST_ANSWER {
                    break;
                }
            }
            let mut said: Said = serde_json::from_slice(&body).unwrap_or_default();
            let header = response.headers().get("retry-after").and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
            said.retry_after_ms = said.retry_after_ms.or(header.map(|seconds| seconds.saturating_mul(1000)));
            Ok((response.status(), said))
        };
        tokio::select! {
            biased;
            answer = answer => answer,
            () = cx.clock.sleep_until(cx.deadline) => {
                Err(late(ChannelError::new(ErrorKind::Timeout, "the server has not answered in time")).maybe_sent())
            }
        }
    }

    async fn post(
        &self,
        cx: &AttemptContext,
        text: &Prepared,
        item: &Outgoing,
        crossing: impl FnOnce() + Send,
    ) -> Result<Accepted, ChannelError> {
        let Some(room) = item.address.as_ref().or(self.room.as_ref()) else {
            return Err(ChannelError::new(ErrorKind::RecipientInvalid, "there is no room to post to"));
        };
        let path = ["rooms", room.as_str(), "send", "m.room.message", item.key.as_str()];
        let request = self.request(Method::PUT, &path).header("content-type", "application/json");
        let (status, said) = self.call(cx, request.body(text.part(CONTENT).to_owned()), crossing).await?;
        if !status.is_success() {
            return Err(refusal(status, &said));
        }
        let accepted = Accepted::new(Assurance::Accepted);
        Ok(match said.event_id {
            Some(event) => accepted.reference(event),
            None => accepted,
        })
    }
}

/// What a server says: the event, or what is wrong. Its `error` is for people and may repeat what was said, so it is not read.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    event_id: Option<String>,
    errcode: Option<String>,
    retry_after_ms: Option<u64>,
    joined_rooms: Vec<String>,
}

/// What an answer that is no success means: by its error code, or by its status where it has none. A server that failed inside recognises
/// the repeat, so nothing is in doubt.
fn refusal(status: StatusCode, said: &Said) -> ChannelError {
    use ErrorKind as K;
    let later = said.retry_after_ms.map_or(Retry::Backoff, |wait| Retry::After(Duration::from_millis(wait)));
    let errcode = said.errcode.as_deref().filter(|code| code.starts_with("M_") && code.len() <= 64);
    let (kind, scope, retry, words) = match (errcode.unwrap_or_default(), status.as_u16()) {
        ("M_LIMIT_EXCEEDED", _) | ("", 429) => (K::RateLimited, Scope::Channel, later, "too many requests"),
        ("M_UNKNOWN_TOKEN" | "M_MISSING_TOKEN" | "M_USER_DEACTIVATED", _) | ("", 401) => {
            (K::Authentication, Scope::Channel, Retry::Never, "the server does not take the token")
        }
        ("M_FORBIDDEN", _) | ("", 403) => {
            (K::Policy, Scope::Recipient, Retry::Never, "not allowed to post in this room")
        }
        ("M_NOT_FOUND", _) | ("", 404) => (K::EndpointGone, Scope::Recipient, Retry::Never, "there is no such room"),
        ("M_TOO_LARGE", _) | ("", 413) => (K::TooLarge, Scope::Message, Retry::Never, "the text is too large"),
        ("M_RESOURCE_LIMIT_EXCEEDED", _) => (K::Quota, Scope::Channel, later, "the server has reached its limits"),
        ("M_BAD_JSON" | "M_NOT_JSON" | "M_INVALID_PARAM", _) | ("", 400 | 422) => {
            (K::ContentRejected, Scope::Message, Retry::Never, "the server refuses the text")
        }
        (_, 500..=599) => (K::Unavailable, Scope::Channel, later, "the server is not available"),
        (_, 300..=399) => {
            (K::Policy, Scope::Channel, Retry::Never, "the server points elsewhere, which is not followed")
        }
        _ => (K::Unsupported, Scope::Recipient, Retry::Never, "the server refuses the request"),
    };
    let error = ChannelError::new(kind, words).scope(scope).retry(retry);
    error.code(errcode.map_or_else(|| status.as_str().to_owned(), |code| format!("{} {code}", status.as_str())))
}

/// What a fault of the transport means. The text of such an error holds the URL, and with it the room.
fn transport(error: reqwest::Error) -> ChannelError {
    if error.is_connect() || error.is_builder() {
        return ChannelError::new(ErrorKind::Connect, "no connection to the server")
            .scope(Scope::Channel)
            .retry(Retry::Backoff);
    }
    let kind = if error.is_timeout() { ErrorKind::Timeout } else { ErrorKind::Protocol };
    ChannelError::new(kind, "the connection broke before the answer").retry(Retry::Backoff).maybe_sent()
}

#[async_trait]
impl Channel for MatrixChannel {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn check_address(&self, address: &Address) -> Result<(), String> {
        let room = address.as_str();
        let fits = room.starts_with('!') && (2..=255).contains(&room.len()) && !room.contains(char::is_whitespace);
        if fits { Ok(()) } else { Err("no room id: those begin with `!`".into()) }
    }

    fn prepare(&self, wording: &Wording) -> Result<Prepared, Vec<Finding>> {
        let subject = wording.subject.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let content = serde_json::json!({
            "msgtype": "m.text",
            "body": format!("{}\n\n{}", wording.subject, wording.document.to_plain()),
            "format": "org.matrix.custom.html",
            "formatted_body": format!("<p><strong>{subject}</strong></p>{}", wording.document.to_html()),
        });
        let prepared = Prepared::new([Part::new(CONTENT, "application/json", content.to_string())]);
        let over = prepared.over(&self.capabilities.limits);
        if over.is_empty() { Ok(prepared) } else { Err(over) }
    }

    async fn attempt(
        &self,
        cx: &AttemptContext,
        batch: &Batch<'_>,
        outcomes: &mut Outcomes,
    ) -> Result<(), ChannelError> {
        for (i, item) in batch.items.iter().enumerate() {
            let ended = self.post(cx, batch.text, item, || outcomes.crossing(i)).await;
            outcomes.set(i, ended.map_or_else(Outcome::Failed, Outcome::Accepted));
        }
        Ok(())
    }

    /// Whether the token is taken, and whether its owner has joined the room.
    async fn verify(&self, cx: &AttemptContext) -> Result<Vec<Finding>, ChannelError> {
        let (status, said) = self.call(cx, self.request(Method::GET, &["joined_rooms"]), || {}).await?;
        if !status.is_success() {
            return Err(refusal(status, &said));
        }
        let outside = self.room.as_ref().is_some_and(|room| !said.joined_rooms.iter().any(|r| r == room.as_str()));
        let finding =
            || Finding::error("MATRIX01", "", "the token's owner has not joined the room").help("invite them");
        Ok(outside.then(finding).into_iter().collect())
    }
}

impl fmt::Debug for MatrixChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MatrixChannel").field("server", &self.server.host_str()).finish_non_exhaustive()
    }
}
