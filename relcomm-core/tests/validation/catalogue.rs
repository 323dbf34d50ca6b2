//! The catalogue is whole: every code that is written is explained, and every code that is explained is found in some plan.

use relcomm_core::validate::{catalogue, explain, standard_rules};
use std::collections::BTreeSet;
use std::path::Path;

fn written(dir: &Path, codes: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            written(&path, codes);
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("validate/catalogue.rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let found = text.match_indices("\"RC").filter_map(|(at, _)| text.get(at + 1..at + 7));
            codes.extend(found.filter(|code| code[2..].chars().all(|c| c.is_ascii_digit())).map(str::to_owned));
        }
    }
}

#[test]
fn every_code_is_explained_and_none_other() {
    let mut codes = BTreeSet::new();
    written(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut codes);
    written(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../relcomm-channels/src"), &mut codes);
    let explained: BTreeSet<String> = catalogue().iter().map(|e| e.code.to_owned()).collect();
    assert_eq!(codes, explained);
}

#[test]
fn explanations_are_in_order_and_found_by_code() {
    assert!(catalogue().windows(2).all(|two| two[0].code < two[1].code));
    assert!(catalogue().iter().all(|e| explain(e.code) == Some(e) && !e.title.is_empty()));
    assert_eq!(explain("RC9999"), None);
}

#[test]
fn every_rule_names_codes_of_the_catalogue_and_each_code_one_rule() {
    let rules = standard_rules();
    let named: Vec<&str> = rules.iter().flat_map(|rule| rule.codes()).copied().collect();
    assert!(named.iter().all(|code| explain(code).is_some()));
    assert_eq!(named.iter().collect::<BTreeSet<_>>().len(), named.len());
}
