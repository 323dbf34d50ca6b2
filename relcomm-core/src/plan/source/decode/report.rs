//! What decoding finds: errors with path and position, all that can be found at once.

use crate::plan::excerpt::without_addresses;
use crate::plan::source::node::{Entry, push_key};
use crate::plan::source::shape::REST;
use crate::plan::source::{Source, did_you_mean};
use crate::plan::{Finding, MOST_FINDINGS};
use serde::de;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt;

/// Where the findings go. Those that do not keep the rest from being read are put here and reading goes on.
pub(super) struct Sink<'a> {
    source: &'a Source,
    base: &'a str,
    pub(super) findings: RefCell<Vec<Finding>>,
    /// How often something was refused, the same things in a later round counted again.
    pub(super) errors: Cell<usize>,
    /// The keys, by their offsets, whose values were refused and cannot be done without.
    pub(super) postponed: RefCell<BTreeSet<usize>>,
}

impl<'a> Sink<'a> {
    pub(super) fn new(source: &'a Source, base: &'a str) -> Self {
        Self { source, base, findings: RefCell::default(), errors: Cell::default(), postponed: RefCell::default() }
    }

    pub(super) fn report(&self, error: &DecodeError, offset: usize, path: &Path<'_>) {
        let DecodeError::Found { code, message, help } = error else { return };
        self.errors.set(self.errors.get() + 1);
        let mut findings = self.findings.borrow_mut();
        if findings.len() >= MOST_FINDINGS {
            return;
        }
        // A key may be an address: where ids are meant, people write what they have.
        let path = without_addresses(&path.text(self.base)).into_owned();
        let mut finding = Finding::error(code, path, message.clone()).at(self.source.position_at(offset));
        finding.help.clone_from(help);
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }

    pub(super) fn unknown_key(&self, entry: &Entry, known: &[&'static str], path: &Path<'_>) {
        let known: Vec<_> = known.iter().copied().filter(|k| *k != REST).collect();
        let help = did_you_mean(entry.key(), known.iter().copied());
        let help = help.unwrap_or_else(|| format!("known here: {}", known.join(", ")));
        let error = DecodeError::Found {
            code: "RC0002",
            message: format!("unknown key `{}`", shown(entry.key())),
            help: Some(help),
        };
        self.report(&error, entry.offset(), &Path::Key(path, entry.key()));
    }
}

/// The way from the root to a value; written out only for a finding.
pub(super) enum Path<'a> {
    Root,
    Key(&'a Self, &'a str),
    Index(&'a Self, usize),
}

impl Path<'_> {
    fn text(&self, base: &str) -> String {
        match self {
            Self::Root => base.to_owned(),
            Self::Key(parent, key) => {
                let mut text = parent.text(base);
                push_key(&mut text, key);
                text
            }
            Self::Index(parent, index) => format!("{}[{index}]", parent.text(base)),
        }
    }
}

/// A word as findings repeat it: nothing that may be an address, and nothing long.
fn shown(text: &str) -> &str {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let plain = text.len() <= 40 && digits < 7 && !text.chars().any(|c| c.is_control() || matches!(c, '@' | '/' | '+'));
    if plain { text } else { "…" }
}

/// What serde expects, in the words of people who write plans.
fn plainly(expected: &dyn de::Expected) -> String {
    let expected = expected.to_string();
    match expected.as_str() {
        "a string" => "text".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        other if other.starts_with("a nonzero ") => "a whole number above zero".to_owned(),
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, not below zero".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
        _ => expected,
    }
}

#[derive(Debug)]
pub(super) enum DecodeError {
    /// Not yet reported.
    Found { code: &'static str, message: String, help: Option<String> },
    /// Already in the sink; what remains is to give up the value.
    Reported,
}

impl DecodeError {
    fn found(code: &'static str, message: String) -> Self {
        Self::Found { code, message, help: None }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found { message, .. } => f.write_str(message),
            Self::Reported => f.write_str("reported"),
        }
    }
}

impl std::error::Error for DecodeError {}

impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::found("RC0005", without_addresses(&message.to_string()).into_owned())
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let found = match found {
            de::Unexpected::Str(text) => format!("`{}`", shown(text)),
            de::Unexpected::Seq => "a list".to_owned(),
            de::Unexpected::Map => "a map".to_owned(),
            de::Unexpected::Unit | de::Unexpected::Option => "nothing".to_owned(),
            de::Unexpected::Other(what) => what.to_owned(),
            _ => "something else".to_owned(),
        };
        Self::found("RC0003", format!("expected {}, found {found}", plainly(expected)))
    }

    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::found("RC0005", format!("expected {}", plainly(expected)))
    }

    fn unknown_variant(word: &str, known: &'static [&'static str]) -> Self {
        let help = did_you_mean(word, known.iter().copied());
        let message = format!("`{}` is none of {}", shown(word), known.join(", "));
        Self::Found { code: "RC0005", message, help }
    }

    fn missing_field(key: &'static str) -> Self {
        Self::found("RC0004", format!("the key `{key}` is missing"))
    }
}
