//! relcomm

pub mod peer;
