//! What the email channel puts on the wire, judged by a server that is strict about what it hears.
#![cfg(feature = "email")]

mod post;

use mail_parser::MessageParser;
use post::{
    Still, accepted, attempt, attempt_in, base, context, failure, key, notice, options, peer, personal, seen, shared,
    text, to,
};
use relcomm_channels::email::{EmailChannel, Reports};
use relcomm_core::channel::{About, Key};
use relcomm_core::channel::{
    AttemptContext, Channel, Effect, ErrorKind, Outcome, ReceiptSource, Retry, Scope, Wording,
};
use relcomm_core::clock::Moment;
use relcomm_core::document::Document;
use relcomm_core::id::{CommuniqueId, Lang, PlanId};
use relcomm_core::plan::Severity;
use relcomm_core::receipt::{Assurance, Evidence, Token};
use relcomm_core::stakeholder::Address;
use relcomm_testkit::peer::smtp::{
    Extensions, Fault, FaultAct, RecipientAnswer, Reply, Ret, SmtpPeer, SmtpScript, Step,
};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

fn wording(subject: &str) -> Wording {
    let about = About::new(
        PlanId::new("anvil-2.0.0").expect("an id"),
        "Anvil",
        "2.0.0",
        CommuniqueId::new("live").expect("an id"),
    );
    let document = Document::from_markdown("**Anvil** 2.0.0 is live.\n\n- faster\n- *safer*").expect("a text");
    Wording::new(about, subject, document, "Anvil 2.0.0 is live").lang(Some(Lang::new("en").expect("a language")))
}

#[tokio::test]
async fn each_recipient_of_one_transaction_has_an_outcome_of_their_own() {
    let script = SmtpScript::new()
        .answer("gone@c.test", RecipientAnswer::refuse())
        .answer("later@c.test", RecipientAnswer::defer());
    let peer = peer(script);
    let items = [to("one@c.test"), to("gone@c.test"), to("later@c.test"), to("two@c.test")];
    let outcomes = attempt(&shared(&peer), &notice(), &items).await;

    assert!(accepted(&outcomes[0]) && accepted(&outcomes[3]));
    let gone = failure(&outcomes[1]);
    assert_eq!((gone.kind, gone.scope, gone.retry), (ErrorKind::RecipientInvalid, Scope::Recipient, Retry::Never));
    assert_eq!((gone.code.as_deref(), gone.effect), (Some("550 5.1.1"), Effect::NotSent));
    let later = failure(&outcomes[2]);
    assert_eq!((later.scope, later.retry, later.effect), (Scope::Recipient, Retry::Backoff, Effect::NotSent));

    let mails = peer.mails();
    let [mail] = mails.as_slice() else { panic!("{} mails", mails.len()) };
    let reached: Vec<&str> = mail.recipients.iter().map(|r| r.address.as_str()).collect();
    assert_eq!(reached, ["one@c.test", "two@c.test"]);
    assert_eq!(mail.header("To").as_deref(), Some("undisclosed-recipients:;"));
    assert!(!String::from_utf8_lossy(&mail.data).contains("c.test"), "no one sees another");
    assert!(!mail.eight_bit, "plain ASCII needs no 8BITMIME");
    assert_eq!(peer.violations(), Vec::<String>::new());

    // Also where only one of them is left.
    let items = [to("bad address").name(Some("Someone Else".to_owned())), to("one@c.test")];
    assert!(accepted(&attempt(&shared(&peer), &notice(), &items).await[1]));
    assert_eq!(peer.mails()[1].header("To").as_deref(), Some("undisclosed-recipients:;"));
}

#[tokio::test]
async fn reports_are_asked_for_where_the_relay_offers_them() {
    let relay = peer(SmtpScript::new());
    let channel = personal(&relay);
    assert!(accepted(&attempt(&channel, &notice(), &[to("a+b@c.test")]).await[0]));
    let mail = &relay.mails()[0];
    assert_eq!((mail.envid.as_deref(), mail.ret), (Some(key().as_str()), Some(Ret::Headers)));
    let asked = mail.recipients[0].notify.expect("NOTIFY");
    assert!(asked.success && asked.failure && asked.delay);
    let original = mail.recipients[0].orcpt.as_ref().expect("ORCPT");
    assert_eq!((original.kind.as_str(), original.address.as_str()), ("rfc822", "a+b@c.test"));

    let plain = peer(SmtpScript::new().extensions(Extensions::none()));
    assert!(accepted(&attempt(&personal(&plain), &notice(), &[to("a@c.test")]).await[0]));
    assert_eq!((plain.mails()[0].envid.as_deref(), plain.mails()[0].recipients[0].notify), (None, None));

    let unasked = EmailChannel::new(options(&relay).reports(Reports::Unasked)).expect("a channel");
    assert_eq!(unasked.capabilities().proves, Assurance::Accepted);
    assert!(accepted(&attempt(&unasked, &notice(), &[to("z@c.test")]).await[0]));
    assert_eq!(relay.mails()[1].recipients[0].notify, None);
    assert!(relay.violations().is_empty() && plain.violations().is_empty());
}

#[tokio::test]
async fn the_token_returns_with_the_report_through_the_maildir() {
    let directory = tempfile::tempdir().expect("a directory");
    let maildir = directory.path().join("Maildir");
    let script = SmtpScript::new()
        .maildir(&maildir)
        .answer("well@c.test", RecipientAnswer::deliver())
        .answer("gone@c.test", RecipientAnswer::bounce());
    let peer = peer(script);
    let channel = EmailChannel::new(options(&peer).receipts(&maildir, base())).expect("a channel");
    assert_eq!(channel.capabilities().proves, Assurance::Delivered);
    assert_eq!(channel.capabilities().per_call, NonZeroU32::MIN);
    let items = [to("well@c.test"), to("gone@c.test")];
    for item in &items {
        assert!(accepted(&attempt(&channel, &notice(), std::slice::from_ref(item)).await[0]));
    }
    let mails = peer.mails();
    assert_eq!(mails[0].envelope_from, format!("bounces+{}@b.test", items[0].token().as_str()));
    assert_ne!(mails[0].envelope_from, mails[1].envelope_from);
    assert_eq!(mails[0].header("Message-ID"), mails[1].header("Message-ID"));

    let source: &dyn ReceiptSource = channel.receipts().expect("receipts");
    let received = source.batch(&context(), 10).await.expect("read");
    let mut said: Vec<(Option<Token>, Evidence)> =
        received.iter().flat_map(|r| &r.receipts).map(|r| (r.token.clone(), r.evidence)).collect();
    said.sort_by_key(|(_, evidence)| matches!(evidence, Evidence::Failed));
    let well = (Some(items[0].token()), Evidence::Reached(Assurance::Delivered));
    assert_eq!(said, [well, (Some(items[1].token()), Evidence::Failed)]);
    let ids: Vec<String> = received.into_iter().map(|r| r.id).collect();
    source.done(&context(), &ids).await.expect("done");
    assert!(source.batch(&context(), 10).await.expect("read").is_empty());
}

#[tokio::test]
async fn many_recipients_with_tokens_have_a_transaction_each() {
    let peer = peer(SmtpScript::new().answer("gone@c.test", RecipientAnswer::refuse()));
    let outcomes = attempt(&personal(&peer), &notice(), &[to("a@c.test"), to("gone@c.test"), to("b@c.test")]).await;
    assert_eq!(outcomes.iter().map(accepted).collect::<Vec<_>>(), [true, false, true]);
    let seen: Vec<(usize, Option<String>)> =
        peer.mails().iter().map(|mail| (mail.recipients.len(), mail.header("To"))).collect();
    assert_eq!(seen, [(1, Some("a@c.test".to_owned())), (1, Some("b@c.test".to_owned()))]);
}

#[tokio::test]
async fn where_all_are_refused_no_data_is_sent_and_the_session_goes_on() {
    let peer = peer(SmtpScript::new().answer("*@gone.test", RecipientAnswer::refuse()));
    let channel = shared(&peer);
    let outcomes = attempt(&channel, &notice(), &[to("a@gone.test"), to("b@gone.test")]).await;
    assert!(outcomes.iter().all(|outcome| failure(outcome).kind == ErrorKind::RecipientInvalid));
    assert!(!peer.transcript().contains(&"DATA".to_owned()));
    assert!(peer.transcript().contains(&"RSET".to_owned()));
    assert!(accepted(&attempt(&channel, &notice(), &[to("a@c.test")]).await[0]));
    assert_eq!(peer.connections(), 1);
}

#[tokio::test]
async fn a_session_is_used_again_for_a_hundred_messages() {
    let peer = peer(SmtpScript::new());
    let channel = shared(&peer);
    for _ in 0..101 {
        assert!(accepted(&attempt(&channel, &notice(), &[to("a@c.test")]).await[0]));
    }
    assert_eq!(peer.connections(), 2);
    assert_eq!(peer.mails().iter().filter(|mail| mail.connection == 1).count(), 100);
    assert_eq!(peer.transcript_of(1).last().map(String::as_str), Some("QUIT"));
}

#[tokio::test]
async fn an_idle_session_that_the_relay_closed_is_replaced_once() {
    for act in [FaultAct::Cut, FaultAct::Reply(Reply::closing())] {
        let peer = peer(SmtpScript::new().fault(Fault::at(Step::Mail, act.clone()).after(1).times(1)));
        let channel = shared(&peer);
        for _ in 0..2 {
            assert!(accepted(&attempt(&channel, &notice(), &[to("a@c.test")]).await[0]), "{act:?}");
        }
        assert_eq!((peer.connections(), peer.mails().len()), (2, 2));
    }
    // Where one idle session is dead, the others are not tried: they would cost a round trip each.
    let restarted = peer(SmtpScript::new().fault(Fault::at(Step::Mail, FaultAct::Cut).after(2).times(1)));
    let (channel, text, items) = (shared(&restarted), notice(), [to("a@c.test")]);
    let both = || async { tokio::join!(attempt(&channel, &text, &items), attempt(&channel, &text, &items)) };
    both().await;
    attempt(&channel, &text, &items).await;
    both().await;
    assert_eq!((restarted.connections(), restarted.mails().len()), (4, 5));

    // A fresh session that ends the same way is a fault, not a reason to try once more.
    let peer = peer(SmtpScript::new().fault(Fault::at(Step::Mail, FaultAct::Cut).times(1)));
    assert!(!accepted(&attempt(&shared(&peer), &notice(), &[to("a@c.test")]).await[0]));
    assert_eq!(peer.connections(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_sessions_are_open_than_allowed() {
    let peer = peer(SmtpScript::new());
    let two = NonZeroU32::MIN.saturating_add(1);
    let channel = Arc::new(EmailChannel::new(options(&peer).concurrency(two)).expect("a channel"));
    let tries: Vec<_> = (0..20)
        .map(|_| {
            let channel = Arc::clone(&channel);
            tokio::spawn(async move { accepted(&attempt(&channel, &notice(), &[to("a@c.test")]).await[0]) })
        })
        .collect();
    for tried in tries {
        assert!(tried.await.expect("no panic"));
    }
    assert!(peer.peak_connections() <= 2, "{}", peer.peak_connections());
    assert_eq!(peer.mails().len(), 20);
}

#[tokio::test]
async fn texts_arrive_as_they_were_whatever_the_relay_offers() {
    let body = format!(
        ".\n..two dots\n.one\nFrom here\n{}\nGrüße, 您好 \u{1f680}\n\n.\n{}\n",
        "x".repeat(2000),
        "ü".repeat(1200)
    );
    let subject = format!("Größe: {} \u{1f680}", "lang ".repeat(60).trim_end());
    let subject = subject.as_str();
    let html = "<p>Gr\u{fc}\u{df}e</p>\n.\n";
    for (name, extensions) in [("all", Extensions::default()), ("none", Extensions::none())] {
        let peer = peer(SmtpScript::new().extensions(extensions));
        assert!(accepted(&attempt(&shared(&peer), &text(subject, &body, html), &[to("a@c.test")]).await[0]), "{name}");
        let mail = &peer.mails()[0];
        let parsed = MessageParser::default().parse(&mail.data).expect("a mail");
        assert_eq!(parsed.subject(), Some(subject), "{name}");
        let read = parsed.body_text(0).expect("a text").replace("\r\n", "\n");
        assert_eq!(read.trim_end(), body.trim_end(), "{name}");
        assert_eq!(parsed.body_html(0).expect("html").trim_end().replace("\r\n", "\n"), html.trim_end(), "{name}");
        assert_eq!(peer.violations(), Vec::<String>::new(), "{name}");
        assert!(String::from_utf8_lossy(mail.header_bytes()).is_ascii());
    }
    // Where lines are short enough, the text goes as it is.
    let relay = peer(SmtpScript::new());
    assert!(accepted(&attempt(&shared(&relay), &text("s", "Grüße", ""), &[to("a@c.test")]).await[0]));
    assert!(relay.mails()[0].eight_bit && String::from_utf8_lossy(&relay.mails()[0].data).contains("Grüße"));
}

#[tokio::test]
async fn a_text_of_many_blocks_arrives_whole() {
    let lines: Vec<String> = (0..20_000).map(|n| format!(".line {n} of many")).collect();
    let body = lines.join("\n");
    let peer = peer(SmtpScript::new());
    assert!(accepted(&attempt(&shared(&peer), &text("s", &body, ""), &[to("a@c.test")]).await[0]));
    let mails = peer.mails();
    let sent = String::from_utf8_lossy(&mails[0].data);
    let (_, read) = sent.split_once("\r\n\r\n").expect("a body");
    assert!(read.len() > 300_000 && read.trim_end().replace("\r\n", "\n") == body);
    assert_eq!(peer.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn the_name_that_the_relay_gave_is_kept() {
    let queued = FaultAct::Reply(Reply::new(250, "2.0.0 Ok: queued as 4WkV2c0Zb5z9s"));
    let peer = peer(SmtpScript::new().fault(Fault::at(Step::Dot, queued)));
    let outcomes = attempt(&shared(&peer), &notice(), &[to("a@c.test")]).await;
    let Outcome::Accepted(accepted) = &outcomes[0] else { panic!("refused") };
    assert_eq!(accepted.reference.as_deref(), Some("4WkV2c0Zb5z9s"));
}

#[tokio::test]
async fn line_ends_of_any_kind_and_nul_smuggle_nothing() {
    let smuggled = "a\n.\nMAIL FROM:<x@y.test>\r.\rb\r.\r\nc\n.\r\nd\r\n.\ne\0f";
    let peer = peer(SmtpScript::new());
    let outcome = &attempt(&shared(&peer), &text("s", smuggled, "<p>x"), &[to("a@c.test")]).await[0];
    assert!(accepted(outcome) || failure(outcome).kind == ErrorKind::ContentRejected);
    assert!(peer.mails().len() <= 1, "one mail stays one mail");
    assert_eq!(peer.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn names_and_subjects_open_no_header() {
    let peer = peer(SmtpScript::new());
    let channel = personal(&peer);
    let hostile = "Eve\r\nBcc: victim@d.test\r\n\r\nbody";
    let item = to("a@c.test").name(Some(hostile.to_owned()));
    assert!(accepted(&attempt(&channel, &notice(), &[item]).await[0]));
    let mail = &peer.mails()[0];
    assert_eq!((mail.header("Bcc"), mail.header("To").as_deref()), (None, Some("a@c.test")));

    let outcome = &attempt(&channel, &text("x\r\nBcc: victim@d.test", "t", ""), &[to("a@c.test")]).await[0];
    assert_eq!((failure(outcome).kind, failure(outcome).scope), (ErrorKind::ContentRejected, Scope::Message));
    assert_eq!(peer.mails().len(), 1);

    let quoted = to("a@c.test").name(Some("O\"Neil, Jürgen <x@y.test>".to_owned()));
    assert!(accepted(&attempt(&channel, &notice(), &[quoted]).await[0]));
    let mails = peer.mails();
    let parsed = MessageParser::default().parse(&mails[1].data).expect("a mail");
    let recipients: Vec<_> = parsed.to().expect("To").iter().collect();
    assert_eq!(recipients.len(), 1);
    assert_eq!(recipients[0].address(), Some("a@c.test"));
    assert_eq!(recipients[0].name(), Some("O\"Neil, Jürgen <x@y.test>"));
    assert!(!peer.transcript().iter().any(|line| line.contains("victim")));
}

#[tokio::test]
async fn an_address_beyond_ascii_needs_a_relay_that_takes_it() {
    let items = [to("a@c.test"), to("jürgen@c.test"), to("b@bücher.test")];
    let without = peer(SmtpScript::new().extensions(Extensions::none()));
    let outcomes = attempt(&shared(&without), &notice(), &items).await;
    let refused = failure(&outcomes[1]);
    assert_eq!((refused.kind, refused.scope, refused.retry), (ErrorKind::Unsupported, Scope::Recipient, Retry::Never));
    let reached: Vec<String> = without.mails()[0].recipients.iter().map(|r| r.address.clone()).collect();
    assert_eq!(reached, ["a@c.test", "b@xn--bcher-kva.test"]);

    let with = peer(SmtpScript::new());
    let channel = personal(&with);
    assert!(accepted(&attempt(&channel, &notice(), &[to("jürgen@c.test")]).await[0]));
    assert!(accepted(&attempt(&channel, &notice(), &[to("a@c.test")]).await[0]));
    let mails = with.mails();
    assert!(mails[0].smtputf8 && !mails[1].smtputf8, "it is asked for only where it is needed");
    assert_eq!(
        mails[0].recipients[0].orcpt.as_ref().map(|o| (&*o.kind, &*o.address)),
        Some(("utf-8", "jürgen@c.test"))
    );
    assert_eq!(with.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_text_over_the_announced_size_is_refused_before_it_is_sent() {
    let mut tight = Extensions::default();
    tight.size = Some(2000);
    let peer = peer(SmtpScript::new().extensions(tight));
    let channel = shared(&peer);
    let outcomes = attempt(&channel, &text("s", &"x y\n".repeat(1000), ""), &[to("a@c.test")]).await;
    let error = failure(&outcomes[0]);
    assert_eq!((error.kind, error.scope, error.retry), (ErrorKind::TooLarge, Scope::Message, Retry::Never));
    assert!(!peer.transcript().iter().any(|line| line.starts_with("MAIL")));
    assert!(accepted(&attempt(&channel, &notice(), &[to("a@c.test")]).await[0]));
    let mail = &peer.mails()[0];
    assert_eq!(mail.announced_size, Some(mail.data.len()));
    assert_eq!(peer.connections(), 1);
}

#[tokio::test]
async fn bad_addresses_are_refused_without_a_connection() {
    let peer = peer(SmtpScript::new());
    let channel = shared(&peer);
    for bad in ["nobody", "\"a b\"@c.test", "a@[127.0.0.1]", "-oQ@c.test", "a@c.test> NOTIFY=NEVER"] {
        let address = Address::new(bad).expect("no control characters");
        let words = channel.check_address(&address).expect_err(bad);
        assert!(!words.contains("c.test"));
        let outcomes = attempt(&channel, &notice(), &[to(bad)]).await;
        assert_eq!(failure(&outcomes[0]).kind, ErrorKind::RecipientInvalid, "{bad}");
    }
    assert_eq!(peer.connections(), 0);
}

#[tokio::test]
async fn verify_says_what_the_relay_lacks_and_sends_nothing() {
    let plain = peer(SmtpScript::new().extensions(Extensions::none()));
    let findings = personal(&plain).verify(&context()).await.expect("verified");
    let warnings: Vec<&str> =
        findings.iter().filter(|f| f.severity == Severity::Warning).map(|f| f.message.as_str()).collect();
    assert_eq!(warnings, ["the relay offers no DSN: receipt of delivery cannot be requested"]);
    assert!(findings.iter().any(|f| f.message.contains("8BITMIME")));
    seen(&plain, "QUIT").await;
    assert_eq!(plain.transcript(), ["EHLO b.test", "QUIT"]);

    let full = peer(SmtpScript::new());
    let findings = personal(&full).verify(&context()).await.expect("verified");
    assert!(findings.iter().all(|f| f.severity == Severity::Note), "{findings:?}");
    assert!(findings.iter().any(|f| f.message.contains("33554432")));

    let nowhere = tempfile::tempdir().expect("a directory").path().join("missing");
    let channel = EmailChannel::new(options(&full).receipts(&nowhere, base())).expect("a channel");
    let findings = channel.verify(&context()).await.expect("verified");
    assert!(findings.iter().any(|f| f.code == "RC1115" && f.severity == Severity::Warning));
}

#[test]
fn preparing_makes_three_parts_and_keeps_the_limit_of_the_subject() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let _entered = runtime.enter();
    let peer: SmtpPeer = peer(SmtpScript::new());
    let channel = shared(&peer);
    let prepared = channel.prepare(&wording("Anvil <2.0.0> & more")).expect("prepared");
    assert_eq!(prepared.part("subject"), "Anvil <2.0.0> & more");
    assert_eq!(prepared.part("text"), "Anvil 2.0.0 is live.\n\n- faster\n- safer");
    let html = prepared.part("html");
    assert!(html.starts_with("<!doctype html>\n<html lang=\"en\">") && html.contains("<em>safer</em>"), "{html}");
    assert!(html.contains("<title>Anvil &lt;2.0.0&gt; &amp; more</title>"));
    assert!(channel.prepare(&wording(&"x".repeat(998))).is_ok());
    let findings = channel.prepare(&wording(&"x".repeat(999))).expect_err("too long");
    assert_eq!(findings[0].code, "RC1101");
    assert_eq!(channel.prepare(&wording("a\r\nb")).expect_err("two lines")[0].code, "RC1104");
}

#[tokio::test]
async fn one_whole_mail() {
    let peer = peer(SmtpScript::new());
    let channel = personal(&peer);
    let prepared = channel.prepare(&wording("Anvil 2.0.0 ist da: schneller für alle")).expect("prepared");
    let now = Moment::parse("2027-05-12T07:00:00+01:00").expect("a time");
    let cx = AttemptContext::new(Arc::new(Still(now)), Duration::from_secs(60));
    let item = to("jane@c.test").name(Some("Jane Roe".to_owned()));
    let outcomes = attempt_in(&channel, &cx, &prepared, &[item]).await;
    assert!(matches!(&outcomes[0], Outcome::Accepted(a) if a.assurance == Assurance::Accepted));
    let mail = String::from_utf8(peer.mails()[0].data.clone()).expect("text");
    assert!(mail.contains(Key::of([b"communique".as_slice()]).as_str()));
    insta::assert_snapshot!(mail.replace("\r\n", "\n"), @r#"
    Message-ID: <2kqhrsklkrxxe5wjcc4ljk3ele@b.test>
    Date: Wed, 12 May 2027 06:00:00 +0000
    From: "Release Team" <releases@b.test>
    To: "Jane Roe" <jane@c.test>
    Subject: Anvil 2.0.0 ist da: schneller =?utf-8?b?ZsO8cg==?= alle
    Auto-Submitted: auto-generated
    MIME-Version: 1.0
    Content-Transfer-Encoding: 8bit
    Content-Type: multipart/alternative;
     boundary="relcomm-2kqhrsklkrxxe5wjcc4ljk3ele"

    --relcomm-2kqhrsklkrxxe5wjcc4ljk3ele
    Content-Type: text/plain; charset=utf-8
    Content-Transfer-Encoding: 7bit

    Anvil 2.0.0 is live.

    - faster
    - safer
    --relcomm-2kqhrsklkrxxe5wjcc4ljk3ele
    Content-Type: text/html; charset=utf-8
    Content-Transfer-Encoding: 8bit

    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <title>Anvil 2.0.0 ist da: schneller für alle</title>
    </head>
    <body>
    <p><strong>Anvil</strong> 2.0.0 is live.</p>
    <ul>
    <li>faster</li>
    <li><em>safer</em></li>
    </ul>
    </body>
    </html>
    --relcomm-2kqhrsklkrxxe5wjcc4ljk3ele--
    "#);
}
