//! For what and whom communiques are meant: places, and what the host says.

use super::*;

pub(super) const FEATURES: &[Feature] = &[
    feature(
        "only at some places",
        25,
        |c, d| {
            let some = d.some(&c.places, 50);
            let of = a_communique(c, d);
            let is_plain = of.times().all(|time| !matches!(time.anchor, Anchor::Reached(..)));
            if of.id != "c0" && is_plain {
                (of.only_at, of.per_place) = (some, true);
            }
        },
        |c| any(c, |c| !c.only_at.is_empty()),
    ),
    feature(
        "what the host says of the release",
        10,
        |c, d| {
            let of = a_communique(c, d);
            if of.id != "c0" {
                of.host = Some(d.percent(60));
            }
        },
        |c| any(c, |c| c.host.is_some()),
    ),
    feature(
        "the host chooses who belongs to a group",
        9,
        |c, d| {
            let group = a_group(c, d);
            group.only = true;
            let id = group.id;
            let mut stranger = c.people[0].clone();
            stranger.id = format!("p{}", c.people.len());
            (stranger.groups, stranger.through, stranger.opted_out) = ([].into(), None, false);
            c.people.push(stranger);
            for person in c.people.iter_mut().filter(|p| !p.groups.contains(id)) {
                if person.groups.is_empty() || d.percent(50) {
                    person.left_out.insert(id);
                }
            }
        },
        |c| c.groups.iter().any(|g| g.only),
    ),
    feature("people in a file", 15, |c, d| a_group(c, d).in_file = true, |c| c.groups.iter().any(|g| g.in_file)),
    feature(
        "something new that concerns some alone",
        10,
        |c, d| c.second_item = Some(a_group(c, d).id),
        |c| c.second_item.is_some(),
    ),
    feature("parameters", 10, |c, _| c.params = true, |c| c.params && any(c, |of| of.words == Words::Shared)),
];
