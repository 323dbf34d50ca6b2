//! What the email channel is told about its relay, its sender and its receipts.

use super::address::{Mailable, ReturnPath};
use relcomm_core::mechanism::Rate;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use secrecy::SecretString;
use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

/// How the email channel reaches its relay, and in whose name.
///
/// The relay is a mail submission server (RFC 6409): `smtp+starttls://[user@]host[:587]` demands STARTTLS (RFC 3207),
/// `smtps://[user@]host[:465]` speaks TLS from the first octet (RFC 8314), `smtp://host:port` speaks in clear and is taken for loopback
/// hosts only. A password never stands in the URL.
///
/// ```
/// use relcomm_channels::email::{EmailChannel, EmailOptions, ReturnPath};
///
/// let options = EmailOptions::new("smtp+starttls://releases@mail.example.org", "Releases <releases@example.org>")?
///     .password("from a secret store".to_owned().into())
///     .return_path(ReturnPath::new("bounces@example.org")?);
/// let channel = EmailChannel::new(options)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// `Debug` shows neither user, password nor addresses.
#[derive(Clone)]
#[non_exhaustive]
pub struct EmailOptions {
    pub(super) relay: Relay,
    pub(super) password: Option<SecretString>,
    pub(super) from: Mailable,
    pub(super) from_name: Option<String>,
    pub(super) return_path: Option<ReturnPath>,
    pub(super) reports: Reports,
    pub(super) hello: String,
    pub(super) timeouts: SmtpTimeouts,
    pub(super) concurrency: NonZeroU32,
    pub(super) rate: Option<Rate>,
    pub(super) roots: Vec<CertificateDer<'static>>,
    pub(super) maildir: Option<PathBuf>,
    pub(super) other_bases: Vec<ReturnPath>,
}

/// Where the relay is.
#[derive(Clone)]
pub(super) struct Relay {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) login: Option<String>,
}

/// How the connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Security {
    /// In clear, on loopback.
    Clear,
    /// STARTTLS, or no session.
    StartTls,
    /// TLS from the first octet.
    Tls,
}

/// Which delivery reports (RFC 3461) are asked for where the relay offers DSN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reports {
    /// `NOTIFY=SUCCESS,FAILURE,DELAY`: the default. Without a return path, so that nothing can be matched, as [`Trouble`](Self::Trouble).
    #[default]
    All,
    /// `NOTIFY=FAILURE,DELAY`: bounces, and no word of success.
    Trouble,
    /// No parameters: the relay does what it does by itself, which is to report failures (RFC 3461, 4.1).
    Unasked,
}

/// How long each step of a session may take. Every one is also bounded by the deadline of the attempt.
///
/// The defaults are far below those of RFC 5321, 4.5.3.2, which are meant for servers that talk to servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SmtpTimeouts {
    /// Name resolution, the connection, and each TLS handshake. Default 20 s.
    pub connect: Duration,
    /// The reply to any command but the final dot, and the greeting. Default 30 s.
    pub command: Duration,
    /// Writing one block of the text. Default 30 s.
    pub block: Duration,
    /// The reply to the final dot. What comes later is lost: the message may be out. Default 90 s.
    pub acceptance: Duration,
}

impl Default for SmtpTimeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(20),
            command: Duration::from_secs(30),
            block: Duration::from_secs(30),
            acceptance: Duration::from_secs(90),
        }
    }
}

impl SmtpTimeouts {
    /// The same bound for every step.
    #[must_use]
    pub fn all(bound: Duration) -> Self {
        Self { connect: bound, command: bound, block: bound, acceptance: bound }
    }
}

/// Why options cannot be used. Holds neither address nor secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadEmailOptions {
    /// The relay's URL.
    #[error("the relay's URL cannot be used: {0}")]
    Relay(&'static str),
    /// The From mailbox.
    #[error("the From mailbox cannot be used: {0}")]
    From(&'static str),
    /// The name given in EHLO.
    #[error("the hello name holds letters, digits, dots and hyphens, at most 255")]
    Hello,
    /// Certificates that are no PEM, or no certificates.
    #[error("the extra certificates are not PEM certificates")]
    Certificates,
    /// A user without a password, or a password without a user.
    #[error("a login needs both a user and a password")]
    Login,
}

impl EmailOptions {
    /// A relay and a From mailbox: `releases@example.org` or `Release Team <releases@example.org>`.
    ///
    /// Defaults: all reports, no return path, hello name the domain of the From address, 4 connections, the Mozilla root certificates.
    ///
    /// # Errors
    /// [`BadEmailOptions::Relay`] for a URL of another form, with a password, or in clear to a host that is not loopback;
    /// [`BadEmailOptions::From`] for a mailbox that is no plain ASCII address or whose name holds control characters.
    pub fn new(relay: &str, from: &str) -> Result<Self, BadEmailOptions> {
        let (from_name, from) = mailbox(from)?;
        Ok(Self {
            relay: Relay::parse(relay).map_err(BadEmailOptions::Relay)?,
            password: None,
            hello: from.domain().to_owned(),
            from,
            from_name,
            return_path: None,
            reports: Reports::default(),
            timeouts: SmtpTimeouts::default(),
            concurrency: NonZeroU32::MIN.saturating_add(3),
            rate: None,
            roots: Vec::new(),
            maildir: None,
            other_bases: Vec::new(),
        })
    }

    /// Logs in with this password, as the user of the URL.
    #[must_use]
    pub fn password(mut self, password: SecretString) -> Self {
        self.password = Some(password);
        self
    }

    /// Logs in as this user; it replaces the one of the URL.
    #[must_use]
    pub fn login(mut self, user: impl Into<String>, password: SecretString) -> Self {
        self.relay.login = Some(user.into());
        self.password = Some(password);
        self
    }

    /// Lets delivery reports return to an address with a token for each delivery. Each recipient then has a transaction of its own.
    /// Without it the return path is the From address, and no report can be matched to its delivery.
    #[must_use]
    pub fn return_path(mut self, base: ReturnPath) -> Self {
        self.return_path = Some(base);
        self
    }

    /// Asks for these delivery reports.
    #[must_use]
    pub fn reports(mut self, reports: Reports) -> Self {
        self.reports = reports;
        self
    }

    /// Says this name in EHLO; the relay may check it.
    ///
    /// # Errors
    /// [`BadEmailOptions::Hello`] if it holds anything but ASCII letters, digits, dots and hyphens.
    pub fn hello(mut self, name: &str) -> Result<Self, BadEmailOptions> {
        let fits = (1..=255).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
        if !fits {
            return Err(BadEmailOptions::Hello);
        }
        name.clone_into(&mut self.hello);
        Ok(self)
    }

    /// With these bounds on the steps of a session.
    #[must_use]
    pub fn timeouts(mut self, timeouts: SmtpTimeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// With at most so many connections at once. Default 4.
    #[must_use]
    pub fn concurrency(mut self, connections: NonZeroU32) -> Self {
        self.concurrency = connections;
        self
    }

    /// With at most so many mails in so long, as the relay takes them. Default: no limit.
    #[must_use]
    pub fn rate(mut self, rate: Rate) -> Self {
        self.rate = Some(rate);
        self
    }

    /// Trusts these certificates (PEM, one or more) beside the Mozilla roots.
    ///
    /// # Errors
    /// [`BadEmailOptions::Certificates`] if there is no certificate in it, or one that cannot be read.
    pub fn extra_roots(mut self, pem: &[u8]) -> Result<Self, BadEmailOptions> {
        let before = self.roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            self.roots.push(certificate.map_err(|_| BadEmailOptions::Certificates)?);
        }
        if self.roots.len() == before { Err(BadEmailOptions::Certificates) } else { Ok(self) }
    }

    /// Fetches receipts from this Maildir, to which the return path delivers.
    #[must_use]
    pub fn receipts(mut self, maildir: impl Into<PathBuf>, base: ReturnPath) -> Self {
        self.maildir = Some(maildir.into());
        self.return_path = Some(base);
        self
    }

    /// Matches reports that came to these return paths, too: those of other channels of which the reports come to the same Maildir, where
    /// whoever reads a report first is the only one.
    #[must_use]
    pub fn other_return_paths(mut self, bases: impl IntoIterator<Item = ReturnPath>) -> Self {
        self.other_bases = bases.into_iter().collect();
        self
    }
}

impl fmt::Debug for EmailOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmailOptions")
            .field("host", &self.relay.host)
            .field("port", &self.relay.port)
            .field("security", &self.relay.security)
            .field("login", &self.relay.login.is_some())
            .field("return_path", &self.return_path)
            .field("reports", &self.reports)
            .field("concurrency", &self.concurrency)
            .field("rate", &self.rate)
            .finish_non_exhaustive()
    }
}

/// `address`, or `name <address>` with the name quoted or not.
fn mailbox(text: &str) -> Result<(Option<String>, Mailable), BadEmailOptions> {
    if text.chars().any(char::is_control) {
        return Err(BadEmailOptions::From("it holds control characters"));
    }
    let text = text.trim();
    let (name, address) = match text.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
        Some((name, address)) => (name.trim(), address),
        None => ("", text),
    };
    let name = match name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\\\"", "\"").replace("\\\\", "\\"),
        None => name.to_owned(),
    };
    let address = Mailable::parse(address).map_err(BadEmailOptions::From)?;
    if address.needs_utf8() {
        return Err(BadEmailOptions::From("the address is not in ASCII"));
    }
    Ok(((!name.is_empty()).then_some(name), address))
}

impl Relay {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let url = url::Url::parse(text).map_err(|_| "it is no URL")?;
        let (security, usual) = match url.scheme() {
            "smtp" => (Security::Clear, 25),
            "smtp+starttls" => (Security::StartTls, 587),
            "smtps" => (Security::Tls, 465),
            _ => return Err("the scheme is smtp, smtp+starttls or smtps"),
        };
        if url.password().is_some() {
            return Err("a password does not belong in it");
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err("it ends with the port");
        }
        let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let named = |b: u8| {
            b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-') || (b == b':' && host.parse::<IpAddr>().is_ok())
        };
        if host.is_empty() || !host.bytes().all(named) {
            return Err("the host is a name or an IP address in ASCII");
        }
        if security == Security::Clear && !is_loopback(&host) {
            return Err("smtp:// is for loopback hosts; use smtp+starttls:// or smtps://");
        }
        let login = match url.username() {
            "" => None,
            user => Some(percent_decoded(user).ok_or("the user is not percent-encoded UTF-8")?),
        };
        Ok(Self { host, port: url.port().unwrap_or(usual), security, login })
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// RFC 3986, 2.1; `None` if what comes out is not UTF-8 or holds control characters.
fn percent_decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next()?, bytes.next()?].map(|d| char::from(d).to_digit(16));
            let [Some(high), Some(low)] = digits else { return None };
            out.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok().filter(|text| !text.chars().any(char::is_control))
}

#[cfg(test)]
mod tests {
    use super::{BadEmailOptions, EmailOptions, Relay, Security, mailbox};

    #[test]
    fn the_relay_is_read_from_its_url() {
        let read = |text| Relay::parse(text).map(|r| (r.host, r.port, r.security, r.login));
        assert_eq!(read("smtp://127.0.0.1:2525"), Ok(("127.0.0.1".into(), 2525, Security::Clear, None)));
        assert_eq!(read("smtp://[::1]:2525/"), Ok(("::1".into(), 2525, Security::Clear, None)));
        let user = Some("me@example.org".to_owned());
        assert_eq!(
            read("smtp+starttls://me%40example.org@mx.test"),
            Ok(("mx.test".into(), 587, Security::StartTls, user))
        );
        assert_eq!(read("smtps://mx.test").map(|r| r.1), Ok(465));
        for bad in [
            "smtp://mx.example.org:25",
            "smtp://10.0.0.1:25",
            "smtp://localhost.evil.test:25",
            "smtps://me:secret@mx.test",
            "smtps://mx.test/path",
            "smtps://mx.test?x=1",
            "smtps://",
            "smtps://me%0d%0a@mx.test",
            "https://mx.test",
            "mx.test:25",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_from_mailbox_may_have_a_name_but_no_second_line() {
        let (name, address) = mailbox("\"Müller, R.\" <r@b.test>").unwrap();
        assert_eq!((name.as_deref(), address.as_str()), (Some("Müller, R."), "r@b.test"));
        assert_eq!(mailbox("r@b.test").unwrap().0, None);
        for bad in ["A\r\nBcc: x@y.test <r@b.test>", "A\0 <r@b.test>", "A <r@b.test", "jürgen@b.test", ""] {
            assert!(matches!(mailbox(bad), Err(BadEmailOptions::From(_))), "{bad:?}");
        }
    }

    #[test]
    fn debug_shows_neither_login_nor_addresses() {
        let options = EmailOptions::new("smtps://hidden-user@mx.test", "Secret Name <hidden@b.test>").unwrap();
        let options = options.password("hidden-password".to_owned().into());
        let shown = format!("{options:?}");
        assert!(!shown.to_lowercase().contains("hidden") && !shown.contains("Secret"), "{shown}");
        assert!(options.hello("a b").is_err());
    }

    #[test]
    fn what_is_no_certificate_is_an_error() {
        let options = || EmailOptions::new("smtps://mx.test", "a@b.test").unwrap();
        assert_eq!(options().extra_roots(b"").unwrap_err(), BadEmailOptions::Certificates);
        let broken = b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n";
        assert_eq!(options().extra_roots(broken).unwrap_err(), BadEmailOptions::Certificates);
    }
}
