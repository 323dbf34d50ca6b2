//! The report as Markdown, for a release page or a ticket.

use super::Report;
use super::lines::{
    approvals_open, corrections, dates, dropped, executed, fallbacks, gaps, gates, hands, late, opted_out, repeated,
    said, unmatched, unmet, untold,
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
    let (untold, pending) = untold(report);
    if !untold.is_empty() || !pending.is_empty() {
        writeln!(out, "\n## Not informed, or not confirmed\n")?;
        for line in untold.iter().chain(&pending) {
            writeln!(out, "- {}", plain(line))?;
        }
    }
    let late: Vec<String> = late(report).collect();
    if !late.is_empty() {
        writeln!(out, "\n## Late\n")?;
        for line in late {
            writeln!(out, "- {}", plain(&line))?;
        }
    }
    let open: Vec<String> = approvals_open(report).collect();
    if !open.is_empty() {
        writeln!(out, "\n## Approvals after the release\n")?;
        for line in open {
            writeln!(out, "- {}", plain(&line))?;
        }
    }
    let unmet = unmet(report);
    if !unmet.is_empty() {
        writeln!(out, "\n## In which nobody who counts is informed\n")?;
        for line in unmet {
            writeln!(out, "- {}", plain(&line))?;
        }
    }
    let gaps: Vec<String> = gaps(report).collect();
    if !gaps.is_empty() {
        writeln!(out, "\n## Must be informed, and cannot be reached\n")?;
        for line in gaps {
            writeln!(out, "- {}", plain(&line))?;
        }
    }
    let corrections: Vec<String> = corrections(report).collect();
    if !corrections.is_empty() {
        writeln!(out, "\n## Corrections\n")?;
        for line in corrections {
            writeln!(out, "- {}", plain(&line))?;
        }
    }
    let fallbacks = fallbacks(report);
    if !fallbacks.is_empty() {
        writeln!(out, "\n## Preferred mechanisms that failed\n")?;
        for line in fallbacks {
            writeln!(out, "- {}", plain(&line))?;
        }
    }
    let hands = hands(report);
    if !hands.is_empty() {
        writeln!(out, "\n## By hand\n")?;
        for line in hands {
            writeln!(out, "- {}", plain(&line))?;
        }
    }
    let more: Vec<String> =
        executed(report).chain(opted_out(report)).chain(repeated(report)).chain(unmatched(report)).collect();
    if !more.is_empty() {
        writeln!(out, "\n## Besides\n")?;
        for line in more {
            writeln!(out, "- {}", plain(&line))?;
        }
    }
    let dropped: Vec<String> = dropped(report).collect();
    if !dropped.is_empty() {
        writeln!(out, "\n## Out, and no longer in the plan\n")?;
        for line in dropped {
            writeln!(out, "- {}", plain(&line))?;
        }
    }
    writeln!(
        out,
        "\nTexts `{}`, people `{}`, journal `{}`",
        report.digests.texts, report.digests.people, report.journal_head
    )
}
