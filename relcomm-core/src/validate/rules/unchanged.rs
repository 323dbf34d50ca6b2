//! Whether texts are still those of an earlier release.

use super::super::written::Written;
use super::super::{Rule, Subject};
use crate::communique::{Communique, Sources, WordingSource};
use crate::id::CommuniqueId;
use crate::plan::{Finding, Findings, Part, Plan};
use std::collections::BTreeMap;

/// No text is word for word that of an earlier plan. Not among the standard rules: a host gives it where it knows the plan before.
///
/// Compared are the templates, white space aside, so that no person and no late value matters. A text that takes what is new from the
/// release, such as `release.what`, `release.why` or `item.ID`, speaks of another release by itself; so does the built-in text. A line of
/// a few words around variables (`{{ release.product }} {{ release.version }} is live`) is no text that could be out of date.
///
/// ```
/// # use relcomm_core::plan::{HeldFiles, PlanDraft};
/// # use relcomm_core::validate::{Deployment, Unchanged, standard_rules, validate};
/// let judge = |text: &str, rules: &_| {
///     let (draft, source) = PlanDraft::read("plan.yaml", text.as_bytes()).expect("well-formed");
///     validate(&draft, &source, &HeldFiles::new(), &Deployment::unknown(), rules)
/// };
/// let earlier = "
/// plan: 1
/// release: { product: Anvil, version: 1.9.0, what: [{ id: folders, text: Shared folders }], why: Asked for., how: Choose Share. }
/// responsible: Ada Osei <ada@anvil.example>
/// groups: { customers: { email: list@anvil.example } }
/// communiques: { live: { to: customers, covers: [folders], text: Folders can now be shared with every team of your company. } }
/// ";
/// let earlier = judge(earlier, &standard_rules()).plan().expect("valid").clone();
///
/// let mut rules = standard_rules();
/// rules.push(Box::new(Unchanged::against(&earlier)));
/// let next = "
/// plan: 1
/// release: { product: Anvil, version: 2.0.0, what: [{ id: search, text: Faster search }], why: Asked for., how: Search. }
/// responsible: Ada Osei <ada@anvil.example>
/// groups: { customers: { email: list@anvil.example } }
/// communiques: { live: { to: customers, covers: [search], text: Folders can now be shared with every team of your company. } }
/// ";
/// assert!(judge(next, &rules).findings().iter().any(|finding| finding.code == "RC0709"));
/// ```
#[derive(Debug)]
pub struct Unchanged {
    texts: BTreeMap<(Part, String), CommuniqueId>,
}

impl Unchanged {
    /// The texts of the earlier plan.
    #[must_use]
    pub fn against(earlier: &Plan) -> Self {
        let mut texts = BTreeMap::new();
        for communique in earlier.communiques() {
            for (part, text) in sources(communique) {
                texts.entry((part, words(text))).or_insert_with(|| communique.id.clone());
            }
        }
        Self { texts }
    }
}

impl Rule for Unchanged {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0709"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        for text in Written::all(cx).iter().filter(|text| may_be_stale(cx, text)) {
            let Some(earlier) = self.texts.get(&(text.part, words(text.text))) else { continue };
            let id = &text.communique.id;
            let of = if earlier == id { String::new() } else { format!(" of `{earlier}`") };
            let message =
                format!("the {} of `{id}` is word for word the one{of} in the earlier plan", text.part.word());
            out.push(
                Finding::warning("RC0709", &text.path, message)
                    .help("say what is new in this release, or use `release.what` and `release.why`"),
            );
        }
    }
}

/// What a text takes from the release that is another one each time.
const NEWS: [&str; 5] = ["release.what", "release.why", "release.how", "item", "params"];
/// So many words, and no fewer, can be out of date beside variables.
const A_STATEMENT: usize = 8;

fn may_be_stale(cx: &Subject<'_>, text: &Written<'_>) -> bool {
    let Some(parsed) = text.parsed(cx).filter(|parsed| !parsed.broken) else { return false };
    let literal: usize = text.pieces().iter().map(|piece| piece.text.split_whitespace().count()).sum();
    literal > 0 && (parsed.uses.is_empty() || literal >= A_STATEMENT && !NEWS.iter().any(|news| parsed.uses(news)))
}

/// The words of a template without regard to how its lines are broken.
fn words(template: &str) -> String {
    template.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn wording(wording: &WordingSource) -> impl Iterator<Item = (Part, &str)> {
    let parts = [(Part::Subject, &wording.subject), (Part::Text, &wording.text), (Part::Short, &wording.short)];
    parts.into_iter().flat_map(|(part, sources)| {
        sources.iter().flat_map(move |Sources(all)| all.iter().map(move |source| (part, source.text.as_str())))
    })
}

fn sources(communique: &Communique) -> impl Iterator<Item = (Part, &str)> {
    let variants = communique.variants.values().filter_map(|variant| variant.wording.as_ref());
    std::iter::once(&communique.wording).chain(variants).flat_map(wording)
}
