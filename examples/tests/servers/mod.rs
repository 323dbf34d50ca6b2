//! Servers that no one here wrote, and a receiver in a process of its own, started for one test and stopped with it.

pub(crate) mod certificate;
pub(crate) mod dovecot;
pub(crate) mod postfix;
pub(crate) mod receiver;
mod process;

pub(crate) use process::{Missing, root_and_programs, until};
