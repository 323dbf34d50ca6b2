//! Contract suites: what every channel and every journal must do, clause by clause. An implementation proves itself by running them.

pub mod channel;
pub mod journal;
