//! Trying once more by a person's word, when every step was refused.

use crate::support::{MINUTE, World, addresses, again, at, attest, declared, finish, live, person, said, scripted};
use relcomm_core::course::{DeliveryFact, Stage};
use relcomm_core::dispatch::{DispatchError, Dispatcher};
use relcomm_core::id::{CommuniqueId, DeliveryId, GateNo, StakeholderId};
use relcomm_core::journal::{Fact, Journal};
use relcomm_core::receipt::Assurance;
use relcomm_core::release::Outcome;
use relcomm_core::report::{Class, Report, Verdict};
use relcomm_testkit::channel::{Answer, ScriptedChannel};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A channel that refuses everybody until it is mended.
fn broken(name: &str) -> (ScriptedChannel, Arc<AtomicBool>) {
    let mended = Arc::new(AtomicBool::new(false));
    let is_mended = Arc::clone(&mended);
    let channel = ScriptedChannel::new(name).answering(move |_, _| match is_mended.load(Ordering::Relaxed) {
        true => Answer::Accept(Assurance::Accepted),
        false => Answer::Refuse,
    });
    (channel, mended)
}

/// One that knows no address with this misspelling.
fn misspelt() -> ScriptedChannel {
    ScriptedChannel::new("smtp").answering(|address, _| match address.ends_with(".exmaple") {
        true => Answer::Refuse,
        false => Answer::Accept(Assurance::Accepted),
    })
}

/// Told by mail.
fn staff(al: &str) -> String {
    format!(
        "groups: {{ staff: {{ members: [{{ id: al, email: {al} }}, {{ id: bea, email: bea@demo.example }}] }} }}
communiques: {{ out: {{ to: staff, via: email, per: release, text: It is out. }} }}
"
    )
}

const BY_MAIL_OR_PAGER: &str = "
groups:
  staff:
    members: [{ id: al, email: al@demo.example, pager: al-pager }, { id: bea, email: bea@demo.example, pager: bea-pager }]
    via: [email, pager]
communiques: { out: { to: staff, per: release, text: It is out. } }
";

/// Both were refused, and nothing is left to be done.
async fn refused_by_mail() -> (ScriptedChannel, Arc<AtomicBool>, Dispatcher) {
    let (mail, mended) = broken("smtp");
    let dispatcher = declared(&World::by_email(&staff("al@demo.example"), &mail)).await;
    finish(&dispatcher).await;
    (mail, mended, dispatcher)
}

async fn everyone(dispatcher: &Dispatcher) -> usize {
    dispatcher.retry(None, None, "ada", Some("the relay is mended".into())).await.unwrap()
}

fn tried<'a>(report: &'a Report, who: &str) -> Vec<(&'a str, &'a str)> {
    let attempts = &person(report, who).deliveries[0].attempts;
    attempts.iter().map(|attempt| (attempt.mechanism.as_str(), attempt.outcome.as_str())).collect()
}

async fn refusal(dispatcher: &Dispatcher, communique: &str, who: &str, by: &str) -> String {
    let (communique, who) = (CommuniqueId::new(communique).unwrap(), StakeholderId::new(who).unwrap());
    match dispatcher.retry(Some(&communique), Some(&who), by, None).await {
        Err(DispatchError::Refused(refusal)) => refusal.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_corrected_address_is_tried_after_the_old_one_was_refused() {
    let mail = misspelt();
    let world = World::by_email(&staff("al@demo.exmaple"), &mail);
    let dispatcher = declared(&world).await;
    finish(&dispatcher).await;
    assert_eq!(dispatcher.report().await.unwrap().verdict, Verdict::NotInformed);

    let world = again(world, &staff("al@demo.example"));
    let dispatcher = world.dispatcher();
    finish(&dispatcher).await;
    assert_eq!(addresses(&mail.seen()), ["al@demo.exmaple", "bea@demo.example"], "nobody has asked for it");
    assert_eq!(everyone(&dispatcher).await, 1);
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(addresses(&mail.seen())[2..], ["al@demo.example"]);
    let report = dispatcher.report().await.unwrap();
    assert_eq!(report.verdict, Verdict::Informed);
    assert_eq!(tried(&report, "al"), [("email", "refused"), ("email", "accepted")]);
}

#[tokio::test(start_paused = true)]
async fn a_correction_goes_to_where_they_were_told_once_it_was_tried_once_more() {
    let plan = |al: &str| {
        format!(
            "groups: {{ staff: {{ members: [{{ id: al, email: {al} }}, {{ id: bea, email: bea@demo.example }}] }} }}
communiques:
  out: {{ to: staff, via: email, per: release, text: It is out. }}
  undo: {{ to: {{ told: out }}, per: release, if: {{ outcome: rolled-back }}, via: {{ as_told: true }}, text: Taken back. }}
"
        )
    };
    let mail = misspelt();
    let world = World::by_email(&plan("al@demo.exmaple"), &mail);
    finish(&declared(&world).await).await;
    let world = again(world, &plan("al@demo.example"));
    let dispatcher = world.dispatcher();
    assert_eq!(everyone(&dispatcher).await, 1);
    let (_, head) = world.journal.head().await.unwrap();
    assert_eq!(head.digests.as_ref(), Some(world.prepared.digests()), "who runs with the old address stops");
    finish(&dispatcher).await;
    for place in ["eu", "us"] {
        dispatcher.declare(&said(place, Outcome::RolledBack)).await.unwrap();
    }
    finish(&dispatcher).await;
    let back: Vec<_> = mail.seen().into_iter().filter(|seen| seen.text.part("text").contains("Taken back.")).collect();
    let mut told = addresses(&back);
    told.sort_unstable();
    assert_eq!(told, ["al@demo.example", "bea@demo.example"]);
}

#[tokio::test(start_paused = true)]
async fn the_steps_are_taken_once_more_in_their_order() {
    let (mail, _) = broken("smtp");
    let (pager, mended) = broken("pager");
    let world = World::new(BY_MAIL_OR_PAGER, scripted([("email", &mail), ("pager", &pager)]));
    let dispatcher = declared(&world).await;
    finish(&dispatcher).await;
    mended.store(true, Ordering::Relaxed);
    assert_eq!(everyone(&dispatcher).await, 2);
    assert_eq!(everyone(&dispatcher).await, 0, "they are being tried");
    finish(&dispatcher).await;
    let report = dispatcher.report().await.unwrap();
    assert_eq!(report.verdict, Verdict::Informed);
    let steps = [("email", "refused"), ("pager", "refused"), ("email", "refused"), ("pager", "accepted")];
    assert_eq!(tried(&report, "al"), steps);
    let numbers: Vec<u32> = person(&report, "al").deliveries[0].attempts.iter().map(|attempt| attempt.number).collect();
    assert_eq!(numbers, [1, 1, 2, 2]);
    assert_eq!(mail.seen().iter().map(|seen| seen.attempt).collect::<Vec<_>>(), [1, 1, 2, 2], "each of the two");
    let orders: Vec<_> =
        person(&report, "al").deliveries[0].attempts.iter().map(|attempt| attempt.retried_by.as_deref()).collect();
    assert_eq!(orders, [None, None, Some("ada"), None]);
    let told = "tried once more:\n  2027-05-12T06:00:00Z  out to 2 people: by the word of ada: the relay is mended\n";
    assert!(report.to_text().contains(told), "{}", report.to_text());
    assert!(!report.redacted().to_text().contains("ada: the relay"));
    assert_eq!(everyone(&dispatcher).await, 0, "everybody is informed");

    // Who wanted it lies beside each delivery.
    let wanted: Vec<_> =
        world.entries().await.into_iter().filter(|e| e.fact == Fact::Delivery(DeliveryFact::Reopened)).collect();
    assert_eq!(wanted.len(), 2);
    for entry in wanted {
        let (_, note) = world.journal.notes(entry.seq - 1, entry.seq).await.unwrap().pop().unwrap();
        assert_eq!((note.by.as_deref(), note.text.as_deref()), (Some("ada"), Some("the relay is mended")));
    }
}

#[tokio::test(start_paused = true)]
async fn a_post_that_nobody_took_is_made_once_more_for_all_who_share_it() {
    let (site, mended) = broken("statuspage");
    let body = "
groups: { staff: { members: [{ id: al }, { id: bea }], via: website } }
communiques: { out: { to: staff, per: release, text: It is out. } }
";
    let world = World::new(body, scripted([("website", &site.clone().once())]));
    let dispatcher = declared(&world).await;
    finish(&dispatcher).await;
    let al = StakeholderId::new("al").unwrap();
    assert_eq!(dispatcher.retry(None, Some(&al), "ada", None).await.unwrap(), 1);
    assert!(finish(&dispatcher).await.is_done(), "it comes to what the post came to");
    mended.store(true, Ordering::Relaxed);
    assert_eq!(everyone(&dispatcher).await, 3, "two people and the post");
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(site.seen().len(), 2);
    let report = dispatcher.report().await.unwrap();
    assert_eq!(report.verdict, Verdict::Informed);
    assert_eq!(tried(&report, "al"), [("website", "refused"), ("website", "accepted")]);
}

#[tokio::test(start_paused = true)]
async fn one_person_is_tried_and_nobody_else() {
    let (mail, mended, dispatcher) = refused_by_mail().await;
    mended.store(true, Ordering::Relaxed);
    let bea = StakeholderId::new("bea").unwrap();
    assert_eq!(dispatcher.retry(None, Some(&bea), "ada", None).await.unwrap(), 1);
    finish(&dispatcher).await;
    let report = dispatcher.report().await.unwrap();
    assert_eq!([person(&report, "al").class, person(&report, "bea").class], [Class::NotInformed, Class::Informed]);
    assert_eq!(addresses(&mail.seen())[2..], ["bea@demo.example"]);
    let before = dispatcher.journal().seal().await.unwrap();
    assert_eq!(dispatcher.retry(None, Some(&bea), "ada", None).await.unwrap(), 0, "she is informed");
    assert_eq!(dispatcher.journal().seal().await.unwrap(), before, "and nothing is written");
}

#[tokio::test(start_paused = true)]
async fn whoever_was_perhaps_told_is_left_until_somebody_has_attested_it() {
    let lost = AtomicBool::new(false);
    let mail = ScriptedChannel::new("smtp").answering(move |address, _| match address {
        "al@demo.example" if !lost.swap(true, Ordering::Relaxed) => Answer::LoseAnswer,
        _ => Answer::Accept(Assurance::Accepted),
    });
    let world = World::by_email(&staff("al@demo.example"), &mail);
    let dispatcher = declared(&world).await;
    finish(&dispatcher).await;
    let held = world.journal.read(&[DeliveryId { gate: GateNo(0), ordinal: 0 }]).await.unwrap();
    assert!(matches!(held[0].state.legs[0].stage, Stage::Doubt { .. }), "{held:?}");
    assert_eq!(everyone(&dispatcher).await, 0);
    assert_eq!(attest(&dispatcher, "out", "al", false).await, 1);
    assert_eq!(everyone(&dispatcher).await, 1);
    finish(&dispatcher).await;
    assert_eq!(addresses(&mail.seen()), ["al@demo.example", "bea@demo.example", "al@demo.example"]);
    let report = dispatcher.report().await.unwrap();
    assert_eq!(report.verdict, Verdict::Informed, "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn whoever_was_erased_and_what_was_cancelled_are_not_tried_again() {
    let (mail, mended, dispatcher) = refused_by_mail().await;
    mended.store(true, Ordering::Relaxed);
    assert!(dispatcher.erase(&StakeholderId::new("al").unwrap(), "ada").await.unwrap());
    let out = CommuniqueId::new("out").unwrap();
    assert_eq!(dispatcher.retry(Some(&out), None, "ada", None).await.unwrap(), 1, "bea alone");
    assert!(dispatcher.cancel(Some(&out), "ada", None).await.unwrap());
    assert_eq!(everyone(&dispatcher).await, 0);
    finish(&dispatcher).await;
    assert_eq!(mail.seen().len(), 2, "{:?}", addresses(&mail.seen()));
}

#[tokio::test(start_paused = true)]
async fn what_was_taken_back_or_is_true_no_more_is_not_tried_again() {
    let body = "
groups: { staff: { members: [{ id: al, email: al@demo.example }] } }
communiques:
  soon: { to: staff, via: email, per: release, at: planned -30m, on_slip: correct, text: 'On {{ release.when.planned | datetime }}{% if release.when.before %}, not on {{ release.when.before | datetime }}{% endif %}.' }
  out: { to: staff, via: email, per: place, text: It is out. }
  back: { to: staff, via: email, per: place, if: { outcome: rolled-back }, text: It is back. }
";
    let (mail, mended) = broken("smtp");
    let world = World::by_email(body, &mail);
    let dispatcher = world.dispatcher();
    world.pass(MINUTE * 31).await;
    dispatcher.step().await.unwrap();
    assert_eq!(mail.seen().len(), 1);
    assert!(dispatcher.slip(Some(at("2027-05-12T08:00:00Z")), "ada", None).await.unwrap());
    dispatcher.declare(&live("eu")).await.unwrap();
    dispatcher.step().await.unwrap();
    dispatcher.declare(&said("eu", Outcome::RolledBack)).await.unwrap();
    dispatcher.step().await.unwrap();
    let before = mail.seen().len();
    mended.store(true, Ordering::Relaxed);
    let out = CommuniqueId::new("out").unwrap();
    assert_eq!(dispatcher.retry(Some(&out), None, "ada", None).await.unwrap(), 0, "it was rolled back");
    assert_eq!(everyone(&dispatcher).await, 1, "that it is back");
    dispatcher.step().await.unwrap();
    assert_eq!(mail.seen().len(), before + 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_cancelled_or_held_when_all_had_been_tried_stays_so() {
    let (mail, mended, dispatcher) = refused_by_mail().await;
    mended.store(true, Ordering::Relaxed);
    dispatcher.hold(None, true, "ada", None).await.unwrap();
    assert_eq!(everyone(&dispatcher).await, 2);
    dispatcher.step().await.unwrap();
    assert_eq!(mail.seen().len(), 2, "it is held");
    dispatcher.hold(None, false, "ada", None).await.unwrap();
    mended.store(false, Ordering::Relaxed);
    finish(&dispatcher).await;
    assert_eq!(mail.seen().len(), 4);
    dispatcher.cancel(None, "ada", None).await.unwrap();
    assert_eq!(everyone(&dispatcher).await, 0);
}

#[tokio::test(start_paused = true)]
async fn steps_that_have_changed_are_taken_as_they_are_now() {
    let both = |via: &str| BY_MAIL_OR_PAGER.replace("via: [email, pager]", via);
    for (via, tries) in [("via: [pager]", [2, 4]), ("via: [pager, email]", [4, 4])] {
        let ((mail, _), (pager, _)) = (broken("smtp"), broken("pager"));
        let world = World::new(BY_MAIL_OR_PAGER, scripted([("email", &mail), ("pager", &pager)]));
        finish(&declared(&world).await).await;
        let world = again(world, &both(via));
        let dispatcher = world.dispatcher();
        finish(&dispatcher).await;
        assert_eq!(everyone(&dispatcher).await, 2, "{via}");
        finish(&dispatcher).await;
        assert_eq!([mail.seen().len(), pager.seen().len()], tries, "{via}");
        let report = dispatcher.report().await.unwrap();
        assert_eq!(person(&report, "al").class, Class::NotInformed);
        assert_eq!(everyone(&dispatcher).await, 2, "{via}, once more");
    }
}

#[tokio::test(start_paused = true)]
async fn what_moves_on_after_all_was_done_can_be_held_before_anybody_dispatches() {
    let (mail, pager) = (ScriptedChannel::new("smtp"), ScriptedChannel::new("pager"));
    let world = World::new(BY_MAIL_OR_PAGER, scripted([("email", &mail), ("pager", &pager)]));
    let dispatcher = declared(&world).await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(attest(&dispatcher, "out", "al", false).await, 1);
    assert!(dispatcher.hold(None, true, "ada", None).await.unwrap());
    dispatcher.step().await.unwrap();
    assert!(pager.seen().is_empty());
    assert!(dispatcher.hold(None, false, "ada", None).await.unwrap());
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(addresses(&pager.seen()), ["al-pager"]);
}

#[tokio::test(start_paused = true)]
async fn it_has_to_be_said_by_somebody_and_of_something_that_there_is() {
    let (mail, _) = broken("smtp");
    let world = World::by_email(&staff("al@demo.example"), &mail);
    let dispatcher = declared(&world).await;
    assert_eq!(everyone(&dispatcher).await, 0, "nothing is out");
    let said = [("out", "al", " "), ("owt", "al", "ada"), ("out", "ali", "ada")];
    let mut answers = Vec::new();
    for (communique, who, by) in said {
        answers.push(refusal(&dispatcher, communique, who, by).await);
    }
    assert_eq!(
        answers,
        [
            "trying again needs a name: who wants it?",
            "`owt` is no communique of this plan; did you mean `out`?",
            "nobody of this id is among the people of the plan; did you mean `al`?",
        ]
    );
}
