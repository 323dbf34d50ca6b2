//! `receipts`: reads receipts in.

use super::answer;
use super::desk::{Access, Desk};
use super::signals::Signals;
use crate::arguments::Common;
use crate::{Exit, Failure};
use relcomm_channels::email::ReturnPath;
use relcomm_channels::email::receipts::{Maildir, classify};
use relcomm_core::channel::{Inbound, Received};
use relcomm_core::dispatch::Intake;
use relcomm_core::mechanism::Mechanism;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

/// A call back as the host wrote it down: one line of JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Callback {
    mechanism: Mechanism,
    headers: BTreeMap<String, String>,
    body: String,
    #[serde(default)]
    at: Option<String>,
}

/// How long `--watch` waits between two looks.
const PAUSE: Duration = Duration::from_secs(1);

pub(super) async fn receipts(common: &Common, from: &str, watch: bool) -> Result<Exit, Failure> {
    let desk = Desk::open(common, Access::Write).await?;
    let mut refused = 0;
    let mut read = 0;
    let mut total = Intake::default();
    let mut signals = Signals::new()?;
    loop {
        let taken = match from.split_once(':') {
            Some(("maildir", dir)) => {
                if !Path::new(dir).join("new").is_dir() {
                    return Err(Failure::Tool(format!("{dir}: there is no Maildir")));
                }
                desk.dispatcher.collect(&Maildir::new(dir, return_paths(&desk)?.iter().cloned())).await?
            }
            Some(("callbacks", file)) => callbacks(&desk, file, watch, &mut read, &mut refused).await?,
            None if from == "-" => standard_input(&desk).await?,
            _ => return Err(Failure::Tool(format!("--from {from}: give maildir:DIR, callbacks:FILE or -"))),
        };
        total.recorded += taken.recorded;
        total.repeated += taken.repeated;
        total.unmatched += taken.unmatched;
        if !watch || from == "-" {
            break;
        }
        tokio::select! {
            biased;
            _ = signals.asked() => break,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
    let line = format!(
        "receipts: {} recorded, {} known before, {} match nothing, {refused} refused",
        total.recorded, total.repeated, total.unmatched
    );
    let value = json!({
        "recorded": total.recorded, "repeated": total.repeated, "unmatched": total.unmatched, "refused": refused,
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

/// Reads the lines behind the first `read` of the file. While it is watched, a line without its end is still being written.
async fn callbacks(
    desk: &Desk,
    file: &str,
    watch: bool,
    read: &mut usize,
    refused: &mut usize,
) -> Result<Intake, Failure> {
    let text = std::fs::read_to_string(file).map_err(|e| Failure::Tool(format!("{file}: {e}")))?;
    let text = if watch { text.rsplit_once('\n').map_or("", |(whole, _)| whole) } else { &text };
    let mut total = Intake::default();
    for (number, line) in (1..).zip(text.lines()).skip(*read) {
        *read = number;
        if line.trim().is_empty() {
            continue;
        }
        let call: Callback = match serde_json::from_str(line) {
            Ok(call) => call,
            Err(error) => {
                super::say(&format!("{file}:{number}: {error}"));
                *refused += 1;
                continue;
            }
        };
        let at = match &call.at {
            Some(at) => relcomm_core::clock::Moment::parse(at).ok(),
            None => Some(desk.dispatcher.now()),
        };
        let Some(at) = at else {
            super::say(&format!("{file}:{number}: `at` is an RFC 3339 instant"));
            *refused += 1;
            continue;
        };
        let headers: Vec<(String, String)> = call.headers.into_iter().collect();
        match desk.dispatcher.callback(&call.mechanism, &Inbound::new(&headers, call.body.as_bytes(), at)).await {
            Ok(taken) => {
                total.recorded += taken.recorded;
                total.repeated += taken.repeated;
                total.unmatched += taken.unmatched;
            }
            Err(relcomm_core::dispatch::DispatchError::Refused(why)) => {
                super::say(&format!("{file}:{number}: {why}"));
                *refused += 1;
            }
            Err(other) => return Err(other.into()),
        }
    }
    Ok(total)
}

async fn standard_input(desk: &Desk) -> Result<Intake, Failure> {
    let mut raw = Vec::new();
    std::io::stdin().read_to_end(&mut raw).map_err(|e| Failure::Tool(format!("standard input: {e}")))?;
    let id = data_encoding::HEXLOWER.encode(&Sha256::digest(&raw));
    let receipts = classify(&raw, return_paths(desk)?);
    Ok(desk.dispatcher.receive(vec![Received::new(id, receipts, raw)]).await?)
}
