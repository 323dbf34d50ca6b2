//! The findings of one validation, as they are gathered.

use super::finding::Finding;

/// Findings, gathered in the order in which the checks came upon them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one. Where it names no position, validation looks up that of its path.
    pub fn push(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    /// The findings so far.
    pub fn iter(&self) -> std::slice::Iter<'_, Finding> {
        self.0.iter()
    }

    /// Whether any of them is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(Finding::is_error)
    }

    /// Takes them out.
    #[must_use]
    pub fn into_vec(self) -> Vec<Finding> {
        self.0
    }
}

impl Extend<Finding> for Findings {
    fn extend<I: IntoIterator<Item = Finding>>(&mut self, findings: I) {
        self.0.extend(findings);
    }
}

impl<'a> IntoIterator for &'a Findings {
    type Item = &'a Finding;
    type IntoIter = std::slice::Iter<'a, Finding>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// The path of a key below a path, quoted where it would be misread.
pub(crate) fn key_path(base: &str, key: &str) -> String {
    let mut path = base.to_owned();
    super::source::push_key(&mut path, key);
    path
}
