//! The happy path of plans that ask more of people, or of the time.

use crate::rehearsals::stage::{PLAN, timeline, told};
use chrono::{Datelike, Timelike};
use relcomm_core::plan::HeldFiles;
use relcomm_testkit::rehearsal::{Rehearsal, rehearse_text};

/// Plays the happy path of a plan that says this besides; it ends well. The timeline.
fn ends_well(more: &str) -> String {
    let plan = format!(
        "plan: 1
zone: UTC
release:
  product: Demo
  version: 1.0.0
  what: [{{ id: one, text: The one thing }}]
  why: Asked for.
  how: Open it.
  when: 2027-05-12T07:00
groups: {{ staff: {{ members: [ann@demo.example], via: email }} }}
{more}"
    );
    let performed = Rehearsal::happy_path().perform("plan.yaml", plan.as_bytes(), &HeldFiles::new());
    let performance = performed.unwrap_or_else(|why| panic!("{}", told(&why)));
    assert!(performance.held() && performance.exit == 0, "{more}{performance}");
    timeline(&performance)
}

const LIVE: &str = "communiques: { live: { to: staff, text: \"Now {{ release.what | length }}\" } }\n";
const ADA: &str = "responsible: Ada <ada@demo.example>\n";

#[test]
fn whoever_prepares_and_executes_where_two_must_and_nobody_is_named_are_two() {
    ends_well(&format!("{ADA}{LIVE}approvals: {{ distinct: [prepare, execute] }}\n"));
    ends_well(&format!("{ADA}{LIVE}approvals: {{ distinct: [prepare, approve, declare, execute] }}\n"));
}

#[test]
fn nobody_approves_and_declares_where_two_must() {
    let distinct = "approvals: { roles: { owner: [ada, mia], tester: [ada] }, need: [owner, tester], distinct: [approve, declare] }\n";
    let told =
        ends_well(&format!("responsible: {{ execute: {{ id: ada, email: ada@demo.example }} }}\n{LIVE}{distinct}"));
    for said in ["mia approves as owner", "ada approves as tester", "somebody declares success"] {
        assert!(told.contains(said), "{said}: {told}");
    }
    let named = "approvals: { roles: { owner: [mia] }, need: owner, distinct: [prepare, approve, declare] }
protocol: { declare: [mia, bob], prepare: [mia, bob, cho] }
";
    let told = ends_well(&format!("{ADA}{LIVE}{named}"));
    assert!(told.contains("bob declares success"), "{told}");
}

#[test]
fn approvals_that_expire_are_given_late_enough_and_again() {
    let expire = "approvals: { roles: { owner: [mia] }, need: owner, expire: 3d }\n";
    let told = ends_well(&format!("{ADA}{LIVE}{expire}"));
    assert!(told.contains("2027-05-12T07:00:00Z  mia approves as owner"), "{told}");
    let early = "communiques:
  soon: { to: staff, at: planned -14d, text: \"Soon {{ release.what | length }}\" }
  live: { to: staff, text: \"Now {{ release.what | length }}\" }
  after: { to: staff, at: declared +10d, text: \"Still {{ release.what | length }}\" }
";
    let told = ends_well(&format!("{ADA}{early}{expire}"));
    assert_eq!(told.matches("mia approves as owner").count(), 4, "{told}");
}

#[test]
fn where_no_time_is_known_it_begins_on_a_monday() {
    let performance = rehearse_text(PLAN).people("customers", 1).run();
    let begins = performance.timeline.first().unwrap().at.datetime();
    assert_eq!((begins.weekday(), begins.hour()), (chrono::Weekday::Mon, 9));
}

#[test]
fn it_begins_before_anything_is_due() {
    let told = ends_well(&format!(
        "{ADA}communiques:
  early: {{ to: staff, at: planned -60d, not_after: planned -59d, text: \"Soon {{{{ release.what | length }}}}\" }}
  live: {{ to: staff, text: \"Now {{{{ release.what | length }}}}\" }}
"
    ));
    assert!(told.contains("2027-03-13T07:00:00Z  early: opens"), "{told}");
}
