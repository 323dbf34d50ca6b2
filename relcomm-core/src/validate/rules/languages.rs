//! Whether everyone is told in a language that they read.

use super::super::{Rule, Subject};
use crate::communique::{Communique, Sources, WordingSource};
use crate::id::Lang;
use crate::plan::{Finding, Findings, key_path};
use crate::stakeholder::Group;

/// A communique has its words in every language of its groups.
#[derive(Debug)]
pub(super) struct EveryLanguage;

impl Rule for EveryLanguage {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0713", "RC0418"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        for communique in cx.plan().communiques() {
            let path = key_path("communiques", communique.id.as_str());
            for group in communique.to.iter().filter_map(|id| cx.plan().group(id)) {
                missing(communique, &path, group, out);
            }
        }
        for group in cx.plan().groups() {
            others(cx, group, out);
        }
    }
}

/// Languages in which the group is told and its words are not: those of its variant, or of the communique.
fn missing(communique: &Communique, path: &str, group: &Group, out: &mut Findings) {
    let own = communique.variants.get(&group.id).and_then(|variant| variant.wording.as_ref());
    let own_path = key_path(&format!("{path}.for"), group.id.as_str());
    let words = |key: &'static str, part: fn(&WordingSource) -> Option<&Sources>| {
        let (path, sources) = match own.and_then(part) {
            Some(sources) => (own_path.as_str(), sources),
            None => (path, part(&communique.wording)?),
        };
        (!is_for_all(sources)).then_some((key, path, sources))
    };
    let parts = [
        words("subject", |wording| wording.subject.as_ref()),
        words("text", |wording| wording.text.as_ref()),
        words("short", |wording| wording.short.as_ref()),
    ];
    for (key, path, sources) in parts.into_iter().flatten() {
        let has = |lang: &Lang| sources.0.iter().any(|source| source.lang.as_ref() == Some(lang));
        for lang in group.offered().filter(|lang| !has(lang)) {
            let file = if sources.0.iter().any(|source| source.file.is_some()) { "_file" } else { "" };
            let message = format!("`{key}` has no words in `{lang}`, in which `{}` is told", group.id);
            let finding = Finding::error("RC0713", format!("{path}.{key}{file}"), message);
            out.push(finding.help("add them, or take the language from the group"));
        }
    }
}

/// Whether one of the sources serves for every language.
fn is_for_all(sources: &Sources) -> bool {
    sources.0.iter().any(|source| source.lang.is_none())
}

/// Members whose language is none of the group's.
fn others(cx: &Subject<'_>, group: &Group, out: &mut Findings) {
    if group.languages.is_empty() {
        return;
    }
    let members = cx.people().members(&group.id).iter().filter_map(|number| cx.people().at(*number));
    let others = members.filter_map(|who| who.lang()).filter(|lang| group.offers(lang).is_none()).count();
    if others == 0 {
        return;
    }
    let told = group.language(None).map(|lang| lang.to_string()).unwrap_or_default();
    let who = if others == 1 { "one member reads".to_owned() } else { format!("{others} members read") };
    let message = format!("{who} another language than those of `{}`, and will be told in `{told}`", group.id);
    let path = key_path("groups", group.id.as_str()) + ".languages";
    out.push(Finding::warning("RC0418", path, message).help("add their language and its texts, or accept it"));
}
