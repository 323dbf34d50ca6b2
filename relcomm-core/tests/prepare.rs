//! Preparation: limits, what cannot be rendered, the two digests, and the bundle as a file.

use relcomm_core::channel::ChannelSet;
use relcomm_core::clock::{Moment, SystemClock};
use relcomm_core::dispatch::{DispatchError, Dispatcher};
use relcomm_core::journal::{MemoryJournal, Mode, Scope};
use relcomm_core::mechanism::{Capabilities, Limit, Mechanism, Unit};
use relcomm_core::plan::{HeldFiles, PlanDraft};
use relcomm_core::prepare::{Late, Preparation, PreparedPlan, prepare};
use relcomm_core::receipt::{Assurance, Token};
use relcomm_core::stakeholder::Address;
use relcomm_core::validate::{Deployment, standard_rules, validate};
use relcomm_testkit::channel::ScriptedChannel;
use std::num::NonZeroU32;
use std::sync::Arc;

fn plan(subject: &str, people: &str) -> String {
    format!(
        "plan: 1\nid: demo\nzone: UTC\nrelease: {{ product: Demo, version: 1.0.0, what: One, why: Because., how: Open it. }}\n\
         responsible: Ada <ada@demo.example>\ngroups: {{ staff: {{ members: [{people}] }} }}\n\
         communiques: {{ out: {{ to: staff, subject: \"{subject}\", text: \"{{% for i in release.what %}}{{{{ i.text }}}}{{% endfor %}}\" }} }}\n"
    )
}

const AL: &str = "{ id: al, email: al@demo.example }";

fn channels(limits: &[Limit]) -> ChannelSet {
    ChannelSet::new()
        .with(Mechanism::new("email").unwrap(), ScriptedChannel::new("smtp").limits(limits.iter().cloned()))
}

fn prepared_with(text: &str, limits: &[Limit]) -> Preparation {
    let (draft, source) = PlanDraft::read("plan.yaml", text.as_bytes()).unwrap();
    let validation = validate(&draft, &source, &HeldFiles::new(), &Deployment::unknown(), &standard_rules());
    let (plan, people) = validation.into_plan().unwrap();
    prepare(plan, people, &channels(limits))
}

fn codes(preparation: &Preparation) -> Vec<&str> {
    preparation.findings.iter().map(|f| f.code).collect()
}

#[test]
fn a_text_is_refused_from_the_first_unit_over_its_limit_on() {
    // Every one of these characters has four octets and two UTF-16 units.
    let subject = "😀".repeat(10);
    for (unit, length) in [(Unit::Chars, 10), (Unit::Utf16, 20), (Unit::Bytes, 40)] {
        for (max, refused) in [(length - 1, true), (length, false), (length + 1, false)] {
            let preparation = prepared_with(&plan(&subject, AL), &[Limit::reject("subject", max, unit)]);
            assert_eq!(codes(&preparation) == ["RC1101"], refused, "{unit:?} {max}");
            assert_eq!(preparation.prepared.is_none(), refused, "{unit:?} {max}");
        }
    }
    let gsm = [Limit::reject("subject", 160, Unit::Gsm7Septets)];
    assert_eq!(codes(&prepared_with(&plan(&subject, AL), &gsm)), ["RC1102"]);
    assert!(codes(&prepared_with(&plan("It is live", AL), &gsm)).is_empty());
}

#[test]
fn late_values_count_at_their_greatest_length() {
    let by = "{{ declaration.by }}";
    let limit = |max| [Limit::reject("subject", max, Unit::Chars)];
    assert_eq!(codes(&prepared_with(&plan(by, AL), &limit(63))), ["RC1101"]);
    assert!(codes(&prepared_with(&plan(by, AL), &limit(64))).is_empty());
}

#[test]
fn a_value_that_one_person_lacks_is_found_before_anything_is_sent() {
    let both = "{ id: al, email: al@demo.example, vars: { room: A1 } }, { id: bea, email: bea@demo.example }";
    let preparation = prepared_with(&plan("See you in {{ person.room }}", both), &[]);
    assert_eq!(codes(&preparation), ["RC1103"]);
    assert!(!preparation.findings[0].to_string().contains("bea@demo"), "{}", preparation.findings[0]);
}

#[test]
fn each_person_reads_what_is_so_for_them() {
    let rooms = ["A1", "{% if x %} *b* {{ person.id }}", "", "A1", "\u{202e}\u{5e9} 😀", "B2"];
    let people: Vec<String> = rooms
        .iter()
        .enumerate()
        .map(|(i, room)| format!("{{ id: p{i}, email: p{i}@demo.example, vars: {{ room: '{room}' }} }}"))
        .collect();
    let people = format!("{}, {{ id: p6, email: p6@demo.example }}", people.join(", "));
    let subject = "{% if person.room is not defined %}No room{% elif person.room == 'A1' %}Here{% elif person.room %}\
                   In {{ person.room }}{% else %}Anywhere{% endif %}, {{ person.room | default('guest', true) }}";
    let prepared = prepared_with(&plan(subject, &people), &[]).prepared.unwrap();
    let gate = prepared.gates().first().unwrap();
    let (roll, late) = (prepared.roll(gate), Late::specimen(&prepared, gate));
    let read = roll
        .members()
        .map(|(who, path)| prepared.render(gate, roll.path(path).unwrap(), Some(who), &late).unwrap().subject);
    assert_eq!(
        read.collect::<Vec<_>>(),
        [
            "Here, A1",
            "In {% if x %} *b* {{ person.id }}, {% if x %} *b* {{ person.id }}",
            "No room, guest",
            "Here, A1",
            "In \u{202e}\u{5e9} 😀, \u{202e}\u{5e9} 😀",
            "In B2, B2",
            "No room, guest",
        ]
    );
}

#[test]
fn a_comma_changes_the_digest_of_the_texts_and_an_address_that_of_the_people() {
    let digests = |text: &str| prepared_with(text, &[]).prepared.unwrap().digests().clone();
    let first = digests(&plan("It is live", AL));
    assert_eq!(digests(&plan("It is live", AL)), first, "the same again");
    let comma = digests(&plan("It is, live", AL));
    assert!(comma.texts != first.texts && comma.people == first.people);
    let moved = digests(&plan("It is live", "{ id: al, email: al@elsewhere.example }"));
    assert!(moved.texts == first.texts && moved.people != first.people);
    let limited = prepared_with(&plan("It is live", AL), &[Limit::reject("subject", 99, Unit::Chars)]);
    assert_ne!(limited.prepared.unwrap().digests().texts, first.texts, "a limit is part of what was checked");
}

#[test]
fn a_bundle_reads_back_as_it_was_sealed_and_not_once_it_was_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("demo.bundle");
    let sealed = prepared_with(&plan("It is live", AL), &[]).prepared.unwrap();
    sealed.write(&path).unwrap();
    let read = PreparedPlan::read(&path).unwrap();
    assert_eq!(read.digests(), sealed.digests());
    assert_eq!(read.plan(), sealed.plan());
    assert_eq!(read.people(), sealed.people());

    let again = folder.path().join("again.bundle");
    read.write(&again).unwrap();
    assert_eq!(std::fs::read(&again).unwrap(), std::fs::read(&path).unwrap());
}

#[test]
fn a_bundle_is_refused_whichever_of_its_octets_was_changed_added_or_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("demo.bundle");
    let people =
        "{ id: al, email: al@demo.example, vars: { room: A1 } }, { id: bea, name: Bea, email: bea@demo.example }";
    prepared_with(&plan("It is live", people), &[]).prepared.unwrap().write(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let refused = |changed: &[u8]| {
        std::fs::write(&path, changed).unwrap();
        PreparedPlan::read(&path).is_err()
    };
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(refused(&changed), "changed at {at} of {}", bytes.len());
        assert!(refused(&bytes[..at]), "cut at {at}");
    }
    assert!(refused(&[&bytes[..], b"\n"].concat()), "a line too many");
    assert!(!refused(&bytes), "as it was");
}

#[test]
fn a_channel_has_to_fit_the_mechanism_and_its_addresses() {
    let of = |group: &str, channels: ChannelSet| {
        let text = plan("Live", AL).replace(&format!("{{ staff: {{ members: [{AL}] }} }}"), group);
        let (draft, source) = PlanDraft::read("plan.yaml", text.as_bytes()).unwrap();
        let judged = validate(&draft, &source, &HeldFiles::new(), &Deployment::unknown(), &standard_rules());
        let (plan, people) = judged.into_plan().unwrap();
        let found = prepare(plan, people, &channels);
        assert_eq!(found.prepared.is_none(), !found.findings.is_empty());
        found.findings.iter().map(|f| (f.code, f.message.clone())).collect::<Vec<_>>()
    };
    let word = |word: &str| Mechanism::new(word).unwrap();
    let mail = || channels(&[]);
    let by_default = "{ staff: { members: [{ id: al, email: al@demo.example, phone: '+41445550101' }] } }";
    assert_eq!(of(by_default, mail()), [("RC0502", "there is no channel for `phone`".to_owned())]);
    assert_eq!(of(by_default, mail().with(word("phone"), ScriptedChannel::new("pbx"))), []);
    let by_mail = by_default.replace("] }", "], via: email }");
    assert_eq!(of(&by_mail, mail()), [], "nobody is to be called");

    let chat = |channel| mail().with(word("chat"), channel);
    let group = "{ staff: { members: [{ id: al }], via: chat } }";
    let says = "`chat` goes once for all, and the channel that is bound to it to each person";
    assert_eq!(of(group, chat(ScriptedChannel::new("room"))), [("RC1106", says.to_owned())]);
    assert_eq!(of(group, chat(ScriptedChannel::new("room").once())), []);
    assert_eq!(of(group, chat(ScriptedChannel::new("room").capabilities(Capabilities::by_hand))), [], "a person does");

    let picky =
        || mail().with(word("pager"), ScriptedChannel::new("pd").refusing_addresses(|text| text.contains("..")));
    let people =
        "{ staff: { members: [{ id: al, pager: a..b }, { id: bea, pager: ab }, { id: cy, pager: .. }], via: pager } }";
    let says = "the channel for `pager` does not take 2 addresses of `al`, `cy`: it cannot be one of this channel";
    assert_eq!(of(people, picky()), [("RC1105", says.to_owned())]);
}

#[test]
fn a_bundle_is_dispatched_by_channels_that_can_do_what_was_prepared() {
    let prepared = prepared_with(&plan("Live", AL), &[]).prepared.unwrap();
    let dispatcher = |channel: ScriptedChannel| {
        let scope = Scope::new(prepared.plan().id().clone(), "1.0.0", Mode::Sandbox);
        let journal = MemoryJournal::new(scope, Arc::new(SystemClock::new()));
        let channels = ChannelSet::new().with(Mechanism::new("email").unwrap(), channel);
        Dispatcher::new(prepared.clone(), channels, journal).map(drop)
    };
    let smtp = || ScriptedChannel::new("smtp");
    dispatcher(smtp()).unwrap();
    dispatcher(smtp().capabilities(|can| can.per_call(NonZeroU32::MIN.saturating_add(9)))).unwrap();
    let limit = Limit::reject("subject", 9, Unit::Chars);
    let weaker = |mut can: Capabilities| {
        can.proves = Assurance::Accepted;
        can
    };
    for other in [
        ScriptedChannel::new("mta"),
        smtp().by_key(),
        smtp().limits([limit]),
        smtp().capabilities(weaker),
        smtp().capabilities(Capabilities::by_hand),
    ] {
        assert!(matches!(dispatcher(other), Err(DispatchError::Channel(word)) if word.as_str() == "email"));
    }
}

#[test]
fn what_is_read_back_is_checked_as_what_is_made() {
    for text in ["", "a@b.example\r\nBcc: c@d.example", "\u{0}"] {
        let read: Result<Address, _> = serde_json::from_str(&serde_json::to_string(text).unwrap());
        assert!(read.is_err(), "{text:?}");
    }
    let address = Address::new("a@b.example").unwrap();
    let text = serde_json::to_string(&address).unwrap();
    assert_eq!((text.as_str(), serde_json::from_str(&text).ok()), ("\"a@b.example\"", Some(address)));
    let token: Token = serde_json::from_str("\"ABC-1\"").unwrap();
    assert_eq!(token.as_str(), "abc-1");
    let never: Moment = serde_json::from_str("9999999999999999").unwrap();
    assert_eq!((never, serde_json::to_string(&Moment::MAX).unwrap()), (Moment::MAX, "253402300799999".to_owned()));
}
