//! From the file on the command line to a plan or a bundle.

use crate::Failure;
use crate::arguments::Common;
use relcomm_core::channel::ChannelSet;
use relcomm_core::plan::draft::SecretRef;
use relcomm_core::plan::source::Format;
use relcomm_core::plan::{Finding, PlanDir, PlanDraft, Settings, Source, Sources};
use relcomm_core::prepare::{PreparedPlan, prepare};
use relcomm_core::validate::{Deployment, Rule, Unchanged, Validation, standard_rules, validate};
use secrecy::SecretString;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// What the file on the command line holds.
#[derive(Debug)]
pub enum Loaded {
    /// A plan, judged.
    Plan(Box<Judged>),
    /// A bundle.
    Bundle(PreparedPlan),
}

/// A judged plan and its text, for what is found later.
#[derive(Debug)]
pub struct Judged {
    /// The judgement.
    pub validation: Validation,
    source: Source,
    /// Whether its lines may be shown.
    is_shown: bool,
}

/// What a plan names, as the command finds it: files beside the plan, secrets in the environment and in files. It has no directories.
#[derive(Debug)]
pub(crate) struct Beside {
    files: PlanDir,
    root: PathBuf,
}

/// More than any secret is long, and a bound for what is no file of a secret.
const LONGEST_SECRET: u64 = 1 << 16;

impl Beside {
    pub(crate) fn new(plan: &Path) -> Self {
        Self { files: PlanDir::beside(plan), root: plan.parent().map(Path::to_owned).unwrap_or_default() }
    }
}

impl Sources for Beside {
    fn open(&self, path: &str) -> io::Result<Box<dyn Read + Send>> {
        self.files.open(path)
    }

    fn name(&self, path: &str) -> String {
        self.files.name(path)
    }

    /// The file of a secret may lie anywhere, such as below `/run/secrets`: nothing of it is shown. Line ends at its end are dropped.
    fn secret(&self, at: &SecretRef) -> io::Result<SecretString> {
        let text = match at {
            SecretRef::Env(name) => std::env::var_os(name)
                .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "it is not set"))?
                .into_string()
                .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))?,
            SecretRef::File(path) => {
                let mut text = String::new();
                std::fs::File::open(self.root.join(path))?.take(LONGEST_SECRET).read_to_string(&mut text)?;
                text
            }
        };
        Ok(text.trim_end_matches(['\r', '\n']).into())
    }
}

/// The parameters from the command line and the environment.
pub(crate) fn settings(set: &[String]) -> Result<Settings, Failure> {
    let mut settings = Settings::default();
    settings.env = std::env::vars().collect();
    for set in set {
        let Some((name, value)) = set.split_once('=') else {
            return Err(Failure::Tool(format!("--set {set}: give NAME=VALUE")));
        };
        if settings.set.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(Failure::Tool(format!("--set {name}: it is given twice")));
        }
    }
    Ok(settings)
}

/// Reads a plan and judges it, or reads a bundle.
///
/// # Errors
/// The file is missing or cannot be read; what it holds is no plan.
pub fn load(common: &Common, facts: &Deployment) -> Result<Loaded, Failure> {
    match load_with(common, facts, &standard_rules()) {
        Ok(Loaded::Plan(judged)) if speaks_of_an_embargo(&common.plan) => {
            let Judged { validation, source, .. } = *judged;
            let validation = validation.without_excerpts();
            Ok(Loaded::Plan(Box::new(Judged { validation, source, is_shown: false })))
        }
        Err(Failure::Findings(findings)) if speaks_of_an_embargo(&common.plan) => {
            Err(Failure::Findings(findings.into_iter().map(Finding::without_excerpt).collect()))
        }
        loaded => loaded,
    }
}

/// Whether a plan, which may be broken, speaks of an embargo: then only `validate` shows its lines, on a terminal.
pub(crate) fn speaks_of_an_embargo(plan: &Path) -> bool {
    std::fs::read(plan).is_ok_and(|bytes| bytes.windows(7).any(|word| word == b"embargo"))
}

/// As [`load`], judged by these rules.
///
/// # Errors
/// As [`load`].
pub fn load_with(common: &Common, facts: &Deployment, rules: &[Box<dyn Rule>]) -> Result<Loaded, Failure> {
    let path = &common.plan;
    let bytes = match read(path)? {
        File::Bundle(_) if !common.set.is_empty() => {
            return Err(Failure::Tool("--set: what a bundle says was settled when it was prepared".into()));
        }
        File::Bundle(bundle) => return Ok(Loaded::Bundle(bundle)),
        File::Plan(bytes) => bytes,
    };
    let name = path.display().to_string();
    let (draft, source) = PlanDraft::read_with(&name, &bytes, &settings(&common.set)?).map_err(Failure::Findings)?;
    let sources = Beside::new(path);
    let validation = validate(&draft, &source, &sources, facts, rules);
    Ok(Loaded::Plan(Box::new(Judged { validation, source, is_shown: true })))
}

/// A file before its plan is judged.
enum File {
    Bundle(PreparedPlan),
    Plan(Vec<u8>),
}

fn read(path: &Path) -> Result<File, Failure> {
    let bytes = std::fs::read(path).map_err(|e| Failure::Tool(format!("{}: {e}", path.display())))?;
    if !PreparedPlan::is_bundle(&bytes) {
        return Ok(File::Plan(bytes));
    }
    let bundle = PreparedPlan::read(path).map_err(|e| Failure::Invalid(format!("{}: {e}", path.display())))?;
    Ok(File::Bundle(bundle))
}

/// Reads an earlier plan or bundle, with whose texts those of the plan are compared.
///
/// # Errors
/// The file is missing or cannot be read; what it holds cannot be made a plan.
pub fn earlier(common: &Common, old: &Path) -> Result<Unchanged, Failure> {
    let bytes = match read(old)? {
        File::Bundle(bundle) => return Ok(Unchanged::against(bundle.plan())),
        File::Plan(bytes) => bytes,
    };
    let name = old.display().to_string();
    let mut settings = settings(&common.set)?;
    if let Ok(source) = Source::parse(&name, &bytes, Format::of(&name)) {
        // What is set for the plan need not be a parameter of the earlier one.
        settings.set.retain(|name, _| source.get("params").is_some_and(|params| params.get(name).is_some()));
    }
    // No rule judges what is long out.
    let plan = PlanDraft::read_with(&name, &bytes, &settings).ok().and_then(|(draft, source)| {
        validate(&draft, &source, &Beside::new(old), &Deployment::unknown(), &[]).into_plan().ok()
    });
    match plan {
        Some((plan, _)) => Ok(Unchanged::against(&plan)),
        None => Err(Failure::Invalid(format!("{name}: this is no valid plan, `relcomm validate` says why"))),
    }
}

/// Prepares what was loaded; warnings come back with it.
///
/// # Errors
/// Findings, if one of them is an error.
pub fn prepared(loaded: Loaded, channels: &ChannelSet) -> Result<(PreparedPlan, Vec<Finding>), Failure> {
    match loaded {
        Loaded::Bundle(bundle) => Ok((bundle, Vec::new())),
        Loaded::Plan(judged) => {
            let Judged { validation, source, is_shown } = *judged;
            let mut findings: Vec<Finding> = validation.findings().to_vec();
            let (plan, people) = validation.into_plan().map_err(Failure::Findings)?;
            let preparation = prepare(plan, people, channels);
            findings.extend(preparation.findings.into_iter().map(|finding| {
                let at = source.at(&finding.path);
                let found = if finding.path.is_empty() { finding } else { finding.at(at) };
                if is_shown { found } else { found.without_excerpt() }
            }));
            match preparation.prepared {
                Some(prepared) => Ok((prepared, findings)),
                None => Err(Failure::Findings(findings)),
            }
        }
    }
}
