//! The report as Markdown, for a release page or a ticket.

use super::text::{approvals_open, corrections, dates, fallbacks, gaps, hands, late, verdict};
use super::{PersonReport, Report};
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
    let dates: Vec<String> = dates(report).collect();
    if !dates.is_empty() {
        writeln!(out)?;
        for line in dates {
            writeln!(out, "- {}", plain(&line))?;
        }
    }
    let failed: Vec<&PersonReport> = report.not_informed().collect();
    if !failed.is_empty() {
        writeln!(out, "\n## Not informed, or not confirmed\n")?;
        for person in failed {
            let why = person.reason.as_deref().unwrap_or("");
            writeln!(out, "- {}: {} ({})", plain(&person.id), person.class.words(), plain(why))?;
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
    writeln!(
        out,
        "\nTexts `{}`, people `{}`, journal `{}`",
        report.digests.texts, report.digests.people, report.journal_head
    )
}
