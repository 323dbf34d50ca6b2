//! Printed values: marks in the output, the values beside it.
//!
//! While a template renders, a printed value is kept in a table of that rendering and a mark is written in its place.
//! The output is parsed as Markdown, in which a mark is a word of ordinary letters; then the values take the places of
//! their marks. No value is ever parsed.

use std::borrow::Cow;
use std::collections::hash_map::RandomState;
use std::fmt::Write;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Error, ErrorKind, Output, State, Value};
use smallvec::SmallVec;

use super::form::{Blank, Own};
use crate::document::{Destination, DocumentError, Fill, MAX_SOURCE, Piece};

/// Marks are written in Unicode noncharacters, which no text may interchange
/// ([Unicode, 23.7](https://www.unicode.org/versions/Unicode16.0.0/core-spec/chapter-23/#G12612)) and Markdown takes for
/// letters.
const OPEN: char = '\u{fdd0}';
const CLOSE: char = '\u{fdd1}';
const FIRST_DIGIT: u32 = 0xfdd2;

/// Hexadecimal digits of the key, and of the number of a value.
const DIGITS: usize = 8;

/// How many characters of a key show that it is one.
const KEY_PART: usize = 5;

/// Whether sources must not hold `c`.
pub(super) fn is_reserved(c: char) -> bool {
    ('\u{fdd0}'..='\u{fdef}').contains(&c)
}

/// The values printed by one rendering, in order.
#[derive(Default)]
pub(super) struct Printed {
    values: Vec<String>,
    /// The places that were left blank: an index of `values`, and the field that belongs there.
    blanks: Vec<(usize, Arc<str>)>,
    bytes: usize,
}

impl Printed {
    pub(super) fn has_blanks(&self) -> bool {
        !self.blanks.is_empty()
    }

    /// The values, each blank filled by `own`; `None` if it has no value for one of them, or they are more than a rendering may print.
    pub(super) fn filled<'a>(&'a self, own: &'a dyn Own) -> Option<Vec<Cow<'a, str>>> {
        let mut values: Vec<_> = self.values.iter().map(|value| Cow::Borrowed(value.as_str())).collect();
        let mut bytes = self.bytes;
        for (at, field) in &self.blanks {
            let value = own.field(field).filter(|value| !value.contains(is_reserved))?;
            bytes += value.len();
            *values.get_mut(*at)? = value;
        }
        (bytes <= MAX_SOURCE).then_some(values)
    }
}

/// How a set of templates writes and reads marks.
#[derive(Clone)]
pub(super) struct Marks {
    /// What every mark begins with.
    opening: String,
}

impl Marks {
    /// Marks with a key of their own, so that no value can imitate one. Every mark is replaced, so the key never shows
    /// in what is rendered.
    pub(super) fn new() -> Self {
        let key = RandomState::new().build_hasher().finish();
        let mut opening = String::from(OPEN);
        write_digits(key, &mut opening);
        Self { opening }
    }

    /// The engine's formatter: called for every `{{ … }}`.
    pub(super) fn print(&self, out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
        let refused = |why: &'static str| Err(Error::new(ErrorKind::InvalidOperation, why));
        if !matches!(state.auto_escape(), AutoEscape::Custom(_)) {
            return refused("escaping cannot be changed");
        }
        if let Some(blank) = value.downcast_object_ref::<Blank>() {
            let printed = state.get_or_insert_extension_with(Printed::default);
            printed.blanks.push((printed.values.len(), Arc::clone(&blank.0)));
            return self.mark(out, printed, String::new());
        }
        match value.kind() {
            ValueKind::Undefined => return Err(Error::from(ErrorKind::UndefinedError)),
            ValueKind::None => return refused("there is no value to print"),
            ValueKind::String if value.is_safe() => {
                out.write_str(value.as_str().unwrap_or_default())?;
                return Ok(());
            }
            ValueKind::String | ValueKind::Number | ValueKind::Bool | ValueKind::Plain => {}
            _ => return refused("a list or map cannot be printed"),
        }
        let text = match value.kind() {
            // The engine would write `True`, which neither a plan nor a reader does.
            ValueKind::Bool => value.is_true().to_string(),
            _ => value.to_string(),
        };
        let text = if text.contains(is_reserved) { self.without_reserved(&text)? } else { text };
        let printed = state.get_or_insert_extension_with(Printed::default);
        printed.bytes += text.len();
        if printed.bytes > MAX_SOURCE {
            return refused("the printed values are too long");
        }
        self.mark(out, printed, text)
    }

    /// Keeps the value, and writes a mark in its place.
    fn mark(&self, out: &mut Output<'_>, printed: &mut Printed, value: String) -> Result<(), Error> {
        let mut mark = self.opening.clone();
        write_digits(printed.values.len() as u64, &mut mark);
        mark.push(CLOSE);
        printed.values.push(value);
        out.write_str(&mark)?;
        Ok(())
    }

    /// A value whose reserved characters have been replaced: they carry no meaning in it.
    ///
    /// If part of the key is among them, the value is what a filter or operator made of captured text; shown as it is,
    /// it would lack the values that were printed into it.
    fn without_reserved(&self, text: &str) -> Result<String, Error> {
        let key: Vec<char> = self.opening.chars().collect();
        if key.windows(KEY_PART).any(|part| text.contains(&part.iter().collect::<String>())) {
            return Err(Error::new(
                ErrorKind::InvalidOperation,
                "captured text holding printed values cannot be changed",
            ));
        }
        Ok(text.replace(is_reserved, "\u{fffd}"))
    }

    /// The marks of one output and their values; a blank has none.
    pub(super) fn filling<'a>(&'a self, printed: &'a Printed) -> Filling<'a> {
        let mut values: Vec<_> = printed.values.iter().map(|value| Some(Cow::Borrowed(value.as_str()))).collect();
        for (at, _) in &printed.blanks {
            if let Some(blank) = values.get_mut(*at) {
                *blank = None;
            }
        }
        Filling { opening: &self.opening, values }
    }

    /// The marks of one output, and what takes their places.
    pub(super) fn filling_with<'a>(&'a self, values: Vec<Cow<'a, str>>) -> Filling<'a> {
        Filling { opening: &self.opening, values: values.into_iter().map(Some).collect() }
    }
}

/// Puts values in the places of their marks.
pub(super) struct Filling<'a> {
    opening: &'a str,
    values: Vec<Option<Cow<'a, str>>>,
}

impl Filling<'_> {
    /// The text with its values.
    pub(super) fn text(&self, raw: &str) -> Result<String, DocumentError> {
        let pieces = self.pieces(raw)?.into_iter();
        Ok(pieces
            .map(|piece| match piece {
                Piece::Source(text) | Piece::Value(text) => text,
            })
            .collect())
    }
}

impl Fill for Filling<'_> {
    fn pieces<'a>(&'a self, raw: &'a str) -> Result<SmallVec<[Piece<'a>; 3]>, DocumentError> {
        let mut pieces = SmallVec::new();
        let mut rest = raw;
        while let Some(at) = rest.find(OPEN) {
            let (before, marked) = rest.split_at(at);
            pieces.extend(source(before)?);
            let (number, after) = marked
                .strip_prefix(self.opening)
                .and_then(|mark| mark.split_once(CLOSE))
                .ok_or(DocumentError::TornValue)?;
            let value =
                read_digits(number).and_then(|at| self.values.get(at)?.as_deref()).ok_or(DocumentError::TornValue)?;
            pieces.push(Piece::Value(value));
            rest = after;
        }
        pieces.extend(source(rest)?);
        Ok(pieces)
    }

    fn destination(&self, raw: &str) -> Result<Option<Destination>, DocumentError> {
        let pieces = self.pieces(raw)?;
        let mut address = String::new();
        let mut printed = false;
        for (i, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Source(text) => address.push_str(&text.replace(' ', "%20")),
                Piece::Value(value) => {
                    printed = true;
                    // It brings scheme and host itself, so it has to be an address; elsewhere it is only a part of one.
                    if i == 0 {
                        address.push_str(Destination::parse(value.trim()).ok_or(DocumentError::LinkAddress)?.as_str());
                    } else {
                        encode(value, kept_in(&address), &mut address);
                    }
                }
            }
        }
        let to = Destination::parse(&address);
        if printed && to.is_none() { Err(DocumentError::LinkAddress) } else { Ok(to) }
    }
}

/// The author's own words, in which no part of a mark may be left.
fn source(text: &str) -> Result<Option<Piece<'_>>, DocumentError> {
    // All of them begin with the octet 0xEF, which few texts hold.
    if text.as_bytes().contains(&0xEF) && text.contains(is_reserved) {
        return Err(DocumentError::TornValue);
    }
    Ok((!text.is_empty()).then_some(Piece::Source(text)))
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

fn write_digits(number: u64, out: &mut String) {
    for place in (0..DIGITS).rev() {
        let digit = (number >> (4 * place)) & 0xf;
        out.extend(char::from_u32(FIRST_DIGIT + digit as u32));
    }
}

fn read_digits(digits: &str) -> Option<usize> {
    let mut number: usize = 0;
    let mut count = 0;
    for c in digits.chars() {
        let digit = u32::from(c).checked_sub(FIRST_DIGIT).filter(|digit| *digit < 16)?;
        number = number << 4 | digit as usize;
        count += 1;
        if count > DIGITS {
            return None;
        }
    }
    (count == DIGITS).then_some(number)
}

/// Whether one line cannot hold `c`.
pub(super) fn ends_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// What to call a character that cannot be shown.
pub(super) fn name_of(c: char) -> String {
    let code = u32::from(c);
    match c {
        '\n' => "a line feed (U+000A)".to_owned(),
        '\r' => "a carriage return (U+000D)".to_owned(),
        '\0' => "NUL (U+0000)".to_owned(),
        '\t' => "a tab (U+0009)".to_owned(),
        '\u{1b}' => "an escape (U+001B)".to_owned(),
        '\u{2028}' | '\u{2029}' => format!("a line separator (U+{code:04X})"),
        _ => format!("a control character (U+{code:04X})"),
    }
}
