//! The two digests to which approvals bind: what is said, and to whom.

use super::Carrier;
use crate::course::Digests;
use crate::mechanism::Mechanism;
use crate::plan::{People, Plan};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Raised whenever the same sources would render to another text.
const RENDERER: u32 = 1;

pub(super) fn digests(plan: &Plan, people: &People, carriers: &BTreeMap<Mechanism, Carrier>) -> Digests {
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
    let mut whom = Sha256::new();
    whom.update(b"relcomm people\n");
    for number in 0..u32::try_from(people.len()).unwrap_or(u32::MAX) {
        absorb(&mut whom, people.line(number).unwrap_or_default());
    }
    for (group, members) in people.groups() {
        absorb(&mut whom, group.as_str().as_bytes());
        whom.update((members.len() as u64).to_be_bytes());
        for member in members {
            whom.update(member.to_be_bytes());
        }
    }
    Digests::new(HEXLOWER.encode(&texts.finalize()), HEXLOWER.encode(&whom.finalize()))
}

fn absorb(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}
