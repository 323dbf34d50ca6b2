//! A journal is made for the sandbox or for what is live, and serves only that.

use super::receiver::Receiver;
use super::scene::{By, Ended, Scene};

fn refused(ended: &Ended, made_for: &str, this_is: &str) {
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    assert_eq!(ended.out, "");
    let says = format!("relcomm: the journal was made for {made_for}, and this is {this_is}\n");
    assert_eq!(ended.err, says, "one line says it");
}

#[test]
fn a_journal_of_the_sandbox_is_refused_live_and_the_other_way_round() {
    let mut scene = Scene::new();
    let receiver = Receiver::http(scene.path(), 0);
    let url = receiver.url.clone();
    scene.write(3, By::NoKeys, "hold", 2, &url);
    let delivered = scene.sandbox("deliver", &[]);
    assert_eq!(delivered.code, Some(0), "{delivered:#?}");
    let rehearsed = format!("file:{}", scene.path().join("plan.sandbox.db").display());
    let real = format!("file:{}", scene.journal.display());

    let said = ["--outcome", "success", "--by", "ada", "--proof", "https://ci.test/1", "--journal", &rehearsed];
    refused(&scene.live(&scene.plan, "declare", &said), "sandbox", "live");
    refused(&scene.live(&scene.plan, "dispatch", &["--execute", "--journal", &rehearsed]), "sandbox", "live");
    // Not even to make what is missing, and not even to look.
    let anew = ["--execute", "--new-journal", "--journal", &rehearsed];
    refused(&scene.live(&scene.plan, "dispatch", &anew), "sandbox", "live");
    refused(&scene.live(&scene.plan, "report", &["--journal", &rehearsed]), "sandbox", "live");

    scene.declare();
    let before = std::fs::read(&scene.journal).expect("a journal");
    refused(&scene.sandbox("deliver", &["--journal", &real]), "live", "sandbox");
    refused(&scene.sandbox("status", &["--journal", &real]), "live", "sandbox");
    assert_eq!(std::fs::read(&scene.journal).expect("a journal"), before, "what was refused wrote nothing");
    assert_eq!(receiver.finish().len(), 0, "nothing left the machine");
    let dispatched = scene.live(&scene.plan, "report", &["--format", "json", "--pending-ok"]).json(0);
    assert_eq!(dispatched["totals"]["informed"], 0);
}
