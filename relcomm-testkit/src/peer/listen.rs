//! The accept loop that both peers share.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio::task::{AbortHandle, JoinSet};

/// Anything that a session can be held over.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection, with or without TLS.
pub(crate) type Connection = Box<dyn Duplex>;

/// How many connections a peer has seen.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    seen: AtomicUsize,
    open: AtomicUsize,
    peak: AtomicUsize,
}

impl Connections {
    pub(crate) fn seen(&self) -> usize {
        self.seen.load(Ordering::Acquire)
    }

    pub(crate) fn peak(&self) -> usize {
        self.peak.load(Ordering::Acquire)
    }

    fn enter(self: &Arc<Self>) -> (usize, Visit) {
        let number = self.seen.fetch_add(1, Ordering::AcqRel) + 1;
        let open = self.open.fetch_add(1, Ordering::AcqRel) + 1;
        self.peak.fetch_max(open, Ordering::AcqRel);
        (number, Visit(Arc::clone(self)))
    }
}

/// Counts a connection as open for as long as it lives, also when its session is aborted.
struct Visit(Arc<Connections>);

impl Drop for Visit {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A bound port; dropping it ends the accept loop and every session.
#[derive(Debug)]
pub(crate) struct Listening {
    pub(crate) addr: SocketAddr,
    pub(crate) connections: Arc<Connections>,
    port: Port,
}

#[derive(Debug)]
enum Port {
    Open(AbortHandle),
    /// Bound and not listening: nobody else gets it, and whoever calls is refused.
    Closed {
        _socket: TcpSocket,
    },
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let Port::Open(accepting) = &self.port {
            accepting.abort();
        }
    }
}

/// Takes a free loopback port at which every connection is refused.
pub(crate) fn refuse() -> io::Result<Listening> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    let addr = socket.local_addr()?;
    Ok(Listening { addr, connections: Arc::default(), port: Port::Closed { _socket: socket } })
}

/// Binds a free loopback port and serves each connection in a task of its own.
pub(crate) fn listen<S, F>(serve: S) -> io::Result<Listening>
where
    S: Fn(TcpStream, usize) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let runtime = Handle::try_current().map_err(io::Error::other)?;
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let addr = listener.local_addr()?;
    let connections = Arc::new(Connections::default());
    let counted = Arc::clone(&connections);
    let accepting = runtime.spawn(async move {
        // The sessions live in the set, so that aborting this task aborts them too.
        let mut sessions = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        let (number, visit) = counted.enter();
                        // Without it the last packet of an answer waits for the other side's delayed acknowledgement.
                        let _ = stream.set_nodelay(true);
                        let session = serve(stream, number);
                        sessions.spawn(async move {
                            let _visit = visit;
                            session.await;
                        });
                    }
                    // Out of descriptors: a session must end before the next try can succeed.
                    Err(_) => {
                        if sessions.join_next().await.is_none() {
                            tokio::task::yield_now().await;
                        }
                    }
                },
                Some(_) = sessions.join_next(), if !sessions.is_empty() => {}
            }
        }
    });
    Ok(Listening { addr, connections, port: Port::Open(accepting.abort_handle()) })
}
