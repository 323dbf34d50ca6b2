//! Several steps at once: each is tried, the first acceptance begins the time of the next step, and any acknowledgement stops the rest.

use crate::support::{DAY, HOUR, MINUTE, World, finish, live, person, said, scripted};
use relcomm_core::channel::{ChannelSet, Received};
use relcomm_core::dispatch::Dispatcher;
use relcomm_core::receipt::{Assurance, Evidence, Receipt, ReceiptKind, Token};
use relcomm_core::release::Outcome;
use relcomm_core::report::Class;
use relcomm_testkit::channel::{Answer, ScriptedChannel};
use relcomm_testkit::journal::assert_is_the_fold;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

struct Far {
    email: ScriptedChannel,
    text: ScriptedChannel,
    phone: ScriptedChannel,
    site: ScriptedChannel,
}

fn far() -> Far {
    Far {
        email: ScriptedChannel::new("smtp"),
        text: ScriptedChannel::new("sms"),
        phone: ScriptedChannel::new("voice"),
        site: ScriptedChannel::new("site").once(),
    }
}

impl Far {
    fn channels(&self) -> ChannelSet {
        scripted([("email", &self.email), ("text", &self.text), ("phone", &self.phone), ("website", &self.site)])
    }

    async fn world(&self, rule: &str, via: &str) -> (World, Dispatcher) {
        let al = "{ id: al, email: al@demo.example, text: \"+41445550101\", phone: \"+41445550102\" }";
        let body = format!(
            "
groups:
  desk: {{ members: [{al}], via: [{via}], informed_when: {rule} }}
communiques:
  out: {{ to: desk, per: place }}
"
        );
        let world = World::new(&body, self.channels());
        let dispatcher = world.dispatcher();
        dispatcher.declare(&live("eu")).await.unwrap();
        dispatcher.declare(&said("us", Outcome::Failure)).await.unwrap();
        (world, dispatcher)
    }

    /// How often each was called: mail, text, phone, website.
    fn counts(&self) -> [usize; 4] {
        [&self.email, &self.text, &self.phone, &self.site].map(|c| c.seen().len())
    }
}

async fn hears(dispatcher: &Dispatcher, token: &Token, identity: &str, evidence: Evidence) {
    let receipt = Receipt::new(ReceiptKind::Dsn, identity, evidence).token(token.clone());
    let intake = dispatcher.receive(vec![Received::new(identity, vec![receipt], Vec::new())]).await.unwrap();
    assert_eq!(intake.recorded, 1);
}

#[tokio::test(start_paused = true)]
async fn each_goes_out_although_the_first_acceptance_informs() {
    let far = far();
    let (world, dispatcher) = far.world("accepted", "{ all: [email, text] }, phone").await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(far.counts(), [1, 1, 0, 0]);
    assert!(far.email.seen()[0].key != far.text.seen()[0].key);
    let report = dispatcher.report().await.unwrap();
    let delivery = &person(&report, "al").deliveries[0];
    assert_eq!((delivery.class, delivery.attempts.len()), (Class::Informed, 2));
    assert_is_the_fold(&world.journal, &["@demo", "+4144"]).await;
}

#[tokio::test(start_paused = true)]
async fn one_that_is_refused_moves_nothing_on_while_another_was_taken_over() {
    let mut far = far();
    far.email = far.email.answering(|_, _| Answer::Refuse);
    let (_, dispatcher) = far.world("delivered", "{ all: [email, text] }, phone").await;
    let standing = dispatcher.step().await.unwrap();
    assert_eq!(far.counts(), [1, 1, 0, 0]);
    assert!(!standing.is_done(), "the text may still be delivered");
    hears(&dispatcher, &far.text.seen()[0].token, "dsn", Evidence::Failed).await;
    dispatcher.step().await.unwrap();
    assert_eq!(far.counts(), [1, 1, 1, 0], "both have failed by now");
}

#[tokio::test(start_paused = true)]
async fn when_all_are_refused_the_next_step_begins_at_once_and_once() {
    let mut far = far();
    far.email = far.email.answering(|_, _| Answer::Refuse);
    far.text = far.text.answering(|_, _| Answer::Refuse);
    let (_, dispatcher) =
        far.world("accepted", "{ all: [email, text] }, { via: phone, unless: accepted, within: 1h }").await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(far.counts(), [1, 1, 1, 0]);
    let report = dispatcher.report().await.unwrap();
    assert_eq!(person(&report, "al").class, Class::Informed);
}

#[tokio::test(start_paused = true)]
async fn the_time_of_the_next_step_counts_from_the_first_acceptance() {
    let mut far = far();
    far.text = far.text.answering(|_, n| match n {
        1 => Answer::Defer(Some(MINUTE * 4)),
        _ => Answer::Accept(Assurance::Accepted),
    });
    let (world, dispatcher) =
        far.world("acknowledged", "{ all: [email, text] }, { via: phone, unless: acknowledged, within: 10m }").await;
    let began = world.clock_now();
    dispatcher.step().await.unwrap();
    world.clock_until(began + MINUTE * 4).await;
    assert_eq!(dispatcher.step().await.unwrap().next_due, Some(began + MINUTE * 10));
    assert_eq!(far.counts(), [1, 2, 0, 0]);
    world.clock_until(began + MINUTE * 10 - Duration::from_millis(2)).await;
    dispatcher.step().await.unwrap();
    assert_eq!(far.counts(), [1, 2, 0, 0]);
    world.clock_until(began + MINUTE * 10).await;
    dispatcher.step().await.unwrap();
    assert_eq!(far.counts(), [1, 2, 1, 0], "one call, although two legs were waited for");
    // Nothing else comes of it: the timers of both are gone.
    world.pass(HOUR).await;
    dispatcher.step().await.unwrap();
    assert_eq!(far.counts(), [1, 2, 1, 0]);
    hears(&dispatcher, &far.text.seen()[0].token, "read", Evidence::Reached(Assurance::Acknowledged)).await;
    assert!(finish(&dispatcher).await.is_done(), "the word comes by a leg that was moved on from");
}

#[tokio::test(start_paused = true)]
async fn the_time_runs_out_though_one_of_them_is_still_to_be_tried() {
    let mut far = far();
    far.text = far.text.answering(|_, n| match n {
        1 => Answer::Defer(Some(HOUR)),
        _ => Answer::Accept(Assurance::Accepted),
    });
    let (world, dispatcher) =
        far.world("acknowledged", "{ all: [email, text] }, { via: phone, unless: acknowledged, within: 10m }").await;
    dispatcher.step().await.unwrap();
    world.pass(MINUTE * 10).await;
    dispatcher.step().await.unwrap();
    assert_eq!(far.counts(), [1, 1, 1, 0]);
    world.pass(HOUR).await;
    dispatcher.step().await.unwrap();
    assert_eq!(far.counts(), [1, 2, 1, 0], "what was put off goes out all the same");
}

#[tokio::test(start_paused = true)]
async fn an_acknowledgement_stops_what_was_put_off() {
    let mut far = far();
    far.text = far.text.answering(|_, _| Answer::Defer(Some(HOUR)));
    let (world, dispatcher) =
        far.world("acknowledged", "{ all: [email, text] }, { via: phone, unless: acknowledged, within: 10m }").await;
    dispatcher.step().await.unwrap();
    hears(&dispatcher, &far.email.seen()[0].token, "read", Evidence::Reached(Assurance::Acknowledged)).await;
    assert!(finish(&dispatcher).await.is_done());
    world.pass(HOUR * 2).await;
    assert!(dispatcher.step().await.unwrap().is_done());
    assert_eq!(far.counts(), [1, 1, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn several_at_once_may_also_follow() {
    let mut far = far();
    far.email = far.email.answering(|_, _| Answer::Refuse);
    let (world, dispatcher) = far.world("accepted", "email, { all: [text, phone] }").await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(far.counts(), [1, 1, 1, 0]);
    assert_is_the_fold(&world.journal, &["@demo"]).await;
}

#[tokio::test(start_paused = true)]
async fn whoever_lacks_the_first_of_them_begins_with_the_next() {
    let far = far();
    let body = "
groups:
  desk:
    members: [{ id: al, text: \"+41445550101\", phone: \"+41445550102\" }, { id: bea, email: bea@demo.example, text: \"+41445550103\" }]
    via: [{ all: [email, text] }, { via: phone, unless: acknowledged, within: 10m }]
communiques:
  out: { to: desk, per: release, at: 2027-05-12T06:00Z, text: Out. }
";
    let world = World::new(body, far.channels());
    let dispatcher = world.dispatcher();
    dispatcher.step().await.unwrap();
    assert_eq!(far.counts(), [1, 2, 0, 0]);
    world.pass(MINUTE * 10).await;
    dispatcher.step().await.unwrap();
    assert_eq!(far.counts(), [1, 2, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_post_is_credited_though_the_mail_beside_it_is_put_off() {
    for via in ["{ all: [email, website] }, phone", "{ all: [website, email] }, phone"] {
        let mut far = far();
        far.email = far.email.answering(|_, n| match n {
            1 => Answer::Defer(Some(HOUR)),
            _ => Answer::Accept(Assurance::Accepted),
        });
        let (world, dispatcher) = far.world("accepted", via).await;
        assert!(dispatcher.step().await.unwrap().is_done(), "{via}: tried once, and posted");
        assert_eq!(far.counts(), [1, 0, 0, 1], "{via}");
        let report = dispatcher.report().await.unwrap();
        let delivery = &person(&report, "al").deliveries[0];
        assert_eq!((delivery.class, delivery.posted), (Class::Informed, true), "{via}");
        assert_is_the_fold(&world.journal, &["@demo"]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn so_it_is_when_both_tell_of_a_slip() {
    let mut far = far();
    let is_first = AtomicBool::new(true);
    far.email = far.email.answering(move |_, _| match is_first.swap(false, Ordering::Relaxed) {
        true => Answer::Accept(Assurance::Accepted),
        false => Answer::Defer(Some(HOUR)),
    });
    let body = "
groups:
  desk: { members: [{ id: al, email: al@demo.example }], via: { all: [email, website] } }
communiques:
  ahead: { to: desk, at: planned -30m, on_slip: correct, text: \"On {{ release.when.planned | datetime }}{% if release.when.before %}, not on {{ release.when.before | datetime }}{% endif %}.\" }
";
    let world = World::new(body, far.channels());
    let dispatcher = world.dispatcher();
    world.pass(MINUTE * 31).await;
    dispatcher.step().await.unwrap();
    assert_eq!(far.counts(), [1, 0, 0, 1]);
    dispatcher.slip(Some(world.clock_now() + DAY), "ada", None).await.unwrap();
    dispatcher.step().await.unwrap();
    assert_eq!(far.counts(), [2, 0, 0, 2], "the mail is put off");
    let report = dispatcher.report().await.unwrap();
    let revision = person(&report, "al").deliveries.iter().find(|d| d.revision == 2).unwrap();
    assert_eq!((revision.class, revision.posted), (Class::Informed, true));
}

#[tokio::test(start_paused = true)]
async fn a_post_that_hangs_keeps_no_mail_back() {
    let mut far = far();
    far.site = far.site.answering(|_, n| match n {
        1 => Answer::Defer(Some(HOUR)),
        _ => Answer::Accept(Assurance::Accepted),
    });
    far.email = far.email.answering(|_, n| match n {
        1 => Answer::Defer(Some(MINUTE)),
        _ => Answer::Accept(Assurance::Accepted),
    });
    let (world, dispatcher) = far.world("accepted", "{ all: [website, email] }").await;
    dispatcher.step().await.unwrap();
    world.pass(MINUTE).await;
    assert!(!dispatcher.step().await.unwrap().is_done(), "the post was not tried to the end");
    assert_eq!(far.counts(), [2, 0, 0, 1]);
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(far.counts(), [2, 0, 0, 2]);
}
