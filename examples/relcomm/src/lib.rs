//! The `relcomm` command as a library: the reference embedding of relcomm-core.
//!
//! The verbs stand in [`verbs`], the deployment's configuration in [`deployment`], the sandbox in [`sandbox`].

pub mod arguments;
pub mod deployment;
pub mod exit;
pub mod load;
pub mod record;
pub mod sandbox;
pub mod verbs;

pub use exit::{Exit, Failure};
