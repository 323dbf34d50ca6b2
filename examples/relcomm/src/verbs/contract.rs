//! `contract`: judges a channel that is a program by the contract of channels, over the pipe by which it will be used.

use super::{json, print, say};
use crate::arguments::Format;
use crate::{Exit, Failure};
use async_trait::async_trait;
use relcomm_channels::exec::{ExecChannel, ExecOptions, TrialDescription};
use relcomm_core::channel::{AttemptContext, Channel, Wording};
use relcomm_core::clock::SystemClock;
use relcomm_testkit::contract::channel::{Arrival, CannotShow, ChannelFixture, FarSide, Plot, Trial, clauses, run_one};
use relcomm_testkit::contract::{ClauseReport, Verdict};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long the program may take to say what it is, what it saw, and that it will fail.
const ASKING: Duration = Duration::from_secs(20);
/// How long a program may take to come to the point at which it falls silent, besides starting.
const SILENCE: Duration = Duration::from_millis(1500);
/// How much longer a program may take to start than it took alone: others start beside it.
const BESIDE_OTHERS: u32 = 2;
/// The longest answer that is read, in octets.
const LONGEST: u64 = 1 << 24;

pub(super) async fn contract(
    command: &[String],
    pass: &[String],
    only: &[String],
    format: Format,
) -> Result<Exit, Failure> {
    let [program, args @ ..] = command else { return Err(Failure::Tool("--exec names no program".into())) };
    let mut options = ExecOptions::new(program);
    let mut secrets = Vec::new();
    for arg in args {
        options = options.arg(arg);
    }
    for name in pass {
        let value = std::env::var(name)
            .map_err(|_| Failure::Tool(format!("--env {name}: the environment variable is not set, or not UTF-8")))?;
        secrets.push(value.clone());
        options = options.env(name, value);
    }
    let is_meant = |word: &str, name: &str| word == name || name.split('_').next() == Some(word);
    if let Some(unknown) = only.iter().find(|word| !clauses().any(|name| is_meant(word, name))) {
        let last = clauses().last().unwrap_or_default();
        return Err(Failure::Tool(format!("--clause {unknown}: there is no such clause; the last is {last}")));
    }
    let names = clauses().filter(|name| only.is_empty() || only.iter().any(|word| is_meant(word, name)));
    let names: Vec<&str> = names.collect();
    let place = place()?;
    let begun = Instant::now();
    let channel = open(&on_trial(&options, &place)).await?;
    let silence = SILENCE + begun.elapsed() * BESIDE_OTHERS;
    let Some(trial) = channel.trial().cloned() else {
        return Err(Failure::Tool("the program describes no `trial`: it does not say how it is tested".into()));
    };
    let seen = ask(&on_trial(&options, &place), &seen());
    if let Err(why) = seen {
        return Err(Failure::Tool(format!("the program cannot be asked what its far side saw: {why}")));
    }
    let program = Program { options, trial, secrets, channel, silence, trouble: Arc::default() };

    let reports = judge(&program, &names, |report| match format {
        Format::Json => say(report.name),
        Format::Text | Format::Github => print(&report.to_string()),
    })?;
    match program.trouble.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(why) => Err(Failure::Tool(format!("the program cannot be asked what its far side saw: {why}"))),
        None => Ok(conclude(&reports, format)),
    }
}

/// Judges as many clauses at once as there are processors; each is told in its turn. What the suite waits for blocks, so each has a
/// thread.
fn judge(program: &Program, names: &[&str], mut told: impl FnMut(&ClauseReport)) -> Result<Vec<ClauseReport>, Failure> {
    let next = AtomicUsize::new(0);
    let (done, mut reports) = (mpsc::channel(), Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            let (done, next) = (done.0.clone(), &next);
            scope.spawn(move || {
                while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                    let report = runtime.map(|runtime| runtime.block_on(run_one(program, name)));
                    // Whoever waits for it stays until the last one has come.
                    let _ = done.send((*name, report));
                }
            });
        }
        drop(done.0);
        let mut early = BTreeMap::new();
        for (name, report) in done.1 {
            let report = report.map_err(|e| Failure::Tool(format!("the runtime cannot be started: {e}")))?;
            early.insert(name, report);
            while let Some(report) = names.get(reports.len()).and_then(|name| early.remove(name)) {
                let Some(report) = report else { return Err(Failure::Tool("there is no such clause".into())) };
                told(&report);
                reports.push(report);
            }
        }
        Ok(())
    })?;
    Ok(reports)
}

fn conclude(reports: &[ClauseReport], format: Format) -> Exit {
    let broken = reports.iter().filter(|r| matches!(r.verdict, Verdict::Broken(_))).count();
    let left_out: usize = reports.iter().map(ClauseReport::not_applicable).sum();
    match format {
        Format::Json => {
            let clauses: Vec<Value> = reports.iter().map(value).collect();
            print(&json(&json!({ "broken": broken, "not_applicable": left_out, "clauses": clauses })));
        }
        Format::Text | Format::Github => {
            print(&format!(
                "{} clauses, {broken} broken, {left_out} clauses and parts not applicable\n",
                reports.len()
            ));
        }
    }
    if broken == 0 { Exit::Done } else { Exit::NotInformed }
}

fn value(report: &ClauseReport) -> Value {
    let (verdict, why) = match &report.verdict {
        Verdict::NotApplicable(why) => ("not-applicable", Some(why)),
        Verdict::Broken(why) => ("broken", Some(why)),
        _ => ("kept", None),
    };
    json!({ "name": report.name, "verdict": verdict, "why": why, "left_out": report.left_out })
}

fn place() -> Result<TempDir, Failure> {
    tempfile::Builder::new()
        .prefix("relcomm-trial-")
        .tempdir()
        .map_err(|e| Failure::Tool(format!("there is no place for a trial: {e}")))
}

fn on_trial(options: &ExecOptions, place: &TempDir) -> ExecOptions {
    options.clone().env("RELCOMM_TRIAL", place.path().display().to_string())
}

async fn open(options: &ExecOptions) -> Result<ExecChannel, Failure> {
    let cx = AttemptContext::new(Arc::new(SystemClock::new()), ASKING);
    ExecChannel::open(options.clone(), &cx).await.map_err(|e| Failure::Tool(e.to_string()))
}

/// The program as a fixture of the suite.
struct Program {
    options: ExecOptions,
    trial: TrialDescription,
    secrets: Vec<String>,
    /// Prepares what a reader must find.
    channel: ExecChannel,
    /// How long it may take to fall silent.
    silence: Duration,
    /// Why the far side could not be looked at.
    trouble: Arc<Mutex<Option<String>>>,
}

#[async_trait]
impl ChannelFixture for Program {
    async fn set_up(&self, plot: Plot) -> Result<Trial, CannotShow> {
        let place = place().map_err(|e| CannotShow::because(e.to_string()))?;
        let options = on_trial(&self.options, &place);
        if let Some(fault) = plot.fault() {
            let request =
                json!({ "relcomm": 1, "do": "fault", "fault": word(&fault.to_string()), "after": plot.spared() });
            let answer = ask(&options, &request).map_err(CannotShow::because)?;
            if let Some(why) = answer.iter().find_map(|line| line.cannot.as_deref()) {
                return Err(CannotShow::because(why));
            }
        }
        let channel = open(&options).await.map_err(|e| CannotShow::because(e.to_string()))?;
        let place = Arc::new(place);
        let look = {
            let trouble = Arc::clone(&self.trouble);
            move || {
                // The directory goes when nobody can look any more.
                let _held = &place;
                ask(&options, &seen()).unwrap_or_else(|why| {
                    *trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
                    Vec::new()
                })
            }
        };
        let calls = look.clone();
        Ok(Trial::new(
            channel,
            move || look().into_iter().filter_map(|line| line.seen).map(Seen::arrival).collect(),
            move || calls().iter().find_map(|line| line.calls).unwrap_or(0),
        ))
    }

    fn far_side(&self) -> FarSide {
        let mut far_side = FarSide::default();
        far_side.addresses.clone_from(&self.trial.addresses);
        far_side.refused.clone_from(&self.trial.refused);
        far_side.secrets.clone_from(&self.secrets);
        far_side
    }

    /// A program has to start before it can fall silent.
    fn silence(&self) -> Duration {
        self.silence
    }

    /// The fullest part that the program asks for.
    fn reads(&self, wording: &Wording) -> String {
        let Ok(prepared) = self.channel.prepare(wording) else { return String::new() };
        let fullest = ["text", "html", "short", "subject"].map(|name| prepared.part(name).to_owned());
        fullest.into_iter().find(|part| !part.is_empty()).unwrap_or_default()
    }
}

/// A line that answers what only a test asks.
#[derive(Deserialize)]
struct Line {
    seen: Option<Seen>,
    calls: Option<usize>,
    cannot: Option<String>,
    #[serde(default)]
    done: bool,
}

#[derive(Deserialize)]
struct Seen {
    text: String,
    subject: Option<String>,
    key: Option<String>,
    to: Option<String>,
    raw: Option<String>,
}

impl Seen {
    fn arrival(self) -> Arrival {
        let mut arrival = Arrival::new(self.text);
        arrival.raw = self.raw.map(String::into_bytes).unwrap_or_else(|| arrival.text.clone().into_bytes());
        (arrival.subject, arrival.key, arrival.to) = (self.subject, self.key, self.to);
        arrival
    }
}

fn seen() -> Value {
    json!({ "relcomm": 1, "do": "seen" })
}

/// `LoseAnswer` as `lose-answer`.
fn word(fault: &str) -> String {
    let mut word = String::new();
    for c in fault.chars() {
        if c.is_ascii_uppercase() && !word.is_empty() {
            word.push('-');
        }
        word.push(c.to_ascii_lowercase());
    }
    word
}

/// Asks in a process of its own, and blocks: the suite looks at a far side between two steps.
fn ask(options: &ExecOptions, request: &Value) -> Result<Vec<Line>, String> {
    let mut command = options.command();
    let process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut process = process.map_err(|e| format!("it cannot be started: {}", e.kind()))?;
    if let Some(mut input) = process.stdin.take() {
        // It may answer without having read.
        let _ = input.write_all(format!("{request}\n").as_bytes());
    }
    let (done, wait) = mpsc::channel();
    if let Some(output) = process.stdout.take() {
        std::thread::spawn(move || {
            let mut text = String::new();
            let read = output.take(LONGEST).read_to_string(&mut text).map(|_| text);
            // Whoever waited too long does not want it.
            let _ = done.send(read);
        });
    }
    let answer = wait.recv_timeout(ASKING);
    if answer.is_err() {
        let _ = process.kill();
    }
    let _ = process.wait();
    let text = answer.map_err(|_| format!("it has not answered in {ASKING:?}"))?.map_err(|e| e.to_string())?;
    let lines = text.lines().filter(|line| !line.trim().is_empty()).map(serde_json::from_str);
    let lines: Vec<Line> = lines.collect::<Result<_, _>>().map_err(|_| "a line of its answer is not understood")?;
    let whole = lines.iter().any(|line| line.done || line.cannot.is_some());
    if whole { Ok(lines) } else { Err("it does not say that it is done".into()) }
}
