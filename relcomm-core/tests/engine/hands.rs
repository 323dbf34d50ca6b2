//! What is done by hand: who performed it, who said how it ended and in which words, and who was absent.

use crate::support::{DAY, HOUR, RELEASE, World, finish, live, person, said, scripted};
use relcomm_core::dispatch::{Attestation, Dispatcher, Whom};
use relcomm_core::id::{CommuniqueId, PlaceId, StakeholderId};
use relcomm_core::mechanism::{Addressing, Capabilities};
use relcomm_core::receipt::Assurance;
use relcomm_core::release::Outcome;
use relcomm_core::report::{AttemptReport, Class, Report, Verdict};
use relcomm_core::stakeholder::Address;
use relcomm_testkit::channel::{Answer, ScriptedChannel};

fn by_hand(addressing: Addressing) -> ScriptedChannel {
    ScriptedChannel::new("manual")
        .capabilities(move |_| Capabilities::new(addressing, Assurance::Acknowledged).by_hand())
        .answering(|_, _| Answer::Accept(Assurance::Attempted))
}

async fn declared(world: &World) -> Dispatcher {
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    dispatcher.declare(&said("us", Outcome::Failure)).await.unwrap();
    dispatcher.step().await.unwrap();
    dispatcher
}

fn word(who: &str, done: bool, note: &str) -> Attestation {
    let whom = Whom::Person(StakeholderId::new(who).unwrap());
    let mut word = Attestation::done(CommuniqueId::new("out").unwrap(), whom, "lea");
    word.done = done;
    word.note(Some(note.to_owned()))
}

fn attempts<'a>(report: &'a Report, who: &str) -> &'a [AttemptReport] {
    &person(report, who).deliveries.first().expect("something was due").attempts
}

/// By which mechanism, how it ended, who performs it, who said so, and in which words.
fn told(attempt: &AttemptReport) -> [&str; 5] {
    let [performer, by, note] =
        [&attempt.performer, &attempt.by, &attempt.note].map(|text| text.as_deref().unwrap_or_default());
    [attempt.mechanism.as_str(), &attempt.outcome, performer, by, note]
}

const PRESENTED: &str = "
plan: 1
id: demo
settle: 1d
release: { product: Demo, version: 1.0.0, what: [{ id: one, text: The one thing }], why: Because., how: Open it., where: { eu: {}, us: {} } }
responsible: { execute: Ada <ada@demo.example>, performers: { cfo: Lea <lea@demo.example> } }
groups:
  leads:
    members: [{ id: al, email: al@demo.example }, { id: bea, email: bea@demo.example }, { id: cy, email: cy@demo.example }]
    via: [{ via: presentation, performer: cfo }, email]
    informed_when: acknowledged
communiques:
  out: { to: leads, per: place, text: Town hall. }
";

fn presented() -> (World, ScriptedChannel) {
    let (stage, email) = (by_hand(Addressing::Once), ScriptedChannel::new("smtp"));
    (World::new(PRESENTED, scripted([("presentation", &stage), ("email", &email)])), email)
}

#[tokio::test(start_paused = true)]
async fn a_list_of_attendance_tells_who_was_there_and_that_it_was_held() {
    let (world, email) = presented();
    let dispatcher = declared(&world).await;
    assert_eq!(
        told(&attempts(&dispatcher.report().await.unwrap(), "al")[0])[..3],
        ["presentation", "task open", "cfo"]
    );
    assert_eq!(dispatcher.attest(&word("cy", false, "absent")).await.unwrap().news, 1);
    assert_eq!(dispatcher.tasks().await.unwrap().len(), 1, "that one was absent does not say that it was held");
    world.pass(HOUR).await;
    assert_eq!(
        dispatcher.attest(&word("al", true, "on the list")).await.unwrap().news,
        1,
        "for one delivery it is news"
    );
    assert!(dispatcher.tasks().await.unwrap().is_empty(), "somebody was there, so it was held");
    dispatcher.step().await.unwrap();
    let report = dispatcher.report().await.unwrap();
    assert_eq!(person(&report, "al").class, Class::Informed);
    assert_eq!(person(&report, "bea").class, Class::Unconfirmed, "nobody said whether bea was there");
    assert_eq!(told(&attempts(&report, "al")[0]), ["presentation", "done", "cfo", "lea", "on the list"]);
    assert_eq!(told(&attempts(&report, "bea")[0]), ["presentation", "done", "cfo", "lea", ""], "it was held");
    assert_eq!(attempts(&report, "al")[0].ended, Some(world.clock_now()));
    let line = "2027-05-12T07:00:00Z  out/eu to al: presentation done, says lea for cfo: on the list";
    assert!(report.to_text().contains(line) && report.to_markdown().contains(line), "{}", report.to_text());
    // Whoever was absent gets the next step; the other's word about the occasion does not stand in for theirs.
    let all: Vec<[&str; 5]> = attempts(&report, "cy").iter().map(told).collect();
    assert_eq!(all, [["presentation", "failed", "cfo", "lea", "absent"], ["email", "accepted", "", "", ""]]);
    assert_eq!(email.seen().len(), 1);
    assert_eq!(dispatcher.attest(&word("al", true, "on the list")).await.unwrap().news, 0, "not news");
}

#[tokio::test(start_paused = true)]
async fn a_redacted_report_names_nobody_who_did_or_said_it() {
    let (world, _) = presented();
    let dispatcher = declared(&world).await;
    dispatcher.attest(&word("al", true, "shook hands with al")).await.unwrap();
    let report = dispatcher.report().await.unwrap();
    for secret in ["\"cfo\"", "\"lea\"", "shook hands"] {
        assert!(report.to_json().contains(secret), "{secret}");
        let redacted = report.clone().redacted();
        assert!(!redacted.to_json().contains(secret) && !redacted.to_text().contains(secret), "{secret}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_nobody_is_named_the_responsible_party_performs_and_machines_have_no_performer() {
    let (phone, email) = (by_hand(Addressing::Each), ScriptedChannel::new("smtp"));
    let body = "
groups:
  desk: { members: [{ id: al, phone: \"+41445550101\", email: al@demo.example }], via: [email, { via: phone, unless: acknowledged, within: 1h }], informed_when: acknowledged }
communiques:
  out: { to: desk, per: place, text: Call. }
";
    let world = World::new(body, scripted([("phone", &phone), ("email", &email)]));
    let dispatcher = declared(&world).await;
    world.pass(2 * HOUR).await;
    dispatcher.step().await.unwrap();
    let report = dispatcher.report().await.unwrap();
    let all: Vec<[&str; 5]> = attempts(&report, "al").iter().map(told).collect();
    assert_eq!(all, [["email", "accepted", "", "", ""], ["phone", "task open", "ada", "", ""]]);
    assert!(attempts(&report, "al")[0].ended.is_some());
    assert_eq!(attempts(&report, "al")[1].ended, None);
    // A mail may have reached them; whoever rang and did not get through says that they are not informed.
    dispatcher.attest(&word("al", false, "no answer")).await.unwrap();
    let report = dispatcher.report().await.unwrap();
    let al = person(&report, "al");
    assert_eq!((al.class, al.reason.as_deref()), (Class::NotInformed, Some("not reached")));
    assert_eq!(told(&attempts(&report, "al")[1]), ["phone", "failed", "ada", "lea", "no answer"]);
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(dispatcher.report().await.unwrap().verdict, Verdict::NotInformed);
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_failed_after_a_mail_leaves_open_what_the_mail_did() {
    let (pager, email) = (ScriptedChannel::new("pager").answering(|_, _| Answer::Refuse), ScriptedChannel::new("smtp"));
    let body = "
groups:
  desk: { members: [{ id: al, pager: rota, email: al@demo.example }], via: [email, { via: pager, unless: acknowledged, within: 1h }], informed_when: acknowledged }
communiques:
  out: { to: desk, per: place, text: Call. }
";
    let body = RELEASE.replace("zone: UTC", "zone: UTC\nsettle: 1d") + body;
    let world = World::new(&body, scripted([("pager", &pager), ("email", &email)]));
    let dispatcher = declared(&world).await;
    world.pass(2 * DAY).await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(person(&dispatcher.report().await.unwrap(), "al").class, Class::Unconfirmed);
}

#[tokio::test(start_paused = true)]
async fn a_word_about_what_is_out_at_several_places_says_at_which() {
    let phone = by_hand(Addressing::Each);
    let body = "
groups: { desk: { members: [{ id: al, name: Al, phone: \"+41445550101\" }], via: phone, informed_when: acknowledged } }
communiques:
  out: { to: desk, per: place, text: \"{{ place.name }} is live.\" }
  all: { to: desk, via: phone }
";
    let world = World::new(body, scripted([("phone", &phone)]));
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    dispatcher.step().await.unwrap();
    let place = |place: &str| word("al", true, "").place(PlaceId::new(place).unwrap());
    let refused = async |said: &Attestation| dispatcher.attest(said).await.unwrap_err().to_string();
    let nothing = "nothing of that communique is out to them yet that is done by hand";
    assert_eq!(refused(&place("us")).await, nothing);
    dispatcher.declare(&live("us")).await.unwrap();
    assert_eq!(refused(&place("us")).await, format!("{nothing}; the next dispatch begins it"));
    dispatcher.step().await.unwrap();
    assert_eq!(
        refused(&word("al", true, "")).await,
        "it is out to them at eu, us: say at which place it was done",
        "one call is not two"
    );
    let mut of_all = place("eu");
    of_all.communique = CommuniqueId::new("all").unwrap();
    assert_eq!(refused(&of_all).await, "`all` has no gate of its own for `eu`");
    assert_eq!(refused(&place("ue")).await, "`ue` is no place of this release; there are eu, us");
    assert_eq!(refused(&place("eus")).await, "`eus` is no place of this release; there are eu, us; did you mean `eu`?");
    assert_eq!(
        refused(&word("all", true, "")).await,
        "nobody of this id is among the people of the plan; did you mean `al`?"
    );
    assert_eq!(dispatcher.attest(&place("us")).await.unwrap().news, 1);
    assert_eq!(dispatcher.attest(&place("us")).await.unwrap().news, 0, "it is known");
    let tasks = dispatcher.tasks().await.unwrap();
    let left: Vec<_> =
        tasks.iter().map(|task| (task.communique.as_str(), task.place.as_ref().map(PlaceId::as_str))).collect();
    assert_eq!(left, [("out", Some("eu")), ("all", None)]);
    let contact = tasks.first().map(|task| (task.name.as_deref(), task.address.as_ref().map(Address::as_str)));
    assert_eq!(contact, Some((Some("Al"), Some("+41445550101"))));
    let shown = format!("{tasks:?} {}", serde_json::to_string(&tasks).unwrap());
    assert!(!shown.contains("0101") && !shown.contains("Al\""), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn what_a_word_sets_going_waits_for_the_next_dispatch() {
    let phone = by_hand(Addressing::Each);
    let body = "
groups: { desk: { members: [{ id: al, phone: \"+41445550101\" }], via: phone, informed_when: acknowledged } }
communiques:
  out: { to: desk }
  next: { to: desk, after: { communique: out, state: informed } }
";
    let world = World::new(body, scripted([("phone", &phone)]));
    let dispatcher = declared(&world).await;
    dispatcher.step().await.unwrap();
    let waits = async |dispatcher: &Dispatcher| {
        let standing = dispatcher.standing().await.unwrap();
        let next = standing.pending.into_iter().find(|of| of.gate == "next").unwrap();
        (next.waiting_for, standing.next_due.is_some_and(|at| at <= dispatcher.now()))
    };
    assert_eq!(waits(&dispatcher).await, ("out informed".to_owned(), false));
    dispatcher.attest(&word("al", true, "")).await.unwrap();
    assert_eq!(waits(&dispatcher).await, ("the next dispatch".to_owned(), true));
}

#[tokio::test(start_paused = true)]
async fn nothing_can_be_said_of_what_nobody_was_asked_to_do_yet() {
    let (email, phone) = (ScriptedChannel::new("smtp"), by_hand(Addressing::Each));
    let email = email.capabilities(|_| Capabilities::new(Addressing::Each, Assurance::Accepted));
    let body = "
groups:
  desk:
    members: [{ id: al, email: al@demo.example, phone: \"+41445550101\" }]
    via: [email, { via: phone, unless: accepted, within: 1h }]
    informed_when: acknowledged
communiques:
  out: { to: desk, per: place }
";
    let world = World::new(body, scripted([("email", &email), ("phone", &phone)]));
    let dispatcher = declared(&world).await;
    let early = dispatcher.attest(&word("al", true, "")).await.unwrap_err().to_string();
    assert_eq!(
        early,
        "nothing of that communique is out to them yet that is done by hand; it went by `email`, of which a word proves \
         no more"
    );
}

#[tokio::test(start_paused = true)]
async fn a_word_about_a_call_is_about_the_call_although_the_next_step_has_begun() {
    let (phone, email) = (by_hand(Addressing::Each), ScriptedChannel::new("smtp"));
    let body = "
groups:
  desk:
    members: [{ id: al, phone: \"+41445550101\", email: al@demo.example }, { id: bea, phone: \"+41445550102\", email: bea@demo.example }]
    via: [phone, { via: email, unless: acknowledged, within: 10m }]
    informed_when: acknowledged
communiques:
  out: { to: desk, per: place }
";
    let world = World::new(body, scripted([("phone", &phone), ("email", &email)]));
    let dispatcher = declared(&world).await;
    world.pass(HOUR).await;
    dispatcher.step().await.unwrap();
    assert_eq!(email.seen().len(), 2, "nobody said that the calls were made");
    assert_eq!(dispatcher.attest(&word("al", true, "late")).await.unwrap().news, 1);
    dispatcher.attest(&word("bea", false, "no answer")).await.unwrap();
    dispatcher.step().await.unwrap();
    let report = dispatcher.report().await.unwrap();
    assert_eq!(person(&report, "al").class, Class::Informed);
    assert_eq!(person(&report, "bea").class, Class::Unconfirmed, "her mail did not come back");
    let [call, mail] = attempts(&report, "al") else { panic!("{report:?}") };
    assert_eq!((told(call)[1], told(mail)[1]), ("done", "accepted"));
}

#[tokio::test(start_paused = true)]
async fn news_of_a_failure_that_a_success_has_overtaken_stands_by() {
    let (phone, email) = (by_hand(Addressing::Each), ScriptedChannel::new("smtp"));
    let body = "
groups:
  desk: { members: [{ id: al, phone: \"+41445550101\", email: al@demo.example }], via: email }
communiques:
  out: { to: desk, per: place, if: { place: eu } }
  alarm: { to: desk, per: place, if: { outcome: failure, place: eu }, via: phone }
";
    let world = World::new(body, scripted([("phone", &phone), ("email", &email)]));
    let dispatcher = world.dispatcher();
    dispatcher.declare(&said("eu", Outcome::Failure)).await.unwrap();
    dispatcher.step().await.unwrap();
    assert_eq!(dispatcher.tasks().await.unwrap().len(), 1);
    dispatcher.declare(&live("eu")).await.unwrap();
    assert!(finish(&dispatcher).await.is_done(), "there is nobody left to call");
    let report = dispatcher.report().await.unwrap();
    assert_eq!((report.verdict, person(&report, "al").class), (Verdict::Informed, Class::Informed));
    assert_eq!(dispatcher.tasks().await.unwrap(), []);
}
