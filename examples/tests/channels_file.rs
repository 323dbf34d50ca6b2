//! What a channels file says wrongly is a finding, with the line where it stands.

use relcomm::Failure;
use relcomm::deployment::{ChannelKinds, Deployment};

fn parsed(channels: &str) -> Result<Deployment, Vec<String>> {
    let bytes = format!("channels: 1\n{channels}\n");
    Deployment::parse("channels.yaml", bytes.as_bytes(), ChannelKinds::standard()).map_err(|findings| {
        let at = |f: &relcomm_core::plan::Finding| f.at.as_ref().map(|at| format!("{}:{}", at.line, at.column));
        findings.iter().map(|f| format!("{} {}", at(f).unwrap_or_default(), f.code)).collect()
    })
}

#[test]
fn a_setting_of_the_wrong_form_is_found_where_it_stands() {
    for (channels, found) in [
        ("email: { kind: smtp, receipts: \"maildir:x\" }", "2:32 RC1006"),
        ("email:\n  kind: smtp\n  receipts: { env: BOUNCES }", "4:15 RC1004"),
        ("hook: { kind: webhook, endpoints: [a] }", "2:35 RC1006"),
        ("hook: { kind: webhook, endpoints: { a: https://a.test } }", "2:40 RC1006"),
        ("hook:\n  kind: webhook\n  endpoints:\n    a:\n      headers: [\"Authorization: Bearer x\"]", "6:16 RC1006"),
        ("hook:\n  kind: webhook\n  endpoints:\n    a:\n      headers: \"Authorization: Bearer x\"", "6:16 RC1006"),
        ("hook:\n  kind: webhook\n  endpoints:\n    a.b:\n      urls: x", "6:7 RC1004"),
        ("hook:\n  kind: webhook\n  endpoints:\n    a: { env: URL }", "5:10 RC1004"),
        ("spool: { kind: exec, program: x, env: [A=B] }", "2:39 RC1006"),
        ("spool: { kind: exec, program: x, env: A=B }", "2:39 RC1006"),
        ("tick: 1bd", "2:1 RC1006"),
        ("tick: 0s", "2:1 RC1006"),
    ] {
        assert_eq!(parsed(channels).unwrap_err(), [found], "{channels}");
    }
    let shown = Deployment::parse("c.yaml", b"channels: 1\nx: { kind: exec, env: A=SEKRIT }", ChannelKinds::standard());
    assert!(!format!("{:?}", shown.unwrap_err()).contains("SEKRIT"));
    for channels in ["spool: { kind: exec, program: x, env: }", "spool: { kind: exec, env: { env: x } }", "tick: 1d"] {
        assert!(parsed(channels).is_ok(), "{channels}");
    }
}

#[tokio::test]
async fn a_name_with_a_dot_is_no_path() {
    let channels =
        "hook: { kind: webhook, endpoints: { a.b: { url: \"https://a.test/\", headers: { X.Y: \"two\\nlines\" } } } }";
    let made = parsed(channels).unwrap().channels(None).await;
    let Err(Failure::Invalid(why)) = made else { panic!("{made:?}") };
    assert!(why.contains("header"), "the value cannot be one: {why}");
}

#[test]
fn every_return_path_is_known_wherever_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bounces");
    std::fs::write(&file, "second@demo.example\n").unwrap();
    let channels = |file: &str| {
        parsed(&format!(
            "email: {{ kind: smtp, return_path: first@demo.example }}\n\
             letter: {{ kind: smtp, return_path: {{ file: {file:?} }} }}\nfax: {{ kind: smtp }}"
        ))
        .unwrap()
    };
    assert_eq!(channels(&file.display().to_string()).return_paths().unwrap().len(), 2);
    let missing = channels("/no/such/file").return_paths();
    let Err(Failure::Invalid(why)) = missing else { panic!("{missing:?}") };
    assert!(why.starts_with("channels.yaml: letter: `return_path`: "), "{why}");
}
