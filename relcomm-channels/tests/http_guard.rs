//! Where the HTTP channels may connect to.

#![cfg(feature = "webhook")]

mod fixture;

use fixture::{HOOK, accepted, attempt, clock, context, failed, item, options, peer};
use relcomm_channels::http::{Allowed, HttpOptions};
use relcomm_channels::webhook::{WebhookChannel, WebhookSetupError};
use relcomm_core::channel::{Channel, Effect, ErrorKind, Retry, Scope};
use relcomm_testkit::peer::http::HttpScript;

fn with(url: &str, allowed: &[&str]) -> Result<WebhookChannel, WebhookSetupError> {
    let http = allowed.iter().fold(HttpOptions::new(), |http, entry| http.allow(entry.parse().unwrap()));
    WebhookChannel::new(options(url).http(http))
}

#[test]
fn literal_hosts_that_are_not_public_are_refused_in_every_spelling() {
    #[rustfmt::skip]
    let special = [
        "127.0.0.1", "127.1", "2130706433", "0x7f.1", "0x7f000001", "017700000001", "127.0.0.1.", "0", "0.0.0.0",
        "10.0.0.1", "100.64.0.1", "100.100.100.200", "169.254.169.254", "0xa9fea9fe", "172.16.0.1", "172.31.255.255",
        "192.0.0.192", "192.168.0.1", "198.18.0.1", "168.63.129.16", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "[::]", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:8.8.8.8]", "[::127.0.0.1]", "[64:ff9b::7f00:1]",
        "[64:ff9b:1::1]", "[fc00::1]", "[fd00:ec2::254]", "[fe80::1]", "[fec0::1]", "[ff02::1]", "[2001::1]", "[2001:1ff::1]",
        "[2001:db8::1]", "[2002:7f00:1::]", "[100::1]", "[3fff::1]", "\u{ff11}\u{ff12}\u{ff17}.0.0.1",
    ];
    for host in special {
        let refused = with(&format!("http://{host}/hooks"), &[]).unwrap_err();
        assert!(matches!(&refused, WebhookSetupError::Url { why, .. } if why.contains("public")), "{host}: {refused}");
    }
    for host in [
        "8.8.8.8",
        "172.15.0.1",
        "172.32.0.1",
        "100.128.0.1",
        "[2606:4700::1111]",
        "[2003::1]",
        "[2001:200::1]",
        "hooks.example",
    ] {
        assert!(with(&format!("https://{host}/hooks"), &[]).is_ok(), "{host}");
    }
}

#[tokio::test]
async fn a_name_is_judged_by_what_it_resolves_to() {
    let peer = peer(HttpScript::new());
    for host in ["localhost", "LOCALHOST"] {
        let url = peer.url(HOOK).replace("127.0.0.1", host);
        let refused = with(&url, &[]).unwrap();
        let fault = failed(attempt(&refused, &clock(), item("a", None)).await);
        assert_eq!((fault.kind, fault.scope), (ErrorKind::Policy, Scope::Endpoint), "{host}");
        assert_eq!((fault.effect, fault.retry), (Effect::NotSent, Retry::Never), "{host}");
        assert_eq!(refused.verify(&context(&clock())).await.unwrap_err().kind, ErrorKind::Policy);
        assert_eq!(peer.connections(), 0);
    }
}

#[tokio::test]
async fn the_allow_list_opens_what_it_names_and_no_more() {
    let peer = peer(HttpScript::new());
    let port = peer.addr().port();
    let (here, other) = (format!("127.0.0.1:{port}"), format!("127.0.0.1:{}", port ^ 1));
    let (name, other_name) = (format!("localhost:{port}"), format!("localhost:{}", port ^ 1));
    let literal = peer.url(HOOK);
    let named = literal.replace("127.0.0.1", "localhost");
    let opened: [(&str, &[&str]); 8] = [
        (&literal, &["127.0.0.0/8"]),
        (&literal, &["127.0.0.1"]),
        (&literal, &["0.0.0.0/0"]),
        (&literal, &[&here]),
        (&named, &["localhost"]),
        (&named, &["LOCALHOST"]),
        (&named, &[&name]),
        (&named, &["127.0.0.0/8", "::1"]),
    ];
    for (url, allowed) in opened {
        accepted(attempt(&with(url, allowed).unwrap(), &clock(), item("a", None)).await);
    }
    let closed: [&[&str]; 5] = [&["127.0.0.2"], &["128.0.0.0/8"], &[&other], &["localhost"], &["::/0"]];
    for allowed in closed {
        assert!(with(&literal, allowed).is_err(), "{allowed:?}");
    }
    for allowed in [other_name.as_str(), here.as_str(), "example.org"] {
        let fault = failed(attempt(&with(&named, &[allowed]).unwrap(), &clock(), item("a", None)).await);
        assert_eq!(fault.kind, ErrorKind::Policy, "{allowed}");
    }
    assert_eq!(peer.requests().len(), opened.len());
}

#[test]
fn an_entry_of_the_allow_list_is_read_or_refused() {
    for good in ["a.internal", "a.internal:8443", "10.0.0.0/8", "::/0", "fd00::/8", "[::1]", "[::1]:80", "127.0.0.1:1"]
    {
        assert!(good.parse::<Allowed>().is_ok(), "{good}");
    }
    for bad in ["", "a b", "10.0.0.0/33", "::/129", "10.0.0.0/", "a/8", "a:", "a:65536", "http://a", "*.internal"] {
        assert!(bad.parse::<Allowed>().is_err(), "{bad}");
    }
}

#[test]
fn no_proxy_of_the_environment_is_used() {
    let mut again = std::process::Command::new(std::env::current_exe().unwrap());
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        // Nothing listens at the port of the discard protocol.
        again.env(name, "http://127.0.0.1:9");
    }
    let ended = again.args(["--exact", "the_allow_list_opens_what_it_names_and_no_more"]).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success() && said.contains("1 passed"), "{said}");
}
