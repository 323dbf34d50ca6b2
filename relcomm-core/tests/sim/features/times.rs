//! When something is told, and after what.

use super::*;

pub(super) const FEATURES: &[Feature] = &[
    feature(
        "hours of a group",
        16,
        |c, d| {
            let hours = d.one(&[Window(7, 20), Window(9, 17), Window(20, 6), Window(13, 15)]);
            let group = a_group(c, d);
            group.between = Some(hours);
            group.zone = d.one(&[None, Some("America/New_York"), Some("Asia/Kolkata")]);
        },
        |c| c.groups.iter().any(|g| g.between.is_some()),
    ),
    feature(
        "hours of a communique",
        14,
        |c, d| {
            let hours = d.one(&[Window(8, 19), Window(6, 12), Window(22, 4)]);
            let of = a_communique(c, d);
            if of.variants.values().all(|v| v.at.is_none()) && !of.urgent {
                let to = of.to.clone();
                of.occurrences.iter_mut().for_each(|o| o.at.between = Some(hours));
                // Hours that never meet are an error.
                c.groups.iter_mut().filter(|g| to.contains(&g.id)).for_each(|g| g.between = None);
            }
        },
        |c| any(c, |c| c.occurrences.iter().any(|o| o.at.between.is_some())),
    ),
    feature(
        "zones of people",
        16,
        |c, d| {
            for person in &mut c.people {
                person.zone = d.one(&[None, Some("Asia/Kolkata"), Some("America/New_York"), Some("Europe/Paris")]);
            }
            let index = d.below(c.communiques.len());
            if posts(&c.communiques[index], c) {
                return;
            }
            let of = &mut c.communiques[index];
            if of.variants.values().all(|v| v.at.is_none()) && of.not_after.is_none() {
                of.occurrences.iter_mut().for_each(|o| o.at.theirs = true);
            }
        },
        |c| any(c, |c| c.times().any(|t| t.theirs)),
    ),
    feature(
        "spread",
        14,
        |c, d| {
            let over = d.one(&[1, 2]) * HOUR;
            let of = a_communique(c, d);
            if of.variants.values().all(|v| v.at.is_none()) {
                of.occurrences.iter_mut().for_each(|o| o.at.spread = Some(over));
            }
        },
        |c| any(c, |c| c.times().any(|t| t.spread.is_some())),
    ),
    feature(
        "urgent",
        14,
        |c, d| {
            let of = a_communique(c, d);
            let is_free = of.times().all(|t| t.between.is_none());
            of.urgent = is_free;
        },
        |c| any(c, |c| c.urgent),
    ),
    feature(
        "after another communique",
        75,
        |c, d| {
            let number = d.below(c.communiques.len());
            let on = d.below(number.max(1));
            let (source, of) = (c.communiques[on].clone(), &c.communiques[number]);
            let early = |time: &Time| Time { between: None, spread: None, theirs: false, ..time.clone() };
            let plain = |c: &Communique| {
                c.times().all(|t| *t == early(t) && t.days == 0 && t.business_days == 0)
                    && c.occurrences.len() == 1
                    && c.variants.is_empty()
            };
            let (theirs, own) = (&source.occurrences[0].at, &of.occurrences[0].at);
            let in_order = (theirs.anchor == own.anchor && theirs.plus <= own.plus)
                || (theirs.anchor == Anchor::Planned && own.anchor == Anchor::Declared);
            if on == number || !plain(&source) || !plain(of) || !in_order || of.not_after.is_some() {
                return;
            }
            let state = d.one(&[State::Reached(Sure::Accepted), State::Informed, State::Settled]);
            let group = d.percent(30).then(|| d.one(&source.to));
            c.communiques[number].after.push(After { on, state, group });
        },
        |c| any(c, |c| !c.after.is_empty()),
    ),
    feature(
        "after a group of another communique",
        60,
        |c, d| {
            for of in &mut c.communiques {
                for after in &mut of.after {
                    after.group = Some(d.one(&["staff"]));
                }
            }
            let to: Vec<Vec<&'static str>> = c.communiques.iter().map(|c| c.to.clone()).collect();
            for after in c.communiques.iter_mut().flat_map(|c| &mut c.after) {
                if !to[after.on].contains(&"staff") {
                    after.group = Some(to[after.on][0]);
                }
            }
        },
        |c| any(c, |c| c.after.iter().any(|a| a.group.is_some())),
    ),
    feature(
        "at what another communique has reached",
        30,
        |c, d| {
            let number = d.below(c.communiques.len());
            let on = d.below(number.max(1));
            if on == number || c.communiques[on].awaits() != c.communiques[number].awaits() {
                return;
            }
            let (outcome, plus) = (c.communiques[on].meant_for(), d.between(0, 3) * HOUR);
            let of = &mut c.communiques[number];
            let is_plain = of.occurrences.len() == 1 && of.not_after.is_none() && of.after.is_empty();
            let alone = of.variants.is_empty() && of.deadline.is_none() && of.meant_for() == outcome;
            if is_plain && alone && of.id != "c0" {
                let state = d.one(&[State::Reached(Sure::Accepted), State::Informed]);
                of.occurrences = vec![Occurrence { id: None, at: Time::at(Anchor::Reached(on, state)).plus(plus) }];
                (of.per_place, of.words) = (false, Words::Shared);
            }
        },
        |c| anchored(c, |a| matches!(a, Anchor::Reached(..))),
    ),
    feature(
        "a pre-release",
        11,
        |c, d| {
            c.version = "2.0.0-rc.1";
            for of in c.communiques.iter_mut() {
                if d.percent(70) && of.outcome.is_none() {
                    of.kind = Some("prerelease");
                }
            }
        },
        Case::is_prerelease,
    ),
    feature(
        "kinds of release",
        20,
        |c, d| {
            c.kind = d.one(&[Some("hotfix"), Some("feature")]);
            let of = a_communique(c, d);
            if of.id != "c0" && of.kind.is_none() {
                of.kind = Some("hotfix");
            }
        },
        |c| any(c, |c| c.kind == Some("hotfix")),
    ),
];
