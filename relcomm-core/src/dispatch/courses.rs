//! The paths by which deliveries are decided, worked out once for all who share one.

use super::{Dispatcher, Record};
use crate::course::Path;
use crate::journal::Row;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Paths, for as long as the record stands from which they were made.
#[derive(Debug, Default)]
pub(super) struct Courses {
    known: BTreeMap<(usize, Seat), Path>,
}

/// Whom a row is about, as far as its path goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Seat {
    Path(u16),
    Post(u32),
    /// The bundle has no such person any more.
    Gone,
}

impl Courses {
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }

    /// The path of a row; `None` for a row of a gate or post that the bundle does not have.
    pub(super) fn of(&mut self, on: &Dispatcher, record: &Record, row: &Row) -> Option<&Path> {
        let index = record.gate_index(row.id.gate)?;
        let plan = record.plans.get(index)?;
        let roll = record.roll(on, plan);
        let seat = match (on.seat(roll, row), &row.who) {
            (Some((_, path)), _) => Seat::Path(path),
            (None, Some(_)) => Seat::Gone,
            (None, None) => Seat::Post(row.id.ordinal),
        };
        match self.known.entry((index, seat)) {
            Entry::Occupied(known) => Some(known.into_mut()),
            Entry::Vacant(unknown) => Some(unknown.insert(on.course(record, plan, roll, row)?)),
        }
    }
}
