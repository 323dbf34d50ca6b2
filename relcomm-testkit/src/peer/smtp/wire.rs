//! Lines in, replies out, over a connection that may turn into TLS.

use std::io;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use super::data::DataCollector;
use super::reply::Reply;
use crate::peer::listen::Connection;

/// The session is over, by whichever side.
#[derive(Debug)]
pub(super) struct Closed;

impl From<io::Error> for Closed {
    fn from(_: io::Error) -> Self {
        Self
    }
}

pub(super) enum Line {
    /// Without its CRLF.
    Text(Vec<u8>),
    TooLong,
    /// It ended in LF alone.
    BareNewline,
}

pub(super) struct Wire {
    io: Connection,
    input: Vec<u8>,
    start: usize,
    out: Vec<u8>,
}

impl Wire {
    pub(super) fn new(io: Connection) -> Self {
        Self { io, input: Vec::new(), start: 0, out: Vec::new() }
    }

    /// What was received and not yet looked at.
    pub(super) fn pending(&self) -> &[u8] {
        self.input.get(self.start..).unwrap_or_default()
    }

    /// Throws away what was received and not yet looked at.
    pub(super) fn forget_pending(&mut self) {
        self.input.clear();
        self.start = 0;
    }

    /// Queues a reply; replies to one group of commands go out together (RFC 2920, 3.2).
    pub(super) fn push(&mut self, reply: &Reply) {
        self.out.extend_from_slice(reply.bytes());
    }

    pub(super) fn push_bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    pub(super) async fn flush(&mut self) -> Result<(), Closed> {
        if !self.out.is_empty() {
            self.io.write_all(&self.out).await?;
            self.out.clear();
        }
        self.io.flush().await?;
        Ok(())
    }

    /// Each octet of the reply as a packet of its own.
    pub(super) async fn dribble(&mut self, reply: &Reply) -> Result<(), Closed> {
        self.flush().await?;
        for octet in reply.bytes() {
            self.io.write_all(std::slice::from_ref(octet)).await?;
            self.io.flush().await?;
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Reads on without answering, until the other side gives up.
    pub(super) async fn stall(&mut self) -> Closed {
        if self.flush().await.is_ok() {
            let mut sink = [0; 4096];
            while matches!(self.io.read(&mut sink).await, Ok(1..)) {}
        }
        Closed
    }

    pub(super) async fn close(&mut self) -> Closed {
        if self.flush().await.is_ok() {
            let _ = self.io.shutdown().await;
        }
        Closed
    }

    pub(super) async fn line(&mut self, longest: usize) -> Result<Line, Closed> {
        let mut overlong = false;
        loop {
            let pending = self.pending();
            if let Some(end) = pending.iter().position(|&byte| byte == b'\n') {
                let line = pending.get(..end).unwrap_or_default();
                let line = match line.strip_suffix(b"\r") {
                    _ if overlong || end >= longest => Line::TooLong,
                    Some(text) => Line::Text(text.to_vec()),
                    None => Line::BareNewline,
                };
                self.start += end + 1;
                return Ok(line);
            }
            if pending.len() >= longest {
                overlong = true;
                self.forget_pending();
            }
            self.fill().await?;
        }
    }

    pub(super) async fn data(&mut self, collector: &mut DataCollector) -> Result<(), Closed> {
        loop {
            let (used, ended) = collector.take(self.pending());
            self.start += used;
            if ended {
                return Ok(());
            }
            self.fill().await?;
        }
    }

    /// Continues under TLS. What was sent in clear after the command counts for nothing (RFC 3207, 4.2).
    pub(super) async fn secure(&mut self, config: &Arc<ServerConfig>) -> Result<(), Closed> {
        self.forget_pending();
        let plain = std::mem::replace(&mut self.io, Box::new(tokio::io::empty()));
        self.io = Box::new(TlsAcceptor::from(Arc::clone(config)).accept(plain).await?);
        Ok(())
    }

    async fn fill(&mut self) -> Result<(), Closed> {
        self.flush().await?;
        self.input.drain(..self.start);
        self.start = 0;
        self.input.reserve(16 * 1024);
        if self.io.read_buf(&mut self.input).await? == 0 { Err(Closed) } else { Ok(()) }
    }
}
