//! A Maildir (<https://cr.yp.to/proto/maildir.html>) as a source of receipts.

use super::dsn::{LARGEST, classify};
use crate::email::address::ReturnPath;
use async_trait::async_trait;
use relcomm_core::channel::{AttemptContext, ChannelError, ErrorKind, ReceiptSource, Received, Retry, Scope};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The mailbox that delivery reports come to.
///
/// What is in `new` is read, oldest first; what is done moves to `cur`, marked as seen. Nothing else is touched and nothing is made.
/// Of a mail over 10 MiB only the first 10 MiB are returned, without receipts.
#[derive(Clone)]
pub struct Maildir {
    directory: PathBuf,
    bases: Vec<ReturnPath>,
}

impl Maildir {
    /// The Maildir at that path, whose reports come to addresses of these bases. Without a base no receipt has a token.
    #[must_use]
    pub fn new(directory: impl AsRef<Path>, bases: impl IntoIterator<Item = ReturnPath>) -> Self {
        Self { directory: directory.as_ref().to_owned(), bases: bases.into_iter().collect() }
    }

    /// File work blocks, so it is done elsewhere; the deadline bounds the wait for it.
    async fn elsewhere<T: Send + 'static>(
        cx: &AttemptContext,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T, ChannelError> {
        let failed = |kind, words: &str| ChannelError::new(kind, words).scope(Scope::Channel).retry(Retry::Backoff);
        match tokio::time::timeout(cx.remaining(), tokio::task::spawn_blocking(work)).await {
            Ok(Ok(Ok(done))) => Ok(done),
            Ok(Ok(Err(error))) => {
                let words = format!("the Maildir cannot be used: {}", error.kind());
                Err(failed(ErrorKind::Configuration, &words))
            }
            Ok(Err(_)) => Err(failed(ErrorKind::Internal, "reading the Maildir ended early")),
            Err(_) => Err(failed(ErrorKind::Timeout, "the Maildir could not be read in time")),
        }
    }
}

#[async_trait]
impl ReceiptSource for Maildir {
    async fn batch(&self, cx: &AttemptContext, max: usize) -> Result<Vec<Received>, ChannelError> {
        let own = self.clone();
        Self::elsewhere(cx, move || own.read(max)).await
    }

    async fn done(&self, cx: &AttemptContext, ids: &[String]) -> Result<(), ChannelError> {
        let (directory, ids) = (self.directory.clone(), ids.to_vec());
        Self::elsewhere(cx, move || ids.iter().try_for_each(|id| seen(&directory, id))).await
    }
}

impl Maildir {
    fn read(&self, max: usize) -> io::Result<Vec<Received>> {
        let new = self.directory.join("new");
        let mut names = Vec::new();
        for entry in fs::read_dir(&new)? {
            let entry = entry?;
            // A name that is not UTF-8 was made by no mail system, and a link may lead anywhere.
            if let Ok(name) = entry.file_name().into_string()
                && is_name(&name)
                && entry.file_type().is_ok_and(|kind| kind.is_file())
            {
                names.push(name);
            }
        }
        // Names begin with the seconds of arrival; those that do not come last.
        names.sort_by_cached_key(|name| {
            let digits: String = name.chars().take_while(char::is_ascii_digit).collect();
            (digits.parse().unwrap_or(u64::MAX), name.clone())
        });
        let mut received = Vec::new();
        for name in names {
            if received.len() >= max {
                break;
            }
            match start_of(&new.join(&name)) {
                Ok(raw) => received.push(Received::new(name, classify(&raw, &self.bases), raw)),
                // Another reader was faster.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                // One that cannot be read does not hide the others; it stays where it is.
                Err(error) => tracing::warn!(error = %error.kind(), "a mail of the Maildir cannot be read"),
            }
        }
        Ok(received)
    }
}

fn start_of(file: &Path) -> io::Result<Vec<u8>> {
    let mut raw = Vec::new();
    let file = File::open(file)?;
    // One octet more than is looked into, so that what is cut off is also seen to be too large.
    file.take(LARGEST as u64 + 1).read_to_end(&mut raw)?;
    Ok(raw)
}

/// Moves a mail from `new` to `cur`, marked as seen. One that is gone is done.
fn seen(directory: &Path, name: &str) -> io::Result<()> {
    if !is_name(name) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let stem = name.split(':').next().unwrap_or(name);
    let moved = fs::rename(directory.join("new").join(name), directory.join("cur").join(format!("{stem}:2,S")));
    match moved {
        Err(error) if error.kind() == io::ErrorKind::NotFound && directory.join("cur").is_dir() => Ok(()),
        moved => moved,
    }
}

/// Whether it names a mail directly within a folder.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0'])
}

impl fmt::Debug for Maildir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Maildir").field("bases", &self.bases).finish_non_exhaustive()
    }
}
