//! Whether all that is declared is used. What is not is left over, or its use is misspelt.

use super::super::{Rule, Subject, vocabulary::identifier};
use crate::id::Role;
use crate::mechanism::Mechanism;
use crate::plan::draft::{BlockedThen, FullStepDraft, Named, NeedDraft, ReachDraft, StepDraft, ViaDraft};
use crate::plan::{Finding, Findings, key_path};
use std::collections::BTreeSet;

/// Parameters, mechanisms, profiles, roles and performers are used.
///
/// Where something of the kind is named that does not exist, the name is misspelt: that is a finding already.
#[derive(Debug)]
pub(super) struct AllUsed;

impl Rule for AllUsed {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0106"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        let draft = cx.draft();
        let mut say = |base: &str, kind: &str, word: &str| {
            let message = format!("nothing uses the {kind} `{word}`");
            out.push(Finding::warning("RC0106", key_path(base, word), message).help("use it, or leave it out"));
        };
        // What a text uses is known only if every text could be read.
        if texts_are_known(cx) {
            for name in draft.params.keys().filter(|name| !uses_param(cx, name)) {
                say("params", "parameter", name);
            }
        }
        let mechanisms = mechanisms_used(cx);
        let all_known =
            mechanisms.iter().all(|word| word.is_standard() || draft.mechanisms.keys().any(|own| own == word));
        for word in draft.mechanisms.keys().filter(|word| all_known && !mechanisms.contains(*word)) {
            say("mechanisms", "mechanism", word.as_str());
        }
        let taken: Vec<&String> =
            draft.communiques.values().filter_map(|communique| communique.profile.as_ref()).collect();
        let all_known = taken.iter().all(|name| draft.profiles.keys().any(|known| known == *name));
        for name in draft.profiles.keys().filter(|name| all_known && !taken.contains(name)) {
            say("profiles", "profile", name);
        }
        let steps = steps(cx);
        let roles = roles_used(cx, &steps);
        let approvals = cx.plan().approvals();
        let all_known = approvals.need.iter().all(|need| approvals.roles.contains_key(&need.role));
        for role in approvals.roles.keys().filter(|role| all_known && !roles.contains(role.as_str())) {
            say("approvals.roles", "role", role.as_str());
        }
        let performers = &cx.plan().responsible().performers;
        let named: Vec<&Role> = steps.iter().filter_map(|step| step.performer.as_ref()).collect();
        let all_known = named.iter().all(|role| performers.contains_key(*role));
        for role in
            performers.keys().filter(|role| all_known && !named.contains(role) && !roles.contains(role.as_str()))
        {
            say("responsible.performers", "performer", role.as_str());
        }
    }
}

fn texts_are_known(cx: &Subject<'_>) -> bool {
    let expected = cx.draft().communiques.values().filter(|c| c.text.is_some() || c.text_file.is_some()).count();
    let read = cx.plan().communiques().iter().filter(|c| c.wording.text.is_some()).count();
    expected == read && cx.texts().iter().all(|text| !text.broken)
}

/// Whether a text uses the parameter, or the file names it elsewhere: there it was filled in before anything else looked.
fn uses_param(cx: &Subject<'_>, name: &str) -> bool {
    let in_text =
        |text: &crate::plan::Text| text.uses.contains("params") || text.uses(&format!("params.{}", identifier(name)));
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-'));
    let in_file = |name: &str| {
        let reference = format!("params.{name}");
        let file = cx.source().text();
        file.match_indices(&reference).any(|(at, found)| file.get(at + found.len()..).is_some_and(ends))
    };
    cx.texts().iter().any(in_text) || in_file(name) || in_file(&name.replace('-', "_"))
}

/// Every mechanism that a step goes by or somebody has an address for.
fn mechanisms_used(cx: &Subject<'_>) -> BTreeSet<Mechanism> {
    let mut used: BTreeSet<Mechanism> = cx.mechanisms_named().into_iter().map(|(_, mechanism)| mechanism).collect();
    used.extend(cx.plan().groups().iter().flat_map(|group| cx.kinds_of_address(&group.id)));
    let responsible = cx.plan().responsible();
    let parties =
        std::iter::once(&responsible.execute).chain(&responsible.backup).chain(responsible.performers.values());
    used.extend(parties.flat_map(|party| party.addresses.keys().cloned()));
    used.extend(steps(cx).into_iter().filter_map(|step| step.via.clone()));
    used
}

/// The words of roles that the plan gives a part to.
fn roles_used<'a>(cx: &Subject<'a>, steps: &[&'a FullStepDraft]) -> BTreeSet<&'a str> {
    let draft = cx.draft();
    let mut used: BTreeSet<&str> = BTreeSet::new();
    for need in draft.approvals.iter().flat_map(|approvals| &approvals.need) {
        used.insert(match need {
            NeedDraft::Role(role) => role.as_str(),
            NeedDraft::Only(need) => need.role.as_str(),
        });
    }
    if let Some(protocol) = &draft.protocol {
        let acts = [&protocol.prepare, &protocol.approve, &protocol.declare, &protocol.execute];
        used.extend(acts.into_iter().flatten().map(Named::as_str));
    }
    used.extend(draft.embargo.iter().flat_map(|embargo| &embargo.0.lift).map(Named::as_str));
    used.extend(draft.groups.values().filter_map(|group| Some(group.full.owner.as_ref()?.as_str())));
    used.extend(steps.iter().filter_map(|step| Some(named(step)?.as_str())));
    for communique in draft.communiques.values() {
        if let Some(BlockedThen::Ask(role)) = communique.if_blocked.as_ref().map(|blocked| &blocked.then) {
            used.insert(role.as_str());
        }
    }
    used
}

fn named(step: &FullStepDraft) -> Option<&Named> {
    match step.to.as_ref()? {
        ReachDraft::Named(named) => Some(named),
        ReachDraft::Column(_) => None,
    }
}

/// Every step of which more is said than its mechanism.
fn steps<'a>(cx: &Subject<'a>) -> Vec<&'a FullStepDraft> {
    let draft = cx.draft();
    let mut found = Vec::new();
    let groups = draft.groups.values().filter_map(|group| group.full.via.as_ref());
    let communiques = draft.communiques.values().filter_map(|communique| communique.via.as_ref());
    let variants = draft.communiques.values().flat_map(|c| c.variants.values()).filter_map(|v| v.via.as_ref());
    groups.chain(communiques).chain(variants).for_each(|via| steps_of(via, &mut found));
    found
}

fn steps_of<'a>(via: &'a ViaDraft, found: &mut Vec<&'a FullStepDraft>) {
    match via {
        ViaDraft::Steps(steps) => all_of(steps, found),
        ViaDraft::AsTold(as_told) => as_told.also.values().for_each(|via| steps_of(via, found)),
    }
}

fn all_of<'a>(steps: &'a [StepDraft], found: &mut Vec<&'a FullStepDraft>) {
    for step in steps {
        if let StepDraft::Full(step) = step {
            found.push(step);
            all_of(&step.all, found);
        }
    }
}
