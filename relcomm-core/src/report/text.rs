//! The report for a terminal.

use super::{Class, Part, PersonReport, Report, Verdict};
use crate::clock::Moment;
use std::collections::{BTreeMap, BTreeSet};
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
        Verdict::Pending if !report.compliant => "pending, and deadlines were missed",
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
    for s in &report.declarations {
        let by = s.by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
        writeln!(out, "declared: {} {} at {}{by}", s.of, s.says, s.at)?;
    }
    for s in &report.approvals {
        let by = s.by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
        let digest = s.digest.as_deref().and_then(|d| d.get(..12)).unwrap_or_default();
        writeln!(out, "{}: {} at {}{by}, digest {digest}", s.says, s.of, s.at)?;
    }
    for line in dates(report) {
        writeln!(out, "{line}")?;
    }
    for s in &report.executions {
        let by = s.by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
        writeln!(out, "{}: {} from {}{by}", s.says, s.of, s.at)?;
    }
    for line in approvals_open(report) {
        writeln!(out, "{line}")?;
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
    let failed: Vec<&PersonReport> = report.not_informed().collect();
    if !failed.is_empty() {
        writeln!(out, "\nnot informed, or not confirmed:")?;
        for person in failed.iter().take(NAMED) {
            writeln!(out, "  {} — {}: {}", person.id, person.class.words(), person.reason.as_deref().unwrap_or(""))?;
        }
        if failed.len() > NAMED {
            writeln!(out, "  … and {} more", failed.len() - NAMED)?;
        }
    }
    let late: Vec<String> = late(report).collect();
    if !late.is_empty() {
        writeln!(out, "\nlate:")?;
        for line in late.iter().take(NAMED) {
            writeln!(out, "  {line}")?;
        }
        if late.len() > NAMED {
            writeln!(out, "  … and {} more", late.len() - NAMED)?;
        }
    }
    for group in report.groups.iter().filter(|group| group.opted_out > 0) {
        writeln!(out, "\nopted out of {}, and not told: {}", group.id, group.opted_out)?;
    }
    let gaps: Vec<String> = gaps(report).collect();
    if !gaps.is_empty() {
        writeln!(out, "\nmust be informed, and cannot be reached:")?;
        for line in gaps {
            writeln!(out, "  {line}")?;
        }
    }
    let corrections: Vec<String> = corrections(report).collect();
    if !corrections.is_empty() {
        writeln!(out, "\ncorrections:")?;
        for line in corrections {
            writeln!(out, "  {line}")?;
        }
    }
    let fallbacks = fallbacks(report);
    if !fallbacks.is_empty() {
        writeln!(out, "\npreferred mechanisms that failed, and what informed instead:")?;
        for line in fallbacks.iter().take(NAMED) {
            writeln!(out, "  {line}")?;
        }
        if fallbacks.len() > NAMED {
            writeln!(out, "  … and {} more", fallbacks.len() - NAMED)?;
        }
    }
    let hands = hands(report);
    if !hands.is_empty() {
        writeln!(out, "\nby hand:")?;
        for line in hands.iter().take(NAMED) {
            writeln!(out, "  {line}")?;
        }
        if hands.len() > NAMED {
            writeln!(out, "  … and {} more", hands.len() - NAMED)?;
        }
    }
    let repeated: BTreeMap<&str, usize> = repeated(report);
    for (what, n) in repeated {
        writeln!(out, "\ntried again under the same key: {n} ({what})")?;
    }
    if !report.unmatched.is_empty() {
        writeln!(out, "\nreceipts that match nothing: {}", report.unmatched.len())?;
    }
    if !report.waiting_for.is_empty() {
        writeln!(out, "\nwaiting:")?;
        for line in &report.waiting_for {
            writeln!(out, "  {line}")?;
        }
        if let Some(next) = report.next_due {
            writeln!(out, "  next due at {next}")?;
        }
    }
    writeln!(out, "\ntexts {}  people {}", cut(&report.digests.texts), cut(&report.digests.people))?;
    writeln!(out, "journal {}", report.journal_head)
}

/// Who was not informed in time, of what, and until when they had to be.
pub(super) fn late(report: &Report) -> impl Iterator<Item = String> {
    report.late().map(|(person, delivery)| {
        let deadline = delivery.deadline.map(|at| at.to_string()).unwrap_or_default();
        format!("{} of {}: {} after {deadline}", person.id, delivery.gate(), delivery.class.words())
    })
}

/// The approvals that may come after the release and have not come in time.
pub(super) fn approvals_open(report: &Report) -> impl Iterator<Item = String> {
    report.approvals_open.iter().map(|open| {
        let until = if open.late { "was to be given" } else { "is open" };
        format!("approval by {} {until} until {}", open.role, open.until)
    })
}

/// Who must be informed and cannot be reached, and who accepted that.
pub(super) fn gaps(report: &Report) -> impl Iterator<Item = String> {
    report.gaps.iter().map(|gap| {
        let company = gap.company.as_ref().map(|company| format!("the company {company}"));
        let who = gap.person.clone().or(company).unwrap_or_else(|| "somebody".to_owned());
        let accepted = match gap.accepted {
            Some(at) => {
                let by = gap.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
                let why = gap.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
                format!("accepted at {at}{by}{why}")
            }
            None => "not accepted yet".to_owned(),
        };
        format!("{who} of {}, {accepted}", gap.group)
    })
}

fn cut(digest: &str) -> &str {
    digest.get(..16).unwrap_or(digest)
}

/// How many heard of each correction, of those who have to.
pub(super) fn corrections(report: &Report) -> impl Iterator<Item = String> {
    let mut all: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let deliveries = report.people.iter().flat_map(|person| &person.deliveries);
    for delivery in deliveries.filter(|delivery| delivery.part == Part::Correction) {
        let (heard, of) = all.entry(delivery.gate()).or_default();
        *heard += usize::from(delivery.class == Class::Informed);
        *of += 1;
    }
    all.into_iter().map(|(gate, (heard, of))| format!("{gate}: {heard} of the {of} whom it is for are informed"))
}

/// Who was informed by another mechanism than the preferred one, and how that one failed. Always listed.
pub(super) fn fallbacks(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    for person in &report.people {
        for delivery in &person.deliveries {
            let Some(by) = &delivery.mechanism else { continue };
            let mut failed: Vec<String> = Vec::new();
            let informing = delivery.attempts.iter().filter(|a| &a.mechanism == by).map(|a| a.at).min();
            for attempt in delivery.attempts.iter().filter(|a| &a.mechanism != by) {
                let bounced = attempt.reason.as_deref() == Some("bounced");
                // What was taken over beside it, or after it, did not fail.
                if attempt.outcome == "accepted" && !bounced && informing.is_some_and(|at| at <= attempt.at) {
                    continue;
                }
                let whom = attempt.to.as_ref().map(|to| format!(" to {to}")).unwrap_or_default();
                let tried = format!("{}{whom}", attempt.mechanism);
                let how = match (&attempt.reason, &attempt.code) {
                    (_, Some(code)) if bounced => format!("{tried} bounced ({code})"),
                    (_, None) if bounced => format!("{tried} bounced"),
                    (_, Some(code)) => format!("{tried} {} ({code})", attempt.outcome),
                    (Some(reason), None) => format!("{tried} {} ({reason})", attempt.outcome),
                    (None, None) => format!("{tried} {}, not confirmed", attempt.outcome),
                };
                if !failed.contains(&how) {
                    failed.push(how);
                }
            }
            if !failed.is_empty() && delivery.class == Class::Informed {
                lines.push(format!("{} of {}: {}; informed by {by}", person.id, delivery.gate(), failed.join(", ")));
            }
        }
    }
    lines
}

/// What people did by hand and said how it ended, in the order of time; what was said alike of several is one line.
pub(super) fn hands(report: &Report) -> Vec<String> {
    let mut all: BTreeMap<(Moment, String, String), Vec<&str>> = BTreeMap::new();
    for person in &report.people {
        for delivery in &person.deliveries {
            for attempt in &delivery.attempts {
                let (Some(by), Some(ended)) = (&attempt.by, attempt.ended) else { continue };
                let performer = attempt.performer.as_ref().map(|who| format!(" for {who}")).unwrap_or_default();
                let note = attempt.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
                let how = format!("{} {}, says {by}{performer}{note}", attempt.mechanism, attempt.outcome);
                all.entry((ended, delivery.gate(), how)).or_default().push(&person.id);
            }
        }
    }
    let line = |((ended, gate, how), whom): ((Moment, String, String), Vec<&str>)| {
        let whom = match whom.as_slice() {
            [one] => (*one).to_owned(),
            several => format!("{} people", several.len()),
        };
        format!("{ended}  {gate} to {whom}: {how}")
    };
    all.into_iter().map(line).collect()
}

fn repeated(report: &Report) -> BTreeMap<&str, usize> {
    let mut by_mechanism = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for delivery in report.people.iter().flat_map(|p| &p.deliveries) {
        for attempt in delivery.attempts.iter().filter(|a| a.number > 1) {
            // Those who share a post share its tries.
            let post = (&delivery.communique, &delivery.place, attempt.at, attempt.number);
            if !delivery.posted || seen.insert(post) {
                *by_mechanism.entry(attempt.mechanism.as_str()).or_insert(0) += 1;
            }
        }
    }
    by_mechanism
}

/// How the planned time moved, and how many heard of each.
pub(super) fn dates(report: &Report) -> impl Iterator<Item = String> {
    let mut heard: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for person in &report.people {
        for delivery in person.deliveries.iter().filter(|delivery| delivery.class == Class::Informed) {
            let planned = delivery.planned.as_deref().into_iter();
            planned.for_each(|planned| _ = heard.entry(planned).or_default().insert(&person.id));
        }
    }
    report.slips.iter().map(move |slip| {
        let planned = slip.planned.map_or_else(|| "open".to_owned(), |at| at.to_string());
        let by = slip.by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
        let many = heard.get(planned.as_str()).map_or(0, BTreeSet::len);
        format!("planned time moved: {planned}, said at {}{by}, heard by {many}", slip.at)
    })
}
