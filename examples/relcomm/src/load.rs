//! From the file on the command line to a plan or a bundle.

use crate::Failure;
use crate::arguments::Common;
use relcomm_core::channel::ChannelSet;
use relcomm_core::plan::source::Format;
use relcomm_core::plan::{Finding, PlanDir, PlanDraft, Settings, Source};
use relcomm_core::prepare::{PreparedPlan, prepare};
use relcomm_core::validate::{Deployment, Rule, Unchanged, Validation, standard_rules, validate};
use std::path::Path;

/// What the file on the command line holds.
#[derive(Debug)]
pub enum Loaded {
    /// A plan, judged.
    Plan(Box<Validation>),
    /// A bundle.
    Bundle(PreparedPlan),
}

/// The parameters from the command line and the environment.
fn settings(common: &Common) -> Result<Settings, Failure> {
    let mut settings = Settings::default();
    settings.env = std::env::vars().collect();
    for set in &common.set {
        let Some((name, value)) = set.split_once('=') else {
            return Err(Failure::Tool(format!("--set {set}: give NAME=VALUE")));
        };
        settings.set.insert(name.to_owned(), value.to_owned());
    }
    Ok(settings)
}

/// Reads a plan and judges it, or reads a bundle.
///
/// # Errors
/// The file is missing or cannot be read; what it holds is no plan.
pub fn load(common: &Common, facts: &Deployment) -> Result<Loaded, Failure> {
    load_with(common, facts, &standard_rules())
}

/// As [`load`], judged by these rules.
///
/// # Errors
/// As [`load`].
pub fn load_with(common: &Common, facts: &Deployment, rules: &[Box<dyn Rule>]) -> Result<Loaded, Failure> {
    let path = &common.plan;
    let bytes = match read(path)? {
        File::Bundle(bundle) => return Ok(Loaded::Bundle(bundle)),
        File::Plan(bytes) => bytes,
    };
    let name = path.display().to_string();
    let (draft, source) = PlanDraft::read_with(&name, &bytes, &settings(common)?).map_err(Failure::Findings)?;
    let sources = PlanDir::beside(path);
    Ok(Loaded::Plan(Box::new(validate(&draft, &source, &sources, facts, rules))))
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
    let mut settings = settings(common)?;
    if let Ok(source) = Source::parse(&name, &bytes, Format::of(&name)) {
        // What is set for the plan need not be a parameter of the earlier one.
        settings.set.retain(|name, _| source.get("params").is_some_and(|params| params.get(name).is_some()));
    }
    // No rule judges what is long out.
    let plan = PlanDraft::read_with(&name, &bytes, &settings).ok().and_then(|(draft, source)| {
        validate(&draft, &source, &PlanDir::beside(old), &Deployment::unknown(), &[]).into_plan().ok()
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
        Loaded::Plan(validation) => {
            let mut findings: Vec<Finding> = validation.findings().to_vec();
            let (plan, people) = validation.into_plan().map_err(Failure::Findings)?;
            let preparation = prepare(plan, people, channels);
            findings.extend(preparation.findings);
            match preparation.prepared {
                Some(prepared) => Ok((prepared, findings)),
                None => Err(Failure::Findings(findings)),
            }
        }
    }
}
