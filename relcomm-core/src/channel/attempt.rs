//! One attempt: what a channel is given, and how it answers for each recipient.

use super::{ChannelError, Key, Prepared};
use crate::clock::{Clock, Moment};
use crate::id::DeliveryId;
use crate::receipt::{Assurance, Token};
use crate::stakeholder::Address;
use serde::{Deserialize, Serialize};
use smallvec::{SmallVec, smallvec};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What surrounds an attempt: until when it may take, what calls it off, and the time.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AttemptContext {
    /// When the attempt must have ended, in the clock's time.
    pub deadline: Moment,
    /// Cancelled when the engine wants to stop: begin nothing new, finish what has crossed.
    pub cancellation: CancellationToken,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl AttemptContext {
    /// A context that ends after `timeout` of the clock's time.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, timeout: Duration) -> Self {
        Self { deadline: clock.now() + timeout, cancellation: CancellationToken::new(), clock }
    }

    /// With this cancellation.
    #[must_use]
    pub fn cancellation(mut self, token: CancellationToken) -> Self {
        self.cancellation = token;
        self
    }

    /// How much time is left; zero after the deadline.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.deadline.since(self.clock.now())
    }
}

/// One text for one or more recipients.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Batch<'a> {
    /// What goes out.
    pub text: &'a Prepared,
    /// The key of the message, the same for all recipients and on every attempt: Message-ID, ENVID, `UID`.
    pub message_key: &'a Key,
    /// The recipients; never empty, and at most as many as the capabilities say.
    pub items: &'a [Outgoing],
}

impl<'a> Batch<'a> {
    /// One text for these recipients.
    #[must_use]
    pub fn new(text: &'a Prepared, message_key: &'a Key, items: &'a [Outgoing]) -> Self {
        Self { text, message_key, items }
    }
}

impl fmt::Debug for Batch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("message_key", self.message_key)
            .field("items", &self.items.len())
            .finish_non_exhaustive()
    }
}

/// One recipient of an attempt.
#[derive(Clone)]
#[non_exhaustive]
pub struct Outgoing {
    /// The key of the delivery, the same on every attempt.
    pub key: Key,
    /// The number of the try, from 1.
    pub attempt: u32,
    /// Where to; `None` only where the mechanism is addressed once and the binding is the address.
    pub address: Option<Address>,
    /// The recipient's name, if known; without control characters.
    pub name: Option<String>,
    mark: Mark,
}

/// Signs marks.
pub(crate) trait Mint: Send + Sync {
    fn mint(&self, id: DeliveryId, leg: u8) -> Token;
}

/// A mark, or what it takes to make it: few channels ask for one, and a signature is not for nothing.
#[derive(Clone)]
enum Mark {
    Made(Token),
    Unmade(Arc<dyn Mint>, DeliveryId, u8),
}

impl Outgoing {
    /// The first attempt under this key, to this address.
    #[must_use]
    pub fn new(key: Key, token: Token, address: Option<Address>) -> Self {
        Self { key, attempt: 1, address, name: None, mark: Mark::Made(token) }
    }

    /// The same, with the mark of this delivery and leg.
    pub(crate) fn marked(key: Key, by: Arc<dyn Mint>, id: DeliveryId, leg: u8, address: Option<Address>) -> Self {
        Self { key, attempt: 1, address, name: None, mark: Mark::Unmade(by, id, leg) }
    }

    /// The signed mark that a receipt brings back. It is made when it is asked for.
    #[must_use]
    pub fn token(&self) -> Token {
        match &self.mark {
            Mark::Made(token) => token.clone(),
            Mark::Unmade(by, id, leg) => by.mint(*id, *leg),
        }
    }

    /// The try of this number.
    #[must_use]
    pub fn attempt(mut self, number: u32) -> Self {
        self.attempt = number;
        self
    }

    /// For a recipient of this name.
    #[must_use]
    pub fn name(mut self, name: Option<String>) -> Self {
        self.name = name;
        self
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("key", &self.key).field("attempt", &self.attempt).finish_non_exhaustive()
    }
}

/// How an attempt ended for one recipient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The far side took it over.
    Accepted(Accepted),
    /// It did not, or nobody knows.
    Failed(ChannelError),
}

/// What the far side said when it took the message over.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Accepted {
    /// What that proves; `attempted` for a task that a person has still to do.
    pub assurance: Assurance,
    /// The far side's name for it: a queue id, a message id.
    pub reference: Option<String>,
    /// Where it can be seen.
    pub url: Option<String>,
}

impl Accepted {
    /// Taken over, with this proved.
    #[must_use]
    pub fn new(assurance: Assurance) -> Self {
        Self { assurance, reference: None, url: None }
    }

    /// Under this name, held to 200 characters without control characters.
    #[must_use]
    pub fn reference(mut self, reference: impl AsRef<str>) -> Self {
        self.reference = Some(within(reference.as_ref(), REFERENCE));
        self
    }

    /// To be seen there, held to 500 characters without control characters.
    #[must_use]
    pub fn url(mut self, url: impl AsRef<str>) -> Self {
        self.url = Some(within(url.as_ref(), URL));
        self
    }
}

/// The longest name and the longest address of a far side's that are kept, in characters.
pub(super) const REFERENCE: usize = 200;
pub(super) const URL: usize = 500;

/// What a far side says, without control characters.
pub(super) fn within(said: &str, most: usize) -> String {
    said.chars().filter(|c| !c.is_control()).take(most).collect()
}

impl fmt::Debug for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accepted").field("assurance", &self.assurance).finish_non_exhaustive()
    }
}

/// One write-once slot for each recipient of an attempt. It lives outside the attempt's future, so that what is known survives it.
#[derive(Debug)]
pub struct Outcomes {
    slots: SmallVec<[Slot; 1]>,
}

#[derive(Clone, Debug, PartialEq)]
enum Slot {
    Open,
    Crossed,
    Set(Outcome),
}

impl Outcomes {
    /// Open slots for `n` recipients.
    #[must_use]
    pub fn new(n: usize) -> Self {
        Self { slots: smallvec![Slot::Open; n] }
    }

    /// How many slots there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The next act may put the message of recipient `i` on its way. Of no effect on a slot that is set, or out of range.
    pub fn crossing(&mut self, i: usize) {
        if let Some(slot @ Slot::Open) = self.slots.get_mut(i) {
            *slot = Slot::Crossed;
        }
    }

    /// The outcome for recipient `i` is known. The first one stands; a later one, or one out of range, is dropped.
    pub fn set(&mut self, i: usize, outcome: Outcome) {
        if let Some(slot) = self.slots.get_mut(i)
            && !matches!(slot, Slot::Set(_))
        {
            *slot = Slot::Set(outcome);
        }
    }

    /// Whether the outcome for recipient `i` is set.
    #[must_use]
    pub fn is_set(&self, i: usize) -> bool {
        matches!(self.slots.get(i), Some(Slot::Set(_)))
    }

    /// Whether recipient `i` is crossed and not set.
    #[must_use]
    pub fn is_crossed(&self, i: usize) -> bool {
        matches!(self.slots.get(i), Some(Slot::Crossed))
    }

    /// Takes all outcomes; `unset(crossed)` speaks for those that are not set.
    pub fn settle(self, mut unset: impl FnMut(bool) -> Outcome) -> impl Iterator<Item = Outcome> {
        self.slots.into_iter().map(move |slot| match slot {
            Slot::Open => unset(false),
            Slot::Crossed => unset(true),
            Slot::Set(outcome) => outcome,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::ErrorKind;

    #[test]
    fn an_outcome_is_written_once_and_a_crossing_does_not_undo_it() {
        let accepted = Outcome::Accepted(Accepted::new(Assurance::Accepted));
        let failed = Outcome::Failed(ChannelError::new(ErrorKind::Timeout, ""));
        let mut outcomes = Outcomes::new(3);
        outcomes.set(0, accepted.clone());
        outcomes.set(0, failed.clone());
        outcomes.crossing(0);
        outcomes.crossing(1);
        outcomes.crossing(9);
        outcomes.set(9, failed.clone());
        assert!(outcomes.is_set(0) && outcomes.is_crossed(1) && !outcomes.is_crossed(2));
        let mut asked = Vec::new();
        let all: Vec<_> = outcomes
            .settle(|crossed| {
                asked.push(crossed);
                failed.clone()
            })
            .collect();
        assert_eq!((all, asked), (vec![accepted, failed.clone(), failed], vec![true, false]));
    }
}
