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
    CallBack, CannotShow, ChannelFixture, FarSide, Plot, RawCall, Trial, clauses, run,
};
use std::sync::Arc;
use table::{BITES, Flaw};

struct OfDesk {
    flaw: Option<Flaw>,
    clock: Arc<SimClock>,
}

impl OfDesk {
    fn new(flaw: Option<Flaw>) -> Self {
        Self { flaw, clock: Arc::new(SimClock::starting_at(Moment::from_millis(1_800_000_000_000))) }
    }
}

#[async_trait]
impl ChannelFixture for OfDesk {
    async fn set_up(&self, plot: Plot) -> Result<Trial, CannotShow> {
        let desk = Arc::new(Desk::new(plot, self.flaw != Some(Flaw::Boastful)));
        let (arrivals, calls) = (Arc::clone(&desk), Arc::clone(&desk));
        let channel = Honest::new(self.flaw, desk);
        Ok(Trial::new(channel, move || arrivals.arrivals(), move || calls.calls()))
    }

    fn far_side(&self) -> FarSide {
        FarSide::taking(["ana@desk.test", "bea@desk.test", "cy@desk.test"]).refusing(REFUSED).secrets([SECRET])
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

mod as_tests {
    use super::OfDesk;

    relcomm_testkit::channel_contract!(OfDesk::new(None), not_applicable: 0);
}
