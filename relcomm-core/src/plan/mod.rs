//! Plans: the file that people write, and the plan that is valid by construction.

mod finding;
mod members;
mod people;
mod sources;
mod valid;

pub use finding::{Finding, Position, Severity};
pub use people::{People, TooManyPeople};
pub use sources::{HeldFiles, PlanDir, Sources};
pub use valid::{Approvals, Need, OwnMechanism, Plan};
