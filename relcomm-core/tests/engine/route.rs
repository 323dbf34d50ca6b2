//! The whole route once.

use crate::support::{World, person, scripted};
use relcomm_core::id::PlaceId;
use relcomm_core::release::Declaration;
use relcomm_core::report::{Class, Verdict};
use relcomm_testkit::channel::{Answer, ScriptedChannel};

#[tokio::test(start_paused = true)]
async fn a_declared_place_is_told_by_the_first_step_that_works() {
    let email = ScriptedChannel::new("smtp").answering(|address, _| match address {
        "bea@demo.example" => Answer::Refuse,
        _ => Answer::Accept(relcomm_core::receipt::Assurance::Accepted),
    });
    let pager = ScriptedChannel::new("pager");
    let channels = scripted([("email", &email), ("pager", &pager)]);
    let world = World::new(
        "
groups:
  staff:
    members: [{ id: al, email: al@demo.example }, { id: bea, email: bea@demo.example, pager: bea-pager }]
    via: [email, pager]
communiques:
  out: { to: staff, per: place }
",
        channels,
    );
    let dispatcher = world.dispatcher();
    let eu = PlaceId::new("eu").unwrap();
    assert!(dispatcher.declare(&Declaration::success("ada").place(eu.clone())).await.unwrap());
    assert!(!dispatcher.declare(&Declaration::success("ada").place(eu)).await.unwrap(), "already declared");
    let standing = dispatcher.step().await.unwrap();
    assert_eq!(standing.pending.len(), 1, "{standing:?}");
    assert_eq!(email.seen().len(), 2);
    assert_eq!(pager.arrived().len(), 1);
    let report = dispatcher.report().await.unwrap();
    assert_eq!(report.verdict, Verdict::Pending);
    let bea = person(&report, "bea");
    assert_eq!(bea.deliveries[0].class, Class::Informed);
    assert_eq!(bea.deliveries[0].attempts.len(), 2, "{:#?}", bea.deliveries[0]);
    let text = report.to_text();
    assert!(text.contains("bea") && !text.contains("@demo.example"), "{text}");
}
