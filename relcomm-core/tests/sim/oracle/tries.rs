//! When attempts are made, and what may come between them.

use super::calendar::{At, Hours};
use super::roll::Way;
use super::{Gate, Oracle};
use crate::model::{Answer, Manner, Mech, Minutes, Repeats};

/// When an attempt that may be made from then on is made.
pub(super) enum Slot {
    At(At),
    Expired(At),
    Never,
    Unclear,
}

impl Oracle<'_> {
    /// The time after which nothing more of it is tried.
    pub(super) fn not_after(&self, gate: &Gate, way: &Way, opened: At) -> Option<Minutes> {
        let end = self.of(gate).not_after.as_ref()?;
        self.instant(gate, end, way.zone, opened.hi, true)
    }

    /// When what may be tried from then on is tried.
    pub(super) fn slot(&self, gate: &Gate, hours: &Hours, at: At, last: Option<Minutes>) -> Slot {
        let mut at = at;
        for _ in 0..6 {
            let open = |m: Minutes| hours.next(m);
            let (Some(lo), Some(hi)) = (open(at.lo), open(at.hi)) else { return Slot::Never };
            // Within a window, or all of it waits for the same one.
            let opened = At { lo, hi };
            if let Some(last) = last {
                match opened.is_by(last) {
                    Some(true) => {}
                    // Nobody looks at what is held, closed or not approved.
                    Some(false) if self.leasable_from(gate, opened.lo) != Some(opened.lo) => return Slot::Unclear,
                    Some(false) => return Slot::Expired(at.max(At::exact(last + 1))),
                    None => return Slot::Unclear,
                }
            }
            let (lo, hi) = (self.leasable_from(gate, opened.lo), self.leasable_from(gate, opened.hi));
            let leased = match (lo, hi) {
                (Some(lo), Some(hi)) => At { lo, hi },
                (None, None) => {
                    // It stays where it is; its time may be over all the same while it is held.
                    return Slot::Never;
                }
                _ => return Slot::Unclear,
            };
            if leased == at {
                return if hours.are_open_through(at) { Slot::At(at) } else { Slot::Unclear };
            }
            at = leased;
        }
        Slot::Unclear
    }

    /// Whether an attempt of which nobody knows was perhaps cut off by a crash. What is decided of one is not of another, where several are
    /// reached by the same.
    pub(super) fn is_cut(&self, gate: &str, who: Option<&str>, mech: Mech, at: At) -> bool {
        let key = (gate.to_owned(), who.map(ToOwned::to_owned), mech);
        let stands_in = |id: &str| self.case.communiques.iter().any(|of| self.case.stand_ins(of).contains(id));
        let is_shared = who.is_some_and(stands_in);
        let hidden = is_shared || !self.cut.decided.contains(&key);
        let slack = self.noise + self.retries;
        self.cut.seen.contains(&key)
            || (hidden && self.cut.deaths.iter().any(|died| at.lo - slack <= *died && *died <= at.hi + slack))
    }

    pub(super) fn resends(&self, gate: &Gate, mech: Mech) -> bool {
        mech.repeats() == Repeats::Key || self.of(gate).resend.unwrap_or(self.case.resend)
    }

    /// Whether nothing comes between an attempt and its last retry.
    pub(super) fn is_calm(&self, gate: &Gate, hours: &Hours, at: At, manner: &Manner, last: Option<Minutes>) -> bool {
        let clean = matches!(manner.answer, Answer::Refuses | Answer::Takes { after: 0, .. });
        let through = at.vague(self.noise + if clean { 0 } else { self.retries });
        let may_hold = |at: Minutes| self.leasable_from(gate, at) == Some(at);
        hours.are_open_through(through)
            && last.is_none_or(|last| through.is_by(last).is_some())
            && (!self.said.changes_within(through)
                || (may_hold(through.lo)
                    && self.said.changes().filter(|c| through.lo <= *c && *c <= through.hi).all(may_hold)))
    }
}
