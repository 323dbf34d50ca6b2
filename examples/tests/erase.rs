//! A person is erased: the file of the record holds nothing that names them, the audit passes, and reports show a number.

mod command;

use command::{Folder, relcomm};

const PLAN: &str = r#"
plan: 1
id: erasing
zone: UTC
release: { product: Demo, version: 1.0.0, what: [{ id: one, text: One thing }], why: Because., how: Open it. }
responsible: Ada <ada@demo.example>
groups:
  staff:
    members:
      - { id: bartholomea, email: bartholomea@people.example }
      - { id: cyd, email: cyd@people.example }
    via: email
communiques: { live: { to: staff } }
"#;

/// Whether any file of the record holds the words.
fn holds(folder: &Folder, words: &str) -> bool {
    std::fs::read_dir(folder.path("")).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        let is_record = path.file_name().is_some_and(|name| name.to_string_lossy().contains("sandbox.db"));
        is_record && path.is_file() && String::from_utf8_lossy(&std::fs::read(path).unwrap()).contains(words)
    })
}

#[test]
fn the_file_names_nobody_who_was_erased_and_the_audit_passes() {
    let folder = Folder::empty();
    std::fs::write(folder.path("plan.yaml"), PLAN).unwrap();
    assert_eq!(relcomm(&folder, &["deliver", "plan.yaml"]).code, 0);
    assert!(holds(&folder, "bartholomea") && holds(&folder, "cyd"), "the test would prove nothing");

    for (who, why) in [("zoe", "nothing of this person"), ("no id", "")] {
        let ran = relcomm(&folder, &["erase", "plan.yaml", "--person", who, "--by", "ada"]);
        assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(why) && ran.stderr.lines().count() == 1, "{}", ran.stderr);
    }
    let erase = || relcomm(&folder, &["erase", "plan.yaml", "--person", "bartholomea", "--by", "ada"]);
    let ran = erase();
    let line =
        "erased from the record; the member data still names this person: take them out there, and prepare again\n";
    assert_eq!((ran.code, ran.stdout.as_str()), (0, line), "{}", ran.stderr);
    assert!(!holds(&folder, "bartholomea"), "pages and log hold nothing either");
    assert!(holds(&folder, "cyd"));
    let again = erase();
    assert_eq!((again.code, again.stdout.starts_with("already erased")), (0, true), "{}{}", again.stdout, again.stderr);

    let audit = relcomm(&folder, &["audit", "plan.yaml"]);
    assert_eq!(audit.code, 0, "{}{}", audit.stdout, audit.stderr);
    for format in ["text", "json", "github"] {
        let report = relcomm(&folder, &["report", "plan.yaml", "--format", format]);
        assert_eq!(report.code, 0, "{}", report.stdout);
        assert!(!report.stdout.contains("bartholomea"), "{}", report.stdout);
    }
    let report = relcomm(&folder, &["report", "plan.yaml", "--format", "json"]).stdout;
    assert!(report.contains("#erased-1"), "{report}");
}
