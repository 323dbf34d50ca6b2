//! The conversation about one attempt.

use super::error::Mishap;
use super::hidden::Hidden;
use super::process::{Process, code};
use super::wire::{Go, Said, read};
use relcomm_core::channel::{AttemptContext, ChannelError, ErrorKind, Outcome, Outcomes, Retry, Scope};
use relcomm_core::receipt::Assurance;

/// What is fixed during an attempt.
pub(super) struct Attempt<'a> {
    pub(super) cx: &'a AttemptContext,
    pub(super) hidden: &'a Hidden,
    /// The most that may be claimed.
    pub(super) proves: Assurance,
}

impl Attempt<'_> {
    /// Hears the program out. An error speaks for whoever has no outcome.
    pub(super) async fn converse(&self, mut process: Process, outcomes: &mut Outcomes) -> Result<(), ChannelError> {
        match self.hear(&mut process, outcomes).await {
            Ok(()) => {
                process.end().await;
                Ok(())
            }
            Err(End::Silence) => Err(Mishap::Died(process.end().await.and_then(code)).into()),
            Err(End::Said(error)) => {
                process.end().await;
                Err(error)
            }
            // It is no longer wanted: that it is dropped kills it.
            Err(End::Mishap(mishap)) => Err(mishap.into()),
        }
    }

    async fn hear(&self, process: &mut Process, outcomes: &mut Outcomes) -> Result<(), End> {
        loop {
            let called_off = self.cx.cancellation.is_cancelled();
            let crossed = (0..outcomes.len()).any(|i| outcomes.is_crossed(i));
            if called_off && !crossed {
                return Err(Mishap::CalledOff.into());
            }
            let line = tokio::select! {
                biased;
                line = process.line() => line?,
                () = self.cx.clock.sleep_until(self.cx.deadline) => return Err(Mishap::Late.into()),
                // Back to where it is seen whether anything has crossed.
                () = self.cx.cancellation.cancelled(), if !called_off => continue,
            };
            let Some(line) = line else {
                let all = (0..outcomes.len()).all(|i| outcomes.is_set(i));
                return if all { Ok(()) } else { Err(End::Silence) };
            };
            let said = read(&line, self.hidden, |item| outcomes.is_crossed(item))?;
            // Asked anew: it may have been called off while the line was on its way.
            if self.take(said, process, outcomes, self.cx.cancellation.is_cancelled())? {
                return Ok(());
            }
        }
    }

    /// Takes what was said; whether that was all.
    fn take(&self, said: Said, process: &mut Process, outcomes: &mut Outcomes, called_off: bool) -> Result<bool, End> {
        match said {
            Said::Crossing(item) => {
                open(item, outcomes)?;
                if outcomes.is_crossed(item) {
                    return Err(Mishap::Breach("an item crosses twice").into());
                }
                if called_off {
                    outcomes.set(item, Outcome::Failed(Mishap::CalledOff.into()));
                } else {
                    outcomes.crossing(item);
                }
                process.say(&Go { item, go: !called_off })?;
            }
            Said::Accepted(item, mut accepted) => {
                open(item, outcomes)?;
                if !outcomes.is_crossed(item) {
                    // It is out, and nobody was told before: the next time that may be seen too late.
                    outcomes.crossing(item);
                    return Err(Mishap::Breach("an item is accepted that has not crossed").into());
                }
                accepted.assurance = accepted.assurance.min(self.proves);
                outcomes.set(item, Outcome::Accepted(accepted));
            }
            Said::Failed(item, error) => {
                open(item, outcomes)?;
                outcomes.set(item, Outcome::Failed(error));
            }
            Said::AllFailed(error) => return Err(End::Said(error)),
            Said::Done => {
                let left = (0..outcomes.len()).any(|i| !outcomes.is_set(i));
                return if left {
                    Err(Mishap::Breach("it is done, and has not answered for every item").into())
                } else {
                    Ok(true)
                };
            }
            Said::Finding { .. } | Said::Answered(_) | Said::Receipt(_) => {
                return Err(Mishap::Breach("a line belongs to the answer to another request").into());
            }
        }
        Ok(false)
    }
}

/// Whether the item is there and has no outcome.
fn open(item: usize, outcomes: &Outcomes) -> Result<(), Mishap> {
    if item >= outcomes.len() {
        return Err(Mishap::Breach("a line names an item that there is not"));
    }
    if outcomes.is_set(item) {
        return Err(Mishap::Breach("an item is answered twice"));
    }
    Ok(())
}

/// Why an attempt ended before all was said.
enum End {
    Mishap(Mishap),
    /// The program says so for all.
    Said(ChannelError),
    /// Its output has ended.
    Silence,
}

impl From<Mishap> for End {
    fn from(mishap: Mishap) -> Self {
        Self::Mishap(mishap)
    }
}

/// What ends a wait for a free place among the calls.
pub(super) fn closed() -> ChannelError {
    ChannelError::new(ErrorKind::Internal, "the channel is closed").scope(Scope::Channel).retry(Retry::Backoff)
}
