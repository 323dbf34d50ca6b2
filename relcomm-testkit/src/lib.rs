//! Doubles, a virtual clock, loopback peers and contract suites for relcomm plans, channels and journals.

pub mod clock;
pub mod channel;
pub mod peer;
pub mod contract;
