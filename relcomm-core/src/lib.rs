//! Release communications as an artifact and a closed loop: who must be told that a release is in production, in which words, by which
//! mechanism, in which order, by whom, and whether they really were told.
//!
//! A plan is written before the release, judged, prepared and approved. When somebody declares that the release succeeded, it is
//! dispatched by its script, and every attempt and every receipt is journaled. The report is computed from the bundle and the journal.
//!
//! ```
//! use relcomm_core::clock::SystemClock;
//! use relcomm_core::journal::{MemoryJournal, Mode, Scope};
//! use relcomm_core::mechanism::Mechanism;
//! use relcomm_core::plan::HeldFiles;
//! use relcomm_core::prepare::prepare;
//! use relcomm_core::report::Verdict;
//! use relcomm_core::validate::{Deployment, standard_rules, validate};
//! use relcomm_core::{ChannelSet, Declaration, Dispatcher, PlanDraft};
//! use relcomm_testkit::channel::ScriptedChannel;
//! use std::sync::Arc;
//!
//! const PLAN: &str = "
//! plan: 1
//! release: { product: Anvil, version: 2.0.0, what: Shared folders, why: Teams asked for it., how: Choose Share. }
//! responsible: Ada Osei <ada@anvil.example>
//! groups: { customers: { members: [{ id: bea, email: bea@anvil.example }] } }
//! communiques: { live: { to: customers } }
//! ";
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let lines = |all: Vec<relcomm_core::plan::Finding>| all.iter().map(ToString::to_string).collect::<String>();
//! // Parse, then judge: all findings come at once, each with code, line and column.
//! let (draft, source) = PlanDraft::read("plan.yaml", PLAN.as_bytes()).map_err(lines)?;
//! let judged = validate(&draft, &source, &HeldFiles::new(), &Deployment::unknown(), &standard_rules());
//! let (plan, people) = judged.into_plan().map_err(lines)?;
//!
//! // Prepare: every text is rendered and measured, and the people are frozen.
//! let mail = ScriptedChannel::new("smtp");
//! let channels = ChannelSet::new().with(Mechanism::new("email")?, mail.clone());
//! let prepared = prepare(plan, people, &channels).prepared.ok_or("the plan cannot be prepared")?;
//!
//! // Declare and dispatch. Nobody is told before somebody has declared.
//! let scope = Scope::new(prepared.plan().id().clone(), "2.0.0", Mode::Sandbox);
//! let journal = MemoryJournal::new(scope, Arc::new(SystemClock::new()));
//! let dispatcher = Dispatcher::new(prepared, channels, journal)?;
//! dispatcher.dispatch(&Declaration::success("ada").proof("pipeline 4711")).await?;
//!
//! assert_eq!(mail.arrived().len(), 1);
//! assert_eq!(dispatcher.report().await?.verdict, Verdict::Informed);
//! # Ok(())
//! # }
//! ```
//!
//! Without a [`Declaration`] there is nothing to call:
//!
//! ```compile_fail,E0061
//! async fn tell(dispatcher: &relcomm_core::Dispatcher) {
//!     let _ = dispatcher.dispatch().await;
//! }
//! ```
//!
//! # The modules, in the order of the route
//!
//! A module uses only modules above it; a test checks that.
//!
//! | module | holds |
//! | --- | --- |
//! | [`id`] | validated ids: the words by which a plan names its parts, the numbers by which the journal does |
//! | [`clock`] | instants, and the one place that reads the wall clock or sets a timer |
//! | [`receipt`] | evidence after an attempt, and how much it proves |
//! | [`mechanism`] | how people are reached; what a channel can do, hold and prove |
//! | [`release`] | what is announced, and the declaration that it went out |
//! | [`communique`] | what is said, to which groups, when, after what, by which steps |
//! | [`stakeholder`] | the people, their groups, and those who answer for the release |
//! | [`document`] | the text tree: from Markdown to HTML, plain and short text |
//! | [`template`] | strict templates, whose values are always text |
//! | [`plan`] | the file, its draft, findings, and the plan that is valid by construction |
//! | [`validate`] | the rules by which a draft becomes a plan, and the catalogue of their codes |
//! | [`channel`] | the plug-ins that carry mechanisms, and their contract |
//! | [`course`] | the pure machines of gates, deliveries and lanes, and the head |
//! | [`prepare`](mod@prepare) | the roll, the rendered texts, the two digests, the bundle |
//! | [`journal`] | the durable record from which everything else is computed |
//! | [`dispatch`] | what people and receipts say is taken in; what is due is sent |
//! | [`report`] | who is informed, who is not, and why |
//! | [`guide`] | chapters to read: a first plan, the words, every key, the defaults, where people come from, build servers, crashes, what is not proved |
//!
//! # Features
//!
//! None is on by default.
//!
//! | feature | adds |
//! | --- | --- |
//! | `sqlite` | `journal::SqliteJournal`, the durable journal; SQLite is compiled in |
//!
//! # What it does not do
//!
//! It opens no port, reads no environment and holds no credentials: channels, journal, clock and secrets are given to it. It does not decide
//! whether a release succeeded; a named person declares that.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod id;
pub mod clock;
pub mod receipt;
pub mod mechanism;
pub mod release;
pub mod communique;
pub mod stakeholder;
pub mod document;
pub mod template;
pub mod plan;
pub mod validate;
pub mod channel;
pub mod course;
pub mod prepare;
pub mod journal;
pub mod dispatch;
pub mod report;
pub mod guide;

pub use channel::{Channel, ChannelSet};
pub use dispatch::Dispatcher;
pub use journal::Journal;
pub use plan::{Plan, PlanDraft};
pub use prepare::PreparedPlan;
pub use release::Declaration;
pub use report::Report;
