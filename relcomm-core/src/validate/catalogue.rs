//! Every code of the standard findings, with what it means.

/// What a code means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The stable code.
    pub code: &'static str,
    /// What is wrong, in a phrase.
    pub title: &'static str,
    /// Why it matters and what to do.
    pub text: &'static str,
}

/// Every code, in order.
#[must_use]
pub fn catalogue() -> &'static [Explanation] {
    &[]
}

/// What the code means; `None` for a code that is not of these.
#[must_use]
pub fn explain(code: &str) -> Option<&'static Explanation> {
    catalogue().iter().find(|explanation| explanation.code == code)
}
