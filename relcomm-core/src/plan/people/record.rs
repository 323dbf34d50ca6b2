//! How a stakeholder is kept: a kind, which many share, and a record of their own strings.

use crate::id::{Lang, PlaceId, StakeholderId};
use crate::mechanism::Mechanism;
use crate::stakeholder::{Address, Stakeholder};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher};
use std::num::NonZeroU32;

/// All about a stakeholder that is not a string of their own: a million customers are of a few kinds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kind {
    named: bool,
    lang: Option<Lang>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    zone: Option<Tz>,
    places: Vec<PlaceId>,
    /// In ascending order, as are the variables.
    mechanisms: Vec<Mechanism>,
    vars: Vec<Box<str>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    opted_out: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stands_for: Option<NonZeroU32>,
    /// Whether they are reached through somebody, whose id stands in the record.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    led: bool,
}

impl Kind {
    pub(super) fn of(who: &Stakeholder) -> Self {
        Self {
            named: who.name.is_some(),
            lang: who.lang.clone(),
            zone: who.zone,
            places: who.places.clone(),
            mechanisms: who.addresses.keys().cloned().collect(),
            vars: who.vars.keys().map(|name| name.as_str().into()).collect(),
            opted_out: who.opted_out,
            stands_for: who.stands_for,
            led: who.through.is_some(),
        }
    }

    pub(super) fn is_of(&self, who: &Stakeholder) -> bool {
        self.named == who.name.is_some()
            && self.lang == who.lang
            && self.zone == who.zone
            && self.places == who.places
            && self.mechanisms.iter().eq(who.addresses.keys())
            && self.vars.iter().map(|name| &**name).eq(who.vars.keys().map(String::as_str))
            && (self.opted_out, self.stands_for, self.led) == (who.opted_out, who.stands_for, who.through.is_some())
    }

    pub(super) fn is_led(&self) -> bool {
        self.led
    }

    pub(super) fn hash(&self, by: &impl BuildHasher) -> u64 {
        let vars = self.vars.iter().map(|name| &**name);
        let flags = (self.named, self.opted_out, self.stands_for, self.led);
        hash(by, flags, (self.lang.as_ref(), self.zone), &self.places, self.mechanisms.iter(), vars)
    }

    pub(super) fn hash_of(who: &Stakeholder, by: &impl BuildHasher) -> u64 {
        let vars = who.vars.keys().map(String::as_str);
        let flags = (who.name.is_some(), who.opted_out, who.stands_for, who.through.is_some());
        hash(by, flags, (who.lang.as_ref(), who.zone), &who.places, who.addresses.keys(), vars)
    }
}

fn hash<'a>(
    by: &impl BuildHasher,
    flags: (bool, bool, Option<NonZeroU32>, bool),
    alike: (Option<&Lang>, Option<Tz>),
    places: &[PlaceId],
    mechanisms: impl Iterator<Item = &'a Mechanism>,
    vars: impl Iterator<Item = &'a str>,
) -> u64 {
    let mut state = by.build_hasher();
    (flags, alike, places).hash(&mut state);
    mechanisms.for_each(|mechanism| mechanism.hash(&mut state));
    vars.for_each(|name| name.hash(&mut state));
    state.finish()
}

/// Appends the record: id, name if they have one, through whom they are reached if so, addresses, values of variables; each with its length before it.
pub(super) fn write(to: &mut String, who: &Stakeholder) {
    put(to, who.id.as_str());
    if let Some(name) = &who.name {
        put(to, name);
    }
    if let Some(leader) = &who.through {
        put(to, leader.as_str());
    }
    who.addresses.values().for_each(|address| put(to, address.as_str()));
    who.vars.values().for_each(|value| put(to, value));
}

/// The length in groups of six bits, all but the last marked by [`MORE`]: ASCII, so that the record is text and stays so when it is cut
/// at a length.
fn put(to: &mut String, text: &str) {
    let mut length = text.len();
    while length >= usize::from(MORE) {
        to.push(char::from(MORE | (length & 0x3F) as u8));
        length >>= 6;
    }
    to.push(char::from(length as u8));
    to.push_str(text);
}

/// More of the length follows.
const MORE: u8 = 0x40;

/// The next string of a record; `None` at its end, or where it was not written by this module.
fn take<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let mut length = 0_usize;
    for (byte, at) in rest.bytes().zip(0..usize::BITS / 6) {
        length |= usize::from(byte & !MORE) << (6 * at);
        if byte & MORE == 0 {
            let (text, tail) = rest.get(at as usize + 1..)?.split_at_checked(length)?;
            *rest = tail;
            return Some(text);
        }
    }
    None
}

/// A stakeholder as they are kept: looked at in place, nothing is copied.
#[derive(Clone, Copy)]
pub struct StakeholderRef<'a> {
    pub(super) number: u32,
    pub(super) kind: &'a Kind,
    pub(super) record: &'a str,
}

impl<'a> StakeholderRef<'a> {
    /// Their id.
    #[must_use]
    pub fn id(&self) -> &'a str {
        self.value(0).unwrap_or_default()
    }

    /// Their name, for salutations.
    #[must_use]
    pub fn name(&self) -> Option<&'a str> {
        if self.kind.named { self.value(1) } else { None }
    }

    /// Their language.
    #[must_use]
    pub fn lang(&self) -> Option<&'a Lang> {
        self.kind.lang.as_ref()
    }

    /// Their zone.
    #[must_use]
    pub fn zone(&self) -> Option<Tz> {
        self.kind.zone
    }

    /// The places they belong to; empty means every place.
    #[must_use]
    pub fn places(&self) -> &'a [PlaceId] {
        &self.kind.places
    }

    /// Whether they belong to the place; always, for the release as a whole.
    #[must_use]
    pub fn is_in(&self, place: Option<&PlaceId>) -> bool {
        self.places().is_empty() || place.is_none_or(|p| self.places().contains(p))
    }

    /// The mechanisms for which they have an address, in ascending order.
    #[must_use]
    pub fn mechanisms(&self) -> &'a [Mechanism] {
        &self.kind.mechanisms
    }

    /// Their address for a mechanism.
    #[must_use]
    pub fn address(&self, mechanism: &Mechanism) -> Option<&'a str> {
        let index = self.kind.mechanisms.iter().position(|m| m == mechanism)?;
        self.value(self.before_addresses() + index)
    }

    /// Their addresses.
    pub fn addresses(&self) -> impl Iterator<Item = (&'a Mechanism, &'a str)> + use<'a> {
        self.kind.mechanisms.iter().zip(self.values().skip(self.before_addresses()))
    }

    /// Whether they wish not to be told.
    #[must_use]
    pub fn opted_out(&self) -> bool {
        self.kind.opted_out
    }

    /// How many people they stand for: themselves alone, where nothing is said.
    #[must_use]
    pub fn stands_for(&self) -> u32 {
        self.kind.stands_for.map_or(1, NonZeroU32::get)
    }

    /// The id of the member through whom they are reached, where they are not told themselves.
    #[must_use]
    pub fn through(&self) -> Option<&'a str> {
        if self.kind.led { self.value(1 + usize::from(self.kind.named)) } else { None }
    }

    /// Everything else that the member data says of them: column and value.
    pub fn vars(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        self.kind.vars.iter().map(|name| &**name).zip(self.values().skip(self.before_vars()))
    }

    /// The value of the last variable whose name is the one looked for.
    pub(crate) fn last_var(&self, is_it: impl Fn(&str) -> bool) -> Option<&'a str> {
        let index = self.kind.vars.iter().rposition(|name| is_it(name))?;
        self.value(self.before_vars() + index)
    }

    fn before_vars(&self) -> usize {
        self.before_addresses() + self.kind.mechanisms.len()
    }

    fn before_addresses(&self) -> usize {
        1 + usize::from(self.kind.named) + usize::from(self.kind.led)
    }

    /// Number of their kind: people of one kind have the same mechanisms, places, language, zone and variables.
    pub(crate) fn kind(&self) -> u32 {
        self.number
    }

    /// A copy of all of it; `None` if the record was not written by relcomm.
    pub(crate) fn whole(&self) -> Option<Stakeholder> {
        let mut who = Stakeholder::new(StakeholderId::new(self.id()).ok()?);
        who.name = self.name().map(Into::into);
        who.lang.clone_from(&self.kind.lang);
        who.zone = self.kind.zone;
        who.places.clone_from(&self.kind.places);
        for (mechanism, address) in self.addresses() {
            who.addresses.insert(mechanism.clone(), Address::new(address).ok()?);
        }
        who.opted_out = self.kind.opted_out;
        who.stands_for = self.kind.stands_for;
        who.through = self.through().map(StakeholderId::new).transpose().ok()?;
        who.vars.extend(self.vars().map(|(name, value)| (name.into(), value.into())));
        Some(who)
    }

    /// Whether this is their id.
    pub(crate) fn is(&self, id: &StakeholderId) -> bool {
        take(&mut { self.record }) == Some(id.as_str())
    }

    fn value(&self, index: usize) -> Option<&'a str> {
        let mut rest = self.record;
        for _ in 0..index {
            take(&mut rest)?;
        }
        take(&mut rest)
    }

    fn values(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let mut rest = self.record;
        std::iter::from_fn(move || take(&mut rest))
    }
}

impl fmt::Debug for StakeholderRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StakeholderRef")
            .field("mechanisms", &self.mechanisms())
            .field("places", &self.places())
            .finish_non_exhaustive()
    }
}
