//! The kinds of channel that a channels file can name.

use super::not_yet;
use super::settings::Settings;
use super::standard;
use relcomm_core::channel::{Channel, ChannelSet};
use relcomm_core::mechanism::Mechanism;
use relcomm_core::plan::source::{Entry, Kind, Node, Source};
use relcomm_core::plan::{Finding, key_path};
use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

const SMTP: &[&str] = &[
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
    "rate",
    "rate.count",
    "rate.seconds",
];

const WEBHOOK: &[&str] = &[
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
];

const PAGERDUTY: &[&str] =
    &["kind", "endpoints", "endpoints.*", "endpoints.*.routing_key", "source", "url", "allow", "ca", "concurrency"];

const EXEC: &[&str] = &["kind", "program", "args", "env", "env.*", "directory", "timeout", "concurrency"];

/// The kinds of channel by name. Hosts that embed the command add their own:
///
/// ```
/// use relcomm::deployment::{ChannelKind, ChannelKinds, Made};
/// use relcomm_testkit::channel::ScriptedChannel;
///
/// let forum = ChannelKind::new(&["kind", "url"], |settings| {
///     let url = settings.needed("url")?;
///     Ok(Made::channel(ScriptedChannel::new(&url)))
/// });
/// let kinds = ChannelKinds::standard().with("forum", forum);
/// # let _ = kinds;
/// ```
#[derive(Clone, Debug)]
pub struct ChannelKinds {
    kinds: BTreeMap<String, ChannelKind>,
}

/// What is being made of settings: a channel, or why it cannot be made.
pub type Making<'a> = Pin<Box<dyn Future<Output = Result<Made, String>> + Send + 'a>>;

/// One kind of channel: the keys that it knows in a channels file, and how a channel is made of them.
#[derive(Clone)]
pub struct ChannelKind {
    /// Every key that it knows, dots for nested ones; `*` for any name.
    keys: &'static [&'static str],
    /// Keys that are known and not acted on yet.
    later: &'static [&'static str],
    make: Arc<dyn for<'a> Fn(Settings<'a>) -> Making<'a> + Send + Sync>,
}

impl ChannelKind {
    /// A kind that knows these keys, `kind` among them: dots for nested ones, `*` for any name, such as `endpoints.*.url`. Every other
    /// key is a finding, and so is anything but a map at a key with nested ones. References below a key need not be named. The error says
    /// what is wrong with the settings, and shows no secret.
    #[must_use]
    pub fn new(
        keys: &'static [&'static str],
        make: impl Fn(Settings<'_>) -> Result<Made, String> + Send + Sync + 'static,
    ) -> Self {
        Self::asking(keys, move |settings| {
            let made = make(settings);
            Box::pin(async move { made })
        })
    }

    /// As [`new`](Self::new), for a kind that has to ask somebody before it knows what it is.
    #[must_use]
    pub fn asking(
        keys: &'static [&'static str],
        make: impl for<'a> Fn(Settings<'a>) -> Making<'a> + Send + Sync + 'static,
    ) -> Self {
        Self { keys, later: &[], make: Arc::new(make) }
    }

    fn later(mut self, keys: &'static [&'static str]) -> Self {
        self.later = keys;
        self
    }
}

impl fmt::Debug for ChannelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelKind").field("keys", &self.keys).finish_non_exhaustive()
    }
}

/// A channel that was made.
#[derive(Debug)]
pub struct Made {
    channel: Box<dyn Channel>,
    endpoints: bool,
}

impl Made {
    /// This channel.
    #[must_use]
    pub fn channel(channel: impl Channel) -> Self {
        Self { channel: Box::new(channel), endpoints: false }
    }

    /// This channel, whose addresses name endpoints: the fault of one does not stop the others.
    #[must_use]
    pub fn with_endpoints(channel: impl Channel) -> Self {
        Self { channel: Box::new(channel), endpoints: true }
    }

    pub(super) fn bind(self, set: ChannelSet, mechanism: Mechanism) -> ChannelSet {
        if self.endpoints { set.with_endpoints(mechanism, self.channel) } else { set.with(mechanism, self.channel) }
    }
}

/// Kinds that the design names and that come later.
const LATER: [&str; 8] = ["static-site", "imap", "slack", "teams", "twilio", "kannel", "icalendar", "alertmanager"];

impl Default for ChannelKinds {
    fn default() -> Self {
        Self::standard()
    }
}

impl ChannelKinds {
    /// The kinds of relcomm-channels.
    #[must_use]
    pub fn standard() -> Self {
        let none = Self { kinds: BTreeMap::new() };
        none.with("smtp", ChannelKind::new(SMTP, standard::smtp).later(&["receipts.imap"]))
            .with("webhook", ChannelKind::new(WEBHOOK, standard::webhook))
            .with("pagerduty", ChannelKind::new(PAGERDUTY, standard::pagerduty).later(&["receipts"]))
            .with("manual", ChannelKind::new(&["kind"], standard::manual))
            .with("exec", ChannelKind::asking(EXEC, |settings| Box::pin(standard::exec(settings))))
    }

    /// With this kind; the last one of a name stands.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, kind: ChannelKind) -> Self {
        self.kinds.insert(name.into(), kind);
        self
    }

    /// Findings about the form of one mechanism's settings.
    pub(super) fn check(&self, kind: &str, source: &Source, word: &str) -> Vec<Finding> {
        let path = format!("{word}.kind");
        let Some(known) = self.kinds.get(kind) else {
            let finding = if LATER.contains(&kind) {
                not_yet(&path, &format!("channels of the kind `{kind}`"))
            } else {
                let names: Vec<&str> = self.kinds.keys().map(String::as_str).collect();
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

    pub(super) async fn make(&self, kind: &str, settings: Settings<'_>) -> Result<Made, String> {
        match self.kinds.get(kind) {
            Some(known) => (known.make)(settings).await,
            None => Err(format!("`{kind}` is no kind of channel")),
        }
    }
}

impl ChannelKind {
    /// Looks at what stands at `path`, which `under` is the pattern of.
    fn walk(&self, source: &Source, path: &str, under: &str, node: &Node, findings: &mut Vec<Finding>) {
        let entries = match node.kind() {
            Kind::Map(entries) => entries,
            // Nothing says nothing.
            Kind::Null => return,
            _ => {
                // Passed over, a list of headers would be headers that nobody sends.
                if self.nests(under) {
                    let what = format!("what stands here is a map of {}", self.nested(under));
                    let mut at = source.position(node);
                    // What should be a header or a variable may be a secret.
                    at.source.clear();
                    findings.push(Finding::error("RC1006", path, what).at(at));
                }
                return;
            }
        };
        for entry in entries {
            let own = join(under, entry.key());
            let any = join(under, "*");
            let path = key_path(path, entry.key());
            let pattern = if self.knows(&own) { own.clone() } else { any };
            if self.later.contains(&own.as_str()) {
                findings.push(not_yet(&path, &own).at(source.at(&path)));
            } else if self.knows(&pattern) {
                self.walk(source, &path, &pattern, entry.value(), findings);
            } else if self.nests(under) || !is_reference(entry) {
                findings.push(
                    Finding::error("RC1004", &path, format!("unknown key `{}`", entry.key())).at(source.at(&path)),
                );
            }
        }
    }

    fn knows(&self, key: &str) -> bool {
        self.keys.contains(&key)
    }

    /// Whether there are keys below this one, so that its value is a map and no reference.
    fn nests(&self, key: &str) -> bool {
        self.keys.iter().chain(self.later).any(|known| below(key, known).is_some())
    }

    /// The keys below this one, in words.
    fn nested(&self, key: &str) -> String {
        let names: Vec<&str> =
            self.keys.iter().filter_map(|known| below(key, known)).filter(|name| !name.contains('.')).collect();
        if names == ["*"] { "names and their values".to_owned() } else { names.join(", ") }
    }
}

/// What is left of a key that stands below another.
fn below<'a>(key: &str, known: &'a str) -> Option<&'a str> {
    if key.is_empty() { Some(known) } else { known.strip_prefix(key)?.strip_prefix('.') }
}

fn join(under: &str, key: &str) -> String {
    if under.is_empty() { key.to_owned() } else { format!("{under}.{key}") }
}

/// Whether an entry belongs to a reference, whose form is checked where it is read.
fn is_reference(entry: &Entry) -> bool {
    matches!(entry.key(), "env" | "file" | "default")
}
