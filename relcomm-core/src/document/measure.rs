//! In what the length of a text is counted.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The unit of a mechanism's limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Unit {
    /// Bytes of UTF-8.
    Bytes,
    /// Unicode scalar values.
    Chars,
    /// UTF-16 code units, as JavaScript, Telegram and most web forms count.
    Utf16,
    /// Septets of the GSM 7-bit default alphabet, a character of its extension table costing two
    /// ([3GPP TS 23.038](https://www.3gpp.org/dynareport/23038.htm), 6.2.1).
    #[serde(rename = "gsm7-septets")]
    Gsm7Septets,
    /// Bytes of UTF-8 inside a JSON string, escapes counted as written by serde_json
    /// ([RFC 8259](https://www.rfc-editor.org/rfc/rfc8259#section-7)): two for `"`, `\` and the short escapes, six for
    /// other control characters.
    JsonBytes,
    /// Items of a document ([`Document::items`]), which a rendered text no longer shows.
    ///
    /// [`Document::items`]: super::Document::items
    Items,
}

impl Unit {
    /// The length of `text`; `None` if the unit cannot express it: a character outside the GSM alphabet, or items.
    #[must_use]
    pub fn measure(self, text: &str) -> Option<usize> {
        match self {
            Self::Bytes => Some(text.len()),
            Self::Chars => Some(text.chars().count()),
            Self::Utf16 => Some(text.chars().map(char::len_utf16).sum()),
            Self::Gsm7Septets => text.chars().map(septets).sum(),
            Self::JsonBytes => Some(text.chars().map(json_bytes).sum()),
            Self::Items => None,
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bytes => "bytes",
            Self::Chars => "characters",
            Self::Utf16 => "UTF-16 units",
            Self::Gsm7Septets => "GSM septets",
            Self::JsonBytes => "bytes of JSON",
            Self::Items => "items",
        })
    }
}

/// What a character costs in the GSM 7-bit alphabet.
fn septets(c: char) -> Option<usize> {
    match c {
        '\n' | '\r' | ' '..='Z' if c != '`' => Some(1),
        'a'..='z' => Some(1),
        '@' | '£' | '$' | '¥' | 'è' | 'é' | 'ù' | 'ì' | 'ò' | 'Ç' | 'Ø' | 'ø' | 'Å' | 'å' | 'Δ' | '_' | 'Φ' | 'Γ'
        | 'Λ' | 'Ω' | 'Π' | 'Ψ' | 'Σ' | 'Θ' | 'Ξ' | 'Æ' | 'æ' | 'ß' | 'É' | '¤' | '¡' | 'Ä' | 'Ö' | 'Ñ' | 'Ü' | '§'
        | '¿' | 'ä' | 'ö' | 'ñ' | 'ü' | 'à' => Some(1),
        '\u{c}' | '^' | '{' | '}' | '\\' | '[' | '~' | ']' | '|' | '€' => Some(2),
        _ => None,
    }
}

fn json_bytes(c: char) -> usize {
    match c {
        '"' | '\\' | '\u{8}' | '\u{c}' | '\n' | '\r' | '\t' => 2,
        '\0'..='\u{1f}' => 6,
        _ => c.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_unit_counts_its_own() {
        let text = "é😀\"";
        assert_eq!(Unit::Bytes.measure(text), Some(7));
        assert_eq!(Unit::Chars.measure(text), Some(3));
        assert_eq!(Unit::Utf16.measure(text), Some(4));
        assert_eq!(Unit::JsonBytes.measure(text), Some(8));
        assert_eq!(Unit::Gsm7Septets.measure(text), None);
        assert_eq!(Unit::Items.measure(text), None);
    }

    /// The 128 positions of the default alphabet (the escape aside) and the 10 of its extension.
    #[test]
    fn the_gsm_alphabet_is_complete() {
        let basic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
        assert_eq!(basic.chars().count(), 127);
        assert_eq!(Unit::Gsm7Septets.measure(basic), Some(127));
        assert_eq!(Unit::Gsm7Septets.measure("\u{c}^{}\\[~]|€"), Some(20));
        let all = (0..=0x10_ffff).filter_map(char::from_u32);
        assert_eq!(all.filter(|c| septets(*c).is_some()).count(), 137);
    }

    #[test]
    fn units_have_stable_names() {
        let names: Vec<String> = [Unit::Bytes, Unit::Utf16, Unit::Gsm7Septets, Unit::JsonBytes]
            .iter()
            .map(|unit| serde_json::to_string(unit).unwrap())
            .collect();
        assert_eq!(names, ["\"bytes\"", "\"utf16\"", "\"gsm7-septets\"", "\"json-bytes\""]);
    }

    proptest! {
        #[test]
        fn json_bytes_agree_with_serde_json(text in any::<String>()) {
            let written = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(Unit::JsonBytes.measure(&text), Some(written.len() - 2));
        }

        #[test]
        fn utf16_agrees_with_the_standard_library(text in any::<String>()) {
            prop_assert_eq!(Unit::Utf16.measure(&text), Some(text.encode_utf16().count()));
        }
    }
}
