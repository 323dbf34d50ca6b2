//! Whether the rule of a group is met.

use super::Class;
use crate::plan::StakeholderRef;
use crate::stakeholder::Require;
use std::collections::BTreeMap;

/// How it stands with a member of a group.
pub(super) struct Member<'a> {
    pub(super) who: StakeholderRef<'a>,
    pub(super) class: Class,
    /// Whether something was later than it had to be.
    pub(super) late: bool,
}

/// Whether so many of those who were due are so as the rule wants.
pub(super) fn is_met(rule: &Require, members: &[Member<'_>], is_so: impl Fn(&Member<'_>) -> bool) -> bool {
    let due = || members.iter().filter(|member| member.class != Class::Exempt);
    let people = |all: &mut dyn Iterator<Item = &Member<'_>>| all.map(|m| u64::from(m.who.stands_for())).sum::<u64>();
    match rule {
        Require::All => due().all(is_so),
        Require::Any => due().next().is_none() || due().any(is_so),
        Require::Share(share) => {
            people(&mut due().filter(|m| is_so(m))) * 10_000 >= people(&mut due()) * u64::from(*share)
        }
        Require::OnePer { .. } => {
            one_per(rule, members, is_so).is_none_or(|(companies, alone)| alone && companies.is_empty())
        }
    }
}

/// The companies of whom nobody who counts is so, where the rule wants one of each.
pub(super) fn unmet<'a>(rule: &Require, members: &[Member<'a>], is_so: impl Fn(&Member<'_>) -> bool) -> Vec<&'a str> {
    one_per(rule, members, is_so).map(|(companies, _)| companies).unwrap_or_default()
}

/// Those companies; and whether everyone who has none counts and is so, as each is a company of their own.
fn one_per<'a>(
    rule: &Require,
    members: &[Member<'a>],
    is_so: impl Fn(&Member<'_>) -> bool,
) -> Option<(Vec<&'a str>, bool)> {
    let Require::OnePer { variable, .. } = rule else { return None };
    let mut companies: BTreeMap<&str, bool> = BTreeMap::new();
    let mut alone = true;
    for member in members.iter().filter(|member| member.class != Class::Exempt) {
        let met = is_so(member) && rule.counts(|name| var(member, name));
        match var(member, variable) {
            Some(company) => *companies.entry(company).or_default() |= met,
            None => alone &= met,
        }
    }
    Some((companies.into_iter().filter(|(_, met)| !met).map(|(company, _)| company).collect(), alone))
}

fn var<'a>(member: &Member<'a>, wanted: &str) -> Option<&'a str> {
    member.who.last_var(|name| name == wanted)
}
