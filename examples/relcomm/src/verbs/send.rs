//! Verbs that send: `dispatch` and `deliver`.

use super::desk::{Access, Bench, Desk};
use super::look::{exit, show};
use super::say::declared_before;
use super::signals::{Asked, Signals};
use super::{json, print, say, warn};
use crate::arguments::{Common, Format};
use crate::sandbox::{STAND_IN, Sandbox, stand_in};
use crate::{Exit, Failure};
use indicatif::{ProgressBar, ProgressStyle};
use relcomm_core::clock::Clock;
use relcomm_core::dispatch::Dispatcher;
use relcomm_core::id::{Role, StakeholderId};
use relcomm_core::plan::draft::Act;
use relcomm_core::release::Declaration;
use relcomm_testkit::clock::Patience;
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

/// How something is to be sent.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) wait: bool,
    pub(super) execute: bool,
    pub(super) by: Option<String>,
    pub(super) proof: Option<String>,
    pub(super) pending_ok: bool,
}

pub(super) async fn dispatch(common: &Common, wish: &Wish) -> Result<Exit, Failure> {
    let bench = Bench::open(common).await?;
    warn(&bench.findings);
    if bench.sandbox.is_none() && !wish.execute {
        return intention(bench, "dispatch", common).await;
    }
    let desk = executing(bench.record(common, Access::Write).await?, wish);
    send(&desk, wish).await?;
    finish(&desk, common, wish).await
}

pub(super) async fn deliver(common: &Common, wish: &Wish) -> Result<Exit, Failure> {
    let bench = Bench::open(common).await?;
    warn(&bench.findings);
    let live = bench.sandbox.is_none();
    if live && !wish.execute {
        return intention(bench, "deliver", common).await;
    }
    let declarer = || stand_in(bench.prepared.plan(), Act::Declare);
    let (Some(by), proof) = (wish.by.clone().or_else(|| (!live).then(declarer)), wish.proof.clone()) else {
        return Err(Failure::Tool("deliver needs --by: who declares success?".into()));
    };
    if live && proof.is_none() {
        return Err(Failure::Tool("deliver needs --proof: what shows the success?".into()));
    }
    let desk = executing(bench.record(common, Access::Write).await?, wish);
    let prepared = desk.dispatcher.prepared().clone();
    say(&format!(
        "prepared {} {}: {} people, {} gates, texts {}",
        prepared.plan().release().product,
        prepared.plan().release().version,
        prepared.people().len(),
        prepared.gates().len(),
        prepared.digests().texts.get(..12).unwrap_or_default()
    ));
    if let Some(sandbox) = &desk.sandbox {
        approve_for(&desk.dispatcher).await?;
        before_the_release(&desk.dispatcher, sandbox).await?;
    } else {
        let roles = unapproved(&desk.dispatcher).await?;
        if !roles.is_empty() {
            let says = format!("an approval is missing, by {}: `relcomm approve` first", roles.join(" and "));
            return Err(Failure::Refused(says));
        }
    }
    for place in &prepared.plan().release().places {
        let proof = proof.clone().unwrap_or_else(|| "sandbox".into());
        let declaration = Declaration::success(&by).place(place.id.clone()).proof(proof);
        if desk.dispatcher.declare(&declaration).await? {
            say(&format!("declared {} success by {by}", place.id));
        } else {
            let before = declared_before(&desk.dispatcher, &declaration).await?;
            say(&format!("already declared {} success{before}", place.id));
        }
    }
    send(&desk, wish).await?;
    finish(&desk, common, wish).await
}

/// As whoever executes: in the sandbox a stand-in, where the plan asks and nobody is named.
fn executing(mut desk: Desk, wish: &Wish) -> Desk {
    let asks = desk.dispatcher.prepared().plan().asks_who(Act::Execute);
    let by = match (&wish.by, &desk.sandbox) {
        (Some(by), _) => Some(by.clone()),
        (None, Some(_)) if asks => Some(stand_in(desk.dispatcher.prepared().plan(), Act::Execute)),
        (None, _) => None,
    };
    if let Some(by) = by {
        desk.dispatcher = desk.dispatcher.execute_as(by);
    }
    desk
}

/// What a live verb would do, without doing it: whom each gate is for, by which mechanisms, and how it stands with it so far.
async fn intention(bench: Bench, verb: &str, common: &Common) -> Result<Exit, Failure> {
    let prepared = bench.prepared.clone();
    let stands = match bench.so_far(common).await? {
        Some(desk) => Some(so_far(&desk.dispatcher).await?),
        None => None,
    };
    let gates: Vec<_> = prepared
        .gates()
        .iter()
        .map(|gate| {
            let roll = prepared.roll(gate);
            let ways: BTreeMap<String, Vec<String>> = roll
                .paths()
                .iter()
                .map(|path| (path.group.to_string(), path.steps.iter().map(|s| s.mechanism.to_string()).collect()))
                .collect();
            let gate = gate.id.to_string();
            let stands = stands.as_ref().map(|stands| stands.get(&gate).map_or("nothing is due", String::as_str));
            (gate, roll.members().count(), ways, !roll.posts().is_empty(), stands)
        })
        .collect();
    if common.format == Format::Json {
        let of = |(gate, people, via, posted, stands): &(_, _, _, _, Option<&str>)| {
            let mut value = json!({ "gate": gate, "people": people, "via": via, "posted": posted });
            if let (Some(stands), Some(fields)) = (stands, value.as_object_mut()) {
                fields.insert("so_far".into(), (*stands).into());
            }
            value
        };
        let gates: Vec<_> = gates.iter().map(of).collect();
        print(&json(&json!({ "sent": 0, "would_send": gates })));
        return Ok(Exit::Done);
    }
    let mut out = String::new();
    for (gate, people, ways, posted, stands) in gates {
        // Writing to a string does not fail.
        let _ = write!(out, "{gate}: {people} people");
        for (group, steps) in ways {
            let _ = write!(out, ", {group} by {}", steps.join(" then "));
        }
        let _ = write!(out, "{}", if posted { ", posted once" } else { "" });
        let _ = writeln!(out, "{}", stands.map(|stands| format!("; {stands}")).unwrap_or_default());
    }
    let _ = writeln!(out, "nothing is sent: say `relcomm {verb} … --execute`");
    print(&out);
    Ok(Exit::Done)
}

/// How it stands with each gate by the record, in words.
async fn so_far(dispatcher: &Dispatcher) -> Result<BTreeMap<String, String>, Failure> {
    dispatcher.continues().await?;
    let mut stands = BTreeMap::new();
    for row in dispatcher.journal().gates().await? {
        let (all, ended) = (row.tally.rows, row.tally.rows.saturating_sub(row.tally.running));
        if all > 0 {
            stands.insert(row.id.to_string(), format!("{ended} of {all} ended so far"));
        }
    }
    for pending in dispatcher.standing().await?.pending {
        let waits = format!("waits for {}", pending.waiting_for);
        let known: &mut String = stands.entry(pending.gate).or_default();
        *known = if known.is_empty() { waits } else { format!("{known}, {waits}") };
    }
    Ok(stands)
}

async fn finish(desk: &Desk, common: &Common, wish: &Wish) -> Result<Exit, Failure> {
    let report = desk.dispatcher.report().await?;
    let end = exit(&report, wish.pending_ok);
    show(report, common.format);
    Ok(end)
}

/// Sends what is due, or until nothing is pending.
async fn send(desk: &Desk, wish: &Wish) -> Result<(), Failure> {
    let progress = Progress::new(&desk.dispatcher);
    match &desk.sandbox {
        Some(sandbox) => in_sandbox(&desk.dispatcher, sandbox, wish.wait, &progress).await,
        None => live(&desk.dispatcher, wish.wait, &progress).await,
    }
}

/// Does what is due, or runs until nothing is pending. Asked to stop, it begins nothing new and waits for what is in flight.
async fn live(dispatcher: &Dispatcher, wait: bool, progress: &Progress) -> Result<(), Failure> {
    let stop = tokio_util::sync::CancellationToken::new();
    let mut options = relcomm_core::dispatch::DispatchOptions::default();
    options.cancellation = stop.clone();
    let runner = dispatcher.clone().options(options);
    let mut signals = Signals::new()?;
    let mut run = std::pin::pin!(async { if wait { runner.run().await } else { runner.step().await } });
    loop {
        tokio::select! {
            biased;
            standing = &mut run => {
                standing?;
                return progress.show(dispatcher).await;
            }
            asked = signals.asked() => {
                if stop.is_cancelled() && asked == Asked::ByHand {
                    let says = "stopped at once: what was in flight counts as unknown, as after a crash";
                    return Err(Failure::Tool(says.into()));
                }
                say("stopping: what is in flight is waited for; Ctrl-C once more stops at once");
                stop.cancel();
            }
            () = tokio::time::sleep(Duration::from_secs(1)) => progress.show(dispatcher).await?,
        }
    }
}

/// Steps through the sandbox's time: what is due is done, then the clock jumps to whatever comes next.
async fn in_sandbox(
    dispatcher: &Dispatcher,
    sandbox: &Sandbox,
    wait: bool,
    progress: &Progress,
) -> Result<(), Failure> {
    let mut patience = Patience::default();
    loop {
        let standing = dispatcher.step().await?;
        progress.show(dispatcher).await?;
        sandbox.world.look_around(dispatcher).await?;
        let next = [standing.next_due, sandbox.world.next()].into_iter().flatten().min();
        let lost = patience.lost(&**dispatcher.journal(), dispatcher.now()).await?;
        if let Some(lane) = &lost {
            say(&format!(
                "the channel for {lane} does not come back, and nothing else happens: the sandbox stops here"
            ));
        }
        match next {
            Some(at) if wait && lost.is_none() => {
                sandbox.clock.jump_to(at);
                sandbox.world.happen(dispatcher).await?;
            }
            _ => {
                sandbox.world.file_reports()?;
                return Ok(());
            }
        }
    }
}

/// What is due before the release goes out first, and then it is the planned time.
async fn before_the_release(dispatcher: &Dispatcher, sandbox: &Sandbox) -> Result<(), Failure> {
    let Some(planned) = dispatcher.prepared().plan().release().when.planned else { return Ok(()) };
    let progress = Progress::new(dispatcher);
    let mut patience = Patience::default();
    while sandbox.clock.now() < planned {
        let standing = dispatcher.step().await?;
        progress.show(dispatcher).await?;
        sandbox.world.look_around(dispatcher).await?;
        let next = [standing.next_due, sandbox.world.next()].into_iter().flatten().min();
        let lost = patience.lost(&**dispatcher.journal(), dispatcher.now()).await?.is_some();
        sandbox.clock.jump_to(next.filter(|_| !lost).map_or(planned, |at| at.min(planned)));
        sandbox.world.happen(dispatcher).await?;
    }
    Ok(())
}

/// Gives every approval that the plan needs, in the name of whoever holds the role.
async fn approve_for(dispatcher: &Dispatcher) -> Result<(), Failure> {
    let approvals = dispatcher.prepared().plan().approvals().clone();
    let mut spoke = BTreeMap::new();
    for need in &approvals.need {
        // The plan may ask for another person in each role.
        let holders = approvals.roles.get(&need.role).map(Vec::as_slice).unwrap_or_default();
        let plan = dispatcher.prepared().plan();
        let may = |holder: &&StakeholderId| plan.may(Act::Approve, holder.as_str());
        let is_free = |holder: &&StakeholderId| may(holder) && spoke.get(*holder).is_none_or(|role| role == &need.role);
        let holder = holders.iter().find(is_free).or_else(|| holders.iter().find(may)).or(holders.first());
        spoke.extend(holder.map(|holder| (holder.clone(), need.role.clone())));
        let by = holder.map_or(STAND_IN, |h| h.as_str());
        let note = Some(format!("by the {STAND_IN} of the sandbox"));
        if dispatcher.approve(&need.role, by, None, false, note).await? {
            say(&format!("approved as {} by a {STAND_IN}", need.role));
        }
    }
    Ok(())
}

/// The roles in which nobody has approved what is prepared now.
async fn unapproved(dispatcher: &Dispatcher) -> Result<Vec<&str>, Failure> {
    let (_, head) = dispatcher.journal().head().await?;
    let approvals = dispatcher.prepared().plan().approvals();
    let digests = dispatcher.prepared().digests();
    let since = approvals.since(dispatcher.now());
    let before = approvals.need.iter().filter(|need| need.retrospective.is_none()).map(|need| &need.role);
    let lacks = |role: &&Role| !head.approved(role, digests, approvals.covers_people, since);
    Ok(before.filter(lacks).map(Role::as_str).collect())
}

/// How far it has got, on standard error: a bar on a terminal, lines elsewhere.
#[derive(Debug)]
struct Progress {
    bar: ProgressBar,
}

impl Progress {
    fn new(dispatcher: &Dispatcher) -> Self {
        let prepared = dispatcher.prepared();
        let all: u64 = prepared.gates().iter().map(|g| u64::from(prepared.roll(g).len())).sum();
        let bar = ProgressBar::new(all);
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} deliveries {msg}") {
            bar.set_style(style);
        }
        Self { bar }
    }

    async fn show(&self, dispatcher: &Dispatcher) -> Result<(), Failure> {
        let gates = dispatcher.journal().gates().await?;
        let ended: u64 = gates.iter().map(|g| u64::from(g.tally.rows.saturating_sub(g.tally.running))).sum();
        let open: Vec<String> = gates.iter().filter(|g| g.tally.running > 0).map(|g| g.id.to_string()).collect();
        let news = self.bar.position() != ended;
        self.bar.set_position(ended);
        self.bar.set_message(open.join(" "));
        if self.bar.is_hidden() && news {
            let at = dispatcher.now();
            let all = self.bar.length().unwrap_or(0);
            let open = match all.saturating_sub(ended) {
                _ if !open.is_empty() => format!("open: {}", open.join(" ")),
                0 => "nothing open".to_owned(),
                rest => format!("nothing open, {rest} not due so far"),
            };
            say(&format!("{at}  {ended}/{all} deliveries ended, {open}"));
        }
        Ok(())
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
