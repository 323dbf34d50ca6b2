//! C12 to C17: what a channel makes of faults.

use super::delivery::is_maybe;
use crate::contract::channel::exam::{AMPLE, Exam, Held, Stop, arrived, ensure, quiet, until};
use crate::contract::channel::fault::{Fault, Plot, Sent};
use relcomm_core::channel::{AttemptContext, ChannelError, Effect, ErrorKind, Outcome, Retry, Scope};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub(in crate::contract::channel) async fn c12_each_fault_is_told_as_what_it_is(exam: &Exam<'_>) -> Held {
    let mut shown = 0;
    for fault in Fault::ALL {
        // A limit that is announced has a clause of its own.
        if fault == Fault::SmallLimit {
            continue;
        }
        let Some(trial) = exam.showing(Plot::failing(fault)).await else { continue };
        shown += 1;
        let letter = exam.letter(0);
        let outcome = exam.attempt_under(fault, &trial, &letter).await?.outcome();
        let expected = fault.expected(trial.channel.capabilities());
        let Outcome::Failed(error) = &outcome else {
            ensure!(expected.or_accepted, "{fault} counts as accepted");
            continue;
        };
        ensure!(fault != Fault::SlowAnswer, "{fault} counts as failed: {error:?}");
        let right = expected.kinds.is_empty() || expected.kinds.contains(&error.kind);
        ensure!(right, "{fault} is a matter of {:?}, and told as {error:?}", expected.kinds);
        ensure!(
            expected.scopes.contains(&error.scope),
            "{fault} reaches {:?}, and is told as {error:?}",
            expected.scopes
        );
        // A message of which the answer was lost is the matter of the next clause.
        let effect =
            expected.effect == Sent::Either || (error.effect == Effect::MaybeSent) == (expected.effect == Sent::Maybe);
        ensure!(effect || fault.keeps_message(), "{fault}: whether it may be out is told wrongly: {error:?}");
        ensure!(expected.again.fits(error.retry), "{fault}: the next try makes sense {:?}: {error:?}", expected.again);
        if fault == Fault::Redirect {
            quiet().await;
            ensure!(trial.calls() == 1, "what was meant for one is taken to where it points");
        }
    }
    if let Some(refused) = exam.refused() {
        shown += 1;
        let trial = exam.well().await?;
        let outcome = exam.attempt(&*trial.channel, &exam.letter_to(1, [Some(refused)])).await?.outcome();
        let Outcome::Failed(error) = outcome else {
            return Err(Stop::Broken("a refused address counts as accepted".into()));
        };
        ensure!(refuses_recipient(&error), "a refused address is no final refusal of the recipient: {error:?}");
    } else {
        exam.leave_out("a refused address: the fixture knows none");
    }
    if shown == 0 {
        return Err(Stop::NotApplicable("the far side cannot be made to fail".into()));
    }
    Ok(())
}

fn refuses_recipient(error: &ChannelError) -> bool {
    let kinds = [ErrorKind::RecipientInvalid, ErrorKind::EndpointGone, ErrorKind::RecipientOptedOut, ErrorKind::Policy];
    let final_word = (error.scope, error.effect, error.retry) == (Scope::Recipient, Effect::NotSent, Retry::Never);
    kinds.contains(&error.kind) && final_word
}

pub(in crate::contract::channel) async fn c13_a_lost_answer_is_maybe_sent(exam: &Exam<'_>) -> Held {
    let mut shown = 0;
    for fault in [Fault::LoseAnswer, Fault::StallAccepted, Fault::TruncatedAnswer] {
        let Some(trial) = exam.showing(Plot::failing(fault)).await else { continue };
        shown += 1;
        let letter = exam.letter(0);
        let outcome = exam.attempt_under(fault, &trial, &letter).await?.outcome();
        ensure!(!arrived(&trial, &letter).is_empty(), "{fault}: the far side of the fixture has not got the message");
        let accepted = fault == Fault::TruncatedAnswer && matches!(outcome, Outcome::Accepted(_));
        ensure!(accepted || is_maybe(&outcome), "{fault}: the message is out, and its outcome is {outcome:?}");
    }
    if shown == 0 {
        return Err(Stop::NotApplicable("the far side cannot lose an answer".into()));
    }
    Ok(())
}

/// Contexts in which nothing may begin: called off, and out of time.
fn closed_contexts(exam: &Exam<'_>) -> [(&'static str, AttemptContext); 2] {
    let token = CancellationToken::new();
    token.cancel();
    let called_off = exam.context(Duration::from_secs(15)).cancellation(token);
    [("called off before it began", called_off), ("out of time before it began", exam.context(Duration::ZERO))]
}

pub(in crate::contract::channel) async fn c14_crossing_is_not_marked_too_early(exam: &Exam<'_>) -> Held {
    let trial = exam.delivering().await?;
    let letter = exam.letter(0);
    for (when, cx) in closed_contexts(exam) {
        let flown = exam.attempt_in(&*trial.channel, &cx, &letter).await?;
        ensure!(!flown.slots.is_crossed(0), "{when}: it counts as crossed");
        let outcome = flown.outcome();
        ensure!(!is_maybe(&outcome), "{when}: it counts as maybe sent: {outcome:?}");
    }
    if let Some(trial) = exam.showing(Plot::failing(Fault::StallEarly)).await {
        let end = async {
            until(|| trial.calls() > 0).await;
            quiet().await;
        };
        let flown = exam.attempt_until(&*trial.channel, &exam.context(AMPLE), &letter, end).await?;
        ensure!(!flown.slots.is_crossed(0), "it counts as crossed while the far side certainly has nothing of it");
    }
    if let Some(trial) = exam.showing(Plot::failing(Fault::CutEarly)).await {
        let flown = exam.attempt(&*trial.channel, &letter).await?;
        ensure!(!flown.slots.is_crossed(0), "it counts as crossed, though the connection was cut before");
    }
    Ok(())
}

pub(in crate::contract::channel) async fn c15_crossing_is_not_marked_too_late(exam: &Exam<'_>) -> Held {
    exam.delivering().await?;
    let trial = exam.fixture.set_up(Plot::failing(Fault::StallAccepted)).await?;
    let letter = exam.letter(0);
    let end = until(|| !arrived(&trial, &letter).is_empty());
    let flown = exam.attempt_until(&*trial.channel, &exam.context(AMPLE), &letter, end).await?;
    ensure!(!arrived(&trial, &letter).is_empty(), "the far side of the fixture has not got the message");
    let crossed = flown.slots.is_crossed(0) || flown.slots.is_set(0);
    ensure!(crossed, "the far side has the message, and the call that is dropped now counts as not sent");
    Ok(())
}

pub(in crate::contract::channel) async fn c16_it_does_not_try_again_by_itself(exam: &Exam<'_>) -> Held {
    exam.delivering().await?;
    let faults = [Fault::Busy, Fault::RateLimited, Fault::CutEarly, Fault::Cut, Fault::LoseAnswer, Fault::Crashed];
    let mut shown = 0;
    for fault in faults {
        let Some(trial) = exam.showing(Plot::failing(fault)).await else { continue };
        shown += 1;
        exam.attempt(&*trial.channel, &exam.letter(0)).await?;
        quiet().await;
        let calls = trial.calls();
        ensure!(calls == 1, "{fault}: one try of the engine is {calls} calls at the far side");
    }
    if shown == 0 {
        return Err(Stop::NotApplicable("the far side cannot be made to fail".into()));
    }
    Ok(())
}

pub(in crate::contract::channel) async fn c17_deadline_and_cancellation_are_kept(exam: &Exam<'_>) -> Held {
    let trial = exam.delivering().await?;
    for (when, cx) in closed_contexts(exam) {
        let outcome = exam.attempt_in(&*trial.channel, &cx, &exam.letter(0)).await?.outcome();
        let Outcome::Failed(error) = outcome else { return Err(Stop::Broken(format!("{when}: it was delivered"))) };
        ensure!(error.effect == Effect::NotSent && error.retry != Retry::Never, "{when}: {error:?}");
        ensure!(trial.calls() == 0, "{when}: the far side was called");
    }
    for fault in [Fault::StallEarly, Fault::Stall, Fault::StallAccepted] {
        let Some(trial) = exam.showing(Plot::failing(fault)).await else { continue };
        let (cx, letter) = (exam.context(exam.fixture.silence()), exam.letter(1));
        let over = tokio::time::sleep(exam.fixture.silence() * 5);
        let flown = exam.attempt_until(&*trial.channel, &cx, &letter, over).await?;
        ensure!(flown.said.is_some(), "{fault}: the attempt goes on long after its deadline");
    }
    let Some(trial) = exam.showing(Plot::failing(Fault::SlowAnswer)).await else { return Ok(()) };
    let token = CancellationToken::new();
    let (cx, letter) = (exam.context(Duration::from_secs(15)).cancellation(token.clone()), exam.letter(2));
    let called_off = async {
        until(|| !arrived(&trial, &letter).is_empty()).await;
        token.cancel();
        std::future::pending::<()>().await;
    };
    let outcome = exam.attempt_until(&*trial.channel, &cx, &letter, called_off).await?.outcome();
    let finished = matches!(outcome, Outcome::Accepted(_));
    ensure!(finished, "what had crossed when it was called off is not finished: {outcome:?}");
    Ok(())
}
