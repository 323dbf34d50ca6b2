//! What the channels that speak HTTP share: one guarded client, and one reading of answers and faults.
//!
//! The client follows no redirect, uses no proxy of the environment, keeps no cookies and repeats nothing. It connects to public
//! addresses only, unless the deployment [allows](HttpOptions::allow) others, and trusts the roots of Mozilla's programme and
//! those [added](HttpOptions::ca_pem). No fault that it reports holds a path, a query or a credential: for many services the URL
//! *is* the credential.
//!
//! | answer (RFC 9110) | kind | scope | effect | retry |
//! | --- | --- | --- | --- | --- |
//! | 2xx | accepted, as soon as the head is read | | | |
//! | 3xx | policy | recipient | not sent | never |
//! | 400, 422 | content-rejected | message | not sent | never |
//! | 401, 403 | authentication | endpoint | not sent | never |
//! | 404, 410 | endpoint-gone | recipient | not sent | never |
//! | 413 | too-large | message | not sent | never |
//! | 408 | timeout | recipient | not sent | after, backoff |
//! | 425 | unavailable | recipient | not sent | after, backoff |
//! | 429 | rate-limited | endpoint | not sent | after, backoff |
//! | 503 with `Retry-After` | unavailable | endpoint | not sent | after |
//! | 503 | unavailable | recipient | not sent | backoff |
//! | 500, 502, 504, other 5xx | unavailable | recipient | not sent if the receiver honours keys, else maybe sent | after, backoff |
//! | 501, 505, other 4xx | unsupported | recipient | not sent | never |
//! | no connection, no such name | connect | endpoint | not sent | backoff |
//! | no TLS | tls | endpoint | not sent | backoff |
//! | an address that is not allowed | policy | endpoint | not sent | never |
//! | no answer in time | timeout | recipient | maybe sent | backoff |
//! | the connection breaks, or the answer is no HTTP | protocol | recipient | maybe sent | backoff |
//!
//! *After* is the wait that `Retry-After` asks for, at most 24 hours.

mod answer;
mod client;
mod guard;
mod reach;

use std::time::Duration;

pub(crate) use self::answer::{Answer, Reading, refusal};
pub(crate) use self::client::{Call, HttpClient};
pub use self::guard::{Allowed, BadAllowed};

/// How an HTTP channel connects.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HttpOptions {
    /// What may be reached though it is not public. Default: nothing.
    pub allow: Vec<Allowed>,
    /// Certificates (PEM, one or more) trusted beside the public roots. Default: none.
    pub ca_pem: Option<String>,
    /// How long name look-up, connection and TLS handshake may take together; held to half of the time of a call, so that a
    /// connection that does not come about is known to have sent nothing. Default: 10 s.
    pub connect_timeout: Duration,
    /// How long one call may take. Default: 30 s, the upper end of what
    /// [Standard Webhooks](https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md) advises.
    pub timeout: Duration,
}

impl HttpOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self {
            allow: Vec::new(),
            ca_pem: None,
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(30),
        }
    }

    /// Lets this be reached too.
    #[must_use]
    pub fn allow(mut self, allowed: Allowed) -> Self {
        self.allow.push(allowed);
        self
    }

    /// Trusts these certificates too.
    #[must_use]
    pub fn ca_pem(mut self, pem: impl Into<String>) -> Self {
        self.ca_pem = Some(pem.into());
        self
    }

    /// With this bound on connecting.
    #[must_use]
    pub fn connect_timeout(mut self, bound: Duration) -> Self {
        self.connect_timeout = bound;
        self
    }

    /// With this bound on one call.
    #[must_use]
    pub fn timeout(mut self, bound: Duration) -> Self {
        self.timeout = bound;
        self
    }
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// Why an HTTP client cannot be set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpSetupError {
    /// The added certificates are not PEM, or there is none in them.
    #[error("the added certificates cannot be read as PEM")]
    Certificates,
    /// The TLS library refused its configuration.
    #[error("the transport's security cannot be set up")]
    Tls,
    /// The client could not be built.
    #[error("the HTTP client cannot be built")]
    Client,
}
