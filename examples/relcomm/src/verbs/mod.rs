//! The verbs of the command. Results go to standard output, progress and logs to standard error.

mod annotations;
mod audit;
mod callbacks;
mod check;
mod contract;
mod desk;
mod explain;
mod look;
mod receipts;
mod rehearse;
mod say;
mod send;
mod signals;

pub use desk::{Access, Desk};

use crate::arguments::{Arguments, Format, RehearsalFormat, Verb};
use crate::{Exit, Failure};
use relcomm_core::plan::Finding;
use serde::Serialize;
use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// Runs a verb and says how it ended.
pub async fn run(arguments: Arguments) -> Exit {
    let format = format_of(&arguments.verb);
    let done = match arguments.verb {
        Verb::Schema { of } => check::schema(of),
        Verb::Rehearse { plan, script, set, format } => rehearse::rehearse(&plan, &script, &set, format),
        Verb::Validate { common, verbose, against } => check::validate(&common, verbose, against.as_deref()).await,
        Verb::Explain { code, format } => explain::explain(code.as_deref(), format),
        Verb::Contract { exec, env, clause, format } => contract::contract(&exec, &env, &clause, format).await,
        Verb::Prepare { common, out, bundle, by } => {
            check::prepare(&common, out.as_deref(), bundle.as_deref(), by).await
        }
        Verb::Verify { common } => check::verify(&common).await,
        Verb::Approve { common, by, role, digest, reject, note } => {
            say::approve(&common, &by, &role, digest.as_deref(), reject, note).await
        }
        Verb::Declare { common, place, outcome, by, proof, at, cause } => {
            say::declare(&common, &say::Declared { place, outcome, by, proof, at, cause }).await
        }
        Verb::Dispatch { common, wait, execute, by, pending_ok } => {
            send::dispatch(&common, &send::Wish { wait, execute, by, proof: None, pending_ok }).await
        }
        Verb::Deliver { common, execute, by, proof, pending_ok } => {
            send::deliver(&common, &send::Wish { wait: true, execute, by, proof, pending_ok }).await
        }
        Verb::Tasks { common, contacts } => look::tasks(&common, contacts).await,
        Verb::Attest { common, communique, person, group, place, outcome, assurance, by, note } => {
            let said = say::Attested { communique, person, group, place, outcome, assurance, by, note };
            say::attest(&common, said).await
        }
        Verb::Hold(person) => say::hold(&person, true).await,
        Verb::Resume(person) => say::hold(&person, false).await,
        Verb::Cancel(person) => say::cancel(&person).await,
        Verb::Retry { of, person } => say::retry(&of, person.as_deref()).await,
        Verb::Slip { common, planned, by, why } => say::slip(&common, &planned, &by, why).await,
        Verb::AcceptGap { common, person, company, why, by } => {
            say::accept_gap(&common, person.as_deref(), company, &why, &by).await
        }
        Verb::Lift { common, cause, by } => say::lift(&common, &by, &cause).await,
        Verb::Erase { common, person, by } => say::erase(&common, &person, &by).await,
        Verb::Receipts { common, from, watch } => receipts::receipts(&common, &from, watch).await,
        Verb::Audit { common, head } => audit::audit(&common, head.as_deref()).await,
        Verb::Status { common, pending_ok } => look::status(&common, pending_ok).await,
        Verb::Report { common, redact, pending_ok } => look::report(&common, redact, pending_ok).await,
    };
    match done {
        Ok(_) if UNWRITTEN.load(Ordering::Relaxed) => Exit::Failed,
        Ok(exit) => exit,
        Err(failure) => {
            complain(&failure, format);
            failure.exit()
        }
    }
}

fn format_of(verb: &Verb) -> Format {
    match verb {
        Verb::Schema { .. } => Format::Json,
        Verb::Rehearse { format: RehearsalFormat::Json, .. } => Format::Json,
        Verb::Rehearse { .. } => Format::Text,
        Verb::Explain { format, .. } | Verb::Contract { format, .. } => *format,
        Verb::Validate { common, .. }
        | Verb::Prepare { common, .. }
        | Verb::Verify { common }
        | Verb::Approve { common, .. }
        | Verb::Declare { common, .. }
        | Verb::Dispatch { common, .. }
        | Verb::Tasks { common, .. }
        | Verb::Attest { common, .. }
        | Verb::AcceptGap { common, .. }
        | Verb::Slip { common, .. }
        | Verb::Lift { common, .. }
        | Verb::Erase { common, .. }
        | Verb::Receipts { common, .. }
        | Verb::Status { common, .. }
        | Verb::Audit { common, .. }
        | Verb::Report { common, .. }
        | Verb::Deliver { common, .. } => common.format,
        Verb::Hold(person) | Verb::Resume(person) | Verb::Cancel(person) | Verb::Retry { of: person, .. } => {
            person.common.format
        }
    }
}

/// Findings are a result and go to standard output; any other failure is one line on standard error, or an object for programs.
fn complain(failure: &Failure, format: Format) {
    match (failure, format) {
        (Failure::Findings(findings), _) => print(&check::findings(findings, format, false)),
        (other, Format::Json) => {
            print(&json(&serde_json::json!({ "error": other.to_string(), "exit": other.exit().code() })));
        }
        (other, _) => say(&format!("relcomm: {other}")),
    }
}

/// Prints a result.
fn print(text: &str) {
    let mut out = std::io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => {}
        // Whoever closed the pipe does not want the rest.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        Err(error) => {
            say(&format!("relcomm: the result cannot be written: {}", error.kind()));
            UNWRITTEN.store(true, Ordering::Relaxed);
        }
    }
}

/// Whether a result could not be written: then the verb failed, whatever it did.
static UNWRITTEN: AtomicBool = AtomicBool::new(false);

/// Says something on the way.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn json(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

/// Prints a one-line result, or an object for programs.
fn answer(format: Format, line: &str, value: &impl Serialize) {
    match format {
        Format::Json => print(&json(value)),
        Format::Text | Format::Github => print(&format!("{line}\n")),
    }
}

fn warn(findings: &[Finding]) {
    for finding in findings.iter().filter(|f| f.severity == relcomm_core::plan::Severity::Warning) {
        say(&finding.to_string());
    }
}
