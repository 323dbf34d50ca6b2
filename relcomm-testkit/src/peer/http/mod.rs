//! An HTTP/1.1 receiver on loopback: it records what arrives, answers by a script, loses answers on demand, and tells
//! repeats from new requests as a receiver does that honours keys.
//!
//! ```no_run
//! use std::time::Duration;
//! use relcomm_testkit::peer::http::{HttpAct, HttpPeer, HttpScript, Response, Rule};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let script = HttpScript::new()
//!     .deduplicate_by("webhook-id")
//!     .rule(Rule::answer("/busy", Response::new(503).retry_after(2)).times(1))
//!     .rule(Rule::on("/flaky", HttpAct::CutAccepted).times(1));
//! let peer = HttpPeer::start(script)?;
//! // … post to peer.url("/flaky"), twice …
//! peer.wait_for(2, Duration::from_secs(5)).await?;
//! assert_eq!((peer.accepted(), peer.repeats()), (1, 1));
//! # Ok(())
//! # }
//! ```

mod exchange;
mod pagerduty;
mod record;
mod script;
mod serve;
mod signature;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::TlsAcceptor;

pub use self::exchange::{DateForm, Request, Response};
pub use self::script::{HttpAct, HttpScript, Responder, Rule};
pub use self::signature::{BadSecret, SignatureCheck, SignatureVerifier};

use self::record::Record;
use crate::peer::listen::{Connection, Listening, listen, refuse};
use crate::peer::{TimedOut, held};

/// A running receiver. Dropping it closes the port and cuts every connection.
pub struct HttpPeer {
    listening: Listening,
    record: Arc<Record>,
}

impl HttpPeer {
    /// Listens on a free port of `127.0.0.1` and serves on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// Outside a tokio runtime, or where no port can be bound.
    ///
    /// # Panics
    ///
    /// On a runtime without I/O enabled.
    pub fn start(script: HttpScript) -> io::Result<Self> {
        let record = Arc::new(Record::new(script));
        if record.script.closed {
            return Ok(Self { listening: refuse()?, record });
        }
        let shared = Arc::clone(&record);
        let listening = listen(move |stream, number| {
            let record = Arc::clone(&shared);
            async move {
                let io: Connection = match &record.script.tls {
                    None => Box::new(stream),
                    Some(config) => match TlsAcceptor::from(Arc::clone(config)).accept(stream).await {
                        Ok(secured) => Box::new(secured),
                        Err(_) => return,
                    },
                };
                serve::connection(io, number, record).await;
            }
        })?;
        Ok(Self { listening, record })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.listening.addr
    }

    /// The URL of a path, which begins with a slash.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.record.script.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.listening.addr)
    }

    /// Everything that arrived, in the order in which the heads were read.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        held(&self.record.kept).requests.clone()
    }

    /// Waits until `count` requests have been read whole (or cut or refused before that), and returns all.
    ///
    /// # Errors
    ///
    /// [`TimedOut`] where they do not arrive in `timeout`.
    pub async fn wait_for(&self, count: usize, timeout: Duration) -> Result<Vec<Request>, TimedOut> {
        self.record.handled.reach(count, timeout).await?;
        Ok(self.requests())
    }

    /// How many requests were accepted: answered with 2xx, or taken over with the answer lost; repeats not counted.
    #[must_use]
    pub fn accepted(&self) -> usize {
        held(&self.record.kept).accepted
    }

    /// The keys of the accepted requests, in the order of acceptance. For PagerDuty events: action, space, key.
    #[must_use]
    pub fn accepted_keys(&self) -> Vec<String> {
        held(&self.record.kept).accepted_keys.clone()
    }

    /// How many requests came with a key that was accepted before on the same path.
    #[must_use]
    pub fn repeats(&self) -> usize {
        held(&self.record.kept).repeats
    }

    /// How many connections were accepted.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.listening.connections.seen()
    }

    /// How many connections were open at once, at most.
    #[must_use]
    pub fn peak_connections(&self) -> usize {
        self.listening.connections.peak()
    }
}

impl fmt::Debug for HttpPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpPeer").field("addr", &self.listening.addr).finish_non_exhaustive()
    }
}
