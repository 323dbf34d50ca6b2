//! The suite of receipt sources: an honest source passes it, and every clause catches a wrong one.

use crate::bite::{Bite, Table, and, bite};
use async_trait::async_trait;
use relcomm_core::channel::{AttemptContext, ChannelError, ReceiptSource, Received};
use relcomm_core::receipt::{Evidence, Receipt, ReceiptKind, Token};
use relcomm_testkit::contract::source::{Came, SourceFixture, SourceTrial, run};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

/// A way in which a source is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    /// Gives the newest first.
    Backward,
    /// Waits until there is something.
    Waiting,
    /// Gives a thing once.
    Once,
    /// Refuses to hear twice what is done.
    Strict,
    /// Keeps to itself what it does not understand.
    Silent,
    /// Gives a receipt another identity each time.
    Numbering,
    /// Takes every report for a failure.
    Gloomy,
    /// Shows all that it has.
    Open,
}

const WAITS: &str = "it waits when all is done";

const BITES: &[Bite<Flaw>] = &[
    bite("r01", Flaw::Backward),
    and("r01", Flaw::Waiting, &[("r02", WAITS), ("r03", WAITS)]),
    and("r02", Flaw::Once, &[("r01", "what was given to who asked for two is gone"), ("r04", "nothing comes again")]),
    bite("r02", Flaw::Strict),
    bite("r03", Flaw::Silent),
    bite("r04", Flaw::Numbering),
    bite("r04", Flaw::Gloomy),
    bite("r05", Flaw::Open),
];

#[derive(Clone)]
struct Pile {
    flaw: Option<Flaw>,
    things: Arc<Mutex<BTreeMap<u32, Thing>>>,
    numbers: Arc<AtomicU32>,
}

#[derive(Clone, Debug)]
struct Thing {
    mark: String,
    evidence: Option<Evidence>,
}

impl fmt::Debug for Pile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.flaw {
            Some(Flaw::Open) => fmt::Debug::fmt(&self.things, f),
            _ => f.debug_struct("Pile").finish_non_exhaustive(),
        }
    }
}

impl Pile {
    fn is(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn received(&self, number: u32, thing: &Thing) -> Received {
        let fresh = if self.is(Flaw::Numbering) { self.numbers.fetch_add(1, Ordering::Relaxed) } else { 0 };
        let receipts = thing.evidence.iter().map(|evidence| {
            let evidence = if self.is(Flaw::Gloomy) { Evidence::Failed } else { *evidence };
            let receipt = Receipt::new(ReceiptKind::Poll, format!("{number}/{fresh}"), evidence);
            receipt.token(Token::new(&thing.mark))
        });
        Received::new(number.to_string(), receipts.collect(), thing.mark.clone().into_bytes())
    }
}

#[async_trait]
impl ReceiptSource for Pile {
    async fn batch(&self, _: &AttemptContext, max: usize) -> Result<Vec<Received>, ChannelError> {
        while self.is(Flaw::Waiting) && self.things.lock().unwrap().is_empty() {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
        let things = self.things.lock().unwrap().clone();
        let read = things.iter().filter(|(_, thing)| !self.is(Flaw::Silent) || thing.evidence.is_some());
        let mut all: Vec<Received> = read.map(|(number, thing)| self.received(*number, thing)).collect();
        if self.is(Flaw::Backward) {
            all.reverse();
        }
        all.truncate(max);
        if self.is(Flaw::Once) {
            let mut things = self.things.lock().unwrap();
            all.iter().for_each(|one| drop(things.remove(&one.id.parse().unwrap())));
        }
        Ok(all)
    }

    async fn done(&self, _: &AttemptContext, ids: &[String]) -> Result<(), ChannelError> {
        for id in ids {
            let known = id.parse().ok().and_then(|number: u32| self.things.lock().unwrap().remove(&number));
            if known.is_none() && self.is(Flaw::Strict) {
                return Err(ChannelError::new(relcomm_core::channel::ErrorKind::Internal, "there is no such thing"));
            }
        }
        Ok(())
    }
}

struct OfPile(Option<Flaw>);

#[async_trait]
impl SourceFixture for OfPile {
    async fn set_up(&self) -> SourceTrial {
        let pile = Pile { flaw: self.0, things: Arc::default(), numbers: Arc::default() };
        let things = Arc::clone(&pile.things);
        SourceTrial::new(pile, move |came| {
            let (number, thing) = match *came {
                Came::Report { number, token, evidence } => {
                    (number, Thing { mark: token.as_str().into(), evidence: Some(evidence) })
                }
                Came::Nonsense { number, words } => (number, Thing { mark: words.into(), evidence: None }),
                _ => unreachable!("nothing else comes"),
            };
            things.lock().unwrap().insert(number, thing);
        })
    }
}

mod honest {
    relcomm_testkit::receipt_source_contract!(super::OfPile(None));
}

#[tokio::test(start_paused = true)]
async fn every_clause_catches_its_wrong_source() {
    let honest = run(&OfPile(None)).await;
    assert_eq!(honest.broken().count(), 0, "{honest}");
    let mut table = Table::default();
    for bite in BITES {
        let report = run(&OfPile(Some(bite.flaw))).await;
        let broken: Vec<&str> = report.broken().map(|clause| &clause.name[..3]).collect();
        table.judged(bite, &broken, &report.to_string());
    }
    table.demand(honest.clauses.iter().map(|clause| clause.name));
    let names: Vec<&str> = honest.clauses.iter().map(|clause| clause.name).collect();
    assert_eq!(super::listed("src/contract/source/mod.rs", 'r'), names);
    let documented = super::read("../relcomm-core/src/channel/receipts.rs");
    for n in 1..=honest.clauses.len() {
        assert_eq!(documented.matches(&format!("* **R{n}** ")).count(), 1, "R{n}");
    }
    assert!(!documented.contains(&format!("**R{}**", honest.clauses.len() + 1)), "documented and not judged");
}
