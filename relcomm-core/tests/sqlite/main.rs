//! The journal in SQLite: what is its own beyond the contract of all journals.
#![cfg(feature = "sqlite")]

mod lines;

use futures_util::future::{FutureExt as _, join_all};
use relcomm_core::clock::Moment;
use relcomm_core::course::{DeliveryFact, Facts, GateFact, HeadFact, SessionNo};
use relcomm_core::id::{CommuniqueId, DeliveryId, GateId, GateNo, LaneNo, PlanId, StakeholderId};
use relcomm_core::journal::{
    Change, Committed, Create, Entrant, Journal, JournalError, JournalErrorKind, Mode, Note, ReceiptRecord, Row, Run,
    Scope, SqliteJournal, SqliteOptions, Unmatched, Want, Write,
};
use relcomm_core::receipt::ReceiptKind;
use relcomm_testkit::clock::ManualClock;
use rusqlite::Connection;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const NOON: Moment = Moment::from_millis(1_800_000_000_000);
const HOUR: Duration = Duration::from_secs(3600);
const GATE: GateNo = GateNo(0);
const LANE: LaneNo = LaneNo(0);

struct Desk {
    folder: TempDir,
    clock: ManualClock,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), clock: ManualClock::starting_at(NOON) }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("record.db")
    }

    fn open_as(&self, scope: Scope, create: Create) -> Result<SqliteJournal, JournalError> {
        SqliteJournal::open(self.path(), scope, Arc::new(self.clock.clone()), SqliteOptions::new(create))
    }

    fn open(&self) -> SqliteJournal {
        self.open_as(scope("ledger", "1", Mode::Live), Create::IfMissing).unwrap()
    }

    fn open_read_only(&self) -> Result<SqliteJournal, JournalError> {
        SqliteJournal::open_read_only(self.path(), scope("ledger", "1", Mode::Live), Arc::new(self.clock.clone()))
    }

    /// The file as any other tool sees it.
    fn sql(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    fn files(&self) -> Vec<String> {
        let names = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> = names.map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn scope(plan: &str, version: &str, mode: Mode) -> Scope {
    Scope::new(PlanId::new(plan).unwrap(), version, mode)
}

fn kind<T>(result: Result<T, JournalError>) -> Option<JournalErrorKind> {
    result.err().map(|error| error.kind)
}

fn gate_facts(facts: impl IntoIterator<Item = GateFact>) -> Facts<GateFact> {
    facts.into_iter().collect()
}

fn id(ordinal: u32) -> DeliveryId {
    DeliveryId { gate: GATE, ordinal }
}

fn noted(ordinal: u32, expect: u64) -> Write {
    let fact = DeliveryFact::Noted { leg: 0 };
    Write::new(Change::Delivery(id(ordinal), [fact].into_iter().collect()), expect)
}

fn hold(expect: u64) -> Write {
    Write::new(Change::Head(vec![HeadFact::Held { communique: None, held: true }]), expect)
}

/// An open gate with so many deliveries to MARK-0, MARK-1, …
async fn fill(journal: &SqliteJournal, count: u32) {
    let gate = GateId { communique: CommuniqueId::new("live").unwrap(), occurrence: None, revision: 1, place: None };
    journal.register(&[gate], &["email".into()]).await.unwrap();
    let opened = gate_facts([GateFact::Approved(true), GateFact::Opened { at: NOON, stands_on: None }]);
    journal.commit(vec![Write::new(Change::Gate(GATE, opened), 0)]).await.unwrap();
    let who = (0..count).map(|n| Entrant::new(StakeholderId::new(format!("MARK-{n}")).ok())).collect();
    let rolled = gate_facts([GateFact::Rolled { to: count, last: true }]);
    assert!(journal.enter(GATE, 1, rolled, vec![Run::new(count, 0, LANE, NOON, None)], who).await.unwrap());
}

async fn lease(journal: &SqliteJournal, session: SessionNo, max: u32) -> Vec<Row> {
    journal.lease(session, &[Want::new(GATE, LANE, max)], NOON).await.unwrap()
}

#[tokio::test]
async fn what_is_missing_is_made_only_if_that_is_asked() {
    let desk = Desk::new();
    let live = |plan, version| scope(plan, version, Mode::Live);
    assert_eq!(kind(desk.open_as(live("ledger", "1"), Create::Never)), Some(JournalErrorKind::Missing));
    assert_eq!(kind(desk.open_read_only()), Some(JournalErrorKind::Missing));
    assert!(desk.files().is_empty(), "a refusal leaves nothing behind");

    let first = desk.open();
    let key = *first.token_key().await.unwrap().expose_secret();
    for (plan, version) in [("ledger", "2"), ("other", "1")] {
        assert_eq!(kind(desk.open_as(live(plan, version), Create::Never)), Some(JournalErrorKind::Missing));
        let made = desk.open_as(live(plan, version), Create::IfMissing).unwrap();
        assert_ne!(*made.token_key().await.unwrap().expose_secret(), key, "each plan and version has its own key");
        assert_ne!(made.seal().await.unwrap(), first.seal().await.unwrap(), "and its own chain");
    }
    drop(first);
    let again = desk.open_as(live("ledger", "1"), Create::Never).unwrap();
    assert_eq!(*again.token_key().await.unwrap().expose_secret(), key);
    assert!(!format!("{again:?}").contains("token"));
}

#[tokio::test]
async fn of_those_who_make_it_at_once_one_wins() {
    let desk = Desk::new();
    let barrier = std::sync::Barrier::new(6);
    let journals = std::thread::scope(|threads| {
        let open = || {
            barrier.wait();
            desk.open()
        };
        let all: Vec<_> = (0..6).map(|_| threads.spawn(open)).collect();
        all.into_iter().map(|t| t.join().unwrap()).collect::<Vec<_>>()
    });
    let keys = join_all(journals.iter().map(Journal::token_key)).await;
    let keys: Vec<[u8; 32]> = keys.into_iter().map(|key| *key.unwrap().expose_secret()).collect();
    assert!(keys.windows(2).all(|pair| pair[0] == pair[1]));
    assert!(!desk.files().iter().any(|f| f.contains("-new-")));
}

#[tokio::test]
async fn a_file_keeps_the_mode_for_which_it_was_made() {
    let desk = Desk::new();
    drop(desk.open());
    for (plan, create) in [("ledger", Create::Never), ("ledger", Create::IfMissing), ("other", Create::IfMissing)] {
        assert_eq!(kind(desk.open_as(scope(plan, "1", Mode::Sandbox), create)), Some(JournalErrorKind::Mode));
    }
    let sandbox = scope("ledger", "1", Mode::Sandbox);
    let read = SqliteJournal::open_read_only(desk.path(), sandbox, Arc::new(desk.clock.clone()));
    assert_eq!(kind(read), Some(JournalErrorKind::Mode));
}

#[tokio::test]
async fn what_is_no_journal_of_ours_is_refused_and_left_as_it_is() {
    let desk = Desk::new();
    let refused = |desk: &Desk| {
        let before = fs::read(desk.path()).unwrap_or_default();
        let open = desk.open_as(scope("ledger", "1", Mode::Live), Create::IfMissing);
        assert_eq!(kind(open), Some(JournalErrorKind::Corrupt));
        assert_eq!(kind(desk.open_read_only()), Some(JournalErrorKind::Corrupt));
        assert_eq!(fs::read(desk.path()).unwrap_or_default(), before);
    };
    fs::write(desk.path(), b"").unwrap();
    refused(&desk);
    fs::write(desk.path(), "plan: 1\n".repeat(300)).unwrap();
    refused(&desk);
    fs::remove_file(desk.path()).unwrap();
    desk.sql().execute_batch("CREATE TABLE scope (id INTEGER); PRAGMA user_version = 4").unwrap();
    refused(&desk);
    fs::remove_file(desk.path()).unwrap();
    fs::create_dir(desk.path()).unwrap();
    refused(&desk);
    fs::remove_dir(desk.path()).unwrap();

    // A journal of a later version, and one of an earlier.
    drop(desk.open());
    for other in [5, 3] {
        desk.sql().execute_batch(&format!("PRAGMA user_version = {other}")).unwrap();
        refused(&desk);
    }
    // One whose tables were never made.
    desk.sql().execute_batch("PRAGMA user_version = 0").unwrap();
    refused(&desk);
    desk.sql().execute_batch("PRAGMA user_version = 4").unwrap();
    desk.open();
}

#[tokio::test]
async fn a_torn_row_is_an_error_of_its_own_command_alone() {
    let desk = Desk::new();
    let journal = desk.open();
    fill(&journal, 4).await;
    let sql = desk.sql();
    sql.execute_batch("UPDATE delivery SET state = '{\"legs\":[{', alike = NULL WHERE ordinal = 1").unwrap();
    let blocks = || sql.query_row("SELECT count(*) FROM block", [], |r| r.get::<_, u32>(0)).unwrap();
    let before = (journal.entries(0, 99).await.unwrap().len(), blocks());

    let torn = vec![hold(0), noted(0, 0), noted(1, 0)];
    let (bad, good) = tokio::join!(journal.commit(torn), journal.commit(vec![noted(2, 0)]));
    assert_eq!(kind(bad), Some(JournalErrorKind::Corrupt));
    assert_eq!(good.unwrap(), [Committed::Done(1)]);
    assert_eq!(journal.head().await.unwrap().0, 0, "nothing of the failed command stays");
    assert_eq!(journal.read(&[id(0)]).await.unwrap().first().map(|r| r.version), Some(0));
    assert_eq!(journal.entries(0, 99).await.unwrap().len(), before.0 + 1);
    assert!(blocks() > before.1);
    journal.verify_seal().await.unwrap();

    assert_eq!(kind(journal.scan(GATE, 0, 9).await), Some(JournalErrorKind::Corrupt));
    let session = journal.begin(HOUR).await.unwrap();
    let all = journal.lease(session, &[Want::new(GATE, LANE, 9)], NOON).await;
    assert_eq!(kind(all), Some(JournalErrorKind::Corrupt));
    assert_eq!(lease(&journal, session, 1).await.len(), 1, "what was leased by the failed command is not");
    for broken in [
        "UPDATE delivery SET version = -1",
        "UPDATE line SET kind = 'head' WHERE kind = 'delivery'",
        "UPDATE line SET facts = 'x'",
        "UPDATE gate SET communique = 'a b'",
        "UPDATE gate SET flying = -3",
        "UPDATE lane SET state = '{}'",
        "DELETE FROM head",
    ] {
        sql.execute_batch(broken).unwrap();
    }
    assert_eq!(kind(journal.read(&[id(0)]).await), Some(JournalErrorKind::Corrupt));
    assert_eq!(kind(journal.entries(0, 9).await), Some(JournalErrorKind::Corrupt));
    assert_eq!(kind(journal.gates().await), Some(JournalErrorKind::Corrupt));
    assert_eq!(kind(journal.lanes().await), Some(JournalErrorKind::Corrupt));
    assert_eq!(kind(journal.head().await), Some(JournalErrorKind::Corrupt));
}

#[tokio::test]
async fn a_file_with_overwritten_pages_gives_errors_and_no_panic() {
    let desk = Desk::new();
    let journal = desk.open();
    fill(&journal, 500).await;
    drop(journal);
    let whole = fs::read(desk.path()).unwrap();
    let mut corrupt = 0;
    for page in 0..whole.len() / 4096 {
        let mut torn = whole.clone();
        torn[page * 4096..][..4096].fill(0xA5);
        fs::write(desk.path(), &torn).unwrap();
        for left in ["-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{left}", desk.path().display()));
        }
        let Ok(journal) = desk.open_as(scope("ledger", "1", Mode::Live), Create::Never) else {
            corrupt += 1;
            continue;
        };
        let all = [
            kind(journal.scan(GATE, 0, 999).await),
            kind(journal.timers(Moment::MAX, 999).await),
            kind(journal.verify_seal().await),
            kind(journal.ready(GATE, LANE, NOON, 999).await),
        ];
        assert!(all.iter().flatten().all(|k| *k == JournalErrorKind::Corrupt), "{all:?}");
        corrupt += usize::from(all.iter().any(Option::is_some));
    }
    assert!(corrupt > 10, "only {corrupt} pages mattered");
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_reads_the_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::new();
    let journal = desk.open();
    journal.begin(HOUR).await.unwrap();
    assert_eq!(desk.files(), ["record.db", "record.db-session-1", "record.db-shm", "record.db-wal"]);
    for name in desk.files() {
        let mode = fs::metadata(desk.folder.path().join(&name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn the_death_of_a_holder_is_noticed_at_once() {
    let desk = Desk::new();
    let (one, two) = (desk.open(), desk.open());
    fill(&one, 9).await;
    let session = one.begin(HOUR).await.unwrap();
    assert_eq!(lease(&one, session, 3).await.len(), 3);
    assert!(two.lost(9).await.unwrap().is_empty(), "its holder lives");
    assert!(two.beat(session).await.unwrap());
    drop(one);
    assert_eq!(two.lost(9).await.unwrap().len(), 3, "long before its time is over");
    assert!(!two.beat(session).await.unwrap());
    let answer = two.lease(session, &[Want::new(GATE, LANE, 1)], NOON).await;
    assert_eq!(kind(answer), Some(JournalErrorKind::Fenced));
    assert_eq!(desk.open_read_only().unwrap().lost(9).await.unwrap().len(), 3);

    // The next session clears up after it, and takes another number.
    let next = two.begin(HOUR).await.unwrap();
    assert_ne!(next, session);
    assert_eq!(desk.files().iter().filter(|f| f.contains("-session-")).count(), 1);
    assert_eq!(two.lost(9).await.unwrap().len(), 3);
    two.end(next).await.unwrap();
    assert!(!desk.files().iter().any(|f| f.contains("-session-")));
}

#[tokio::test]
async fn a_held_lock_does_not_prolong_a_session_and_a_missing_one_does_not_end_it() {
    let desk = Desk::new();
    let (one, two) = (desk.open(), desk.open());
    fill(&one, 9).await;
    let session = one.begin(HOUR).await.unwrap();
    lease(&one, session, 2).await;
    // Somebody tidies up: the row alone decides then.
    fs::remove_file(desk.folder.path().join("record.db-session-1")).unwrap();
    assert!(two.lost(9).await.unwrap().is_empty());
    two.begin(HOUR * 9).await.unwrap();
    assert!(one.beat(session).await.unwrap());
    desk.clock.advance(HOUR);
    assert_eq!(two.lost(9).await.unwrap().len(), 2, "its time is over");
    assert!(!one.beat(session).await.unwrap());
}

#[tokio::test]
async fn the_seal_stands_over_reopening_and_shows_every_change() {
    let desk = Desk::new();
    let journal = desk.open();
    let empty = journal.verify_seal().await.unwrap();
    assert_eq!((empty.entries, empty.blocks, &empty.seal), (0, 0, &journal.seal().await.unwrap()));
    fill(&journal, 3).await;
    journal.commit(vec![noted(0, 0), noted(1, 0)]).await.unwrap();
    journal.commit(vec![noted(2, 0).note(Some(Note::default()))]).await.unwrap();
    let sealed = journal.verify_seal().await.unwrap();
    assert_eq!((sealed.entries, sealed.blocks), (7, 4));
    drop(journal);
    let journal = desk.open();
    journal.end(journal.begin(HOUR).await.unwrap()).await.unwrap();
    assert_eq!(journal.verify_seal().await.unwrap(), sealed);

    // It can be computed from what the shell prints.
    let sql = desk.sql();
    let mut prev = empty.seal;
    let mut blocks = sql.prepare("SELECT first, last, hash FROM block ORDER BY last").unwrap();
    let blocks = blocks.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).unwrap();
    for (first, last, stored) in blocks.map(Result::<(u32, u32, String), _>::unwrap) {
        let columns =
            "seq || '|' || at || '|' || kind || '|' || ifnull(gate, '') || '|' || ifnull(ordinals, '') || '|' ||
                       ifnull(lane, '') || '|' || facts";
        let lines = format!("SELECT {columns} FROM line WHERE seq BETWEEN {first} AND {last} ORDER BY seq");
        let mut lines = sql.prepare(&lines).unwrap();
        let mut hash = Sha256::new_with_prefix(format!("{prev}\n"));
        for line in lines.query_map([], |r| r.get::<_, String>(0)).unwrap() {
            hash.update(format!("{}\n", line.unwrap()));
        }
        prev = data_encoding::HEXLOWER.encode(&hash.finalize());
        assert_eq!(prev, stored);
    }
    assert_eq!(prev, sealed.seal);

    let intact = desk.folder.path().join("intact.db");
    sql.execute("VACUUM INTO ?1", [intact.to_str().unwrap()]).unwrap();
    for tampering in [
        "UPDATE line SET facts = replace(facts, '0', '1') WHERE seq = 5",
        "UPDATE line SET at = at + 1 WHERE seq = 1",
        "UPDATE line SET ordinals = '[0,9]' WHERE seq = 5",
        "UPDATE line SET ordinals = '[0]' WHERE seq = 5",
        "DELETE FROM line WHERE seq = 7",
        "INSERT INTO line SELECT id - 7 + 8, at, kind, gate, ordinals, lane, facts FROM line WHERE seq = 7",
        "INSERT INTO line SELECT id - 7 + 6, at, kind, gate, ordinals, lane, facts FROM line WHERE seq = 7",
        "INSERT INTO line SELECT id - 7 + 0, at, kind, gate, ordinals, lane, facts FROM line WHERE seq = 7",
        "DELETE FROM block WHERE first = 1",
        "DELETE FROM block WHERE last = 7",
        "UPDATE block SET hash = prev WHERE last = 7",
    ] {
        sql.execute_batch(tampering).unwrap();
        assert_eq!(kind(journal.verify_seal().await), Some(JournalErrorKind::Corrupt), "{tampering}");
        sql.execute("ATTACH ?1 AS intact", [intact.to_str().unwrap()]).unwrap();
        sql.execute_batch(
            "DELETE FROM line; INSERT INTO line SELECT id, at, kind, gate, ordinals, lane, facts FROM intact.line;
             DELETE FROM block; INSERT INTO block SELECT id, first, prev, hash FROM intact.block; DETACH intact",
        )
        .unwrap();
        assert_eq!(journal.verify_seal().await.unwrap(), sealed);
    }
}

#[tokio::test]
async fn people_stand_beside_the_entries_and_nowhere_else() {
    let desk = Desk::new();
    let journal = desk.open();
    fill(&journal, 3).await;
    let mut note = Note::default();
    note.by = Some("MARK-ann".into());
    note.text = Some("MARK-text".into());
    let receipt = ReceiptRecord::new("MARK-identity", b"MARK-raw".to_vec());
    let session = journal.begin(HOUR).await.unwrap();
    journal.commit(vec![noted(0, 0).note(Some(note)).receipt(Some(receipt)), hold(0)]).await.unwrap();
    lease(&journal, session, 2).await;
    let odd = Unmatched::new("MARK-odd", ReceiptKind::Dsn, None, b"MARK-odd-raw".to_vec());
    journal.keep_unmatched(vec![odd]).await.unwrap();

    let sql = desk.sql();
    let mut tables = sql.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").unwrap();
    let mut with_people = Vec::new();
    for table in tables.query_map([], |r| r.get::<_, String>(0)).unwrap().map(Result::unwrap) {
        let mut rows = sql.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        let mut found = false;
        while let Some(row) = rows.next().unwrap() {
            found |= (0..columns).any(|c| {
                format!("{:?}", row.get_ref(c).unwrap()).contains("MARK")
                    || row.get_ref(c).unwrap().as_bytes().is_ok_and(|b| b.windows(4).any(|w| w == b"MARK"))
            });
        }
        if found {
            with_people.push(table);
        }
    }
    assert_eq!(with_people, ["note", "receipt", "roll", "unmatched"]);

    // Erased, the people are gone; entries, totals and the seal stand.
    let before =
        (journal.entries(0, 99).await.unwrap(), journal.gates().await.unwrap(), journal.verify_seal().await.unwrap());
    sql.execute_batch("DELETE FROM note; DELETE FROM roll; DELETE FROM unmatched; UPDATE receipt SET raw = x''")
        .unwrap();
    assert!(journal.scan(GATE, 0, 9).await.unwrap().iter().all(|r| r.who.is_none()));
    let after =
        (journal.entries(0, 99).await.unwrap(), journal.gates().await.unwrap(), journal.verify_seal().await.unwrap());
    assert_eq!(after, before);
}

#[tokio::test]
async fn reading_alone_writes_nothing() {
    let desk = Desk::new();
    let writer = desk.open();
    fill(&writer, 3).await;
    let reader = desk.open_read_only().unwrap();
    writer.commit(vec![noted(0, 0)]).await.unwrap();
    assert_eq!(reader.read(&[id(0)]).await.unwrap().first().map(|r| r.version), Some(1), "it sees what is written");
    assert_eq!(kind(reader.begin(HOUR).await), Some(JournalErrorKind::Unavailable));
    assert_eq!(kind(reader.commit(vec![noted(1, 0)]).await), Some(JournalErrorKind::Unavailable));
    drop((reader, writer));

    let before = fs::read(desk.path()).unwrap();
    let reader = desk.open_read_only().unwrap();
    assert_eq!(reader.scan(GATE, 0, 9).await.unwrap().len(), 3);
    assert_eq!(reader.verify_seal().await.unwrap().seal, reader.seal().await.unwrap());
    assert_eq!(kind(reader.register(&[], &["pager".into()]).await), Some(JournalErrorKind::Unavailable));
    drop(reader);
    assert_eq!(fs::read(desk.path()).unwrap(), before);
    let other = scope("ledger", "2", Mode::Live);
    let answer = SqliteJournal::open_read_only(desk.path(), other, Arc::new(desk.clock.clone()));
    assert_eq!(kind(answer), Some(JournalErrorKind::Missing));
}

#[tokio::test]
async fn what_gathers_while_the_file_is_busy_is_one_transaction() {
    let desk = Desk::new();
    let journal = desk.open();
    fill(&journal, 200).await;
    let sql = desk.sql();
    let blocks = || sql.query_row("SELECT count(*) FROM block", [], |r| r.get::<_, u32>(0)).unwrap();
    let before = blocks();
    sql.execute_batch("BEGIN IMMEDIATE").unwrap();
    let commits = join_all((0..200).map(|n| journal.commit(vec![noted(n, 0), noted(n, 5)])));
    let release = async {
        tokio::task::yield_now().await;
        sql.execute_batch("COMMIT").unwrap();
    };
    let (answers, ()) = tokio::join!(commits, release);
    for answer in answers {
        assert_eq!(answer.unwrap(), [Committed::Done(1), Committed::Conflict]);
    }
    // The first may be on its way before the others come.
    assert!((1..=2).contains(&(blocks() - before)), "{} transactions", blocks() - before);
}

#[tokio::test]
async fn a_lease_that_nobody_waits_for_any_more_is_not_taken() {
    let desk = Desk::new();
    let journal = desk.open();
    fill(&journal, 5).await;
    let session = journal.begin(HOUR).await.unwrap();
    let sql = desk.sql();
    sql.execute_batch("BEGIN IMMEDIATE").unwrap();
    let wants = [Want::new(GATE, LANE, 5)];
    {
        let mut lease = journal.lease(session, &wants, NOON);
        assert!((&mut lease).now_or_never().is_none(), "it waits for the file");
    }
    sql.execute_batch("COMMIT").unwrap();
    assert_eq!(journal.gates().await.unwrap().first().map(|g| g.tally.flying), Some(0));
    assert_eq!(lease(&journal, session, 9).await.len(), 5);
}

#[tokio::test]
async fn a_file_that_stays_busy_is_an_error_that_passes() {
    let desk = Desk::new();
    drop(desk.open());
    let options = SqliteOptions::default().busy(Duration::from_millis(20));
    let live = scope("ledger", "1", Mode::Live);
    let place = format!("file:{}", desk.path().display());
    let journal = SqliteJournal::open(Path::new(&place), live, Arc::new(desk.clock.clone()), options).unwrap();
    let sql = desk.sql();
    sql.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(kind(journal.commit(vec![hold(0)]).await), Some(JournalErrorKind::Unavailable));
    assert_eq!(journal.head().await.unwrap().0, 0, "reading goes on");
    sql.execute_batch("COMMIT").unwrap();
    assert_eq!(journal.commit(vec![hold(0)]).await.unwrap(), [Committed::Done(1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_openers_at_once_share_one_record() {
    let desk = Desk::new();
    let openers = [desk.open(), desk.open()];
    fill(&openers[0], 40).await;
    // Each delivery is written by both until its version is 3: every version is won by exactly one of them.
    let race = openers.iter().map(|journal| {
        let journal = journal.clone();
        tokio::spawn(async move {
            let mut won = 0;
            for version in 0..3 {
                let answers = journal.commit((0..40).map(|n| noted(n, version)).collect()).await.unwrap();
                won += answers.iter().filter(|c| matches!(c, Committed::Done(_))).count();
            }
            won
        })
    });
    let won: usize = join_all(race).await.into_iter().map(Result::unwrap).sum();
    let rows = openers[1].scan(GATE, 0, 99).await.unwrap();
    let versions: u64 = rows.iter().map(|r| r.version).sum();
    assert_eq!(won as u64, versions);
    let entries = openers[0].entries(0, usize::MAX).await.unwrap();
    assert_eq!(entries.len(), 4 + won);
    assert_eq!(openers[0].verify_seal().await.unwrap(), openers[1].verify_seal().await.unwrap());
}

#[tokio::test]
async fn the_views_answer_by_hand() {
    let desk = Desk::new();
    let journal = desk.open();
    fill(&journal, 3).await;
    let session = journal.begin(HOUR).await.unwrap();
    lease(&journal, session, 1).await;
    let sql = desk.sql();
    let one = |query: &str| sql.query_row(query, [], |r| r.get::<_, String>(0)).unwrap();
    assert_eq!(one("SELECT gate || ' ' || who FROM v_delivery WHERE best = 'attempted'"), "live MARK-0");
    assert_eq!(
        one("SELECT ready_on || ' ' || ready_at FROM v_delivery WHERE ordinal = 2"),
        "email 2027-01-15T08:00:00Z"
    );
    assert_eq!(one("SELECT deliveries || ' ' || flying FROM v_gate WHERE gate = 'live'"), "3 1");
    assert_eq!(
        one("SELECT fact FROM v_entry WHERE gate = 'live' AND ordinal = 0"),
        r#"{"delivery":{"started":{"leg":0,"session":1}}}"#
    );
}
