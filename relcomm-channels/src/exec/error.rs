//! Why a program cannot be a channel, and what its mishaps come to.

use relcomm_core::channel::{ChannelError, ErrorKind, Retry, Scope};
use std::io;

/// Why a program cannot be a channel.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecSetupError {
    /// It could not be asked what it is.
    #[error("the program cannot be asked what it is: {0}")]
    Describe(ChannelError),
    /// What it says of itself is not understood.
    #[error("what the program says of itself is not understood: {0}")]
    Description(String),
    /// The name of a variable cannot be one.
    #[error("a variable's name holds neither `=` nor NUL and is not empty")]
    Variable,
}

/// What ended a call before the program had answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mishap {
    /// It could not be started.
    NotStarted(io::ErrorKind),
    /// It ended, or closed its output. With its exit code or signal, if there is one.
    Died(Option<String>),
    /// It said what the protocol does not know; with the rule that it broke.
    Breach(&'static str),
    /// Its time is up.
    Late,
    /// The engine called it off.
    CalledOff,
}

impl From<Mishap> for ChannelError {
    /// What that comes to for whoever has not crossed; who has may have been sent to.
    fn from(mishap: Mishap) -> Self {
        let error = |kind, words: &str| Self::new(kind, words).scope(Scope::Message);
        match mishap {
            Mishap::NotStarted(why) => {
                let for_good = matches!(
                    why,
                    io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput
                );
                let (kind, retry) = if for_good {
                    (ErrorKind::Configuration, Retry::Never)
                } else {
                    (ErrorKind::Internal, Retry::Backoff)
                };
                Self::new(kind, format!("the program cannot be started: {why}")).scope(Scope::Channel).retry(retry)
            }
            Mishap::Died(how) => {
                let died = error(ErrorKind::Unavailable, "the program ended before it had answered");
                let died = died.retry(Retry::Backoff);
                match how {
                    Some(how) => died.code(how),
                    None => died,
                }
            }
            Mishap::Breach(rule) => error(ErrorKind::Protocol, &format!("the program broke the protocol: {rule}")),
            Mishap::Late => error(ErrorKind::Timeout, "the program had not answered in time").retry(Retry::Backoff),
            Mishap::CalledOff => error(ErrorKind::Cancelled, "called off before it began").retry(Retry::Backoff),
        }
    }
}
