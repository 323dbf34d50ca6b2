//! Who prepares, approves, declares and executes where no script says it.

use super::happy::SOMEBODY;
use relcomm_core::id::{Role, StakeholderId};
use relcomm_core::plan::Plan;
use relcomm_core::plan::draft::Act;
use std::collections::{BTreeMap, BTreeSet};

/// Who does what: different people as far as there are enough of them, since a plan may ask that nobody does two things.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    /// Who prepares, where the plan asks.
    pub(super) prepares: Option<String>,
    /// Who approves in each role that is needed.
    pub(super) approves: BTreeMap<Role, String>,
    /// Who declares.
    pub(super) declares: String,
    /// Who executes until the script says another, where the plan asks.
    pub(super) executes: Option<String>,
}

/// One part, and who may play it, best first.
struct Part {
    act: Act,
    role: Option<Role>,
    may: Vec<String>,
}

impl Parts {
    pub(super) fn of(plan: &Plan) -> Self {
        let mut parts = Vec::new();
        let mut add = |act, role: Option<&Role>, may: Vec<String>| parts.push(Part { act, role: role.cloned(), may });
        let execute = plan.responsible().execute.id.as_str();
        add(Act::Declare, None, of(&plan.named_for(Act::Declare), &[execute, SOMEBODY, "somebody who declares"]));
        let needed: BTreeSet<_> = plan.approvals().need.iter().map(|need| &need.role).collect();
        for role in needed {
            let holders = plan.approvals().roles.get(role).map(Vec::as_slice).unwrap_or_default();
            let holders: Vec<&str> = holders.iter().map(StakeholderId::as_str).collect();
            let may: Vec<&str> = holders.iter().copied().filter(|who| plan.may(Act::Approve, who)).collect();
            let holders = if may.is_empty() { holders } else { may };
            add(Act::Approve, Some(role), of(&holders, &[SOMEBODY, &format!("{SOMEBODY} as {role}")]));
        }
        // Those last who may have another part.
        let mut others: Vec<&str> = plan.named_for(Act::Declare);
        others.push(execute);
        others.extend(plan.approvals().roles.values().flatten().map(StakeholderId::as_str));
        let else_named = |act: Act| {
            let mut named = plan.named_for(act);
            named.sort_by_key(|who| others.contains(who));
            named
        };
        if plan.asks_who(Act::Execute) {
            add(Act::Execute, None, of(&else_named(Act::Execute), &["somebody else", "somebody who executes"]));
        }
        if plan.asks_who(Act::Prepare) {
            add(Act::Prepare, None, of(&else_named(Act::Prepare), &["somebody else", "somebody who prepares"]));
        }
        // Of these nobody does two: they come first.
        parts.sort_by_key(|part| !plan.approvals().distinct.contains(&part.act));
        let mut who = seat(&parts).into_iter().zip(&parts).collect::<Vec<_>>();
        let mut take = |act: Act| {
            let at = who.iter().position(|(_, part)| part.act == act)?;
            Some(who.remove(at))
        };
        let mut approves = BTreeMap::new();
        while let Some((by, part)) = take(Act::Approve) {
            approves.extend(part.role.clone().map(|role| (role, by)));
        }
        Self {
            approves,
            prepares: take(Act::Prepare).map(|(by, _)| by),
            declares: take(Act::Declare).map_or_else(|| execute.to_owned(), |(by, _)| by),
            executes: take(Act::Execute).map(|(by, _)| by),
        }
    }
}

/// Those who are named; where nobody is, whoever else.
fn of(named: &[&str], otherwise: &[&str]) -> Vec<String> {
    let may = if named.is_empty() { otherwise } else { named };
    may.iter().map(|who| (*who).to_owned()).collect()
}

/// Somebody for each part: as many different people as can be, and for whom nobody is left the first who may.
fn seat(parts: &[Part]) -> Vec<String> {
    let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
    for number in 0..parts.len() {
        find(number, parts, &mut taken, &mut BTreeSet::new());
    }
    let mut all: Vec<String> = parts.iter().map(|part| part.may.first().cloned().unwrap_or_default()).collect();
    for (who, number) in taken {
        if let Some(place) = all.get_mut(number) {
            who.clone_into(place);
        }
    }
    all
}

/// Finds somebody for a part who is free, or becomes free when another part is played by somebody else.
fn find<'a>(
    number: usize,
    parts: &'a [Part],
    taken: &mut BTreeMap<&'a str, usize>,
    tried: &mut BTreeSet<&'a str>,
) -> bool {
    let Some(part) = parts.get(number) else { return false };
    if let Some(free) = part.may.iter().find(|who| !taken.contains_key(who.as_str())) {
        taken.insert(free, number);
        return true;
    }
    for who in part.may.iter().map(String::as_str) {
        let other = taken.get(who).copied();
        if tried.insert(who) && other.is_some_and(|other| find(other, parts, taken, tried)) {
            taken.insert(who, number);
            return true;
        }
    }
    false
}
