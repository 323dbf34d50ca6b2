//! Whom a far side answers for: those who share an address or a post, and whoever is reached in another's place.

use crate::rehearsals::stage::{perform_with, timeline, told};
use relcomm_testkit::rehearsal::Performance;

const FRAME: &str = "plan: 1
zone: UTC
release: { product: Demo, version: 1.0.0, what: [Sharing], why: Asked for., how: Open it. }
responsible: Ada <ada@demo.example>
";

fn played(plan: &str, script: &str) -> Performance {
    let timeline = "timeline: [{ at: 10:00, declare: { outcome: success, by: ada } }]\n";
    let performance = perform_with(&format!("{FRAME}{plan}"), &format!("{script}{timeline}"));
    performance.unwrap_or_else(|why| panic!("{}", told(&why)))
}

fn holds(plan: &str, script: &str) -> Performance {
    let performance = played(plan, script);
    assert!(performance.held(), "{performance}");
    performance
}

const BOARD: &str = "groups:
  board: { members: [{ id: ceo, email: ceo@demo.example }, { id: cfo, email: cfo@demo.example }], via: presentation }
  desk: { members: [{ id: bea, email: bea@demo.example }], via: email }
communiques: { live: { to: [board, desk] } }
";

#[test]
fn a_post_is_told_to_each_for_whom_it_is() {
    holds(
        BOARD,
        "expect:
  - { where: { person: ceo }, sent: 1 }
  - { where: { person: c* }, sent: 1, text: { contains: Demo } }
  - { where: { person: bea }, sent: 1 }
  - { never: { person: bea, via: presentation } }
",
    );
    let performance = played(BOARD, "expect: [{ never: { person: cfo } }]\n");
    let failed: Vec<&String> = performance.checks.iter().flat_map(|check| &check.failed).collect();
    assert_eq!(failed, ["it was tried 1 times"]);
}

#[test]
fn those_who_share_an_address_are_each_answered_for() {
    holds(
        "groups: { office: { members: [{ id: ann, email: office@demo.example }, { id: bob, email: office@demo.example }], via: email } }
communiques: { live: { to: office } }
",
        "answers: [{ to: bob, answer: refused }]
expect:
  - { where: { person: ann }, sent: 1, is: { class: informed } }
  - { where: { person: bob }, sent: 0, is: { class: not_informed } }
",
    );
}

#[test]
fn whoever_is_reached_in_anothers_place_is_answered_for_and_named() {
    let performance = holds(
        "approvals: { roles: { duty-manager: [dee@demo.example] } }
groups:
  staff:
    members: [{ id: bea, email: bea@demo.example }]
    informed_when: acknowledged
    via:
      - email
      - { via: email, to: duty-manager, unless: acknowledged, within: 10m }
communiques: { live: { to: staff } }
",
        "answers: [{ to: dee, later: { acknowledged: 3m } }]
expect: [{ where: { person: bea }, is: { class: informed } }, { where: { person: bea }, attempt: { to: dee, outcome: accepted } }]
",
    );
    let told = timeline(&performance);
    assert!(told.contains("10:13:00Z  live → bea (to dee) by email: acknowledged"), "{told}");
}

#[test]
fn no_answer_shows_more_than_the_far_side_can_prove() {
    holds(
        BOARD,
        "channels: { email: { proves: relayed } }
answers: [{ to: bea, answer: { accepted: { assurance: displayed } }, later: { acknowledged: 1m } }]
expect: [{ where: { person: bea }, is: { assurance: relayed } }]
",
    );
}

#[test]
fn a_try_is_the_one_that_the_report_counts_also_where_it_counts_for_nothing() {
    holds(
        BOARD,
        "answers:
  - { to: bea, attempt: 1, answer: { failed: { channel: true } } }
  - { to: bea, attempt: 2, answer: refused }
expect: [{ where: { person: bea }, is: { attempts: 2, class: not_informed } }]
",
    );
}
