//! How the deliveries of a gate that opens begin: on which lane, from when and until when.

use super::{Dispatcher, Record, course_of, course_of_post, times_of};
use crate::clock::Moment;
use crate::course::{Gate, Path};
use crate::id::{LaneNo, StakeholderId};
use crate::journal::Run;
use crate::prepare::{GatePlan, Roll, share};
use std::collections::BTreeMap;
use std::time::Duration;

/// The runs in which the next deliveries of a gate are entered, and who stands at their ordinals.
pub(crate) struct Chunk {
    pub(crate) runs: Vec<Run>,
    pub(crate) who: Vec<Option<StakeholderId>>,
    pub(crate) to: u32,
    pub(crate) last: bool,
}

/// How many deliveries are entered at a time.
pub(crate) const CHUNK: u32 = 4096;

/// The lane of what cannot be tried.
const NOWHERE: LaneNo = LaneNo(u16::MAX);

/// From when and until when a delivery may be tried.
type Slot = (Moment, Option<Moment>);

/// How those begin who share a path.
struct Begin {
    lane: LaneNo,
    course: Path,
    at: Moment,
    spread: Option<Duration>,
    /// By how much later than the first.
    slots: BTreeMap<Duration, Slot>,
}

impl Begin {
    fn slot(&mut self, ordinal: u32) -> Slot {
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
        let mut chunk = Chunk { runs: Vec::new(), who: Vec::new(), to, last: to == roll.len() };
        for ordinal in cursor..to {
            let (lane, (at, until), who) = if roll.posts().get(ordinal as usize).is_some() {
                let begins = self.post_begins(record, plan, roll, opened, ordinal);
                let (lane, slot) = begins.unwrap_or((NOWHERE, (opened, None)));
                (lane, slot, None)
            } else {
                let Some((person, path)) = roll.member(ordinal) else { continue };
                let begin = paths.entry(path).or_insert_with(|| self.begins(record, plan, roll, opened, path));
                let who = self.prepared.people().at(person).and_then(|who| StakeholderId::new(who.id()).ok());
                (begin.lane, begin.slot(ordinal), who)
            };
            match chunk.runs.last_mut() {
                Some(run) if run.lane == lane && run.at == at && run.until == until => run.count += 1,
                _ => chunk.runs.push(Run::new(1, 0, lane, at, until)),
            }
            chunk.who.push(who);
        }
        chunk
    }

    fn begins(&self, record: &Record, plan: &GatePlan, roll: &Roll, opened: Moment, path: u16) -> Begin {
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
    fn post_begins(
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
