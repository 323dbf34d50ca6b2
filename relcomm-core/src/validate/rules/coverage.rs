//! Whether every group is told, and of everything that concerns it.

use super::super::audience::{named, told_apart};
use super::super::{Rule, Subject};
use super::graph::waits;
use crate::communique::{Anchor, Communique};
use crate::id::{CommuniqueId, GroupId, ItemId, PlaceId};
use crate::plan::{Finding, Findings, Part, Severity, key_path};
use crate::release::{Item, Outcome};
use crate::stakeholder::Group;
use std::collections::{BTreeMap, BTreeSet};

/// Every group is told that the release is in production, at each of its members' places, or waived.
#[derive(Debug)]
pub(super) struct EveryGroup;

impl Rule for EveryGroup {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0301", "RC0303", "RC0306", "RC0307"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        for group in cx.plan().groups() {
            let path = key_path("groups", group.id.as_str());
            let of_a_release: Vec<&Communique> = telling(cx, &group.id).collect();
            let of_this: Vec<&Communique> = of_a_release.iter().copied().filter(|c| is_of_this(cx, c)).collect();
            match (of_a_release.first(), of_this.first(), &group.waived) {
                (None, _, None) => {
                    let message = format!("no communique tells the group `{}` of the release", group.id);
                    let help = "name it in `to` of a communique, or say `waived: { why, by }`";
                    out.push(Finding::error("RC0301", path, message).help(help));
                }
                (Some(_), None, None) => out.push(not_of_this_release(cx, &group.id, path, &of_a_release)),
                (_, Some(communique), Some(_)) => {
                    let message = format!("the group `{}` is waived, yet `{}` is for it", group.id, communique.id);
                    out.push(Finding::warning("RC0303", format!("{path}.waived"), message));
                }
                (_, Some(_), None) => out.extend(not_at_their_places(cx, &group.id, path, &of_this)),
                (_, None, Some(_)) => {}
            }
        }
    }
}

/// The communiques that tell the group of a successful release, of whatever kind.
fn telling<'a>(cx: &Subject<'a>, group: &'a GroupId) -> impl Iterator<Item = &'a Communique> {
    cx.plan().communiques().iter().filter(move |c| c.outcome == Outcome::Success && c.to.contains(group))
}

/// Whether the communique is meant for this release. That a pre-release reaches nobody is the rule, and no gap.
fn is_of_this(cx: &Subject<'_>, communique: &Communique) -> bool {
    let release = cx.plan().release();
    release.prerelease || communique.kept_back(release).is_none()
}

fn not_of_this_release(cx: &Subject<'_>, group: &GroupId, path: String, telling: &[&Communique]) -> Finding {
    let kept = telling.iter().filter_map(|c| Some(format!("`{}` ({})", c.id, c.kept_back(cx.plan().release())?)));
    let kept: Vec<String> = kept.collect();
    let are = if kept.len() == 1 { "is" } else { "are" };
    let message =
        format!("no communique tells the group `{group}` of this release: {} {are} kept back", kept.join(", "));
    let help = "name the group in `to` of a communique for this release, or say `waived: { why, by }`";
    Finding::warning("RC0306", path, message).help(help)
}

/// Finds members at whose places nothing tells them.
fn not_at_their_places(cx: &Subject<'_>, group: &GroupId, path: String, telling: &[&Communique]) -> Option<Finding> {
    if telling.iter().any(|c| c.only_at.is_empty()) {
        return None;
    }
    let is_told = |place: &PlaceId| telling.iter().any(|c| c.only_at.contains(place));
    let untold = cx.people().members(group).iter().copied().filter(|number| {
        // Whoever is tied to no place belongs to all of them, where something does tell them.
        let places = cx.people().at(*number).map(|who| who.places()).unwrap_or_default();
        !places.is_empty() && !places.iter().any(is_told)
    });
    let untold: Vec<u32> = untold.collect();
    let first = untold.first()?;
    let places: BTreeSet<&PlaceId> =
        untold.iter().filter_map(|number| cx.people().at(*number)).flat_map(|who| who.places()).collect();
    let places: Vec<String> = places.into_iter().map(|place| format!("`{place}`")).collect();
    let who = match untold.len() {
        1 => "one member".to_owned(),
        count => format!("{count} members"),
    };
    let message = format!("no communique tells {who} of `{group}`: none is meant for {}", places.join(", "));
    let finding = Finding::warning("RC0307", path, message)
        .help("the position is that of the first; name their place in `if: { place: … }` of a communique, or add one");
    Some(match cx.member_position(*first) {
        Some(position) => finding.at(position),
        None => finding,
    })
}

/// Every item reaches every group that it concerns.
#[derive(Debug)]
pub(super) struct EveryItem;

impl Rule for EveryItem {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0302"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        let groups = cx.plan().groups().iter().filter(|group| group.waived.is_none()).collect();
        let apart: Vec<Vec<&Group>> = told_apart(cx, groups).into_iter().map(|(groups, _)| groups).collect();
        let is_telling = |c: &&Communique| c.outcome == Outcome::Success && is_of_this(cx, c);
        let telling: Vec<&Communique> = cx.plan().communiques().iter().filter(is_telling).collect();
        for (i, item) in cx.plan().release().what.iter().enumerate() {
            let is_missed = |groups: &&Vec<&Group>| {
                let mut told =
                    telling.iter().filter(|c| groups.iter().any(|group| c.to.contains(&group.id))).peekable();
                groups.iter().any(|group| item.concerns(&group.id))
                    && told.peek().is_some()
                    && !told.any(|c| is_where(c, item) && covers(cx, c, groups, item))
            };
            let mut all: Vec<&Vec<&Group>> = apart.iter().filter(is_missed).collect();
            // Of whoever is in several groups nothing is said where one of these misses it by itself.
            all.sort_by_key(|groups| groups.len());
            let mut missed: Vec<&Vec<&Group>> = Vec::new();
            for groups in all {
                if !missed.iter().any(|known| known.iter().all(|group| groups.iter().any(|g| g.id == group.id))) {
                    missed.push(groups);
                }
            }
            let missed: Vec<String> = missed.into_iter().map(|groups| named(groups)).collect();
            if missed.is_empty() {
                continue;
            }
            let message = format!("no text tells {} of the item `{}`", missed.join(", "), item.id);
            let variable = variable(&item.id);
            let help = format!(
                "use `{variable}` or `release.what` in a text for them, or name the item in `covers`, or say whom it `concerns`"
            );
            // An item that names its groups promises to reach them; one that names none concerns everybody only by default.
            let severity = if item.concerns.is_empty() { Severity::Warning } else { Severity::Error };
            out.push(Finding::new("RC0302", severity, cx.item_path(i), message).help(help));
        }
    }
}

/// Whether the communique is meant for a place where the item is.
fn is_where(communique: &Communique, item: &Item) -> bool {
    let (meant, places) = (&communique.only_at, &item.places);
    meant.is_empty() || places.is_empty() || meant.iter().any(|place| places.contains(place))
}

/// Whether the communique tells whoever is in these groups of the item: it says so, the text for them uses it, or the built-in text
/// lists it.
fn covers(cx: &Subject<'_>, communique: &Communique, groups: &[&Group], item: &Item) -> bool {
    if communique.covers.contains(&item.id) {
        return true;
    }
    let own = communique.to.iter().filter(|id| groups.iter().any(|group| group.id == **id));
    let variant = own.filter_map(|id| communique.variants.get_key_value(id)).next();
    let words = variant.filter(|(_, variant)| variant.wording.as_ref().is_some_and(|words| words.text.is_some()));
    let words = words.map(|(group, _)| group);
    let mut texts = cx
        .texts()
        .iter()
        .filter(|text| text.communique == communique.id && text.part == Part::Text && text.group.as_ref() == words)
        .peekable();
    if texts.peek().is_none() {
        // The built-in text lists what `covers` names, and everything where it names nothing.
        return communique.covers.is_empty();
    }
    texts.any(|text| text.broken || text.uses("release.what") || text.uses(&variable(&item.id)))
}

/// Every communique can be due.
#[derive(Debug)]
pub(super) struct EveryCommunique;

impl Rule for EveryCommunique {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0304"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        let mut never: BTreeMap<&CommuniqueId, (String, String)> = BTreeMap::new();
        for communique in cx.plan().communiques() {
            if let Some(why) = never_by_itself(cx, communique) {
                never.insert(&communique.id, why);
            }
        }
        // Who waits for what never is due waits for ever, too; each round reaches those who wait for the ones of the round before.
        let mut known = 0;
        while never.len() > known {
            known = never.len();
            for communique in cx.plan().communiques() {
                let wait = waits(cx, communique).into_iter().find(|wait| never.contains_key(wait.on));
                if let (Some(wait), false) = (wait, never.contains_key(&communique.id)) {
                    never.insert(&communique.id, (wait.path, format!("it waits for `{}`, which never is", wait.on)));
                }
            }
        }
        for (id, (path, why)) in never {
            out.push(Finding::warning("RC0304", path, format!("`{id}` can never be due: {why}")));
        }
    }
}

/// The path of the time at which it never is due, and why.
fn never_by_itself(cx: &Subject<'_>, communique: &Communique) -> Option<(String, String)> {
    let due = cx.due_times(communique);
    let (at, _) = due.first()?;
    let all = due.iter().all(|(_, timing)| timing.anchor == Anchor::Embargo);
    (all && cx.draft().embargo.is_none()).then(|| (at.clone(), "the plan has no embargo".to_owned()))
}

/// Somebody who is told belongs to every place.
#[derive(Debug)]
pub(super) struct EveryPlace;

impl Rule for EveryPlace {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0305"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        let places = &cx.plan().release().places;
        let told: BTreeSet<&GroupId> = cx.plan().communiques().iter().flat_map(|c| &c.to).collect();
        // Who is tied to no place belongs to all; so does a group that is reached by what is posted once.
        let everywhere = |group: &&&GroupId| cx.members_everywhere(group) > 0 || cx.people().members(group).is_empty();
        if places.len() < 2 || told.is_empty() || told.iter().any(|group| everywhere(&group)) {
            return;
        }
        let mut with_people: BTreeSet<&PlaceId> = BTreeSet::new();
        for number in told.iter().flat_map(|group| cx.people().members(group)) {
            with_people.extend(cx.people().at(*number).into_iter().flat_map(|who| who.places()));
            if with_people.len() == places.len() {
                return;
            }
        }
        for (i, place) in places.iter().enumerate().filter(|(_, place)| !with_people.contains(&place.id)) {
            let message = format!("nobody who is told belongs to the place `{}`", place.id);
            let path = key_path("release.where", place.id.as_str());
            let path = if cx.source().get(&path).is_some() { path } else { cx.entry_path("release.where", i) };
            let help = "tie members to it, or leave it out: what is declared there reaches nobody";
            out.push(Finding::warning("RC0305", path, message).help(help));
        }
    }
}

fn variable(item: &ItemId) -> String {
    format!("item.{}", super::super::vocabulary::identifier(item.as_str()))
}
