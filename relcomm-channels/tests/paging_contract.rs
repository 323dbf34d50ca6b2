//! The paging channel keeps the contract of channels.
#![cfg(feature = "paging")]

use async_trait::async_trait;
use relcomm_channels::paging::{PagingChannel, PagingOptions};
use relcomm_testkit::contract::channel::{Arrival, CannotShow, ChannelFixture, FarSide, Plot, Trial};
use relcomm_testkit::peer::http::HttpPeer;

const NAMES: [&str; 2] = ["rota-support", "rota-platform"];
const KEYS: [&str; 2] = ["R0SECRET9abcdef0123456789abcdef0", "R1SECRET9abcdef0123456789abcdef1"];

struct Service;

#[async_trait]
impl ChannelFixture for Service {
    async fn set_up(&self, plot: Plot) -> Result<Trial, CannotShow> {
        let peer = HttpPeer::start(plot.http()?).expect("a peer");
        let mut options = PagingOptions::new().base_url(peer.url(""));
        options.http.allow.push("127.0.0.1".parse().expect("an address"));
        for (name, key) in NAMES.into_iter().zip(KEYS) {
            options = options.endpoint(name, key);
        }
        Ok(Trial::http(PagingChannel::new(options).expect("a channel"), peer, |event| {
            let key = event.text("/routing_key");
            let number = KEYS.iter().position(|own| *own == key).expect("a routing key");
            let arrival = Arrival::new(event.text("/payload/custom_details/text"));
            arrival.key(event.text("/dedup_key")).to(NAMES[number])
        }))
    }
    fn far_side(&self) -> FarSide {
        FarSide::taking(NAMES).secrets(KEYS)
    }
}

relcomm_testkit::channel_contract!(Service, not_applicable: 18);
