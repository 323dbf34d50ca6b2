//! What comes back: receipts by their tokens, and people's attestations.

use crate::support::{World, again, everywhere, finish, live, person, said, scripted};
use relcomm_core::channel::{AttemptContext, ChannelError, ReceiptSource, Received};
use relcomm_core::dispatch::{Attestation, Attested, DispatchError, Dispatcher, Task, Whom};
use relcomm_core::id::{CommuniqueId, GroupId, StakeholderId};
use relcomm_core::journal::Journal;
use relcomm_core::mechanism::{Addressing, Capabilities};
use relcomm_core::receipt::{Assurance, Evidence, Receipt, ReceiptKind, Token};
use relcomm_core::release::Outcome;
use relcomm_core::report::{Class, Verdict};
use relcomm_testkit::channel::{Answer, ScriptedChannel};
use relcomm_testkit::journal::assert_is_the_fold;
use std::sync::Mutex;

const PLAN: &str = "
groups:
  staff:
    members: [{ id: al, email: al@demo.example }, { id: bea, email: bea@demo.example }]
    via: email
    informed_when: delivered
communiques:
  out: { to: staff, per: place }
";

async fn declared(world: &World) -> Dispatcher {
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    dispatcher.declare(&said("us", Outcome::Failure)).await.unwrap();
    dispatcher
}

/// Takes in one receipt, and says how many were recorded, repeated and unmatched.
async fn take(dispatcher: &Dispatcher, token: Option<Token>, identity: &str, evidence: Evidence) -> [usize; 3] {
    let mut receipt = Receipt::new(ReceiptKind::Dsn, identity, evidence);
    if let Some(token) = token {
        receipt = receipt.token(token);
    }
    let received = Received::new(identity, vec![receipt], b"raw".to_vec());
    let intake = dispatcher.receive(vec![received]).await.unwrap();
    [intake.recorded, intake.repeated, intake.unmatched]
}

fn token_of(email: &ScriptedChannel, address: &str) -> Token {
    email.seen().iter().rfind(|s| s.address == address).unwrap().token.clone()
}

const DELIVERED: Evidence = Evidence::Reached(Assurance::Delivered);

#[tokio::test(start_paused = true)]
async fn a_receipt_is_matched_by_its_token_and_counts_once() {
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(PLAN, &email);
    let dispatcher = declared(&world).await;
    dispatcher.step().await.unwrap();
    let token = token_of(&email, "al@demo.example");
    let shouted = Token::new(token.as_str().to_uppercase());
    assert_eq!(take(&dispatcher, Some(shouted), "m1", DELIVERED).await, [1, 0, 0], "mail systems change the case");
    let entries = world.entries().await;
    assert_eq!(take(&dispatcher, Some(token.clone()), "m1", DELIVERED).await, [0, 1, 0]);
    assert_eq!(world.entries().await, entries);
    let report = dispatcher.report().await.unwrap();
    assert_eq!(person(&report, "al").deliveries[0].assurance, Some(Assurance::Delivered));
    assert_eq!(person(&report, "al").deliveries[0].class, Class::Informed);
    assert_eq!(person(&report, "bea").deliveries[0].class, Class::Unconfirmed);
    assert_eq!(take(&dispatcher, Some(token_of(&email, "bea@demo.example")), "m2", DELIVERED).await, [1, 0, 0]);
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(dispatcher.report().await.unwrap().verdict, Verdict::Informed);
    assert_is_the_fold(&world.journal, &["@demo", "raw", "m1"]).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_delivered_and_comes_back_all_the_same_was_perhaps_told_and_the_code_is_kept() {
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(&PLAN.replace("informed_when: delivered", "informed_when: acknowledged"), &email);
    let dispatcher = declared(&world).await;
    dispatcher.step().await.unwrap();
    let token = token_of(&email, "al@demo.example");
    assert_eq!(take(&dispatcher, Some(token.clone()), "m1", DELIVERED).await, [1, 0, 0]);
    let receipt = Receipt::new(ReceiptKind::Dsn, "m2", Evidence::Failed).token(token).code("5.2.2");
    let before = world.entries().await.len();
    dispatcher.receive(vec![Received::new("m2", vec![receipt], Vec::new())]).await.unwrap();
    let al = person(&dispatcher.report().await.unwrap(), "al").deliveries[0].clone();
    assert_eq!((al.class, al.assurance), (Class::Unconfirmed, Some(Assurance::Delivered)));
    let notes = world.journal.notes(before as u64, u64::MAX).await.unwrap();
    let codes: Vec<_> = notes.iter().filter_map(|(_, note)| note.code.as_deref()).collect();
    assert_eq!(codes, ["5.2.2"]);
}

#[tokio::test(start_paused = true)]
async fn a_bounce_of_what_has_left_the_plan_counts() {
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(&format!("{PLAN}  more: {{ to: staff, per: release, text: More. }}\n"), &email);
    let dispatcher = world.dispatcher();
    everywhere(&dispatcher, Outcome::Success).await;
    dispatcher.step().await.unwrap();
    let more = email.seen().into_iter().find(|s| s.text.part("text").contains("More.")).unwrap().token;

    let world = again(world, PLAN);
    let dispatcher = world.dispatcher();
    dispatcher.step().await.unwrap();
    let accepted = async || dispatcher.report().await.unwrap().dropped[0].accepted;
    assert_eq!(accepted().await, 2);
    assert_eq!(take(&dispatcher, Some(more.clone()), "m1", Evidence::Failed).await, [1, 0, 0]);
    assert_eq!(take(&dispatcher, Some(more), "m1", Evidence::Failed).await, [0, 1, 0]);
    assert_eq!(accepted().await, 1);
    let sent = email.seen().len();
    dispatcher.step().await.unwrap();
    assert_eq!(email.seen().len(), sent, "it goes no further");
    assert_is_the_fold(&world.journal, &["@demo", "raw", "m1"]).await;
}

#[tokio::test(start_paused = true)]
async fn what_matches_nothing_is_kept_once_and_proves_nothing() {
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(PLAN, &email);
    let dispatcher = declared(&world).await;
    dispatcher.step().await.unwrap();
    let token = token_of(&email, "al@demo.example");
    let text = token.as_str();
    // The same plan of another version: its tokens are its own.
    let foreign = {
        let email = ScriptedChannel::new("smtp");
        let body = format!("{}{PLAN}", crate::support::RELEASE.replace("1.0.0", "1.0.1"));
        let world = World::by_email(&body, &email);
        declared(&world).await.step().await.unwrap();
        token_of(&email, "al@demo.example")
    };
    let last = if text.ends_with('a') { "b" } else { "a" };
    let forged = Token::new(format!("{}{last}", &text[..text.len() - 1]));
    let swapped = Token::new(format!("{}{}", &token_of(&email, "bea@demo.example").as_str()[..14], &text[14..]));
    let cut = Token::new(&text[..text.len() - 1]);
    let cases = [None, Some(Token::new("")), Some(forged), Some(swapped), Some(cut), Some(foreign)];
    let entries = world.entries().await;
    for (n, token) in cases.into_iter().enumerate() {
        let identity = format!("m{n}");
        for evidence in [DELIVERED, Evidence::Failed] {
            let expected = if evidence == DELIVERED { [0, 0, 1] } else { [0, 1, 0] };
            assert_eq!(take(&dispatcher, token.clone(), &identity, evidence).await, expected, "{n}");
        }
    }
    assert_eq!(world.entries().await, entries);
    let report = dispatcher.report().await.unwrap();
    assert_eq!((report.unmatched.len(), report.totals.informed), (6, 0));
    let nothing = Received::new("unread", Vec::new(), b"?".to_vec());
    let intake = dispatcher.receive(vec![nothing.clone()]).await.unwrap();
    assert_eq!((intake.unmatched, intake.repeated), (1, 0), "what is not understood is kept as well");
    let intake = dispatcher.receive(vec![nothing]).await.unwrap();
    assert_eq!((intake.unmatched, intake.repeated), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn receipts_in_any_order_come_to_the_same() {
    let all = [
        ("one", Evidence::Reached(Assurance::Relayed)),
        ("two", Evidence::Delayed { until: None }),
        ("three", DELIVERED),
        ("four", Evidence::Failed),
    ];
    let orders = [[0, 1, 2, 3], [3, 2, 1, 0], [3, 0, 2, 1], [2, 3, 0, 1], [1, 3, 2, 0]];
    for order in orders {
        let email = ScriptedChannel::new("smtp");
        let world = World::by_email(PLAN, &email);
        let dispatcher = declared(&world).await;
        dispatcher.step().await.unwrap();
        let token = token_of(&email, "al@demo.example");
        for n in order {
            let (identity, evidence) = all[n];
            assert_eq!(take(&dispatcher, Some(token.clone()), identity, evidence).await, [1, 0, 0]);
        }
        dispatcher.step().await.unwrap();
        let report = dispatcher.report().await.unwrap();
        let al = &person(&report, "al").deliveries[0];
        assert_eq!((al.class, al.assurance), (Class::Informed, Some(Assurance::Delivered)), "{order:?}");
    }
}

fn attestation(who: &str) -> Attestation {
    let whom = Whom::Person(StakeholderId::new(who).unwrap());
    Attestation::done(CommuniqueId::new("out").unwrap(), whom, "ada")
}

fn group(id: &str) -> Attestation {
    Attestation::done(CommuniqueId::new("out").unwrap(), Whom::Group(GroupId::new(id).unwrap()), "ada")
}

fn proving(proves: Assurance) -> ScriptedChannel {
    ScriptedChannel::new("smtp").capabilities(|_| Capabilities::new(Addressing::Each, proves))
}

#[tokio::test(start_paused = true)]
async fn no_word_and_no_receipt_proves_more_than_the_mechanism_can() {
    let email = proving(Assurance::Delivered);
    let world = World::by_email(PLAN, &email);
    let dispatcher = declared(&world).await;
    dispatcher.step().await.unwrap();
    let read = Evidence::Reached(Assurance::Acknowledged);
    assert_eq!(take(&dispatcher, Some(token_of(&email, "al@demo.example")), "mdn", read).await, [1, 0, 0]);
    assert_eq!(dispatcher.attest(&attestation("bea")).await.unwrap().news, 1);
    let report = dispatcher.report().await.unwrap();
    for id in ["al", "bea"] {
        assert_eq!(person(&report, id).deliveries[0].assurance, Some(Assurance::Delivered), "{id}");
    }
    assert_eq!(dispatcher.attest(&attestation("bea")).await.unwrap().news, 0, "not news");
}

#[tokio::test(start_paused = true)]
async fn an_attestation_may_say_less_or_that_it_failed() {
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(PLAN, &email);
    let dispatcher = declared(&world).await;
    dispatcher.step().await.unwrap();
    assert_eq!(dispatcher.attest(&attestation("al").assurance(Assurance::Relayed)).await.unwrap().news, 1);
    let mut failed = Attestation::failed(CommuniqueId::new("out").unwrap(), attestation("bea").whom, "ada");
    assert_eq!(dispatcher.attest(&failed).await.unwrap().news, 1);
    assert_eq!(dispatcher.attest(&failed).await.unwrap().news, 0);
    let report = dispatcher.report().await.unwrap();
    let (al, bea) = (&person(&report, "al").deliveries[0], &person(&report, "bea").deliveries[0]);
    assert_eq!((al.class, al.assurance), (Class::Unconfirmed, Some(Assurance::Relayed)));
    assert_eq!(bea.class, Class::NotInformed);
    assert_eq!(dispatcher.attest(&group("staff")).await.unwrap().news, 2, "and a better word for both");
    assert_eq!(dispatcher.attest(&group("staff")).await.unwrap().news, 0);
    failed.whom = attestation("al").whom;
    let failed = dispatcher.attest(&failed).await.unwrap();
    assert_eq!((failed.news, failed.unheeded), (1, 1), "it is recorded, and what is proved stands");
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(dispatcher.report().await.unwrap().totals.informed, 2);
}

#[tokio::test(start_paused = true)]
async fn an_attestation_about_nothing_is_refused() {
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(PLAN, &email);
    let dispatcher = world.dispatcher();
    let refused = |done: Result<Attested, DispatchError>| assert!(matches!(done, Err(DispatchError::Refused(_))));
    dispatcher.step().await.unwrap();
    let before = world.entries().await;
    refused(dispatcher.attest(&attestation("al")).await);
    refused(dispatcher.attest(&group("staff")).await);
    assert_eq!(world.entries().await, before, "nothing is out yet");
    let dispatcher = declared(&world).await;
    dispatcher.step().await.unwrap();
    let before = world.entries().await;
    refused(dispatcher.attest(&attestation("nobody")).await);
    refused(dispatcher.attest(&group("nobody")).await);
    refused(dispatcher.attest(&attestation_by(" ")).await);
    let mut other = attestation("al");
    other.communique = CommuniqueId::new("other").unwrap();
    refused(dispatcher.attest(&other).await);
    assert_eq!(world.entries().await, before);
}

fn attestation_by(by: &str) -> Attestation {
    let mut word = attestation("al");
    word.by = by.into();
    word
}

#[tokio::test(start_paused = true)]
async fn tasks_are_listed_until_somebody_says_that_they_are_done() {
    let phone = ScriptedChannel::new("manual")
        .capabilities(|_| Capabilities::new(Addressing::Each, Assurance::Acknowledged).by_hand())
        .answering(|_, _| Answer::Accept(Assurance::Attempted));
    let body = "
groups:
  desk:
    members: [{ id: al, phone: \"+41445550101\" }, { id: bea, phone: \"+41445550102\" }]
    via: phone
    informed_when: acknowledged
communiques:
  out: { to: desk, per: place, text: \"Call {{ person.id }} about {{ place.name }}.\" }
";
    let world = World::new(body, scripted([("phone", &phone)]));
    let dispatcher = declared(&world).await;
    assert!(dispatcher.tasks().await.unwrap().is_empty());
    let standing = dispatcher.step().await.unwrap();
    assert_eq!(standing.next_due, None);
    let tasks = dispatcher.tasks().await.unwrap();
    let scripts: Vec<_> = tasks.iter().map(|t| t.script.trim().to_owned()).collect();
    assert_eq!(scripts, ["Call al about eu.", "Call bea about eu."]);
    dispatcher.attest(&attestation("al")).await.unwrap();
    let left: Vec<_> = dispatcher.tasks().await.unwrap().into_iter().filter_map(|t| t.person).collect();
    assert_eq!(left.iter().map(StakeholderId::as_str).collect::<Vec<_>>(), ["bea"]);
    let report = dispatcher.report().await.unwrap();
    assert_eq!(person(&report, "bea").deliveries[0].class, Class::Unconfirmed);
    dispatcher.attest(&group("desk")).await.unwrap();
    assert!(finish(&dispatcher).await.is_done());
    assert!(dispatcher.tasks().await.unwrap().is_empty());
    assert_eq!(dispatcher.report().await.unwrap().verdict, Verdict::Informed);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_done_once_wants_one_word_for_each_group_that_shares_it() {
    let stage = ScriptedChannel::new("manual")
        .capabilities(|_| Capabilities::new(Addressing::Once, Assurance::Acknowledged).by_hand())
        .answering(|_, _| Answer::Accept(Assurance::Attempted));
    let body = "
groups:
  staff:
    members: [{ id: al, email: al@demo.example }, { id: bea, email: bea@demo.example }]
    via: presentation
    informed_when: acknowledged
  guests:
    members: [{ id: cy, email: cy@demo.example }]
    via: presentation
    informed_when: acknowledged
communiques:
  out: { to: [staff, guests], per: place, text: Town hall. }
";
    let email = ScriptedChannel::new("smtp");
    let world = World::new(body, scripted([("presentation", &stage), ("email", &email)]));
    let dispatcher = declared(&world).await;
    dispatcher.step().await.unwrap();
    assert_eq!(stage.seen().len(), 1);
    let groups = |tasks: Vec<Task>| {
        assert!(tasks.iter().all(|task| task.person.is_none() && task.id.ordinal == 0), "it is done once");
        tasks.into_iter().map(|task| task.group.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(groups(dispatcher.tasks().await.unwrap()), ["staff", "guests"]);
    dispatcher.attest(&group("staff")).await.unwrap();
    assert_eq!(groups(dispatcher.tasks().await.unwrap()), ["guests"]);
    let report = dispatcher.report().await.unwrap().to_text();
    assert!(
        report.contains("cy — unconfirmed: not confirmed (out/eu: presentation done, not said of them)"),
        "{report}"
    );
    assert!(!report.contains("to cy: presentation done"), "{report}");
    assert!(!dispatcher.step().await.unwrap().is_done(), "the guests' presence is not attested");
    dispatcher.attest(&group("guests")).await.unwrap();
    assert!(finish(&dispatcher).await.is_done());
    assert!(dispatcher.tasks().await.unwrap().is_empty());
    let report = dispatcher.report().await.unwrap();
    assert_eq!((report.verdict, report.totals.informed), (Verdict::Informed, 3));
}

#[tokio::test(start_paused = true)]
async fn far_sides_that_number_their_receipts_alike_are_told_apart() {
    let (email, text) = (proving(Assurance::Delivered), proving(Assurance::Delivered));
    let body = "
groups: { staff: { members: [{ id: al, email: al@demo.example, text: \"+41445550101\" }], informed_when: delivered } }
communiques:
  one: { to: staff, per: place, via: email }
  two: { to: staff, per: place, via: text }
";
    let world = World::new(body, scripted([("email", &email), ("text", &text)]));
    let dispatcher = declared(&world).await;
    dispatcher.step().await.unwrap();
    let of = |channel: &ScriptedChannel, address: &str| Some(token_of(channel, address));
    assert_eq!(take(&dispatcher, of(&email, "al@demo.example"), "1", DELIVERED).await, [1, 0, 0]);
    assert_eq!(take(&dispatcher, of(&text, "+41445550101"), "1", DELIVERED).await, [1, 0, 0]);
    assert_eq!(take(&dispatcher, of(&text, "+41445550101"), "1", DELIVERED).await, [0, 1, 0]);
}

/// A mailbox that several releases share.
#[derive(Debug, Default)]
struct Mailbox(Mutex<Vec<Received>>);

#[async_trait::async_trait]
impl ReceiptSource for Mailbox {
    async fn batch(&self, _: &AttemptContext, max: usize) -> Result<Vec<Received>, ChannelError> {
        Ok(self.0.lock().unwrap().iter().take(max).cloned().collect())
    }

    async fn done(&self, _: &AttemptContext, ids: &[String]) -> Result<(), ChannelError> {
        self.0.lock().unwrap().retain(|thing| !ids.contains(&thing.id));
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn what_bears_the_mark_of_another_release_is_left_for_it() {
    let emails = [ScriptedChannel::new("smtp"), ScriptedChannel::new("smtp")];
    let second = format!("{}{PLAN}", crate::support::RELEASE.replace("1.0.0", "2.0.0"));
    let worlds = [World::by_email(PLAN, &emails[0]), World::by_email(&second, &emails[1])];
    let mut dispatchers = Vec::new();
    for world in &worlds {
        let dispatcher = declared(world).await;
        dispatcher.step().await.unwrap();
        dispatchers.push(dispatcher);
    }
    // More of the first release than are read at a time, then one of the second and one that says nothing.
    let bounce = |n: usize, token: Token| {
        let receipt = Receipt::new(ReceiptKind::Dsn, format!("m{n}"), Evidence::Failed).token(token);
        Received::new(format!("m{n}"), vec![receipt], b"raw".to_vec())
    };
    let [first, other] = [0, 1].map(|n: usize| token_of(&emails[n], "al@demo.example"));
    let mut things: Vec<Received> = (0..300).map(|n| bounce(n, first.clone())).collect();
    things.extend([bounce(300, other), Received::new("m301", Vec::new(), b"raw".to_vec())]);
    let mailbox = Mailbox(Mutex::new(things));

    let intake = dispatchers[1].collect(&mailbox).await.unwrap();
    assert_eq!((intake.recorded, intake.foreign, intake.unmatched), (1, 300, 301));
    assert_eq!(mailbox.0.lock().unwrap().len(), 300, "the second has taken its own, and what is nobody's");
    let intake = dispatchers[1].collect(&mailbox).await.unwrap();
    assert_eq!((intake.recorded, intake.foreign, intake.unmatched), (0, 300, 0));
    let intake = dispatchers[0].collect(&mailbox).await.unwrap();
    assert_eq!((intake.recorded, intake.foreign), (300, 0));
    assert!(mailbox.0.lock().unwrap().is_empty());
    let report = dispatchers[0].report().await.unwrap();
    assert_eq!(person(&report, "al").reason.as_deref(), Some("bounced"));
}
