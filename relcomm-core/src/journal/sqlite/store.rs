//! The open journal as its thread sees it: the connection, and what belongs to the present transaction.

use super::codec::Res;
use super::line::{Gathered, Noted};
use super::rewrite::Rewrite;
use super::seal::{Block, genesis};
use super::session::Locks;
use super::state::States;
use crate::course::Delivery;
use crate::id::{DeliveryId, GateNo};
use crate::journal::{Scope, Tally};
use rusqlite::{Connection, params};
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

pub(super) struct Store {
    pub(super) connection: Connection,
    pub(super) scope: i64,
    pub(super) genesis: String,
    pub(super) locks: Locks,
    block: Option<Block>,
    /// Empty between commands.
    pub(super) gathered: Option<Gathered>,
    pub(super) noted: Option<Noted>,
    /// What was leased here and has not been written since, so that its outcome need not be read back. Forgotten when another connection
    /// has written.
    pub(super) flying: HashMap<DeliveryId, (u64, Delivery)>,
    pub(super) states: States,
    /// Empty between commands.
    pub(super) rewriting: Option<Rewrite>,
    /// SQLite's count of what other connections have written, as it was last seen.
    others: i64,
    /// What the present command counts in and out, gate by gate.
    counts: BTreeMap<GateNo, Counts>,
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
            gathered: None,
            noted: None,
            flying: HashMap::new(),
            states: States::default(),
            rewriting: None,
            others: 0,
            counts: BTreeMap::new(),
        }
    }

    pub(super) fn run(&self, sql: &str) -> Res<()> {
        self.connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    /// Begins a transaction. A writer asks for the file at once: one that has read before it asks can be refused halfway.
    pub(super) fn open(&mut self, writes: bool) -> Res<()> {
        if !writes {
            return self.run("BEGIN");
        }
        self.run("BEGIN IMMEDIATE")?;
        let others = self.connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?;
        if std::mem::replace(&mut self.others, others) != others {
            self.flying.clear();
        }
        Ok(())
    }

    /// Ends a transaction of writes: what it entered is sealed with it.
    pub(super) fn commit(&mut self) -> Res<()> {
        if let Some(block) = self.block.take() {
            block.close(&self.connection, self.scope)?;
        }
        self.run("COMMIT")
    }

    /// What was not written after all.
    fn forget(&mut self) {
        self.gathered = None;
        self.rewriting = None;
        self.noted = None;
        self.flying.clear();
        self.states.forget();
        self.counts.clear();
    }

    pub(super) fn roll_back(&mut self) {
        self.block = None;
        self.forget();
        if !self.connection.is_autocommit() {
            // If this fails too, the next BEGIN does, and says so to whoever asked.
            let _ = self.run("ROLLBACK");
        }
    }

    /// Does something as a whole: if it fails, or its result is not to be kept, nothing of it stays.
    pub(super) fn whole<T>(&mut self, work: impl FnOnce(&mut Self) -> Res<T>, keep: impl FnOnce(&T) -> bool) -> Res<T> {
        let before = self.block.clone();
        self.run("SAVEPOINT whole")?;
        let result = work(self).and_then(|value| {
            self.write_gathered()?;
            self.write_rewritten()?;
            self.count_in()?;
            Ok(value)
        });
        let kept = result.as_ref().is_ok_and(keep);
        if !kept {
            self.forget();
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

    /// The block of this transaction.
    pub(super) fn block(&mut self) -> Res<&mut Block> {
        Ok(match &mut self.block {
            Some(block) => block,
            none => none.insert(Block::open(&self.connection, self.scope, &self.genesis)?),
        })
    }

    pub(super) fn count_new(&mut self, gate: GateNo, how_many: u32, state: &Delivery) {
        let counts = self.counts.entry(gate).or_default();
        (0..how_many).for_each(|_| counts.come.add(state));
    }

    pub(super) fn count(&mut self, gate: GateNo, how_many: usize, before: &Delivery, after: &Delivery) {
        let counts = self.counts.entry(gate).or_default();
        for _ in 0..how_many {
            counts.gone.add(before);
            counts.come.add(after);
        }
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
