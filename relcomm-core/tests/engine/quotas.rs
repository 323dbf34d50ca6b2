//! Rules of being informed: shares, one of each company, gaps that are accepted by name, wishes, people told by others.

use crate::support::{World, everywhere, finish, person, scripted};
use relcomm_core::dispatch::{DispatchError, Dispatcher, GapOf};
use relcomm_core::id::{GroupId, StakeholderId};
use relcomm_core::journal::Journal;
use relcomm_core::plan::{HeldFiles, Hosted, PlanDraft, Predicate};
use relcomm_core::receipt::Assurance;
use relcomm_core::release::Outcome;
use relcomm_core::report::{Class, GroupReport, Report, Verdict};
use relcomm_core::stakeholder::Stakeholder;
use relcomm_core::validate::{Deployment, standard_rules, validate};
use relcomm_testkit::channel::{Answer, ScriptedChannel};

/// A far side that has none of these mailboxes.
fn without(ids: &'static [&str]) -> ScriptedChannel {
    ScriptedChannel::new("smtp").answering(move |address, _| {
        let is_missing = ids.iter().any(|id| address == format!("{id}@demo.example"));
        if is_missing { Answer::Refuse } else { Answer::Accept(Assurance::Accepted) }
    })
}

fn plan(group: &str, members: &str) -> String {
    format!(
        "groups: {{ all: {{ {group} members: [{members}] }} }}\ncommuniques: {{ live: {{ to: all, per: release }} }}\n"
    )
}

fn crowd(count: usize) -> String {
    (1..=count).map(|n| format!("p{n}@demo.example")).collect::<Vec<_>>().join(", ")
}

async fn declared(world: &World) -> Dispatcher {
    let dispatcher = world.dispatcher();
    everywhere(&dispatcher, Outcome::Success).await;
    dispatcher
}

async fn told(body: &str, email: &ScriptedChannel) -> Report {
    let world = World::by_email(body, email);
    let dispatcher = declared(&world).await;
    finish(&dispatcher).await;
    dispatcher.report().await.unwrap()
}

fn all(report: &Report) -> &GroupReport {
    report.groups.iter().find(|g| g.id == "all").unwrap()
}

fn id(id: &str) -> GapOf {
    GapOf::Person(StakeholderId::new(id).unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_share_is_met_to_the_last_person_and_the_others_are_still_listed() {
    let email = without(&["p1"]);
    for (share, members, met) in [("98%", 50, true), ("98%", 49, false), ("98.01%", 50, false), ("any", 2, true)] {
        let report = told(&plan(&format!("require: {share},"), &crowd(members)), &email).await;
        assert_eq!((all(&report).met, report.verdict == Verdict::Informed), (met, met), "{share} of {members}");
        assert_eq!(all(&report).rule, format!("{share} accepted"));
        assert_eq!(report.not_informed().map(|p| p.id.as_str()).collect::<Vec<_>>(), ["p1"]);
        assert!(report.to_text().contains("p1 — not informed"), "{}", report.to_text());
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_stands_for_many_counts_for_many() {
    // One of three; 20 of 22.
    for (missing, met) in [(["p1"], true), (["leader"], false)] {
        let email = without(if missing == ["p1"] { &["p1"] } else { &["leader"] });
        let members = "{ id: leader, email: leader@demo.example, stands_for: 20 }, p1@demo.example, p2@demo.example";
        let report = told(&plan("require: 90%,", members), &email).await;
        assert_eq!(all(&report).met, met);
        let not = if met { 1 } else { 20 };
        assert_eq!((all(&report).totals.people, all(&report).totals.not_informed), (22, not));
        assert_eq!((report.totals.people, report.totals.not_informed), (3, 1), "persons count once");
    }
}

#[tokio::test(start_paused = true)]
async fn one_technical_person_of_each_company_is_enough_and_nobody_else_is() {
    let member = |id: &str, company: &str, role: &str| {
        format!("{{ id: {id}, email: {id}@demo.example, vars: {{ company: {company}, role: {role} }} }}")
    };
    let members = [
        member("a1", "acme", "technical"),
        member("a2", "acme", "technical"),
        member("a3", "acme", "sales"),
        member("b1", "bolt", "technical"),
        member("b2", "bolt", "sales"),
    ];
    let body = plan("require: { one_per: company, among: { role: technical } },", &members.join(", "));
    let report = told(&body, &without(&["a1", "a3", "b2"])).await;
    assert!(all(&report).met, "{}", report.to_text());
    assert_eq!(all(&report).rule, "one per company among role technical accepted");
    assert_eq!((report.verdict, report.not_informed().count()), (Verdict::Informed, 3));
    assert!(all(&report).unmet.is_empty() && !report.to_text().contains("nobody who counts"));
    let report = told(&body, &without(&["b1"])).await;
    assert_eq!((all(&report).met, report.verdict), (false, Verdict::NotInformed), "b2 is informed, and in sales");
    assert_eq!(all(&report).unmet, ["bolt"]);
    assert!(
        report.to_text().contains("\nin which nobody who counts is informed:\n  bolt of all\n"),
        "{}",
        report.to_text()
    );
    assert!(report.to_markdown().contains("## In which nobody who counts is informed\n\n- bolt of all\n"));
    assert!(all(&report.redacted()).unmet.is_empty());
}

#[tokio::test(start_paused = true)]
async fn nothing_goes_out_until_each_gap_is_accepted_by_name() {
    let email = ScriptedChannel::new("smtp");
    let body = "
groups:
  all: { must_inform: true, via: email, members: [p1@demo.example, { id: lost, phone: \"+41445550101\" }, { id: gone, phone: \"+41445550102\", vars: { company: Acme } }] }
  desk: { members: [desk@demo.example] }
communiques: { live: { to: all, per: release }, note: { to: desk, per: release } }
";
    let world = World::by_email(body, &email);
    let dispatcher = declared(&world).await;
    let standing = dispatcher.step().await.unwrap();
    assert!(standing.pending.iter().all(|p| p.approval && p.waiting_for.starts_with("2 gaps")), "{standing:?}");
    assert_eq!((standing.pending.len(), email.seen().len()), (2, 0));

    let before = world.journal.seal().await.unwrap();
    for (of, by, why, line) in [
        (id("nobody"), "ada", "x", "nobody of this id is among the people of the plan"),
        (id("p1"), "ada", "x", "this person has no gap"),
        (id("lost"), " ", "x", "the acceptance of a gap needs a name"),
        (id("lost"), "ada", "", "the acceptance of a gap needs a reason"),
        (GapOf::Company("Bolt".into()), "ada", "x", "this company has no gap"),
    ] {
        let refused = dispatcher.accept_gap(&of, by, why).await.unwrap_err();
        assert!(matches!(refused, DispatchError::Refused(_)) && refused.to_string().starts_with(line), "{refused}");
    }
    assert_eq!(world.journal.seal().await.unwrap(), before);

    assert!(dispatcher.accept_gap(&id("lost"), "ada", "on leave until June").await.unwrap());
    assert!(!dispatcher.accept_gap(&id("lost"), "ada", "on leave until June").await.unwrap());
    assert_eq!(dispatcher.step().await.unwrap().pending.len(), 2, "one gap is left");
    assert_eq!(email.seen().len(), 0);
    assert!(dispatcher.accept_gap(&GapOf::Company("Acme".into()), "mia", "left us").await.unwrap());
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(email.seen().len(), 2);

    let report = dispatcher.report().await.unwrap();
    assert_eq!(report.verdict, Verdict::NotInformed, "an accepted gap is no news");
    assert_eq!(person(&report, "lost").reason.as_deref(), Some("nobody can reach them"));
    let said: Vec<_> = report.gaps.iter().map(|g| (g.person.as_deref(), g.by.as_deref(), g.why.as_deref())).collect();
    let lost = (Some("lost"), Some("ada"), Some("on leave until June"));
    assert_eq!(said, [lost, (Some("gone"), Some("mia"), Some("left us"))]);
    let entries = serde_json::to_string(&world.entries().await).unwrap();
    assert!(!entries.contains("lost") && !entries.contains("Acme") && entries.contains("gap-accepted"));
    let redacted = report.redacted().to_json();
    assert!(!redacted.contains("lost") && !redacted.contains("Acme") && !redacted.contains("on leave"));
}

#[tokio::test(start_paused = true)]
async fn where_one_of_each_company_must_be_informed_the_gap_is_the_companys() {
    let email = ScriptedChannel::new("smtp");
    let body = plan(
        "must_inform: true, via: email, require: { one_per: firm },",
        "{ id: a, email: a@demo.example, vars: { firm: acme } }, { id: b, phone: \"+41445550101\", vars: { firm: acme } }, \
         { id: c, phone: \"+41445550102\", vars: { firm: bolt } }",
    );
    let world = World::by_email(&body, &email);
    let dispatcher = declared(&world).await;
    let companies: Vec<_> = world.prepared.gaps().iter().map(|gap| (gap.person, gap.company.as_deref())).collect();
    assert_eq!(companies, [(None, Some("bolt"))], "acme has somebody");
    assert!(dispatcher.accept_gap(&id("c"), "ada", "x").await.is_err());
    dispatcher.accept_gap(&GapOf::Company("bolt".into()), "ada", "bankrupt").await.unwrap();
    finish(&dispatcher).await;
    assert_eq!(email.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn whoever_opted_out_is_exempt_and_counted_unless_the_group_must_tell_them() {
    let members = "p1@demo.example, { id: p2, email: p2@demo.example, opted_out: true }, { id: p3, opted_out: true }";
    let email = ScriptedChannel::new("smtp");
    let report = told(&plan("opt_out: respect,", members), &email).await;
    assert_eq!((report.verdict, email.seen().len()), (Verdict::Informed, 1));
    assert_eq!((all(&report).opted_out, all(&report).totals.exempt), (2, 2));
    let p2 = person(&report, "p2");
    assert_eq!((p2.class, p2.reason.as_deref()), (Class::Exempt, Some("opted out")));

    let email = ScriptedChannel::new("smtp");
    let members = "p1@demo.example, { id: p2, email: p2@demo.example, opted_out: true }";
    let report = told(&plan("opt_out: ignore,", members), &email).await;
    assert_eq!((report.totals.informed, all(&report).opted_out, email.seen().len()), (2, 0, 2));

    // In two groups, of which one has to tell them.
    let email = ScriptedChannel::new("smtp");
    let body = "
groups:
  news: { members: [{ id: p2, email: p2@demo.example, opted_out: true }] }
  law: { opt_out: ignore, members: [{ id: p2, email: p2@demo.example, opted_out: true }] }
communiques: { live: { to: [news, law], per: release }, more: { to: news, per: release } }
";
    let report = told(body, &email).await;
    let classes: Vec<_> = person(&report, "p2").deliveries.iter().map(|d| (d.communique.as_str(), d.class)).collect();
    assert_eq!(classes, [("live", Class::Informed), ("more", Class::Exempt)]);
}

#[tokio::test(start_paused = true)]
async fn who_must_be_informed_and_opted_out_is_a_gap() {
    let email = ScriptedChannel::new("smtp");
    let body = plan("must_inform: true,", "p1@demo.example, { id: p2, email: p2@demo.example, opted_out: true }");
    let world = World::by_email(&body, &email);
    let dispatcher = declared(&world).await;
    dispatcher.step().await.unwrap();
    assert_eq!(email.seen().len(), 0);
    dispatcher.accept_gap(&id("p2"), "ada", "their own wish").await.unwrap();
    finish(&dispatcher).await;
    assert_eq!(email.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn people_told_by_others_stand_as_those_do() {
    let mut members: Vec<String> = (7..=8).map(|n| format!("leader-{n}@demo.example")).collect();
    members.extend([(1, 7), (2, 7), (3, 8), (4, 8)].map(|(n, of)| format!("{{ id: w{n}, through: leader-{of} }}")));
    let email = without(&["leader-8"]);
    let report = told(&plan("", &members.join(", ")), &email).await;
    assert_eq!(email.seen().len(), 2, "nobody but the leaders is sent anything");
    let not: Vec<&str> = report.not_informed().map(|p| p.id.as_str()).collect();
    assert_eq!(not, ["leader-8", "w3", "w4"]);
    let (leader, worker) = (person(&report, "leader-8"), person(&report, "w4"));
    assert_eq!((worker.class, &worker.reason), (leader.class, &leader.reason));
    assert_eq!(worker.deliveries[0].through.as_deref(), Some("leader-8"));
    assert_eq!(person(&report, "w1").last_statement, person(&report, "leader-7").last_statement);
    assert_eq!((all(&report).totals.people, all(&report).totals.informed), (6, 3));
}

#[tokio::test(start_paused = true)]
async fn whoever_is_told_by_somebody_who_opted_out_is_not_informed() {
    // Validation finds it, unless they must be informed: then it is a gap, which somebody may accept.
    let members = "{ id: lea, email: lea@demo.example, opted_out: true }, { id: bea, through: lea }";
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(&plan("must_inform: true,", members), &email);
    let dispatcher = declared(&world).await;
    for who in ["lea", "bea"] {
        dispatcher.accept_gap(&id(who), "mia", "They wish so.").await.unwrap();
    }
    finish(&dispatcher).await;
    let report = dispatcher.report().await.unwrap();
    let of = |who| (person(&report, who).class, person(&report, who).reason.as_deref());
    assert_eq!(of("lea"), (Class::Exempt, Some("opted out")));
    assert_eq!(of("bea"), (Class::NotInformed, Some("whoever tells them opted out")));
    assert_eq!((report.verdict, email.seen().len()), (Verdict::NotInformed, 0));
}

/// Those whose id ends so.
#[derive(Debug)]
struct EndsIn(&'static str);

impl Predicate for EndsIn {
    fn holds(&self, group: &GroupId, who: &Stakeholder) -> bool {
        group.as_str() == "all" && who.id.as_str().ends_with(self.0)
    }
}

#[test]
fn only_those_for_whom_the_hosts_predicate_holds_are_members() {
    let text = format!("{}{}", crate::support::RELEASE, plan("only: ones,", &crowd(21)));
    let judge = |sources: &Hosted<HeldFiles>| {
        let (draft, source) = PlanDraft::read("plan.yaml", text.as_bytes()).unwrap();
        validate(&draft, &source, sources, &Deployment::unknown(), &standard_rules()).into_plan()
    };
    let (_, people) = judge(&Hosted::new(HeldFiles::new()).predicate("ones", EndsIn("1"))).unwrap();
    let ids: Vec<String> = (0..3).filter_map(|n| Some(people.get(n)?.id.as_str().to_owned())).collect();
    assert_eq!((people.len(), ids), (3, vec!["p1".into(), "p11".into(), "p21".into()]));
    let nobody = judge(&Hosted::new(HeldFiles::new()).predicate("ones", EndsIn("x"))).unwrap_err();
    assert!(nobody.iter().any(|f| f.code == "RC0409" && f.path == "groups.all.only"), "{nobody:?}");
    let unknown = judge(&Hosted::new(HeldFiles::new()).predicate("twos", EndsIn("2"))).unwrap_err();
    assert!(unknown.iter().any(|f| f.code == "RC0434"), "{unknown:?}");
}

#[tokio::test(start_paused = true)]
async fn lateness_follows_the_rule_too() {
    // p1's mailbox takes an hour longer than the group is given.
    let slow = || {
        ScriptedChannel::new("smtp").answering(|address, attempt| match (address, attempt) {
            ("p1@demo.example", 1) => Answer::Defer(Some(std::time::Duration::from_secs(7200))),
            _ => Answer::Accept(Assurance::Accepted),
        })
    };
    for (share, verdict) in [("98%", Verdict::Informed), ("all", Verdict::NotCompliant)] {
        let email = slow();
        let world =
            World::new(&plan(&format!("require: {share}, within: 1h,"), &crowd(50)), scripted([("email", &email)]));
        let dispatcher = declared(&world).await;
        finish(&dispatcher).await;
        let report = dispatcher.report().await.unwrap();
        assert_eq!((report.verdict, report.late().count()), (verdict, 1), "{share}");
    }
}
