//! Verbs by which a person says something: `approve`, `declare`, `attest`, `hold`, `resume`, `cancel`, `retry`, `accept-gap`, `slip`, `lift`,
//! `erase`.

use super::answer;
use super::desk::{Access, Desk};
use crate::arguments::{Attested as Outcome, Common, Person};
use crate::{Exit, Failure};
use relcomm_core::clock::Moment;
use relcomm_core::course::HeadFact;
use relcomm_core::dispatch::{Attestation, Dispatcher, GapOf, Whom};
use relcomm_core::id::{CommuniqueId, GroupId, PlaceId, Role, StakeholderId};
use relcomm_core::journal::{Entry, Fact, Note, Subject};
use relcomm_core::plan::time::Instant;
use relcomm_core::release::{Declaration, Outcome as ReleaseOutcome};
use serde_json::json;

/// What `declare` was told.
#[derive(Debug)]
pub(super) struct Declared {
    pub(super) place: Option<String>,
    pub(super) outcome: String,
    pub(super) by: String,
    pub(super) proof: Option<String>,
    pub(super) at: Option<String>,
    pub(super) cause: Option<String>,
}

/// What `attest` was told.
#[derive(Debug)]
pub(super) struct Attested {
    pub(super) communique: String,
    pub(super) person: Option<String>,
    pub(super) group: Option<String>,
    pub(super) place: Option<String>,
    pub(super) outcome: Outcome,
    pub(super) assurance: Option<String>,
    pub(super) by: String,
    pub(super) note: Option<String>,
}

fn refused(why: impl ToString) -> Failure {
    Failure::Refused(why.to_string())
}

pub(super) async fn approve(
    common: &Common,
    by: &str,
    role: &str,
    digest: Option<&str>,
    reject: bool,
    note: Option<String>,
) -> Result<Exit, Failure> {
    let role = Role::new(role).map_err(refused)?;
    let desk = Desk::open(common, Access::Write).await?;
    let news = desk.dispatcher.approve(&role, by, digest, reject, note).await?;
    let says = if reject { "rejected" } else { "approved" };
    let digest = &desk.dispatcher.prepared().digests().texts;
    let line = if news { format!("{says} as {role}: texts {digest}") } else { format!("already {says} as {role}") };
    answer(common.format, &line, &json!({ "role": role, "says": says, "news": news, "digest": digest }));
    Ok(Exit::Done)
}

pub(super) async fn declare(common: &Common, said: &Declared) -> Result<Exit, Failure> {
    let outcome: ReleaseOutcome = said.outcome.parse().map_err(|()| {
        let words: Vec<&str> = ReleaseOutcome::ALL.iter().map(|o| o.word()).collect();
        Failure::Tool(format!("--outcome {}: there are {}", said.outcome, words.join(", ")))
    })?;
    let mut declaration = Declaration::new(outcome, &said.by);
    if let Some(place) = &said.place {
        declaration = declaration.place(PlaceId::new(place).map_err(refused)?);
    }
    if let Some(proof) = &said.proof {
        declaration = declaration.proof(proof);
    }
    if let Some(cause) = &said.cause {
        declaration = declaration.cause(cause);
    }
    let desk = Desk::open(common, Access::Write).await?;
    if let Some(at) = &said.at {
        let when = instant("--at", at, &desk)?;
        declaration = declaration.at(when.ok_or_else(|| Failure::Tool(format!("--at {at}: give an instant")))?);
    }
    let news = desk.dispatcher.declare(&declaration).await?;
    let place = said.place.as_deref().unwrap_or("the release");
    let line = if news {
        format!("declared: {place} {outcome}")
    } else {
        let before = declared_before(&desk.dispatcher, &declaration).await?;
        format!("already declared: {place} {outcome}{before}; nothing new is recorded")
    };
    answer(common.format, &line, &json!({ "place": said.place, "outcome": outcome, "news": news }));
    Ok(Exit::Done)
}

/// As of when, and by whom, it was declared before.
pub(super) async fn declared_before(dispatcher: &Dispatcher, said: &Declaration) -> Result<String, Failure> {
    let said_so = |(entry, note): (Entry, Option<Note>)| match entry.fact {
        Fact::Head(fact) => match *fact {
            HeadFact::Declared { place, outcome, at } => {
                let same = outcome == said.outcome && said.place.as_ref().is_none_or(|said| *said == place);
                same.then_some((at, note.and_then(|note| note.by)))
            }
            _ => None,
        },
        _ => None,
    };
    let before = dispatcher.journal().history(Subject::Head).await?.into_iter().filter_map(said_so).next_back();
    let by = |by: Option<String>| by.map(|by| format!(" by {by}")).unwrap_or_default();
    Ok(before.map(|(at, who)| format!(", as of {at}{}", by(who))).unwrap_or_default())
}

pub(super) async fn attest(common: &Common, said: Attested) -> Result<Exit, Failure> {
    let communique = CommuniqueId::new(&said.communique).map_err(refused)?;
    let whom = match (&said.person, &said.group) {
        (Some(person), _) => Whom::Person(StakeholderId::new(person).map_err(refused)?),
        (None, Some(group)) => Whom::Group(GroupId::new(group).map_err(refused)?),
        (None, None) => return Err(Failure::Tool("give --person or --group".into())),
    };
    let mut attestation = match said.outcome {
        Outcome::Done => Attestation::done(communique, whom, &said.by),
        Outcome::Failed => Attestation::failed(communique, whom, &said.by),
    };
    if let Some(assurance) = &said.assurance {
        let assurance =
            assurance.parse().map_err(|()| Failure::Tool(format!("--assurance {assurance}: no such word")))?;
        attestation = attestation.assurance(assurance);
    }
    if let Some(place) = &said.place {
        attestation = attestation.place(PlaceId::new(place).map_err(refused)?);
    }
    let attestation = attestation.note(said.note);
    let desk = Desk::open(common, Access::Write).await?;
    let attested = desk.dispatcher.attest(&attestation).await?;
    let (news, unheeded) = (attested.news, attested.unheeded);
    let mut line = if news == 0 {
        "nothing new: it was attested already, or a word cannot prove more of what is out".into()
    } else {
        format!("attested for {news}")
    };
    if unheeded > 0 {
        line += &format!("; for {unheeded} it is recorded and changes nothing, since more was proved before");
    }
    // Nobody may be dispatching.
    let next_due = desk.dispatcher.standing().await?.next_due;
    if next_due.is_some_and(|at| at <= desk.dispatcher.now()) {
        line += "; what follows is for the next `dispatch`";
    }
    let json = json!({
        "communique": said.communique, "news": news, "unheeded": unheeded, "next_due": next_due.map(|at| at.to_string()),
    });
    answer(common.format, &line, &json);
    Ok(Exit::Done)
}

pub(super) async fn hold(person: &Person, held: bool) -> Result<Exit, Failure> {
    let communique = communique(person)?;
    let desk = Desk::open(&person.common, Access::Write).await?;
    let news = desk.dispatcher.hold(communique.as_ref(), held, &person.by, person.why.clone()).await?;
    let (_, head) = desk.dispatcher.journal().head().await?;
    let by_name: Vec<&str> = head.held_communiques.iter().map(CommuniqueId::as_str).collect();
    let still = match &communique {
        None if !held && !by_name.is_empty() => format!("; still held by name: {}", by_name.join(", ")),
        Some(_) if !held && head.held => "; it waits all the same, since everything is held".to_owned(),
        _ => String::new(),
    };
    done(person, if held { "held" } else { "resumed" }, news, &still)
}

pub(super) async fn cancel(person: &Person) -> Result<Exit, Failure> {
    let communique = communique(person)?;
    let desk = Desk::open(&person.common, Access::Write).await?;
    let news = desk.dispatcher.cancel(communique.as_ref(), &person.by, person.why.clone()).await?;
    done(person, "cancelled", news, "")
}

pub(super) async fn retry(of: &Person, person: Option<&str>) -> Result<Exit, Failure> {
    let communique = communique(of)?;
    let person = person.map(StakeholderId::new).transpose().map_err(refused)?;
    let desk = Desk::open(&of.common, Access::Write).await?;
    let deliveries = desk.dispatcher.retry(communique.as_ref(), person.as_ref(), &of.by, of.why.clone()).await?;
    let line = match deliveries {
        0 => "nothing to try again: whoever is not informed is being tried, was perhaps told, is out of time, or has nothing out to them; \
              `report` says which"
            .to_owned(),
        1 => "1 delivery is tried again; the next `dispatch` begins it".to_owned(),
        n => format!("{n} deliveries are tried again; the next `dispatch` begins them"),
    };
    let json = json!({ "communique": of.communique, "person": person, "says": "retried", "deliveries": deliveries });
    answer(of.common.format, &line, &json);
    Ok(Exit::Done)
}

pub(super) async fn accept_gap(
    common: &Common,
    person: Option<&str>,
    company: Option<String>,
    why: &str,
    by: &str,
) -> Result<Exit, Failure> {
    let (of, said) = match (person, company) {
        (Some(person), _) => (GapOf::Person(StakeholderId::new(person).map_err(refused)?), person.to_owned()),
        (None, Some(company)) => (GapOf::Company(company.clone()), company),
        (None, None) => return Err(Failure::Tool("give --person or --company".into())),
    };
    let desk = Desk::open(common, Access::Write).await?;
    let news = desk.dispatcher.accept_gap(&of, by, why).await?;
    let (_, head) = desk.dispatcher.journal().head().await?;
    let left = desk.dispatcher.open_gaps(&head).count();
    let line = if news { "accepted" } else { "already accepted" };
    let line = format!("the gap of {said} is {line}; {left} left");
    answer(common.format, &line, &json!({ "of": said, "news": news, "left": left }));
    Ok(Exit::Done)
}

pub(super) async fn slip(common: &Common, planned: &str, by: &str, why: Option<String>) -> Result<Exit, Failure> {
    let desk = Desk::open(common, Access::Write).await?;
    let to = instant("--planned", planned, &desk)?;
    let news = desk.dispatcher.slip(to, by, why).await?;
    let shown = to.map_or_else(|| "open".to_owned(), |at| at.to_string());
    let line = if news { "the planned time is now" } else { "the planned time is already" };
    answer(common.format, &format!("{line} {shown}"), &json!({ "planned": to, "news": news }));
    Ok(Exit::Done)
}

pub(super) async fn lift(common: &Common, by: &str, cause: &str) -> Result<Exit, Failure> {
    let desk = Desk::open(common, Access::Write).await?;
    let news = desk.dispatcher.lift(by, cause).await?;
    let line = if news { "the embargo is lifted" } else { "the embargo is already lifted, or over" };
    answer(common.format, line, &json!({ "says": "lifted", "news": news }));
    Ok(Exit::Done)
}

pub(super) async fn erase(common: &Common, person: &str, by: &str) -> Result<Exit, Failure> {
    let id = StakeholderId::new(person).map_err(refused)?;
    let desk = Desk::open(common, Access::Write).await?;
    let news = desk.dispatcher.erase(&id, by).await?;
    let is_listed = desk.dispatcher.prepared().people().iter().any(|who| who.id() == person);
    let mut line = if news { "erased from the record" } else { "already erased from the record" }.to_owned();
    if is_listed {
        line.push_str("; the member data still names this person: take them out there, and prepare again");
    }
    answer(common.format, &line, &json!({ "says": "erased", "news": news, "in_member_data": is_listed }));
    Ok(Exit::Done)
}

/// An instant as the plan's language has it, a local one in the plan's zone; `None` for `open`.
fn instant(option: &str, text: &str, desk: &Desk) -> Result<Option<Moment>, Failure> {
    let zone = desk.dispatcher.prepared().plan().zone();
    let read = text.parse::<Instant>().and_then(|instant| instant.moment(Some(zone)));
    read.map_err(|why| Failure::Tool(format!("{option} {text}: {why}")))
}

fn communique(person: &Person) -> Result<Option<CommuniqueId>, Failure> {
    person.communique.as_ref().map(CommuniqueId::new).transpose().map_err(refused)
}

#[expect(clippy::unnecessary_wraps, reason = "it ends two verbs, whose results it is")]
fn done(person: &Person, what: &str, news: bool, still: &str) -> Result<Exit, Failure> {
    let of = person.communique.as_deref().unwrap_or("everything");
    let line = if news { format!("{of} {what}{still}") } else { format!("{of} already {what}{still}") };
    answer(person.common.format, &line, &json!({ "communique": person.communique, "says": what, "news": news }));
    Ok(Exit::Done)
}
