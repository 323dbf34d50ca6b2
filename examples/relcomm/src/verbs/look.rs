//! Verbs that only look: `tasks`, `status`, `report`.

use super::desk::{Access, Desk};
use super::{json, print};
use crate::arguments::{Common, Format};
use crate::{Exit, Failure};
use relcomm_core::dispatch::Task;
use relcomm_core::report::Report;
use relcomm_core::stakeholder::Address;
use std::collections::BTreeSet;
use std::fmt::Write;

pub(super) async fn tasks(common: &Common, contacts: bool) -> Result<Exit, Failure> {
    let desk = Desk::open(common, Access::Look).await?;
    let tasks = desk.dispatcher.tasks().await?;
    let questions = desk.dispatcher.questions().await?;
    if common.format == Format::Json {
        let of = |task: &Task| {
            let mut value = serde_json::to_value(task)?;
            if let (true, Some(fields)) = (contacts, value.as_object_mut()) {
                fields.extend(task.name.iter().map(|name| ("name".to_owned(), name.as_str().into())));
                fields.extend(task.address.iter().map(|address| ("address".to_owned(), address.as_str().into())));
            }
            Ok(value)
        };
        let values = tasks.iter().map(of).chain(questions.iter().map(serde_json::to_value));
        print(&json(&values.filter_map(Result::ok).collect::<Vec<_>>()));
        return Ok(Exit::Done);
    }
    let mut out = String::new();
    // What is done once for several groups is one thing to do.
    let mut seen = BTreeSet::new();
    for task in tasks.iter().filter(|task| task.person.is_some() || seen.insert(task.id)) {
        let groups = || {
            let of_it = tasks.iter().filter(|other| other.person.is_none() && other.id == task.id);
            let groups: Vec<&str> = of_it.map(|task| task.group.as_str()).collect();
            format!("group{} {}", if groups.len() == 1 { "" } else { "s" }, groups.join(" and "))
        };
        let whom = task.person.as_ref().map_or_else(groups, |p| p.as_str().to_owned());
        // Whoever is to be reached, and in whose place.
        let mut whom = task.to.as_ref().map_or(whom.clone(), |to| format!("{} for {whom}", to.as_str()));
        if contacts {
            let known = [task.name.as_deref(), task.address.as_ref().map(Address::as_str)];
            let known: Vec<&str> = known.into_iter().flatten().collect();
            whom += &(if known.is_empty() { String::new() } else { format!(" ({})", known.join(", ")) });
        }
        let by = task.performer.as_ref().map_or_else(|| "the responsible party".into(), ToString::to_string);
        // Writing to a string does not fail.
        let _ = writeln!(out, "{} — {} to {whom}, by {by}", task.gate, task.mechanism);
        for line in task.script.lines() {
            let _ = writeln!(out, "    {line}");
        }
    }
    for question in &questions {
        let (gate, role, blocked) = (&question.gate, &question.role, &question.blocked);
        let _ = writeln!(out, "{gate} — blocked by {blocked}: {role} says `resume` or `cancel`");
    }
    let once = tasks.iter().filter(|task| task.person.is_some()).count() + seen.len();
    let _ = writeln!(out, "{} open", once + questions.len());
    print(&out);
    Ok(Exit::Done)
}

pub(super) async fn status(common: &Common, pending_ok: bool) -> Result<Exit, Failure> {
    let desk = Desk::open(common, Access::Look).await?;
    let report = desk.dispatcher.report().await?;
    match common.format {
        Format::Json => print(&json(&serde_json::json!({
            "verdict": report.verdict,
            "totals": report.totals,
            "waiting_for": report.waiting_for,
            "next_due": report.next_due.map(|at| at.to_string()),
        }))),
        Format::Text | Format::Github => {
            let t = &report.totals;
            let mut out = format!(
                "informed {} of {}, not informed {}, unconfirmed {}, exempt {}\n",
                t.informed, t.people, t.not_informed, t.unconfirmed, t.exempt
            );
            for line in &report.waiting_for {
                // Writing to a string does not fail.
                let _ = writeln!(out, "waiting: {line}");
            }
            match report.next_due {
                Some(next) if next <= desk.dispatcher.now() => out.push_str("next due: now, by `dispatch`\n"),
                Some(next) => _ = writeln!(out, "next due at {next}"),
                None => {}
            }
            print(&out);
        }
    }
    Ok(exit(&report, pending_ok))
}

pub(super) async fn report(common: &Common, redact: bool, pending_ok: bool) -> Result<Exit, Failure> {
    let desk = Desk::open(common, Access::Look).await?;
    let report = desk.dispatcher.report().await?;
    let exit = exit(&report, pending_ok);
    show(if redact { report.redacted() } else { report }, common.format);
    Ok(exit)
}

pub(super) fn show(report: Report, format: Format) {
    print(&match format {
        Format::Json => report.to_json(),
        Format::Text => report.to_text(),
        Format::Github => report.to_markdown(),
    });
}

/// What a report comes to; `--pending-ok` makes *pending* a success.
pub(super) fn exit(report: &Report, pending_ok: bool) -> Exit {
    match Exit::of_code(report.exit_code()) {
        Exit::Pending if pending_ok => Exit::Done,
        exit => exit,
    }
}
