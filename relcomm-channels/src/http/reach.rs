//! Whether an endpoint can be reached: name, connection and TLS handshake, and no request.

use super::answer::{connect_fault, name_fault, refused_fault};
use super::client::HttpClient;
use crate::dial::dial;
use relcomm_core::channel::{AttemptContext, ChannelError};
use rustls::pki_types::ServerName;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

impl HttpClient {
    /// Connects as a call would, and hangs up.
    pub(crate) async fn reach(&self, cx: &AttemptContext, url: &Url) -> Result<(), ChannelError> {
        let end = cx.deadline.min(cx.clock.now() + self.connect_timeout);
        tokio::select! {
            biased;
            reached = self.connect(url) => reached,
            () = cx.clock.sleep_until(end) => {
                Err(connect_fault(&std::io::Error::from(std::io::ErrorKind::TimedOut), true, host(url)))
            }
        }
    }

    async fn connect(&self, url: &Url) -> Result<(), ChannelError> {
        let pass = self.guard.check(url).map_err(refused_fault)?;
        let port = url.port_or_known_default().unwrap_or(443);
        let addresses = match url.host() {
            Some(Host::Ipv4(address)) => vec![SocketAddr::new(address.into(), port)],
            Some(Host::Ipv6(address)) => vec![SocketAddr::new(address.into(), port)],
            _ => {
                let mut found = self.guard.resolve(host(url), pass).await.map_err(|e| name_fault(e, host(url)))?;
                found.iter_mut().for_each(|address| address.set_port(port));
                found
            }
        };
        let stream = dial(&addresses, self.connect_timeout).await.map_err(|e| connect_fault(&e, false, host(url)))?;
        if url.scheme() == "https" {
            let bare = host(url).trim_start_matches('[').trim_end_matches(']').to_owned();
            let name = ServerName::try_from(bare).map_err(|e| connect_fault(&e, false, host(url)))?;
            TlsConnector::from(Arc::clone(&self.tls))
                .connect(name, stream)
                .await
                .map_err(|e| connect_fault(&e, false, host(url)))?;
        }
        Ok(())
    }
}

fn host(url: &Url) -> &str {
    url.host_str().unwrap_or_default()
}
