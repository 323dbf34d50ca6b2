//! What a webhook delivery looks like on the wire, judged by implementations of others.

#![cfg(feature = "webhook")]

mod fixture;

use fixture::{
    HOOK, PATH, PATIENCE, ROTATED, SECRET, TOKEN, accepted, attempt, channel, clock, context, failed, item, key,
    loopback, options, peer, plain, wording,
};
use relcomm_channels::webhook::{WebhookChannel, WebhookEndpoint, WebhookOptions, WebhookSetupError};
use relcomm_core::channel::{AttemptContext, Channel, Effect, ErrorKind, Retry};
use relcomm_core::clock::SystemClock;
use relcomm_core::mechanism::{Addressing, Deduplication, Unit};
use relcomm_core::receipt::Assurance;
use relcomm_core::stakeholder::Address;
use relcomm_testkit::peer::http::{HttpScript, Request, Response, Rule, SignatureCheck, SignatureVerifier};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;
use standardwebhooks::Webhook;
use std::sync::Arc;
use std::time::Duration;

fn headers(request: &Request) -> HeaderMap {
    let pairs =
        request.headers.iter().map(|(n, v)| (n.parse::<HeaderName>().unwrap(), v.parse::<HeaderValue>().unwrap()));
    pairs.collect()
}

#[tokio::test]
async fn the_whole_request_is_as_recorded() {
    let peer = peer(HttpScript::new());
    accepted(attempt(&channel(&peer), &clock(), item("a", Some("forum"))).await);
    let request = peer.requests().remove(0);
    let mut lines = vec![format!("{} {}?{}", request.method, request.path, request.query)];
    let shown = |name: &str| !["host", "authorization"].contains(&name);
    lines.extend(request.headers.iter().filter(|(n, _)| shown(n)).map(|(n, v)| format!("{n}: {v}")));
    lines.extend([String::new(), String::from_utf8(request.body.clone()).unwrap()]);
    insta::assert_snapshot!(lines.join("\n"));
    assert_eq!(request.header("authorization"), Some(fixture::HEADER_VALUE));
}

#[tokio::test]
async fn the_body_is_a_cloud_event_by_the_published_schema() {
    let schema = serde_json::from_str(include_str!("data/cloudevents.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let peer = peer(HttpScript::new());
    let channel = channel(&peer);
    for markdown in ["", "plain", "# \u{202e}\u{7f}\u{0}\n\n\"\\ \u{2028} é\u{1f600}\n\n```\na\tb\n```"] {
        let text = channel.prepare(&wording(markdown)).unwrap();
        accepted(fixture::attempt_text(&channel, &context(&clock()), &text, item("a", None)).await);
    }
    let requests = peer.requests();
    assert_eq!(requests.len(), 3);
    for request in requests {
        let event = request.json().unwrap();
        let faults: Vec<_> = validator.iter_errors(&event).map(|e| e.to_string()).collect();
        assert_eq!(faults, Vec::<String>::new());
        assert_eq!((&event["id"], &event["subject"]), (&json!(key("a").as_str()), &json!("live/eu")));
        assert_eq!(event["source"], "urn:relcomm:ledger-4.2.0");
        assert_eq!(event["data"]["receipt_token"], TOKEN);
    }
    assert!(
        !validator.is_valid(&json!({"specversion": "1.0", "source": "x", "type": "y"})),
        "the schema demands an id"
    );
}

#[tokio::test]
async fn another_implementation_verifies_every_secret_of_a_rotation() {
    let verifier = SignatureVerifier::new(ROTATED).unwrap();
    let peer = peer(HttpScript::new().verify("*", verifier));
    let endpoint = WebhookEndpoint::new(peer.url(HOOK)).secret(SECRET).secret(ROTATED);
    let channel = WebhookChannel::new(WebhookOptions::new().endpoint("forum", endpoint).http(loopback())).unwrap();
    let text = channel.prepare(&plain()).unwrap();
    let cx = AttemptContext::new(Arc::new(SystemClock::new()), Duration::from_secs(20));
    accepted(fixture::attempt_text(&channel, &cx, &text, item("a", None)).await);
    let request = peer.requests().remove(0);
    assert_eq!(request.signature, Some(SignatureCheck::Good));
    for secret in [SECRET, ROTATED] {
        Webhook::new(secret).unwrap().verify(&request.body, &headers(&request)).unwrap();
    }
    let stranger = Webhook::new("whsec_////////////////////////////////").unwrap();
    stranger.verify(&request.body, &headers(&request)).unwrap_err();
    let mut changed = request.body.clone();
    changed.push(b' ');
    Webhook::new(SECRET).unwrap().verify(&changed, &headers(&request)).unwrap_err();
}

#[tokio::test]
async fn a_repeat_has_the_same_key_and_a_time_and_signature_of_its_own() {
    let lost = Rule::on("*", relcomm_testkit::peer::http::HttpAct::CutAccepted).times(1);
    let peer = peer(HttpScript::new().deduplicate_by("webhook-id").rule(lost));
    let (channel, clock) = (channel(&peer), clock());
    let fault = failed(attempt(&channel, &clock, item("a", Some("forum"))).await);
    assert_eq!((fault.effect, fault.retry), (Effect::MaybeSent, Retry::Backoff));
    clock.advance(Duration::from_secs(90));
    accepted(attempt(&channel, &clock, item("a", Some("forum")).attempt(2)).await);
    let requests = peer.wait_for(2, PATIENCE).await.unwrap();
    let of = |name: &str| (requests[0].header(name).unwrap(), requests[1].header(name).unwrap());
    assert_eq!(of("webhook-id"), (key("a").as_str(), key("a").as_str()));
    assert_eq!(of("webhook-timestamp"), ("1810101600", "1810101690"));
    assert_ne!(of("webhook-signature").0, of("webhook-signature").1);
    assert_eq!((peer.accepted(), peer.repeats()), (1, 1));
    for request in &requests {
        let time = request.header("webhook-timestamp").unwrap().parse().unwrap();
        let signature = Webhook::new(SECRET).unwrap().sign(key("a").as_str(), time, &request.body).unwrap();
        assert_eq!(request.header("webhook-signature"), Some(signature.as_str()));
    }
}

#[tokio::test]
async fn an_endpoint_without_secret_gets_neither_signature_nor_token() {
    let peer = peer(HttpScript::new());
    let endpoint = WebhookEndpoint::new(peer.url(HOOK));
    let channel = WebhookChannel::new(WebhookOptions::new().endpoint("forum", endpoint).http(loopback())).unwrap();
    assert_eq!(channel.capabilities().proves, Assurance::Accepted);
    assert!(channel.callbacks().is_none());
    accepted(attempt(&channel, &clock(), item("a", None)).await);
    let request = peer.requests().remove(0);
    assert_eq!(request.header("webhook-signature"), None);
    assert_eq!(request.header("webhook-id"), Some(key("a").as_str()));
    assert!(!String::from_utf8(request.body).unwrap().contains(TOKEN));
}

#[tokio::test]
async fn what_the_receiver_says_of_a_success_is_kept_unless_it_repeats_the_hook() {
    let body = |value| Response::json(201, &value);
    let at = |url: &str| Response::new(201).header("location", url);
    let longest = format!("https://f.example/{}", "t".repeat(482));
    let leak = format!("https://f.example{PATH}/1");
    let cases: Vec<(Response, Option<&str>, Option<&str>)> = vec![
        (Response::new(204), None, None),
        (Response::new(200).body("<html>ok</html>"), None, None),
        (
            body(json!({"url": "https://f.example/t/900", "reference": "r-1"})),
            Some("https://f.example/t/900"),
            Some("r-1"),
        ),
        (body(json!({"id": 900})), None, Some("900")),
        (body(json!({"id": {"a": 1}, "url": 7})), None, None),
        (body(json!({"url": "javascript:alert(1)"})), None, None),
        (body(json!({"url": "https://u:p@f.example/t"})), Some("https://f.example/t"), None),
        (at("https://f.example/t/9"), Some("https://f.example/t/9"), None),
        (at("t/9"), None, None),
        (at(&longest), Some(&longest), None),
        (at(&format!("{longest}t")), None, None),
        (at(&leak), None, None),
        (body(json!({"url": "https://f.example/?x=q0secret9", "reference": "T0SECRET7PATH"})), None, None),
    ];
    for (i, (response, url, reference)) in cases.into_iter().enumerate() {
        let peer = peer(HttpScript::new().otherwise(response));
        let said = accepted(attempt(&channel(&peer), &clock(), item("a", None)).await);
        assert_eq!((said.url.as_deref(), said.reference.as_deref()), (url, reference), "case {i}");
        assert_eq!(said.assurance, Assurance::Accepted);
    }
    let letters = "/kQwErTyUiOpAsDfGhJkL";
    let peer = peer(HttpScript::new().otherwise(at("/t/9")).rule(Rule::answer(letters, at(&format!("/x{letters}")))));
    let secret_path = WebhookChannel::new(options(&peer.url(letters))).unwrap();
    assert_eq!(accepted(attempt(&secret_path, &clock(), item("a", None)).await).url, None);
    let said = accepted(attempt(&channel(&peer), &clock(), item("a", None)).await);
    assert_eq!(said.url, Some(peer.url("/t/9")));
}

#[tokio::test]
async fn the_limit_holds_at_its_boundary_and_the_body_stays_within_it() {
    let peer = peer(HttpScript::new());
    let build = |max| WebhookChannel::new(options(&peer.url(HOOK)).max_body(max)).unwrap();
    for filler in ["x", "\"", "é", "\u{1f600}"] {
        let words = wording(&filler.repeat(500));
        let whole = build(usize::MAX).prepare(&words).unwrap().part("event").len();
        let limit = |channel: &WebhookChannel| channel.capabilities().limits[0].clone();
        let spare = 20_000 - limit(&build(20_000)).max;
        let fits = build(whole + spare);
        assert_eq!((limit(&fits).max, limit(&fits).unit), (whole, Unit::Bytes));
        let text = fits.prepare(&words).unwrap();
        accepted(fixture::attempt_text(&fits, &context(&clock()), &text, item("a", None)).await);
        assert!(peer.requests().last().unwrap().body.len() <= whole + spare);
        let findings = build(whole + spare - 1).prepare(&words).unwrap_err();
        assert_eq!(findings.iter().map(|f| f.code).collect::<Vec<_>>(), ["RC1101"]);
    }
}

#[tokio::test]
async fn addresses_name_endpoints_and_none_means_the_default() {
    let peer = peer(HttpScript::new());
    let two = |options: WebhookOptions| {
        let at = |path: &str| WebhookEndpoint::new(peer.url(path));
        WebhookChannel::new(options.endpoint("forum", at("/a")).endpoint("board", at("/b")).http(loopback()))
    };
    let once = WebhookOptions::new().addressing(Addressing::Once);
    assert_eq!(two(once.clone()).unwrap_err(), WebhookSetupError::Default);
    assert_eq!(two(once.clone().default_endpoint("none")).unwrap_err(), WebhookSetupError::Default);
    let channel = two(once.default_endpoint("board")).unwrap();
    assert_eq!(channel.capabilities().addressing, Addressing::Once);
    accepted(attempt(&channel, &clock(), item("a", None)).await);
    accepted(attempt(&channel, &clock(), item("b", Some("forum"))).await);
    let fault = failed(attempt(&channel, &clock(), item("c", Some("/b"))).await);
    assert_eq!((fault.kind, fault.effect), (ErrorKind::RecipientInvalid, Effect::NotSent));
    assert_eq!(peer.requests().iter().map(|r| r.path.as_str()).collect::<Vec<_>>(), ["/b", "/a"]);
    assert!(channel.check_address(&Address::new("forum").unwrap()).is_ok());
    assert!(channel.check_address(&Address::new("https://forum").unwrap()).is_err());
}

#[test]
fn settings_that_could_break_a_request_are_refused_without_being_repeated() {
    let base = || WebhookEndpoint::new("https://hooks.example/hooks/T0SECRET7PATH");
    let build = |name: &str, endpoint| WebhookChannel::new(WebhookOptions::new().endpoint(name, endpoint)).map(|_| ());
    assert_eq!(build("a", base()), Ok(()));
    assert_eq!(WebhookChannel::new(WebhookOptions::new()).unwrap_err(), WebhookSetupError::NoEndpoint);
    assert_eq!(build("a\r\nb", base()), Err(WebhookSetupError::Name));
    let header = |name: &str, value: &str| base().header("x-ok", "1").header(name, value.to_owned());
    for (name, value) in [
        ("x", "1\r\nx-evil: 1"),
        ("x\r\ny", "1"),
        ("x y", "1"),
        ("x", "\0"),
        ("Webhook-Id", "1"),
        ("Content-Type", "text/plain"),
        ("HOST", "evil.example"),
        ("transfer-encoding", "chunked"),
    ] {
        let refused = build("a", header(name, value)).unwrap_err();
        assert_eq!(refused, WebhookSetupError::Header { endpoint: "a".into(), number: 2 }, "{name}");
    }
    let refused = build("a", base().secret("whsec_T0SECRET7")).unwrap_err();
    assert_eq!(refused, WebhookSetupError::Secret { endpoint: "a".into() });
    for source in ["", "urn:a b", "urn:a\r\nb", "urn:<a>", "urn:é"] {
        let refused = WebhookChannel::new(WebhookOptions::new().endpoint("a", base()).source(source));
        assert_eq!(refused.unwrap_err(), WebhookSetupError::Source, "{source:?}");
    }
    for url in ["ftp://hooks.example/T0SECRET7", "hooks.example/T0SECRET7", "unix:/T0SECRET7", "https://"] {
        let refused = build("a", WebhookEndpoint::new(url)).unwrap_err();
        assert!(matches!(refused, WebhookSetupError::Url { .. }), "{url}");
        fixture::keeps_secrets(&(refused.to_string(), refused));
    }
    fixture::keeps_secrets(&options("https://hooks.example/hooks/T0SECRET7PATH").endpoints["forum"]);
}

#[test]
fn the_capabilities_follow_the_settings() {
    let channel = WebhookChannel::new(options("https://hooks.example/").source("https://rel.example/")).unwrap();
    let can = channel.capabilities();
    assert_eq!((can.proves, can.deduplication), (Assurance::Acknowledged, Deduplication::ByKey));
    assert_eq!((can.per_call.get(), can.by_hand), (1, false));
    assert_eq!(channel.descriptor().sender.as_deref(), Some("https://rel.example/"));
}
