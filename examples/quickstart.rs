//! The whole route in one program. Nothing leaves the process: the mail goes to a scripted channel, the telephone is a task.
#![expect(clippy::print_stdout, reason = "the report is what this program is for")]

use relcomm_channels::manual::ManualChannel;
use relcomm_core::clock::SystemClock;
use relcomm_core::journal::{MemoryJournal, Mode, Scope};
use relcomm_core::mechanism::{Addressing, Mechanism};
use relcomm_core::plan::{Finding, HeldFiles};
use relcomm_core::prepare::prepare;
use relcomm_core::validate::{Deployment, standard_rules, validate};
use relcomm_core::{ChannelSet, Declaration, Dispatcher, PlanDraft};
use relcomm_testkit::channel::ScriptedChannel;
use std::error::Error;
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // Read the plan and judge it: all findings come at once.
    let plan = include_bytes!("plans/quickstart.yaml");
    let (draft, source) = PlanDraft::read("quickstart.yaml", plan).map_err(lines)?;
    let judged = validate(&draft, &source, &HeldFiles::new(), &Deployment::unknown(), &standard_rules());
    let (plan, people) = judged.into_plan().map_err(lines)?;

    // Say which channel carries which mechanism, and prepare: from here on every text and every person is fixed.
    let channels = ChannelSet::new()
        .with(Mechanism::new("email")?, ScriptedChannel::new("smtp"))
        .with(Mechanism::new("phone")?, ManualChannel::new(Addressing::Each));
    let preparation = prepare(plan, people, &channels);
    let prepared = preparation.prepared.ok_or_else(|| lines(preparation.findings))?;

    // Declare success and dispatch. The same again, after a crash, resumes; it does not send again.
    let scope = Scope::new(prepared.plan().id().clone(), &prepared.plan().release().version, Mode::Sandbox);
    let journal = MemoryJournal::new(scope, Arc::new(SystemClock::new()));
    let dispatcher = Dispatcher::new(prepared, channels, journal)?;
    dispatcher.dispatch(&Declaration::success("ada").proof("pipeline 4711")).await?;

    // Who was informed, who was not, and why.
    println!("{}", dispatcher.report().await?.to_text());
    Ok(())
}

fn lines(findings: Vec<Finding>) -> String {
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
