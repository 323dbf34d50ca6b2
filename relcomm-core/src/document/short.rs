//! The short form.

use super::{Block, Document, Inline, flatten};

impl Document {
    /// One line for pager and text: no line ends, white space collapsed, links as `words (address)`.
    ///
    /// A heading is followed by a colon and the items of a list are parted by semicolons, unless they end with
    /// punctuation or an address.
    #[must_use]
    pub fn to_short(&self) -> String {
        let mut line = Line::default();
        line.blocks(self.blocks(), "");
        line.text
    }
}

#[derive(Default)]
struct Line {
    text: String,
    /// What parts the words so far from the next ones, if there are any.
    mark: &'static str,
}

impl Line {
    /// Adds blocks; `mark` follows the last of them.
    fn blocks<'b>(&mut self, blocks: impl ExactSizeIterator<Item = &'b Block>, after: &'static str) {
        let last = blocks.len().saturating_sub(1);
        for (i, block) in blocks.enumerate() {
            let mark = if i < last { "" } else { after };
            match block {
                Block::Heading { inlines, .. } => self.words(inlines, ":"),
                Block::Paragraph(inlines) => self.words(inlines, mark),
                Block::List { items, .. } => {
                    for (i, item) in items.iter().enumerate() {
                        self.blocks(item.iter(), if i + 1 < items.len() { ";" } else { mark });
                    }
                }
                Block::Quote(inner) => self.blocks(inner.iter(), mark),
                Block::Code { text, .. } => self.words(&[Inline::Code(text.clone())], mark),
                Block::Rule => {}
                Block::Table { header, rows } => {
                    for (i, row) in std::iter::once(header).chain(rows).enumerate() {
                        for (j, cell) in row.iter().enumerate() {
                            let last = if i < rows.len() { ";" } else { mark };
                            self.words(cell, if j + 1 < row.len() { "," } else { last });
                        }
                    }
                }
            }
        }
    }

    fn words(&mut self, inlines: &[Inline], mark: &'static str) {
        let words = flatten(inlines);
        let mut words = words.split_whitespace().peekable();
        if words.peek().is_some() {
            let last = self.text.rsplit(' ').next().unwrap_or_default();
            if !last.contains("://") && last.ends_with(|c: char| c.is_alphanumeric() || c == ')') {
                self.text.push_str(self.mark);
            }
            self.mark = mark;
        }
        for word in words {
            if !self.text.is_empty() {
                self.text.push(' ');
            }
            self.text.push_str(word);
        }
    }
}
