//! Cases are made up: a plain one first, and then features are added to it, each with a chance of its own.

use crate::dice::Dice;
use crate::features::features;
use crate::model::*;
use std::collections::{BTreeMap, BTreeSet};

/// 2027-05-12 and two days on which clocks have just been changed, each at 08:00Z.
const PLANNED: [Minutes; 3] = [30_168_480, 30_105_120, 30_417_600];

/// How large a case may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    Usual,
    /// Three communiques at most and few people: small enough to crash everywhere.
    Small,
}

const GROUPS: [&str; 4] = ["staff", "clients", "partners", "press"];

pub(crate) fn case(seed: u64, size: Size) -> Case {
    let mut dice = Dice::apart(seed, "case");
    let d = &mut dice;
    let planned = d.one(&PLANNED);
    let small = size == Size::Small;
    let mut case = Case {
        seed,
        planned,
        start: planned - 4 * HOUR,
        zone: d.one(&["UTC", "Europe/Zurich"]),
        version: "2.0.0",
        kind: None,
        second_item: None,
        params: false,
        places: ["eu", "us", "ap"][..if small { 1 } else { d.between(1, 3) as usize }].to_vec(),
        settle: None,
        exposure: None,
        resend: false,
        approvals: Approvals::default(),
        declares: Vec::new(),
        needs: BTreeMap::new(),
        embargo: None,
        groups: Vec::new(),
        people: Vec::new(),
        communiques: Vec::new(),
        events: Vec::new(),
        trouble: Trouble::default(),
    };
    for id in &GROUPS[..if small { d.between(1, 2) } else { d.between(2, 4) } as usize] {
        case.groups.push(group(d, id));
    }
    for number in 0..if small { d.between(2, 3) } else { d.between(3, 8) } {
        let person = person(d, number, &case);
        case.people.push(person);
    }
    let everybody = case.people.len();
    for (index, id) in case.groups.iter().map(|g| g.id).enumerate() {
        if !case.people.iter().any(|p| p.groups.contains(id)) {
            case.people[index % everybody].groups.insert(id);
        }
    }
    let most = if small { d.between(1, 3) } else { d.between(4, 8) };
    for number in 0..most {
        let communique = communique(d, number as usize, &case);
        case.communiques.push(communique);
    }
    declarations(d, &mut case);
    for feature in features() {
        let chance = if small { feature.percent / 2 } else { feature.percent };
        if let Some(add) = feature.add.filter(|_| d.percent(chance)) {
            add(&mut case, d);
        }
    }
    mend(&mut case);
    case.start = case.start.min(first_time(&case) - HOUR);
    case.events.sort_by_key(|(at, _)| *at);
    case
}

/// What features have made of each other is made into a valid plan again.
fn mend(case: &mut Case) {
    let posting: BTreeSet<&'static str> =
        case.groups.iter().filter(|g| g.via.iter().any(|s| s.via.is_post())).map(|g| g.id).collect();
    for of in &mut case.communiques {
        if !of.per_place {
            of.only_at.clear();
        }
        // What is posted for all cannot speak to one.
        if of.words == Words::Personal && of.to.iter().any(|g| posting.contains(g)) {
            of.words = Words::Shared;
        }
    }
    let rules: BTreeMap<&'static str, Sure> =
        case.groups.iter().map(|g| (g.id, g.informed_when.unwrap_or(Sure::Accepted))).collect();
    let steps: BTreeMap<&'static str, Vec<Step>> = case.groups.iter().map(|g| (g.id, g.via.clone())).collect();
    for of in case.communiques.iter_mut().filter(|of| of.informed_when.is_none()) {
        // Whoever is in several goes by the steps of one and by the rules of all.
        let most = case.people.iter().filter_map(|who| {
            let theirs: Vec<&'static str> = of.to.iter().copied().filter(|g| who.groups.contains(g)).collect();
            let of_variant = theirs.iter().find_map(|g| Some(&of.variants.get(g)?.via));
            let of_group = theirs.first().and_then(|g| steps.get(g));
            let via = [of_variant, Some(&of.via), of_group].into_iter().flatten().find(|via| !via.is_empty())?;
            let proved = via.iter().flat_map(|step| step.mechanisms()).map(Mech::proves).max()?;
            theirs.iter().any(|g| rules[g] > proved).then_some(proved)
        });
        of.informed_when = most.min();
    }
    // What can only follow another waits for what that waits for.
    for number in 0..case.communiques.len() * case.communiques.len() {
        let number = number % case.communiques.len();
        let of = &case.communiques[number];
        let anchors = of.occurrences.iter().map(|o| match o.at.anchor {
            Anchor::Reached(on, state) if state != State::Settled => Some(on),
            _ => None,
        });
        let anchors: Vec<usize> = anchors.collect::<Option<_>>().unwrap_or_default();
        let after = of.after.iter().filter(|after| after.state != State::Settled).map(|after| after.on);
        let cause = anchors.into_iter().chain(after).find(|on| case.communiques[*on].awaits());
        if let Some(on) = cause.filter(|_| !of.awaits()) {
            case.communiques[number].follows = Some(case.communiques[on].meant_for());
        }
    }
    // Nobody is told by whoever opted out, but where that is a gap.
    for number in 0..case.people.len() {
        let Some(leader) = case.people[number].through.clone() else { continue };
        let minds = |g: &Group| case.people[number].groups.contains(g.id) && !g.must_inform && !g.despite_opt_out;
        if case.groups.iter().any(minds) {
            case.people.iter_mut().filter(|who| who.id == leader).for_each(|who| who.opted_out = false);
        }
    }
    let with_hours: BTreeSet<&'static str> = case.groups.iter().filter(|g| g.between.is_some()).map(|g| g.id).collect();
    for of in case.communiques.iter_mut().filter(|of| !of.urgent) {
        let own = of.times().any(|time| time.between.is_some());
        if (own || of.to.iter().any(|g| with_hours.contains(g)))
            && let Some(end) = &mut of.not_after
        {
            end.days += 2;
        }
    }
}

/// Everybody is there before anything is due.
fn first_time(case: &Case) -> Minutes {
    let days = |time: &Time| (-time.days).max(-time.business_days * 2 + 2).max(0);
    let early = |time: &Time| match time.anchor {
        Anchor::Planned => case.planned - (days(time) + 2) * DAY,
        Anchor::At(at) => at,
        _ => case.planned,
    };
    let events = case.events.iter().map(|(at, _)| *at);
    case.communiques.iter().flat_map(Communique::times).map(early).chain(events).min().unwrap_or(case.planned)
}

fn group(d: &mut Dice, id: &'static str) -> Group {
    let plain = Step::by;
    let via = match d.below(6) {
        0 => Vec::new(),
        1 | 2 => vec![plain(Mech::Email)],
        3 => vec![plain(Mech::Email), plain(Mech::Pager)],
        4 => vec![plain(Mech::Pager), plain(Mech::Email)],
        _ => vec![plain(Mech::Webhook), plain(Mech::Email)],
    };
    Group {
        id,
        via,
        informed_when: None,
        within: None,
        require: Require::All,
        must_inform: false,
        despite_opt_out: false,
        zone: None,
        between: None,
        languages: Vec::new(),
        waived: false,
        only: false,
        in_file: false,
    }
}

fn person(d: &mut Dice, number: i64, case: &Case) -> Person {
    let ids: Vec<&'static str> = case.groups.iter().map(|g| g.id).collect();
    let mut groups = BTreeSet::from([d.one(&ids)]);
    if d.percent(25) {
        groups.insert(d.one(&ids));
    }
    let mut has = BTreeSet::from([Mech::Email]);
    has.extend([Mech::Webhook, Mech::Pager, Mech::Phone].into_iter().filter(|_| d.percent(50)));
    Person {
        id: format!("p{number}"),
        groups,
        left_out: BTreeSet::new(),
        has,
        language: None,
        places: Vec::new(),
        zone: None,
        stands_for: 1,
        through: None,
        opted_out: false,
        company: None,
        second: None,
    }
}

fn communique(d: &mut Dice, number: usize, case: &Case) -> Communique {
    let ids: Vec<&'static str> = case.groups.iter().map(|g| g.id).collect();
    let first = number == 0;
    let to = if first { ids.clone() } else { d.some(&ids, 40) };
    let (outcome, at) = match d.below(10) {
        _ if first => (None, Time::at(Anchor::Declared)),
        0..=3 => (None, Time::at(Anchor::Declared).plus(d.between(0, 6) * HOUR)),
        4..=6 => (None, Time::at(Anchor::Planned).plus(-d.between(1, 3) * HOUR)),
        7 => (Some(Outcome::Success), Time::at(Anchor::Declared)),
        8 => (Some(Outcome::Failure), Time::at(Anchor::Declared)),
        _ => (None, Time::at(Anchor::LastDeclared).plus(d.between(0, 2) * HOUR)),
    };
    let words = if at.anchor == Anchor::Planned || outcome == Some(Outcome::Failure) || d.percent(50) {
        d.one(&[Words::Shared, Words::Shared, Words::Personal])
    } else {
        Words::BuiltIn
    };
    Communique {
        id: format!("c{number}"),
        to,
        corrects: None,
        per_place: at.anchor != Anchor::Planned && at.anchor != Anchor::LastDeclared && d.percent(35),
        outcome,
        kind: None,
        only_at: Vec::new(),
        host: None,
        occurrences: vec![Occurrence { id: None, at }],
        after: Vec::new(),
        if_blocked: None,
        not_after: None,
        deadline: None,
        urgent: false,
        undeclared: false,
        on_slip: false,
        via: Vec::new(),
        informed_when: None,
        resend: None,
        follows: None,
        words,
        variants: BTreeMap::new(),
    }
}

fn declarations(d: &mut Dice, case: &mut Case) {
    for (number, place) in case.places.clone().into_iter().enumerate() {
        let at = case.planned + (d.between(0, 4) + 5 * number as i64) * HOUR + 7;
        let outcome = match d.below(20) {
            0..=15 => Outcome::Success,
            16 | 17 => Outcome::Failure,
            _ => Outcome::Halted,
        };
        case.events.push((at, Event::Declare(place, outcome, "ada")));
    }
}

/// What a far side does with what it is given: thrown anew for each message, person and mechanism.
pub(crate) fn manner(case: &Case, message: &str, whom: &str, mech: Mech) -> Manner {
    let mut dice = Dice::apart(case.seed, &format!("{message}/{whom}/{}", mech.word()));
    let d = &mut dice;
    let usual = Answer::Takes { after: 0, wait: None };
    let mut answer = match d.below(100) {
        0..=61 => usual,
        62..=73 => Answer::Refuses,
        74..=83 => Answer::Takes { after: d.between(1, 3) as u32, wait: None },
        84..=87 => Answer::Takes { after: 1, wait: Some(90) },
        88..=90 => Answer::Never,
        91..=94 => Answer::Lost { arrived: d.percent(50) },
        95..=97 => Answer::Hangs { arrived: d.percent(50) },
        _ => usual,
    };
    if mech.is_by_hand() && !matches!(answer, Answer::Refuses) {
        answer = usual;
    }
    let takes = if d.percent(20) { d.between(1, 9) } else { 0 };
    let mut later = Vec::new();
    if !mech.is_post() && !mech.is_by_hand() {
        let most = if mech == Mech::Webhook { Sure::Delivered } else { Sure::Acknowledged };
        if d.percent(55) {
            later.push((d.one(&[1, 2, 5]), Word::Got(Sure::Delivered)));
        }
        if d.percent(35) && most == Sure::Acknowledged {
            later.push((d.one(&[3, 8, 5 * HOUR, 29 * HOUR]), Word::Got(Sure::Acknowledged)));
        }
        if later.is_empty() && d.percent(20) {
            later.push((d.one(&[2, 5 * HOUR]), Word::Bounced));
        }
        if d.percent(6) {
            later.push((4, Word::Forged));
        }
    }
    Manner { answer, takes, later }
}
