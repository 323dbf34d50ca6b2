//! `receipts`: reads receipts in.

use super::answer;
use super::callbacks::{Place, callbacks};
use super::desk::{Access, Desk};
use super::signals::Signals;
use crate::arguments::Common;
use crate::{Exit, Failure};
use relcomm_channels::email::ReturnPath;
use relcomm_channels::email::receipts::{Maildir, classify};
use relcomm_core::channel::Received;
use relcomm_core::dispatch::Intake;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::time::Duration;

/// How long `--watch` waits between two looks.
const PAUSE: Duration = Duration::from_secs(1);

pub(super) async fn receipts(common: &Common, from: &str, watch: bool) -> Result<Exit, Failure> {
    let desk = Desk::open(common, Access::Write).await?;
    let mut refused = 0;
    let mut place = Place::default();
    let mut total = Intake::default();
    let mut signals = Signals::new()?;
    loop {
        let taken = match from.split_once(':') {
            Some(("maildir", dir)) => {
                if let Err(error) = std::fs::read_dir(Path::new(dir).join("new")) {
                    let why = match error.kind() {
                        ErrorKind::NotFound => String::new(),
                        kind => format!(" that can be read: {kind}"),
                    };
                    return Err(Failure::Tool(format!("{dir}: there is no Maildir{why}")));
                }
                desk.dispatcher.collect(&Maildir::new(dir, return_paths(&desk)?.iter().cloned())).await?
            }
            Some(("callbacks", file)) => callbacks(&desk, file, watch, &mut place, &mut refused).await?,
            None if from == "-" => standard_input(&desk).await?,
            _ => return Err(Failure::Tool(format!("--from {from}: give maildir:DIR, callbacks:FILE or -"))),
        };
        // What was left stays there, and comes again at the next look.
        total.foreign = 0;
        total += taken;
        if !watch || from == "-" {
            break;
        }
        tokio::select! {
            biased;
            _ = signals.asked() => break,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
    let left = match total.foreign {
        0 => String::new(),
        left => format!("; {left} bear marks of another release or journal and stay where they are"),
    };
    let line = format!(
        "receipts: {} recorded, {} known before, {} match nothing, {refused} refused{left}",
        total.recorded, total.repeated, total.unmatched
    );
    let value = json!({
        "recorded": total.recorded, "repeated": total.repeated, "unmatched": total.unmatched, "refused": refused, "left": total.foreign,
    });
    answer(common.format, &line, &value);
    Ok(if refused > 0 { Exit::Refused } else { Exit::Done })
}

/// A report names no delivery but by the address that it came to.
fn return_paths(desk: &Desk) -> Result<&[ReturnPath], Failure> {
    if desk.return_paths.is_empty() {
        let words = "no channel of the kind `smtp` has a `return_path`: no report of mail can be matched";
        return Err(Failure::Tool(words.into()));
    }
    Ok(&desk.return_paths)
}

async fn standard_input(desk: &Desk) -> Result<Intake, Failure> {
    let mut raw = Vec::new();
    std::io::stdin().read_to_end(&mut raw).map_err(|e| Failure::Tool(format!("standard input: {e}")))?;
    let id = data_encoding::HEXLOWER.encode(&Sha256::digest(&raw));
    let receipts = classify(&raw, return_paths(desk)?);
    Ok(desk.dispatcher.receive(vec![Received::new(id, receipts, raw)]).await?)
}
