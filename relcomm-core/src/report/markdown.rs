//! The report as Markdown, for a release page or a ticket.

use super::Report;
use super::lines::{
    approvals_open, corrections, dates, dropped, executed, fallbacks, gaps, gates, hands, late, opted_out, repeated,
    retried, said, unmatched, unmet, untold,
};
use super::text::verdict;
use std::fmt::Write;

pub(super) fn render(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut out, report);
    out
}

/// Text that Markdown would read as markup is escaped.
fn plain(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '!' | '~') {
            out.push('\\');
        }
        out.push(if c.is_control() { ' ' } else { c });
        out
    })
}

fn write(out: &mut String, report: &Report) -> std::fmt::Result {
    let t = &report.totals;
    writeln!(out, "# {} {}: who was informed\n", plain(&report.product), plain(&report.version))?;
    writeln!(out, "**{}** ({})\n", verdict(report), report.mode)?;
    writeln!(out, "| people | informed | not informed | unconfirmed | exempt |\n| --- | --- | --- | --- | --- |")?;
    writeln!(out, "| {} | {} | {} | {} | {} |\n", t.people, t.informed, t.not_informed, t.unconfirmed, t.exempt)?;
    writeln!(out, "| group | members | informed | not informed | unconfirmed | exempt | rule | met |")?;
    writeln!(out, "| --- | --- | --- | --- | --- | --- | --- | --- |")?;
    for g in &report.groups {
        let t = &g.totals;
        let met = if g.met { "yes" } else { "no" };
        writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {met} |",
            plain(&g.id),
            t.people,
            t.informed,
            t.not_informed,
            t.unconfirmed,
            t.exempt,
            plain(&g.rule)
        )?;
    }
    let gates = gates(report);
    if gates.len() > 1 {
        writeln!(
            out,
            "\n| communique | informed | not informed | unconfirmed | exempt |\n| --- | --- | --- | --- | --- |"
        )?;
        for (gate, [informed, not, unconfirmed, exempt]) in gates {
            writeln!(out, "| {} | {informed} | {not} | {unconfirmed} | {exempt} |", plain(&gate))?;
        }
    }
    let said: Vec<String> = said(report).chain(dates(report)).collect();
    if !said.is_empty() {
        writeln!(out)?;
        for line in said {
            writeln!(out, "- {}", plain(&line))?;
        }
    }
    if !report.waiting_for.is_empty() {
        writeln!(out, "\n## Waiting\n")?;
        for line in &report.waiting_for {
            writeln!(out, "- {}", plain(line))?;
        }
        if let Some(next) = report.next_due {
            writeln!(out, "- next due at {next}")?;
        }
    }
    let (mut untold, pending) = untold(report);
    untold.extend(pending);
    let more: Vec<String> =
        executed(report).chain(opted_out(report)).chain(repeated(report)).chain(unmatched(report)).collect();
    list(out, "Not informed, or not confirmed", &untold)?;
    list(out, "Late", &late(report).collect::<Vec<_>>())?;
    list(out, "Approvals after the release", &approvals_open(report).collect::<Vec<_>>())?;
    list(out, "In which nobody who counts is informed", &unmet(report))?;
    list(out, "Must be informed, and cannot be reached", &gaps(report).collect::<Vec<_>>())?;
    list(out, "Corrections", &corrections(report).collect::<Vec<_>>())?;
    list(out, "Preferred mechanisms that failed", &fallbacks(report))?;
    list(out, "By hand", &hands(report))?;
    list(out, "Tried once more", &retried(report))?;
    list(out, "Besides", &more)?;
    list(out, "Out, and no longer in the plan", &dropped(report).collect::<Vec<_>>())?;
    writeln!(
        out,
        "\nTexts `{}`, people `{}`, journal `{}`",
        report.digests.texts, report.digests.people, report.journal_head
    )
}

/// A heading and its lines; nothing where there are none.
fn list(out: &mut String, heading: &str, lines: &[String]) -> std::fmt::Result {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## {heading}\n")?;
    for line in lines {
        writeln!(out, "- {}", plain(line))?;
    }
    Ok(())
}
