//! Who must approve what.

use super::Resolver;
use super::groups::party_id;
use crate::plan::draft::{Act, ApprovalCovers, NeedDraft};
use crate::plan::key_path;
use crate::plan::valid::{Approvals, Need};

impl Resolver<'_> {
    pub(super) fn approvals(&mut self) -> Approvals {
        let Some(draft) = &self.draft.approvals else { return Approvals::default() };
        if draft.distinct.iter().any(|act| matches!(act, Act::Prepare | Act::Execute)) {
            self.inert("RC0910", "approvals.distinct", "who prepares and who executes, of which there is no record");
        }
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
            let (role, only) = match need {
                NeedDraft::Role(role) => (role, Vec::new()),
                NeedDraft::Only(need) => (&need.role, need.only.to_vec()),
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
            approvals.need.push(Need { role: role.clone(), only });
        }
        approvals
    }
}
