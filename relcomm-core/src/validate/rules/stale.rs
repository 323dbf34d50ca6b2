//! Whether texts speak of this release, and not of one from which they were copied.

use super::super::written::{Piece, Written};
use super::super::{Rule, Subject};
use crate::plan::{Finding, Findings};
use chrono::NaiveDate;
use regex::Regex;
use std::sync::LazyLock;

/// No text names another version as the release's.
#[derive(Debug)]
pub(super) struct ThisVersion;

static VERSION: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"\b[vV]?([0-9]+(?:\.[0-9]+)+(?:[-+][0-9A-Za-z.+-]*[0-9A-Za-z])?)";
    Regex::new(pattern).expect("a pattern that is written here")
});

/// After these words a product's name and version are another release's: `upgrade from Anvil 1.9`.
const OF_ANOTHER: [&str; 22] = [
    "from",
    "since",
    "before",
    "after",
    "until",
    "till",
    "than",
    "replaces",
    "replacing",
    "replaced",
    "supersedes",
    "unlike",
    "with",
    "like",
    "in",
    "on",
    "of",
    "or",
    "and",
    "for",
    "below",
    "still",
];
/// Before these words, too: `Anvil 1.9 users`; or it is no version at all: `Anvil 1.5 million times`.
const ONWARDS: [&str; 14] = [
    "or",
    "and",
    "to",
    "through",
    "users",
    "customers",
    "clients",
    "data",
    "files",
    "format",
    "times",
    "million",
    "percent",
    "x",
];
/// Only after these words does `version 1.9` speak of the release: products, tools and protocols have versions too.
const OF_THIS: [&str; 11] =
    ["", "new", "our", "release", "releases", "released", "releasing", "announce", "announcing", "is", "this"];

impl Rule for ThisVersion {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0707"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        let release = cx.plan().release();
        for text in Written::all(cx) {
            for piece in text.pieces() {
                let others = VERSION.captures_iter(piece.text).filter_map(|found| {
                    let (whole, number) = (found.get(0)?, found.get(1)?);
                    let other = !is_same(number.as_str(), &release.version);
                    (other && claims(&piece, whole.start(), whole.end(), &release.product)).then_some(whole)
                });
                for other in others {
                    let id = &text.communique.id;
                    let word = text.part.word();
                    // What a text says may be classified, and the finding is read by whoever reads the log.
                    let message = match cx.plan().embargo() {
                        Some(_) => format!("the {word} of `{id}` speaks of another version than the release's"),
                        None => {
                            let (other, own) = (other.as_str(), &release.version);
                            format!("the {word} of `{id}` speaks of {other}, the release is {own}")
                        }
                    };
                    out.push(text.finding(cx.source(), piece.offset + other.start(), |path| {
                        Finding::warning("RC0707", path, message)
                            .help("`{{ release.version }}` is always the release's own")
                    }));
                }
            }
        }
    }
}

/// Whether the words around a number say that it is the version of what is released.
fn claims(piece: &Piece<'_>, start: usize, end: usize, product: &str) -> bool {
    let before = piece.text.get(..start).unwrap_or_default().trim_end_matches([' ', '*', '_']);
    let after = piece.text.get(end..).unwrap_or_default();
    if ONWARDS.contains(&first_word(after)) || after.starts_with(['+', '%']) {
        return false;
    }
    if let Some(lead) = without_suffix(before, product) {
        return !OF_ANOTHER.contains(&last_word(lead).as_str());
    }
    if let (true, Some((code, lead))) = (before.is_empty(), piece.behind) {
        return code.contains("release.product") && !OF_ANOTHER.contains(&last_word(lead).as_str());
    }
    let marked = piece.text.get(start..end).is_some_and(|number| number.starts_with(['v', 'V']));
    let lead =
        without_suffix(before, "version").or_else(|| without_suffix(before, "release")).or(marked.then_some(before));
    let Some(lead) = lead else { return false };
    let lead = lead.trim_end_matches([' ', '*', '_']);
    if lead.is_empty() && piece.behind.is_some() {
        return false;
    }
    without_suffix(lead, product).is_some() || OF_THIS.contains(&last_word(lead).as_str())
}

/// What stands before a word at the end, whatever its case.
fn without_suffix<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (lead, end) = text.split_at_checked(text.len().checked_sub(word.len())?)?;
    let whole = !lead.ends_with(|c: char| c.is_alphanumeric());
    (!word.is_empty() && whole && end.eq_ignore_ascii_case(word)).then_some(lead)
}

/// The last word before this point of its sentence, in lower case; nothing where a sentence begins.
fn last_word(text: &str) -> String {
    let text = text.trim_end_matches([' ', '*', '_', '"', '(']);
    text.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_lowercase()
}

fn first_word(text: &str) -> &str {
    text.trim_start_matches([' ', '*', '_']).split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default()
}

/// Whether a number names the version, in full or without its last parts: `2026.4` is said of `2026.4.0`.
fn is_same(number: &str, version: &str) -> bool {
    let version = version.trim_start_matches(['v', 'V']);
    let begins = |long: &str, short: &str| {
        long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '+']))
    };
    begins(version, number) || begins(number, version)
}

/// No text names another date as the release's.
#[derive(Debug)]
pub(super) struct ThisDate;

static DATE: LazyLock<Regex> = LazyLock::new(|| {
    let month = "(?i-u:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)";
    let pattern = format!(
        r"\b(?:([0-9]{{4}})-([0-9]{{2}})-([0-9]{{2}})|([0-9]{{1,2}})\.? ({month})[a-z]*\.? ([0-9]{{4}})|({month})[a-z]*\.? ([0-9]{{1,2}}),? ([0-9]{{4}}))\b"
    );
    Regex::new(&pattern).expect("a pattern that is written here")
});

/// In a sentence with one of these words a date is the release's…
const OF_THE_RELEASE: [&str; 17] = [
    "planned",
    "scheduled",
    "release",
    "releases",
    "released",
    "live",
    "available",
    "ships",
    "shipped",
    "launch",
    "launches",
    "launched",
    "deployed",
    "production",
    "rollout",
    "rolled",
    "arrives",
];
/// …unless one of these stands there, too.
const OF_ELSE: [&str; 14] = [
    "until",
    "before",
    "since",
    "after",
    "last",
    "previous",
    "previously",
    "ends",
    "end",
    "deadline",
    "was",
    "were",
    "originally",
    "instead",
];

impl Rule for ThisDate {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0708"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        let Some(planned) = cx.plan().release().when.planned else { return };
        let planned = planned.datetime().with_timezone(&cx.plan().zone()).date_naive();
        for text in Written::all(cx) {
            for piece in text.pieces() {
                for found in DATE.captures_iter(piece.text) {
                    let (Some(whole), Some(date)) = (found.get(0), date(&found)) else { continue };
                    if date == planned || !is_of_the_release(piece.text.get(..whole.start()).unwrap_or_default()) {
                        continue;
                    }
                    let id = &text.communique.id;
                    let word = text.part.word();
                    let message = match cx.plan().embargo() {
                        Some(_) => format!("the {word} of `{id}` speaks of another date than the planned one"),
                        None => format!("the {word} of `{id}` speaks of {date}, the release is planned for {planned}"),
                    };
                    out.push(text.finding(cx.source(), piece.offset + whole.start(), |path| {
                        Finding::warning("RC0708", path, message)
                            .help("`{{ release.when.planned | date }}` is always the planned date")
                    }));
                }
            }
        }
    }
}

fn date(found: &regex::Captures<'_>) -> Option<NaiveDate> {
    let number = |i: usize| found.get(i)?.as_str().parse::<u32>().ok();
    let month = |i: usize| {
        let name = found.get(i)?.as_str().to_ascii_lowercase();
        let names = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
        names.iter().zip(1..).find(|(known, _)| **known == name).map(|(_, number)| number)
    };
    let iso = || Some((number(1)?, number(2)?, number(3)?));
    let day_first = || Some((number(6)?, month(5)?, number(4)?));
    let month_first = || Some((number(9)?, month(7)?, number(8)?));
    let (year, month, day) = iso().or_else(day_first).or_else(month_first)?;
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
}

/// Whether the sentence up to here speaks of the release.
fn is_of_the_release(before: &str) -> bool {
    let start = ["\n", "! ", "? ", ". "].iter().filter_map(|end| Some(before.rfind(end)? + end.len())).max();
    let sentence = before.get(start.unwrap_or(0)..).unwrap_or_default().to_lowercase();
    let words: Vec<&str> = sentence.split(|c: char| !c.is_alphanumeric()).collect();
    let says = |any: &[&str]| words.iter().any(|word| any.contains(word));
    says(&OF_THE_RELEASE) && !says(&OF_ELSE)
}

#[cfg(test)]
mod tests {
    use super::super::super::written::pieces;
    use super::*;

    fn other_versions(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        for piece in pieces(text) {
            found.extend(
                VERSION
                    .find_iter(piece.text)
                    .filter(|v| claims(&piece, v.start(), v.end(), "Anvil"))
                    .map(|v| v.as_str().to_owned()),
            );
        }
        found
    }

    #[test]
    fn a_version_is_the_releases_only_where_the_words_say_so() {
        for (text, version) in [
            ("Anvil 1.9 is live.", "1.9"),
            ("**Anvil** 1.9.2 is live.", "1.9.2"),
            ("{{ release.product }} 1.9 is live.", "1.9"),
            ("Our new version 1.9 is live.", "1.9"),
            ("Anvil version 1.9-rc.1 is live.", "1.9-rc.1"),
            ("Announcing v1.9", "v1.9"),
            ("Released: v1.9.0", "v1.9.0"),
        ] {
            assert_eq!(other_versions(text), [version], "{text}");
        }
        for text in [
            "Upgrade from Anvil 1.9 today.",
            "Anvil 1.9 users must act.",
            "Anvil 1.9 or older stops.",
            "Needs iOS version 15.2 and TLS v1.3, Python 3.12.",
            "The export was removed in v1.9.",
            "{{ item.sharing }} 1.9",
            "from {{ release.product }} 1.9",
            "costs 1.90",
            "Anvil 1.5 times as fast, Anvil 1.5% more",
            "call 10.0.0.1",
        ] {
            assert_eq!(other_versions(text), Vec::<String>::new(), "{text}");
        }
        assert!(is_same("2026.4", "2026.4.0") && is_same("2.0.0", "v2.0.0") && is_same("2.0.0-rc.1", "2.0.0"));
        assert!(!is_same("2.0", "2.01") && !is_same("1.9", "2.0.0"));
    }

    #[test]
    fn a_date_is_the_releases_only_where_the_sentence_says_so() {
        let other = |text: &str| {
            let found = DATE.captures(text).and_then(|found| Some((found.get(0)?.start(), date(&found)?)));
            found.filter(|(at, _)| is_of_the_release(&text[..*at])).map(|(_, date)| date.to_string())
        };
        for text in ["Live on 2027-05-13.", "Planned for 13 May 2027", "It ships.\nAvailable from May 13, 2027"] {
            assert_eq!(other(text).as_deref(), Some("2027-05-13"), "{text}");
        }
        for text in [
            "The old export ends on 2027-05-13.",
            "Released. See you on 13 May 2027",
            "was planned for 13 May 2027",
            "live since 2027-05-13",
            "live on 2027-13-13",
        ] {
            assert_eq!(other(text), None, "{text}");
        }
    }
}
