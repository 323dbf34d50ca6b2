//! The contract of [`Channel`](relcomm_core::channel::Channel): its clauses C1 to C26, and
//! [`channel_contract!`](crate::channel_contract), which makes them tests of an implementation.
//!
//! An author gives a [`ChannelFixture`]: the channel, what its far side saw, and how to make the far side fail. A clause that cannot be
//! judged is *not applicable*, with a reason, and counted: the author states how many there are, so that a change is noticed. A channel
//! that speaks HTTP or SMTP needs few lines, because the [loopback peers](crate::peer) know the faults already:
//!
//! ```
//! # use relcomm_core::channel as c;
//! # #[derive(Debug)]
//! # struct ForumChannel(c::Descriptor, relcomm_core::mechanism::Capabilities);
//! # impl ForumChannel {
//! #     fn new(_: String) -> Self { panic!("not called here") }
//! # }
//! # #[async_trait::async_trait]
//! # impl c::Channel for ForumChannel {
//! #     fn descriptor(&self) -> &c::Descriptor { &self.0 }
//! #     fn capabilities(&self) -> &relcomm_core::mechanism::Capabilities { &self.1 }
//! #     fn check_address(&self, _: &relcomm_core::stakeholder::Address) -> Result<(), String> { Ok(()) }
//! #     fn prepare(&self, _: &c::Wording) -> Result<c::Prepared, Vec<relcomm_core::plan::Finding>> { panic!("not called here") }
//! #     async fn attempt(&self, _: &c::AttemptContext, _: &c::Batch<'_>, _: &mut c::Outcomes) -> Result<(), c::ChannelError> {
//! #         Ok(())
//! #     }
//! # }
//! use relcomm_testkit::contract::channel::{Arrival, CannotShow, ChannelFixture, FarSide, Plot, Trial};
//! use relcomm_testkit::peer::http::{HttpPeer, Response, Rule};
//!
//! struct Forum;
//!
//! #[async_trait::async_trait]
//! impl ChannelFixture for Forum {
//!     async fn set_up(&self, plot: Plot) -> Result<Trial, CannotShow> {
//!         let script = plot.http()?.deduplicate_by("idempotency-key").rule(Rule::answer("/gone", Response::new(410)));
//!         let peer = HttpPeer::start(script).expect("a peer");
//!         let channel = ForumChannel::new(peer.url("/"));
//!         Ok(Trial::http(channel, peer, |request| {
//!             Arrival::new(request.text("/text"))
//!                 .key(request.header("idempotency-key").unwrap_or_default())
//!                 .to(request.path.trim_start_matches('/'))
//!         }))
//!     }
//!     fn far_side(&self) -> FarSide {
//!         FarSide::taking(["news", "staff", "press"]).refusing("gone").secrets(["the API key"])
//!     }
//! }
//!
//! relcomm_testkit::channel_contract!(Forum, not_applicable: 7);
//! ```

mod clauses;
mod exam;
mod fault;
mod fixture;
mod plot;

pub use fault::{CannotShow, Fault, Plot, WAIT};
pub use fixture::{Arrival, CallBack, ChannelFixture, FarSide, RawCall, Trial};

use super::{ClauseReport, ContractReport, Verdict};
use clauses::Clause;
use exam::{Exam, Stop};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

/// No clause takes so long, whatever the channel does.
const LONGEST: Duration = Duration::from_secs(120);

/// The names of all clauses, in their order.
pub fn clauses() -> impl Iterator<Item = &'static str> {
    clauses::ALL.iter().map(|clause| clause.name)
}

/// Judges the channel of the fixture by every clause, for a harness of your own.
pub async fn run(fixture: &dyn ChannelFixture) -> ContractReport {
    let mut reports = Vec::new();
    for clause in clauses::ALL {
        reports.push(judge(clause, fixture).await);
    }
    ContractReport::new(reports)
}

/// Judges the channel of the fixture by the clause of this name; `None` if there is none.
pub async fn run_one(fixture: &dyn ChannelFixture, name: &str) -> Option<ClauseReport> {
    let clause = clauses::ALL.iter().find(|clause| clause.name == name)?;
    Some(judge(clause, fixture).await)
}

async fn judge(clause: &Clause, fixture: &dyn ChannelFixture) -> ClauseReport {
    let exam = Exam::new(fixture);
    let judging = AssertUnwindSafe((clause.judge)(&exam)).catch_unwind();
    let verdict = match tokio::time::timeout(LONGEST, judging).await {
        Ok(Ok(Ok(()))) => Verdict::Kept,
        Ok(Ok(Err(Stop::NotApplicable(why)))) => Verdict::NotApplicable(why),
        Ok(Ok(Err(Stop::Broken(why)))) => Verdict::Broken(why),
        Ok(Err(_)) => Verdict::Broken("it panicked".into()),
        Err(_) => Verdict::Broken(format!("it has not ended after {LONGEST:?}")),
    };
    // Of a clause that does not apply, no part does.
    let left_out = if matches!(verdict, Verdict::NotApplicable(_)) { Vec::new() } else { exam.into_left_out() };
    ClauseReport { name: clause.name, verdict, left_out }
}

/// Makes one test for each clause of the contract of [`Channel`](relcomm_core::channel::Channel), and one that counts what does not apply.
///
/// The first argument is a [`ChannelFixture`](crate::contract::channel::ChannelFixture), the second how many clauses and parts of clauses
/// cannot be judged with it; the last test prints them all when the number is wrong. Put each call into a module of its own. The crate
/// that calls it needs `tokio` with `macros` and `rt`.
#[macro_export]
macro_rules! channel_contract {
    ($fixture:expr, not_applicable: $count:expr) => {
        $crate::channel_contract! { @ $fixture;
            c01_what_it_says_of_itself_stays
            c02_it_claims_what_it_can_and_can_what_it_claims
            c03_checks_and_preparation_are_pure
            c04_limits_are_held_to_the_last_unit
            c05_verification_sends_nothing
            c06_every_outcome_is_set
            c07_an_outcome_is_set_as_soon_as_it_is_known
            c08_exactly_one_message_arrives
            c09_nobody_elses_address_is_visible
            c10_the_key_is_the_same_on_every_try
            c11_the_words_arrive_unchanged
            c12_each_fault_is_told_as_what_it_is
            c13_a_lost_answer_is_maybe_sent
            c14_crossing_is_not_marked_too_early
            c15_crossing_is_not_marked_too_late
            c16_it_does_not_try_again_by_itself
            c17_deadline_and_cancellation_are_kept
            c18_a_dropped_call_sends_nothing_later
            c19_no_broken_connection_is_used_again
            c20_calls_at_the_same_time_do_not_mix
            c21_nothing_shown_holds_a_secret
            c22_a_limit_learned_on_connecting_is_told
            c23_box_arc_and_task_make_no_difference
            c24_receipts_are_idempotent_and_commute
            c25_a_forged_receipt_is_refused
            c26_looking_up_is_truthful
        }

        #[tokio::test]
        async fn what_does_not_apply_is_as_stated() {
            $crate::contract::channel::run(&$fixture).await.demand($count);
        }
    };
    (@ $fixture:expr; $($clause:ident)*) => {$(
        #[tokio::test]
        async fn $clause() {
            let report = $crate::contract::channel::run_one(&$fixture, stringify!($clause)).await;
            report.expect("a clause of this name").demand();
        }
    )*};
}
