//! Which gates a plan has, what each depends on, and when each is due by what is known.

use super::{PathPlan, embargo};
use crate::clock::Moment;
use crate::communique::{Anchor, Communique, Dependency, Hours, Part, Per, Share, State, Then, Timing};
use crate::course::{Dependence, Gate, GateRule, Head, Remedy, Slip, stands};
use crate::id::{CommuniqueId, GateId, GroupId, PlaceId};
use crate::plan::Plan;
use crate::release::Outcome;
use chrono_tz::Tz;
use sha2::{Digest, Sha256};
use std::fmt;
use std::time::Duration;

/// One gate of a prepared plan.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GatePlan {
    /// Its place among the gates: first the plan's, then their revisions.
    pub index: usize,
    /// The place of the gate that it revises; its own, if it is none.
    pub base: usize,
    /// What it stands for.
    pub id: GateId,
    /// The communique's place in the plan.
    pub communique: usize,
    /// When it is due.
    pub due: Due,
    /// When it is due for the groups for whom that differs.
    pub variants: Vec<(GroupId, Due)>,
    /// What it waits for: its dependencies, and the states to which its times are anchored.
    pub requirements: Vec<Requirement>,
    /// When the planned time moved, if it is the revision that says so.
    pub revised: Option<Moment>,
}

/// When something is due, and when it is too late.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Due {
    /// When it is due.
    pub at: Timing,
    /// The time after which it is no longer sent.
    pub not_after: Option<Timing>,
}

/// The times of a delivery, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Times {
    /// From when on it is due.
    pub(crate) at: Option<Moment>,
    /// The time after which it is no longer sent.
    pub(crate) not_after: Option<Moment>,
    /// The hours outside which it waits.
    pub(crate) hours: Hours,
    /// Over how long such deliveries are spread.
    pub(crate) spread: Option<Duration>,
}

impl Times {
    /// From when on the delivery of an ordinal may be told, if the gate opened then: from this on it counts how long that takes.
    pub(crate) fn due(&self, opened: Option<Moment>, ordinal: u32) -> Option<Moment> {
        let at = self.at.max(opened)?;
        let later = self.spread.map_or(Duration::ZERO, |spread| share(spread, ordinal));
        self.hours.pass(at, later).or(Some(at))
    }
}

/// The part of the time after which the delivery of an ordinal is due, in whole seconds, so that some still share a call.
///
/// The multiples of the golden ratio, taken modulo one, lie evenly, however long a row of them is and wherever it begins; so nobody need
/// know how many there are, or where those of a group begin.
pub(crate) fn share(spread: Duration, ordinal: u32) -> Duration {
    let part = u128::from(ordinal.wrapping_mul(0x9E37_79B9));
    let seconds = u128::from(spread.as_secs()).saturating_mul(part) >> 32;
    Duration::from_secs(u64::try_from(seconds).unwrap_or(u64::MAX))
}

/// A state of other gates that a gate waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Requirement {
    /// The communique.
    pub communique: CommuniqueId,
    /// Its gates, by their places among the plan's.
    pub on: Vec<usize>,
    /// What they must have reached.
    pub state: State,
    /// Counting only the members of this group.
    pub group: Option<GroupId>,
    /// By how many of those who are counted, gate by gate; `None` where the plan does not say.
    pub share: Option<Share>,
    /// Whether gates that stand by for another outcome count as satisfied: those of other places do.
    pub others: bool,
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.share {
            Some(share) => write!(f, "{} {share} {}", self.communique, self.state),
            None => write!(f, "{} {}", self.communique, self.state),
        }
    }
}

/// All gates of a plan, in its order: communique, occurrence, place.
pub(super) fn gates(plan: &Plan) -> Vec<GatePlan> {
    let mut gates = Vec::new();
    for (number, communique) in plan.communiques().iter().enumerate() {
        // A pre-release reaches nobody by accident, and what is meant for one kind of release is not said of others.
        if communique.kept_back(plan.release()).is_some() {
            continue;
        }
        for occurrence in &communique.occurrences {
            let end = occurrence.not_after.as_ref().or(communique.not_after.as_ref());
            for place in places(plan, communique) {
                gates.push(GatePlan {
                    index: gates.len(),
                    base: gates.len(),
                    revised: None,
                    id: GateId {
                        communique: communique.id.clone(),
                        occurrence: occurrence.id.clone(),
                        revision: 1,
                        place,
                    },
                    communique: number,
                    due: Due { at: occurrence.at.clone(), not_after: end.cloned() },
                    variants: communique
                        .variants
                        .iter()
                        .filter_map(|(group, variant)| {
                            let not_after = variant.not_after.as_ref().or(end).cloned();
                            Some((group.clone(), Due { at: variant.at.clone()?, not_after }))
                        })
                        .collect(),
                    requirements: Vec::new(),
                });
            }
        }
    }
    let requirements: Vec<Vec<Requirement>> = gates.iter().map(|gate| requirements(plan, &gates, gate)).collect();
    for (gate, requirements) in gates.iter_mut().zip(requirements) {
        gate.requirements = requirements;
    }
    gates
}

/// The gates of a plan, and a revision of those that correct slips for each time the planned time moved. A revision waits until nothing
/// of those before it is under way: it goes to whom they told, by whichever occurrence.
pub(super) fn revised(plan: &Plan, gates: &[GatePlan], slips: &[Slip]) -> Vec<GatePlan> {
    let corrects = |gate: &&GatePlan| plan.communiques().get(gate.communique).is_some_and(|c| c.corrects_slips);
    let mut all = gates.to_vec();
    for (slip, revision) in slips.iter().zip(2u32..) {
        for gate in gates.iter().filter(corrects) {
            let alike = |g: &&GatePlan| g.communique == gate.communique && g.id.place == gate.id.place;
            let before = all.iter().filter(alike).filter(|g| g.id.revision < revision).map(|g| g.index).collect();
            let mut next = gate.clone();
            (next.index, next.id.revision, next.revised) = (all.len(), revision, Some(slip.at));
            next.requirements = vec![Requirement {
                communique: gate.id.communique.clone(),
                on: before,
                state: State::Drained,
                group: None,
                share: None,
                others: true,
            }];
            all.push(next);
        }
    }
    // What corrects a communique corrects its revisions, too.
    let revisions: Vec<(usize, usize)> = all.iter().filter(|g| g.index != g.base).map(|g| (g.base, g.index)).collect();
    for gate in all.iter_mut().filter(|g| g.index == g.base) {
        for requirement in gate.requirements.iter_mut().filter(|r| r.state == State::Drained) {
            let of = revisions.iter().filter(|(base, _)| requirement.on.contains(base)).map(|(_, index)| *index);
            requirement.on.extend(of.collect::<Vec<_>>());
        }
    }
    all
}

fn places(plan: &Plan, communique: &Communique) -> Vec<Option<PlaceId>> {
    match communique.per {
        Per::Release => vec![None],
        Per::Place => {
            let is_meant = |place: &PlaceId| communique.only_at.is_empty() || communique.only_at.contains(place);
            plan.release().places.iter().filter(|p| is_meant(&p.id)).map(|p| Some(p.id.clone())).collect()
        }
    }
}

fn requirements(plan: &Plan, gates: &[GatePlan], gate: &GatePlan) -> Vec<Requirement> {
    let Some(communique) = plan.communiques().get(gate.communique) else { return Vec::new() };
    let stated = communique.after.iter().map(|d| (&d.on, d.state, d.group.clone(), d.share));
    let anchored = gate.dues().filter_map(|due| match &due.at.anchor {
        Anchor::Reached(on, state) => Some((on, *state, None, None)),
        _ => None,
    });
    let corrected = communique.corrects.iter().map(|corrects| (&corrects.of, State::Drained, None, None));
    let mut all: Vec<Requirement> = Vec::new();
    for (on, state, group, share) in stated.chain(anchored).chain(corrected) {
        let (joined, same_place) = gate.joined(gates, on, state != State::Drained);
        let requirement = Requirement { communique: on.clone(), on: joined, state, group, share, others: !same_place };
        if !all.contains(&requirement) {
            all.push(requirement);
        }
    }
    all
}

/// What is waited for of a communique: of all its gates, or of those at the same place.
fn requirement(gates: &[GatePlan], on: &CommuniqueId, state: State, place: Option<&PlaceId>) -> Requirement {
    let of = |g: &&GatePlan| &g.id.communique == on;
    // What is not meant for this place is not waited for here.
    let same_place = gates.iter().filter(of).any(|g| place.is_some() && g.id.place.is_some());
    let joined = gates.iter().filter(of).filter(|g| !same_place || g.id.place.as_ref() == place).map(|g| g.index);
    Requirement { communique: on.clone(), on: joined.collect(), state, group: None, share: None, others: !same_place }
}

impl Requirement {
    /// What a place needs before it can be declared: of every occurrence and revision, as far as any is due.
    pub(crate) fn of_place(gates: &[GatePlan], need: &Dependency, place: &PlaceId) -> Self {
        let mut requirement = requirement(gates, &need.on, need.state, Some(place));
        (requirement.group, requirement.share, requirement.others) = (need.group.clone(), need.share, true);
        requirement
    }
}

impl GatePlan {
    /// The gates of a communique that concern this one, and whether they are those of its place: the same occurrence joins the same
    /// occurrence, where that counts, the same place the same place.
    pub(crate) fn joined(&self, gates: &[Self], on: &CommuniqueId, by_occurrence: bool) -> (Vec<usize>, bool) {
        let of = |g: &&Self| &g.id.communique == on;
        let same_occurrence = by_occurrence && gates.iter().filter(of).any(|g| g.id.occurrence == self.id.occurrence);
        // What is not meant for this place is not waited for here.
        let same_place = gates.iter().filter(of).any(|g| self.id.place.is_some() == g.id.place.is_some());
        let joined = gates
            .iter()
            .filter(of)
            .filter(|g| !same_occurrence || g.id.occurrence == self.id.occurrence)
            .filter(|g| !same_place || g.id.place == self.id.place)
            .map(|g| g.index)
            .collect();
        (joined, same_place)
    }

    /// Which requirements these are, as a number that others do not have, whatever the gates are that stand for them.
    pub(crate) fn awaits(&self) -> u64 {
        let mut hash = Sha256::new();
        for of in &self.requirements {
            let group = of.group.as_ref().map_or("", GroupId::as_str);
            hash.update(format!("{of} {group} {}\n", of.others));
        }
        let digest: [u8; 32] = hash.finalize().into();
        // JSON's numbers are exact up to 53 bits.
        let number = digest.iter().take(6).fold(0, |number, octet| number << 8 | u64::from(*octet));
        if self.requirements.is_empty() { 0 } else { number }
    }

    pub(super) fn dues(&self) -> impl Iterator<Item = &Due> {
        std::iter::once(&self.due).chain(self.variants.iter().map(|(_, due)| due))
    }

    fn due_for(&self, variant: Option<&GroupId>) -> &Due {
        variant.and_then(|v| self.variants.iter().find(|(group, _)| group == v)).map_or(&self.due, |(_, due)| due)
    }

    /// Whether its times are other instants in other zones.
    pub(crate) fn is_zoned(&self) -> bool {
        self.dues().flat_map(|due| std::iter::once(&due.at).chain(&due.not_after)).any(|time| time.recipient_zone)
    }

    /// What the plan says of this gate, with every time that is known from the head and the gate's own state. It opens for the first of
    /// the recipients, whose zones these are, and ends with the last.
    pub(crate) fn rule(&self, plan: &Plan, places: &[PlaceId], head: &Head, state: &Gate, zones: &[Tz]) -> GateRule {
        let known = Known { plan, places, head, state, gate: self };
        let embargo = |communique| embargo::holds(plan, places, head, communique, self.dues().map(|due| &due.at));
        if let Some(at) = self.revised {
            let mut rule = GateRule::new(Some(at), 1);
            rule.awaits = self.awaits();
            (rule.awaits_declaration, rule.revision) = (false, true);
            rule.embargo = plan.communiques().get(self.communique).and_then(embargo);
            return rule;
        }
        let own = [plan.zone()];
        let zones = if zones.is_empty() { &own } else { zones };
        let everywhere =
            |time: &Timing| zones.iter().map(|zone| known.resolve(time, *zone)).collect::<Option<Vec<_>>>();
        let begins: Option<Vec<Vec<Moment>>> = self.dues().map(|due| everywhere(&due.at)).collect();
        let ends: Option<Vec<Vec<Moment>>> = self.dues().map(|due| everywhere(due.not_after.as_ref()?)).collect();
        let mut rule = GateRule::new(
            begins.and_then(|all| all.into_iter().flatten().min()),
            u8::try_from(self.requirements.len()).unwrap_or(u8::MAX),
        );
        rule.awaits = self.awaits();
        rule.not_after = ends.and_then(|all| all.into_iter().flatten().max());
        if let Some(communique) = plan.communiques().get(self.communique) {
            rule.outcome = communique.outcome;
            rule.awaits_declaration = communique.awaits_declaration;
            rule.if_blocked = communique.if_blocked.as_ref().map(|blocked| {
                let remedy = match blocked.then {
                    Then::Ask(_) => Remedy::Ask,
                    Then::Proceed => Remedy::Proceed,
                    Then::Cancel => Remedy::Close,
                };
                (blocked.after, remedy)
            });
            rule.embargo = embargo(communique);
        }
        rule
    }

    /// The times of deliveries by a path to those who are in that zone.
    pub(crate) fn times(
        &self,
        plan: &Plan,
        places: &[PlaceId],
        head: &Head,
        state: &Gate,
        (path, zone): (&PathPlan, Tz),
    ) -> Times {
        let known = Known { plan, places, head, state, gate: self };
        let (group, due) = (&path.group, self.due_for(path.variant.as_ref()));
        let mut times = Times {
            at: known.resolve(&due.at, zone),
            not_after: due.not_after.as_ref().and_then(|end| known.resolve(end, zone)),
            hours: Hours::default(),
            spread: due.at.spread,
        };
        if path.part == Part::Slip {
            // Whoever heard the old time hears at once that it moved, however late that is for the news itself.
            (times.at, times.spread, times.not_after) = (self.revised, None, None);
        }
        if plan.communiques().get(self.communique).is_some_and(|communique| communique.urgent) {
            return times;
        }
        let own = due.at.between.map(|window| (window, if due.at.recipient_zone { zone } else { due.at.zone }));
        let theirs = plan.group(group).and_then(|group| group.between).map(|window| (window, zone));
        times.hours.0.extend(own.into_iter().chain(theirs));
        times
    }
}

impl GatePlan {
    /// The time by which deliveries must be informed: that of the variant, else of the communique.
    pub(crate) fn deadline_timing<'a>(&self, plan: &'a Plan, variant: Option<&GroupId>) -> Option<&'a Timing> {
        // News of a slip goes out at once, and has no deadline but that of its groups.
        let communique = plan.communiques().get(self.communique).filter(|_| self.revised.is_none())?;
        let own = variant.and_then(|group| communique.variants.get(group)?.deadline.as_ref());
        own.or(communique.deadline.as_ref())
    }

    /// When deliveries must be informed; `reached` is when what that is relative to was reached, if it is another communique.
    pub(crate) fn deadline(
        &self,
        plan: &Plan,
        places: &[PlaceId],
        head: &Head,
        state: &Gate,
        (variant, zone): (Option<&GroupId>, Tz),
        reached: Option<Moment>,
    ) -> Option<Moment> {
        let deadline = self.deadline_timing(plan, variant)?;
        match deadline.anchor {
            Anchor::Reached(..) => Some(deadline.resolve_for(reached?, zone)),
            _ => Known { plan, places, head, state, gate: self }.resolve_as_opened(deadline, zone),
        }
    }
}

struct Known<'a> {
    plan: &'a Plan,
    places: &'a [PlaceId],
    head: &'a Head,
    state: &'a Gate,
    gate: &'a GatePlan,
}

impl Known<'_> {
    fn resolve(&self, at: &Timing, recipient: Tz) -> Option<Moment> {
        let anchor = match &at.anchor {
            Anchor::Planned => self.head.planned(self.plan.release().when.planned)?,
            Anchor::Begun => self.begun()?,
            Anchor::Declared => self.declared()?,
            Anchor::LastDeclared => self.head.declared(None, self.places)?.1,
            Anchor::Embargo => embargo::end(self.plan, self.places, self.head)?,
            Anchor::At(at) => *at,
            Anchor::Reached(on, state) => self.reached(on, *state)?,
        };
        Some(at.resolve_for(anchor, recipient))
    }

    /// By what held when the gate opened, if it did: what has moved since does not make anybody late who was not, or the other way round.
    fn resolve_as_opened(&self, at: &Timing, recipient: Tz) -> Option<Moment> {
        let anchor = match (&at.anchor, self.state.opened) {
            (Anchor::Planned, Some(opened)) => self.head.planned_at(self.plan.release().when.planned, opened)?,
            (Anchor::Declared, Some(_)) => self.state.stands_since.or_else(|| self.declared())?,
            _ => return self.resolve(at, recipient),
        };
        Some(at.resolve_for(anchor, recipient))
    }

    /// As of when that was declared for which the gate is meant.
    fn declared(&self) -> Option<Moment> {
        let outcome = self.plan.communiques().get(self.gate.communique)?.outcome;
        self.state.declared.filter(|(declared, _)| stands(outcome, *declared)).map(|(_, since)| since)
    }

    /// When the roll-out began at the gate's place; for the release, at the first place. By its success at the latest.
    fn begun(&self) -> Option<Moment> {
        let place = self.gate.id.place.as_ref();
        let said = match place {
            Some(place) => self.head.places.get(place)?.begun,
            None => self.head.begun(),
        };
        let succeeded = || self.head.declared(place, self.places).filter(|(outcome, _)| *outcome == Outcome::Success);
        said.or_else(|| succeeded().map(|(_, at)| at))
    }

    fn reached(&self, on: &CommuniqueId, state: State) -> Option<Moment> {
        let of = |r: &Requirement| &r.communique == on && r.state == state && r.group.is_none() && r.share.is_none();
        let index = self.gate.requirements.iter().position(of)?;
        // How it stood when the gate waited for something else says nothing of this.
        if self.state.awaits != self.gate.awaits() {
            return None;
        }
        match self.state.dependencies.get(index)? {
            Dependence::Met { at } | Dependence::Moot { at } => Some(*at),
            // What goes out all the same counts from when that was decided.
            Dependence::Impossible => self.state.forced,
            Dependence::Pending => None,
        }
    }
}
