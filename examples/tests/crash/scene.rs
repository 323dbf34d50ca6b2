//! A plan for so many people, the channels by which it goes live, and the command.

use serde_json::Value;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// By webhook, to a receiver that honours keys.
    Keys,
    /// By webhook, to a receiver that does not.
    NoKeys,
    /// By mail.
    Mail,
}

/// Files in a directory of their own, and the command that works on them.
pub(crate) struct Scene {
    directory: TempDir,
    url: String,
    /// The plan.
    pub(crate) plan: PathBuf,
    /// The plan, sealed, once it is prepared.
    pub(crate) bundle: PathBuf,
    /// The channels file.
    pub(crate) channels: PathBuf,
    /// The journal of what is live.
    pub(crate) journal: PathBuf,
}

/// How a verb ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// The result, if the verb ended with this code.
    pub(crate) fn json(&self, code: i32) -> Value {
        assert_eq!(self.code, Some(code), "{self:#?}");
        serde_json::from_str(&self.out).expect("JSON")
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Scene {
    /// An empty directory, for a receiver's file too.
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let at = |name: &str| directory.path().join(name);
        Self {
            url: String::new(),
            plan: at("plan.yaml"),
            bundle: at("plan.bundle"),
            channels: at("channels.yaml"),
            journal: at("journal.db"),
            directory,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a plan for so many people, and the channels that lead to `url`, so many calls at a time.
    pub(crate) fn write(&mut self, people: usize, by: By, rule: &str, window: usize, url: &str) {
        let mut csv = "ID,EMAIL,WEBHOOK\n".to_owned();
        for n in 0..people {
            // Writing to a string does not fail.
            let _ = writeln!(csv, "p{n:04},p{n:04}@people.test,crm");
        }
        fs::write(self.path().join("people.csv"), csv).expect("written");
        let (via, column) = if by == By::Mail { ("email", "EMAIL") } else { ("webhook", "WEBHOOK") };
        let plan = format!(
            "plan: 1
id: crash
zone: UTC
settle: 3d
indeterminate: {rule}
release:
  product: Lantern
  version: 2.0.0
  what: [Lamps that stay lit]
  why: The old ones went out.
  where: everywhere
  how: Nothing has to be done.
responsible: Ada Osei <ada@lantern.test>
groups:
  people: {{ owner: ada, via: {via}, members: {{ file: people.csv, columns: {{ id: ID, {via}: {column} }} }} }}
communiques:
  live: {{ to: people, at: declared, subject: \"Lantern for {{{{ person.id }}}}\", text: \"It is live.\", covers: [item-1] }}
"
        );
        fs::write(&self.plan, plan).expect("written");
        let channel = match by {
            By::Mail => format!(
                "email: {{ kind: smtp, url: {{ env: FAR_SIDE }}, from: releases@lantern.test, connections: {window} }}"
            ),
            By::Keys | By::NoKeys => format!(
                "webhook: {{ kind: webhook, endpoints: {{ crm: {{ url: {{ env: FAR_SIDE }} }} }}, allow: [127.0.0.0/8], honours_keys: {}, concurrency: {window} }}",
                by == By::Keys
            ),
        };
        fs::write(&self.channels, format!("channels: 1\njournal: \"file:{}\"\n{channel}\n", self.journal.display()))
            .expect("written");
        self.url = url.to_owned();
    }

    /// Seals the plan, and declares success in a new journal.
    pub(crate) fn declare(&self) {
        let bundle = self.bundle.display().to_string();
        let prepared = self.live(&self.plan, "prepare", &["--bundle", &bundle]);
        assert_eq!(prepared.code, Some(0), "{prepared:#?}");
        let said = ["--new-journal", "--outcome", "success", "--by", "ada", "--proof", "https://ci.test/1"];
        let declared = self.live(&self.bundle, "declare", &said);
        assert_eq!(declared.code, Some(0), "{declared:#?}");
    }

    /// A verb in the sandbox.
    pub(crate) fn sandbox(&self, verb: &str, rest: &[&str]) -> Ended {
        self.command(&self.plan, verb, rest).output().expect("the command runs").into()
    }

    /// A verb with the channels, on the plan or the bundle.
    pub(crate) fn live(&self, on: &Path, verb: &str, rest: &[&str]) -> Ended {
        self.command(on, verb, rest).arg("--channels").arg(&self.channels).output().expect("the command runs").into()
    }

    /// Begins to dispatch. What it says is not kept: it is going to be killed, or watched by other means.
    pub(crate) fn dispatch(&self) -> Child {
        let mut command = self.command(&self.bundle, "dispatch", &["--execute", "--wait", "--by", "ada"]);
        command.arg("--channels").arg(&self.channels);
        quiet(&mut command)
    }

    /// Begins to dispatch what is due now.
    pub(crate) fn dispatch_once(&self) -> Child {
        quiet(self.command(&self.bundle, "dispatch", &["--execute"]).arg("--channels").arg(&self.channels))
    }

    /// Begins to deliver in the sandbox.
    pub(crate) fn deliver(&self) -> Child {
        quiet(&mut self.command(&self.plan, "deliver", &[]))
    }

    fn command(&self, on: &Path, verb: &str, rest: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_relcomm"));
        command.arg(verb).arg(on).args(rest).env("FAR_SIDE", &self.url).stdin(Stdio::null());
        // What a killed sandbox leaves goes with the scene.
        command.env("TMPDIR", self.path());
        command
    }
}

fn quiet(command: &mut Command) -> Child {
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the command runs")
}

/// Looks again and again until something is so, for a minute at most.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "after a minute still not: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}
