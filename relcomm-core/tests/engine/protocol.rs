//! Who may do what, how long an approval holds, and for which kind of release a communique is meant.

use crate::support::{DAY, HOUR, World, finish, live, person};
use relcomm_core::id::Role;
use relcomm_core::release::Declaration;
use relcomm_core::report::{Class, Verdict};
use relcomm_testkit::channel::ScriptedChannel;

fn plan(release: &str, more: &str) -> String {
    let head =
        crate::support::RELEASE.replace("where: { eu: {}, us: {} }", &format!("where: {{ eu: {{}} }}\n  {release}"));
    format!("{head}groups:\n  staff: {{ members: [{{ id: al, email: al@demo.example }}], via: email }}\n{more}\n")
}

const APPROVALS: &str = "approvals:
  roles: { owner: [ada, mia], legal: [ada, jon] }
  need: [owner, legal]
  distinct: [approve, declare]
  expire: 10d
communiques: { live: { to: staff, text: Live. } }";

fn role(word: &str) -> Role {
    Role::new(word).unwrap()
}

#[tokio::test(start_paused = true)]
async fn nobody_does_two_of_the_acts_and_nobody_approves_in_two_roles() {
    let world = World::by_email(&plan("", APPROVALS), &ScriptedChannel::new("smtp"));
    let dispatcher = world.dispatcher();
    let approve = async |as_role: &str, by: &str| dispatcher.approve(&role(as_role), by, None, false, None).await;
    assert!(approve("owner", "ada").await.unwrap());
    let before = world.entries().await;
    let refused = approve("legal", "ada").await.unwrap_err().to_string();
    assert_eq!(refused, "this person has approved as `owner`: the plan asks for another");
    let refused = dispatcher.declare(&Declaration::success(" Ada ")).await.unwrap_err().to_string();
    assert_eq!(refused, "this person has approved: the plan asks for another to declare");
    assert_eq!(world.entries().await, before, "the journal is as it was");
    assert!(dispatcher.declare(&Declaration::success("jon")).await.unwrap());
    let refused = approve("legal", "jon").await.unwrap_err().to_string();
    assert_eq!(refused, "this person has declared: the plan asks for another to approve");
}

#[tokio::test(start_paused = true)]
async fn an_approval_that_has_expired_opens_nothing_until_it_is_given_again() {
    let approvals = APPROVALS.replace("  distinct: [approve, declare]\n", "");
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(&plan("", &approvals), &email);
    let dispatcher = world.dispatcher();
    dispatcher.approve(&role("owner"), "mia", None, false, None).await.unwrap();
    world.pass(10 * DAY - HOUR).await;
    dispatcher.approve(&role("legal"), "jon", None, false, None).await.unwrap();
    world.pass(2 * HOUR).await;
    dispatcher.declare(&live("eu")).await.unwrap();
    let standing = dispatcher.step().await.unwrap();
    assert!(standing.pending[0].approval && email.seen().is_empty(), "{standing:?}");
    assert!(dispatcher.approve(&role("owner"), "mia", None, false, None).await.unwrap(), "it is news again");
    finish(&dispatcher).await;
    assert_eq!(email.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_out_needs_no_approval_any_more() {
    let approvals = APPROVALS.replace("  distinct: [approve, declare]\n", "");
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(&plan("", &approvals), &email);
    let dispatcher = world.dispatcher();
    dispatcher.approve(&role("owner"), "mia", None, false, None).await.unwrap();
    dispatcher.approve(&role("legal"), "jon", None, false, None).await.unwrap();
    dispatcher.declare(&live("eu")).await.unwrap();
    finish(&dispatcher).await;
    world.pass(20 * DAY).await;
    dispatcher.step().await.unwrap();
    assert_eq!(dispatcher.report().await.unwrap().verdict, Verdict::Informed);
}

#[tokio::test(start_paused = true)]
async fn a_communique_for_a_kind_of_release_is_said_of_that_kind_alone() {
    let communiques = "communiques:
  fix: { to: staff, if: { kind: hotfix }, text: \"A {{ release.kind }}.\" }
  live: { to: staff, text: Live. }";
    for (kind, said) in
        [("kind: hotfix", vec!["A hotfix.", "Live."]), ("kind: feature", vec!["Live."]), ("", vec!["Live."])]
    {
        let email = ScriptedChannel::new("smtp");
        let world = World::by_email(&plan(kind, communiques), &email);
        let dispatcher = world.dispatcher();
        dispatcher.declare(&live("eu")).await.unwrap();
        finish(&dispatcher).await;
        let seen = email.seen();
        let mut texts: Vec<&str> = seen.iter().map(|s| s.text.part("text").trim()).collect();
        texts.sort_unstable();
        assert_eq!(texts, said, "{kind}");
        let report = dispatcher.report().await.unwrap();
        assert_eq!(report.verdict, Verdict::Informed);
        let deliveries = &person(&report, "al").deliveries;
        let kept: Vec<_> =
            deliveries.iter().filter(|d| d.class == Class::Exempt).map(|d| d.reason.as_deref()).collect();
        assert_eq!(kept, if said.len() == 2 { vec![] } else { vec![Some("not a hotfix")] }, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pre_release_by_kind_reaches_nobody_by_accident_either() {
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(&plan("kind: prerelease", "communiques: { live: { to: staff, text: Live. } }"), &email);
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    finish(&dispatcher).await;
    let report = dispatcher.report().await.unwrap();
    assert_eq!((email.seen().len(), person(&report, "al").reason.as_deref()), (0, Some("prerelease")));
}
