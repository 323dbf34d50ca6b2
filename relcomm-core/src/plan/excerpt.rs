//! What of a file's line may be printed: build servers keep what they print, and terminals obey it.

use std::borrow::Cow;

/// No more of a line is shown than this many characters.
const WIDEST: usize = 120;
/// Of a line that is cut, this many characters are shown before the column.
const BEFORE: usize = 60;
/// An address is looked for this far beyond what is shown, so that none is cut in two and not known for one.
const MARGIN: usize = 512;

/// A line, or what is shown of a long one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    pub(super) text: String,
    /// How many characters it leaves out at the beginning of the line.
    pub(super) left_out: usize,
}

impl Excerpt {
    /// What is shown of a line around the place between its two parts. Every character that is shown stands for one of the line.
    pub(super) fn around(before: &str, after: &str) -> Self {
        let (near, far) = end_of(before, BEFORE + MARGIN);
        let more = begin_of(after, WIDEST + MARGIN);
        let clean: Vec<char> = without_addresses(&[near, more].concat()).chars().collect();
        let fits = far == 0 && more.len() == after.len() && clean.len() <= WIDEST;
        let skipped = if fits { 0 } else { near.chars().count().saturating_sub(BEFORE) };
        let mut shown: Vec<char> = clean.iter().copied().skip(skipped).take(WIDEST).collect();
        let left_out = far + skipped;
        if left_out > 0
            && let Some(first) = shown.first_mut()
        {
            *first = '…';
        }
        if clean.len() > skipped + WIDEST
            && let Some(last) = shown.last_mut()
        {
            *last = '…';
        }
        Self { text: visible(&shown.into_iter().collect::<String>()).into_owned(), left_out }
    }
}

/// The last characters of a text, and how many it leaves out before them.
fn end_of(text: &str, most: usize) -> (&str, usize) {
    match text.char_indices().rev().nth(most) {
        Some((at, c)) => {
            let at = at + c.len_utf8();
            (text.get(at..).unwrap_or_default(), text.get(..at).unwrap_or_default().chars().count())
        }
        None => (text, 0),
    }
}

/// The first characters of a text.
fn begin_of(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

/// The text in one line that steers no terminal: every control character but the tab, and every one that turns the direction of writing,
/// is U+FFFD.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    let steers = |c: char| {
        c.is_control() && c != '\t'
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if text.chars().any(steers) { text.replace(steers, "\u{fffd}").into() } else { text.into() }
}

/// The text with each character of what may be a mail address or a phone number dotted out.
pub(super) fn without_addresses(text: &str) -> Cow<'_, str> {
    if !text.contains(['@', '+']) {
        return text.into();
    }
    let mut chars: Vec<char> = text.chars().collect();
    for at in 0..chars.len() {
        let found = match chars.get(at) {
            Some('@') => mail(&chars, at),
            Some('+') => phone(&chars, at),
            _ => None,
        };
        if let Some(found) = found.and_then(|found| chars.get_mut(found)) {
            found.fill('•');
        }
    }
    chars.into_iter().collect::<String>().into()
}

/// The mail address around the `@` of that index.
fn mail(chars: &[char], at: usize) -> Option<std::ops::Range<usize>> {
    // What is dotted out already belongs to an address: `a@b@c` is all of it.
    let is_local = |c: &char| c.is_alphanumeric() || "!#$%&'*+-/=?^_~.•".contains(*c);
    let is_domain = |c: &char| c.is_alphanumeric() || matches!(c, '-' | '.');
    let local = chars.get(..at)?.iter().rev().take_while(|c| is_local(c)).count();
    let domain = chars.get(at + 1..)?.iter().take_while(|c| is_domain(c)).count();
    let whole = at - local..at + 1 + domain;
    // `+1d@09:00` is a time.
    let names_a_host = chars.get(at + 1..whole.end)?.iter().any(|c| c.is_alphabetic() || *c == '.');
    (local > 0 && names_a_host).then_some(whole)
}

/// The phone number that begins with the `+` of that index.
fn phone(chars: &[char], at: usize) -> Option<std::ops::Range<usize>> {
    let rest = chars.get(at + 1..)?;
    let length = rest.iter().take_while(|c| c.is_ascii_digit() || matches!(c, ' ' | '.' | '-' | '(' | ')')).count();
    let digits = rest.get(..length)?;
    let last = digits.iter().rposition(char::is_ascii_digit)?;
    (digits.iter().filter(|c| c.is_ascii_digit()).count() >= 7).then_some(at..at + 2 + last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_dotted_out_and_nothing_else_is() {
        for (text, shown) in [
            ("to: kim@b.example, x", "to: •••••••••••••, x"),
            ("\"Kim <kim.o'hara+x=y@b.example>\"", "\"Kim <••••••••••••••••••••••••>\""),
            ("jürgen@bücher.example", "•••••••••••••••••••••"),
            ("a@b@c.example", "•••••••••••••"),
            ("phone: \"+41 (44) 555-0101\"", "phone: \"•••••••••••••••••\""),
            ("at: planned +1d@09:00", "at: planned +1d@09:00"),
            ("at: declared +15m @09:00", "at: declared +15m @09:00"),
            ("a + b @ c", "a + b @ c"),
            ("+123456", "+123456"),
        ] {
            assert_eq!(without_addresses(text), shown);
        }
    }

    #[test]
    fn an_address_that_is_cut_is_dotted_out_all_the_same() {
        let line = format!("{}kim@b.example{}", " ".repeat(200), " ".repeat(200));
        for column in 100..320 {
            let shown = Excerpt::around(&line[..column], &line[column..]).text;
            assert!(!shown.contains(|c: char| c.is_alphanumeric() || c == '@'), "{column}: {shown}");
        }
    }

    #[test]
    fn a_line_that_fits_is_shown_whole() {
        let line = "x".repeat(WIDEST);
        assert_eq!(Excerpt::around(&line[..100], &line[100..]), Excerpt { text: line.clone(), left_out: 0 });
        let longer = Excerpt::around("", &format!("{line}x"));
        assert_eq!((longer.text.chars().count(), longer.text.ends_with("x…"), longer.left_out), (WIDEST, true, 0));
    }
}
