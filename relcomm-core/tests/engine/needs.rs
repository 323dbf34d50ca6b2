//! A place is declared only after those were told whom it needs to know.

use crate::support::{HOUR, World, at, attest, live, said};
use relcomm_core::id::CommuniqueId;
use relcomm_core::release::Outcome;
use relcomm_testkit::channel::ScriptedChannel;

fn plan(needs: &str) -> String {
    let head = crate::support::RELEASE
        .replace("where: { eu: {}, us: {} }", &format!("where: {{ eu: {{ needs: {needs} }}, us: {{}} }}"));
    format!(
        "{head}
groups:
  desk: {{ members: [{{ id: al, email: al@demo.example, place: eu }}, {{ id: bea, email: bea@demo.example, place: us }}], via: email, informed_when: acknowledged }}
communiques:
  soon: {{ to: desk, per: place, at: 2027-05-12T06:30Z, text: Soon. }}
  live: {{ to: desk, per: place, text: Live. }}
"
    )
}

#[tokio::test(start_paused = true)]
async fn begun_and_success_are_refused_until_it_is_met_and_what_went_wrong_never_is() {
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(&plan("soon informed"), &email);
    let dispatcher = world.dispatcher();
    dispatcher.step().await.unwrap();
    let before = world.entries().await;
    for outcome in [Outcome::Begun, Outcome::Success] {
        let refused = dispatcher.declare(&said("eu", outcome)).await.unwrap_err().to_string();
        let line = format!("eu needs soon informed before it can be declared {outcome}: that is not so yet");
        assert_eq!(refused, line);
    }
    assert_eq!(world.entries().await, before, "the journal is as it was");
    assert!(dispatcher.declare(&live("us")).await.unwrap(), "us needs nothing");
    assert!(dispatcher.declare(&said("eu", Outcome::Failure)).await.unwrap());
    world.clock_until(at("2027-05-12T06:30:00Z")).await;
    dispatcher.step().await.unwrap();
    attest(&dispatcher, "soon", "bea", true).await;
    assert!(dispatcher.declare(&live("eu")).await.unwrap_err().to_string().ends_with("not so yet"), "bea is of us");
    attest(&dispatcher, "soon", "al", false).await;
    let refused = dispatcher.declare(&live("eu")).await.unwrap_err().to_string();
    assert!(refused.ends_with("that is not so, and cannot be as things stand"), "{refused}");
    attest(&dispatcher, "soon", "al", true).await;
    assert!(dispatcher.declare(&live("eu")).await.unwrap());
    assert!(dispatcher.declare(&said("eu", Outcome::RolledBack)).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_share_and_every_occurrence_count() {
    let email = ScriptedChannel::new("smtp");
    let text = plan("soon any accepted").replace(
        "soon: { to: desk, per: place, at: 2027-05-12T06:30Z,",
        "soon: { to: desk, per: place, occurrences: { one: 2027-05-12T06:10Z, two: 2027-05-12T07:10Z },",
    );
    let text = text.replace("place: us", "place: eu");
    let world = World::by_email(&text, &email);
    let dispatcher = world.dispatcher();
    world.pass(HOUR).await;
    dispatcher.step().await.unwrap();
    assert_eq!(email.seen().len(), 2);
    let refused = dispatcher.declare(&live("eu")).await.unwrap_err().to_string();
    assert_eq!(refused, "eu needs soon any accepted before it can be declared success: that is not so yet");
    world.pass(HOUR).await;
    dispatcher.step().await.unwrap();
    assert!(dispatcher.declare(&live("eu")).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn what_says_another_time_is_not_needed_where_nobody_has_called_for_it() {
    let email = ScriptedChannel::new("smtp");
    let at_planned = "soon: { to: desk, per: place, at: planned -30m, on_slip: correct,";
    let text = plan("soon accepted").replace("soon: { to: desk, per: place, at: 2027-05-12T06:30Z,", at_planned);
    let world = World::by_email(&text, &email);
    let dispatcher = world.dispatcher();
    // Nothing is out yet, so that nobody is told of it.
    dispatcher.slip(Some(world.clock_now() + HOUR * 2), "ada", None).await.unwrap();
    world.pass(HOUR * 2).await;
    dispatcher.step().await.unwrap();
    dispatcher.cancel(Some(&CommuniqueId::new("soon").unwrap()), "ada", None).await.unwrap();
    assert!(dispatcher.declare(&live("eu")).await.unwrap());
}
