//! The holder of the record dies at every write and at every turn, and another goes on.

use crate::support::{DAY, MINUTE, World, finish, live, plan, said, scripted};
use relcomm_core::clock::Clock;
use relcomm_core::dispatch::{DispatchError, Dispatcher};
use relcomm_core::prepare::PreparedPlan;
use relcomm_core::receipt::Assurance;
use relcomm_core::release::Outcome;
use relcomm_core::report::Class;
use relcomm_testkit::channel::{Answer, ScriptedChannel};
use relcomm_testkit::journal::{Crash, CrashJournal, assert_is_the_fold};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::Duration;

const PLAN: &str = "
groups:
  staff:
    members:
      - { id: al, email: al@demo.example, pager: al-pager }
      - { id: bea, email: bea@demo.example, pager: bea-pager }
      - { id: cy, email: cy@demo.example, pager: cy-pager }
      - { id: dee, email: dee@demo.example, pager: dee-pager }
    via: [email, pager]
  public: { members: [{ id: eve, email: eve@demo.example }], via: website }
communiques:
  out: { to: [staff, public], per: place, text: \"Out. Ask {{ declaration.by }}.\" }
  after: { to: public, per: place, after: out settled, via: email, text: After. }
";

/// How a far side treats repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repeats {
    Copies,
    Honoured,
    Asked,
}

struct Sides {
    email: ScriptedChannel,
    pager: ScriptedChannel,
    site: ScriptedChannel,
    repeats: Repeats,
}

impl Sides {
    fn new(repeats: Repeats) -> Self {
        let treat = |channel: ScriptedChannel| match repeats {
            Repeats::Copies => channel,
            Repeats::Honoured => channel.by_key(),
            Repeats::Asked => channel.by_lookup(),
        };
        let email =
            ScriptedChannel::new("smtp").capabilities(|c| c.per_call(2.try_into().unwrap())).answering(|address, n| {
                match (address, n) {
                    ("bea@demo.example", _) => Answer::Refuse,
                    ("cy@demo.example", 1) => Answer::Defer(None),
                    _ => Answer::Accept(Assurance::Accepted),
                }
            });
        let (pager, site) = (ScriptedChannel::new("pager"), ScriptedChannel::new("site").once());
        Self { email: treat(email), pager: treat(pager), site: treat(site), repeats }
    }

    fn world(&self) -> World {
        // What is prepared is the same in every life, and takes longest.
        static PREPARED: [OnceLock<PreparedPlan>; 3] = [const { OnceLock::new() }; 3];
        let channels = scripted([("email", &self.email), ("pager", &self.pager), ("website", &self.site)]);
        let prepared = PREPARED[self.repeats as usize].get_or_init(|| plan(PLAN, &channels));
        World::of(prepared.clone(), channels)
    }

    /// Every copy that arrived, by what was said where.
    fn copies(&self) -> BTreeMap<String, usize> {
        let mut copies = BTreeMap::new();
        for seen in [&self.email, &self.pager, &self.site].into_iter().flat_map(ScriptedChannel::arrived) {
            let word = seen.text.part("text").split('.').next().unwrap_or_default().to_owned();
            *copies.entry(format!("{} {word}", seen.address)).or_default() += 1;
        }
        copies
    }
}

fn over(world: &World, journal: CrashJournal) -> Dispatcher {
    Dispatcher::new(world.prepared.clone(), world.channels.clone(), journal)
        .unwrap()
        .clock(Arc::clone(&world.clock) as Arc<dyn Clock>)
        .options(world.options.clone())
}

async fn whole_life(dispatcher: &Dispatcher) -> Result<(), DispatchError> {
    dispatcher.declare(&live("eu")).await?;
    dispatcher.declare(&said("us", Outcome::Failure)).await?;
    dispatcher.run().await.map(drop)
}

/// Lives until death; `false` if it did not come.
async fn live_until(world: &World, death: Crash) -> bool {
    let journal = CrashJournal::new(world.journal.clone(), death);
    let dispatcher = over(world, journal.clone());
    tokio::select! {
        biased;
        () = journal.died() => true,
        ended = whole_life(&dispatcher) => { ended.unwrap(); false }
    }
}

/// What holds once another has gone on: nobody is lost, nobody hears twice, and the record is whole.
async fn goes_on(world: &World, sides: &Sides, repeats: Repeats, kills: usize, when: &str) {
    world.pass(world.options.session + Duration::from_secs(1)).await;
    let dispatcher = world.dispatcher();
    let life = tokio::time::timeout(DAY * 30, whole_life(&dispatcher)).await;
    life.unwrap_or_else(|_| panic!("{when}: it comes to an end")).unwrap();
    let copies = sides.copies();
    let report = dispatcher.report().await.unwrap();
    assert!(copies.values().all(|n| *n == 1), "{when}: doubled: {copies:?}");
    for person in &report.people {
        for delivery in person.deliveries.iter().filter(|d| d.place.as_deref() == Some("eu")) {
            let has = match (person.id.as_str(), delivery.communique.as_str()) {
                ("eve", "out") => copies.contains_key(" Out"),
                ("eve", _) => copies.contains_key("eve@demo.example After"),
                (id, _) => copies.keys().any(|k| k.starts_with(id)),
            };
            match delivery.class {
                Class::Informed => assert!(has, "{when}: {} is reported as informed and has nothing", person.id),
                Class::Unconfirmed => assert_eq!(repeats, Repeats::Copies, "{when}: {delivery:#?}"),
                // Held people are not settled: what waits for that stands still with them, and says so.
                Class::NotInformed if delivery.reason.as_deref() == Some("blocked: out settled") => {
                    assert_eq!(repeats, Repeats::Copies, "{when}");
                }
                class => panic!("{when}: {} is {class:?}: {delivery:#?}", person.id),
            }
        }
    }
    if repeats != Repeats::Copies {
        assert_eq!(report.totals.informed, 5, "{when}");
    }
    assert!(report.totals.unconfirmed as usize <= kills * 5, "{when}");
    assert_is_the_fold(&world.journal, &["@demo", "al-pager", "ada", "\"al\""]).await;
    let (seen, entries) = (sides.email.seen().len(), world.entries().await.len());
    finish(&world.dispatcher()).await;
    assert_eq!((sides.email.seen().len(), world.entries().await.len()), (seen, entries), "{when}: it is over");
    assert_eq!(world.dispatcher().report().await.unwrap().to_json(), report.to_json(), "{when}");
}

#[tokio::test(start_paused = true)]
async fn dying_at_any_write_loses_nobody_and_doubles_nothing() {
    for repeats in [Repeats::Copies, Repeats::Honoured, Repeats::Asked] {
        let mut lives = 0;
        for n in 1.. {
            let (mut before, mut after) = (false, false);
            for (death, died) in [(Crash::DieBefore(n), &mut before), (Crash::DieAfter(n), &mut after)] {
                let sides = Sides::new(repeats);
                let world = sides.world();
                *died = live_until(&world, death).await;
                goes_on(&world, &sides, repeats, 1, &format!("{repeats:?} {death:?}")).await;
                lives += 1;
            }
            if !before && !after {
                break;
            }
        }
        assert!(lives > 40, "{repeats:?}: {lives}");
    }
}

#[tokio::test(start_paused = true)]
async fn dying_twice_is_no_worse() {
    for first in (1..30).step_by(3) {
        for second in (1..30).step_by(4) {
            let sides = Sides::new(Repeats::Honoured);
            let world = sides.world();
            live_until(&world, Crash::DieAfter(first)).await;
            world.pass(MINUTE).await;
            live_until(&world, Crash::DieBefore(second)).await;
            goes_on(&world, &sides, Repeats::Honoured, 2, &format!("{first} and {second}")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn dropping_the_run_at_any_turn_loses_nobody() {
    for repeats in [Repeats::Copies, Repeats::Honoured, Repeats::Asked] {
        for turns in 0..60 {
            let sides = Sides::new(repeats);
            let world = sides.world();
            let dispatcher = world.dispatcher();
            let mut life = Box::pin(whole_life(&dispatcher));
            let mut left = turns;
            std::future::poll_fn(|cx| {
                if left == 0 {
                    return Poll::Ready(());
                }
                left -= 1;
                life.as_mut().poll(cx).map(|ended| ended.unwrap())
            })
            .await;
            drop(life);
            goes_on(&world, &sides, repeats, 1, &format!("{repeats:?} after {turns} turns")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_at_once_waits_for_the_dead_ones_session() {
    let sides = Sides::new(Repeats::Honoured);
    let world = sides.world();
    // Before its fifteenth write or so a call has been leased; find one whose attempts are under way.
    for n in 1..40 {
        let sides = Sides::new(Repeats::Honoured);
        let world = sides.world();
        if !live_until(&world, Crash::DieAfter(n)).await {
            continue;
        }
        let dispatcher = world.dispatcher();
        let began = world.clock_now();
        dispatcher.declare(&live("eu")).await.unwrap();
        let mut standing = dispatcher.step().await.unwrap();
        // Called again whenever it says so, it comes to the end of what can be done.
        for _ in 0..20 {
            let Some(at) = standing.next_due else { break };
            world.clock_until(at).await;
            standing = dispatcher.step().await.unwrap();
        }
        assert!(standing.pending.iter().all(|p| p.waiting_for == "declaration"), "{n}: {standing:?}");
        assert!(world.clock_now() < began + MINUTE * 3, "{n}");
    }
    assert!(!live_until(&world, Crash::Never).await);
    assert!(sides.copies().values().all(|n| *n == 1));
}
