//! The command is asked to stop: it begins nothing new and waits for what is in flight, so that nothing is in doubt afterwards.

use super::WINDOW;
use super::receiver::Receiver;
use super::record;
use super::scene::{By, Scene, until};
use std::process::{Child, Command};

const PEOPLE: usize = 300;

/// `kill -TERM`, as a scheduler or a build server does it.
fn ask(running: &Child, signal: &str) {
    let pid = running.id().to_string();
    assert!(Command::new("kill").args([signal, &pid]).status().expect("kill runs").success());
}

#[test]
fn whoever_is_asked_to_stop_leaves_nobody_in_doubt() {
    for (signal, wait) in [("-TERM", true), ("-TERM", false), ("-INT", false)] {
        let mut scene = Scene::new();
        let mut receiver = Receiver::http(scene.path(), 25);
        scene.write(PEOPLE, By::NoKeys, "hold", WINDOW, &receiver.url.clone());
        scene.declare();
        let mut running = if wait { scene.dispatch() } else { scene.dispatch_once() };
        until("something is done", || (receiver.count() > 2 * WINDOW).then_some(()));
        ask(&running, signal);
        let ended = running.wait().expect("it is gone");
        assert_eq!(ended.code(), Some(5), "{signal}: it ended by itself, and something is pending: {ended:?}");
        let told = receiver.count();
        assert!(told < PEOPLE, "{signal}: it was over before it was asked");
        assert!(record::leases(&scene.journal).is_empty(), "{signal}: something was left in flight");

        let report = scene.live(&scene.bundle, "dispatch", &["--execute", "--wait", "--format", "json"]).json(0);
        assert_eq!(report["totals"]["informed"], PEOPLE);
        let copies = receiver.finish();
        assert!(copies.len() == PEOPLE && copies.values().all(|keys| keys.len() == 1), "{signal}: everyone once");
    }
}
