//! Chapters to read. They hold no code; every plan in them is loaded by a test, every program is one, and `.ci/guide` runs the commands.
//!
//! | chapter | for whoever |
//! | --- | --- |
//! | [`first_plan`] | writes a first plan, at the shell |
//! | [`vocabulary`] | wants to know what a word means |
//! | [`plan_language`] | looks a key up |
//! | [`defaults`] | asks what happens if a key is left out, and why |
//! | [`people`] | has people in files or in a directory of the host's |
//! | [`ci`] | calls relcomm from a build server |
//! | [`crash_and_resume`] | asks what happens when a process dies |
//! | [`a_channel`] | writes a channel: in Rust, or as a program in any language |
//! | [`no_retry`] | is about to try again within one |
//! | [`not_proved`] | has to decide whether to rely on it |

#[doc = include_str!("first_plan.md")]
pub mod first_plan {}

#[doc = include_str!("vocabulary.md")]
pub mod vocabulary {}

#[doc = include_str!("plan_language.md")]
pub mod plan_language {}

#[doc = include_str!("defaults.md")]
pub mod defaults {}

#[doc = include_str!("people.md")]
pub mod people {}

#[doc = include_str!("ci.md")]
pub mod ci {}

#[doc = include_str!("crash_and_resume.md")]
pub mod crash_and_resume {}

#[doc = include_str!("a_channel.md")]
pub mod a_channel {}

#[doc = include_str!("no_retry.md")]
pub mod no_retry {}

#[doc = include_str!("not_proved.md")]
pub mod not_proved {}
