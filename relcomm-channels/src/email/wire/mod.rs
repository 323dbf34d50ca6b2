//! The session with the relay: lines out, replies in, over a connection that may turn into TLS.

pub(super) mod pool;
pub(super) mod reply;
pub(super) mod session;
pub(super) mod transaction;

use super::error::Fault;
use relcomm_core::channel::AttemptContext;
use reply::Reply;
use rustls_pki_types::ServerName;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The bounds on every wait of an attempt.
#[derive(Clone, Copy)]
pub(super) struct Bounds<'a> {
    pub(super) cx: &'a AttemptContext,
    /// Once something may be out, a cancellation no longer ends the wait.
    pub(super) crossed: bool,
}

impl Bounds<'_> {
    /// Waits for `work`, at most `limit`, never beyond the deadline, and not after a cancellation.
    pub(super) async fn within<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let limit = limit.min(self.cx.remaining());
        if limit.is_zero() {
            return Err(Fault::Timeout);
        }
        let timed = async { tokio::time::timeout(limit, work).await.unwrap_or(Err(Fault::Timeout)) };
        if self.crossed {
            return timed.await;
        }
        tokio::select! {
            biased;
            () = self.cx.cancellation.cancelled() => Err(Fault::Cancelled),
            done = timed => done,
        }
    }
}

enum Io {
    Clear(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection and what was received on it and not yet looked at.
pub(super) struct Wire {
    io: Io,
    input: Vec<u8>,
}

impl Wire {
    fn clear(stream: TcpStream) -> Self {
        Self { io: Io::Clear(stream), input: Vec::new() }
    }

    /// Continues under TLS. The far side must have said nothing since the reply that allowed it: what is said in clear must not pass
    /// for something said under TLS (RFC 3207, 5).
    async fn secure(self, connector: &TlsConnector, name: ServerName<'static>) -> Result<Self, Fault> {
        if !self.input.is_empty() {
            return Err(Fault::Tls("the relay went on in clear after it had agreed to TLS"));
        }
        let Io::Clear(stream) = self.io else { return Err(Fault::Tls("TLS is up already")) };
        let stream = connector.connect(name, stream).await.map_err(|error| tls_fault(&error))?;
        Ok(Self { io: Io::Tls(Box::new(stream)), input: Vec::new() })
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let written = match &mut self.io {
            Io::Clear(stream) => stream.write_all(bytes).await,
            Io::Tls(stream) => match stream.write_all(bytes).await {
                Ok(()) => stream.flush().await,
                error => error,
            },
        };
        written.map_err(|_| Fault::Lost)
    }

    /// One command, without its line end, which must hold no other.
    async fn command(&mut self, line: &str) -> Result<(), Fault> {
        if line.bytes().any(|b| matches!(b, b'\r' | b'\n' | 0)) {
            return Err(Fault::Protocol("a command would have held a second line"));
        }
        self.expect_silence()?;
        self.write(format!("{line}\r\n").as_bytes()).await
    }

    /// Nothing has been received that nobody asked for: it would be taken for the answer to what is said next.
    fn expect_silence(&self) -> Result<(), Fault> {
        if self.input.is_empty() { Ok(()) } else { Err(Fault::Protocol("the relay spoke out of turn")) }
    }

    /// Whether the relay has said goodbye since its last answer: with the acceptance of a mail it may, and of nothing else unasked.
    async fn has_ended(&mut self) -> Result<bool, Fault> {
        if self.input.is_empty() {
            return Ok(false);
        }
        match self.reply().await {
            Ok(reply) if reply.code != 421 => Err(Fault::Protocol("the relay spoke out of turn")),
            Ok(_) | Err(Fault::Lost) => Ok(true),
            Err(fault) => Err(fault),
        }
    }

    /// The bytes of one whole reply.
    async fn raw_reply(&mut self) -> Result<Vec<u8>, Fault> {
        loop {
            if let Some(length) = reply::whole(&self.input) {
                let rest = self.input.split_off(length);
                return Ok(std::mem::replace(&mut self.input, rest));
            }
            if self.input.len() > reply::LONGEST {
                return Err(Fault::Protocol("a reply without end"));
            }
            let read = match &mut self.io {
                Io::Clear(stream) => stream.read_buf(&mut self.input).await,
                Io::Tls(stream) => stream.read_buf(&mut self.input).await,
            };
            match read {
                Ok(0) | Err(_) => return Err(Fault::Lost),
                Ok(_) => {}
            }
        }
    }

    async fn reply(&mut self) -> Result<Reply, Fault> {
        let bytes = self.raw_reply().await?;
        Reply::parse(&bytes).ok_or(Fault::Protocol("what the relay said is no reply"))
    }
}

/// Certificates are named by what is wrong with them; anything else may quote names.
fn tls_fault(error: &std::io::Error) -> Fault {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    Fault::Tls(match inner {
        Some(rustls::Error::InvalidCertificate(why)) => match why {
            rustls::CertificateError::UnknownIssuer => "the relay's certificate comes from an unknown issuer",
            rustls::CertificateError::Expired | rustls::CertificateError::ExpiredContext { .. } => {
                "the relay's certificate has expired"
            }
            rustls::CertificateError::NotValidForName | rustls::CertificateError::NotValidForNameContext { .. } => {
                "the relay's certificate is for another host"
            }
            _ => "the relay's certificate is not valid",
        },
        _ => "the TLS handshake failed",
    })
}

/// What all sessions of a channel share.
#[derive(Clone)]
pub(super) struct Tls {
    config: Arc<rustls::ClientConfig>,
    name: ServerName<'static>,
}
