//! Whether what was expected is true.

use super::elapsed::Elapsed;
use super::expectation::{Age, Expectation, Reached, Said, Selector, Words, fits};
use super::far_side::Seen;
use super::fields::{self, misnamed};
use relcomm_core::clock::Moment;
use relcomm_core::id::{CommuniqueId, DeliveryId, GroupId, OccurrenceId, PlaceId};
use relcomm_core::mechanism::Mechanism;
use relcomm_core::plan::source::{Ordered, did_you_mean};
use relcomm_core::plan::{Finding, Plan};
use relcomm_core::receipt::Assurance;
use relcomm_core::report::{Class, DeliveryReport, Part, PersonReport, Report, Statement};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// All that can be judged at one time.
#[derive(Debug)]
pub(super) struct Evidence<'a> {
    pub(super) plan: &'a Plan,
    pub(super) report: &'a Report,
    pub(super) exit: u8,
    pub(super) findings: &'a [Finding],
    pub(super) seen: &'a [Seen],
    /// By what somebody can be told.
    pub(super) mechanisms: Vec<&'a Mechanism>,
    /// The groups of each person.
    pub(super) groups: &'a BTreeMap<String, Vec<String>>,
    /// When each delivery reached what, by the report's id of it: the number of the entry, and the time.
    pub(super) reached: &'a BTreeMap<String, BTreeMap<Assurance, (u64, Moment)>>,
    /// Everything that was written: entries, notes, timeline.
    pub(super) written: &'a str,
}

/// The report's id of a delivery.
pub(super) fn row_id(gate: &str, id: DeliveryId) -> String {
    format!("{gate}.{}", id.ordinal)
}

/// What a row can be.
const PARTS: [&str; 3] = ["live", "correction", "slip"];

/// One row of the report: a person and a delivery, or a person to whom nothing was due.
#[derive(Clone, Copy)]
struct Row<'a> {
    person: &'a PersonReport,
    delivery: Option<&'a DeliveryReport>,
}

impl Evidence<'_> {
    /// What is not as expected; nothing, if all is.
    pub(super) fn against(&self, expected: &Expectation) -> Vec<String> {
        let mut failed: Vec<String> =
            expected.rows.iter().chain(&expected.never).filter_map(|of| self.is_nowhere(of)).collect();
        let rows = self.rows(expected.rows.as_ref());
        let speaks_of_rows = expected.is.is_some() || expected.apart.is_some() || expected.attempt.is_some();
        let may_be_none = expected.rows.is_none() || expected.sent == Some(0);
        if rows.is_empty() && expected.count.is_none() && (speaks_of_rows || !may_be_none) {
            failed.push("no row of the report is like that".to_owned());
        }
        let misnamed = |what, of: &Option<Ordered<String, String>>, known| -> Vec<String> {
            of.iter().flat_map(Ordered::keys).filter_map(|field| misnamed(what, field, known)).collect()
        };
        failed.extend(misnamed("a row", &expected.is, fields::ROW));
        failed.extend(misnamed("an attempt", &expected.attempt, fields::ATTEMPT));
        self.judge_rows(expected, &rows, &mut failed);
        let texts = self.texts(expected.rows.as_ref());
        if let Some(sent) = expected.sent
            && texts.len() != sent
        {
            failed.push(format!("{} were sent, not {sent}", texts.len()));
        }
        if let Some(words) = &expected.text {
            judge_words(words, &texts, &mut failed);
        }
        if let Some(nowhere) = &expected.everywhere {
            self.judge_everywhere(&nowhere.lacks, &mut failed);
        }
        if let Some(order) = &expected.order {
            self.judge_order(order, &mut failed);
        }
        if let Some(never) = &expected.never {
            let tried = self.seen.iter().filter(|s| self.is_of(s, never)).count();
            if tried > 0 {
                failed.push(format!("it was tried {tried} times"));
            }
        }
        self.judge_whole(expected, &mut failed);
        if expected.says().next().is_none() {
            failed.push("this expects nothing".to_owned());
        }
        failed
    }

    fn judge_rows(&self, expected: &Expectation, rows: &[Row<'_>], failed: &mut Vec<String>) {
        let mut like = 0;
        for row in rows {
            let differs = expected.is.iter().flatten().find_map(|(field, value)| differs(row, field, value));
            let differs = differs.or_else(|| no_attempt(row, expected.attempt.as_ref()?));
            match differs {
                None => like += 1,
                // With a number given, the others may be otherwise.
                Some(why) if expected.count.is_none() => failed.push(format!("{}: {why}", name(row))),
                Some(_) => {}
            }
            if let Some(apart) = expected.apart
                && let Some(delivery) = row.delivery
                && let Some(why) = too_close(delivery, apart)
            {
                failed.push(format!("{}: {why}", name(row)));
            }
        }
        if let Some(count) = expected.count
            && like != count
        {
            let all = rows.len();
            failed.push(if expected.is.is_none() && expected.attempt.is_none() {
                let first: Vec<String> = rows.iter().take(3).map(name).collect();
                format!("there are {all} such rows, not {count}: {}", first.join(", "))
            } else {
                format!("{like} rows of {all} are so, not {count}")
            });
        }
    }

    fn judge_everywhere(&self, lacks: &str, failed: &mut Vec<String>) {
        if let Some(seen) = self.seen.iter().find(|s| s.says.contains(lacks)) {
            failed.push(format!("it stands in the text of {} by {}", seen.about.communique, seen.via));
        }
        if spelt_out(self.report).contains(lacks) {
            failed.push("it stands in the report".to_owned());
        }
        if self.written.contains(lacks) {
            failed.push("it stands in the journal or the timeline".to_owned());
        }
        if self.findings.iter().any(|f| f.to_string().contains(lacks)) {
            failed.push("it stands in a finding".to_owned());
        }
    }

    fn judge_order(&self, order: &[Reached], failed: &mut Vec<String>) {
        let mut before: Option<((u64, Moment), &Reached)> = None;
        let mut open: Option<String> = None;
        for reached in order {
            let rows = self.rows(Some(&reached.selector()));
            let when = |row: &Row<'_>| {
                let all = self.reached.get(&row.delivery?.id)?;
                all.range(reached.state..).map(|(_, at)| *at).min()
            };
            let times: Vec<(u64, Moment)> = rows.iter().filter_map(when).collect();
            let (Some(first), Some(last)) = (times.iter().min(), times.iter().max()) else {
                failed.push(format!("nothing of {} was {}", words(&reached.selector()), reached.state));
                return;
            };
            if let Some(earlier) = open {
                let next = words(&reached.selector());
                failed.push(format!("{earlier} by then, and the first of {next} already at {}", first.1));
            }
            // Whoever is exempt was not to get there, and the last may come later still.
            let late = |row: &&Row<'_>| when(row).is_none() && row.delivery.is_some_and(|d| d.class != Class::Exempt);
            open = rows.iter().find(late).map(|row| format!("{} was not {}", name(row), reached.state));
            if let Some((then, earlier)) = before
                && then > *first
            {
                let (earlier, later) = (words(&earlier.selector()), words(&reached.selector()));
                failed.push(format!(
                    "the last of {earlier} was at {}, the first of {later} already at {}",
                    then.1, first.1
                ));
            }
            before = Some((*last, reached));
        }
    }

    fn judge_whole(&self, expected: &Expectation, failed: &mut Vec<String>) {
        for (what, expected, said) in [
            ("declared", &expected.declarations, &self.report.declarations),
            ("approved", &expected.approvals, &self.report.approvals),
        ] {
            failed.extend(expected.as_ref().and_then(|expected| self.said_otherwise(what, expected, said)));
        }
        let totals = serde_json::to_value(self.report.totals).unwrap_or_default();
        for (field, wanted) in expected.totals.iter().flatten() {
            match totals.get(field).and_then(Value::as_u64) {
                Some(found) if found == u64::from(*wanted) => {}
                Some(found) => failed.push(format!("{found} are {field}, not {wanted}")),
                None => failed.push(format!("totals have no field `{field}`")),
            }
        }
        if let Some(reason) = &expected.reason {
            let others = self.report.people.iter().filter(|p| {
                p.class != Class::Informed && p.reason.as_deref() != Some("waived") && p.reason.as_ref() != Some(reason)
            });
            failed.extend(
                others.map(|p| format!("{}: the reason is {}", p.id, p.reason.as_deref().unwrap_or("none"))).take(5),
            );
        }
        if let Some(waits) = &expected.waiting_for
            && !self.report.waiting_for.iter().any(|w| w.contains(waits))
        {
            failed.push(format!("what is pending waits for: {}", self.report.waiting_for.join("; ")));
        }
        let verdict = serde_json::to_value(self.report.verdict).unwrap_or_default();
        if let Some(wanted) = &expected.verdict
            && verdict.as_str() != Some(wanted)
        {
            failed.push(format!("the verdict is {}, not {wanted}", verdict.as_str().unwrap_or_default()));
        }
        if let Some(exit) = expected.exit
            && exit != self.exit
        {
            failed.push(format!("the exit code is {}, not {exit}", self.exit));
        }
        if let Some(code) = &expected.finding
            && !self.findings.iter().any(|f| f.code == code)
        {
            let codes: Vec<&str> = self.findings.iter().map(|f| f.code).collect();
            failed.push(format!("there is no such finding; there are: {}", codes.join(", ")));
        }
    }

    /// How what was said differs from what is expected.
    fn said_otherwise(&self, what: &str, expected: &[Said], said: &[Statement]) -> Option<String> {
        let age = |statement: &Statement| {
            let present = statement.digest.as_ref() == Some(&self.report.digests.texts);
            if present { Age::Present } else { Age::Past }
        };
        let is_it = |(wanted, statement): (&Said, &Statement)| {
            wanted.of.as_ref().is_none_or(|of| of == &statement.of)
                && wanted.says.as_ref().is_none_or(|says| says == &statement.says)
                && (wanted.by.is_none() || wanted.by == statement.by)
                && wanted.digest.is_none_or(|digest| digest == age(statement))
        };
        if expected.len() == said.len() && expected.iter().zip(said).all(is_it) {
            return None;
        }
        let tell = |statement: &Statement| {
            let by = statement.by.as_deref().unwrap_or("nobody");
            let digest = statement.digest.as_ref().map(|_| format!(", its digest is {:?}", age(statement)));
            format!("{} {} by {by}{}", statement.of, statement.says, digest.unwrap_or_default().to_lowercase())
        };
        Some(format!("what was {what} is: {}", said.iter().map(tell).collect::<Vec<_>>().join("; ")))
    }

    /// What the plan does not have of what rows are selected by: of that nothing is ever sent, so that a slip of the pen would hold.
    fn is_nowhere(&self, of: &Selector) -> Option<String> {
        let plan = self.plan;
        let communiques = plan.communiques().iter();
        let occurrences =
            communiques.clone().flat_map(|of| &of.occurrences).filter_map(|of| Some(of.id.as_ref()?.as_str()));
        let Selector { communique, group, place, occurrence, via, part, .. } = of;
        let communique = communique.as_ref().map(CommuniqueId::as_str);
        lacks("communique", communique, communiques.clone().map(|of| of.id.as_str()))
            .or_else(|| {
                lacks("group", group.as_ref().map(GroupId::as_str), plan.groups().iter().map(|of| of.id.as_str()))
            })
            .or_else(|| {
                lacks(
                    "place",
                    place.as_ref().map(PlaceId::as_str),
                    plan.release().places.iter().map(|of| of.id.as_str()),
                )
            })
            .or_else(|| lacks("occurrence", occurrence.as_ref().map(OccurrenceId::as_str), occurrences))
            .or_else(|| {
                lacks("mechanism", via.as_ref().map(Mechanism::as_str), self.mechanisms.iter().map(|via| via.as_str()))
            })
            .or_else(|| lacks("part", part.as_deref(), PARTS.into_iter()))
    }

    fn rows(&self, of: Option<&Selector>) -> Vec<Row<'_>> {
        let all = self.report.people.iter().flat_map(|person| {
            let nothing = person.deliveries.is_empty().then_some(Row { person, delivery: None });
            let due = person.deliveries.iter().map(move |d| Row { person, delivery: Some(d) });
            nothing.into_iter().chain(due)
        });
        all.filter(|row| of.is_none_or(|of| self.is(row, of))).collect()
    }

    fn is(&self, row: &Row<'_>, of: &Selector) -> bool {
        let delivery = row.delivery;
        let is_in = |group: &str| match delivery {
            Some(delivery) => delivery.groups.iter().any(|g| g == group),
            None => {
                row.person.id == group
                    || self.groups.get(&row.person.id).is_some_and(|all| all.iter().any(|g| g == group))
            }
        };
        of.person.as_ref().is_none_or(|p| fits(p, &row.person.id))
            && of.group.as_ref().is_none_or(|g| is_in(g.as_str()))
            && of.communique.as_ref().is_none_or(|c| delivery.is_some_and(|d| d.communique == c.as_str()))
            && of
                .occurrence
                .as_ref()
                .is_none_or(|o| delivery.is_some_and(|d| d.occurrence.as_deref() == Some(o.as_str())))
            && of.place.as_ref().is_none_or(|p| delivery.is_some_and(|d| d.place.as_deref() == Some(p.as_str())))
            && of.via.as_ref().is_none_or(|v| delivery.is_some_and(|d| d.attempts.iter().any(|a| &a.mechanism == v)))
            && of.part.as_ref().is_none_or(|part| delivery.is_some_and(|d| is_word(&d.part, part)))
            && of.revision.is_none_or(|revision| delivery.is_some_and(|d| d.revision == revision))
    }

    /// Whether a far side saw it of these.
    fn is_of(&self, seen: &Seen, of: &Selector) -> bool {
        let person = |p: &String| seen.people.iter().any(|id| fits(p, id)) || self.shares(seen, p);
        of.group.as_ref().is_none_or(|g| seen.groups.iter().any(|s| s == g.as_str()))
            && of.communique.as_ref().is_none_or(|c| &seen.about.communique == c)
            && of.occurrence.as_ref().is_none_or(|o| seen.about.occurrence.as_ref() == Some(o))
            && of.place.as_ref().is_none_or(|p| seen.about.place.as_ref() == Some(p))
            && of.via.as_ref().is_none_or(|v| &seen.via == v)
            && of.part.as_ref().is_none_or(|part| is_word(&seen.about.part, part))
            && of.revision.is_none_or(|revision| seen.about.revision == revision)
            && of.person.as_ref().is_none_or(person)
    }

    /// Whether it is a post that tells such a person, too.
    fn shares(&self, seen: &Seen, person: &str) -> bool {
        let about = &seen.about;
        let is_told = |d: &DeliveryReport| {
            d.communique == about.communique.as_str()
                && d.occurrence.as_deref() == about.occurrence.as_ref().map(OccurrenceId::as_str)
                && d.place.as_deref() == about.place.as_ref().map(PlaceId::as_str)
                && (d.part, d.revision) == (about.part, about.revision)
                && d.attempts.iter().any(|attempt| attempt.mechanism == seen.via)
                && d.groups.iter().any(|group| seen.groups.contains(group))
        };
        let mut people = self.report.people.iter().filter(|who| fits(person, &who.id));
        seen.is_post && people.any(|who| who.deliveries.iter().any(is_told))
    }

    /// The texts that reached a far side.
    fn texts(&self, of: Option<&Selector>) -> Vec<&Seen> {
        self.seen.iter().filter(|s| s.arrived && of.is_none_or(|of| self.is_of(s, of))).collect()
    }
}

/// As JSON, and each of its words as it was before JSON put signs before quotes and others.
pub(super) fn spelt_out(part: &impl Serialize) -> String {
    fn add(value: &Value, to: &mut String) {
        match value {
            Value::String(text) => {
                to.push('\n');
                to.push_str(text);
            }
            Value::Array(items) => items.iter().for_each(|item| add(item, to)),
            Value::Object(fields) => fields.values().for_each(|value| add(value, to)),
            _ => {}
        }
    }
    let tree = serde_json::to_value(part).unwrap_or_default();
    let mut all = tree.to_string();
    add(&tree, &mut all);
    all
}

/// That the plan has no such word, and which one was perhaps meant.
fn lacks<'w>(what: &str, word: Option<&str>, known: impl Iterator<Item = &'w str> + Clone) -> Option<String> {
    let word = word.filter(|word| !known.clone().any(|known| known == *word))?;
    Some(no_such(what, word, known))
}

/// What is said of a word that the plan does not have.
pub(super) fn no_such<'w>(what: &str, word: &str, known: impl Iterator<Item = &'w str>) -> String {
    let meant = did_you_mean(word, known).map(|meant| format!("; {meant}")).unwrap_or_default();
    format!("the plan has no {what} `{word}`{meant}")
}

/// Whether a word of the report is this one.
fn is_word(part: &Part, word: &str) -> bool {
    serde_json::to_value(part).is_ok_and(|value| value.as_str() == Some(word))
}

fn judge_words(words: &Words, texts: &[&Seen], failed: &mut Vec<String>) {
    if texts.is_empty() {
        failed.push("no such text reached a far side".to_owned());
    }
    for seen in texts {
        let whom = if seen.people.is_empty() { "all".to_owned() } else { seen.people.join(", ") };
        if let Some(contains) = &words.contains
            && !seen.says.contains(contains)
        {
            failed.push(format!("{} to {whom} does not say it: {}", seen.about.communique, seen.says.trim()));
        }
        if let Some(lacks) = &words.lacks
            && seen.says.contains(lacks)
        {
            failed.push(format!("{} to {whom} says it", seen.about.communique));
        }
    }
}

fn name(row: &Row<'_>) -> String {
    match row.delivery {
        Some(delivery) => format!("{} of {}", delivery.id, row.person.id),
        None => row.person.id.clone(),
    }
}

fn words(of: &Selector) -> String {
    let parts = [
        of.communique.as_ref().map(ToString::to_string),
        of.occurrence.as_ref().map(|o| format!("occurrence {o}")),
        of.place.as_ref().map(|p| format!("at {p}")),
        of.group.as_ref().map(|g| format!("for {g}")),
        of.person.as_ref().map(|p| format!("to {p}")),
        of.part.as_ref().map(|part| format!("as {part}")),
        of.revision.map(|revision| format!("of revision {revision}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// What a field of the report shows, where it is not what is wanted.
fn differs(row: &Row<'_>, field: &str, wanted: &str) -> Option<String> {
    let found = fields::of_row(row.person, row.delivery, field);
    (found != wanted).then(|| format!("{field} is {found}, not {wanted}"))
}

/// A value of the report in the words of a script.
pub(super) fn shown(value: Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text,
        Value::Array(items) => items.len().to_string(),
        other => other.to_string(),
    }
}

/// What the attempts of a row show, where none of them shows all that is wanted.
fn no_attempt(row: &Row<'_>, wanted: &Ordered<String, String>) -> Option<String> {
    let attempts = row.delivery.map(|delivery| delivery.attempts.as_slice()).unwrap_or_default();
    let values: Vec<Value> = attempts.iter().map(|a| serde_json::to_value(a).unwrap_or_default()).collect();
    // What a report leaves out is none.
    let shows = |attempt: &Value, field: &str| shown(attempt.get(field).cloned().unwrap_or_default());
    let is_it = |attempt: &Value| wanted.iter().all(|(field, value)| shows(attempt, field) == *value);
    if values.iter().any(is_it) {
        return None;
    }
    let tell = |attempt: &Value| {
        let fields = wanted.keys().map(|field| format!("{field} {}", shows(attempt, field)));
        fields.collect::<Vec<_>>().join(", ")
    };
    let told: Vec<String> = values.iter().map(tell).collect();
    Some(format!("no attempt is like that: {}", if told.is_empty() { "there is none".into() } else { told.join("; ") }))
}

fn too_close(delivery: &DeliveryReport, apart: Elapsed) -> Option<String> {
    let pairs = delivery.attempts.iter().zip(delivery.attempts.iter().skip(1));
    pairs
        .filter(|(before, after)| after.at.since(before.at) < apart.0)
        .map(|(before, after)| format!("attempts at {} and {}", before.at, after.at))
        .next()
}
