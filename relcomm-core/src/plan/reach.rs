//! Whom a step reaches in a stakeholder's place.

use super::people::{People, StakeholderRef};
use super::valid::Plan;
use crate::communique::{Reach, Step};
use crate::mechanism::Mechanism;
use crate::stakeholder::Party;
use std::collections::HashMap;

/// Somebody whom a step reaches in a stakeholder's place.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reached<'a> {
    /// One of the people.
    Person(StakeholderRef<'a>),
    /// Somebody who answers for the release or holds a role, and is none of the people.
    Party(&'a Party),
}

impl<'a> Reached<'a> {
    pub(crate) fn id(&self) -> &'a str {
        match self {
            Self::Person(who) => who.id(),
            Self::Party(party) => party.id.as_str(),
        }
    }

    pub(crate) fn name(&self) -> Option<&'a str> {
        match self {
            Self::Person(who) => who.name(),
            Self::Party(party) => party.name.as_deref(),
        }
    }

    pub(crate) fn address(&self, by: &Mechanism) -> Option<&'a str> {
        match self {
            Self::Person(who) => who.address(by),
            Self::Party(party) => party.addresses.get(by).map(crate::stakeholder::Address::as_str),
        }
    }

    pub(crate) fn opted_out(&self) -> bool {
        match self {
            Self::Person(who) => who.opted_out(),
            Self::Party(_) => false,
        }
    }
}

/// The numbers of those of the people whom some step may reach in another's place. Empty, where no step does.
#[derive(Debug, Default)]
pub(crate) struct Escalations(HashMap<String, u32>);

impl Escalations {
    pub(crate) fn of(plan: &Plan, people: &People) -> Self {
        let reaches: Vec<&Reach> = plan.all_steps().filter_map(|step| step.to.as_ref()).collect();
        if reaches.is_empty() {
            return Self::default();
        }
        let mut wanted: HashMap<String, u32> = HashMap::new();
        for reach in reaches {
            match reach {
                Reach::Named(word) => {
                    let holders = plan.holders.get(word).into_iter().flatten().map(|party| party.id.as_str());
                    wanted.extend(holders.chain([word.as_str()]).map(|id| (id.to_owned(), u32::MAX)));
                }
                Reach::Column(column) => {
                    let ids = people.iter().filter_map(|who| who.last_var(|name| name == column));
                    wanted.extend(ids.map(|id| (id.to_owned(), u32::MAX)));
                }
            }
        }
        for (number, who) in (0..).zip(people.iter()) {
            if let Some(of) = wanted.get_mut(who.id()) {
                *of = number;
            }
        }
        wanted.retain(|_, number| *number < u32::MAX);
        Self(wanted)
    }

    /// Whom the step of a stakeholder reaches in their place: the first of those who are meant who has an address for it, else the first
    /// of them. `None` if there is no such person.
    pub(crate) fn reached<'a>(
        &self,
        (plan, people): (&'a Plan, &'a People),
        reach: &Reach,
        by: &Mechanism,
        who: StakeholderRef<'_>,
    ) -> Option<Reached<'a>> {
        let person = |id: &str| self.0.get(id).and_then(|number| people.at(*number)).map(Reached::Person);
        match reach {
            Reach::Column(column) => person(who.last_var(|name| name == column)?),
            Reach::Named(word) => {
                if let Some(found) = person(word) {
                    return Some(found);
                }
                let holders = plan.holders.get(word).map_or(&[][..], Vec::as_slice);
                let all = || {
                    holders.iter().flat_map(|party| [Some(Reached::Party(party)), person(party.id.as_str())]).flatten()
                };
                all().find(|reached| reached.address(by).is_some()).or_else(|| all().next())
            }
        }
    }
}

impl Plan {
    /// Every step of the plan.
    pub(crate) fn all_steps(&self) -> impl Iterator<Item = &Step> {
        let of_groups = self.groups.iter().map(|group| &group.via);
        let of_communiques = self.communiques.iter().flat_map(|communique| {
            let of_variants = communique.variants.values().map(|variant| &variant.via);
            let of_corrections = communique.corrects.iter().flat_map(|corrects| corrects.also.values());
            std::iter::once(&communique.via).chain(of_variants).chain(of_corrections)
        });
        of_groups.chain(of_communiques).flatten()
    }
}
