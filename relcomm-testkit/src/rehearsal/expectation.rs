//! What a script expects, as people write it.

use super::elapsed::Elapsed;
use relcomm_core::id::{CommuniqueId, GroupId, OccurrenceId, PlaceId};
use relcomm_core::mechanism::Mechanism;
use relcomm_core::plan::source::Ordered;

use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// What must be true of the report, of what went out, or of the findings. Everything that it says must hold.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Expectation {
    /// Which rows of the report it speaks of: those of which all of this is true.
    #[serde(rename = "where")]
    pub(super) rows: Option<Selector>,
    /// What each of these rows shows, by the report's own field names; of a list, how many it holds.
    #[serde(default, deserialize_with = "filled")]
    #[schemars(extend("minProperties" = 1))]
    pub(super) is: Option<Ordered<String, String>>,
    /// What at least one attempt of each row shows, by the report's own field names.
    #[serde(default, deserialize_with = "filled")]
    #[schemars(extend("minProperties" = 1))]
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
    #[serde(default, deserialize_with = "filled_list")]
    #[schemars(extend("minItems" = 1))]
    pub(super) order: Option<Vec<Reached>>,
    /// What was never tried.
    pub(super) never: Option<Selector>,
    /// What the report says was declared, all of it in its order.
    pub(super) declarations: Option<Vec<Said>>,
    /// What the report says was approved or rejected, all of it in its order.
    pub(super) approvals: Option<Vec<Said>>,
    /// The report's totals over persons, as far as they are given.
    #[serde(default, deserialize_with = "filled")]
    #[schemars(extend("minProperties" = 1))]
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

/// What names nothing would be true of everything.
fn filled<'de, D, K, V>(from: D) -> Result<Option<Ordered<K, V>>, D::Error>
where
    D: Deserializer<'de>,
    Option<Ordered<K, V>>: Deserialize<'de>,
{
    let found = Option::<Ordered<K, V>>::deserialize(from)?;
    match found {
        Some(none) if none.iter().next().is_none() => Err(D::Error::custom("this names nothing")),
        found => Ok(found),
    }
}

/// The same of a list.
fn filled_list<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<Reached>>, D::Error> {
    let found = Option::<Vec<Reached>>::deserialize(from)?;
    match found {
        Some(none) if none.is_empty() => Err(D::Error::custom("this names nothing")),
        found => Ok(found),
    }
}

impl Expectation {
    /// The keys that say what must be true.
    pub(super) fn says(&self) -> impl Iterator<Item = &'static str> {
        let Self {
            rows: _,
            is,
            attempt,
            count,
            apart,
            sent,
            text,
            everywhere,
            order,
            never,
            declarations,
            approvals,
            totals,
            reason,
            waiting_for,
            verdict,
            exit,
            finding,
        } = self;
        let keys = [
            ("is", is.is_some()),
            ("attempt", attempt.is_some()),
            ("count", count.is_some()),
            ("apart", apart.is_some()),
            ("sent", sent.is_some()),
            ("text", text.is_some()),
            ("everywhere", everywhere.is_some()),
            ("order", order.is_some()),
            ("never", never.is_some()),
            ("declarations", declarations.is_some()),
            ("approvals", approvals.is_some()),
            ("totals", totals.is_some()),
            ("reason", reason.is_some()),
            ("waiting_for", waiting_for.is_some()),
            ("verdict", verdict.is_some()),
            ("exit", exit.is_some()),
            ("finding", finding.is_some()),
        ];
        keys.into_iter().filter(|(_, said)| *said).map(|(key, _)| key)
    }
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
