//! Whether what waits for another communique can ever stop waiting.

use super::super::{Rule, Subject};
use crate::communique::{Anchor, Communique, Share, State};
use crate::id::{CommuniqueId, GroupId, PlaceId};
use crate::plan::{Finding, Findings, key_path};
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
        let path = format!("{}.to.told", key_path("communiques", communique.id.as_str()));
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
            let who = format!("`{}`", communique.id);
            waits(cx, communique).iter().for_each(|wait| can_come(cx, &who, wait, out));
        }
        for (place, wait) in needs(cx) {
            can_come(cx, &format!("the place `{place}`"), &wait, out);
        }
    }
}

/// Says where what somebody waits for never comes by itself.
fn can_come(cx: &Subject<'_>, who: &str, wait: &Wait<'_>, out: &mut Findings) {
    let Some(source) = cx.plan().communique(wait.on) else { return };
    if let Some(group) = wait.group
        && !source.to.contains(group)
    {
        let message = format!("`{}` is not for the group `{group}`, so that it never reaches it", source.id);
        out.push(Finding::error("RC0613", &wait.path, message));
        return;
    }
    let State::Reached(wanted) = wait.state else { return };
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
            "{who} waits until `{}` is {wanted} for `{group}`, which is pursued only until {pursued}: it may wait for ever",
            source.id
        );
        let help = format!("wait for `informed`, or let `{}` be `informed_when: {wanted}`", source.id);
        out.push(Finding::error("RC0612", &wait.path, message).help(help));
    }
}

/// What places need before they can be declared.
fn needs<'a>(cx: &Subject<'a>) -> Vec<(&'a PlaceId, Wait<'a>)> {
    let mut needs = Vec::new();
    for place in &cx.plan().release().places {
        for (i, need) in cx.plan().needs(&place.id).iter().enumerate() {
            let path = cx.entry_path(&(key_path("release.where", place.id.as_str()) + ".needs"), i);
            let wait = Wait { on: &need.on, state: need.state, group: need.group.as_ref(), path, by_after: false };
            needs.push((&place.id, wait));
        }
    }
    needs
}

/// What a place needs does not wait for a declaration itself, through however many others.
#[derive(Debug)]
pub(super) struct BeforeDeclared;

impl Rule for BeforeDeclared {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0615"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        for (place, need) in needs(cx) {
            let mut seen: Vec<&CommuniqueId> = vec![need.on];
            let mut next = 0;
            while let Some(communique) = seen.get(next).and_then(|id| cx.plan().communique(id)) {
                next += 1;
                if communique.awaits_declaration {
                    let which = if &communique.id == need.on {
                        format!("`{}`, which waits", need.on)
                    } else {
                        format!("`{}`, and so `{}`, which waits", need.on, communique.id)
                    };
                    let message = format!("{place} needs {which} for a declaration: it can never be declared");
                    let help = "let it go out before the release, at `planned` or an instant, and claim nothing that is declared";
                    out.push(Finding::error("RC0615", &need.path, message).help(help));
                    break;
                }
                for wait in waits(cx, communique) {
                    if !seen.contains(&wait.on) {
                        seen.push(wait.on);
                    }
                }
            }
        }
    }
}

/// A share that a communique waits for leaves somebody out.
#[derive(Debug)]
pub(super) struct Partial;

impl Rule for Partial {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0614"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        for communique in cx.plan().communiques() {
            for (i, dependency) in communique.after.iter().enumerate() {
                let Some(source) = cx.plan().communique(&dependency.on) else { continue };
                let groups = source.to.iter().filter(|id| dependency.group.as_ref().is_none_or(|only| only == *id));
                let mut counted: Vec<u32> =
                    groups.flat_map(|group| cx.people().members(group).iter().copied()).collect();
                counted.sort_unstable();
                counted.dedup();
                let who = counted.iter().filter_map(|number| cx.people().at(*number));
                let weights: Vec<u64> = who.map(|who| u64::from(who.stands_for())).collect();
                // Of nobody at all there is a finding of its own.
                let Some(least) = weights.iter().min() else { continue };
                let all: u64 = weights.iter().sum();
                let is_all = match dependency.share {
                    None | Some(Share::All) => false,
                    Some(Share::Any) => weights.len() == 1,
                    Some(Share::AtLeast(share)) => (all - least) * 10_000 < all * u64::from(share),
                };
                if let Some(share) = dependency.share.filter(|_| is_all) {
                    let many = if weights.len() == 1 { "one stakeholder".to_owned() } else { format!("{all}") };
                    let message = format!("{share} of {many} is everybody for whom `{}` is", dependency.on);
                    let finding = Finding::warning("RC0614", cx.after_path(&communique.id, i), message);
                    out.push(finding.help("leave the share out, or wait for fewer"));
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
