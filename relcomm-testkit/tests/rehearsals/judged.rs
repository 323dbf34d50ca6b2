//! An expectation that is not true does not hold, and the first one that does not is named.

use crate::rehearsals::stage::{HEAD, diverges, perform};
use std::collections::BTreeSet;

const LIVE: &str = "
members: { customers: { count: 4, columns: { place: [eu] } } }
answers:
  - { to: customers-1, via: email, answer: refused }
  - { to: customers-*, via: email, later: { delivered: 1m } }
timeline:
  - { at: 10:00, declare: { outcome: success, place: eu, by: ada } }
  - { at: 10:30, declare: { outcome: success, place: us, by: ada } }
  - { at: 12:00, stop: true }
expect:
";

/// Whether the expectation fails, and in words that hold these.
fn fails(expectation: &str, words: &str) {
    let (line, why) = diverges(&format!("{LIVE}  - {expectation}\n"));
    let wanted = HEAD.lines().count() + LIVE.lines().count();
    assert_eq!(line, wanted + 1, "{expectation}");
    assert!(why.contains(words), "{expectation}: {why}");
}

#[test]
fn each_kind_of_expectation_can_fail() {
    fails("{ totals: { informed: 7 } }", "informed, not 7");
    fails("{ totals: { infromed: 7 } }", "no field `infromed`");
    fails("{ verdict: informed }", "the verdict is pending");
    fails("{ exit: 0 }", "the exit code is 5");
    fails("{ sent: 3 }", "were sent, not 3");
    fails("{ where: { person: customers-2 }, sent: 0 }", "1 were sent");
    fails("{ where: { person: customers-2, part: slip } }", "no row");
    fails("{ where: { person: custmers-* }, sent: 0 }", "the plan has no person `custmers-*`");
    fails("{ where: { person: customers-2, via: emial }, sent: 0 }", "the plan has no mechanism `emial`");
    fails("{ where: { communique: lives }, sent: 0 }", "the plan has no communique `lives`");
    fails("{ where: { group: costumers }, count: 0 }", "the plan has no group `costumers`");
    fails("{ never: { place: eue } }", "the plan has no place `eue`");
    fails("{ where: { occurrence: late }, sent: 0 }", "the plan has no occurrence `late`");
    fails("{ where: { person: customers-2 }, is: { class: not_informed } }", "class is informed");
    fails("{ where: { person: customers-2 }, is: { clas: informed } }", "no field `clas`");
    fails("{ where: { person: customers-2 }, is: { throgh: none } }", "no field `throgh`; did you mean `through`?");
    fails("{ where: { person: customers-2 }, is: { clas: informed }, count: 0 }", "no field `clas`");
    fails("{ where: { person: customers-2 }, is: { revision: 2 } }", "revision is 1, not 2");
    fails("{ where: { person: customers-2 }, attempt: { cod: none } }", "no field `cod`; did you mean `code`?");
    fails("{ where: { part: slpi }, sent: 0 }", "the plan has no part `slpi`; did you mean `slip`?");
    fails("{ never: { part: corection } }", "the plan has no part `corection`");
    fails("{ where: { person: customers-2, part: slip }, is: { class: informed }, sent: 0 }", "no row");
    fails(
        "{ order: [{ communique: live, state: delivered }, { communique: brief, place: us, state: accepted }] }",
        "of customers-1 was not delivered by then, and the first of brief at us already at 2027-03-02T10:30:00Z",
    );
    fails("{ where: { person: customers-2 }, is: { attempts: 2 } }", "attempts is 1");
    fails("{ where: { group: customers }, is: { mechanism: email }, count: 4 }", "3 rows of 4");
    fails("{ where: { group: customers }, count: 5 }", "there are 4 such rows, not 5: ");
    fails("{ where: { person: customers-1 }, apart: 3h }", "attempts at 2027-03-02T10:00:00Z and 2027-03-02T10:00:00Z");
    fails("{ where: { person: customers-2 }, text: { contains: Sir } }", "does not say it: Demo");
    fails("{ where: { person: customers-2 }, text: { lacks: Dear } }", "says it");
    fails("{ where: { person: customers-1, via: email }, text: { contains: Dear } }", "no such text");
    fails("{ everywhere: { lacks: Dear customers } }", "in the text of live");
    fails("{ everywhere: { lacks: not_informed } }", "in the report");
    fails("{ everywhere: { lacks: ada declares } }", "in the journal or the timeline");
    fails("{ never: { person: customers-1, via: phone } }", "it was tried 1 times");
    fails(
        "{ order: [{ communique: live, state: accepted }, { communique: brief, state: accepted }] }",
        "the first of brief already at",
    );
    fails("{ order: [{ communique: brief, state: acknowledged }] }", "nothing of brief was acknowledged");
    fails(
        "{ where: { person: customers-2 }, attempt: { outcome: refused } }",
        "no attempt is like that: outcome accepted",
    );
    fails(
        "{ where: { person: customers-1 }, attempt: { mechanism: email, outcome: accepted } }",
        "mechanism email, outcome refused; ",
    );
    fails("{ where: { person: customers-2 }, attempt: { by: ada } }", "no attempt is like that: by none");
    fails("{ where: { group: customers }, attempt: { outcome: refused }, count: 2 }", "1 rows of 4");
    fails("{ declarations: [{ of: eu, says: success, by: ada }] }", "eu success by ada; us success by ada");
    fails("{ declarations: [{ of: eu }, { of: us, by: bea }] }", "what was declared is");
    fails("{ approvals: [{ by: ada }] }", "what was approved is: ");
    fails("{ reason: waived }", "the reason is");
    fails("{ waiting_for: approval }", "what is pending waits for: live/eu: receipts");
    fails("{ finding: RC0302 }", "there is no such finding");
    fails("{ }", "expects nothing");
    fails("{ where: { person: customers-2 } , text: { contains: Dear }, exit: 1 }", "the exit code is 5, not 1");
}

#[test]
fn whatever_a_report_shows_of_a_row_can_be_expected_and_what_it_leaves_out_too() {
    let performance = perform(&format!(
        "{LIVE}  - {{ where: {{ person: customers-2 }}, is: {{ revision: 1, superseded: false, planned: none, through: none }} }}
  - {{ where: {{ person: customers-2 }}, attempt: {{ to: none, by: none, reference: none }} }}
"
    ));
    let performance = performance.unwrap();
    assert!(performance.held(), "{performance}");
    let people = &performance.report.as_ref().unwrap().people;
    let (mut rows, mut attempts) = (BTreeSet::new(), BTreeSet::new());
    for person in people {
        rows.extend(keys(person));
        rows.extend(person.deliveries.iter().flat_map(keys));
        attempts.extend(person.deliveries.iter().flat_map(|d| &d.attempts).flat_map(keys));
    }
    assert!(rows.len() > 15 && attempts.len() > 7, "{rows:?} {attempts:?}");
    let all = |keys: BTreeSet<String>| keys.iter().map(|key| format!("{key}: other")).collect::<Vec<_>>().join(", ");
    let expected = format!("  - {{ is: {{ {} }}, attempt: {{ {} }} }}\n", all(rows), all(attempts));
    let (_, why) = diverges(&format!("{LIVE}{expected}"));
    assert!(!why.contains("no field"), "{why}");
}

fn keys(part: &impl serde::Serialize) -> Vec<String> {
    let tree = serde_json::to_value(part).unwrap();
    tree.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn what_stands_nowhere_is_looked_for_as_it_was_said() {
    for (said, looked_for) in [("'the \"blue\" build'", "'\"blue\"'"), (r"'C:\builds\7'", r"'C:\builds\7'")] {
        let proof = LIVE.replace("place: eu, by: ada }", &format!("place: eu, by: ada, proof: {said} }}"));
        let (_, why) = diverges(&format!("{proof}  - {{ everywhere: {{ lacks: {looked_for} }} }}\n"));
        assert_eq!(why, "it stands in the report; it stands in the journal or the timeline", "{looked_for}");
    }
}

#[test]
fn what_is_expected_in_between_is_judged_there() {
    let between =
        LIVE.replace("at: 10:30,", "at: 10:30, expect: [{ where: { communique: brief, place: us }, sent: 1 }],");
    assert!(perform(&format!("{between}  - {{ exit: 5 }}\n")).unwrap().held());
    let too_early = LIVE.replace("place: eu, by: ada }", "place: eu, by: ada }, expect: [{ exit: 0 }]");
    let (line, why) = diverges(&format!("{too_early}  - {{ exit: 5 }}\n"));
    assert!(why.contains("the exit code is 5"), "{why}");
    assert_eq!(line, HEAD.lines().count() + 7);
}

#[test]
fn whoever_was_never_there_is_a_slip_in_between_too() {
    let between = |who: &str| {
        LIVE.replace(
            "  - { at: 12:00, stop: true }\n",
            &format!("  - {{ at: 11:00, expect: [{{ where: {{ person: {who} }}, sent: 0 }}] }}\n  - {{ at: 12:00, stop: true }}\n"),
        )
    };
    let (line, why) = diverges(&format!("{}  - {{ exit: 5 }}\n", between("custmers-1")));
    assert_eq!(line, HEAD.lines().count() + 9);
    assert_eq!(why, "the plan has no person `custmers-1`; did you mean `customers-1`?");
}

#[test]
fn a_refusal_that_does_not_come_or_says_something_else_diverges() {
    let says =
        |entry: &str| diverges(&LIVE.replace("  - { at: 12:00, stop: true }\nexpect:\n", &format!("  - {entry}\n"))).1;
    assert!(says("{ at: 11:00, hold: { by: ada }, refused: no }").contains("it was not refused"));
    assert!(says("{ at: 11:00, declare: { outcome: success, place: x, by: ada } }").contains("it was refused: `x`"));
    let other = says("{ at: 11:00, declare: { outcome: success, place: x, by: ada }, refused: because }");
    assert!(other.contains("in other words"), "{other}");
}

#[test]
fn a_crash_to_which_it_never_comes_diverges() {
    let never =
        LIVE.replace("timeline:", "crashes: [{ to: customers-1, attempt: 7, point: begun, back: 1m }]\ntimeline:");
    let (line, why) = diverges(&format!("{never}  - {{ exit: 5 }}\n"));
    assert_eq!((line, why.as_str()), (HEAD.lines().count() + 6, "it never came to this crash"));
}
