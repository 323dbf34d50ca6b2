//! The email channel keeps the contract of channels: with many recipients in one transaction, and with a return path for each.
#![cfg(feature = "email")]

use async_trait::async_trait;
use mail_parser::MessageParser;
use relcomm_channels::email::{EmailChannel, EmailOptions, ReturnPath};
use relcomm_testkit::contract::channel::{Arrival, CannotShow, ChannelFixture, FarSide, Plot, Trial};
use relcomm_testkit::peer::smtp::{RecipientAnswer, Reply, SmtpPeer};

struct Relay(Option<ReturnPath>);

#[async_trait]
impl ChannelFixture for Relay {
    async fn set_up(&self, plot: Plot) -> Result<Trial, CannotShow> {
        let gone = RecipientAnswer::Reply(Reply::new(550, "5.1.1 <gone@c.test>: gone@c.test is unknown"));
        let script = plot.smtp()?.credential("relay-user", "relay-s3cret").answer("gone@c.test", gone);
        let peer = SmtpPeer::start(script).expect("a peer");
        let options = EmailOptions::new(&format!("smtp://{}", peer.addr()), "releases@b.test").expect("options");
        let mut options = options.login("relay-user", "relay-s3cret".to_owned().into());
        if let Some(base) = &self.0 {
            options = options.return_path(base.clone());
        }
        Ok(Trial::smtp(EmailChannel::new(options).expect("a channel"), peer, |mail| {
            let mail = MessageParser::new().parse(&mail.data).expect("a mail");
            let arrival = Arrival::new(mail.body_text(0).unwrap_or_default());
            arrival.subject(mail.subject().unwrap_or_default()).key(mail.message_id().unwrap_or_default())
        }))
    }
    fn far_side(&self) -> FarSide {
        let far_side = FarSide::taking(["ana@c.test", "bea@c.test", "cy@c.test"]).refusing("gone@c.test");
        far_side.secrets(["relay-user", "relay-s3cret"])
    }
}

mod shared {
    relcomm_testkit::channel_contract!(super::Relay(None), not_applicable: 9);
}

mod personal {
    use super::{Relay, ReturnPath};

    relcomm_testkit::channel_contract!(Relay(ReturnPath::new("bounces@b.test").ok()), not_applicable: 12);
}
