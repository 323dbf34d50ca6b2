//! What a rule looks at.

use super::Deployment;
use crate::communique::{Communique, Occurrence, Step, Timing};
use crate::id::{CommuniqueId, GroupId};
use crate::mechanism::Mechanism;
use crate::plan::draft::{GroupShape, HowDraft, MemberDraft, MembersDraft, WhenDraft};
use crate::plan::time::TimeDraft;
use crate::plan::{Origins, People, Plan, PlanDraft, Position, Source, Text, key_path};
use crate::receipt::Assurance;
use crate::stakeholder::Group;
use std::collections::BTreeSet;

/// What a rule looks at: the draft as it was written, the candidate plan that was made of it, its people, and the deployment.
///
/// The candidate lacks what could not be resolved; a finding says so already.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    draft: &'a PlanDraft,
    source: &'a Source,
    deployment: &'a Deployment,
    plan: &'a Plan,
    people: &'a People,
    origins: &'a Origins,
    texts: &'a [Text],
}

impl<'a> Subject<'a> {
    pub(super) fn new(
        draft: &'a PlanDraft,
        source: &'a Source,
        deployment: &'a Deployment,
        plan: &'a Plan,
        people: &'a People,
        origins: &'a Origins,
        texts: &'a [Text],
    ) -> Self {
        Self { draft, source, deployment, plan, people, origins, texts }
    }

    /// The plan as it was written.
    #[must_use]
    pub fn draft(&self) -> &'a PlanDraft {
        self.draft
    }

    /// The file, which knows where everything stands.
    #[must_use]
    pub fn source(&self) -> &'a Source {
        self.source
    }

    /// What is known of the deployment.
    #[must_use]
    pub fn deployment(&self) -> &'a Deployment {
        self.deployment
    }

    /// The candidate plan: defaults filled in, references resolved.
    #[must_use]
    pub fn plan(&self) -> &'a Plan {
        self.plan
    }

    /// Everyone in the groups.
    #[must_use]
    pub fn people(&self) -> &'a People {
        self.people
    }

    /// Every template of the plan, and what it uses.
    #[must_use]
    pub fn texts(&self) -> &'a [Text] {
        self.texts
    }

    /// Where the person of that number was first named.
    #[must_use]
    pub fn member_position(&self, number: u32) -> Option<Position> {
        self.origins.position(number)
    }

    /// The steps by which the communique reaches whoever is in the group alone, and their path in the plan: those of `for`, else the
    /// communique's, else the group's. None means by the kinds of address that a member has.
    #[must_use]
    pub fn steps(&self, communique: &'a Communique, group: &'a Group) -> (&'a [Step], String) {
        self.steps_by(communique, Some(&group.id), group)
    }

    /// The steps by which the communique reaches whoever has the variant for a group, and is told through this one first.
    pub(super) fn steps_by(
        &self,
        communique: &'a Communique,
        variant: Option<&GroupId>,
        group: &'a Group,
    ) -> (&'a [Step], String) {
        let base = key_path("communiques", communique.id.as_str());
        if let Some((id, variant)) = variant.and_then(|id| communique.variants.get_key_value(id))
            && !variant.via.is_empty()
        {
            return (&variant.via, key_path(&format!("{base}.for"), id.as_str()) + ".via");
        }
        if !communique.via.is_empty() {
            return (&communique.via, base + ".via");
        }
        let base = key_path("groups", group.id.as_str());
        (&group.via, if group.via.is_empty() { base } else { base + ".via" })
    }

    /// The steps by which a correction reaches a group in another way as well, and their path in the plan.
    pub(super) fn steps_as_well(&self, communique: &'a Communique, group: &GroupId) -> Option<(&'a [Step], String)> {
        let steps = communique.corrects.as_ref()?.also.get(group)?;
        let path = key_path("communiques", communique.id.as_str()) + ".via.also";
        Some((steps, key_path(&path, group.as_str())))
    }

    /// The most that a mechanism can prove: as its channel says, else as the plan declares it, else as the standard words may at best.
    #[must_use]
    pub fn proves(&self, mechanism: &Mechanism) -> Assurance {
        let channel = self.deployment.channels.as_ref().and_then(|channels| channels.get(mechanism));
        let own = self.plan.mechanisms().get(mechanism).map(|own| own.proves);
        match (channel.map(|facts| facts.capabilities.proves), own) {
            (Some(channel), Some(own)) => channel.min(own),
            (Some(proves), None) | (None, Some(proves)) => proves,
            (None, None) => match mechanism.as_str() {
                // What is posted is there to be seen, and nobody says that they saw it.
                "website" | "bulletin" | "chat" => Assurance::Delivered,
                _ => Assurance::Acknowledged,
            },
        }
    }

    /// The kinds of address that the members of the group have.
    pub(super) fn kinds_of_address(&self, group: &GroupId) -> BTreeSet<Mechanism> {
        self.origins.holdings(group).map(|holdings| holdings.mechanisms.clone()).unwrap_or_default()
    }

    /// How many members of the group are tied to no place.
    pub(super) fn members_everywhere(&self, group: &GroupId) -> usize {
        self.origins.holdings(group).map_or(0, |holdings| holdings.everywhere)
    }

    /// Every mechanism that a step goes by, with the path of the step, or of the group whose members' addresses say it.
    pub(super) fn mechanisms_gone_by(&self) -> Vec<(String, Mechanism)> {
        let mut uses = Vec::new();
        for (path, steps) in self.all_steps() {
            uses.extend(steps.iter().enumerate().map(|(i, step)| (self.step_path(&path, steps, i), step.via.clone())));
        }
        for communique in self.plan.communiques() {
            for group in communique.to.iter().filter_map(|id| self.plan.group(id)) {
                if self.steps(communique, group).0.is_empty() {
                    let path = key_path("groups", group.id.as_str());
                    uses.extend(self.kinds_of_address(&group.id).into_iter().map(|m| (path.clone(), m)));
                }
            }
        }
        uses
    }

    /// Every mechanism that the plan names, with the path of its place.
    pub(super) fn mechanisms_named(&self) -> Vec<(String, Mechanism)> {
        let mut named = Vec::new();
        for (path, steps) in self.all_steps() {
            named.extend(steps.iter().enumerate().map(|(i, step)| (self.step_path(&path, steps, i), step.via.clone())));
        }
        for (id, group) in &self.draft.groups {
            let path = key_path("groups", id.as_str());
            named.extend(group.full.addresses.keys().map(|m| (key_path(&path, m.as_str()), m.clone())));
            if let Some(MembersDraft::Inline(members)) = &group.full.members {
                let list = if group.shape == GroupShape::List { path } else { path + ".members" };
                for (i, member) in members.iter().enumerate() {
                    if let MemberDraft::Full(full) = member {
                        let path = format!("{list}[{i}]");
                        named.extend(full.addresses.keys().map(|m| (key_path(&path, m.as_str()), m.clone())));
                    }
                }
            }
        }
        named
    }

    /// Every `via` of the plan with its path.
    pub(super) fn all_steps(&self) -> Vec<(String, &'a [Step])> {
        let mut all: Vec<(String, &'a [Step])> = Vec::new();
        for group in self.plan.groups() {
            all.push((key_path("groups", group.id.as_str()) + ".via", &group.via));
        }
        for communique in self.plan.communiques() {
            let path = key_path("communiques", communique.id.as_str());
            all.push((format!("{path}.via"), &communique.via));
            for (group, variant) in &communique.variants {
                all.push((key_path(&format!("{path}.for"), group.as_str()) + ".via", &variant.via));
            }
            all.extend(communique.to.iter().filter_map(|group| {
                let (steps, path) = self.steps_as_well(communique, group)?;
                Some((path, steps))
            }));
        }
        all.retain(|(_, steps)| !steps.is_empty());
        all
    }

    /// The path of a step: that of `via` itself where it is written without a list, and within `all` where it is begun with others.
    pub(super) fn step_path(&self, via: &str, steps: &[Step], index: usize) -> String {
        let until = steps.get(..=index).unwrap_or_default();
        let head = until.iter().rposition(|step| !step.joined).unwrap_or(0);
        let entry = until.iter().take(head).filter(|step| !step.joined).count();
        let path = self.entry_path(via, entry);
        let within = format!("{path}.all[{}]", index - head);
        if self.source.get(&within).is_some() { within } else { path }
    }

    /// The path of an entry of what may be one value or a list.
    pub(super) fn entry_path(&self, path: &str, index: usize) -> String {
        let entry = format!("{path}[{index}]");
        if self.source.get(&entry).is_some() { entry } else { path.to_owned() }
    }

    /// The path of a dependency.
    pub(super) fn after_path(&self, communique: &CommuniqueId, index: usize) -> String {
        self.entry_path(&(key_path("communiques", communique.as_str()) + ".after"), index)
    }

    /// Every time of the communique with its path: those at which it is due, and `not_after`.
    pub(super) fn times(&self, communique: &'a Communique) -> Vec<(String, &'a Timing)> {
        let mut times = self.due_times(communique);
        let path = key_path("communiques", communique.id.as_str());
        times.extend(communique.not_after.iter().map(|at| (format!("{path}.not_after"), at)));
        let ends = self.dues(communique).into_iter().filter_map(|(path, _, own, _)| Some((path + ".not_after", own?)));
        times.extend(ends);
        times
    }

    /// When the communique is due, with the path, its own end, and the group for which alone it is so.
    pub(super) fn dues(
        &self,
        communique: &'a Communique,
    ) -> Vec<(String, &'a Timing, Option<&'a Timing>, Option<&'a GroupId>)> {
        let path = key_path("communiques", communique.id.as_str());
        let all = |o: &'a Occurrence| (self.occurrence_path(communique, o), &o.at, o.not_after.as_ref(), None);
        let mut dues: Vec<_> = communique.occurrences.iter().map(all).collect();
        for (group, variant) in &communique.variants {
            let path = key_path(&format!("{path}.for"), group.as_str()) + ".at";
            dues.extend(variant.at.iter().map(|at| (path.clone(), at, variant.not_after.as_ref(), Some(group))));
        }
        dues
    }

    /// Every time at which the communique is due, with its path: its occurrences, and those of `for`.
    pub(super) fn due_times(&self, communique: &'a Communique) -> Vec<(String, &'a Timing)> {
        self.dues(communique).into_iter().map(|(path, at, ..)| (path, at)).collect()
    }

    pub(super) fn occurrence_path(&self, communique: &Communique, occurrence: &Occurrence) -> String {
        let path = key_path("communiques", communique.id.as_str());
        match &occurrence.id {
            Some(id) => key_path(&format!("{path}.occurrences"), id.as_str()),
            None => format!("{path}.at"),
        }
    }

    /// Every time that the plan fixes beside those of communiques, with its path: the ends of lateness and of the embargo.
    pub(super) fn other_times(&self) -> Vec<(String, Timing)> {
        let mut drafts: Vec<(String, &TimeDraft)> = Vec::new();
        drafts.extend(self.draft.embargo.iter().map(|embargo| {
            let whole = self.source.get("embargo.until").is_none();
            (if whole { "embargo" } else { "embargo.until" }.to_owned(), &embargo.0.until)
        }));
        for (id, communique) in &self.draft.communiques {
            let path = key_path("communiques", id.as_str());
            drafts.extend(communique.deadline.iter().map(|at| (format!("{path}.deadline"), at)));
            for (group, variant) in &communique.variants {
                let path = key_path(&format!("{path}.for"), group.as_str()) + ".deadline";
                drafts.extend(variant.deadline.iter().map(|at| (path.clone(), at)));
            }
        }
        let zone = self.draft.zone.map(|zone| zone.0);
        drafts.into_iter().filter_map(|(path, at)| Some((path, at.timing(zone).ok()?))).collect()
    }

    /// Whether the plan says the time, rather than the default.
    pub(super) fn is_written(&self, communique: &Communique, occurrence: &Occurrence) -> bool {
        self.source.get(&self.occurrence_path(communique, occurrence)).is_some()
    }

    /// Whether the plan lists members for the group, or an address of its own.
    pub(super) fn has_member_list(&self, group: &GroupId) -> bool {
        let draft = self.draft.groups.iter().find(|(id, _)| id == group);
        draft.is_some_and(|(_, group)| group.full.members.is_some() || !group.full.addresses.is_empty())
    }

    pub(super) fn execute_path(&self) -> &'static str {
        if self.source.get("responsible.execute").is_some() { "responsible.execute" } else { "responsible" }
    }

    pub(super) fn how_path(&self) -> &'static str {
        match self.draft.release.how {
            Some(HowDraft::Full(_)) => "release.how.access",
            _ => "release.how",
        }
    }

    pub(super) fn planned_path(&self) -> &'static str {
        match self.draft.release.when {
            Some(WhenDraft::Full(_)) => "release.when.planned",
            _ => "release.when",
        }
    }

    /// The path of the item at that place in *what*.
    pub(super) fn item_path(&self, index: usize) -> String {
        self.entry_path("release.what", index)
    }
}
