//! The channel of tasks keeps the contract of channels, as far as it speaks of a channel that hands nothing over.
#![cfg(feature = "manual")]

use async_trait::async_trait;
use relcomm_channels::manual::ManualChannel;
use relcomm_core::mechanism::Addressing;
use relcomm_testkit::contract::channel::{CannotShow, ChannelFixture, FarSide, Plot, Trial};

struct Desk(Addressing);

#[async_trait]
impl ChannelFixture for Desk {
    async fn set_up(&self, plot: Plot) -> Result<Trial, CannotShow> {
        match plot.fault() {
            None => Ok(Trial::by_hand(ManualChannel::new(self.0))),
            Some(_) => Err(CannotShow::because("a person does the work")),
        }
    }
    fn far_side(&self) -> FarSide {
        match self.0 {
            Addressing::Each => FarSide::taking(["room 4", "+41 44 000 00 00", "the board"]),
            Addressing::Once => FarSide::taking([]),
        }
    }
}

mod each {
    use super::{Addressing, Desk};

    relcomm_testkit::channel_contract!(Desk(Addressing::Each), not_applicable: 25);
}

mod once {
    use super::{Addressing, Desk};

    relcomm_testkit::channel_contract!(Desk(Addressing::Once), not_applicable: 25);
}
