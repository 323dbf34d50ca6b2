//! Answers by chance, which a seed repeats.

use super::Answer;
use relcomm_core::receipt::Assurance;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

/// The variable of the environment that holds the seed of a run to be repeated.
pub const SEED: &str = "RELCOMM_CHAOS_SEED";

/// Answers by chance. The same seed gives the same answer to the n-th call for the same address, in whatever order the addresses come, so
/// that a failure can be repeated. (It is the call that counts, not the number of the try: a fault of the whole channel counts nobody's.)
///
/// ```
/// use relcomm_testkit::channel::{Answer, Chaos, ScriptedChannel};
///
/// let mail = ScriptedChannel::new("smtp").chaotic(Chaos::new());
/// // Only what one cares for, in these proportions:
/// let pager = ScriptedChannel::new("pager").chaotic(Chaos::seeded(7).only([(9, Answer::Defer(None)), (1, Answer::LoseAnswer)]));
/// ```
#[derive(Clone, Debug)]
pub struct Chaos {
    seed: u64,
    answers: Vec<(u32, Answer)>,
}

impl Default for Chaos {
    fn default() -> Self {
        Self::new()
    }
}

impl Chaos {
    /// Another seed each time, or the one in the environment under [`SEED`]; it is printed, and a failing test shows what was printed.
    #[must_use]
    #[expect(clippy::print_stdout, reason = "without its seed a failure cannot be repeated")]
    pub fn new() -> Self {
        let given = std::env::var(SEED).ok().and_then(|text| text.trim().parse().ok());
        let seed = given.unwrap_or_else(|| RandomState::new().build_hasher().finish());
        println!("chaos: repeat with {SEED}={seed}");
        Self::seeded(seed)
    }

    /// This seed. Most calls are accepted; each of the other answers comes once in twenty or rarer.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        let soon = Duration::from_secs(30);
        let answers = vec![
            (60, Answer::Accept(Assurance::Accepted)),
            (5, Answer::After(soon, Box::new(Answer::Accept(Assurance::Accepted)))),
            (4, Answer::Refuse),
            (5, Answer::Defer(None)),
            (5, Answer::Defer(Some(soon))),
            (3, Answer::Fault(None)),
            (3, Answer::Fault(Some(soon))),
            (4, Answer::LoseAnswer),
            (4, Answer::LoseMessage),
            (2, Answer::Hang),
            (2, Answer::HangAccepted),
            (2, Answer::Panic),
            (1, Answer::LeaveOpen),
        ];
        Self { seed, answers }
    }

    /// Only these answers, each with its weight. With none, or if all weigh nothing, everything is accepted.
    #[must_use]
    pub fn only(mut self, answers: impl IntoIterator<Item = (u32, Answer)>) -> Self {
        self.answers = answers.into_iter().collect();
        self
    }

    /// The seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The answer to this call for this address, counted from 1.
    #[must_use]
    pub fn answer(&self, address: &str, call: u32) -> Answer {
        let whole: u64 = self.answers.iter().map(|(weight, _)| u64::from(*weight)).sum();
        let Some(mut place) = mixed(self.seed, address, call).checked_rem(whole) else {
            return Answer::Accept(Assurance::Accepted);
        };
        for (weight, answer) in &self.answers {
            match place.checked_sub(u64::from(*weight)) {
                Some(rest) => place = rest,
                None => return answer.clone(),
            }
        }
        Answer::Accept(Assurance::Accepted)
    }
}

/// FNV-1a over everything, and the finish of SplitMix64: the same on every machine and with every version of Rust.
fn mixed(seed: u64, address: &str, call: u32) -> u64 {
    let octets = seed.to_le_bytes().into_iter().chain(address.bytes()).chain([0xff]).chain(call.to_le_bytes());
    let hash = octets
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| (hash ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01b3));
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::{Answer, Chaos};
    use relcomm_core::receipt::Assurance;

    fn walk(chaos: &Chaos) -> Vec<String> {
        (0..200).map(|n| format!("{:?}", chaos.answer(&format!("p{}@c.test", n % 20), n / 20))).collect()
    }

    #[test]
    fn a_seed_repeats_and_another_does_not() {
        assert_eq!(walk(&Chaos::seeded(7)), walk(&Chaos::seeded(7)));
        assert_ne!(walk(&Chaos::seeded(7)), walk(&Chaos::seeded(8)));
        // What was once printed must be worth something later: the same everywhere.
        assert_eq!(super::mixed(7, "al@c.test", 1), 0x5d09_55e4_abc0_0f31);
        assert!(matches!(Chaos::seeded(1).only([]).answer("a", 1), Answer::Accept(Assurance::Accepted)));
    }

    #[test]
    fn weights_are_kept() {
        let chaos = Chaos::seeded(3).only([(9, Answer::Refuse), (0, Answer::Panic), (1, Answer::Hang)]);
        let count = |wanted: &str| {
            let all = (0..2000).map(|n| format!("{:?}", chaos.answer("a@c.test", n)));
            all.filter(|answer| answer == wanted).count()
        };
        let (refused, hung) = (count("Refuse"), count("Hang"));
        assert_eq!((refused + hung, count("Panic")), (2000, 0));
        assert!((150..250).contains(&hung), "{hung} of 2000");
    }
}
