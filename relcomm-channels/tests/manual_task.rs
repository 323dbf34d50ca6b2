//! A task for a person: nothing goes out, and nothing but the attempt is proved.

#![cfg(all(feature = "manual", feature = "webhook"))]

mod fixture;

use fixture::{accepted, attempt, clock, item, plain};
use relcomm_channels::manual::ManualChannel;
use relcomm_core::channel::Channel;
use relcomm_core::mechanism::Addressing;
use relcomm_core::receipt::Assurance;
use relcomm_core::stakeholder::Address;

#[tokio::test]
async fn a_task_is_accepted_as_attempted_and_no_more() {
    for (addressing, address) in [(Addressing::Each, Some("forum")), (Addressing::Once, None)] {
        let channel = ManualChannel::new(addressing);
        let can = channel.capabilities();
        assert_eq!((can.addressing, can.by_hand, can.proves), (addressing, true, Assurance::Acknowledged));
        assert_eq!(accepted(attempt(&channel, &clock(), item("a", address)).await).assurance, Assurance::Attempted);
    }
}

#[test]
fn the_script_is_plain_text_to_read_out() {
    let channel = ManualChannel::new(Addressing::Each);
    let text = channel.prepare(&plain()).unwrap();
    assert_eq!(text.part("title"), "Ledger 4.2.0 is live – \"EU\"");
    assert!(text.part("script").starts_with("Live since 07:00, see the notes (https://example.org/n?a=1&b=2)."));
    assert!(channel.check_address(&Address::new("room 4, ask for Ana").unwrap()).is_ok());
}
