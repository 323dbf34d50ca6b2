//! What a channels file says of one mechanism, read.

use super::secret::Reference;
use relcomm_channels::http::{Allowed, HttpOptions};
use relcomm_core::mechanism::Addressing;
use relcomm_core::plan::Finding;
use relcomm_core::plan::source::{Kind, Node, Source};
use secrecy::{ExposeSecret, SecretString};
use std::num::NonZeroU32;

pub(super) fn keys(source: &Source, path: &str) -> Vec<String> {
    let node = if path.is_empty() { Some(source.root()) } else { source.get(path) };
    match node.map(Node::kind) {
        Some(Kind::Map(entries)) => entries.iter().map(|e| e.key().to_owned()).collect(),
        _ => Vec::new(),
    }
}

/// What a channels file says of one mechanism.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    pub(super) source: &'a Source,
    pub(super) word: &'a str,
    pub(super) addressing: Addressing,
}

impl Settings<'_> {
    /// The mechanism.
    #[must_use]
    pub fn word(&self) -> &str {
        self.word
    }

    /// How the mechanism reaches people.
    #[must_use]
    pub fn addressing(&self) -> Addressing {
        self.addressing
    }

    /// Whether there is anything at that key.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.source.get(&self.path(key)).is_some()
    }

    /// The keys of the map at that key, in their order.
    #[must_use]
    pub fn names(&self, key: &str) -> Vec<String> {
        keys(self.source, &self.path(key))
    }

    fn path(&self, key: &str) -> String {
        format!("{}.{key}", self.word)
    }

    /// Plain text, or what a reference leads to; `None` if there is nothing.
    ///
    /// # Errors
    /// The reference leads nowhere, or what is there is neither.
    pub fn text(&self, key: &str) -> Result<Option<String>, String> {
        Ok(self.secret(key)?.map(|s| s.expose_secret().to_owned()))
    }

    /// As [`text`](Self::text), where there has to be something.
    ///
    /// # Errors
    /// As [`text`](Self::text), or it is missing.
    pub fn needed(&self, key: &str) -> Result<String, String> {
        self.text(key)?.ok_or_else(|| format!("`{key}` is missing"))
    }

    /// What a reference leads to, or plain text; `None` if there is nothing.
    ///
    /// # Errors
    /// The reference leads nowhere, or what is there is neither.
    pub fn secret(&self, key: &str) -> Result<Option<SecretString>, String> {
        let found = Reference::at(self.source, &self.path(key)).map_err(|f| first(&f))?;
        found.map(|r| r.read().map_err(|e| format!("`{key}`: {e}"))).transpose()
    }

    /// A list of texts, or one text; empty if there is nothing.
    ///
    /// # Errors
    /// Something in it is no text.
    pub fn list(&self, key: &str) -> Result<Vec<String>, String> {
        let texts = |nodes: &[Node]| nodes.iter().map(|n| n.text().map(str::to_owned)).collect::<Option<Vec<_>>>();
        match self.source.get(&self.path(key)) {
            None => Ok(Vec::new()),
            Some(node) => match node.kind() {
                Kind::List(items) => texts(items),
                _ => texts(std::slice::from_ref(node)),
            }
            .ok_or_else(|| format!("`{key}` holds texts")),
        }
    }

    /// A whole number from 1; `None` if there is nothing.
    ///
    /// # Errors
    /// As [`text`](Self::text), or it is none.
    pub fn number(&self, key: &str) -> Result<Option<NonZeroU32>, String> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| format!("`{key}` is a number from 1"))
    }

    pub(super) fn http(&self) -> Result<HttpOptions, String> {
        let mut http = HttpOptions::new();
        for allowed in self.list("allow")? {
            let allowed: Allowed = allowed.parse().map_err(|e: relcomm_channels::http::BadAllowed| e.to_string())?;
            http = http.allow(allowed);
        }
        if let Some(ca) = self.text("ca")? {
            http = http.ca_pem(read(&ca)?);
        }
        Ok(http)
    }
}

fn first(findings: &[Finding]) -> String {
    findings.first().map(|f| f.message.clone()).unwrap_or_default()
}

pub(super) fn read(path: &str) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|e| format!("{path}: {e}"))
}
