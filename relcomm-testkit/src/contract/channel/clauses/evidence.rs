//! C24 to C26: what comes back.

use crate::contract::channel::exam::{Exam, Held, Letter, Stop, arrived, ensure};
use crate::contract::channel::fault::{Fault, Plot};
use crate::contract::channel::fixture::{CallBack, RawCall, Trial};
use relcomm_core::channel::{Callbacks, Found, Inbound, Outcome};
use relcomm_core::clock::Moment;
use relcomm_core::receipt::{Receipt, Token};
use std::time::Duration;

fn callbacks(trial: &Trial) -> Result<&dyn Callbacks, Stop> {
    trial.channel.callbacks().ok_or_else(|| Stop::NotApplicable("the channel understands no calls back".into()))
}

fn made(exam: &Exam<'_>, token: &Token, number: u32, at: Moment) -> Result<RawCall, Stop> {
    let call = exam.fixture.callback(&CallBack::new(token, number, at));
    call.ok_or_else(|| Stop::NotApplicable("the fixture makes no call back".into()))
}

fn parsed(callbacks: &dyn Callbacks, call: &RawCall, at: Moment) -> Result<Vec<Receipt>, Stop> {
    let parsed = callbacks.parse(&Inbound::new(&call.headers, &call.body, at));
    parsed.map_err(|error| Stop::Broken(format!("a call back of the far side is refused: {error}")))
}

pub(in crate::contract::channel) async fn c24_receipts_are_idempotent_and_commute(exam: &Exam<'_>) -> Held {
    let trial = exam.well().await?;
    let callbacks = callbacks(&trial)?;
    let at = exam.fixture.clock().now();
    let tokens = [exam.letter(0).item().token(), exam.letter(1).item().token()];
    let calls = [made(exam, &tokens[0], 1, at)?, made(exam, &tokens[1], 2, at)?, made(exam, &tokens[0], 3, at)?];
    let mut first = Vec::new();
    for call in &calls {
        first.push(parsed(callbacks, call, at)?);
    }
    // Again, later, and in the other order.
    let later = at + Duration::from_secs(2);
    for (call, before) in calls.iter().zip(&first).rev() {
        let again = parsed(callbacks, call, later)?;
        ensure!(&again == before, "a call back that comes again gives other receipts");
    }
    for (receipts, token) in first.iter().zip([&tokens[0], &tokens[1], &tokens[0]]) {
        ensure!(!receipts.is_empty(), "a call back gives no receipt");
        let matched = receipts.iter().all(|receipt| receipt.token.as_ref() == Some(token));
        ensure!(matched, "a receipt does not bring back the mark of its delivery");
    }
    let identities: Vec<&str> = first.iter().flatten().map(|receipt| receipt.identity.as_str()).collect();
    let different: std::collections::BTreeSet<_> = identities.iter().collect();
    ensure!(different.len() == identities.len(), "two calls back have one identity: one of them would be lost");
    Ok(())
}

pub(in crate::contract::channel) async fn c25_a_forged_receipt_is_refused(exam: &Exam<'_>) -> Held {
    let trial = exam.well().await?;
    let callbacks = callbacks(&trial)?;
    let at = exam.fixture.clock().now();
    let (own, other) = (exam.letter(0).item().token(), exam.letter(1).item().token());
    let call = made(exam, &own, 1, at)?;
    parsed(callbacks, &call, at)?;
    let mut forged = vec![("without its headers", RawCall::new(call.body.clone()))];
    let stranger = made(exam, &other, 1, at)?;
    let moved = RawCall { headers: call.headers.clone(), body: stranger.body };
    if moved != call {
        forged.push(("with the body of another", moved));
    }
    for at in [0, call.body.len() / 2, call.body.len().saturating_sub(1)] {
        let mut changed = call.clone();
        if let Some(byte) = changed.body.get_mut(at) {
            *byte ^= 1;
            forged.push(("with a changed body", changed));
        }
    }
    for n in 0..call.headers.len() {
        let mut changed = call.clone();
        if let Some((_, value)) = changed.headers.get_mut(n) {
            *value = value.chars().rev().collect();
            forged.push(("with a changed header", changed));
        }
    }
    for (how, call) in forged {
        let receipts = callbacks.parse(&Inbound::new(&call.headers, &call.body, at)).unwrap_or_default();
        ensure!(receipts.is_empty(), "a call back {how} gives a receipt");
    }
    Ok(())
}

pub(in crate::contract::channel) async fn c26_looking_up_is_truthful(exam: &Exam<'_>) -> Held {
    let trial = exam.well().await?;
    if trial.channel.lookup().is_none() {
        return Err(Stop::NotApplicable("the channel looks nothing up".into()));
    }
    let letter = exam.letter(0);
    let before = found(exam, &trial, &letter).await?;
    ensure!(before != Answer::Found, "what was never sent is found");
    exam.accepted(&trial, &letter, "to be found").await?;
    ensure!(found(exam, &trial, &letter).await? != Answer::Absent, "what arrived is said to be absent");
    for fault in [Fault::LoseAnswer, Fault::StallAccepted, Fault::Cut, Fault::Busy, Fault::RejectContent] {
        let Some(trial) = exam.showing(Plot::failing(fault)).await else { continue };
        let letter = exam.letter(1);
        let outcome = exam.attempt_under(fault, &trial, &letter).await?.outcome();
        let there = !arrived(&trial, &letter).is_empty() || matches!(outcome, Outcome::Accepted(_));
        let wrong = if there { Answer::Absent } else { Answer::Found };
        let said = found(exam, &trial, &letter).await?;
        ensure!(
            said != wrong,
            "after {fault} it says {said:?}, and the message {} there",
            if there { "is" } else { "is not" }
        );
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Found,
    Absent,
    Unknown,
}

async fn found(exam: &Exam<'_>, trial: &Trial, letter: &Letter) -> Result<Answer, Stop> {
    let Some(lookup) = trial.channel.lookup() else { return Ok(Answer::Unknown) };
    let said = lookup.lookup(&exam.context(Duration::from_secs(15)), &letter.item().key).await;
    match said.map(|said| said.found) {
        Ok(Found::Found(assurance)) => {
            let proves = trial.channel.capabilities().proves;
            ensure!(assurance <= proves, "it finds a delivery `{assurance}`, and claims to prove `{proves}` at most");
            Ok(Answer::Found)
        }
        Ok(Found::Absent) => Ok(Answer::Absent),
        Ok(Found::Unknown) => Ok(Answer::Unknown),
        Err(error) => Err(Stop::Broken(format!("the far side works, and cannot be asked: {error}"))),
    }
}
