//! Pagers: an event triggered at PagerDuty, by its Events API v2.
//!
//! The address of a delivery is the name of an endpoint; the routing key behind it is a secret. `dedup_key` is the delivery's key: while
//! the alert is open, a repeat is the same alert. The service answers that it has queued the event, so *accepted* is proved and no more.
//!
//! ```
//! use relcomm_channels::paging::{PagingChannel, PagingOptions};
//!
//! use relcomm_core::ChannelSet;
//! use relcomm_core::mechanism::Mechanism;
//!
//! let options = PagingOptions::new()
//!     .endpoint("support-rota", "0123456789abcdef0123456789abcdef")
//!     .endpoint("database-rota", "fedcba9876543210fedcba9876543210");
//! let channels = ChannelSet::new().with_endpoints(Mechanism::new("pager")?, PagingChannel::new(options)?);
//! # let _ = channels;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! It is bound with [`ChannelSet::with_endpoints`](relcomm_core::ChannelSet::with_endpoints), which gives each endpoint a lane of its own: a
//! routing key that the service refuses then bars its own endpoint. Bound by [`with`](relcomm_core::ChannelSet::with), it would bar all the
//! others with it.

mod error;
mod options;
mod wire;

pub use self::error::PagingSetupError;
pub use self::options::{PagingOptions, Severity};

use self::wire::{ADDED, EVENT, Event, LARGEST_EVENT, LONGEST_SUMMARY, SUMMARY};
use crate::http::{Call, HttpClient, Reading, refusal};
use async_trait::async_trait;
use relcomm_core::channel::{
    Accepted, AttemptContext, Batch, Channel, ChannelError, Descriptor, ErrorKind, Outcome, Outcomes, Outgoing, Part,
    Prepared, Scope, Wording,
};
use relcomm_core::mechanism::{Addressing, Capabilities, Deduplication, Limit, Unit};
use relcomm_core::plan::Finding;
use relcomm_core::receipt::Assurance;
use relcomm_core::stakeholder::Address;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::fmt;
use url::Url;

/// The channel that triggers events at PagerDuty.
pub struct PagingChannel {
    descriptor: Descriptor,
    capabilities: Capabilities,
    enqueue: Url,
    endpoints: BTreeMap<String, SecretString>,
    severity: Severity,
    source: Option<String>,
    client_url: Option<String>,
    client: HttpClient,
}

impl PagingChannel {
    /// A channel with these settings. Nothing is connected.
    ///
    /// # Errors
    /// [`PagingSetupError`], where a setting cannot be used.
    pub fn new(options: PagingOptions) -> Result<Self, PagingSetupError> {
        if options.endpoints.is_empty() {
            return Err(PagingSetupError::NoEndpoint);
        }
        for (name, key) in &options.endpoints {
            Address::new(name).map_err(|_| PagingSetupError::Name)?;
            let key = key.expose_secret();
            if key.len() != 32 || !key.bytes().all(|b| b.is_ascii_alphanumeric()) {
                return Err(PagingSetupError::RoutingKey { endpoint: name.clone() });
            }
        }
        let client = HttpClient::new(&options.http, true)?;
        let bad_base = |why: &str| PagingSetupError::BaseUrl(why.into());
        let base = options.base_url.trim_end_matches('/');
        if base.contains(['?', '#']) {
            return Err(bad_base("it has a query or a fragment"));
        }
        let enqueue = Url::parse(&format!("{base}/v2/enqueue")).map_err(|_| bad_base("it is not a URL"))?;
        client.check(&enqueue).map_err(|e| bad_base(e.message()))?;
        let is_web = |url: &String| Url::parse(url).is_ok_and(|u| matches!(u.scheme(), "http" | "https"));
        if !options.client_url.iter().all(is_web) {
            return Err(PagingSetupError::ClientUrl);
        }
        let mut descriptor = Descriptor::new("pagerduty");
        if let Some(source) = &options.source {
            descriptor = descriptor.sender(source);
        }
        let capabilities = Capabilities::new(Addressing::Each, Assurance::Accepted)
            .deduplication(Deduplication::ByKey)
            .limits([
                Limit::cut(SUMMARY, LONGEST_SUMMARY, Unit::Chars),
                Limit::reject(EVENT, LARGEST_EVENT - ADDED, Unit::Bytes),
            ])
            .concurrency(options.concurrency)
            .timeout(options.http.timeout);
        Ok(Self {
            descriptor,
            capabilities,
            enqueue,
            endpoints: options.endpoints,
            severity: options.severity,
            source: options.source,
            client_url: options.client_url,
            client,
        })
    }

    async fn trigger(
        &self,
        cx: &AttemptContext,
        text: &Prepared,
        item: &Outgoing,
        crossing: impl FnOnce() + Send,
    ) -> Result<Outcome, ChannelError> {
        let routing_key = item
            .address
            .as_ref()
            .and_then(|address| self.endpoints.get(address.as_str()))
            .ok_or_else(|| ChannelError::new(ErrorKind::RecipientInvalid, "there is no endpoint of that name"))?;
        let foreign = || {
            ChannelError::new(ErrorKind::Internal, "the text was not prepared by a paging channel")
                .scope(Scope::Message)
        };
        let mut event: Event = serde_json::from_str(text.part(EVENT)).map_err(|_| foreign())?;
        routing_key.expose_secret().clone_into(&mut event.routing_key);
        event.dedup_key = item.key.to_string();
        text.part(SUMMARY).clone_into(&mut event.payload.summary);
        event.payload.timestamp = cx.clock.now().to_string();
        let body = serde_json::to_vec(&event).map_err(|_| foreign())?;
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        let answer = self.client.post(cx, Call { url: &self.enqueue, headers, body }, crossing).await?;
        if answer.status.is_success() {
            let said = wire::dedup_key(&answer).filter(|said| !said.contains(routing_key.expose_secret()));
            let reference = said.unwrap_or_else(|| item.key.to_string());
            return Ok(Outcome::Accepted(Accepted::new(Assurance::Accepted).reference(reference)));
        }
        if answer.status == StatusCode::BAD_REQUEST && wire::blames_routing_key(&answer) {
            let message = "the service refused the routing key";
            return Err(ChannelError::new(ErrorKind::Authentication, message).scope(Scope::Endpoint).code("400"));
        }
        Err(refusal(answer.status, &answer.headers, Reading { now: cx.clock.now(), dedupes: true }))
    }
}

#[async_trait]
impl Channel for PagingChannel {
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
        let event = Event::prepare(wording, self.severity, self.source.as_deref(), self.client_url.as_deref());
        let content = serde_json::to_string(&event)
            .map_err(|_| vec![Finding::error("RC1101", "", "the text cannot be written as JSON")])?;
        let prepared = Prepared::new([
            Part::new(SUMMARY, "text/plain", wire::summary(wording)),
            Part::new(EVENT, "application/json", content),
        ]);
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
            let outcome = self.trigger(cx, batch.text, item, || outcomes.crossing(i)).await;
            outcomes.set(i, outcome.unwrap_or_else(Outcome::Failed));
        }
        Ok(())
    }

    /// Connects to the service. A routing key shows whether it is right only by an event, so it is not tried.
    async fn verify(&self, cx: &AttemptContext) -> Result<Vec<Finding>, ChannelError> {
        self.client.reach(cx, &self.enqueue).await.map(|()| Vec::new())
    }
}

impl fmt::Debug for PagingChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PagingChannel").field("endpoints", &self.endpoints.len()).finish_non_exhaustive()
    }
}
