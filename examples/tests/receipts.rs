//! What `relcomm receipts` reads: reports of mail by the return path of whichever channel they belong to, and calls back from a file.

mod command;

use command::{Folder, Ran, relcomm_with};
use relcomm_testkit::peer::smtp::{RecipientAnswer, SmtpPeer, SmtpScript};
use std::fs;

const PLAN: &str = "
plan: 1
id: reports
zone: UTC
release:
  product: Demo
  version: 1.0.0
  what: [{ id: one, text: The one thing }]
  why: Because.
  how: Open it.
responsible: Ada <ada@demo.example>
mechanisms: { letter: { proves: delivered } }
groups:
  staff: { members: [{ id: p1, email: one@people.example }], via: email }
  board: { members: [{ id: p2, letter: two@people.example }], via: letter }
communiques: { out: { to: [staff, board] } }
";

const CHANNELS: &str = "
channels: 1
email: { kind: smtp, url: { env: SMTP_URL }, from: releases@demo.example, return_path: bounces@demo.example }
letter: { kind: smtp, url: { env: SMTP_URL }, from: board@demo.example, return_path: { env: BOARD_BOUNCES } }
";

struct Scene {
    folder: Folder,
    env: Vec<(&'static str, String)>,
}

impl Scene {
    fn run(&self, verb: &str, rest: &[&str]) -> Ran {
        let surroundings = ["plan.yaml", "--channels", "channels.yaml", "--journal", "file:reports.db"];
        relcomm_with(&self.folder, &[&[verb], &surroundings[..], rest].concat(), &self.env)
    }
}

/// Both mails are out, and the relay has put a report of each into the Maildir `reports`.
fn scene() -> (Scene, SmtpPeer) {
    let folder = Folder::empty();
    let script = SmtpScript::new()
        .maildir(folder.path("reports"))
        .answer("one@people.example", RecipientAnswer::bounce())
        .answer("two@people.example", RecipientAnswer::bounce());
    let relay = SmtpPeer::start(script).unwrap();
    fs::write(folder.path("plan.yaml"), PLAN).unwrap();
    fs::write(folder.path("channels.yaml"), CHANNELS).unwrap();
    let env =
        vec![("SMTP_URL", format!("smtp://{}", relay.addr())), ("BOARD_BOUNCES", "returns@board.example".to_owned())];
    let scene = Scene { folder, env };
    let declare = ["--outcome", "success", "--by", "ada", "--proof", "run 7", "--new-journal"];
    assert_eq!(scene.run("declare", &declare).code, 0);
    let sent = scene.run("dispatch", &["--execute"]);
    assert_eq!(relay.mails().len(), 2, "{} {}", sent.stdout, sent.stderr);
    (scene, relay)
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_are_matched_by_the_return_path_of_every_channel_of_mail() {
    let (scene, _relay) = scene();
    let read = scene.run("receipts", &["--from", "maildir:reports"]);
    assert!(read.stdout.contains("2 recorded, 0 known before, 0 match nothing"), "{} {}", read.stdout, read.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn whichever_channel_looks_first_matches_the_reports_of_both() {
    let (scene, _relay) = scene();
    let shared = CHANNELS.replace("return_path:", "receipts: { maildir: reports }, return_path:");
    fs::write(scene.folder.path("channels.yaml"), shared).unwrap();
    let sent = scene.run("dispatch", &["--execute"]);
    let report = scene.run("report", &[]).stdout;
    assert_eq!(report.matches("— not informed: bounced").count(), 2, "{} {}\n{report}", sent.stdout, sent.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_line_is_named_by_its_number_and_never_shown() {
    let (scene, _relay) = scene();
    let lines: [&[u8]; 4] = [
        br#"{"mechanism":"email","headers":"Authorization: Bearer SEKRIT","body":""}"#,
        br#"{"mechanism":"email","headers":{},"body":"","bea@people.example":1}"#,
        b"{\"mechanism\":\"email\",\"headers\":{},\"body\":\"\xff\"}",
        br#"{"mechanism":"email","headers":{},"body":"","at":"SEKRIT"}"#,
    ];
    fs::write(scene.folder.path("calls.jsonl"), lines.join(&b'\n')).unwrap();
    let read = scene.run("receipts", &["--from", "callbacks:calls.jsonl"]);
    assert_eq!((read.code, read.stdout.contains("4 refused")), (3, true), "{} {}", read.stdout, read.stderr);
    for number in 1..=4 {
        assert!(read.stderr.contains(&format!("calls.jsonl:{number}: ")), "{}", read.stderr);
    }
    assert!(read.stderr.contains("`mechanism`, `headers`, `body`"), "{}", read.stderr);
    assert!(!read.stderr.contains("SEKRIT") && !read.stderr.contains("bea@"), "{}", read.stderr);
}
