//! Attempts of which nobody knows whether they went out.

use crate::support::{DAY, HOUR, MINUTE, World, addresses, finish, live, person, said, scripted};
use async_trait::async_trait;
use relcomm_core::channel::{
    Answered, AttemptContext, Batch, Channel, ChannelError, ChannelSet, Descriptor, Found, Key, Lookup, Outcomes,
    Prepared, Wording,
};
use relcomm_core::dispatch::Dispatcher;
use relcomm_core::mechanism::{Capabilities, Mechanism};
use relcomm_core::plan::Finding;
use relcomm_core::receipt::Assurance;
use relcomm_core::release::Outcome;
use relcomm_core::report::{Class, Verdict};
use relcomm_core::stakeholder::Address;
use relcomm_testkit::channel::{Answer, ScriptedChannel};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

fn plan(rest: &str) -> String {
    format!(
        "
groups:
  staff:
    members: [{{ id: al, email: al@demo.example, pager: al-pager }}, {{ id: bea, email: bea@demo.example, pager: bea-pager }}]
    via: [email, pager]
communiques:
  out: {{ to: staff, per: place{rest} }}
"
    )
}

async fn declared(world: &World) -> Dispatcher {
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    dispatcher.declare(&said("us", Outcome::Failure)).await.unwrap();
    dispatcher
}

fn al_once(answer: Answer) -> impl Fn(&str, u32) -> Answer + Send + Sync + 'static {
    move |address, n| match (address, n) {
        ("al@demo.example", 1) => answer.clone(),
        _ => Answer::Accept(Assurance::Accepted),
    }
}

fn copies(email: &ScriptedChannel, address: &str) -> usize {
    email.arrived().iter().filter(|s| s.address == address).count()
}

#[tokio::test(start_paused = true)]
async fn by_default_it_is_held_listed_and_keeps_nothing_pending() {
    for answer in [Answer::LoseAnswer, Answer::LoseMessage, Answer::HangAccepted, Answer::LeaveOpen] {
        let email = ScriptedChannel::new("smtp").answering(al_once(answer.clone()));
        let pager = ScriptedChannel::new("pager");
        let world = World::new(&plan(""), scripted([("email", &email), ("pager", &pager)]));
        let dispatcher = declared(&world).await;
        let standing = finish(&dispatcher).await;
        assert!(standing.is_done(), "{answer:?}: {standing:?}");
        assert_eq!(standing.held, 1, "{answer:?}");
        assert_eq!((email.seen().len(), pager.seen().len()), (2, 0), "{answer:?}");
        let report = dispatcher.report().await.unwrap();
        assert_eq!(report.verdict, Verdict::NotInformed);
        let al = person(&report, "al");
        assert_eq!(al.class, Class::Unconfirmed, "{answer:?}");
        assert!(al.reason.as_ref().unwrap().starts_with("held"), "{answer:?}: {al:?}");
        assert_eq!(al.deliveries[0].attempts[0].outcome, "in doubt");
        assert_eq!(person(&report, "bea").class, Class::Informed);
        world.pass(DAY).await;
        assert!(finish(&dispatcher).await.is_done());
        assert_eq!(email.seen().len(), 2, "not tried again by itself");
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_may_ask_for_another_copy() {
    let email = ScriptedChannel::new("smtp").answering(al_once(Answer::LoseAnswer));
    let pager = ScriptedChannel::new("pager");
    let world = World::new(&plan(", indeterminate: resend"), scripted([("email", &email), ("pager", &pager)]));
    let dispatcher = declared(&world).await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!((copies(&email, "al@demo.example"), copies(&email, "bea@demo.example")), (2, 1));
    assert_eq!(dispatcher.report().await.unwrap().verdict, Verdict::Informed);
}

#[tokio::test(start_paused = true)]
async fn a_far_side_that_honours_keys_gets_it_again_and_has_it_once() {
    for answer in [Answer::LoseAnswer, Answer::HangAccepted, Answer::LoseMessage, Answer::LeaveOpen] {
        let email = ScriptedChannel::new("smtp").by_key().answering(al_once(answer.clone()));
        let pager = ScriptedChannel::new("pager");
        let world = World::new(&plan(""), scripted([("email", &email), ("pager", &pager)]));
        let dispatcher = declared(&world).await;
        assert!(finish(&dispatcher).await.is_done());
        assert_eq!(copies(&email, "al@demo.example"), 1, "{answer:?}");
        let keys: Vec<_> = email.seen().into_iter().filter(|s| s.address.starts_with("al")).map(|s| s.key).collect();
        assert_eq!((keys.len(), &keys[0]), (2, &keys[1]), "{answer:?}");
        assert_eq!(dispatcher.report().await.unwrap().verdict, Verdict::Informed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_far_side_that_can_be_asked_is_asked() {
    for (answer, tries) in [(Answer::LoseAnswer, 1), (Answer::HangAccepted, 1), (Answer::LoseMessage, 2)] {
        let email = ScriptedChannel::new("smtp").by_lookup().answering(al_once(answer.clone()));
        let pager = ScriptedChannel::new("pager");
        let world = World::new(&plan(""), scripted([("email", &email), ("pager", &pager)]));
        let dispatcher = declared(&world).await;
        assert!(finish(&dispatcher).await.is_done());
        let seen = email.seen().iter().filter(|s| s.address.starts_with("al")).count();
        assert_eq!((seen, copies(&email, "al@demo.example")), (tries, 1), "{answer:?}");
        assert_eq!(dispatcher.report().await.unwrap().verdict, Verdict::Informed, "{answer:?}");
    }
}

/// The number that the far side gives when it is asked.
const RECEIPT: &str = "FS-2027-0047";

/// A far side that cannot tell before it was asked so often.
#[derive(Clone, Debug)]
struct Slow {
    inner: ScriptedChannel,
    asked: Arc<AtomicU32>,
    tells_at: u32,
}

#[async_trait]
impl Channel for Slow {
    fn descriptor(&self) -> &Descriptor {
        self.inner.descriptor()
    }
    fn capabilities(&self) -> &Capabilities {
        Channel::capabilities(&self.inner)
    }
    fn check_address(&self, address: &Address) -> Result<(), String> {
        self.inner.check_address(address)
    }
    fn prepare(&self, wording: &Wording) -> Result<Prepared, Vec<Finding>> {
        self.inner.prepare(wording)
    }
    async fn attempt(
        &self,
        cx: &AttemptContext,
        batch: &Batch<'_>,
        outcomes: &mut Outcomes,
    ) -> Result<(), ChannelError> {
        self.inner.attempt(cx, batch, outcomes).await
    }
    fn lookup(&self) -> Option<&dyn Lookup> {
        Some(self)
    }
}

#[async_trait]
impl Lookup for Slow {
    async fn lookup(&self, cx: &AttemptContext, key: &Key) -> Result<Answered, ChannelError> {
        match self.asked.fetch_add(1, Ordering::Relaxed) + 1 {
            n if n >= self.tells_at => Ok(Lookup::lookup(&self.inner, cx, key).await?.reference(RECEIPT)),
            2 => panic!("the far side confuses the channel"),
            3 => std::future::pending().await,
            _ => Ok(Found::Unknown.into()),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_far_side_that_cannot_tell_yet_is_asked_again_and_meanwhile_it_is_pending() {
    let inner = ScriptedChannel::new("smtp").by_lookup().answering(al_once(Answer::LoseAnswer));
    let email = Slow { inner, asked: Arc::default(), tells_at: 5 };
    let channels = ChannelSet::new()
        .with(Mechanism::new("email").unwrap(), Box::new(email.clone()) as Box<dyn Channel>)
        .with(Mechanism::new("pager").unwrap(), Box::new(ScriptedChannel::new("pager")) as Box<dyn Channel>);
    let world = World::new(&plan(""), channels);
    let dispatcher = declared(&world).await;
    let standing = dispatcher.step().await.unwrap();
    assert_eq!((standing.is_done(), standing.held), (false, 0), "a question is still to be asked: {standing:?}");
    assert!(standing.next_due.is_some_and(|at| at <= world.clock_now() + HOUR), "{standing:?}");
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(email.asked.load(Ordering::Relaxed), 5);
    assert_eq!(copies(&email.inner, "al@demo.example"), 1);
    let report = dispatcher.report().await.unwrap();
    assert_eq!(report.verdict, Verdict::Informed);
    let attempts = &person(&report, "al").deliveries[0].attempts;
    assert_eq!((attempts.len(), attempts[0].outcome.as_str()), (1, "accepted"));
    assert_eq!(
        attempts[0].reference.as_deref(),
        Some(RECEIPT),
        "the answer to the question brings what the acceptance would have"
    );
    assert!(!report.redacted().to_json().contains(RECEIPT));
}

#[tokio::test(start_paused = true)]
async fn a_far_side_that_never_tells_leaves_it_held() {
    let inner = ScriptedChannel::new("smtp").by_lookup().answering(al_once(Answer::LoseAnswer));
    let email = Slow { inner, asked: Arc::default(), tells_at: u32::MAX };
    let channels = ChannelSet::new()
        .with(Mechanism::new("email").unwrap(), Box::new(email.clone()) as Box<dyn Channel>)
        .with(Mechanism::new("pager").unwrap(), Box::new(ScriptedChannel::new("pager")) as Box<dyn Channel>);
    let world = World::new(&plan(""), channels);
    let dispatcher = declared(&world).await;
    let standing = finish(&dispatcher).await;
    assert_eq!((standing.is_done(), standing.held), (true, 1), "{standing:?}");
}

/// A world whose mail system loses its answer about Al, and answers only the second question about it.
fn asked_in_vain(rest: &str) -> (World, Slow) {
    let inner = ScriptedChannel::new("smtp").by_lookup().answering(al_once(Answer::LoseAnswer));
    let email = Slow { inner, asked: Arc::new(AtomicU32::new(2)), tells_at: 4 };
    let channels = ChannelSet::new()
        .with(Mechanism::new("email").unwrap(), Box::new(email.clone()) as Box<dyn Channel>)
        .with(Mechanism::new("pager").unwrap(), Box::new(ScriptedChannel::new("pager")) as Box<dyn Channel>);
    (World::new(&plan(rest), channels), email)
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_after_one_who_died_while_the_far_side_was_asked_asks_again() {
    let (world, email) = asked_in_vain("");
    let dispatcher = declared(&world).await;
    let asks = {
        let dispatcher = dispatcher.clone();
        tokio::spawn(async move { dispatcher.step().await })
    };
    while email.asked.load(Ordering::Relaxed) < 3 {
        tokio::task::yield_now().await;
    }
    asks.abort();
    assert!(asks.await.unwrap_err().is_cancelled());
    let next = world.dispatcher();
    let standing = next.step().await.unwrap();
    assert_eq!((standing.held, email.asked.load(Ordering::Relaxed)), (0, 3), "the far side has time: {standing:?}");
    assert!(finish(&next).await.is_done());
    assert_eq!((email.asked.load(Ordering::Relaxed), copies(&email.inner, "al@demo.example")), (4, 1));
    assert_eq!(next.report().await.unwrap().verdict, Verdict::Informed);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_delivery_waits_for_the_answer_to_a_question_about_it() {
    let after = "}\n  more: { to: staff, per: place, after: out accepted, if_blocked: { then: cancel }, via: pager, text: More.";
    let (world, email) = asked_in_vain(after);
    let dispatcher = declared(&world).await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(email.asked.load(Ordering::Relaxed), 4);
    let report = dispatcher.report().await.unwrap();
    assert_eq!((report.verdict, report.totals.informed), (Verdict::Informed, 2), "{}", report.to_text());
}

#[tokio::test(start_paused = true)]
async fn what_hangs_before_it_was_sent_is_tried_again() {
    let email = ScriptedChannel::new("smtp").answering(al_once(Answer::Hang));
    let pager = ScriptedChannel::new("pager");
    let world = World::new(&plan(""), scripted([("email", &email), ("pager", &pager)]));
    let dispatcher = declared(&world).await;
    let began = world.clock_now();
    assert!(finish(&dispatcher).await.is_done());
    let again = email.seen().into_iter().rfind(|s| s.address.starts_with("al")).unwrap();
    assert_eq!(again.attempt, 2);
    assert!(again.at >= began + MINUTE, "after the deadline of a minute");
    assert_eq!(dispatcher.report().await.unwrap().verdict, Verdict::Informed);
}

#[tokio::test(start_paused = true)]
async fn a_fault_in_mid_batch_leaves_the_others_known() {
    for (answer, held, tries) in
        [(Answer::Panic, 0, 5), (Answer::HangAccepted, 1, 4), (Answer::LoseAnswer, 1, 4), (Answer::LeaveOpen, 1, 3)]
    {
        let email = ScriptedChannel::new("smtp").capabilities(|c| c.per_call(8.try_into().unwrap())).answering(
            move |address, n| match (address, n) {
                ("p1@demo.example", 1) => answer.clone(),
                _ => Answer::Accept(Assurance::Accepted),
            },
        );
        let body = "
groups:
  staff:
    members: [{ id: p0, email: p0@demo.example }, { id: p1, email: p1@demo.example }, { id: p2, email: p2@demo.example }]
    via: email
communiques:
  out: { to: staff, per: place }
";
        let world = World::by_email(body, &email);
        let dispatcher = declared(&world).await;
        let standing = finish(&dispatcher).await;
        assert_eq!(standing.held, held);
        let seen = email.seen();
        for address in ["p0@demo.example", "p2@demo.example"] {
            assert_eq!(copies(&email, address), 1, "{:?}", addresses(&seen));
        }
        let report = dispatcher.report().await.unwrap();
        assert_eq!(report.totals.unconfirmed, held);
        assert_eq!(report.totals.informed, 3 - held);
        assert!(seen.len() <= tries, "{:?}", addresses(&seen));
    }
}
