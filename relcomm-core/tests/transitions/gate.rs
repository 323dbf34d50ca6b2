//! The gate's tables.

use super::table::{Count, START, Table, offset, print, span};
use relcomm_core::clock::Moment;
use relcomm_core::course::{Closed, Dependence, Embargo, Gate, GateFact, GateInput, GateRule, Phase, Remedy, Verdict};
use relcomm_core::release::Outcome;
use std::time::Duration;

/// What a row says before and after its input.
struct Conditions {
    outcome: Outcome,
    awaits: bool,
    void: bool,
    held: bool,
    undeclared: bool,
    dependence: Dependence,
    declared: Option<Outcome>,
    cursor: u32,
    not_after: Option<Moment>,
    revision: bool,
    called: bool,
    widened: bool,
    outdated: bool,
    remedy: Option<Remedy>,
    patience: Duration,
    seen: bool,
    forced: bool,
    met_since: bool,
    /// The plan was prepared again since, with another dependency.
    other: bool,
    later: Duration,
}

impl Conditions {
    fn read<'a>(row: &str, words: impl Iterator<Item = &'a str>) -> Self {
        let mut c = Self {
            outcome: Outcome::Success,
            awaits: true,
            void: false,
            held: false,
            undeclared: false,
            dependence: Dependence::Met { at: START },
            declared: None,
            cursor: 0,
            not_after: None,
            revision: false,
            called: false,
            widened: false,
            outdated: false,
            remedy: None,
            patience: Duration::ZERO,
            seen: false,
            forced: false,
            met_since: false,
            other: false,
            later: Duration::ZERO,
        };
        for word in words {
            match word {
                "plain" => {}
                "revision" => c.revision = true,
                "called" => (c.revision, c.called) = (true, true),
                "widened" => c.widened = true,
                "outdated" => c.outdated = true,
                "then ask" => c.remedy = Some(Remedy::Ask),
                "then proceed" => c.remedy = Some(Remedy::Proceed),
                "then close" => c.remedy = Some(Remedy::Close),
                "seen" => c.seen = true,
                "forced" => (c.seen, c.forced) = (true, true),
                "met since" => c.met_since = true,
                "other" => c.other = true,
                "void" => c.void = true,
                "held" => c.held = true,
                "undeclared" => c.undeclared = true,
                "awaits none" => c.awaits = false,
                "pending" => c.dependence = Dependence::Pending,
                "impossible" => c.dependence = Dependence::Impossible,
                "moot" => c.dependence = Dependence::Moot { at: START },
                _ => {
                    if let Some(outcome) = word.strip_prefix("for ") {
                        c.outcome = outcome.parse().unwrap();
                    } else if let Some(outcome) = word.strip_prefix("declared ") {
                        c.declared = outcome.parse().ok();
                    } else if let Some(cursor) = word.strip_prefix("at ") {
                        c.cursor = cursor.parse().unwrap();
                    } else if let Some(patience) = word.strip_prefix("blocked for ") {
                        c.patience = span(patience).unwrap();
                    } else if let Some(at) = word.strip_prefix("not-after ") {
                        c.not_after = Some(START + span(at).unwrap());
                    } else {
                        c.later = span(word).unwrap_or_else(|| panic!("unknown condition `{word}` in row `{row}`"));
                    }
                }
            }
        }
        c
    }

    fn rule(&self) -> GateRule {
        let mut rule = GateRule::new(Some(START), 1);
        rule.outcome = self.outcome;
        rule.awaits_declaration = self.awaits;
        rule.not_after = self.not_after;
        rule.revision = self.revision;
        rule.if_blocked = self.remedy.map(|remedy| (self.patience, remedy));
        rule
    }

    /// What the plan says when the input comes.
    fn rule_now(&self) -> GateRule {
        let mut rule = self.rule();
        rule.awaits = u64::from(self.other);
        rule
    }

    /// The state of a column, or `None` if the conditions do not allow it.
    fn build(&self, column: &str) -> Option<Gate> {
        let rule = self.rule();
        let mut gate = Gate::default();
        take(&mut gate, &rule, GateInput::Approve(true), START);
        if self.dependence != Dependence::Pending {
            take(&mut gate, &rule, GateInput::Dependence { index: 0, is: self.dependence }, START);
        }
        if self.called {
            take(&mut gate, &rule, GateInput::Call, START);
        }
        if self.awaits && !self.undeclared {
            take(&mut gate, &rule, GateInput::Declare(self.outcome, START), START);
        }
        if self.seen {
            take(&mut gate, &rule, GateInput::Tick, START);
        }
        if self.forced {
            take(&mut gate, &rule, GateInput::Proceed, START);
        }
        if self.met_since {
            take(&mut gate, &rule, GateInput::Dependence { index: 0, is: Dependence::Met { at: START } }, START);
        }
        // The conditions of the row come as late as the column's phase allows.
        let mut late = Some(());
        let conditions = |gate: &mut Gate| {
            for (is, input) in [(self.held, GateInput::Hold(true)), (self.void, GateInput::Approve(false))] {
                if is {
                    take(gate, &rule, input, START);
                }
            }
        };
        let declare = |gate: &mut Gate| {
            if let Some(outcome) = self.declared {
                take(gate, &rule, GateInput::Declare(outcome, START + Duration::from_secs(1)), START);
            }
        };
        let inputs: &[GateInput] = match column {
            "Waiting" => &[],
            "Closed" => &[GateInput::Cancel],
            "Opening" => &[GateInput::Tick],
            "Open" => &[GateInput::Tick, GateInput::Rolled { to: 3, last: true }],
            "Settled" => &[GateInput::Tick, GateInput::Rolled { to: 3, last: true }, GateInput::Quiet],
            _ => panic!("unknown column `{column}`"),
        };
        for (n, input) in inputs.iter().enumerate() {
            // The last input that would come too late for them.
            if matches!(input, GateInput::Cancel | GateInput::Quiet) && n + 1 == inputs.len() && late.take().is_some() {
                conditions(&mut gate);
                if *input == GateInput::Cancel {
                    declare(&mut gate);
                }
            }
            take(&mut gate, &rule, *input, START);
        }
        if late.is_some() {
            conditions(&mut gate);
        }
        declare(&mut gate);
        if column == "Opening" && self.cursor > 0 {
            take(&mut gate, &rule, GateInput::Rolled { to: self.cursor, last: false }, START);
        }
        if self.widened {
            take(&mut gate, &rule, GateInput::Widen { entered: 3 }, START);
        }
        if self.outdated {
            take(&mut gate, &rule, GateInput::Slip { number: 1 }, START);
        }
        (phase(gate.phase) == column).then_some(gate)
    }
}

fn take(gate: &mut Gate, rule: &GateRule, input: GateInput, now: Moment) -> Vec<GateFact> {
    let before = gate.clone();
    let facts = gate.decide(rule, &input, now);
    for fact in &facts {
        gate.apply(fact);
    }
    assert_eq!(facts.is_empty(), *gate == before, "facts and changes go together: {input:?}");
    assert!(gate.is_out() || !before.is_out(), "what is out stays out");
    if matches!(before.phase, Phase::Closed(_)) {
        assert_eq!(gate.phase, before.phase, "closed for good");
    }
    facts.to_vec()
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Waiting => "Waiting",
        Phase::Opening { .. } => "Opening",
        Phase::Open => "Open",
        Phase::Settled => "Settled",
        Phase::Closed(_) => "Closed",
        _ => panic!("a phase without a column"),
    }
}

fn input(row: &str, text: &str) -> GateInput {
    let words: Vec<&str> = text.split(' ').collect();
    match words[..] {
        ["approve"] => GateInput::Approve(true),
        ["void"] => GateInput::Approve(false),
        ["declare", "success"] => GateInput::Declare(Outcome::Success, START),
        ["declare", outcome] => {
            GateInput::Declare(outcome.parse().expect("an outcome"), START + Duration::from_secs(60))
        }
        ["hold"] => GateInput::Hold(true),
        ["resume"] => GateInput::Hold(false),
        ["cancel"] => GateInput::Cancel,
        ["proceed"] => GateInput::Proceed,
        ["dependency", index, is] => GateInput::Dependence {
            index: index.parse().expect("a number"),
            is: match is {
                "met" => Dependence::Met { at: START + Duration::from_secs(60) },
                "moot" => Dependence::Moot { at: START + Duration::from_secs(60) },
                "impossible" => Dependence::Impossible,
                "pending" => Dependence::Pending,
                _ => panic!("unknown dependence in row `{row}`"),
            },
        },
        ["tick"] => GateInput::Tick,
        ["rolled", "to", to] => GateInput::Rolled { to: to.parse().expect("a number"), last: false },
        ["rolled", "to", to, "last"] => GateInput::Rolled { to: to.parse().expect("a number"), last: true },
        ["quiet"] => GateInput::Quiet,
        ["stir"] => GateInput::Stir,
        ["call"] => GateInput::Call,
        ["slip", number] => GateInput::Slip { number: number.parse().expect("a number") },
        ["widen", "to", to] => GateInput::Widen { entered: to.parse().expect("a number") },
        _ => panic!("unknown input in row `{row}`"),
    }
}

fn text(fact: &GateFact) -> String {
    let yes = |yes| if yes { "yes" } else { "no" };
    match *fact {
        GateFact::Approved(is) => format!("Approved({})", yes(is)),
        GateFact::Declared(outcome, _) => format!("Declared({outcome})"),
        GateFact::Held(is) => format!("Held({})", yes(is)),
        GateFact::Awaits(_) => "Awaits".into(),
        GateFact::Dependence { index, is } => {
            let is = match is {
                Dependence::Pending => "pending",
                Dependence::Met { .. } => "met",
                Dependence::Moot { .. } => "moot",
                Dependence::Impossible => "impossible",
            };
            format!("Dependence({index} {is})")
        }
        GateFact::Opened { stands_on: None, .. } => "Opened".to_owned(),
        GateFact::Opened { stands_on: Some(on), .. } => format!("Opened({on})"),
        GateFact::Rolled { to, last } => format!("Rolled({to}{})", if last { " last" } else { "" }),
        GateFact::Settled => "Settled".to_owned(),
        GateFact::Stirred => "Stirred".to_owned(),
        GateFact::Called => "Called".to_owned(),
        GateFact::Outdated { by } => format!("Outdated({by})"),
        GateFact::Widened { entered, .. } => format!("Widened({entered})"),
        GateFact::Blocked { .. } => "Blocked".to_owned(),
        GateFact::Unblocked => "Unblocked".to_owned(),
        GateFact::Asked => "Asked".to_owned(),
        GateFact::Forced { .. } => "Forced".to_owned(),
        GateFact::Closed(why) => {
            let why = match why {
                Closed::Expired => "expired",
                Closed::Cancelled => "cancelled",
                Closed::Superseded => "superseded",
                Closed::Blocked => "blocked",
                _ => panic!("a reason that the table cannot print"),
            };
            format!("Closed({why})")
        }
        _ => panic!("a fact that the table cannot print: {fact:?}"),
    }
}

/// Brings every cell about and compares the facts.
pub(crate) fn check(table: &Table) -> Count {
    let mut count = Count::default();
    for row in &table.rows {
        let mut words = row.input.split(", ");
        let what = words.next().expect("a row has an input");
        let conditions = Conditions::read(&row.input, words);
        for (column, cell) in table.columns.iter().zip(&row.cells) {
            count.total += 1;
            let found = conditions.build(column).map(|mut gate| {
                let now = START + conditions.later;
                let facts = take(&mut gate, &conditions.rule_now(), input(&row.input, what), now);
                print(&facts.iter().map(text).collect::<Vec<_>>())
            });
            count.compare(&row.input, column, cell, found.as_deref());
        }
    }
    count
}

/// Whether attempts may be leased.
pub(crate) fn leasable(table: &Table) -> Count {
    let mut count = Count::default();
    for row in &table.rows {
        let conditions = Conditions::read(&row.input, row.input.split(", "));
        for (column, cell) in table.columns.iter().zip(&row.cells) {
            count.total += 1;
            let found = conditions.build(column).map(|g| if g.leasable() { "yes" } else { "no" });
            count.compare(&row.input, column, cell, found);
        }
    }
    count
}

/// Whether a condition of the verdict's list is to hold.
fn worsen(condition: &str, gate: &mut Gate, rule: &mut GateRule) {
    let none = |gate: &mut Gate, index, is| gate.apply(&GateFact::Dependence { index, is });
    match condition {
        "it is a revision that was not called" => rule.revision = true,
        "not-after has passed" => {
            rule.not_after = Some(START - Duration::from_millis(1));
            rule.unsteady = None;
        }
        "another outcome is declared" => gate.apply(&GateFact::Declared(Outcome::Failure, START)),
        "the outcome is not declared yet" => gate.declared = None,
        "a person holds it" => gate.apply(&GateFact::Held(true)),
        "it is not approved" => gate.apply(&GateFact::Approved(false)),
        "a gap is not accepted" => rule.gap = true,
        "the embargo has to be lifted" => rule.embargo = Some(Embargo::Lift),
        "the embargo has not ended" => rule.embargo = Some(Embargo::Until(START + Duration::from_secs(7200))),
        "the embargo has ended by a clock that has jumped" => {
            rule.embargo = Some(Embargo::Until(START));
            rule.unsteady = Some(START + Duration::from_secs(600));
        }
        "not-after has passed by a clock that has jumped" => {
            rule.not_after = Some(START - Duration::from_millis(1));
            rule.unsteady = Some(START + Duration::from_secs(600));
        }
        "its anchor is undetermined" => rule.due = None,
        "a dependency is impossible, and a person is asked" => {
            rule.if_blocked = Some((Duration::ZERO, Remedy::Ask));
            none(gate, 1, Dependence::Impossible);
            gate.apply(&GateFact::Blocked { since: START });
            gate.apply(&GateFact::Asked);
        }
        "a dependency is impossible, and something is done then" => {
            rule.if_blocked = Some((Duration::from_secs(3600), Remedy::Proceed));
            none(gate, 1, Dependence::Impossible);
            gate.apply(&GateFact::Blocked { since: START });
        }
        "a dependency is impossible" => none(gate, 1, Dependence::Impossible),
        "a dependency is pending" => none(gate, 0, Dependence::Pending),
        "it is not due yet" => rule.due = rule.due.map(|_| START + Duration::from_secs(3600)),
        "none of these" => {}
        _ => panic!("unknown condition `{condition}`"),
    }
}

/// The verdicts, alone, in pairs, and with everything that the list puts after them.
pub(crate) fn verdicts(table: &Table) -> Count {
    let mut count = Count::default();
    for (n, row) in table.rows.iter().enumerate() {
        count.total += 1;
        let found = |conditions: &[&str]| {
            let mut rule = GateRule::new(Some(START), 2);
            let mut gate = Gate::default();
            let met = Dependence::Met { at: START };
            take(&mut gate, &rule, GateInput::Approve(true), START);
            take(&mut gate, &rule, GateInput::Declare(Outcome::Success, START), START);
            take(&mut gate, &rule, GateInput::Dependence { index: 0, is: met }, START);
            take(&mut gate, &rule, GateInput::Dependence { index: 1, is: met }, START);
            for condition in conditions.iter().rev() {
                worsen(condition, &mut gate, &mut rule);
            }
            match gate.verdict(&rule, START) {
                Verdict::Due(at) => format!("Due({})", offset(at)),
                Verdict::BlockedUntil(index, at) => format!("BlockedUntil({index} {})", offset(at)),
                Verdict::Embargoed(Some(at)) => format!("Embargoed({})", offset(at)),
                Verdict::Embargoed(None) => "Embargoed".to_owned(),
                Verdict::Unsteady(at) => format!("Unsteady({})", offset(at)),
                verdict => format!("{verdict:?}"),
            }
        };
        count.compare(&row.input, "alone", &row.cells[0], Some(&found(&[&row.input])));
        count.hit -= 1;
        let after: Vec<&str> = table.rows[n..].iter().map(|r| r.input.as_str()).collect();
        count.compare(&row.input, "with all after it", &row.cells[0], Some(&found(&after)));
        for later in &after[1..] {
            let pair = found(&[&row.input, later]);
            assert_eq!(row.cells[0], pair, "{} comes before {later}", row.input);
        }
    }
    count
}
