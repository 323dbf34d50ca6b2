//! Printed values: marks in the output, the values beside it.
//!
//! While a template renders, a printed value is kept in a table of that rendering and a mark is written in its place.
//! The output is parsed as Markdown, in which a mark is a word of ordinary letters; then the values take the places of
//! their marks. No value is ever parsed.

use std::borrow::Cow;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Error, ErrorKind, Output, State, Value};
use smallvec::SmallVec;

use super::Templates;
use super::form::{Blank, Own};
use crate::document::{self, DocumentError, MAX_SOURCE, Piece, Run, Values};

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

/// What one rendering printed, in order.
#[derive(Default)]
pub(super) struct Printed {
    values: Vec<Slot>,
    /// What belongs in the blanks: each field of a person once, and whatever is changed first.
    blanks: Vec<Blank>,
    bytes: usize,
}

enum Slot {
    Value(String),
    /// A blank, by its index.
    Blank(usize),
}

impl Printed {
    pub(super) fn has_blanks(&self) -> bool {
        !self.blanks.is_empty()
    }

    fn blank(&mut self, blank: &Blank) {
        let at = self.blanks.iter().position(|known| known.is_same(blank)).unwrap_or_else(|| {
            self.blanks.push(blank.clone());
            self.blanks.len() - 1
        });
        self.values.push(Slot::Blank(at));
    }

    /// The values, each blank filled by `own`; `None` if it has no value for one of them, or they are more than a rendering may print.
    pub(super) fn filled<'a>(&'a self, own: &'a dyn Own, templates: &Templates) -> Option<Filled<'a>> {
        let mut words = SmallVec::new();
        for blank in &self.blanks {
            words.push(blank.words(own, templates).filter(|words| !holds_reserved(words))?);
        }
        let filled = Filled { printed: self, words };
        let blanks = self.values.iter().filter_map(|slot| match slot {
            Slot::Value(_) => None,
            Slot::Blank(at) => Some(filled.words.get(*at)?.len()),
        });
        let bytes = self.bytes + blanks.sum::<usize>();
        (bytes <= MAX_SOURCE).then_some(filled)
    }
}

/// In blanks there is nothing.
impl Values for Printed {
    fn value(&self, number: usize) -> Option<&str> {
        match self.values.get(number)? {
            Slot::Value(value) => Some(value),
            Slot::Blank(_) => None,
        }
    }
}

/// What one rendering printed, with what belongs in its blanks.
pub(super) struct Filled<'a> {
    printed: &'a Printed,
    words: SmallVec<[Cow<'a, str>; 4]>,
}

impl Values for Filled<'_> {
    fn value(&self, number: usize) -> Option<&str> {
        match self.printed.values.get(number)? {
            Slot::Value(value) => Some(value),
            Slot::Blank(at) => self.words.get(*at).map(|words| &**words),
        }
    }
}

/// What is printed of a value.
pub(super) fn words(value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::None => Err(Error::new(ErrorKind::InvalidOperation, "there is no value to print")),
        // The engine would write `True`, which neither a plan nor a reader does.
        ValueKind::Bool => Ok(value.is_true().to_string()),
        ValueKind::String | ValueKind::Number | ValueKind::Plain => Ok(value.to_string()),
        _ => Err(Error::new(ErrorKind::InvalidOperation, unprintable(value))),
    }
}

/// Why a list or map cannot be printed, with a part of it that perhaps can.
fn unprintable(value: &Value) -> String {
    let first = value.try_iter().ok().filter(|_| value.kind() == ValueKind::Map).and_then(|mut keys| keys.next());
    match first.as_ref().and_then(Value::as_str) {
        Some(part) => format!("a list or map cannot be printed, only a part of it, such as `.{part}`"),
        None => "a list or map cannot be printed".to_owned(),
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
            self.mark(out, printed.values.len())?;
            printed.blank(blank);
            return Ok(());
        }
        if value.kind() == ValueKind::String && value.is_safe() {
            out.write_str(value.as_str().unwrap_or_default())?;
            return Ok(());
        }
        let text = words(value)?;
        let text = if text.contains(is_reserved) { self.without_reserved(&text)? } else { text };
        let printed = state.get_or_insert_extension_with(Printed::default);
        printed.bytes += text.len();
        if printed.bytes > MAX_SOURCE {
            return refused("the printed values are too long");
        }
        self.mark(out, printed.values.len())?;
        printed.values.push(Slot::Value(text));
        Ok(())
    }

    /// Writes the mark of a value.
    fn mark(&self, out: &mut Output<'_>, number: usize) -> Result<(), Error> {
        let mut mark = self.opening.clone();
        write_digits(number as u64, &mut mark);
        mark.push(CLOSE);
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
}

impl document::Marks for Marks {
    fn run(&self, raw: &str) -> Result<Run, DocumentError> {
        let mut run = Run::new();
        let mut rest = raw;
        while let Some(at) = rest.find(OPEN) {
            let (before, marked) = rest.split_at(at);
            run.extend(source(before)?);
            let (number, after) = marked
                .strip_prefix(&*self.opening)
                .and_then(|mark| mark.split_once(CLOSE))
                .ok_or(DocumentError::TornValue)?;
            run.push(Piece::Place(read_digits(number).ok_or(DocumentError::TornValue)?));
            rest = after;
        }
        run.extend(source(rest)?);
        Ok(run)
    }
}

/// The author's own words, in which no part of a mark may be left.
fn source(text: &str) -> Result<Option<Piece>, DocumentError> {
    if holds_reserved(text) {
        return Err(DocumentError::TornValue);
    }
    Ok((!text.is_empty()).then(|| Piece::Source(text.to_owned())))
}

/// A run with its values.
pub(super) fn text(run: &[Piece], values: &dyn Values) -> Result<String, DocumentError> {
    let mut out = String::new();
    for piece in run {
        out.push_str(piece.words(values)?);
    }
    Ok(out)
}

pub(super) fn holds_reserved(text: &str) -> bool {
    // All of them begin with the octet 0xEF, which few texts hold.
    text.as_bytes().contains(&0xEF) && text.contains(is_reserved)
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
