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
    use tokio::net::{TcpListener, TcpSocket};

    #[tokio::test]
    async fn an_address_that_does_not_answer_leaves_time_for_the_next() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = listener.local_addr().unwrap();
        let full = TcpSocket::new_v4().unwrap();
        full.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let full = full.listen(1).unwrap();
        let silent = full.local_addr().unwrap();
        // Once the queue is full of those whom nobody accepts, whoever comes is not answered.
        let mut waiting = Vec::new();
        while let Ok(stream) = tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(silent)).await {
            waiting.push(stream.unwrap());
        }
        let limit = Duration::from_secs(2);
        let stream = tokio::time::timeout(limit, dial(&[silent, good], limit)).await.unwrap().unwrap();
        assert_eq!(stream.peer_addr().unwrap(), good);
    }

    #[tokio::test]
    async fn an_address_that_refuses_leads_to_the_next_and_the_last_one_says_why() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = listener.local_addr().unwrap();
        let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let closed = other.local_addr().unwrap();
        drop(other);
        let limit = Duration::from_secs(4);
        let stream = dial(&[closed, good], limit).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), good);
        assert_eq!(dial(&[closed], limit).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(dial(&[], limit).await.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
