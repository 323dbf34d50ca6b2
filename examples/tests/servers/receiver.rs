//! The HTTP receiver of this package, in a process of its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A running receiver. It ends with its standard input, so also when the test is killed.
#[derive(Debug)]
pub(crate) struct Receiver {
    child: Child,
    file: PathBuf,
    url: String,
}

impl Receiver {
    /// Starts one that writes what it accepts into a file below `directory`.
    pub(crate) fn start(directory: &Path) -> Self {
        let file = directory.join("accepted.jsonl");
        let mut child = Command::new(env!("CARGO_BIN_EXE_http-receiver"))
            .arg(&file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the receiver starts");
        let mut url = String::new();
        let out = child.stdout.take().expect("its output");
        BufReader::new(out).read_line(&mut url).expect("its URL");
        Self { child, file, url: url.trim().to_owned() }
    }

    /// The URL of a path, which begins with a slash.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// `host:port`.
    pub(crate) fn authority(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Everything that it accepted, repeats included, in the order of arrival.
    pub(crate) fn accepted(&self) -> Vec<serde_json::Value> {
        let text = fs::read_to_string(&self.file).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
