//! Where a link may lead.

use std::fmt;

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
