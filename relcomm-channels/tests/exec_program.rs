//! A channel that is a program: one in Python keeps the contract of channels over its pipe, and one that is wrong is caught.
#![cfg(feature = "exec")]

use async_trait::async_trait;
use relcomm_channels::exec::{ExecChannel, ExecOptions, ExecSetupError};
use relcomm_core::channel::{
    Accepted, AttemptContext, Batch, Channel, ErrorKind, Key, Outcome, Outcomes, Outgoing, Prepared,
};
use relcomm_core::clock::SystemClock;
use relcomm_core::receipt::{Assurance, Token};
use relcomm_core::stakeholder::Address;
use relcomm_testkit::contract::channel::{Arrival, CannotShow, ChannelFixture, FarSide, Plot, Trial, run, run_one};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

/// The interpreter itself, and not a script that looks for one; `None`, and said so, without one.
fn python() -> Option<String> {
    let asked = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
    let path = asked.ok().filter(|a| a.status.success()).map(|a| String::from_utf8_lossy(&a.stdout).trim().to_owned());
    if path.is_none() {
        assert!(std::env::var_os("RELCOMM_REQUIRE").is_none(), "there is no python3");
        use std::io::Write as _;
        std::io::stdout().write_all(b"SKIPPED: there is no python3\n").expect("said");
    }
    path
}

/// How the program is wrong, if it is, and what it runs under.
struct Desk(&'static str, String);

#[async_trait]
impl ChannelFixture for Desk {
    async fn set_up(&self, plot: Plot) -> Result<Trial, CannotShow> {
        let desk = tempfile::tempdir().expect("a folder");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/exec/desk.py");
        let options = ExecOptions::new(&self.1).argument("-IS").argument(script).variable("HABIT", self.0);
        let options = options.variable("DESK", desk.path().to_str().expect("text"));
        let fault = plot.fault().map(|fault| fault.to_string()).unwrap_or_default();
        let options = options.variable("FAULT", fault).variable("SPARED", plot.spared().to_string());
        let channel = ExecChannel::describe(options).await.expect("a channel");
        let calls = desk.path().join("calls");
        let arrivals = move || {
            let read = fs::read_to_string(desk.path().join("arrivals")).unwrap_or_default();
            read.lines().filter_map(|line| Some(arrival(&serde_json::from_str(line).ok()?))).collect()
        };
        Ok(Trial::new(channel, arrivals, move || fs::read(&calls).map_or(0, |calls| calls.len())))
    }
    fn far_side(&self) -> FarSide {
        FarSide::taking(["ana@desk.test", "bea@desk.test", "cy@desk.test"]).refusing("gone@desk.test")
    }
}

fn arrival(kept: &Value) -> Arrival {
    let text = |name: &str| kept[name].as_str().unwrap_or_default().to_owned();
    Arrival::new(text("text")).subject(text("subject")).key(text("key")).to(text("to")).raw(kept.to_string())
}

#[tokio::test]
async fn a_program_keeps_the_contract_over_its_pipe() {
    let Some(python) = python() else { return };
    run(&Desk("", python)).await.demand(2);
}

#[tokio::test]
async fn a_wrong_program_is_caught_by_the_clause_that_it_breaks() {
    let Some(python) = python() else { return };
    let report = run_one(&Desk("tardy", python), "c18_a_dropped_call_sends_nothing_later").await.expect("a clause");
    assert!(report.to_string().starts_with("c18_a_dropped_call_sends_nothing_later: BROKEN: "), "{report}");
}

/// A program that asks for no leave: whatever has begun may be out.
#[tokio::test]
async fn a_program_without_crossings_leaves_in_doubt_what_it_had_not_told() {
    let described = r#"{"relcomm": 1, "kind": "x", "addressing": "each", "proves": "accepted", "per_call": 2}"#;
    let told = r#"{"accepted": {"item": 1, "reference": "to bea@desk.test"}}"#;
    let script =
        format!("read line; case \"$line\" in *describe*) echo '{described}';; *) echo '{told}'; sleep 60;; esac");
    let channel = ExecChannel::describe(ExecOptions::new("/bin/sh").argument("-c").argument(script)).await;
    let channel = channel.expect("a channel");
    let item = |to: &str| Outgoing::new(Key::of([to.as_bytes()]), Token::new("mark"), Address::new(to).ok());
    let (text, key, items) =
        (Prepared::new([]), Key::of([b"m".as_slice()]), [item("ana@desk.test"), item("bea@desk.test")]);
    let cx = AttemptContext::new(Arc::new(SystemClock::new()), Duration::from_secs(1));
    let mut outcomes = Outcomes::new(2);
    let said = channel.attempt(&cx, &Batch::new(&text, &key, &items), &mut outcomes).await;
    assert_eq!(said.expect_err("its time is over").kind, ErrorKind::Timeout);
    assert!(outcomes.is_crossed(0) && outcomes.is_set(1), "what it told is kept");
    let all: Vec<Outcome> = outcomes.settle(|_| Outcome::Accepted(Accepted::new(Assurance::Attempted))).collect();
    let Some(Outcome::Accepted(accepted)) = all.last() else { panic!("{all:?}") };
    assert_eq!((accepted.assurance, &accepted.reference), (Assurance::Accepted, &None), "an address is not kept");
}

#[tokio::test]
async fn what_is_no_channel_is_refused_without_repeating_it() {
    let described = async |options: ExecOptions| ExecChannel::describe(options).await.expect_err("no channel");
    let missing = described(ExecOptions::new("/nonexistent/s3cret")).await;
    assert_eq!(missing, ExecSetupError::Start(std::io::ErrorKind::NotFound));
    let shell = |script: &str| ExecOptions::new("/bin/sh").argument("-c").argument(script);
    let described_as = |line: &str| shell(&format!("echo '{line}'"));
    assert_eq!(described(shell("exit 1")).await, ExecSetupError::Description);
    assert_eq!(described(described_as("s3cret")).await, ExecSetupError::Description);
    let whole = r#""kind": "x", "addressing": "each", "proves": "accepted""#;
    for wrong in [
        format!(r#"{{"relcomm": 2, {whole}}}"#),
        format!(r#"{{"relcomm": 1, {whole}, "crossing": true}}"#),
        format!(
            r#"{{"relcomm": 1, {whole}, "limits": [{{"part": "text", "max": 9, "unit": "chars", "on_excess": "cut"}}]}}"#
        ),
    ] {
        assert_eq!(described(described_as(&wrong)).await, ExecSetupError::Description, "{wrong}");
    }
    let silent = shell("sleep 60").patience(Duration::from_millis(100));
    assert_eq!(described(silent).await, ExecSetupError::Silent);
    let options = shell("true").variable("TOKEN", "s3cret");
    assert!(!format!("{options:?}").contains("s3cret") && Path::new("/bin/sh").exists());
}
