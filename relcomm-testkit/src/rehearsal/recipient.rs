//! To whom an attempt is.

use super::expectation::fits;
use data_encoding::BASE32_NOPAD;
use relcomm_core::id::{CommuniqueId, DeliveryId, GateNo};
use relcomm_core::receipt::Token;

/// To whom an attempt is.
pub(super) struct Recipient {
    /// Who is behind the address: one, unless it is a post.
    pub(super) people: Vec<String>,
    pub(super) groups: Vec<String>,
    pub(super) communique: CommuniqueId,
}

impl Recipient {
    pub(super) fn is(&self, pattern: &str) -> bool {
        self.people.iter().chain(&self.groups).any(|word| fits(pattern, word))
    }
}

/// Of which delivery and leg a mark is, and whose the delivery.
#[derive(Debug)]
pub(super) struct Mark {
    pub(super) id: DeliveryId,
    pub(super) leg: u8,
    pub(super) whose: String,
}

/// The delivery and the leg that a mark names. Real far sides cannot tell whose it is; one that stands in for people has to.
pub(super) fn named(token: &Token) -> Option<(DeliveryId, u8)> {
    let bytes = BASE32_NOPAD.decode(token.as_str().to_ascii_uppercase().as_bytes()).ok()?;
    let (gate, rest) = bytes.split_first_chunk()?;
    let (ordinal, rest) = rest.split_first_chunk()?;
    let id = DeliveryId { gate: GateNo(u32::from_be_bytes(*gate)), ordinal: u32::from_be_bytes(*ordinal) };
    Some((id, *rest.first()?))
}
