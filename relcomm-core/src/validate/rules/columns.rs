//! Whether what is said of people, and asked of them, is said under the word that is known for it.

use super::super::{Rule, Subject, vocabulary::identifier};
use crate::id::GroupId;
use crate::plan::source::{did_you_mean, suggest};
use crate::plan::{Finding, Findings, Text, key_path};
use std::collections::{BTreeMap, BTreeSet};

/// The variables that members of a group have, and the number of the first who has each.
type Variables<'a> = BTreeMap<&'a str, u32>;

/// No variable of people looks like a misspelt key, unless a text uses it: nobody would be told in their language, or not be told as they
/// wish. And what a text says of a person somebody of those has for whom it is.
#[derive(Debug)]
pub(super) struct KnownWords;

/// What a variable may have been meant for.
const MEANT: [&str; 8] = ["language", "place", "opted_out", "zone", "stands_for", "through", "name", "email"];

/// What texts may ask of anybody.
const OWN: [&str; 5] = ["id", "name", "lang", "places", "zone"];

impl Rule for KnownWords {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0419", "RC0714"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        if cx.texts().iter().any(|text| text.broken) {
            return;
        }
        let variables = variables(cx);
        let mut said = BTreeSet::new();
        let all = variables.iter().flat_map(|(group, all)| all.iter().map(move |(one, first)| (*group, *one, *first)));
        for (group, variable, first) in all {
            let Some(meant) = suggest(variable, MEANT).filter(|_| said.insert(variable)) else { continue };
            let used =
                |text: &Text| text.uses.contains("person") || text.uses(&format!("person.{}", identifier(variable)));
            if !cx.texts().iter().any(used) {
                let path = key_path("groups", group.as_str());
                let message = format!("`{variable}` is taken for a variable of members, and no text uses it");
                let mut finding = Finding::warning("RC0419", path, message).help(format!("did you mean `{meant}`?"));
                finding.at = cx.member_position(first);
                out.push(finding);
            }
        }
        for text in cx.texts() {
            nobody_has(cx, text, &variables, out);
        }
    }
}

/// By group; nothing of groups without members.
fn variables<'a>(cx: &Subject<'a>) -> BTreeMap<&'a GroupId, Variables<'a>> {
    let mut all: BTreeMap<&GroupId, Variables<'_>> = BTreeMap::new();
    for (group, members) in cx.people().groups() {
        let mut kinds = BTreeSet::new();
        for (number, who) in members.iter().filter_map(|number| Some((*number, cx.people().at(*number)?))) {
            let variables = all.entry(group).or_default();
            if kinds.insert(who.kind()) {
                who.vars().for_each(|(variable, _)| _ = variables.entry(variable).or_insert(number));
            }
        }
    }
    all
}

/// What a text asks of persons and none of those has for whom it is.
fn nobody_has(cx: &Subject<'_>, text: &Text, variables: &BTreeMap<&GroupId, Variables<'_>>, out: &mut Findings) {
    let asked: BTreeSet<&str> =
        text.uses.iter().filter_map(|used| used.strip_prefix("person.")?.split('.').next()).collect();
    let Some(communique) = cx.plan().communique(&text.communique).filter(|_| !asked.is_empty()) else { return };
    // A correction is for whoever was told.
    let is_for = |group: &GroupId| match &text.group {
        Some(only) => only == group,
        None => communique.to.is_empty() || communique.to.contains(group),
    };
    let of: Vec<&Variables<'_>> = variables.iter().filter(|(group, _)| is_for(group)).map(|(_, all)| all).collect();
    if of.is_empty() {
        return;
    }
    let known: BTreeSet<String> = of.into_iter().flat_map(|all| all.keys()).map(|one| identifier(one)).collect();
    let all = || OWN.into_iter().chain(known.iter().map(String::as_str));
    for field in asked.into_iter().filter(|field| !all().any(|known| known == *field)) {
        let file = text.file.as_ref().map(|file| format!(" in `{file}`")).unwrap_or_default();
        let message = format!("nobody for whom it is has `person.{field}`{file}");
        let help = did_you_mean(field, all()).unwrap_or_else(|| {
            format!("give it to them, as a column or under `vars: {{ {field}: … }}`, or leave it out")
        });
        out.push(Finding::warning("RC0714", &text.path, message).help(help));
    }
}
