//! What a million people cost: to load and judge, to hold, to open again after a restart.
//!
//! `cargo bench -p relcomm-core --features sqlite --bench scale` prints one line of JSON for each measurement: `name`, `n`, `secs`,
//! `ns_per`, `peak_mb` (the greatest resident size of the process that measured) and what else a measurement says of itself. Each
//! measurement runs in a process of its own. `-- N` measures another number of people.
//!
//! * `csv and serde`: the `csv` crate deserializes each row into a struct of strings, and all are kept in a `Vec`.
//! * `load and validate`: the same file by way of a plan with `members: {file: people.csv}`, through the public API, all rules on.
//! * `load, validate and prepare`: and the roll, the digests and every text once.
//! * `write the bundle`, `read the bundle`: the prepared plan as a file.
//! * `roll by ordinal`: as many looks at a gate's ordinals as there are: who it is, at which address. `ns_in_order` and `ns_at_random`
//!   look at everyone once, `ns_of_a_hundredth` at random at the first hundredth only. They differ by what the machine's caches hold; one
//!   that scanned would take milliseconds for each.
//! * `restart`: a dispatch was killed when the channel had taken over half of the people. A new process opens the bundle and the SQLite
//!   journal and dispatches; measured until the first attempt reaches the channel. `opened` and `joined` say when the bundle and the
//!   journal were open.
//! * `summary`: the ratios of rounds to `csv and serde` in the same round, and the restarts, each with median, range and what is aimed at.
//!
//! What people take in memory is measured by `--bench heap`, whose allocator counts and would be in the way here.

mod crowd;

use crowd::{Counting, channels, loaded, write_people};
use relcomm_core::clock::{Clock, SystemClock};
use relcomm_core::dispatch::Dispatcher;
use relcomm_core::journal::{Create, Mode, Scope, SqliteJournal, SqliteOptions};
use relcomm_core::mechanism::Mechanism;
use relcomm_core::prepare::{PreparedPlan, prepare};
use relcomm_core::release::Declaration;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

const ROUNDS: usize = 5;

/// A row as the bare reading keeps it.
#[derive(Deserialize)]
struct Person {
    id: String,
    name: String,
    #[serde(rename = "MAIL")]
    email: String,
    #[serde(rename = "LANG")]
    lang: String,
    company: String,
}

impl Person {
    fn strings(&self) -> usize {
        [&self.id, &self.name, &self.email, &self.lang, &self.company].iter().map(|s| s.len()).sum()
    }
}

fn bare(folder: &Path) -> Vec<Person> {
    let mut rows = csv::Reader::from_path(folder.join("people.csv")).expect("the file above");
    rows.deserialize().map(|row| row.expect("the file above")).collect()
}

fn journal(folder: &Path, prepared: &PreparedPlan) -> SqliteJournal {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let scope = Scope::new(prepared.plan().id().clone(), "1.0.0", Mode::Sandbox);
    SqliteJournal::open(folder.join("scale.db"), scope, clock, SqliteOptions::new(Create::IfMissing))
        .expect("a journal")
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Opens bundle and journal and dispatches until the channel has taken over `until` people and is called once more.
fn dispatch(folder: &Path, until: u32, then: impl FnOnce()) -> Value {
    let begun = Instant::now();
    let prepared = PreparedPlan::read(&folder.join("scale.bundle")).expect("the bundle that was written");
    let opened = begun.elapsed();
    let journal = journal(folder, &prepared);
    let joined = begun.elapsed();
    let channel = Counting::new(until);
    let called = runtime().block_on(async {
        let dispatcher = Dispatcher::new(prepared, channels(channel.clone()), journal).expect("the same plan");
        let declaration = Declaration::success("ada");
        let run = dispatcher.dispatch(&declaration);
        tokio::select! {
            standing = run => panic!("all is done: {:?}", standing.expect("a run")),
            () = channel.enough.notified() => {}
        }
        let called = begun.elapsed();
        then();
        called
    });
    serde_json::json!({ "secs": secs(called), "opened": secs(opened), "joined": secs(joined) })
}

fn secs(of: std::time::Duration) -> f64 {
    (of.as_secs_f64() * 10_000.0).round() / 10_000.0
}

fn resident_mb(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with(field)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn measure(name: &str, n: u32, folder: &Path) {
    let begun = Instant::now();
    let timed = |begun: Instant| serde_json::json!({ "secs": secs(begun.elapsed()) });
    let bundle = folder.join("scale.bundle");
    let mut line = match name {
        "csv and serde" => {
            let people = bare(folder);
            let line = timed(begun);
            assert_eq!(people.len(), n as usize);
            assert!(people.iter().map(Person::strings).sum::<usize>() > 0);
            line
        }
        "load and validate" => {
            let (_, people) = loaded(folder);
            let line = timed(begun);
            assert_eq!(people.len(), n as usize);
            line
        }
        "load, validate and prepare" => {
            let (plan, people) = loaded(folder);
            let prepared = prepare(plan, people, &channels(Counting::new(0))).prepared.expect("the plan above");
            let line = timed(begun);
            assert_eq!(prepared.people().len(), n as usize);
            line
        }
        "write the bundle" => {
            let (plan, people) = loaded(folder);
            let prepared = prepare(plan, people, &channels(Counting::new(0))).prepared.expect("the plan above");
            let begun = Instant::now();
            prepared.write(&bundle).expect("disk");
            let mut line = timed(begun);
            line["bytes"] = fs::metadata(&bundle).expect("just written").len().into();
            line
        }
        "read the bundle" => {
            let prepared = PreparedPlan::read(&bundle).expect("the bundle that was written");
            let line = timed(begun);
            assert_eq!(prepared.people().len(), n as usize);
            line
        }
        "roll by ordinal" => {
            let prepared = PreparedPlan::read(&bundle).expect("the bundle that was written");
            let roll = prepared.roll(prepared.gates().first().expect("one communique"));
            let email = Mechanism::new("email").expect("a standard word");
            let look = |ordinals: &[u32]| {
                let begun = Instant::now();
                for ordinal in ordinals {
                    let (number, _) = roll.member(*ordinal).expect("on the roll");
                    let who = prepared.people().at(number).expect("one of them");
                    black_box((who.id(), who.address(&email)));
                }
                (begun.elapsed().as_secs_f64() * 1e9 / ordinals.len() as f64).round()
            };
            let in_order: Vec<u32> = (0..n).collect();
            // A prime that does not divide `n` leads to each ordinal once, far from the one before.
            let at_random: Vec<u32> = (0..u64::from(n)).map(|i| (i * 2_654_435_761 % u64::from(n)) as u32).collect();
            let hundredth: Vec<u32> = at_random.iter().map(|ordinal| ordinal / 100).collect();
            let (in_order, at_random) = (look(&in_order), look(&at_random));
            serde_json::json!({
                "secs": at_random * f64::from(n) / 1e9,
                "ns_in_order": in_order,
                "ns_at_random": at_random,
                "ns_of_a_hundredth": look(&hundredth),
            })
        }
        "half" => {
            // To be killed with attempts in flight.
            dispatch(folder, n / 2, || {
                writeln!(std::io::stdout(), "half").expect("standard output");
                std::io::stdout().flush().expect("standard output");
                loop {
                    std::thread::park();
                }
            })
        }
        "restart" => dispatch(folder, 0, || {}),
        other => panic!("there is no measurement called {other}"),
    };
    line["name"] = name.into();
    line["n"] = n.into();
    line["ns_per"] = (line["secs"].as_f64().unwrap_or_default() * 1e9 / f64::from(n)).round().into();
    line["peak_mb"] = resident_mb("VmHWM:").into();
    writeln!(std::io::stdout(), "{line}").expect("standard output");
    std::io::stdout().flush().expect("standard output");
    // The operating system takes the memory back faster than a million destructors, and nothing else is owed.
    std::process::exit(0);
}

fn child(name: &str, n: &str, folder: &Path) -> Command {
    let mut child = Command::new(std::env::current_exe().expect("this program"));
    child.args([name, n]).arg(folder);
    child
}

/// What several rounds came to.
struct Spread {
    least: f64,
    median: f64,
    greatest: f64,
}

impl Spread {
    fn of(mut rounds: Vec<f64>) -> Self {
        rounds.sort_by(f64::total_cmp);
        let [least, .., greatest] = rounds.as_slice() else { panic!("there are several rounds") };
        Self { least: *least, median: rounds[rounds.len() / 2], greatest: *greatest }
    }

    fn line(&self) -> Value {
        let short = |number: f64| (number * 1000.0).round() / 1000.0;
        let Self { least, median, greatest } = *self;
        serde_json::json!({ "median": short(median), "least": short(least), "greatest": short(greatest) })
    }

    /// With what the median should not exceed.
    fn aim(&self, at_most: f64) -> Value {
        let mut line = self.line();
        line["at_most"] = at_most.into();
        line["met"] = (self.median <= at_most).into();
        line
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    if let [name, n, folder] = args.as_slice() {
        return measure(name, n.parse().expect("how many"), Path::new(folder));
    }
    let n = args.first().map_or("1000000", String::as_str);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let mut secs: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let mut run = |name: &'static str| {
        let done = child(name, n, folder).stderr(Stdio::inherit()).output().expect("this program again");
        assert!(done.status.success(), "{name}");
        std::io::stdout().write_all(&done.stdout).expect("standard output");
        let line: Value = serde_json::from_slice(&done.stdout).expect("one line of JSON");
        secs.entry(name).or_default().push(line["secs"].as_f64().expect("a number"));
    };
    write_people(n.parse().expect("how many"), &folder.join("people.csv"));
    // In turn, so that a change of the machine's speed meets all.
    for _ in 0..ROUNDS {
        run("csv and serde");
        run("load and validate");
        run("load, validate and prepare");
    }
    for _ in 0..ROUNDS {
        run("write the bundle");
        run("read the bundle");
    }
    run("roll by ordinal");
    let mut half = child("half", n, folder).stdout(Stdio::piped()).spawn().expect("this program again");
    let mut said = String::new();
    BufReader::new(half.stdout.as_mut().expect("piped")).read_line(&mut said).expect("half of them");
    assert_eq!(said, "half\n");
    half.kill().expect("a child of ours");
    half.wait().expect("a child of ours");
    let left = folder.join("left");
    fs::create_dir(&left).expect("disk");
    let journal = ["scale.db", "scale.db-wal"];
    for file in journal {
        fs::copy(folder.join(file), left.join(file)).expect("disk");
    }
    for _ in 0..ROUNDS {
        for file in journal {
            fs::copy(left.join(file), folder.join(file)).expect("disk");
        }
        let _ = fs::remove_file(folder.join("scale.db-shm"));
        run("restart");
    }
    let ratios = |name: &str| -> Vec<f64> {
        secs[name].iter().zip(&secs["csv and serde"]).map(|(secs, bare)| secs / bare).collect()
    };
    let summary = serde_json::json!({
        "name": "summary",
        "load and validate to csv and serde": Spread::of(ratios("load and validate")).aim(5.0),
        "load, validate and prepare to csv and serde": Spread::of(ratios("load, validate and prepare")).line(),
        "restart, secs": Spread::of(secs["restart"].clone()).aim(0.5),
    });
    writeln!(std::io::stdout(), "{summary}").expect("standard output");
}
