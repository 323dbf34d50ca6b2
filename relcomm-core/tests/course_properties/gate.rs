//! Gates.

use crate::arbitrary::{START, reread};
use proptest::prelude::*;
use proptest::sample::select;
use relcomm_core::course::{Closed, Dependence, Embargo, Gate, GateFact, GateInput, GateRule, Phase, Remedy, Verdict};
use relcomm_core::release::Outcome;
use std::time::Duration;

fn dependence() -> impl Strategy<Value = Dependence> {
    select(vec![
        Dependence::Pending,
        Dependence::Met { at: START },
        Dependence::Moot { at: START },
        Dependence::Impossible,
    ])
}

fn outcome() -> impl Strategy<Value = Outcome> {
    select(Outcome::ALL.to_vec())
}

fn input() -> impl Strategy<Value = GateInput> {
    prop_oneof![
        2 => any::<bool>().prop_map(GateInput::Approve),
        3 => (outcome(), 0..3u64).prop_map(|(o, s)| GateInput::Declare(o, START + Duration::from_secs(s))),
        2 => any::<bool>().prop_map(GateInput::Hold),
        1 => Just(GateInput::Cancel),
        2 => Just(GateInput::Proceed),
        3 => (0..4u8, dependence()).prop_map(|(index, is)| GateInput::Dependence { index, is }),
        5 => Just(GateInput::Tick),
        3 => (0..5u32, any::<bool>()).prop_map(|(to, last)| GateInput::Rolled { to, last }),
        2 => Just(GateInput::Quiet),
        2 => Just(GateInput::Stir),
        1 => Just(GateInput::Call),
        1 => (1..3u32).prop_map(|number| GateInput::Slip { number }),
        1 => (0..5u32).prop_map(|entered| GateInput::Widen { entered }),
    ]
}

fn if_blocked() -> impl Strategy<Value = Option<(Duration, Remedy)>> {
    let remedy = select(vec![Remedy::Ask, Remedy::Proceed, Remedy::Close]);
    proptest::option::of((0..40u64, remedy).prop_map(|(after, remedy)| (Duration::from_secs(after), remedy)))
}

fn rule() -> impl Strategy<Value = GateRule> {
    let embargo = prop_oneof![
        4 => Just(None),
        2 => (0..150u64).prop_map(|s| Some(Embargo::Until(START + Duration::from_secs(s)))),
        1 => select(vec![Some(Embargo::Lift), Some(Embargo::Undetermined)]),
    ];
    let unsteady = proptest::option::weighted(0.2, Just(START + Duration::from_secs(900)));
    let times = (proptest::option::weighted(0.9, 0..100u64), proptest::option::of(50..200u64), embargo, unsteady);
    (outcome(), any::<bool>(), times, 0..3u8, if_blocked()).prop_map(
        |(outcome, awaits, (due, not_after, embargo, unsteady), dependencies, if_blocked)| {
            let after = |s| START + Duration::from_secs(s);
            let mut rule = GateRule::new(due.map(after), dependencies);
            rule.outcome = outcome;
            rule.awaits_declaration = awaits;
            rule.not_after = not_after.map(after);
            // Now and then one that goes out only when it is called.
            rule.revision = dependencies == 2;
            rule.if_blocked = if_blocked;
            (rule.embargo, rule.unsteady) = (embargo, unsteady);
            rule
        },
    )
}

fn take(gate: &mut Gate, rule: &GateRule, input: GateInput, second: u64) -> Vec<GateFact> {
    let facts = gate.decide(rule, &input, START + Duration::from_secs(second));
    for fact in &facts {
        gate.apply(fact);
    }
    facts.to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_state_is_the_fold_of_what_was_written_down_and_what_is_out_stays_out(
        rule in rule(),
        inputs in proptest::collection::vec((0..20u64, input()), 0..50),
    ) {
        let (mut gate, mut folded, mut now, mut opened) = (Gate::default(), Gate::default(), 0, 0);
        for (wait, input) in inputs {
            now += wait;
            let before = gate.clone();
            let facts = take(&mut gate, &rule, input, now);
            prop_assert_eq!(facts.is_empty(), before == gate);
            for fact in &facts {
                folded.apply(&reread(fact));
                opened += u32::from(matches!(fact, GateFact::Opened { .. }));
                if let GateFact::Opened { at, .. } = fact {
                    let allowed = before.approved && !before.held && rule.due.is_some_and(|due| due <= *at)
                        && rule.not_after.is_none_or(|last| *at <= last)
                        && rule.embargo.is_none_or(|embargo| {
                            matches!(embargo, Embargo::Until(end) if end <= *at) && rule.unsteady.is_none()
                        })
                        && (!rule.awaits_declaration || before.declared.is_some());
                    prop_assert!(allowed, "{:?}", before);
                    let impossible = before.dependencies.iter().take(usize::from(rule.dependencies));
                    let blocked = impossible.into_iter().any(|is| *is == Dependence::Impossible);
                    prop_assert!(!blocked || before.forced.is_some(), "{:?}", before);
                    prop_assert_eq!(before.verdict(&rule, *at), Verdict::Opens);
                }
                let expires = matches!(fact, GateFact::Closed(Closed::Expired));
                prop_assert!(!(expires && rule.unsteady.is_some()), "nothing expires by a clock that has jumped");
            }
            if let (Some(forced), Some((after, _))) = (gate.forced, rule.if_blocked) {
                prop_assert!(gate.blocked.is_some_and(|since| since + after <= forced), "{:?}", gate);
            }
            prop_assert!(gate.forced.is_none() || rule.if_blocked.is_some());
            prop_assert!(!gate.asks || matches!(rule.if_blocked, Some((_, Remedy::Ask))));
            prop_assert!(opened <= 1);
            prop_assert_eq!(gate.is_out(), opened == 1);
            if gate.leasable() {
                prop_assert!(gate.is_out() && gate.approved && !gate.held);
                prop_assert!(!matches!(gate.phase, Phase::Waiting | Phase::Closed(_)));
            }
            if let (Phase::Opening { cursor: a }, Phase::Opening { cursor: b }) = (before.phase, gate.phase) {
                prop_assert!(a <= b);
            }
            if let Phase::Closed(_) = before.phase {
                prop_assert_eq!(&gate, &before);
            }
        }
        prop_assert_eq!(&folded, &gate);
        prop_assert_eq!(reread(&gate), gate);
    }

    #[test]
    fn the_order_of_the_conditions_does_not_matter(
        rule in rule(),
        (one, other) in (any::<bool>(), any::<bool>(), outcome(), dependence(), dependence())
            .prop_flat_map(|(approved, held, outcome, first, second)| {
                let all = vec![
                    GateInput::Approve(approved),
                    GateInput::Hold(held),
                    GateInput::Declare(outcome, START),
                    GateInput::Dependence { index: 0, is: first },
                    GateInput::Dependence { index: 1, is: second },
                ];
                (Just(all.clone()), Just(all).prop_shuffle())
            }),
        now in 0..250u64,
    ) {
        let come_to = |inputs: &[GateInput]| {
            let mut gate = Gate::default();
            for input in inputs {
                take(&mut gate, &rule, *input, 0);
            }
            let verdict = gate.verdict(&rule, START + Duration::from_secs(now));
            take(&mut gate, &rule, GateInput::Tick, now);
            (verdict, gate)
        };
        prop_assert_eq!(come_to(&one), come_to(&other));
    }

    #[test]
    fn it_opens_with_the_last_condition_and_not_before(
        order in Just(vec![
            GateInput::Approve(true),
            GateInput::Hold(false),
            GateInput::Declare(Outcome::Success, START),
            GateInput::Dependence { index: 0, is: Dependence::Met { at: START } },
            GateInput::Dependence { index: 1, is: Dependence::Met { at: START } },
        ]).prop_shuffle(),
    ) {
        let rule = GateRule::new(Some(START), 2);
        let mut gate = Gate::default();
        take(&mut gate, &rule, GateInput::Hold(true), 0);
        for (n, input) in order.iter().enumerate() {
            take(&mut gate, &rule, *input, 0);
            take(&mut gate, &rule, GateInput::Tick, 0);
            prop_assert_eq!(gate.is_out(), n + 1 == order.len());
        }
        prop_assert!(gate.leasable());
    }
}
