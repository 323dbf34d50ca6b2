//! Plans: the file that people write, and the plan that is valid by construction.

mod finding;
mod people;
mod valid;

pub use finding::{Finding, Position, Severity};
pub use people::{People, TooManyPeople};
pub use valid::{Approvals, Need, OwnMechanism, Plan};
