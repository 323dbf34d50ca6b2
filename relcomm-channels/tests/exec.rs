//! Programs as channels, in the shell that every Unix has: what each mishap comes to, what a program sees, and that none outlives its call.

#![cfg(all(feature = "exec", unix))]

use futures_util::FutureExt;
use relcomm_channels::exec::{Description, ExecChannel, ExecOptions, ExecSetupError};
use relcomm_core::channel::{
    About, AttemptContext, Batch, Channel, ChannelError, Effect, ErrorKind, Found, Key, Outcome, Outcomes, Outgoing,
    Prepared, Retry, Scope, Wording,
};
use relcomm_core::clock::SystemClock;
use relcomm_core::document::Document;
use relcomm_core::id::{CommuniqueId, PlanId};
use relcomm_core::mechanism::{Addressing, Deduplication};
use relcomm_core::receipt::{Assurance, Evidence, Token};
use relcomm_core::stakeholder::Address;
use std::io::Read;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const AMPLE: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(300);
/// A program reads its request and lets item 0 cross.
const CROSS: &str = r#"read request; echo '{"item":0,"crossing":true}'; read go; "#;

fn options(script: &str) -> ExecOptions {
    ExecOptions::new("/bin/sh").arg("-c").arg(script).env("PASSWORD", "open-sesame")
}

fn channel(script: &str) -> ExecChannel {
    let mut described = Description::new("test");
    described.deduplication = Deduplication::ByLookup;
    (described.lookup, described.receipts) = (true, true);
    described.per_call = NonZeroU32::MAX;
    ExecChannel::described(options(script), described).unwrap()
}

fn context(time: Duration) -> AttemptContext {
    AttemptContext::new(Arc::new(SystemClock::new()), time)
}

fn key(n: usize) -> Key {
    Key::of([n.to_string().as_bytes()])
}

fn wording() -> Wording {
    let about = About::new(PlanId::new("anvil-2").unwrap(), "Anvil", "2.0.0", CommuniqueId::new("live").unwrap());
    Wording::new(about, "Anvil is live", Document::from_markdown("It is *live*.").unwrap(), "live")
}

fn text() -> Prepared {
    channel("").prepare(&wording()).unwrap()
}

fn items(n: usize) -> Vec<Outgoing> {
    let address = |n| Address::new(format!("person-{n}@example.test")).unwrap();
    (0..n).map(|n| Outgoing::new(key(n), Token::new(format!("v1-token-{n}")), Some(address(n)))).collect()
}

/// What an attempt for two comes to, as the engine reads it.
async fn outcomes(script: &str, cx: &AttemptContext) -> Vec<Outcome> {
    let (text, items, mut slots) = (text(), items(2), Outcomes::new(2));
    let said = channel(script).attempt(cx, &Batch::new(&text, &key(9), &items), &mut slots).await;
    let settled = slots.settle(|crossed| {
        let mut error = said.clone().expect_err("an outcome is left open");
        error.effect = if crossed { Effect::MaybeSent } else { Effect::NotSent };
        Outcome::Failed(error)
    });
    settled.collect()
}

fn failed(outcome: &Outcome) -> &ChannelError {
    match outcome {
        Outcome::Failed(error) => error,
        Outcome::Accepted(_) => panic!("accepted"),
    }
}

#[tokio::test]
async fn a_program_answers_for_each_item() {
    let script = r#"
        read request; case "$request" in *'"relcomm":1,"seconds":'*'"do":"attempt"'*'"subject":"Anvil is live"'*) ;; *) exit 9 ;; esac
        echo '{"item":1,"crossing":true}'; read go
        [ "$go" = '{"item":1,"go":true}' ] || exit 8
        echo '{"item":1,"accepted":"acknowledged","reference":"4711","url":"https://x.test/person-1@example.test"}'
        echo '{"item":0,"failed":"recipient-invalid","code":"550","message":"no Person-0@Example.test, token v1-token-0, open-sesame"}'
        echo '{"done":true}'"#;
    let all = outcomes(script, &context(AMPLE)).await;
    let refused = failed(&all[0]);
    assert_eq!(
        (refused.kind, refused.scope, refused.effect),
        (ErrorKind::RecipientInvalid, Scope::Recipient, Effect::NotSent)
    );
    assert_eq!(refused.to_string(), "recipient-invalid (550): no …, token …, …");
    let Outcome::Accepted(accepted) = &all[1] else { panic!("{:?}", all[1]) };
    // No more than the program described, and no address.
    assert_eq!((accepted.assurance, accepted.reference.as_deref()), (Assurance::Accepted, Some("4711")));
    assert_eq!(accepted.url, None);
}

#[tokio::test]
async fn every_mishap_has_its_meaning() {
    use Effect::{MaybeSent, NotSent};
    use ErrorKind as K;
    let crossed = |rest: &str| format!("{CROSS}{rest}");
    #[rustfmt::skip]
    let table: Vec<(String, K, Effect, Retry, Option<&str>)> = vec![
        ("exit 3".into(),                                 K::Unavailable, NotSent,   Retry::Backoff, Some("exit 3")),
        ("kill -9 $$".into(),                             K::Unavailable, NotSent,   Retry::Backoff, Some("signal 9")),
        (crossed("exit 3"),                               K::Unavailable, MaybeSent, Retry::Backoff, Some("exit 3")),
        (crossed("kill -9 $$"),                           K::Unavailable, MaybeSent, Retry::Backoff, Some("signal 9")),
        ("read r; echo well, yes; read r".into(),         K::Protocol,    NotSent,   Retry::Never,   None),
        (crossed("echo '{\"item\":0,\"sent\":1}'; read r"), K::Protocol,  MaybeSent, Retry::Never,   None),
        (crossed("echo '{\"item\":0,\"crossing\":true}'"), K::Protocol,   MaybeSent, Retry::Never,   None),
        (crossed("echo '{\"item\":7,\"accepted\":\"accepted\"}'"), K::Protocol, MaybeSent, Retry::Never, None),
        (crossed("echo '{\"done\":false}'"),              K::Protocol,    MaybeSent, Retry::Never,   None),
        (crossed("echo '{\"done\":true}'"),               K::Protocol,    MaybeSent, Retry::Never,   None),
        (crossed("echo '{\"finding\":\"error\"}'"),       K::Protocol,    MaybeSent, Retry::Never,   None),
        ("echo '{\"item\":0,\"accepted\":\"accepted\"}'".into(), K::Protocol, MaybeSent, Retry::Never, None),
        ("head -c 1100000 /dev/zero".into(),              K::Protocol,    NotSent,   Retry::Never,   None),
        ("echo '{\"failed\":\"authentication\"}'".into(), K::Authentication, NotSent, Retry::Never,  None),
        (crossed("echo '{\"item\":0,\"failed\":\"timeout\"}'"), K::Timeout, MaybeSent, Retry::Backoff, None),
        (crossed("echo '{\"item\":0,\"failed\":\"quota\",\"effect\":\"not-sent\",\"retry\":7}'"), K::Quota, NotSent,
            Retry::After(Duration::from_secs(7)), None),
    ];
    for (script, kind, effect, retry, code) in table {
        let all = outcomes(&script, &context(AMPLE)).await;
        let error = failed(&all[0]);
        assert_eq!(
            (error.kind, error.effect, error.retry, error.code.as_deref()),
            (kind, effect, retry, code),
            "{script}"
        );
        assert_eq!(failed(&all[1]).effect, NotSent, "{script}: the other has not crossed");
    }
}

#[tokio::test]
async fn the_first_of_two_answers_stands() {
    let script = format!(r#"{CROSS} echo '{{"item":0,"accepted":"accepted"}}'; echo '{{"item":0,"failed":"quota"}}'"#);
    let all = outcomes(&script, &context(AMPLE)).await;
    assert!(matches!(all[0], Outcome::Accepted(_)));
    assert_eq!(failed(&all[1]).kind, ErrorKind::Protocol);
}

#[tokio::test]
async fn a_program_that_cannot_be_started_is_a_matter_of_configuration() {
    let missing = ExecChannel::described(ExecOptions::new("/no/such/program"), Description::new("test")).unwrap();
    let (text, items, mut slots) = (text(), items(1), Outcomes::new(1));
    let error = missing.attempt(&context(AMPLE), &Batch::new(&text, &key(9), &items), &mut slots).await.unwrap_err();
    assert_eq!((error.kind, error.scope, error.retry), (ErrorKind::Configuration, Scope::Channel, Retry::Never));
    assert!(!slots.is_crossed(0));
}

#[tokio::test]
async fn time_that_is_up_leaves_what_crossed_in_doubt_and_the_rest_not_sent() {
    let all = outcomes(&format!("{CROSS} read never"), &context(SHORT)).await;
    let effects: Vec<_> = all.iter().map(|o| (failed(o).kind, failed(o).effect)).collect();
    assert_eq!(effects, [(ErrorKind::Timeout, Effect::MaybeSent), (ErrorKind::Timeout, Effect::NotSent)]);
}

#[tokio::test]
async fn what_crossed_before_it_was_called_off_is_waited_for_and_nothing_else_begins() {
    let token = CancellationToken::new();
    let script = format!(
        r#"{CROSS} echo '{{"item":1,"crossing":true}}'; read second
        case "$second" in *false*) echo '{{"item":0,"accepted":"accepted"}}' ;; esac; read never"#
    );
    let (text, items, mut slots) = (text(), items(2), Outcomes::new(2));
    let (channel, cx, key) = (channel(&script), context(AMPLE).cancellation(token.clone()), key(9));
    let batch = Batch::new(&text, &key, &items);
    // Called off the moment the first has crossed: whoever is asked for the second sees it.
    token.cancel();
    let ended = channel.attempt(&cx, &batch, &mut slots).await;
    assert_eq!(ended.unwrap_err().kind, ErrorKind::Cancelled);
    assert!(!slots.is_crossed(0), "called off before it began");

    let token = CancellationToken::new();
    let (cx, mut slots) = (context(AMPLE).cancellation(token.clone()), Outcomes::new(2));
    let folder = tempfile::tempdir().unwrap();
    let fifo = fifo(&folder);
    let script = format!(
        r#"{CROSS} echo crossed > {fifo}; read called_off < {fifo}; echo '{{"item":1,"crossing":true}}'; read second
        case "$second" in *false*) echo '{{"item":0,"accepted":"accepted"}}' ;; esac; read never"#
    );
    let channel = self::channel(&script);
    let calling_off = tokio::task::spawn_blocking(move || {
        assert_eq!(std::fs::read_to_string(&fifo).unwrap(), "crossed\n");
        token.cancel();
        std::fs::write(&fifo, "called off\n").unwrap();
    });
    let ended = channel.attempt(&cx, &batch, &mut slots).await;
    calling_off.await.unwrap();
    assert_eq!(ended.unwrap_err().kind, ErrorKind::Cancelled);
    let all: Vec<_> = slots.settle(|_| panic!("an outcome is left open")).collect();
    assert!(matches!(all[0], Outcome::Accepted(_)), "what had crossed is finished");
    assert_eq!(failed(&all[1]).kind, ErrorKind::Cancelled);
}

fn fifo(folder: &tempfile::TempDir) -> String {
    let fifo = folder.path().join("fifo").display().to_string();
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    fifo
}

/// The end of what holds a named pipe open: read to its end, there is nobody left who could write into it.
async fn all_have_ended(fifo: String) -> String {
    let reading = tokio::task::spawn_blocking(move || {
        let mut said = String::new();
        std::fs::File::open(fifo).unwrap().read_to_string(&mut said).unwrap();
        said
    });
    tokio::time::timeout(AMPLE, reading).await.expect("something of the program is still there").unwrap()
}

#[tokio::test]
async fn nothing_that_the_program_started_outlives_a_call_that_is_late_or_dropped() {
    for dropped in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let fifo = fifo(&folder);
        // The program and a child of it hold the pipe open, and neither ends by itself.
        let script = format!("exec 3>{fifo}; echo here >&3; sleep 60 & {CROSS} sleep 60");
        let watch = tokio::spawn(all_have_ended(fifo));
        let (text, items, mut slots) = (text(), items(1), Outcomes::new(1));
        let (channel, cx, key) = (channel(&script), context(if dropped { AMPLE } else { SHORT * 4 }), key(9));
        {
            let batch = Batch::new(&text, &key, &items);
            let mut attempt = std::pin::pin!(channel.attempt(&cx, &batch, &mut slots));
            if dropped {
                let some = tokio::time::timeout(SHORT * 4, &mut attempt).await;
                assert!(some.is_err(), "the call was to be dropped");
            } else {
                assert_eq!(attempt.await.unwrap_err().kind, ErrorKind::Timeout);
            }
        }
        assert_eq!(watch.await.unwrap(), "here\n");
        assert!(slots.is_crossed(0));
    }
}

#[tokio::test]
async fn what_it_leaves_behind_after_its_answer_is_ended_too() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = fifo(&folder);
    let script = format!("exec 3>{fifo}; sleep 60 >/dev/null 2>&1 & echo '{{\"done\":true}}'");
    let watch = tokio::spawn(all_have_ended(fifo));
    channel(&script).verify(&context(AMPLE)).await.unwrap();
    watch.await.unwrap();
}

#[tokio::test]
async fn its_environment_is_clean() {
    let script = r#"read request; names=$(env | cut -d= -f1 | sort | tr '\n' ' ')
        echo "{\"finding\":\"warning\",\"message\":\"$names\"}"; echo "{\"finding\":\"error\",\"message\":\"it is $PASSWORD\"}"
        echo '{"done":true}'"#;
    let findings = channel(script).verify(&context(AMPLE)).await.unwrap();
    // What the shell itself adds, and what is kept.
    let known = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "PASSWORD", "PWD", "OLDPWD", "SHLVL", "_"];
    let seen: Vec<&str> = findings[0].message.split_whitespace().collect();
    assert!(seen.contains(&"PASSWORD") && seen.contains(&"PATH"), "{seen:?}");
    assert!(seen.iter().all(|name| known.contains(name)), "{seen:?}");
    assert!(findings[1].is_error());
    assert_eq!((findings[1].code, findings[1].message.as_str()), ("RC1117", "it is …"));
}

#[tokio::test]
async fn it_describes_itself_and_its_parts_are_prepared() {
    let line = r#"{"kind":"spool","addressing":"once","proves":"delivered","deduplication":"by-key","lookup":true,
        "address":"[a-z]+","parts":[{"name":"short"},{"name":"subject","max":12},{"name":"about"}],"concurrency":3,"timeout":9}"#;
    let script = format!("echo '{}'", line.replace('\n', ""));
    let channel = ExecChannel::open(options(&script), &context(AMPLE)).await.unwrap();
    assert_eq!(channel.descriptor().kind, "exec:spool");
    let can = channel.capabilities();
    assert_eq!((can.addressing, can.proves, can.concurrency.get()), (Addressing::Once, Assurance::Delivered, 3));
    assert_eq!(can.timeout, Duration::from_secs(9));
    assert!(channel.check_address(&Address::new("ops").unwrap()).is_ok());
    assert!(channel.check_address(&Address::new("ops 1").unwrap()).is_err());
    assert!(channel.lookup().is_some() && channel.receipts().is_none());
    let over = channel.prepare(&wording()).unwrap_err();
    assert_eq!(over[0].code, "RC1101");
    let mut shorter = wording();
    shorter.subject = "Anvil".into();
    let prepared = channel.prepare(&shorter).unwrap();
    assert_eq!((prepared.part("short"), prepared.part("subject")), ("live", "Anvil"));
    assert!(prepared.part("about").contains(r#""version":"2.0.0""#));

    for (bad, why) in [
        (r#"{"kind":"spool","speed":9}"#, "unknown field"),
        (r#"{"kind":"Spool"}"#, "`kind` holds"),
        (r#"{"kind":"spool","lookup":true}"#, "goes with"),
        (r#"{"kind":"spool","deduplication":"by-lookup"}"#, "needs `lookup`"),
        (r#"{"kind":"spool","address":"("}"#, "regular expression"),
        ("", "it ended before it had answered"),
    ] {
        let error = ExecChannel::open(options(&format!("echo '{bad}'")), &context(AMPLE)).await.unwrap_err();
        assert!(
            bad.is_empty() && matches!(error, ExecSetupError::Describe(_)) || error.to_string().contains(why),
            "{error}"
        );
    }
}

#[tokio::test]
async fn it_looks_up_and_brings_receipts() {
    let script = r#"read request; case "$request" in
        *'"do":"lookup"'*) echo '{"lookup":"found","assurance":"displayed","reference":"no 7"}' ;;
        *'"do":"receipts-done"'*'"ids":["a"]'*) ;;
        *'"do":"receipts"'*'"max":2'*)
            echo '{"receipt":"a","token":"v1-t","says":"delivered","reported":"2027-05-12T06:00:00Z","raw":"as it came"}'
            echo '{"receipt":"b","raw":"what is this?"}' ;;
        *) exit 9 ;; esac; echo '{"done":true}'"#;
    let channel = channel(script);
    let cx = context(AMPLE);
    let found = channel.lookup().unwrap().lookup(&cx, &key(1)).await.unwrap();
    assert_eq!(found.found, Found::Found(Assurance::Accepted), "no more than it described");
    assert_eq!((found.reference.as_deref(), found.url), (Some("no 7"), None));
    let source = channel.receipts().unwrap();
    let received = source.batch(&cx, 2).await.unwrap();
    assert_eq!(received[0].receipts[0].evidence, Evidence::Reached(Assurance::Delivered));
    assert!(!received[0].receipts[0].verified, "a token alone proves it, and the engine reads that");
    assert_eq!((received[1].id.as_str(), received[1].receipts.len(), received[1].raw.len()), ("b", 0, 13));
    source.done(&cx, &["a".into()]).await.unwrap();
    source.done(&cx, &["b".into()]).await.unwrap_err();
}

#[tokio::test]
async fn one_call_more_than_it_takes_waits() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        r#"mkdir {0}/busy || exit 7; {CROSS} rmdir {0}/busy; echo '{{"item":0,"accepted":"accepted"}}'; echo '{{"done":true}}'"#,
        folder.path().display()
    );
    let (channel, text) = (channel(&script), text());
    let flights = (0..4).map(|n| {
        let (channel, text) = (&channel, &text);
        async move {
            let (items, mut slots) = (items(1), Outcomes::new(1));
            channel.attempt(&context(AMPLE), &Batch::new(text, &key(n), &items), &mut slots).await
        }
        .boxed_local()
    });
    for ended in futures_util::future::join_all(flights).await {
        ended.unwrap();
    }
}
