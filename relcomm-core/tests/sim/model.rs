//! A case as it is thought of before it is written down: who, what, when, what the far sides do, and what goes wrong. Nothing of the
//! engine is used here; the plan's text and the oracle are both made from this.

use std::collections::{BTreeMap, BTreeSet};

/// Minutes, or an instant in minutes since 1970.
pub(crate) type Minutes = i64;

pub(crate) const HOUR: Minutes = 60;
pub(crate) const DAY: Minutes = 24 * HOUR;

/// What is proved, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Sure {
    Attempted,
    Accepted,
    Delivered,
    Acknowledged,
}

impl Sure {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Attempted => "attempted",
            Self::Accepted => "accepted",
            Self::Delivered => "delivered",
            Self::Acknowledged => "acknowledged",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Mech {
    Email,
    Webhook,
    Pager,
    Phone,
    Website,
    Chat,
}

impl Mech {
    pub(crate) const ALL: [Self; 6] = [Self::Email, Self::Webhook, Self::Pager, Self::Phone, Self::Website, Self::Chat];

    /// The most that its far side proves.
    pub(crate) fn proves(self) -> Sure {
        match self {
            Self::Website | Self::Chat | Self::Webhook => Sure::Delivered,
            Self::Email | Self::Pager | Self::Phone => Sure::Acknowledged,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Webhook => "webhook",
            Self::Pager => "pager",
            Self::Phone => "phone",
            Self::Website => "website",
            Self::Chat => "chat",
        }
    }

    /// Whether it reaches everybody at once.
    pub(crate) fn is_post(self) -> bool {
        matches!(self, Self::Website | Self::Chat)
    }

    pub(crate) fn is_by_hand(self) -> bool {
        self == Self::Phone
    }

    pub(crate) fn repeats(self) -> Repeats {
        match self {
            Self::Webhook | Self::Chat => Repeats::Key,
            Self::Pager => Repeats::Lookup,
            Self::Email | Self::Phone | Self::Website => Repeats::None,
        }
    }
}

/// What a far side makes of a repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeats {
    None,
    Key,
    Lookup,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Outcome {
    Begun,
    Success,
    Failure,
    Halted,
    RolledBack,
}

impl Outcome {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Halted => "halted",
            Self::RolledBack => "rolled-back",
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) seed: u64,
    /// The planned time.
    pub(crate) planned: Minutes,
    pub(crate) start: Minutes,
    pub(crate) zone: &'static str,
    pub(crate) version: &'static str,
    pub(crate) kind: Option<&'static str>,
    /// For whom alone there is a second thing that is new.
    pub(crate) second_item: Option<&'static str>,
    /// Whether texts speak of a parameter.
    pub(crate) params: bool,
    pub(crate) places: Vec<&'static str>,
    pub(crate) settle: Option<Minutes>,
    pub(crate) exposure: Option<u32>,
    pub(crate) resend: bool,
    pub(crate) approvals: Approvals,
    /// Who declares, by the words of the plan; everyone, if it names nobody.
    pub(crate) declares: Vec<&'static str>,
    /// What must have been reached before the release is declared at a place.
    pub(crate) needs: BTreeMap<&'static str, After>,
    pub(crate) embargo: Option<Embargo>,
    pub(crate) groups: Vec<Group>,
    pub(crate) people: Vec<Person>,
    pub(crate) communiques: Vec<Communique>,
    pub(crate) events: Vec<(Minutes, Event)>,
    pub(crate) trouble: Trouble,
}

/// Until when what is new is known to none but some groups.
#[derive(Clone, Debug)]
pub(crate) struct Embargo {
    pub(crate) until: Minutes,
    pub(crate) cleared: Vec<&'static str>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Approvals {
    /// Role and the communiques for which it is needed; all if empty.
    pub(crate) need: Vec<(&'static str, Vec<String>)>,
    pub(crate) with_people: bool,
    pub(crate) expire_days: Option<i64>,
    pub(crate) distinct: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Require {
    All,
    Any,
    Share(u32),
    OnePerCompany,
}

#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) id: &'static str,
    pub(crate) via: Vec<Step>,
    pub(crate) informed_when: Option<Sure>,
    pub(crate) within: Option<Minutes>,
    pub(crate) require: Require,
    pub(crate) must_inform: bool,
    pub(crate) despite_opt_out: bool,
    pub(crate) zone: Option<&'static str>,
    pub(crate) between: Option<Window>,
    pub(crate) languages: Vec<&'static str>,
    pub(crate) waived: bool,
    /// Whether the host chooses who of its list belongs to it.
    pub(crate) only: bool,
    /// Whether its people stand in a file beside the plan.
    pub(crate) in_file: bool,
}

/// From and until which hour of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window(pub(crate) u32, pub(crate) u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) via: Mech,
    /// What is begun together with it.
    pub(crate) with: Option<Mech>,
    /// Somebody else who is reached in the person's place.
    pub(crate) to: Option<Reach>,
    /// Who acts by hand, where it is not who is responsible.
    pub(crate) performer: Option<&'static str>,
    pub(crate) unless: Option<(Sure, Minutes)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// A person, or who is responsible.
    Named(&'static str),
    /// Who stands in the person's own data.
    Second,
}

impl Step {
    pub(crate) fn by(via: Mech) -> Self {
        Self { via, with: None, to: None, performer: None, unless: None }
    }

    pub(crate) fn mechanisms(self) -> impl Iterator<Item = Mech> {
        [Some(self.via), self.with].into_iter().flatten()
    }

    /// Whom it reaches in the place of somebody.
    pub(crate) fn stand_in(self, who: &Person) -> Option<&'static str> {
        match self.to? {
            Reach::Named("responsible") => Some("ada"),
            Reach::Named(id) => Some(id),
            Reach::Second => who.second,
        }
    }

    /// Whether it reaches somebody at all where it is about this person.
    pub(crate) fn reaches(self, who: &Person) -> bool {
        self.to.is_none() || self.stand_in(who).is_some()
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) groups: BTreeSet<&'static str>,
    /// On whose lists they are too, and the host does not choose them.
    pub(crate) left_out: BTreeSet<&'static str>,
    pub(crate) has: BTreeSet<Mech>,
    pub(crate) language: Option<&'static str>,
    pub(crate) places: Vec<&'static str>,
    pub(crate) zone: Option<&'static str>,
    pub(crate) stands_for: u32,
    pub(crate) through: Option<String>,
    pub(crate) opted_out: bool,
    pub(crate) company: Option<&'static str>,
    /// Who is next if they do not answer.
    pub(crate) second: Option<&'static str>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Anchor {
    Planned,
    Begun,
    Declared,
    LastDeclared,
    Embargo,
    At(Minutes),
    Reached(usize, State),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    Reached(Sure),
    Informed,
    Settled,
}

impl State {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Reached(sure) => sure.word(),
            Self::Informed => "informed",
            Self::Settled => "settled",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Time {
    pub(crate) anchor: Anchor,
    pub(crate) days: i64,
    pub(crate) business_days: i64,
    /// Elapsed time, added last.
    pub(crate) plus: Minutes,
    /// The hour of the day.
    pub(crate) hour: Option<u32>,
    /// Days and hours in each recipient's zone.
    pub(crate) theirs: bool,
    pub(crate) between: Option<Window>,
    pub(crate) spread: Option<Minutes>,
}

impl Time {
    pub(crate) fn at(anchor: Anchor) -> Self {
        Self { anchor, days: 0, business_days: 0, plus: 0, hour: None, theirs: false, between: None, spread: None }
    }

    pub(crate) fn plus(mut self, minutes: Minutes) -> Self {
        self.plus = minutes;
        self
    }

    /// Later by so much, in whole days where it is at an hour of the day.
    pub(crate) fn plus_or_days(mut self, minutes: Minutes) -> Self {
        match self.hour {
            Some(_) => self.days += minutes / DAY + 1,
            None => self.plus += minutes,
        }
        self
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Occurrence {
    pub(crate) id: Option<&'static str>,
    pub(crate) at: Time,
}

#[derive(Clone, Debug)]
pub(crate) struct After {
    pub(crate) on: usize,
    pub(crate) state: State,
    pub(crate) group: Option<&'static str>,
    /// How many of its people, where that is said.
    pub(crate) share: Option<Require>,
}

/// What is done with a communique once what it waits for could not be reached for so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IfBlocked {
    pub(crate) after: Minutes,
    pub(crate) then: Then,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    Proceed,
    Cancel,
    /// The responsible party is asked.
    Ask,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Variant {
    pub(crate) at: Option<Time>,
    pub(crate) via: Vec<Step>,
    pub(crate) deadline: Option<Time>,
    pub(crate) text: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Correction {
    pub(crate) of: usize,
    /// Whether those who were perhaps told are among them.
    pub(crate) perhaps: bool,
    /// Whether each is reached as they were told.
    pub(crate) as_told: bool,
    /// How those of a group are reached as well.
    pub(crate) also: Option<(&'static str, Step)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Words {
    /// The built-in text.
    BuiltIn,
    Shared,
    Personal,
    /// One for each language.
    ByLanguage,
    /// Says that something is new, and not what.
    Neutral,
}

#[derive(Clone, Debug)]
pub(crate) struct Communique {
    pub(crate) id: String,
    pub(crate) to: Vec<&'static str>,
    /// What it corrects: then it goes to those of these groups whom that told.
    pub(crate) corrects: Option<Correction>,
    pub(crate) per_place: bool,
    /// As it is written; success, or begun with that anchor, if it is not.
    pub(crate) outcome: Option<Outcome>,
    pub(crate) kind: Option<&'static str>,
    /// Where alone it is meant; everywhere, if it names no place.
    pub(crate) only_at: Vec<&'static str>,
    /// What the host says to the condition that it has.
    pub(crate) host: Option<bool>,
    /// None is written if there is one only, without id, at the declared success.
    pub(crate) occurrences: Vec<Occurrence>,
    pub(crate) after: Vec<After>,
    pub(crate) if_blocked: Option<IfBlocked>,
    pub(crate) not_after: Option<Time>,
    pub(crate) deadline: Option<Time>,
    pub(crate) urgent: bool,
    /// Whether those who heard a planned time hear of another.
    pub(crate) on_slip: bool,
    /// Whether it goes out before any declaration although it is due when the embargo ends.
    pub(crate) undeclared: bool,
    pub(crate) via: Vec<Step>,
    pub(crate) informed_when: Option<Sure>,
    pub(crate) resend: Option<bool>,
    /// The outcome for which that is meant which it can only follow.
    pub(crate) follows: Option<Outcome>,
    pub(crate) words: Words,
    pub(crate) variants: BTreeMap<&'static str, Variant>,
}

impl Communique {
    pub(crate) fn times(&self) -> impl Iterator<Item = &Time> {
        self.occurrences.iter().map(|o| &o.at).chain(self.variants.values().filter_map(|v| v.at.as_ref()))
    }

    /// The outcome for which it is meant.
    pub(crate) fn meant_for(&self) -> Outcome {
        let begins = self.occurrences.iter().any(|o| o.at.anchor == Anchor::Begun);
        self.outcome.or(self.follows).unwrap_or(if begins { Outcome::Begun } else { Outcome::Success })
    }

    /// Whether it waits until an outcome is declared.
    pub(crate) fn awaits(&self) -> bool {
        let speaks = |o: &Occurrence| match o.at.anchor {
            Anchor::Begun | Anchor::Declared | Anchor::LastDeclared => true,
            Anchor::Embargo => !self.undeclared,
            Anchor::Planned | Anchor::At(_) | Anchor::Reached(..) => false,
        };
        self.outcome.is_some() || self.follows.is_some() || self.occurrences.iter().any(speaks)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    Declare(&'static str, Outcome, &'static str),
    Approve(&'static str, &'static str, bool),
    Hold(Option<usize>),
    Resume(Option<usize>),
    Cancel(Option<usize>),
    AcceptGap(Gap),
    Attest {
        communique: usize,
        person: String,
        done: bool,
    },
    /// The planned time moves, or is open.
    Slip(Option<Minutes>),
    /// Somebody is erased from the record.
    Erase(String),
    /// Somebody is on the lists from now on, and the plan is prepared anew.
    Join(String),
    /// Somebody is on none any more, and the plan is prepared anew.
    Leave(String),
    /// Somebody lifts the embargo.
    Lift(&'static str),
    /// The machine's clock jumps by so many minutes.
    Jump(Minutes),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Gap {
    Person(String),
    Company(&'static str),
}

/// What a far side does with a message to somebody.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Manner {
    pub(crate) answer: Answer,
    /// How long it takes, in seconds.
    pub(crate) takes: i64,
    /// After how many minutes it says what of what it took over.
    pub(crate) later: Vec<(Minutes, Word)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It takes it at the try after so many that it puts off, each time for so many seconds, or as the engine likes.
    Takes {
        after: u32,
        wait: Option<i64>,
    },
    Refuses,
    /// It puts it off for ever.
    Never,
    /// The first answer is lost, and it has it or not; the next try is taken.
    Lost {
        arrived: bool,
    },
    /// The first call hangs until its time is over, before or after it has it; the next try is taken.
    Hangs {
        arrived: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Got(Sure),
    Bounced,
    /// Somebody says so who is not the far side.
    Forged,
}

/// What goes wrong with the machine.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trouble {
    pub(crate) two: bool,
    pub(crate) crashes: Vec<Crash>,
    /// Mechanism, from, and for how many minutes it is out.
    pub(crate) outages: Vec<(Mech, Minutes, Minutes)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Crash {
    pub(crate) who: usize,
    pub(crate) when: When,
    /// After how many seconds it is back.
    pub(crate) back: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// Before the so-manieth write of the record, counted from the last crash.
    Before(u32),
    After(u32),
    /// At the so-manieth point of an attempt, counted from the last crash.
    Point(u32),
}
