//! How many must have got so far before what waits for them goes out.

use crate::support::{self, MINUTE, World, finish, live, person};
use relcomm_core::dispatch::{Dispatcher, GapOf};
use relcomm_core::id::StakeholderId;
use relcomm_core::report::{Class, Verdict};
use relcomm_testkit::channel::{Answer, ScriptedChannel};

const TEN: &str = "a0; a1; a2; a3; a4; a5; a6; a7; a8; a9";

/// A desk of so many, one customer, and a communique that waits for the desk.
fn plan(members: &str, desk: &str, after: &str) -> String {
    let members: Vec<String> = members
        .split("; ")
        .map(|word| {
            let (id, vars) = word.split_once('/').unwrap_or((word, ""));
            format!("{{ id: {id}, email: {id}@demo.example{vars} }}")
        })
        .collect();
    format!(
        "
release:
  product: Demo
  version: 1.0.0
  what: [{{ id: one, text: The one thing }}]
  why: Because.
  how: Open it.
groups:
  desk: {{ members: [{}], via: email, informed_when: acknowledged{desk} }}
  customers: {{ members: [{{ id: cy, email: cy@demo.example }}], via: email }}
communiques:
  brief: {{ to: [desk, customers], text: Brief. }}
  out: {{ to: customers, after: {after}, text: Out. }}
plan: 1
id: demo
zone: UTC
responsible: Ada <ada@demo.example>
",
        members.join(", ")
    )
}

fn is_out(email: &ScriptedChannel) -> bool {
    email.seen().iter().any(|s| s.text.part("text").contains("Out."))
}

async fn attest(dispatcher: &Dispatcher, who: &str, done: bool) {
    support::attest(dispatcher, "brief", who, done).await;
    dispatcher.step().await.unwrap();
}

async fn begun(world: &World) -> Dispatcher {
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("production")).await.unwrap();
    dispatcher.step().await.unwrap();
    dispatcher
}

#[tokio::test(start_paused = true)]
async fn any_is_met_by_the_first() {
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(&plan(TEN, "", "brief any acknowledged for desk"), &email);
    let dispatcher = begun(&world).await;
    assert!(!is_out(&email));
    attest(&dispatcher, "a7", true).await;
    assert!(is_out(&email));
}

#[tokio::test(start_paused = true)]
async fn a_share_is_met_by_so_many_and_by_none_less() {
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(&plan(TEN, "", "brief 75.5% acknowledged for desk"), &email);
    let dispatcher = begun(&world).await;
    for n in 0..7 {
        attest(&dispatcher, &format!("a{n}"), true).await;
    }
    assert!(!is_out(&email), "seven of ten are 70 %");
    let standing = dispatcher.standing().await.unwrap();
    assert!(standing.pending.iter().any(|p| p.waiting_for == "brief 75.50% acknowledged"), "{standing:?}");
    attest(&dispatcher, "a9", true).await;
    assert!(is_out(&email), "eight of ten are 80 %");
}

#[tokio::test(start_paused = true)]
async fn a_share_cannot_be_met_as_soon_as_too_few_are_left_and_a_later_word_changes_that() {
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(&plan(TEN, "", "brief 90% acknowledged for desk"), &email);
    let dispatcher = begun(&world).await;
    attest(&dispatcher, "a0", false).await;
    let blocked = async || {
        let report = dispatcher.report().await.unwrap();
        let rows = &person(&report, "cy").deliveries;
        rows.iter().find(|d| d.communique == "out").unwrap().reason.clone()
    };
    assert_eq!(blocked().await.as_deref(), Some("pending"), "nine of ten may still come");
    attest(&dispatcher, "a1", false).await;
    assert_eq!(blocked().await.as_deref(), Some("blocked: brief 90% acknowledged"), "eight of ten are too few");
    attest(&dispatcher, "a1", true).await;
    assert_eq!(blocked().await.as_deref(), Some("pending"));
    for n in 2..10 {
        attest(&dispatcher, &format!("a{n}"), true).await;
    }
    assert!(is_out(&email));
}

#[tokio::test(start_paused = true)]
async fn who_wishes_not_to_be_told_does_not_count_who_cannot_be_reached_is_given_up_and_leaders_count_for_theirs() {
    let cases = [
        ("a0; a1/, opted_out: true; a2/, opted_out: true", "brief 100% acknowledged for desk", vec!["a0"], Some(true)),
        ("a0; a1/, stands_for: 8", "brief 80% acknowledged for desk", vec!["a0"], None),
        ("a0; a1/, stands_for: 8", "brief 80% acknowledged for desk", vec!["a1"], Some(true)),
        ("a0; a1/, through: a0", "brief 90% acknowledged for desk", vec!["a0"], Some(true)),
    ];
    for (members, after, acknowledge, expected) in cases {
        let email = ScriptedChannel::new("smtp");
        let world = World::by_email(&plan(members, "", after), &email);
        let dispatcher = begun(&world).await;
        for who in acknowledge {
            attest(&dispatcher, who, true).await;
        }
        assert_eq!(is_out(&email), expected.unwrap_or(false), "{members} {after}");
    }
    // Half of the desk has no address that can be used.
    let email = ScriptedChannel::new("smtp");
    let text = plan("a0; a1", ", must_inform: true", "brief 60% acknowledged for desk")
        .replace("{ id: a1, email: a1@demo.example }", "{ id: a1, webhook: somewhere }");
    let world = World::by_email(&text, &email);
    let dispatcher = begun(&world).await;
    let gap = GapOf::Person(StakeholderId::new("a1").unwrap());
    assert!(dispatcher.accept_gap(&gap, "ada", "They have moved.").await.unwrap());
    dispatcher.step().await.unwrap();
    attest(&dispatcher, "a0", true).await;
    assert!(!is_out(&email));
    let report = dispatcher.report().await.unwrap();
    let out = person(&report, "cy").deliveries.iter().find(|d| d.communique == "out").unwrap();
    assert_eq!(out.reason.as_deref(), Some("blocked: brief 60% acknowledged"));
}

#[tokio::test(start_paused = true)]
async fn informed_follows_the_rule_of_the_group_unless_the_plan_says_all() {
    for (after, goes) in [("brief informed", true), ("brief informed for desk", true), ("brief all informed", false)] {
        let email = ScriptedChannel::new("smtp");
        let world = World::by_email(&plan("a0; a1; a2; a3", ", require: 75%", after), &email);
        let dispatcher = begun(&world).await;
        for who in ["a0", "a1", "a2"] {
            assert!(!is_out(&email), "{after}: before {who}");
            attest(&dispatcher, who, true).await;
        }
        assert_eq!(is_out(&email), goes, "{after}");
        attest(&dispatcher, "a3", true).await;
        assert!(is_out(&email), "{after}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_of_each_company_is_enough_where_the_rule_says_so() {
    let members = "a0/, vars: { firm: x }; a1/, vars: { firm: x }; a2/, vars: { firm: y }";
    let text = plan(members, ", require: { one_per: firm }", "brief informed for desk");
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(&text, &email);
    let dispatcher = begun(&world).await;
    attest(&dispatcher, "a1", true).await;
    assert!(!is_out(&email), "nobody of y");
    attest(&dispatcher, "a2", true).await;
    assert!(is_out(&email), "a0 is not waited for");
    let report = dispatcher.report().await.unwrap();
    assert!(report.groups.iter().all(|g| g.met));
}

#[tokio::test(start_paused = true)]
async fn a_share_goes_on_while_the_rest_is_still_tried() {
    let email = ScriptedChannel::new("smtp").answering(|address, n| match (address, n) {
        ("a0@demo.example", 1) => Answer::Defer(Some(MINUTE * 30)),
        _ => Answer::Accept(relcomm_core::receipt::Assurance::Accepted),
    });
    let text =
        plan(TEN, "", "brief 90% accepted for desk").replace("informed_when: acknowledged", "informed_when: accepted");
    let world = World::by_email(&text, &email);
    let dispatcher = begun(&world).await;
    assert!(is_out(&email), "a0 is tried again in half an hour");
    finish(&dispatcher).await;
    let report = dispatcher.report().await.unwrap();
    assert_eq!((report.verdict, person(&report, "a0").class), (Verdict::Informed, Class::Informed));
}
