//! Who does what, seen from the command: whoever is not named is refused with one line and 3, and whoever is asked answers.

mod command;

use command::{Folder, Ran, relcomm};
use serde_json::Value;

const PLAN: &str = "
plan: 1
id: duties
release: { product: Anvil, version: 2.0.0, what: Shared folders, why: Teams asked for it., how: Choose Share. }
responsible: { execute: Ada Osei <ada@anvil.example>, backup: ben@anvil.example }
approvals:
  roles: { owner: [mia@anvil.example], duty: [jon@anvil.example] }
  need: [owner]
  distinct: [prepare, approve, declare, execute]
protocol: { prepare: [pat], declare: responsible, execute: [cal, dee] }
groups:
  desk: { members: [{ id: al, phone: \"+41445550101\" }, { id: bea, phone: \"+41445550102\" }], via: phone, informed_when: acknowledged }
  customers: list@anvil.example
communiques:
  brief: { to: desk }
  live: { to: customers, after: brief acknowledged, if_blocked: { then: ask duty } }
";

fn folder() -> Folder {
    let folder = Folder::empty();
    std::fs::write(folder.path("plan.yaml"), PLAN).unwrap();
    folder
}

fn is_refused(ran: &Ran, line: &str) {
    let lines: Vec<&str> = ran.stderr.lines().filter(|line| line.starts_with("relcomm: ")).collect();
    assert_eq!(
        (ran.code, ran.stdout.as_str(), lines),
        (3, "", vec![format!("relcomm: {line}").as_str()]),
        "{}",
        ran.stderr
    );
}

#[test]
fn in_the_sandbox_stand_ins_act_for_whoever_is_named() {
    let folder = folder();
    let ran = relcomm(&folder, &["deliver", "plan.yaml", "--format", "json"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["declarations"][0]["by"], "ada");
    assert_eq!((&report["executions"][0]["by"], &report["executions"][0]["says"]), (&"cal".into(), &"executed".into()));
}

#[test]
fn whoever_is_not_named_for_an_act_is_refused() {
    let folder = folder();
    let run = |args: &[&str]| relcomm(&folder, args);
    let line = "the plan names who prepares, and this person is not among them";
    is_refused(&run(&["prepare", "plan.yaml", "--bundle", "a.bundle", "--by", "ada"]), line);
    is_refused(&run(&["prepare", "plan.yaml", "--bundle", "a.bundle"]), "the plan asks who prepares: say it with --by");
    assert!(!folder.path("a.bundle").exists());
    assert_eq!(run(&["prepare", "plan.yaml", "--bundle", "a.bundle", "--by", "pat"]).code, 0);
    let bundle = std::fs::read(folder.path("a.bundle")).unwrap();
    assert!(String::from_utf8_lossy(&bundle).contains("\"prepared_by\":\"pat\""));
    let line = "the plan names who declares, and this person is not among them";
    is_refused(&run(&["declare", "a.bundle", "--outcome", "success", "--by", "cal"]), line);
    let line = "the plan names who executes, and this person is not among them";
    is_refused(&run(&["dispatch", "a.bundle", "--by", "ada"]), line);
    assert_eq!(run(&["approve", "a.bundle", "--role", "owner", "--by", "mia"]).code, 0);
    assert_eq!(run(&["declare", "a.bundle", "--outcome", "success", "--by", "ben"]).code, 0);
    assert_eq!(run(&["dispatch", "a.bundle", "--wait", "--by", "dee"]).code, 0);
    let ran = run(&["report", "a.bundle"]);
    assert_eq!(run(&["audit", "a.bundle"]).code, 0, "the record is what its entries come to");
    assert!(ran.stdout.contains("executed: plan from ") && ran.stdout.contains(" by dee\n"), "{}", ran.stdout);
}

#[test]
fn whoever_is_asked_finds_it_among_the_tasks_and_answers() {
    let folder = folder();
    let sandbox = "answers: [{ to: bea, via: phone, answer: failed }]\n";
    std::fs::write(folder.path("plan.sandbox.yaml"), sandbox).unwrap();
    let run = |args: &[&str]| relcomm(&folder, args);
    assert_eq!(run(&["approve", "plan.yaml", "--role", "owner", "--by", "mia"]).code, 0);
    assert_eq!(run(&["declare", "plan.yaml", "--outcome", "success", "--by", "ada"]).code, 0);
    let ran = run(&["dispatch", "plan.yaml", "--wait"]);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("live: duty is asked: blocked by brief acknowledged"), "{}", ran.stdout);
    let ran = run(&["tasks", "plan.yaml"]);
    let line = "live — blocked by brief acknowledged: duty says `resume` or `cancel`\n1 open\n";
    assert_eq!((ran.code, ran.stdout.as_str()), (0, line), "{}", ran.stderr);
    let ran = run(&["tasks", "plan.yaml", "--format", "json"]);
    let tasks: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&tasks[0]["role"], &tasks[0]["communique"]), (&"duty".into(), &"live".into()));
    for verb in ["resume", "cancel"] {
        let line = "`live` is blocked and asks duty: this person does not answer for that";
        is_refused(&run(&[verb, "plan.yaml", "--communique", "live", "--by", "ada"]), line);
    }
    assert_eq!(run(&["resume", "plan.yaml", "--communique", "live", "--by", "jon"]).code, 0);
    let ran = run(&["dispatch", "plan.yaml", "--wait", "--format", "json"]);
    assert_eq!(ran.code, 4, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(run(&["audit", "plan.yaml"]).code, 0, "the record is what its entries come to");
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let all = report["people"].as_array().unwrap();
    assert_eq!(all.iter().filter(|p| p["class"] == "informed").count(), 2, "all but bea: {report}");
}

#[test]
fn a_place_is_not_declared_before_what_it_needs() {
    let folder = Folder::empty();
    let plan = "
plan: 1
id: needs
release:
  product: Anvil
  version: 2.0.0
  what: Shared folders
  why: Teams asked for it.
  how: Choose Share.
  where: { eu: { needs: soon informed } }
  when: 2099-05-12T07:00Z
responsible: Ada Osei <ada@anvil.example>
groups: { customers: list@anvil.example }
communiques: { soon: { to: customers, at: 2099-05-11T07:00Z, text: \"Soon: {{ item.item_1 }}\" }, live: { to: customers } }
";
    std::fs::write(folder.path("plan.yaml"), plan).unwrap();
    let declare = |outcome| relcomm(&folder, &["declare", "plan.yaml", "--outcome", outcome, "--by", "ada"]);
    let line = "eu needs soon informed before it can be declared success: that is not so yet";
    is_refused(&declare("success"), line);
    assert_eq!(declare("failure").code, 0);
    let ran = relcomm(&folder, &["deliver", "plan.yaml", "--journal", "file:other.db"]);
    assert_eq!(ran.code, 0, "in the sandbox its time comes: {}{}", ran.stdout, ran.stderr);
}
