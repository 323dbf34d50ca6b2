//! Where the people of a plan come from, seen from the command.

mod command;

use command::{Folder, Ran, relcomm_with};
use serde_json::Value;
use std::collections::BTreeSet;

const KEY: &str = "b3f1c0d2-and-as-much-again";

/// A plan whose customers have no id of their own.
fn folder(members: &str) -> Folder {
    let folder = Folder::empty();
    let plan = format!(
        "plan: 1\nrelease: {{ product: Anvil, version: 2.0.0, what: Folders, why: Teams asked., how: Choose Share. }}\n\
         responsible: Ada <ada@anvil.example>\ngroups: {{ customers: {{ members: {{ {members} }} }} }}\n\
         communiques: {{ live: {{ to: customers }} }}\n"
    );
    std::fs::write(folder.path("plan.yaml"), plan).unwrap();
    std::fs::write(folder.path("people.csv"), "email,name\nbea.voss@anvil.example,Bea\ncho.lee@anvil.example,Cho\n")
        .unwrap();
    folder
}

fn validated(folder: &Folder, key: Option<&str>) -> Ran {
    let env: Vec<_> = key.into_iter().map(|key| ("MEMBER_KEY", key.to_owned())).collect();
    relcomm_with(folder, &["validate", "plan.yaml"], &env)
}

/// The ids of all who were told, by the report.
fn told(folder: &Folder) -> BTreeSet<String> {
    let ran = relcomm_with(folder, &["deliver", "plan.yaml", "--format", "json"], &[("MEMBER_KEY", KEY.to_owned())]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    report["people"].as_array().unwrap().iter().map(|who| who["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn ids_are_derived_with_a_key_of_the_environment_or_of_a_file_and_are_the_same_in_every_run() {
    let first = told(&folder("file: people.csv, id_key: { env: MEMBER_KEY }"));
    assert_eq!(first.len(), 2);
    assert!(first.iter().all(|id| id.len() == 26), "{first:?}");
    let other = folder("file: people.csv, id_key: { file: keys/member.key }");
    std::fs::create_dir(other.path("keys")).unwrap();
    std::fs::write(other.path("keys/member.key"), format!("{KEY}\r\n")).unwrap();
    assert_eq!(told(&other), first);
}

#[test]
fn a_key_that_is_missing_or_short_is_a_finding_that_does_not_show_it() {
    let folder = folder("file: people.csv, id_key: { env: MEMBER_KEY }");
    assert_eq!(validated(&folder, Some(KEY)).code, 0);
    let missing = validated(&folder, None);
    assert_eq!(missing.code, 2);
    assert!(missing.stdout.contains("RC0430") && missing.stdout.contains("`MEMBER_KEY`"), "{}", missing.stdout);
    let short = validated(&folder, Some("fifteen-octets!"));
    assert_eq!(short.code, 2);
    assert!(short.stdout.contains("RC0431"), "{}", short.stdout);
    assert!(!short.stdout.contains("fifteen-octets!"), "{}", short.stdout);
}

#[test]
fn the_command_has_no_directories_and_says_what_to_do() {
    let ran = validated(&folder("directory: crm"), None);
    assert_eq!(ran.code, 2);
    assert!(ran.stdout.contains("RC0432") && ran.stdout.contains("name a file of members"), "{}", ran.stdout);
}
