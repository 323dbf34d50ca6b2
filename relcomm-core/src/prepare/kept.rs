//! What the record keeps of those who may have to be told again, and the roll that is made of it: of a correction or a revision, whose
//! people only the record knows.

use super::roll::by_preference;
use super::{GatePlan, PathPlan, Post, PreparedPlan, Readers, Roll, SHARED, StepPlan, lane_name};
use crate::clock::Moment;
use crate::communique::{Part, Step};
use crate::mechanism::{Addressing, Mechanism};
use crate::plan::People;
use crate::stakeholder::{Address, Stakeholder};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;

impl Roll {
    /// Its posts, as they are kept.
    pub(crate) fn kept_posts(&self) -> Vec<KeptPost> {
        let kept = |post: &Post| Some(KeptPost::new(post, self.path(post.path)?.clone()));
        self.posts.iter().filter_map(kept).collect()
    }

    /// This roll with its posts at the ordinals at which they were entered. One that was not has an ordinal at which nothing stands.
    pub(crate) fn as_entered(&self, entered: &[KeptPost]) -> Self {
        let mut roll = self.clone();
        let mut nowhere = (0..=u32::MAX).rev();
        let ordinal = |post: &Post| {
            let address = post.address.as_ref().map(Address::as_str);
            let known = entered.iter().find(|known| known.is_of(&post.mechanism, address, &post.readers));
            known.map(|known| known.ordinal).or_else(|| nowhere.next()).unwrap_or(u32::MAX)
        };
        let ordinals = self.posts.iter().map(ordinal).collect();
        roll.number_posts(ordinals);
        roll
    }
}

/// What is kept beside a delivery that may have to be corrected: for whom it is, and how they are told.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kept {
    /// One attempt that members share.
    Post(KeptPost),
    /// A stakeholder.
    Member {
        /// As they were then.
        who: Stakeholder,
        /// Their path.
        path: PathPlan,
    },
}

/// A post as it is kept.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct KeptPost {
    /// Where it lies says it.
    #[serde(skip)]
    pub(crate) ordinal: u32,
    mechanism: Mechanism,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<Address>,
    #[serde(flatten)]
    readers: Readers,
    path: PathPlan,
}

impl KeptPost {
    /// A post of a roll, with its path.
    pub(crate) fn new(post: &Post, path: PathPlan) -> Self {
        let Post { ordinal, mechanism, address, readers, .. } = post.clone();
        Self { ordinal, mechanism, address, readers, path }
    }

    /// This post at an ordinal.
    pub(crate) fn at(self, ordinal: u32) -> Self {
        Self { ordinal, ..self }
    }

    fn is_of(&self, mechanism: &Mechanism, address: Option<&str>, readers: &Readers) -> bool {
        let own = self.address.as_ref().map(Address::as_str);
        &self.mechanism == mechanism && &self.readers == readers && own == address
    }
}

impl Kept {
    /// As it lies in the record.
    pub(crate) fn text(&self) -> Option<Arc<str>> {
        serde_json::to_string(self).ok().map(Into::into)
    }

    /// What was kept at an ordinal; `None` if it was not written by relcomm.
    pub(crate) fn read(ordinal: u32, text: &str) -> Option<Self> {
        Some(match serde_json::from_str(text).ok()? {
            Self::Post(post) => Self::Post(post.at(ordinal)),
            member @ Self::Member { .. } => member,
        })
    }

    /// The post that was kept at an ordinal, if it is one: without a look at what is kept of people.
    pub(crate) fn read_post(ordinal: u32, text: &str) -> Option<KeptPost> {
        match text.starts_with("{\"post\"").then(|| Self::read(ordinal, text))?? {
            Self::Post(post) => Some(post),
            Self::Member { .. } => None,
        }
    }
}

/// A roll in the making, from what was kept.
#[derive(Default)]
pub(crate) struct Gathered {
    roll: Roll,
    people: People,
    paths: HashMap<String, u16>,
}

impl Gathered {
    /// Gives the next ordinal to what was kept, and returns the number of its path. Whoever was erased keeps their ordinal and has no path.
    pub(crate) fn push(&mut self, prepared: &PreparedPlan, kept: Option<Kept>) -> Option<u16> {
        match kept {
            Some(Kept::Post(post)) => {
                let KeptPost { ordinal, mechanism, address, readers, path } = post;
                let lanes = path.steps.iter().map(|step| prepared.lane_of(&step.mechanism, None)).collect();
                let path = self.path(path, lanes);
                self.roll.posts.push(Post { ordinal, mechanism, address, readers, path });
                Some(path)
            }
            Some(Kept::Member { who, path }) => {
                // Nobody tells more people than a number of 32 bits can count.
                let number = self.people.push(&who).ok()?;
                let lanes = path.steps.iter().map(|step| {
                    prepared.lane_of(&step.mechanism, who.addresses.get(&step.mechanism).map(Address::as_str))
                });
                let lanes = lanes.collect();
                let path = self.path(path, lanes);
                self.roll.people.push(number);
                self.roll.path_nos.push(path);
                Some(path)
            }
            None => {
                self.roll.people.push(u32::MAX);
                self.roll.path_nos.push(u16::MAX);
                None
            }
        }
    }

    fn path(&mut self, mut path: PathPlan, lanes: Vec<usize>) -> u16 {
        let key = serde_json::to_string(&(&path, &lanes)).unwrap_or_default();
        for (step, lane) in path.steps.iter_mut().zip(lanes) {
            step.lane = lane;
        }
        if let Some(known) = self.paths.get(&key) {
            return *known;
        }
        if !self.roll.zones.contains(&path.zone) {
            self.roll.zones.push(path.zone);
        }
        let number = u16::try_from(self.roll.paths.len()).unwrap_or(u16::MAX);
        self.roll.paths.push(path);
        self.paths.insert(key, number);
        number
    }

    pub(crate) fn finish(mut self) -> Roll {
        self.roll.own = Some(self.people);
        self.roll
    }
}

impl PreparedPlan {
    /// Where a step is carried: its endpoint's lane, if the bundle knows that, else the mechanism's.
    fn lane_of(&self, mechanism: &Mechanism, address: Option<&str>) -> usize {
        let carrier = self.carriers().get(mechanism);
        let position = |name: &str| self.lanes().iter().position(|lane| lane == name);
        let shared = carrier.is_some_and(|c| c.capabilities.addressing == Addressing::Once);
        let own = match shared {
            true => position(&format!("{SHARED}{mechanism}")),
            false => position(&lane_name(mechanism, carrier.is_some_and(|c| c.endpoints), address)),
        };
        own.or_else(|| position(mechanism.as_str())).unwrap_or(usize::MAX)
    }

    /// What is kept of a member of the bundle's roll.
    pub(crate) fn keep_member(&self, number: u32, path: &PathPlan) -> Option<Kept> {
        Some(Kept::Member { who: self.people().get(number)?, path: path.clone() })
    }

    /// How those who were told by a path hear that the planned time has moved since.
    pub(crate) fn revise(&self, told: &PathPlan, before: Option<Moment>) -> PathPlan {
        PathPlan { part: Part::Slip, before, ..told.clone() }
    }

    /// How somebody who was told by a path, at a step of it, hears the correction of a gate; `None` if no step reaches them.
    pub(crate) fn correct(&self, gate: &GatePlan, who: &Stakeholder, told: &PathPlan, step: u8) -> Option<PathPlan> {
        let communique = self.communique(gate);
        let corrects = communique.corrects.as_ref()?;
        let group = self.plan().group(&told.group);
        let own = told.variant.iter().chain([&told.group]).find(|group| communique.variants.contains_key(*group));
        let variant = own.cloned();
        let mut steps = Vec::new();
        if corrects.as_told {
            let first = told.steps.get(usize::from(step))?.clone();
            // The same by the same mechanism would be the same once more.
            let another = |step: &Step| step.via != first.mechanism || step.to != first.to;
            let mut also = match corrects.also.get(&told.group) {
                Some(also) => self.within_reach(also, who, another),
                None => Vec::new(),
            };
            steps.push(StepPlan { unless: None, post: None, joined: false, ..first });
            // What is to be said in another way as well does not wait for the first to fail.
            if let Some(first) = also.first_mut().filter(|step| step.unless.is_none()) {
                first.joined = true;
            }
            steps.append(&mut also);
        } else {
            match communique.steps(variant.as_ref(), group.map_or(&[], |group| &group.via)) {
                via @ [_, ..] => steps.extend(self.within_reach(via, who, |_| true)),
                [] => {
                    let own: Vec<Step> =
                        by_preference(who.addresses.keys()).into_iter().cloned().map(Step::new).collect();
                    steps.extend(self.within_reach(&own, who, |_| true));
                }
            }
        }
        let wanted = group.map_or(told.lang.clone(), |group| group.language(who.lang.as_ref()));
        let path = PathPlan {
            group: told.group.clone(),
            also: told.also.clone(),
            lang: communique.language(variant.as_ref(), wanted.as_ref()),
            variant,
            zone: who.zone.or(group.and_then(|group| group.zone)).unwrap_or(self.plan().zone()),
            informed_when: communique.informed_when.or(group.map(|g| g.informed_when)).unwrap_or(told.informed_when),
            steps,
            part: Part::Correction,
            before: None,
        };
        (!path.steps.is_empty()).then_some(path)
    }

    /// The steps by which somebody can be reached, of those that are wanted.
    fn within_reach(&self, via: &[Step], who: &Stakeholder, wanted: impl Fn(&Step) -> bool) -> Vec<StepPlan> {
        let reaches = |step: &Step| {
            wanted(step)
                && self.carriers().get(&step.via).is_some_and(|carrier| {
                    let can = &carrier.capabilities;
                    let has = step.to.is_some() || who.addresses.contains_key(&step.via);
                    can.addressing == Addressing::Once || can.by_hand || has
                })
        };
        let mut steps: Vec<StepPlan> = Vec::new();
        // The first of the steps that are begun at once, whose condition holds for all of them; and that of those that reach somebody.
        let (mut head, mut begun) = (None, None);
        for (step, number) in via.iter().zip(0..) {
            if !step.joined || head.is_none() {
                head = Some((number, step));
            }
            let Some((first, lead)) = head.filter(|_| reaches(step)) else { continue };
            let joined = begun.replace(first) == Some(first);
            steps.push(StepPlan {
                mechanism: step.via.clone(),
                lane: usize::MAX,
                post: None,
                unless: lead.unless.zip(lead.within).filter(|_| !joined),
                performer: step.performer.clone(),
                to: step.to.clone(),
                joined,
            });
        }
        steps
    }

    /// Joins the steps of a path that are shared to their posts; those that there are not yet are added, with ordinals from `next` on.
    pub(crate) fn share_posts(
        &self,
        gate: &GatePlan,
        path: &mut PathPlan,
        who: &Stakeholder,
        posts: &mut Vec<KeptPost>,
        mut next: u32,
    ) {
        let readers = self.readers(gate, path);
        for index in 0..path.steps.len() {
            let Some(mechanism) = path.steps.get(index).map(|step| step.mechanism.clone()) else { continue };
            let once = |carrier: &super::Carrier| carrier.capabilities.addressing == Addressing::Once;
            if !self.carriers().get(&mechanism).is_some_and(once) {
                continue;
            }
            let address = who.addresses.get(&mechanism);
            let known = posts.iter().find(|p| p.is_of(&mechanism, address.map(Address::as_str), &readers));
            let at = known.map(|post| post.ordinal).unwrap_or_else(|| {
                let step = path.steps.get(index).cloned().into_iter();
                let own = PathPlan { steps: step.collect(), ..path.clone() };
                let (address, readers) = (address.cloned(), readers.clone());
                let ordinal = next;
                posts.push(KeptPost { ordinal, mechanism, address, readers, path: own });
                next += 1;
                ordinal
            });
            if let Some(step) = path.steps.get_mut(index) {
                step.post = Some(at);
            }
        }
    }
}
