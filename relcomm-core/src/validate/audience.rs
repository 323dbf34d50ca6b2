//! Whom a communique tells in the same way.

use super::Subject;
use crate::communique::{Communique, Step};
use crate::mechanism::Mechanism;
use crate::plan::key_path;
use crate::receipt::Assurance;
use crate::stakeholder::Group;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Those whom a communique tells through the same of its groups: one delivery to each of them is credited to all of these groups.
pub(super) struct Audience<'a> {
    communique: &'a Communique,
    /// Those groups, in the communique's order.
    groups: Vec<&'a Group>,
    first: &'a Group,
    members: Cow<'a, [u32]>,
}

/// The audiences of a communique.
pub(super) fn audiences<'a>(cx: &Subject<'a>, communique: &'a Communique) -> Vec<Audience<'a>> {
    let groups = communique.to.iter().filter_map(|id| cx.plan().group(id)).collect();
    let apart = told_apart(cx, groups).into_iter();
    apart
        .filter_map(|(groups, members)| Some(Audience { communique, first: *groups.first()?, groups, members }))
        .collect()
}

/// Of each of these groups whoever is in no other of them, and all of one without members; and whoever is in the same several.
pub(super) fn told_apart<'a>(cx: &Subject<'a>, groups: Vec<&'a Group>) -> Vec<(Vec<&'a Group>, Cow<'a, [u32]>)> {
    let members = |group: &Group| cx.people().members(&group.id);
    if let [group] = groups.as_slice() {
        let members = members(group);
        return vec![(groups, Cow::Borrowed(members))];
    }
    // Everyone's set of groups, by its number; nobody is in any at first.
    let mut sets: Vec<Vec<&Group>> = vec![Vec::new()];
    let mut of = vec![0_usize; cx.people().len()];
    for group in &groups {
        let mut with_it: Vec<(usize, usize)> = Vec::new();
        for number in members(group) {
            let Some(set) = of.get_mut(*number as usize) else { continue };
            let known = with_it.iter().find(|(before, _)| before == set).map(|(_, after)| *after);
            *set = known.unwrap_or_else(|| {
                let mut more = sets.get(*set).cloned().unwrap_or_default();
                more.push(group);
                sets.push(more);
                with_it.push((*set, sets.len() - 1));
                sets.len() - 1
            });
        }
    }
    let mut people: Vec<Vec<u32>> = vec![Vec::new(); sets.len()];
    for number in groups.iter().flat_map(|group| members(group)) {
        // Whoever is in several is met several times, and stands where they are met first.
        let set = of.get_mut(*number as usize).map(std::mem::take).unwrap_or_default();
        people.get_mut(set).filter(|_| set > 0).into_iter().for_each(|people| people.push(*number));
    }
    let empty =
        groups.iter().filter(|group| members(group).is_empty()).map(|group| (vec![*group], Cow::Owned(Vec::new())));
    let sets = sets.into_iter().zip(people).filter(|(_, people)| !people.is_empty());
    empty.chain(sets.map(|(groups, people)| (groups, Cow::Owned(people)))).collect()
}

impl<'a> Audience<'a> {
    pub(super) fn groups(&self) -> &[&'a Group] {
        &self.groups
    }

    pub(super) fn members(&self) -> &[u32] {
        &self.members
    }

    /// The steps by which it is reached, and their path in the plan: those of `for` of the first group that it names, else the
    /// communique's, else the first group's. None means by the kinds of address that a member has.
    pub(super) fn steps(&self, cx: &Subject<'a>) -> (&'a [Step], String) {
        let named = self.groups.iter().map(|group| &group.id).find(|id| self.communique.variants.contains_key(*id));
        cx.steps_by(self.communique, named, self.first)
    }

    /// The mechanisms that may reach somebody in it.
    pub(super) fn mechanisms(&self, cx: &Subject<'a>) -> BTreeSet<Mechanism> {
        let (steps, _) = self.steps(cx);
        if !steps.is_empty() {
            return steps.iter().map(|step| step.via.clone()).collect();
        }
        match self.groups.as_slice() {
            [group] => cx.kinds_of_address(&group.id),
            _ => {
                let members = self.members.iter().filter_map(|number| cx.people().at(*number));
                members.flat_map(|who| who.mechanisms().iter().cloned()).collect()
            }
        }
    }

    /// What counts as informed, and the path in the plan that says so: the communique's own rule, else the strictest of the groups'.
    pub(super) fn informed_when(&self) -> (Assurance, String) {
        if let Some(own) = self.communique.informed_when {
            return (own, key_path("communiques", self.communique.id.as_str()) + ".informed_when");
        }
        let strictest = self.groups.iter().rev().max_by_key(|group| group.informed_when).unwrap_or(&self.first);
        (strictest.informed_when, key_path("groups", strictest.id.as_str()) + ".informed_when")
    }

    /// The groups by their names: `` `staff` ``, or `` `staff` and `partners` ``.
    pub(super) fn named(&self) -> String {
        named(&self.groups)
    }

    /// Advice, and how somebody in several groups is told, where that is so.
    pub(super) fn help(&self, advice: &str) -> String {
        match self.groups.as_slice() {
            [_, _, ..] => format!(
                "{advice}; whoever is in several groups of a communique is told by the steps of the first, unless `for` names one of them, and informed by the strictest `informed_when`"
            ),
            _ => advice.to_owned(),
        }
    }
}

/// These groups by their names.
pub(super) fn named(groups: &[&Group]) -> String {
    groups.iter().map(|group| format!("`{}`", group.id)).collect::<Vec<_>>().join(" and ")
}
