//! What arrived, and what is answered.

use std::fmt;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};

use super::signature::SignatureCheck;

/// A request as it was received. Its `Debug` form shows neither header values nor the body.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// Its place in the order of arrival over all connections, from 1.
    pub number: usize,
    /// The connection it came over, from 1.
    pub connection: usize,
    /// The method, as sent.
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The query without its question mark; empty where there is none.
    pub query: String,
    /// The headers in the order they were sent; names in lower case, values with replaced non-UTF-8.
    pub headers: Vec<(String, String)>,
    /// The body; empty where the connection was cut before it was read.
    pub body: Vec<u8>,
    /// Whether the whole body was read.
    pub complete: bool,
    /// Whether the receiver took it over: it was accepted, and is no repeat of a request that was.
    pub taken: bool,
    /// What the check of its signature said, where the script asks for one.
    pub signature: Option<SignatureCheck>,
}

impl Request {
    /// The first value of a header; the case of the name does not matter.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The text at this JSON pointer (RFC 6901) of the body; empty where there is none.
    #[must_use]
    pub fn text(&self, pointer: &str) -> String {
        let body = self.json().unwrap_or_default();
        body.pointer(pointer).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
    }

    /// The body as JSON.
    ///
    /// # Errors
    ///
    /// Where it is none.
    pub fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("number", &self.number)
            .field("connection", &self.connection)
            .field("method", &self.method)
            .field("octets", &self.body.len())
            .field("complete", &self.complete)
            .field("taken", &self.taken)
            .field("signature", &self.signature)
            .finish_non_exhaustive()
    }
}

/// An answer. Its `Debug` form shows only the code and the length of the body.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    pub(super) code: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) pace: Pace,
}

/// The forms of an HTTP date (RFC 9110, 5.6.7); whoever reads one must know all three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateForm {
    /// `Sun, 06 Nov 1994 08:49:37 GMT`.
    Fixed,
    /// `Sunday, 06-Nov-94 08:49:37 GMT`, obsolete.
    Rfc850,
    /// `Sun Nov  6 08:49:37 1994`, obsolete.
    Asctime,
}

/// How the body goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    Whole,
    /// This many octets at a time, with a pause after each.
    Slow(usize, Duration),
    /// The length is announced, then the connection is cut after this many octets.
    Truncated(usize),
}

impl Response {
    /// An answer with this HTTP code, no headers, and an empty body. A code that HTTP does not know goes out as 500.
    #[must_use]
    pub fn new(code: u16) -> Self {
        Self { code, headers: Vec::new(), body: Vec::new(), pace: Pace::Whole }
    }

    /// An answer with a JSON body.
    #[must_use]
    pub fn json(code: u16, body: &serde_json::Value) -> Self {
        Self::new(code).header("content-type", "application/json").body(body.to_string())
    }

    /// A redirection with `Location`.
    #[must_use]
    pub fn redirect(code: u16, location: &str) -> Self {
        Self::new(code).header("location", location)
    }

    /// Adds a header. One that HTTP does not allow is left out when the answer is sent.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds `Retry-After` in seconds (RFC 9110, 10.2.3).
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        self.header("retry-after", &seconds.to_string())
    }

    /// Adds `Retry-After` as an HTTP date in the usual form.
    #[must_use]
    pub fn retry_after_date(self, at: SystemTime) -> Self {
        self.retry_after_date_as(at, DateForm::Fixed)
    }

    /// Adds `Retry-After` as an HTTP date in this form. Whatever else a server may say is a [`header`](Self::header).
    #[must_use]
    pub fn retry_after_date_as(self, at: SystemTime, form: DateForm) -> Self {
        let pattern = match form {
            DateForm::Fixed => "%a, %d %b %Y %H:%M:%S GMT",
            DateForm::Rfc850 => "%A, %d-%b-%y %H:%M:%S GMT",
            DateForm::Asctime => "%a %b %e %H:%M:%S %Y",
        };
        self.header("retry-after", &DateTime::<Utc>::from(at).format(pattern).to_string())
    }

    /// Replaces the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends the body `octets` at a time (at least one), with a pause after each piece.
    #[must_use]
    pub fn slow(mut self, octets: usize, pause: Duration) -> Self {
        self.pace = Pace::Slow(octets.max(1), pause);
        self
    }

    /// Announces the whole body by `Content-Length` and cuts the connection after `octets` of it.
    #[must_use]
    pub fn truncated(mut self, octets: usize) -> Self {
        self.pace = Pace::Truncated(octets);
        self
    }

    /// The HTTP code.
    #[must_use]
    pub fn code(&self) -> u16 {
        self.code
    }

    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.code)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("code", &self.code)
            .field("octets", &self.body.len())
            .field("pace", &self.pace)
            .finish_non_exhaustive()
    }
}
