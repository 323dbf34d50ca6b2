//! What a run of the suite came to.

use std::fmt;

/// What came of one clause.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It is kept.
    Kept,
    /// It cannot be judged, for this reason.
    NotApplicable(String),
    /// It is broken: what was expected, and what happened.
    Broken(String),
}

/// One clause and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClauseReport {
    /// The clause's name, such as `c08_exactly_one_message_arrives`.
    pub name: &'static str,
    /// What came of it.
    pub verdict: Verdict,
    /// Parts of it that could not be judged, with their reasons.
    pub left_out: Vec<String>,
}

impl ClauseReport {
    /// How much of it could not be judged: 1 for the whole clause, else the number of parts.
    #[must_use]
    pub fn not_applicable(&self) -> usize {
        match self.verdict {
            Verdict::NotApplicable(_) => 1,
            _ => self.left_out.len(),
        }
    }

    /// Prints what could not be judged.
    ///
    /// # Panics
    /// If the clause is broken.
    #[track_caller]
    #[expect(clippy::print_stdout, reason = "a test says what it did not test")]
    pub fn demand(&self) {
        if self.not_applicable() > 0 {
            print!("{self}");
        }
        if let Verdict::Broken(why) = &self.verdict {
            panic!("{} is broken: {why}", self.name);
        }
    }
}

impl fmt::Display for ClauseReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.verdict {
            Verdict::Kept => writeln!(f, "{}: kept", self.name)?,
            Verdict::NotApplicable(why) => writeln!(f, "{}: not applicable: {why}", self.name)?,
            Verdict::Broken(why) => writeln!(f, "{}: BROKEN: {why}", self.name)?,
        }
        self.left_out.iter().try_for_each(|part| writeln!(f, "  not applicable: {part}"))
    }
}

/// What a run of the whole suite came to, clause by clause. `Display` is one line for each, and one for each part that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContractReport {
    /// The clauses, in their order.
    pub clauses: Vec<ClauseReport>,
}

impl ContractReport {
    pub(super) fn new(clauses: Vec<ClauseReport>) -> Self {
        Self { clauses }
    }

    /// The clauses that are broken.
    pub fn broken(&self) -> impl Iterator<Item = &ClauseReport> {
        self.clauses.iter().filter(|clause| matches!(clause.verdict, Verdict::Broken(_)))
    }

    /// How many clauses and parts of clauses could not be judged.
    #[must_use]
    pub fn not_applicable(&self) -> usize {
        self.clauses.iter().map(ClauseReport::not_applicable).sum()
    }

    /// Prints the report, or panics with it.
    ///
    /// # Panics
    /// If a clause is broken, or another number of clauses and parts than this could not be judged.
    #[track_caller]
    #[expect(clippy::print_stdout, reason = "a test says what it did not test")]
    pub fn demand(&self, not_applicable: usize) {
        let broken: Vec<&str> = self.broken().map(|clause| clause.name).collect();
        assert!(broken.is_empty(), "broken: {broken:?}\n{self}");
        let left_out = self.not_applicable();
        assert!(
            left_out == not_applicable,
            "{left_out} clauses and parts do not apply; the test says {not_applicable}\n{self}"
        );
        print!("{self}");
    }
}

impl fmt::Display for ContractReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.clauses.iter().try_for_each(|clause| write!(f, "{clause}"))?;
        let (all, broken) = (self.clauses.len(), self.broken().count());
        writeln!(f, "{all} clauses, {broken} broken, {} clauses and parts not applicable", self.not_applicable())
    }
}
