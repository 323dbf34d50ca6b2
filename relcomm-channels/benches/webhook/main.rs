//! One text to many by webhook: the whole engine beside a bare loop of reqwest, undici's pool and Apprise.
//!
//! `cargo bench -p relcomm-channels --bench webhook` prints one line of JSON for each measurement, and two last ones with the ratios over
//! https and over http: the median over the rounds, the least and the greatest. `-- N ROUNDS` measures another number of posts, or of
//! rounds.
//!
//! Each measurement runs in a process of its own, pinned to the first core; the receiver (`receiver.rs`) to the second. 64 posts are in
//! flight, over HTTP/1.1 with keep-alive; over https all trust the same authority and check the receiver's certificate. All but Apprise
//! send the same number of octets under the same headers and sign each post; Apprise makes its own, shorter body, and fewer of them. `secs`
//! begins when all is set up; for relcomm, `prepare_secs` is the loading, validation and preparation of the plan before it, and
//! `enter_secs` the entering of all rows in the journal. At the end the receiver says how many it took and whether the latest was signed; a
//! measurement whose numbers differ fails. What is not installed is SKIPPED.

mod receiver;

use data_encoding::BASE64;
use futures_util::stream::{self, StreamExt};
use hmac::{Hmac, KeyInit, Mac};
use hyper::body::Bytes;
use relcomm_channels::http::HttpOptions;
use relcomm_channels::webhook::{WebhookChannel, WebhookEndpoint, WebhookOptions};
use relcomm_core::channel::ChannelSet;
use relcomm_core::clock::{Clock, SystemClock};
use relcomm_core::dispatch::{DispatchOptions, Dispatcher};
use relcomm_core::journal::{Create, Journal, MemoryJournal, Mode, Scope, SqliteJournal, SqliteOptions};
use relcomm_core::mechanism::Mechanism;
use relcomm_core::plan::{PlanDir, PlanDraft};
use relcomm_core::prepare::{PreparedPlan, prepare};
use relcomm_core::release::Declaration;
use relcomm_core::validate::{Deployment, standard_rules, validate};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// How many posts are in flight, in every measurement.
const WINDOW: u32 = 64;
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

const PLAN: &str = "
plan: 1
id: bench
zone: UTC
release:
  product: Ledgerline
  version: 4.2.0
  what:
    - { id: sharing, kind: feature, text: Folders can be shared with other teams }
    - { id: search, kind: feature, text: Search finds words inside attachments }
    - { id: old-export, kind: removal, text: The CSV export is switched off }
  why: Teams asked to work in one folder.
  how: Open a folder and choose Share.
responsible: Ada <ada@bench.example>
groups: { all: members.csv }
communiques: { out: { to: all } }
";

fn env(name: &str) -> String {
    std::env::var(format!("RELCOMM_BENCH_{name}")).expect("it is set by the run")
}

/// The certificate that the receiver's is checked against, as PEM.
fn authority() -> String {
    std::fs::read_to_string(env("CA")).expect("the receiver wrote it")
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

// --- relcomm ------------------------------------------------------------------------------------------------------------------------

fn channels() -> ChannelSet {
    let window = NonZeroU32::new(WINDOW).expect("a window above zero");
    let http = HttpOptions::new().allow("127.0.0.0/8".parse().expect("a network")).ca_pem(authority());
    let mut options =
        WebhookOptions::new().endpoint("hook", WebhookEndpoint::new(env("URL")).secret(SECRET)).http(http);
    options.concurrency = window;
    let channel = WebhookChannel::new(options).expect("the options above");
    ChannelSet::new().with(Mechanism::new("webhook").expect("a standard word"), channel)
}

fn prepared(n: u32, folder: &Path) -> PreparedPlan {
    let mut csv = std::io::BufWriter::new(std::fs::File::create(folder.join("members.csv")).expect("a temporary file"));
    writeln!(csv, "id,webhook").expect("disk");
    for i in 0..n {
        writeln!(csv, "p{i},hook").expect("disk");
    }
    drop(csv);
    let (draft, source) = PlanDraft::read("plan.yaml", PLAN.as_bytes()).expect("the plan above");
    let validation = validate(&draft, &source, &PlanDir::new(folder), &Deployment::unknown(), &standard_rules());
    let (plan, people) = validation.into_plan().expect("the plan above");
    prepare(plan, people, &channels()).prepared.expect("the plan above")
}

async fn dispatch(prepared: PreparedPlan, journal: Arc<dyn Journal>) -> Value {
    let dispatcher = Dispatcher::new(prepared, channels(), journal).expect("the same plan");
    let mut options = DispatchOptions::default();
    options.window = WINDOW;
    // A dispatcher that is told to stop enters what is due and begins nothing.
    let mut stopped = options.clone();
    stopped.cancellation = options.cancellation.child_token();
    stopped.cancellation.cancel();
    let begun = Instant::now();
    dispatcher.declare(&Declaration::success("ada")).await.expect("a declaration");
    let standing = dispatcher.clone().options(stopped).step().await.expect("a step");
    assert!(!standing.is_done(), "nothing is out yet");
    let entered = rounded(begun.elapsed().as_secs_f64());
    let sending = dispatcher.options(options);
    let begun = Begun::now();
    let standing = sending.run().await.expect("a run");
    let mut line = begun.ended();
    line["enter_secs"] = entered;
    assert!(standing.is_done(), "{standing:?}");
    line
}

/// How long the loading and preparation took is in the line that comes back.
fn relcomm(n: u32, journal: impl FnOnce(&Path, Scope) -> Arc<dyn Journal>) -> Value {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let begun = Instant::now();
    let plan = prepared(n, folder.path());
    let took = begun.elapsed();
    let journal = journal(folder.path(), Scope::new(plan.plan().id().clone(), "4.2.0", Mode::Sandbox));
    let mut line = runtime().block_on(dispatch(plan, journal));
    line["prepare_secs"] = rounded(took.as_secs_f64());
    line["taken"] = n.into();
    line
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::new())
}

fn in_memory(_: &Path, scope: Scope) -> Arc<dyn Journal> {
    Arc::new(MemoryJournal::new(scope, clock()))
}

fn in_sqlite(folder: &Path, scope: Scope) -> Arc<dyn Journal> {
    let path = folder.join("bench.db");
    Arc::new(SqliteJournal::open(&path, scope, clock(), SqliteOptions::new(Create::IfMissing)).expect("a journal"))
}

// --- reqwest ------------------------------------------------------------------------------------------------------------------------

/// A client that trusts the receiver and nobody else.
fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let trusted = reqwest::Certificate::from_pem(authority().as_bytes()).expect("PEM");
    reqwest::Client::builder().http1_only().no_proxy().tls_certs_only([trusted]).build().expect("a client")
}

/// The least that posts and signs: a client of reqwest and a window of futures. The body is shared by all.
async fn bare(n: u32) -> Value {
    let client = client();
    let url: reqwest::Url = env("URL").parse().expect("a URL");
    let body = Bytes::from(std::fs::read(env("BODY")).expect("the body"));
    let key = BASE64.decode(SECRET.trim_start_matches("whsec_").as_bytes()).expect("base64");
    let signer = Hmac::<Sha256>::new_from_slice(&key).expect("any length");
    let begun = Begun::now();
    let posts = (0..n).map(|i| {
        let (client, url, signer, body) = (&client, &url, &signer, body.clone());
        async move {
            let id = format!("{i:026}");
            let timestamp = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs().to_string();
            let mut mac = signer.clone();
            mac.update(format!("{id}.{timestamp}.").as_bytes());
            mac.update(&body);
            let signature = format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()));
            let value = |text: &str| HeaderValue::from_str(text).expect("letters and digits");
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/cloudevents+json"));
            headers.insert("webhook-id", value(&id));
            headers.insert("webhook-timestamp", value(&timestamp));
            headers.insert("webhook-signature", value(&signature));
            let response = client.post(url.clone()).headers(headers).body(body).send().await.expect("an answer");
            let taken = response.status().is_success();
            response.bytes().await.expect("the rest of the answer");
            taken
        }
    });
    let taken = stream::iter(posts).buffer_unordered(WINDOW as usize).filter(|t| std::future::ready(*t)).count().await;
    let mut line = begun.ended();
    line["taken"] = taken.into();
    line
}

// --- what is measured ---------------------------------------------------------------------------------------------------------------

struct Begun {
    at: Instant,
    cpu: u64,
}

impl Begun {
    fn now() -> Self {
        Self { at: Instant::now(), cpu: cpu_micros() }
    }

    fn ended(&self) -> Value {
        let secs = self.at.elapsed().as_secs_f64();
        json!({ "secs": secs, "cpu_micros": cpu_micros() - self.cpu, "peak_mb": peak_mb() })
    }
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

fn rounded(number: f64) -> Value {
    ((number * 1000.0).round() / 1000.0).into()
}

fn say(line: &Value) {
    writeln!(std::io::stdout(), "{line}").expect("standard output");
}

// --- the run ------------------------------------------------------------------------------------------------------------------------

/// A program and its arguments, pinned to a core where the machine can.
fn pinned(core: u8, program: &Path) -> Command {
    if !can_pin() {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string()]).arg(program);
    command
}

fn can_pin() -> bool {
    let pins = |core| Command::new("taskset").args(["-c", core, "true"]).stderr(Stdio::null()).status();
    ["0", "1"].into_iter().all(|core| pins(core).is_ok_and(|s| s.success()))
}

fn this() -> PathBuf {
    std::env::current_exe().expect("this program")
}

/// One way to post, and what it takes.
struct Peer {
    name: &'static str,
    program: PathBuf,
    args: Vec<String>,
    n: u32,
}

impl Peer {
    fn own(name: &'static str, n: u32) -> Self {
        Self { name, program: this(), args: vec![name.into(), n.to_string()], n }
    }

    /// A script beside this bench, if what it needs is there.
    fn script(name: &'static str, program: &Path, needs: &str, args: &[&str], n: u32, install: &str) -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers");
        let there = folder.join(needs).exists() && Command::new(program).arg("--version").output().is_ok();
        if !there {
            say(&json!({ "name": name, "SKIPPED": format!("not installed: {install}") }));
            return None;
        }
        let (script, rest) = args.split_first().expect("a script");
        let mut args = vec![folder.join(script).display().to_string(), n.to_string()];
        args.extend(rest.iter().map(ToString::to_string));
        Some(Self { name, program: program.into(), args, n })
    }
}

/// With TLS and without.
const SCHEMES: [&str; 2] = ["https", "http"];

struct Run {
    receiver: Child,
    /// Where it is reached by which scheme.
    urls: BTreeMap<&'static str, String>,
    body: PathBuf,
    ca: PathBuf,
}

impl Run {
    fn begin(folder: &Path) -> Self {
        let ca = folder.join("ca.pem");
        let mut receiver = pinned(1, &this());
        receiver.arg("receiver").env("RELCOMM_BENCH_CA", &ca).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut receiver = receiver.spawn().expect("this program again");
        let said = BufReader::new(receiver.stdout.as_mut().expect("piped")).lines().take(SCHEMES.len());
        let said: Vec<String> = said.collect::<Result<_, _>>().expect("its URLs");
        let at = |scheme: &'static str| {
            let url = said.iter().find(|url| url.split(':').next() == Some(scheme)).expect("a URL of each");
            (scheme, url.clone())
        };
        let urls = SCHEMES.map(at).into();
        Self { receiver, urls, body: folder.join("body"), ca }
    }

    fn command(&self, program: &Path, scheme: &str) -> Command {
        let mut command = pinned(0, program);
        command
            .env("RELCOMM_BENCH_URL", &self.urls[scheme])
            .env("RELCOMM_BENCH_BODY", &self.body)
            .env("RELCOMM_BENCH_CA", &self.ca)
            .env("RELCOMM_BENCH_SECRET", SECRET)
            .env("RELCOMM_BENCH_WINDOW", WINDOW.to_string())
            // How node and Python's requests are told whom to trust.
            .env("NODE_EXTRA_CA_CERTS", &self.ca)
            .env("REQUESTS_CA_BUNDLE", &self.ca);
        command
    }

    /// What the receiver saw since it was last asked.
    fn seen(&self) -> Value {
        let output = self.command(&this(), "http").arg("seen").output().expect("this program again");
        serde_json::from_slice(&output.stdout).expect("a line of JSON")
    }

    /// Runs a measurement, holds it against what the receiver saw, prints it, and returns the rate.
    fn measure(&self, peer: &Peer, scheme: &str) -> f64 {
        let mut command = self.command(&peer.program, scheme);
        let output = command.args(&peer.args).stderr(Stdio::inherit()).output().expect("a peer");
        assert!(output.status.success(), "{}", peer.name);
        let mut line: Value = serde_json::from_slice(&output.stdout).expect("a line of JSON");
        let seen = self.seen();
        assert_eq!((&line["taken"], &seen["taken"]), (&peer.n.into(), &peer.n.into()), "{}", peer.name);
        let secs = line["secs"].as_f64().expect("a number");
        let cpu = line["cpu_micros"].as_f64().expect("a number");
        let rate = f64::from(peer.n) / secs;
        line["name"] = peer.name.into();
        line["over"] = scheme.into();
        line["n"] = peer.n.into();
        line["secs"] = rounded(secs);
        line["rate"] = rate.round().into();
        line["ns_per"] = (1e9 / rate).round().into();
        line["cpu_us_per"] = rounded(cpu / f64::from(peer.n));
        line["signed"] = seen["signed"].clone();
        line["octets"] = seen["body"].as_str().map_or(0, str::len).into();
        let fields = line.as_object_mut().expect("an object");
        fields.remove("cpu_micros");
        fields.remove("taken");
        say(&line);
        rate
    }

    /// How much the receiver takes from wrk, which does nothing but send the same request over and over.
    fn saturate(&self, folder: &Path) {
        let name = "receiver, asked by wrk";
        let script = folder.join("post.lua");
        let body = std::fs::read_to_string(&self.body).expect("the body").replace('\\', "\\\\").replace('\'', "\\'");
        let post = format!("wrk.method = 'POST'\nwrk.body = '{body}'\nwrk.headers['webhook-id'] = '{:026}'\n", 0);
        std::fs::write(&script, post).expect("disk");
        for scheme in SCHEMES {
            let mut wrk = self.command(Path::new("wrk"), scheme);
            wrk.args(["-t1", "-c64", "-d3s", "-s"]).arg(&script).arg(&self.urls[scheme]);
            let output = wrk.output().ok().filter(|output| output.status.success());
            let Some(output) = output else {
                say(&json!({ "name": name, "over": scheme, "SKIPPED": "not installed: apt-get install wrk" }));
                continue;
            };
            let told = String::from_utf8_lossy(&output.stdout).into_owned();
            let rate = told.lines().find_map(|l| l.trim().strip_prefix("Requests/sec:")?.trim().parse::<f64>().ok());
            say(&json!({ "name": name, "over": scheme, "rate": rate.map(f64::round), "pinned": pins() }));
            self.seen();
        }
    }
}

/// Asks the receiver what it saw.
async fn seen() -> Value {
    let answer = client().get(env("URL")).send().await.expect("the receiver").bytes().await.expect("an answer");
    serde_json::from_slice(&answer).expect("its JSON")
}

impl Drop for Run {
    fn drop(&mut self) {
        drop(self.receiver.stdin.take());
        let _ = self.receiver.wait();
    }
}

fn pins() -> &'static str {
    if can_pin() { "sender to core 0, receiver to core 1" } else { "no: taskset and two cores are needed" }
}

/// Median, least and greatest of the ratios of two rates, round by round.
fn ratios(of: &[f64], to: &[f64]) -> Value {
    let mut all: Vec<f64> = of.iter().zip(to).map(|(a, b)| a / b).collect();
    all.sort_by(f64::total_cmp);
    let at = |i: usize| all.get(i).map_or(Value::Null, |r| rounded(*r));
    json!({ "median": at(all.len() / 2), "min": at(0), "max": at(all.len().saturating_sub(1)) })
}

fn compare(n: u32, rounds: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = Run::begin(folder.path());
    // What relcomm sends is what the others send.
    let one = run.command(&this(), "http").args(["relcomm, MemoryJournal", "1"]).output().expect("this program again");
    assert!(one.status.success());
    let seen = run.seen();
    assert_eq!(seen["signed"], true, "{seen}");
    std::fs::write(&run.body, seen["body"].as_str().expect("a body")).expect("disk");
    run.saturate(folder.path());

    let (bare, memory, sqlite) = ("bare reqwest", "relcomm, MemoryJournal", "relcomm, SqliteJournal");
    let undici = "npm ci --prefix relcomm-channels/benches/peers";
    let apprise = "python3 -m venv relcomm-channels/benches/peers/.venv && relcomm-channels/benches/peers/.venv/bin/pip \
                   install -r relcomm-channels/benches/peers/requirements.txt";
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/.venv/bin/python");
    let few = (n / 40).next_multiple_of(WINDOW);
    let script = "apprise_json.py";
    let window = WINDOW.to_string();
    let mut peers = vec![Peer::own(bare, n), Peer::own(memory, n), Peer::own(sqlite, n)];
    peers.extend(Peer::script("undici Pool", Path::new("node"), "node_modules/undici", &["undici.mjs"], n, undici));
    peers.extend(Peer::script("Apprise, 1 at once", &python, ".venv", &[script, "1"], few, apprise));
    peers.extend(Peer::script("Apprise, 64 at once", &python, ".venv", &[script, &window], few, apprise));

    let mut rates: BTreeMap<(&str, &str), Vec<f64>> = BTreeMap::new();
    // In turn, so that a change of the machine's speed meets all.
    for _ in 0..rounds {
        for scheme in SCHEMES {
            for peer in &peers {
                rates.entry((scheme, peer.name)).or_default().push(run.measure(peer, scheme));
            }
        }
    }
    for scheme in SCHEMES {
        let mut summary =
            json!({ "name": "ratios", "over": scheme, "n": n, "rounds": rounds, "window": WINDOW, "pinned": pins() });
        let ratio = |of, to| ratios(&rates[&(scheme, of)], &rates[&(scheme, to)]);
        for peer in peers.iter().filter(|p| p.name != memory && p.name != sqlite) {
            summary[format!("{memory} / {}", peer.name)] = ratio(memory, peer.name);
            if peer.name != bare {
                summary[format!("{bare} / {}", peer.name)] = ratio(bare, peer.name);
            }
        }
        summary[format!("{sqlite} / {memory}")] = ratio(sqlite, memory);
        say(&summary);
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse().expect("a number");
    match args.as_slice() {
        ["receiver"] => receiver::serve(),
        ["seen"] => say(&runtime().block_on(seen())),
        ["bare reqwest", n] => say(&runtime().block_on(bare(number(n)))),
        ["relcomm, MemoryJournal", n] => say(&relcomm(number(n), in_memory)),
        ["relcomm, SqliteJournal", n] => say(&relcomm(number(n), in_sqlite)),
        [] => compare(20_000, 7),
        [n, rounds] => compare(number(n), rounds.parse().expect("a number")),
        other => panic!("there is no measurement called {other:?}"),
    }
}
