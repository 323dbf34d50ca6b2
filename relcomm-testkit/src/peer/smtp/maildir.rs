//! Delivery into a Maildir (<https://cr.yp.to/proto/maildir.html>).

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Writes into `tmp` and renames into `new`, so that a reader never sees half a file.
pub(super) fn deliver(directory: &Path, host: &str, bytes: &[u8]) -> io::Result<()> {
    static SERIAL: AtomicU64 = AtomicU64::new(1);
    for folder in ["tmp", "new", "cur"] {
        fs::create_dir_all(directory.join(folder))?;
    }
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let name = format!("{}.M{}P{}Q{serial}.{host}", since.as_secs(), since.subsec_micros(), process::id());
    let unfinished = directory.join("tmp").join(&name);
    let mut file = File::create_new(&unfinished)?;
    file.write_all(bytes)?;
    drop(file);
    fs::rename(unfinished, directory.join("new").join(name))
}
