//! Deadlines: who was informed in time, who late, and what that comes to.

use crate::support::{DAY, HOUR, MINUTE, World, at, finish, live, person};
use relcomm_core::dispatch::{Attestation, Whom};
use relcomm_core::id::{CommuniqueId, StakeholderId};
use relcomm_core::receipt::Assurance;
use relcomm_core::report::{Class, Report, Verdict};
use relcomm_testkit::channel::{Answer, ScriptedChannel};

const ONE_PLACE: &str = "where: { eu: {} }";

fn plan(groups: &str, communiques: &str) -> String {
    let head = crate::support::RELEASE.replace("where: { eu: {}, us: {} }", ONE_PLACE);
    format!("{head}groups:\n{groups}\ncommuniques:\n{communiques}\n")
}

/// Al is informed when he says so.
async fn attested_after(world: &World, wait: std::time::Duration) -> Report {
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    dispatcher.step().await.unwrap();
    world.pass(wait).await;
    let whom = Whom::Person(StakeholderId::new("al").unwrap());
    dispatcher.attest(&Attestation::done(CommuniqueId::new("live").unwrap(), whom, "al")).await.unwrap();
    dispatcher.step().await.unwrap();
    dispatcher.report().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn late_is_informed_and_not_compliant_and_in_time_is_neither() {
    let groups = "  staff: { members: [{ id: al, email: al@demo.example }], via: email, informed_when: acknowledged, within: 2h }";
    for (wait, late) in [(HOUR, false), (2 * HOUR, false), (2 * HOUR + MINUTE, true)] {
        let email = ScriptedChannel::new("smtp");
        let world = World::by_email(&plan(groups, "  live: { to: staff, text: Live. }"), &email);
        let report = attested_after(&world, wait).await;
        let delivery = &person(&report, "al").deliveries[0];
        assert_eq!(delivery.deadline, Some(at("2027-05-12T08:00:00Z")));
        assert_eq!((delivery.class, delivery.late), (Class::Informed, late), "{wait:?}");
        let verdict = if late { Verdict::NotCompliant } else { Verdict::Informed };
        assert_eq!(report.verdict, verdict, "{wait:?}");
        let told = "al of live: informed after 2027-05-12T08:00:00Z";
        assert_eq!((report.to_text().contains(told), report.to_markdown().contains(told)), (late, late));
    }
}

#[tokio::test(start_paused = true)]
async fn the_earliest_of_all_deadlines_holds_and_a_variants_own_takes_the_place_of_the_communiques() {
    let groups = "  staff: { members: [{ id: al, email: al@demo.example }, { id: bo, email: bo@demo.example }], via: email, within: 3d }
  desk: { members: [{ id: al, email: al@demo.example }], via: email, within: 2d }";
    let communiques = "  live: { to: [staff, desk], at: declared +1h, deadline: declared +1d, for: { desk: { at: declared +2h, deadline: declared +5d } }, text: Live. }
  more: { to: staff, at: declared +1h, text: More. }";
    let world = World::by_email(&plan(groups, communiques), &ScriptedChannel::new("smtp"));
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    finish(&dispatcher).await;
    let report = dispatcher.report().await.unwrap();
    let deadlines = |id: &str| person(&report, id).deliveries.iter().map(|d| d.deadline.unwrap()).collect::<Vec<_>>();
    // Al's own due time at the desk is two hours after the declaration; both groups count for him.
    assert_eq!(deadlines("al"), [at("2027-05-14T08:00:00Z"), at("2027-05-15T07:00:00Z")]);
    assert_eq!(deadlines("bo"), [at("2027-05-13T06:00:00Z"), at("2027-05-15T07:00:00Z")]);
    assert_eq!(report.verdict, Verdict::Informed);
}

#[tokio::test(start_paused = true)]
async fn whoever_is_not_informed_when_the_deadline_passes_is_late_whatever_comes_of_it() {
    let groups =
        "  staff: { members: [{ id: al, email: al@demo.example }], via: email, informed_when: delivered, within: 1h }";
    let body = plan(groups, "  live: { to: staff, text: Live. }").replace("zone: UTC", "zone: UTC\nsettle: 2d");
    let world = World::by_email(&body, &ScriptedChannel::new("smtp"));
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    dispatcher.step().await.unwrap();
    assert!(!person(&dispatcher.report().await.unwrap(), "al").deliveries[0].late, "there is time left");
    world.pass(HOUR + MINUTE).await;
    let report = dispatcher.report().await.unwrap();
    assert_eq!((report.verdict, person(&report, "al").deliveries[0].late), (Verdict::Pending, true));
    assert!(!report.compliant, "that the deadline is missed is known before all is done");
    assert!(report.to_text().contains("verdict: pending, and deadlines were missed"), "{}", report.to_text());
    world.pass(3 * DAY).await;
    let report = dispatcher.report().await.unwrap();
    assert_eq!((report.verdict, person(&report, "al").class), (Verdict::NotCompliant, Class::Unconfirmed));
    assert_eq!((report.groups[0].met, report.groups[0].in_time), (false, false));
    assert!(report.to_text().contains("not everyone who was due is informed, and deadlines were missed"));
}

#[tokio::test(start_paused = true)]
async fn a_missed_deadline_stands_before_somebody_who_is_not_informed_and_each_group_tells_which() {
    let groups = "  staff: { members: [{ id: al, email: al@demo.example }], via: email, within: 1h }
  desk: { members: [{ id: bo, email: bo@demo.example }], via: email }";
    // Al's mailbox takes two hours; bo's refuses.
    for (al, verdict, in_time) in [(2 * HOUR, Verdict::NotCompliant, false), (MINUTE, Verdict::NotInformed, true)] {
        let email = ScriptedChannel::new("smtp").answering(move |address, attempt| match (address, attempt) {
            ("bo@demo.example", _) => Answer::Refuse,
            (_, 1) => Answer::Defer(Some(al)),
            _ => Answer::Accept(Assurance::Accepted),
        });
        let world = World::by_email(&plan(groups, "  live: { to: [staff, desk], text: Live. }"), &email);
        let dispatcher = world.dispatcher();
        dispatcher.declare(&live("eu")).await.unwrap();
        finish(&dispatcher).await;
        let report = dispatcher.report().await.unwrap();
        assert_eq!((report.verdict, report.compliant, report.exit_code()), (verdict, in_time, 4));
        let told: Vec<_> = report.groups.iter().map(|g| (g.id.as_str(), g.met, g.in_time)).collect();
        assert_eq!(told, [("staff", true, in_time), ("desk", false, true)], "who is late is informed all the same");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_tried_again_after_the_deadline_is_late_from_the_first_proof_on() {
    let groups = "  staff: { members: [{ id: al, email: al@demo.example }], via: email }";
    let email = ScriptedChannel::new("smtp").answering(|_, attempt| match attempt {
        1 => Answer::Defer(Some(2 * HOUR)),
        _ => Answer::Accept(Assurance::Accepted),
    });
    let world = World::by_email(&plan(groups, "  live: { to: staff, deadline: declared +1h, text: Live. }"), &email);
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    finish(&dispatcher).await;
    let report = dispatcher.report().await.unwrap();
    assert_eq!((report.verdict, report.late().count()), (Verdict::NotCompliant, 1));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_counts_from_the_last_of_those_whom_another_communique_told() {
    let groups = "  desk: { members: [{ id: di, email: di@demo.example }, { id: ed, email: ed@demo.example }], via: email, informed_when: acknowledged }
  staff: { members: [{ id: al, email: al@demo.example }], via: email, informed_when: acknowledged }";
    let communiques = "  brief: { to: desk, text: Brief. }
  live: { to: staff, deadline: brief acknowledged +1h, text: Live. }";
    for (wait, late) in [(HOUR, false), (HOUR + MINUTE, true)] {
        let world = World::by_email(&plan(groups, communiques), &ScriptedChannel::new("smtp"));
        let dispatcher = world.dispatcher();
        dispatcher.declare(&live("eu")).await.unwrap();
        dispatcher.step().await.unwrap();
        let says = async |communique: &str, who: &str| {
            let whom = Whom::Person(StakeholderId::new(who).unwrap());
            let word = Attestation::done(CommuniqueId::new(communique).unwrap(), whom, who);
            dispatcher.attest(&word).await.unwrap();
        };
        says("brief", "di").await;
        world.pass(MINUTE * 10).await;
        let of = |report: &Report| person(report, "al").deliveries[0].deadline;
        assert_eq!(of(&dispatcher.report().await.unwrap()), None, "ed has yet to say so");
        says("brief", "ed").await;
        world.pass(wait).await;
        says("live", "al").await;
        dispatcher.step().await.unwrap();
        let report = dispatcher.report().await.unwrap();
        assert_eq!(of(&report), Some(at("2027-05-12T07:10:00Z")));
        assert_eq!(person(&report, "al").deliveries[0].late, late);
        assert_eq!(report.verdict, if late { Verdict::NotCompliant } else { Verdict::Informed });
    }
}
