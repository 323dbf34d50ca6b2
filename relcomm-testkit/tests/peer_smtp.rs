//! The SMTP peer against clients that know nothing of it: lettre's transport, and octets over a plain socket.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lettre::address::Envelope;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{Message, SmtpTransport, Transport};
use mail_parser::{MessageParser, MimeHeaders};
use relcomm_testkit::peer::smtp::{
    Action, Extensions, Fate, Fault, FaultAct, RecipientAnswer, Reply, Ret, SmtpPeer, SmtpScript, Step,
};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

const PATIENCE: Duration = Duration::from_secs(10);

fn start(script: SmtpScript) -> SmtpPeer {
    SmtpPeer::start(script).expect("a loopback port is free")
}

/// A client that says exactly what it is told.
struct Raw<S> {
    io: S,
    read: Vec<u8>,
}

impl Raw<TcpStream> {
    async fn connect(peer: &SmtpPeer) -> Self {
        Self { io: TcpStream::connect(peer.addr()).await.expect("the peer listens"), read: Vec::new() }
    }

    async fn hello(peer: &SmtpPeer) -> Self {
        let mut raw = Self::connect(peer).await;
        assert!(raw.reply().await.starts_with("220 "));
        assert!(raw.ask("EHLO client.test").await.starts_with("250-"));
        raw
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Raw<S> {
    async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.io.write_all(bytes.as_ref()).await.expect("the connection is open");
        self.io.flush().await.expect("the connection is open");
    }

    async fn ask(&mut self, command: &str) -> String {
        self.say(format!("{command}\r\n")).await;
        self.reply().await
    }

    /// The next reply with all of its lines; empty where the connection is closed.
    async fn reply(&mut self) -> String {
        loop {
            let mut end = 0;
            for line in self.read.split_inclusive(|octet| *octet == b'\n').filter(|line| line.ends_with(b"\r\n")) {
                end += line.len();
                if line.get(3) != Some(&b'-') {
                    let reply: Vec<u8> = self.read.drain(..end).collect();
                    return String::from_utf8_lossy(&reply).into_owned();
                }
            }
            let mut chunk = [0; 4096];
            match timeout(PATIENCE, self.io.read(&mut chunk)).await.expect("the peer answers in time") {
                Ok(0) | Err(_) => return String::new(),
                Ok(count) => self.read.extend_from_slice(&chunk[..count]),
            }
        }
    }

    async fn codes(&mut self, count: usize) -> Vec<String> {
        let mut codes = Vec::new();
        for _ in 0..count {
            codes.push(self.reply().await.chars().take(3).collect());
        }
        codes
    }
}

/// Sends one mail with lettre; the answer is the code of the reply that decided it.
async fn lettre_sends(peer: &SmtpPeer, login: Option<(&str, &str)>, body: &str) -> Result<String, String> {
    let mut builder = SmtpTransport::builder_dangerous(peer.addr().ip().to_string()).port(peer.addr().port());
    if let Some((name, password)) = login {
        builder = builder.credentials(Credentials::new(name.to_owned(), password.to_owned()));
    }
    let transport = builder.build();
    let mail = Message::builder()
        .from("Release <release@sender.test>".parse().expect("address"))
        .to("ann@example.test".parse().expect("address"))
        .subject("Version 2 is in production")
        .body(body.to_owned())
        .expect("mail");
    tokio::task::spawn_blocking(move || match transport.send(&mail) {
        Ok(response) => Ok(response.code().to_string()),
        Err(error) => Err(error.status().map_or_else(|| "closed".to_owned(), |code| code.to_string())),
    })
    .await
    .expect("lettre does not panic")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lettre_hands_a_mail_over() {
    let peer = start(SmtpScript::new());
    let body = "first\n.leading dot\n..two\nlast";
    assert_eq!(lettre_sends(&peer, None, body).await.as_deref(), Ok("250"));
    let mails = peer.wait_for(1, PATIENCE).await.expect("one mail");
    assert_eq!(mails[0].envelope_from, "release@sender.test");
    assert_eq!(mails[0].recipients[0].address, "ann@example.test");
    assert_eq!(mails[0].header("subject").as_deref(), Some("Version 2 is in production"));
    let text = String::from_utf8_lossy(&mails[0].data).into_owned();
    assert!(text.contains("first\r\n.leading dot\r\n..two\r\nlast"), "{text}");
    assert_eq!(peer.violations(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lettre_authenticates_and_no_secret_is_kept() {
    let peer = start(SmtpScript::new().credential("robot", "correct horse"));
    assert_eq!(lettre_sends(&peer, None, "x").await, Err("530".to_owned()));
    assert_eq!(lettre_sends(&peer, Some(("robot", "wrong")), "x").await, Err("535".to_owned()));
    assert_eq!(lettre_sends(&peer, Some(("robot", "correct horse")), "x").await.as_deref(), Ok("250"));
    assert_eq!(peer.mails()[0].login.as_deref(), Some("robot"));
    let transcript = peer.transcript().join("\n");
    assert!(transcript.contains("AUTH PLAIN ***"), "{transcript}");
    assert!(!transcript.contains("AHJvYm90"), "{transcript}");
}

#[tokio::test]
async fn auth_login_blanks_its_answers() {
    let peer = start(SmtpScript::new().credential("robot", "secret"));
    let mut raw = Raw::hello(&peer).await;
    assert_eq!(raw.ask("AUTH LOGIN").await, "334 VXNlcm5hbWU6\r\n");
    assert_eq!(raw.ask("cm9ib3Q=").await, "334 UGFzc3dvcmQ6\r\n");
    assert!(raw.ask("c2VjcmV0").await.starts_with("235"));
    assert_eq!(peer.transcript(), ["EHLO client.test", "AUTH LOGIN", "***", "***"]);
    assert!(raw.ask("AUTH CRAM-MD5").await.starts_with("504"));
}

#[tokio::test]
async fn a_server_that_goes_on_asking_keeps_no_credential() {
    let asking = Fault::at(Step::Auth, FaultAct::Reply(Reply::new(334, ""))).times(2);
    let peer = start(SmtpScript::new().credential("robot", "secret").fault(asking));
    let mut raw = Raw::hello(&peer).await;
    for expected in ["334", "334", "235"] {
        let line = if expected == "334" { "AUTH PLAIN AHJvYm90AHNlY3JldA==" } else { "AHJvYm90AHNlY3JldA==" };
        assert!(raw.ask(line).await.starts_with(expected));
    }
    assert!(!peer.transcript().join(" ").contains("AHJv"), "{:?}", peer.transcript());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lettre_meets_faults_only_as_often_as_scripted() {
    let script = SmtpScript::new()
        .fault(Fault::at(Step::Greeting, FaultAct::Reply(Reply::closing())).times(1))
        .fault(Fault::at(Step::Dot, FaultAct::CutAccepted).times(1))
        .fault(Fault::at(Step::Dot, FaultAct::Reply(Reply::closing())).after(1).times(1))
        .fault(Fault::at(Step::Dot, FaultAct::Cut).after(2).times(1));
    let peer = start(script);
    assert_eq!(lettre_sends(&peer, None, "turned away").await, Err("421".to_owned()));
    assert_eq!(lettre_sends(&peer, None, "reply lost").await, Err("closed".to_owned()));
    assert_eq!(peer.mails().len(), 1, "the mail whose reply was lost is stored");
    assert_eq!(lettre_sends(&peer, None, "421 after the dot").await, Err("421".to_owned()));
    assert_eq!(lettre_sends(&peer, None, "cut before").await, Err("closed".to_owned()));
    assert_eq!(peer.mails().len(), 1, "neither of these was taken over");
    assert_eq!(lettre_sends(&peer, None, "fine").await.as_deref(), Ok("250"));
    assert_eq!(peer.mails().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lettre_bears_dribbled_replies() {
    let mut script = SmtpScript::new();
    for step in [Step::Greeting, Step::Ehlo, Step::Mail, Step::Rcpt, Step::Data, Step::Dot] {
        script = script.fault(Fault::at(step, FaultAct::Dribble));
    }
    let peer = start(script);
    assert_eq!(lettre_sends(&peer, None, "x").await.as_deref(), Ok("250"));
}

#[tokio::test]
async fn three_recipients_three_answers_in_one_packet() {
    let script = SmtpScript::new().answer("gone@example.test", RecipientAnswer::refuse()).answer_first(
        1,
        "*@slow.test",
        RecipientAnswer::defer(),
    );
    let peer = start(script);
    let mut raw = Raw::hello(&peer).await;
    let group = "MAIL FROM:<b@s.test> RET=HDRS ENVID=p1+2B1\r\nRCPT TO:<ann@example.test> NOTIFY=SUCCESS,FAILURE \
                 ORCPT=rfc822;Ann@example.test\r\nRCPT TO:<GONE@example.test>\r\nRCPT TO:<x@slow.test>\r\nDATA\r\n";
    raw.say(group).await;
    assert_eq!(raw.codes(5).await, ["250", "250", "550", "451", "354"]);
    raw.say("hi\r\n.\r\nMAIL FROM:<b@s.test>\r\nRCPT TO:<x@slow.test> NOTIFY=NEVER\r\nDATA\r\n").await;
    assert_eq!(raw.codes(4).await, ["250", "250", "250", "354"]);
    raw.say(".\r\nQUIT\r\n").await;
    assert_eq!(raw.codes(2).await, ["250", "221"]);
    let mails = peer.mails();
    assert_eq!(mails[0].recipients.len(), 1);
    assert_eq!(mails[0].envid.as_deref(), Some("p1+1"));
    assert_eq!(mails[0].ret, Some(Ret::Headers));
    let asked = mails[0].recipients[0].notify.expect("NOTIFY was given");
    assert!(asked.success && asked.failure && !asked.delay);
    assert_eq!(mails[0].recipients[0].orcpt.as_ref().map(|orcpt| orcpt.address.as_str()), Some("Ann@example.test"));
    assert!(mails[1].data.is_empty());
    assert_eq!(mails[1].recipients[0].notify, Some(Default::default()));
    assert_eq!(peer.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn commands_may_come_octet_by_octet() {
    let peer = start(SmtpScript::new());
    let mut raw = Raw::connect(&peer).await;
    raw.reply().await;
    for line in
        ["EHLO c.test\r\n", "MAIL FROM:<a@b.test>\r\n", "RCPT TO:<c@d.test>\r\n", "DATA\r\n", "a\r\n..\r\n.\r\n"]
    {
        for octet in line.as_bytes() {
            raw.say([*octet]).await;
            tokio::task::yield_now().await;
        }
        assert!(raw.reply().await.starts_with(['2', '3']), "{line}");
    }
    assert_eq!(peer.mails()[0].data, b"a\r\n.\r\n");
}

#[tokio::test]
async fn a_smuggled_mail_stays_inside_the_first() {
    for ending in ["\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r\n", "\r\n.\r"] {
        let peer = start(SmtpScript::new());
        let mut raw = Raw::hello(&peer).await;
        raw.say("MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n").await;
        raw.codes(3).await;
        raw.say(format!("one{ending}MAIL FROM:<evil@x.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\ntwo\r\n.\r\nQUIT\r\n"))
            .await;
        assert_eq!(raw.codes(2).await, ["250", "221"], "{ending:?}");
        let mails = peer.mails();
        assert_eq!(mails.len(), 1, "{ending:?}");
        assert!(String::from_utf8_lossy(&mails[0].data).contains("evil@x.test"));
        assert!(!peer.violations().is_empty(), "{ending:?}");
    }
}

#[tokio::test]
async fn lines_too_long_or_with_bare_newlines_are_refused_and_the_session_goes_on() {
    let peer = start(SmtpScript::new());
    let mut raw = Raw::hello(&peer).await;
    let just = format!("NOOP {}", "x".repeat(1024 - 7));
    assert!(raw.ask(&just).await.starts_with("250"));
    assert!(raw.ask(&format!("{just}x")).await.starts_with("500"));
    assert!(raw.ask(&format!("NOOP {}", "x".repeat(100_000))).await.starts_with("500"));
    raw.say("NOOP\n").await;
    assert!(raw.reply().await.starts_with("500"));
    assert!(raw.ask("NOOP").await.starts_with("250"));
}

#[tokio::test]
async fn bad_sequences_and_unknown_commands() {
    let peer = start(SmtpScript::new().max_recipients(1));
    let mut raw = Raw::connect(&peer).await;
    raw.reply().await;
    for (command, code) in [
        ("MAIL FROM:<a@b.test>", "503"),
        ("HELO c.test", "250"),
        ("RCPT TO:<a@b.test>", "503"),
        ("DATA", "503"),
        ("FROB", "500"),
        ("EHLO", "501"),
        ("VRFY ann", "252"),
        ("STARTTLS", "502"),
        ("AUTH PLAIN", "502"),
        ("MAIL FROM:<a@b.test>", "250"),
        ("MAIL FROM:<a@b.test>", "503"),
        ("DATA", "554"),
        ("RCPT TO:<ä@b.test>", "553"),
        ("RCPT TO:<c@b.test>", "250"),
        ("RCPT TO:<d@b.test>", "452"),
        ("RSET", "250"),
        ("RCPT TO:<c@b.test>", "503"),
    ] {
        assert!(raw.ask(command).await.starts_with(code), "{command}");
    }
}

#[tokio::test]
async fn what_is_not_offered_is_not_taken() {
    let mut few = Extensions::none();
    few.size = Some(10);
    let peer = start(SmtpScript::new().extensions(few));
    let mut raw = Raw::connect(&peer).await;
    raw.reply().await;
    let offered = raw.ask("EHLO c.test").await;
    assert!(!offered.contains("DSN") && !offered.contains("PIPELINING") && offered.contains("SIZE 10"), "{offered}");
    assert!(raw.ask("MAIL FROM:<a@b.test> RET=HDRS").await.starts_with("555"));
    assert!(raw.ask("MAIL FROM:<a@b.test> SIZE=11").await.starts_with("552"));
    raw.say("MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\n").await;
    assert_eq!(raw.codes(2).await, ["250", "250"]);
    assert_eq!(peer.violations().len(), 1, "the group was noticed: {:?}", peer.violations());
    assert!(raw.ask("DATA").await.starts_with("354"));
    assert!(raw.ask("more than ten octets\r\n.").await.starts_with("552"));
    assert!(peer.mails().is_empty());
}

#[tokio::test]
async fn data_without_recipients_may_be_begun_and_is_refused_at_the_dot() {
    let script = SmtpScript::new().answer("*", RecipientAnswer::refuse()).data_without_recipients();
    let peer = start(script);
    let mut raw = Raw::hello(&peer).await;
    raw.say("MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n").await;
    assert_eq!(raw.codes(3).await, ["250", "550", "354"]);
    assert!(raw.ask(".").await.starts_with("554"));
    assert!(peer.mails().is_empty());
}

#[tokio::test]
async fn a_stall_never_answers_and_the_drop_of_the_peer_ends_it() {
    let peer = start(SmtpScript::new().fault(Fault::at(Step::Dot, FaultAct::StallAccepted)));
    let mut raw = Raw::hello(&peer).await;
    raw.say("MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n").await;
    raw.codes(3).await;
    raw.say("x\r\n.\r\n").await;
    peer.wait_for(1, PATIENCE).await.expect("it was taken over");
    let mut byte = [0];
    assert!(timeout(Duration::from_millis(50), raw.io.read(&mut byte)).await.is_err(), "nothing is answered");
    drop(peer);
    assert_eq!(raw.reply().await, "", "the connection is closed");
}

#[tokio::test]
async fn strange_replies_go_out_as_scripted() {
    let script = SmtpScript::new()
        .fault(Fault::at(Step::Ehlo, FaultAct::Reply(Reply::raw(250, b"250-\xFF\xFE\r\n250 ok\r\n".to_vec()))).times(1))
        .fault(Fault::at(Step::Greeting, FaultAct::Reply(Reply::new(554, "no"))).after(1));
    let peer = start(script);
    let mut raw = Raw::connect(&peer).await;
    raw.reply().await;
    assert!(raw.ask("EHLO c.test").await.contains('\u{FFFD}'));
    assert!(raw.ask("MAIL FROM:<a@b.test>").await.starts_with("250"), "the replaced reply was positive");
    let mut turned_away = Raw::connect(&peer).await;
    assert!(turned_away.reply().await.starts_with("554"));
    assert!(turned_away.ask("EHLO c.test").await.starts_with("503"));
    assert!(turned_away.ask("QUIT").await.starts_with("221"));
    let waited = peer.wait_for(1, Duration::from_millis(10)).await.expect_err("no mail came");
    assert_eq!((waited.wanted, waited.got), (1, 0));
}

fn tls() -> (Arc<ServerConfig>, TlsConnector) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("certificate");
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("server");
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).expect("root");
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    (Arc::new(server), TlsConnector::from(Arc::new(client)))
}

#[tokio::test]
async fn starttls_forgets_what_was_said_in_clear() {
    let (server, connector) = tls();
    let script = SmtpScript::new()
        .start_tls(server)
        .require_tls()
        .credential("robot", "secret")
        .extensions_after_tls(Extensions::none());
    let peer = start(script);
    let mut raw = Raw::connect(&peer).await;
    raw.reply().await;
    let clear = raw.ask("EHLO c.test").await;
    assert!(clear.contains("STARTTLS") && clear.contains("DSN") && !clear.contains("AUTH"), "{clear}");
    assert!(raw.ask("MAIL FROM:<a@b.test>").await.starts_with("530"));
    assert!(raw.ask("AUTH PLAIN AHJvYm90AHNlY3JldA==").await.starts_with("538"));
    raw.say("STARTTLS\r\nNOOP\r\n").await;
    assert!(raw.reply().await.starts_with("220"));
    let name = ServerName::try_from("localhost").expect("name");
    let io = connector.connect(name, raw.io).await.expect("the handshake succeeds");
    let mut raw = Raw { io, read: Vec::new() };
    assert!(raw.ask("MAIL FROM:<a@b.test>").await.starts_with("503"), "EHLO must be said again");
    let secured = raw.ask("EHLO c.test").await;
    assert!(secured.contains("AUTH PLAIN LOGIN") && !secured.contains("DSN") && !secured.contains("STARTTLS"));
    assert!(raw.ask("AUTH PLAIN AHJvYm90AHNlY3JldA==").await.starts_with("235"));
    for command in ["MAIL FROM:<a@b.test>", "RCPT TO:<c@d.test>", "DATA", "x\r\n."] {
        assert!(raw.ask(command).await.starts_with(['2', '3']), "{command}");
    }
    assert!(peer.mails()[0].tls);
    assert!(!peer.violations().is_empty(), "what was sent behind STARTTLS was noticed and dropped");
}

#[tokio::test]
async fn implicit_tls_and_octets_injected_behind_starttls() {
    let (server, connector) = tls();
    let name = || ServerName::try_from("localhost").expect("name");
    let peer = start(SmtpScript::new().implicit_tls(Arc::clone(&server)).credential("robot", "secret"));
    let plain = TcpStream::connect(peer.addr()).await.expect("the peer listens");
    let io = connector.connect(name(), plain).await.expect("TLS from the first octet");
    let mut raw = Raw { io, read: Vec::new() };
    assert!(raw.reply().await.starts_with("220"));
    let offered = raw.ask("EHLO c.test").await;
    assert!(offered.contains("AUTH PLAIN LOGIN") && !offered.contains("STARTTLS"), "{offered}");

    let peer = start(SmtpScript::new().start_tls(server).inject_after_starttls("250 injected\r\n"));
    let mut raw = Raw::hello(&peer).await;
    assert!(raw.ask("STARTTLS").await.starts_with("220"));
    assert_eq!(raw.reply().await, "250 injected\r\n", "in clear, before any handshake");
    let io = connector.connect(name(), raw.io).await.expect("the handshake follows");
    assert!(Raw { io, read: Vec::new() }.ask("EHLO c.test").await.contains("250-"));
}

/// Submits one mail with these recipients, each with its parameters.
async fn submit(peer: &SmtpPeer, mail: &str, recipients: &[&str], data: &str) {
    let mut raw = Raw::hello(peer).await;
    assert!(raw.ask(mail).await.starts_with("250"), "{mail}");
    for recipient in recipients {
        assert!(raw.ask(&format!("RCPT TO:{recipient}")).await.starts_with("250"), "{recipient}");
    }
    assert!(raw.ask("DATA").await.starts_with("354"));
    assert!(raw.ask(&format!("{data}\r\n.")).await.starts_with("250"));
}

#[tokio::test]
async fn reports_go_to_those_who_asked_and_parse_as_mime() {
    let maildir = tempfile::tempdir().expect("directory");
    let script = SmtpScript::new()
        .joint_dsn()
        .maildir(maildir.path())
        .answer("ok@d.test", RecipientAnswer::deliver())
        .answer("late@d.test", RecipientAnswer::AcceptThen(vec![Fate::delayed(), Fate::failed().code("4.4.1")]))
        .answer("*", RecipientAnswer::AcceptThen(vec![Fate::new(Action::Failed, "5.2.2")]));
    let peer = start(script);
    let recipients = [
        "<ok@d.test> NOTIFY=SUCCESS ORCPT=rfc822;Ok+2B1@d.test",
        "<late@d.test> NOTIFY=DELAY,FAILURE",
        "<full@d.test>",
        "<silent@d.test> NOTIFY=NEVER",
    ];
    let data = "Subject: hello\r\nMessage-ID: <1@s.test>\r\n\r\n=_report_ body";
    submit(&peer, "MAIL FROM:<b+1@bounce.test> ENVID=env+2B1 RET=FULL", &recipients, data).await;
    let dsns = peer.dsns();
    assert_eq!(dsns.len(), 2, "one report a round");

    let parsed = MessageParser::new().parse(&dsns[0]).expect("a mail");
    let kind = parsed.content_type().expect("a content type");
    assert_eq!((kind.ctype(), kind.subtype()), ("multipart", Some("report")));
    assert_eq!(kind.attribute("report-type"), Some("delivery-status"));
    let parts: Vec<String> = parsed
        .parts
        .iter()
        .skip(1)
        .filter_map(|part| part.content_type())
        .map(|kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default()))
        .collect();
    assert_eq!(parts, ["text/plain", "message/delivery-status", "message/rfc822"]);
    let first = String::from_utf8(dsns[0].clone()).expect("text");
    assert!(first.contains("Auto-Submitted: auto-replied\r\n") && first.contains("To: <b+1@bounce.test>\r\n"));
    assert!(first.contains("Original-Envelope-Id: env+1\r\n"));
    assert!(first.contains("Original-Recipient: rfc822; Ok+1@d.test\r\nFinal-Recipient: rfc822; ok@d.test\r\n"));
    assert!(first.contains("Action: delivered\r\nStatus: 2.0.0\r\n"));
    assert!(first.contains("Action: delayed\r\n") && first.contains("Will-Retry-Until: "));
    assert!(first.contains("Action: failed\r\nStatus: 5.2.2\r\n") && first.contains("full@d.test"));
    assert!(!first.contains("silent@d.test"));
    assert!(first.contains("=_report_ body"), "RET=FULL returns the mail with a failure");

    let second = String::from_utf8(dsns[1].clone()).expect("text");
    assert!(second.contains("Final-Recipient: rfc822; late@d.test\r\nAction: failed\r\nStatus: 4.4.1\r\n"));

    let mut files: Vec<_> = std::fs::read_dir(maildir.path().join("new"))
        .expect("new/")
        .map(|entry| std::fs::read(entry.expect("entry").path()).expect("file"))
        .collect();
    files.sort_by_key(|file| file.windows(8).any(|window| window == b"delayed\r"));
    assert_eq!(files.len(), 2);
    assert!(files[1].starts_with(b"Return-Path: <>\r\nDelivered-To: b+1@bounce.test\r\nFrom: "));
    assert_eq!(std::fs::read_dir(maildir.path().join("tmp")).expect("tmp/").count(), 0);
}

#[tokio::test]
async fn reports_of_internationalized_mail_and_of_the_null_sender() {
    let peer = start(SmtpScript::new().answer("*", RecipientAnswer::bounce()));
    let data = "Subject: grüße\r\n\r\nx";
    submit(&peer, "MAIL FROM:<b@s.test> SMTPUTF8 BODY=8BITMIME", &["<ü@d.test> ORCPT=utf-8;\\x{FC}@d.test"], data)
        .await;
    let dsn = String::from_utf8(peer.dsns().remove(0)).expect("text");
    assert!(dsn.contains("Content-Type: message/global-delivery-status\r\n"));
    assert!(dsn.contains("Original-Recipient: utf-8; ü@d.test\r\nFinal-Recipient: utf-8; ü@d.test\r\n"));
    assert!(dsn.contains("Content-Type: message/global-headers\r\n") && dsn.contains("Subject: grüße\r\n"));
    assert!(MessageParser::new().parse(dsn.as_bytes()).is_some_and(|mail| mail.parts.len() == 4));
    assert_eq!(peer.violations(), Vec::<String>::new());

    submit(&peer, "MAIL FROM:<>", &["<a@d.test>"], "x").await;
    assert_eq!(peer.mails().len(), 2);
    assert_eq!(peer.dsns().len(), 1, "nothing is said to the null sender");
}

#[tokio::test]
async fn a_closure_decides_and_sees_the_attempt() {
    let script = SmtpScript::new().answer_with(|attempt| match (attempt.address, attempt.attempt) {
        ("a@d.test", 1) => Some(RecipientAnswer::Reply(Reply::new(450, "4.2.0 busy"))),
        ("a@d.test", _) => Some(RecipientAnswer::Accept),
        _ => None,
    });
    let peer = start(script.answer("*", RecipientAnswer::refuse()));
    let mut raw = Raw::hello(&peer).await;
    raw.say("MAIL FROM:<>\r\nRCPT TO:<a@d.test>\r\nRCPT TO:<a@d.test>\r\nRCPT TO:<b@d.test>\r\nDATA\r\n").await;
    assert_eq!(raw.codes(5).await, ["250", "450", "250", "550", "354"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_mails_over_one_connection_are_quick() {
    let peer = start(SmtpScript::new());
    let mut raw = Raw::hello(&peer).await;
    let body = format!("Subject: x\r\n\r\n{}", "0123456789abcdef\r\n".repeat(128));
    let began = Instant::now();
    for number in 0..500 {
        let mail = format!("MAIL FROM:<b@s.test>\r\nRCPT TO:<p{number}@d.test>\r\nDATA\r\n");
        raw.say(mail).await;
        assert_eq!(raw.codes(3).await, ["250", "250", "354"]);
        assert!(raw.ask(&format!("{body}\r\n.")).await.starts_with("250"));
    }
    // Far above what it takes, so that it fails on a stall of 40 ms a mail and not on a loaded machine.
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(peer.mails().len(), 500);
    assert_eq!(peer.connections(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lettre_takes_a_refusal_of_one_recipient() {
    let peer = start(SmtpScript::new().answer("gone@example.test", RecipientAnswer::refuse()));
    let transport = SmtpTransport::builder_dangerous(peer.addr().ip().to_string()).port(peer.addr().port()).build();
    let to = vec!["ann@example.test".parse().expect("address"), "gone@example.test".parse().expect("address")];
    let envelope = Envelope::new(Some("b@s.test".parse().expect("address")), to).expect("envelope");
    let refused = tokio::task::spawn_blocking(move || transport.send_raw(&envelope, b"x\r\n")).await.expect("no panic");
    assert!(refused.expect_err("lettre gives up on one refusal").is_permanent());
    assert!(peer.mails().is_empty());
}
