//! References to what does not belong in a file: `{ env: NAME }` and `{ file: PATH }`, each with an optional `default`.

use relcomm_core::plan::Finding;
use relcomm_core::plan::source::{Node, Source};
use secrecy::SecretString;
use serde::Deserialize;
use std::fmt;

/// Where a value is.
#[derive(Clone, PartialEq, Eq)]
pub enum Reference {
    /// It stands in the file: for what is no secret.
    Plain(String),
    /// It is elsewhere.
    Elsewhere(Elsewhere),
}

/// A value that is elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Elsewhere {
    env: Option<String>,
    file: Option<String>,
    default: Option<String>,
}

/// A reference that leads nowhere. Names the variable or file, never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MissingSecret(String);

impl Reference {
    /// The reference at a path of a file; `None` if there is nothing.
    ///
    /// # Errors
    /// Findings, if what is there is neither text nor `{ env }` nor `{ file }`.
    pub fn at(source: &Source, path: &str) -> Result<Option<Self>, Vec<Finding>> {
        match source.get(path).map(Node::text) {
            None => Ok(None),
            Some(Some(text)) => Ok(Some(Self::Plain(text.to_owned()))),
            Some(None) => source.decode_at(path).map(|e| Some(Self::Elsewhere(e))),
        }
    }

    /// Whether it stands in the file itself.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        matches!(self, Self::Plain(_))
    }

    /// Reads the value. Line ends at its end are dropped.
    ///
    /// # Errors
    /// The variable is not set, or the file cannot be read, and there is no default.
    pub fn read(&self) -> Result<SecretString, MissingSecret> {
        let elsewhere = match self {
            Self::Plain(text) => return Ok(text.clone().into()),
            Self::Elsewhere(elsewhere) => elsewhere,
        };
        let found =
            match (&elsewhere.env, &elsewhere.file) {
                (Some(name), None) => std::env::var(name)
                    .map_err(|_| MissingSecret(format!("the environment variable {name} is not set"))),
                (None, Some(path)) => std::fs::read_to_string(path)
                    .map_err(|e| MissingSecret(format!("the file {path} cannot be read: {e}"))),
                _ => Err(MissingSecret("a reference names one of `env` and `file`".into())),
            };
        match (found, &elsewhere.default) {
            (Ok(text), _) => Ok(text.trim_end_matches(['\r', '\n']).to_owned().into()),
            (Err(_), Some(default)) => Ok(default.clone().into()),
            (Err(why), None) => Err(why),
        }
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(_) => f.write_str("Plain(..)"),
            Self::Elsewhere(elsewhere) => elsewhere.fmt(f),
        }
    }
}
