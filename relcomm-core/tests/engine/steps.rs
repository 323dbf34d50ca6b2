//! The steps of one delivery: what moves on to the next, and what stops the chain.

use crate::support::{HOUR, MINUTE, World, addresses, finish, live, person, scripted};
use relcomm_core::channel::Received;
use relcomm_core::dispatch::{Attestation, Dispatcher, Whom};
use relcomm_core::id::{CommuniqueId, StakeholderId};
use relcomm_core::receipt::{Assurance, Evidence, Receipt, ReceiptKind, Token};
use relcomm_core::report::Class;
use relcomm_testkit::channel::{Answer, ScriptedChannel};
use std::time::Duration;

fn plan(rule: &str, via: &str) -> String {
    let al = "{ id: al, email: al@demo.example, pager: al-pager, text: \"+41445550101\" }";
    format!(
        "
groups:
  desk: {{ members: [{al}], via: [{via}], informed_when: {rule} }}
communiques:
  out: {{ to: desk, per: place }}
"
    )
}

const ACK: &str =
    "email, { via: pager, unless: acknowledged, within: 10m }, { via: text, unless: acknowledged, within: 5m }";

struct Far {
    email: ScriptedChannel,
    pager: ScriptedChannel,
    text: ScriptedChannel,
}

impl Far {
    fn new() -> Self {
        Self {
            email: ScriptedChannel::new("smtp"),
            pager: ScriptedChannel::new("pager"),
            text: ScriptedChannel::new("sms"),
        }
    }

    async fn world(&self, body: &str) -> (World, Dispatcher) {
        let world = World::new(body, scripted([("email", &self.email), ("pager", &self.pager), ("text", &self.text)]));
        let dispatcher = world.dispatcher();
        dispatcher.declare(&live("eu")).await.unwrap();
        dispatcher.declare(&crate::support::said("us", relcomm_core::release::Outcome::Failure)).await.unwrap();
        (world, dispatcher)
    }

    fn counts(&self) -> [usize; 3] {
        [&self.email, &self.pager, &self.text].map(|c| c.seen().len())
    }
}

async fn receipt(dispatcher: &Dispatcher, token: &Token, identity: &str, evidence: Evidence) {
    let receipt = Receipt::new(ReceiptKind::Dsn, identity, evidence).token(token.clone());
    let intake = dispatcher.receive(vec![Received::new(identity, vec![receipt], Vec::new())]).await.unwrap();
    assert_eq!(intake.recorded, 1);
}

async fn acknowledge(dispatcher: &Dispatcher) {
    let whom = Whom::Person(StakeholderId::new("al").unwrap());
    let word = Attestation::done(CommuniqueId::new("out").unwrap(), whom, "ada");
    assert_eq!(dispatcher.attest(&word).await.unwrap().news, 1);
}

#[tokio::test(start_paused = true)]
async fn refusal_moves_on_at_once_whatever_the_condition() {
    let mut far = Far::new();
    far.email = far.email.answering(|_, _| Answer::Refuse);
    let (world, dispatcher) = far.world(&plan("acknowledged", ACK)).await;
    let began = world.clock_now();
    let standing = dispatcher.step().await.unwrap();
    assert_eq!(far.counts(), [1, 1, 0]);
    assert_eq!(standing.next_due, Some(began + MINUTE * 5), "the third step counts from the pager's acceptance");
}

#[tokio::test(start_paused = true)]
async fn a_chain_goes_on_while_nobody_acknowledges_and_stops_when_somebody_does() {
    let far = Far::new();
    let (world, dispatcher) = far.world(&plan("acknowledged", ACK)).await;
    let began = world.clock_now();
    assert_eq!(dispatcher.step().await.unwrap().next_due, Some(began + MINUTE * 10));
    world.clock_until(began + MINUTE * 10 - Duration::from_millis(2)).await;
    dispatcher.step().await.unwrap();
    assert_eq!(far.counts(), [1, 0, 0], "not before its time");
    world.clock_until(began + MINUTE * 10).await;
    dispatcher.step().await.unwrap();
    assert_eq!(far.counts(), [1, 1, 0]);
    // The word comes by the mail that was moved on from.
    let token = far.email.seen()[0].token.clone();
    receipt(&dispatcher, &token, "read", Evidence::Reached(Assurance::Acknowledged)).await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(far.counts(), [1, 1, 0], "an acknowledgement by an earlier step stops the chain");
    let report = dispatcher.report().await.unwrap();
    let delivery = &person(&report, "al").deliveries[0];
    assert_eq!((delivery.class, delivery.assurance), (Class::Informed, Some(Assurance::Acknowledged)));
    assert_eq!(delivery.mechanism.as_ref().unwrap().as_str(), "email", "credited to what proves it");
}

#[tokio::test(start_paused = true)]
async fn an_acknowledgement_by_a_later_step_stops_the_chain_too() {
    let far = Far::new();
    let (world, dispatcher) = far.world(&plan("acknowledged", ACK)).await;
    dispatcher.step().await.unwrap();
    world.pass(MINUTE * 10).await;
    dispatcher.step().await.unwrap();
    acknowledge(&dispatcher).await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(far.counts(), [1, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn nobody_answers_and_the_chain_comes_to_its_end() {
    let far = Far::new();
    let (world, dispatcher) = far.world(&plan("acknowledged", ACK)).await;
    dispatcher.step().await.unwrap();
    world.pass(HOUR).await;
    let standing = dispatcher.step().await.unwrap();
    assert_eq!(far.counts(), [1, 1, 0], "the third step waits for the second's own time");
    world.pass(HOUR).await;
    dispatcher.step().await.unwrap();
    assert_eq!(far.counts(), [1, 1, 1]);
    assert!(!standing.is_done());
    let standing = dispatcher.step().await.unwrap();
    assert_eq!((standing.is_done(), standing.next_due), (false, None), "a person may still acknowledge: {standing:?}");
}

#[tokio::test(start_paused = true)]
async fn without_proof_of_delivery_the_next_step_begins() {
    let far = Far::new();
    let (world, dispatcher) =
        far.world(&plan("accepted", "email, { via: pager, unless: delivered, within: 1h }")).await;
    let standing = dispatcher.step().await.unwrap();
    assert!(!standing.is_done(), "informed, but what a step asks for is still pursued: {standing:?}");
    let report = dispatcher.report().await.unwrap();
    assert_eq!(person(&report, "al").class, Class::Informed);
    world.pass(HOUR).await;
    dispatcher.step().await.unwrap();
    assert_eq!(far.counts(), [1, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn proof_of_delivery_in_time_stops_the_next_step() {
    let far = Far::new();
    let (world, dispatcher) =
        far.world(&plan("accepted", "email, { via: pager, unless: delivered, within: 1h }")).await;
    dispatcher.step().await.unwrap();
    receipt(&dispatcher, &far.email.seen()[0].token, "dsn", Evidence::Reached(Assurance::Delivered)).await;
    assert!(finish(&dispatcher).await.is_done());
    world.pass(HOUR * 2).await;
    assert!(dispatcher.step().await.unwrap().is_done());
    assert_eq!(far.counts(), [1, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_bounce_after_everyone_was_informed_reopens_and_goes_on() {
    let far = Far::new();
    let (_, dispatcher) = far.world(&plan("accepted", "email, pager")).await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(far.counts(), [1, 0, 0]);
    receipt(&dispatcher, &far.email.seen()[0].token, "dsn", Evidence::Failed).await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(far.counts(), [1, 1, 0]);
    let report = dispatcher.report().await.unwrap();
    let delivery = &person(&report, "al").deliveries[0];
    assert_eq!(delivery.class, Class::Informed);
    assert_eq!(delivery.mechanism.as_ref().unwrap().as_str(), "pager");
    assert_eq!(addresses(&far.pager.seen()), ["al-pager"]);
}

#[tokio::test(start_paused = true)]
async fn a_bounce_with_no_step_left_takes_the_information_back() {
    let far = Far::new();
    let (_, dispatcher) = far.world(&plan("accepted", "email")).await;
    assert!(finish(&dispatcher).await.is_done());
    receipt(&dispatcher, &far.email.seen()[0].token, "dsn", Evidence::Failed).await;
    assert!(finish(&dispatcher).await.is_done());
    let report = dispatcher.report().await.unwrap();
    let al = person(&report, "al");
    assert_eq!((al.class, al.reason.as_deref()), (Class::NotInformed, Some("bounced")));
}

#[tokio::test(start_paused = true)]
async fn a_bounce_that_overtakes_its_acceptance_still_counts() {
    let mut far = Far::new();
    far.email = far.email.answering(|_, _| Answer::After(MINUTE / 2, Box::new(Answer::Accept(Assurance::Accepted))));
    let (world, dispatcher) = far.world(&plan("accepted", "email, pager")).await;
    let email = far.email.clone();
    let bounce = async {
        world.pass(MINUTE / 4).await;
        receipt(&dispatcher, &email.seen()[0].token, "dsn", Evidence::Failed).await;
    };
    let (standing, ()) = tokio::join!(finish(&dispatcher), bounce);
    assert!(standing.is_done());
    assert_eq!(far.counts(), [1, 1, 0]);
    let report = dispatcher.report().await.unwrap();
    let delivery = &person(&report, "al").deliveries[0];
    assert_eq!(delivery.mechanism.as_ref().unwrap().as_str(), "pager", "{delivery:#?}");
}

#[tokio::test(start_paused = true)]
async fn news_of_a_delay_puts_the_next_step_off_but_not_for_ever() {
    let far = Far::new();
    let (world, dispatcher) =
        far.world(&plan("delivered", "email, { via: pager, unless: delivered, within: 1h }")).await;
    let began = world.clock_now();
    dispatcher.step().await.unwrap();
    let token = far.email.seen()[0].token.clone();
    let until = Some(began + HOUR + MINUTE * 30);
    receipt(&dispatcher, &token, "one", Evidence::Delayed { until }).await;
    assert_eq!(dispatcher.step().await.unwrap().next_due, until);
    receipt(&dispatcher, &token, "two", Evidence::Delayed { until: Some(began + HOUR * 50) }).await;
    assert_eq!(dispatcher.step().await.unwrap().next_due, Some(began + HOUR * 2));
    world.clock_until(began + HOUR * 2).await;
    dispatcher.step().await.unwrap();
    assert_eq!(far.counts(), [1, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_person_without_an_address_for_a_step_passes_over_it() {
    let far = Far::new();
    let body = plan("accepted", "pager, email").replace("pager: al-pager, ", "");
    let (_, dispatcher) = far.world(&body).await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(far.counts(), [1, 0, 0]);
    assert_eq!(dispatcher.report().await.unwrap().totals.informed, 1);
}

#[tokio::test(start_paused = true)]
async fn one_in_doubt_who_has_acknowledged_hides_nobody_who_is_pending() {
    // Al's page is in doubt when the word comes by mail; bea's is merely put off. Bea must be waited for.
    let mut far = Far::new();
    far.pager = far.pager.answering(|address, n| match (address, n) {
        ("al-pager", _) => Answer::LoseAnswer,
        (_, 1) => Answer::Defer(Some(HOUR)),
        _ => Answer::Accept(Assurance::Acknowledged),
    });
    let body = plan("acknowledged", "email, { via: pager, unless: acknowledged, within: 10m }")
        .replace("members: [", "members: [{ id: bea, email: bea@demo.example, pager: bea-pager }, ");
    let (world, dispatcher) = far.world(&body).await;
    dispatcher.step().await.unwrap();
    world.pass(MINUTE * 10).await;
    dispatcher.step().await.unwrap();
    assert_eq!(far.counts(), [2, 2, 0]);
    let mails = far.email.seen();
    let al = mails.iter().find(|s| s.address.starts_with("al")).unwrap();
    receipt(&dispatcher, &al.token, "read", Evidence::Reached(Assurance::Acknowledged)).await;
    assert!(!dispatcher.step().await.unwrap().is_done(), "bea's page is to be tried again");
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(dispatcher.report().await.unwrap().totals.informed, 2);
}
