//! Members as comma-separated values (RFC 4180) with a header.

use super::row::Field;
use super::{At, List, Roster, Row, Stopped};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read};

pub(super) fn read(
    roster: &mut Roster,
    list: List<'_>,
    columns: &BTreeMap<String, String>,
    reader: impl Read,
) -> Result<(), Stopped> {
    let reader = Ruled::new(BufReader::with_capacity(1 << 16, reader));
    let mut lines = csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(reader);
    let mut record = csv::ByteRecord::new();
    loop {
        if !lines.read_byte_record(&mut record).map_err(unreadable)? {
            return Ok(());
        }
        if !is_blank(&record) {
            break;
        }
    }
    let header = header(roster, columns, &record)?;
    'rows: while lines.read_byte_record(&mut record).map_err(unreadable)? {
        let line = record.position().map_or(1, |at| usize::try_from(at.line()).unwrap_or(usize::MAX));
        let at = At::line(line);
        if is_blank(&record) {
            continue;
        }
        if record.len() != header.len() {
            let message = format!("a row has {} where the header has {} columns", Cells(record.len()), header.len());
            roster.complain(list, at, "RC0403", message, Some("put a value that holds a comma in double quotes"));
            continue;
        }
        let mut row = Row::with_room(header.len());
        for ((name, field), value) in header.iter().zip(&record) {
            let Ok(value) = std::str::from_utf8(value) else {
                roster.complain(list, at, "RC0403", "a row is not UTF-8".into(), Some("save the file as UTF-8"));
                continue 'rows;
            };
            row.cell(field, name, value);
        }
        if !row.is_blank() {
            roster.take(list, row, at)?;
        }
    }
    Ok(())
}

fn is_blank(record: &csv::ByteRecord) -> bool {
    record.iter().all(|cell| cell.iter().all(|b| matches!(b, b' ' | b'\t')))
}

struct Cells(usize);

impl std::fmt::Display for Cells {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} value{}", self.0, if self.0 == 1 { "" } else { "s" })
    }
}

fn unreadable(e: csv::Error) -> Stopped {
    Stopped::Unreadable(match e.into_kind() {
        csv::ErrorKind::Io(e) => e,
        _ => std::io::Error::other("it is no CSV"),
    })
}

/// The columns: each with its name and what it fills. A mapped column fills what the plan says, another what its name says.
fn header(
    roster: &Roster,
    columns: &BTreeMap<String, String>,
    record: &csv::ByteRecord,
) -> Result<Vec<(String, Field)>, Stopped> {
    let mut names = Vec::with_capacity(record.len());
    for cell in record {
        let Ok(name) = std::str::from_utf8(cell) else {
            return Err(Stopped::Header("the header is not UTF-8".into(), Some("save the file as UTF-8".into())));
        };
        names.push(name.trim().to_owned());
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
        return Err(Stopped::Header(format!("the header names the column `{twice}` twice"), None));
    }
    if let Some(missing) = columns.values().find(|column| !seen.contains(column.as_str())) {
        let help = match names.as_slice() {
            [one] if one.contains([';', '\t']) => "divide the columns by commas".into(),
            _ => format!("the header has {}", quoted(&names)),
        };
        return Err(Stopped::Header(
            format!("the header has no column `{missing}`, which `columns` names"),
            Some(help),
        ));
    }
    if let [one] = names.as_slice()
        && one.contains([';', '\t'])
    {
        let message = "the header is one column that holds `;` or tabs".into();
        return Err(Stopped::Header(message, Some("divide the columns by commas".into())));
    }
    let mapped: BTreeMap<&str, &str> =
        columns.iter().map(|(field, column)| (column.as_str(), field.as_str())).collect();
    let filled: Vec<(String, Field)> = names
        .into_iter()
        .map(|name| {
            let field = match mapped.get(name.as_str()) {
                Some(field) => Field::named(field, &roster.words),
                // What is mapped elsewhere is not filled by its namesake too.
                None if columns.contains_key(&name) => Field::Var(name.clone()),
                None => Field::named(&name, &roster.words),
            };
            (name, field)
        })
        .collect();
    for (i, (name, field)) in filled.iter().enumerate() {
        if filled.iter().take(i).any(|(_, before)| before == field) {
            return Err(Stopped::Header(format!("the column `{name}` fills what another column fills already"), None));
        }
    }
    Ok(filled)
}

fn quoted(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(12).map(|name| format!("`{name}`")).collect();
    shown.join(", ")
}

/// A reader that makes every line a record, so that the parser, which skips blank lines without counting them, counts right: it drops
/// the byte order mark with which spreadsheets begin a file and the CR of a line's end, and gives a blank line an empty value.
struct Ruled<R> {
    rest: R,
    ready: Vec<u8>,
    given: usize,
    begun: bool,
    quoted: bool,
    line_begins: bool,
    carriage: bool,
}

impl<R: BufRead> Ruled<R> {
    fn new(rest: R) -> Self {
        Self { rest, ready: Vec::new(), given: 0, begun: false, quoted: false, line_begins: true, carriage: false }
    }

    fn refill(&mut self) -> std::io::Result<()> {
        self.ready.clear();
        self.given = 0;
        let read = self.rest.fill_buf()?;
        let length = read.len();
        let mark: &[u8] = &[0xEF, 0xBB, 0xBF];
        let bytes = if self.begun { read } else { read.strip_prefix(mark).unwrap_or(read) };
        self.begun = true;
        for &byte in bytes {
            if std::mem::take(&mut self.carriage) && byte != b'\n' {
                self.ready.push(b'\r');
                self.line_begins = false;
            }
            match byte {
                b'\r' if !self.quoted => {
                    self.carriage = true;
                    continue;
                }
                b'\n' if !self.quoted => {
                    if self.line_begins {
                        self.ready.extend_from_slice(b"\"\"");
                    }
                    self.line_begins = true;
                }
                b'"' => {
                    self.quoted = !self.quoted;
                    self.line_begins = false;
                }
                _ => self.line_begins = false,
            }
            self.ready.push(byte);
        }
        self.rest.consume(length);
        Ok(())
    }
}

impl<R: BufRead> Read for Ruled<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        while self.given == self.ready.len() {
            if self.rest.fill_buf()?.is_empty() {
                return Ok(0);
            }
            self.refill()?;
        }
        let left = self.ready.get(self.given..).unwrap_or_default();
        let n = left.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..n), left.get(..n)) {
            to.copy_from_slice(from);
        }
        self.given += n;
        Ok(n)
    }
}
