//! The clauses about the course: states are folds, and what is not leasable rests.

use super::Trial;
use super::stage::{EMAIL, MINUTE, NOON, PAGER, Stage, delivery, facts, good, hold_all, ordinals, paging_first};
use crate::journal::assert_is_the_fold;
use relcomm_core::channel::ErrorKind;
use relcomm_core::clock::{Clock, Moment};
use relcomm_core::course::{DeliveryFact, DeliveryInput, Finish, GateFact, HeadFact, LaneFact, SessionNo};
use relcomm_core::id::{DeliveryId, GateNo, PlaceId};
use relcomm_core::journal::{Change, Committed, Entrant, ReceiptRecord, Run, Tally, Want, Write};
use relcomm_core::receipt::{Assurance, Evidence};
use relcomm_core::release::Outcome;
use std::sync::Arc;

/// The same numbers on every run and machine: Knuth's MMIX generator.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let high = u32::try_from(self.0 >> 33).unwrap_or_default();
        high % n
    }
}

/// **J2** A state is the fold of its stored facts, and a tally what a recount comes to.
///
/// # Panics
/// If the journal breaks the clause.
pub async fn j02_a_state_is_the_fold_of_its_stored_facts<F, T>(make: F)
where
    F: Fn(Arc<dyn Clock>) -> T,
    T: Future<Output = Trial>,
{
    let mut stage = Stage::new(make).await;
    let gates = [stage.opening("early").await, stage.opening("live").await];
    let mut dice = Dice(7);
    let mut session = stage.session().await;
    for step in 0..400 {
        stage.clock.advance(MINUTE * dice.below(8) / 10);
        let gate = gates[usize::from(dice.below(2) == 1)];
        if !good(stage.journal().beat(session).await) {
            session = stage.session().await;
        }
        walk(&stage, &mut dice, gate, session).await;
        if step % 50 == 49 {
            assert_is_the_fold(stage.journal(), &[]).await;
        }
        if step == 199 {
            let clock = Arc::new(stage.clock.clone());
            stage.trial.reopen(clock).await;
        }
    }
    let seen = stage.picture().await;
    let tallies: Vec<_> = seen.gates.iter().map(|g| g.tally).collect();
    let most = |count: fn(&Tally) -> u32| tallies.iter().map(count).max();
    // The walk went somewhere: otherwise the comparison would say little.
    assert!(most(|t| t.rows) > Some(50) && most(|t| t.doubt) > Some(0) && most(|t| t.flying) > Some(0), "{tallies:?}");
    assert!(most(|t| t.reached(Assurance::Acknowledged)) > Some(0), "{tallies:?}");
    assert!(seen.rows.iter().any(|r| r.state.legs.len() == 2) && seen.rows.iter().any(|r| r.state.end.is_some()));

    let clock = Arc::new(stage.clock.clone());
    let before = stage.picture().await;
    stage.trial.reopen(clock).await;
    assert_is_the_fold(stage.journal(), &[]).await;
    assert_eq!(stage.picture().await, before, "a record is the same when it is opened again");
}

/// One step of a walk through everything that writes.
async fn walk(stage: &Stage, dice: &mut Dice, gate: GateNo, session: SessionNo) {
    let journal = stage.journal();
    let row = stage.gate_row(gate).await;
    let now = stage.clock.now();
    let some = DeliveryId { gate, ordinal: dice.below(row.tally.rows.max(1)) };
    match dice.below(10) {
        0 => {
            let n = dice.below(6) + 1;
            let until = (dice.below(3) == 0).then(|| now + MINUTE * 3);
            let runs = vec![
                Run::new(n, 0, EMAIL, now + MINUTE * dice.below(2), until),
                Run::new(1, 1, PAGER, now, None),
                Run::new(1, 0, PAGER, now, None).riding(true),
                Run::new(1, 1, EMAIL, now + MINUTE, until).further(),
            ];
            let rolled = facts([GateFact::Rolled { to: row.tally.rows + n + 2, last: false }]);
            let who = vec![Entrant::default(); n as usize + 2];
            assert!(good(journal.enter(gate, row.version, rolled, runs, who).await));
        }
        1..=3 => {
            let wants = [Want::new(gate, EMAIL, 3), Want::new(gate, PAGER, 2)];
            good(journal.lease(session, &wants, now).await);
        }
        4..=6 => {
            let mut writes = Vec::new();
            for row in stage.rows(gate).await.iter().filter(|r| r.state.flying().is_some()).take(5) {
                let finish = match dice.below(6) {
                    0 => Finish::Again { after: None, kind: ErrorKind::Unavailable },
                    1 => Finish::Refused(ErrorKind::RecipientInvalid),
                    2 => Finish::Maybe(ErrorKind::Timeout),
                    3 => Finish::Returned,
                    _ => Finish::Accepted(Assurance::Accepted),
                };
                writes.push(stage.finish(row, finish));
            }
            stage.done(writes).await;
        }
        7 if row.tally.rows > 0 => {
            let found = stage.row(some).await;
            let evidence = match dice.below(4) {
                0 => Evidence::Failed,
                1 => Evidence::Reached(Assurance::Acknowledged),
                2 => Evidence::Delayed { until: Some(now + MINUTE) },
                _ => Evidence::Reached(Assurance::Delivered),
            };
            let input = DeliveryInput::Receipt { leg: 0, evidence, verified: dice.below(4) > 0 };
            let identity = format!("{}", dice.below(200));
            let write = stage.decide(&found, &input).receipt(Some(ReceiptRecord::new(identity, vec![])));
            let stale = delivery(some, found.version + 9, [DeliveryFact::Failed { leg: 0 }]);
            let answers = good(journal.commit(vec![stale, write]).await);
            assert_eq!(answers.first(), Some(&Committed::Conflict));
        }
        8 => {
            let mut writes = Vec::new();
            for row in good(journal.timers(now, 9).await) {
                writes.push(stage.decide(&row, &DeliveryInput::Tick));
            }
            for row in good(journal.lost(9).await) {
                if let Some((leg, session)) = row.state.flying() {
                    writes.push(stage.decide(&row, &DeliveryInput::Lost { leg, session }));
                }
            }
            good(journal.commit(writes).await);
        }
        _ => {
            let (version, head) = good(journal.head().await);
            let place = PlaceId::new("eu").unwrap_or_else(|error| panic!("{error}"));
            let declared = HeadFact::Declared { place, outcome: Outcome::Success, at: now };
            let lane = good(journal.lanes().await).swap_remove(usize::from(dice.below(2) == 1));
            let down = LaneFact::Down { until: now + MINUTE, faults: 1 };
            let fact = if dice.below(2) == 0 { down } else { LaneFact::Up };
            let mut writes = vec![
                Write::new(
                    Change::Head(vec![declared, HeadFact::Held { communique: None, held: !head.held }]),
                    version,
                ),
                Write::new(Change::Lane(lane.no, fact), lane.version),
            ];
            if dice.below(3) == 0 {
                // What is done together with a stale write leaves no trace.
                writes.push(hold_all(version + 5, true));
            }
            let whole = writes.len() == 2;
            assert_eq!(good(journal.commit_together(writes).await), whole);
        }
    }
}

/// **J5** `timers`, `ready` and `next_due` pass over deliveries of gates that are not leasable.
///
/// # Panics
/// If the journal breaks the clause.
pub async fn j05_what_is_not_leasable_is_passed_over<F, T>(make: F)
where
    F: Fn(Arc<dyn Clock>) -> T,
    T: Future<Output = Trial>,
{
    let mut stage = Stage::new(make).await;
    let at = |minutes: u32| NOON + MINUTE * minutes;
    let after = |m: Moment| Moment::from_millis(m.millis() + 1);
    let runs = |shift: u32| {
        vec![
            Run::new(2, 0, EMAIL, NOON, None),
            Run::new(2, 0, EMAIL, at(10 + shift), Some(at(20 + shift))),
            Run::new(1, 0, PAGER, at(5 + shift), None),
        ]
    };
    let (first, second) = (stage.gate_of("first", runs(0)).await, stage.gate_of("second", runs(2)).await);
    let due = |now| {
        let journal = stage.journal();
        async move { good(journal.next_due(now).await) }
    };

    // Ready: on this gate and lane, due by now.
    let journal = stage.journal();
    let ready = |gate, lane, now, max| async move { ordinals(&good(journal.ready(gate, lane, now, max).await)) };
    assert_eq!(ready(first, EMAIL, NOON, 9).await, [0, 1]);
    assert_eq!(ready(first, EMAIL, at(10), 9).await, [0, 1, 2, 3]);
    assert_eq!(ready(first, EMAIL, at(10), 3).await.len(), 3);
    assert!(ready(first, PAGER, NOON, 9).await.is_empty());
    assert_eq!(ready(first, PAGER, at(5), 9).await, [4]);
    assert!(ready(GateNo(9), EMAIL, at(10), 9).await.is_empty());

    // Next due: strictly after now, of legs and timers alike. A window that is over is a timer a millisecond later.
    for (now, next) in [
        (NOON, at(5)),
        (at(5), at(7)),
        (at(7), at(10)),
        (at(10), at(12)),
        (at(12), after(at(20))),
        (after(at(20)), after(at(22))),
    ] {
        assert_eq!(due(now).await, Some(next), "after {now}");
    }
    assert_eq!(due(after(at(22))).await, None);

    // Timers: the earliest first, over all gates.
    stage.clock.set(at(11));
    let posted = DeliveryInput::Posted { leg: 0, finish: Finish::Accepted(Assurance::Accepted) };
    let row = stage.row(DeliveryId { gate: second, ordinal: 4 }).await;
    let facts = row.state.decide(&paging_first(), &posted, at(11));
    stage.done(vec![delivery(row.id, row.version, facts)]).await;
    let ids =
        |rows: Vec<relcomm_core::journal::Row>| rows.iter().map(|r| (r.id.gate, r.id.ordinal)).collect::<Vec<_>>();
    assert!(good(journal.timers(at(20), 9).await).is_empty());
    let all = [(first, 2), (first, 3), (second, 4), (second, 2), (second, 3)];
    assert_eq!(ids(good(journal.timers(at(30), 9).await)), all);
    assert_eq!(ids(good(journal.timers(at(30), 3).await)), all.get(..3).unwrap_or_default());
    assert_eq!(ids(good(journal.timers(at(21), 9).await)), all.get(..3).unwrap_or_default());

    // Held: it rests, wherever it is asked. The other goes on.
    stage.on_gate(first, GateFact::Held(true)).await;
    assert!(ready(first, EMAIL, at(30), 9).await.is_empty());
    assert_eq!(ids(good(journal.timers(at(30), 9).await)), all.get(2..).unwrap_or_default());
    assert_eq!(ids(good(journal.timers(at(30), 1).await)), [(second, 4)], "the earliest, not the first");
    assert_eq!(due(NOON).await, Some(at(12)));
    let clock = Arc::new(stage.clock.clone());
    stage.trial.reopen(clock).await;
    let journal = stage.journal();
    assert_eq!(good(journal.next_due(NOON).await), Some(at(12)));
    stage.on_gate(second, GateFact::Approved(false)).await;
    assert!(good(journal.timers(at(30), 9).await).is_empty());
    assert_eq!(good(journal.next_due(NOON).await), None);
    // Let go, it stands where it stood.
    stage.on_gate(first, GateFact::Held(false)).await;
    assert_eq!(ids(good(journal.timers(at(30), 9).await)), all.get(..2).unwrap_or_default());
    assert_eq!(good(journal.next_due(NOON).await), Some(at(5)));
}
