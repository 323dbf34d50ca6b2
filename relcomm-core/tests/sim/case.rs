//! What can be asked of a case.

use crate::model::{Anchor, Case, Communique, Event, Group, Minutes, Person, Step, Words};
use std::collections::BTreeSet;

impl Case {
    pub(crate) fn group(&self, id: &str) -> &Group {
        self.groups.iter().find(|g| g.id == id).expect("a group of the case")
    }

    pub(crate) fn person(&self, id: &str) -> &Person {
        self.people.iter().find(|p| p.id == id).expect("a person of the case")
    }

    /// The steps by which people of a group may be told of something.
    pub(crate) fn steps<'a>(&'a self, of: &'a Communique) -> impl Iterator<Item = &'a Step> {
        let groups = of.to.iter().flat_map(|group| &self.group(group).via);
        let also = of.corrects.iter().filter_map(|of| of.also.as_ref()).map(|(_, step)| step);
        of.via.iter().chain(of.variants.values().flat_map(|variant| &variant.via)).chain(groups).chain(also)
    }

    /// Who may be reached in the place of others when they are told of something.
    pub(crate) fn stand_ins(&self, of: &Communique) -> BTreeSet<&'static str> {
        let of_step =
            |step: &Step| -> Vec<&'static str> { self.people.iter().filter_map(|who| step.stand_in(who)).collect() };
        self.steps(of).flat_map(of_step).collect()
    }

    /// The places at which a communique is meant, where it is for each place.
    pub(crate) fn places_of(&self, of: &Communique) -> impl Iterator<Item = &'static str> {
        self.places.iter().copied().filter(|place| of.only_at.is_empty() || of.only_at.contains(place))
    }

    /// Whether a person may declare: for Ada, who is responsible, Ben stands in.
    pub(crate) fn may_declare(&self, by: &str) -> bool {
        let of = |word: &&str| *word == by || (matches!(*word, "responsible" | "ada") && matches!(by, "ada" | "ben"));
        self.declares.is_empty() || self.declares.iter().any(of)
    }

    /// Whether the embargo keeps a communique back until its end.
    pub(crate) fn is_embargoed(&self, of: &Communique) -> bool {
        let Some(embargo) = &self.embargo else { return false };
        let tells = of.words != Words::Neutral || of.variants.values().any(|variant| variant.text);
        let is_cleared = of.to.iter().all(|group| embargo.cleared.contains(group));
        (tells && !is_cleared) || of.times().any(|time| time.anchor == Anchor::Embargo)
    }

    /// Whether somebody is erased sooner or later.
    pub(crate) fn is_erased(&self, id: &str) -> bool {
        self.events.iter().any(|(_, event)| matches!(event, Event::Erase(who) if who == id))
    }

    /// Whether somebody is erased and the plan is prepared for other people later: then nothing says any more who it was.
    pub(crate) fn is_forgotten(&self, id: &str) -> bool {
        let events = self.events.iter().map(|(_, event)| event);
        let mut after = events.skip_while(|event| !matches!(event, Event::Erase(who) if who == id));
        after.any(|event| matches!(event, Event::Join(_) | Event::Leave(_)))
    }

    /// When somebody comes who was not there from the beginning.
    pub(crate) fn joins(&self, id: &str) -> Option<Minutes> {
        self.events.iter().find(|(_, event)| matches!(event, Event::Join(who) if who == id)).map(|(at, _)| *at)
    }

    /// Who is not there from the beginning.
    pub(crate) fn absent(&self) -> BTreeSet<String> {
        let joins = |(_, event): &(Minutes, Event)| if let Event::Join(who) = event { Some(who.clone()) } else { None };
        self.events.iter().filter_map(joins).collect()
    }

    pub(crate) fn leaves(&self, id: &str) -> Option<Minutes> {
        self.events.iter().find(|(_, event)| matches!(event, Event::Leave(who) if who == id)).map(|(at, _)| *at)
    }

    /// Whether the machine's clock jumps.
    pub(crate) fn jumps(&self) -> bool {
        self.events.iter().any(|(_, event)| matches!(event, Event::Jump(_)))
    }

    pub(crate) fn is_prerelease(&self) -> bool {
        self.version.contains('-')
    }

    /// Whether the communique says nothing of this release.
    pub(crate) fn keeps_back(&self, communique: &Communique) -> bool {
        let kind = communique.kind;
        communique.host == Some(false)
            || (self.is_prerelease() && kind != Some("prerelease"))
            || kind.is_some_and(|kind| kind != "prerelease" && self.kind != Some(kind))
    }
}
