//! Webhooks: an event posted to an endpoint, signed so that the receiver can trust it and keyed so that it can drop repeats.
//!
//! The body is a CloudEvents 1.0 event in structured JSON, the headers are those of Standard Webhooks 1.0.0. The address of a
//! delivery is the name of an endpoint; its URL is a secret of the deployment. `id` and `webhook-id` are the delivery's key, the same
//! on every attempt; `time`, `webhook-timestamp` and the signature are the attempt's own, so a receiver recognises a repeat by the id
//! and not by the content.
//!
//! An endpoint with a secret gets a `receipt_token` in the event and may call back with it: see [`Callbacks`].
//!
//! ```
//! use relcomm_channels::webhook::{WebhookChannel, WebhookEndpoint, WebhookOptions};
//!
//! let forum = WebhookEndpoint::new("https://forum.example/hooks/8f2a61c0")
//!     .secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
//! let channel = WebhookChannel::new(WebhookOptions::new().endpoint("forum", forum))?;
//! # Ok::<(), relcomm_channels::webhook::WebhookSetupError>(())
//! ```
//!
//! Bind it with [`ChannelSet::with_endpoints`](relcomm_core::ChannelSet::with_endpoints), which gives each endpoint a lane of its own: one
//! that answers 401 then bars itself. Bound by [`with`](relcomm_core::ChannelSet::with), it would bar all the others with it.
//!
//! ```
//! use relcomm_channels::webhook::{WebhookChannel, WebhookEndpoint, WebhookOptions};
//! use relcomm_core::ChannelSet;
//! use relcomm_core::mechanism::Mechanism;
//!
//! let options = WebhookOptions::new()
//!     .endpoint("forum", WebhookEndpoint::new("https://forum.example/hooks/8f2a61c0"))
//!     .endpoint("crm", WebhookEndpoint::new("https://crm.example/events"));
//! let channels = ChannelSet::new().with_endpoints(Mechanism::new("webhook")?, WebhookChannel::new(options)?);
//! # let _ = channels;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod options;
mod receipts;
mod signature;
mod wire;

pub use self::error::WebhookSetupError;
pub use self::options::{WebhookEndpoint, WebhookOptions};

use self::signature::Signer;
use self::wire::{ADDED, EVENT, MEDIA};
use crate::http::{Call, HttpClient, Reading, refusal};
use async_trait::async_trait;
use relcomm_core::channel::{
    AttemptContext, Batch, Callbacks, Channel, ChannelError, Descriptor, ErrorKind, Outcome, Outcomes, Outgoing, Part,
    Prepared, Scope, Wording,
};
use relcomm_core::mechanism::{Addressing, Capabilities, Deduplication, Limit, Unit};
use relcomm_core::plan::Finding;
use relcomm_core::receipt::Assurance;
use relcomm_core::stakeholder::Address;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::fmt;
use url::Url;

/// The channel that posts events to endpoints.
pub struct WebhookChannel {
    descriptor: Descriptor,
    capabilities: Capabilities,
    source: Option<String>,
    endpoints: BTreeMap<String, Endpoint>,
    default_endpoint: Option<String>,
    client: HttpClient,
}

/// One endpoint, checked.
struct Endpoint {
    url: Url,
    headers: HeaderMap,
    signers: Vec<Signer>,
    /// What an answer must not bring back.
    secrets: Vec<SecretString>,
}

impl WebhookChannel {
    /// A channel with these settings. Nothing is connected.
    ///
    /// It proves up to *acknowledged* if an endpoint has a secret, by its calls back; *accepted* otherwise. Endpoints without secret
    /// that stand beside others with one prove *accepted* all the same: a channel of their own says so beforehand.
    ///
    /// # Errors
    /// [`WebhookSetupError`], where a setting cannot be used.
    pub fn new(options: WebhookOptions) -> Result<Self, WebhookSetupError> {
        if options.endpoints.is_empty() {
            return Err(WebhookSetupError::NoEndpoint);
        }
        let client = HttpClient::new(&options.http, options.deduplication != Deduplication::None)?;
        let endpoints = options
            .endpoints
            .iter()
            .map(|(name, endpoint)| Ok((name.clone(), Endpoint::read(name, endpoint, &client)?)))
            .collect::<Result<BTreeMap<_, _>, WebhookSetupError>>()?;
        let default_endpoint = match &options.default_endpoint {
            Some(name) if endpoints.contains_key(name) => Some(name.clone()),
            Some(_) => return Err(WebhookSetupError::Default),
            None if endpoints.len() == 1 => endpoints.keys().next().cloned(),
            None => None,
        };
        if options.addressing == Addressing::Once && default_endpoint.is_none() {
            return Err(WebhookSetupError::Default);
        }
        if options.source.as_deref().is_some_and(|s| !is_uri_reference(s)) {
            return Err(WebhookSetupError::Source);
        }
        let signed = endpoints.values().any(|e| !e.signers.is_empty());
        let proves = if signed { Assurance::Acknowledged } else { Assurance::Accepted };
        let mut descriptor = Descriptor::new("webhook");
        if let Some(source) = &options.source {
            descriptor = descriptor.sender(source);
        }
        let capabilities = Capabilities::new(options.addressing, proves)
            .deduplication(options.deduplication)
            .limits([Limit::reject(EVENT, options.max_body.saturating_sub(ADDED), Unit::Bytes)])
            .concurrency(options.concurrency)
            .timeout(options.http.timeout);
        Ok(Self { descriptor, capabilities, source: options.source, endpoints, default_endpoint, client })
    }

    fn endpoint(&self, address: Option<&Address>) -> Option<&Endpoint> {
        let name = address.map(Address::as_str).or(self.default_endpoint.as_deref())?;
        self.endpoints.get(name)
    }

    async fn deliver(
        &self,
        cx: &AttemptContext,
        text: &Prepared,
        item: &Outgoing,
        crossing: impl FnOnce() + Send,
    ) -> Result<Outcome, ChannelError> {
        let endpoint = self
            .endpoint(item.address.as_ref())
            .ok_or_else(|| ChannelError::new(ErrorKind::RecipientInvalid, "there is no endpoint of that name"))?;
        let now = cx.clock.now();
        let foreign = || ChannelError::new(ErrorKind::Internal, "the text was not prepared by a webhook channel");
        let body = wire::body(text.part(EVENT), item, now, !endpoint.signers.is_empty())
            .ok_or_else(|| foreign().scope(Scope::Message))?;
        let headers = wire::headers(&endpoint.headers, item.key.as_str(), now, &body, &endpoint.signers)
            .ok_or_else(|| ChannelError::new(ErrorKind::Internal, "the key does not fit a header"))?;
        let answer = self.client.post(cx, Call { url: &endpoint.url, headers, body }, crossing).await?;
        if answer.status.is_success() {
            return Ok(Outcome::Accepted(wire::accepted(&answer, &endpoint.url, &endpoint.secrets)));
        }
        let dedupes = self.capabilities.deduplication != Deduplication::None;
        Err(refusal(answer.status, &answer.headers, Reading { now: cx.clock.now(), dedupes }))
    }
}

impl Endpoint {
    fn read(name: &str, endpoint: &WebhookEndpoint, client: &HttpClient) -> Result<Self, WebhookSetupError> {
        Address::new(name).map_err(|_| WebhookSetupError::Name)?;
        let bad_url = |why: &str| WebhookSetupError::Url { endpoint: name.into(), why: why.into() };
        let url = Url::parse(endpoint.url.expose_secret()).map_err(|_| bad_url("it is not a URL"))?;
        client.check(&url).map_err(|e| bad_url(e.message()))?;
        let signers = endpoint
            .secrets
            .iter()
            .map(|secret| Signer::read(secret.expose_secret()))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| WebhookSetupError::Secret { endpoint: name.into() })?;
        let mut headers = HeaderMap::new();
        for (i, (header, value)) in endpoint.headers.iter().enumerate() {
            let (header, value) = own_header(header, value.expose_secret())
                .ok_or_else(|| WebhookSetupError::Header { endpoint: name.into(), number: i + 1 })?;
            headers.append(header, value);
        }
        let secrets = endpoint.secrets.iter().chain(endpoint.headers.iter().map(|(_, value)| value));
        let secrets = secrets.flat_map(|secret| wire::telling(secret.expose_secret())).collect();
        Ok(Self { url, headers, signers, secrets })
    }
}

/// A header that a deployment may set: not one of the transport's or the channel's own.
fn own_header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    let ours =
        ["connection", "content-length", "content-type", "host", "te", "trailer", "transfer-encoding", "upgrade"];
    if ours.contains(&name.as_str()) || name.as_str().starts_with("webhook-") {
        return None;
    }
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some((name, value))
}

fn is_uri_reference(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b))
}

#[async_trait]
impl Channel for WebhookChannel {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn check_address(&self, address: &Address) -> Result<(), String> {
        if self.endpoints.contains_key(address.as_str()) { Ok(()) } else { Err("no such endpoint".into()) }
    }

    fn prepare(&self, wording: &Wording) -> Result<Prepared, Vec<Finding>> {
        let content = wire::event(wording, self.source.as_deref())
            .map_err(|_| vec![Finding::error("RC1101", "", "the text cannot be written as JSON")])?;
        let prepared = Prepared::new([Part::new(EVENT, MEDIA, content)]);
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
            let outcome = self.deliver(cx, batch.text, item, || outcomes.crossing(i)).await;
            outcomes.set(i, outcome.unwrap_or_else(Outcome::Failed));
        }
        Ok(())
    }

    async fn verify(&self, cx: &AttemptContext) -> Result<Vec<Finding>, ChannelError> {
        let mut findings = Vec::new();
        // At once: one that does not answer takes no time from another.
        let all = self
            .endpoints
            .iter()
            .map(|(name, endpoint)| async move { (name, self.client.reach(cx, &endpoint.url).await) });
        for (name, reached) in futures_util::future::join_all(all).await {
            if let Err(fault) = reached {
                if self.endpoints.len() == 1 {
                    return Err(fault);
                }
                findings.push(Finding::error("RC1116", "", format!("endpoint `{name}` cannot be reached: {fault}")));
            }
        }
        Ok(findings)
    }

    fn callbacks(&self) -> Option<&dyn Callbacks> {
        (self.capabilities.proves > Assurance::Accepted).then_some(self)
    }
}

impl fmt::Debug for WebhookChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookChannel").field("endpoints", &self.endpoints.len()).finish_non_exhaustive()
    }
}
