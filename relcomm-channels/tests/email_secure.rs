//! TLS and logins of the email channel: nothing is said in clear that must not be.
#![cfg(feature = "email")]

mod post;

use post::{FROM, PATIENCE, accepted, attempt, context, failure, notice, peer, to};
use rcgen::{CertificateParams, DnType, KeyPair};
use relcomm_channels::email::{BadEmailOptions, EmailChannel, EmailOptions, SmtpTimeouts};
use relcomm_core::channel::{Channel, Effect, ErrorKind, Retry, Scope};
use relcomm_testkit::peer::smtp::{Extensions, SmtpPeer, SmtpScript};
use rustls::ServerConfig;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::sync::Arc;

/// A certificate for that host, issued by itself under a name of its own, and the PEM by which it is trusted.
fn certificate(host: &str, name: &str) -> (Arc<ServerConfig>, String) {
    let mut params = CertificateParams::new(vec![host.to_owned()]).expect("parameters");
    params.distinguished_name.push(DnType::CommonName, name);
    let pair = KeyPair::generate().expect("a key");
    let made = params.self_signed(&pair).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.der().clone()], key)
        .expect("a server");
    (Arc::new(config), made.pem())
}

fn options(scheme: &str, peer: &SmtpPeer, pem: &str) -> EmailOptions {
    let url = format!("{scheme}://localhost:{}", peer.addr().port());
    let options = EmailOptions::new(&url, FROM).expect("options").timeouts(SmtpTimeouts::all(PATIENCE));
    options.extra_roots(pem.as_bytes()).expect("a root")
}

fn login(options: EmailOptions, password: &str) -> EmailChannel {
    EmailChannel::new(options.login("me@b.test", password.to_owned().into())).expect("a channel")
}

#[tokio::test]
async fn a_login_goes_through_tls_and_what_was_offered_before_counts_for_nothing() {
    let (config, pem) = certificate("localhost", "relay");
    let script = SmtpScript::new()
        .start_tls(config)
        .require_tls()
        .credential("me@b.test", "secret")
        .extensions_after_tls(Extensions::none());
    let peer = peer(script);
    let channel = login(options("smtp+starttls", &peer, &pem), "secret");
    assert!(accepted(&attempt(&channel, &notice(), &[to("a@c.test")]).await[0]));
    let mail = &peer.mails()[0];
    assert!(mail.tls && mail.envid.is_none());
    assert_eq!(mail.login.as_deref(), Some("me@b.test"));
    let verbs: Vec<String> =
        peer.transcript().iter().map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect();
    assert_eq!(verbs, ["EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL", "RCPT", "DATA"]);
    assert!(accepted(&attempt(&channel, &notice(), &[to("a@c.test")]).await[0]));
    assert_eq!(peer.connections(), 1, "a session under TLS is used again");
}

#[tokio::test]
async fn tls_from_the_first_octet() {
    let (config, pem) = certificate("localhost", "relay");
    let peer = peer(SmtpScript::new().implicit_tls(config).credential("me@b.test", "secret"));
    let channel = login(options("smtps", &peer, &pem), "secret");
    assert!(accepted(&attempt(&channel, &notice(), &[to("a@c.test")]).await[0]));
    assert!(peer.mails()[0].tls);
    assert!(channel.verify(&context()).await.is_ok());
}

#[tokio::test]
async fn without_tls_nothing_but_a_greeting_is_said() {
    let (_, pem) = certificate("localhost", "relay");
    let peer = peer(SmtpScript::new().credential("me@b.test", "secret"));
    let channel = login(options("smtp+starttls", &peer, &pem), "secret");
    let outcomes = attempt(&channel, &notice(), &[to("a@c.test")]).await;
    let error = failure(&outcomes[0]);
    assert_eq!((error.kind, error.scope, error.effect), (ErrorKind::Tls, Scope::Channel, Effect::NotSent));
    assert_eq!(peer.transcript(), ["EHLO b.test"]);
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_ends_the_session_before_the_login() {
    let (config, _) = certificate("localhost", "relay");
    let (_, other) = certificate("localhost", "another");
    let (elsewhere, elsewhere_pem) = certificate("elsewhere.test", "elsewhere");
    for (config, pem, words) in [(config, other, "unknown issuer"), (elsewhere, elsewhere_pem, "another host")] {
        for (scheme, script) in [
            ("smtp+starttls", SmtpScript::new().start_tls(Arc::clone(&config))),
            ("smtps", SmtpScript::new().implicit_tls(Arc::clone(&config))),
        ] {
            let peer = peer(script.credential("me@b.test", "secret"));
            let channel = login(options(scheme, &peer, &pem), "secret");
            let outcomes = attempt(&channel, &notice(), &[to("a@c.test")]).await;
            let error = failure(&outcomes[0]);
            assert_eq!((error.kind, error.scope, error.effect), (ErrorKind::Tls, Scope::Channel, Effect::NotSent));
            assert!(error.message().contains(words), "{error}");
            assert!(!peer.transcript().iter().any(|line| line.starts_with("AUTH") || line.starts_with("MAIL")));
        }
    }
}

#[tokio::test]
async fn what_is_slipped_in_before_tls_is_not_taken_for_something_said_under_it() {
    let (config, pem) = certificate("localhost", "relay");
    let script = SmtpScript::new().start_tls(config).inject_after_starttls(b"250 DSN\r\n".to_vec());
    let peer = peer(script.credential("me@b.test", "secret"));
    let channel = login(options("smtp+starttls", &peer, &pem), "secret");
    let outcomes = attempt(&channel, &notice(), &[to("a@c.test")]).await;
    assert_eq!(failure(&outcomes[0]).kind, ErrorKind::Tls);
    assert!(!peer.transcript().iter().any(|line| line.starts_with("AUTH")));
}

#[tokio::test]
async fn a_wrong_password_bars_the_channel_and_is_shown_nowhere() {
    let (config, pem) = certificate("localhost", "relay");
    let peer = peer(SmtpScript::new().start_tls(config).credential("me@b.test", "secret"));
    let channel = login(options("smtp+starttls", &peer, &pem), "hunter2");
    let outcomes = attempt(&channel, &notice(), &[to("a@c.test"), to("b@c.test")]).await;
    for outcome in &outcomes {
        let error = failure(outcome);
        assert_eq!((error.kind, error.scope, error.retry), (ErrorKind::Authentication, Scope::Channel, Retry::Never));
        assert_eq!(error.effect, Effect::NotSent);
    }
    let refused = channel.verify(&context()).await.expect_err("refused");
    assert_eq!(refused.kind, ErrorKind::Authentication);
    let shown = format!("{channel:?} {outcomes:?} {refused} {refused:?}");
    for secret in ["hunter2", "me@b.test", "me%40", "releases", "Release Team", "c.test"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[tokio::test]
async fn a_relay_that_takes_no_login_is_not_used_without_one() {
    let (config, pem) = certificate("localhost", "relay");
    let peer = peer(SmtpScript::new().start_tls(config));
    let outcomes = attempt(&login(options("smtp+starttls", &peer, &pem), "secret"), &notice(), &[to("a@c.test")]).await;
    assert_eq!(failure(&outcomes[0]).kind, ErrorKind::Authentication);
    assert!(peer.mails().is_empty());
}

#[test]
fn half_a_login_is_no_configuration() {
    let options = EmailOptions::new("smtps://me@mx.test", FROM).expect("options");
    assert_eq!(EmailChannel::new(options).map(drop), Err(BadEmailOptions::Login));
    let options = EmailOptions::new("smtps://mx.test", FROM).expect("options").password("x".to_owned().into());
    assert_eq!(EmailChannel::new(options).map(drop), Err(BadEmailOptions::Login));
}
