//! How a far side can fail, and what a channel must make of it.

use relcomm_core::channel::{ErrorKind, Retry, Scope};
use relcomm_core::mechanism::{Capabilities, Deduplication};
use std::fmt;
use std::time::Duration;

/// The wait that [`Fault::BusyFor`] and [`Fault::RateLimitedFor`] ask for.
pub const WAIT: Duration = Duration::from_secs(7);

/// A way in which a far side fails one call. What the channel must make of each stands beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// No connection comes about: *not sent*, of the endpoint or the channel, later.
    Unreachable,
    /// It falls silent while it certainly has nothing of the message: *not sent*, a time-out, later.
    StallEarly,
    /// It cuts the connection while it certainly has nothing of the message: *not sent*, later.
    CutEarly,
    /// It is given the message, keeps nothing and never answers: *maybe sent*, since nobody can know, a time-out, later.
    Stall,
    /// It takes the message over and never answers: *maybe sent*, a time-out, later.
    StallAccepted,
    /// It is given the message, keeps nothing and cuts the connection: *maybe sent*, later.
    Cut,
    /// It takes the message over and cuts the connection before it answers: *maybe sent*, later.
    LoseAnswer,
    /// It takes the message over, and its answer breaks off: accepted, if enough of it came, or *maybe sent*.
    TruncatedAnswer,
    /// It takes the message over and answers in pieces: accepted.
    SlowAnswer,
    /// What it answers is none of its protocol: *maybe sent*, a fault of the protocol.
    Garbage,
    /// It fails inside, and whether it kept the message is not said: *maybe sent*, unless it recognises a repeat; later.
    Crashed,
    /// It refuses what the message says: *not sent*, of the message, never.
    RejectContent,
    /// It refuses the message for its size: *not sent*, of the message, never.
    TooLarge,
    /// It refuses the credentials: *not sent*, of the endpoint or the channel, never.
    BadCredentials,
    /// It has no time now: *not sent*, later.
    Busy,
    /// It has no time for the next [`WAIT`]: *not sent*, after that.
    BusyFor,
    /// There were too many calls: *not sent*, later.
    RateLimited,
    /// There were too many calls, for the next [`WAIT`]: *not sent*, after that.
    RateLimitedFor,
    /// It points elsewhere: *not sent*, never; what was meant for one must not be taken to another.
    Redirect,
    /// Its answer looks like success and says failure inside: not accepted.
    ErrorInSuccess,
    /// It says on connecting that it takes only a few octets, fewer than any message has: a finding of `verify`, and a refusal.
    SmallLimit,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::Unreachable,
        Self::StallEarly,
        Self::CutEarly,
        Self::Stall,
        Self::StallAccepted,
        Self::Cut,
        Self::LoseAnswer,
        Self::TruncatedAnswer,
        Self::SlowAnswer,
        Self::Garbage,
        Self::Crashed,
        Self::RejectContent,
        Self::TooLarge,
        Self::BadCredentials,
        Self::Busy,
        Self::BusyFor,
        Self::RateLimited,
        Self::RateLimitedFor,
        Self::Redirect,
        Self::ErrorInSuccess,
        Self::SmallLimit,
    ];

    /// Whether the channel can learn of it only by the end of its time.
    pub(super) fn is_silence(self) -> bool {
        matches!(self, Self::StallEarly | Self::Stall | Self::StallAccepted)
    }

    /// Whether the far side has the message all the same.
    pub(super) fn keeps_message(self) -> bool {
        matches!(self, Self::StallAccepted | Self::LoseAnswer | Self::TruncatedAnswer | Self::SlowAnswer)
    }

    /// What a channel with these capabilities must make of it.
    pub(super) fn expected(self, can: &Capabilities) -> Expected {
        use ErrorKind as K;
        let anywhere = [Scope::Recipient, Scope::Message, Scope::Endpoint, Scope::Channel].as_slice();
        let wide = [Scope::Endpoint, Scope::Channel].as_slice();
        let broken = [K::Connect, K::Protocol, K::Unavailable].as_slice();
        let one = |kinds, scopes, effect, again| Expected { kinds, scopes, effect, again, or_accepted: false };
        match self {
            Self::Unreachable => one(&[K::Connect, K::Unavailable, K::Timeout], wide, Sent::No, Again::Later),
            Self::StallEarly => one(&[K::Timeout], anywhere, Sent::No, Again::Later),
            Self::CutEarly => one(broken, anywhere, Sent::No, Again::Later),
            Self::Stall | Self::StallAccepted => one(&[K::Timeout], anywhere, Sent::Maybe, Again::Later),
            Self::Cut | Self::LoseAnswer => one(broken, anywhere, Sent::Maybe, Again::Later),
            Self::TruncatedAnswer => {
                Expected { or_accepted: true, ..one(broken, anywhere, Sent::Maybe, Again::Whatever) }
            }
            Self::SlowAnswer => Expected { or_accepted: true, ..one(&[], &[], Sent::Either, Again::Whatever) },
            Self::Garbage => one(&[K::Protocol], anywhere, Sent::Maybe, Again::Whatever),
            Self::Crashed => {
                let effect = if can.deduplication == Deduplication::ByKey { Sent::Either } else { Sent::Maybe };
                one(&[K::Unavailable, K::Internal], anywhere, effect, Again::Later)
            }
            Self::RejectContent => {
                one(&[K::ContentRejected, K::Policy, K::Unsupported], &[Scope::Message], Sent::No, Again::Never)
            }
            Self::TooLarge | Self::SmallLimit => one(&[K::TooLarge], &[Scope::Message], Sent::No, Again::Never),
            Self::BadCredentials => one(&[K::Authentication], wide, Sent::No, Again::Never),
            Self::Busy => one(&[K::Unavailable], anywhere, Sent::No, Again::Later),
            Self::BusyFor => one(&[K::Unavailable], anywhere, Sent::No, Again::After(WAIT)),
            Self::RateLimited => one(&[K::RateLimited, K::Quota], anywhere, Sent::No, Again::Later),
            Self::RateLimitedFor => one(&[K::RateLimited, K::Quota], anywhere, Sent::No, Again::After(WAIT)),
            Self::Redirect => one(&[K::Policy, K::Configuration, K::EndpointGone], anywhere, Sent::No, Again::Never),
            Self::ErrorInSuccess => one(&[], anywhere, Sent::Either, Again::Whatever),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// What a channel must make of a fault. No kinds: whatever kind.
pub(super) struct Expected {
    pub(super) kinds: &'static [ErrorKind],
    pub(super) scopes: &'static [Scope],
    pub(super) effect: Sent,
    pub(super) again: Again,
    pub(super) or_accepted: bool,
}

/// Whether the message may be out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    No,
    Maybe,
    Either,
}

/// When another try makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    Never,
    Later,
    After(Duration),
    Whatever,
}

impl Again {
    pub(super) fn fits(self, retry: Retry) -> bool {
        match self {
            Self::Never => retry == Retry::Never,
            Self::Later => retry != Retry::Never,
            Self::After(wait) => retry == Retry::After(wait),
            Self::Whatever => true,
        }
    }
}

/// What a far side does in a trial: it takes `spared` calls over, fails the next one, and works again. A far side that cannot be reached,
/// or announces a small limit, is so all the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plot {
    fault: Option<Fault>,
    spared: u32,
}

impl Plot {
    /// It takes over whatever comes, but for the address that it refuses.
    #[must_use]
    pub const fn well() -> Self {
        Self { fault: None, spared: 0 }
    }

    /// It fails the first call so.
    #[must_use]
    pub const fn failing(fault: Fault) -> Self {
        Self { fault: Some(fault), spared: 0 }
    }

    /// It takes this many calls over first.
    #[must_use]
    pub const fn after(mut self, calls: u32) -> Self {
        self.spared = calls;
        self
    }

    /// How it fails, if it does.
    #[must_use]
    pub const fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// How many calls it takes over before it fails.
    #[must_use]
    pub const fn spared(&self) -> u32 {
        self.spared
    }
}

/// The far side of a fixture has no way to fail so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CannotShow(String);

impl CannotShow {
    /// With the reason, which the report gives: `SMTP has no redirections`.
    #[must_use]
    pub fn because(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}
