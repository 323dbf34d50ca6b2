//! relcomm

#[cfg(feature = "email")]
pub mod email;
