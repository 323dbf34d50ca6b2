//! When a gate opens, or what becomes of it instead. Every condition is looked at at every time at which one of them may change, once
//! with all that is vague as early as it can be, and once as late.

use super::calendar::{At, resolve};
use super::{Fate, Gate, Oracle, Row, Status};
use crate::model::{After, Anchor, Communique, Minutes, Outcome, Person, Require, State, Then, Time};
use chrono_tz::Tz;
use std::collections::BTreeSet;

/// What a gate waits for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wait {
    pub(super) on: usize,
    pub(super) state: State,
    pub(super) group: Option<&'static str>,
    pub(super) share: Option<Require>,
}

impl From<&After> for Wait {
    fn from(of: &After) -> Self {
        Self { on: of.on, state: of.state, group: of.group, share: of.share }
    }
}

/// The later of two times, if both are known.
pub(super) fn latest(one: Option<At>, other: Option<At>) -> Option<At> {
    one.zip(other).map(|(one, other)| one.max(other))
}

/// Whether a place has what it needs: never, or since some time between two instants.
pub(crate) enum Readiness {
    Never,
    Since(Minutes, Minutes),
    Unclear,
}

/// Later than anything.
pub(super) const NEVER: Minutes = Minutes::MAX / 4;

pub(super) fn stands(meant: Outcome, declared: Outcome) -> bool {
    meant == declared || (meant == Outcome::Begun && declared == Outcome::Success)
}

impl Oracle<'_> {
    /// What a gate waits for, by `after` and by its times.
    pub(super) fn waits(&self, of: &Communique) -> Vec<Wait> {
        let mut waits: Vec<Wait> = Vec::new();
        let after = of.after.iter().map(Wait::from);
        let times = of.times().filter_map(|time| match time.anchor {
            Anchor::Reached(on, state) => Some(Wait { on, state, group: None, share: None }),
            _ => None,
        });
        for wait in after.chain(times) {
            if !waits.contains(&wait) {
                waits.push(wait);
            }
        }
        waits
    }

    /// The gates of another communique that belong to this one.
    fn joined(&self, gate: &Gate, on: usize) -> (Vec<usize>, bool) {
        let theirs = || self.gates.iter().enumerate().filter(|(_, g)| g.communique == on);
        let same_occurrence = theirs().any(|(_, g)| g.occurrence_id == gate.occurrence_id);
        // What is not meant for a place is not waited for there.
        let same_place = theirs().any(|(_, g)| gate.place.is_some() == g.place.is_some());
        let joined = theirs()
            .filter(|(_, g)| !same_occurrence || g.occurrence_id == gate.occurrence_id)
            .filter(|(_, g)| !same_place || g.place == gate.place)
            .map(|(index, _)| index);
        (joined.collect(), same_place)
    }

    /// How it stands at the end with what a gate waits for.
    pub(super) fn wait(&self, gate: &Gate, wait: &Wait) -> Status {
        let (joined, same_place) = self.joined(gate, wait.on);
        let mut met = At::exact(self.case.start);
        let mut since = Some(met);
        let mut impossible = false;
        for index in joined {
            let other = &self.gates[index];
            match self.one_wait(other, index, wait, same_place) {
                Status::Met(at) => {
                    met = met.max(at);
                    since = latest(since, Some(at));
                }
                Status::Impossible(at) => {
                    impossible = true;
                    since = latest(since, at);
                }
                Status::Pending => return Status::Pending,
                Status::Unclear => return Status::Unclear,
            }
        }
        if impossible { Status::Impossible(since) } else { Status::Met(met) }
    }

    fn one_wait(&self, other: &Gate, index: usize, wait: &Wait, same_place: bool) -> Status {
        let of = &self.case.communiques[other.communique];
        let settles = wait.state == State::Settled;
        // What stood by for a while may have been taken for settled then.
        let stands_by = |at: Minutes| {
            let declared = self.said.declared_for(of, other.place, at);
            declared.is_some_and(|(is, _)| is != Outcome::Begun && !stands(of.meant_for(), is))
        };
        let stood_by = of.awaits() && self.said.changes().any(stands_by);
        match &other.fate {
            Fate::Unclear => Status::Unclear,
            Fate::Standby(at) if self.said.changes().any(|change| change < at.lo && stands_by(change)) => {
                Status::Unclear
            }
            Fate::Standby(at) if same_place && !settles => Status::Impossible(Some(*at)),
            Fate::Standby(at) => Status::Met(*at),
            _ if stood_by => Status::Unclear,
            Fate::Pending | Fate::Asks => Status::Pending,
            Fate::Blocked(at) => Status::Impossible(*at),
            Fate::Closed(_, at) if settles => Status::Met(*at),
            Fate::Closed(_, at) => Status::Impossible(Some(*at)),
            // What was reached by all is not, once somebody joins.
            Fate::Opens(at) if self.changes_while_open(other, *at) => Status::Unclear,
            Fate::Opens(at) => match self.rules(index, wait).as_slice() {
                [] => self.rows_reach(*at, index, wait),
                rules => self.rules_reach(*at, index, wait.state, rules),
            },
        }
    }

    /// Whether somebody whom a gate concerns comes once it is open, or goes.
    fn changes_while_open(&self, gate: &Gate, opened: At) -> bool {
        let comes = |who: &Person| self.case.joins(&who.id).is_some_and(|joined| joined > opened.lo);
        let goes = |who: &Person| self.case.leaves(&who.id).is_some_and(|left| left > opened.lo);
        self.case.people.iter().any(|who| self.concerns(gate, who) && (comes(who) || goes(who)))
    }

    fn rows_reach(&self, opened: At, index: usize, wait: &Wait) -> Status {
        let mut met = opened.vague(self.noise);
        let mut since = Some(met);
        let mut impossible = false;
        for (who, row) in self.rows.iter().filter(|((gate, _), _)| *gate == index).map(|((_, who), row)| (who, row)) {
            let is_in = |group: &str| self.case.person(who).groups.contains(group);
            if wait.group.is_some_and(|group| !is_in(group)) {
                continue;
            }
            let told = match row {
                Row::Delivery(told) => told,
                Row::Unclear => return Status::Unclear,
                Row::Exempt | Row::Through(_) | Row::Whole(_) => continue,
            };
            if !told.is_clear() || told.is_shaky {
                return Status::Unclear;
            }
            let reached = match wait.state {
                State::Reached(sure) => told.reached(sure),
                State::Informed => told.reached(told.informed_when),
                State::Settled => told.settled,
            };
            match reached {
                Some(at) => {
                    met = met.max(at);
                    since = latest(since, Some(at));
                }
                None if told.moves_no_more => {
                    impossible = true;
                    since = latest(since, told.given_up);
                }
                None => return Status::Pending,
            }
        }
        if impossible { Status::Impossible(since) } else { Status::Met(met) }
    }

    /// How it stands with what a place needs.
    pub(crate) fn needed(&self, place: &'static str) -> Option<Readiness> {
        let need = Wait::from(self.case.needs.get(place)?);
        let asks = Gate { place: Some(place), occurrence_id: None, ..self.gates.first()?.clone() };
        Some(match self.wait(&asks, &need) {
            Status::Met(at) => Readiness::Since(at.lo, at.hi),
            Status::Impossible(_) | Status::Pending => Readiness::Never,
            Status::Unclear => Readiness::Unclear,
        })
    }

    /// The instant of a time for a gate, if all that is known then is all that ever is.
    pub(super) fn instant(&self, gate: &Gate, time: &Time, zone: Tz, now: Minutes, late: bool) -> Option<Minutes> {
        let of = &self.case.communiques[gate.communique];
        let own = self.zone;
        let anchor = match &time.anchor {
            Anchor::Planned => self.said.planned(now)?,
            Anchor::At(at) => *at,
            Anchor::Begun => {
                let success = || self.said.declared(gate.place, now).filter(|(is, _)| *is == Outcome::Success);
                self.said.begun(gate.place, now).or_else(|| success().map(|(_, since)| since))?
            }
            // It counts from what it is meant for.
            Anchor::Declared => {
                self.said.declared_for(of, gate.place, now).filter(|(is, _)| stands(of.meant_for(), *is))?.1
            }
            Anchor::LastDeclared => self.said.declared(None, now)?.1,
            Anchor::Embargo => self.said.embargo_ends(now)?,
            Anchor::Reached(on, state) => {
                let wait = Wait { on: *on, state: *state, group: None, share: None };
                let index = gate.waits.iter().position(|w| *w == wait)?;
                match gate.statuses[index] {
                    Status::Met(at) => Some(if late { at.hi } else { at.lo }).filter(|at| *at <= now)?,
                    _ => return None,
                }
            }
        };
        Some(resolve(time, anchor, if time.theirs { zone } else { own }))
    }

    /// When it is due for the first, and too late for the last.
    fn due(&self, gate: &Gate, now: Minutes, late: bool) -> (Option<Minutes>, Option<Minutes>) {
        let of = &self.case.communiques[gate.communique];
        let own = &of.occurrences[gate.occurrence].at;
        let dues: Vec<&Time> = std::iter::once(own).chain(of.variants.values().filter_map(|v| v.at.as_ref())).collect();
        let is_zoned = dues.iter().any(|t| t.theirs) || of.not_after.as_ref().is_some_and(|t| t.theirs);
        let zones = if is_zoned && !gate.zones.is_empty() { gate.zones.clone() } else { vec![self.zone] };
        let mut first = Some(NEVER);
        for (time, zone) in dues.iter().flat_map(|time| zones.iter().map(move |zone| (time, zone))) {
            let at = self.instant(gate, time, *zone, now, late);
            first = first.zip(at).map(|(a, b)| a.min(b));
        }
        let last = of.not_after.as_ref().and_then(|end| {
            zones
                .iter()
                .map(|zone| self.instant(gate, end, *zone, now, late))
                .collect::<Option<Vec<_>>>()?
                .into_iter()
                .max()
        });
        (first, last)
    }

    /// Whether a gate is meant for another outcome than that which is declared in the end.
    pub(super) fn stands_by_at_last(&self, gate: &Gate) -> bool {
        let of = &self.case.communiques[gate.communique];
        let declared = self.said.declared_for(of, gate.place, NEVER).map(|(is, _)| is);
        let begins_only = declared == Some(Outcome::Begun) && of.meant_for() != Outcome::Begun;
        of.awaits() && !begins_only && declared.is_some_and(|is| !stands(of.meant_for(), is))
    }

    /// What becomes of a gate, with everything vague early or late.
    fn sweep(&self, gate: &Gate, late: bool) -> Fate {
        let of = &self.case.communiques[gate.communique];
        let when = |at: At| if late { at.hi } else { at.lo };
        let mut times: Vec<Minutes> = self.said.changes().chain([self.case.start]).collect();
        times.extend(gate.statuses.iter().filter_map(|s| match s {
            Status::Met(at) | Status::Impossible(Some(at)) => Some(when(*at)),
            _ => None,
        }));
        for at in times.clone() {
            let (first, last) = self.due(gate, at, late);
            times.extend(first.filter(|at| *at < NEVER));
            times.extend(last.map(|at| at + 1));
        }
        let mut times: BTreeSet<Minutes> = times.into_iter().filter(|at| *at >= self.case.start).collect();
        let cancelled = self.said.cancelled(gate.communique);
        let mut fate = Fate::Pending;
        let mut blocked: Option<Minutes> = None;
        let mut forced = false;
        while let Some(at) = times.pop_first() {
            let before = fate.clone();
            let exact = At::exact(at);
            if cancelled.is_some_and(|when| when <= at) {
                return Fate::Closed("cancelled", exact);
            }
            let (due, last) = self.due(gate, at, late);
            let declared = self.said.declared_for(of, gate.place, at);
            // What stands by is not late.
            if let Some((is, since)) = declared.filter(|(is, _)| of.awaits() && *is != Outcome::Begun)
                && !stands(of.meant_for(), is)
            {
                let stood_by = matches!(before, Fate::Standby(_));
                fate = if stood_by { before } else { Fate::Standby(At::exact(since)) };
                continue;
            }
            if last.is_some_and(|last| last < at) {
                // Right after the last minute.
                let over = At { lo: at - 1, hi: at };
                return Fate::Closed("expired", over);
            }
            fate = Fate::Pending;
            if of.awaits() && !declared.is_some_and(|(is, _)| stands(of.meant_for(), is)) {
                continue;
            }
            let stands_in = self.said.is_held(gate.communique, at) || !self.said.is_approved(of, at);
            if stands_in || self.said.is_gap(at) {
                continue;
            }
            let is_impossible = |s: &Status| match s {
                Status::Impossible(since) => since.is_none_or(|since| when(since) <= at),
                _ => false,
            };
            if gate.statuses.iter().any(is_impossible) && !forced {
                // A hold does not begin it anew.
                let since = *blocked.get_or_insert(at);
                let Some(rule) = of.if_blocked else {
                    let is_known = !gate.statuses.contains(&Status::Impossible(None));
                    fate = Fate::Blocked(is_known.then_some(At::exact(since)));
                    continue;
                };
                let until = since + rule.after;
                if at < until {
                    times.insert(until);
                    continue;
                }
                match rule.then {
                    Then::Cancel => return Fate::Closed("blocked", exact),
                    Then::Proceed => forced = true,
                    // Who is not asked yet lifts a hold with the same word.
                    Then::Ask if before == Fate::Asks && self.said.lets_go_on(gate.communique, at) => forced = true,
                    Then::Ask => {
                        fate = Fate::Asks;
                        continue;
                    }
                }
            }
            if self.case.is_embargoed(of) && self.said.embargo_ends(at).is_none_or(|end| end > at) {
                continue;
            }
            let met = |s: &Status| match s {
                Status::Met(when_met) => when(*when_met) <= at,
                Status::Impossible(_) => forced,
                Status::Pending | Status::Unclear => false,
            };
            if due.is_some_and(|due| due <= at) && gate.statuses.iter().all(met) {
                return Fate::Opens(exact);
            }
        }
        fate
    }

    /// What becomes of a gate.
    pub(super) fn fate(&self, gate: &Gate) -> Fate {
        let fate = self.likely_fate(gate);
        // That an approval has expired is seen when something else happens.
        let open = matches!(fate, Fate::Pending | Fate::Blocked(_) | Fate::Asks | Fate::Standby(_));
        let expires = self.case.approvals.expire_days.is_some();
        if open && expires && !self.said.is_approved(self.of(gate), NEVER) { Fate::Unclear } else { fate }
    }

    fn likely_fate(&self, gate: &Gate) -> Fate {
        // To whom it goes is known from what came of another; the invariants judge that.
        if self.is_unsteady(gate) || self.of(gate).corrects.is_some() {
            return Fate::Unclear;
        }
        let acts = self.of(gate).if_blocked.is_some();
        let is_unclear = |s: &Status| *s == Status::Unclear || (acts && *s == Status::Impossible(None));
        if gate.statuses.iter().any(is_unclear) || (acts && self.wavers(gate)) {
            // Whatever becomes of what it waits for, a time that is over or a word that closes it may still decide.
            return Fate::Unclear;
        }
        match (self.sweep(gate, false), self.sweep(gate, true)) {
            // Revisions follow.
            (Fate::Opens(early), _) if self.of(gate).on_slip && self.said.slips_after(early.lo) => Fate::Unclear,
            (Fate::Opens(early), Fate::Opens(late)) => {
                let at = At { lo: early.lo, hi: late.hi + self.noise };
                let after = At { lo: early.lo, hi: late.hi };
                if early.lo != late.lo && self.said.changes_within(after) {
                    return Fate::Unclear;
                }
                Fate::Opens(at)
            }
            (Fate::Closed(why, early), Fate::Closed(other, late)) if why == other => {
                Fate::Closed(why, At { lo: early.lo, hi: late.hi })
            }
            (Fate::Blocked(early), Fate::Blocked(late)) => {
                let both = early.zip(late);
                Fate::Blocked(both.map(|(early, late)| At { lo: early.lo, hi: late.hi + self.noise }))
            }
            (early, late) if early == late => early,
            _ => Fate::Unclear,
        }
    }

    /// Whether it hangs on how a clock that jumps is believed when a gate opens.
    fn is_unsteady(&self, gate: &Gate) -> bool {
        self.goes_far_back || (self.case.jumps() && self.case.is_embargoed(self.of(gate)))
    }

    /// Whether it may have seemed for a while that what a gate waits for would not come.
    fn wavers(&self, gate: &Gate) -> bool {
        let wavered = |index: usize| {
            let rows = self.rows.iter().filter(|((of, _), _)| *of == index);
            rows.into_iter().any(|(_, row)| matches!(row, Row::Delivery(told) if told.wavered))
        };
        gate.waits.iter().any(|wait| self.joined(gate, wait.on).0.into_iter().any(wavered))
    }

    /// From when on attempts of a gate may be made, at a time at which it is open: `None` if never again.
    pub(super) fn leasable_from(&self, gate: &Gate, at: Minutes) -> Option<Minutes> {
        let of = &self.case.communiques[gate.communique];
        if self.closes(gate, at).is_some_and(|closed| closed <= at) {
            return None;
        }
        let may = |at: Minutes| {
            let declared = self.said.declared_for(of, gate.place, at);
            let stands = !of.awaits() || declared.is_some_and(|(is, _)| stands(of.meant_for(), is));
            stands && !self.said.is_held(gate.communique, at) && self.said.goes_on(of, at)
        };
        if may(at) {
            return Some(at);
        }
        let mut changes: Vec<Minutes> = self.said.changes().filter(|change| *change > at).collect();
        changes.sort_unstable();
        let next = changes.into_iter().find(|change| may(*change))?;
        self.closes(gate, at).is_none_or(|closed| next < closed).then_some(next)
    }

    /// When nothing more goes out of an open gate: it is cancelled, or the release rolled back.
    pub(super) fn closes(&self, gate: &Gate, opened: Minutes) -> Option<Minutes> {
        let of = &self.case.communiques[gate.communique];
        let since = if let Fate::Opens(at) = gate.fate { at.lo } else { opened };
        let rolled_back = self.said.changes().filter(|at| {
            of.awaits()
                && *at >= since
                && of.meant_for() != Outcome::RolledBack
                && self.said.declared_for(of, gate.place, *at).is_some_and(|(is, _)| is == Outcome::RolledBack)
        });
        rolled_back.chain(self.said.cancelled(gate.communique)).min()
    }
}
