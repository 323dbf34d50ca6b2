//! The report for a terminal.

use super::lines::{
    approvals_open, corrections, dates, dropped, executed, fallbacks, gaps, gates, hands, late, opted_out, repeated,
    retried, said, unmatched, unmet, untold,
};
use super::{Report, Verdict};
use crate::plan::visible;
use std::fmt::Write;

/// How many people are named one by one.
const NAMED: usize = 50;

pub(super) fn render(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut out, report);
    out
}

pub(super) fn verdict(report: &Report) -> &'static str {
    match report.verdict {
        Verdict::Informed if report.not_informed().next().is_some() => {
            "as many are informed as the rule of each group wants, not everyone"
        }
        Verdict::Informed => "everyone who was due is informed",
        Verdict::NotCompliant if report.groups.iter().any(|g| !g.met) && report.late().next().is_some() => {
            "not everyone who was due is informed, and deadlines were missed"
        }
        Verdict::NotCompliant if report.groups.iter().any(|g| !g.met) => {
            "not everyone who was due is informed, and an approval did not come in time"
        }
        Verdict::NotCompliant if report.late().next().is_none() => {
            "everyone who was due is informed, an approval did not come in time"
        }
        Verdict::NotCompliant if report.not_informed().next().is_some() => {
            "as many are informed as the rule of each group wants, too many of them too late"
        }
        Verdict::NotCompliant => "everyone who was due is informed, some too late",
        Verdict::NotInformed => "not everyone who was due is informed",
        Verdict::Pending if report.groups.iter().any(|group| !group.in_time) => "pending, and deadlines were missed",
        Verdict::Pending if !report.compliant => "pending, and an approval did not come in time",
        Verdict::Pending => "pending",
    }
}

fn write(out: &mut String, report: &Report) -> std::fmt::Result {
    let t = &report.totals;
    writeln!(out, "{} {} ({}, plan {})", report.product, report.version, report.mode, report.plan)?;
    writeln!(out, "verdict: {}", verdict(report))?;
    writeln!(
        out,
        "people: {} — informed {}, not informed {}, unconfirmed {}, exempt {}",
        t.people, t.informed, t.not_informed, t.unconfirmed, t.exempt
    )?;
    for line in said(report) {
        writeln!(out, "{}", visible(&line))?;
    }
    for line in dates(report) {
        writeln!(out, "{}", visible(&line))?;
    }
    for line in executed(report) {
        writeln!(out, "{}", visible(&line))?;
    }
    for line in approvals_open(report) {
        writeln!(out, "{}", visible(&line))?;
    }
    writeln!(out)?;
    let width = report.groups.iter().map(|g| g.id.chars().count()).max().unwrap_or(5).max(5);
    writeln!(out, "{:width$}  members  informed  not  unconfirmed  exempt  rule", "group")?;
    for g in &report.groups {
        let t = &g.totals;
        let met = if g.met { "" } else { " (not met)" };
        writeln!(
            out,
            "{:width$}  {:7}  {:8}  {:3}  {:11}  {:6}  {}{met}",
            g.id, t.people, t.informed, t.not_informed, t.unconfirmed, t.exempt, g.rule
        )?;
    }
    let gates = gates(report);
    if gates.len() > 1 {
        let width = gates.iter().map(|(gate, _)| gate.chars().count()).max().unwrap_or(10).max(10);
        writeln!(out, "\n{:width$}  informed  not  unconfirmed  exempt", "communique")?;
        for (gate, [informed, not, unconfirmed, exempt]) in gates {
            writeln!(out, "{gate:width$}  {informed:8}  {not:3}  {unconfirmed:11}  {exempt:6}")?;
        }
    }
    let (untold, pending) = untold(report);
    if !untold.is_empty() || !pending.is_empty() {
        writeln!(out, "\nnot informed, or not confirmed:")?;
        let waiting = if untold.len() + pending.len() > NAMED { &[][..] } else { &pending };
        for line in untold.iter().take(NAMED).chain(waiting) {
            writeln!(out, "  {}", visible(line.as_ref()))?;
        }
        if untold.len() > NAMED {
            writeln!(out, "  … and {} more", untold.len() - NAMED)?;
        }
        if pending.len() > waiting.len() {
            writeln!(out, "  {} who wait for what is still to come", pending.len())?;
        }
    }
    list(out, "in which nobody who counts is informed", &unmet(report))?;
    list(out, "late", &late(report).collect::<Vec<_>>())?;
    for line in opted_out(report) {
        writeln!(out, "\n{line}")?;
    }
    let gaps: Vec<String> = gaps(report).collect();
    if !gaps.is_empty() {
        writeln!(out, "\nmust be informed, and cannot be reached:")?;
        for line in gaps {
            writeln!(out, "  {}", visible(line.as_ref()))?;
        }
    }
    let corrections: Vec<String> = corrections(report).collect();
    if !corrections.is_empty() {
        writeln!(out, "\ncorrections:")?;
        for line in corrections {
            writeln!(out, "  {}", visible(line.as_ref()))?;
        }
    }
    list(out, "preferred mechanisms that failed, and what informed instead", &fallbacks(report))?;
    list(out, "by hand", &hands(report))?;
    list(out, "tried once more", &retried(report))?;
    list(out, "out, and no longer in the plan", &dropped(report).collect::<Vec<_>>())?;
    for line in repeated(report).chain(unmatched(report)) {
        writeln!(out, "\n{line}")?;
    }
    if !report.waiting_for.is_empty() {
        writeln!(out, "\nwaiting:")?;
        for line in &report.waiting_for {
            writeln!(out, "  {}", visible(line.as_ref()))?;
        }
        if let Some(next) = report.next_due {
            writeln!(out, "  next due at {next}")?;
        }
    }
    writeln!(out, "\ntexts {}  people {}", cut(&report.digests.texts), cut(&report.digests.people))?;
    writeln!(out, "journal {}", report.journal_head)
}

fn cut(digest: &str) -> &str {
    digest.get(..16).unwrap_or(digest)
}

/// A heading and the first few lines; nothing where there are none.
fn list(out: &mut String, heading: &str, lines: &[String]) -> std::fmt::Result {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{heading}:")?;
    for line in lines.iter().take(NAMED) {
        writeln!(out, "  {}", visible(line.as_ref()))?;
    }
    match lines.len().saturating_sub(NAMED) {
        0 => Ok(()),
        more => writeln!(out, "  … and {more} more"),
    }
}
