//! How a channel that is a program is configured, and what the program says of itself.

use relcomm_core::mechanism::{Addressing, Deduplication, Unit};
use relcomm_core::receipt::Assurance;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// Which program, and what it is given.
#[derive(Clone)]
#[non_exhaustive]
pub struct ExecOptions {
    /// The program: a path, or a name that is looked for in `PATH`.
    pub program: PathBuf,
    /// Its arguments. Whoever may list processes sees them: no place for a secret.
    pub args: Vec<String>,
    /// What is put into its environment: names and values, which are secret.
    pub env: BTreeMap<String, SecretString>,
    /// Where it runs. Default: where the host runs.
    pub directory: Option<PathBuf>,
    /// How long one call may take. Default: what the program says, else 60 s.
    pub timeout: Option<Duration>,
    /// How many calls, each a process, may run at once. Default: what the program says, else 1.
    pub concurrency: Option<NonZeroU32>,
}

impl ExecOptions {
    /// That program, without arguments.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: BTreeMap::new(),
            directory: None,
            timeout: None,
            concurrency: None,
        }
    }

    /// With this argument behind the others.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// With this variable in its environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<SecretString>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// Running in this directory.
    #[must_use]
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// With this bound on one call.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// With so many calls at once.
    #[must_use]
    pub fn concurrency(mut self, n: NonZeroU32) -> Self {
        self.concurrency = Some(n);
        self
    }

    /// The program, by a path that does not hang on the directory in which it runs.
    fn found(&self) -> PathBuf {
        let is_path = self.program.components().count() > 1;
        let absolute = || std::path::absolute(&self.program).ok();
        absolute().filter(|_| is_path && self.directory.is_some()).unwrap_or_else(|| self.program.clone())
    }

    /// The process as the channel starts it, with its arguments, directory and environment: for a test that asks what the channel does
    /// not ask.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(self.found());
        command.args(&self.args).env_clear();
        command.envs(KEPT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        command.envs(self.env.iter().map(|(name, value)| (name, value.expose_secret())));
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        command
    }
}

/// The variables that a program is given from the host's environment, where they are set.
const KEPT: [&str; 7] = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SYSTEMROOT"];

impl fmt::Debug for ExecOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExecOptions")
            .field("program", &self.program)
            .field("args", &self.args.len())
            .field("env", &self.env.keys())
            .finish_non_exhaustive()
    }
}

/// What a program says of itself when it is asked to `describe`. All but `kind` may be left out.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Description {
    /// The kind; the descriptor says `exec:KIND`. 1 to 32 lower-case letters, digits and `-`.
    pub kind: String,
    /// What the recipient sees as the origin. Default: nothing is said.
    #[serde(default)]
    pub sender: Option<String>,
    /// How it reaches people. Default: each.
    #[serde(default = "each")]
    pub addressing: Addressing,
    /// The most that it can ever prove, receipts included. Default: accepted.
    #[serde(default = "accepted")]
    pub proves: Assurance,
    /// Whether a repeat is recognised. Default: none.
    #[serde(default = "no_deduplication")]
    pub deduplication: Deduplication,
    /// The parts that it wants. Default: `subject` and `text`, without limit.
    #[serde(default = "subject_and_text")]
    pub parts: Vec<PartDescription>,
    /// What a whole address looks like, as a regular expression. Default: any address.
    #[serde(default)]
    pub address: Option<String>,
    /// How many recipients one call may carry. Default: 1.
    #[serde(default = "one")]
    pub per_call: NonZeroU32,
    /// How many calls, each a process, may run at once. Default: 1.
    #[serde(default = "one")]
    pub concurrency: NonZeroU32,
    /// How often it may be called. Default: as often as there is something.
    #[serde(default)]
    pub rate: Option<RateDescription>,
    /// How long one call may take, in seconds. Default: 60.
    #[serde(default)]
    pub timeout: Option<NonZeroU32>,
    /// Whether it answers `lookup`. Default: no.
    #[serde(default)]
    pub lookup: bool,
    /// Whether it answers `receipts` and `receipts-done`. Default: no.
    #[serde(default)]
    pub receipts: bool,
    /// What it is tested with, if it wants to be tested. Default: nothing.
    #[serde(default)]
    pub trial: Option<TrialDescription>,
}

/// What a program is tested with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TrialDescription {
    /// Addresses that it takes, three if it can; none if it posts once for all.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// An address that it refuses for good. Default: it knows none.
    #[serde(default)]
    pub refused: Option<String>,
}

/// One part that a program wants.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PartDescription {
    /// `subject`, `text` (plain), `html`, `short` (one line), or `about`: what the text is about, as a JSON object.
    pub name: PartName,
    /// The most that it may hold; preparation refuses more. Default: no limit.
    #[serde(default)]
    pub max: Option<usize>,
    /// What `max` counts. Default: characters.
    #[serde(default = "chars")]
    pub unit: Unit,
}

/// A part's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum PartName {
    /// One line.
    Subject,
    /// The text, plain.
    Text,
    /// The text, as HTML.
    Html,
    /// One short line.
    Short,
    /// Plan, product, version, communique, groups, place and language.
    About,
}

impl PartName {
    /// The word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Text => "text",
            Self::Html => "html",
            Self::Short => "short",
            Self::About => "about",
        }
    }
}

/// At most `count` attempts in each `seconds`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RateDescription {
    /// How many.
    pub count: NonZeroU32,
    /// In how long.
    pub seconds: NonZeroU32,
}

impl Description {
    /// The plainest program of that kind: all defaults.
    #[must_use]
    pub fn new(kind: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            sender: None,
            addressing: each(),
            proves: accepted(),
            deduplication: no_deduplication(),
            parts: subject_and_text(),
            address: None,
            per_call: one(),
            concurrency: one(),
            rate: None,
            timeout: None,
            lookup: false,
            receipts: false,
            trial: None,
        }
    }
}

fn each() -> Addressing {
    Addressing::Each
}

fn accepted() -> Assurance {
    Assurance::Accepted
}

fn no_deduplication() -> Deduplication {
    Deduplication::None
}

fn subject_and_text() -> Vec<PartDescription> {
    [PartName::Subject, PartName::Text].map(|name| PartDescription { name, max: None, unit: chars() }).into()
}

fn one() -> NonZeroU32 {
    NonZeroU32::MIN
}

fn chars() -> Unit {
    Unit::Chars
}
