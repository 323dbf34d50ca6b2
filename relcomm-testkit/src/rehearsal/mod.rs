//! Rehearsals: a plan is played in virtual time before the day, against far sides and people that a script makes up.
//!
//! A rehearsal drives the public [`Dispatcher`](relcomm_core::dispatch::Dispatcher) with clock, journal and channels replaced; there is
//! no second engine. No socket is opened, nobody waits, and two runs give the same bytes.
//!
//! ```
//! use relcomm_core::plan::HeldFiles;
//! use relcomm_testkit::rehearsal::Rehearsal;
//!
//! let plan = b"
//! plan: 1
//! zone: UTC
//! release: { product: Demo, version: 1.0.0, what: [Sharing], why: Asked for., how: Open it. }
//! responsible: Ada <ada@demo.example>
//! groups: { customers: { members: customers.csv, via: email } }
//! communiques: { live: { to: customers } }
//! ";
//! let script = b"
//! rehearsal: 1
//! name: one customer cannot be reached
//! clock: 2027-03-02T09:00Z
//! members: { customers: { count: 500 } }
//! answers: [{ to: customers-7, answer: refused }]
//! timeline: [{ at: 10:00, declare: { outcome: success, by: ada } }]
//! expect: [{ totals: { informed: 499, not_informed: 1 }, exit: 4 }]
//! ";
//! let all = Rehearsal::read("script.yaml", script).unwrap();
//! let performance = all[0].perform("plan.yaml", plan, &HeldFiles::new()).unwrap();
//! assert!(performance.held(), "{performance}");
//! ```
//!
//! In a unit test of a plan the same is said in Rust, with [`rehearse`].
//!
#![doc = include_str!("LANGUAGE.md")]

mod elapsed;
mod value;
mod script;
mod document;
mod expectation;
mod members;
mod recipient;
mod answer;
mod far_side;
mod channels;
mod stage;
mod happy;
mod parts;
mod timeline;
mod fields;
mod judge;
mod scene;
mod play;
mod act;
mod staging;

pub use expectation::fits;
pub use staging::{Answer, Judged, Staging, rehearse, rehearse_text};
pub use timeline::Line;

use document::Document;
use play::{Play, Unplayable};
use relcomm_core::plan::source::{Format, Source};
use relcomm_core::plan::{Finding, Position, Settings, Sources, json_schema_of};
use relcomm_core::report::Report;
use script::Script;
use serde::Serialize;
use std::fmt;

/// One rehearsal: what happens, and what is expected.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    document: Document,
    settings: Settings,
}

impl Rehearsal {
    /// Reads a script: one rehearsal for each document of the file.
    ///
    /// # Errors
    /// Findings about its form, each with its position: syntax, unknown keys, values of the wrong kind, a rehearsal that is `like` none.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Vec<Self>, Vec<Finding>> {
        Ok(Document::read(file, bytes)?
            .into_iter()
            .map(|document| Self { document, settings: Settings::default() })
            .collect())
    }

    /// Everybody answers and acknowledges, every approval is given, and the release succeeds at every place.
    #[must_use]
    pub fn happy_path() -> Self {
        let script = Script { rehearsal: 1, name: "the happy path".to_owned(), ..Script::default() };
        Self { document: Document::of(script), settings: Settings::default() }
    }

    /// With these values for the plan's parameters; those of the script win.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// What is rehearsed.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.document.script.name
    }

    /// The plan that the script names, relative to it.
    #[must_use]
    pub fn plan(&self) -> Option<&str> {
        self.document.script.plan.as_deref()
    }

    /// Plays it with this plan, whose files come from `sources`.
    ///
    /// # Errors
    /// [`Unperformed`]: the script speaks of what the plan has not, the plan is not valid, or the engine fails.
    pub fn perform(&self, file: &str, plan: &[u8], sources: &dyn Sources) -> Result<Performance, Unperformed> {
        let plan = Source::parse(file, plan, Format::of(file)).map_err(|f| Unperformed::Plan(vec![*f]))?;
        let played = Play::new(&self.document, &self.settings, plan, sources)?.play()?;
        Ok(Performance {
            name: self.document.script.name.clone(),
            timeline: played.timeline,
            checks: played.checks,
            exit: played.exit,
            findings: played.findings,
            report: played.report,
        })
    }
}

/// The JSON Schema (2020-12) of a script's documents: every key with its meaning.
#[must_use]
pub fn script_schema() -> serde_json::Value {
    json_schema_of::<Script>("https://relcomm.example/rehearsal.v1.json", "Rehearsal of a release communications plan")
}

/// Why a rehearsal cannot be performed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unperformed {
    /// The script speaks of what there is not.
    #[error("the script is not valid")]
    Script(Vec<Finding>),
    /// The plan is not valid.
    #[error("the plan is not valid")]
    Plan(Vec<Finding>),
    /// The engine failed, which it must not.
    #[error("the engine failed: {0}")]
    Engine(String),
}

impl From<Unplayable> for Unperformed {
    fn from(why: Unplayable) -> Self {
        match why {
            Unplayable::Script(findings) => Self::Script(findings),
            Unplayable::Plan(findings) => Self::Plan(findings),
            Unplayable::Engine(why) => Self::Engine(why),
        }
    }
}

/// What a rehearsal came to. `Display` gives the timeline, and each expectation that did not hold.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Performance {
    /// What was rehearsed.
    pub name: String,
    /// What happened.
    pub timeline: Vec<Line>,
    /// Whether what was expected is true, in the order of time.
    pub checks: Vec<Check>,
    /// The exit code of `dispatch` at the end; 2 where the plan was not valid.
    pub exit: u8,
    /// What validation and preparation found.
    #[serde(skip)]
    pub findings: Vec<Finding>,
    /// The report at the end; none where the plan was not valid.
    pub report: Option<Report>,
}

impl Performance {
    /// Whether everything that was expected is true.
    #[must_use]
    pub fn held(&self) -> bool {
        self.checks.iter().all(Check::held)
    }

    /// The expectations that did not hold, in the order of time: the first is where it diverged.
    pub fn diverged(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| !check.held())
    }
}

impl fmt::Display for Performance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.name)?;
        self.timeline.iter().try_for_each(|line| writeln!(f, "  {line}"))?;
        if let Some(report) = &self.report {
            let t = &report.totals;
            write!(f, "  exit {}: {} people, {} informed, ", self.exit, t.people, t.informed)?;
            writeln!(f, "{} not informed, {} unconfirmed, {} exempt", t.not_informed, t.unconfirmed, t.exempt)?;
        }
        self.diverged().try_for_each(|check| writeln!(f, "{check}"))?;
        if self.checks.is_empty() {
            return Ok(());
        }
        let held = self.checks.iter().filter(|check| check.held()).count();
        writeln!(f, "  {held} of {} expectations hold", self.checks.len())
    }
}

/// One expectation, judged.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Check {
    /// Where it stands in the script.
    #[serde(serialize_with = "place")]
    pub at: Position,
    /// What is otherwise than expected; nothing, if it holds.
    pub failed: Vec<String>,
}

fn place<S: serde::Serializer>(at: &Position, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&format_args!("{}:{}:{}", at.file, at.line, at.column))
}

impl Check {
    fn new(source: &Source, path: &str, failed: Vec<String>) -> Self {
        Self { at: source.at(path), failed }
    }

    /// Whether it holds.
    #[must_use]
    pub fn held(&self) -> bool {
        self.failed.is_empty()
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.at.file, self.at.line, self.at.source.trim())?;
        self.failed.iter().try_for_each(|why| write!(f, "\n  {why}"))
    }
}
