//! The command, run as a scheduler or a person runs it.

use crate::servers::until;
use serde_json::Value;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// How to call the command for one plan and deployment.
#[derive(Debug)]
pub(crate) struct Relcomm {
    directory: PathBuf,
    plan: PathBuf,
    environment: Vec<(String, String)>,
}

/// How a call ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A call that still runs. It is ended with the test.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    out: PathBuf,
    err: PathBuf,
}

impl Relcomm {
    pub(crate) fn new(directory: &Path, plan: &Path, environment: Vec<(String, String)>) -> Self {
        Self { directory: directory.to_owned(), plan: plan.to_owned(), environment }
    }

    /// The same with another value in the environment.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut environment = self.environment.clone();
        environment.push((name.to_owned(), value.to_owned()));
        Self::new(&self.directory, &self.plan, environment)
    }

    /// Begins `relcomm VERB PLAN …`. What it says goes to files, as no pipe holds a whole report.
    pub(crate) fn begin(&self, verb: &str, rest: &[&str]) -> Running {
        let file = |end: &str| self.directory.join(format!("{verb}.{end}"));
        let (out, err) = (file("out"), file("err"));
        let child = Command::new(env!("CARGO_BIN_EXE_relcomm"))
            .arg(verb)
            .arg(&self.plan)
            .args(rest)
            .args(["--format", "json"])
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .stdout(File::create(&out).expect("a file"))
            .stderr(File::create(&err).expect("a file"))
            .spawn()
            .expect("the command starts");
        Running { child, out, err }
    }

    /// Runs `relcomm VERB PLAN …` to its end.
    pub(crate) fn run(&self, verb: &str, rest: &[&str]) -> Ended {
        self.begin(verb, rest).end()
    }
}

impl Running {
    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ended {
        let done = until("the command ends", || self.child.try_wait().expect("a process"));
        let read = |path: &Path| fs::read_to_string(path).expect("what it said");
        Ended { code: done.code().unwrap_or(-1), out: read(&self.out), err: read(&self.err) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

impl Ended {
    /// What it printed, after it ended with this code.
    pub(crate) fn json(&self, code: i32) -> Value {
        assert_eq!(self.code, code, "{}{}", self.err, self.out.get(..2000).unwrap_or(&self.out));
        serde_json::from_str(&self.out).expect("JSON on standard output")
    }
}
