//! The filters `date`, `time` and `datetime`.
//!
//! An instant is [RFC 3339](https://www.rfc-editor.org/rfc/rfc3339) text. It is printed in the set's zone or the one
//! named (`{{ place.declared_at | time(zone="Europe/Zurich") }}`), and a time of day never without its zone. Months are English; a date
//! may be given a form in numbers, by the letters of [strftime](chrono::format::strftime): `{{ release.when.planned | date("%d.%m.%Y") }}`.

use chrono::DateTime;
use chrono_tz::Tz;
use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, ErrorKind, Value};
use std::fmt::Write;

/// The filters, each with its name.
pub(super) fn filters(zone: Tz) -> [(&'static str, Value); 3] {
    let date = move |value: &Value, form: Option<&str>, options: Kwargs| {
        let date = read(value, &options, zone)?.date_naive();
        let mut out = String::new();
        // Of a date alone no time of day can be printed.
        write!(out, "{}", date.format(form.unwrap_or("%-d %B %Y")))
            .map_err(|_| Error::new(ErrorKind::InvalidOperation, "not a form of a date such as `%d.%m.%Y`"))?;
        Ok::<_, Error>(out)
    };
    let in_the_day = move |value: &Value, options: Kwargs| Ok::<_, Error>(time(&read(value, &options, zone)?));
    let datetime = move |value: &Value, options: Kwargs| {
        let instant = read(value, &options, zone)?;
        Ok::<_, Error>(format!("{}, {}", instant.format("%-d %B %Y"), time(&instant)))
    };
    [
        ("date", Value::from_function(date)),
        ("time", Value::from_function(in_the_day)),
        ("datetime", Value::from_function(datetime)),
    ]
}

/// The time of day with the abbreviation of its zone, or the offset where there is none in letters.
fn time(instant: &DateTime<Tz>) -> String {
    let abbreviation = instant.format("%Z").to_string();
    if abbreviation.chars().all(|c| c.is_ascii_alphabetic()) {
        instant.format("%H:%M %Z").to_string()
    } else {
        instant.format("%H:%M UTC%:z").to_string()
    }
}

fn read(value: &Value, options: &Kwargs, zone: Tz) -> Result<DateTime<Tz>, Error> {
    let zone = match options.get::<Option<&str>>("zone")? {
        None => zone,
        Some(name) => name.parse().map_err(|_| Error::new(ErrorKind::InvalidOperation, "unknown time zone"))?,
    };
    options.assert_all_used()?;
    if value.kind() == ValueKind::Undefined {
        return Err(Error::new(ErrorKind::InvalidOperation, "unknown variable"));
    }
    let text = value.to_string();
    DateTime::parse_from_rfc3339(text.trim())
        .map(|instant| instant.with_timezone(&zone))
        .map_err(|_| Error::new(ErrorKind::InvalidOperation, "not an instant in RFC 3339"))
}
