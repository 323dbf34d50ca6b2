//! What the journal says, read from outside: by SQLite's own library and by its command.

use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::process::Command;

/// What a session has in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Left {
    /// The session.
    pub(crate) session: i64,
    /// How many leases it has open.
    pub(crate) flying: usize,
}

fn open(journal: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(journal, flags).expect("the journal opens")
}

fn count(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<usize> {
    row.get::<_, u32>(column).map(|n| n as usize)
}

/// The leases that are open, by session.
pub(crate) fn leases(journal: &Path) -> Vec<Left> {
    let connection = open(journal);
    let sql = "SELECT session, count(*) FROM delivery WHERE session IS NOT NULL GROUP BY session ORDER BY session";
    let mut statement = connection.prepare(sql).expect("leases are counted");
    let left = statement.query_map([], |row| Ok(Left { session: row.get(0)?, flying: count(row, 1)? }));
    left.expect("leases are counted").map(|left| left.expect("a count")).collect()
}

/// How many facts there are.
pub(crate) fn entries(journal: &Path) -> usize {
    open(journal).query_row("SELECT count(*) FROM entry", [], |row| count(row, 0)).expect("a count")
}

/// How many deliveries were accepted by now; none where there is no journal yet.
pub(crate) fn accepted(journal: &Path) -> usize {
    if !journal.exists() {
        return 0;
    }
    open(journal).query_row("SELECT coalesce(sum(accepted), 0) FROM gate", [], |row| count(row, 0)).expect("a count")
}

/// How many attempts each session began.
pub(crate) fn begun(journal: &Path) -> Vec<usize> {
    let connection = open(journal);
    let sql = "SELECT count(*) FROM (SELECT json_tree.value AS session FROM entry, json_tree(entry.fact)
               WHERE entry.kind = 'delivery' AND json_tree.key = 'session' AND json_tree.path LIKE '%started%')
               GROUP BY session ORDER BY session";
    let mut statement = connection.prepare(sql).expect("entries are read");
    let counts = statement.query_map([], |row| count(row, 0)).expect("entries are read");
    counts.map(|n| n.expect("a count")).collect()
}

/// What SQLite's own command answers; `None` where there is no such command and none is demanded.
pub(crate) fn sqlite3(journal: &Path, sql: &str) -> Option<String> {
    match Command::new("sqlite3").arg("-readonly").arg(journal).arg(sql).output() {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            Some(String::from_utf8(output.stdout).expect("text").trim().to_owned())
        }
        Err(error) => {
            assert!(std::env::var_os("RELCOMM_REQUIRE").is_none_or(|v| v != "1"), "sqlite3 is missing: {error}");
            None
        }
    }
}
