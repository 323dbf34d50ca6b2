//! Whether every part in the plan's protocol is somebody's, and no one person holds two that check each other.

use super::super::{Rule, Subject};
use crate::communique::Then;
use crate::id::{Role, StakeholderId};
use crate::plan::draft::{Act, Named};
use crate::plan::source::did_you_mean;
use crate::plan::{Finding, Findings, RESPONSIBLE, key_path};
use std::collections::BTreeSet;

/// Every role and person that the plan gives a part to is somebody.
#[derive(Debug)]
pub(super) struct Held;

impl Rule for Held {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0107"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        let approvals = cx.plan().approvals();
        let draft = cx.draft().approvals.as_ref();
        // Holders of whom no id can be made are a finding of their own.
        let nobody = |role: &str| {
            draft.is_some_and(|draft| {
                draft.roles.iter().any(|(known, holders)| known.as_str() == role && holders.is_empty())
            })
        };
        for (i, need) in approvals.need.iter().enumerate() {
            if nobody(need.role.as_str()) {
                let path = cx.entry_path("approvals.need", i);
                let message = format!("nobody holds the role `{}`, so that nobody can approve", need.role);
                let help = format!("name its holders: `roles: {{ {}: [PERSON] }}`", need.role);
                out.push(Finding::error("RC0107", path, message).help(help));
            }
        }
        for (i, need) in approvals.need.iter().enumerate() {
            let holders = approvals.roles.get(&need.role).map(Vec::as_slice).unwrap_or_default();
            let none_may = !holders.iter().any(|holder| cx.plan().may(Act::Approve, holder.as_str()));
            if !holders.is_empty() && none_may {
                let path = cx.entry_path("approvals.need", i);
                let message =
                    format!("nobody who holds the role `{}` is among those who approve by `protocol`", need.role);
                out.push(
                    Finding::error("RC0107", path, message)
                        .help("name a holder of the role, or the role, in `protocol.approve`"),
                );
            }
        }
        for communique in cx.plan().communiques() {
            if let Some(Then::Ask(role)) = communique.if_blocked.as_ref().map(|blocked| &blocked.then)
                && nobody(role.as_str())
            {
                let path = key_path("communiques", communique.id.as_str()) + ".if_blocked.then";
                let message = format!("nobody holds the role `{role}`, so that nobody can answer");
                let help = format!("name its holders: `roles: {{ {role}: [PERSON] }}`");
                out.push(Finding::error("RC0107", path, message).help(help));
            }
        }
        let mut words = people_named(cx);
        words.insert(RESPONSIBLE.to_owned());
        words.extend(cx.plan().responsible().performers.keys().map(ToString::to_string));
        for (path, named) in parts(cx) {
            let word = named.as_str();
            if nobody(word) {
                let finding = Finding::error("RC0107", path, format!("nobody holds the role `{word}`"));
                out.push(finding.help("name its holders in `approvals.roles`"));
            } else if !words.contains(word) && !approvals.roles.keys().any(|role| role.as_str() == word) {
                let known = words.iter().map(String::as_str).chain(approvals.roles.keys().map(Role::as_str));
                let help = did_you_mean(word, known).unwrap_or_else(|| {
                    "name the holders of a role in `approvals.roles`, a person under `responsible`".into()
                });
                // The word is not repeated: it may be a name or an address.
                let message = "this is neither a role that somebody holds nor a person of the plan";
                out.push(Finding::warning("RC0107", path, message).help(help));
            }
        }
    }
}

/// Whom the plan names by `protocol` and `embargo.lift`, with the path of each.
fn parts<'a>(cx: &Subject<'a>) -> Vec<(String, &'a Named)> {
    let mut parts = Vec::new();
    if let Some(protocol) = &cx.draft().protocol {
        let acts = [
            ("prepare", &protocol.prepare),
            ("approve", &protocol.approve),
            ("declare", &protocol.declare),
            ("execute", &protocol.execute),
        ];
        for (act, named) in acts {
            let path = format!("protocol.{act}");
            parts.extend(named.iter().enumerate().map(|(i, named)| (cx.entry_path(&path, i), named)));
        }
    }
    if let Some(embargo) = &cx.draft().embargo {
        parts.extend(embargo.0.lift.iter().enumerate().map(|(i, named)| (cx.entry_path("embargo.lift", i), named)));
    }
    parts
}

/// The ids of those who answer for the release, perform, or hold a role.
fn people_named(cx: &Subject<'_>) -> BTreeSet<String> {
    let responsible = cx.plan().responsible();
    let parties =
        std::iter::once(&responsible.execute).chain(&responsible.backup).chain(responsible.performers.values());
    let holders = cx.plan().approvals().roles.values().flatten();
    parties.map(|party| &party.id).chain(holders).map(|id| id.as_str().to_owned()).collect()
}

/// Nobody approves what they alone declare or execute.
#[derive(Debug)]
pub(super) struct Separate;

impl Rule for Separate {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0205"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        let approvals = cx.plan().approvals();
        let Some(draft) = &cx.draft().approvals else { return };
        let distinct: Vec<Act> = draft.distinct.iter().copied().collect();
        let asked = |a: Act, b: Act| distinct.contains(&a) && distinct.contains(&b);
        let acts = [(Act::Declare, "declare", who(cx, Act::Declare)), (Act::Execute, "execute", who(cx, Act::Execute))];
        for (i, need) in approvals.need.iter().enumerate() {
            let Some(approvers) = approvals.roles.get(&need.role).filter(|holders| !holders.is_empty()) else {
                continue;
            };
            let approvers: BTreeSet<&str> = approvers.iter().map(StakeholderId::as_str).collect();
            for (act, word, doers) in &acts {
                let Some(one) = doers.as_ref().and_then(|doers| only(&approvers, doers)) else { continue };
                let path = cx.entry_path("approvals.need", i);
                let message = format!("`{one}` alone can approve as `{}` and alone can {word}", need.role);
                let help = format!("let a second person hold `{}`, or {word}", need.role);
                let finding = if asked(Act::Approve, *act) { Finding::error } else { Finding::warning };
                out.push(finding("RC0205", path, message).help(help));
            }
        }
        if let [(_, _, Some(declarers)), (_, _, Some(executors))] = &acts
            && asked(Act::Declare, Act::Execute)
            && let Some(one) = only(&declarers.iter().map(String::as_str).collect(), executors)
        {
            let message =
                format!("`{one}` alone can declare and alone can execute, yet `distinct` asks for two people");
            out.push(
                Finding::error("RC0205", "approvals.distinct", message).help("name a second person in `protocol`"),
            );
        }
    }
}

/// The one person of both, where there is no other.
fn only<'a>(approvers: &BTreeSet<&'a str>, doers: &BTreeSet<String>) -> Option<&'a str> {
    let one = approvers.first().filter(|_| approvers.len() == 1)?;
    (doers.len() == 1 && doers.contains(*one)).then_some(*one)
}

/// Who may do it: those whom `protocol` names, else for executing the responsible party; `None` where everyone may.
fn who(cx: &Subject<'_>, act: Act) -> Option<BTreeSet<String>> {
    let plan = cx.plan();
    if !plan.protocol().named(act).is_empty() {
        let mut people = people_named(cx);
        people.extend(plan.named_for(act).into_iter().map(str::to_owned));
        people.retain(|person| plan.may(act, person));
        return Some(people);
    }
    if act == Act::Declare || cx.draft().responsible.is_none() {
        return None;
    }
    let responsible = cx.plan().responsible();
    let parties = std::iter::once(&responsible.execute).chain(&responsible.backup);
    Some(parties.map(|party| party.id.as_str().to_owned()).collect())
}
