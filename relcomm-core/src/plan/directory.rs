//! Directories: people whom the host gives in place of a file, one by one.

use crate::id::{CommuniqueId, GroupId};
use crate::release::Release;
use crate::stakeholder::Stakeholder;
use std::borrow::Cow;
use std::fmt;

/// Where a host keeps people: LDAP, a table, the service of a vendor. A plan names it by `members: {directory: NAME}`.
///
/// The host [gives](super::Hosted::directory) it by name, and validation reads it once for each group that names it. What is given is
/// checked as the rows of a member file are; findings name the directory and the number of the record, from 1, never what it holds.
///
/// Members are handed over instead of returned, so that a row that borrows from a statement, a page of an answer or a connection can be
/// given as it is. [`guide::people`](crate::guide::people) shows one over a database and one over an async client.
///
/// # The contract
///
/// * **D1, complete.** It gives every member of the group once and then returns `Ok`. Whatever keeps it from giving all is an `Err`: who
///   is left out silently is never told.
/// * **D2, in order.** The same people come in the same order each time. An approval of texts and people is bound to a digest over both,
///   and does not outlive another order.
/// * **D3, the same ids.** A person keeps their id as long as they are the same person. Where there is none, none is given, and the plan
///   says `id_key`.
/// * **D4, one by one.** A record is given as soon as it is read, and not kept. relcomm keeps what it needs in a small part of the room
///   that records take.
/// * **D5, silent.** No error and no `Debug` shows a person or a credential.
pub trait Directory: fmt::Debug + Send + Sync {
    /// Gives the members of the group one by one. It may block: whoever validates on an async runtime does it on a thread for that.
    ///
    /// # Errors
    /// [`DirectoryError`], if not all of them could be given. The plan is refused then, whatever was given before.
    fn members(&self, group: &GroupId, give: &mut dyn FnMut(MemberRecord<'_>)) -> Result<(), DirectoryError>;
}

/// Why a directory could not give all of its members.
///
/// Nothing converts into it by itself: the errors of clients like to hold queries, names and addresses, and findings are printed by
/// build servers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DirectoryError(String);

impl DirectoryError {
    /// What went wrong, in a phrase that may be printed.
    #[must_use]
    pub fn new(what: impl Into<String>) -> Self {
        let what: String = what.into();
        Self(what.chars().map(|c| if c.is_control() { ' ' } else { c }).collect())
    }
}

/// One member as a directory knows them. Empty values say nothing, so that a column that holds none needs no care; of two values for the
/// same thing the later holds, but for places. `Debug` shows none of them.
///
/// ```
/// use relcomm_core::plan::MemberRecord;
///
/// let bea = MemberRecord::new().id("7").name("Bea Voss").address("email", "bea@anvil.example").place("eu").var("tier", "gold");
/// # let _ = bea;
/// ```
#[derive(Clone, Default)]
pub struct MemberRecord<'a> {
    values: Vec<(Said<'a>, Cow<'a, str>)>,
}

/// What a value of a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said<'a> {
    Id,
    Name,
    Lang,
    Zone,
    Place,
    OptedOut,
    StandsFor,
    Through,
    Address(Cow<'a, str>),
    Var(Cow<'a, str>),
}

impl Said<'_> {
    /// By which word findings name it.
    pub(super) fn word(&self) -> &str {
        match self {
            Self::Id => "id",
            Self::Name => "name",
            Self::Lang => "lang",
            Self::Zone => "zone",
            Self::Place => "place",
            Self::OptedOut => "opted_out",
            Self::StandsFor => "stands_for",
            Self::Through => "through",
            Self::Address(word) | Self::Var(word) => word,
        }
    }
}

impl<'a> MemberRecord<'a> {
    /// A member of whom nothing is known yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Their id, which enters the journal and outlives changes of their address.
    #[must_use]
    pub fn id(self, id: impl Into<Cow<'a, str>>) -> Self {
        self.say(Said::Id, id.into())
    }

    /// Their name, for salutations.
    #[must_use]
    pub fn name(self, name: impl Into<Cow<'a, str>>) -> Self {
        self.say(Said::Name, name.into())
    }

    /// Their language, by its BCP 47 tag.
    #[must_use]
    pub fn lang(self, lang: impl Into<Cow<'a, str>>) -> Self {
        self.say(Said::Lang, lang.into())
    }

    /// Their zone, by its name in the IANA database.
    #[must_use]
    pub fn zone(self, zone: impl Into<Cow<'a, str>>) -> Self {
        self.say(Said::Zone, zone.into())
    }

    /// A place of the release to which they belong; once for each. Without any they belong to every place.
    #[must_use]
    pub fn place(mut self, place: impl Into<Cow<'a, str>>) -> Self {
        self.values.push((Said::Place, place.into()));
        self
    }

    /// Whether they wish not to be told.
    #[must_use]
    pub fn opted_out(self, is: bool) -> Self {
        self.say(Said::OptedOut, if is { "yes" } else { "no" }.into())
    }

    /// How many people they stand for, who are reached through them; at least 1.
    #[must_use]
    pub fn stands_for(self, many: u32) -> Self {
        self.say(Said::StandsFor, many.to_string().into())
    }

    /// The id of the member through whom they are reached.
    #[must_use]
    pub fn through(self, leader: impl Into<Cow<'a, str>>) -> Self {
        self.say(Said::Through, leader.into())
    }

    /// Their address on a mechanism. One that the plan does not know makes a variable of it, as a column of a member file would be.
    #[must_use]
    pub fn address(self, mechanism: impl Into<Cow<'a, str>>, address: impl Into<Cow<'a, str>>) -> Self {
        self.say(Said::Address(mechanism.into()), address.into())
    }

    /// Something else about them, for texts: `{{ person.NAME }}`.
    #[must_use]
    pub fn var(self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) -> Self {
        self.say(Said::Var(name.into()), value.into())
    }

    fn say(mut self, what: Said<'a>, value: Cow<'a, str>) -> Self {
        match self.values.iter_mut().find(|(said, _)| *said == what) {
            Some((_, before)) => *before = value,
            None => self.values.push((what, value)),
        }
        self
    }

    pub(super) fn values(&self) -> &[(Said<'a>, Cow<'a, str>)] {
        &self.values
    }
}

/// What a host asks of members: a plan names it by `only: NAME`, and only those for whom it holds are members of the group.
///
/// The host [gives](super::Hosted::predicate) it by name. It is asked once for each member of each group that names it, while the plan is
/// validated; the same answers each time keep an approval of texts and people valid.
pub trait Predicate: fmt::Debug + Send + Sync {
    /// Whether this person is to be a member of the group.
    fn holds(&self, group: &GroupId, who: &Stakeholder) -> bool;
}

/// What a host asks of a release: a plan names it by `if: {host: NAME}`, and the communique goes out only if it holds.
///
/// The host [gives](super::Hosted::condition) it by name. It is asked once for each communique that names it, while the plan is validated;
/// the answer is part of what is approved, and another answer voids an approval.
pub trait Condition: fmt::Debug + Send + Sync {
    /// Whether the communique is meant for this release.
    fn holds(&self, communique: &CommuniqueId, release: &Release) -> bool;
}

impl fmt::Debug for MemberRecord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemberRecord").finish_non_exhaustive()
    }
}
