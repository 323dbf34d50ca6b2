//! The `relcomm` command.

use clap::Parser;
use relcomm::arguments::Arguments;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are answers, not errors; everything else that clap finds is a usage error.
            let _ = error.print();
            return if error.use_stderr() { relcomm::Exit::Failed.into() } else { ExitCode::SUCCESS };
        }
    };
    let level = arguments.log.as_deref().unwrap_or("warn");
    // Our own crates keep people and secrets out of logs; what others write at finer levels nobody here can vouch for.
    let ours = format!("warn,relcomm={level},relcomm_core={level},relcomm_channels={level}");
    let filter = tracing_subscriber::EnvFilter::try_new(ours).unwrap_or_default();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "the runtime cannot be started");
            return relcomm::Exit::Failed.into();
        }
    };
    runtime.block_on(relcomm::verbs::run(arguments)).into()
}
