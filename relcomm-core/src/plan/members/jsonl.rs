//! Members as JSON lines: one object a line, its keys being what the columns of a CSV are.

use super::row::Field;
use super::{At, List, Roster, Row, Stopped};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};

/// The longest line: enough for a person, and a bound for a file that has no line breaks.
const LONGEST: u64 = 1 << 20;

pub(super) fn read(
    roster: &mut Roster,
    list: List<'_>,
    columns: &BTreeMap<String, String>,
    reader: impl Read,
) -> Result<(), Stopped> {
    let mapped: BTreeMap<&str, &str> =
        columns.iter().map(|(field, column)| (column.as_str(), field.as_str())).collect();
    let mut reader = BufReader::with_capacity(1 << 16, reader);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        if reader.by_ref().take(LONGEST).read_until(b'\n', &mut line).map_err(Stopped::Unreadable)? == 0 {
            break;
        }
        if line.len() as u64 == LONGEST && line.last() != Some(&b'\n') {
            return Err(Stopped::Unreadable(std::io::Error::other("a line is longer than 1 MiB")));
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let at = At::line(number);
        match serde_json::from_slice::<Map<String, Value>>(&line) {
            Ok(object) => take(roster, list, &mapped, columns, &object, at)?,
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

fn take(
    roster: &mut Roster,
    list: List<'_>,
    mapped: &BTreeMap<&str, &str>,
    columns: &BTreeMap<String, String>,
    object: &Map<String, Value>,
    at: At,
) -> Result<(), Stopped> {
    let mut cells: Vec<(Field, &str, String)> = Vec::with_capacity(object.len());
    for (key, value) in object {
        let field = match mapped.get(key.as_str()) {
            Some(field) => Field::named(field, &roster.words),
            None if columns.contains_key(key) => Field::Var(key.clone()),
            None => Field::named(key, &roster.words),
        };
        let text = match (value, &field) {
            (Value::Null, _) => continue,
            (Value::String(text), _) => text.clone(),
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
