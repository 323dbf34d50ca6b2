//! The clauses about the record: versions, together, receipts, entries, pages, entering.

use super::Trial;
use super::stage::{EMAIL, MINUTE, NOON, Stage, delivery, facts, good, hold_all, noted, on_gate, ordinals, person};
use relcomm_core::clock::Clock;
use relcomm_core::course::{DeliveryFact, Dependence, Facts, GateFact, LaneFact, Phase};
use relcomm_core::id::{DeliveryId, GateNo, LaneNo};
use relcomm_core::journal::{
    Change, Committed, Entrant, Fact, Journal, Note, ReceiptRecord, Run, Subject, Unmatched, Write,
};
use relcomm_core::receipt::{Assurance, Evidence, ReceiptKind};
use secrecy::ExposeSecret;
use std::sync::Arc;

/// **J1** A write whose expected version is not the present one changes nothing.
///
/// # Panics
/// If the journal breaks the clause.
pub async fn j01_a_write_expects_a_version<F, T>(make: F)
where
    F: Fn(Arc<dyn Clock>) -> T,
    T: Future<Output = Trial>,
{
    let stage = Stage::new(make).await;
    let gate = stage.gate("live", 3).await;
    let id = |ordinal| DeliveryId { gate, ordinal };
    let journal = stage.journal();
    let row = stage.gate_row(gate).await;

    let down = || Change::Lane(EMAIL, LaneFact::Down { until: NOON, faults: 1 });
    let stale = vec![
        delivery(id(0), 7, [DeliveryFact::Failed { leg: 0 }]),
        Write::new(Change::Gate(gate, facts([GateFact::Held(true)])), row.version + 1),
        Write::new(down(), 1),
        hold_all(1, true),
        delivery(id(99), 0, [DeliveryFact::Failed { leg: 0 }]),
        Write::new(Change::Gate(GateNo(99), facts([GateFact::Held(true)])), 0),
        Write::new(Change::Lane(LaneNo(99), LaneFact::Up), 0),
    ];
    let before = stage.picture().await;
    let answers = good(journal.commit(stale.clone()).await);
    assert_eq!(answers, [Committed::Conflict; 7]);
    assert_eq!(stage.picture().await, before, "conflicts change nothing");

    // Good ones among them are unaffected; of two that expect the same version the second is stale; versions rise by one a write.
    let failed = DeliveryFact::Failed { leg: 0 };
    let shut = [failed, DeliveryFact::Noted { leg: 0 }, DeliveryFact::Noted { leg: 0 }];
    let mut mixed = stale;
    mixed.extend([
        delivery(id(1), 0, shut),
        delivery(id(1), 0, [failed]),
        delivery(id(1), 1, [DeliveryFact::Noted { leg: 0 }]),
        delivery(id(2), 0, []),
        on_gate(&row, [GateFact::Held(true), GateFact::Held(false)]),
        Write::new(Change::Gate(gate, Facts::new()), row.version + 1),
        Write::new(down(), 0),
        hold_all(0, true),
    ]);
    let answers = good(journal.commit(mixed).await);
    let (conflicts, rest) = answers.split_at(7);
    assert_eq!(conflicts, [Committed::Conflict; 7]);
    let done = Committed::Done;
    let version = row.version;
    assert_eq!(
        rest,
        [done(1), Committed::Conflict, done(2), done(1), done(version + 1), done(version + 2), done(1), done(1)]
    );
    assert_eq!(stage.row(id(0)).await.version, 0);
    let row = stage.row(id(1)).await;
    assert!(row.version == 2 && row.state.legs.first().is_some_and(|l| l.failed));
    assert_eq!(stage.row(id(2)).await.version, 1);
    assert_eq!(stage.gate_row(gate).await.version, version + 2);
    assert_eq!(good(journal.head().await).0, 1);
    assert!(good(journal.lanes().await).iter().map(|l| l.version).eq([1, 0]));
}

/// **J3** `commit_together` does all or nothing.
///
/// # Panics
/// If the journal breaks the clause.
pub async fn j03_together_is_all_or_none<F, T>(make: F)
where
    F: Fn(Arc<dyn Clock>) -> T,
    T: Future<Output = Trial>,
{
    let stage = Stage::new(make).await;
    let gate = stage.gate("live", 2).await;
    let id = |ordinal| DeliveryId { gate, ordinal };
    let journal = stage.journal();
    let receipt = |identity: &str| Some(ReceiptRecord::new(identity, vec![1]));
    let fail = |ordinal, expect| delivery(id(ordinal), expect, [DeliveryFact::Failed { leg: 0 }]);
    let mut note = Note::default();
    note.by = Some("ann".into());
    good(journal.commit(vec![hold_all(0, true).receipt(receipt("known"))]).await);

    let before = stage.picture().await;
    let held = stage.gate_row(gate).await;
    for (why, last) in [
        ("a stale version", fail(1, 5)),
        ("the same thing twice", fail(0, 0)),
        ("a receipt known before", fail(1, 0).receipt(receipt("known"))),
        ("a receipt twice", fail(1, 0).receipt(receipt("first"))),
        ("an unknown delivery", fail(9, 0)),
    ] {
        let writes = vec![
            hold_all(1, false).note(Some(note.clone())),
            on_gate(&held, [GateFact::Held(true)]),
            fail(0, 0).receipt(receipt("first")),
            last,
        ];
        assert!(!good(journal.commit_together(writes).await), "{why} stops all");
        assert_eq!(stage.picture().await, before, "after {why} nothing has changed");
    }
    let writes = vec![
        hold_all(1, false).note(Some(note)),
        on_gate(&held, [GateFact::Held(true)]),
        fail(0, 0).receipt(receipt("first")),
        fail(1, 0),
    ];
    assert!(good(journal.commit_together(writes).await), "a receipt of what was given up was not recorded");
    assert!(stage.gate_row(gate).await.state.held && !good(journal.head().await).1.held);
    assert!(stage.rows(gate).await.iter().all(|r| r.version == 1 && r.state.legs.iter().all(|l| l.failed)));
    assert_eq!(good(journal.notes(0, 100).await).len(), 1);
}

/// **J7** A receipt identity is recorded once.
///
/// # Panics
/// If the journal breaks the clause.
pub async fn j07_a_receipt_is_recorded_once<F, T>(make: F)
where
    F: Fn(Arc<dyn Clock>) -> T,
    T: Future<Output = Trial>,
{
    let mut stage = Stage::new(make).await;
    let gate = stage.gate("live", 2).await;
    let id = |ordinal| DeliveryId { gate, ordinal };
    let note_with = |ordinal, expect, identity: &str| {
        delivery(id(ordinal), expect, [DeliveryFact::Noted { leg: 0 }])
            .receipt(Some(ReceiptRecord::new(identity, b"raw".to_vec())))
    };
    let unmatched = |identity: &str| {
        let evidence = Some(Evidence::Reached(Assurance::Delivered));
        Unmatched::new(identity, ReceiptKind::Dsn, evidence, identity.as_bytes().to_vec())
    };
    let commit = |writes| async { good(stage.journal().commit(writes).await) };

    // A write that fails for its version leaves the receipt to be recorded by the next.
    assert_eq!(commit(vec![note_with(0, 5, "a")]).await, [Committed::Conflict]);
    let answers = commit(vec![note_with(0, 0, "a"), note_with(1, 0, "a"), note_with(0, 1, "b")]).await;
    assert_eq!(answers, [Committed::Done(1), Committed::Duplicate, Committed::Done(2)]);
    assert_eq!(commit(vec![note_with(1, 0, "b")]).await, [Committed::Duplicate]);
    // A stale version is told first: the same input is decided again, and is a duplicate then.
    assert_eq!(commit(vec![note_with(1, 8, "b")]).await, [Committed::Conflict]);
    assert_eq!(stage.row(id(1)).await.version, 0);

    let mut odd = unmatched("z");
    odd.evidence = None;
    let kept = good(stage.journal().keep_unmatched(vec![odd, unmatched("a"), unmatched("c"), unmatched("c")]).await);
    assert_eq!(kept, 2);
    assert_eq!(commit(vec![note_with(1, 0, "c")]).await, [Committed::Duplicate]);

    let clock = Arc::new(stage.clock.clone());
    stage.trial.reopen(clock).await;
    let again = vec![note_with(1, 0, "a"), note_with(1, 0, "c"), note_with(1, 0, "d")];
    let answers = good(stage.journal().commit(again).await);
    assert_eq!(answers, [Committed::Duplicate, Committed::Duplicate, Committed::Done(1)]);
    assert_eq!(good(stage.journal().keep_unmatched(vec![unmatched("z"), unmatched("b")]).await), 0);
    let all = good(stage.journal().unmatched().await);
    assert!(all.iter().map(|u| u.identity.as_str()).eq(["z", "c"]), "in the order in which they came");
    assert!(all.iter().map(|u| u.evidence.is_some()).eq([false, true]));
    assert!(all.iter().all(|u| u.raw == u.identity.as_bytes() && u.kind == ReceiptKind::Dsn));
}

/// **J8** Entries are numbered from 1 without gaps, in the order of commit, and hold no name, address, text or note.
///
/// # Panics
/// If the journal breaks the clause.
pub async fn j08_entries_are_gapless_and_name_nobody<F, T>(make: F)
where
    F: Fn(Arc<dyn Clock>) -> T,
    T: Future<Output = Trial>,
{
    let mut stage = Stage::new(make).await;
    let empty = good(stage.journal().seal().await);
    let gate = stage.gate("live", 4).await;
    let mut note = Note::default();
    note.by = Some("MARK-ann".into());
    note.text = Some("MARK-words".into());
    note.reference = Some("MARK-id@host".into());
    let rows = stage.rows(gate).await;
    let mut writes: Vec<Write> = rows.iter().map(noted).collect();
    if let Some(write) = writes.get_mut(1) {
        let two = [DeliveryFact::Failed { leg: 0 }, DeliveryFact::Noted { leg: 0 }];
        let receipt = ReceiptRecord::new("MARK-receipt", b"MARK-raw".to_vec());
        *write = delivery(DeliveryId { gate, ordinal: 1 }, 0, two).note(Some(note.clone())).receipt(Some(receipt));
    }
    let before = stage.entry_count().await as u64;
    stage.clock.advance(MINUTE);
    stage.done(writes).await;
    stage.done(vec![delivery(DeliveryId { gate, ordinal: 3 }, 1, []).note(Some(note.clone()))]).await;

    let journal = stage.journal();
    let all = good(journal.entries(0, usize::MAX).await);
    assert!(all.iter().map(|e| e.seq).eq(1..=all.len() as u64), "numbers from 1 without gaps");
    let subjects: Vec<_> = all.iter().filter(|e| e.seq > before).map(|e| (e.subject, e.at)).collect();
    let on = |ordinal| (Subject::Delivery(DeliveryId { gate, ordinal }), NOON + MINUTE);
    assert_eq!(subjects, [on(0), on(1), on(1), on(2), on(3)], "in the order of the writes and of their facts");
    let mut paged = Vec::new();
    while let Some(last) = Some(paged.last().map_or(0, |e: &relcomm_core::journal::Entry| e.seq)) {
        let page = good(journal.entries(last, 3).await);
        assert!(page.len() <= 3);
        if page.is_empty() {
            break;
        }
        paged.extend(page);
        assert!(paged.len() <= all.len(), "each once");
    }
    assert_eq!(paged, all, "pages make up the whole");
    assert!(good(journal.entries(all.len() as u64, 9).await).is_empty());
    assert!(good(journal.entries(u64::MAX, 9).await).is_empty());

    let text = serde_json::to_string(&all).unwrap_or_else(|error| panic!("entries are JSON: {error}"));
    assert!(!text.contains("MARK") && !text.contains("person-"), "entries name nobody");
    // The note lies beside the first fact of its write.
    let beside = before + 2;
    assert_eq!(good(journal.notes(0, u64::MAX).await), [(beside, note)]);
    assert_eq!(good(journal.notes(beside - 1, beside).await).len(), 1, "after one number, up to the other");
    for (after, up_to) in [(beside, u64::MAX), (0, beside - 1), (beside - 1, beside - 1), (9, 2), (u64::MAX, 0)] {
        assert!(good(journal.notes(after, up_to).await).is_empty(), "no notes after {after} up to {up_to}");
    }

    // What writes no fact makes no entry and leaves the seal as it is.
    let seal = good(journal.seal().await);
    assert_ne!(seal, empty);
    let session = stage.session().await;
    good(journal.beat(session).await);
    good(journal.end(session).await);
    good(journal.register(&[], &["text".to_owned()]).await);
    good(journal.next_due(NOON).await);
    good(journal.keep_unmatched(vec![Unmatched::new("u", ReceiptKind::Poll, None, vec![])]).await);
    let clock = Arc::new(stage.clock.clone());
    stage.trial.reopen(clock).await;
    assert_eq!(good(stage.journal().seal().await), seal);
    assert_eq!(good(stage.journal().entries(0, usize::MAX).await), all);
    stage.done(vec![hold_all(0, true)]).await;
    assert_ne!(good(stage.journal().seal().await), seal);
}

/// **J9** `scan` returns a gate's deliveries by ordinal; a page does not depend on what is written meanwhile to other rows.
///
/// # Panics
/// If the journal breaks the clause.
pub async fn j09_scan_pages_by_ordinal<F, T>(make: F)
where
    F: Fn(Arc<dyn Clock>) -> T,
    T: Future<Output = Trial>,
{
    let stage = Stage::new(make).await;
    let other = stage.gate("other", 5).await;
    let gate = stage.gate("live", 50).await;
    let journal = stage.journal();
    let mut from = 0;
    let mut seen = Vec::new();
    loop {
        let page = good(journal.scan(gate, from, 7).await);
        let Some(last) = page.last() else { break };
        from = last.id.ordinal + 1;
        // Rows of earlier and later pages and of another gate change between the pages.
        let others =
            [DeliveryId { gate, ordinal: 0 }, DeliveryId { gate, ordinal: 49 }, DeliveryId { gate: other, ordinal: 2 }];
        for id in others {
            stage.done(vec![noted(&stage.row(id).await)]).await;
        }
        seen.extend(page);
        assert!(seen.len() <= 50, "each once");
    }
    assert!(ordinals(&seen).into_iter().eq(0..50), "each once, by ordinal");
    assert!(seen.iter().all(|r| r.id.gate == gate && r.who == Some(person(gate, r.id.ordinal))));
    assert_eq!(seen.last().map(|r| r.version), Some(7), "a page shows what was written before it was read");
    assert_eq!(ordinals(&good(journal.scan(gate, 48, usize::MAX).await)), [48, 49]);
    assert!(good(journal.scan(gate, 50, 9).await).is_empty() && good(journal.scan(gate, 0, 0).await).is_empty());
    assert!(good(journal.scan(GateNo(77), 0, 9).await).is_empty());

    // By id, in the order asked for, without those that there are not.
    let id = |ordinal| DeliveryId { gate, ordinal };
    let some = good(journal.read(&[id(9), id(50), id(3), DeliveryId { gate: GateNo(77), ordinal: 0 }]).await);
    assert_eq!(ordinals(&some), [9, 3]);
    // By person, on this gate's roll alone.
    assert_eq!(good(journal.ordinal(gate, &person(gate, 31)).await), Some(31));
    assert_eq!(good(journal.ordinal(gate, &person(other, 3)).await), None);
}

/// **J11** `enter` adds rows only from the gate's cursor on.
///
/// # Panics
/// If the journal breaks the clause.
pub async fn j11_what_was_entered_is_not_entered_again<F, T>(make: F)
where
    F: Fn(Arc<dyn Clock>) -> T,
    T: Future<Output = Trial>,
{
    let mut stage = Stage::new(make).await;
    let gate = stage.opening("live").await;
    let version = stage.gate_row(gate).await.version;
    let runs =
        |n: u32| vec![Run::new(n - 1, 0, EMAIL, NOON, None), Run::new(1, 1, LaneNo(1), NOON, Some(NOON + MINUTE))];
    let rolled = |to, last| facts([GateFact::Rolled { to, last }]);
    // A post stands for nobody; of some something is kept, of posts too.
    let whom = |o: u32| (o != 2).then(|| person(gate, o));
    let keeps = |o: u32| (o == 2 || o > 4).then(|| Arc::<str>::from(format!("{{\"kept\":{o}}}")));
    let who = |from: u32, n: u32| (from..from + n).map(|o| Entrant::new(whom(o)).kept(keeps(o))).collect::<Vec<_>>();

    let journal = stage.journal();
    assert!(!good(journal.enter(GateNo(55), 0, rolled(4, false), runs(4), who(0, 4)).await), "there is no such gate");
    assert!(good(journal.enter(gate, version, rolled(4, false), runs(4), who(0, 4)).await));
    let before = stage.picture().await;
    assert!(!good(journal.enter(gate, version, rolled(4, false), runs(4), who(0, 4)).await), "made once is made");
    assert_eq!(stage.picture().await, before);

    // Another life goes on where the cursor stands.
    let clock = Arc::new(stage.clock.clone());
    stage.trial.reopen(clock).await;
    let row = stage.gate_row(gate).await;
    assert_eq!((row.version, row.state.phase, row.tally.rows), (version + 1, Phase::Opening { cursor: 4 }, 4));
    let rest =
        facts([GateFact::Rolled { to: 7, last: false }, GateFact::Dependence { index: 0, is: Dependence::Impossible }]);
    assert!(good(stage.journal().enter(gate, row.version, rest, runs(3), who(4, 3)).await));
    let last = rolled(7, true);
    assert!(good(stage.journal().enter(gate, row.version + 1, last, vec![], vec![]).await));

    let rows = stage.rows(gate).await;
    assert!(ordinals(&rows).into_iter().eq(0..7));
    assert!(rows.iter().map(|r| r.who.clone()).eq((0..7).map(whom)));
    let kept = |from, max| stage.journal().kept(gate, from, max);
    let all = |from: u32| (from..7).filter_map(|o| Some((o, keeps(o)?))).collect::<Vec<_>>();
    assert_eq!(good(kept(0, 99).await), all(0), "what was kept is there");
    assert_eq!(good(kept(3, 99).await), all(3));
    assert_eq!(good(kept(0, 2).await), all(0)[..2]);
    assert!(good(stage.journal().kept(GateNo(77), 0, 9).await).is_empty());
    assert!(rows.iter().map(|r| r.state.legs.first().map(|l| l.lane.0)).eq([0, 0, 0, 1, 0, 0, 1].map(Some)));
    assert_eq!(stage.gate_row(gate).await.state.phase, Phase::Open);
    let entered: Vec<_> = good(stage.journal().entries(0, usize::MAX).await)
        .into_iter()
        .filter_map(|e| if let Fact::Entered { from, .. } = e.fact { Some(from) } else { None })
        .collect();
    assert_eq!(entered, [0, 4], "one entry for each chunk, none for an empty one");
}

/// **J13** `token_key` is the same at every call, and `Debug` does not show it.
///
/// # Panics
/// If the journal breaks the clause.
pub async fn j13_the_key_of_tokens_stays_the_same<F, T>(make: F)
where
    F: Fn(Arc<dyn Clock>) -> T,
    T: Future<Output = Trial>,
{
    async fn key(journal: &dyn Journal) -> [u8; 32] {
        *good(journal.token_key().await).expose_secret()
    }
    let mut stage = Stage::new(make).await;
    let first = key(stage.journal()).await;
    stage.gate("live", 2).await;
    assert!(key(stage.journal()).await == first, "the key has changed from one call to the next");
    let clock = || Arc::new(stage.clock.clone());
    if let Some(beside) = stage.trial.beside(clock()).await {
        assert!(key(&*beside).await == first, "whoever opens the record beside another has another key");
    }
    let clock = clock();
    stage.trial.reopen(clock).await;
    assert!(key(stage.journal()).await == first, "the key has changed since the record was opened again");
    let shown = format!("{:?}", stage.journal());
    let hex: String = first.iter().map(|octet| format!("{octet:02x}")).collect();
    let shows = |form: &str| shown.to_lowercase().contains(form);
    assert!(!shows(&hex) && !shows(&format!("{first:?}")), "`Debug` shows the key");
}

/// **J14** `keep` replaces what is kept of whoever stands at an ordinal, and nothing where it is another.
///
/// # Panics
/// If the journal breaks the clause.
pub async fn j14_what_is_kept_can_be_replaced<F, T>(make: F)
where
    F: Fn(Arc<dyn Clock>) -> T,
    T: Future<Output = Trial>,
{
    let mut stage = Stage::new(make).await;
    let gate = stage.opening("live").await;
    let version = stage.gate_row(gate).await.version;
    let text = |text: &str| Some(Arc::<str>::from(text));
    let whom = |o: u32| (o != 4).then(|| person(gate, o));
    let who = (0..5).map(|o| Entrant::new(whom(o)).kept(text("old").filter(|_| o != 1))).collect();
    let runs = vec![Run::new(5, 0, EMAIL, NOON, None)];
    assert!(good(
        stage.journal().enter(gate, version, facts([GateFact::Rolled { to: 5, last: true }]), runs, who).await
    ));
    let before = stage.picture().await;

    let new = |o: u32| (o, Entrant::new(whom(o)).kept(text("new")));
    let journal = stage.journal();
    good(
        journal
            .keep(gate, vec![new(0), new(1), (2, Entrant::new(whom(0)).kept(text("another's"))), new(4), new(9)])
            .await,
    );
    good(journal.keep(gate, vec![(3, Entrant::new(whom(3)))]).await);
    good(journal.keep(GateNo(77), vec![new(0)]).await);
    let clock = Arc::new(stage.clock.clone());
    stage.trial.reopen(clock).await;
    let kept = good(stage.journal().kept(gate, 0, 99).await);
    let kept: Vec<_> = kept.iter().map(|(o, text)| (*o, &**text)).collect();
    assert_eq!(kept, [(0, "new"), (1, "new"), (2, "old"), (4, "old")]);
    assert_eq!(stage.picture().await, before, "nothing else has changed");
}
