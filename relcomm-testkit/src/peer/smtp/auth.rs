//! AUTH PLAIN (RFC 4616) and AUTH LOGIN, decoded.

use data_encoding::BASE64;

/// A name and a password, as a client gave them.
pub(super) struct Given {
    pub(super) name: String,
    pub(super) password: String,
}

/// One base64 answer of a client; `=` stands for an empty one (RFC 4954, 4).
pub(super) fn decode(answer: &str) -> Option<String> {
    if answer == "=" {
        return Some(String::new());
    }
    String::from_utf8(BASE64.decode(answer.as_bytes()).ok()?).ok()
}

/// `authzid NUL authcid NUL password`.
pub(super) fn plain(answer: &str) -> Option<Given> {
    let decoded = decode(answer)?;
    let mut parts = decoded.split('\0');
    let (_, name, password) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || name.is_empty() {
        return None;
    }
    Some(Given { name: name.to_owned(), password: password.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::{BASE64, plain};

    #[test]
    fn plain_needs_three_parts() {
        let encode = |text: &str| BASE64.encode(text.as_bytes());
        let given = plain(&encode("\0me\0pass")).expect("three parts");
        assert_eq!((given.name.as_str(), given.password.as_str()), ("me", "pass"));
        for bad in ["me\0pass", "\0me\0pass\0x", "\0\0pass", ""] {
            assert!(plain(&encode(bad)).is_none(), "{bad:?}");
        }
        assert!(plain("not base64!").is_none());
    }
}
