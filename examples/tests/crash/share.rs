//! Two dispatchers on one journal, in two processes.

use super::receiver::Receiver;
use super::record;
use super::scene::{By, Scene};

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
    assert_eq!(scene.report()["totals"]["informed"], PEOPLE);
    let begun = record::begun(&scene.journal);
    assert_eq!(begun.iter().sum::<usize>(), PEOPLE, "{begun:?}");
    let enough = begun.iter().filter(|n| **n * 10 >= PEOPLE).count();
    assert!(enough >= 2, "one of them did it all: {begun:?}");
}
