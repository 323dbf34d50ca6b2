//! Receivers in processes of their own, and what they have taken in.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A receiver that runs until it is dropped.
pub(crate) struct Receiver {
    child: Child,
    /// Where it listens.
    pub(crate) url: String,
    lines: PathBuf,
    read: File,
    count: usize,
}

/// For each person the key of each copy, in the order in which they came.
pub(crate) type Copies = BTreeMap<String, Vec<String>>;

impl Receiver {
    /// An HTTP receiver that takes so many milliseconds to answer what it has taken in.
    pub(crate) fn http(directory: &Path, pause: u32) -> Self {
        Self::start(env!("CARGO_BIN_EXE_http-receiver"), directory, &[pause.to_string()])
    }

    /// A mail server.
    pub(crate) fn smtp(directory: &Path) -> Self {
        Self::start(env!("CARGO_BIN_EXE_smtp-receiver"), directory, &[])
    }

    fn start(program: &str, directory: &Path, rest: &[String]) -> Self {
        let lines = directory.join("received.jsonl");
        let read = File::options().create(true).append(true).read(true).open(&lines).expect("a file");
        let mut command = Command::new(program);
        command.arg(&lines).args(rest).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the receiver starts");
        let mut url = String::new();
        let out = child.stdout.take().expect("its output");
        BufReader::new(out).read_line(&mut url).expect("it says where it listens");
        Self { child, url: url.trim().to_owned(), lines, read, count: 0 }
    }

    /// How many copies it has taken in so far.
    pub(crate) fn count(&mut self) -> usize {
        let mut news = Vec::new();
        self.read.read_to_end(&mut news).expect("its file is read");
        self.count += news.iter().filter(|b| **b == b'\n').count();
        self.count
    }

    /// Ends it, and says what it had taken in.
    pub(crate) fn finish(mut self) -> Copies {
        drop(self.child.stdin.take());
        assert!(self.child.wait().expect("the receiver ends").success());
        let mut copies = Copies::new();
        for line in BufReader::new(File::open(&self.lines).expect("its file")).lines() {
            let line: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
            let key = line["id"].as_str().expect("a key").to_owned();
            copies.entry(person(&line)).or_default().push(key);
        }
        copies
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // A test that failed must not leave it behind; one that is over has ended it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whom a copy is for: the mailbox of a mail, or the last word of an event's subject.
fn person(line: &Value) -> String {
    if let Some(to) = line["to"].as_str() {
        return to.split('@').next().unwrap_or_default().to_owned();
    }
    let event: Value = serde_json::from_str(line["body"].as_str().expect("a body")).expect("an event");
    let subject = event["data"]["subject"].as_str().expect("a subject");
    subject.rsplit(' ').next().unwrap_or_default().to_owned()
}
