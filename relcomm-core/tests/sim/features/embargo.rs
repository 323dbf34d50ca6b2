//! What must not be known before its time. These come last: whatever else is said early says nothing of it.

use super::*;

pub(super) const FEATURES: &[Feature] = &[
    feature(
        "an embargo",
        15,
        |c, d| {
            let until = c.planned + d.one(&[-1, 0, 3, 9]) * HOUR + 19;
            let mut cleared = if d.percent(60) { vec![d.one(&["staff"])] } else { Vec::new() };
            // Whoever is reached in a member's place may be no member.
            let steps = c.groups.iter().flat_map(|g| &g.via).chain(c.communiques.iter().flat_map(|of| &of.via));
            if steps.into_iter().any(|step| step.to.is_some_and(|to| to != Reach::Named("responsible"))) {
                cleared.clear();
            }
            let after = c.communiques.iter().flat_map(|of| &of.after).chain(c.needs.values());
            let waited: Vec<usize> = after.map(|after| after.on).collect();
            let number = d.below(c.communiques.len());
            let is_free = |of: &Communique| {
                of.id != "c0"
                    && of.corrects.is_none()
                    && of.after.is_empty()
                    && of.not_after.is_none()
                    && of.deadline.is_none()
            };
            let of = &mut c.communiques[number];
            if is_free(of) && !waited.contains(&number) && of.variants.is_empty() {
                of.occurrences =
                    vec![Occurrence { id: None, at: Time::at(Anchor::Embargo).plus(d.between(0, 1) * HOUR) }];
                (of.outcome, of.undeclared, of.per_place) = (None, d.percent(50), false);
                if of.words == Words::BuiltIn {
                    of.words = Words::Shared;
                }
            }
            for of in &mut c.communiques {
                let is_cleared = of.to.iter().all(|group| cleared.contains(group));
                let is_early = of.times().any(|time| match time.anchor {
                    Anchor::Planned => true,
                    Anchor::At(at) => at < until,
                    _ => false,
                });
                if is_early && !is_cleared {
                    of.words = Words::Neutral;
                    of.variants.values_mut().for_each(|variant| variant.text = false);
                    of.variants.retain(|_, variant| variant.at.is_some() || !variant.via.is_empty());
                }
            }
            if d.percent(50) {
                let by = d.one(&["ada", "ada", "ben", "cal"]);
                c.events.push((until + d.one(&[-5, -1, 2, 20]) * HOUR + 39, Event::Lift(by)));
            }
            c.embargo = Some(Embargo { until, cleared });
        },
        |c| c.embargo.is_some(),
    ),
    plain("when the embargo ends", |c| anchored(c, |a| *a == Anchor::Embargo)),
    plain("an embargo that is lifted", |c| happens(c, |e| matches!(e, Event::Lift(_)))),
];
