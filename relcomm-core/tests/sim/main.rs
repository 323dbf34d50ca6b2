//! The simulation: plans are made up and played by the thousand, against far sides, people, crashes and clocks that are made up too, and
//! what comes of them is compared with what an oracle says that knows nothing of the engine.
//!
//! | variable | means | without it |
//! | --- | --- | --- |
//! | `SIM_SEED` | the first seed; with `SIM_CASES=1` one case is told in full | 1 |
//! | `SIM_CASES` | how many cases | 500 |
//! | `SIM_FRESH` | how many more, from a seed that nobody chose, which is printed | none |
//! | `SIM_SMALL` | how many small plans are crashed everywhere | 8 |
//!
//! `.ci/sim` runs it in full.

mod corrections;
mod dice;
mod model;
mod case;
mod features;
mod plans;
mod yaml;
mod far_side;
mod play;
mod oracle;
mod invariants;

use features::{LEAST, features, table};
use model::{Case, Crash, Trouble, When};
use plans::Size;
use play::{Played, Stage};
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::ops::Range;
use std::sync::Arc;

/// From so many cases on it is told, and tested, how many have each feature.
const ENOUGH: u64 = 1_000;

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(usual)
}

/// What a run of many cases came to.
#[derive(Default)]
struct Sum {
    cases: usize,
    entries: usize,
    communiques: usize,
    rows: usize,
    foretold: usize,
    features: Vec<usize>,
    wrong: BTreeMap<u64, Vec<String>>,
}

impl Sum {
    fn add(&mut self, case: &Case, played: Result<&Played, &String>) {
        self.cases += 1;
        self.communiques += case.communiques.len();
        self.features.resize(features().count(), 0);
        for (feature, count) in features().zip(&mut self.features) {
            *count += usize::from((feature.is_in)(case));
        }
        let wrong = match played {
            Ok(played) => {
                self.entries += played.entries.len();
                let judgement = invariants::judge(case, played);
                self.rows += judgement.rows;
                self.foretold += judgement.foretold;
                judgement.wrong
            }
            Err(why) => vec![why.clone()],
        };
        if !wrong.is_empty() {
            self.wrong.insert(case.seed, wrong);
        }
    }

    fn join(mut self, other: Self) -> Self {
        self.cases += other.cases;
        self.entries += other.entries;
        self.communiques += other.communiques;
        self.rows += other.rows;
        self.foretold += other.foretold;
        self.features.resize(features().count(), 0);
        self.features.iter_mut().zip(&other.features).for_each(|(mine, theirs)| *mine += theirs);
        self.wrong.extend(other.wrong);
        self
    }
}

fn play(case: &Arc<Case>) -> Result<Played, String> {
    Stage::new(Arc::clone(case)).and_then(Stage::play)
}

/// On two threads, each every other case.
fn run(seeds: Range<u64>, size: Size) -> Sum {
    let half = |odd: u64| {
        let mut sum = Sum::default();
        for seed in seeds.clone().filter(|seed| seed % 2 == odd) {
            let case = Arc::new(plans::case(seed, size));
            sum.add(&case, play(&case).as_ref());
            // One is enough to look at.
            if sum.wrong.len() > 4 {
                break;
            }
        }
        sum
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| half(1));
        let sum = half(0);
        sum.join(other.join().expect("a thread that judges does not panic"))
    })
}

/// A case in full, for whoever looks for what is wrong.
fn story(case: &Arc<Case>) -> String {
    let mut out = format!("{}\n{:?}\n", case.yaml(&case.absent()), case.trouble);
    for (at, event) in &case.events {
        out += &format!("{} {event:?}\n", yaml::instant(*at));
    }
    if let Ok(played) = play(case) {
        let cut = invariants::cut(case, &played);
        out += &format!("{cut:?}\n{}", oracle::Oracle::new(&oracle::as_shown(case), &cut).describe());
        for call in &played.calls {
            out += &format!("{call:?}\n");
        }
        for entry in &played.entries {
            out += &format!("{} {:?} {:?}\n", entry.at, entry.subject, entry.fact);
        }
    }
    out
}

#[expect(clippy::print_stdout, reason = "whoever repeats a case wants to read it")]
fn judge(what: &str, sum: &Sum) {
    let share = sum.foretold as f64 / sum.rows.max(1) as f64;
    println!(
        "{what}: {} cases, {:.1} communiques and {:.0} entries each, {} rows of reports, {:.1} % of them foretold",
        sum.cases,
        sum.communiques as f64 / sum.cases.max(1) as f64,
        sum.entries as f64 / sum.cases.max(1) as f64,
        sum.rows,
        100.0 * share,
    );
    for (seed, wrong) in sum.wrong.iter().take(5) {
        println!("seed {seed}: {}", wrong.join("\n  "));
    }
    if let (Some((seed, _)), true) = (sum.wrong.iter().next(), sum.cases == 1 || !sum.wrong.is_empty()) {
        println!("{}", story(&Arc::new(plans::case(*seed, Size::Usual))));
    }
    let seeds: Vec<&u64> = sum.wrong.keys().collect();
    assert!(sum.wrong.is_empty(), "{what}: to see one again: SIM_SEED=SEED SIM_CASES=1, with one of {seeds:?}");
}

#[test]
#[expect(clippy::print_stdout, reason = "the table of features is for people")]
fn what_comes_of_plans_is_what_was_foretold() {
    let (first, cases) = (setting("SIM_SEED", 1), setting("SIM_CASES", 500));
    let sum = run(first..first + cases, Size::Usual);
    if cases >= ENOUGH {
        for (feature, percent) in table(&sum.features, sum.cases) {
            println!("{percent:5.1} % {feature}");
        }
    }
    judge("fixed seeds", &sum);
    if cases < ENOUGH {
        return;
    }
    for (feature, percent) in table(&sum.features, sum.cases) {
        assert!(percent >= LEAST, "{feature} is in {percent:.1} % of the cases only");
    }
    let mean = |n: usize| n as f64 / sum.cases as f64;
    assert!(mean(sum.communiques) >= 5.0, "plans are too small: {:.1} communiques", mean(sum.communiques));
    assert!(mean(sum.entries) >= 40.0, "too little happens: {:.1} entries", mean(sum.entries));
    let share = sum.foretold as f64 / sum.rows as f64;
    assert!(share >= 0.85, "the oracle foretells {share:.2} of the rows only");
    let fresh = setting("SIM_FRESH", 0);
    if fresh > 0 {
        let from = RandomState::new().build_hasher().finish() >> 16;
        println!("fresh seeds from {from}");
        judge("fresh seeds", &run(from..from + fresh, Size::Usual));
    }
}

#[test]
fn the_same_seed_gives_the_same_record() {
    for seed in 0..40 {
        let written = || {
            let case = Arc::new(plans::case(seed, Size::Usual));
            let played = play(&case).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
            (serde_json::to_string(&played.entries).expect("entries can be written"), played.report.to_json())
        };
        assert!(written() == written(), "two plays of seed {seed} differ");
    }
}

/// Every write of the record, before and after it, and every point of an attempt.
fn crashes(played: &Played) -> impl Iterator<Item = When> + use<> {
    let writes = played.writes;
    (1..=writes).map(When::Before).chain((1..=writes).map(When::After)).chain((1..=played.points).map(When::Point))
}

#[test]
#[expect(clippy::print_stdout, reason = "how many crashes there were is for people")]
fn small_plans_come_to_the_same_wherever_a_dispatcher_dies() {
    let plans = setting("SIM_SMALL", 8);
    let half = |odd: u64| {
        let mut sum = Sum::default();
        for seed in (0..plans).filter(|seed| seed % 2 == odd) {
            let mut case = plans::case(seed, Size::Small);
            case.trouble = Trouble { outages: case.trouble.outages, ..Trouble::default() };
            let calm = Arc::new(case.clone());
            let played = play(&calm).unwrap_or_else(|why| panic!("small plan {seed}: {why}"));
            for when in crashes(&played) {
                case.trouble.crashes = vec![Crash { who: 0, when, back: 40 }];
                let case = Arc::new(case.clone());
                let again = play(&case);
                let wrong = sum.wrong.len();
                sum.add(&case, again.as_ref());
                assert!(
                    sum.wrong.len() == wrong,
                    "small plan {seed}, crash {when:?}: {:?}\n{}",
                    sum.wrong,
                    story(&case)
                );
            }
        }
        sum
    };
    let sum = std::thread::scope(|scope| {
        let other = scope.spawn(|| half(1));
        let sum = half(0);
        sum.join(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    println!("{plans} small plans were crashed at {} points", sum.cases);
    let share = sum.foretold as f64 / sum.rows.max(1) as f64;
    assert!(sum.cases as u64 >= plans * 10 && share > 0.7, "{} crashes, {share:.2} foretold", sum.cases);
}
