//! Lists, maps and variants of the tree as serde walks through them.

use super::Place;
use super::report::{DecodeError, Path};
use crate::plan::source::node::{Entry, Node};
use crate::plan::source::shape::REST;
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

pub(super) struct Items<'a> {
    pub(super) items: std::iter::Enumerate<std::slice::Iter<'a, Node>>,
    pub(super) place: Place<'a>,
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

pub(super) struct Entries<'a> {
    pub(super) entries: std::vec::IntoIter<&'a Entry>,
    pub(super) value: Option<Next<'a>>,
    pub(super) rest: Option<Rest<'a>>,
    /// For the entries that a type gathers: the keys that it names.
    pub(super) known: Option<&'static [&'static str]>,
    pub(super) place: Place<'a>,
}

/// The entries that a type does not name, and the keys that it does.
pub(super) struct Rest<'a> {
    pub(super) entries: Vec<&'a Entry>,
    pub(super) known: &'static [&'static str],
}

/// The value that waits for being asked for.
pub(super) enum Next<'a> {
    Entry(&'a Entry),
    Rest(Rest<'a>),
}

impl<'a> Entries<'a> {
    pub(super) fn all(entries: &'a [Entry], place: Place<'a>) -> Self {
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
pub(super) struct Variant<'a> {
    pub(super) name: &'a str,
    pub(super) place: Option<Place<'a>>,
}

impl<'de, 'a> EnumAccess<'de> for Variant<'a> {
    type Error = DecodeError;
    type Variant = Value<'a>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Value<'a>), DecodeError> {
        let variant = seed.deserialize(IntoDeserializer::<DecodeError>::into_deserializer(self.name))?;
        Ok((variant, Value(self.place)))
    }
}

pub(super) struct Value<'a>(Option<Place<'a>>);

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
