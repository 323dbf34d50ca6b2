//! relcomm

pub mod clock;
pub mod contract;
pub mod peer;
