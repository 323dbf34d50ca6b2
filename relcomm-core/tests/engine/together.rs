//! Two dispatchers on one record.

use crate::support::{DAY, MINUTE, World, live, said, scripted};
use relcomm_core::receipt::Assurance;
use relcomm_core::release::Outcome;
use relcomm_core::report::Verdict;
use relcomm_testkit::channel::{Answer, ScriptedChannel};
use relcomm_testkit::journal::assert_is_the_fold;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

const PEOPLE: usize = 40;

fn plan() -> String {
    let members: Vec<_> = (0..PEOPLE).map(|n| format!("{{ id: p{n}, email: p{n}@demo.example }}")).collect();
    format!(
        "
groups:
  staff: {{ members: [{}], via: email }}
communiques:
  out: {{ to: staff, per: place, text: Out. }}
  more: {{ to: staff, per: place, after: out informed, text: More. }}
",
        members.join(", ")
    )
}

fn slow() -> ScriptedChannel {
    ScriptedChannel::new("smtp")
        .answering(|_, n| match n {
            1 => Answer::After(Duration::from_secs(3), Box::new(Answer::Defer(None))),
            _ => Answer::After(Duration::from_secs(7), Box::new(Answer::Accept(Assurance::Accepted))),
        })
        .capabilities(|c| c.concurrency(4.try_into().unwrap()))
}

fn pair(one: &ScriptedChannel, two: &ScriptedChannel) -> (World, World) {
    let mut first = World::by_email(&plan(), one);
    first.options.poll = Some(Duration::from_secs(1));
    let second = World {
        prepared: first.prepared.clone(),
        channels: scripted([("email", two)]),
        clock: Arc::clone(&first.clock),
        journal: first.journal.clone(),
        options: first.options.clone(),
    };
    (first, second)
}

#[tokio::test(start_paused = true)]
async fn each_sends_some_and_nothing_goes_twice() {
    let (one, two) = (slow(), slow());
    let (first, second) = pair(&one, &two);
    let (a, b) = (first.dispatcher(), second.dispatcher());
    a.declare(&live("eu")).await.unwrap();
    b.declare(&said("us", Outcome::Failure)).await.unwrap();
    let (x, y) = tokio::time::timeout(DAY, async { tokio::join!(a.run(), b.run()) }).await.unwrap();
    assert!(x.unwrap().is_done() && y.unwrap().is_done());
    assert!(one.seen().len() > PEOPLE / 2 && two.seen().len() > PEOPLE / 2, "each has its share");
    let keys: Vec<_> = one.arrived().into_iter().chain(two.arrived()).map(|s| s.key).collect();
    assert_eq!(keys.len(), PEOPLE * 2);
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), PEOPLE * 2);
    let report = a.report().await.unwrap();
    assert_eq!(report.verdict, Verdict::Informed);
    assert_eq!(report.to_json(), b.report().await.unwrap().to_json());
    assert_is_the_fold(&first.journal, &["@demo"]).await;
}

#[tokio::test(start_paused = true)]
async fn one_dies_and_the_other_takes_over() {
    let (one, two) = (slow().by_key(), slow().by_key());
    let (first, second) = pair(&one, &two);
    let (a, b) = (first.dispatcher(), second.dispatcher());
    a.declare(&live("eu")).await.unwrap();
    b.declare(&said("us", Outcome::Failure)).await.unwrap();
    let dies = tokio::time::timeout(Duration::from_secs(16), a.run());
    let stays = tokio::time::timeout(DAY, b.run());
    let (gone, stayed) = tokio::join!(dies, stays);
    assert!(gone.is_err() && stayed.unwrap().unwrap().is_done());
    let keys: BTreeSet<_> = one.arrived().into_iter().chain(two.arrived()).map(|s| s.key).collect();
    assert_eq!(keys.len(), PEOPLE * 2);
    assert_eq!(b.report().await.unwrap().verdict, Verdict::Informed);
}

#[tokio::test(start_paused = true)]
async fn a_word_said_elsewhere_is_heard_by_a_dispatcher_that_waits() {
    let (one, two) = (slow(), slow());
    let (first, second) = pair(&one, &two);
    let (a, b) = (first.dispatcher(), second.dispatcher());
    let declares = async {
        first.pass(MINUTE * 10).await;
        b.declare(&live("eu")).await.unwrap();
        first.pass(MINUTE * 10).await;
        b.declare(&said("us", Outcome::Failure)).await.unwrap();
    };
    let (ran, ()) = tokio::join!(tokio::time::timeout(DAY, a.run()), declares);
    assert!(ran.unwrap().unwrap().is_done());
    assert_eq!((one.arrived().len(), two.seen().len()), (PEOPLE * 2, 0));
    // Heard within the second that it looks around in.
    assert!(one.seen()[0].at < first.clock_now());
}

#[tokio::test(start_paused = true)]
async fn a_stopped_run_waits_for_what_flies_and_leaves_the_rest() {
    let (one, two) = (slow(), slow());
    let (first, second) = pair(&one, &two);
    let (a, b) = (first.dispatcher(), second.dispatcher());
    a.declare(&live("eu")).await.unwrap();
    b.declare(&said("us", Outcome::Failure)).await.unwrap();
    let stop = first.options.cancellation.clone();
    let stops = async {
        first.pass(Duration::from_secs(5)).await;
        stop.cancel();
    };
    let (ran, ()) = tokio::join!(tokio::time::timeout(DAY, a.run()), stops);
    let standing = ran.unwrap().unwrap();
    assert!(!standing.is_done());
    let tally = a.journal().gates();
    assert!(tally.await.unwrap().iter().all(|g| g.tally.flying == 0 && g.tally.doubt == 0), "nothing is in doubt");
    assert!(one.seen().len() < PEOPLE);
}
