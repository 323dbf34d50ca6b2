//! The example of a channel of one's own, against a real Matrix server: Synapse.

#[path = "../custom_channel.rs"]
mod custom_channel;
#[path = "servers/process.rs"]
#[allow(dead_code, reason = "other servers need more of it")]
mod process;
#[path = "servers/synapse.rs"]
mod synapse;

use custom_channel::MatrixChannel;
use relcomm_core::channel::{
    About, AttemptContext, Batch, Channel, ChannelError, ErrorKind, Key, Outcome, Outcomes, Outgoing, Retry, Scope,
    Wording,
};
use relcomm_core::clock::SystemClock;
use relcomm_core::document::Document;
use relcomm_core::id::{CommuniqueId, PlanId};
use relcomm_core::receipt::Token;
use relcomm_core::stakeholder::Address;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use synapse::Synapse;

/// As many as are sent before the last one, which is one too many.
const BURST: u32 = 6;

fn context() -> AttemptContext {
    AttemptContext::new(Arc::new(SystemClock::new()), Duration::from_secs(60))
}

fn words(markdown: &str) -> Wording {
    let about = About::new(PlanId::new("anvil-2").unwrap(), "Anvil", "2.0.0", CommuniqueId::new("live").unwrap());
    Wording::new(about, "Anvil <2> is live", Document::from_markdown(markdown).unwrap(), "live")
}

/// One try: the event, or what the server refused.
async fn post(channel: &MatrixChannel, key: &str, attempt: u32, room: Option<&str>) -> Result<String, ChannelError> {
    let text = channel.prepare(&words("Größer, *schöner*, 漢字 \u{1f680}, שלום:\n\n- `one`\n- two & three")).unwrap();
    let (key, address) = (Key::of([key.as_bytes()]), room.map(|room| Address::new(room).unwrap()));
    let items = [Outgoing::new(key, Token::new("v1-token"), address).attempt(attempt)];
    let mut outcomes = Outcomes::new(1);
    channel.attempt(&context(), &Batch::new(&text, &key, &items), &mut outcomes).await.unwrap();
    match outcomes.settle(|_| panic!("left open")).next() {
        Some(Outcome::Accepted(accepted)) => Ok(accepted.reference.expect("an event")),
        Some(Outcome::Failed(error)) => Err(error),
        None => panic!("no outcome"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_is_the_same_event_and_every_refusal_is_understood() {
    let directory = tempfile::tempdir().unwrap();
    let server = match Synapse::start(directory.path(), BURST).await {
        Ok(server) => server,
        Err(process::Missing(why)) => {
            assert!(std::env::var_os("RELCOMM_REQUIRE").is_none(), "{why}");
            writeln!(std::io::stderr(), "SKIPPED: {why}").unwrap();
            return;
        }
    };
    let (room, other) = (server.room().await, server.room().await);
    let channel = |token: &str| MatrixChannel::new(&server.url(), token.to_owned().into()).unwrap();
    let once = channel(&server.token).room(&room).unwrap();
    let each = channel(&server.token);
    assert_eq!(once.verify(&context()).await.unwrap(), []);

    // The same key: the same event, also when it is the second try. Another key, or another room: another event.
    let first = post(&once, "first", 1, None).await.unwrap();
    assert_eq!(post(&once, "first", 2, None).await.unwrap(), first);
    assert_eq!(post(&each, "first", 3, Some(&room)).await.unwrap(), first);
    let second = post(&once, "second", 1, None).await.unwrap();
    let elsewhere = post(&each, "first", 1, Some(&other)).await.unwrap();
    assert!(second != first && elsewhere != first && elsewhere != second);

    let messages = server.messages(&room).await;
    let events: Vec<&str> = messages.iter().map(|(event, _)| event.as_str()).collect();
    assert_eq!(events, [&first, &second]);
    assert_eq!(server.messages(&other).await.len(), 1);
    let content = &messages[0].1;
    let plain = words("Größer, *schöner*, 漢字 \u{1f680}, שלום:\n\n- `one`\n- two & three").document.to_plain();
    assert_eq!(content["body"], format!("Anvil <2> is live\n\n{plain}"));
    assert!(content["formatted_body"].as_str().unwrap().contains("<strong>Anvil &lt;2&gt; is live</strong>"));

    // What the server refuses.
    let stranger = channel("syt_nobody").room(&room).unwrap();
    let error = post(&stranger, "third", 1, None).await.unwrap_err();
    assert_eq!(
        (error.kind, error.scope, error.retry),
        (ErrorKind::Authentication, Scope::Channel, Retry::Never),
        "{error}"
    );
    assert_eq!(stranger.verify(&context()).await.unwrap_err().kind, ErrorKind::Authentication);
    let nowhere = "!nowhere:relcomm.test";
    let error = post(&each, "third", 1, Some(nowhere)).await.unwrap_err();
    assert_eq!((error.kind, error.scope, error.retry), (ErrorKind::Policy, Scope::Recipient, Retry::Never), "{error}");
    assert_eq!(error.code.as_deref(), Some("403 M_FORBIDDEN"));
    assert_eq!(channel(&server.token).room(nowhere).unwrap().verify(&context()).await.unwrap().len(), 1);

    // Too many: it says how long to wait. The repeat of what it has is no new message.
    let limited = {
        let mut number = 0;
        loop {
            number += 1;
            assert!(number <= 2 * BURST, "the server never asks for a pause");
            match post(&once, &format!("many {number}"), 1, None).await {
                Ok(_) => {}
                Err(error) => break error,
            }
        }
    };
    assert_eq!((limited.kind, limited.scope), (ErrorKind::RateLimited, Scope::Channel), "{limited}");
    assert!(matches!(limited.retry, Retry::After(wait) if wait > Duration::from_millis(500)), "{limited:?}");
    assert_eq!(post(&once, "second", 2, None).await.unwrap(), second);
}
