//! Whether the words of texts can go out as they stand.

use super::super::placeholder::placeholder;
use super::super::written::{Written, without_code};
use super::super::{Rule, Subject};
use crate::plan::{Finding, Findings};
use regex::Regex;
use std::sync::LazyLock;

/// No text still holds a placeholder.
#[derive(Debug)]
pub(super) struct Finished;

impl Rule for Finished {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0706"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        for text in Written::all(cx) {
            for piece in text.pieces() {
                let words = without_code(piece.text);
                let Some((offset, word)) = placeholder(&words) else { continue };
                let id = &text.communique.id;
                let message = format!("the {} of `{id}` still says `{word}`", text.part.word());
                out.push(text.finding(cx.source(), piece.offset + offset, |path| {
                    Finding::error("RC0706", path, message).help("say what it stands for")
                }));
                break;
            }
        }
    }
}

/// Hosts that nobody who reads a text can mean.
static NOWHERE: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = concat!(
        r"(?i-u:https?)://(?:",
        r"(?i-u:localhost)|127\.[0-9.]+|0\.0\.0\.0|\[::1\]",
        r"|(?:[A-Za-z0-9-]+\.)*(?i-u:example\.(?:com|net|org))",
        r"|(?:[A-Za-z0-9-]+\.)*(?i-u:your-?(?:company|domain|site))\.[a-z]+",
        r#")(?:[:/?#\s)"'>\],]|\.?$|\.\s)"#,
    );
    Regex::new(pattern).expect("a pattern that is written here")
});

/// Every link leads somewhere for who reads it.
#[derive(Debug)]
pub(super) struct LinksLead;

impl Rule for LinksLead {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0711"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        let message = "a link leads to an example or to the reader's own machine";
        let finding = |path: &str| Finding::warning("RC0711", path, message).help("give the address that readers need");
        let how = &cx.plan().release().how;
        let answers = [
            (cx.how_path(), Some(&how.access)),
            ("release.how.circumstances", how.circumstances.as_ref()),
            ("release.how.support", how.support.as_ref()),
        ];
        for (path, answer) in answers {
            if answer.is_some_and(|answer| NOWHERE.is_match(&without_code(answer))) {
                out.push(finding(path));
            }
        }
        for text in Written::all(cx) {
            let mut links = text.pieces().into_iter().filter_map(|piece| {
                let words = without_code(piece.text);
                NOWHERE.find(&words).map(|found| piece.offset + found.start())
            });
            if let Some(offset) = links.next() {
                out.push(text.finding(cx.source(), offset, finding));
            }
        }
    }
}

static ATTACHED: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"\b(?i-u:(?:see|find|read) (?:the )?attache?(?:d|ment)|attached (?:please|you will|you'll) find|im anhang finden)\b";
    Regex::new(pattern).expect("a pattern that is written here")
});

/// No text promises an attachment: texts go out alone.
#[derive(Debug)]
pub(super) struct NothingAttached;

impl Rule for NothingAttached {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0712"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        for text in Written::all(cx) {
            let promise = text.pieces().into_iter().find_map(|piece| Some((piece, ATTACHED.find(piece.text)?)));
            if let Some((piece, found)) = promise {
                let message = format!("`{}`: nothing is attached to what goes out", found.as_str());
                out.push(text.finding(cx.source(), piece.offset + found.start(), |path| {
                    Finding::warning("RC0712", path, message).help("link to it")
                }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_of_an_attachment_is_told_from_a_word_about_attachments() {
        for text in
            ["Please find attached the guide.", "See the attachment", "Attached you will find", "Im Anhang finden Sie"]
        {
            assert!(ATTACHED.is_match(text), "{text}");
        }
        for text in ["Files attached to a ticket are kept.", "Attachments open faster", "the attached screens"] {
            assert!(!ATTACHED.is_match(text), "{text}");
        }
    }

    #[test]
    fn links_to_nowhere_are_known_by_their_host() {
        for text in [
            "see http://localhost:8080/a",
            "(https://www.example.com)",
            "https://127.0.0.1/",
            "https://docs.your-company.com/x",
        ] {
            assert!(NOWHERE.is_match(text), "{text}");
        }
        for text in
            ["https://app.anvil.example/", "https://example.community", "https://localhost.anvil.io/", "example.com"]
        {
            assert!(!NOWHERE.is_match(text), "{text}");
        }
    }
}
