//! What both forms of the report say in lines.

use super::reasons::PENDING;
use super::{AttemptReport, Class, DeliveryReport, GroupReport, Part, PersonReport, Report, Statement};
use crate::clock::Moment;
use crate::id::GateName;
use crate::receipt::Assurance;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// What was declared and approved.
pub(super) fn said(report: &Report) -> impl Iterator<Item = String> {
    let by = |s: &Statement| s.by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
    let declared =
        report.declarations.iter().map(move |s| format!("declared: {} {} at {}{}", s.of, s.says, s.at, by(s)));
    let approved = report.approvals.iter().map(move |s| {
        let digest = s.digest.as_deref().and_then(|d| d.get(..12)).unwrap_or_default();
        format!("{}: {} at {}{}, digest {digest}", s.says, s.of, s.at, by(s))
    });
    declared.chain(approved)
}

/// How many deliveries of one person are named.
const OF_ONE: usize = 3;

/// The people who were due and are not informed, the worst first, with what each of them was not told and by which ways it was tried. Those
/// who wait for what is still to come are the last.
pub(super) fn untold(report: &Report) -> (Vec<String>, Vec<String>) {
    let waits = |person: &&PersonReport| person.reason.as_deref() == Some(PENDING);
    let (pending, mut untold): (Vec<_>, Vec<_>) = report.not_informed().partition(waits);
    untold.sort_by_key(|person| Reverse(person.class));
    let lines = |people: Vec<&PersonReport>| people.into_iter().map(untold_line).collect();
    (lines(untold), lines(pending))
}

fn untold_line(person: &PersonReport) -> String {
    let why = person.reason.as_deref().unwrap_or_default();
    let is_open = |d: &&DeliveryReport| d.class == person.class && !d.superseded;
    let open: Vec<&DeliveryReport> = person.deliveries.iter().filter(is_open).collect();
    let mut of: Vec<String> = open.iter().take(OF_ONE).map(|delivery| tried(delivery)).collect();
    if open.len() > OF_ONE {
        of.push(format!("{} more", open.len() - OF_ONE));
    }
    let of = if of.is_empty() { String::new() } else { format!(" ({})", of.join("; ")) };
    format!("{} — {}: {why}{of}", person.id, person.class.words())
}

/// A delivery, and how the last try on each mechanism ended.
fn tried(delivery: &DeliveryReport) -> String {
    let mut last: Vec<(&str, String)> = Vec::new();
    for attempt in &delivery.attempts {
        let by = attempt.mechanism.as_str();
        let bounced = attempt.reason.as_deref() == Some("bounced");
        let how = match attempt.outcome.as_str() {
            _ if bounced => format!("{by} bounced"),
            "done" if !is_told(delivery) => format!("{by} done, not said of them"),
            outcome => format!("{by} {outcome}"),
        };
        last.retain(|(known, _)| *known != by);
        last.push((by, how));
    }
    let last: Vec<String> = last.into_iter().map(|(_, how)| how).collect();
    let ways = if last.is_empty() { String::new() } else { format!(": {}", last.join(", ")) };
    format!("{}{ways}", delivery.gate())
}

/// Whether it is proved that it reached them. What is done once for several may be said of others alone.
fn is_told(delivery: &DeliveryReport) -> bool {
    delivery.assurance >= Some(Assurance::Accepted)
}

/// How it stands with each communique, by occurrence, revision and place, in the order in which people have them.
pub(super) fn gates(report: &Report) -> Vec<(String, [usize; 4])> {
    let mut all: Vec<(String, [usize; 4])> = Vec::new();
    let mut known: BTreeMap<GateName<'_>, usize> = BTreeMap::new();
    for delivery in report.people.iter().flat_map(|person| &person.deliveries) {
        let gate = delivery.gate();
        let at = *known.entry(gate).or_insert_with(|| {
            all.push((gate.to_string(), [0; 4]));
            all.len() - 1
        });
        let column = match delivery.class {
            Class::Informed => 0,
            Class::NotInformed => 1,
            Class::Unconfirmed => 2,
            Class::Exempt => 3,
        };
        if let Some(count) = all.get_mut(at).and_then(|(_, counts)| counts.get_mut(column)) {
            *count += 1;
        }
    }
    all
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

/// The companies of which nobody who counts is informed, where one of each must be.
pub(super) fn unmet(report: &Report) -> Vec<String> {
    let of = |group: &GroupReport| {
        group.unmet.iter().map(|company| format!("{company} of {}", group.id)).collect::<Vec<_>>()
    };
    report.groups.iter().flat_map(of).collect()
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

/// How many heard of each correction, of those who have to.
pub(super) fn corrections(report: &Report) -> impl Iterator<Item = String> {
    let mut all: BTreeMap<GateName<'_>, (usize, usize)> = BTreeMap::new();
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
    told_alike(report, |delivery, attempt| {
        let (by, ended) = (attempt.by.as_ref()?, attempt.ended?);
        if attempt.outcome == "done" && !is_told(delivery) {
            return None;
        }
        let performer = attempt.performer.as_ref().map(|who| format!(" for {who}")).unwrap_or_default();
        let note = attempt.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
        Some((ended, format!("{} {}, says {by}{performer}{note}", attempt.mechanism, attempt.outcome)))
    })
}

/// Whom somebody had tried once more, in the order of time.
pub(super) fn retried(report: &Report) -> Vec<String> {
    told_alike(report, |_, attempt| {
        let by = attempt.retried_by.as_ref()?;
        let why = attempt.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        Some((attempt.at, format!("by the word of {by}{why}")))
    })
}

/// What is told of attempts, each at its time; what is told alike of several people is one line.
fn told_alike(
    report: &Report,
    tell: impl Fn(&DeliveryReport, &AttemptReport) -> Option<(Moment, String)>,
) -> Vec<String> {
    let mut all: BTreeMap<(Moment, GateName<'_>, String), Vec<&str>> = BTreeMap::new();
    for person in &report.people {
        for delivery in &person.deliveries {
            for (at, how) in delivery.attempts.iter().filter_map(|attempt| tell(delivery, attempt)) {
                all.entry((at, delivery.gate(), how)).or_default().push(&person.id);
            }
        }
    }
    let line = |((at, gate, how), whom): ((Moment, GateName<'_>, String), Vec<&str>)| {
        let whom = match whom.as_slice() {
            [one] => (*one).to_owned(),
            several => format!("{} people", several.len()),
        };
        format!("{at}  {gate} to {whom}: {how}")
    };
    all.into_iter().map(line).collect()
}

/// Who executed, and from when on.
pub(super) fn executed(report: &Report) -> impl Iterator<Item = String> {
    report.executions.iter().map(|said| {
        let by = said.by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
        format!("{}: {} from {}{by}", said.says, said.of, said.at)
    })
}

/// How many of each group wished not to be told.
pub(super) fn opted_out(report: &Report) -> impl Iterator<Item = String> {
    let groups = report.groups.iter().filter(|group| group.opted_out > 0);
    groups.map(|group| format!("opted out of {}, and not told: {}", group.id, group.opted_out))
}

/// How often each mechanism was tried again.
pub(super) fn repeated(report: &Report) -> impl Iterator<Item = String> {
    let mut by_mechanism: BTreeMap<&str, usize> = BTreeMap::new();
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
    by_mechanism.into_iter().map(|(what, n)| format!("tried again under the same key: {n} ({what})"))
}

/// How many receipts match nothing.
pub(super) fn unmatched(report: &Report) -> impl Iterator<Item = String> {
    let many = report.unmatched.len();
    (many > 0).then(|| format!("receipts that match nothing: {many}")).into_iter()
}

/// What is out and stands in the plan no more, and how many heard it.
pub(super) fn dropped(report: &Report) -> impl Iterator<Item = String> {
    report.dropped.iter().map(|gate| format!("{}: {} of {} taken over", gate.id, gate.accepted, gate.deliveries))
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
