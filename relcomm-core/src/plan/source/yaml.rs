//! YAML, from the parser's events: anchors within a budget, no merge keys, no tags.

use super::node::{Entry, Kind, Node};
use super::{DEEPEST, Fault, MOST_NODES};
use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, Span, Tag};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The documents of a file; empty ones at its end are left out.
pub(super) fn read(text: &str) -> Result<Vec<Node>, Fault> {
    let mut options = granit_parser::options! {
        emit_unresolved_aliases: true,
        flow_nesting_limit: DEEPEST,
        block_nesting_limit: DEEPEST,
    };
    options.set_emit_comments(false);
    let mut reader = Reader { anchors: BTreeMap::new(), open: Vec::new(), nodes: 0, kept: 0, documents: Vec::new() };
    let mut events = Parser::new_from_str_with_options(text, options);
    while let Some(event) = events.next_event() {
        let (event, span) = event.map_err(|e| fault(text, &e))?;
        reader.take(event, &span)?;
    }
    let mut documents = reader.documents;
    while documents.last().is_some_and(|d| *d.kind() == Kind::Null) {
        documents.pop();
    }
    Ok(documents)
}

fn fault(text: &str, error: &ScanError) -> Fault {
    let marker = error.marker();
    let offset = marker
        .byte_offset()
        .unwrap_or_else(|| text.char_indices().nth(marker.index()).map_or(text.len(), |(offset, _)| offset));
    let before = text.get(..offset).unwrap_or_default();
    match error.kind() {
        ErrorKind::RecursionLimitExceeded => Fault::too_deep(offset),
        // By then the parser has stepped over the tab.
        ErrorKind::TabInBlockIndentation | ErrorKind::TabInIndentation => {
            Fault::new(before.trim_end_matches('\t').len(), error.info()).help("indent by blanks")
        }
        // These name where the text begins.
        ErrorKind::TabInPlainScalar => {
            Fault::new(offset + indenting_tab(text, offset), error.info()).help("indent by blanks")
        }
        ErrorKind::UnknownQuotedScalarEscape => Fault::new(offset + unknown_escape(text, offset), error.info())
            .help("write `\\\\` for a backslash, or use single quotes"),
        _ => Fault::new(offset, error.info()),
    }
}

/// How far behind the offset the first tab stands that indents a line.
fn indenting_tab(text: &str, offset: usize) -> usize {
    let rest = text.get(offset..).unwrap_or_default();
    rest.match_indices('\n')
        .find_map(|(end, _)| {
            let line = rest.get(end + 1..)?;
            let blanks = line.len() - line.trim_start_matches(' ').len();
            line.get(blanks..)?.starts_with('\t').then_some(end + 1 + blanks)
        })
        .unwrap_or_default()
}

/// How far behind the offset the first escape begins that YAML does not know.
fn unknown_escape(text: &str, offset: usize) -> usize {
    let mut chars = text.get(offset..).unwrap_or_default().char_indices();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && chars.next().is_some_and(|(_, escaped)| !"0abt\tnvfre \"/\\N_LPxuU\r\n".contains(escaped)) {
            return at;
        }
    }
    0
}

/// A collection that is still open.
struct Open {
    node: Node,
    anchor: usize,
    /// In a map: a key that waits for its value.
    key: Option<(usize, String)>,
    keys: BTreeSet<String>,
}

struct Reader {
    anchors: BTreeMap<usize, (Node, usize)>,
    open: Vec<Open>,
    nodes: usize,
    kept: usize,
    documents: Vec<Node>,
}

impl Reader {
    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), Fault> {
        let offset = span.start.byte_offset().unwrap_or(0);
        match event {
            Event::DocumentStart(..) => self.anchors.clear(),
            Event::Scalar(text, style, anchor, tag) => {
                refuse_tag(span, tag.as_deref())?;
                let node = Node::new(offset, scalar(text, style, self.wants_key()));
                self.count(offset, 1)?;
                self.remember(anchor, &node)?;
                self.add(node)?;
            }
            Event::SequenceStart(_, anchor, tag) => {
                refuse_tag(span, tag.as_deref())?;
                self.begin(offset, Kind::List(Vec::new()), anchor)?;
            }
            Event::MappingStart(_, anchor, tag) => {
                refuse_tag(span, tag.as_deref())?;
                self.begin(offset, Kind::Map(Vec::new()), anchor)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(Open { node, anchor, .. }) = self.open.pop() {
                    self.remember(anchor, &node)?;
                    self.add(node)?;
                }
            }
            Event::Alias(anchor) => {
                let Some((node, weight)) = self.anchors.get(&anchor) else {
                    return Err(Fault::new(offset, "an alias cannot stand within its own anchor"));
                };
                // Counted before it is copied: a bomb of aliases ends here, not in memory.
                let (weight, depth) = (*weight, depth(node));
                if self.nodes + weight > MOST_NODES {
                    return Err(Fault::too_many(offset));
                }
                if self.open.len() + depth > DEEPEST {
                    return Err(Fault::too_deep(offset));
                }
                let mut node = node.clone();
                self.nodes += weight;
                if self.wants_key() {
                    // A key stands where it is used.
                    node = Node::new(offset, std::mem::replace(node.kind_mut(), Kind::Null));
                }
                self.add(node)?;
            }
            Event::UnresolvedAlias(_) => return Err(Fault::new(offset, "this alias names no anchor above it")),
            _ => {}
        }
        Ok(())
    }

    fn wants_key(&self) -> bool {
        self.open.last().is_some_and(|o| matches!(o.node.kind(), Kind::Map(_)) && o.key.is_none())
    }

    fn count(&mut self, offset: usize, more: usize) -> Result<(), Fault> {
        self.nodes += more;
        if self.nodes > MOST_NODES { Err(Fault::too_many(offset)) } else { Ok(()) }
    }

    fn remember(&mut self, anchor: usize, node: &Node) -> Result<(), Fault> {
        if anchor == 0 {
            return Ok(());
        }
        let weight = weight(node);
        // What is kept for aliases is bounded too: anchors within anchors would each keep a copy.
        self.kept += weight;
        if self.kept > MOST_NODES {
            return Err(Fault::too_many(node.offset()));
        }
        self.anchors.insert(anchor, (node.clone(), weight));
        Ok(())
    }

    fn begin(&mut self, offset: usize, kind: Kind, anchor: usize) -> Result<(), Fault> {
        if self.wants_key() {
            return Err(Fault::new(offset, "a key is a plain word or text, not a list or a map"));
        }
        self.count(offset, 1)?;
        if self.open.len() >= DEEPEST {
            return Err(Fault::too_deep(offset));
        }
        self.open.push(Open { node: Node::new(offset, kind), anchor, key: None, keys: BTreeSet::new() });
        Ok(())
    }

    fn add(&mut self, node: Node) -> Result<(), Fault> {
        let Some(open) = self.open.last_mut() else {
            self.documents.push(node);
            return Ok(());
        };
        match open.node.kind_mut() {
            Kind::List(items) => items.push(node),
            Kind::Map(entries) => match open.key.take() {
                Some((offset, key)) => entries.push(Entry::new(offset, key, node)),
                None => {
                    let offset = node.offset();
                    let key = match node.kind() {
                        Kind::Scalar { text, plain } if text == "<<" && *plain => {
                            let fault = Fault::new(offset, "merge keys are not read");
                            return Err(fault.help("write the entries out, or repeat a whole value by an alias"));
                        }
                        Kind::Scalar { text, .. } => text.clone(),
                        _ => return Err(Fault::new(offset, "a key is a plain word or text, not a list or a map")),
                    };
                    if !open.keys.insert(key.clone()) {
                        return Err(Fault::duplicate(offset));
                    }
                    open.key = Some((offset, key));
                }
            },
            _ => {}
        }
        Ok(())
    }
}

fn refuse_tag(span: &Span, tag: Option<&Tag>) -> Result<(), Fault> {
    let offset = span.tag_start().unwrap_or(span.start).byte_offset().unwrap_or(0);
    match tag {
        None => Ok(()),
        Some(_) => {
            Err(Fault::new(offset, "tags such as `!name` are not read").help("every value is read as its key asks"))
        }
    }
}

/// A key stays text even where the same word would be null as a value.
fn scalar(text: Cow<'_, str>, style: ScalarStyle, is_key: bool) -> Kind {
    let plain = style == ScalarStyle::Plain;
    if plain && !is_key && matches!(&*text, "" | "~" | "null" | "Null" | "NULL") {
        return Kind::Null;
    }
    Kind::Scalar { text: text.into_owned(), plain }
}

/// How much a copy of the node weighs: its values and keys, and its text in units of a small node.
fn weight(node: &Node) -> usize {
    let text = |text: &str| 1 + text.len() / 64;
    match node.kind() {
        Kind::Null => 1,
        Kind::Scalar { text: own, .. } => text(own),
        Kind::List(items) => 1 + items.iter().map(weight).sum::<usize>(),
        Kind::Map(entries) => 1 + entries.iter().map(|e| text(e.key()) + weight(e.value())).sum::<usize>(),
    }
}

fn depth(node: &Node) -> usize {
    match node.kind() {
        Kind::List(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Kind::Map(entries) => 1 + entries.iter().map(|e| depth(e.value())).max().unwrap_or(0),
        _ => 0,
    }
}
