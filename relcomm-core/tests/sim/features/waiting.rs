//! What waits for what, and what is done if that never comes.

use super::*;

pub(super) const FEATURES: &[Feature] = &[
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
            c.communiques[number].after.push(After { on, state, group, share: None });
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
        "after so many of another communique",
        70,
        |c, d| {
            for after in c.communiques.iter_mut().flat_map(|c| &mut c.after).filter(|a| a.state != State::Settled) {
                after.share = d.one(&[None, Some(Require::Any), Some(Require::Share(50)), Some(Require::Share(80))]);
            }
        },
        |c| any(c, |c| c.after.iter().any(|a| a.share.is_some())),
    ),
    feature(
        "what is done when it is blocked",
        75,
        |c, d| {
            for number in 0..c.communiques.len() {
                let of = &mut c.communiques[number];
                if of.after.is_empty() || of.times().any(|t| matches!(t.anchor, Anchor::Reached(..))) {
                    continue;
                }
                let then = d.one(&[Then::Proceed, Then::Cancel, Then::Ask]);
                of.if_blocked = Some(IfBlocked { after: d.one(&[0, 0, HOUR, 5 * HOUR]), then });
                if then == Then::Ask && d.percent(60) {
                    let at = declared_at(c) + d.one(&[2, 9, 40]) * HOUR + 23;
                    c.events.push((at, Event::Resume(Some(number))));
                }
            }
        },
        |c| any(c, |c| c.if_blocked.is_some()),
    ),
    feature(
        "what a place needs",
        16,
        |c, d| {
            let before = |of: &Communique| {
                let [only] = of.occurrences.as_slice() else { return false };
                matches!(only.at.anchor, Anchor::Planned | Anchor::At(_)) && !of.awaits() && of.after.is_empty()
            };
            let fit = |(_, of): &(usize, &Communique)| before(of) && !c.keeps_back(of);
            let Some((on, _)) = c.communiques.iter().enumerate().find(fit) else { return };
            let place = d.one(&c.places);
            let state = d.one(&[State::Reached(Sure::Accepted), State::Informed, State::Settled]);
            let share = (state != State::Settled && d.percent(40)).then_some(Require::Share(50));
            c.needs.insert(place, After { on, state, group: None, share });
            let again = c.events.iter().filter(|(_, e)| matches!(e, Event::Declare(p, ..) if *p == place));
            // No two at the same minute.
            let again = again.zip(5..).map(|((at, e), apart)| (at + d.one(&[3, 9]) * HOUR + apart, e.clone()));
            let again: Vec<_> = again.collect();
            c.events.extend(again);
        },
        |c| !c.needs.is_empty(),
    ),
];
