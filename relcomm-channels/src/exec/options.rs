//! How a program is started.

use secrecy::SecretString;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// The program and how it is started.
#[derive(Clone)]
#[non_exhaustive]
pub struct ExecOptions {
    /// The program. A name without a slash is looked for in `PATH`.
    pub program: PathBuf,
    /// Its arguments. They are visible to everybody on the machine: no place for secrets.
    pub arguments: Vec<String>,
    /// Its environment, the place for secrets: these and `PATH`, and nothing else of ours.
    pub environment: BTreeMap<String, SecretString>,
    /// How long it may take to describe itself. Default: 10 s.
    pub patience: Duration,
}

impl ExecOptions {
    /// This program, without arguments.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            environment: BTreeMap::new(),
            patience: Duration::from_secs(10),
        }
    }

    /// With one more argument.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// With this variable in its environment.
    #[must_use]
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<SecretString>) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// With so much time to describe itself.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }
}

impl fmt::Debug for ExecOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExecOptions")
            .field("program", &self.program.file_name())
            .field("arguments", &self.arguments.len())
            .field("environment", &self.environment.len())
            .finish_non_exhaustive()
    }
}
