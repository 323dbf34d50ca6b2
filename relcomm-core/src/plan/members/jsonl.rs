//! Members as JSON lines: one object a line, its keys being what the columns of a CSV are.

use super::row::Field;
use super::{At, LONGEST, List, Roster, Row, Stopped, unmarked};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufRead, BufReader, Read};

/// One object as it stands, so that a key that stands twice is seen.
struct Entries(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole;
        impl<'de> Visitor<'de> for Whole {
            type Value = Entries;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Whole)
    }
}

pub(super) fn read(
    roster: &mut Roster,
    list: List<'_>,
    columns: &BTreeMap<String, String>,
    reader: impl Read,
) -> Result<(), Stopped> {
    let mapped: BTreeMap<&str, &str> =
        columns.iter().map(|(field, column)| (column.as_str(), field.as_str())).collect();
    let reader = unmarked(reader).map_err(Stopped::Unreadable)?;
    let mut reader = BufReader::with_capacity(1 << 16, reader);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        if reader.by_ref().take(LONGEST as u64).read_until(b'\n', &mut line).map_err(Stopped::Unreadable)? == 0 {
            break;
        }
        if line.len() == LONGEST && line.last() != Some(&b'\n') {
            let at = At::line(number);
            roster.complain(list, at, "RC0403", "a line is longer than 1 MiB".into(), Some("one object a line"));
            reader.skip_until(b'\n').map_err(Stopped::Unreadable)?;
            continue;
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let at = At::line(number);
        match serde_json::from_slice::<Entries>(&line) {
            Ok(Entries(entries)) => take(roster, list, &mapped, columns, &entries, at)?,
            Err(_) => roster.complain(
                list,
                at,
                "RC0403",
                "a line is no JSON object".into(),
                Some("one object a line: {\"id\": \"…\", \"email\": \"…\"}"),
            ),
        }
    }
    Ok(())
}

/// Up to here every whole number has a form of its own.
const EXACT: f64 = 9_007_199_254_740_992.0;

fn take(
    roster: &mut Roster,
    list: List<'_>,
    mapped: &BTreeMap<&str, &str>,
    columns: &BTreeMap<String, String>,
    entries: &[(String, Value)],
    at: At,
) -> Result<(), Stopped> {
    let mut cells: Vec<(Field, &str, String)> = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        let field = match mapped.get(key.as_str()) {
            Some(field) => Field::named(field, &roster.words),
            None if columns.contains_key(key) => Field::Var(key.clone()),
            None => Field::named(key, &roster.words),
        };
        let text = match (value, &field) {
            (Value::Null, _) => continue,
            (Value::String(text), _) => text.clone(),
            // Not every digit of it would be kept.
            (Value::Number(n), _) if n.is_f64() && n.as_f64().is_some_and(|n| n.abs() >= EXACT) => {
                let message = format!("the number of `{key}` is too great to keep its digits: write it in quotes");
                roster.complain(list, at, "RC0407", message, None);
                continue;
            }
            (Value::Number(n), _) => n.to_string(),
            (Value::Bool(b), _) => b.to_string(),
            (Value::Array(many), Field::Place) if many.iter().all(Value::is_string) => {
                many.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(";")
            }
            _ => {
                let message = format!("a value of `{key}` is neither text nor a number");
                roster.complain(list, at, "RC0407", message, None);
                continue;
            }
        };
        if cells.iter().any(|(before, ..)| *before == field) {
            let message = format!("the key `{key}` fills what another key of the line fills already");
            roster.complain(list, at, "RC0403", message, None);
            return Ok(());
        }
        cells.push((field, key, text));
    }
    let mut row = Row::with_room(cells.len());
    for (field, key, value) in &cells {
        row.cell(field, key, value);
    }
    if !row.is_blank() {
        roster.take(list, row, at)?;
    }
    Ok(())
}
