//! Ids of members who have none: derived from their address under a secret, so that an id tells nobody the address.

use crate::id::StakeholderId;
use crate::mechanism::Mechanism;
use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use std::borrow::Cow;
use std::fmt;

/// Whoever knows ids and guesses addresses can try keys: these many octets are not tried.
pub(crate) const SHORTEST: usize = 16;

/// What the key signs here and nowhere else.
const PURPOSE: &[u8] = b"relcomm member id 1";

/// The mechanisms whose address tells a person, best first. Others follow in the order of their words.
const TELLING: [&str; 4] = ["email", "phone", "text", "pager"];

/// A key under which ids are derived.
///
/// An id is 26 characters `a`–`z`, `2`–`7`: 128 bits of an HMAC-SHA256 over one address and its mechanism. Neither plan nor group goes in:
/// the same person in two lists is one person, where both use the same key.
pub(crate) struct IdKey(Hmac<Sha256>);

impl IdKey {
    /// `None` for a secret that is too short.
    pub(crate) fn new(secret: &SecretString) -> Option<Self> {
        let secret = secret.expose_secret().as_bytes();
        (secret.len() >= SHORTEST).then(|| Self::of(secret))
    }

    /// In place of one that is missing: the plan is refused, so that what it derives is never seen.
    pub(crate) fn missing() -> Self {
        Self::of(&[])
    }

    fn of(secret: &[u8]) -> Self {
        let mut keyed = Hmac::<Sha256>::new_from_slice(secret).unwrap_or_else(|_| {
            // HMAC takes a key of any length.
            unreachable!("every text is a key")
        });
        take_in(&mut keyed, PURPOSE);
        Self(keyed)
    }

    /// The id of whoever has these addresses; `None` without any. One address decides, so that an address more in one of two lists makes
    /// nobody another person.
    pub(crate) fn id<'v>(&self, addresses: impl Iterator<Item = (&'v Mechanism, &'v str)>) -> Option<StakeholderId> {
        let rank = |mechanism: &Mechanism| TELLING.iter().position(|word| *word == mechanism.as_str());
        let (mechanism, address) =
            addresses.min_by_key(|(mechanism, _)| (rank(mechanism).unwrap_or(TELLING.len()), *mechanism))?;
        let mut keyed = self.0.clone();
        take_in(&mut keyed, mechanism.as_str().as_bytes());
        take_in(&mut keyed, canonical(mechanism, address).as_bytes());
        let code: [u8; 32] = keyed.finalize().into_bytes().into();
        let (half, _) = code.split_at(16);
        StakeholderId::new(BASE32_NOPAD.encode(half).to_ascii_lowercase()).ok()
    }
}

impl fmt::Debug for IdKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdKey(..)")
    }
}

/// With its length before it: what stands side by side cannot run into each other.
fn take_in(keyed: &mut Hmac<Sha256>, part: &[u8]) {
    keyed.update(&(part.len() as u64).to_be_bytes());
    keyed.update(part);
}

/// The address without what differs between two ways to write it: the case of a mail address, the punctuation of a number.
pub(super) fn canonical<'v>(mechanism: &Mechanism, address: &'v str) -> Cow<'v, str> {
    match mechanism.as_str() {
        "email" if address.chars().any(char::is_uppercase) => address.to_lowercase().into(),
        "phone" | "text" if address.contains([' ', '.', '-', '(', ')']) => {
            address.replace([' ', '.', '-', '(', ')'], "").into()
        }
        _ => address.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: &str) -> IdKey {
        IdKey::new(&secret.into()).unwrap()
    }

    fn id(key: &IdKey, addresses: &[(&str, &str)]) -> String {
        let addresses: Vec<_> = addresses.iter().map(|(m, a)| (Mechanism::new(m).unwrap(), *a)).collect();
        key.id(addresses.iter().map(|(m, a)| (m, *a))).unwrap().as_str().to_owned()
    }

    #[test]
    fn an_id_is_what_python_computes_and_so_the_same_on_every_machine() {
        // hmac.new(key, b"".join(len(p).to_bytes(8, "big") + p for p in (b"relcomm member id 1", b"email", b"bea@anvil.example")), "sha256"),
        // its first 16 octets in base32, lower-cased.
        assert_eq!(id(&key("0123456789abcdef"), &[("email", "Bea@Anvil.example")]), "4syg4ojkmxa3knqyi7ibrz47du");
    }

    #[test]
    fn one_address_decides_however_it_is_written() {
        let key = key("sixteen octets or more");
        let mail = id(&key, &[("email", "bea@anvil.example")]);
        assert_eq!(mail, id(&key, &[("chat", "bea"), ("email", "BEA@anvil.EXAMPLE"), ("phone", "+41445550101")]));
        assert_ne!(mail, id(&key, &[("email", "bea@anvil.example.org")]));
        assert_ne!(mail, id(&key, &[("chat", "bea@anvil.example")]));
        let phone = id(&key, &[("phone", "+41 44 (555) 01-01")]);
        assert_eq!(phone, id(&key, &[("chat", "bea"), ("phone", "+41445550101")]));
    }

    #[test]
    fn another_key_makes_another_id_and_a_short_one_is_none() {
        let address = [("email", "bea@anvil.example")];
        assert_ne!(id(&key("0123456789abcdef"), &address), id(&key("0123456789abcdeg"), &address));
        assert!(IdKey::new(&"0123456789abcde".into()).is_none());
        assert!(IdKey::new(&"".into()).is_none());
    }

    #[test]
    fn whoever_has_no_address_has_no_id() {
        assert_eq!(key("0123456789abcdef").id(std::iter::empty()), None);
    }
}
