//! From Markdown events to drafts.

use std::sync::Arc;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag};

use super::draft::{self, Draft, DraftInline, Piece, Run, To, Values};
use super::{Block, Destination, Document, DocumentError, MAX_DEPTH, MAX_SOURCE, Shared};

/// How a source tells where values belong.
pub(crate) trait Marks {
    /// The pieces of a run of text.
    fn run(&self, raw: &str) -> Result<Run, DocumentError>;
}

/// A source in which nothing was printed.
pub(super) struct Verbatim;

impl Marks for Verbatim {
    fn run(&self, raw: &str) -> Result<Run, DocumentError> {
        Ok(vec![Piece::Source(raw.to_owned())])
    }
}

impl Values for Verbatim {
    fn value(&self, _: usize) -> Option<&str> {
        None
    }
}

/// Parses `source` and puts the values in their places.
pub(super) fn parse(source: &str, marks: &dyn Marks, values: &dyn Values) -> Result<Vec<Block>, DocumentError> {
    draft::fill(&drafts(source, marks)?, values)
}

fn drafts(source: &str, marks: &dyn Marks) -> Result<Vec<Draft>, DocumentError> {
    if source.len() > MAX_SOURCE {
        return Err(DocumentError::TooLong { length: source.len() });
    }
    let mut builder = Builder { marks, open: vec![Frame::new(Kind::Root)], skipped: 0 };
    for event in Parser::new_ext(source, Options::ENABLE_TABLES) {
        builder.event(&event)?;
    }
    builder.finish()
}

/// A source parsed once, to be filled many times: the blocks that stand already, and those in which values are wanting.
pub(crate) struct Outline(Vec<Part>);

enum Part {
    Settled(Vec<Arc<Shared>>),
    Open(Draft),
}

impl Outline {
    /// Parses `source`. What the known values cannot fill stays open.
    pub(crate) fn parse(source: &str, marks: &dyn Marks, known: &dyn Values) -> Result<Self, DocumentError> {
        let part = |draft| match draft::fill(std::slice::from_ref(&draft), known) {
            Ok(blocks) => Part::Settled(blocks.into_iter().map(Shared::new).collect()),
            Err(_) => Part::Open(draft),
        };
        Ok(Self(drafts(source, marks)?.into_iter().map(part).collect()))
    }

    /// The document with these values, the same as if the source were parsed now.
    pub(crate) fn filled(&self, values: &dyn Values) -> Result<Document, DocumentError> {
        let mut blocks = Vec::with_capacity(self.0.len());
        for part in &self.0 {
            match part {
                Part::Settled(settled) => blocks.extend_from_slice(settled),
                Part::Open(draft) => {
                    blocks.extend(draft::fill(std::slice::from_ref(draft), values)?.into_iter().map(Shared::new));
                }
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
    Code(Run),
    Html,
    Table,
    Head,
    Row,
    Cell,
    Strong,
    Emphasis,
    Link(To),
}

/// An element whose end has not been seen; it collects what its kind can hold.
struct Frame {
    kind: Kind,
    /// Text whose pieces are not told apart yet: a mark must not be split by the order of events.
    raw: String,
    inlines: Vec<DraftInline>,
    blocks: Vec<Draft>,
    items: Vec<Vec<Draft>>,
    cells: Vec<Vec<DraftInline>>,
    header: Vec<Vec<DraftInline>>,
    rows: Vec<Vec<Vec<DraftInline>>>,
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

    /// Loose text of a container becomes a paragraph of its own, as in the items of a tight list.
    fn gather(&mut self) {
        if !self.inlines.is_empty() {
            self.blocks.push(Draft::Paragraph(std::mem::take(&mut self.inlines)));
        }
    }
}

struct Builder<'m> {
    marks: &'m dyn Marks,
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
                    self.top(|top| top.raw.push(' '));
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
                let run = self.marks.run(text)?;
                self.top(|top| top.inlines.push(DraftInline::Code(run)));
                Ok(())
            }
            Event::SoftBreak => {
                self.top(|top| top.raw.push(' '));
                Ok(())
            }
            Event::HardBreak => {
                self.flush()?;
                self.top(|top| top.inlines.push(DraftInline::Break));
                Ok(())
            }
            Event::Rule => {
                self.flush()?;
                self.top(|top| {
                    top.gather();
                    top.blocks.push(Draft::Rule);
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
            Tag::CodeBlock(CodeBlockKind::Fenced(info)) => Kind::Code(self.marks.run(info)?),
            Tag::CodeBlock(CodeBlockKind::Indented) => Kind::Code(Run::new()),
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
                let leads = |frame: &Frame| {
                    matches!(frame.kind, Kind::Link(To::Settled(Some(_)) | To::Open { nested: false, .. }))
                };
                let nested = self.open.iter().any(leads);
                let run = self.marks.run(dest_url)?;
                Kind::Link(match run.as_slice() {
                    [] | [Piece::Source(_)] => {
                        To::Settled(Destination::parse(&dest_url.replace(' ', "%20")).filter(|_| !nested))
                    }
                    _ => To::Open { run, nested },
                })
            }
            _ => Kind::Paragraph,
        })
    }

    fn top(&mut self, f: impl FnOnce(&mut Frame)) {
        if let Some(top) = self.open.last_mut() {
            f(top);
        }
    }

    fn flush(&mut self) -> Result<(), DocumentError> {
        let Some(top) = self.open.last_mut() else { return Ok(()) };
        if !top.raw.is_empty() && !matches!(top.kind, Kind::Code(_)) {
            top.inlines.push(DraftInline::Text(self.marks.run(&std::mem::take(&mut top.raw))?));
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), DocumentError> {
        if self.open.len() < 2 {
            return Ok(());
        }
        let Some(mut frame) = self.open.pop() else { return Ok(()) };
        let Some(parent) = self.open.last_mut() else { return Ok(()) };
        match frame.kind {
            Kind::Root => {}
            Kind::Paragraph | Kind::Html => parent.blocks.push(Draft::Paragraph(frame.inlines)),
            Kind::Heading(level) => parent.blocks.push(Draft::Heading { level, inlines: frame.inlines }),
            Kind::Quote => {
                frame.gather();
                parent.blocks.push(Draft::Quote(frame.blocks));
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
                parent.blocks.push(Draft::List { start, items: frame.items });
            }
            Kind::Code(info) => {
                let text = self.marks.run(&frame.raw)?;
                parent.blocks.push(Draft::Code { info, text });
            }
            Kind::Table => {
                frame.gather();
                parent.blocks.append(&mut frame.blocks);
                if !frame.header.is_empty() || !frame.rows.is_empty() {
                    parent.blocks.push(Draft::Table { header: frame.header, rows: frame.rows });
                }
            }
            Kind::Head => parent.header = frame.cells,
            Kind::Row => parent.rows.push(frame.cells),
            Kind::Cell => parent.cells.push(frame.inlines),
            Kind::Strong => parent.inlines.push(DraftInline::Strong(frame.inlines)),
            Kind::Emphasis => parent.inlines.push(DraftInline::Emphasis(frame.inlines)),
            Kind::Link(to) => parent.inlines.push(DraftInline::Link { to, inlines: frame.inlines }),
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<Draft>, DocumentError> {
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
