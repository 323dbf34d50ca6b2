//! What is written in a form that others read otherwise.

use super::super::{Rule, Subject};
use crate::plan::source::Kind;
use crate::plan::{Finding, Findings};

/// The version is text to every reader of the file.
#[derive(Debug)]
pub(super) struct VersionIsText;

impl Rule for VersionIsText {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0007"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        const PATH: &str = "release.version";
        let Some(node) = cx.source().get(PATH) else { return };
        let Kind::Scalar { text, plain: true } = node.kind() else { return };
        let at = cx.source().position(node);
        // The value of a parameter stands in the place of a text in quotes.
        let is_bare = at.source.chars().skip(at.column.saturating_sub(1)).take(text.chars().count()).eq(text.chars());
        if let (true, Some(number)) = (is_bare, as_number(text)) {
            let message =
                format!("without quotes `{text}` is a number to other readers of this file, who see {number}");
            out.push(Finding::warning("RC0007", PATH, message).help(format!("write it in quotes: \"{text}\"")));
        }
    }
}

/// What a reader who takes the text for a number shows of it, where that is something else.
fn as_number(text: &str) -> Option<String> {
    let digits = text.replace('_', "");
    let begins = digits.trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let number: f64 = digits.parse().ok().filter(|_| begins)?;
    Some(number.to_string()).filter(|shown| shown != text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_a_number_would_change_is_known() {
        for (text, number) in
            [("1.10", "1.1"), ("1.0", "1"), ("007", "7"), ("1e3", "1000"), ("1_000", "1000"), ("2026.10", "2026.1")]
        {
            assert_eq!(as_number(text).as_deref(), Some(number), "{text}");
        }
        for text in ["1.2.3", "2026.4", "12", "v1.10", "1.10-rc.1", "nan", "inf", "next"] {
            assert_eq!(as_number(text), None, "{text}");
        }
    }
}
