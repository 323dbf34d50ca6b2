//! The two encodings of DSN parameters, read strictly.

/// Decodes xtext (RFC 3461, 4): `+` and two upper-case hexadecimal digits for one octet. `None` where an octet is not
/// allowed, or where the result is not printable US-ASCII.
pub(super) fn from_xtext(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let decoded = match c {
            '+' => char::from(upper_hex(chars.next()?)? << 4 | upper_hex(chars.next()?)?),
            '!'..='<' | '>'..='~' => c,
            _ => return None,
        };
        if !(' '..='~').contains(&decoded) {
            return None;
        }
        out.push(decoded);
    }
    (!out.is_empty()).then_some(out)
}

/// Decodes the `utf-8` address type (RFC 6533, 3): `\x{HEX}` for a character, raw UTF-8, or xtext for `+` and `=`.
pub(super) fn from_utf8_address(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (decoded, used) = match c {
            '\\' => {
                let (digits, _) = rest.strip_prefix("\\x{")?.split_once('}')?;
                let plain = (2..=6).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                let value = plain.then(|| u32::from_str_radix(digits, 16).ok())??;
                (char::from_u32(value)?, digits.len() + 4)
            }
            '+' => (char::from(upper_hex(rest.chars().nth(1)?)? << 4 | upper_hex(rest.chars().nth(2)?)?), 3),
            '=' | ' ' => return None,
            other => (other, other.len_utf8()),
        };
        if decoded.is_control() {
            return None;
        }
        out.push(decoded);
        rest = rest.get(used..)?;
    }
    (!out.is_empty()).then_some(out)
}

fn upper_hex(digit: char) -> Option<u8> {
    if digit.is_ascii_lowercase() {
        return None;
    }
    digit.to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::{from_utf8_address, from_xtext};

    #[test]
    fn xtext_takes_two_upper_case_digits() {
        assert_eq!(from_xtext("a+2Bb").as_deref(), Some("a+b"));
        for bad in ["a+2b", "a+D", "a+", "a=b", "a b", "ä", "+0A", "+FF", ""] {
            assert_eq!(from_xtext(bad), None, "{bad}");
        }
    }

    #[test]
    fn utf8_addresses() {
        assert_eq!(from_utf8_address("\\x{E4}b@\\x{1F600}").as_deref(), Some("äb@😀"));
        assert_eq!(from_utf8_address("ä@b").as_deref(), Some("ä@b"));
        assert_eq!(from_utf8_address("a+2B@b").as_deref(), Some("a+@b"));
        for bad in ["\\x{D800}", "\\x{}", "\\x{+E4}", "\\x41", "\\x{0A}", "a=b", "+ä1"] {
            assert_eq!(from_utf8_address(bad), None, "{bad}");
        }
    }
}
