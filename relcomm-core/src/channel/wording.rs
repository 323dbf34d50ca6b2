//! The words given to a channel, and the parts that it makes of them.

use crate::communique::Part as Announced;
use crate::document::Document;
use crate::id::{CommuniqueId, GroupId, Lang, OccurrenceId, PlaceId, PlanId};
use crate::mechanism::Unit;
use crate::plan::Finding;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The words of one communique for one stakeholder or many: rendered, and not yet in any mechanism's form.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Wording {
    /// What the words are about.
    pub about: About,
    /// The language.
    pub lang: Option<Lang>,
    /// One line without control characters.
    pub subject: String,
    /// The text.
    pub document: Document,
    /// One line for pager and text.
    pub short: String,
}

impl Wording {
    /// The words of a communique.
    #[must_use]
    pub fn new(about: About, subject: impl Into<String>, document: Document, short: impl Into<String>) -> Self {
        Self { about, lang: None, subject: subject.into(), document, short: short.into() }
    }

    /// In this language.
    #[must_use]
    pub fn lang(mut self, lang: Option<Lang>) -> Self {
        self.lang = lang;
        self
    }
}

impl fmt::Debug for Wording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wording").field("about", &self.about).field("lang", &self.lang).finish_non_exhaustive()
    }
}

/// What a text is about, for channels that hand on data rather than prose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct About {
    /// The plan.
    pub plan: PlanId,
    /// The product.
    pub product: String,
    /// The version.
    pub version: String,
    /// The communique.
    pub communique: CommuniqueId,
    /// Which of its occurrences, where it has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurrence: Option<OccurrenceId>,
    /// The groups it is for.
    pub groups: Vec<GroupId>,
    /// The place; `None` for the release as a whole.
    pub place: Option<PlaceId>,
    /// The number of the announcement: 1, and the next one by a slip.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub revision: u32,
    /// Whether it is the communique itself, or corrects what was told before.
    #[serde(default, skip_serializing_if = "Announced::is_live")]
    pub part: Announced,
}

const fn first() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
const fn is_first(revision: &u32) -> bool {
    *revision == 1
}

impl About {
    /// A communique of a plan.
    #[must_use]
    pub fn new(plan: PlanId, product: impl Into<String>, version: impl Into<String>, communique: CommuniqueId) -> Self {
        let (product, version) = (product.into(), version.into());
        Self {
            plan,
            product,
            version,
            communique,
            occurrence: None,
            groups: Vec::new(),
            place: None,
            revision: 1,
            part: Announced::Live,
        }
    }
}

/// The parts that go out, made by [`Channel::prepare`](super::Channel::prepare).
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Prepared {
    /// The parts, in the order of the wire.
    pub parts: Vec<Part>,
}

/// One part of a prepared text.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Part {
    /// Its name, such as `subject`, `text` or `html`.
    pub name: String,
    /// Its media type.
    pub media: String,
    /// Its content.
    pub content: String,
}

impl Part {
    /// A part.
    #[must_use]
    pub fn new(name: impl Into<String>, media: impl Into<String>, content: impl Into<String>) -> Self {
        Self { name: name.into(), media: media.into(), content: content.into() }
    }
}

impl Prepared {
    /// These parts.
    #[must_use]
    pub fn new(parts: impl IntoIterator<Item = Part>) -> Self {
        Self { parts: parts.into_iter().collect() }
    }

    /// The content of the part of that name; empty if there is none.
    #[must_use]
    pub fn part(&self, name: &str) -> &str {
        self.parts.iter().find(|p| p.name == name).map_or("", |p| p.content.as_str())
    }

    /// Checks every part against the limits: a finding `RC1101` for each that is not kept.
    #[must_use]
    pub fn over(&self, limits: &[crate::mechanism::Limit]) -> Vec<Finding> {
        limits
            .iter()
            .filter_map(|limit| {
                let part = self.parts.iter().find(|p| p.name == limit.part)?;
                match limit.unit.measure(&part.content) {
                    Some(n) if n <= limit.max => None,
                    Some(n) => Some(Finding::error(
                        "RC1101",
                        "",
                        format!("the {} has {n} {}, the channel takes {}", limit.part, unit(limit.unit), limit.max),
                    )),
                    None => Some(Finding::error(
                        "RC1102",
                        "",
                        format!("the {} holds characters that the channel's alphabet lacks", limit.part),
                    )),
                }
            })
            .collect()
    }
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Bytes | Unit::JsonBytes => "bytes",
        Unit::Chars => "characters",
        Unit::Utf16 => "UTF-16 units",
        Unit::Gsm7Septets => "septets",
        Unit::Items => "items",
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.parts.iter().map(|p| &p.name)).finish()
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part").field("name", &self.name).field("media", &self.media).finish_non_exhaustive()
    }
}
