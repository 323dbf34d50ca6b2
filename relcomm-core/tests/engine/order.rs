//! What waits for what.

use crate::support::{MINUTE, World, attest, finish, live, person, said};
use relcomm_core::id::CommuniqueId;
use relcomm_core::receipt::Assurance;
use relcomm_core::release::Outcome;
use relcomm_core::report::{Class, Verdict};
use relcomm_testkit::channel::{Answer, ScriptedChannel};

fn plan(rule: &str, after: &str) -> String {
    format!(
        "
groups:
  desk: {{ members: [{{ id: al, email: al@demo.example }}, {{ id: bea, email: bea@demo.example }}], via: email, informed_when: {rule} }}
  customers: {{ members: [{{ id: cy, email: cy@demo.example }}], via: email }}
communiques:
  brief: {{ to: [desk, customers], per: place, text: Brief. }}
  out: {{ to: customers, per: place, after: {after}, text: Out. }}
"
    )
}

fn sent(email: &ScriptedChannel, word: &str) -> usize {
    email.seen().iter().filter(|s| s.text.part("text").contains(word)).count()
}

#[tokio::test(start_paused = true)]
async fn every_state_is_waited_for_and_reached_by_all() {
    for state in Assurance::ALL.into_iter().map(Assurance::word).chain(["informed", "settled"]) {
        let email = ScriptedChannel::new("smtp").answering(|address, n| match (address, n) {
            ("bea@demo.example", 1) => Answer::Defer(Some(MINUTE)),
            _ => Answer::Accept(Assurance::Accepted),
        });
        let world = World::by_email(&plan("acknowledged", &format!("brief {state} for desk")), &email);
        let dispatcher = world.dispatcher();
        dispatcher.declare(&live("eu")).await.unwrap();
        dispatcher.declare(&said("us", Outcome::Failure)).await.unwrap();
        dispatcher.step().await.unwrap();
        // An attempt was begun with both, so that much is reached at once.
        assert_eq!(sent(&email, "Out.") > 0, state == "attempted", "{state}");
        world.pass(MINUTE).await;
        dispatcher.step().await.unwrap();
        assert_eq!(sent(&email, "Out.") > 0, ["attempted", "accepted"].contains(&state), "{state}");
        assert_eq!(attest(&dispatcher, "brief", "al", true).await, 1);
        dispatcher.step().await.unwrap();
        assert_eq!(sent(&email, "Out.") > 0, ["attempted", "accepted"].contains(&state), "{state}: one of two");
        assert_eq!(attest(&dispatcher, "brief", "bea", true).await, 1);
        assert!(finish(&dispatcher).await.is_done(), "{state}");
        assert_eq!(sent(&email, "Out."), 1, "{state}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_stands_by_is_waited_for_once_it_goes_out_after_all() {
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(&plan("acknowledged", "brief settled for desk"), &email);
    let dispatcher = world.dispatcher();
    dispatcher.declare(&said("eu", Outcome::Halted)).await.unwrap();
    dispatcher.step().await.unwrap();
    dispatcher.declare(&live("eu")).await.unwrap();
    dispatcher.step().await.unwrap();
    assert_eq!((sent(&email, "Brief."), sent(&email, "Out.")), (3, 0));
    for who in ["al", "bea"] {
        attest(&dispatcher, "brief", who, true).await;
    }
    dispatcher.step().await.unwrap();
    assert_eq!(sent(&email, "Out."), 1);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_come_any_more_blocks_and_a_later_word_lets_it_go() {
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(&plan("acknowledged", "brief acknowledged for desk"), &email);
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    dispatcher.declare(&said("us", Outcome::Failure)).await.unwrap();
    dispatcher.step().await.unwrap();
    attest(&dispatcher, "brief", "al", true).await;
    attest(&dispatcher, "brief", "bea", false).await;
    let standing = finish(&dispatcher).await;
    assert!(standing.is_done(), "blocked is not pending: {standing:?}");
    let report = dispatcher.report().await.unwrap();
    assert_eq!(report.verdict, Verdict::NotInformed);
    let out = person(&report, "cy").deliveries.iter().find(|d| d.communique == "out").unwrap().clone();
    assert_eq!((out.class, out.reason.as_deref()), (Class::NotInformed, Some("blocked: brief acknowledged")));
    assert_eq!(attest(&dispatcher, "brief", "bea", true).await, 1);
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(sent(&email, "Out."), 1);
    assert_eq!(dispatcher.report().await.unwrap().verdict, Verdict::Informed);
}

#[tokio::test(start_paused = true)]
async fn settled_comes_also_when_some_are_given_up() {
    let email = ScriptedChannel::new("smtp").answering(|address, _| match address {
        "bea@demo.example" => Answer::Refuse,
        _ => Answer::Accept(Assurance::Accepted),
    });
    let world = World::by_email(&plan("accepted", "brief settled"), &email);
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    dispatcher.declare(&said("us", Outcome::Failure)).await.unwrap();
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(sent(&email, "Out."), 1);
    let report = dispatcher.report().await.unwrap();
    assert_eq!((report.totals.informed, report.totals.not_informed), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn the_same_place_waits_for_the_same_place() {
    let email = ScriptedChannel::new("smtp").answering(|_, _| Answer::Accept(Assurance::Accepted));
    let world = World::by_email(&plan("accepted", "brief informed"), &email);
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("us")).await.unwrap();
    let standing = dispatcher.step().await.unwrap();
    assert_eq!(sent(&email, "Out."), 1, "eu is not declared, and us does not wait for it");
    assert!(standing.pending.iter().all(|p| p.waiting_for == "declaration"), "{standing:?}");
    dispatcher.declare(&live("eu")).await.unwrap();
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(sent(&email, "Out."), 2);
}

#[tokio::test(start_paused = true)]
async fn the_release_waits_for_every_place_that_is_due() {
    let email = ScriptedChannel::new("smtp");
    let body = plan("accepted", "brief informed")
        .replace("out: { to: customers, per: place,", "out: { to: customers, per: release, at: planned -59m,");
    let world = World::by_email(&body, &email);
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    world.pass(MINUTE * 10).await;
    dispatcher.step().await.unwrap();
    assert_eq!(sent(&email, "Out."), 0, "us may still be declared a success");
    dispatcher.declare(&said("us", Outcome::Failure)).await.unwrap();
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(sent(&email, "Out."), 1, "a place where nothing is due counts as satisfied");
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_the_blocked_is_blocked_too() {
    let email = ScriptedChannel::new("smtp").answering(|_, _| Answer::Refuse);
    let body = format!(
        "{}  last: {{ to: customers, per: place, after: out informed, text: Last. }}\n",
        plan("accepted", "brief informed")
    );
    let world = World::by_email(&body, &email);
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    dispatcher.declare(&said("us", Outcome::Failure)).await.unwrap();
    let standing = finish(&dispatcher).await;
    assert!(standing.is_done(), "{standing:?}");
    let report = dispatcher.report().await.unwrap();
    let reasons: Vec<_> = person(&report, "cy")
        .deliveries
        .iter()
        .filter(|d| d.place.as_deref() == Some("eu") && d.communique != "brief")
        .map(|d| d.reason.clone().unwrap())
        .collect();
    assert_eq!(reasons, ["blocked: brief informed", "blocked: out informed"]);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_news_of_another_outcome_is_blocked_and_not_pending() {
    let email = ScriptedChannel::new("smtp");
    let body = "
groups:
  staff: { members: [{ id: al, email: al@demo.example }], via: email }
communiques:
  out: { to: staff, per: place, text: Out. }
  undo: { to: staff, per: place, if: { outcome: failure }, after: out informed, text: Undo. }
  close: { to: staff, per: place, if: { outcome: failure }, after: out settled, text: Close. }
";
    let world = World::by_email(body, &email);
    let dispatcher = world.dispatcher();
    for place in ["eu", "us"] {
        dispatcher.declare(&said(place, Outcome::Failure)).await.unwrap();
    }
    let standing = finish(&dispatcher).await;
    assert!(standing.is_done(), "{standing:?}");
    assert_eq!((sent(&email, "Out."), sent(&email, "Undo."), sent(&email, "Close.")), (0, 0, 2));
}

#[tokio::test(start_paused = true)]
async fn cancelling_what_is_waited_for_settles_it_and_never_informs() {
    let email = ScriptedChannel::new("smtp");
    let body = "
groups:
  staff: { members: [{ id: al, email: al@demo.example }], via: email }
communiques:
  first: { to: staff, per: release, at: planned, text: First. }
  told: { to: staff, per: release, at: planned, after: first informed, text: Told. }
  ended: { to: staff, per: release, at: planned, after: first settled, text: Ended. }
";
    let world = World::by_email(body, &email);
    let dispatcher = world.dispatcher();
    dispatcher.step().await.unwrap();
    dispatcher.cancel(Some(&CommuniqueId::new("first").unwrap()), "ada", None).await.unwrap();
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!((sent(&email, "First."), sent(&email, "Told."), sent(&email, "Ended.")), (0, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn gates_that_wait_for_receipts_do_not_use_up_what_others_may_send() {
    // Two gates wait for acknowledgements, and no more than one attempt may be in flight: what may be told later goes out all the same.
    let body = "
exposure: 1
groups:
  desk: { members: [{ id: al, email: al@demo.example }], via: email, informed_when: acknowledged }
communiques:
  later: { to: desk, per: release, at: { from: declared, between: '08:00-20:00' }, text: Later. }
  one: { to: desk, per: release, text: One. }
  two: { to: desk, per: release, text: Two. }
";
    let text = format!("{}{body}", crate::support::RELEASE.replace("where: { eu: {}, us: {} }", "where: { eu: {} }"));
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(&text, &email);
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    dispatcher.step().await.unwrap();
    assert_eq!((sent(&email, "One."), sent(&email, "Two."), sent(&email, "Later.")), (1, 1, 0));
    world.pass(MINUTE * 120).await;
    dispatcher.step().await.unwrap();
    assert_eq!(sent(&email, "Later."), 1);
}
