//! The people of a plan: each stakeholder once, with random access, and the membership of each group.

use crate::id::{GroupId, StakeholderId};
use crate::stakeholder::Stakeholder;
use std::collections::BTreeMap;
use std::fmt;

/// Every stakeholder of a plan once, in the order in which they were loaded, and who belongs to which group.
///
/// A stakeholder is kept as one line of JSON in a single buffer, so that a million of them cost little more than their strings.
#[derive(Clone, Default, PartialEq)]
pub struct People {
    lines: Vec<u8>,
    /// Where each line ends; lines hold no line break themselves.
    ends: Vec<u64>,
    groups: BTreeMap<GroupId, Vec<u32>>,
}

/// More people than a number of 32 bits can count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a plan holds at most 4,294,967,295 people")]
#[non_exhaustive]
pub struct TooManyPeople;

impl People {
    /// Nobody.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Adds a stakeholder and returns their number. That an id is new is for the caller to know.
    ///
    /// # Errors
    /// [`TooManyPeople`].
    pub fn push(&mut self, who: &Stakeholder) -> Result<u32, TooManyPeople> {
        let number = u32::try_from(self.ends.len()).map_err(|_| TooManyPeople)?;
        let start = self.lines.len();
        if serde_json::to_writer(&mut self.lines, who).is_err() {
            // A stakeholder holds strings and words only, which always have a JSON form.
            self.lines.truncate(start);
        }
        self.ends.push(self.lines.len() as u64);
        Ok(number)
    }

    /// Makes the stakeholder of that number a member of the group; a second time is the same as once, if in ascending order.
    pub fn join(&mut self, group: &GroupId, number: u32) {
        let members = match self.groups.get_mut(group) {
            Some(members) => members,
            None => self.groups.entry(group.clone()).or_default(),
        };
        if members.last() != Some(&number) {
            members.push(number);
        }
    }

    /// Whether the stakeholder of that number is this one, without reading the rest of them.
    pub(crate) fn is(&self, number: u32, id: &StakeholderId) -> bool {
        let Some(rest) = self.line(number).and_then(|line| line.strip_prefix(b"{\"id\":\"")) else { return false };
        let id = id.as_str();
        if id.contains(['"', '\\']) {
            let Ok(quoted) = serde_json::to_vec(id) else { return false };
            return quoted.strip_prefix(b"\"").is_some_and(|quoted| rest.starts_with(quoted));
        }
        // All else stands in JSON as it is: an id holds no control characters.
        rest.strip_prefix(id.as_bytes()).is_some_and(|rest| rest.starts_with(b"\""))
    }

    /// The stakeholder of that number.
    #[must_use]
    pub fn get(&self, number: u32) -> Option<Stakeholder> {
        serde_json::from_slice(self.line(number)?).ok()
    }

    /// The line of that number: one stakeholder as JSON.
    #[must_use]
    pub fn line(&self, number: u32) -> Option<&[u8]> {
        let number = number as usize;
        let start = match number.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        let end = *self.ends.get(number)?;
        self.lines.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
    }

    /// The numbers of the members of a group, in the order in which they were named; empty for a group without members.
    #[must_use]
    pub fn members(&self, group: &GroupId) -> &[u32] {
        self.groups.get(group).map_or(&[], Vec::as_slice)
    }

    /// The groups that have members.
    pub fn groups(&self) -> impl Iterator<Item = (&GroupId, &[u32])> {
        self.groups.iter().map(|(g, m)| (g, m.as_slice()))
    }
}

impl fmt::Debug for People {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("People").field("len", &self.len()).field("groups", &self.groups.len()).finish_non_exhaustive()
    }
}
