//! What a program may repeat and nobody may read: it is struck out of all that it says.

use relcomm_core::channel::Batch;
use secrecy::{ExposeSecret, SecretString};
use std::ops::Range;

/// Shorter values of variables and lines of a text stand in too many innocent words.
const SHORTEST: usize = 4;
/// What stands in the place of what was struck out.
const STRUCK: &str = "…";

/// What writes escapes may do so more than once: a request in a log in JSON. Nobody does it more often than this.
const DEEPEST: usize = 4;

/// Values of the environment; of an attempt, addresses, names, tokens and the lines of the text.
#[derive(Clone, Default)]
pub(super) struct Hidden(Vec<String>);

impl Hidden {
    pub(super) fn of<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let mut hidden = Self::default();
        for secret in secrets {
            let secret = secret.expose_secret();
            hidden.add(secret, SHORTEST);
            // What a program says is read line by line, so that a key of several lines would never be seen as a whole.
            secret.lines().for_each(|line| hidden.add(line, SHORTEST));
        }
        hidden.in_order()
    }

    /// These, and all that an attempt brings.
    pub(super) fn and(&self, batch: &Batch<'_>) -> Self {
        let mut hidden = self.clone();
        for item in batch.items {
            if let Some(address) = &item.address {
                hidden.add(address.as_str(), 1);
            }
            hidden.add(item.name.as_deref().unwrap_or_default(), 1);
            hidden.add(item.token().as_str(), 1);
        }
        for line in batch.text.parts.iter().flat_map(|part| part.content.lines()) {
            hidden.add(line, SHORTEST);
        }
        hidden.in_order()
    }

    fn add(&mut self, text: &str, shortest: usize) {
        let text = text.trim();
        if text.len() >= shortest {
            self.0.push(text.to_lowercase());
        }
    }

    /// A longer one may hold a shorter one.
    fn in_order(mut self) -> Self {
        self.0.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        self.0.dedup();
        self
    }

    /// The text without what is hidden, whatever the case of its letters, and whether or not they are escaped. A text in which
    /// something was hidden by escapes comes back without them.
    pub(super) fn strike(&self, text: &str) -> String {
        let mut shown = self.struck(text);
        let mut deeper = shown.clone();
        for _ in 0..DEEPEST {
            let Some(plain) = unescaped(&deeper) else { break };
            deeper = self.struck(&plain);
            if deeper != plain {
                shown.clone_from(&deeper);
            }
        }
        shown
    }

    fn struck(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for hidden in &self.0 {
            let mut from = 0;
            while let Some(found) = text.get(from..).and_then(|rest| find(rest, hidden)) {
                let at = from + found.start;
                text.replace_range(at..from + found.end, STRUCK);
                from = at + STRUCK.len();
            }
        }
        text
    }

    /// Whether there is nothing hidden in it, escaped or not.
    pub(super) fn clears(&self, text: &str) -> bool {
        self.strike(text) == text
    }
}

/// Where something in small letters stands in a text, whatever the case of its letters there: a letter may be longer in the other case.
fn find(text: &str, small: &str) -> Option<Range<usize>> {
    let ends = |start: usize| {
        let mut wanted = small.chars();
        for (at, c) in text.get(start..)?.char_indices() {
            for letter in c.to_lowercase() {
                if wanted.next() != Some(letter) {
                    return None;
                }
            }
            if wanted.as_str().is_empty() {
                return Some(start + at + c.len_utf8());
            }
        }
        None
    };
    text.char_indices().find_map(|(start, _)| Some(start..ends(start)?))
}

/// The text with the escapes of JSON, of Python and of URLs resolved; `None` if it holds none.
fn unescaped(text: &str) -> Option<String> {
    if !text.contains(['\\', '%']) {
        return None;
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['\\', '%']) {
        let (before, escape) = rest.split_at(at);
        plain.extend_from_slice(before.as_bytes());
        let taken = resolve(escape, &mut plain);
        rest = escape.get(taken..).unwrap_or_default();
    }
    plain.extend_from_slice(rest.as_bytes());
    let plain = String::from_utf8_lossy(&plain).into_owned();
    (plain != text).then_some(plain)
}

/// Adds what the escape at the beginning of the text stands for, and says how long it is; what is none stands for itself.
fn resolve(escape: &str, plain: &mut Vec<u8>) -> usize {
    let digits = |from: usize, count: usize| {
        let digits = escape.get(from..from + count).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
        u32::from_str_radix(digits, 16).ok()
    };
    let mut put = |c: char, length: usize| {
        plain.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        length
    };
    match escape.as_bytes() {
        [b'%', ..] => match digits(1, 2).and_then(|octet| u8::try_from(octet).ok()) {
            // One octet of perhaps several of a letter.
            Some(octet) => {
                plain.push(octet);
                3
            }
            None => put('%', 1),
        },
        [_, b'U', ..] => match digits(2, 8).and_then(char::from_u32) {
            Some(c) => put(c, 10),
            None => put('\\', 1),
        },
        [_, b'u', ..] => {
            let high = digits(2, 4).unwrap_or_default();
            // A letter beyond the first 65,536 is a pair (RFC 8259, 7).
            let low = if escape.get(6..8) == Some("\\u") { digits(8, 4) } else { None };
            let units = [Some(high), low].map(|unit| unit.and_then(|unit| u16::try_from(unit).ok()));
            let pair = match units {
                [Some(high), Some(low)] => char::decode_utf16([high, low]).next().and_then(Result::ok),
                _ => None,
            };
            match (char::from_u32(high).filter(|c| *c != '\0'), pair) {
                (Some(c), _) => put(c, 6),
                (None, Some(c)) => put(c, 12),
                (None, None) => put('\\', 1),
            }
        }
        [_, b'x', ..] => match digits(2, 2).and_then(char::from_u32) {
            Some(c) => put(c, 4),
            None => put('\\', 1),
        },
        [_, b'n' | b'r' | b't', ..] => put(' ', 2),
        [_, b'"' | b'\'' | b'/' | b'\\', ..] => match escape.chars().nth(1) {
            Some(c) => put(c, 2),
            None => put('\\', 1),
        },
        _ => put('\\', 1),
    }
}

#[cfg(test)]
mod tests {
    use super::Hidden;

    #[test]
    fn what_is_hidden_is_struck_out_whatever_its_case() {
        let hidden = Hidden::of(&["Hush-hush".into(), "abc".into()]);
        assert_eq!(hidden.strike("ü HUSH-HUSHhush-hush abc"), "ü …… abc");
        assert!(hidden.clears("hush") && !hidden.clears("say hush-HUSH"));
        let name = Hidden::of(&["Jürgen Öztürk".into()]);
        assert_eq!(name.strike("<JÜRGEN ÖZTÜRK> jürgen öztürk İ"), "<…> … İ");
    }

    #[test]
    fn every_line_of_a_secret_is_struck_out() {
        let hidden = Hidden::of(&["-----BEGIN KEY-----\nMIIEvQIB\r\nADANBg==\n-----END KEY-----\n".into()]);
        for line in ["-----BEGIN KEY-----", "key: MIIEvQIB", "adanbg==", "-----END KEY-----"] {
            assert!(hidden.strike(line).ends_with('…') && !hidden.clears(line), "{line}");
        }
        assert_eq!(hidden.strike(r#"{"key":"MIIEvQIB\nADANBg=="}"#), r#"{"key":"…\n…"}"#);
    }

    #[test]
    fn what_is_escaped_is_struck_out_too() {
        let hidden = Hidden::of(&["Bea Voß".into(), "Jo \"JJ\" 漢字 😀".into(), "bea@c.test".into(), "a/b\\c".into()]);
        for said in [
            r#"{"name":"Bea Vo\u00df"}"#,
            r#"{"name":"Bea Vo\u00DF"}"#,
            r#"{"log":"{\"name\":\"Bea Vo\\u00df\"}"}"#,
            r"'Bea Vo\xdf'",
            r#"'Jo "JJ" \u6f22\u5b57 \U0001f600'"#,
            "to=Bea%20Vo%C3%9F",
            r#"{"name":"Jo \"JJ\" \u6f22\u5b57 \ud83d\ude00"}"#,
            r#"{"name":"Jo \"JJ\" 漢字 😀"}"#,
            "mailto:bea%40c.test",
            r"a\/b\\c",
        ] {
            let shown = hidden.strike(said);
            assert!(shown.contains('…') && !hidden.clears(said), "{said}: {shown}");
            let lower = shown.to_lowercase();
            assert!(
                !["vo", "bea", "jj", "6f22", "漢", "a/b"].iter().any(|part| lower.contains(part)),
                "{said}: {shown}"
            );
        }
        for innocent in [r"100% C:\new \u12 \ud83d \x \", "%zz %", "\\"] {
            assert_eq!(hidden.strike(innocent), innocent);
            assert!(hidden.clears(innocent));
        }
    }
}
