//! Findings: what is wrong, where, and what helps.

use serde::Serialize;
use std::fmt;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A default that was used, or the like; shown on demand.
    Note,
    /// Probably not meant.
    Warning,
    /// The plan cannot be prepared.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// Where in a file something stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Position {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The source line, without its end.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
}

impl Position {
    /// A place in a file.
    #[must_use]
    pub fn new(file: impl Into<String>, line: usize, column: usize, source: impl Into<String>) -> Self {
        Self { file: file.into(), line, column, source: source.into() }
    }
}

/// One thing that a check found. Codes are stable: `RC` and four digits.
///
/// `Display` is the form for people: position, severity, code, message, source line with caret, help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The stable code, such as `RC0101`.
    pub code: &'static str,
    /// How much it weighs.
    pub severity: Severity,
    /// The path within the plan, such as `communiques.live.via[1]`; empty for the whole.
    pub path: String,
    /// Where it stands, as far as that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Position>,
    /// What is wrong, in one line. Holds no address and no secret.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Finding {
    /// A finding about the part of the plan at `path`.
    #[must_use]
    pub fn new(code: &'static str, severity: Severity, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, severity, path: path.into(), at: None, message: message.into(), help: None }
    }

    /// An error about the part of the plan at `path`.
    #[must_use]
    pub fn error(code: &'static str, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, path, message)
    }

    /// A warning about the part of the plan at `path`.
    #[must_use]
    pub fn warning(code: &'static str, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, path, message)
    }

    /// A note about the part of the plan at `path`.
    #[must_use]
    pub fn note(code: &'static str, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Note, path, message)
    }

    /// With what helps.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With its position.
    #[must_use]
    pub fn at(mut self, at: Position) -> Self {
        self.at = Some(at);
        self
    }

    /// Whether the plan cannot be prepared because of it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = &self.at {
            write!(f, "{}:{}:{}: ", at.file, at.line, at.column)?;
        }
        write!(f, "{}[{}]: {}", self.severity, self.code, self.message)?;
        if !self.path.is_empty() {
            write!(f, "\n  in {}", self.path)?;
        }
        if let Some(at) = &self.at
            && !at.source.is_empty()
        {
            let number = at.line.to_string();
            let pad = " ".repeat(number.len());
            let lead: String = at
                .source
                .chars()
                .take(at.column.saturating_sub(1))
                .map(|c| if c == '\t' { '\t' } else { ' ' })
                .collect();
            write!(f, "\n{pad} |\n{number} | {}\n{pad} | {lead}^", at.source)?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
    }
}
