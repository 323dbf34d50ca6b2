//! Why a webhook channel cannot be set up.

use crate::http::HttpSetupError;

/// Why a webhook channel cannot be set up. No URL and no secret is repeated; endpoints are named as the configuration names them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookSetupError {
    /// There is no endpoint.
    #[error("no endpoint is configured")]
    NoEndpoint,
    /// The name of an endpoint cannot be an address.
    #[error("an endpoint's name holds 1 to 512 characters, none of them a control character")]
    Name,
    /// The URL is none, or not one that may be called.
    #[error("the URL of endpoint `{endpoint}` cannot be used: {why}")]
    Url {
        /// The endpoint.
        endpoint: String,
        /// What is wrong with it.
        why: String,
    },
    /// The secret is not `whsec_` and base64 of 24 to 64 octets.
    #[error("a secret of endpoint `{endpoint}` is not `whsec_` and base64 of 24 to 64 octets")]
    Secret {
        /// The endpoint.
        endpoint: String,
    },
    /// A header's name or value is not allowed, or the name is one that the channel sets itself.
    #[error("header {number} of endpoint `{endpoint}` is not one that can be set")]
    Header {
        /// The endpoint.
        endpoint: String,
        /// Its place among the headers given, from 1.
        number: usize,
    },
    /// The source is not a URI reference.
    #[error("the source is not a URI reference")]
    Source,
    /// The mechanism is addressed once, and which of several endpoints is meant is not said, or does not exist.
    #[error("which endpoint is the default is not said, or there is none of that name")]
    Default,
    /// The HTTP client cannot be set up.
    #[error(transparent)]
    Http(#[from] HttpSetupError),
}
