//! What can be said of an address without asking anybody.

/// Whether the text can be a mail address: a local part of atoms and a domain of labels ([RFC 5321, 4.1.2 and
/// 4.5.3.1](https://www.rfc-editor.org/rfc/rfc5321#section-4.1.2)), other scripts allowed
/// ([RFC 6531, 3.3](https://www.rfc-editor.org/rfc/rfc6531#section-3.3)).
///
/// Quoted local parts and address literals are refused: they exist in standards and in slips of the pen, hardly in mailboxes.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || is_letter_beyond_ascii(c);
    let local_fits = local.len() <= 64 && local.split('.').all(|word| !word.is_empty() && word.chars().all(atom));
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || is_letter_beyond_ascii(c))
    };
    local_fits && domain.len() <= 255 && domain.split('.').all(label)
}

fn is_letter_beyond_ascii(c: char) -> bool {
    !c.is_ascii() && (c.is_alphanumeric() || !c.is_whitespace() && !c.is_control() && !c.is_ascii_punctuation())
}

/// Whether the text can be a phone number of the world: `+`, then 7 to 15 digits that do not begin with 0
/// ([ITU-T E.164](https://www.itu.int/rec/T-REC-E.164)). Spaces, dots, hyphens and brackets between the digits say nothing.
pub(super) fn is_phone(text: &str) -> bool {
    let Some(number) = text.strip_prefix('+') else { return false };
    let digits: Vec<char> = number.chars().filter(|c| !matches!(c, ' ' | '.' | '-' | '(' | ')')).collect();
    (7..=15).contains(&digits.len()) && digits.iter().all(char::is_ascii_digit) && digits.first() != Some(&'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_addresses_that_can_be_right_are_told_from_those_that_cannot() {
        let long = format!("{}@b.example", "a".repeat(65));
        for good in
            ["a@b", "jane.doe+x@b.example", "o'hara@x-y.example", "jürgen@bücher.example", "a@xn--bcher-kva.example"]
        {
            assert!(is_email(good), "{good}");
        }
        for bad in [
            "", "a", "@b", "a@", "a b@c", "a@b c", "a@-b", "a@b-", "a@b..c", ".a@b", "a.@b", "a..b@c", "a@b@c",
            "a@b,c", "a\r@b", &long,
        ] {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn phone_numbers_are_those_of_the_world() {
        for good in ["+41 44 555 0101", "+1 (555) 010-0123", "+442055500100", "+1234567", "+123456789012345"] {
            assert!(is_phone(good), "{good}");
        }
        for bad in
            ["", "+", "044 555 01 01", "+044555010", "+123456", "+1234567890123456", "+41 44 CALL ME", "0041445550101"]
        {
            assert!(!is_phone(bad), "{bad}");
        }
    }
}
