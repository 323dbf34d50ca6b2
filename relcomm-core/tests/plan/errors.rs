//! Each kind of error, where it stands, as people see it.

use super::{EVERYTHING, MEDIUM, read};
use relcomm_core::plan::{PlanDraft, Settings};

fn findings(file: &str, text: &str) -> String {
    read(file, text).expect_err("the plan should be refused")
}

fn plan(rest: &str) -> String {
    format!("plan: 1\nrelease: {{ product: p, version: '1' }}\n{rest}\n")
}

#[test]
fn an_unknown_key_shows_line_caret_and_what_was_meant() {
    insta::assert_snapshot!(findings("p.yaml", &plan("communiques:\n  out:\n    to: users\n    afther: x accepted")), @"");
}

#[test]
fn all_errors_come_at_once_in_the_order_of_the_file() {
    let text = plan(
        "settle: soon\ngroups:\n  a: { require: 120%, email: x@b.example, informed_when: delivred }\n  b/c: { email: x@b.example }\n\
         communiques:\n  x: { at: tomorrow }\n  y: { to: a, via: [email, { via: Pager }], after: x acknowleged }\n  z: { to: a, of: b, urgent: yes }",
    );
    insta::assert_snapshot!(findings("p.yaml", &text), @"");
}

#[test]
fn toml_and_json_name_the_same_places() {
    let toml = "plan = 1\n[release]\nproduct = 'p'\nversion = '1'\n\n[communiques.out]\nto = 'users'\nwithin = 30\n";
    let json = "{ \"plan\": 1, \"release\": { \"product\": \"p\", \"version\": 1 },\n  \"communiques\": { \"out\": {\n    \"to\": \"users\", \"within\": 30 } } }";
    insta::assert_snapshot!(format!("{}\n{}", findings("p.toml", toml), findings("p.json", json)), @"");
}

#[test]
fn wrong_types_say_what_was_expected_and_found() {
    insta::assert_snapshot!(findings("p.yaml", &plan("settle: [3d]\nexposure: many\nindeterminate: { a: b }\ngroups: [a]\nzone: Europe/Londn")), @"");
}

#[test]
fn no_finding_repeats_an_address() {
    let text = plan(
        "settle: kim@b.example\nexposure: '+41 44 555 0101'\nindeterminate: kim@b.example\ngroups: { a: { kim@b.example: { } } }",
    );
    let findings = PlanDraft::read("p.yaml", text.as_bytes()).unwrap_err();
    assert_eq!(findings.len(), 4);
    for finding in findings {
        let said = format!("{} {:?}", finding.message, finding.help);
        assert!(!said.contains("kim@") && !said.contains("0101"), "{said}");
    }
}

/// One wrong letter in a key, at every level where keys are known; each is found at its line with the right word beside it.
#[test]
fn every_level_suggests_the_key_that_was_meant() {
    let cases = [
        ("plan: 1", "settle: 3d", "setle"),
        ("release:", "version: 1.10", "versoin"),
        ("what", "concerns: customers", "concern"),
        ("where", "platforms: web", "platform"),
        ("how", "circumstances: none", "circumstance"),
        ("when", "lasts: 4h", "last"),
        ("responsible", "performers:", "performer"),
        ("protocol", "declare: ada", "declair"),
        ("approvals", "distinct:", "distict"),
        ("need", "only: live", "olny"),
        ("profiles", "must_state:", "must-state"),
        ("embargo", "classified:", "clasified"),
        ("mechanisms", "addressing: each", "adressing"),
        ("members", "columns:", "column"),
        ("id_key", "env: KEY", "evn"),
        ("via", "performer: caller", "perfomer"),
        ("require", "among:", "amung"),
        ("waived", "why: none", "wyh"),
        ("group", "languages: [", "langauges"),
        ("member", "vars: {", "varz"),
        ("communique", "if_blocked:", "if-blocked"),
        ("if", "outcome: success", "outcom"),
        ("if_blocked", "then: ask", "than"),
        ("after", "share: 90%", "shares"),
        ("at", "between: \"22", "betwen"),
        ("for", "deadline: begun", "dedline"),
        ("to", "perhaps: include", "perhap"),
        ("as_told", "also: {", "allso"),
        ("params", "value: \"7\"", "valeu"),
    ];
    for (level, right, wrong) in cases {
        let key = right.split(':').next().unwrap();
        assert_eq!(EVERYTHING.matches(right).count(), 1, "{right}");
        let text = EVERYTHING.replace(right, &right.replacen(key, wrong, 1));
        let found = PlanDraft::read_with("p.yaml", text.as_bytes(), &tagged()).expect_err(level);
        let finding = found.iter().find(|f| f.code == "RC0002").unwrap_or_else(|| panic!("{level}: {found:?}"));
        assert_eq!(finding.help.as_deref(), Some(&*format!("did you mean `{key}`?")), "{level}");
        let at = finding.at.as_ref().unwrap();
        assert_eq!(
            at.source.char_indices().nth(at.column - 1).map(|(i, _)| at.source[i..].starts_with(wrong)),
            Some(true)
        );
        assert!(finding.path.ends_with(wrong), "{}", finding.path);
    }
}

#[test]
fn a_missing_key_is_named_where_it_is_missing() {
    insta::assert_snapshot!(findings("p.yaml", "plan: 1\nrelease:\n  product: p\ncommuniques:\n  out: { text: hello }\n"), @"");
}

#[test]
fn a_plan_of_another_version_is_refused() {
    let text = plan("").replace("plan: 1", "plan: 2");
    insta::assert_snapshot!(findings("p.yaml", &text), @"");
}

#[test]
fn parameters_without_value_or_declaration_are_found_where_they_stand() {
    let text = plan(
        "params: { tag: { env: NO_SUCH } }\nid: \"app-{{ params.tga }}\"\nsettle: '{{ params.tag }}'\nzone: \"{{ params.tag | upper }}\"",
    );
    insta::assert_snapshot!(findings("p.yaml", &text), @"");
    let mut settings = tagged();
    settings.set.insert("verson".into(), "1".into());
    let found = PlanDraft::read_with("t.yaml", super::TINY.as_bytes(), &settings).unwrap_err();
    assert_eq!((found.len(), found[0].help.as_deref()), (1, Some("did you mean `version`?")));
}

#[test]
fn syntax_errors_stand_where_the_parser_stopped() {
    let yaml = MEDIUM.replace("  product: LedgerLine", "  product: \"LedgerLine");
    let cases = [
        ("a.yaml", "plan: 1\nrelease: { product: p\n".to_owned()),
        ("tab.yaml", "plan: 1\nrelease:\n\tproduct: p\n".to_owned()),
        ("alias.yaml", "plan: 1\nid: *nowhere\n".to_owned()),
        ("merge.yaml", "plan: 1\na: &a { b: c }\nd:\n  <<: *a\n".to_owned()),
        ("tag.yaml", "plan: 1\nid: !env TAG\n".to_owned()),
        ("key.yaml", "plan: 1\n? [a, b]\n: c\n".to_owned()),
        ("a.toml", "plan = 1\nid = \n".to_owned()),
        ("a.json", "{\n  \"plan\": 1,\n  \"id\": 'x'\n}".to_owned()),
        ("end.json", "{ \"plan\": 1 } x".to_owned()),
        ("comma.json", "{ \"plan\": [1, ] }".to_owned()),
    ];
    let all: Vec<_> = cases.iter().map(|(file, text)| findings(file, text)).collect();
    insta::assert_snapshot!(all.join("\n"), @"");
    assert!(findings("m.yaml", &yaml).contains("error[RC0001]"));
}

fn tagged() -> Settings {
    let mut settings = Settings::default();
    settings.env.insert("TAG".into(), "1.10".into());
    settings
}
