//! The embargo, and which communiques it concerns.

use super::Resolver;
use crate::communique::{Anchor, Communique, Timing};
use crate::id::GroupId;
use crate::plan::embargo::Embargo;
use crate::plan::texts::{Part, Text};
use crate::release::Release;
use crate::stakeholder::Group;
use chrono_tz::Tz;

impl Resolver<'_> {
    pub(super) fn embargo(&mut self, groups: &[Group]) -> Option<Embargo> {
        let draft = &self.draft.embargo.as_ref()?.0;
        let path = "embargo.until";
        let until = self.timing(path, &draft.until);
        if let Some(until) = &until {
            match &until.anchor {
                Anchor::Embargo => self.error("RC0605", path, "the embargo cannot end relative to its own end"),
                Anchor::Reached(..) => self.error(
                    "RC0605",
                    path,
                    "the embargo cannot end relative to what a communique has reached: give an instant, or `planned`, `begun`, \
                     `declared`, `last declared`",
                ),
                _ => {}
            }
            self.one_instant(path, until, until.not_after.is_some());
        }
        let mut cleared: Vec<GroupId> = Vec::new();
        for (i, group) in draft.cleared.iter().enumerate() {
            let path = self.entry_of("embargo.cleared", i);
            if groups.iter().any(|known| known.id == *group) {
                cleared.push(group.clone());
            } else {
                self.dangling(path, "group", group.as_str(), groups.iter().map(|known| known.id.as_str()));
            }
        }
        Some(Embargo {
            // What cannot be read is refused, so that this is never seen.
            until: until
                .unwrap_or_else(|| Timing { zone: self.zone.unwrap_or(Tz::UTC), ..Timing::at(Anchor::Declared) }),
            cleared,
            classified: Embargo::variables(draft.classified.iter()),
            lift: draft.lift.iter().map(|named| named.as_str().to_owned()).collect(),
        })
    }

    /// The path of an entry of what is one or many.
    fn entry_of(&self, path: &str, index: usize) -> String {
        let entry = format!("{path}[{index}]");
        if self.source.get(&entry).is_some() { entry } else { path.to_owned() }
    }
}

/// What the built-in text says of the release, word for word.
const BUILT_IN: [&str; 8] = [
    "release.product",
    "release.version",
    "release.what",
    "release.why",
    "release.where",
    "release.how.access",
    "release.how.circumstances",
    "release.how.support",
];
/// What it says beside these, and what the built-in subject says.
const BUILT_IN_TIME: &str = "release.when.planned";
const BUILT_IN_SUBJECT: [&str; 2] = ["release.product", "release.version"];

/// Marks the communiques of which some text, to whomever, uses what is classified. A text that cannot be read counts as one that does.
pub(super) fn classify(embargo: &Embargo, release: &Release, communiques: &mut [Communique], texts: &[Text]) {
    for communique in communiques {
        let own: Vec<&Text> = texts.iter().filter(|text| text.communique == communique.id).collect();
        let says = |used: &str, groups: &[GroupId]| embargo.classifies(used, &release.what, groups);
        let by_own = own.iter().any(|text| {
            let groups = text.group.as_ref().map_or(communique.to.as_slice(), std::slice::from_ref);
            text.broken || text.uses.iter().any(|used| says(used, groups))
        });
        // Whoever has no text of their own hears the built-in one.
        let lacks = |part: Part| !own.iter().any(|text| text.group.is_none() && text.part == part);
        let to = communique.to.as_slice();
        let by_built_in = lacks(Part::Text) && BUILT_IN.iter().chain([&BUILT_IN_TIME]).any(|used| says(used, to));
        let by_subject = lacks(Part::Subject) && BUILT_IN_SUBJECT.iter().any(|used| says(used, to));
        communique.classified = by_own || by_built_in || by_subject;
    }
}
