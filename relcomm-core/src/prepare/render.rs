//! Rendering: from template sources and values to the words of a communique.

use super::context::{Constant, Late, Shared, Surroundings, person, shared};
use super::{GatePlan, PathPlan};
use crate::channel::{About, Wording};
use crate::clock::Moment;
use crate::communique::{Communique, Part, Per, Source, Sources, WordingSource};
use crate::document::Document;
use crate::id::{CommuniqueId, GateId, GroupId, Lang};
use crate::plan::{Finding, Plan, StakeholderRef, key_path, text_path};
use crate::release::Outcome;
use crate::template::{Forms, LineForm, TemplateError, TemplateOptions, Templates, TextForm};
use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// The words of a communique in one language, not yet in any mechanism's form.
#[derive(Debug)]
#[non_exhaustive]
pub struct Rendered {
    /// The language of the source that was chosen.
    pub lang: Option<Lang>,
    /// One line.
    pub subject: String,
    /// The text.
    pub document: Document,
    /// One line for pager and text.
    pub short: String,
}

impl Rendered {
    /// With what the words are about, as a channel takes them.
    #[must_use]
    pub fn into_wording(self, about: About) -> Wording {
        Wording::new(about, self.subject, self.document, self.short).lang(self.lang)
    }
}

/// A template that cannot be rendered. Holds no value of a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RenderError {
    message: String,
    /// The path within the plan; empty for what no plan holds.
    path: String,
}

impl RenderError {
    /// A post is told to nobody by name.
    pub(super) fn into_finding(self, is_post: bool) -> Finding {
        let lacking = self.message.contains("unknown variable");
        // A filter does not say that there is nothing to filter.
        let filtered = self.message.contains("`person.") && self.message.contains("value is not");
        let of_nobody = is_post && self.message.contains("person");
        let finding = Finding::error("RC1103", self.path, self.message);
        if of_nobody {
            finding.help(
                "what is posted once for all speaks of nobody: give it words of its own, or ask first: \
                 `{% if person is defined %}`",
            )
        } else if lacking {
            finding.help(
                "it is misspelt, or somebody lacks it: give it to everyone, or say what stands without it: \
                 `{{ person.company | default(\"your team\") }}`",
            )
        } else if filtered {
            finding.help(
                "if somebody lacks it, say what stands without it before it is filtered: \
                 `{{ person.company | default(\"your team\") | split(\" \") | first }}`",
            )
        } else {
            finding
        }
    }
}

/// The built-in text: the six answers. It claims only what the gate's outcome says.
const TEXT: &str = "\
{{ release.product }} {{ release.version }} {{ STATE }}.
{% if release.what %}
**What is in it**
{% for item in release.what %}
- {{ item.text }}{% if item.kind %} ({{ item.kind }}){% endif %}
{% endfor %}{% endif %}{% if release.why %}
**Why:** {{ release.why }}
{% endif %}
**Where:** {{ WHERE }}
{% if release.how.access %}
**How:** {{ release.how.access }}{% if release.how.circumstances %} {{ release.how.circumstances }}{% endif %}{% if release.how.support %} (Support: {{ release.how.support }}){% endif %}
{% endif %}{% if release.when.planned %}
**Planned for:** {{ release.when.planned | datetime }}{% if release.when.before %}, moved from {{ release.when.before | datetime }}{% endif %}
{% elif release.when.before %}
**Planned for:** open, no longer {{ release.when.before | datetime }}
{% endif %}";
const SUBJECT: &str = "{{ release.product }} {{ release.version }} {{ STATE }}";

/// What the built-in text claims. Only a gate of one place knows `place`: templates are strict.
fn state(communique: &Communique) -> String {
    let state = match communique.outcome {
        _ if !communique.awaits_declaration => "is planned",
        Outcome::Success => "is in production",
        Outcome::Begun => "is being rolled out",
        Outcome::Failure => "was not put into production",
        Outcome::Halted => "has been halted",
        Outcome::RolledBack => "has been taken back",
    };
    match communique.per {
        Per::Place => format!("{state} in {{{{ place.name }}}}"),
        Per::Release => state.to_owned(),
    }
}

/// Where the built-in text says that it is: not at a place that comes later, or not at all.
fn place(communique: &Communique) -> &'static str {
    match communique.per {
        Per::Place => "{{ place.name }}",
        Per::Release if communique.awaits_declaration && communique.outcome == Outcome::Success => {
            "{{ release.where }}{% if places.live and places.live != release.where %} (so far {{ places.live }}){% endif %}"
        }
        Per::Release => "{{ release.where }}",
    }
}

/// Every template of a plan, parsed once.
pub(super) struct Renderer {
    templates: Templates,
    constant: Constant,
    /// The words that were asked for lately, the latest first: a gate asks for the same ones person after person.
    lately: Mutex<Vec<Arc<Words>>>,
    /// The namespaces that the templates of a communique use, in any language: whichever a person gets may be the one.
    uses: BTreeMap<CommuniqueId, BTreeSet<String>>,
    /// Where each template stands in the plan.
    paths: BTreeMap<String, String>,
}

#[derive(Clone, Copy)]
enum Kind {
    Subject,
    Text,
    Short,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Subject => "subject",
            Self::Text => "text",
            Self::Short => "short",
        })
    }
}

impl Renderer {
    pub(super) fn new(plan: &Plan) -> Result<Self, Finding> {
        let mut templates = Templates::new(TemplateOptions::default().zone(plan.zone()));
        let mut uses: BTreeMap<CommuniqueId, BTreeSet<String>> = BTreeMap::new();
        let mut paths = BTreeMap::new();
        let mut add = |of: &CommuniqueId, name: String, source: String, path: String| {
            let parsed = templates.add(name.clone(), source).and_then(|()| templates.uses(&name));
            match parsed {
                Ok(used) => {
                    let namespaces = used.iter().filter_map(|path| path.split('.').next()).map(str::to_owned);
                    uses.entry(of.clone()).or_default().extend(namespaces);
                    paths.insert(name, path);
                    Ok(())
                }
                Err(error) => Err(Finding::error("RC1103", path, error.to_string())),
            }
        };
        for communique in plan.communiques() {
            let base = key_path("communiques", communique.id.as_str());
            let own = std::iter::once((None, &communique.wording));
            let variants = communique.variants.iter().filter_map(|(g, v)| Some((Some(g), v.wording.as_ref()?)));
            for (group, wording) in own.chain(variants) {
                let base = group.map_or_else(|| base.clone(), |g| key_path(&format!("{base}.for"), g.as_str()));
                for kind in [Kind::Subject, Kind::Text, Kind::Short] {
                    for source in sources(wording, kind).into_iter().flat_map(|s| &s.0) {
                        add(
                            &communique.id,
                            name(communique, group, kind, source.lang.as_ref()),
                            source.text.clone(),
                            text_path(&base, &kind.to_string(), source),
                        )?;
                    }
                }
            }
            let (state, place) = (state(communique), place(communique));
            for (kind, text) in [(Kind::Text, TEXT), (Kind::Subject, SUBJECT)] {
                let text = text.replace("{{ STATE }}", &state).replace("{{ WHERE }}", place);
                add(&communique.id, built_in(communique, kind), text, base.clone())?;
            }
        }
        Ok(Self { templates, constant: Constant::new(plan), lately: Mutex::default(), uses, paths })
    }

    /// The template for a kind of words: the variant's, else the communique's; `None` where neither has one.
    fn choose<'a>(
        communique: &'a Communique,
        variant: Option<&'a GroupId>,
        kind: Kind,
        lang: Option<&Lang>,
    ) -> Option<(String, &'a Source)> {
        let (group, sources) = communique.sources(variant, |wording| sources(wording, kind))?;
        let source = sources.choose(lang)?;
        Some((name(communique, group, kind, source.lang.as_ref()), source))
    }

    fn names(
        &self,
        communique: &Communique,
        path: &PathPlan,
        lang: Option<&Lang>,
    ) -> [Option<(String, Option<Lang>)>; 3] {
        [Kind::Subject, Kind::Text, Kind::Short].map(|kind| {
            Self::choose(communique, path.variant.as_ref(), kind, lang)
                .map(|(name, source)| (name, source.lang.clone()))
        })
    }

    /// Whether the words of a path list the items of the release.
    pub(super) fn lists_items(&self, communique: &Communique, path: &PathPlan) -> bool {
        let lists = |used: &BTreeSet<String>| used.contains("release.what") || used.contains("release");
        [Kind::Subject, Kind::Text, Kind::Short].into_iter().any(|kind| {
            let chosen = Self::choose(communique, path.variant.as_ref(), kind, path.lang.as_ref());
            let name = chosen.map_or_else(|| built_in(communique, kind), |(name, _)| name);
            self.templates.uses(&name).is_ok_and(|used| lists(&used))
        })
    }

    /// Whether any of a communique's templates uses a namespace.
    pub(super) fn uses(&self, communique: &CommuniqueId, namespace: &str) -> bool {
        self.uses.get(communique).is_some_and(|used| used.contains(namespace))
    }

    pub(super) fn render(
        &self,
        plan: &Plan,
        gate: &GatePlan,
        path: &PathPlan,
        who: Option<&StakeholderRef<'_>>,
        late: &Late,
    ) -> Result<Rendered, RenderError> {
        let words = self.words(plan, gate, path, path.lang.as_ref(), late)?;
        let values = LazyCell::new(|| words.shared.with_person(who.map(person)));
        let with = |person| words.shared.with_person(Some(person));
        let at = |error| self.at(&error);
        let line = |forms: &Forms<LineForm>| match who.and_then(|who| forms.fill(&self.templates, who, with)) {
            Some(line) => Ok(line),
            None => self.templates.line(forms.name(), &values).map_err(at),
        };
        let subject = line(&words.subject)?;
        let document = match who.and_then(|who| words.text.fill(&self.templates, who, with)) {
            Some(document) => document,
            None => self.templates.document(words.text.name(), &values).map_err(at)?,
        };
        let short = words.short.as_ref().map_or_else(|| Ok(subject.clone()), line)?;
        Ok(Rendered { lang: words.lang.clone(), subject, document, short })
    }

    /// What is wrong with a template, and where it stands.
    fn at(&self, error: &TemplateError) -> RenderError {
        let path = self.paths.get(error.name()).cloned().unwrap_or_default();
        RenderError { message: error.to_string(), path }
    }

    /// The words for these people, made anew only if they were not asked for lately.
    fn words(
        &self,
        plan: &Plan,
        gate: &GatePlan,
        path: &PathPlan,
        wanted: Option<&Lang>,
        late: &Late,
    ) -> Result<Arc<Words>, RenderError> {
        let mut lately = self.lately.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = lately.iter().position(|words| words.are_for(gate, path, wanted, late)) {
            let words = lately.remove(at);
            lately.insert(0, Arc::clone(&words));
            return Ok(words);
        }
        let Some(communique) = plan.communiques().get(gate.communique) else {
            return Err(RenderError { message: "the gate belongs to another plan".into(), path: String::new() });
        };
        let words = Arc::new(self.make(plan, communique, gate, path, wanted, late));
        lately.truncate(LATELY - 1);
        lately.insert(0, Arc::clone(&words));
        Ok(words)
    }

    fn make(
        &self,
        plan: &Plan,
        communique: &Communique,
        gate: &GatePlan,
        path: &PathPlan,
        wanted: Option<&Lang>,
        late: &Late,
    ) -> Words {
        let [subject, text, short] = self.names(communique, path, wanted);
        let lang = text.as_ref().and_then(|(_, lang)| lang.clone());
        let around = Surroundings { plan, communique, gate, path, lang: lang.as_ref(), late };
        let shared = shared(&self.constant, &around);
        let named = |chosen: Option<(String, Option<Lang>)>, kind| {
            chosen.map_or_else(|| built_in(communique, kind), |(n, _)| n)
        };
        Words {
            gate: (gate.communique, gate.id.clone()),
            variant: path.variant.clone(),
            group: (path.group.clone(), path.also.clone()),
            wanted: wanted.cloned(),
            before: (path.part, path.before),
            late: late.clone(),
            lang,
            subject: self.templates.forms(named(subject, Kind::Subject)),
            text: self.templates.forms(named(text, Kind::Text)),
            short: short.map(|(name, _)| self.templates.forms(name)),
            shared,
        }
    }
}

/// How many words are kept: people of one gate differ in group and language.
const LATELY: usize = 32;

/// What the words of many people have in common: the templates, their values, and the forms in which only the person's own is wanting.
struct Words {
    gate: (usize, GateId),
    variant: Option<GroupId>,
    /// The group, and the others of whoever is told what concerns several.
    group: (GroupId, Vec<GroupId>),
    wanted: Option<Lang>,
    before: (Part, Option<Moment>),
    late: Late,
    lang: Option<Lang>,
    subject: Forms<LineForm>,
    text: Forms<TextForm>,
    short: Option<Forms<LineForm>>,
    shared: Shared,
}

impl Words {
    fn are_for(&self, gate: &GatePlan, path: &PathPlan, wanted: Option<&Lang>, late: &Late) -> bool {
        self.wanted.as_ref() == wanted
            && (&self.group.0, &self.group.1) == (&path.group, &path.also)
            && self.variant == path.variant
            && self.gate.0 == gate.communique
            && self.gate.1 == gate.id
            && self.before == (path.part, path.before)
            && &self.late == late
    }
}

fn sources(wording: &WordingSource, kind: Kind) -> Option<&Sources> {
    match kind {
        Kind::Subject => wording.subject.as_ref(),
        Kind::Text => wording.text.as_ref(),
        Kind::Short => wording.short.as_ref(),
    }
}

fn name(communique: &Communique, group: Option<&GroupId>, kind: Kind, lang: Option<&Lang>) -> String {
    let group = group.map(|g| format!("for {g}/")).unwrap_or_default();
    let lang = lang.map(|l| format!(" ({l})")).unwrap_or_default();
    format!("{}/{group}{kind}{lang}", communique.id)
}

fn built_in(communique: &Communique, kind: Kind) -> String {
    format!("{}/built-in {kind}", communique.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::STATED_BY_DEFAULT;

    #[test]
    fn the_built_in_text_states_what_validation_says_that_it_states() {
        let mut templates = Templates::new(TemplateOptions::default());
        templates
            .add("text", TEXT.replace("{{ STATE }}", "").replace("{{ WHERE }}", "{{ release.where }}"))
            .expect("the text above");
        let uses = templates.uses("text").expect("just added");
        for fact in STATED_BY_DEFAULT {
            assert!(uses.iter().any(|used| used == fact || used.starts_with(&format!("{fact}."))), "{fact}");
        }
        for used in uses {
            assert!(STATED_BY_DEFAULT.contains(&used.as_str()), "{used}");
        }
    }
}
