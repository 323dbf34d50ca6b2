//! A slip in a script is a finding with its position, and nothing is played.

use crate::rehearsals::stage::{HEAD, PLAN, perform, perform_with, told};
use relcomm_core::plan::HeldFiles;
use relcomm_testkit::rehearsal::{Rehearsal, Unperformed, script_schema};

const PEOPLE: &str = "members: { customers: { count: 2 } }\n";

/// The code of the first finding, its line within what is given, and all it says.
fn slip(script: &str) -> (&'static str, usize, String) {
    match perform(script) {
        Err(Unperformed::Script(findings)) => {
            let at = findings[0].at.clone().expect("it has a position");
            (findings[0].code, at.line - HEAD.lines().count(), told(&Unperformed::Script(findings)))
        }
        Err(other) => panic!("{}", told(&other)),
        Ok(performance) => panic!("{performance}"),
    }
}

#[test]
fn every_slip_is_found_where_it_stands() {
    let cases = [
        ("RC0002", 1, "timelin: []\n"),
        ("RC0002", 2, "answers:\n  - { to: desk, anwser: refused }\n"),
        ("RC0005", 1, "answers: [{ to: desk, answer: maybe }]\n"),
        ("RC0004", 1, "timeline: [{ stop: true }]\n"),
        ("RC1201", 2, "timeline:\n  - { at: noon, stop: true }\n"),
        ("RC1201", 2, "answers:\n  - { to: desk, via: emial, answer: refused }\n"),
        ("RC1201", 2, "answers:\n  - { to: desk, communique: lives, answer: refused }\n"),
        ("RC1201", 2, "outages:\n  - { via: emial, from: 10:00, until: 11:00 }\n"),
        ("RC1201", 2, "channels:\n  emial: { proves: accepted }\n"),
        ("RC1201", 3, "timeline:\n  - { at: 10:00, expect: [{ sent: 0 }] }\n  - { at: 09:30, stop: true }\n"),
        ("RC1201", 2, "timeline:\n  - { at: 10:00, hold: { by: ada }, resume: { by: ada } }\n"),
        ("RC1201", 2, "timeline:\n  - { at: 10:00, refused: no }\n"),
        ("RC1201", 2, "timeline:\n  - { at: 10:00, attest: { communique: talk, by: ada, outcome: done } }\n"),
        ("RC1201", 2, "timeline:\n  - { at: 10:00, join: { desk: 2 } }\n"),
        ("RC1201", 2, "timeline:\n  - { at: 10:00, join: { customers: 4294967295 } }\n"),
        ("RC1201", 2, "timeline:\n  - { at: 10:00, join: { customers: 4294967200 } }\n"),
        ("RC1201", 2, "timeline:\n  - { at: 10:00, change: { communiques.lvie.text: Hello } }\n"),
        ("RC1201", 2, "timeline:\n  - { at: 10:00, change: { release.why: x }, hold: { by: ada } }\n"),
        ("RC0005", 2, "expect:\n  - { approvals: [{ digest: other }] }\n"),
        ("RC1201", 2, "timeline:\n  - { at: 10:00, leave: { customers: customers-9 } }\n"),
        ("RC1201", 2, "answers:\n  - { to: customer, answer: refused }\n"),
        ("RC1201", 2, "answers:\n  - { to: \"custmers-*\", answer: refused }\n"),
        ("RC1201", 1, "answers: [{ to: desk, answer: { refused: {}, failed: {} } }]\n"),
        ("RC1201", 1, "answers: [{ to: desk, answer: {} }]\n"),
        ("RC1201", 1, "answers: [{ to: desk, answer: refused, later: { delivered: 1m } }]\n"),
        ("RC1201", 1, "crashes: [{ to: nobody, point: begun, back: 1m }]\n"),
        ("RC1201", 1, "outages: [{ via: email, from: soon, until: 11:00 }]\n"),
        ("RC1201", 1, "outages: [{ via: email, from: 11:00, until: 10:00 }]\n"),
        ("RC1201", 1, "set: { release.versoin: 2 }\n"),
        ("RC0005", 1, "channels: { email: { timeout: 1bd } }\n"),
        ("RC0005", 1, "answers: [{ to: desk, after: 1bd }]\n"),
        ("RC0005", 1, "answers: [{ to: desk, later: { bounced: { after: 2bd } } }]\n"),
        ("RC0005", 1, "answers: [{ to: desk, answer: { failed: { retry_after: 1bd } } }]\n"),
        ("RC0005", 1, "crashes: [{ to: desk, point: begun, back: 1bd }]\n"),
        ("RC0005", 1, "timeline: [{ at: 10:00, jump: { ahead: 1bd } }]\n"),
        ("RC0005", 1, "expect: [{ apart: 30bd }]\n"),
        ("RC0005", 1, "answers: [{ to: desk, attempt: 0 }]\n"),
        ("RC0005", 1, "expect: [{ totals: {} }]\n"),
        ("RC0005", 1, "expect: [{ is: {} }]\n"),
        ("RC0005", 1, "expect: [{ attempt: {} }]\n"),
        ("RC0005", 1, "expect: [{ order: [] }]\n"),
    ];
    for (code, line, script) in cases {
        let (found, at, says) = slip(&format!("{script}{PEOPLE}"));
        assert_eq!((found, at), (code, line), "{script}{says}");
    }
    // Somebody may still join, and be meant: it is judged when all have come.
    let joins = "timeline:\n  - { at: 10:00, join: { customers: 1 } }\n  - { at: 11:00, stop: true }\n";
    for slips in ["{ to: costumers-3, answer: refused }", "{ to: desk, via: emial }", "{ to: desk, communique: lives }"]
    {
        let (code, at, says) = slip(&format!("answers: [{slips}]\n{joins}{PEOPLE}"));
        assert_eq!((code, at), ("RC1201", 1), "{says}");
    }
    assert!(perform(&format!("answers: [{{ to: customers-3, answer: refused }}]\n{joins}{PEOPLE}")).is_ok());
    let (code, _, says) = slip("members: { nobody: { count: 2 } }\n");
    assert!(code == "RC1201" && says.contains("no group `nobody`"), "{says}");
    let (_, _, says) = slip(&format!("expect: [{{ apart: 30bd }}]\n{PEOPLE}"));
    assert!(says.contains("business days are no time that passes here: write days or hours"), "{says}");
    let (_, _, says) = slip("members: { desk: { count: 2 } }\n");
    assert!(says.contains("no members whose place"), "{says}");
}

#[test]
fn a_rehearsal_that_is_like_none_or_of_another_version_is_refused() {
    let refused = |text: &str| Rehearsal::read("s.yaml", text.as_bytes()).unwrap_err()[0].message.clone();
    assert!(refused("rehearsal: 1\nname: a\nlike: b\n").contains("no rehearsal of the name `b`"));
    assert!(refused("rehearsal: 2\nname: a\n").contains("version 1"));
    assert!(refused("").contains("empty"));
    let twice = refused("rehearsal: 1\nname: a\n---\nrehearsal: 1\nname: a\n");
    assert!(twice.contains("another rehearsal of the name `a`"), "{twice}");
}

#[test]
fn one_that_is_like_another_has_what_it_does_not_say_itself() {
    let text = format!(
        "{HEAD}{PEOPLE}answers: [{{ to: customers-1, answer: refused }}]
timeline: [{{ at: 10:00, declare: {{ outcome: success, place: eu, by: ada }} }}, {{ at: +1d, stop: true }}]
expect: [{{ where: {{ communique: live, via: email }}, sent: 1 }}]
---
rehearsal: 1
name: other
like: it
answers: []
expect: [{{ where: {{ communique: live, via: email }}, sent: 2 }}]
---
rehearsal: 1
name: third
like: other
expect: [{{ where: {{ communique: live, via: email }}, sent: 3 }}]
"
    );
    let all = Rehearsal::read("s.yaml", text.as_bytes()).unwrap();
    let played: Vec<_> =
        all.iter().map(|r| r.perform("plan.yaml", PLAN.as_bytes(), &HeldFiles::new()).unwrap()).collect();
    assert_eq!(
        played.iter().map(|p| (p.name.as_str(), p.held())).collect::<Vec<_>>(),
        [("it", true), ("other", true), ("third", false)]
    );
    assert_eq!(played[2].diverged().next().unwrap().at.line, text.lines().count());
}

#[test]
fn a_plan_that_is_not_valid_is_not_played_unless_that_is_expected() {
    let broken = PLAN.replace("to: desk", "to: dask");
    let Err(Unperformed::Plan(findings)) = perform_with(&broken, PEOPLE) else { panic!("it is not valid") };
    assert!(findings.iter().any(|f| f.code == "RC0101"), "{findings:?}");
    let expected = format!("{PEOPLE}expect: [{{ finding: RC0101 }}]\n");
    let performance = perform_with(&broken, &expected).unwrap();
    assert!(performance.held() && performance.exit == 2 && performance.report.is_none());
    let other = format!("{PEOPLE}expect: [{{ finding: RC0999 }}]\n");
    assert!(!perform_with(&broken, &other).unwrap().held());
    let more = format!("{PEOPLE}expect: [{{ finding: RC0101 }}, {{ exit: 0 }}]\n");
    assert!(matches!(perform_with(&broken, &more), Err(Unperformed::Plan(_))));
    let both = format!("{PEOPLE}expect: [{{ finding: RC0101 }}, {{ exit: 2 }}]\n");
    assert!(perform_with(&broken, &both).unwrap().held());
}

#[test]
fn of_a_plan_that_is_not_valid_nothing_but_its_findings_is_true() {
    let broken = PLAN.replace("to: desk", "to: dask");
    let why = |script: &str| {
        let performance = perform_with(&broken, &format!("{PEOPLE}{script}")).unwrap();
        let failed: Vec<_> = performance.diverged().flat_map(|check| check.failed.clone()).collect();
        failed.join("; ")
    };
    let shows = why("expect: [{ finding: RC0101, sent: 0, verdict: informed, totals: { informed: 7 }, exit: 0 }]\n");
    assert_eq!(shows, "the exit code is 2, not 0; the plan is not valid, and nothing shows sent, totals, verdict");
    for between in ["expect: [{ sent: 7 }]", "declare: { outcome: success, by: ada }, refused: no"] {
        let never = why(&format!("timeline: [{{ at: 10:00, {between} }}]\nexpect: [{{ finding: RC0101 }}]\n"));
        assert_eq!(never, "the plan is not valid: it never comes to this");
    }
    let crash = "crashes: [{ to: desk, point: begun, back: 1m }]\nexpect: [{ finding: RC0101 }]\n";
    assert_eq!(why(crash), "the plan is not valid: it never comes to this");
}

#[test]
fn the_schema_takes_what_is_read_and_refuses_unknown_keys() {
    let schema = jsonschema::validator_for(&script_schema()).unwrap();
    let good = serde_json::json!({
        "rehearsal": 1, "name": "it", "set": { "plan": 1, "approvals.covers_people": true, "id": "it" }, "answers": [{ "to": "a", "answer": "refused" }, { "to": "b", "answer": { "failed": { "status": "503", "retry_after": "1m" } } }],
        "timeline": [{ "at": "10:00", "declare": { "outcome": "success", "by": "ada" } }], "expect": [{ "exit": 0 }],
    });
    assert!(schema.is_valid(&good), "{:?}", schema.iter_errors(&good).map(|e| e.to_string()).collect::<Vec<_>>());
    for (at, key) in [("/answers/0", "anwser"), ("/timeline/0", "decalre"), ("/expect/0", "exti"), ("", "timelin")] {
        let mut bad = good.clone();
        bad.pointer_mut(at).unwrap()[key] = serde_json::json!(1);
        assert!(!schema.is_valid(&bad), "{at} {key}");
    }
}

const LANGUAGE: &str = include_str!("../../src/rehearsal/LANGUAGE.md");

#[test]
fn the_reference_names_every_key_and_its_script_is_read() {
    let script = LANGUAGE.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert_eq!(Rehearsal::read("reference.yaml", script.as_bytes()).unwrap().len(), 2);
    let mut keys = Vec::new();
    gather(&script_schema(), &mut keys);
    assert!(keys.len() > 90, "{keys:?}");
    let words: Vec<&str> = LANGUAGE.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
    let unnamed: Vec<&String> = keys.iter().filter(|key| !words.contains(&key.as_str())).collect();
    assert!(unnamed.is_empty(), "{unnamed:?}");
}

/// The names of all properties of a schema, and of its definitions.
fn gather(schema: &serde_json::Value, keys: &mut Vec<String>) {
    if let Some(properties) = schema.get("properties").and_then(|p| p.as_object()) {
        keys.extend(properties.keys().cloned());
    }
    match schema {
        serde_json::Value::Object(map) => map.values().for_each(|value| gather(value, keys)),
        serde_json::Value::Array(list) => list.iter().for_each(|value| gather(value, keys)),
        _ => {}
    }
}
