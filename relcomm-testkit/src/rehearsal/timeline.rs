//! What happened, line by line: what people said, and what the record tells of it.

use relcomm_core::clock::Moment;
use relcomm_core::course::{Closed, DeliveryFact, End, GateFact, LaneFact, Shut};
use relcomm_core::id::{DeliveryId, GateNo, LaneNo};
use relcomm_core::journal::{Entry, Fact, Run, Subject};
use relcomm_core::receipt::Assurance;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// One line of a timeline.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Line {
    /// When, by the machine's clock.
    #[serde(serialize_with = "as_text")]
    pub at: Moment,
    /// What.
    pub what: String,
}

fn as_text<S: serde::Serializer>(at: &Moment, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(at)
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {}", self.at, self.what)
    }
}

/// What somebody said, and after which entry.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) after: u64,
    pub(super) at: Moment,
    pub(super) what: String,
}

/// Names for the record's numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    pub(super) gates: BTreeMap<GateNo, String>,
    pub(super) lanes: BTreeMap<LaneNo, String>,
    pub(super) who: BTreeMap<DeliveryId, String>,
    /// Who was reached in their place, by delivery and leg.
    pub(super) in_their_place: BTreeMap<(DeliveryId, u8), String>,
}

/// The people of whom the same is told by name; more are counted.
const NAMED: usize = 3;

/// What happened.
pub(super) fn tell(entries: &[Entry], said: &[Said], names: &Names) -> Vec<Line> {
    let (legs, expired, gone) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
    let mut teller = Teller { names, lines: Vec::new(), open: Vec::new(), at: Moment::MIN, legs, expired, gone };
    let mut said = said.iter().peekable();
    for (index, entry) in entries.iter().enumerate() {
        while let Some(next) = said.next_if(|s| s.after < entry.seq) {
            teller.say(next);
        }
        // What came back and is shut for that is told once.
        let bounced = |e: &Entry| matches!(e.fact, Fact::Delivery(DeliveryFact::Shut { why: Shut::Bounced, .. }));
        let told_next = entries.get(index + 1).is_some_and(|next| next.subject == entry.subject && bounced(next));
        if !(told_next && matches!(entry.fact, Fact::Delivery(DeliveryFact::Failed { .. }))) {
            teller.take(entry);
        }
    }
    said.for_each(|next| teller.say(next));
    teller.flush();
    teller.lines
}

/// What is told of several at once.
#[derive(PartialEq, Eq)]
struct Told {
    of: String,
    by: String,
    what: String,
}

struct Teller<'a> {
    names: &'a Names,
    lines: Vec<Line>,
    /// What is told of this instant: of which gate or lane, of whom, by what, and what.
    open: Vec<(Told, Vec<String>)>,
    at: Moment,
    /// Of each delivery its legs: the lane, and how many tries there were.
    legs: BTreeMap<DeliveryId, Vec<(LaneNo, u32)>>,
    /// Of which it was told that their last step expired, and when: that they have ended so is the same.
    expired: BTreeSet<(DeliveryId, Moment)>,
    /// The legs of which the plan had no step any more.
    gone: BTreeSet<(DeliveryId, u8)>,
}

impl Teller<'_> {
    fn say(&mut self, said: &Said) {
        self.flush();
        self.lines.push(Line { at: said.at, what: said.what.clone() });
    }

    fn flush(&mut self) {
        for (Told { of, by, what }, who) in self.open.drain(..) {
            let whom = match who.as_slice() {
                [] => String::new(),
                few if few.len() <= NAMED => format!(" → {}", few.join(", ")),
                many => format!(" → {} people", many.len()),
            };
            self.lines.push(Line { at: self.at, what: format!("{of}{whom}{by}: {what}") });
        }
    }

    fn add(&mut self, at: Moment, told: Told, who: Option<String>) {
        if at != self.at {
            self.flush();
            self.at = at;
        }
        // Of a post, which is for all, and of one person the same is told on lines of their own.
        let same = |(other, all): &&mut (Told, Vec<String>)| *other == told && all.is_empty() == who.is_none();
        match self.open.iter_mut().find(same) {
            Some((_, all)) => all.extend(who),
            None => self.open.push((told, who.into_iter().collect())),
        }
    }

    fn lane(&self, no: LaneNo) -> String {
        let name = self.names.lanes.get(&no).map_or("?", String::as_str);
        name.trim_start_matches("shared:").to_owned()
    }

    fn take(&mut self, entry: &Entry) {
        match (entry.subject, &entry.fact) {
            (Subject::Gate(no), Fact::Entered { from, runs }) => {
                let mut ordinal = *from;
                for (count, delivery) in Run::deliveries(runs) {
                    for _ in 0..count {
                        let legs = delivery.legs.iter().map(|leg| (leg.lane, 0)).collect();
                        self.legs.insert(DeliveryId { gate: no, ordinal }, legs);
                        ordinal += 1;
                    }
                }
            }
            (Subject::Gate(no), Fact::Gate(fact)) => {
                let Some(what) = gate(fact) else { return };
                let of = self.names.gates.get(&no).cloned().unwrap_or_default();
                self.add(entry.at, Told { of, by: String::new(), what: what.to_owned() }, None);
            }
            (Subject::Lane(no), Fact::Lane(fact)) => {
                let of = format!("channel for {}", self.lane(no));
                self.add(entry.at, Told { of, by: String::new(), what: lane(fact) }, None);
            }
            (Subject::Delivery(id), Fact::Delivery(fact)) => self.delivery(entry.at, id, fact),
            _ => {}
        }
    }

    fn delivery(&mut self, at: Moment, id: DeliveryId, fact: &DeliveryFact) {
        match fact {
            DeliveryFact::Shut { why: Shut::Expired, .. } => _ = self.expired.insert((id, at)),
            DeliveryFact::Shut { leg, why: Shut::Gone } => _ = self.gone.insert((id, *leg)),
            DeliveryFact::Ended(End::Expired) if self.expired.remove(&(id, at)) => return,
            _ => {}
        }
        let legs = self.legs.entry(id).or_default();
        match fact {
            DeliveryFact::Started { leg, .. } => {
                if let Some((_, tries)) = legs.get_mut(usize::from(*leg)) {
                    *tries += 1;
                }
                return;
            }
            DeliveryFact::Begun { lane, .. } => legs.push((*lane, 0)),
            _ => {}
        }
        let (leg, what) = match fact {
            DeliveryFact::Accepted { leg, sure: Assurance::Attempted, .. } => (*leg, "a task for somebody".to_owned()),
            DeliveryFact::Accepted { leg, sure, .. } | DeliveryFact::Proved { leg, sure } => (*leg, sure.to_string()),
            DeliveryFact::Again { leg, at, kind, .. } => (*leg, format!("{kind}, again at {at}")),
            DeliveryFact::Postponed { leg, at, .. } => match self.gone.remove(&(id, *leg)) {
                true => (*leg, format!("in the plan again, from {at}")),
                false => (*leg, format!("its hours are over, again at {at}")),
            },
            DeliveryFact::Doubted { leg, query_at: Some(at) } => (*leg, format!("nobody knows, asked at {at}")),
            DeliveryFact::Asked { leg, .. } => (*leg, "nobody knows, is asked".to_owned()),
            DeliveryFact::Doubted { leg, query_at: None } => (*leg, "nobody knows, held".to_owned()),
            DeliveryFact::Shut { leg, why } => match shut(*why) {
                Some(what) => (*leg, what),
                None => return,
            },
            DeliveryFact::Begun { step: 0, at, .. } => (legs_last(legs), format!("the first step, from {at}")),
            DeliveryFact::Begun { at, .. } => (legs_last(legs), format!("the next step, from {at}")),
            DeliveryFact::Failed { leg } => (*leg, "came back".to_owned()),
            DeliveryFact::Delayed { leg, by } => (*leg, format!("delayed until {by} at most")),
            DeliveryFact::Ended(End::Exhausted) => (legs_last(legs), "no step is left".to_owned()),
            DeliveryFact::Ended(End::Expired) => (legs_last(legs), "expired".to_owned()),
            DeliveryFact::Reopened => (legs_last(legs), "taken up again".to_owned()),
            _ => return,
        };
        let (by, tries) = legs.get(usize::from(leg)).map_or((LaneNo(u16::MAX), 0), |(lane, tries)| (*lane, *tries));
        let nth = if tries > 1 { format!(" (try {tries})") } else { String::new() };
        let by = format!(" by {}{nth}", self.lane(by));
        let of = self.names.gates.get(&id.gate).cloned().unwrap_or_default();
        let reached = self.names.in_their_place.get(&(id, leg));
        let who = self.names.who.get(&id).map(|who| match reached {
            Some(reached) => format!("{who} (to {reached})"),
            None => who.clone(),
        });
        self.add(at, Told { of, by, what }, who);
    }
}

fn legs_last(legs: &[(LaneNo, u32)]) -> u8 {
    u8::try_from(legs.len().saturating_sub(1)).unwrap_or(u8::MAX)
}

fn gate(fact: &GateFact) -> Option<&'static str> {
    Some(match fact {
        GateFact::Opened { .. } => "opens",
        GateFact::Settled => "settled",
        GateFact::Called => "takes the place of what was told before",
        GateFact::Widened { .. } => "looks for whoever has not been told",
        GateFact::Held(true) => "held",
        GateFact::Held(false) => "goes on",
        GateFact::Blocked { .. } => "blocked",
        GateFact::Unblocked => "no longer blocked",
        GateFact::Asked => "asks what is done",
        GateFact::Forced { .. } => "goes out all the same",
        GateFact::Closed(Closed::Blocked) => "closed, blocked",
        GateFact::Closed(Closed::Expired) => "closed, expired",
        GateFact::Closed(Closed::Cancelled) => "closed, cancelled",
        GateFact::Closed(Closed::Superseded) => "closed, superseded",
        _ => return None,
    })
}

fn lane(fact: &LaneFact) -> String {
    match fact {
        LaneFact::Down { until, .. } => format!("down until {until}"),
        LaneFact::Probing => "one try to see".to_owned(),
        LaneFact::Up => "up again".to_owned(),
        LaneFact::Barred { kind } => format!("barred: {kind}"),
    }
}

fn shut(why: Shut) -> Option<String> {
    Some(match why {
        Shut::Refused(kind) => format!("refused: {kind}"),
        Shut::Spent(kind) => format!("given up: {kind}"),
        Shut::Bounced => "bounced".to_owned(),
        Shut::MovedOn => "moved on".to_owned(),
        Shut::Expired => "expired".to_owned(),
        Shut::NotSent => "never went out".to_owned(),
        _ => return None,
    })
}
