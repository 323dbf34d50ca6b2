//! Gaps: people who must be informed and whom nobody can reach. Nothing goes out until each is accepted by name.

use super::roll::Apart;
use super::{PreparedPlan, digest};
use crate::id::GroupId;
use crate::plan::StakeholderRef;
use crate::stakeholder::Require;
use std::collections::{BTreeMap, BTreeSet};

/// Somebody who must be informed and whom nobody can reach; or a company of whom that is true, where one of each must be informed.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gap {
    /// The group that must be informed.
    pub group: GroupId,
    /// The person's number among the people; `None` where the gap is a company's.
    pub person: Option<u32>,
    /// The company: the person's variable `company`, or the value of the variable of which one each must be informed.
    pub company: Option<String>,
    /// By which digests its acceptance is known: the person's, and their company's.
    pub(crate) marks: Vec<String>,
}

impl std::fmt::Debug for Gap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gap").field("group", &self.group).field("person", &self.person).finish_non_exhaustive()
    }
}

impl Gap {
    fn new(prepared: &PreparedPlan, group: &GroupId, person: Option<u32>, company: Option<&str>) -> Self {
        let who = person.and_then(|number| prepared.people().at(number));
        let marks = who.iter().map(|who| mark(prepared, "person", who.id()));
        let marks = marks.chain(company.iter().map(|name| mark(prepared, "company", name))).collect();
        Self { group: group.clone(), person, company: company.map(Into::into), marks }
    }
}

/// By what an acceptance is known in the record: a digest, for entries hold no names.
pub(crate) fn mark(prepared: &PreparedPlan, kind: &str, name: &str) -> String {
    digest::of_name(prepared.plan().id().as_str(), kind, name)
}

pub(super) fn gaps(prepared: &PreparedPlan) -> Vec<Gap> {
    let (plan, people) = (prepared.plan(), prepared.people());
    let mut gaps = Vec::new();
    for group in plan.groups().iter().filter(|group| group.must_inform && group.waived.is_none()) {
        // Whom one gate or another cannot reach: each tells something that they must be told.
        let mut beyond = BTreeSet::new();
        for gate in prepared.gates().iter().filter(|gate| prepared.communique(gate).to.contains(&group.id)) {
            let apart: BTreeMap<u32, Apart> = prepared.roll(gate).apart().collect();
            let lost = |number: &u32| matches!(apart.get(number), Some(Apart::OptedOut | Apart::Unreachable));
            beyond.extend(
                apart
                    .iter()
                    .filter(|(number, why)| match why {
                        Apart::Through(leader) => lost(leader),
                        Apart::OptedOut | Apart::Unreachable => lost(number),
                    })
                    .map(|(number, _)| *number),
            );
        }
        let members = people.members(&group.id);
        let gap = |person, company: Option<&str>| Gap::new(prepared, &group.id, person, company);
        match &group.require {
            Require::OnePer { variable, .. } => {
                // Everyone's company, and whether one who counts can be reached. Whoever has none is a company of their own.
                let mut companies: BTreeMap<&str, bool> = BTreeMap::new();
                for number in members {
                    let Some(who) = people.at(*number) else { continue };
                    let counts = group.require.counts(|name| var(who, name));
                    match var(who, variable) {
                        Some(company) => {
                            *companies.entry(company).or_default() |= counts && !beyond.contains(number);
                        }
                        None if beyond.contains(number) || !counts => gaps.push(gap(Some(*number), None)),
                        None => {}
                    }
                }
                gaps.extend(
                    companies.iter().filter(|(_, reached)| !**reached).map(|(company, _)| gap(None, Some(company))),
                );
            }
            _ => gaps.extend(
                members
                    .iter()
                    .filter(|number| beyond.contains(number))
                    .map(|number| gap(Some(*number), people.at(*number).and_then(|who| var(who, "company")))),
            ),
        }
    }
    gaps
}

fn var<'a>(who: StakeholderRef<'a>, wanted: &str) -> Option<&'a str> {
    who.last_var(|name| name == wanted)
}
