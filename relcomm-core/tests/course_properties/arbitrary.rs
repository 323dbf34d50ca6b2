//! Random paths, inputs and times.

use proptest::prelude::*;
use proptest::sample::select;
use relcomm_core::channel::{ErrorKind, Found};
use relcomm_core::clock::Moment;
use relcomm_core::communique::Indeterminate;
use relcomm_core::course::{Delivery, DeliveryFact, DeliveryInput, Finish, Path, PathStep, SessionNo};
use relcomm_core::id::LaneNo;
use relcomm_core::mechanism::Deduplication;
use relcomm_core::receipt::{Assurance, Evidence};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

pub(crate) const START: Moment = Moment::from_millis(1_800_000_000_000);
const HOUR: u64 = 3600;

/// Through JSON and back.
pub(crate) fn reread<T: Serialize + DeserializeOwned>(value: &T) -> T {
    let text = serde_json::to_string(value).expect("it can be written");
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

pub(crate) fn assurance() -> impl Strategy<Value = Assurance> {
    select(Assurance::ALL.to_vec())
}

fn seconds(most: u64) -> impl Strategy<Value = Duration> {
    prop_oneof![Just(0), Just(1), 0..most].prop_map(Duration::from_secs)
}

fn moment() -> impl Strategy<Value = Moment> {
    seconds(6 * HOUR).prop_map(|d| START + d)
}

pub(crate) fn kind() -> impl Strategy<Value = ErrorKind> {
    select(vec![ErrorKind::Unavailable, ErrorKind::RecipientInvalid, ErrorKind::Timeout, ErrorKind::Internal])
}

fn step(lane: u16) -> impl Strategy<Value = PathStep> {
    let deduplication = select(vec![Deduplication::None, Deduplication::ByKey, Deduplication::ByLookup]);
    let unless = proptest::option::of((assurance(), seconds(2 * HOUR)));
    let at_once = (proptest::bool::weighted(0.3), proptest::bool::weighted(0.2));
    (deduplication, unless, at_once).prop_map(move |(deduplication, unless, (is_joined, is_shared))| {
        let mut step = PathStep::new(LaneNo(lane), deduplication);
        step.is_shared = is_shared;
        match unless {
            // The condition stands on the first of those that are begun at once.
            _ if is_joined && lane > 0 => step.joined(),
            Some((assurance, within)) => step.unless(assurance, within),
            None => step,
        }
    })
}

pub(crate) fn path() -> impl Strategy<Value = Path> {
    let steps = (1..=4u16).prop_flat_map(|n| (0..n).map(step).collect::<Vec<_>>());
    let not_after = proptest::option::of(moment());
    (assurance(), steps, not_after, 1..=4u8, any::<bool>(), any::<u32>()).prop_map(
        |(informed_when, steps, not_after, tries, resend, salt)| {
            let mut path = Path::new(informed_when, steps);
            path.not_after = not_after;
            path.retries.tries = tries;
            path.retries.salt = salt;
            path.indeterminate = if resend { Indeterminate::Resend } else { Indeterminate::Hold };
            path
        },
    )
}

pub(crate) fn is_several(path: &Path) -> bool {
    path.steps.iter().any(|step| step.is_joined)
}

/// The first legs of a path.
pub(crate) fn begin(path: &Path) -> Delivery {
    let mut delivery = Delivery::default();
    for step in path.together(0) {
        let of = &path.steps[usize::from(step)];
        let rides = is_several(path) && of.is_shared;
        delivery.apply(&DeliveryFact::Begun { step, lane: of.lane, at: START, until: path.not_after, rides, round: 0 });
    }
    delivery
}

pub(crate) fn finish() -> impl Strategy<Value = Finish> {
    prop_oneof![
        4 => assurance().prop_map(Finish::Accepted),
        2 => (proptest::option::of(seconds(HOUR)), kind()).prop_map(|(after, kind)| Finish::Again { after, kind }),
        2 => kind().prop_map(Finish::Refused),
        1 => (moment(), kind()).prop_map(|(until, kind)| Finish::LaneFault { until, kind }),
        2 => kind().prop_map(Finish::Maybe),
        1 => Just(Finish::Returned),
    ]
}

pub(crate) fn found() -> impl Strategy<Value = Found> {
    prop_oneof![assurance().prop_map(Found::Found), Just(Found::Absent), Just(Found::Unknown)]
}

pub(crate) fn evidence() -> impl Strategy<Value = Evidence> {
    prop_oneof![
        3 => assurance().prop_map(Evidence::Reached),
        2 => Just(Evidence::Failed),
        1 => proptest::option::of(moment()).prop_map(|until| Evidence::Delayed { until }),
    ]
}

/// Legs that mostly exist, and some that do not.
pub(crate) fn leg() -> impl Strategy<Value = u8> {
    prop_oneof![4 => Just(0), 3 => Just(1), 2 => Just(2), 1 => Just(3), 1 => any::<u8>()]
}

fn session() -> impl Strategy<Value = SessionNo> {
    prop_oneof![5 => Just(SessionNo(1)), 1 => Just(SessionNo(2))]
}

fn input() -> impl Strategy<Value = DeliveryInput> {
    prop_oneof![
        6 => session().prop_map(DeliveryInput::Lease),
        6 => (leg(), session(), finish()).prop_map(|(leg, session, finish)| DeliveryInput::Finish { leg, session, finish }),
        1 => (leg(), session()).prop_map(|(leg, session)| DeliveryInput::Lost { leg, session }),
        1 => (leg(), finish()).prop_map(|(leg, finish)| DeliveryInput::Posted { leg, finish }),
        4 => Just(DeliveryInput::Tick),
        1 => Just(DeliveryInput::Stop),
        2 => Just(DeliveryInput::Retry),
        1 => leg().prop_map(|leg| DeliveryInput::Ask { leg, until: START + Duration::from_secs(HOUR) }),
        2 => (leg(), 0..3u8, found()).prop_map(|(leg, asked, found)| DeliveryInput::Answer { leg, asked, found }),
        3 => (leg(), evidence(), any::<bool>())
            .prop_map(|(leg, evidence, verified)| DeliveryInput::Receipt { leg, evidence, verified }),
    ]
}

/// Inputs, each so long after the one before.
pub(crate) fn inputs() -> impl Strategy<Value = Vec<(Duration, DeliveryInput)>> {
    proptest::collection::vec((seconds(HOUR / 2), input()), 0..60)
}
