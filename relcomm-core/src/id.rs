//! Validated ids: the words by which a plan names its parts, and the numbers by which the journal does.
//!
//! A value of one of these types is well-formed; there is no way to make one that is not.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// A word that does not fit the rule of its id type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is not a {kind}: {rule}")]
pub struct BadId {
    kind: &'static str,
    word: String,
    rule: &'static str,
}

impl BadId {
    /// The rule that the word broke, as a phrase.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        self.rule
    }
}

const WORD: &str = "1 to 64 letters, digits, `-`, `_` or `.`, beginning with a letter or digit";
const TAG: &str = "a tag as of BCP 47: two or three letters, and what follows after a `-`, such as `en` or `de-CH`";
const PERSON: &str = "1 to 128 characters without spaces, control characters, `/` or `~`";

fn is_word(s: &str) -> bool {
    (1..=64).contains(&s.len())
        && s.starts_with(|c: char| c.is_ascii_alphanumeric())
        && s.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// Well-formed by [RFC 5646](https://www.rfc-editor.org/rfc/rfc5646), section 2.1, but for languages of four letters and more, of which none
/// is registered: a language's name is no tag.
fn is_tag(s: &str) -> bool {
    let mut parts = s.split('-');
    let language = parts.next().unwrap_or_default();
    let is_language = (2..=3).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_alphabetic());
    let is_subtag = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    s.len() <= 64 && is_language && parts.all(is_subtag)
}

fn is_person(s: &str) -> bool {
    if s.is_ascii() {
        // Without a way out of the loop it takes many octets at a time.
        let fits = s.bytes().fold(true, |fits, b| fits & b.is_ascii_graphic() & (b != b'/') & (b != b'~'));
        return fits && (1..=128).contains(&s.len());
    }
    (1..=128).contains(&s.chars().count())
        && !s.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, '/' | '~'))
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $rule:ident, $check:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks and takes the word.
            ///
            /// # Errors
            /// [`BadId`] if the word breaks the rule of this type.
            pub fn new(word: impl AsRef<str>) -> Result<Self, BadId> {
                let word = word.as_ref();
                if $check(word) {
                    Ok(Self(word.into()))
                } else {
                    Err(BadId { kind: $kind, word: word.chars().take(80).collect(), rule: $rule })
                }
            }

            /// The word itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(word: String) -> Result<Self, BadId> {
                Self::new(word)
            }
        }

        impl std::str::FromStr for $name {
            type Err = BadId;
            fn from_str(word: &str) -> Result<Self, BadId> {
                Self::new(word)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                (*id.0).into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

id! {
    /// Names a plan; by default product-version.
    PlanId, "plan id", WORD, is_word
}
id! {
    /// Names a communique within its plan.
    CommuniqueId, "communique id", WORD, is_word
}
id! {
    /// Names one occurrence of a communique, such as `early` or `last`.
    OccurrenceId, "occurrence id", WORD, is_word
}
id! {
    /// Names a stakeholder group within its plan.
    GroupId, "group id", WORD, is_word
}
id! {
    /// Names a place: one entry of *where*.
    PlaceId, "place id", WORD, is_word
}
id! {
    /// Names an item of *what*.
    ItemId, "item id", WORD, is_word
}
id! {
    /// Names a role that approves, performs or executes.
    Role, "role", WORD, is_word
}
id! {
    /// Names a language by its BCP 47 tag, such as `en` or `de-CH`.
    Lang, "language tag", TAG, is_tag
}

impl Lang {
    /// The one of those offered that is this one, or the nearest that it is a kind of: by the lookup of
    /// [RFC 4647](https://www.rfc-editor.org/rfc/rfc4647), section 3.4, `de-CH` finds `de`.
    pub(crate) fn lookup<'a>(&self, offered: impl Iterator<Item = &'a Self> + Clone) -> Option<&'a Self> {
        let mut range = self.as_str();
        loop {
            if let Some(found) = offered.clone().find(|lang| lang.as_str().eq_ignore_ascii_case(range)) {
                return Some(found);
            }
            // A subtag of one letter never stands at the end.
            range = range.rsplit_once('-')?.0;
            if let Some((shorter, last)) = range.rsplit_once('-')
                && last.len() == 1
            {
                range = shorter;
            }
        }
    }
}

/// Names a stakeholder within its plan: by default the local part of the address, lower-cased.
///
/// The word is a person's datum: `Debug` and `Display` do not show it, [`as_str`](Self::as_str) does, and so do reports that
/// are not redacted.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StakeholderId(Arc<str>);

impl StakeholderId {
    /// Checks and takes the word.
    ///
    /// # Errors
    /// [`BadId`] if it is empty, too long, or holds spaces, control characters, `/` or `~`.
    pub fn new(word: impl AsRef<str>) -> Result<Self, BadId> {
        let word = word.as_ref();
        if is_person(word) {
            Ok(Self(word.into()))
        } else {
            // The word may be an address: it is not repeated.
            Err(BadId { kind: "stakeholder id", word: "…".into(), rule: PERSON })
        }
    }

    /// The word itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for StakeholderId {
    type Error = BadId;
    fn try_from(word: String) -> Result<Self, BadId> {
        Self::new(word)
    }
}

impl From<StakeholderId> for String {
    fn from(id: StakeholderId) -> Self {
        (*id.0).into()
    }
}

impl fmt::Debug for StakeholderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StakeholderId(..)")
    }
}

/// What a gate stands for: a communique, its occurrence and revision, in one place or for the release.
///
/// The text form is `communique[@occurrence][#revision][/place]`; revision 1 is left out. It enters keys and journals, and
/// never changes once something is out.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GateId {
    /// The communique that is announced.
    pub communique: CommuniqueId,
    /// Which of its occurrences, where it has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurrence: Option<OccurrenceId>,
    /// The number of the announcement: 1, and the next one only by a slip or a correction.
    pub revision: u32,
    /// The place whose members are told; `None` for the release as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<PlaceId>,
}

impl GateId {
    /// What it stands for, borrowed.
    pub(crate) fn name(&self) -> GateName<'_> {
        GateName {
            communique: self.communique.as_str(),
            occurrence: self.occurrence.as_ref().map(OccurrenceId::as_str),
            revision: self.revision,
            place: self.place.as_ref().map(PlaceId::as_str),
        }
    }
}

impl fmt::Display for GateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.name(), f)
    }
}

/// What a gate stands for, as [`GateId`], wherever its words are kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct GateName<'a> {
    pub(crate) communique: &'a str,
    pub(crate) occurrence: Option<&'a str>,
    pub(crate) revision: u32,
    pub(crate) place: Option<&'a str>,
}

impl fmt::Display for GateName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.communique)?;
        if let Some(occurrence) = self.occurrence {
            write!(f, "@{occurrence}")?;
        }
        if self.revision != 1 {
            write!(f, "#{}", self.revision)?;
        }
        if let Some(place) = self.place {
            write!(f, "/{place}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for GateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A gate's number in one journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GateNo(pub u32);

/// A lane's number in one journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LaneNo(pub u16);

/// A delivery in one journal: a gate and the ordinal of a stakeholder on the gate's roll.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeliveryId {
    /// The gate.
    pub gate: GateNo,
    /// The ordinal on the gate's roll.
    pub ordinal: u32,
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.gate.0, self.ordinal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_refused_when_it_could_break_a_path_a_header_or_a_key() {
        for bad in ["", "-a", "a b", "a/b", "a\nb", "a@b", &"x".repeat(65), "ü"] {
            assert!(CommuniqueId::new(bad).is_err(), "{bad:?}");
        }
        for good in ["a", "live", "brief-support", "2026.4", &"x".repeat(64)] {
            assert!(CommuniqueId::new(good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn a_stakeholder_is_not_shown_by_debug() {
        let id = StakeholderId::new("jane.doe+x").unwrap();
        assert!(!format!("{id:?}").contains("jane"));
        assert!(StakeholderId::new("a/b").is_err() && StakeholderId::new("a b").is_err());
    }

    #[test]
    fn gates_read_as_the_plan_speaks() {
        let gate = |o: Option<&str>, revision, p: Option<&str>| GateId {
            communique: CommuniqueId::new("live").unwrap(),
            occurrence: o.map(|o| OccurrenceId::new(o).unwrap()),
            revision,
            place: p.map(|p| PlaceId::new(p).unwrap()),
        };
        assert_eq!(gate(None, 1, None).to_string(), "live");
        assert_eq!(gate(Some("early"), 2, Some("eu")).to_string(), "live@early#2/eu");
    }
}
