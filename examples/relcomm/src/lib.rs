//! The `relcomm` command as a library: the reference embedding of relcomm-core.
//!
//! | module | holds |
//! | --- | --- |
//! | [`arguments`] | the command line |
//! | [`deployment`] | the channels file: which channel carries which mechanism, and where secrets are |
//! | [`exit`] | exit codes, and what leads to them |
//! | [`load`] | from the file on the command line to a plan or a bundle |
//! | [`record`] | where the journal is, and opening it |
//! | [`sandbox`] | loopback peers, a clock that jumps, stand-in people |
//! | [`verbs`] | what each verb does |

pub mod arguments;
pub mod deployment;
pub mod exit;
pub mod load;
pub mod record;
pub mod sandbox;
pub mod verbs;

pub use exit::{Exit, Failure};
