//! An HTTP receiver in a process of its own: `http-receiver FILE [MILLISECONDS]`.
//!
//! It listens on a free loopback port, prints its URL as the first line, answers every request with 200, and has a line of JSON in
//! `FILE` for each before it answers: `{"path", "id", "headers", "body"}`, where `id` is the request's `webhook-id`. Repeats are
//! written too: whether there are any is for the reader to judge. Between the line and the end of the answer it takes so many
//! milliseconds. It ends when its standard input does, so that it never outlives whoever started it.

use relcomm_testkit::peer::http::{HttpPeer, HttpScript, Request, Response, Rule};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Error, Read, Result, Write};
use std::time::Duration;

fn main() -> Result<()> {
    let file = std::env::args_os().nth(1).ok_or_else(|| Error::other("usage: http-receiver FILE [MILLISECONDS]"))?;
    let pause = match std::env::args().nth(2) {
        Some(text) => text.parse().map_err(Error::other)?,
        None => 0,
    };
    let file = OpenOptions::new().create(true).append(true).open(file)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let entered = runtime.enter();
    // What cannot be written down is not accepted: the sender keeps it then.
    let keep = move |request: &Request| {
        let response = Response::new(if note(&file, request).is_ok() { 200 } else { 503 });
        if pause == 0 { response } else { response.body(" ").slow(1, Duration::from_millis(pause)) }
    };
    let peer = HttpPeer::start(HttpScript::new().rule(Rule::respond("*", keep)))?;
    let mut out = std::io::stdout();
    writeln!(out, "{}", peer.url(""))?;
    out.flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    drop(entered);
    Ok(())
}

/// One write for each line, so that lines stay whole when the process is killed.
fn note(mut file: &File, request: &Request) -> Result<()> {
    let headers: BTreeMap<&str, &str> =
        request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let line = serde_json::json!({
        "path": request.path,
        "id": request.header("webhook-id"),
        "headers": headers,
        "body": String::from_utf8_lossy(&request.body),
    });
    file.write_all(format!("{line}\n").as_bytes())
}
