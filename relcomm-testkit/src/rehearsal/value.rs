//! Values that a script puts in the place of the plan's.

use super::script::Script;
use relcomm_core::plan::source::{Kind, Node, Source};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;

/// A word, a number or a truth value, as it stands in the script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value {
    text: String,
    /// Whether it stands without quotes, so that it may be a number or a truth value.
    plain: bool,
}

impl Value {
    /// One without quotes.
    pub(super) fn plain(text: &str) -> Self {
        Self { text: text.to_owned(), plain: true }
    }

    /// As a value of a plan.
    pub(super) fn kind(&self) -> Kind {
        Kind::Scalar { text: self.text.clone(), plain: self.plain }
    }
}

/// What decodes a script gives the text alone; the tree knows whether it stands in quotes.
pub(super) fn read_plain(script: &mut Script, source: &Source) {
    let mark = |(path, mut value): (String, Value), of: Option<&Node>| {
        let node = of.and_then(|of| of.get(&path)).map(Node::kind);
        value.plain = matches!(node, Some(Kind::Scalar { plain: true, .. }));
        (path, value)
    };
    let set = std::mem::take(&mut script.set);
    script.set = set.into_iter().map(|entry| mark(entry, source.get("set"))).collect();
    for (number, event) in script.timeline.iter_mut().flatten().enumerate() {
        let of = source.get(&format!("timeline[{number}].change"));
        event.change = event.change.take().map(|values| values.into_iter().map(|entry| mark(entry, of)).collect());
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self { text: String::deserialize(from)?, plain: false })
    }
}

impl JsonSchema for Value {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Value".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number", "boolean"] })
    }
}
