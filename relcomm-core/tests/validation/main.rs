//! What validation finds, and where.

mod cases;
mod catalogue;
mod deployments;
mod every_key;
mod examples;
mod hosts;
mod plans;
mod resolved;
mod support;
