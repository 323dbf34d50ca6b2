//! What a gate is told by the plan.

use crate::clock::Moment;
use crate::release::Outcome;
use std::time::Duration;

/// What is done with a gate that is blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// A person is asked.
    Ask,
    /// It goes out all the same.
    Proceed,
    /// It is closed.
    Close,
}

/// What the plan says of a gate, with every time that is known by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GateRule {
    /// The outcome for which it is meant.
    pub outcome: Outcome,
    /// Whether it waits for a declaration.
    pub awaits_declaration: bool,
    /// When it is due; `None` while its anchor is undetermined.
    pub due: Option<Moment>,
    /// The time after which it does not open.
    pub not_after: Option<Moment>,
    /// How many dependencies it has.
    pub dependencies: u8,
    /// Which they are, as a number that other dependencies do not have.
    pub awaits: u64,
    /// Whether somebody must be informed whom nobody can reach, and nobody has accepted that.
    pub gap: bool,
    /// Whether it is a revision, which goes out only when it is called.
    pub revision: bool,
    /// What is done once what it waits for could not be reached for so long.
    pub if_blocked: Option<(Duration, Remedy)>,
    /// What an embargo says of it: it tells what is classified to groups that are not cleared, or is due when the embargo ends.
    pub embargo: Option<Embargo>,
    /// When the clock, which has jumped, will have proved stable. Until then it neither ends an embargo nor makes anything expire.
    pub unsteady: Option<Moment>,
}

/// Until when an embargo holds a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Embargo {
    /// Until then.
    Until(Moment),
    /// That is not known yet.
    Undetermined,
    /// The release has failed: until a person lifts it.
    Lift,
}

impl GateRule {
    /// A gate for success, that waits for its declaration, with this due time and so many dependencies.
    #[must_use]
    pub fn new(due: Option<Moment>, dependencies: u8) -> Self {
        Self {
            outcome: Outcome::Success,
            awaits_declaration: true,
            due,
            not_after: None,
            dependencies,
            awaits: 0,
            gap: false,
            revision: false,
            if_blocked: None,
            embargo: None,
            unsteady: None,
        }
    }
}
