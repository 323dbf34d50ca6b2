//! What people say, and what goes wrong.

use super::*;
use crate::plans;

pub(super) const FEATURES: &[Feature] = &[
    feature(
        "approvals",
        25,
        |c, d| {
            let only = d.percent(30).then(|| vec![c.communiques[d.below(c.communiques.len())].id.clone()]);
            c.approvals.need.push(("owner", Vec::new()));
            if let Some(only) = only {
                c.approvals.need.push(("legal", only));
            }
            c.approvals.with_people = d.percent(30);
            let early = c.planned - 9 * HOUR;
            for (role, by) in [("owner", "owner-a"), ("legal", "legal-b")].into_iter().take(c.approvals.need.len()) {
                let at = early + if d.percent(30) { d.between(6, 20) * HOUR + 49 } else { 0 };
                if d.percent(90) {
                    c.events.push((at, Event::Approve(role, by, false)));
                }
                if d.percent(10) {
                    c.events.push((at + 45 * HOUR + 2, Event::Approve(role, by, true)));
                }
            }
        },
        |c| !c.approvals.need.is_empty(),
    ),
    feature(
        "approvals that expire",
        40,
        |c, d| {
            if !c.approvals.need.is_empty() {
                c.approvals.expire_days = Some(d.between(1, 3));
            }
        },
        |c| c.approvals.expire_days.is_some(),
    ),
    feature(
        "several people for several acts",
        40,
        |c, _| c.approvals.distinct = !c.approvals.need.is_empty(),
        |c| c.approvals.distinct,
    ),
    feature(
        "only some may declare",
        12,
        |c, d| {
            c.declares = d.one(&[&["responsible"][..], &["ada", "cal"][..]]).to_vec();
            let mut late = Vec::new();
            // No two at the same minute.
            for (apart, (at, event)) in (3..).zip(&mut c.events) {
                if let Event::Declare(place, outcome, by) = event {
                    *by = d.one(&["ada", "ada", "ben", "cal"]);
                    if *by != "ada" && d.percent(70) {
                        late.push((*at + 2 * HOUR + apart, Event::Declare(place, *outcome, "ada")));
                    }
                }
            }
            c.events.extend(late);
        },
        |c| !c.declares.is_empty(),
    ),
    feature(
        "hold and resume",
        22,
        |c, d| {
            let which = d.percent(60).then(|| d.below(c.communiques.len()));
            let at = declared_at(c) + d.between(-3, 3) * HOUR + 37;
            c.events.push((at, Event::Hold(which)));
            if d.percent(85) {
                c.events.push((at + d.one(&[1, 4, 26]) * HOUR + 11, Event::Resume(which)));
            }
        },
        |c| happens(c, |e| matches!(e, Event::Hold(_))),
    ),
    feature(
        "cancel",
        13,
        |c, d| {
            let which = d.percent(80).then(|| d.below(c.communiques.len()));
            let at = declared_at(c) + d.between(-2, 8) * HOUR + 41;
            c.events.push((at, Event::Cancel(which)));
        },
        |c| happens(c, |e| matches!(e, Event::Cancel(_))),
    ),
    feature("what is unknown is sent again", 15, |c, _| c.resend = true, |c| c.resend),
    feature(
        "a rule for what is unknown, of a communique",
        14,
        |c, d| {
            let resend = !c.resend;
            a_communique(c, d).resend = Some(resend);
        },
        |c| any(c, |c| c.resend.is_some()),
    ),
    feature("exposure", 14, |c, d| c.exposure = Some(d.between(2, 5) as u32), |c| c.exposure.is_some()),
    feature("settling", 14, |c, d| c.settle = Some(d.between(1, 3) * DAY), |c| c.settle.is_some()),
    feature(
        "a group that is waived",
        12,
        |c, _| {
            if !c.groups.iter().any(|g| g.id == "archive") {
                let mut group = c.groups[0].clone();
                (group.id, group.waived, group.via) = ("archive", true, vec![step(Mech::Email)]);
                (group.informed_when, group.require, group.must_inform) = (None, Require::All, false);
                c.groups.push(group);
                let id = c.people.len();
                let mut person = c.people[0].clone();
                (person.id, person.groups, person.through) = (format!("p{id}"), ["archive"].into(), None);
                (person.has, person.opted_out) = ([Mech::Email].into(), false);
                c.people.push(person);
            }
        },
        |c| c.groups.iter().any(|g| g.waived),
    ),
    feature("two dispatchers", 30, |c, _| c.trouble.two = true, |c| c.trouble.two),
    feature(
        "crashes",
        30,
        |c, d| {
            for _ in 0..d.between(1, 2) {
                let when = match d.below(3) {
                    0 => When::Before(d.between(1, 40) as u32),
                    1 => When::After(d.between(1, 40) as u32),
                    _ => When::Point(d.between(1, 30) as u32),
                };
                let who = if c.trouble.two { d.below(2) } else { 0 };
                c.trouble.crashes.push(Crash { who, when, back: d.between(1, 60) });
            }
        },
        |c| !c.trouble.crashes.is_empty(),
    ),
    feature(
        "a far side is out",
        14,
        |c, d| {
            let mech = d.one(&Mech::ALL);
            let at = declared_at(c) + d.between(0, 2) * HOUR - 1;
            c.trouble.outages.push((mech, at, d.between(2, 4)));
        },
        |c| !c.trouble.outages.is_empty(),
    ),
    feature(
        "clock jumps",
        14,
        |c, d| {
            let at = declared_at(c) + d.between(-2, 6) * HOUR + 3;
            c.events.push((at, Event::Jump(d.one(&[-4, -2, 2, 4]))));
        },
        |c| happens(c, |e| matches!(e, Event::Jump(_))),
    ),
    feature(
        "somebody is erased",
        7,
        |c, d| {
            let who = a_person(c, d).id.clone();
            c.events.push((declared_at(c) + d.one(&[1, 4, 20]) * HOUR + 27, Event::Erase(who)));
        },
        |c| happens(c, |e| matches!(e, Event::Erase(_))),
    ),
    feature(
        "the clock jumps far",
        7,
        |c, d| {
            let at = declared_at(c) + d.between(-2, 6) * HOUR + 4;
            c.events.push((at, Event::Jump(d.one(&[-240, 35, 90, 240]))));
        },
        |c| happens(c, |e| matches!(e, Event::Jump(by) if by.abs() > 10)),
    ),
    plain("refusals, doubt and receipts", |c| {
        let manners = c.people.iter().flat_map(|p| p.has.iter().map(move |m| (p, m)));
        manners
            .map(|(p, m)| plans::manner(c, "c0", &p.id, *m))
            .any(|m| m.answer != Answer::Takes { after: 0, wait: None })
    }),
];
