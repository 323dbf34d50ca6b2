//! The faults of both peers, each as a client meets it, over plain sockets.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, UNIX_EPOCH};

use relcomm_testkit::peer::http::{DateForm, HttpAct, HttpPeer, HttpScript, Response, Rule};
use relcomm_testkit::peer::smtp::{Fault, FaultAct, SmtpPeer, SmtpScript, Step};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);

/// A session of one mail, and the step at which each line is answered. The greeting comes before the first line.
const SESSION: [(Step, &str); 8] = [
    (Step::Ehlo, "EHLO client.test\r\n"),
    (Step::Mail, "MAIL FROM:<a@b.test>\r\n"),
    (Step::Rset, "RSET\r\n"),
    (Step::Mail, "MAIL FROM:<a@b.test>\r\n"),
    (Step::Rcpt, "RCPT TO:<c@d.test>\r\n"),
    (Step::Data, "DATA\r\n"),
    (Step::Dot, "Subject: x\r\n\r\nx\r\n.\r\n"),
    (Step::Quit, "QUIT\r\n"),
];

/// What there is to read until the answer is whole; the connection may end before.
async fn reply(io: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let whole = |read: &[u8]| {
        let last = read.strip_suffix(b"\r\n").and_then(|r| r.rsplit(|b| *b == b'\n').next());
        last.is_some_and(|line| line.get(3) == Some(&b' '))
    };
    while !whole(&read) {
        match timeout(PATIENCE, io.read_buf(&mut read)).await.expect("the peer answers in time") {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
    }
    String::from_utf8(read).expect("text")
}

/// Comes to the step with good answers and says the line that it answers.
async fn come_to(peer: &SmtpPeer, step: Step) -> TcpStream {
    let mut io = TcpStream::connect(peer.addr()).await.expect("the peer listens");
    if step == Step::Greeting {
        return io;
    }
    assert!(reply(&mut io).await.starts_with("220"));
    for (at, line) in SESSION {
        io.write_all(line.as_bytes()).await.expect("the connection is open");
        if at == step {
            return io;
        }
        let said = reply(&mut io).await;
        assert!(said.starts_with(['2', '3']), "{at:?}: {said}");
    }
    panic!("{step:?} is not part of the session");
}

fn scripted(step: Step, act: FaultAct) -> SmtpPeer {
    SmtpPeer::start(SmtpScript::new().fault(Fault::at(step, act))).expect("a loopback port is free")
}

const STEPS: [Step; 8] =
    [Step::Greeting, Step::Ehlo, Step::Mail, Step::Rset, Step::Rcpt, Step::Data, Step::Dot, Step::Quit];

#[tokio::test]
async fn smtp_can_fall_silent_at_each_step() {
    for step in STEPS {
        for (act, mails) in [(FaultAct::Stall, 0), (FaultAct::StallAccepted, usize::from(step == Step::Dot))] {
            let peer = scripted(step, act);
            let mut io = come_to(&peer, step).await;
            let mut octet = [0];
            let heard = timeout(Duration::from_millis(50), io.read(&mut octet)).await;
            assert!(heard.is_err(), "{step:?}: {heard:?}");
            let expected = mails + usize::from(step == Step::Quit);
            assert_eq!(peer.mails().len(), expected, "{step:?}");
        }
    }
}

#[tokio::test]
async fn smtp_can_cut_before_and_after_each_step_and_in_its_answer() {
    for step in STEPS {
        for (act, keeps) in [(FaultAct::Cut, false), (FaultAct::CutAccepted, true), (FaultAct::Truncate, true)] {
            let half = act == FaultAct::Truncate;
            let peer = scripted(step, act);
            let said = reply(&mut come_to(&peer, step).await).await;
            assert_eq!(!said.is_empty(), half, "{step:?}: {said:?}");
            assert!(!said.ends_with("\r\n"), "{step:?}: {said:?}");
            let kept = (step == Step::Dot && keeps) || step == Step::Quit;
            assert_eq!(peer.mails().len(), usize::from(kept), "{step:?}");
        }
    }
}

async fn refuses(addr: SocketAddr) {
    for _ in 0..3 {
        let error = TcpStream::connect(addr).await.expect_err("nobody listens");
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    }
}

#[tokio::test]
async fn both_can_refuse_connections_at_a_port_of_their_own() {
    let mail = SmtpPeer::start(SmtpScript::new().refuse_connections()).expect("a port");
    let web = HttpPeer::start(HttpScript::new().refuse_connections()).expect("a port");
    refuses(mail.addr()).await;
    refuses(web.addr()).await;
    assert!(std::net::TcpListener::bind(web.addr()).is_err(), "nobody else gets the port");
    assert_eq!((mail.connections(), web.connections()), (0, 0));
}

/// Everything that is answered to one request, up to the end of the connection.
async fn answered(peer: &HttpPeer) -> String {
    let mut io = TcpStream::connect(peer.addr()).await.expect("the peer listens");
    let request = b"POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
    io.write_all(request).await.expect("the connection is open");
    let mut all = Vec::new();
    let _ = timeout(PATIENCE, io.read_to_end(&mut all)).await.expect("the connection ends");
    String::from_utf8(all).expect("text")
}

#[tokio::test]
async fn http_can_answer_what_is_no_http_and_takes_nothing_over() {
    let script = HttpScript::new().rule(Rule::on("*", HttpAct::Raw(b"220 mail.test\r\n".to_vec())).times(1));
    let peer = HttpPeer::start(script).expect("a port");
    assert_eq!(answered(&peer).await, "220 mail.test\r\n");
    let requests = peer.requests();
    assert!(requests[0].complete && !requests[0].taken && peer.accepted() == 0);
    assert!(answered(&peer).await.starts_with("HTTP/1.1 200"));
    assert!(peer.requests()[1].taken);
}

#[tokio::test]
async fn a_repeat_is_not_taken_again() {
    let script = HttpScript::new().deduplicate_with(|request| Some(request.path.clone()));
    let peer = HttpPeer::start(script.rule(Rule::on("*", HttpAct::CutAccepted).times(1))).expect("a port");
    for _ in 0..2 {
        answered(&peer).await;
    }
    assert_eq!(peer.requests().iter().map(|r| r.taken).collect::<Vec<_>>(), [true, false]);
}

#[tokio::test]
async fn retry_after_has_seconds_and_three_forms_of_dates() {
    let at = UNIX_EPOCH + Duration::from_secs(784_111_777);
    let forms = [
        (Response::new(503).retry_after(120), "120"),
        (Response::new(503).retry_after_date(at), "sun, 06 nov 1994 08:49:37 gmt"),
        (Response::new(503).retry_after_date_as(at, DateForm::Fixed), "sun, 06 nov 1994 08:49:37 gmt"),
        (Response::new(503).retry_after_date_as(at, DateForm::Rfc850), "sunday, 06-nov-94 08:49:37 gmt"),
        (Response::new(503).retry_after_date_as(at, DateForm::Asctime), "sun nov  6 08:49:37 1994"),
        (Response::new(503).header("retry-after", "soon"), "soon"),
    ];
    for (response, form) in forms {
        let peer = HttpPeer::start(HttpScript::new().otherwise(response)).expect("a port");
        let said = answered(&peer).await.to_lowercase();
        assert!(said.contains(&format!("retry-after: {form}\r\n")), "{said}");
    }
}

#[tokio::test]
async fn http_can_redirect_and_call_a_failure_a_success() {
    let script = HttpScript::new()
        .rule(Rule::answer("*", Response::redirect(307, "/elsewhere")).times(1))
        .otherwise(Response::json(200, &serde_json::json!({"ok": false, "error": "no such channel"})));
    let peer = HttpPeer::start(script).expect("a port");
    let said = answered(&peer).await.to_lowercase();
    assert!(said.starts_with("http/1.1 307") && said.contains("location: /elsewhere\r\n"), "{said}");
    let said = answered(&peer).await;
    assert!(said.starts_with("HTTP/1.1 200") && said.contains(r#""ok":false"#), "{said}");
    assert_eq!(peer.requests().iter().map(|r| r.taken).collect::<Vec<_>>(), [false, true]);
}
