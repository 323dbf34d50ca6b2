//! Whether whoever is reached in a stakeholder's place can be.

use super::super::audience::audiences;
use super::super::{Rule, Subject};
use crate::communique::{Reach, Step};
use crate::id::GroupId;
use crate::mechanism::Addressing;
use crate::plan::{Escalations, Finding, Findings};
use std::collections::BTreeSet;

/// Every step that reaches somebody in a stakeholder's place finds that person, with an address for it.
#[derive(Debug)]
pub(super) struct Reachable;

impl Rule for Reachable {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0505"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        let mut escalations = None;
        let mut said = BTreeSet::new();
        for communique in cx.plan().communiques() {
            let audiences = audiences(cx, communique);
            let own = audiences.iter().map(|audience| (audience.steps(cx), audience.groups(), audience.members()));
            let as_well = communique.to.iter().filter_map(|id| {
                let steps = cx.steps_as_well(communique, id)?;
                Some((steps, &[][..], cx.people().members(id)))
            });
            for ((steps, path), groups, members) in own.chain(as_well) {
                for (index, step) in steps.iter().enumerate() {
                    let Some(to) = &step.to else { continue };
                    let path = cx.step_path(&path, steps, index);
                    let groups: Vec<&GroupId> = groups.iter().map(|group| &group.id).collect();
                    if !said.insert((path.clone(), groups)) {
                        continue;
                    }
                    if cx.plan().addressing(&step.via) == Addressing::Once {
                        let message =
                            format!("`{}` is posted once for all: it reaches nobody in another's place", step.via);
                        out.push(
                            Finding::error("RC0505", path, message)
                                .help("name a mechanism that reaches each, or leave `to` out"),
                        );
                        continue;
                    }
                    let found =
                        escalations.get_or_insert_with(|| Escalations::of(cx.plan(), cx.people())) as &Escalations;
                    judge(cx, found, (path, step, to), members, out);
                }
            }
        }
    }
}

fn judge(
    cx: &Subject<'_>,
    escalations: &Escalations,
    (path, step, to): (String, &Step, &Reach),
    members: &[u32],
    out: &mut Findings,
) {
    let via = &step.via;
    // Nobody of that name, no address: of each the first member for whom it is so, and how many.
    let mut lost: [(Option<u32>, usize); 2] = [(None, 0); 2];
    for number in members {
        let Some(who) = cx.people().at(*number) else { continue };
        let slot = match escalations.reached((cx.plan(), cx.people()), to, via, who) {
            None => 0,
            Some(reached) if reached.address(via).is_none() => 1,
            Some(_) => continue,
        };
        let (first, count) = &mut lost[slot];
        first.get_or_insert(*number);
        *count += 1;
    }
    for ((first, count), missing) in lost.into_iter().zip(["is named", "has an address"]) {
        let Some(first) = first else { continue };
        let (message, help) = match to {
            Reach::Named(_) if missing == "is named" => (
                "nobody of the plan's people has this id, and nobody holds this role".to_owned(),
                "name somebody in a group or under `responsible`, or a role with its holders in `approvals.roles`",
            ),
            Reach::Named(_) => (
                format!("whom this step reaches has no address for `{via}`"),
                "give them one, or name another mechanism",
            ),
            Reach::Column(column) => {
                let of = if count == 1 { "of one member".to_owned() } else { format!("of {count} members") };
                let message = match missing {
                    "is named" => format!("the variable `{column}` {of} names nobody of the plan's people"),
                    _ => format!("whom the variable `{column}` {of} names has no address for `{via}`"),
                };
                (
                    message,
                    "the position is that of the first; everyone in the column stands in a group, with an address",
                )
            }
        };
        let finding = Finding::error("RC0505", &path, message).help(help);
        out.push(match (to, cx.member_position(first)) {
            (Reach::Column(_), Some(position)) => finding.at(position),
            _ => finding,
        });
    }
}
