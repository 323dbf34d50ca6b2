//! The course of a dispatch: three pure machines and the record of the plan as a whole.
//!
//! Each machine is three pure functions: *decide* what follows from an input, as facts; *apply* a fact, the only mutation; and
//! what comes next (what is ready, when a timer is due). Facts carry absolute times, so a state is the fold of its stored facts,
//! whatever the policy is by then. A test compares the tables below with this code.
//!
#![doc = include_str!("TABLES.md")]

mod policy;
mod rule;
mod delivery;
mod gate;
mod lane;
mod head;

pub use delivery::{Delivery, DeliveryFact, DeliveryInput, End, Leg, Shut, Stage, Waiting};
pub(crate) use gate::stands;
pub use gate::{Closed, Dependence, Gate, GateFact, GateInput, Phase, Verdict};
pub use head::{Approval, Digests, Erased, Head, HeadFact, PlaceRecord, Slip};
pub use lane::{Lane, LaneFact, LaneInput};
pub use policy::{Finish, Path, PathStep, Retries, judge};
pub use rule::{Embargo, GateRule, Remedy};

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// The facts that follow from one input.
pub type Facts<F> = SmallVec<[F; 2]>;

/// A dispatcher's session in one journal. An attempt that is flying under a dead session has an unknown outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionNo(pub u64);
