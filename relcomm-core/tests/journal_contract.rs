//! Every journal keeps the contract.

use relcomm_core::clock::Clock;
use relcomm_core::id::PlanId;
use relcomm_core::journal::{Journal, MemoryJournal, Mode, Scope};
use relcomm_testkit::contract::journal::Trial;
use relcomm_testkit::journal_contract;
use std::sync::Arc;

fn scope() -> Scope {
    Scope::new(PlanId::new("ledger-2.0").unwrap(), "2.0.0", Mode::Sandbox)
}

mod memory {
    use super::*;

    async fn make(clock: Arc<dyn Clock>) -> Trial {
        let journal = MemoryJournal::new(scope(), clock);
        let record = journal.clone();
        Trial::new(Arc::new(journal)).opener(move |clock| {
            let journal: Arc<dyn Journal> = Arc::new(record.with_clock(clock));
            async move { journal }
        })
    }

    journal_contract!(make);
}

/// A journal that is shared is one, too.
mod shared {
    use super::*;

    async fn make(clock: Arc<dyn Clock>) -> Trial {
        let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new(scope(), clock));
        Trial::new(Arc::new(journal))
    }

    journal_contract!(make);
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use super::*;
    use relcomm_core::journal::Unmatched;
    use relcomm_core::journal::{Create, SqliteJournal, SqliteOptions};

    async fn make(clock: Arc<dyn Clock>) -> Trial {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record.db");
        let journal = SqliteJournal::open(&path, scope(), clock, SqliteOptions::new(Create::IfMissing)).unwrap();
        // What another plan does in the same file does not show.
        let other = Scope::new(PlanId::new("other").unwrap(), "2.0.0", Mode::Sandbox);
        let clock = relcomm_core::clock::SystemClock::new();
        let other = SqliteJournal::open(&path, other, Arc::new(clock), SqliteOptions::new(Create::IfMissing)).unwrap();
        other.register(&[], &["other".into()]).await.unwrap();
        let receipt = Unmatched::new("a", relcomm_core::receipt::ReceiptKind::Poll, None, vec![]);
        other.keep_unmatched(vec![receipt]).await.unwrap();
        Trial::new(Arc::new(journal)).opener(move |clock| {
            let journal =
                SqliteJournal::open(folder.path().join("record.db"), scope(), clock, SqliteOptions::default());
            let journal: Arc<dyn Journal> = Arc::new(journal.unwrap());
            async move { journal }
        })
    }

    journal_contract!(make);
}

#[test]
fn debug_says_what_it_is_and_nothing_of_people() {
    use relcomm_core::journal::{Note, Unmatched};
    use relcomm_core::receipt::ReceiptKind;
    let mut note = Note::default();
    note.text = Some("ada@demo.example".into());
    let receipt = Unmatched::new("ada@demo.example", ReceiptKind::Dsn, None, b"to ada@demo.example".to_vec());
    let clock: Arc<dyn Clock> = Arc::new(relcomm_core::clock::SystemClock::new());
    let journal = MemoryJournal::new(scope(), clock);
    for (shown, is) in [
        (format!("{note:?}"), "Note"),
        (format!("{receipt:?}"), "Unmatched"),
        (format!("{journal:?}"), "MemoryJournal"),
    ] {
        assert!(shown.starts_with(is) && !shown.contains("ada"), "{shown}");
    }
}
