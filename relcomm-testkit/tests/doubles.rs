//! The doubles: channels that the test answers, chaos that a seed repeats, expectations, and a journal that crashes.

use relcomm_core::channel::{AttemptContext, Batch, Channel, ChannelError, Key, Outcomes, Outgoing, Prepared};
use relcomm_core::clock::{Moment, SystemClock};
use relcomm_core::id::PlanId;
use relcomm_core::journal::{Journal, JournalErrorKind, MemoryJournal, Mode, Scope};
use relcomm_core::receipt::{Assurance, Token};
use relcomm_core::stakeholder::Address;
use relcomm_testkit::channel::{Answer, Chaos, ScriptedChannel};
use relcomm_testkit::clock::SimClock;
use relcomm_testkit::journal::{Crash, CrashJournal};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// One try for each of these.
async fn attempt(channel: &ScriptedChannel, number: u32, to: &[&str]) -> (Result<(), ChannelError>, Outcomes) {
    let (text, message) = (Prepared::new([]), Key::of([b"message".as_slice()]));
    let item = |address: &&str| {
        let key = Key::of([address.as_bytes()]);
        Outgoing::new(key, Token::new("mark"), Address::new(address).ok()).attempt(number)
    };
    let items: Vec<Outgoing> = to.iter().map(item).collect();
    let clock = Arc::new(SimClock::starting_at(Moment::from_millis(1_800_000_000_000)));
    let cx = AttemptContext::new(clock, MINUTE);
    let mut outcomes = Outcomes::new(items.len());
    let said = channel.attempt(&cx, &Batch::new(&text, &message, &items), &mut outcomes).await;
    (said, outcomes)
}

#[tokio::test(start_paused = true)]
async fn the_test_answers_each_attempt_when_it_comes_and_in_the_order_it_likes() {
    let (channel, mut handle) = ScriptedChannel::new("smtp").handled();
    let test = async {
        let (first, second) = (handle.next().await, handle.next().await);
        assert_eq!((first.seen().address.as_str(), second.seen().address.as_str()), ("al@c.test", "bea@c.test"));
        assert!(handle.waiting().is_none());
        assert!(second.answer(Answer::Accept(Assurance::Accepted)));
        assert!(first.answer(Answer::LoseAnswer));
    };
    let (al, bea, ()) = tokio::join!(attempt(&channel, 1, &["al@c.test"]), attempt(&channel, 1, &["bea@c.test"]), test);
    assert!(al.0.is_err() && al.1.is_crossed(0), "the answer was lost");
    assert!(bea.0.is_ok() && bea.1.is_set(0));
    assert_eq!(channel.arrived().len(), 2);

    // An attempt that was dropped cannot be answered any more; a call that is let go is never answered.
    let dropped = attempt(&channel, 2, &["al@c.test"]);
    assert!(tokio::time::timeout(MINUTE, dropped).await.is_err());
    assert!(!handle.next().await.answer(Answer::Refuse));
    let hung =
        tokio::time::timeout(MINUTE, async { tokio::join!(attempt(&channel, 3, &["al@c.test"]), handle.next()) });
    assert!(hung.await.is_err());
    drop(handle);
    assert!(tokio::time::timeout(MINUTE, attempt(&channel, 4, &["al@c.test"])).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn chaos_is_repeated_by_its_seed_whatever_the_order() {
    let people: Vec<String> = (0..40).map(|n| format!("p{n}@c.test")).collect();
    let mut runs = Vec::new();
    for forward in [true, false] {
        let channel = ScriptedChannel::new("smtp").chaotic(Chaos::seeded(11).only([
            (2, Answer::Accept(Assurance::Accepted)),
            (1, Answer::Refuse),
            (1, Answer::LoseMessage),
        ]));
        let order: Vec<&String> = if forward { people.iter().collect() } else { people.iter().rev().collect() };
        for address in order {
            let _ = attempt(&channel, 1, &[address]).await;
        }
        let mut arrived: Vec<String> = channel.arrived().into_iter().map(|seen| seen.address).collect();
        arrived.sort();
        assert!((5..35).contains(&arrived.len()), "{arrived:?}");
        runs.push(arrived);
    }
    assert_eq!(runs[0], runs[1]);
}

#[tokio::test]
async fn expectations_are_checked_at_the_end_with_all_that_happened() {
    let channel = ScriptedChannel::new("smtp").answering(|address, _| match address {
        "bea@c.test" => Answer::Refuse,
        _ => Answer::Accept(Assurance::Accepted),
    });
    let met = channel.expect().arrives("al@c.test", 1).tries("bea@c.test", 1).arrives("bea@c.test", 0);
    let closed = channel.expect().arrives("al@c.test", 1).nothing_else();
    let _ = attempt(&channel, 1, &["al@c.test", "bea@c.test"]).await;
    met.check().expect("all of it happened");
    drop(met);
    let told = closed.check().expect_err("bea was tried");
    for line in ["  1 arrivals at `al@c.test`: 1", "! nothing else: 1", "  1. al@c.test #1", "  2. bea@c.test #1"] {
        assert!(told.lines().any(|l| l.starts_with(line)), "{line}:\n{told}");
    }
    let ended = catch_unwind(AssertUnwindSafe(|| drop(closed)));
    let panic = ended.expect_err("an expectation that is not met ends the test");
    assert!(panic.downcast_ref::<String>().is_some_and(|text| text.contains("! nothing else: 1")));
    // A test that fails for another reason is not told twice.
    let failing = catch_unwind(|| {
        let _expected = ScriptedChannel::new("smtp").expect().tries("al@c.test", 1);
        panic!("another reason");
    });
    assert_eq!(failing.expect_err("it failed").downcast_ref::<&str>(), Some(&"another reason"));
}

fn record() -> MemoryJournal {
    let scope = Scope::new(PlanId::new("anvil-2.0.0").expect("an id"), "2.0.0", Mode::Sandbox);
    MemoryJournal::new(scope, Arc::new(SystemClock::new()))
}

/// A life of three writes.
async fn life(journal: &dyn Journal) -> Result<(), JournalErrorKind> {
    let kind = |error: relcomm_core::journal::JournalError| error.kind;
    journal.register(&[], &["email".to_owned()]).await.map_err(kind)?;
    journal.head().await.map_err(kind)?;
    let session = journal.begin(MINUTE).await.map_err(kind)?;
    journal.register(&[], &["pager".to_owned()]).await.map_err(kind)?;
    journal.beat(session).await.map(drop).map_err(kind)
}

async fn lanes(record: &MemoryJournal) -> usize {
    record.lanes().await.expect("it reads").len()
}

#[tokio::test(start_paused = true)]
async fn a_holder_dies_before_or_after_the_write_of_ones_choice_and_hears_nothing_more() {
    for (crash, stored) in [
        (Crash::DieBefore(1), 0),
        (Crash::DieAfter(1), 1),
        (Crash::DieBefore(3), 1),
        (Crash::DieAfter(3), 2),
        (Crash::DieBefore(4), 2),
        (Crash::Never, 2),
    ] {
        let record = record();
        let journal = CrashJournal::new(record.clone(), crash);
        let died = tokio::select! {
            biased;
            () = journal.died() => true,
            ended = life(&journal) => { ended.expect("it works"); false }
        };
        assert_eq!(
            (lanes(&record).await, died),
            (stored, !matches!(crash, Crash::Never | Crash::DieBefore(4))),
            "{crash:?}"
        );
        if died {
            journal.died().await;
            assert!(tokio::time::timeout(MINUTE, journal.head()).await.is_err(), "{crash:?}: a dead holder reads");
            assert!(tokio::time::timeout(MINUTE, journal.begin(MINUTE)).await.is_err(), "{crash:?}: it writes");
        }
    }
}

#[tokio::test]
async fn a_write_fails_stored_or_not_and_the_others_are_done() {
    for (crash, stored) in [(Crash::FailBefore(1), 0), (Crash::FailAfter(1), 1)] {
        let record = record();
        let journal = CrashJournal::new(record.clone(), crash);
        assert_eq!(life(&journal).await, Err(JournalErrorKind::Unavailable), "{crash:?}");
        assert_eq!(lanes(&record).await, stored, "{crash:?}");
        life(&journal).await.expect("only one write fails");
        assert_eq!((lanes(&record).await, journal.writes()), (2, 4), "{crash:?}");
    }
}
