//! `kill -9` of the command while it sends, with the receivers in processes of their own: nobody is lost, nobody is told twice more often
//! than there were attempts in flight, and whoever is in doubt is listed.

mod modes;
mod receiver;
mod record;
mod sandbox;
mod scene;
mod share;
mod stopped;

use receiver::{Copies, Receiver};
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

impl Case {
    /// A receiver that honours keys is sent again what is in doubt; without keys it is held, unless the plan says otherwise.
    fn sends_again(&self) -> bool {
        self.by == By::Keys || self.rule == "resend"
    }
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
    /// How many copies came under a key that was there before.
    repeats: usize,
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
            "{:?} {}: lost={} doubled={} repeats={} kills={} leased={} flown={} held={} in {:.1} s\n",
            case.by,
            case.rule,
            came.lost,
            came.doubled,
            came.repeats,
            case.kills,
            came.leased,
            came.flown,
            came.held,
            came.took.as_secs_f64()
        );
    }
    out += &format!("lost={lost} doubled={doubled} kills={kills} leased={leased} window={WINDOW}\n");
    // Not through the test's own capture: the line is the result.
    std::io::stdout().write_all(out.as_bytes()).expect("said");

    assert_eq!((lost, kills), (0, 50));
    assert!(leased >= 40, "only {leased} of {kills} kills met an open lease");
    for (case, came) in CASES.iter().zip(&came) {
        let of = format!("{:?} under {}", case.by, case.rule);
        assert!(came.flown <= case.kills * WINDOW, "{of}: more was in flight than the window allows");
        assert!(came.repeats <= came.flown, "{of}: more was sent twice than was in flight at a kill");
        let again = case.sends_again();
        assert_eq!(came.repeats > 0, again, "{of}: {} came again", came.repeats);
        assert_eq!(came.doubled, if case.by == By::Keys { 0 } else { came.repeats }, "{of}");
        assert_eq!(
            came.held,
            if again { 0 } else { came.flown },
            "{of}: whoever was in flight is held, and nobody else"
        );
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
        By::Keys | By::NoKeys => Receiver::http(scene.path(), 25),
    };
    let url = receiver.url.clone();
    scene.write(case.people, case.by, case.rule, WINDOW, &url);
    scene.declare();

    let (mut leased, mut flown, mut session) = (0, 0, 0);
    for kill in 0..case.kills {
        // Mostly in the midst of it; now and then at its first word, while the gate opens or the doubts of the last one are written.
        let at_once = kill == if case.by == By::Mail { 0 } else { 4 };
        let (entries, goal) = (record::entries(&scene.journal), receiver.count() + 1 + kill * 7 % 23);
        let mut running = scene.dispatch();
        until("something is done", || {
            let ended = running.try_wait().expect("it can be asked");
            assert!(ended.is_none(), "it was over before the kill {kill}: {ended:?}");
            let done = if at_once { record::entries(&scene.journal) > entries } else { receiver.count() >= goal };
            done.then_some(())
        });
        running.kill().expect("it is killed");
        running.wait().expect("it is gone");
        let open = record::leases(&scene.journal);
        // What was in flight at the kill before was settled first: nobody waited until that session's time was over.
        assert!(open.len() <= 1, "leases of dead sessions were left open: {open:?}");
        let latest = open.last().filter(|left| left.session > session);
        if let Some(left) = latest {
            (leased, flown, session) = (leased + 1, flown + left.flying, left.session);
        }
    }

    // It begins at once where the killed one was: a session of half a minute is not waited for.
    let last = scene.live(&scene.bundle, "dispatch", &["--execute", "--wait", "--by", "ada", "--format", "json"]);
    // Whoever is held counts as not informed for now.
    let code = if case.sends_again() { 0 } else { 4 };
    let told = last.json(code);
    let copies = receiver.finish();
    let report = scene.live(&scene.bundle, "report", &["--format", "json"]).json(code);
    assert_eq!(told["people"], report["people"], "the dispatch and the report disagree");
    let (lost, held) = compare(case, &copies, &report);
    counts_agree(&scene, case, &copies, &report, held);
    let repeats = copies.values().map(|keys| keys.len() - different(keys)).sum();
    let doubled = copies.values().map(|keys| if case.by == By::Keys { different(keys) } else { keys.len() } - 1).sum();
    Came { lost, doubled, leased, flown, held, repeats, took: begun.elapsed() }
}

/// How many different keys there are: so many of the copies does a receiver take that honours keys.
fn different(keys: &[String]) -> usize {
    keys.iter().collect::<BTreeSet<_>>().len()
}

/// How many people are lost, and how many are held, by the report and what the receiver has.
fn compare(case: Case, copies: &Copies, report: &Value) -> (usize, usize) {
    let (mut lost, mut held) = (0, 0);
    let people = report["people"].as_array().expect("people");
    assert_eq!(people.len(), case.people);
    for person in people {
        let id = person["id"].as_str().expect("an id");
        let is_held = person["reason"].as_str().is_some_and(|why| why.starts_with("held"));
        let refused = person["deliveries"][0]["attempts"]
            .as_array()
            .is_some_and(|all| all.last().is_some_and(|attempt| attempt["outcome"] == "refused"));
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
