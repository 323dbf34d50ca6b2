//! Mail addresses as they stand on the wire, and the return path that carries a token.

use relcomm_core::receipt::Token;
use std::fmt;
use std::str::FromStr;

/// RFC 5321, 4.5.3.1.3: a path holds 256 octets, its brackets included.
const LONGEST: usize = 254;
/// RFC 5321, 4.5.3.1.1.
const LONGEST_LOCAL: usize = 64;
/// The longest token (see [`Token`]).
const LONGEST_TOKEN: usize = 48;

/// An address in the form of the envelope: the domain in ASCII (RFC 5890), the local part as given.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Mailable {
    address: lettre::Address,
}

impl Mailable {
    /// Checks an address; the error is a phrase that does not repeat it.
    ///
    /// Quoted local parts and address literals are legal in RFC 5321 but serve nobody except those who want to be read in two ways,
    /// and a leading hyphen is read as an option by old delivery programs: all three are refused.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > LONGEST {
            return Err("longer than 254 octets");
        }
        let (local, domain) = text.rsplit_once('@').ok_or("no `@` in the address")?;
        if local.is_empty() || local.len() > LONGEST_LOCAL {
            return Err("the local part holds 1 to 64 octets");
        }
        if local.starts_with('-') {
            return Err("the local part begins with a hyphen");
        }
        let plain =
            |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c) || (!c.is_ascii() && !odd(c));
        if !local.chars().all(plain) || local.starts_with('.') || local.ends_with('.') || local.contains("..") {
            return Err("the local part is not of the plain form");
        }
        // The parser of URL hosts would decode percent signs.
        let domain = match url::Host::parse(domain) {
            _ if domain.contains('%') => return Err("the domain is not one"),
            Ok(url::Host::Domain(domain)) => domain,
            Ok(_) => return Err("the domain is an address literal"),
            Err(_) => return Err("the domain is not one"),
        };
        let whole = format!("{local}@{domain}");
        if whole.len() > LONGEST || domain.contains(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '.')) {
            return Err("the domain is not one");
        }
        let address = lettre::Address::from_str(&whole).map_err(|_| "not a mail address")?;
        Ok(Self { address })
    }

    pub(super) fn as_str(&self) -> &str {
        self.address.as_ref()
    }

    pub(super) fn address(&self) -> &lettre::Address {
        &self.address
    }

    pub(super) fn local(&self) -> &str {
        self.address.user()
    }

    pub(super) fn domain(&self) -> &str {
        self.address.domain()
    }

    /// Whether only a server with SMTPUTF8 (RFC 6531) can take it.
    pub(super) fn needs_utf8(&self) -> bool {
        !self.as_str().is_ascii()
    }

    /// The value of `ORCPT` (RFC 3461, 4.2; RFC 6533, 3); `None` where it would be too long.
    pub(super) fn orcpt(&self) -> Option<String> {
        let value = if self.needs_utf8() {
            format!("utf-8;{}", utf8_xtext(self.as_str()))
        } else {
            format!("rfc822;{}", xtext(self.as_str()))
        };
        (value.len() <= 500).then_some(value)
    }
}

/// Characters that no reader sees as what they are.
fn odd(c: char) -> bool {
    c.is_control()
        || c.is_whitespace()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// `xtext` of RFC 3461, 4.
pub(super) fn xtext(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'!'..=b'~' if byte != b'+' && byte != b'=' => out.push(char::from(byte)),
            _ => out.push_str(&format!("+{byte:02X}")),
        }
    }
    out
}

/// `utf-8-addr-xtext` of RFC 6533, 3.
fn utf8_xtext(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '!'..='~' if !matches!(c, '+' | '=' | '\\') => out.push(c),
            _ => out.push_str(&format!("\\x{{{:02X}}}", u32::from(c))),
        }
    }
    out
}

/// The mailbox that delivery reports return to, as a base: `bounces@example.org` becomes `bounces+TOKEN@example.org` for each delivery.
///
/// Mail to such an address must reach the mailbox that the receipts are read from. `Debug` does not show the address.
#[derive(Clone, PartialEq, Eq)]
pub struct ReturnPath {
    local: String,
    domain: String,
}

/// Why an address cannot be the base of return paths. The address is not repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the return path cannot be used: {0}")]
pub struct BadReturnPath(&'static str);

impl ReturnPath {
    /// Checks and takes the base.
    ///
    /// # Errors
    /// [`BadReturnPath`] if it is no plain ASCII address, holds a `+` in its local part, or has a local part of more than 15 octets (with
    /// `+` and a token of 48 octets it then reaches the 64 of RFC 5321, 4.5.3.1.1).
    pub fn new(base: &str) -> Result<Self, BadReturnPath> {
        let mailable = Mailable::parse(base).map_err(BadReturnPath)?;
        if mailable.needs_utf8() {
            return Err(BadReturnPath("the address is not in ASCII"));
        }
        let local = mailable.local();
        if local.contains('+') {
            return Err(BadReturnPath("the local part holds a `+`"));
        }
        if local.len() + 1 + LONGEST_TOKEN > LONGEST_LOCAL {
            return Err(BadReturnPath("the local part is longer than 15 octets"));
        }
        if mailable.as_str().len() + 1 + LONGEST_TOKEN > LONGEST {
            return Err(BadReturnPath("with a token the address is longer than 254 octets"));
        }
        Ok(Self { local: local.to_ascii_lowercase(), domain: mailable.domain().to_ascii_lowercase() })
    }

    /// The return path of the delivery with this token; `None` if the token is not of its form.
    pub(super) fn with(&self, token: &Token) -> Option<String> {
        let text = token.as_str();
        is_token(text).then(|| format!("{}+{text}@{}", self.local, self.domain))
    }

    /// The token in an address of this base, whatever its case; it may stand in angle brackets.
    pub(super) fn token_in(&self, address: &str) -> Option<Token> {
        let address = address.trim().trim_start_matches('<').trim_end_matches('>').to_ascii_lowercase();
        let (local, domain) = address.rsplit_once('@')?;
        let token = local.strip_prefix(&self.local)?.strip_prefix('+')?;
        (domain == self.domain && is_token(token)).then(|| Token::new(token))
    }
}

fn is_token(text: &str) -> bool {
    (1..=LONGEST_TOKEN).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

impl FromStr for ReturnPath {
    type Err = BadReturnPath;
    fn from_str(base: &str) -> Result<Self, BadReturnPath> {
        Self::new(base)
    }
}

impl fmt::Debug for ReturnPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReturnPath(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::{Mailable, ReturnPath, Token, xtext};

    #[test]
    fn plain_addresses_pass_and_tricks_do_not() {
        for good in ["a@b.test", "a.b+c@b.test", "o'neil@b.test", "jürgen@b.test", "a@localhost"] {
            assert!(Mailable::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a",
            "@b.test",
            "a@",
            "a@b@c.test ",
            "\"a b\"@c.test",
            "\"a>\"@c.test",
            "a b@c.test",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "-oQ@x.test",
            ".a@b.test",
            "a..b@c.test",
            "a@b.test>",
            "<a@b.test>",
            "a\r\nRCPT TO:<x@y.test>@b.test",
            "a\u{202e}b@c.test",
            "a@b\0.test",
            "a@b.test\r\nX: y",
            "a@b_c.test",
        ] {
            assert!(Mailable::parse(bad).is_err(), "{bad:?}");
        }
        let local = |n: usize| format!("{}@b.test", "x".repeat(n));
        assert!(Mailable::parse(&local(64)).is_ok() && Mailable::parse(&local(65)).is_err());
    }

    #[test]
    fn an_international_domain_goes_out_in_ascii_and_only_the_local_part_needs_smtputf8() {
        let folded = Mailable::parse("a@bücher.test").unwrap();
        assert_eq!((folded.as_str(), folded.needs_utf8()), ("a@xn--bcher-kva.test", false));
        let local = Mailable::parse("jürgen@b.test").unwrap();
        assert!(local.needs_utf8());
        assert_eq!(local.orcpt().unwrap(), "utf-8;j\\x{FC}rgen@b.test");
    }

    #[test]
    fn xtext_writes_two_upper_case_digits() {
        assert_eq!(xtext("a+b=c\r~ü"), "a+2Bb+3Dc+0D~+C3+BC");
    }

    #[test]
    fn a_token_survives_the_way_there_and_back_even_when_case_is_folded() {
        let base = ReturnPath::new("Bounces@Example.org").unwrap();
        let token = Token::new("t".repeat(48));
        let path = base.with(&token).unwrap();
        assert_eq!(path, format!("bounces+{}@example.org", "t".repeat(48)));
        assert_eq!(base.token_in(&path.to_uppercase()), Some(token));
        for foreign in ["bounces@example.org", "bounces+@example.org", "other+abc@example.org", "bounces+abc@evil.org"]
        {
            assert_eq!(base.token_in(foreign), None, "{foreign}");
        }
        assert_eq!(base.with(&Token::new("a\r\nb")), None);
        assert_eq!(base.with(&Token::new("t".repeat(49))), None);
        assert!(ReturnPath::new("a234567890123456@b.test").is_err());
        assert!(ReturnPath::new("a23456789012345@b.test").is_ok());
    }
}
