//! The record computed anew from nothing but the stored bytes of its entries.

use relcomm_core::journal::{Entry, Folded, Journal, JournalError};

/// Asserts that what the journal says is the fold of its entries as they are stored, numbered without gaps, and that none of these words
/// stands in them.
///
/// # Panics
/// If it is not, or the journal fails.
pub async fn assert_is_the_fold(journal: &dyn Journal, hidden: &[&str]) {
    let mut folded = Folded::default();
    for entry in read(journal.entries(0, usize::MAX).await) {
        let stored = serde_json::to_string(&entry).unwrap_or_default();
        assert!(!hidden.iter().any(|word| stored.contains(word)), "an entry holds what is to be hidden: {stored}");
        let again: Entry =
            serde_json::from_str(&stored).unwrap_or_else(|error| panic!("a stored entry is read: {error}"));
        folded.take(&again);
    }
    if let Some(differs) = read(folded.differs(journal).await) {
        panic!("{differs} is not what the entries come to");
    }
}

#[track_caller]
fn read<T>(answer: Result<T, JournalError>) -> T {
    answer.unwrap_or_else(|error| panic!("the journal failed: {error} ({:?})", error.kind))
}
