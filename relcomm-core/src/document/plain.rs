//! The plain form.

use super::{Block, Document, Inline, flatten, is_tight, shown};
use std::borrow::Cow;

/// The width at which plain text is wrapped, in characters (RFC 5322 recommends at most 78, with room for quoting).
const WIDTH: usize = 72;

/// The width up to which a column of a table is padded: one long cell must not lengthen every row.
const COLUMN: usize = 40;

impl Document {
    /// Readable text: wrapped at 72 characters, links as `words (address)`, lists indented, code as it is.
    ///
    /// Lines end with `\n`; there is none at the end. A word longer than a line, such as an address, is not broken.
    #[must_use]
    pub fn to_plain(&self) -> String {
        let mut pieces = Vec::with_capacity(2 * self.blocks.len());
        for (i, shared) in self.blocks.iter().enumerate() {
            if i > 0 {
                pieces.push("");
            }
            pieces.extend(shared.plain.get_or_init(|| plain(&shared.block)).as_deref());
        }
        pieces.join("\n")
    }
}

fn plain(block: &Block) -> Option<String> {
    if let Block::Paragraph(inlines) = block {
        let text = flatten(inlines);
        let mut out = String::with_capacity(text.len() + 1);
        wrap(&text, WIDTH, |line| {
            out.push_str(line);
            out.push('\n');
        });
        out.pop();
        return Some(out);
    }
    let mut lines = Vec::new();
    block_lines(block, WIDTH, &mut lines);
    match lines.len() {
        0 | 1 => lines.pop(),
        _ => Some(lines.join("\n")),
    }
}

fn lines_of(blocks: &[Block], width: usize) -> Vec<String> {
    let mut out = Vec::new();
    for (i, block) in blocks.iter().enumerate() {
        if i > 0 {
            out.push(String::new());
        }
        block_lines(block, width, &mut out);
    }
    out
}

fn block_lines(block: &Block, width: usize, out: &mut Vec<String>) {
    match block {
        Block::Heading { level, inlines } => {
            let mut longest = 0;
            wrap(&flatten(inlines).replace('\n', " "), width, |line| {
                longest = longest.max(line.chars().count());
                out.push(line.to_owned());
            });
            match level {
                0 | 1 => out.push("=".repeat(longest)),
                2 => out.push("-".repeat(longest)),
                _ => {}
            }
        }
        Block::Paragraph(inlines) => wrap(&flatten(inlines), width, |line| out.push(line.to_owned())),
        Block::List { start, items } => list_lines(*start, items, width, out),
        Block::Quote(inner) => {
            for line in lines_of(inner, narrower(width, 2)) {
                out.push(if line.is_empty() { ">".to_owned() } else { format!("> {line}") });
            }
        }
        Block::Code { text, .. } => {
            for line in text.split('\n') {
                let line: String = line.chars().map(shown).collect();
                out.push(if line.is_empty() { line } else { format!("    {line}") });
            }
        }
        Block::Rule => out.push("* * *".to_owned()),
        Block::Table { header, rows } => table_lines(header, rows, out),
    }
}

fn list_lines(start: Option<u64>, items: &[Vec<Block>], width: usize, out: &mut Vec<String>) {
    let tight = is_tight(items);
    let labels: Vec<String> = match start {
        Some(first) => (0..items.len() as u64).map(|i| format!("{}. ", first.saturating_add(i))).collect(),
        None => items.iter().map(|_| "- ".to_owned()).collect(),
    };
    let indent = labels.iter().map(String::len).max().unwrap_or(2);
    for (i, (label, item)) in labels.iter().zip(items).enumerate() {
        if i > 0 && !tight {
            out.push(String::new());
        }
        let inner = narrower(width, indent);
        let mut lines = if tight {
            let mut lines = Vec::new();
            for block in item {
                block_lines(block, inner, &mut lines);
            }
            lines
        } else {
            lines_of(item, inner)
        }
        .into_iter();
        let first = lines.next().unwrap_or_default();
        let mut first_line = String::with_capacity(indent + first.len());
        first_line.push_str(label);
        first_line.extend(std::iter::repeat_n(' ', indent - label.len()));
        first_line.push_str(&first);
        first_line.truncate(first_line.trim_end().len());
        out.push(first_line);
        out.extend(lines.map(|line| if line.is_empty() { line } else { format!("{:indent$}{line}", "") }));
    }
}

/// Columns are aligned so that they can be read in a fixed-width font; rows are not wrapped.
fn table_lines(header: &[Vec<Inline>], rows: &[Vec<Vec<Inline>>], out: &mut Vec<String>) {
    let cell = |inlines: &Vec<Inline>| flatten(inlines).split_whitespace().collect::<Vec<_>>().join(" ");
    let heading: Vec<String> = header.iter().map(cell).collect();
    let body: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(cell).collect()).collect();
    let mut widths: Vec<usize> = Vec::new();
    for row in std::iter::once(&heading).chain(&body) {
        for (column, text) in row.iter().enumerate() {
            let length = text.chars().count().min(COLUMN);
            match widths.get_mut(column) {
                Some(width) => *width = (*width).max(length),
                None => widths.push(length),
            }
        }
    }
    let line = |row: &[String]| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(text, width)| format!("{text:<width$}")).collect();
        cells.join(" | ").trim_end().to_owned()
    };
    if !heading.is_empty() {
        out.push(line(&heading));
        out.push(widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>().join("-|-"));
    }
    out.extend(body.iter().map(|row| line(row)));
}

fn narrower(width: usize, by: usize) -> usize {
    width.saturating_sub(by).max(20)
}

/// Fills lines up to `width`; a line feed ends a line. Only ASCII spaces are places to break.
fn wrap(text: &str, width: usize, mut take: impl FnMut(&str)) {
    for line in text.split('\n') {
        let mut rest = &*single_spaced(line);
        while let Some(end) = place_to_break(rest, width) {
            let (line, after) = rest.split_at(end);
            take(line);
            rest = after.strip_prefix(' ').unwrap_or(after);
        }
        take(rest);
    }
}

/// The words with one space between them.
fn single_spaced(line: &str) -> Cow<'_, str> {
    if !line.starts_with(' ') && !line.ends_with(' ') && !line.contains("  ") {
        return Cow::Borrowed(line);
    }
    Cow::Owned(line.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "))
}

/// The space at which a line of at most `width` characters ends, or the first one if a word is longer; `None` if there is nothing to break.
fn place_to_break(words: &str, width: usize) -> Option<usize> {
    if words.len() <= width {
        return None;
    }
    let mut last = None;
    for (length, (at, c)) in words.char_indices().enumerate() {
        if c == ' ' && (length <= width || last.is_none()) {
            last = Some(at);
        }
        if length >= width && last.is_some() {
            return last;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lines_are_as_full_as_they_can_be(text in "( |é|[a-z]{1,9}|[a-zé]{20,30}){0,40}", width in 20_usize..40) {
            let mut lines: Vec<String> = Vec::new();
            wrap(&text, width, |line| lines.push(line.to_owned()));
            let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
            prop_assert_eq!(lines.join(" "), words.join(" "));
            let length = |text: &str| text.chars().count();
            prop_assert!(lines.iter().all(|line| length(line) <= width || !line.contains(' ')));
            for (line, next) in lines.iter().zip(lines.iter().skip(1)) {
                let word = next.split(' ').next().unwrap_or_default();
                prop_assert!(length(line) + 1 + length(word) > width, "{line:?} has room for {word:?}");
            }
        }
    }
}
