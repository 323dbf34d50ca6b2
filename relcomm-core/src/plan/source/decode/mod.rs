//! From the tree to types: a serde deserializer that knows where everything stands and goes on after an error where it can.

mod access;
mod report;

use super::Source;
use super::node::{Kind, Node};
use super::shape::{REST, SHAPE, Shape};
use crate::plan::{Finding, MOST_FINDINGS};
use access::{Entries, Items, Rest, Variant};
use report::{DecodeError, Path, Sink};
use serde::de::{self, DeserializeOwned, Deserializer, Visitor};
use serde::forward_to_deserialize_any;

/// How often decoding begins anew, to reach what lies behind values that cannot be done without.
const MOST_ROUNDS: usize = 16;

pub(super) fn decode<T: DeserializeOwned>(source: &Source, node: &Node, path: &str) -> Result<T, Vec<Finding>> {
    let sink = Sink::new(source, path);
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

    fn quoted<T>(self, expected: &dyn de::Expected) -> Result<T, DecodeError> {
        self.settle(Err(de::Error::invalid_type(de::Unexpected::Other("text in quotes"), expected)))
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
            Kind::Scalar { .. } => self.quoted(&visitor),
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
            Kind::Scalar { plain: false, .. } => self.quoted(&"true or false"),
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
