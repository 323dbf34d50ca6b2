//! What is wrong with a template.

use std::fmt;
use std::ops::Range;

use minijinja::ErrorKind;

/// What is wrong with a template, where, in one line.
///
/// The text names expressions of the template, never values: those may be names and addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    name: String,
    line: Option<usize>,
    column: Option<usize>,
    message: String,
}

impl TemplateError {
    /// An error that concerns the template as a whole.
    pub(super) fn of(name: &str, message: impl fmt::Display) -> Self {
        Self { name: name.to_owned(), line: None, column: None, message: message.to_string() }
    }

    /// An error at a byte of the source.
    pub(super) fn at(name: &str, source: &str, offset: usize, message: impl fmt::Display) -> Self {
        let before = source.get(..offset).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        let line = before.matches('\n').count() + 1;
        Self { name: name.to_owned(), line: Some(line), column: Some(column), message: message.to_string() }
    }

    /// An error of the template engine.
    pub(super) fn from_engine(name: &str, source: Option<&str>, err: &minijinja::Error) -> Self {
        let range = err.range().filter(|range| !range.is_empty());
        let expression = range.clone().and_then(|range| expression(source?, range, err.kind()));
        let message = message(err, expression.as_deref());
        match (range, source) {
            // The engine points at the last thing that stands there; what is missing is missing behind it.
            (Some(_), Some(source))
                if err.detail().is_some_and(|detail| detail.contains("unexpected end of input")) =>
            {
                Self::at(name, source, source.trim_end().len(), message)
            }
            (Some(range), Some(source)) => Self::at(name, source, range.start, message),
            _ => Self { line: err.line(), ..Self::of(name, message) },
        }
    }

    /// The name of the template.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The line in the template, from 1, if it is known.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// The column in the line in characters, from 1, if it is known.
    #[must_use]
    pub fn column(&self) -> Option<usize> {
        self.column
    }

    /// What is wrong, in one line.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
            if let Some(column) = self.column {
                write!(f, ":{column}")?;
            }
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for TemplateError {}

/// The source of what failed. The engine points at the name of a filter; a reader wants to see what went into it.
fn expression(source: &str, range: Range<usize>, kind: ErrorKind) -> Option<String> {
    let itself = source.get(range.clone())?;
    let printed = (kind == ErrorKind::InvalidOperation)
        .then(|| {
            let start = source.get(..range.start)?.rfind("{{")? + 2;
            let printed = source.get(start..)?.split("}}").next()?;
            (start + printed.len() >= range.end).then(|| printed.trim_matches(['-', '+']))
        })
        .flatten();
    Some(one_line(printed.unwrap_or(itself)))
}

fn message(err: &minijinja::Error, expression: Option<&str>) -> String {
    let detail = err.detail().map(one_line);
    let of = expression.map(|expression| format!("`{expression}`"));
    match (err.kind(), detail, of) {
        (ErrorKind::UndefinedError, detail, of) => {
            let named = detail.as_deref().and_then(|detail| detail.split('`').nth(1)).map(|path| format!("`{path}`"));
            match named.or(of) {
                Some(path) => format!("unknown variable {path}"),
                None => "unknown variable".to_owned(),
            }
        }
        (ErrorKind::OutOfFuel, ..) => "the template takes too many steps".to_owned(),
        (ErrorKind::SyntaxError, Some(detail), _) => format!("syntax error: {detail}"),
        (kind @ (ErrorKind::UnknownFilter | ErrorKind::UnknownTest | ErrorKind::UnknownFunction), _, Some(_)) => {
            let name = expression.and_then(|expression| expression.split('(').next()).unwrap_or_default();
            format!("{kind} `{}`", name.trim())
        }
        // The operands of a failed calculation stand in the detail.
        (kind @ ErrorKind::InvalidOperation, Some(detail), of) => {
            let what = if detail.starts_with("unable to calculate") { kind.to_string() } else { detail };
            match of {
                Some(of) => format!("{of}: {what}"),
                None => what,
            }
        }
        (kind, Some(detail), _) => format!("{kind}: {detail}"),
        (kind, None, Some(of)) => format!("{of}: {kind}"),
        (kind, None, None) => kind.to_string(),
    }
}

fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}
