//! The two digests to which approvals bind: what is said, and to whom.

use super::Carrier;
use crate::mechanism::Mechanism;
use crate::plan::{People, Plan};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Raised whenever the same sources would render to another text.
const RENDERER: u32 = 1;

/// What is said.
pub(super) fn texts(plan: &Plan, carriers: &BTreeMap<Mechanism, Carrier>) -> String {
    let mut texts = Sha256::new();
    texts.update(b"relcomm texts\n");
    texts.update(RENDERER.to_be_bytes());
    // The plan holds ordered collections only, so its JSON form is canonical.
    absorb(&mut texts, &serde_json::to_vec(plan).unwrap_or_default());
    for (mechanism, carrier) in carriers {
        absorb(&mut texts, mechanism.as_str().as_bytes());
        absorb(&mut texts, carrier.descriptor.kind.as_bytes());
        absorb(&mut texts, carrier.descriptor.sender.as_deref().unwrap_or_default().as_bytes());
        absorb(&mut texts, &serde_json::to_vec(&carrier.capabilities.limits).unwrap_or_default());
    }
    HEXLOWER.encode(&texts.finalize())
}

/// To whom: of the people's stream, octet by octet.
pub(super) struct Whom(Sha256);

impl Whom {
    pub(super) fn new() -> Self {
        Self(Sha256::new_with_prefix(b"relcomm people\n"))
    }

    pub(super) fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    pub(super) fn digest(self) -> String {
        HEXLOWER.encode(&self.0.finalize())
    }

    pub(super) fn of(people: &People) -> String {
        let mut whom = Self::new();
        // A hash takes whatever it is given.
        let _ = people.stream(&mut |piece| {
            whom.update(piece);
            Ok(())
        });
        whom.digest()
    }
}

/// A person or company by a digest: what stands in entries, which hold no names.
pub(super) fn of_name(plan: &str, kind: &str, name: &str) -> String {
    let mut hash = Sha256::new_with_prefix(b"relcomm name\n");
    [plan, kind, name].iter().for_each(|part| absorb(&mut hash, part.as_bytes()));
    HEXLOWER.encode(&hash.finalize())
}

fn absorb(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}
