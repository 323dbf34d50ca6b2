//! Lanes.

use crate::arbitrary::{START, reread};
use proptest::prelude::*;
use relcomm_core::channel::ErrorKind;
use relcomm_core::course::{Lane, LaneInput, Retries};
use std::time::Duration;

fn input() -> impl Strategy<Value = LaneInput> {
    prop_oneof![
        3 => Just(LaneInput::Works),
        1 => Just(LaneInput::Idle),
        4 => proptest::option::of((0..500u64).prop_map(Duration::from_secs)).prop_map(LaneInput::Fault),
        1 => Just(LaneInput::Bar(ErrorKind::Authentication)),
        6 => Just(LaneInput::Tick),
        1 => Just(LaneInput::Mended),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_lane_that_is_down_lets_nothing_through_and_a_probed_one_a_single_attempt(
        inputs in proptest::collection::vec((0..200u64, input()), 0..60),
        most in 0..100u32,
        salt in any::<u32>(),
    ) {
        let mut retries = Retries::default();
        retries.salt = salt;
        let (mut lane, mut folded, mut now) = (Lane::default(), Lane::default(), START);
        for (wait, input) in inputs {
            now = now + Duration::from_secs(wait);
            let before = lane;
            if let Some(fact) = lane.decide(&retries, &input, now) {
                lane.apply(&fact);
                folded.apply(&reread(&fact));
            }
            prop_assert_eq!(lane, folded);
            prop_assert_eq!(reread(&lane), lane);
            let permits = lane.permits(most);
            match lane {
                Lane::Up => prop_assert_eq!(permits, most),
                Lane::Probing { .. } => prop_assert_eq!(permits, most.min(1)),
                Lane::Down { until, faults } => {
                    prop_assert_eq!(permits, 0);
                    prop_assert!(faults > 0 && lane.timer() == Some(until));
                    if lane != before {
                        prop_assert!(until >= now);
                    }
                    if let LaneInput::Fault(Some(after)) = input {
                        prop_assert!(until >= now + after, "the far side's own wait is kept");
                    }
                    if let Lane::Down { until: was, .. } = before {
                        prop_assert!(until >= was, "a wait is never cut short by a fault");
                    }
                }
                Lane::Barred { .. } => prop_assert_eq!(permits, 0),
            }
            match before {
                Lane::Barred { .. } => prop_assert!(lane == before || input == LaneInput::Mended),
                Lane::Down { until, .. } if lane == Lane::Up => prop_assert_eq!(input, LaneInput::Mended, "{}", until),
                Lane::Down { until, .. } if matches!(lane, Lane::Probing { .. }) => prop_assert!(now >= until),
                _ => {}
            }
        }
    }
}
