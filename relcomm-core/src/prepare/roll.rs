//! The roll of a gate: who is told through it, at which ordinal, and by which path.

use super::{GatePlan, PreparedPlan, SHARED, lane_name};
use crate::communique::Step;
use crate::id::{GroupId, Role};
use crate::mechanism::{Addressing, Mechanism};
use crate::receipt::Assurance;
use crate::stakeholder::{Address, Stakeholder};
use std::collections::BTreeMap;
use std::time::Duration;

/// Who is on a gate's roll: the posts that members share first, then every member once.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Roll {
    posts: Vec<Post>,
    people: Vec<u32>,
    path_nos: Vec<u16>,
    paths: Vec<PathPlan>,
}

/// One attempt that is credited to every member who shares it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Post {
    /// The mechanism.
    pub mechanism: Mechanism,
    /// The address that the members have for it; the binding is the address where there is none.
    pub address: Option<Address>,
    /// The path by which its words are chosen.
    pub path: u16,
}

/// The way to some of the members.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PathPlan {
    /// The group through which they are told: the first of the communique's to which they belong.
    pub group: GroupId,
    /// The group whose variant holds for them.
    pub variant: Option<GroupId>,
    /// What makes them count as informed.
    pub informed_when: Assurance,
    /// The steps for which they have an address, preferred first.
    pub steps: Vec<StepPlan>,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StepPlan {
    /// The mechanism.
    pub mechanism: Mechanism,
    /// The lane, by its place among the bundle's.
    pub lane: usize,
    /// The ordinal of the post that is shared, for a mechanism addressed once.
    pub post: Option<u32>,
    /// The step is begun also when this is not reached within so long.
    pub unless: Option<(Assurance, Duration)>,
    /// Who acts by hand.
    pub performer: Option<Role>,
}

impl Roll {
    /// How many ordinals there are.
    #[must_use]
    pub fn len(&self) -> u32 {
        u32::try_from(self.posts.len() + self.people.len()).unwrap_or(u32::MAX)
    }

    /// Whether there is nobody on it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    /// The posts: the ordinals from 0.
    #[must_use]
    pub fn posts(&self) -> &[Post] {
        &self.posts
    }

    /// The members' numbers and paths, in the order of their ordinals.
    pub fn members(&self) -> impl Iterator<Item = (u32, u16)> {
        self.people.iter().copied().zip(self.path_nos.iter().copied())
    }

    /// The member at an ordinal: their number among the people, and their path.
    #[must_use]
    pub fn member(&self, ordinal: u32) -> Option<(u32, u16)> {
        let index = (ordinal as usize).checked_sub(self.posts.len())?;
        Some((*self.people.get(index)?, *self.path_nos.get(index)?))
    }

    /// The path of that number.
    #[must_use]
    pub fn path(&self, number: u16) -> Option<&PathPlan> {
        self.paths.get(usize::from(number))
    }

    /// The paths, by number.
    #[must_use]
    pub fn paths(&self) -> &[PathPlan] {
        &self.paths
    }
}

/// The order in which the kinds of address that a member has are tried where neither plan nor group says.
const PREFERENCE: [&str; 10] =
    ["email", "webhook", "chat", "text", "pager", "phone", "website", "bulletin", "newsletter", "presentation"];

pub(super) fn roll(prepared: &PreparedPlan, gate: &GatePlan) -> Roll {
    let plan = prepared.plan();
    let communique = prepared.communique(gate);
    let mut seen = vec![false; prepared.people().len()];
    let mut known: BTreeMap<PathKey, u16> = BTreeMap::new();
    let mut roll = Roll::default();
    let membership: Vec<(&GroupId, Vec<bool>)> = communique
        .to
        .iter()
        .map(|group| {
            let mut is_member = vec![false; prepared.people().len()];
            for &number in prepared.people().members(group) {
                if let Some(slot) = is_member.get_mut(number as usize) {
                    *slot = true;
                }
            }
            (group, is_member)
        })
        .collect();
    for group_id in &communique.to {
        let Some(group) = plan.group(group_id) else { continue };
        for &number in prepared.people().members(group_id) {
            if std::mem::replace(seen.get_mut(number as usize).unwrap_or(&mut true), true) {
                continue;
            }
            let Some(who) = prepared.people().get(number) else { continue };
            if !who.is_in(gate.id.place.as_ref()) {
                continue;
            }
            let groups =
                || membership.iter().filter(|(_, is)| is.get(number as usize) == Some(&true)).map(|(id, _)| *id);
            let variant = groups().find(|group| communique.variants.contains_key(*group));
            // One delivery is credited to every group, so it must meet the rule of each.
            let strictest = groups().filter_map(|id| plan.group(id)).map(|g| g.informed_when).max();
            let informed_when = communique.informed_when.or(strictest).unwrap_or(group.informed_when);
            let own = variant.and_then(|g| communique.variants.get(g)).map_or(&[][..], |v| v.via.as_slice());
            let via = [own, &communique.via, &group.via].into_iter().find(|via| !via.is_empty());
            let lanes = lanes_of(prepared, &who, via);
            let key = (group_id.clone(), variant.cloned(), informed_when, lanes);
            let path = match known.get(&key) {
                Some(path) => *path,
                None => {
                    let path = path(prepared, &mut roll, &key, &who, via);
                    known.insert(key, path);
                    path
                }
            };
            roll.people.push(number);
            roll.path_nos.push(path);
        }
    }
    roll
}

type PathKey = (GroupId, Option<GroupId>, Assurance, Vec<(usize, String)>);

/// The steps that a stakeholder can be reached by, each with its lane.
fn lanes_of(prepared: &PreparedPlan, who: &Stakeholder, via: Option<&[Step]>) -> Vec<(usize, String)> {
    steps_of(who, via)
        .iter()
        .enumerate()
        .filter_map(|(index, step)| {
            let carrier = prepared.carriers().get(&step.via)?;
            let address = who.addresses.get(&step.via);
            match carrier.capabilities.addressing {
                Addressing::Once => Some((index, format!("{SHARED}{}", step.via))),
                Addressing::Each if address.is_none() && !carrier.capabilities.by_hand => None,
                Addressing::Each => {
                    Some((index, lane_name(&step.via, carrier.endpoints, address.map(Address::as_str))))
                }
            }
        })
        .collect()
}

fn steps_of(who: &Stakeholder, via: Option<&[Step]>) -> Vec<Step> {
    if let Some(via) = via {
        return via.to_vec();
    }
    let rank = |m: &Mechanism| PREFERENCE.iter().position(|p| *p == m.as_str()).unwrap_or(PREFERENCE.len());
    let mut mechanisms: Vec<&Mechanism> = who.addresses.keys().collect();
    mechanisms.sort_by_key(|m| rank(m));
    mechanisms.into_iter().cloned().map(Step::new).collect()
}

fn path(
    prepared: &PreparedPlan,
    roll: &mut Roll,
    (group, variant, informed_when, lanes): &PathKey,
    who: &Stakeholder,
    via: Option<&[Step]>,
) -> u16 {
    let number = u16::try_from(roll.paths.len()).unwrap_or(u16::MAX);
    let all = steps_of(who, via);
    let mut steps = Vec::new();
    for (index, lane) in lanes {
        let Some(step) = all.get(*index) else { continue };
        let post = lane.starts_with(SHARED).then(|| post(roll, &step.via, who.addresses.get(&step.via), number));
        steps.push(StepPlan {
            mechanism: step.via.clone(),
            lane: prepared.lanes().iter().position(|l| l == lane).unwrap_or(usize::MAX),
            post,
            unless: step.unless.zip(step.within),
            performer: step.performer.clone(),
        });
    }
    roll.paths.push(PathPlan { group: group.clone(), variant: variant.clone(), informed_when: *informed_when, steps });
    number
}

/// The post that carries the mechanism for this gate: one for all who share it.
fn post(roll: &mut Roll, mechanism: &Mechanism, address: Option<&Address>, path: u16) -> u32 {
    let known = roll
        .posts
        .iter()
        .position(|p| &p.mechanism == mechanism && (p.address.as_ref() == address || address.is_none()));
    let index = known.unwrap_or_else(|| {
        roll.posts.push(Post { mechanism: mechanism.clone(), address: address.cloned(), path });
        roll.posts.len() - 1
    });
    u32::try_from(index).unwrap_or(u32::MAX)
}
