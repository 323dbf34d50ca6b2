//! Whether the embargo is kept by what the plan says.

use super::super::audience::audiences;
use super::super::vocabulary::{Unknown, judge};
use super::super::{Rule, Subject};
use super::timing::order;
use crate::communique::Communique;
use crate::id::GroupId;
use crate::plan::source::did_you_mean;
use crate::plan::{Embargo, Escalations, Finding, Findings, Reached, key_path, lies_within};
use std::cmp::Ordering;
use std::collections::{BTreeSet, HashSet};

/// What is classified is something that texts can say.
#[derive(Debug)]
pub(super) struct Classified;

impl Rule for Classified {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0620"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        let (Some(draft), Some(embargo)) = (&cx.draft().embargo, cx.plan().embargo()) else { return };
        for (i, (said, variable)) in draft.0.classified.iter().zip(&embargo.classified).enumerate() {
            if let Err(Unknown::Name { names, .. }) = judge(cx.plan(), variable) {
                let message = format!("no text can say `{said}`, so that nothing is classified by it");
                let help = did_you_mean(variable, names.iter().map(String::as_str)).unwrap_or_else(|| {
                    "name it as texts do: `release.what`, `release.why`, `item.ID`, `params.NAME`".to_owned()
                });
                let path = cx.entry_path("embargo.classified", i);
                out.push(Finding::error("RC0620", path, message).help(help));
            } else if let Some(open) = OPEN.into_iter().find(|open| lies_within(variable, open)) {
                let message =
                    format!("`{said}` cannot be kept back: `{open}` stands around every message and in every record");
                let help =
                    "classify what says what is new, such as `release.what`, `release.why`, `item.ID`, `params.NAME`";
                let path = cx.entry_path("embargo.classified", i);
                out.push(Finding::error("RC0620", path, message).help(help));
            }
        }
    }
}

/// What is in the envelopes of messages, in bundles and in reports: gates and keys are made of it.
const OPEN: [&str; 5] = ["release.product", "release.version", "release.where", "release.when", "place"];

/// Whoever is reached in the place of somebody who is cleared is cleared, too.
#[derive(Debug)]
pub(super) struct ClearedAlike;

impl Rule for ClearedAlike {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0624"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        let Some(embargo) = cx.plan().embargo() else { return };
        let is_early = |of: &&Communique| of.classified && embargo.clears(&of.to) && !all_after(cx, of, embargo);
        let mut escalations = None;
        let mut said = BTreeSet::new();
        let cleared = embargo.cleared.iter().flat_map(|group| cx.people().members(group));
        let cleared: HashSet<&str> = cleared.filter_map(|number| Some(cx.people().at(*number)?.id())).collect();
        for communique in cx.plan().communiques().iter().filter(is_early) {
            for audience in audiences(cx, communique) {
                let (steps, via) = audience.steps(cx);
                for (index, step) in steps.iter().enumerate() {
                    let Some(to) = &step.to else { continue };
                    let found = escalations.get_or_insert_with(|| Escalations::of(cx.plan(), cx.people()));
                    let people = (cx.plan(), cx.people());
                    let members = audience.members().iter().filter_map(|number| cx.people().at(*number));
                    let reached = members.filter_map(|who| found.reached(people, to, &step.via, who));
                    // Whoever answers for the release or holds a role knows of it.
                    let stranger = |reached: &Reached<'_>| match reached {
                        Reached::Person(who) => !cleared.contains(who.id()),
                        Reached::Party(_) => false,
                    };
                    let others = reached.filter(stranger).count();
                    let path = cx.step_path(&via, steps, index);
                    if others > 0 && said.insert(path.clone()) {
                        let message = format!(
                            "`{}` may be told before the embargo ends, and this step tells it to somebody who is not cleared",
                            communique.id
                        );
                        let help = "clear a group in which they are, or reach nobody in another's place here";
                        out.push(Finding::error("RC0624", path, message).help(help));
                    }
                }
            }
        }
    }
}

/// Whoever is not cleared hears nothing classified before the embargo's end.
#[derive(Debug)]
pub(super) struct Neutral;

impl Rule for Neutral {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0621", "RC0622"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        let Some(embargo) = cx.plan().embargo() else { return };
        for communique in cx.plan().communiques().iter().filter(|communique| communique.classified) {
            let dues = cx.dues(communique);
            let early = dues.iter().find(|(_, due, _, only)| {
                let all = only.map_or(communique.to.as_slice(), std::slice::from_ref);
                !embargo.clears(all) && order(cx, due, &embargo.until) == Some(Ordering::Less)
            });
            let (cleared, others): (Vec<&GroupId>, Vec<&GroupId>) =
                communique.to.iter().partition(|group| embargo.cleared.contains(group));
            let of = |groups: &[&GroupId]| groups.iter().map(|g| format!("`{g}`")).collect::<Vec<_>>().join(", ");
            if let Some((path, ..)) = early {
                let message = format!(
                    "`{}` is due before the embargo ends, and its text says what is classified to {}",
                    communique.id,
                    of(&others)
                );
                let help = if cleared.is_empty() {
                    "leave what is classified out of its text, or let it be due when the embargo ends: `at: embargo`"
                        .to_owned()
                } else {
                    format!("split it: one communique for {}, who are cleared, and one `at: embargo`", of(&cleared))
                };
                out.push(Finding::error("RC0621", path.clone(), message).help(help));
            } else if !cleared.is_empty() && !others.is_empty() && !all_after(cx, communique, embargo) {
                let message = format!(
                    "{} may know before the embargo ends, but `{}` waits for its end because it is for {}, too",
                    of(&cleared),
                    communique.id,
                    of(&others)
                );
                let path = key_path("communiques", communique.id.as_str()) + ".to";
                let help = "split it: one communique for those who are cleared, and one for the others";
                out.push(Finding::warning("RC0622", path, message).help(help));
            }
        }
    }
}

/// Whether everything of it is due when the embargo has ended, so that nobody waits for that.
fn all_after(cx: &Subject<'_>, communique: &Communique, embargo: &Embargo) -> bool {
    use crate::communique::Anchor;
    cx.dues(communique).iter().all(|(_, due, ..)| {
        due.anchor == Anchor::Embargo || order(cx, due, &embargo.until).is_some_and(Ordering::is_ge)
    })
}
