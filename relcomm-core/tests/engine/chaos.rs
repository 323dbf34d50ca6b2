//! The engine under channels that answer by chance: whatever they do, nobody is lost, nothing is doubled, and the record is whole.

use crate::support::{DAY, World, finish, live, scripted};
use relcomm_core::report::Class;
use relcomm_testkit::channel::{Chaos, ScriptedChannel};
use relcomm_testkit::journal::assert_is_the_fold;
use std::collections::BTreeMap;

const PLAN: &str = "
groups:
  staff:
    members:
      - { id: al, email: al@demo.example, pager: al-pager }
      - { id: bea, email: bea@demo.example, pager: bea-pager }
      - { id: cy, email: cy@demo.example, pager: cy-pager }
      - { id: dee, email: dee@demo.example, pager: dee-pager }
      - { id: eve, email: eve@demo.example, pager: eve-pager }
    via: [email, pager]
communiques:
  out: { to: staff, per: place, text: Out. }
  after: { to: staff, via: email, per: place, after: out settled, text: After. }
";

/// One run under this chaos, and what must be true at its end. Returns how often somebody was tried once more.
async fn run_under(chaos: Chaos) -> usize {
    let seed = chaos.seed();
    let email = ScriptedChannel::new("smtp").by_key().chaotic(chaos.clone());
    let pager = ScriptedChannel::new("pager").by_lookup().chaotic(chaos);
    let world = World::new(PLAN, scripted([("email", &email), ("pager", &pager)]));
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    dispatcher.declare(&live("us")).await.unwrap();
    finish(&dispatcher).await;
    world.pass(DAY).await;
    finish(&dispatcher).await;
    // Whoever was told or may have been is not told again by that.
    let mut retried = 0;
    for _ in 0..3 {
        retried += dispatcher.retry(None, None, "ada", None).await.unwrap();
        finish(&dispatcher).await;
    }

    let mut copies: BTreeMap<_, usize> = BTreeMap::new();
    for seen in email.arrived().iter().chain(&pager.arrived()) {
        *copies.entry((seen.key, seen.address.clone())).or_default() += 1;
    }
    assert!(copies.values().all(|n| *n == 1), "seed {seed}: doubled: {copies:?}");
    let report = dispatcher.report().await.unwrap();
    for person in &report.people {
        let has = |delivery: &relcomm_core::report::DeliveryReport| {
            let word = if delivery.communique == "out" { "Out." } else { "After." };
            let own = |address: &str| address.starts_with(&person.id);
            email
                .arrived()
                .iter()
                .chain(&pager.arrived())
                .any(|s| own(&s.address) && s.text.part("text").contains(word))
        };
        for delivery in &person.deliveries {
            assert!(delivery.class != Class::Informed || has(delivery), "seed {seed}: {} has nothing", person.id);
        }
    }
    assert_is_the_fold(&world.journal, &["@demo", "-pager", "ada"]).await;
    retried
}

#[tokio::test(start_paused = true)]
async fn chance_loses_nobody_and_doubles_nothing() {
    let mut retried = 0;
    for seed in 0..40 {
        retried += run_under(Chaos::seeded(seed)).await;
    }
    assert!(retried > 5, "{retried}: too few to show anything");
    run_under(Chaos::new()).await;
}
