//! Whether texts use what there is, and nothing breaks out of a header.

use super::super::vocabulary::{self, Unknown};
use super::super::written::Written;
use super::super::{Rule, Subject};
use super::graph::waits;
use crate::communique::{Communique, Per};
use crate::plan::source::suggest;
use crate::plan::{Finding, Findings, Text, key_path};
use vocabulary::identifier;

/// Texts use variables that exist, where they have a value.
#[derive(Debug)]
pub(super) struct Variables;

impl Rule for Variables {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0701", "RC0703", "RC0705"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        for (name, profile) in &cx.draft().profiles {
            for (i, fact) in profile.must_state.iter().enumerate() {
                if let Err(Unknown::Name { part, names }) = vocabulary::judge(cx.plan(), fact) {
                    let path = cx.entry_path(&(key_path("profiles", name) + ".must_state"), i);
                    out.push(unknown(&path, None, fact, &part, &names));
                }
            }
        }
        for text in cx.texts() {
            let Some(communique) = cx.plan().communique(&text.communique) else { continue };
            for used in &text.uses {
                match vocabulary::judge(cx.plan(), used) {
                    Ok(()) => {}
                    Err(Unknown::Name { part, names }) => {
                        let finding = unknown(&text.path, text.file.as_deref(), used, &part, &names);
                        out.push(match Written::of(cx, text) {
                            Some(written) => written.pointing_at(used, cx.source(), finding),
                            None => finding,
                        });
                    }
                    Err(Unknown::Told { communique: on, group }) => {
                        if let Some(finding) = not_waited_for(cx, communique, text, &on, group.as_deref()) {
                            out.push(finding);
                        }
                    }
                }
            }
            if communique.per == Per::Release && text.uses("place") {
                let message =
                    format!("`place` has no value in `{}`, which has one gate for the release", communique.id);
                out.push(Finding::error("RC0705", &text.path, message).help("use `places.live`, or say `per: place`"));
            }
        }
    }
}

fn unknown(path: &str, file: Option<&str>, used: &str, part: &str, names: &[String]) -> Finding {
    let place = file.map_or(String::new(), |file| format!(" in `{file}`"));
    let finding = Finding::error("RC0701", path, format!("there is no variable `{used}`{place}"));
    match suggest(part, names.iter().map(String::as_str)) {
        Some(name) => finding.help(format!("did you mean `{name}` for `{part}`?")),
        None if names.is_empty() => finding.help(format!("nothing is known as `{part}` there")),
        None => finding.help(format!("there is {}", names.join(", "))),
    }
}

fn not_waited_for(
    cx: &Subject<'_>,
    communique: &Communique,
    text: &Text,
    on: &str,
    group: Option<&str>,
) -> Option<Finding> {
    let waited = waits(cx, communique).iter().any(|wait| {
        let for_group = match (wait.group, group) {
            (None, _) => true,
            (Some(waited), Some(used)) => identifier(waited.as_str()) == used,
            (Some(_), None) => false,
        };
        identifier(wait.on.as_str()) == on && for_group
    });
    let name = cx.plan().communiques().iter().map(|c| c.id.as_str()).find(|id| identifier(id) == on)?;
    (!waited).then(|| {
        let message = format!("the text speaks of `{name}`, for which `{}` does not wait", communique.id);
        Finding::error("RC0703", &text.path, message).help(format!("say `after: {name} accepted`"))
    })
}

/// No name or subject holds a control character.
#[derive(Debug)]
pub(super) struct NoControl;

impl Rule for NoControl {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0704"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        let release = cx.plan().release();
        let mut lines: Vec<(String, &str)> =
            vec![("release.product".into(), &release.product), ("release.version".into(), &release.version)];
        for place in &release.places {
            lines.push((key_path("release.where", place.id.as_str()), &place.name));
        }
        for group in cx.plan().groups() {
            lines.push((key_path("groups", group.id.as_str()) + ".owner", &group.owner));
        }
        let responsible = cx.plan().responsible();
        let parties =
            [(cx.execute_path(), Some(&responsible.execute)), ("responsible.backup", responsible.backup.as_ref())];
        for (path, party) in parties {
            if let Some(name) = party.and_then(|party| party.name.as_deref()) {
                lines.push((path.to_owned(), name));
            }
        }
        for communique in cx.plan().communiques() {
            let wordings = communique.variants.iter().filter_map(|(group, v)| Some((Some(group), v.wording.as_ref()?)));
            for (group, wording) in std::iter::once((None, &communique.wording)).chain(wordings) {
                let base = key_path("communiques", communique.id.as_str());
                let path = match group {
                    Some(group) => key_path(&format!("{base}.for"), group.as_str()) + ".subject",
                    None => base + ".subject",
                };
                for source in wording.subject.iter().flat_map(|sources| &sources.0) {
                    // A block scalar ends with a line break, which the template drops.
                    lines.push((path.clone(), source.text.trim_end_matches(['\r', '\n'])));
                }
            }
        }
        for (path, line) in lines {
            if line.chars().any(char::is_control) {
                let message = "a line break or other control character stands where one line is meant";
                out.push(Finding::error("RC0704", path, message));
            }
        }
    }
}
