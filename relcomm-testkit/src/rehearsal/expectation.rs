//! What a script expects, as people write it.

use super::elapsed::Elapsed;
use relcomm_core::id::{CommuniqueId, GroupId, OccurrenceId, PlaceId};
use relcomm_core::mechanism::Mechanism;
use relcomm_core::plan::source::Ordered;

use schemars::JsonSchema;
use serde::Deserialize;

/// What must be true of the report, of what went out, or of the findings. Everything that it says must hold.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Expectation {
    /// Which rows of the report it speaks of: those of which all of this is true.
    #[serde(rename = "where")]
    pub(super) rows: Option<Selector>,
    /// What each of these rows shows, by the report's own field names; of a list, how many it holds.
    pub(super) is: Option<Ordered<String, String>>,
    /// What at least one attempt of each row shows, by the report's own field names.
    pub(super) attempt: Option<Ordered<String, String>>,
    /// How many rows there are, or with `is` how many are so.
    pub(super) count: Option<usize>,
    /// How far apart the attempts of each row began, at least.
    pub(super) apart: Option<Elapsed>,
    /// How many texts reached a far side: of these rows, or of all.
    pub(super) sent: Option<usize>,
    /// What the texts say that reached a far side: of these rows, or all.
    pub(super) text: Option<Words>,
    /// What no text, report, journal entry, note or line of the timeline holds.
    pub(super) everywhere: Option<Lacks>,
    /// That one did not come before the other: the last of each before the first of the next.
    pub(super) order: Option<Vec<Reached>>,
    /// What was never tried.
    pub(super) never: Option<Selector>,
    /// What the report says was declared, all of it in its order.
    pub(super) declarations: Option<Vec<Said>>,
    /// What the report says was approved or rejected, all of it in its order.
    pub(super) approvals: Option<Vec<Said>>,
    /// The report's totals over persons, as far as they are given.
    pub(super) totals: Option<Ordered<String, u32>>,
    /// Why everybody who is not informed, and for no waiver exempt, is not.
    pub(super) reason: Option<String>,
    /// What pending gates wait for: one of them for words that hold these.
    pub(super) waiting_for: Option<String>,
    /// The report's verdict.
    pub(super) verdict: Option<String>,
    /// The exit code of `dispatch`.
    pub(super) exit: Option<u8>,
    /// That the plan, or its preparation, has a finding of this code.
    pub(super) finding: Option<String>,
}

/// Which rows: those of which all of this is true. `*` stands for any letters.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Selector {
    /// Of this person.
    pub(super) person: Option<String>,
    /// Of this group.
    pub(super) group: Option<GroupId>,
    /// Of this communique.
    pub(super) communique: Option<CommuniqueId>,
    /// Of this occurrence.
    pub(super) occurrence: Option<OccurrenceId>,
    /// At this place.
    pub(super) place: Option<PlaceId>,
    /// Tried by this mechanism.
    pub(super) via: Option<Mechanism>,
    /// The communique itself (`live`), a `correction`, or news of a `slip`.
    pub(super) part: Option<String>,
    /// Of this revision: 1, and the next one by a slip.
    pub(super) revision: Option<u32>,
}

/// What texts say.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    /// Each holds this.
    pub(super) contains: Option<String>,
    /// None holds this.
    pub(super) lacks: Option<String>,
}

/// What a named person said, as far as it is given.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Said {
    /// The place, or the role.
    pub(super) of: Option<String>,
    /// The outcome, or `approved` or `rejected`.
    pub(super) says: Option<String>,
    /// Who.
    pub(super) by: Option<String>,
    /// Whether the digest that was approved is the one that is dispatched now.
    pub(super) digest: Option<Age>,
}

/// How a digest stands to the present one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Age {
    /// It is the present one.
    Present,
    /// It is another: the approval is void.
    Past,
}

/// What is nowhere.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Lacks {
    /// This.
    pub(super) lacks: String,
}

/// Rows, and what they have reached.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reached {
    /// Of this person.
    pub(super) person: Option<String>,
    /// Of this group.
    pub(super) group: Option<GroupId>,
    /// Of this communique.
    pub(super) communique: Option<CommuniqueId>,
    /// Of this occurrence.
    pub(super) occurrence: Option<OccurrenceId>,
    /// At this place.
    pub(super) place: Option<PlaceId>,
    /// What is reached: attempted, accepted, … acknowledged.
    pub(super) state: relcomm_core::receipt::Assurance,
}

impl Reached {
    pub(super) fn selector(&self) -> Selector {
        Selector {
            person: self.person.clone(),
            group: self.group.clone(),
            communique: self.communique.clone(),
            occurrence: self.occurrence.clone(),
            place: self.place.clone(),
            via: None,
            part: None,
            revision: None,
        }
    }
}

/// Whether a pattern of a script fits a word: `*` stands for any letters, every other letter for itself.
#[must_use]
pub fn fits(pattern: &str, word: &str) -> bool {
    let mut parts = pattern.split('*');
    let head = parts.next().unwrap_or_default();
    let Some(mut rest) = word.strip_prefix(head) else { return false };
    let Some(tail) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_any_letters() {
        for (pattern, word) in [("a", "a"), ("*", ""), ("*", "abc"), ("a*", "a"), ("a*c", "abc"), ("a*b*c", "axbyc")] {
            assert!(fits(pattern, word), "{pattern} {word}");
        }
        for (pattern, word) in [("a", "ab"), ("a*a", "a"), ("a*c", "ab"), ("", "a"), ("a*b*c", "acb")] {
            assert!(!fits(pattern, word), "{pattern} {word}");
        }
    }
}
