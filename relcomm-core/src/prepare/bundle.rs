//! The bundle as a file: one line of JSON for the plan and the digests, one with the digest of that line, then the people. Mode 0600 where
//! there are modes.
//!
//! The digest of the people covers their part of the file octet by octet, so that opening it reads everything once and parses nobody.

use super::digest::Whom;
use super::withheld::without_classified;
use super::{Carrier, PreparedPlan};
use crate::course::Digests;
use crate::mechanism::Mechanism;
use crate::plan::{People, Plan};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

/// Why a file is no bundle.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// It cannot be read or written.
    #[error("the bundle cannot be read or written: {}", .0.kind())]
    Io(#[from] io::Error),
    /// It is not a bundle, or of another format.
    #[error("this is not a bundle of format {FORMAT}")]
    Foreign,
    /// A file that is no bundle stands in its place.
    #[error("a file that is no bundle stands there: it is not replaced")]
    Another,
    /// What is classified was left out of it.
    #[error("the bundle was written without what is classified")]
    Withheld,
    /// It was changed after it was sealed.
    #[error("the bundle does not agree with its digests: it was changed after it was sealed")]
    Changed,
}

const FORMAT: u32 = 2;

#[derive(Serialize, Deserialize)]
struct Lid {
    relcomm_bundle: u32,
    digests: Digests,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prepared_by: Option<String>,
    plan: Plan,
    carriers: BTreeMap<Mechanism, Carrier>,
    /// Whether what is classified was left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    withheld: bool,
}

/// What a bundle holds of what is classified.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Classified {
    Withheld,
    Written,
}

/// Whether a file is there that holds anything but a bundle, such as the plan or the journal.
fn is_something_else(path: &Path) -> io::Result<bool> {
    let mut begin = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(64).read_to_end(&mut begin)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    Ok(!begin.is_empty() && !PreparedPlan::is_bundle(&begin))
}

impl PreparedPlan {
    /// Writes the bundle, in place of an earlier one only when it is complete. What the plan's embargo classifies is left out, but for its
    /// digest and length: nothing can be sent from such a bundle, for which the plan itself is wanted.
    ///
    /// # Errors
    /// The file cannot be written, or one that is no bundle stands there.
    pub fn write(&self, path: &Path) -> Result<(), BundleError> {
        self.write_with(path, Classified::Withheld)
    }

    /// Writes the bundle with what is classified: when the embargo is over, or where nobody else can read it.
    ///
    /// # Errors
    /// The file cannot be written; what is classified was left out of the bundle from which this was read ([`BundleError::Withheld`]).
    pub fn write_classified(&self, path: &Path) -> Result<(), BundleError> {
        if self.is_withheld() { Err(BundleError::Withheld) } else { self.write_with(path, Classified::Written) }
    }

    fn write_with(&self, path: &Path, classified: Classified) -> Result<(), BundleError> {
        // A link stays what it is. What is no file, such as a device, is not replaced by one.
        let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if std::fs::metadata(&path).is_ok_and(|there| !there.is_file()) {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists).into());
        }
        if is_something_else(&path)? {
            return Err(BundleError::Another);
        }
        let mut part = path.clone().into_os_string();
        part.push(".part");
        let part = Path::new(&part);
        let written = self.write_part(part, classified);
        if written.is_err() {
            // It is of no use to anybody.
            let _ = std::fs::remove_file(part);
        }
        written?;
        std::fs::rename(part, path)?;
        Ok(())
    }

    fn write_part(&self, part: &Path, classified: Classified) -> Result<(), BundleError> {
        let withheld = self.is_withheld() || classified == Classified::Withheld && self.has_classified();
        let mut out = BufWriter::new(private(part)?);
        let lid = Lid {
            relcomm_bundle: FORMAT,
            digests: self.digests().clone(),
            prepared_by: self.preparer().map(ToOwned::to_owned),
            // What was left out once is not left out of again.
            plan: if withheld && !self.is_withheld() { without_classified(self.plan()) } else { self.plan().clone() },
            carriers: self.carriers().clone(),
            withheld,
        };
        let lid = serde_json::to_vec(&lid).map_err(io::Error::from)?;
        out.write_all(&lid)?;
        out.write_all(b"\n")?;
        out.write_all(seal(&lid).as_bytes())?;
        out.write_all(b"\n")?;
        self.people().stream(&mut |piece| out.write_all(piece))?;
        out.into_inner().map_err(|e| BundleError::Io(e.into_error()))?.sync_all()?;
        Ok(())
    }

    /// Whether a file begins as a bundle does.
    #[must_use]
    pub fn is_bundle(bytes: &[u8]) -> bool {
        bytes.starts_with(b"{\"relcomm_bundle\":")
    }

    /// Reads a bundle and checks it against its digests.
    ///
    /// # Errors
    /// [`BundleError`].
    pub fn read(path: &Path) -> Result<Self, BundleError> {
        let file = File::open(path)?;
        let most = file.metadata()?.len();
        let mut file = BufReader::new(file);
        let mut line = || -> Result<Vec<u8>, BundleError> {
            let mut line = Vec::new();
            file.read_until(b'\n', &mut line)?;
            if line.pop() == Some(b'\n') { Ok(line) } else { Err(BundleError::Foreign) }
        };
        let lid = line()?;
        if !Self::is_bundle(&lid) {
            return Err(BundleError::Foreign);
        }
        let sealed = line()?;
        let Lid { relcomm_bundle, digests, prepared_by, plan, carriers, withheld } =
            serde_json::from_slice(&lid).map_err(|_| BundleError::Foreign)?;
        if relcomm_bundle != FORMAT {
            return Err(BundleError::Foreign);
        }
        if sealed != seal(&lid).as_bytes() {
            return Err(BundleError::Changed);
        }
        let mut file = Hashed { rest: file, whom: Whom::new() };
        let people = match People::read(&mut file, most) {
            Ok(people) => people.ok_or(BundleError::Changed)?,
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Err(BundleError::Changed),
            Err(e) => return Err(e.into()),
        };
        let mut read = Self::assemble(plan, people, file.whom.digest(), carriers).map_err(|_| BundleError::Changed)?;
        read.by = prepared_by.map(Into::into);
        if withheld && read.digests().people == digests.people {
            // What is said cannot be read; its digest is what was approved, and stays.
            return read.without_classified(digests).ok_or(BundleError::Changed);
        }
        if read.digests() == &digests { Ok(read) } else { Err(BundleError::Changed) }
    }
}

/// What is read goes into the digest of the people as it stands: the same said otherwise is a change, too.
struct Hashed<R> {
    rest: R,
    whom: Whom,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let many = self.rest.read(to)?;
        self.whom.update(to.get(..many).unwrap_or_default());
        Ok(many)
    }
}

fn seal(lid: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(lid))
}

/// A file that only its owner can read: it holds people's addresses.
fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
