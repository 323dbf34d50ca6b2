//! Languages: who is told in which, and posts in each.

use crate::support::{World, finish, live, person, scripted};
use relcomm_core::mechanism::Addressing;
use relcomm_core::report::Class;
use relcomm_testkit::channel::{ScriptedChannel, Seen};
use std::collections::BTreeMap;

const ONE_PLACE: &str = "where: { eu: {} }";

fn plan(body: &str) -> String {
    let head = crate::support::RELEASE.replace("where: { eu: {}, us: {} }", ONE_PLACE);
    format!("{head}{body}")
}

/// A far side to which is posted once, and that honours keys.
fn board() -> ScriptedChannel {
    ScriptedChannel::new("board").once().by_key().capabilities(|mut c| {
        c.addressing = Addressing::Once;
        c
    })
}

/// What each address was told.
fn said(seen: &[Seen]) -> BTreeMap<&str, &str> {
    seen.iter().map(|s| (s.address.as_str(), s.text.part("text").trim())).collect()
}

#[tokio::test(start_paused = true)]
async fn each_is_told_in_their_language_or_the_nearest_or_the_fallback() {
    let email = ScriptedChannel::new("smtp");
    let body = plan(
        "
groups:
  staff:
    members:
      - { id: en, email: en@x.example, language: en }
      - { id: de, email: de@x.example, language: de }
      - { id: ch, email: ch@x.example, language: de-CH }
      - { id: latn, email: latn@x.example, language: de-Latn-x-any }
      - { id: upper, email: upper@x.example, language: DE }
      - { id: fr, email: fr@x.example, language: fr }
      - { id: none, email: none@x.example }
    via: email
    languages: [de, en]
    fallback: en
communiques:
  live: { to: staff, subject: { en: Ready, de: Fertig }, text: { en: 'Hello, {{ lang }}.', de: 'Hallo, {{ lang }}.' } }
",
    );
    let world = World::by_email(&body, &email);
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    finish(&dispatcher).await;
    let seen = email.seen();
    let (hello, hallo) = ("Hello, en.", "Hallo, de.");
    let wanted = [
        ("en", hello),
        ("de", hallo),
        ("ch", hallo),
        ("latn", hallo),
        ("upper", hallo),
        ("fr", hello),
        ("none", hello),
    ];
    for (who, words) in wanted {
        assert_eq!(said(&seen)[format!("{who}@x.example").as_str()], words, "{who}");
    }
    assert!(
        seen.iter()
            .all(|s| s.text.part("subject") == if s.text.part("text").contains("Hello") { "Ready" } else { "Fertig" })
    );
}

#[tokio::test(start_paused = true)]
async fn a_post_is_made_in_each_language_under_a_key_of_its_own_and_credited_to_who_reads_it() {
    let board = board();
    let body = plan(
        "
groups:
  staff:
    members: [{ id: al, language: en }, { id: bo, language: de }, { id: cy, language: de }, { id: di }]
    via: bulletin
    languages: [en, de]
communiques:
  live: { to: staff, text: { en: English., de: Deutsch. } }
",
    );
    let world = World::new(&body, scripted([("bulletin", &board)]));
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    finish(&dispatcher).await;
    // A far side that honours keys has both.
    let mut texts: Vec<String> = board.arrived().iter().map(|s| s.text.part("text").trim().to_owned()).collect();
    texts.sort();
    assert_eq!(texts, ["Deutsch.", "English."]);
    let report = dispatcher.report().await.unwrap();
    for id in ["al", "bo", "cy", "di"] {
        assert_eq!(
            (person(&report, id).class, person(&report, id).deliveries[0].posted),
            (Class::Informed, true),
            "{id}"
        );
    }
    let digest = |id: &str| person(&report, id).deliveries[0].text_digest.clone().unwrap();
    assert!(digest("al") == digest("di") && digest("bo") == digest("cy") && digest("al") != digest("bo"));
}

#[tokio::test(start_paused = true)]
async fn a_group_that_names_no_languages_is_told_in_those_of_its_members_as_far_as_the_words_have_them() {
    let email = ScriptedChannel::new("smtp");
    let body = plan(
        "
groups:
  staff:
    members:
      - { id: en, email: en@x.example, language: en }
      - { id: ch, email: ch@x.example, language: de-CH }
      - { id: it, email: it@x.example, language: it }
      - { id: fr, email: fr@x.example, language: fr }
      - { id: none, email: none@x.example }
    via: email
communiques:
  live: { to: staff, subject: { de: Fertig, it: Pronto, en: Ready }, text: { en: Hello., de: Hallo., fr: Salut. } }
",
    );
    let world = World::by_email(&body, &email);
    let dispatcher = world.dispatcher();
    dispatcher.declare(&live("eu")).await.unwrap();
    finish(&dispatcher).await;
    let seen = email.seen();
    let words: BTreeMap<&str, (&str, &str)> = seen
        .iter()
        .map(|s| {
            let who = s.address.as_str().trim_end_matches("@x.example");
            (who, (s.text.part("subject"), s.text.part("text").trim()))
        })
        .collect();
    // Nobody gets a subject in one language over a text in another that is there in both.
    let wanted = [
        ("ch", ("Fertig", "Hallo.")),
        ("en", ("Ready", "Hello.")),
        ("fr", ("Fertig", "Salut.")),
        ("it", ("Ready", "Hello.")),
        ("none", ("Ready", "Hello.")),
    ];
    assert_eq!(words, BTreeMap::from(wanted));
}

#[tokio::test(start_paused = true)]
async fn words_for_every_language_are_posted_once_whatever_those_read_who_share_the_post() {
    for languages in ["", "    languages: [en, de]\n"] {
        let board = board();
        let body = plan(&format!(
            "
groups:
  staff:
    members: [{{ id: al, language: en }}, {{ id: bo, language: de }}, {{ id: cy, language: de-CH }}, {{ id: di }}]
    via: bulletin
{languages}communiques:
  live: {{ to: staff, text: English. }}
",
        ));
        let world = World::new(&body, scripted([("bulletin", &board)]));
        let dispatcher = world.dispatcher();
        dispatcher.declare(&live("eu")).await.unwrap();
        finish(&dispatcher).await;
        assert_eq!(board.arrived().len(), 1, "{languages}");
        let report = dispatcher.report().await.unwrap();
        for id in ["al", "bo", "cy", "di"] {
            assert_eq!(person(&report, id).class, Class::Informed, "{id}");
        }
    }
}
