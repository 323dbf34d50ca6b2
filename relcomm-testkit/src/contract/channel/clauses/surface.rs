//! C1 to C5, C22 and C23: what a channel says of itself.

use crate::channel::ScriptedChannel;
use crate::contract::channel::exam::{Exam, Held, Letter, Stop, arrived, ensure, quiet};
use crate::contract::channel::fault::{Fault, Plot};
use crate::contract::channel::fixture::{CallBack, Trial};
use relcomm_core::channel::{Batch, Channel, Descriptor, Effect, Inbound, Outcome, Outcomes, Prepared, Retry, Scope};
use relcomm_core::mechanism::{Addressing, Capabilities, Deduplication};
use relcomm_core::receipt::{Assurance, Evidence};
use relcomm_core::stakeholder::Address;
use std::sync::Arc;
use std::time::Duration;

pub(in crate::contract::channel) async fn c01_what_it_says_of_itself_stays(exam: &Exam<'_>) -> Held {
    let trial = exam.well().await?;
    let (descriptor, capabilities) = (trial.channel.descriptor().clone(), trial.channel.capabilities().clone());
    ensure!(!descriptor.kind.is_empty(), "the descriptor names no kind");
    let same = |when: &str| {
        ensure!(trial.channel.descriptor() == &descriptor, "the descriptor is another one {when}");
        ensure!(trial.channel.capabilities() == &capabilities, "the capabilities are others {when}");
        Ok::<(), Stop>(())
    };
    same("when asked again")?;
    let _ = trial.channel.verify(&exam.context(Duration::from_secs(5))).await;
    same("after a verification")?;
    for n in 0..3 {
        exam.attempt(&*trial.channel, &exam.letter(n)).await?;
        same("after an attempt")?;
    }
    Ok(())
}

pub(in crate::contract::channel) async fn c02_it_claims_what_it_can_and_can_what_it_claims(exam: &Exam<'_>) -> Held {
    let trial = exam.well().await?;
    let can = trial.channel.capabilities().clone();
    addressing(exam, &trial, can.addressing)?;
    let asks = trial.channel.lookup().is_some();
    ensure!(asks || can.deduplication != Deduplication::ByLookup, "it claims to look up, and offers no lookup");
    ensure!(!asks || can.deduplication != Deduplication::None, "it offers a lookup, and does not claim to look up");

    let mut best = Assurance::Attempted;
    let letter = exam.letter(0);
    for letter in [&letter, &letter.again()] {
        match exam.attempt(&*trial.channel, letter).await?.outcome() {
            Outcome::Accepted(accepted) => best = best.max(accepted.assurance),
            Outcome::Failed(error) => ensure!(false, "it does not deliver at all: {error}"),
        }
    }
    if can.by_hand {
        ensure!(trial.arrivals().is_empty(), "it claims that a person does the work, and does it itself");
        exam.leave_out("a repeat at a far side: a person does the work");
    } else {
        let (claims, copies) = (can.deduplication == Deduplication::ByKey, arrived(&trial, &letter).len());
        ensure!(!claims || copies == 1, "it claims that a repeat is recognised; {copies} copies arrived");
        ensure!(claims || copies == 2, "a repeat is recognised, which it does not claim; {copies} copies arrived");
    }

    let at = exam.fixture.clock().now();
    let token = letter.item().token();
    let raw = exam.fixture.callback(&CallBack::new(&token, 1, at));
    if let (Some(raw), Some(callbacks)) = (&raw, trial.channel.callbacks()) {
        let receipts = callbacks.parse(&Inbound::new(&raw.headers, &raw.body, at)).unwrap_or_default();
        for receipt in receipts {
            if let Evidence::Reached(assurance) = receipt.evidence {
                best = best.max(assurance);
            }
        }
    }
    ensure!(best <= can.proves, "it claims to prove `{}` at most, and shows `{best}`", can.proves);
    if best < can.proves {
        exam.leave_out(format!("that it proves `{}`: no more than `{best}` was shown", can.proves));
    }
    Ok(())
}

fn addressing(exam: &Exam<'_>, trial: &Trial, addressing: Addressing) -> Held {
    match addressing {
        Addressing::Each => {
            ensure!(exam.address(0).is_some(), "the fixture gives no address, and the channel reaches people each");
            for n in 0..exam.far_side.addresses.len() {
                let checked = exam.address(n).map_or(Ok(()), |address| trial.channel.check_address(&address));
                ensure!(checked.is_ok(), "it refuses address {n}, which the far side takes: {checked:?}");
            }
            Ok(())
        }
        Addressing::Once => Ok(()),
    }
}

pub(in crate::contract::channel) async fn c03_checks_and_preparation_are_pure(exam: &Exam<'_>) -> Held {
    let trial = exam.well().await?;
    let letter = exam.letter(0);
    let first = exam.prepared(&*trial.channel, &letter)?;
    let addresses = [exam.address(0), exam.refused(), Address::new("\u{202e}no such thing").ok()];
    let checks = |channel: &dyn Channel| -> Vec<Result<(), String>> {
        addresses.iter().flatten().map(|address| channel.check_address(address)).collect()
    };
    let checked = checks(&*trial.channel);
    for n in 1..6 {
        exam.prepared(&*trial.channel, &exam.letter(n))?;
        tokio::time::sleep(Duration::from_millis(2)).await;
        ensure!(exam.prepared(&*trial.channel, &letter)? == first, "the same words give other parts the next time");
        ensure!(checks(&*trial.channel) == checked, "the same address is judged otherwise the next time");
    }
    quiet().await;
    ensure!(trial.calls() == 0 && trial.arrivals().is_empty(), "the far side was called to prepare a text");
    Ok(())
}

pub(in crate::contract::channel) async fn c05_verification_sends_nothing(exam: &Exam<'_>) -> Held {
    let trial = exam.well().await?;
    for _ in 0..2 {
        let verified = trial.channel.verify(&exam.context(Duration::from_secs(15))).await;
        ensure!(verified.is_ok(), "the far side works, and the verification fails: {verified:?}");
    }
    quiet().await;
    ensure!(trial.arrivals().is_empty(), "something arrived by a verification");
    ensure!(trial.calls() == 0, "the far side was asked to take something over by a verification");
    Ok(())
}

pub(in crate::contract::channel) async fn c22_a_limit_learned_on_connecting_is_told(exam: &Exam<'_>) -> Held {
    let trial = exam.fixture.set_up(Plot::failing(Fault::SmallLimit)).await?;
    let findings = trial.channel.verify(&exam.context(Duration::from_secs(15))).await;
    ensure!(
        findings.as_ref().is_ok_and(|f| !f.is_empty()),
        "the limit is no finding of the verification: {findings:?}"
    );
    let outcome = exam.attempt(&*trial.channel, &exam.letter(0)).await?.outcome();
    let Outcome::Failed(error) = outcome else {
        return Err(Stop::Broken("a text over the far side's limit counts as accepted".into()));
    };
    let fits = Fault::SmallLimit.expected(trial.channel.capabilities()).kinds.contains(&error.kind);
    let refused = (error.scope, error.effect, error.retry) == (Scope::Message, Effect::NotSent, Retry::Never);
    ensure!(fits && refused, "a text over the far side's limit is no refusal of the message: {error:?}");
    ensure!(trial.arrivals().is_empty(), "a text over the far side's limit arrived");
    Ok(())
}

pub(in crate::contract::channel) async fn c23_box_arc_and_task_make_no_difference(exam: &Exam<'_>) -> Held {
    let trial = exam.well().await?;
    let by_hand = trial.channel.capabilities().by_hand;
    let (plain, others) = (exam.letter(0), [exam.letter(1), exam.letter(2)]);
    let own = Surface::of(&*trial.channel, exam, &plain)?;
    exam.accepted(&trial, &plain, "as it is").await?;

    // Another one, boxed once more and shared.
    let mut second = exam.well().await?;
    let inner = std::mem::replace(&mut second.channel, Box::new(ScriptedChannel::new("gone")));
    let shared: Arc<dyn Channel> = Arc::new(Box::new(inner) as Box<dyn Channel>);
    ensure!(Surface::of(&*shared, exam, &plain)? == own, "it says something else of itself through Box and Arc");
    for letter in &others {
        let channel = Arc::clone(&shared);
        let (cx, text) = (exam.context(Duration::from_secs(15)), exam.prepared(&*shared, letter)?);
        let (key, items) = (letter.message_key, letter.items.clone());
        let flight = tokio::spawn(async move {
            let mut slots = Outcomes::new(items.len());
            let batch = Batch::new(&text, &key, &items);
            let said = channel.attempt(&cx, &batch, &mut slots).await;
            (said, slots)
        });
        let (said, slots) = flight.await.map_err(|error| Stop::Broken(format!("it does not bear a task: {error}")))?;
        let all_set = (0..slots.len()).all(|i| slots.is_set(i));
        ensure!(said.is_ok() && all_set, "an attempt of another task fails: {said:?}");
        for outcome in slots.settle(|_| unreachable!("all are set")) {
            ensure!(matches!(outcome, Outcome::Accepted(_)), "an attempt of another task fails: {outcome:?}");
        }
        ensure!(by_hand || arrived(&second, letter).len() == 1, "what another task sent did not arrive once");
    }
    Ok(())
}

/// All that a channel says without being asked to deliver.
#[derive(PartialEq)]
struct Surface {
    descriptor: Descriptor,
    capabilities: Capabilities,
    text: Prepared,
    checked: Vec<Result<(), String>>,
    offers: [bool; 3],
}

impl Surface {
    fn of(channel: &dyn Channel, exam: &Exam<'_>, letter: &Letter) -> Result<Self, Stop> {
        Ok(Self {
            descriptor: channel.descriptor().clone(),
            capabilities: channel.capabilities().clone(),
            text: exam.prepared(channel, letter)?,
            checked: [exam.address(0), exam.refused()].iter().flatten().map(|a| channel.check_address(a)).collect(),
            offers: [channel.receipts().is_some(), channel.callbacks().is_some(), channel.lookup().is_some()],
        })
    }
}
