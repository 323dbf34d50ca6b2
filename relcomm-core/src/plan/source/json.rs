//! JSON: `serde_json` checks the whole text, then the tree is built from the text that is known to be well-formed.

use super::node::{Entry, Kind, Node};
use super::{DEEPEST, Fault, MOST_NODES};
use serde::de::IgnoredAny;
use std::collections::BTreeSet;

/// The file's one value.
pub(super) fn read(text: &str) -> Result<Node, Fault> {
    if let Err(e) = serde_json::from_str::<IgnoredAny>(text) {
        return Err(fault(text, &e));
    }
    let mut reader = Reader { text, at: 0, nodes: 0 };
    reader.space();
    reader.value(0)
}

fn fault(text: &str, error: &serde_json::Error) -> Fault {
    let mut offset = offset_of(text, error.line(), error.column());
    let message = without_position(error);
    if error.is_eof() {
        // What is missing is missing behind the last thing that stands there, not on the empty line after it.
        offset = text.trim_end().len();
    } else if message.starts_with("control character") {
        // Here alone it names the octet before.
        offset += text.get(offset..).and_then(|rest| rest.find(|c| c < ' ')).unwrap_or(0);
        return Fault::new(offset, message).help("close the quote, or write `\\n` for a line end and `\\t` for a tab");
    }
    Fault::new(offset, message)
}

/// `serde_json` counts columns in octets from 1, and names the octet before the one that it could not read as 0.
fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let start = match line {
        0 | 1 => 0,
        _ => text.match_indices('\n').nth(line - 2).map_or(text.len(), |(i, _)| i + 1),
    };
    let mut offset = (start + column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text.chars().take(text.get(..end).map_or(0, |t| t.chars().count())).collect(),
        None => text,
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    nodes: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Steps over a separator or closing sign and the space around it.
    fn skip(&mut self) {
        self.at += 1;
        self.space();
    }

    fn broken(&self) -> Fault {
        Fault::new(self.at, "this is not JSON")
    }

    fn value(&mut self, depth: usize) -> Result<Node, Fault> {
        let offset = self.at;
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return Err(Fault::too_many(offset));
        }
        if depth >= DEEPEST && matches!(self.peek(), Some(b'{' | b'[')) {
            return Err(Fault::too_deep(offset));
        }
        let kind = match self.peek() {
            Some(b'{') => self.map(depth)?,
            Some(b'[') => self.list(depth)?,
            Some(b'"') => Kind::Scalar { text: self.string()?, plain: false },
            Some(_) => {
                let rest = self.text.get(self.at..).unwrap_or_default();
                let end =
                    rest.find(|c: char| matches!(c, ',' | ']' | '}') || c.is_ascii_whitespace()).unwrap_or(rest.len());
                let text = rest.get(..end).unwrap_or_default();
                if text.is_empty() {
                    return Err(self.broken());
                }
                self.at += end;
                if text == "null" { Kind::Null } else { Kind::Scalar { text: text.to_owned(), plain: true } }
            }
            None => return Err(self.broken()),
        };
        self.space();
        Ok(Node::new(offset, kind))
    }

    fn list(&mut self, depth: usize) -> Result<Kind, Fault> {
        let mut items = Vec::new();
        self.skip();
        while self.peek() != Some(b']') {
            items.push(self.value(depth + 1)?);
            match self.peek() {
                Some(b',') => self.skip(),
                Some(b']') => {}
                _ => return Err(self.broken()),
            }
        }
        self.at += 1;
        Ok(Kind::List(items))
    }

    fn map(&mut self, depth: usize) -> Result<Kind, Fault> {
        let mut entries = Vec::new();
        let mut keys = BTreeSet::new();
        self.skip();
        while self.peek() != Some(b'}') {
            let offset = self.at;
            let key = self.string()?;
            if !keys.insert(key.clone()) {
                return Err(Fault::duplicate(offset));
            }
            self.space();
            if self.peek() != Some(b':') {
                return Err(self.broken());
            }
            self.skip();
            entries.push(Entry::new(offset, key, self.value(depth + 1)?));
            match self.peek() {
                Some(b',') => self.skip(),
                Some(b'}') => {}
                _ => return Err(self.broken()),
            }
        }
        self.at += 1;
        Ok(Kind::Map(entries))
    }

    fn string(&mut self) -> Result<String, Fault> {
        let start = self.at;
        if self.peek() != Some(b'"') {
            return Err(self.broken());
        }
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'\\') => self.at += 2,
                Some(b'"') => break,
                Some(_) => self.at += 1,
                None => return Err(self.broken()),
            }
        }
        self.at += 1;
        let literal = self.text.get(start..self.at).unwrap_or_default();
        serde_json::from_str(literal)
            .map_err(|e| Fault::new(start + offset_of(literal, e.line(), e.column()), without_position(&e)))
    }
}
