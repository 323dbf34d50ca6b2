//! The open journal as its thread sees it: the connection, and what belongs to the present transaction.

use super::codec::{Res, subject_columns, to_json, to_sql};
use super::seal::{Block, genesis};
use super::session::Locks;
use crate::clock::Moment;
use crate::course::Delivery;
use crate::id::GateNo;
use crate::journal::{Fact, Scope, Subject, Tally};
use rusqlite::{Connection, params};
use std::collections::BTreeMap;
use std::path::PathBuf;

pub(super) struct Store {
    pub(super) connection: Connection,
    pub(super) scope: i64,
    pub(super) genesis: String,
    pub(super) locks: Locks,
    block: Option<Block>,
    /// What the present command counts in and out, gate by gate.
    counts: BTreeMap<GateNo, Counts>,
    line: String,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    come: Tally,
    gone: Tally,
}

impl Store {
    pub(super) fn new(connection: Connection, scope: i64, of: &Scope, path: PathBuf) -> Self {
        Self {
            connection,
            scope,
            genesis: genesis(of),
            locks: Locks::new(path),
            block: None,
            counts: BTreeMap::new(),
            line: String::new(),
        }
    }

    pub(super) fn run(&self, sql: &str) -> Res<()> {
        self.connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    /// Ends a transaction of writes: what it entered is sealed with it.
    pub(super) fn commit(&mut self) -> Res<()> {
        if let Some(block) = self.block.take() {
            block.close(&self.connection, self.scope)?;
        }
        self.run("COMMIT")
    }

    pub(super) fn roll_back(&mut self) {
        self.block = None;
        self.counts.clear();
        if !self.connection.is_autocommit() {
            // If this fails too, the next BEGIN does, and says so to whoever asked.
            let _ = self.run("ROLLBACK");
        }
    }

    /// Does something as a whole: if it fails, or its result is not to be kept, nothing of it stays.
    pub(super) fn whole<T>(&mut self, work: impl FnOnce(&mut Self) -> Res<T>, keep: impl FnOnce(&T) -> bool) -> Res<T> {
        let before = self.block.clone();
        self.run("SAVEPOINT whole")?;
        let result = work(self).and_then(|value| self.count_in().map(|()| value));
        let kept = result.as_ref().is_ok_and(keep);
        if !kept {
            self.counts.clear();
            self.block = before;
            if self.connection.is_autocommit() {
                // SQLite gave the whole transaction up, as it does on a full disk.
                return result;
            }
            self.run("ROLLBACK TO whole")?;
        }
        self.run("RELEASE whole")?;
        result
    }

    /// Writes an entry and returns its number.
    pub(super) fn enter_fact(&mut self, at: Moment, subject: Subject, fact: &Fact) -> Res<u64> {
        let block = match &mut self.block {
            Some(block) => block,
            none => none.insert(Block::open(&self.connection, self.scope, &self.genesis)?),
        };
        let fact = to_json(fact)?;
        let columns = subject_columns(subject);
        let seq = block.take(at, columns, &fact, &mut self.line);
        let (kind, gate, ordinal, lane) = columns;
        self.connection
            .prepare_cached(
                "INSERT INTO entry (scope, seq, at, kind, gate, ordinal, lane, fact) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![self.scope, to_sql(seq), at.millis(), kind, gate, ordinal, lane, fact])?;
        Ok(seq)
    }

    pub(super) fn come(&mut self, gate: GateNo, state: &Delivery) {
        self.counts.entry(gate).or_default().come.add(state);
    }

    pub(super) fn gone(&mut self, gate: GateNo, state: &Delivery) {
        self.counts.entry(gate).or_default().gone.add(state);
    }

    /// Brings the tallies up to date: once a command and gate, not once a delivery.
    fn count_in(&mut self) -> Res<()> {
        for (gate, Counts { come, gone }) in std::mem::take(&mut self.counts) {
            let by = |come: u32, gone: u32| i64::from(come) - i64::from(gone);
            let mut reached = [0i64; 6];
            for ((by_now, come), gone) in reached.iter_mut().zip(come.reached).zip(gone.reached) {
                *by_now = by(come, gone);
            }
            let [attempted, accepted, relayed, delivered, displayed, acknowledged] = reached;
            self.connection
                .prepare_cached(
                    "UPDATE gate SET deliveries = deliveries + ?3, running = running + ?4, flying = flying + ?5,
                     doubt = doubt + ?6, attempted = attempted + ?7, accepted = accepted + ?8, relayed = relayed + ?9,
                     delivered = delivered + ?10, displayed = displayed + ?11, acknowledged = acknowledged + ?12
                     WHERE scope = ?1 AND no = ?2",
                )?
                .execute(params![
                    self.scope,
                    gate.0,
                    by(come.rows, gone.rows),
                    by(come.running, gone.running),
                    by(come.flying, gone.flying),
                    by(come.doubt, gone.doubt),
                    attempted,
                    accepted,
                    relayed,
                    delivered,
                    displayed,
                    acknowledged,
                ])?;
        }
        Ok(())
    }
}
