//! Who does what: prepares, approves, declares, executes; and approvals that may come after the release.

use crate::support::{DAY, HOUR, World, at, everywhere, finish, live, person};
use relcomm_core::id::Role;
use relcomm_core::prepare::PreparedPlan;
use relcomm_core::release::Declaration;
use relcomm_core::release::Outcome;
use relcomm_core::report::Verdict;
use relcomm_testkit::channel::ScriptedChannel;

fn plan(more: &str) -> String {
    let head = crate::support::RELEASE.replace("where: { eu: {}, us: {} }", "where: eu").replace(
        "responsible: Ada <ada@demo.example>",
        "responsible: { execute: Ada <ada@demo.example>, backup: ben@demo.example }",
    );
    format!(
        "{head}groups:\n  staff: {{ members: [{{ id: al, email: al@demo.example }}], via: email }}\n{more}\ncommuniques: {{ live: {{ to: staff, text: Live. }} }}\n"
    )
}

fn role(word: &str) -> Role {
    Role::new(word).unwrap()
}

fn by(world: World, who: &str) -> World {
    let prepared = world.prepared.clone().prepared_by(who).unwrap();
    World { prepared, ..world }
}

const PROTOCOL: &str = "approvals: { roles: { owner: [mia, jon], ops: [cal, dee] }, need: owner }
protocol: { approve: [owner], declare: ada, execute: [ops, eve] }";

#[tokio::test(start_paused = true)]
async fn whoever_is_not_named_for_an_act_is_refused_and_the_backup_stands_in() {
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(&plan(PROTOCOL), &email);
    let dispatcher = world.dispatcher();
    let before = world.entries().await;
    for other in ["mia", "cal", "owner", "Ada <ada@demo.example>"] {
        let refused = dispatcher.declare(&Declaration::success(other)).await.unwrap_err().to_string();
        assert_eq!(refused, "the plan names who declares, and this person is not among them", "{other}");
    }
    let refused = dispatcher.step().await.unwrap_err().to_string();
    assert_eq!(refused, "the plan asks who executes: say by whom it is dispatched");
    for other in ["ada", "ben", "mia", "ops"] {
        let refused = dispatcher.clone().execute_as(other).run().await.unwrap_err().to_string();
        assert_eq!(refused, "the plan names who executes, and this person is not among them", "{other}");
    }
    assert_eq!(world.entries().await, before, "the journal is as it was");
    assert!(dispatcher.declare(&Declaration::success("ben")).await.unwrap(), "ben stands in for ada");
    assert!(dispatcher.approve(&role("owner"), "jon", None, false, None).await.unwrap());
    finish(&dispatcher.clone().execute_as("dee")).await;
    finish(&dispatcher.clone().execute_as(" dee ")).await;
    let report = dispatcher.report().await.unwrap();
    let executed: Vec<_> = report.executions.iter().map(|s| s.by.as_deref()).collect();
    assert_eq!(executed, [Some("dee")], "said once");
    assert_eq!((report.verdict, email.seen().len()), (Verdict::Informed, 1));
    finish(&dispatcher.clone().execute_as("eve")).await;
    let report = dispatcher.report().await.unwrap();
    assert_eq!(report.executions.len(), 2);
    assert!(report.redacted().executions.iter().all(|s| s.by.is_none()));
}

#[tokio::test(start_paused = true)]
async fn an_approver_is_a_holder_of_the_role_and_one_whom_the_protocol_names() {
    let text = plan(&PROTOCOL.replace("approve: [owner]", "approve: [jon, cal]").replace(", execute: [ops, eve]", ""));
    let world = World::by_email(&text, &ScriptedChannel::new("smtp"));
    let dispatcher = world.dispatcher();
    let refused =
        async |who: &str| dispatcher.approve(&role("owner"), who, None, false, None).await.unwrap_err().to_string();
    assert_eq!(refused("mia").await, "the plan names who approves, and this person is not among them");
    assert_eq!(refused("cal").await, "this person does not hold the role `owner`");
    assert!(dispatcher.approve(&role("owner"), "jon", None, false, None).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn who_prepared_stands_in_the_bundle_and_voids_nothing() {
    let text = plan("protocol: { prepare: [ada] }");
    let world = World::by_email(&text, &ScriptedChannel::new("smtp"));
    let refused = world.dispatcher().step().await;
    assert!(refused.is_ok(), "nobody is named who executes, so that nobody is asked");
    let refused = world.dispatcher().execute_as("cal").step().await.unwrap_err().to_string();
    assert_eq!(refused, "the plan asks who prepares: use a bundle that says so, made by `prepare --by`");
    let refused = world.prepared.clone().prepared_by("cal").unwrap_err();
    assert_eq!(refused, "the plan names who prepares, and this person is not among them");
    let digests = world.prepared.digests().clone();
    let world = by(world, "ben");
    assert_eq!(world.prepared.digests(), &digests);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("demo.bundle");
    world.prepared.write(&file).unwrap();
    assert_eq!(PreparedPlan::read(&file).unwrap().preparer(), Some("ben"));
    let text = std::fs::read_to_string(&file).unwrap().replacen("\"ben\"", "\"ada\"", 1);
    std::fs::write(&file, text).unwrap();
    assert!(PreparedPlan::read(&file).is_err(), "the lid is sealed");
    world.dispatcher().execute_as("cal").step().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn nobody_does_two_of_the_acts_that_the_plan_keeps_apart() {
    let distinct =
        "approvals: { roles: { owner: [mia, jon, pat] }, need: owner, distinct: [prepare, approve, declare, execute] }";
    let world = by(World::by_email(&plan(distinct), &ScriptedChannel::new("smtp")), "pat");
    let dispatcher = world.dispatcher();
    let approve = async |who: &str| dispatcher.approve(&role("owner"), who, None, false, None).await;
    let refused = approve("pat").await.unwrap_err().to_string();
    assert_eq!(refused, "this person has prepared: the plan asks for another to approve");
    assert!(approve("mia").await.unwrap());
    for (who, has) in [("Mia", "approved"), ("pat", "prepared")] {
        let refused = dispatcher.clone().execute_as(who).step().await.unwrap_err().to_string();
        assert_eq!(refused, format!("this person has {has}: the plan asks for another to execute"));
    }
    let refused = dispatcher.step().await.unwrap_err().to_string();
    assert_eq!(refused, "the plan asks who executes: say by whom it is dispatched");
    dispatcher.clone().execute_as("cal").step().await.unwrap();
    let refused = dispatcher.declare(&Declaration::success("cal")).await.unwrap_err().to_string();
    assert_eq!(refused, "this person has executed: the plan asks for another to declare");
    assert!(dispatcher.declare(&Declaration::success("ada")).await.unwrap());
    let refused = dispatcher.clone().execute_as("ada").step().await.unwrap_err().to_string();
    assert_eq!(refused, "this person has declared: the plan asks for another to execute");
}

const LATER: &str =
    "approvals: { roles: { duty: [mia], second: [jon] }, need: [duty, { role: second, retrospective: 24h }] }";

#[tokio::test(start_paused = true)]
async fn an_approval_that_may_come_after_holds_nothing_and_is_open_until_it_comes() {
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(&plan(LATER), &email);
    let dispatcher = world.dispatcher();
    assert!(dispatcher.approve(&role("duty"), "mia", None, false, None).await.unwrap());
    assert!(dispatcher.standing().await.unwrap().approvals_open.is_empty(), "nothing is declared yet");
    world.pass(HOUR).await;
    dispatcher.declare(&live("eu")).await.unwrap();
    let standing = dispatcher.step().await.unwrap();
    assert_eq!(email.seen().len(), 1, "it keeps nothing from going out");
    assert_eq!(standing.approvals_open.len(), 1);
    assert!(!standing.approvals_open[0].late && standing.approvals_open[0].until == at("2027-05-13T07:00:00Z"));
    assert!(!standing.pending[0].approval, "it is not what anything waits for");
    let report = dispatcher.report().await.unwrap();
    assert_eq!(report.verdict, Verdict::Pending);
    assert_eq!(report.waiting_for, ["approval by second: it, until 2027-05-13T07:00:00Z"]);
    assert!(report.to_text().contains("approval by second is open until 2027-05-13T07:00:00Z"));
    world.pass(DAY).await;
    assert!(dispatcher.approve(&role("second"), "jon", None, false, None).await.unwrap(), "in the last moment");
    assert!(finish(&dispatcher).await.is_done());
    let report = dispatcher.report().await.unwrap();
    assert_eq!((report.verdict, report.approvals_open.len()), (Verdict::Informed, 0));
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_come_in_time_is_not_compliant_and_stays_so_when_it_comes() {
    let world = World::by_email(&plan(LATER), &ScriptedChannel::new("smtp"));
    let dispatcher = world.dispatcher();
    dispatcher.approve(&role("duty"), "mia", None, false, None).await.unwrap();
    dispatcher.declare(&live("eu")).await.unwrap();
    let began = world.clock_now();
    assert!(finish(&dispatcher).await.is_done(), "it is not pending for ever");
    assert_eq!(world.clock_now(), at("2027-05-13T06:00:00.001Z"), "{began}");
    let report = dispatcher.report().await.unwrap();
    assert!(report.verdict == Verdict::NotCompliant && report.approvals_open[0].late);
    assert!(report.to_text().contains("an approval did not come in time"));
    assert!(report.to_text().contains("approval by second was to be given until 2027-05-13T06:00:00Z"));
    assert!(dispatcher.approve(&role("second"), "jon", None, false, None).await.unwrap());
    assert_eq!(dispatcher.report().await.unwrap().verdict, Verdict::NotCompliant);
}

#[tokio::test(start_paused = true)]
async fn one_that_was_given_before_is_given_and_one_that_was_taken_back_is_open() {
    let world = World::by_email(&plan(LATER), &ScriptedChannel::new("smtp"));
    let dispatcher = world.dispatcher();
    for (as_role, who) in [("duty", "mia"), ("second", "jon")] {
        dispatcher.approve(&role(as_role), who, None, false, None).await.unwrap();
    }
    dispatcher.declare(&live("eu")).await.unwrap();
    assert!(dispatcher.step().await.unwrap().is_done());
    assert_eq!(dispatcher.report().await.unwrap().verdict, Verdict::Informed);
    dispatcher.approve(&role("second"), "jon", None, true, None).await.unwrap();
    assert_eq!(dispatcher.report().await.unwrap().verdict, Verdict::Pending);
}

#[tokio::test(start_paused = true)]
async fn a_redacted_report_names_nobody_of_a_waived_group_and_not_why_it_is_waived() {
    let email = ScriptedChannel::new("smtp");
    let body = "groups:
  staff: { members: [{ id: al, email: al@demo.example }] }
  secret: { members: [{ id: jane, email: jane@demo.example }], waived: { why: Told by Jane already., by: mia } }
  board: { waived: { why: They were there., by: mia } }
communiques: { live: { to: staff, per: release } }
";
    let world = World::by_email(body, &email);
    let dispatcher = world.dispatcher();
    everywhere(&dispatcher, Outcome::Success).await;
    finish(&dispatcher).await;
    let report = dispatcher.report().await.unwrap();
    assert_eq!(person(&report, "jane").reason.as_deref(), Some("waived"));
    let rules = |report: &relcomm_core::report::Report| -> Vec<String> {
        report.groups.iter().map(|group| group.rule.clone()).collect()
    };
    assert_eq!(rules(&report), ["all accepted", "waived: Told by Jane already.", "waived: They were there."]);
    let redacted = report.redacted();
    assert_eq!(rules(&redacted), ["all accepted", "waived", "waived"]);
    let ids: Vec<&str> = redacted.people.iter().map(|who| who.id.as_str()).collect();
    assert_eq!(ids, ["#1", "#2", "board"], "a group is nobody");
    assert!(!redacted.to_json().to_lowercase().contains("jane"));
}
