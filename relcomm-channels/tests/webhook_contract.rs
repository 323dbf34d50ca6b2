//! The webhook channel keeps the contract of channels.
#![cfg(feature = "webhook")]

use async_trait::async_trait;
use relcomm_channels::webhook::{WebhookChannel, WebhookEndpoint, WebhookOptions};
use relcomm_core::mechanism::Deduplication;
use relcomm_testkit::contract::channel::{
    Arrival, CallBack, CannotShow, ChannelFixture, FarSide, Plot, RawCall, Trial,
};
use relcomm_testkit::peer::http::{HttpPeer, Response, Rule};
use standardwebhooks::Webhook;

const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

struct Hooks(Deduplication, &'static str);

#[async_trait]
impl ChannelFixture for Hooks {
    async fn set_up(&self, plot: Plot) -> Result<Trial, CannotShow> {
        let gone = Rule::answer("/T0secr7/board-gone", Response::new(410));
        let peer =
            HttpPeer::start(plot.http()?.rule(gone).deduplicate_by(self.1).largest_body(20_000)).expect("a peer");
        let mut options = WebhookOptions::new().deduplication(self.0);
        options.http.allow.push("127.0.0.1".parse().expect("an address"));
        for name in ["board-news", "board-staff", "board-press", "board-gone"] {
            options = options.endpoint(name, WebhookEndpoint::new(peer.url(&format!("/T0secr7/{name}"))).secret(KEY));
        }
        Ok(Trial::http(WebhookChannel::new(options).expect("a channel"), peer, |event| {
            let arrival = Arrival::new(event.text("/data/text")).subject(event.text("/data/subject"));
            arrival.key(event.text("/id")).to(event.path.trim_start_matches("/T0secr7/"))
        }))
    }
    fn far_side(&self) -> FarSide {
        let far_side = FarSide::taking(["board-news", "board-staff", "board-press"]).refusing("board-gone");
        far_side.secrets(["T0secr7", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
    }
    fn callback(&self, about: &CallBack<'_>) -> Option<RawCall> {
        let (id, at) = (format!("call-{}", about.number), about.at.millis() / 1000);
        let body = format!(r#"{{"receipt_token": "{}", "evidence": "acknowledged"}}"#, about.token.as_str());
        let signature = Webhook::new(KEY).ok()?.sign(&id, at, body.as_bytes()).ok()?;
        let call = RawCall::new(body).header("webhook-id", id).header("webhook-timestamp", at.to_string());
        Some(call.header("webhook-signature", signature))
    }
}

mod by_key {
    use super::{Deduplication, Hooks};

    relcomm_testkit::channel_contract!(Hooks(Deduplication::ByKey, "webhook-id"), not_applicable: 14);
}

mod without_keys {
    use super::{Deduplication, Hooks};

    relcomm_testkit::channel_contract!(Hooks(Deduplication::None, "no-such-header"), not_applicable: 14);
}
