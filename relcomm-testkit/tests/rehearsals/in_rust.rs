//! The same in Rust, for unit tests of plans.

use crate::rehearsals::stage::PLAN;
use relcomm_core::release::Outcome;
use relcomm_core::report::Class;
use relcomm_testkit::rehearsal::{Answer, Staging, rehearse, rehearse_text};

fn demo() -> Staging {
    rehearse_text(PLAN)
        .starting("2027-03-02T09:00Z")
        .people("customers", 3)
        .answer(Answer::to("customers-1").via("email").refused())
        .answer(Answer::to("customers-2").via("email").attempt(1).failed("451", "5m"))
        .answer(Answer::to("customers-*").via("email").delivered_after("1m"))
        .at("10:00")
        .declare("eu", Outcome::Success)
}

#[test]
fn a_test_of_a_plan_reads_like_sentences() {
    let performance = demo()
        .at("10:05")
        .declare("us", Outcome::Success)
        .at("11:00")
        .done_for("talk", "board")
        .at("12:00")
        .done_at("live", "eu", "customers-1")
        .done_at("live", "us", "customers-1")
        .run();
    performance.person("customers-1").is(Class::Informed).after_attempts(4);
    performance.person("customers-2").is(Class::Informed).after_attempts(4);
    performance.exits(0).informs(5, 0);
    insta::assert_snapshot!(performance.timeline_text());
}

#[test]
#[should_panic(expected = "customers-1 by phone: a task for somebody")]
fn what_is_not_so_panics_with_the_timeline() {
    let performance = demo().run();
    performance.person("customers-1").is(Class::Informed);
}

#[test]
#[should_panic(expected = "RC0101")]
fn a_plan_that_is_not_valid_panics_with_its_findings() {
    let _ = rehearse_text(&PLAN.replace("to: desk", "to: dask")).run();
}

#[test]
fn where_nobody_says_anything_it_is_the_happy_path() {
    let performance = rehearse_text(PLAN).people("customers", 2).run();
    performance.exits(0).informs(4, 0);
    assert_eq!(performance.timeline_text().matches("acknowledged").count(), 6, "{performance}");
}

/// As the demo, and only those who are named declare and approve.
fn named() -> Staging {
    let plan = format!("{PLAN}approvals: {{ roles: {{ owner: [mia] }}, need: owner }}\nprotocol: {{ declare: ada }}\n");
    rehearse_text(&plan).people("customers", 1).at("+1h").approve("owner", "mia")
}

#[test]
fn it_is_said_by_whom() {
    let performance = named().at("+2h").by("ada").declare("eu", Outcome::Success).hold().slip("open").resume().run();
    for said in ["ada declares success at eu", "ada holds everything", "ada says that the planned time is open"] {
        assert!(performance.timeline_text().contains(said), "{said}: {performance}");
    }
}

#[test]
#[should_panic(expected = "it was refused: the plan names who declares, and this person is not among them")]
fn what_is_refused_panics() {
    let _ = named().at("+2h").declare("eu", Outcome::Success).run();
}

#[test]
#[should_panic(expected = "it was refused: ")]
fn an_attestation_of_nobody_panics() {
    let _ = named().at("+2h").by("ada").declare("eu", Outcome::Success).done("live", "nobody").run();
}

#[test]
fn that_it_is_refused_can_be_said() {
    let _ = named().at("+2h").declare("eu", Outcome::Success).refused("the plan names who declares").run();
}

#[test]
fn a_plan_on_disk_is_read_with_what_lies_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("plan.yaml"), PLAN).unwrap();
    std::fs::write(folder.path().join("customers.csv"), "id,email\nann,ann@a.example\n").unwrap();
    let ann = Answer::to("ann").delivered_after("1m");
    let staged = rehearse(folder.path().join("plan.yaml")).answer(ann).at("+1h");
    let performance = staged.declare("eu", Outcome::Success).declare("us", Outcome::Success).run();
    performance.person("ann").is(Class::Informed).after_attempts(2);
    performance.exits(5);
}

#[test]
fn whoever_expires_is_told_of_once() {
    let plan = "plan: 1
release: { product: Anvil, version: 2.0.0, what: Shared folders, why: Teams asked for it., how: Choose Share. }
responsible: Ada Osei <ada@anvil.example>
groups: { all: { members: [a@anvil.example, b@anvil.example, c@anvil.example], via: email } }
communiques: { live: { to: all, at: { from: declared, spread: 6h, not_after: declared +1h } } }
";
    let performance =
        rehearse_text(plan).starting("2027-03-02T09:00Z").at("10:00").declare("production", Outcome::Success).run();
    performance.informs(1, 2);
    let text = performance.timeline_text();
    let expired: Vec<&str> = text.lines().filter(|line| line.contains("expired")).collect();
    assert!(expired.len() == 1 && expired[0].ends_with("live → b, c by email: expired"), "{text}");
}
