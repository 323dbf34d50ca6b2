//! Whether texts state what their profile demands.

use super::super::vocabulary::{Unknown, identifier, judge};
use super::super::{Rule, STATED_BY_DEFAULT, Subject};
use crate::communique::Communique;
use crate::plan::{Finding, Findings, Part, Text, key_path};

/// Every text of a communique with a profile uses what the profile demands.
#[derive(Debug)]
pub(super) struct MustState;

impl Rule for MustState {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0710"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        for communique in cx.plan().communiques() {
            let draft = cx.draft().communiques.iter().find(|(id, _)| *id == communique.id).map(|(_, draft)| draft);
            let Some(name) = draft.and_then(|draft| draft.profile.as_ref()) else { continue };
            let Some((_, profile)) = cx.draft().profiles.iter().find(|(known, _)| known == name) else { continue };
            // A fact that there is not is a finding of its own.
            let is_known = |fact: &&String| !matches!(judge(cx.plan(), fact), Err(Unknown::Name { .. }));
            let facts: Vec<&String> = profile.must_state.iter().filter(is_known).collect();
            let mut say = |path: &str, whose: &str, states: &dyn Fn(&str) -> bool| {
                let missing: Vec<String> =
                    facts.iter().filter(|fact| !states(fact)).map(|fact| format!("`{fact}`")).collect();
                if !missing.is_empty() {
                    let (id, missing) = (&communique.id, missing.join(", "));
                    let message =
                        format!("{whose} of `{id}` does not use {missing}, which the profile `{name}` demands");
                    let help = "state it by the variable, so that it is right in every release";
                    out.push(Finding::error("RC0710", path, message).help(help));
                }
            };
            let texts = cx.texts().iter().filter(|text| text.communique == communique.id && text.part == Part::Text);
            for text in texts.filter(|text| !text.broken) {
                say(&text.path, "the text", &|fact| states(text, fact));
            }
            if has_built_in(communique) && draft.is_some_and(|draft| draft.text_file.is_none()) {
                let path = key_path("communiques", communique.id.as_str()) + ".profile";
                say(&path, "the built-in text", &|fact| built_in_states(communique, fact));
            }
        }
    }
}

/// Whether the text states the fact: by itself, by a part of it, or an item by going through them all.
fn states(text: &Text, fact: &str) -> bool {
    text.uses(fact) || fact.starts_with("item.") && text.uses("release.what")
}

/// Whether one of its groups hears the built-in text.
fn has_built_in(communique: &Communique) -> bool {
    let own = |group| communique.variants.get(group).and_then(|variant| variant.wording.as_ref()?.text.as_ref());
    communique.wording.text.is_none() && communique.to.iter().any(|group| own(group).is_none())
}

fn built_in_states(communique: &Communique, fact: &str) -> bool {
    let covers = &communique.covers;
    let covered = |item: &str| covers.is_empty() || covers.iter().any(|id| identifier(id.as_str()) == item);
    STATED_BY_DEFAULT.contains(&fact) || fact.strip_prefix("item.").is_some_and(covered)
}
