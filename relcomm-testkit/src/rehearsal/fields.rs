//! The fields of a report's rows by their own names. A report leaves some of them out where they say nothing, and a name that is misspelt
//! must not pass for one of those.

use super::judge::shown;
use relcomm_core::plan::source::did_you_mean;
use relcomm_core::report::{DeliveryReport, PersonReport};
use serde::Serialize;
use serde_json::Value;

/// What stands for a field that is left out, where there is a delivery.
const LEFT_OUT: [(&str, &str); 2] = [("revision", "1"), ("superseded", "false")];

/// What a row shows: its delivery, and its person.
pub(super) const ROW: &[&str] = &[
    "id",
    "communique",
    "occurrence",
    "place",
    "revision",
    "groups",
    "part",
    "class",
    "assurance",
    "mechanism",
    "posted",
    "text_digest",
    "deadline",
    "late",
    "planned",
    "superseded",
    "reason",
    "through",
    "attempts",
    "last_statement",
    "deliveries",
];

/// What an attempt shows.
pub(super) const ATTEMPT: &[&str] =
    &["mechanism", "to", "number", "at", "outcome", "reason", "code", "ended", "reference", "performer", "by", "note"];

/// That there is no such field, and which one was perhaps meant.
pub(super) fn misnamed(what: &str, field: &str, known: &[&str]) -> Option<String> {
    if known.contains(&field) {
        return None;
    }
    let meant = did_you_mean(field, known.iter().copied()).map(|meant| format!("; {meant}")).unwrap_or_default();
    Some(format!("{what} of the report has no field `{field}`{meant}"))
}

/// What a row shows of a field.
pub(super) fn of_row(person: &PersonReport, delivery: Option<&DeliveryReport>, field: &str) -> String {
    let of = |part: Value| part.get(field).cloned();
    let found = delivery.and_then(|delivery| of(tree(delivery))).or_else(|| of(tree(person)));
    let usual = LEFT_OUT.iter().find(|(name, _)| *name == field && delivery.is_some());
    match (found, usual) {
        (None, Some((_, usual))) => (*usual).to_owned(),
        (found, _) => shown(found.unwrap_or_default()),
    }
}

fn tree(part: &impl Serialize) -> Value {
    serde_json::to_value(part).unwrap_or_default()
}
