//! What the command says of its findings: the pages of their codes, and texts that an earlier plan has already said.

mod command;

use command::{Folder, relcomm};
use serde_json::Value;

const HEAD: &str = "plan: 1
responsible: Ada Osei <ada@anvil.example>
groups: { customers: { email: list@anvil.example } }
";

fn release(version: &str, item: &str) -> String {
    format!(
        "release: {{ product: Anvil, version: {version}, what: [{{ id: {item}, text: News }}], why: Asked., how: Open it. }}\n"
    )
}

fn communique(item: &str, text: &str) -> String {
    format!("communiques: {{ live: {{ to: customers, covers: [{item}], text: {text} }} }}\n")
}

fn plan(folder: &Folder, name: &str, version: &str, item: &str, text: &str) {
    std::fs::write(folder.path(name), [HEAD, &release(version, item), &communique(item, text)].concat()).unwrap();
}

#[test]
fn a_code_is_explained_by_its_page_whatever_its_case() {
    let folder = Folder::empty();
    let ran = relcomm(&folder, &["explain", "rc0101"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.starts_with("# RC0101: a reference to something that does not exist\n"), "{}", ran.stdout);
    let json: Value =
        serde_json::from_str(&relcomm(&folder, &["explain", "RC0101", "--format", "json"]).stdout).unwrap();
    assert_eq!(json["code"], "RC0101");
    assert_eq!(json["title"], "a reference to something that does not exist");
    assert_eq!(json["page"], ran.stdout);
}

#[test]
fn without_a_code_all_are_listed_in_order() {
    let folder = Folder::empty();
    let listed = relcomm(&folder, &["explain"]).stdout;
    let codes: Vec<&str> = listed.lines().filter_map(|line| line.split_once("  ")).map(|(code, _)| code).collect();
    assert!(codes.windows(2).all(|two| two[0] < two[1]) && codes.len() > 100, "{listed}");
    let json: Vec<Value> = serde_json::from_str(&relcomm(&folder, &["explain", "--format", "json"]).stdout).unwrap();
    assert!(json.iter().map(|one| one["code"].as_str().unwrap()).eq(codes));
    // Those of plans, of channels files and of channels.
    assert!(["RC0101", "RC1001", "RC1101"].iter().all(|code| listed.contains(code)));
}

#[test]
fn a_code_that_there_is_not_is_an_error_that_helps() {
    let folder = Folder::empty();
    let near = relcomm(&folder, &["explain", "RC9101"]);
    assert_eq!((near.code, near.stdout.as_str()), (1, ""));
    assert!(near.stderr.contains("there is no code `RC9101`; did you mean RC0101?"), "{}", near.stderr);
    let far = relcomm(&folder, &["explain", "E0308"]);
    assert_eq!(far.code, 1);
    assert!(far.stderr.contains("there is no code `E0308`; `relcomm explain` lists them all"), "{}", far.stderr);
}

#[test]
fn every_code_that_the_command_finds_in_a_channels_file_has_a_page_that_shows_it() {
    let folder = Folder::with_plans();
    for code in ["RC0950", "RC1001", "RC1002", "RC1003", "RC1004", "RC1006"] {
        let page = relcomm(&folder, &["explain", code]).stdout;
        let blocks: Vec<&str> = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        let [breaks, passes] = blocks.as_slice() else { panic!("{code}: two blocks") };
        let found = |channels: &str| {
            std::fs::write(folder.path("shown.yaml"), channels).unwrap();
            relcomm(&folder, &["validate", "quickstart.yaml", "--channels", "shown.yaml"]).stdout
        };
        assert!(found(breaks).contains(code), "{code}: {}", found(breaks));
        assert!(!found(passes).contains("RC10"), "{code}: {}", found(passes));
    }
}

#[test]
fn a_text_of_the_earlier_plan_is_found_and_one_that_is_new_is_not() {
    let folder = Folder::empty();
    plan(&folder, "old.yaml", "1.9.0", "trees", "Folders can now be arranged in trees.");
    plan(&folder, "stale.yaml", "2.0.0", "folders", "Folders can now be arranged in trees.");
    plan(&folder, "new.yaml", "2.0.0", "folders", "Folders can now be shared with others.");
    let stale = relcomm(&folder, &["validate", "stale.yaml", "--against", "old.yaml"]);
    assert_eq!(stale.code, 0);
    assert!(stale.stdout.contains("stale.yaml:5:58: warning[RC0709]"), "{}", stale.stdout);
    assert_eq!(relcomm(&folder, &["validate", "stale.yaml"]).stdout, "valid\n");
    assert_eq!(relcomm(&folder, &["validate", "new.yaml", "--against", "old.yaml"]).stdout, "valid\n");
}

#[test]
fn a_plan_is_compared_with_a_bundle_and_what_is_set_for_it_need_not_be_known_to_the_earlier_one() {
    let folder = Folder::empty();
    plan(&folder, "old.yaml", "1.9.0", "trees", "Folders can now be arranged in trees.");
    let sealed = relcomm(&folder, &["prepare", "old.yaml", "--bundle", "old.bundle"]);
    assert_eq!(sealed.code, 0, "{}{}", sealed.stdout, sealed.stderr);
    plan(&folder, "next.yaml", "'{{ params.tag }}'", "folders", "Folders can now be arranged in trees.");
    let next = std::fs::read_to_string(folder.path("next.yaml")).unwrap();
    std::fs::write(folder.path("next.yaml"), next + "params: { tag: { env: RELCOMM_TEST_TAG } }\n").unwrap();
    for old in ["old.bundle", "old.yaml"] {
        let ran = relcomm(&folder, &["validate", "next.yaml", "--set", "tag=2.0.0", "--against", old]);
        assert!(ran.code == 0 && ran.stdout.contains("RC0709"), "{old}: {}{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn an_earlier_plan_that_is_not_there_or_no_plan_ends_the_comparison() {
    let folder = Folder::empty();
    plan(&folder, "new.yaml", "2.0.0", "folders", "Folders can now be shared with others.");
    std::fs::write(folder.path("broken.yaml"), "plan: [").unwrap();
    assert_eq!(relcomm(&folder, &["validate", "new.yaml", "--against", "none.yaml"]).code, 1);
    let broken = relcomm(&folder, &["validate", "new.yaml", "--against", "broken.yaml"]);
    assert_eq!(broken.code, 2);
    assert!(broken.stderr.contains("broken.yaml: this is no valid plan"), "{}", broken.stderr);
}
