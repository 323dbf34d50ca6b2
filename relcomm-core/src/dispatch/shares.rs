//! How many of a gate have reached a state: whether these are as many as a dependency wants, or can still become so.

use super::gates::PAGE;
use super::{DispatchError, Dispatcher, Record};
use crate::communique::{Share, State};
use crate::course::Phase;
use crate::id::GroupId;
use crate::journal::GateRow;
use crate::plan::StakeholderRef;
use crate::prepare::{Apart, GatePlan, Requirement, Roll};
use crate::stakeholder::Require;
use std::collections::{BTreeMap, HashMap};

/// Whether somebody has reached a state; `None` while that is open.
pub(super) type Reached = Option<bool>;

/// How many of whom: of one group, or of all.
type Rule<'a> = (Option<&'a GroupId>, Require);

impl Dispatcher {
    /// The rules by which a requirement counts the people of a gate; none where it simply wants everybody.
    pub(super) fn rules_of<'a>(&'a self, requirement: &'a Requirement, gate: &GatePlan) -> Vec<Rule<'a>> {
        match (requirement.share, requirement.state) {
            (Some(Share::All), _) => Vec::new(),
            (Some(share), _) => vec![(requirement.group.as_ref(), share.into())],
            (None, State::Informed) => {
                let plan = self.prepared.plan();
                let counts = |id: &GroupId| requirement.group.as_ref().is_none_or(|only| only == id);
                let to = self.prepared.communique(gate).to.iter().filter(|id| counts(id));
                let groups = to.filter_map(|id| plan.group(id)).filter(|group| group.waived.is_none());
                let rules: Vec<Rule<'a>> = groups.map(|group| (Some(&group.id), group.require.clone())).collect();
                if rules.iter().all(|(_, rule)| rule.is_all()) { Vec::new() } else { rules }
            }
            (None, _) => Vec::new(),
        }
    }

    /// Whether so many of a gate that is out have reached a state as these rules want: as soon as they have, or as soon as they no longer
    /// can. `None` while both may come.
    pub(super) async fn counted(
        &self,
        record: &Record,
        state: State,
        rules: &[Rule<'_>],
        plan: &GatePlan,
        row: &GateRow,
    ) -> Result<Reached, DispatchError> {
        let roll = record.roll(self, plan);
        if row.tally.running > 0 && self.is_too_early(state, rules, roll, row) {
            return Ok(None);
        }
        let everyone = self.everyone(record, state, plan, row).await?;
        let mut all = Some(true);
        for (group, rule) in rules {
            let of_group = group.map(|group| self.numbers_in(roll, group));
            let members: Vec<(StakeholderRef<'_>, Reached)> = everyone
                .iter()
                .filter(|(number, _)| of_group.as_ref().is_none_or(|members| members.contains(number)))
                .filter_map(|(number, reached)| Some((self.people_of(roll).at(*number)?, *reached)))
                .collect();
            match judged(rule, &members) {
                Some(false) => return Ok(Some(false)),
                None => all = None,
                Some(true) => {}
            }
        }
        Ok(all)
    }

    /// Whether a large gate need not be looked at one by one yet: by its tally, in which everybody counts as one, too few have got so far.
    fn is_too_early(&self, state: State, rules: &[Rule<'_>], roll: &Roll, row: &GateRow) -> bool {
        let [(None, rule)] = rules else { return false };
        let least = match state {
            State::Reached(assurance) => Some(assurance),
            State::Informed => roll.paths().iter().map(|path| path.informed_when).min(),
            State::Settled | State::Drained => None,
        };
        let (Some(least), true) = (least, row.tally.rows > super::gates::MANY) else { return false };
        let reached = u64::from(row.tally.reached(least));
        let members = u64::from(row.tally.rows).saturating_sub(roll.posts().len() as u64);
        match rule {
            Require::Any => reached == 0,
            Require::Share(share) => reached * 10_000 < members * u64::from(*share),
            Require::All | Require::OnePer { .. } => false,
        }
    }

    /// How everybody of a gate stands, by their numbers. Whoever wishes not to be told does not count; whoever nobody can reach counts as
    /// given up; whoever is told by another stands as they do.
    async fn everyone(
        &self,
        record: &Record,
        state: State,
        plan: &GatePlan,
        row: &GateRow,
    ) -> Result<HashMap<u32, Reached>, DispatchError> {
        let roll = record.roll(self, plan);
        let held = if row.tally.doubt > 0 { self.held_posts(row.no, roll).await? } else { Vec::new() };
        let closed = matches!(row.state.phase, Phase::Closed(_));
        let mut everyone = HashMap::new();
        if closed {
            everyone.extend(roll.members().map(|(number, _)| (number, Some(state == State::Settled))));
        }
        let mut from = 0;
        loop {
            let page = self.journal.scan(row.no, from, PAGE).await?;
            let Some(last) = page.last() else { break };
            from = last.id.ordinal + 1;
            for delivery in &page {
                let Some((number, path)) = self.seat(roll, delivery) else { continue };
                let Some(path) = roll.path(path) else { continue };
                everyone.insert(number, self.has_reached((state, closed), record, (roll, path), delivery, &held));
            }
        }
        for (number, why) in roll.apart() {
            let stands = match why {
                Apart::OptedOut => continue,
                Apart::Unreachable => Some(state == State::Settled),
                Apart::Through(leader) => everyone.get(&leader).copied().unwrap_or(Some(state == State::Settled)),
            };
            everyone.insert(number, stands);
        }
        Ok(everyone)
    }
}

/// Whether as many have reached it as a rule wants; `None` while that is open.
fn judged(rule: &Require, members: &[(StakeholderRef<'_>, Reached)]) -> Reached {
    let people = |is: &dyn Fn(Reached) -> bool| -> u64 {
        members.iter().filter(|(_, reached)| is(*reached)).map(|(who, _)| u64::from(who.stands_for())).sum()
    };
    let verdict = |met: bool, possible: bool| if met { Some(true) } else { (!possible).then_some(false) };
    match rule {
        // Who waits for everybody hears of the first who is given up when nobody is left on the way.
        Require::All if people(&|reached| reached.is_none()) > 0 => None,
        Require::All => Some(people(&|reached| reached == Some(false)) == 0),
        Require::Any => {
            let met = members.is_empty() || people(&|reached| reached == Some(true)) > 0;
            verdict(met, people(&|reached| reached.is_none()) > 0)
        }
        Require::Share(share) => {
            let wanted = people(&|_| true) * u64::from(*share);
            let met = people(&|reached| reached == Some(true)) * 10_000 >= wanted;
            verdict(met, people(&|reached| reached != Some(false)) * 10_000 >= wanted)
        }
        Require::OnePer { variable, .. } => {
            let better = |one: Reached, other: Reached| match (one, other) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (None, _) | (_, None) => None,
                _ => Some(false),
            };
            let mut companies: BTreeMap<&str, Reached> = BTreeMap::new();
            let mut all: Vec<Reached> = Vec::new();
            for (who, reached) in members {
                let reached = if rule.counts(|name| var(*who, name)) { *reached } else { Some(false) };
                match var(*who, variable) {
                    Some(company) => {
                        let best = companies.entry(company).or_insert(Some(false));
                        *best = better(*best, reached);
                    }
                    None => all.push(reached),
                }
            }
            all.extend(companies.into_values());
            verdict(all.iter().all(|r| *r == Some(true)), all.iter().all(|r| *r != Some(false)))
        }
    }
}

fn var<'a>(who: StakeholderRef<'a>, wanted: &str) -> Option<&'a str> {
    who.last_var(|name| name == wanted)
}
