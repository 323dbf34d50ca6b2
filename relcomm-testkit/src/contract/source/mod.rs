//! The contract of [`ReceiptSource`]: its clauses R1 to R5, and [`receipt_source_contract!`](crate::receipt_source_contract), which makes
//! them tests of an implementation.

mod clauses;

use super::{ClauseReport, ContractReport, Verdict};
use async_trait::async_trait;
use futures_util::FutureExt;
use relcomm_core::channel::ReceiptSource;
use relcomm_core::clock::{Clock, SystemClock};
use relcomm_core::receipt::{Evidence, Token};
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

/// A source of receipts on trial.
#[async_trait]
pub trait SourceFixture: Send + Sync {
    /// A new source with nothing in it. Nothing is shared with earlier trials.
    async fn set_up(&self) -> SourceTrial;

    /// The time of the source. Default: the machine's.
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(SystemClock::new())
    }
}

type Arrive = Box<dyn Fn(&Came<'_>) + Send + Sync>;

/// One source, and the way by which things come to it.
pub struct SourceTrial {
    source: Box<dyn ReceiptSource>,
    arrive: Arrive,
}

impl SourceTrial {
    /// A source, and a closure that lets a thing come to it.
    #[must_use]
    pub fn new(source: impl ReceiptSource + 'static, arrive: impl Fn(&Came<'_>) + Send + Sync + 'static) -> Self {
        Self { source: Box::new(source), arrive: Box::new(arrive) }
    }
}

impl fmt::Debug for SourceTrial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceTrial").field("source", &self.source).finish_non_exhaustive()
    }
}

/// What comes to a source.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Came<'a> {
    /// A report about one delivery, as the far side makes it.
    Report {
        /// Its place in the order of arrival.
        number: u32,
        /// The mark of the delivery.
        token: &'a Token,
        /// What it says: that the delivery failed, or that it was delivered.
        evidence: Evidence,
    },
    /// Something that is no report: another mail, a broken file.
    Nonsense {
        /// Its place in the order of arrival.
        number: u32,
        /// What it says.
        words: &'a str,
    },
}

/// Judges the source of the fixture by every clause, for a harness of your own.
pub async fn run(fixture: &dyn SourceFixture) -> ContractReport {
    let mut reports = Vec::new();
    for (name, judge) in clauses::ALL {
        let verdict = match AssertUnwindSafe(judge(fixture)).catch_unwind().await {
            Ok(Ok(())) => Verdict::Kept,
            Ok(Err(why)) => Verdict::Broken(why),
            Err(_) => Verdict::Broken("it panicked".into()),
        };
        reports.push(ClauseReport { name, verdict, left_out: Vec::new() });
    }
    ContractReport::new(reports)
}

/// Judges the source of the fixture by the clause of this name; `None` if there is none.
pub async fn run_one(fixture: &dyn SourceFixture, name: &str) -> Option<ClauseReport> {
    run(fixture).await.clauses.into_iter().find(|clause| clause.name == name)
}

/// Makes one test for each clause of the contract of [`ReceiptSource`](relcomm_core::channel::ReceiptSource).
///
/// The argument is a [`SourceFixture`](crate::contract::source::SourceFixture). Put each call into a module of its own. The crate that
/// calls it needs `tokio` with `macros` and `rt`.
#[macro_export]
macro_rules! receipt_source_contract {
    ($fixture:expr) => {
        $crate::receipt_source_contract! { @ $fixture;
            r01_what_is_there_is_given_oldest_first
            r02_it_comes_again_until_it_is_done
            r03_what_is_not_understood_is_given_too
            r04_a_receipt_says_what_came_and_comes_again_as_it_was
            r05_nothing_shown_holds_an_address_or_a_mark
        }
    };
    (@ $fixture:expr; $($clause:ident)*) => {$(
        #[tokio::test]
        async fn $clause() {
            let report = $crate::contract::source::run_one(&$fixture, stringify!($clause)).await;
            report.expect("a clause of this name").demand();
        }
    )*};
}
