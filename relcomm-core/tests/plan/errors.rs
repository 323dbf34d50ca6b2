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
    insta::assert_snapshot!(findings("p.yaml", &plan("communiques:\n  out:\n    to: users\n    afther: x accepted")), @r#"
    p.yaml:6:5: error[RC0002]: unknown key `afther`
      in communiques.out.afther
      |
    6 |     afther: x accepted
      |     ^
      help: did you mean `after`?
    "#);
}

#[test]
fn all_errors_come_at_once_in_the_order_of_the_file() {
    let text = plan(
        "settle: soon\ngroups:\n  a: { require: 120%, email: x@b.example, informed_when: delivred }\n  b/c: { email: x@b.example, informed_wen: delivered }\n\
         communiques:\n  x: { at: tomorrow }\n  y: { to: a, via: [email, { via: Pager }], after: x acknowleged }\n  z: { to: a, of: b, urgent: yes }\nembargo: { until: now, lifts: x }",
    );
    insta::assert_snapshot!(findings("p.yaml", &text), @r#"
    p.yaml:3:9: error[RC0005]: not a duration such as `30m`, `2w3d` or `5bd`
      in settle
      |
    3 | settle: soon
      |         ^
    p.yaml:5:17: error[RC0005]: a share is above 0% and at most 100%
      in groups.a.require
      |
    5 |   a: { require: 120%, email: •••••••••••, informed_when: delivred }
      |                 ^
    p.yaml:5:58: error[RC0005]: `delivred` is none of attempted, accepted, relayed, delivered, displayed, acknowledged
      in groups.a.informed_when
      |
    5 |   a: { require: 120%, email: •••••••••••, informed_when: delivred }
      |                                                          ^
      help: did you mean `delivered`?
    p.yaml:6:3: error[RC0005]: `b/c` is not a group id: 1 to 64 letters, digits, `-`, `_` or `.`, beginning with a letter or digit
      in groups.b/c
      |
    6 |   b/c: { email: •••••••••••, informed_wen: delivered }
      |   ^
    p.yaml:6:30: error[RC0002]: unknown key `informed_wen`
      in groups.b/c.informed_wen
      |
    6 |   b/c: { email: •••••••••••, informed_wen: delivered }
      |                              ^
      help: did you mean `informed_when`?
    p.yaml:8:3: error[RC0004]: the key `to` is missing
      in communiques.x
      |
    8 |   x: { at: tomorrow }
      |   ^
    p.yaml:8:12: error[RC0005]: `tomorrow` is no anchor: planned, begun, declared, last declared, embargo, or COMMUNIQUE STATE
      in communiques.x.at
      |
    8 |   x: { at: tomorrow }
      |            ^
    p.yaml:9:35: error[RC0005]: `Pager` is not a mechanism: lower-case letters, digits and `-`, beginning with a letter, at most 32
      in communiques.y.via[1].via
      |
    9 |   y: { to: a, via: [email, { via: Pager }], after: x acknowleged }
      |                                   ^
    p.yaml:9:52: error[RC0005]: not a state that can be waited for; did you mean `acknowledged`?
      in communiques.y.after
      |
    9 |   y: { to: a, via: [email, { via: Pager }], after: x acknowleged }
      |                                                    ^
    p.yaml:10:15: error[RC0002]: unknown key `of`
      in communiques.z.of
       |
    10 |   z: { to: a, of: b, urgent: yes }
       |               ^
      help: known here: to, per, if, at, occurrences, after, if_blocked, not_after, deadline, on_slip, covers, via, informed_when, indeterminate, undeclared, urgent, profile, subject, text, text_file, short, for
    p.yaml:10:30: error[RC0003]: expected true or false, found `yes`
      in communiques.z.urgent
       |
    10 |   z: { to: a, of: b, urgent: yes }
       |                              ^
    p.yaml:11:19: error[RC0005]: `now` is no anchor: planned, begun, declared, last declared, embargo, or COMMUNIQUE STATE
      in embargo.until
       |
    11 | embargo: { until: now, lifts: x }
       |                   ^
    p.yaml:11:24: error[RC0002]: unknown key `lifts`
      in embargo.lifts
       |
    11 | embargo: { until: now, lifts: x }
       |                        ^
      help: did you mean `lift`?
    "#);
}

#[test]
fn toml_and_json_name_the_same_places() {
    let toml = "plan = 1\n[release]\nproduct = 'p'\nversion = '1'\n\n[communiques.out]\nto = 'users'\nwithin = 30\n";
    let json = "{ \"plan\": 1, \"release\": { \"product\": \"p\", \"version\": 1 },\n  \"communiques\": { \"out\": {\n    \"to\": \"users\", \"within\": 30 } } }";
    insta::assert_snapshot!(format!("{}\n{}", findings("p.toml", toml), findings("p.json", json)), @r#"
    p.toml:8:1: error[RC0002]: unknown key `within`
      in communiques.out.within
      |
    8 | within = 30
      | ^
      help: known here: to, per, if, at, occurrences, after, if_blocked, not_after, deadline, on_slip, covers, via, informed_when, indeterminate, undeclared, urgent, profile, subject, text, text_file, short, for
    p.json:3:20: error[RC0002]: unknown key `within`
      in communiques.out.within
      |
    3 |     "to": "users", "within": 30 } } }
      |                    ^
      help: known here: to, per, if, at, occurrences, after, if_blocked, not_after, deadline, on_slip, covers, via, informed_when, indeterminate, undeclared, urgent, profile, subject, text, text_file, short, for
    "#);
}

#[test]
fn wrong_types_say_what_was_expected_and_found() {
    insta::assert_snapshot!(findings("p.yaml", &plan("settle: [3d]\nexposure: many\nindeterminate: { a: b }\ngroups: [a]\nzone: Europe/Londn\nresponsible: { execute: [x] }")), @r#"
    p.yaml:3:9: error[RC0003]: expected a duration such as `30m`, found a list
      in settle
      |
    3 | settle: [3d]
      |         ^
    p.yaml:4:11: error[RC0003]: expected a whole number above zero, found `many`
      in exposure
      |
    4 | exposure: many
      |           ^
    p.yaml:5:16: error[RC0003]: expected one of hold, resend, found a map
      in indeterminate
      |
    5 | indeterminate: { a: b }
      |                ^
    p.yaml:6:9: error[RC0003]: expected a map, found a list
      in groups
      |
    6 | groups: [a]
      |         ^
    p.yaml:7:7: error[RC0005]: not a zone of the IANA database such as `Europe/London`; did you mean `Europe/London`?
      in zone
      |
    7 | zone: Europe/Londn
      |       ^
    p.yaml:8:25: error[RC0003]: expected a person such as `Ada Osei <ada@b.example>`, or a map with `id`, `name` and addresses, found a list
      in responsible.execute
      |
    8 | responsible: { execute: [x] }
      |                         ^
    "#);
}

#[test]
fn no_finding_repeats_an_address() {
    let text = plan(
        "settle: kim@b.example\nexposure: '+41 44 555 0101'\nindeterminate: kim@b.example\ngroups: { a: { kim@b.example: { } }, kim@b.example: { } }\n\
         communiques: { x: { to: kim@b.example, at: kim@b.example, via: '+41445550101', after: kim@b.example informed } }",
    );
    let findings = PlanDraft::read("p.yaml", text.as_bytes()).unwrap_err();
    assert_eq!(findings.len(), 9);
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
            at.source.char_indices().nth(at.column - 1 - at.left_out).map(|(i, _)| at.source[i..].starts_with(wrong)),
            Some(true)
        );
        assert!(finding.path.ends_with(wrong), "{}", finding.path);
    }
}

#[test]
fn a_missing_key_is_named_where_it_is_missing() {
    insta::assert_snapshot!(findings("p.yaml", "plan: 1\nrelease:\n  product: p\ncommuniques:\n  out: { text: hello }\n"), @r#"
    p.yaml:2:1: error[RC0004]: the key `version` is missing
      in release
      |
    2 | release:
      | ^
    p.yaml:5:3: error[RC0004]: the key `to` is missing
      in communiques.out
      |
    5 |   out: { text: hello }
      |   ^
    "#);
}

#[test]
fn a_plan_of_another_version_is_refused() {
    let text = plan("").replace("plan: 1", "plan: 2");
    insta::assert_snapshot!(findings("p.yaml", &text), @r#"
    p.yaml:1:7: error[RC0005]: this version of relcomm reads plans of version 1
      in plan
      |
    1 | plan: 2
      |       ^
    "#);
}

#[test]
fn parameters_without_value_or_declaration_are_found_where_they_stand() {
    let text = plan(
        "params: { tag: { env: NO_SUCH } }\nid: \"app-{{ params.tga }}\"\nsettle: '{{ params.tag }}'\nzone: \"{{ params.tag | upper }}\"",
    );
    insta::assert_snapshot!(findings("p.yaml", &text), @r#"
    p.yaml:3:11: error[RC0006]: the parameter `tag` has no value
      in params.tag
      |
    3 | params: { tag: { env: NO_SUCH } }
      |           ^
      help: set the environment variable NO_SUCH, or `--set tag=…`
    p.yaml:4:5: error[RC0006]: there is no parameter `tga`
      in id
      |
    4 | id: "app-{{ params.tga }}"
      |     ^
      help: did you mean `tag`?
    p.yaml:6:7: error[RC0006]: outside texts a parameter stands alone
      in zone
      |
    6 | zone: "{{ params.tag | upper }}"
      |       ^
      help: write `{{ params.NAME }}`
    "#);
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
        ("later.yaml", "plan: 1\nrelease:\n  version: 2.0.0\n  \tproduct: p\n".to_owned()),
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
    insta::assert_snapshot!(all.join("\n"), @r#"
    a.yaml:2:10: error[RC0001]: unclosed bracket '{'
      |
    2 | release: { product: p
      |          ^
    tab.yaml:3:1: error[RC0001]: tabs disallowed within this context (block indentation)
      |
    3 | 	product: p
      | ^
      help: indent by blanks
    later.yaml:4:3: error[RC0001]: while scanning a plain scalar, found a tab
      |
    4 |   	product: p
      |   ^
      help: indent by blanks
    alias.yaml:2:5: error[RC0001]: this alias names no anchor above it
      |
    2 | id: *nowhere
      |     ^
    merge.yaml:4:3: error[RC0001]: merge keys are not read
      |
    4 |   <<: *a
      |   ^
      help: write the entries out, or repeat a whole value by an alias
    tag.yaml:2:5: error[RC0001]: tags such as `!name` are not read
      |
    2 | id: !env TAG
      |     ^
      help: every value is read as its key asks
    key.yaml:2:3: error[RC0001]: a key is a plain word or text, not a list or a map
      |
    2 | ? [a, b]
      |   ^
    a.toml:2:6: error[RC0001]: string values must be quoted, expected literal string
      |
    2 | id = 
      |      ^
    a.json:3:9: error[RC0001]: expected value
      |
    3 |   "id": 'x'
      |         ^
    end.json:1:15: error[RC0001]: trailing characters
      |
    1 | { "plan": 1 } x
      |               ^
    comma.json:1:15: error[RC0001]: expected value
      |
    1 | { "plan": [1, ] }
      |               ^
    "#);
    assert!(findings("m.yaml", &yaml).contains("error[RC0001]"));
}

fn tagged() -> Settings {
    let mut settings = Settings::default();
    settings.env.insert("TAG".into(), "1.10".into());
    settings
}

#[test]
fn what_cannot_be_done_without_hides_nothing_behind_it() {
    let text = "plan: 1\nrelease: { product: [], version: {} }\ngroups: { a: { waived: { why: [], by: {} } } }\ncommuniques: { x: { to: { told: [] } }, y: {} }\n";
    let found = PlanDraft::read("p.yaml", text.as_bytes()).unwrap_err();
    let paths: Vec<_> = found.iter().map(|f| f.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "release.product",
            "release.version",
            "groups.a.waived.why",
            "groups.a.waived.by",
            "communiques.x.to.told",
            "communiques.y",
        ]
    );
}

#[test]
fn a_flood_of_errors_is_cut_off() {
    let keys: String = (0..20_000).map(|i| format!("k{i}: 1\n")).collect();
    let begun = std::time::Instant::now();
    let found = PlanDraft::read("p.yaml", plan(&keys).as_bytes()).unwrap_err();
    assert_eq!(found.len(), 200);
    assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn numbers_and_truth_stand_without_quotes_but_parameters_may_hold_them() {
    let text = plan("exposure: \"50\"\ngroups: { a: { must_inform: 'true', email: a@b.example } }");
    insta::assert_snapshot!(findings("p.yaml", &text), @r#"
    p.yaml:3:11: error[RC0003]: expected a whole number above zero, found text in quotes
      in exposure
      |
    3 | exposure: "50"
      |           ^
    p.yaml:4:29: error[RC0003]: expected true or false, found text in quotes
      in groups.a.must_inform
      |
    4 | groups: { a: { must_inform: 'true', email: ••••••••••• } }
      |                             ^
    "#);
    let filled = plan(
        "params: { n: 50, yes: true }\nexposure: \"{{ params.n }}\"\ngroups: { a: { must_inform: \"{{ params.yes }}\" } }",
    );
    let draft = read("p.yaml", &filled).unwrap();
    assert_eq!(draft.exposure.map(std::num::NonZeroU32::get), Some(50));
    assert!(draft.groups.get("a").unwrap().full.must_inform);
}
