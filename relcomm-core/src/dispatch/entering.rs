//! How the deliveries of a gate that opens begin: on which lane, from when and until when.

use super::{Dispatcher, Record, course_of, course_of_post, times_of};
use crate::clock::Moment;
use crate::course::{Gate, Path};
use crate::id::{LaneNo, StakeholderId};
use crate::journal::{Entrant, Run};
use crate::prepare::{GatePlan, Kept, Roll, share};
use smallvec::{SmallVec, smallvec};
use std::collections::BTreeMap;
use std::time::Duration;

/// The runs in which the next deliveries of a gate are entered, and who stands at their ordinals.
pub(crate) struct Chunk {
    pub(crate) runs: Vec<Run>,
    pub(crate) who: Vec<Entrant>,
    pub(crate) to: u32,
    pub(crate) last: bool,
    /// Where the legs of the last delivery begin among the runs.
    pub(super) head: usize,
}

/// How many deliveries are entered at a time.
pub(crate) const CHUNK: u32 = 4096;

/// The lane of what cannot be tried.
const NOWHERE: LaneNo = LaneNo(u16::MAX);

/// From when and until when a delivery may be tried.
type Slot = (Moment, Option<Moment>);

impl Chunk {
    /// Adds a delivery that begins with these legs.
    pub(super) fn enter(&mut self, legs: &[Run]) {
        match self.runs.get_mut(self.head..) {
            Some(last) if are_alike(last, legs) => last.iter_mut().for_each(|run| run.count += 1),
            _ => {
                self.head = self.runs.len();
                self.runs.extend_from_slice(legs);
            }
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
    /// Of each step with which they begin, by how much later than the first.
    slots: BTreeMap<(u8, Duration), Slot>,
    /// With how many steps at once.
    many: u8,
}

impl Begin {
    /// How something begins that cannot be tried.
    pub(super) fn nowhere(at: Moment) -> (LaneNo, Slot) {
        (NOWHERE, (at, None))
    }

    /// The legs with which a delivery begins: nearly always one.
    pub(super) fn legs(&mut self, ordinal: u32) -> SmallVec<[Run; 1]> {
        let (at, until) = self.slot(0, ordinal);
        let mut legs: SmallVec<[Run; 1]> = smallvec![Run::new(1, 0, self.lane, at, until).riding(self.rides())];
        if self.many > 1 {
            legs.extend(self.further(ordinal));
        }
        legs
    }

    fn slot(&mut self, step: u8, ordinal: u32) -> Slot {
        let Self { course, at, spread, slots, .. } = self;
        // What all share goes out once.
        let is_shared = || course.steps.get(usize::from(step)).is_some_and(|step| step.is_shared);
        let later = spread.filter(|_| !is_shared()).map_or(Duration::ZERO, |spread| share(spread, ordinal));
        *slots.entry((step, later)).or_insert_with(|| {
            // Spread over its hours: what is due at night is not all due at once in the morning.
            let at = if later.is_zero() { *at } else { course.hours.pass(*at, later).unwrap_or(*at) };
            course.slot(step, at)
        })
    }

    /// The further legs with which a delivery begins.
    fn further(&mut self, ordinal: u32) -> SmallVec<[Run; 2]> {
        let mut further = SmallVec::new();
        for step in 1..self.many {
            let Some((lane, rides)) = self.course.steps.get(usize::from(step)).map(|s| (s.lane, s.is_shared)) else {
                break;
            };
            let (at, until) = self.slot(step, ordinal);
            further.push(Run::new(1, step, lane, at, until).further().riding(rides));
        }
        further
    }

    /// Whether the first leg lets the others go before it.
    fn rides(&self) -> bool {
        self.many > 1 && self.course.steps.first().is_some_and(|step| step.is_shared)
    }
}

/// Whether the legs are the same but for how many deliveries begin with them.
fn are_alike(entered: &[Run], further: &[Run]) -> bool {
    entered.len() == further.len() && entered.iter().zip(further).all(|(a, b)| Run { count: b.count, ..*a } == *b)
}

impl Dispatcher {
    /// The next deliveries of a gate from `cursor` on.
    pub(crate) fn chunk(&self, record: &Record, plan: &GatePlan, roll: &Roll, state: &Gate, cursor: u32) -> Chunk {
        let opened = state.opened.unwrap_or(Moment::MIN);
        let mut paths: BTreeMap<u16, Begin> = BTreeMap::new();
        let to = roll.len().min(cursor.saturating_add(CHUNK));
        let mut chunk = Chunk { runs: Vec::new(), who: Vec::new(), to: cursor, last: to == roll.len(), head: 0 };
        let keeps = self.prepared.is_corrected(plan);
        // By which they are known when the plan is prepared again.
        let posts = roll.kept_posts();
        for ordinal in cursor..to {
            let (legs, who, kept) = if roll.post(ordinal).is_some() {
                let begins = self.post_begins(record, plan, roll, opened, ordinal);
                let (lane, (at, until)) = begins.unwrap_or_else(|| Begin::nowhere(opened));
                let legs = smallvec![Run::new(1, 0, lane, at, until)];
                (legs, None, posts.get(ordinal as usize).cloned().map(Kept::Post))
            } else {
                let Some((person, path)) = roll.member(ordinal) else { continue };
                let begin = paths.entry(path).or_insert_with(|| self.begins(record, plan, roll, opened, path));
                let who = self.prepared.people().at(person).and_then(|who| StakeholderId::new(who.id()).ok());
                let kept = roll.path(path).filter(|_| keeps).and_then(|path| self.prepared.keep_member(person, path));
                (begin.legs(ordinal), who, kept)
            };
            chunk.enter(&legs);
            chunk.who.push(Entrant::new(who).kept(kept.and_then(|kept| kept.text())));
        }
        chunk
    }

    pub(super) fn begins(&self, record: &Record, plan: &GatePlan, roll: &Roll, opened: Moment, path: u16) -> Begin {
        let Some(path) = roll.path(path) else {
            let course = Path::new(crate::receipt::Assurance::Accepted, Vec::new());
            return Begin { lane: NOWHERE, course, at: opened, spread: None, slots: BTreeMap::new(), many: 1 };
        };
        let times = times_of(self, record, plan, path, path.zone);
        let course = course_of(self, record, plan, path);
        Begin {
            lane: course.steps.first().map_or(NOWHERE, |step| step.lane),
            at: times.at.unwrap_or(opened).max(opened),
            spread: times.spread,
            many: course.together(0).end,
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
        let path = roll.path(roll.post(ordinal)?.path)?;
        let course = course_of_post(self, record, plan, roll, ordinal)?;
        let times = times_of(self, record, plan, path, super::zone_of_post(self, path));
        let lane = course.steps.first()?.lane;
        Some((lane, course.slot(0, times.at.unwrap_or(opened).max(opened))))
    }
}
