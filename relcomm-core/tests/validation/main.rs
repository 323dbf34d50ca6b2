//! What validation finds, and where.

mod cases;
mod catalogue;
mod examples;
mod hosts;
mod plans;
mod resolved;
mod support;
