//! What is said again because something has changed.

use super::*;
use std::collections::BTreeMap;

/// Whether all are told themselves, by what answers, and nobody else in their place.
fn is_direct(of: &Communique, case: &Case) -> bool {
    let indirect = |step: &Step| step.to.is_some() || step.mechanisms().any(|via| via.is_post() || via.is_by_hand());
    !case.steps(of).any(indirect)
}

/// Somebody more who is like one of them, anywhere among them, comes or goes.
fn one_more_who(c: &mut Case, d: &mut Dice, minute: Minutes, does: fn(String) -> Event) {
    let like = a_person(c, d).clone();
    if like.through.is_some() || like.opted_out || like.groups.is_empty() || like.groups.contains("archive") {
        return;
    }
    let id = format!("p{}", c.people.len());
    let place = d.below(c.people.len());
    c.people.insert(place, Person { id: id.clone(), stands_for: 1, ..like });
    c.events.push((declared_at(c) + d.one(&[-6, -1, 0, 2, 5, 20]) * HOUR + minute, does(id)));
}

pub(super) const FEATURES: &[Feature] = &[
    feature(
        "the planned time moves",
        15,
        |c, d| {
            let at = c.planned - d.one(&[1, 1, 2, 30]) * HOUR + 21;
            let later = c.planned + d.one(&[4, 26, 72]) * HOUR;
            if d.percent(30) {
                c.events.push((at - HOUR + 1, Event::Slip(None)));
            }
            c.events.push((at, Event::Slip(if d.percent(85) { Some(later) } else { None })));
        },
        |c| happens(c, |e| matches!(e, Event::Slip(_))),
    ),
    feature(
        "who heard a time hears of another",
        70,
        |c, _| {
            if !happens(c, |e| matches!(e, Event::Slip(_))) {
                return;
            }
            let plain: Vec<bool> = c.communiques.iter().map(|of| is_direct(of, c)).collect();
            for (of, is_direct) in c.communiques.iter_mut().zip(plain) {
                let is_planned = of.times().all(|time| time.anchor == Anchor::Planned) && of.outcome.is_none();
                of.on_slip = is_planned && is_direct && of.variants.is_empty() && of.corrects.is_none();
            }
        },
        |c| any(c, |of| of.on_slip),
    ),
    feature(
        "a correction for those who were told",
        30,
        |c, d| {
            let after = c.communiques.iter().flat_map(|of| &of.after).chain(c.needs.values());
            let mut waited: Vec<usize> = after.map(|after| after.on).collect();
            waited.extend(c.communiques.iter().flat_map(Communique::times).filter_map(|time| match time.anchor {
                Anchor::Reached(on, _) => Some(on),
                _ => None,
            }));
            let number = c.communiques.len() - 1;
            let source = d.below(number.max(1));
            let of = &c.communiques[number];
            let is_free = number > 0 && !waited.contains(&number) && of.after.is_empty() && of.kind.is_none();
            if !is_free || !is_direct(&c.communiques[source], c) || c.keeps_back(&c.communiques[source]) {
                return;
            }
            let theirs = c.communiques[source].clone();
            let outcome = d.one(&[Outcome::RolledBack, Outcome::RolledBack, Outcome::Failure]);
            let as_told = d.percent(60);
            let also = (as_told && d.percent(60)).then(|| {
                let unless = d.percent(40).then_some((Sure::Delivered, HOUR));
                (d.one(&theirs.to), Step { unless, ..step(d.one(&[Mech::Webhook, Mech::Pager])) })
            });
            let corrects = Correction { of: source, perhaps: d.percent(70), as_told, also };
            c.communiques[number] = Communique {
                id: format!("c{number}"),
                corrects: Some(corrects),
                outcome: Some(outcome),
                kind: theirs.kind.filter(|_| c.is_prerelease()),
                occurrences: vec![Occurrence { id: None, at: Time::at(Anchor::Declared) }],
                words: Words::Shared,
                variants: BTreeMap::new(),
                after: Vec::new(),
                if_blocked: None,
                not_after: None,
                deadline: None,
                via: Vec::new(),
                informed_when: None,
                ..theirs
            };
            let is_back = c.events.iter().any(|(_, e)| matches!(e, Event::Declare(_, Outcome::RolledBack, _)));
            if outcome == Outcome::RolledBack && !is_back && d.percent(70) {
                let declared = c.events.iter().filter(|(_, e)| matches!(e, Event::Declare(..)));
                let last = declared.map(|(at, _)| *at).max().unwrap_or(c.planned);
                for (apart, place) in (0..).zip(c.places.clone()) {
                    c.events.push((last + 3 * HOUR + 31 + apart, Event::Declare(place, Outcome::RolledBack, "ada")));
                }
            }
        },
        |c| any(c, |c| c.corrects.is_some()),
    ),
    plain("a correction reaches some in another way as well", |c| {
        any(c, |of| of.corrects.is_some_and(|of| of.also.is_some()))
    }),
    feature(
        "somebody joins",
        9,
        |c, d| one_more_who(c, d, 50, Event::Join),
        |c| happens(c, |e| matches!(e, Event::Join(_))),
    ),
    feature(
        "somebody leaves",
        9,
        |c, d| one_more_who(c, d, 25, Event::Leave),
        |c| happens(c, |e| matches!(e, Event::Leave(_))),
    ),
];
