//! Erasing a person: what lies beside the entries changes, and the entries do not.

use super::codec::{Res, number, to_sql};
use super::schema::{delivery_of, entry_key};
use super::store::Store;
use crate::clock::Moment;
use crate::id::DeliveryId;
use crate::journal::{Erasure, Subject, Write};
use rusqlite::params;

impl Store {
    pub(super) fn erase(&mut self, erasure: &Erasure, writes: Vec<Write>, at: Moment) -> Res<bool> {
        if !self.write_together(writes, at)? {
            return Ok(false);
        }
        // What is given free is blanked, also within pages that stay.
        self.connection.pragma_update(None, "secure_delete", true)?;
        let erased = self.erase_beside(erasure);
        self.connection.pragma_update(None, "secure_delete", false)?;
        erased.map(|()| true)
    }

    fn erase_beside(&mut self, erasure: &Erasure) -> Res<()> {
        let sql = "SELECT id FROM roll WHERE who = ?1 AND id >> 48 = ?2";
        let mut statement = self.connection.prepare(sql)?;
        let ids = statement.query_map(params![erasure.who.as_str(), self.scope], |row| row.get::<_, i64>(0))?;
        let ids = ids.collect::<Result<Vec<i64>, _>>()?;
        drop(statement);
        for id in ids {
            self.erase_notes(delivery_of(id))?;
            let sql = "UPDATE roll SET who = ?2, kept = NULL WHERE id = ?1";
            self.connection.prepare_cached(sql)?.execute(params![id, erasure.stand_in.as_str()])?;
        }
        let mut statement = self.connection.prepare("SELECT identity, raw FROM receipt WHERE scope = ?1")?;
        let mut rows = statement.query([self.scope])?;
        let mut betraying: Vec<String> = Vec::new();
        while let Some(row) = rows.next()? {
            if erasure.betrayed_by(row.get_ref(1)?.as_blob()?) {
                betraying.push(row.get(0)?);
            }
        }
        for identity in betraying {
            let sql = "UPDATE receipt SET raw = x'' WHERE scope = ?1 AND identity = ?2";
            self.connection.prepare_cached(sql)?.execute(params![self.scope, identity])?;
        }
        Ok(())
    }

    /// No note lies beside the entries of a delivery. One that lies beside those of others, too, is kept for them, in pieces.
    fn erase_notes(&self, id: DeliveryId) -> Res<()> {
        let entries: Vec<u64> = self.history(Subject::Delivery(id))?.into_iter().map(|(entry, _)| entry.seq).collect();
        for seq in entries {
            let key = |seq| entry_key(self.scope, seq);
            let covering = "SELECT seq, step, count FROM note WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1";
            let mut statement = self.connection.prepare_cached(covering)?;
            let mut rows = statement.query([key(0), key(seq)])?;
            let Some(row) = rows.next()? else { continue };
            let (first, step, count): (u64, u64, u64) = (number(row, 0)?, number(row, 1)?, number(row, 2)?);
            let behind = seq - first;
            let place = behind / step.max(1);
            if behind % step.max(1) != 0 || place >= count {
                continue;
            }
            let after = count - place - 1;
            if after > 0 {
                let sql = "INSERT INTO note (id, step, count, \"by\", proof, text, reference, url, code, text_digest)
                           SELECT ?2, step, ?3, \"by\", proof, text, reference, url, code, text_digest
                           FROM note WHERE id = ?1";
                let from = key(seq.saturating_add(step));
                self.connection.prepare_cached(sql)?.execute([key(first), from, to_sql(after)])?;
            }
            if place > 0 {
                let sql = "UPDATE note SET count = ?2 WHERE id = ?1";
                self.connection.prepare_cached(sql)?.execute([key(first), to_sql(place)])?;
            } else {
                let sql = "DELETE FROM note WHERE id = ?1";
                self.connection.prepare_cached(sql)?.execute([key(first)])?;
            }
        }
        Ok(())
    }

    /// Writes the file anew, without what pages and the log still hold of earlier states. Another process that reads just then keeps the log
    /// until it has ended; what is erased is out of every table by then.
    pub(super) fn make_anew(&self) -> Res<()> {
        let tried = self.connection.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);");
        match tried {
            Err(rusqlite::Error::SqliteFailure(cause, _)) if cause.code == rusqlite::ErrorCode::DatabaseBusy => Ok(()),
            other => Ok(other?),
        }
    }
}
