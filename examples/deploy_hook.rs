//! A step of a deployment pipeline: it declares success at a place, sends what is due, and says when to call it again.
//!
//! `cargo run --example deploy_hook -- BUNDLE JOURNAL PLACE BY PROOF`
//!
//! The bundle is what `relcomm prepare --bundle` sealed for this relay; mail goes to the relay that `SMTP_URL` names, as `SMTP_FROM`. The
//! first call makes the journal only if `NEW_JOURNAL` is set: whoever lost a journal must not tell everyone twice.

use relcomm_channels::email::{EmailChannel, EmailOptions};
use relcomm_core::clock::SystemClock;
use relcomm_core::dispatch::DispatchOptions;
use relcomm_core::id::PlaceId;
use relcomm_core::journal::{Create, Mode, Scope, SqliteJournal, SqliteOptions};
use relcomm_core::mechanism::Mechanism;
use relcomm_core::{ChannelSet, Declaration, Dispatcher, PreparedPlan};
use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

#[allow(dead_code, reason = "tests take this file as a module")]
#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let code = hook(&given, |name| std::env::var(name).ok(), &mut std::io::stdout()).await?;
    Ok(ExitCode::from(code))
}

/// Does the step and says how it stands. Returns the exit code: one of those of the command.
pub(crate) async fn hook(
    given: &[String],
    var: impl Fn(&str) -> Option<String>,
    out: &mut impl Write,
) -> Result<u8, Box<dyn Error>> {
    let [bundle, journal, place, by, proof] = given else {
        return Err("usage: deploy_hook BUNDLE JOURNAL PLACE BY PROOF".into());
    };
    let prepared = PreparedPlan::read(Path::new(bundle))?;

    let needed = |name: &str| var(name).ok_or(format!("{name} is not set"));
    let mut options = EmailOptions::new(&needed("SMTP_URL")?, &needed("SMTP_FROM")?)?;
    if let Some(password) = var("SMTP_PASSWORD") {
        options = options.password(password.into());
    }
    let channels = ChannelSet::new().with(Mechanism::new("email")?, EmailChannel::new(options)?);

    let create = if var("NEW_JOURNAL").is_some() { Create::IfMissing } else { Create::Never };
    let scope = Scope::new(prepared.plan().id().clone(), &prepared.plan().release().version, Mode::Live);
    let record = SqliteJournal::open(journal, scope, Arc::new(SystemClock::new()), SqliteOptions::new(create))?;

    // Nobody else needs to be heard while one step lasts.
    let mut options = DispatchOptions::default();
    options.poll = None;
    let dispatcher = Dispatcher::new(prepared, channels, record)?.options(options);
    let declaration = Declaration::success(by).place(PlaceId::new(place)?).proof(proof);
    if !dispatcher.declare(&declaration).await? {
        writeln!(out, "already declared")?;
    }
    dispatcher.step().await?;
    // Read from the record, it says of what could be tried at once why it is not: which channel has to be mended first.
    let standing = dispatcher.standing().await?;
    for pending in &standing.pending {
        writeln!(out, "pending: {} waits for {}", pending.gate, pending.waiting_for)?;
    }
    if let Some(at) = standing.next_due {
        writeln!(out, "call again at {at}")?;
    }
    // The exit codes of the command: 0 only if everyone who was due is informed, 3 if an approval is missing, 4 if somebody is not
    // informed for good, 5 while something may still come. That nothing is pending says nothing of who was informed.
    Ok(dispatcher.report().await?.exit_code())
}
