//! When as many of a gate are informed as the rules of its groups want.

use super::calendar::At;
use super::gates::Wait;
use super::{Oracle, Row, Status};
use crate::model::{Group, Person, Require, State};
use std::collections::BTreeMap;

/// How it stands with somebody in the end.
#[derive(Clone, Copy)]
enum End {
    Reached(At),
    GivenUp,
    Open,
}

impl Oracle<'_> {
    /// The groups whose rules say when as many are informed as a gate waits for; none, if it simply waits for everybody.
    pub(super) fn rules(&self, index: usize, wait: &Wait) -> Vec<&Group> {
        let to = self.case.communiques[self.gates[index].communique].to.iter();
        let counted = to.filter(|group| wait.group.is_none_or(|only| only == **group));
        let groups: Vec<&Group> = counted.map(|id| self.case.group(id)).filter(|group| !group.waived).collect();
        let is_plain = wait.state != State::Informed || groups.iter().all(|group| group.require == Require::All);
        if is_plain { Vec::new() } else { groups }
    }

    pub(super) fn rules_reach(&self, opened: At, index: usize, groups: &[&Group]) -> Status {
        let mut met = opened.vague(self.noise);
        let mut pending = false;
        let mut impossible = false;
        for group in groups {
            let mut members = Vec::new();
            for who in self.case.people.iter().filter(|who| who.groups.contains(group.id)) {
                let Some(row) = self.rows.get(&(index, who.id.clone())) else { continue };
                let Some(end) = self.end(index, row) else { return Status::Unclear };
                members.extend(end.map(|end| (who, end)));
            }
            match of(group, &members) {
                End::Reached(at) => met = met.max(at),
                End::GivenUp => impossible = true,
                End::Open => pending = true,
            }
        }
        if impossible {
            Status::Impossible
        } else if pending {
            Status::Pending
        } else {
            Status::Met(met)
        }
    }

    /// How it stands with whom a row is about in the end: of no account, if they wish not to be told. `None` where that is unclear.
    fn end(&self, index: usize, row: &Row) -> Option<Option<End>> {
        Some(match row {
            Row::Unclear => return None,
            Row::Exempt => None,
            Row::Whole(_) => Some(End::GivenUp),
            Row::Through(leader) => match self.rows.get(&(index, leader.clone())) {
                Some(Row::Through(_) | Row::Exempt) | None => Some(End::GivenUp),
                Some(row) => self.end(index, row)?,
            },
            Row::Delivery(told) if !told.is_clear() || told.is_shaky => return None,
            Row::Delivery(told) => Some(match told.reached(told.informed_when) {
                Some(at) => End::Reached(at),
                None if told.moves_no_more => End::GivenUp,
                None => End::Open,
            }),
        })
    }
}

/// What the rule of a group makes of how its members end.
fn of(group: &Group, members: &[(&Person, End)]) -> End {
    let all = || members.iter().map(|(_, end)| *end);
    match group.require {
        // Who waits for everybody hears of the first who is given up when nobody is left on the way.
        Require::All if all().any(|end| matches!(end, End::Open)) => End::Open,
        Require::All => every(all()),
        Require::Any if members.is_empty() => every(all()),
        Require::Any => any(all()),
        Require::Share(share) => {
            let weight = |(who, _): &(&Person, End)| u64::from(who.stands_for);
            let wanted = members.iter().map(weight).sum::<u64>() * u64::from(share);
            let possible = members.iter().filter(|(_, end)| !matches!(end, End::GivenUp)).map(weight).sum::<u64>();
            let enough = |bound: fn(&At) -> i64| {
                let reached = members.iter().filter_map(|(who, end)| match end {
                    End::Reached(at) => Some((bound(at), u64::from(who.stands_for))),
                    End::GivenUp | End::Open => None,
                });
                let mut reached: Vec<_> = reached.collect();
                reached.sort_unstable();
                let mut sum = 0;
                reached.into_iter().find_map(|(at, weight)| {
                    sum += weight * 100;
                    (sum >= wanted).then_some(at)
                })
            };
            match (enough(|at| at.lo), enough(|at| at.hi)) {
                _ if wanted == 0 => every([].into_iter()),
                (Some(lo), Some(hi)) => End::Reached(At { lo, hi }),
                _ if possible * 100 < wanted => End::GivenUp,
                _ => End::Open,
            }
        }
        Require::OnePerCompany => {
            let mut companies: BTreeMap<&str, Vec<End>> = BTreeMap::new();
            for (who, end) in members {
                companies.entry(who.company.unwrap_or(&who.id)).or_default().push(*end);
            }
            every(companies.into_values().map(|ends| any(ends.into_iter())))
        }
    }
}

/// Of those who all must be reached: when the last was.
fn every(mut ends: impl Iterator<Item = End>) -> End {
    let begin = End::Reached(At::exact(i64::MIN));
    ends.try_fold(begin, |met, end| match (met, end) {
        (_, End::GivenUp) => Err(End::GivenUp),
        (End::Reached(one), End::Reached(other)) => Ok(End::Reached(one.max(other))),
        _ => Ok(End::Open),
    })
    .unwrap_or_else(|given_up| given_up)
}

/// Of those of whom one is enough: when the first was reached.
fn any(ends: impl Iterator<Item = End>) -> End {
    ends.fold(End::GivenUp, |best, end| match (best, end) {
        (End::Reached(one), End::Reached(other)) => {
            End::Reached(At { lo: one.lo.min(other.lo), hi: one.hi.min(other.hi) })
        }
        (End::Reached(at), _) | (_, End::Reached(at)) => End::Reached(at),
        (End::Open, _) | (_, End::Open) => End::Open,
        _ => End::GivenUp,
    })
}
