//! A mail server in a process of its own: `smtp-receiver FILE`.
//!
//! It listens on a free loopback port, prints its URL as the first line, takes over every mail, and writes a line of JSON into `FILE`
//! for each recipient of each: `{"to", "id"}`, where `id` is the mail's Message-ID. Whether something came twice is for the reader to
//! judge. It ends when its standard input does, after writing what it has taken over by then.

use relcomm_testkit::peer::smtp::{Mail, SmtpPeer, SmtpScript};
use std::fs::{File, OpenOptions};
use std::io::{Error, Read, Result, Write};
use std::time::Duration;

fn main() -> Result<()> {
    let file = std::env::args_os().nth(1).ok_or_else(|| Error::other("usage: smtp-receiver FILE"))?;
    let file = OpenOptions::new().create(true).append(true).open(file)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let entered = runtime.enter();
    let peer = SmtpPeer::start(SmtpScript::new())?;
    let mut out = std::io::stdout();
    writeln!(out, "smtp://{}", peer.addr())?;
    out.flush()?;
    let mut end = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    runtime.block_on(async {
        let mut written = 0;
        loop {
            let ended = tokio::select! {
                // What came before the time was over is there even so.
                _ = peer.wait_for(written + 1, Duration::from_secs(1)) => false,
                _ = &mut end => true,
            };
            for mail in peer.mails().iter().skip(written) {
                note(&file, mail)?;
                written += 1;
            }
            if ended {
                return Ok::<(), Error>(());
            }
        }
    })?;
    drop(entered);
    Ok(())
}

/// One write for each mail, so that lines stay whole when the process is killed.
fn note(mut file: &File, mail: &Mail) -> Result<()> {
    let id = mail.header("Message-ID");
    let lines = mail.recipients.iter().map(|to| format!("{}\n", serde_json::json!({ "to": to.address, "id": id })));
    file.write_all(lines.collect::<String>().as_bytes())
}
