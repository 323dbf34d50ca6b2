//! Where a link may lead.

use super::DocumentError;
use super::draft::{Piece, Values};
use std::fmt::{self, Write};

/// The address of a link: always http, https, mailto or tel, and free of characters that end an address.
///
/// The scheme list keeps `javascript:` and its kin out of every rendered form; syntax follows
/// [RFC 3986](https://www.rfc-editor.org/rfc/rfc3986), [RFC 6068](https://www.rfc-editor.org/rfc/rfc6068) (mailto) and
/// [RFC 3966](https://www.rfc-editor.org/rfc/rfc3966) (tel). Letters beyond ASCII are kept (an IRI).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Destination(String);

impl Destination {
    /// Checks an address; `None` if a link must not lead there.
    #[must_use]
    pub fn parse(address: &str) -> Option<Self> {
        let ends_an_address =
            |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | '\\' | '`');
        if address.contains(ends_an_address) {
            return None;
        }
        let (scheme, rest) = address.split_once(':')?;
        let allowed = match scheme.to_ascii_lowercase().as_str() {
            "http" | "https" => rest
                .strip_prefix("//")
                .is_some_and(|host| !host.is_empty() && !host.starts_with(['/', '?', '#', ':', '@'])),
            "mailto" => rest.split('?').next().is_some_and(|person| person.contains('@')),
            "tel" => rest.contains(|c: char| c.is_ascii_digit()),
            _ => false,
        };
        allowed.then(|| Self(address.to_owned()))
    }

    /// The address that values make, together with the author's words. A value is percent-encoded, except at the beginning.
    pub(super) fn of_run(run: &[Piece], values: &dyn Values) -> Result<Self, DocumentError> {
        let mut address = String::with_capacity(128);
        for (i, piece) in run.iter().enumerate() {
            let words = piece.words(values)?;
            match piece {
                Piece::Source(_) => address.push_str(&words.replace(' ', "%20")),
                // It brings scheme and host itself, so it has to be an address; elsewhere it is only a part of one.
                Piece::Place(_) if i == 0 => {
                    address.push_str(Self::parse(words.trim()).ok_or(DocumentError::LinkAddress)?.as_str());
                }
                Piece::Place(_) => encode(words, kept_in(&address), &mut address),
            }
        }
        Self::parse(&address).ok_or(DocumentError::LinkAddress)
    }

    /// The address with its scheme.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address as people read it: without `mailto:` and `tel:`.
    pub(crate) fn shown(&self) -> &str {
        match self.0.split_once(':') {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("mailto") || scheme.eq_ignore_ascii_case("tel") => rest,
            _ => &self.0,
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which characters beside the unreserved ones cannot change the meaning of an address that begins like this.
fn kept_in(address: &str) -> &'static str {
    let lower = address.to_ascii_lowercase();
    if lower.starts_with("mailto:") {
        return if address.contains('?') { "" } else { "@+" };
    }
    if lower.starts_with("tel:") {
        return "+";
    }
    let path = address.split_once("://").is_some_and(|(_, rest)| rest.contains('/'));
    if path && !address.contains(['?', '#']) { "/" } else { "" }
}

fn encode(value: &str, kept: &str, out: &mut String) {
    for byte in value.trim().bytes() {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~') || kept.contains(c) {
            out.push(c);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}
