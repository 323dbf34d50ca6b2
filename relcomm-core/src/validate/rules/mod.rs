//! The standard rules, one file a theme.

mod alike;
mod columns;
mod complete;
mod contacts;
mod escalations;
mod content;
mod coverage;
mod duties;
mod embargo;
mod form;
mod graph;
mod intervals;
mod languages;
mod mechanisms;
mod profiles;
mod quotas;
mod secrets;
mod stale;
mod timing;
mod unchanged;
mod unused;
mod words;

pub(super) use secrets::SECRET;
pub use unchanged::Unchanged;

use super::Rule;

/// The rules that every plan is judged by.
#[must_use]
pub fn standard_rules() -> Vec<Box<dyn Rule>> {
    vec![
        Box::new(form::VersionIsText),
        Box::new(secrets::NoSecret),
        Box::new(unused::AllUsed),
        Box::new(duties::Held),
        Box::new(duties::Separate),
        Box::new(complete::Answers),
        Box::new(complete::Reachable),
        Box::new(coverage::EveryGroup),
        Box::new(coverage::EveryItem),
        Box::new(coverage::EveryCommunique),
        Box::new(coverage::EveryPlace),
        Box::new(contacts::Addressed),
        Box::new(contacts::Addresses),
        Box::new(quotas::Led),
        Box::new(quotas::Attainable),
        Box::new(contacts::OncePerPlace),
        Box::new(columns::KnownWords),
        Box::new(alike::OneAddressEach),
        Box::new(mechanisms::Known),
        Box::new(mechanisms::Provable),
        Box::new(escalations::Reachable),
        Box::new(timing::NotPast),
        Box::new(timing::NotFar),
        Box::new(timing::OncePerOccurrence),
        Box::new(timing::NobodyHeldBack),
        Box::new(timing::BeforeItsEnd),
        Box::new(timing::AfterItsCause),
        Box::new(timing::NotFasterThanTheTick),
        Box::new(embargo::Classified),
        Box::new(embargo::Neutral),
        Box::new(embargo::ClearedAlike),
        Box::new(intervals::InTime),
        Box::new(graph::NoCycle),
        Box::new(graph::Pursued),
        Box::new(graph::Partial),
        Box::new(graph::BeforeDeclared),
        Box::new(content::Variables),
        Box::new(languages::EveryLanguage),
        Box::new(content::NoControl),
        Box::new(words::Finished),
        Box::new(words::LinksLead),
        Box::new(words::NothingAttached),
        Box::new(stale::ThisVersion),
        Box::new(stale::ThisDate),
        Box::new(profiles::MustState),
    ]
}
