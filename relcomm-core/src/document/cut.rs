//! Cutting a document to a limit, by whole blocks.

use super::{Block, Destination, Document, Inline, Shared};
use crate::mechanism::Unit;
use std::sync::Arc;

/// What [`Document::cut_to`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The document fits as it is.
    Whole,
    /// Blocks or items were dropped from the end, and a last paragraph says so.
    Dropped {
        /// How many: a block counts one, a list as many as its items.
        items: usize,
    },
}

/// Why a document cannot be cut to a limit. The document is left as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CutError {
    /// Not even the paragraph that stands for all that was dropped fits.
    #[error("even the shortest form needs {needed} {unit}, and the limit is {max}")]
    TooSmall {
        /// What the shortest form needs.
        needed: usize,
        /// The limit.
        max: usize,
        /// The unit of both.
        unit: Unit,
    },
    /// The text holds a character that the unit cannot express.
    #[error("the text cannot be expressed in {unit}")]
    NotExpressible {
        /// The unit.
        unit: Unit,
    },
}

impl Document {
    /// Drops blocks from the end, the items of a list one by one, until what `render` makes of the document is no
    /// longer than `max`; markup is never cut.
    ///
    /// A last paragraph says how much was dropped: `… 3 more: MORE`. If `more` holds `{n}`, it is the whole paragraph
    /// and the number stands there, so that it can be said in any language; if it is empty, `… 3 more`. An http or https
    /// address in it becomes a link. For [`Unit::Gsm7Septets`] three full stops stand for `…`, which that alphabet lacks.
    ///
    /// For [`Unit::Items`] the document's own items are counted ([`Document::items`]), and `render` is not called.
    ///
    /// # Errors
    /// [`CutError`]: nothing fits, or the text cannot be expressed in the unit.
    pub fn cut_to(
        &mut self,
        max: usize,
        unit: Unit,
        render: impl Fn(&Self) -> String,
        more: &str,
    ) -> Result<Cut, CutError> {
        let length = |document: &Self| match unit {
            Unit::Items => Ok(document.items()),
            _ => unit.measure(&render(document)).ok_or(CutError::NotExpressible { unit }),
        };
        if length(self)? <= max {
            return Ok(Cut::Whole);
        }
        let total = self.items();
        let smallest = self.without_last(total, unit, more);
        let needed = length(&smallest)?;
        if needed > max {
            return Err(CutError::TooSmall { needed, max, unit });
        }
        // Dropping one more item makes the text shorter, but for the digits of the number, so the least number that
        // fits can be searched by halves; every candidate kept has been measured.
        let (mut too_few, mut fitting, mut kept) = (0, total, smallest);
        while fitting - too_few > 1 {
            let middle = too_few + (fitting - too_few) / 2;
            let candidate = self.without_last(middle, unit, more);
            if length(&candidate)? <= max {
                fitting = middle;
                kept = candidate;
            } else {
                too_few = middle;
            }
        }
        *self = kept;
        Ok(Cut::Dropped { items: fitting })
    }

    /// A copy without its last `count` items, and with the paragraph that says so.
    fn without_last(&self, count: usize, unit: Unit, more: &str) -> Self {
        let mut keep = self.items().saturating_sub(count);
        let mut blocks = Vec::new();
        for block in &self.blocks {
            let size = block.block.item_count();
            if size <= keep {
                blocks.push(Arc::clone(block));
                keep -= size;
                continue;
            }
            if let Block::List { start, items } = &block.block
                && keep > 0
            {
                let items = items.iter().take(keep).cloned().collect();
                blocks.push(Shared::new(Block::List { start: *start, items }));
            }
            break;
        }
        blocks.push(Shared::new(Block::Paragraph(closing(count, unit, more))));
        Self { blocks }
    }
}

fn closing(count: usize, unit: Unit, more: &str) -> Vec<Inline> {
    let ellipsis = if unit == Unit::Gsm7Septets { "..." } else { "…" };
    let number = count.to_string();
    let words = if more.contains("{n}") {
        more.replace("{n}", &number)
    } else if more.is_empty() {
        format!("{ellipsis} {number} more")
    } else {
        format!("{ellipsis} {number} more: {more}")
    };
    let mut inlines = Vec::new();
    let mut text = String::new();
    for word in words.split_inclusive(' ') {
        let bare = word.trim_end();
        match Destination::parse(bare).filter(|to| to.as_str().contains("://")) {
            Some(to) => {
                if !text.is_empty() {
                    inlines.push(Inline::Text(std::mem::take(&mut text)));
                }
                inlines.push(Inline::Link { to, inlines: vec![Inline::Text(bare.to_owned())] });
                text.push_str(word.get(bare.len()..).unwrap_or_default());
            }
            None => text.push_str(word),
        }
    }
    if !text.is_empty() {
        inlines.push(Inline::Text(text));
    }
    inlines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes() -> Document {
        Document::from_markdown("# Changes\n\n- one\n- two\n- three\n\nThanks.").unwrap()
    }

    #[test]
    fn what_fits_is_left_alone() {
        let mut document = changes();
        let length = document.to_plain().len();
        assert_eq!(document.cut_to(length, Unit::Bytes, Document::to_plain, "x"), Ok(Cut::Whole));
        assert_eq!(document, changes());
    }

    #[test]
    fn one_too_many_drops_the_last_block_and_then_items() {
        let mut document = changes();
        let limit = document.to_short().chars().count() - 1;
        assert_eq!(document.to_short(), "Changes: one; two; three Thanks.");
        let cut = document.cut_to(limit, Unit::Chars, Document::to_short, "");
        assert_eq!(cut, Ok(Cut::Dropped { items: 2 }));
        assert_eq!(document.to_short(), "Changes: one; two … 2 more");
        assert_eq!(document.to_plain(), "Changes\n=======\n\n- one\n- two\n\n… 2 more");
    }

    #[test]
    fn the_closing_paragraph_links_and_speaks_any_language() {
        let mut document = changes();
        document.cut_to(3, Unit::Items, Document::to_html, "noch {n}, siehe https://example.org/7").unwrap();
        assert_eq!(
            document.to_html(),
            "<h1>Changes</h1>\n<ul>\n<li>one</li>\n</ul>\n<p>noch 3, siehe <a href=\"https://example.org/7\">https://example.org/7</a></p>"
        );
        let mut document = changes();
        document.cut_to(2, Unit::Items, Document::to_html, "https://example.org/7").unwrap();
        assert_eq!(document.to_plain(), "Changes\n=======\n\n… 4 more: https://example.org/7");
    }

    #[test]
    fn items_are_counted_in_the_tree() {
        let at = |max| {
            let mut document = changes();
            let cut = document.cut_to(max, Unit::Items, |_| unreachable!("items need no rendering"), "");
            (cut, document.items())
        };
        assert_eq!(at(6), (Ok(Cut::Whole), 5));
        assert_eq!(at(5), (Ok(Cut::Whole), 5));
        assert_eq!(at(4), (Ok(Cut::Dropped { items: 2 }), 4));
        assert_eq!(at(1), (Ok(Cut::Dropped { items: 5 }), 1));
        assert_eq!(at(0), (Err(CutError::TooSmall { needed: 1, max: 0, unit: Unit::Items }), 5));
    }

    #[test]
    fn nothing_but_the_closing_paragraph_is_the_last_resort() {
        let smallest = "… 5 more".len();
        let mut document = changes();
        assert_eq!(document.cut_to(smallest, Unit::Bytes, Document::to_plain, ""), Ok(Cut::Dropped { items: 5 }));
        assert_eq!(document.to_plain(), "… 5 more");
        let mut document = changes();
        let too_small = CutError::TooSmall { needed: smallest, max: smallest - 1, unit: Unit::Bytes };
        assert_eq!(document.cut_to(smallest - 1, Unit::Bytes, Document::to_plain, ""), Err(too_small));
        assert_eq!(document, changes());
    }

    #[test]
    fn septets_get_an_ellipsis_they_can_express() {
        let mut document = changes();
        document.cut_to(24, Unit::Gsm7Septets, Document::to_short, "").unwrap();
        assert_eq!(document.to_short(), "Changes: one ... 3 more");
        let mut document = Document::from_markdown("日本").unwrap();
        let not_expressible = CutError::NotExpressible { unit: Unit::Gsm7Septets };
        assert_eq!(document.cut_to(9, Unit::Gsm7Septets, Document::to_short, ""), Err(not_expressible));
    }

    /// Every limit in every unit: the result fits, and keeping one item more would not have fitted.
    #[test]
    fn the_cut_is_the_least_that_fits() {
        let source: String = (0..40).map(|i| format!("- item \"{i}\" é [x](https://example.org/{i})\n")).collect();
        let whole = Document::from_markdown(&source).unwrap();
        for unit in [Unit::Bytes, Unit::Chars, Unit::Utf16, Unit::Gsm7Septets, Unit::JsonBytes] {
            let length = unit.measure(&whole.to_plain()).unwrap();
            for max in [40, 100, 777, length - 1, length, length + 1] {
                let mut document = whole.clone();
                match document.cut_to(max, unit, Document::to_plain, "").unwrap() {
                    Cut::Whole => assert!(max >= length, "{unit} {max}"),
                    Cut::Dropped { items } => {
                        assert!(max < length, "{unit} {max}");
                        assert!(unit.measure(&document.to_plain()).unwrap() <= max, "{unit} {max}");
                        if items > 1 {
                            let longer = whole.without_last(items - 1, unit, "").to_plain();
                            assert!(unit.measure(&longer).unwrap() > max, "{unit} {max}");
                        }
                    }
                }
            }
        }
    }
}
