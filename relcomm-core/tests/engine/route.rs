//! The whole route once.

use crate::support::{World, person, scripted};
use relcomm_core::id::PlaceId;
use relcomm_core::receipt::Assurance;
use relcomm_core::release::Declaration;
use relcomm_core::report::{Class, Verdict};
use relcomm_testkit::channel::{Answer, ScriptedChannel};

#[tokio::test(start_paused = true)]
async fn a_declared_place_is_told_by_the_first_step_that_works() {
    let email = ScriptedChannel::new("smtp").answering(|address, _| match address {
        "bea@demo.example" => Answer::Refuse,
        _ => Answer::Accept(Assurance::Accepted),
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

#[tokio::test(start_paused = true)]
async fn a_report_names_who_was_not_told_what_before_it_counts_those_who_wait() {
    let email = ScriptedChannel::new("smtp").answering(|address, _| match address {
        "m60@demo.example" => Answer::Refuse,
        _ => Answer::Accept(Assurance::Accepted),
    });
    let pager = ScriptedChannel::new("pager").answering(|_, _| Answer::Refuse);
    let members = |range: std::ops::RangeInclusive<u32>| {
        let member = |n| format!("{{ id: m{n}, email: m{n}@demo.example, pager: p{n} }}");
        range.map(member).collect::<Vec<_>>().join(", ")
    };
    let body = format!(
        "groups: {{ staff: {{ members: [{}], via: [email, pager] }} }}\ncommuniques: {{ out: {{ to: staff, per: place }} }}\n",
        members(1..=60)
    );
    let world = World::new(&body, scripted([("email", &email), ("pager", &pager)]));
    let dispatcher = world.dispatcher();
    let eu = PlaceId::new("eu").unwrap();
    dispatcher.declare(&Declaration::success("ada").place(eu)).await.unwrap();
    dispatcher.step().await.unwrap();
    let report = dispatcher.report().await.unwrap();
    let refused = "m60 — not informed: refused: recipient-invalid (out/eu: email refused, pager refused)";
    let text = report.to_text();
    let listed = format!(
        "\nnot informed, or not confirmed:\n  {refused}\n  59 who wait for what is still to come\n\nwaiting:\n  out/us: declaration\n"
    );
    assert!(text.contains(&listed), "{text}");
    let table = "
communique  informed  not  unconfirmed  exempt
out/eu            59    1            0       0
out/us             0    0           60       0
";
    assert!(text.contains(table), "{text}");
    let markdown = report.to_markdown();
    for line in [
        &format!("- {refused}\n- m1 — unconfirmed: pending (out/us)\n"),
        "| out/eu | 59 | 1 | 0 | 0 |\n",
        "## Waiting\n\n- out/us: declaration\n",
        "- declared: eu success at ",
    ] {
        assert!(markdown.contains(line), "{line}{markdown}");
    }
}
