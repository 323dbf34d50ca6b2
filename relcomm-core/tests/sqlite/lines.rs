//! What is written alike is stored once, and what is kept in mind of a leased delivery is forgotten once another has written.

use super::{Desk, GATE, HOUR, fill, id, lease, noted};
use relcomm_core::course::{DeliveryFact, Facts};
use relcomm_core::journal::{Change, Committed, Entry, Journal, Note, Subject, Write};
use relcomm_core::receipt::Assurance;
use std::sync::Arc;

#[tokio::test]
async fn what_another_wrote_of_a_leased_delivery_is_not_overwritten() {
    let desk = Desk::new();
    let (one, two) = (desk.open(), desk.open());
    fill(&one, 3).await;
    let session = one.begin(HOUR).await.unwrap();
    assert_eq!(lease(&one, session, 3).await.len(), 3);
    assert_eq!(two.commit(vec![noted(1, 1)]).await.unwrap(), [Committed::Done(2)]);
    let answers = one.commit((0..3).map(|n| noted(n, 1)).collect()).await.unwrap();
    assert_eq!(answers, [Committed::Done(2), Committed::Conflict, Committed::Done(2)]);
    assert_eq!(one.commit(vec![noted(1, 2)]).await.unwrap(), [Committed::Done(3)]);
    // Four of the gate, three begun, one of the other, two, and the one that was decided again.
    assert_eq!(two.entries(0, 99).await.unwrap().len(), 4 + 3 + 1 + 2 + 1);
    let states: Vec<_> = two.scan(GATE, 0, 9).await.unwrap().into_iter().map(|row| row.state.flying()).collect();
    assert_eq!(states, [Some((0, session)); 3]);
    one.verify_seal().await.unwrap();
}

#[tokio::test]
async fn what_another_wrote_of_a_leased_delivery_is_built_upon() {
    let desk = Desk::new();
    let (one, two) = (desk.open(), desk.open());
    fill(&one, 1).await;
    let session = one.begin(HOUR).await.unwrap();
    assert_eq!(lease(&one, session, 1).await.len(), 1);
    let proved = DeliveryFact::Proved { leg: 0, sure: Assurance::Delivered };
    let proved = Write::new(Change::Delivery(id(0), Facts::from_iter([proved])), 1);
    assert_eq!(two.commit(vec![proved]).await.unwrap(), [Committed::Done(2)]);
    assert_eq!(one.commit(vec![noted(0, 2)]).await.unwrap(), [Committed::Done(3)]);
    assert_eq!(two.read(&[id(0)]).await.unwrap()[0].state.best(), Some(Assurance::Delivered));
}

#[tokio::test]
async fn what_is_written_alike_at_once_is_one_line_and_as_many_entries() {
    let desk = Desk::new();
    let journal = desk.open();
    fill(&journal, 9).await;
    let before = journal.entries(0, 99).await.unwrap().len() as u64;
    let session = journal.begin(HOUR).await.unwrap();
    lease(&journal, session, 9).await;
    let note = |text: &str| {
        let mut note = Note::default();
        note.text = Some(text.into());
        Arc::new(note)
    };
    let twice = |n: u32| {
        let facts = [DeliveryFact::Noted { leg: 0 }, DeliveryFact::Failed { leg: 0 }];
        Write::new(Change::Delivery(id(n), facts.into_iter().collect()), 1)
    };
    let mut writes: Vec<Write> = [4, 0, 8].map(|n| twice(n).note(Some(note("same")))).into();
    writes.extend([noted(3, 1).note(Some(note("same"))), twice(1), twice(2).note(Some(note("other")))]);
    journal.commit(writes).await.unwrap();
    let rows = journal.scan(GATE, 0, 9).await.unwrap();
    let failed = |n: usize| rows[n].state.legs[0].failed;
    assert_eq!(rows.iter().map(|row| row.version).collect::<Vec<_>>(), [2, 2, 2, 2, 2, 1, 1, 1, 2]);
    assert_eq!((0..9).filter(|n| failed(*n)).collect::<Vec<_>>(), [0, 1, 2, 4, 8]);

    let sql = desk.sql();
    let count = |query: &str| u64::from(sql.query_row(query, [], |r| r.get::<_, u32>(0)).unwrap());
    assert_eq!(count(&format!("SELECT count(*) FROM line WHERE seq > {before}")), 4);
    assert_eq!(count("SELECT count(*) FROM note"), 3);
    let begun = before + 9;
    let ordinals = |entries: &[Entry]| -> Vec<(u64, Subject)> { entries.iter().map(|e| (e.seq, e.subject)).collect() };
    let expected: Vec<(u64, Subject)> =
        (begun + 1..).zip([4, 4, 0, 0, 8, 8, 3, 1, 1, 2, 2].map(|n| Subject::Delivery(id(n)))).collect();
    assert_eq!(ordinals(&journal.entries(begun, 99).await.unwrap()), expected);
    // A page may begin and end amid a line.
    assert_eq!(ordinals(&journal.entries(begun + 3, 2).await.unwrap()), expected[3..5]);
    let texts = |notes: Vec<(u64, Note)>| -> Vec<(u64, String)> {
        notes.into_iter().map(|(seq, note)| (seq - begun, note.text.unwrap())).collect()
    };
    let all = [(1, "same"), (3, "same"), (5, "same"), (7, "same"), (10, "other")].map(|(n, t)| (n, t.to_owned()));
    assert_eq!(texts(journal.notes(0, u64::MAX).await.unwrap()), all);
    assert_eq!(texts(journal.notes(begun + 1, begun + 3).await.unwrap()), all[1..2]);
    let history = journal.history(Subject::Delivery(id(8))).await.unwrap();
    let history: Vec<_> = history.iter().map(|(e, n)| (e.seq, n.as_ref().and_then(|n| n.text.as_deref()))).collect();
    assert_eq!(history, [(before + 9, None), (begun + 5, Some("same")), (begun + 6, None)]);
    // The views say the same.
    let shown = "SELECT count(*) FROM v_entry v JOIN entry e USING (seq) WHERE v.fact = e.fact";
    assert_eq!(count(shown), begun + 11);
    assert_eq!(count("SELECT count(*) FROM v_entry WHERE text IS NOT NULL"), 5);
    assert_eq!(count(&format!("SELECT ordinal FROM v_entry WHERE seq = {}", begun + 5)), 8);
    assert_eq!(count("SELECT seq FROM v_entry WHERE text = 'other'"), begun + 10);
    journal.verify_seal().await.unwrap();
}
