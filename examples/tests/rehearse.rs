//! `relcomm rehearse`: a plan and a script, no network and no waiting.

mod command;

use command::{Folder, relcomm, relcomm_with};
use serde_json::Value;

const S1: [&str; 4] = ["rehearse", "s1-crate.yaml", "--script", "s1-crate.rehearsal.yaml"];

/// As S1, and in a format.
fn s1(folder: &Folder, format: &str) -> command::Ran {
    relcomm(folder, &[S1.as_slice(), &["--format", format]].concat())
}

/// What lies in the folder.
fn files(folder: &Folder) -> Vec<String> {
    let all = std::fs::read_dir(folder.path(".")).unwrap();
    let mut names: Vec<String> = all.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn the_scenario_of_the_crate_holds_and_writes_nothing() {
    let folder = Folder::with_plans();
    let before = files(&folder);
    let ran = relcomm(&folder, &S1);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    insta::assert_snapshot!(ran.stdout);
    assert_eq!(relcomm(&folder, &S1).stdout, ran.stdout, "twice the same");
    assert_eq!(files(&folder), before);
}

/// Plays a rehearsal of the examples' own folder.
fn example(name: &str) -> command::Ran {
    let folder = Folder::empty();
    let script = format!("{name}.rehearsal.yaml");
    for file in [format!("{name}.yaml"), script.clone()] {
        let from = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rehearsals").join(&file);
        std::fs::copy(from, folder.path(&file)).unwrap();
    }
    relcomm(&folder, &["rehearse", &format!("{name}.yaml"), "--script", &script])
}

#[test]
fn the_scenario_of_the_slips_holds() {
    let ran = example("s4-slips");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    assert_eq!(ran.stdout.matches("expectations hold").count(), 2, "{}", ran.stdout);
}

#[test]
fn programs_and_ci_systems_read_it_too() {
    let folder = Folder::with_plans();
    let all: Vec<Value> = serde_json::from_str(&s1(&folder, "json").stdout).unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!((&all[0]["exit"], &all[0]["report"]["totals"]["informed"]), (&4.into(), &6.into()));
    assert!(all.iter().flat_map(|p| p["checks"].as_array().unwrap()).all(|c| c["failed"] == serde_json::json!([])));
    let junit = s1(&folder, "junit");
    assert_eq!(junit.code, 0);
    assert!(junit.stdout.contains("<testsuite name=\"rehearse\" tests=\"2\" failures=\"0\">"), "{}", junit.stdout);
}

#[test]
fn what_does_not_hold_is_exit_4_and_the_first_divergence_is_named() {
    let folder = Folder::with_plans();
    let script = std::fs::read_to_string(folder.path("s1-crate.rehearsal.yaml")).unwrap();
    let line = 1 + script.lines().position(|l| l.contains("person: pack-3")).unwrap();
    let other = script.replace("class: not_informed, reason: bounced", "class: informed");
    std::fs::write(folder.path("s1-crate.rehearsal.yaml"), other).unwrap();
    let ran = relcomm(&folder, &S1);
    assert_eq!(ran.code, 4);
    let named =
        format!("s1-crate.rehearsal.yaml:{line}: - {{ where: {{ person: pack-3 }}, is: {{ class: informed }} }}");
    assert!(ran.stdout.contains(&named), "{}", ran.stdout);
    assert!(ran.stdout.contains("of pack-3: class is not_informed, not informed"), "{}", ran.stdout);
    assert!(ran.stdout.contains("6 of 7 expectations hold"), "{}", ran.stdout);
    let junit = s1(&folder, "junit");
    assert_eq!(junit.code, 4);
    let failure = format!("<failure message=\"s1-crate.rehearsal.yaml:{line}: ");
    assert!(junit.stdout.contains("failures=\"1\"") && junit.stdout.contains(&failure), "{}", junit.stdout);
}

#[test]
fn a_bad_script_or_plan_is_exit_2_with_its_position_and_a_missing_file_exit_1() {
    let folder = Folder::with_plans();
    std::fs::write(folder.path("bad.yaml"), "rehearsal: 1\nname: it\ntimeline:\n  - { at: 10:00, declaer: {} }\n")
        .unwrap();
    let bad = relcomm(&folder, &["rehearse", "s1-crate.yaml", "--script", "bad.yaml"]);
    assert_eq!(bad.code, 2);
    assert!(bad.stdout.starts_with("bad.yaml:4:18: error[RC0002]"), "{}", bad.stdout);
    assert!(bad.stdout.contains("did you mean `declare`?"), "{}", bad.stdout);
    std::fs::write(folder.path("plan.yaml"), "plan: 1\n").unwrap();
    let plan = relcomm(&folder, &["rehearse", "plan.yaml"]);
    assert_eq!(plan.code, 2, "{}", plan.stdout);
    assert_eq!(relcomm(&folder, &["rehearse", "nowhere.yaml"]).code, 1);
    assert_eq!(relcomm(&folder, &["rehearse", "s1-crate.yaml", "--script", "nowhere.yaml"]).code, 1);
}

#[test]
fn without_a_script_it_is_the_happy_path() {
    let folder = Folder::with_plans();
    let ran = relcomm(&folder, &["rehearse", "ledgerline.yaml"]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert!(ran.stdout.starts_with("the happy path\n"), "{}", ran.stdout);
    for said in
        ["mia approves as product-owner", "ada declares success at eu", "live/us → 200 people by email: accepted"]
    {
        assert!(ran.stdout.contains(said), "{said}: {}", ran.stdout);
    }
    let set = relcomm(&folder, &["rehearse", "tiny.yaml", "--set", "version=0.9.0"]);
    assert_eq!(set.code, 0, "{}", set.stdout);
    let env = relcomm_with(&folder, &["rehearse", "tiny.yaml"], &[("TAG", "0.9.0".to_owned())]);
    assert_eq!((env.code, env.stdout), (0, set.stdout));
}

#[test]
fn the_schema_of_rehearsals_is_printed() {
    let ran = relcomm(&Folder::empty(), &["schema", "--of", "rehearsal"]);
    let schema: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(schema["title"], "Rehearsal of a release communications plan");
    assert!(schema["properties"]["timeline"].is_object());
}
