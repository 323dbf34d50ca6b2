//! The standard rules, one file a theme.

mod complete;
mod contacts;
mod content;
mod coverage;
mod graph;
mod mechanisms;
mod timing;

use super::Rule;

/// The rules that every plan is judged by.
#[must_use]
pub fn standard_rules() -> Vec<Box<dyn Rule>> {
    vec![
        Box::new(complete::Answers),
        Box::new(complete::Reachable),
        Box::new(coverage::EveryGroup),
        Box::new(coverage::EveryItem),
        Box::new(contacts::Addressed),
        Box::new(contacts::Addresses),
        Box::new(contacts::OncePerPlace),
        Box::new(mechanisms::Known),
        Box::new(mechanisms::Provable),
        Box::new(timing::NotPast),
        Box::new(timing::BeforeItsEnd),
        Box::new(timing::AfterItsCause),
        Box::new(timing::NotFasterThanTheTick),
        Box::new(graph::NoCycle),
        Box::new(graph::Pursued),
        Box::new(content::Variables),
        Box::new(content::NoControl),
    ]
}
