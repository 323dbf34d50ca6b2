//! The deployment's configuration: which channel carries which mechanism, where the journal is, how often the command is called.
//!
//! ```yaml
//! channels: 1
//! email:   { kind: smtp, url: { env: SMTP_URL }, from: "releases@example.org", rate: { count: 10, seconds: 1 } }
//! webhook: { kind: webhook, endpoints: { forum: { url: { env: FORUM_HOOK } } } }
//! chat:    { kind: exec, program: ./post.py, env: { TOKEN: { env: CHAT_TOKEN } }, timeout: 30s, concurrency: 4 }
//! journal: { env: RELCOMM_JOURNAL, default: "file:.relcomm/journal.db" }
//! ```

mod kinds;
mod secret;
mod settings;
mod standard;

pub use kinds::{ChannelKind, ChannelKinds, Made, Making};
pub use secret::{MissingSecret, Reference};
pub use settings::Settings;

use crate::Failure;
use relcomm_channels::email::ReturnPath;
use relcomm_core::channel::ChannelSet;
use relcomm_core::mechanism::{Addressing, Mechanism};
use relcomm_core::plan::source::{Format, Node, Source};
use relcomm_core::plan::time::Span;
use relcomm_core::plan::{Finding, Plan};
use relcomm_core::validate::{ChannelFacts, Deployment as Facts};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// A channels file that was read. Secrets are still references.
#[derive(Debug)]
pub struct Deployment {
    source: Source,
    /// How often the command is called.
    pub tick: Option<Duration>,
    /// Where the journal is, if the file says so.
    pub journal: Option<Reference>,
    kinds: ChannelKinds,
}

const RESERVED: [&str; 4] = ["channels", "tick", "journal", "acks"];

impl Deployment {
    /// Reads a channels file.
    ///
    /// # Errors
    /// The file on the command line is missing, or what it says is not understood.
    pub fn read(path: &Path, kinds: ChannelKinds) -> Result<Self, Failure> {
        let bytes = std::fs::read(path).map_err(|e| Failure::Tool(format!("{}: {e}", path.display())))?;
        Self::parse(&path.display().to_string(), &bytes, kinds).map_err(Failure::Findings)
    }

    /// Reads what a channels file holds.
    ///
    /// # Errors
    /// Findings about its form.
    pub fn parse(file: &str, bytes: &[u8], kinds: ChannelKinds) -> Result<Self, Vec<Finding>> {
        let source = Source::parse(file, bytes, Format::of(file)).map_err(|f| vec![*f])?;
        let mut findings = Vec::new();
        if source.get("channels").and_then(Node::text) != Some("1") {
            findings.push(
                Finding::error("RC1001", "channels", "a channels file begins with `channels: 1`")
                    .at(source.at("channels")),
            );
        }
        let tick = optional::<Span>(&source, "tick", &mut findings);
        let elapsed = tick.and_then(Span::as_elapsed).filter(|tick| !tick.is_zero());
        if tick.is_some() && elapsed.is_none() {
            let what = "`tick` is a length of time such as 5m or 1h: not of business days, and not 0";
            findings.push(Finding::error("RC1006", "tick", what).at(source.at("tick")));
        }
        let journal = Reference::at(&source, "journal").unwrap_or_else(|found| {
            findings.extend(found);
            None
        });
        if source.get("acks").is_some() {
            findings.push(not_yet("acks", "acknowledgement links").at(source.at("acks")));
        }
        for word in mechanism_words(&source) {
            if Mechanism::new(&word).is_err() {
                findings.push(
                    Finding::error(
                        "RC1002",
                        &word,
                        format!("`{word}` is neither a mechanism nor one of {}", RESERVED.join(", ")),
                    )
                    .at(source.at(&word)),
                );
                continue;
            }
            let kind = source.get(&format!("{word}.kind")).and_then(Node::text).unwrap_or_default().to_owned();
            findings.extend(kinds.check(&kind, &source, &word));
        }
        if findings.iter().any(Finding::is_error) {
            return Err(findings);
        }
        Ok(Self { source, tick: elapsed, journal, kinds })
    }

    /// The mechanisms that it binds.
    #[must_use]
    pub fn mechanisms(&self) -> Vec<Mechanism> {
        mechanism_words(&self.source).iter().filter_map(|w| Mechanism::new(w).ok()).collect()
    }

    /// To which addresses the far sides of mail report, by what the channels of the kind `smtp` say.
    ///
    /// # Errors
    /// A reference that leads nowhere, or an address that cannot be a return path.
    pub fn return_paths(&self) -> Result<Vec<ReturnPath>, Failure> {
        return_paths(&self.source).map_err(|why| Failure::Invalid(format!("{}: {why}", self.source.file())))
    }

    /// Makes the channels that the plan needs, or all of them where there is no plan, with their secrets.
    ///
    /// # Errors
    /// A secret that is not there, a configuration that the channel refuses, or a program that does not say what it is.
    pub async fn channels(&self, plan: Option<&Plan>) -> Result<ChannelSet, Failure> {
        let mut set = ChannelSet::new();
        for word in mechanism_words(&self.source) {
            let Ok(mechanism) = Mechanism::new(&word) else { continue };
            let addressing = plan.map_or_else(
                || mechanism.standard_addressing().unwrap_or(Addressing::Each),
                |plan| plan.addressing(&mechanism),
            );
            let kind = self.source.get(&format!("{word}.kind")).and_then(Node::text).unwrap_or_default();
            let settings = Settings { source: &self.source, word: &word, addressing };
            let made = self.kinds.make(kind, settings).await;
            let made = made.map_err(|why| Failure::Invalid(format!("{}: {word}: {why}", self.source.file())))?;
            set = made.bind(set, mechanism);
        }
        Ok(set)
    }

    /// What validation needs to know of it: the channels' facts and the names of their endpoints.
    #[must_use]
    pub fn facts(&self, channels: &ChannelSet) -> Facts {
        let known: BTreeMap<Mechanism, ChannelFacts> = channels
            .iter()
            .map(|(mechanism, binding)| {
                let mut facts = ChannelFacts::new(binding.channel.capabilities().clone());
                if self.source.get(&format!("{mechanism}.endpoints")).is_some() {
                    facts = facts.endpoints(settings::keys(&self.source, &format!("{mechanism}.endpoints")));
                }
                (mechanism.clone(), facts)
            })
            .collect();
        let facts = Facts::unknown().channels(known);
        match self.tick {
            Some(tick) => facts.tick(tick),
            None => facts,
        }
    }
}

fn return_paths(source: &Source) -> Result<Vec<ReturnPath>, String> {
    let mut bases = Vec::new();
    for word in mechanism_words(source) {
        if source.get(&format!("{word}.kind")).and_then(Node::text) == Some("smtp") {
            let settings = Settings { source, word: &word, addressing: Addressing::Each };
            bases.extend(standard::return_path(settings).map_err(|why| format!("{word}: {why}"))?);
        }
    }
    Ok(bases)
}

fn mechanism_words(source: &Source) -> Vec<String> {
    settings::keys(source, "").into_iter().filter(|k| !RESERVED.contains(&k.as_str())).collect()
}

fn optional<T: serde::de::DeserializeOwned>(source: &Source, path: &str, findings: &mut Vec<Finding>) -> Option<T> {
    source.get(path)?;
    source.decode_at(path).map_err(|f| findings.extend(f)).ok()
}

fn not_yet(path: &str, what: &str) -> Finding {
    Finding::error("RC0950", path, format!("not acted on yet: {what}"))
}
