//! Times: what they read as, and the instants they mean.

use relcomm_core::clock::Moment;
use relcomm_core::communique::Timing;
use relcomm_core::plan::source::{Format, Source};
use relcomm_core::plan::time::{BadTime, Instant, Span, TimeDraft, TimeExpr, Window};

const LONDON: Option<chrono_tz::Tz> = Some(chrono_tz::Europe::London);

fn at(text: &str) -> Moment {
    Moment::parse(text).unwrap()
}

fn timing(text: &str) -> Result<Timing, BadTime> {
    text.parse::<TimeExpr>()?.timing(LONDON)
}

#[test]
fn durations() {
    let parts = |text: &str| text.parse::<Span>().map(|s| (s.days(), s.business_days(), s.elapsed().as_secs()));
    assert_eq!(parts("2w3d4h5m6s"), Ok((17, 0, 4 * 3600 + 5 * 60 + 6)));
    assert_eq!(parts("5bd"), Ok((0, 5, 0)));
    assert_eq!(parts("0s"), Ok((0, 0, 0)));
    assert_eq!(parts("90m"), Ok((0, 0, 5400)));
    assert_eq!(parts("3660d"), Ok((3660, 0, 0)));
    for bad in ["", "5", "m", "5 m", "5M", "-5m", "1.5h", "5m2h", "1m1m", "5x", "5mm", "１m"] {
        assert_eq!(parts(bad), Err(BadTime::Span), "{bad:?}");
    }
    for long in ["3661d", "99999999999999999999s", "600w", "4294967296h"] {
        assert_eq!(parts(long), Err(BadTime::TooLong), "{long:?}");
    }
    assert_eq!("1d12h".parse::<Span>().unwrap().as_elapsed().unwrap().as_secs(), 36 * 3600);
    assert_eq!("1bd".parse::<Span>().unwrap().as_elapsed(), None);
    assert_eq!("2w90m".parse::<Span>().unwrap().to_string(), "14d1h30m");
}

/// What a time means, counted in Europe/London, when its anchor is at the instant.
#[test]
fn instants() {
    let table = [
        // Elapsed time does not care for clocks that are put forward or back.
        ("declared +15m", "2027-03-28T00:50:00Z", "2027-03-28T01:05:00Z"),
        ("live accepted +1h", "2027-05-12T06:00:00Z", "2027-05-12T07:00:00Z"),
        ("declared -36h", "2027-05-12T06:00:00Z", "2027-05-10T18:00:00Z"),
        // Days keep the time of the wall clock: 07:00 in winter is 07:00Z, in summer 06:00Z.
        ("last declared +1d", "2027-03-27T07:00:00Z", "2027-03-28T06:00:00Z"),
        ("planned -14d @09:00", "2027-04-07T06:00:00Z", "2027-03-24T09:00:00Z"),
        ("planned -1w", "2027-05-12T06:00:00Z", "2027-05-05T06:00:00Z"),
        ("planned + 1w -1d", "2027-05-12T06:00:00Z", "2027-05-18T06:00:00Z"),
        ("planned @09:00", "2027-05-12T23:30:00Z", "2027-05-13T08:00:00Z"),
        // 01:30 is skipped on 28 March: the first instant after the gap is 02:00 BST.
        ("planned +1d", "2027-03-27T01:30:00Z", "2027-03-28T01:00:00Z"),
        ("planned @01:30", "2027-03-28T12:00:00Z", "2027-03-28T01:00:00Z"),
        // 01:30 comes twice on 31 October: the earlier, in BST.
        ("planned +1d", "2027-10-30T00:30:00Z", "2027-10-31T00:30:00Z"),
        ("planned @01:30", "2027-10-31T12:00:00Z", "2027-10-31T00:30:00Z"),
        // 2027-05-14 is a Friday.
        ("declared +1bd", "2027-05-14T08:00:00Z", "2027-05-17T08:00:00Z"),
        ("declared +1bd", "2027-05-15T08:00:00Z", "2027-05-17T08:00:00Z"),
        ("declared -1bd", "2027-05-16T08:00:00Z", "2027-05-14T08:00:00Z"),
        ("declared -1bd", "2027-05-17T08:00:00Z", "2027-05-14T08:00:00Z"),
        ("declared +5bd", "2027-05-14T08:00:00Z", "2027-05-21T08:00:00Z"),
        ("declared +6bd", "2027-05-16T08:00:00Z", "2027-05-24T08:00:00Z"),
        ("declared +11bd", "2027-05-12T08:00:00Z", "2027-05-27T08:00:00Z"),
        ("declared +1d2bd @10:00", "2027-05-13T08:00:00Z", "2027-05-18T09:00:00Z"),
        ("declared", "2027-03-28T00:30:00Z", "2027-03-28T00:30:00Z"),
    ];
    for (text, anchor, expected) in table {
        assert_eq!(timing(text).unwrap().resolve(at(anchor)), at(expected), "{text} from {anchor}");
    }
}

#[test]
fn a_day_that_a_zone_never_had_becomes_the_next() {
    // Samoa went from 29 to 31 December 2011 at 10:00 UTC.
    let noon = map("{ from: planned +1d @12:00, zone: Pacific/Apia }").timing(None).unwrap();
    assert_eq!(noon.resolve(at("2011-12-29T20:00:00Z")), at("2011-12-30T10:00:00Z"));
}

#[test]
fn a_fixed_time_needs_no_anchor_but_a_zone_if_it_is_local() {
    let fixed = |text: &str, zone| text.parse::<Instant>().and_then(|i| i.moment(zone));
    assert_eq!(fixed("2027-05-12T07:00", LONDON), Ok(Some(at("2027-05-12T06:00:00Z"))));
    assert_eq!(fixed("2027-05-12 07:00:30.5", LONDON), Ok(Some(at("2027-05-12T06:00:30.5Z"))));
    assert_eq!(fixed("2027-03-02T09:59Z", None), Ok(Some(at("2027-03-02T09:59:00Z"))));
    assert_eq!(fixed("2027-05-12T07:00:00+02:00", None), Ok(Some(at("2027-05-12T05:00:00Z"))));
    assert_eq!(fixed("open", None), Ok(None));
    assert_eq!(fixed("2027-05-12T07:00", None), Err(BadTime::NoZone));
    assert!(matches!(fixed("2027-03-28T01:30", LONDON), Err(BadTime::Skipped(..))));
    assert!(matches!(fixed("2027-10-31T01:30", LONDON), Err(BadTime::Ambiguous(..))));
    assert_eq!(fixed("2027-10-31T01:30+00:00", LONDON), Ok(Some(at("2027-10-31T01:30:00Z"))));
    assert_eq!(fixed("2027-05-12", LONDON), Err(BadTime::DateAlone));
    for bad in ["2027-5-12T07:00", "2027-05-12T07:00+2", "soon", "0001-01-01T00:00Z"] {
        assert_eq!(fixed(bad, LONDON), Err(BadTime::Instant), "{bad}");
    }
}

#[test]
fn expressions_that_mean_nothing_are_refused() {
    for bad in
        ["", "+15m", "@09:00", "planned -14d@09:00", "planned @9:00", "planned +", "declared 15m", "planned +1d x"]
    {
        assert!(timing(bad).is_err(), "{bad:?}");
    }
    // The part that is wrong is named, unless it may be an address.
    for (bad, part) in
        [("planned -7 days", "-7"), ("planned - 7", "-7"), ("planned +1d x", "x"), ("planned +1.5h", "+1.5h")]
    {
        assert_eq!(timing(bad), Err(BadTime::Offset(part.into())), "{bad:?}");
    }
    assert_eq!(timing("planned @9:00"), Err(BadTime::TimeOfDay("@9:00".into())));
    for bad in ["planned +ann@x.example", "ann@x.example", "planned @ann@x.example"] {
        assert_eq!(timing(bad), Err(BadTime::Expression), "{bad:?}");
    }
    assert_eq!(timing("planned -1h @09:00"), Err(BadTime::ElapsedBesideTimeOfDay));
    assert!(matches!(timing("planed -1d"), Err(BadTime::Anchor(_))));
    assert!(matches!(timing("live arrived"), Err(BadTime::Anchor(_))));
    assert_eq!(
        timing("2027-05-12 @09:00").unwrap().resolve(Moment::MIN),
        timing("2027-05-12T09:00").unwrap().resolve(Moment::MIN)
    );
    assert!(matches!(timing("2027-03-28T01:30 +1d"), Err(BadTime::Skipped(..))));
    assert_eq!("planned @09:00".parse::<TimeExpr>().unwrap().timing(None), Err(BadTime::NoZone));
}

fn map(text: &str) -> TimeDraft {
    Source::parse("t", text.as_bytes(), Format::Yaml).unwrap().decode().unwrap()
}

#[test]
fn maps_add_up_and_keep_their_own_zone() {
    let own = map("{ from: planned -1d @09:00, plus: 1w, zone: America/New_York, spread: 2h, not_after: declared }")
        .timing(LONDON)
        .unwrap();
    assert_eq!((own.days, own.spread.map(|s| s.as_secs())), (6, Some(7200)));
    assert_eq!(own.resolve(at("2027-05-12T06:00:00Z")), at("2027-05-18T13:00:00Z"));
    assert!(own.not_after.is_some());
    let each = map("{ from: declared, plus: 15m, between: \"07:00-20:00\", zone: recipient }").timing(LONDON).unwrap();
    assert!(each.recipient_zone && each.between.is_some());
    let morning = map("{ from: planned @09:00, zone: recipient, not_after: planned @18:00 }").timing(LONDON).unwrap();
    let here = |time: &Timing| time.resolve_for(at("2027-05-12T06:00:00Z"), chrono_tz::Asia::Tokyo);
    assert_eq!(here(&morning), at("2027-05-12T00:00:00Z"));
    assert_eq!(here(morning.not_after.as_ref().unwrap()), at("2027-05-12T09:00:00Z"));
    let local = map("{ from: 2027-05-12T09:00, zone: recipient }").timing(LONDON);
    assert_eq!(local, Err(BadTime::RecipientZone));
    assert_eq!(map("{ between: \"07:00-20:00\" }").timing(None), Err(BadTime::NoZone));
    assert_eq!(map("{ from: planned @09:00, plus: 1h }").timing(LONDON), Err(BadTime::ElapsedBesideTimeOfDay));
}

#[test]
fn windows_hold_and_open_again() {
    let day: Window = "07:00-20:00".parse().unwrap();
    let night: Window = "22:00-06:00".parse().unwrap();
    let zone = chrono_tz::Europe::London;
    let table = [
        (day, "2027-05-12T06:00:00Z", "2027-05-12T06:00:00Z"),
        (day, "2027-05-12T18:59:59Z", "2027-05-12T18:59:59Z"),
        (day, "2027-05-12T19:00:00Z", "2027-05-13T06:00:00Z"),
        (day, "2027-05-12T05:59:00Z", "2027-05-12T06:00:00Z"),
        // The night before the clocks go forward: 07:00 BST.
        (day, "2027-03-27T23:00:00Z", "2027-03-28T06:00:00Z"),
        (night, "2027-05-12T23:00:00Z", "2027-05-12T23:00:00Z"),
        (night, "2027-05-12T12:00:00Z", "2027-05-12T21:00:00Z"),
    ];
    for (window, from, expected) in table {
        assert_eq!(window.next(at(from), zone), at(expected), "{window} from {from}");
    }
    for bad in ["07:00", "07:00-07:00", "7-20", "07:00-25:00", "07:00–20:00"] {
        assert_eq!(bad.parse::<Window>(), Err(BadTime::Window), "{bad}");
    }
    assert!("18:00-24:00".parse::<Window>().unwrap().holds(chrono::NaiveTime::from_hms_opt(23, 59, 59).unwrap()));
}

#[test]
fn a_timing_survives_the_bundle() {
    let timing =
        map("{ from: last declared, plus: 2bd, between: \"07:00-20:00\", spread: 90m, not_after: embargo +1h }")
            .timing(LONDON)
            .unwrap();
    let json = serde_json::to_string(&timing).unwrap();
    assert_eq!(serde_json::from_str::<Timing>(&json).unwrap(), timing);
}

#[test]
fn a_date_or_time_that_does_not_exist_is_refused_with_the_reason() {
    let told = |text: &str| text.parse::<Instant>().unwrap_err().to_string();
    assert_eq!(told("2027-02-30T00:00"), "2027-02-30 does not exist: February 2027 has 28 days");
    assert_eq!(told("2028-02-30"), "2028-02-30 does not exist: February 2028 has 29 days");
    assert_eq!(told("2027-13-01T00:00Z"), "2027-13-01 does not exist: a year has the months 01 to 12");
    let hours = "25:00 does not exist: a day has the hours 00 to 23, an hour the minutes 00 to 59";
    assert_eq!(told("2027-05-12T25:00"), hours);
    let told = |text: &str| text.parse::<TimeExpr>().unwrap_err().to_string();
    assert_eq!(told("planned -14d @25:00"), hours);
    assert_eq!(told("2027-02-30 @09:00"), "2027-02-30 does not exist: February 2027 has 28 days");
    assert_eq!(told("2027-04-31T07:00 +1d"), "2027-04-31 does not exist: April 2027 has 30 days");
}
