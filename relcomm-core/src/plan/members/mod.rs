//! Loading the people of a plan: CSV and JSON lines, one row at a time, records of a directory, and members who stand in the plan.
//!
//! A finding here names file, line and column, never an address or an id: findings are printed by build servers.

mod csv;
mod id_key;
mod jsonl;
mod row;

use super::directory::{Directory, MemberRecord, Predicate, Said};
use super::finding::{Finding, Position};
use super::people::{People, StakeholderRef, TooManyPeople};
use crate::id::{GroupId, PlaceId, StakeholderId};
use crate::mechanism::Mechanism;
use crate::stakeholder::{Address, Stakeholder};
use hashbrown::HashTable;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Cursor, Read};
use std::num::NonZeroU32;

use id_key::canonical;
pub(crate) use id_key::{IdKey, SHORTEST};
pub(crate) use row::{Field, Row};

/// The longest row: enough for a person, and a bound for a file that has no line breaks, or a quotation mark that is never closed.
const LONGEST: usize = 1 << 20;

/// Which words of a row mean what.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vocabulary {
    /// The columns that are addresses.
    pub(crate) mechanisms: BTreeSet<Mechanism>,
    /// The places of the release.
    pub(crate) places: BTreeSet<PlaceId>,
}

/// A list of members: the group that it fills, and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List<'a> {
    /// The group that it fills.
    pub(crate) group: &'a GroupId,
    /// The path of the list within the plan.
    pub(crate) path: &'a str,
    /// The file that holds it, or the directory.
    pub(crate) file: &'a str,
    /// The key under which ids are derived for members who have none.
    pub(crate) id_key: Option<&'a IdKey>,
    /// What must hold of whoever is a member.
    pub(crate) only: Option<&'a dyn Predicate>,
}

/// Where a row stands in the file of its list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl At {
    fn line(line: usize) -> Self {
        Self { line, column: 1 }
    }
}

/// Where each person was first named, and what the members of each group have.
#[derive(Debug, Default)]
pub(crate) struct Origins {
    files: Vec<Box<str>>,
    /// For each person: the file's index, the line and the column.
    places: Vec<(u32, u32, u32)>,
    groups: BTreeMap<GroupId, Holdings>,
}

/// What the members of a group have between them.
#[derive(Debug, Default)]
pub(crate) struct Holdings {
    /// The kinds of address.
    pub(crate) mechanisms: BTreeSet<Mechanism>,
    /// Whether one of them is tied to a place.
    pub(crate) tied_to_places: bool,
    /// How many are tied to none, and so belong to every place.
    pub(crate) everywhere: usize,
}

impl Origins {
    /// Where the person of that number was first named. The line's text is left out: it holds addresses.
    pub(crate) fn position(&self, number: u32) -> Option<Position> {
        let (file, line, column) = *self.places.get(number as usize)?;
        Some(Position::new(self.files.get(file as usize)?.to_string(), line as usize, column as usize, ""))
    }

    /// What the members of the group have; `None` for a group without members.
    pub(crate) fn holdings(&self, group: &GroupId) -> Option<&Holdings> {
        self.groups.get(group)
    }
}

/// Collects the people of all groups, each person once.
#[derive(Debug)]
pub(crate) struct Roster {
    words: Vocabulary,
    people: People,
    /// Everyone's number, beside the hash of their id, so that a table that grows need not look at a million ids again.
    known: HashTable<(u32, u32)>,
    hasher: RandomState,
    /// The last list that named each.
    last: Vec<u32>,
    /// Those of whom a later list says more than the first one.
    amended: BTreeMap<u32, Stakeholder>,
    origins: Origins,
    findings: Vec<Finding>,
    /// The first of each kind of finding in the present list, and how many there are of it: a list with a broken column is one finding,
    /// not a hundred thousand.
    alike: BTreeMap<(&'static str, String), (Finding, usize)>,
}

impl Roster {
    /// Nobody yet.
    pub(crate) fn new(words: Vocabulary) -> Self {
        Self {
            words,
            people: People::new(),
            known: HashTable::new(),
            hasher: RandomState::new(),
            last: Vec::new(),
            amended: BTreeMap::new(),
            origins: Origins::default(),
            findings: Vec::new(),
            alike: BTreeMap::new(),
        }
    }

    /// Reads a member file, by the end of its name: `.jsonl` and `.ndjson` are JSON lines, all else is CSV. `columns` says which column
    /// holds which field; `at` is where the plan names the file.
    pub(crate) fn file(
        &mut self,
        list: List<'_>,
        columns: &BTreeMap<String, String>,
        at: Option<&Position>,
        reader: Box<dyn Read + Send>,
    ) {
        self.begin(list.file);
        let before = self.people.members(list.group).len();
        let ending = list.file.rsplit_once('.').map_or("", |(_, ending)| ending);
        let whole = if ending.eq_ignore_ascii_case("jsonl") || ending.eq_ignore_ascii_case("ndjson") {
            jsonl::read(self, list, columns, reader)
        } else {
            csv::read(self, list, columns, reader)
        };
        if let Err(stopped) = whole {
            self.findings.push(stopped.finding(list, at));
        } else {
            self.expect_somebody(list, before, &format!("member file `{}`", list.file), at);
        }
        self.end();
    }

    /// Reads the records of a directory; `at` is where the plan names it.
    pub(crate) fn directory(&mut self, list: List<'_>, name: &str, at: Option<&Position>, directory: &dyn Directory) {
        self.begin(list.file);
        let before = self.people.members(list.group).len();
        let mut number = 0;
        let mut taken = Ok(());
        let read = directory.members(list.group, &mut |record| {
            number += 1;
            if taken.is_ok() {
                taken = self.record(list, &record, At::line(number));
            }
        });
        if let Err(e) = read {
            let message = format!("the directory `{name}` broke off after {number} records: {e}");
            let help = "nobody is told by half a list: try again when it can be read to its end";
            self.findings.push(located(Finding::error("RC0433", list.path, message).help(help), at));
        } else if let Err(e) = taken {
            self.findings.push(Stopped::TooMany(e).finding(list, at));
        } else {
            self.expect_somebody(list, before, &format!("directory `{name}`"), at);
        }
        self.end();
    }

    /// Finds a list that was read without a fault and brought nobody to the `before` who were there.
    fn expect_somebody(&mut self, list: List<'_>, before: usize, what: &str, at: Option<&Position>) {
        let nobody = self.people.members(list.group).len() == before && self.alike.is_empty();
        // Whether `only` leaves nobody is judged by the whole group.
        if nobody && list.only.is_none() {
            let finding = Finding::error("RC0409", list.path, format!("the {what} names nobody"));
            self.findings.push(located(finding.help("a group without people needs `waived: {why, by}`"), at));
        }
    }

    fn record(&mut self, list: List<'_>, record: &MemberRecord<'_>, at: At) -> Result<(), TooManyPeople> {
        let field = |said: &Said<'_>| match said {
            Said::Id => Field::Id,
            Said::Name => Field::Name,
            Said::Lang => Field::Lang,
            Said::Zone => Field::Zone,
            Said::Place => Field::Place,
            Said::OptedOut => Field::OptedOut,
            Said::StandsFor => Field::StandsFor,
            Said::Through => Field::Through,
            Said::Address(word) => match self.words.mechanisms.get(word.to_ascii_lowercase().as_str()) {
                Some(mechanism) => Field::Address(mechanism.clone()),
                None => Field::Var(word.to_string()),
            },
            Said::Var(name) => Field::Var(name.to_string()),
        };
        let fields: Vec<Field> = record.values().iter().map(|(said, _)| field(said)).collect();
        let mut row = Row::with_room(fields.len());
        for (field, (said, value)) in fields.iter().zip(record.values()) {
            row.cell(field, said.word(), value);
        }
        self.take(list, row, at)
    }

    /// Begins a list whose rows the caller gives one by one: members who stand in the plan.
    pub(crate) fn begin(&mut self, file: &str) {
        self.origins.files.push(file.into());
    }

    /// Ends the list: findings of one kind become one.
    pub(crate) fn end(&mut self) {
        for (_, (mut finding, count)) in std::mem::take(&mut self.alike) {
            if count > 1 {
                finding.message = format!("{} ({count} rows in this list; this is the first)", finding.message);
            }
            self.findings.push(finding);
        }
    }

    /// Reports a row of the present list.
    fn complain(&mut self, list: List<'_>, at: At, code: &'static str, message: String, help: Option<&str>) {
        self.found(list, at, Finding::error(code, list.path, message), help);
    }

    fn found(&mut self, list: List<'_>, at: At, finding: Finding, help: Option<&str>) {
        let seen = self.alike.entry((finding.code, finding.message.clone())).or_insert_with(|| {
            // The line itself is left out: it holds addresses.
            let finding = finding.at(Position::new(list.file, at.line, at.column, ""));
            (if let Some(help) = help { finding.help(help) } else { finding }, 0)
        });
        seen.1 += 1;
    }

    /// Takes one row.
    pub(crate) fn take(&mut self, list: List<'_>, row: Row<'_>, at: At) -> Result<(), TooManyPeople> {
        let complete = row.read(&self.words, list);
        let bad = !complete.wrong.is_empty();
        for wrong in complete.wrong {
            self.complain(list, at, wrong.code, wrong.message, wrong.help);
        }
        let (Some(who), false) = (complete.who, bad) else { return Ok(()) };
        if list.only.is_some_and(|only| !only.holds(list.group, &who)) {
            return Ok(());
        }
        self.admit(list, &who, at)
    }

    fn admit(&mut self, list: List<'_>, who: &Stakeholder, at: At) -> Result<(), TooManyPeople> {
        let short = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let present = short(self.origins.files.len());
        let Self { people, known, hasher, .. } = self;
        let short_hash = hasher.hash_one(who.id.as_str()) as u32;
        let is = |(hash, number): &(u32, u32)| *hash == short_hash && people.is(*number, &who.id);
        let Some(&(_, number)) = known.find(spread(short_hash), is) else {
            let number = people.push(who)?;
            known.insert_unique(spread(short_hash), (short_hash, number), |(hash, _)| spread(*hash));
            self.last.push(present);
            self.origins.places.push((present.saturating_sub(1), short(at.line), short(at.column)));
            self.join(list.group, who, number);
            return Ok(());
        };
        if self.last.get(number as usize) == Some(&present) {
            let help = match list.id_key {
                Some(_) => "give each person an `id`; without one it is derived from their address",
                None => "give each person an `id`; without one it is the local part of the email",
            };
            self.complain(list, at, "RC0405", "two rows of this list have the same id".into(), Some(help));
            return Ok(());
        }
        if let Some(last) = self.last.get_mut(number as usize) {
            *last = present;
        }
        if self.people.at(number).is_some_and(|first| is_same(first, who)) {
            self.amend(list, number, who, at);
            self.join(list.group, who, number);
        } else {
            let message = "another list has the same id with other addresses, places, zone or wishes".into();
            let help = "one person has the same addresses, places and zone, and the same `opted_out`, `stands_for` and `through`, in \
                        every group; two people need different ids";
            self.complain(list, at, "RC0406", message, Some(help));
        }
        Ok(())
    }

    /// Adds what no list before said of somebody; what one said otherwise stays as it is.
    fn amend(&mut self, list: List<'_>, number: u32, who: &Stakeholder, at: At) {
        if self.people.at(number).is_none_or(|first| says_no_more(first, who)) {
            return;
        }
        let Some(mut whole) = self.amended.remove(&number).or_else(|| self.people.get(number)) else { return };
        let mut otherwise = Vec::new();
        if !is_filled(&mut whole.name, who.name.as_ref()) {
            otherwise.push("`name`".to_owned());
        }
        if !is_filled(&mut whole.lang, who.lang.as_ref()) {
            otherwise.push("`language`".to_owned());
        }
        for (variable, value) in &who.vars {
            match whole.vars.get(variable) {
                Some(known) if known == value => {}
                Some(_) => otherwise.push(format!("`{variable}`")),
                None => _ = whole.vars.insert(variable.clone(), value.clone()),
            }
        }
        self.amended.insert(number, whole);
        if !otherwise.is_empty() {
            let message = format!("another list says otherwise of the same id, and holds: {}", otherwise.join(", "));
            let help = "the first list that says something of somebody holds, in the order of the groups";
            self.found(list, at, Finding::warning("RC0435", list.path, message), Some(help));
        }
    }

    fn join(&mut self, group: &GroupId, who: &Stakeholder, number: u32) {
        self.people.join(group, number);
        let holdings = match self.origins.groups.get_mut(group) {
            Some(holdings) => holdings,
            None => self.origins.groups.entry(group.clone()).or_default(),
        };
        holdings.tied_to_places |= !who.places.is_empty();
        holdings.everywhere += usize::from(who.places.is_empty());
        for mechanism in who.addresses.keys() {
            if !holdings.mechanisms.contains(mechanism) {
                holdings.mechanisms.insert(mechanism.clone());
            }
        }
    }

    /// Whether the group has no members so far.
    pub(crate) fn is_nobody_in(&self, group: &GroupId) -> bool {
        self.people.members(group).is_empty()
    }

    /// The people, where each was named, and what was found.
    pub(crate) fn finish(mut self) -> (People, Origins, Vec<Finding>) {
        if !self.amended.is_empty() {
            self.people = self.people.amended(&self.amended);
        }
        self.people.fit();
        (self.people, self.origins, self.findings)
    }
}

/// Whether one person can be both: the same places and wishes, the same zone unless it is not said again, and the same addresses, however
/// they are written.
fn is_same(first: StakeholderRef<'_>, who: &Stakeholder) -> bool {
    let address = |mechanism| who.addresses.get(mechanism).map(Address::as_str);
    first.places() == who.places
        && (who.zone.is_none() || first.zone() == who.zone)
        && first.opted_out() == who.opted_out
        && first.stands_for() == who.stands_for.map_or(1, NonZeroU32::get)
        && first.through() == who.through.as_ref().map(StakeholderId::as_str)
        && first.mechanisms().iter().eq(who.addresses.keys())
        && first.addresses().all(|(mechanism, text)| {
            address(mechanism).is_some_and(|other| canonical(mechanism, text) == canonical(mechanism, other))
        })
}

/// Fills in what is said where nothing was known; whether that is known then.
fn is_filled<T: Clone + PartialEq>(known: &mut Option<T>, said: Option<&T>) -> bool {
    said.is_none_or(|said| known.get_or_insert_with(|| said.clone()) == said)
}

/// Whether nothing is said of them that has not been said, in the same words.
fn says_no_more(first: StakeholderRef<'_>, who: &Stakeholder) -> bool {
    let known = |(variable, value): (&String, &String)| first.last_var(|name| name == variable) == Some(value);
    (who.name.is_none() || first.name() == who.name.as_deref())
        && (who.lang.is_none() || first.lang() == who.lang.as_ref())
        && who.vars.iter().all(known)
}

/// Without the byte order mark with which spreadsheets begin a file.
fn unmarked(mut reader: impl Read) -> io::Result<impl Read> {
    let mut first = Vec::with_capacity(3);
    reader.by_ref().take(3).read_to_end(&mut first)?;
    if first == [0xEF, 0xBB, 0xBF] {
        first.clear();
    }
    Ok(Cursor::new(first).chain(reader))
}

/// The table uses the first and the last bits of a hash of 64.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

fn located(finding: Finding, at: Option<&Position>) -> Finding {
    match at {
        Some(at) => finding.at(at.clone()),
        None => finding,
    }
}

/// Why a file was not read to its end.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// The system failed to read it.
    Unreadable(io::Error),
    /// Its header cannot be used: the line, the message, and what helps.
    Header(usize, String, Option<String>),
    /// More people than can be counted.
    TooMany(TooManyPeople),
}

impl From<TooManyPeople> for Stopped {
    fn from(e: TooManyPeople) -> Self {
        Self::TooMany(e)
    }
}

impl Stopped {
    fn finding(self, list: List<'_>, at: Option<&Position>) -> Finding {
        match self {
            Self::Unreadable(e) => unreadable(list.path, "member file", list.file, &e, at),
            Self::Header(line, message, help) => {
                let finding = Finding::error("RC0402", list.path, message).at(Position::new(list.file, line, 1, ""));
                match help {
                    Some(help) => finding.help(help),
                    None => finding,
                }
            }
            Self::TooMany(e) => located(Finding::error("RC0407", list.path, e.to_string()), at),
        }
    }
}

/// The finding that a file named by the plan cannot be read. `kind` is what it is for, such as `member file`.
pub(crate) fn unreadable(path: &str, kind: &str, file: &str, error: &io::Error, at: Option<&Position>) -> Finding {
    let help = match error.kind() {
        io::ErrorKind::NotFound => "paths are relative to the plan",
        io::ErrorKind::PermissionDenied => "a plan reads only files at or below its own directory",
        _ => "the file must be readable as it stands",
    };
    located(Finding::error("RC0401", path, format!("the {kind} `{file}` cannot be read: {error}")).help(help), at)
}

#[cfg(test)]
mod tests;
