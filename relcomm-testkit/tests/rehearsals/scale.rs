//! Many people, and a long time.

use crate::rehearsals::stage::holds;
use std::time::{Duration, Instant};

#[test]
fn ten_thousand_people_over_thirty_days_take_no_time_to_speak_of() {
    let begun = Instant::now();
    let performance = holds(
        "
members: { customers: { count: 10000, columns: { place: [eu, us] } } }
answers:
  - { to: customers-*3, via: email, later: { delivered: 3h } }
  - { to: customers-*7, via: email, later: { bounced: { after: 4d, status: 5.2.2 } } }
  - { to: customers-*, via: email, later: { delivered: 1m } }
  - { to: customers-*, via: phone, later: { acknowledged: 2d } }
timeline:
  - { at: 10:00, declare: { outcome: success, place: eu, by: ada } }
  - { at: +20d, declare: { outcome: success, place: us, by: ada } }
  - { at: +21d, attest: { communique: talk, group: board, by: carl, outcome: done } }
  - { at: +30d, stop: true }
expect:
  - { totals: { people: 10002, informed: 10002 }, exit: 0 }
  - { where: { communique: live, via: phone }, count: 2000 }
",
    );
    let took = begun.elapsed();
    assert!(performance.timeline.len() < 100, "{}", performance.timeline.len());
    // The core is not optimized in every build of the tests: the limit of 5 s holds for one that is.
    assert!(took < Duration::from_secs(60), "{took:?}");
}
