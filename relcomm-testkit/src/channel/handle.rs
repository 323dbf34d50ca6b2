//! A channel that the test answers, attempt by attempt, when each comes.

use super::{Answer, Seen};
use std::fmt;
use tokio::sync::{mpsc, oneshot};

/// The test's end of a channel: every attempt waits here until the test answers it.
///
/// What a script cannot say, since it depends on what else has happened by then, is said here at the moment of the call. Once the handle
/// is dropped, attempts are never answered.
///
/// ```
/// # use relcomm_core::channel::{AttemptContext, Batch, Channel, Key, Outcomes, Outgoing, Prepared};
/// # use relcomm_core::{clock::SystemClock, receipt::{Assurance, Token}, stakeholder::Address};
/// # use relcomm_testkit::channel::{Answer, ScriptedChannel};
/// # use std::{sync::Arc, time::Duration};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (mail, mut handle) = ScriptedChannel::new("smtp").handled();
/// # let (text, key) = (Prepared::new([]), Key::of([b"a".as_slice()]));
/// # let items = [Outgoing::new(key, Token::new("t"), Address::new("al@anvil.example").ok())];
/// # let cx = AttemptContext::new(Arc::new(SystemClock::new()), Duration::from_secs(60));
/// # let mut outcomes = Outcomes::new(1);
/// # let batch = Batch::new(&text, &key, &items);
/// let flight = mail.attempt(&cx, &batch, &mut outcomes);
/// let test = async {
///     let call = handle.next().await;
///     assert_eq!((call.seen().address.as_str(), call.seen().attempt), ("al@anvil.example", 1));
///     // … whatever must have happened before the answer …
///     assert!(call.answer(Answer::Accept(Assurance::Accepted)));
/// };
/// let (ended, ()) = tokio::join!(flight, test);
/// # ended.unwrap();
/// # assert!(outcomes.is_set(0) && handle.waiting().is_none());
/// # }
/// ```
#[derive(Debug)]
pub struct Handle {
    calls: mpsc::UnboundedReceiver<Call>,
}

/// The channel's end.
pub(super) type Asking = mpsc::UnboundedSender<Call>;

/// One attempt that waits for its answer. If it is dropped, the attempt is never answered.
pub struct Call {
    seen: Seen,
    answer: oneshot::Sender<Answer>,
}

pub(super) fn pair() -> (Asking, Handle) {
    let (asking, calls) = mpsc::unbounded_channel();
    (asking, Handle { calls })
}

/// Lets the test answer.
pub(super) async fn ask(asking: &Asking, seen: Seen) -> Answer {
    let (answer, answered) = oneshot::channel();
    // A test that has gone, or lets the call go, leaves the attempt without an answer.
    let _ = asking.send(Call { seen, answer });
    answered.await.unwrap_or(Answer::Hang)
}

impl Handle {
    /// Waits for the next attempt.
    ///
    /// # Panics
    /// If the channel and all its clones are gone: no attempt can come any more.
    pub async fn next(&mut self) -> Call {
        self.calls.recv().await.unwrap_or_else(|| panic!("the channel is gone: no attempt comes any more"))
    }

    /// The next attempt, if one is waiting already.
    pub fn waiting(&mut self) -> Option<Call> {
        self.calls.try_recv().ok()
    }
}

impl Call {
    /// What the channel was given.
    #[must_use]
    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Answers it; `false` if the attempt was dropped meanwhile.
    pub fn answer(self, answer: Answer) -> bool {
        self.answer.send(answer).is_ok()
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Call").field(&self.seen).finish()
    }
}
