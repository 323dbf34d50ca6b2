//! What cases are about: each feature with its chance, how it is added to a case, and how it is seen in one. A feature is added in one
//! entry here; what follows from it is computed in `oracle`.

mod changes;
mod embargo;
mod happenings;
mod meant;
mod people;
mod times;
mod waiting;

use crate::dice::Dice;
use crate::model::*;

/// One thing that plans say or that happens.
pub(crate) struct Feature {
    pub(crate) name: &'static str,
    /// In how many of a hundred cases it is tried to be added.
    pub(crate) percent: u64,
    /// Adds it where that makes a valid plan; none for what the plain case has already.
    pub(crate) add: Option<fn(&mut Case, &mut Dice)>,
    /// Whether a case has it.
    pub(crate) is_in: fn(&Case) -> bool,
}

/// Each of these is in at least so many of a hundred cases.
pub(crate) const LEAST: f64 = 5.0;

pub(super) const fn plain(name: &'static str, is_in: fn(&Case) -> bool) -> Feature {
    Feature { name, percent: 0, add: None, is_in }
}

pub(super) const fn feature(
    name: &'static str,
    percent: u64,
    add: fn(&mut Case, &mut Dice),
    is_in: fn(&Case) -> bool,
) -> Feature {
    Feature { name, percent, add: Some(add), is_in }
}

pub(super) fn any(case: &Case, is: fn(&Communique) -> bool) -> bool {
    case.communiques.iter().any(is)
}

pub(super) fn anchored(case: &Case, is: fn(&Anchor) -> bool) -> bool {
    case.communiques.iter().flat_map(Communique::times).any(|time| is(&time.anchor))
}

pub(super) fn happens(case: &Case, is: fn(&Event) -> bool) -> bool {
    case.events.iter().any(|(_, event)| is(event))
}

pub(super) fn a_group<'a>(case: &'a mut Case, d: &mut Dice) -> &'a mut Group {
    let index = d.below(case.groups.len());
    &mut case.groups[index]
}

pub(super) fn a_person<'a>(case: &'a mut Case, d: &mut Dice) -> &'a mut Person {
    let index = d.below(case.people.len());
    &mut case.people[index]
}

pub(super) fn a_communique<'a>(case: &'a mut Case, d: &mut Dice) -> &'a mut Communique {
    let index = d.below(case.communiques.len());
    &mut case.communiques[index]
}

/// One due once, by a plain time.
pub(super) fn a_plain_one<'a>(case: &'a mut Case, d: &mut Dice) -> Option<&'a mut Communique> {
    let index = d.below(case.communiques.len());
    let communique = &mut case.communiques[index];
    let is_plain = communique.occurrences.len() == 1 && communique.occurrences[0].id.is_none();
    is_plain.then_some(communique)
}

pub(super) fn posts(communique: &Communique, case: &Case) -> bool {
    let of = |steps: &[Step]| steps.iter().any(|s| s.via.is_post());
    of(&communique.via)
        || communique.variants.values().any(|v| of(&v.via))
        || communique.to.iter().any(|g| of(&case.group(g).via))
}

pub(super) fn step(via: Mech) -> Step {
    Step::by(via)
}

pub(super) fn declared_at(case: &Case) -> Minutes {
    let declared = case.events.iter().filter(|(_, e)| matches!(e, Event::Declare(..)));
    declared.map(|(at, _)| *at).min().unwrap_or(case.planned)
}

/// All of them, in the order in which they are added: later ones build on earlier ones.
pub(crate) fn features() -> impl Iterator<Item = &'static Feature> {
    let happenings = happenings::FEATURES.iter().chain(changes::FEATURES).chain(embargo::FEATURES);
    people::FEATURES.iter().chain(meant::FEATURES).chain(times::FEATURES).chain(waiting::FEATURES).chain(happenings)
}

/// How many of the cases have each feature, in percent.
pub(crate) fn table(counts: &[usize], cases: usize) -> Vec<(&'static str, f64)> {
    features().zip(counts).map(|(f, n)| (f.name, 100.0 * *n as f64 / cases.max(1) as f64)).collect()
}
