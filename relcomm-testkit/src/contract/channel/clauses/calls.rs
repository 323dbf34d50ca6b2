//! C18 to C20: calls that are dropped, connections that broke, calls at the same time.

use crate::contract::channel::exam::{Exam, Held, Letter, Stop, arrived, ensure, quiet, until};
use crate::contract::channel::fault::{Fault, Plot};
use futures_util::future::join_all;
use relcomm_core::channel::{Batch, Outcome, Outcomes};
use relcomm_core::stakeholder::Address;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

/// More turns than an attempt on loopback takes.
const TURNS: usize = 24;
const TIME: Duration = Duration::from_secs(15);

pub(in crate::contract::channel) async fn c18_a_dropped_call_sends_nothing_later(exam: &Exam<'_>) -> Held {
    let trial = exam.delivering().await?;
    let letters: Vec<Letter> = (0..TURNS).map(|n| exam.letter(n)).collect();
    let mut maybe = Vec::new();
    for (turns, letter) in letters.iter().enumerate() {
        let text = exam.prepared(&*trial.channel, letter)?;
        let (cx, mut slots) = (exam.context(TIME), Outcomes::new(1));
        {
            let batch = Batch::new(&text, &letter.message_key, &letter.items);
            let mut attempt = pin!(trial.channel.attempt(&cx, &batch, &mut slots));
            let mut left = turns;
            let polled = std::future::poll_fn(|task| {
                if left == 0 {
                    return Poll::Ready(());
                }
                left -= 1;
                attempt.as_mut().poll(task).map(drop)
            });
            let _ = tokio::time::timeout(TIME, polled).await;
        }
        maybe.push(slots.is_crossed(0) || slots.is_set(0));
    }
    quiet().await;
    for (turns, (letter, maybe)) in letters.iter().zip(maybe).enumerate() {
        let copies = arrived(&trial, letter).len();
        ensure!(maybe || copies == 0, "dropped after {turns} turns as not sent, and it arrived");
        ensure!(copies <= 1, "dropped after {turns} turns, and {copies} copies arrived");
    }
    for fault in [Fault::StallEarly, Fault::Stall, Fault::StallAccepted] {
        let Some(trial) = exam.showing(Plot::failing(fault)).await else { continue };
        let letter = exam.letter(0);
        let end = until(|| trial.calls() > 0);
        let flown = exam.attempt_until(&*trial.channel, &exam.context(TIME), &letter, end).await?;
        ensure!(flown.said.is_none(), "{fault}: the far side was not silent");
        let (calls, copies) = (trial.calls(), arrived(&trial, &letter).len());
        quiet().await;
        quiet().await;
        ensure!(trial.calls() == calls, "{fault}: the far side is called again after the call was dropped");
        let more = arrived(&trial, &letter).len() - copies;
        ensure!(more == 0 || fault == Fault::StallAccepted, "{fault}: a message arrives after the call was dropped");
    }
    Ok(())
}

pub(in crate::contract::channel) async fn c19_no_broken_connection_is_used_again(exam: &Exam<'_>) -> Held {
    exam.delivering().await?;
    let faults = [
        Fault::StallEarly,
        Fault::CutEarly,
        Fault::Stall,
        Fault::StallAccepted,
        Fault::Cut,
        Fault::LoseAnswer,
        Fault::TruncatedAnswer,
        Fault::Garbage,
    ];
    let mut shown = 0;
    for fault in faults {
        // The first call goes well, so that the second finds a connection to use.
        let Some(trial) = exam.showing(Plot::failing(fault).after(1)).await else { continue };
        shown += 1;
        exam.accepted(&trial, &exam.letter(0), "before the fault").await?;
        let second = exam.letter(1);
        let end = async {
            until(|| trial.calls() > 1 && (!fault.keeps_message() || !arrived(&trial, &second).is_empty())).await;
            if !fault.is_silence() {
                std::future::pending::<()>().await;
            }
        };
        exam.attempt_until(&*trial.channel, &exam.context(TIME), &second, end).await?;
        let third = exam.letter(2);
        exam.accepted(&trial, &third, &format!("after {fault}")).await?;
        let copies = arrived(&trial, &third).len();
        ensure!(copies == 1, "after {fault}: accepted, and {copies} copies arrived");
    }
    if shown == 0 {
        return Err(Stop::NotApplicable("the far side cannot be made to fail".into()));
    }
    Ok(())
}

pub(in crate::contract::channel) async fn c20_calls_at_the_same_time_do_not_mix(exam: &Exam<'_>) -> Held {
    let trial = exam.delivering().await?;
    let at_once = usize::try_from(trial.channel.capabilities().concurrency.get().min(8)).unwrap_or(1);
    // More than it claims to take, too: who comes too early waits.
    let letters: Vec<Letter> = (0..at_once * 2).map(|n| exam.letter(n)).collect();
    let refused = exam.refused().map(|address| exam.letter_to(90, [Some(address)]));
    let flights = letters.iter().chain(&refused).map(|letter| exam.attempt(&*trial.channel, letter));
    for (n, flown) in join_all(flights).await.into_iter().enumerate() {
        let accepted = matches!(flown?.outcome(), Outcome::Accepted(_));
        ensure!(accepted == (n < letters.len()), "the outcome of one call is another call's");
    }
    for letter in &letters {
        let found = arrived(&trial, letter);
        ensure!(found.len() == 1, "of calls at the same time, one arrived {} times", found.len());
        for arrival in found {
            let foreign = letters.iter().filter(|other| other.mark != letter.mark);
            let words = format!("{}{}", arrival.text, arrival.subject.as_deref().unwrap_or_default());
            ensure!(foreign.clone().all(|other| !words.contains(&other.mark)), "the words of two calls are mixed");
            let own = [letter.item().key.as_str(), letter.message_key.as_str()];
            let keyed = arrival.key.as_deref().is_none_or(|key| own.iter().any(|own| key.contains(own)));
            ensure!(keyed, "one call arrived with the key of another");
            let address = letter.item().address.as_ref().map(Address::as_str);
            let reached = arrival.to.is_none() || arrival.to.as_deref() == address;
            ensure!(reached, "one call arrived at the address of another");
        }
    }
    Ok(())
}
