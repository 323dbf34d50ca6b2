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
//! * `restart`: a dispatch was killed when the channel had taken over half of the people. A new process opens the bundle and the SQLite
//!   journal and dispatches; measured until the first attempt reaches the channel. `opened` and `joined` say when the bundle and the
//!   journal were open.

use async_trait::async_trait;
use relcomm_core::channel::{
    Accepted, AttemptContext, Batch, Channel, ChannelError, ChannelSet, Descriptor, Outcome, Outcomes, Part, Prepared,
    Wording,
};
use relcomm_core::clock::{Clock, SystemClock};
use relcomm_core::dispatch::Dispatcher;
use relcomm_core::journal::{Create, Mode, Scope, SqliteJournal, SqliteOptions};
use relcomm_core::mechanism::{Addressing, Capabilities, Deduplication, Mechanism};
use relcomm_core::plan::{Finding, People, Plan, PlanDir, PlanDraft};
use relcomm_core::prepare::{PreparedPlan, prepare};
use relcomm_core::receipt::Assurance;
use relcomm_core::release::Declaration;
use relcomm_core::stakeholder::Address;
use relcomm_core::validate::{Deployment, standard_rules, validate};
use serde::Deserialize;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

const ROUNDS: usize = 5;

const PLAN: &str = "
plan: 1
id: scale
zone: UTC
release: { product: Scale, version: 1.0.0, what: [{ id: one, text: One }], why: Because., how: Open it. }
responsible: Ada <ada@scale.example>
groups: { all: { members: { file: people.csv, columns: { email: MAIL, language: LANG } } } }
communiques: { out: { to: all } }
";

fn write_people(n: u32, to: &Path) {
    let mut csv = std::io::BufWriter::new(fs::File::create(to).expect("a temporary file"));
    writeln!(csv, "id,name,MAIL,LANG,company").expect("disk");
    for i in 0..n {
        let lang = ["en", "de", "fr"][i as usize % 3];
        let company = i % 4000;
        writeln!(csv, "c{i:07},Given{} Family{i},person.{i}@mail{company}.example,{lang},Company {company}", i % 97)
            .expect("disk");
    }
    csv.flush().expect("disk");
}

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

fn loaded(folder: &Path) -> (Plan, People) {
    let (draft, source) = PlanDraft::read("plan.yaml", PLAN.as_bytes()).expect("the plan above");
    let judged = validate(&draft, &source, &PlanDir::new(folder), &Deployment::unknown(), &standard_rules());
    judged.into_plan().expect("the plan above")
}

/// Takes so many over, and says when it is called once more.
#[derive(Clone, Debug)]
struct Counting {
    descriptor: Descriptor,
    capabilities: Capabilities,
    taken: Arc<AtomicU32>,
    enough: Arc<tokio::sync::Notify>,
    until: u32,
}

impl Counting {
    fn new(until: u32) -> Self {
        let capabilities = Capabilities::new(Addressing::Each, Assurance::Accepted);
        Self {
            descriptor: Descriptor::new("counting"),
            capabilities: capabilities.deduplication(Deduplication::ByKey),
            taken: Arc::default(),
            enough: Arc::default(),
            until,
        }
    }
}

#[async_trait]
impl Channel for Counting {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }
    fn check_address(&self, _: &Address) -> Result<(), String> {
        Ok(())
    }
    fn prepare(&self, wording: &Wording) -> Result<Prepared, Vec<Finding>> {
        Ok(Prepared::new([Part::new("text", "text/plain", wording.document.to_plain())]))
    }
    async fn attempt(
        &self,
        _: &AttemptContext,
        batch: &Batch<'_>,
        outcomes: &mut Outcomes,
    ) -> Result<(), ChannelError> {
        let many = u32::try_from(batch.items.len()).expect("a batch");
        if self.taken.fetch_add(many, Ordering::Relaxed) >= self.until {
            self.enough.notify_one();
            std::future::pending::<()>().await;
        }
        tokio::task::yield_now().await;
        for i in 0..batch.items.len() {
            outcomes.crossing(i);
            outcomes.set(i, Outcome::Accepted(Accepted::new(Assurance::Accepted)));
        }
        Ok(())
    }
}

fn channels(channel: Counting) -> ChannelSet {
    ChannelSet::new().with(Mechanism::new("email").expect("a standard word"), channel)
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
fn dispatch(folder: &Path, until: u32, then: impl FnOnce()) -> serde_json::Value {
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

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    if let [name, n, folder] = args.as_slice() {
        return measure(name, n.parse().expect("how many"), Path::new(folder));
    }
    let n = args.first().map_or("1000000", String::as_str);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let run = |name: &str| assert!(child(name, n, folder).status().expect("this program again").success(), "{name}");
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
}
