//! `kill -9` of the command while it sends, with the receivers in processes of their own: nobody is lost, nobody is told twice more often
//! than there were attempts in flight, and whoever is in doubt is listed.

mod modes;
mod receiver;
mod record;
mod sandbox;
mod scene;
mod share;

use receiver::{Copies, Receiver, doubled};
use scene::{By, Scene, until};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write;
use std::time::{Duration, Instant};

/// So many calls at a time.
const WINDOW: usize = 16;

/// One way of telling people, with what is to become of an attempt whose end nobody knows.
#[derive(Clone, Copy)]
struct Case {
    by: By,
    rule: &'static str,
    people: usize,
    kills: usize,
}

const CASES: [Case; 4] = [
    Case { by: By::Keys, rule: "hold", people: 1000, kills: 13 },
    Case { by: By::NoKeys, rule: "resend", people: 1000, kills: 14 },
    Case { by: By::NoKeys, rule: "hold", people: 1000, kills: 13 },
    Case { by: By::Mail, rule: "hold", people: 700, kills: 10 },
];

/// What a case came to.
struct Came {
    lost: usize,
    doubled: usize,
    leased: usize,
    /// How many attempts were in flight at the kills, in all.
    flown: usize,
    held: usize,
    took: Duration,
}

#[test]
fn fifty_kills_lose_nobody_and_double_no_more_than_was_in_flight() {
    let begun = Instant::now();
    let came: Vec<Came> = std::thread::scope(|scope| {
        let cases = CASES.map(|case| scope.spawn(move || run(case)));
        cases.into_iter().map(|case| case.join().expect("the case holds")).collect()
    });
    let took = begun.elapsed();
    let sum = |of: fn(&Came) -> usize| came.iter().map(of).sum::<usize>();
    let (lost, doubled, leased) = (sum(|c| c.lost), sum(|c| c.doubled), sum(|c| c.leased));
    let kills: usize = CASES.iter().map(|c| c.kills).sum();
    let mut out = String::new();
    for (case, came) in CASES.iter().zip(&came) {
        out += &format!(
            "{:?} {}: lost={} doubled={} kills={} leased={} flown={} held={} in {:.1} s\n",
            case.by, case.rule, came.lost, came.doubled, case.kills, came.leased, came.flown, came.held, came.took.as_secs_f64()
        );
    }
    out += &format!("lost={lost} doubled={doubled} kills={kills} leased={leased} window={WINDOW}\n");
    // Not through the test's own capture: the line is the result.
    std::io::stdout().write_all(out.as_bytes()).expect("said");

    assert_eq!((lost, kills), (0, 50));
    assert!(leased >= 40, "only {leased} of {kills} kills met an open lease");
    for (case, came) in CASES.iter().zip(&came) {
        assert!(came.flown <= case.kills * WINDOW, "more was in flight than the window allows");
        assert!(came.doubled <= came.flown, "more was told twice than was in flight at a kill");
        let may_double = case.by != By::Keys && case.rule == "resend";
        assert_eq!(came.doubled > 0, may_double, "{:?} under {}: {} doubled", case.by, case.rule, came.doubled);
        let may_hold = case.by != By::Keys && case.rule == "hold";
        assert_eq!(came.held > 0, may_hold, "{:?} under {}: {} held", case.by, case.rule, came.held);
    }
    // Whoever goes on after a kill does not wait for the dead session's time to be over.
    assert!(took < Duration::from_secs(110), "it took {took:?}");
}

/// Kills and goes on, again and again, then lets it finish and compares what everybody says.
fn run(case: Case) -> Came {
    let begun = Instant::now();
    let mut scene = Scene::new();
    let mut receiver = match case.by {
        By::Mail => Receiver::smtp(scene.path()),
        By::Keys | By::NoKeys => Receiver::http(scene.path(), 10),
    };
    let url = receiver.url.clone();
    scene.write(case.people, case.by, case.rule, WINDOW, &url);
    scene.declare();

    let (mut leased, mut flown, mut session) = (0, 0, 0);
    for kill in 0..case.kills {
        let goal = receiver.count() + 1 + kill * 7 % 23;
        let mut running = scene.dispatch();
        until("somebody is told", || {
            let ended = running.try_wait().expect("it can be asked");
            assert!(ended.is_none(), "it was over before the kill {kill}: {ended:?}");
            (receiver.count() >= goal).then_some(())
        });
        running.kill().expect("it is killed");
        running.wait().expect("it is gone");
        let left = record::leases(&scene.journal);
        if left.session > session {
            (leased, flown, session) = (leased + 1, flown + left.flying, left.session);
        }
    }

    // It begins at once where the killed one was: a session of half a minute is not waited for.
    let last = scene.live(&scene.bundle, "dispatch", &["--execute", "--wait", "--by", "ada", "--format", "json"]);
    let told = last.json(&[0, 4, 5]);
    let copies = receiver.finish();
    let report = scene.live(&scene.bundle, "report", &["--format", "json"]).json(&[0, 4, 5]);
    assert_eq!(told["people"], report["people"], "the dispatch and the report disagree");
    let doubled = doubled_at(case, &copies);
    let (lost, held) = compare(case, &copies, &report);
    counts_agree(&scene, case, &copies, &report, held);
    Came { lost, doubled, leased, flown, held, took: begun.elapsed() }
}

/// Copies beyond the first of each person, as the receiver counts them: one that honours keys takes the same key once.
fn doubled_at(case: Case, copies: &Copies) -> usize {
    for keys in copies.values() {
        let different: BTreeSet<&String> = keys.iter().collect();
        assert_eq!(different.len(), 1, "the key of a delivery differs between its attempts");
    }
    if case.by == By::Keys { 0 } else { doubled(copies) }
}

/// How many people are lost, and how many are held, by the report and what the receiver has.
fn compare(case: Case, copies: &Copies, report: &Value) -> (usize, usize) {
    let (mut lost, mut held) = (0, 0);
    let people = report["people"].as_array().expect("people");
    assert_eq!(people.len(), case.people);
    for person in people {
        let id = person["id"].as_str().expect("an id");
        let is_held = person["reason"].as_str().is_some_and(|why| why.starts_with("held"));
        let refused = person["deliveries"][0]["attempts"].as_array().is_some_and(|all| {
            all.last().is_some_and(|attempt| attempt["outcome"] == "refused")
        });
        match person["class"].as_str() {
            Some("informed") => assert!(copies.contains_key(id), "{id} is reported as informed and was never told"),
            Some("unconfirmed") if is_held => held += 1,
            _ if copies.contains_key(id) || refused => {}
            _ => lost += 1,
        }
        if copies.contains_key(id) {
            assert!(person["class"] == "informed" || is_held, "{id} was told, and the report says {person:#}");
        }
    }
    (lost, held)
}

/// The journal, the report and the receiver say the same of how many there are.
fn counts_agree(scene: &Scene, case: Case, copies: &Copies, report: &Value, held: usize) {
    let totals = &report["totals"];
    let informed = case.people - held;
    assert_eq!((&totals["people"], &totals["informed"]), (&case.people.into(), &informed.into()));
    assert_eq!((&totals["unconfirmed"], &totals["not_informed"]), (&held.into(), &0.into()));
    // Whoever is held may have been told or not.
    assert!((informed..=case.people).contains(&copies.len()), "{} were told, {informed} are informed", copies.len());
    let said = [
        ("PRAGMA integrity_check", "ok".to_owned()),
        ("SELECT count(*) FROM v_delivery WHERE best = 'accepted'", informed.to_string()),
        ("SELECT deliveries, accepted, doubt, flying FROM v_gate", format!("{}|{informed}|{held}|0", case.people)),
        ("SELECT count(*) FROM v_entry WHERE kind = 'delivery' AND fact LIKE '%accepted%'", informed.to_string()),
    ];
    for (sql, expected) in said {
        match record::sqlite3(&scene.journal, sql) {
            Some(answer) => assert_eq!(answer, expected, "{sql}"),
            None => {
                std::io::stdout().write_all(b"SKIPPED: there is no sqlite3\n").expect("said");
                break;
            }
        }
    }
}
