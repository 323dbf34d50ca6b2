//! Erasing a person: what names them goes, what happened stays, and nothing more goes out to them.

use crate::support::{HOUR, World, live, scripted};
use relcomm_core::dispatch::{Attestation, DispatchError, Dispatcher, Whom};
use relcomm_core::id::{CommuniqueId, StakeholderId};
use relcomm_core::journal::{Folded, Journal, Unmatched};
use relcomm_core::receipt::{Assurance, ReceiptKind};
use relcomm_core::report::Class;
use relcomm_testkit::channel::{Answer, ScriptedChannel};

const PLAN: &str = "
groups:
  all:
    members:
      - { id: ann, email: ann@demo.example, phone: '+41445550101' }
      - { id: bob, email: bob@demo.example, phone: '+41445550102' }
      - { id: cyd, email: cyd@demo.example, phone: '+41445550103' }
    via: [email, { via: phone, unless: acknowledged, within: 1h }]
communiques: { live: { to: all, per: release } }
";

fn id(id: &str) -> StakeholderId {
    StakeholderId::new(id).unwrap()
}

async fn told() -> (World, Dispatcher, ScriptedChannel) {
    let email = ScriptedChannel::new("smtp").answering(|address, _| match address {
        "cyd@demo.example" => Answer::Refuse,
        _ => Answer::Accept(Assurance::Accepted),
    });
    let phone = ScriptedChannel::new("pbx");
    let world = World::new(PLAN, scripted([("email", &email), ("phone", &phone)]));
    let dispatcher = world.dispatcher();
    for place in ["eu", "us"] {
        dispatcher.declare(&live(place)).await.unwrap();
    }
    dispatcher.step().await.unwrap();
    let word = Attestation::done(CommuniqueId::new("live").unwrap(), Whom::Person(id("bob")), "ada");
    dispatcher.attest(&word.note(Some("bob called back".into()))).await.unwrap();
    (world, dispatcher, phone)
}

/// All that the record holds beside and in its entries.
async fn all_of(world: &World) -> String {
    let entries = world.entries().await;
    let notes = world.journal.notes(0, u64::MAX).await.unwrap();
    let mut rows = Vec::new();
    for gate in world.journal.gates().await.unwrap() {
        rows.extend(world.journal.scan(gate.no, 0, usize::MAX).await.unwrap());
    }
    let who: Vec<_> = rows.iter().filter_map(|row| row.who.as_ref().map(|who| who.as_str().to_owned())).collect();
    serde_json::to_string(&(entries, notes, who)).unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_names_a_person_goes_and_what_happened_stays() {
    let (world, dispatcher, _) = told().await;
    let before = dispatcher.report().await.unwrap();
    assert!(all_of(&world).await.contains("bob"));
    assert!(dispatcher.erase(&id("bob"), "ada").await.unwrap());
    assert!(!dispatcher.erase(&id("bob"), "ada").await.unwrap(), "already erased");
    assert!(!all_of(&world).await.contains("bob"), "{}", all_of(&world).await);

    let after = dispatcher.report().await.unwrap();
    assert_eq!((&after.totals, after.verdict), (&before.totals, before.verdict));
    assert!(!after.to_json().contains("bob") && !after.to_text().contains("bob"), "{}", after.to_json());
    let (was, is) = (&before.people[1], &after.people[1]);
    assert_eq!(
        (is.id.as_str(), is.class, is.deliveries[0].assurance),
        ("#erased-1", was.class, was.deliveries[0].assurance)
    );
    assert_eq!(is.class, Class::Informed);
    assert_eq!(after.groups, before.groups);

    let mut folded = Folded::default();
    world.entries().await.iter().for_each(|entry| folded.take(entry));
    assert_eq!(folded.differs(&world.journal).await.unwrap(), None, "the audit passes");
}

#[tokio::test(start_paused = true)]
async fn nothing_more_goes_out_to_them() {
    let (world, dispatcher, phone) = told().await;
    let running = async |world: &World| world.journal.gates().await.unwrap()[0].tally.running;
    let before = running(&world).await;
    assert!(dispatcher.erase(&id("ann"), "ada").await.unwrap());
    assert_eq!(running(&world).await, before - 1, "nothing of hers is waited for");
    world.pass(HOUR * 2).await;
    dispatcher.step().await.unwrap();
    // Cyd's mail was refused; Ann would have been called after an hour.
    let called: Vec<_> = phone.seen().iter().map(|s| s.address.clone()).collect();
    assert_eq!(called, ["+41445550103"]);
    let all = all_of(&world).await.replace("planned", "");
    assert!(!all.contains("ann"), "{all}");
}

#[tokio::test(start_paused = true)]
async fn who_is_erased_is_a_person_of_no_group_among_other_people() {
    let (mut world, dispatcher, _) = told().await;
    assert!(dispatcher.erase(&id("bob"), "ada").await.unwrap());
    let without = PLAN.replace(
        "      - { id: bob, email: bob@demo.example, phone: '+41445550102' }\n",
        "      - { id: dan, email: dan@demo.example, phone: '+41445550104' }\n",
    );
    world.prepared = crate::support::plan(&without, &world.channels);
    let report = world.dispatcher().report().await.unwrap();
    let people: Vec<_> = report.people.iter().map(|p| p.id.as_str()).collect();
    assert_eq!(people, ["ann", "dan", "cyd", "#erased-1"]);
    let erased = &report.people[3];
    assert_eq!((erased.class, erased.deliveries[0].assurance), (Class::Informed, Some(Assurance::Acknowledged)));
    assert_eq!(report.totals.people, 4);
}

#[tokio::test(start_paused = true)]
async fn who_is_erased_once_others_have_left_is_nobody_else() {
    let (mut world, _, _) = told().await;
    let ann = "      - { id: ann, email: ann@demo.example, phone: '+41445550101' }\n";
    world.prepared = crate::support::plan(&PLAN.replace(ann, ""), &world.channels);
    let dispatcher = world.dispatcher();
    assert!(dispatcher.erase(&id("bob"), "ada").await.unwrap());
    assert!(!dispatcher.erase(&id("bob"), "ada").await.unwrap(), "already erased");
    assert!(dispatcher.erase(&id("cyd"), "ada").await.unwrap(), "who stands now where Bob stood is not erased");
    let report = dispatcher.report().await.unwrap();
    let people: Vec<_> = report.people.iter().map(|p| (p.id.as_str(), p.class)).collect();
    assert_eq!(people, [("#erased-1", Class::Informed), ("#erased-2", Class::Informed)]);
}

#[tokio::test(start_paused = true)]
async fn a_raw_receipt_that_holds_an_address_of_whoever_has_left_is_emptied() {
    let undo = "  undo: { to: { told: live }, per: release, if: { outcome: rolled-back }, text: Taken back. }";
    let plan = PLAN
        .replace("communiques: {", "communiques:\n ")
        .replace("per: release } }", &format!("per: release }}\n{undo}"));
    let (mail, phone) = (ScriptedChannel::new("smtp"), ScriptedChannel::new("pbx"));
    let mut world = World::new(&plan, scripted([("email", &mail), ("phone", &phone)]));
    for place in ["eu", "us"] {
        world.dispatcher().declare(&live(place)).await.unwrap();
    }
    world.dispatcher().step().await.unwrap();
    let raw = |whose: &str| format!("The mailbox <{whose}@demo.example> is full.").into_bytes();
    let receipt = |whose: &str| Unmatched::new(whose, ReceiptKind::Dsn, None, raw(whose));
    world.journal.keep_unmatched(vec![receipt("Bob"), receipt("cyd")]).await.unwrap();
    let bob = "      - { id: bob, email: bob@demo.example, phone: '+41445550102' }\n";
    world.prepared = crate::support::plan(&plan.replace(bob, ""), &world.channels);
    assert!(world.dispatcher().erase(&id("bob"), "ada").await.unwrap());
    let left: Vec<_> = world.journal.unmatched().await.unwrap().into_iter().map(|receipt| receipt.raw).collect();
    assert_eq!(left, [vec![], raw("cyd")]);
}

#[tokio::test(start_paused = true)]
async fn whoever_is_unknown_is_refused_and_nothing_changes() {
    let (world, dispatcher, _) = told().await;
    let before = world.entries().await.len();
    for (who, by, why) in [("zoe", "ada", "nothing of this person"), ("bob", " ", "a name")] {
        let refused = dispatcher.erase(&id(who), by).await.unwrap_err();
        assert!(matches!(refused, DispatchError::Refused(_)) && refused.to_string().contains(why), "{refused}");
    }
    assert_eq!(world.entries().await.len(), before);
}

#[tokio::test(start_paused = true)]
async fn whoever_heard_twice_is_one_person_when_they_are_erased() {
    let email = ScriptedChannel::new("smtp");
    let plan = "
groups: { all: { members: [{ id: ann, email: ann@demo.example }, { id: bob, email: bob@demo.example }], via: email } }
communiques:
  soon: { to: all, at: planned -200d, on_slip: correct, per: release, text: \"On {{ release.when.planned }}\" }
  live: { to: all, per: release, text: It is out. }
";
    let world = World::by_email(plan, &email);
    let dispatcher = world.dispatcher();
    dispatcher.step().await.unwrap();
    dispatcher.slip(Some(crate::support::at("2027-06-20T07:00:00Z")), "ada", None).await.unwrap();
    dispatcher.step().await.unwrap();
    let before = dispatcher.report().await.unwrap();
    assert!(dispatcher.erase(&id("bob"), "ada").await.unwrap());
    let after = dispatcher.report().await.unwrap();
    let people: Vec<_> = after.people.iter().map(|p| (p.id.as_str(), p.class, p.deliveries.len())).collect();
    assert_eq!(people, [("ann", Class::Unconfirmed, 3), ("#erased-1", Class::Unconfirmed, 3)]);
    assert_eq!(after.totals, before.totals);
}

#[tokio::test(start_paused = true)]
async fn whoever_was_told_by_what_the_plan_has_no_more_is_erased_too() {
    let (mut world, _, _) = told().await;
    let other = PLAN.replace("communiques: { live:", "communiques: { other:");
    world.prepared = crate::support::plan(&other, &world.channels);
    let dispatcher = world.dispatcher();
    assert!(dispatcher.erase(&id("bob"), "ada").await.unwrap());
    assert!(!all_of(&world).await.contains("bob"), "{}", all_of(&world).await);
}

#[tokio::test(start_paused = true)]
async fn what_stands_for_an_erased_person_is_nobody() {
    let (world, dispatcher, _) = told().await;
    assert!(dispatcher.erase(&id("ann"), "ada").await.unwrap());
    let stand_in = || id("erased-1");
    let word = Attestation::done(CommuniqueId::new("live").unwrap(), Whom::Person(stand_in()), "ada");
    let entries = world.entries().await.len();
    assert!(matches!(dispatcher.attest(&word).await, Err(DispatchError::Refused(_))));
    assert!(matches!(dispatcher.erase(&stand_in(), "ada").await, Err(DispatchError::Refused(_))));
    // A word about everybody is none about them.
    let group = Whom::Group(relcomm_core::id::GroupId::new("all").unwrap());
    let word = Attestation::done(CommuniqueId::new("live").unwrap(), group, "ada").note(Some("ann, too".into()));
    dispatcher.attest(&word).await.unwrap();
    assert!(world.entries().await.len() > entries);
    let rows = world.journal.scan(relcomm_core::id::GateNo(0), 0, 9).await.unwrap();
    let erased = rows.iter().find(|row| row.who == Some(stand_in())).unwrap();
    let said = world.journal.history(relcomm_core::journal::Subject::Delivery(erased.id)).await.unwrap();
    assert!(said.iter().all(|(_, note)| note.as_ref().is_none_or(|note| note.text.is_none())), "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_named_beside_those_who_were_told_through_them() {
    let email = ScriptedChannel::new("smtp");
    let plan = "
groups:
  all:
    members: [{ id: leader, email: leader@demo.example }, { id: bea, through: leader }]
    via: email
communiques: { live: { to: all, per: release, text: It is out. } }
";
    let world = World::by_email(plan, &email);
    let dispatcher = world.dispatcher();
    for place in ["eu", "us"] {
        dispatcher.declare(&live(place)).await.unwrap();
    }
    dispatcher.step().await.unwrap();
    assert!(dispatcher.report().await.unwrap().to_json().contains("\"through\": \"leader\""));
    assert!(dispatcher.erase(&id("leader"), "ada").await.unwrap());
    let report = dispatcher.report().await.unwrap().to_json();
    assert!(!report.contains("leader"), "{report}");
}
