//! The words at the moment of sending: late values, people's own values, digests.

use crate::support::{MINUTE, World, finish, live, person, said, scripted};
use relcomm_core::dispatch::Dispatcher;
use relcomm_core::receipt::Assurance;
use relcomm_core::release::Outcome;
use relcomm_testkit::channel::{Answer, ScriptedChannel};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

async fn declared(world: &World) -> Dispatcher {
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    dispatcher.declare(&said("us", Outcome::Failure)).await.unwrap();
    dispatcher
}

#[tokio::test(start_paused = true)]
async fn late_values_are_those_of_the_declaration() {
    let email = ScriptedChannel::new("smtp");
    let body = "
groups:
  staff: { members: [{ id: al, email: al@demo.example }], via: email }
communiques:
  out:
    to: staff
    subject: \"Live in {{ place.name }} since {{ place.declared_at | time }}\"
    text: \"{{ declaration.by }} says so. Live: {{ places.live }}. Of: {{ places.all }}.\"
";
    let world = World::by_email(body, &email);
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu").at(crate::support::at("2027-05-12T05:43:00Z"))).await.unwrap();
    dispatcher.step().await.unwrap();
    let mut us = live("us");
    us.by = "grace *hopper*".into();
    dispatcher.declare(&us).await.unwrap();
    assert!(finish(&dispatcher).await.is_done());
    let seen = email.seen();
    assert!(seen[0].text.part("subject").contains("Live in eu since 05:43"), "{}", seen[0].text.part("subject"));
    assert!(seen[0].text.part("text").contains("ada says so. Live: eu. Of: eu, us."), "{}", seen[0].text.part("text"));
    assert!(seen[1].text.part("text").contains("grace *hopper* says so. Live: eu, us."));
    assert!(!seen[1].text.part("html").contains("<em>"), "a name is text: {}", seen[1].text.part("html"));
}

#[tokio::test(start_paused = true)]
async fn a_later_communique_links_to_the_earlier_ones_post() {
    let site = ScriptedChannel::new("site").once().answering(|_, n| match n {
        1 => Answer::Defer(Some(MINUTE)),
        _ => Answer::AcceptAt("https://demo.example/t/900?a=1&b=2".into()),
    });
    let email = ScriptedChannel::new("smtp");
    let body = "
groups:
  users: { members: [{ id: al, email: al@demo.example }], via: website }
  sponsors: { members: [{ id: bea, email: bea@demo.example }], via: email }
communiques:
  out: { to: users, per: release, at: planned }
  letter: { to: sponsors, per: release, at: planned, after: out accepted for users, text: \"See {{ told.out.users.url }} by {{ told.out.users.via }}\" }
";
    let world = World::new(body, scripted([("website", &site), ("email", &email)]));
    assert!(finish(&world.dispatcher()).await.is_done());
    let letter = &email.seen()[0];
    assert!(
        letter.text.part("text").contains("See https://demo.example/t/900?a=1&b=2 by website"),
        "{}",
        letter.text.part("text")
    );
}

#[tokio::test(start_paused = true)]
async fn each_place_links_to_its_own_post() {
    let body = "
groups:
  users: { members: [{ id: al, email: al@demo.example }], via: website }
  sponsors: { members: [{ id: bea, email: bea@demo.example }], via: email }
communiques:
  out: { to: users, per: place }
  letter: { to: sponsors, per: place, after: out accepted, text: \"{{ place.name }}: {{ told.out.users.url }}\" }
";
    for [first, second] in [["eu", "us"], ["us", "eu"]] {
        let posts = AtomicU32::new(0);
        let site = ScriptedChannel::new("site").once().answering(move |_, _| {
            Answer::AcceptAt(format!("https://demo.example/{}", posts.fetch_add(1, Ordering::Relaxed)))
        });
        let email = ScriptedChannel::new("smtp");
        let world = World::new(body, scripted([("website", &site), ("email", &email)]));
        let dispatcher = world.dispatcher();
        dispatcher.declare(&live(first)).await.unwrap();
        dispatcher.step().await.unwrap();
        dispatcher.declare(&live(second)).await.unwrap();
        assert!(finish(&dispatcher).await.is_done());
        let letters: Vec<_> = email.seen().iter().map(|s| s.text.part("text").trim().to_owned()).collect();
        let post = |place: &str, n: u8| format!("{place}: https://demo.example/{n}");
        assert_eq!(letters, [post(first, 0), post(second, 1)]);
    }
}

#[tokio::test(start_paused = true)]
async fn peoples_values_are_literal_in_every_form() {
    let email = ScriptedChannel::new("smtp");
    let body = "
groups:
  staff:
    members: [{ id: al, email: al@demo.example, name: \"Al *Bold* <b>x</b> {{ release.why }} [link](https://evil.example)\" }]
    via: email
communiques:
  out: { to: staff, per: place, subject: \"For {{ person.name }}\", text: \"**Dear** {{ person.name }}\" }
";
    let world = World::by_email(body, &email);
    let dispatcher = declared(&world).await;
    assert!(finish(&dispatcher).await.is_done());
    let seen = &email.seen()[0].text;
    let name = "Al *Bold* <b>x</b> {{ release.why }} [link](https://evil.example)";
    assert_eq!(seen.part("subject"), format!("For {name}"));
    assert!(seen.part("text").contains(name), "{}", seen.part("text"));
    let html = seen.part("html");
    assert!(html.contains("<strong>Dear</strong>") && html.contains("&lt;b&gt;x&lt;/b&gt;"), "{html}");
    assert!(!html.contains("<em>") && !html.contains("href") && !html.contains("<b>"), "{html}");
}

#[tokio::test(start_paused = true)]
async fn the_digest_of_what_was_said_is_recorded_and_tells_texts_apart() {
    let email = ScriptedChannel::new("smtp");
    let body = "
groups:
  staff: { members: [{ id: al, email: al@demo.example }, { id: bea, email: bea@demo.example }], via: email }
communiques:
  same: { to: staff, per: place, text: Same for all. }
  own: { to: staff, per: place, text: \"Yours, {{ person.id }}\" }
";
    let world = World::by_email(body, &email);
    let dispatcher = declared(&world).await;
    assert!(finish(&dispatcher).await.is_done());
    let report = dispatcher.report().await.unwrap();
    let digests = |communique: &str| -> BTreeSet<Arc<str>> {
        let of = |id| {
            person(&report, id)
                .deliveries
                .iter()
                .find(|d| d.communique == communique && d.place.as_deref() == Some("eu"))
        };
        ["al", "bea"].into_iter().map(|id| of(id).unwrap().text_digest.clone().unwrap()).collect()
    };
    assert_eq!((digests("same").len(), digests("own").len()), (1, 2));
    assert!(digests("same").iter().all(|d| d.len() == 64));
}

#[tokio::test(start_paused = true)]
async fn items_are_those_that_concern_the_group_and_the_place() {
    let email = ScriptedChannel::new("smtp").answering(|_, _| Answer::Accept(Assurance::Accepted));
    let release = crate::support::RELEASE.replace(
        "what: [{ id: one, text: The one thing }]",
        "what: [{ id: one, text: For all }, { id: two, text: For desk, concerns: [desk] }, { id: three, text: For us, places: [us] }]",
    );
    let body = format!(
        "{release}
groups:
  staff: {{ members: [{{ id: al, email: al@demo.example }}], via: email }}
  desk: {{ members: [{{ id: bea, email: bea@demo.example }}], via: email }}
communiques:
  out: {{ to: [staff, desk], per: place }}
"
    );
    let world = World::by_email(&body, &email);
    let dispatcher = declared(&world).await;
    assert!(finish(&dispatcher).await.is_done());
    let said = |address: &str| {
        let text = email.seen().iter().find(|s| s.address == address).unwrap().text.part("text").to_owned();
        ["For all", "For desk", "For us"].map(|words| text.contains(words))
    };
    assert_eq!(said("al@demo.example"), [true, false, false]);
    assert_eq!(said("bea@demo.example"), [true, true, false]);
}

#[tokio::test(start_paused = true)]
async fn each_group_is_linked_to_the_post_that_its_members_share() {
    let site = |at: &'static str| {
        ScriptedChannel::new(at).once().answering(move |_, _| Answer::AcceptAt(format!("https://{at}.example/1")))
    };
    let (intranet, public, email) = (site("intranet"), site("public"), ScriptedChannel::new("smtp"));
    let body = "
mechanisms: { intranet: { addressing: once, proves: accepted } }
groups:
  staff: { members: [{ id: al }], via: intranet }
  users: { members: [{ id: bea }], via: website }
  mailed: { members: [{ id: cy, email: cy@demo.example }], via: email }
communiques:
  out: { to: [staff, users, mailed], per: release, at: planned }
  letter:
    to: mailed
    per: release
    at: planned
    after: out accepted
    text: \"{{ told.out.users.url }} {{ told.out.staff.url }} {{ told.out.mailed.via }}\"
";
    let world = World::new(body, scripted([("intranet", &intranet), ("website", &public), ("email", &email)]));
    assert!(finish(&world.dispatcher()).await.is_done());
    let letter = email.seen().last().unwrap().text.part("text").trim().to_owned();
    assert_eq!(letter, "https://public.example/1 https://intranet.example/1 email");
}

#[tokio::test(start_paused = true)]
async fn a_declaration_says_what_it_came_of() {
    let email = ScriptedChannel::new("smtp");
    let body = "
groups: { users: { members: [{ id: al, email: al@demo.example }], via: email } }
communiques:
  out: { to: users, per: place }
  sorry: { to: users, per: place, if: { outcome: failure }, text: \"Not yet: {{ declaration.cause }}.\" }
";
    let world = World::by_email(body, &email);
    let dispatcher = world.dispatcher();
    let failure = || said("eu", Outcome::Failure);
    for (cause, why) in [
        ("x".repeat(201), "longer than the 200 characters"),
        ("a\nb".to_owned(), "control character"),
        (" ".to_owned(), "blank"),
    ] {
        let refused = dispatcher.declare(&failure().cause(cause)).await.unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
    }
    dispatcher.declare(&failure().cause("a migration took too long")).await.unwrap();
    dispatcher.step().await.unwrap();
    assert_eq!(email.seen()[0].text.part("text").trim(), "Not yet: a migration took too long.");
}

#[tokio::test(start_paused = true)]
async fn the_built_in_text_names_no_place_where_it_is_not() {
    let email = ScriptedChannel::new("smtp");
    let body = "
groups: { users: { members: [{ id: al, email: al@demo.example }], via: email } }
communiques:
  here: { to: users, per: place }
  all: { to: users, per: release, at: last declared }
";
    let world = World::by_email(body, &email);
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    dispatcher.declare(&said("us", Outcome::Failure)).await.unwrap();
    assert!(finish(&dispatcher).await.is_done());
    let seen = email.seen();
    let lines = |of: &str| {
        let text = seen.iter().find(|s| s.text.part("subject").contains(of)).map(|s| s.text.part("text").to_owned());
        text.unwrap_or_default().lines().filter(|line| line.contains("Where")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines("in production in eu"), ["Where: eu"]);
    let all = seen.iter().find(|s| s.text.part("subject").ends_with("in production")).unwrap();
    assert!(all.text.part("text").contains("Where: eu, us (so far eu)"), "{}", all.text.part("text"));
}
