//! How the receiver behaves.

use std::fmt;
use std::sync::Arc;

use rustls::ServerConfig;

use super::exchange::{Request, Response};
use super::signature::SignatureVerifier;

/// What is done with a request that a [`Rule`] fits.
#[derive(Clone)]
#[non_exhaustive]
pub enum HttpAct {
    /// This answer.
    Answer(Response),
    /// The answer of a closure.
    Respond(Responder),
    /// The connection is cut before the body is read; nothing is accepted.
    Cut,
    /// The request is read and accepted, then the connection is cut: the lost answer.
    CutAccepted,
    /// The request is read, and never answered; nothing is accepted.
    Stall,
    /// The request is read and accepted, and never answered.
    StallAccepted,
    /// The request is read and not accepted; these octets go out instead of an answer, and the connection is cut.
    Raw(Vec<u8>),
}

/// A function that answers requests. It must not block.
#[derive(Clone)]
pub struct Responder(Arc<dyn Fn(&Request) -> Response + Send + Sync>);

impl Responder {
    /// Wraps a closure.
    pub fn new<F: Fn(&Request) -> Response + Send + Sync + 'static>(respond: F) -> Self {
        Self(Arc::new(respond))
    }

    pub(super) fn respond(&self, request: &Request) -> Response {
        (self.0)(request)
    }
}

impl fmt::Debug for Responder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Responder")
    }
}

impl fmt::Debug for HttpAct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(response) => f.debug_tuple("Answer").field(response).finish(),
            Self::Respond(_) => f.write_str("Respond"),
            Self::Cut => f.write_str("Cut"),
            Self::CutAccepted => f.write_str("CutAccepted"),
            Self::Stall => f.write_str("Stall"),
            Self::StallAccepted => f.write_str("StallAccepted"),
            Self::Raw(octets) => f.debug_tuple("Raw").field(&octets.len()).finish(),
        }
    }
}

/// Which requests, and what is done with them. All conditions given must hold.
#[derive(Clone)]
pub struct Rule {
    path: String,
    header: Option<(String, String)>,
    each: Option<String>,
    spare: u32,
    times: Option<u32>,
    pub(super) act: HttpAct,
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule")
            .field("spare", &self.spare)
            .field("times", &self.times)
            .field("act", &self.act)
            .finish_non_exhaustive()
    }
}

impl Rule {
    /// Requests for this path; a `*` at the end stands for anything, so `*` alone is every request.
    #[must_use]
    pub fn on(path: &str, act: HttpAct) -> Self {
        Self { path: path.to_owned(), header: None, each: None, spare: 0, times: None, act }
    }

    /// Requests for this path, answered so.
    #[must_use]
    pub fn answer(path: &str, response: Response) -> Self {
        Self::on(path, HttpAct::Answer(response))
    }

    /// Requests for this path, answered by a closure.
    #[must_use]
    pub fn respond<F: Fn(&Request) -> Response + Send + Sync + 'static>(path: &str, respond: F) -> Self {
        Self::on(path, HttpAct::Respond(Responder::new(respond)))
    }

    /// Only where the header has this value.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.header = Some((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    /// Counts for [`Self::times`] and [`Self::after`] apart for each value of this header; requests without it are
    /// counted together. With `webhook-id` and `times(1)` the first try of each delivery meets the rule.
    #[must_use]
    pub fn for_each(mut self, name: &str) -> Self {
        self.each = Some(name.to_ascii_lowercase());
        self
    }

    /// Only the first `times` of the requests that fit (after those spared).
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Spares the first `count` requests that fit.
    #[must_use]
    pub fn after(mut self, count: u32) -> Self {
        self.spare = count;
        self
    }

    pub(super) fn fits(&self, request: &Request) -> bool {
        covers(&self.path, &request.path)
            && self.header.as_ref().is_none_or(|(name, value)| request.header(name) == Some(value))
    }

    /// Under which name a fitting request is counted.
    pub(super) fn counted_as(&self, request: &Request) -> String {
        self.each.as_ref().and_then(|name| request.header(name)).unwrap_or_default().to_owned()
    }

    /// Whether it strikes at the `nth` fitting request, counted from 0.
    pub(super) fn strikes(&self, nth: u32) -> bool {
        nth >= self.spare && self.times.is_none_or(|times| nth - self.spare < times)
    }
}

type KeyFn = Arc<dyn Fn(&Request) -> Option<String> + Send + Sync>;

/// The behaviour of an [`HttpPeer`](super::HttpPeer).
///
/// A new script answers 200 with an empty body to everything, except PagerDuty's `/v2/enqueue` and
/// `/v2/change/enqueue`, which are answered as the service does (202, or 400 where a field is missing).
#[derive(Clone)]
pub struct HttpScript {
    pub(super) rules: Vec<Rule>,
    pub(super) otherwise: Response,
    pub(super) key: Option<KeyFn>,
    pub(super) verify: Vec<(String, SignatureVerifier)>,
    pub(super) tls: Option<Arc<ServerConfig>>,
    pub(super) largest_body: usize,
    pub(super) closed: bool,
}

impl Default for HttpScript {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            otherwise: Response::new(200),
            key: None,
            verify: Vec::new(),
            tls: None,
            largest_body: 16 << 20,
            closed: false,
        }
    }
}

impl fmt::Debug for HttpScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpScript")
            .field("rules", &self.rules)
            .field("otherwise", &self.otherwise)
            .field("verified_paths", &self.verify.len())
            .finish_non_exhaustive()
    }
}

impl HttpScript {
    /// A receiver that accepts everything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a port and does not listen at it: every connection is refused.
    #[must_use]
    pub fn refuse_connections(mut self) -> Self {
        self.closed = true;
        self
    }

    /// Adds a rule. Rules are tried in the order they were added; the first that fits and strikes decides. A rule
    /// counts every request that fits it, also one that an earlier rule decides.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// The answer where no rule decides. Default: 200.
    #[must_use]
    pub fn otherwise(mut self, response: Response) -> Self {
        self.otherwise = response;
        self
    }

    /// Honours the value of this header as key: a request to the same path with a key that was accepted before is
    /// answered 200 and counted as a repeat, whatever the rules say of an answer (their faults still strike).
    /// PagerDuty's `dedup_key` is always honoured so.
    #[must_use]
    pub fn deduplicate_by(self, header: &str) -> Self {
        let header = header.to_ascii_lowercase();
        self.deduplicate_with(move |request| request.header(&header).map(str::to_owned))
    }

    /// Like [`Self::deduplicate_by`], with a key found by a closure; requests without a key are never repeats.
    #[must_use]
    pub fn deduplicate_with<F: Fn(&Request) -> Option<String> + Send + Sync + 'static>(mut self, key: F) -> Self {
        self.key = Some(Arc::new(key));
        self
    }

    /// Demands a good signature on this path (a `*` at the end stands for anything); others are answered 401.
    #[must_use]
    pub fn verify(mut self, path: &str, verifier: SignatureVerifier) -> Self {
        self.verify.push((path.to_owned(), verifier));
        self
    }

    /// Speaks TLS with this configuration; [`HttpPeer::url`](super::HttpPeer::url) then begins with `https`.
    #[must_use]
    pub fn tls(mut self, config: Arc<ServerConfig>) -> Self {
        self.tls = Some(config);
        self
    }

    /// The longest body in octets; longer ones are answered 413. Default 16 MiB.
    #[must_use]
    pub fn largest_body(mut self, octets: usize) -> Self {
        self.largest_body = octets;
        self
    }

    pub(super) fn verifier(&self, path: &str) -> Option<&SignatureVerifier> {
        self.verify.iter().find(|(pattern, _)| covers(pattern, path)).map(|(_, verifier)| verifier)
    }
}

/// A `*` at the end of the pattern stands for anything.
fn covers(pattern: &str, path: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => path.starts_with(prefix),
        None => path == pattern,
    }
}
