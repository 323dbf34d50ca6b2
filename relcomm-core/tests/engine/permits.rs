//! How much may be under way at once: concurrency, rates, exposure, calls shared by several.

use crate::support::{HOUR, MINUTE, World, finish, live, said, scripted};
use async_trait::async_trait;
use relcomm_core::channel::{
    AttemptContext, Batch, Channel, ChannelError, ChannelSet, Descriptor, Outcomes, Prepared, Wording,
};
use relcomm_core::dispatch::Dispatcher;
use relcomm_core::mechanism::{Capabilities, Mechanism, Rate};
use relcomm_core::plan::Finding;
use relcomm_core::receipt::Assurance;
use relcomm_core::release::Outcome;
use relcomm_core::stakeholder::Address;
use relcomm_testkit::channel::{Answer, ScriptedChannel};
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

fn n(n: u32) -> NonZeroU32 {
    n.try_into().unwrap()
}

fn slow(_: &str, _: u32) -> Answer {
    Answer::After(Duration::from_secs(10), Box::new(Answer::Accept(Assurance::Accepted)))
}

/// A plan for so many people, in two groups, each with a gate.
fn plan(people: u32, head: &str, text: &str) -> String {
    let members = |from: u32, to: u32| {
        (from..to).map(|n| format!("{{ id: p{n}, email: p{n}@demo.example }}")).collect::<Vec<_>>().join(", ")
    };
    format!(
        "
{head}
groups:
  one: {{ members: [{}], via: email }}
  two: {{ members: [{}], via: email }}
communiques:
  a: {{ to: one, per: place, text: \"{text}\" }}
  b: {{ to: two, per: place, text: \"{text}\" }}
",
        members(0, people / 2),
        members(people / 2, people)
    )
}

async fn declared(world: &World) -> Dispatcher {
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    dispatcher.declare(&said("us", Outcome::Failure)).await.unwrap();
    dispatcher
}

/// Counts the calls and recipients under way.
#[derive(Clone, Debug)]
struct Counted {
    inner: ScriptedChannel,
    calls: Arc<[AtomicU32; 2]>,
    recipients: Arc<[AtomicU32; 2]>,
    sizes: Arc<std::sync::Mutex<Vec<usize>>>,
}

impl Counted {
    fn new(inner: ScriptedChannel) -> Self {
        Self { inner, calls: Arc::default(), recipients: Arc::default(), sizes: Arc::default() }
    }

    fn most(&self) -> (u32, u32) {
        (self.calls[1].load(Ordering::Relaxed), self.recipients[1].load(Ordering::Relaxed))
    }
}

#[async_trait]
impl Channel for Counted {
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
        let size = u32::try_from(batch.items.len()).unwrap();
        self.sizes.lock().unwrap().push(batch.items.len());
        for (of, by) in [(&self.calls, 1), (&self.recipients, size)] {
            let now = of[0].fetch_add(by, Ordering::Relaxed) + by;
            of[1].fetch_max(now, Ordering::Relaxed);
        }
        let ended = self.inner.attempt(cx, batch, outcomes).await;
        self.calls[0].fetch_sub(1, Ordering::Relaxed);
        self.recipients[0].fetch_sub(size, Ordering::Relaxed);
        ended
    }
}

fn counted(channel: &Counted) -> ChannelSet {
    ChannelSet::new().with(Mechanism::new("email").unwrap(), Box::new(channel.clone()) as Box<dyn Channel>)
}

#[tokio::test(start_paused = true)]
async fn no_more_calls_fly_than_the_channel_allows() {
    let email = Counted::new(ScriptedChannel::new("smtp").answering(slow).capabilities(|c| c.concurrency(n(3))));
    let world = World::new(&plan(40, "", "Hello."), counted(&email));
    let dispatcher = declared(&world).await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(email.inner.arrived().len(), 40);
    assert_eq!(email.most(), (3, 3), "as many as allowed, and no more");
}

#[tokio::test(start_paused = true)]
async fn personal_texts_go_alone_and_within_the_permits() {
    let email = Counted::new(
        ScriptedChannel::new("smtp").answering(slow).capabilities(|c| c.concurrency(n(3)).per_call(n(50))),
    );
    let world = World::new(&plan(40, "", "Hello {{ person.id }}."), counted(&email));
    let dispatcher = declared(&world).await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(email.most(), (3, 3));
    assert!(email.sizes.lock().unwrap().iter().all(|size| *size == 1));
    let keys: BTreeSet<_> = email.inner.seen().iter().map(|s| (s.key, s.message_key)).collect();
    assert_eq!(keys.len(), 40);
    assert!(keys.iter().all(|(key, message)| key == message), "for a personal text the two keys are one");
    for seen in email.inner.seen() {
        let name = seen.address.split('@').next().unwrap().to_owned();
        assert_eq!(seen.text.part("text").trim(), format!("Hello {name}."));
    }
}

#[tokio::test(start_paused = true)]
async fn one_text_goes_to_many_in_one_call() {
    let email = Counted::new(ScriptedChannel::new("smtp").capabilities(|c| c.concurrency(n(2)).per_call(n(7))));
    let world = World::new(&plan(40, "", "Hello."), counted(&email));
    let dispatcher = declared(&world).await;
    assert!(finish(&dispatcher).await.is_done());
    let sizes = email.sizes.lock().unwrap().clone();
    assert_eq!(sizes.iter().sum::<usize>(), 40);
    assert!(sizes.iter().all(|size| *size <= 7));
    assert!(sizes.len() <= 8, "calls are filled: {sizes:?}");
    assert!(email.most().0 <= 2);
    let seen = email.inner.seen();
    let messages: BTreeMap<_, BTreeSet<_>> = seen.iter().fold(BTreeMap::new(), |mut all, s| {
        all.entry(s.message_key).or_insert_with(BTreeSet::new).insert(s.text.part("text").to_owned());
        all
    });
    assert_eq!(messages.len(), 2, "one message for each gate");
    assert_eq!(seen.iter().map(|s| s.key).collect::<BTreeSet<_>>().len(), 40);
}

#[tokio::test(start_paused = true)]
async fn texts_that_differ_share_no_call_and_no_permits_are_exceeded() {
    let email =
        Counted::new(ScriptedChannel::new("smtp").answering(slow).capabilities(|c| c.concurrency(n(2)).per_call(n(4))));
    let body = plan(24, "", "Hello {{ group.id }}.").replace("to: one,", "to: [one, two],");
    let world = World::new(&body, counted(&email));
    let dispatcher = declared(&world).await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(email.inner.arrived().len(), 36);
    assert!(email.most().0 <= 2, "{:?}", email.most());
    for seen in email.inner.seen() {
        let number: u32 = seen.address[1..].split('@').next().unwrap().parse().unwrap();
        let group = if number < 12 { "one" } else { "two" };
        assert_eq!(seen.text.part("text").trim(), format!("Hello {group}."));
        assert_eq!(seen.attempt, 1, "what was given back does not count");
    }
}

#[tokio::test(start_paused = true)]
async fn exposure_bounds_what_may_be_in_doubt_at_once() {
    for (by_key, most) in [(false, 5), (true, 8)] {
        let scripted = ScriptedChannel::new("smtp").answering(slow);
        let email = Counted::new(if by_key { scripted.by_key() } else { scripted });
        let world = World::new(&plan(30, "exposure: 5", "Hello."), counted(&email));
        let dispatcher = declared(&world).await;
        assert!(finish(&dispatcher).await.is_done());
        assert_eq!(email.most().1, most, "by key: {by_key}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_window_bounds_all_recipients_in_flight() {
    let email = Counted::new(
        ScriptedChannel::new("smtp")
            .answering(slow)
            .capabilities(|c| c.concurrency(n(9)).per_call(n(5)).timeout(MINUTE * 9)),
    );
    let mut world = World::new(&plan(60, "", "Hello."), counted(&email));
    world.options.window = 12;
    let dispatcher = declared(&world).await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(email.inner.arrived().len(), 60);
    assert!(email.most().1 <= 12, "{:?}", email.most());
}

/// The most attempts in any span as long as this.
fn densest(email: &ScriptedChannel, span: Duration) -> usize {
    let at: Vec<_> = email.seen().iter().map(|s| s.at).collect();
    at.iter().map(|from| at.iter().filter(|a| **a >= *from && **a < *from + span).count()).max().unwrap_or(0)
}

#[tokio::test(start_paused = true)]
async fn a_rate_is_kept_in_every_span_and_used_up() {
    let rate = Rate::new(n(4), MINUTE);
    let email = ScriptedChannel::new("smtp").capabilities(|c| c.rate(rate)).answering(|_, n| match n {
        1 => Answer::Defer(Some(Duration::from_secs(50))),
        _ => Answer::Accept(Assurance::Accepted),
    });
    let world = World::new(&plan(10, "", "Hello."), scripted([("email", &email)]));
    let began = world.clock_now();
    let dispatcher = declared(&world).await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(email.seen().len(), 20);
    assert_eq!(densest(&email, MINUTE), 4);
    assert!(world.clock_now() < began + MINUTE * 6, "the rate is used, not just kept");
}

#[tokio::test(start_paused = true)]
async fn short_calls_keep_the_rate_and_say_when_it_lets_more_through() {
    let rate = Rate::new(n(4), MINUTE);
    let email = ScriptedChannel::new("smtp").capabilities(|c| c.rate(rate));
    let world = World::new(&plan(10, "", "Hello."), scripted([("email", &email)]));
    let began = world.clock_now();
    let dispatcher = declared(&world).await;
    let standing = dispatcher.step().await.unwrap();
    assert_eq!(email.seen().len(), 4);
    assert_eq!(standing.next_due, Some(began + MINUTE), "{standing:?}");
    world.pass(Duration::from_secs(30)).await;
    dispatcher.step().await.unwrap();
    assert_eq!(email.seen().len(), 4, "a new call does not begin a new span");
    world.clock_until(began + MINUTE).await;
    dispatcher.step().await.unwrap();
    assert_eq!(email.seen().len(), 8);
}

#[tokio::test(start_paused = true)]
async fn whoever_dispatches_next_keeps_the_rate_by_the_record() {
    let rate = Rate::new(n(4), MINUTE);
    let email = ScriptedChannel::new("smtp").capabilities(|c| c.rate(rate));
    let world = World::new(&plan(10, "", "Hello."), scripted([("email", &email)]));
    let began = world.clock_now();
    declared(&world).await.step().await.unwrap();
    assert_eq!(email.seen().len(), 4);
    world.pass(Duration::from_secs(30)).await;
    // Another process.
    let looks = world.dispatcher().standing().await.unwrap();
    assert_eq!(looks.next_due, Some(began + MINUTE), "{looks:?}");
    assert!(looks.pending.iter().any(|p| p.waiting_for.contains("whose rate is spent until")), "{looks:?}");
    world.dispatcher().step().await.unwrap();
    assert_eq!(email.seen().len(), 4);
    world.clock_until(began + MINUTE).await;
    world.dispatcher().step().await.unwrap();
    assert_eq!(email.seen().len(), 8);
    assert!(finish(&world.dispatcher()).await.is_done());
    assert_eq!((email.seen().len(), densest(&email, MINUTE)), (10, 4));
}

#[tokio::test(start_paused = true)]
async fn keys_stay_the_same_over_tries_and_dispatchers() {
    let email = ScriptedChannel::new("smtp")
        .capabilities(|c| c.per_call(n(10)))
        .answering(|_, n| if n < 3 { Answer::Defer(Some(MINUTE)) } else { Answer::Accept(Assurance::Accepted) });
    let world = World::new(&plan(6, "", "Hello."), scripted([("email", &email)]));
    declared(&world).await;
    for _ in 0..4 {
        world.dispatcher().step().await.unwrap();
        world.pass(MINUTE).await;
    }
    assert!(finish(&world.dispatcher()).await.is_done());
    let seen = email.seen();
    assert_eq!(seen.len(), 18);
    let keys: BTreeSet<_> = seen.iter().map(|s| (&s.address, &s.key, &s.message_key)).collect();
    assert_eq!(keys.len(), 6);
}

#[tokio::test(start_paused = true)]
async fn whoever_looks_learns_what_the_next_dispatch_would_do_and_what_has_to_be_mended() {
    let email = ScriptedChannel::new("smtp").answering(|_, n| match n {
        1 => Answer::Defer(Some(HOUR)),
        2 => Answer::Bar,
        _ => Answer::Accept(Assurance::Accepted),
    });
    let body = "
groups: { staff: { members: [{ id: al, email: al@demo.example }], via: email } }
communiques: { out: { to: staff, per: release, at: planned } }
";
    let world = World::by_email(body, &email);
    let dispatcher = world.dispatcher();
    world.pass(HOUR).await;
    dispatcher.step().await.unwrap();
    let waits = async || {
        let standing = dispatcher.standing().await.unwrap();
        (standing.pending[0].waiting_for.clone(), standing.next_due.map(|at| at.max(world.clock_now())))
    };
    let (_, due) = waits().await;
    assert_eq!(due, Some(world.clock_now() + HOUR));
    world.pass(HOUR * 2).await;
    assert_eq!(waits().await, ("the next dispatch".to_owned(), Some(world.clock_now())));
    dispatcher.step().await.unwrap();
    let (why, _) = waits().await;
    assert!(why.starts_with("`email` to be mended (authentication"), "{why}");
}
