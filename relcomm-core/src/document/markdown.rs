//! From Markdown events to the tree.

use std::borrow::Borrow;
use std::sync::Arc;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag};
use smallvec::{SmallVec, smallvec};

use super::{Block, Destination, Document, DocumentError, Inline, MAX_DEPTH, MAX_SOURCE, Shared};

/// A part of a run of text: written by the author, or standing for a value.
pub(crate) enum Piece<'a> {
    /// The author's own words.
    Source(&'a str),
    /// A value, to be shown literally.
    Value(&'a str),
}

/// What replaces the stand-ins that were printed into a source before it was parsed.
pub(crate) trait Fill {
    /// The pieces of a run of text.
    fn pieces<'a>(&'a self, raw: &'a str) -> Result<SmallVec<[Piece<'a>; 3]>, DocumentError>;
    /// Where a link leads; `None` makes it plain text.
    fn destination(&self, raw: &str) -> Result<Option<Destination>, DocumentError>;
}

/// The filling of a source in which nothing was printed.
pub(super) struct Verbatim;

impl Fill for Verbatim {
    fn pieces<'a>(&'a self, raw: &'a str) -> Result<SmallVec<[Piece<'a>; 3]>, DocumentError> {
        Ok(smallvec![Piece::Source(raw)])
    }

    fn destination(&self, raw: &str) -> Result<Option<Destination>, DocumentError> {
        Ok(Destination::parse(&raw.replace(' ', "%20")))
    }
}

/// Parses `source`.
pub(super) fn parse(source: &str, fill: &dyn Fill) -> Result<Document, DocumentError> {
    if source.len() > MAX_SOURCE {
        return Err(DocumentError::TooLong { length: source.len() });
    }
    Ok(Document::new(build(Parser::new_ext(source, Options::ENABLE_TABLES), fill)?))
}

fn build<'e>(
    events: impl Iterator<Item = impl Borrow<Event<'e>>>,
    fill: &dyn Fill,
) -> Result<Vec<Block>, DocumentError> {
    let mut builder = Builder { fill, open: vec![Frame::new(Kind::Root)], skipped: 0 };
    for event in events {
        builder.event(event.borrow())?;
    }
    builder.finish()
}

/// A source parsed once, to be filled many times: the blocks that stand already, and the events of those that do not.
pub(crate) struct Outline {
    parts: Vec<Part>,
}

enum Part {
    Settled(Vec<Arc<Shared>>),
    Open(Vec<Event<'static>>),
}

impl Outline {
    /// Parses `source`. Blocks which `fill` has everything for are settled; an error leaves a block open, for a later filling to show.
    pub(crate) fn parse(source: &str, fill: &dyn Fill) -> Result<Self, DocumentError> {
        if source.len() > MAX_SOURCE {
            return Err(DocumentError::TooLong { length: source.len() });
        }
        let mut parts: Vec<Part> = Vec::new();
        let mut block = Vec::new();
        let mut depth = 0_usize;
        for event in Parser::new_ext(source, Options::ENABLE_TABLES) {
            match event {
                Event::Start(_) => depth += 1,
                Event::End(_) => depth -= 1,
                _ => {}
            }
            block.push(event.into_static());
            if depth > 0 {
                continue;
            }
            let events = std::mem::take(&mut block);
            parts.push(match build(events.iter(), fill) {
                Ok(blocks) => Part::Settled(blocks.into_iter().map(Shared::new).collect()),
                Err(_) => Part::Open(events),
            });
        }
        Ok(Self { parts })
    }

    /// The document of this filling, the same as if the source were parsed now.
    pub(crate) fn filled(&self, fill: &dyn Fill) -> Result<Document, DocumentError> {
        let mut blocks = Vec::new();
        for part in &self.parts {
            match part {
                Part::Settled(settled) => blocks.extend_from_slice(settled),
                Part::Open(events) => blocks.extend(build(events.iter(), fill)?.into_iter().map(Shared::new)),
            }
        }
        Ok(Document { blocks })
    }
}

enum Kind {
    Root,
    Paragraph,
    Heading(u8),
    Quote,
    List(Option<u64>),
    Item,
    Code(Option<String>),
    Html,
    Table,
    Head,
    Row,
    Cell,
    Strong,
    Emphasis,
    Link(Option<Destination>),
}

/// An element whose end has not been seen; it collects what its kind can hold.
struct Frame {
    kind: Kind,
    /// Text not filled yet: a stand-in must not be split by the order of events.
    raw: String,
    inlines: Vec<Inline>,
    blocks: Vec<Block>,
    items: Vec<Vec<Block>>,
    cells: Vec<Vec<Inline>>,
    header: Vec<Vec<Inline>>,
    rows: Vec<Vec<Vec<Inline>>>,
}

impl Frame {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            raw: String::new(),
            inlines: Vec::new(),
            blocks: Vec::new(),
            items: Vec::new(),
            cells: Vec::new(),
            header: Vec::new(),
            rows: Vec::new(),
        }
    }

    fn push_text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if let Some(Inline::Text(last)) = self.inlines.last_mut() {
            last.push_str(text);
        } else {
            self.inlines.push(Inline::Text(text.to_owned()));
        }
    }

    fn push_lines<'t>(&mut self, lines: impl Iterator<Item = &'t str>, as_one: bool) {
        for (i, line) in lines.enumerate() {
            if i > 0 && as_one {
                self.push_text(" ");
            } else if i > 0 {
                self.inlines.push(Inline::Break);
            }
            self.push_text(line);
        }
    }

    /// Loose text of a container becomes a paragraph of its own, as in the items of a tight list.
    fn gather(&mut self) {
        if let Some(paragraph) = paragraph(std::mem::take(&mut self.inlines)) {
            self.blocks.push(paragraph);
        }
    }
}

/// A paragraph, unless it would show nothing: a value may be empty.
fn paragraph(mut inlines: Vec<Inline>) -> Option<Block> {
    while matches!(inlines.last(), Some(Inline::Break)) {
        inlines.pop();
    }
    let blank = inlines.iter().all(|inline| match inline {
        Inline::Text(text) => text.trim().is_empty(),
        Inline::Break => true,
        _ => false,
    });
    (!blank).then_some(Block::Paragraph(inlines))
}

struct Builder<'f> {
    fill: &'f dyn Fill,
    open: Vec<Frame>,
    /// Elements below the depth limit that are open and leave no trace but their text.
    skipped: usize,
}

impl Builder<'_> {
    fn event(&mut self, event: &Event<'_>) -> Result<(), DocumentError> {
        match event {
            Event::Start(tag) => {
                self.flush()?;
                if self.skipped > 0 || self.open.len() > MAX_DEPTH {
                    self.skipped += 1;
                    return Ok(());
                }
                let kind = self.kind(tag)?;
                let is_block = !matches!(kind, Kind::Strong | Kind::Emphasis | Kind::Link(_));
                if is_block && let Some(top) = self.open.last_mut() {
                    top.gather();
                }
                self.open.push(Frame::new(kind));
                Ok(())
            }
            Event::End(_) => {
                self.flush()?;
                if self.skipped > 0 {
                    self.skipped -= 1;
                    self.top(|top| top.push_text(" "));
                    return Ok(());
                }
                self.close()
            }
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => {
                self.top(|top| top.raw.push_str(text));
                Ok(())
            }
            Event::Code(text) => {
                self.flush()?;
                let text = self.filled(text)?.replace('\n', " ");
                if !text.is_empty() {
                    self.top(|top| top.inlines.push(Inline::Code(text)));
                }
                Ok(())
            }
            Event::SoftBreak => {
                self.top(|top| top.raw.push(' '));
                Ok(())
            }
            Event::HardBreak => {
                self.flush()?;
                self.top(|top| top.inlines.push(Inline::Break));
                Ok(())
            }
            Event::Rule => {
                self.flush()?;
                self.top(|top| {
                    top.gather();
                    top.blocks.push(Block::Rule);
                });
                Ok(())
            }
            // The extensions that would produce the remaining events are not enabled.
            _ => Ok(()),
        }
    }

    fn kind(&self, tag: &Tag<'_>) -> Result<Kind, DocumentError> {
        Ok(match tag {
            Tag::Heading { level, .. } => Kind::Heading(match level {
                HeadingLevel::H1 => 1,
                HeadingLevel::H2 => 2,
                HeadingLevel::H3 => 3,
                HeadingLevel::H4 => 4,
                HeadingLevel::H5 => 5,
                HeadingLevel::H6 => 6,
            }),
            Tag::BlockQuote(_) => Kind::Quote,
            Tag::CodeBlock(CodeBlockKind::Fenced(info)) => {
                let info = self.filled(info)?;
                Kind::Code(info.split_whitespace().next().map(str::to_owned))
            }
            Tag::CodeBlock(CodeBlockKind::Indented) => Kind::Code(None),
            Tag::HtmlBlock => Kind::Html,
            Tag::List(start) => Kind::List(*start),
            Tag::Item => Kind::Item,
            Tag::Table(_) => Kind::Table,
            Tag::TableHead => Kind::Head,
            Tag::TableRow => Kind::Row,
            Tag::TableCell => Kind::Cell,
            Tag::Strong => Kind::Strong,
            Tag::Emphasis => Kind::Emphasis,
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                // A link within a link leads nowhere in HTML; the outer one holds.
                let nested = self.open.iter().any(|frame| matches!(frame.kind, Kind::Link(Some(_))));
                let to = self.fill.destination(dest_url)?;
                Kind::Link(to.filter(|_| !nested))
            }
            _ => Kind::Paragraph,
        })
    }

    fn top(&mut self, f: impl FnOnce(&mut Frame)) {
        if let Some(top) = self.open.last_mut() {
            f(top);
        }
    }

    fn filled(&self, raw: &str) -> Result<String, DocumentError> {
        let mut out = String::with_capacity(raw.len());
        for piece in self.fill.pieces(raw)? {
            match piece {
                Piece::Source(text) => out.push_str(text),
                Piece::Value(text) => out.push_str(&text.replace("\r\n", "\n").replace(line_end, "\n")),
            }
        }
        Ok(out)
    }

    fn flush(&mut self) -> Result<(), DocumentError> {
        let one_line = self.open.iter().any(|frame| matches!(frame.kind, Kind::Heading(_) | Kind::Cell));
        let Some(top) = self.open.last_mut() else { return Ok(()) };
        if top.raw.is_empty() || matches!(top.kind, Kind::Code(_)) {
            return Ok(());
        }
        let raw = std::mem::take(&mut top.raw);
        for piece in self.fill.pieces(&raw)? {
            // Only a value, or the source of HTML, can hold a line end here; it must not open a block.
            match piece {
                Piece::Source(text) => top.push_lines(text.split('\n'), one_line),
                Piece::Value(text) => top.push_lines(text.split(line_end).filter(|line| !line.is_empty()), one_line),
            }
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), DocumentError> {
        if self.open.len() < 2 {
            return Ok(());
        }
        let Some(mut frame) = self.open.pop() else { return Ok(()) };
        let raw = std::mem::take(&mut frame.raw);
        let code = if matches!(frame.kind, Kind::Code(_)) { self.filled(&raw)? } else { String::new() };
        let Some(parent) = self.open.last_mut() else { return Ok(()) };
        match frame.kind {
            Kind::Root => {}
            Kind::Paragraph | Kind::Html => parent.blocks.extend(paragraph(frame.inlines)),
            Kind::Heading(level) => {
                if let Some(Block::Paragraph(inlines)) = paragraph(frame.inlines) {
                    parent.blocks.push(Block::Heading { level, inlines });
                }
            }
            Kind::Quote => {
                frame.gather();
                parent.blocks.push(Block::Quote(frame.blocks));
            }
            Kind::Item => {
                frame.gather();
                parent.items.push(frame.blocks);
            }
            Kind::List(start) => {
                frame.gather();
                if !frame.blocks.is_empty() {
                    frame.items.push(frame.blocks);
                }
                parent.blocks.push(Block::List { start, items: frame.items });
            }
            Kind::Code(language) => {
                let text = code.strip_suffix('\n').unwrap_or(&code).to_owned();
                parent.blocks.push(Block::Code { language, text });
            }
            Kind::Table => {
                frame.gather();
                parent.blocks.append(&mut frame.blocks);
                if !frame.header.is_empty() || !frame.rows.is_empty() {
                    parent.blocks.push(Block::Table { header: frame.header, rows: frame.rows });
                }
            }
            Kind::Head => parent.header = frame.cells,
            Kind::Row => parent.rows.push(frame.cells),
            Kind::Cell => parent.cells.push(frame.inlines),
            Kind::Strong => parent.inlines.push(Inline::Strong(frame.inlines)),
            Kind::Emphasis => parent.inlines.push(Inline::Emphasis(frame.inlines)),
            Kind::Link(Some(to)) => parent.inlines.push(Inline::Link { to, inlines: frame.inlines }),
            Kind::Link(None) => parent.inlines.append(&mut frame.inlines),
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<Block>, DocumentError> {
        self.flush()?;
        while self.open.len() > 1 {
            self.close()?;
        }
        Ok(self.open.pop().map_or_else(Vec::new, |mut root| {
            root.gather();
            root.blocks
        }))
    }
}

/// The characters at which Unicode ends a line ([UAX #14](https://www.unicode.org/reports/tr14/), class BK, CR, LF, NL).
fn line_end(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}
