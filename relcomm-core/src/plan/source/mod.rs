//! Files that people write, as one tree with positions: YAML, TOML and JSON alike.
//!
//! A [`Source`] keeps the text of every scalar as it was written (`0.9.0`, `2026.10`, `no` stay text) and where it stands, so
//! that every finding can name line and column. The deployment's configuration and rehearsals are read by it too.

mod decode;
mod json;
mod lines;
mod node;
pub(crate) mod shape;
mod toml;
mod yaml;

pub(crate) use node::push_key;
pub use node::{Entry, Kind, Node};
pub use shape::{OneOrMany, Ordered, WordOr};

use super::{Finding, Position};
use lines::Lines;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// How many values a file may hold, those that aliases repeat counted each time.
pub const MOST_NODES: usize = 200_000;
/// How deep values may lie within each other.
pub const DEEPEST: usize = 64;
/// How large a file may be, in octets.
pub const LARGEST: usize = 16 << 20;

/// The three formats of one model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// YAML 1.2, without merge keys and tags.
    Yaml,
    /// TOML 1.0 and 1.1.
    Toml,
    /// JSON, RFC 8259.
    Json,
}

impl Format {
    /// The format that the file's name tells: `.toml`, `.json`, and YAML for every other.
    #[must_use]
    pub fn of(file: &str) -> Self {
        let extension = std::path::Path::new(file).extension().and_then(|e| e.to_str()).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "toml" => Self::Toml,
            "json" => Self::Json,
            _ => Self::Yaml,
        }
    }
}

/// A file as a tree of values with their positions.
#[derive(Clone)]
pub struct Source {
    lines: Arc<Lines>,
    root: Node,
}

/// What is wrong with the form of a file, and where: an octet offset.
#[derive(Debug)]
pub(crate) struct Fault {
    offset: usize,
    message: String,
    help: Option<String>,
}

impl Fault {
    fn new(offset: usize, message: impl Into<String>) -> Self {
        Self { offset, message: message.into(), help: None }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    fn too_deep(offset: usize) -> Self {
        Self::new(offset, format!("values lie more than {DEEPEST} deep within each other"))
    }

    fn too_many(offset: usize) -> Self {
        Self::new(offset, format!("the file holds more than {MOST_NODES} values, aliases counted each time"))
    }

    fn duplicate(offset: usize) -> Self {
        Self::new(offset, "this key is given twice").help("keep one of the two")
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The text may hold addresses.
        f.debug_struct("Source").field("file", &self.lines.file()).finish_non_exhaustive()
    }
}

impl Source {
    /// Reads a file that holds one document.
    ///
    /// # Errors
    /// A finding `RC0001` with line and column, for everything that is wrong with the file's form.
    pub fn parse(file: &str, bytes: &[u8], format: Format) -> Result<Self, Box<Finding>> {
        let (lines, roots) = Self::read(file, bytes, format)?;
        let mut roots = roots.into_iter();
        match (roots.next(), roots.next()) {
            (Some(root), None) => Ok(Self { lines, root }),
            (Some(_), Some(second)) => Err(lines.finding(
                &Fault::new(second.offset(), "the file holds more than one document")
                    .help("keep one document in each file"),
            )),
            (None, _) => Err(lines.finding(&Fault::new(0, "the file is empty"))),
        }
    }

    /// Reads a file that may hold several YAML documents; one for each. TOML and JSON files hold one.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_all(file: &str, bytes: &[u8], format: Format) -> Result<Vec<Self>, Box<Finding>> {
        let (lines, roots) = Self::read(file, bytes, format)?;
        if roots.is_empty() {
            return Err(lines.finding(&Fault::new(0, "the file is empty")));
        }
        Ok(roots.into_iter().map(|root| Self { lines: Arc::clone(&lines), root }).collect())
    }

    fn read(file: &str, bytes: &[u8], format: Format) -> Result<(Arc<Lines>, Vec<Node>), Box<Finding>> {
        let lines = Lines::read(file, bytes)?;
        let text = lines.text();
        let roots = match format {
            Format::Yaml => yaml::read(text),
            _ if text.trim().is_empty() => Ok(Vec::new()),
            Format::Toml => toml::read(text).map(|root| vec![root]),
            Format::Json => json::read(text).map(|root| vec![root]),
        };
        match roots {
            Ok(roots) => Ok((Arc::new(lines), roots)),
            Err(fault) => Err(lines.finding(&fault)),
        }
    }

    /// The file's name, as it was given.
    #[must_use]
    pub fn file(&self) -> &str {
        self.lines.file()
    }

    pub(crate) fn text(&self) -> &str {
        self.lines.text()
    }

    /// The tree.
    #[must_use]
    pub fn root(&self) -> &Node {
        &self.root
    }

    pub(crate) fn root_mut(&mut self) -> &mut Node {
        &mut self.root
    }

    /// Where a value stands.
    #[must_use]
    pub fn position(&self, node: &Node) -> Position {
        self.lines.position(node.offset())
    }

    pub(crate) fn position_at(&self, offset: usize) -> Position {
        self.lines.position(offset)
    }

    /// Where the value of a path such as `communiques.live.via[1]` stands, or the deepest value on the way to it that exists: of
    /// a map's entry the key, of a list's the value. A key that holds a dot or a bracket is written `["a.b"]`.
    #[must_use]
    pub fn at(&self, path: &str) -> Position {
        let mut node = &self.root;
        let mut offset = node.offset();
        for step in node::steps(path) {
            let found = match (&step, node.kind()) {
                (node::Step::Key(key), Kind::Map(entries)) => {
                    entries.iter().find(|e| e.key() == key).map(|e| (e.offset(), e.value()))
                }
                (node::Step::Index(index), Kind::List(items)) => items.get(*index).map(|n| (n.offset(), n)),
                _ => None,
            };
            let Some((at, next)) = found else { break };
            (offset, node) = (at, next);
        }
        self.lines.position(offset)
    }

    /// The value of a path, if there is one.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Node> {
        node::steps(path).try_fold(&self.root, |node, step| match (&step, node.kind()) {
            (node::Step::Key(key), Kind::Map(entries)) => entries.iter().find(|e| e.key() == key).map(Entry::value),
            (node::Step::Index(index), Kind::List(items)) => items.get(*index),
            _ => None,
        })
    }

    /// Puts a text in the place of the value of a path; `false` if there is no such value. Its position stays.
    pub fn set(&mut self, path: &str, text: &str) -> bool {
        self.put(path, Kind::Scalar { text: text.to_owned(), plain: false })
    }

    /// Puts any value in the place of another, as [`set`](Self::set) does a text: a number or a truth value is a plain scalar.
    pub fn put(&mut self, path: &str, value: Kind) -> bool {
        let mut node = &mut self.root;
        for step in node::steps(path) {
            let next = match (&step, node.kind_mut()) {
                (node::Step::Key(key), Kind::Map(entries)) => {
                    entries.iter_mut().find(|e| e.key() == key).map(Entry::value_mut)
                }
                (node::Step::Index(index), Kind::List(items)) => items.get_mut(*index),
                _ => None,
            };
            match next {
                Some(next) => node = next,
                None => return false,
            }
        }
        *node.kind_mut() = value;
        true
    }

    /// Decodes the whole file.
    ///
    /// Text is taken as it stands in the file, also from bare numbers and words; truth only from `true` and `false`, numbers only
    /// from bare scalars. Every map that becomes a struct refuses keys that the struct does not name; a field renamed to `*`
    /// gathers them instead, as far as their values are scalars. `#[serde(flatten)]` and `untagged` lose positions.
    ///
    /// # Errors
    /// Every finding at once, each with position and path: `RC0002` unknown key, `RC0003` value of the wrong kind, `RC0004` missing
    /// key, `RC0005` value that its key refuses.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Vec<Finding>> {
        decode::decode(self, &self.root, "")
    }

    /// Decodes the value of a path.
    ///
    /// # Errors
    /// As [`decode`](Self::decode); one finding if there is no such value.
    pub fn decode_at<T: DeserializeOwned>(&self, path: &str) -> Result<T, Vec<Finding>> {
        match self.get(path) {
            Some(node) => decode::decode(self, node, path),
            None => Err(vec![Finding::error("RC0004", path, "this key is missing").at(self.at(path))]),
        }
    }
}

/// The candidate that a misspelt word was meant to be, if one is near enough.
#[must_use]
pub fn suggest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > 64 {
        return None;
    }
    let folded = word.to_lowercase().replace('_', "-");
    candidates
        .into_iter()
        .map(|c| (strsim::damerau_levenshtein(&folded, &c.to_lowercase().replace('_', "-")), c))
        .filter(|(distance, c)| *distance <= c.len().max(word.len()) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, c)| c)
}

/// What is asked about a misspelt word, if a candidate is near enough: "did you mean `customers`?".
#[must_use]
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    suggest(word, candidates).map(|near| format!("did you mean `{near}`?"))
}
