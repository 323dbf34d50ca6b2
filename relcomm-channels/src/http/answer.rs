//! What an answer means, and what a fault of the transport means.

use super::guard::{Refused, ResolveError};
use chrono::NaiveDateTime;
use relcomm_core::channel::{ChannelError, ErrorKind, Retry, Scope};
use relcomm_core::clock::Moment;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use std::error::Error;
use std::time::Duration;

/// The longest wait that a far side can impose.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// What came back: the head, and as much of the body as was read.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// What decides the reading of an answer that is no success.
#[derive(Clone, Copy)]
pub(crate) struct Reading {
    /// The present instant, for a wait given as a date.
    pub(crate) now: Moment,
    /// Whether the receiver honours the key of the delivery.
    pub(crate) dedupes: bool,
}

/// What an answer outside 2xx means (RFC 9110; Standard Webhooks 1.0.0 for 410, 429, 502 and 504).
///
/// An answer says that the far side did not take the delivery. 500, 502 and 504 say so less surely: a gateway may have handed it
/// on before it failed. A receiver that honours keys drops the repeat, so there they count as *not sent* all the same; without
/// that they are *maybe sent*.
pub(crate) fn refusal(status: StatusCode, headers: &HeaderMap, reading: Reading) -> ChannelError {
    let wait = headers.get(RETRY_AFTER).and_then(|v| v.to_str().ok()).and_then(|v| retry_after(v, reading.now));
    let later = wait.map_or(Retry::Backoff, Retry::After);
    let code = status.as_u16();
    let fault = |kind, message| ChannelError::new(kind, message).code(status.as_str());
    match code {
        300..=399 => fault(ErrorKind::Policy, "the endpoint redirects, and redirects are not followed"),
        400 | 422 => fault(ErrorKind::ContentRejected, "the endpoint refused the content").scope(Scope::Message),
        401 | 403 => fault(ErrorKind::Authentication, "the endpoint refused the credentials").scope(Scope::Endpoint),
        404 | 410 => fault(ErrorKind::EndpointGone, "there is no such endpoint any more"),
        408 => fault(ErrorKind::Timeout, "the endpoint waited too long for the request").retry(later),
        413 => fault(ErrorKind::TooLarge, "the endpoint takes no body of this size").scope(Scope::Message),
        425 => fault(ErrorKind::Unavailable, "the endpoint asks for another try").retry(later),
        429 => fault(ErrorKind::RateLimited, "too many requests for the endpoint").scope(Scope::Endpoint).retry(later),
        503 if wait.is_some() => {
            fault(ErrorKind::Unavailable, "the endpoint is not available").scope(Scope::Endpoint).retry(later)
        }
        503 => fault(ErrorKind::Unavailable, "the endpoint is not available").retry(later),
        400..=499 | 501 | 505 => fault(ErrorKind::Unsupported, "the endpoint refused the request"),
        500..=599 => {
            let fault = fault(ErrorKind::Unavailable, "the endpoint failed").retry(later);
            if reading.dedupes { fault } else { fault.maybe_sent() }
        }
        _ => fault(ErrorKind::Protocol, "the endpoint answered with a code that HTTP does not know")
            .retry(Retry::Backoff)
            .maybe_sent(),
    }
}

/// Reads `Retry-After` (RFC 9110, 10.2.3): seconds, with a fraction if need be, or an HTTP date in any of its three forms. The past
/// and the negative are no wait; nothing is longer than 24 hours; what is neither is `None`.
pub(crate) fn retry_after(value: &str, now: Moment) -> Option<Duration> {
    let value = value.trim();
    let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
    if digits.starts_with(|c: char| c.is_ascii_digit()) && digits.chars().all(|c| c.is_ascii_digit() || c == '.') {
        let seconds: f64 = value.parse().ok()?;
        return Some(Duration::from_secs_f64(seconds.clamp(0.0, LONGEST_WAIT.as_secs_f64())));
    }
    let forms = ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
    let date = forms.iter().find_map(|form| NaiveDateTime::parse_from_str(value, form).ok())?;
    Some(Moment::from(date.and_utc()).since(now).min(LONGEST_WAIT))
}

/// What a fault of the transport means. The only place where errors of the HTTP client are read: of their text nothing goes on,
/// since it holds the URL.
pub(crate) fn transport_fault(error: reqwest::Error, host: &str) -> ChannelError {
    let error = error.without_url();
    if error.is_builder() {
        return ChannelError::new(ErrorKind::Configuration, "the request cannot be made").scope(Scope::Endpoint);
    }
    if let Some(fault) = resolve_fault(&error, host) {
        return fault;
    }
    if error.is_connect() {
        return connect_fault(&error, error.is_timeout(), host);
    }
    let (kind, what) = if error.is_timeout() {
        (ErrorKind::Timeout, "no answer in time from")
    } else {
        (ErrorKind::Protocol, "the connection broke before the answer of")
    };
    ChannelError::new(kind, format!("{what} {host}")).retry(Retry::Backoff).maybe_sent()
}

/// A connection that did not come about; nothing was sent.
pub(crate) fn connect_fault(error: &(dyn Error + 'static), timed_out: bool, host: &str) -> ChannelError {
    let (kind, message) = if causes(error).any(<dyn Error>::is::<rustls::Error>) {
        (ErrorKind::Tls, format!("no secure connection to {host}: its certificate or protocol was refused"))
    } else if timed_out {
        (ErrorKind::Connect, format!("no connection to {host} in time"))
    } else {
        (ErrorKind::Connect, format!("no connection to {host}"))
    };
    ChannelError::new(kind, message).scope(Scope::Endpoint).retry(Retry::Backoff)
}

fn resolve_fault(error: &(dyn Error + 'static), host: &str) -> Option<ChannelError> {
    causes(error).find_map(|e| e.downcast_ref::<ResolveError>()).map(|e| name_fault(*e, host))
}

/// A name that could not be resolved, or must not be called.
pub(crate) fn name_fault(error: ResolveError, host: &str) -> ChannelError {
    match error {
        ResolveError::Refused(refused) => refused_fault(refused),
        ResolveError::Unknown => ChannelError::new(ErrorKind::Connect, format!("the name {host} cannot be resolved"))
            .scope(Scope::Endpoint)
            .retry(Retry::Backoff),
    }
}

/// A URL that must not be called.
pub(crate) fn refused_fault(refused: Refused) -> ChannelError {
    ChannelError::new(ErrorKind::Policy, refused.to_string()).scope(Scope::Endpoint)
}

/// The error and what is beneath it. `io::Error` does not name the error that it wraps among its sources.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |e: &&'a (dyn Error + 'static)| {
        let wrapped = e.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref());
        wrapped.map_or_else(|| (*e).source(), |inner| Some(inner as _))
    })
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_WAIT, retry_after};
    use relcomm_core::clock::Moment;
    use std::time::Duration;

    #[test]
    fn a_wait_is_read_in_every_form_and_held_within_a_day() {
        let now = Moment::parse("2027-05-12T06:00:00Z").unwrap();
        let s = |seconds| Some(Duration::from_secs(seconds));
        for (value, wait) in [
            ("0", s(0)),
            ("120", s(120)),
            (" 120 ", s(120)),
            ("0.25", Some(Duration::from_millis(250))),
            ("-1", s(0)),
            ("86401", Some(LONGEST_WAIT)),
            (&"9".repeat(400), Some(LONGEST_WAIT)),
            ("Wed, 12 May 2027 06:01:00 GMT", s(60)),
            ("Wednesday, 12-May-27 06:01:00 GMT", s(60)),
            ("Wed May 12 06:01:00 2027", s(60)),
            ("Wed, 12 May 2027 05:59:59 GMT", s(0)),
            ("Fri, 31 Dec 1999 23:59:59 GMT", s(0)),
            ("Fri, 01 Jan 2100 00:00:00 GMT", Some(LONGEST_WAIT)),
            ("Fri, 01 Jan 99999999 00:00:00 GMT", None),
            ("Tue, 12 May 2027 06:01:00 GMT", None),
            ("", None),
            ("soon", None),
            ("1e3", None),
            ("inf", None),
            ("NaN", None),
            ("1.2.3", None),
            ("--1", None),
            ("1 s", None),
        ] {
            assert_eq!(retry_after(value, now), wait, "{value:?}");
        }
    }
}
