//! The contract suites judged: for every clause there is an implementation that breaks it, and is caught.
#![allow(clippy::print_stdout, reason = "the table of clauses and what they catch is the result")]

mod bite;
mod channel;
mod journal;
mod source;

use relcomm_testkit::contract::channel::clauses;

fn read(path: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_documentation_the_macro_and_the_suite_have_the_same_clauses() {
    let documented = read("../relcomm-core/src/channel/mod.rs");
    let names: Vec<&str> = clauses().collect();
    for (n, name) in names.iter().enumerate() {
        assert!(name.starts_with(&format!("c{:02}_", n + 1)), "{name}");
        assert_eq!(documented.matches(&format!("* **C{}** ", n + 1)).count(), 1, "C{} is documented once", n + 1);
    }
    assert!(!documented.contains(&format!("**C{}**", names.len() + 1)), "a clause is documented and not judged");
    assert_eq!(listed("src/contract/channel/mod.rs", 'c'), names);
}

/// The names of clauses that stand on lines of their own in a file.
fn listed(path: &str, letter: char) -> Vec<String> {
    let is_name = |l: &&str| l.starts_with(letter) && l.as_bytes().get(3) == Some(&b'_') && !l.contains([' ', '(']);
    read(path).lines().map(str::trim).filter(is_name).map(str::to_owned).collect()
}
