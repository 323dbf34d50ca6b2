//! The findings of one validation, as they are gathered.

use super::finding::{Finding, Severity};

/// More errors and warnings than this help nobody, and would cost time in plans that mean harm: no more are looked for.
pub const MOST_FINDINGS: usize = 200;

/// Findings, gathered in the order in which the checks came upon them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    all: Vec<Finding>,
    /// How many of them are more than notes.
    faults: usize,
    has_errors: bool,
}

impl Findings {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one. Where it names no position, validation looks up that of its path. After [`MOST_FINDINGS`] errors and warnings no more are taken, but
    /// for the first error.
    pub fn push(&mut self, finding: Finding) {
        if finding.severity > Severity::Note {
            if self.is_full() && (self.has_errors || !finding.is_error()) {
                return;
            }
            self.faults += 1;
            self.has_errors |= finding.is_error();
        }
        self.all.push(finding);
    }

    /// Whether no more are taken.
    pub(crate) fn is_full(&self) -> bool {
        self.faults >= MOST_FINDINGS
    }

    /// The findings so far.
    pub fn iter(&self) -> std::slice::Iter<'_, Finding> {
        self.all.iter()
    }

    /// Whether any of them is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.has_errors
    }

    /// Takes them out.
    #[must_use]
    pub fn into_vec(self) -> Vec<Finding> {
        self.all
    }
}

impl Extend<Finding> for Findings {
    fn extend<I: IntoIterator<Item = Finding>>(&mut self, findings: I) {
        findings.into_iter().for_each(|finding| self.push(finding));
    }
}

impl<'a> IntoIterator for &'a Findings {
    type Item = &'a Finding;
    type IntoIter = std::slice::Iter<'a, Finding>;
    fn into_iter(self) -> Self::IntoIter {
        self.all.iter()
    }
}

/// The path of a key below a path, quoted where it would be misread.
pub fn key_path(base: &str, key: &str) -> String {
    let mut path = base.to_owned();
    super::source::push_key(&mut path, key);
    path
}

/// The first few of so many by their names, in quotes, and how many more there are.
pub(crate) fn listed<'a>(names: impl Iterator<Item = &'a str>, count: usize) -> String {
    const SHOWN: usize = 12;
    let shown: Vec<String> = names.take(SHOWN).map(|name| format!("`{name}`")).collect();
    match count.saturating_sub(shown.len()) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
