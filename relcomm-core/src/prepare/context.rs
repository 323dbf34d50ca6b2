//! The values with which templates are rendered: what the plan says, what the member data says, and what is known only late.

use super::{GatePlan, PathPlan, PreparedPlan};
use crate::clock::Moment;
use crate::communique::Communique;
use crate::course::stands;
use crate::id::{GroupId, Lang, PlaceId};
use crate::plan::{Plan, StakeholderRef};
use crate::release::{Outcome, Place};
use crate::template::{Own, Serde, Value};
use crate::validate::identifier;
use serde::Serialize;
use serde_json::json;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The late values: what is known only when something has been declared or sent. A closed list; filling one voids nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Late {
    /// What was declared, place by place.
    pub places: BTreeMap<PlaceId, PlaceLate>,
    /// What became of earlier communiques: by communique and group.
    pub told: BTreeMap<(String, String), Told>,
    /// The same for those that have a gate of their own for a place, which gates of that place speak of.
    pub told_in: BTreeMap<PlaceId, BTreeMap<(String, String), Told>>,
    /// The planned time since it moved; `Some(None)` where it is open by now.
    pub planned: Option<Option<Moment>>,
}

/// What was declared of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlaceLate {
    /// The outcome.
    pub outcome: Outcome,
    /// As of when.
    pub at: Moment,
    /// Who declared it; at most 64 characters.
    pub by: String,
    /// Why, where that was said; at most 200 characters.
    pub cause: String,
}

/// What became of an earlier communique for a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Told {
    /// Where it can be seen; at most 200 characters.
    pub url: String,
    /// When it was taken over.
    pub at: Option<Moment>,
    /// By which mechanism.
    pub via: String,
}

impl PlaceLate {
    /// The greatest lengths of what a person says.
    pub(crate) const LONGEST_BY: usize = 64;
    pub(crate) const LONGEST_CAUSE: usize = 200;

    /// What was declared, held to the greatest lengths.
    #[must_use]
    pub fn new(outcome: Outcome, at: Moment, by: &str, cause: &str) -> Self {
        let held = |text: &str, most| text.chars().filter(|c| !c.is_control()).take(most).collect();
        Self { outcome, at, by: held(by, Self::LONGEST_BY), cause: held(cause, Self::LONGEST_CAUSE) }
    }
}

impl Told {
    pub(crate) const LONGEST_URL: usize = 200;

    /// What became of it.
    #[must_use]
    pub fn new(url: &str, at: Moment, via: &str) -> Self {
        Self { url: url.chars().take(Self::LONGEST_URL).collect(), at: Some(at), via: via.into() }
    }
}

impl Late {
    /// Every late value at its greatest length, for a gate: every place declared, the gate's place with the gate's outcome.
    #[must_use]
    pub fn specimen(prepared: &PreparedPlan, gate: &GatePlan) -> Self {
        // A Wednesday in September has the longest date in words.
        let at = prepared.planned().unwrap_or(Moment::from_millis(1_789_473_600_000));
        let outcome = prepared.communique(gate).outcome;
        let record = PlaceLate {
            outcome,
            at,
            by: "M".repeat(PlaceLate::LONGEST_BY),
            cause: "M".repeat(PlaceLate::LONGEST_CAUSE),
        };
        let places = prepared.places().iter().map(|p| (p.clone(), record.clone())).collect();
        let url = format!("https://{}", "m".repeat(Told::LONGEST_URL - 8));
        let via = "m".repeat(32);
        let told = prepared
            .plan()
            .communiques()
            .iter()
            .flat_map(|c| c.to.iter().map(move |g| (c.id.to_string(), g.to_string())))
            .map(|key| (key, Told { url: url.clone(), at: Some(at), via: via.clone() }))
            .collect();
        Self { places, told, told_in: BTreeMap::new(), planned: None }
    }
}

/// What every template of the plan sees, made once.
#[derive(Debug)]
pub(super) struct Constant {
    params: Value,
    item: Value,
}

fn value(of: impl Serialize + Send + Sync + 'static) -> Value {
    Value::from(Serde(&of))
}

impl Constant {
    pub(super) fn new(plan: &Plan) -> Self {
        let params: BTreeMap<String, &str> =
            plan.params().iter().map(|(key, value)| (identifier(key), value.as_str())).collect();
        let item: BTreeMap<String, &str> =
            plan.release().what.iter().map(|i| (identifier(i.id.as_str()), i.text.as_str())).collect();
        Self { params: value(json!(params)), item: value(json!(item)) }
    }
}

/// All that one text is rendered with.
pub(super) struct Surroundings<'a> {
    pub(super) plan: &'a Plan,
    pub(super) communique: &'a Communique,
    pub(super) gate: &'a GatePlan,
    pub(super) path: &'a PathPlan,
    pub(super) lang: Option<&'a Lang>,
    pub(super) late: &'a Late,
}

/// The values that many people share: all but `person`.
#[derive(Debug)]
pub(super) struct Shared(BTreeMap<&'static str, Value>);

impl Shared {
    pub(super) fn with_person(&self, person: Option<Value>) -> Value {
        let mut all = self.0.clone();
        all.extend(person.map(|person| ("person", person)));
        Value::from(all)
    }
}

pub(super) fn shared(constant: &Constant, around: &Surroundings<'_>) -> Shared {
    let mut all: BTreeMap<&'static str, Value> = BTreeMap::new();
    all.insert("release", value(release(around)));
    if let Some(place) = around.gate.id.place.as_ref().and_then(|id| around.plan.release().place(id)) {
        all.insert("place", value(place_of(place, around.late)));
    }
    all.insert("places", value(places(around)));
    all.insert("group", value(group(around.plan, &around.path.group)));
    all.insert(
        "communique",
        value(json!({
            "id": around.communique.id.as_str(),
            "occurrence": around.gate.id.occurrence.as_ref().map_or("", |o| o.as_str()),
            "revision": around.gate.id.revision,
        })),
    );
    all.insert("params", constant.params.clone());
    all.insert("item", constant.item.clone());
    all.insert("told", value(told(around.late, around.gate.id.place.as_ref())));
    if let Some(declaration) = declaration(around) {
        all.insert("declaration", value(declaration));
    }
    all.insert("lang", Value::from(around.lang.map_or("", Lang::as_str)));
    Shared(all)
}

fn release(around: &Surroundings<'_>) -> serde_json::Value {
    let release = around.plan.release();
    let what: Vec<_> = release
        .what
        .iter()
        .filter(|item| {
            around.communique.to.iter().any(|g| item.concerns(g)) && item.is_in(around.gate.id.place.as_ref())
        })
        .filter(|item| around.path.groups().any(|group| item.concerns(group)))
        .map(|item| json!({ "id": item.id.as_str(), "kind": item.kind.as_deref().unwrap_or(""), "text": item.text }))
        .collect();
    let names: Vec<&str> = release.places.iter().map(|p| p.name.as_str()).collect();
    json!({
        "product": release.product,
        "version": release.version,
        "prerelease": release.prerelease,
        "kind": release.kind.as_deref().unwrap_or(""),
        "what": what,
        "why": release.why,
        "where": names.join(", "),
        "how": {
            "access": release.how.access,
            "circumstances": release.how.circumstances.as_deref().unwrap_or(""),
            "support": release.how.support.as_deref().unwrap_or(""),
        },
        "when": {
            "planned": around.late.planned.unwrap_or(release.when.planned).map(|t| t.to_string()).unwrap_or_default(),
            "before": around.path.before.map(|t| t.to_string()).unwrap_or_default(),
            "lasts": release.when.lasts.map(words).unwrap_or_default(),
        },
    })
}

/// A span in words, such as `4 h 30 min`.
fn words(span: std::time::Duration) -> String {
    let minutes = span.as_secs() / 60;
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

fn place_of(place: &Place, late: &Late) -> serde_json::Value {
    let mut fields = json!({ "id": place.id.as_str(), "name": place.name, "platforms": place.platforms.join(", ") });
    if let (Some(record), Some(fields)) = (late.places.get(&place.id), fields.as_object_mut()) {
        fields.insert("declared_at".into(), json!(record.at.to_string()));
        fields.insert("declared_by".into(), json!(record.by));
    }
    fields
}

fn places(around: &Surroundings<'_>) -> serde_json::Value {
    let places = &around.plan.release().places;
    let live = |p: &&Place| around.late.places.get(&p.id).is_some_and(|r| r.outcome == Outcome::Success);
    let names = |places: Vec<&Place>| places.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", ");
    json!({ "all": names(places.iter().collect()), "live": names(places.iter().filter(live).collect()) })
}

fn group(plan: &Plan, id: &GroupId) -> serde_json::Value {
    json!({ "id": id.as_str(), "owner": plan.group(id).map_or("", |g| g.owner.as_str()) })
}

/// A person as templates see them.
impl Own for StakeholderRef<'_> {
    fn field(&self, name: &str) -> Option<Cow<'_, str>> {
        Some(match name {
            "id" => self.id().into(),
            "name" => self.name()?.into(),
            "lang" => self.lang().map_or("", Lang::as_str).into(),
            "zone" if self.zone().is_some() => self.zone().map_or("", |zone| zone.name()).into(),
            "places" => self.places().iter().map(PlaceId::as_str).collect::<Vec<_>>().join(", ").into(),
            // Of several variables that templates write alike, the last one stands.
            _ => self.last_var(|own| is_identifier_of(name, own))?.into(),
        })
    }
}

/// Whether this is what templates write for a name, as [`identifier`] makes it.
fn is_identifier_of(identifier: &str, name: &str) -> bool {
    let written = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    identifier.chars().eq(name.chars().map(written))
}

/// The values of a person.
pub(super) fn person(who: &StakeholderRef<'_>) -> Value {
    let vars = who.vars().map(|(name, value)| (identifier(name), Value::from(value)));
    let mut fields: BTreeMap<String, Value> = vars.collect();
    for name in ["id", "name", "lang", "places", "zone"] {
        fields.extend(who.field(name).map(|value| (name.to_owned(), Value::from(value.into_owned()))));
    }
    Value::from(fields)
}

fn told(late: &Late, place: Option<&PlaceId>) -> serde_json::Value {
    let mut all: BTreeMap<String, BTreeMap<String, serde_json::Value>> = BTreeMap::new();
    let here = place.and_then(|place| late.told_in.get(place));
    for ((communique, group), told) in late.told.iter().chain(here.into_iter().flatten()) {
        let fields = json!({
            "url": told.url,
            "at": told.at.map(|t| t.to_string()).unwrap_or_default(),
            "via": told.via,
        });
        all.entry(identifier(communique)).or_default().insert(identifier(group), fields);
    }
    json!(all)
}

/// The declaration that opened the gate: the place's own; for the release, the last one of its outcome, or of any if there is none.
fn declaration(around: &Surroundings<'_>) -> Option<serde_json::Value> {
    let record = match &around.gate.id.place {
        Some(place) => around.late.places.get(place),
        None => {
            let fits = |outcome| stands(around.communique.outcome, outcome);
            around.late.places.values().max_by_key(|r| (fits(r.outcome), r.at))
        }
    }?;
    Some(json!({
        "at": record.at.to_string(),
        "by": record.by,
        "cause": record.cause,
        "outcome": record.outcome.word(),
    }))
}
