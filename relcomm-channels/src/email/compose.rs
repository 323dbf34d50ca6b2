//! The text of a mail: headers and parts (RFC 5322, RFC 2045), checked octet by octet before it goes out.

use super::address::Mailable;
use super::wire::reply::Offers;
use chrono::{DateTime, Utc};
use data_encoding::BASE64;
use lettre::address::Envelope;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, Message, MultiPart, MultiPartKind, SinglePart};
use relcomm_core::channel::{ChannelError, ErrorKind, Key, Prepared, Scope};

/// RFC 5322, 2.1.1: the octets of a line without its end.
const LONGEST_LINE: usize = 998;
/// Longer names are left out: no reader shows them, and some relays refuse the line.
const LONGEST_NAME: usize = 200;
/// Longer words do not fit beside the header's name within the 78 columns that RFC 5322, 2.1.1 recommends.
const LONGEST_WORD: usize = 60;

/// What a mail is made of.
pub(super) struct Draft<'a> {
    pub(super) text: &'a Prepared,
    pub(super) key: &'a Key,
    pub(super) from: &'a Mailable,
    pub(super) from_name: Option<&'a str>,
    /// The one recipient; `None` where there are several, of whom none may see another.
    pub(super) to: Option<(&'a Mailable, Option<&'a str>)>,
    pub(super) date: DateTime<Utc>,
}

/// A whole mail: lines of at most 998 octets that end in CRLF, no NUL, no CR or LF elsewhere.
#[derive(Debug)]
pub(super) struct Composed(Vec<u8>);

impl Composed {
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

fn rejected(words: &str) -> ChannelError {
    ChannelError::new(ErrorKind::ContentRejected, words).scope(Scope::Message)
}

/// Whether a text can be a header's: on one line, without control characters. (lettre panics on some of them.)
pub(super) fn is_one_line(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
}

impl Draft<'_> {
    /// Builds the mail in a form that the relay takes.
    pub(super) fn compose(&self, offers: &Offers) -> Result<Composed, ChannelError> {
        let subject = self.text.part("subject");
        if !is_one_line(subject) {
            return Err(rejected("the subject holds control characters"));
        }
        let from = named(self.from_name, self.from);
        // The true envelope is made elsewhere; lettre only wants to see one.
        let envelope = Envelope::new(None, vec![self.from.address().clone()]).map_err(|_| rejected("no envelope"))?;
        let raw = |name: &'static str, value: &str| {
            let value = value.to_owned();
            HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str(name), value.clone(), value)
        };
        let mut builder = Message::builder()
            .envelope(envelope)
            .message_id(Some(format!("<{}@{}>", self.key, self.from.domain())))
            .date(self.date.into())
            .from(from);
        builder = match self.to {
            Some((address, name)) => builder.to(named(name, address)),
            None => builder.raw_header(raw("To", "undisclosed-recipients:;")),
        };
        builder = match encoded_subject(subject) {
            Some(encoded) => builder.raw_header(raw("Subject", &encoded)),
            None => builder.subject(subject),
        };
        let builder = builder.raw_header(raw("Auto-Submitted", "auto-generated"));
        let plain = part(ContentType::TEXT_PLAIN, self.text.part("text"), offers);
        let html = self.text.part("html");
        let message = if html.is_empty() {
            builder.singlepart(plain)
        } else {
            let html = part(ContentType::TEXT_HTML, html, offers);
            let boundary = self.boundary(&[&plain.formatted(), &html.formatted()]);
            let mut both = MultiPart::builder();
            // RFC 2045, 6.4: what holds eight-bit parts says so itself.
            if !(plain.formatted().is_ascii() && html.formatted().is_ascii()) {
                both = both.header(ContentTransferEncoding::EightBit);
            }
            let both = both.kind(MultiPartKind::Alternative).boundary(boundary);
            builder.multipart(both.singlepart(plain).singlepart(html))
        };
        let bytes = message.map_err(|_| rejected("the mail cannot be composed"))?.formatted();
        checked(bytes)
    }

    /// A boundary that stands in no part; the same for the same text.
    fn boundary(&self, parts: &[&[u8]]) -> String {
        let mut boundary = format!("relcomm-{}", self.key);
        while parts.iter().any(|part| part.windows(boundary.len()).any(|at| at == boundary.as_bytes())) {
            boundary.push('-');
            boundary.push('x');
        }
        boundary
    }
}

/// A mailbox for a header; a name that could break out of it, or is no name, is left out.
fn named(name: Option<&str>, address: &Mailable) -> Mailbox {
    let name = name.filter(|name| is_one_line(name) && !name.trim().is_empty() && name.len() <= LONGEST_NAME);
    Mailbox::new(name.map(str::to_owned), address.address().clone())
}

/// As 8bit where the relay takes it and the lines allow it, else in lettre's choice of 7bit, quoted-printable and base64.
fn part(kind: ContentType, text: &str, offers: &Offers) -> SinglePart {
    let text = crlf(text);
    let eight_bit = (offers.eight_bit && !text.is_ascii())
        .then(|| Body::new_with_encoding(text.clone(), ContentTransferEncoding::EightBit).ok())
        .flatten();
    SinglePart::builder().content_type(kind).body(eight_bit.unwrap_or_else(|| Body::new(text)))
}

/// Every line end as CRLF, and none at the end: the one that closes a part is lettre's.
fn crlf(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 32 + 2);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => {
                chars.next_if_eq(&'\n');
                out.push_str("\r\n");
            }
            '\n' => out.push_str("\r\n"),
            c => out.push(c),
        }
    }
    if out.ends_with("\r\n") {
        out.truncate(out.len() - 2);
    }
    out
}

/// A subject that lettre would write as it must not be: a word too long to be folded (RFC 5322, 2.1.1), one that readers would take for
/// an encoded word, or several spaces, which lettre leaves between two encoded words, where readers drop them (RFC 2047, 6.2). `None` if
/// lettre does it right.
fn encoded_subject(subject: &str) -> Option<String> {
    let plain = subject.split(' ').all(|word| word.len() <= LONGEST_WORD && !word.contains("=?"));
    if plain && (subject.is_ascii() || !subject.contains("  ")) {
        return None;
    }
    // 39 octets are 52 in base64; with the frame of an encoded word (RFC 2047, 2) and the name of the header that is 73 columns.
    let mut words = vec![String::new()];
    for c in subject.chars() {
        if words.last().is_some_and(|word| word.len() + c.len_utf8() > 39) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    let words: Vec<String> = words.iter().map(|w| format!("=?utf-8?B?{}?=", BASE64.encode(w.as_bytes()))).collect();
    Some(words.join("\r\n "))
}

/// The last look: a CR or LF by itself lets some relays see a second mail in the first (CVE-2023-51764 and its kin).
fn checked(bytes: Vec<u8>) -> Result<Composed, ChannelError> {
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") else {
            return Err(rejected("the mail does not end with a line end"));
        };
        let (line, after) = rest.split_at(end);
        if line.iter().any(|b| matches!(b, b'\r' | b'\n' | 0)) {
            return Err(rejected("a line of the mail holds CR, LF or NUL"));
        }
        if line.len() > LONGEST_LINE {
            return Err(rejected("a line of the mail is longer than 998 octets"));
        }
        rest = after.get(2..).unwrap_or_default();
    }
    Ok(Composed(bytes))
}

/// The form of the wire: leading dots doubled, and the final dot (RFC 5321, 4.5.2).
pub(super) fn stuffed(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 64);
    for line in text.split_inclusive(|&b| b == b'\n') {
        if line.starts_with(b".") {
            out.push(b'.');
        }
        out.extend_from_slice(line);
    }
    out.extend_from_slice(b".\r\n");
    out
}

/// A whole HTML document around a fragment.
pub(super) fn html_document(lang: Option<&str>, title: &str, fragment: &str) -> String {
    let lang = lang.map(|lang| format!(" lang=\"{}\"", escaped(lang))).unwrap_or_default();
    let title = escaped(title);
    format!(
        "<!doctype html>\n<html{lang}>\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n</head>\n<body>\n\
         {fragment}\n</body>\n</html>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::{Draft, Key, Mailable, Offers, Prepared, checked, crlf, html_document, stuffed};
    use relcomm_core::channel::Part;
    use relcomm_core::clock::Moment;

    fn parts(subject: &str, text: &str, html: &str) -> Prepared {
        Prepared::new([
            Part::new("subject", "text/plain", subject),
            Part::new("text", "text/plain", text),
            Part::new("html", "text/html", html),
        ])
    }

    fn composed(text: &Prepared, name: Option<&str>, offers: &Offers) -> Result<String, String> {
        let (from, to) = (Mailable::parse("r@b.test").unwrap(), Mailable::parse("t@c.test").unwrap());
        let key = Key::of([b"k".as_slice()]);
        let date = Moment::MIN.datetime();
        let draft = Draft { text, key: &key, from: &from, from_name: Some("Team"), to: Some((&to, name)), date };
        draft
            .compose(offers)
            .map(|c| String::from_utf8(c.into_bytes()).unwrap())
            .map_err(|error| error.message().to_owned())
    }

    #[test]
    fn every_line_end_becomes_crlf_once() {
        assert_eq!(crlf("a\nb\r\nc\rd\n\r"), "a\r\nb\r\nc\r\nd\r\n");
        assert_eq!((crlf("").as_str(), crlf("\n").as_str()), ("", ""));
    }

    #[test]
    fn dots_are_doubled_at_the_start_of_lines_only() {
        assert_eq!(stuffed(b".\r\n..a\r\nb.\r\n"), b"..\r\n...a\r\nb.\r\n.\r\n");
        assert_eq!(stuffed(b""), b".\r\n");
    }

    #[test]
    fn the_last_look_sees_what_smuggles() {
        for bad in ["a\nb\r\n", "a\rb\r\n", "a\r\r\nb\r\n", "a\0\r\n", "a", "a\r\nb"] {
            assert!(checked(bad.into()).is_err(), "{bad:?}");
        }
        let line = |n: usize| format!("{}\r\n", "x".repeat(n)).into_bytes();
        assert!(checked(line(998)).is_ok() && checked(line(999)).is_err());
    }

    #[test]
    fn a_name_or_subject_of_two_lines_opens_no_header() {
        let offers = Offers::default();
        let mail = composed(&parts("s", "t", ""), Some("A\r\nBcc: x@y.test"), &offers).unwrap();
        assert!(!mail.contains("Bcc") && mail.contains("To: t@c.test\r\n"), "{mail}");
        for subject in ["a\r\nBcc: x@y.test", "a\nb", "a\0b", "a\u{2028}b"] {
            assert!(composed(&parts(subject, "t", ""), None, &offers).is_err(), "{subject:?}");
        }
    }

    #[test]
    fn hostile_names_and_subjects_stay_within_their_header() {
        let offers = Offers { eight_bit: true, ..Offers::default() };
        let long = "x".repeat(998);
        let word = "ü".repeat(90);
        for text in ["\"<evil@x.test>\", b@y.test", "=?utf-8?q?=0D=0ABcc:_x?=", "\u{202e}desrever", "a\\", "\"", &word]
        {
            let mail = composed(&parts(text, "t", "<p>t"), Some(text), &offers).unwrap();
            let head = mail.split("\r\n\r\n").next().unwrap();
            let names: Vec<&str> = head
                .split("\r\n")
                .filter(|line| !line.starts_with([' ', '\t']))
                .map(|line| line.split(':').next().unwrap())
                .collect();
            let expected =
                ["Message-ID", "Date", "From", "To", "Subject", "Auto-Submitted", "MIME-Version", "Content-Type"];
            assert_eq!(names, expected, "{text}");
            assert!(head.is_ascii(), "{head}");
        }
        let mail = composed(&parts(&long, "t", ""), None, &offers);
        assert!(mail.unwrap().split("\r\n").all(|line| line.len() <= 78));
        let mail = composed(&parts("=?utf-8?q?=0D=0ABcc:_x?=", "t", ""), None, &offers).unwrap();
        assert!(!mail.contains("=0D=0A") && mail.contains("Subject: =?utf-8?B?"), "{mail}");
    }

    #[test]
    fn the_words_and_spaces_of_a_subject_arrive_as_they_are() {
        let long = "Für  Müller ".repeat(12);
        for subject in [
            "Für Müller und x",
            "Für  Müller — Выпуск  готов",
            "Für   Müller",
            "Für  a  Müller",
            "ready  now",
            "ü ü  \u{a0} ü",
            long.trim_end(),
        ] {
            let mail = composed(&parts(subject, "t", ""), None, &Offers::default()).unwrap();
            let read = mail_parser::MessageParser::default().parse(mail.as_bytes()).unwrap();
            assert_eq!(read.subject(), Some(subject), "{mail}");
            assert!(mail.split("\r\n").all(|line| line.len() <= 78), "{mail}");
        }
    }

    #[test]
    fn texts_travel_in_eight_bits_only_where_the_relay_takes_them_and_lines_fit() {
        let eight = Offers { eight_bit: true, ..Offers::default() };
        let seven = Offers::default();
        let mail = composed(&parts("s", "grün", ""), None, &eight).unwrap();
        assert!(mail.contains("8bit") && mail.ends_with("grün\r\n"), "{mail}");
        assert!(composed(&parts("s", "grün", ""), None, &seven).unwrap().is_ascii());
        let long = "ü".repeat(600);
        assert!(composed(&parts("s", &long, ""), None, &eight).unwrap().is_ascii());
    }

    #[test]
    fn a_boundary_that_stands_in_the_text_is_not_used() {
        let key = Key::of([b"k".as_slice()]);
        let text = format!("--relcomm-{key}\n--relcomm-{key}--");
        let mail = composed(&parts("s", &text, "<p>x"), None, &Offers::default()).unwrap();
        assert!(mail.contains(&format!("boundary=\"relcomm-{key}-x\"")), "{mail}");
    }

    #[test]
    fn the_html_document_holds_its_title_as_text() {
        let page = html_document(Some("de-CH"), "<script>&\"", "<p>x</p>");
        assert!(page.contains("<html lang=\"de-CH\">") && page.contains("<title>&lt;script&gt;&amp;&quot;</title>"));
    }
}
