//! The plain form.

use super::{Block, Document, Inline, flatten, is_tight, shown};

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
            let lines = wrap(&flatten(inlines).replace('\n', " "), width);
            let longest = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
            out.extend(lines);
            match level {
                0 | 1 => out.push("=".repeat(longest)),
                2 => out.push("-".repeat(longest)),
                _ => {}
            }
        }
        Block::Paragraph(inlines) => out.extend(wrap(&flatten(inlines), width)),
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
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut out = Vec::new();
    for line in text.split('\n') {
        if line.len() <= width && !line.starts_with(' ') && !line.ends_with(' ') && !line.contains("  ") {
            out.push(line.to_owned());
            continue;
        }
        let line_of = || String::with_capacity(line.len().min(width));
        let mut current = line_of();
        let mut length = 0;
        for word in line.split(' ').filter(|word| !word.is_empty()) {
            let word_length = word.chars().count();
            if length > 0 && length + 1 + word_length > width {
                out.push(std::mem::replace(&mut current, line_of()));
                length = 0;
            }
            if length > 0 {
                current.push(' ');
                length += 1;
            }
            current.push_str(word);
            length += word_length;
        }
        out.push(current);
    }
    out
}
