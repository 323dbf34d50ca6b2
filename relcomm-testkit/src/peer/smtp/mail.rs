//! What arrived: an envelope and its data.

use std::fmt;

/// A mail for which the server took over responsibility.
///
/// Its `Debug` form shows no address and no content.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mail {
    /// The reverse path of `MAIL FROM`, without angle brackets; empty for the null sender.
    pub envelope_from: String,
    /// `ENVID`, decoded from xtext (RFC 3461, 4.4).
    pub envid: Option<String>,
    /// `RET` (RFC 3461, 4.3).
    pub ret: Option<Ret>,
    /// Whether the transaction asked for SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// Whether the transaction said `BODY=8BITMIME` (RFC 6152).
    pub eight_bit: bool,
    /// The size announced by `SIZE=` (RFC 1870), in octets.
    pub announced_size: Option<usize>,
    /// The accepted recipients, in the order of their RCPT commands.
    pub recipients: Vec<MailRecipient>,
    /// The mail data without dot-stuffing; every line ends as it was sent.
    pub data: Vec<u8>,
    /// The number of the connection it came over, counted from 1.
    pub connection: usize,
    /// Whether that connection was under TLS.
    pub tls: bool,
    /// The login name, where the client authenticated.
    pub login: Option<String>,
}

impl Mail {
    /// The value of the first header field of this name, unfolded; bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let mut found: Option<String> = None;
        for line in self.header_bytes().split(|&byte| byte == b'\n') {
            let line = String::from_utf8_lossy(line);
            let line = line.trim_end_matches('\r');
            match &mut found {
                Some(value) if line.starts_with([' ', '\t']) => value.push_str(line),
                Some(_) => break,
                None => {
                    found = line
                        .split_once(':')
                        .filter(|(field, _)| field.trim_end().eq_ignore_ascii_case(name))
                        .map(|(_, value)| value.to_owned());
                }
            }
        }
        found.map(|value| value.trim().to_owned())
    }

    /// The header section, its last line end included and without the empty line that closes it.
    #[must_use]
    pub fn header_bytes(&self) -> &[u8] {
        if self.data.starts_with(b"\r\n") {
            return &[];
        }
        let end = self.data.windows(4).position(|window| window == b"\r\n\r\n").map_or(self.data.len(), |at| at + 2);
        self.data.get(..end).unwrap_or_default()
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("recipients", &self.recipients.len())
            .field("octets", &self.data.len())
            .field("connection", &self.connection)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

/// One accepted recipient of a [`Mail`]. Its `Debug` form does not show the address.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MailRecipient {
    /// The forward path, without angle brackets.
    pub address: String,
    /// `NOTIFY`, where it was given (RFC 3461, 4.1).
    pub notify: Option<ReceiptsAsked>,
    /// `ORCPT`, where it was given (RFC 3461, 4.2; RFC 6533, 3).
    pub orcpt: Option<OriginalRecipient>,
}

impl fmt::Debug for MailRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailRecipient").field("notify", &self.notify).finish_non_exhaustive()
    }
}

/// The value of `NOTIFY`. With all three false it is `NEVER`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceiptsAsked {
    /// `SUCCESS` was asked for.
    pub success: bool,
    /// `FAILURE` was asked for.
    pub failure: bool,
    /// `DELAY` was asked for.
    pub delay: bool,
}

/// The value of `ORCPT`. Its `Debug` form does not show the address.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OriginalRecipient {
    /// The address type in lower case, `rfc822` or `utf-8`.
    pub kind: String,
    /// The address, decoded.
    pub address: String,
}

impl fmt::Debug for OriginalRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OriginalRecipient").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// How much of the mail a failure report returns (RFC 3461, 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ret {
    /// `RET=FULL`: the whole mail.
    Full,
    /// `RET=HDRS`: its headers.
    Headers,
}
