//! The `relcomm` command as a library: the reference embedding of relcomm-core.
//!
//! | module | holds |
//! | --- | --- |
//! | [`arguments`] | the command line |
//! | [`deployment`] | the channels file: which channel carries which mechanism, and where secrets are |
//! | [`exit`] | exit codes, and what leads to them |
//! | [`load`] | from the file on the command line to a plan or a bundle |
//! | [`record`] | where the journal is, and opening it |
//! | [`sandbox`] | loopback peers, a clock that jumps, stand-in people |
//! | [`verbs`] | what each verb does |

pub mod arguments;
pub mod deployment;
pub mod exit;
pub mod load;
pub mod record;
pub mod sandbox;
pub mod verbs;

pub use exit::{Exit, Failure};

use arguments::Arguments;
use clap::Parser;
use deployment::ChannelKinds;
use std::process::ExitCode;

/// The whole command, with the arguments of the process: what `main` of a host's own `relcomm` calls, with kinds of its own.
#[must_use]
pub fn command(kinds: ChannelKinds) -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are answers, not errors; everything else that clap finds is a usage error.
            let _ = error.print();
            return if error.use_stderr() { Exit::Failed.into() } else { ExitCode::SUCCESS };
        }
    };
    let level = arguments.log.word();
    // Our own crates keep people and secrets out of logs; what others write at finer levels nobody here can vouch for.
    let ours = format!("warn,relcomm={level},relcomm_core={level},relcomm_channels={level}");
    let filter = tracing_subscriber::EnvFilter::try_new(ours).unwrap_or_default();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "the runtime cannot be started");
            return Exit::Failed.into();
        }
    };
    runtime.block_on(verbs::run(arguments.channel_kinds(kinds))).into()
}
