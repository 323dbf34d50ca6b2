//! The HTTP peer against octets over a plain socket, and against signatures that another library made.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use relcomm_testkit::peer::http::{
    BadSecret, HttpAct, HttpPeer, HttpScript, Response, Rule, SignatureCheck, SignatureVerifier,
};
use serde_json::json;
use standardwebhooks::Webhook;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);

fn start(script: HttpScript) -> HttpPeer {
    HttpPeer::start(script).expect("a loopback port is free")
}

/// A connection that is kept alive.
struct Raw {
    io: TcpStream,
    read: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
struct Answer {
    code: u16,
    head: String,
    body: String,
    /// Whether the whole announced body came.
    whole: bool,
}

impl Raw {
    async fn connect(peer: &HttpPeer) -> Self {
        Self { io: TcpStream::connect(peer.addr()).await.expect("the peer listens"), read: Vec::new() }
    }

    async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.io.write_all(bytes.as_ref()).await.expect("the connection is open");
    }

    async fn post(&mut self, path: &str, headers: &str, body: &str) -> Option<Answer> {
        let length = body.len();
        self.say(format!("POST {path} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {length}\r\n\r\n{body}")).await;
        self.answer().await
    }

    /// Reads more; false at the end of the connection.
    async fn more(&mut self) -> bool {
        let mut chunk = [0; 4096];
        match timeout(PATIENCE, self.io.read(&mut chunk)).await.expect("the peer answers in time") {
            Ok(0) | Err(_) => false,
            Ok(count) => {
                self.read.extend_from_slice(&chunk[..count]);
                true
            }
        }
    }

    /// The next answer; `None` where the connection ends without one.
    async fn answer(&mut self) -> Option<Answer> {
        let end = loop {
            if let Some(at) = self.read.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            if !self.more().await {
                return None;
            }
        };
        let head = String::from_utf8_lossy(&self.read.drain(..end).collect::<Vec<_>>()).to_lowercase();
        let length = head
            .split_once("content-length: ")
            .map_or(0, |(_, rest)| rest.split("\r\n").next().and_then(|digits| digits.parse().ok()).expect("a length"));
        let mut whole = true;
        while whole && self.read.len() < length {
            whole = self.more().await;
        }
        let body: Vec<u8> = self.read.drain(..length.min(self.read.len())).collect();
        let code = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a code");
        Some(Answer { code, head, body: String::from_utf8_lossy(&body).into_owned(), whole })
    }
}

fn code(answer: Option<Answer>) -> u16 {
    answer.map_or(0, |answer| answer.code)
}

#[tokio::test]
async fn requests_are_recorded_over_one_connection() {
    let peer = start(HttpScript::new());
    let mut raw = Raw::connect(&peer).await;
    assert_eq!(code(raw.post("/hook?x=1", "X-Kind: a\r\nX-Kind: b\r\n", "one").await), 200);
    assert_eq!(code(raw.post("/other", "", "").await), 200);
    let requests = peer.wait_for(2, PATIENCE).await.expect("two requests");
    assert_eq!((requests[0].number, requests[1].number), (1, 2));
    assert_eq!((requests[0].path.as_str(), requests[0].query.as_str()), ("/hook", "x=1"));
    assert_eq!(requests[0].method, "POST");
    assert_eq!(requests[0].header("X-KIND"), Some("a"));
    assert_eq!(requests[0].body, b"one");
    assert!(requests.iter().all(|request| request.complete));
    assert_eq!((peer.accepted(), peer.repeats(), peer.connections()), (2, 0, 1));
    assert_eq!(peer.url("/hook"), format!("http://{}/hook", peer.addr()));
    let waited = peer.wait_for(3, Duration::from_millis(10)).await.expect_err("only two came");
    assert_eq!((waited.wanted, waited.got), (3, 2));
}

#[tokio::test]
async fn a_lost_answer_is_an_acceptance_and_the_next_try_a_repeat() {
    let script = HttpScript::new().deduplicate_by("webhook-id").rule(Rule::on("/hook", HttpAct::CutAccepted).times(1));
    let peer = start(script);
    assert_eq!(Raw::connect(&peer).await.post("/hook", "webhook-id: a\r\n", "{}").await, None);
    assert_eq!((peer.accepted(), peer.repeats()), (1, 0));
    let mut raw = Raw::connect(&peer).await;
    assert_eq!(code(raw.post("/hook", "Webhook-Id: a\r\n", "{}").await), 200);
    assert_eq!((peer.accepted(), peer.repeats()), (1, 1));
    assert_eq!(code(raw.post("/hook", "webhook-id: b\r\n", "{}").await), 200);
    assert_eq!(code(raw.post("/elsewhere", "webhook-id: a\r\n", "{}").await), 200);
    assert_eq!((peer.accepted(), peer.repeats()), (3, 1));
    assert_eq!(peer.accepted_keys(), ["a", "b", "a"]);
}

#[tokio::test]
async fn without_keys_every_success_is_an_acceptance_and_nothing_else_is() {
    let script = HttpScript::new()
        .rule(Rule::answer("/gone", Response::new(410)))
        .rule(Rule::on("/cut", HttpAct::Cut))
        .rule(Rule::answer("/moved", Response::redirect(307, "/hook")));
    let peer = start(script);
    let mut raw = Raw::connect(&peer).await;
    assert_eq!(code(raw.post("/gone", "", "x").await), 410);
    let moved = raw.post("/moved", "", "x").await.expect("an answer");
    assert!(moved.code == 307 && moved.head.contains("location: /hook\r\n"));
    assert_eq!(code(raw.post("/hook", "webhook-id: a\r\n", "").await), 200);
    assert_eq!(code(raw.post("/hook", "webhook-id: a\r\n", "").await), 200);
    assert_eq!((peer.accepted(), peer.repeats()), (2, 0));
    assert_eq!(raw.post("/cut", "", "never read").await, None);
    let requests = peer.wait_for(5, PATIENCE).await.expect("also the one that was cut");
    assert!(!requests[4].complete && requests[4].body.is_empty());
    assert_eq!(peer.accepted(), 2);
}

#[tokio::test]
async fn rules_count_their_own_requests() {
    let at = UNIX_EPOCH + Duration::from_secs(784_111_777);
    let script = HttpScript::new()
        .rule(Rule::answer("/a*", Response::new(503).retry_after(7)).times(1))
        .rule(Rule::answer("/a*", Response::new(429).retry_after_date(at)).after(1).times(1))
        .rule(Rule::answer("/each", Response::new(500)).for_each("webhook-id").times(1))
        .rule(Rule::answer("/only", Response::new(418)).with_header("X-Key", "k"))
        .rule(Rule::respond("/echo", |request| Response::new(201).body(request.body.clone())))
        .otherwise(Response::new(204));
    let peer = start(script);
    let mut raw = Raw::connect(&peer).await;
    let first = raw.post("/ab", "", "").await.expect("an answer");
    assert!(first.code == 503 && first.head.contains("retry-after: 7\r\n"));
    let second = raw.post("/a", "", "").await.expect("an answer");
    assert!(second.code == 429 && second.head.contains("retry-after: sun, 06 nov 1994 08:49:37 gmt\r\n"));
    assert_eq!(code(raw.post("/a", "", "").await), 204);
    for (id, expected) in [("x", 500), ("y", 500), ("x", 204), ("y", 204)] {
        assert_eq!(code(raw.post("/each", &format!("webhook-id: {id}\r\n"), "").await), expected);
    }
    assert_eq!(code(raw.post("/only", "x-key: k\r\n", "").await), 418);
    assert_eq!(code(raw.post("/only", "x-key: l\r\n", "").await), 204);
    let echoed = raw.post("/echo", "", "said").await.expect("an answer");
    assert_eq!((echoed.code, echoed.body.as_str()), (201, "said"));
}

#[tokio::test]
async fn a_stall_holds_the_answer_until_the_peer_goes() {
    let script =
        HttpScript::new().rule(Rule::on("/stall", HttpAct::Stall)).rule(Rule::on("/taken", HttpAct::StallAccepted));
    let peer = start(script);
    let mut stalled = Raw::connect(&peer).await;
    stalled.say("POST /stall HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx").await;
    peer.wait_for(1, PATIENCE).await.expect("it was read");
    assert_eq!(peer.accepted(), 0);
    let mut taken = Raw::connect(&peer).await;
    taken.say("POST /taken HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx").await;
    peer.wait_for(2, PATIENCE).await.expect("it was read");
    assert_eq!((peer.accepted(), peer.peak_connections()), (1, 2));
    assert!(timeout(Duration::from_millis(50), stalled.answer()).await.is_err(), "nothing is answered");
    drop(peer);
    assert_eq!(stalled.answer().await, None);
}

#[tokio::test]
async fn bodies_can_be_slow_or_cut_short() {
    let script = HttpScript::new()
        .rule(Rule::answer("/slow", Response::new(200).body("abcdef").slow(2, Duration::from_millis(10))))
        .rule(Rule::answer("/short", Response::new(200).body("abcdef").truncated(2)))
        .rule(Rule::answer("/none", Response::new(200).body("abcdef").truncated(0)))
        .largest_body(8);
    let peer = start(script);
    let mut raw = Raw::connect(&peer).await;
    let began = Instant::now();
    let slow = raw.post("/slow", "", "").await.expect("an answer");
    assert!(slow.whole && slow.body == "abcdef");
    assert!(began.elapsed() >= Duration::from_millis(30));
    let short = raw.post("/short", "", "").await.expect("a head");
    assert!(!short.whole && short.body == "ab" && short.head.contains("content-length: 6"), "{short:?}");
    let none = Raw::connect(&peer).await.post("/none", "", "").await.expect("a head");
    assert!(!none.whole && none.body.is_empty());
    assert_eq!(code(Raw::connect(&peer).await.post("/hook", "", "123456789").await), 413);
    assert_eq!(code(Raw::connect(&peer).await.post("/hook", "", "12345678").await), 200);
}

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";

fn signed(secret: &str, id: &str, seconds: i64, body: &str) -> String {
    let signature = Webhook::new(secret).expect("secret").sign(id, seconds, body.as_bytes()).expect("signature");
    format!("webhook-id: {id}\r\nwebhook-timestamp: {seconds}\r\nwebhook-signature: v1,AAAA {signature}\r\n")
}

#[tokio::test]
async fn signatures_of_another_library_are_checked() {
    let now = 1_614_265_330;
    let verifier = SignatureVerifier::new(OTHER)
        .and_then(|verifier| verifier.also(SECRET))
        .expect("secrets")
        .now(move || UNIX_EPOCH + Duration::from_secs(now));
    let peer = start(HttpScript::new().deduplicate_by("webhook-id").verify("/hook*", verifier));
    let mut raw = Raw::connect(&peer).await;
    let now = i64::try_from(now).expect("small");
    let body = "{\"test\": 2432232314}";
    let vector = "webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek\r\nwebhook-timestamp: 1614265330\r\n\
                  webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=\r\n";
    assert_eq!(code(raw.post("/hook", vector, body).await), 200, "the published vector");
    assert_eq!(code(raw.post("/hook", &signed(SECRET, "a", now, body), body).await), 200);
    assert_eq!(code(raw.post("/hook", &signed(OTHER, "b", now - 300, body), body).await), 200);
    assert_eq!(code(raw.post("/hook", &signed(SECRET, "c", now - 301, body), body).await), 401);
    assert_eq!(code(raw.post("/hook", &signed(SECRET, "d", now + 301, body), body).await), 401);
    assert_eq!(code(raw.post("/hook", &signed(SECRET, "e", now, body), "{}").await), 401);
    assert_eq!(code(raw.post("/hook", "webhook-id: f\r\n", body).await), 401);
    assert_eq!(code(raw.post("/open", "", body).await), 200, "no signature is asked for here");
    let checks: Vec<_> = peer.requests().iter().map(|request| request.signature).collect();
    let good = Some(SignatureCheck::Good);
    let stale = Some(SignatureCheck::Stale);
    let last = [Some(SignatureCheck::Wrong), Some(SignatureCheck::Missing), None];
    assert_eq!(checks[..5], [good, good, good, stale, stale]);
    assert_eq!(checks[5..], last);
    assert_eq!(peer.accepted(), 4);
}

#[tokio::test]
async fn a_bad_signature_is_never_an_acceptance() {
    let verifier = SignatureVerifier::new(SECRET).expect("secret");
    let script = HttpScript::new().rule(Rule::on("*", HttpAct::CutAccepted).times(1)).verify("*", verifier);
    let peer = start(script);
    assert_eq!(Raw::connect(&peer).await.post("/hook", "", "x").await, None);
    assert_eq!(peer.accepted(), 0);
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let headers = signed(SECRET, "a", i64::try_from(seconds).expect("small"), "x");
    assert_eq!(code(Raw::connect(&peer).await.post("/hook", &headers, "x").await), 200);
    assert!(!format!("{:?} {peer:?}", peer.requests()).contains("v1,"), "no header value in the debug form");
}

#[test]
fn secrets_must_be_secrets() {
    for bad in ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!!", "whsec_c2hvcnQ=", ""] {
        assert_eq!(SignatureVerifier::new(bad).err(), Some(BadSecret), "{bad}");
    }
    assert!(!format!("{:?}", SignatureVerifier::new(SECRET)).contains("MfKQ"));
}

#[tokio::test]
async fn pages_are_answered_as_the_service_does() {
    let script = HttpScript::new().rule(Rule::on("/v2/enqueue", HttpAct::CutAccepted).after(4).times(1));
    let peer = start(script);
    let mut raw = Raw::connect(&peer).await;
    let event = |action: &str, key: &str| {
        let payload = json!({"summary": "s", "source": "x", "severity": "info"});
        json!({"routing_key": "r", "event_action": action, "dedup_key": key, "payload": payload}).to_string()
    };
    let accepted = raw.post("/v2/enqueue", "", &event("trigger", "k1")).await.expect("an answer");
    assert_eq!(accepted.code, 202);
    let said: serde_json::Value = serde_json::from_str(&accepted.body).expect("JSON");
    assert_eq!(said, json!({"status": "success", "message": "Event processed", "dedup_key": "k1"}));
    assert_eq!(code(raw.post("/v2/enqueue", "", &event("trigger", "k1")).await), 202);
    assert_eq!((peer.accepted(), peer.repeats()), (1, 1));
    assert_eq!(code(raw.post("/v2/enqueue", "", &event("resolve", "k1")).await), 202);
    assert_eq!(code(raw.post("/v2/enqueue", "", &event("trigger", "k1")).await), 202);
    assert_eq!((peer.accepted(), peer.repeats()), (3, 1), "after a resolve the same key opens another alert");
    assert_eq!(raw.post("/v2/enqueue", "", &event("trigger", "k2")).await, None);
    let mut raw = Raw::connect(&peer).await;
    assert_eq!(code(raw.post("/v2/enqueue", "", &event("trigger", "k2")).await), 202);
    assert_eq!((peer.accepted(), peer.repeats()), (4, 2));

    for bad in [
        "not json".to_owned(),
        event("page", "k"),
        event("resolve", ""),
        event("trigger", &"k".repeat(256)),
        event("trigger", "k").replace("\"routing_key\":\"r\"", "\"routing_key\":\"\""),
        event("trigger", "k").replace("info", "urgent"),
        event("trigger", "k").replace("\"summary\":\"s\"", "\"summary\":\"\""),
    ] {
        let refused = raw.post("/v2/enqueue", "", &bad).await.expect("an answer");
        assert!(refused.code == 400 && refused.body.contains("invalid event"), "{bad}");
    }
    let change = json!({"routing_key": "r", "payload": {"summary": "s"}}).to_string();
    assert_eq!(code(raw.post("/v2/change/enqueue", "", &change).await), 202);
    assert_eq!(peer.accepted(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_requests_are_quick() {
    let peer = start(HttpScript::new().deduplicate_by("webhook-id"));
    let began = Instant::now();
    let mut raw = Raw::connect(&peer).await;
    for number in 0..1000 {
        assert_eq!(code(raw.post("/hook", &format!("webhook-id: {number}\r\n"), "{}").await), 200);
    }
    // Far above what it takes, so that it fails on a stall of 40 ms a request and not on a loaded machine.
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!((peer.accepted(), peer.connections()), (1000, 1));
}
