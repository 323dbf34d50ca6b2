//! Erasing a person from the record: what names or describes them goes, and what happened stays.

use super::intake::{given, refuse};
use super::token::Tokens;
use super::{DispatchError, Dispatcher, Record};
use crate::channel::Mint;
use crate::course::{DeliveryInput, Erased, HeadFact, Path};
use crate::id::StakeholderId;
use crate::journal::{Change, Erasure, Note, Row, Write};
use crate::prepare::Kept;
use crate::receipt::Assurance;

/// What stands in the place of an erased person begins with this.
const STAND_IN: &str = "erased-";

/// The number of the erased person who stood at a row.
pub(crate) fn erased_number(row: &Row) -> Option<u32> {
    stand_in_of(row.who.as_ref()?)
}

/// The number of whom a word stands for, if it stands for somebody who was erased.
fn stand_in_of(who: &StakeholderId) -> Option<u32> {
    who.as_str().strip_prefix(STAND_IN)?.parse().ok()
}

impl Record {
    /// Whether a word stands for somebody who was erased from this record.
    pub(super) fn is_stand_in(&self, who: &StakeholderId) -> bool {
        stand_in_of(who).is_some_and(|number| self.head.erased.contains_key(&number))
    }
}

impl Dispatcher {
    /// Erases a person from the record: who stood at their deliveries, and the notes, proofs and raw receipts about these. Entries, totals
    /// and the seal stay, and reports show them by a number. What is still to come of their deliveries does not come. `false` if they are
    /// erased already.
    ///
    /// The member data is not the record: whoever is still in it is told by what is prepared and opens later; and by what is out already, once
    /// the plan is prepared for other people.
    ///
    /// # Errors
    /// Refused: nobody named who erases; nothing of this person is in the record, although raw receipts that hold an address of theirs are
    /// emptied all the same; they stand for somebody who was erased; an attempt to them is in flight.
    pub async fn erase(&self, person: &StakeholderId, by: &str) -> Result<bool, DispatchError> {
        given(by, "an erasure needs a name: who erases?")?;
        let tokens = self.tokens().await?;
        loop {
            let record = self.enrol().await?;
            if record.is_stand_in(person) {
                return refuse("this stands for somebody who was erased");
            }
            let rows = self.rows_of(person).await?;
            if rows.is_empty() {
                // Whoever erased them may have been stopped before the last copy was gone.
                let again = Erasure::new(person.clone(), person.clone(), self.traces(&tokens, person, &rows).await?);
                self.journal.erase(again, Vec::new()).await?;
                return match self.is_erased(&record, person) {
                    true => Ok(false),
                    false => refuse("nothing of this person is in the record: they are unknown, or were erased"),
                };
            }
            if rows.iter().any(|row| row.state.flying().is_some()) {
                return refuse("an attempt to this person is in flight: dispatch, and then erase");
            }
            let taken = |n: &u32| {
                let stand_in = format!("{STAND_IN}{n}");
                self.prepared.people().iter().any(|who| who.id() == stand_in)
            };
            let last = record.head.erased.keys().next_back().copied().unwrap_or(0);
            let number = (last.saturating_add(1)..u32::MAX).find(|n| !taken(n)).unwrap_or(u32::MAX);
            let Ok(stand_in) = StakeholderId::new(format!("{STAND_IN}{number}")) else {
                return refuse("nobody more can be erased");
            };
            let among = self.prepared.people().iter().zip(0..).find(|(who, _)| who.id() == person.as_str());
            let was = Erased::new(&self.prepared.digests().people, among.map(|(_, number)| number));
            let fact = HeadFact::Erased { number, was };
            let note = Note { by: Some(by.trim().to_owned()), ..Note::default() };
            let mut writes = vec![Write::new(Change::Head(vec![fact]), record.head_version).note(Some(note))];
            // Nothing that they do is waited for any more.
            for row in &rows {
                let nothing = Path::new(Assurance::Accepted, Vec::new());
                let facts = row.state.decide(&nothing, &DeliveryInput::Stop, self.clock.now());
                if !facts.is_empty() {
                    writes.push(Write::new(Change::Delivery(row.id, facts), row.version));
                }
            }
            let erasure = Erasure::new(person.clone(), stand_in, self.traces(&tokens, person, &rows).await?);
            if self.journal.erase(erasure, writes).await? {
                return Ok(true);
            }
        }
    }

    /// In every gate of the record, whether the plan still has it or not.
    async fn rows_of(&self, person: &StakeholderId) -> Result<Vec<Row>, DispatchError> {
        let mut rows = Vec::new();
        for gate in self.journal.gates().await? {
            if let Some(ordinal) = self.journal.ordinal(gate.no, person).await? {
                rows.extend(self.journal.read(&[crate::id::DeliveryId { gate: gate.no, ordinal }]).await?);
            }
        }
        Ok(rows)
    }

    /// Whether a person of the bundle was erased.
    fn is_erased(&self, record: &Record, person: &StakeholderId) -> bool {
        record.head.erased.keys().any(|number| self.who_was_erased(record, *number).is_some_and(|who| who == *person))
    }

    /// The person who was erased under a number, as long as the people are the same as then.
    pub(super) fn who_was_erased(&self, record: &Record, number: u32) -> Option<StakeholderId> {
        Some(self.prepared.people().get(self.number_of_erased(record, number)?)?.id)
    }

    /// Their number among the people of the bundle.
    pub(crate) fn number_of_erased(&self, record: &Record, number: u32) -> Option<u32> {
        let was = record.head.erased.get(&number)?;
        was.person.filter(|_| was.people == self.prepared.digests().people)
    }

    /// By what a raw receipt is known to be about this person: the tokens of their deliveries, and their addresses, as they are and as they were
    /// kept.
    async fn traces(
        &self,
        tokens: &Tokens,
        person: &StakeholderId,
        rows: &[Row],
    ) -> Result<Vec<String>, DispatchError> {
        let legs = |row: &Row| u8::try_from(row.state.legs.len()).unwrap_or(u8::MAX);
        let of_rows = rows.iter().flat_map(|row| (0..legs(row)).map(|leg| (row.id, leg)));
        let mut traces: Vec<String> = of_rows.map(|(id, leg)| tokens.mint(id, leg).as_str().to_owned()).collect();
        let people = self.prepared.people();
        if let Some(who) = people.iter().find(|who| who.id() == person.as_str()) {
            traces.extend(who.addresses().map(|(_, address)| address.to_owned()));
        }
        for row in rows {
            let kept = self.kept_at(row.id).await?;
            if let Some(Kept::Member { who, .. }) = kept.and_then(|text| Kept::read(row.id.ordinal, &text)) {
                traces.extend(who.addresses.into_values().map(|address| address.as_str().to_owned()));
            }
        }
        Ok(traces)
    }
}
