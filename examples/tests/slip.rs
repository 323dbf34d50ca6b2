//! `relcomm slip`: what is refused is one line and leaves the record as it was; what is said twice is said once.

mod command;

use command::{Folder, relcomm};
use serde_json::Value;

const PLAN: &str = "
plan: 1
id: slips
zone: UTC
release:
  product: Anvil
  version: 2.0.0
  what: [{ id: folders, text: Shared folders }]
  why: Teams asked for it.
  how: Choose Share.
  when: 2099-05-12T07:00
responsible: Ada Osei <ada@anvil.example>
groups: { staff: { email: staff@anvil.example } }
communiques:
  ahead:
    to: staff
    at: 2020-01-01T00:00Z
    on_slip: correct
    text: \"{{ item.folders }} on {{ release.when.planned | date }}{% if release.when.before %}, not on {{ release.when.before | date }}{% endif %}\"
  live: { to: staff }
";

fn head(folder: &Folder) -> Value {
    let report = relcomm(folder, &["report", "plan.yaml", "--format", "json"]);
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    report["journal_head"].clone()
}

#[test]
fn those_who_heard_the_old_time_hear_the_new_one_and_what_is_refused_changes_nothing() {
    let folder = Folder::empty();
    std::fs::write(folder.path("plan.yaml"), PLAN).unwrap();
    let slip = |to: &str, by: &str| relcomm(&folder, &["slip", "plan.yaml", "--planned", to, "--by", by]);
    assert_eq!(relcomm(&folder, &["dispatch", "plan.yaml"]).code, 5);
    let before = head(&folder);
    for (to, by, code, says) in [
        ("2020-05-12T07:00:00Z", "ada", 3, "the planned time cannot move into the past"),
        ("2099-06-12T07:00:00Z", " ", 3, "a slip needs a name"),
        ("open", "ada", 3, "`ahead` goes to those who heard the old time and cannot say the new one"),
        ("soon", "ada", 1, "not an instant such as `2027-05-12T07:00`"),
    ] {
        let ran = slip(to, by);
        let lines: Vec<&str> = ran.stderr.lines().filter(|line| line.starts_with("relcomm: ")).collect();
        assert_eq!((ran.code, lines.len(), ran.stdout.as_str()), (code, 1, ""), "{to}: {}", ran.stderr);
        assert!(lines[0].contains(says), "{}", lines[0]);
    }
    assert_eq!(head(&folder), before, "what is refused is not recorded");
    let ran = slip("2099-06-12T07:00+00:00", "ada");
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, "the planned time is now 2099-06-12T07:00:00Z\n"),
        "{}",
        ran.stderr
    );
    let moved = head(&folder);
    let ran = slip("2099-06-12T07:00:00Z", "ben");
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "the planned time is already 2099-06-12T07:00:00Z\n"));
    assert_eq!(head(&folder), moved);
    assert_eq!(relcomm(&folder, &["dispatch", "plan.yaml"]).code, 5);
    let report = relcomm(&folder, &["report", "plan.yaml"]).stdout;
    assert!(report.contains("planned time moved: 2099-06-12T07:00:00Z"), "{report}");
    assert!(report.contains("by ada, heard by 1"), "{report}");
    let audit = relcomm(&folder, &["audit", "plan.yaml"]);
    assert_eq!(audit.code, 0, "{}{}", audit.stdout, audit.stderr);
    let redacted = relcomm(&folder, &["report", "plan.yaml", "--redact"]).stdout;
    assert!(!redacted.contains("by ada, heard"), "{redacted}");
}
