//! Posts of a gate that is out when the plan is prepared for other people, or with other texts.

use crate::support::{HOUR, World, again, declared, finish, person, scripted};
use relcomm_core::dispatch::Dispatcher;
use relcomm_core::report::{Class, Verdict};
use relcomm_testkit::channel::{Answer, ScriptedChannel};

const COMMUNIQUE: &str =
    "communiques: { out: { to: staff, per: release, text: { cs: Je to venku., de: Es ist da., en: It is out. } } }
";

/// Readers who are told on the website, each in their language.
fn readers(readers: &[(&str, &str)]) -> String {
    let members: Vec<String> = readers
        .iter()
        .map(|(id, lang)| format!("{{ id: {id}, email: {id}@demo.example, language: {lang} }}"))
        .collect();
    format!(
        "groups: {{ staff: {{ members: [{}], via: website, languages: [cs, de, en] }} }}\n{COMMUNIQUE}",
        members.join(", ")
    )
}

fn world(body: &str, site: &ScriptedChannel) -> World {
    World::new(body, scripted([("website", site)]))
}

fn texts(site: &ScriptedChannel) -> Vec<String> {
    site.seen().iter().map(|seen| seen.text.part("text").to_owned()).collect()
}

async fn mechanisms(dispatcher: &Dispatcher) -> Vec<(String, Class, Option<String>)> {
    let report = dispatcher.report().await.unwrap();
    let of = |who: &relcomm_core::report::PersonReport| {
        (who.id.clone(), who.class, who.deliveries.iter().find_map(|d| d.text_digest.as_deref().map(ToOwned::to_owned)))
    };
    report.people.iter().map(of).collect()
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_with_a_language_of_their_own_has_a_post_of_their_own() {
    let site = ScriptedChannel::new("site").once();
    let world = world(&readers(&[("al", "de"), ("bea", "en")]), &site);
    let dispatcher = declared(&world).await;
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(texts(&site), ["Es ist da.", "It is out."]);
    let before = mechanisms(&dispatcher).await;

    // Its place among the posts is before the others'.
    let world = again(world, &readers(&[("cy", "cs"), ("al", "de"), ("bea", "en"), ("dee", "en")]));
    let dispatcher = world.dispatcher();
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(texts(&site), ["Es ist da.", "It is out.", "Je to venku."], "nothing is posted again");
    let report = dispatcher.report().await.unwrap();
    assert_eq!((report.verdict, report.totals.informed), (Verdict::Informed, 4), "{}", report.to_text());
    let after = mechanisms(&dispatcher).await;
    assert_eq!(after[1..3], before, "they have heard what they had heard");
    assert!(after[0].2.is_some() && before.iter().all(|(_, _, text)| *text != after[0].2), "{after:?}");
    assert_eq!(after[3].2, before[1].2, "dee is credited with the post in English");
    // The same once more.
    let dispatcher = world.dispatcher();
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(mechanisms(&dispatcher).await, after);
    assert_eq!(site.seen().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_post_whose_last_reader_leaves_is_nobody_elses() {
    let site = ScriptedChannel::new("site").once();
    let everyone = [("cy", "cs"), ("al", "de"), ("bea", "en")];
    let world = world(&readers(&everyone), &site);
    let dispatcher = declared(&world).await;
    assert!(finish(&dispatcher).await.is_done());
    let before = mechanisms(&dispatcher).await;
    let world = again(world, &readers(&everyone[1..]));
    let dispatcher = world.dispatcher();
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(site.seen().len(), 3);
    assert_eq!(mechanisms(&dispatcher).await[..2], before[1..]);
    let report = dispatcher.report().await.unwrap();
    let gone = &report.people[2];
    assert_eq!((gone.id.as_str(), gone.class), ("cy", Class::Informed), "what they heard they have heard");
    let here = report.people.iter().filter(|who| who.id != "cy");
    assert!(here.clone().all(|who| who.deliveries[0].attempts.len() == 1), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_a_post_has_it_in_the_words_of_today() {
    let site = ScriptedChannel::new("site").once().answering(|_, attempt| match attempt {
        1 => Answer::Defer(Some(HOUR)),
        _ => Answer::Accept(relcomm_core::receipt::Assurance::Accepted),
    });
    let world = world(&readers(&[("al", "de"), ("bea", "en")]), &site);
    let dispatcher = declared(&world).await;
    dispatcher.step().await.unwrap();
    assert_eq!(site.seen().len(), 2, "both are tried again later");
    // Bea reads Czech, as it turns out: nobody reads English.
    let world = again(world, &readers(&[("al", "de"), ("bea", "cs")]));
    let dispatcher = world.dispatcher();
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(texts(&site)[2..], ["Je to venku.", "Es ist da.", "Je to venku."], "{:?}", texts(&site));
    let report = dispatcher.report().await.unwrap();
    assert_eq!((report.verdict, report.totals.informed), (Verdict::Informed, 2), "{}", report.to_text());
    assert_eq!(person(&report, "bea").deliveries[0].attempts.len(), 2);
}
