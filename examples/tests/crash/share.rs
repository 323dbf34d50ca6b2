//! Two dispatchers on one journal, in two processes.

use super::receiver::Receiver;
use super::record;
use super::scene::{By, Scene, until};

#[test]
fn two_dispatchers_share_the_people_and_tell_nobody_twice() {
    const PEOPLE: usize = 800;
    let mut scene = Scene::new();
    let receiver = Receiver::http(scene.path(), 10);
    let url = receiver.url.clone();
    scene.write(PEOPLE, By::NoKeys, "resend", 2, &url);
    scene.declare();
    let mut both = [scene.dispatch(), scene.dispatch()];
    for one in &mut both {
        assert_eq!(one.wait().expect("it ends").code(), Some(0));
    }
    let copies = receiver.finish();
    assert_eq!(copies.len(), PEOPLE);
    assert!(copies.values().all(|keys| keys.len() == 1), "somebody was told twice");
    let report = scene.live(&scene.bundle, "report", &["--format", "json"]).json(0);
    assert_eq!(report["totals"]["informed"], PEOPLE);
    let begun = record::begun(&scene.journal);
    assert_eq!(begun.iter().sum::<usize>(), PEOPLE, "{begun:?}");
    let enough = begun.iter().filter(|n| **n * 10 >= PEOPLE).count();
    assert!(enough >= 2, "one of them did it all: {begun:?}");
}

#[test]
fn what_a_killed_dispatcher_had_in_flight_is_taken_over_by_the_other() {
    const PEOPLE: usize = 600;
    let mut scene = Scene::new();
    let mut receiver = Receiver::http(scene.path(), 25);
    let url = receiver.url.clone();
    scene.write(PEOPLE, By::NoKeys, "hold", 4, &url);
    scene.declare();
    let mut one = scene.dispatch();
    until("the first sends", || (receiver.count() > 0).then_some(()));
    let mut other = scene.dispatch();
    let sessions = until("both send", || {
        let open = record::leases(&scene.journal);
        (open.len() == 2).then_some(open)
    });
    one.kill().expect("it is killed");
    one.wait().expect("it is gone");
    // The survivor may be over by now, and has told everybody but those who were in flight.
    assert_eq!(other.wait().expect("it ends").code(), Some(4), "whoever is held is not informed for now");
    assert_eq!(record::leases(&scene.journal), []);
    let copies = receiver.finish();
    assert!(copies.values().all(|keys| keys.len() == 1), "somebody was told twice");
    let report = scene.live(&scene.bundle, "report", &["--format", "json"]).json(4);
    let held = report["totals"]["unconfirmed"].as_u64().expect("a count");
    assert!((1..=4).contains(&held), "{held} are held, of {sessions:?}");
    assert_eq!(report["totals"]["informed"], PEOPLE as u64 - held);
}
