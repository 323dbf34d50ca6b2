//! Embargoes: what is classified waits for the end, by its time or by a person's word, and a clock that jumps ends none.

use crate::support::{DAY, HOUR, MINUTE, RELEASE, World, at, everywhere, finish, said};
use async_trait::async_trait;
use relcomm_core::clock::{Clock, Moment};
use relcomm_core::dispatch::{DispatchError, Dispatcher};
use relcomm_core::journal::{Fact, Journal};
use relcomm_core::release::Outcome;
use relcomm_testkit::channel::ScriptedChannel;
use relcomm_testkit::clock::SimClock;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

const PLAN: &str = "
embargo: { until: 2027-05-12T09:00Z, cleared: staff, classified: [item.one, why], lift: [mia, owner] }
approvals: { roles: { owner: [ben] } }
groups: { staff: { members: [s@demo.example] }, all: { members: [a@demo.example] } }
communiques:
  ahead: { to: staff, per: release }
  live: { to: all, per: release }
  plain: { to: all, per: release, text: Out now., after: ahead accepted }
  then: { to: all, at: embargo +1h, per: release, text: More. }
  soon: { to: all, at: embargo, undeclared: true, per: release, text: Watch. }
";

async fn declared(world: &World) -> Dispatcher {
    let dispatcher = world.dispatcher();
    everywhere(&dispatcher, Outcome::Success).await;
    dispatcher
}

/// Which communiques have opened, and when.
async fn opened(world: &World) -> Vec<(String, Option<Moment>)> {
    let gates = world.journal.gates().await.unwrap();
    gates.into_iter().map(|gate| (gate.id.communique.to_string(), gate.state.opened)).collect()
}

fn of(opened: &[(String, Option<Moment>)], id: &str) -> Option<Moment> {
    opened.iter().find(|(of, _)| of == id).and_then(|(_, when)| *when)
}

#[tokio::test(start_paused = true)]
async fn what_is_classified_waits_for_the_end_and_nothing_else_does() {
    let world = World::by_email(PLAN, &ScriptedChannel::new("smtp"));
    finish(&declared(&world).await).await;
    let opened = opened(&world).await;
    for (id, when) in [("ahead", "06:00"), ("plain", "06:00"), ("live", "09:00"), ("then", "10:00"), ("soon", "09:00")]
    {
        let when = at(&format!("2027-05-12T{when}:00Z"));
        let found = of(&opened, id).unwrap_or_else(|| panic!("{id} never opened"));
        assert!(found >= when && found < when + MINUTE, "{id}: {found}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_undeclared_waits_for_the_end_alone() {
    let world = World::by_email(PLAN, &ScriptedChannel::new("smtp"));
    let standing = world.dispatcher().step().await.unwrap();
    assert_eq!(standing.next_due, Some(at("2027-05-12T09:00:00Z")));
    world.clock_until(at("2027-05-12T09:00:00Z")).await;
    world.dispatcher().step().await.unwrap();
    let opened = opened(&world).await;
    assert!(of(&opened, "soon").is_some() && of(&opened, "live").is_none(), "{opened:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lift_is_refused_to_others_and_noted_beside_the_entry() {
    let world = World::by_email(PLAN, &ScriptedChannel::new("smtp"));
    let dispatcher = declared(&world).await;
    dispatcher.step().await.unwrap();
    let before = world.entries().await.len();
    for (by, cause, why) in [("ada", "known", "may not lift"), (" ", "known", "a name"), ("mia", " ", "a cause")] {
        let refused = dispatcher.lift(by, cause).await.unwrap_err();
        assert!(matches!(refused, DispatchError::Refused(_)) && refused.to_string().contains(why), "{refused}");
    }
    assert_eq!(world.entries().await.len(), before);
    assert!(dispatcher.lift("ben", "it is in the papers").await.unwrap());
    assert!(!dispatcher.lift("mia", "it is in the papers").await.unwrap());
    let entries = world.entries().await;
    let lifted: Vec<_> = entries
        .iter()
        .filter(|e| matches!(&e.fact, Fact::Head(f) if matches!(**f, relcomm_core::course::HeadFact::Lifted { .. })))
        .collect();
    assert_eq!(lifted.len(), 1);
    let notes = world.journal.notes(lifted[0].seq - 1, lifted[0].seq).await.unwrap();
    assert_eq!((notes[0].1.by.as_deref(), notes[0].1.text.as_deref()), (Some("ben"), Some("it is in the papers")));
    dispatcher.step().await.unwrap();
    let opened = opened(&world).await;
    assert!(of(&opened, "live").is_some_and(|when| when < at("2027-05-12T06:01:00Z")), "{opened:?}");
    assert_eq!(of(&opened, "then"), None, "an hour after the lift");
}

#[tokio::test(start_paused = true)]
async fn the_responsible_party_lifts_it_and_whoever_stands_in() {
    let release = RELEASE.replace(
        "responsible: Ada <ada@demo.example>",
        "responsible: { execute: Ada <ada@demo.example>, backup: cal@demo.example }",
    );
    for lift in ["", ", lift: responsible", ", lift: ada"] {
        let plan = release.clone() + &PLAN.replace(", lift: [mia, owner]", lift);
        for by in ["ada", "cal"] {
            let world = World::by_email(&plan, &ScriptedChannel::new("smtp"));
            let dispatcher = declared(&world).await;
            dispatcher.lift("ben", "it is in the papers").await.unwrap_err();
            assert!(dispatcher.lift(by, "it is in the papers").await.unwrap(), "{by}{lift}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn too_late_to_lift_changes_nothing() {
    let world = World::by_email(PLAN, &ScriptedChannel::new("smtp"));
    let dispatcher = declared(&world).await;
    finish(&dispatcher).await;
    let before = world.entries().await.len();
    assert!(!dispatcher.lift("mia", "late").await.unwrap());
    assert_eq!(world.entries().await.len(), before);
    let none = World::by_email(
        "groups: { all: { members: [a@demo.example] } }\ncommuniques: { live: { to: all } }\n",
        &ScriptedChannel::new("smtp"),
    );
    let refused = none.dispatcher().lift("ada", "x").await.unwrap_err();
    assert_eq!(refused.to_string(), "the plan has no embargo to lift");
}

#[tokio::test(start_paused = true)]
async fn after_a_failure_it_holds_until_it_is_lifted_again() {
    let plan = "
embargo: { until: 2027-05-12T06:30Z }
groups: { all: { members: [a@demo.example] } }
communiques:
  live: { to: all, per: release }
  undo: { to: all, per: release, if: { outcome: failure } }
";
    for place in ["eu", "us"] {
        let world = World::by_email(plan, &ScriptedChannel::new("smtp"));
        let dispatcher = world.dispatcher();
        assert!(dispatcher.lift("ada", "known").await.unwrap());
        dispatcher.declare(&said(place, Outcome::Failure)).await.unwrap();
        let other = if place == "eu" { "us" } else { "eu" };
        dispatcher.declare(&said(other, Outcome::Failure)).await.unwrap();
        world.pass(DAY).await;
        let standing = dispatcher.step().await.unwrap();
        let waits: Vec<_> = standing.pending.iter().map(|p| p.waiting_for.as_str()).collect();
        assert_eq!(waits, ["the embargo to be lifted"]);
        assert!(dispatcher.lift("ada", "known by now").await.unwrap());
        finish(&dispatcher).await;
        assert!(of(&opened(&world).await, "undo").is_some());
    }
}

/// A clock whose wall can be set while the time passes as it does.
#[derive(Debug)]
struct Settable {
    truly: SimClock,
    ahead_ms: AtomicI64,
}

#[async_trait]
impl Clock for Settable {
    fn now(&self) -> Moment {
        Moment::from_millis(self.truly.now().millis() + self.ahead_ms.load(Ordering::Relaxed))
    }
    fn elapsed(&self) -> Option<Duration> {
        self.truly.elapsed()
    }
    async fn sleep_until(&self, at: Moment) {
        while self.now() < at {
            self.truly.sleep(at.since(self.now()).min(MINUTE)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_ends_no_embargo_and_lets_nothing_expire_before_it_has_proved_stable() {
    let plan = "
embargo: { until: 2027-05-12T09:00Z }
groups: { all: { members: [{ id: a, email: a@demo.example, phone: '+41445550101' }], via: [email, { via: phone, unless: acknowledged, within: 8h }] } }
communiques:
  plain: { to: all, per: release, text: Out now. }
  live: { to: all, per: release }
  short: { to: all, per: release, at: 2027-05-12T08:00Z, not_after: 2027-05-12T10:00Z, text: Now or never. }
";
    let (email, phone) = (ScriptedChannel::new("smtp"), ScriptedChannel::new("pbx"));
    let world = World::new(plan, crate::support::scripted([("email", &email), ("phone", &phone)]));
    let clock =
        Arc::new(Settable { truly: SimClock::starting_at(at("2027-05-12T06:00:00Z")), ahead_ms: AtomicI64::new(0) });
    let dispatcher = world.dispatcher().clock(Arc::clone(&clock) as Arc<dyn Clock>);
    everywhere(&dispatcher, Outcome::Success).await;
    dispatcher.step().await.unwrap();
    assert_eq!((email.seen().len(), phone.seen().len()), (1, 0));
    world.pass(MINUTE).await;
    clock.ahead_ms.store(i64::try_from((HOUR * 12).as_millis()).unwrap(), Ordering::Relaxed);
    for minute in 0..10 {
        let standing = dispatcher.step().await.unwrap();
        assert_eq!((email.seen().len(), phone.seen().len()), (1, 0), "after {minute} minutes");
        let waits: Vec<_> = standing.pending.iter().map(|p| p.waiting_for.as_str()).collect();
        let unproved = "the clock, which has jumped, to prove stable";
        assert_eq!(waits, ["receipts, acknowledgements or tries", unproved, unproved]);
        assert_eq!(standing.next_due, Some(clock.now() + MINUTE * (10 - minute)));
        assert!(!dispatcher.embargo_is_over(&world.journal.head().await.unwrap().1));
        world.pass(MINUTE).await;
    }
    // It has kept with the time: now it is believed, and what is over is over.
    dispatcher.step().await.unwrap();
    assert_eq!((email.seen().len(), phone.seen().len()), (2, 1));
    let opened = opened(&world).await;
    assert!(of(&opened, "live").is_some() && of(&opened, "short").is_none(), "{opened:?}");
}
