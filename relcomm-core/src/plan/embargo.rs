//! What must not be known before an instant, and who may end that earlier.

use crate::communique::Timing;
use crate::id::GroupId;
use crate::release::Item;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What must not be known before an instant. `Debug` shows neither what is classified nor who may lift it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Embargo {
    /// When it ends by itself.
    pub until: Timing,
    /// The groups that may know before.
    pub cleared: Vec<GroupId>,
    /// The variables that are classified, as templates name them.
    pub classified: Vec<String>,
    /// The persons and roles who may lift it; empty: whoever answers for the release.
    pub lift: Vec<String>,
}

impl fmt::Debug for Embargo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embargo").field("until", &self.until).field("cleared", &self.cleared).finish_non_exhaustive()
    }
}

/// What is classified where the plan does not say: what changes, and why.
const BY_DEFAULT: [&str; 2] = ["release.what", "release.why"];

/// The parts of `release` that a plan may name without it.
const OF_RELEASE: [&str; 8] = ["product", "version", "kind", "what", "why", "where", "how", "when"];

/// A path of the plan, or of templates, as templates name it.
pub(super) fn variable(path: &str) -> String {
    let path = path.trim();
    let (root, rest) = path.split_once('.').unwrap_or((path, ""));
    match root {
        "item" | "params" => {
            let rest: String = rest.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
            format!("{root}.{rest}")
        }
        _ if OF_RELEASE.contains(&root) => format!("release.{path}"),
        _ => path.to_owned(),
    }
}

/// Whether one of two dotted paths leads to the other, or is it.
pub(crate) fn lies_within(path: &str, whole: &str) -> bool {
    path.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

impl Embargo {
    /// The variables that are classified by what the plan says.
    pub(crate) fn variables<'a>(said: impl Iterator<Item = &'a String>) -> Vec<String> {
        let said: Vec<String> = said.map(|path| variable(path)).collect();
        if said.is_empty() { BY_DEFAULT.map(str::to_owned).to_vec() } else { said }
    }

    /// Whether a text that uses the variable tells of something classified to one of the groups. A list of items tells of each of them.
    pub(crate) fn classifies(&self, used: &str, items: &[Item], groups: &[GroupId]) -> bool {
        self.classified.iter().any(|classified| {
            if lies_within(used, classified) || lies_within(classified, used) {
                return true;
            }
            let is_item = |path: &str| lies_within(path, "item");
            match classified.strip_prefix("item.") {
                Some(id) if lies_within(used, "release.what") || used == "release" => {
                    let is_it = |item: &&Item| variable(&format!("item.{}", item.id)) == format!("item.{id}");
                    items.iter().find(is_it).is_none_or(|item| groups.iter().any(|group| item.concerns(group)))
                }
                _ => classified == "release.what" && is_item(used),
            }
        })
    }

    /// Whether the value of a variable is classified: it, or what it is a part of.
    pub(crate) fn names(&self, used: &str) -> bool {
        let used = variable(used);
        self.classified.iter().any(|classified| lies_within(&used, classified))
    }

    /// Whether every one of these groups may know before.
    #[must_use]
    pub fn clears(&self, groups: &[GroupId]) -> bool {
        groups.iter().all(|group| self.cleared.contains(group))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_the_plan_are_read_as_templates_name_them() {
        let said = ["what", "release.how.access", "item.no-std", "params.cve-id"].map(str::to_owned);
        assert_eq!(
            Embargo::variables(said.iter()),
            ["release.what", "release.how.access", "item.no_std", "params.cve_id"]
        );
        assert_eq!(Embargo::variables([].iter()), BY_DEFAULT);
    }
}
