//! Words that were to be replaced before a plan is used.

use regex::Regex;
use std::sync::LazyLock;

/// Words that stand for what is to come.
const WORDS: [&str; 5] = [concat!("TO", "DO"), concat!("FIX", "ME"), "TBD", "TBA", concat!("X", "XX")];

static PATTERNS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i-u:lorem ipsum)",
        r"|<(?i-u:insert|your|enter|fill in)\b[^<>\n]{0,60}>",
        r"|\[(?i-u:(?:insert|your|enter|fill in)\b[A-Za-z0-9 _-]{0,40}|name|date|version|product|company)\]",
        r"|\?{3,}",
    ))
    .expect("a pattern that is written here")
});

/// The first placeholder of a text, with the octet at which it begins.
pub(super) fn placeholder(text: &str) -> Option<(usize, &str)> {
    let word =
        WORDS.iter().flat_map(|word| text.match_indices(word)).filter(|(at, word)| is_a_word(text, *at, word.len()));
    let pattern = PATTERNS.find_iter(text).filter(|found| stands_alone(text, found.start(), found.end()));
    word.chain(pattern.map(|found| (found.start(), found.as_str()))).min_by_key(|(at, _)| *at)
}

fn is_a_word(text: &str, at: usize, length: usize) -> bool {
    let before = text.get(..at).and_then(|before| before.chars().next_back());
    let after = text.get(at + length..).and_then(|after| after.chars().next());
    !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
}

/// Marks of question end a sentence where they follow a word; brackets before a bracket or a colon are a link.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let before = text.get(..start).and_then(|before| before.chars().next_back());
    let after = text.get(end..).and_then(|after| after.chars().next());
    match text.as_bytes().get(start) {
        Some(b'?') => before.is_none_or(char::is_whitespace),
        Some(b'[') => !matches!(after, Some('(' | '[' | ':')),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_found_where_they_begin() {
        let todo = WORDS[0];
        let found = |text: &str| placeholder(text).map(|(at, word)| (at, word.to_owned()));
        assert_eq!(found(&format!("Ask {todo}: Ada")), Some((4, todo.to_owned())));
        for (text, word) in [
            ("Call TBD.", "TBD"),
            ("Dear [your name],", "[your name]"),
            ("On <insert date here> it", "<insert date here>"),
            ("Lorem ipsum dolor", "Lorem ipsum"),
            ("Costs ???", "???"),
            ("Dear [Name]", "[Name]"),
        ] {
            assert_eq!(found(text).map(|(_, word)| word), Some(word.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        for text in [
            "The todo list",
            "Really???",
            "[your account](https://a.example)",
            "[product]: https://a.example",
            "[x]",
            "a < b > c",
            "<b>bold</b>",
            "TBDs",
        ] {
            assert_eq!(placeholder(text), None, "{text}");
        }
    }
}
