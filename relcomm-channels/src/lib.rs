//! Channels for relcomm: each carries one mechanism, or several, and each is a cargo feature of its own.
//!
//! | module and feature | carries | proves at most | a repeat at the far side |
//! | --- | --- | --- | --- |
#![cfg_attr(
    feature = "email",
    doc = "| [`email`] | mail submission over SMTP; delivery reports from a Maildir | *delivered* | is a second copy |"
)]
#![cfg_attr(
    feature = "webhook",
    doc = "| [`webhook`] | CloudEvents 1.0, signed by Standard Webhooks 1.0.0 | *acknowledged*, by signed calls back | is recognised, if the receiver honours keys |"
)]
#![cfg_attr(
    feature = "paging",
    doc = "| [`paging`] | PagerDuty, Events API v2 | *accepted* | is the same alert while it is open |"
)]
#![cfg_attr(
    feature = "manual",
    doc = "| [`manual`] | a task for a person | what the person attests | is the same task |"
)]
#![cfg_attr(
    feature = "exec",
    doc = "| [`exec`] | what a program of your own does, in any language | what the program describes | is what the program describes |"
)]
//!
//! All features are on by default; without any, the crate is empty. TLS is rustls with ring.
//!
//! Every module has the same parts: the channel itself, its `options`, its `error`s, and what goes over the `wire`. No channel retries:
//! every try is the engine's, and journaled. To write one, implement [`Channel`](relcomm_core::Channel).
//!
//! Bind one to a mechanism with [`ChannelSet::with`](relcomm_core::ChannelSet::with), and one whose addresses name endpoints (webhook, paging)
//! with [`ChannelSet::with_endpoints`](relcomm_core::ChannelSet::with_endpoints). Each endpoint then has a lane of its own: one that refuses
//! its credentials, or asks to be called less often, stops no other.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "email", feature = "webhook", feature = "paging"))]
mod dial;
#[cfg(feature = "email")]
pub mod email;
#[cfg(feature = "exec")]
pub mod exec;
#[cfg(any(feature = "webhook", feature = "paging"))]
pub mod http;
#[cfg(feature = "manual")]
pub mod manual;
#[cfg(feature = "paging")]
pub mod paging;
#[cfg(feature = "webhook")]
pub mod webhook;
