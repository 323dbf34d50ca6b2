//! Rules of being informed through the command: rehearsed, and a gap that is accepted by name before anything goes out.

mod command;

use command::{Folder, relcomm};
use std::path::Path;

const PLAN: &str = "
plan: 1
id: gap
release: { product: Anvil, version: 2.0.0, what: Shared folders, why: Teams asked for it., how: Choose Share. }
responsible: Ada Osei <ada@anvil.example>
groups:
  auditors:
    must_inform: true
    members: [office@anvil.example, { id: deputy, phone: \"+41445550199\" }]
    via: email
communiques: { live: { to: auditors } }
";

#[test]
fn the_rules_of_being_informed_hold_in_rehearsal() {
    let folder = Folder::empty();
    for file in ["quotas.yaml", "quotas.rehearsal.yaml"] {
        std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("rehearsals").join(file), folder.path(file)).unwrap();
    }
    let ran = relcomm(&folder, &["rehearse", "quotas.yaml", "--script", "quotas.rehearsal.yaml"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    assert_eq!(ran.stdout.matches("expectations hold").count(), 3, "{}", ran.stdout);
}

#[test]
fn dispatch_ends_with_3_until_the_gap_is_accepted_by_name() {
    let folder = Folder::empty();
    std::fs::write(folder.path("plan.yaml"), PLAN).unwrap();
    assert_eq!(relcomm(&folder, &["declare", "plan.yaml", "--outcome", "success", "--by", "ada"]).code, 0);
    let dispatch = || relcomm(&folder, &["dispatch", "plan.yaml", "--wait"]);
    let ran = dispatch();
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("deputy of auditors, not accepted yet"), "{}", ran.stdout);
    let accept = |whom: [&str; 2], why: &str| {
        relcomm(&folder, &["accept-gap", "plan.yaml", whom[0], whom[1], "--why", why, "--by", "jon"])
    };
    for (whom, why) in [
        (["--person", "office"], "x"),
        (["--person", "nobody"], "x"),
        (["--company", "Acme"], "x"),
        (["--person", "deputy"], ""),
    ] {
        let ran = accept(whom, why);
        let lines = ran.stderr.lines().filter(|line| line.starts_with("relcomm: ")).count();
        assert_eq!((ran.code, lines, ran.stdout.as_str()), (3, 1, ""), "{whom:?}: {}", ran.stderr);
    }
    assert_eq!(dispatch().code, 3);
    let ran = accept(["--person", "deputy"], "has no mailbox yet");
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "the gap of deputy is accepted; 0 left\n"), "{}", ran.stderr);
    let ran = accept(["--person", "deputy"], "has no mailbox yet");
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "the gap of deputy is already accepted; 0 left\n"));
    let ran = dispatch();
    assert_eq!(ran.code, 4, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("by jon: has no mailbox yet"), "{}", ran.stdout);
    assert_eq!(relcomm(&folder, &["accept-gap", "plan.yaml", "--why", "x", "--by", "jon"]).code, 1, "nobody is named");
}
