//! What is done when what a communique waits for cannot be reached any more.

use crate::support::{self, HOUR, MINUTE, World, finish, live, person};
use relcomm_core::dispatch::Dispatcher;
use relcomm_core::id::CommuniqueId;
use relcomm_core::report::{Class, Verdict};
use relcomm_testkit::channel::ScriptedChannel;

/// `out` waits for the acknowledgement of the desk, and does so much when that cannot come.
fn plan(then: &str) -> String {
    let release = support::RELEASE.replace("where: { eu: {}, us: {} }", "where: eu").replace(
        "responsible: Ada <ada@demo.example>",
        "responsible: { execute: Ada <ada@demo.example>, backup: ben@demo.example }",
    );
    format!(
        "{release}
approvals: {{ roles: {{ duty: [mia, jon] }} }}
groups:
  desk: {{ members: [{{ id: al, email: al@demo.example }}, {{ id: bea, email: bea@demo.example }}], via: email, informed_when: acknowledged }}
  customers: {{ members: [{{ id: cy, email: cy@demo.example }}], via: email }}
communiques:
  brief: {{ to: desk, text: Brief. }}
  out: {{ to: customers, after: brief acknowledged, {then}, text: Out. }}
  last: {{ to: customers, after: out informed, text: Last. }}
"
    )
}

fn sent(email: &ScriptedChannel, word: &str) -> usize {
    email.seen().iter().filter(|s| s.text.part("text").contains(word)).count()
}

fn out() -> CommuniqueId {
    CommuniqueId::new("out").unwrap()
}

async fn attest(dispatcher: &Dispatcher, who: &str, done: bool) {
    support::attest(dispatcher, "brief", who, done).await;
    dispatcher.step().await.unwrap();
}

/// One of the desk acknowledges, the other will not be reached.
async fn blocked(world: &World) -> Dispatcher {
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    dispatcher.step().await.unwrap();
    attest(&dispatcher, "al", true).await;
    attest(&dispatcher, "bea", false).await;
    dispatcher
}

async fn reason(dispatcher: &Dispatcher, of: &str) -> (Class, String) {
    let report = dispatcher.report().await.unwrap();
    let row = person(&report, "cy").deliveries.iter().find(|d| d.communique == of).unwrap().clone();
    (row.class, row.reason.unwrap_or_default())
}

#[tokio::test(start_paused = true)]
async fn it_goes_out_all_the_same_after_its_time_and_not_before() {
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(&plan("if_blocked: { after: 30m, then: proceed }"), &email);
    let dispatcher = blocked(&world).await;
    world.pass(MINUTE * 29).await;
    let standing = dispatcher.step().await.unwrap();
    assert_eq!(sent(&email, "Out."), 0);
    let pending = standing.pending.iter().find(|p| p.gate.starts_with("out")).unwrap();
    assert_eq!(pending.waiting_for, "blocked: brief acknowledged");
    assert_eq!(pending.due, Some(world.clock_now() + MINUTE), "half an hour after it was blocked");
    assert_eq!(reason(&dispatcher, "out").await, (Class::Unconfirmed, "blocked: brief acknowledged".into()));
    finish(&dispatcher).await;
    assert_eq!((sent(&email, "Out."), sent(&email, "Last.")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_word_that_unblocks_it_ends_the_time_and_a_second_block_has_its_own() {
    let email = ScriptedChannel::new("smtp");
    let text = plan("if_blocked: { after: 30m, then: cancel }")
        .replace("[{ id: al,", "[{ id: dee, email: dee@demo.example }, { id: al,");
    let world = World::by_email(&text, &email);
    let dispatcher = blocked(&world).await;
    assert_eq!(reason(&dispatcher, "out").await.1, "pending", "dee may still acknowledge");
    attest(&dispatcher, "dee", false).await;
    assert_eq!(reason(&dispatcher, "out").await.1, "blocked: brief acknowledged");
    world.pass(MINUTE * 20).await;
    attest(&dispatcher, "dee", true).await;
    attest(&dispatcher, "bea", true).await;
    dispatcher.step().await.unwrap();
    assert_eq!(sent(&email, "Out."), 1);
    world.pass(HOUR).await;
    finish(&dispatcher).await;
    assert_eq!(dispatcher.report().await.unwrap().verdict, Verdict::Informed);
}

#[tokio::test(start_paused = true)]
async fn cancel_closes_it_and_says_by_what_it_was_blocked() {
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(&plan("if_blocked: { then: cancel }"), &email);
    let dispatcher = blocked(&world).await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(
        reason(&dispatcher, "out").await,
        (Class::NotInformed, "cancelled: blocked by brief acknowledged".into())
    );
    assert_eq!(reason(&dispatcher, "last").await, (Class::NotInformed, "blocked: out informed".into()));
    attest(&dispatcher, "bea", true).await;
    finish(&dispatcher).await;
    assert_eq!(sent(&email, "Out."), 0, "closed for good");
}

#[tokio::test(start_paused = true)]
async fn whoever_is_asked_lets_it_go_out_and_nobody_else() {
    for (asked, allowed, others) in [
        ("responsible", vec!["ada", "ben"], vec!["mia", "adam", "Ada"]),
        ("duty", vec!["mia", "jon"], vec!["ada", "ben", "duty"]),
    ] {
        for by in allowed {
            let email = ScriptedChannel::new("smtp");
            let world = World::by_email(&plan(&format!("if_blocked: {{ then: ask {asked} }}")), &email);
            let dispatcher = blocked(&world).await;
            let standing = dispatcher.step().await.unwrap();
            let pending = standing.pending.iter().find(|p| p.gate.starts_with("out")).unwrap();
            assert_eq!(pending.waiting_for, format!("{asked} is asked: blocked by brief acknowledged"));
            assert!(pending.approval && standing.next_due.is_none(), "{standing:?}");
            let questions = dispatcher.questions().await.unwrap();
            assert_eq!(questions.len(), 1);
            assert_eq!((questions[0].role.as_str(), questions[0].blocked.as_str()), (asked, "brief acknowledged"));
            let before = world.entries().await;
            for other in &others {
                let refused = dispatcher.hold(Some(&out()), false, other, None).await.unwrap_err().to_string();
                assert_eq!(refused, format!("`out` is blocked and asks {asked}: this person does not answer for that"));
                dispatcher.cancel(Some(&out()), other, None).await.unwrap_err();
            }
            assert_eq!(world.entries().await, before, "the journal is as it was");
            assert!(dispatcher.hold(Some(&out()), false, by, Some("It cannot wait.".into())).await.unwrap());
            assert!(!dispatcher.hold(Some(&out()), false, by, None).await.unwrap(), "answered already");
            assert!(dispatcher.questions().await.unwrap().is_empty());
            finish(&dispatcher).await;
            assert_eq!((sent(&email, "Out."), sent(&email, "Last.")), (1, 1));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_is_asked_may_cancel_it() {
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(&plan("if_blocked: { after: 10m, then: ask duty }"), &email);
    let dispatcher = blocked(&world).await;
    assert!(dispatcher.questions().await.unwrap().is_empty(), "not before ten minutes have passed");
    world.pass(MINUTE * 10).await;
    dispatcher.step().await.unwrap();
    assert!(dispatcher.cancel(Some(&out()), "jon", None).await.unwrap());
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(reason(&dispatcher, "out").await.1, "cancelled: blocked by brief acknowledged");
    assert_eq!(dispatcher.report().await.unwrap().verdict, Verdict::NotInformed);
}

#[tokio::test(start_paused = true)]
async fn a_question_goes_away_when_the_word_comes_after_all() {
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(&plan("if_blocked: { then: ask duty }"), &email);
    let dispatcher = blocked(&world).await;
    assert_eq!(dispatcher.questions().await.unwrap().len(), 1);
    attest(&dispatcher, "bea", true).await;
    assert!(dispatcher.questions().await.unwrap().is_empty());
    finish(&dispatcher).await;
    assert_eq!(sent(&email, "Out."), 1);
}

#[tokio::test(start_paused = true)]
async fn a_time_that_counts_from_what_cannot_be_reached_counts_from_the_decision() {
    let email = ScriptedChannel::new("smtp");
    let text =
        plan("if_blocked: { then: proceed }").replace("after: brief acknowledged,", "at: brief acknowledged +2h,");
    let world = World::by_email(&text, &email);
    let dispatcher = blocked(&world).await;
    world.pass(HOUR * 2 - MINUTE).await;
    dispatcher.step().await.unwrap();
    assert_eq!(sent(&email, "Out."), 0);
    world.pass(MINUTE).await;
    dispatcher.step().await.unwrap();
    assert_eq!(sent(&email, "Out."), 1);
}
