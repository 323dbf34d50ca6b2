//! The text tree that every mechanism renders from.
//!
//! A text is parsed once, from Markdown ([CommonMark](https://spec.commonmark.org/0.31.2/) with tables), and then
//! rendered to what a channel needs: an HTML fragment, readable plain text, or one short line. Because all forms come
//! from one tree, a text can be measured and cut by whole blocks, never inside markup.
//!
//! ```
//! use relcomm_core::document::Document;
//!
//! let document = Document::from_markdown("**Live** since 07:00, see [the notes](https://example.org/7).")?;
//! assert_eq!(document.to_plain(), "Live since 07:00, see the notes (https://example.org/7).");
//! assert_eq!(
//!     document.to_html(),
//!     "<p><strong>Live</strong> since 07:00, see <a href=\"https://example.org/7\">the notes</a>.</p>"
//! );
//! # Ok::<(), relcomm_core::document::DocumentError>(())
//! ```

mod cut;
mod destination;
mod draft;
mod html;
mod markdown;
mod measure;
mod plain;
mod short;

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};

pub use cut::{Cut, CutError};
pub use destination::Destination;
pub(crate) use draft::{Piece, Run, Values};
pub(crate) use markdown::{Marks, Outline};

/// The greatest length of a Markdown source, in bytes (1 MiB).
pub const MAX_SOURCE: usize = 1 << 20;

/// How deeply blocks and inlines may be nested; what lies deeper is kept as text of the deepest level.
pub const MAX_DEPTH: usize = 32;

/// A text as a tree of blocks, independent of any mechanism.
///
/// `Debug` shows the number of blocks only: a rendered text may name people.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Document {
    blocks: Vec<Arc<Shared>>,
}

/// A block that many documents may hold: the texts of many people differ in a few words only. Its forms are made once.
#[derive(Debug)]
struct Shared {
    block: Block,
    /// `None` for a block that shows nothing.
    plain: OnceLock<Option<String>>,
    html: OnceLock<String>,
}

impl Shared {
    fn new(block: Block) -> Arc<Self> {
        Arc::new(Self { block, plain: OnceLock::new(), html: OnceLock::new() })
    }
}

impl PartialEq for Shared {
    fn eq(&self, other: &Self) -> bool {
        self.block == other.block
    }
}

impl Eq for Shared {}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("blocks", &self.blocks.len()).finish_non_exhaustive()
    }
}

/// One block of a [`Document`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Block {
    /// A heading.
    Heading {
        /// 1 (the most important) to 6; renderers clamp what lies outside.
        level: u8,
        /// The words of the heading.
        inlines: Vec<Inline>,
    },
    /// A paragraph.
    Paragraph(Vec<Inline>),
    /// A list.
    List {
        /// The number of the first item, or `None` for bullets.
        start: Option<u64>,
        /// The items; each is a sequence of blocks.
        items: Vec<Vec<Self>>,
    },
    /// A quotation.
    Quote(Vec<Self>),
    /// Preformatted text, shown as it is.
    Code {
        /// The first word of the fence, such as `rust`.
        language: Option<String>,
        /// The lines, without a final line end.
        text: String,
    },
    /// A thematic break.
    Rule,
    /// A simple table: cells hold inlines only, and there is no alignment.
    Table {
        /// The cells of the heading row.
        header: Vec<Vec<Inline>>,
        /// The other rows.
        rows: Vec<Vec<Vec<Inline>>>,
    },
}

/// A run of text inside a [`Block`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Inline {
    /// Text, shown literally in every form.
    Text(String),
    /// Strong emphasis.
    Strong(Vec<Self>),
    /// Emphasis.
    Emphasis(Vec<Self>),
    /// Code or a command within a line.
    Code(String),
    /// A link.
    Link {
        /// Where it leads.
        to: Destination,
        /// What is shown for it.
        inlines: Vec<Self>,
    },
    /// A line end that the author asked for.
    Break,
}

/// Why a text could not become a [`Document`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// The source is longer than [`MAX_SOURCE`].
    #[error("text of {length} bytes is longer than {MAX_SOURCE} bytes")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// A printed value makes a link lead to something other than an http, https, mailto or tel address.
    #[error("a value printed in a link address does not make an http, https, mailto or tel address")]
    LinkAddress,
    /// A filter or operator took apart a text in which values had been printed already.
    #[error("a captured text holding printed values was taken apart by a filter or operator")]
    TornValue,
}

impl Document {
    /// A document of these blocks.
    #[must_use]
    pub fn new(blocks: Vec<Block>) -> Self {
        Self { blocks: blocks.into_iter().map(Shared::new).collect() }
    }

    /// The blocks in reading order.
    pub fn blocks(&self) -> impl ExactSizeIterator<Item = &Block> {
        self.blocks.iter().map(|shared| &shared.block)
    }

    /// Parses Markdown.
    ///
    /// HTML in the source becomes literal text. An image becomes a link with its alternative text. A link to
    /// anything but http, https, mailto or tel becomes its text alone. Nesting is bounded by [`MAX_DEPTH`].
    ///
    /// # Errors
    /// [`DocumentError::TooLong`] if the source is longer than [`MAX_SOURCE`].
    pub fn from_markdown(source: &str) -> Result<Self, DocumentError> {
        Self::from_filled(source, &markdown::Verbatim, &markdown::Verbatim)
    }

    /// Parses Markdown in which marks stand for values.
    pub(crate) fn from_filled(source: &str, marks: &dyn Marks, values: &dyn Values) -> Result<Self, DocumentError> {
        Ok(Self::new(markdown::parse(source, marks, values)?))
    }

    /// Whether there is nothing to show.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// How many items the document has: its blocks, a list counting as many as it has items.
    #[must_use]
    pub fn items(&self) -> usize {
        self.blocks().map(Block::item_count).sum()
    }
}

impl Block {
    /// What the block counts when a document is measured in items or cut.
    pub(crate) fn item_count(&self) -> usize {
        match self {
            Self::List { items, .. } => items.len(),
            _ => 1,
        }
    }
}

/// Whether no item of a list holds more than one paragraph followed by lists, so that it reads well without blank lines.
fn is_tight(items: &[Vec<Block>]) -> bool {
    items.iter().all(|item| {
        let rest = match item.split_first() {
            Some((Block::Paragraph(_), rest)) => rest,
            _ => item,
        };
        rest.iter().all(|block| matches!(block, Block::List { .. }))
    })
}

/// The character to show for `c`: control characters other than tab and line feed would act on terminals and parsers,
/// so the replacement character stands in for them in every form.
fn shown(c: char) -> char {
    if c.is_control() && c != '\n' && c != '\t' { char::REPLACEMENT_CHARACTER } else { c }
}

/// Whether every character is shown as it is. `false` where that is not known: a first octet of 0xC2 may begin a control character.
fn is_plain(text: &str) -> bool {
    // Without a way out of the loop it takes many octets at a time.
    text.bytes().fold(true, |plain, b| plain & (b >= b' ') & (b != 0x7F) & (b != 0xC2))
}

/// The text of inlines without markup; a [`Inline::Break`] is the only source of a line feed.
fn flatten(inlines: &[Inline]) -> Cow<'_, str> {
    match inlines {
        [Inline::Text(text)] if is_plain(text) => Cow::Borrowed(text),
        _ => {
            let mut out = String::with_capacity(inlines.iter().map(length).sum());
            flatten_into(inlines, &mut out);
            Cow::Owned(out)
        }
    }
}

/// About how many octets an inline takes.
fn length(inline: &Inline) -> usize {
    match inline {
        Inline::Text(text) | Inline::Code(text) => text.len(),
        Inline::Strong(inner) | Inline::Emphasis(inner) => inner.iter().map(length).sum(),
        Inline::Link { to, inlines } => inlines.iter().map(length).sum::<usize>() + to.as_str().len() + " ()".len(),
        Inline::Break => 1,
    }
}

fn flatten_into(inlines: &[Inline], out: &mut String) {
    for inline in inlines {
        match inline {
            Inline::Text(text) | Inline::Code(text) if is_plain(text) => out.push_str(text),
            Inline::Text(text) | Inline::Code(text) => {
                out.extend(text.chars().map(|c| if c == '\n' || c == '\r' || c == '\t' { ' ' } else { shown(c) }));
            }
            Inline::Strong(inner) | Inline::Emphasis(inner) => flatten_into(inner, out),
            Inline::Link { to, inlines } => {
                let begin = out.len();
                flatten_into(inlines, out);
                add_address(begin, to, out);
            }
            Inline::Break => out.push('\n'),
        }
    }
}

/// Appends where a link leads to its words, which begin at `begin`, unless they already say so.
fn add_address(begin: usize, to: &Destination, out: &mut String) {
    let address = to.shown();
    let words = out.get(begin..).unwrap_or_default().trim();
    if words.is_empty() {
        out.truncate(begin);
        out.push_str(address);
    } else if words != address && words != to.as_str() {
        out.push_str(" (");
        out.push_str(address);
        out.push(')');
    }
}
