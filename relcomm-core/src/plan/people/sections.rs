//! People as a stream of octets: what their digest covers and what a bundle holds.
//!
//! Six sections, each with its length before it: the kinds, everyone's kind, where everyone's record ends, the records, the groups with
//! the number of their members, the members. Numbers are little-endian.

use super::{Kind, People};
use crate::id::GroupId;
use std::io::{self, Read};

/// So many octets of numbers are made at a time.
const PIECE: usize = 1 << 16;

impl People {
    /// Gives the stream piece by piece.
    pub(crate) fn stream(&self, give: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        section(give, &serde_json::to_vec(&self.kinds)?)?;
        numbers(give, self.kind_nos.len(), self.kind_nos.iter().map(|n| n.to_le_bytes()))?;
        numbers(give, self.ends.len(), self.ends.iter().map(|n| n.to_le_bytes()))?;
        section(give, self.records.as_bytes())?;
        let groups: Vec<(&GroupId, usize)> = self.groups().map(|(group, members)| (group, members.len())).collect();
        section(give, &serde_json::to_vec(&groups)?)?;
        let members = self.groups.values().map(Vec::len).sum();
        numbers(give, members, self.groups.values().flatten().map(|n| n.to_le_bytes()))
    }

    /// Reads a stream of at most so many octets; `None` if it is none. What the records hold is not looked at: whoever asks for one
    /// finds out.
    pub(crate) fn read(mut from: impl Read, mut most: u64) -> io::Result<Option<Self>> {
        let mut next = || -> io::Result<Vec<u8>> {
            let mut length = [0; 8];
            from.read_exact(&mut length)?;
            let length = u64::from_le_bytes(length);
            most = most.checked_sub(8).and_then(|most| most.checked_sub(length)).ok_or(io::ErrorKind::UnexpectedEof)?;
            let mut bytes = Vec::with_capacity(usize::try_from(length).map_err(|_| io::ErrorKind::OutOfMemory)?);
            from.by_ref().take(length).read_to_end(&mut bytes)?;
            if bytes.len() as u64 == length { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
        };
        let kinds: Option<Vec<Kind>> = serde_json::from_slice(&next()?).ok();
        let kind_nos = whole(&next()?, u32::from_le_bytes);
        let ends = whole(&next()?, u64::from_le_bytes);
        let records = String::from_utf8(next()?).ok();
        let groups: Option<Vec<(GroupId, usize)>> = serde_json::from_slice(&next()?).ok();
        let members = whole(&next()?, u32::from_le_bytes);
        let mut beyond = [0];
        if from.read(&mut beyond)? > 0 {
            return Ok(None);
        }
        Ok((|| {
            let mut people = Self { kind_nos: kind_nos?, ends: ends?, records: records?, ..Self::default() };
            for kind in kinds? {
                people.add(kind);
            }
            let mut members = members?.into_iter();
            for (group, many) in groups? {
                let many = (many <= members.len()).then_some(many)?;
                people.groups.insert(group, members.by_ref().take(many).collect());
            }
            (members.len() == 0 && people.is_sound()).then_some(people)
        })())
    }

    /// Whether every number leads somewhere.
    fn is_sound(&self) -> bool {
        let (many, kinds) = (self.ends.len(), self.kinds.len());
        self.kind_nos.len() == many
            && self.kind_nos.iter().all(|kind| (*kind as usize) < kinds)
            && self.ends.is_sorted()
            && self.ends.last().copied().unwrap_or_default() == self.records.len() as u64
            && self.groups.values().flatten().all(|member| (*member as usize) < many)
    }
}

fn section(give: &mut dyn FnMut(&[u8]) -> io::Result<()>, bytes: &[u8]) -> io::Result<()> {
    give(&(bytes.len() as u64).to_le_bytes())?;
    give(bytes)
}

fn numbers<const N: usize>(
    give: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    many: usize,
    all: impl Iterator<Item = [u8; N]>,
) -> io::Result<()> {
    give(&((many * N) as u64).to_le_bytes())?;
    let mut piece = Vec::with_capacity(PIECE);
    for number in all {
        piece.extend_from_slice(&number);
        if piece.len() == PIECE {
            give(&piece)?;
            piece.clear();
        }
    }
    give(&piece)
}

fn whole<const N: usize, T>(bytes: &[u8], number: impl Fn([u8; N]) -> T) -> Option<Vec<T>> {
    let (numbers, rest) = bytes.as_chunks();
    rest.is_empty().then(|| numbers.iter().map(|bytes| number(*bytes)).collect())
}
