//! The `relcomm` command.

use relcomm::deployment::ChannelKinds;
use std::process::ExitCode;

fn main() -> ExitCode {
    relcomm::command(ChannelKinds::standard())
}
