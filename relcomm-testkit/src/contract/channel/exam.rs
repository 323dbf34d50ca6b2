//! What the clauses share: letters, attempts judged as the engine judges them, and waits that are bounded.

use super::fault::{CannotShow, Fault, Plot};
use super::fixture::{Arrival, ChannelFixture, FarSide, Trial};
use relcomm_core::channel::{
    About, AttemptContext, Batch, Channel, ChannelError, Effect, ErrorKind, Key, Outcome, Outcomes, Outgoing, Prepared,
    Wording,
};
use relcomm_core::document::Document;
use relcomm_core::id::{CommuniqueId, PlanId};
use relcomm_core::receipt::Token;
use relcomm_core::stakeholder::Address;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Why a clause ended before its end.
pub(super) enum Stop {
    Broken(String),
    NotApplicable(String),
}

impl From<CannotShow> for Stop {
    fn from(reason: CannotShow) -> Self {
        Self::NotApplicable(reason.to_string())
    }
}

/// How a clause ended.
pub(super) type Held = Result<(), Stop>;

/// Ends the clause as broken if the condition does not hold.
macro_rules! ensure {
    ($condition:expr, $($words:tt)+) => {
        if !$condition {
            return Err($crate::contract::channel::exam::Stop::Broken(format!($($words)+)));
        }
    };
}
pub(super) use ensure;

/// Longer than anything takes that ends by itself; short enough to wait for.
const PATIENCE: Duration = Duration::from_secs(20);
/// The time of an attempt whose far side works, or that is ended by the clause.
pub(super) const AMPLE: Duration = Duration::from_secs(15);
/// How long is waited for what must not come.
const QUIET: Duration = Duration::from_millis(150);
const TURN: Duration = Duration::from_millis(1);

/// A clause at work on a fixture.
pub(super) struct Exam<'a> {
    pub(super) fixture: &'a dyn ChannelFixture,
    pub(super) far_side: FarSide,
    left_out: Mutex<Vec<String>>,
}

/// Something to deliver: words that no other letter has, and keys of its own.
pub(super) struct Letter {
    pub(super) mark: String,
    pub(super) wording: Wording,
    pub(super) message_key: Key,
    pub(super) items: Vec<Outgoing>,
}

impl Letter {
    pub(super) fn item(&self) -> &Outgoing {
        // A letter is made for at least one.
        self.items.first().unwrap_or_else(|| unreachable!("a letter to nobody"))
    }

    /// The same once more, as the engine tries again.
    pub(super) fn again(&self) -> Self {
        let items = self.items.iter().map(|item| item.clone().attempt(item.attempt + 1)).collect();
        Self { mark: self.mark.clone(), wording: self.wording.clone(), message_key: self.message_key, items }
    }

    /// With this text instead.
    pub(super) fn saying(mut self, wording: Wording) -> Self {
        self.wording = wording;
        self
    }
}

/// An attempt that has ended, or was ended.
pub(super) struct Flown {
    pub(super) said: Option<Result<(), ChannelError>>,
    pub(super) slots: Outcomes,
}

impl Flown {
    /// How it ended for each, as the engine reads it.
    pub(super) fn outcomes(self) -> Vec<Outcome> {
        let left_open = matches!(self.said, Some(Ok(())));
        let error = match self.said {
            Some(Err(error)) => error,
            Some(Ok(())) => ChannelError::new(ErrorKind::Internal, "the channel left the outcome open"),
            None => ChannelError::new(ErrorKind::Internal, "the call was dropped"),
        };
        let settled = self.slots.settle(|crossed| {
            let mut error = error.clone();
            error.effect = if crossed || left_open { Effect::MaybeSent } else { Effect::NotSent };
            Outcome::Failed(error)
        });
        settled.collect()
    }

    /// How it ended for the first.
    pub(super) fn outcome(self) -> Outcome {
        self.outcomes().into_iter().next().unwrap_or_else(|| unreachable!("there is an outcome for each item"))
    }
}

impl<'a> Exam<'a> {
    pub(super) fn new(fixture: &'a dyn ChannelFixture) -> Self {
        Self { fixture, far_side: fixture.far_side(), left_out: Mutex::default() }
    }

    /// Says that a part of the clause cannot be judged.
    pub(super) fn leave_out(&self, what: impl Into<String>) {
        self.left_out.lock().unwrap_or_else(PoisonError::into_inner).push(what.into());
    }

    pub(super) fn into_left_out(self) -> Vec<String> {
        self.left_out.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn well(&self) -> Result<Trial, Stop> {
        Ok(self.fixture.set_up(Plot::well()).await?)
    }

    /// A trial whose far side takes messages, or the end of the clause.
    pub(super) async fn delivering(&self) -> Result<Trial, Stop> {
        let trial = self.well().await?;
        if trial.channel.capabilities().by_hand {
            return Err(Stop::NotApplicable("a person does the work: nothing reaches a far side".into()));
        }
        Ok(trial)
    }

    /// A trial with this plot; `None`, and left out, if it cannot be shown.
    pub(super) async fn showing(&self, plot: Plot) -> Option<Trial> {
        match self.fixture.set_up(plot).await {
            Ok(trial) => Some(trial),
            Err(reason) => {
                let fault = plot.fault().map(|fault| fault.to_string()).unwrap_or_default();
                self.leave_out(format!("{fault}: {reason}"));
                None
            }
        }
    }

    /// A trial with this plot, for clauses that take what there is.
    pub(super) async fn showing_quietly(&self, plot: Plot) -> Option<Trial> {
        self.fixture.set_up(plot).await.ok()
    }

    /// The address of the n-th recipient.
    pub(super) fn address(&self, n: usize) -> Option<Address> {
        let all = &self.far_side.addresses;
        Some(address(all.get(n.checked_rem(all.len())?)?))
    }

    /// The address that is refused.
    pub(super) fn refused(&self) -> Option<Address> {
        self.far_side.refused.as_deref().map(address)
    }

    /// A letter of this number to one recipient.
    pub(super) fn letter(&self, n: usize) -> Letter {
        self.letter_to(n, [self.address(n)])
    }

    /// A letter of this number to these.
    pub(super) fn letter_to(&self, n: usize, to: impl IntoIterator<Item = Option<Address>>) -> Letter {
        let mark = format!("quillmark{n:04}x");
        let items = to.into_iter().enumerate().map(|(i, address)| {
            let key = Key::of([b"contract".as_slice(), mark.as_bytes(), &[u8::try_from(i).unwrap_or(u8::MAX)]]);
            // As long as a token can be.
            Outgoing::new(key, Token::new(format!("v1-{key}-{mark:a>18}")), address)
                .name(Some(format!("Quilla Namesake{n:04}")))
        });
        let message_key = Key::of([b"message".as_slice(), mark.as_bytes()]);
        let wording = wording(&format!("Live: {mark}"), &format!("It is live. {mark}\n\nAll is well."), &mark);
        Letter { items: items.collect(), mark, wording, message_key }
    }

    pub(super) fn prepared(&self, channel: &dyn Channel, letter: &Letter) -> Result<Prepared, Stop> {
        channel.prepare(&letter.wording).map_err(|findings| {
            let told = findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            Stop::Broken(format!("a short text cannot be prepared: {told}"))
        })
    }

    pub(super) fn context(&self, time: Duration) -> AttemptContext {
        AttemptContext::new(self.fixture.clock(), time)
    }

    /// One attempt with ample time.
    pub(super) async fn attempt(&self, channel: &dyn Channel, letter: &Letter) -> Result<Flown, Stop> {
        self.attempt_in(channel, &self.context(AMPLE), letter).await
    }

    /// One attempt with the time that this fault needs.
    pub(super) async fn attempt_under(&self, fault: Fault, trial: &Trial, letter: &Letter) -> Result<Flown, Stop> {
        let time = if fault.is_silence() { self.fixture.silence() } else { AMPLE };
        self.attempt_in(&*trial.channel, &self.context(time), letter).await
    }

    /// One attempt, which must end by itself.
    pub(super) async fn attempt_in(
        &self,
        channel: &dyn Channel,
        cx: &AttemptContext,
        letter: &Letter,
    ) -> Result<Flown, Stop> {
        let never = std::future::pending::<()>();
        self.attempt_until(channel, cx, letter, never).await
    }

    /// One attempt, which is dropped when `end` is there.
    pub(super) async fn attempt_until(
        &self,
        channel: &dyn Channel,
        cx: &AttemptContext,
        letter: &Letter,
        end: impl Future<Output = ()>,
    ) -> Result<Flown, Stop> {
        let text = self.prepared(channel, letter)?;
        let mut slots = Outcomes::new(letter.items.len());
        let said = {
            let batch = Batch::new(&text, &letter.message_key, &letter.items);
            let attempt = channel.attempt(cx, &batch, &mut slots);
            tokio::select! {
                biased;
                said = attempt => Some(said),
                () = end => None,
                () = tokio::time::sleep(PATIENCE) => {
                    return Err(Stop::Broken(format!("an attempt has not ended after {PATIENCE:?}")));
                }
            }
        };
        Ok(Flown { said, slots })
    }

    /// One attempt with ample time that must be accepted.
    pub(super) async fn accepted(&self, trial: &Trial, letter: &Letter, when: &str) -> Held {
        let outcomes = self.attempt(&*trial.channel, letter).await?.outcomes();
        for outcome in &outcomes {
            ensure!(matches!(outcome, Outcome::Accepted(_)), "{when}: {outcome:?}, where the far side takes it over");
        }
        Ok(())
    }
}

fn address(text: &str) -> Address {
    Address::new(text).unwrap_or_else(|error| panic!("an address of the fixture: {error}"))
}

/// Waits until it is so, or as long as it is reasonable.
pub(super) async fn until(so: impl Fn() -> bool) {
    let look = async {
        while !so() {
            tokio::time::sleep(TURN).await;
        }
    };
    let _ = tokio::time::timeout(PATIENCE / 2, look).await;
}

/// Lets pass the time in which what must not come would come.
pub(super) async fn quiet() {
    tokio::time::sleep(QUIET).await;
}

/// Words from a subject, a text in Markdown and a short text.
pub(super) fn wording(subject: &str, markdown: &str, short: &str) -> Wording {
    let plan = PlanId::new("anvil-2.0.0").unwrap_or_else(|error| panic!("{error}"));
    let communique = CommuniqueId::new("live").unwrap_or_else(|error| panic!("{error}"));
    let document = Document::from_markdown(markdown).unwrap_or_else(|error| panic!("{error}"));
    Wording::new(About::new(plan, "Anvil", "2.0.0", communique), subject, document, short)
}

/// What arrived of the letter.
pub(super) fn arrived(trial: &Trial, letter: &Letter) -> Vec<Arrival> {
    trial.arrivals().into_iter().filter(|arrival| arrival.text.contains(&letter.mark)).collect()
}
