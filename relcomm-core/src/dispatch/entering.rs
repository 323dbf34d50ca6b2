//! How the deliveries of a gate that opens begin: on which lane, from when and until when.

use super::{Dispatcher, Record, course_of, course_of_post, times_of};
use crate::clock::Moment;
use crate::course::{Gate, Path};
use crate::id::{LaneNo, StakeholderId};
use crate::journal::{Entrant, Run};
use crate::prepare::{GatePlan, Kept, Roll, share};
use std::collections::BTreeMap;
use std::time::Duration;

/// The runs in which the next deliveries of a gate are entered, and who stands at their ordinals.
pub(crate) struct Chunk {
    pub(crate) runs: Vec<Run>,
    pub(crate) who: Vec<Entrant>,
    pub(crate) to: u32,
    pub(crate) last: bool,
}

/// How many deliveries are entered at a time.
pub(crate) const CHUNK: u32 = 4096;

/// The lane of what cannot be tried.
const NOWHERE: LaneNo = LaneNo(u16::MAX);

/// From when and until when a delivery may be tried.
type Slot = (Moment, Option<Moment>);

impl Chunk {
    /// Adds a delivery that begins so.
    pub(super) fn enter(&mut self, run: Run) {
        match self.runs.last_mut() {
            Some(last) if (last.lane, last.at, last.until) == (run.lane, run.at, run.until) => last.count += 1,
            _ => self.runs.push(run),
        }
        self.to += 1;
    }
}

/// How those begin who share a path.
pub(super) struct Begin {
    pub(super) lane: LaneNo,
    course: Path,
    at: Moment,
    spread: Option<Duration>,
    /// By how much later than the first.
    slots: BTreeMap<Duration, Slot>,
}

impl Begin {
    /// How something begins that cannot be tried.
    pub(super) fn nowhere(at: Moment) -> (LaneNo, Slot) {
        (NOWHERE, (at, None))
    }

    pub(super) fn slot(&mut self, ordinal: u32) -> Slot {
        let Self { course, at, spread, slots, .. } = self;
        let later = spread.map_or(Duration::ZERO, |spread| share(spread, ordinal));
        *slots.entry(later).or_insert_with(|| {
            // Spread over its hours: what is due at night is not all due at once in the morning.
            let at = if later.is_zero() { *at } else { course.hours.pass(*at, later).unwrap_or(*at) };
            course.slot(0, at)
        })
    }
}

impl Dispatcher {
    /// The next deliveries of a gate from `cursor` on.
    pub(crate) fn chunk(&self, record: &Record, plan: &GatePlan, roll: &Roll, state: &Gate, cursor: u32) -> Chunk {
        let opened = state.opened.unwrap_or(Moment::MIN);
        let mut paths: BTreeMap<u16, Begin> = BTreeMap::new();
        let to = roll.len().min(cursor.saturating_add(CHUNK));
        let mut chunk = Chunk { runs: Vec::new(), who: Vec::new(), to: cursor, last: to == roll.len() };
        let keeps = self.prepared.is_corrected(plan);
        let posts = if keeps { roll.kept_posts() } else { Vec::new() };
        for ordinal in cursor..to {
            let (lane, (at, until), who, kept) = if roll.posts().get(ordinal as usize).is_some() {
                let begins = self.post_begins(record, plan, roll, opened, ordinal);
                let (lane, slot) = begins.unwrap_or_else(|| Begin::nowhere(opened));
                (lane, slot, None, posts.get(ordinal as usize).cloned().map(Kept::Post))
            } else {
                let Some((person, path)) = roll.member(ordinal) else { continue };
                let begin = paths.entry(path).or_insert_with(|| self.begins(record, plan, roll, opened, path));
                let who = self.prepared.people().at(person).and_then(|who| StakeholderId::new(who.id()).ok());
                let kept = roll.path(path).filter(|_| keeps).and_then(|path| self.prepared.keep_member(person, path));
                (begin.lane, begin.slot(ordinal), who, kept)
            };
            chunk.enter(Run::new(1, 0, lane, at, until));
            chunk.who.push(Entrant::new(who).kept(kept.and_then(|kept| kept.text())));
        }
        chunk
    }

    pub(super) fn begins(&self, record: &Record, plan: &GatePlan, roll: &Roll, opened: Moment, path: u16) -> Begin {
        let Some(path) = roll.path(path) else {
            let course = Path::new(crate::receipt::Assurance::Accepted, Vec::new());
            return Begin { lane: NOWHERE, course, at: opened, spread: None, slots: BTreeMap::new() };
        };
        let times = times_of(self, record, plan, path, path.zone);
        let course = course_of(self, record, plan, path);
        let first = course.steps.first();
        Begin {
            lane: first.map_or(NOWHERE, |step| step.lane),
            at: times.at.unwrap_or(opened).max(opened),
            // What all share goes out once.
            spread: times.spread.filter(|_| first.is_some_and(|step| !step.is_shared)),
            course,
            slots: BTreeMap::new(),
        }
    }

    /// `None` for a post whose mechanism has no lane.
    pub(super) fn post_begins(
        &self,
        record: &Record,
        plan: &GatePlan,
        roll: &Roll,
        opened: Moment,
        ordinal: u32,
    ) -> Option<(LaneNo, Slot)> {
        let path = roll.path(roll.posts().get(ordinal as usize)?.path)?;
        let course = course_of_post(self, record, plan, roll, ordinal)?;
        let times = times_of(self, record, plan, path, super::zone_of_post(self, path));
        let lane = course.steps.first()?.lane;
        Some((lane, course.slot(0, times.at.unwrap_or(opened).max(opened))))
    }
}
