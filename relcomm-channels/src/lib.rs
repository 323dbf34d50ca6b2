//! Channels for relcomm: each carries one mechanism, and each is a cargo feature of its own.

#[cfg(feature = "email")]
pub mod email;
#[cfg(any(feature = "webhook", feature = "paging"))]
pub mod http;
#[cfg(feature = "manual")]
pub mod manual;
#[cfg(feature = "paging")]
pub mod paging;
#[cfg(feature = "webhook")]
pub mod webhook;
