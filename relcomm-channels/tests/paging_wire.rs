//! What a page looks like on the wire, and what its answers mean.

#![cfg(all(feature = "paging", feature = "webhook"))]

mod fixture;

use fixture::{
    PATIENCE, ROUTING_KEY, accepted, attempt, clock, context, failed, item, keeps_secrets, key, loopback, peer, wording,
};
use relcomm_channels::http::HttpOptions;
use relcomm_channels::paging::{PagingChannel, PagingOptions, PagingSetupError, Severity};
use relcomm_core::channel::{Channel, Effect, ErrorKind, Retry, Scope};
use relcomm_core::mechanism::{Addressing, Deduplication, OnExcess};
use relcomm_core::receipt::Assurance;
use relcomm_testkit::peer::http::{HttpAct, HttpPeer, HttpScript, Response, Rule};
use serde_json::json;
use std::time::Duration;

fn options(peer: &HttpPeer) -> PagingOptions {
    PagingOptions::new().endpoint("forum", ROUTING_KEY).base_url(peer.url("/")).http(loopback())
}

fn channel(peer: &HttpPeer) -> PagingChannel {
    PagingChannel::new(options(peer)).unwrap()
}

#[tokio::test]
async fn the_whole_event_is_as_recorded() {
    let peer = peer(HttpScript::new());
    let said = accepted(attempt(&channel(&peer), &clock(), item("a", Some("forum"))).await);
    assert_eq!(said.reference.as_deref(), Some(key("a").as_str()));
    assert_eq!(said.assurance, Assurance::Accepted);
    let request = peer.requests().remove(0);
    assert_eq!((request.path.as_str(), request.header("content-type")), ("/v2/enqueue", Some("application/json")));
    let event = request.json().unwrap();
    assert_eq!(event["routing_key"], ROUTING_KEY);
    insta::assert_snapshot!(String::from_utf8(request.body).unwrap().replace(ROUTING_KEY, "ROUTING-KEY"));
}

#[tokio::test]
async fn settings_reach_the_event() {
    let peer = peer(HttpScript::new());
    let options = options(&peer)
        .base_url(peer.url("/proxy/pd/"))
        .severity(Severity::Critical)
        .source("eu-cluster")
        .client_url("https://releases.example/");
    accepted(attempt(&PagingChannel::new(options).unwrap(), &clock(), item("a", Some("forum"))).await);
    let request = peer.requests().remove(0);
    let event = request.json().unwrap();
    assert_eq!(request.path, "/proxy/pd/v2/enqueue");
    assert_eq!(
        (&event["payload"]["severity"], &event["payload"]["source"]),
        (&json!("critical"), &json!("eu-cluster"))
    );
    assert_eq!(event["client_url"], "https://releases.example/");
}

#[tokio::test]
async fn a_repeat_after_a_lost_answer_is_the_same_alert() {
    let peer = peer(HttpScript::new().rule(Rule::on("*", HttpAct::CutAccepted).times(1)));
    let (channel, clock) = (channel(&peer), clock());
    let fault = failed(attempt(&channel, &clock, item("a", Some("forum"))).await);
    assert_eq!(fault.effect, Effect::MaybeSent);
    clock.advance(Duration::from_secs(60));
    accepted(attempt(&channel, &clock, item("a", Some("forum")).attempt(2)).await);
    accepted(attempt(&channel, &clock, item("b", Some("forum"))).await);
    peer.wait_for(3, PATIENCE).await.unwrap();
    assert_eq!((peer.accepted(), peer.repeats()), (2, 1));
}

#[tokio::test]
async fn every_answer_has_its_meaning() {
    use ErrorKind as K;
    let wrong_key = json!({"status": "invalid event", "message": "Event object is invalid",
        "errors": ["Length of 'routing_key' is incorrect (should be 32 characters)"]});
    let wrong_event = json!({"status": "invalid event", "message": "m", "errors": ["'summary' is too long"]});
    let wait = Duration::from_secs(60);
    let table = [
        (Response::json(400, &wrong_event), K::ContentRejected, Scope::Message, Retry::Never),
        (Response::new(400), K::ContentRejected, Scope::Message, Retry::Never),
        (Response::json(400, &wrong_key), K::Authentication, Scope::Endpoint, Retry::Never),
        (Response::json(500, &wrong_key), K::Unavailable, Scope::Recipient, Retry::Backoff),
        (Response::new(413), K::TooLarge, Scope::Message, Retry::Never),
        (Response::new(429), K::RateLimited, Scope::Endpoint, Retry::Backoff),
        (Response::new(429).retry_after(60), K::RateLimited, Scope::Endpoint, Retry::After(wait)),
        (Response::new(500), K::Unavailable, Scope::Recipient, Retry::Backoff),
        (Response::new(503), K::Unavailable, Scope::Recipient, Retry::Backoff),
        (Response::redirect(302, "/v2/enqueue"), K::Policy, Scope::Recipient, Retry::Never),
    ];
    for (response, kind, scope, retry) in table {
        let code = response.code();
        let peer = peer(HttpScript::new().rule(Rule::answer("*", response)));
        let fault = failed(attempt(&channel(&peer), &clock(), item("a", Some("forum"))).await);
        assert_eq!(
            (fault.kind, fault.scope, fault.effect, fault.retry),
            (kind, scope, Effect::NotSent, retry),
            "{code}"
        );
        assert_eq!(peer.requests().len(), 1);
    }
}

#[tokio::test]
async fn the_reference_is_what_the_service_says_or_the_key() {
    for (response, reference) in [
        (Response::json(202, &json!({"dedup_key": "theirs"})), "theirs"),
        (Response::json(202, &json!({"dedup_key": ""})), key("a").as_str()),
        (Response::json(202, &json!({"dedup_key": format!("for {ROUTING_KEY}")})), key("a").as_str()),
        (Response::new(202), key("a").as_str()),
    ] {
        let peer = peer(HttpScript::new().rule(Rule::answer("*", response)));
        let said = accepted(attempt(&channel(&peer), &clock(), item("a", Some("forum"))).await);
        assert_eq!(said.reference.as_deref(), Some(reference));
    }
}

#[tokio::test]
async fn a_summary_is_cut_between_words_at_1024_characters_of_any_width() {
    let peer = peer(HttpScript::new());
    let channel = channel(&peer);
    let limit = channel.capabilities().limits[0].clone();
    assert_eq!((limit.part.as_str(), limit.max, limit.on_excess), ("summary", 1024, OnExcess::Cut));
    for wide in ["x", "é", "\u{1f600}", "\""] {
        for (count, kept) in [(1023, 1023), (1024, 1024), (1025, 1024), (5000, 1024)] {
            let mut words = wording("text");
            words.short = wide.repeat(count);
            let summary = channel.prepare(&words).unwrap().part("summary").to_owned();
            assert_eq!(summary.chars().count(), kept, "{wide} {count}");
            assert_eq!(summary.ends_with('…'), count > 1024);
        }
    }
    let mut words = wording("text");
    words.short = "word ".repeat(300);
    let text = channel.prepare(&words).unwrap();
    assert!(text.part("summary").ends_with("word…"));
    accepted(fixture::attempt_text(&channel, &context(&clock()), &text, item("a", Some("forum"))).await);
    words.short = format!("a {}", "x".repeat(2000));
    assert_eq!(channel.prepare(&words).unwrap().part("summary").chars().count(), 1024, "a long word is cut inside");
    words.short = " ".into();
    assert_eq!(channel.prepare(&words).unwrap().part("summary"), words.subject);
    words.subject = String::new();
    assert_eq!(channel.prepare(&words).unwrap().part("summary"), "Ledger 4.2.0");
}

#[tokio::test]
async fn the_links_of_the_text_go_with_it_once_each_and_at_most_ten() {
    let peer = peer(HttpScript::new());
    let channel = channel(&peer);
    let links = |markdown: &str| {
        let text = channel.prepare(&wording(markdown)).unwrap();
        let event: serde_json::Value = serde_json::from_str(text.part("event")).unwrap();
        event["links"].clone()
    };
    let everywhere = "# [h](https://e.example/1)\n\n- **[*b* `c`](https://e.example/2)**\n  > [q](http://e.example/3)\n\n\
        | [t](https://e.example/4) |\n|---|\n| [h](https://e.example/1) |\n\n[m](mailto:a@e.example)";
    let expected = json!([
        {"href": "https://e.example/1", "text": "h"},
        {"href": "https://e.example/2", "text": "b c"},
        {"href": "http://e.example/3", "text": "q"},
        {"href": "https://e.example/4", "text": "t"},
    ]);
    assert_eq!(links(everywhere), expected);
    let many: String = (0..12).map(|n| format!("[n](https://e.example/{n}) ")).collect();
    assert_eq!(links(&many).as_array().unwrap().len(), 10);
    assert_eq!(links("none"), json!(null));
}

#[tokio::test]
async fn the_largest_event_that_is_prepared_is_one_that_the_service_takes() {
    let peer = peer(HttpScript::new());
    let channel = channel(&peer);
    let limit = channel.capabilities().limits[1].max;
    let of = |count: usize| {
        let mut words = wording(&"x".repeat(count));
        words.short = "\u{1}\u{1f600}".repeat(512);
        words
    };
    let base = channel.prepare(&of(1)).unwrap().part("event").len() - 1;
    let text = channel.prepare(&of(limit - base)).unwrap();
    accepted(fixture::attempt_text(&channel, &context(&clock()), &text, item("a", Some("forum"))).await);
    assert_eq!(channel.prepare(&of(limit - base + 1)).unwrap_err()[0].code, "RC1101");
}

#[tokio::test]
async fn a_page_needs_the_name_of_an_endpoint() {
    let peer = peer(HttpScript::new());
    let channel = channel(&peer);
    for address in [None, Some("nobody"), Some(ROUTING_KEY)] {
        let fault = failed(attempt(&channel, &clock(), item("a", address)).await);
        assert_eq!((fault.kind, fault.effect), (ErrorKind::RecipientInvalid, Effect::NotSent));
    }
    assert_eq!(peer.connections(), 0);
    assert_eq!(channel.verify(&context(&clock())).await, Ok(Vec::new()));
    accepted(attempt(&channel, &clock(), item("a", Some("forum"))).await);
    assert_eq!((peer.connections(), peer.requests().len()), (2, 1), "verification connects and sends nothing");
}

#[test]
fn settings_that_cannot_work_are_refused_without_being_repeated() {
    let base = |key: &str| PagingOptions::new().endpoint("a", key.to_owned());
    let refused = |options| PagingChannel::new(options).unwrap_err();
    assert_eq!(refused(PagingOptions::new()), PagingSetupError::NoEndpoint);
    let short = &ROUTING_KEY[1..];
    for key in ["", short, &format!("{short}\n"), &format!("{ROUTING_KEY}0"), &"é".repeat(16)] {
        assert_eq!(refused(base(key)), PagingSetupError::RoutingKey { endpoint: "a".into() });
    }
    for url in [
        "",
        "events.pagerduty.com",
        "ftp://events.pagerduty.com",
        "http://127.0.0.1:1",
        "https://events.pagerduty.com?a",
        "http://169.254.169.254",
    ] {
        assert!(matches!(refused(base(ROUTING_KEY).base_url(url)), PagingSetupError::BaseUrl(_)), "{url}");
    }
    assert_eq!(refused(base(ROUTING_KEY).client_url("javascript:alert(1)")), PagingSetupError::ClientUrl);
    assert!(matches!(refused(base(ROUTING_KEY).http(HttpOptions::new().ca_pem("x"))), PagingSetupError::Http(_)));
    keeps_secrets(&base(ROUTING_KEY));
    let channel = PagingChannel::new(base(ROUTING_KEY)).unwrap();
    keeps_secrets(&channel);
    let can = channel.capabilities();
    assert_eq!((can.addressing, can.proves), (Addressing::Each, Assurance::Accepted));
    assert_eq!(can.deduplication, Deduplication::ByKey);
}
