//! The command in its sandbox, as a newcomer runs it: real sockets on loopback, nothing leaves the machine.

mod command;

use command::{Folder, relcomm};
use serde_json::{Value, json};

fn report(folder: &Folder, plan: &str) -> Value {
    let out = relcomm(folder, &["report", plan, "--format", "json"]);
    assert_eq!(out.code, 0, "{}", out.stderr);
    serde_json::from_str(&out.stdout).unwrap()
}

fn delivery<'a>(report: &'a Value, person: &str) -> &'a Value {
    let person = report["people"].as_array().unwrap().iter().find(|p| p["id"] == person).unwrap();
    &person["deliveries"][0]
}

fn tries(delivery: &Value) -> Vec<(String, u64, String)> {
    let attempts = delivery["attempts"].as_array().unwrap().iter();
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    attempts.map(|a| (text(&a["mechanism"]), a["number"].as_u64().unwrap(), text(&a["outcome"]))).collect()
}

#[test]
fn ledgerline_is_delivered_and_a_second_run_sends_nothing() {
    let folder = Folder::with_plans();
    let first = relcomm(&folder, &["deliver", "ledgerline.yaml"]);
    assert_eq!(first.code, 0, "{}\n{}", first.stdout, first.stderr);
    assert!(first.stderr.contains("declared eu success by stand-in"), "progress on standard error: {}", first.stderr);
    let report_1 = relcomm(&folder, &["report", "ledgerline.yaml", "--format", "json"]);

    let report = report(&folder, "ledgerline.yaml");
    assert_eq!(report["verdict"], "informed");
    assert_eq!(report["mode"], "sandbox");
    assert_eq!(
        report["totals"],
        json!({ "people": 1005, "informed": 1005, "not_informed": 0, "unconfirmed": 0, "exempt": 0 })
    );
    let groups: Vec<(&str, u64, u64)> = report["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|g| {
            let t = &g["totals"];
            (g["id"].as_str().unwrap(), t["people"].as_u64().unwrap(), t["informed"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(
        groups,
        [("support", 2, 2), ("customers", 500, 500), ("auditors", 2, 2), ("operations", 1, 1), ("readers", 500, 500)]
    );

    let tried = |person: &str| tries(delivery(&report, person));
    let try_of = |mechanism: &str, n: u64, outcome: &str| (mechanism.to_owned(), n, outcome.to_owned());
    // Refused, and told by the next step.
    assert_eq!(tried("cust-007"), [try_of("email", 1, "refused"), try_of("webhook", 1, "accepted")]);
    // Bounced by a delivery report, and told by the next step.
    assert_eq!(tried("cust-123"), [try_of("email", 1, "accepted"), try_of("webhook", 1, "accepted")]);
    assert_eq!(delivery(&report, "cust-123")["mechanism"], "webhook");
    // Refused, and told by a person.
    assert_eq!(tried("north"), [try_of("email", 1, "refused"), try_of("phone", 1, "done")]);
    assert_eq!(delivery(&report, "north")["assurance"], "acknowledged");
    // A lost answer at a receiver that honours keys: tried again.
    assert_eq!(tried("operations"), [try_of("webhook", 1, "in doubt"), try_of("webhook", 2, "accepted")]);
    // Five hundred readers share one posting.
    let readers: Vec<&Value> =
        report["people"].as_array().unwrap().iter().filter(|p| p["deliveries"][0]["posted"] == true).collect();
    assert_eq!(readers.len(), 500);
    assert!(readers.iter().all(|r| tries(&r["deliveries"][0]) == [try_of("intranet", 1, "accepted")]));
    assert_eq!(delivery(&report, "cust-001")["assurance"], "delivered");

    let second = relcomm(&folder, &["deliver", "ledgerline.yaml"]);
    assert_eq!(second.code, 0);
    assert!(second.stderr.contains("already declared eu success"), "{}", second.stderr);
    let report_2 = relcomm(&folder, &["report", "ledgerline.yaml", "--format", "json"]);
    assert!(report_1.stdout == report_2.stdout, "the second run changed the report");
    assert_eq!(first.stdout, second.stdout);
}

#[test]
fn what_came_back_for_an_earlier_record_is_not_met_by_a_new_one() {
    let folder = Folder::with_plans();
    let mailbox = folder.path("tiny.sandbox.mail/new");
    std::fs::create_dir_all(&mailbox).unwrap();
    let bounce = "To: bounces+rc1.AAAA@relcomm.example\nSubject: Undelivered\n\nNobody here.\n";
    std::fs::write(mailbox.join("1.bounce"), bounce).unwrap();
    let out = relcomm(&folder, &["deliver", "tiny.yaml", "--set", "version=0.9.0"]);
    assert_eq!(out.code, 0, "{}\n{}", out.stdout, out.stderr);
    assert!(!out.stdout.contains("match nothing"), "{}", out.stdout);
    assert!(!mailbox.exists(), "it is cleared away");
    // With the record there, it may be of it.
    std::fs::create_dir_all(&mailbox).unwrap();
    std::fs::write(mailbox.join("2.bounce"), bounce).unwrap();
    let out = relcomm(&folder, &["dispatch", "tiny.yaml", "--set", "version=0.9.0"]);
    assert!(out.stdout.contains("receipts that match nothing: 1"), "{}\n{}", out.stdout, out.stderr);
}

#[test]
fn a_release_candidate_reaches_nobody() {
    let folder = Folder::with_plans();
    let args = ["deliver", "tiny.yaml", "--set", "version=0.9.0-rc.1", "--format", "json"];
    let out = relcomm(&folder, &args);
    assert_eq!(out.code, 0, "{}", out.stderr);
    let report: Value = serde_json::from_str(&out.stdout).unwrap();
    assert_eq!(report["totals"]["exempt"], report["totals"]["people"]);
    assert_eq!(report["people"][0]["reason"], "prerelease");
}

#[test]
fn a_small_plan_needs_no_more_than_its_parameters() {
    let folder = Folder::with_plans();
    let out = relcomm(&folder, &["deliver", "tiny.yaml", "--set", "version=0.9.0"]);
    assert_eq!(out.code, 0, "{}\n{}", out.stdout, out.stderr);
    assert!(out.stdout.contains("people: 6 — informed 6"), "{}", out.stdout);
}

#[test]
fn the_plans_by_example_have_no_fault_and_their_deployment_only_asks_for_acknowledgement_links() {
    let folder = Folder::with_plans();
    for args in [
        vec!["validate", "medium.yaml", "--channels", "medium.channels.yaml", "--format", "json"],
        vec!["validate", "s1-crate.yaml", "--format", "json"],
        vec!["validate", "tiny.yaml", "--set", "version=0.9.0", "--channels", "tiny.channels.yaml", "--format", "json"],
    ] {
        let out = relcomm(&folder, &args);
        let found: Value = serde_json::from_str(&out.stdout).unwrap();
        for finding in found["findings"].as_array().unwrap() {
            assert!(finding["severity"] != "error" || finding["code"] == "RC0950", "{args:?}: {finding}");
        }
    }
}

#[test]
fn verbs_in_turn_are_what_deliver_does_in_one_go() {
    let folder = Folder::with_plans();
    let run = |args: &[&str]| relcomm(&folder, args);
    let plan = "ledgerline.yaml";
    assert_eq!(run(&["dispatch", plan]).code, 5, "nothing is declared");
    let wrong = run(&["approve", plan, "--by", "ada", "--role", "product-owner"]);
    assert_eq!((wrong.code, wrong.stdout.as_str()), (3, ""), "{}", wrong.stderr);
    assert_eq!(run(&["status", plan]).code, 5, "nothing is declared");
    assert_eq!(run(&["declare", plan, "--outcome", "success", "--by", "ada"]).code, 3, "which place?");
    for place in ["eu", "us"] {
        let out = run(&["declare", plan, "--place", place, "--outcome", "success", "--by", "ada", "--proof", "run 7"]);
        assert_eq!(out.code, 0, "{}", out.stderr);
    }
    let same = run(&["declare", plan, "--place", "eu", "--outcome", "success", "--by", "ada"]);
    let says = same.stdout.trim_end();
    let by = " by ada; nothing new is recorded";
    assert!(
        same.code == 0 && says.starts_with("already declared: eu success, as of 20") && says.ends_with(by),
        "{says}"
    );
    assert_eq!(run(&["dispatch", plan]).code, 3, "what is due lacks an approval");
    assert_eq!(run(&["approve", plan, "--by", "mia", "--role", "product-owner"]).code, 0);
    let again = run(&["approve", plan, "--by", "mia", "--role", "product-owner"]);
    assert!(again.stdout.contains("already approved"), "{}", again.stdout);
    assert_eq!(run(&["hold", plan, "--communique", "ops", "--by", "ada", "--why", "not yet"]).code, 0);
    assert_eq!(run(&["dispatch", plan, "--pending-ok"]).code, 0);
    assert_eq!(run(&["resume", plan, "--communique", "ops", "--by", "ada"]).code, 0);
    let out = run(&["dispatch", plan, "--wait"]);
    assert_eq!(out.code, 0, "{}\n{}", out.stdout, out.stderr);
    let tasks = run(&["tasks", plan]);
    assert!(tasks.stdout.contains("0 open"), "{}", tasks.stdout);
}

#[test]
fn a_bundle_stands_in_for_the_plan_and_its_people() {
    let folder = Folder::with_plans();
    let out = relcomm(&folder, &["prepare", "ledgerline.yaml", "--bundle", "ledgerline.bundle", "--out", "texts-out"]);
    assert_eq!(out.code, 0, "{}", out.stderr);
    let text = std::fs::read_to_string(folder.path("texts-out/live-eu/email/cust-001.txt")).unwrap();
    assert!(text.contains("is available to you in eu"), "{text}");
    let mut bytes = std::fs::read(folder.path("ledgerline.bundle")).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(folder.path("ledgerline.bundle")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    std::fs::remove_file(folder.path("members/customers.csv")).unwrap();
    let out = relcomm(&folder, &["deliver", "ledgerline.bundle"]);
    assert_eq!(out.code, 0, "{}\n{}", out.stdout, out.stderr);
    let at = bytes.windows(8).position(|w| w == b"cust-001").unwrap();
    bytes[at + 7] = b'9';
    std::fs::write(folder.path("changed.bundle"), bytes).unwrap();
    assert_eq!(relcomm(&folder, &["status", "changed.bundle"]).code, 2);
}

#[test]
fn errors_have_their_exit_codes() {
    let folder = Folder::with_plans();
    assert_eq!(relcomm(&folder, &["validate", "missing.yaml"]).code, 1);
    assert_eq!(relcomm(&folder, &["no-such-verb"]).code, 1);
    assert_eq!(relcomm(&folder, &["--help"]).code, 0);
    std::fs::write(folder.path("broken.yaml"), "plan: 1\nrelaese: {}\n").unwrap();
    let out = relcomm(&folder, &["validate", "broken.yaml"]);
    assert_eq!(out.code, 2);
    assert!(
        out.stdout.contains("broken.yaml:2:1: error[RC0002]") && out.stdout.contains("did you mean `release`"),
        "{}",
        out.stdout
    );
    let out = relcomm(&folder, &["validate", "broken.yaml", "--format", "github"]);
    let annotation =
        "::error file=broken.yaml,line=2,col=1,title=RC0002::unknown key `relaese`%0Adid you mean `release`?";
    assert!(out.stdout.contains(annotation), "{}", out.stdout);
}

#[test]
fn an_answer_for_nobody_is_found_and_nothing_is_sent() {
    let folder = Folder::with_plans();
    let script =
        "sandbox: 1\nanswers:\n  - { to: desk-eu, via: email }\n  - { to: custmers, via: email, refused: {} }\n";
    std::fs::write(folder.path("ledgerline.sandbox.yaml"), script).unwrap();
    let ran = relcomm(&folder, &["deliver", "ledgerline.yaml"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stdout.contains("ledgerline.sandbox.yaml:4:7: error[RC1201]"), "{}", ran.stdout);
    assert!(ran.stdout.contains("did you mean `customers`?"), "{}", ran.stdout);
    std::fs::write(
        folder.path("ledgerline.sandbox.yaml"),
        script.replace("to: custmers, via: email", "to: customers, via: emial"),
    )
    .unwrap();
    let ran = relcomm(&folder, &["deliver", "ledgerline.yaml"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stdout.contains("ledgerline.sandbox.yaml:4:22: error[RC1201]"), "{}", ran.stdout);
    assert!(ran.stdout.contains("did you mean `email`?"), "{}", ran.stdout);
    assert!(!folder.path("ledgerline.sandbox.db").exists());
}

const PAGED: &str = "plan: 1\nrelease: { product: Anvil, version: 2.0.0, what: Folders, why: Asked for., how: Choose Share. }\nresponsible: Ada <ada@anvil.example>\ngroups: { desk: { members: [{ id: bea, pager: Desk, phone: \"+41 44 555 0101\" }], via: [pager, phone] } }\ncommuniques: { live: { to: desk, covers: [item-1] } }\n";

#[test]
fn a_page_is_refused_or_tried_again_as_the_script_says() {
    for (says, wanted) in [
        ("refused: {}", vec![("pager", 1, "refused"), ("phone", 1, "done")]),
        ("refused: { status: 404 }", vec![("pager", 1, "refused"), ("phone", 1, "done")]),
        (
            "attempt: 1, failed: { status: 503, retry_after: 1s }",
            vec![("pager", 1, "not sent"), ("pager", 2, "accepted")],
        ),
    ] {
        let folder = Folder::empty();
        std::fs::write(folder.path("plan.yaml"), PAGED).unwrap();
        let script = format!("sandbox: 1\nanswers: [{{ to: bea, via: pager, {says} }}]\n");
        std::fs::write(folder.path("plan.sandbox.yaml"), script).unwrap();
        let ran = relcomm(&folder, &["deliver", "plan.yaml"]);
        assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
        let report = report(&folder, "plan.yaml");
        if says.contains("404") {
            assert_eq!(delivery(&report, "bea")["attempts"][0]["code"], "404");
        }
        let tried = tries(delivery(&report, "bea"));
        let tried: Vec<(&str, u64, &str)> = tried.iter().map(|(by, n, how)| (by.as_str(), *n, how.as_str())).collect();
        assert_eq!(tried, wanted, "{says}");
    }
}

#[test]
fn a_far_side_that_never_comes_back_does_not_keep_the_sandbox_going_for_ever() {
    let folder = Folder::empty();
    std::fs::write(folder.path("plan.yaml"), PAGED).unwrap();
    let script = "sandbox: 1\nanswers: [{ to: bea, via: pager, failed: { status: 429, retry_after: 1d } }]\n";
    std::fs::write(folder.path("plan.sandbox.yaml"), script).unwrap();
    let ran = relcomm(&folder, &["deliver", "plan.yaml"]);
    assert_eq!(ran.code, 5, "{}\n{}", ran.stdout, ran.stderr);
    let says = "the channel for pager:Desk does not come back, and nothing else happens: the sandbox stops here";
    assert!(ran.stderr.contains(says), "{}", ran.stderr);
    assert!(ran.stdout.contains("verdict: pending"), "{}", ran.stdout);
}

#[test]
fn an_answer_that_would_do_nothing_on_its_mechanism_is_found() {
    for (says, key, on) in [
        ("via: pager, answer: lost", "answer", "`webhook`"),
        ("via: pager, later: { acknowledged: 1m }", "later.acknowledged", "what is done by hand"),
        ("via: phone, refused: {}", "refused", "`email`, `webhook`, `pager`"),
        ("later: { bounced: { after: 1m } }", "later.bounced", "`email`"),
        ("via: pager, refused: { status: 200 }", "refused.status", ""),
    ] {
        let folder = Folder::empty();
        std::fs::write(folder.path("plan.yaml"), PAGED).unwrap();
        let script = format!("sandbox: 1\nanswers: [{{ to: bea, {says} }}]\n");
        std::fs::write(folder.path("plan.sandbox.yaml"), script).unwrap();
        let ran = relcomm(&folder, &["deliver", "plan.yaml"]);
        assert_eq!(ran.code, 2, "{says}: {}", ran.stderr);
        let what = if on.is_empty() {
            "this status refuses nothing"
        } else {
            "this does nothing on the mechanism of the answer"
        };
        assert!(ran.stdout.contains(&format!("error[RC1201]: {what}\n  in answers[0].{key}\n")), "{}", ran.stdout);
        let help = format!("help: the sandbox knows it on {on}");
        assert!(on.is_empty() || ran.stdout.contains(&help), "{}", ran.stdout);
        assert!(!folder.path("plan.sandbox.db").exists());
    }
}

#[test]
fn what_the_peers_cannot_prove_is_an_error_and_not_pending_for_ever() {
    let folder = Folder::empty();
    let plan = "plan: 1\nrelease: { product: Anvil, version: 2.0.0, what: Folders, why: Asked for., how: Choose Share. }\nresponsible: Ada <ada@anvil.example>\ngroups: { all: { email: list@anvil.example, informed_when: acknowledged } }\ncommuniques: { live: { to: all } }\n";
    std::fs::write(folder.path("plan.yaml"), plan).unwrap();
    let ran = relcomm(&folder, &["deliver", "plan.yaml"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stdout.contains("error[RC0503]"), "{}", ran.stdout);
}

#[test]
fn every_text_that_differs_is_written_for_reading() {
    let folder = Folder::empty();
    let plan = r#"
plan: 1
release: { product: Anvil, version: 2.0.0, what: [{ id: one, text: Folders }], why: Asked for., how: Choose Share. }
responsible: Ada <ada@anvil.example>
groups:
  all:
    languages: [en, de]
    members: [{ id: bea, email: bea@anvil.example }, { id: cho, email: cho@anvil.example, language: de }]
  staff: { members: [{ id: dee, email: dee@anvil.example }, { id: eve, email: eve@anvil.example }] }
  desk: { members: [{ id: eve, email: eve@anvil.example }] }
communiques:
  live: { to: all, text: { en: "New: {{ item.one }}", de: "Neu: {{ item.one }}" } }
  more: { to: [staff, desk], text: "{{ item.one }}", for: { desk: { text: "{{ item.one }}, and who will call" } } }
"#;
    std::fs::write(folder.path("plan.yaml"), plan).unwrap();
    let out = relcomm(&folder, &["prepare", "plan.yaml", "--out", "texts"]);
    assert_eq!(out.code, 0, "{}\n{}", out.stdout, out.stderr);
    let text = |name: &str| std::fs::read_to_string(folder.path(name)).unwrap();
    assert!(text("texts/live/email/all-all.en.txt").contains("New: Folders"));
    assert!(text("texts/live/email/all-all.de.txt").contains("Neu: Folders"));
    assert!(!text("texts/more/email/staff-all.txt").contains("call"));
    assert!(text("texts/more/email/staff-all-2.txt").contains("who will call"));
}

#[test]
fn texts_of_an_earlier_preparation_are_counted() {
    let folder = Folder::with_plans();
    let prepare = || relcomm(&folder, &["prepare", "ledgerline.yaml", "--out", "texts"]);
    assert!(!prepare().stderr.contains("earlier"));
    std::fs::create_dir_all(folder.path("texts/gone/email")).unwrap();
    std::fs::write(folder.path("texts/gone/email/x.txt"), "").unwrap();
    let again = prepare();
    assert!(again.stderr.contains("1 texts of an earlier preparation are left in texts"), "{}", again.stderr);
}
