//! Reading and judging small plans.

use relcomm_core::plan::{Finding, PlanDraft, Severity, Sources};
use relcomm_core::validate::{Deployment, Rule, Validation, standard_rules, validate};

/// A plan without fault, by its parts; each may be replaced.
pub(crate) const HEAD: &str = "plan: 1\nid: p\nzone: UTC\n";
pub(crate) const RELEASE: &str = "release:
  product: Billing
  version: 1.2.3
  what: [{ id: export, text: Faster export }]
  why: People wait for it.
  where: production
  how: Nothing to do.
  when: 2027-05-12T07:00Z
";
pub(crate) const RESPONSIBLE: &str = "responsible: Ada <ada@b.example>\n";
pub(crate) const GROUPS: &str =
    "groups:\n  staff: { owner: ada, email: all@b.example, via: email, informed_when: accepted }\n";
pub(crate) const COMMUNIQUES: &str =
    "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\" }\n";

/// Judges a plan by the standard rules and these of a host's; what is wrong with its form comes as findings too.
pub(crate) fn judge_with(
    text: &str,
    files: &dyn Sources,
    deployment: &Deployment,
    more: Vec<Box<dyn Rule>>,
) -> Result<Validation, Vec<Finding>> {
    let (draft, source) = PlanDraft::read("plan.yaml", text.as_bytes())?;
    let mut rules = standard_rules();
    rules.extend(more);
    Ok(validate(&draft, &source, files, deployment, &rules))
}

/// All findings about a plan.
pub(crate) fn findings(text: &str, files: &dyn Sources, deployment: &Deployment) -> Vec<Finding> {
    judge_with(text, files, deployment, Vec::new())
        .map_or_else(|found| found, |validation| validation.findings().to_vec())
}

pub(crate) fn shown(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("{finding}\n")).collect()
}

/// Whether it weighs more than a note.
pub(crate) fn is_fault(finding: &Finding) -> bool {
    finding.severity > Severity::Note
}
