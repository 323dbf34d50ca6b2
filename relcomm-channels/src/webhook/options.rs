//! How a webhook channel is configured.

use crate::http::HttpOptions;
use relcomm_core::mechanism::{Addressing, Deduplication};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;

/// The settings of a webhook channel: its endpoints by name, and what holds for all of them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WebhookOptions {
    /// The endpoints by the names that plans use as addresses.
    pub endpoints: BTreeMap<String, WebhookEndpoint>,
    /// The endpoint of a delivery without address. Default: the only one there is.
    pub default_endpoint: Option<String>,
    /// How the mechanism reaches people. Default: each.
    pub addressing: Addressing,
    /// The `source` of the events (CloudEvents 1.0), a URI reference. Default: `urn:relcomm:PLAN`.
    pub source: Option<String>,
    /// Whether the receivers honour `webhook-id`. Default: by key, as Standard Webhooks demands of them; set
    /// [`None`](Deduplication::None) for receivers that do not, so that a delivery in doubt is held instead of repeated.
    pub deduplication: Deduplication,
    /// The longest body in octets. Default: 20,000, as Standard Webhooks advises.
    pub max_body: usize,
    /// How many calls may be in flight at once. Default: 8.
    pub concurrency: NonZeroU32,
    /// How to connect.
    pub http: HttpOptions,
}

impl WebhookOptions {
    /// No endpoints, and the defaults.
    #[must_use]
    pub fn new() -> Self {
        Self {
            endpoints: BTreeMap::new(),
            default_endpoint: None,
            addressing: Addressing::Each,
            source: None,
            deduplication: Deduplication::ByKey,
            max_body: 20_000,
            concurrency: NonZeroU32::MIN.saturating_add(7),
            http: HttpOptions::new(),
        }
    }

    /// With this endpoint; the last one of a name stands.
    #[must_use]
    pub fn endpoint(mut self, name: impl Into<String>, endpoint: WebhookEndpoint) -> Self {
        self.endpoints.insert(name.into(), endpoint);
        self
    }

    /// With the endpoint of this name for deliveries without address.
    #[must_use]
    pub fn default_endpoint(mut self, name: impl Into<String>) -> Self {
        self.default_endpoint = Some(name.into());
        self
    }

    /// With this addressing.
    #[must_use]
    pub fn addressing(mut self, addressing: Addressing) -> Self {
        self.addressing = addressing;
        self
    }

    /// With this source of the events.
    #[must_use]
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// For receivers that recognise repeats so, or not.
    #[must_use]
    pub fn deduplication(mut self, deduplication: Deduplication) -> Self {
        self.deduplication = deduplication;
        self
    }

    /// With this greatest length of the body, in octets.
    #[must_use]
    pub fn max_body(mut self, octets: usize) -> Self {
        self.max_body = octets;
        self
    }

    /// With so many calls at once.
    #[must_use]
    pub fn concurrency(mut self, n: NonZeroU32) -> Self {
        self.concurrency = n;
        self
    }

    /// Connecting so.
    #[must_use]
    pub fn http(mut self, http: HttpOptions) -> Self {
        self.http = http;
        self
    }
}

impl Default for WebhookOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// One endpoint: a URL, which is a secret, and what goes with it.
#[derive(Clone)]
#[non_exhaustive]
pub struct WebhookEndpoint {
    /// Where to post.
    pub url: SecretString,
    /// The secrets, each `whsec_` and base64 of 24 to 64 octets. Every delivery is signed with all of them, and a call back is
    /// good if it is signed with one: so a secret is rotated by holding the old and the new one for a while. None: deliveries are
    /// not signed, and calls back are not understood.
    pub secrets: Vec<SecretString>,
    /// More headers, such as `authorization`: names and secret values.
    pub headers: Vec<(String, SecretString)>,
}

impl WebhookEndpoint {
    /// An endpoint without secret.
    #[must_use]
    pub fn new(url: impl Into<SecretString>) -> Self {
        Self { url: url.into(), secrets: Vec::new(), headers: Vec::new() }
    }

    /// With this secret, beside those there are.
    #[must_use]
    pub fn secret(mut self, secret: impl Into<SecretString>) -> Self {
        self.secrets.push(secret.into());
        self
    }

    /// With this header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<SecretString>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

impl fmt::Debug for WebhookEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookEndpoint")
            .field("secrets", &self.secrets.len())
            .field("headers", &self.headers.len())
            .finish_non_exhaustive()
    }
}
