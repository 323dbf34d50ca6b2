//! Whether everyone is told in a language that they read.

use super::super::{Rule, Subject};
use crate::communique::{Communique, Sources, WordingSource};
use crate::id::{GroupId, Lang};
use crate::plan::{Finding, Findings, key_path};
use crate::stakeholder::Group;
use std::collections::BTreeSet;

/// A communique has its words in every language of its groups.
#[derive(Debug)]
pub(super) struct EveryLanguage;

impl Rule for EveryLanguage {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0713", "RC0715", "RC0418"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        for communique in cx.plan().communiques() {
            let path = key_path("communiques", communique.id.as_str());
            for group in communique.to.iter().filter_map(|id| cx.plan().group(id)) {
                missing(communique, &path, group, out);
                mixed(cx, communique, &path, group, out);
            }
        }
        for group in cx.plan().groups() {
            others(cx, group, out);
        }
    }
}

type Chosen = fn(&WordingSource) -> Option<&Sources>;

const PARTS: [(&str, Chosen); 3] = [
    ("subject", |words| words.subject.as_ref()),
    ("text", |words| words.text.as_ref()),
    ("short", |words| words.short.as_ref()),
];

/// Languages in which the group is told and its words are not: those of its variant, or of the communique.
fn missing(communique: &Communique, path: &str, group: &Group, out: &mut Findings) {
    for (key, part) in PARTS {
        let Some((of, sources)) = communique.sources(Some(&group.id), part) else { continue };
        if is_for_all(sources) {
            continue;
        }
        let has = |lang: &Lang| sources.0.iter().any(|source| source.lang.as_ref() == Some(lang));
        for lang in group.offered().filter(|lang| !has(lang)) {
            let message = format!("`{key}` has no words in `{lang}`, in which `{}` is told", group.id);
            let finding = Finding::error("RC0713", path_of(path, of, key, sources), message);
            out.push(finding.help("add them, or take the language from the group"));
        }
    }
}

/// Where the sources of a part stand.
fn path_of(path: &str, variant: Option<&GroupId>, key: &str, sources: &Sources) -> String {
    let of = variant.map_or_else(|| path.to_owned(), |group| key_path(&format!("{path}.for"), group.as_str()));
    let file = if sources.0.iter().any(|source| source.file.is_some()) { "_file" } else { "" };
    format!("{of}.{key}{file}")
}

/// Words that reach somebody in another language than the rest of the message, or than the communique has for them.
fn mixed(cx: &Subject<'_>, communique: &Communique, path: &str, group: &Group, out: &mut Findings) {
    let members = cx.people().members(&group.id).iter().filter_map(|number| cx.people().at(*number));
    let read: BTreeSet<Option<&Lang>> = members.map(|who| who.lang()).collect();
    let wanted: BTreeSet<Option<Lang>> = read.into_iter().map(|lang| group.language(lang)).collect();
    let variant = communique.variants.contains_key(&group.id).then_some(&group.id);
    let is_named = group.offered().next().is_some();
    let built_in = built_in(communique, variant);
    let mut found = BTreeSet::new();
    for wanted in &wanted {
        let told = communique.language(variant, wanted.as_ref());
        let Some(lang) = told.clone().or(wanted.clone().filter(|_| is_named)) else { continue };
        if !built_in.is_empty() && !is_alike(&lang, ENGLISH) {
            let (parts, are) = (built_in.join("` and `"), if built_in.len() == 1 { "is" } else { "are" });
            let message =
                format!("the built-in `{parts}` {are} English, and members of `{}` are told in `{lang}`", group.id);
            found.insert((path.to_owned(), message, lang.clone()));
        }
        for (key, part) in PARTS {
            let Some((of, sources)) = communique.sources(variant, part).filter(|_| !is_named) else { continue };
            let chosen = sources.choose(Some(&lang)).and_then(|source| source.lang.as_ref());
            if chosen.is_some_and(|chosen| !is_alike(&lang, chosen.as_str())) {
                let message = format!("`{key}` has no words in `{lang}`, in which members of `{}` are told", group.id);
                found.insert((path_of(path, of, key, sources), message, lang.clone()));
            }
        }
        if let (Some(variant), Some(told), Some(wanted)) = (variant, &told, wanted)
            && !is_alike(wanted, told.as_str())
            && communique.language(None, Some(wanted)).is_some_and(|lang| is_alike(wanted, lang.as_str()))
        {
            let message =
                format!("who reads `{wanted}` is told in `{told}` here, although the communique has words in it");
            found.insert((key_path(&format!("{path}.for"), variant.as_str()), message, wanted.clone()));
        }
    }
    for (path, message, lang) in found {
        out.push(Finding::warning("RC0715", path, message).help(format!("add words in `{lang}`")));
    }
}

/// The parts of which nothing is written.
fn built_in(communique: &Communique, variant: Option<&GroupId>) -> Vec<&'static str> {
    let is_built_in = |(key, part): &(&'static str, Chosen)| {
        // The short form is made from the subject.
        (*key != "short" && communique.sources(variant, part).is_none()).then_some(*key)
    };
    PARTS.iter().filter_map(is_built_in).collect()
}

const ENGLISH: &str = "en";

/// Whether both are of the same language, whatever the region.
fn is_alike(lang: &Lang, other: &str) -> bool {
    let language = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
    language(lang.as_str()) == language(other)
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
    let others = members.filter_map(|who| who.lang()).filter(|lang| lang.lookup(group.offered()).is_none()).count();
    if others == 0 {
        return;
    }
    let told = group.language(None).map(|lang| lang.to_string()).unwrap_or_default();
    let who = if others == 1 { "one member reads".to_owned() } else { format!("{others} members read") };
    let message = format!("{who} another language than those of `{}`, and will be told in `{told}`", group.id);
    let path = key_path("groups", group.id.as_str()) + ".languages";
    out.push(Finding::warning("RC0418", path, message).help("add their language and its texts, or accept it"));
}
