//! States of deliveries: a million deliveries have few that differ, but for those that hold a time of their own.

use super::codec::{Res, corrupt, json, number, to_json};
use super::schema::delivery_of;
use super::store::Store;
use crate::course::Delivery;
use crate::id::StakeholderId;
use crate::journal::Row;
use std::cell::RefCell;
use std::collections::HashMap;

/// How many shared states are kept in mind.
const MOST: usize = 256;

/// The shared states that were read or written lately.
#[derive(Default)]
pub(super) struct States {
    read: RefCell<HashMap<i64, Delivery>>,
    written: Vec<(Delivery, i64)>,
}

impl States {
    /// For when a transaction is rolled back: what it numbered may be numbered otherwise.
    pub(super) fn forget(&mut self) {
        self.read.get_mut().clear();
        self.written.clear();
    }
}

/// How a state is stored: by its number if many share it, in full otherwise.
pub(super) type Stored = (Option<i64>, Option<String>);

impl Store {
    pub(super) fn store_state(&mut self, state: &Delivery, is_shared: bool) -> Res<Stored> {
        if !is_shared {
            return Ok((None, Some(to_json(state)?)));
        }
        // The latest stand last.
        if let Some((_, id)) = self.states.written.iter().rev().find(|(known, _)| known == state) {
            return Ok((Some(*id), None));
        }
        let text = to_json(state)?;
        self.connection.prepare_cached("INSERT OR IGNORE INTO state (text) VALUES (?1)")?.execute([&text])?;
        let sql = "SELECT id FROM state WHERE text = ?1";
        let id = self.connection.prepare_cached(sql)?.query_row([&text], |row| row.get(0))?;
        if self.states.written.len() >= MOST {
            self.states.written.clear();
        }
        self.states.written.push((state.clone(), id));
        Ok((Some(id), None))
    }

    /// Columns: alike, state, from this one on.
    pub(super) fn state_in(&self, row: &rusqlite::Row<'_>, column: usize) -> Res<Delivery> {
        let Some(id) = row.get::<_, Option<i64>>(column)? else { return json(row, column + 1, "delivery") };
        if let Some(state) = self.states.read.borrow().get(&id) {
            return Ok(state.clone());
        }
        let mut statement = self.connection.prepare_cached("SELECT text FROM state WHERE id = ?1")?;
        let mut rows = statement.query([id])?;
        let text = rows.next()?.ok_or_else(|| corrupt("the state of a delivery is missing"))?;
        let state: Delivery = json(text, 0, "delivery")?;
        let mut read = self.states.read.borrow_mut();
        if read.len() >= MOST {
            read.clear();
        }
        read.insert(id, state.clone());
        Ok(state)
    }

    /// Columns: id, version, alike, state, who.
    pub(super) fn delivery_in(&self, row: &rusqlite::Row<'_>) -> Res<Row> {
        let who = row.get_ref(4)?.as_str_or_null()?.map(StakeholderId::new).transpose();
        let who = who.map_err(|_| corrupt("what is stored of a roll cannot be read"))?;
        Ok(Row::new(delivery_of(row.get(0)?), number(row, 1)?, self.state_in(row, 2)?, who))
    }
}
