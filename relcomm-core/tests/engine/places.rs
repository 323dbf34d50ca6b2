//! One gate for each place, or one for the release: who hears what, and when nobody does.

use crate::support::{MINUTE, World, addresses, finish, live, person, said};
use relcomm_core::dispatch::DispatchError;
use relcomm_core::id::PlaceId;
use relcomm_core::receipt::Assurance;
use relcomm_core::release::{Declaration, Outcome};
use relcomm_core::report::{Class, Verdict};
use relcomm_testkit::channel::{Answer, ScriptedChannel};
use std::time::Duration;

const STAFF: &str = "
groups:
  staff:
    members:
      - { id: eva, email: eva@demo.example, place: eu }
      - { id: uma, email: uma@demo.example, place: us }
      - { id: all, email: all@demo.example }
    via: email
";

fn plan(communiques: &str) -> String {
    format!("{STAFF}communiques:\n{communiques}")
}

#[tokio::test(start_paused = true)]
async fn the_gate_of_the_release_opens_when_every_place_is_declared_and_one_succeeded() {
    let email = ScriptedChannel::new("smtp");
    let text = "  out: { to: staff, per: release, at: last declared, text: \"Live in {{ places.live }}.\" }";
    let world = World::by_email(&plan(text), &email);
    let dispatcher = world.dispatcher();
    dispatcher.declare(&said("eu", Outcome::Failure)).await.unwrap();
    let standing = dispatcher.step().await.unwrap();
    assert_eq!(standing.pending[0].waiting_for, "declaration");
    assert!(email.seen().is_empty(), "one place is still open");
    world.pass(MINUTE).await;
    dispatcher.declare(&live("us")).await.unwrap();
    assert!(finish(&dispatcher).await.is_done());
    let mut told = email.arrived();
    told.sort_by(|a, b| a.address.cmp(&b.address));
    assert_eq!(addresses(&told), ["all@demo.example", "eva@demo.example", "uma@demo.example"]);
    for copy in told {
        assert!(copy.text.part("text").contains("Live in us."), "{}", copy.text.part("text"));
    }
    assert_eq!(dispatcher.report().await.unwrap().verdict, Verdict::Informed);
}

#[tokio::test(start_paused = true)]
async fn a_release_that_succeeded_nowhere_tells_nobody_and_nobody_was_due() {
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(&plan("  out: { to: staff, per: release }"), &email);
    let dispatcher = world.dispatcher();
    dispatcher.declare(&said("eu", Outcome::Failure)).await.unwrap();
    dispatcher.declare(&said("us", Outcome::Halted)).await.unwrap();
    assert!(finish(&dispatcher).await.is_done());
    assert!(email.seen().is_empty());
    let report = dispatcher.report().await.unwrap();
    assert_eq!((report.verdict, report.totals.exempt), (Verdict::Informed, 3));
    assert_eq!(person(&report, "eva").reason.as_deref(), Some("not due: release not successful"));
}

#[tokio::test(start_paused = true)]
async fn a_member_of_no_place_hears_of_every_place_and_others_only_of_their_own() {
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(&plan("  out: { to: staff, text: \"In {{ place.name }}.\" }"), &email);
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    dispatcher.step().await.unwrap();
    let mut first = email.seen();
    first.sort_by(|a, b| a.address.cmp(&b.address));
    assert_eq!(addresses(&first), ["all@demo.example", "eva@demo.example"]);
    assert!(first.iter().all(|s| s.text.part("text").contains("In eu.")));
    dispatcher.declare(&said("us", Outcome::Failure)).await.unwrap();
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(email.seen().len(), 2, "nothing goes out where it failed");
    let report = dispatcher.report().await.unwrap();
    assert_eq!(report.verdict, Verdict::Informed);
    let uma = person(&report, "uma");
    assert_eq!((uma.class, uma.reason.as_deref()), (Class::Exempt, Some("not due: release not successful")));
    let all = person(&report, "all");
    let rows: Vec<_> = all.deliveries.iter().map(|d| (d.place.as_deref(), d.class)).collect();
    assert_eq!(rows, [(Some("eu"), Class::Informed), (Some("us"), Class::Exempt)]);
    assert_eq!(all.class, Class::Informed, "the worst of what was due");
}

#[tokio::test(start_paused = true)]
async fn a_halt_stops_what_has_opened_at_once_and_a_fresh_success_lets_it_go_on() {
    let email = ScriptedChannel::new("smtp").answering(|address, attempt| match (address, attempt) {
        ("all@demo.example", 1) => Answer::Defer(Some(MINUTE)),
        _ => Answer::Accept(Assurance::Accepted),
    });
    let world = World::by_email(&plan("  out: { to: staff, per: place }"), &email);
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    dispatcher.declare(&said("us", Outcome::Failure)).await.unwrap();
    dispatcher.step().await.unwrap();
    assert_eq!(email.seen().len(), 2);
    dispatcher.declare(&said("eu", Outcome::Halted)).await.unwrap();
    world.pass(MINUTE * 5).await;
    let standing = dispatcher.step().await.unwrap();
    assert_eq!(email.seen().len(), 2, "held by the halt");
    assert_eq!(standing.pending.len(), 1, "{standing:?}");
    assert_eq!(standing.next_due, None, "time alone does not let it go on: {standing:?}");
    assert_eq!(dispatcher.report().await.unwrap().verdict, Verdict::Pending);
    dispatcher.declare(&live("eu")).await.unwrap();
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(addresses(&email.seen()[2..]), ["all@demo.example"]);
    assert_eq!(person(&dispatcher.report().await.unwrap(), "all").class, Class::Informed);
}

#[tokio::test(start_paused = true)]
async fn a_roll_back_closes_for_good_whatever_is_said_afterwards() {
    let email = ScriptedChannel::new("smtp").answering(|address, attempt| match (address, attempt) {
        ("all@demo.example", 1) => Answer::Defer(Some(MINUTE)),
        _ => Answer::Accept(Assurance::Accepted),
    });
    let back = "  out: { to: staff, per: place }\n  undo: { to: staff, per: place, if: { outcome: rolled-back }, text: Taken back. }";
    let world = World::by_email(&plan(back), &email);
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    dispatcher.declare(&said("us", Outcome::Failure)).await.unwrap();
    dispatcher.step().await.unwrap();
    dispatcher.declare(&said("eu", Outcome::RolledBack)).await.unwrap();
    assert!(finish(&dispatcher).await.is_done());
    let undo: Vec<_> = email.arrived().into_iter().filter(|s| s.text.part("text").contains("Taken back")).collect();
    assert_eq!(undo.len(), 2, "everyone of the place hears of the roll-back");
    assert_eq!(email.arrived().len(), 3, "the try that was put off is not made");
    let before = world.entries().await;
    for outcome in [Outcome::Success, Outcome::Begun, Outcome::Halted, Outcome::Failure] {
        let refused = dispatcher.declare(&said("eu", outcome)).await;
        assert!(matches!(refused, Err(DispatchError::Refused(_))), "{outcome} after a roll-back: {refused:?}");
    }
    assert!(!dispatcher.declare(&said("eu", Outcome::RolledBack)).await.unwrap());
    assert_eq!(world.entries().await, before);
    let report = dispatcher.report().await.unwrap();
    let all = person(&report, "all");
    let out = all.deliveries.iter().find(|d| d.communique == "out" && d.place.as_deref() == Some("eu")).unwrap();
    assert_eq!((out.class, out.reason.as_deref()), (Class::NotInformed, Some("superseded")), "{out:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_roll_out_that_has_begun_is_told_and_its_success_too() {
    let email = ScriptedChannel::new("smtp");
    let both = "  begun: { to: staff, per: place, if: { outcome: begun }, text: Begun. }\n  out: { to: staff, per: place, text: Done. }";
    let world = World::by_email(&plan(both), &email);
    let dispatcher = world.dispatcher();
    dispatcher.declare(&said("eu", Outcome::Begun)).await.unwrap();
    let standing = dispatcher.step().await.unwrap();
    assert_eq!(email.seen().len(), 2);
    assert!(email.seen().iter().all(|s| s.text.part("text").contains("Begun.")));
    assert_eq!(standing.pending.iter().filter(|p| p.gate.contains("out")).count(), 2, "{standing:?}");
    dispatcher.declare(&live("eu")).await.unwrap();
    dispatcher.declare(&said("us", Outcome::Failure)).await.unwrap();
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(email.seen().len(), 4);
    let refused = dispatcher.declare(&said("eu", Outcome::Begun)).await;
    assert!(matches!(refused, Err(DispatchError::Refused(_))), "what has succeeded does not begin");
}

#[tokio::test(start_paused = true)]
async fn a_declaration_that_is_refused_leaves_the_record_as_it_was() {
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(&plan("  out: { to: staff, per: place }"), &email);
    let dispatcher = world.dispatcher();
    dispatcher.step().await.unwrap();
    let before = world.entries().await;
    let later = world.clock_now() + Duration::from_secs(1);
    let nameless = Declaration::success(" ").place(PlaceId::new("eu").unwrap());
    for declaration in [live("mars"), Declaration::success("ada"), nameless, live("eu").at(later)] {
        let refused = dispatcher.declare(&declaration).await;
        assert!(matches!(refused, Err(DispatchError::Refused(_))), "{declaration:?}: {refused:?}");
    }
    assert_eq!(world.entries().await, before);
}

#[tokio::test(start_paused = true)]
async fn what_is_due_at_the_beginning_does_not_wait_for_the_success() {
    for per in ["place", "release"] {
        let email = ScriptedChannel::new("smtp");
        let body = plan(&format!(
            "  soon: {{ to: staff, per: {per}, at: begun + 30m }}\n  out: {{ to: staff, per: release }}"
        ));
        let world = World::by_email(&body, &email);
        let dispatcher = world.dispatcher();
        dispatcher.declare(&said("eu", Outcome::Begun)).await.unwrap();
        let due = world.clock_now() + MINUTE * 30;
        assert_eq!(dispatcher.step().await.unwrap().next_due, Some(due), "{per}");
        world.clock_until(due).await;
        dispatcher.step().await.unwrap();
        let told = if per == "place" { 2 } else { 3 };
        let begun = || email.seen().iter().filter(|s| s.text.part("text").contains("is being rolled out")).count();
        assert_eq!((email.seen().len(), begun()), (told, told), "{per}");
        dispatcher.declare(&live("eu")).await.unwrap();
        dispatcher.declare(&said("us", Outcome::Failure)).await.unwrap();
        assert!(finish(&dispatcher).await.is_done(), "{per}");
        assert_eq!((email.seen().len(), begun()), (told + 3, told), "{per}");
    }
}
