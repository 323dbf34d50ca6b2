//! Deliveries.

use crate::arbitrary::{START, begin, evidence, finish, found, inputs, is_several, path, reread};
use proptest::prelude::*;
use relcomm_core::channel::{ErrorKind, Found};
use relcomm_core::clock::Moment;
use relcomm_core::course::{
    Delivery, DeliveryFact, DeliveryInput, End, Finish, Leg, Path, PathStep, SessionNo, Shut, Stage,
};
use relcomm_core::id::LaneNo;
use relcomm_core::mechanism::Deduplication;
use relcomm_core::receipt::{Assurance, Evidence};
use std::collections::BTreeMap;
use std::time::Duration;

/// A run of inputs: after each the state, what led there, and when.
fn run(
    path: &Path,
    inputs: &[(Duration, DeliveryInput)],
    mut see: impl FnMut(&Delivery, &DeliveryInput, &[DeliveryFact], &Delivery, Moment),
) -> Delivery {
    let mut state = begin(path);
    let mut now = START;
    for (wait, input) in inputs {
        now = now + *wait;
        let before = state.clone();
        let facts = state.decide(path, input, now);
        for fact in &facts {
            state.apply(fact);
        }
        see(&before, input, &facts, &state, now);
    }
    state
}

fn is_under_way(stage: Stage) -> bool {
    matches!(stage, Stage::Ready { .. } | Stage::Flying { .. })
}

fn hear(path: &Path, state: &Delivery, receipts: &[(u8, Evidence)], now: Moment) -> Delivery {
    let mut state = state.clone();
    for (leg, evidence) in receipts {
        let input = DeliveryInput::Receipt { leg: *leg, evidence: *evidence, verified: true };
        for fact in state.decide(path, &input, now) {
            state.apply(&fact);
        }
    }
    state
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_state_is_the_fold_of_what_was_written_down(path in path(), inputs in inputs()) {
        let mut written: Vec<String> = Vec::new();
        let state = run(&path, &inputs, |_, _, facts, _, _| {
            written.extend(facts.iter().map(|f| serde_json::to_string(f).unwrap()));
        });
        let mut folded = begin(&path);
        for line in &written {
            folded.apply(&serde_json::from_str(line).unwrap());
        }
        prop_assert_eq!(&folded, &state);
        prop_assert_eq!(reread(&state), state);
    }

    #[test]
    fn nothing_is_begun_after_the_end_or_the_bound_and_one_leg_flies_at_a_time(path in path(), inputs in inputs()) {
        run(&path, &inputs, |before, input, facts, after, now| {
            assert!(after.legs.len() >= before.legs.len());
            let flying = after.legs.iter().filter(|l| matches!(l.stage, Stage::Flying { .. })).count();
            assert!(flying <= 1 && (flying == 0 || after.ready_leg().is_none()), "{after:?}");
            if !is_several(&path) {
                assert!(after.legs.iter().filter(|l| is_under_way(l.stage)).count() <= 1, "{after:?}");
            }
            let mut ended = before.end.is_some();
            for fact in facts {
                match fact {
                    DeliveryFact::Started { .. } | DeliveryFact::Begun { .. } => {
                        assert!(!ended, "{input:?} {facts:?}");
                        assert!(path.not_after.is_none_or(|last| now <= last), "{input:?} {facts:?}");
                    }
                    DeliveryFact::Again { .. } => assert!(!ended, "{input:?} {facts:?}"),
                    DeliveryFact::Ended(_) => ended = true,
                    DeliveryFact::Reopened => ended = false,
                    _ => {}
                }
            }
            for leg in &after.legs {
                if let Stage::Ready { until, .. } = leg.stage {
                    assert_eq!(until, path.not_after);
                    assert_eq!(after.end, None);
                }
            }
            if facts.is_empty() {
                assert_eq!(before, after);
            }
        });
    }

    #[test]
    fn what_is_proved_falls_only_through_failure(path in path(), inputs in inputs()) {
        run(&path, &inputs, |before, _, facts, after, _| {
            let failed = facts.iter().any(|f| matches!(f, DeliveryFact::Failed { .. }));
            assert!(failed || after.best() >= before.best());
            let accepted = facts.iter().any(|f| matches!(f, DeliveryFact::Accepted { .. } | DeliveryFact::Proved { .. } | DeliveryFact::Started { .. }));
            assert!(accepted || after.best() <= before.best());
            // A delivery that ended because the goal was reached has it, until it is opened again.
            if after.end == Some(End::Reached) {
                assert!(after.best() >= Some(path.informed_when));
                assert!(after.best() >= Some(path.pursue()));
            }
            // That an attempt was begun ends nothing, even where nothing more is asked: it may yet be refused.
            if after.end.is_none() && path.pursue() > Assurance::Attempted {
                // Of several at once each is tried first, unless somebody has answered.
                let untried = |l: &Leg| matches!(l.stage, Stage::Ready { .. }) && l.tries == 0;
                let flies = |l: &Leg| matches!(l.stage, Stage::Flying { .. });
                let waits = is_several(&path)
                    && (after.legs.iter().any(flies)
                        || after.best() < Some(Assurance::Acknowledged) && after.legs.iter().any(untried));
                assert!(waits || after.best() < Some(path.pursue()), "reached and not ended: {path:?} {after:?}");
            }
        });
    }

    #[test]
    fn tries_are_bounded(path in path(), inputs in inputs()) {
        let mut started: BTreeMap<u8, usize> = BTreeMap::new();
        let mut uncounted: BTreeMap<u8, usize> = BTreeMap::new();
        let mut rounds = 1;
        run(&path, &inputs, |_, input, facts, after, _| {
            rounds += usize::from(*input == DeliveryInput::Retry && !facts.is_empty());
            if let DeliveryInput::Finish { leg, finish: Finish::LaneFault { .. } | Finish::Returned, .. }
            | DeliveryInput::Posted { leg, finish: Finish::LaneFault { .. } | Finish::Returned } = input
                && !facts.is_empty()
            {
                *uncounted.entry(*leg).or_default() += 1;
            }
            for fact in facts {
                if let DeliveryFact::Started { leg, .. } = fact {
                    *started.entry(*leg).or_default() += 1;
                }
            }
            let begun = |step: u8| after.legs.iter().filter(|l| l.step == step).count();
            assert!(after.legs.iter().all(|l| begun(l.step) <= rounds), "a step is begun once, and once more each time that somebody wants it");
            assert!(after.legs.iter().all(|l| l.asked <= path.retries.tries));
        });
        for (leg, n) in started {
            prop_assert!(n <= usize::from(path.retries.tries) + uncounted.get(&leg).copied().unwrap_or(0), "leg {}: {}", leg, n);
        }
    }

    #[test]
    fn an_unverified_receipt_is_noted_and_no_more(path in path(), inputs in inputs(), evidence in evidence(), wait in 0..9000u64) {
        let state = run(&path, &inputs, |_, _, _, _, _| {});
        let now = START + Duration::from_secs(wait);
        for leg in 0..u8::try_from(state.legs.len()).unwrap() {
            let facts = state.decide(&path, &DeliveryInput::Receipt { leg, evidence, verified: false }, now);
            prop_assert_eq!(&facts[..], &[DeliveryFact::Noted { leg }]);
            let mut after = state.clone();
            after.apply(&facts[0]);
            prop_assert_eq!(&after, &state);
        }
    }

    #[test]
    fn receipts_commute_and_count_once(
        path in path(),
        inputs in inputs(),
        (first, second) in proptest::collection::vec((0..4u8, evidence()), 1..8)
            .prop_flat_map(|all| (Just(all.clone()), Just([all.clone(), all].concat()).prop_shuffle())),
    ) {
        let state = run(&path, &inputs, |_, _, _, _, _| {});
        let legs = state.legs.len();
        let exists = |r: &&(u8, Evidence)| usize::from(r.0) < legs;
        let first: Vec<_> = first.iter().filter(exists).copied().collect();
        let second: Vec<_> = second.iter().filter(exists).copied().collect();
        let now = START + Duration::from_secs(40 * 3600);
        let (one, other) = (hear(&path, &state, &first, now), hear(&path, &state, &second, now));
        prop_assert_eq!(one.best(), other.best());
        let proved = |d: &Delivery| d.legs[..legs].iter().map(|l| (l.sure, l.failed)).collect::<Vec<_>>();
        prop_assert_eq!(proved(&one), proved(&other));
        prop_assert_eq!(one.told_or_perhaps(), other.told_or_perhaps());
        for (leg, evidence) in &first {
            if let Evidence::Reached(sure) = evidence {
                prop_assert!(one.legs[usize::from(*leg)].sure >= Some(*sure));
            }
        }
    }

    #[test]
    fn a_receipt_may_overtake_the_outcome_of_an_attempt_that_is_lost(
        path in path(),
        sure in proptest::sample::select(Assurance::ALL[1..].to_vec()),
    ) {
        let flying = {
            let mut state = begin(&path);
            state.apply(&DeliveryFact::Started { leg: 0, session: SessionNo(1) });
            state
        };
        let lost = DeliveryInput::Lost { leg: 0, session: SessionNo(1) };
        let receipt = DeliveryInput::Receipt { leg: 0, evidence: Evidence::Reached(sure), verified: true };
        let take = |inputs: [&DeliveryInput; 2]| {
            let mut state = flying.clone();
            for input in inputs {
                for fact in state.decide(&path, input, START) {
                    state.apply(&fact);
                }
            }
            state
        };
        let (before, after) = (take([&receipt, &lost]), take([&lost, &receipt]));
        prop_assert!(!before.in_doubt() && !after.in_doubt(), "what is proved is not in doubt");
        prop_assert_eq!(before.best(), after.best());
        prop_assert_eq!(before.end, after.end);
    }

    #[test]
    fn refused_by_every_step_it_ends_exhausted_with_every_step_begun_in_order(path in path()) {
        let mut path = path;
        path.not_after = None;
        let mut state = begin(&path);
        let mut begun: Vec<usize> = path.together(0).map(usize::from).collect();
        for _ in 0..path.steps.len() {
            let Some((leg, lane, at, _)) = state.ready_leg() else { break };
            prop_assert_eq!(lane, path.steps[usize::from(leg)].lane);
            let inputs = [
                DeliveryInput::Lease(SessionNo(1)),
                DeliveryInput::Finish { leg, session: SessionNo(1), finish: Finish::Refused(ErrorKind::RecipientInvalid) },
            ];
            for input in inputs {
                for fact in state.decide(&path, &input, at) {
                    state.apply(&fact);
                    if let DeliveryFact::Begun { step, .. } = fact {
                        begun.push(usize::from(step));
                    }
                }
            }
        }
        prop_assert_eq!(state.end, Some(End::Exhausted));
        prop_assert_eq!(begun, (0..path.steps.len()).collect::<Vec<_>>());
    }

    #[test]
    fn steps_begun_at_once_are_begun_together_and_each_is_tried_before_it_is_stopped(path in path(), inputs in inputs()) {
        let mut retried = 0;
        run(&path, &inputs, |before, input, facts, after, now| {
            retried += usize::from(*input == DeliveryInput::Retry && !facts.is_empty());
            let steps: Vec<u8> = after.legs.iter().map(|l| l.step).collect();
            assert_eq!(steps.windows(2).filter(|pair| pair[0] >= pair[1]).count(), retried, "{steps:?}");
            for leg in &after.legs {
                let in_time = |n: &u8| path.is_in_time(path.slot(*n, now).0);
                let together: Vec<u8> = path.together(leg.step).filter(|n| steps.contains(n) || in_time(n)).collect();
                assert!(together.iter().all(|n| steps.contains(n)) || before.legs.len() == after.legs.len(), "{after:?}");
            }
            let best = after.best();
            let last = path.together(*steps.last().unwrap());
            // Whoever is erased is not tried to be reached.
            for fact in facts.iter().filter(|_| *input != DeliveryInput::Stop) {
                if let DeliveryFact::Shut { leg, why: Shut::Stopped } = fact {
                    let of = &before.legs.get(usize::from(*leg));
                    // A post that was tried for several is a try of each that shares it.
                    let is_posted = matches!(*input, DeliveryInput::Posted { leg: of, .. } if of == *leg);
                    let untried = !is_posted && of.is_some_and(|l| l.tries == 0 && matches!(l.stage, Stage::Ready { .. }));
                    let at_once = last.len() > 1 && of.is_some_and(|l| last.contains(&l.step));
                    assert!(!(untried && at_once) || best >= Some(Assurance::Acknowledged), "{path:?} {before:?} {facts:?}");
                }
            }
        });
    }

    #[test]
    fn a_retry_begins_again_only_what_nobody_was_told_by(path in path(), inputs in inputs()) {
        run(&path, &inputs, |before, input, facts, after, _| {
            if *input != DeliveryInput::Retry || facts.is_empty() {
                return;
            }
            assert!(before.end.is_some() && !before.told_or_perhaps(), "{before:?}");
            assert_eq!(facts[0], DeliveryFact::Reopened);
            assert!(facts[1..].iter().all(|f| matches!(f, DeliveryFact::Begun { step, .. } if path.together(0).contains(step))), "{facts:?}");
            assert!(facts.len() > 1 && after.end.is_none(), "{after:?}");
            // What was tried before stays as it was.
            assert_eq!(after.legs[..before.legs.len()], before.legs[..]);
        });
    }

    #[test]
    fn a_retry_of_what_is_refused_each_time_takes_the_same_steps_again(path in path(), times in 1..4usize) {
        let mut path = path;
        path.not_after = None;
        let mut state = begin(&path);
        let mut begun = Vec::new();
        for _ in 0..=times {
            while let Some((leg, _, at, _)) = state.ready_leg() {
                for input in [
                    DeliveryInput::Lease(SessionNo(1)),
                    DeliveryInput::Finish { leg, session: SessionNo(1), finish: Finish::Refused(ErrorKind::RecipientInvalid) },
                ] {
                    state.decide(&path, &input, at).iter().for_each(|fact| state.apply(fact));
                }
            }
            begun.push(state.legs.iter().map(|leg| leg.step).collect::<Vec<u8>>().split_off(begun.iter().map(Vec::len).sum()));
            state.decide(&path, &DeliveryInput::Retry, START).iter().for_each(|fact| state.apply(fact));
        }
        prop_assert!(begun.iter().all(|steps| *steps == begun[0]), "{:?}", begun);
        prop_assert_eq!(begun[0].len(), path.steps.len());
    }

    #[test]
    fn left_to_itself_it_comes_to_rest(
        path in path(),
        outcomes in proptest::collection::vec(finish(), 1..12),
        answers in proptest::collection::vec(found(), 1..6),
    ) {
        let mut state = begin(&path);
        let (mut now, mut turns) = (START, 0usize);
        let mut outcomes = outcomes.into_iter();
        let mut answers = answers.into_iter();
        loop {
            turns += 1;
            prop_assert!(turns < 400, "it never rests: {:?}", state);
            let ready = state.ready_leg().map(|(_, _, at, _)| at);
            let Some(next) = ready.into_iter().chain(state.timer()).min() else { break };
            now = now.max(next);
            let mut inputs = vec![DeliveryInput::Tick, DeliveryInput::Lease(SessionNo(1))];
            for (leg, n) in state.legs.iter().zip(0u8..) {
                if let Stage::Doubt { query_at: Some(at) } = leg.stage && at <= now {
                    let (asked, found) = (leg.asked + 1, answers.next().unwrap_or(Found::Unknown));
                    inputs.push(DeliveryInput::Ask { leg: n, until: now + Duration::from_secs(60) });
                    inputs.push(DeliveryInput::Answer { leg: n, asked, found });
                }
            }
            for input in inputs {
                for fact in state.decide(&path, &input, now) {
                    state.apply(&fact);
                }
            }
            if let Some((leg, session)) = state.flying() {
                let finish = outcomes.next().unwrap_or(Finish::Again { after: None, kind: ErrorKind::Unavailable });
                for fact in state.decide(&path, &DeliveryInput::Finish { leg, session, finish }, now) {
                    state.apply(&fact);
                }
            }
        }
        let waits = state.legs.iter().any(|l| matches!(l.stage, Stage::Awaiting { .. } | Stage::Doubt { .. }));
        prop_assert!(state.end.is_some() || waits, "stuck: {:?}", state);
    }

    #[test]
    fn a_far_side_cannot_put_the_next_step_off_for_ever(waits in proptest::collection::vec(0..100_000u64, 1..40)) {
        let mut path = Path::new(Assurance::Delivered, vec![
            PathStep::new(LaneNo(0), Deduplication::None),
            PathStep::new(LaneNo(1), Deduplication::None).unless(Assurance::Delivered, Duration::from_secs(3600)),
        ]);
        path.not_after = None;
        let mut state = begin(&path);
        state.apply(&DeliveryFact::Started { leg: 0, session: SessionNo(1) });
        let finish = Finish::Accepted(Assurance::Accepted);
        for fact in state.decide(&path, &DeliveryInput::Finish { leg: 0, session: SessionNo(1), finish }, START) {
            state.apply(&fact);
        }
        let receipts: Vec<_> =
            waits.iter().map(|s| (0, Evidence::Delayed { until: Some(START + Duration::from_secs(*s)) })).collect();
        let state = hear(&path, &state, &receipts, START);
        let most = waits.iter().copied().max().unwrap_or(0).clamp(3600, 7200);
        prop_assert_eq!(state.timer(), Some(START + Duration::from_secs(most)));
    }
}

/// How it stands with the fallback when the first is proved.
#[derive(PartialEq)]
enum Second {
    Ready,
    Flying,
    /// Its far side has asked for half an hour.
    Resting,
}

/// A delivery whose first leg was accepted and not handed on within the hour, so that its second was begun; then it was, after all,
/// which ended the delivery, and at last it came back.
fn comes_back(second: Second) -> (Delivery, Delivery) {
    let step = |n| PathStep::new(LaneNo(n), Deduplication::None).unless(Assurance::Relayed, Duration::from_secs(3600));
    let path = Path::new(Assurance::Relayed, vec![step(0), step(1), step(2)]);
    let mut state = begin(&path);
    let mut take = |input: DeliveryInput, minutes: u64| {
        for fact in state.decide(&path, &input, START + Duration::from_secs(60 * minutes)) {
            state.apply(&fact);
        }
        state.clone()
    };
    let receipt = |evidence| DeliveryInput::Receipt { leg: 0, evidence, verified: true };
    let finish = Finish::Accepted(Assurance::Accepted);
    take(DeliveryInput::Lease(SessionNo(1)), 0);
    take(DeliveryInput::Finish { leg: 0, session: SessionNo(1), finish }, 0);
    assert_eq!(take(DeliveryInput::Tick, 60).ready_leg().map(|r| r.0), Some(1));
    if second != Second::Ready {
        take(DeliveryInput::Lease(SessionNo(1)), 60);
    }
    if second == Second::Resting {
        let finish = Finish::Again { after: Some(Duration::from_secs(1800)), kind: ErrorKind::RateLimited };
        take(DeliveryInput::Finish { leg: 1, session: SessionNo(1), finish }, 60);
    }
    let ended = take(receipt(Evidence::Reached(Assurance::Relayed)), 61);
    assert_eq!(ended.end, Some(End::Reached));
    (ended, take(receipt(Evidence::Failed), 62))
}

#[test]
fn a_fallback_that_was_stopped_is_taken_up_again_when_what_stopped_it_comes_back() {
    let (ended, again) = comes_back(Second::Ready);
    assert!(matches!(ended.legs[1].stage, Stage::Shut { why: Shut::Stopped, .. }));
    assert_eq!(again.end, None);
    assert_eq!(again.ready_leg().map(|r| (r.0, r.1)), Some((1, LaneNo(1))));
    assert_eq!(again.legs.len(), 2);
}

#[test]
fn a_far_side_that_asked_for_time_has_it_although_the_fallback_was_stopped_meanwhile() {
    let (ended, again) = comes_back(Second::Resting);
    assert_eq!(ended.ready_leg(), None);
    let at = |minutes: u64| START + Duration::from_secs(60 * minutes);
    assert_eq!(again.ready_leg().map(|r| (r.0, r.2)), Some((1, at(90))));
}

#[test]
fn a_fallback_that_is_still_flying_keeps_the_next_step_waiting() {
    let (_, again) = comes_back(Second::Flying);
    assert_eq!(again.end, None);
    assert_eq!(again.flying(), Some((1, SessionNo(1))));
    assert_eq!((again.legs.len(), again.ready_leg()), (2, None));
}

#[test]
fn what_was_delivered_was_told_although_it_came_back_and_what_was_only_accepted_was_not() {
    let path = Path::new(Assurance::Acknowledged, vec![PathStep::new(LaneNo(0), Deduplication::None)]);
    for (proved, told) in [(Assurance::Accepted, false), (Assurance::Relayed, false), (Assurance::Delivered, true)] {
        let mut state = begin(&path);
        state.apply(&DeliveryFact::Started { leg: 0, session: SessionNo(1) });
        state.apply(&DeliveryFact::Accepted { leg: 0, sure: proved, waiting: None });
        assert!(state.told_or_perhaps(), "{proved}");
        state.apply(&DeliveryFact::Failed { leg: 0 });
        assert_eq!(state.told_or_perhaps(), told, "{proved}");
    }
}

#[test]
fn nothing_is_due_of_what_has_ended_but_a_look_at_what_is_in_doubt() {
    let mut path = Path::new(Assurance::Accepted, vec![PathStep::new(LaneNo(0), Deduplication::None)]);
    path.not_after = Some(START + Duration::from_secs(60));
    let mut state = begin(&path);
    assert_eq!(state.timer(), Some(Moment::from_millis(START.millis() + 60_001)));
    state.apply(&DeliveryFact::Ended(End::Expired));
    assert_eq!(state.timer(), None);
}

#[test]
fn a_chain_that_has_moved_on_does_not_move_on_again_when_the_time_is_over() {
    let step = |n| PathStep::new(LaneNo(n), Deduplication::None);
    let last = step(2).unless(Assurance::Displayed, Duration::from_secs(3600));
    let mut path = Path::new(Assurance::Accepted, vec![step(0), step(1).joined(), last]);
    path.retries.tries = 1;
    let mut state = begin(&path);
    let session = SessionNo(1);
    let finish = |leg, finish| DeliveryInput::Finish { leg, session, finish };
    for (input, minutes) in [
        (DeliveryInput::Lease(session), 0),
        (DeliveryInput::Lease(session), 0),
        (finish(1, Finish::Accepted(Assurance::Delivered)), 0),
        (DeliveryInput::Receipt { leg: 1, evidence: Evidence::Failed, verified: true }, 1),
        (finish(0, Finish::Again { after: None, kind: ErrorKind::Unavailable }), 2),
        (DeliveryInput::Tick, 60),
    ] {
        for fact in state.decide(&path, &input, START + Duration::from_secs(60 * minutes)) {
            state.apply(&fact);
        }
    }
    assert_eq!(state.legs.iter().map(|leg| leg.step).collect::<Vec<_>>(), [0, 1, 2]);
}
