//! `rehearse`: the plan in virtual time.

use super::{json, print};
use crate::arguments::RehearsalFormat;
use crate::load::{Beside, settings, speaks_of_an_embargo};
use crate::{Exit, Failure};
use relcomm_core::plan::Finding;
use relcomm_testkit::rehearsal::{Performance, Rehearsal, Unperformed};
use std::fmt::Write;
use std::path::{Path, PathBuf};

pub(super) fn rehearse(
    plan: &Path,
    scripts: &[PathBuf],
    set: &[String],
    format: RehearsalFormat,
) -> Result<Exit, Failure> {
    let read = |path: &Path| std::fs::read(path).map_err(|e| Failure::Tool(format!("{}: {e}", path.display())));
    let bytes = read(plan)?;
    let (name, sources) = (plan.display().to_string(), Beside::new(plan));
    let settings = settings(set)?;
    let mut all = Vec::new();
    for script in scripts {
        let file = script.display().to_string();
        let rehearsals = Rehearsal::read(&file, &read(script)?).map_err(Failure::Findings)?;
        all.extend(rehearsals.into_iter().map(|rehearsal| (file.clone(), rehearsal)));
    }
    if all.is_empty() {
        all.push((name.clone(), Rehearsal::happy_path()));
    }
    let mut performed = Vec::new();
    for (file, rehearsal) in all {
        let performance =
            rehearsal.settings(settings.clone()).perform(&name, &bytes, &sources).map_err(|why| match why {
                Unperformed::Plan(findings) if speaks_of_an_embargo(plan) => {
                    Failure::Findings(findings.into_iter().map(Finding::without_excerpt).collect())
                }
                Unperformed::Script(findings) | Unperformed::Plan(findings) => Failure::Findings(findings),
                other => Failure::Tool(other.to_string()),
            })?;
        if format == RehearsalFormat::Text {
            print(&performance.to_string());
        }
        performed.push((file, performance));
    }
    match format {
        RehearsalFormat::Text => {}
        RehearsalFormat::Json => print(&json(&performed.iter().map(|(_, p)| p).collect::<Vec<_>>())),
        RehearsalFormat::Junit => print(&junit(&performed)),
    }
    Ok(if performed.iter().all(|(_, p)| p.held()) { Exit::Done } else { Exit::NotInformed })
}

/// As CI systems read test results: a suite for each script, a case for each rehearsal.
fn junit(performed: &[(String, Performance)]) -> String {
    let failed = performed.iter().filter(|(_, p)| !p.held()).count();
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a string does not fail.
    let _ = writeln!(xml, "<testsuite name=\"rehearse\" tests=\"{}\" failures=\"{failed}\">", performed.len());
    for (file, performance) in performed {
        let _ = write!(xml, "  <testcase classname=\"{}\" name=\"{}\"", escaped(file), escaped(&performance.name));
        let why: Vec<String> = performance.diverged().map(ToString::to_string).collect();
        match why.first() {
            None => xml.push_str("/>\n"),
            Some(first) => {
                let message = escaped(first.lines().next().unwrap_or_default());
                let _ = writeln!(xml, ">\n    <failure message=\"{message}\">{}</failure>", escaped(&why.join("\n")));
                xml.push_str("  </testcase>\n");
            }
        }
    }
    xml.push_str("</testsuite>\n");
    xml
}

/// Text within XML; what XML 1.0 cannot hold is left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}
