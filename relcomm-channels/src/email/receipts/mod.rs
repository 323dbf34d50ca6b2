//! Receipts by mail: what delivery reports say, and the mailbox that they come to.

mod dsn;
mod fields;
mod maildir;

pub use dsn::classify;
pub use maildir::Maildir;
