//! The example of a channel of one's own keeps the contract of channels, against the testkit's HTTP peer.

#[path = "../custom_channel.rs"]
mod custom_channel;

use async_trait::async_trait;
use clap::Parser;
use custom_channel::MatrixChannel;
use relcomm::Exit;
use relcomm::arguments::Arguments;
use relcomm::deployment::ChannelKinds;
use relcomm_core::channel::{
    AttemptContext, Batch, Channel, ChannelError, ErrorKind, Key, Outcome, Outcomes, Outgoing, Part, Prepared, Retry,
    Scope,
};
use relcomm_core::clock::SystemClock;
use relcomm_core::receipt::Token;
use relcomm_core::stakeholder::Address;
use relcomm_testkit::contract::channel::{Arrival, CannotShow, ChannelFixture, FarSide, Plot, Trial};
use relcomm_testkit::peer::http::{HttpPeer, HttpScript, Request, Response, Rule};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

const TOKEN: &str = "syt_c2VjcmV0_token";

/// Room and transaction of a request that posts.
fn posted(request: &Request) -> Option<(&str, &str)> {
    let (room, rest) = request.path.strip_prefix("/_matrix/client/v3/rooms/")?.split_once("/send/m.room.message/")?;
    (request.method == "PUT").then_some((room, rest))
}

struct Matrix;

#[async_trait]
impl ChannelFixture for Matrix {
    async fn set_up(&self, plot: Plot) -> Result<Trial, CannotShow> {
        let forbidden = Response::json(403, &json!({"errcode": "M_FORBIDDEN", "error": "not in room !shut:peer.test"}));
        let script = plot.http()?.deduplicate_with(|request| posted(request).map(|(_, key)| key.to_owned()));
        let script = script.rule(Rule::answer("/_matrix/client/v3/rooms/!shut:peer.test/*", forbidden));
        let peer = Arc::new(HttpPeer::start(script).expect("a peer"));
        let channel = MatrixChannel::new(&peer.url(""), TOKEN.into()).expect("a channel");
        let (asked, taken) = (Arc::clone(&peer), peer);
        Ok(Trial::new(
            channel,
            move || {
                let read = |request: &Request| {
                    let (room, key) = posted(request)?;
                    Some(Arrival::new(request.text("/body")).key(key).to(room).raw(request.body.clone()))
                };
                taken.requests().iter().filter(|request| request.taken).filter_map(read).collect()
            },
            move || asked.requests().iter().filter(|request| posted(request).is_some()).count(),
        ))
    }
    fn far_side(&self) -> FarSide {
        FarSide::taking(["!one:peer.test", "!two:peer.test", "!three:peer.test"])
            .refusing("!shut:peer.test")
            .secrets([TOKEN])
    }
}

relcomm_testkit::channel_contract!(Matrix, not_applicable: 16);

#[tokio::test]
async fn every_error_code_has_its_meaning() {
    use ErrorKind as K;
    let body = |code: &str| json!({"errcode": code, "error": "as you said: syt_c2VjcmV0_token in !one:peer.test"});
    let wait = Retry::After(Duration::from_millis(2500));
    #[rustfmt::skip]
    let table = [
        (429, json!({"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 2500}), K::RateLimited, Scope::Channel, wait, "429 M_LIMIT_EXCEEDED"),
        (429, body("M_LIMIT_EXCEEDED"), K::RateLimited,     Scope::Channel,   Retry::Backoff, "429 M_LIMIT_EXCEEDED"),
        (401, body("M_UNKNOWN_TOKEN"),  K::Authentication,  Scope::Channel,   Retry::Never,   "401 M_UNKNOWN_TOKEN"),
        (401, body("M_MISSING_TOKEN"),  K::Authentication,  Scope::Channel,   Retry::Never,   "401 M_MISSING_TOKEN"),
        (403, body("M_FORBIDDEN"),      K::Policy,          Scope::Recipient, Retry::Never,   "403 M_FORBIDDEN"),
        (404, body("M_NOT_FOUND"),      K::EndpointGone,    Scope::Recipient, Retry::Never,   "404 M_NOT_FOUND"),
        (413, body("M_TOO_LARGE"),      K::TooLarge,        Scope::Message,   Retry::Never,   "413 M_TOO_LARGE"),
        (400, body("M_BAD_JSON"),       K::ContentRejected, Scope::Message,   Retry::Never,   "400 M_BAD_JSON"),
        (500, body("M_UNKNOWN"),        K::Unavailable,     Scope::Channel,   Retry::Backoff, "500 M_UNKNOWN"),
        (400, body("ORG.ODD"),          K::ContentRejected, Scope::Message,   Retry::Never,   "400"),
        (418, body("M_TEAPOT"),         K::Unsupported,     Scope::Recipient, Retry::Never,   "418 M_TEAPOT"),
    ];
    for (status, answer, kind, scope, retry, code) in table {
        let error = refused(Response::json(status, &answer)).await;
        let came = (error.kind, error.scope, error.retry, error.code.as_deref());
        assert_eq!(came, (kind, scope, retry, Some(code)), "{status} {answer}");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains(TOKEN) && !shown.contains("!one"), "{shown}");
    }
}

async fn refused(answer: Response) -> ChannelError {
    let peer = HttpPeer::start(HttpScript::new().otherwise(answer)).unwrap();
    let channel = MatrixChannel::new(&peer.url(""), TOKEN.into()).unwrap().room("!one:peer.test").unwrap();
    let (text, key) = (Prepared::new([Part::new("content", "application/json", "{}")]), Key::of([b"k".as_slice()]));
    let items = [Outgoing::new(key, Token::new("t"), None)];
    let mut outcomes = Outcomes::new(1);
    let cx = AttemptContext::new(Arc::new(SystemClock::new()), Duration::from_secs(20));
    channel.attempt(&cx, &Batch::new(&text, &key, &items), &mut outcomes).await.unwrap();
    match outcomes.settle(|_| panic!("left open")).next() {
        Some(Outcome::Failed(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn rooms_and_servers_are_checked() {
    let channel = MatrixChannel::new("https://matrix.example.org", TOKEN.into()).unwrap();
    let checked = |room: &str| channel.check_address(&Address::new(room).unwrap());
    assert!(checked("!8f2a61:example.org").is_ok() && checked("!JxN0v12withoutserver").is_ok());
    assert!(checked("#alias:example.org").is_err() && checked("!").is_err() && checked("!a b").is_err());
    for bad in ["matrix.example.org", "ftp://matrix.example.org", ""] {
        assert!(MatrixChannel::new(bad, TOKEN.into()).is_err(), "{bad}");
    }
    let peer = HttpPeer::start(HttpScript::new()).unwrap();
    let outside = MatrixChannel::new(&peer.url(""), TOKEN.into()).unwrap().room("!one:peer.test").unwrap();
    let cx = AttemptContext::new(Arc::new(SystemClock::new()), Duration::from_secs(20));
    assert_eq!(outside.verify(&cx).await.unwrap()[0].code, "MATRIX01");
}

const PLAN: &str = r#"
plan: 1
id: anvil-2
release: { product: Anvil, version: 2.0.0, what: Shared folders, why: Teams asked for them., how: Choose Share. }
responsible: ada@anvil.example
groups: { staff: { via: [chat], members: [{ id: ada }, { id: ben }] } }
communiques: { live: { to: staff, text: "Anvil {{ release.version }} is live: {{ item.item_1 }}" } }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn the_command_of_the_example_posts_once_for_all() {
    let peer = HttpPeer::start(HttpScript::new()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("token"), TOKEN).unwrap();
    let run = |settings: String| {
        let file =
            format!("channels: 1\njournal: 'file:{}'\nchat: {{ kind: matrix, {settings} }}\n", path("journal.db"));
        std::fs::write(path("plan.yaml"), PLAN).unwrap();
        std::fs::write(path("channels.yaml"), file).unwrap();
        let (plan, channels) = (path("plan.yaml"), path("channels.yaml"));
        let words = [
            "relcomm",
            "deliver",
            &plan,
            "--channels",
            &channels,
            "--execute",
            "--by",
            "ada",
            "--proof",
            "run 7",
            "--new-journal",
        ];
        let arguments = Arguments::try_parse_from(words).unwrap();
        relcomm::verbs::run(arguments.channel_kinds(ChannelKinds::standard().with("matrix", custom_channel::kind())))
    };
    let settings = format!("homeserver: '{}', token: {{ file: '{}' }}", peer.url(""), path("token"));
    assert_eq!(run(settings.clone()).await, Exit::Invalid, "it has no room");
    assert!(peer.requests().is_empty());
    assert_eq!(run(format!("{settings}, room: '!one:peer.test'")).await, Exit::Done);
    let requests = peer.requests();
    let posts: Vec<_> = requests.iter().filter_map(posted).collect();
    assert_eq!(posts.len(), 1);
    assert_eq!(posts[0].0, "!one:peer.test");
    assert_eq!(requests[0].header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
}
