//! Plans: the file that people write, its draft, and the plan that is valid by construction.

pub mod source;
pub mod time;
pub mod draft;
mod excerpt;
mod finding;
mod findings;
mod params;
mod people;
mod schema;
mod directory;
mod sources;
mod members;
mod texts;
mod embargo;
mod valid;
mod reach;
pub(crate) mod resolve;

pub use directory::{Condition, Directory, DirectoryError, MemberRecord, Predicate};
pub use draft::PlanDraft;
pub use embargo::Embargo;
pub(crate) use embargo::lies_within;
pub(crate) use excerpt::visible;
pub use finding::{Finding, Position, Severity};
pub use findings::{Findings, MOST_FINDINGS, key_path};
pub use params::Settings;
pub(crate) use people::Led;
pub use people::{People, StakeholderRef, TooManyPeople};
pub use schema::{json_schema, json_schema_of};
pub use source::Source;
pub use sources::{HeldFiles, Hosted, PlanDir, Sources};
pub use texts::{Part, Text};
pub(crate) use valid::RESPONSIBLE;
pub use valid::{Approvals, Need, OwnMechanism, Plan};

pub(crate) use findings::listed;
pub(crate) use members::Origins;
pub(crate) use reach::{Escalations, Reached};
pub(crate) use texts::text_path;
