//! The suite of channels: an honest channel passes it, and every clause catches a wrong one.

mod desk;
mod honest;
mod table;

use crate::bite::Table;
use async_trait::async_trait;
use desk::{Desk, REFUSED};
use honest::{Honest, SECRET, SIGNATURE, signature};
use relcomm_core::clock::{Clock, Moment};
use relcomm_testkit::clock::SimClock;
use relcomm_testkit::contract::channel::{
    CallBack, CannotShow, ChannelFixture, FarSide, Plot, RawCall, Trial, clauses, run, run_one,
};
use relcomm_testkit::contract::{ClauseReport, Verdict};
use std::sync::Arc;
use table::{BITES, Flaw};

struct OfDesk {
    flaw: Option<Flaw>,
    clock: Arc<SimClock>,
    addresses: Vec<&'static str>,
    /// Whether it says whom a message reached.
    tells: bool,
}

impl OfDesk {
    fn new(flaw: Option<Flaw>) -> Self {
        let clock = Arc::new(SimClock::starting_at(Moment::from_millis(1_800_000_000_000)));
        Self { flaw, clock, addresses: vec!["ana@desk.test", "bea@desk.test", "cy@desk.test"], tells: true }
    }
}

#[async_trait]
impl ChannelFixture for OfDesk {
    async fn set_up(&self, plot: Plot) -> Result<Trial, CannotShow> {
        let desk = Arc::new(Desk::new(plot, self.flaw != Some(Flaw::Boastful)));
        let (arrivals, calls) = (Arc::clone(&desk), Arc::clone(&desk));
        let channel = Honest::new(self.flaw, desk);
        let tells = self.tells;
        let arrivals = move || {
            let mut all = arrivals.arrivals();
            for arrival in &mut all {
                // Everybody sees their own address.
                arrival.raw.extend(format!("\nTo: {}", arrival.to.as_deref().unwrap_or_default()).into_bytes());
                arrival.to = arrival.to.take().filter(|_| tells);
            }
            all
        };
        Ok(Trial::new(channel, arrivals, move || calls.calls()))
    }

    fn far_side(&self) -> FarSide {
        let mut far_side = FarSide::taking([]).refusing(REFUSED).secrets([SECRET]);
        far_side.addresses = self.addresses.iter().map(ToString::to_string).collect();
        far_side
    }

    fn callback(&self, about: &CallBack<'_>) -> Option<RawCall> {
        let body = format!("{} {}", about.token.as_str(), about.number);
        Some(RawCall::new(body.clone()).header(SIGNATURE, signature(body.as_bytes())))
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock) as Arc<dyn Clock>
    }
}

#[tokio::test(start_paused = true)]
async fn an_honest_channel_keeps_every_clause_and_leaves_none_out() {
    run(&OfDesk::new(None)).await.demand(0);
}

#[tokio::test(start_paused = true)]
async fn every_clause_catches_its_wrong_channel() {
    let mut table = Table::default();
    for bite in BITES {
        let report = run(&OfDesk::new(Some(bite.flaw))).await;
        let broken: Vec<&str> = report.broken().map(|clause| &clause.name[..3]).collect();
        let told: Vec<String> = report.broken().map(ToString::to_string).collect();
        table.judged(bite, &broken, &told.concat());
    }
    table.demand(clauses());
}

/// What comes of the clause of addresses, with these, at a far side that says whom a message reached or does not.
async fn addresses_seen(flaw: Option<Flaw>, addresses: &[&'static str], tells: bool) -> ClauseReport {
    let fixture = OfDesk { addresses: addresses.to_vec(), tells, ..OfDesk::new(flaw) };
    run_one(&fixture, "c09_nobody_elses_address_is_visible").await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn nobody_elses_address_is_judged_by_what_the_far_side_says() {
    let (two, nested) = (["ana@desk.test", "bea@desk.test"], ["ana@desk.test", "joana@desk.test", "cy@desk.test"]);
    for (addresses, tells) in [(&two[..], true), (&two[..], false), (&nested[..], true), (&nested[..], false)] {
        let honest = addresses_seen(None, addresses, tells).await;
        assert_eq!((honest.verdict, honest.left_out.len()), (Verdict::Kept, usize::from(!tells)), "{addresses:?}");
        let revealing = addresses_seen(Some(Flaw::Revealing), addresses, tells).await;
        assert!(matches!(revealing.verdict, Verdict::Broken(_)), "{addresses:?} {tells}");
    }
    let one = addresses_seen(Some(Flaw::Revealing), &["ana@desk.test"], true).await;
    assert_eq!(one.verdict, Verdict::NotApplicable("the fixture knows no two addresses".into()));
}

mod as_tests {
    use super::OfDesk;

    relcomm_testkit::channel_contract!(OfDesk::new(None), not_applicable: 0);
}
