//! Between rows and values: what cannot be read is a fault that names the place, never the content.

use crate::id::{CommuniqueId, GateId, GateNo, LaneNo, OccurrenceId, PlaceId};
use crate::journal::{GateRow, JournalError, JournalErrorKind, LaneRow, Tally};
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
