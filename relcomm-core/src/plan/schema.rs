//! The JSON Schema of the plan language, for editors and for hosts.

use super::draft::PlanDraft;
use super::source::shape::REST;
use crate::id::{CommuniqueId, GroupId, ItemId, Lang, OccurrenceId, PlaceId, PlanId, Role, StakeholderId};
use crate::mechanism::Mechanism;
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;
use std::borrow::Cow;

/// The JSON Schema (2020-12) of a plan: every key of the language with its meaning.
#[must_use]
pub fn json_schema() -> Value {
    json_schema_of::<PlanDraft>("https://relcomm.example/plan.v1.json", "Release communications plan")
}

/// The JSON Schema (2020-12) of another kind of file that [`Source`](super::Source) decodes, under this id and title.
#[must_use]
pub fn json_schema_of<T: JsonSchema>(id: &str, title: &str) -> Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
    RecursiveTransform(open_rest).transform(&mut schema);
    RecursiveTransform(numbers_are_text).transform(&mut schema);
    schema.insert("$id".into(), id.into());
    schema.insert("title".into(), title.into());
    schema.to_value()
}

/// The field that gathers all other keys becomes what the schema says of all other keys.
fn open_rest(schema: &mut Schema) {
    let rest = schema.get_mut("properties").and_then(Value::as_object_mut).and_then(|p| p.remove(REST));
    let Some(mut rest) = rest else { return };
    let all_others = rest.get_mut("additionalProperties").map_or(Value::Bool(true), Value::take);
    schema.insert("additionalProperties".into(), all_others);
}

/// Where text is wanted a bare number is its text: `version: 0.9`, `id: 7`.
fn numbers_are_text(schema: &mut Schema) {
    let is_text = schema.get("type").and_then(Value::as_str) == Some("string") && schema.get("enum").is_none();
    if is_text {
        schema.insert("type".into(), serde_json::json!(["string", "number"]));
    }
}

macro_rules! words {
    ($($id:ident: $pattern:literal, $description:literal;)*) => {$(
        impl JsonSchema for $id {
            fn schema_name() -> Cow<'static, str> {
                stringify!($id).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern, "description": $description })
            }
        }
    )*};
}

words! {
    PlanId: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", "The id of a plan.";
    CommuniqueId: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", "The id of a communique.";
    OccurrenceId: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", "The id of an occurrence of a communique.";
    GroupId: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", "The id of a group.";
    PlaceId: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", "The id of a place.";
    ItemId: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", "The id of an item.";
    Role: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", "A role.";
    Lang: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", "A language tag (BCP 47), such as `en` or `de-CH`.";
    StakeholderId: "^[^\\s/~]{1,128}$", "The id of a person or an inbox.";
    Mechanism: "^[a-z][a-z0-9-]{0,31}$",
        "A mechanism: bulletin, chat, email, newsletter, pager, phone, presentation, text, webhook, website, or one of the plan's own.";
}
