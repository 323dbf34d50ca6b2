//! Files that are broken or mean harm end at once, with a finding, and never with a panic.

use proptest::prelude::*;
use relcomm_core::plan::source::{Format, Source};
use relcomm_core::plan::{Finding, PlanDraft};
use std::fmt::Write;
use std::time::{Duration, Instant};

const FORMATS: [(Format, &str); 3] = [(Format::Yaml, "p.yaml"), (Format::Toml, "p.toml"), (Format::Json, "p.json")];

fn refused(format: Format, bytes: &[u8]) -> Finding {
    let begun = Instant::now();
    let finding = Source::parse("p", bytes, format).expect_err("refused");
    // A bomb that goes off takes minutes, or all memory; a busy machine takes a second for anything. That the command answers within a
    // second of processor time is judged with the broken plans of the examples.
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(finding.code, "RC0001");
    *finding
}

fn place(finding: &Finding) -> (usize, usize) {
    let at = finding.at.as_ref().unwrap();
    (at.line, at.column)
}

#[test]
fn an_alias_bomb_is_refused_before_it_grows() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..12 {
        let refs = vec![format!("*a{}", i - 1); 9].join(", ");
        writeln!(bomb, "a{i}: &a{i} [{refs}]").unwrap();
    }
    let finding = refused(Format::Yaml, bomb.as_bytes());
    assert!(finding.message.contains("200000 values"), "{finding}");
    assert_eq!(place(&finding).0, 6, "{finding}");
}

#[test]
fn a_bomb_of_long_texts_is_refused_too() {
    let text = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), vec!["*a"; 10_000].join(", "));
    assert_eq!(place(&refused(Format::Yaml, text.as_bytes())).0, 2);
}

#[test]
fn anchors_within_anchors_are_kept_within_the_budget() {
    let mut text = String::new();
    for i in 0..60 {
        write!(text, "&a{i} [").unwrap();
    }
    text.push_str(&"1, ".repeat(100_000));
    text.push_str(&"]".repeat(60));
    assert!(refused(Format::Yaml, text.as_bytes()).message.contains("values"));
}

#[test]
fn a_recursive_alias_is_refused() {
    assert_eq!(place(&refused(Format::Yaml, b"a: &a\n  b: *a\n")), (2, 6));
}

#[test]
fn ten_thousand_levels_are_refused_in_every_format() {
    let yaml = refused(Format::Yaml, "[".repeat(10_000).as_bytes());
    assert_eq!(place(&yaml), (1, 65));
    let block: String = (0..10_000).map(|i| format!("{}a:\n", " ".repeat(i.min(300)))).collect();
    assert_eq!(place(&refused(Format::Yaml, block.as_bytes())).0, 65);
    let json = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(place(&refused(Format::Json, json.as_bytes())), (1, 65));
    refused(Format::Json, "[".repeat(10_000).as_bytes());
    refused(Format::Toml, format!("a = {}{}", "[".repeat(10_000), "]".repeat(10_000)).as_bytes());
    refused(Format::Toml, format!("{}a = 1", "a.".repeat(10_000)).as_bytes());
    refused(Format::Toml, format!("[{}a]", "a.".repeat(10_000)).as_bytes());
}

#[test]
fn sixty_levels_are_read_in_every_format() {
    let deep = format!("{}1{}", "[".repeat(60), "]".repeat(60));
    for (format, text) in
        [(Format::Yaml, deep.clone()), (Format::Json, deep.clone()), (Format::Toml, format!("a = {deep}"))]
    {
        assert!(Source::parse("p", text.as_bytes(), format).is_ok(), "{format:?}");
    }
}

#[test]
fn duplicate_keys_are_found_at_the_second() {
    assert_eq!(place(&refused(Format::Yaml, b"a: 1\nb: { c: 1, c: 2 }\n")), (2, 12));
    assert_eq!(place(&refused(Format::Yaml, b"a: 1\n'a': 2\n")), (2, 1));
    assert_eq!(place(&refused(Format::Json, b"{\"a\": 1,\n \"\\u0061\": 2}")), (2, 2));
    assert_eq!(place(&refused(Format::Toml, b"a = 1\na = 2\n")).0, 2);
}

#[test]
fn what_is_not_utf_8_is_found_at_its_first_octet() {
    for (format, _) in FORMATS {
        let finding = refused(format, b"a: 1\nb: \"\xC3\xBC\xFF\"\n");
        assert_eq!(place(&finding), (2, 6), "{format:?}");
    }
}

#[test]
fn nothing_and_near_to_nothing_is_an_empty_file() {
    for (format, _) in FORMATS {
        for empty in [&b""[..], b"\n \n", b"\xEF\xBB\xBF"] {
            assert_eq!(refused(format, empty).message, "the file is empty", "{format:?}");
        }
    }
    for empty in ["# a comment\n", "---\n", "---\n...\n"] {
        assert_eq!(refused(Format::Yaml, empty.as_bytes()).message, "the file is empty", "{empty:?}");
    }
}

#[test]
fn a_byte_order_mark_moves_no_column() {
    for (format, text) in [(Format::Yaml, "plan: 1"), (Format::Toml, "plan = 1"), (Format::Json, "{\"plan\": 1}")] {
        let with = Source::parse("p", format!("\u{feff}{text}").as_bytes(), format).unwrap();
        let without = Source::parse("p", text.as_bytes(), format).unwrap();
        assert_eq!((with.root(), with.at("plan")), (without.root(), without.at("plan")));
    }
}

#[test]
fn a_second_document_is_refused_where_it_begins() {
    let finding = refused(Format::Yaml, b"plan: 1\n---\nplan: 1\n");
    assert_eq!(place(&finding), (3, 1));
    assert!(Source::parse("p", b"---\nplan: 1\n...\n", Format::Yaml).is_ok());
}

#[test]
fn a_file_of_one_long_line_is_read_in_time_and_not_printed_whole() {
    let text = format!("{{{}\"x\": 1}}", (0..60_000).map(|i| format!("\"k{i}\": {{\"a\": 1}}, ")).collect::<String>());
    let begun = Instant::now();
    let source = Source::parse("p", text.as_bytes(), Format::Json).unwrap();
    let at = source.at("x");
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert!(at.source.chars().count() <= 120 && at.source.contains("\"x\"") && at.column > 60_000);
}

#[test]
fn columns_count_characters() {
    let text = "a: { ü: \"äöü\", b: 1 }";
    let source = Source::parse("p", text.as_bytes(), Format::Yaml).unwrap();
    assert_eq!(source.at("a.b").column, 16);
    let crlf = Source::parse("p", b"a: 1\r\nb:\r\n  c: 2\r\n", Format::Yaml).unwrap();
    assert_eq!((crlf.at("b.c").line, crlf.at("b.c").column, &*crlf.at("b.c").source), (3, 3, "  c: 2"));
}

/// Bytes near to the formats, so that more than the first line of a parser is reached.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let token = prop_oneof![
        Just(b"plan: 1\n".to_vec()),
        Just(b"release:\n".to_vec()),
        Just(b"  ".to_vec()),
        Just(b"- ".to_vec()),
        Just(b"{".to_vec()),
        Just(b"}".to_vec()),
        Just(b"[".to_vec()),
        Just(b"]".to_vec()),
        Just(b", ".to_vec()),
        Just(b": ".to_vec()),
        Just(b"&a ".to_vec()),
        Just(b"*a".to_vec()),
        Just(b"? ".to_vec()),
        Just(b"|\n".to_vec()),
        Just(b"\"".to_vec()),
        Just(b"\\u00".to_vec()),
        Just(b"\\ud800".to_vec()),
        Just(b"'".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"---\n".to_vec()),
        Just(b"a = ".to_vec()),
        Just(b"[[a]]\n".to_vec()),
        Just(b"a.b".to_vec()),
        Just(b"1979-05-27T07:32:00Z".to_vec()),
        Just(b"{{ params.x }}".to_vec()),
        Just(b"<<".to_vec()),
        Just(b"!t ".to_vec()),
        Just(b"%YAML 1.2\n".to_vec()),
        prop::collection::vec(any::<u8>(), 0..4),
        "\\PC{0,3}".prop_map(String::into_bytes),
    ];
    prop::collection::vec(token, 0..40).prop_map(|tokens| tokens.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(bytes in prop_oneof![soup(), prop::collection::vec(any::<u8>(), 0..200)]) {
        for (format, file) in FORMATS {
            if let Ok(sources) = Source::parse_all(file, &bytes, format) {
                for source in sources {
                    let _ = source.at("communiques.a[1][\"x.y\"].z");
                }
            }
            if let Err(findings) = PlanDraft::read(file, &bytes) {
                prop_assert!(!findings.is_empty());
                for finding in findings {
                    prop_assert!(finding.at.is_some(), "{finding}");
                    let _ = finding.to_string();
                }
            }
        }
    }

    #[test]
    fn no_path_makes_it_panic(path in "[a-b.\\[\\]\"\\\\0-9ü]{0,12}") {
        let source = Source::parse("p", b"a: [{ b: 1 }]", Format::Yaml).unwrap();
        let _ = (source.at(&path), source.get(&path).is_some());
    }

    #[test]
    fn json_means_the_same_read_as_json_and_as_yaml(keys in prop::collection::vec("[a-zü]{1,6}", 1..6), text in "[ -~ä\n\t]{0,20}") {
        let map: serde_json::Map<_, _> = keys.iter().map(|k| (k.clone(), serde_json::json!([text, 1, null, {"x": text}]))).collect();
        let json = serde_json::to_string_pretty(&map).unwrap();
        let as_json = Source::parse("p", json.as_bytes(), Format::Json).unwrap();
        let as_yaml = Source::parse("p", json.as_bytes(), Format::Yaml).unwrap();
        prop_assert_eq!(as_json.root(), as_yaml.root());
        prop_assert_eq!(as_json.root().to_json(), serde_json::Value::Object(map));
    }
}
