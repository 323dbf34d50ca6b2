//! Wrong channels, the clause that each is made to break, and what else it breaks.

use crate::bite::{Bite, and, bite};

/// A way in which a channel is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Says another concurrency after the first attempt.
    Shifty,
    /// Claims that repeats are recognised where they are not.
    Boastful,
    /// Does not claim that repeats are recognised, though they are.
    Modest,
    /// Numbers what it prepares.
    Counting,
    /// Lets one unit more through than it says.
    Generous,
    /// Refuses the last unit that it says it takes.
    Stingy,
    /// Cuts one unit too late.
    Overflowing,
    /// Verifies by a trial message.
    Probing,
    /// Says that all is well, and has set nothing for who was refused.
    Forgetful,
    /// Sets all outcomes of a call at its end.
    Collecting,
    /// Gives the first of several a copy for each.
    Copying,
    /// Lists all recipients in the message.
    Revealing,
    /// Puts the number of the try into the key.
    Rekeying,
    /// Puts a question mark for what is not ASCII.
    Mangling,
    /// Gives up where the far side is busy.
    GivingUp,
    /// Takes a cut connection for a message that is not sent.
    Certain,
    /// Marks the crossing before it asks.
    Eager,
    /// Marks the crossing when it has the answer.
    Tardy,
    /// Asks a busy far side once more.
    Retrying,
    /// Does not look whether it was called off.
    Deaf,
    /// Does not look at the time.
    Patient,
    /// Goes on in the background when its call is dropped.
    Detached,
    /// Uses a connection again on which a call was dropped.
    Reusing,
    /// Keeps the message that it is about to give in one place for all calls.
    Sharing,
    /// Repeats the address in the error.
    Chatty,
    /// Logs the words.
    Logging,
    /// Does not tell what the far side says of its limit.
    Silent,
    /// Serves the task that called it first, and no other.
    Homebound,
    /// Gives a receipt another identity each time.
    Numbering,
    /// Takes whoever calls back for the far side.
    Trusting,
    /// Says that it found whatever is looked up.
    Hopeful,
}

const ENDLESS: &str = "its call has no end when the far side is silent";

pub(super) const BITES: &[Bite<Flaw>] = &[
    bite("c01", Flaw::Shifty),
    and("c02", Flaw::Boastful, &[("c10", "a far side that does not recognise repeats has two copies of one key")]),
    bite("c02", Flaw::Modest),
    bite("c03", Flaw::Counting),
    bite("c04", Flaw::Generous),
    bite("c04", Flaw::Stingy),
    bite("c04", Flaw::Overflowing),
    and("c05", Flaw::Probing, &[("c22", "the trial message arrives where nothing must")]),
    and("c06", Flaw::Forgetful, &[("c07", "what is never set is not set as soon as it is known")]),
    bite("c07", Flaw::Collecting),
    bite("c08", Flaw::Copying),
    bite("c09", Flaw::Revealing),
    and(
        "c10",
        Flaw::Rekeying,
        &[
            ("c02", "a far side cannot recognise a repeat by another key"),
            ("c26", "a far side cannot be asked under a key that it was not given"),
        ],
    ),
    bite("c11", Flaw::Mangling),
    bite("c12", Flaw::GivingUp),
    and("c13", Flaw::Certain, &[("c12", "a cut after the message was given has the wrong effect, kept or not")]),
    and("c14", Flaw::Eager, &[("c12", "what was never given has the wrong effect when the time is over")]),
    and(
        "c15",
        Flaw::Tardy,
        &[
            ("c12", "what was given has the wrong effect when the time is over"),
            ("c13", "what was given and never answered counts as not sent"),
            ("c18", "what is dropped before the answer counts as not sent, and has arrived"),
        ],
    ),
    and("c16", Flaw::Retrying, &[("c12", "a far side that is busy once is never told as busy")]),
    bite("c17", Flaw::Deaf),
    and("c17", Flaw::Patient, &[("c12", ENDLESS), ("c13", ENDLESS), ("c21", ENDLESS), ("c26", ENDLESS)]),
    bite("c18", Flaw::Detached),
    bite("c19", Flaw::Reusing),
    bite("c20", Flaw::Sharing),
    bite("c21", Flaw::Chatty),
    bite("c21", Flaw::Logging),
    bite("c22", Flaw::Silent),
    bite("c23", Flaw::Homebound),
    bite("c24", Flaw::Numbering),
    bite("c25", Flaw::Trusting),
    bite("c26", Flaw::Hopeful),
];
