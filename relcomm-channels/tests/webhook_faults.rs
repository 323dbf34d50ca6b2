//! What a webhook delivery makes of every fault: what kind it is, how far it reaches, whether it may be out, and when to try again.

#![cfg(feature = "webhook")]

mod fixture;

use fixture::{
    HOOK, PATIENCE, SECRET, accepted, attempt, channel, clock, context, failed, item, loopback, options, peer, plain,
};
use relcomm_channels::http::HttpOptions;
use relcomm_channels::webhook::{WebhookChannel, WebhookEndpoint, WebhookOptions};
use relcomm_core::channel::{
    Batch, Channel, Effect, ErrorKind, Outcome, Outcomes, Outgoing,
    Retry::{self, After, Backoff, Never},
    Scope,
};
use relcomm_core::clock::Clock;
use relcomm_core::mechanism::Deduplication;
use relcomm_core::receipt::Assurance;
use relcomm_testkit::peer::http::{HttpAct, HttpScript, Response, Rule};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const S: fn(u64) -> Duration = Duration::from_secs;

fn everything(act: HttpAct) -> HttpScript {
    HttpScript::new().rule(Rule::on("*", act))
}

#[tokio::test]
async fn every_answer_has_its_meaning() {
    use Effect::{MaybeSent, NotSent};
    use ErrorKind as K;
    use Scope::{Endpoint, Message, Recipient};
    let answer = Response::new;
    let wait = |code, value: &str| Response::new(code).header("retry-after", value);
    let soon = "Wed, 12 May 2027 06:01:00 GMT";
    #[rustfmt::skip]
    let table: Vec<(Response, K, Scope, Effect, Retry)> = vec![
        (Response::redirect(301, "/x"), K::Policy,       Recipient, NotSent,   Never),
        (Response::redirect(307, "/x"), K::Policy,       Recipient, NotSent,   Never),
        (Response::redirect(308, "/x"), K::Policy,       Recipient, NotSent,   Never),
        (answer(304),            K::Policy,          Recipient, NotSent,   Never),
        (answer(400),            K::ContentRejected, Message,   NotSent,   Never),
        (answer(401),            K::Authentication,  Endpoint,  NotSent,   Never),
        (answer(403),            K::Authentication,  Endpoint,  NotSent,   Never),
        (answer(404),            K::EndpointGone,    Recipient, NotSent,   Never),
        (answer(405),            K::Unsupported,     Recipient, NotSent,   Never),
        (answer(407),            K::Unsupported,     Recipient, NotSent,   Never),
        (answer(408),            K::Timeout,         Recipient, NotSent,   Backoff),
        (answer(409),            K::Unsupported,     Recipient, NotSent,   Never),
        (answer(410),            K::EndpointGone,    Recipient, NotSent,   Never),
        (answer(413),            K::TooLarge,        Message,   NotSent,   Never),
        (answer(415),            K::Unsupported,     Recipient, NotSent,   Never),
        (answer(422),            K::ContentRejected, Message,   NotSent,   Never),
        (answer(425),            K::Unavailable,     Recipient, NotSent,   Backoff),
        (answer(429),            K::RateLimited,     Endpoint,  NotSent,   Backoff),
        (wait(429, "7"),         K::RateLimited,     Endpoint,  NotSent,   After(S(7))),
        (wait(429, "1.5"),       K::RateLimited,     Endpoint,  NotSent,   After(Duration::from_millis(1500))),
        (wait(429, "-3"),        K::RateLimited,     Endpoint,  NotSent,   After(S(0))),
        (wait(429, "99999999"),  K::RateLimited,     Endpoint,  NotSent,   After(S(86_400))),
        (wait(429, soon),        K::RateLimited,     Endpoint,  NotSent,   After(Duration::from_millis(59_750))),
        (wait(429, "soon"),      K::RateLimited,     Endpoint,  NotSent,   Backoff),
        (answer(500),            K::Unavailable,     Recipient, NotSent,   Backoff),
        (answer(501),            K::Unsupported,     Recipient, NotSent,   Never),
        (answer(502),            K::Unavailable,     Recipient, NotSent,   Backoff),
        (wait(502, "4"),         K::Unavailable,     Recipient, NotSent,   After(S(4))),
        (answer(503),            K::Unavailable,     Recipient, NotSent,   Backoff),
        (wait(503, "30"),        K::Unavailable,     Endpoint,  NotSent,   After(S(30))),
        (answer(504),            K::Unavailable,     Recipient, NotSent,   Backoff),
        (answer(599),            K::Unavailable,     Recipient, NotSent,   Backoff),
        (answer(600),            K::Protocol,        Recipient, MaybeSent, Backoff),
    ];
    for (response, kind, scope, effect, retry) in table {
        let code = response.code();
        let peer = peer(HttpScript::new().otherwise(response));
        let fault = failed(attempt(&channel(&peer), &clock(), item("a", None)).await);
        assert_eq!((fault.kind, fault.scope, fault.effect, fault.retry), (kind, scope, effect, retry), "{code}");
        assert_eq!(fault.code.as_deref(), Some(code.to_string().as_str()));
        assert_eq!(peer.requests().len(), 1, "{code}: neither followed nor repeated");
    }
}

#[tokio::test]
async fn a_failure_behind_the_endpoint_is_in_doubt_where_repeats_are_not_recognised() {
    for (code, effect) in [
        (500, Effect::MaybeSent),
        (502, Effect::MaybeSent),
        (503, Effect::NotSent),
        (504, Effect::MaybeSent),
        (429, Effect::NotSent),
        (408, Effect::NotSent),
        (400, Effect::NotSent),
    ] {
        let peer = peer(HttpScript::new().otherwise(Response::new(code)));
        let options = options(&peer.url(HOOK)).deduplication(Deduplication::None);
        let channel = WebhookChannel::new(options).unwrap();
        assert_eq!(failed(attempt(&channel, &clock(), item("a", None)).await).effect, effect, "{code}");
    }
}

#[tokio::test]
async fn a_head_that_says_success_is_success_whatever_the_body_does() {
    let json = r#"{"reference": "r"}"#;
    let long = "x".repeat(10 << 20);
    let cases = [
        (Response::new(200).body("failed"), None),
        (Response::new(204), None),
        (Response::new(200).body(json).truncated(4), None),
        (Response::new(200).body(long), None),
        (Response::new(200).body(json).header("content-encoding", "gzip"), Some("r")),
        (Response::new(202).body(json), Some("r")),
    ];
    for (i, (response, reference)) in cases.into_iter().enumerate() {
        let peer = peer(HttpScript::new().otherwise(response));
        let said = accepted(attempt(&channel(&peer), &clock(), item("a", None)).await);
        assert_eq!((said.assurance, said.reference.as_deref()), (Assurance::Accepted, reference), "case {i}");
    }
}

#[tokio::test]
async fn an_answer_that_repeats_a_secret_of_the_endpoint_is_not_kept() {
    let bare = SECRET.trim_start_matches("whsec_");
    let said = |reference: &str, url: &str| format!(r#"{{"reference": "{reference}", "url": "https://f.test/{url}"}}"#);
    for (reference, url, kept) in [
        ("Bearer h0secret5", "p?a=1", (false, true)),
        ("for h0secret5!", "p?a=h0secret5", (false, false)),
        (SECRET, bare, (false, false)),
        ("r-1", "p?a=Bearer%20h0secret%35", (true, false)),
        ("Bearer", "whsec", (true, true)),
    ] {
        let peer = peer(HttpScript::new().otherwise(Response::new(200).body(said(reference, url))));
        let said = accepted(attempt(&channel(&peer), &clock(), item("a", None)).await);
        assert_eq!((said.reference.is_some(), said.url.is_some()), kept, "{reference} {url}");
    }
}

#[tokio::test]
async fn a_cut_connection_is_in_doubt_and_not_used_again() {
    for act in [HttpAct::Cut, HttpAct::CutAccepted] {
        let peer = peer(HttpScript::new().rule(Rule::on("*", act).times(1)));
        let channel = channel(&peer);
        let fault = failed(attempt(&channel, &clock(), item("a", None)).await);
        assert_eq!((fault.kind, fault.scope, fault.effect), (ErrorKind::Protocol, Scope::Recipient, Effect::MaybeSent));
        assert_eq!(fault.retry, Backoff);
        accepted(attempt(&channel, &clock(), item("a", None)).await);
        accepted(attempt(&channel, &clock(), item("b", None)).await);
        assert_eq!((peer.requests().len(), peer.connections()), (3, 2));
    }
}

/// Answers the first request with these octets and hangs up.
async fn answering(octets: &'static [u8]) -> (String, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}{HOOK}", listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = vec![0; 64 * 1024];
        let _ = stream.read(&mut buffer).await.unwrap();
        stream.write_all(octets).await.unwrap();
    });
    (url, served)
}

#[tokio::test]
async fn an_answer_that_is_none_is_in_doubt() {
    for octets in [
        b"".as_slice(),
        b"HTTP/1.1 20",
        b"HTTP/1.1 200 OK\r\ncontent-le",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"220 mail.example ESMTP\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
    ] {
        let (url, served) = answering(octets).await;
        let channel = WebhookChannel::new(options(&url)).unwrap();
        let fault = failed(attempt(&channel, &clock(), item("a", None)).await);
        assert_eq!((fault.kind, fault.effect), (ErrorKind::Protocol, Effect::MaybeSent), "{octets:?}");
        served.await.unwrap();
    }
}

#[tokio::test]
async fn a_stalled_answer_ends_with_the_deadline_and_is_in_doubt() {
    for act in [HttpAct::Stall, HttpAct::StallAccepted] {
        let peer = peer(everything(act));
        let (channel, clock) = (channel(&peer), clock());
        let moved = clock.clone();
        let (outcome, _) = tokio::join!(attempt(&channel, &clock, item("a", None)), async {
            peer.wait_for(1, PATIENCE).await.unwrap();
            moved.advance(S(30));
        });
        let fault = failed(outcome);
        assert_eq!((fault.kind, fault.effect, fault.retry), (ErrorKind::Timeout, Effect::MaybeSent, Backoff));
    }
}

#[tokio::test]
async fn a_stalled_body_does_not_undo_a_success() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}{HOOK}", listener.local_addr().unwrap());
    let (channel, clock) = (WebhookChannel::new(options(&url)).unwrap(), clock());
    let start = clock.now();
    let moved = clock.clone();
    let (outcome, _) = tokio::join!(attempt(&channel, &clock, item("a", None)), async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = vec![0; 64 * 1024];
        let _ = stream.read(&mut buffer).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{").await.unwrap();
        // Steps so small that the head is read long before the deadline.
        while !matches!(stream.try_read(&mut buffer), Ok(0)) {
            moved.advance(Duration::from_millis(10));
            tokio::task::yield_now().await;
        }
        stream
    });
    assert_eq!(accepted(outcome).reference, None);
    let waited = clock.now().since(start);
    assert!((S(5)..S(20)).contains(&waited), "{waited:?}: neither cut short nor until the deadline");
}

#[tokio::test]
async fn no_connection_means_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let silent = "http://name-that-does-not-exist.invalid/hooks/T0SECRET7PATH".to_owned();
    for url in [format!("http://{closed}{HOOK}"), format!("https://{closed}{HOOK}"), silent] {
        let channel = WebhookChannel::new(options(&url)).unwrap();
        let fault = failed(attempt(&channel, &clock(), item("a", None)).await);
        assert_eq!((fault.kind, fault.scope), (ErrorKind::Connect, Scope::Endpoint), "{url}");
        assert_eq!((fault.effect, fault.retry), (Effect::NotSent, Backoff), "{url}");
        let verified = channel.verify(&context(&clock())).await.unwrap_err();
        assert_eq!((verified.kind, verified.effect), (ErrorKind::Connect, Effect::NotSent), "{url}");
    }
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_no_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}{HOOK}", listener.local_addr().unwrap());
    let quick = loopback().connect_timeout(Duration::from_millis(50));
    let channel = WebhookChannel::new(options(&url).http(quick)).unwrap();
    let fault = failed(attempt(&channel, &clock(), item("a", None)).await);
    assert_eq!((fault.kind, fault.effect), (ErrorKind::Connect, Effect::NotSent));
}

#[tokio::test]
async fn tls_trusts_what_is_added_and_nothing_else() {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let peer = peer(HttpScript::new().tls(Arc::new(config)));
    let build = |url: &str, http| WebhookChannel::new(options(url).http(http)).unwrap();
    let trusted = build(&peer.url(HOOK), loopback().ca_pem(made.cert.pem()));
    accepted(attempt(&trusted, &clock(), item("a", None)).await);
    assert_eq!(trusted.verify(&context(&clock())).await, Ok(Vec::new()));

    let other_name = peer.url(HOOK).replace("127.0.0.1", "localhost");
    let named = HttpOptions::new().allow("localhost".parse().unwrap()).ca_pem(made.cert.pem());
    for channel in [build(&peer.url(HOOK), loopback()), build(&other_name, named)] {
        let fault = failed(attempt(&channel, &clock(), item("a", None)).await);
        assert_eq!((fault.kind, fault.scope, fault.effect), (ErrorKind::Tls, Scope::Endpoint, Effect::NotSent));
        assert_eq!(channel.verify(&context(&clock())).await.unwrap_err().kind, ErrorKind::Tls);
    }
    assert_eq!(peer.requests().len(), 1, "verification sends nothing");
    assert!(rustls::crypto::CryptoProvider::get_default().is_none(), "no provider for the whole process");
    for pem in ["", "nonsense", "-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n"] {
        assert!(WebhookChannel::new(options(&peer.url(HOOK)).http(loopback().ca_pem(pem))).is_err(), "{pem}");
    }
}

#[tokio::test]
async fn an_attempt_that_is_called_off_or_late_before_it_begins_sends_nothing() {
    let peer = peer(HttpScript::new());
    let (channel, clock) = (channel(&peer), clock());
    let text = channel.prepare(&plain()).unwrap();
    let cancelled = context(&clock);
    cancelled.cancellation.cancel();
    let late = context(&clock);
    clock.advance(S(30));
    for (cx, kind) in [(cancelled, ErrorKind::Cancelled), (late, ErrorKind::Timeout)] {
        let fault = failed(fixture::attempt_text(&channel, &cx, &text, item("a", None)).await);
        assert_eq!((fault.kind, fault.effect, fault.retry), (kind, Effect::NotSent, Backoff));
    }
    assert_eq!((peer.requests().len(), peer.connections()), (0, 0));
}

#[tokio::test]
async fn a_dropped_attempt_is_crossed_and_sends_nothing_later() {
    let peer = peer(HttpScript::new().rule(Rule::on("*", HttpAct::Stall).times(1)));
    let (channel, clock) = (channel(&peer), clock());
    let text = channel.prepare(&plain()).unwrap();
    let (cx, message_key) = (context(&clock), fixture::key("message"));
    let items: [Outgoing; 2] = [item("a", None), item("b", None)];
    let mut outcomes = Outcomes::new(2);
    {
        let batch = Batch::new(&text, &message_key, &items);
        let flight = channel.attempt(&cx, &batch, &mut outcomes);
        tokio::select! {
            _ = flight => panic!("the attempt ended"),
            arrived = peer.wait_for(1, PATIENCE) => { arrived.unwrap(); }
        }
    }
    assert!(outcomes.is_crossed(0) && !outcomes.is_crossed(1) && !outcomes.is_set(1));
    accepted(attempt(&channel, &clock, item("c", None)).await);
    let ids: Vec<_> = peer.requests().iter().map(|r| r.header("webhook-id").unwrap().to_owned()).collect();
    assert_eq!(ids, [fixture::key("a").as_str(), fixture::key("c").as_str()]);
    assert_eq!(peer.connections(), 2);
}

#[tokio::test]
async fn a_text_of_another_channel_is_refused_before_anything_is_sent() {
    let peer = peer(HttpScript::new());
    let foreign = relcomm_core::channel::Prepared::new([]);
    let fault = failed(fixture::attempt_text(&channel(&peer), &context(&clock()), &foreign, item("a", None)).await);
    assert_eq!((fault.kind, fault.effect, peer.connections()), (ErrorKind::Internal, Effect::NotSent, 0));
}

#[tokio::test]
async fn one_endpoint_out_of_reach_is_a_finding_and_not_the_end() {
    let peer = peer(HttpScript::new());
    let gone = WebhookEndpoint::new("http://name-that-does-not-exist.invalid/T0SECRET7").secret(SECRET);
    let options: WebhookOptions = options(&peer.url(HOOK)).endpoint("gone", gone);
    let channel = WebhookChannel::new(options).unwrap();
    let findings = channel.verify(&context(&clock())).await.unwrap();
    assert_eq!(findings.len(), 1);
    assert!(findings[0].message.contains("`gone`"));
    fixture::keeps_secrets(&findings);
    assert!(matches!(attempt(&channel, &clock(), item("a", Some("forum"))).await, Outcome::Accepted(_)));
    assert_eq!(peer.requests().len(), 1);
}
