//! What the engine costs per delivery, beside a bare loop over the same channel, and what a million deliveries take in memory.
//!
//! `cargo bench -p relcomm-core --features sqlite --bench dispatch` prints one line of JSON for each measurement: `name`, `n`, `secs`,
//! `rate` (per second), `ns_per`, `cpu_us_per`, `peak_mb` (the greatest resident size of the process that measured). Each measurement
//! runs in a process of its own. `-- NAME N` runs one of them. `entries_per` is the number of the journal's entries for each delivery. The
//! last line but two holds the ratio of the two in the same round: median, least, greatest.
//!
//! Instructions, with and without hashing (valgrind's processor has no instructions for SHA-256, so that hashing weighs more there):
//!
//! ```text
//! valgrind --tool=callgrind --toggle-collect='*Dispatcher::dispatch*' target/release/deps/dispatch-* "engine, MemoryJournal" 60000
//! callgrind_annotate --inclusive=yes callgrind.out.* | grep compress256
//! ```

use async_trait::async_trait;
use futures_util::stream::{self, StreamExt};
use relcomm_core::channel::{
    Accepted, AttemptContext, Batch, Channel, ChannelError, ChannelSet, Descriptor, Key, Outcome, Outcomes, Outgoing,
    Part, Prepared, Wording,
};
use relcomm_core::clock::{Clock, SystemClock};
use relcomm_core::dispatch::{DispatchOptions, Dispatcher};
use relcomm_core::journal::{Create, Journal, MemoryJournal, Mode, Scope, SqliteJournal, SqliteOptions};
use relcomm_core::mechanism::{Addressing, Capabilities, Mechanism};
use relcomm_core::plan::{Finding, PlanDir, PlanDraft};
use relcomm_core::prepare::{PreparedPlan, prepare};
use relcomm_core::receipt::{Assurance, Token};
use relcomm_core::release::Declaration;
use relcomm_core::stakeholder::Address;
use relcomm_core::validate::{Deployment, standard_rules, validate};
use std::io::Write;
use std::num::NonZeroU32;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

const ROUNDS: usize = 7;

/// How many attempts fly at once, in every measurement.
const WINDOW: u32 = 64;

#[derive(Debug)]
struct NoOp {
    descriptor: Descriptor,
    capabilities: Capabilities,
}

impl NoOp {
    fn new() -> Self {
        let capabilities = Capabilities::new(Addressing::Each, Assurance::Accepted);
        let window = NonZeroU32::new(WINDOW).expect("a window above zero");
        Self { descriptor: Descriptor::new("no-op"), capabilities: capabilities.concurrency(window) }
    }
}

#[async_trait]
impl Channel for NoOp {
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
        tokio::task::yield_now().await;
        for i in 0..batch.items.len() {
            outcomes.crossing(i);
            outcomes.set(i, Outcome::Accepted(Accepted::new(Assurance::Accepted)));
        }
        Ok(())
    }
}

const PLAN: &str = "
plan: 1
id: bench
zone: UTC
release: { product: Bench, version: 1.0.0, what: [{ id: one, text: One }], why: Because., how: Open it. }
responsible: Ada <ada@bench.example>
groups: { all: members.csv }
communiques: { out: { to: all } }
";

fn channels() -> ChannelSet {
    ChannelSet::new().with(Mechanism::new("email").expect("a standard word"), NoOp::new())
}

fn prepared(n: u32, folder: &Path) -> PreparedPlan {
    let mut csv = std::io::BufWriter::new(std::fs::File::create(folder.join("members.csv")).expect("a temporary file"));
    writeln!(csv, "id,email").expect("disk");
    for i in 0..n {
        writeln!(csv, "p{i},p{i}@bench.example").expect("disk");
    }
    drop(csv);
    let (draft, source) = PlanDraft::read("plan.yaml", PLAN.as_bytes()).expect("the plan above");
    let validation = validate(&draft, &source, &PlanDir::new(folder), &Deployment::unknown(), &standard_rules());
    let (plan, people) = validation.into_plan().expect("the plan above");
    prepare(plan, people, &channels()).prepared.expect("the plan above")
}

/// Returns what did it: freeing a record of a million is no delivery's cost, and is not measured.
async fn dispatch(prepared: PreparedPlan, journal: impl Journal) -> Dispatcher {
    let mut options = DispatchOptions::default();
    options.window = WINDOW;
    let dispatcher = Dispatcher::new(prepared, channels(), journal).expect("the same plan").options(options);
    let standing = dispatcher.dispatch(&Declaration::success("ada")).await.expect("a run");
    assert!(standing.is_done(), "{standing:?}");
    dispatcher
}

/// By the page: the peak of the memory is the dispatch's, not that of a copy of the record.
async fn count_entries(journal: &dyn Journal) -> u64 {
    let mut last = 0;
    while let Some(entry) = journal.entries(last, 4096).await.expect("the record").last() {
        last = entry.seq;
    }
    last
}

async fn bare(n: u32) {
    let channel: Arc<dyn Channel> = Arc::new(NoOp::new());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let text = Prepared::new([Part::new("text", "text/plain", "the same for all")]);
    let key = Key::of([&b"bare"[..]]);
    let cx = AttemptContext::new(clock, std::time::Duration::from_secs(60));
    let item = Outgoing::new(key, Token::new("bare"), Address::new("p@bench.example").ok());
    let calls = (0..n).map(|_| {
        let (channel, text, key, cx, item) = (&channel, &text, &key, &cx, std::slice::from_ref(&item));
        async move {
            let mut outcomes = Outcomes::new(1);
            channel.attempt(cx, &Batch::new(text, key, item), &mut outcomes).await.expect("the channel above");
            outcomes.is_set(0)
        }
    });
    let done =
        stream::iter(calls).buffer_unordered(WINDOW as usize).filter(|set| std::future::ready(*set)).count().await;
    assert_eq!(done, n as usize);
}

fn cpu_micros() -> u64 {
    // utime and stime, in ticks of 10 ms (proc(5), fields 14 and 15).
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |i: usize| fields.get(i).and_then(|f| f.parse::<u64>().ok()).unwrap_or(0);
    (ticks(11) + ticks(12)) * 10_000
}

fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn measure(name: &str, n: u32) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let bundle = std::env::var_os("RELCOMM_BENCH_BUNDLE");
    let plan = || match &bundle {
        Some(path) => PreparedPlan::read(Path::new(path)).expect("the bundle that was just written"),
        None => prepared(n, folder.path()),
    };
    let scope = |p: &PreparedPlan| Scope::new(p.plan().id().clone(), "1.0.0", Mode::Sandbox);
    let begin = || (Instant::now(), cpu_micros());
    let end = |(started, cpu): (Instant, u64)| (started.elapsed().as_secs_f64(), cpu_micros() - cpu);
    let mut entries = None;
    let (secs, cpu) = match name {
        "bare buffer_unordered" => {
            let begun = begin();
            runtime.block_on(bare(n));
            end(begun)
        }
        "engine, MemoryJournal" => {
            let plan = plan();
            let journal = MemoryJournal::new(scope(&plan), clock);
            let begun = begin();
            let dispatcher = runtime.block_on(dispatch(plan, journal));
            let taken = end(begun);
            entries = Some(runtime.block_on(count_entries(dispatcher.journal())) as f64 / f64::from(n));
            taken
        }
        "engine, SqliteJournal" => {
            let plan = plan();
            let path = folder.path().join("bench.db");
            let journal = SqliteJournal::open(&path, scope(&plan), clock, SqliteOptions::new(Create::IfMissing))
                .expect("a journal");
            let begun = begin();
            let _dispatcher = runtime.block_on(dispatch(plan, journal));
            end(begun)
        }
        "bundle" => {
            prepared(n, folder.path()).write(Path::new(&bundle.expect("where to"))).expect("disk");
            return;
        }
        other => panic!("there is no measurement called {other}"),
    };
    let per = f64::from(n);
    let mut line = serde_json::json!({
        "name": name, "n": n, "secs": (secs * 1000.0).round() / 1000.0, "rate": (per / secs).round(),
        "ns_per": (secs * 1e9 / per).round(), "cpu_us_per": (cpu as f64 / per * 100.0).round() / 100.0, "peak_mb": peak_mb(),
    });
    if let Some(entries) = entries {
        line["entries_per"] = ((entries * 100.0).round() / 100.0).into();
    }
    writeln!(std::io::stdout(), "{line}").expect("standard output");
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    if let [name, n] = args.as_slice() {
        return measure(name, n.parse().expect("how many"));
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = |name: &str, n: &str, bundle: Option<&Path>| {
        let mut child = Command::new(std::env::current_exe().expect("this program"));
        child.args([name, n]);
        if let Some(bundle) = bundle {
            child.env("RELCOMM_BENCH_BUNDLE", bundle);
        }
        let output = child.output().expect("this program again");
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let line = String::from_utf8(output.stdout).expect("JSON");
        write!(std::io::stdout(), "{line}").expect("standard output");
        let line: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
        line["ns_per"].as_f64().unwrap_or_default()
    };
    // In turn, so that a change of the machine's speed meets both.
    let mut ratios: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let bare = run("bare buffer_unordered", "200000", None);
            run("engine, MemoryJournal", "200000", None) / bare
        })
        .map(|ratio| (ratio * 100.0).round() / 100.0)
        .collect();
    ratios.sort_by(f64::total_cmp);
    let summary = serde_json::json!({
        "name": "engine, MemoryJournal / bare buffer_unordered", "rounds": ROUNDS, "at_most": 7, "aim": 5,
        "median": ratios.get(ROUNDS / 2), "min": ratios.first(), "max": ratios.last(),
    });
    writeln!(std::io::stdout(), "{summary}").expect("standard output");
    // A million from a bundle, as `dispatch` has it after `prepare`.
    let bundle = folder.path().join("million.bundle");
    run("bundle", "1000000", Some(&bundle));
    run("engine, SqliteJournal", "1000000", Some(&bundle));
}
