//! Between rows and values: what cannot be read is a fault that names the place, never the content.

use crate::course::Delivery;
use crate::id::{CommuniqueId, DeliveryId, GateId, GateNo, LaneNo, OccurrenceId, PlaceId, StakeholderId};
use crate::journal::{Entry, GateRow, JournalError, JournalErrorKind, LaneRow, Note, Row, Subject, Tally};
use rusqlite::ErrorCode;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why a command failed.
#[derive(Debug)]
pub(super) enum Fault {
    Sql(rusqlite::Error),
    Journal(JournalError),
}

pub(super) type Res<T> = Result<T, Fault>;

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<JournalError> for Fault {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl From<rusqlite::types::FromSqlError> for Fault {
    fn from(_: rusqlite::types::FromSqlError) -> Self {
        corrupt("a column holds a value of another type")
    }
}

impl Fault {
    pub(super) fn into_error(self) -> JournalError {
        use rusqlite::Error as E;
        match self {
            Self::Journal(error) => error,
            Self::Sql(E::SqliteFailure(cause, _)) => {
                let kind = match cause.code {
                    ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => JournalErrorKind::Corrupt,
                    _ => JournalErrorKind::Unavailable,
                };
                JournalError::new(kind, format!("sqlite: {cause}"))
            }
            Self::Sql(
                E::FromSqlConversionFailure(..)
                | E::IntegralValueOutOfRange(..)
                | E::InvalidColumnType(..)
                | E::QueryReturnedNoRows
                | E::Utf8Error(..),
            ) => JournalError::new(JournalErrorKind::Corrupt, "a row that must be there is missing or cannot be read"),
            Self::Sql(_) => JournalError::new(JournalErrorKind::Unavailable, "sqlite refused a statement"),
        }
    }
}

pub(super) fn corrupt(message: impl Into<String>) -> Fault {
    JournalError::new(JournalErrorKind::Corrupt, message).into()
}

pub(super) fn unavailable(message: impl Into<String>) -> Fault {
    JournalError::new(JournalErrorKind::Unavailable, message).into()
}

pub(super) fn to_json<T: Serialize>(value: &T) -> Res<String> {
    serde_json::to_string(value).map_err(|_| unavailable("a state cannot be written as JSON"))
}

/// SQLite's integers are signed.
pub(super) fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn limit(max: usize) -> i64 {
    i64::try_from(max).unwrap_or(i64::MAX)
}

/// A stored number, in the range of its type.
pub(super) fn number<T: TryFrom<i64>>(row: &rusqlite::Row<'_>, column: usize) -> Res<T> {
    T::try_from(row.get::<_, i64>(column)?).map_err(|_| corrupt("a stored number is out of its range"))
}

pub(super) fn optional<T: TryFrom<i64>>(row: &rusqlite::Row<'_>, column: usize) -> Res<Option<T>> {
    let value: Option<i64> = row.get(column)?;
    value.map(T::try_from).transpose().map_err(|_| corrupt("a stored number is out of its range"))
}

/// A stored state or fact.
pub(super) fn json<T: DeserializeOwned>(row: &rusqlite::Row<'_>, column: usize, of: &str) -> Res<T> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text).map_err(|_| corrupt(format!("what is stored of a {of} cannot be read")))
}

/// Columns: gate, ordinal, version, state, who.
pub(super) fn delivery(row: &rusqlite::Row<'_>) -> Res<Row> {
    let id = DeliveryId { gate: GateNo(number(row, 0)?), ordinal: number(row, 1)? };
    let state: Delivery = json(row, 3, "delivery")?;
    let who = row.get_ref(4)?.as_str_or_null()?.map(StakeholderId::new).transpose();
    let who = who.map_err(|_| corrupt("what is stored of a roll cannot be read"))?;
    Ok(Row::new(id, number(row, 2)?, state, who))
}

/// Columns: no, communique, occurrence, revision, place, version, state, and the ten of the tally.
pub(super) fn gate(row: &rusqlite::Row<'_>) -> Res<GateRow> {
    let unreadable = |_| corrupt("what is stored of a gate cannot be read");
    let id = GateId {
        communique: CommuniqueId::new(row.get_ref(1)?.as_str()?).map_err(unreadable)?,
        occurrence: row.get_ref(2)?.as_str_or_null()?.map(OccurrenceId::new).transpose().map_err(unreadable)?,
        revision: number(row, 3)?,
        place: row.get_ref(4)?.as_str_or_null()?.map(PlaceId::new).transpose().map_err(unreadable)?,
    };
    let mut tally = Tally {
        rows: number(row, 7)?,
        running: number(row, 8)?,
        flying: number(row, 9)?,
        doubt: number(row, 10)?,
        ..Tally::default()
    };
    for (reached, column) in tally.reached.iter_mut().zip(11..) {
        *reached = number(row, column)?;
    }
    Ok(GateRow::new(GateNo(number(row, 0)?), id, number(row, 5)?, json(row, 6, "gate")?, tally))
}

/// Columns: no, name, version, state.
pub(super) fn lane(row: &rusqlite::Row<'_>) -> Res<LaneRow> {
    Ok(LaneRow::new(LaneNo(number(row, 0)?), row.get(1)?, number(row, 2)?, json(row, 3, "lane")?))
}

/// The columns of an entry's subject: kind, gate, ordinal, lane.
pub(super) type SubjectColumns = (&'static str, Option<u32>, Option<u32>, Option<u16>);

pub(super) fn subject_columns(subject: Subject) -> SubjectColumns {
    match subject {
        Subject::Head => ("head", None, None, None),
        Subject::Gate(gate) => ("gate", Some(gate.0), None, None),
        Subject::Lane(lane) => ("lane", None, None, Some(lane.0)),
        Subject::Delivery(id) => ("delivery", Some(id.gate.0), Some(id.ordinal), None),
    }
}

/// Columns: seq, at, kind, gate, ordinal, lane, fact.
pub(super) fn entry(row: &rusqlite::Row<'_>) -> Res<Entry> {
    let (gate, ordinal, lane) = (optional(row, 3)?.map(GateNo), optional(row, 4)?, optional(row, 5)?.map(LaneNo));
    let subject = match (row.get_ref(2)?.as_str()?, gate, ordinal, lane) {
        ("head", None, None, None) => Subject::Head,
        ("gate", Some(gate), None, None) => Subject::Gate(gate),
        ("lane", None, None, Some(lane)) => Subject::Lane(lane),
        ("delivery", Some(gate), Some(ordinal), None) => Subject::Delivery(DeliveryId { gate, ordinal }),
        _ => return Err(corrupt("what is stored of an entry cannot be read")),
    };
    let at = crate::clock::Moment::from_millis(row.get(1)?);
    Ok(Entry::new(number(row, 0)?, at, subject, json(row, 6, "fact")?))
}

/// Columns: seq, by, proof, text, reference, url, code, text_digest.
pub(super) fn note(row: &rusqlite::Row<'_>) -> Res<(u64, Note)> {
    let note = Note {
        by: row.get(1)?,
        proof: row.get(2)?,
        text: row.get(3)?,
        reference: row.get(4)?,
        url: row.get(5)?,
        code: row.get(6)?,
        text_digest: row.get(7)?,
    };
    Ok((number(row, 0)?, note))
}
