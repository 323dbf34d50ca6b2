//! The plan of the examples, made fit for servers on loopback, and the command that carries it out.

mod command;
mod plan;

pub(crate) use command::{Ended, Relcomm};
pub(crate) use plan::{DOMAIN, Live};
