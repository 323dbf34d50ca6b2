//! One call of a channel, bounded in time, whatever the channel does.

use super::flights::Limit;
use crate::channel::{
    Answered, AttemptContext, Batch, Channel, ChannelError, ErrorKind, Found, Key, Outcome, Outcomes, Outgoing,
    Prepared, Retry,
};
use crate::id::{DeliveryId, LaneNo};
use crate::journal::{Note, Row};
use futures_util::FutureExt;
use smallvec::SmallVec;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

/// Most calls are for one recipient.
pub(super) type One<T> = SmallVec<[T; 1]>;

/// A call that has ended.
pub(super) enum Landing {
    /// An attempt: what was leased, and how it ended for each.
    Attempt { lane: LaneNo, rows: One<(Row, u8)>, outcomes: One<Outcome>, said: Option<Arc<Note>> },
    /// What was leased of which the bundle has no step.
    Gone { row: Row, leg: u8 },
    /// A question about a leg in doubt.
    Answer { id: DeliveryId, leg: u8, asked: u8, answered: Answered },
}

/// All that one attempt takes with it.
pub(super) struct Flight {
    pub(super) channel: Arc<dyn Channel>,
    pub(super) lane: LaneNo,
    pub(super) text: Arc<Prepared>,
    /// What is noted of an attempt to which the far side adds nothing.
    pub(super) said: Arc<Note>,
    pub(super) message_key: Key,
    pub(super) items: One<Outgoing>,
    pub(super) rows: One<(Row, u8)>,
}

impl Flight {
    // An `async fn` would hold what it is given twice.
    #[expect(clippy::manual_async_fn, reason = "half the size, and every delivery moves it")]
    pub(super) fn fly(self, cx: Arc<AttemptContext>, limit: Arc<Limit>) -> impl Future<Output = Landing> + Send {
        async move {
            let mut outcomes = Outcomes::new(self.items.len());
            let ended = {
                let batch = Batch::new(&self.text, &self.message_key, &self.items);
                // The channel itself, not the pointer to it: that would box the future once more.
                let attempt = (*self.channel).attempt(&cx, &batch, &mut outcomes);
                // A panic of a channel is its breach of contract, and no reason to lose what is known of the others.
                match limit.on(AssertUnwindSafe(attempt).catch_unwind()).await {
                    Some(Ok(ended)) => ended,
                    Some(Err(_)) => {
                        Err(ChannelError::new(ErrorKind::Internal, "the channel panicked").retry(Retry::Backoff))
                    }
                    None => Err(ChannelError::new(ErrorKind::Timeout, "no answer in time").retry(Retry::Backoff)),
                }
            };
            let outcomes = settle(outcomes, ended);
            Landing::Attempt { lane: self.lane, rows: self.rows, outcomes, said: Some(self.said) }
        }
    }
}

/// Speaks for the recipients whose outcome the channel did not set.
fn settle(outcomes: Outcomes, ended: Result<(), ChannelError>) -> One<Outcome> {
    let error = ended.err();
    // A channel that says that all is well and leaves an outcome open breaks its contract: nobody knows what it did.
    let left_open =
        || ChannelError::new(ErrorKind::Internal, "the channel left the outcome open").retry(Retry::Backoff);
    let mut all = One::new();
    for outcome in outcomes.settle(|crossed| {
        Outcome::Failed(match &error {
            None => left_open().maybe_sent(),
            Some(error) if crossed => error.clone().maybe_sent(),
            Some(error) => not_sent(error.clone()),
        })
    }) {
        all.push(outcome);
    }
    all
}

/// What a channel says of those who had not crossed: whatever it thinks, they were not sent to.
fn not_sent(mut error: ChannelError) -> ChannelError {
    error.effect = crate::channel::Effect::NotSent;
    error
}

/// Asks a channel about an earlier attempt.
pub(super) async fn ask(
    channel: Arc<dyn Channel>,
    key: Key,
    (id, leg, asked): (DeliveryId, u8, u8),
    cx: AttemptContext,
    limit: Arc<Limit>,
) -> Landing {
    let answered = match channel.lookup() {
        Some(lookup) => {
            let question = AssertUnwindSafe(lookup.lookup(&cx, &key)).catch_unwind();
            limit.on(question).await.and_then(Result::ok).and_then(Result::ok).unwrap_or(Found::Unknown.into())
        }
        None => Found::Unknown.into(),
    };
    Landing::Answer { id, leg, asked, answered }
}
