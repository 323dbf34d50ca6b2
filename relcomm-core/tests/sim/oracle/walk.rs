//! The story of one delivery: what is tried when, what the far side says to it, and what comes of it.

use super::calendar::At;
use super::posts::Post;
use super::roll::Way;
use super::tries::Slot;
use super::{Class, Gate, Oracle, Told};
use crate::model::{Answer, Event, Mech, Minutes, Person, Repeats, Sure, Word};
use crate::plans;
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    Ready,
    Flying,
    Awaiting(Option<Sure>),
    Doubt,
    Shut { stopped: bool },
}

#[derive(Clone, Copy, Debug)]
struct Leg {
    step: usize,
    via: Mech,
    stage: Stage,
    sure: Option<Sure>,
    failed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Happens {
    Tried(usize),
    Took(usize, Sure),
    /// For good: refused, or given up.
    Refused(usize),
    Unknown(usize),
    Says(usize, Word),
    /// It is moved on from, unless that is reached.
    Timer(usize, Sure),
    Attested(bool),
}

struct Story<'a, 'b> {
    oracle: &'a Oracle<'b>,
    gate: &'a Gate,
    way: &'a Way,
    name: String,
    who: &'a Person,
    legs: Vec<Leg>,
    ended: Option<(bool, At)>,
    queue: Vec<(At, Happens)>,
    is_clear: bool,
    reached: BTreeMap<Sure, At>,
    proved: BTreeMap<Sure, At>,
    settled: Option<At>,
    last: Option<Minutes>,
    /// Whether it waits for a post of which nobody knows.
    is_held: bool,
    is_shaky: bool,
    wavered: bool,
}

impl Oracle<'_> {
    pub(super) fn walk(&self, gate: &Gate, who: &Person, opened: At) -> Told {
        let way = self.way(gate, who);
        let of = self.of(gate);
        let mut story = Story {
            oracle: self,
            gate,
            way: &way,
            name: self.name(gate),
            who,
            legs: Vec::new(),
            ended: None,
            queue: Vec::new(),
            is_clear: true,
            reached: BTreeMap::new(),
            proved: BTreeMap::new(),
            settled: None,
            is_held: false,
            is_shaky: false,
            wavered: false,
            last: self.not_after(gate, &way, opened),
        };
        let begins = self.begins(gate, &way, opened);
        let Some(begins) = begins else { return story.told(None, None, false) };
        let spread = self.time(of, gate, way.variant).spread.filter(|_| !way.begins_with_a_post());
        let first = match spread {
            None => begins,
            Some(over) => {
                let last = way.hours.pass(begins.hi, over).map_or(begins.hi, |at| at + 15);
                At { lo: way.hours.next(begins.lo).unwrap_or(begins.lo), hi: last }
            }
        };
        // Times of what is open move with what is declared later.
        let moves = of.not_after.is_some()
            && self.said.changes().any(|at| {
                at > opened.hi && {
                    let end = of.not_after.as_ref().and_then(|end| self.instant(gate, end, way.zone, at, true));
                    end != story.last
                }
            });
        story.is_clear &= !moves;
        for (at, event) in &self.case.events {
            if let Event::Attest { communique, person, done } = event
                && *communique == gate.communique
                && *person == who.id
            {
                match opened.is_by(*at) {
                    Some(true) => story.queue.push((At::exact(*at), Happens::Attested(*done))),
                    Some(false) => {}
                    None => story.is_clear = false,
                }
            }
        }
        story.begin(0, first);
        story.run();
        let due = if way.begins_with_a_post() {
            begins
        } else {
            At { lo: way.hours.next(first.lo).unwrap_or(first.lo), hi: way.hours.next(first.hi).unwrap_or(first.hi) }
        };
        let deadline = self.deadline(gate, &way, who, opened, due);
        // What is declared or planned later moves the time from which it is counted.
        let known = |at| (self.said.declared_for(of, gate.place, at), self.said.planned(at));
        let moves = self.said.changes().any(|at| at > opened.lo && known(at) != known(opened.lo));
        story.told(deadline, Some(opened), moves)
    }

    fn deadline(&self, gate: &Gate, way: &Way, who: &Person, opened: At, due: At) -> Option<At> {
        let of = self.of(gate);
        let own = way.variant.and_then(|g| of.variants.get(g)).and_then(|v| v.deadline.as_ref());
        let deadline = own.or(of.deadline.as_ref());
        let deadline = deadline.and_then(|time| self.instant(gate, time, way.zone, Minutes::MAX / 8, true));
        let _ = opened;
        let groups = of.to.iter().filter(|g| who.groups.contains(*g));
        let within = groups.filter_map(|g| self.case.group(g).within).min();
        let counted = within.map(|within| due.later(within));
        [deadline.map(At::exact), counted]
            .into_iter()
            .flatten()
            .reduce(|a, b| At { lo: a.lo.min(b.lo), hi: a.hi.min(b.hi) })
    }
}

impl Story<'_, '_> {
    fn leg_mech(&self, leg: usize) -> Mech {
        self.legs[leg].via
    }

    /// Whom an attempt reaches.
    fn reaches(&self, leg: usize) -> &str {
        self.way.steps[self.legs[leg].step].stand_in(self.who).unwrap_or(&self.who.id)
    }

    /// Whether another of those that were begun together is on its way or taken over.
    fn is_one_of_several(&self, leg: usize) -> bool {
        let step = self.legs[leg].step;
        let others = self.legs.iter().enumerate().filter(|(other, l)| *other != leg && l.step == step);
        others.into_iter().any(|(_, l)| matches!(l.stage, Stage::Awaiting(_) | Stage::Doubt) && !l.failed)
    }

    fn best(&self) -> Option<Sure> {
        let counts = |l: &&Leg| !(l.failed && l.sure < Some(Sure::Delivered));
        self.legs.iter().filter(counts).filter_map(|l| l.sure).max()
    }

    /// Begins a step, as soon as it may be.
    fn begin(&mut self, step: usize, at: At) {
        let first = self.legs.len();
        for via in self.way.steps[step].mechanisms() {
            self.legs.push(Leg { step, via, stage: Stage::Ready, sure: None, failed: false });
        }
        for leg in first..self.legs.len() {
            self.ready(leg, at);
        }
    }

    fn ready(&mut self, leg: usize, at: At) {
        let mech = self.leg_mech(leg);
        self.legs[leg].stage = Stage::Ready;
        if mech.is_post() {
            return self.ride(leg, mech, at);
        }
        let last = self.last;
        match self.oracle.slot(self.gate, &self.way.hours, at, last) {
            Slot::At(at) => self.queue.push((at, Happens::Tried(leg))),
            Slot::Expired(at) => {
                self.legs[leg].stage = Stage::Shut { stopped: false };
                if !self.is_alive() {
                    self.end(false, at);
                }
            }
            // Ready for ever; its time may be over while it is held, and then it ends.
            Slot::Never => self.is_clear &= last.is_none() || self.oracle.closes(self.gate, at.lo).is_some(),
            Slot::Unclear => self.is_clear = false,
        }
    }

    /// A post is credited as soon as it is decided.
    fn ride(&mut self, leg: usize, mech: Mech, at: At) {
        let super::Fate::Opens(opened) = self.gate.fate else { return };
        let post = self.oracle.post(self.gate, mech, self.way, opened);
        let credit = |decided: At| {
            let from = decided.max(at);
            let lo = self.oracle.leasable_from(self.gate, from.lo);
            let hi = self.oracle.leasable_from(self.gate, from.hi);
            match (lo, hi) {
                (Some(lo), Some(hi)) => Some(At { lo, hi }.vague(self.oracle.noise)),
                _ => None,
            }
        };
        let is_calm = |at: Option<At>| at.is_some_and(|at| self.last.is_none_or(|last| at.is_by(last) == Some(true)));
        match post {
            Post::Took(decided) | Post::Refused(decided) => {
                let when = credit(decided);
                if !is_calm(when) {
                    self.is_clear = false;
                    return;
                }
                let when = when.unwrap_or(decided);
                self.legs[leg].stage = Stage::Ready;
                let took = matches!(post, Post::Took(_));
                self.queue.push((when, if took { Happens::Took(leg, Sure::Accepted) } else { Happens::Refused(leg) }));
            }
            Post::Unknown => {
                self.is_held = true;
                self.is_clear &= self.last.is_none();
            }
            Post::Waits => self.is_clear &= self.last.is_none() || self.oracle.closes(self.gate, at.lo).is_some(),
            Post::Expired => {
                self.legs[leg].stage = Stage::Shut { stopped: false };
                if !self.is_alive() {
                    self.end(false, at);
                }
            }
            Post::Unclear => self.is_clear = false,
        }
    }

    fn is_alive(&self) -> bool {
        self.legs.iter().any(|leg| match leg.stage {
            Stage::Ready | Stage::Flying | Stage::Doubt => true,
            Stage::Awaiting(_) => !leg.failed,
            Stage::Shut { .. } => false,
        })
    }

    fn end(&mut self, reached: bool, at: At) {
        if self.ended.is_none() {
            self.ended = Some((reached, at));
            self.settle(at);
        }
    }

    fn settle(&mut self, at: At) {
        self.settled.get_or_insert(at);
    }

    /// More is proved: since when.
    fn note(&mut self, at: At) {
        let Some(best) = self.best() else { return };
        self.reached.entry(best).or_insert(at);
        if best >= self.way.informed_when {
            self.settle(at);
        }
    }

    fn raise(&mut self, leg: usize, sure: Sure, at: At) {
        self.legs[leg].sure = self.legs[leg].sure.max(Some(sure));
        self.proved.entry(sure).or_insert(at);
        self.note(at);
        if self.ended.is_some() || self.best() < Some(self.way.pursue()) {
            return;
        }
        for leg in &mut self.legs {
            if leg.stage == Stage::Ready {
                leg.stage = Stage::Shut { stopped: true };
            }
        }
        self.end(true, at);
    }

    /// The next step, if nothing else is on its way.
    fn next(&mut self, at: At) {
        if self.ended.is_some() || self.legs.iter().any(|l| matches!(l.stage, Stage::Ready | Stage::Flying)) {
            return;
        }
        let stopped = |l: &Leg| l.stage == Stage::Shut { stopped: true } && !l.failed;
        if let Some(leg) = self.legs.iter().position(stopped) {
            return self.ready(leg, at);
        }
        let step = self.legs.iter().map(|l| l.step + 1).max().unwrap_or(0);
        if step < self.way.steps.len() {
            let opens =
                At { lo: self.way.hours.next(at.lo).unwrap_or(at.lo), hi: self.way.hours.next(at.hi).unwrap_or(at.hi) };
            let in_time = self.last.map(|last| opens.is_by(last));
            match in_time {
                Some(Some(false)) => {
                    if !self.is_alive() {
                        self.end(false, at);
                    }
                }
                Some(None) => self.is_clear = false,
                _ => self.begin(step, at),
            }
        } else if !self.is_alive() {
            self.end(false, at);
        }
    }

    fn shut(&mut self, leg: usize, at: At) {
        self.legs[leg].stage = Stage::Shut { stopped: false };
        if !self.is_one_of_several(leg) {
            self.next(at);
        }
    }

    fn run(&mut self) {
        for _ in 0..200 {
            let first = self.queue.iter().enumerate().min_by_key(|(n, (at, _))| (at.lo, at.hi, *n)).map(|(n, _)| n);
            let Some((at, happens)) = first.map(|n| self.queue.remove(n)) else { return };
            let order = |a: &Happens, b: &Happens| -> bool {
                use Happens::{Attested, Refused, Says, Timer, Took, Tried, Unknown};
                match (a, b) {
                    (Says(_, Word::Forged), _) | (_, Says(_, Word::Forged)) => false,
                    (Says(_, Word::Got(_)), Says(_, Word::Got(_)) | Attested(true))
                    | (Attested(true), Says(_, Word::Got(_))) => false,
                    (Says(of, _), Took(leg, _) | Unknown(leg)) | (Took(leg, _) | Unknown(leg), Says(of, _)) => {
                        of != leg
                    }
                    (Tried(_) | Took(..) | Refused(_) | Unknown(_), Tried(_) | Took(..) | Refused(_) | Unknown(_)) => {
                        false
                    }
                    (Timer(..), Tried(_) | Took(..) | Refused(_) | Unknown(_)) => false,
                    (Tried(_) | Took(..) | Refused(_) | Unknown(_), Timer(..)) => false,
                    _ => true,
                }
            };
            if self.queue.iter().any(|(other, it)| other.overlaps(at) && order(&happens, it)) {
                self.is_clear = false;
            }
            self.happen(at, happens);
        }
        self.is_clear = false;
    }

    fn happen(&mut self, at: At, happens: Happens) {
        match happens {
            Happens::Tried(leg) => self.tried(leg, at),
            Happens::Took(leg, sure) => {
                if !matches!(self.legs[leg].stage, Stage::Ready | Stage::Flying | Stage::Doubt) {
                    return;
                }
                self.took(leg, sure, at);
            }
            Happens::Refused(leg) => {
                if matches!(self.legs[leg].stage, Stage::Ready | Stage::Flying) {
                    self.shut(leg, at);
                }
            }
            Happens::Unknown(leg) => {
                if self.legs[leg].stage == Stage::Flying {
                    let sure = self.legs[leg].sure;
                    if self.legs[leg].failed && sure < Some(Sure::Delivered) {
                        self.shut(leg, at);
                    } else if let Some(sure) = sure.filter(|sure| *sure >= Sure::Accepted) {
                        self.took(leg, sure, at);
                    } else {
                        self.legs[leg].stage = Stage::Doubt;
                        self.wavered = true;
                    }
                }
            }
            Happens::Says(leg, Word::Got(sure)) => self.got(leg, sure, at),
            Happens::Says(leg, Word::Bounced) => self.bounced(leg, at),
            Happens::Says(_, Word::Forged) => {}
            Happens::Timer(leg, unless) => self.timer(leg, unless, at),
            Happens::Attested(done) => {
                let waits = |l: &Leg| matches!(l.stage, Stage::Awaiting(_) | Stage::Doubt);
                let leg = self.legs.iter().rposition(waits).unwrap_or(self.legs.len() - 1);
                match self.leg_mech(leg) {
                    Mech::Webhook | Mech::Website | Mech::Chat if done => self.got(leg, Sure::Delivered, at),
                    _ if done => self.got(leg, Sure::Acknowledged, at),
                    _ => self.bounced(leg, at),
                }
            }
        }
    }

    fn tried(&mut self, leg: usize, at: At) {
        if self.legs[leg].stage != Stage::Ready || self.ended.is_some() {
            return;
        }
        let mech = self.leg_mech(leg);
        let whom = self.reaches(leg).to_owned();
        let manner = plans::manner(self.oracle.case, &self.name, &whom, mech);
        // Wishes of who stands in are respected.
        self.is_clear &= whom == self.who.id || !self.oracle.case.people.iter().any(|p| p.id == whom && p.opted_out);
        self.legs[leg].stage = Stage::Flying;
        self.legs[leg].sure = self.legs[leg].sure.max(Some(Sure::Attempted));
        self.note(at);
        self.is_clear &= self.oracle.is_calm(self.gate, &self.way.hours, at, &manner, self.last);
        // Whether anything is tried once all has settled hangs on when the last gate opened.
        if let (Some(settle), super::Fate::Opens(opened)) = (self.oracle.case.settle, &self.gate.fate) {
            self.is_clear &= at.hi < opened.lo + settle;
        }
        let resends = self.oracle.resends(self.gate, mech);
        let holds = mech.repeats() == Repeats::None && !resends;
        // Whoever dies in the last try leaves it held too.
        let may_be_held = holds || manner.answer == Answer::Never;
        if may_be_held && self.oracle.is_cut(&self.name, Some(&whom), mech, at) {
            self.is_clear = false;
        }
        let soon = at.vague(self.oracle.noise);
        let later = at.vague(self.oracle.noise + self.oracle.retries);
        let (happens, when, arrived) = match manner.answer {
            Answer::Refuses => (Happens::Refused(leg), soon, false),
            Answer::Never => (Happens::Refused(leg), later, false),
            Answer::Takes { after: 0, .. } => (self.taken(leg), soon, true),
            Answer::Takes { .. } => (self.taken(leg), later, true),
            Answer::Lost { .. } | Answer::Hangs { .. } if !holds => (self.taken(leg), later, true),
            Answer::Lost { arrived } | Answer::Hangs { arrived } => (Happens::Unknown(leg), later, arrived),
        };
        self.queue.push((when, happens));
        if arrived {
            for (after, word) in manner.later {
                // Heard within a minute of its coming.
                self.queue.push((when.later(after).vague(1 + self.oracle.noise), Happens::Says(leg, word)));
            }
        }
    }

    fn taken(&self, leg: usize) -> Happens {
        let by_hand = self.leg_mech(leg).is_by_hand();
        Happens::Took(leg, if by_hand { Sure::Attempted } else { Sure::Accepted })
    }

    fn took(&mut self, leg: usize, sure: Sure, at: At) {
        let step = self.legs[leg].step;
        let is_last = self.legs.iter().all(|l| l.step <= step);
        let next = self.way.steps.get(step + 1).and_then(|s| s.unless);
        let waits = next.filter(|_| is_last && self.ended.is_none());
        // The first of several counts the time.
        let is_second = self.is_one_of_several(leg);
        self.legs[leg].stage = Stage::Awaiting(waits.map(|(unless, _)| unless));
        if let Some((unless, within)) = waits.filter(|_| !is_second) {
            self.queue.push((at.later(within).vague(self.oracle.noise), Happens::Timer(leg, unless)));
        }
        if self.legs[leg].failed && self.legs[leg].sure.max(Some(sure)) < Some(Sure::Delivered) {
            self.legs[leg].sure = self.legs[leg].sure.max(Some(sure));
            self.shut(leg, at);
        }
        self.raise(leg, sure, at);
    }

    fn got(&mut self, leg: usize, sure: Sure, at: At) {
        if self.legs[leg].stage == Stage::Doubt && sure >= Sure::Accepted {
            self.took(leg, sure, at);
        } else if self.legs[leg].sure < Some(sure) {
            self.raise(leg, sure, at);
        }
    }

    fn bounced(&mut self, leg: usize, at: At) {
        if std::mem::replace(&mut self.legs[leg].failed, true) || self.legs[leg].sure >= Some(Sure::Delivered) {
            return;
        }
        self.is_shaky = true;
        self.is_clear &= !self.is_one_of_several(leg);
        let reached = self.ended.is_some_and(|(reached, _)| reached);
        if reached && self.best() < Some(self.way.pursue()) {
            // What was taken back may have been counted on, and a gate that is closed by now does not go on.
            self.is_clear &= self.oracle.closes(self.gate, at.lo).is_none();
            self.is_clear &= self.oracle.leasable_from(self.gate, at.lo) == Some(at.lo);
            self.ended = None;
        }
        match self.legs[leg].stage {
            Stage::Awaiting(_) | Stage::Doubt => self.shut(leg, at),
            Stage::Shut { .. } if reached => self.next(at),
            _ => {}
        }
    }

    fn timer(&mut self, leg: usize, unless: Sure, at: At) {
        if self.ended.is_some() || self.legs[leg].stage != Stage::Awaiting(Some(unless)) || self.best() >= Some(unless)
        {
            return;
        }
        let (lo, hi) = (self.oracle.leasable_from(self.gate, at.lo), self.oracle.leasable_from(self.gate, at.hi));
        match (lo, hi) {
            (Some(lo), Some(hi)) if (At { lo, hi }) == at => {
                self.legs[leg].stage = Stage::Shut { stopped: false };
                self.next(at);
            }
            (Some(lo), Some(hi)) => self.queue.push((At { lo, hi: hi.max(lo) }, Happens::Timer(leg, unless))),
            (None, None) => {}
            _ => self.is_clear = false,
        }
    }

    fn told(self, deadline: Option<At>, opened: Option<At>, moves: bool) -> Told {
        let best = self.best();
        let perhaps = self.legs.iter().any(|l| {
            matches!(l.stage, Stage::Doubt | Stage::Flying)
                || (l.sure >= Some(Sure::Accepted) && !(l.failed && l.sure < Some(Sure::Delivered)))
        });
        let closed = opened.and_then(|at| self.oracle.closes(self.gate, at.lo));
        let is_closed = closed.is_some();
        let class = if best >= Some(self.way.informed_when) {
            Class::Informed
        } else if is_closed && self.ended.is_none() && !perhaps {
            Class::NotInformed
        } else if perhaps || self.ended.is_none() {
            Class::Unconfirmed
        } else {
            Class::NotInformed
        };
        let is_clear = self.is_clear && opened.is_some();
        let informed_at = self.proved.range(self.way.informed_when..).map(|(_, at)| *at).min_by_key(|at| at.lo);
        let late = match (deadline, informed_at) {
            _ if !is_clear || class != Class::Informed || moves => None,
            (None, _) => Some(false),
            (Some(deadline), Some(at)) if at.hi <= deadline.lo => Some(false),
            (Some(deadline), Some(at)) if at.lo > deadline.hi => Some(true),
            _ => None,
        };
        let is_doubtful = self.legs.iter().any(|l| l.stage == Stage::Doubt);
        let goes_on = self.legs.iter().any(|l| matches!(l.stage, Stage::Ready | Stage::Flying));
        let proved_after = |end: At| self.proved.values().any(|at| at.hi > end.lo);
        let was_given_up = self.ended.is_some_and(|(reached, at)| !reached && proved_after(at));
        // With what it was, once nothing more goes out.
        let at_last = closed.map(|at| At::exact(at).vague(self.oracle.noise)).filter(|_| !self.is_held && !is_doubtful);
        // Whether it was in doubt just then is not looked at.
        let is_shaky = self.is_shaky || (is_closed && self.wavered);
        Told {
            informed_when: self.way.informed_when,
            class: is_clear.then_some(class),
            reached: self.reached,
            settled: self.settled.into_iter().chain(at_last).reduce(At::earlier),
            is_shaky,
            wavered: self.wavered || self.is_held || was_given_up,
            given_up: self.ended.map(|(_, at)| at),
            moves_no_more: self.ended.is_some() || is_closed || self.is_held || (is_doubtful && !goes_on),
            late,
        }
    }
}
