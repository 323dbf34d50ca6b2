//! The tables, and how a file becomes a journal or is refused.

use super::codec::{Fault, Res, corrupt, to_json, to_sql, unavailable};
use super::options::Create;
use crate::course::Head;
use crate::id::{DeliveryId, GateNo};
use crate::journal::{JournalError, JournalErrorKind, Mode, Scope};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior, params};
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// `rcj1`: tells a journal from every other SQLite file.
const APPLICATION: i32 = 0x7263_6A31;
/// The version of the tables below.
const VERSION: i32 = 4;

/// What can be erased (`roll`, `note`, `receipt`, `unmatched`) lies beside the lines.
///
/// A delivery's `id` holds scope, gate and ordinal ([`key`]), that of what is numbered with the entries scope and number ([`entry_key`]):
/// one number is the cheapest key, a gate's deliveries lie in its order, and what is added at the end fills its pages. A state that many
/// share stands once, in `state`; one that holds a time of its own stands with its delivery. A line is what was written alike at once: the
/// same facts of one thing, or of several deliveries of a gate. It counts as an entry for each ordinal and fact, numbered from its `seq`;
/// the view `entry` shows them one by one. A note lies beside `count` entries, `step` apart.
const TABLES: &str = r#"
CREATE TABLE journal (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    mode TEXT NOT NULL CHECK (mode IN ('sandbox', 'live'))
) STRICT;
CREATE TABLE scope (
    id        INTEGER PRIMARY KEY,
    plan      TEXT NOT NULL,
    version   TEXT NOT NULL,
    token_key BLOB NOT NULL CHECK (length(token_key) = 32),
    UNIQUE (plan, version)
) STRICT;
CREATE TABLE session (
    no     INTEGER PRIMARY KEY AUTOINCREMENT,
    scope  INTEGER NOT NULL,
    ttl    INTEGER NOT NULL,
    until  INTEGER NOT NULL,
    locked INTEGER NOT NULL
) STRICT;
CREATE TABLE head (
    scope   INTEGER PRIMARY KEY,
    version INTEGER NOT NULL,
    state   TEXT NOT NULL
) STRICT;
CREATE TABLE gate (
    scope        INTEGER NOT NULL,
    no           INTEGER NOT NULL,
    name         TEXT NOT NULL,
    communique   TEXT NOT NULL,
    occurrence   TEXT,
    revision     INTEGER NOT NULL,
    place        TEXT,
    version      INTEGER NOT NULL DEFAULT 0,
    state        TEXT NOT NULL,
    leasable     INTEGER NOT NULL,
    deliveries   INTEGER NOT NULL DEFAULT 0,
    running      INTEGER NOT NULL DEFAULT 0,
    flying       INTEGER NOT NULL DEFAULT 0,
    doubt        INTEGER NOT NULL DEFAULT 0,
    attempted    INTEGER NOT NULL DEFAULT 0,
    accepted     INTEGER NOT NULL DEFAULT 0,
    relayed      INTEGER NOT NULL DEFAULT 0,
    delivered    INTEGER NOT NULL DEFAULT 0,
    displayed    INTEGER NOT NULL DEFAULT 0,
    acknowledged INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (scope, no),
    UNIQUE (scope, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE lane (
    scope   INTEGER NOT NULL,
    no      INTEGER NOT NULL,
    name    TEXT NOT NULL,
    version INTEGER NOT NULL DEFAULT 0,
    state   TEXT NOT NULL,
    PRIMARY KEY (scope, no),
    UNIQUE (scope, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE state (
    id   INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE delivery (
    id       INTEGER PRIMARY KEY,
    scope    INTEGER NOT NULL GENERATED ALWAYS AS (id >> 48) VIRTUAL,
    gate     INTEGER NOT NULL GENERATED ALWAYS AS (id >> 28 & 1048575) VIRTUAL,
    ordinal  INTEGER NOT NULL GENERATED ALWAYS AS (id & 268435455) VIRTUAL,
    part     INTEGER NOT NULL GENERATED ALWAYS AS (id >> 28) VIRTUAL,
    version  INTEGER NOT NULL,
    running  INTEGER NOT NULL,
    best     TEXT,
    lane     INTEGER,
    ready_at INTEGER,
    until    INTEGER,
    timer    INTEGER,
    session  INTEGER,
    alike    INTEGER,
    state    TEXT,
    CHECK ((alike IS NULL) <> (state IS NULL))
) STRICT;
CREATE INDEX delivery_ready ON delivery (part, lane, ready_at) WHERE ready_at IS NOT NULL;
CREATE INDEX delivery_timer ON delivery (part, timer) WHERE timer IS NOT NULL;
CREATE INDEX delivery_session ON delivery (session) WHERE session IS NOT NULL;
CREATE TABLE line (
    id       INTEGER PRIMARY KEY,
    scope    INTEGER NOT NULL GENERATED ALWAYS AS (id >> 48) VIRTUAL,
    seq      INTEGER NOT NULL GENERATED ALWAYS AS (id & 281474976710655) VIRTUAL,
    at       INTEGER NOT NULL,
    kind     TEXT NOT NULL CHECK (kind IN ('head', 'gate', 'lane', 'delivery')),
    gate     INTEGER,
    ordinals TEXT,
    lane     INTEGER,
    facts    TEXT NOT NULL
) STRICT;
CREATE INDEX line_head ON line (kind) WHERE kind = 'head';
CREATE TABLE block (
    id    INTEGER PRIMARY KEY,
    scope INTEGER NOT NULL GENERATED ALWAYS AS (id >> 48) VIRTUAL,
    last  INTEGER NOT NULL GENERATED ALWAYS AS (id & 281474976710655) VIRTUAL,
    first INTEGER NOT NULL,
    prev  TEXT NOT NULL,
    hash  TEXT NOT NULL
) STRICT;
CREATE TABLE roll (
    id   INTEGER PRIMARY KEY,
    part INTEGER NOT NULL GENERATED ALWAYS AS (id >> 28) VIRTUAL,
    who  TEXT,
    kept TEXT
) STRICT;
CREATE INDEX roll_who ON roll (part, who);
CREATE TABLE note (
    id          INTEGER PRIMARY KEY,
    scope       INTEGER NOT NULL GENERATED ALWAYS AS (id >> 48) VIRTUAL,
    seq         INTEGER NOT NULL GENERATED ALWAYS AS (id & 281474976710655) VIRTUAL,
    step        INTEGER NOT NULL,
    count       INTEGER NOT NULL,
    "by"        TEXT,
    proof       TEXT,
    text        TEXT,
    reference   TEXT,
    url         TEXT,
    code        TEXT,
    text_digest TEXT
) STRICT;
CREATE TABLE receipt (
    scope    INTEGER NOT NULL,
    identity TEXT NOT NULL,
    raw      BLOB NOT NULL,
    PRIMARY KEY (scope, identity)
) STRICT, WITHOUT ROWID;
CREATE TABLE unmatched (
    scope    INTEGER NOT NULL,
    no       INTEGER NOT NULL,
    identity TEXT NOT NULL,
    kind     TEXT NOT NULL,
    evidence TEXT,
    PRIMARY KEY (scope, no)
) STRICT, WITHOUT ROWID;
CREATE VIEW entry AS
    SELECT x.scope, x.seq + ifnull(o.key, 0) * json_array_length(x.facts) + f.key AS seq, x.at, x.kind, x.gate, o.value AS ordinal,
           x.lane, f.value AS fact
    FROM line x LEFT JOIN json_each(x.ordinals) o JOIN json_each(x.facts) f;
CREATE VIEW v_delivery AS
    SELECT s.plan, s.version, g.name AS gate, d.ordinal, r.who, d.best, d.running, l.name AS ready_on,
           strftime('%Y-%m-%dT%H:%M:%SZ', d.ready_at / 1000, 'unixepoch') AS ready_at,
           strftime('%Y-%m-%dT%H:%M:%SZ', d.timer / 1000, 'unixepoch') AS timer,
           d.session, coalesce(d.state, t.text) AS state
    FROM delivery d
    LEFT JOIN state t ON t.id = d.alike
    JOIN scope s ON s.id = d.scope
    JOIN gate g ON g.scope = d.scope AND g.no = d.gate
    LEFT JOIN lane l ON l.scope = d.scope AND l.no = d.lane
    LEFT JOIN roll r ON r.id = d.id;
CREATE VIEW v_gate AS
    SELECT s.plan, s.version, g.name AS gate, g.leasable, g.deliveries, g.running, g.flying, g.doubt, g.attempted, g.accepted,
           g.relayed, g.delivered, g.displayed, g.acknowledged, g.state
    FROM gate g JOIN scope s ON s.id = g.scope;
CREATE VIEW v_entry AS
    SELECT s.plan, s.version, e.seq, strftime('%Y-%m-%dT%H:%M:%SZ', e.at / 1000, 'unixepoch') AS at, e.kind, g.name AS gate,
           e.ordinal, l.name AS lane, e.fact, n."by", n.proof, n.text, n.reference
    FROM entry e
    JOIN scope s ON s.id = e.scope
    LEFT JOIN gate g ON g.scope = e.scope AND g.no = e.gate
    LEFT JOIN lane l ON l.scope = e.scope AND l.no = e.lane
    LEFT JOIN note n ON n.id = (SELECT max(id) FROM note WHERE id BETWEEN e.scope << 48 AND (e.scope << 48 | e.seq))
        AND e.seq <= n.seq + (n.count - 1) * n.step AND (e.seq - n.seq) % n.step = 0;
"#;

const ORDINALS: u32 = 1 << 28;
/// The greatest ordinal that a gate can have.
pub(super) const LAST: u32 = ORDINALS - 1;
const GATES: u32 = 1 << 20;
const SCOPES: i64 = 1 << 15;

/// The `id` of a delivery: scope, gate and ordinal in 15, 20 and 28 bits. `None` for what no journal holds.
pub(super) fn key(scope: i64, gate: GateNo, ordinal: u32) -> Option<i64> {
    let fits = (0..SCOPES).contains(&scope) && gate.0 < GATES && ordinal < ORDINALS;
    fits.then(|| scope << 48 | i64::from(gate.0) << 28 | i64::from(ordinal))
}

/// Scope and gate alone, as in the column `part`.
pub(super) fn part(scope: i64, gate: GateNo) -> Option<i64> {
    key(scope, gate, 0).map(|id| id >> 28)
}

const ENTRIES: u64 = 1 << 48;

/// The `id` of what is numbered with the entries of a scope, in 15 and 48 bits. Beyond the last number it is that of the last.
pub(super) fn entry_key(scope: i64, seq: u64) -> i64 {
    scope << 48 | to_sql(seq.min(ENTRIES - 1))
}

/// The delivery of an `id`.
pub(super) fn delivery_of(id: i64) -> DeliveryId {
    let bits = |from: u32, size: u32| u32::try_from(id >> from & i64::from(size - 1)).unwrap_or_default();
    DeliveryId { gate: GateNo(bits(28, GATES)), ordinal: bits(0, ORDINALS) }
}

/// `path` with something written behind its last name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// A file that only its owner reads and writes.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn io_fault(what: &str, error: &io::Error) -> Fault {
    unavailable(format!("{what}: {}", error.kind()))
}

fn missing(message: &str) -> Fault {
    JournalError::new(JournalErrorKind::Missing, message).into()
}

fn foreign() -> Fault {
    corrupt("the file is not a journal of relcomm")
}

/// Opens the journal for writing and returns the number of the scope in it.
pub(super) fn open(path: &Path, scope: &Scope, create: Create, busy: Duration) -> Res<(Connection, i64)> {
    match path.try_exists() {
        Ok(true) => {}
        Ok(false) if create == Create::IfMissing => make(path, scope.mode)?,
        Ok(false) => return Err(missing("there is no such journal")),
        Err(error) => return Err(io_fault("the journal cannot be reached", &error)),
    }
    refuse_empty(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(busy)?;
    check(&connection, scope.mode)?;
    tune(&connection)?;
    let id = match find(&connection, scope)? {
        Some(id) => id,
        None if create == Create::IfMissing => add(&mut connection, scope)?,
        None => return Err(missing("the journal holds nothing of this plan and version")),
    };
    Ok((connection, id))
}

/// Opens the journal for reading alone.
pub(super) fn open_read_only(path: &Path, scope: &Scope, busy: Duration) -> Res<(Connection, i64)> {
    match path.try_exists() {
        Ok(true) => {}
        Ok(false) => return Err(missing("there is no such journal")),
        Err(error) => return Err(io_fault("the journal cannot be reached", &error)),
    }
    refuse_empty(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(busy)?;
    match check(&connection, scope.mode) {
        // In a folder that cannot be written the index of the log cannot be made; without a log there is nothing to index.
        Err(Fault::Sql(rusqlite::Error::SqliteFailure(cause, _)))
            if matches!(cause.code, ErrorCode::CannotOpen | ErrorCode::ReadOnly) && !beside(path, "-wal").exists() =>
        {
            connection = Connection::open_with_flags(immutable(path), flags | OpenFlags::SQLITE_OPEN_URI)?;
            check(&connection, scope.mode)?;
        }
        other => other?,
    }
    steady(&connection)?;
    let id = find(&connection, scope)?.ok_or_else(|| missing("the journal holds nothing of this plan and version"))?;
    Ok((connection, id))
}

/// The path as a URI that tells SQLite that nobody writes: <https://www.sqlite.org/uri.html>.
fn immutable(path: &Path) -> String {
    use std::fmt::Write as _;
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' => uri.push(char::from(*byte)),
            b if b.is_ascii_alphanumeric() => uri.push(char::from(*b)),
            b => {
                // Writing to a string cannot fail.
                let _ = write!(uri, "%{b:02X}");
            }
        }
    }
    uri.push_str("?immutable=1");
    uri
}

/// SQLite takes an empty file for a new database; here it is what is left of a journal, or never was one.
fn refuse_empty(path: &Path) -> Res<()> {
    // The file is not opened for this: closing it would drop the locks that another connection of this process holds on it.
    match fs::metadata(path) {
        Ok(meta) if meta.is_file() && meta.len() > 0 => Ok(()),
        Ok(_) => Err(foreign()),
        Err(error) => Err(io_fault("the journal cannot be reached", &error)),
    }
}

fn check(connection: &Connection, mode: Mode) -> Res<()> {
    let application: i32 = match connection.pragma_query_value(None, "application_id", |row| row.get(0)) {
        Err(rusqlite::Error::SqliteFailure(cause, _)) if cause.code == ErrorCode::NotADatabase => return Err(foreign()),
        other => other?,
    };
    if application != APPLICATION {
        return Err(foreign());
    }
    let version: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version == 0 {
        return Err(corrupt("the journal was never finished"));
    }
    if version != VERSION {
        return Err(corrupt(format!(
            "the journal has tables of version {version}; this program knows version {VERSION}"
        )));
    }
    let stamped: String = connection.query_row("SELECT mode FROM journal", [], |row| row.get(0))?;
    if stamped != mode.word() {
        let message = format!("the journal was made for {stamped}, and this is {mode}");
        return Err(JournalError::new(JournalErrorKind::Mode, message).into());
    }
    Ok(())
}

/// Every commit is on the disk before it is answered.
fn tune(connection: &Connection) -> Res<()> {
    connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0))?;
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON; PRAGMA foreign_keys = OFF;
         PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -4096;
         PRAGMA wal_autocheckpoint = 1000;",
    )?;
    steady(connection)?;
    Ok(())
}

/// A statement keeps its plan: otherwise SQLite makes it anew for every other bound limit, which costs more than most of them.
fn steady(connection: &Connection) -> Res<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn find(connection: &Connection, scope: &Scope) -> Res<Option<i64>> {
    let sql = "SELECT id FROM scope WHERE plan = ?1 AND version = ?2";
    Ok(connection.query_row(sql, params![scope.plan.as_str(), scope.version], |row| row.get(0)).optional()?)
}

fn add(connection: &mut Connection, scope: &Scope) -> Res<i64> {
    let mut token_key = [0u8; 32];
    getrandom::fill(&mut token_key).map_err(|_| unavailable("the system gives no random bytes"))?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute(
        "INSERT OR IGNORE INTO scope (plan, version, token_key) VALUES (?1, ?2, ?3)",
        params![scope.plan.as_str(), scope.version, token_key],
    )?;
    let id = find(&transaction, scope)?.ok_or_else(|| corrupt("a plan and version cannot be entered"))?;
    key(id, GateNo(0), 0).ok_or_else(|| unavailable("the journal holds too many plans and versions"))?;
    transaction.execute(
        "INSERT OR IGNORE INTO head (scope, version, state) VALUES (?1, 0, ?2)",
        params![id, to_json(&Head::default())?],
    )?;
    transaction.commit()?;
    Ok(id)
}

/// Makes the journal under another name and links it to its own when it is complete: nobody ever sees a half-made one, and of two
/// who make it at once one wins.
fn make(path: &Path, mode: Mode) -> Res<()> {
    let mut random = [0u8; 8];
    getrandom::fill(&mut random).map_err(|_| unavailable("the system gives no random bytes"))?;
    let draft = beside(path, &format!("-new-{}", data_encoding::HEXLOWER.encode(&random)));
    let made = fill(&draft, mode).and_then(|()| match fs::hard_link(&draft, path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        // Not every file system knows links: the name is taken first, so that nobody's journal is replaced.
        Err(_) => match private().create_new(true).open(path) {
            Ok(_) => fs::rename(&draft, path).map_err(|error| io_fault("the journal cannot be made", &error)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(io_fault("the journal cannot be made", &error)),
        },
    });
    for left in [draft.clone(), beside(&draft, "-wal"), beside(&draft, "-shm")] {
        // What was renamed or never made is not there to be removed.
        let _ = fs::remove_file(left);
    }
    made?;
    if let Some(folder) = path.parent()
        && let Ok(folder) = File::open(folder)
    {
        // The name is durable with its folder; where folders cannot be synced, the file system sees to it.
        let _ = folder.sync_all();
    }
    Ok(())
}

fn fill(draft: &Path, mode: Mode) -> Res<()> {
    // SQLite gives the log and its index the mode of the file itself.
    private().create_new(true).open(draft).map_err(|error| io_fault("the journal cannot be made", &error))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(draft, flags)?;
    tune(&connection)?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    connection.execute_batch(TABLES)?;
    connection.execute("INSERT INTO journal (one, mode) VALUES (1, ?1)", [mode.word()])?;
    connection.pragma_update(None, "application_id", APPLICATION)?;
    connection.pragma_update(None, "user_version", VERSION)?;
    connection.execute_batch("COMMIT")?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(())
}

/// The key of the scope.
pub(super) fn token_key(connection: &Connection, scope: i64) -> Res<[u8; 32]> {
    Ok(connection.query_row("SELECT token_key FROM scope WHERE id = ?1", [scope], |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_told_apart_and_in_the_order_of_its_parts() {
        let mut keys = Vec::new();
        for scope in [0, 1, SCOPES - 1] {
            for gate in [0, 1, GATES - 1] {
                for ordinal in [0, 1, LAST] {
                    let id = DeliveryId { gate: GateNo(gate), ordinal };
                    let key = key(scope, id.gate, ordinal).unwrap();
                    assert_eq!(delivery_of(key), id);
                    assert_eq!(key >> 28, part(scope, id.gate).unwrap());
                    keys.push(key);
                }
            }
        }
        assert!(keys.is_sorted_by(|a, b| a < b) && keys[0] >= 0);
        for (scope, gate, ordinal) in
            [(SCOPES, 0, 0), (-1, 0, 0), (0, GATES, 0), (0, 0, LAST + 1), (0, u32::MAX, u32::MAX)]
        {
            assert_eq!(key(scope, GateNo(gate), ordinal), None, "{scope} {gate} {ordinal}");
        }
    }
    #[test]
    fn a_path_is_found_as_a_uri_whatever_its_name_holds() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["plain-1_2.db", "a b.db", "what?.db", "no#1.db", "50%41.db", "&;=+:@.db", "Zürich.db"] {
            let path = folder.path().join(name);
            Connection::open(&path).unwrap().execute_batch("CREATE TABLE one (a); INSERT INTO one VALUES (7)").unwrap();
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
            let found = Connection::open_with_flags(immutable(&path), flags).unwrap();
            let seven: i64 = found.query_row("SELECT a FROM one", [], |row| row.get(0)).expect(name);
            assert_eq!(seven, 7, "{name}");
            found.execute("INSERT INTO one VALUES (8)", []).unwrap_err();
        }
    }
}
