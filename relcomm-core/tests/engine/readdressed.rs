//! Where a correction goes when the plan was prepared again after a communique had opened.

use crate::support::{
    HOUR, MINUTE, World, addresses, again, attest, declared, everywhere, finish, person, said, scripted,
};
use relcomm_core::dispatch::{DispatchOptions, Dispatcher};
use relcomm_core::id::{LaneNo, StakeholderId};
use relcomm_core::journal::{Entrant, Journal, Want};
use relcomm_core::receipt::Assurance;
use relcomm_core::release::Outcome;
use relcomm_core::report::Class;
use relcomm_testkit::channel::{Answer, ScriptedChannel};
use tokio_util::sync::CancellationToken;

const UNDO: &str = "undo: { to: { told: out }, per: release, if: { outcome: rolled-back }, via: { as_told: true }, text: Taken back. }";

fn plan(members: &[(&str, &str)], more: &str) -> String {
    let members: Vec<_> = members.iter().map(|(id, email)| format!("{{ id: {id}, email: {email} }}")).collect();
    format!(
        "groups: {{ staff: {{ members: [{}] }} }}
communiques: {{ out: {{ to: staff, via: email, per: release, text: It is out. }}, {more} }}
",
        members.join(", ")
    )
}

/// Everybody stands in the record, and nobody is told yet.
async fn entered(dispatcher: &Dispatcher) {
    let mut stopped = DispatchOptions::default();
    stopped.cancellation = CancellationToken::new();
    stopped.cancellation.cancel();
    dispatcher.clone().options(stopped).step().await.unwrap();
}

/// Where the correction went.
async fn taken_back(world: &World, mail: &ScriptedChannel) -> Vec<String> {
    let dispatcher = world.dispatcher();
    everywhere(&dispatcher, Outcome::RolledBack).await;
    assert!(finish(&dispatcher).await.is_done());
    let back: Vec<_> = mail.seen().into_iter().filter(|seen| seen.text.part("text").contains("Taken back.")).collect();
    let mut told: Vec<_> = addresses(&back).into_iter().map(ToOwned::to_owned).collect();
    told.sort_unstable();
    told
}

#[tokio::test(start_paused = true)]
async fn a_correction_goes_where_they_were_told_if_their_address_was_mended_before() {
    let mail = ScriptedChannel::new("smtp");
    let world = World::by_email(&plan(&[("al", "al@typo.example"), ("bea", "bea@demo.example")], UNDO), &mail);
    let dispatcher = declared(&world).await;
    entered(&dispatcher).await;
    assert_eq!(mail.seen().len(), 0);
    let world = again(world, &plan(&[("al", "al@demo.example"), ("bea", "bea@demo.example")], UNDO));
    assert!(finish(&world.dispatcher()).await.is_done());
    assert_eq!(addresses(&mail.seen()), ["al@demo.example", "bea@demo.example"]);
    // Whatever becomes of them in the data afterwards, and however often anybody dispatches.
    let world = again(world, &plan(&[("al", "al@new.example")], UNDO));
    assert!(finish(&world.dispatcher()).await.is_done());
    assert_eq!(taken_back(&world, &mail).await, ["al@demo.example", "bea@demo.example"]);
}

#[tokio::test(start_paused = true)]
async fn whoever_was_told_and_has_left_is_corrected_although_the_plan_had_no_correction_then() {
    let mail = ScriptedChannel::new("smtp");
    let world = World::by_email(&plan(&[("al", "al@demo.example"), ("bea", "bea@demo.example")], ""), &mail);
    assert!(finish(&declared(&world).await).await.is_done());
    let world = again(world, &plan(&[("al", "al@demo.example"), ("bea", "bea@demo.example")], UNDO));
    assert!(finish(&world.dispatcher()).await.is_done());
    // As if that had been stopped before it had come to the last.
    let out = world.journal.gates().await.unwrap().into_iter().find(|row| row.id.to_string() == "out").unwrap();
    let bea = Entrant::new(Some(StakeholderId::new("bea").unwrap()));
    world.journal.keep(out.no, vec![(1, bea)]).await.unwrap();
    assert_eq!(world.journal.kept(out.no, 0, 9).await.unwrap().len(), 1);
    assert!(finish(&world.dispatcher()).await.is_done());
    let world = again(world, &plan(&[("bea", "bea@new.example")], UNDO));
    assert_eq!(taken_back(&world, &mail).await, ["al@demo.example", "bea@demo.example"]);
    let report = world.dispatcher().report().await.unwrap();
    let undo = |who| person(&report, who).deliveries.iter().find(|d| d.communique == "undo").map(|d| d.class);
    assert_eq!([undo("al"), undo("bea")], [Some(Class::Informed); 2], "{}", report.to_text());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_kept_anew_of_whoever_was_erased() {
    let mail = ScriptedChannel::new("smtp");
    let members = [("al", "al@demo.example"), ("bea", "bea@demo.example")];
    let world = World::by_email(&plan(&members, ""), &mail);
    let dispatcher = declared(&world).await;
    assert!(finish(&dispatcher).await.is_done());
    assert!(dispatcher.erase(&StakeholderId::new("al").unwrap(), "ada").await.unwrap());
    let world = again(world, &plan(&members, UNDO));
    let dispatcher = world.dispatcher();
    dispatcher.declare(&said("eu", Outcome::Success)).await.unwrap();
    assert!(finish(&dispatcher).await.is_done());
    let gate = world.journal.gates().await.unwrap().into_iter().find(|row| row.id.to_string() == "out").unwrap();
    let kept = world.journal.kept(gate.no, 0, 99).await.unwrap();
    assert_eq!(kept.len(), 1);
    assert!(kept[0].1.contains("bea@demo.example"));
    assert_eq!(taken_back(&world, &mail).await, ["bea@demo.example"]);
}

#[tokio::test(start_paused = true)]
async fn whoever_was_told_elsewhere_after_it_came_back_is_corrected_there() {
    let mail = ScriptedChannel::new("smtp");
    let world = World::by_email(&plan(&[("al", "al@old.example"), ("bea", "bea@demo.example")], UNDO), &mail);
    assert!(finish(&declared(&world).await).await.is_done());
    let world = again(world, &plan(&[("al", "al@demo.example"), ("bea", "bea@new.example")], UNDO));
    let dispatcher = world.dispatcher();
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(attest(&dispatcher, "out", "al", false).await, 1);
    assert_eq!(dispatcher.retry(None, None, "ada", None).await.unwrap(), 1);
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(addresses(&mail.seen())[2..], ["al@demo.example"]);
    let world = again(world, &plan(&[("bea", "bea@new.example")], UNDO));
    assert_eq!(taken_back(&world, &mail).await, ["al@demo.example", "bea@demo.example"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_under_way_and_is_tried_again_elsewhere_is_corrected_there() {
    let resent = |al: &str| format!("indeterminate: resend\n{}", plan(&[("al", al)], UNDO));
    let mail = ScriptedChannel::new("smtp");
    let world = World::by_email(&resent("al@typo.example"), &mail);
    let dispatcher = declared(&world).await;
    entered(&dispatcher).await;
    // Whoever dispatched it died while it flew.
    let session = world.journal.begin(MINUTE).await.unwrap();
    let out = world.journal.gates().await.unwrap().into_iter().find(|row| row.id.to_string() == "out").unwrap();
    let want = Want::new(out.no, LaneNo(0), 9);
    assert_eq!(world.journal.lease(session, &[want], world.clock_now()).await.unwrap().len(), 1);
    world.journal.end(session).await.unwrap();
    let world = again(world, &resent("al@demo.example"));
    assert!(finish(&world.dispatcher()).await.is_done());
    assert_eq!(addresses(&mail.seen()), ["al@demo.example"]);
    let world = again(world, &resent("al@new.example"));
    assert_eq!(taken_back(&world, &mail).await, ["al@demo.example"]);
}

#[tokio::test(start_paused = true)]
async fn a_post_that_came_last_does_not_hide_that_of_the_others_nothing_is_kept() {
    let body = |members: &str, via: &str, more: &str| {
        format!(
            "groups: {{ staff: {{ members: [{members}] }} }}
communiques: {{ out: {{ to: staff, via: {via}, per: release, text: It is out. }}, {more} }}
"
        )
    };
    let al = "{ id: al, email: al@demo.example }";
    let both = format!("{al}, {{ id: bob, email: bob@demo.example }}");
    let mail = ScriptedChannel::new("smtp").answering(|address, _| match address.starts_with("bob") {
        true => Answer::Refuse,
        false => Answer::Accept(Assurance::Accepted),
    });
    let site = ScriptedChannel::new("site").once();
    let world = World::new(&body(&both, "email", ""), scripted([("email", &mail), ("website", &site)]));
    assert!(finish(&declared(&world).await).await.is_done());
    let moved = al.replace("al@demo", "al@new");
    let mut world = world;
    for (members, more) in [(&both, ""), (&both, UNDO), (&moved, UNDO)] {
        world = again(world, &body(members, "[email, website]", more));
        assert!(finish(&world.dispatcher()).await.is_done());
    }
    assert_eq!(site.seen().len(), 1);
    assert_eq!(taken_back(&world, &mail).await, ["al@demo.example"]);
}

#[tokio::test(start_paused = true)]
async fn by_what_they_have_heard_they_are_corrected_where_they_were_and_by_another_where_they_are() {
    let body = |email: &str, pager: &str| {
        format!(
            "groups: {{ staff: {{ members: [{{ id: al, email: {email}, pager: {pager} }}] }} }}
communiques:
  out: {{ to: staff, via: [email, {{ via: pager, unless: acknowledged, within: 1h }}], per: release, text: It is out. }}
  {UNDO}
"
        )
    };
    let proving = |sure| ScriptedChannel::new("x").answering(move |_, _| Answer::Accept(sure));
    for (by_pager, corrected) in
        [(Assurance::Accepted, ["al@old.example"].as_slice()), (Assurance::Acknowledged, ["al-new"].as_slice())]
    {
        let (mail, pager) = (proving(Assurance::Accepted), proving(by_pager));
        let world = World::new(&body("al@old.example", "al-old"), scripted([("email", &mail), ("pager", &pager)]));
        declared(&world).await.step().await.unwrap();
        let world = again(world, &body("al@new.example", "al-new"));
        world.pass(HOUR * 2).await;
        world.dispatcher().step().await.unwrap();
        assert_eq!((addresses(&mail.seen()), addresses(&pager.seen())), (vec!["al@old.example"], vec!["al-new"]));
        let world = again(world, &body("al@newer.example", "al-newer"));
        everywhere(&world.dispatcher(), Outcome::RolledBack).await;
        world.dispatcher().step().await.unwrap();
        let back: Vec<_> = mail.seen().into_iter().skip(1).chain(pager.seen().into_iter().skip(1)).collect();
        assert_eq!(addresses(&back), corrected);
    }
}
