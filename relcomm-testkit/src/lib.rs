//! Doubles, a virtual clock, loopback peers and contract suites for relcomm plans, channels and journals.
//!
//! | module | holds |
//! | --- | --- |
//! | [`clock`] | [`SimClock`](clock::SimClock), which follows a paused runtime, and [`ManualClock`](clock::ManualClock), which is set by hand |
//! | [`channel`] | [`ScriptedChannel`](channel::ScriptedChannel): remembers what it was given, and answers by a script, by [chaos](channel::Chaos) from a seed, or at the moment of the call by the test that holds its [handle](channel::Handle) |
//! | [`journal`] | [`CrashJournal`](journal::CrashJournal): its holder dies, or it fails, before or after the n-th write |
//! | [`peer`] | an SMTP server and an HTTP receiver on loopback, for wire tests and for the sandbox |
//! | [`contract`] | what every channel, journal and source of receipts must do, clause by clause: [`channel_contract!`], [`journal_contract!`], [`receipt_source_contract!`] |
//! | [`rehearsal`] | [`Rehearsal`](rehearsal::Rehearsal): a plan played in virtual time by a script |
//!
//! There are no features. Two ways to test do not mix: a test under a paused clock opens no socket, since virtual time passes while a
//! packet travels; a test with a peer never pauses the clock.
//!
//! ```
//! use relcomm_core::receipt::Assurance;
//! use relcomm_testkit::channel::{Answer, ScriptedChannel};
//!
//! // Refuses one address and takes over all others.
//! let mail = ScriptedChannel::new("smtp").answering(|address, _| match address {
//!     "gone@anvil.example" => Answer::Refuse,
//!     _ => Answer::Accept(Assurance::Accepted),
//! });
//! assert!(mail.seen().is_empty());
//! ```

pub mod clock;
pub mod channel;
pub mod journal;
pub mod peer;
pub mod contract;
pub mod rehearsal;
