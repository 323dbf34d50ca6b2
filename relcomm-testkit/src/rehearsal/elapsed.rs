//! How long something takes in a rehearsal.

use relcomm_core::plan::time::{BadTime, Span};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::str::FromStr;
use std::time::Duration;

/// Time that passes, a day counted as 24 hours. Business days are refused: how long they are depends on the date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Elapsed(pub(super) Duration);

/// Why a text is no time that passes.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotElapsed {
    #[error(transparent)]
    Span(#[from] BadTime),
    #[error("business days are no time that passes here: write days or hours")]
    BusinessDays,
}

impl FromStr for Elapsed {
    type Err = NotElapsed;

    fn from_str(text: &str) -> Result<Self, NotElapsed> {
        let span: Span = text.parse()?;
        span.as_elapsed().map(Self).ok_or(NotElapsed::BusinessDays)
    }
}

impl<'de> Deserialize<'de> for Elapsed {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // As a span first, so that what is none is refused in its words.
        let span = Span::deserialize(from)?;
        span.as_elapsed().map(Self).ok_or_else(|| D::Error::custom(NotElapsed::BusinessDays))
    }
}

impl JsonSchema for Elapsed {
    fn schema_name() -> Cow<'static, str> {
        "Elapsed".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "As a duration such as `30m`, without business days.",
            "pattern": "^\\s*(?=\\d)(\\d+w)?(\\d+d)?(\\d+h)?(\\d+m)?(\\d+s)?\\s*$"
        })
    }
}
