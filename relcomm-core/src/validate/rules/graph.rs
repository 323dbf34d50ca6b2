//! Whether what waits for another communique can ever stop waiting.

use super::super::{Rule, Subject};
use crate::communique::{Anchor, Communique, State};
use crate::id::{CommuniqueId, GroupId};
use crate::plan::{Finding, Findings};
use crate::receipt::Assurance;
use std::collections::{BTreeMap, BTreeSet};

/// One wait of a communique for another.
pub(super) struct Wait<'a> {
    pub(super) on: &'a CommuniqueId,
    pub(super) state: State,
    pub(super) group: Option<&'a GroupId>,
    pub(super) path: String,
    /// Whether `after` says it, rather than a time.
    pub(super) by_after: bool,
}

/// What the communique waits for, by `after` and by its anchors.
pub(super) fn waits<'a>(cx: &Subject<'a>, communique: &'a Communique) -> Vec<Wait<'a>> {
    let mut waits = Vec::new();
    for (i, dependency) in communique.after.iter().enumerate() {
        waits.push(Wait {
            on: &dependency.on,
            state: dependency.state,
            group: dependency.group.as_ref(),
            path: cx.after_path(&communique.id, i),
            by_after: true,
        });
    }
    for (path, timing) in cx.due_times(communique) {
        if let Anchor::Reached(on, state) = &timing.anchor {
            waits.push(Wait { on, state: *state, group: None, path, by_after: false });
        }
    }
    if let Some(corrects) = &communique.corrects {
        let path = format!("{}.to.told", crate::plan::key_path("communiques", communique.id.as_str()));
        waits.push(Wait { on: &corrects.of, state: State::Drained, group: None, path, by_after: false });
    }
    waits
}

/// No communique waits for itself, through however many others.
#[derive(Debug)]
pub(super) struct NoCycle;

impl Rule for NoCycle {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0611"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        let edges: BTreeMap<&CommuniqueId, Vec<Wait<'_>>> =
            cx.plan().communiques().iter().map(|c| (&c.id, waits(cx, c))).collect();
        let mut done: BTreeSet<&CommuniqueId> = BTreeSet::new();
        for communique in cx.plan().communiques() {
            // Each entry is a communique on the path from the start and how many of its waits were followed.
            let mut path: Vec<(&CommuniqueId, usize)> = vec![(&communique.id, 0)];
            while let Some((id, next)) = path.last_mut() {
                let (id, wait) = (*id, edges.get(*id).and_then(|waits| waits.get(*next)));
                *next += 1;
                let Some(wait) = wait else {
                    done.insert(id);
                    path.pop();
                    continue;
                };
                if let Some(begin) = path.iter().position(|(before, _)| *before == wait.on) {
                    let mut ring: Vec<String> = path.iter().skip(begin).map(|(id, _)| format!("`{id}`")).collect();
                    ring.push(format!("`{}`", wait.on));
                    let message = format!("communiques wait for each other in a circle: {}", ring.join(" after "));
                    out.push(Finding::error("RC0611", &wait.path, message).help("one of them must go first"));
                } else if !done.contains(wait.on) && edges.contains_key(wait.on) {
                    path.push((wait.on, 0));
                }
            }
        }
    }
}

/// What is waited for is something that its source pursues.
#[derive(Debug)]
pub(super) struct Pursued;

impl Rule for Pursued {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0612", "RC0613"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        for communique in cx.plan().communiques() {
            for wait in waits(cx, communique) {
                let Some(source) = cx.plan().communique(wait.on) else { continue };
                if let Some(group) = wait.group
                    && !source.to.contains(group)
                {
                    let message =
                        format!("`{}` is not for the group `{group}`, so that it never reaches it", source.id);
                    out.push(Finding::error("RC0613", &wait.path, message));
                    continue;
                }
                let State::Reached(wanted) = wait.state else { continue };
                let weakest = source
                    .to
                    .iter()
                    .filter(|group| wait.group.is_none_or(|only| only == *group))
                    .filter_map(|group| Some((group, pursued(cx, source, group)?)))
                    .min_by_key(|(_, pursued)| *pursued);
                if let Some((group, pursued)) = weakest
                    && wanted > pursued
                {
                    let message = format!(
                        "`{}` waits until `{}` is {wanted} for `{group}`, which is pursued only until {pursued}: it may wait for ever",
                        communique.id, source.id
                    );
                    let help = format!("wait for `informed`, or let `{}` be `informed_when: {wanted}`", source.id);
                    out.push(Finding::error("RC0612", &wait.path, message).help(help));
                }
            }
        }
    }
}

/// How far deliveries to the group are pursued: what counts as informed, and what any move-on condition asks.
fn pursued(cx: &Subject<'_>, communique: &Communique, group: &GroupId) -> Option<Assurance> {
    let group = cx.plan().group(group)?;
    let informed = communique.informed_when.unwrap_or(group.informed_when);
    cx.steps(communique, group).0.iter().filter_map(|step| step.unless).chain([informed]).max()
}
