//! What validation finds, and where.

mod careful;
mod cases;
mod catalogue;
mod deployments;
mod every_key;
mod examples;
mod hosts;
mod pages;
mod plans;
mod resolved;
mod support;
