//! What the compiler does not check: the order of modules, sizes, names, and that the documents say what the code does.

use relcomm_core::validate::catalogue;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const CRATES: [&str; 4] = ["relcomm-core", "relcomm-channels", "relcomm-testkit", "examples"];
const LONGEST: usize = 600;
/// Names that say nothing of what a file holds.
const EMPTY_NAMES: [&str; 5] = ["utils", "helpers", "common", "misc", "manager"];
/// What reads the wall clock or sets a timer.
const TIMERS: [&str; 4] = ["Utc::now", "Instant::now", "SystemTime::now", "tokio::time"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the repository").to_path_buf()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Every file with this ending below a folder, in order; build output and hidden folders are passed over.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|e| e == ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn sources() -> Vec<PathBuf> {
    CRATES.iter().flat_map(|name| files(&root().join(name), "rs")).collect()
}

/// The code of a file: without lines that are comments.
fn code(path: &Path) -> String {
    read(path).lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn word(text: &str) -> &str {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default()
}

/// The top-level modules that a file of the crate names, by path or in a list.
fn named(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        let Some(list) = rest.strip_prefix('{') else {
            names.insert(word(rest).to_owned());
            continue;
        };
        let mut depth = 0_i32;
        let mut first = true;
        for (at, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => first = true,
                c if first && !c.is_whitespace() => {
                    names.insert(word(&list[at..]).to_owned());
                    first = false;
                }
                _ => {}
            }
        }
    }
    names
}

#[test]
fn lists_and_paths_are_both_seen() {
    let found = named("use crate::{clock::{Clock, Moment}, id, plan::Plan};\nlet a = crate::release::Outcome::Begun;");
    assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), ["clock", "id", "plan", "release"]);
}

#[test]
fn a_module_uses_only_modules_above_it() {
    let folder = root().join("relcomm-core/src");
    let lib = read(&folder.join("lib.rs"));
    let order: Vec<&str> = lib.lines().filter_map(|l| l.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let place: BTreeMap<&str, usize> = order.iter().enumerate().map(|(i, m)| (*m, i)).collect();
    assert!(place.len() >= 17, "{order:?}");
    let mut wrong = Vec::new();
    for path in files(&folder, "rs") {
        let inside = path.strip_prefix(&folder).expect("it lies there");
        let top = inside.components().next().expect("a name").as_os_str().to_string_lossy().into_owned();
        let Some(own) = place.get(top.trim_end_matches(".rs")) else { continue };
        for name in named(&code(&path)) {
            if place.get(name.as_str()).is_some_and(|used| used > own) {
                wrong.push(format!("{} uses {name}", inside.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "a module uses one that comes after it in lib.rs:\n{}", wrong.join("\n"));
    let told: Vec<&str> = lib.lines().filter_map(|l| Some(word(l.strip_prefix("//! | [`")?))).collect();
    assert_eq!(told, order, "the table of modules in lib.rs is in their order");
}

#[test]
fn one_file_reads_the_clock() {
    let folder = root().join("relcomm-core/src");
    for path in files(&folder, "rs") {
        if path != folder.join("clock.rs") {
            let code = code(&path);
            let found: Vec<&&str> = TIMERS.iter().filter(|timer| code.contains(**timer)).collect();
            assert!(found.is_empty(), "{} names {found:?}: wait through Clock", path.display());
        }
    }
}

#[test]
fn no_file_is_too_long_to_read() {
    let long: Vec<String> = sources()
        .iter()
        .map(|path| (path, read(path).lines().count()))
        .filter(|(_, lines)| *lines > LONGEST)
        .map(|(path, lines)| format!("{}: {lines} lines", path.display()))
        .collect();
    assert!(long.is_empty(), "split by meaning:\n{}", long.join("\n"));
}

#[test]
fn names_say_what_is_inside() {
    for path in sources() {
        let inside = path.strip_prefix(root()).expect("it lies there");
        for part in inside.iter().map(|part| part.to_string_lossy()) {
            let name = part.trim_end_matches(".rs");
            assert!(!EMPTY_NAMES.contains(&name), "{}: `{name}` says nothing", inside.display());
        }
    }
}

#[test]
fn every_channel_is_a_folder_of_the_same_files() {
    let folder = root().join("relcomm-channels");
    let manifest = read(&folder.join("Cargo.toml"));
    let features = manifest.split("[features]\n").nth(1).and_then(|rest| rest.split("\n[").next()).expect("features");
    let names: Vec<&str> = features.lines().filter_map(|l| l.split_once(" = ")).map(|(name, _)| name).collect();
    let channels: Vec<&str> = names.into_iter().filter(|name| *name != "default").collect();
    assert!(channels.len() >= 4, "{channels:?}");
    let has = |channel: &str, part: &str| {
        let own = folder.join("src").join(channel);
        own.join(format!("{part}.rs")).is_file() || own.join(part).join("mod.rs").is_file()
    };
    for channel in channels {
        assert!(has(channel, "mod"), "{channel} is a feature and has no folder");
        let parts = files(&folder.join("src").join(channel), "rs").len();
        // What a person does needs neither settings nor a wire.
        for part in ["options", "error", "wire"] {
            assert!(parts == 1 || has(channel, part), "{channel} has no `{part}`, as the others have");
        }
    }
}

#[test]
fn the_readme_shows_the_plan_and_the_program_that_are_tested() {
    let readme = read(&root().join("README.md"));
    let plan = read(&root().join("examples/plans/quickstart.yaml"));
    assert!(readme.contains(&format!("```yaml\n{plan}```")), "examples/plans/quickstart.yaml stands in the README");
    let program = read(&root().join("examples/quickstart.rs"));
    let body = program.split_once("#[tokio::main").map(|(_, body)| format!("#[tokio::main{body}")).expect("a main");
    assert!(readme.contains(&body), "examples/quickstart.rs, from `main` on, stands in the README");
}

#[test]
fn the_readme_names_every_part_that_is_not_acted_on_and_every_verb() {
    let readme = read(&root().join("README.md"));
    let missing: Vec<&str> = catalogue()
        .iter()
        .filter(|entry| entry.title.starts_with("not acted on yet") && !readme.contains(entry.code))
        .map(|entry| entry.code)
        .collect();
    assert!(missing.is_empty(), "the README does not say that nothing acts on {missing:?}");
    let arguments = read(&root().join("examples/relcomm/src/arguments.rs"));
    let verbs = arguments.split("pub enum Verb {").nth(1).and_then(|rest| rest.split("\n}").next()).expect("verbs");
    let variants = verbs
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()) && line.ends_with([',', '{']));
    let table: Vec<&str> = readme.lines().filter(|line| line.starts_with("| `")).collect();
    let mut seen = 0;
    for variant in variants {
        seen += 1;
        let verb = word(variant).chars().fold(String::new(), |mut verb, c| {
            if c.is_ascii_uppercase() && !verb.is_empty() {
                verb.push('-');
            }
            verb.push(c.to_ascii_lowercase());
            verb
        });
        let named = table.iter().any(|row| row.contains(&format!("`{verb}")));
        assert!(named, "the README's table does not name `{verb}`");
    }
    assert!(seen >= 16, "{seen} verbs");
}
