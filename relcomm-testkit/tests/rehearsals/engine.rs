//! What happens in a rehearsal is what the engine does.

use crate::rehearsals::stage::{holds, perform_with, timeline, told};
use relcomm_core::plan::HeldFiles;
use relcomm_testkit::rehearsal::{Rehearsal, Unperformed};

const ALL_LIVE: &str = "
  - { at: 10:00, declare: { outcome: success, place: eu, by: ada } }
  - { at: 10:00, declare: { outcome: success, place: us, by: ada } }
";

#[test]
fn a_timeline_tells_what_people_did_and_what_followed() {
    let performance = holds(
        "
members: { customers: { count: 5, columns: { place: [eu, us] } } }
answers:
  - { to: customers-2, via: email, answer: refused }
  - { to: customers-3, via: email, attempt: 1, answer: { failed: { status: 451, retry_after: 90s } } }
  - { to: customers-4, via: email, answer: accepted }
  - { to: customers-*, via: email, later: { delivered: 1m } }
  - { to: customers-*, via: phone, later: { acknowledged: 20m } }
timeline:
  - { at: 10:00, declare: { outcome: success, place: eu, by: ada, proof: build 7 } }
  - { at: 11:30, declare: { outcome: success, place: us, by: ada } }
  - { at: 11:30, declare: { outcome: success, place: us, by: ada } }
  - { at: +1d, attest: { communique: talk, group: board, by: carl, outcome: done } }
expect:
  - { totals: { people: 7, informed: 7 }, verdict: informed, exit: 0 }
",
    );
    insta::assert_snapshot!(timeline(&performance));
}

#[test]
fn two_plays_are_the_same_byte_for_byte() {
    let play = || {
        let performance = holds(&format!(
            "
dispatchers: 2
members: {{ customers: {{ count: 40 }} }}
answers:
  - {{ to: customers-*7, via: email, answer: indeterminate }}
  - {{ to: customers-*, via: email, after: 3s, later: {{ delivered: 10m }} }}
crashes: [{{ to: customers-9, point: crossed, back: 2m }}]
timeline:{ALL_LIVE}  - {{ at: +2d, stop: true, expect: [{{ exit: 5 }}] }}
"
        ));
        serde_json::to_string(&performance).unwrap()
    };
    assert_eq!(play(), play());
}

#[test]
fn what_a_crash_leaves_in_the_air_is_held_and_nothing_is_doubled_or_lost() {
    let held = "held: nobody knows whether it went out";
    // A receipt ends the doubt about the one that the far side has; of the others nobody knows, since mail knows no keys.
    for (point, sent, reason) in [("begun", 6, held), ("crossed", 6, held), ("taken", 7, "none")] {
        let performance = holds(&format!(
            "
members: {{ customers: {{ count: 7, columns: {{ place: [eu] }} }} }}
answers: [{{ to: customers-*, via: email, later: {{ delivered: 1m }} }}]
channels: {{ email: {{ concurrency: 1 }} }}
crashes: [{{ to: customers-3, via: email, point: {point}, back: 10m }}]
timeline:{ALL_LIVE}  - {{ at: +2d, stop: true }}
expect:
  - {{ where: {{ group: customers }}, sent: {sent} }}
  - {{ where: {{ group: customers }}, is: {{ class: informed }}, count: {sent} }}
  - {{ where: {{ person: customers-3 }}, is: {{ reason: \"{reason}\" }} }}
"
        ));
        assert!(timeline(&performance).contains("crash, back at 2027-03-02T10:10:00Z"));
    }
}

#[test]
fn a_far_side_that_honours_keys_has_each_text_once_whatever_crashes() {
    for point in ["begun", "crossed", "taken"] {
        holds(&format!(
            "
members: {{ customers: {{ count: 7, columns: {{ place: [eu] }} }} }}
answers: [{{ to: customers-*, via: email, later: {{ delivered: 1m }} }}]
channels: {{ email: {{ deduplication: key }} }}
crashes: [{{ to: customers-3, via: email, point: {point}, back: 10m }}]
timeline:{ALL_LIVE}  - {{ at: +2d, stop: true }}
expect:
  - {{ where: {{ group: customers }}, sent: 7 }}
  - {{ where: {{ group: customers }}, is: {{ class: informed }} }}
"
        ));
    }
}

#[test]
fn a_far_side_that_can_be_asked_settles_the_doubt() {
    holds(&format!(
        "
members: {{ customers: {{ count: 4, columns: {{ place: [eu] }} }} }}
channels: {{ email: {{ deduplication: lookup }} }}
answers:
  - {{ to: customers-1, via: email, attempt: 1, answer: {{ indeterminate: {{ arrived: false }} }} }}
  - {{ to: customers-2, via: email, answer: indeterminate, later: {{ delivered: 5m }} }}
  - {{ to: customers-*, via: email, later: {{ delivered: 5m }} }}
timeline:{ALL_LIVE}  - {{ at: +2d, stop: true }}
expect:
  - {{ where: {{ group: customers }}, sent: 4 }}
  - {{ where: {{ group: customers }}, is: {{ class: informed }} }}
"
    ));
}

#[test]
fn an_outage_takes_the_channel_down_and_nobodys_tries() {
    let performance = holds(&format!(
        "
members: {{ customers: {{ count: 3, columns: {{ place: [eu] }} }} }}
outages: [{{ via: email, from: 10:00, until: 10:20 }}]
answers: [{{ to: customers-*, via: email, later: {{ delivered: 1m }} }}]
timeline:{ALL_LIVE}  - {{ at: +1d, stop: true }}
expect:
  - {{ where: {{ group: customers }}, is: {{ class: informed, mechanism: email }} }}
  - {{ never: {{ group: customers, via: phone }} }}
"
    ));
    assert!(timeline(&performance).contains("channel for email: down until"));
}

#[test]
fn a_channel_that_never_comes_back_ends_the_rehearsal_and_leaves_open_what_waits_for_it() {
    let performance = holds(&format!(
        "
members: {{ customers: {{ count: 2, columns: {{ place: [eu] }} }} }}
answers: [{{ to: customers-1, via: email, answer: {{ failed: {{ channel: true, retry_after: 1d }} }} }}]
timeline:{ALL_LIVE}expect:
  - {{ where: {{ person: customers-1, communique: live }}, sent: 0 }}
  - {{ exit: 5 }}
"
    ));
    let says = "the channel for email does not come back, and nothing else happens: it ends here";
    assert!(timeline(&performance).contains(says), "{performance}");
}

/// One communique to one group.
fn to_staff(staff: &str) -> String {
    format!(
        "plan: 1
zone: UTC
release: {{ product: Demo, version: 1.0.0, what: [Sharing], why: Asked for., how: Open it. }}
responsible: Ada <ada@demo.example>
groups: {{ staff: {{ {staff} }} }}
communiques: {{ live: {{ to: staff }} }}
"
    )
}

#[test]
fn a_channel_that_never_comes_back_ends_it_also_where_the_hours_of_a_group_are_over_each_evening() {
    let plan = to_staff("members: [ann@demo.example, bob@demo.example], via: email, between: \"07:00-20:00\"");
    let performance = perform_with(
        &plan,
        "
answers: [{ to: \"*\", via: email, answer: { failed: { channel: true } } }]
timeline: [{ at: 10:00, declare: { outcome: success, by: ada } }]
expect: [{ sent: 0 }, { exit: 5 }]
",
    );
    let performance = performance.unwrap_or_else(|why| panic!("{}", told(&why)));
    assert!(performance.held(), "{performance}");
    assert!(timeline(&performance).contains("nothing else happens: it ends here"), "{performance}");
}

#[test]
fn a_hanging_far_side_ends_with_the_time_of_a_call() {
    holds(&format!(
        "
members: {{ customers: {{ count: 1, columns: {{ place: [eu] }} }} }}
channels: {{ email: {{ timeout: 20s }} }}
answers:
  - {{ to: customers-1, via: email, attempt: 1, answer: hang }}
  - {{ to: customers-1, via: email, later: {{ delivered: 1m }} }}
timeline:{ALL_LIVE}  - {{ at: +1d, stop: true }}
expect: [{{ where: {{ person: customers-1 }}, is: {{ class: informed, attempts: 2 }}, apart: 20s }}]
"
    ));
}

#[test]
fn two_dispatchers_send_each_text_once() {
    holds(&format!(
        "
dispatchers: 2
members: {{ customers: {{ count: 100, columns: {{ place: [eu, us] }} }} }}
answers: [{{ to: customers-*, via: email, after: 2s, later: {{ delivered: 1m }} }}]
timeline:{ALL_LIVE}  - {{ at: +1d, stop: true }}
expect:
  - {{ where: {{ group: customers }}, sent: 100 }}
  - {{ where: {{ group: customers }}, is: {{ class: informed, attempts: 1 }}, count: 100 }}
"
    ));
}

#[test]
fn a_hold_stops_what_is_not_out_and_lets_it_go_on() {
    holds(&format!(
        "
members: {{ customers: {{ count: 3, columns: {{ place: [eu] }} }} }}
timeline:
  - {{ at: 09:30, hold: {{ communique: live, by: ada, why: wait }} }}{ALL_LIVE}
  - {{ at: 11:00, expect: [{{ where: {{ communique: brief }}, sent: 2 }}, {{ where: {{ communique: live }}, sent: 0 }}, {{ waiting_for: resume }}] }}
  - {{ at: 12:00, resume: {{ communique: live, by: ada }} }}
  - {{ at: 12:01, expect: [{{ where: {{ communique: live }}, sent: 3 }}] }}
  - {{ at: +1d, stop: true }}
"
    ));
}

#[test]
fn whoever_nobody_has_reached_is_tried_once_more_when_somebody_says_so() {
    let plan =
        to_staff("members: [{ id: ann, email: ann@demo.example }, { id: bob, email: bob@demo.example }], via: email");
    let performance = perform_with(
        &plan,
        "
answers: [{ to: ann, via: email, attempt: 1, answer: refused }]
timeline:
  - { at: 10:00, declare: { outcome: success, by: ada } }
  - { at: 12:00, expect: [{ where: { person: ann }, is: { class: not_informed } }] }
  - { at: 12:00, retry: { by: ada, person: bob, why: To see. } }
  - { at: 12:00, retry: { by: ada, person: anne }, refused: did you mean `ann`? }
  - { at: 13:00, retry: { by: ada, communique: live, why: The relay is mended. } }
expect:
  - { where: { person: ann }, sent: 1, is: { class: informed, attempts: 2 } }
  - { where: { person: bob }, sent: 1, is: { attempts: 1 } }
",
    );
    let performance = performance.unwrap_or_else(|why| panic!("{}", told(&why)));
    assert!(performance.held(), "{performance}");
    let told = timeline(&performance);
    assert!(told.contains("ada has everything tried again for bob: nothing new"), "{told}");
    assert!(told.contains("ada has live tried again\n"), "{told}");
    assert!(told.contains("→ ann by email: the first step, from 2027-03-02T13:00:00Z"), "{told}");
}

#[test]
fn a_step_that_went_and_came_back_is_told_as_that() {
    let plan = to_staff("members: [{ id: ann, email: ann@demo.example, phone: +41445550101 }], via: email");
    let performance = perform_with(
        &plan,
        "
answers: [{ to: ann, via: email, attempt: 1, answer: { failed: { status: 451, retry_after: 2h } } }]
timeline:
  - { at: 10:00, declare: { outcome: success, by: ada } }
  - { at: 10:30, change: { groups.staff.via: phone } }
  - { at: 11:00, change: { groups.staff.via: email } }
expect: [{ where: { person: ann }, is: { class: informed, mechanism: email } }]
",
    );
    let performance = performance.unwrap_or_else(|why| panic!("{}", told(&why)));
    assert!(performance.held(), "{performance}");
    let told = timeline(&performance);
    // Not before the far side wants it again.
    assert!(
        told.contains("→ ann by email: in the plan again, from 2027-03-02T12:00:00Z") && !told.contains("hours"),
        "{told}"
    );
}

#[test]
fn who_joins_and_who_leaves_changes_the_list_of_what_is_not_out_yet() {
    holds(
        "
members: { customers: { count: 3 } }
timeline:
  - { at: 10:00, declare: { outcome: success, place: eu, by: ada } }
  - { at: 10:30, expect: [{ where: { communique: live, place: eu }, sent: 3 }] }
  - { at: 11:00, join: { customers: 2 } }
  - { at: 11:00, leave: { customers: customers-1 } }
  - { at: 12:00, declare: { outcome: success, place: us, by: ada } }
  - { at: 12:30, expect: [{ where: { communique: live, place: us }, sent: 4 }, { where: { communique: live, place: us, person: customers-1 }, sent: 0 }] }
  - { at: +1d, stop: true }
",
    );
}

#[test]
fn what_is_in_flight_when_people_join_or_somebody_else_executes_lands() {
    for act in [
        "join: { customers: 1 }",
        "leave: { customers: customers-2 }",
        "change: { release.why: Since. }",
        "execute: { by: bea }",
    ] {
        let performance = holds(&format!(
            "
members: {{ customers: {{ count: 2, columns: {{ place: [eu] }} }} }}
answers:
  - {{ to: customers-1, via: email, after: 50s, later: {{ delivered: 1m }} }}
timeline:
  - {{ at: 10:00, declare: {{ outcome: success, place: eu, by: ada }} }}
  - {{ at: \"10:00:20\", {act} }}
  - {{ at: 10:05, expect: [{{ where: {{ person: customers-1, communique: live }}, sent: 1, is: {{ class: informed, attempts: 1 }} }}] }}
  - {{ at: 10:06, stop: true }}
"
        ));
        let told = timeline(&performance);
        assert!(told.contains("10:00:50Z  live/eu → customers-1"), "{act}: {told}");
    }
}

const APPROVED: &str = "
plan: 1
id: demo
zone: UTC
release: { product: Demo, version: 1.0.0, what: [{ id: one, text: The one thing }], why: Because., how: Open it. }
responsible: Ada <ada@demo.example>
approvals: { roles: { owner: [mia] }, need: owner }
groups: { desk: { email: desk@demo.example, via: [webhook, email], webhook: portal } }
communiques: { live: { to: desk, text: \"Now {{ item.one }}\" } }
";

#[test]
fn a_change_of_the_plan_voids_its_approvals_and_what_goes_out_are_the_new_words() {
    let performance = perform_with(
        APPROVED,
        "
timeline:
  - { at: 10:00, approve: { role: owner, by: mia }, expect: [{ approvals: [{ of: owner, says: approved, by: mia, digest: present }] }] }
  - { at: 10:05, change: { communiques.live.text: \"Now, {{ item.one }}\" }, expect: [{ approvals: [{ by: mia, digest: past }] }] }
  - { at: 11:00, declare: { outcome: success, by: ada }, expect: [{ sent: 0, exit: 3, waiting_for: approval }] }
  - { at: 12:00, approve: { role: owner, by: mia } }
expect:
  - { sent: 1, text: { contains: \"Now, The\" }, exit: 0 }
  - { approvals: [{ by: mia, digest: past }, { by: mia, digest: present }] }
",
    );
    let performance = performance.unwrap_or_else(|why| panic!("{}", told(&why)));
    assert!(performance.held(), "{performance}");
    let timeline = timeline(&performance);
    assert!(timeline.contains("10:05:00Z  the plan's communiques.live.text is changed"), "{timeline}");
    let broken = "timeline: [{ at: 10:00, change: { communiques.live.to: nobody } }]\n";
    let Err(Unperformed::Plan(findings)) = perform_with(APPROVED, broken) else { panic!("it is not valid any more") };
    assert!(findings.iter().any(|f| f.code == "RC0101"), "{findings:?}");
}

#[test]
fn numbers_and_truth_values_of_the_plan_can_be_set_and_changed() {
    let plan = APPROVED.replace("to: desk, text", "to: desk, urgent: false, text");
    let performance = perform_with(
        &plan,
        "
set: { communiques.live.urgent: true, release.why: 7 }
timeline:
  - { at: 10:00, approve: { role: owner, by: mia } }
  - { at: 10:05, change: { communiques.live.urgent: false, release.how: \"true\" } }
  - { at: 11:00, stop: true }
",
    );
    performance.unwrap_or_else(|why| panic!("{}", told(&why)));
    let quoted = "set: { communiques.live.urgent: \"true\" }\n";
    let Err(Unperformed::Plan(findings)) = perform_with(&plan, quoted) else { panic!("it is text") };
    assert_eq!(findings[0].code, "RC0003", "{findings:?}");
}

#[test]
fn a_far_side_that_is_asked_tells_by_which_name_it_has_it() {
    let performance = perform_with(
        &APPROVED.replace("approvals: { roles: { owner: [mia] }, need: owner }\n", ""),
        "
channels: { webhook: { deduplication: lookup } }
answers: [{ to: desk, via: webhook, after: 50s, answer: { indeterminate: { reference: FS-7, url: \"https://portal.example/7\" } } }]
timeline: [{ at: 10:00, declare: { outcome: success, by: ada } }]
expect:
  - { sent: 1, where: { group: desk }, is: { class: informed, attempts: 1 } }
  - { where: { group: desk }, attempt: { outcome: accepted, reference: FS-7, ended: \"2027-03-02T10:00:50Z\" } }
",
    );
    let performance = performance.unwrap_or_else(|why| panic!("{}", told(&why)));
    assert!(performance.held(), "{performance}");
}

#[test]
fn a_jump_of_the_machines_clock_leaves_true_time_as_it_is() {
    let performance = holds(&format!(
        "
members: {{ customers: {{ count: 1, columns: {{ place: [eu] }} }} }}
timeline:
  - {{ at: 09:30, jump: {{ ahead: 2h }} }}{ALL_LIVE}
  - {{ at: 10:05, expect: [{{ where: {{ communique: live }}, sent: 1 }}] }}
  - {{ at: +1d, stop: true }}
"
    ));
    assert!(timeline(&performance).contains("2027-03-02T12:00:00Z  ada declares success at eu"), "{performance}");
}

#[test]
fn what_is_refused_is_said_in_a_line_and_leaves_the_journal_as_it_was() {
    holds(
        "
members: { customers: { count: 1 } }
timeline:
  - { at: 10:00, declare: { outcome: success, by: ada }, refused: name the place }
  - { at: 10:00, declare: { outcome: success, place: mars, by: ada }, refused: is no place }
  - { at: 10:00, declare: { outcome: success, place: eu, by: ada, as_of: 11:00 }, refused: future }
  - { at: 10:00, approve: { role: boss, by: ada }, refused: needs no approval }
  - { at: 10:00, attest: { communique: talk, group: board, by: carl, outcome: done }, refused: nothing of that communique is out }
  - { at: 10:01, declare: { outcome: rolled-back, place: eu, by: ada } }
  - { at: 10:02, declare: { outcome: success, place: eu, by: ada }, refused: rolled back }
  - { at: 10:03, stop: true }
",
    );
}

const ONCE: &str = "plan: 1
zone: UTC
release: { product: Demo, version: 1.0.0, what: [Sharing], why: Asked for., how: Open it. }
responsible: Ada <ada@demo.example>
groups:
  board: { members: [{ id: ceo, email: ceo@demo.example }, { id: cfo, email: cfo@demo.example }], via: presentation, informed_when: acknowledged }
  desk: { members: [{ id: bea, email: bea@demo.example }], via: email }
communiques: { live: { to: [board, desk], covers: [item-1] } }
";

/// Plays a script with that plan.
fn once(script: &str) -> String {
    let all = Rehearsal::read("script.yaml", format!("rehearsal: 1\nname: once\n{script}").as_bytes()).unwrap();
    let performance = all[0].perform("plan.yaml", ONCE.as_bytes(), &HeldFiles::new()).unwrap();
    assert!(performance.held(), "{performance}");
    timeline(&performance)
}

#[test]
fn what_is_done_by_hand_once_for_all_is_said_of_the_whole_group() {
    let told = once("expect: [{ totals: { informed: 3 }, verdict: informed, exit: 0 }]\n");
    assert!(told.contains("somebody says that live for board was done"), "{told}");
    once(
        "answers: [{ to: board, later: { acknowledged: 2h } }]
timeline:
  - { at: 10:00, declare: { outcome: success, by: ada } }
  - { at: 11:59, expect: [{ where: { group: board }, is: { class: unconfirmed }, count: 2 }] }
  - { at: 12:01, expect: [{ where: { group: board }, is: { class: informed }, count: 2 }] }
",
    );
    once(
        "answers: [{ to: board, later: { bounced: 1h } }]
timeline: [{ at: 10:00, declare: { outcome: success, by: ada } }]
expect: [{ totals: { informed: 1, not_informed: 2 } }]
",
    );
}

#[test]
fn what_is_done_by_hand_at_an_address_of_a_group_is_said_of_the_group_too() {
    let letter = "plan: 1
zone: UTC
release: { product: Demo, version: 1.0.0, what: [Sharing], why: Asked for., how: Open it. }
responsible: Ada <ada@demo.example>
groups: { sponsors: { newsletter: sponsors-letter, informed_when: acknowledged } }
communiques: { live: { to: sponsors } }
";
    let performance = Rehearsal::happy_path().perform("plan.yaml", letter.as_bytes(), &HeldFiles::new()).unwrap();
    assert_eq!(performance.exit, 0, "{performance}");
    let told = timeline(&performance);
    assert!(told.contains("somebody says that live for sponsors was done"), "{told}");
}

#[test]
fn a_post_is_answered_for_the_groups_whose_steps_name_it() {
    once(
        "answers: [{ to: desk, answer: refused }]
timeline:
  - { at: 10:00, declare: { outcome: success, by: ada } }
  - { at: 11:00, attest: { communique: live, group: board, by: ada, outcome: done } }
expect: [{ totals: { informed: 2, not_informed: 1 } }]
",
    );
}
