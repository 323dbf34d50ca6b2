//! The clauses, each a function of a fixture.

mod calls;
mod delivery;
mod evidence;
mod faults;
mod limits;
mod secrets;
mod surface;

use super::exam::{Exam, Held};
use std::pin::Pin;

type Judging<'a> = Pin<Box<dyn Future<Output = Held> + 'a>>;

/// One clause: its name, and how it is judged.
pub(super) struct Clause {
    pub(super) name: &'static str,
    pub(super) judge: for<'a> fn(&'a Exam<'a>) -> Judging<'a>,
}

macro_rules! clauses {
    ($($theme:ident::$name:ident,)*) => {
        /// All clauses, in their order.
        pub(super) const ALL: &[Clause] = &[$(Clause {
            name: stringify!($name),
            judge: |exam| Box::pin($theme::$name(exam)),
        }),*];
    };
}

clauses! {
    surface::c01_what_it_says_of_itself_stays,
    surface::c02_it_claims_what_it_can_and_can_what_it_claims,
    surface::c03_checks_and_preparation_are_pure,
    limits::c04_limits_are_held_to_the_last_unit,
    surface::c05_verification_sends_nothing,
    delivery::c06_every_outcome_is_set,
    delivery::c07_an_outcome_is_set_as_soon_as_it_is_known,
    delivery::c08_exactly_one_message_arrives,
    delivery::c09_nobody_elses_address_is_visible,
    delivery::c10_the_key_is_the_same_on_every_try,
    delivery::c11_the_words_arrive_unchanged,
    faults::c12_each_fault_is_told_as_what_it_is,
    faults::c13_a_lost_answer_is_maybe_sent,
    faults::c14_crossing_is_not_marked_too_early,
    faults::c15_crossing_is_not_marked_too_late,
    faults::c16_it_does_not_try_again_by_itself,
    faults::c17_deadline_and_cancellation_are_kept,
    calls::c18_a_dropped_call_sends_nothing_later,
    calls::c19_no_broken_connection_is_used_again,
    calls::c20_calls_at_the_same_time_do_not_mix,
    secrets::c21_nothing_shown_holds_a_secret,
    surface::c22_a_limit_learned_on_connecting_is_told,
    surface::c23_box_arc_and_task_make_no_difference,
    evidence::c24_receipts_are_idempotent_and_commute,
    evidence::c25_a_forged_receipt_is_refused,
    evidence::c26_looking_up_is_truthful,
}
