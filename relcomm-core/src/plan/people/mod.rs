//! The people of a plan: each stakeholder once, with random access, and the membership of each group.

mod record;
mod sections;

pub use record::StakeholderRef;

use crate::id::{GroupId, StakeholderId};
use crate::stakeholder::Stakeholder;
use hashbrown::HashTable;
use record::Kind;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::RandomState;

/// Every stakeholder of a plan once, in the order in which they were loaded, and who belongs to which group.
///
/// Their strings lie in one buffer; what many have alike is kept once. So a million of them cost little more than their strings, and
/// looking at one of them ([`at`](Self::at)) copies nothing.
#[derive(Clone, Default)]
pub struct People {
    kinds: Vec<Kind>,
    /// The kinds by what they hold.
    known: HashTable<u32>,
    hasher: RandomState,
    /// The kind of each.
    kind_nos: Vec<u32>,
    records: String,
    /// Where the record of each ends.
    ends: Vec<u64>,
    groups: BTreeMap<GroupId, Vec<u32>>,
}

/// Everyone who is reached through somebody else, in ascending order, with the number of whom; `None` where that is nobody here.
#[derive(Debug, Default)]
pub(crate) struct Led(Vec<(u32, Option<u32>)>);

impl Led {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Through whom somebody is reached: `None` for whoever is told themselves, and within it for whom nobody here tells.
    pub(crate) fn leader(&self, number: u32) -> Option<Option<u32>> {
        let at = self.0.binary_search_by_key(&number, |(of, _)| *of).ok()?;
        self.0.get(at).map(|(_, leader)| *leader)
    }
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
        let number = u32::try_from(self.ends.len()).ok().filter(|n| *n < u32::MAX).ok_or(TooManyPeople)?;
        let kind = self.kind(who);
        record::write(&mut self.records, who);
        self.kind_nos.push(kind);
        self.ends.push(self.records.len() as u64);
        Ok(number)
    }

    fn kind(&mut self, who: &Stakeholder) -> u32 {
        let Self { kinds, known, hasher, .. } = self;
        let hash = Kind::hash_of(who, hasher);
        let is = |no: &u32| kinds.get(*no as usize).is_some_and(|kind| kind.is_of(who));
        if let Some(no) = known.find(hash, is) {
            return *no;
        }
        self.add(Kind::of(who))
    }

    fn add(&mut self, kind: Kind) -> u32 {
        let Self { kinds, known, hasher, .. } = self;
        // There are no more kinds than people.
        let no = u32::try_from(kinds.len()).unwrap_or(u32::MAX);
        let hash = kind.hash(hasher);
        kinds.push(kind);
        known.insert_unique(hash, no, |no| kinds.get(*no as usize).map_or(0, |kind| kind.hash(hasher)));
        no
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

    /// The same people, with these in place of those who have their numbers.
    pub(crate) fn amended(&self, with: &BTreeMap<u32, Stakeholder>) -> Self {
        let mut all = Self { records: String::with_capacity(self.records.len()), ends: Vec::new(), ..self.clone() };
        for (number, who) in (0..).zip(self.iter()) {
            if let Some(whole) = with.get(&number) {
                let kind = all.kind(whole);
                all.kind_nos.get_mut(number as usize).into_iter().for_each(|no| *no = kind);
                record::write(&mut all.records, whole);
            } else {
                all.records.push_str(who.record);
            }
            all.ends.push(all.records.len() as u64);
        }
        all
    }

    /// Gives back what was reserved for more.
    pub(crate) fn fit(&mut self) {
        self.kind_nos.shrink_to_fit();
        self.records.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.groups.values_mut().for_each(Vec::shrink_to_fit);
    }

    /// The stakeholder of that number, in place: for whoever needs a part of them only.
    #[must_use]
    pub fn at(&self, number: u32) -> Option<StakeholderRef<'_>> {
        let index = number as usize;
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        let end = *self.ends.get(index)?;
        let record = self.records.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)?;
        let number = *self.kind_nos.get(index)?;
        Some(StakeholderRef { number, kind: self.kinds.get(number as usize)?, record })
    }

    /// Everyone, in place, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = StakeholderRef<'_>> {
        // There are no more than a number of 32 bits can count.
        (0..u32::try_from(self.len()).unwrap_or(u32::MAX)).filter_map(|number| self.at(number))
    }

    /// Whether the stakeholder of that number is this one.
    pub(crate) fn is(&self, number: u32, id: &StakeholderId) -> bool {
        self.at(number).is_some_and(|who| who.is(id))
    }

    /// A copy of the stakeholder of that number.
    #[must_use]
    pub fn get(&self, number: u32) -> Option<Stakeholder> {
        self.at(number)?.whole()
    }

    /// The numbers of the members of a group, in the order in which they were named; empty for a group without members.
    #[must_use]
    pub fn members(&self, group: &GroupId) -> &[u32] {
        self.groups.get(group).map_or(&[], Vec::as_slice)
    }

    /// Everyone who is reached through somebody else.
    pub(crate) fn led(&self) -> Led {
        if !self.kinds.iter().any(Kind::is_led) {
            return Led::default();
        }
        let everyone = || (0..).zip(0..self.len()).filter_map(|(number, _)| Some((number, self.at(number)?)));
        let mut leaders: HashMap<&str, Option<u32>> =
            everyone().filter_map(|(_, who)| Some((who.through()?, None))).collect();
        for (number, who) in everyone() {
            if let Some(found) = leaders.get_mut(who.id()) {
                *found = Some(number);
            }
        }
        let led = everyone().filter_map(|(number, who)| Some((number, leaders.get(who.through()?).copied().flatten())));
        Led(led.collect())
    }

    /// The groups that have members.
    pub fn groups(&self) -> impl Iterator<Item = (&GroupId, &[u32])> {
        self.groups.iter().map(|(g, m)| (g, m.as_slice()))
    }
}

impl PartialEq for People {
    fn eq(&self, other: &Self) -> bool {
        self.kinds == other.kinds
            && self.kind_nos == other.kind_nos
            && self.ends == other.ends
            && self.records == other.records
            && self.groups == other.groups
    }
}

impl fmt::Debug for People {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("People").field("len", &self.len()).field("groups", &self.groups.len()).finish_non_exhaustive()
    }
}
