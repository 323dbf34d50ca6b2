//! Reading.

use super::codec::{Res, corrupt, gate, json, lane, limit, number};
use super::schema::{LAST, delivery_of, key, part};
use super::seal;
use super::store::Store;
use crate::clock::Moment;
use crate::course::{Head, SessionNo};
use crate::id::{DeliveryId, GateNo, LaneNo, StakeholderId};
use crate::journal::{GateRow, LaneRow, Row, Unmatched};
use rusqlite::{OptionalExtension, Params, params};
use std::sync::Arc;

/// A query for deliveries, with who they are for.
macro_rules! deliveries {
    ($index:literal, $rest:literal) => {
        concat!(
            "SELECT d.id, d.version, d.alike, d.state, r.who FROM delivery d ",
            $index,
            " LEFT JOIN roll r ON r.id = d.id ",
            $rest
        )
    };
}

impl Store {
    fn collect<T>(
        &self,
        sql: &str,
        params: impl Params,
        mut read: impl FnMut(&rusqlite::Row<'_>) -> Res<T>,
    ) -> Res<Vec<T>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(read(row)?);
        }
        Ok(all)
    }

    fn one<T>(&self, sql: &str, params: impl Params, read: impl FnMut(&rusqlite::Row<'_>) -> Res<T>) -> Res<Option<T>> {
        Ok(self.collect(sql, params, read)?.pop())
    }

    pub(super) fn head(&self) -> Res<(u64, Head)> {
        let sql = "SELECT version, state FROM head WHERE scope = ?1";
        self.one(sql, [self.scope], |row| Ok((number(row, 0)?, json(row, 1, "head")?)))?
            .ok_or_else(|| corrupt("the head is missing"))
    }

    pub(super) fn gates(&self) -> Res<Vec<GateRow>> {
        self.collect(
            "SELECT no, communique, occurrence, revision, place, version, state, deliveries, running, flying, doubt, attempted,
             accepted, relayed, delivered, displayed, acknowledged FROM gate WHERE scope = ?1 ORDER BY no",
            [self.scope],
            gate,
        )
    }

    pub(super) fn lanes(&self) -> Res<Vec<LaneRow>> {
        self.collect("SELECT no, name, version, state FROM lane WHERE scope = ?1 ORDER BY no", [self.scope], lane)
    }

    pub(super) fn is_leasable(&self, gate: GateNo) -> Res<bool> {
        let sql = "SELECT leasable FROM gate WHERE scope = ?1 AND no = ?2";
        let found = self.connection.prepare_cached(sql)?.query_row(params![self.scope, gate.0], |row| row.get(0));
        Ok(found.optional()?.unwrap_or(false))
    }

    fn leasable_gates(&self) -> Res<Vec<GateNo>> {
        let sql = "SELECT no FROM gate WHERE scope = ?1 AND leasable AND deliveries > 0 ORDER BY no";
        self.collect(sql, [self.scope], |row| Ok(GateNo(number(row, 0)?)))
    }

    pub(super) fn ready(&self, gate: GateNo, lane: LaneNo, now: Moment, max: usize) -> Res<Vec<Row>> {
        if !self.is_leasable(gate)? {
            return Ok(Vec::new());
        }
        self.collect(
            deliveries!(
                "INDEXED BY delivery_ready",
                "WHERE d.part = ?1 AND d.lane = ?2 AND d.ready_at <= ?3 ORDER BY d.ready_at, d.id LIMIT ?4"
            ),
            params![part(self.scope, gate), lane.0, now.millis(), limit(max)],
            |row| self.delivery_in(row),
        )
    }

    /// The earliest of each gate that counts, merged: a gate that is held costs nothing, however many timers it has.
    pub(super) fn timers(&self, now: Moment, max: usize) -> Res<Vec<Row>> {
        let mut due: Vec<(i64, i64)> = Vec::new();
        for gate in self.leasable_gates()? {
            due.extend(self.collect(
                "SELECT timer, id FROM delivery INDEXED BY delivery_timer
                 WHERE part = ?1 AND timer <= ?2 ORDER BY timer, id LIMIT ?3",
                params![part(self.scope, gate), now.millis(), limit(max)],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?);
        }
        due.sort_unstable();
        due.truncate(max);
        let ids: Vec<DeliveryId> = due.into_iter().map(|(_, id)| delivery_of(id)).collect();
        self.read(&ids)
    }

    pub(super) fn lost(&self, now: Moment, max: usize) -> Res<Vec<Row>> {
        let mut lost = Vec::new();
        let mut after = None;
        // Sessions are numbered through all scopes of the file.
        let next = "SELECT min(session) FROM delivery INDEXED BY delivery_session WHERE session > ?1";
        while let Some(session) =
            self.one(next, [after.unwrap_or(-1)], |row| Ok(row.get::<_, Option<i64>>(0)?))?.flatten()
        {
            after = Some(session);
            if lost.len() >= max {
                break;
            }
            if !self.is_alive(SessionNo(u64::try_from(session).unwrap_or_default()), now)? {
                lost.extend(self.collect(
                    deliveries!(
                        "INDEXED BY delivery_session",
                        "WHERE d.session = ?1 AND d.scope = ?2 ORDER BY d.id LIMIT ?3"
                    ),
                    params![session, self.scope, limit(max - lost.len())],
                    |row| self.delivery_in(row),
                )?);
            }
        }
        Ok(lost)
    }

    pub(super) fn read(&self, ids: &[DeliveryId]) -> Res<Vec<Row>> {
        let mut statement = self.connection.prepare_cached(deliveries!("", "WHERE d.id = ?1"))?;
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            let mut rows = statement.query([key(self.scope, id.gate, id.ordinal)])?;
            if let Some(row) = rows.next()? {
                found.push(self.delivery_in(row)?);
            }
        }
        Ok(found)
    }

    pub(super) fn ordinal(&self, gate: GateNo, who: &StakeholderId) -> Res<Option<u32>> {
        let sql = "SELECT min(id) FROM roll WHERE part = ?1 AND who = ?2";
        let id: Option<i64> =
            self.one(sql, params![part(self.scope, gate), who.as_str()], |row| Ok(row.get(0)?))?.flatten();
        Ok(id.map(|id| delivery_of(id).ordinal))
    }

    pub(super) fn scan(&self, gate: GateNo, from: u32, max: usize) -> Res<Vec<Row>> {
        self.collect(
            deliveries!("", "WHERE d.id BETWEEN ?1 AND ?2 ORDER BY d.id LIMIT ?3"),
            params![key(self.scope, gate, from), key(self.scope, gate, LAST), limit(max)],
            |row| self.delivery_in(row),
        )
    }

    pub(super) fn kept(&self, gate: GateNo, from: u32, max: usize) -> Res<Vec<(u32, Arc<str>)>> {
        self.collect(
            "SELECT id, kept FROM roll WHERE id BETWEEN ?1 AND ?2 AND kept IS NOT NULL ORDER BY id LIMIT ?3",
            params![key(self.scope, gate, from), key(self.scope, gate, LAST), limit(max)],
            |row| Ok((delivery_of(row.get(0)?).ordinal, row.get(1)?)),
        )
    }

    pub(super) fn next_due(&self, now: Moment) -> Res<Option<Moment>> {
        let lanes: Vec<u16> =
            self.collect("SELECT no FROM lane WHERE scope = ?1", [self.scope], |row| number(row, 0))?;
        let mut next: Option<i64> = None;
        let mut earlier = |at: Option<i64>| next = [next, at].into_iter().flatten().min();
        for gate in self.leasable_gates()? {
            let part = part(self.scope, gate);
            for lane in &lanes {
                let sql = "SELECT min(ready_at) FROM delivery INDEXED BY delivery_ready
                           WHERE part = ?1 AND lane = ?2 AND ready_at > ?3";
                let at = self.one(sql, params![part, lane, now.millis()], |row| Ok(row.get(0)?))?;
                earlier(at.flatten());
            }
            let sql = "SELECT min(timer) FROM delivery INDEXED BY delivery_timer
                       WHERE part = ?1 AND timer > ?2";
            earlier(self.one(sql, params![part, now.millis()], |row| Ok(row.get(0)?))?.flatten());
        }
        Ok(next.map(Moment::from_millis))
    }

    pub(super) fn unmatched(&self) -> Res<Vec<Unmatched>> {
        self.collect(
            "SELECT u.identity, u.kind, u.evidence, r.raw FROM unmatched u
             LEFT JOIN receipt r ON r.scope = u.scope AND r.identity = u.identity WHERE u.scope = ?1 ORDER BY u.no",
            [self.scope],
            |row| {
                let evidence = match row.get_ref(2)? {
                    rusqlite::types::ValueRef::Null => None,
                    _ => Some(json(row, 2, "receipt")?),
                };
                let raw: Option<Vec<u8>> = row.get(3)?;
                Ok(Unmatched::new(
                    row.get::<_, String>(0)?,
                    json(row, 1, "receipt")?,
                    evidence,
                    raw.unwrap_or_default(),
                ))
            },
        )
    }

    pub(super) fn seal(&self) -> Res<String> {
        Ok(seal::head(&self.connection, self.scope)?.map_or_else(|| self.genesis.clone(), |(_, hash)| hash))
    }
}
