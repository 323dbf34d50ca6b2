//! The clauses about sessions: leases, what is lost, and who judges that.

use super::Trial;
use super::stage::{EMAIL, MINUTE, NOON, PAGER, Stage, good, is_flying, ordinals};
use crate::clock::ManualClock;
use relcomm_core::clock::{Clock, Moment};
use relcomm_core::course::{Closed, DeliveryFact, DeliveryInput, Finish, GateFact, SessionNo};
use relcomm_core::id::GateNo;
use relcomm_core::journal::{Fact, Journal, JournalErrorKind, Run, Want};
use relcomm_core::receipt::Assurance;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// **J4** A lease is durable before it returns, and each ready leg is taken at most once.
///
/// # Panics
/// If the journal breaks the clause.
pub async fn j04_a_lease_is_durable_and_taken_once<F, T>(make: F)
where
    F: Fn(Arc<dyn Clock>) -> T,
    T: Future<Output = Trial>,
{
    let mut stage = Stage::new(make).await;
    let later = NOON + MINUTE;
    let runs = vec![
        Run::new(10, 0, EMAIL, NOON, None),
        Run::new(10, 0, PAGER, NOON, None),
        Run::new(10, 0, EMAIL, later, Some(later)),
    ];
    let gate = stage.gate_of("live", runs).await;
    let (one, two) = (stage.session().await, stage.session().await);
    assert_ne!(one, two);

    let entries = stage.entry_count().await;
    let first = stage.lease(one, gate, 4).await;
    assert_eq!(first.len(), 4, "at most so many");
    for row in &first {
        assert!(is_flying(&row.state, one) && row.version == 1 && row.who.is_some());
        assert_eq!(&stage.row(row.id).await, row, "the row returned is the row stored");
    }
    let begun = good(stage.journal().entries(entries as u64, 99).await);
    let started = Fact::Delivery(DeliveryFact::Started { leg: 0, session: one });
    assert!(begun.len() == 4 && begun.iter().all(|e| e.fact == started));
    assert_eq!(stage.gate_row(gate).await.tally.flying, 4);

    // The other session takes others, or none; one call may want of several lanes.
    let wants =
        [Want::new(gate, EMAIL, 99), Want::new(gate, PAGER, 3), Want::new(gate, PAGER, 2), Want::new(gate, EMAIL, 9)];
    let second = good(stage.journal().lease(two, &wants, NOON).await);
    let mut taken = ordinals(&second);
    taken.sort_unstable();
    let firsts: BTreeSet<u32> = ordinals(&first).into_iter().collect();
    let expected: Vec<u32> = (0..10).filter(|o| !firsts.contains(o)).chain(10..15).collect();
    assert_eq!(taken, expected);
    assert!(stage.lease(one, gate, 99).await.is_empty(), "none is due on this lane any more");
    let ready_later = good(stage.journal().lease(one, &[Want::new(gate, EMAIL, 5)], later).await);
    assert_eq!(ready_later.len(), 5, "due to the millisecond, from and until included");
    let over = Moment::from_millis(later.millis() + 1);
    assert!(good(stage.journal().lease(one, &[Want::new(gate, EMAIL, 9)], over).await).is_empty(), "its time is over");

    // What is over does not stand in the way of what is not.
    let mixed = vec![Run::new(50, 0, EMAIL, NOON, Some(NOON)), Run::new(2, 0, EMAIL, NOON, None)];
    let mixed = stage.gate_of("mixed", mixed).await;
    let live = good(stage.journal().lease(one, &[Want::new(mixed, EMAIL, 2)], later).await);
    assert_eq!(ordinals(&live), [50, 51]);

    refusals(&stage, one, two).await;
    alternating(&stage).await;
    at_once(&stage, one).await;

    // A lease outlives its opener.
    let clock = Arc::new(stage.clock.clone());
    stage.trial.reopen(clock).await;
    for row in &first {
        assert_eq!(&stage.row(row.id).await, row);
    }
}

/// Deliveries that begin with several legs at once: one of them flies at a time, and one that waits for a post hides no other.
async fn at_once(stage: &Stage, session: SessionNo) {
    let both = vec![Run::new(2, 0, EMAIL, NOON, None), Run::new(2, 1, PAGER, NOON, None).further()];
    let gate = stage.gate_of("both", both).await;
    let rows = stage.rows(gate).await;
    assert!(rows.len() == 2 && rows.iter().all(|row| row.state.legs.len() == 2), "one row for two legs");
    assert_eq!(stage.gate_row(gate).await.tally.rows, 2);
    let by = |lane| [Want::new(gate, lane, 9)];
    let flying = good(stage.journal().lease(session, &by(EMAIL), NOON).await);
    assert_eq!(ordinals(&flying), [0, 1]);
    assert!(good(stage.journal().lease(session, &by(PAGER), NOON).await).is_empty(), "another leg flies");
    let accepted = Finish::Accepted(Assurance::Accepted);
    stage.done(flying.iter().map(|row| stage.finish(row, accepted)).collect()).await;
    assert_eq!(ordinals(&good(stage.journal().lease(session, &by(PAGER), NOON).await)), [0, 1]);

    let later = NOON + MINUTE;
    let rides = vec![Run::new(1, 0, PAGER, NOON, None).riding(true), Run::new(1, 1, EMAIL, later, None).further()];
    let gate = stage.gate_of("rides", rides).await;
    assert!(good(stage.journal().ready(gate, PAGER, later, 9).await).is_empty(), "it lets the other go before it");
    assert_eq!(good(stage.journal().ready(gate, EMAIL, later, 9).await).len(), 1);
    assert_eq!(good(stage.journal().lease(session, &[Want::new(gate, EMAIL, 9)], later).await).len(), 1);
}

/// Gates that are not leasable and sessions that are not alive get nothing, and nothing is written.
async fn refusals(stage: &Stage, one: SessionNo, two: SessionNo) {
    let gate = stage.gate("refused", 3).await;
    good(stage.journal().end(two).await);
    for dead in [two, SessionNo(4711)] {
        let before = stage.picture().await;
        let answer = stage.journal().lease(dead, &[Want::new(gate, EMAIL, 9)], NOON).await;
        assert_eq!(answer.map_err(|e| e.kind), Err(JournalErrorKind::Fenced));
        assert_eq!(stage.picture().await, before);
    }
    stage.on_gate(gate, GateFact::Held(true)).await;
    assert!(stage.lease(one, gate, 9).await.is_empty(), "a held gate");
    stage.on_gate(gate, GateFact::Held(false)).await;
    stage.on_gate(gate, GateFact::Approved(false)).await;
    assert!(stage.lease(one, gate, 9).await.is_empty(), "a gate whose approval is void");
    stage.on_gate(gate, GateFact::Approved(true)).await;
    assert_eq!(stage.lease(one, gate, 1).await.len(), 1);
    stage.on_gate(gate, GateFact::Closed(Closed::Cancelled)).await;
    assert!(stage.lease(one, gate, 9).await.is_empty(), "a closed gate");
    assert!(stage.lease(one, GateNo(99), 9).await.is_empty(), "no gate");
}

/// Two sessions, at two openers where there can be two, lease at the same time until nothing is left.
async fn alternating(stage: &Stage) {
    let gate = stage.gate("shared", 300).await;
    let beside = stage.trial.beside(Arc::new(stage.clock.clone())).await;
    let other: &dyn Journal = beside.as_deref().unwrap_or_else(|| stage.journal());
    let (one, two) = (stage.session().await, good(other.begin(MINUTE).await));
    let want = [Want::new(gate, EMAIL, 7)];
    let mut taken = Vec::new();
    loop {
        let (a, b) = tokio::join!(stage.journal().lease(one, &want, NOON), other.lease(two, &want, NOON));
        let (a, b) = (good(a), good(b));
        assert!(a.iter().all(|r| is_flying(&r.state, one)) && b.iter().all(|r| is_flying(&r.state, two)));
        if a.is_empty() && b.is_empty() {
            break;
        }
        taken.extend(ordinals(&a).into_iter().chain(ordinals(&b)));
    }
    taken.sort_unstable();
    assert!(taken.into_iter().eq(0..300), "each exactly once");
    assert_eq!(stage.gate_row(gate).await.tally.flying, 300);
}

/// **J6** `lost` returns exactly the deliveries that fly under sessions that are not alive.
///
/// # Panics
/// If the journal breaks the clause.
pub async fn j06_what_flies_under_a_dead_session_is_lost<F, T>(make: F)
where
    F: Fn(Arc<dyn Clock>) -> T,
    T: Future<Output = Trial>,
{
    let stage = Stage::new(make).await;
    let (gate, other) = (stage.gate("live", 20).await, stage.gate("other", 20).await);
    let journal = stage.journal();
    let (one, two) = (stage.session().await, stage.session().await);
    let three = good(journal.begin(MINUTE * 60).await);
    let lost = || async { good(journal.lost(usize::MAX).await) };
    let ones = stage.lease(one, gate, 3).await;
    let twos = stage.lease(two, other, 4).await;
    let threes = stage.lease(three, gate, 5).await;
    assert!(lost().await.is_empty());

    // One ends, and what it flew is lost at once; what landed before is not.
    let [landed, flown @ ..] = ones.as_slice() else { panic!("three were leased") };
    stage.done(vec![stage.finish(landed, Finish::Accepted(Assurance::Accepted))]).await;
    good(journal.end(one).await);
    assert_eq!(lost().await, flown);
    // Two is not beaten.
    stage.clock.advance(MINUTE);
    let both: BTreeSet<_> = lost().await.iter().map(|r| r.id).collect();
    assert_eq!(both, flown.iter().chain(&twos).map(|r| r.id).collect());
    assert_eq!(good(journal.lost(4).await).len(), 4, "at most so many");
    assert!(good(journal.lost(0).await).is_empty());

    // A hold does not hide it, and once it is decided it is lost no more; a second word on it meets another version.
    stage.on_gate(other, GateFact::Held(true)).await;
    let all = lost().await;
    assert_eq!(all.len(), 6);
    let writes: Vec<_> = all
        .iter()
        .filter_map(|row| {
            let (leg, session) = row.state.flying()?;
            Some(stage.decide(row, &DeliveryInput::Lost { leg, session }))
        })
        .collect();
    stage.done(writes).await;
    assert!(lost().await.is_empty());
    assert_eq!(stage.gate_row(gate).await.tally.flying, 5);
    assert_eq!(stage.gate_row(gate).await.tally.doubt, 2);
    assert!(threes.iter().all(|r| is_flying(&r.state, three)));

    // Two comes back from a long sleep: it is told, and its outcomes are late.
    assert!(!good(journal.beat(two).await));
    assert!(good(journal.beat(three).await));
}

/// **J10** Expiry of sessions is judged by the journal's clock, never by a caller's.
///
/// # Panics
/// If the journal breaks the clause.
pub async fn j10_the_journals_own_clock_judges_sessions<F, T>(make: F)
where
    F: Fn(Arc<dyn Clock>) -> T,
    T: Future<Output = Trial>,
{
    let stage = Stage::new(make).await;
    let gate = stage.gate("live", 20).await;
    let journal = stage.journal();
    let millisecond = Duration::from_millis(1);
    let session = stage.session().await;
    stage.clock.advance(MINUTE - millisecond);
    assert!(good(journal.beat(session).await), "alive to the last millisecond");
    stage.clock.advance(MINUTE - millisecond);
    // A caller whose clock is far ahead, or far behind, changes nothing about that.
    let want = [Want::new(gate, EMAIL, 2)];
    assert_eq!(good(journal.lease(session, &want, Moment::MAX).await).len(), 2);
    assert!(good(journal.lost(9).await).is_empty());

    // Another opener judges by its own.
    let ahead = ManualClock::starting_at(stage.clock.now() + MINUTE);
    if let Some(other) = stage.trial.beside(Arc::new(ahead)).await {
        assert_eq!(good(other.lost(9).await).len(), 2);
        assert!(!good(other.beat(session).await), "a session that is dead there cannot be beaten there");
    }

    stage.clock.advance(millisecond);
    let answer = journal.lease(session, &want, NOON).await;
    assert_eq!(answer.map_err(|e| e.kind), Err(JournalErrorKind::Fenced), "its time is over");
    assert!(!good(journal.beat(session).await), "a dead session does not come back");
    assert_eq!(good(journal.lost(9).await).len(), 2);
    assert_ne!(stage.session().await, session, "numbers are not used again");
}
