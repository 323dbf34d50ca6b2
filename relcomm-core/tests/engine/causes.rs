//! What goes out for an outcome, and what only follows what does: by which declaration times count, and what nobody has missed.

use crate::support::{DAY, HOUR, MINUTE, RELEASE, World, at, everywhere, finish, person};
use relcomm_core::id::{CommuniqueId, Role};
use relcomm_core::release::Outcome;
use relcomm_core::report::{Class, Verdict};
use relcomm_testkit::channel::{Answer, ScriptedChannel};

fn plan(communiques: &str) -> String {
    format!(
        "groups: {{ staff: {{ members: [al@demo.example, bea@demo.example], via: email }} }}\ncommuniques:\n{communiques}"
    )
}

/// Planned a month after the clock begins.
fn planned_in_june(communiques: &str) -> String {
    RELEASE.replace("2027-05-12T07:00Z", "2027-06-12T07:00Z") + &plan(communiques)
}

fn texts(email: &ScriptedChannel) -> Vec<String> {
    email.seen().iter().filter(|seen| seen.address.starts_with("al")).map(|s| s.text.part("text").to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn what_can_only_follow_the_news_of_a_success_is_not_told_after_a_failure() {
    let body = plan(
        "  live: { to: staff, per: release, text: Live. }
  more: { to: staff, per: release, at: live accepted +1h, text: More. }
  most: { to: staff, per: release, at: more accepted +1h, text: Most. }
  tips: { to: staff, per: release, at: planned +2h, after: live accepted, text: Tips. }
  sorry: { to: staff, per: release, if: { outcome: failure }, text: Sorry. }
  why: { to: staff, per: release, at: sorry accepted +1h, text: Why. }
",
    );
    for (outcome, expected) in [
        (Outcome::Success, &["Live.", "More.", "Tips.", "Most."][..]),
        (Outcome::Failure, &["Sorry.", "Why."]),
        (Outcome::Halted, &[]),
    ] {
        let email = ScriptedChannel::new("smtp");
        let world = World::by_email(&body, &email);
        let dispatcher = world.dispatcher();
        everywhere(&dispatcher, outcome).await;
        assert!(finish(&dispatcher).await.is_done());
        let mut told = texts(&email);
        told.sort();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(told, expected, "{outcome}");
        let report = dispatcher.report().await.unwrap();
        assert_eq!(report.verdict, Verdict::Informed, "{outcome}: {}", report.to_text());
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_undeclared_goes_out_in_the_place_of_what_was_cancelled() {
    let email = ScriptedChannel::new("smtp");
    let body = plan(
        "  live: { to: staff, per: release, text: Live. }
  more: { to: staff, per: release, at: live accepted +1h, if_blocked: { then: proceed }, text: More. }
",
    );
    let world = World::by_email(&body, &email);
    let dispatcher = world.dispatcher();
    dispatcher.cancel(Some(&CommuniqueId::new("live").unwrap()), "mia", None).await.unwrap();
    dispatcher.step().await.unwrap();
    world.pass(DAY).await;
    dispatcher.step().await.unwrap();
    assert_eq!(texts(&email), [""; 0]);
    everywhere(&dispatcher, Outcome::Success).await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(texts(&email), ["More."]);
}

#[tokio::test(start_paused = true)]
async fn what_stands_by_does_not_expire_and_counts_from_its_own_declaration() {
    let email = ScriptedChannel::new("smtp");
    let body = plan(
        "  live: { to: staff, per: release, not_after: declared +2h, text: Live. }
  gone: { to: staff, per: release, if: { outcome: rolled-back }, not_after: declared +1d, text: Gone. }
  late: { to: staff, per: release, if: { outcome: failure }, not_after: planned +1h, text: Late. }
",
    );
    let world = World::by_email(&body, &email);
    let dispatcher = world.dispatcher();
    everywhere(&dispatcher, Outcome::Failure).await;
    world.pass(3 * HOUR).await;
    dispatcher.step().await.unwrap();
    everywhere(&dispatcher, Outcome::Success).await;
    assert!(finish(&dispatcher).await.is_done());
    world.pass(3 * DAY).await;
    dispatcher.step().await.unwrap();
    let report = dispatcher.report().await.unwrap();
    assert_eq!(report.verdict, Verdict::Informed, "{}", report.to_text());
    everywhere(&dispatcher, Outcome::RolledBack).await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(texts(&email), ["Live.", "Gone."]);
    assert_eq!(dispatcher.report().await.unwrap().verdict, Verdict::Informed);
}

#[tokio::test(start_paused = true)]
async fn a_roll_out_that_has_begun_is_no_success_from_which_a_time_counts() {
    let email = ScriptedChannel::new("smtp");
    let body =
        plan("  live: { to: staff, per: place, not_after: declared +2h, text: \"Live at {{ place.name }}.\" }\n");
    let world = World::by_email(&body, &email);
    let dispatcher = world.dispatcher();
    everywhere(&dispatcher, Outcome::Begun).await;
    dispatcher.step().await.unwrap();
    world.pass(3 * HOUR).await;
    dispatcher.step().await.unwrap();
    everywhere(&dispatcher, Outcome::Success).await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(texts(&email).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_was_missed_or_kept_stays_so_whatever_is_declared_or_moved_later() {
    let email = ScriptedChannel::new("smtp");
    let body = plan("  live: { to: staff, per: release, deadline: declared +1h, text: Live. }\n");
    let slow = ScriptedChannel::new("smtp").answering(|_, attempt| match attempt {
        1 => Answer::Defer(Some(3 * HOUR)),
        _ => Answer::Accept(relcomm_core::receipt::Assurance::Accepted),
    });
    for (channel, expected) in [(email, Verdict::Informed), (slow, Verdict::NotCompliant)] {
        let world = World::by_email(&body, &channel);
        let dispatcher = world.dispatcher();
        everywhere(&dispatcher, Outcome::Success).await;
        assert!(finish(&dispatcher).await.is_done());
        assert_eq!(dispatcher.report().await.unwrap().verdict, expected);
        world.pass(2 * HOUR).await;
        everywhere(&dispatcher, Outcome::RolledBack).await;
        finish(&dispatcher).await;
        assert_eq!(dispatcher.report().await.unwrap().verdict, expected, "a roll-back moves no deadline");
    }

    let soon =
        planned_in_june("  soon: { to: staff, per: release, at: planned -7d, deadline: planned -6d, text: Soon. }\n");
    // Told in time; a slip to an earlier time makes it no later, and one to a later time mends nothing.
    for (told, moved, late) in [
        ("2027-06-05T12:00:00Z", "2027-06-08T07:00:00Z", false),
        ("2027-06-07T12:00:00Z", "2027-07-30T07:00:00Z", true),
    ] {
        let email = ScriptedChannel::new("smtp");
        let world = World::by_email(&soon, &email);
        world.clock_until(at(told)).await;
        let dispatcher = world.dispatcher();
        dispatcher.step().await.unwrap();
        assert_eq!(texts(&email).len(), 1);
        let is_late = |report: &relcomm_core::report::Report| person(report, "al").deliveries[0].late;
        assert_eq!(is_late(&dispatcher.report().await.unwrap()), late);
        world.pass(HOUR).await;
        dispatcher.slip(Some(at(moved)), "mia", None).await.unwrap();
        dispatcher.step().await.unwrap();
        assert_eq!(is_late(&dispatcher.report().await.unwrap()), late, "{told}");
    }
}

#[tokio::test(start_paused = true)]
async fn news_of_a_slip_is_neither_too_late_nor_late_by_the_times_of_what_it_corrects() {
    let email = ScriptedChannel::new("smtp");
    let body = planned_in_june(
        "  soon: { to: staff, per: release, at: planned -7d, not_after: planned -1d, deadline: planned -6d, on_slip: correct, text: \"Soon{% if release.when.planned %} {{ release.when.planned | date }}{% endif %}.\" }
",
    );
    let world = World::by_email(&body, &email);
    world.clock_until(at("2027-06-05T08:00:00Z")).await;
    let dispatcher = world.dispatcher();
    dispatcher.step().await.unwrap();
    world.clock_until(at("2027-06-11T18:00:00Z")).await;
    dispatcher.slip(Some(at("2027-06-12T15:00:00Z")), "mia", None).await.unwrap();
    dispatcher.step().await.unwrap();
    assert_eq!(texts(&email).len(), 2, "{:?}", texts(&email));
    let report = dispatcher.report().await.unwrap();
    let al = person(&report, "al");
    assert!(al.deliveries.iter().all(|d| d.class == Class::Informed && !d.late), "{al:#?}");
}

#[tokio::test(start_paused = true)]
async fn an_approval_that_expires_while_its_communique_goes_out_stops_nobody() {
    let email = ScriptedChannel::new("smtp").answering(|_, attempt| match attempt {
        1 => Answer::Defer(Some(3 * HOUR)),
        _ => Answer::Accept(relcomm_core::receipt::Assurance::Accepted),
    });
    let body = plan("  live: { to: staff, per: release, text: Live. }\n")
        + "approvals: { roles: { owner: [mia] }, need: owner, expire: 2h }\n";
    let world = World::by_email(&body, &email);
    let dispatcher = world.dispatcher();
    dispatcher.approve(&Role::new("owner").unwrap(), "mia", None, false, None).await.unwrap();
    world.pass(30 * MINUTE).await;
    everywhere(&dispatcher, Outcome::Success).await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(dispatcher.report().await.unwrap().totals.informed, 2);
}

#[tokio::test(start_paused = true)]
async fn what_stands_by_for_the_release_is_not_taken_for_told_by_who_waits_for_it() {
    let email = ScriptedChannel::new("smtp");
    let body = plan(
        "  live: { to: staff, per: release, text: Live. }
  odd: { to: staff, per: release, if: { outcome: failure }, after: live accepted, text: Odd. }
  end: { to: staff, per: release, if: { outcome: failure }, after: live settled, text: End. }
",
    );
    let world = World::by_email(&body, &email);
    let dispatcher = world.dispatcher();
    everywhere(&dispatcher, Outcome::Failure).await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(texts(&email), ["End."]);
    let report = dispatcher.report().await.unwrap();
    let odd = person(&report, "al").deliveries.iter().find(|d| d.communique == "odd").unwrap();
    assert_eq!((odd.class, odd.reason.as_deref()), (Class::NotInformed, Some("blocked: live accepted")));
}
