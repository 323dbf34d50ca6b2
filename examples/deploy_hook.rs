//! A step of a deployment pipeline: it declares success at a place, sends what is due, and says when to call it again.
//!
//! `cargo run --example deploy_hook -- BUNDLE JOURNAL PLACE BY PROOF`
//!
//! The bundle is what `relcomm prepare --bundle` sealed for this relay; mail goes to the relay that `SMTP_URL` names, as `SMTP_FROM`. The
//! first call makes the journal only if `NEW_JOURNAL` is set: whoever lost a journal must not tell everyone twice.
#![expect(clippy::print_stdout, reason = "what it prints is read by the pipeline")]

use relcomm_channels::email::{EmailChannel, EmailOptions};
use relcomm_core::clock::SystemClock;
use relcomm_core::dispatch::DispatchOptions;
use relcomm_core::id::PlaceId;
use relcomm_core::journal::{Create, Mode, Scope, SqliteJournal, SqliteOptions};
use relcomm_core::mechanism::Mechanism;
use relcomm_core::{ChannelSet, Declaration, Dispatcher, PreparedPlan};
use std::env::{args, var};
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let given: Vec<String> = args().skip(1).collect();
    let [bundle, journal, place, by, proof] = given.as_slice() else {
        return Err("usage: deploy_hook BUNDLE JOURNAL PLACE BY PROOF".into());
    };
    let prepared = PreparedPlan::read(Path::new(bundle))?;

    let mut options = EmailOptions::new(&var("SMTP_URL")?, &var("SMTP_FROM")?)?;
    if let Ok(password) = var("SMTP_PASSWORD") {
        options = options.password(password.into());
    }
    let channels = ChannelSet::new().with(Mechanism::new("email")?, EmailChannel::new(options)?);

    let create = if var("NEW_JOURNAL").is_ok() { Create::IfMissing } else { Create::Never };
    let scope = Scope::new(prepared.plan().id().clone(), &prepared.plan().release().version, Mode::Live);
    let record = SqliteJournal::open(journal, scope, Arc::new(SystemClock::new()), SqliteOptions::new(create))?;

    // Nobody else needs to be heard while one step lasts.
    let mut options = DispatchOptions::default();
    options.poll = None;
    let dispatcher = Dispatcher::new(prepared, channels, record)?.options(options);
    let declaration = Declaration::success(by).place(PlaceId::new(place)?).proof(proof);
    if !dispatcher.declare(&declaration).await? {
        println!("already declared");
    }
    let standing = dispatcher.step().await?;
    for pending in &standing.pending {
        println!("pending: {} waits for {}", pending.gate, pending.waiting_for);
    }
    if let Some(at) = standing.next_due {
        println!("call again at {at}");
    }
    // The exit codes of the command: 5 while something may still come.
    Ok(if standing.is_done() { ExitCode::SUCCESS } else { ExitCode::from(5) })
}
