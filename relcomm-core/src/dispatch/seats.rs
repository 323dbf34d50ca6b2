//! Who stands at a row of the journal. The people may have changed since the row was entered: whoever it names is meant, wherever they
//! stand in the bundle now.

use super::{Dispatcher, Record, course_of, course_of_post, erased_number};
use crate::channel::Key;
use crate::course::{Leg, Path, Stage};
use crate::id::GroupId;
use crate::journal::Row;
use crate::mechanism::Mechanism;
use crate::plan::{People, Reached};
use crate::prepare::{GatePlan, PathPlan, Roll};
use crate::receipt::Assurance;
use std::collections::BTreeSet;

impl Dispatcher {
    /// Those whom the numbers of a roll mean.
    pub(crate) fn people_of<'a>(&'a self, roll: &'a Roll) -> &'a People {
        roll.own_people().unwrap_or(self.prepared.people())
    }

    /// The numbers of the members of a group on a roll.
    pub(crate) fn numbers_in(&self, roll: &Roll, group: &GroupId) -> BTreeSet<u32> {
        match roll.own_people() {
            None => self.prepared.people().members(group).iter().copied().collect(),
            Some(_) => {
                let of_group = |path: u16| roll.path(path).is_some_and(|path| &path.group == group);
                roll.members().filter(|(_, path)| of_group(*path)).map(|(number, _)| number).collect()
            }
        }
    }

    /// The posts that these members of a roll share.
    pub(crate) fn posts_of(&self, roll: &Roll, members: &BTreeSet<u32>) -> BTreeSet<u32> {
        let paths: BTreeSet<u16> =
            roll.members().filter(|(number, _)| members.contains(number)).map(|(_, path)| path).collect();
        let steps = paths.into_iter().filter_map(|path| roll.path(path)).flat_map(|path| &path.steps);
        steps.filter_map(|step| step.post).collect()
    }

    /// The member who stands at a row, and their path; nobody stands at a post.
    pub(crate) fn seat(&self, roll: &Roll, row: &Row) -> Option<(u32, u16)> {
        let (people, who) = (self.people_of(roll), row.who.as_ref()?);
        let here = roll.member(row.id.ordinal).filter(|(number, _)| people.is(*number, who));
        // Whoever was erased stands nowhere.
        here.or_else(|| erased_number(row).is_none().then(|| roll.seat_of(who, people))?)
    }

    /// The path of the member who stands at a row.
    pub(crate) fn path_of<'a>(&self, roll: &'a Roll, row: &Row) -> Option<&'a PathPlan> {
        self.seat(roll, row).and_then(|(_, path)| roll.path(path))
    }

    /// The course that a row may take. For somebody who is no longer on the roll, and for a post that nobody shares any more, it has no
    /// steps: what is under way ends, nothing begins.
    pub(crate) fn course(&self, record: &Record, gate: &GatePlan, roll: &Roll, row: &Row) -> Option<Path> {
        match self.path_of(roll, row) {
            Some(path) => Some(course_of(self, record, gate, path)),
            None if row.who.is_none() && roll.post(row.id.ordinal).is_some() => {
                course_of_post(self, record, gate, roll, row.id.ordinal)
            }
            None => Some(Path::new(Assurance::Accepted, Vec::new())),
        }
    }

    /// Whether the leg that a row may try next is credited by the post at this ordinal.
    pub(crate) fn shares(&self, record: &Record, roll: &Roll, row: &Row, post: u32) -> bool {
        row.state.ready_leg().is_some_and(|(leg, ..)| self.waits_for(record, roll, row, post) == Some(leg))
    }

    /// The leg of a row that waits for the post at this ordinal.
    pub(crate) fn waits_for(&self, record: &Record, roll: &Roll, row: &Row, post: u32) -> Option<u8> {
        if row.state.end.is_some() {
            return None;
        }
        let path = self.path_of(roll, row)?;
        let waits = |leg: &Leg| {
            matches!(leg.stage, Stage::Ready { .. })
                && record.step_of(path, &row.state, leg).and_then(|step| path.steps.get(step)?.post) == Some(post)
        };
        row.state.legs.iter().zip(0u8..).find(|(leg, _)| waits(leg)).map(|(_, n)| n)
    }

    /// Whom a leg of a row reaches in the stakeholder's place, if it does; `None` also if there is no such person any more.
    pub(crate) fn in_their_place(&self, record: &Record, roll: &Roll, row: &Row, leg: u8) -> Option<Reached<'_>> {
        let (number, path) = self.seat(roll, row)?;
        let path = roll.path(path)?;
        let step = path.steps.get(record.step_of(path, &row.state, row.state.legs.get(usize::from(leg))?)?)?;
        self.prepared.reached(step.to.as_ref()?, &step.mechanism, self.people_of(roll).at(number)?)
    }

    /// The key of a leg: it names the stakeholder, and whoever is reached in their place.
    pub(crate) fn key_of(&self, record: &Record, gate: &GatePlan, row: &Row, leg: u8, mechanism: &Mechanism) -> Key {
        let roll = record.roll(self, gate);
        match &row.who {
            None => self.post_key(gate, roll, row.id.ordinal, mechanism),
            Some(who) => match self.in_their_place(record, roll, row, leg) {
                Some(reached) if reached.id() != who.as_str() => {
                    self.escalation_key(gate, who.as_str(), reached.id(), mechanism)
                }
                _ => self.delivery_key(gate, who.as_str(), mechanism),
            },
        }
    }
}
