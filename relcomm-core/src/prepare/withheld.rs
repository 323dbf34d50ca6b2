//! What is classified, as it may be shown before the embargo's end: by digest and length.

use crate::channel::{Part, Prepared};
use crate::communique::{Sources, WordingSource};
use crate::plan::{Embargo, Plan};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// A text by its digest and length.
pub(super) fn withheld(text: &str) -> String {
    let digest = HEXLOWER.encode(&Sha256::digest(text));
    format!("classified: sha256 {digest}, {} characters", text.chars().count())
}

impl Prepared {
    /// As it may be shown before an embargo's end: each part by its digest and length.
    #[must_use]
    pub fn withheld(&self) -> Self {
        let part = |part: &Part| Part::new(&part.name, "text/plain", withheld(&part.content));
        Self::new(self.parts.iter().map(part))
    }
}

/// The plan without what is classified: the texts of classified communiques, and what is said by classified variables. Product, version,
/// places and times stay, because the journal and the gates are made of them.
pub(super) fn without_classified(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    let Some(embargo) = plan.embargo.clone() else { return plan };
    let hide = |text: &mut String| *text = withheld(text);
    let is = |embargo: &Embargo, variable: &str| embargo.names(variable);
    for item in &mut plan.release.what {
        if is(&embargo, "release.what") || embargo.names(&format!("item.{}", item.id)) {
            hide(&mut item.text);
            item.kind.as_mut().into_iter().for_each(hide);
        }
    }
    let release = &mut plan.release;
    if is(&embargo, "release.why") {
        hide(&mut release.why);
    }
    if is(&embargo, "release.how.access") {
        hide(&mut release.how.access);
    }
    let parts = [
        ("release.kind", &mut release.kind),
        ("release.how.circumstances", &mut release.how.circumstances),
        ("release.how.support", &mut release.how.support),
    ];
    for (variable, value) in parts {
        if is(&embargo, variable) {
            value.as_mut().into_iter().for_each(hide);
        }
    }
    for (name, value) in &mut plan.params {
        // Texts and the plan may be made of parameters, whichever of them are classified.
        if is(&embargo, &format!("params.{name}")) {
            hide(value);
        }
    }
    for communique in plan.communiques.iter_mut().filter(|communique| communique.classified) {
        let variants = communique.variants.values_mut().filter_map(|variant| variant.wording.as_mut());
        for wording in std::iter::once(&mut communique.wording).chain(variants) {
            sources(wording).for_each(|source| hide(&mut source.text));
        }
    }
    plan
}

fn sources(wording: &mut WordingSource) -> impl Iterator<Item = &mut crate::communique::Source> {
    let parts = [&mut wording.subject, &mut wording.text, &mut wording.short];
    parts.into_iter().flatten().flat_map(|Sources(sources)| sources)
}
