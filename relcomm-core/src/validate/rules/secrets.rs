//! Whether a plan holds a secret. A plan is shown to many, and its bundle keeps what it says.

use super::super::written::{self, Written};
use super::super::{Rule, Subject};
use crate::plan::source::{Kind, Node};
use crate::plan::{Finding, Findings, Position, key_path};
use regex::Regex;
use std::sync::LazyLock;

/// The code of what looks like a secret: lines with one are not shown.
pub(crate) const SECRET: &str = "RC0008";

/// No value and no text holds what looks like a secret.
#[derive(Debug)]
pub(super) struct NoSecret;

/// What is found, and how it looks. The names are those of the vendors' documentation.
const KINDS: [(&str, &str); 14] = [
    ("an AWS access key id", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    ("a GitHub token", r"\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,}"),
    ("a GitLab token", r"\bglpat-[A-Za-z0-9_-]{16,}"),
    ("a Slack token", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    ("a Slack hook URL", r"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9]"),
    ("a Discord hook URL", r"discord(?:app)?\.com/api/webhooks/[0-9]+/[A-Za-z0-9]"),
    ("a Teams hook URL", r"(?:webhook\.office\.com/webhookb2|outlook\.office\.com/webhook)/[A-Za-z0-9]"),
    ("a private key", r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"),
    ("a Stripe key", r"\b[rs]k_live_[A-Za-z0-9]{10,}"),
    ("a Google API key", r"\bAIza[0-9A-Za-z_-]{35}"),
    ("an npm token", r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("a JSON Web Token", r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
    ("a bearer token", r"\b(?i-u:bearer) [A-Za-z0-9._~+/-]{20,}"),
    ("a password in a URL", r"\b[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@<>{}]+:[^\s/@<>{}*$]+@"),
];

static LOOKS: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    KINDS.iter().map(|(kind, look)| (*kind, Regex::new(look).expect("a pattern that is written here"))).collect()
});

static ASSIGNMENT: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r#"\b(?i-u:password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key)["']?\s*[:=]\s*["']?([^\s"'`,;<>{}]+)"#;
    Regex::new(pattern).expect("a pattern that is written here")
});

static KEY: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?:^|[_-])(?i-u:password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key)$";
    Regex::new(pattern).expect("a pattern that is written here")
});

impl Rule for NoSecret {
    fn codes(&self) -> &'static [&'static str] {
        &[SECRET]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        walk(cx.source().root(), "", "", &mut |path, key, node, text| {
            let kind = secret(text).or_else(|| (KEY.is_match(key) && is_random(text)).then_some("a secret"));
            if let Some(kind) = kind {
                out.push(found(path, kind, &cx.source().position(node)));
            }
        });
        for text in Written::all(cx).iter().filter(|text| text.is_in_a_file()) {
            for piece in written::pieces(text.text) {
                if let Some((offset, kind)) = secret_at(piece.text) {
                    out.push(found(&text.path, kind, &text.position(cx.source(), piece.offset + offset)));
                }
            }
        }
    }
}

/// The value is never repeated, and its line not shown.
fn found(path: &str, kind: &str, at: &Position) -> Finding {
    Finding::error(SECRET, path, format!("this looks like {kind}"))
        .at(Position::new(at.file.clone(), at.line, at.column, ""))
        .help("take it out and have it replaced where it was issued; a plan names endpoints, secrets stand in the deployment's configuration")
}

fn walk(node: &Node, path: &str, key: &str, look: &mut impl FnMut(&str, &str, &Node, &str)) {
    match node.kind() {
        Kind::Scalar { text, .. } => look(path, key, node, text),
        Kind::List(items) => {
            for (i, item) in items.iter().enumerate() {
                walk(item, &format!("{path}[{i}]"), key, look);
            }
        }
        Kind::Map(entries) => {
            for entry in entries {
                walk(entry.value(), &key_path(path, entry.key()), entry.key(), look);
            }
        }
        Kind::Null => {}
    }
}

fn secret(text: &str) -> Option<&'static str> {
    secret_at(text).map(|(_, kind)| kind)
}

fn secret_at(text: &str) -> Option<(usize, &'static str)> {
    // Nearly every value of a plan is a short word.
    if text.len() < 12 {
        return None;
    }
    let looks = LOOKS.iter().filter_map(|(kind, look)| Some((look.find(text)?.start(), *kind)));
    let assigned = ASSIGNMENT
        .captures_iter(text)
        .filter(|found| found.get(1).is_some_and(|value| is_random(value.as_str())))
        .find_map(|found| Some((found.get(0)?.start(), "a password or key")));
    looks.chain(assigned).min_by_key(|(at, _)| *at)
}

/// Whether a value looks made by a machine or a careful person, rather than a word about passwords.
fn is_random(value: &str) -> bool {
    let has = |kind: fn(&char) -> bool| value.chars().any(|c| kind(&c));
    value.len() >= 8
        && !value.contains(char::is_whitespace)
        && has(char::is_ascii_digit)
        && has(char::is_ascii_alphabetic)
        && !value.contains(['{', '*', '/'])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Put together here, so that no scanner takes this file for a leak.
    fn secrets() -> Vec<(String, &'static str)> {
        let long = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8";
        vec![
            (format!("key {}IOSFODNN7EXAMPLE", "AKIA"), "an AWS access key id"),
            (format!("{}_{long}", "ghp"), "a GitHub token"),
            (format!("{}_pat_{long}", "github"), "a GitHub token"),
            (format!("{}-{}", "glpat", &long[..20]), "a GitLab token"),
            (format!("{}-123456789012-{long}", "xoxb"), "a Slack token"),
            (format!("https://{}/services/T0/B0/{long}", "hooks.slack.com"), "a Slack hook URL"),
            (format!("https://{}/api/webhooks/123/{long}", "discord.com"), "a Discord hook URL"),
            (format!("https://a.{}/webhookb2/{long}", "webhook.office.com"), "a Teams hook URL"),
            (format!("-----BEGIN {} KEY-----", "RSA PRIVATE"), "a private key"),
            (format!("{}_live_{long}", "sk"), "a Stripe key"),
            (format!("{}.{}.{long}", "eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiIxMjM0In0"), "a JSON Web Token"),
            (format!("Authorization: Bearer {long}"), "a bearer token"),
            (format!("smtp://ada:{}@mx.example", "hunter2"), "a password in a URL"),
            (format!("the password: {}", "hunter2hunter2"), "a password or key"),
        ]
    }

    #[test]
    fn secrets_are_known_by_their_looks() {
        for (text, kind) in secrets() {
            assert_eq!(secret(&text), Some(kind), "{text}");
        }
    }

    #[test]
    fn words_about_secrets_are_none() {
        for text in [
            "Your password: unchanged. Reset your password at https://app.example/reset",
            "The token: a new way to sign in",
            "secret: {{ params.x }}",
            "https://app.example:8080/path@home",
            "https://user@app.example/",
            "password=********",
            "Requires api_key: see the documentation",
            "EXPORT_FORMAT_VERSION_2026",
        ] {
            assert_eq!(secret(text), None, "{text}");
        }
    }
}
