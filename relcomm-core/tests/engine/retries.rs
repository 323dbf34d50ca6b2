//! What is tried again, when, and what is the channel's fault rather than the recipient's.

use crate::support::{HOUR, MINUTE, World, addresses, finish, live, person, said, scripted};
use relcomm_core::dispatch::Dispatcher;
use relcomm_core::receipt::Assurance;
use relcomm_core::release::Outcome;
use relcomm_core::report::{Class, Verdict};
use relcomm_testkit::channel::{Answer, ScriptedChannel, Seen};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

const PLAN: &str = "
groups:
  staff:
    members: [{ id: al, email: al@demo.example, pager: al-pager }, { id: bea, email: bea@demo.example, pager: bea-pager }]
    via: [email, pager]
communiques:
  out: { to: staff, per: place }
";

async fn declared(world: &World) -> Dispatcher {
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    dispatcher.declare(&said("us", Outcome::Failure)).await.unwrap();
    dispatcher
}

/// How long after the one before each try to this address was made, in whole seconds.
fn gaps(seen: &[Seen], address: &str) -> Vec<u64> {
    let tries: Vec<_> = seen.iter().filter(|s| s.address == address).map(|s| s.at).collect();
    tries.windows(2).map(|w| w[1].since(w[0]).as_secs()).collect()
}

#[tokio::test(start_paused = true)]
async fn tries_double_their_wait_and_then_the_next_step_begins() {
    let email = ScriptedChannel::new("smtp").answering(|address, _| match address {
        "al@demo.example" => Answer::Defer(None),
        _ => Answer::Accept(Assurance::Accepted),
    });
    let pager = ScriptedChannel::new("pager");
    let world = World::new(PLAN, scripted([("email", &email), ("pager", &pager)]));
    let dispatcher = declared(&world).await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(gaps(&email.seen(), "al@demo.example"), [5, 10, 20, 40, 80, 160, 320]);
    let tries: Vec<u32> = email.seen().iter().filter(|s| s.address.starts_with("al")).map(|s| s.attempt).collect();
    assert_eq!(tries, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(addresses(&pager.seen()), ["al-pager"]);
    let report = dispatcher.report().await.unwrap();
    assert_eq!(report.verdict, Verdict::Informed);
    let attempts = &person(&report, "al").deliveries[0].attempts;
    assert_eq!(attempts.len(), 9, "failed preferred mechanisms are listed");
    assert!(attempts[..8].iter().all(|a| a.outcome == "failed" && a.code.as_deref() == Some("451")));
}

#[tokio::test(start_paused = true)]
async fn the_far_sides_wait_is_kept_where_it_is_longer() {
    let email = ScriptedChannel::new("smtp").answering(|_, n| match n {
        1 => Answer::Defer(Some(MINUTE * 7)),
        2 => Answer::Defer(Some(Duration::from_secs(1))),
        _ => Answer::Accept(Assurance::Accepted),
    });
    let pager = ScriptedChannel::new("pager");
    let world = World::new(PLAN, scripted([("email", &email), ("pager", &pager)]));
    let dispatcher = declared(&world).await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(gaps(&email.seen(), "al@demo.example"), [7 * 60, 10]);
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_down_burns_nobodys_tries_and_pushes_nobody_on() {
    let down = Arc::new(AtomicU32::new(0));
    let calls = Arc::clone(&down);
    let email = ScriptedChannel::new("smtp").answering(move |_, _| {
        // Twelve faults: more than anybody's tries.
        if calls.fetch_add(1, Ordering::Relaxed) < 12 {
            Answer::Fault(None)
        } else {
            Answer::Accept(Assurance::Accepted)
        }
    });
    let pager = ScriptedChannel::new("pager");
    let world = World::new(PLAN, scripted([("email", &email), ("pager", &pager)]));
    let dispatcher = declared(&world).await;
    assert!(finish(&dispatcher).await.is_done());
    assert!(pager.seen().is_empty());
    assert!(email.seen().iter().all(|s| s.attempt == 1));
    // Both flew before the fault was known; from then on one at a time probes.
    let mut at: Vec<_> = email.seen().iter().map(|s| s.at.millis()).collect();
    at.dedup_by(|a, b| *a - *b < 1000);
    assert_eq!(at.len(), email.seen().len() - 2, "two at first, one probe at a time, two when it is up again: {at:?}");
    assert_eq!(dispatcher.report().await.unwrap().totals.informed, 2);
}

#[tokio::test(start_paused = true)]
async fn a_barred_channel_waits_for_a_later_run_and_others_go_on() {
    let barred = Arc::new(AtomicBool::new(true));
    let is = Arc::clone(&barred);
    let broken = ScriptedChannel::new("smtp").failing_verification().answering(move |_, _| {
        if is.load(Ordering::Relaxed) { Answer::Bar } else { Answer::Accept(Assurance::Accepted) }
    });
    let pager = ScriptedChannel::new("pager");
    let body = PLAN.replace("via: [email, pager]", "via: email").replace(
        "communiques:",
        "  desk: { members: [{ id: cy, pager: cy-pager }], via: pager }\ncommuniques:\n  page: { to: desk, per: place }",
    );
    let world = World::new(&body, scripted([("email", &broken), ("pager", &pager)]));
    let dispatcher = declared(&world).await;
    let standing = dispatcher.step().await.unwrap();
    assert_eq!(addresses(&pager.seen()), ["cy-pager"], "another lane goes on");
    assert_eq!((standing.is_done(), standing.next_due), (false, None), "{standing:?}");
    let tried = broken.seen().len();
    assert!(tried <= 2);
    world.pass(HOUR).await;
    dispatcher.step().await.unwrap();
    assert_eq!(broken.seen().len(), tried, "verification still fails");
    barred.store(false, Ordering::Relaxed);
    let mended = World {
        channels: scripted([("email", &ScriptedChannel::new("smtp")), ("pager", &pager)]),
        prepared: world.prepared.clone(),
        journal: world.journal.clone(),
        clock: Arc::clone(&world.clock),
        options: world.options.clone(),
    };
    let dispatcher = mended.dispatcher();
    assert!(finish(&dispatcher).await.is_done());
    let report = dispatcher.report().await.unwrap();
    assert_eq!(report.totals.informed, 3);
    assert_eq!(person(&report, "al").deliveries[0].attempts.last().unwrap().number, 2);
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_all_is_kept_by_all() {
    let first = AtomicBool::new(true);
    let email = ScriptedChannel::new("smtp").answering(move |_, _| {
        if first.swap(false, Ordering::Relaxed) {
            Answer::Fault(Some(HOUR))
        } else {
            Answer::Accept(Assurance::Accepted)
        }
    });
    let email = email.capabilities(|c| c.concurrency(1.try_into().unwrap()));
    let pager = ScriptedChannel::new("pager");
    let world = World::new(PLAN, scripted([("email", &email), ("pager", &pager)]));
    let began = world.clock_now();
    let dispatcher = declared(&world).await;
    assert_eq!(dispatcher.step().await.unwrap().next_due, Some(began + HOUR));
    assert_eq!(email.seen().len(), 1);
    assert!(finish(&dispatcher).await.is_done());
    assert!(email.seen()[1..].iter().all(|s| s.at >= began + HOUR));
    assert_eq!(email.seen().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn who_is_given_up_by_every_step_is_not_informed() {
    let (email, pager) = (ScriptedChannel::new("smtp"), ScriptedChannel::new("pager"));
    let email = email.answering(|_, _| Answer::Panic);
    let pager = pager.answering(|_, _| Answer::Refuse);
    let mut world = World::new(PLAN, scripted([("email", &email), ("pager", &pager)]));
    world.options.retries.tries = 2;
    let dispatcher = declared(&world).await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!((email.seen().len(), pager.seen().len()), (4, 2));
    let report = dispatcher.report().await.unwrap();
    assert_eq!(report.verdict, Verdict::NotInformed);
    assert!(report.people.iter().all(|p| p.class == Class::NotInformed));
}
