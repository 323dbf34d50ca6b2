//! For which place and release a communique is meant, and what has changed since something was approved.

use crate::support::{World, finish, live, person, plan as prepare_plan, said, scripted};
use relcomm_core::id::{CommuniqueId, Role};
use relcomm_core::plan::{Condition, HeldFiles, Hosted, PlanDraft};
use relcomm_core::prepare::prepare;
use relcomm_core::release::{Outcome, Release};
use relcomm_core::report::{Class, Verdict};
use relcomm_core::validate::{Deployment, standard_rules, validate};
use relcomm_testkit::channel::ScriptedChannel;

const STAFF: &str = "groups:
  staff: { members: [{ id: al, email: al@demo.example }, { id: bea, email: bea@demo.example, place: us }], via: email }
";

fn sent(email: &ScriptedChannel, word: &str) -> usize {
    email.seen().iter().filter(|s| s.text.part("text").contains(word)).count()
}

#[tokio::test(start_paused = true)]
async fn what_is_meant_for_one_place_is_said_there_alone_and_not_waited_for_elsewhere() {
    let text = format!(
        "{STAFF}communiques:
  taxes: {{ to: staff, if: {{ place: eu }}, text: Taxes. }}
  live: {{ to: staff, per: place, after: taxes informed, text: Live. }}
"
    );
    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(&text, &email);
    let gates: Vec<String> = world.prepared.gates().iter().map(|g| g.id.to_string()).collect();
    assert_eq!(gates.iter().filter(|g| g.starts_with("taxes")).count(), 1, "{gates:?}");
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("us")).await.unwrap();
    dispatcher.step().await.unwrap();
    assert_eq!((sent(&email, "Taxes."), sent(&email, "Live.")), (0, 2), "at us nothing is waited for");
    dispatcher.declare(&said("eu", Outcome::Success)).await.unwrap();
    finish(&dispatcher).await;
    assert_eq!((sent(&email, "Taxes."), sent(&email, "Live.")), (1, 3), "bea is of us");
    assert_eq!(dispatcher.report().await.unwrap().verdict, Verdict::Informed);
}

/// Whether the release has so many items.
#[derive(Debug)]
struct HasItems(usize);

impl Condition for HasItems {
    fn holds(&self, communique: &CommuniqueId, release: &Release) -> bool {
        communique.as_str() == "more" && release.what.len() == self.0
    }
}

#[tokio::test(start_paused = true)]
async fn a_condition_of_the_hosts_keeps_back_what_it_does_not_hold_for() {
    let body = "communiques:
  more: { to: staff, if: { host: has-items }, text: More. }
  live: { to: staff, text: Live. }
";
    let text = format!("{}{STAFF}{body}", crate::support::RELEASE);
    for (items, told) in [(1, 3), (2, 0)] {
        let email = ScriptedChannel::new("smtp");
        let channels = scripted([("email", &email)]);
        let (draft, source) = PlanDraft::read("plan.yaml", text.as_bytes()).unwrap();
        let host = Hosted::new(HeldFiles::new()).condition("has-items", HasItems(items));
        let judged = validate(&draft, &source, &host, &Deployment::unknown(), &standard_rules());
        let (plan, people) = judged.into_plan().unwrap();
        let world = World::of(prepare(plan, people, &channels).prepared.unwrap(), channels);
        let dispatcher = world.dispatcher();
        dispatcher.declare(&live("eu")).await.unwrap();
        dispatcher.declare(&live("us")).await.unwrap();
        finish(&dispatcher).await;
        assert_eq!(sent(&email, "More."), told);
        let report = dispatcher.report().await.unwrap();
        assert_eq!(report.verdict, Verdict::Informed);
        let kept = person(&report, "al").deliveries.iter().find(|d| d.communique == "more").unwrap().clone();
        let expected = if told > 0 { (Class::Informed, None) } else { (Class::Exempt, Some("not has-items")) };
        assert_eq!((kept.class, kept.reason.as_deref()), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_void_approval_says_what_has_changed_since() {
    let owner = Role::new("owner").unwrap();
    let approvals = "approvals: { roles: { owner: [mia] }, need: owner, covers: texts+people }
communiques: { live: { to: staff, text: Live. } }
";
    let first = format!("{STAFF}{approvals}");
    let other_people = first.replace("bea@demo.example", "bea@other.example");
    let other_texts = first.replace("Live.", "It is live.");
    let both = other_people.replace("Live.", "It is live.");
    for (then, what) in [(other_people, "the people"), (other_texts, "the texts"), (both, "the texts and the people")] {
        let email = ScriptedChannel::new("smtp");
        let world = World::by_email(&first, &email);
        let dispatcher = world.dispatcher();
        dispatcher.approve(&owner, "mia", None, false, None).await.unwrap();
        dispatcher.step().await.unwrap();
        let old = world.prepared.digests().texts.clone();
        let world = World { prepared: prepare_plan(&then, &world.channels), ..world };
        let dispatcher = world.dispatcher();
        for place in ["eu", "us"] {
            dispatcher.declare(&live(place)).await.unwrap();
        }
        let standing = dispatcher.step().await.unwrap();
        assert_eq!(standing.pending[0].waiting_for, format!("approval: {what} changed since owner approved"));
        if what != "the people" {
            let before = world.entries().await;
            let refused = dispatcher.approve(&owner, "mia", Some(&old), false, None).await.unwrap_err().to_string();
            assert_eq!(refused, format!("that is not the present digest: {what} changed since it was prepared"));
            assert_eq!(world.entries().await, before, "the journal is as it was");
        }
        assert!(dispatcher.approve(&owner, "mia", None, false, None).await.unwrap());
        finish(&dispatcher).await;
        assert_eq!(email.seen().len(), 3);
    }
}
