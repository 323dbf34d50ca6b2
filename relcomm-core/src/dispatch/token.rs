//! Tokens: the signed marks that receipts bring back.

use crate::channel::Mint;
use crate::id::{DeliveryId, GateNo};
use crate::journal::Scope;
use crate::receipt::Token;
use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretBox};
use sha2::Sha256;
use std::fmt;

/// Signs and checks the tokens of one record. A token names a delivery and a leg, and holds 80 bits of an HMAC-SHA256 over them and the
/// record's scope; it is 31 characters long.
pub(crate) struct Tokens {
    keyed: Hmac<Sha256>,
}

const PLAIN: usize = 9;
const MAC: usize = 10;
/// Eight characters for five bytes, begun ones too.
const LEN: usize = ((PLAIN + MAC) * 8).div_ceil(5);

impl Tokens {
    pub(crate) fn new(key: &SecretBox<[u8; 32]>, scope: &Scope) -> Self {
        let mut scoped = keyed_by(key.expose_secret());
        for part in [scope.mode.word(), scope.plan.as_str(), &scope.version] {
            scoped.update(&(part.len() as u64).to_be_bytes());
            scoped.update(part.as_bytes());
        }
        // A key of the scope's own: what is hashed for each token is then the token alone.
        Self { keyed: keyed_by(&scoped.finalize().into_bytes()) }
    }

    /// Which delivery and leg a token names, if it is one of ours.
    pub(crate) fn read(&self, token: &Token) -> Option<(DeliveryId, u8)> {
        let bytes = BASE32_NOPAD.decode(token.as_str().to_ascii_uppercase().as_bytes()).ok()?;
        let (plain, mac) = bytes.split_at_checked(PLAIN)?;
        let mut keyed = self.keyed.clone();
        keyed.update(plain);
        // Compares in constant time, so that a forger learns nothing from the answer's delay.
        if mac.len() != MAC || keyed.verify_truncated_left(mac).is_err() {
            return None;
        }
        let number = |range| Some(u32::from_be_bytes(plain.get::<std::ops::Range<usize>>(range)?.try_into().ok()?));
        let id = DeliveryId { gate: GateNo(number(0..4)?), ordinal: number(4..8)? };
        Some((id, *plain.get(8)?))
    }

    fn mac(&self, plain: &[u8]) -> [u8; MAC] {
        let mut keyed = self.keyed.clone();
        keyed.update(plain);
        let mut mac = [0; MAC];
        for (to, from) in mac.iter_mut().zip(keyed.finalize().into_bytes()) {
            *to = from;
        }
        mac
    }
}

impl Mint for Tokens {
    fn mint(&self, id: DeliveryId, leg: u8) -> Token {
        let mut bytes = [0; PLAIN + MAC];
        let (plain, mac) = bytes.split_at_mut(PLAIN);
        plain.copy_from_slice(&pack(id, leg));
        mac.copy_from_slice(&self.mac(plain));
        let mut text = [0; LEN];
        BASE32_NOPAD.encode_mut(&bytes, &mut text);
        // The alphabet is ASCII.
        Token::new(std::str::from_utf8(&text).unwrap_or_default())
    }
}

fn keyed_by(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).unwrap_or_else(|_| {
        // HMAC takes a key of any length.
        unreachable!("a key of 32 bytes is a key")
    })
}

fn pack(id: DeliveryId, leg: u8) -> [u8; PLAIN] {
    let mut plain = [0; PLAIN];
    let bytes = id.gate.0.to_be_bytes().into_iter().chain(id.ordinal.to_be_bytes()).chain([leg]);
    for (to, from) in plain.iter_mut().zip(bytes) {
        *to = from;
    }
    plain
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::PlanId;
    use crate::journal::Mode;

    fn tokens(plan: &str, key: u8) -> Tokens {
        let scope = Scope::new(PlanId::new(plan).unwrap(), "1", Mode::Live);
        Tokens::new(&SecretBox::new(Box::new([key; 32])), &scope)
    }

    #[test]
    fn a_token_comes_back_whatever_its_case_and_only_to_its_own_record() {
        let id = DeliveryId { gate: GateNo(3), ordinal: 70_000 };
        let ours = tokens("a", 1);
        let token = ours.mint(id, 2);
        assert!(token.as_str().len() <= 48 && token.as_str().bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_eq!(ours.read(&Token::new(token.as_str().to_uppercase())), Some((id, 2)));
        assert_eq!(tokens("b", 1).read(&token), None, "another plan");
        assert_eq!(tokens("a", 2).read(&token), None, "another key");
    }

    #[test]
    fn a_changed_or_cut_token_is_none() {
        let ours = tokens("a", 1);
        let token = ours.mint(DeliveryId { gate: GateNo(0), ordinal: 0 }, 0);
        for at in 0..token.as_str().len() {
            let mut text: Vec<u8> = token.as_str().bytes().collect();
            text[at] = if text[at] == b'a' { b'b' } else { b'a' };
            assert_eq!(ours.read(&Token::new(String::from_utf8(text).unwrap())), None, "changed at {at}");
            assert_eq!(ours.read(&Token::new(&token.as_str()[..at])), None, "cut at {at}");
        }
        assert_eq!(ours.read(&Token::new("not a token")), None);
    }
}
