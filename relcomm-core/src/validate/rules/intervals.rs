//! Whether what follows step by step can follow in the time that there is.

use super::super::{Rule, Subject};
use super::graph::waits;
use super::timing::order;
use crate::communique::{Communique, State, Step, Timing};
use crate::id::{CommuniqueId, GroupId};
use crate::plan::{Finding, Findings, key_path};
use crate::receipt::Assurance;
use crate::stakeholder::Group;
use std::cmp::Ordering;
use std::time::Duration;

/// The last step can begin before it is too late: the intervals of the steps, and of what is waited for, end before the time that is set.
#[derive(Debug)]
pub(super) struct InTime;

impl Rule for InTime {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0609"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        for communique in cx.plan().communiques() {
            for group in communique.to.iter().filter_map(|id| cx.plan().group(id)) {
                let own = until_last_step(cx, communique, group, None);
                if let Some(within) = group.within.filter(|within| *within < own) {
                    let message = format!(
                        "the last step of `{}` to `{}` begins {} after it is due, `within` is {}",
                        communique.id,
                        group.id,
                        shown(own),
                        shown(within)
                    );
                    let path = key_path("groups", group.id.as_str()) + ".within";
                    out.push(Finding::warning("RC0609", path, message).help(HELP));
                }
            }
            ends(cx, communique, out);
        }
    }
}

const HELP: &str =
    "wait less between the steps, spread them over less, or set the time later; only a refusal moves on at once";

/// Where the communique, or what it waits for, is still on its way when its time ends.
fn ends(cx: &Subject<'_>, communique: &Communique, out: &mut Findings) {
    let draft = cx.draft().communiques.iter().find(|(id, _)| *id == communique.id).map(|(_, draft)| draft);
    let path = key_path("communiques", communique.id.as_str());
    let mut ends: Vec<(String, &str, Option<&GroupId>, Timing)> = Vec::new();
    ends.extend(communique.not_after.iter().map(|end| (format!("{path}.not_after"), "not_after", None, end.clone())));
    let zone = cx.draft().zone.map(|zone| zone.0);
    if let Some(draft) = draft {
        let deadline = draft.deadline.as_ref().and_then(|end| end.timing(zone).ok());
        ends.extend(deadline.map(|end| (format!("{path}.deadline"), "deadline", None, end)));
        for (group, variant) in &draft.variants {
            let deadline = variant.deadline.as_ref().and_then(|end| end.timing(zone).ok());
            let path = key_path(&format!("{path}.for"), group.as_str()) + ".deadline";
            ends.extend(deadline.map(|end| (path, "deadline", Some(group), end)));
        }
    }
    for (path, word, only, end) in ends {
        let groups = communique.to.iter().filter(|id| only.is_none_or(|only| only == *id));
        let own =
            groups.filter_map(|id| cx.plan().group(id)).map(|group| until_last_step(cx, communique, group, None)).max();
        let own = own.unwrap_or_default();
        let begins = begins(cx, communique, &mut Vec::new());
        let is_over = |due: &Timing| order(cx, &end, due) == Some(Ordering::Less);
        if word == "deadline" && begins.iter().any(|(due, _)| is_over(due)) {
            let message = format!("`{}` is due after its `deadline`: everybody is informed too late", communique.id);
            out.push(Finding::warning("RC0609", path, message));
            continue;
        }
        let late = begins
            .into_iter()
            // What ends before it is even due is another finding.
            .filter(|(due, _)| !is_over(due))
            .map(|(due, waited)| (own + waited + due.spread.unwrap_or_default(), waited, due))
            .find(|(lasts, _, due)| is_over(&later(due, *lasts)));
        if let Some((lasts, waited, _)) = late {
            let after = if waited.is_zero() { "it is due" } else { "what it waits for is due" };
            let message = format!(
                "the last step of `{}` begins {} after {after}, past its `{word}`",
                communique.id,
                shown(lasts)
            );
            out.push(Finding::warning("RC0609", path, message).help(HELP));
        }
    }
}

/// From when on the communique is sent at the latest, if all that it waits for takes the time of its steps: times, and how long after.
fn begins(cx: &Subject<'_>, communique: &Communique, on_the_way: &mut Vec<CommuniqueId>) -> Vec<(Timing, Duration)> {
    if on_the_way.contains(&communique.id) {
        return Vec::new();
    }
    on_the_way.push(communique.id.clone());
    let mut begins: Vec<(Timing, Duration)> =
        cx.due_times(communique).into_iter().map(|(_, due)| (due.clone(), Duration::ZERO)).collect();
    for wait in waits(cx, communique).into_iter().filter(|wait| wait.by_after) {
        let Some(source) = cx.plan().communique(wait.on) else { continue };
        let groups = source.to.iter().filter(|id| wait.group.is_none_or(|only| only == *id));
        let lasts = groups
            .filter_map(|id| cx.plan().group(id))
            .map(|group| until_last_step(cx, source, group, Some(wait.state)))
            .max()
            .unwrap_or_default();
        begins.extend(self::begins(cx, source, on_the_way).into_iter().map(|(due, waited)| (due, waited + lasts)));
    }
    on_the_way.pop();
    begins
}

/// How long after it is due the last step begins if nothing is reached before; of the steps that matter to who waits for a state.
fn until_last_step(cx: &Subject<'_>, communique: &Communique, group: &Group, state: Option<State>) -> Duration {
    let informed = communique.informed_when.unwrap_or(group.informed_when);
    let wanted = match state {
        None | Some(State::Settled | State::Drained) => Assurance::Acknowledged,
        Some(State::Informed) => informed,
        Some(State::Reached(wanted)) => wanted,
    };
    let matters = |step: &&Step| step.unless.is_some_and(|unless| unless <= wanted);
    cx.steps(communique, group).0.iter().filter(matters).filter_map(|step| step.within).sum()
}

fn later(timing: &Timing, by: Duration) -> Timing {
    let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
    Timing { elapsed_ms: timing.elapsed_ms.saturating_add(by), ..timing.clone() }
}

fn shown(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let parts = [(seconds / 86_400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let shown: String = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    if shown.is_empty() { "0s".to_owned() } else { shown }
}
