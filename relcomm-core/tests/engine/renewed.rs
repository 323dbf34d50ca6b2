//! What is out when the plan is prepared again: other steps, other addresses, other people, another script.

use crate::support::{
    HOUR, MINUTE, RELEASE, World, addresses, again, at, declared, everywhere, finish, person, plan, said, scripted,
};
use relcomm_core::dispatch::DispatchError;
use relcomm_core::id::Role;
use relcomm_core::mechanism::{Capabilities, Mechanism};
use relcomm_core::receipt::Assurance;
use relcomm_core::release::Outcome;
use relcomm_core::report::{Class, Verdict};
use relcomm_testkit::channel::{Answer, ScriptedChannel};

fn by_phone() -> ScriptedChannel {
    ScriptedChannel::new("manual")
        .capabilities(|can| Capabilities::new(can.addressing, Assurance::Acknowledged).by_hand())
        .answering(|_, _| Answer::Accept(Assurance::Attempted))
}

fn one(via: &str, address: &str) -> String {
    format!(
        "groups: {{ staff: {{ members: [{{ id: al, {address} }}], via: {via} }} }}
communiques: {{ out: {{ to: staff, per: release, text: It is out. }} }}
"
    )
}

#[tokio::test(start_paused = true)]
async fn a_task_stays_open_when_the_address_that_had_failed_before_it_is_taken_out() {
    let mail = ScriptedChannel::new("smtp").answering(|_, _| Answer::Refuse);
    let phone = by_phone();
    let both = "email: al@demo.example, phone: '+420 222 333 444'";
    let world = World::new(&one("[email, phone]", both), scripted([("email", &mail), ("phone", &phone)]));
    let dispatcher = declared(&world).await;
    dispatcher.step().await.unwrap();
    assert_eq!(dispatcher.tasks().await.unwrap().len(), 1);

    let world = again(world, &one("[email, phone]", "phone: '+420 222 333 444'"));
    let dispatcher = world.dispatcher();
    dispatcher.step().await.unwrap();
    let tasks = dispatcher.tasks().await.unwrap();
    assert_eq!(tasks.iter().map(|task| task.mechanism.as_str()).collect::<Vec<_>>(), ["phone"]);
    let report = dispatcher.report().await.unwrap();
    let tried: Vec<(&str, &str)> = person(&report, "al").deliveries[0]
        .attempts
        .iter()
        .map(|attempt| (attempt.mechanism.as_str(), attempt.outcome.as_str()))
        .collect();
    assert_eq!(tried, [("email", "refused"), ("phone", "task open")]);
}

#[tokio::test(start_paused = true)]
async fn whoever_was_mailed_is_not_mailed_again_when_the_steps_are_turned_round() {
    let (mail, phone) = (ScriptedChannel::new("smtp"), by_phone());
    let both = "email: al@demo.example, phone: '+420 222 333 444'";
    let channels = scripted([("email", &mail), ("phone", &phone)]);
    let world = World::new(&one("[email, { via: phone, unless: delivered, within: 1m }]", both), channels);
    let dispatcher = declared(&world).await;
    dispatcher.step().await.unwrap();

    let world = again(world, &one("[phone, { via: email, unless: delivered, within: 1m }]", both));
    world.pass(MINUTE * 2).await;
    let dispatcher = world.dispatcher();
    dispatcher.step().await.unwrap();
    assert_eq!(addresses(&mail.seen()), ["al@demo.example"]);
    assert_eq!(addresses(&phone.seen()), ["+420 222 333 444"], "they have not confirmed it");
    let report = dispatcher.report().await.unwrap();
    let told = &person(&report, "al").deliveries[0];
    assert_eq!(told.mechanism.as_ref().map(Mechanism::as_str), Some("email"), "{told:#?}");
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_mechanism_that_the_plan_has_no_more_goes_by_the_next() {
    let mail = ScriptedChannel::new("smtp").answering(|_, _| Answer::Defer(Some(HOUR)));
    let phone = by_phone();
    let both = "email: al@demo.example, phone: '+420 222 333 444'";
    let world = World::new(&one("email", both), scripted([("email", &mail), ("phone", &phone)]));
    let dispatcher = declared(&world).await;
    dispatcher.step().await.unwrap();
    assert_eq!(mail.seen().len(), 1);

    let body = one("phone", both);
    let channels = scripted([("phone", &phone)]);
    let world = World { prepared: plan(&body, &channels), channels, ..world };
    let dispatcher = world.dispatcher();
    dispatcher.step().await.unwrap();
    assert_eq!(dispatcher.tasks().await.unwrap().len(), 1);
    world.pass(HOUR * 2).await;
    dispatcher.step().await.unwrap();
    assert_eq!(mail.seen().len(), 1);
    let report = dispatcher.report().await.unwrap();
    let tried: Vec<&str> = person(&report, "al").deliveries[0].attempts.iter().map(|a| a.mechanism.as_str()).collect();
    assert_eq!(tried, ["email", "phone"], "{}", report.to_text());
}

fn members(ids: &[&str]) -> String {
    let members: Vec<String> = ids.iter().map(|id| format!("{{ id: {id}, email: {id}@demo.example }}")).collect();
    format!(
        "groups: {{ staff: {{ members: [{}], via: email }} }}
communiques: {{ out: {{ to: staff, per: release, text: It is out. }} }}
",
        members.join(", ")
    )
}

#[tokio::test(start_paused = true)]
async fn whoever_was_off_the_list_for_a_while_and_had_heard_nothing_is_told_when_they_are_back() {
    let mail = ScriptedChannel::new("smtp").answering(|address, attempt| match (address, attempt) {
        ("dee@demo.example", 1) => Answer::Defer(None),
        _ => Answer::Accept(Assurance::Accepted),
    });
    let world = World::by_email(&members(&["al", "dee"]), &mail);
    let dispatcher = declared(&world).await;
    dispatcher.step().await.unwrap();

    // Half an export.
    let world = again(world, &members(&["al"]));
    let dispatcher = world.dispatcher();
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(mail.seen().len(), 2, "nobody is told who is not on the list");

    let world = again(world, &members(&["al", "dee"]));
    let dispatcher = world.dispatcher();
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(addresses(&mail.seen())[2..], ["dee@demo.example"]);
    let report = dispatcher.report().await.unwrap();
    assert_eq!((report.verdict, report.totals.informed), (Verdict::Informed, 2), "{}", report.to_text());
}

#[tokio::test(start_paused = true)]
async fn whoever_nobody_could_reach_is_tried_by_a_way_that_was_added() {
    let mail = ScriptedChannel::new("smtp").answering(|_, _| Answer::Refuse);
    let pager = ScriptedChannel::new("pager");
    let world =
        World::new(&one("[email, pager]", "email: al@demo.example"), scripted([("email", &mail), ("pager", &pager)]));
    let dispatcher = declared(&world).await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(person(&dispatcher.report().await.unwrap(), "al").class, Class::NotInformed);

    let world = again(world, &one("[email, pager]", "email: al@demo.example, pager: al-pager"));
    let dispatcher = world.dispatcher();
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!((mail.seen().len(), addresses(&pager.seen())), (1, vec!["al-pager"]));
    assert_eq!(person(&dispatcher.report().await.unwrap(), "al").class, Class::Informed);
    // The same once more.
    assert!(finish(&world.dispatcher()).await.is_done());
    assert_eq!((mail.seen().len(), pager.seen().len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_something_else_now_has_not_seen_it_yet() {
    let waits_for = |on: &str| {
        format!(
            "
groups:
  support: {{ members: [{{ id: sue, email: sue@demo.example }}], via: email }}
  legal: {{ members: [{{ id: lea, email: lea@demo.example }}], via: email, informed_when: delivered }}
  customers: {{ members: [{{ id: cy, email: cy@demo.example }}], via: email }}
approvals: {{ roles: {{ owner: mia@demo.example }}, need: {{ role: owner, only: live }} }}
communiques:
  brief: {{ to: support, per: release, text: For support. }}
  counsel: {{ to: legal, per: release, text: For legal. }}
  live: {{ to: customers, per: release, after: {on}, text: For customers. }}
"
        )
    };
    let mail = ScriptedChannel::new("smtp").capabilities(|can| Capabilities::new(can.addressing, Assurance::Delivered));
    let world = World::by_email(&waits_for("brief accepted"), &mail);
    let dispatcher = declared(&world).await;
    dispatcher.step().await.unwrap();
    assert_eq!(mail.seen().len(), 2, "the third waits for an approval");

    let world = again(world, &waits_for("counsel delivered"));
    let dispatcher = world.dispatcher();
    dispatcher.approve(&Role::new("owner").unwrap(), "mia", None, false, None).await.unwrap();
    let standing = dispatcher.step().await.unwrap();
    assert_eq!(mail.seen().len(), 2);
    assert!(standing.pending.iter().any(|pending| pending.gate == "live"), "{standing:?}");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_told_again_because_a_communique_is_now_one_of_each_place() {
    let mail = ScriptedChannel::new("smtp");
    let world = World::by_email(&members(&["al", "bea"]), &mail);
    let dispatcher = declared(&world).await;
    assert!(finish(&dispatcher).await.is_done());
    let by_place = members(&["al", "bea"]).replace("per: release", "per: place");
    let world = again(world, &by_place);
    let refused = world.dispatcher().run().await.unwrap_err();
    assert!(matches!(refused, DispatchError::Refused(_)), "{refused}");
    assert!(refused.to_string().contains("`out` is out for the release as a whole"), "{refused}");
    assert!(world.dispatcher().continues().await.is_err());
    assert_eq!(mail.seen().len(), 2);
    // A place that is dropped is no such change.
    let early = members(&["al"]).replace("per: release", "occurrences: { early: planned -1d, late: declared }");
    let world = again(world, &early);
    let refused = world.dispatcher().run().await.unwrap_err().to_string();
    assert!(refused.contains("would now be told at several times"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_after_it_was_rolled_back_is_not_waited_for() {
    let mail = ScriptedChannel::new("smtp");
    let world = World::by_email(&members(&["al"]), &mail);
    let dispatcher = declared(&world).await;
    assert!(finish(&dispatcher).await.is_done());
    for place in ["eu", "us"] {
        dispatcher.declare(&said(place, Outcome::RolledBack)).await.unwrap();
    }
    assert!(finish(&dispatcher).await.is_done());
    let world = again(world, &members(&["al", "dee"]));
    let dispatcher = world.dispatcher();
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(mail.seen().len(), 1);
    assert_eq!(person(&dispatcher.report().await.unwrap(), "dee").class, Class::Exempt);
}

#[tokio::test(start_paused = true)]
async fn a_correction_that_the_plan_did_not_have_yet_reaches_those_who_were_told() {
    let mail = ScriptedChannel::new("smtp");
    let world = World::by_email(&members(&["al", "bea"]), &mail);
    let dispatcher = declared(&world).await;
    assert!(finish(&dispatcher).await.is_done());
    let undo = "undo: { to: { told: out }, per: release, if: { outcome: rolled-back }, text: Taken back. }";
    let corrected = members(&["al", "bea"]).replace("It is out. }", &format!("It is out. }}, {undo}"));
    let world = again(world, &corrected);
    let dispatcher = world.dispatcher();
    everywhere(&dispatcher, Outcome::RolledBack).await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(addresses(&mail.seen())[2..], ["al@demo.example", "bea@demo.example"]);
    let report = dispatcher.report().await.unwrap();
    let undo = |who| person(&report, who).deliveries.iter().find(|d| d.communique == "undo").map(|d| d.class);
    assert_eq!([undo("al"), undo("bea")], [Some(Class::Informed); 2], "{}", report.to_text());
}

#[tokio::test(start_paused = true)]
async fn what_people_heard_stays_in_the_report_whatever_becomes_of_the_plan() {
    let body = |members: &str, more: &str| {
        format!(
            "groups: {{ staff: {{ members: [{members}], via: email }} }}
communiques: {{ out: {{ to: staff, per: release, text: It is out. }}{more} }}
"
        )
    };
    let al = "{ id: al, email: al@demo.example }";
    let bea = "{ id: bea, email: bea@demo.example, opted_out: false }, { id: cy, email: cy@demo.example }";
    let mail = ScriptedChannel::new("smtp");
    let more = ", more: { to: staff, per: release, text: There is more. }";
    let world = World::by_email(&body(&format!("{al}, {bea}"), more), &mail);
    let dispatcher = declared(&world).await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(mail.seen().len(), 6);

    // Bea wants no more, Cy has left, and the second communique is struck out.
    let bea = "{ id: bea, email: bea@demo.example, opted_out: true }";
    let world = again(world, &body(&format!("{al}, {bea}"), ""));
    let dispatcher = world.dispatcher();
    assert!(finish(&dispatcher).await.is_done());
    let report = dispatcher.report().await.unwrap();
    for who in ["al", "bea", "cy"] {
        let told: Vec<(&str, Class, Option<&str>)> = person(&report, who)
            .deliveries
            .iter()
            .map(|d| (d.communique.as_str(), d.class, d.mechanism.as_ref().map(Mechanism::as_str)))
            .collect();
        assert_eq!(told, [("out", Class::Informed, Some("email"))], "{who}");
        assert_eq!(person(&report, who).deliveries[0].attempts.len(), 1, "{who}");
    }
    let text = report.to_text();
    assert!(text.contains("out, and no longer in the plan:\n  more: 3 of 3 taken over"), "{text}");
    assert!(!text.contains("opted out of"), "{text}");
    assert!(report.to_markdown().contains("## Out, and no longer in the plan\n\n- more: 3 of 3 taken over"));
}

#[tokio::test(start_paused = true)]
async fn what_was_declared_is_known_of_a_communique_that_the_plan_did_not_have_then() {
    let mail = ScriptedChannel::new("smtp");
    let world = World::by_email(&members(&["al"]), &mail);
    let dispatcher = declared(&world).await;
    assert!(finish(&dispatcher).await.is_done());
    let more = members(&["al"]).replace("It is out. }", "It is out. }, more: { to: staff, per: release, text: More. }");
    let world = again(world, &more);
    let dispatcher = world.dispatcher();
    let standing = dispatcher.standing().await.unwrap();
    let waits: Vec<_> = standing.pending.iter().map(|p| (p.gate.as_str(), p.waiting_for.as_str())).collect();
    assert_eq!(waits, [("more", "the next dispatch")]);
    assert_eq!(standing.next_due, Some(world.clock_now()));
}

#[tokio::test(start_paused = true)]
async fn whoever_was_told_a_planned_time_hears_of_another_by_a_slip_alone() {
    let body = |day: &str| {
        let plan = RELEASE.replace("2027-05-12T07:00Z", day);
        format!(
            "{plan}groups: {{ staff: {{ members: [{{ id: al, email: al@demo.example }}], via: email }} }}
communiques:
  soon: {{ to: staff, at: planned -200d, on_slip: correct, per: release, text: \"On {{{{ release.when.planned }}}}\" }}
  live: {{ to: staff, per: release, text: It is out. }}
"
        )
    };
    let mail = ScriptedChannel::new("smtp");
    let world = World::by_email(&body("2027-05-12T07:00Z"), &mail);
    let dispatcher = world.dispatcher();
    dispatcher.step().await.unwrap();
    assert_eq!(mail.seen().len(), 1);

    // Somebody edits the plan in place of saying that it slips.
    let world = again(world, &body("2027-06-20T07:00Z"));
    let refused = world.dispatcher().run().await.unwrap_err().to_string();
    assert!(refused.contains("`soon` has told 2027-05-12T07:00:00Z: leave it as it was"), "{refused}");
    // They say it, and that the plan says the same does no harm.
    let dispatcher = world.dispatcher();
    let june = Some(at("2027-06-20T07:00:00Z"));
    assert!(dispatcher.slip(june, "ada", None).await.unwrap());
    dispatcher.step().await.unwrap();
    assert_eq!(mail.seen().len(), 2, "they hear that it moved");
    assert!(dispatcher.slip(Some(at("2027-07-01T07:00:00Z")), "ada", None).await.unwrap());
    dispatcher.step().await.unwrap();
    let report = dispatcher.report().await.unwrap();
    let told: Vec<_> = person(&report, "al").deliveries.iter().filter_map(|d| d.planned.as_deref()).collect();
    assert_eq!(told, ["2027-05-12T07:00:00Z", "2027-06-20T07:00:00Z", "2027-07-01T07:00:00Z"], "{}", report.to_text());
}

#[tokio::test(start_paused = true)]
async fn a_dispatcher_sends_nothing_as_it_was_once_the_plan_is_dispatched_otherwise() {
    let mail = ScriptedChannel::new("smtp");
    let world = World::by_email(&members(&["al"]), &mail);
    let old = world.dispatcher();
    old.step().await.unwrap();
    let mut options = world.options.clone();
    options.poll = Some(MINUTE);
    let waits = tokio::spawn({
        let old = old.clone().options(options);
        async move { old.run().await }
    });
    world.pass(MINUTE * 3).await;

    let world = again(world, &members(&["al"]).replace("It is out.", "It is really out."));
    let dispatcher = world.dispatcher();
    dispatcher.step().await.unwrap();
    everywhere(&dispatcher, Outcome::Success).await;
    let ended = waits.await.unwrap();
    assert!(matches!(&ended, Err(DispatchError::Refused(_))), "{ended:?}");
    assert!(mail.seen().is_empty());
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(mail.seen()[0].text.part("text"), "It is really out.");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_handed_words_that_nobody_approved() {
    let body = |words: &str| {
        format!(
            "{}approvals: {{ roles: {{ owner: mia@demo.example }}, need: owner }}\n",
            one("phone", "phone: '+420 222 333 444'").replace("It is out.", words)
        )
    };
    let phone = by_phone();
    let world = World::new(&body("It is out."), scripted([("phone", &phone)]));
    let dispatcher = world.dispatcher();
    dispatcher.approve(&Role::new("owner").unwrap(), "mia", None, false, None).await.unwrap();
    everywhere(&dispatcher, Outcome::Success).await;
    dispatcher.step().await.unwrap();
    assert_eq!(dispatcher.tasks().await.unwrap().len(), 1);

    let world = again(world, &body("Never approved."));
    let dispatcher = world.dispatcher();
    assert!(dispatcher.tasks().await.unwrap().is_empty());
    assert!(dispatcher.standing().await.unwrap().lacks_consent());
}

fn told_by(channel: &ScriptedChannel) -> usize {
    channel.seen().len()
}

#[tokio::test(start_paused = true)]
async fn a_post_that_came_with_the_plan_is_made_for_whoever_nobody_could_reach() {
    let mail = ScriptedChannel::new("smtp").answering(|_, _| Answer::Refuse);
    let site = ScriptedChannel::new("site").once();
    let world = World::new(&one("email", "email: al@demo.example"), scripted([("email", &mail), ("website", &site)]));
    let dispatcher = declared(&world).await;
    assert!(finish(&dispatcher).await.is_done());
    let world = again(world, &one("website", "email: al@demo.example"));
    let dispatcher = world.dispatcher();
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!((told_by(&mail), told_by(&site)), (1, 1));
    assert_eq!(person(&dispatcher.report().await.unwrap(), "al").class, Class::Informed);
}

#[tokio::test(start_paused = true)]
async fn nobody_gets_what_was_meant_for_whoever_is_reached_in_their_place() {
    let body = |second: &str| {
        format!(
            "groups: {{ staff: {{ members: [{{ id: sam, email: sam@demo.example, pager: sam-pager }}], via: [email, {second}] }} }}
approvals: {{ roles: {{ duty: dee@demo.example }} }}
communiques: {{ out: {{ to: staff, per: release, text: It is out. }} }}
"
        )
    };
    let mail = ScriptedChannel::new("smtp").answering(|address, _| match address {
        "dee@demo.example" => Answer::Defer(Some(HOUR)),
        _ => Answer::Accept(Assurance::Accepted),
    });
    let pager = ScriptedChannel::new("pager");
    let channels = scripted([("email", &mail), ("pager", &pager)]);
    let world = World::new(&body("{ via: email, to: duty, unless: delivered, within: 1m }"), channels);
    let dispatcher = declared(&world).await;
    dispatcher.step().await.unwrap();
    world.pass(MINUTE * 2).await;
    dispatcher.step().await.unwrap();
    assert_eq!(addresses(&mail.seen()), ["sam@demo.example", "dee@demo.example"]);
    let world = again(world, &body("{ via: pager, unless: delivered, within: 1m }"));
    world.pass(HOUR * 2).await;
    world.dispatcher().step().await.unwrap();
    assert_eq!(mail.seen().len(), 2, "{:?}", addresses(&mail.seen()));
    assert_eq!(told_by(&pager), 1);
}

#[tokio::test(start_paused = true)]
async fn whoever_is_informed_is_left_alone_when_one_of_several_steps_at_once_goes() {
    let mail = ScriptedChannel::new("smtp");
    let site = ScriptedChannel::new("site").once().answering(|_, _| Answer::Defer(Some(HOUR)));
    let text = ScriptedChannel::new("sms");
    let channels = scripted([("email", &mail), ("website", &site), ("text", &text)]);
    let address = "email: al@demo.example, text: '+420 222 333 444'";
    for fallback in ["", ", text"] {
        let world = World::new(&one(&format!("[{{ all: [email, website] }}{fallback}]"), address), channels.clone());
        let (mails, texts) = (told_by(&mail), told_by(&text));
        let dispatcher = declared(&world).await;
        dispatcher.step().await.unwrap();
        let world = again(world, &one(&format!("[email{fallback}]"), address));
        let dispatcher = world.dispatcher();
        assert!(finish(&dispatcher).await.is_done(), "{fallback}");
        assert_eq!((told_by(&mail) - mails, told_by(&text) - texts), (1, 0), "{fallback}");
        assert_eq!(dispatcher.report().await.unwrap().verdict, Verdict::Informed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_step_that_comes_back_is_not_begun_beside_one_that_told() {
    let mail = ScriptedChannel::new("smtp").answering(|_, _| Answer::Defer(Some(HOUR)));
    let (text, pager) = (ScriptedChannel::new("sms"), ScriptedChannel::new("pager"));
    let acknowledged = |can: Capabilities| Capabilities::new(can.addressing, Assurance::Acknowledged);
    let text = text.capabilities(acknowledged);
    let pager = pager.capabilities(acknowledged);
    let channels = scripted([("email", &mail), ("text", &text), ("pager", &pager)]);
    let body = |via: &str| {
        one(via, "email: al@demo.example, text: '+420 222 333 444', pager: al-pager")
            .replace("via:", "informed_when: acknowledged, via:")
    };
    let world = World::new(&body("[email, pager]"), channels);
    let dispatcher = declared(&world).await;
    dispatcher.step().await.unwrap();
    let world = again(world, &body("[text, pager]"));
    world.dispatcher().step().await.unwrap();
    assert_eq!(told_by(&text), 1);
    let world = again(world, &body("[email, pager]"));
    world.pass(HOUR * 3).await;
    world.dispatcher().step().await.unwrap();
    assert_eq!((told_by(&mail), told_by(&pager)), (1, 0), "they were told, and may acknowledge");
}

#[tokio::test(start_paused = true)]
async fn a_correction_goes_by_what_told_them_whatever_stood_there_before() {
    let mail = ScriptedChannel::new("smtp").answering(|_, _| Answer::Refuse);
    let text = ScriptedChannel::new("sms").answering(|_, _| Answer::Refuse);
    let pager = ScriptedChannel::new("pager");
    let channels = scripted([("email", &mail), ("text", &text), ("pager", &pager)]);
    let undo = "undo: { to: { told: out }, per: release, if: { outcome: rolled-back }, via: { as_told: true }, text: Taken back. }";
    let body = |via: &str| {
        one(via, "email: al@demo.example, text: '+420 222 333 444', pager: al-pager")
            .replace("It is out. }", &format!("It is out. }}, {undo}"))
    };
    let world = World::new(&body("[email, text]"), channels);
    let dispatcher = declared(&world).await;
    assert!(finish(&dispatcher).await.is_done());
    let world = again(world, &body("[email, pager]"));
    let dispatcher = world.dispatcher();
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(told_by(&pager), 1);
    everywhere(&dispatcher, Outcome::RolledBack).await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!((told_by(&mail), told_by(&text), told_by(&pager)), (1, 1, 2));
}
