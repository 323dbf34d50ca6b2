//! Where the files that a plan names come from: texts and member lists.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Component, Path, PathBuf};

/// Opens the text and member files that a plan names. Paths are relative to the plan.
pub trait Sources: fmt::Debug + Send + Sync {
    /// Opens one file for reading from its beginning.
    ///
    /// # Errors
    /// What the system says; [`io::ErrorKind::NotFound`] where there is no such file, [`io::ErrorKind::PermissionDenied`] where the path
    /// leads out of what this source may show.
    fn open(&self, path: &str) -> io::Result<Box<dyn Read + Send>>;
}

/// The files below the directory in which the plan lies.
///
/// Absolute paths, paths that climb out by `..`, and links that lead out are refused, so that a plan from elsewhere cannot read what it
/// was not given.
#[derive(Clone, Debug)]
pub struct PlanDir {
    root: PathBuf,
}

impl PlanDir {
    /// The files below this directory.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        let root: PathBuf = root.into();
        Self { root: if root.as_os_str().is_empty() { PathBuf::from(".") } else { root } }
    }

    /// The files beside this plan.
    #[must_use]
    pub fn beside(plan: &Path) -> Self {
        Self::new(plan.parent().unwrap_or_else(|| Path::new(".")))
    }
}

fn leads_out() -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, "the path leads out of the plan's directory")
}

impl Sources for PlanDir {
    fn open(&self, path: &str) -> io::Result<Box<dyn Read + Send>> {
        let mut depth = 0_usize;
        for part in Path::new(path).components() {
            match part {
                Component::Normal(_) => depth += 1,
                Component::CurDir => {}
                Component::ParentDir => depth = depth.checked_sub(1).ok_or_else(leads_out)?,
                Component::RootDir | Component::Prefix(_) => return Err(leads_out()),
            }
        }
        let found = self.root.join(path).canonicalize()?;
        if !found.starts_with(self.root.canonicalize()?) {
            return Err(leads_out());
        }
        let file = File::open(&found)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
        }
        Ok(Box::new(file))
    }
}

/// Files that are held in memory: for plans that come from elsewhere than a directory, and for tests.
#[derive(Clone, Default)]
pub struct HeldFiles {
    files: BTreeMap<String, Vec<u8>>,
}

impl HeldFiles {
    /// No files.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With this file.
    #[must_use]
    pub fn file(mut self, path: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path.into(), content.into());
        self
    }
}

impl From<BTreeMap<String, Vec<u8>>> for HeldFiles {
    fn from(files: BTreeMap<String, Vec<u8>>) -> Self {
        Self { files }
    }
}

impl Sources for HeldFiles {
    fn open(&self, path: &str) -> io::Result<Box<dyn Read + Send>> {
        match self.files.get(path) {
            Some(content) => Ok(Box::new(Cursor::new(content.clone()))),
            None => Err(io::Error::new(io::ErrorKind::NotFound, "there is no such file")),
        }
    }
}

impl fmt::Debug for HeldFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.files.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(sources: &dyn Sources, path: &str) -> io::Result<String> {
        let mut text = String::new();
        sources.open(path)?.read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn a_plan_reads_below_its_directory_and_nowhere_else() {
        let above = tempfile::tempdir().unwrap();
        let root = above.path().join("plan");
        std::fs::create_dir_all(root.join("members")).unwrap();
        std::fs::write(root.join("members/a.csv"), "in").unwrap();
        std::fs::write(above.path().join("secret"), "out").unwrap();
        let sources = PlanDir::beside(&root.join("plan.yaml"));
        assert_eq!(read(&sources, "members/a.csv").unwrap(), "in");
        assert_eq!(read(&sources, "members/../members/./a.csv").unwrap(), "in");
        let absolute = root.join("members/a.csv");
        for out in ["../secret", "members/../../secret", absolute.to_str().unwrap(), "../plan/members/a.csv"] {
            assert_eq!(read(&sources, out).unwrap_err().kind(), io::ErrorKind::PermissionDenied, "{out}");
        }
        assert_eq!(read(&sources, "members/b.csv").unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(read(&sources, "members").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_does_not_lead_out_of_the_directory() {
        let above = tempfile::tempdir().unwrap();
        let root = above.path().join("plan");
        std::fs::create_dir(&root).unwrap();
        std::fs::write(above.path().join("secret"), "out").unwrap();
        std::fs::write(root.join("real"), "in").unwrap();
        std::os::unix::fs::symlink(above.path().join("secret"), root.join("out")).unwrap();
        std::os::unix::fs::symlink(root.join("real"), root.join("within")).unwrap();
        let sources = PlanDir::new(&root);
        assert_eq!(read(&sources, "out").unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        assert_eq!(read(&sources, "within").unwrap(), "in");
    }
}
