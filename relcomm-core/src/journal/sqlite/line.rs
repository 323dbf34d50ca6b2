//! Lines: what is written alike at once is stored once, and counts as many entries.
//!
//! A hundred deliveries that are leased together, or land together and alike, are one line with a hundred ordinals.

use super::codec::{Res, corrupt, json, number, optional, to_json, to_sql};
use super::schema::entry_key;
use super::store::Store;
use crate::clock::Moment;
use crate::course::{DeliveryFact, Facts};
use crate::id::{DeliveryId, GateNo, LaneNo};
use crate::journal::{Entry, Fact, Note, Subject};
use rusqlite::params;
use std::sync::Arc;

/// The line that is being gathered: the same facts about deliveries of one gate, in the order in which they were written.
pub(super) struct Gathered {
    seq: u64,
    at: Moment,
    gate: GateNo,
    facts: Facts<DeliveryFact>,
    ordinals: Vec<u32>,
}

/// The note that is being gathered: it lies beside `count` entries from `seq` on, `step` apart.
pub(super) struct Noted {
    seq: u64,
    step: u64,
    count: u64,
    note: Arc<Note>,
}

/// A line as it is stored and sealed.
pub(super) struct Line<'a> {
    pub(super) seq: u64,
    pub(super) at: i64,
    pub(super) kind: &'a str,
    pub(super) gate: Option<u32>,
    pub(super) ordinals: Option<&'a str>,
    pub(super) lane: Option<u16>,
    pub(super) facts: &'a str,
}

impl Store {
    /// Writes the facts of a delivery and returns the number of the first entry.
    pub(super) fn enter_delivery(&mut self, at: Moment, id: DeliveryId, facts: &[DeliveryFact]) -> Res<Option<u64>> {
        if facts.is_empty() {
            return Ok(None);
        }
        let seq = self.block()?.take(facts.len());
        if let Some(line) = &mut self.gathered
            && (line.at, line.gate, line.facts.as_slice()) == (at, id.gate, facts)
        {
            line.ordinals.push(id.ordinal);
            return Ok(Some(seq));
        }
        self.write_gathered()?;
        let ordinals = vec![id.ordinal];
        self.gathered = Some(Gathered { seq, at, gate: id.gate, facts: facts.into(), ordinals });
        Ok(Some(seq))
    }

    /// Writes facts about anything but a delivery and returns the number of the first entry.
    pub(super) fn enter_facts(&mut self, at: Moment, subject: Subject, facts: &[Fact]) -> Res<Option<u64>> {
        if facts.is_empty() {
            return Ok(None);
        }
        self.write_gathered()?;
        let (kind, gate, _, lane) = columns(subject);
        let seq = self.block()?.take(facts.len());
        let facts = to_json(&facts)?;
        self.write_line(&Line { seq, at: at.millis(), kind, gate, ordinals: None, lane, facts: &facts })?;
        Ok(Some(seq))
    }

    /// Writes what was gathered: before anything else is entered, and at the end of each command.
    pub(super) fn write_gathered(&mut self) -> Res<()> {
        if let Some(line) = self.gathered.take() {
            let facts: Vec<Fact> = line.facts.iter().copied().map(Fact::Delivery).collect();
            self.write_line(&Line {
                seq: line.seq,
                at: line.at.millis(),
                kind: "delivery",
                gate: Some(line.gate.0),
                ordinals: Some(&to_json(&line.ordinals)?),
                lane: None,
                facts: &to_json(&facts)?,
            })?;
        }
        if let Some(noted) = self.noted.take() {
            self.write_note(&noted)?;
        }
        Ok(())
    }

    fn write_line(&mut self, line: &Line<'_>) -> Res<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO line (id, at, kind, gate, ordinals, lane, facts) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                entry_key(self.scope, line.seq),
                line.at,
                line.kind,
                line.gate,
                line.ordinals,
                line.lane,
                line.facts
            ])?;
        self.block()?.seal(line);
        Ok(())
    }

    /// Lays a note beside an entry. The same note beside entries that follow each other evenly is one row.
    pub(super) fn lay_note(&mut self, seq: u64, note: Arc<Note>) -> Res<()> {
        if let Some(noted) = &mut self.noted
            && noted.note == note
        {
            let step = seq - noted.seq;
            if noted.count == 1 || noted.step.checked_mul(noted.count) == Some(step) {
                noted.step = if noted.count == 1 { step } else { noted.step };
                noted.count += 1;
                return Ok(());
            }
        }
        if let Some(noted) = self.noted.replace(Noted { seq, step: 1, count: 1, note }) {
            self.write_note(&noted)?;
        }
        Ok(())
    }

    fn write_note(&self, noted: &Noted) -> Res<()> {
        let note = &noted.note;
        self.connection
            .prepare_cached(
                "INSERT INTO note (id, step, count, \"by\", proof, text, reference, url, code, text_digest)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute(params![
                entry_key(self.scope, noted.seq),
                to_sql(noted.step),
                to_sql(noted.count),
                note.by,
                note.proof,
                note.text,
                note.reference,
                note.url,
                note.code,
                note.text_digest,
            ])?;
        Ok(())
    }

    pub(super) fn entries(&self, after: u64, max: usize) -> Res<Vec<Entry>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT seq, at, kind, gate, ordinals, lane, facts FROM line
             WHERE id >= coalesce((SELECT max(id) FROM line WHERE id BETWEEN ?1 AND ?2), ?2) AND id <= ?3 ORDER BY id",
        )?;
        let key = |seq| entry_key(self.scope, seq);
        let mut rows = statement.query([key(0), key(after.saturating_add(1)), key(u64::MAX)])?;
        let mut all = Vec::new();
        while all.len() < max
            && let Some(row) = rows.next()?
        {
            all.extend(entries(row)?.into_iter().filter(|entry| entry.seq > after));
        }
        all.truncate(max);
        Ok(all)
    }

    pub(super) fn history(&self, of: Subject) -> Res<Vec<(Entry, Option<Note>)>> {
        let (kind, gate, ordinal, lane) = columns(of);
        let (mut of_head, mut of_other);
        let (first, last) = (entry_key(self.scope, 0), entry_key(self.scope, u64::MAX));
        let mut rows = if of == Subject::Head {
            // By name, so that the index of these lines serves.
            of_head = self.connection.prepare_cached(
                "SELECT seq, at, kind, gate, ordinals, lane, facts FROM line
                 WHERE kind = 'head' AND id BETWEEN ?1 AND ?2 ORDER BY id",
            )?;
            of_head.query([first, last])?
        } else {
            of_other = self.connection.prepare_cached(
                "SELECT seq, at, kind, gate, ordinals, lane, facts FROM line
                 WHERE id BETWEEN ?1 AND ?2 AND kind = ?3 AND gate IS ?4 AND lane IS ?5
                 AND (?6 IS NULL OR EXISTS (SELECT 1 FROM json_each(ordinals) WHERE value = ?6)) ORDER BY id",
            )?;
            of_other.query(params![first, last, kind, gate, lane, ordinal])?
        };
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            for entry in entries(row)?.into_iter().filter(|entry| entry.subject == of) {
                let beside = self.notes(entry.seq - 1, entry.seq)?.pop().map(|(_, note)| note);
                found.push((entry, beside));
            }
        }
        Ok(found)
    }

    pub(super) fn notes(&self, after: u64, up_to: u64) -> Res<Vec<(u64, Note)>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT seq, step, count, \"by\", proof, text, reference, url, code, text_digest FROM note
             WHERE id >= coalesce((SELECT max(id) FROM note WHERE id BETWEEN ?1 AND ?2), ?2) AND id <= ?3 ORDER BY id",
        )?;
        let key = |seq| entry_key(self.scope, seq);
        let mut rows = statement.query([key(0), key(after.saturating_add(1)), key(up_to)])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            let (seq, step, count): (u64, u64, u64) = (number(row, 0)?, number(row, 1)?, number(row, 2)?);
            let note = Note {
                by: row.get(3)?,
                proof: row.get(4)?,
                text: row.get(5)?,
                reference: row.get(6)?,
                url: row.get(7)?,
                code: row.get(8)?,
                text_digest: row.get(9)?,
            };
            let beside =
                (0..count).map_while(|n| seq.checked_add(n.checked_mul(step)?)).take_while(|seq| *seq <= up_to);
            all.extend(beside.filter(|seq| *seq > after).map(|seq| (seq, note.clone())));
        }
        Ok(all)
    }
}

/// The columns of a subject: kind, gate, ordinal, lane.
fn columns(subject: Subject) -> (&'static str, Option<u32>, Option<u32>, Option<u16>) {
    match subject {
        Subject::Head => ("head", None, None, None),
        Subject::Gate(gate) => ("gate", Some(gate.0), None, None),
        Subject::Lane(lane) => ("lane", None, None, Some(lane.0)),
        Subject::Delivery(id) => ("delivery", Some(id.gate.0), Some(id.ordinal), None),
    }
}

/// The entries of a line. Columns: seq, at, kind, gate, ordinals, lane, facts.
fn entries(row: &rusqlite::Row<'_>) -> Res<Vec<Entry>> {
    let (gate, lane) = (optional(row, 3)?.map(GateNo), optional(row, 5)?.map(LaneNo));
    let ordinals = match row.get_ref(4)? {
        rusqlite::types::ValueRef::Null => None,
        _ => Some(json::<Vec<u32>>(row, 4, "line")?),
    };
    let subjects = match (row.get_ref(2)?.as_str()?, gate, ordinals, lane) {
        ("head", None, None, None) => vec![Subject::Head],
        ("gate", Some(gate), None, None) => vec![Subject::Gate(gate)],
        ("lane", None, None, Some(lane)) => vec![Subject::Lane(lane)],
        ("delivery", Some(gate), Some(ordinals), None) => {
            ordinals.into_iter().map(|ordinal| Subject::Delivery(DeliveryId { gate, ordinal })).collect()
        }
        _ => return Err(corrupt("what is stored of an entry cannot be read")),
    };
    let at = Moment::from_millis(row.get(1)?);
    let facts: Vec<Fact> = json(row, 6, "fact")?;
    let each = subjects.iter().flat_map(|subject| facts.iter().map(move |fact| (*subject, fact.clone())));
    let all = (number::<u64>(row, 0)?..).zip(each);
    Ok(all.map(|(seq, (subject, fact))| Entry::new(seq, at, subject, fact)).collect())
}
