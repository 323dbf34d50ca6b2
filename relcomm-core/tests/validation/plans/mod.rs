//! Broken plans, by theme.

mod careful;
mod order;
mod people;
mod unacted;
mod whole;

use super::cases::Case;

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = &'static Case> {
    [whole::PLANS, people::PLANS, order::PLANS, unacted::PLANS, careful::PLANS].into_iter().flatten()
}
