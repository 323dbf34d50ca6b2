//! Corrections go to exactly those who were told, or perhaps told.

use crate::far_side::Call;
use crate::invariants::{gate, is_lost, is_stand_in, of_gate};
use crate::model::{Case, Correction, Event, Step, Word};
use crate::oracle::Oracle;
use crate::plans;
use crate::play::Played;
use relcomm_core::report::Class;
use std::collections::{BTreeMap, BTreeSet};

/// What the far sides know of whether somebody was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Heard {
    No,
    /// The dispatcher cannot know it, or it was taken back.
    Perhaps,
    Yes,
}

/// What the far side knows of whether a call told somebody.
fn hears(case: &Case, played: &Played, call: &Call) -> Heard {
    let manner = plans::manner(case, &call.to.gate, call.to.who.as_deref().unwrap_or("all"), call.to.mech);
    let is_bounced = manner.later.iter().any(|(_, word)| *word == Word::Bounced);
    match (call.arrived, call.decided) {
        (true, true) if !is_lost(played, call) && !is_bounced && !call.to.mech.is_by_hand() => Heard::Yes,
        (false, true) => Heard::No,
        _ => Heard::Perhaps,
    }
}

/// What is known of everybody whom these calls were to.
fn told_by<'a>(case: &Case, played: &Played, calls: impl Iterator<Item = &'a Call>) -> BTreeMap<&'a str, Heard> {
    let mut told = BTreeMap::new();
    for call in calls {
        let Some(who) = call.to.who.as_deref() else { continue };
        let is = hears(case, played, call);
        let known = told.entry(who).or_insert(is);
        *known = is.max(*known);
    }
    told
}

/// Who heard what is corrected, at the gates that belong to a gate of the correction.
fn heard<'a>(case: &Case, played: &'a Played, of: Correction, of_gate: &str) -> BTreeMap<&'a str, Heard> {
    let source = &case.communiques[of.of];
    let place =
        |gate: &str| gate.split('#').next().and_then(|name| name.rsplit('/').next()).unwrap_or_default().to_owned();
    let is_of = |one: &str, other: &str| one == other || one.is_empty() || other.is_empty();
    let joins = |call: &&Call| {
        let id = call.to.gate.split('/').next().unwrap_or_default();
        id == source.id && is_of(&place(&call.to.gate), &place(of_gate))
    };
    told_by(case, played, played.calls.iter().filter(joins))
}

pub(crate) fn exactly_those_told(case: &Case, played: &Played, wrong: &mut Vec<String>) {
    let mut rows: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for person in played.report.people.iter().filter(|person| !is_stand_in(&person.id)) {
        for row in person.deliveries.iter().filter(|row| row.class != Class::Exempt) {
            rows.entry(gate(row)).or_default().insert(&person.id);
        }
    }
    let says_again = |gate: &str| of_gate(case, gate).and_then(|of| of.corrects);
    let attested =
        |who: &str| case.events.iter().any(|(_, e)| matches!(e, Event::Attest { person, .. } if person == who));
    for call in &played.calls {
        let (Some(of), Some(who)) = (says_again(&call.to.gate), call.to.who.as_deref()) else { continue };
        let is_known = heard(case, played, of, &call.to.gate).get(who).copied().unwrap_or(Heard::No);
        // Who was next when a dispatcher died was perhaps told, although no far side knows of it.
        if is_known == Heard::No && played.deaths.is_empty() {
            wrong.push(format!("{:?} was tried at {}, who never heard what it corrects", call.to, call.shown));
        }
        let as_told = || played.calls.iter().any(|c| told_so(case, of, c, call));
        if of.as_told && played.deaths.is_empty() && !as_told() && !is_as_well(case, of, call) {
            wrong.push(format!("{:?} was tried at {}, and was not told in that way", call.to, call.shown));
        }
    }
    for (gate, people) in &rows {
        let Some(of) = says_again(gate) else { continue };
        for (who, is_known) in heard(case, played, of, gate) {
            if is_known == Heard::Yes && !people.contains(who) && !case.is_erased(who) && !attested(who) {
                wrong.push(format!("{who} heard what {gate} corrects, and is not among those of that"));
            }
        }
    }
}

/// Whoever is to be reached in another way as well at once is.
pub(crate) fn in_both_ways(case: &Case, played: &Played, wrong: &mut Vec<String>) {
    for call in &played.calls {
        let of = of_gate(case, &call.to.gate).and_then(|of| of.corrects);
        let (Some(of), Some(who)) = (of, call.to.who.as_deref()) else { continue };
        let is_due = of.also.is_some_and(|(_, step)| step.unless.is_none() && is_due_as_well(case, of, who, step));
        let comes = |c: &Call| (&c.to.gate, &c.to.who) == (&call.to.gate, &call.to.who) && is_as_well(case, of, c);
        if is_due && is_calm(case, played, call) && !played.calls.iter().any(comes) {
            wrong.push(format!("{:?} was tried at {}, and nothing else as well", call.to, call.shown));
        }
    }
}

/// Whether a call of a correction goes in a way in which some are reached as well.
fn is_as_well(case: &Case, of: Correction, call: &Call) -> bool {
    let is_it =
        |who: &str| of.also.is_some_and(|(_, step)| step.via == call.to.mech && is_due_as_well(case, of, who, step));
    call.to.who.as_deref().is_some_and(is_it)
}

/// Whether somebody is reached by a step as well when something is corrected: by the group for which they were told.
fn is_due_as_well(case: &Case, of: Correction, who: &str, step: Step) -> bool {
    let who = case.person(who);
    let first = case.communiques[of.of].to.iter().find(|group| who.groups.contains(*group));
    of.also.is_some_and(|(group, _)| first == Some(&group)) && who.has.contains(&step.via)
}

/// Whether nothing comes between the attempts of a correction.
fn is_calm(case: &Case, played: &Played, call: &Call) -> bool {
    let disturbs = |(_, event): &(i64, Event)| {
        !matches!(event, Event::Approve(..) | Event::AcceptGap(_) | Event::Attest { .. } | Event::Resume(_))
    };
    let began = call.began.millis().div_euclid(60_000);
    let after = case.events.iter().filter(|(at, _)| *at > began);
    played.deaths.is_empty() && case.trouble.outages.is_empty() && !after.into_iter().any(disturbs)
}

/// Whether a call of what is corrected went where one of the correction goes.
fn told_so(case: &Case, of: Correction, told: &Call, again: &Call) -> bool {
    let is_source = of_gate(case, &told.to.gate).is_some_and(|c| c.id == case.communiques[of.of].id);
    is_source && told.to.who == again.to.who && told.to.mech == again.to.mech
}

/// Of another planned time hear at once exactly those who heard one, or perhaps heard it.
pub(crate) fn exactly_those_who_heard_another_time(
    case: &Case,
    oracle: &Oracle<'_>,
    played: &Played,
    wrong: &mut Vec<String>,
) {
    let revised = |gate: &str| gate.split_once('#').and_then(|(_, number)| number.parse::<u32>().ok()).unwrap_or(1);
    let heard_before = |id: &str, revision: u32, until: i64| {
        let is_earlier = |call: &&Call| {
            of_gate(case, &call.to.gate).is_some_and(|of| of.id == id)
                && revised(&call.to.gate) < revision
                && call.began.millis() < until.saturating_mul(60_000)
        };
        told_by(case, played, played.calls.iter().filter(is_earlier))
    };
    for call in played.calls.iter().filter(|call| revised(&call.to.gate) > 1) {
        let (Some(of), Some(who)) = (of_gate(case, &call.to.gate), call.to.who.as_deref()) else { continue };
        let heard = heard_before(&of.id, revised(&call.to.gate), i64::MAX);
        // Whoever has heard none yet is told when it is due by the new one.
        let is_due = oracle.may_be_due(&call.to.gate, call.shown.millis().div_euclid(60_000));
        if heard.get(who).is_none_or(|is| *is == Heard::No) && !is_due && played.deaths.is_empty() {
            wrong.push(format!("{:?} was tried at {}, who never heard another time", call.to, call.shown));
        }
    }
    let rows = played.report.people.iter().flat_map(|p| p.deliveries.iter().map(move |row| (p.id.as_str(), row)));
    let mut out: BTreeMap<(&str, u32), BTreeSet<&str>> = BTreeMap::new();
    for (who, row) in rows.filter(|(_, row)| row.revision > 1) {
        out.entry((row.communique.as_str(), row.revision)).or_default().insert(who);
    }
    let slips = case
        .events
        .iter()
        .enumerate()
        .filter(|(number, (_, e))| matches!(e, Event::Slip(_)) && !played.refused.contains_key(number));
    let mut slips: Vec<(i64, &Event)> = slips.map(|(_, (at, event))| (*at, event)).collect();
    slips.dedup_by(|later, earlier| later.1 == earlier.1);
    for ((id, revision), people) in &out {
        let Some((slipped, _)) = slips.get(*revision as usize - 2) else { continue };
        for (who, is) in heard_before(id, *revision, *slipped) {
            if is == Heard::Yes && !people.contains(who) && !case.is_erased(who) {
                wrong.push(format!("{who} heard another time by {id}, and is not among those of revision {revision}"));
            }
        }
    }
}
