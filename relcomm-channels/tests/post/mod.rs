//! What the email tests post, and to whom.
#![allow(dead_code, reason = "each test binary uses its own part")]

use async_trait::async_trait;
use relcomm_channels::email::{EmailChannel, EmailOptions, ReturnPath, SmtpTimeouts};
use relcomm_core::channel::{
    AttemptContext, Batch, Channel, ChannelError, ErrorKind, Key, Outcome, Outcomes, Outgoing, Part, Prepared,
};
use relcomm_core::clock::{Clock, Moment, SystemClock};
use relcomm_core::receipt::Token;
use relcomm_core::stakeholder::Address;
use relcomm_testkit::peer::smtp::{SmtpPeer, SmtpScript};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const FROM: &str = "Release Team <releases@b.test>";
/// Long enough for a loaded machine, short enough to wait for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn peer(script: SmtpScript) -> SmtpPeer {
    SmtpPeer::start(script).expect("a peer")
}

pub(crate) fn options(peer: &SmtpPeer) -> EmailOptions {
    EmailOptions::new(&format!("smtp://{}", peer.addr()), FROM).expect("options").timeouts(SmtpTimeouts::all(PATIENCE))
}

/// Without tokens: many recipients in one transaction.
pub(crate) fn shared(peer: &SmtpPeer) -> EmailChannel {
    EmailChannel::new(options(peer)).expect("a channel")
}

/// With a token in each return path.
pub(crate) fn personal(peer: &SmtpPeer) -> EmailChannel {
    EmailChannel::new(options(peer).return_path(base())).expect("a channel")
}

pub(crate) fn base() -> ReturnPath {
    ReturnPath::new("bounces@b.test").expect("a base")
}

pub(crate) fn context() -> AttemptContext {
    AttemptContext::new(Arc::new(SystemClock::new()), Duration::from_secs(60))
}

pub(crate) fn key() -> Key {
    Key::of([b"communique".as_slice()])
}

pub(crate) fn to(address: &str) -> Outgoing {
    let key = Key::of([address.as_bytes()]);
    let token = Token::new(format!("v1-{key}"));
    Outgoing::new(key, token, Some(Address::new(address).expect("an address")))
}

pub(crate) fn text(subject: &str, text: &str, html: &str) -> Prepared {
    Prepared::new([
        Part::new("subject", "text/plain", subject),
        Part::new("text", "text/plain", text),
        Part::new("html", "text/html", html),
    ])
}

pub(crate) fn notice() -> Prepared {
    text("Anvil 2.0.0 is live", "Anvil 2.0.0 is live.", "<p>Anvil 2.0.0 is live.</p>")
}

/// One attempt, judged as the engine judges it: an error speaks for what is unset, and what is crossed may be out.
pub(crate) async fn attempt_in(
    channel: &EmailChannel,
    cx: &AttemptContext,
    text: &Prepared,
    items: &[Outgoing],
) -> Vec<Outcome> {
    let key = key();
    let mut outcomes = Outcomes::new(items.len());
    let result = channel.attempt(cx, &Batch::new(text, &key, items), &mut outcomes).await;
    if result.is_ok() {
        assert!((0..items.len()).all(|i| outcomes.is_set(i)), "an outcome is missing");
    }
    let error = result.err().unwrap_or_else(|| ChannelError::new(ErrorKind::Internal, "nothing was said"));
    outcomes
        .settle(|crossed| Outcome::Failed(if crossed { error.clone().maybe_sent() } else { error.clone() }))
        .collect()
}

pub(crate) async fn attempt(channel: &EmailChannel, text: &Prepared, items: &[Outgoing]) -> Vec<Outcome> {
    attempt_in(channel, &context(), text, items).await
}

pub(crate) fn failure(outcome: &Outcome) -> &ChannelError {
    match outcome {
        Outcome::Failed(error) => error,
        Outcome::Accepted(_) => panic!("it was accepted"),
    }
}

pub(crate) fn accepted(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Accepted(_))
}

/// Waits until the peer has seen a command that begins so.
pub(crate) async fn seen(peer: &SmtpPeer, verb: &str) {
    let look = async {
        while !peer.transcript().iter().any(|line| line.starts_with(verb)) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, look).await.expect("the command arrives");
}

/// A clock that stands still.
#[derive(Debug)]
pub(crate) struct Still(pub(crate) Moment);

#[async_trait]
impl Clock for Still {
    fn now(&self) -> Moment {
        self.0
    }

    async fn sleep_until(&self, _: Moment) {
        std::future::pending::<()>().await;
    }
}
