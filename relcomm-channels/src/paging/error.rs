//! Why a paging channel cannot be set up.

use crate::http::HttpSetupError;

/// Why a paging channel cannot be set up. No routing key is repeated; endpoints are named as the configuration names them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PagingSetupError {
    /// There is no endpoint.
    #[error("no endpoint is configured")]
    NoEndpoint,
    /// The name of an endpoint cannot be an address.
    #[error("an endpoint's name holds 1 to 512 characters, none of them a control character")]
    Name,
    /// The routing key is not 32 letters and digits.
    #[error("the routing key of endpoint `{endpoint}` is not 32 letters and digits")]
    RoutingKey {
        /// The endpoint.
        endpoint: String,
    },
    /// The base URL is none, or not one that may be called.
    #[error("the base URL cannot be used: {0}")]
    BaseUrl(String),
    /// The client's URL is not an http or https URL.
    #[error("the URL of the client is not an http or https URL")]
    ClientUrl,
    /// The HTTP client cannot be set up.
    #[error(transparent)]
    Http(#[from] HttpSetupError),
}
