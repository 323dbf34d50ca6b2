//! The same in Rust: a rehearsal put together call by call, for unit tests of plans.

use super::document::Document;
use super::elapsed::Elapsed;
use super::happy::SOMEBODY;
use super::script::{
    AcceptGapDraft, AnswerDraft, AnswerMap, AnswerWord, ApproveDraft, AttestDraft, Bounce, CrashDraft, DeclareDraft,
    Done, Event, Later, MadeUp, NotNow, RetryDraft, SayDraft, Script, SlipDraft, Status, Taken,
};
use super::value::Value;
use super::{Performance, Rehearsal, Unperformed};
use relcomm_core::id::{CommuniqueId, GroupId, PlaceId, Role, StakeholderId};
use relcomm_core::mechanism::Mechanism;
use relcomm_core::plan::source::{Ordered, WordOr};
use relcomm_core::plan::{HeldFiles, PlanDir, Settings, Sources};
use relcomm_core::release::Outcome;
use relcomm_core::report::{Class, PersonReport};
use std::fmt;
use std::num::NonZeroU32;
use std::path::Path;
use std::str::FromStr;

/// Begins a rehearsal of the plan in this file; what it names lies beside it. [`rehearse_text`] shows one.
///
/// # Panics
/// What is said to it panics where it is no id, no time or no mechanism; [`run`](Staging::run) where the plan cannot be read or is not
/// valid, or where somebody's word is refused. It is made for tests.
#[must_use]
pub fn rehearse(plan: impl AsRef<Path>) -> Staging {
    let path = plan.as_ref();
    let name = path.display().to_string();
    let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{name}: {e}"));
    Staging::new(name, bytes, Box::new(PlanDir::beside(path)))
}

/// Begins a rehearsal of a plan that is held in memory and names no files.
///
/// ```
/// use relcomm_core::release::Outcome;
/// use relcomm_core::report::Class;
/// use relcomm_testkit::rehearsal::{Answer, rehearse_text};
///
/// let plan = "
/// plan: 1
/// id: ledger-2
/// zone: UTC
/// release:
///   product: Ledger
///   version: 2.0.0
///   where: [eu, us]
///   what: [{ id: folders, text: Shared folders }]
///   why: Teams asked for it.
///   how: Choose Share.
/// responsible: Ada Osei <ada@ledger.example>
/// groups: { customers: { members: [ann@customer.example], via: email } }
/// communiques: { live: { to: customers } }
/// ";
/// let performance = rehearse_text(plan)
///     .people("customers", 500)
///     .answer(Answer::to("customers-7").via("email").refused())
///     .at("10:00").declare("eu", Outcome::Success)
///     .at("10:05").declare("us", Outcome::Success)
///     .run();
/// performance.person("customers-7").is(Class::NotInformed).because("refused: recipient-invalid");
/// performance.exits(4).informs(499, 1);
/// ```
///
/// # Panics
/// As [`rehearse`].
#[must_use]
pub fn rehearse_text(plan: &str) -> Staging {
    Staging::new("plan.yaml".to_owned(), plan.as_bytes().to_vec(), Box::new(HeldFiles::new()))
}

/// A rehearsal that is being put together.
pub struct Staging {
    name: String,
    plan: Vec<u8>,
    sources: Box<dyn Sources>,
    script: Script,
    at: String,
    by: String,
}

impl fmt::Debug for Staging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Staging").field("plan", &self.name).finish_non_exhaustive()
    }
}

/// What is said must be right: it stands in a test.
#[track_caller]
fn right<T: FromStr>(text: &str, what: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("`{text}` is no {what}"))
}

#[track_caller]
fn mechanism(word: &str) -> Mechanism {
    Mechanism::new(word).unwrap_or_else(|e| panic!("{e}"))
}

impl Staging {
    fn new(name: String, plan: Vec<u8>, sources: Box<dyn Sources>) -> Self {
        let script = Script { rehearsal: 1, name: name.clone(), ..Script::default() };
        Self { name, plan, sources, script, at: "+0s".to_owned(), by: SOMEBODY.to_owned() }
    }

    /// Beginning at this instant, such as `2027-03-02T09:00Z`. Default: 31 days before the planned time, or a day before
    /// what is due earlier; else a Monday at nine.
    #[must_use]
    pub fn starting(mut self, at: &str) -> Self {
        self.script.clock = Some(at.to_owned());
        self
    }

    /// With so many made-up people in the place of a group's own: `GROUP-1`, `GROUP-2` and so on.
    #[must_use]
    #[track_caller]
    pub fn people(mut self, group: &str, count: u32) -> Self {
        let made_up = MadeUp { count, id: None, via: None, columns: Ordered::default() };
        let more = (right::<GroupId>(group, "group id"), made_up);
        self.script.members = self.script.members.into_iter().chain([more]).collect();
        self
    }

    /// With this value in the place of the plan's at a path such as `release.version`: a word, a number, `true` or `false`.
    #[must_use]
    pub fn set(mut self, path: &str, value: &str) -> Self {
        let more = (path.to_owned(), Value::plain(value));
        self.script.set = self.script.set.into_iter().chain([more]).collect();
        self
    }

    /// With this value of a parameter.
    #[must_use]
    pub fn param(mut self, name: &str, value: &str) -> Self {
        let more = (name.to_owned(), value.to_owned());
        self.script.params = self.script.params.into_iter().chain([more]).collect();
        self
    }

    /// Where far sides answer so; the first that matches counts, and what is not matched is accepted at once.
    #[must_use]
    pub fn answer(mut self, answer: Answer) -> Self {
        self.script.answers.get_or_insert_default().push(answer.draft);
        self
    }

    /// What is said next is said then: `10:00`, `+6d` after the begin, or an instant.
    #[must_use]
    pub fn at(mut self, at: &str) -> Self {
        self.at = at.to_owned();
        self
    }

    /// What is said next is said by this person; until then by somebody of whom the plan knows nothing.
    #[must_use]
    pub fn by(mut self, who: &str) -> Self {
        self.by = who.to_owned();
        self
    }

    /// What was said last is refused, in words that hold these.
    ///
    /// # Panics
    /// Nothing was said yet.
    #[must_use]
    #[track_caller]
    pub fn refused(mut self, words: &str) -> Self {
        let last = self.script.timeline.as_mut().and_then(|said| said.last_mut());
        last.unwrap_or_else(|| panic!("nothing was said that could be refused")).refused = Some(words.to_owned());
        self
    }

    fn happens(mut self, event: Event) -> Self {
        let event = Event { at: self.at.clone(), ..event };
        self.script.timeline.get_or_insert_default().push(event);
        self
    }

    /// Somebody declares how it went at a place; name none (`""`) where there is only one.
    #[must_use]
    #[track_caller]
    pub fn declare(self, place: &str, outcome: Outcome) -> Self {
        let place = (!place.is_empty()).then(|| right::<PlaceId>(place, "place id"));
        let proof = Some("a rehearsal".into());
        let declare = DeclareDraft { outcome, place, by: self.by.clone(), proof, as_of: None };
        self.happens(Event { declare: Some(declare), ..Event::default() })
    }

    /// Somebody approves.
    #[must_use]
    #[track_caller]
    pub fn approve(self, role: &str, by: &str) -> Self {
        let approve = ApproveDraft { role: right::<Role>(role, "role"), by: by.into(), reject: false, note: None };
        self.happens(Event { approve: Some(approve), ..Event::default() })
    }

    /// Somebody says that a communique was brought by hand to a person.
    #[must_use]
    #[track_caller]
    pub fn done(self, communique: &str, person: &str) -> Self {
        let person = StakeholderId::new(person).unwrap_or_else(|_| panic!("`{person}` is no person's id"));
        self.attest(communique, None, Some(person), None)
    }

    /// The same, where it is told place by place: at this one.
    #[must_use]
    #[track_caller]
    pub fn done_at(self, communique: &str, place: &str, person: &str) -> Self {
        let person = StakeholderId::new(person).unwrap_or_else(|_| panic!("`{person}` is no person's id"));
        self.attest(communique, Some(right(place, "place id")), Some(person), None)
    }

    /// Somebody says that a communique was brought by hand to a whole group.
    #[must_use]
    #[track_caller]
    pub fn done_for(self, communique: &str, group: &str) -> Self {
        self.attest(communique, None, None, Some(right(group, "group id")))
    }

    #[track_caller]
    fn attest(
        self,
        communique: &str,
        place: Option<PlaceId>,
        person: Option<StakeholderId>,
        group: Option<GroupId>,
    ) -> Self {
        let communique = right::<CommuniqueId>(communique, "communique id");
        let (by, outcome) = (self.by.clone(), Done::Done);
        let attest = AttestDraft { communique, person, group, place, by, outcome, assurance: None, note: None };
        self.happens(Event { attest: Some(attest), ..Event::default() })
    }

    /// Somebody accepts that a person who must be informed cannot be reached.
    #[must_use]
    #[track_caller]
    pub fn accept_gap(self, person: &str, why: &str) -> Self {
        let person = StakeholderId::new(person).unwrap_or_else(|_| panic!("`{person}` is no person's id"));
        let (by, company) = (self.by.clone(), None);
        let accept = AcceptGapDraft { person: Some(person), company, by, why: why.to_owned() };
        self.happens(Event { accept_gap: Some(accept), ..Event::default() })
    }

    /// Everything that is not out yet is held.
    #[must_use]
    pub fn hold(self) -> Self {
        let say = SayDraft { communique: None, by: self.by.clone(), why: None };
        self.happens(Event { hold: Some(say), ..Event::default() })
    }

    /// What is held goes on.
    #[must_use]
    pub fn resume(self) -> Self {
        let say = SayDraft { communique: None, by: self.by.clone(), why: None };
        self.happens(Event { resume: Some(say), ..Event::default() })
    }

    /// Whoever nobody has reached is tried once more.
    #[must_use]
    pub fn retry(self) -> Self {
        let retry = RetryDraft { communique: None, person: None, by: self.by.clone(), why: None };
        self.happens(Event { retry: Some(retry), ..Event::default() })
    }

    /// The planned time moves: to an instant, or `open`.
    #[must_use]
    pub fn slip(self, planned: &str) -> Self {
        let slip = SlipDraft { planned: planned.to_owned(), by: self.by.clone(), why: None };
        self.happens(Event { slip: Some(slip), ..Event::default() })
    }

    /// The dispatcher dies, and is back after this.
    #[must_use]
    #[track_caller]
    pub fn crash(self, back: &str) -> Self {
        let crash = CrashDraft { back: right::<Elapsed>(back, "duration") };
        self.happens(Event { crash: Some(crash), ..Event::default() })
    }

    /// Plays it until nothing is left to happen. Where nobody says anything (nothing after [`at`](Self::at)), every approval is given and
    /// success is declared; and unless an answer is given everybody acknowledges: the [happy path](Rehearsal::happy_path).
    ///
    /// # Panics
    /// The plan is not valid, the engine fails, or what somebody says is refused of which that was not [said](Self::refused).
    #[must_use]
    #[track_caller]
    pub fn run(self) -> Performance {
        let rehearsal = Rehearsal { document: Document::of(self.script), settings: Settings::default() };
        let performed = rehearsal.perform(&self.name, &self.plan, &*self.sources);
        let performance = performed.unwrap_or_else(|why| match why {
            Unperformed::Script(findings) | Unperformed::Plan(findings) => {
                let errors: Vec<_> = findings.iter().filter(|f| f.is_error()).map(ToString::to_string).collect();
                panic!("{}", errors.join("\n"))
            }
            other => panic!("{other}"),
        });
        let failed: Vec<&str> = performance.diverged().flat_map(|check| &check.failed).map(String::as_str).collect();
        assert!(failed.is_empty(), "{}\n{performance}", failed.join("\n"));
        performance
    }
}

/// What a far side does for some.
#[derive(Clone, Debug)]
#[must_use]
pub struct Answer {
    draft: AnswerDraft,
}

impl Answer {
    /// For a person or a group; `*` stands for any letters. Accepted, until it is said otherwise.
    pub fn to(whom: &str) -> Self {
        let to = whom.to_owned();
        let draft =
            AnswerDraft { to, via: None, communique: None, attempt: None, answer: None, after: None, later: None };
        Self { draft }
    }

    /// On this mechanism only.
    #[track_caller]
    pub fn via(mut self, word: &str) -> Self {
        self.draft.via = Some(mechanism(word));
        self
    }

    /// At this try only, from 1.
    #[track_caller]
    pub fn attempt(mut self, number: u32) -> Self {
        self.draft.attempt = Some(NonZeroU32::new(number).unwrap_or_else(|| panic!("tries are counted from 1")));
        self
    }

    /// Accepted, to be seen there.
    pub fn accepted_at(mut self, url: &str) -> Self {
        let taken = Taken { url: Some(url.to_owned()), ..Taken::default() };
        self.draft.answer = Some(WordOr::Map(AnswerMap { accepted: Some(taken), ..AnswerMap::default() }));
        self
    }

    /// Refused for good.
    pub fn refused(mut self) -> Self {
        self.draft.answer = Some(WordOr::Map(AnswerMap { refused: Some(Status::default()), ..AnswerMap::default() }));
        self
    }

    /// Not now, with this code, and how long to wait (`30s`).
    #[track_caller]
    pub fn failed(mut self, status: &str, retry_after: &str) -> Self {
        let retry_after = Some(right::<Elapsed>(retry_after, "duration"));
        let failed = NotNow { status: Some(status.to_owned()), retry_after, channel: false };
        self.draft.answer = Some(WordOr::Map(AnswerMap { failed: Some(failed), ..AnswerMap::default() }));
        self
    }

    /// The far side has it, but its answer is lost.
    pub fn indeterminate(mut self) -> Self {
        self.draft.answer = Some(WordOr::Word(AnswerWord::Indeterminate));
        self
    }

    /// It never answers, and has not got it.
    pub fn hangs(mut self) -> Self {
        self.draft.answer = Some(WordOr::Word(AnswerWord::Hang));
        self
    }

    fn later(&mut self) -> &mut Later {
        self.draft.later.get_or_insert_default()
    }

    /// Delivered so long after (`1m`).
    #[track_caller]
    pub fn delivered_after(mut self, span: &str) -> Self {
        self.later().delivered = Some(right(span, "duration"));
        self
    }

    /// Acknowledged so long after.
    #[track_caller]
    pub fn acknowledged_after(mut self, span: &str) -> Self {
        self.later().acknowledged = Some(right(span, "duration"));
        self
    }

    /// Back it came so long after.
    #[track_caller]
    pub fn bounced_after(mut self, span: &str) -> Self {
        let bounce = Bounce { after: Some(right(span, "duration")), status: None };
        self.later().bounced = Some(WordOr::Map(bounce));
        self
    }
}

/// What a test says of a performance. Each panics with the whole timeline where it is not so.
impl Performance {
    /// The exit code of `dispatch`.
    ///
    /// # Panics
    /// It is another.
    #[track_caller]
    pub fn exits(&self, code: u8) -> &Self {
        assert_eq!(self.exit, code, "the exit code\n{self}");
        self
    }

    /// How many are informed, and how many are not, be it for good or not yet.
    ///
    /// # Panics
    /// They are others.
    #[track_caller]
    pub fn informs(&self, informed: u32, others: u32) -> &Self {
        let totals = self.report.as_ref().map(|r| r.totals).unwrap_or_default();
        let found = (totals.informed, totals.not_informed + totals.unconfirmed);
        assert_eq!(found, (informed, others), "informed and others\n{self}");
        self
    }

    /// A person, of whom more is said.
    ///
    /// # Panics
    /// Nobody bears this id.
    #[must_use]
    #[track_caller]
    pub fn person(&self, id: &str) -> Judged<'_> {
        let people = self.report.iter().flat_map(|report| &report.people);
        let person = people.into_iter().find(|p| p.id == id).unwrap_or_else(|| panic!("nobody is called {id}\n{self}"));
        Judged { performance: self, person }
    }

    /// The timeline as text, a line each: for a snapshot.
    #[must_use]
    pub fn timeline_text(&self) -> String {
        self.timeline.iter().map(|line| format!("{line}\n")).collect()
    }
}

/// A person of whom something is said.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    performance: &'a Performance,
    person: &'a PersonReport,
}

impl Judged<'_> {
    /// Of this class.
    ///
    /// # Panics
    /// They are of another.
    #[track_caller]
    pub fn is(self, class: Class) -> Self {
        assert_eq!(self.person.class, class, "{}\n{}", self.person.id, self.performance);
        self
    }

    /// For this reason.
    ///
    /// # Panics
    /// It is for another.
    #[track_caller]
    pub fn because(self, reason: &str) -> Self {
        assert_eq!(self.person.reason.as_deref(), Some(reason), "{}\n{}", self.person.id, self.performance);
        self
    }

    /// After so many attempts in all.
    ///
    /// # Panics
    /// They are more or fewer.
    #[track_caller]
    pub fn after_attempts(self, count: usize) -> Self {
        let found: usize = self.person.deliveries.iter().map(|d| d.attempts.len()).sum();
        assert_eq!(found, count, "attempts to {}\n{}", self.person.id, self.performance);
        self
    }
}
