//! Sessions: a row that expires, and a lock that the system lets go when the process dies, so that its death is noticed at once.

use super::codec::{Res, number, to_sql, unavailable};
use super::schema::{beside, private};
use super::store::Store;
use crate::clock::Moment;
use crate::course::SessionNo;
use rusqlite::{OptionalExtension, params};
use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// The lock files of this opener's sessions.
pub(super) struct Locks {
    journal: PathBuf,
    held: BTreeMap<u64, File>,
}

/// What the lock of a session says about its holder.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holder {
    Lives,
    Died,
    /// There is no lock file (somebody cleaned up), or it cannot be asked: the row alone decides.
    Unknown,
}

impl Locks {
    pub(super) fn new(journal: PathBuf) -> Self {
        Self { journal, held: BTreeMap::new() }
    }

    fn path(&self, no: u64) -> PathBuf {
        beside(&self.journal, &format!("-session-{no}"))
    }

    /// Takes the lock of a new session; `false` where the file system knows no locks.
    fn take(&mut self, no: u64) -> Res<bool> {
        // A number whose transaction failed is given out again.
        self.held.remove(&no);
        let made = private().create(true).truncate(false).open(self.path(no));
        let file = made.map_err(|error| unavailable(format!("the session's lock cannot be made: {}", error.kind())))?;
        match file.try_lock() {
            Ok(()) => {
                self.held.insert(no, file);
                Ok(true)
            }
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                self.remove(no);
                Ok(false)
            }
            Err(TryLockError::Error(error)) => {
                Err(unavailable(format!("the session's lock cannot be taken: {}", error.kind())))
            }
            Err(TryLockError::WouldBlock) => Err(unavailable("the session's lock is held by another process")),
        }
    }

    fn remove(&mut self, no: u64) {
        // The name goes before the lock does, so that nobody finds the one without the other; a name left over does no harm.
        let _ = fs::remove_file(self.path(no));
        self.held.remove(&no);
    }

    fn holder(&self, no: u64) -> Holder {
        if self.held.contains_key(&no) {
            return Holder::Lives;
        }
        let Ok(file) = private().open(self.path(no)) else { return Holder::Unknown };
        // Shared, so that two who ask at once do not take each other for the holder.
        match file.try_lock_shared() {
            Ok(()) => Holder::Died,
            Err(TryLockError::WouldBlock) => Holder::Lives,
            Err(TryLockError::Error(_)) => Holder::Unknown,
        }
    }
}

impl Store {
    pub(super) fn begin(&mut self, ttl: Duration, now: Moment) -> Res<SessionNo> {
        self.sweep(now)?;
        let until = now + ttl;
        let ttl = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
        self.connection
            .prepare_cached("INSERT INTO session (scope, ttl, until, locked) VALUES (?1, ?2, ?3, 0)")?
            .execute(params![self.scope, ttl, until.millis()])?;
        let no = u64::try_from(self.connection.last_insert_rowid()).unwrap_or_default();
        // Nobody sees the row before the transaction is committed: the lock is there first.
        if self.locks.take(no)? {
            self.connection.prepare_cached("UPDATE session SET locked = 1 WHERE no = ?1")?.execute([to_sql(no)])?;
        }
        Ok(SessionNo(no))
    }

    pub(super) fn beat(&mut self, session: SessionNo, now: Moment) -> Res<bool> {
        if !self.is_alive(session, now)? {
            return Ok(false);
        }
        let sql = "SELECT ttl FROM session WHERE scope = ?1 AND no = ?2";
        let ttl: i64 =
            self.connection.prepare_cached(sql)?.query_row(params![self.scope, to_sql(session.0)], |row| row.get(0))?;
        let until = now + Duration::from_millis(u64::try_from(ttl).unwrap_or_default());
        self.connection
            .prepare_cached("UPDATE session SET until = ?3 WHERE scope = ?1 AND no = ?2")?
            .execute(params![self.scope, to_sql(session.0), until.millis()])?;
        Ok(true)
    }

    pub(super) fn end(&mut self, session: SessionNo) -> Res<()> {
        let ended = self
            .connection
            .prepare_cached("DELETE FROM session WHERE scope = ?1 AND no = ?2")?
            .execute(params![self.scope, to_sql(session.0)])?;
        if ended > 0 {
            self.locks.remove(session.0);
        }
        Ok(())
    }

    /// Whether the session's time is not over and nothing shows that its holder died. A held lock does not prolong the time.
    pub(super) fn is_alive(&self, session: SessionNo, now: Moment) -> Res<bool> {
        let sql = "SELECT until, locked FROM session WHERE scope = ?1 AND no = ?2";
        let row: Option<(i64, bool)> = self
            .connection
            .prepare_cached(sql)?
            .query_row(params![self.scope, to_sql(session.0)], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        Ok(row.is_some_and(|(until, locked)| {
            until > now.millis() && (!locked || self.locks.holder(session.0) != Holder::Died)
        }))
    }

    /// Forgets the sessions whose holders died.
    fn sweep(&mut self, now: Moment) -> Res<()> {
        let mut dead = Vec::new();
        {
            let mut statement = self.connection.prepare_cached("SELECT no, until FROM session")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let (no, until): (u64, i64) = (number(row, 0)?, row.get(1)?);
                match self.locks.holder(no) {
                    Holder::Died => dead.push(no),
                    Holder::Unknown if until <= now.millis() => dead.push(no),
                    _ => {}
                }
            }
        }
        for no in dead {
            self.connection.prepare_cached("DELETE FROM session WHERE no = ?1")?.execute([to_sql(no)])?;
            self.locks.remove(no);
        }
        Ok(())
    }
}
