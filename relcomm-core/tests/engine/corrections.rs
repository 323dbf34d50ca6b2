//! Corrections: to exactly those who were told or perhaps told, as they were told, once nothing of what they heard is under way.

use crate::support::{DAY, HOUR, MINUTE, World, addresses, everywhere, finish, live, person, plan, said, scripted};
use relcomm_core::channel::Received;
use relcomm_core::dispatch::{DispatchError, Dispatcher, Standing};
use relcomm_core::id::StakeholderId;
use relcomm_core::journal::Journal;
use relcomm_core::mechanism::{Addressing, Capabilities};
use relcomm_core::receipt::{Assurance, Evidence, Receipt, ReceiptKind};
use relcomm_core::release::Outcome;
use relcomm_core::report::{Class, Part};
use relcomm_testkit::channel::{Answer, ScriptedChannel, Seen};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Al hears by mail, Bea only by pager, of Cy nobody knows, Dot has no other address, Eve is not due when it is rolled back.
fn staff(undo: &str) -> String {
    format!(
        "
groups:
  staff:
    members:
      - {{ id: al, email: al@demo.example, pager: al-pager, place: eu }}
      - {{ id: bea, email: bea@demo.example, pager: bea-pager, place: eu }}
      - {{ id: cy, email: cy@demo.example, pager: cy-pager, place: eu }}
      - {{ id: dot, email: dot@demo.example, place: eu }}
    via: [email, pager]
  later: {{ members: [{{ id: eve, email: eve@demo.example, place: eu }}], via: email }}
communiques:
  live: {{ to: [staff, later], for: {{ later: {{ at: declared +1d }} }}, text: \"It is in {{{{ place.name }}}}.\" }}
  undo: {{ to: {{ told: live{undo} }}, if: {{ outcome: rolled-back }}, via: {{ as_told: true }}, text: \"Taken back.\" }}
"
    )
}

fn mail() -> ScriptedChannel {
    ScriptedChannel::new("smtp").answering(|address, _| match address {
        "bea@demo.example" | "dot@demo.example" => Answer::Refuse,
        "cy@demo.example" => Answer::LoseAnswer,
        _ => Answer::Accept(Assurance::Accepted),
    })
}

/// A step that goes on beside the test.
fn under_way(dispatcher: &Dispatcher) -> JoinHandle<Result<Standing, DispatchError>> {
    let dispatcher = dispatcher.clone();
    tokio::spawn(async move { dispatcher.step().await })
}

/// The addresses to which a text went, in order.
fn told<'a>(seen: &'a [Seen], text: &str) -> Vec<&'a str> {
    let mut all: Vec<&str> =
        seen.iter().filter(|s| s.text.part("text").contains(text)).map(|s| s.address.as_str()).collect();
    all.sort_unstable();
    all
}

#[tokio::test(start_paused = true)]
async fn exactly_those_hear_of_it_who_were_told_or_perhaps_told_by_what_told_them() {
    for (perhaps, mails) in
        [("", vec!["al@demo.example", "cy@demo.example"]), (", perhaps: exclude", vec!["al@demo.example"])]
    {
        let (email, pager) = (mail(), ScriptedChannel::new("pager"));
        let world = World::new(&staff(perhaps), scripted([("email", &email), ("pager", &pager)]));
        let dispatcher = world.dispatcher();
        dispatcher.declare(&live("eu")).await.unwrap();
        dispatcher.step().await.unwrap();
        assert_eq!(told(&pager.arrived(), "It is in eu"), ["bea-pager"]);
        dispatcher.declare(&said("eu", Outcome::RolledBack)).await.unwrap();
        dispatcher.declare(&said("us", Outcome::Failure)).await.unwrap();
        assert!(finish(&dispatcher).await.is_done());
        assert_eq!(told(&email.seen(), "Taken back"), mails, "{perhaps}");
        assert_eq!(told(&pager.seen(), "Taken back"), ["bea-pager"], "{perhaps}");
        assert!(!addresses(&email.seen()).contains(&"eve@demo.example"), "it was withdrawn before it was due");
        let report = dispatcher.report().await.unwrap();
        let bea = person(&report, "bea").deliveries.iter().find(|d| d.communique == "undo").unwrap();
        assert_eq!((bea.part, bea.class), (Part::Correction, Class::Informed));
        assert_eq!(person(&report, "bea").last_statement.as_deref(), Some("undo/eu"));
        // Of cy's mail nobody knows, neither of this one.
        let line = format!("undo/eu: 2 of the {} whom it is for are informed", mails.len() + 1);
        assert!(report.to_text().contains(&format!("corrections:\n  {line}\n")), "{}", report.to_text());
        assert!(report.to_markdown().contains(&format!("## Corrections\n\n- {line}\n")), "{}", report.to_markdown());
        for untold in ["dot", "eve"] {
            assert!(person(&report, untold).deliveries.iter().all(|d| d.communique != "undo"), "{untold}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn it_waits_for_what_flies_and_those_who_have_left_hear_of_it_at_the_address_that_told_them() {
    let email = ScriptedChannel::new("smtp").answering(|address, n| match (address, n) {
        ("al@demo.example", 1) => Answer::After(Duration::from_secs(30), Box::new(Answer::Accept(Assurance::Accepted))),
        _ => Answer::Accept(Assurance::Accepted),
    });
    let pager = ScriptedChannel::new("pager");
    let channels = scripted([("email", &email), ("pager", &pager)]);
    let world = World::new(&staff(""), channels.clone());
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    let run = under_way(&dispatcher);
    world.pass(Duration::from_secs(10)).await;
    dispatcher.declare(&said("eu", Outcome::RolledBack)).await.unwrap();
    dispatcher.declare(&said("us", Outcome::Failure)).await.unwrap();
    run.await.unwrap().unwrap();
    let when = |seen: &[Seen], text: &str| seen.iter().filter(|s| s.text.part("text").contains(text)).count();
    assert_eq!(when(&email.seen(), "It is in eu"), 4);
    // Bea and Al have left by the time somebody goes on.
    let gone = staff("").replace("- { id: al, email: al@demo.example, pager: al-pager, place: eu }", "");
    let gone = gone.replace("- { id: bea, email: bea@demo.example, pager: bea-pager, place: eu }", "");
    let left = World { prepared: plan(&gone, &channels), ..world };
    let dispatcher = left.dispatcher();
    let report = dispatcher.report().await.unwrap();
    let waits = |id: &str| person(&report, id).deliveries.iter().filter(|d| d.part == Part::Correction).count();
    assert_eq!((waits("al"), waits("bea"), waits("dot")), (1, 1, 1), "whoever is yet to hear of it is listed");
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(
        told(&email.seen(), "Taken back"),
        ["al@demo.example", "bea@demo.example", "cy@demo.example", "dot@demo.example"]
    );
    let report = dispatcher.report().await.unwrap();
    assert_eq!(person(&report, "al").last_statement.as_deref(), Some("undo/eu"));
    let opened = report.people.iter().flat_map(|p| &p.deliveries).filter(|d| d.communique == "undo").count();
    assert_eq!(opened, 4);
}

#[tokio::test(start_paused = true)]
async fn it_waits_for_what_flies_although_that_stood_by_before() {
    let late = |answer| Answer::After(Duration::from_secs(30), Box::new(answer));
    let email = ScriptedChannel::new("smtp").answering(move |address, n| match (address, n) {
        ("al@demo.example", 1) => late(Answer::Refuse),
        ("bea@demo.example", 1) => late(Answer::Accept(Assurance::Accepted)),
        _ => Answer::Accept(Assurance::Accepted),
    });
    let pager = ScriptedChannel::new("pager");
    let world = World::new(&staff(""), scripted([("email", &email), ("pager", &pager)]));
    let dispatcher = world.dispatcher();
    dispatcher.declare(&said("eu", Outcome::Halted)).await.unwrap();
    dispatcher.step().await.unwrap();
    dispatcher.declare(&live("eu")).await.unwrap();
    let run = under_way(&dispatcher);
    world.pass(Duration::from_secs(10)).await;
    dispatcher.declare(&said("eu", Outcome::RolledBack)).await.unwrap();
    let other = world.dispatcher();
    other.step().await.unwrap();
    assert_eq!(told(&email.seen(), "Taken back"), Vec::<&str>::new(), "an attempt to them is in flight");
    run.await.unwrap().unwrap();
    dispatcher.declare(&said("us", Outcome::Failure)).await.unwrap();
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(told(&email.seen(), "Taken back"), ["bea@demo.example", "cy@demo.example", "dot@demo.example"]);
}

#[tokio::test(start_paused = true)]
async fn what_comes_back_after_all_is_corrected_too_and_nobody_hears_of_it_twice() {
    let email = mail();
    let pager = ScriptedChannel::new("pager");
    let world = World::new(&staff(", perhaps: exclude"), scripted([("email", &email), ("pager", &pager)]));
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    dispatcher.step().await.unwrap();
    dispatcher.declare(&said("eu", Outcome::RolledBack)).await.unwrap();
    dispatcher.declare(&said("us", Outcome::Failure)).await.unwrap();
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(told(&email.seen(), "Taken back"), ["al@demo.example"]);
    // Cy's far side says hours later that it was delivered.
    world.pass(HOUR).await;
    let cy = email.seen().into_iter().find(|s| s.address == "cy@demo.example").unwrap();
    let receipt = Receipt::new(ReceiptKind::Dsn, "late", Evidence::Reached(Assurance::Delivered)).token(cy.token);
    dispatcher.receive(vec![Received::new("late", vec![receipt], Vec::new())]).await.unwrap();
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(told(&email.seen(), "Taken back"), ["al@demo.example", "cy@demo.example"]);
    // Another life finds nothing to do.
    let again = world.dispatcher();
    assert!(finish(&again).await.is_done());
    assert_eq!(told(&email.seen(), "Taken back").len(), 2);
    assert_eq!(told(&pager.seen(), "Taken back").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn nobody_told_is_nobody_corrected_and_what_is_posted_is_withdrawn_once() {
    let body = "
groups:
  readers: { members: [{ id: al, email: al@demo.example }, { id: bea, email: bea@demo.example }], via: website }
communiques:
  live: { to: readers, per: release, text: \"It is there.\" }
  undo: { to: { told: live }, per: release, if: { outcome: rolled-back }, via: { as_told: true }, text: \"Taken back.\" }
";
    for published in [false, true] {
        let site = ScriptedChannel::new("site")
            .once()
            .capabilities(|_| Capabilities::new(Addressing::Once, Assurance::Accepted));
        let world = World::new(body, scripted([("website", &site)]));
        let dispatcher = world.dispatcher();
        if published {
            dispatcher.declare(&live("eu")).await.unwrap();
            dispatcher.declare(&live("us")).await.unwrap();
            dispatcher.step().await.unwrap();
        }
        world.pass(MINUTE).await;
        dispatcher.declare(&said("eu", Outcome::RolledBack)).await.unwrap();
        dispatcher.declare(&said("us", Outcome::RolledBack)).await.unwrap();
        assert!(finish(&dispatcher).await.is_done());
        let posts: Vec<String> = site.seen().iter().map(|s| s.text.part("text").trim().to_owned()).collect();
        assert_eq!(posts, if published { vec!["It is there.", "Taken back."] } else { vec![] });
        let report = dispatcher.report().await.unwrap();
        let corrected = report.people.iter().flat_map(|p| &p.deliveries).filter(|d| d.part == Part::Correction);
        assert_eq!(corrected.count(), if published { 2 } else { 0 });
    }
}

#[tokio::test(start_paused = true)]
async fn some_are_reached_in_another_way_as_well_and_nobody_twice_in_the_same() {
    let conditional = "{ via: pager, unless: acknowledged, within: 1h }";
    // Bea was told by pager and is not paged again; nobody knows of the mail to Cy, so that nothing follows on it.
    let at_once: &[&str] = &["al-pager", "bea-pager", "cy-pager"];
    for (also, before, after) in [("pager", at_once, at_once), (conditional, &at_once[1..2], &at_once[..2])] {
        let (email, pager) = (mail(), ScriptedChannel::new("pager"));
        let undo = staff("").replace("as_told: true", &format!("as_told: true, also: {{ staff: {also} }}"));
        let undo = undo.replace("text: \"Taken back.\"", "informed_when: acknowledged, text: \"Taken back.\"");
        let world = World::new(&undo, scripted([("email", &email), ("pager", &pager)]));
        let dispatcher = world.dispatcher();
        dispatcher.declare(&live("eu")).await.unwrap();
        dispatcher.step().await.unwrap();
        dispatcher.declare(&said("eu", Outcome::RolledBack)).await.unwrap();
        dispatcher.step().await.unwrap();
        assert_eq!(told(&email.seen(), "Taken back"), ["al@demo.example", "cy@demo.example"]);
        assert_eq!(told(&pager.seen(), "Taken back"), before, "{also}");
        world.pass(HOUR).await;
        dispatcher.step().await.unwrap();
        assert_eq!(told(&pager.seen(), "Taken back"), after, "{also}");
    }
}

const AHEAD: &str = "
groups:
  staff: { members: [{ id: al, email: al@demo.example }, { id: bea, email: bea@demo.example }], via: email }
communiques:
  ahead: { to: staff, at: planned -30m, on_slip: correct, text: \"On {{ release.when.planned | datetime }}{% if release.when.before %}, not on {{ release.when.before | datetime }}{% endif %}.\" }
  soon: { to: staff, at: planned -1m, text: \"Soon.\" }
";

#[tokio::test(start_paused = true)]
async fn whoever_waits_in_the_queue_when_the_time_moves_hears_the_new_one_alone() {
    let once = AtomicBool::new(true);
    let email = ScriptedChannel::new("smtp").answering(move |address, _| match address {
        "bea@demo.example" if once.swap(false, Ordering::Relaxed) => Answer::Defer(Some(Duration::from_secs(600))),
        _ => Answer::Accept(Assurance::Accepted),
    });
    let world = World::by_email(AHEAD, &email);
    let dispatcher = world.dispatcher();
    world.pass(MINUTE * 31).await;
    dispatcher.step().await.unwrap();
    assert_eq!(email.arrived().len(), 1);
    let moved = world.clock_now() + DAY;
    assert!(dispatcher.slip(Some(moved), "ada", None).await.unwrap());
    assert!(!dispatcher.slip(Some(moved), "ada", None).await.unwrap(), "the same again is nothing new");
    dispatcher.step().await.unwrap();
    let words = |address: &str| {
        let of = |s: &&Seen| s.address == address && s.attempt == 1;
        email.arrived().iter().filter(of).map(|s| s.text.part("text").trim().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(words("al@demo.example").len(), 2);
    assert!(words("al@demo.example")[1].contains("not on"), "{:?}", words("al@demo.example"));
    world.pass(DAY).await;
    dispatcher.step().await.unwrap();
    let bea: Vec<String> = words("bea@demo.example").into_iter().filter(|w| w.starts_with("On")).collect();
    assert_eq!(bea.len(), 1, "{bea:?}");
    assert!(!bea[0].contains("not on"));
    let report = dispatcher.report().await.unwrap();
    let part = |id: &str| {
        let of = person(&report, id).deliveries.iter().filter(|d| d.communique == "ahead" && !d.superseded);
        of.map(|d| (d.part, d.revision)).collect::<Vec<_>>()
    };
    assert_eq!((part("al"), part("bea")), (vec![(Part::Slip, 2)], vec![(Part::Live, 2)]));
}

#[tokio::test(start_paused = true)]
async fn a_revision_that_another_replaces_before_it_is_out_is_for_nobody() {
    let email = ScriptedChannel::new("smtp");
    let opted_out = "{ id: cy, email: cy@demo.example, opted_out: true }";
    let world = World::by_email(&AHEAD.replace("{ id: bea, email: bea@demo.example }", opted_out), &email);
    let dispatcher = world.dispatcher();
    world.pass(MINUTE * 31).await;
    dispatcher.step().await.unwrap();
    dispatcher.hold(None, true, "ada", None).await.unwrap();
    dispatcher.slip(Some(world.clock_now() + DAY), "ada", None).await.unwrap();
    dispatcher.slip(Some(world.clock_now() + DAY * 2), "ada", None).await.unwrap();
    dispatcher.hold(None, false, "ada", None).await.unwrap();
    dispatcher.step().await.unwrap();
    let report = dispatcher.report().await.unwrap();
    let heard = |id: &str| {
        let of = person(&report, id).deliveries.iter().filter(|d| d.communique == "ahead");
        of.map(|d| (d.revision, d.class)).collect::<Vec<_>>()
    };
    assert_eq!(heard("al"), [(1, Class::Informed), (3, Class::Informed)]);
    assert_eq!(heard("cy"), [(1, Class::Exempt)]);
}

#[tokio::test(start_paused = true)]
async fn who_was_erased_is_not_taken_for_one_who_never_heard_a_time() {
    for (heard, at, afterwards) in [
        (1, "at: planned -30m", 0),
        (2, "at: planned -30m", 0),
        (2, "occurrences: { early: planned -30m, late: planned -9m }", 1),
    ] {
        let email = ScriptedChannel::new("smtp");
        let world = World::by_email(&AHEAD.replace("at: planned -30m", at), &email);
        let dispatcher = world.dispatcher();
        world.pass(MINUTE * 31).await;
        dispatcher.step().await.unwrap();
        let al = StakeholderId::new("al").unwrap();
        if heard == 1 {
            assert!(dispatcher.erase(&al, "ada").await.unwrap());
        }
        dispatcher.slip(Some(world.clock_now() + DAY), "ada", None).await.unwrap();
        dispatcher.step().await.unwrap();
        if heard == 2 {
            assert!(dispatcher.erase(&al, "ada").await.unwrap());
        }
        let of_al = || {
            email
                .seen()
                .iter()
                .filter(|s| s.address == "al@demo.example" && s.text.part("text").contains("On "))
                .count()
        };
        assert_eq!(of_al(), heard);
        world.pass(DAY).await;
        dispatcher.step().await.unwrap();
        dispatcher.step().await.unwrap();
        // What opens later goes to whoever is still among the members.
        assert_eq!(of_al(), heard + afterwards);
    }
}

#[tokio::test(start_paused = true)]
async fn a_slip_before_anything_is_out_only_moves_it_and_a_text_that_cannot_say_it_is_refused() {
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(AHEAD, &email);
    let dispatcher = world.dispatcher();
    dispatcher.slip(Some(world.clock_now() + DAY * 2), "ada", None).await.unwrap();
    world.pass(DAY).await;
    dispatcher.step().await.unwrap();
    assert!(email.seen().is_empty());
    // The date filter has nothing to print while the time is open.
    let before = world.journal.seal().await.unwrap();
    let refused = dispatcher.slip(None, "ada", None).await.unwrap_err().to_string();
    assert!(refused.contains("`ahead`") && refused.contains("cannot say"), "{refused}");
    assert_eq!(world.journal.seal().await.unwrap(), before);
    world.pass(DAY).await;
    dispatcher.step().await.unwrap();
    assert_eq!(email.seen().len(), 4);
    assert!(email.seen().iter().all(|s| !s.text.part("text").contains("not on")));
}

#[tokio::test(start_paused = true)]
async fn whoever_joins_after_a_gate_has_opened_is_told_and_nobody_twice() {
    let body = |members: &str| {
        format!(
            "groups:\n  staff: {{ members: [{members}], via: email }}\ncommuniques:\n  out: {{ to: staff, per: place }}\n"
        )
    };
    let al = "{ id: al, email: al@demo.example }";
    let email = ScriptedChannel::new("smtp");
    let channels = scripted([("email", &email)]);
    let world = World::by_email(&body(al), &email);
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    dispatcher.declare(&said("us", Outcome::Failure)).await.unwrap();
    assert!(finish(&dispatcher).await.is_done());
    let more = format!("{{ id: bea, email: bea@demo.example }}, {al}, {{ id: cy, email: cy@demo.example }}");
    let world = World { prepared: plan(&body(&more), &channels), ..world };
    for _ in 0..2 {
        let dispatcher = world.dispatcher();
        assert!(finish(&dispatcher).await.is_done());
        let mut seen = email.seen();
        seen.sort_by(|a, b| a.address.cmp(&b.address));
        assert_eq!(addresses(&seen), ["al@demo.example", "bea@demo.example", "cy@demo.example"]);
    }
    let report = world.dispatcher().report().await.unwrap();
    assert_eq!((report.totals.informed, report.totals.people), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn after_two_slips_those_who_heard_the_first_time_that_moved_hear_what_they_heard() {
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(AHEAD, &email);
    let dispatcher = world.dispatcher();
    // It moves before anybody has heard of it, and once more when they have.
    let (first, second) = (world.clock_now() + DAY, world.clock_now() + DAY * 3);
    dispatcher.slip(Some(first), "ada", None).await.unwrap();
    world.pass(DAY - MINUTE * 29).await;
    dispatcher.step().await.unwrap();
    dispatcher.slip(Some(second), "ada", None).await.unwrap();
    dispatcher.step().await.unwrap();
    let words: Vec<String> = email
        .arrived()
        .iter()
        .filter(|s| s.address == "al@demo.example")
        .map(|s| s.text.part("text").trim().to_owned())
        .collect();
    let [told, moved] = words.as_slice() else { panic!("{words:?}") };
    let heard = told.trim_start_matches("On ").trim_end_matches('.');
    assert!(heard.contains("13 May"), "{told}");
    assert!(moved.contains(&format!("not on {heard}")) && moved.contains("15 May"), "{moved}");
}

#[tokio::test(start_paused = true)]
async fn a_correction_has_its_own_words_for_a_group() {
    let email = ScriptedChannel::new("smtp");
    let body = "
groups:
  staff: { members: [{ id: al, email: al@demo.example }], via: email }
  press: { members: [{ id: bea, email: bea@demo.example }], via: email }
communiques:
  live: { to: [staff, press], per: place, text: There. }
  undo: { to: { told: live }, per: place, if: { outcome: rolled-back }, via: { as_told: true }, text: Taken back., for: { press: { text: We regret. } } }
";
    let world = World::by_email(body, &email);
    let dispatcher = world.dispatcher();
    dispatcher.declare(&said("us", Outcome::Failure)).await.unwrap();
    dispatcher.declare(&live("eu")).await.unwrap();
    dispatcher.step().await.unwrap();
    dispatcher.declare(&said("eu", Outcome::RolledBack)).await.unwrap();
    assert!(finish(&dispatcher).await.is_done());
    let seen = email.seen();
    assert_eq!(told(&seen, "Taken back"), ["al@demo.example"]);
    assert_eq!(told(&seen, "We regret"), ["bea@demo.example"]);
}

#[tokio::test(start_paused = true)]
async fn whoever_was_perhaps_told_before_a_refusal_hears_of_it_too() {
    let email = ScriptedChannel::new("smtp").by_key().answering(|address, attempt| match (address, attempt) {
        ("cho@demo.example", 1) => Answer::LoseAnswer,
        ("cho@demo.example", 2) => Answer::Refuse,
        _ => Answer::Accept(Assurance::Accepted),
    });
    let body = "groups: { staff: { members: [cho@demo.example, dee@demo.example], via: email } }
communiques:
  live: { to: staff, per: release, text: It is live. }
  undo: { to: { told: live }, per: release, if: { outcome: rolled-back }, text: Taken back. }
";
    let world = World::by_email(body, &email);
    let dispatcher = world.dispatcher();
    everywhere(&dispatcher, Outcome::Success).await;
    finish(&dispatcher).await;
    let report = dispatcher.report().await.unwrap();
    let cho = person(&report, "cho");
    let reason = cho.reason.as_deref().unwrap_or_default();
    assert!(cho.class == Class::NotInformed && reason.ends_with("; a try before may have arrived"), "{reason}");
    let outcomes: Vec<&str> = cho.deliveries[0].attempts.iter().map(|a| a.outcome.as_str()).collect();
    assert_eq!(outcomes, ["in doubt", "refused"]);
    everywhere(&dispatcher, Outcome::RolledBack).await;
    finish(&dispatcher).await;
    let seen = email.seen();
    let mut heard = told(&seen, "Taken back.");
    heard.dedup();
    assert_eq!(heard, ["cho@demo.example", "dee@demo.example"]);
}
