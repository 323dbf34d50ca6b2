//! Where the journal is, and opening it.

use crate::Failure;
use relcomm_core::clock::Clock;
use relcomm_core::journal::{Create, Mode, Scope, SqliteJournal, SqliteOptions};
use relcomm_core::prepare::PreparedPlan;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The path of a journal's URL: `file:PATH`.
///
/// # Errors
/// Another kind of URL.
pub fn path_of(url: &str) -> Result<PathBuf, Failure> {
    match url.strip_prefix("file:") {
        Some(path) if !path.is_empty() => Ok(PathBuf::from(path)),
        _ => Err(Failure::Tool(format!("`{url}` is no journal: give file:PATH"))),
    }
}

/// Opens the record of a plan and version.
///
/// # Errors
/// There is none and none was asked for; it was made in the other mode; it cannot be read.
pub fn open(
    path: &Path,
    prepared: &PreparedPlan,
    mode: Mode,
    clock: Arc<dyn Clock>,
    create: Create,
) -> Result<SqliteJournal, Failure> {
    let scope = Scope::new(prepared.plan().id().clone(), &prepared.plan().release().version, mode);
    if create == Create::IfMissing
        && let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty())
    {
        std::fs::create_dir_all(parent).map_err(|e| Failure::Tool(format!("{}: {e}", parent.display())))?;
    }
    Ok(SqliteJournal::open(path, scope, clock, SqliteOptions::new(create))?)
}
