//! Calls back: an endpoint says how far a delivery got, signed with the secret that the delivery was signed with.

use super::wire::{ID, SIGNATURE, TIMESTAMP};
use super::{Endpoint, WebhookChannel};
use relcomm_core::channel::{Callbacks, ChannelError, ErrorKind, Inbound};
use relcomm_core::clock::Moment;
use relcomm_core::receipt::{Assurance, Evidence, Receipt, ReceiptKind, Token};
use serde::Deserialize;

/// How far the timestamp of a call may lie from when it came, in milliseconds.
const TOLERANCE: i64 = 300_000;

/// The body of a call back.
#[derive(Deserialize)]
struct Body {
    receipt_token: String,
    evidence: String,
    at: Option<String>,
}

/// A call back has the headers of Standard Webhooks 1.0.0 and the JSON body
/// `{"receipt_token": …, "evidence": "delivered" | "displayed" | "acknowledged" | "failed", "at": RFC 3339, optional}`.
/// Its `webhook-id`, which stays the same when it is repeated, is the receipt's identity within the endpoint.
impl Callbacks for WebhookChannel {
    fn parse(&self, inbound: &Inbound<'_>) -> Result<Vec<Receipt>, ChannelError> {
        let (name, id) = self.caller(inbound)?;
        let body: Body =
            serde_json::from_slice(inbound.body).map_err(|_| strange("the call back is not understood"))?;
        let evidence = match body.evidence.as_str() {
            "delivered" => Evidence::Reached(Assurance::Delivered),
            "displayed" => Evidence::Reached(Assurance::Displayed),
            "acknowledged" => Evidence::Reached(Assurance::Acknowledged),
            "failed" => Evidence::Failed,
            _ => return Err(strange("the call back names an evidence that is not known")),
        };
        let receipt = Receipt::new(ReceiptKind::Callback, format!("{name}/{id}"), evidence)
            .token(Token::new(body.receipt_token))
            .verified();
        Ok(vec![match body.at.and_then(|at| Moment::parse(&at).ok()) {
            Some(at) => receipt.reported(at),
            None => receipt,
        }])
    }
}

impl WebhookChannel {
    /// Whose call it is, and its id.
    fn caller<'a>(&self, inbound: &Inbound<'a>) -> Result<(&str, &'a str), ChannelError> {
        let header = |name| inbound.header(name).ok_or_else(|| forged("the call back is not signed"));
        let (id, timestamp, list) = (header(ID)?, header(TIMESTAMP)?, header(SIGNATURE)?);
        // The full stop parts id and timestamp in what is signed: with one in the id, one signature would fit two readings.
        if id.is_empty() || id.len() > 256 || id.contains(|c: char| c == '.' || c.is_control()) {
            return Err(forged("the call back has no usable id"));
        }
        let seconds: i64 = Some(timestamp)
            .filter(|t| t.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|t| t.parse().ok())
            .ok_or_else(|| forged("the timestamp of the call back cannot be read"))?;
        if seconds.saturating_mul(1000).abs_diff(inbound.at.millis()) > TOLERANCE.unsigned_abs() {
            return Err(forged("the timestamp of the call back is too far from now"));
        }
        let signed_by =
            |endpoint: &Endpoint| endpoint.signers.iter().any(|s| s.fits(id, timestamp, inbound.body, list));
        self.endpoints
            .iter()
            .find(|(_, endpoint)| signed_by(endpoint))
            .map(|(name, _)| (name.as_str(), id))
            .ok_or_else(|| forged("the signature of the call back fits no endpoint"))
    }
}

fn forged(message: &str) -> ChannelError {
    ChannelError::new(ErrorKind::Authentication, message)
}

fn strange(message: &str) -> ChannelError {
    ChannelError::new(ErrorKind::Protocol, message)
}
