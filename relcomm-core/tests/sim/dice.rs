//! Dice from a seed: the same throws for the same seed, on every machine.

/// SplitMix64: small, fast, and good enough to throw dice with.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Dice of their own for one purpose, so that more throws for one thing do not change those for another.
    pub(crate) fn apart(seed: u64, purpose: &str) -> Self {
        let mut hash = seed ^ 0xCBF2_9CE4_8422_2325;
        for byte in purpose.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        }
        let mut dice = Self(hash);
        dice.next();
        dice
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `n`; 0 for 0.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % (n.max(1) as u64)) as usize
    }

    /// From `from` to `to`, both included.
    pub(crate) fn between(&mut self, from: i64, to: i64) -> i64 {
        from + (self.next() % (to - from + 1).unsigned_abs()) as i64
    }

    /// Yes in so many of a hundred.
    pub(crate) fn percent(&mut self, n: u64) -> bool {
        self.next() % 100 < n
    }

    pub(crate) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// Some of these, each with a chance of so many in a hundred; at least one.
    pub(crate) fn some<T: Clone>(&mut self, of: &[T], percent: u64) -> Vec<T> {
        let mut some: Vec<T> = of.iter().filter(|_| self.percent(percent)).cloned().collect();
        if some.is_empty() {
            some.push(of[self.below(of.len())].clone());
        }
        some
    }
}
