//! Steps and dependencies.

use super::Resolver;
use crate::communique::{Dependency, Step};
use crate::id::CommuniqueId;
use crate::plan::draft::{AfterDraft, Quantifier, StepDraft, ToDraft, ViaDraft};

impl Resolver<'_> {
    /// The steps of a `via` at `path`.
    pub(super) fn steps(&mut self, path: &str, via: &ViaDraft) -> Vec<Step> {
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
            if !full.all.is_empty() {
                self.inert("RC0905", &path, "`all`: several steps at once");
            }
            if full.to.is_some() {
                self.inert("RC0905", format!("{path}.to"), "`to` of a step: escalation to another person");
            }
            let first = steps.is_empty() && i == 0;
            match (full.unless, full.within) {
                (Some(_), None) => self.error(
                    "RC0606",
                    format!("{path}.unless"),
                    "`unless` needs `within`: how long is it waited for?",
                ),
                (None, Some(_)) => {
                    self.error("RC0606", format!("{path}.within"), "`within` needs `unless`: what is waited for?");
                }
                (Some(_), Some(_)) if first => {
                    self.error("RC0606", format!("{path}.unless"), "the first step has no step before it to wait for");
                }
                _ => {}
            }
            if let Some(performer) = &full.performer {
                let known: Vec<&str> = self
                    .draft
                    .responsible
                    .iter()
                    .flat_map(|r| r.performers.keys())
                    .map(crate::id::Role::as_str)
                    .collect();
                if !known.contains(&performer.as_str()) {
                    self.dangling(format!("{path}.performer"), "performer", performer.as_str(), known);
                }
            }
            let within = full.within.and_then(|within| self.elapsed(&format!("{path}.within"), within));
            match &full.via {
                Some(mechanism) => {
                    let mut step = Step::new(mechanism.clone());
                    step.unless = full.unless;
                    step.within = within;
                    step.performer = full.performer.clone();
                    steps.push(step);
                }
                None if full.all.is_empty() && full.to.is_none() => {
                    self.error("RC0104", &path, "a step needs `via`: by which mechanism?");
                }
                None => {}
            }
        }
        steps
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
            if draft.share != Quantifier::All {
                self.inert("RC0908", &path, "a dependency on `any` or a share");
            }
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
                });
            }
        }
        dependencies
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
