//! Escalations: a step reaches somebody else, and what they prove is credited to the person in whose place they were reached.

use crate::support::{MINUTE, World, addresses, finish, live, person, said, scripted};
use relcomm_core::channel::{ChannelSet, Received};
use relcomm_core::dispatch::{Attestation, Dispatcher, Whom};
use relcomm_core::id::{CommuniqueId, GateNo, StakeholderId};
use relcomm_core::mechanism::Mechanism;
use relcomm_core::receipt::{Assurance, Evidence, Receipt, ReceiptKind, Token};
use relcomm_core::release::Outcome;
use relcomm_core::report::Class;
use relcomm_testkit::channel::{Answer, ScriptedChannel};
use relcomm_testkit::journal::assert_is_the_fold;
use std::collections::BTreeSet;

/// Two teams, each with the other as the second of its rota, then the duty manager by what they have.
const ROTA: &str = "
approvals: { roles: { duty: [{ id: dee, name: Dee Roy, email: dee@demo.example }] } }
groups:
  teams:
    members:
      - { id: one, name: Team One, pager: one-pager, vars: { second: two } }
      - { id: two, name: Team Two, pager: two-pager, vars: { second: one } }
    informed_when: acknowledged
    via:
      - pager
      - { via: pager, to: { column: second }, unless: acknowledged, within: 10m }
      - { to: duty, unless: acknowledged, within: 10m }
communiques:
  out: { to: teams, per: place, text: \"For {{ person.name }}.\" }
";

async fn begin(body: &str, pager: &ScriptedChannel, email: &ScriptedChannel) -> (World, Dispatcher) {
    let world = World::new(body, scripted([("pager", pager), ("email", email)]));
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    dispatcher.declare(&said("us", Outcome::Failure)).await.unwrap();
    (world, dispatcher)
}

async fn acknowledges(dispatcher: &Dispatcher, token: &Token, identity: &str) {
    let evidence = Evidence::Reached(Assurance::Acknowledged);
    let receipt = Receipt::new(ReceiptKind::Callback, identity, evidence).token(token.clone());
    let intake = dispatcher.receive(vec![Received::new(identity, vec![receipt], Vec::new())]).await.unwrap();
    assert_eq!(intake.recorded, 1);
}

#[tokio::test(start_paused = true)]
async fn the_second_of_the_rota_acknowledges_and_the_team_is_informed() {
    let (pager, email) = (ScriptedChannel::new("pager"), ScriptedChannel::new("smtp"));
    let (world, dispatcher) = begin(ROTA, &pager, &email).await;
    dispatcher.step().await.unwrap();
    let first = pager.seen();
    acknowledges(&dispatcher, &first.iter().find(|s| s.address == "one-pager").unwrap().token, "one").await;
    world.pass(MINUTE * 10).await;
    dispatcher.step().await.unwrap();
    assert_eq!(addresses(&pager.seen()), ["one-pager", "two-pager", "one-pager"], "team two's second is team one");
    let escalated = pager.seen()[2].clone();
    let keys: BTreeSet<_> = pager.seen().iter().map(|s| s.key).collect();
    assert_eq!(keys.len(), 3, "the same pager, another key");
    acknowledges(&dispatcher, &escalated.token, "two").await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(email.seen().len(), 0);
    let report = dispatcher.report().await.unwrap();
    assert_eq!(report.totals.informed, 2);
    let two = &person(&report, "two").deliveries[0];
    let tried: Vec<_> = two.attempts.iter().map(|a| (a.mechanism.as_str(), a.to.as_deref())).collect();
    assert_eq!(tried, [("pager", None), ("pager", Some("one"))]);
    let redacted = report.redacted().to_json();
    assert!(!redacted.contains("\"to\"") && !redacted.contains("\"one\""), "{redacted}");
    assert_is_the_fold(&world.journal, &["pager", "@demo", "Team"]).await;
}

#[tokio::test(start_paused = true)]
async fn nobody_answers_and_the_holder_of_the_role_is_reached_for_each() {
    let (pager, email) = (ScriptedChannel::new("pager"), ScriptedChannel::new("smtp"));
    let (world, dispatcher) = begin(ROTA, &pager, &email).await;
    for _ in 0..3 {
        dispatcher.step().await.unwrap();
        world.pass(MINUTE * 10).await;
    }
    let mails = email.seen();
    assert_eq!(addresses(&mails), ["dee@demo.example", "dee@demo.example"]);
    assert!(mails[0].key != mails[1].key, "one for each team");
    let about: BTreeSet<_> = mails.iter().map(|m| m.text.part("text").to_owned()).collect();
    assert_eq!(about.len(), 2, "the text stays about the team: {about:?}");
    for (n, mail) in mails.iter().enumerate() {
        acknowledges(&dispatcher, &mail.token, &format!("dee-{n}")).await;
    }
    assert!(finish(&dispatcher).await.is_done());
    let report = dispatcher.report().await.unwrap();
    assert_eq!(report.totals.informed, 2);
    assert_eq!(person(&report, "one").deliveries[0].attempts.last().unwrap().to.as_deref(), Some("dee"));
}

#[tokio::test(start_paused = true)]
async fn a_bundle_reaches_the_same_people() {
    let (pager, email) = (ScriptedChannel::new("pager"), ScriptedChannel::new("smtp"));
    let mut world = World::new(ROTA, scripted([("pager", &pager), ("email", &email)]));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bundle");
    world.prepared.write(&file).unwrap();
    world.prepared = relcomm_core::prepare::PreparedPlan::read(&file).unwrap();
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    for _ in 0..3 {
        dispatcher.step().await.unwrap();
        world.pass(MINUTE * 10).await;
    }
    assert_eq!(addresses(&email.seen()), ["dee@demo.example", "dee@demo.example"]);
}

#[tokio::test(start_paused = true)]
async fn whoever_opted_out_is_not_sent_to_and_the_chain_goes_on() {
    let body = "
groups:
  desk:
    members: [{ id: al, email: al@demo.example, pager: al-pager }]
    via: [email, { via: pager, to: bea }, pager]
  others: { members: [{ id: bea, pager: bea-pager, opted_out: true }, { id: cy, pager: cy-pager }], via: pager }
communiques:
  out: { to: desk, per: place, text: Out. }
  other: { to: others, per: place, at: 2028-01-01T00:00Z, text: Later. }
";
    let email = ScriptedChannel::new("smtp").answering(|_, _| Answer::Refuse);
    let pager = ScriptedChannel::new("pager");
    let (_, dispatcher) = begin(body, &pager, &email).await;
    dispatcher.step().await.unwrap();
    assert_eq!(addresses(&pager.seen()), ["al-pager"]);
    let report = dispatcher.report().await.unwrap();
    let delivery = &person(&report, "al").deliveries[0];
    assert_eq!(delivery.class, Class::Informed);
    let tried: Vec<_> =
        delivery.attempts.iter().map(|a| (a.to.as_deref(), a.outcome.as_str(), a.reason.as_deref())).collect();
    assert_eq!(tried[1], (Some("bea"), "refused", Some("recipient-opted-out")));
}

#[tokio::test(start_paused = true)]
async fn two_people_at_once_by_one_mechanism_have_two_keys() {
    let body = "
responsible: { execute: { id: ada, email: ada@demo.example, pager: ada-pager }, backup: { id: ben, pager: ben-pager } }
groups:
  desk:
    members: [{ id: al, pager: al-pager }]
    informed_when: acknowledged
    via: [{ all: [pager, { via: pager, to: backup }, { via: pager, to: ada }] }]
communiques:
  out: { to: desk, per: place, text: Out. }
";
    let body = format!("{}{body}", crate::support::RELEASE.split("responsible:").next().unwrap());
    let (pager, email) = (ScriptedChannel::new("pager"), ScriptedChannel::new("smtp"));
    let (_, dispatcher) = begin(&body, &pager, &email).await;
    dispatcher.step().await.unwrap();
    assert_eq!(addresses(&pager.seen()), ["al-pager", "ben-pager", "ada-pager"]);
    assert_eq!(pager.seen().iter().map(|s| s.key).collect::<BTreeSet<_>>().len(), 3);
    acknowledges(&dispatcher, &pager.seen()[1].token, "ben").await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(dispatcher.report().await.unwrap().totals.informed, 1);
}

#[tokio::test(start_paused = true)]
async fn a_word_about_a_task_goes_to_the_task_and_not_to_the_mail_beside_it() {
    let body = "
groups:
  desk:
    members: [{ id: al, email: al@demo.example, phone: \"+41445550101\" }]
    informed_when: acknowledged
    via: [{ all: [phone, email] }]
communiques:
  out: { to: desk, per: place, text: Out. }
";
    let email = ScriptedChannel::new("smtp").capabilities(|c| c);
    let phone = ScriptedChannel::new("hand").answering(|_, _| Answer::Accept(Assurance::Attempted));
    let phone = phone.capabilities(relcomm_core::mechanism::Capabilities::by_hand);
    let world = World::new(body, scripted([("email", &email), ("phone", &phone)]));
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    dispatcher.declare(&said("us", Outcome::Failure)).await.unwrap();
    dispatcher.step().await.unwrap();
    let tasks = dispatcher.tasks().await.unwrap();
    assert_eq!(tasks.iter().map(|t| t.mechanism.as_str()).collect::<Vec<_>>(), ["phone"]);
    let whom = Whom::Person(StakeholderId::new("al").unwrap());
    let word = Attestation::done(CommuniqueId::new("out").unwrap(), whom, "ada");
    assert_eq!(dispatcher.attest(&word).await.unwrap().news, 1);
    let report = dispatcher.report().await.unwrap();
    let delivery = &person(&report, "al").deliveries[0];
    assert_eq!(delivery.mechanism.as_ref().unwrap().as_str(), "phone");
}

#[tokio::test(start_paused = true)]
async fn where_addresses_name_endpoints_the_one_who_is_reached_has_a_lane_of_their_own() {
    let body = "
responsible: { execute: ada@demo.example, backup: { id: ben, pager: ben-pager } }
groups:
  desk: { members: [{ id: al, pager: al-pager }], via: [pager, { via: pager, to: backup }] }
communiques:
  out: { to: desk, per: place, text: Out. }
";
    let body = format!("{}{body}", crate::support::RELEASE.split("responsible:").next().unwrap());
    let pager = ScriptedChannel::new("pager").answering(|address, _| match address {
        "al-pager" => Answer::Refuse,
        _ => Answer::Accept(Assurance::Accepted),
    });
    let channels = ChannelSet::new().with_endpoints(Mechanism::new("pager").unwrap(), pager.clone());
    let world = World::new(&body, channels);
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    dispatcher.declare(&said("us", Outcome::Failure)).await.unwrap();
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(addresses(&pager.seen()), ["al-pager", "ben-pager"]);
    let lanes = dispatcher.journal().lanes().await.unwrap();
    let row = dispatcher.journal().scan(GateNo(0), 0, 1).await.unwrap().remove(0);
    let names: Vec<_> = row.state.legs.iter().map(|leg| lanes[usize::from(leg.lane.0)].name.as_str()).collect();
    assert_eq!(names, ["pager:al-pager", "pager:ben-pager"]);
}
