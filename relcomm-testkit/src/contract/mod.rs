//! Contract suites: what every channel, every journal and every source of receipts must do, clause by clause. An implementation proves
//! itself by running them.

pub mod channel;
pub mod journal;
mod report;
pub mod source;

pub use report::{ClauseReport, ContractReport, Verdict};
