//! TOML, from the spanned tables of the `toml` crate.

use super::node::{Entry, Kind, Node};
use super::{DEEPEST, Fault, MOST_NODES};
use ::toml::Spanned;
use ::toml::de::{DeTable, DeValue};

/// The file's root table.
pub(super) fn read(text: &str) -> Result<Node, Fault> {
    let root = DeTable::parse(text).map_err(|e| {
        let offset = e.span().map_or(0, |span| span.start);
        if e.message().contains("max recursion depth") {
            return Fault::too_deep(offset);
        }
        // What is meant for one line stays one line.
        Fault::new(offset, e.message().lines().collect::<Vec<_>>().join("; "))
    })?;
    let mut reader = Reader { text, nodes: 0 };
    let mut root = reader.table(root.get_ref(), 0, 0)?;
    in_order(&mut root);
    Ok(root)
}

struct Reader<'a> {
    text: &'a str,
    nodes: usize,
}

impl Reader<'_> {
    fn table(&mut self, table: &DeTable<'_>, offset: usize, depth: usize) -> Result<Node, Fault> {
        let mut entries = Vec::with_capacity(table.len());
        for (key, value) in table.iter() {
            let at = key.span().start;
            let value = self.value(value, at, depth + 1)?;
            entries.push(Entry::new(at, key.get_ref().clone().into_owned(), value));
        }
        Ok(Node::new(offset, Kind::Map(entries)))
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, key: usize, depth: usize) -> Result<Node, Fault> {
        let span = value.span();
        // A table made only by its parts' headers has no span of its own: it stands where its key does.
        let offset = if span.is_empty() { key } else { span.start };
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return Err(Fault::too_many(offset));
        }
        if depth >= DEEPEST && matches!(value.get_ref(), DeValue::Array(_) | DeValue::Table(_)) {
            return Err(Fault::too_deep(offset));
        }
        match value.get_ref() {
            DeValue::String(text) => {
                Ok(Node::new(offset, Kind::Scalar { text: text.clone().into_owned(), plain: false }))
            }
            DeValue::Array(items) => {
                let items = items.iter().map(|item| self.value(item, offset, depth + 1)).collect::<Result<_, _>>()?;
                Ok(Node::new(offset, Kind::List(items)))
            }
            DeValue::Table(table) => self.table(table, offset, depth),
            // Numbers, booleans and datetimes keep the text that people wrote: `1.10` is not 1.1.
            _ => {
                let text = self.text.get(span).unwrap_or_default().trim().to_owned();
                Ok(Node::new(offset, Kind::Scalar { text, plain: true }))
            }
        }
    }
}

/// The parser sorts keys; the file's order is that of their positions.
fn in_order(node: &mut Node) {
    match node.kind_mut() {
        Kind::Map(entries) => {
            entries.sort_by_key(Entry::offset);
            entries.iter_mut().for_each(|e| in_order(e.value_mut()));
        }
        Kind::List(items) => items.iter_mut().for_each(in_order),
        _ => {}
    }
}
