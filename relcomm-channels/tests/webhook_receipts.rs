//! Calls back: only what an endpoint signed is evidence, and the same call twice is one receipt.

#![cfg(feature = "webhook")]

mod fixture;

use fixture::{HOOK, ROTATED, SECRET, TOKEN, accepted, attempt, clock, item, peer};
use relcomm_channels::webhook::{WebhookChannel, WebhookEndpoint, WebhookOptions};
use relcomm_core::channel::{Channel, ChannelError, ErrorKind, Inbound};
use relcomm_core::clock::Moment;
use relcomm_core::receipt::{Assurance, Evidence, Receipt, ReceiptKind, Token};
use relcomm_testkit::peer::http::HttpScript;
use standardwebhooks::Webhook;

const NOW: i64 = 1_810_101_600;

fn channel() -> WebhookChannel {
    let board = WebhookEndpoint::new("https://a.example/").secret(ROTATED);
    let forum =
        WebhookEndpoint::new("https://b.example/").secret("whsec_////////////////////////////////").secret(SECRET);
    let open = WebhookEndpoint::new("https://c.example/");
    let options = WebhookOptions::new().endpoint("board", board).endpoint("forum", forum).endpoint("open", open);
    WebhookChannel::new(options).unwrap()
}

struct Call {
    headers: Vec<(String, String)>,
    body: String,
}

fn call(secret: &str, id: &str, at: i64, body: &str) -> Call {
    let signature = Webhook::new(secret).unwrap().sign(id, at, body.as_bytes()).unwrap();
    let headers = [("Webhook-Id", id), ("WEBHOOK-TIMESTAMP", &at.to_string()), ("webhook-signature", &signature)];
    Call { headers: headers.map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec(), body: body.to_owned() }
}

fn read(call: &Call) -> Result<Vec<Receipt>, ChannelError> {
    let inbound = Inbound::new(&call.headers, call.body.as_bytes(), Moment::from_millis(NOW * 1000));
    let read = channel().callbacks().unwrap().parse(&inbound);
    if let Err(fault) = &read {
        fixture::keeps_secrets(fault);
    }
    read
}

fn refused(call: &Call) -> ErrorKind {
    read(call).unwrap_err().kind
}

fn body(evidence: &str) -> String {
    format!(r#"{{"receipt_token": "{TOKEN}", "evidence": "{evidence}"}}"#)
}

#[test]
fn a_signed_call_is_a_verified_receipt() {
    for (word, evidence) in [
        ("delivered", Evidence::Reached(Assurance::Delivered)),
        ("displayed", Evidence::Reached(Assurance::Displayed)),
        ("acknowledged", Evidence::Reached(Assurance::Acknowledged)),
        ("failed", Evidence::Failed),
    ] {
        let expected = Receipt::new(ReceiptKind::Callback, "forum/msg-1", evidence).token(Token::new(TOKEN)).verified();
        assert_eq!(read(&call(SECRET, "msg-1", NOW, &body(word))).unwrap(), [expected]);
    }
    let at = format!(r#"{{"receipt_token": "{TOKEN}", "evidence": "displayed", "at": "2027-05-12T08:00:00+02:00"}}"#);
    assert_eq!(read(&call(SECRET, "m", NOW, &at)).unwrap()[0].reported, Some(Moment::from_millis(NOW * 1000)));
}

#[test]
fn the_same_id_at_two_endpoints_is_two_receipts_and_a_repeat_is_one() {
    let identity = |secret, at| read(&call(secret, "msg-1", at, &body("displayed"))).unwrap()[0].identity.clone();
    assert_eq!(identity(SECRET, NOW), identity(SECRET, NOW + 60));
    assert_ne!(identity(SECRET, NOW), identity(ROTATED, NOW));
}

#[test]
fn a_call_outside_five_minutes_is_refused() {
    for (at, good) in [(NOW - 301, false), (NOW - 300, true), (NOW + 300, true), (NOW + 301, false), (0, false)] {
        assert_eq!(read(&call(SECRET, "m", at, &body("displayed"))).is_ok(), good, "{at}");
    }
}

#[test]
fn a_forged_call_is_refused() {
    let good = || call(SECRET, "m", NOW, &body("acknowledged"));
    assert!(read(&good()).is_ok());
    let stranger = call("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "m", NOW, &body("acknowledged"));
    assert_eq!(refused(&stranger), ErrorKind::Authentication);
    for missing in 0..3 {
        let mut call = good();
        call.headers.remove(missing);
        assert_eq!(refused(&call), ErrorKind::Authentication, "without header {missing}");
    }
    for (header, value) in [
        (0, "n"),
        (0, ""),
        (0, "m\n"),
        (1, "1810101601"),
        (1, "+1810101600"),
        (1, "1810101600.0"),
        (1, "99999999999999999999"),
        (1, ""),
        (2, "v1,"),
        (2, "v1"),
        (2, ""),
        (2, "v1,AAAA"),
    ] {
        let mut call = good();
        call.headers[header].1 = value.to_owned();
        assert_eq!(refused(&call), ErrorKind::Authentication, "{header} {value:?}");
    }
    let mut other_version = good();
    other_version.headers[2].1 = other_version.headers[2].1.replace("v1,", "v2,");
    assert_eq!(refused(&other_version), ErrorKind::Authentication);
    let mut changed = good();
    changed.body = body("displayed");
    assert_eq!(refused(&changed), ErrorKind::Authentication);
    let mut among_others = good();
    among_others.headers[2].1 = format!("v2,x v1,AAAA {} v1a,zz", among_others.headers[2].1);
    assert!(read(&among_others).is_ok());
}

#[test]
fn a_signature_does_not_help_an_unusable_id_or_timestamp() {
    let longest = "m".repeat(256);
    assert!(read(&call(SECRET, &longest, NOW, &body("displayed"))).is_ok());
    for id in ["", "a.b", "a\nb", "\0", &format!("{longest}m")] {
        assert_eq!(refused(&call(SECRET, id, NOW, &body("displayed"))), ErrorKind::Authentication, "{id:?}");
    }
    // What is signed here reads as id `m`, a timestamp with a sign, and a body of our choice, too.
    let mut shifted = call(SECRET, "m.+1810101600", 7, "x");
    shifted.headers[0].1 = "m".to_owned();
    shifted.headers[1].1 = "+1810101600".to_owned();
    shifted.body = "7.x".to_owned();
    assert_eq!(refused(&shifted), ErrorKind::Authentication);
}

#[test]
fn a_signed_call_that_says_nothing_known_is_refused() {
    let no_evidence = format!(r#"{{"receipt_token": "{TOKEN}"}}"#);
    for strange in ["", "{", "[]", "{}", &no_evidence, r#"{"evidence": "displayed"}"#, &body("read"), &body("accepted")]
    {
        assert_eq!(refused(&call(SECRET, "m", NOW, strange)), ErrorKind::Protocol, "{strange}");
    }
}

#[tokio::test]
async fn our_own_delivery_sent_back_is_no_receipt() {
    let peer = peer(HttpScript::new());
    let channel = fixture::channel(&peer);
    accepted(attempt(&channel, &clock(), item("a", None)).await);
    let sent = peer.requests().remove(0);
    let inbound = Inbound::new(&sent.headers, &sent.body, Moment::from_millis(NOW * 1000));
    assert_eq!(channel.callbacks().unwrap().parse(&inbound).unwrap_err().kind, ErrorKind::Protocol);
    assert!(sent.path.len() < HOOK.len());
}
