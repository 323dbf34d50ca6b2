//! What must be true of every play, and whether what came of it is what was foretold.

use crate::corrections;
use crate::far_side::{Call, gate_name};
use crate::model::{Case, Communique, Event, Mech, Minutes, Outcome, Person, Repeats, Words};
use crate::oracle::{Class, Cut, Oracle, Readiness, as_shown};
use crate::play::Played;
use relcomm_core::clock::Moment;
use relcomm_core::report::{Class as Reported, DeliveryReport, Report, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What is wrong with a play, and how much of it was foretold for sure.
#[derive(Debug, Default)]
pub(crate) struct Judgement {
    pub(crate) wrong: Vec<String>,
    pub(crate) rows: usize,
    pub(crate) foretold: usize,
}

fn class(of: Reported) -> Class {
    match of {
        Reported::Exempt => Class::Exempt,
        Reported::Informed => Class::Informed,
        Reported::Unconfirmed => Class::Unconfirmed,
        Reported::NotInformed => Class::NotInformed,
    }
}

/// Whether it is a number in the place of somebody who was erased.
pub(crate) fn is_stand_in(id: &str) -> bool {
    id.starts_with("#erased-")
}

pub(crate) fn gate(row: &DeliveryReport) -> String {
    gate_name(&row.communique, row.occurrence.as_deref(), row.place.as_deref(), row.revision)
}

/// Whether the answer of a call was lost with whoever heard it.
pub(crate) fn is_lost(played: &Played, call: &Call) -> bool {
    let dies = |(who, at): &(usize, Moment)| {
        *who == call.by && call.began <= *at && call.ended.is_none_or(|ended| ended == *at)
    };
    played.deaths.iter().any(dies)
}

/// What a crash has cut off, as far as the far sides can tell.
pub(crate) fn cut(case: &Case, played: &Played) -> Cut {
    let mut cut = Cut { refused: played.refused.keys().copied().collect(), ..Cut::default() };
    let key = |call: &Call| (call.to.gate.clone(), call.to.who.clone(), call.to.mech);
    cut.decided.extend(played.calls.iter().filter(|call| call.decided).map(key));
    for (who, died) in &played.deaths {
        let at = died.millis() / 60_000;
        let jumps = case.events.iter().filter(|(when, _)| *when <= at);
        cut.deaths.push(at + jumps.map(|(_, e)| if let Event::Jump(by) = e { *by } else { 0 }).sum::<Minutes>());
        let is_cut = |call: &&Call| {
            let open = call.ended.is_none_or(|ended| ended == *died);
            call.by == *who && open && call.began <= *died && died.millis() - call.began.millis() <= 120_000
        };
        cut.seen.extend(played.calls.iter().filter(is_cut).map(key));
    }
    cut
}

pub(crate) fn judge(case: &Case, played: &Played) -> Judgement {
    let cut = cut(case, played);
    let shown = as_shown(case);
    let oracle = Oracle::new(&shown, &cut);
    let mut judgement = Judgement::default();
    everyone_once(case, &played.report, &mut judgement.wrong);
    as_foretold(case, &oracle, &played.report, &mut judgement);
    by_the_rules(case, &oracle, &played.report, &mut judgement.wrong);
    nothing_early(case, &oracle, &played.calls, &mut judgement.wrong);
    nothing_twice(case, &played.calls, &mut judgement.wrong);
    nothing_lost(case, &played.report, &played.calls, &mut judgement.wrong);
    as_asked(case, played, &mut judgement.wrong);
    nothing_personal(played, &mut judgement.wrong);
    if played.report.unmatched.len() != played.forged {
        judgement.wrong.push(format!(
            "{} of {} forged receipts are kept",
            played.report.unmatched.len(),
            played.forged
        ));
    }
    if (played.report.verdict == Verdict::Pending) == played.standing.is_done() {
        judgement.wrong.push(format!("{:?}, and yet {:?}", played.report.verdict, played.standing));
    }
    corrections::exactly_those_told(case, played, &mut judgement.wrong);
    corrections::in_both_ways(case, played, &mut judgement.wrong);
    corrections::exactly_those_who_heard_another_time(case, &oracle, played, &mut judgement.wrong);
    nobody_erased(case, played, &mut judgement.wrong);
    nothing_classified(case, played, &mut judgement.wrong);
    by_whom(case, &oracle, &played.report, &mut judgement.wrong);
    refusals(&shown, &oracle, played, &mut judgement.wrong);
    judgement
}

/// The report says who performed what is done by hand: whom the plan names, else who is responsible.
fn by_whom(case: &Case, oracle: &Oracle<'_>, report: &Report, wrong: &mut Vec<String>) {
    for (person, row) in report.people.iter().flat_map(|p| p.deliveries.iter().map(move |row| (p, row))) {
        for attempt in &row.attempts {
            let is_by_hand = attempt.mechanism.as_str() == Mech::Phone.word();
            let named = attempt.performer.as_deref();
            let known = case.people.iter().find(|who| who.id == person.id).filter(|_| is_by_hand);
            let fits = match known {
                Some(who) => oracle.performers(&gate(row), who).is_none_or(|known| known.contains(&named)),
                None => is_by_hand == named.is_some(),
            };
            if !fits {
                wrong.push(format!("{} beside {} was told by the hand of {named:?}", person.id, gate(row)));
            }
        }
    }
}

/// Whoever may not do something is refused, and nobody else is.
fn refusals(shown: &Case, oracle: &Oracle<'_>, played: &Played, wrong: &mut Vec<String>) {
    for (number, (at, event)) in shown.events.iter().enumerate() {
        let why = played.refused.get(&number).map(String::as_str);
        let before = |is: fn(&Event) -> bool| shown.events[..number].iter().any(|(_, event)| is(event));
        let fits = match (event, why) {
            (Event::Declare(.., by), why) if !shown.may_declare(by) => {
                why.is_some_and(|why| why.starts_with("the plan names who declares"))
            }
            (Event::Declare(place, outcome, _), why) => {
                let asks = matches!(outcome, Outcome::Begun | Outcome::Success);
                let lacks = match oracle.needed(place).filter(|_| asks) {
                    None => Some(false),
                    Some(Readiness::Never) => Some(true),
                    Some(Readiness::Since(lo, _)) if *at < lo => Some(true),
                    Some(Readiness::Since(_, hi)) if *at > hi => Some(false),
                    Some(_) => None,
                };
                match why {
                    None => lacks != Some(true),
                    Some(why) if why.contains(" needs ") => lacks != Some(false),
                    Some(why) if why.contains(" was rolled back") => {
                        before(|event| matches!(event, Event::Declare(_, Outcome::RolledBack, _)))
                    }
                    Some(why) => why.contains(" is already declared "),
                }
            }
            (Event::Slip(planned), why) => {
                oracle.slip_is_refused(*planned, *at).is_none_or(|refused| refused == why.is_some())
            }
            (Event::Lift(by), why) => (*by == "cal") == why.is_some_and(|why| why.contains("may not lift")),
            (_, None) => true,
            (Event::Hold(_) | Event::Resume(_), Some(why)) => {
                why.starts_with("it was cancelled") && before(|event| matches!(event, Event::Cancel(_)))
            }
            (Event::Erase(_), Some(why)) => {
                why.starts_with("nothing of this person is in the record") || why.contains(" is in flight")
            }
            (Event::AcceptGap(_), Some(why)) => why.contains(" has no gap"),
            (Event::Attest { person, .. }, Some(why)) => {
                why.starts_with("nothing of that communique is out") || shown.is_erased(person)
            }
            (_, Some(_)) => false,
        };
        if !fits {
            wrong.push(format!("{event:?} at {at} was {}", why.unwrap_or("not refused")));
        }
    }
}

/// Everyone is in exactly one class, the worst of what was due to them, and the totals are the sums.
fn everyone_once(case: &Case, report: &Report, wrong: &mut Vec<String>) {
    let known: Vec<&str> = report.people.iter().map(|p| p.id.as_str()).collect();
    let people: Vec<&str> = known.iter().copied().filter(|id| !is_stand_in(id) && !case.is_erased(id)).collect();
    let expected = case.people.iter().filter(|p| !p.groups.is_empty()).map(|p| p.id.as_str());
    let is_known = |id: &&str| !case.is_erased(id) && (case.leaves(id).is_none() || people.contains(id));
    let expected: BTreeSet<&str> = expected.filter(is_known).collect();
    if people.len() != expected.len() || people.iter().copied().collect::<BTreeSet<_>>() != expected {
        wrong.push(format!("the report is about {known:?}"));
    }
    for person in &report.people {
        let worst =
            person.deliveries.iter().filter(|d| !d.superseded).map(|d| class(d.class)).max().unwrap_or(Class::Exempt);
        if worst != class(person.class) {
            wrong.push(format!("{} is {:?}, but the worst that was due is {worst:?}", person.id, person.class));
        }
    }
    let of = |wanted: Reported| report.people.iter().filter(|p| p.class == wanted).count() as u32;
    let t = &report.totals;
    let totals = [t.exempt, t.informed, t.unconfirmed, t.not_informed];
    let counted = [Reported::Exempt, Reported::Informed, Reported::Unconfirmed, Reported::NotInformed].map(of);
    if totals != counted || t.people != known.len() as u32 {
        wrong.push(format!("the totals are {totals:?} of {}, counted are {counted:?}", t.people));
    }
}

fn as_foretold(case: &Case, oracle: &Oracle<'_>, report: &Report, judgement: &mut Judgement) {
    let mut foretold = oracle.rows();
    for (person, row) in report.people.iter().flat_map(|p| p.deliveries.iter().map(move |d| (p, d))) {
        let key = (gate(row), person.id.clone());
        judgement.rows += 1;
        if is_stand_in(&person.id) || case.leaves(&person.id).is_some() {
            continue;
        }
        if row.revision > 1 || of_gate(case, &key.0).is_some_and(|of| of.corrects.is_some()) {
            judgement.rows -= 1;
            continue;
        }
        let Some(expected) = foretold.remove(&key) else {
            judgement.wrong.push(format!("{key:?} has no place in the report, or has two"));
            continue;
        };
        let Some(wanted) = expected.class else { continue };
        judgement.foretold += 1;
        if wanted != class(row.class) {
            let why = row.reason.as_deref().unwrap_or_default();
            judgement.wrong.push(format!("{key:?} is {:?} ({why}), not {wanted:?}", row.class));
        } else if expected.late.is_some_and(|late| late != row.late) {
            judgement.wrong.push(format!("{key:?} has late: {}", row.late));
        }
    }
    // Whoever joins once the planned time has moved hears of the new one only.
    let hears_later =
        |gate: &str, who: &str| case.joins(who).is_some() && of_gate(case, gate).is_some_and(|of| of.on_slip);
    for key in foretold.keys().filter(|(gate, who)| !case.is_erased(who) && !hears_later(gate, who)) {
        judgement.wrong.push(format!("{key:?} is missing in the report"));
    }
}

/// The rules of the groups are applied to what is reported of their members.
fn by_the_rules(case: &Case, oracle: &Oracle<'_>, report: &Report, wrong: &mut Vec<String>) {
    for of in &report.groups {
        let Some(group) = case.groups.iter().find(|g| g.id == of.id) else {
            wrong.push(format!("there is no group {}", of.id));
            continue;
        };
        let is_gone = |who: &Person| case.is_erased(&who.id) || case.leaves(&who.id).is_some();
        if case.people.iter().any(|who| who.groups.contains(group.id) && is_gone(who)) {
            continue;
        }
        let mut members = Vec::new();
        for who in case.people.iter().filter(|p| p.groups.contains(group.id)) {
            let rows = report.people.iter().filter(|p| p.id == who.id).flat_map(|p| &p.deliveries);
            let due = rows.filter(|d| !d.superseded && d.groups.iter().any(|g| g == group.id));
            members.push((who, due.map(|d| class(d.class)).max().unwrap_or(Class::Exempt)));
        }
        let met = oracle.is_met(group, &members);
        if met != of.met {
            wrong.push(format!("the rule of {} is {}met", of.id, if of.met { "" } else { "not " }));
        }
        let many =
            |wanted: Class| members.iter().filter(|(_, c)| *c == wanted).map(|(who, _)| who.stands_for).sum::<u32>();
        let informed = (of.totals.informed, of.totals.not_informed, of.totals.exempt);
        if informed != (many(Class::Informed), many(Class::NotInformed), many(Class::Exempt)) {
            wrong.push(format!("the totals of {} are {:?}", of.id, of.totals));
        }
    }
    let all_met = report.groups.iter().all(|g| g.met);
    let fits = match report.verdict {
        Verdict::Informed => all_met && report.compliant,
        Verdict::NotInformed => !all_met && report.compliant,
        Verdict::NotCompliant => !report.compliant,
        _ => true,
    };
    if !fits {
        wrong.push(format!("the verdict is {:?}", report.verdict));
    }
}

fn minutes(millis: i64) -> Minutes {
    millis.div_euclid(60_000)
}

/// Nothing goes out before its gate is open, after its time is over, outside its hours, while it is held, or to whom it does not concern.
fn nothing_early(case: &Case, oracle: &Oracle<'_>, calls: &[Call], wrong: &mut Vec<String>) {
    let mut shown = i64::MIN;
    let mut arrived = BTreeSet::new();
    for call in calls {
        // A clock that is put back does not close what was open.
        shown = shown.max(call.shown.millis());
        let back = shown - call.shown.millis();
        let at = minutes(shown);
        let follows = arrived.contains(&(&call.to.gate, &call.to.who));
        if call.arrived {
            arrived.insert((&call.to.gate, &call.to.who));
        }
        if let Some(why) = oracle.forbids(&call.to, at, back > 0, follows) {
            wrong.push(format!("{:?} was tried at {}: {why}", call.to, call.shown));
        }
        if let Some(who) = &call.to.who
            && !(who == "ada" && call.to.mech == Mech::Email)
            && !case.people.iter().any(|p| &p.id == who && (p.has.contains(&call.to.mech)))
        {
            wrong.push(format!("{:?} was tried at {}: nobody has that address", call.to, call.shown));
        }
    }
}

/// Whoever is erased is told no more by what was out before, and the report does not name them beside that.
fn nobody_erased(case: &Case, played: &Played, wrong: &mut Vec<String>) {
    for (number, (at, event)) in case.events.iter().enumerate() {
        let Event::Erase(who) = event else { continue };
        if played.refused.contains_key(&number) {
            continue;
        }
        let theirs = played.calls.iter().filter(|call| call.to.who.as_ref() == Some(who));
        let (before, after): (Vec<&Call>, Vec<&Call>) = theirs.partition(|call| minutes(call.began.millis()) < *at);
        let before: BTreeSet<&str> = before.into_iter().map(|call| call.to.gate.as_str()).collect();
        if case.is_forgotten(who) {
            continue;
        }
        for call in after.into_iter().filter(|call| before.contains(call.to.gate.as_str())) {
            let is_asked_for = stand_ins(case, &call.to.gate).contains(who.as_str());
            if !is_asked_for {
                wrong.push(format!("{:?} was tried at {} although they were erased", call.to, call.shown));
            }
        }
        let named =
            played.report.people.iter().filter(|person| person.id == *who).flat_map(|person| &person.deliveries);
        for row in named.filter(|row| before.contains(gate(row).as_str())) {
            wrong.push(format!("the report names {who} beside {}, although they were erased", gate(row)));
        }
    }
}

/// Nothing classified goes out before its time by the machine's clock, and where that has jumped over it not before it proved stable.
fn nothing_classified(case: &Case, played: &Played, wrong: &mut Vec<String>) {
    let Some(embargo) = &case.embargo else { return };
    let until = Moment::from_millis(embargo.until * 60_000);
    let held = |call: &&Call| of_gate(case, &call.to.gate).is_some_and(|of| case.is_embargoed(of));
    let mut ahead = 0;
    let mut jumps = Vec::new();
    for (at, event) in &case.events {
        if let Event::Jump(by) = event {
            let shown = at + ahead;
            ahead += by;
            jumps.extend((shown < embargo.until && embargo.until <= shown + by).then_some(at * 60_000));
        }
    }
    let mut known = false;
    let mut shown = Moment::from_millis(i64::MIN);
    for call in played.calls.iter().filter(held) {
        // A clock that is put back does not close what was open.
        shown = shown.max(call.shown);
        let (began, at) = (call.began.millis(), minutes(call.began.millis()));
        let is_lifted = |(when, event): &(Minutes, Event)| *when <= at && matches!(event, Event::Lift("ada" | "ben"));
        known |= case.events.iter().any(is_lifted);
        if known {
            return;
        }
        if shown < until {
            wrong.push(format!("{:?} was told at {} of what is classified", call.to, call.shown));
        }
        // Whoever is started after a jump cannot know of it.
        let is_fresh =
            |jump: i64| played.deaths.iter().any(|(_, died)| jump <= died.millis() && died.millis() <= began);
        if jumps.iter().any(|jump| *jump <= began && began < jump + 600_000 && !is_fresh(*jump)) {
            wrong.push(format!("{:?} was told at {} by a clock that had just jumped", call.to, call.shown));
        }
    }
}

/// The communique of a gate.
pub(crate) fn of_gate<'a>(case: &'a Case, gate: &str) -> Option<&'a Communique> {
    let id = gate.split('/').next().unwrap_or_default();
    case.communiques.iter().find(|of| of.id == id)
}

/// Who may be reached by a gate in the place of others.
fn stand_ins(case: &Case, gate: &str) -> BTreeSet<&'static str> {
    of_gate(case, gate).map(|of| case.stand_ins(of)).unwrap_or_default()
}

/// Nothing twice under one key at a receiver that honours keys; where a repeat is a second copy, only what was unknown is repeated.
fn nothing_twice(case: &Case, calls: &[Call], wrong: &mut Vec<String>) {
    let mut keys: BTreeMap<_, BTreeSet<&str>> = BTreeMap::new();
    let mut whose: BTreeMap<&str, BTreeSet<_>> = BTreeMap::new();
    let mut copies: BTreeMap<_, usize> = BTreeMap::new();
    for call in calls {
        keys.entry(&call.to).or_default().insert(&call.key);
        whose.entry(&call.key).or_default().insert(&call.to);
        *copies.entry((&call.to, &call.key)).or_default() += usize::from(call.arrived);
    }
    for (to, keys) in &keys {
        // A post has a key for each language of the words, each of their variants, and each list of items; who stands in for several one for
        // each of them.
        let several = match to.who.as_deref() {
            Some(who) => stand_ins(case, &to.gate).contains(who),
            None => of_gate(case, &to.gate).is_none_or(|of| {
                let lists = of.words == Words::BuiltIn && case.second_item.is_some_and(|group| of.to.contains(&group));
                of.words == Words::ByLanguage || !of.variants.is_empty() || lists
            }),
        };
        if keys.len() > 1 && !several {
            wrong.push(format!("{to:?} has the keys {keys:?}"));
        }
    }
    for (key, whose) in whose.iter().filter(|(_, whose)| whose.len() > 1) {
        wrong.push(format!("{key} is the key of {whose:?}"));
    }
    for ((to, key), copies) in copies.iter().filter(|(_, copies)| **copies > 1) {
        let resends = of_gate(case, &to.gate).and_then(|c| c.resend).unwrap_or(case.resend);
        let reached = |of: &str, who: &str| of == who || stand_ins(case, &to.gate).contains(who);
        let is_forgotten = to
            .who
            .as_deref()
            .is_some_and(|who| case.people.iter().any(|of| case.is_forgotten(&of.id) && reached(&of.id, who)));
        if (to.mech.repeats() != Repeats::None || !resends) && !is_forgotten {
            wrong.push(format!("{to:?} arrived {copies} times under {key}"));
        }
    }
}

/// Whoever is informed was told: a far side has it.
fn nothing_lost(case: &Case, report: &Report, calls: &[Call], wrong: &mut Vec<String>) {
    let attested = |communique: &str, who: &str| {
        case.events.iter().any(|(_, event)| match event {
            Event::Attest { communique: of, person, done } => {
                *done && person == who && case.communiques[*of].id == communique
            }
            _ => false,
        })
    };
    let told = |gate: &str, who: &str| {
        let others = stand_ins(case, gate);
        let may_be = |id: &str| id == who || others.contains(id);
        let is_it = |c: &&Call| c.to.gate == gate && c.to.who.as_deref().is_none_or(may_be);
        calls.iter().filter(is_it).any(|c| c.arrived)
    };
    for (person, row) in report.people.iter().flat_map(|p| p.deliveries.iter().map(move |d| (p, d))) {
        let who = row.through.as_deref().unwrap_or(&person.id);
        let is_informed = row.class == Reported::Informed && !is_stand_in(who) && !attested(&row.communique, who);
        if is_informed && !told(&gate(row), who) {
            wrong.push(format!("{} counts as informed by {}, which never arrived", person.id, gate(row)));
        }
    }
}

/// A far side that asks to be left alone for a while is left alone, unless its answer was lost with whoever heard it. A clock that jumps
/// ahead makes the while so much shorter.
fn as_asked(case: &Case, played: &Played, wrong: &mut Vec<String>) {
    let ahead = case.events.iter().map(|(_, event)| if let Event::Jump(by) = event { (*by).max(0) } else { 0 });
    let ahead = Duration::from_secs(60 * ahead.sum::<Minutes>().unsigned_abs());
    let mut not_before = BTreeMap::new();
    for call in &played.calls {
        if not_before.get(&call.key).is_some_and(|until| call.began + ahead < *until) {
            wrong.push(format!("{:?} was tried at {} although the far side asked for more time", call.to, call.began));
        }
        if let Some(until) = call.not_before.filter(|_| !is_lost(played, call)) {
            not_before.insert(&call.key, until);
        }
    }
}

/// Entries hold no names and no addresses.
fn nothing_personal(played: &Played, wrong: &mut Vec<String>) {
    let entries = serde_json::to_string(&played.entries).unwrap_or_default();
    if entries.contains('@') || entries.contains("\"p0\"") {
        wrong.push("an entry holds a name or an address".to_owned());
    }
}
