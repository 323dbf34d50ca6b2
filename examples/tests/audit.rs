//! `relcomm audit`: a record that was changed is found, one that was not is intact.

mod command;

use command::{Folder, relcomm};
use serde_json::Value;

fn delivered() -> Folder {
    let folder = Folder::with_plans();
    assert_eq!(relcomm(&folder, &["deliver", "s1-crate.yaml"]).code, 0);
    folder
}

fn sql(folder: &Folder, statement: &str) {
    let changed =
        rusqlite::Connection::open(folder.path("s1-crate.sandbox.db")).unwrap().execute(statement, []).unwrap();
    assert!(changed > 0, "{statement}");
}

#[test]
fn a_record_that_nobody_touched_is_intact_and_ends_with_the_head_that_the_report_printed() {
    let folder = delivered();
    let report = relcomm(&folder, &["report", "s1-crate.yaml", "--format", "json"]);
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    let head = report["journal_head"].as_str().unwrap();
    let ran = relcomm(&folder, &["audit", "s1-crate.yaml", "--head", head]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.starts_with("intact: ") && ran.stdout.contains(head), "{}", ran.stdout);
    let other = relcomm(&folder, &["audit", "s1-crate.yaml", "--head", "00"]);
    assert_eq!(other.code, 1);
    assert!(other.stderr.contains("another than the one given"), "{}", other.stderr);
}

#[test]
fn a_changed_state_and_a_changed_entry_are_found() {
    let folder = delivered();
    let shown = "SELECT json_set(state, '$.held', json('true')) FROM head";
    sql(&folder, &format!("UPDATE head SET state = ({shown})"));
    let ran = relcomm(&folder, &["audit", "s1-crate.yaml"]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stderr.contains("the head is not what its entries come to"), "{}", ran.stderr);
    let folder = delivered();
    sql(&folder, "UPDATE line SET at = at + 1 WHERE seq = (SELECT max(seq) FROM line)");
    let ran = relcomm(&folder, &["audit", "s1-crate.yaml"]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stderr.contains("block"), "{}", ran.stderr);
}

#[test]
fn without_a_record_there_is_nothing_to_audit() {
    let ran = relcomm(&Folder::with_plans(), &["audit", "s1-crate.yaml"]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
}
