//! The scenarios in `examples/rehearsals`: each plan with the script beside it, as anybody would play it.

mod command;

use command::{Folder, relcomm};
use std::path::Path;

const SCRIPT: &str = ".rehearsal.yaml";

#[test]
fn all_that_each_scenario_expects_is_true() {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("rehearsals");
    let folder = Folder::empty();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&scenarios).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        std::fs::copy(scenarios.join(&name), folder.path(&name)).unwrap();
        names.push(name);
    }
    let plans: Vec<&str> = names.iter().filter_map(|name| name.strip_suffix(SCRIPT)).collect();
    assert!(!plans.is_empty());
    for plan in plans {
        let ran = relcomm(&folder, &["rehearse", &format!("{plan}.yaml"), "--script", &format!("{plan}{SCRIPT}")]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{plan}: {}", ran.stdout);
    }
    for name in names.iter().filter(|name| name.ends_with(".yaml") && !name.ends_with(SCRIPT)) {
        let script = name.replace(".yaml", SCRIPT);
        assert!(names.contains(&script), "{name} is a plan that nobody plays");
    }
}
