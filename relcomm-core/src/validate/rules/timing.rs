//! Whether times can come, in the order in which they are meant.

use super::super::{Rule, Subject};
use super::graph::waits;
use crate::clock::Moment;
use crate::communique::{Anchor, Communique, Hours, State, Timing};
use crate::id::{CommuniqueId, GroupId};
use crate::plan::{Finding, Findings, Severity, key_path};
use crate::stakeholder::Group;
use std::cmp::Ordering;
use std::time::Duration;

/// Nothing is due in the past.
#[derive(Debug)]
pub(super) struct NotPast;

impl Rule for NotPast {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0601"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        let Some(now) = cx.deployment().now else { return };
        let severity = if cx.deployment().live { Severity::Error } else { Severity::Warning };
        let mut say = |path: String, what: &str, at: Moment, severity: Severity| {
            if at < now {
                let finding = Finding::new("RC0601", severity, path, format!("{what} is in the past: {at}"));
                out.push(finding.help("set the time of this release: what is due in the past goes out at once"));
            }
        };
        if let Some(planned) = cx.plan().release().when.planned {
            // Whoever tells of it when it is done is later than it was planned for.
            let is_fresh = now <= planned + FRESH;
            let severity = if is_fresh { Severity::Warning } else { severity };
            say(cx.planned_path().into(), "the planned time", planned, severity);
        }
        for communique in cx.plan().communiques() {
            for (path, timing) in cx.times(communique) {
                // What is relative to the planned time stands and falls with it.
                let absolute = matches!(timing.anchor, Anchor::At(_));
                let before = matches!(timing.anchor, Anchor::Planned)
                    && cx.plan().release().when.planned.is_some_and(|planned| planned >= now);
                if let (true, Some(at)) = (absolute || before, instant(cx, timing)) {
                    say(path, "this time", at, severity);
                }
            }
        }
        for (path, timing) in cx.other_times() {
            if let Anchor::At(at) = timing.anchor {
                say(path, "this time", timing.resolve(at), severity);
            }
        }
    }
}

/// No time of one group's takes the place of several.
#[derive(Debug)]
pub(super) struct OncePerOccurrence;

impl Rule for OncePerOccurrence {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0616"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        for communique in cx.plan().communiques().iter().filter(|communique| communique.occurrences.len() > 1) {
            for (group, _) in communique.variants.iter().filter(|(_, variant)| variant.at.is_some()) {
                let base = key_path("communiques", communique.id.as_str());
                let path = key_path(&format!("{base}.for"), group.as_str()) + ".at";
                let many = communique.occurrences.len();
                let message = format!("`{group}` is told {many} times at this time, once for each occurrence");
                out.push(Finding::warning("RC0616", path, message).help("make a communique of its own for this group"));
            }
        }
    }
}

/// No group waits for a time that is another group's alone.
#[derive(Debug)]
pub(super) struct NobodyHeldBack;

impl Rule for NobodyHeldBack {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0618"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        for communique in cx.plan().communiques() {
            let all: Vec<&Anchor> = communique.occurrences.iter().map(|occurrence| &occurrence.at.anchor).collect();
            let others = |of: &GroupId| communique.to.iter().any(|group| group != of);
            for (group, variant) in communique.variants.iter().filter(|(group, _)| others(group)) {
                let Some(own) = variant.at.as_ref().map(|at| &at.anchor) else { continue };
                // Whoever has the same time for each group holds nobody back.
                if communique.to.iter().all(|of| anchor_for(communique, of) == Some(own)) {
                    continue;
                }
                let held = if comes_later(communique, own) && !all.contains(&own) {
                    format!("nobody is told before the time of `{group}` is known, which counts from {}", named(own))
                } else if let Some(theirs) =
                    all.iter().find(|theirs| **theirs != own && comes_later(communique, theirs))
                {
                    format!(
                        "`{group}` is not told before the others' time is known, which counts from {}",
                        named(theirs)
                    )
                } else {
                    continue;
                };
                let base = key_path("communiques", communique.id.as_str());
                let path = key_path(&format!("{base}.for"), group.as_str()) + ".at";
                let help = "a communique goes out once all its times are known: make one of its own for this group";
                out.push(Finding::warning("RC0618", path, held).help(help));
            }
        }
    }
}

/// From what a group's own time counts.
fn anchor_for<'a>(communique: &'a Communique, group: &GroupId) -> Option<&'a Anchor> {
    communique.variants.get(group)?.at.as_ref().map(|at| &at.anchor)
}

/// Whether an anchor may be known only after all else for which the communique waits.
fn comes_later(communique: &Communique, anchor: &Anchor) -> bool {
    match anchor {
        Anchor::Reached(on, state) => !waits_for_all_of(communique, on, *state),
        Anchor::Begun | Anchor::Declared => !communique.awaits_declaration,
        Anchor::LastDeclared => true,
        Anchor::Planned | Anchor::Embargo | Anchor::At(_) => false,
    }
}

fn waits_for_all_of(communique: &Communique, on: &CommuniqueId, state: State) -> bool {
    let mut after = communique.after.iter();
    after.any(|after| &after.on == on && after.state == state && after.group.is_none() && after.share.is_none())
}

/// An anchor in the words of the plan language.
fn named(anchor: &Anchor) -> String {
    match anchor {
        Anchor::Planned => "`planned`".into(),
        Anchor::Begun => "`begun`".into(),
        Anchor::Declared => "`declared`".into(),
        Anchor::LastDeclared => "`last declared`".into(),
        Anchor::Embargo => "`embargo`".into(),
        Anchor::Reached(on, state) => format!("`{on} {state}`"),
        Anchor::At(at) => format!("{at}"),
    }
}

/// How long after its planned time a release is told of for the first time, and is still this one.
const FRESH: Duration = Duration::from_secs(24 * 60 * 60);

/// No date is so far away that it is a slip of the pen.
#[derive(Debug)]
pub(super) struct NotFar;

/// The most that anybody plans ahead, in days.
const AHEAD: u64 = 5 * 366;
/// 2000-01-01T00:00:00Z.
const CENTURY: Moment = Moment::from_millis(946_684_800_000);

impl Rule for NotFar {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0608"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        let now = cx.deployment().now;
        let mut say = |path: String, at: Moment| {
            // Where the present is known, what is past is a finding of its own.
            let wrong = match now {
                Some(now) if at > now + Duration::from_secs(AHEAD * 86_400) => "more than five years from now",
                None if at < CENTURY => "before the year 2000",
                _ => return,
            };
            out.push(Finding::warning("RC0608", path, format!("{at} is {wrong}")).help("is the year as it is meant?"));
        };
        if let Some(planned) = cx.plan().release().when.planned {
            say(cx.planned_path().into(), planned);
        }
        for communique in cx.plan().communiques() {
            for (path, timing) in cx.times(communique) {
                if let Anchor::At(at) = timing.anchor {
                    say(path, timing.resolve(at));
                }
            }
        }
        for (path, timing) in cx.other_times() {
            if let Anchor::At(at) = timing.anchor {
                say(path, timing.resolve(at));
            }
        }
    }
}

/// The instant, where it is known before the release.
fn instant(cx: &Subject<'_>, timing: &Timing) -> Option<Moment> {
    match timing.anchor {
        Anchor::At(at) => Some(timing.resolve(at)),
        Anchor::Planned => cx.plan().release().when.planned.map(|planned| timing.resolve(planned)),
        _ => None,
    }
}

/// How two times lie to each other, where that is known before the release: both are instants, or both relative to the same thing.
pub(super) fn order(cx: &Subject<'_>, a: &Timing, b: &Timing) -> Option<Ordering> {
    if let (Some(a), Some(b)) = (instant(cx, a), instant(cx, b)) {
        return Some(a.cmp(&b));
    }
    if a.anchor != b.anchor || a.zone != b.zone {
        return None;
    }
    // Offsets keep their order wherever the anchor lies only if they are of one kind.
    if a.time_of_day.is_none() && b.time_of_day.is_none() {
        let one = |x: &Timing| (i64::from(x.days), i64::from(x.business_days), x.elapsed_ms);
        let ((a0, a1, a2), (b0, b1, b2)) = (one(a), one(b));
        let orders = [a0.cmp(&b0), a1.cmp(&b1), a2.cmp(&b2)];
        if orders.iter().all(|o| o.is_le()) {
            return Some(if orders.iter().any(|o| o.is_lt()) { Ordering::Less } else { Ordering::Equal });
        }
        if orders.iter().all(|o| o.is_ge()) {
            return Some(Ordering::Greater);
        }
        return None;
    }
    if let (Some(at), Some(bt), true) = (a.time_of_day, b.time_of_day, a.business_days == b.business_days) {
        return Some((a.days, at).cmp(&(b.days, bt)));
    }
    None
}

/// Nothing ends before it begins.
#[derive(Debug)]
pub(super) struct BeforeItsEnd;

impl Rule for BeforeItsEnd {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0602", "RC0617"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        for communique in cx.plan().communiques() {
            ends_of_what_is_waited_for(cx, communique, out);
            for (path, timing, own, only) in cx.dues(communique) {
                let end = own.or(communique.not_after.as_ref());
                if end.is_some_and(|end| order(cx, end, timing) == Some(Ordering::Less)) {
                    let message = format!("`{}` is due after its `not_after`: it would never be sent", communique.id);
                    out.push(Finding::error("RC0602", path, message));
                } else if let Some(group) = never_open(cx, communique, timing, end, only) {
                    let message = format!(
                        "no hours in which `{}` may be told come before it is too late for `{}`: it would never be sent",
                        group.id, communique.id
                    );
                    let help = "make `between` longer or `not_after` later; `urgent: true` tells at any hour";
                    out.push(Finding::error("RC0602", path, message).help(help));
                }
            }
        }
    }
}

/// Finds ends that count from what another communique has reached, and which nothing waits for: they would never come.
fn ends_of_what_is_waited_for(cx: &Subject<'_>, communique: &Communique, out: &mut Findings) {
    let dues = cx.due_times(communique);
    let ends = cx.times(communique).into_iter().filter(|(path, _)| dues.iter().all(|(due, _)| due != path));
    for (path, end) in ends {
        let Anchor::Reached(on, state) = &end.anchor else { continue };
        let by_after = waits_for_all_of(communique, on, *state);
        let by_time = dues.iter().any(|(_, due)| due.anchor == end.anchor);
        if !by_after && !by_time {
            let message = format!("this end counts from `{on} {state}`, for which `{}` does not wait", communique.id);
            let help = format!("say `after: {on} {state}` as well, or let it count from another time");
            out.push(Finding::error("RC0617", path, message).help(help));
        }
    }
}

/// A group in whose zone the hours never come before the end, as far as that is known before the release.
fn never_open<'a>(
    cx: &'a Subject<'_>,
    communique: &Communique,
    at: &Timing,
    end: Option<&Timing>,
    only: Option<&GroupId>,
) -> Option<&'a Group> {
    if communique.urgent {
        return None;
    }
    let groups = communique.to.iter().filter(|id| only.is_none_or(|only| only == *id));
    groups.filter_map(|id| cx.plan().group(id)).find(|group| {
        let zone = group.zone.unwrap_or(cx.plan().zone());
        let own = at.between.map(|window| (window, if at.recipient_zone { zone } else { at.zone }));
        let hours = Hours(own.into_iter().chain(group.between.map(|window| (window, zone))).collect());
        if hours.0.is_empty() {
            return false;
        }
        let due = instant(cx, at);
        // Whether two windows meet at all does not hang on the day from which on one looks.
        let Some((opens, _)) = hours.next(due.unwrap_or(CENTURY)) else { return true };
        due.is_some() && end.and_then(|end| instant(cx, end)).is_some_and(|end| end < opens)
    })
}

/// Nothing is due before what it waits for.
#[derive(Debug)]
pub(super) struct AfterItsCause;

impl Rule for AfterItsCause {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0603"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        for communique in cx.plan().communiques() {
            for wait in waits(cx, communique).into_iter().filter(|wait| wait.by_after) {
                let Some(source) = cx.plan().communique(wait.on) else { continue };
                let over = communique.not_after.as_ref().is_some_and(|end| {
                    !source.occurrences.is_empty()
                        && source.occurrences.iter().all(|theirs| order(cx, end, &theirs.at) == Some(Ordering::Less))
                });
                if over {
                    let message = format!(
                        "`{}` ends before `{}`, for which it waits, is due: it would never be sent",
                        communique.id, source.id
                    );
                    out.push(Finding::error("RC0603", &wait.path, message));
                    continue;
                }
                for (own, theirs, path) in pairs(cx, communique, source) {
                    if order(cx, own, theirs) == Some(Ordering::Less) {
                        let message = format!("`{}` is due before `{}`, for which it waits", communique.id, source.id);
                        out.push(
                            Finding::error("RC0603", path, message)
                                .help("it would be sent late; set its time after the other's"),
                        );
                    }
                }
            }
        }
    }
}

/// The times of both that belong together: the same occurrence where both have it, else each with each.
fn pairs<'a>(
    cx: &Subject<'_>,
    communique: &'a Communique,
    source: &'a Communique,
) -> Vec<(&'a Timing, &'a Timing, String)> {
    let mut pairs = Vec::new();
    for own in &communique.occurrences {
        if !cx.is_written(communique, own) {
            // A default time says only that nothing else is waited for.
            continue;
        }
        let path = cx.occurrence_path(communique, own);
        let same = source.occurrences.iter().find(|theirs| own.id.is_some() && theirs.id == own.id);
        match same {
            Some(theirs) => pairs.push((&own.at, &theirs.at, path)),
            None => pairs.extend(source.occurrences.iter().map(|theirs| (&own.at, &theirs.at, path.clone()))),
        }
    }
    pairs
}

/// A step follows no faster than anybody looks.
#[derive(Debug)]
pub(super) struct NotFasterThanTheTick;

impl Rule for NotFasterThanTheTick {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0604"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        let Some(tick) = cx.deployment().tick else { return };
        for (path, steps) in cx.all_steps() {
            for (i, within) in steps.iter().enumerate().filter_map(|(i, step)| Some((i, step.within?))) {
                if within < tick {
                    let message = format!(
                        "a step that follows within {} s cannot: dispatch is called every {} s",
                        within.as_secs(),
                        tick.as_secs()
                    );
                    let help = "wait longer, or let dispatch run with `--wait`";
                    out.push(
                        Finding::error("RC0604", format!("{}.within", cx.step_path(&path, steps, i)), message)
                            .help(help),
                    );
                }
            }
        }
    }
}
