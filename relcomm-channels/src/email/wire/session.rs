//! Opening a session: connection, greeting, EHLO, STARTTLS, AUTH.

use super::reply::{Offers, Reply};
use super::{Bounds, Tls, Wire};
use crate::dial::dial;
use crate::email::error::{Fault, Phase};
use crate::email::options::{EmailOptions, Security, SmtpTimeouts};
use data_encoding::BASE64;
use rustls_pki_types::ServerName;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// How long a farewell may take: nobody waits for its answer.
const FAREWELL: Duration = Duration::from_secs(1);

/// What every session of a channel needs.
pub(in crate::email) struct Link {
    host: String,
    port: u16,
    security: Security,
    login: Option<(String, SecretString)>,
    hello: String,
    pub(super) timeouts: SmtpTimeouts,
    tls: Option<Tls>,
}

impl Link {
    /// Prepares TLS once for all sessions. The provider of cryptography is named here, so that none is installed for the process.
    pub(in crate::email) fn new(options: &EmailOptions) -> Result<Self, &'static str> {
        let relay = &options.relay;
        let tls = match relay.security {
            Security::Clear => None,
            Security::StartTls | Security::Tls => {
                let mut roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
                for certificate in &options.roots {
                    roots.add(certificate.clone()).map_err(|_| "an extra certificate cannot be a root")?;
                }
                let provider = Arc::new(rustls::crypto::ring::default_provider());
                let config = rustls::ClientConfig::builder_with_provider(provider)
                    .with_safe_default_protocol_versions()
                    .map_err(|_| "TLS cannot be set up")?
                    .with_root_certificates(roots)
                    .with_no_client_auth();
                let name =
                    ServerName::try_from(relay.host.clone()).map_err(|_| "the host cannot be in a certificate")?;
                Some(Tls { config: Arc::new(config), name })
            }
        };
        let login = match (&relay.login, &options.password) {
            (Some(user), Some(password)) => Some((user.clone(), password.clone())),
            _ => None,
        };
        Ok(Self {
            host: relay.host.clone(),
            port: relay.port,
            security: relay.security,
            login,
            hello: options.hello.clone(),
            timeouts: options.timeouts,
            tls,
        })
    }

    async fn connect(&self) -> Result<TcpStream, Fault> {
        let fault = |error: std::io::Error| Fault::Connect(error.kind());
        let found: Vec<SocketAddr> =
            tokio::net::lookup_host((self.host.as_str(), self.port)).await.map_err(fault)?.collect();
        let stream = dial(&found, self.timeouts.connect).await.map_err(fault)?;
        // A name such as localhost may lead elsewhere.
        let near = stream.peer_addr().is_ok_and(|peer| peer.ip().is_loopback());
        if self.security == Security::Clear && !near {
            return Err(Fault::Connect(std::io::ErrorKind::PermissionDenied));
        }
        // Otherwise the last packet of a text waits for the acknowledgement of the one before (40 ms each).
        stream.set_nodelay(true).map_err(|error| Fault::Connect(error.kind()))?;
        Ok(stream)
    }

    async fn secured(&self, wire: Wire, bounds: Bounds<'_>) -> Result<Wire, Fault> {
        let tls = self.tls.as_ref().ok_or(Fault::Tls("TLS is not set up"))?;
        let connector = TlsConnector::from(Arc::clone(&tls.config));
        bounds.within(self.timeouts.connect, wire.secure(&connector, tls.name.clone())).await
    }
}

/// An open session, ready for a transaction.
pub(in crate::email) struct Session {
    pub(super) wire: Wire,
    pub(in crate::email) offers: Offers,
    /// How many messages it has carried.
    pub(super) served: u32,
    /// Whether it comes from the pool.
    pub(super) reused: bool,
}

impl Session {
    /// Connects, says hello, turns to TLS and logs in, as the link says.
    pub(in crate::email) async fn open(link: &Link, bounds: Bounds<'_>) -> Result<Self, Fault> {
        let stream = bounds.within(link.timeouts.connect, link.connect()).await?;
        let mut wire = Wire::clear(stream);
        if link.security == Security::Tls {
            wire = link.secured(wire, bounds).await?;
        }
        let greeting = bounds.within(link.timeouts.command, wire.reply()).await?;
        if greeting.code != 220 {
            return Err(Fault::Refused(Phase::Greeting, greeting));
        }
        let mut session = Self { wire, offers: Offers::default(), served: 0, reused: false };
        session.hello(link, bounds).await?;
        if link.security == Security::StartTls {
            session = session.start_tls(link, bounds).await?;
        }
        if let Some((user, password)) = &link.login {
            session.log_in(link, bounds, user, password).await?;
        }
        Ok(session)
    }

    async fn hello(&mut self, link: &Link, bounds: Bounds<'_>) -> Result<(), Fault> {
        let said = bounds
            .within(link.timeouts.command, async {
                self.wire.command(&format!("EHLO {}", link.hello)).await?;
                self.wire.raw_reply().await
            })
            .await?;
        let reply = Reply::parse(&said).ok_or(Fault::Protocol("what the relay said is no reply"))?;
        if reply.code != 250 {
            return Err(Fault::Refused(Phase::Hello, reply));
        }
        self.offers = Offers::parse(&said);
        Ok(())
    }

    async fn start_tls(mut self, link: &Link, bounds: Bounds<'_>) -> Result<Self, Fault> {
        if !self.offers.start_tls {
            return Err(Fault::Tls("the relay does not offer STARTTLS, which is demanded"));
        }
        let reply = self.exchange(link, bounds, "STARTTLS").await?;
        if reply.code != 220 {
            return Err(Fault::Refused(Phase::StartTls, reply));
        }
        let wire = link.secured(self.wire, bounds).await?;
        // RFC 3207, 4.2: what was offered before TLS counts for nothing.
        let mut session = Self { wire, offers: Offers::default(), served: 0, reused: false };
        session.hello(link, bounds).await?;
        Ok(session)
    }

    /// RFC 4954, with PLAIN (RFC 4616) before LOGIN. Never in clear but on loopback, by what the link allows.
    async fn log_in(
        &mut self,
        link: &Link,
        bounds: Bounds<'_>,
        user: &str,
        password: &SecretString,
    ) -> Result<(), Fault> {
        let secret = password.expose_secret();
        let answers = if self.offers.plain {
            let credential = Zeroizing::new(format!("\0{user}\0{secret}"));
            vec![Zeroizing::new(format!("AUTH PLAIN {}", BASE64.encode(credential.as_bytes())))]
        } else if self.offers.login {
            vec![
                Zeroizing::new("AUTH LOGIN".to_owned()),
                Zeroizing::new(BASE64.encode(user.as_bytes())),
                Zeroizing::new(BASE64.encode(secret.as_bytes())),
            ]
        } else {
            return Err(Fault::Login("the relay offers neither AUTH PLAIN nor AUTH LOGIN"));
        };
        let last = answers.len().saturating_sub(1);
        for (number, answer) in answers.iter().enumerate() {
            let reply = self.exchange(link, bounds, answer).await?;
            match reply.code {
                235 if number == last => return Ok(()),
                334 if number < last => {}
                400..=599 => return Err(Fault::Refused(Phase::Auth, reply)),
                _ => return Err(Fault::Protocol("the relay asks for more than a user and a password")),
            }
        }
        Err(Fault::Protocol("the relay never ended the login"))
    }

    /// One command and its reply, whatever it says.
    pub(super) async fn exchange(&mut self, link: &Link, bounds: Bounds<'_>, line: &str) -> Result<Reply, Fault> {
        bounds
            .within(link.timeouts.command, async {
                self.wire.command(line).await?;
                self.wire.reply().await
            })
            .await
    }

    /// Itself, unless the relay ended it with its last answer, as those do that take so many messages in a session.
    pub(super) async fn unless_ended(mut self, link: &Link, bounds: Bounds<'_>) -> Result<Option<Self>, Fault> {
        let ended = bounds.within(link.timeouts.command, self.wire.has_ended()).await?;
        Ok((!ended).then_some(self))
    }

    /// Says QUIT and does not wait for the answer.
    pub(in crate::email) async fn quit(mut self, bounds: Bounds<'_>) {
        // How a farewell ends changes nothing.
        let _ = bounds.within(FAREWELL, self.wire.command("QUIT")).await;
    }
}
