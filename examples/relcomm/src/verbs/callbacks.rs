//! Calls back from a file to which the host writes them.

use super::desk::Desk;
use crate::Failure;
use relcomm_core::channel::Inbound;
use relcomm_core::clock::Moment;
use relcomm_core::dispatch::{DispatchError, Intake};
use relcomm_core::mechanism::Mechanism;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::ErrorKind;

/// A call back as the host wrote it down: one line of JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Callback {
    mechanism: Mechanism,
    headers: BTreeMap<String, String>,
    body: String,
    #[serde(default)]
    at: Option<String>,
}

/// What a line should be. The parser's own words would repeat what stands in it: headers with credentials, addresses.
const EXPECTED: &str = "a call back is an object of JSON with `mechanism`, `headers`, `body` and perhaps `at`";

/// How far a file was read.
#[derive(Debug, Default)]
pub(super) struct Place {
    lines: usize,
    octets: usize,
    /// Of all that was read: a file that begins otherwise is another one.
    digest: Option<[u8; 32]>,
}

impl Place {
    /// The lines, by number, that come after what was read. All of them, if the file is no longer the one that was read: it was
    /// replaced or cut. While a file is watched, a line without its end is still being written.
    fn unread<'a>(&mut self, bytes: &'a [u8], watch: bool) -> Vec<(usize, &'a [u8])> {
        let read = bytes.get(..self.octets).map(Sha256::digest);
        if self.digest.is_some_and(|digest| read.is_none_or(|read| read.as_slice() != digest)) {
            *self = Self::default();
        }
        let mut unread = Vec::new();
        for line in bytes.get(self.octets..).unwrap_or_default().split_inclusive(|octet| *octet == b'\n') {
            if watch && !line.ends_with(b"\n") {
                break;
            }
            self.octets += line.len();
            self.lines += 1;
            unread.push((self.lines, line.trim_ascii()));
        }
        self.digest = bytes.get(..self.octets).map(|read| Sha256::digest(read).into());
        unread
    }
}

/// Takes in the lines of the file that come after that place.
pub(super) async fn callbacks(
    desk: &Desk,
    file: &str,
    watch: bool,
    place: &mut Place,
    refused: &mut usize,
) -> Result<Intake, Failure> {
    let mut total = Intake::default();
    let bytes = match std::fs::read(file) {
        Ok(bytes) => bytes,
        // Whoever rotates it has moved it away and not made the next one yet.
        Err(error) if error.kind() == ErrorKind::NotFound && place.digest.is_some() => return Ok(total),
        Err(error) => return Err(Failure::Tool(format!("{file}: {error}"))),
    };
    for (number, line) in place.unread(&bytes, watch) {
        if line.is_empty() {
            continue;
        }
        match taken(desk, line).await? {
            Ok(taken) => total += taken,
            Err(why) => {
                super::say(&format!("{file}:{number}: {why}"));
                *refused += 1;
            }
        }
    }
    Ok(total)
}

/// Takes in one line, or says why it cannot be.
async fn taken(desk: &Desk, line: &[u8]) -> Result<Result<Intake, String>, Failure> {
    let Ok(call) = serde_json::from_slice::<Callback>(line) else { return Ok(Err(EXPECTED.into())) };
    let at = match &call.at {
        Some(at) => Moment::parse(at).ok(),
        None => Some(desk.dispatcher.now()),
    };
    let Some(at) = at else { return Ok(Err("`at` is an RFC 3339 instant".into())) };
    let headers: Vec<(String, String)> = call.headers.into_iter().collect();
    match desk.dispatcher.callback(&call.mechanism, &Inbound::new(&headers, call.body.as_bytes(), at)).await {
        Ok(taken) => Ok(Ok(taken)),
        Err(DispatchError::Refused(why)) => Ok(Err(why.to_string())),
        Err(other) => Err(other.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    fn unread(place: &mut Place, text: &str) -> Vec<(usize, String)> {
        let lines = place.unread(text.as_bytes(), true);
        lines.into_iter().map(|(number, line)| (number, String::from_utf8_lossy(line).into_owned())).collect()
    }

    #[test]
    fn a_file_that_was_replaced_or_cut_is_read_from_its_beginning() {
        let mut place = Place::default();
        let one = |number: usize, line: &str| vec![(number, line.to_owned())];
        assert_eq!(unread(&mut place, ""), []);
        assert_eq!(unread(&mut place, "a\r\n"), one(1, "a"));
        assert_eq!(unread(&mut place, "a\r\nb"), [], "it is still being written");
        assert_eq!(unread(&mut place, "a\r\nbc\nd"), one(2, "bc"));
        assert_eq!(unread(&mut place, "a\r\nbc\n"), []);
        // Cut, and as long again; then another one that is longer.
        assert_eq!(unread(&mut place, "e\n"), one(1, "e"));
        assert_eq!(unread(&mut place, "e\nf\n"), one(2, "f"));
        assert_eq!(unread(&mut place, "g\nh\n"), [(1, "g".to_owned()), (2, "h".to_owned())]);
        assert_eq!(unread(&mut place, ""), []);
        assert_eq!(unread(&mut place, "g\nh\n").len(), 2, "emptied, and the same is written again");
    }

    #[test]
    fn the_last_line_needs_no_end_where_the_file_is_not_watched() {
        assert_eq!(Place::default().unread(b"a\nb", false), [(1, &b"a"[..]), (2, b"b")]);
    }
}
