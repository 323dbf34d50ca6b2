//! Delivery reports read as receipts: published bounces, hostile input, and the Maildir they come to.
#![cfg(feature = "email")]

use proptest::prelude::*;
use relcomm_channels::email::ReturnPath;
use relcomm_channels::email::receipts::{Maildir, classify};
use relcomm_core::channel::{AttemptContext, ReceiptSource};
use relcomm_core::clock::{Moment, SystemClock};
use relcomm_core::receipt::{Assurance, Evidence, Receipt, Token};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

fn bounces() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/bounces")
}

fn base() -> ReturnPath {
    ReturnPath::new("bounces@b.test").expect("a base")
}

fn report(fields: &str) -> Vec<u8> {
    format!(
        "Delivered-To: bounces+tok-1@b.test\r\nFrom: <>\r\nTo: x@y.test\r\nDate: Mon, 02 Jan 2040 03:04:05 +0000\r\n\
         Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nsorry\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n\
         Reporting-MTA: dns; mx.test\r\n\r\n{fields}\r\n\r\n--b--\r\n"
    )
    .into_bytes()
}

#[test]
fn published_bounces_in_standard_form_have_the_published_action_and_others_none() {
    let expected = fs::read_to_string(bounces().join("expected.tsv")).expect("the answers");
    let mut read = 0;
    for row in expected.lines().skip(1) {
        let (file, action) = row.split_once('\t').expect("two columns");
        let raw = fs::read(bounces().join(file)).expect(file);
        let receipts = classify(&raw, Some(&base()));
        let standard = raw.to_ascii_lowercase().windows(23).any(|at| at == b"message/delivery-status");
        let words: Vec<&str> = receipts
            .iter()
            .map(|receipt| match receipt.evidence {
                Evidence::Failed => "failed",
                Evidence::Delayed { .. } => "delayed",
                _ => "reached",
            })
            .collect();
        if standard {
            assert!(!words.is_empty() && words.iter().all(|word| *word == action), "{file}: {words:?}");
            read += 1;
        } else {
            assert!(words.is_empty(), "{file}: {words:?}");
        }
        assert!(receipts.iter().all(|r| r.token.is_none() && !r.verified), "{file}");
    }
    assert_eq!(read, 18);
}

#[test]
fn every_action_says_what_it_means_and_the_status_class_does_not_overrule_it() {
    let delayed = Evidence::Delayed { until: Some(Moment::parse("2040-01-07T00:00:00Z").expect("a time")) };
    for (fields, evidence, code) in [
        ("Action: delivered\r\nStatus: 2.1.5", Evidence::Reached(Assurance::Delivered), Some("2.1.5")),
        ("Action: relayed\r\nStatus: 2.0.0", Evidence::Reached(Assurance::Relayed), Some("2.0.0")),
        ("Action: expanded", Evidence::Reached(Assurance::Relayed), None),
        ("Action: failed\r\nStatus: 4.4.1 (gave up)", Evidence::Failed, Some("4.4.1")),
        ("ACTION: Expired\r\nStatus: 4.4.7", Evidence::Failed, Some("4.4.7")),
        ("Action: failed (no such user)\r\nStatus: 5.1.1", Evidence::Failed, Some("5.1.1")),
        ("Action: delayed\r\nStatus: 4.4.1\r\nWill-Retry-Until: Sat, 07 Jan 2040 00:00:00 GMT", delayed, Some("4.4.1")),
        ("Action: delayed\r\nWill-Retry-Until: soon", Evidence::Delayed { until: None }, None),
    ] {
        let receipts = classify(&report(fields), Some(&base()));
        let [receipt] = receipts.as_slice() else { panic!("{fields}: {receipts:?}") };
        assert_eq!(receipt.evidence, evidence, "{fields}");
        assert_eq!(receipt.code.as_deref(), code, "{fields}");
        assert_eq!(receipt.token, Some(Token::new("tok-1")), "{fields}");
        assert!(!receipt.verified);
        assert_eq!(receipt.reported, Some(Moment::parse("2040-01-02T03:04:05Z").expect("a time")));
    }
    assert!(classify(&report("Action: deliverable\r\nStatus: 2.0.0"), None).is_empty());
}

#[test]
fn a_report_that_came_to_any_of_several_return_paths_has_a_token() {
    let bases = ["elsewhere@b.test", "bounces@b.test"].map(|base| ReturnPath::new(base).expect("a return path"));
    let receipts = classify(&report("Action: failed"), &bases);
    assert_eq!(receipts[0].token, Some(Token::new("tok-1")));
    assert_eq!(classify(&report("Action: failed"), &bases[..1])[0].token, None);
}

#[test]
fn a_report_about_several_recipients_is_several_receipts_with_identities_of_their_own() {
    let fields = "Final-Recipient: rfc822; a@c.test\r\nAction: failed\r\n\r\nFinal-Recipient: rfc822; b@c.test\r\nAction: delivered";
    let raw = report(fields);
    let receipts = classify(&raw, Some(&base()));
    let evidence: Vec<Evidence> = receipts.iter().map(|r| r.evidence).collect();
    assert_eq!(evidence, [Evidence::Failed, Evidence::Reached(Assurance::Delivered)]);
    assert_ne!(receipts[0].identity, receipts[1].identity);
    assert_eq!(receipts, classify(&raw, Some(&base())), "the same mail twice is the same receipts");
    assert!(receipts[0].identity.starts_with(|c: char| c.is_ascii_hexdigit()) && receipts[0].identity.len() > 64);
}

#[test]
fn an_internationalized_report_in_base64_is_read() {
    let status = "UmVwb3J0aW5nLU1UQTogZG5zOyB4Cg0KRmluYWwtUmVjaXBpZW50OiB1dGYtODsgasO8QGMudGVzdA0KQWN0aW9uOiBmYWlsZWQNClN0YXR1czogNS4xLjENCg==";
    let raw = format!(
        "To: <BOUNCES+TOK-2@B.TEST>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\
         Content-Type: message/global-delivery-status\nContent-Transfer-Encoding: base64\n\n{status}\n--b--\n"
    );
    let receipts = classify(raw.as_bytes(), Some(&base()));
    assert_eq!(receipts.len(), 1);
    assert_eq!(receipts[0].evidence, Evidence::Failed);
    assert_eq!(receipts[0].token, Some(Token::new("tok-2")), "systems may change the case of an address");
}

#[test]
fn a_report_inside_a_forwarded_mail_is_not_ours() {
    let inner = String::from_utf8(report("Action: failed")).expect("text");
    let raw = format!(
        "To: bounces+tok-1@b.test\r\nSubject: Fwd: did you see this?\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=outer\r\n\r\n--outer\r\nContent-Type: text/plain\r\n\r\nlook\r\n\
         --outer\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--outer--\r\n"
    );
    assert_eq!(classify(raw.as_bytes(), Some(&base())), Vec::<Receipt>::new());
    let quoted =
        b"To: bounces+tok-1@b.test\r\n\r\n> Content-Type: message/delivery-status\r\n>\r\n> Action: delivered\r\n";
    assert!(classify(quoted, Some(&base())).is_empty());
}

#[test]
fn a_token_is_taken_from_the_address_of_delivery_and_from_our_base_only() {
    for (headers, token) in [
        ("Delivered-To: bounces+right@b.test\r\nTo: bounces+wrong@b.test\r\n", Some("right")),
        ("To: a@c.test,\r\n \"B\" <bounces+folded@b.test>\r\n", Some("folded")),
        ("X-Original-To: bounces+x@b.test\r\n", Some("x")),
        ("To: bounces+evil@elsewhere.test\r\n", None),
        ("Subject: bounces+evil@b.test\r\n", None),
        ("To: bounces+@b.test\r\n", None),
    ] {
        let body = "MIME-Version: 1.0\r\nContent-Type: message/delivery-status\r\n\r\nAction: failed\r\n";
        let receipts = classify(format!("{headers}{body}").as_bytes(), Some(&base()));
        assert_eq!(receipts.len(), 1, "{headers}");
        assert_eq!(receipts[0].token, token.map(Token::new), "{headers}");
    }
}

#[test]
fn mails_built_to_exhaust_a_parser_are_not_looked_into() {
    let mut deep = String::from("MIME-Version: 1.0\r\n");
    for depth in 0..20_000 {
        deep += &format!("Content-Type: multipart/mixed; boundary=b{depth}\r\n\r\n--b{depth}\r\n");
    }
    assert!(classify(deep.as_bytes(), None).is_empty());
    let nested = "Content-Type: message/rfc822\r\n\r\n".repeat(90);
    assert!(classify(nested.as_bytes(), None).is_empty());
    let digest =
        format!("Content-Type: multipart/digest; boundary=b\r\n\r\n{}", "--b\r\n\r\nA: b\r\n\r\nx\r\n".repeat(20_000));
    assert!(classify(digest.as_bytes(), None).is_empty());
    let mut large = report("Action: failed");
    large.resize(11 << 20, b' ');
    assert!(classify(&large, None).is_empty());
    let many = "Action: failed\r\n\r\n".repeat(100_000);
    assert!(classify(&report(&many), None).len() <= 2000);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let _ = classify(&bytes, Some(&base()));
    }

    #[test]
    fn no_damage_to_a_report_makes_it_panic_or_find_more(cut in 0_usize..900, at in 0_usize..900, byte in any::<u8>()) {
        let mut raw = report("Final-Recipient: rfc822; a@c.test\r\nAction: failed\r\nStatus: 5.1.1");
        if let Some(changed) = raw.get_mut(at) {
            *changed = byte;
        }
        raw.truncate(raw.len().saturating_sub(cut));
        prop_assert!(classify(&raw, Some(&base())).len() <= 1);
    }
}

fn maildir() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    for folder in ["new", "cur", "tmp"] {
        fs::create_dir(directory.path().join(folder)).expect(folder);
    }
    directory
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    names.sort();
    names
}

fn context() -> AttemptContext {
    AttemptContext::new(Arc::new(SystemClock::new()), Duration::from_secs(20))
}

#[tokio::test]
async fn a_maildir_gives_the_oldest_first_again_and_again_until_they_are_done() {
    let directory = maildir();
    let new = directory.path().join("new");
    fs::write(new.join("1000.b.host"), report("Action: delivered")).expect("written");
    fs::write(new.join("999.a.host"), "To: x@y.test\r\n\r\nan ordinary mail").expect("written");
    fs::write(new.join("1001.c.host"), report("Action: failed")).expect("written");
    fs::write(new.join(".hidden"), "x").expect("written");
    fs::create_dir(new.join("folder")).expect("made");
    let source = Maildir::new(directory.path(), Some(base()));
    let cx = context();
    let first = source.batch(&cx, 2).await.expect("read");
    let ids: Vec<&str> = first.iter().map(|received| received.id.as_str()).collect();
    assert_eq!(ids, ["999.a.host", "1000.b.host"]);
    assert!(first[0].receipts.is_empty() && !first[0].raw.is_empty(), "what is no report is not dropped");
    assert_eq!(first[1].receipts[0].token, Some(Token::new("tok-1")));
    assert_eq!(source.batch(&cx, 2).await.expect("read"), first, "at least once");

    let done: Vec<String> = first.iter().map(|received| received.id.clone()).collect();
    source.done(&cx, &done).await.expect("moved");
    source.done(&cx, &done).await.expect("what is gone is done");
    assert_eq!(names(&directory.path().join("cur")), ["1000.b.host:2,S", "999.a.host:2,S"]);
    let rest = source.batch(&cx, 9).await.expect("read");
    assert_eq!(rest.iter().map(|received| received.id.as_str()).collect::<Vec<_>>(), ["1001.c.host"]);
    fs::remove_file(new.join("1001.c.host")).expect("removed");
    source.done(&cx, &["1001.c.host".to_owned()]).await.expect("a vanished mail is no fault");
    assert!(source.batch(&cx, 9).await.expect("read").is_empty());
}

#[tokio::test]
async fn a_maildir_touches_nothing_outside_itself_and_makes_nothing() {
    let directory = maildir();
    let secret = directory.path().join("secret");
    fs::write(&secret, "x").expect("written");
    #[cfg(unix)]
    std::os::unix::fs::symlink(&secret, directory.path().join("new/1.link")).expect("linked");
    let source = Maildir::new(directory.path(), None);
    let cx = context();
    assert!(source.batch(&cx, 9).await.expect("read").is_empty(), "a link may lead anywhere");
    for id in ["../secret", "/etc/hosts", "..", ""] {
        assert!(source.done(&cx, &[id.to_owned()]).await.is_err(), "{id:?}");
    }
    assert!(secret.exists());

    let missing = directory.path().join("missing");
    let source = Maildir::new(&missing, None);
    let error = source.batch(&cx, 9).await.expect_err("there is none");
    assert!(!error.to_string().contains("missing"), "{error}");
    assert!(source.done(&cx, &["1.x".to_owned()]).await.is_err());
    assert!(!missing.exists());
}
