//! The people: the responsible party, the groups and their members.

use super::Resolver;
use crate::id::{GroupId, StakeholderId};
use crate::mechanism::Mechanism;
use crate::plan::directory::Predicate;
use crate::plan::draft::{
    Addresses, FullGroupDraft, GroupShape, MemberDraft, MembersDraft, MembersFrom, OptOut, PartyDraft, Quantifier,
    RequireDraft, SecretRef,
};
use crate::plan::finding::Finding;
use crate::plan::key_path;
use crate::plan::members::{At, Field, IdKey, List, Origins, Roster, Row, SHORTEST, Vocabulary, unreadable};
use crate::plan::people::People;
use crate::receipt::Assurance;
use crate::release::Release;
use crate::stakeholder::{Group, Party, Require, Responsible, Waiver};
use std::collections::BTreeMap;

/// One value of a member: the field, its name, and the value.
type Cell = (Field, String, String);

/// The word by which a person is named: their id, else the local part of their email, else the one word that was written.
pub(super) fn party_id(party: &PartyDraft) -> Option<StakeholderId> {
    if let Some(id) = &party.id {
        return Some(id.clone());
    }
    let email = party.addresses.iter().find(|(mechanism, _)| mechanism.as_str() == "email");
    let word = match email {
        Some((_, address)) => {
            let text = address.address().as_str();
            text.rsplit_once('@').map_or(text, |(local, _)| local).to_lowercase()
        }
        None => party.name.clone()?,
    };
    StakeholderId::new(word).ok()
}

impl Resolver<'_> {
    pub(super) fn responsible(&mut self) -> Responsible {
        let Some(draft) = &self.draft.responsible else {
            self.out.push(
                Finding::error("RC0204", "", "nobody is responsible: `responsible` is missing")
                    .help("write `responsible: Name <name@domain>`"),
            );
            return Responsible { execute: nobody(), backup: None, performers: BTreeMap::new() };
        };
        let execute_path =
            if self.source.get("responsible.execute").is_some() { "responsible.execute" } else { "responsible" };
        Responsible {
            execute: self.party(execute_path, &draft.execute),
            backup: draft.backup.as_ref().map(|party| self.party("responsible.backup", party)),
            performers: draft
                .performers
                .iter()
                .map(|(role, party)| {
                    (role.clone(), self.party(&key_path("responsible.performers", role.as_str()), party))
                })
                .collect(),
        }
    }

    fn party(&mut self, path: &str, draft: &PartyDraft) -> Party {
        let addresses = draft.addresses.iter().map(|(m, a)| (m.clone(), a.address().clone())).collect();
        match party_id(draft) {
            Some(id) => Party { id, name: draft.name.clone(), addresses },
            None => {
                self.error("RC0103", path, "this person has neither an id nor an address to make one of");
                Party { name: draft.name.clone(), addresses, ..nobody() }
            }
        }
    }

    /// The groups, and everyone in them.
    pub(super) fn groups(&mut self, release: &Release, responsible: &Responsible) -> (Vec<Group>, People, Origins) {
        let own = self.draft.mechanisms.keys().cloned();
        let standard = Mechanism::STANDARD.iter().filter_map(|word| Mechanism::new(word).ok());
        let mut roster = Roster::new(Vocabulary {
            mechanisms: standard.chain(own).collect(),
            places: release.places.iter().map(|place| place.id.clone()).collect(),
        });
        if self.draft.groups.is_empty() {
            self.error("RC0204", "groups", "there is no group: who must be told?");
        }
        let mut groups = Vec::new();
        for (id, draft) in &self.draft.groups {
            let path = key_path("groups", id.as_str());
            let full = &draft.full;
            if full.owner.is_none() {
                self.default_used(&path, "RC0804", format!("the owner of `{id}` is the responsible party"));
            }
            if full.informed_when.is_none() && full.waived.is_none() {
                self.default_used(&path, "RC0806", format!("a member of `{id}` is informed when accepted"));
            }
            let via = match &full.via {
                Some(via) => self.steps(&format!("{path}.via"), via),
                None => Vec::new(),
            };
            if full.via.is_none() && full.waived.is_none() {
                self.default_used(
                    &path,
                    "RC0805",
                    format!("`{id}` is reached by the kinds of address that its members have"),
                );
            }
            self.members(id, &path, draft.shape, full, &mut roster);
            groups.push(Group {
                id: id.clone(),
                owner: match &full.owner {
                    Some(owner) => owner.as_str().to_owned(),
                    None => {
                        responsible.execute.name.clone().unwrap_or_else(|| responsible.execute.id.as_str().to_owned())
                    }
                },
                via,
                informed_when: full.informed_when.unwrap_or(Assurance::Accepted),
                within: full.within.and_then(|within| self.elapsed(&format!("{path}.within"), within)),
                languages: full.languages.iter().cloned().collect(),
                fallback: full.fallback.clone(),
                require: full.require.as_ref().map(require).unwrap_or_default(),
                must_inform: full.must_inform,
                despite_opt_out: full.opt_out == Some(OptOut::Ignore),
                waived: full
                    .waived
                    .as_ref()
                    .map(|waived| Waiver { why: waived.why.clone(), by: waived.by.as_str().to_owned() }),
                zone: full.zone.map(|zone| zone.0),
                between: full.between,
            });
        }
        let (people, origins, findings) = roster.finish();
        self.out.extend(findings);
        (groups, people, origins)
    }

    fn members(&mut self, id: &GroupId, path: &str, shape: GroupShape, full: &FullGroupDraft, roster: &mut Roster) {
        let members_path = if shape == GroupShape::Map { format!("{path}.members") } else { path.to_owned() };
        // A word that is no mechanism is another fault: of a group that has members it may be a misspelt key.
        let is_known = |m: &Mechanism| m.is_standard() || self.draft.mechanisms.keys().any(|own| own == m);
        let has_address = full.addresses.keys().any(is_known);
        if has_address || (full.members.is_none() && !full.addresses.is_empty()) {
            if full.members.is_some() {
                self.error("RC0104", &members_path, "a group has either members or an address of its own");
            }
            let fields = address_fields(&full.addresses);
            self.inline(
                roster,
                List { group: id, path, file: self.source.file(), id_key: None, only: None },
                &[(path.to_owned(), fields)],
                Row::inbox,
            );
        }
        let only = full.only.as_ref().and_then(|name| {
            let found = self.sources.predicate(name);
            if found.is_none() {
                let message = format!("there is no predicate `{name}` here");
                let help = "the program that embeds relcomm gives predicates (`Hosted::predicate`); the command has none: list \
                            those who are meant";
                self.out.push(Finding::error("RC0434", format!("{path}.only"), message).help(help));
            }
            found
        });
        match &full.members {
            None => {}
            Some(MembersDraft::File(file)) => {
                let list = List { group: id, path: &members_path, file, id_key: None, only };
                self.file(list, &BTreeMap::new(), roster);
            }
            Some(MembersDraft::From(from)) => self.members_from(id, &members_path, from, only, roster),
            Some(MembersDraft::Inline(members)) => {
                if members.is_empty() {
                    self.error("RC0409", &members_path, format!("the group `{id}` has an empty list of members"));
                }
                let rows: Vec<_> = members
                    .iter()
                    .enumerate()
                    .map(|(i, member)| {
                        let path = format!("{members_path}[{i}]");
                        let fields = member_fields(member);
                        (path, fields)
                    })
                    .collect();
                let list = List { group: id, path: &members_path, file: self.source.file(), id_key: None, only };
                self.inline(roster, list, &rows, Row::new);
            }
        }
        if let (Some(name), Some(_)) = (&full.only, only)
            && roster.is_nobody_in(id)
        {
            self.error("RC0409", format!("{path}.only"), format!("`{name}` holds for nobody in the group `{id}`"));
        }
    }

    fn members_from(
        &mut self,
        group: &GroupId,
        path: &str,
        from: &MembersFrom,
        only: Option<&dyn Predicate>,
        roster: &mut Roster,
    ) {
        for (i, (field, column)) in from.columns.iter().enumerate() {
            if from.columns.iter().take(i).any(|(_, before)| before == column) {
                let message = format!("the column `{column}` fills another field already");
                self.error("RC0102", key_path(&format!("{path}.columns"), field), message);
            }
        }
        let id_key = from.id_key.as_ref().map(|at| self.id_key(&format!("{path}.id_key"), at));
        match (&from.file, &from.directory) {
            (Some(file), None) => {
                let columns = from.columns.iter().cloned().collect();
                let path = format!("{path}.file");
                self.file(List { group, path: &path, file, id_key: id_key.as_ref(), only }, &columns, roster);
            }
            (None, Some(name)) => {
                if !from.columns.is_empty() {
                    let message = "`columns` are those of a file: a directory names what it gives by itself";
                    self.error("RC0104", format!("{path}.columns"), message);
                }
                let path = format!("{path}.directory");
                let Some(directory) = self.sources.directory(name) else {
                    let message = format!("there is no directory `{name}` here");
                    let help = "the program that embeds relcomm gives directories (`Hosted::directory`); the command has \
                                none: name a file of members";
                    self.out.push(Finding::error("RC0432", path, message).help(help));
                    return;
                };
                let file = format!("directory {name}");
                let list = List { group, path: &path, file: &file, id_key: id_key.as_ref(), only };
                roster.directory(list, name, Some(&self.source.at(&path)), directory);
            }
            (None, None) => self.error("RC0104", path, "`members` names neither a file nor a directory"),
            (Some(_), Some(_)) => self.error("RC0104", path, "`members` names both a file and a directory"),
        }
    }

    /// The key under which ids are derived; one that cannot be used is a finding, and the list is read all the same.
    fn id_key(&mut self, path: &str, at: &SecretRef) -> IdKey {
        match self.sources.secret(at) {
            Ok(secret) => IdKey::new(&secret).unwrap_or_else(|| {
                let message = format!("the secret in {at} is shorter than {SHORTEST} octets");
                let help = "make one that nobody guesses, such as by `openssl rand -hex 32`, and keep it: another one makes \
                            everyone another person";
                self.out.push(Finding::error("RC0431", path, message).help(help));
                IdKey::missing()
            }),
            Err(e) => {
                let message = format!("the secret in {at} cannot be read: {e}");
                let help = "ids are derived with it, and must not change between runs: give the same secret each time";
                self.out.push(Finding::error("RC0430", path, message).help(help));
                IdKey::missing()
            }
        }
    }

    fn file(&mut self, list: List<'_>, columns: &BTreeMap<String, String>, roster: &mut Roster) {
        let at = Some(self.source.at(list.path));
        match self.sources.open(list.file) {
            Ok(reader) => {
                let file = self.sources.name(list.file);
                roster.file(List { file: &file, ..list }, columns, at.as_ref(), reader);
            }
            Err(e) => self.out.push(unreadable(list.path, "member file", list.file, &e, at.as_ref())),
        }
    }

    fn inline<'r>(
        &mut self,
        roster: &mut Roster,
        list: List<'_>,
        rows: &'r [(String, Vec<Cell>)],
        new: fn() -> Row<'r>,
    ) {
        roster.begin(list.file);
        for (path, fields) in rows {
            let mut row = new();
            for (field, column, value) in fields {
                row.cell(field, column, value);
            }
            let at = self.source.at(path);
            if let Err(e) = roster.take(list, row, At { line: at.line, column: at.column }) {
                self.error("RC0407", list.path, e.to_string());
                break;
            }
        }
        roster.end();
    }
}

fn member_fields(member: &MemberDraft) -> Vec<Cell> {
    let mut fields = Vec::new();
    let mut say = |field, column: &str, value: &str| fields.push((field, column.to_owned(), value.to_owned()));
    match member {
        MemberDraft::Text(party) => {
            if let Some(name) = &party.name {
                say(Field::Name, "name", name);
            }
            fields.extend(address_fields(&party.addresses));
        }
        MemberDraft::Full(full) => {
            if let Some(id) = &full.id {
                say(Field::Id, "id", id.as_str());
            }
            if let Some(name) = &full.name {
                say(Field::Name, "name", name);
            }
            if let Some(language) = &full.language {
                say(Field::Lang, "language", language.as_str());
            }
            if let Some(zone) = full.zone {
                say(Field::Zone, "zone", zone.0.name());
            }
            for place in &full.place {
                say(Field::Place, "place", place.as_str());
            }
            for (name, value) in &full.vars {
                say(Field::Var(name.clone()), name, value);
            }
            if let Some(many) = full.stands_for {
                say(Field::StandsFor, "stands_for", &many.to_string());
            }
            if let Some(leader) = &full.through {
                say(Field::Through, "through", leader.as_str());
            }
            if full.opted_out {
                say(Field::OptedOut, "opted_out", "yes");
            }
            fields.extend(address_fields(&full.addresses));
        }
    }
    fields
}

/// A rule of being informed, as the plan's groups hold it.
fn require(draft: &RequireDraft) -> Require {
    match draft {
        RequireDraft::Share(Quantifier::All) => Require::All,
        RequireDraft::Share(Quantifier::Any) => Require::Any,
        RequireDraft::Share(Quantifier::Share(share)) => Require::Share(*share),
        RequireDraft::OnePer(of) => Require::OnePer {
            variable: of.one_per.clone(),
            among: of.among.iter().map(|(name, values)| (name.clone(), values.iter().cloned().collect())).collect(),
        },
    }
}

fn address_fields(addresses: &Addresses) -> Vec<Cell> {
    addresses
        .iter()
        .map(|(mechanism, address)| {
            (Field::Address(mechanism.clone()), mechanism.as_str().to_owned(), address.address().as_str().to_owned())
        })
        .collect()
}

/// The person of a plan that names none: the plan is refused, so that they are never seen.
fn nobody() -> Party {
    let id = StakeholderId::new("nobody").expect("`nobody` is a word");
    Party { id, name: None, addresses: BTreeMap::new() }
}
