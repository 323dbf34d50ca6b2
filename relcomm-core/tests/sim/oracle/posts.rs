//! What is posted once for all who share it.

use super::calendar::{At, Hours, zone};
use super::roll::Way;
use super::tries::Slot;
use super::{Gate, Oracle};
use crate::model::{Answer, Communique, Mech, Repeats};
use crate::plans;

/// What became of a post that is shared.
#[derive(Clone, Copy, Debug)]
pub(super) enum Post {
    Took(At),
    Refused(At),
    Unknown,
    Expired,
    /// It never goes out.
    Waits,
    Unclear,
}

impl Oracle<'_> {
    /// Whether two are told in the same words at the same time.
    fn reads_alike(&self, of: &Communique, one: &Way, other: &Way) -> bool {
        let apart = |way: &Way| way.variant.filter(|group| of.variants[group].text || of.variants[group].at.is_some());
        (one.language, one.lists_second, apart(one)) == (other.language, other.lists_second, apart(other))
    }

    /// What becomes of a post: that of the first who shares it.
    pub(super) fn post(&self, gate: &Gate, mech: Mech, own: &Way, opened: At) -> Post {
        let of = self.of(gate);
        let mut first = None;
        let mut seen = Vec::new();
        'found: for group in &of.to {
            for who in self.case.people.iter().filter(|p| p.groups.contains(group) && self.concerns(gate, p)) {
                if seen.contains(&&who.id) || who.through.is_some() {
                    continue;
                }
                seen.push(&who.id);
                if self.is_exempt(gate, who) {
                    continue;
                }
                let way = self.way(gate, who);
                if self.reads_alike(of, &way, own) && way.steps.iter().any(|s| s.via == mech) {
                    first = Some(way);
                    break 'found;
                }
            }
        }
        let Some(mut way) = first else { return Post::Unclear };
        // It goes by the hours of its group's zone, whoever shares it.
        let zone = self.case.group(way.group).zone.map_or(self.zone, zone);
        let time = self.time(of, gate, way.variant);
        way.zone = zone;
        way.hours = Hours::default();
        if !of.urgent {
            way.hours.0.extend(time.between.map(|window| (window, if time.theirs { zone } else { self.zone })));
            way.hours.0.extend(self.case.group(way.group).between.map(|window| (window, zone)));
        }
        let Some(begins) = self.begins(gate, &way, opened) else { return Post::Unclear };
        let name = self.name(gate);
        let at = match self.slot(gate, &way.hours, begins, self.not_after(gate, &way, opened)) {
            Slot::At(at) => at,
            Slot::Expired(_) => return Post::Expired,
            Slot::Never => return Post::Waits,
            Slot::Unclear => return Post::Unclear,
        };
        let manner = plans::manner(self.case, &name, "all", mech);
        let holds = !self.resends(gate, mech) && mech.repeats() == Repeats::None;
        if (holds || manner.answer == Answer::Never) && self.is_cut(&name, None, mech, at) {
            return Post::Unclear;
        }
        if !self.is_calm(gate, &way.hours, at, &manner, self.not_after(gate, &way, opened)) {
            return Post::Unclear;
        }
        match manner.answer {
            Answer::Refuses => Post::Refused(at.vague(self.noise)),
            Answer::Never => Post::Refused(at.vague(self.noise + self.retries)),
            Answer::Takes { after, .. } => Post::Took(at.vague(self.noise + if after > 0 { self.retries } else { 0 })),
            Answer::Lost { .. } | Answer::Hangs { .. } if self.resends(gate, mech) => {
                Post::Took(at.vague(self.noise + self.retries))
            }
            Answer::Lost { .. } | Answer::Hangs { .. } => Post::Unknown,
        }
    }
}
