//! The kinds of channel that a channels file can name.

use super::not_yet;
use super::secret::Reference;
use relcomm_channels::email::{EmailChannel, EmailOptions, ReturnPath};
use relcomm_channels::http::{Allowed, HttpOptions};
use relcomm_channels::manual::ManualChannel;
use relcomm_channels::paging::{PagingChannel, PagingOptions};
use relcomm_channels::webhook::{WebhookChannel, WebhookEndpoint, WebhookOptions};
use relcomm_core::channel::ChannelSet;
use relcomm_core::mechanism::{Addressing, Deduplication, Mechanism};
use relcomm_core::plan::Finding;
use relcomm_core::plan::source::{Entry, Kind, Node, Source};
use secrecy::ExposeSecret;
use std::collections::BTreeMap;
use std::num::NonZeroU32;

/// The kinds of channel by name. Hosts that embed the command add their own.
#[derive(Clone, Debug)]
pub struct ChannelKinds {
    kinds: BTreeMap<&'static str, ChannelKind>,
}

#[derive(Clone, Copy, Debug)]
struct ChannelKind {
    /// Every key that it knows, dots for nested ones; `*` for any name.
    keys: &'static [&'static str],
    /// Keys that are known and not acted on yet.
    later: &'static [&'static str],
    make: fn(&Settings<'_>, ChannelSet, Mechanism) -> Result<ChannelSet, String>,
}

/// What a channels file says of one mechanism.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    pub(super) source: &'a Source,
    pub(super) word: &'a str,
    pub(super) addressing: Addressing,
}

/// Kinds that the design names and that come later.
const LATER: [&str; 9] =
    ["static-site", "imap", "slack", "teams", "twilio", "kannel", "icalendar", "exec", "alertmanager"];

impl ChannelKinds {
    /// The kinds of relcomm-channels.
    #[must_use]
    pub fn standard() -> Self {
        let smtp = ChannelKind {
            keys: &[
                "kind",
                "url",
                "password",
                "from",
                "return_path",
                "receipts",
                "receipts.maildir",
                "ca",
                "hello",
                "connections",
            ],
            later: &["receipts.imap"],
            make: smtp,
        };
        let webhook = ChannelKind {
            keys: &[
                "kind",
                "endpoints",
                "endpoints.*",
                "endpoints.*.url",
                "endpoints.*.secret",
                "endpoints.*.headers",
                "endpoints.*.headers.*",
                "default",
                "source",
                "allow",
                "ca",
                "honours_keys",
                "concurrency",
                "max_body",
            ],
            later: &[],
            make: webhook,
        };
        let pagerduty = ChannelKind {
            keys: &[
                "kind",
                "endpoints",
                "endpoints.*",
                "endpoints.*.routing_key",
                "source",
                "url",
                "allow",
                "ca",
                "concurrency",
            ],
            later: &["receipts"],
            make: pagerduty,
        };
        let manual = ChannelKind { keys: &["kind"], later: &[], make: manual };
        let kinds = [("smtp", smtp), ("webhook", webhook), ("pagerduty", pagerduty), ("manual", manual)];
        Self { kinds: kinds.into() }
    }

    /// Findings about the form of one mechanism's settings.
    pub(super) fn check(&self, kind: &str, source: &Source, word: &str) -> Vec<Finding> {
        let path = format!("{word}.kind");
        let Some(known) = self.kinds.get(kind) else {
            let finding = if LATER.contains(&kind) {
                not_yet(&path, &format!("channels of the kind `{kind}`"))
            } else {
                let names: Vec<&str> = self.kinds.keys().copied().collect();
                Finding::error(
                    "RC1003",
                    &path,
                    format!("`{kind}` is no kind of channel; there are {}", names.join(", ")),
                )
            };
            return vec![finding.at(source.at(&path))];
        };
        let mut findings = Vec::new();
        if let Some(node) = source.get(word) {
            known.walk(source, word, "", node, &mut findings);
        }
        findings
    }

    pub(super) fn make(
        &self,
        kind: &str,
        settings: &Settings<'_>,
        set: ChannelSet,
        mechanism: Mechanism,
    ) -> Result<ChannelSet, String> {
        match self.kinds.get(kind) {
            Some(known) => (known.make)(settings, set, mechanism),
            None => Err(format!("`{kind}` is no kind of channel")),
        }
    }
}

impl ChannelKind {
    fn walk(&self, source: &Source, word: &str, under: &str, node: &Node, findings: &mut Vec<Finding>) {
        let Kind::Map(entries) = node.kind() else { return };
        for entry in entries {
            let own = join(under, entry.key());
            let any = join(under, "*");
            let path = format!("{word}.{own}");
            let pattern = if self.knows(&own) { own.clone() } else { any };
            if self.later.contains(&own.as_str()) {
                findings.push(not_yet(&path, &own).at(source.at(&path)));
            } else if self.knows(&pattern) {
                self.walk(source, word, &pattern, entry.value(), findings);
            } else if !is_reference(under, entry) {
                findings.push(
                    Finding::error("RC1004", &path, format!("unknown key `{}`", entry.key())).at(source.at(&path)),
                );
            }
        }
    }

    fn knows(&self, key: &str) -> bool {
        self.keys.contains(&key)
    }
}

fn join(under: &str, key: &str) -> String {
    if under.is_empty() { key.to_owned() } else { format!("{under}.{key}") }
}

/// Whether an entry belongs to a reference, whose form is checked where it is read.
fn is_reference(under: &str, entry: &Entry) -> bool {
    !under.is_empty() && matches!(entry.key(), "env" | "file" | "default")
}

pub(super) fn keys(source: &Source, path: &str) -> Vec<String> {
    let node = if path.is_empty() { Some(source.root()) } else { source.get(path) };
    match node.map(Node::kind) {
        Some(Kind::Map(entries)) => entries.iter().map(|e| e.key().to_owned()).collect(),
        _ => Vec::new(),
    }
}

impl Settings<'_> {
    fn path(&self, key: &str) -> String {
        format!("{}.{key}", self.word)
    }

    /// Plain text, or what a reference leads to.
    fn text(&self, key: &str) -> Result<Option<String>, String> {
        Ok(self.secret(key)?.map(|s| s.expose_secret().to_owned()))
    }

    fn needed(&self, key: &str) -> Result<String, String> {
        self.text(key)?.ok_or_else(|| format!("`{key}` is missing"))
    }

    fn secret(&self, key: &str) -> Result<Option<secrecy::SecretString>, String> {
        let found = Reference::at(self.source, &self.path(key)).map_err(|f| first(&f))?;
        found.map(|r| r.read().map_err(|e| format!("`{key}`: {e}"))).transpose()
    }

    fn list(&self, key: &str) -> Vec<String> {
        match self.source.get(&self.path(key)).map(Node::kind) {
            Some(Kind::List(items)) => items.iter().filter_map(Node::text).map(str::to_owned).collect(),
            Some(Kind::Scalar { .. }) => {
                self.source.get(&self.path(key)).and_then(Node::text).map(str::to_owned).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    fn number(&self, key: &str) -> Result<Option<NonZeroU32>, String> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| format!("`{key}` is a number from 1"))
    }

    fn http(&self) -> Result<HttpOptions, String> {
        let mut http = HttpOptions::new();
        for allowed in self.list("allow") {
            let allowed: Allowed = allowed.parse().map_err(|e: relcomm_channels::http::BadAllowed| e.to_string())?;
            http = http.allow(allowed);
        }
        if let Some(ca) = self.text("ca")? {
            http = http.ca_pem(read(&ca)?);
        }
        Ok(http)
    }
}

fn first(findings: &[Finding]) -> String {
    findings.first().map(|f| f.message.clone()).unwrap_or_default()
}

fn read(path: &str) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|e| format!("{path}: {e}"))
}

fn smtp(settings: &Settings<'_>, set: ChannelSet, mechanism: Mechanism) -> Result<ChannelSet, String> {
    let mut options =
        EmailOptions::new(&settings.needed("url")?, &settings.needed("from")?).map_err(|e| e.to_string())?;
    // A relay that asks for no login: `password: { env: SMTP_PASSWORD, default: "" }`.
    if let Some(password) = settings.secret("password")?.filter(|p| !p.expose_secret().is_empty()) {
        options = options.password(password);
    }
    if let Some(hello) = settings.text("hello")? {
        options = options.hello(&hello).map_err(|e| e.to_string())?;
    }
    if let Some(ca) = settings.text("ca")? {
        options = options.extra_roots(read(&ca)?.as_bytes()).map_err(|e| e.to_string())?;
    }
    if let Some(n) = settings.number("connections")? {
        options = options.concurrency(n);
    }
    if let Some(base) = settings.text("return_path")? {
        let base = ReturnPath::new(&base).map_err(|e| e.to_string())?;
        options = match settings.text("receipts.maildir")? {
            Some(maildir) => options.receipts(maildir, base),
            None => options.return_path(base),
        };
    } else if settings.source.get(&settings.path("receipts.maildir")).is_some() {
        return Err("`receipts.maildir` needs `return_path`, or no receipt can be matched".into());
    }
    Ok(set.with(mechanism, EmailChannel::new(options).map_err(|e| e.to_string())?))
}

fn webhook(settings: &Settings<'_>, set: ChannelSet, mechanism: Mechanism) -> Result<ChannelSet, String> {
    let mut options = WebhookOptions::new().addressing(settings.addressing).http(settings.http()?);
    let names = keys(settings.source, &settings.path("endpoints"));
    for name in &names {
        let url = settings
            .secret(&format!("endpoints.{name}.url"))?
            .ok_or_else(|| format!("endpoint `{name}` has no `url`"))?;
        let mut endpoint = WebhookEndpoint::new(url);
        if let Some(secret) = settings.secret(&format!("endpoints.{name}.secret"))? {
            endpoint = endpoint.secret(secret);
        }
        for header in keys(settings.source, &settings.path(&format!("endpoints.{name}.headers"))) {
            if let Some(value) = settings.secret(&format!("endpoints.{name}.headers.{header}"))? {
                endpoint = endpoint.header(header, value);
            }
        }
        options = options.endpoint(name, endpoint);
    }
    if let Some(name) = settings.text("default")?.or_else(|| (names.len() == 1).then(|| names.concat())) {
        options = options.default_endpoint(name);
    }
    if let Some(source) = settings.text("source")? {
        options = options.source(source);
    }
    if let Some(n) = settings.number("concurrency")? {
        options = options.concurrency(n);
    }
    if let Some(n) = settings.number("max_body")? {
        options = options.max_body(n.get() as usize);
    }
    match settings.text("honours_keys")?.as_deref() {
        None | Some("true") => {}
        Some("false") => options = options.deduplication(Deduplication::None),
        Some(_) => return Err("`honours_keys` is true or false".into()),
    }
    let channel = WebhookChannel::new(options).map_err(|e| e.to_string())?;
    Ok(match settings.addressing {
        Addressing::Each => set.with_endpoints(mechanism, channel),
        Addressing::Once => set.with(mechanism, channel),
    })
}

fn pagerduty(settings: &Settings<'_>, set: ChannelSet, mechanism: Mechanism) -> Result<ChannelSet, String> {
    let mut options = PagingOptions::new().http(settings.http()?);
    for name in keys(settings.source, &settings.path("endpoints")) {
        let key = settings.secret(&format!("endpoints.{name}.routing_key"))?;
        options = options.endpoint(&name, key.ok_or_else(|| format!("endpoint `{name}` has no `routing_key`"))?);
    }
    if let Some(url) = settings.text("url")? {
        options = options.base_url(url);
    }
    if let Some(source) = settings.text("source")? {
        options = options.source(source);
    }
    if let Some(n) = settings.number("concurrency")? {
        options = options.concurrency(n);
    }
    Ok(set.with_endpoints(mechanism, PagingChannel::new(options).map_err(|e| e.to_string())?))
}

#[expect(clippy::unnecessary_wraps, reason = "every kind is made through one signature")]
fn manual(settings: &Settings<'_>, set: ChannelSet, mechanism: Mechanism) -> Result<ChannelSet, String> {
    Ok(set.with(mechanism, ManualChannel::new(settings.addressing)))
}
