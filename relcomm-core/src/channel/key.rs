//! Keys: what makes a delivery or a message recognisable at the far side, whatever number of attempts it takes.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// The length of a key's text.
const LEN: usize = 26;

/// 26 characters `a`–`z`, `2`–`7`: 128 bits of a SHA-256, fit for a header, a URL, a local part or a provider's key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Key([u8; LEN]);

/// What is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key is 26 characters `a`–`z`, `2`–`7`")]
pub struct BadKey;

impl Key {
    /// The key of these parts, in this order. Parts cannot run into each other: each goes in with its length.
    #[must_use]
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hash = Sha256::new();
        take_in(&mut hash, parts);
        Self::from_hash(hash)
    }

    fn from_hash(hash: Sha256) -> Self {
        let digest: [u8; 32] = hash.finalize().into();
        let half = digest.first_chunk().copied().map_or(0, u128::from_be_bytes);
        Self::of_bits(half)
    }

    /// Base 32 (RFC 4648) in lower case; the last character holds three bits.
    fn of_bits(bits: u128) -> Self {
        let mut text = [0; LEN];
        let mut rest = bits;
        for to in &mut text {
            let five = (rest >> 123) as u8;
            *to = if five < 26 { b'a' + five } else { b'2' + five - 26 };
            rest <<= 5;
        }
        Self(text)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Every way to make a key leaves letters and digits in it.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

fn take_in<'a>(hash: &mut Sha256, parts: impl IntoIterator<Item = &'a [u8]>) -> usize {
    let mut len = 0;
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
        len += 8 + part.len();
    }
    len
}

/// The first parts of many keys, hashed once.
#[derive(Clone)]
pub(crate) struct KeyStem(Sha256);

impl KeyStem {
    pub(crate) fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        const BLOCK: usize = 64;
        let mut hash = Sha256::new();
        let len = take_in(&mut hash, parts);
        // Filled up to a block of SHA-256, so that what follows costs one block more and not two.
        let (fill, _) = [0; BLOCK].split_at(len.next_multiple_of(BLOCK) - len);
        hash.update(fill);
        Self(hash)
    }

    /// The key of the first parts and these.
    pub(crate) fn key<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> Key {
        let mut hash = self.0.clone();
        take_in(&mut hash, parts);
        Key::from_hash(hash)
    }
}

impl TryFrom<String> for Key {
    type Error = BadKey;
    fn try_from(text: String) -> Result<Self, BadKey> {
        let bytes: [u8; LEN] = text.as_bytes().try_into().map_err(|_| BadKey)?;
        if bytes.iter().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7')) { Ok(Self(bytes)) } else { Err(BadKey) }
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.as_str().into()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, KeyStem};

    #[test]
    fn the_text_is_base_32_of_the_bits() {
        for bits in [0, 1, u128::MAX, 0x0123_4567_89ab_cdef_0fed_cba9_8765_4321] {
            let text = data_encoding::BASE32_NOPAD.encode(&bits.to_be_bytes()).to_ascii_lowercase();
            assert_eq!(Key::of_bits(bits).as_str(), text);
        }
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let of = |parts: &[&str]| Key::of(parts.iter().map(|p| p.as_bytes()));
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_ne!(of(&["a", ""]), of(&["", "a"]));
        assert_eq!(of(&["a", "b"]), of(&["a", "b"]));
        assert_eq!(of(&["a"]).as_str().len(), 26);
    }

    #[test]
    fn a_stem_and_what_follows_do_not_run_into_each_other_either() {
        let of = |stem: &[&str], rest: &[&str]| {
            KeyStem::of(stem.iter().map(|p| p.as_bytes())).key(rest.iter().map(|p| p.as_bytes()))
        };
        let long = "x".repeat(200);
        let all = [
            of(&["a"], &["b"]),
            of(&["a", "b"], &[]),
            of(&[], &["a", "b"]),
            of(&["a"], &["", "b"]),
            of(&[&long], &["b"]),
            of(&[&long, "b"], &[]),
        ];
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
        assert_eq!(of(&["a"], &["b"]), of(&["a"], &["b"]));
    }

    #[test]
    fn a_key_comes_back_from_its_text_and_nothing_else_does() {
        let key = Key::of([b"a".as_slice()]);
        assert_eq!(Key::try_from(key.as_str().to_owned()), Ok(key));
        for bad in ["", "a", &"a".repeat(27), &"A".repeat(26), &"1".repeat(26), &"ü".repeat(13)] {
            assert!(Key::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
