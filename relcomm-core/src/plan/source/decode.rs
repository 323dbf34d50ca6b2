//! From the tree to types: a serde deserializer that knows where everything stands and goes on after an error where it can.

use super::node::{Entry, Kind, Node, push_key};
use super::shape::{REST, SHAPE, Shape};
use super::{Source, suggest};
use crate::plan::Finding;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt;

/// More findings than this help nobody, and would cost time in files that mean harm.
const MOST_FINDINGS: usize = 200;
/// How often decoding begins anew, to reach what lies behind values that cannot be done without.
const MOST_ROUNDS: usize = 16;

pub(super) fn decode<T: DeserializeOwned>(source: &Source, node: &Node, path: &str) -> Result<T, Vec<Finding>> {
    let sink = Sink {
        source,
        base: path,
        findings: RefCell::default(),
        errors: Cell::default(),
        postponed: RefCell::default(),
    };
    let mut round = 0;
    let value = loop {
        round += 1;
        let before = sink.postponed.borrow().len();
        let place = Place { node, key: None, path: &Path::Root, sink: &sink, before: sink.errors.get() };
        let value = place.settle(T::deserialize(place));
        // A required value that was refused ends its map. Read last, it ends nothing.
        let ended_early = sink.postponed.borrow().len() > before;
        if !ended_early || round == MOST_ROUNDS {
            break value;
        }
    };
    let mut findings = sink.findings.into_inner();
    findings.sort_by_key(|f| f.at.as_ref().map(|at| (at.line, at.column)));
    match value {
        Ok(value) if findings.is_empty() => Ok(value),
        _ => Err(findings),
    }
}

/// Where the findings go. Those that do not keep the rest from being read are put here and reading goes on.
struct Sink<'a> {
    source: &'a Source,
    base: &'a str,
    findings: RefCell<Vec<Finding>>,
    /// How often something was refused, the same things in a later round counted again.
    errors: Cell<usize>,
    /// The keys, by their offsets, whose values were refused and cannot be done without.
    postponed: RefCell<BTreeSet<usize>>,
}

impl Sink<'_> {
    fn report(&self, error: &DecodeError, offset: usize, path: &Path<'_>) {
        let DecodeError::Found { code, message, help } = error else { return };
        self.errors.set(self.errors.get() + 1);
        let mut findings = self.findings.borrow_mut();
        if findings.len() >= MOST_FINDINGS {
            return;
        }
        let mut finding =
            Finding::error(code, path.text(self.base), message.clone()).at(self.source.position_at(offset));
        finding.help.clone_from(help);
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }

    fn unknown_key(&self, entry: &Entry, known: &[&'static str], path: &Path<'_>) {
        let known: Vec<_> = known.iter().copied().filter(|k| *k != REST).collect();
        let help = match suggest(entry.key(), known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known here: {}", known.join(", ")),
        };
        let error = DecodeError::Found {
            code: "RC0002",
            message: format!("unknown key `{}`", shown(entry.key())),
            help: Some(help),
        };
        self.report(&error, entry.offset(), &Path::Key(path, entry.key()));
    }
}

/// The way from the root to a value; written out only for a finding.
enum Path<'a> {
    Root,
    Key(&'a Path<'a>, &'a str),
    Index(&'a Path<'a>, usize),
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
        Self::found("RC0005", message.to_string())
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
        let help = suggest(word, known.iter().copied()).map(|near| format!("did you mean `{near}`?"));
        let message = format!("`{}` is none of {}", shown(word), known.join(", "));
        Self::Found { code: "RC0005", message, help }
    }

    fn missing_field(key: &'static str) -> Self {
        Self::found("RC0004", format!("the key `{key}` is missing"))
    }
}

/// A value to decode, and where it stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    node: &'a Node,
    /// Where its key stands, if it has one.
    key: Option<usize>,
    path: &'a Path<'a>,
    sink: &'a Sink<'a>,
    /// How many findings there were before it was read.
    before: usize,
}

impl<'a> Place<'a> {
    /// Reports an error at this value, unless it was reported further within.
    fn settle<T>(self, result: Result<T, DecodeError>) -> Result<T, DecodeError> {
        result.map_err(|error| {
            // A map that is refused after something in it was refused is refused because of that.
            let follows =
                self.sink.errors.get() > self.before && matches!(error, DecodeError::Found { code: "RC0005", .. });
            if follows {
                return DecodeError::Reported;
            }
            // What is missing from a map is missing under its key: the map itself begins with its first entry.
            let missing = matches!(error, DecodeError::Found { code: "RC0004", .. });
            let offset = self.key.filter(|_| missing).unwrap_or(self.node.offset());
            self.sink.report(&error, offset, self.path);
            DecodeError::Reported
        })
    }

    fn shape(self) -> Shape {
        match self.node.kind() {
            Kind::Null => Shape::Nothing,
            Kind::Scalar { .. } => Shape::Text,
            Kind::List(_) => Shape::List,
            Kind::Map(_) => Shape::Map,
        }
    }

    fn wrong<T>(self, expected: &dyn de::Expected) -> Result<T, DecodeError> {
        let found = match self.node.kind() {
            Kind::Scalar { text, .. } => de::Unexpected::Str(text),
            _ => de::Unexpected::Other(self.shape().found()),
        };
        self.settle(Err(de::Error::invalid_type(found, expected)))
    }

    fn list<'de, V: Visitor<'de>>(self, items: &'a [Node], visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_seq(Items { items: items.iter().enumerate(), place: self })
    }

    fn number<'de, V: Visitor<'de>, N: std::str::FromStr>(
        self,
        visitor: V,
        give: impl FnOnce(V, N) -> Result<V::Value, DecodeError>,
    ) -> Result<V::Value, DecodeError> {
        match self.node.kind() {
            Kind::Scalar { text, plain: true } => match text.replace('_', "").parse() {
                Ok(number) => self.settle(give(visitor, number)),
                Err(_) => self.wrong(&visitor),
            },
            _ => self.wrong(&visitor),
        }
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $number:ty;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            self.number(visitor, |visitor, number: $number| visitor.$visit(number))
        }
    )*};
}

impl<'de> Deserializer<'de> for Place<'_> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let value = match self.node.kind() {
            Kind::Null => visitor.visit_unit(),
            Kind::Scalar { text, .. } => visitor.visit_str(text),
            Kind::List(items) => self.list(items, visitor),
            Kind::Map(entries) => visitor.visit_map(Entries::all(entries, self)),
        };
        self.settle(value)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.node.kind() {
            Kind::Scalar { text, plain: true } if text == "true" => self.settle(visitor.visit_bool(true)),
            Kind::Scalar { text, plain: true } if text == "false" => self.settle(visitor.visit_bool(false)),
            _ => self.wrong(&"true or false"),
        }
    }

    numbers! {
        deserialize_i8 visit_i64 i64;
        deserialize_i16 visit_i64 i64;
        deserialize_i32 visit_i64 i64;
        deserialize_i64 visit_i64 i64;
        deserialize_u8 visit_u64 u64;
        deserialize_u16 visit_u64 u64;
        deserialize_u32 visit_u64 u64;
        deserialize_u64 visit_u64 u64;
        deserialize_f32 visit_f64 f64;
        deserialize_f64 visit_f64 f64;
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.node.kind() {
            Kind::Scalar { text, .. } => self.settle(visitor.visit_str(text)),
            _ => self.wrong(&visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.node.kind() {
            Kind::Scalar { text, .. } => self.settle(visitor.visit_str(text)),
            _ => self.wrong(&"text"),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.node.kind() {
            Kind::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, DecodeError> {
        let value = visitor.visit_newtype_struct(self);
        self.settle(value)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.node.kind() {
            Kind::List(items) => {
                let value = self.list(items, visitor);
                self.settle(value)
            }
            _ => self.wrong(&"a list"),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.node.kind() {
            Kind::Map(entries) => {
                let value = visitor.visit_map(Entries::all(entries, self));
                self.settle(value)
            }
            _ => self.wrong(&"a map"),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        keys: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let Kind::Map(entries) = self.node.kind() else { return self.wrong(&"a map") };
        let takes_rest = keys.contains(&REST);
        let (mut known, other): (Vec<_>, Vec<_>) =
            entries.iter().partition(|e| e.key() != REST && keys.contains(&e.key()));
        known.sort_by_key(|e| self.sink.postponed.borrow().contains(&e.offset()));
        let (rest, unknown): (Vec<_>, Vec<_>) =
            other.into_iter().partition(|e| takes_rest && e.value().text().is_some());
        for entry in unknown.into_iter().take(MOST_FINDINGS) {
            self.sink.unknown_key(entry, keys, self.path);
        }
        let rest = (takes_rest && !rest.is_empty()).then_some(Rest { entries: rest, known: keys });
        let value =
            visitor.visit_map(Entries { entries: known.into_iter(), value: None, rest, known: None, place: self });
        self.settle(value)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        words: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let value = if name == SHAPE {
            visitor.visit_enum(Variant { name: self.shape().name(), place: Some(self) })
        } else {
            match self.node.kind() {
                Kind::Scalar { text, .. } => visitor.visit_enum(Variant { name: text, place: None }),
                _ => return self.wrong(&&*format!("one of {}", words.join(", "))),
            }
        };
        self.settle(value)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct identifier
    }
}

struct Items<'a> {
    items: std::iter::Enumerate<std::slice::Iter<'a, Node>>,
    place: Place<'a>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, DecodeError> {
        let Some((index, node)) = self.items.next() else { return Ok(None) };
        let path = Path::Index(self.place.path, index);
        let sink = self.place.sink;
        let place = Place { node, key: None, path: &path, sink, before: sink.errors.get() };
        // Types made from a decoded text refuse it only afterwards: it is still this value that they refuse.
        place.settle(seed.deserialize(place)).map(Some)
    }

    fn next_element<T: de::Deserialize<'de>>(&mut self) -> Result<Option<T>, DecodeError> {
        // An element that cannot be read is reported; the ones after it are read all the same, for their findings.
        loop {
            match self.next_element_seed(std::marker::PhantomData) {
                Err(DecodeError::Reported) => {}
                other => return other,
            }
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

struct Entries<'a> {
    entries: std::vec::IntoIter<&'a Entry>,
    value: Option<Next<'a>>,
    rest: Option<Rest<'a>>,
    /// For the entries that a type gathers: the keys that it names.
    known: Option<&'static [&'static str]>,
    place: Place<'a>,
}

/// The entries that a type does not name, and the keys that it does.
struct Rest<'a> {
    entries: Vec<&'a Entry>,
    known: &'static [&'static str],
}

/// The value that waits for being asked for.
enum Next<'a> {
    Entry(&'a Entry),
    Rest(Rest<'a>),
}

impl<'a> Entries<'a> {
    fn all(entries: &'a [Entry], place: Place<'a>) -> Self {
        Self { entries: entries.iter().collect::<Vec<_>>().into_iter(), value: None, rest: None, known: None, place }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, DecodeError> {
        if let Some(entry) = self.entries.next() {
            self.value = Some(Next::Entry(entry));
            let path = Path::Key(self.place.path, entry.key());
            let key = seed.deserialize(IntoDeserializer::<DecodeError>::into_deserializer(entry.key()));
            return key.map(Some).map_err(|error| {
                match self.known {
                    Some(known) => self.place.sink.unknown_key(entry, known, self.place.path),
                    None => self.place.sink.report(&error, entry.offset(), &path),
                }
                DecodeError::Reported
            });
        }
        match self.rest.take() {
            Some(rest) => {
                self.value = Some(Next::Rest(rest));
                seed.deserialize(IntoDeserializer::<DecodeError>::into_deserializer(REST)).map(Some)
            }
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, DecodeError> {
        match self.value.take() {
            Some(Next::Entry(entry)) => {
                let path = Path::Key(self.place.path, entry.key());
                let sink = self.place.sink;
                let (node, key) = (entry.value(), Some(entry.offset()));
                let place = Place { node, key, path: &path, sink, before: sink.errors.get() };
                place.settle(seed.deserialize(place))
            }
            Some(Next::Rest(rest)) => {
                let entries = Entries {
                    entries: rest.entries.into_iter(),
                    value: None,
                    rest: None,
                    known: Some(rest.known),
                    place: self.place,
                };
                seed.deserialize(de::value::MapAccessDeserializer::new(entries))
            }
            None => Err(de::Error::custom("a value without a key")),
        }
    }

    fn next_value<V: de::Deserialize<'de>>(&mut self) -> Result<V, DecodeError> {
        let key = match &self.value {
            Some(Next::Entry(entry)) => Some(entry.offset()),
            _ => None,
        };
        match self.next_value_seed(std::marker::PhantomData) {
            // A field that may be absent is taken as absent, so that the findings of the fields after it are not lost.
            Err(DecodeError::Reported) => V::deserialize(Absent).map_err(|_| {
                self.place.sink.postponed.borrow_mut().extend(key);
                DecodeError::Reported
            }),
            other => other,
        }
    }

    fn next_entry<K: de::Deserialize<'de>, V: de::Deserialize<'de>>(&mut self) -> Result<Option<(K, V)>, DecodeError> {
        loop {
            let key = match self.next_key_seed(std::marker::PhantomData) {
                Ok(None) => return Ok(None),
                Ok(Some(key)) => Some(key),
                Err(DecodeError::Reported) => None,
                Err(error) => return Err(error),
            };
            // The value under a refused key is read for its findings.
            match (key, self.next_value_seed(std::marker::PhantomData)) {
                (Some(key), Ok(value)) => return Ok(Some((key, value))),
                (None, Ok(_)) | (_, Err(DecodeError::Reported)) => {}
                (_, Err(error)) => return Err(error),
            }
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

/// Stands for a value that was reported: none to an option, empty to a list or a map, and an error to everything else.
struct Absent;

impl<'de> Deserializer<'de> for Absent {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, DecodeError> {
        Err(DecodeError::Reported)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_none()
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_seq(de::value::SeqDeserializer::<_, DecodeError>::new(std::iter::empty::<()>()))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_map(de::value::MapDeserializer::<_, DecodeError>::new(std::iter::empty::<((), ())>()))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_str("")
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_bool(false)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str bytes byte_buf unit unit_struct newtype_struct tuple
        tuple_struct struct enum identifier ignored_any
    }
}

/// A variant: a word alone, or the shape of a value with the value itself.
struct Variant<'a> {
    name: &'a str,
    place: Option<Place<'a>>,
}

impl<'de, 'a> EnumAccess<'de> for Variant<'a> {
    type Error = DecodeError;
    type Variant = Value<'a>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Value<'a>), DecodeError> {
        let variant = seed.deserialize(IntoDeserializer::<DecodeError>::into_deserializer(self.name))?;
        Ok((variant, Value(self.place)))
    }
}

struct Value<'a>(Option<Place<'a>>);

impl<'de> VariantAccess<'de> for Value<'_> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, DecodeError> {
        match self.0 {
            Some(place) => seed.deserialize(place),
            None => Err(de::Error::custom("expected a word alone")),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, DecodeError> {
        Err(de::Error::custom("expected a word alone"))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, DecodeError> {
        Err(de::Error::custom("expected a word alone"))
    }
}
