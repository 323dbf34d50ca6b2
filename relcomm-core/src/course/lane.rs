//! The lane: one channel's health. A wrong password or a 429 for all must not burn everyone's tries, nor push everyone to the
//! next step.

use super::policy::Retries;
use crate::channel::ErrorKind;
use crate::clock::Moment;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The state of a lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lane {
    /// It works, as far as is known.
    #[default]
    Up,
    /// It is left alone for a while.
    Down {
        /// Until then.
        until: Moment,
        /// How many faults in a row.
        faults: u8,
    },
    /// One attempt is let through to see whether it works again.
    Probing {
        /// How many faults in a row before.
        faults: u8,
    },
    /// It will not work before somebody mends it: wrong credentials or configuration.
    Barred {
        /// What it was.
        kind: ErrorKind,
    },
}

/// What happens to a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LaneInput {
    /// An attempt showed that it works, or that the fault lay with the recipient.
    Works,
    /// An attempt says nothing about it.
    Idle,
    /// The endpoint or channel failed; the far side may have said how long to wait.
    Fault(Option<Duration>),
    /// It will not work before somebody mends it.
    Bar(ErrorKind),
    /// Time has passed.
    Tick,
    /// A run begins, and of this lane nobody can say whether it is mended: one attempt shows it.
    Try,
    /// Verification passed, or a person says that it is mended.
    Mended,
}

/// What becomes of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LaneFact {
    /// It went down.
    Down {
        /// Until then.
        until: Moment,
        /// How many faults in a row.
        faults: u8,
    },
    /// It is probed.
    Probing,
    /// It works again.
    Up,
    /// It is barred.
    Barred {
        /// Why.
        kind: ErrorKind,
    },
}

impl Lane {
    /// What follows from an input.
    #[must_use]
    pub fn decide(&self, retries: &Retries, input: &LaneInput, now: Moment) -> Option<LaneFact> {
        let down = |faults: u8, after: Option<Duration>| {
            let faults = faults.saturating_add(1);
            Some(LaneFact::Down { until: now + retries.wait(faults).max(after.unwrap_or_default()), faults })
        };
        match (*self, *input) {
            (_, LaneInput::Idle) => None,
            (Self::Barred { .. }, LaneInput::Mended) => Some(LaneFact::Up),
            (Self::Barred { .. }, LaneInput::Try) => Some(LaneFact::Probing),
            (_, LaneInput::Try) => None,
            (Self::Barred { .. }, _) => None,
            (_, LaneInput::Bar(kind)) => Some(LaneFact::Barred { kind }),
            (Self::Up, LaneInput::Fault(after)) => down(0, after),
            (Self::Probing { faults }, LaneInput::Fault(after)) => down(faults, after),
            // Others that were in flight when it went down add nothing, unless the far side asks for more time.
            (Self::Down { until, faults }, LaneInput::Fault(Some(after))) if now + after > until => {
                Some(LaneFact::Down { until: now + after, faults })
            }
            (Self::Down { .. }, LaneInput::Fault(_)) => None,
            (Self::Down { until, .. }, LaneInput::Tick) if now >= until => Some(LaneFact::Probing),
            (Self::Down { .. } | Self::Up | Self::Probing { .. }, LaneInput::Tick) => None,
            (Self::Probing { .. }, LaneInput::Works | LaneInput::Mended) => Some(LaneFact::Up),
            (Self::Down { .. }, LaneInput::Mended) => Some(LaneFact::Up),
            // A success that was in flight when the lane went down does not lift the far side's own wait.
            (Self::Down { .. } | Self::Up, LaneInput::Works) | (Self::Up, LaneInput::Mended) => None,
        }
    }

    /// Takes a fact; the only mutation.
    pub fn apply(&mut self, fact: &LaneFact) {
        *self = match *fact {
            LaneFact::Down { until, faults } => Self::Down { until, faults },
            LaneFact::Probing => {
                Self::Probing { faults: if let Self::Down { faults, .. } = *self { faults } else { 0 } }
            }
            LaneFact::Up => Self::Up,
            LaneFact::Barred { kind } => Self::Barred { kind },
        };
    }

    /// How many attempts may fly at once, out of `most`.
    #[must_use]
    pub fn permits(&self, most: u32) -> u32 {
        match self {
            Self::Up => most,
            Self::Probing { .. } => most.min(1),
            Self::Down { .. } | Self::Barred { .. } => 0,
        }
    }

    /// When it next changes by itself.
    #[must_use]
    pub fn timer(&self) -> Option<Moment> {
        if let Self::Down { until, .. } = self { Some(*until) } else { None }
    }
}
