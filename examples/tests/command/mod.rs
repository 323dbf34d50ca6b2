//! Runs the built command in a folder of its own.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder that holds the example plans, and goes when it is dropped.
#[derive(Debug)]
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    /// A copy of the example plans with all that they name.
    pub(crate) fn with_plans() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("plans"), folder.0.path());
        folder
    }

    /// A folder with nothing in it.
    pub(crate) fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A file in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else if !entry.file_name().to_string_lossy().contains(".sandbox.db") {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// What a run came to.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the command in the folder.
pub(crate) fn relcomm(folder: &Folder, args: &[&str]) -> Ran {
    relcomm_with(folder, args, &[])
}

/// Runs the command in the folder with more in its environment.
pub(crate) fn relcomm_with(folder: &Folder, args: &[&str], env: &[(&str, String)]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relcomm"));
    command.args(args).current_dir(folder.0.path()).envs(env.iter().map(|(k, v)| (k, v)));
    let out = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: out.status.code().unwrap_or(-1), stdout: text(out.stdout), stderr: text(out.stderr) }
}
