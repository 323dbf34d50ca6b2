//! Where what a plan names comes from: files of texts and members, directories of the host's, secrets.

use super::directory::{Condition, Directory, Predicate};
use super::draft::SecretRef;
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Component, Path, PathBuf};

/// Gives what a plan names and does not hold: text and member files, directories, secrets.
///
/// Only files are needed: without more, a plan that names a directory or a secret is refused with a finding that says so.
/// [`Hosted`] adds both to any files.
pub trait Sources: fmt::Debug + Send + Sync {
    /// Opens one file for reading from its beginning. Paths are relative to the plan.
    ///
    /// # Errors
    /// What the system says; [`io::ErrorKind::NotFound`] where there is no such file, [`io::ErrorKind::PermissionDenied`] where the path
    /// leads out of what this source may show.
    fn open(&self, path: &str) -> io::Result<Box<dyn Read + Send>>;

    /// How findings name the file of that path, so that people and their tools find it. By default as the plan does.
    fn name(&self, path: &str) -> String {
        path.to_owned()
    }

    /// The directory of that name; `None` where there is none.
    fn directory(&self, name: &str) -> Option<&dyn Directory> {
        let _ = name;
        None
    }

    /// The predicate of that name; `None` where there is none.
    fn predicate(&self, name: &str) -> Option<&dyn Predicate> {
        let _ = name;
        None
    }

    /// The condition of that name; `None` where there is none.
    fn condition(&self, name: &str) -> Option<&dyn Condition> {
        let _ = name;
        None
    }

    /// Reads a secret. relcomm keeps it only as long as ids are derived with it.
    ///
    /// # Errors
    /// Why there is none, in words that do not repeat it: they are printed.
    fn secret(&self, at: &SecretRef) -> io::Result<SecretString> {
        let _ = at;
        Err(io::Error::new(io::ErrorKind::Unsupported, "no secrets are given here"))
    }
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

    /// From where the plan was named: a plan `releases/plan.yaml` names `members.csv`, and its rows stand in `releases/members.csv`.
    fn name(&self, path: &str) -> String {
        if self.root == Path::new(".") { path.to_owned() } else { self.root.join(path).display().to_string() }
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

/// Files, and what a host gives beside them: directories and predicates by the names, and secrets by the
/// references, that plans use for them.
///
/// What is not given here is asked of the files' own source, so that one may stand over another.
///
/// ```
/// use relcomm_core::id::GroupId;
/// use relcomm_core::plan::draft::SecretRef;
/// use relcomm_core::plan::{Directory, DirectoryError, HeldFiles, Hosted, MemberRecord, PlanDraft};
/// use relcomm_core::validate::{Deployment, standard_rules, validate};
///
/// /// The staff of a company, by department.
/// #[derive(Debug)]
/// struct Staff;
///
/// impl Directory for Staff {
///     fn members(&self, group: &GroupId, give: &mut dyn FnMut(MemberRecord<'_>)) -> Result<(), DirectoryError> {
///         match group.as_str() {
///             "support" => give(MemberRecord::new().name("Ada Osei").address("email", "ada@anvil.example")),
///             _ => return Err(DirectoryError::new("there is no such department")),
///         }
///         Ok(())
///     }
/// }
///
/// const PLAN: &str = "
/// plan: 1
/// release: { product: Anvil, version: 2.0.0, what: Shared folders, why: Teams asked for it., how: Choose Share. }
/// responsible: Ada Osei <ada@anvil.example>
/// groups: { support: { members: { directory: staff, id_key: { env: MEMBER_KEY } } } }
/// communiques: { live: { to: support } }
/// ";
/// # let lines = |all: Vec<relcomm_core::plan::Finding>| all.iter().map(ToString::to_string).collect::<String>();
/// let sources = Hosted::new(HeldFiles::new())
///     .directory("staff", Staff)
///     .secret(SecretRef::Env("MEMBER_KEY".into()), "thirty-two octets out of a vault");
/// let (draft, source) = PlanDraft::read("plan.yaml", PLAN.as_bytes()).map_err(lines)?;
/// let judged = validate(&draft, &source, &sources, &Deployment::unknown(), &standard_rules());
/// let (_, people) = judged.into_plan().map_err(lines)?;
/// assert_eq!(people.len(), 1);
/// # Ok::<(), String>(())
/// ```
#[derive(Debug)]
pub struct Hosted<F> {
    files: F,
    directories: BTreeMap<String, Box<dyn Directory>>,
    predicates: BTreeMap<String, Box<dyn Predicate>>,
    conditions: BTreeMap<String, Box<dyn Condition>>,
    secrets: BTreeMap<SecretRef, SecretString>,
}

impl<F: Sources> Hosted<F> {
    /// These files, and nothing beside them yet.
    #[must_use]
    pub fn new(files: F) -> Self {
        Self {
            files,
            directories: BTreeMap::new(),
            predicates: BTreeMap::new(),
            conditions: BTreeMap::new(),
            secrets: BTreeMap::new(),
        }
    }

    /// With the directory that plans call so.
    #[must_use]
    pub fn directory(mut self, name: impl Into<String>, directory: impl Directory + 'static) -> Self {
        self.directories.insert(name.into(), Box::new(directory));
        self
    }

    /// With the predicate that plans call so.
    #[must_use]
    pub fn predicate(mut self, name: impl Into<String>, predicate: impl Predicate + 'static) -> Self {
        self.predicates.insert(name.into(), Box::new(predicate));
        self
    }

    /// With the condition that plans call so.
    #[must_use]
    pub fn condition(mut self, name: impl Into<String>, condition: impl Condition + 'static) -> Self {
        self.conditions.insert(name.into(), Box::new(condition));
        self
    }

    /// With the secret to which plans refer so, wherever it really comes from.
    #[must_use]
    pub fn secret(mut self, at: SecretRef, secret: impl Into<SecretString>) -> Self {
        self.secrets.insert(at, secret.into());
        self
    }
}

impl<F: Sources> Sources for Hosted<F> {
    fn open(&self, path: &str) -> io::Result<Box<dyn Read + Send>> {
        self.files.open(path)
    }

    fn name(&self, path: &str) -> String {
        self.files.name(path)
    }

    fn directory(&self, name: &str) -> Option<&dyn Directory> {
        self.directories.get(name).map(AsRef::as_ref).or_else(|| self.files.directory(name))
    }

    fn predicate(&self, name: &str) -> Option<&dyn Predicate> {
        self.predicates.get(name).map(AsRef::as_ref).or_else(|| self.files.predicate(name))
    }

    fn condition(&self, name: &str) -> Option<&dyn Condition> {
        self.conditions.get(name).map(AsRef::as_ref).or_else(|| self.files.condition(name))
    }

    fn secret(&self, at: &SecretRef) -> io::Result<SecretString> {
        self.secrets.get(at).map_or_else(|| self.files.secret(at), |secret| Ok(secret.clone()))
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
