//! How a paging channel is configured.

use crate::http::HttpOptions;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;

/// How grave an event is, in the words of the Events API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Critical.
    Critical,
    /// An error.
    Error,
    /// A warning.
    Warning,
    /// For information.
    #[default]
    Info,
}

/// The settings of a paging channel: its endpoints by name, each with a routing key, and what holds for all of them.
#[derive(Clone)]
#[non_exhaustive]
pub struct PagingOptions {
    /// The routing keys (32 letters and digits) by the names of endpoints that plans use as addresses.
    pub endpoints: BTreeMap<String, SecretString>,
    /// Where the service is. Default: `https://events.pagerduty.com`. A path is kept, for proxies.
    pub base_url: String,
    /// How grave the events are. Default: info.
    pub severity: Severity,
    /// The `source` of the events: the affected system. Default: the product.
    pub source: Option<String>,
    /// The URL that the service shows beside `relcomm` as the origin. Default: none.
    pub client_url: Option<String>,
    /// How many calls may be in flight at once. Default: 2, since the service throttles each routing key.
    pub concurrency: NonZeroU32,
    /// How to connect.
    pub http: HttpOptions,
}

impl PagingOptions {
    /// No endpoints, and the defaults.
    #[must_use]
    pub fn new() -> Self {
        Self {
            endpoints: BTreeMap::new(),
            base_url: "https://events.pagerduty.com".into(),
            severity: Severity::Info,
            source: None,
            client_url: None,
            concurrency: NonZeroU32::MIN.saturating_add(1),
            http: HttpOptions::new(),
        }
    }

    /// With this endpoint; the last one of a name stands.
    #[must_use]
    pub fn endpoint(mut self, name: impl Into<String>, routing_key: impl Into<SecretString>) -> Self {
        self.endpoints.insert(name.into(), routing_key.into());
        self
    }

    /// With the service there.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = url.into();
        self
    }

    /// With events of this gravity.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// With this affected system.
    #[must_use]
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// With this URL of the origin.
    #[must_use]
    pub fn client_url(mut self, url: impl Into<String>) -> Self {
        self.client_url = Some(url.into());
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

impl Default for PagingOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for PagingOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PagingOptions")
            .field("endpoints", &self.endpoints.len())
            .field("severity", &self.severity)
            .field("http", &self.http)
            .finish_non_exhaustive()
    }
}
