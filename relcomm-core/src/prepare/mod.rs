//! Preparation: the people are frozen, every text is rendered once and measured, and the whole is sealed as a bundle.
//!
//! After it, everything is a function of the bundle and the journal.

mod bound;
mod bundle;
mod context;
mod digest;
mod embargo;
mod gaps;
mod kept;
mod render;
mod roll;
mod schedule;
mod withheld;

pub use bundle::BundleError;
pub use context::{Late, PlaceLate, Told};
pub use gaps::Gap;
pub(crate) use gaps::mark as gap_mark;
pub(crate) use kept::{Gathered, Kept, KeptPost};
pub use render::{RenderError, Rendered};
pub use roll::{Apart, PathPlan, Post, Readers, Roll, StepPlan};
pub use schedule::{Due, GatePlan, Requirement};
pub(crate) use schedule::{Times, share};

use crate::channel::{About, ChannelSet, Descriptor, Prepared};
use crate::clock::Moment;
use crate::communique::{Communique, Reach};
use crate::course::{Digests, Slip};
use crate::id::{GateId, GroupId, Lang, PlaceId};
use crate::mechanism::{Addressing, Capabilities, Mechanism};
use crate::plan::draft::Act;
use crate::plan::{Escalations, Finding, Led, People, Plan, Reached, StakeholderRef, key_path};
use crate::release::Item;
use render::Renderer;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, OnceLock};

/// A plan with its people, texts and channels' facts, sealed by two digests: the bundle. Cheap to clone.
#[derive(Clone)]
pub struct PreparedPlan {
    inner: Arc<Inner>,
    by: Option<Arc<str>>,
}

struct Inner {
    plan: Plan,
    people: People,
    carriers: BTreeMap<Mechanism, Carrier>,
    digests: Digests,
    /// Whether what is classified is not in the plan: it was read from a bundle without it.
    withheld: bool,
    gates: Arc<[GatePlan]>,
    /// Of each gate.
    uses: Vec<Uses>,
    lanes: Vec<String>,
    renderer: Renderer,
    rolls: Vec<OnceLock<Arc<Roll>>>,
    /// Of a gate that is another bundle's.
    nobody: Arc<Roll>,
    places: Vec<PlaceId>,
    /// Everyone who is reached through somebody else.
    led: OnceLock<Led>,
    gaps: OnceLock<Vec<Gap>>,
    /// Whom steps reach in another's place.
    escalations: OnceLock<Escalations>,
}

/// What the bundle knows of the channel that carries a mechanism. No host, no secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Carrier {
    /// What it is.
    pub descriptor: Descriptor,
    /// What it can do, hold and prove.
    pub capabilities: Capabilities,
    /// Whether addresses name endpoints, each with a lane of its own.
    pub endpoints: bool,
}

/// What preparation came to.
#[derive(Debug)]
#[non_exhaustive]
pub struct Preparation {
    /// What was found, errors and warnings.
    pub findings: Vec<Finding>,
    /// The bundle, if no finding is an error.
    pub prepared: Option<PreparedPlan>,
}

/// The part of the lane's name that marks the members who share a post.
pub(crate) const SHARED: &str = "shared:";

/// Freezes the people, has the channels judge their addresses, renders every text once for every person and mechanism, and checks each
/// limit. Sends nothing. A mechanism that a step goes by and that has no channel is an error.
///
/// Late values stand at their greatest length meanwhile, so that what is filled in later cannot break a limit.
#[must_use]
pub fn prepare(plan: Plan, people: People, channels: &ChannelSet) -> Preparation {
    let mut findings = Vec::new();
    let mut carriers = BTreeMap::new();
    for (mechanism, binding) in channels.iter() {
        let channel = &binding.channel;
        let mut capabilities = channel.capabilities().clone();
        if let Some(own) = plan.mechanisms().get(mechanism) {
            capabilities.proves = capabilities.proves.min(own.proves);
        }
        capabilities.addressing = plan.addressing(mechanism);
        carriers.insert(
            mechanism.clone(),
            Carrier { descriptor: channel.descriptor().clone(), capabilities, endpoints: binding.endpoints },
        );
    }
    let whom = digest::Whom::of(&people);
    let assembled = match PreparedPlan::assemble(plan, people, whom, carriers) {
        Ok(assembled) => assembled,
        Err(errors) => return Preparation { findings: errors, prepared: None },
    };
    findings.extend(bound::misfits(&assembled, channels));
    assembled.rehearse_texts(channels, &mut findings);
    let prepared = (!findings.iter().any(Finding::is_error)).then_some(assembled);
    Preparation { findings, prepared }
}

/// Of what the words of a gate speak.
#[derive(Clone, Copy)]
struct Uses {
    person: bool,
    group: bool,
    told: bool,
}

impl Uses {
    fn of(renderer: &Renderer, gate: &GatePlan) -> Self {
        let uses = |namespace| renderer.uses(&gate.id.communique, namespace);
        Self { person: uses("person"), group: uses("group"), told: uses("told") }
    }
}

impl PreparedPlan {
    /// `whom` is the digest of the people.
    fn assemble(
        plan: Plan,
        people: People,
        whom: String,
        carriers: BTreeMap<Mechanism, Carrier>,
    ) -> Result<Self, Vec<Finding>> {
        let renderer = Renderer::new(&plan).map_err(|finding| vec![finding])?;
        let gates = schedule::gates(&plan);
        let lanes = lanes(&plan, &people, &carriers);
        let digests = Digests::new(digest::texts(&plan, &carriers), whom);
        let uses = gates.iter().map(|gate| Uses::of(&renderer, gate)).collect();
        let rolls = gates.iter().map(|_| OnceLock::new()).collect();
        let places = plan.release().places.iter().map(|p| p.id.clone()).collect();
        let inner = Inner {
            places,
            plan,
            people,
            carriers,
            digests,
            withheld: false,
            gates: gates.into(),
            uses,
            lanes,
            renderer,
            rolls,
            nobody: Arc::default(),
            led: OnceLock::new(),
            gaps: OnceLock::new(),
            escalations: OnceLock::new(),
        };
        Ok(Self { inner: Arc::new(inner), by: None })
    }

    /// Prepared by this person, who stands in the bundle. No digest covers it: who prepares changes nothing that is approved.
    ///
    /// # Errors
    /// The line that says so, if the plan names who prepares and they are not among them.
    pub fn prepared_by(mut self, by: impl Into<Arc<str>>) -> Result<Self, String> {
        let by = by.into();
        if !self.plan().may(Act::Prepare, &by) {
            return Err("the plan names who prepares, and this person is not among them".to_owned());
        }
        self.by = Some(by);
        Ok(self)
    }

    /// Who prepared it, if that was said.
    #[must_use]
    pub fn preparer(&self) -> Option<&str> {
        self.by.as_deref()
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.inner.plan
    }

    /// The people.
    #[must_use]
    pub fn people(&self) -> &People {
        &self.inner.people
    }

    /// What is known of the channels, by mechanism.
    #[must_use]
    pub fn carriers(&self) -> &BTreeMap<Mechanism, Carrier> {
        &self.inner.carriers
    }

    /// The digests to which approvals bind.
    #[must_use]
    pub fn digests(&self) -> &Digests {
        &self.inner.digests
    }

    /// Whether it is a bundle that was written without what is classified: people can speak of it, and nothing can be sent from it.
    #[must_use]
    pub fn is_withheld(&self) -> bool {
        self.inner.withheld
    }

    /// The gates, in the plan's order.
    #[must_use]
    pub fn gates(&self) -> &[GatePlan] {
        &self.inner.gates
    }

    /// The gates, and a revision of those that correct slips for each of these.
    pub(crate) fn gates_after(&self, slips: &[Slip]) -> Arc<[GatePlan]> {
        match slips {
            [] => Arc::clone(&self.inner.gates),
            _ => schedule::revised(self.plan(), self.gates(), slips).into(),
        }
    }

    /// Whether those who are told by a gate may have to be told again, as they were told, even if they have left by then.
    pub(crate) fn is_corrected(&self, gate: &GatePlan) -> bool {
        let own = self.communique(gate);
        let corrects = |c: &Communique| c.corrects.as_ref().is_some_and(|corrects| corrects.of == own.id);
        own.corrects_slips || own.corrects.is_some() || self.plan().communiques().iter().any(corrects)
    }

    /// Whether the roll of a gate is made of the record: that of a correction, and of a revision.
    pub(crate) fn is_gathered(&self, gate: &GatePlan) -> bool {
        gate.revised.is_some() || self.communique(gate).corrects.is_some()
    }

    /// The gate of that id.
    #[must_use]
    pub fn gate(&self, id: &GateId) -> Option<&GatePlan> {
        self.inner.gates.iter().find(|g| &g.id == id)
    }

    /// The names of all lanes: a mechanism, `mechanism:endpoint`, or `shared:mechanism` for those who share a post.
    #[must_use]
    pub fn lanes(&self) -> &[String] {
        &self.inner.lanes
    }

    /// Who is on a gate's roll, in the order of their ordinals. Computed once.
    #[must_use]
    pub fn roll(&self, gate: &GatePlan) -> &Roll {
        self.shared_roll(gate)
    }

    pub(crate) fn shared_roll(&self, gate: &GatePlan) -> &Arc<Roll> {
        let rolls = &self.inner.rolls;
        rolls.get(gate.base).map_or(&self.inner.nobody, |cell| cell.get_or_init(|| Arc::new(roll::roll(self, gate))))
    }

    /// Through whom somebody is reached who is not told themselves.
    pub(crate) fn leader(&self, number: u32) -> Option<u32> {
        self.inner.led.get_or_init(|| self.inner.people.led()).leader(number).flatten()
    }

    /// Whom the step of a stakeholder reaches in their place.
    pub(crate) fn reached(&self, reach: &Reach, by: &Mechanism, who: StakeholderRef<'_>) -> Option<Reached<'_>> {
        let Inner { plan, people, escalations, .. } = &*self.inner;
        escalations.get_or_init(|| Escalations::of(plan, people)).reached((plan, people), reach, by, who)
    }

    /// Everybody who must be informed and whom nobody can reach. Computed once.
    #[must_use]
    pub fn gaps(&self) -> &[Gap] {
        self.inner.gaps.get_or_init(|| gaps::gaps(self))
    }

    /// Every place of the release.
    pub(crate) fn places(&self) -> &[PlaceId] {
        &self.inner.places
    }

    /// The words for one stakeholder of a gate, or for all of them, rendered with these late values.
    ///
    /// # Errors
    /// A template cannot be rendered with these values.
    pub fn render(
        &self,
        gate: &GatePlan,
        path: &PathPlan,
        person: Option<u32>,
        late: &Late,
    ) -> Result<Rendered, RenderError> {
        self.render_for(gate, path, person.and_then(|n| self.inner.people.at(n)), late)
    }

    pub(crate) fn render_for(
        &self,
        gate: &GatePlan,
        path: &PathPlan,
        who: Option<StakeholderRef<'_>>,
        late: &Late,
    ) -> Result<Rendered, RenderError> {
        self.inner.renderer.render(&self.inner.plan, gate, path, who.as_ref(), late)
    }

    /// Whether the words of a gate differ from person to person.
    #[must_use]
    pub fn is_personal(&self, gate: &GatePlan) -> bool {
        self.inner.uses.get(gate.base).is_some_and(|uses| uses.person)
    }

    /// Whether a person carries the mechanism.
    pub(crate) fn is_by_hand(&self, mechanism: &Mechanism) -> bool {
        self.carriers().get(mechanism).is_some_and(|carrier| carrier.capabilities.by_hand)
    }

    /// Whether an item concerns some groups of a gate's communique and not the others.
    fn divides_items(&self, gate: &GatePlan) -> bool {
        let to = &self.communique(gate).to;
        let concerned = |item: &Item| to.iter().filter(|group| item.concerns(group)).count();
        self.plan().release().what.iter().map(concerned).any(|many| many > 0 && many < to.len())
    }

    /// Whom the words of a post are for that those who are told by a path share.
    fn readers(&self, gate: &GatePlan, path: &PathPlan) -> Readers {
        let communique = self.communique(gate);
        let names_group = self.inner.uses.get(gate.base).is_some_and(|uses| uses.group);
        let (mut group, mut also) = (names_group.then(|| path.group.clone()), Vec::new());
        if self.divides_items(gate) && self.inner.renderer.lists_items(communique, path) {
            let what = &self.plan().release().what;
            let tells_the_same = |other: &&GroupId| {
                what.iter().all(|item| item.concerns(other) == path.groups().any(|group| item.concerns(group)))
            };
            // The first group that is told the same stands for all of them.
            let same = communique.to.iter().find(tells_the_same).filter(|_| !names_group);
            also = if same.is_some() { Vec::new() } else { path.also.clone() };
            group = Some(same.unwrap_or(&path.group).clone());
        }
        Readers {
            lang: path.lang.clone(),
            variant: path.variant.clone().filter(|group| communique.is_told_apart(group)),
            group,
            also,
        }
    }

    /// Whether the words of a gate speak of an earlier communique's post.
    #[must_use]
    pub fn uses_told(&self, gate: &GatePlan) -> bool {
        self.inner.uses.get(gate.base).is_some_and(|uses| uses.told)
    }

    pub(crate) fn about(&self, gate: &GatePlan, path: &PathPlan) -> About {
        let release = self.inner.plan.release();
        let mut about =
            About::new(self.inner.plan.id().clone(), &release.product, &release.version, gate.id.communique.clone());
        about.occurrence = gate.id.occurrence.clone();
        about.groups = self.communique(gate).to.clone();
        about.place = gate.id.place.clone();
        (about.revision, about.part) = (gate.id.revision, path.part);
        about
    }

    pub(crate) fn communique(&self, gate: &GatePlan) -> &Communique {
        // Gates are made from the plan's own communiques, by index.
        &self.inner.plan.communiques()[gate.communique]
    }

    /// Every text as it will go out, with late values at their greatest length, each different one once. For reading and for checks.
    pub fn texts<'a>(&'a self, channels: &'a ChannelSet) -> impl Iterator<Item = PreparedText> + 'a {
        self.inner.gates.iter().flat_map(move |gate| self.texts_of(gate, channels))
    }

    fn texts_of(&self, gate: &GatePlan, channels: &ChannelSet) -> Vec<PreparedText> {
        let roll = self.roll(gate);
        let late = Late::specimen(self, gate);
        let mut done = BTreeSet::new();
        let mut texts = Vec::new();
        for (person, path_no) in roll.members() {
            for step in roll.path(path_no).into_iter().flat_map(|path| &path.steps) {
                // What is posted is told to nobody by name, in the words of the path by which it was made.
                let post = step.post.and_then(|ordinal| roll.post(ordinal));
                let path_no = post.map_or(path_no, |post| post.path);
                let person = post.is_none().then_some(person);
                let own = person.filter(|_| self.is_personal(gate));
                let Some(path) = roll.path(path_no) else { continue };
                if !done.insert((path_no, step.mechanism.clone(), own)) {
                    continue;
                }
                let Some(binding) = channels.get(&step.mechanism) else { continue };
                let result = match self.render(gate, path, person, &late) {
                    Ok(rendered) => binding.channel.prepare(&rendered.into_wording(self.about(gate, path))),
                    Err(error) => Err(vec![error.into_finding(person.is_none())]),
                };
                texts.push(PreparedText {
                    classified: self.is_classified(gate),
                    gate: gate.id.clone(),
                    mechanism: step.mechanism.clone(),
                    person: own,
                    group: path.group.clone(),
                    lang: path.lang.clone(),
                    result,
                });
            }
        }
        texts
    }

    fn rehearse_texts(&self, channels: &ChannelSet, findings: &mut Vec<Finding>) {
        let mut seen = BTreeSet::new();
        for text in self.texts(channels) {
            if let Err(found) = text.result {
                for mut finding in found {
                    if finding.path.is_empty() {
                        finding.path = key_path("communiques", text.gate.communique.as_str());
                    }
                    finding.message = format!(
                        "{} by {} to {}: {}",
                        text.gate.communique, text.mechanism, text.group, finding.message
                    );
                    // One line for a fault that every member of a group shares.
                    if seen.insert((finding.code, finding.message.clone())) {
                        findings.push(finding);
                    }
                }
            }
        }
    }

    /// The instant for which the plan's own times speak, to be shown before anything is declared.
    pub(crate) fn planned(&self) -> Option<Moment> {
        self.inner.plan.release().when.planned
    }
}

impl fmt::Debug for PreparedPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedPlan")
            .field("plan", self.inner.plan.id())
            .field("digests", &self.inner.digests)
            .field("people", &self.inner.people.len())
            .field("gates", &self.inner.gates.len())
            .finish_non_exhaustive()
    }
}

/// One text as it will go out.
#[derive(Debug)]
#[non_exhaustive]
pub struct PreparedText {
    /// Whether it uses something that the plan's embargo classifies: shown to nobody before the embargo's end but as
    /// [`Prepared::withheld`].
    pub classified: bool,
    /// The gate.
    pub gate: GateId,
    /// The mechanism.
    pub mechanism: Mechanism,
    /// The stakeholder's number, where the text is theirs alone.
    pub person: Option<u32>,
    /// The group through which they are told.
    pub group: GroupId,
    /// The language in which it is written, where its words are by language.
    pub lang: Option<Lang>,
    /// The parts, or what is wrong with them.
    pub result: Result<Prepared, Vec<Finding>>,
}

/// All lanes that the people of a plan can need.
fn lanes(plan: &Plan, people: &People, carriers: &BTreeMap<Mechanism, Carrier>) -> Vec<String> {
    let mut lanes = BTreeSet::new();
    for (mechanism, carrier) in carriers {
        if carrier.capabilities.addressing == Addressing::Once {
            lanes.insert(format!("{SHARED}{mechanism}"));
        }
        lanes.insert(mechanism.to_string());
    }
    let endpoints: Vec<&Mechanism> = carriers
        .iter()
        .filter(|(m, c)| c.endpoints && plan.addressing(m) == Addressing::Each)
        .map(|(m, _)| m)
        .collect();
    if !endpoints.is_empty() {
        for number in 0..u32::try_from(people.len()).unwrap_or(u32::MAX) {
            let Some(who) = people.get(number) else { continue };
            for mechanism in &endpoints {
                if let Some(address) = who.addresses.get(*mechanism) {
                    lanes.insert(lane_name(mechanism, true, Some(address.as_str())));
                }
            }
        }
        // Steps may reach holders of roles who are none of the people.
        for party in plan.holders.values().flatten() {
            for mechanism in &endpoints {
                if let Some(address) = party.addresses.get(*mechanism) {
                    lanes.insert(lane_name(mechanism, true, Some(address.as_str())));
                }
            }
        }
    }
    lanes.into_iter().collect()
}

fn lane_name(mechanism: &Mechanism, endpoints: bool, address: Option<&str>) -> String {
    match address.filter(|_| endpoints) {
        Some(endpoint) => format!("{mechanism}:{endpoint}"),
        None => mechanism.to_string(),
    }
}
