//! Whom a plan is for and what makes them informed: groups, steps, rules, words.

use super::*;

pub(super) const FEATURES: &[Feature] = &[
    plain("several places", |c| c.places.len() > 1),
    plain("a gate for each place", |c| any(c, |c| c.per_place) && c.places.len() > 1),
    plain("a gate for the release", |c| any(c, |c| !c.per_place && c.awaits()) && c.places.len() > 1),
    plain("before the release", |c| anchored(c, |a| *a == Anchor::Planned)),
    plain("after the declaration", |c| any(c, |c| c.occurrences.iter().any(|o| o.at.plus > 0))),
    plain("after the last declaration", |c| anchored(c, |a| *a == Anchor::LastDeclared)),
    plain("after a failure", |c| any(c, |c| c.outcome == Some(Outcome::Failure))),
    plain("steps by what members have", |c| c.groups.iter().any(|g| g.via.is_empty())),
    plain("the next step after a refusal", |c| c.groups.iter().any(|g| g.via.len() > 1)),
    plain("people in several groups", |c| c.people.iter().any(|p| p.groups.len() > 1)),
    plain("the built-in text", |c| any(c, |c| c.words == Words::BuiltIn)),
    plain("texts of their own for all", |c| any(c, |c| c.words == Words::Shared)),
    plain("personal texts", |c| any(c, |c| c.words == Words::Personal)),
    plain("a failure", |c| happens(c, |e| matches!(e, Event::Declare(_, Outcome::Failure, _)))),
    plain("a halt", |c| happens(c, |e| matches!(e, Event::Declare(_, Outcome::Halted, _)))),
    feature(
        "people tied to places",
        30,
        |c, d| {
            for person in &mut c.people {
                if d.percent(40) {
                    person.places = d.some(&c.places, 50);
                }
            }
        },
        |c| c.people.iter().any(|p| !p.places.is_empty()),
    ),
    feature(
        "an instant",
        20,
        |c, d| {
            let (planned, plus) = (c.planned, d.between(-2, 9));
            if let Some(of) = a_plain_one(c, d).filter(|of| of.outcome.is_none() && of.id != "c0") {
                of.occurrences[0].at = Time::at(Anchor::At(planned + plus * HOUR));
                of.per_place = false;
                of.words = Words::Shared;
            }
        },
        |c| anchored(c, |a| matches!(a, Anchor::At(_))),
    ),
    feature(
        "occurrences",
        20,
        |c, d| {
            if let Some(of) = a_plain_one(c, d).filter(|of| of.id != "c0") {
                let at = |days: i64| Time { days: -days, hour: Some(9), ..Time::at(Anchor::Planned) };
                let bd = Time { business_days: -3, hour: Some(10), ..Time::at(Anchor::Planned) };
                let first = if d.percent(50) { at(d.between(5, 14)) } else { bd };
                of.occurrences = vec![
                    Occurrence { id: Some("early"), at: first },
                    Occurrence { id: Some("late"), at: Time::at(Anchor::Planned).plus(-2 * HOUR) },
                ];
                (of.outcome, of.per_place, of.words) = (None, false, Words::Shared);
            }
        },
        |c| any(c, |c| c.occurrences.len() > 1),
    ),
    feature(
        "calendar days",
        18,
        |c, d| {
            let (days, hour) = (d.between(1, 3), d.between(8, 16) as u32);
            if let Some(of) = a_plain_one(c, d).filter(|of| of.occurrences[0].at.anchor == Anchor::Declared) {
                of.occurrences[0].at = Time { days, hour: Some(hour), ..Time::at(Anchor::Declared) };
            }
        },
        |c| any(c, |c| c.occurrences.iter().any(|o| o.at.days != 0 || o.at.business_days != 0)),
    ),
    feature(
        "the roll-out begins",
        22,
        |c, d| {
            let place = d.one(&c.places);
            let at = declared_at(c) - d.between(1, 3) * HOUR + 9;
            c.events.push((at, Event::Declare(place, Outcome::Begun, "ada")));
            if let Some(of) = a_plain_one(c, d).filter(|of| of.id != "c0") {
                of.occurrences[0].at = Time::at(Anchor::Begun).plus(d.between(0, 1) * HOUR);
                (of.outcome, of.words) = (None, Words::Shared);
            }
        },
        |c| happens(c, |e| matches!(e, Event::Declare(_, Outcome::Begun, _))),
    ),
    feature(
        "a roll-back",
        16,
        |c, d| {
            let place = d.one(&c.places);
            let last = c.events.iter().filter(|(_, e)| matches!(e, Event::Declare(p, ..) if *p == place));
            let last = last.map(|(at, _)| *at).max().unwrap_or(c.planned);
            let by = d.one(&[2, 3, 9, 30, 50]) * HOUR + 31;
            c.events.push((last + by, Event::Declare(place, Outcome::RolledBack, "ada")));
            if let Some(of) = a_plain_one(c, d).filter(|of| of.id != "c0") {
                of.occurrences[0].at = Time::at(Anchor::Declared);
                (of.outcome, of.words, of.per_place) = (Some(Outcome::RolledBack), Words::Shared, d.percent(70));
            }
        },
        |c| happens(c, |e| matches!(e, Event::Declare(_, Outcome::RolledBack, _))),
    ),
    feature(
        "halted, and then a success",
        12,
        |c, d| {
            let found = c.events.iter().position(|(_, e)| matches!(e, Event::Declare(_, Outcome::Success, _)));
            let Some((at, Event::Declare(place, ..))) = found.map(|index| c.events[index].clone()) else { return };
            c.events.push((at - d.between(1, 2) * HOUR, Event::Declare(place, Outcome::Halted, "ada")));
        },
        |c| {
            let of = |place: &str, outcome: Outcome| {
                let is = |e: &&(Minutes, Event)| matches!(e.1, Event::Declare(p, o, _) if p == place && o == outcome);
                c.events.iter().find(is).map(|(at, _)| *at)
            };
            let both = |p: &str| of(p, Outcome::Halted).zip(of(p, Outcome::Success));
            c.places.iter().any(|p| both(p).is_some_and(|(halted, success)| halted < success))
        },
    ),
    feature(
        "too late after a time",
        22,
        |c, d| {
            let by = d.between(1, 30) * HOUR + 40;
            let of = a_communique(c, d);
            let at = &of.occurrences[0].at;
            if of.variants.values().all(|v| v.at.is_none()) && !matches!(at.anchor, Anchor::Reached(..)) {
                let last = of.occurrences.iter().map(|o| o.at.clone()).next_back();
                let mut end = last.unwrap_or_else(|| at.clone());
                (end.between, end.spread, end.theirs) = (None, None, false);
                of.not_after = Some(end.plus_or_days(by));
            }
        },
        |c| any(c, |c| c.not_after.is_some()),
    ),
    feature(
        "deadlines",
        15,
        |c, d| {
            let by = d.one(&[2, 4, 8, 40]) * HOUR;
            let of = a_communique(c, d);
            if let [only] = of.occurrences.as_slice()
                && !matches!(only.at.anchor, Anchor::Reached(..))
            {
                let plain = Time { between: None, spread: None, theirs: false, ..only.at.clone() };
                of.deadline = Some(plain.plus_or_days(by));
            }
        },
        |c| any(c, |c| c.deadline.is_some()),
    ),
    feature(
        "informed within",
        16,
        |c, d| a_group(c, d).within = Some(d.one(&[1, 3, 6]) * HOUR),
        |c| c.groups.iter().any(|g| g.within.is_some()),
    ),
    feature(
        "unless and within",
        30,
        |c, d| {
            let unless = Some((d.one(&[Sure::Delivered, Sure::Acknowledged]), d.one(&[1, 2, 12]) * HOUR));
            let group = a_group(c, d);
            group.via = vec![step(Mech::Email), Step { unless, ..step(Mech::Pager) }];
            if d.percent(30) {
                group.via.push(Step { unless, ..step(Mech::Webhook) });
            }
        },
        |c| c.groups.iter().any(|g| g.via.iter().any(|s| s.unless.is_some())),
    ),
    feature(
        "all at once",
        9,
        |c, d| {
            let with = Some(Mech::Pager);
            let unless = d.percent(50).then(|| (Sure::Delivered, d.one(&[1, 2]) * HOUR));
            let group = a_group(c, d);
            group.via = vec![Step { with, ..step(Mech::Email) }, Step { unless, ..step(Mech::Webhook) }];
            group.via.truncate(d.between(1, 2) as usize);
        },
        |c| c.groups.iter().any(|g| g.via.iter().any(|s| s.with.is_some())),
    ),
    feature(
        "others are reached if they do not answer",
        10,
        |c, d| {
            let unless = Some((d.one(&[Sure::Delivered, Sure::Acknowledged]), d.one(&[1, 2]) * HOUR));
            let index = d.below(c.groups.len());
            // Whoever is told already is not reached in their own place.
            let others = ["p0", "p1", "responsible"];
            let is_other = |id: &str| c.people.iter().all(|p| p.id != id || !p.groups.contains(c.groups[index].id));
            let others: Vec<&'static str> = others.into_iter().filter(|id| is_other(id)).collect();
            let to = Some(Reach::Named(d.one(&others)));
            let group = &mut c.groups[index];
            group.via = vec![step(Mech::Email), Step { to, unless, ..step(Mech::Email) }];
            if d.percent(50) {
                group.informed_when = unless.map(|(sure, _)| sure);
            }
        },
        |c| c.groups.iter().any(|g| g.via.iter().any(|s| matches!(s.to, Some(Reach::Named(_))))),
    ),
    feature(
        "who is next stands in their data",
        10,
        |c, d| {
            let unless = Some((d.one(&[Sure::Delivered, Sure::Acknowledged]), d.one(&[1, 2]) * HOUR));
            let group = a_group(c, d);
            group.via = vec![step(Mech::Email), Step { to: Some(Reach::Second), unless, ..step(Mech::Email) }];
            if d.percent(50) {
                group.informed_when = unless.map(|(sure, _)| sure);
            }
            let id = group.id;
            let all = &["p0", "p1", "p2"][..c.people.len().min(3)];
            for person in c.people.iter_mut().filter(|p| p.groups.contains(id)) {
                let others = all.iter().copied().filter(|other| *other != person.id);
                person.second = Some(d.one(&others.collect::<Vec<_>>()));
            }
        },
        |c| c.groups.iter().any(|g| g.via.iter().any(|s| s.to == Some(Reach::Second))),
    ),
    feature(
        "posts",
        18,
        |c, d| {
            let group = a_group(c, d);
            group.via = vec![step(d.one(&[Mech::Website, Mech::Chat]))];
            if d.percent(60) {
                group.via.push(step(Mech::Email));
            }
            group.informed_when = None;
        },
        |c| c.groups.iter().any(|g| g.via.iter().any(|s| s.via.is_post())),
    ),
    feature(
        "by hand, and attested",
        20,
        |c, d| {
            let group = a_group(c, d);
            group.via = vec![step(Mech::Phone)];
            (group.informed_when, group.require) = (None, Require::All);
            let id = group.id;
            for person in c.people.iter_mut().filter(|p| p.groups.contains(id) && p.through.is_none()) {
                person.has.insert(Mech::Phone);
            }
            for number in 0..c.communiques.len() {
                if !c.communiques[number].to.contains(&id) {
                    continue;
                }
                for person in c.people.iter().filter(|p| p.groups.contains(id)) {
                    if d.percent(70) {
                        let at = c.planned + d.between(-2, 30) * HOUR + 13;
                        let (person, done) = (person.id.clone(), d.percent(80));
                        c.events.push((at, Event::Attest { communique: number, person, done }));
                    }
                }
            }
        },
        |c| happens(c, |e| matches!(e, Event::Attest { .. })),
    ),
    feature(
        "who performs it by hand",
        60,
        |c, d| {
            for step in c.groups.iter_mut().flat_map(|g| &mut g.via).filter(|step| step.via.is_by_hand()) {
                step.performer = d.one(&[None, Some("caller"), Some("walker")]);
            }
        },
        |c| c.groups.iter().any(|g| g.via.iter().any(|s| s.performer.is_some())),
    ),
    feature(
        "a rule of being informed, of a group",
        28,
        |c, d| {
            let sure = d.one(&[Sure::Delivered, Sure::Acknowledged]);
            let group = a_group(c, d);
            if group.via.first().is_some_and(|s| s.via == Mech::Email) {
                group.informed_when = Some(sure);
            }
        },
        |c| c.groups.iter().any(|g| g.informed_when.is_some()),
    ),
    feature(
        "a rule of being informed, of a communique",
        25,
        |c, d| {
            let sure = d.one(&[Sure::Delivered, Sure::Acknowledged]);
            let index = d.below(c.communiques.len());
            let fits = |g: &&'static str| c.group(g).via.first().is_some_and(|s| s.via == Mech::Email);
            if c.communiques[index].to.iter().all(fits) && c.communiques[index].via.is_empty() {
                c.communiques[index].informed_when = Some(sure);
            }
        },
        |c| any(c, |c| c.informed_when.is_some()),
    ),
    feature(
        "steps of a communique's own",
        15,
        |c, d| {
            let of = a_communique(c, d);
            if of.informed_when.is_none() {
                of.via = vec![step(d.one(&[Mech::Email, Mech::Webhook])), step(Mech::Email)];
                of.via.dedup();
            }
        },
        |c| any(c, |c| !c.via.is_empty()),
    ),
    feature(
        "shares",
        18,
        |c, d| a_group(c, d).require = d.one(&[Require::Any, Require::Share(50), Require::Share(90)]),
        |c| c.groups.iter().any(|g| matches!(g.require, Require::Any | Require::Share(_))),
    ),
    feature(
        "one of each company",
        12,
        |c, d| {
            for person in &mut c.people {
                person.company = Some(d.one(&["voss", "lee", "ito"]));
            }
            a_group(c, d).require = Require::OnePerCompany;
        },
        |c| c.groups.iter().any(|g| g.require == Require::OnePerCompany),
    ),
    feature(
        "wishes not to be told",
        22,
        |c, d| {
            a_person(c, d).opted_out = true;
            a_group(c, d).despite_opt_out = d.percent(40);
        },
        |c| c.people.iter().any(|p| p.opted_out),
    ),
    feature(
        "told all the same",
        12,
        |c, d| {
            a_person(c, d).opted_out = true;
            a_group(c, d).despite_opt_out = true;
        },
        |c| c.groups.iter().any(|g| g.despite_opt_out),
    ),
    feature(
        "gaps that are accepted",
        16,
        |c, d| {
            let person = a_person(c, d);
            person.opted_out = true;
            let (id, groups) = (person.id.clone(), person.groups.clone());
            for group in c.groups.iter_mut().filter(|g| groups.contains(g.id)) {
                if group.require != Require::OnePerCompany {
                    group.must_inform = true;
                }
            }
            if d.percent(85) {
                let at = c.planned - 3 * HOUR + d.between(0, 5) * HOUR + 17;
                let company = c.person(&id).company.filter(|_| d.percent(40));
                c.events.push((at, Event::AcceptGap(company.map_or(Gap::Person(id), Gap::Company))));
            }
        },
        |c| happens(c, |e| matches!(e, Event::AcceptGap(_))),
    ),
    feature(
        "standing for many",
        12,
        |c, d| a_person(c, d).stands_for = d.between(2, 30) as u32,
        |c| c.people.iter().any(|p| p.stands_for > 1),
    ),
    feature(
        "told through another",
        14,
        |c, d| {
            let leader = d.below(c.people.len());
            if c.people[leader].through.is_some() {
                return;
            }
            let (id, groups) = (c.people[leader].id.clone(), c.people[leader].groups.clone());
            let places = c.people[leader].places.clone();
            let group = d.one(&groups.into_iter().collect::<Vec<_>>());
            let number = c.people.len();
            let led = Person {
                id: format!("p{number}"),
                groups: [group].into(),
                through: Some(id),
                has: Default::default(),
                places,
                opted_out: false,
                ..c.people[leader].clone()
            };
            c.people.push(Person { stands_for: 1, ..led });
        },
        |c| c.people.iter().any(|p| p.through.is_some()),
    ),
    feature(
        "languages, with a fallback or without",
        18,
        |c, d| {
            for person in &mut c.people {
                person.language = d.one(&[Some("en"), Some("de"), Some("de-CH"), Some("fr"), None]);
            }
            let languages = d.one(&[&["de", "en"][..], &["de", "en"], &[]]).to_vec();
            for group in &mut c.groups {
                group.languages.clone_from(&languages);
            }
            let of = a_communique(c, d);
            if of.words != Words::BuiltIn && of.variants.values().all(|v| !v.text) {
                of.words = Words::ByLanguage;
            }
        },
        |c| any(c, |c| c.words == Words::ByLanguage),
    ),
    feature(
        "other words or times for one group",
        28,
        |c, d| {
            let index = d.below(c.communiques.len());
            let posts = posts(&c.communiques[index], c);
            let of = &mut c.communiques[index];
            if of.occurrences.len() > 1 || of.not_after.is_some() || of.words == Words::ByLanguage {
                return;
            }
            let group = d.one(&of.to);
            let at = &of.occurrences[0].at;
            let mut variant = Variant { text: d.percent(60), ..Variant::default() };
            if !posts && !matches!(at.anchor, Anchor::Reached(..)) && d.percent(60) {
                variant.at = Some(at.clone().plus_or_days(d.between(2, 5) * HOUR));
            }
            if !posts && of.informed_when.is_none() && d.percent(40) {
                variant.via = vec![step(Mech::Email)];
            }
            if variant.at.is_none() && variant.via.is_empty() {
                variant.text = true;
            }
            of.variants.insert(group, variant);
        },
        |c| any(c, |c| !c.variants.is_empty()),
    ),
];
