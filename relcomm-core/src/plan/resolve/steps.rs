//! Steps and dependencies.

use super::Resolver;
use super::groups::party_id;
use crate::communique::{Anchor, Dependency, IfBlocked, Reach, Share, Step, Then};
use crate::id::{CommuniqueId, Role, StakeholderId};
use crate::mechanism::Mechanism;
use crate::plan::RESPONSIBLE;
use crate::plan::draft::{
    Addresses, AfterDraft, BlockedThen, CommuniqueDraft, FullMemberDraft, FullStepDraft, MemberDraft, MembersDraft,
    Quantifier, ReachDraft, StepDraft, ToDraft, ViaDraft,
};
use crate::plan::time::TimeDraft;
use std::time::Duration;

impl Resolver<'_> {
    /// The steps of a `via` at `path`.
    pub(super) fn steps(&mut self, path: &str, via: &ViaDraft) -> Vec<Step> {
        self.further_steps(path, via, false)
    }

    /// Steps that may follow on others, which `path` does not hold.
    pub(super) fn further_steps(&mut self, path: &str, via: &ViaDraft, follows: bool) -> Vec<Step> {
        let drafts = match via {
            ViaDraft::Steps(drafts) => drafts,
            ViaDraft::AsTold(_) => {
                self.error("RC0104", path, "`as_told` stands alone as the `via` of a communique");
                return Vec::new();
            }
        };
        let mut steps: Vec<Step> = Vec::new();
        for (i, draft) in drafts.iter().enumerate() {
            // A single step stands at `via` itself.
            let path = if self.source.get(&format!("{path}[{i}]")).is_some() {
                format!("{path}[{i}]")
            } else {
                path.to_owned()
            };
            let full = match draft {
                StepDraft::Via(mechanism) => {
                    steps.push(Step::new(mechanism.clone()));
                    continue;
                }
                StepDraft::Full(full) => full,
            };
            let within = self.condition(&path, full, steps.is_empty() && i == 0 && !follows);
            let several = if full.all.is_empty() {
                self.step(&path, full).into_iter().collect()
            } else {
                self.at_once(&path, full)
            };
            for (n, mut step) in several.into_iter().enumerate() {
                step.joined = n > 0;
                if n == 0 {
                    (step.unless, step.within) = (full.unless, within);
                }
                steps.push(step);
            }
        }
        steps
    }

    /// Judges the condition of a step, and returns how long it is waited for.
    fn condition(&mut self, path: &str, full: &FullStepDraft, first: bool) -> Option<Duration> {
        match (full.unless, full.within) {
            (Some(_), None) => {
                self.error("RC0606", format!("{path}.unless"), "`unless` needs `within`: how long is it waited for?");
            }
            (None, Some(_)) => {
                self.error("RC0606", format!("{path}.within"), "`within` needs `unless`: what is waited for?");
            }
            (Some(_), Some(_)) if first => {
                self.error("RC0606", format!("{path}.unless"), "the first step has no step before it to wait for");
            }
            _ => {}
        }
        full.within.and_then(|within| self.elapsed(&format!("{path}.within"), within))
    }

    /// The steps of `all`: plain ones, each once.
    fn at_once(&mut self, path: &str, full: &FullStepDraft) -> Vec<Step> {
        if full.via.is_some() || full.performer.is_some() || full.to.is_some() {
            self.error(
                "RC0104",
                path,
                "`all` stands in place of `via`, `performer` and `to`: say those of each of its steps",
            );
        }
        let mut steps: Vec<Step> = Vec::new();
        for (i, draft) in full.all.iter().enumerate() {
            let path = format!("{path}.all[{i}]");
            let step = match draft {
                StepDraft::Via(mechanism) => Step::new(mechanism.clone()),
                StepDraft::Full(inner) if !inner.all.is_empty() || inner.unless.is_some() || inner.within.is_some() => {
                    let message =
                        "what is begun at once is a plain step: without `all`, `unless` or `within` of its own";
                    self.error("RC0104", path, message);
                    continue;
                }
                StepDraft::Full(inner) => match self.step(&path, inner) {
                    Some(step) => step,
                    None => continue,
                },
            };
            if steps.iter().any(|before| (&before.via, &before.to) == (&step.via, &step.to)) {
                self.error("RC0102", path, format!("`{}` is begun twice at once", step.via));
                continue;
            }
            steps.push(step);
        }
        steps
    }

    /// A step without its condition.
    fn step(&mut self, path: &str, full: &FullStepDraft) -> Option<Step> {
        if let Some(performer) = &full.performer {
            let known: Vec<&str> =
                self.draft.responsible.iter().flat_map(|r| r.performers.keys()).map(Role::as_str).collect();
            if !known.contains(&performer.as_str()) {
                self.dangling(format!("{path}.performer"), "performer", performer.as_str(), known);
            }
        }
        let to = full.to.as_ref().map(|to| match to {
            ReachDraft::Named(named) => Reach::Named(named.as_str().to_owned()),
            ReachDraft::Column(of) => Reach::Column(of.column.clone()),
        });
        let via = match (&full.via, &to) {
            (Some(via), _) => via.clone(),
            (None, None) => {
                self.error("RC0104", path, "a step needs `via`: by which mechanism?");
                return None;
            }
            (None, Some(reach)) => match self.what_they_have(reach) {
                Some(via) => via,
                None => {
                    let message =
                        "a step to somebody whose addresses do not stand in the plan needs `via`: by which mechanism?";
                    self.error("RC0104", path, message);
                    return None;
                }
            },
        };
        let mut step = Step::new(via);
        step.performer = full.performer.clone();
        step.to = to;
        Some(step)
    }

    /// The first mechanism by which somebody has an address, as far as the plan itself says so.
    fn what_they_have(&self, reach: &Reach) -> Option<Mechanism> {
        let Reach::Named(word) = reach else { return None };
        let members = self.draft.groups.values().filter_map(|group| match &group.full.members {
            Some(MembersDraft::Inline(members)) => Some(members),
            _ => None,
        });
        let is = |id: Option<StakeholderId>| id.is_some_and(|id| id.as_str() == word);
        for member in members.flatten() {
            let (party, id) = match member {
                MemberDraft::Text(party) => (&party.addresses, party_id(party)),
                MemberDraft::Full(full) => (&full.addresses, member_id(full)),
            };
            if is(id) && !party.is_empty() {
                return first_of(party);
            }
        }
        let holders = self.draft.holders(word);
        let parties = holders.into_iter().chain(self.draft.parties().filter(|party| is(party_id(party))));
        parties.map(|party| &party.addresses).find_map(first_of)
    }

    /// The dependencies of an `after` at `path`.
    pub(super) fn dependencies(&mut self, path: &str, after: &AfterDraft) -> Vec<Dependency> {
        let mut dependencies = Vec::new();
        for (i, draft) in after.0.iter().enumerate() {
            let path = if self.source.get(&format!("{path}[{i}]")).is_some() {
                format!("{path}[{i}]")
            } else {
                path.to_owned()
            };
            let known = self.communique_exists(&path, &draft.communique);
            if let Some(group) = &draft.group
                && !self.group_exists(&path, group)
            {
                continue;
            }
            if known {
                dependencies.push(Dependency {
                    on: draft.communique.clone(),
                    state: draft.state.0,
                    group: draft.group.clone(),
                    share: draft.share.map(|share| match share {
                        Quantifier::All => Share::All,
                        Quantifier::Any => Share::Any,
                        Quantifier::Share(share) => Share::AtLeast(share),
                    }),
                });
            }
        }
        dependencies
    }

    /// What is done when what a communique waits for cannot be reached any more.
    pub(super) fn if_blocked(&mut self, path: &str, draft: &CommuniqueDraft) -> Option<IfBlocked> {
        let blocked = draft.if_blocked.as_ref()?;
        let path = format!("{path}.if_blocked");
        let times = draft.at.iter().chain(draft.occurrences.iter().map(|(_, time)| time));
        let times = times.chain(draft.variants.iter().filter_map(|(_, variant)| variant.at.as_ref()));
        let is_anchored =
            |time: &TimeDraft| time.timing(self.zone).is_ok_and(|timing| matches!(timing.anchor, Anchor::Reached(..)));
        if draft.after.0.is_empty() && !times.into_iter().any(is_anchored) {
            self.error(
                "RC0104",
                &path,
                "nothing can block it: it waits for no other communique by `after` or by its time",
            );
        }
        let then = match &blocked.then {
            BlockedThen::Ask(role) => {
                let roles = || self.draft.approvals.iter().flat_map(|approvals| approvals.roles.keys());
                if role.as_str() != RESPONSIBLE && !roles().any(|known| known == role) {
                    let known: Vec<&str> = roles().map(Role::as_str).chain([RESPONSIBLE]).collect();
                    self.dangling(format!("{path}.then"), "role", role.as_str(), known);
                }
                Then::Ask(role.clone())
            }
            BlockedThen::Proceed => Then::Proceed,
            BlockedThen::Cancel => Then::Cancel,
        };
        let after = blocked.after.map(|after| self.elapsed(&format!("{path}.after"), after));
        Some(IfBlocked::new(after.unwrap_or(Some(Duration::ZERO))?, then))
    }

    pub(super) fn group_exists(&mut self, path: &str, group: &crate::id::GroupId) -> bool {
        let groups = &self.draft.groups;
        let exists = groups.keys().any(|known| known == group);
        if !exists {
            self.dangling(path, "group", group.as_str(), groups.keys().map(crate::id::GroupId::as_str));
        }
        exists
    }

    pub(super) fn communique_exists(&mut self, path: &str, communique: &CommuniqueId) -> bool {
        let communiques = &self.draft.communiques;
        let exists = communiques.keys().any(|known| known == communique);
        if !exists {
            self.dangling(path, "communique", communique.as_str(), communiques.keys().map(CommuniqueId::as_str));
        }
        exists
    }

    /// The groups that a communique names in `to`, or those of the communique whose people it corrects.
    pub(super) fn groups_named(&self, to: &ToDraft) -> Vec<crate::id::GroupId> {
        let mut to = to;
        // A chain of `told` is as long as the plan at most; a circle of them ends there too.
        for _ in 0..=self.draft.communiques.len() {
            match to {
                ToDraft::Groups(groups) => return groups.to_vec(),
                ToDraft::Told(told) => match self.draft.communiques.iter().find(|(id, _)| *id == told.told) {
                    Some((_, communique)) => to = &communique.to,
                    None => return Vec::new(),
                },
            }
        }
        Vec::new()
    }
}

fn member_id(member: &FullMemberDraft) -> Option<StakeholderId> {
    let email = member.addresses.iter().find(|(mechanism, _)| mechanism.as_str() == "email");
    member.id.clone().or_else(|| {
        let text = email?.1.address().as_str();
        StakeholderId::new(text.rsplit_once('@').map_or(text, |(local, _)| local).to_lowercase()).ok()
    })
}

fn first_of(addresses: &Addresses) -> Option<Mechanism> {
    addresses.keys().min_by_key(|mechanism| mechanism.rank()).cloned()
}
