//! What is asked of a program apart from attempts: each a request with an answer that is heard to its end.

use super::ExecChannel;
use super::error::Mishap;
use super::hidden::Hidden;
use super::options::ExecOptions;
use super::process::{Process, code};
use super::wire::{Request, Said, What, read};
use async_trait::async_trait;
use relcomm_core::channel::{
    Answered, AttemptContext, ChannelError, ErrorKind, Found, Key, Lookup, ReceiptSource, Received,
};

/// Waits for a step, at most until the deadline or until it is called off.
async fn in_time<T>(cx: &AttemptContext, step: impl Future<Output = Result<T, Mishap>>) -> Result<T, Mishap> {
    tokio::select! {
        biased;
        done = step => done,
        () = cx.clock.sleep_until(cx.deadline) => Err(Mishap::Late),
        () = cx.cancellation.cancelled() => Err(Mishap::CalledOff),
    }
}

/// Asks, and hears the answer to its end: until it is done, or all that a program that only describes itself says.
pub(super) async fn ask(
    options: &ExecOptions,
    cx: &AttemptContext,
    hidden: &Hidden,
    what: What<'_>,
) -> Result<Vec<Said>, ChannelError> {
    let mut process = Process::start(options, &Request::new(what, cx.remaining()), hidden.clone(), cx)?;
    let mut all = Vec::new();
    loop {
        let Some(line) = in_time(cx, process.line()).await? else {
            return Err(Mishap::Died(process.end().await.and_then(code)).into());
        };
        match read(&line, hidden, |_| false)? {
            Said::Done => break,
            Said::AllFailed(error) => {
                process.end().await;
                return Err(error);
            }
            said => all.push(said),
        }
    }
    process.end().await;
    Ok(all)
}

/// Asks for one line in which it says what it is.
pub(super) async fn describe(
    options: &ExecOptions,
    cx: &AttemptContext,
    hidden: &Hidden,
) -> Result<Vec<u8>, ChannelError> {
    let mut process = Process::start(options, &Request::new(What::Describe, cx.remaining()), hidden.clone(), cx)?;
    let line = in_time(cx, process.line()).await?;
    let ended = process.end().await;
    Ok(line.ok_or_else(|| Mishap::Died(ended.and_then(code)))?)
}

fn foreign() -> ChannelError {
    Mishap::Breach("a line belongs to the answer to another request").into()
}

#[async_trait]
impl ReceiptSource for ExecChannel {
    async fn batch(&self, cx: &AttemptContext, max: usize) -> Result<Vec<Received>, ChannelError> {
        let said = ask(&self.options, cx, &self.hidden, What::Receipts { max }).await?;
        let received = said.into_iter().map(|said| match said {
            Said::Receipt(received) => Ok(received),
            _ => Err(foreign()),
        });
        received.collect()
    }

    async fn done(&self, cx: &AttemptContext, ids: &[String]) -> Result<(), ChannelError> {
        let said = ask(&self.options, cx, &self.hidden, What::ReceiptsDone { ids }).await?;
        if said.is_empty() { Ok(()) } else { Err(foreign()) }
    }
}

#[async_trait]
impl Lookup for ExecChannel {
    async fn lookup(&self, cx: &AttemptContext, key: &Key) -> Result<Answered, ChannelError> {
        let said = ask(&self.options, cx, &self.hidden, What::lookup(key)).await?;
        match said.as_slice() {
            [Said::Answered(answered)] => {
                let mut answered = answered.clone();
                if let Found::Found(assurance) = &mut answered.found {
                    *assurance = (*assurance).min(self.capabilities.proves);
                }
                Ok(answered)
            }
            _ => Err(ChannelError::new(ErrorKind::Protocol, "the program does not answer a lookup with one line")),
        }
    }
}
