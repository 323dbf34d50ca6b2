//! Replies of the relay (RFC 5321, 4.2), and what EHLO says that it offers.

use smtp_proto::response::parser::ResponseReceiver;
use smtp_proto::{
    AUTH_LOGIN, AUTH_PLAIN, EXT_8BIT_MIME, EXT_DSN, EXT_SIZE, EXT_SMTP_UTF8, EXT_START_TLS, EhloResponse,
};
use std::fmt;

/// The longest reply that is read, all lines together, in octets.
pub(super) const LONGEST: usize = 16 * 1024;

/// One reply, all its lines under one code. `Debug` shows the codes only: the text may quote an address.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::email) struct Reply {
    pub(in crate::email) code: u16,
    pub(in crate::email) enhanced: Option<[u16; 3]>,
    /// The words of the first line.
    pub(in crate::email) text: String,
}

impl Reply {
    /// Reads one whole reply; `None` if it is none, or its lines disagree.
    pub(in crate::email) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut lines = bytes.split_inclusive(|&b| b == b'\n');
        let first = lines.next()?;
        let code = first.get(..3)?;
        // RFC 5321, 4.2.1: the code is the same on every line.
        if lines.any(|line| line.get(..3) != Some(code)) {
            return None;
        }
        // The parser wants to see the end; of a reply of several lines the first says what matters.
        let mut alone = first.to_vec();
        if let Some(separator @ b'-') = alone.get_mut(3) {
            *separator = b' ';
        }
        let reply = ResponseReceiver::default().parse(&mut alone.iter()).ok()?;
        let enhanced = matches!(reply.esc, [2 | 4 | 5, _, _]).then(|| enhanced(&alone)).flatten();
        (200..=599).contains(&reply.code).then(|| Self {
            code: reply.code,
            enhanced,
            text: reply.message.trim().to_owned(),
        })
    }

    pub(in crate::email) fn is_positive(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// `550 5.1.1`, or the code alone.
    pub(in crate::email) fn code_text(&self) -> String {
        match self.enhanced {
            Some([class, subject, detail]) => format!("{} {class}.{subject}.{detail}", self.code),
            None => self.code.to_string(),
        }
    }

    /// The name that the relay gave to the message, if its words hold one in a form that relays use: `queued as NAME`, `id=NAME`, or
    /// `NAME Message accepted`.
    pub(in crate::email) fn queue_id(&self) -> Option<String> {
        let lower = self.text.to_ascii_lowercase();
        let after = |mark: &str| lower.find(mark).and_then(|at| self.text.get(at + mark.len()..));
        let candidate = if let Some(rest) = after("queued as ").or_else(|| after("id=")) {
            rest.split(|c: char| c.is_whitespace() || c == ';' || c == ',').next()?
        } else if lower.contains(" message accepted") {
            self.text.split_whitespace().next()?
        } else {
            return None;
        };
        let candidate = candidate.trim_end_matches(['.', ')', ']']);
        let looks_like_one = (4..=64).contains(&candidate.len())
            && candidate.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
            && candidate.bytes().any(|b| b.is_ascii_digit());
        looks_like_one.then(|| candidate.to_owned())
    }
}

/// The enhanced code of a line (RFC 3463, 2), whose parts have up to three digits: the parser holds them to 255.
fn enhanced(line: &[u8]) -> Option<[u16; 3]> {
    let word = line.get(4..)?.split(u8::is_ascii_whitespace).next()?;
    let mut parts = std::str::from_utf8(word).ok()?.split('.').map(|part| part.parse::<u16>().ok());
    let code = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(code)
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code_text())
    }
}

/// The length of the first whole reply in these bytes; `None` if it is not whole yet.
pub(super) fn whole(bytes: &[u8]) -> Option<usize> {
    let mut length = 0;
    for line in bytes.split_inclusive(|&b| b == b'\n') {
        if !line.ends_with(b"\n") {
            return None;
        }
        length += line.len();
        if line.get(3) != Some(&b'-') {
            return Some(length);
        }
    }
    None
}

/// What the relay offers (RFC 5321, 4.1.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::email) struct Offers {
    pub(in crate::email) eight_bit: bool,
    pub(in crate::email) smtputf8: bool,
    pub(in crate::email) dsn: bool,
    pub(in crate::email) start_tls: bool,
    pub(in crate::email) plain: bool,
    pub(in crate::email) login: bool,
    /// The greatest message in octets; `None` if there is no SIZE, or no bound.
    pub(in crate::email) size: Option<usize>,
}

impl Offers {
    /// Reads the lines of a 250 reply to EHLO. Each is read by itself, so that one that cannot be understood hides no other.
    pub(super) fn parse(reply: &[u8]) -> Self {
        let mut offers = Self::default();
        for line in reply.split_inclusive(|&b| b == b'\n').skip(1) {
            let mut alone = b"250-relay\r\n250 ".to_vec();
            alone.extend_from_slice(line.get(4..).unwrap_or_default());
            let Ok(one) = EhloResponse::parse(&mut alone.iter()) else { continue };
            let has = |extension| one.capabilities & extension != 0;
            offers.eight_bit |= has(EXT_8BIT_MIME);
            offers.smtputf8 |= has(EXT_SMTP_UTF8);
            offers.dsn |= has(EXT_DSN);
            offers.start_tls |= has(EXT_START_TLS);
            offers.plain |= one.auth_mechanisms & AUTH_PLAIN != 0;
            offers.login |= one.auth_mechanisms & AUTH_LOGIN != 0;
            if has(EXT_SIZE) && one.size > 0 {
                offers.size = Some(one.size);
            }
        }
        offers
    }
}

#[cfg(test)]
mod tests {
    use super::{Offers, Reply, whole};

    #[test]
    fn a_reply_ends_with_the_line_that_has_no_hyphen() {
        assert_eq!(whole(b"250-a\r\n250-b\r\n"), None);
        assert_eq!(whole(b"250-a\r\n250 b\r\n250 c\r\n"), Some(14));
        assert_eq!(whole(b"250 b\r"), None);
        assert_eq!(whole(b"250\r\n"), Some(5));
    }

    #[test]
    fn what_is_no_reply_is_none() {
        for bad in ["", "hello\r\n", "2x0 ok\r\n", "250-a\r\n550 b\r\n", "999 x\r\n", "99 x\r\n", "\r\n"] {
            assert_eq!(Reply::parse(bad.as_bytes()), None, "{bad:?}");
        }
        let reply = Reply::parse(b"550-5.1.1 \xff\xfe none\r\n550 5.1.1 at all\r\n").unwrap();
        assert_eq!((reply.code, reply.enhanced), (550, Some([5, 1, 1])));
        assert_eq!(Reply::parse(b"250\r\n").unwrap().code, 250);
    }

    #[test]
    fn queue_ids_of_known_relays_are_found_and_prose_is_not() {
        for (text, id) in [
            ("250 2.0.0 Ok: queued as 4WkV2c0Zb5z9s", Some("4WkV2c0Zb5z9s")),
            ("250 OK id=1tAbCd-000abc-0K", Some("1tAbCd-000abc-0K")),
            ("250 2.0.0 4AMBcXYZ012345 Message accepted for delivery", Some("4AMBcXYZ012345")),
            ("250 2.0.0 queued", None),
            ("250 Your message accepted", None),
            ("250 queued as <a@b.test>", None),
        ] {
            let reply = Reply::parse(format!("{text}\r\n").as_bytes()).unwrap();
            assert_eq!(reply.queue_id().as_deref(), id, "{text}");
        }
    }

    #[test]
    fn a_line_that_cannot_be_understood_hides_no_other() {
        let reply =
            b"250-mx.test hello\r\n250-DELIVERBY nonsense here\r\n250-AUTH=LOGIN PLAIN\r\n250-AUTH \xff PLAIN\r\n\
            250-SIZE 1000\r\n250-MT-PRIORITY ?\r\n250-dsn\r\n250 8BITMIME\r\n";
        let offers = Offers::parse(reply);
        assert!(offers.dsn && offers.eight_bit && !offers.start_tls && !offers.smtputf8);
        assert_eq!(offers.size, Some(1000));
    }
}
