//! When gates open, what is never sent late, and when to call again.

use crate::support::{DAY, HOUR, MINUTE, World, at, finish, live, person};
use relcomm_core::receipt::Assurance;
use relcomm_core::report::{Class, Verdict};
use relcomm_testkit::channel::{Answer, ScriptedChannel};
use std::time::{Duration, Instant};

const STAFF: &str = "
groups:
  staff: { members: [{ id: al, email: al@demo.example }], via: email }
";

fn plan(communiques: &str) -> String {
    format!("{STAFF}communiques:\n{communiques}\n")
}

/// With one place and a zone that changes its clocks.
fn london(communiques: &str) -> String {
    let head = crate::support::RELEASE
        .replace("zone: UTC", "zone: Europe/London")
        .replace("where: { eu: {}, us: {} }", "where: { eu: {} }")
        .replace("2027-05-12T07:00Z", "2027-03-29T08:00");
    format!("{head}{}", plan(communiques))
}

#[tokio::test(start_paused = true)]
async fn a_gate_at_the_planned_time_opens_undeclared_and_the_step_before_says_when() {
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(&plan("  soon: { to: staff, per: release, at: planned - 10m }"), &email);
    let due = at("2027-05-12T06:50:00Z");
    let dispatcher = world.dispatcher();
    let standing = dispatcher.step().await.unwrap();
    assert_eq!(standing.next_due, Some(due));
    assert_eq!(standing.pending[0].due, Some(due));
    world.clock_until(due - Duration::from_millis(5)).await;
    assert_eq!(dispatcher.step().await.unwrap().next_due, Some(due));
    assert!(email.seen().is_empty());
    world.clock_until(due).await;
    assert!(dispatcher.step().await.unwrap().is_done());
    assert_eq!(email.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn days_are_the_calendars_and_hours_elapse() {
    // Clocks go forward on 2027-03-28 at 01:00Z. Declared at 17:00 local on the 27th.
    let email = ScriptedChannel::new("smtp");
    let body = london(
        "  day: { to: staff, at: declared +1d, text: Day. }\n  hours: { to: staff, at: declared +24h, text: Hours. }\n  clock: { to: staff, at: \"declared +1d @09:00\", text: Clock. }",
    );
    let world = World::by_email(&body, &email);
    let dispatcher = world.dispatcher_from(at("2027-03-27T17:00:00Z"));
    dispatcher.declare(&live("eu")).await.unwrap();
    assert!(finish(&dispatcher).await.is_done());
    let when = |word: &str| {
        email.seen().iter().find(|s| s.text.part("text").contains(word)).map(|s| s.at.millis() / 1000 * 1000).unwrap()
    };
    assert_eq!(when("Clock."), at("2027-03-28T08:00:00Z").millis());
    assert_eq!(when("Day."), at("2027-03-28T16:00:00Z").millis());
    assert_eq!(when("Hours."), at("2027-03-28T17:00:00Z").millis());
}

#[tokio::test(start_paused = true)]
async fn each_occurrence_has_a_gate_and_a_time() {
    let email = ScriptedChannel::new("smtp");
    let body = plan(
        "  soon: { to: staff, per: release, occurrences: { early: planned - 45m, last: planned - 5m }, text: \"{{ communique.occurrence }}\" }",
    );
    let world = World::by_email(&body, &email);
    let dispatcher = world.dispatcher();
    assert!(finish(&dispatcher).await.is_done());
    let seen = email.seen();
    let texts: Vec<_> = seen.iter().map(|s| s.text.part("text").trim().to_owned()).collect();
    assert_eq!(texts, ["early", "last"]);
    assert_ne!(seen[0].key, seen[1].key, "each is a delivery of its own");
    assert!(seen[0].at >= at("2027-05-12T06:15:00Z") && seen[0].at < at("2027-05-12T06:15:01Z"));
    assert!(seen[1].at >= at("2027-05-12T06:55:00Z"));
}

#[tokio::test(start_paused = true)]
async fn what_is_too_late_is_reported_and_never_sent() {
    let email = ScriptedChannel::new("smtp");
    let body = plan("  soon: { to: staff, per: release, at: planned - 2d, not_after: planned - 1d }");
    let world = World::by_email(&body, &email);
    let dispatcher = world.dispatcher();
    assert!(dispatcher.step().await.unwrap().is_done());
    assert!(email.seen().is_empty());
    let report = dispatcher.report().await.unwrap();
    assert_eq!(report.verdict, Verdict::NotInformed);
    assert_eq!(person(&report, "al").reason.as_deref(), Some("expired"));
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_would_come_too_late_is_not_made() {
    let email = ScriptedChannel::new("smtp").answering(|_, _| Answer::Defer(Some(HOUR)));
    let body = plan("  soon: { to: staff, per: release, at: planned - 30m, not_after: planned }");
    let world = World::by_email(&body, &email);
    let dispatcher = world.dispatcher();
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(email.seen().len(), 1);
    let report = dispatcher.report().await.unwrap();
    assert_eq!(person(&report, "al").class, Class::NotInformed);
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_is_down_beyond_the_time_lets_it_expire() {
    let email = ScriptedChannel::new("smtp").answering(|_, _| Answer::Fault(Some(DAY)));
    let body = plan("  soon: { to: staff, per: release, at: planned - 30m, not_after: planned }");
    let world = World::by_email(&body, &email);
    let dispatcher = world.dispatcher();
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(email.seen().len(), 1);
    assert!(world.clock_now() < at("2027-05-12T07:01:00Z"), "it ends when its time is over, not when the lane is back");
    let report = dispatcher.report().await.unwrap();
    assert_eq!(person(&report, "al").deliveries[0].reason.as_deref(), Some("expired"));
}

#[tokio::test(start_paused = true)]
async fn a_time_counts_from_when_another_communique_got_there() {
    let email = ScriptedChannel::new("smtp")
        .answering(|_, _| Answer::After(MINUTE / 2, Box::new(Answer::Accept(Assurance::Accepted))));
    let body = plan(
        "  first: { to: staff, per: release, at: planned, text: First. }\n  second: { to: staff, per: release, at: first accepted + 20m, text: Second. }",
    );
    let world = World::by_email(&body, &email);
    let dispatcher = world.dispatcher();
    assert!(finish(&dispatcher).await.is_done());
    let seen = email.seen();
    assert!(seen[1].text.part("text").contains("Second."));
    let apart = seen[1].at.since(seen[0].at);
    assert!(apart >= MINUTE * 20 + MINUTE / 2 && apart < MINUTE * 21, "{apart:?}");
}

#[tokio::test(start_paused = true)]
async fn a_time_that_counts_from_what_never_comes_is_blocked() {
    let email = ScriptedChannel::new("smtp").answering(|_, _| Answer::Refuse);
    let body = plan(
        "  first: { to: staff, per: release, at: planned, text: First. }\n  second: { to: staff, per: release, at: first accepted + 20m, text: Second. }",
    );
    let world = World::by_email(&body, &email);
    let dispatcher = world.dispatcher();
    assert!(finish(&dispatcher).await.is_done());
    let report = dispatcher.report().await.unwrap();
    let reasons: Vec<_> = person(&report, "al").deliveries.iter().map(|d| d.reason.clone().unwrap()).collect();
    assert_eq!(reasons, ["refused: recipient-invalid", "blocked: first accepted"]);
}

#[tokio::test(start_paused = true)]
async fn thirty_days_take_no_time() {
    let email = ScriptedChannel::new("smtp");
    let body = plan("  soon: { to: staff, per: release, occurrences: { a: planned +1d, b: planned +30d } }");
    let world = World::by_email(&body, &email);
    let began = Instant::now();
    assert!(finish(&world.dispatcher()).await.is_done());
    assert!(world.clock_now() >= at("2027-06-11T07:00:00Z"));
    assert_eq!(email.seen().len(), 2);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn whoever_is_unconfirmed_is_final_after_the_settling_time() {
    let email = ScriptedChannel::new("smtp");
    let body = "
settle: 3d
groups:
  staff: { members: [{ id: al, email: al@demo.example }], via: email, informed_when: acknowledged }
communiques:
  out: { to: staff, per: release, at: planned }
";
    let world = World::by_email(body, &email);
    let dispatcher = world.dispatcher();
    assert!(finish(&dispatcher).await.is_done());
    let over = world.clock_now();
    let planned = at("2027-05-12T07:00:00Z");
    assert!(over >= planned + DAY * 3 && over < planned + DAY * 3 + MINUTE, "{over}");
    let report = dispatcher.report().await.unwrap();
    assert_eq!((report.verdict, report.totals.unconfirmed), (Verdict::NotInformed, 1));
    assert!(dispatcher.step().await.unwrap().is_done(), "and stays so");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_unconfirmed_for_good_who_is_yet_to_be_tried() {
    let email = ScriptedChannel::new("smtp");
    let body = "
settle: 4h
groups:
  day: { members: [{ id: al, email: al@demo.example }], via: email, between: '20:00-22:00' }
  all: { members: [{ id: bea, email: bea@demo.example }, { id: cy, email: cy@demo.example }], via: email }
communiques:
  out: { to: [day, all], per: release, at: { from: planned, spread: 12h } }
";
    let world = World::by_email(body, &email);
    let dispatcher = world.dispatcher();
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(email.seen().len(), 3);
    assert_eq!(dispatcher.report().await.unwrap().verdict, Verdict::Informed);
}
