//! Chapters to read. They hold no code; every plan in them is loaded by a test, every program is one.

#[doc = include_str!("first_plan.md")]
pub mod first_plan {}

#[doc = include_str!("crash_and_resume.md")]
pub mod crash_and_resume {}
