//! The tree: scalars with their raw text, lists, and maps in the order of the file.

use std::fmt;

/// One value of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    offset: usize,
    kind: Kind,
}

/// What a value is. `Debug` shows its build, not its texts: they may be addresses.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Nothing: `null`, `~` or an empty value.
    Null,
    /// A scalar.
    Scalar {
        /// Its text as written, without quotes and with escapes resolved.
        text: String,
        /// Whether it stands without quotes: a plain scalar of YAML, a bare literal of TOML or JSON.
        plain: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// A map in the order of the file, without duplicate keys.
    Map(Vec<Entry>),
}

/// One entry of a map.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    offset: usize,
    key: String,
    value: Node,
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::Scalar { plain, .. } => f.debug_struct("Scalar").field("plain", plain).finish_non_exhaustive(),
            Self::List(items) => f.debug_list().entries(items).finish(),
            Self::Map(entries) => f.debug_set().entries(entries).finish(),
        }
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("offset", &self.offset).field("value", &self.value).finish_non_exhaustive()
    }
}

impl Entry {
    pub(super) fn new(offset: usize, key: String, value: Node) -> Self {
        Self { offset, key, value }
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The value.
    #[must_use]
    pub fn value(&self) -> &Node {
        &self.value
    }

    pub(crate) fn value_mut(&mut self) -> &mut Node {
        &mut self.value
    }

    /// Where the key begins, in octets from the file's begin.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }
}

impl Node {
    pub(super) fn new(offset: usize, kind: Kind) -> Self {
        Self { offset, kind }
    }

    /// Where it begins, in octets from the file's begin; [`Source::position`](super::Source::position) tells line and column.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    pub(crate) fn kind_mut(&mut self) -> &mut Kind {
        &mut self.kind
    }

    /// The text of a scalar.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The value of a map's key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match &self.kind {
            Kind::Map(entries) => entries.iter().find(|e| e.key == key).map(Entry::value),
            _ => None,
        }
    }

    /// As JSON: plain scalars that read as a boolean or a JSON number become one, every other scalar text.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Scalar { text, plain: true } => match serde_json::from_str(text) {
                Ok(value @ (Value::Bool(_) | Value::Number(_))) => value,
                _ => Value::String(text.clone()),
            },
            Kind::Scalar { text, .. } => Value::String(text.clone()),
            Kind::List(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            Kind::Map(entries) => Value::Object(entries.iter().map(|e| (e.key.clone(), e.value.to_json())).collect()),
        }
    }
}

/// One step of a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

/// The steps of a path such as `communiques["a.b"].via[1]`; what is not well formed ends it.
pub(super) fn steps(path: &str) -> impl Iterator<Item = Step> {
    let mut rest = path;
    std::iter::from_fn(move || {
        rest = rest.strip_prefix('.').unwrap_or(rest);
        if let Some(quoted) = rest.strip_prefix("[\"") {
            let (key, after) = unquote(quoted)?;
            rest = after;
            return Some(Step::Key(key));
        }
        if let Some(index) = rest.strip_prefix('[') {
            let (index, after) = index.split_once(']')?;
            rest = after;
            return index.parse().ok().map(Step::Index);
        }
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (key, after) = rest.split_at_checked(end)?;
        rest = after;
        if key.is_empty() { None } else { Some(Step::Key(key.to_owned())) }
    })
}

/// The key up to the closing `"]`, with `\"` and `\\` resolved, and what follows.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut key = String::new();
    let mut chars = text.char_indices();
    while let Some((i, c)) = chars.next() {
        match c {
            '\\' => key.push(chars.next()?.1),
            '"' => return Some((key, text.get(i + 1..)?.strip_prefix(']')?)),
            c => key.push(c),
        }
    }
    None
}

/// Adds a key to a path, quoted where it would be misread.
pub(crate) fn push_key(path: &mut String, key: &str) {
    if key.is_empty() || key.contains(['.', '[', ']', '"', '\\']) || key.chars().any(char::is_control) {
        path.push_str("[\"");
        for c in key.chars() {
            if matches!(c, '"' | '\\') {
                path.push('\\');
            }
            path.push(if c.is_control() { '\u{fffd}' } else { c });
        }
        path.push_str("\"]");
    } else {
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(key);
    }
}
