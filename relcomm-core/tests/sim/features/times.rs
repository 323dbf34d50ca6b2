//! When something is told, and of which releases.

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
