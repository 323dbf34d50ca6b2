//! Gaps: who must be informed and cannot be reached keeps everything from going out, until somebody accepts that by name.

use super::intake::{given, refuse};
use super::{DispatchError, Dispatcher};
use crate::course::{Head, HeadFact};
use crate::id::StakeholderId;
use crate::journal::Note;
use crate::prepare::{Gap, gap_mark};
use std::fmt;

/// Whose gap is accepted. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum GapOf {
    /// One person's.
    Person(StakeholderId),
    /// A company's: of the members whose variable `company` has this value, or of whom one each must be informed by this value.
    Company(String),
}

impl fmt::Debug for GapOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Person(_) => "Person(..)",
            Self::Company(_) => "Company(..)",
        })
    }
}

impl Dispatcher {
    /// The gaps that nobody has accepted.
    pub fn open_gaps<'a>(&'a self, head: &'a Head) -> impl Iterator<Item = &'a Gap> {
        self.prepared.gaps().iter().filter(|gap| !gap.marks.iter().any(|mark| head.accepted_gaps.contains(mark)))
    }

    /// Accepts that a person, or everyone of a company, who must be informed cannot be reached. They stay not informed; what waited for
    /// this goes on. `false` if that stands already.
    ///
    /// # Errors
    /// Refused: nobody named, no reason, an unknown person or company, or one without a gap.
    pub async fn accept_gap(&self, of: &GapOf, by: &str, why: &str) -> Result<bool, DispatchError> {
        given(by, "the acceptance of a gap needs a name: who accepts it?")?;
        given(why, "the acceptance of a gap needs a reason: why may they go without?")?;
        let people = self.prepared.people();
        let (kind, name) = match of {
            GapOf::Person(id) => ("person", id.as_str()),
            GapOf::Company(name) => ("company", name.as_str()),
        };
        let is_it = |gap: &Gap| match of {
            GapOf::Person(id) => gap.person.and_then(|n| people.at(n)).is_some_and(|who| who.id() == id.as_str()),
            GapOf::Company(company) => gap.company.as_ref() == Some(company),
        };
        if !self.prepared.gaps().iter().any(is_it) {
            return match of {
                GapOf::Person(id) => {
                    self.known_person(id)?;
                    refuse("this person has no gap: they can be reached, or nobody says that they must be informed")
                }
                GapOf::Company(_) => {
                    refuse("this company has no gap: it is unknown, or can be reached, or need not be informed")
                }
            };
        }
        let mark = gap_mark(&self.prepared, kind, name);
        loop {
            let record = self.enrol().await?;
            if record.head.accepted_gaps.contains(&mark) {
                return Ok(false);
            }
            let fact = HeadFact::GapAccepted { of: mark.clone() };
            let note = Note { by: Some(by.to_owned()), text: Some(why.to_owned()), ..Note::default() };
            if self.record_together(&record, vec![fact], Some(note)).await? {
                return Ok(true);
            }
        }
    }
}
