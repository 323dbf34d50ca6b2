//! People in several groups of one communique: one delivery, credited to all, by the first named group's words.

use crate::support::{HOUR, World, addresses, finish, live, person, scripted};
use relcomm_core::mechanism::Mechanism;
use relcomm_core::receipt::Assurance;
use relcomm_core::release::Declaration;
use relcomm_core::report::{Class, Verdict};
use relcomm_testkit::channel::{Answer, ScriptedChannel, Seen};

#[tokio::test(start_paused = true)]
async fn one_delivery_is_credited_to_every_group() {
    let body = "
groups:
  staff: { members: [{ id: al, email: al@demo.example }, { id: bea, email: bea@demo.example }], via: email }
  customers: { members: [{ id: bea, email: bea@demo.example }, { id: cy, email: cy@demo.example }], via: email }
communiques:
  out: { to: [staff, customers], per: place, text: \"To {{ group.id }}.\" }
";
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(body, &email);
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    dispatcher.step().await.unwrap();
    let mut seen = email.seen();
    seen.sort_by(|a, b| a.address.cmp(&b.address));
    assert_eq!(addresses(&seen), ["al@demo.example", "bea@demo.example", "cy@demo.example"]);
    let words: Vec<_> = seen.iter().map(|s| s.text.part("text").trim().to_owned()).collect();
    assert_eq!(words, ["To staff.", "To staff.", "To customers."]);
    let report = dispatcher.report().await.unwrap();
    assert_eq!(person(&report, "bea").deliveries[0].groups, ["staff", "customers"]);
    let members: Vec<_> = report.groups.iter().map(|g| (g.id.as_str(), g.totals.people)).collect();
    assert_eq!(members, [("staff", 2), ("customers", 2)]);
    assert_eq!(report.totals.people, 3, "persons are counted once");
}

#[tokio::test(start_paused = true)]
async fn a_shared_delivery_meets_the_strictest_rule_of_its_groups() {
    let body = "
groups:
  staff: { members: [{ id: al, email: al@demo.example }, { id: bea, email: bea@demo.example }], via: email }
  oncall: { members: [{ id: bea, email: bea@demo.example }], via: email, informed_when: acknowledged }
communiques:
  out: { to: [staff, oncall], per: place }
";
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(body, &email);
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    dispatcher.step().await.unwrap();
    let report = dispatcher.report().await.unwrap();
    let class = |id| person(&report, id).deliveries[0].class;
    assert_eq!((class("al"), class("bea")), (Class::Informed, Class::Unconfirmed));
    let oncall = report.groups.iter().find(|g| g.id == "oncall").unwrap();
    assert!(!oncall.met, "nobody has acknowledged: {oncall:?}");
}

#[tokio::test(start_paused = true)]
async fn what_differs_for_a_group_holds_for_its_first_named_members_only() {
    let body = "
groups:
  staff:
    members: [{ id: al, email: al@demo.example }, { id: bea, email: bea@demo.example, pager: bea-p }]
    via: email
  audit:
    members: [{ id: bea, email: bea@demo.example, pager: bea-p }, { id: cy, email: cy@demo.example, pager: cy-p }]
    via: email
  press: { members: [{ id: cy, email: cy@demo.example, pager: cy-p }, { id: al, email: al@demo.example }], via: email }
communiques:
  out:
    to: [staff, audit, press]
    per: release
    at: last declared
    text: Plain.
    for:
      press: { at: last declared + 2h, text: For the press. }
      audit: { via: pager, text: For audit. }
";
    let (email, pager) = (ScriptedChannel::new("smtp"), ScriptedChannel::new("pager"));
    let world = World::new(body, scripted([("email", &email), ("pager", &pager)]));
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    dispatcher.declare(&live("us")).await.unwrap();
    let declared = world.clock_now();
    let standing = dispatcher.step().await.unwrap();
    // Of `to`, audit comes before press: cy's is audit's, al is in press alone of the two.
    let mut by_pager = pager.seen();
    by_pager.sort_by(|a, b| a.address.cmp(&b.address));
    assert_eq!(addresses(&by_pager), ["bea-p", "cy-p"]);
    assert!(by_pager.iter().all(|s| s.text.part("text").contains("For audit.")));
    assert!(email.seen().is_empty(), "al's own time is two hours later");
    assert_eq!(standing.next_due, Some(declared + HOUR * 2));
    assert!(finish(&dispatcher).await.is_done());
    let late = email.seen();
    assert_eq!(addresses(&late), ["al@demo.example"]);
    assert!(late[0].text.part("text").contains("For the press.") && late[0].at >= declared + HOUR * 2);
    assert_eq!(dispatcher.report().await.unwrap().verdict, Verdict::Informed);
}

#[tokio::test(start_paused = true)]
async fn a_group_that_hears_earlier_opens_the_gate_and_the_others_keep_their_time() {
    let body = "
groups:
  staff: { members: [{ id: al, email: al@demo.example }], via: email }
  desk: { members: [{ id: bea, email: bea@demo.example }], via: email }
communiques:
  out: { to: [staff, desk], per: release, at: planned, for: { desk: { at: planned - 30m } } }
";
    let email = ScriptedChannel::new("smtp").answering(|_, _| Answer::Accept(Assurance::Accepted));
    let world = World::by_email(body, &email);
    let planned = crate::support::at("2027-05-12T07:00:00Z");
    assert!(finish(&world.dispatcher()).await.is_done());
    let seen = email.seen();
    assert_eq!(addresses(&seen), ["bea@demo.example", "al@demo.example"]);
    assert!(seen[0].at >= planned - HOUR / 2 && seen[0].at < planned);
    assert!(seen[1].at >= planned);
}

#[tokio::test(start_paused = true)]
async fn what_one_group_wants_sooner_is_not_late_for_another() {
    let email = ScriptedChannel::new("smtp").answering(|_, n| match n {
        1 => Answer::Defer(Some(HOUR)),
        _ => Answer::Accept(Assurance::Accepted),
    });
    let body = "
groups:
  oncall: { members: [{ id: bea, email: bea@demo.example }, { id: dee, email: dee@demo.example }], within: 30m, require: any }
  all: { members: [{ id: bea, email: bea@demo.example }, { id: eve, email: eve@demo.example }] }
communiques:
  out: { to: [oncall, all], per: release, at: planned }
";
    let world = World::by_email(body, &email);
    finish(&world.dispatcher()).await;
    let report = world.dispatcher().report().await.unwrap();
    let in_time: Vec<(&str, bool)> = report.groups.iter().map(|group| (group.id.as_str(), group.in_time)).collect();
    assert_eq!(in_time, [("oncall", false), ("all", true)], "everybody was told after an hour");
    assert!(report.people.iter().any(|person| person.deliveries.iter().any(|d| d.late)));
}

const CONCERNED: &str = "
plan: 1
id: demo
release:
  product: Demo
  version: 1.0.0
  what:
    - { id: one, text: For all }
    - { id: two, text: For customers, concerns: customers }
    - { id: three, text: For staff, concerns: staff }
  why: Because.
  how: Open it.
responsible: Ada <ada@demo.example>
groups:
  staff: { members: [{ id: al, email: al@demo.example }, { id: bea, email: bea@demo.example }] }
  customers: { members: [{ id: bea, email: bea@demo.example }, { id: cy, email: cy@demo.example }] }
  press: { members: [{ id: dee, email: dee@demo.example }, { id: eve, email: eve@demo.example }] }
communiques:
  out: { to: [staff, customers, press], via: VIA, text: \"{% for item in release.what %}{{ item.text }}. {% endfor %}\" }
";

/// What was said to whom, or to nobody by name.
async fn heard(via: &str) -> Vec<(String, String)> {
    let channel = ScriptedChannel::new("far").by_key().capabilities(|mut c| {
        c.addressing = Mechanism::new(via).unwrap().standard_addressing().unwrap();
        c
    });
    let world = World::new(&CONCERNED.replace("VIA", via), scripted([(via, &channel)]));
    let dispatcher = world.dispatcher();
    dispatcher.declare(&Declaration::success("ada")).await.unwrap();
    assert!(finish(&dispatcher).await.is_done());
    let said = |s: &Seen| (s.address.replace("@demo.example", ""), s.text.part("text").trim().to_owned());
    let mut heard: Vec<_> = channel.arrived().iter().map(said).collect();
    heard.sort();
    assert_eq!(dispatcher.report().await.unwrap().totals.informed, 5);
    heard
}

#[tokio::test(start_paused = true)]
async fn whoever_is_in_two_groups_is_told_what_concerns_either() {
    let heard = heard("email").await;
    let heard: Vec<(&str, &str)> = heard.iter().map(|(who, what)| (who.as_str(), what.as_str())).collect();
    assert_eq!(
        heard,
        [
            ("al", "For all. For staff."),
            ("bea", "For all. For customers. For staff."),
            ("cy", "For all. For customers."),
            ("dee", "For all."),
            ("eve", "For all."),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_post_lists_what_concerns_those_who_share_it() {
    let heard: Vec<String> = heard("website").await.into_iter().map(|(_, what)| what).collect();
    assert_eq!(
        heard,
        ["For all.", "For all. For customers.", "For all. For customers. For staff.", "For all. For staff."]
    );
}
