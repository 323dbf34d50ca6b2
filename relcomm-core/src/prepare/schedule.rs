//! Which gates a plan has, what each depends on, and when each is due by what is known.

use crate::clock::Moment;
use crate::communique::{Anchor, Communique, Per, State, Timing};
use crate::course::{Dependence, Gate, GateRule, Head};
use crate::id::{CommuniqueId, GateId, GroupId, PlaceId};
use crate::plan::Plan;

/// One gate of a prepared plan.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GatePlan {
    /// Its place among the plan's gates.
    pub index: usize,
    /// What it stands for.
    pub id: GateId,
    /// The communique's place in the plan.
    pub communique: usize,
    /// When it is due.
    pub at: Timing,
    /// When it is due for the groups for whom that differs.
    pub variants: Vec<(GroupId, Timing)>,
    /// What it waits for: its dependencies, and the states to which its times are anchored.
    pub requirements: Vec<Requirement>,
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
    /// Whether gates that stand by for another outcome count as satisfied: those of other places do.
    pub others: bool,
}

/// All gates of a plan, in its order: communique, occurrence, place.
pub(super) fn gates(plan: &Plan) -> Vec<GatePlan> {
    let mut gates = Vec::new();
    for (number, communique) in plan.communiques().iter().enumerate() {
        // A pre-release reaches nobody by accident, and what is meant for one kind of release is not said of others.
        if plan.release().keeps_back(communique.prerelease, communique.kind.as_deref()).is_some() {
            continue;
        }
        for occurrence in &communique.occurrences {
            for place in places(plan, communique) {
                gates.push(GatePlan {
                    index: gates.len(),
                    id: GateId {
                        communique: communique.id.clone(),
                        occurrence: occurrence.id.clone(),
                        revision: 1,
                        place,
                    },
                    communique: number,
                    at: occurrence.at.clone(),
                    variants: communique
                        .variants
                        .iter()
                        .filter_map(|(group, variant)| Some((group.clone(), variant.at.clone()?)))
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

fn places(plan: &Plan, communique: &Communique) -> Vec<Option<PlaceId>> {
    match communique.per {
        Per::Release => vec![None],
        Per::Place => plan.release().places.iter().map(|p| Some(p.id.clone())).collect(),
    }
}

fn requirements(plan: &Plan, gates: &[GatePlan], gate: &GatePlan) -> Vec<Requirement> {
    let Some(communique) = plan.communiques().get(gate.communique) else { return Vec::new() };
    let stated = communique.after.iter().map(|d| (&d.on, d.state, d.group.clone()));
    let anchored =
        std::iter::once(&gate.at).chain(gate.variants.iter().map(|(_, at)| at)).filter_map(|at| match &at.anchor {
            Anchor::Reached(on, state) => Some((on, *state, None)),
            _ => None,
        });
    let mut all: Vec<Requirement> = Vec::new();
    for (on, state, group) in stated.chain(anchored) {
        let of = |g: &&GatePlan| &g.id.communique == on;
        // The same occurrence joins the same occurrence, the same place the same place.
        let same_occurrence = gates.iter().filter(of).any(|g| g.id.occurrence == gate.id.occurrence);
        let same_place = gates.iter().filter(of).any(|g| gate.id.place.is_some() && g.id.place == gate.id.place);
        let joined: Vec<usize> = gates
            .iter()
            .filter(of)
            .filter(|g| !same_occurrence || g.id.occurrence == gate.id.occurrence)
            .filter(|g| !same_place || g.id.place == gate.id.place)
            .map(|g| g.index)
            .collect();
        let requirement = Requirement { communique: on.clone(), on: joined, state, group, others: !same_place };
        if !all.contains(&requirement) {
            all.push(requirement);
        }
    }
    all
}

impl GatePlan {
    /// What the plan says of this gate, with every time that is known from the head and the gate's own state.
    pub(crate) fn rule(&self, plan: &Plan, places: &[PlaceId], head: &Head, state: &Gate) -> GateRule {
        let communique = plan.communiques().get(self.communique);
        let known = Known { plan, places, head, state, gate: self };
        let times: Option<Vec<Moment>> = std::iter::once(&self.at)
            .chain(self.variants.iter().map(|(_, at)| at))
            .map(|at| known.resolve(at))
            .collect();
        let mut rule = GateRule::new(
            times.and_then(|times| times.into_iter().min()),
            u8::try_from(self.requirements.len()).unwrap_or(u8::MAX),
        );
        if let Some(communique) = communique {
            rule.outcome = communique.outcome;
            rule.awaits_declaration = communique.awaits_declaration;
            rule.not_after = communique.not_after.as_ref().and_then(|at| known.resolve(at));
        }
        rule
    }

    /// When deliveries to the members of a group are due.
    pub(crate) fn due(
        &self,
        plan: &Plan,
        places: &[PlaceId],
        head: &Head,
        state: &Gate,
        variant: Option<&GroupId>,
    ) -> Option<Moment> {
        let at = variant.and_then(|v| self.variants.iter().find(|(g, _)| g == v)).map_or(&self.at, |(_, at)| at);
        Known { plan, places, head, state, gate: self }.resolve(at)
    }
}

impl GatePlan {
    /// When deliveries must be informed: by the deadline of the variant, else of the communique.
    pub(crate) fn deadline(
        &self,
        plan: &Plan,
        places: &[PlaceId],
        head: &Head,
        state: &Gate,
        variant: Option<&GroupId>,
    ) -> Option<Moment> {
        let communique = plan.communiques().get(self.communique)?;
        let own = variant.and_then(|group| communique.variants.get(group)?.deadline.as_ref());
        let deadline = own.or(communique.deadline.as_ref())?;
        Known { plan, places, head, state, gate: self }.resolve(deadline)
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
    fn resolve(&self, at: &Timing) -> Option<Moment> {
        let anchor = match &at.anchor {
            Anchor::Planned => self.plan.release().when.planned?,
            Anchor::Begun => self.begun()?,
            Anchor::Declared => self.state.declared?.1,
            Anchor::LastDeclared => self.head.declared(None, self.places)?.1,
            Anchor::Embargo => return None,
            Anchor::At(at) => *at,
            Anchor::Reached(on, state) => self.reached(on, *state)?,
        };
        Some(at.resolve(anchor))
    }

    /// When the roll-out began at the gate's place; for the release, at the first place.
    fn begun(&self) -> Option<Moment> {
        match &self.gate.id.place {
            Some(place) => self.head.places.get(place)?.begun,
            None => self.head.begun(),
        }
    }

    fn reached(&self, on: &CommuniqueId, state: State) -> Option<Moment> {
        let of = |r: &Requirement| &r.communique == on && r.state == state && r.group.is_none();
        let index = self.gate.requirements.iter().position(of)?;
        match self.state.dependencies.get(index)? {
            Dependence::Met { at } => Some(*at),
            Dependence::Pending | Dependence::Impossible => None,
        }
    }
}
