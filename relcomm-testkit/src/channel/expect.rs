//! What a test expects of a channel, checked when it ends.

use super::{ScriptedChannel, Seen};
use std::fmt::Write;
use std::thread::panicking;

/// What a test expects to have happened on a channel by its end. It is checked when this is dropped; the panic shows what was expected
/// and everything that happened. A test that panics already is left alone.
///
/// ```should_panic
/// use relcomm_testkit::channel::ScriptedChannel;
///
/// let mail = ScriptedChannel::new("smtp");
/// let _expected = mail.expect().arrives("al@anvil.example", 1).nothing_else();
/// // … nothing happens, and the test ends.
/// ```
#[derive(Debug)]
#[must_use = "expectations are checked when they are dropped"]
pub struct Expectations {
    channel: ScriptedChannel,
    wanted: Vec<Wanted>,
    closed: bool,
}

#[derive(Debug)]
struct Wanted {
    address: String,
    count: usize,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Tries,
    Arrivals,
}

impl Expectations {
    pub(super) fn of(channel: ScriptedChannel) -> Self {
        Self { channel, wanted: Vec::new(), closed: false }
    }

    /// So many messages arrive at this address; the empty address is the binding's.
    pub fn arrives(self, address: &str, count: usize) -> Self {
        self.also(address, count, What::Arrivals)
    }

    /// So many attempts are made for this address.
    pub fn tries(self, address: &str, count: usize) -> Self {
        self.also(address, count, What::Tries)
    }

    /// No attempt is made for any address that is not named here.
    pub fn nothing_else(mut self) -> Self {
        self.closed = true;
        self
    }

    fn also(mut self, address: &str, count: usize, what: What) -> Self {
        self.wanted.push(Wanted { address: address.to_owned(), count, what });
        self
    }

    /// Whether all of it has happened so far.
    ///
    /// # Errors
    /// The transcript: what was expected, and what happened.
    pub fn check(&self) -> Result<(), String> {
        let (seen, arrived) = (self.channel.seen(), self.channel.arrived());
        let mut met = true;
        let mut told = String::from("expected:\n");
        for wanted in &self.wanted {
            let (all, word) = match wanted.what {
                What::Tries => (&seen, "tries"),
                What::Arrivals => (&arrived, "arrivals"),
            };
            let count = all.iter().filter(|one| one.address == wanted.address).count();
            met &= count == wanted.count;
            let mark = if count == wanted.count { "  " } else { "! " };
            // Writing to a string does not fail.
            let _ = writeln!(told, "{mark}{} {word} at `{}`: {count}", wanted.count, wanted.address);
        }
        let named = |one: &Seen| self.wanted.iter().any(|wanted| wanted.address == one.address);
        if self.closed {
            let others = seen.iter().filter(|one| !named(one)).count();
            met &= others == 0;
            let _ = writeln!(told, "{}nothing else: {others}", if others == 0 { "  " } else { "! " });
        }
        let _ = writeln!(told, "happened:");
        for (number, one) in (1..).zip(&seen) {
            let _ = writeln!(told, "  {number}. {one:?}");
        }
        if seen.is_empty() {
            told += "  nothing\n";
        }
        if met { Ok(()) } else { Err(told) }
    }
}

impl Drop for Expectations {
    fn drop(&mut self) {
        if panicking() {
            return;
        }
        if let Err(told) = self.check() {
            panic!("not what was expected\n{told}");
        }
    }
}
