//! The communiques.

use super::Resolver;
use super::release::PRERELEASE;
use super::wording::Words;
use crate::communique::{Anchor, Communique, Corrects, Occurrence, Per, State, Step, Timing, Variant};
use crate::id::{CommuniqueId, GroupId, PlaceId};
use crate::plan::draft::{CommuniqueDraft, OnSlip, Perhaps, ToDraft, ViaDraft};
use crate::plan::finding::Finding;
use crate::plan::key_path;
use crate::plan::members::Origins;
use crate::plan::texts::{self, Text};
use crate::plan::time::TimeDraft;
use crate::release::{Outcome, Release};
use crate::stakeholder::Group;
use std::collections::BTreeMap;

impl Resolver<'_> {
    pub(super) fn communiques(
        &mut self,
        release: &Release,
        groups: &[Group],
        origins: &Origins,
    ) -> (Vec<Communique>, Vec<Text>) {
        if self.draft.communiques.is_empty() {
            self.error("RC0204", "communiques", "there is no communique: what is said?");
        }
        let tied: Vec<&GroupId> = groups
            .iter()
            .map(|group| &group.id)
            .filter(|id| origins.holdings(id).is_some_and(|h| h.tied_to_places))
            .collect();
        let mut communiques = Vec::new();
        let mut all_texts = Vec::new();
        for (id, draft) in &self.draft.communiques {
            let path = key_path("communiques", id.as_str());
            self.profile_exists(&path, draft);
            let to = self.to(&path, draft);
            let (variants, mut texts) = self.variants(id, &path, draft, &to);
            let words = Words {
                subject: draft.subject.as_ref(),
                text: draft.text.as_ref(),
                text_file: draft.text_file.as_ref(),
                short: draft.short.as_ref(),
            };
            let wording = self.wording(&path, words, &to);
            texts.extend(texts::parse(id, None, &path, &wording, self.sources, &mut self.out));
            if words.text.is_none() && words.text_file.is_none() {
                self.default_used(
                    &path,
                    "RC0809",
                    format!("the text of `{id}` is the built-in one of the six answers"),
                );
                if draft.covers.is_none() {
                    self.default_used(&path, "RC0808", format!("`{id}` covers every item that concerns its groups"));
                }
            }
            let kind = draft.condition.as_ref().and_then(|condition| condition.kind.as_deref());
            let outcome = draft.condition.as_ref().and_then(|condition| condition.outcome);
            let (occurrences, mut not_after) = self.occurrences(&path, draft, outcome.unwrap_or(Outcome::Success));
            if let Some(time) = &draft.not_after {
                if not_after.is_some() {
                    self.error("RC0104", format!("{path}.not_after"), "either `not_after` here or the one within `at`");
                }
                let path = format!("{path}.not_after");
                not_after = self.communique_timing(&path, time).map(|(end, not_after)| {
                    self.one_instant(&path, &end, not_after.is_some());
                    self.embargo_exists(&path, &end);
                    end
                });
            }
            let mut times = occurrences.iter().map(|o| &o.at).chain(variants.values().filter_map(|v| v.at.as_ref()));
            if draft.urgent && times.any(|at| at.between.is_some()) {
                self.error("RC0104", format!("{path}.urgent"), "either `urgent`, told at any hour, or `between`");
            }
            // What is due when the roll-out begins does not wait for its success.
            let begins = occurrences.iter().any(|o| o.at.anchor == Anchor::Begun);
            let meant_for = outcome.unwrap_or(if begins { Outcome::Begun } else { Outcome::Success });
            let awaits_declaration = outcome.is_some()
                || occurrences.iter().any(|o| speaks_of_a_declaration(&o.at, draft.undeclared))
                || texts.iter().any(claims_a_declaration);
            let (only_at, fails) = self.meant_for(id, &path, draft, release);
            if !only_at.is_empty() && draft.per == Some(Per::Release) {
                let message = "either `per: release`, of which there is one gate for all places, or `if: {place: …}`";
                self.error("RC0104", format!("{path}.per"), message);
            }
            let per = draft.per.unwrap_or_else(|| {
                let by_place = !only_at.is_empty()
                    || texts.iter().any(|text| text.uses("place"))
                    || awaits_declaration && to.iter().any(|group| tied.contains(&group));
                let (per, word) = if by_place { (Per::Place, "place") } else { (Per::Release, "release") };
                self.default_used(&path, "RC0810", format!("`{id}` is `per: {word}`"));
                per
            });
            if draft.undeclared && !occurrences.iter().any(|o| o.at.anchor == Anchor::Embargo) {
                let message = "`undeclared` is of what is due relative to the embargo, as `at: embargo` is";
                self.error("RC0104", format!("{path}.undeclared"), message);
            }
            let mut covers = Vec::new();
            for (i, item) in draft.covers.iter().flatten().enumerate() {
                if release.what.iter().any(|known| known.id == *item) {
                    covers.push(item.clone());
                } else {
                    let known = release.what.iter().map(|item| item.id.as_str());
                    self.dangling(format!("{path}.covers[{i}]"), "item", item.as_str(), known);
                }
            }
            communiques.push(Communique {
                id: id.clone(),
                corrects: self.corrects(&path, draft, &to),
                to,
                per,
                outcome: meant_for,
                awaits_declaration,
                prerelease: kind == Some(PRERELEASE),
                kind: kind.filter(|kind| *kind != PRERELEASE).map(ToOwned::to_owned),
                only_at,
                fails,
                occurrences,
                after: self.dependencies(&format!("{path}.after"), &draft.after),
                if_blocked: self.if_blocked(&path, draft),
                not_after,
                deadline: draft.deadline.as_ref().and_then(|time| self.deadline(&path, time)),
                classified: false,
                urgent: draft.urgent,
                covers,
                via: self.own_steps(&path, draft.via.as_ref()),
                informed_when: draft.informed_when,
                indeterminate: draft.indeterminate,
                wording,
                variants,
                corrects_slips: draft.on_slip == Some(OnSlip::Correct),
            });
            all_texts.append(&mut texts);
        }
        self.wait_like_their_causes(&mut communiques);
        (communiques, all_texts)
    }

    /// What can only follow another communique waits for what that waits for, and is meant for the same outcome, unless the plan says
    /// for which: what follows the news of a success is not told after a failure.
    fn wait_like_their_causes(&self, communiques: &mut [Communique]) {
        let says_its_outcome = |of: &Communique| {
            let draft = self.draft.communiques.iter().find(|(id, _)| *id == of.id).map(|(_, draft)| draft);
            draft.and_then(|draft| draft.condition.as_ref()).is_some_and(|condition| condition.outcome.is_some())
        };
        // Each round reaches those who follow the ones of the round before.
        loop {
            let awaited: BTreeMap<CommuniqueId, Outcome> =
                communiques.iter().filter(|of| of.awaits_declaration).map(|of| (of.id.clone(), of.outcome)).collect();
            let mut any = false;
            for of in communiques.iter_mut().filter(|of| !of.awaits_declaration && !says_its_outcome(of)) {
                let outcome = cause(of).find_map(|on| awaited.get(on)).copied();
                if let Some(outcome) = outcome {
                    (of.awaits_declaration, of.outcome, any) = (true, outcome, true);
                }
            }
            if !any {
                return;
            }
        }
    }

    /// The places for which alone it is meant, and the condition of the host's that does not hold.
    fn meant_for(
        &mut self,
        id: &CommuniqueId,
        path: &str,
        draft: &CommuniqueDraft,
        release: &Release,
    ) -> (Vec<PlaceId>, Option<String>) {
        let Some(condition) = &draft.condition else { return (Vec::new(), None) };
        let mut only_at = Vec::new();
        for place in &condition.place {
            if release.place(place).is_some() {
                only_at.push(place.clone());
            } else {
                let known: Vec<&str> = release.places.iter().map(|place| place.id.as_str()).collect();
                self.dangling(format!("{path}.if.place"), "place", place.as_str(), known);
            }
        }
        let fails = condition.host.as_ref().filter(|name| match self.sources.condition(name) {
            Some(condition) => !condition.holds(id, release),
            None => {
                let message = format!("there is no condition `{name}` here");
                let help =
                    "the program that embeds relcomm gives conditions (`Hosted::condition`); the command has none";
                self.out.push(Finding::error("RC0434", format!("{path}.if.host"), message).help(help));
                false
            }
        });
        (only_at, fails.cloned())
    }

    fn to(&mut self, path: &str, draft: &CommuniqueDraft) -> Vec<GroupId> {
        let path = format!("{path}.to");
        match &draft.to {
            ToDraft::Told(told) => {
                self.communique_exists(&format!("{path}.told"), &told.told);
                self.groups_named(&draft.to)
            }
            ToDraft::Groups(named) => {
                if named.is_empty() {
                    self.error("RC0204", &path, "the communique is for nobody");
                }
                let mut to: Vec<GroupId> = Vec::new();
                for (i, group) in named.iter().enumerate() {
                    let path = format!("{path}[{i}]");
                    if to.contains(group) {
                        self.error("RC0102", path, format!("the group `{group}` is named twice"));
                    } else if self.group_exists(&path, group) {
                        to.push(group.clone());
                    }
                }
                to
            }
        }
    }

    /// Whom it corrects, and how they are reached.
    fn corrects(&mut self, path: &str, draft: &CommuniqueDraft, to: &[GroupId]) -> Option<Corrects> {
        let as_told = match &draft.via {
            Some(ViaDraft::AsTold(as_told)) => Some(as_told),
            _ => None,
        };
        let ToDraft::Told(told) = &draft.to else {
            if as_told.is_some() {
                let message = "`as_told` is for those whom another communique told: write `to: { told: X }`";
                self.error("RC0104", format!("{path}.via"), message);
            }
            return None;
        };
        let mut also = BTreeMap::new();
        for (group, via) in as_told.iter().flat_map(|as_told| &as_told.also) {
            let path = key_path(&format!("{path}.via.also"), group.as_str());
            // Where it corrects nothing that there is, that alone is said.
            if !to.is_empty() && !to.contains(group) {
                self.dangling(&path, "group that is told", group.as_str(), to.iter().map(GroupId::as_str));
                continue;
            }
            also.insert(group.clone(), self.further_steps(&path, via, true));
        }
        let perhaps = told.perhaps.unwrap_or_default() == Perhaps::Include;
        Some(Corrects { of: told.told.clone(), perhaps, as_told: as_told.is_some(), also })
    }

    fn variants(
        &mut self,
        id: &CommuniqueId,
        path: &str,
        draft: &CommuniqueDraft,
        to: &[GroupId],
    ) -> (BTreeMap<GroupId, Variant>, Vec<Text>) {
        let mut variants = BTreeMap::new();
        let mut parsed = Vec::new();
        for (group, variant) in &draft.variants {
            let path = key_path(&format!("{path}.for"), group.as_str());
            let deadline = variant.deadline.as_ref().and_then(|time| self.deadline(&path, time));
            if !to.contains(group) {
                self.dangling(&path, "group in `to`", group.as_str(), to.iter().map(GroupId::as_str));
                continue;
            }
            let words = Words {
                subject: variant.subject.as_ref(),
                text: variant.text.as_ref(),
                text_file: variant.text_file.as_ref(),
                short: variant.short.as_ref(),
            };
            let wording = words.are_said().then(|| self.wording(&path, words, std::slice::from_ref(group)));
            if let Some(wording) = &wording {
                parsed.extend(texts::parse(id, Some(group), &path, wording, self.sources, &mut self.out));
            }
            let at = variant.at.as_ref().and_then(|time| {
                let path = format!("{path}.at");
                let (timing, not_after) = self.communique_timing(&path, time)?;
                Some((timing, not_after))
            });
            let (at, not_after) = at.map_or((None, None), |(at, not_after)| (Some(at), not_after));
            let via = self.own_steps(&path, variant.via.as_ref());
            if let Some(ViaDraft::AsTold(_)) = variant.via {
                self.error(
                    "RC0104",
                    format!("{path}.via"),
                    "`as_told` stands in the communique's own `via`, with `also`",
                );
            }
            variants.insert(group.clone(), Variant { at, not_after, deadline, via, wording });
        }
        (variants, parsed)
    }

    /// The steps that stand at a path; none where each is reached as they were told.
    fn own_steps(&mut self, path: &str, via: Option<&ViaDraft>) -> Vec<Step> {
        match via {
            None | Some(ViaDraft::AsTold(_)) => Vec::new(),
            Some(via) => self.steps(&format!("{path}.via"), via),
        }
    }

    /// When it is due, and what its one time says of when it is too late.
    fn occurrences(
        &mut self,
        path: &str,
        draft: &CommuniqueDraft,
        outcome: Outcome,
    ) -> (Vec<Occurrence>, Option<Timing>) {
        if draft.at.is_some() && !draft.occurrences.is_empty() {
            self.error("RC0104", format!("{path}.occurrences"), "either `at` or `occurrences`");
        }
        if let Some(at) = &draft.at {
            let Some((at, not_after)) = self.communique_timing(&format!("{path}.at"), at) else {
                return (Vec::new(), None);
            };
            return (vec![Occurrence { id: None, at, not_after: None }], not_after);
        }
        let mut occurrences = Vec::new();
        for (name, time) in &draft.occurrences {
            let path = key_path(&format!("{path}.occurrences"), name.as_str());
            if let Some((at, not_after)) = self.communique_timing(&path, time) {
                occurrences.push(Occurrence { id: Some(name.clone()), at, not_after });
            }
        }
        if draft.occurrences.is_empty() {
            let (anchor, what) = match outcome {
                Outcome::Begun => (Anchor::Begun, "as soon as the roll-out has begun"),
                Outcome::Success => (Anchor::Declared, "at the declared success"),
                _ => (Anchor::Declared, "as soon as its outcome is declared"),
            };
            self.default_used(path, "RC0807", format!("it is due {what}"));
            let zone = self.zone.unwrap_or(chrono_tz::Tz::UTC);
            let at = Timing { zone, ..Timing::at(anchor) };
            occurrences.push(Occurrence { id: None, at, not_after: None });
        }
        (occurrences, None)
    }

    /// A time of a communique and its end: their anchors exist, and what nothing acts on yet is said.
    fn communique_timing(&mut self, path: &str, time: &TimeDraft) -> Option<(Timing, Option<Timing>)> {
        let mut timing = self.timing(path, time)?;
        let not_after = timing.not_after.take().map(|boxed| *boxed);
        for timing in std::iter::once(&timing).chain(&not_after) {
            match &timing.anchor {
                Anchor::Planned if !self.planned => {
                    let finding = Finding::warning("RC0607", path, "it is relative to the planned time, which is open");
                    self.out.push(finding.help("set `release.when`; until then nothing of it is due"));
                }
                Anchor::Reached(on, _) => {
                    let on = on.clone();
                    if !self.communique_exists(path, &on) {
                        return None;
                    }
                }
                _ => {}
            }
        }
        if let Some(end) = &not_after {
            self.embargo_exists(path, end);
        }
        Some((timing, not_after))
    }

    /// Says of a time that ends something that it never comes. What is never due has a finding of its own.
    fn embargo_exists(&mut self, path: &str, end: &Timing) {
        if end.anchor == Anchor::Embargo && self.draft.embargo.is_none() {
            self.error("RC0101", path, "it is relative to the end of an embargo, and the plan has no embargo");
        }
    }

    /// Says where a time that ends something has what only the times of deliveries have.
    pub(super) fn one_instant(&mut self, path: &str, timing: &Timing, has_end: bool) {
        if timing.between.is_some() || timing.spread.is_some() || has_end {
            self.error(
                "RC0605",
                path,
                "`between`, `spread` and `not_after` are of times at which something is due, not of its end",
            );
        }
    }

    /// Until when people must be informed.
    fn deadline(&mut self, path: &str, time: &TimeDraft) -> Option<Timing> {
        let path = format!("{path}.deadline");
        let (timing, not_after) = self.communique_timing(&path, time)?;
        self.one_instant(&path, &timing, not_after.is_some());
        self.embargo_exists(&path, &timing);
        Some(timing)
    }

    fn profile_exists(&mut self, path: &str, draft: &CommuniqueDraft) {
        if let Some(profile) = &draft.profile {
            let known: Vec<&str> = self.draft.profiles.keys().map(String::as_str).collect();
            if !known.contains(&profile.as_str()) {
                self.dangling(format!("{path}.profile"), "profile", profile, known);
            }
        }
    }
}

/// What has to have told somebody before anything of a communique can be due. What is settled may have told nobody.
fn cause(of: &Communique) -> impl Iterator<Item = &CommuniqueId> {
    let anchors = of.occurrences.iter().map(|occurrence| match &occurrence.at.anchor {
        Anchor::Reached(on, state) if !matches!(state, State::Settled | State::Drained) => Some(on),
        _ => None,
    });
    // Of several times one may come before.
    let anchors: Option<Vec<&CommuniqueId>> = anchors.collect();
    let stated = of.after.iter().filter(|after| !matches!(after.state, State::Settled | State::Drained));
    anchors.into_iter().flatten().chain(stated.map(|after| &after.on))
}

/// Whether what is due then waits for a declaration. So does what is due when the embargo ends, unless the plan says otherwise.
fn speaks_of_a_declaration(timing: &Timing, undeclared: bool) -> bool {
    match timing.anchor {
        Anchor::Begun | Anchor::Declared | Anchor::LastDeclared => true,
        Anchor::Embargo => !undeclared,
        _ => false,
    }
}

/// Whether the text states what is known only by a declaration.
fn claims_a_declaration(text: &Text) -> bool {
    ["declaration", "place.declared_at", "place.declared_by", "places.live"].iter().any(|variable| text.uses(variable))
}
