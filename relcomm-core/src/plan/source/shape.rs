//! Values that people may write in more than one shape, and maps that keep the order of the file.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// The enum name by which a flexible type asks the tree's deserializer to say what shape a value has.
pub(crate) const SHAPE: &str = "relcomm::shape";

/// The field that gathers the keys of a map that its type does not name.
pub(crate) const REST: &str = "*";

/// What a value looks like in the file. The names are those of the variants under [`SHAPE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Shape {
    Nothing,
    Text,
    List,
    Map,
}

impl Shape {
    pub(crate) const NAMES: [&'static str; 4] = ["nothing", "text", "list", "map"];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Text => "text",
            Self::List => "list",
            Self::Map => "map",
        }
    }
}

/// Gives a type a `Deserialize` that dispatches on the shape of the value, and the JSON Schema that says the same.
///
/// serde's untagged enums buffer the value and lose its position; here each arm decodes the node itself.
macro_rules! flexible {
    ($name:ident, $expected:literal
        $(; text($text:ty) => $from_text:expr)?
        $(; list($list:ty) => $from_list:expr)?
        $(; map($map:ty) => $from_map:expr)?
    ) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                use $crate::plan::source::shape::{SHAPE, Shape};
                struct ByShape;
                impl<'de> serde::de::Visitor<'de> for ByShape {
                    type Value = $name;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($expected)
                    }
                    fn visit_enum<A: serde::de::EnumAccess<'de>>(self, value: A) -> Result<$name, A::Error> {
                        use serde::de::{Error, VariantAccess};
                        let (shape, value) = value.variant::<Shape>()?;
                        $(if shape == Shape::Text {
                            return value.newtype_variant::<$text>().map($from_text);
                        })?
                        $(if shape == Shape::List {
                            return value.newtype_variant::<$list>().map($from_list);
                        })?
                        $(if shape == Shape::Map {
                            return value.newtype_variant::<$map>().map($from_map);
                        })?
                        drop(value);
                        Err(A::Error::invalid_type(serde::de::Unexpected::Other(shape.found()), &self))
                    }
                }
                deserializer.deserialize_enum(SHAPE, &Shape::NAMES, ByShape)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let mut shapes: Vec<schemars::Schema> = Vec::new();
                $(shapes.push(generator.subschema_for::<$text>());)?
                $(shapes.push(generator.subschema_for::<$list>());)?
                $(shapes.push(generator.subschema_for::<$map>());)?
                schemars::json_schema!({ "description": concat!("As ", $expected, "."), "anyOf": shapes })
            }
        }
    };
}
pub(crate) use flexible;

/// Gives a type that is read from one scalar its `Deserialize` and JSON Schema: `from_str` by the type's `FromStr`.
macro_rules! scalar {
    ($name:ident, $expected:literal $(, $key:literal: $value:tt)*) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Scalar;
                impl serde::de::Visitor<'_> for Scalar {
                    type Value = $name;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($expected)
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Scalar)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string", "description": concat!("As ", $expected, ".") $(, $key: $value)*
                })
            }
        }
    };
}
pub(crate) use scalar;

impl Shape {
    /// How an error names what was found.
    pub(crate) const fn found(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Text => "text",
            Self::List => "a list",
            Self::Map => "a map",
        }
    }
}

/// A map in the order of the file. The file's reader refuses duplicate keys.
#[derive(Clone, PartialEq, Eq)]
pub struct Ordered<K, V>(Vec<(K, V)>);

impl<K, V> Ordered<K, V> {
    /// The entries in the order of the file.
    pub fn iter(&self) -> std::slice::Iter<'_, (K, V)> {
        self.0.iter()
    }

    /// The keys in the order of the file.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.0.iter().map(|(k, _)| k)
    }

    /// The values in the order of the file.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, v)| v)
    }

    /// The value of the key.
    pub fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        K: std::borrow::Borrow<Q>,
        Q: PartialEq + ?Sized,
    {
        self.0.iter().find(|(k, _)| k.borrow() == key).map(|(_, v)| v)
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K, V> Default for Ordered<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K, V> FromIterator<(K, V)> for Ordered<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl<K, V> IntoIterator for Ordered<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, K, V> IntoIterator for &'a Ordered<K, V> {
    type Item = &'a (K, V);
    type IntoIter = std::slice::Iter<'a, (K, V)>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Ordered<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(k, v)| (k, v))).finish()
    }
}

impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Deserialize<'de> for Ordered<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<K, V>(PhantomData<(K, V)>);
        impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Visitor<'de> for Entries<K, V> {
            type Value = Ordered<K, V>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered<K, V>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Ordered(entries))
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

impl<K: JsonSchema, V: JsonSchema> JsonSchema for Ordered<K, V> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Map_of_{}_by_{}", V::schema_name(), K::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let keys = generator.subschema_for::<K>();
        let values = generator.subschema_for::<V>();
        json_schema!({ "type": "object", "propertyNames": keys, "additionalProperties": values })
    }
}

/// One value, or a list of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneOrMany<T>(Vec<T>);

impl<T> OneOrMany<T> {
    /// Takes the values.
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }
}

impl<T> std::ops::Deref for OneOrMany<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> FromIterator<T> for OneOrMany<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

impl<'a, T> IntoIterator for &'a OneOrMany<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ByShape<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for ByShape<T> {
            type Value = OneOrMany<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one value or a list")
            }
            fn visit_enum<A: serde::de::EnumAccess<'de>>(self, value: A) -> Result<OneOrMany<T>, A::Error> {
                use serde::de::{Error, VariantAccess};
                match value.variant::<Shape>()? {
                    (Shape::List, list) => list.newtype_variant().map(OneOrMany),
                    (Shape::Nothing, _) => {
                        Err(A::Error::invalid_type(serde::de::Unexpected::Other(Shape::Nothing.found()), &self))
                    }
                    (_, one) => one.newtype_variant().map(|one| OneOrMany(vec![one])),
                }
            }
        }
        deserializer.deserialize_enum(SHAPE, &Shape::NAMES, ByShape(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("One_or_many_of_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [one.clone(), { "type": "array", "items": one }] })
    }
}

/// A word, or a map that says more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WordOr<W, M> {
    /// The word.
    Word(W),
    /// The map.
    Map(M),
}

impl<'de, W: Deserialize<'de>, M: Deserialize<'de>> Deserialize<'de> for WordOr<W, M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ByShape<W, M>(PhantomData<(W, M)>);
        impl<'de, W: Deserialize<'de>, M: Deserialize<'de>> Visitor<'de> for ByShape<W, M> {
            type Value = WordOr<W, M>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word or a map")
            }
            fn visit_enum<A: serde::de::EnumAccess<'de>>(self, value: A) -> Result<WordOr<W, M>, A::Error> {
                use serde::de::{Error, VariantAccess};
                match value.variant::<Shape>()? {
                    (Shape::Text, word) => word.newtype_variant().map(WordOr::Word),
                    (Shape::Map, map) => map.newtype_variant().map(WordOr::Map),
                    (shape, _) => Err(A::Error::invalid_type(serde::de::Unexpected::Other(shape.found()), &self)),
                }
            }
        }
        deserializer.deserialize_enum(SHAPE, &Shape::NAMES, ByShape(PhantomData))
    }
}

impl<W: JsonSchema, M: JsonSchema> JsonSchema for WordOr<W, M> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("{}_or_{}", W::schema_name(), M::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (word, map) = (generator.subschema_for::<W>(), generator.subschema_for::<M>());
        json_schema!({ "anyOf": [word, map] })
    }
}
