//! `receipts`: reads receipts in.

use super::answer;
use super::desk::{Access, Desk};
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
    let mut total = Intake::default();
    loop {
        let taken = match from.split_once(':') {
            Some(("maildir", dir)) => desk.dispatcher.collect(&Maildir::new(dir, None::<ReturnPath>)).await?,
            Some(("callbacks", file)) => callbacks(&desk, file, &mut refused).await?,
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
            _ = tokio::signal::ctrl_c() => break,
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

async fn callbacks(desk: &Desk, file: &str, refused: &mut usize) -> Result<Intake, Failure> {
    let text = std::fs::read_to_string(file).map_err(|e| Failure::Tool(format!("{file}: {e}")))?;
    let mut total = Intake::default();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, l)| !l.trim().is_empty()) {
        let call: Callback =
            serde_json::from_str(line).map_err(|e| Failure::Invalid(format!("{file}:{number}: {e}")))?;
        let at = match &call.at {
            Some(at) => relcomm_core::clock::Moment::parse(at)
                .map_err(|_| Failure::Invalid(format!("{file}:{number}: `at` is an RFC 3339 instant")))?,
            None => desk.dispatcher.now(),
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
    let receipts = classify(&raw, None);
    Ok(desk.dispatcher.receive(vec![Received::new(id, receipts, raw)]).await?)
}
