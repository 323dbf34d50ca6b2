//! Who must approve what.

use super::Resolver;
use super::groups::party_id;
use crate::plan::draft::{ApprovalCovers, NeedDraft};
use crate::plan::key_path;
use crate::plan::valid::{Approvals, Need};

impl Resolver<'_> {
    /// The path of an entry, which is that of the whole where only one is written.
    fn entry(&self, path: &str) -> String {
        match path.rsplit_once('[') {
            Some((whole, _)) if self.source.get(path).is_none() => whole.to_owned(),
            _ => path.to_owned(),
        }
    }

    pub(super) fn approvals(&mut self) -> Approvals {
        let Some(draft) = &self.draft.approvals else { return Approvals::default() };
        let mut approvals = Approvals {
            covers_people: draft.covers == Some(ApprovalCovers::TextsAndPeople),
            distinct: draft.distinct.to_vec(),
            expire: draft.expire.and_then(|expire| self.elapsed("approvals.expire", expire)),
            ..Approvals::default()
        };
        for (role, holders) in &draft.roles {
            let mut ids = Vec::new();
            for (i, party) in holders.iter().enumerate() {
                match party_id(party) {
                    Some(id) => ids.push(id),
                    None => self.error(
                        "RC0103",
                        format!("{}[{i}]", key_path("approvals.roles", role.as_str())),
                        "this person has neither an id nor an address to make one of",
                    ),
                }
            }
            approvals.roles.insert(role.clone(), ids);
        }
        for (i, need) in draft.need.iter().enumerate() {
            let path = format!("approvals.need[{i}]");
            let (role, only, retrospective) = match need {
                NeedDraft::Role(role) => (role, Vec::new(), None),
                NeedDraft::Only(need) => {
                    let path = format!("{}.retrospective", self.entry(&path));
                    let within = need.retrospective.and_then(|within| self.elapsed(&path, within));
                    (&need.role, need.only.to_vec(), within)
                }
            };
            if !approvals.roles.contains_key(role) {
                self.dangling(&path, "role", role.as_str(), draft.roles.keys().map(crate::id::Role::as_str));
            }
            for (n, id) in only.iter().enumerate() {
                if !self.draft.communiques.keys().any(|known| known == id) {
                    let known: Vec<&str> = self.draft.communiques.keys().map(crate::id::CommuniqueId::as_str).collect();
                    self.dangling(format!("{path}.only[{n}]"), "communique", id.as_str(), known);
                }
            }
            approvals.need.push(Need { role: role.clone(), only, retrospective });
        }
        approvals
    }
}
