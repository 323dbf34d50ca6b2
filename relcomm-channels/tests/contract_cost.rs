//! What the contract suite costs the author of a channel: the lines of our own fixtures are counted.

use std::fs;
use std::path::Path;

/// The most lines that are not blank.
const MOST: usize = 30;

/// The lines of a fixture: all between the imports and the calls of the suite.
fn fixture(source: &str) -> Vec<&str> {
    let imports = source.lines().enumerate().filter(|(_, line)| line.starts_with("use ") || *line == "};").last();
    let body = source.lines().skip(imports.map_or(0, |(at, _)| at + 1));
    let body = body.take_while(|line| !line.starts_with("mod ") && !line.contains("channel_contract!"));
    body.filter(|line| !line.trim().is_empty()).collect()
}

#[test]
fn a_fixture_has_few_lines() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).expect("the tests") {
        let name = entry.expect("an entry").file_name().into_string().expect("a name");
        if name.ends_with("_contract.rs") {
            let source = fs::read_to_string(folder.join(&name)).expect("a test");
            let lines = fixture(&source).len();
            assert!((5..=MOST).contains(&lines), "{name} has {lines} lines of fixture");
            names.push(name);
        }
    }
    assert!(names.len() >= 4, "{names:?}");
}
