//! Broken plans as files that people can read.
//!
//! A case file holds a sentence, its kind, and sections. `=== plan.toml changed` says in the form of a patch how the plan differs from
//! the good one of its format; `=== members.csv` holds a whole file. The mark `«` stands where a finding must be, and `‹FF 09›` for
//! octets that cannot be seen. Every plan in it is a case of its own; a case file without a plan breaks what lies beside the good one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

const MARK: &str = "«";

/// The planned day as the files write it. They are laid out with that day of the year after next, which is neither past nor far.
const DAY: &str = "2099-05-12";

fn day_to_come() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    // Mean years do, a day before or after.
    let year = 1970 + now.as_secs() / 31_556_952 + 2;
    DAY.replace("2099", &year.to_string())
}

/// What was printed of that day, as the files write it.
pub(crate) fn as_written(printed: &str) -> String {
    printed.replace(&day_to_come(), DAY)
}

fn dated(bytes: &[u8]) -> Vec<u8> {
    let mut dated = bytes.to_vec();
    let (day, to_come) = (DAY.as_bytes(), day_to_come());
    for at in 0..dated.len().saturating_sub(day.len() - 1) {
        if dated[at..].starts_with(day) {
            dated[at..at + day.len()].copy_from_slice(to_come.as_bytes());
        }
    }
    dated
}

/// The three formats of one plan, by the endings of file names.
pub(crate) const FORMATS: [&str; 3] = ["yaml", "toml", "json"];

/// One plan with the files beside it.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// What is wrong, in a sentence.
    pub(crate) sentence: String,
    /// The theme.
    pub(crate) kind: String,
    /// The name of the plan's file.
    pub(crate) plan: String,
    /// All files, without marks.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// Where findings must stand: file, line and column.
    pub(crate) marks: BTreeSet<(String, usize, usize)>,
}

impl Case {
    /// A case whose plan stands alone.
    pub(crate) fn alone(sentence: &str, kind: &str, plan: &str, text: &[u8]) -> Self {
        let mut case = Self {
            sentence: sentence.to_owned(),
            kind: kind.to_owned(),
            plan: plan.to_owned(),
            files: BTreeMap::new(),
            marks: BTreeSet::new(),
        };
        case.add(plan, text);
        case
    }

    pub(crate) fn format(&self) -> &str {
        self.plan.rsplit('.').next().unwrap()
    }

    /// Adds a file and takes its marks out.
    pub(crate) fn add(&mut self, name: &str, text: &[u8]) {
        let mut clean: Vec<u8> = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.windows(MARK.len()).position(|bytes| bytes == MARK.as_bytes()) {
            clean.extend(&rest[..at]);
            rest = &rest[at + MARK.len()..];
            let (line, column) = end_of(&clean);
            self.marks.insert((name.to_owned(), line, column));
        }
        clean.extend(rest);
        self.files.insert(name.to_owned(), dated(&clean));
    }

    /// The line of a file, without its end.
    pub(crate) fn line(&self, file: &str, line: usize) -> String {
        let bytes = self.files[file].split(|byte| *byte == b'\n').nth(line - 1).unwrap();
        String::from_utf8_lossy(bytes).trim_start_matches('\u{feff}').trim_end_matches('\r').to_owned()
    }
}

/// The line and the column, in characters, right behind these octets. A byte order mark is no character.
fn end_of(before: &[u8]) -> (usize, usize) {
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let last = before.rsplit(|byte| *byte == b'\n').next().unwrap();
    let last = last.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(last);
    (line, String::from_utf8_lossy(last).chars().count() + 1)
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken").join(name)
}

/// The good plans and what lies beside them.
pub(crate) fn good() -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder("good")).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
}

/// The good plan of a format, alone with what it names.
pub(crate) fn good_case(format: &str) -> Case {
    let plan = format!("plan.{format}");
    let mut case = Case::alone("Nothing is wrong.", "good", &plan, &good()[&plan]);
    case.files.extend(companions());
    case
}

fn companions() -> impl Iterator<Item = (String, Vec<u8>)> {
    good().into_iter().filter(|(name, _)| !name.starts_with("plan."))
}

/// Every case file by its name, in order, with the cases that it holds.
pub(crate) fn all() -> BTreeMap<String, Vec<Case>> {
    let entries = fs::read_dir(folder("cases")).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), read(&path))).collect()
}

fn read(path: &Path) -> Vec<Case> {
    let text = fs::read_to_string(path).unwrap();
    let (head, sections) = text.split_once("\n=== ").unwrap_or_else(|| panic!("{}: no section", path.display()));
    let (sentence, kind) =
        head.trim_end().split_once("\nkind: ").unwrap_or_else(|| panic!("{}: no kind", path.display()));
    let (plans, beside): (Vec<_>, Vec<_>) = sections
        .split("\n=== ")
        .map(|section| section.split_once('\n').unwrap_or((section, "")))
        .map(|(name, body)| match name.strip_suffix(" changed") {
            Some(name) => (name, patched(name, body)),
            None => (name, body.to_owned()),
        })
        .partition(|(name, _)| name.starts_with("plan."));
    let good_plan = [("plan.yaml", String::from_utf8(good()["plan.yaml"].clone()).unwrap())];
    let plans = if plans.is_empty() { good_plan.to_vec() } else { plans };
    let case = |(name, body): &(&str, String)| {
        let mut case = Case::alone(sentence, kind, name, &octets(body));
        case.files.extend(companions());
        for (name, body) in &beside {
            case.add(name, &octets(body));
        }
        case
    };
    plans.iter().map(case).collect()
}

/// The good file with the hunks of a patch applied; they are divided by `@@`.
fn patched(name: &str, patch: &str) -> String {
    let mut text = String::from_utf8(good()[name].clone()).unwrap();
    for hunk in patch.trim_end_matches('\n').split("\n@@\n") {
        let side = |other: char| -> String {
            let lines = hunk.lines().filter(|line| !line.starts_with(other));
            lines.map(|line| format!("{}\n", line.get(1..).unwrap_or_default())).collect()
        };
        let (old, new) = (side('+'), side('-'));
        assert_eq!(
            format!("\n{text}").matches(&format!("\n{old}")).count(),
            1,
            "{name}: these lines stand there once:\n{old}"
        );
        text = format!("\n{text}").replacen(&format!("\n{old}"), &format!("\n{new}"), 1).split_off(1);
    }
    text
}

/// The text with `‹…›` replaced by the octets that it names.
fn octets(text: &str) -> Vec<u8> {
    let mut parts = text.split('‹');
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        let (named, rest) = part.split_once('›').expect("‹ is closed");
        bytes.extend(named.split(' ').map(|octet| u8::from_str_radix(octet, 16).unwrap()));
        bytes.extend(rest.as_bytes());
    }
    bytes
}
