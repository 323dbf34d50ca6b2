//! Connecting where a name leads to several addresses.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;

/// Connects to the first of these addresses that answers. Each has its share of the time: one that swallows what is sent to it leaves some for
/// the next.
pub(crate) async fn dial(addresses: &[SocketAddr], limit: Duration) -> io::Result<TcpStream> {
    let share = limit / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    let mut last = io::ErrorKind::NotFound.into();
    for address in addresses {
        match tokio::time::timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn an_address_that_does_not_answer_leaves_time_for_the_next() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = listener.local_addr().unwrap();
        // Whoever listens here takes no more than the queue holds, and answers none beyond it.
        let full = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let closed = full.local_addr().unwrap();
        drop(full);
        let stream = dial(&[closed, good], Duration::from_secs(4)).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), good);
        assert!(dial(&[closed], Duration::from_secs(4)).await.is_err());
        assert_eq!(dial(&[], Duration::from_secs(4)).await.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
