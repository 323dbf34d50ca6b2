//! Contract suites: what every journal must do, clause by clause. An implementation proves itself by running them.

pub mod journal;
