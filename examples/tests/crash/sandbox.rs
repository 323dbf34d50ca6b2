//! The sandbox goes on after a kill as the real thing does.

use super::record;
use super::scene::{By, Scene, until};

const PEOPLE: usize = 600;

/// Kills the delivery a few times, then lets it finish with this code; who is not informed by then must be held.
fn crash(by: By, code: i32) -> usize {
    let mut scene = Scene::new();
    scene.write(PEOPLE, by, "hold", 1, "");
    let journal = scene.path().join("plan.sandbox.db");
    for kill in 0..4 {
        let goal = record::accepted(&journal) + 1 + kill * 17;
        let mut running = scene.deliver();
        until("somebody is told", || {
            assert!(running.try_wait().expect("it can be asked").is_none(), "it was over before the kill {kill}");
            (record::accepted(&journal) >= goal).then_some(())
        });
        running.kill().expect("it is killed");
        running.wait().expect("it is gone");
    }
    let report = scene.sandbox("deliver", &["--format", "json"]).json(code);
    assert_eq!(report["totals"]["people"], PEOPLE);
    let people = report["people"].as_array().expect("people");
    let rest: Vec<_> = people.iter().filter(|p| p["class"] != "informed").collect();
    for person in &rest {
        assert_eq!(person["class"], "unconfirmed", "{person:#}");
        assert!(person["reason"].as_str().is_some_and(|why| why.starts_with("held")), "{person:#}");
    }
    rest.len()
}

#[test]
fn a_killed_rehearsal_by_webhook_is_finished_by_the_next() {
    assert_eq!(crash(By::Keys, 0), 0);
}

#[test]
fn a_killed_rehearsal_by_mail_is_finished_by_the_next_and_lists_who_is_in_doubt() {
    let held = crash(By::Mail, 4);
    assert!((1..=4 * 16).contains(&held), "{held} are held, and so many cannot have been in flight");
}
