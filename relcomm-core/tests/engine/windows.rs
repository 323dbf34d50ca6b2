//! Hours of the day: what waits for them, by whose clocks, on days too on which clocks are changed, and what they never do: lose
//! anything.

use crate::support::{HOUR, MINUTE, World, at, finish, person, scripted};
use relcomm_core::clock::Moment;
use relcomm_core::journal::{Fact, Journal};
use relcomm_core::receipt::Assurance;
use relcomm_core::report::Verdict;
use relcomm_testkit::channel::{Answer, ScriptedChannel};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Al, told by email from that instant on, with what else the group and the time say.
fn al(group: &str, time: &str, rest: &str) -> String {
    format!(
        "groups:\n  staff: {{ members: [{{ id: al, email: al@demo.example, pager: al }}], via: email, {group} }}\n\
         communiques:\n  out: {{ to: staff, per: release, at: {{ {time} }}, {rest} }}\n"
    )
}

/// When each was tried, to the minute.
fn tried(channel: &ScriptedChannel) -> Vec<(String, String)> {
    let minute = |at: Moment| at.to_string()[..16].to_owned();
    channel.seen().iter().map(|s| (s.address.split('@').next().unwrap().to_owned(), minute(s.at))).collect()
}

/// The minutes alone.
fn minutes(channel: &ScriptedChannel) -> Vec<String> {
    tried(channel).into_iter().map(|(_, at)| at).collect()
}

async fn run(body: &str, email: &ScriptedChannel, start: &str) {
    let world = World::by_email(body, email);
    assert!(finish(&world.dispatcher_from(at(start))).await.is_done());
}

const ZONES: &str = "
groups:
  staff:
    members:
      - { id: berlin, email: berlin@demo.example, zone: Europe/Berlin }
      - { id: york, email: york@demo.example, zone: America/New_York }
      - { id: angeles, email: angeles@demo.example, zone: America/Los_Angeles }
      - { id: kolkata, email: kolkata@demo.example, zone: Asia/Kolkata }
      - { id: tokyo, email: tokyo@demo.example }
    zone: Asia/Tokyo
    via: email
";

#[tokio::test(start_paused = true)]
async fn quiet_hours_hold_until_the_morning_of_each() {
    let email = ScriptedChannel::new("smtp");
    let body = ZONES.replace("via: email", "via: email\n    between: \"08:00-20:00\"")
        + "communiques: { out: { to: staff, per: release, at: 2027-05-12T12:30Z } }\n";
    run(&body, &email, "2027-05-12T06:00:00Z").await;
    let expected = [
        ("berlin", "2027-05-12T12:30"),
        ("york", "2027-05-12T12:30"),
        ("kolkata", "2027-05-12T12:30"),
        ("angeles", "2027-05-12T15:00"),
        ("tokyo", "2027-05-12T23:00"),
    ];
    assert_eq!(tried(&email), expected.map(|(who, at)| (who.to_owned(), at.to_owned())));
}

#[tokio::test(start_paused = true)]
async fn a_time_of_day_is_each_recipients_own_and_so_is_its_end() {
    let email = ScriptedChannel::new("smtp").answering(|address, _| match address {
        "york@demo.example" => Answer::Defer(Some(HOUR * 10)),
        _ => Answer::Accept(Assurance::Accepted),
    });
    let body = format!(
        "{ZONES}communiques: {{ out: {{ to: staff, per: release, at: {{ from: planned +1d @09:00, zone: recipient, not_after: planned +1d @18:00 }} }} }}\n"
    );
    let world = World::by_email(&body, &email);
    let dispatcher = world.dispatcher();
    let standing = dispatcher.step().await.unwrap();
    assert_eq!(standing.next_due, Some(at("2027-05-13T00:00:00Z")), "the gate opens for the first");
    assert!(finish(&dispatcher).await.is_done());
    let expected = [
        ("tokyo", "2027-05-13T00:00"),
        ("kolkata", "2027-05-13T03:30"),
        ("berlin", "2027-05-13T07:00"),
        ("york", "2027-05-13T13:00"),
        ("angeles", "2027-05-13T16:00"),
    ];
    assert_eq!(tried(&email), expected.map(|(who, at)| (who.to_owned(), at.to_owned())), "and york is not tried again");
}

#[tokio::test(start_paused = true)]
async fn both_the_hours_of_the_group_and_those_of_the_time_hold() {
    let email = ScriptedChannel::new("smtp");
    // 08:00 to 20:00 in New York is 12:00 to 24:00 UTC.
    let body = al("zone: America/New_York, between: \"08:00-20:00\"", "from: planned, between: \"06:00-13:00\"", "");
    run(&body, &email, "2027-05-12T06:00:00Z").await;
    assert_eq!(minutes(&email), ["2027-05-12T12:00"]);
}

#[tokio::test(start_paused = true)]
async fn where_clocks_go_forward_the_hours_begin_after_the_gap_or_on_the_next_day() {
    let cases = [
        ("Europe/Berlin", "02:30-03:30", "2027-03-27T12:00:00Z", "2027-03-28T01:00"),
        ("Europe/Berlin", "02:15-02:45", "2027-03-27T12:00:00Z", "2027-03-29T00:15"),
        ("America/New_York", "02:30-03:30", "2027-03-13T12:00:00Z", "2027-03-14T07:00"),
        ("America/New_York", "02:15-02:45", "2027-03-13T12:00:00Z", "2027-03-15T06:15"),
        // Eight in the morning is eight, an hour sooner after the last.
        ("Europe/Berlin", "08:00-20:00", "2027-03-27T20:00:00Z", "2027-03-28T06:00"),
    ];
    for (zone, window, start, expected) in cases {
        let email = ScriptedChannel::new("smtp");
        let body = al("", &format!("from: \"{start}\", between: \"{window}\", zone: {zone}"), "");
        run(&body, &email, start).await;
        assert_eq!(minutes(&email), [expected], "{window} in {zone}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_clocks_go_back_the_hours_come_twice() {
    // Half past two until three, twice in Berlin; half past one until two, twice in New York. The first time the far side is busy.
    let cases = [
        ("Europe/Berlin", "02:30-03:00", "2027-10-30T12:00:00Z", ["2027-10-31T00:30", "2027-10-31T01:30"]),
        ("America/New_York", "01:30-02:00", "2027-11-06T12:00:00Z", ["2027-11-07T05:30", "2027-11-07T06:30"]),
    ];
    for (zone, window, start, expected) in cases {
        let email = ScriptedChannel::new("smtp").answering(|_, n| match n {
            1 => Answer::Defer(Some(MINUTE * 40)),
            _ => Answer::Accept(Assurance::Accepted),
        });
        let body = al("", &format!("from: \"{start}\", between: \"{window}\", zone: {zone}"), "");
        run(&body, &email, start).await;
        assert_eq!(minutes(&email), expected, "{window} in {zone}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_falls_into_the_night_waits() {
    let email = ScriptedChannel::new("smtp").answering(|_, n| match n {
        1 => Answer::Defer(Some(HOUR)),
        _ => Answer::Accept(Assurance::Accepted),
    });
    run(&al("between: \"08:00-20:00\"", "from: 2027-05-12T19:30Z", ""), &email, "2027-05-12T12:00:00Z").await;
    assert_eq!(minutes(&email), ["2027-05-12T19:30", "2027-05-13T08:00"]);
}

#[tokio::test(start_paused = true)]
async fn a_next_step_that_falls_into_the_night_waits() {
    let (email, pager) = (ScriptedChannel::new("smtp"), ScriptedChannel::new("pd"));
    let via = "via: [email, { via: pager, unless: delivered, within: 1h }]";
    let body = al("between: \"08:00-20:00\"", "from: 2027-05-12T19:30Z", via);
    let world = World::new(&body, scripted([("email", &email), ("pager", &pager)]));
    // What pages is not delivered: nothing ends it but the last step.
    let dispatcher = world.dispatcher();
    let run = tokio::time::timeout(HOUR * 48, dispatcher.run());
    assert!(run.await.is_err(), "it waits for receipts");
    assert_eq!((minutes(&email), minutes(&pager)), (vec!["2027-05-12T19:30".into()], vec!["2027-05-13T08:00".into()]));
}

#[tokio::test(start_paused = true)]
async fn what_was_not_tried_before_its_hours_were_over_moves_to_the_next() {
    let was_down = AtomicBool::new(false);
    let email = ScriptedChannel::new("smtp").answering(move |_, _| match was_down.swap(true, Ordering::Relaxed) {
        false => Answer::Fault(Some(HOUR * 10)),
        true => Answer::Accept(Assurance::Accepted),
    });
    let body = "
groups:
  staff: { members: [{ id: al, email: al@demo.example }, { id: bea, email: bea@demo.example }], via: email, between: \"08:00-20:00\" }
communiques: { out: { to: staff, per: release, at: 2027-05-12T12:00Z, text: \"For {{ person.id }}.\" } }
";
    let email = email.capabilities(|c| c.concurrency(1.try_into().unwrap()));
    let world = World::by_email(body, &email);
    let dispatcher = world.dispatcher();
    assert!(finish(&dispatcher).await.is_done());
    let tried = tried(&email);
    assert_eq!(tried[0].1, "2027-05-12T12:00");
    assert!(tried[1..].iter().all(|(_, at)| at == "2027-05-13T08:00"), "{tried:?}");
    let postponed = |e: &relcomm_core::journal::Entry| match &e.fact {
        Fact::Delivery(fact) => format!("{fact:?}").starts_with("Postponed"),
        _ => false,
    };
    assert_eq!(world.entries().await.iter().filter(|e| postponed(e)).count(), 1, "the one that was never tried");
    assert_eq!(dispatcher.report().await.unwrap().verdict, Verdict::Informed);
}

#[tokio::test(start_paused = true)]
async fn what_is_urgent_is_told_at_any_hour() {
    let email = ScriptedChannel::new("smtp");
    run(&al("between: \"08:00-20:00\"", "from: 2027-05-12T22:30Z", "urgent: true"), &email, "2027-05-12T12:00:00Z")
        .await;
    assert_eq!(minutes(&email), ["2027-05-12T22:30"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_too_late_before_the_hours_come_expires_and_is_reported() {
    let email = ScriptedChannel::new("smtp");
    let body = al("between: \"08:00-20:00\"", "from: declared, not_after: declared +3h", "");
    let world = World::by_email(&body, &email);
    let dispatcher = world.dispatcher_from(at("2027-05-12T21:00:00Z"));
    for place in ["eu", "us"] {
        dispatcher.declare(&crate::support::live(place)).await.unwrap();
    }
    let standing = dispatcher.step().await.unwrap();
    assert_eq!(standing.next_due, Some(at("2027-05-13T00:00:00.001Z")));
    assert!(finish(&dispatcher).await.is_done());
    assert!(dispatcher.now() < at("2027-05-13T00:01:00Z"), "nobody waits for the morning");
    assert!(email.seen().is_empty());
    let report = dispatcher.report().await.unwrap();
    assert_eq!((report.verdict, person(&report, "al").reason.as_deref()), (Verdict::NotInformed, Some("expired")));
}

#[tokio::test(start_paused = true)]
async fn an_occurrence_and_a_group_have_ends_of_their_own() {
    let email = ScriptedChannel::new("smtp").answering(|_, _| Answer::Defer(Some(HOUR)));
    let body = "
groups:
  staff: { members: [{ id: al, email: al@demo.example }], via: email }
  press: { members: [{ id: bea, email: bea@demo.example }], via: email }
communiques:
  soon:
    to: [staff, press]
    per: release
    not_after: planned +6h30m
    occurrences: { a: { from: planned, not_after: planned +2h30m }, b: { from: planned +4h } }
    for: { press: { at: { from: planned, not_after: planned +1h30m } } }
    text: \"{{ communique.occurrence }}\"
";
    let world = World::by_email(body, &email);
    let dispatcher = world.dispatcher();
    assert!(finish(&dispatcher).await.is_done());
    let mut count: BTreeMap<(String, String), usize> = BTreeMap::new();
    for seen in email.seen() {
        *count.entry((seen.address.clone(), seen.text.part("text").trim().to_owned())).or_default() += 1;
    }
    let of = |who: &str, what: &str| count.get(&(format!("{who}@demo.example"), what.to_owned())).copied().unwrap_or(0);
    assert_eq!((of("al", "a"), of("al", "b")), (3, 3), "{count:?}");
    assert_eq!((of("bea", "a"), of("bea", "b")), (2, 2), "the press has its own time for both: {count:?}");

    let late = ScriptedChannel::new("smtp");
    let world = World::by_email(body, &late);
    let dispatcher = world.dispatcher_from(at("2027-05-12T09:00:00Z"));
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(tried(&late).iter().map(|(who, _)| who.as_str()).collect::<Vec<_>>(), ["al", "al"]);
    let report = dispatcher.report().await.unwrap();
    assert_eq!(person(&report, "bea").reason.as_deref(), Some("expired"), "too late for the press alone");
}

#[tokio::test(start_paused = true)]
async fn what_is_posted_once_goes_by_the_zone_of_its_group() {
    let (email, site) = (ScriptedChannel::new("smtp"), ScriptedChannel::new("site").once());
    let body = ZONES.replace("via: email", "via: website\n    between: \"08:00-20:00\"")
        + "communiques: { out: { to: staff, per: release, at: 2027-05-12T12:30Z } }\n";
    let world = World::new(&body, scripted([("email", &email), ("website", &site)]));
    let dispatcher = world.dispatcher();
    assert!(finish(&dispatcher).await.is_done());
    assert_eq!(minutes(&site), ["2027-05-12T23:00"], "eight in Tokyo");
    assert_eq!(dispatcher.report().await.unwrap().totals.informed, 5);
}

/// Three hundred, told within an hour.
fn many(time: &str) -> String {
    let members: Vec<_> = (0..300).map(|n| format!("{{ id: m{n}, email: m{n}@demo.example }}")).collect();
    format!(
        "groups:\n  staff: {{ members: [{}], via: email }}\ncommuniques:\n  out: {{ to: staff, per: release, at: {{ {time} }} }}\n",
        members.join(", ")
    )
}

fn when(email: &ScriptedChannel) -> BTreeMap<String, u64> {
    let planned = at("2027-05-12T07:00:00Z");
    email.seen().iter().map(|s| (s.address.clone(), s.at.since(planned).as_secs())).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_spread_stays_within_its_time_lies_evenly_and_is_the_same_after_a_crash() {
    let whole = ScriptedChannel::new("smtp");
    run(&many("from: planned, spread: 1h"), &whole, "2027-05-12T06:00:00Z").await;
    let all = when(&whole);
    assert_eq!((all.len(), whole.seen().len()), (300, 300));
    for tenth in 0..10 {
        let within = all.values().filter(|at| **at / 360 == tenth).count();
        assert!((29..=31).contains(&within), "{within} in the {tenth}. six minutes");
    }

    let email = ScriptedChannel::new("smtp");
    let world = World::by_email(&many("from: planned, spread: 1h"), &email);
    let crashed = tokio::time::timeout(HOUR + MINUTE * 20, world.dispatcher().run()).await;
    assert!(crashed.is_err());
    let before = email.seen().len();
    assert!((90..=110).contains(&before), "{before}");
    world.pass(Duration::from_secs(90)).await;
    assert!(finish(&world.dispatcher()).await.is_done());
    let late = |at: u64| (20 * 60..=20 * 60 + 91).contains(&at);
    let same = |who: &String, at: u64| all[who] == at || late(at) && all[who] <= at;
    assert_eq!(email.seen().len(), 300);
    assert!(when(&email).iter().all(|(who, at)| same(who, *at)));
    let due = |entry: relcomm_core::journal::Entry| match entry.fact {
        Fact::Entered { runs, .. } => runs.iter().map(|run| (run.count, run.at)).collect::<Vec<_>>(),
        _ => Vec::new(),
    };
    let entered: Vec<_> = world.entries().await.into_iter().flat_map(due).collect();
    let another = World::by_email(&many("from: planned, spread: 1h"), &ScriptedChannel::new("smtp"));
    let _ = tokio::time::timeout(HOUR + MINUTE, another.dispatcher().run()).await;
    let again: Vec<_> = another.journal.entries(0, usize::MAX).await.unwrap().into_iter().flat_map(due).collect();
    assert_eq!(entered, again);
}

#[tokio::test(start_paused = true)]
async fn what_is_spread_is_spread_over_the_hours_in_which_it_may_be_told() {
    let email = ScriptedChannel::new("smtp");
    // An hour: half of it in the evening, half in the morning.
    let body = many("from: 2027-05-12T18:30Z, spread: 1h, between: \"07:00-19:00\"");
    run(&body, &email, "2027-05-12T06:00:00Z").await;
    let evening =
        minutes(&email).iter().filter(|at| ("2027-05-12T18:30".."2027-05-12T19:00").contains(&at.as_str())).count();
    let morning =
        minutes(&email).iter().filter(|at| ("2027-05-13T07:00".."2027-05-13T07:30").contains(&at.as_str())).count();
    assert!((149..=151).contains(&evening) && evening + morning == 300, "{evening} and {morning}");
}
