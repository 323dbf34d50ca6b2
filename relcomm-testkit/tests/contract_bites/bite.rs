//! Wrong implementations, the clause that each is made to break, and the table of what they broke.

use std::collections::BTreeMap;
use std::fmt::{Debug, Write};

/// One wrong implementation.
pub(crate) struct Bite<F> {
    /// The number of the clause, such as `c07`.
    pub(crate) clause: &'static str,
    pub(crate) flaw: F,
    /// What else it breaks, and why.
    also: &'static [(&'static str, &'static str)],
}

/// It breaks this clause and no other.
pub(crate) const fn bite<F>(clause: &'static str, flaw: F) -> Bite<F> {
    Bite { clause, flaw, also: &[] }
}

/// It breaks this clause, and others with it.
pub(crate) const fn and<F>(clause: &'static str, flaw: F, also: &'static [(&'static str, &'static str)]) -> Bite<F> {
    Bite { clause, flaw, also }
}

/// What was found.
#[derive(Default)]
pub(crate) struct Table {
    caught: BTreeMap<&'static str, Vec<String>>,
    also: String,
    wrong: String,
}

impl Table {
    /// The wrong implementation broke these clauses, by number, for these reasons.
    pub(crate) fn judged<F: Debug>(&mut self, bite: &Bite<F>, broken: &[&str], told: &str) {
        let flaw = format!("{:?}", bite.flaw);
        let mut expected: Vec<&str> = bite.also.iter().map(|(clause, _)| *clause).chain([bite.clause]).collect();
        expected.sort_unstable();
        if broken != expected {
            writeln!(self.wrong, "{flaw} breaks {broken:?}, not {expected:?}:\n{told}").unwrap();
        }
        for (clause, why) in bite.also {
            writeln!(self.also, "{flaw} breaks {clause} too: {why}").unwrap();
        }
        self.caught.entry(bite.clause).or_default().push(flaw);
    }

    /// Prints the table; every wrong implementation broke what it should, and every clause has one.
    pub(crate) fn demand<'a>(self, clauses: impl Iterator<Item = &'a str>) {
        let mut without = Vec::new();
        println!("clause -> what it catches");
        for name in clauses {
            match self.caught.get(&name[..3]) {
                Some(flaws) => println!("{name} -> {}", flaws.join(", ")),
                None => without.push(name),
            }
        }
        println!("{}", self.also);
        assert!(self.wrong.is_empty(), "{}", self.wrong);
        assert!(without.is_empty(), "nothing shows that these can fail: {without:?}");
    }
}
