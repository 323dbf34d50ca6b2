//! The delivery's table: each cell is brought about by inputs alone, as it would be in a dispatch.

use super::table::{Count, START, Table, offset, print, span};
use chrono_tz::Tz;
use relcomm_core::channel::{ErrorKind, Found};
use relcomm_core::clock::Moment;
use relcomm_core::communique::{Indeterminate, Window};
use relcomm_core::course::{Delivery, DeliveryFact, DeliveryInput, Finish, Path, PathStep, SessionNo, Shut, Stage};
use relcomm_core::id::LaneNo;
use relcomm_core::mechanism::Deduplication;
use relcomm_core::receipt::{Assurance, Evidence};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);
const MINE: SessionNo = SessionNo(1);

/// What a row says before and after its input.
#[derive(Default)]
struct Conditions<'a> {
    next: bool,
    timed: bool,
    ended: bool,
    /// Another step was begun at once, and its leg is in that stage.
    beside: Option<&'a str>,
    tries: Option<u8>,
    asked: bool,
    not_after: Option<Moment>,
    hours: Option<Window>,
    deduplication: Option<Deduplication>,
    resend: bool,
    rule: Option<Assurance>,
    heard: Option<&'a str>,
    due: Option<Duration>,
    other_session: bool,
    /// The plan was prepared again since.
    again: Option<Again>,
    /// Somebody had it tried once more after that.
    retried: bool,
    later: Duration,
}

/// What the plan has become.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    /// It has no first step any more.
    Dropped,
    /// It has the first two steps in the other order.
    Turned,
    /// It has no steps, as for somebody who is not on the roll.
    Left,
    /// It had none when it was looked at, and has them again.
    Back,
    /// It has one more.
    More,
}

impl<'a> Conditions<'a> {
    fn read(row: &str, words: impl Iterator<Item = &'a str>) -> Self {
        let mut c = Self::default();
        for word in words {
            match word {
                "next" => c.next = true,
                "timed" => c.timed = true,
                "ended" => c.ended = true,
                "asked" => c.asked = true,
                "no tries left" => c.tries = Some(1),
                "two tries" => c.tries = Some(2),
                "by key" => c.deduplication = Some(Deduplication::ByKey),
                "by lookup" => c.deduplication = Some(Deduplication::ByLookup),
                "resend" => c.resend = true,
                "other session" => c.other_session = true,
                "dropped" => c.again = Some(Again::Dropped),
                "turned" => c.again = Some(Again::Turned),
                "left" => c.again = Some(Again::Left),
                "back" => c.again = Some(Again::Back),
                "more" => c.again = Some(Again::More),
                "retried" => c.retried = true,
                _ => {
                    if let Some(minutes) = word.strip_prefix("hours ") {
                        c.hours = Some(format!("08:00-08:0{}", minutes.trim_end_matches('m')).parse().unwrap());
                    } else if let Some(at) = word.strip_prefix("not-after ") {
                        c.not_after = Some(START + span(at).unwrap());
                    } else if let Some(rule) = word.strip_prefix("rule ") {
                        c.rule = Some(rule.parse().unwrap());
                    } else if let Some(heard) = word.strip_prefix("heard ") {
                        c.heard = Some(heard);
                    } else if let Some(stage) = word.strip_prefix("beside ") {
                        c.beside = Some(stage);
                    } else if let Some(due) = word.strip_prefix("due ") {
                        c.due = span(due);
                    } else {
                        c.later = span(word).unwrap_or_else(|| panic!("unknown condition `{word}` in row `{row}`"));
                    }
                }
            }
        }
        c
    }

    fn path(&self) -> Path {
        let deduplication = self.deduplication.unwrap_or(Deduplication::None);
        let step = |n| PathStep::new(LaneNo(n), deduplication);
        let mut steps = vec![step(0)];
        let n = if self.beside.is_some() { 2 } else { 1 };
        if n == 2 {
            steps.push(step(1).joined());
        }
        if self.ended {
            steps.push(step(1).unless(Assurance::Delivered, HOUR));
            steps.push(step(2));
        } else if self.timed {
            steps.push(step(n).unless(Assurance::Delivered, HOUR));
        } else if self.next {
            steps.push(step(n));
        }
        let mut path = Path::new(self.rule.unwrap_or(Assurance::Delivered), steps);
        path.not_after = self.not_after;
        path.hours.0.extend(self.hours.map(|window| (window, Tz::UTC)));
        path.retries.tries = self.tries.unwrap_or(path.retries.tries);
        if self.resend {
            path.indeterminate = Indeterminate::Resend;
        }
        path
    }
}

/// A delivery, its path, and the leg that the row speaks of.
struct World {
    path: Path,
    state: Delivery,
    leg: u8,
}

impl World {
    fn take(&mut self, input: DeliveryInput, now: Moment) -> Vec<DeliveryFact> {
        let before = self.state.clone();
        let facts = self.state.decide(&self.path, &input, now);
        for fact in &facts {
            self.step(fact);
        }
        self.sound(&before, &facts, now);
        facts.to_vec()
    }

    fn step(&mut self, fact: &DeliveryFact) {
        let before = self.state.clone();
        self.state.apply(fact);
        assert!(self.state.legs.len() >= before.legs.len(), "{fact:?} lost a leg");
        if !matches!(fact, DeliveryFact::Failed { .. }) {
            assert!(self.state.best() >= before.best(), "{fact:?} lowers what is proved");
        }
        if matches!(fact, DeliveryFact::Begun { .. } | DeliveryFact::Again { .. } | DeliveryFact::Started { .. }) {
            assert_eq!(before.end, None, "an ended delivery begins nothing");
        }
    }

    fn sound(&self, before: &Delivery, facts: &[DeliveryFact], now: Moment) {
        let is_under_way = |stage| matches!(stage, Stage::Ready { .. } | Stage::Flying { .. });
        let several = self.path.steps.iter().any(|step| step.is_joined);
        let flying = self.state.legs.iter().filter(|l| matches!(l.stage, Stage::Flying { .. })).count();
        assert!(flying <= 1);
        assert!(several || self.state.legs.iter().filter(|l| is_under_way(l.stage)).count() <= 1);
        if self.state.end.is_some() {
            assert_eq!(self.state.ready_leg(), None);
            assert!(!self.state.legs.iter().any(|l| matches!(l.stage, Stage::Ready { .. })));
            assert!(!self.state.legs.iter().any(|l| matches!(l.stage, Stage::Awaiting { waiting: Some(_) })));
        }
        if self.state.ready_leg().is_some() {
            assert_eq!(self.state.flying(), None);
        }
        let is_unbounded = self.path.not_after.is_none() && self.path.hours.0.is_empty();
        if is_unbounded && !several && self.state.ready_leg().is_some() {
            assert_eq!(self.state.timer(), None, "an unbounded ready leg waits for no timer");
        }
        // What is due does something, and what is not due does nothing.
        let does = |now: Moment| {
            let legs = 0..u8::try_from(self.state.legs.len()).unwrap();
            let asks = legs.map(|leg| DeliveryInput::Ask { leg, until: Moment::MAX });
            asks.chain([DeliveryInput::Tick]).any(|input| !self.state.decide(&self.path, &input, now).is_empty())
        };
        let due = self.state.timer();
        if let Some(due) = due {
            assert!(does(due) && !does(due - Duration::from_millis(1)));
        } else {
            assert!(!does(Moment::MAX));
        }
        if facts.is_empty() {
            assert_eq!(&self.state, before);
        }
        assert!(now >= START - HOUR);
    }

    fn finish(&mut self, finish: Finish, now: Moment) {
        let input = DeliveryInput::Finish { leg: self.leg, session: MINE, finish };
        assert!(!self.take(input, now).is_empty());
    }

    fn hear(&mut self, what: &str) {
        let evidence = evidence(what);
        self.take(DeliveryInput::Receipt { leg: self.leg, evidence, verified: true }, START);
    }

    /// The state of a column, or `None` if the conditions do not allow it.
    fn build(c: &Conditions<'_>, column: &str) -> Option<Self> {
        let at = START + c.due.unwrap_or_default();
        let path = c.path();
        let (from, until) = path.slot(0, at);
        let mut w = Self { state: Delivery::ready(0, LaneNo(0), from, until), path, leg: 0 };
        if c.ended {
            let early = START - HOUR;
            w.state = Delivery::ready(0, LaneNo(0), early, c.not_after);
            w.take(DeliveryInput::Lease(MINE), early);
            w.finish(Finish::Accepted(Assurance::Accepted), early);
            w.take(DeliveryInput::Tick, START);
            w.leg = 1;
        }
        if let Some(stage) = c.beside {
            w.put_beside(stage, at);
        }
        if column != "Ready" {
            w.take(DeliveryInput::Lease(MINE), at);
        }
        match column {
            "Ready" | "Flying" => {}
            "Awaiting" => w.finish(Finish::Accepted(Assurance::Accepted), START),
            "Doubt" => w.finish(Finish::Maybe(ErrorKind::Timeout), START),
            "Shut" => w.finish(Finish::Refused(ErrorKind::RecipientInvalid), START),
            _ => panic!("unknown column `{column}`"),
        }
        if c.asked && column == "Doubt" {
            let until = START + Duration::from_secs(60);
            assert_eq!(w.take(DeliveryInput::Ask { leg: w.leg, until }, START).len(), 1);
        }
        if !w.is_in(column) {
            return None;
        }
        if let Some(heard) = c.heard {
            w.hear(heard);
        }
        if c.ended {
            w.take(DeliveryInput::Receipt { leg: 0, evidence: evidence("delivered"), verified: true }, START);
            assert!(w.state.end.is_some());
            return w.is_in(column).then_some(w);
        }
        w.prepare_again(c.again);
        if c.retried {
            w.take(DeliveryInput::Retry, START);
        }
        Some(w)
    }

    fn prepare_again(&mut self, again: Option<Again>) {
        match again {
            None => {}
            Some(Again::Dropped) => drop(self.path.steps.remove(0)),
            Some(Again::Turned) => self.path.steps.swap(0, 1),
            Some(Again::Left) => self.path.steps.clear(),
            Some(Again::Back) => {
                let steps = std::mem::take(&mut self.path.steps);
                for fact in self.state.decide(&self.path, &DeliveryInput::Review, START) {
                    self.step(&fact);
                }
                self.path.steps = steps;
            }
            Some(Again::More) => self.path.steps.push(PathStep::new(LaneNo(9), Deduplication::None)),
        }
    }

    /// Begins a second leg at once with the first, and brings it into a stage.
    fn put_beside(&mut self, stage: &str, at: Moment) {
        self.step(&DeliveryFact::Begun { step: 1, lane: LaneNo(1), at, until: None, rides: false, round: 0 });
        let outcome = match stage {
            "ready" => return,
            "awaiting" => Finish::Accepted(Assurance::Accepted),
            "shut" => Finish::Refused(ErrorKind::RecipientInvalid),
            _ => panic!("unknown stage `{stage}`"),
        };
        self.step(&DeliveryFact::Started { leg: 1, session: MINE });
        let input = DeliveryInput::Finish { leg: 1, session: MINE, finish: outcome };
        assert!(!self.take(input, START).is_empty());
    }

    fn is_in(&self, column: &str) -> bool {
        let stage = self.state.legs[usize::from(self.leg)].stage;
        let name = match stage {
            Stage::Ready { .. } => "Ready",
            Stage::Flying { .. } => "Flying",
            Stage::Awaiting { .. } => "Awaiting",
            Stage::Doubt { .. } => "Doubt",
            Stage::Shut { why: Shut::Stopped, .. } => "Stopped",
            Stage::Shut { .. } => "Shut",
        };
        name == column
    }

    fn input(&self, row: &str, text: &str, session: SessionNo) -> DeliveryInput {
        let leg = self.leg;
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        match word {
            "lease" => DeliveryInput::Lease(session),
            "finish" => DeliveryInput::Finish { leg, session, finish: finish(row, rest) },
            "lost" => DeliveryInput::Lost { leg, session },
            "posted" => DeliveryInput::Posted { leg, finish: finish(row, rest) },
            "stop" => DeliveryInput::Stop,
            "tick" => DeliveryInput::Tick,
            "review" => DeliveryInput::Review,
            "retry" => DeliveryInput::Retry,
            "ask" => DeliveryInput::Ask { leg, until: START + HOUR },
            // To the question before.
            "late" => {
                let DeliveryInput::Answer { leg, asked, found } = self.input(row, rest, session) else {
                    panic!("no answer in row `{row}`")
                };
                DeliveryInput::Answer { leg, asked: asked.wrapping_sub(1), found }
            }
            "answer" => DeliveryInput::Answer {
                leg,
                asked: self.state.legs[usize::from(leg)].asked,
                found: match rest {
                    "absent" => Found::Absent,
                    "unknown" => Found::Unknown,
                    found => Found::Found(found.strip_prefix("found ").and_then(|f| f.parse().ok()).expect(row)),
                },
            },
            "receipt" => DeliveryInput::Receipt { leg, evidence: evidence(rest), verified: true },
            "unverified" => {
                let evidence = evidence(rest.strip_prefix("receipt ").expect(row));
                DeliveryInput::Receipt { leg, evidence, verified: false }
            }
            _ => panic!("unknown input in row `{row}`"),
        }
    }

    /// A fact as the table prints it.
    fn print(&self, fact: &DeliveryFact) -> String {
        let of = |leg: u8, text: String| {
            let prefix = if leg == self.leg { String::new() } else { format!("{leg}:") };
            let space = if prefix.is_empty() || text.is_empty() { "" } else { " " };
            format!("{prefix}{space}{text}")
        };
        let (name, inside) = match *fact {
            DeliveryFact::Started { leg, .. } => ("Started", of(leg, String::new())),
            DeliveryFact::Accepted { leg, sure, waiting } => {
                let unless = waiting.map_or(String::new(), |w| format!(" unless {} {}", w.unless, offset(w.by)));
                ("Accepted", of(leg, format!("{sure}{unless}")))
            }
            DeliveryFact::Again { leg, at, until, counts, maybe, .. } => {
                let until = bound(until);
                let counts = if counts { "" } else { " uncounted" };
                let maybe = if maybe { " maybe" } else { "" };
                ("Again", of(leg, format!("{}{until}{counts}{maybe}", offset(at))))
            }
            DeliveryFact::Postponed { leg, at, until } => {
                ("Postponed", of(leg, format!("{}{}", offset(at), bound(until))))
            }
            DeliveryFact::Doubted { leg, query_at } => {
                ("Doubted", of(leg, query_at.map_or("held".to_owned(), |at| format!("asked {}", offset(at)))))
            }
            DeliveryFact::Asked { leg, until } => ("Asked", of(leg, format!("again {}", offset(until)))),
            DeliveryFact::Shut { leg, why } => ("Shut", of(leg, shut(why).to_owned())),
            DeliveryFact::Begun { step, at, until, .. } => {
                let from = if self.path.hours.0.is_empty() { String::new() } else { format!(" from {}", offset(at)) };
                ("Begun", format!("{step}{from}{}", bound(until)))
            }
            DeliveryFact::Proved { leg, sure } => ("Proved", of(leg, sure.to_string())),
            DeliveryFact::Failed { leg } => ("Failed", of(leg, String::new())),
            DeliveryFact::Delayed { leg, by } => ("Delayed", of(leg, offset(by))),
            DeliveryFact::Noted { leg } => ("Noted", of(leg, String::new())),
            DeliveryFact::Ended(end) => ("Ended", format!("{end:?}").to_lowercase()),
            DeliveryFact::Reopened => ("Reopened", String::new()),
            _ => panic!("a fact that the table cannot print: {fact:?}"),
        };
        if inside.is_empty() { name.to_owned() } else { format!("{name}({inside})") }
    }
}

fn shut(why: Shut) -> &'static str {
    match why {
        Shut::Refused(_) => "refused",
        Shut::Spent(_) => "spent",
        Shut::Bounced => "bounced",
        Shut::MovedOn => "moved-on",
        Shut::Expired => "expired",
        Shut::Stopped => "stopped",
        Shut::NotSent => "not-sent",
        Shut::Gone => "gone",
        _ => panic!("a reason that the table cannot print: {why:?}"),
    }
}

/// The last instant at which a leg may be tried: of hours, the one before they close.
fn bound(until: Option<Moment>) -> String {
    match until {
        None => String::new(),
        Some(last) if last.millis() % 1000 == 999 => format!(" before {}", offset(last + Duration::from_millis(1))),
        Some(last) => format!(" until {}", offset(last)),
    }
}

fn finish(row: &str, text: &str) -> Finish {
    let kind = ErrorKind::Unavailable;
    match text {
        "again" => Finish::Again { after: None, kind },
        "refused" => Finish::Refused(ErrorKind::RecipientInvalid),
        "lane fault" => Finish::LaneFault { until: START + Duration::from_secs(180), kind },
        "maybe" => Finish::Maybe(kind),
        "returned" => Finish::Returned,
        "gone" => Finish::Gone,
        _ => match text.strip_prefix("again after ") {
            Some(after) => Finish::Again { after: Some(span(after).expect(row)), kind },
            None => Finish::Accepted(text.parse().unwrap_or_else(|()| panic!("unknown outcome in row `{row}`"))),
        },
    }
}

fn evidence(text: &str) -> Evidence {
    match text.split_once(' ').unwrap_or((text, "")) {
        ("failed", "") => Evidence::Failed,
        ("delayed", until) => Evidence::Delayed { until: span(until).map(|s| START + s) },
        _ => Evidence::Reached(text.parse().unwrap_or_else(|()| panic!("unknown evidence `{text}`"))),
    }
}

/// Brings every cell about and compares the facts.
pub(crate) fn check(table: &Table) -> Count {
    let mut count = Count::default();
    for row in &table.rows {
        let mut words = row.input.split(", ");
        let input = words.next().expect("a row has an input");
        let conditions = Conditions::read(&row.input, words);
        for (column, cell) in table.columns.iter().zip(&row.cells) {
            count.total += 1;
            let found = World::build(&conditions, column).map(|mut world| {
                let session = if conditions.other_session { SessionNo(2) } else { MINE };
                let input = world.input(&row.input, input, session);
                // Times that the table does not move are at the start; a bound at +9m is later than that.
                let facts = world.take(input, START + conditions.later);
                print(&facts.iter().map(|f| world.print(f)).collect::<Vec<_>>())
            });
            count.compare(&row.input, column, cell, found.as_deref());
        }
    }
    count
}
