//! The contract of [`Journal`]: one function for each of its clauses J1 to J14, and
//! [`journal_contract!`](crate::journal_contract), which makes them tests of an implementation.

mod course;
mod erasure;
mod lease;
mod record;
mod stage;

pub use course::{j02_a_state_is_the_fold_of_its_stored_facts, j05_what_is_not_leasable_is_passed_over};
pub use erasure::j12_a_person_is_erased_and_what_happened_stays;
pub use lease::{
    j04_a_lease_is_durable_and_taken_once, j06_what_flies_under_a_dead_session_is_lost,
    j10_the_journals_own_clock_judges_sessions,
};
pub use record::{
    j01_a_write_expects_a_version, j03_together_is_all_or_none, j07_a_receipt_is_recorded_once,
    j08_entries_are_gapless_and_name_nobody, j09_scan_pages_by_ordinal, j11_what_was_entered_is_not_entered_again,
    j13_the_key_of_tokens_stays_the_same, j14_what_is_kept_can_be_replaced,
};

use relcomm_core::clock::Clock;
use relcomm_core::journal::Journal;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

type Opening = Pin<Box<dyn Future<Output = Arc<dyn Journal>> + Send>>;
type Opener = Box<dyn Fn(Arc<dyn Clock>) -> Opening + Send + Sync>;

/// A fresh journal on trial, and perhaps a way to open the same record once more.
pub struct Trial {
    journal: Option<Arc<dyn Journal>>,
    opener: Option<Opener>,
}

impl Trial {
    /// An empty journal.
    #[must_use]
    pub fn new(journal: Arc<dyn Journal>) -> Self {
        Self { journal: Some(journal), opener: None }
    }

    /// With a way to open the same record again, with a clock of its own: both while the first is open, as another process would, and
    /// after it was dropped without being closed.
    #[must_use]
    pub fn opener<F, T>(mut self, open: F) -> Self
    where
        F: Fn(Arc<dyn Clock>) -> T + Send + Sync + 'static,
        T: Future<Output = Arc<dyn Journal>> + Send + 'static,
    {
        self.opener = Some(Box::new(move |clock| Box::pin(open(clock))));
        self
    }

    fn journal(&self) -> &dyn Journal {
        self.journal.as_deref().unwrap_or_else(|| panic!("the journal on trial is open"))
    }

    /// Another opener of the same record at once, if there can be one.
    async fn beside(&self, clock: Arc<dyn Clock>) -> Option<Arc<dyn Journal>> {
        match &self.opener {
            Some(open) => Some(open(clock).await),
            None => None,
        }
    }

    /// Drops the journal as it is and opens the same record again, where that can be done.
    async fn reopen(&mut self, clock: Arc<dyn Clock>) {
        if let Some(open) = &self.opener {
            self.journal = None;
            self.journal = Some(open(clock).await);
        }
    }
}

impl fmt::Debug for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trial").field("journal", &self.journal).finish_non_exhaustive()
    }
}

/// Makes one test for each clause of the contract of [`Journal`](relcomm_core::journal::Journal).
///
/// The argument is an async function or closure from a clock (`Arc<dyn Clock>`) to a [`Trial`](crate::contract::journal::Trial): an empty
/// journal that uses this clock. Put each call into a module of its own. The crate that calls it needs `tokio` with `macros` and `rt`.
#[macro_export]
macro_rules! journal_contract {
    ($make:expr) => {
        $crate::journal_contract! { @ $make;
            j01_a_write_expects_a_version
            j02_a_state_is_the_fold_of_its_stored_facts
            j03_together_is_all_or_none
            j04_a_lease_is_durable_and_taken_once
            j05_what_is_not_leasable_is_passed_over
            j06_what_flies_under_a_dead_session_is_lost
            j07_a_receipt_is_recorded_once
            j08_entries_are_gapless_and_name_nobody
            j09_scan_pages_by_ordinal
            j10_the_journals_own_clock_judges_sessions
            j11_what_was_entered_is_not_entered_again
            j12_a_person_is_erased_and_what_happened_stays
            j13_the_key_of_tokens_stays_the_same
            j14_what_is_kept_can_be_replaced
        }
    };
    (@ $make:expr; $($clause:ident)*) => {$(
        #[tokio::test]
        async fn $clause() {
            $crate::contract::journal::$clause($make).await;
        }
    )*};
}
