//! The plan file up to the draft: formats, positions, times, parameters, schema.

mod draft;
mod errors;
mod hostile;
mod schema;
mod times;

use relcomm_core::plan::{PlanDraft, Settings};

const MEDIUM: &str = include_str!("../data/plans/medium.yaml");
const TINY: &str = include_str!("../data/plans/tiny.yaml");
const S1: &str = include_str!("../data/plans/s1-crate.yaml");
const EVERYTHING: &str = include_str!("../data/plans/everything.yaml");

/// Reads a plan with `TAG=1.10` in the environment; findings as people see them.
fn read(file: &str, text: &str) -> Result<PlanDraft, String> {
    let mut settings = Settings::default();
    settings.env.insert("TAG".into(), "1.10".into());
    PlanDraft::read_with(file, text.as_bytes(), &settings)
        .map(|(draft, _)| draft)
        .map_err(|findings| findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}
