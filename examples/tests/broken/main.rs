//! Plans that are broken in every way that people break plans, run through the command: each ends at once with code 2, sends and writes
//! nothing, and says what is wrong at the place where it is wrong. `case.rs` says how the cases are written.
//!
//! Where a finding must stand is counted from the mark in the case, not taken from a snapshot; a snapshot shows how it reads.

mod case;
#[path = "../command/mod.rs"]
mod command;
mod huge;

use case::{Case, FORMATS};
use command::{Folder, Ran, relcomm};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const AT_ONCE: Duration = Duration::from_secs(1);

/// Lays the files of a case out in a folder of its own.
fn laid_out(case: &Case) -> Folder {
    let folder = Folder::empty();
    for (name, content) in &case.files {
        fs::write(folder.path(name), content).unwrap();
    }
    folder
}

/// Everything below a folder, with its content.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            all.insert(format!("{}/", entry.path().display()), Vec::new());
            all.extend(contents(&entry.path()));
        } else {
            all.insert(entry.path().display().to_string(), fs::read(entry.path()).unwrap());
        }
    }
    all
}

/// Runs a verb that must end at once. What took longer by the clock may have waited for a busy machine: then the time counts for which
/// it had the processor.
fn at_once(folder: &Folder, args: &[&str]) -> Ran {
    let begun = Instant::now();
    let ran = relcomm(folder, args);
    let took = begun.elapsed();
    assert!(!ran.stderr.contains("panicked"), "{args:?}: {}", ran.stderr);
    assert!(took < 10 * AT_ONCE, "{args:?} takes {took:?}");
    if took >= AT_ONCE {
        let worked = processor_time(folder, args);
        assert!(worked < AT_ONCE, "{args:?} works for {worked:?}");
    }
    ran
}

/// How long the processor works for a run, as the shell tells: `0m0.55s 0m0.02s` for itself and then for what it ran.
fn processor_time(folder: &Folder, args: &[&str]) -> Duration {
    let script = r#""$0" "$@" >/dev/null 2>&1; times"#;
    let mut shell = Command::new("sh");
    shell.args(["-c", script, env!("CARGO_BIN_EXE_relcomm")]).args(args).current_dir(folder.path(""));
    let told = String::from_utf8(shell.output().unwrap().stdout).unwrap();
    let seconds = |time: &str| -> f64 {
        let (minutes, seconds) = time.trim_end_matches('s').split_once('m').unwrap();
        minutes.parse::<f64>().unwrap() * 60.0 + seconds.parse::<f64>().unwrap()
    };
    Duration::from_secs_f64(told.lines().nth(1).unwrap().split_whitespace().map(seconds).sum())
}

/// Runs a broken plan and checks everything but the words. Returns what `validate` prints, and what it finds but for where.
fn refused(case: &Case) -> (String, Value) {
    let folder = laid_out(case);
    let before = contents(&folder.path(""));
    let validated = at_once(&folder, &["validate", &case.plan]);
    let delivered = at_once(&folder, &["deliver", &case.plan]);
    assert_eq!((validated.code, delivered.code), (2, 2), "{}\n{}{}", case.sentence, validated.stdout, delivered.stderr);
    assert_eq!((&*validated.stderr, &*delivered.stderr), ("", ""), "{}", case.sentence);
    assert_eq!(validated.stdout, delivered.stdout, "{}", case.sentence);
    let found = at_once(&folder, &["validate", &case.plan, "--format", "json"]);
    assert!(contents(&folder.path("")) == before, "{}: something was written", case.sentence);

    let mut found: Value = serde_json::from_str(&found.stdout).unwrap();
    let stands: BTreeSet<(String, usize, usize)> = found["findings"].as_array().unwrap().iter().map(place).collect();
    assert_eq!(stands, case.marks, "{}: found and marked differ in {}\n{}", case.sentence, case.plan, validated.stdout);
    for mark in &case.marks {
        shows(case, &validated.stdout, mark);
    }
    for address in ["@anvil", "@client", "5550", "gus@"] {
        assert!(!validated.stdout.contains(address), "{}: shows an address\n{}", case.sentence, validated.stdout);
    }
    for finding in found["findings"].as_array_mut().unwrap() {
        finding.as_object_mut().unwrap().remove("at");
    }
    (case::as_written(&validated.stdout), found)
}

fn place(finding: &Value) -> (String, usize, usize) {
    let number = |name: &str| usize::try_from(finding["at"][name].as_u64().unwrap()).unwrap();
    (finding["at"]["file"].as_str().unwrap().to_owned(), number("line"), number("column"))
}

/// What is said of members, whose line is not shown.
const OF_MEMBERS: [&str; 6] = ["[RC0404]", "[RC0405]", "[RC0407]", "[RC0408]", "[RC0410]", "[RC0411]"];

/// Checks that the printed line is that of the file, and the caret under the marked character. Lines of members are never shown.
fn shows(case: &Case, printed: &str, (file, line, column): &(String, usize, usize)) {
    let block = printed.split("\n\n").find(|block| block.starts_with(&format!("{file}:{line}:{column}: "))).unwrap();
    let lines = block.lines().skip_while(|l| !l.starts_with(&format!("{line} | "))).take(2).collect::<Vec<_>>();
    let source: Vec<char> = case.line(file, *line).chars().collect();
    let of_members =
        file.ends_with(".csv") || file.ends_with(".jsonl") || OF_MEMBERS.iter().any(|code| block.contains(code));
    let nothing = source.first().is_none_or(|first| *first == char::REPLACEMENT_CHARACTER) || source.len() > 16 << 20;
    assert_eq!(lines.is_empty(), of_members || nothing, "{}: is the line shown?\n{printed}", case.sentence);
    let [text, caret] = lines[..] else { return };
    let lead = line.to_string().len() + " | ".len();
    let (text, caret): (Vec<char>, Vec<char>) = (text.chars().skip(lead).collect(), caret.chars().skip(lead).collect());
    assert_eq!(caret.last(), Some(&'^'));
    // How wide other characters are is tested where the caret is made.
    if source.iter().all(char::is_ascii) {
        let under = caret.len() - 1;
        let same = |a: Option<&char>, b: Option<&char>| a == b || matches!(a, Some('•' | '…' | '\u{fffd}'));
        for around in 0..10.min(under) {
            assert!(same(text.get(under - around), source.get(column - 1 - around)), "{}\n{printed}", case.sentence);
        }
    }
}

/// Runs the cases of these kinds, and compares what they print with the snapshots.
fn check(kinds: &[&str]) {
    let seeds = Path::new(env!("CARGO_TARGET_TMPDIR")).join("broken");
    fs::create_dir_all(&seeds).unwrap();
    for (name, cases) in case::all().into_iter().filter(|(_, cases)| kinds.contains(&&*cases[0].kind)) {
        let mut shown = format!("{}\n", cases[0].sentence);
        let mut found = BTreeSet::new();
        for case in &cases {
            // The fuzz targets begin from them.
            fs::write(seeds.join(format!("{name}.{}", case.format())), &case.files[&case.plan]).unwrap();
            let (printed, said) = refused(case);
            shown.push_str(&format!("\n$ relcomm validate {}\n{printed}", case.plan));
            found.insert(said.to_string());
        }
        // What is wrong with the form of a file is said by the parser of its format; all else is the same in every format.
        let of_form = matches!(&*cases[0].kind, "syntax" | "encoding");
        assert!(of_form || found.len() == 1, "{name}: {found:#?}");
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true, snapshot_path => "snapshots" }, {
            insta::assert_snapshot!(name, shown);
        });
    }
}

#[test]
fn what_is_no_yaml_toml_or_json_is_refused_where_it_stops_to_be() {
    check(&["syntax", "encoding"]);
}

#[test]
fn keys_and_values_of_the_wrong_kind_are_refused_where_they_stand() {
    check(&["keys", "values"]);
}

#[test]
fn what_names_nothing_is_refused_with_what_was_meant() {
    check(&["reference"]);
}

#[test]
fn times_and_orders_that_cannot_be_are_refused() {
    check(&["time", "order"]);
}

#[test]
fn what_is_incomplete_or_cannot_be_proved_is_refused() {
    check(&["complete"]);
}

#[test]
fn texts_are_refused_where_they_are_wrong() {
    check(&["text"]);
}

#[test]
fn people_who_cannot_be_reached_are_found_and_not_shown() {
    check(&["people", "members"]);
}

#[test]
fn what_is_huge_is_refused_at_once() {
    for case in huge::all() {
        let (shown, _) = refused(&case);
        assert!(shown.len() < 100_000, "{}: {} octets are printed", case.sentence, shown.len());
    }
}

/// How many cases there are of each kind: YAML, TOML, JSON. A number is only ever raised.
const COUNTED: [(&str, [usize; 3]); 12] = [
    ("complete", [8, 8, 8]),
    ("encoding", [12, 10, 10]),
    ("keys", [5, 5, 5]),
    ("members", [21, 2, 2]),
    ("order", [7, 7, 7]),
    ("people", [8, 8, 8]),
    ("reference", [13, 13, 13]),
    ("size", [7, 2, 3]),
    ("syntax", [20, 14, 17]),
    ("text", [12, 7, 7]),
    ("time", [6, 6, 6]),
    ("values", [8, 8, 8]),
];

#[test]
fn no_case_is_lost() {
    let mut counts: BTreeMap<String, [usize; 3]> = BTreeMap::new();
    for case in case::all().into_values().flatten().chain(huge::all()) {
        let format = FORMATS.iter().position(|format| *format == case.format()).unwrap();
        counts.entry(case.kind).or_default()[format] += 1;
    }
    let counts: Vec<(&str, [usize; 3])> = counts.iter().map(|(kind, counts)| (&**kind, *counts)).collect();
    assert_eq!(counts, COUNTED, "cases that were added are counted here; none is taken away");
}

#[test]
fn the_good_plan_is_good_in_every_format() {
    for format in FORMATS {
        let case = case::good_case(format);
        let folder = laid_out(&case);
        let validated = relcomm(&folder, &["validate", &case.plan]);
        assert_eq!((validated.code, &*validated.stdout), (0, "valid\n"));
        let delivered = relcomm(&folder, &["deliver", &case.plan]);
        assert_eq!(delivered.code, 0, "{}\n{}", delivered.stdout, delivered.stderr);
    }
}
