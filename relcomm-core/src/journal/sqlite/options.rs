//! How a journal is opened, and where it lies.

use crate::journal::{JournalError, JournalErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Whether a journal that is not there is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Create {
    /// A missing file, and a missing plan and version in it, are made.
    IfMissing,
    /// They are refused: whoever lost a journal must not tell everyone twice.
    #[default]
    Never,
}

/// How a [`SqliteJournal`](super::SqliteJournal) is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SqliteOptions {
    /// Whether what is missing is made; by default never.
    pub create: Create,
    /// How long to wait while another process writes; by default 10 s.
    pub busy: Duration,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self { create: Create::Never, busy: Duration::from_secs(10) }
    }
}

impl SqliteOptions {
    /// The defaults, with what is missing made or refused.
    #[must_use]
    pub fn new(create: Create) -> Self {
        Self { create, ..Self::default() }
    }

    /// With so long a wait while another process writes.
    #[must_use]
    pub fn busy(mut self, busy: Duration) -> Self {
        self.busy = busy;
        self
    }
}

/// Reads a place that may be a plain path or a `file:` URL (RFC 8089), as an absolute path.
pub(super) fn locate(place: &Path) -> Result<PathBuf, JournalError> {
    let unusable = |message: &str| JournalError::new(JournalErrorKind::Unavailable, message);
    let path = match place.to_str().and_then(|text| text.strip_prefix("file:")) {
        None => place.to_path_buf(),
        Some(rest) => {
            let path = match rest.strip_prefix("//") {
                None => rest,
                Some(rest) => {
                    let (host, _) = rest.split_once('/').ok_or_else(|| unusable("the journal's URL names no file"))?;
                    if !host.is_empty() && !host.eq_ignore_ascii_case("localhost") {
                        return Err(unusable("the journal's URL names another host"));
                    }
                    rest.get(host.len()..).unwrap_or_default()
                }
            };
            if path.contains(['?', '#']) {
                return Err(unusable("the journal's URL has a query or a fragment"));
            }
            PathBuf::from(decode(path).ok_or_else(|| unusable("the journal's URL has a broken escape"))?)
        }
    };
    if path.as_os_str().is_empty() {
        return Err(unusable("the journal's place is empty"));
    }
    // SQLite reads names such as `:memory:` and `file:` its own way, but no absolute path.
    std::path::absolute(path).map_err(|_| unusable("the journal's place cannot be told"))
}

/// Percent-decoding, RFC 3986 section 2.1; `None` for a broken escape or what is not UTF-8 then.
fn decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let pair = [bytes.next()?, bytes.next()?];
                *data_encoding::HEXLOWER_PERMISSIVE.decode(&pair).ok()?.first()?
            }
            byte => byte,
        });
    }
    String::from_utf8(decoded).ok().filter(|path| !path.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_path_or_a_file_url() {
        for (place, path) in [
            ("/tmp/a b.db", "/tmp/a b.db"),
            ("file:/tmp/a%20b.db", "/tmp/a b.db"),
            ("file:///tmp/%C3%A4.db", "/tmp/ä.db"),
            ("file://localhost/tmp/a.db", "/tmp/a.db"),
            ("/tmp/100%.db", "/tmp/100%.db"),
        ] {
            assert_eq!(locate(Path::new(place)).unwrap(), Path::new(path), "{place}");
        }
        let here = std::env::current_dir().unwrap();
        assert_eq!(locate(Path::new("file:a.db")).unwrap(), here.join("a.db"));
        assert_eq!(locate(Path::new(":memory:")).unwrap(), here.join(":memory:"));
        for bad in ["", "file:", "file://host/a", "file://a", "file:/a%2", "file:/a%zz", "file:/a%00b", "file:/a?x=1"] {
            assert!(locate(Path::new(bad)).is_err(), "{bad}");
        }
    }
}
