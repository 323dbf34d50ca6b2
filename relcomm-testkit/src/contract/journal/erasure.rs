//! The clause about erasing a person.

use super::Trial;
use super::stage::{Stage, delivery, good, person};
use relcomm_core::clock::Clock;
use relcomm_core::course::{DeliveryFact, Erased, HeadFact};
use relcomm_core::id::{DeliveryId, StakeholderId};
use relcomm_core::journal::{Change, Committed, Erasure, Note, ReceiptRecord, Subject, Unmatched, Write};
use relcomm_core::receipt::ReceiptKind;
use std::sync::Arc;

/// **J12** `erase` takes away what names or describes a person, and nothing else.
///
/// # Panics
/// If the journal breaks the clause.
pub async fn j12_a_person_is_erased_and_what_happened_stays<F, T>(make: F)
where
    F: Fn(Arc<dyn Clock>) -> T,
    T: Future<Output = Trial>,
{
    let mut stage = Stage::new(make).await;
    let (gate, other) = (stage.gate("live", 4).await, stage.gate("other", 2).await);
    let id = |ordinal| DeliveryId { gate, ordinal };
    let mut note = Note::default();
    note.text = Some("mailbox full".into());
    let noted = |ordinal: u32, expect| {
        let raw = format!("for Person-{ordinal}@Example.org").into_bytes();
        let receipt = ReceiptRecord::new(format!("receipt {ordinal} {expect}"), raw);
        delivery(id(ordinal), expect, [DeliveryFact::Noted { leg: 0 }]).note(Some(note.clone())).receipt(Some(receipt))
    };
    // Alike and at once, as a journal may store them together.
    stage.done((0..4).map(|n| noted(n, 0)).collect()).await;
    stage.done(vec![noted(1, 1)]).await;
    let unmatched =
        |identity: &str, raw: &str| Unmatched::new(identity, ReceiptKind::Dsn, None, raw.as_bytes().to_vec());
    let came = vec![unmatched("one", "to person-1@example.ORG"), unmatched("two", "to person-2@example.org")];
    good(stage.journal().keep_unmatched(came).await);

    let who = person(gate, 1);
    let stand_in = StakeholderId::new("erased-1").unwrap_or_else(|error| panic!("{error}"));
    let erasure = || Erasure::new(who.clone(), stand_in.clone(), vec!["person-1@example.org".to_owned()]);
    let head = |expect| {
        let mut by = Note::default();
        by.by = Some("ann".into());
        Write::new(Change::Head(vec![HeadFact::Erased { number: 1, was: Erased::new("00", Some(1)) }]), expect)
            .note(Some(by))
    };
    let before = stage.picture().await;
    assert!(!good(stage.journal().erase(erasure(), vec![head(7)]).await), "a stale version stops it");
    assert_eq!(stage.picture().await, before, "and then nothing has changed");
    let entries = good(stage.journal().entries(0, usize::MAX).await);
    let rows = (stage.rows(gate).await, stage.rows(other).await);
    let gates = good(stage.journal().gates().await);

    assert!(good(stage.journal().erase(erasure(), vec![head(0)]).await));
    for again in [false, true] {
        if again {
            stage.trial.reopen(Arc::new(stage.clock.clone())).await;
        }
        let journal = stage.journal();
        let now = good(journal.entries(0, usize::MAX).await);
        assert_eq!(now.get(..entries.len()), Some(entries.as_slice()), "entries stay");
        assert_eq!(now.len(), entries.len() + 1, "and one says that somebody was erased");
        let mut expected = rows.0.clone();
        expected.iter_mut().filter(|row| row.id.ordinal == 1).for_each(|row| row.who = Some(stand_in.clone()));
        assert_eq!((stage.rows(gate).await, stage.rows(other).await), (expected, rows.1.clone()), "states stay");
        assert_eq!(good(journal.gates().await), gates, "tallies stay");
        assert_eq!(good(journal.ordinal(gate, &who).await), None);
        assert_eq!(good(journal.ordinal(gate, &stand_in).await), Some(1));
        for ordinal in 0..4 {
            let history = good(journal.history(Subject::Delivery(id(ordinal))).await);
            let notes = history.iter().filter(|(_, note)| note.is_some()).count();
            assert_eq!(notes, usize::from(ordinal != 1), "of delivery {ordinal}");
        }
        let of_head = good(journal.history(Subject::Head).await);
        assert!(of_head.iter().any(|(_, note)| note.as_ref().is_some_and(|n| n.by.as_deref() == Some("ann"))));
        let left: Vec<bool> = good(journal.unmatched().await).iter().map(|u| u.raw.is_empty()).collect();
        assert_eq!(left, [true, false], "raw receipts go by their traces");
    }
    let repeated = ReceiptRecord::new("receipt 1 0", Vec::new());
    let repeated = delivery(id(1), 2, [DeliveryFact::Noted { leg: 0 }]).receipt(Some(repeated));
    assert_eq!(good(stage.journal().commit(vec![repeated]).await), [Committed::Duplicate], "known receipts stay known");
}
