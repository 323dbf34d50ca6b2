//! From the file on the command line to a plan or a bundle.

use crate::Failure;
use crate::arguments::Common;
use relcomm_core::channel::ChannelSet;
use relcomm_core::plan::{Finding, PlanDir, PlanDraft, Settings};
use relcomm_core::prepare::{PreparedPlan, prepare};
use relcomm_core::validate::{Deployment, Validation, standard_rules, validate};

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
    let path = &common.plan;
    let bytes = std::fs::read(path).map_err(|e| Failure::Tool(format!("{}: {e}", path.display())))?;
    if PreparedPlan::is_bundle(&bytes) {
        let bundle = PreparedPlan::read(path).map_err(|e| Failure::Invalid(format!("{}: {e}", path.display())))?;
        return Ok(Loaded::Bundle(bundle));
    }
    let name = path.display().to_string();
    let (draft, source) = PlanDraft::read_with(&name, &bytes, &settings(common)?).map_err(Failure::Findings)?;
    let sources = PlanDir::beside(path);
    Ok(Loaded::Plan(Box::new(validate(&draft, &source, &sources, facts, &standard_rules()))))
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
