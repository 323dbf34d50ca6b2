//! What the server says: a code and its lines.

use std::fmt;

/// A reply of the server (RFC 5321, 4.2), with one line or several, or any bytes a test wants to see on the wire.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    bytes: Vec<u8>,
}

impl Reply {
    /// One line. CR, LF and NUL in the text become spaces; an enhanced code (RFC 2034) is part of the text.
    #[must_use]
    pub fn new(code: u16, text: &str) -> Self {
        Self::lines(code, &[text])
    }

    /// Several lines under one code, `250-first`, `250 last`. Without any line the text is empty.
    #[must_use]
    pub fn lines(code: u16, lines: &[&str]) -> Self {
        let mut bytes = Vec::new();
        let last = lines.len().saturating_sub(1);
        for (number, line) in lines.iter().enumerate() {
            let separator = if number == last { ' ' } else { '-' };
            bytes.extend_from_slice(format!("{code}{separator}{}\r\n", one_line(line)).as_bytes());
        }
        if lines.is_empty() {
            bytes.extend_from_slice(format!("{code} \r\n").as_bytes());
        }
        Self { code, bytes }
    }

    /// Exactly these bytes, line ends included: text that is not UTF-8, lines whose codes disagree, a line without an
    /// end. `code` says how the server itself takes the reply: from 400 on the command has no effect, and 421 closes
    /// the connection.
    #[must_use]
    pub fn raw(code: u16, bytes: impl Into<Vec<u8>>) -> Self {
        Self { code, bytes: bytes.into() }
    }

    /// `550 5.1.1`: there is no such mailbox.
    #[must_use]
    pub fn no_such_mailbox() -> Self {
        Self::new(550, "5.1.1 no such mailbox here")
    }

    /// `451 4.7.1`: greylisted, to be tried again.
    #[must_use]
    pub fn try_later() -> Self {
        Self::new(451, "4.7.1 greylisted, try again later")
    }

    /// `421 4.3.2`: the service closes the connection.
    #[must_use]
    pub fn closing() -> Self {
        Self::new(421, "4.3.2 service closing the connection")
    }

    /// The reply code.
    #[must_use]
    pub fn code(&self) -> u16 {
        self.code
    }

    /// The bytes that go over the wire.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether the command that it answers takes effect.
    pub(super) fn is_positive(&self) -> bool {
        self.code < 400
    }
}

/// Only the code: a reply may quote an address.
impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("code", &self.code).finish_non_exhaustive()
    }
}

/// Keeps text of a script within its line.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::Reply;

    #[test]
    fn text_cannot_open_a_second_line() {
        assert_eq!(Reply::new(250, "ok\r\n550 no").bytes(), b"250 ok  550 no\r\n");
    }

    #[test]
    fn only_the_last_line_has_the_space() {
        assert_eq!(Reply::lines(250, &["a", "b"]).bytes(), b"250-a\r\n250 b\r\n");
        assert_eq!(Reply::lines(250, &[]).bytes(), b"250 \r\n");
    }
}
