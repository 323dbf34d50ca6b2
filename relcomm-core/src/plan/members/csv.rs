//! Members as comma-separated values (RFC 4180) with a header.

use super::row::Field;
use super::{At, LONGEST, List, Roster, Row, Stopped, Vocabulary, unmarked};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read};

pub(super) fn read(
    roster: &mut Roster,
    list: List<'_>,
    columns: &BTreeMap<String, String>,
    reader: impl Read,
) -> Result<(), Stopped> {
    let reader = unmarked(reader).map_err(Stopped::Unreadable)?;
    let reader = Ruled::new(BufReader::with_capacity(1 << 16, reader));
    let mut lines = csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(reader);
    let read = rows(roster, list, columns, &mut lines);
    let Some((line, fault)) = lines.get_ref().fault else { return read };
    let (message, help) = match fault {
        Fault::Endless => ("a row is longer than 1 MiB", "is a quotation mark before it not closed?"),
        Fault::Unclosed => (UNCLOSED, "a quotation mark within a quoted value is doubled: `\"\"`"),
    };
    roster.complain(list, At::line(line), "RC0403", message.into(), Some(help));
    Ok(())
}

const UNCLOSED: &str = "a quotation mark is not closed: the rest of the file would be one value";

fn rows<R: BufRead>(
    roster: &mut Roster,
    list: List<'_>,
    columns: &BTreeMap<String, String>,
    lines: &mut csv::Reader<Ruled<R>>,
) -> Result<(), Stopped> {
    let mut record = csv::ByteRecord::new();
    loop {
        if !lines.read_byte_record(&mut record).map_err(unreadable)? {
            return Ok(());
        }
        if !is_blank(&record) {
            break;
        }
    }
    let header = header(&roster.words, columns, &record)?;
    'rows: while lines.read_byte_record(&mut record).map_err(unreadable)? {
        let line = line_of(&record);
        let at = At::line(line);
        if is_blank(&record) {
            continue;
        }
        if lines.get_ref().fault.is_some_and(|(faulty, _)| faulty == line) {
            return Ok(());
        }
        if record.len() != header.len() {
            let message = format!("a row has {} where the header has {} columns", Cells(record.len()), header.len());
            let help = if record.len() < header.len() {
                "give every column its value, an empty one where there is none"
            } else {
                "put a value that holds a comma in double quotes"
            };
            roster.complain(list, at, "RC0403", message, Some(help));
            continue;
        }
        let mut row = Row::with_room(header.len());
        for ((name, field), value) in header.iter().zip(&record) {
            let Ok(value) = std::str::from_utf8(value) else {
                roster.complain(list, at, "RC0403", "a row is not UTF-8".into(), Some("save the file as UTF-8"));
                continue 'rows;
            };
            if name.is_empty() && !value.trim().is_empty() {
                let help = "give the column a name in the header";
                roster.complain(list, at, "RC0403", "a value stands in a column without a name".into(), Some(help));
                continue 'rows;
            }
            row.cell(field, name, value);
        }
        if !row.is_blank() {
            roster.take(list, row, at)?;
        }
    }
    Ok(())
}

/// The line on which a record begins.
fn line_of(record: &csv::ByteRecord) -> usize {
    record.position().map_or(1, |at| usize::try_from(at.line()).unwrap_or(usize::MAX))
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
///
/// Spreadsheets like to end lines with commas: a column without a name is nothing, as long as it is empty.
fn header(
    words: &Vocabulary,
    columns: &BTreeMap<String, String>,
    record: &csv::ByteRecord,
) -> Result<Vec<(String, Field)>, Stopped> {
    let refused = |message: String, help: Option<String>| Err(Stopped::Header(line_of(record), message, help));
    let mut names = Vec::with_capacity(record.len());
    for cell in record {
        let Ok(name) = std::str::from_utf8(cell) else {
            return refused("the header is not UTF-8".into(), Some("save the file as UTF-8".into()));
        };
        names.push(name.trim().to_owned());
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = names.iter().find(|name| !name.is_empty() && !seen.insert(name.as_str())) {
        return refused(format!("the header names the column `{twice}` twice"), None);
    }
    if let Some(missing) = columns.values().find(|column| !seen.contains(column.as_str())) {
        let help = match names.as_slice() {
            [one] if one.contains([';', '\t']) => "divide the columns by commas".into(),
            _ => format!("the header has {}", quoted(&names)),
        };
        return refused(format!("the header has no column `{missing}`, which `columns` names"), Some(help));
    }
    if let [one] = names.as_slice()
        && one.contains([';', '\t'])
    {
        let message = "the header is one column that holds `;` or tabs".into();
        return refused(message, Some("divide the columns by commas".into()));
    }
    let mapped: BTreeMap<&str, &str> =
        columns.iter().map(|(field, column)| (column.as_str(), field.as_str())).collect();
    let mut filled: Vec<(String, Field)> = Vec::with_capacity(names.len());
    for name in names {
        let field = match mapped.get(name.as_str()) {
            Some(field) => Field::named(field, words),
            // What is mapped elsewhere is not filled by its namesake too.
            None if columns.contains_key(&name) => Field::Var(name.clone()),
            None => Field::named(&name, words),
        };
        if !name.is_empty() && filled.iter().any(|(_, before)| *before == field) {
            return refused(format!("the column `{name}` fills what another column fills already"), None);
        }
        filled.push((name, field));
    }
    Ok(filled)
}

fn quoted(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(12).map(|name| format!("`{name}`")).collect();
    shown.join(", ")
}

/// Why a file is not read to its end.
#[derive(Clone, Copy)]
enum Fault {
    /// A row is longer than any.
    Endless,
    /// The file ends within quotation marks.
    Unclosed,
}

/// Where in a row the reader is, as RFC 4180 has it: a quotation mark opens only where a value begins.
#[derive(Clone, Copy, PartialEq)]
enum Within {
    LineStart,
    ValueStart,
    Plain,
    Quoted,
    /// After a mark within a quoted value: the first of two, or the end of it.
    Mark,
}

/// A reader that makes every line a record, so that the parser, which skips blank lines without counting them, counts right: it drops the
/// CR of a line's end, and gives a blank line an empty value. It bounds a row, and notices one that never ends.
struct Ruled<R> {
    rest: R,
    ready: Vec<u8>,
    given: usize,
    within: Within,
    carriage: bool,
    line: usize,
    /// Where the present row began, and how long it is.
    row: usize,
    length: usize,
    /// The row at which reading went wrong.
    fault: Option<(usize, Fault)>,
}

impl<R: BufRead> Ruled<R> {
    fn new(rest: R) -> Self {
        Self {
            rest,
            ready: Vec::new(),
            given: 0,
            within: Within::LineStart,
            carriage: false,
            line: 1,
            row: 1,
            length: 0,
            fault: None,
        }
    }

    /// Makes ready what was read next; `false` at the end.
    fn refill(&mut self) -> std::io::Result<bool> {
        self.ready.clear();
        self.given = 0;
        let bytes = self.rest.fill_buf()?;
        let many = bytes.len();
        let mut rest_of_row = 0;
        for (i, &byte) in bytes.iter().enumerate() {
            if std::mem::take(&mut self.carriage) && byte != b'\n' {
                // A CR alone ends a row for the parser, and a line for nobody.
                self.ready.push(b'\r');
                (self.within, self.length, rest_of_row) = (Within::LineStart, 0, i);
            }
            let quoted = self.within == Within::Quoted;
            self.within = match byte {
                b'"' if quoted => Within::Mark,
                b'"' if matches!(self.within, Within::LineStart | Within::ValueStart | Within::Mark) => Within::Quoted,
                b'\r' if !quoted => {
                    self.carriage = true;
                    continue;
                }
                b'\n' => {
                    self.line += 1;
                    if self.within == Within::LineStart {
                        self.ready.extend_from_slice(b"\"\"");
                    }
                    if quoted {
                        Within::Quoted
                    } else {
                        (self.row, self.length, rest_of_row) = (self.line, 0, i);
                        Within::LineStart
                    }
                }
                _ if quoted => Within::Quoted,
                b',' => Within::ValueStart,
                _ => Within::Plain,
            };
            self.ready.push(byte);
        }
        self.length += many - rest_of_row;
        self.rest.consume(many);
        if self.length > LONGEST {
            self.fault = Some((self.row, Fault::Endless));
            return Err(std::io::Error::other("a row is too long"));
        }
        if many == 0 && self.within == Within::Quoted {
            self.fault = Some((self.row, Fault::Unclosed));
        }
        Ok(many > 0)
    }
}

impl<R: BufRead> Read for Ruled<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        while self.given == self.ready.len() {
            if !self.refill()? {
                return Ok(0);
            }
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
