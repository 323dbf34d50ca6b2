//! What was declared, for a place and for the release.

use crate::arbitrary::START;
use relcomm_core::clock::Moment;
use relcomm_core::course::{Head, HeadFact};
use relcomm_core::id::PlaceId;
use relcomm_core::release::Outcome;
use std::time::Duration;

fn place(id: &str) -> PlaceId {
    PlaceId::new(id).unwrap()
}

fn at(second: u64) -> Moment {
    START + Duration::from_secs(second)
}

/// A place, how it went there, and as of which second.
type Declared = (&'static str, Outcome, u64);

/// What was declared, and what the release came to.
type Case = (&'static [Declared], Option<(Outcome, u64)>);

fn head(declared: &[Declared]) -> Head {
    let mut head = Head::default();
    for (id, outcome, second) in declared {
        head.apply(&HeadFact::Declared { place: place(id), outcome: *outcome, at: at(*second) });
    }
    head
}

#[test]
fn a_place_speaks_for_itself_and_the_release_once_every_place_has_spoken() {
    use Outcome::{Begun, Failure, Halted, RolledBack, Success};
    let places = [place("eu"), place("us")];
    let cases: &[Case] = &[
        (&[], None),
        (&[("eu", Success, 1)], None),
        (&[("eu", Success, 1), ("us", Begun, 2)], None),
        (&[("eu", Begun, 1), ("us", Begun, 2)], None),
        (&[("eu", Success, 1), ("us", Success, 2)], Some((Success, 2))),
        (&[("us", Success, 2), ("eu", Success, 1)], Some((Success, 2))),
        (&[("eu", Success, 1), ("us", Failure, 2)], Some((Success, 2))),
        (&[("eu", Failure, 3), ("us", Success, 2)], Some((Success, 3))),
        (&[("eu", Failure, 1), ("us", Halted, 2)], Some((Halted, 2))),
        (&[("eu", Failure, 5), ("us", Halted, 2)], Some((Failure, 5))),
        (&[("eu", Success, 1), ("us", Success, 2), ("eu", RolledBack, 3)], Some((Success, 3))),
        (&[("eu", RolledBack, 1), ("us", RolledBack, 2)], Some((RolledBack, 2))),
        (&[("eu", Success, 1), ("us", Success, 2), ("eu", Begun, 3)], None),
        (&[("eu", Success, 1), ("elsewhere", Success, 2)], None),
    ];
    for (declared, expected) in cases {
        let expected = expected.map(|(outcome, second)| (outcome, at(second)));
        assert_eq!(head(declared).declared(None, &places), expected, "{declared:?}");
    }
    assert_eq!(head(&[("eu", Success, 1)]).declared(None, &[]), None);
}

#[test]
fn a_place_keeps_when_it_began_beside_its_last_outcome() {
    use Outcome::{Begun, Failure, Success};
    let places = [place("eu"), place("us")];
    let head = head(&[("eu", Begun, 1), ("eu", Failure, 2), ("eu", Success, 3), ("us", Begun, 4)]);
    assert_eq!(head.declared(Some(&place("eu")), &places), Some((Success, at(3))));
    assert_eq!(head.declared(Some(&place("us")), &places), Some((Begun, at(4))));
    assert_eq!(head.declared(Some(&place("elsewhere")), &places), None);
    assert_eq!(head.places[&place("eu")].begun, Some(at(1)));
}

#[test]
fn a_release_has_failed_when_it_stands_as_a_success_nowhere_and_then_nobody_has_lifted_the_embargo() {
    use Outcome::{Begun, Failure, Halted, RolledBack, Success};
    let cases: &[(&[Declared], bool)] = &[
        (&[], false),
        (&[("eu", Begun, 1)], false),
        (&[("eu", Failure, 1)], true),
        (&[("eu", Begun, 1), ("us", Halted, 2)], true),
        (&[("eu", Success, 1), ("us", RolledBack, 2)], false),
        (&[("eu", Success, 1), ("eu", RolledBack, 2)], true),
        (&[("eu", Failure, 1), ("eu", Success, 2)], false),
    ];
    for (declared, failed) in cases {
        assert_eq!(head(declared).has_failed(), *failed, "{declared:?}");
        let mut lifted = Head::default();
        lifted.apply(&HeadFact::Lifted { at: at(0) });
        for (id, outcome, second) in *declared {
            lifted.apply(&HeadFact::Declared { place: place(id), outcome: *outcome, at: at(*second) });
        }
        let ever = (1..=declared.len()).any(|n| head(&declared[..n]).has_failed());
        assert_eq!(lifted.lifted, (!ever).then(|| at(0)), "{declared:?}");
    }
}
