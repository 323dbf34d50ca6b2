//! Where a correction goes when the plan was prepared again after a communique had opened.

use crate::support::{World, addresses, again, declared, everywhere, finish, person, said};
use relcomm_core::dispatch::{DispatchOptions, Dispatcher};
use relcomm_core::id::StakeholderId;
use relcomm_core::journal::{Entrant, Journal};
use relcomm_core::release::Outcome;
use relcomm_core::report::Class;
use relcomm_testkit::channel::ScriptedChannel;
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
