//! The symmetric scheme of [Standard Webhooks 1.0.0](https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

const PREFIX: &str = "whsec_";
const VERSION: &str = "v1";

/// A secret that signs and checks signatures.
pub(super) struct Signer(Hmac<Sha256>);

impl Signer {
    /// Reads `whsec_` and base64 of 24 to 64 octets.
    pub(super) fn read(secret: &str) -> Option<Self> {
        let key = BASE64.decode(secret.strip_prefix(PREFIX)?.as_bytes()).ok()?;
        if !(24..=64).contains(&key.len()) {
            return None;
        }
        Hmac::new_from_slice(&key).ok().map(Self)
    }

    /// The signature of these exact bytes: version, comma, base64.
    pub(super) fn sign(&self, id: &str, timestamp: &str, body: &[u8]) -> String {
        let code = self.mac(id, timestamp, body).finalize().into_bytes();
        format!("{VERSION},{}", BASE64.encode(&code))
    }

    /// Whether one signature of a space-separated list fits. Compares in constant time.
    pub(super) fn fits(&self, id: &str, timestamp: &str, body: &[u8], list: &str) -> bool {
        list.split(' ')
            .filter_map(|one| one.strip_prefix(VERSION)?.strip_prefix(','))
            .filter_map(|code| BASE64.decode(code.as_bytes()).ok())
            .any(|code| self.mac(id, timestamp, body).verify_slice(&code).is_ok())
    }

    fn mac(&self, id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        for piece in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(piece);
        }
        mac
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::Signer;
    use data_encoding::BASE64;
    use serde_json::Value;

    fn vectors() -> Value {
        serde_json::from_str(include_str!("../../tests/data/standard-webhooks.json")).unwrap()
    }

    #[test]
    fn the_published_vector_is_reproduced() {
        for v in vectors()["sign"].as_array().unwrap() {
            let text = |name: &str| v[name].as_str().unwrap();
            let signer = Signer::read(text("secret")).unwrap();
            let signature = signer.sign(text("id"), &v["timestamp"].to_string(), text("payload").as_bytes());
            assert_eq!(signature, text("signature"));
        }
    }

    #[test]
    fn the_published_lists_are_judged_alike() {
        let vectors = vectors();
        let v = &vectors["sign"][0];
        let text = |name: &str| v[name].as_str().unwrap();
        let signer = Signer::read(text("secret")).unwrap();
        let valid = text("signature");
        for list in vectors["signature_lists"].as_array().unwrap() {
            let code = valid.strip_prefix("v1,").unwrap();
            let words = list["list"].as_str().unwrap().replace("<valid bytes>", code).replace("<valid>", valid);
            let fits = signer.fits(text("id"), &v["timestamp"].to_string(), text("payload").as_bytes(), &words);
            assert_eq!(fits, list["verifies"].as_bool().unwrap(), "{words}");
        }
    }

    #[test]
    fn only_a_secret_of_24_to_64_octets_with_its_prefix_is_taken() {
        let of = |octets: usize| format!("whsec_{}", BASE64.encode(&vec![7; octets]));
        for (octets, taken) in [(0, false), (23, false), (24, true), (64, true), (65, false)] {
            assert_eq!(Signer::read(&of(octets)).is_some(), taken, "{octets}");
        }
        let good = of(24);
        let bare = good.strip_prefix("whsec_").unwrap();
        for bad in [bare, &format!("whsec_{good}"), &format!("whsk_{bare}"), &format!("{good}\n"), "whsec_not base64!"]
        {
            assert!(Signer::read(bad).is_none(), "{bad:?}");
        }
    }
}
