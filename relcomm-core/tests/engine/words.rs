//! What people say: holds, cancellations, approvals, new texts and new people under way.

use crate::support::{DAY, HOUR, MINUTE, World, addresses, finish, live, person, plan, said, scripted};
use relcomm_core::dispatch::{DispatchError, Dispatcher};
use relcomm_core::id::{CommuniqueId, Role};
use relcomm_core::receipt::Assurance;
use relcomm_core::release::{Declaration, Outcome};
use relcomm_core::report::{Class, Verdict};
use relcomm_testkit::channel::{Answer, ScriptedChannel};
use relcomm_testkit::journal::assert_is_the_fold;
use std::collections::BTreeSet;

const TWO: &str = "
groups:
  staff: { members: [{ id: al, email: al@demo.example }, { id: bea, email: bea@demo.example }], via: email }
communiques:
  a: { to: staff, per: place, text: Words of a. }
  b: { to: staff, per: place, text: Words of b. }
";

fn sent(email: &ScriptedChannel, word: &str) -> usize {
    email.arrived().iter().filter(|s| s.text.part("text").contains(word)).count()
}

fn communique(id: &str) -> CommuniqueId {
    CommuniqueId::new(id).unwrap()
}

async fn declared(world: &World) -> Dispatcher {
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    dispatcher.declare(&said("us", Outcome::Failure)).await.unwrap();
    dispatcher
}

fn is_refused<T: std::fmt::Debug>(done: &Result<T, DispatchError>) -> bool {
    matches!(done, Err(DispatchError::Refused(_)))
}

/// The first try of everyone is put off by a minute.
fn put_off() -> ScriptedChannel {
    ScriptedChannel::new("smtp").answering(|_, n| match n {
        1 => Answer::Defer(Some(MINUTE)),
        _ => Answer::Accept(Assurance::Accepted),
    })
}

#[tokio::test(start_paused = true)]
async fn one_communique_is_held_and_the_other_goes_on() {
    let email = put_off();
    let world = World::by_email(TWO, &email);
    let dispatcher = declared(&world).await;
    dispatcher.step().await.unwrap();
    assert!(dispatcher.hold(Some(&communique("a")), true, "ada", None).await.unwrap());
    assert!(!dispatcher.hold(Some(&communique("a")), true, "ada", None).await.unwrap(), "it is held already");
    world.pass(HOUR).await;
    let standing = dispatcher.step().await.unwrap();
    assert_eq!((sent(&email, "of a"), sent(&email, "of b")), (0, 2));
    assert_eq!(standing.pending.iter().map(|p| p.waiting_for.as_str()).collect::<Vec<_>>(), ["resume"]);
    assert_eq!(standing.next_due, None, "time alone lets nothing go: {standing:?}");
    assert!(dispatcher.hold(Some(&communique("a")), false, "ada", None).await.unwrap());
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!((sent(&email, "of a"), sent(&email, "of b")), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn everything_is_held_before_it_opens_and_under_way() {
    let email = put_off();
    let world = World::by_email(TWO, &email);
    let dispatcher = world.dispatcher();
    assert!(dispatcher.hold(None, true, "ada", Some("wait".into())).await.unwrap());
    dispatcher.declare(&live("eu")).await.unwrap();
    dispatcher.declare(&said("us", Outcome::Failure)).await.unwrap();
    dispatcher.step().await.unwrap();
    assert!(email.seen().is_empty());
    assert!(dispatcher.hold(None, false, "ada", None).await.unwrap());
    dispatcher.step().await.unwrap();
    assert_eq!(email.seen().len(), 4);
    dispatcher.hold(None, true, "ada", None).await.unwrap();
    world.pass(HOUR).await;
    dispatcher.step().await.unwrap();
    assert_eq!(email.seen().len(), 4);
    dispatcher.hold(None, false, "ada", None).await.unwrap();
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(email.arrived().len(), 4);
    assert_is_the_fold(&world.journal, &["ada", "wait", "@demo"]).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_cancelled_is_not_tried_again_and_nobody_was_told() {
    let email = put_off();
    let world = World::by_email(TWO, &email);
    let dispatcher = declared(&world).await;
    dispatcher.step().await.unwrap();
    assert!(dispatcher.cancel(Some(&communique("a")), "ada", None).await.unwrap());
    assert!(!dispatcher.cancel(Some(&communique("a")), "ada", None).await.unwrap());
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!((sent(&email, "of a"), sent(&email, "of b")), (0, 2));
    let report = dispatcher.report().await.unwrap();
    let al = person(&report, "al");
    let a = al.deliveries.iter().find(|d| d.communique == "a" && d.place.as_deref() == Some("eu")).unwrap();
    assert_eq!((a.class, a.reason.as_deref()), (Class::NotInformed, Some("cancelled")), "it was put off, never sent");
    dispatcher.cancel(None, "ada", None).await.unwrap();
    assert!(!dispatcher.cancel(Some(&communique("b")), "ada", None).await.unwrap(), "all is cancelled");
    let done = person(&dispatcher.report().await.unwrap(), "al").deliveries.clone();
    let b = done.iter().find(|d| d.communique == "b" && d.place.as_deref() == Some("eu")).unwrap();
    assert_eq!(b.class, Class::Informed, "what was told stays told");
}

#[tokio::test(start_paused = true)]
async fn what_is_cancelled_in_flight_still_lands() {
    let email = ScriptedChannel::new("smtp")
        .answering(|_, _| Answer::After(MINUTE / 2, Box::new(Answer::Accept(Assurance::Accepted))));
    let world = World::by_email(TWO, &email);
    let dispatcher = declared(&world).await;
    let cancels = async {
        world.pass(MINUTE / 4).await;
        dispatcher.cancel(None, "ada", None).await.unwrap();
    };
    let (standing, ()) = tokio::join!(finish(&dispatcher), cancels);
    assert!(standing.is_done());
    let report = dispatcher.report().await.unwrap();
    assert_eq!(report.totals.informed, 2, "at the place that failed nothing was due that could be cancelled");
    for id in ["al", "bea"] {
        let eu = person(&report, id).deliveries.iter().filter(|d| d.place.as_deref() == Some("eu"));
        assert!(eu.map(|d| d.class).all(|class| class == Class::Informed), "{id}");
    }
}

const APPROVED: &str = "
approvals:
  roles: { product: [mia], legal: [jon, kim] }
  need: [product, { role: legal, only: [b] }]
";

#[tokio::test(start_paused = true)]
async fn nothing_goes_without_every_approval_that_it_needs() {
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(&format!("{APPROVED}{TWO}"), &email);
    let ahead = world.dispatcher().step().await.unwrap();
    assert!(ahead.pending.iter().any(|p| p.waiting_for == "declaration, and approval by product"), "{ahead:?}");
    assert!(!ahead.lacks_consent(), "the declaration comes first");
    let dispatcher = declared(&world).await;
    let (product, legal) = (Role::new("product").unwrap(), Role::new("legal").unwrap());
    let standing = dispatcher.step().await.unwrap();
    assert!(email.seen().is_empty());
    assert!(standing.pending.iter().all(|p| p.approval), "{standing:?}");
    let waits: BTreeSet<&str> = standing.pending.iter().map(|p| p.waiting_for.as_str()).collect();
    assert_eq!(waits, BTreeSet::from(["approval by product", "approval by product and legal"]));
    let before = world.entries().await;
    let digest = world.prepared.digests().texts.clone();
    let other = if digest.starts_with("00000000") { "11111111" } else { "00000000" };
    let misspelt = dispatcher.approve(&Role::new("prodcut").unwrap(), "mia", None, false, None).await.unwrap_err();
    assert_eq!(misspelt.to_string(), "the plan needs no approval by `prodcut`; did you mean `product`?");
    assert!(is_refused(&dispatcher.approve(&product, "jon", None, false, None).await), "not jon's role");
    assert!(is_refused(&dispatcher.approve(&product, "mia", Some(other), false, None).await));
    assert!(is_refused(&dispatcher.approve(&product, "mia", Some(&digest[..7]), false, None).await), "too short");
    assert!(is_refused(&dispatcher.approve(&product, "mia", Some(&format!("{digest}0")), false, None).await));
    assert_eq!(world.entries().await, before);
    assert!(dispatcher.approve(&product, "mia", Some(&digest[..8]), false, None).await.unwrap());
    assert!(!dispatcher.approve(&product, "mia", Some(&digest), false, None).await.unwrap());
    dispatcher.step().await.unwrap();
    assert_eq!((sent(&email, "of a"), sent(&email, "of b")), (2, 0));
    assert!(dispatcher.approve(&legal, "kim", None, true, Some("not yet".into())).await.unwrap());
    dispatcher.step().await.unwrap();
    assert_eq!(sent(&email, "of b"), 0, "refused");
    assert!(dispatcher.approve(&legal, "jon", None, false, None).await.unwrap());
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(sent(&email, "of b"), 2);
    let report = dispatcher.report().await.unwrap();
    let said: Vec<_> = report.approvals.iter().map(|a| (a.of.as_str(), a.says.as_str(), a.by.as_deref())).collect();
    let (mia, kim, jon) = (Some("mia"), Some("kim"), Some("jon"));
    assert_eq!(said, [("product", "approved", mia), ("legal", "rejected", kim), ("legal", "approved", jon)]);
}

#[tokio::test(start_paused = true)]
async fn another_text_voids_the_approval_and_what_is_out_stays_out() {
    let email = ScriptedChannel::new("smtp").answering(|address, n| match (address, n) {
        ("bea@demo.example", 1) => Answer::Defer(Some(MINUTE)),
        _ => Answer::Accept(Assurance::Accepted),
    });
    let body = format!("{APPROVED}{TWO}").replace(", { role: legal, only: [b] }", "");
    let mut world = World::by_email(&body, &email);
    let dispatcher = declared(&world).await;
    let product = Role::new("product").unwrap();
    dispatcher.approve(&product, "mia", None, false, None).await.unwrap();
    dispatcher.step().await.unwrap();
    assert_eq!((sent(&email, "of a"), sent(&email, "of b")), (1, 1));
    let old = world.prepared.digests().texts.clone();
    world.prepared = plan(&body.replace("Words of", "Better words of"), &world.channels);
    let changed = world.dispatcher();
    world.pass(HOUR).await;
    let standing = changed.step().await.unwrap();
    assert_eq!(email.seen().len(), 4, "the rest waits for a fresh approval");
    assert!(standing.pending.iter().any(|p| p.approval), "{standing:?}");
    assert!(is_refused(&changed.approve(&product, "mia", Some(&old), false, None).await), "the old digest");
    assert!(changed.approve(&product, "mia", None, false, None).await.unwrap());
    assert!(finish(&changed).await.is_done());
    assert_eq!(addresses(&email.arrived()[2..]), ["bea@demo.example"; 2]);
    assert_eq!((sent(&email, "Better words of a"), sent(&email, "Better words of b")), (1, 1));
    assert_eq!(changed.report().await.unwrap().verdict, Verdict::Informed);
}

#[tokio::test(start_paused = true)]
async fn other_people_under_way_get_nobody_elses_credit_and_nothing_twice() {
    // Al hears; bea is put off. Then zoe is put before them and bea's address is mended.
    let email = ScriptedChannel::new("smtp").answering(|address, _| match address {
        "bea@demo.example" => Answer::Defer(Some(MINUTE)),
        _ => Answer::Accept(Assurance::Accepted),
    });
    let mut world = World::by_email(TWO, &email);
    let dispatcher = declared(&world).await;
    dispatcher.step().await.unwrap();
    assert_eq!(email.arrived().len(), 2);
    let body = TWO
        .replace("members: [", "members: [{ id: zoe, email: zoe@demo.example }, ")
        .replace("bea@demo", "beatrice@demo");
    world.prepared = plan(&body, &world.channels);
    let changed = world.dispatcher();
    assert!(finish(&changed).await.is_done());
    let arrived = email.arrived();
    let mut all = addresses(&arrived);
    all.sort_unstable();
    let twice = ["al@demo.example", "beatrice@demo.example", "zoe@demo.example"].map(|address| [address; 2]);
    assert_eq!(all, twice.concat(), "each by two communiques, whoever has joined among them");
    let report = changed.report().await.unwrap();
    let class = |id| person(&report, id).class;
    assert_eq!([class("al"), class("bea"), class("zoe")], [Class::Informed; 3]);
    assert_eq!(person(&report, "bea").deliveries[0].attempts.len(), 2, "her own tries");
}

#[tokio::test(start_paused = true)]
async fn somebody_taken_off_the_list_is_not_written_to_and_holds_up_nothing() {
    let email = put_off();
    let mut world = World::by_email(TWO, &email);
    let dispatcher = declared(&world).await;
    dispatcher.step().await.unwrap();
    world.prepared = plan(&TWO.replace(", { id: bea, email: bea@demo.example }", ""), &world.channels);
    let changed = world.dispatcher();
    let standing = finish(&changed).await;
    assert!(standing.is_done(), "{standing:?}");
    assert_eq!(addresses(&email.arrived()), ["al@demo.example"; 2]);
    let report = changed.report().await.unwrap();
    assert_eq!((report.verdict, report.totals.people), (Verdict::Informed, 1));
}

#[tokio::test(start_paused = true)]
async fn a_communique_taken_out_of_the_plan_leaves_no_loop_behind() {
    let email = put_off();
    let mut world = World::by_email(
        &TWO.replace(
            "per: place, text: Words of b.",
            "per: release, at: planned, not_after: planned +1h, text: Words of b.",
        ),
        &email,
    );
    let dispatcher = declared(&world).await;
    world.clock_until(crate::support::at("2027-05-12T07:00:00Z")).await;
    dispatcher.step().await.unwrap();
    let body = TWO.replace("  b: { to: staff, per: place, text: Words of b. }\n", "");
    world.prepared = plan(&body, &world.channels);
    world.pass(DAY).await;
    assert!(finish(&world.dispatcher()).await.is_done());
    assert_eq!((sent(&email, "of a"), sent(&email, "of b")), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_prerelease_reaches_nobody_but_those_who_asked() {
    let email = ScriptedChannel::new("smtp");
    let release = crate::support::RELEASE.replace("version: 1.0.0", "version: 1.0.0-rc.1");
    let world = World::by_email(&format!("{release}{TWO}"), &email);
    let dispatcher = declared(&world).await;
    assert!(finish(&dispatcher).await.is_done());
    assert!(email.seen().is_empty());
    let report = dispatcher.report().await.unwrap();
    assert_eq!((report.verdict, report.totals.exempt), (Verdict::Informed, 2));
    assert!(report.people.iter().all(|p| p.reason.as_deref() == Some("prerelease")));
    let asked = TWO.replace("b: { to: staff,", "b: { to: staff, if: { kind: prerelease },");
    let world = World::by_email(&format!("{release}{asked}"), &email);
    let dispatcher = declared(&world).await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!((sent(&email, "of a"), sent(&email, "of b")), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_changes_nothing() {
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(TWO, &email);
    let dispatcher = declared(&world).await;
    let before = world.entries().await;
    let unknown = communique("nothing");
    assert!(is_refused(&dispatcher.hold(Some(&unknown), true, "ada", None).await));
    assert!(is_refused(&dispatcher.cancel(Some(&unknown), "ada", None).await));
    assert!(is_refused(&dispatcher.dispatch(&Declaration::success("ada")).await), "which place?");
    assert_eq!(world.entries().await, before);
    let other = World::new(TWO, scripted([("email", &ScriptedChannel::new("other"))]));
    let foreign = Dispatcher::new(world.prepared.clone(), other.channels.clone(), world.journal.clone());
    assert!(matches!(foreign, Err(DispatchError::Channel(_))), "another kind of channel than was prepared");
    assert!(email.seen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_was_meant_for_another_outcome_is_not_missed_when_all_is_cancelled() {
    let email = ScriptedChannel::new("smtp");
    let body = "
groups: { staff: { members: [{ id: al, email: al@demo.example }], via: email } }
communiques:
  out: { to: staff, per: place, if: { place: eu } }
  sorry: { to: staff, per: place, if: { outcome: failure, place: eu } }
";
    for early in [true, false] {
        let world = World::by_email(body, &email);
        let dispatcher = world.dispatcher();
        let cancel = async || dispatcher.cancel(Some(&communique("sorry")), "ada", None).await.unwrap();
        if early {
            assert!(cancel().await);
        }
        dispatcher.declare(&live("eu")).await.unwrap();
        finish(&dispatcher).await;
        if !early {
            assert!(cancel().await);
        }
        let report = dispatcher.report().await.unwrap();
        assert_eq!((report.verdict, person(&report, "al").class), (Verdict::Informed, Class::Informed), "{early}");
        dispatcher.declare(&said("eu", Outcome::RolledBack)).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn words_about_the_release_tell_the_declaration_that_opened_them() {
    let email = ScriptedChannel::new("smtp");
    let body = "
groups: { staff: { members: [{ id: al, email: al@demo.example }], via: email } }
communiques: { out: { to: staff, per: release, text: \"{{ declaration.outcome }}, says {{ declaration.by }}\" } }
";
    let world = World::by_email(body, &email);
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    world.pass(MINUTE).await;
    let failure = Declaration::new(Outcome::Failure, "ben").place("us".parse().unwrap());
    dispatcher.declare(&failure).await.unwrap();
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(email.seen()[0].text.part("text"), "success, says ada");
}

#[tokio::test(start_paused = true)]
async fn a_roll_out_of_which_nobody_said_that_it_began_has_begun_when_it_succeeds() {
    let email = ScriptedChannel::new("smtp");
    let body = "
groups: { staff: { members: [{ id: al, email: al@demo.example }], via: email } }
communiques:
  starting: { to: staff, at: begun, per: place, text: Starting. }
  live: { to: staff, per: place, text: Live. }
  as-a-whole: { to: staff, at: begun, per: release, text: Starting everywhere. }
";
    let world = World::by_email(body, &email);
    let dispatcher = world.dispatcher();
    for place in ["eu", "us"] {
        dispatcher.declare(&live(place)).await.unwrap();
    }
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!([sent(&email, "Starting."), sent(&email, "Starting everywhere.")], [2, 1]);
}
