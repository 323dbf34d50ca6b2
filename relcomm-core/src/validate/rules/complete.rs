//! Whether the six answers are there, and somebody answers for them.

use super::super::placeholder::placeholder;
use super::super::{Rule, Subject};
use crate::plan::{Finding, Findings, key_path};

/// Every answer is given, and none is a placeholder.
#[derive(Debug)]
pub(super) struct Answers;

impl Rule for Answers {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0201", "RC0202"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        let release = cx.plan().release();
        let written = &cx.draft().release;
        let mut answers: Vec<(String, &str, &str)> = vec![
            ("release.product".into(), "product", &release.product),
            ("release.version".into(), "version", &release.version),
        ];
        // An answer that is missing altogether is a finding of its own.
        if written.why.is_some() {
            answers.push(("release.why".into(), "why", &release.why));
        }
        if written.how.is_some() {
            answers.push((cx.how_path().into(), "how", &release.how.access));
        }
        if written.what.as_ref().is_some_and(|what| what.0.is_empty()) {
            answers.push(("release.what".into(), "what", ""));
        }
        for (i, item) in release.what.iter().enumerate() {
            answers.push((cx.item_path(i), "what", &item.text));
        }
        let optional = [("circumstances", &release.how.circumstances), ("support", &release.how.support)];
        for (key, answer) in optional.into_iter().filter_map(|(key, answer)| Some((key, answer.as_deref()?))) {
            answers.push((format!("release.how.{key}"), "how", answer));
        }
        for group in cx.plan().groups() {
            if let Some(waiver) = &group.waived {
                let path = key_path("groups", group.id.as_str()) + ".waived";
                answers.push((format!("{path}.why"), "why it is waived", &waiver.why));
                answers.push((format!("{path}.by"), "who waived it", &waiver.by));
            }
        }
        for place in &release.places {
            answers.push((key_path("release.where", place.id.as_str()), "where", &place.name));
        }
        for (id, group) in &cx.draft().groups {
            if let Some(owner) = &group.full.owner {
                answers.push((key_path("groups", id.as_str()) + ".owner", "owner", owner.as_str()));
            }
        }
        for (path, name, answer) in answers {
            if answer.trim().is_empty() {
                out.push(Finding::error("RC0201", path, format!("the answer to `{name}` is empty")));
            } else if let Some((_, word)) = placeholder(answer) {
                out.push(Finding::error("RC0202", path, format!("the answer to `{name}` still says `{word}`")));
            }
        }
    }
}

/// The responsible party can be reached.
#[derive(Debug)]
pub(super) struct Reachable;

impl Rule for Reachable {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0203"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        if cx.draft().responsible.is_none() {
            return;
        }
        let responsible = cx.plan().responsible();
        let mut parties = vec![(cx.execute_path().to_owned(), &responsible.execute)];
        parties.extend(responsible.backup.iter().map(|party| ("responsible.backup".to_owned(), party)));
        for (path, party) in parties {
            if party.addresses.is_empty() {
                out.push(
                    Finding::error("RC0203", path, "the responsible party has no address at which to reach them")
                        .help("write `Name <name@domain>`, or a map with `id`, `name` and an address"),
                );
            }
        }
    }
}
