//! The bundle as a file: one line of JSON for the plan, one for each stakeholder, one for the groups. Mode 0600 where there are modes.

use super::{Carrier, PreparedPlan};
use crate::course::Digests;
use crate::id::GroupId;
use crate::mechanism::Mechanism;
use crate::plan::{People, Plan};
use crate::stakeholder::Stakeholder;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;

/// Why a file is no bundle.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// It cannot be read or written.
    #[error("the bundle cannot be read or written")]
    Io(#[from] io::Error),
    /// It is not a bundle, or of another format.
    #[error("this is not a bundle of format {FORMAT}")]
    Foreign,
    /// It was changed after it was sealed.
    #[error("the bundle does not agree with its digests: it was changed after it was sealed")]
    Changed,
}

const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Lid {
    relcomm_bundle: u32,
    digests: Digests,
    people: usize,
    plan: Plan,
    carriers: BTreeMap<Mechanism, Carrier>,
}

impl PreparedPlan {
    /// Writes the bundle, in place of an earlier one only when it is complete.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), BundleError> {
        let mut name = path.as_os_str().to_owned();
        name.push(".part");
        let part = Path::new(&name);
        let mut out = BufWriter::new(private(part)?);
        let lid = Lid {
            relcomm_bundle: FORMAT,
            digests: self.digests().clone(),
            people: self.people().len(),
            plan: self.plan().clone(),
            carriers: self.carriers().clone(),
        };
        serde_json::to_writer(&mut out, &lid).map_err(io::Error::from)?;
        out.write_all(b"\n")?;
        for number in 0..u32::try_from(self.people().len()).unwrap_or(u32::MAX) {
            out.write_all(self.people().line(number).unwrap_or_default())?;
            out.write_all(b"\n")?;
        }
        let groups: BTreeMap<&GroupId, &[u32]> = self.people().groups().collect();
        serde_json::to_writer(&mut out, &groups).map_err(io::Error::from)?;
        out.write_all(b"\n")?;
        out.into_inner().map_err(|e| BundleError::Io(e.into_error()))?.sync_all()?;
        std::fs::rename(part, path)?;
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
        let mut lines = BufReader::new(File::open(path)?);
        let mut line = Vec::new();
        let mut next = |line: &mut Vec<u8>| -> Result<(), BundleError> {
            line.clear();
            lines.read_until(b'\n', line)?;
            if line.pop() == Some(b'\n') { Ok(()) } else { Err(BundleError::Foreign) }
        };
        next(&mut line)?;
        if !Self::is_bundle(&line) {
            return Err(BundleError::Foreign);
        }
        let lid: Lid = serde_json::from_slice(&line).map_err(|_| BundleError::Foreign)?;
        if lid.relcomm_bundle != FORMAT {
            return Err(BundleError::Foreign);
        }
        let mut people = People::new();
        for _ in 0..lid.people {
            next(&mut line)?;
            let who: Stakeholder = serde_json::from_slice(&line).map_err(|_| BundleError::Changed)?;
            people.push(&who).map_err(|_| BundleError::Foreign)?;
        }
        next(&mut line)?;
        let groups: BTreeMap<GroupId, Vec<u32>> = serde_json::from_slice(&line).map_err(|_| BundleError::Changed)?;
        for (group, members) in &groups {
            for member in members {
                people.join(group, *member);
            }
        }
        let read = Self::assemble(lid.plan, people, lid.carriers).map_err(|_| BundleError::Changed)?;
        if read.digests() == &lid.digests { Ok(read) } else { Err(BundleError::Changed) }
    }
}

/// A file that only its owner can read: it holds people's addresses.
fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
