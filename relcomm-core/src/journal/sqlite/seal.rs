//! The seal: every transaction's entries are a block, whose digest covers the one before.
//!
//! The digest of a block is the SHA-256 of the digest before it, as a line, and of its lines, which are exactly what
//! `SELECT seq, at, kind, gate, ordinals, lane, facts FROM line` prints in the `sqlite3` shell: anyone can check it without this code.

use super::codec::{Res, corrupt, number, optional, to_sql};
use super::line::Line;
use super::schema::entry_key;
use crate::journal::Scope;
use data_encoding::HEXLOWER;
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// What verification found to be intact.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sealed {
    /// How many entries there are.
    pub entries: u64,
    /// In how many blocks.
    pub blocks: u64,
    /// The digest of the last block, in hexadecimal.
    pub seal: String,
}

/// What stands before the first block: a chain cannot be passed off as that of another plan.
pub(super) fn genesis(scope: &Scope) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("relcomm journal\n{}\n{}\n{}\n", scope.plan, scope.version, scope.mode));
    HEXLOWER.encode(&hash.finalize())
}

/// The block of the present transaction.
#[derive(Clone)]
pub(super) struct Block {
    first: u64,
    last: u64,
    prev: String,
    hash: Sha256,
    text: String,
}

impl Block {
    /// Begins behind the last block.
    pub(super) fn open(connection: &Connection, scope: i64, genesis: &str) -> Res<Self> {
        let (last, prev) = head(connection, scope)?.unwrap_or_else(|| (0, genesis.to_owned()));
        Ok(Self { first: last + 1, last, hash: begin(&prev), prev, text: String::new() })
    }

    /// Takes so many numbers and returns the first of them.
    pub(super) fn take(&mut self, entries: usize) -> u64 {
        let first = self.last + 1;
        self.last = self.last.saturating_add(entries as u64);
        first
    }

    pub(super) fn seal(&mut self, line: &Line<'_>) {
        write_line(&mut self.text, line);
        self.hash.update(self.text.as_bytes());
    }

    pub(super) fn close(self, connection: &Connection, scope: i64) -> Res<()> {
        connection.prepare_cached("INSERT INTO block (id, first, prev, hash) VALUES (?1, ?2, ?3, ?4)")?.execute(
            params![entry_key(scope, self.last), to_sql(self.first), self.prev, HEXLOWER.encode(&self.hash.finalize())],
        )?;
        Ok(())
    }
}

fn begin(prev: &str) -> Sha256 {
    let mut hash = Sha256::new();
    hash.update(prev);
    hash.update("\n");
    hash
}

fn write_line(text: &mut String, line: &Line<'_>) {
    text.clear();
    let Line { seq, at, kind, facts, .. } = line;
    // Writing to a string cannot fail.
    let _ = write!(text, "{seq}|{at}|{kind}|");
    if let Some(gate) = line.gate {
        let _ = write!(text, "{gate}");
    }
    let _ = write!(text, "|{}|", line.ordinals.unwrap_or_default());
    if let Some(lane) = line.lane {
        let _ = write!(text, "{lane}");
    }
    let _ = writeln!(text, "|{facts}");
}

/// The number of the last sealed entry and the digest of its block.
pub(super) fn head(connection: &Connection, scope: i64) -> Res<Option<(u64, String)>> {
    let sql = "SELECT last, hash FROM block WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1";
    let all = [entry_key(scope, 0), entry_key(scope, u64::MAX)];
    let found = connection.prepare_cached(sql)?.query_row(all, |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    found
        .map(|(last, hash): (i64, String)| match u64::try_from(last) {
            Ok(last) => Ok((last, hash)),
            Err(_) => Err(corrupt("a stored number is out of its range")),
        })
        .transpose()
}

/// How far a verification has come.
#[derive(Clone)]
pub(super) struct Progress {
    found: Sealed,
    done: bool,
}

impl Progress {
    pub(super) fn new(genesis: String) -> Self {
        Self { found: Sealed { entries: 0, blocks: 0, seal: genesis }, done: false }
    }

    pub(super) fn finish(&self) -> Option<Sealed> {
        self.done.then(|| self.found.clone())
    }

    /// Checks blocks until about `max` entries are read.
    pub(super) fn go_on(mut self, connection: &Connection, scope: i64, max: u64) -> Res<Self> {
        let until = self.found.entries.saturating_add(max);
        while self.found.entries < until {
            if !self.check_next(connection, scope)? {
                let beyond = "SELECT count(*) FROM line WHERE id = ?1 OR (id > ?2 AND id <= ?3)";
                let ends = [0, self.found.entries, u64::MAX].map(|seq| entry_key(scope, seq));
                let beyond: i64 = connection.prepare_cached(beyond)?.query_row(ends, |row| row.get(0))?;
                if beyond != 0 {
                    return Err(corrupt(format!("{beyond} lines stand in no block")));
                }
                self.done = true;
                break;
            }
        }
        Ok(self)
    }

    fn check_next(&mut self, connection: &Connection, scope: i64) -> Res<bool> {
        let sql = "SELECT first, last, prev, hash FROM block WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT 1";
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query([self.found.entries, u64::MAX].map(|seq| entry_key(scope, seq)))?;
        let Some(row) = rows.next()? else { return Ok(false) };
        let (first, last): (u64, u64) = (number(row, 0)?, number(row, 1)?);
        let (prev, stored): (String, String) = (row.get(2)?, row.get(3)?);
        let broken = || corrupt(format!("the block of the entries {first} to {last} does not fit its seal"));
        if first != self.found.entries + 1 || prev != self.found.seal {
            return Err(broken());
        }
        let mut hash = begin(&prev);
        let mut text = String::new();
        let mut expected = first;
        let mut statement = connection.prepare_cached(
            "SELECT seq, at, kind, gate, ordinals, lane, facts, ifnull(json_array_length(ordinals), 1) * json_array_length(facts)
             FROM line WHERE id BETWEEN ?1 AND ?2 ORDER BY id",
        )?;
        let mut rows = statement.query([first, last].map(|seq| entry_key(scope, seq)))?;
        while let Some(row) = rows.next()? {
            if number::<u64>(row, 0)? != expected {
                return Err(broken());
            }
            write_line(
                &mut text,
                &Line {
                    seq: expected,
                    at: row.get(1)?,
                    kind: row.get_ref(2)?.as_str()?,
                    gate: optional(row, 3)?,
                    ordinals: row.get_ref(4)?.as_str_or_null()?,
                    lane: optional(row, 5)?,
                    facts: row.get_ref(6)?.as_str()?,
                },
            );
            hash.update(text.as_bytes());
            expected = expected.saturating_add(number(row, 7)?);
        }
        if expected != last + 1 || HEXLOWER.encode(&hash.finalize()) != stored {
            return Err(broken());
        }
        self.found = Sealed { entries: last, blocks: self.found.blocks + 1, seal: stored };
        Ok(true)
    }
}
