//! When as many of a gate are informed as the rules of its groups want.

use super::calendar::At;
use super::gates::{Wait, latest};
use super::{Oracle, Row, Status};
use crate::model::{Person, Require, State, Sure};
use std::collections::BTreeMap;

/// How it stands with somebody in the end.
#[derive(Clone, Copy)]
enum End {
    Reached(At),
    /// Since then, where that is known.
    GivenUp(Option<At>),
    Open,
}

/// How many of whom: of one group, or of all.
pub(super) type Rule = (Option<&'static str>, Require);

impl Oracle<'_> {
    /// The rules that say when as many are told as a gate waits for; none, if it simply waits for everybody.
    pub(super) fn rules(&self, index: usize, wait: &Wait) -> Vec<Rule> {
        match wait.share {
            Some(Require::All) => return Vec::new(),
            Some(share) => return vec![(wait.group, share)],
            None => {}
        }
        let to = self.case.communiques[self.gates[index].communique].to.iter();
        let counted = to.filter(|group| wait.group.is_none_or(|only| only == **group));
        let groups = counted.map(|id| self.case.group(id)).filter(|group| !group.waived);
        let rules: Vec<Rule> = groups.map(|group| (Some(group.id), group.require)).collect();
        let is_plain = wait.state != State::Informed || rules.iter().all(|(_, require)| *require == Require::All);
        if is_plain { Vec::new() } else { rules }
    }

    pub(super) fn rules_reach(&self, opened: At, index: usize, state: State, rules: &[Rule]) -> Status {
        let opened = opened.vague(self.noise);
        let mut met = opened;
        let mut pending = false;
        let mut impossible: Option<Option<At>> = None;
        for (group, require) in rules {
            let mut members = Vec::new();
            let counts = |who: &&Person| group.is_none_or(|group| who.groups.contains(group));
            for who in self.case.people.iter().filter(counts) {
                let Some(row) = self.rows.get(&(index, who.id.clone())) else { continue };
                let Some(end) = self.end(index, state, row) else { return Status::Unclear };
                members.extend(end.map(|end| (who, end)));
            }
            match of(*require, &members) {
                End::Reached(at) => met = met.max(at),
                // The first of them decides.
                End::GivenUp(at) => {
                    let first = |other: Option<At>| at.zip(other).map(|(one, other)| one.earlier(other));
                    impossible = Some(impossible.map_or(at, first));
                }
                End::Open => pending = true,
            }
        }
        if let Some(since) = impossible {
            Status::Impossible(since.map(|since| since.max(opened)))
        } else if pending {
            Status::Pending
        } else {
            Status::Met(met)
        }
    }

    /// How it stands with whom a row is about in the end: of no account, if they wish not to be told. `None` where that is unclear.
    fn end(&self, index: usize, state: State, row: &Row) -> Option<Option<End>> {
        let begins = Some(At::exact(i64::MIN));
        Some(match row {
            Row::Unclear => return None,
            Row::Exempt => None,
            Row::Whole(_) => Some(End::GivenUp(begins)),
            Row::Through(leader) => match self.rows.get(&(index, leader.clone())) {
                Some(Row::Through(_) | Row::Exempt) | None => Some(End::GivenUp(begins)),
                Some(row) => self.end(index, state, row)?,
            },
            Row::Delivery(told) if !told.is_clear() || told.is_shaky => return None,
            Row::Delivery(told) => {
                let reached = |sure: Sure| told.reached(sure);
                let at = match state {
                    State::Reached(sure) => reached(sure),
                    State::Informed => reached(told.informed_when),
                    State::Settled => told.settled,
                };
                Some(match at {
                    Some(at) => End::Reached(at),
                    None if told.moves_no_more => End::GivenUp(told.given_up),
                    None => End::Open,
                })
            }
        })
    }
}

/// What a rule makes of how those end whom it counts.
fn of(require: Require, members: &[(&Person, End)]) -> End {
    let all = || members.iter().map(|(_, end)| *end);
    match require {
        // Who waits for everybody hears of the first who is given up when nobody is left on the way.
        Require::All if all().any(|end| matches!(end, End::Open)) => End::Open,
        Require::All => match every(all()) {
            End::GivenUp(_) => End::GivenUp(all().try_fold(At::exact(i64::MIN), |met, end| match end {
                End::Reached(at) | End::GivenUp(Some(at)) => Some(met.max(at)),
                End::GivenUp(None) | End::Open => None,
            })),
            end => end,
        },
        Require::Any if members.is_empty() => every(all()),
        Require::Any => any(all()),
        Require::Share(share) => {
            let weight = |(who, _): &(&Person, End)| u64::from(who.stands_for);
            let wanted = members.iter().map(weight).sum::<u64>() * u64::from(share);
            let total = members.iter().map(weight).sum::<u64>();
            let knows = members.iter().all(|(_, end)| !matches!(end, End::GivenUp(None)));
            // When those of one kind first weigh so much.
            let enough = |bound: fn(&At) -> i64, given_up: bool, least: u64| {
                let of = members.iter().filter_map(|(who, end)| match end {
                    End::Reached(at) if !given_up => Some((bound(at), u64::from(who.stands_for))),
                    End::GivenUp(at) if given_up => {
                        Some((at.as_ref().map_or(i64::MIN, bound), u64::from(who.stands_for)))
                    }
                    _ => None,
                });
                let mut of: Vec<_> = of.collect();
                of.sort_unstable();
                let mut sum = 0;
                of.into_iter().find_map(|(at, weight)| {
                    sum += weight * 100;
                    (sum >= least).then_some(at)
                })
            };
            let between = |given_up: bool, least: u64| {
                Some(At { lo: enough(|at| at.lo, given_up, least)?, hi: enough(|at| at.hi, given_up, least)? })
            };
            // They leave too few.
            let too_many = total * 100 - wanted + 1;
            match (between(false, wanted), between(true, too_many)) {
                _ if wanted == 0 => every([].into_iter()),
                (Some(at), _) => End::Reached(at),
                (None, Some(at)) => End::GivenUp(knows.then_some(at)),
                (None, None) => End::Open,
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
fn every(ends: impl Iterator<Item = End>) -> End {
    let begin = End::Reached(At::exact(i64::MIN));
    ends.fold(begin, |met, end| match (met, end) {
        (End::GivenUp(one), End::GivenUp(other)) => End::GivenUp(one.zip(other).map(|(one, other)| one.earlier(other))),
        (End::GivenUp(at), _) | (_, End::GivenUp(at)) => End::GivenUp(at),
        (End::Reached(one), End::Reached(other)) => End::Reached(one.max(other)),
        _ => End::Open,
    })
}

/// Of those of whom one is enough: when the first was reached.
fn any(ends: impl Iterator<Item = End>) -> End {
    ends.fold(End::GivenUp(Some(At::exact(i64::MIN))), |best, end| match (best, end) {
        (End::Reached(one), End::Reached(other)) => End::Reached(one.earlier(other)),
        (End::Reached(at), _) | (_, End::Reached(at)) => End::Reached(at),
        (End::Open, _) | (_, End::Open) => End::Open,
        (End::GivenUp(one), End::GivenUp(other)) => End::GivenUp(latest(one, other)),
    })
}
