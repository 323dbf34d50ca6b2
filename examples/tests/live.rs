//! A live plan over its life: what its first call refuses, what later calls no longer do, and what each says and exits with.

mod command;

use command::{Folder, relcomm};
use std::fs;

const CHANNELS: &str = "
channels: 1
phone: { kind: manual }
";

const PLAN: &str = "
plan: 1
id: life
zone: UTC
release:
  product: Anvil
  version: 2.0.0
  what: [{ id: folders, text: Shared folders }]
  why: Teams asked for it.
  how: Choose Share.
  when: WHEN
responsible: Ada Osei <ada@anvil.example>
approvals: { roles: { owner: [mia@anvil.example] }, need: [owner] }
groups: { desk: { members: [{ id: al, phone: \"+41445550101\" }], via: phone, informed_when: acknowledged } }
communiques: { live: { to: desk } }
";

fn folder() -> Folder {
    let folder = Folder::empty();
    fs::write(folder.path("channels.yaml"), CHANNELS).unwrap();
    folder
}

fn live(folder: &Folder, verb: &[&str]) -> command::Ran {
    let surroundings = ["plan.yaml", "--channels", "channels.yaml", "--journal", "file:life.db"];
    let (verb, rest) = verb.split_first().unwrap();
    relcomm(folder, &[&[*verb], &surroundings[..], rest].concat())
}

fn plan(folder: &Folder, when: &str) {
    fs::write(folder.path("plan.yaml"), PLAN.replace("WHEN", when)).unwrap();
}

#[test]
fn a_plan_outlives_its_own_time_once_there_is_a_record() {
    let folder = folder();
    plan(&folder, "2020-05-12T07:00Z");
    let first = live(&folder, &["approve", "--role", "owner", "--by", "mia", "--new-journal"]);
    assert_eq!(first.code, 2, "a plan from last time: {}", first.stdout);
    assert!(first.stdout.contains("error[RC0601]") && !folder.path("life.db").exists(), "{}", first.stdout);

    plan(&folder, "2099-05-12T07:00Z");
    assert_eq!(live(&folder, &["hold", "--by", "ada", "--new-journal"]).code, 0);
    plan(&folder, "2020-05-12T07:00Z");
    for verb in [&["resume", "--by", "ada"][..], &["status", "--pending-ok"], &["tasks"]] {
        let ran = live(&folder, verb);
        assert!(ran.code == 0 && !ran.stdout.contains("RC0601"), "{verb:?}: {} {}", ran.stdout, ran.stderr);
    }
}

#[test]
fn an_approval_that_is_missing_has_its_code_whoever_asks() {
    let folder = folder();
    plan(&folder, "2099-05-12T07:00Z");
    let declare = ["declare", "--outcome", "success", "--by", "ada", "--proof", "run 7", "--new-journal"];
    assert_eq!(live(&folder, &declare).code, 0);
    for verb in ["status", "report"] {
        assert_eq!(live(&folder, &[verb]).code, 3, "{verb}");
        assert_eq!(live(&folder, &[verb, "--pending-ok"]).code, 3, "{verb}");
    }
    assert_eq!(live(&folder, &["approve", "--role", "owner", "--by", "mia"]).code, 0);
    let status = live(&folder, &["status"]);
    assert_eq!((status.code, status.stdout.contains("next due: now, by `dispatch`")), (5, true), "{}", status.stdout);
}

#[test]
fn receipts_are_read_where_they_can_be_matched() {
    let folder = folder();
    plan(&folder, "2099-05-12T07:00Z");
    assert_eq!(live(&folder, &["hold", "--by", "ada", "--new-journal"]).code, 0);
    let none = live(&folder, &["receipts", "--from", "maildir:nowhere"]);
    assert_eq!((none.code, none.stderr.trim()), (1, "relcomm: nowhere: there is no Maildir"));
    fs::create_dir_all(folder.path("reports/new")).unwrap();
    let unmatched = live(&folder, &["receipts", "--from", "maildir:reports"]);
    assert_eq!(unmatched.code, 1);
    assert!(unmatched.stderr.contains("`return_path`"), "{}", unmatched.stderr);
    fs::write(folder.path("calls.jsonl"), "{broken\n\n{\"mechanism\":\"phone\",\"headers\":{},\"body\":\"\"}\n")
        .unwrap();
    let calls = live(&folder, &["receipts", "--from", "callbacks:calls.jsonl"]);
    assert_eq!((calls.code, calls.stdout.contains("2 refused")), (3, true), "{}", calls.stdout);
    assert!(calls.stderr.contains("calls.jsonl:1:") && calls.stderr.contains("calls.jsonl:3:"), "{}", calls.stderr);
}

#[test]
fn what_is_given_twice_or_in_vain_is_refused() {
    let folder = folder();
    plan(&folder, "2099-05-12T07:00Z");
    let bundle = relcomm(&folder, &["prepare", "plan.yaml", "--channels", "channels.yaml", "--bundle", "life.bundle"]);
    assert_eq!(bundle.code, 0, "{}", bundle.stderr);
    let set = relcomm(&folder, &["prepare", "life.bundle", "--channels", "channels.yaml", "--set", "a=1"]);
    assert_eq!((set.code, set.stderr.contains("was settled when it was prepared")), (1, true), "{}", set.stderr);
    let twice = relcomm(&folder, &["validate", "plan.yaml", "--set", "a=1", "--set", "a=2"]);
    assert_eq!((twice.code, twice.stderr.contains("--set a: it is given twice")), (1, true), "{}", twice.stderr);
    // A folder is no file that a bundle could take the place of.
    fs::create_dir(folder.path("taken")).unwrap();
    let taken = relcomm(&folder, &["prepare", "plan.yaml", "--channels", "channels.yaml", "--bundle", "taken"]);
    assert!(
        taken.code != 0 && folder.path("taken").is_dir() && !folder.path("taken.part").exists(),
        "{}",
        taken.stdout
    );
    let level = relcomm(&folder, &["validate", "plan.yaml", "--log", "verbose"]);
    assert_eq!(level.code, 1, "{}", level.stderr);
}

#[test]
fn what_would_be_sent_is_said_by_what_is_on_record() {
    let folder = folder();
    plan(&folder, "2099-05-12T07:00Z");
    let would = |folder: &Folder| {
        let ran = live(folder, &["dispatch"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stdout
    };
    let nothing_is_sent = "\nnothing is sent: say `relcomm dispatch … --execute`\n";
    assert_eq!(would(&folder), format!("live: 1 people, desk by phone{nothing_is_sent}"));
    assert!(!folder.path("life.db").exists());
    let declare = ["declare", "--outcome", "success", "--by", "ada", "--proof", "run 7", "--new-journal"];
    assert_eq!(live(&folder, &declare).code, 0);
    assert!(would(&folder).contains("; waits for approval"), "{}", would(&folder));
    assert_eq!(live(&folder, &["approve", "--role", "owner", "--by", "mia"]).code, 0);
    assert!(would(&folder).contains("; waits for the next dispatch\n"), "{}", would(&folder));
    assert_eq!(live(&folder, &["dispatch", "--execute"]).code, 5);
    assert!(would(&folder).contains("; 0 of 1 ended so far, waits for "), "{}", would(&folder));
    let done = ["attest", "--communique", "live", "--person", "al", "--outcome", "done", "--by", "ada"];
    assert_eq!(live(&folder, &done).code, 0);
    assert!(would(&folder).contains("; 1 of 1 ended so far\n"), "{}", would(&folder));
    let json = live(&folder, &["dispatch", "--format", "json"]).stdout;
    assert!(json.contains("\"so_far\": \"1 of 1 ended so far\""), "{json}");
}
