//! What must come of a case, computed from the case alone and in another way than the engine does: no facts, no record and no versions,
//! but for each gate the time at which its conditions are true, and for each delivery its story from beginning to end.
//!
//! Times are known to lie between two instants, since attempts, retries and crashes take a little. Where the order of two things is not
//! clear from that, neither is what comes of them: the oracle says so, and the invariants alone judge.

mod calendar;
mod gates;
mod people;
mod posts;
mod roll;
mod rules;
mod tries;
mod walk;

use crate::far_side::To;
use crate::model::{Case, Communique, Event, Group, Mech, Minutes, Outcome, Person, Require, Sure};
use calendar::{At, zone};
use chrono_tz::Tz;
pub(crate) use gates::Readiness;
use gates::Wait;
use people::Said;
use std::collections::{BTreeMap, BTreeSet};

/// How it stands with somebody, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    Exempt,
    Informed,
    Unconfirmed,
    NotInformed,
}

/// One gate and what becomes of it.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    pub(crate) communique: usize,
    occurrence: usize,
    pub(crate) occurrence_id: Option<&'static str>,
    pub(crate) place: Option<&'static str>,
    waits: Vec<Wait>,
    statuses: Vec<Status>,
    zones: Vec<Tz>,
    fate: Fate,
}

/// How it stands with what a gate waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Met(At),
    /// Since then, where that is known.
    Impossible(Option<At>),
    Pending,
    Unclear,
}

#[derive(Clone, Debug, PartialEq)]
enum Fate {
    Opens(At),
    Closed(&'static str, At),
    Standby(At),
    /// Since then, where that is known.
    Blocked(Option<At>),
    /// Somebody is asked, and has not answered.
    Asks,
    Pending,
    Unclear,
}

/// What comes of one person at one gate.
#[derive(Clone, Debug)]
enum Row {
    Exempt,
    Through(String),
    /// The gate never opens: as that is for all.
    Whole(Class),
    Delivery(Told),
    Unclear,
}

/// What comes of a delivery.
#[derive(Clone, Debug)]
struct Told {
    informed_when: Sure,
    class: Option<Class>,
    reached: BTreeMap<Sure, At>,
    settled: Option<At>,
    moves_no_more: bool,
    /// When nothing more could come of it, where that is known.
    given_up: Option<At>,
    /// Whether something that was proved was taken back later.
    is_shaky: bool,
    /// Whether it seemed for a while that nothing would come of it: who waits for it may have acted on that.
    wavered: bool,
    late: Option<bool>,
}

impl Told {
    fn is_clear(&self) -> bool {
        self.class.is_some()
    }

    fn reached(&self, sure: Sure) -> Option<At> {
        self.reached.range(sure..).map(|(_, at)| *at).min_by_key(|at| at.lo)
    }
}

/// What the far sides saw of the crashes: attempts that were cut off, of which nobody knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cut {
    /// Gate, person or none for a post, and mechanism.
    pub(crate) seen: BTreeSet<(String, Option<String>, Mech)>,
    /// When a dispatcher died, in minutes: what it had taken on and not yet begun is unknown too.
    pub(crate) deaths: Vec<Minutes>,
    /// What had a final answer.
    pub(crate) decided: BTreeSet<(String, Option<String>, Mech)>,
    /// Which of the events were refused: whether a place has what it needs may hang on minutes.
    pub(crate) refused: BTreeSet<usize>,
}

/// What is foretold of a row of the report.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Foretold {
    /// Nothing, where it is unclear.
    pub(crate) class: Option<Class>,
    pub(crate) late: Option<bool>,
}

/// The case by the machine's clock: what happens after a jump happens so much later, or earlier.
pub(crate) fn as_shown(case: &Case) -> Case {
    let mut shown = case.clone();
    let mut ahead = 0;
    for (at, event) in &mut shown.events {
        *at += ahead;
        if let Event::Jump(by) = event {
            ahead += *by;
        }
    }
    shown
}

pub(crate) struct Oracle<'a> {
    /// As the machine's clock shows it.
    case: &'a Case,
    cut: &'a Cut,
    zone: Tz,
    said: Said<'a>,
    pub(crate) gates: Vec<Gate>,
    rows: BTreeMap<(usize, String), Row>,
    /// Whether the clock is put back so far that much happens before what went before it.
    goes_far_back: bool,
    /// How long what is done at once may take.
    noise: Minutes,
    /// How long retries may take on top.
    retries: Minutes,
}

impl<'a> Oracle<'a> {
    pub(crate) fn new(case: &'a Case, cut: &'a Cut) -> Self {
        let jumps: Minutes = case.events.iter().map(|(_, e)| if let Event::Jump(by) = e { by.abs() } else { 0 }).sum();
        let outages: Minutes = case.trouble.outages.iter().map(|(.., lasts)| lasts + 2).sum();
        let crashes = 2 * case.trouble.crashes.len() as Minutes;
        let noise = 2 + jumps + outages + crashes;
        let goes_far_back = case.events.iter().any(|(_, event)| matches!(event, Event::Jump(by) if *by < -10));
        let mut oracle = Self {
            goes_far_back,
            case,
            cut,
            zone: zone(case.zone),
            said: Said { case, gaps: BTreeSet::new(), refused: &cut.refused },
            gates: Vec::new(),
            rows: BTreeMap::new(),
            noise,
            retries: 9,
        };
        for (number, of) in case.communiques.iter().enumerate().filter(|(_, of)| !case.keeps_back(of)) {
            let places: Vec<Option<&'static str>> =
                if of.per_place { case.places_of(of).map(Some).collect() } else { vec![None] };
            for (index, occurrence) in of.occurrences.iter().enumerate() {
                for place in &places {
                    oracle.gates.push(Gate {
                        communique: number,
                        occurrence: index,
                        occurrence_id: occurrence.id,
                        place: *place,
                        waits: oracle.waits(of),
                        statuses: Vec::new(),
                        zones: Vec::new(),
                        fate: Fate::Unclear,
                    });
                }
            }
        }
        oracle.said.gaps = oracle.gaps();
        for index in 0..oracle.gates.len() {
            oracle.foretell(index);
        }
        oracle
    }

    /// Communiques wait for earlier ones only, so that what they wait for is foretold already.
    fn foretell(&mut self, index: usize) {
        let mut gate = self.gates[index].clone();
        gate.zones = self.zones(&gate);
        gate.statuses = gate.waits.iter().map(|wait| self.wait(&gate, wait)).collect();
        gate.fate = self.fate(&gate);
        let concerned = self.case.people.iter().filter(|who| self.concerns(&gate, who));
        let rows: Vec<_> = concerned.map(|who| ((index, who.id.clone()), self.row(&gate, who))).collect();
        self.rows.extend(rows);
        self.gates[index] = gate;
    }

    pub(crate) fn name(&self, gate: &Gate) -> String {
        crate::far_side::gate_name(&self.case.communiques[gate.communique].id, gate.occurrence_id, gate.place, 1)
    }

    /// The rows that a report must have, by gate and person.
    pub(crate) fn rows(&self) -> BTreeMap<(String, String), Foretold> {
        let mut all = BTreeMap::new();
        let is_there = |who: &str| self.case.leaves(who).is_none();
        let rows = self.rows.keys().filter(|(_, who)| is_there(who));
        for (index, who) in rows.filter(|(index, _)| self.of(&self.gates[*index]).corrects.is_none()) {
            all.insert((self.name(&self.gates[*index]), who.clone()), self.foretold(*index, who));
        }
        let kept_back = |of: &&Communique| self.case.keeps_back(of) && of.corrects.is_none();
        for of in self.case.communiques.iter().filter(kept_back) {
            let concerned = |who: &&Person| is_there(&who.id) && of.to.iter().any(|g| who.groups.contains(g));
            for who in self.case.people.iter().filter(concerned) {
                let exempt = Foretold { class: Some(Class::Exempt), late: Some(false) };
                all.insert((crate::far_side::gate_name(&of.id, None, None, 1), who.id.clone()), exempt);
            }
        }
        all
    }

    fn foretold(&self, index: usize, who: &str) -> Foretold {
        let simple = |class: Option<Class>| Foretold { class, late: None };
        match &self.rows[&(index, who.to_owned())] {
            Row::Exempt => simple(Some(Class::Exempt)),
            Row::Whole(class) => simple(Some(*class)),
            Row::Unclear => simple(None),
            Row::Delivery(told) => Foretold { class: told.class, late: told.late },
            Row::Through(leader) => match self.rows.get(&(index, leader.clone())) {
                // Whoever opted out tells nobody.
                Some(Row::Through(_) | Row::Exempt) | None => simple(self.whole(&self.gates[index])),
                Some(_) => self.foretold(index, leader),
            },
        }
    }

    /// Before when nothing of a gate goes out to anybody, by the machine's clock; never, if it does not open.
    pub(crate) fn earliest(&self, gate: &Gate) -> Option<Minutes> {
        match gate.fate {
            Fate::Opens(at) => Some(at.lo),
            Fate::Unclear => Some(if self.goes_far_back { Minutes::MIN } else { self.case.start }),
            Fate::Closed(..) | Fate::Standby(_) | Fate::Blocked(_) | Fate::Asks | Fate::Pending => None,
        }
    }

    /// What is foretold, for people.
    pub(crate) fn describe(&self) -> String {
        let mut out = format!("noise {} min\n", self.noise);
        for (index, gate) in self.gates.iter().enumerate() {
            out += &format!("{} {:?} waits {:?}\n", self.name(gate), gate.fate, gate.statuses);
            for ((_, who), row) in self.rows.iter().filter(|((g, _), _)| *g == index) {
                out += &format!("   {who}: {row:?}\n");
            }
        }
        out
    }
}

impl Oracle<'_> {
    /// Whether the rule of a group is met by members who stand so.
    pub(crate) fn is_met(&self, group: &Group, members: &[(&Person, Class)]) -> bool {
        let due: Vec<_> = members.iter().filter(|(_, class)| *class != Class::Exempt).collect();
        let is_informed = |(_, class): &&&(&Person, Class)| *class == Class::Informed;
        let weight = |all: &[&&(&Person, Class)]| all.iter().map(|(who, _)| u64::from(who.stands_for)).sum::<u64>();
        let informed: Vec<_> = due.iter().filter(|m| is_informed(m)).collect();
        match group.require {
            Require::All => informed.len() == due.len(),
            Require::Any => due.is_empty() || !informed.is_empty(),
            Require::Share(share) => {
                weight(&informed) * 100
                    >= due.iter().map(|(who, _)| u64::from(who.stands_for)).sum::<u64>() * u64::from(share)
            }
            Require::OnePerCompany => {
                let companies: BTreeSet<_> = due.iter().map(|(who, _)| who.company.ok_or(&who.id)).collect();
                let reached: BTreeSet<_> = informed.iter().map(|(who, _)| who.company.ok_or(&who.id)).collect();
                companies == reached
            }
        }
    }

    /// Whether the planned time cannot move so: into the past, or once an outcome is declared everywhere.
    pub(crate) fn slip_is_refused(&self, planned: Option<Minutes>, at: Minutes) -> Option<bool> {
        if self.said.planned(at - 1) == planned {
            // It stands so already.
            return Some(false);
        }
        let is_declared = self.said.declared(None, at).is_some_and(|(outcome, _)| outcome != Outcome::Begun);
        (!self.goes_far_back).then(|| is_declared || planned.is_some_and(|planned| planned <= at))
    }

    /// Whether a gate, or a revision of it, may be due then by what is planned.
    pub(crate) fn may_be_due(&self, gate: &str, at: Minutes) -> bool {
        let name = gate.split('#').next().unwrap_or(gate);
        self.gates.iter().filter(|gate| self.name(gate) == name).any(|gate| {
            let time = &self.of(gate).occurrences[gate.occurrence].at;
            let due = |zone: &Tz| self.instant(gate, time, *zone, at, false);
            gate.zones.iter().chain([&self.zone]).filter_map(due).any(|due| due <= at + self.noise)
        })
    }

    /// Who may have acted by hand where somebody is told by a gate; nothing, if others are told in their place.
    pub(crate) fn performers(&self, gate: &str, who: &Person) -> Option<Vec<Option<&'static str>>> {
        let name = gate.split('#').next().unwrap_or(gate);
        let gate = self.gates.iter().find(|gate| self.name(gate) == name)?;
        let who = who.through.as_ref().map_or(who, |leader| self.case.person(leader));
        self.concerns(gate, who).then(|| {
            let steps = self.way(gate, who).steps.into_iter().filter(|step| step.via.is_by_hand());
            steps.map(|step| Some(step.performer.unwrap_or("ada"))).collect()
        })
    }

    /// Why an attempt must not have been made then, by the machine's clock; nothing where it may.
    pub(crate) fn forbids(&self, to: &To, at: Minutes, was_put_back: bool, follows: bool) -> Option<&'static str> {
        let (name, revision) = to.gate.split_once('#').unwrap_or((&to.gate, ""));
        let Some(gate) = self.gates.iter().find(|gate| self.name(gate) == name) else {
            return Some("there is no such gate");
        };
        let Some(earliest) = self.earliest(gate) else { return Some("its gate never opens") };
        // What takes so long comes so much earlier by a clock that is put back meanwhile.
        let back = self.case.events.iter().map(|(_, e)| if let Event::Jump(by) = e { (-by).max(0) } else { 0 });
        let at_latest = at + back.sum::<Minutes>();
        if at_latest < earliest {
            return Some("its gate is not open yet");
        }
        if self.goes_far_back {
            return None;
        }
        // What was on its way when somebody spoke may still be under way a little later.
        let recently = At { lo: at - self.noise, hi: at };
        let of = &self.case.communiques[gate.communique];
        let may = |at: Minutes| self.leasable_from(gate, at) == Some(at);
        // A gate of which nothing was left to do is not held, and goes on when something comes back.
        if !may(at) && !follows && !self.said.changes_within(recently) {
            return Some("it is held, closed, not approved, or no longer true");
        }
        let id = to.who.as_deref().filter(|_| of.corrects.is_none() && revision.is_empty())?;
        if self.case.stand_ins(of).contains(id) {
            let opted_out =
                self.case.people.iter().any(|who| who.id == id && who.opted_out && !self.concerns(gate, who));
            return opted_out.then_some("they wish not to be told");
        }
        let who = self.case.person(id);
        if self.case.leaves(id).is_some_and(|left| left + self.noise < at) {
            return Some("they have left");
        }
        if self.case.joins(id).is_some_and(|joined| at < joined) {
            return Some("they are not there yet");
        }
        if !self.concerns(gate, who) || who.through.is_some() || self.is_exempt(gate, who) {
            return Some("it does not concern them");
        }
        let way = self.way(gate, who);
        if way.steps.iter().all(|step| step.mechanisms().all(|via| via != to.mech)) {
            return Some("they are not told in that way");
        }
        if let Fate::Opens(opened) = gate.fate {
            if self.begins(gate, &way, opened).is_some_and(|begins| at_latest < begins.lo) {
                return Some("it is not due to them yet");
            }
            if !was_put_back
                && of
                    .not_after
                    .as_ref()
                    .and_then(|end| self.instant(gate, end, way.zone, at, true))
                    .is_some_and(|last| at > last)
            {
                return Some("its time is over");
            }
        }
        (!was_put_back && way.hours.next(at) != Some(at)).then_some("it is outside the hours")
    }
}
