//! Signatures of Standard Webhooks 1.0.0 (<https://www.standardwebhooks.com>), symmetric scheme.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::exchange::Request;
use crate::peer::Now;

/// What the check of a signature said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureCheck {
    /// It is good.
    Good,
    /// One of `webhook-id`, `webhook-timestamp`, `webhook-signature` is missing or unreadable.
    Missing,
    /// The timestamp is further from now than the tolerance.
    Stale,
    /// No signature of the list fits.
    Wrong,
}

/// A secret that is not `whsec_` and base64 of 24 to 64 octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a webhook secret: whsec_ and base64 of 24 to 64 octets are needed")]
pub struct BadSecret;

/// Checks Standard Webhooks signatures as a receiver does. It holds several secrets, because a sender rotates them.
#[derive(Clone)]
pub struct SignatureVerifier {
    secrets: Vec<Vec<u8>>,
    tolerance: Duration,
    now: Now,
}

impl SignatureVerifier {
    /// A verifier with one secret, `whsec_` and base64; five minutes of tolerance; the system's clock.
    ///
    /// # Errors
    ///
    /// [`BadSecret`].
    pub fn new(secret: &str) -> Result<Self, BadSecret> {
        let tolerance = Duration::from_secs(300);
        Self { secrets: Vec::new(), tolerance, now: Arc::new(SystemTime::now) }.also(secret)
    }

    /// Accepts this secret too.
    ///
    /// # Errors
    ///
    /// [`BadSecret`].
    pub fn also(mut self, secret: &str) -> Result<Self, BadSecret> {
        let encoded = secret.strip_prefix("whsec_").ok_or(BadSecret)?;
        let key = BASE64.decode(encoded.as_bytes()).map_err(|_| BadSecret)?;
        if !(24..=64).contains(&key.len()) {
            return Err(BadSecret);
        }
        self.secrets.push(key);
        Ok(self)
    }

    /// How far the timestamp may be from now, before or after.
    #[must_use]
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Where the present time comes from.
    #[must_use]
    pub fn now<F: Fn() -> SystemTime + Send + Sync + 'static>(mut self, now: F) -> Self {
        self.now = Arc::new(now);
        self
    }

    /// Checks a request.
    #[must_use]
    pub fn check(&self, request: &Request) -> SignatureCheck {
        let fields = ["webhook-id", "webhook-timestamp", "webhook-signature"].map(|name| request.header(name));
        let [Some(id), Some(timestamp), Some(signatures)] = fields else {
            return SignatureCheck::Missing;
        };
        let Ok(seconds) = timestamp.parse::<u64>() else {
            return SignatureCheck::Missing;
        };
        let now = (self.now)().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        if id.is_empty() {
            return SignatureCheck::Missing;
        }
        if now.abs_diff(seconds) > self.tolerance.as_secs() {
            return SignatureCheck::Stale;
        }
        let given = signatures
            .split(' ')
            .filter_map(|signature| signature.strip_prefix("v1,"))
            .filter_map(|encoded| BASE64.decode(encoded.as_bytes()).ok());
        for signature in given {
            for secret in &self.secrets {
                if fits(secret, &[id.as_bytes(), b".", timestamp.as_bytes(), b".", &request.body], &signature) {
                    return SignatureCheck::Good;
                }
            }
        }
        SignatureCheck::Wrong
    }
}

fn fits(secret: &[u8], content: &[&[u8]], signature: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
        return false;
    };
    for piece in content {
        mac.update(piece);
    }
    mac.verify_slice(signature).is_ok()
}

impl fmt::Debug for SignatureVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignatureVerifier")
            .field("secrets", &self.secrets.len())
            .field("tolerance", &self.tolerance)
            .finish_non_exhaustive()
    }
}
