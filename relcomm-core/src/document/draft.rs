//! Blocks in which values are still wanting, and how values get in.
//!
//! A source is parsed to drafts, with a place wherever a value was printed; then the values are put there. The drafts of one source can be
//! filled many times. A value is text: it opens no block and no markup, whatever it holds.

use super::{Block, Destination, DocumentError, Inline};

/// A run of text: the author's words, and places for values.
pub(crate) type Run = Vec<Piece>;

/// A part of a run.
#[derive(Debug)]
pub(crate) enum Piece {
    /// The author's own words.
    Source(String),
    /// The place of the value of that number.
    Place(usize),
}

impl Piece {
    /// Its words.
    pub(crate) fn words<'a>(&'a self, values: &'a dyn Values) -> Result<&'a str, DocumentError> {
        match self {
            Self::Source(text) => Ok(text),
            Self::Place(number) => values.value(*number).ok_or(DocumentError::TornValue),
        }
    }
}

/// The values that belong in the places of a draft.
pub(crate) trait Values {
    /// The value of that number; `None` if it is not known.
    fn value(&self, number: usize) -> Option<&str>;
}

/// As [`Block`].
#[derive(Debug)]
pub(super) enum Draft {
    Heading { level: u8, inlines: Vec<DraftInline> },
    Paragraph(Vec<DraftInline>),
    List { start: Option<u64>, items: Vec<Vec<Self>> },
    Quote(Vec<Self>),
    Code { info: Run, text: Run },
    Rule,
    Table { header: Vec<Vec<DraftInline>>, rows: Vec<Vec<Vec<DraftInline>>> },
}

/// As [`Inline`].
#[derive(Debug)]
pub(super) enum DraftInline {
    Text(Run),
    Strong(Vec<Self>),
    Emphasis(Vec<Self>),
    Code(Run),
    Link { to: To, inlines: Vec<Self> },
    Break,
}

/// Where a link leads.
#[derive(Debug)]
pub(super) enum To {
    /// `None`: nowhere, it is plain text.
    Settled(Option<Destination>),
    /// It depends on values. Nested in another link, it has to be right and leads nowhere.
    Open { run: Run, nested: bool },
}

/// What line ends become.
#[derive(Clone, Copy)]
enum Lines {
    Break,
    Space,
}

/// The blocks of these drafts; those that would show nothing are left out, as a value may be empty.
pub(super) fn fill(drafts: &[Draft], values: &dyn Values) -> Result<Vec<Block>, DocumentError> {
    let mut blocks = Vec::with_capacity(drafts.len());
    for draft in drafts {
        blocks.extend(block(draft, values)?);
    }
    Ok(blocks)
}

fn block(draft: &Draft, values: &dyn Values) -> Result<Option<Block>, DocumentError> {
    Ok(Some(match draft {
        Draft::Heading { level, inlines } => match shown(filled(inlines, values, Lines::Space)?) {
            Some(inlines) => Block::Heading { level: *level, inlines },
            None => return Ok(None),
        },
        Draft::Paragraph(inlines) => match shown(filled(inlines, values, Lines::Break)?) {
            Some(inlines) => Block::Paragraph(inlines),
            None => return Ok(None),
        },
        Draft::List { start, items } => {
            let items = items.iter().map(|item| fill(item, values)).collect::<Result<_, _>>()?;
            Block::List { start: *start, items }
        }
        Draft::Quote(inner) => Block::Quote(fill(inner, values)?),
        Draft::Code { info, text } => {
            let language = literal(info, values)?.split_whitespace().next().map(str::to_owned);
            let mut text = literal(text, values)?;
            if text.ends_with('\n') {
                text.pop();
            }
            Block::Code { language, text }
        }
        Draft::Rule => Block::Rule,
        Draft::Table { header, rows } => {
            let row = |cells: &Vec<Vec<DraftInline>>| {
                cells.iter().map(|cell| filled(cell, values, Lines::Space)).collect::<Result<Vec<_>, _>>()
            };
            Block::Table { header: row(header)?, rows: rows.iter().map(row).collect::<Result<_, _>>()? }
        }
    }))
}

/// Inlines without line ends after them; `None` if they show nothing.
fn shown(mut inlines: Vec<Inline>) -> Option<Vec<Inline>> {
    while matches!(inlines.last(), Some(Inline::Break)) {
        inlines.pop();
    }
    let blank = inlines.iter().all(|inline| match inline {
        Inline::Text(text) => text.trim().is_empty(),
        Inline::Break => true,
        _ => false,
    });
    (!blank).then_some(inlines)
}

fn filled(drafts: &[DraftInline], values: &dyn Values, lines: Lines) -> Result<Vec<Inline>, DocumentError> {
    let mut out = Vec::with_capacity(drafts.len());
    for draft in drafts {
        match draft {
            DraftInline::Text(run) => text(run, values, lines, &mut out)?,
            DraftInline::Strong(inner) => out.push(Inline::Strong(filled(inner, values, lines)?)),
            DraftInline::Emphasis(inner) => out.push(Inline::Emphasis(filled(inner, values, lines)?)),
            DraftInline::Code(run) => {
                let code = literal(run, values)?;
                let code = if code.contains('\n') { code.replace('\n', " ") } else { code };
                if !code.is_empty() {
                    out.push(Inline::Code(code));
                }
            }
            DraftInline::Link { to, inlines } => {
                let to = match to {
                    To::Settled(to) => to.clone(),
                    To::Open { run, nested } => Some(Destination::of_run(run, values)?).filter(|_| !nested),
                };
                let mut inlines = filled(inlines, values, lines)?;
                match to {
                    Some(to) => out.push(Inline::Link { to, inlines }),
                    None => out.append(&mut inlines),
                }
            }
            DraftInline::Break => out.push(Inline::Break),
        }
    }
    Ok(out)
}

fn length(run: &Run, values: &dyn Values) -> usize {
    run.iter().map(|piece| piece.words(values).map_or(0, str::len)).sum()
}

/// Appends a run to inlines, as lines.
fn text(run: &Run, values: &dyn Values, lines: Lines, out: &mut Vec<Inline>) -> Result<(), DocumentError> {
    let mut room = length(run, values);
    for piece in run {
        let words = piece.words(values)?;
        // Only a value, or the source of HTML, can hold a line end here.
        let is_value = matches!(piece, Piece::Place(_));
        if is_one_line(words) {
            push(words, room, out);
        } else if is_value {
            push_lines(words.split(line_end).filter(|line| !line.is_empty()), lines, room, out);
        } else {
            push_lines(words.split('\n'), lines, room, out);
        }
        room -= words.len();
    }
    Ok(())
}

fn push_lines<'t>(all: impl Iterator<Item = &'t str>, lines: Lines, room: usize, out: &mut Vec<Inline>) {
    for (i, line) in all.enumerate() {
        match lines {
            Lines::Space if i > 0 => push(" ", room, out),
            Lines::Break if i > 0 => out.push(Inline::Break),
            _ => {}
        }
        push(line, room, out);
    }
}

/// Appends words to the text that is last, or as a text that has room for so many octets.
fn push(words: &str, room: usize, out: &mut Vec<Inline>) {
    if words.is_empty() {
        return;
    }
    if let Some(Inline::Text(last)) = out.last_mut() {
        last.push_str(words);
    } else {
        let mut text = String::with_capacity(room.max(words.len()));
        text.push_str(words);
        out.push(Inline::Text(text));
    }
}

/// A run in which line ends stay, as in code.
fn literal(run: &Run, values: &dyn Values) -> Result<String, DocumentError> {
    let mut out = String::with_capacity(length(run, values));
    for piece in run {
        let words = piece.words(values)?;
        match piece {
            Piece::Place(_) if !is_one_line(words) => {
                out.push_str(&words.replace("\r\n", "\n").replace(line_end, "\n"));
            }
            _ => out.push_str(words),
        }
    }
    Ok(out)
}

/// Whether there is surely no line end; `false` for whatever is not ASCII.
fn is_one_line(text: &str) -> bool {
    text.bytes().all(|octet| (b' '..0x7F).contains(&octet))
}

/// The characters at which Unicode ends a line ([UAX #14](https://www.unicode.org/reports/tr14/), class BK, CR, LF, NL).
fn line_end(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}
