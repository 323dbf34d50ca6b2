//! Findings: what is wrong, where, and what helps.

use super::excerpt::{Excerpt, visible};
use serde::Serialize;
use std::fmt;
use unicode_width::UnicodeWidthChar;

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
    /// The source line without its end, fit to be printed: a long one is cut around the column, with `…` at the cut, and what may be an
    /// address is dotted out. Empty where nothing of it may be shown.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// How many characters of the line `source` leaves out at its beginning.
    #[serde(skip_serializing_if = "is_zero")]
    pub left_out: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

impl Position {
    /// A place in a file, and the line on which it is; an empty one where nothing of the line may be shown.
    #[must_use]
    pub fn new(file: impl Into<String>, line: usize, column: usize, source: &str) -> Self {
        let at = source.char_indices().nth(column.saturating_sub(1)).map_or(source.len(), |(at, _)| at);
        let (before, after) = source.split_at_checked(at).unwrap_or((source, ""));
        Self { column, ..Self::between(file, line, before, after) }
    }

    /// The place in a line between these two parts of it.
    pub(crate) fn between(file: impl Into<String>, line: usize, before: &str, after: &str) -> Self {
        let Excerpt { text, left_out } = Excerpt::around(before, after);
        Self { file: file.into(), line, column: 1 + before.chars().count(), source: text, left_out }
    }

    /// What puts a caret under the column: tabs as they are, a space for each cell of a terminal that the other characters fill.
    fn lead(&self) -> String {
        let before = self.column.saturating_sub(1).saturating_sub(self.left_out);
        self.source.chars().take(before).fold(String::new(), |mut lead, c| {
            match c {
                '\t' => lead.push(c),
                c => lead.extend(std::iter::repeat_n(' ', c.width().unwrap_or(0))),
            }
            lead
        })
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

    /// Without the line that it shows, which may say what nobody may know yet.
    #[must_use]
    pub fn without_excerpt(mut self) -> Self {
        self.at.iter_mut().for_each(|at| at.source.clear());
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
            write!(f, "{}:{}:{}: ", visible(&at.file), at.line, at.column)?;
        }
        write!(f, "{}[{}]: {}", self.severity, self.code, visible(&self.message))?;
        if !self.path.is_empty() {
            write!(f, "\n  in {}", visible(&self.path))?;
        }
        if let Some(at) = &self.at
            && !at.source.is_empty()
        {
            let number = at.line.to_string();
            let pad = " ".repeat(number.len());
            write!(f, "\n{pad} |\n{number} | {}\n{pad} | {}^", at.source, at.lead())?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n  help: {}", visible(help))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line and the caret below it, as they are printed.
    fn caret(line: &str, column: usize) -> String {
        let shown = Finding::error("RC0001", "", "wrong").at(Position::new("p", 1, column, line)).to_string();
        shown.lines().skip(2).map(|line| line.get(4..).unwrap_or_default()).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_caret_stands_under_the_column_whatever_stands_before_it() {
        assert_eq!(caret("why: x", 6), "why: x\n     ^");
        assert_eq!(caret("\twhy:\tx", 7), "\twhy:\tx\n\t    \t^");
        // Two cells each.
        assert_eq!(caret("名前: x", 5), "名前: x\n      ^");
        assert_eq!(caret("🚀: x", 4), "🚀: x\n    ^");
        // No cell at all.
        assert_eq!(caret("e\u{301}: x", 5), "e\u{301}: x\n   ^");
        assert_eq!(caret("why:", 5), "why:\n    ^");
    }

    #[test]
    fn the_caret_of_a_long_line_stands_under_its_column() {
        let line = format!("{}«{}", "名".repeat(300), "x".repeat(300));
        let shown = caret(&line, 301);
        let (text, lead) = shown.split_once('\n').unwrap();
        let before: String = text.chars().take_while(|c| *c != '«').collect();
        let cells: usize = before.chars().filter_map(UnicodeWidthChar::width).sum();
        assert_eq!(lead, format!("{}^", " ".repeat(cells)));
        assert!(text.starts_with('…') && text.ends_with('…') && text.chars().count() <= 120, "{text}");
    }

    #[test]
    fn nothing_in_a_finding_steers_a_terminal_or_begins_another_line() {
        let finding = Finding::error("RC0001", "a\u{9b}", "b\nc").help("d\r\u{202e}").at(Position::new(
            "e\u{1b}[2J",
            1,
            1,
            "f\u{7}g",
        ));
        assert_eq!(
            finding.to_string(),
            "e\u{fffd}[2J:1:1: error[RC0001]: b\u{fffd}c\n  in a\u{fffd}\n  |\n1 | f\u{fffd}g\n  | ^\n  help: d\u{fffd}\u{fffd}"
        );
    }
}
