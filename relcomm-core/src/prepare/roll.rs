//! The roll of a gate: who is told through it, at which ordinal, and by which path.

use super::{GatePlan, PreparedPlan, SHARED, lane_name};
use crate::clock::Moment;
use crate::communique::{Part, Reach, Step};
use crate::id::{GroupId, Lang, Role, StakeholderId};
use crate::mechanism::{Addressing, Mechanism};
use crate::plan::{People, StakeholderRef};
use crate::receipt::Assurance;
use crate::stakeholder::{Address, Group};
use chrono_tz::Tz;
use hashbrown::HashTable;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;
use std::time::Duration;

/// Who is on a gate's roll: the posts that members share first, then every member once.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Roll {
    pub(super) posts: Vec<Post>,
    pub(super) people: Vec<u32>,
    pub(super) path_nos: Vec<u16>,
    pub(super) paths: Vec<PathPlan>,
    apart: Vec<(u32, Apart)>,
    pub(super) zones: Vec<Tz>,
    /// Those whom the numbers mean, where they are not the bundle's people.
    pub(super) own: Option<People>,
    seats: Seats,
}

/// Where everybody stands among the members, by their ids; made when somebody stands elsewhere than they did.
#[derive(Debug, Default)]
struct Seats(OnceLock<HashTable<u32>>, RandomState);

// What is made anew when it is asked for makes no difference.
impl Clone for Seats {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Seats {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// Why somebody whom a gate concerns has no delivery of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Apart {
    /// They wish not to be told, and every group through which they would be respects that.
    OptedOut,
    /// They are told by the person of this number, and stand as that person does.
    Through(u32),
    /// No step reaches them.
    Unreachable,
}

/// One attempt that is credited to every member who shares it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Post {
    /// At which ordinal of the gate it stands: before all members, unless it came after the gate had opened.
    pub ordinal: u32,
    /// The mechanism.
    pub mechanism: Mechanism,
    /// The address that the members have for it; the binding is the address where there is none.
    pub address: Option<Address>,
    /// Whom its words are for.
    pub readers: Readers,
    /// The path by which its words are chosen.
    pub path: u16,
}

/// Whom the words of a post are for: nobody shares a post who would be told in other words, or at another time.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Readers {
    /// The language, where the words are by language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<Lang>,
    /// The group whose variant has words or times of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<GroupId>,
    /// The group, where the words speak of it, or list items that concern some groups alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupId>,
    /// The other groups of whoever is told what concerns several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<GroupId>,
}

/// The way to some of the members.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PathPlan {
    /// The group through which they are told: the first of the communique's to which they belong.
    pub group: GroupId,
    /// Their other groups of the communique, where an item concerns some of them alone: they are told what concerns any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<GroupId>,
    /// The group whose variant holds for them.
    pub variant: Option<GroupId>,
    /// The language in which they are told, where the words are by language.
    pub lang: Option<Lang>,
    /// Their zone, where anything depends on it; else the plan's.
    pub zone: Tz,
    /// What makes them count as informed.
    pub informed_when: Assurance,
    /// The steps for which they have an address, preferred first.
    pub steps: Vec<StepPlan>,
    /// What they are told: the communique itself, or what corrects it.
    #[serde(default)]
    pub part: Part,
    /// The planned time that they were told before, in news of a slip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Moment>,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StepPlan {
    /// The mechanism.
    pub mechanism: Mechanism,
    /// The lane, by its place among the bundle's.
    #[serde(skip)]
    pub lane: usize,
    /// The ordinal of the post that is shared, for a mechanism addressed once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post: Option<u32>,
    /// The step is begun also when this is not reached within so long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unless: Option<(Assurance, Duration)>,
    /// Who acts by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub performer: Option<Role>,
    /// Whom it reaches in the stakeholder's place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Reach>,
    /// Whether it is begun together with the step before it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub joined: bool,
}

impl PathPlan {
    /// The way of those whom this group credits, before any step.
    pub(crate) fn without_steps(group: &GroupId, zone: Tz, informed_when: Assurance) -> Self {
        Self {
            group: group.clone(),
            also: Vec::new(),
            variant: None,
            lang: None,
            zone,
            informed_when,
            steps: Vec::new(),
            part: Part::Live,
            before: None,
        }
    }

    /// The groups whose items they are told.
    pub(super) fn groups(&self) -> impl Iterator<Item = &GroupId> {
        std::iter::once(&self.group).chain(&self.also)
    }

    /// What deliveries by this path go on for: the strongest of the rule and of every condition that opens a step.
    #[must_use]
    pub fn pursue(&self) -> Assurance {
        self.steps.iter().filter_map(|s| s.unless.map(|(a, _)| a)).fold(self.informed_when, Assurance::max)
    }
}

impl Roll {
    /// Brings the posts into an order that is theirs alone: they are known by their ordinals, and people may be listed otherwise when the
    /// plan is prepared again.
    fn sort_posts(&mut self) {
        fn identity(post: &Post) -> (&str, &Readers, Option<&str>) {
            (post.mechanism.as_str(), &post.readers, post.address.as_ref().map(Address::as_str))
        }
        self.posts.sort_by(|a, b| identity(a).cmp(&identity(b)));
        self.number_posts((0..).take(self.posts.len()).collect());
    }

    /// Gives the posts these ordinals, one after the other.
    pub(super) fn number_posts(&mut self, ordinals: Vec<u32>) {
        let mut numbers = BTreeMap::new();
        for (post, ordinal) in self.posts.iter_mut().zip(ordinals) {
            numbers.insert(std::mem::replace(&mut post.ordinal, ordinal), ordinal);
        }
        for step in self.paths.iter_mut().flat_map(|path| &mut path.steps) {
            step.post = step.post.and_then(|before| numbers.get(&before).copied());
        }
    }

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

    /// The posts.
    #[must_use]
    pub fn posts(&self) -> &[Post] {
        &self.posts
    }

    /// The post at an ordinal.
    #[must_use]
    pub fn post(&self, ordinal: u32) -> Option<&Post> {
        // Nearly always they are the first.
        let is_it = |post: &&Post| post.ordinal == ordinal;
        self.posts.get(ordinal as usize).filter(is_it).or_else(|| self.posts.iter().find(is_it))
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

    /// Where somebody stands among the members, whatever their ordinal.
    pub(crate) fn seat_of(&self, id: &StakeholderId, people: &People) -> Option<(u32, u16)> {
        let Seats(seats, hasher) = &self.seats;
        let id_at = |seat: &u32| Some(people.at(*self.people.get(*seat as usize)?)?.id());
        let seats = seats.get_or_init(|| {
            let mut seats = HashTable::with_capacity(self.people.len());
            let hash = |seat: &u32| id_at(seat).map_or(0, |id| hasher.hash_one(id));
            for seat in (0..).take(self.people.len()).filter(|seat| id_at(seat).is_some()) {
                seats.insert_unique(hash(&seat), seat, hash);
            }
            seats
        });
        let seat = *seats.find(hasher.hash_one(id.as_str()), |seat| id_at(seat) == Some(id.as_str()))? as usize;
        Some((*self.people.get(seat)?, *self.path_nos.get(seat)?))
    }

    /// Whom the gate concerns and who has no delivery of their own: their numbers among the people, and why.
    pub fn apart(&self) -> impl Iterator<Item = (u32, Apart)> {
        self.apart.iter().copied()
    }

    /// Those whom the numbers mean, where only the record knows them.
    pub(crate) fn own_people(&self) -> Option<&People> {
        self.own.as_ref()
    }

    /// The path of that number.
    #[must_use]
    pub fn path(&self, number: u16) -> Option<&PathPlan> {
        self.paths.get(usize::from(number))
    }

    /// The zones of its members, where anything depends on them, each once.
    #[must_use]
    pub fn zones(&self) -> &[Tz] {
        &self.zones
    }

    /// Whether some begin at once what they share with others and what is theirs alone.
    pub(crate) fn is_mixed(&self) -> bool {
        self.paths.iter().any(|path| {
            let shared = path.steps.iter().filter(|step| step.post.is_some()).count();
            path.steps.iter().any(|step| step.joined) && (1..path.steps.len()).contains(&shared)
        })
    }

    /// The paths, by number.
    #[must_use]
    pub fn paths(&self) -> &[PathPlan] {
        &self.paths
    }
}

pub(super) fn roll(prepared: &PreparedPlan, gate: &GatePlan) -> Roll {
    let (plan, people) = (prepared.plan(), prepared.people());
    let communique = prepared.communique(gate);
    let mut roll = Roll::default();
    let mut seen = vec![false; people.len()];
    // Whoever is in one group only cannot be in another.
    let several = if communique.to.len() > 1 { communique.to.as_slice() } else { &[] };
    let membership: Vec<(&GroupId, Vec<bool>)> = several
        .iter()
        .map(|group| {
            let mut is_member = vec![false; people.len()];
            for &number in people.members(group) {
                if let Some(slot) = is_member.get_mut(number as usize) {
                    *slot = true;
                }
            }
            (group, is_member)
        })
        .collect();
    let variants = communique.variants.values().map(|variant| &variant.deadline);
    let mut deadlines = variants.chain([&communique.deadline]).flatten();
    let divides = prepared.divides_items(gate);
    let is_zoned = gate.is_zoned() || deadlines.any(|time| time.recipient_zone);
    for group_id in &communique.to {
        let Some(group) = plan.group(group_id) else { continue };
        let mut known: BTreeMap<PathKey<'_>, u16> = BTreeMap::new();
        let mut alike: HashMap<Alike<'_>, u16> = HashMap::new();
        for &number in people.members(group_id) {
            if std::mem::replace(seen.get_mut(number as usize).unwrap_or(&mut true), true) {
                continue;
            }
            let Some(who) = people.at(number).filter(|who| who.is_in(gate.id.place.as_ref())) else { continue };
            let others = membership.iter().filter(|(_, is)| is.get(number as usize) == Some(&true)).map(|(id, _)| *id);
            let groups = || others.clone().chain(several.is_empty().then_some(group_id));
            if let Some(why) = apart(prepared, gate, number, who, groups().filter_map(|id| plan.group(id))) {
                roll.apart.push((number, why));
                continue;
            }
            let variant = groups().find(|group| communique.variants.contains_key(*group));
            // One delivery is credited to every group, so it must meet the rule of each.
            let strictest = groups().filter_map(|id| plan.group(id)).map(|g| g.informed_when).max();
            let informed_when = communique.informed_when.or(strictest).unwrap_or(group.informed_when);
            // A path for each zone only where it matters: people of all zones share paths otherwise.
            let by_zone = is_zoned || (group.between.is_some() && !communique.urgent);
            let zone = if by_zone { who.zone().or(group.zone).unwrap_or(plan.zone()) } else { plan.zone() };
            let also: Vec<&GroupId> =
                if divides { groups().filter(|group| *group != group_id).collect() } else { Vec::new() };
            let alike_key = (who.kind(), variant, also.clone(), informed_when);
            let path = alike.get(&alike_key).copied().unwrap_or_else(|| {
                let via = communique.steps(variant, &group.via);
                let steps = steps_of(prepared, who, via);
                if steps.is_empty() {
                    return NO_PATH;
                }
                let by_address = steps.iter().any(|step| step.address.is_some() || step.by_column);
                let lang = communique.language(variant, group.language(who.lang()).as_ref());
                let key = PathKey { also, variant, lang, zone: zone.name(), informed_when, steps };
                let path = match known.get(&key) {
                    Some(path) => *path,
                    None => {
                        let path = path(prepared, &mut roll, (gate, group_id, zone), &key, via);
                        known.insert(key, path);
                        path
                    }
                };
                if !by_address {
                    alike.insert(alike_key, path);
                }
                path
            });
            if path == NO_PATH {
                roll.apart.push((number, Apart::Unreachable));
                continue;
            }
            roll.people.push(number);
            roll.path_nos.push(path);
        }
    }
    roll.people.shrink_to_fit();
    roll.path_nos.shrink_to_fit();
    roll.sort_posts();
    roll
}

/// What decides a path where no address does: the kind of person, whose variant holds, the other groups, and the rule of being informed.
type Alike<'a> = (u32, Option<&'a GroupId>, Vec<&'a GroupId>, Assurance);

/// Of those whom no step reaches.
const NO_PATH: u16 = u16::MAX;

/// Why somebody has no delivery of their own, as far as that is not for want of an address.
fn apart<'a>(
    prepared: &PreparedPlan,
    gate: &GatePlan,
    number: u32,
    who: StakeholderRef<'_>,
    mut groups: impl Iterator<Item = &'a Group>,
) -> Option<Apart> {
    if who.opted_out() && !groups.any(|group| group.despite_opt_out) {
        return Some(Apart::OptedOut);
    }
    who.through()?;
    // Whoever tells them must be told by this gate too; validation sees to that, as far as people do not change.
    let leader = prepared
        .leader(number)
        .filter(|leader| prepared.people().at(*leader).is_some_and(|leader| leader.is_in(gate.id.place.as_ref())));
    Some(leader.map_or(Apart::Unreachable, Apart::Through))
}

/// What decides a path within a group.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct PathKey<'a> {
    also: Vec<&'a GroupId>,
    variant: Option<&'a GroupId>,
    lang: Option<Lang>,
    /// By its name.
    zone: &'static str,
    informed_when: Assurance,
    steps: Vec<Reachable<'a>>,
}

/// A step that a stakeholder can be reached by.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Reachable<'a> {
    /// Its place among the steps.
    index: usize,
    mechanism: &'a Mechanism,
    lane: String,
    /// The address, where it leads to a lane or a post of its own.
    address: Option<&'a str>,
    /// Whether whom it reaches stands in their variables.
    by_column: bool,
}

/// Mechanisms in the order in which they are tried where nothing says another.
pub(super) fn by_preference<'a>(mechanisms: impl Iterator<Item = &'a Mechanism>) -> Vec<&'a Mechanism> {
    let mut own: Vec<&Mechanism> = mechanisms.collect();
    own.sort_by_key(|m| m.rank());
    own
}

fn steps_of<'a>(prepared: &'a PreparedPlan, who: StakeholderRef<'a>, via: &'a [Step]) -> Vec<Reachable<'a>> {
    let mechanisms: Vec<&Mechanism> = match via {
        [] => by_preference(who.mechanisms().iter()),
        via => via.iter().map(|step| &step.via).collect(),
    };
    let reachable = |(index, mechanism): (usize, &'a Mechanism)| {
        let carrier = prepared.carriers().get(mechanism)?;
        let to = via.get(index).and_then(|step| step.to.as_ref());
        let address = match to {
            Some(to) => prepared.reached(to, mechanism, who)?.address(mechanism),
            None => who.address(mechanism),
        };
        let by_column = matches!(to, Some(Reach::Column(_)));
        let (lane, address) = match carrier.capabilities.addressing {
            Addressing::Once => (format!("{SHARED}{mechanism}"), address),
            Addressing::Each if address.is_none() && !carrier.capabilities.by_hand => return None,
            Addressing::Each => {
                (lane_name(mechanism, carrier.endpoints, address), address.filter(|_| carrier.endpoints))
            }
        };
        Some(Reachable { index, mechanism, lane, address, by_column })
    };
    mechanisms.into_iter().enumerate().filter_map(reachable).collect()
}

fn path(
    prepared: &PreparedPlan,
    roll: &mut Roll,
    (gate, group, zone): (&GatePlan, &GroupId, Tz),
    key: &PathKey<'_>,
    via: &[Step],
) -> u16 {
    let number = u16::try_from(roll.paths.len()).unwrap_or(u16::MAX);
    let mut path = PathPlan {
        also: key.also.iter().copied().cloned().collect(),
        variant: key.variant.cloned(),
        lang: key.lang.clone(),
        ..PathPlan::without_steps(group, zone, key.informed_when)
    };
    let readers = prepared.readers(gate, &path);
    let mut before = None;
    for reachable in &key.steps {
        let mechanism = reachable.mechanism;
        let step = via.get(reachable.index);
        // Of several at once the first that reaches them stands for all.
        let first = (0..=reachable.index).rev().find(|n| via.get(*n).is_some_and(|s| !s.joined));
        let joined = first.is_some() && before == first;
        before = first;
        let head = first.and_then(|first| via.get(first)).filter(|_| !joined);
        let shared = reachable.lane.starts_with(SHARED);
        let address = || reachable.address.and_then(|address| Address::new(address).ok());
        path.steps.push(StepPlan {
            mechanism: mechanism.clone(),
            lane: prepared.lanes().iter().position(|l| *l == reachable.lane).unwrap_or(usize::MAX),
            post: shared.then(|| post(roll, mechanism, address().as_ref(), &readers, number)),
            unless: head.and_then(|step| step.unless.zip(step.within)),
            performer: step.and_then(|step| step.performer.clone()),
            to: step.and_then(|step| step.to.clone()),
            joined,
        });
    }
    if !roll.zones.contains(&zone) {
        roll.zones.push(zone);
    }
    roll.paths.push(path);
    number
}

/// The post that carries the mechanism for this gate: one for all who are told the same by it.
fn post(roll: &mut Roll, mechanism: &Mechanism, address: Option<&Address>, readers: &Readers, path: u16) -> u32 {
    let is_it = |p: &Post| &p.mechanism == mechanism && &p.readers == readers && p.address.as_ref() == address;
    if let Some(post) = roll.posts.iter().find(|post| is_it(post)) {
        return post.ordinal;
    }
    let ordinal = u32::try_from(roll.posts.len()).unwrap_or(u32::MAX);
    let (address, readers) = (address.cloned(), readers.clone());
    roll.posts.push(Post { ordinal, mechanism: mechanism.clone(), address, readers, path });
    ordinal
}
