//! The email channel against `smtp-sink`, the test server of Postfix: written by others, and with manners of its own.
#![cfg(all(feature = "email", unix))]

mod post;

use mail_parser::MessageParser;
use post::{FROM, PATIENCE, accepted, attempt, base, failure, key, notice, text, to};
use relcomm_channels::email::{EmailChannel, EmailOptions, SmtpTimeouts};
use relcomm_core::channel::{Effect, ErrorKind, Retry, Scope};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;
use tokio::net::TcpStream;

/// A running server; it ends when this is dropped.
struct Sink {
    child: Child,
    addr: SocketAddr,
    dumps: TempDir,
}

impl Drop for Sink {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts the server with these arguments; `None` where it is not installed.
async fn sink(arguments: &[&str]) -> Option<Sink> {
    let paths = ["smtp-sink", "/usr/sbin/smtp-sink"];
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let addr = free.local_addr().expect("an address");
    drop(free);
    let dumps = tempfile::tempdir().expect("a directory");
    // The server gives up its rights before it writes.
    fs::set_permissions(dumps.path(), fs::Permissions::from_mode(0o777)).expect("open to all");
    let root = Command::new("id").arg("-u").output().is_ok_and(|said| said.stdout.starts_with(b"0\n"));
    let child = paths.iter().find_map(|path| {
        let mut command = Command::new(path);
        if root {
            command.args(["-u", "nobody"]);
        }
        let dump = dumps.path().join("mail.");
        command.arg("-d").arg(dump).args(arguments).arg(addr.to_string()).arg("100");
        command.stderr(Stdio::null()).spawn().ok()
    });
    let Some(child) = child else {
        assert!(std::env::var_os("RELCOMM_REQUIRE").is_none(), "smtp-sink is not installed");
        #[allow(clippy::print_stdout, reason = "a skipped test says so")]
        {
            println!("SKIPPED: smtp-sink is not installed");
        }
        return None;
    };
    let sink = Sink { child, addr, dumps };
    let up = async {
        while TcpStream::connect(addr).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, up).await.expect("smtp-sink comes up");
    Some(sink)
}

impl Sink {
    fn options(&self) -> EmailOptions {
        let options = EmailOptions::new(&format!("smtp://{}", self.addr), FROM).expect("options");
        options.timeouts(SmtpTimeouts::all(PATIENCE))
    }

    fn mails(&self) -> Vec<String> {
        let entries = fs::read_dir(self.dumps.path()).expect("a directory");
        entries.map(|entry| fs::read_to_string(entry.expect("an entry").path()).expect("a mail")).collect()
    }
}

#[tokio::test]
async fn mails_reach_a_server_of_others_with_envelope_and_text_intact() {
    let Some(sink) = sink(&[]).await else { return };
    let channel = EmailChannel::new(sink.options().return_path(base())).expect("a channel");
    let body = ".\n..two\nGrüße \u{1f680}\nlast";
    let item = to("a+b@c.test");
    assert!(accepted(&attempt(&channel, &text("Größe", body, "<p>Grüße"), std::slice::from_ref(&item)).await[0]));
    let mails = sink.mails();
    let [mail] = mails.as_slice() else { panic!("{} mails", mails.len()) };
    assert!(mail.contains(&format!("<bounces+{}@b.test>", item.token().as_str())), "{mail}");
    assert!(mail.contains(&format!("ENVID={}", key())) && mail.contains("ORCPT=rfc822;a+2Bb@c.test"), "{mail}");
    let parsed = MessageParser::default().parse(mail.as_bytes()).expect("a mail");
    assert_eq!(parsed.subject(), Some("Größe"));
    assert_eq!(parsed.body_text(0).expect("a text").replace("\r\n", "\n").trim_end(), body);
}

#[tokio::test]
async fn a_server_of_others_may_refuse_defer_and_vanish() {
    for (arguments, kind, scope, retry, effect) in [
        (["-f", "rcpt"], ErrorKind::RecipientInvalid, Scope::Recipient, Retry::Never, Effect::NotSent),
        (["-r", "rcpt"], ErrorKind::Unavailable, Scope::Recipient, Retry::Backoff, Effect::NotSent),
        (["-r", "."], ErrorKind::Unavailable, Scope::Message, Retry::Backoff, Effect::NotSent),
        (["-q", "mail"], ErrorKind::Unavailable, Scope::Channel, Retry::Backoff, Effect::NotSent),
        (["-q", "data"], ErrorKind::Unavailable, Scope::Channel, Retry::Backoff, Effect::NotSent),
        (["-q", "."], ErrorKind::Unavailable, Scope::Channel, Retry::Backoff, Effect::MaybeSent),
    ] {
        let Some(sink) = sink(&arguments).await else { return };
        let channel = EmailChannel::new(sink.options()).expect("a channel");
        let outcomes = attempt(&channel, &notice(), &[to("a@c.test")]).await;
        let error = failure(&outcomes[0]);
        assert_eq!(
            (error.kind, error.scope, error.retry, error.effect),
            (kind, scope, retry, effect),
            "{arguments:?} {error}"
        );
    }
}
