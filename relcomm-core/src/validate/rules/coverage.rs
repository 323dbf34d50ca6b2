//! Whether every group is told, and of everything that concerns it.

use super::super::{Rule, Subject};
use crate::communique::Communique;
use crate::id::{GroupId, ItemId};
use crate::plan::{Finding, Findings, Part, Severity, key_path};
use crate::release::{Item, Outcome};

/// Every group is told that the release is in production, or waived.
#[derive(Debug)]
pub(super) struct EveryGroup;

impl Rule for EveryGroup {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0301", "RC0303"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        for group in cx.plan().groups() {
            let path = key_path("groups", group.id.as_str());
            let told = telling(cx, &group.id).next();
            match (told, &group.waived) {
                (None, None) => {
                    let message = format!("no communique tells the group `{}` of the release", group.id);
                    let help = "name it in `to` of a communique, or say `waived: { why, by }`";
                    out.push(Finding::error("RC0301", path, message).help(help));
                }
                (Some(communique), Some(_)) => {
                    let message = format!("the group `{}` is waived, yet `{}` is for it", group.id, communique.id);
                    out.push(Finding::warning("RC0303", format!("{path}.waived"), message));
                }
                _ => {}
            }
        }
    }
}

/// The communiques that tell the group of a successful release.
fn telling<'a>(cx: &Subject<'a>, group: &'a GroupId) -> impl Iterator<Item = &'a Communique> {
    cx.plan().communiques().iter().filter(move |c| c.outcome == Outcome::Success && c.to.contains(group))
}

/// Every item reaches every group that it concerns.
#[derive(Debug)]
pub(super) struct EveryItem;

impl Rule for EveryItem {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0302"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        for (i, item) in cx.plan().release().what.iter().enumerate() {
            let missed: Vec<String> = cx
                .plan()
                .groups()
                .iter()
                .filter(|group| group.waived.is_none() && item.concerns(&group.id))
                .filter(|group| {
                    let mut told = telling(cx, &group.id).peekable();
                    told.peek().is_some() && !told.any(|c| covers(cx, c, &group.id, item))
                })
                .map(|group| format!("`{}`", group.id))
                .collect();
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

/// Whether the communique tells the group of the item: it says so, its text uses it, or the built-in text lists it.
fn covers(cx: &Subject<'_>, communique: &Communique, group: &GroupId, item: &Item) -> bool {
    if communique.covers.contains(&item.id) {
        return true;
    }
    let own_words = communique
        .variants
        .get(group)
        .is_some_and(|variant| variant.wording.as_ref().is_some_and(|w| w.text.is_some()));
    let mut texts = cx
        .texts()
        .iter()
        .filter(|text| text.communique == communique.id && text.part == Part::Text)
        .filter(|text| if own_words { text.group.as_ref() == Some(group) } else { text.group.is_none() })
        .peekable();
    if texts.peek().is_none() {
        // The built-in text lists what `covers` names, and everything where it names nothing.
        return communique.covers.is_empty();
    }
    texts.any(|text| text.broken || text.uses("release.what") || text.uses(&variable(&item.id)))
}

fn variable(item: &ItemId) -> String {
    format!("item.{}", super::super::vocabulary::identifier(item.as_str()))
}
