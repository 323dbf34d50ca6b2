//! Whether the rules of being informed can be met, and whoever is reached through somebody is.

use super::super::{Rule, Subject};
use crate::id::GroupId;
use crate::plan::{Finding, Findings, key_path, listed};
use crate::stakeholder::{Group, Require};
use std::collections::BTreeMap;

/// Whoever is reached through somebody is in every group and at every place with them, and they are reached themselves.
#[derive(Debug)]
pub(super) struct Led;

impl Rule for Led {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0420"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        let people = cx.people();
        let mut wrong: BTreeMap<(&GroupId, &'static str), (u32, usize)> = BTreeMap::new();
        let led = people.led();
        if led.is_empty() {
            return;
        }
        for (group, members) in people.groups() {
            let mut is_member = vec![false; people.len()];
            members.iter().for_each(|n| is_member.get_mut(*n as usize).into_iter().for_each(|is| *is = true));
            for &number in members {
                let (Some(leader), Some(who)) = (led.leader(number), people.at(number)) else { continue };
                let Some((no, leader)) = leader.and_then(|no| Some((no, people.at(no)?))) else {
                    wrong.entry((group, "who is not among the people of the plan")).or_insert((number, 0)).1 += 1;
                    continue;
                };
                let of = cx.plan().group(group);
                let why = if leader.through().is_some() {
                    "who is reached through another themselves"
                } else if is_member.get(no as usize) != Some(&true) {
                    "who is not in the group"
                } else if !cx
                    .plan()
                    .release()
                    .places
                    .iter()
                    .all(|p| leader.is_in(Some(&p.id)) || !who.is_in(Some(&p.id)))
                {
                    "who does not belong to all their places"
                } else if leader.opted_out() && of.is_some_and(|of| !of.despite_opt_out && !of.must_inform) {
                    // Where they must be informed it is a gap, which somebody may accept.
                    "who wishes not to be told"
                } else {
                    continue;
                };
                wrong.entry((group, why)).or_insert((number, 0)).1 += 1;
            }
        }
        for ((group, why), (first, count)) in wrong {
            let who = if count == 1 { "one member is".to_owned() } else { format!("{count} members are") };
            let path = key_path("groups", group.as_str());
            let finding = Finding::error("RC0420", path, format!("{who} reached `through` somebody {why}"));
            let finding = finding
                .help("the position is that of the first; `through` names the `id` of a member of the same group");
            out.push(match cx.member_position(first) {
                Some(position) => finding.at(position),
                None => finding,
            });
        }
    }
}

/// A rule that counts by variables can be met: some member has them, and somebody counts of each value.
#[derive(Debug)]
pub(super) struct Attainable;

impl Rule for Attainable {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0421", "RC0422"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        for group in cx.plan().groups() {
            let Require::OnePer { variable, .. } = &group.require else { continue };
            let members = || cx.people().members(&group.id).iter().filter_map(|number| cx.people().at(*number));
            // A list that could not be read is a finding of its own.
            if members().next().is_none() {
                continue;
            }
            let path = key_path("groups", group.id.as_str()) + ".require";
            let has =
                |who: crate::plan::StakeholderRef<'_>, wanted: &str| who.last_var(|name| name == wanted).is_some();
            if !members().any(|who| has(who, variable)) {
                let message = format!("nobody in the group `{}` has a `{variable}`", group.id);
                let help = "`one_per` names a variable of members: an entry of `vars`, or a column of the file";
                out.push(Finding::error("RC0421", format!("{path}.one_per"), message).help(help));
            } else if !members().any(|who| group.require.counts(|name| who.last_var(|n| n == name))) {
                let message = format!("`among` is true of nobody in the group `{}`, so that nobody counts", group.id);
                out.push(Finding::error("RC0421", format!("{path}.among"), message));
            } else {
                out.extend(without_anybody(cx, group, variable, path + ".among"));
            }
        }
    }
}

/// Finds companies of whom nobody counts, so that the rule cannot be met.
fn without_anybody(cx: &Subject<'_>, group: &Group, variable: &str, path: String) -> Option<Finding> {
    let members = cx.people().members(&group.id).iter().filter_map(|number| cx.people().at(*number));
    let mut companies: BTreeMap<&str, bool> = BTreeMap::new();
    let mut alone = 0_usize;
    // Whoever wishes not to be told is exempt, and stands for nobody.
    for who in members.filter(|who| !who.opted_out() || group.despite_opt_out) {
        let counts = group.require.counts(|name| who.last_var(|n| n == name));
        match who.last_var(|name| name == variable) {
            Some(company) => *companies.entry(company).or_default() |= counts,
            None => alone += usize::from(!counts),
        }
    }
    let all = companies.len();
    let without: Vec<&str> = companies.into_iter().filter(|(_, counts)| !counts).map(|(company, _)| company).collect();
    let mut lacks = Vec::new();
    if !without.is_empty() {
        let named = listed(without.iter().copied(), without.len());
        lacks.push(format!("nobody counts in {} of {all} `{variable}`: {named}", without.len()));
    }
    if alone > 0 {
        let who = if alone == 1 { "one member has".to_owned() } else { format!("{alone} members have") };
        lacks.push(format!("{who} no `{variable}` and {} count", if alone == 1 { "does not" } else { "do not" }));
    }
    if lacks.is_empty() {
        return None;
    }
    let message = format!("the rule of `{}` cannot be met: {}", group.id, lacks.join("; "));
    let help = "`among` must be true of a member who wishes to be told, in each of them; the report will call the group not met";
    Some(Finding::warning("RC0422", path, message).help(help))
}
