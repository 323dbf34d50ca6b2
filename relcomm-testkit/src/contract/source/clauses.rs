//! The clauses, each a function of a fixture.

use super::{Came, SourceFixture, SourceTrial};
use relcomm_core::channel::{AttemptContext, Received};
use relcomm_core::receipt::{Assurance, Evidence, Token};
use std::collections::BTreeSet;
use std::pin::Pin;
use std::time::Duration;

/// Longer than anything takes that does not wait.
const PATIENCE: Duration = Duration::from_secs(20);

type Held = Result<(), String>;
type Judging<'a> = Pin<Box<dyn Future<Output = Held> + 'a>>;

macro_rules! clauses {
    ($($name:ident)*) => {
        /// All clauses, in their order.
        pub(super) const ALL: &[(&str, for<'a> fn(&'a dyn SourceFixture) -> Judging<'a>)] =
            &[$((stringify!($name), |fixture| Box::pin($name(fixture)))),*];
    };
}

clauses! {
    r01_what_is_there_is_given_oldest_first
    r02_it_comes_again_until_it_is_done
    r03_what_is_not_understood_is_given_too
    r04_a_receipt_says_what_came_and_comes_again_as_it_was
    r05_nothing_shown_holds_an_address_or_a_mark
}

macro_rules! ensure {
    ($condition:expr, $($words:tt)+) => {
        if !$condition {
            return Err(format!($($words)+));
        }
    };
}

fn token(number: u32) -> Token {
    Token::new(format!("v1-quillmark{number:014}"))
}

fn evidence(number: u32) -> Evidence {
    if number.is_multiple_of(2) { Evidence::Failed } else { Evidence::Reached(Assurance::Delivered) }
}

/// A source to which reports of these numbers have come.
async fn with_reports(fixture: &dyn SourceFixture, numbers: impl IntoIterator<Item = u32>) -> SourceTrial {
    let trial = fixture.set_up().await;
    for number in numbers {
        (trial.arrive)(&Came::Report { number, token: &token(number), evidence: evidence(number) });
    }
    trial
}

fn context(fixture: &dyn SourceFixture) -> AttemptContext {
    AttemptContext::new(fixture.clock(), PATIENCE)
}

async fn batch(fixture: &dyn SourceFixture, trial: &SourceTrial, max: usize) -> Result<Vec<Received>, String> {
    let cx = context(fixture);
    let read = tokio::time::timeout(PATIENCE / 2, trial.source.batch(&cx, max)).await;
    let read = read.map_err(|_| "it waits for what is not there".to_owned())?;
    read.map_err(|error| format!("it cannot be read: {error}"))
}

async fn done(fixture: &dyn SourceFixture, trial: &SourceTrial, ids: &[String]) -> Held {
    trial.source.done(&context(fixture), ids).await.map_err(|error| format!("what was given cannot be done: {error}"))
}

fn ids(received: &[Received]) -> Vec<String> {
    received.iter().map(|one| one.id.clone()).collect()
}

/// The marks that were brought back, in their order.
fn tokens(received: &[Received]) -> Vec<Option<Token>> {
    received.iter().flat_map(|one| &one.receipts).map(|receipt| receipt.token.clone()).collect()
}

async fn r01_what_is_there_is_given_oldest_first(fixture: &dyn SourceFixture) -> Held {
    let empty = fixture.set_up().await;
    ensure!(batch(fixture, &empty, 9).await?.is_empty(), "nothing has come, and it gives something");
    let trial = with_reports(fixture, 1..=4).await;
    let two = batch(fixture, &trial, 2).await?;
    ensure!(two.len() == 2, "asked for two at most, it gives {}", two.len());
    ensure!(batch(fixture, &trial, 0).await?.is_empty(), "asked for none, it gives something");
    let all = batch(fixture, &trial, 9).await?;
    let expected: Vec<_> = (1..=4).map(|number| Some(token(number))).collect();
    ensure!(tokens(&all) == expected, "four came, and it gives {} in another order or number", all.len());
    ensure!(ids(&all).starts_with(&ids(&two)), "the first two are not the oldest two");
    Ok(())
}

async fn r02_it_comes_again_until_it_is_done(fixture: &dyn SourceFixture) -> Held {
    let trial = with_reports(fixture, 1..=3).await;
    let all = ids(&batch(fixture, &trial, 9).await?);
    let again = ids(&batch(fixture, &trial, 9).await?);
    ensure!(again == all, "what nobody said was done is not given again");
    let Some((first, rest)) = all.split_first() else { return Err("nothing is given".into()) };
    done(fixture, &trial, std::slice::from_ref(first)).await?;
    ensure!(ids(&batch(fixture, &trial, 9).await?) == rest, "not exactly what was not done is given after that");
    // A crash between recording and marking says the same again.
    done(fixture, &trial, std::slice::from_ref(first)).await?;
    let _ = trial.source.done(&context(fixture), &["../quillmark".to_owned()]).await;
    ensure!(ids(&batch(fixture, &trial, 9).await?) == rest, "a second word about what is done changes something");
    done(fixture, &trial, rest).await?;
    ensure!(batch(fixture, &trial, 9).await?.is_empty(), "what is done is given again");
    Ok(())
}

async fn r03_what_is_not_understood_is_given_too(fixture: &dyn SourceFixture) -> Held {
    let trial = with_reports(fixture, [1]).await;
    for (number, words) in [(2, "quillmark: thank you"), (3, "")] {
        (trial.arrive)(&Came::Nonsense { number, words });
    }
    (trial.arrive)(&Came::Report { number: 4, token: &token(4), evidence: evidence(4) });
    let all = batch(fixture, &trial, 9).await?;
    ensure!(all.len() == 4, "of four things that came it gives {}", all.len());
    let (reports, others): (Vec<_>, Vec<_>) = all.iter().partition(|one| !one.receipts.is_empty());
    let read = reports.len() == 2 && others.len() == 2;
    ensure!(read, "it reads receipts in what is none, or none in what is one");
    let kept = others.iter().any(|one| one.raw.windows(9).any(|at| at == b"quillmark"));
    ensure!(kept, "what is not understood is given without what it says");
    done(fixture, &trial, &ids(&all)).await?;
    ensure!(batch(fixture, &trial, 9).await?.is_empty(), "what is not understood cannot be done");
    Ok(())
}

async fn r04_a_receipt_says_what_came_and_comes_again_as_it_was(fixture: &dyn SourceFixture) -> Held {
    let trial = with_reports(fixture, 1..=4).await;
    let all = batch(fixture, &trial, 9).await?;
    for number in 1..=4 {
        let receipts = all.iter().flat_map(|one| &one.receipts);
        let said: Vec<_> = receipts.filter(|r| r.token == Some(token(number))).map(|r| r.evidence).collect();
        ensure!(said == [evidence(number)], "a report says {said:?}, and not {:?}", evidence(number));
    }
    let again = batch(fixture, &trial, 9).await?;
    ensure!(again == all, "what comes again is not as it was: it would be recorded twice");
    let identities: Vec<_> = all.iter().flat_map(|one| &one.receipts).map(|receipt| &receipt.identity).collect();
    let different: BTreeSet<_> = identities.iter().collect();
    ensure!(different.len() == identities.len(), "two reports have one identity: one of them would be lost");
    Ok(())
}

async fn r05_nothing_shown_holds_an_address_or_a_mark(fixture: &dyn SourceFixture) -> Held {
    let trial = with_reports(fixture, 1..=2).await;
    (trial.arrive)(&Came::Nonsense { number: 3, words: "quillmark" });
    let all = batch(fixture, &trial, 9).await?;
    let mut shown = format!("{:?} {:#?} {all:?} {all:#?}", trial.source, trial.source);
    if let Err(error) = trial.source.done(&context(fixture), &["../quillmark".to_owned()]).await {
        shown += &format!("{error} {error:?}");
    }
    ensure!(!shown.contains("quillmark"), "what is shown holds what came");
    Ok(())
}
