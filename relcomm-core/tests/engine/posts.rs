//! Mechanisms addressed once: one post, credited to everyone who shares it.

use crate::support::{DAY, HOUR, MINUTE, World, addresses, everywhere, finish, live, person, plan, said, scripted};
use relcomm_core::channel::Received;
use relcomm_core::dispatch::{Attestation, Whom};
use relcomm_core::id::{CommuniqueId, GroupId, PlaceId};
use relcomm_core::mechanism::{Addressing, Capabilities};
use relcomm_core::prepare::Post;
use relcomm_core::receipt::{Assurance, Evidence, Receipt, ReceiptKind};
use relcomm_core::release::Outcome;
use relcomm_core::report::{Class, Verdict};
use relcomm_testkit::channel::{Answer, ScriptedChannel};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};

const PLAN: &str = "
groups:
  staff:
    members:
      - { id: al, email: al@demo.example }
      - { id: bea, email: bea@demo.example }
      - { id: cy, email: cy@demo.example }
    via: [website, email]
communiques:
  out: { to: staff, per: release }
";

#[tokio::test(start_paused = true)]
async fn one_post_is_credited_to_every_member() {
    let (site, email) = (ScriptedChannel::new("site").once(), ScriptedChannel::new("smtp"));
    let world = World::new(PLAN, scripted([("website", &site), ("email", &email)]));
    let dispatcher = world.dispatcher();
    everywhere(&dispatcher, Outcome::Success).await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!((site.seen().len(), email.seen().len()), (1, 0));
    let report = dispatcher.report().await.unwrap();
    assert_eq!((report.verdict, report.totals.informed), (Verdict::Informed, 3));
    for id in ["al", "bea", "cy"] {
        let delivery = &person(&report, id).deliveries[0];
        assert!(delivery.posted);
        assert_eq!(delivery.mechanism.as_ref().unwrap().as_str(), "website");
        assert_eq!(delivery.attempts.len(), 1, "the post's try is everyone's: {delivery:#?}");
        assert!(delivery.text_digest.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_post_is_tried_again_and_members_wait_for_it() {
    let calls = AtomicU32::new(0);
    let site = ScriptedChannel::new("site").once().answering(move |_, _| match calls.fetch_add(1, Ordering::Relaxed) {
        0 => Answer::Defer(None),
        1 => Answer::Fault(Some(MINUTE)),
        _ => Answer::Accept(Assurance::Accepted),
    });
    let email = ScriptedChannel::new("smtp");
    let world = World::new(PLAN, scripted([("website", &site), ("email", &email)]));
    let dispatcher = world.dispatcher();
    everywhere(&dispatcher, Outcome::Success).await;
    assert!(finish(&dispatcher).await.is_done());
    let tries: Vec<u32> = site.seen().iter().map(|s| s.attempt).collect();
    assert_eq!(tries, [1, 2, 2], "the fault of the lane does not count as a try");
    let keys: BTreeSet<_> = site.seen().into_iter().map(|s| (s.key, s.message_key)).collect();
    assert_eq!(keys.len(), 1);
    assert!(email.seen().is_empty());
    assert_eq!(dispatcher.report().await.unwrap().totals.informed, 3);
}

#[tokio::test(start_paused = true)]
async fn a_refused_post_moves_every_member_to_the_next_step() {
    let site = ScriptedChannel::new("site").once().answering(|_, _| Answer::Refuse);
    let email = ScriptedChannel::new("smtp");
    let world = World::new(PLAN, scripted([("website", &site), ("email", &email)]));
    let dispatcher = world.dispatcher();
    everywhere(&dispatcher, Outcome::Success).await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!((site.seen().len(), email.seen().len()), (1, 3));
    let report = dispatcher.report().await.unwrap();
    assert_eq!(report.totals.informed, 3);
    let al = &person(&report, "al").deliveries[0];
    assert!(!al.posted);
    let outcomes: Vec<_> = al.attempts.iter().map(|a| (a.mechanism.as_str(), a.outcome.as_str())).collect();
    assert_eq!(outcomes, [("website", "refused"), ("email", "accepted")]);
}

#[tokio::test(start_paused = true)]
async fn a_post_in_doubt_is_held_and_keeps_nothing_pending() {
    let site = ScriptedChannel::new("site").once().answering(|_, _| Answer::LoseAnswer);
    let email = ScriptedChannel::new("smtp");
    let world = World::new(PLAN, scripted([("website", &site), ("email", &email)]));
    let dispatcher = world.dispatcher();
    everywhere(&dispatcher, Outcome::Success).await;
    let standing = dispatcher.step().await.unwrap();
    assert!(standing.is_done(), "nothing comes by itself: {standing:?}");
    assert!(standing.held > 0);
    assert_eq!((site.seen().len(), email.seen().len()), (1, 0), "a second copy would be the wrong cure");
    let report = dispatcher.report().await.unwrap();
    assert_eq!((report.verdict, report.totals.unconfirmed), (Verdict::NotInformed, 3));
    let reason = person(&report, "al").reason.clone().unwrap();
    assert!(reason.contains("held"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn a_post_in_doubt_that_is_found_again_is_credited() {
    let site = ScriptedChannel::new("site").once().by_lookup().answering(|_, _| Answer::LoseAnswer);
    let email = ScriptedChannel::new("smtp");
    let world = World::new(PLAN, scripted([("website", &site), ("email", &email)]));
    let dispatcher = world.dispatcher();
    everywhere(&dispatcher, Outcome::Success).await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!((site.seen().len(), email.seen().len()), (1, 0));
    assert_eq!(dispatcher.report().await.unwrap().totals.informed, 3);
}

#[tokio::test(start_paused = true)]
async fn those_who_want_more_than_a_post_go_on_by_mail() {
    let body = "
groups:
  staff:
    members: [{ id: al, email: al@demo.example }, { id: bea, email: bea@demo.example }]
    via: [website, { via: email, unless: delivered, within: 1h }]
    informed_when: delivered
  public:
    members: [{ id: cy, email: cy@demo.example }]
    via: website
communiques:
  out: { to: [staff, public], per: release }
";
    let site = ScriptedChannel::new("site").once();
    let email = ScriptedChannel::new("smtp").answering(|_, _| Answer::Accept(Assurance::Delivered));
    let world = World::new(body, scripted([("website", &site), ("email", &email)]));
    let dispatcher = world.dispatcher();
    everywhere(&dispatcher, Outcome::Success).await;
    let posted = world.clock_now();
    let standing = dispatcher.step().await.unwrap();
    assert_eq!(standing.next_due, Some(posted + HOUR), "{standing:?}");
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(site.seen().len(), 1, "one post for both groups");
    let mut mails = email.seen();
    mails.sort_by(|a, b| a.address.cmp(&b.address));
    assert_eq!(addresses(&mails), ["al@demo.example", "bea@demo.example"]);
    assert!(mails.iter().all(|m| m.at >= posted + HOUR));
    assert_eq!(dispatcher.report().await.unwrap().totals.informed, 3);
}

#[tokio::test(start_paused = true)]
async fn each_place_has_a_post_of_its_own() {
    let site = ScriptedChannel::new("site").once();
    let email = ScriptedChannel::new("smtp");
    let body = PLAN.replace("per: release", "per: place, text: \"In {{ place.name }}.\"");
    let world = World::new(&body, scripted([("website", &site), ("email", &email)]));
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("us")).await.unwrap();
    dispatcher.declare(&said("eu", Outcome::Failure)).await.unwrap();
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(site.seen().len(), 1);
    assert!(site.seen()[0].text.part("text").contains("In us."));
    let us = PlaceId::new("us").unwrap();
    assert!(world.prepared.gates().iter().any(|g| g.id.place.as_ref() == Some(&us)));
}

#[tokio::test(start_paused = true)]
async fn two_dispatchers_at_once_post_once() {
    let site = ScriptedChannel::new("site")
        .once()
        .answering(|_, _| Answer::After(MINUTE, Box::new(Answer::Accept(Assurance::Accepted))));
    let email = ScriptedChannel::new("smtp");
    let mut world = World::new(PLAN, scripted([("website", &site), ("email", &email)]));
    world.options.poll = Some(MINUTE / 60);
    let (one, two) = (world.dispatcher(), world.dispatcher());
    everywhere(&one, Outcome::Success).await;
    let (first, second) = tokio::time::timeout(DAY, async { tokio::join!(one.run(), two.run()) }).await.unwrap();
    assert!(first.unwrap().is_done() && second.unwrap().is_done());
    assert_eq!((site.seen().len(), email.seen().len()), (1, 0));
    assert_eq!(one.report().await.unwrap().totals.informed, 3);
}

#[tokio::test(start_paused = true)]
async fn a_word_settles_a_post_in_doubt_and_lets_go_what_waited() {
    let site = ScriptedChannel::new("site").once().answering(|_, _| Answer::LoseAnswer);
    let email = ScriptedChannel::new("smtp");
    let body = format!("{PLAN}  more: {{ to: staff, per: release, via: email, after: out settled, text: More. }}\n");
    let world = World::new(&body, scripted([("website", &site), ("email", &email)]));
    let dispatcher = world.dispatcher();
    everywhere(&dispatcher, Outcome::Success).await;
    let standing = finish(&dispatcher).await;
    assert_eq!((standing.is_done(), standing.held), (true, 4), "the post and the three who share it: {standing:?}");
    let reason = dispatcher.report().await.unwrap();
    let more = person(&reason, "al").deliveries.iter().find(|d| d.communique == "more").unwrap().clone();
    assert_eq!(more.reason.as_deref(), Some("blocked: out settled"));
    let staff = Whom::Group(GroupId::new("staff").unwrap());
    dispatcher.attest(&Attestation::done(CommuniqueId::new("out").unwrap(), staff, "ada")).await.unwrap();
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!((site.seen().len(), email.seen().len()), (1, 3));
    assert_eq!(dispatcher.report().await.unwrap().verdict, Verdict::Informed);
}

#[tokio::test(start_paused = true)]
async fn receipts_for_a_post_prove_no_more_than_its_mechanism_can() {
    let site =
        ScriptedChannel::new("site").once().capabilities(|_| Capabilities::new(Addressing::Once, Assurance::Relayed));
    let email = ScriptedChannel::new("smtp");
    let world = World::new(PLAN, scripted([("website", &site), ("email", &email)]));
    let dispatcher = world.dispatcher();
    everywhere(&dispatcher, Outcome::Success).await;
    assert!(finish(&dispatcher).await.is_done());
    let read = Receipt::new(ReceiptKind::Callback, "x", Evidence::Reached(Assurance::Acknowledged));
    let read = read.token(site.seen()[0].token.clone());
    let intake = dispatcher.receive(vec![Received::new("x", vec![read], Vec::new())]).await.unwrap();
    assert_eq!(intake.recorded, 1);
    let gates = dispatcher.journal().gates().await.unwrap();
    assert!(gates.iter().all(|g| g.tally.reached(Assurance::Acknowledged) == 0));
    assert!(gates.iter().any(|g| g.tally.reached(Assurance::Relayed) == 1));
}

/// A board with a post for each of two groups, and what each was told.
async fn posted(communique: &str) -> (World, ScriptedChannel) {
    let board = ScriptedChannel::new("board").once().by_key();
    let body = format!(
        "
groups:
  staff: {{ via: website, members: [{{ id: al }}, {{ id: bo }}] }}
  public: {{ via: website, members: [{{ id: cy }}] }}
communiques:
  out: {{ to: [staff, public], per: release, {communique} }}
"
    );
    let world = World::new(&body, scripted([("website", &board)]));
    everywhere(&world.dispatcher(), Outcome::Success).await;
    (world, board)
}

#[tokio::test(start_paused = true)]
async fn nobody_shares_a_post_who_is_told_in_other_words() {
    for (said, words) in [
        ("text: For all., for: { staff: { text: For staff. } }", ["For all.", "For staff."]),
        ("text: 'For {{ group.id }}.'", ["For public.", "For staff."]),
    ] {
        let (world, board) = posted(said).await;
        let dispatcher = world.dispatcher();
        assert!(finish(&dispatcher).await.is_done());
        let arrived = board.arrived();
        let told: BTreeSet<&str> = arrived.iter().map(|s| s.text.part("text").trim()).collect();
        assert_eq!((arrived.len(), told), (2, BTreeSet::from(words)));
        let report = dispatcher.report().await.unwrap();
        let digest = |id: &str| person(&report, id).deliveries[0].text_digest.clone().unwrap();
        assert!(digest("al") == digest("bo") && digest("al") != digest("cy"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_post_has_the_times_of_those_who_share_it() {
    let (world, _board) = posted("text: For all., for: { staff: { at: declared +2h } }").await;
    let dispatcher = world.dispatcher();
    dispatcher.step().await.unwrap();
    let classes = async || {
        let report = dispatcher.report().await.unwrap();
        ["cy", "al"].map(|id| person(&report, id).class)
    };
    assert_eq!(classes().await, [Class::Informed, Class::Unconfirmed]);
    world.pass(HOUR * 2).await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(classes().await, [Class::Informed; 2]);
}

#[tokio::test(start_paused = true)]
async fn those_who_share_a_decided_post_are_credited_however_many_wait_for_another() {
    let late: String = (0..600).map(|n| format!("{{ id: de{n}, language: de }}, ")).collect();
    let body = format!(
        "
groups: {{ staff: {{ via: website, members: [{late}{{ id: en, language: en }}] }} }}
communiques:
  out: {{ to: staff, per: release, subject: {{ de: Da, en: There }}, text: {{ de: Da., en: There. }} }}
"
    );
    // The first post, in German, is put off for an hour.
    let first = AtomicU32::new(0);
    let site = ScriptedChannel::new("site").once().answering(move |_, _| match first.fetch_add(1, Ordering::Relaxed) {
        0 => Answer::Defer(Some(HOUR)),
        _ => Answer::Accept(Assurance::Accepted),
    });
    let world = World::new(&body, scripted([("website", &site)]));
    let dispatcher = world.dispatcher();
    everywhere(&dispatcher, Outcome::Success).await;
    dispatcher.step().await.unwrap();
    let report = dispatcher.report().await.unwrap();
    assert_eq!((person(&report, "en").class, report.totals.informed), (Class::Informed, 1));
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(dispatcher.report().await.unwrap().totals.informed, 601);
}

#[test]
fn posts_are_the_same_in_whatever_order_people_are_listed() {
    let members = [
        "{ id: al, language: en, chat: room-a }",
        "{ id: bo, language: de, chat: room-a }",
        "{ id: cy, language: en }",
        "{ id: di, language: de, chat: room-b }",
    ];
    let channels = scripted([("chat", &ScriptedChannel::new("chat").once())]);
    let posts = |members: &[&str]| {
        let body = format!(
            "
groups: {{ staff: {{ via: chat, members: [{}] }} }}
communiques: {{ out: {{ to: staff, text: {{ en: English., de: Deutsch. }}, subject: {{ en: News, de: Neues }} }} }}
",
            members.join(", ")
        );
        let prepared = plan(&body, &channels);
        let of = |post: &Post| {
            let address = post.address.as_ref().map_or("-", |address| address.as_str());
            format!("{} {address}", post.readers.lang.as_ref().map_or("-", |lang| lang.as_str()))
        };
        prepared.roll(&prepared.gates()[0]).posts().iter().map(of).collect::<Vec<_>>()
    };
    let listed = posts(&members);
    assert_eq!(listed, ["de room-a", "de room-b", "en -", "en room-a"]);
    let mut reversed = members;
    reversed.reverse();
    assert_eq!(posts(&reversed), listed);
}
