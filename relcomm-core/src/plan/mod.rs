//! Plans: the file that people write, its draft, and the plan that is valid by construction.

pub mod source;
pub mod time;
pub mod draft;
mod finding;
mod params;
mod people;
mod schema;
mod valid;

pub use draft::PlanDraft;
pub use finding::{Finding, Position, Severity};
pub use params::Settings;
pub use people::{People, TooManyPeople};
pub use schema::json_schema;
pub use valid::{Approvals, Need, OwnMechanism, Plan};
