//! Whether what is said of people is said under the word that is known for it.

use super::super::{Rule, Subject, vocabulary::identifier};
use crate::plan::source::suggest;
use crate::plan::{Finding, Findings, key_path};
use std::collections::BTreeSet;

/// No variable of people looks like a misspelt key, unless a text uses it: nobody would be told in their language, or not be told as they wish.
#[derive(Debug)]
pub(super) struct KnownWords;

/// What a variable may have been meant for.
const MEANT: [&str; 8] = ["language", "place", "opted_out", "zone", "stands_for", "through", "name", "email"];

impl Rule for KnownWords {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0419"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        if cx.texts().iter().any(|text| text.broken) {
            return;
        }
        let mut kinds = BTreeSet::new();
        let mut said = BTreeSet::new();
        for (group, members) in cx.people().groups() {
            for who in members.iter().filter_map(|number| cx.people().at(*number)) {
                if !kinds.insert(who.kind()) {
                    continue;
                }
                for (variable, _) in who.vars() {
                    let Some(meant) = suggest(variable, MEANT).filter(|_| said.insert(variable)) else { continue };
                    let used = |text: &crate::plan::Text| {
                        text.uses.contains("person") || text.uses(&format!("person.{}", identifier(variable)))
                    };
                    if !cx.texts().iter().any(used) {
                        let path = key_path("groups", group.as_str());
                        let message = format!("`{variable}` is taken for a variable of members, and no text uses it");
                        out.push(Finding::warning("RC0419", path, message).help(format!("did you mean `{meant}`?")));
                    }
                }
            }
        }
    }
}
