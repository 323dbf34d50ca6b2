//! Validation: everything that can be known to be wrong with a plan before anything is rendered or sent.
//!
//! [`validate`] resolves a draft into a candidate plan, judges it by the given [`Rule`]s, and returns all findings at once. Hosts add
//! rules of their own:
//!
//! ```
//! use relcomm_core::plan::{Finding, Findings};
//! use relcomm_core::validate::{Rule, Subject};
//!
//! /// In this house every group is owned by a person.
//! #[derive(Debug)]
//! struct OwnerIsNamed;
//!
//! impl Rule for OwnerIsNamed {
//!     fn codes(&self) -> &'static [&'static str] {
//!         &["ACME001"]
//!     }
//!     fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
//!         for group in cx.plan().groups().iter().filter(|group| group.owner == "nobody") {
//!             out.push(Finding::error("ACME001", format!("groups.{}", group.id), "a group is owned by somebody"));
//!         }
//!     }
//! }
//! ```

mod address;
mod audience;
mod catalogue;
mod deployment;
mod placeholder;
mod rules;
mod subject;
mod vocabulary;
mod written;

pub use catalogue::{Explanation, catalogue, explain};
pub use deployment::{ChannelFacts, Deployment};
pub use rules::{Unchanged, standard_rules};
pub use subject::Subject;
pub(crate) use vocabulary::STATED_BY_DEFAULT;
pub use vocabulary::{Below, NAMESPACES, Namespace, identifier};

use crate::plan::{Finding, Findings, People, Plan, PlanDraft, Severity, Source, Sources, resolve};
use std::fmt;

/// One check of a plan. Object-safe; hosts give theirs beside the [`standard_rules`].
///
/// A rule never sends, opens no connection and reads no clock: what it needs to know of the world stands in the [`Deployment`].
pub trait Rule: fmt::Debug + Send + Sync {
    /// The codes of the findings that it may make. Those of hosts do not begin with `RC`.
    fn codes(&self) -> &'static [&'static str];

    /// Judges the plan. A finding without a position is given that of its path.
    fn check(&self, cx: &Subject<'_>, out: &mut Findings);
}

/// What validation came to.
pub struct Validation {
    findings: Vec<Finding>,
    plan: Option<Plan>,
    people: People,
}

impl fmt::Debug for Validation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Findings quote the plan.
        f.debug_struct("Validation")
            .field("findings", &self.findings.len())
            .field("is_valid", &self.is_valid())
            .field("people", &self.people.len())
            .finish_non_exhaustive()
    }
}

impl Validation {
    /// All findings, in the order of their positions: those in the plan first, then those in member data and texts.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Whether the plan is valid: no finding is an error.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.plan.is_some()
    }

    /// The plan, if it is valid.
    #[must_use]
    pub fn plan(&self) -> Option<&Plan> {
        self.plan.as_ref()
    }

    /// The people who were loaded.
    #[must_use]
    pub fn people(&self) -> &People {
        &self.people
    }

    /// Without the lines of the plan and its files that the findings show.
    #[must_use]
    pub fn without_excerpts(mut self) -> Self {
        self.findings = self.findings.into_iter().map(Finding::without_excerpt).collect();
        self
    }

    /// Takes the valid plan and its people.
    ///
    /// # Errors
    /// The findings, if one of them is an error.
    pub fn into_plan(self) -> Result<(Plan, People), Vec<Finding>> {
        match self.plan {
            Some(plan) => Ok((plan, self.people)),
            None => Err(self.findings),
        }
    }
}

/// Judges a draft: resolves it, loads what it names from `sources`, and asks every rule. All findings come at once, up to
/// [`MOST_FINDINGS`](crate::plan::MOST_FINDINGS) errors and warnings.
#[must_use]
pub fn validate(
    draft: &PlanDraft,
    source: &Source,
    sources: &dyn Sources,
    deployment: &Deployment,
    rules: &[Box<dyn Rule>],
) -> Validation {
    let resolved = resolve::resolve(draft, source, sources);
    let mut findings = resolved.findings;
    let subject =
        Subject::new(draft, source, deployment, &resolved.plan, &resolved.people, &resolved.origins, &resolved.texts);
    for rule in rules {
        rule.check(&subject, &mut findings);
    }
    let mut findings = findings.into_vec();
    for finding in &mut findings {
        if finding.at.is_none() {
            finding.at = Some(source.at(&finding.path));
        }
    }
    hide_secrets(&mut findings);
    let own = source.file();
    findings.sort_by(|a, b| place(a, own).cmp(&place(b, own)));
    findings.dedup();
    let valid = findings.iter().all(|finding| finding.severity != Severity::Error);
    Validation { findings, plan: valid.then_some(resolved.plan), people: resolved.people }
}

/// A finding at the line of a secret does not show that line.
fn hide_secrets(findings: &mut [Finding]) {
    let line = |finding: &Finding| finding.at.as_ref().map(|at| (at.file.clone(), at.line));
    let secret: Vec<_> = findings.iter().filter(|finding| finding.code == rules::SECRET).map(line).collect();
    for finding in findings.iter_mut().filter(|finding| secret.contains(&line(finding))) {
        if let Some(at) = &mut finding.at {
            at.source.clear();
        }
    }
}

/// By position, the plan's own file first; the code settles what stands at one place.
fn place<'f>(finding: &'f Finding, own: &str) -> impl Ord + use<'f> {
    let at = finding.at.as_ref().map(|at| (at.file != own, at.file.as_str(), at.line, at.column));
    (at, finding.code, finding.path.as_str())
}
